//! What a plan holds in memory at once, and whether the machine has it.

use super::{OptimizerPlan, Plan};
use crate::contract::Instrument;
use crate::distributed::Spread;
use crate::error::{Error, Result};
use crate::market::Paths;
use crate::market::model::Tabulation;
use crate::network::Engine;
use crate::pricing::PriceTable;
use crate::random::Purpose;
use crate::simd::BLOCK;
use std::fs::read_to_string;

/// The share of the memory at hand that a computation may ask for.
const SHARE: f64 = 0.5;

/// Gigabytes, as messages say them.
const GIGABYTE: f64 = 1e9;

impl Plan {
    /// Bytes that training its policies with `seeds` seeds and measuring them holds at once on a rank, at most: the largest of its
    /// trainings, or what [`Self::measuring_memory`] says.
    ///
    /// A training holds two batches of paths, or one, the pool that it was chosen of and what is known of that, what a sweep goes back over, the record of the curvature paths, the
    /// validation paths, the tables of the options that hedge and the shocks of several assets. Weights, optimizer state and what a history needs are
    /// not counted.
    pub fn memory(&self, seeds: usize) -> f64 {
        let trainings = self.optimizers.iter().map(|one| self.training_memory(one));
        let training = trainings.fold(0.0, f64::max) + self.table_memory() + self.shock_memory();
        training.max(self.measuring_memory(self.optimizers.len() * seeds))
    }

    /// Bytes that hedging the test paths with so many policies and the classical hedges holds at once on a rank, at most: the books
    /// of all of them, its paths of a chunk, what a policy's sweep keeps and the tables of the options that hedge.
    pub fn measuring_memory(&self, policies: usize) -> f64 {
        let strategies = policies + self.hedges.len();
        // P&L, cost and turnover, in books, as columns and as they are written.
        let books = (self.evaluation_paths * strategies * 3 * 3 * size_of::<f64>()) as f64;
        let chunk = self.of_rank(self.chunk());
        let blocks = chunk / BLOCK;
        let sweep = match policies {
            0 => 0.0,
            _ => self.sweep_memory::<f64>(chunk),
        };
        books
            + (blocks * self.block_bytes()) as f64
            + sweep
            + self.table_memory()
            + self.shock_memory()
    }

    /// The correlated shocks of several assets, a block of them for every thread.
    fn shock_memory(&self) -> f64 {
        self.simulator(self.seed, Purpose::Training).held_bytes() as f64
    }

    /// Refuses what [`Self::memory`] says is more than half of the memory at hand.
    ///
    /// # Errors
    /// [`Error::Input`] with both figures.
    pub fn check_memory(&self, seeds: usize) -> Result<()> {
        check_memory(
            self.memory(seeds),
            "fewer `training.paths`, `training.validation_paths`, `evaluation.paths` or `contract.steps` need less",
        )
    }

    /// Test paths that are hedged at once: 16,384, or as many whole blocks as fit 256 MB.
    pub fn chunk(&self) -> usize {
        const MOST: usize = 512;
        const BYTES: usize = 1 << 28;
        (BYTES / self.block_bytes()).clamp(1, MOST) * BLOCK
    }

    /// The most of `count` paths that one of the plan's ranks has.
    fn of_rank(&self, count: usize) -> usize {
        let spread = Spread::new(&self.ranks, count.div_ceil(BLOCK));
        count.min(spread.largest() * BLOCK)
    }

    /// Of paths in double precision and the positions on them.
    fn block_bytes(&self) -> usize {
        let (steps, instruments) = (self.contract.steps, self.instruments.len());
        Paths::<f64>::bytes(BLOCK, &self.layout()) + BLOCK * steps * instruments * size_of::<f64>()
    }

    fn training_memory(&self, optimizer: &OptimizerPlan) -> f64 {
        let (steps, instruments) = (self.contract.steps, self.instruments.len());
        let layout = self.layout();
        let validation = self.of_rank(self.validation.paths);
        let bytes = |count| Paths::<f32>::bytes(count, &layout) as f64;
        let positions = |count: usize| (count * steps * instruments * size_of::<f32>()) as f64;
        let paths = self.of_rank(optimizer.paths);
        // A benchmark's positions are had on paths in double precision.
        let simulated = self.of_rank(optimizer.pool.max(optimizer.paths));
        let exact = match self.reference {
            Some(_) => 2.0 * (bytes(simulated.max(validation)) + positions(simulated)),
            None => 0.0,
        };
        // Whose P&L has weight in the gradient.
        let weighted = match self.control_variate || optimizer.pool > 0 {
            false => ((self.risk.carrying_share() * paths as f64) as usize + BLOCK).min(paths),
            true => paths,
        };
        let known = match optimizer.pool {
            0 => 0,
            _ => self
                .functionals(self.ledger(&self.market, 0.0), 1.0)
                .count(),
        };
        let sampled = optimizer.settings.build().curvature_paths(0);
        let sampled = self.of_rank(sampled.min(optimizer.paths));
        let maps = self.shape.maps().into_iter();
        let record: usize = maps.map(|map| map.rows + map.columns).sum();
        exact
            + bytes(paths)
            + bytes(simulated)
            + (simulated * known * size_of::<f32>()) as f64
            + bytes(weighted)
            + positions(paths)
            + self.sweep_memory::<f32>(paths.max(validation))
            + bytes(sampled)
            + (sampled * steps * record * size_of::<f32>()) as f64
            + bytes(validation)
            + positions(validation)
    }

    /// What a sweep keeps of all dates: of the blocks in hand, or as tensors of all paths.
    fn sweep_memory<R>(&self, paths: usize) -> f64 {
        let steps = self.contract.steps;
        let at_once = match self.engine {
            Engine::Block => rayon::current_num_threads() * BLOCK,
            // Every rank sweeps the paths of all.
            Engine::Tensor => 2 * paths * self.ranks.size(),
        };
        (at_once * steps * self.shape.kept(steps) * size_of::<R>()) as f64
    }

    /// Tables of the options that hedge, one for every date, by the model of the asset that each is on.
    fn table_memory(&self) -> f64 {
        let assets = self.assets();
        let tables = self.instruments.iter().map(|(instrument, _)| {
            let Instrument::Option(option) = instrument else {
                return 0;
            };
            let model = &assets.market(option.asset).model;
            let bytes = match model.tabulation(self.contract.expiry) {
                Tabulation::Formula => 0,
                Tabulation::Spot => PriceTable::bytes(1),
                Tabulation::SpotAndVariance { .. } => PriceTable::bytes(PriceTable::VARIANCES),
            };
            self.contract.steps * bytes
        });
        tables.sum::<usize>() as f64
    }
}

/// Refuses a computation that holds `bytes` at once, if that is more than half of the memory at hand; `remedy` says what
/// needs less.
///
/// # Errors
/// [`Error::Input`] with both figures.
pub fn check_memory(bytes: f64, remedy: &str) -> Result<()> {
    let Some(available) = available() else {
        return Ok(());
    };
    if bytes <= SHARE * available {
        return Ok(());
    }
    Err(Error::input(format!(
        "needs {:.1} GB of memory, more than half of the {:.1} GB at hand: {remedy}",
        bytes / GIGABYTE,
        available / GIGABYTE
    )))
}

/// Bytes of memory at hand: what the system says is available, or what the process's control group may hold if that is
/// less; none where the system does not say.
fn available() -> Option<f64> {
    let text = read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    let limit = read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|text| text.trim().parse::<f64>().ok());
    Some((1024.0 * kibibytes).min(limit.unwrap_or(f64::INFINITY)))
}

#[cfg(test)]
mod tests {
    use crate::pricing::PriceTable;
    use crate::simd::{BLOCK, Lane};
    use crate::strategy::Plan;

    fn plan(text: &str) -> Plan {
        let end = "[contract]\nexpiry_days = 2520\ndays_per_year = 252\nsteps = 10\n[evaluation]\npaths = 32\n\
                   hedges = [\"naked\"]\n[training]\npaths = 32\nvalidation_paths = 32\n";
        Plan::parse(&format!("{text}{end}"), |_| {}).unwrap()
    }

    const HESTON: &str =
        "model = \"heston\"\nv0 = 0.04\nkappa = 2.0\ntheta = 0.04\nsigma = 0.4\nrho = -0.7\n";

    /// Ten years in ten periods take many sub-steps, each with two shocks of either asset, which every thread holds beside the books
    /// and a chunk of paths. One asset has no such table.
    #[test]
    fn the_shocks_of_several_assets_count() {
        let two = plan(&format!(
            "[market]\ncorrelation = [[1.0, 0.5], [0.5, 1.0]]\n[market.assets.a]\n{HESTON}[market.assets.b]\n{HESTON}"
        ));
        let substeps = two.assets().substeps(two.contract.dt(), 10);
        let rows = (10 * substeps * 2).next_multiple_of(4);
        let shocks = rayon::current_num_threads() * 2 * rows * size_of::<Lane<u32>>();
        let measured = two.measuring_memory(0);
        let books = BLOCK * 3 * 3 * 8;
        let paths = |plan: &Plan| plan.chunk() / BLOCK * plan.block_bytes();
        assert_eq!(measured, (shocks + books + paths(&two)) as f64);
        assert!(substeps > 10 && shocks > 8 * two.block_bytes(), "{shocks}");
        let one = plan(&format!("[market]\n{HESTON}"));
        assert_eq!(one.measuring_memory(0), (books + paths(&one)) as f64);
    }

    /// An option on the second asset has tables by that asset's model, whatever the first one's is.
    #[test]
    fn tables_are_those_of_the_asset_that_an_option_is_on() {
        let with = |a: &str, b: &str| {
            plan(&format!(
                "[market]\ncorrelation = [[1.0, 0.5], [0.5, 1.0]]\n[market.assets.a]\n{a}[market.assets.b]\n{b}\
                 [policy]\ninstruments = [\"spot\", {{ type = \"call\", strike = 100.0, asset = \"b\" }}]\n"
            ))
        };
        let gbm = "model = \"gbm\"\nvolatility = 0.2\n";
        assert_eq!(with(HESTON, gbm).table_memory(), 0.0);
        let tables = 10 * PriceTable::bytes(PriceTable::VARIANCES);
        assert_eq!(with(gbm, HESTON).table_memory(), tables as f64);
    }
}
