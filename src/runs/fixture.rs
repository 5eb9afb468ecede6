//! A small made-up run for tests: two optimizers with two seeds each and three classical
//! hedges on 500 paths, and a backtest of 24 monthly contracts.

use super::breakdown::{Breakdown, Expired};
use super::daily::{ContractDays, DailyTable};
use super::metrics::{BacktestMarket, Comparison, ExamplePath, Metrics, TrainingCurve};
use super::precision::Precision;
use super::store::{self, RunFolder};
use super::tables::{BacktestBook, BacktestTable, EvaluationBook, EvaluationTable};
use crate::market::model::PriceMethod;
use crate::market::valuation::ContractPrice;
use crate::risk::Row;
use crate::training::TrainingPoint;
use chrono::{Days, Months, NaiveDate};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Name, seed, spread of the P&L, mean cost, mean P&L.
const BOOKS: [(&str, Option<u64>, f64, f64, f64); 7] = [
    ("kfac", Some(1), 0.50, 0.118, -0.12),
    ("kfac", Some(2), 0.51, 0.121, -0.12),
    ("adam", Some(1), 0.57, 0.131, -0.13),
    ("adam", Some(2), 0.60, 0.138, -0.14),
    ("naked", None, 3.1, 0.0, 0.02),
    ("black_scholes", None, 0.68, 0.214, -0.21),
    ("whalley_wilmott", None, 0.66, 0.127, -0.13),
];

/// A folder that is removed when the test ends.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("deephedge-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// K-FAC adapts its damping, after a trial at every fifth step from step 10 on.
fn statistics(strategy: &str, step: usize, seed: usize) -> Map<String, Value> {
    let mut statistics = Map::new();
    if strategy == "kfac" && step >= 10 {
        let trials = (step - 6) / 5;
        let damping = 3e-4 * 0.95f64.powi((trials * (5 + seed)) as i32);
        statistics.insert("damping".into(), damping.into());
        if trials > 0 {
            statistics.insert("reduction_ratio".into(), (0.9 - 0.05 * seed as f64).into());
        }
    }
    statistics
}

struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// Writes the whole run below `root`, with the figures and the report left to be made.
pub fn write(root: &Path) -> RunFolder {
    let folder = store::create(root, "Heston call").unwrap();
    folder
        .write_strategy("name = \"Heston call\"\n\n[market]\nmodel = \"heston\"\nspot = 100.0\n")
        .unwrap();
    folder.write_evaluation(&evaluation()).unwrap();
    folder.write_backtest(&backtest()).unwrap();
    folder.write_daily(&daily()).unwrap();
    folder.write_example_path(&example_path()).unwrap();
    folder
        .write_metrics(&Metrics {
            run: folder.id().to_owned(),
            ..metrics()
        })
        .unwrap();
    folder
}

pub fn metrics() -> Metrics {
    let evaluation: Vec<Row> = evaluation()
        .books
        .iter()
        .map(|book| {
            let premium = vec![2.31; book.pnl.len()];
            row(
                (&book.strategy, book.seed),
                [&premium, &book.pnl, &book.cost, &book.turnover],
            )
        })
        .collect();
    let backtest: Vec<Row> = backtest()
        .books
        .iter()
        .map(|book| {
            row(
                (&book.strategy, book.seed),
                [&book.premium, &book.pnl, &book.cost, &book.turnover],
            )
        })
        .collect();
    Metrics {
        run: "20260301-093000-heston-call".into(),
        command: "compare".into(),
        name: "Heston call".into(),
        created: "2026-03-01T09:30:00+00:00".into(),
        version: "0.1.0".into(),
        risk: "CVaR 95 %".into(),
        trained_level: Some("0.95".into()),
        seeds: vec![1, 2],
        training: training(),
        evaluation,
        backtest,
        comparisons: vec![comparison([-0.271, 0.018, -0.104, 0.021, -0.142, 0.013])],
        backtest_comparisons: vec![comparison([-0.11, 0.15, -0.092, 0.031, -0.06, 0.11])],
        backtest_breakdown: breakdown(),
        tuning: Vec::new(),
        lengths: Vec::new(),
        frontier: Vec::new(),
        model_premium: Some(ContractPrice {
            value: 97.951,
            standard_error: 0.012,
            method: PriceMethod::Simulation,
        }),
        money_unit: Some(1.2),
        band_aversion: Some(0.7),
        band_at_bound: false,
        hedges: Vec::new(),
        best_classical: Vec::new(),
        untraded: Vec::new(),
        disagreements: Vec::new(),
        crossed: Vec::new(),
        backtest_market: Some(BacktestMarket {
            tenor: Some("21 trading days, 252 a year".into()),
            closes: Some("daily, 252 a year".into()),
            repaired: Vec::new(),
            warnings: Vec::new(),
            data: "market_data/index_daily.csv".into(),
            source: "history".into(),
            estimated_from: Some("2010-01-04".into()),
            estimated_to: Some("2021-12-31".into()),
            first: "2022-01-03".into(),
            last: "2023-12-03".into(),
            contracts: 24,
            precision: Precision::default(),
            assets: Vec::new(),
            parameters: [("theta", 0.031), ("kappa", 3.2), ("rho", -0.71)]
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect(),
        }),
    }
}

/// The first seed's contracts; premium, costs and delta make up the P&L.
fn breakdown() -> Vec<Breakdown> {
    let books = backtest().books.into_iter();
    books
        .filter(|book| book.seed.is_none_or(|seed| seed == 1))
        .map(|book| {
            let contracts = book.pnl.iter().enumerate().map(|(i, &pnl)| Expired {
                sold: book.date[i],
                expiry: book.expiry[i],
                pnl,
                parts: vec![
                    ("premium", 0.2),
                    ("delta", pnl + book.cost[i] - 0.2),
                    ("gamma", -1.1),
                    ("theta", 1.1),
                    ("vega", 0.0),
                    ("financing", 0.0),
                    ("costs", -book.cost[i]),
                    ("unexplained", 0.0),
                ],
                drift: 0.01,
            });
            Breakdown::new(&book.strategy, &contracts.collect::<Vec<_>>())
        })
        .collect()
}

/// Variance, cost and CVaR changes, each followed by its standard error.
fn comparison(changes: [f64; 6]) -> Comparison {
    Comparison {
        strategy: "kfac".into(),
        baseline: "adam".into(),
        seeds: 2,
        pnl_variance_change: changes[0],
        pnl_variance_change_standard_error: changes[1],
        cost_change: changes[2],
        cost_change_standard_error: changes[3],
        cvar_change: changes[4],
        cvar_change_standard_error: changes[5],
        risk_difference: -0.19,
        risk_difference_standard_error: 0.021,
        sharpe_difference: 0.012,
        sharpe_difference_standard_error: 0.009,
        steps: 300,
        baseline_steps: 900,
        seconds: 58.6,
        baseline_seconds: 60.2,
        at_indifference: None,
    }
}

pub fn evaluation() -> EvaluationTable {
    let paths = 500;
    let mut common = Normal(7);
    let shared: Vec<f64> = (0..paths).map(|_| common.next()).collect();
    let books = BOOKS
        .iter()
        .enumerate()
        .map(|(index, &(strategy, seed, spread, cost, mean))| {
            let mut own = Normal(100 + index as u64);
            let pnl = shared
                .iter()
                .map(|z| {
                    // Skewed to losses, as a short option is.
                    let x = 0.8 * z + 0.6 * own.next();
                    mean + spread * (x - 0.25 * (x * x - 1.0))
                })
                .collect();
            let cost: Vec<f64> = (0..paths)
                .map(|_| cost * (1.0 + 0.5 * (own.uniform() - 0.5)))
                .collect();
            let turnover = cost.iter().map(|cost| cost * 10.0).collect();
            EvaluationBook {
                strategy: strategy.into(),
                seed,
                pnl,
                cost,
                turnover,
            }
        })
        .collect();
    EvaluationTable { books }
}

pub fn backtest() -> BacktestTable {
    let contracts = 24;
    let start = NaiveDate::from_ymd_opt(2022, 1, 3).unwrap();
    let date: Vec<NaiveDate> = (0..contracts)
        .map(|month| start.checked_add_months(Months::new(month)).unwrap())
        .collect();
    let expiry: Vec<NaiveDate> = date
        .iter()
        .map(|date| date.checked_add_days(Days::new(30)).unwrap())
        .collect();
    let books = BOOKS
        .iter()
        .enumerate()
        .map(|(index, &(strategy, seed, spread, cost, mean))| {
            let mut own = Normal(900 + index as u64);
            let rows = contracts as usize;
            BacktestBook {
                strategy: strategy.into(),
                seed,
                date: date.clone(),
                expiry: expiry.clone(),
                premium: (0..rows).map(|i| 95.0 + (i as f64).sin()).collect(),
                pnl: (0..rows)
                    .map(|_| 40.0 * (mean + 0.2 + spread * own.next()))
                    .collect(),
                cost: (0..rows)
                    .map(|_| 40.0 * cost * (0.8 + 0.4 * own.uniform()))
                    .collect(),
                turnover: vec![10.0 * cost; rows],
            }
        })
        .collect();
    BacktestTable { books }
}

/// The books of [`backtest`] by day: every contract gains a third of its P&L at its sale and the rest at its expiry.
pub fn daily() -> DailyTable {
    let of = |book: BacktestBook| {
        let days = book.date.iter().zip(&book.expiry);
        let days: Vec<Vec<NaiveDate>> = days.map(|(sold, expiry)| vec![*sold, *expiry]).collect();
        let pnl = book.pnl.iter().map(|pnl| vec![pnl / 3.0, pnl * 2.0 / 3.0]);
        ContractDays::new(&book.strategy, book.seed, &days, &pnl.collect::<Vec<_>>())
    };
    let books: Vec<ContractDays> = backtest().books.into_iter().map(of).collect();
    DailyTable::of(books.iter())
}

pub fn example_path() -> ExamplePath {
    let steps = 30;
    let mut noise = Normal(3);
    let time: Vec<f64> = (0..=steps).map(|i| f64::from(i) / 365.0).collect();
    let mut spot = vec![100.0];
    for _ in 0..steps {
        let last = spot[spot.len() - 1];
        spot.push(last * (1.0 + 0.011 * noise.next()));
    }
    let strike = 100.0;
    let delta = |day: usize, width: f64| {
        let left = ((steps as usize - day) as f64 / 365.0).sqrt();
        1.0 / (1.0 + (-(spot[day] - strike) * width / (100.0 * 0.2 * left)).exp())
    };
    let days = 0..steps as usize;
    let positions = [
        ("kfac", 1.5),
        ("adam", 1.3),
        ("black_scholes", 1.7),
        ("naked", 0.0),
    ]
    .into_iter()
    .map(|(name, width)| {
        let scale = if name == "naked" { 0.0 } else { 1.0 };
        (
            name.to_owned(),
            days.clone().map(|day| scale * delta(day, width)).collect(),
        )
    })
    .collect();
    ExamplePath {
        volatility: vec![0.2; spot.len()],
        time,
        spot,
        strike: Some(strike),
        assets: Vec::new(),
        positions,
        pnl: [("kfac", -0.21), ("adam", -0.35), ("black_scholes", -0.52)]
            .into_iter()
            .map(|(name, pnl)| (name.to_owned(), pnl))
            .collect(),
        days_per_year: Some(365.0),
    }
}

fn training() -> Vec<TrainingCurve> {
    [("kfac", 1, 300, 0.2), ("adam", 1, 900, 0.066)]
        .into_iter()
        .flat_map(|(strategy, seed, steps, pace)| {
            [
                (strategy, seed, steps, pace),
                (strategy, seed + 1, steps, pace),
            ]
        })
        .enumerate()
        .map(|(index, (strategy, seed, steps, pace))| {
            let mut noise = Normal(40 + index as u64);
            let floor = if strategy == "kfac" { 1.15 } else { 1.32 };
            let decay = if strategy == "kfac" { 18.0 } else { 90.0 };
            let points = (0..=steps)
                .map(|step| {
                    let level =
                        floor + 6.0 * (-f64::from(step) / decay).exp() + 0.01 * f64::from(seed);
                    TrainingPoint {
                        step: step as usize,
                        seconds: pace * f64::from(step),
                        risk: level + 0.05 * noise.next(),
                        validation_risk: (step % 25 == 0).then(|| level + 0.01 * noise.next()),
                        validation_standard_error: None,
                        statistics: statistics(strategy, step as usize, seed as usize),
                    }
                })
                .collect();
            TrainingCurve {
                strategy: strategy.into(),
                seed: u64::from(seed as u32),
                points,
            }
        })
        .collect()
}

fn row((strategy, seed): (&str, Option<u64>), columns: [&Vec<f64>; 4]) -> Row {
    let [premium, pnl, cost, turnover] = columns;
    let paths = pnl.len();
    let root = (paths as f64).sqrt();
    let (pnl_mean, variance) = moments(pnl);
    let (cost_mean, cost_variance) = moments(cost);
    let (turnover_mean, turnover_variance) = moments(turnover);
    let std = variance.sqrt();
    let mut losses: Vec<f64> = pnl.iter().map(|pnl| -pnl).collect();
    losses.sort_by(f64::total_cmp);
    let mut cvar = Map::new();
    let mut cvar_standard_error = Map::new();
    for (key, level) in [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)] {
        let from = ((level * paths as f64) as usize).min(paths - 1);
        let tail = losses[from..].to_vec();
        let (mean, variance) = moments(&tail);
        cvar.insert(key.into(), mean.into());
        let error = (variance / tail.len() as f64).sqrt();
        cvar_standard_error.insert(key.into(), error.into());
    }
    let trained = seed.map(|_| if strategy == "kfac" { 300 } else { 900 });
    Row {
        strategy: strategy.into(),
        seed,
        paths,
        premium: moments(premium).0,
        pnl_mean,
        pnl_mean_standard_error: std / root,
        pnl_std: std,
        pnl_std_standard_error: std / root / 2f64.sqrt(),
        pnl_variance: variance,
        pnl_variance_standard_error: variance * 2f64.sqrt() / root,
        risk: cvar["0.95"].as_f64().unwrap(),
        risk_standard_error: cvar_standard_error["0.95"].as_f64().unwrap(),
        cvar,
        cvar_standard_error,
        cost_mean,
        cost_mean_standard_error: cost_variance.sqrt() / root,
        turnover: turnover_mean,
        turnover_standard_error: turnover_variance.sqrt() / root,
        sharpe: pnl_mean / std,
        sharpe_standard_error: 1.0 / root,
        sharpe_annualised: pnl_mean / std * 12f64.sqrt(),
        sharpe_annualised_standard_error: 12f64.sqrt() / root,
        steps: trained,
        seconds: trained.map(|steps| if steps == 300 { 58.6 } else { 60.2 }),
    }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    (mean, square / (n - 1.0).max(1.0))
}
