use crate::backtest::attribution::Attribution;
use crate::backtest::{Contracts, Settled};
use crate::error::Result;
use crate::hedging::{Book, Ledger, Policy};
use crate::market::Simulator;
use crate::random::Purpose;
use crate::risk::{Row, RowInput};
use crate::runs::breakdown::{Breakdown, Expired};
use crate::runs::comparison::Measured;
use crate::runs::daily::ContractDays;
use crate::simd::BLOCK;
use crate::strategy::Plan;

/// How a policy was trained.
#[derive(Debug, Clone, Copy)]
pub struct Training {
    pub seed: u64,
    pub steps: usize,
    pub seconds: f64,
}

/// One strategy's results: on the test paths, on history, or on both.
pub struct Outcome {
    pub strategy: String,
    pub seed: Option<u64>,
    simulated: Option<(Row, Book)>,
    historical: Option<(Row, Settled)>,
    /// Positions on the first test path, one series for every instrument.
    pub example: Vec<Vec<f64>>,
}

impl Outcome {
    /// The statistics on the test paths.
    pub fn row(&self) -> Option<&Row> {
        self.simulated.as_ref().map(|(row, _)| row)
    }

    /// P&L on the first test path.
    pub fn example_pnl(&self) -> f64 {
        self.simulated
            .as_ref()
            .map_or(f64::NAN, |(_, book)| book.pnl[0])
    }
}

/// The results on the test paths.
pub fn simulated(outcomes: &[Outcome]) -> Vec<Measured<'_>> {
    outcomes
        .iter()
        .filter_map(|outcome| outcome.simulated.as_ref())
        .map(|(row, book)| (row, book))
        .collect()
}

/// The results on history.
pub fn historical(outcomes: &[Outcome]) -> Vec<Measured<'_>> {
    outcomes
        .iter()
        .filter_map(|outcome| outcome.historical.as_ref())
        .map(|(row, settled)| (row, &settled.book))
        .collect()
}

/// The P&L of every contract on history by day, of every strategy and seed; none where contracts have no price on every date.
pub fn contract_days(outcomes: &[Outcome], contracts: &Contracts) -> Vec<ContractDays> {
    let days = |outcome: &Outcome| {
        let (_, settled) = outcome.historical.as_ref()?;
        let priced = settled.daily.iter().all(|days| !days.is_empty());
        priced.then(|| {
            let days = &contracts.days;
            ContractDays::new(&outcome.strategy, outcome.seed, days, &settled.daily)
        })
    };
    outcomes.iter().filter_map(days).collect()
}

/// What the P&L on history is made of, one for each strategy.
pub fn breakdowns(outcomes: &[Outcome], contracts: &Contracts) -> Vec<Breakdown> {
    let mut names: Vec<&str> = Vec::new();
    for outcome in outcomes.iter().filter(|o| o.historical.is_some()) {
        if !names.contains(&outcome.strategy.as_str()) {
            names.push(&outcome.strategy);
        }
    }
    let breakdown = |name: &str| {
        let seeds: Vec<_> = outcomes
            .iter()
            .filter(|outcome| outcome.strategy == name)
            .filter_map(|outcome| outcome.historical.as_ref())
            .collect();
        let share = 1.0 / seeds.len() as f64;
        let dates = contracts.sold.iter().zip(&contracts.expiry);
        let expired = dates.enumerate().map(|(i, (sold, expiry))| {
            let (mut pnl, mut parts) = (0.0, Attribution::default());
            for (_, settled) in &seeds {
                pnl += share * settled.book.pnl[i];
                parts.add(share, &settled.parts[i]);
            }
            Expired {
                sold: *sold,
                expiry: *expiry,
                pnl,
                parts: parts.parts().to_vec(),
                drift: parts.drift,
            }
        });
        Breakdown::new(name, &expired.collect::<Vec<_>>())
    };
    names.into_iter().map(breakdown).collect()
}

/// What every strategy of an experiment is measured on.
pub struct Bench<'a> {
    /// The plan, whose ranks hedge the simulated test paths together.
    pub plan: &'a Plan,
    /// Contracts sold on history, and the plan as this rank alone hedges them.
    pub history: Option<(&'a Contracts, &'a Plan)>,
    /// Whether the simulated test paths are hedged too.
    pub simulated: bool,
    /// Asked again and again while test paths are hedged; its error ends that.
    pub stop: &'a dyn Fn() -> Result<()>,
}

impl Bench<'_> {
    /// Measures one strategy, as it hedges simulated paths and as it hedges history.
    pub fn measure(
        &self,
        name: &str,
        training: Option<Training>,
        on_simulation: &dyn Policy,
        on_history: &dyn Policy,
    ) -> Result<Outcome> {
        let plan = self.plan;
        let row = |book: &Book, premium: f64, overlap: f64| {
            let input = RowInput {
                strategy: name,
                seed: training.map(|training| training.seed),
                premium,
                risk: plan.risk,
                contracts_per_year: plan.contracts_per_year(),
                overlap,
                steps: training.map(|training| training.steps),
                seconds: training.map(|training| training.seconds),
            };
            Row::new(&input, &book.pnl, &book.cost, &book.turnover)
        };
        let (mut simulated, mut example) = (None, Vec::new());
        if self.simulated {
            let book = hedge_test_paths(plan, on_simulation, &mut || (self.stop)())?;
            simulated = Some((row(&book, plan.model_premium(), 1.0), book));
            let quotes = plan.quotes()?;
            let instruments = quotes.instruments();
            let paths = test_paths(plan).paths_with(&quotes, 0, 1);
            let first = on_simulation.positions(&plan.contract, &paths)?;
            let series = |i| first.iter().skip(i).step_by(instruments.len());
            example = (0..instruments.len())
                .map(|i| series(i).map(|lane| lane[0]).collect())
                .collect();
        }
        let historical = match self.history {
            None => None,
            Some((contracts, _)) => {
                let settled = contracts.hedge(on_history)?;
                let premiums = &contracts.premiums;
                let premium = premiums.iter().sum::<f64>() / premiums.len() as f64;
                Some((row(&settled.book, premium, contracts.overlap), settled))
            }
        };
        Ok(Outcome {
            strategy: name.into(),
            seed: training.map(|training| training.seed),
            simulated,
            historical,
            example,
        })
    }
}

/// The simulator of the test paths, the same ones for every policy and training seed.
pub fn test_paths(plan: &Plan) -> Simulator {
    plan.simulator(plan.seed, Purpose::Evaluation)
}

/// Hedges the plan's test paths with `policy` and settles them, on all ranks of the plan together.
///
/// # Errors
/// Those of the policy; that of `stop`, which is asked before every chunk of paths.
pub fn hedge_test_paths(
    plan: &Plan,
    policy: &dyn Policy,
    stop: &mut dyn FnMut() -> Result<()>,
) -> Result<Book> {
    let ledger = plan.ledger_of_sale();
    let paths = (&test_paths(plan), plan.evaluation_paths);
    hedge(plan, &ledger, paths, policy, stop)
}

/// Hedges `count` simulated paths, so many at a time as [`Plan::chunk`] says, which bounds the memory.
fn hedge(
    plan: &Plan,
    ledger: &Ledger,
    (simulator, count): (&Simulator, usize),
    policy: &dyn Policy,
    stop: &mut dyn FnMut() -> Result<()>,
) -> Result<Book> {
    let (quotes, chunk) = (plan.quotes()?, plan.chunk());
    let mut book = Book::default();
    for first in (0..count).step_by(chunk) {
        stop()?;
        let count = chunk.min(count - first);
        let block = (first / BLOCK) as u64;
        let paths = simulator.paths_over::<f64>(&plan.ranks, &quotes, block, count);
        book.append(Book::hedge(policy, ledger, &paths)?);
    }
    Ok(book)
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
