//! What limits refuse, and that every hedge keeps them.

use crate::hedging::{Book, ClassicalName, Policy, TrainedPolicy};
use crate::market::Paths;
use crate::network::{Engine, Parameters};
use crate::simd::Lane;
use crate::strategy::Plan;

const MARKET: &str = "[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\nrho = -0.7\n\
    [contract]\ntype = \"call\"\nexpiry_days = 20\ndays_per_year = 252\n[costs]\nproportional = 0.005\n";

fn plan(rest: &str) -> Plan {
    read(rest).unwrap()
}

fn read(rest: &str) -> crate::error::Result<Plan> {
    Plan::parse(&format!("{MARKET}{rest}"), |_| {})
}

#[test]
fn impossible_limits_are_refused() {
    for (limits, words) in [
        (
            "lowest_position = 1.0\nhighest_position = 0.5",
            "`limits.lowest_position` must be at most `limits.highest_position` (0.5), was 1",
        ),
        (
            "highest_position = -0.5\nshort_sales = false",
            "`limits.highest_position` must be at least 0 without short sales, was -0.5",
        ),
        (
            "lowest_position = 0.3\nhighest_position = 0.5\nlot = 0.7",
            "`limits.lot` must be a number of which a multiple lies in [0.3, 0.5], was 0.7",
        ),
        (
            "lot = 0.5\nlargest_trade = 0.2",
            "`limits.largest_trade` must be at least 0.5, so that the first trade can be made, was 0.2",
        ),
        ("margin = 0.0", "`limits.margin` must be positive, was 0"),
    ] {
        let error = read(&format!("[limits]\n{limits}\n")).unwrap_err();
        assert_eq!(error.to_string(), words);
    }
    assert!(plan("[limits]\nmargin = 0.5\n").limits.is_none());
}

const LIMITS: &str = "[limits]\nlowest_position = 0.05\nhighest_position = 0.6\nlargest_trade = 0.1\nlot = 0.05\n\
    short_sales = false\n";

const QUICK: [ClassicalName; 2] = [ClassicalName::BlackScholes, ClassicalName::WhalleyWilmott];

/// Positions of an untrained policy and of classical hedges.
fn hedges(plan: &Plan, paths: &Paths<f64>, names: &[ClassicalName]) -> Vec<Vec<Lane<f64>>> {
    let classical = names.iter().map(|name| {
        let policy = plan.classical(*name, &plan.assets(), 1.0);
        policy.positions(&plan.contract, paths).unwrap()
    });
    let parameters = Parameters::random(plan.shape.maps(), 3).unwrap();
    let sweep = plan.sweep();
    let policy = TrainedPolicy {
        parameters: &parameters,
        features: &plan.features,
        sweep: sweep.as_ref(),
    };
    let trained = policy.positions(&plan.contract, paths).unwrap();
    classical.chain([trained]).collect()
}

/// On random paths no position of any hedge that trades, trained or classical, banded or not, lies beyond its bounds or is no multiple of the
/// lot, and no trade is larger than allowed.
#[test]
fn every_hedge_keeps_its_limits() {
    for action in ["direct", "residual", "band"] {
        let plan = plan(&format!("{LIMITS}[policy]\naction = \"{action}\"\n"));
        let simulator = plan.simulator(5, crate::random::Purpose::Evaluation);
        let paths = simulator.paths_with::<f64>(&plan.quotes().unwrap(), 0, 64);
        let names: &[ClassicalName] = match action {
            "direct" => &[
                ClassicalName::BlackScholes,
                ClassicalName::WhalleyWilmott,
                ClassicalName::MinimumVariance,
                ClassicalName::HedgedMonteCarlo,
            ],
            _ => &[],
        };
        for positions in hedges(&plan, &paths, names) {
            let mut moved = 0;
            for block in positions.chunks_exact(paths.steps()) {
                let mut held = [0.0; 32];
                for position in block {
                    for (now, before) in position.iter().zip(held) {
                        assert!((0.05 - 1e-6..=0.6 + 1e-6).contains(now), "{action}: {now}");
                        assert!((now - before).abs() <= 0.1 + 1e-6, "{action}");
                        assert!((now / 0.05 - (now / 0.05).round()).abs() < 1e-9, "{action}");
                        moved += usize::from(*now != before);
                    }
                    held = *position;
                }
            }
            assert!(moved > 0);
        }
    }
}

/// The margins of all positions together tie up no more than the capital, whatever prices do, and where one hedge would tie up more, its
/// positions in several instruments keep their ratios.
#[test]
fn margins_bound_the_value_of_all_positions() {
    let alone = "[limits]\ncapital = 20.0\nmargin = 0.5\n";
    let both = format!(
        "{alone}[policy]\ninstruments = [\"spot\", {{ type = \"call\", strike = 100.0, expiry_days = 40 }}]\n"
    );
    for (text, names) in [
        (alone, &QUICK[..]),
        (
            &both,
            &[ClassicalName::BlackScholes, ClassicalName::DeltaVega][..],
        ),
    ] {
        let (limited, free) = (plan(text), plan(&text.replace("20.0", "1e9")));
        let count = limited.instruments.len();
        let simulator = limited.simulator(5, crate::random::Purpose::Evaluation);
        let paths = simulator.paths_with::<f64>(&limited.quotes().unwrap(), 0, 64);
        let all = hedges(&limited, &paths, names);
        let mut scaled_back = 0;
        for (held, unlimited) in all.iter().zip(hedges(&free, &paths, names)) {
            let dates = held.chunks_exact(count).zip(unlimited.chunks_exact(count));
            for (place, (held, unlimited)) in dates.enumerate() {
                let (block, t) = (place / paths.steps(), place % paths.steps());
                let data = paths.block(block);
                for lane in 0..32 {
                    let value = |held: &[Lane<f64>]| -> f64 {
                        let one = |i: usize| (held[i][lane] * data.price(i)[t][lane]).abs();
                        (0..count).map(one).sum()
                    };
                    assert!(value(held) <= 40.0 + 1e-9);
                    let cross = held[0][lane] * unlimited[count - 1][lane]
                        - held[count - 1][lane] * unlimited[0][lane];
                    scaled_back += usize::from(value(unlimited) > 40.0 && cross.abs() < 1e-12);
                }
            }
        }
        assert!(scaled_back > 1_000, "{scaled_back}");
    }
}

/// Limits that are far away change no bit of any hedge, in evaluation or in training.
#[test]
fn far_limits_change_nothing() {
    let free = plan("");
    let far =
        plan("[limits]\nlowest_position = -50.0\nhighest_position = 50.0\nlargest_trade = 60.0\n");
    assert!(free.limits.is_none() && !far.limits.is_none());
    let simulator = free.simulator(5, crate::random::Purpose::Evaluation);
    let paths = simulator.paths_with::<f64>(&free.quotes().unwrap(), 0, 64);
    assert_eq!(hedges(&free, &paths, &QUICK), hedges(&far, &paths, &QUICK));
    let parameters = Parameters::random(free.shape.maps(), 3).unwrap();
    let single = simulator.paths_with::<f32>(&free.quotes().unwrap(), 0, 64);
    let trained = |plan: &Plan| {
        let sweep = plan.training_sweep(0.5);
        let seed = |_: usize, positions: &[Lane<f32>], out: &mut [Lane<f32>]| {
            out.copy_from_slice(positions);
        };
        (
            sweep.forward(&parameters, &plan.features, &single).unwrap(),
            sweep
                .gradient(&parameters, &plan.features, &single, &seed)
                .unwrap(),
        )
    };
    assert_eq!(trained(&free), trained(&far));
}

/// The policy of `plan` before training and the classical hedge `name` give the same book, to the last bit.
fn is_its_benchmark(plan: &Plan, hedge: impl Into<crate::hedging::ClassicalHedge>) {
    let simulator = plan.simulator(9, crate::random::Purpose::Evaluation);
    let paths = simulator.paths_with::<f64>(&plan.quotes().unwrap(), 0, 200);
    let parameters = Parameters::random(plan.shape.maps(), 8).unwrap();
    let ledger = plan.ledger_of_sale();
    let classical = plan.classical(hedge, &plan.assets(), 1.0);
    let expected = Book::hedge(&classical, &ledger, &paths).unwrap();
    for engine in [Engine::Block, Engine::Tensor] {
        let sweep = plan.shape.sweep(engine, plan.actor());
        let policy = TrainedPolicy {
            parameters: &parameters,
            features: &plan.features,
            sweep: sweep.as_ref(),
        };
        let book = Book::hedge(&policy, &ledger, &paths).unwrap();
        assert_eq!(book.pnl, expected.pnl);
        assert_eq!(book.cost, expected.cost);
        assert!(expected.cost.iter().all(|cost| *cost > 0.0));
    }
}

/// An untrained residual policy is its benchmark: the delta, delta and vega with several instruments, a regression, a band; also
/// where limits bind and where it sees what it holds.
#[test]
fn untrained_residuals_are_their_benchmarks() {
    let residual = "[policy]\naction = \"residual\"\n";
    let instruments =
        "instruments = [\"spot\", { type = \"call\", strike = 100.0, expiry_days = 40 }]\n";
    let fed = "features = [\"log_moneyness\", \"time_left\", \"previous_position\"]\n";
    is_its_benchmark(&plan(residual), ClassicalName::BlackScholes);
    is_its_benchmark(
        &plan(&format!("{residual}{fed}")),
        ClassicalName::BlackScholes,
    );
    let limited = plan(&format!("{LIMITS}{residual}"));
    is_its_benchmark(&limited, ClassicalName::BlackScholes);
    let vega = plan(&format!(
        "{residual}{instruments}benchmark = \"delta_vega\"\n"
    ));
    is_its_benchmark(&vega, ClassicalName::DeltaVega);
    for benchmark in [
        "{ centre = \"hedged_monte_carlo\" }",
        "{ centre = \"black_scholes\", rule = \"whalley_wilmott\", aversion = 0.5 }",
    ] {
        let plan = plan(&format!("{residual}benchmark = {benchmark}\n"));
        is_its_benchmark(&plan, plan.reference.unwrap());
    }
}

/// A benchmark that contract or speed do not allow is refused in a line.
#[test]
fn impossible_benchmarks_are_refused() {
    for (policy, words) in [
        (
            "action = \"residual\"\nbenchmark = \"whalley_wilmott\"",
            "`policy.benchmark`: the aversion of \"whalley_wilmott\" must be given: \
             { centre = \"black_scholes\", rule = \"whalley_wilmott\", aversion = x }",
        ),
        (
            "action = \"band\"\nbenchmark = \"minimum_variance\"",
            "`policy.benchmark`: \"minimum_variance\" is too slow: every training step would integrate its prices",
        ),
        (
            "action = \"residual\"\nbenchmark = \"delta_vega\"",
            "`policy.benchmark`: \"delta_vega\" needs an option on the contract's asset in `policy.instruments`",
        ),
        (
            "benchmark = \"black_scholes\"",
            "`policy.benchmark` has no meaning for the action \"direct\"",
        ),
        (
            "action = \"bounded\"\nlowest_position = 2.0",
            "`policy.lowest_position` must be below `policy.highest_position` (1), was 2",
        ),
    ] {
        let error = read(&format!("[policy]\n{policy}\n")).unwrap_err();
        assert_eq!(error.to_string(), words);
    }
}

/// On paths in single precision the delta comes of another formula, and is the same to single precision.
#[test]
fn deltas_in_training_are_those_of_the_hedge() {
    let plan = plan("[policy]\naction = \"residual\"\n");
    let simulator = plan.simulator(9, crate::random::Purpose::Training);
    let quotes = plan.quotes().unwrap();
    let single = simulator.paths_with::<f32>(&quotes, 0, 64);
    let classical = plan.classical(ClassicalName::BlackScholes, &plan.assets(), 1.0);
    let double = simulator.paths_with::<f64>(&quotes, 0, 64);
    let expected = classical.positions(&plan.contract, &double).unwrap();
    let steps = double.steps();
    for (place, expected) in expected.iter().enumerate() {
        let held = single.block(place / steps).benchmark_positions()[place % steps];
        let error = (0..32).map(|lane| (f64::from(held[lane]) - expected[lane]).abs());
        assert!(error.fold(0.0, f64::max) < 2e-5);
    }
}
