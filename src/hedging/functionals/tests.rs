use super::*;
use crate::market::{PathSource, Paths, Quotes};
use crate::random::Purpose;
use crate::simd::BLOCK;
use crate::strategy::Plan;
use std::path::Path;
use std::sync::Arc;

fn paths(plan: &Plan, count: usize) -> (Arc<Quotes>, Paths<f32>) {
    let quotes = plan.quotes().unwrap();
    let mut paths = Paths::with_layout(count, quotes.layout());
    let simulator = plan.simulator(4, Purpose::Training);
    PathSource::fill(&simulator, 0, &mut paths);
    quotes.fill(&mut paths);
    (quotes, paths)
}

/// Every strategy that the program comes with has numbers of its paths, as many as it says, all finite and not all the same on every path, whatever
/// its market, contract, instruments and costs are.
#[test]
fn every_shipped_strategy_has_functionals() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("strategies");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = file.display().to_string();
        if std::fs::read_to_string(&file)
            .unwrap()
            .contains("[walk_forward]")
        {
            continue;
        }
        let plan = Plan::load(&file, |_| {}).unwrap();
        let (_, paths) = paths(&plan, 2 * BLOCK);
        let functionals = plan.functionals(plan.ledger_of_sale(), plan.money_unit());
        let mut rows = vec![[0.0_f32; BLOCK]; functionals.count()];
        functionals.write(&paths.block(1), &mut rows);
        assert!(
            rows.as_flattened().iter().all(|value| value.is_finite()),
            "{name}"
        );
        assert_eq!(rows[0], [1.0; BLOCK]);
        let moving = rows
            .iter()
            .filter(|row| row.iter().any(|value| *value != row[0]));
        assert!(2 * moving.count() > rows.len(), "{name}");
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

const STRADDLE: &str = r#"
[market]
model = "heston"
v0 = 0.04
kappa = 1.5
theta = 0.09
sigma = 0.5
rho = -0.7
rate = 0.03
[contract]
type = "strangle"
strike = 96.0
upper_strike = 105.0
expiry_days = 20
days_per_year = 252
[costs]
proportional = 0.008
"#;

/// By hand in double precision: the payoff, the gains of a share, the highest and the lowest spot, the realised variance, and the cost of the widest band
/// around the deltas of a put at 96 and a call at 105, by the exact Φ in place of the logistic function.
#[test]
fn functionals_are_what_they_say() {
    let plan = Plan::parse(STRADDLE, |_| {}).unwrap();
    let (_, paths) = paths(&plan, 4 * BLOCK);
    let unit = 2.0;
    let functionals = plan.functionals(plan.ledger_of_sale(), unit);
    let mut rows = vec![[0.0_f32; BLOCK]; functionals.count()];
    let growth = |t: usize| (0.03 * (20 - t) as f64 / 252.0).exp();
    let strike = plan.contract.strike;
    for block in 0..4 {
        functionals.write(&paths.block(block), &mut rows);
        for lane in 0..BLOCK {
            let (spot, variance) = paths.path(block * BLOCK + lane);
            let close = |row: usize, expected: f64, what: &str| {
                let found = f64::from(rows[row][lane]);
                let error = (found - expected).abs();
                assert!(
                    error < 2e-4 * (1.0 + expected.abs()),
                    "{what}: {found} {expected}"
                );
            };
            let end = spot[20];
            close(
                1,
                ((96.0 - end).max(0.0) + (end - 105.0).max(0.0)) / unit,
                "payoff",
            );
            let scale = 0.3 * (20.0_f64 / 252.0).sqrt();
            let x: Vec<f64> = spot.iter().map(|s| (s / strike).ln() / scale).collect();
            close(2, x[20], "x");
            close(
                5,
                x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                "highest",
            );
            close(6, x.iter().copied().fold(f64::INFINITY, f64::min), "lowest");
            close(
                7,
                x.windows(2).map(|x| (x[1] - x[0]).powi(2)).sum(),
                "realised variance",
            );
            let gain = |t: usize| spot[t + 1] * growth(t + 1) - spot[t] * growth(t);
            close(2 + OF_ASSET, (0..20).map(gain).sum::<f64>() / unit, "gains");
            let normal = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
            let delta = |t: usize, strike: f64| {
                let left = (20 - t) as f64 / 252.0;
                let deviation = (0.5 * (variance[t] + 0.09) * left).sqrt();
                normal((spot[t] / strike).ln() / deviation + 0.5 * deviation)
            };
            let (mut held, mut cost, mut gained) = (0.0_f64, 0.0, 0.0);
            for t in 0..20 {
                let centre = delta(t, 96.0) - 1.0 + delta(t, 105.0);
                let next = held.max(centre - 0.2).min(centre + 0.2);
                cost += 0.008 * (next - held).abs() * spot[t] * growth(t);
                held = next;
                gained += held * gain(t);
            }
            cost += 0.008 * held.abs() * end;
            let bands = functionals.count() - 2;
            // The logistic function lies within 0.01 of Φ.
            let near = |row: usize, expected: f64, bound: f64| {
                let found = f64::from(rows[row][lane]) * unit;
                assert!((found - expected).abs() < bound, "{found} {expected}");
            };
            near(bands, cost, 0.1);
            near(bands + 1, gained, 0.02 * gain_size(&spot));
        }
    }
}

/// Σ|ΔS|
fn gain_size(spot: &[f64]) -> f64 {
    spot.windows(2).map(|s| (s[1] - s[0]).abs()).sum()
}

/// Gains of positions of a benchmark and of its deltas are there where paths hold them, and nothing is gained once a contract has ended.
#[test]
fn what_ended_gains_nothing() {
    let text = r#"
[market]
model = "gbm"
volatility = 0.3
[contract]
type = "down_and_out_call"
barrier = 97.0
expiry_days = 20
days_per_year = 252
[policy]
features = ["log_moneyness", "delta"]
"#;
    let plan = Plan::parse(text, |_| {}).unwrap();
    let (_, paths) = paths(&plan, 8 * BLOCK);
    let functionals = plan.functionals(plan.ledger_of_sale(), 1.0);
    let mut rows = vec![[0.0_f32; BLOCK]; functionals.count()];
    let mut ended = 0;
    for block in 0..8 {
        let block = paths.block(block);
        functionals.write(&block, &mut rows);
        let end = block.end().expect("it can end");
        for lane in 0..BLOCK {
            let end = end[lane] as usize;
            ended += usize::from(end < 20);
            let gain = block.spot[end.min(20)][lane] - block.spot[0][lane];
            assert!((rows[2 + OF_ASSET][lane] - gain).abs() < 2e-3);
            let delta = &block.benchmark().delta(0);
            let held = |t: usize| delta[t][lane] * (block.spot[t + 1][lane] - block.spot[t][lane]);
            let gain: f32 = (0..end.min(20)).map(held).sum();
            assert!((rows[functionals.count() - 1][lane] - gain).abs() < 2e-3);
        }
    }
    assert!(ended > BLOCK, "{ended}");
}
