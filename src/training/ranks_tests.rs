//! A training that ranks share gives the bits of one process.

use super::*;
use crate::distributed::{Portable, Ranks, threads};
use crate::network::{ActionName, NetworkName};
use crate::optimizer::Method;
use std::path::Path;

/// Paths that are no multiple of ranks × 32, so that shares are of different lengths, the last block is not full, and of three
/// ranks one has none of the paths that measure a step.
const PROBLEM: &str = r#"
seed = 5
[market]
model = "gbm"
volatility = 0.2
[contract]
expiry_days = 6
days_per_year = 252
[costs]
proportional = 0.002
[risk]
level = 0.5
[policy]
hidden = 3
[training]
steps = 14
paths = 330
validation_paths = 210
validation_period = 7
"#;

fn plan(text: &str) -> Plan {
    Plan::parse(text, |_| {}).unwrap()
}

/// The plan of a problem after `changes` of its text.
fn changed(changes: &[(&str, &str)], keys: &str) -> Plan {
    let change = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
    let text = changes.iter().fold(PROBLEM.to_owned(), change);
    plan(&format!("{text}{keys}\n"))
}

/// All that a training leaves behind but the time that it took, as bytes.
fn bytes(training: &mut Training<'_>) -> Vec<u8> {
    let Checkpoint {
        parameters,
        optimizer,
        average,
        screening,
        money_unit,
        seconds: _,
        mut points,
    } = training.checkpoint().unwrap();
    points.iter_mut().for_each(|point| point.seconds = 0.0);
    let mut bytes = (parameters, money_unit).to_bytes();
    for (name, matrix) in optimizer.into_iter().chain(average).chain(screening) {
        (name, matrix).write(&mut bytes);
    }
    serde_json::to_string(&points).unwrap().write(&mut bytes);
    bytes
}

/// What the training of the plan's first optimizer by `ranks` leaves behind, and the steps that it takes.
fn trained(plan: &Plan, ranks: Ranks) -> (Vec<u8>, usize) {
    let plan = plan.with_ranks(ranks);
    let simulated = Simulated::new(&plan, plan.seed);
    let initial = Parameters::random(plan.shape.maps(), plan.seed).unwrap();
    let optimizer = &plan.optimizers[0];
    let mut training = Training::new(&plan, optimizer, simulated.sources(), initial).unwrap();
    while !training.is_over() {
        training.advance().unwrap();
    }
    (bytes(&mut training), training.points().len())
}

/// One process, and one, two and three ranks, all end with the same.
fn assert_same_bits(plan: &Plan, what: &str) {
    let expected = trained(plan, Ranks::alone());
    for size in [1, 2, 3] {
        for found in threads::run(size, |ranks| trained(plan, ranks)) {
            assert!(found == expected, "{what}: {size} ranks");
        }
    }
}

#[test]
fn every_method_is_shared_to_the_same_bits() {
    for (method, _) in Method::ALL {
        assert_same_bits(&changed(&[], &format!("[optimizers.{method}]")), method);
    }
}

/// Settings of methods that ask ranks for more: quadratic steps and trials of the damping, a centred metric, every
/// approximation of K-FAC, the other basis of EKFAC, averages of weights.
#[test]
fn settings_of_methods_are_shared_to_the_same_bits() {
    for keys in [
        "[optimizers.kfac]\ndamping_rule = \"levenberg_marquardt\"\nstep_rule = \"quadratic\"\ndamping_period = 1",
        "[optimizers.gauss_newton]\ncentred = true\ncurvature_paths = 96",
        "[optimizers.kfac]\napproximation = \"reduce\"\ngates = \"separate\"",
        "[optimizers.kfac]\napproximation = \"expand\"\nfactor_period = 4\ninverse_period = 3",
        "[optimizers.kfac]\napproximation = \"symmetric_chain\"\nradius_paths = 0",
        "[optimizers.ekfac]\nbasis = \"factors\"",
        "[optimizers.adam]\naverage = \"exponential\"",
    ] {
        assert_same_bits(&changed(&[], keys), keys);
    }
}

/// Every network under every action, fed what it holds or not, and by tensor operations.
#[test]
fn every_policy_is_shared_to_the_same_bits() {
    let policy = |policy: &str| changed(&[("hidden = 3", policy)], "[optimizers.kfac]");
    for (network, _) in NetworkName::ALL {
        let hidden = if *network == "linear" {
            ""
        } else {
            "hidden = 4"
        };
        let text = format!("network = \"{network}\"\n{hidden}");
        assert_same_bits(&policy(&text), network);
        let fed = format!("{text}\nfeatures = [\"delta\", \"previous_position\"]");
        assert_same_bits(&policy(&fed), &fed);
    }
    for (action, _) in ActionName::ALL {
        assert_same_bits(
            &policy(&format!("hidden = 3\naction = \"{action}\"")),
            action,
        );
    }
    for fed in ["", "features = [\"time_left\", \"previous_position\"]"] {
        let text = format!("hidden = 3\nsweep = \"tensor\"\n{fed}");
        assert_same_bits(&policy(&text), &text);
    }
}

/// Risks that weigh every path, with the control variate and without; other ways to draw; hedges by regression as benchmarks.
#[test]
fn every_risk_is_shared_to_the_same_bits() {
    for (level, variate) in [
        ("measure = \"entropic\"", "control_variate = true"),
        ("measure = \"mean_variance\"", "sampling = \"sobol\""),
        ("level = 0.95", "control_variate = true"),
    ] {
        let changes = [
            ("level = 0.5", level),
            ("paths = 330", &format!("paths = 330\n{variate}")),
        ];
        for method in ["adam", "kfac"] {
            let plan = changed(&changes, &format!("[optimizers.{method}]"));
            assert_same_bits(&plan, level);
        }
    }
    let asian = [
        ("expiry_days", "type = \"asian_call\"\nexpiry_days"),
        ("hidden = 3", "hidden = 3\naction = \"residual\""),
    ];
    assert_same_bits(&changed(&asian, "[optimizers.kfac]"), "regression");
}

/// Paths chosen of a pool, of risks that weigh a tail and all paths, thinned or not, with the control variate, and of other draws.
#[test]
fn screened_paths_are_shared_to_the_same_bits() {
    for (risk, keys) in [
        ("level = 0.9", "pool = 1000"),
        ("measure = \"entropic\"", "pool = 600\nthinning = 2.0"),
        (
            "level = 0.5",
            "pool = 700\ncontrol_variate = true\nsampling = \"sobol\"",
        ),
    ] {
        let changes = [
            ("level = 0.5", risk),
            ("\npaths = 330", &format!("\npaths = 210\n{keys}")),
        ];
        for method in ["adam", "kfac"] {
            let plan = changed(&changes, &format!("[optimizers.{method}]"));
            assert_same_bits(&plan, keys);
        }
    }
}

/// Contracts and markets of the strategies that the program comes with: options, swaps and several assets that hedge, a family
/// of contracts, one that ends early, limits, financing, costs that rise.
#[test]
fn shipped_strategies_are_shared_to_the_same_bits() {
    for name in [
        "heston_straddle_options",
        "heston_variance_swap",
        "heston_five_assets",
        "calls_from_ranges",
        "autocallable",
        "call_no_transaction_band",
        "call_limits",
        "call_financing",
        "call_rising_costs",
    ] {
        let file = format!("{}/strategies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let plan = Plan::load(Path::new(&file), |strategy| {
            strategy.policy.hidden = 3;
            strategy.training.steps = 12;
            strategy.training.paths = 330;
            strategy.training.validation_paths = 210;
            // Every other one on screened paths.
            strategy.training.pool = if name.len() % 2 == 0 { 600 } else { 0 };
            strategy.optimizers.retain(|name, _| name == "kfac");
        });
        let plan = plan.unwrap();
        assert_eq!(plan.optimizers.len(), 1, "{name}");
        assert_same_bits(&plan, name);
    }
}

/// A training that is cut goes on with another number of ranks to the same bits.
#[test]
fn another_number_of_ranks_goes_on_to_the_same_bits() {
    for keys in [
        "[optimizers.kfac]",
        "[optimizers.gauss_newton]",
        "[optimizers.adam]",
    ] {
        let plan = changed(&[], keys);
        let whole = trained(&plan, Ranks::alone());
        let simulated = Simulated::new(&plan, plan.seed);
        let optimizer = &plan.optimizers[0];
        let mut checkpoints = threads::run(3, |ranks| {
            let plan = plan.with_ranks(ranks);
            let sources = simulated.sources();
            let initial = Parameters::random(plan.shape.maps(), plan.seed).unwrap();
            let mut training = Training::new(&plan, optimizer, sources, initial).unwrap();
            (0..12).for_each(|_| {
                training.advance().unwrap();
            });
            training.checkpoint().unwrap()
        });
        let checkpoint = checkpoints.swap_remove(2);
        for size in [1, 2] {
            let found = threads::run(size, |ranks| {
                let plan = plan.with_ranks(ranks);
                let sources = simulated.sources();
                let mut training =
                    Training::resume(&plan, optimizer, sources, checkpoint.clone()).unwrap();
                while !training.is_over() {
                    training.advance().unwrap();
                }
                bytes(&mut training)
            });
            assert!(
                found.iter().all(|found| *found == whole.0),
                "{keys}: {size} ranks"
            );
        }
    }
}

/// A training by the clock ends at the same step on all ranks, whose clocks do not agree, and with the same seconds.
#[test]
fn ranks_agree_on_the_time() {
    let plan = changed(&[("steps = 14", "seconds = 0.05")], "[optimizers.adam]");
    let ends = threads::run(3, |ranks| {
        // Who is late comes to another time.
        let rank = ranks.rank();
        let (_, steps) = trained(&plan, ranks);
        (rank, steps)
    });
    assert!(
        ends.iter().all(|(_, steps)| *steps == ends[0].1),
        "{ends:?}"
    );
}

/// Wherever the inverses of maps lie, on one rank, on some or on all, a training ends with the same bits, checkpoint and all.
#[test]
fn every_fraction_gives_the_same_bits() {
    let deep = [("hidden = 3", "hidden = 3\nlayers = 2")];
    for (method, _) in Method::ALL {
        let of = |fraction: f64| {
            changed(
                &deep,
                &format!(
                    "[optimizers.{method}]\n[distributed]\ngradient_worker_fraction = {fraction}"
                ),
            )
        };
        let expected = trained(&of(1.0), Ranks::alone());
        for (size, fraction) in [(2, 0.5), (3, 0.1), (4, 0.5)] {
            let plan = of(fraction);
            for found in threads::run(size, |ranks| trained(&plan, ranks)) {
                assert!(found == expected, "{method}: {size} ranks, {fraction}");
            }
        }
    }
}
