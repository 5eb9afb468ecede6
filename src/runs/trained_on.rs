//! What the policies of a run were trained on: the ranges of what their paths showed.

use crate::market::{PathSource, Paths};
use crate::random::Purpose;
use crate::simd::{BLOCK, Real};
use crate::strategy::Plan;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The file of [`TrainedOn`] in the folder of a run, and in that of every window of a walk-forward.
pub const FILE: &str = "trained_on.json";

/// Quantiles of a quantity over all dates of simulated paths of the market that policies were trained in, at [`TrainedOn::LEVELS`].
pub type Quantiles = [f64; TrainedOn::LEVELS.len()];

/// `trained_on.json`: what paths of the market that the policies of a run were trained in show of the first asset.
///
/// # Units
/// Volatilities annualised; moves as logarithms of the ratio of two spots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// The number of paths, which are the same for every seed.
    pub paths: usize,
    /// S_t/K on hedging dates.
    pub moneyness: Quantiles,
    /// S_0/K at the sale: the least and the greatest.
    pub moneyness_at_sale: [f64; 2],
    /// √v_t on hedging dates.
    pub volatility: Quantiles,
    /// ln(S_t/S_{t−1}) over a hedging period.
    pub log_return: Quantiles,
}

impl TrainedOn {
    /// The levels of quantiles. The first and the last are those within which a policy is taken to know its way.
    pub const LEVELS: [f64; 7] = [0.0001, 0.001, 0.01, 0.5, 0.99, 0.999, 0.9999];

    /// A count of what lies outside of this, none so far.
    pub fn counted(&self) -> Counted {
        let quantity = |what, quantiles: &Quantiles| {
            let (low, high) = (quantiles[0], quantiles[quantiles.len() - 1]);
            // Where nothing varies in training, rounding is no difference.
            let slack = 1e-9 * (low.abs() + high.abs());
            let outside = Outside {
                what,
                share: 0.0,
                given: [f64::INFINITY, f64::NEG_INFINITY],
                trained: [low - slack, high + slack],
            };
            (outside, 0, 0)
        };
        Counted {
            quantities: [
                quantity("a spot over the strike", &self.moneyness),
                quantity("a volatility", &self.volatility),
                quantity("a move of the spot's logarithm", &self.log_return),
            ],
        }
    }

    /// Paths that are simulated, at most.
    const PATHS: usize = 4096;
    /// Dates of all of them together, at most.
    const DATES: usize = 1 << 20;

    /// What the plan's market shows.
    pub fn of(plan: &Plan) -> Self {
        const SEED: u64 = 0;
        let paths = plan.simulator(SEED, Purpose::Unit);
        Self::of_paths(plan, &paths.paths::<f64>(0, Self::count(plan)))
    }

    /// What paths of `source` show, on which policies of the plan are trained.
    pub fn of_source(plan: &Plan, source: &dyn PathSource) -> Self {
        let layout = plan.market_quotes(&plan.assets()).layout();
        let mut paths = Paths::<f32>::with_layout(Self::count(plan), layout);
        source.fill(0, &mut paths);
        Self::of_paths(plan, &paths)
    }

    fn count(plan: &Plan) -> usize {
        (Self::DATES / plan.contract.steps).clamp(BLOCK, Self::PATHS)
    }

    fn of_paths<R: Real>(plan: &Plan, paths: &Paths<R>) -> Self {
        let steps = plan.contract.steps;
        let [mut moneyness, mut volatility, mut moves, mut sales] = [const { Vec::new() }; 4];
        for index in 0..paths.blocks() {
            let block = paths.block(index);
            for lane in 0..paths.active(index) {
                let strike = block
                    .drawn()
                    .map_or(plan.contract.strike, |drawn| drawn.strike[lane].into_f64());
                let life = block
                    .drawn()
                    .map_or(steps, |drawn| drawn.life[lane].into_f64() as usize);
                let spot = |t: usize| block.spot[t][lane].into_f64();
                sales.push(spot(0) / strike);
                for t in 0..life {
                    moneyness.push(spot(t) / strike);
                    volatility.push(block.variance[t][lane].into_f64().sqrt());
                    moves.push((spot(t + 1) / spot(t)).ln());
                }
            }
        }
        let least = sales.iter().copied().fold(f64::INFINITY, f64::min);
        let most = sales.iter().copied().fold(0.0, f64::max);
        Self {
            paths: paths.count(),
            moneyness: quantiles(moneyness),
            moneyness_at_sale: [least, most],
            volatility: quantiles(volatility),
            log_return: quantiles(moves),
        }
    }
}

/// A quantity of given paths, of which more than [`Outside::USUAL`] lies outside of the outermost quantiles of training.
#[derive(Debug, Clone, PartialEq)]
pub struct Outside {
    /// The quantity.
    pub what: &'static str,
    /// The share of the values that lies outside.
    pub share: f64,
    /// The least and the greatest value.
    pub given: [f64; 2],
    /// The outermost quantiles of training.
    pub trained: [f64; 2],
}

impl Outside {
    /// The share of values outside that is no reason to doubt a policy: in training it is 0.02 %.
    pub const USUAL: f64 = 0.01;
}

impl fmt::Display for Outside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([least, most], [low, high]) = (self.given, self.trained);
        write!(
            formatter,
            "{:.3} % of dates have {} outside of training's {low:.4} to {high:.4}, from {least:.4} to {most:.4}",
            100.0 * self.share,
            self.what
        )
    }
}

/// Counts what lies outside of training on given paths.
#[derive(Debug, Clone)]
pub struct Counted {
    quantities: [(Outside, usize, usize); 3],
}

impl Counted {
    /// Counts further paths of a contract that has this strike on every one of them.
    pub fn count(&mut self, paths: &Paths<f64>, strike: f64) {
        let steps = paths.steps();
        let [moneyness, volatility, moves] = &mut self.quantities;
        for index in 0..paths.blocks() {
            let block = paths.block(index);
            for lane in 0..paths.active(index) {
                let spot = |t: usize| block.spot[t][lane];
                for t in 0..steps {
                    see(moneyness, spot(t) / strike);
                    see(volatility, block.variance[t][lane].sqrt());
                    if t > 0 {
                        see(moves, (spot(t) / spot(t - 1)).ln());
                    }
                }
            }
        }
    }

    /// The quantities that lie outside of training more than usual.
    pub fn outside(&self) -> Vec<Outside> {
        let all = self.quantities.iter();
        let shares = all.map(|(quantity, seen, far)| Outside {
            share: *far as f64 / (*seen).max(1) as f64,
            ..quantity.clone()
        });
        shares.filter(|one| one.share > Outside::USUAL).collect()
    }
}

/// Counts one value.
fn see((quantity, seen, far): &mut (Outside, usize, usize), value: f64) {
    let [least, most] = &mut quantity.given;
    (*least, *most) = (least.min(value), most.max(value));
    let [low, high] = quantity.trained;
    *seen += 1;
    *far += usize::from(!(low..=high).contains(&value));
}

/// The quantiles of values, each the value of the nearest rank.
fn quantiles(mut values: Vec<f64>) -> Quantiles {
    values.sort_by(f64::total_cmp);
    let last = (values.len() - 1) as f64;
    TrainedOn::LEVELS.map(|level| values[(level * last).round() as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the paths of training next to nothing lies outside of it; at three times the volatility most volatilities and a good part of the moves do, and
    /// the counts say of which.
    #[test]
    fn what_lies_outside_is_counted() {
        let text = |volatility: f64| {
            format!(
                "[market]\nmodel = \"gbm\"\nvolatility = {volatility}\n[contract]\nexpiry_days = 21\ndays_per_year = 252\n"
            )
        };
        let plan = |volatility: f64| Plan::parse(&text(volatility), |_| {}).unwrap();
        let trained = TrainedOn::of(&plan(0.2));
        let found = |volatility: f64| {
            let paths = plan(volatility).simulator(5, Purpose::Evaluation);
            let mut counted = trained.counted();
            counted.count(&paths.paths(0, 1000), 100.0);
            counted.outside()
        };
        assert_eq!(found(0.2), []);
        let outside = found(0.6);
        let [moneyness, volatility, moves] = &outside[..] else {
            panic!("{outside:?}");
        };
        assert_eq!(volatility.share, 1.0);
        assert!((volatility.given[0] - 0.6).abs() < 1e-12);
        // A normal number beyond 3.7/3 either way.
        assert!((moves.share - 0.21).abs() < 0.05, "{moves}");
        assert!(moneyness.share > 0.1 && moneyness.what == "a spot over the strike");
    }

    /// Under geometric Brownian motion quantiles of moves are those of the normal distribution, the volatility is one number, and
    /// all contracts are sold at the money.
    #[test]
    fn ranges_are_those_of_the_market() {
        let text = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 21\ndays_per_year = 252\n";
        let found = TrainedOn::of(&Plan::parse(text, |_| {}).unwrap());
        assert!(found.volatility.iter().all(|v| (v - 0.2).abs() < 1e-12));
        assert_eq!(found.moneyness_at_sale, [1.0, 1.0]);
        let deviation = 0.2 / 252.0_f64.sqrt();
        let drift = -0.5 * deviation * deviation;
        // Φ⁻¹ of 0.01, 0.5 and 0.99.
        for (place, normal) in [(2, -2.326_35), (3, 0.0), (4, 2.326_35)] {
            let expected = drift + normal * deviation;
            assert!((found.log_return[place] - expected).abs() < 0.03 * deviation);
        }
        assert!(found.moneyness.is_sorted() && found.log_return.is_sorted());
    }
}
