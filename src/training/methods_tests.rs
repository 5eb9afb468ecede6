//! Every method of training, at its defaults, on one small problem.

use super::step::Step;
use super::*;
use crate::network::NetworkName;
use crate::optimizer::Method;

/// An at-the-money call in ten dates under GBM with proportional costs, hedged by four units.
const PROBLEM: &str = r#"
seed = 5
[market]
model = "gbm"
volatility = 0.2
[contract]
expiry_days = 10
days_per_year = 252
[costs]
proportional = 0.002
[risk]
level = 0.5
[policy]
hidden = 4
[training]
steps = 40
paths = 256
validation_paths = 2048
validation_period = 40
"#;

/// Forty steps take away at least a fifth of the validation risk of the initial weights, by every method and on every network.
#[test]
fn every_method_lowers_the_risk() {
    let methods = Method::ALL.iter().map(|(method, _)| (*method, "lstm"));
    let networks = NetworkName::ALL
        .iter()
        .map(|(network, _)| ("kfac", *network));
    for (method, network) in methods.chain(networks) {
        let problem = PROBLEM.replace("[policy]", &format!("[policy]\nnetwork = \"{network}\""));
        let problem = match network {
            "linear" => problem.replace("hidden = 4", ""),
            _ => problem,
        };
        let text = format!("{problem}\n[optimizers.{method}]\n");
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let optimizer = &plan.optimizers[0];
        let trained = train(&plan, optimizer, plan.seed, |_| Ok(())).unwrap();
        let after = trained.points.last().unwrap().validation_risk.unwrap();
        let initial = Parameters::random(plan.shape.maps(), plan.seed).unwrap();
        let paths = plan
            .simulator(plan.seed, Purpose::Validation)
            .paths(0, plan.validation.paths)
            .under(&plan.contract);
        let simulator = plan.simulator(plan.seed, Purpose::Training);
        let step = Step::new(&plan, optimizer, &simulator, 0, plan.money_unit()).unwrap();
        let pnl = step.pnl(&initial, &paths, None).unwrap();
        let before = plan.risk.evaluate(&pnl).value;
        assert!(
            after < 0.8 * before,
            "{method} {network}: {before} to {after}"
        );
    }
}

/// A step of gradient descent with a penalty λ of weights is the step without it and −2ηλW, biases among them; K-FAC's weights end nearer
/// to 0 with one.
#[test]
fn a_penalty_pulls_weights_to_zero() {
    const PENALTY: f64 = 0.05;
    let weights = |optimizer: &str, penalty: f64, steps: usize| {
        let training = format!("[training]\nweight_penalty = {penalty:?}");
        let problem = PROBLEM.replace("[training]", &training);
        let problem = problem.replace("steps = 40", &format!("steps = {steps}"));
        let plan = Plan::parse(&format!("{problem}\n{optimizer}"), |_| {}).unwrap();
        let trained = train(&plan, &plan.optimizers[0], plan.seed, |_| Ok(())).unwrap();
        let initial = Parameters::random(plan.shape.maps(), plan.seed).unwrap();
        let matrices = |parameters: Parameters| parameters.matrices().unwrap();
        [trained.parameters, initial].map(matrices)
    };
    let sgd = "[optimizers.sgd]\nlearning_rate = 0.01\nclip_norm = 1e9\nwarm_up_steps = 0\nschedule = \"constant\"\nmomentum = 0.0\nnesterov = false";
    let ([without, initial], [with, _]) = (weights(sgd, 0.0, 1), weights(sgd, PENALTY, 1));
    for ((with, without), initial) in with.iter().zip(&without).zip(&initial) {
        let expected = faer::Scale(-2.0 * 0.01 * PENALTY) * initial;
        assert!((with - without - expected).norm_max() < 1e-12);
    }
    let norm = |penalty: f64| {
        let [trained, _] = weights("[optimizers.kfac]", penalty, 40);
        crate::linalg::inner(&trained, &trained)
    };
    let (free, penalised) = (norm(0.0), norm(PENALTY));
    assert!(penalised < free, "{penalised} {free}");
}

/// An average leaves the steps alone and changes what they give: SWA over the last of 40 steps gives its weights,
/// over the second half others.
#[test]
fn averages_wrap_any_method() {
    let trained = |keys: &str| {
        let text = format!("{PROBLEM}\n[optimizers.adam]\n{keys}\n");
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let trained = train(&plan, &plan.optimizers[0], plan.seed, |_| Ok(())).unwrap();
        let last = trained.points.last().unwrap().clone();
        (trained.parameters.matrices().unwrap(), last)
    };
    let (last, point) = trained("");
    for (keys, same) in [
        ("average = \"swa\"\naverage_start = 0.976", true),
        ("average = \"swa\"\naverage_start = 0.5", false),
        ("average = \"exponential\"", false),
    ] {
        let (average, averaged) = trained(keys);
        assert_eq!(average == last, same, "{keys}");
        assert_eq!(averaged.risk, point.risk, "{keys}");
        assert_eq!(
            averaged.validation_risk == point.validation_risk,
            same,
            "{keys}"
        );
    }
}

/// Five thousand steps of K-FAC, CG-FAC and LAMB at their defaults do not diverge: they end no worse than four hundred, to 5 %,
/// on batches so small that noise rules the steps and CG-FAC's solutions fit the paths that measure them.
#[test]
fn long_trainings_on_small_batches_do_not_diverge() {
    let risk = |method: &str, paths: usize, steps: usize| {
        let text = PROBLEM
            .replace("steps = 40", &format!("steps = {steps}"))
            .replace("\npaths = 256", &format!("\npaths = {paths}"));
        let plan = Plan::parse(&format!("{text}\n[optimizers.{method}]\n"), |_| {}).unwrap();
        let trained = train(&plan, &plan.optimizers[0], plan.seed, |_| Ok(())).unwrap();
        let risks: Vec<f64> = trained
            .points
            .iter()
            .filter_map(|p| p.validation_risk)
            .collect();
        let worst = risks.iter().skip(5).copied().fold(0.0, f64::max);
        (risks[risks.len() - 1], worst)
    };
    for (method, paths) in [("kfac", 64), ("cg_fac", 32), ("lamb", 32)] {
        let (short, _) = risk(method, paths, 400);
        let (long, worst) = risk(method, paths, 5000);
        assert!(
            long < 1.05 * short && worst < 1.5 * short,
            "{method}: {short} {long} {worst}"
        );
    }
}
