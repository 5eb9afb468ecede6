//! What several tests of the room begin with.

use super::Plan;

/// Two correlated assets, spx under Heston and dax under geometric Brownian motion, as the beginning of a strategy.
pub const TWO: &str = r#"
[market]
rate = 0.02
correlation = [[1.0, 0.5], [0.5, 1.0]]
[market.assets.spx]
model = "heston"
v0 = 0.04
kappa = 2.0
theta = 0.05
sigma = 0.4
rho = -0.6
[market.assets.dax]
model = "gbm"
volatility = 0.25
spot = 50.0
dividend = 0.03
[contract]
expiry_days = 20
"#;

/// The plan of a text that is right.
pub fn plan(text: &str) -> Plan {
    Plan::parse(text, |_| {}).unwrap()
}

/// What is said of a text that is wrong, which is bad input.
pub fn error(text: &str) -> String {
    let error = Plan::parse(text, |_| {}).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}
