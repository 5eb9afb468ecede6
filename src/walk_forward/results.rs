//! What the contracts of all windows come to.

use super::{Trade, Window, books};
use crate::risk::bootstrap::{Bootstrap, Interval, holm, maximum_drawdown};
use crate::risk::{Risk, cvar};
use crate::strategy::{BacktestPlan, Plan};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// `walk_forward.json`.
///
/// # Units
/// Those of [`crate::risk::Row`]; Sharpe ratios are annualised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    pub windows: Vec<Window>,
    pub strategies: Vec<StrategyResult>,
    /// Differences of the strategy under test against every other one.
    pub tests: Vec<Test>,
    pub stress: Vec<Period>,
    pub years: Vec<Period>,
    /// Mean length of the bootstrap's blocks, in contracts.
    pub block: f64,
    /// Level of the CVaR.
    pub level: f64,
}

/// A statistic and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounded {
    pub value: f64,
    #[serde(flatten)]
    pub interval: Interval,
}

/// One strategy on all contracts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrategyResult {
    pub strategy: String,
    pub seed: Option<u64>,
    pub contracts: usize,
    pub mean: Bounded,
    pub std: Bounded,
    pub cvar: Bounded,
    pub sharpe: Bounded,
    pub cost: f64,
    pub turnover: f64,
    /// Of P&L added up in the order of sale, with the sale after which it began (none at the start) and ended.
    pub maximum_drawdown: f64,
    pub drawdown_from: Option<String>,
    pub drawdown_to: String,
    /// Mean parts of the P&L, which add up to its mean.
    pub attribution: Vec<(String, f64)>,
    /// The part of delta that the calibrated drift explains.
    pub drift: f64,
    /// The contracts with the greatest losses: sale, expiry, P&L.
    pub worst: Vec<(String, String, f64)>,
}

/// A difference of a statistic on the same contracts: `strategy` less `against`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    pub strategy: String,
    pub against: String,
    pub statistic: String,
    pub difference: Bounded,
    /// The two-sided p-value of no difference, and the same after Holm's correction for all tests.
    pub p: f64,
    pub corrected: f64,
}

/// Contracts alive in a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Period {
    pub name: String,
    pub from: String,
    pub to: String,
    pub contracts: usize,
    /// Total P&L of each strategy.
    pub pnl: Vec<(String, f64)>,
}

/// Falls of the S&P 500 that hedgers remember: name, first and last day, from the high to the low or, in 2015, to the
/// retest of it.
const STRESS: [(&str, [i32; 3], [i32; 3]); 5] = [
    ("2008: financial crisis", [2008, 9, 1], [2009, 3, 9]),
    (
        "2011: US downgrade, euro area",
        [2011, 7, 22],
        [2011, 10, 3],
    ),
    ("2015: August", [2015, 8, 17], [2015, 9, 29]),
    ("2018: February", [2018, 1, 26], [2018, 2, 8]),
    ("2018: fourth quarter", [2018, 9, 20], [2018, 12, 24]),
];

const DRAWS: usize = 4999;
const LEVEL: f64 = 0.95;
const WORST: usize = 3;

fn mean(pnl: &[f64]) -> f64 {
    pnl.iter().sum::<f64>() / pnl.len() as f64
}

fn deviation(pnl: &[f64]) -> f64 {
    let centre = mean(pnl);
    (pnl.iter().map(|z| (z - centre).powi(2)).sum::<f64>() / (pnl.len() as f64 - 1.0)).sqrt()
}

/// A statistic of P&L.
type Statistic = Box<dyn Fn(&[f64]) -> f64 + Sync>;

impl Results {
    pub fn new(
        plan: &Plan,
        settings: &BacktestPlan,
        windows: Vec<Window>,
        trades: &[Trade],
    ) -> Self {
        let level = match plan.risk {
            Risk::Cvar { level } => level,
            _ => 0.95,
        };
        let books = books(trades);
        let count = books.first().map_or(0, |(_, _, trades)| trades.len());
        let overlap = settings.schedule.overlap(plan.contract.steps);
        let block = (count as f64).cbrt().max(overlap);
        let bootstrap = Bootstrap::new(plan.seed, DRAWS, count.max(1), block);
        let annual = plan.contracts_per_year.sqrt();
        let statistics: [(&str, Statistic); 3] = [
            ("mean", Box::new(mean)),
            ("std", Box::new(deviation)),
            ("cvar", Box::new(move |pnl: &[f64]| cvar(pnl, level))),
        ];
        let sharpe = move |pnl: &[f64]| annual * mean(pnl) / deviation(pnl);
        let strategies: Vec<StrategyResult> = books
            .iter()
            .map(|(strategy, seed, trades)| {
                let pnl: Vec<f64> = trades.iter().map(|trade| trade.pnl).collect();
                let bounded = |statistic: &(dyn Fn(&[f64]) -> f64 + Sync)| Bounded {
                    value: statistic(&pnl),
                    interval: bootstrap.interval(&pnl, LEVEL, statistic),
                };
                let average = |of: fn(&Trade) -> f64| {
                    trades.iter().map(|trade| of(trade)).sum::<f64>() / trades.len() as f64
                };
                let (fall, from, to) = maximum_drawdown(&pnl);
                let mut order: Vec<&&Trade> = trades.iter().collect();
                order.sort_by(|a, b| a.pnl.total_cmp(&b.pnl));
                StrategyResult {
                    strategy: strategy.clone(),
                    seed: *seed,
                    contracts: trades.len(),
                    mean: bounded(&statistics[0].1),
                    std: bounded(&statistics[1].1),
                    cvar: bounded(&statistics[2].1),
                    sharpe: bounded(&sharpe),
                    cost: average(|t| t.cost),
                    turnover: average(|t| t.turnover),
                    maximum_drawdown: fall,
                    drawdown_from: from.map(|i| trades[i].sold.to_string()),
                    drawdown_to: trades[to].sold.to_string(),
                    attribution: parts(trades),
                    drift: average(|t| t.attribution.drift),
                    worst: order
                        .iter()
                        .take(WORST)
                        .map(|t| (t.sold.to_string(), t.expiry.to_string(), t.pnl))
                        .collect(),
                }
            })
            .collect();
        let mut tests = Vec::new();
        if let Some(ours) = under_test(plan, &books) {
            let pnl = |trades: &[&Trade]| trades.iter().map(|t| t.pnl).collect::<Vec<f64>>();
            let own = pnl(&books[ours].2);
            for (i, (strategy, _, trades)) in books.iter().enumerate() {
                let theirs = pnl(trades);
                for (name, statistic) in statistics.iter().filter(|_| i != ours) {
                    let (interval, p) = bootstrap.difference(&own, &theirs, LEVEL, statistic);
                    tests.push(Test {
                        strategy: books[ours].0.clone(),
                        against: strategy.clone(),
                        statistic: (*name).into(),
                        difference: Bounded {
                            value: statistic(&own) - statistic(&theirs),
                            interval,
                        },
                        p,
                        corrected: p,
                    });
                }
            }
            let p_values: Vec<f64> = tests.iter().map(|test| test.p).collect();
            for (test, corrected) in tests.iter_mut().zip(holm(&p_values)) {
                test.corrected = corrected;
            }
        }
        let period =
            |name: String, from: NaiveDate, to: NaiveDate, alive: &dyn Fn(&Trade) -> bool| {
                let of = |trades: &[&Trade]| {
                    let alive = trades.iter().filter(|trade| alive(trade));
                    alive.map(|trade| trade.pnl).sum::<f64>()
                };
                let first = books.first().map_or(&[][..], |(_, _, trades)| trades);
                Period {
                    name,
                    from: from.to_string(),
                    to: to.to_string(),
                    contracts: first.iter().filter(|trade| alive(trade)).count(),
                    pnl: books
                        .iter()
                        .map(|(name, _, trades)| (name.clone(), of(trades)))
                        .collect(),
                }
            };
        let day = |[year, month, day]: [i32; 3]| {
            NaiveDate::from_ymd_opt(year, month as u32, day as u32).unwrap_or_default()
        };
        let stress = STRESS.iter().map(|(name, from, to)| {
            let (from, to) = (day(*from), day(*to));
            period((*name).into(), from, to, &|t| {
                t.sold <= to && t.expiry >= from
            })
        });
        let mut years: Vec<i32> = trades.iter().map(|trade| trade.sold.year()).collect();
        years.sort_unstable();
        years.dedup();
        let years = years.into_iter().map(|year| {
            let (from, to) = (day([year, 1, 1]), day([year, 12, 31]));
            period(year.to_string(), from, to, &|t| t.sold.year() == year)
        });
        Self {
            stress: stress.filter(|period| period.contracts > 0).collect(),
            years: years.collect(),
            windows,
            strategies,
            tests,
            block,
            level,
        }
    }
}

/// The mean of each part.
fn parts(trades: &[&Trade]) -> Vec<(String, f64)> {
    let mut sums: Vec<(String, f64)> = Vec::new();
    for trade in trades {
        for (i, (name, value)) in trade.attribution.parts().into_iter().enumerate() {
            match sums.get_mut(i) {
                Some((_, sum)) => *sum += value / trades.len() as f64,
                None => sums.push((name.into(), value / trades.len() as f64)),
            }
        }
    }
    sums
}

/// The strategy that is tested against the others: the first one trained with a curvature method or, if there is none,
/// the first one of all.
fn under_test(plan: &Plan, books: &[(String, Option<u64>, Vec<&Trade>)]) -> Option<usize> {
    let first_order = ["adam", "adamw", "lamb", "sgd"];
    let curvature = |name: &str| {
        let mut optimizers = plan.optimizers.iter();
        optimizers.any(|o| o.name == name && !first_order.contains(&o.method.as_str()))
    };
    let place = books.iter().position(|(name, _, _)| curvature(name));
    place.or((books.len() > 1).then_some(0))
}
