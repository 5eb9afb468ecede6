//! Identity 19: a training that was cut goes on to the same bits.

use super::*;
use crate::network::{ActionName, NetworkName};
use crate::optimizer::Method;

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
fixed = 0.01
smoothing = 0.2
[risk]
level = 0.5
[policy]
hidden = 3
[training]
steps = 24
paths = 64
validation_paths = 64
validation_period = 8
"#;

/// Weights and curve of a whole training, and of one that goes through the bytes of checkpoints after `cuts` steps.
fn whole_and_cut(keys: &str, cuts: &[usize]) -> [Trained; 2] {
    cut(
        &Plan::parse(&format!("{PROBLEM}\n{keys}\n"), |_| {}).unwrap(),
        cuts,
    )
}

fn cut(plan: &Plan, cuts: &[usize]) -> [Trained; 2] {
    let optimizer = &plan.optimizers[0];
    let whole = train(plan, optimizer, plan.seed, |_| Ok(())).unwrap();

    let simulated = Simulated::new(plan, plan.seed);
    let sources = simulated.sources();
    let initial = Parameters::random(plan.shape.maps(), plan.seed).unwrap();
    let mut training = Training::new(plan, optimizer, sources, initial).unwrap();
    for &cut in cuts {
        while training.points().len() < cut {
            training.advance().unwrap();
        }
        let bytes = training.checkpoint().unwrap().to_bytes("cut").unwrap();
        let checkpoint = Checkpoint::from_bytes(&bytes, "cut").unwrap();
        assert_eq!(checkpoint.steps(), cut);
        training = Training::resume(plan, optimizer, sources, checkpoint).unwrap();
    }
    while !training.is_over() {
        training.advance().unwrap();
    }
    [whole, training.finish().unwrap()]
}

fn assert_same_bits([whole, cut]: [Trained; 2], what: &str) {
    let weights = |trained: &Trained| trained.parameters.matrices().unwrap();
    assert_eq!(weights(&whole), weights(&cut), "{what}");
    assert_eq!(whole.points.len(), cut.points.len(), "{what}");
    for (whole, cut) in whole.points.iter().zip(&cut.points) {
        assert_eq!(whole.risk, cut.risk, "{what}, step {}", whole.step);
        assert_eq!(whole.validation_risk, cut.validation_risk, "{what}");
        assert_eq!(whole.statistics, cut.statistics, "{what}");
    }
}

/// Every method, cut in its start, between two renewals of its curvature, and at one.
#[test]
fn every_method_goes_on_to_the_same_bits() {
    for (method, _) in Method::ALL {
        let runs = whole_and_cut(&format!("[optimizers.{method}]"), &[3, 13, 20]);
        assert_same_bits(runs, method);
    }
}

/// Averages of weights, an adapted damping and curvature that is not decomposed yet belong to the state.
#[test]
fn averages_and_damping_go_on_to_the_same_bits() {
    let adapted =
        "damping_rule = \"levenberg_marquardt\"\nstep_rule = \"quadratic\"\nradius_paths = 32";
    for keys in [
        "[optimizers.momentum]\nmethod = \"sgd\"\naverage = \"exponential\"",
        "[optimizers.mean]\nmethod = \"adam\"\naverage = \"swa\"\naverage_start = 0.3",
        &format!("[optimizers.kfac]\n{adapted}"),
        &format!("[optimizers.singd]\n{adapted}"),
        &format!("[optimizers.gauss_newton]\n{adapted}"),
        "[optimizers.kfac]\nfactor_period = 4\ninverse_period = 3",
    ] {
        assert_same_bits(whole_and_cut(keys, &[13]), keys);
    }
}

/// So does a policy of any network that sees the benchmark and what it holds.
#[test]
fn policies_that_see_what_they_hold_go_on_to_the_same_bits() {
    for (network, _) in NetworkName::ALL {
        let hidden = if *network == "linear" {
            ""
        } else {
            "hidden = 4"
        };
        let policy = format!(
            "network = \"{network}\"\n{hidden}\nfeatures = [\"delta\", \"value\", \"previous_position\"]"
        );
        let problem = PROBLEM.replace("hidden = 3", &policy);
        let keys = format!("[optimizers.{network}]\nmethod = \"kfac\"\n");
        let plan = Plan::parse(&format!("{problem}\n{keys}"), |_| {}).unwrap();
        assert_same_bits(cut(&plan, &[13]), network);
    }
}

/// So does a policy under any action, within limits.
#[test]
fn policies_under_every_action_go_on_to_the_same_bits() {
    for (action, _) in ActionName::ALL {
        let policy = format!("hidden = 3\naction = \"{action}\"");
        let limits = "[limits]\nhighest_position = 0.6\nlargest_trade = 0.3\nlot = 0.1\n";
        let problem = PROBLEM.replace("hidden = 3", &policy);
        for limits in ["", limits] {
            let keys = format!("{limits}[optimizers.kfac]\n");
            let plan = Plan::parse(&format!("{problem}\n{keys}"), |_| {}).unwrap();
            assert_same_bits(cut(&plan, &[13]), action);
        }
    }
}

/// So do trainings on screened paths, thinned or not, whose regression, defence and levels belong to the state; a training on paths that are not screened
/// does not go on from one.
#[test]
fn screened_trainings_go_on_to_the_same_bits() {
    for (paths, keys) in [
        ("pool = 256", "[optimizers.kfac]"),
        ("pool = 256\nthinning = 1.5", "[optimizers.soap]"),
        ("pool = 192\ncontrol_variate = true", "[optimizers.adam]"),
    ] {
        let problem = PROBLEM.replace("\npaths = 64", &format!("\npaths = 64\n{paths}"));
        let plan = Plan::parse(&format!("{problem}\n{keys}\n"), |_| {}).unwrap();
        let [whole, cut] = cut(&plan, &[2, 13, 20]);
        let last = whole.points.last().unwrap();
        assert!(last.statistics.contains_key("screening_gain"), "{last:?}");
        assert_same_bits([whole, cut], paths);
    }
    let text = |pool: &str| {
        let problem = PROBLEM.replace("\npaths = 64", &format!("\npaths = 64\n{pool}"));
        Plan::parse(&format!("{problem}\n[optimizers.adam]\n"), |_| {}).unwrap()
    };
    let (screened, plain) = (text("pool = 256"), text(""));
    let simulated = Simulated::new(&screened, 5);
    let initial = Parameters::random(screened.shape.maps(), 5).unwrap();
    let sources = simulated.sources();
    let optimizer = &screened.optimizers[0];
    let mut training = Training::new(&screened, optimizer, sources, initial).unwrap();
    training.advance().unwrap();
    let checkpoint = training.checkpoint().unwrap();
    let refused = Training::resume(&plain, &plain.optimizers[0], sources, checkpoint);
    let message = refused.err().unwrap().to_string();
    assert!(message.contains("screened paths"), "{message}");
}

/// A pool of as many paths as a step takes is the step's paths: the bits of a training without one.
#[test]
fn a_pool_of_a_step_is_no_pool() {
    let trained = |pool: &str| {
        let problem = PROBLEM.replace("\npaths = 64", &format!("\npaths = 64\n{pool}"));
        let plan = Plan::parse(&format!("{problem}\n[optimizers.kfac]\n"), |_| {}).unwrap();
        train(&plan, &plan.optimizers[0], 5, |_| Ok(())).unwrap()
    };
    let (with, without) = (trained("pool = 64"), trained(""));
    let weights = |trained: &Trained| trained.parameters.matrices().unwrap();
    assert_eq!(weights(&with), weights(&without));
}

/// A checkpoint of another method or network is refused by name.
#[test]
fn foreign_checkpoints_are_refused() {
    let plan = |keys: &str| Plan::parse(&format!("{PROBLEM}\n{keys}\n"), |_| {}).unwrap();
    let (adam, sgd) = (plan("[optimizers.adam]"), plan("[optimizers.sgd]"));
    let simulated = Simulated::new(&adam, 5);
    let initial = Parameters::random(adam.shape.maps(), 5).unwrap();
    let sources = simulated.sources();
    let mut training = Training::new(&adam, &adam.optimizers[0], sources, initial).unwrap();
    training.advance().unwrap();
    let checkpoint = training.checkpoint().unwrap();
    let refused = |plan: &Plan| {
        Training::resume(
            plan,
            &plan.optimizers[0],
            simulated.sources(),
            checkpoint.clone(),
        )
        .err()
        .map(|error| error.to_string())
    };
    assert_eq!(refused(&sgd).unwrap(), "state `velocity` is missing");
    let wider = PROBLEM.replace("hidden = 3", "hidden = 4") + "[optimizers.adam]\n";
    let wider = Plan::parse(&wider, |_| {}).unwrap();
    let error = refused(&wider).unwrap();
    assert!(error.starts_with("weight `lstm.0` must be"), "{error}");
}
