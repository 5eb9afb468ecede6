use super::*;
use crate::strategy::fixture::{TWO, error, plan};

/// An asset, a variance swap and an option each have costs of their own where they say so, and else those of the section `costs`;
/// what is filled in is read again as the same, and the Whalley–Wilmott band of an asset is made of its own.
#[test]
fn every_asset_can_have_costs_of_its_own() {
    let text = TWO.to_owned()
        + "[costs]\nproportional = 0.001\nhalf_spread = 0.02\nvariance_swap = 0.004\n\
           [policy]\ninstruments = [{ spot = \"spx\", half_spread = 0.5 }, { spot = \"dax\", proportional = 0.003 }, \
           { variance_swap = \"spx\", half_spread = 0.25 }, { type = \"put\", strike = 47.0, asset = \"dax\", proportional = 0.01 }]";
    let plan = plan(&text);
    let charge = Charge::linear;
    let expected = [
        charge(0.001, 0.5),
        charge(0.003, 0.02),
        charge(0.004, 0.25),
        charge(0.01, 0.02),
    ];
    assert_eq!(plan.charges(), expected);
    let again = self::plan(&plan.to_toml().unwrap());
    assert_eq!(again.instruments, plan.instruments);
    for (from, to, message) in [
        (
            "{ spot = \"dax\",",
            "{ spot = \"ftse\",",
            "no asset \"ftse\", must be one of spx, dax",
        ),
        (
            "proportional = 0.003",
            "proportional = 1.5",
            "`policy.instruments.proportional` must be in [0, 1), was 1.5",
        ),
        (
            "{ spot = \"dax\",",
            "{ spot = \"dax\", variance_swap = \"spx\",",
            "a table must have one of `type`, `spot` and `variance_swap`",
        ),
        (
            "{ spot = \"dax\",",
            "{ spott = \"dax\",",
            "`policy.instruments.spott`",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let error = error(&text.replace(from, to));
        assert!(error.contains(message), "{error}");
    }
}

/// The costs of a hedge are the sum of what each instrument's trades cost at its own charge: positions in one of them alone cost
/// that one's C = |x| (c S + h) a trade, and those in all together what they cost one by one.
#[test]
fn costs_are_the_sum_of_those_of_every_asset() {
    let text = TWO.to_owned()
        + "[policy]\ninstruments = [{ spot = \"spx\", proportional = 0.002 }, { spot = \"dax\", half_spread = 0.3 }]";
    let plan = plan(&text);
    let paths = plan
        .simulator(1, crate::random::Purpose::Evaluation)
        .paths_with::<f64>(&plan.quotes().unwrap(), 0, crate::simd::BLOCK);
    let block = paths.block(0);
    let steps = plan.contract.steps;
    let held = |t: usize, i: usize| (1.0 + t as f64 * 0.7 + i as f64).sin();
    let positions = |only: Option<usize>| -> Vec<_> {
        let place = |place: usize| match only {
            Some(one) if one != place % 2 => [0.0; crate::simd::BLOCK],
            Some(_) | None => [held(place / 2, place % 2); crate::simd::BLOCK],
        };
        (0..2 * steps).map(place).collect()
    };
    let ledger = plan.ledger(&plan.market, 0.0);
    let cost = |only| ledger.settle(&block, &positions(only)).cost[3];
    let growth = |t: usize| (0.02 * plan.contract.dt() * (steps - t) as f64).exp();
    for (asset, share, half_spread) in [(0, 0.002, 0.0), (1, 0.0, 0.3)] {
        let at = |t: usize| if t < steps { held(t, asset) } else { 0.0 };
        let before = |t: usize| if t > 0 { at(t - 1) } else { 0.0 };
        let spot = |t: usize| block.spot_of(asset)[t][3];
        let trade = |t: usize| (at(t) - before(t)).abs() * (share * spot(t) + half_spread);
        let expected: f64 = (0..=steps).map(|t| trade(t) * growth(t)).sum();
        assert!(
            (cost(Some(asset)) - expected).abs() < 1e-9 * expected,
            "{asset}"
        );
    }
    assert!((cost(None) - cost(Some(0)) - cost(Some(1))).abs() < 1e-12);
    assert_eq!(plan.instrument_names(), ["spot:spx", "spot:dax"]);
}

/// An asset that a contract depends on and that nothing traded does is named; one that an option is on is traded.
#[test]
fn untraded_assets_are_named() {
    let untraded = |instruments: &str| {
        let contract = "[contract]\npayoff = \"max(S.spx, 2 * S.dax)\"\n";
        let text = TWO.replace("[contract]\n", contract);
        plan(&format!("{text}[policy]\ninstruments = [{instruments}]")).untraded()
    };
    assert_eq!(untraded("\"spot:spx\""), ["dax"]);
    assert!(untraded("\"spot\"").is_empty());
    let option = "\"spot:spx\", { type = \"call\", strike = 50.0, asset = \"dax\" }";
    assert!(untraded(option).is_empty());
    let call = plan(&format!("{TWO}[policy]\ninstruments = [\"spot:spx\"]"));
    assert!(call.untraded().is_empty());
}
