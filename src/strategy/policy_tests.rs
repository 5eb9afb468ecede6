//! Networks by their names, and what is refused of them.

use crate::network::NetworkName;
use crate::strategy::Plan;

fn plan(policy: &str) -> Result<Plan, String> {
    let text = format!(
        "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\n[policy]\n{policy}"
    );
    Plan::parse(&text, |_| {}).map_err(|error| {
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    })
}

/// A policy has the network of its name, whose maps are named after it but for the first and the last ones; the resolved strategy
/// names it too.
#[test]
fn strategies_name_their_network() {
    for (name, _) in NetworkName::ALL {
        let plan = plan(&format!("network = \"{name}\"")).unwrap();
        let maps = plan.shape.maps();
        let own = maps.iter().filter(|map| map.name.starts_with(name));
        assert!(own.count() + 2 >= maps.len(), "{name}");
        assert_eq!(maps.last().unwrap().name, "head");
        let toml = plan.to_toml().unwrap();
        assert!(toml.contains(&format!("network = \"{name}\"")), "{toml}");
        assert_eq!(Plan::parse(&toml, |_| {}).unwrap().shape, plan.shape);
    }
    assert_eq!(
        plan("").unwrap().shape,
        plan("network = \"lstm\"").unwrap().shape
    );
}

#[test]
fn keys_without_a_meaning_are_refused() {
    for (policy, words) in [
        (
            "network = \"transformer\"",
            "`policy.network` must be one of lstm, gru, mlp, linear, attention, was \"transformer\"",
        ),
        (
            "heads = 4",
            "`policy.heads` has no meaning for the network \"lstm\"",
        ),
        (
            "network = \"attention\"\nlayer_normalisation = true",
            "`policy.layer_normalisation` has no meaning for the network \"attention\"",
        ),
        (
            "network = \"attention\"\nhidden = 6\nheads = 4",
            "`policy.heads` must be a divisor of `policy.hidden`, which is 6, was 4",
        ),
        (
            "network = \"attention\"\nhidden = 1\nheads = 1",
            "`policy.hidden` must be in [2, 4096], was 1",
        ),
        (
            "network = \"gru\"\nhidden = 1\nlayer_normalisation = true",
            "`policy.hidden` must be in [2, 4096], was 1",
        ),
    ] {
        assert_eq!(plan(policy).unwrap_err(), words);
    }
}

/// Attention begins its training by curvature at a rate of its own unless the strategy gives one; a method that has no such start
/// is left alone.
#[test]
fn a_network_may_begin_at_a_rate_of_its_own() {
    let rates = |network: &str, keys: &str| -> Vec<Option<f64>> {
        let optimizers = format!("[optimizers.adam]\n[optimizers.kfac]\n{keys}");
        let plan = plan(&format!("network = \"{network}\"\n{optimizers}")).unwrap();
        let rate = |key: &toml::Value| key.as_float();
        let rates = plan.optimizers.iter();
        rates
            .map(|one| one.keys.get("start_learning_rate").and_then(rate))
            .collect()
    };
    assert_eq!(rates("lstm", ""), [None, Some(0.05)]);
    assert_eq!(rates("attention", ""), [None, Some(0.005)]);
    let given = "start_learning_rate = 0.05\n";
    assert_eq!(rates("attention", given), [None, Some(0.05)]);
}
