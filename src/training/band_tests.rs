//! That training leads back from a band in which nothing is ever traded, and not without its leak.

use super::*;
use crate::optimizer::Method;

/// A call in five dates at 0.1 % costs, under a band that begins a unit wide on each side of the delta, which nothing leaves.
fn plan(method: &str, leak: f64) -> Plan {
    let text = format!(
        r#"
seed = 5
[market]
model = "gbm"
volatility = 0.2
[contract]
expiry_days = 10
steps = 5
[costs]
proportional = 0.001
[policy]
hidden = 4
action = "band"
band_width = 1.0
band_leak = {leak}
band_leak_end = {leak}
[training]
steps = 60
paths = 256
validation_paths = 2048
validation_period = 60
[optimizers.{method}]
"#
    );
    Plan::parse(&text, |_| {}).unwrap()
}

/// The validation risk of the policy before and after training, and what its trades cost at the end.
fn trained(plan: &Plan) -> (f64, f64, f64) {
    let simulated = Simulated::new(plan, plan.seed);
    let initial = Parameters::random(plan.shape.maps(), plan.seed).unwrap();
    let mut training =
        Training::new(plan, &plan.optimizers[0], simulated.sources(), initial).unwrap();
    let (paths, _) = training.validation.clone().unwrap();
    let before = training.step.validate(&training.parameters, &paths, None);
    while !training.is_over() {
        training.advance().unwrap();
    }
    let after = training.points().last().unwrap().validation_risk.unwrap();
    let cost = training.validation().unwrap().cost_mean;
    (before.unwrap().0.value, after, cost)
}

/// With the leak both optimizers leave a band that never trades, for a hedge with less than half its risk; where it is too small to see in
/// single precision, no output has a derivative and the policy stays the naked one that it was, to the last bit.
#[test]
fn training_leaves_a_band_that_never_trades() {
    for method in [Method::Adam, Method::Kfac] {
        let (before, after, cost) = trained(&plan(method.name(), 0.1));
        assert!(
            after < 0.5 * before && cost > 0.0,
            "{before} {after} {cost}"
        );
        let (before, after, cost) = trained(&plan(method.name(), 1e-60));
        assert!(after == before && cost == 0.0, "{before} {after} {cost}");
    }
}
