//! The search for parameters of classical hedges.

use super::{HedgeValues, Parameter, Search, TunedHedge, tune};
use crate::hedging::{Centre, ClassicalHedge, ClassicalName, TradingRule};

fn search(money: f64) -> Search {
    Search {
        money,
        dates: 30,
        costs: true,
        aversion: None,
    }
}

/// The Whalley–Wilmott band tuned where the risk has its least at λ·u = 2^centre, and how often the risk is asked for.
fn tuned(money: f64, centre: f64) -> (TunedHedge, usize) {
    let mut asked = 0;
    let mut risk = |values: &HedgeValues| {
        asked += 1;
        Ok(((values.of(Parameter::Aversion) * money).log2() - centre).powi(2))
    };
    let hedge = ClassicalName::WhalleyWilmott.into();
    (tune(hedge, search(money), &mut risk).unwrap(), asked)
}

/// The grid is relative to the unit of money; it takes its 33 places where the least lies inside, and goes on beyond an end
/// until the risk rises again or its bound, of which the upper one is that of a band that has closed.
#[test]
fn the_search_goes_on_where_the_risk_falls() {
    for unit in [1.0, 64.0, 2f64.powi(-12)] {
        let at = |k: i32| 2f64.powf(0.5 * f64::from(k)) / unit;
        for (centre, aversion, at_bound, asked) in [
            (1.0, at(2), false, 33),
            (-9.5, at(-19), false, 33 + 4),
            (10.0, at(20), false, 33 + 5),
            (-50.0, at(-64), true, 33 + 48),
            (32.0, at(64), false, 33 + 48),
        ] {
            let (found, looked) = tuned(unit, centre);
            assert_eq!(looked, asked, "{centre}");
            let expected = HedgeValues::default().with(Parameter::Aversion, aversion);
            assert_eq!(found.values, expected);
            assert_eq!(found.tuned[0].at_bound, at_bound);
        }
    }
}

/// Where nothing is ever traded the risk is the same for every aversion, and the search ends with its first place.
#[test]
fn a_flat_risk_ends_the_search() {
    let hedge = ClassicalName::WhalleyWilmott.into();
    let found = tune(hedge, search(1.0), &mut |_| Ok(2.0)).unwrap();
    assert_eq!(found.values.of(Parameter::Aversion), 2f64.powi(-8));
    assert!(!found.tuned[0].at_bound);
}

/// Nothing is searched for what is given, whether by the hedge or for all of them, nor for an aversion without costs; the risk is asked
/// for once.
#[test]
fn what_is_known_is_not_searched_for() {
    let mut given = ClassicalHedge::from(ClassicalName::WhalleyWilmott);
    given.given[Parameter::Aversion as usize] = Some(3.0);
    let usual = ClassicalHedge::from(ClassicalName::WhalleyWilmott);
    let for_all = Search {
        aversion: Some(5.0),
        ..search(1.0)
    };
    let free = Search {
        costs: false,
        ..search(1.0)
    };
    for (hedge, search, aversion) in [
        (given, search(1.0), 3.0),
        (given, for_all, 3.0),
        (usual, for_all, 5.0),
        (usual, free, 1.0),
    ] {
        let mut asked = 0;
        let found = tune(hedge, search, &mut |_| {
            asked += 1;
            Ok(0.5)
        });
        let found = found.unwrap();
        assert_eq!(found.values.of(Parameter::Aversion), aversion);
        assert_eq!((found.tuned.len(), asked, found.risk), (0, 1, 0.5));
    }
}

/// Two parameters are tuned one after the other, and again: at a risk with its least at a scale of .8 and an aversion of 4 both are found,
/// in far fewer trials than their product.
#[test]
fn two_parameters_are_tuned_in_turn() {
    let hedge = ClassicalHedge::new(Centre::ScaledDelta, TradingRule::WhalleyWilmott);
    let mut asked = 0;
    let found = tune(hedge, search(1.0), &mut |values| {
        asked += 1;
        let scale = values.of(Parameter::Scale) - 0.8;
        let aversion = values.of(Parameter::Aversion).log2() - 2.0;
        Ok(scale * scale + aversion * aversion)
    });
    let found = found.unwrap();
    assert!((found.values.of(Parameter::Scale) - 0.8).abs() < 1e-12);
    assert_eq!(found.values.of(Parameter::Aversion), 4.0);
    assert!(asked < 240, "{asked}");
    assert!(found.risk < 1e-12);
}

/// An aversion that moves the centre is searched for in few trials, and is still the least of its places.
#[test]
fn a_slow_search_is_a_coarse_one_first() {
    let mut asked = 0;
    let found = tune(
        ClassicalName::Zakamouline.into(),
        search(1.0),
        &mut |values| {
            asked += 1;
            Ok((values.of(Parameter::Aversion).log2() - 1.5).powi(2))
        },
    );
    assert_eq!(found.unwrap().values.of(Parameter::Aversion).log2(), 1.5);
    assert!(asked <= 13, "{asked}");
}

/// Where two parameters stand in for each other, the risk has a valley that no parameter alone leads along: what one pass finds is far from
/// the least, and the search still ends at the least of all pairs of places.
#[test]
fn a_valley_is_followed_to_its_end() {
    let hedge = ClassicalHedge::new(Centre::StaticVega, TradingRule::ConstantBand);
    let of = |values: &HedgeValues| {
        let (ratio, width) = (values.of(Parameter::Ratio), values.of(Parameter::Width));
        (ratio + 8.0 * width - 1.8).powi(2) + 0.1 * (ratio - 1.4).powi(2)
    };
    let mut asked = 0;
    let found = tune(hedge, search(1.0), &mut |values| {
        asked += 1;
        Ok(of(values))
    });
    let found = found.unwrap();
    assert_eq!(found.risk, of(&found.values));
    let least = |widths: &mut dyn Iterator<Item = f64>| {
        let ratios = |width: f64| {
            let width = HedgeValues::default().with(Parameter::Width, width);
            (0..=400).map(move |k| of(&width.with(Parameter::Ratio, f64::from(k) / 40.0)))
        };
        widths.flat_map(ratios).fold(f64::INFINITY, f64::min)
    };
    // The first pass has the width that is best at a ratio of 1, and the ratio that is best beside it.
    let one_pass = least(&mut std::iter::once(2f64.powf(-3.5)));
    let widths = (1..=32).map(|k| 2f64.powf(0.5 * f64::from(k - 20)));
    assert_eq!(found.risk, least(&mut std::iter::once(0.0).chain(widths)));
    assert!(found.risk < 0.5 * one_pass, "{} {one_pass}", found.risk);
    assert!(asked < 400, "{asked}");
}
