//! Named types beside the language they expand to.

use super::{Made, Product, Setting, Sold, with_types};
use crate::contract::expression::{Grid, Program, Sheet};
use crate::contract::{Observed, Spots};
use crate::error::Result;
use crate::random::{Purpose, sequential};
use crate::simd::{BLOCK, Lane};
use rand::RngExt;

const STEPS: usize = 24;

fn setting<'a>(kind: &'static str, assets: &'a [String]) -> Setting<'a> {
    Setting {
        key: "contract",
        kind,
        assets,
        spot: 100.0,
        expiry: 1.0,
        steps: STEPS,
        days_per_year: 252.0,
        strike_of_delta: &|_, _, size| Ok(200.0 * size),
    }
}

fn product(terms: &str) -> Product {
    let mut table: toml::Table = terms.parse().unwrap();
    with_types(&mut table, true);
    table.try_into().unwrap()
}

fn sold(terms: &str, assets: usize) -> Result<Sold> {
    let names: Vec<String> = ["a", "b", "c"][..assets]
        .iter()
        .map(|name| name.to_string())
        .collect();
    let mut product = product(terms);
    product.sold(&setting(product.name(), &names))
}

fn sheet(terms: &str, assets: usize) -> Sheet {
    match sold(terms, assets).unwrap().parts.swap_remove(0).made {
        Made::Sheet(sheet) => sheet,
        Made::Options(_) | Made::American(_) | Made::GivenPayoff => panic!("no sheet"),
    }
}

/// Σ of all payments on a block of two assets that begin at 100 and 95.
fn paid(sheet: &Sheet, assets: usize) -> Lane<f64> {
    let names: Vec<String> = ["a", "b"][..assets]
        .iter()
        .map(|name| name.to_string())
        .collect();
    let program = Program::new(sheet, &names, Grid::new(STEPS, 1.0 / STEPS as f64, 252.0)).unwrap();
    let mut random = sequential(9, Purpose::Evaluation);
    let mut rows = Vec::new();
    for start in [100.0, 95.0] {
        let mut spot = [start; BLOCK];
        rows.push(spot);
        for _ in 0..STEPS {
            spot = spot.map(|spot| spot * random.random_range(0.93..1.075));
            rows.push(spot);
        }
    }
    let mut payments = vec![[0.0; BLOCK]; program.due().len()];
    let out = Observed {
        payments: &mut payments,
        end: &mut [],
        state: &mut vec![[0.0; BLOCK]; program.accumulators().len() * (STEPS + 1)],
    };
    program
        .observe(Spots::new(&rows, STEPS + 1, STEPS + 1), &[], None, out)
        .unwrap();
    std::array::from_fn(|lane| payments.iter().map(|row| row[lane]).sum())
}

fn payoff(text: &str, assets: usize) -> Lane<f64> {
    paid(&Sheet::payoff("payoff", text, []).unwrap(), assets)
}

fn sum(a: Lane<f64>, b: Lane<f64>) -> Lane<f64> {
    std::array::from_fn(|lane| a[lane] + b[lane])
}

#[track_caller]
fn assert_near(a: Lane<f64>, b: Lane<f64>) {
    for lane in 0..BLOCK {
        assert!(
            (a[lane] - b[lane]).abs() < 1e-10,
            "path {lane}: {} and {}",
            a[lane],
            b[lane]
        );
    }
}

/// What is knocked in and what is knocked out at a barrier are the option, for each of the four pairs.
#[test]
fn barriers_have_in_and_out_parity() {
    for (side, barrier) in [("down", 90), ("up", 112)] {
        for (kind, option) in [("call", "max(S - 98, 0)"), ("put", "max(98 - S, 0)")] {
            let knocked = |knock: &str| {
                let terms = format!(
                    "type = \"{side}_and_{knock}_{kind}\"\nstrike = 98\nbarrier = {barrier}"
                );
                paid(&sheet(&terms, 1), 1)
            };
            let (within, out) = (knocked("in"), knocked("out"));
            assert!(within.iter().any(|paid| *paid > 0.0) && out.iter().any(|paid| *paid > 0.0));
            assert_eq!(sum(within, out), payoff(option, 1));
        }
    }
}

/// A call less a put of one strike is what they are on less the strike, and a digital call and put are the cash.
#[test]
fn calls_less_puts_are_forwards() {
    let less = |name: &str, rest: &str, assets: usize| {
        let of = |kind: &str| {
            let terms = format!("type = \"{name}_{kind}\"\n{rest}");
            paid(&sheet(&terms, assets), assets)
        };
        let put = of("put").map(|paid| -paid);
        sum(of("call"), put)
    };
    let forward = payoff("average(S, fixings(6)) - 90", 1);
    assert_near(less("asian", "strike = 90\nfixings = 6", 1), forward);
    let forward = payoff("exp(average(ln(S))) - 90", 1);
    assert_near(
        less("asian", "strike = 90\naverage = \"geometric\"", 1),
        forward,
    );
    let forward = payoff("max(S.a, S.b) - 90", 2);
    assert_near(less("best_of", "strike = 90", 2), forward);
    let forward = payoff("min(S.a, S.b) - 100", 2);
    assert_near(less("worst_of", "", 2), forward);
    let forward = payoff("0.25 * S.a + 0.75 * S.b - 90", 2);
    assert_near(
        less(
            "basket",
            "strike = { moneyness = 0.9 }\nweights = [0.25, 0.75]",
            2,
        ),
        forward,
    );
    let forward = payoff("S - 1.1 * sum(when(observation == 12, S, 0))", 1);
    assert_near(
        less("forward_start", "start_days = 126\nmoneyness = 1.1", 1),
        forward,
    );
    let cash = |kind: &str| {
        paid(
            &sheet(&format!("type = \"digital_{kind}\"\ncash = 7"), 1),
            1,
        )
    };
    assert_near(sum(cash("call"), cash("put")), [7.0; BLOCK]);
    let touch = |kind: &str| {
        paid(
            &sheet(
                &format!("type = \"{kind}_touch\"\nbarrier = 90\ncash = 3"),
                1,
            ),
            1,
        )
    };
    assert_near(sum(touch("one"), touch("no")), [3.0; BLOCK]);
}

/// A floating lookback call and put pay the range of the path; the exchange of two assets either way is their difference.
#[test]
fn lookbacks_and_exchanges_are_what_their_names_say() {
    let floating = |kind: &str| {
        paid(
            &sheet(&format!("type = \"lookback_{kind}\"\nfloating = true"), 1),
            1,
        )
    };
    assert_near(
        sum(floating("call"), floating("put")),
        payoff("highest(S) - lowest(S)", 1),
    );
    let fixed = paid(&sheet("type = \"lookback_call\"\nstrike = 103", 1), 1);
    assert_near(fixed, payoff("max(highest(S) - 103, 0)", 1));
    let back = payoff("max(S.b - S.a, 0)", 2).map(|paid| -paid);
    let exchanged = paid(&sheet("type = \"exchange\"", 2), 2);
    assert_near(sum(exchanged, back), payoff("S.a - S.b", 2));
}

/// A cliquet without bounds pays the sum of its returns, and is never outside its global bounds; a variance swap at no
/// variance pays the realised one.
#[test]
fn returns_are_what_their_names_say() {
    let terms = "type = \"cliquet\"\nresets = 12\nfloor = -1\nglobal_floor = -9\nnotional = 10";
    let sum = payoff("10 * sum(S / previous(S) - 1, fixings(12))", 1);
    assert_near(paid(&sheet(terms, 1), 1), sum);
    let terms = "type = \"cliquet\"\nresets = 12\nfloor = -0.02\ncap = 0.03\nglobal_cap = 0.05";
    let bounded = paid(&sheet(terms, 1), 1);
    assert!(bounded.iter().all(|paid| (0.0..=5.0).contains(paid)));
    let swap = paid(
        &sheet(
            "type = \"variance_swap\"\nstrike_volatility = 0\nnotional = 1",
            1,
        ),
        1,
    );
    assert_near(swap, payoff("sum(ln(S / previous(S)) ^ 2)", 1));
}

/// An autocallable pays once: the notional and coupons when it is called, or a part of the notional at expiry.
#[test]
fn an_autocallable_pays_once() {
    let terms = "type = \"autocallable\"\nnotional = 100\ncoupon = 0.03\nprotection = 0.8";
    for assets in [1, 2] {
        let paid = paid(&sheet(terms, assets), assets);
        let coupons = [103.0, 106.0, 109.0, 112.0, 100.0];
        let known =
            |paid: &f64| coupons.iter().any(|one| (one - paid).abs() < 1e-9) || *paid < 80.0;
        assert!(paid.iter().all(known), "{paid:?}");
    }
}

/// A portfolio of options is the sum of their calls and puts; one with an expiry of its own, or of other types, has parts.
#[test]
fn a_portfolio_has_its_legs() {
    let terms =
        "[[legs]]\nquantity = 2\nstrike = 105\n[[legs]]\nquantity = -1\ntype = \"straddle\"";
    let together = sold(terms, 1).unwrap();
    let [part] = &together.parts[..] else {
        panic!("one sum");
    };
    let Made::Options(legs) = &part.made else {
        panic!("of options");
    };
    let quantities: Vec<f64> = legs.iter().map(|leg| leg.quantity).collect();
    assert_eq!(
        (quantities, together.strike),
        (vec![2.0, -1.0, -1.0], 105.0)
    );
    let parts = sold(&format!("{terms}\nexpiry_days = 126"), 1)
        .unwrap()
        .parts;
    assert_eq!(
        (parts.len(), parts[0].expiry, parts[1].expiry),
        (2, None, Some(0.5))
    );
}

#[test]
fn terms_have_bounds_that_name_their_keys() {
    let refusal = |terms: &str, assets: usize| sold(terms, assets).unwrap_err().to_string();
    for (terms, assets, words) in [
        (
            "type = \"down_and_out_call\"",
            1,
            "`contract.barrier` is missing",
        ),
        (
            "type = \"down_and_out_call\"\nbarrier = 110",
            1,
            "`contract.barrier` must be below the spot 100, was 110",
        ),
        (
            "type = \"asian_put\"\nfixings = 30",
            1,
            "`contract.fixings` must be at most 24, the hedging dates, was 30",
        ),
        (
            "type = \"asian_put\"\nstrike = { delta = 0.5 }",
            1,
            "`contract.strike.delta` has no meaning for the type \"asian_put\": give a number or { moneyness = x }",
        ),
        (
            "type = \"best_of_call\"",
            1,
            "`contract.type` \"best_of_call\" needs a market of several assets",
        ),
        (
            "type = \"basket_call\"\nweights = [1.0]",
            2,
            "`contract.weights` must have a weight for each of the 2 assets, had 1",
        ),
        (
            "type = \"cliquet\"\nresets = 4\ncap = -0.1",
            1,
            "`contract.cap` must be above 0, was -0.1",
        ),
        (
            "type = \"lookback_call\"\nfloating = true\nstrike = 90",
            1,
            "`contract.strike` has no meaning for a floating lookback option, whose strike is that of the path",
        ),
        (
            "payoff = \"S\"\n[[payments]]\namount = \"1\"",
            1,
            "`contract.payments` has no meaning beside `payoff`, which is one payment at expiry",
        ),
        (
            "[[payments]]\namount = \"1\"\n[[payments]]\namount = \"S +\"",
            1,
            "`contract.payments.2.amount`, line 1, column 4: a value is missing at the end",
        ),
        (
            "[[legs]]\n[[legs]]\nexpiry_days = 300",
            1,
            "`contract.legs.2.expiry_days` must be from one hedging period to the 252 days of the contract, was 300",
        ),
        (
            "[[legs]]\nstrike = -1",
            1,
            "`contract.legs.1.strike` must be positive, was -1",
        ),
    ] {
        let refusal = refusal(terms, assets);
        assert_eq!(refusal.lines().next().unwrap(), words);
    }
}

/// The same key has the same schema in every type that has it, but for its help.
#[test]
fn a_key_means_the_same_in_all_types() {
    let mut known = std::collections::BTreeMap::new();
    for (name, help, schema) in Product::schemas() {
        assert!(!help.is_empty(), "{name}");
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let mut property = property.clone();
            let help = property["description"].take();
            assert!(
                help.as_str().is_some_and(|help| help.ends_with('.')),
                "{name}.{key}"
            );
            let known = known.entry(key.clone()).or_insert_with(|| property.clone());
            assert_eq!(*known, property, "{name}.{key}");
        }
    }
}
