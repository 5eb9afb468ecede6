//! Term structures of rates and dividend yields in strategies.

use crate::error::Result;
use crate::hedging::{Book, ClassicalName, ClassicalPolicy};
use crate::random::Purpose;
use crate::simd::BLOCK;
use crate::strategy::{Plan, form};

const RATE: &str = "[[10, -0.2], [30, 0.3], [61, 0.15]]";

/// Two months hedged on twelve dates in a lognormal market.
fn plan_at(rate: &str, dividend: &str, contract: &str) -> Result<Plan> {
    let text = format!(
        "[market]\nmodel = \"gbm\"\nvolatility = 0.25\nrate = {rate}\ndividend = {dividend}\n\
         [contract]\nexpiry_days = 60\nsteps = 12\n{contract}"
    );
    Plan::parse(&text, |_| {})
}

fn plan(contract: &str) -> Plan {
    plan_at(RATE, "[[25, 0.1], [50, -0.1]]", contract).unwrap()
}

/// The discounted mean of what a contract pays on 2¹⁷ paths of its own, and its standard error.
fn simulated(plan: &Plan) -> (f64, f64) {
    let contract = &plan.contract;
    let count = 1 << 17;
    let payoffs = plan
        .simulator(5, Purpose::Pricing)
        .payoffs(contract, 0, count);
    let n = count as f64;
    let mean = payoffs.iter().sum::<f64>() / n;
    let square: f64 = payoffs.iter().map(|paid| (paid - mean).powi(2)).sum();
    let discount = plan.market.rate.discount(0.0, contract.expiry);
    (discount * mean, discount * square.sqrt() / n)
}

/// A payment of 1 on a date is worth its discount factor, and who sold it for that and holds cash has nothing left.
#[test]
fn a_payment_is_worth_its_discount_factor() {
    let bonds = plan(
        "payments = [{ on = \"every(3)\", amount = \"1\" }, { amount = \"100\" }]\npremium = \"model\"",
    );
    let factor = |date: usize| bonds.market.rate.discount(0.0, 5.0 * date as f64 / 365.0);
    let expected = factor(3) + factor(6) + factor(9) + 101.0 * factor(12);
    // ∫ r is z t at a pillar: −0.2·10/365 until day 10, and the forward 0.55 for 5 days more.
    let day_15 = (0.2 * 10.0 - 0.55 * 5.0) / 365.0;
    assert!((factor(3) - f64::exp(day_15)).abs() < 1e-15);
    let found = bonds.model_price(&mut || Ok(())).unwrap();
    assert!(
        (found.value - expected).abs() < 1e-10,
        "{found:?} {expected}"
    );
    assert!(found.standard_error < 1e-10, "{found:?}");
    let ledger = bonds.ledger(&bonds.market, found.value);
    let paths = bonds
        .simulator(1, Purpose::Evaluation)
        .paths::<f64>(0, BLOCK)
        .under(&bonds.contract);
    let idle = vec![[0.0; BLOCK]; 12];
    let pnl = ledger.settle(&paths.block(0), &idle).pnl;
    assert!(pnl.iter().all(|pnl| pnl.abs() < 1e-10), "{pnl:?}");
}

/// The price of every type, by formula or on Sobol points with control variates, is the mean of what it pays on paths, z-bound 4.
#[test]
fn every_type_is_worth_what_it_pays() {
    for (contract, formula) in [
        ("type = \"call\"\nstrike = { delta = 0.3 }", true),
        ("type = \"straddle\"", true),
        ("type = \"digital_put\"\ncash = 10", true),
        ("type = \"one_touch\"\nbarrier = 108\ncash = 10", false),
        ("type = \"down_and_out_call\"\nbarrier = 95", false),
        (
            "type = \"up_and_in_put\"\nbarrier = 104\nstrike = 101",
            false,
        ),
        (
            "type = \"asian_call\"\naverage = \"geometric\"\nfixings = 6",
            true,
        ),
        ("type = \"asian_put\"\nstrike = 101", false),
        ("type = \"lookback_call\"", false),
        (
            "type = \"forward_start_call\"\nstart_days = 20\nmoneyness = 0.95",
            true,
        ),
        (
            "type = \"cliquet\"\nresets = 6\nfloor = -0.02\ncap = 0.03",
            false,
        ),
        (
            "type = \"variance_swap\"\nstrike_volatility = 0.2\nnotional = 100",
            true,
        ),
        ("type = \"autocallable\"\non = \"every(3)\"", false),
        (
            "legs = [{ type = \"call\", expiry_days = 30 }, { type = \"put\" }]",
            false,
        ),
    ] {
        let plan = plan(contract);
        let found = plan.model_price(&mut || Ok(())).unwrap();
        assert_eq!(
            found.method.is_simulated(),
            !formula,
            "{contract}: {found:?}"
        );
        assert_eq!(
            plan.contract.legs().is_some() || plan.contract.formula().is_some(),
            formula
        );
        let (mean, error) = simulated(&plan);
        let bound = 4.0 * error.hypot(found.standard_error);
        assert!(
            (found.value - mean).abs() < bound,
            "{contract}: {found:?} {mean} ± {error}"
        );
    }
}

/// So it is of two assets whose yields change on different days.
#[test]
fn two_assets_are_worth_what_they_pay() {
    for contract in [
        "type = \"exchange\"",
        "type = \"worst_of_call\"\nstrike = 98",
        "type = \"best_of_put\"\nstrike = 103",
        "type = \"basket_call\"",
    ] {
        let asset = |name: &str, volatility: f64, dividend: &str| {
            format!(
                "[market.assets.{name}]\nmodel = \"gbm\"\nvolatility = {volatility}\ndividend = {dividend}\n"
            )
        };
        let text = format!(
            "[market]\nrate = {RATE}\ncorrelation = [[1.0, 0.4], [0.4, 1.0]]\n{}{}\
             [contract]\nexpiry_days = 60\nsteps = 12\n{contract}",
            asset("a", 0.25, "[[25, 0.3], [50, -0.1]]"),
            asset("b", 0.2, "[[40, -0.2], [70, 0.1]]"),
        );
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let found = plan.model_price(&mut || Ok(())).unwrap();
        let (mean, error) = simulated(&plan);
        let bound = 4.0 * error.hypot(found.standard_error);
        assert!(
            (found.value - mean).abs() < bound,
            "{contract}: {found:?} {mean} ± {error}"
        );
    }
}

/// A list of equal rates is the number: prices and paths to the bit, and barriers keep their formula.
#[test]
fn equal_rates_are_a_number() {
    for contract in [
        "type = \"down_and_in_put\"\nbarrier = 95",
        "type = \"asian_call\"\nstrike = 101",
    ] {
        let of = |rate: &str, dividend: &str| {
            let plan = plan_at(rate, dividend, contract).unwrap();
            let price = plan.model_price(&mut || Ok(())).unwrap();
            let paid = plan
                .simulator(2, Purpose::Pricing)
                .payoffs(&plan.contract, 0, BLOCK);
            (price, paid, plan.hedges.clone())
        };
        let number = of("0.03", "0.01");
        assert_eq!(of("[[30, 0.03], [91, 0.03]]", "[[365, 0.01]]"), number);
    }
}

/// The formulas of barriers take rates to be the same at all times. Under others there is none: the hedges are those without
/// a delta, and to ask for one is refused.
#[test]
fn barriers_have_no_formula_under_rates_that_change() {
    let terms = "type = \"up_and_out_call\"\nbarrier = 115";
    let plan = plan(terms);
    assert!(!plan.contract.has_delta());
    assert_eq!(
        plan.hedges,
        [ClassicalName::Naked, ClassicalName::HedgedMonteCarlo].map(Into::into)
    );
    let asked = format!("{terms}\n[evaluation]\nhedges = [\"black_scholes\"]");
    let refused = plan_at(RATE, "0.0", &asked).unwrap_err().to_string();
    assert!(
        refused.starts_with("`evaluation.hedges`: \"black_scholes\" needs a delta in closed form"),
        "{refused}"
    );
    assert!(plan_at("0.02", "0.0", &asked).is_ok());
}

/// What is wrong is said in a line that names the entry.
#[test]
fn pillars_are_refused_at_their_key() {
    for (rate, words) in [
        ("1.5", "`market.rate` must be in [-1, 1], was 1.5"),
        (
            "\"high\"",
            "`market.rate` must be a number or a list, was \"high\"",
        ),
        (
            "[]",
            "`market.rate` must be a number or a list of 1 to 500 pairs [days, rate], was 0",
        ),
        (
            "[30, 0.1]",
            "`market.rate[1]` must be a pair [days, rate], was 30",
        ),
        (
            "[[30, 0.1], [20, 0.1]]",
            "`market.rate[2]` must be of more days than the 30 before, was 20",
        ),
        (
            "[[30, 0.1], [60, -1.5]]",
            "`market.rate[2]` must be of a rate in [-1, 1], was -1.5",
        ),
        (
            "[[30, 0.1, 4]]",
            "`market.rate[1]` must be a pair [days, rate], was a list of 3",
        ),
        (
            "[[0, 0.1]]",
            "`market.rate[1]` must be of a number of days above 0, was 0",
        ),
        (
            "[[30, nan]]",
            "`market.rate[1]` must be of a rate in [-1, 1], was NaN",
        ),
    ] {
        let error = plan_at(rate, "0.0", "").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert_eq!(error.to_string().lines().next().unwrap(), words);
    }
    let error = plan_at("0.0", "[[30, 0.1], [60, 9]]", "")
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "`market.dividend[2]` must be of a rate in [-1, 1], was 9"
    );
    let long = "[market]\nmodel = \"gbm\"\nvolatility = 0.01\nrate = [[3650, 0.1], [7300, 1]]\n[contract]\nexpiry_days = 7300\nsteps = 12";
    let error = Plan::parse(long, |_| {}).unwrap_err().to_string();
    assert_eq!(
        error,
        "`market.rate` must be in [-0.5000, 0.5000] over 20.0000 years, was 1"
    );
    let markets = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 30\n[markets.steep]\nrate = [[30, 0.1], [30, 0.2]]";
    let error = Plan::parse(markets, |_| {}).unwrap_err().to_string();
    assert_eq!(
        error,
        "`markets.steep.rate[2]` must be of more days than the 30 before, was 30"
    );
}

/// The resolved file, and a form's values written back, are the same strategy; the form shows the list.
#[test]
fn curves_are_written_and_shown() {
    let first = plan("").to_toml().unwrap();
    let again = Plan::parse(&first, |_| {}).unwrap();
    assert_eq!(again.market, plan("").market);
    assert_eq!(again.to_toml().unwrap(), first);
    let sections = form::sections(&first).unwrap().into_iter();
    let fields: Vec<_> = sections.flat_map(|section| section.fields).collect();
    let rate = fields
        .iter()
        .find(|field| field.key.key == "market.rate")
        .unwrap();
    let shown = serde_json::json!([[10.0, -0.2], [30.0, 0.3], [61.0, 0.15]]);
    assert_eq!(rate.value, Some(shown));
    let values = fields
        .into_iter()
        .filter_map(|field| Some((field.key.key, field.value?)));
    let written = form::to_toml(&values.collect()).unwrap();
    assert_eq!(
        Plan::parse(&written, |_| {}).unwrap().to_toml().unwrap(),
        first
    );
}

/// Of contracts whose strikes and expiries lie in ranges each is priced and hedged at the rates of its own life: sold at their prices
/// they come to nothing on average, hedged by their deltas or not, z-bound 4.
#[test]
fn contracts_from_ranges_have_the_rates_of_their_lives() {
    let terms =
        "strike = { moneyness = [0.9, 1.1] }\nexpiry_days = [15, 60]\n[costs]\nproportional = 0.0";
    let text = format!(
        "[market]\nmodel = \"gbm\"\nvolatility = 0.25\nrate = {RATE}\ndividend = [[25, 0.1], [50, -0.1]]\n[contract]\n{terms}"
    );
    let plan = Plan::parse(&text, |_| {}).unwrap();
    assert!(plan.contract.family().is_some());
    let paths = plan.simulator(7, Purpose::Evaluation).paths_with::<f64>(
        &plan.quotes().unwrap(),
        0,
        1 << 14,
    );
    let mut deviations = Vec::new();
    for hedge in [ClassicalName::Naked, ClassicalName::BlackScholes] {
        let policy = ClassicalPolicy::new(hedge, plan.assets(), plan.charges());
        let book = Book::hedge(&policy, &plan.ledger_of_sale(), &paths).unwrap();
        let n = book.pnl.len() as f64;
        let mean = book.pnl.iter().sum::<f64>() / n;
        let square: f64 = book.pnl.iter().map(|z| (z - mean).powi(2)).sum();
        let deviation = (square / n).sqrt();
        assert!(
            mean.abs() < 4.0 * deviation / n.sqrt(),
            "{mean} {deviation}"
        );
        deviations.push(deviation);
    }
    assert!(deviations[1] < 0.2 * deviations[0], "{deviations:?}");
}
