//! A run's strategies once more, as they hedge one test path and over spot and time.

use super::policies::saved_policies;
use super::{outcome, plan_of};
use crate::backtest::valuation::Valuation;
use crate::contract::Contract;
use crate::error::{Error, Result};
use crate::hedging::{
    ClassicalHedge, ClassicalName, ClassicalPolicy, HedgeValues, Policy, TrainedPolicy,
};
use crate::market::Paths;
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::simd::{BLOCK, Lane};
use crate::strategy::Plan;
use rayon::prelude::*;
use serde::Serialize;

/// Every strategy of a run on one of its test paths.
///
/// # Units
/// Time in years; volatility √v a year; positions and trades in units; costs and P&L in money at expiry.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct PathReplay {
    /// The number of the path among the test paths, from 0.
    pub path: usize,
    /// Number of test paths.
    pub paths: usize,
    /// Years since the sale; one entry per date, as are all series here.
    pub time: Vec<f64>,
    /// The days of a year, trading days or those of the calendar, in which the contract's life is counted.
    pub days_per_year: f64,
    /// The spot.
    pub spot: Vec<f64>,
    /// The annualised variance.
    pub variance: Vec<f64>,
    /// The annualised volatility, the root of the variance.
    pub volatility: Vec<f64>,
    /// The price of the contract at the variances of the date, by its closed form; empty if it has none.
    pub option: Vec<f64>,
    /// All assets, where there are several; `spot`, `variance` and `volatility` are those of the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetPath>,
    /// The strike of the contract, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strike: Option<f64>,
    /// What the contract was sold for.
    pub premium: f64,
    /// Every strategy of the run, those of several seeds once for each.
    pub strategies: Vec<Hedged>,
}

/// One of several assets on one path.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct AssetPath {
    /// The name of the asset.
    pub name: String,
    /// The spot.
    pub spot: Vec<f64>,
    /// The annualised volatility, the root of the variance.
    pub volatility: Vec<f64>,
}

/// One strategy on one path.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Hedged {
    /// The name of the optimizer or of the classical hedge.
    pub strategy: String,
    /// Absent for hedges that are not trained.
    pub seed: Option<u64>,
    /// Instrument → what is held after the trade of each date.
    pub positions: Vec<(String, Vec<f64>)>,
    /// Instrument → what is bought (or sold, if negative) on each date.
    pub trades: Vec<(String, Vec<f64>)>,
    /// Costs of all trades so far.
    pub cost: Vec<f64>,
    /// Premium and gains less what was paid, the contract's value where there is a price of it, and the costs so far; at the end
    /// the ledger's P&L.
    pub pnl: Vec<f64>,
}

impl Hedged {
    /// The strategy with its seed, where it was trained.
    pub fn name(&self) -> String {
        match self.seed {
            Some(seed) => format!("{}, seed {seed}", self.strategy),
            None => self.strategy.clone(),
        }
    }
}

/// Hedge ratios of one strategy, averaged over its seeds, beside Black–Scholes'.
///
/// A recurrent policy depends on the way that led to a spot. The map takes the shortest one: ln S moves evenly from
/// the spot of today to the point, while the variance is what the model expects, θ + (v0 − θ) e^{−κt}. With all the
/// time left there is no way, and the path begins at the point.
///
/// # Shapes
/// Matrices are `[time_left][spot]`.
///
/// # Units
/// Spot in money, time in years, ratios in shares per contract.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct HedgeMap {
    /// The name of the optimizer or of the classical hedge.
    pub strategy: String,
    /// The instrument whose positions these are: the spot of the first asset, by its name where there are several.
    pub instrument: String,
    /// The strike of the contract, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strike: Option<f64>,
    /// The spots of the columns.
    pub spot: Vec<f64>,
    /// The times to expiry of the rows, in years.
    pub time_left: Vec<f64>,
    /// The days of a year, trading days or those of the calendar, in which the contract's life is counted.
    pub days_per_year: f64,
    /// Shares that the strategy holds.
    pub hedge_ratio: Vec<Vec<f64>>,
    /// What the ratios are beside, as people read it.
    pub benchmark: &'static str,
    /// Shares that the Black–Scholes delta holds or, for a contract without a delta in closed form, hedged Monte Carlo.
    pub black_scholes: Vec<Vec<f64>>,
    /// The ratio less those shares.
    pub difference: Vec<Vec<f64>>,
}

/// The strategies of a run, read back from its folder.
pub struct Replay {
    plan: Plan,
    strategies: Vec<Strategy>,
}

struct Strategy {
    name: String,
    seed: Option<u64>,
    policy: Held,
}

enum Held {
    Recurrent(crate::network::Parameters),
    Classical(Box<ClassicalPolicy<'static>>),
}

/// Columns of a hedge map, and its rows at most.
const SPOTS: usize = 61;
const DATES: usize = 60;

/// How far the spots of a map reach, in standard deviations of ln S_T.
const REACH: f64 = 2.5;

impl Replay {
    /// Reads the policies of a run; hedges without training come from its strategy file.
    ///
    /// # Errors
    /// [`Error::Input`] if the run is incomplete or a file of it is damaged.
    pub fn open(folder: &RunFolder, metrics: &Metrics) -> Result<Self> {
        let plan = plan_of(folder, |_| {})?;
        let trained = metrics.evaluation.iter().chain(&metrics.backtest);
        let mut strategies = Vec::new();
        if trained.clone().any(|row| row.seed.is_some()) {
            for saved in saved_policies(folder, &plan)? {
                strategies.push(Strategy {
                    name: saved.strategy,
                    seed: Some(saved.training.seed),
                    policy: Held::Recurrent(saved.parameters),
                });
            }
        }
        for (hedge, values) in hedge_values(&plan, metrics)? {
            strategies.push(Strategy {
                name: hedge.name(),
                seed: None,
                policy: Held::Classical(Box::new(plan.classical(hedge, &plan.assets(), values))),
            });
        }
        Ok(Self { plan, strategies })
    }

    /// The names of the strategies, in the order of the run's table.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for strategy in &self.strategies {
            if !names.contains(&strategy.name.as_str()) {
                names.push(&strategy.name);
            }
        }
        names
    }

    fn positions(&self, strategy: &Strategy, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        match &strategy.policy {
            Held::Classical(policy) => policy.positions(&self.plan.contract, paths),
            Held::Recurrent(parameters) => {
                let (sweep, seen) = (self.plan.sweep(), self.plan.seen()?);
                let policy = TrainedPolicy {
                    parameters,
                    features: &seen,
                    sweep: sweep.as_ref(),
                };
                policy.positions(&self.plan.contract, paths)
            }
        }
    }

    /// Hedges test path `index`, counted from 0, with every strategy.
    ///
    /// # Errors
    /// [`Error::Input`] if there is no such path.
    pub fn path(&self, index: usize) -> Result<PathReplay> {
        let plan = &self.plan;
        let (contract, count) = (&plan.contract, plan.evaluation_paths);
        if index >= count {
            return Err(Error::key(
                "path",
                format!("= {index}: must be below {count}, the number of test paths"),
            ));
        }
        let instruments = plan.instruments();
        let block = outcome::test_paths(plan).paths_with::<f64>(
            &*plan.quotes()?,
            (index / BLOCK) as u64,
            BLOCK,
        );
        let lane = index % BLOCK;
        let (spot, variance) = block.path(lane);
        // Of several contracts the one that the path has.
        let sold = contract.of_path(block.block(0).drawn().map(|drawn| drawn.member[lane]));
        let known = plan.assets();
        let columns: Vec<(Vec<f64>, Vec<f64>)> = (0..known.count())
            .map(|asset| block.path_of(asset, lane))
            .collect();
        let columns = columns.iter();
        let columns = columns.map(|(s, v)| (&s[..=sold.steps], &v[..=sold.steps]));
        let alone = Paths::from_assets(
            known.count(),
            sold.steps,
            std::iter::once(columns.collect()),
        );
        let option: Vec<f64> = Valuation::new(sold, &known, &alone.under(sold))
            .prices(0)
            .map_or_else(Vec::new, Iterator::collect);
        let ledger = plan.ledger_of_sale();
        let premium = ledger.premium(&block.block(0), lane);
        let strategies = self.strategies.iter().map(|strategy| {
            let positions = self.positions(strategy, &block)?;
            let account = ledger.account(&block.block(0), &positions);
            let series = |of: &dyn Fn(usize, usize) -> f64| {
                let named = plan.instrument_names().into_iter().enumerate();
                named
                    .map(|(i, instrument)| {
                        let values = (0..=contract.steps).map(|t| of(i, t));
                        (instrument, values.collect::<Vec<f64>>())
                    })
                    .collect::<Vec<_>>()
            };
            let held = |i: usize, t: usize| {
                // What is held after the last trade; without liquidation that of the last period.
                let last = if plan.liquidation {
                    contract.steps
                } else {
                    contract.steps + 1
                };
                if t < last {
                    positions[t.min(contract.steps - 1) * instruments.len() + i][lane]
                } else {
                    0.0
                }
            };
            let before = |i: usize, t: usize| if t == 0 { 0.0 } else { held(i, t - 1) };
            let dates = 0..=contract.steps;
            Ok(Hedged {
                strategy: strategy.name.clone(),
                seed: strategy.seed,
                positions: series(&held),
                trades: series(&|i, t| held(i, t) - before(i, t)),
                cost: account.cost.iter().map(|cost| cost[lane]).collect(),
                pnl: dates
                    .map(|t| {
                        let value = option.get(t).filter(|_| t < sold.steps);
                        let owed = value.map_or(0.0, |price| price * ledger.growth(t));
                        ledger.at_expiry(premium) - account.paid[t][lane] - owed
                            + account.gain[t][lane]
                            - account.cost[t][lane]
                            + account.financing[t][lane]
                    })
                    .collect(),
            })
        });
        let assets = plan.assets();
        let assets: Vec<AssetPath> = match assets.list() {
            [_] => Vec::new(),
            several => several
                .iter()
                .enumerate()
                .map(|(asset, named)| {
                    let (spot, variance) = block.path_of(asset, lane);
                    AssetPath {
                        name: named.name.clone(),
                        spot,
                        volatility: variance.iter().map(|v| v.sqrt()).collect(),
                    }
                })
                .collect(),
        };
        Ok(PathReplay {
            path: index,
            paths: count,
            time: (0..=contract.steps)
                .map(|t| contract.dt() * t as f64)
                .collect(),
            days_per_year: plan.tenor.days_per_year,
            volatility: variance.iter().map(|v| v.sqrt()).collect(),
            strategies: strategies.collect::<Result<_>>()?,
            spot,
            variance,
            option,
            assets,
            strike: plan.strike_line().map(|_| sold.strike),
            premium,
        })
    }

    /// The hedge ratio in the spot over spot and time left.
    ///
    /// # Errors
    /// [`Error::Input`] if the run has no such strategy.
    pub fn hedge_map(&self, name: &str) -> Result<HedgeMap> {
        let plan = &self.plan;
        let of_name: Vec<&Strategy> = self.strategies.iter().filter(|s| s.name == name).collect();
        if of_name.is_empty() {
            return Err(Error::key(
                "strategy",
                format!("= \"{name}\": must be one of {}", self.names().join(", ")),
            ));
        }
        let grid = Grid::new(plan);
        let paths = grid.paths(plan)?;
        let count = paths.instruments().len();
        let read = |positions: Vec<Lane<f64>>| -> Vec<Vec<f64>> {
            let at = |row: usize, column: usize| {
                let index = row * SPOTS + column;
                let place = (index / BLOCK) * paths.steps() + grid.dates[row];
                positions[place * count][index % BLOCK]
            };
            (0..grid.dates.len())
                .map(|row| (0..SPOTS).map(|column| at(row, column)).collect())
                .collect()
        };
        let combine = |a: &[Vec<f64>], b: &[Vec<f64>], of: &dyn Fn(f64, f64) -> f64| {
            let rows = a.iter().zip(b);
            rows.map(|(a, b)| a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect())
                .collect::<Vec<Vec<f64>>>()
        };
        let share = 1.0 / of_name.len() as f64;
        let mut hedge_ratio = vec![vec![0.0; SPOTS]; grid.dates.len()];
        for strategy in of_name {
            let one = read(self.positions(strategy, &paths)?);
            hedge_ratio = combine(&hedge_ratio, &one, &|sum, one| sum + share * one);
        }
        let (delta, benchmark) = match plan.contract.has_delta() {
            true => (ClassicalName::BlackScholes, "Black–Scholes delta"),
            false => (ClassicalName::HedgedMonteCarlo, "Hedged Monte Carlo"),
        };
        let delta = plan.classical(delta, &plan.assets(), f64::INFINITY);
        let black_scholes = read(delta.positions(&plan.contract, &paths)?);
        let contract = grid.contract(plan);
        Ok(HedgeMap {
            strategy: name.to_owned(),
            instrument: plan.instrument_names().swap_remove(0),
            strike: plan.strike_line().map(|_| contract.strike),
            time_left: grid
                .dates
                .iter()
                .map(|t| contract.dt() * (contract.steps - t) as f64)
                .collect(),
            days_per_year: plan.tenor.days_per_year,
            difference: combine(&hedge_ratio, &black_scholes, &|ratio, delta| ratio - delta),
            spot: grid.spots,
            hedge_ratio,
            benchmark,
            black_scholes,
        })
    }
}

/// The classical hedges of a run with their parameters: those that the run found or, in runs of older versions that had no use for
/// them, those that are found now.
///
/// # Errors
/// Those of the hedges, where they are found now.
pub fn hedge_values(plan: &Plan, metrics: &Metrics) -> Result<Vec<(ClassicalHedge, HedgeValues)>> {
    if !metrics.hedges.is_empty() {
        let known = plan.hedges.iter().filter_map(|hedge| {
            let name = hedge.name();
            let row = metrics.hedges.iter().find(|row| row.strategy == name)?;
            Some((*hedge, row.values()))
        });
        return Ok(known.collect());
    }
    if let Some(aversion) = metrics.band_aversion {
        let hedges = plan.hedges.iter();
        return Ok(hedges.map(|hedge| (*hedge, aversion.into())).collect());
    }
    let tuned = plan.tuned_hedges(&mut || Ok(()))?;
    Ok(tuned
        .into_iter()
        .map(|one| (one.hedge, one.values))
        .collect())
}

/// The points of a hedge map.
struct Grid {
    /// Dates of trade, from 0.
    dates: Vec<usize>,
    spots: Vec<f64>,
    /// The number of that contract, where there are several.
    middle: Option<usize>,
}

impl Grid {
    fn new(plan: &Plan) -> Self {
        let middle = plan.contract.family().map(|family| family.middle());
        let contract = plan.contract.of_path(middle.map(|member| member as f64));
        let steps = contract.steps;
        let mut dates: Vec<usize> = (0..DATES)
            .map(|row| row * (steps - 1) / (DATES - 1))
            .collect();
        dates.dedup();
        let volatility = plan
            .market
            .model
            .initial_volatility()
            .max(plan.market.model.long_run_volatility());
        let reach = REACH * volatility * contract.expiry.sqrt();
        let spots = (0..SPOTS)
            .map(|column| {
                let place = 2.0 * column as f64 / (SPOTS - 1) as f64 - 1.0;
                plan.market.spot * (reach * place).exp()
            })
            .collect();
        Self {
            dates,
            spots,
            middle,
        }
    }

    /// The contract that the map is of: of several the one in the middle.
    fn contract<'a>(&self, plan: &'a Plan) -> &'a Contract {
        plan.contract
            .of_path(self.middle.map(|member| member as f64))
    }

    /// One path to every point, rows of the map first.
    fn paths(&self, plan: &Plan) -> Result<Paths<f64>> {
        let (steps, dt) = (plan.contract.steps, plan.contract.dt());
        let process = plan.market.model.variance_process();
        let expected = |t: usize| process.expected(dt * t as f64);
        let variance: Vec<f64> = (0..=steps).map(expected).collect();
        let last = self.dates.len() * SPOTS - 1;
        let assets = plan.assets();
        let mut paths = Paths::with_layout(last + 1, plan.layout());
        paths.blocks_mut().for_each(|(block, mut filled)| {
            if let (Some(family), Some(middle)) = (plan.contract.family(), self.middle) {
                filled.draw(family, &[middle; BLOCK]);
            }
            // The map is one of the first asset: the others stay at their spots.
            for (number, asset) in assets.list().iter().enumerate().skip(1) {
                let (spot, variance) = filled.asset(number);
                spot.fill([asset.market.spot; BLOCK]);
                let process = asset.market.model.variance_process();
                for (t, variance) in variance.iter_mut().enumerate() {
                    variance.fill(process.expected(dt * t as f64));
                }
            }
            let (spot, variances) = filled.asset(0);
            for lane in 0..BLOCK {
                let index = (block * BLOCK + lane).min(last);
                let (date, end) = (self.dates[index / SPOTS], self.spots[index % SPOTS]);
                let whole = (end / plan.market.spot).ln();
                for t in 0..=steps {
                    let way = if t < date {
                        t as f64 / date as f64
                    } else {
                        1.0
                    };
                    spot[t][lane] = plan.market.spot * (whole * way).exp();
                    variances[t][lane] = variance[t];
                }
            }
        });
        plan.quotes()?.fill(&mut paths);
        Ok(paths)
    }
}

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
