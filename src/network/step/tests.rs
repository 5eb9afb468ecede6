//! What a policy's step takes in and hands on. What it comes to is held against the sweep by `tests/onnx/check.py`.

use super::{HELD, Names, POSITION, PolicyStep};
use crate::contract::{Instrument, Limit, Limits};
use crate::network::{
    Action, Actor, Band, Direct, Feature, Features, NetworkName, Parameters, Sizes,
};

/// A policy in the spot that sees `list`.
fn step(
    network: NetworkName,
    action: impl Into<Action>,
    list: &[Feature],
    limits: Limits,
) -> PolicyStep {
    let actor = Actor::new(action, 1).within(limits);
    let features = Features {
        list: list.to_vec(),
        strike: 100.0,
        volatility: 0.2,
        expiry: 0.1,
        period: 0.01,
        instruments: 1,
        ..Features::default()
    };
    let sizes = Sizes {
        inputs: features.inputs(),
        head: actor.head(features.feeds_back()),
        hidden: 4,
        layers: 2,
        heads: 2,
        layer_normalisation: false,
    };
    let shape = network.shape(sizes, &str::to_owned).unwrap();
    let parameters = Parameters::random(shape.maps(), 1).unwrap();
    let names = Names {
        assets: vec!["spot".into()],
        instruments: vec!["spot".into()],
        traded: vec![Instrument::SPOT],
        ..Names::default()
    };
    PolicyStep::new(shape, &parameters, &features, &actor, names).unwrap()
}

fn observed(step: &PolicyStep) -> Vec<String> {
    let names = step.names();
    step.observed().map(|one| one.name(names)).collect()
}

fn carried(step: &PolicyStep) -> Vec<(&str, &str)> {
    let pairs = step.carried().iter();
    pairs
        .map(|one| (one.input.as_str(), one.output.as_str()))
        .collect()
}

/// Nothing goes in that the policy does not go by: a perceptron without memory takes what it sees, an action or a limit that depends on
/// what is held takes that too, and so does the feature.
#[test]
fn a_step_takes_what_it_goes_by() {
    let usual = Feature::USUAL;
    let plain = step(NetworkName::Mlp, Direct, &usual, Limits::default());
    assert_eq!(observed(&plain), ["spot", "variance", "time_left"]);
    assert_eq!(carried(&plain), []);
    let held = [(HELD, POSITION)];
    let band = step(
        NetworkName::Mlp,
        Band::beginning_at(0.1),
        &usual,
        Limits::default(),
    );
    assert_eq!(
        observed(&band),
        ["spot", "variance", "time_left", "benchmark_spot"]
    );
    assert_eq!(carried(&band), held);
    let sees = [Feature::TimeLeft, Feature::PreviousPosition];
    let sees = step(NetworkName::Mlp, Direct, &sees, Limits::default());
    assert_eq!(observed(&sees), ["time_left"]);
    assert_eq!(carried(&sees), held);
    let of = |limit: Limit, value| Limits::new(vec![limit], value);
    let bounded = of(
        Limit {
            high: 1.0,
            ..Limit::default()
        },
        f64::INFINITY,
    );
    let bounded = step(NetworkName::Mlp, Direct, &usual, bounded);
    assert_eq!(carried(&bounded), []);
    let slow = of(
        Limit {
            trade: 0.1,
            ..Limit::default()
        },
        50.0,
    );
    let slow = step(NetworkName::Mlp, Direct, &[Feature::TimeLeft], slow);
    assert_eq!(observed(&slow), ["time_left", "price_spot"]);
    assert_eq!(carried(&slow), held);
}

/// The state of a network goes on under the name of the input, and so do the features that count dates.
#[test]
fn what_a_network_remembers_is_carried() {
    let usual = Feature::USUAL;
    let lstm = step(NetworkName::Lstm, Direct, &usual, Limits::default());
    let pairs = [
        ("h_1", "next_h_1"),
        ("c_1", "next_c_1"),
        ("h_2", "next_h_2"),
        ("c_2", "next_c_2"),
    ];
    assert_eq!(carried(&lstm), pairs);
    let gru = step(NetworkName::Gru, Direct, &usual, Limits::default());
    assert_eq!(carried(&gru), [pairs[0], pairs[2]]);
    let past = [Feature::LastReturn, Feature::RealisedVolatility];
    let linear = step(NetworkName::Linear, Direct, &past, Limits::default());
    assert_eq!(observed(&linear), ["spot"]);
    assert_eq!(
        carried(&linear),
        [
            ("last_spot", "next_last_spot"),
            ("squared_returns_of_spot", "next_squared_returns_of_spot"),
            ("dates_before", "next_dates_before"),
        ]
    );
}
