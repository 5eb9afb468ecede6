use super::*;
use crate::contract::{At, Instrument};
use crate::strategy::Plan;

const CALL: &str = r#"
[market]
model = "gbm"
volatility = 0.2
[contract]
expiry_days = 20
[costs]
"#;

fn plan(costs: &str) -> Plan {
    Plan::parse(&format!("{CALL}{costs}"), |_| {}).unwrap()
}

fn error(costs: &str) -> String {
    let error = Plan::parse(&format!("{CALL}{costs}"), |_| {}).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

/// A spot at 100 whose volatility is 20 % a year.
const AT: At<f64> = At {
    price: 100.0,
    volatility: 0.2,
    vega: 0.0,
    moneyness: 0.0,
    root_time: 0.0,
    factor: 1.0,
};

/// Every key costs what its help says: F, η x² p, Y σ_d p |x| √(|x|/V) with σ_d = .2/√252; of n contracts each bears its share.
#[test]
fn keys_cost_what_they_say() {
    let (x, daily) = (3.0_f64, 0.2 / 252.0_f64.sqrt());
    for (keys, expected) in [
        ("fixed = 0.5", 0.5),
        ("fixed = 0.5\ncontracts = 40", 0.5 / 40.0),
        ("quadratic = 0.001", 0.001 * 9.0 * 100.0),
        (
            "quadratic = 0.001\ncontracts = 40",
            0.001 * 9.0 * 100.0 * 40.0,
        ),
        (
            "square_root = 0.7\ndaily_volume = 500",
            0.7 * daily * 100.0 * x * (x / 500.0).sqrt(),
        ),
        (
            "square_root = 0.7\ndaily_volume = 500\ncontracts = 40",
            0.7 * daily * 100.0 * x * (40.0 * x / 500.0).sqrt(),
        ),
        // A spot has no vega, and no distance from the money.
        ("vega = 0.01\nmoneyness_spread = 1\nhalf_spread = 0.1", 0.3),
    ] {
        let cost = plan(keys).spot_charge().cost(x, &AT);
        assert!((cost - expected).abs() < 1e-12, "{keys}: {cost} {expected}");
    }
}

/// An option has the spot's costs but for those of its own, and what options alone cost; a half-spread of its own is what widens.
#[test]
fn an_option_has_costs_of_its_own() {
    let costs = "half_spread = 0.1\nvega = 0.02\nmoneyness_spread = 0.5\ntime_spread = 2.0\n[policy]\n\
                 instruments = [\"spot\", { type = \"put\", strike = 95, half_spread = 0.04, vega = 0.005, fixed = 0.3 }]";
    let plan = plan(costs);
    let charges = plan.charges();
    let at = At {
        vega: 10.0,
        moneyness: 1.5,
        root_time: 0.3,
        ..AT
    };
    assert_eq!(charges[0].cost(2.0, &AT), 0.2);
    let expected = 0.3 + 2.0 * (0.04 * (1.0 + 0.5 * 1.5 + 2.0 * 0.3) + 0.005 * 10.0);
    assert!((charges[1].cost(2.0, &at) - expected).abs() < 1e-12);
    let again = Plan::parse(&plan.to_toml().unwrap(), |_| {}).unwrap();
    assert_eq!(again.instruments, plan.instruments);
    assert!(matches!(again.instruments[1].0, Instrument::Option(_)));
}

/// A spread away from the money costs by the option's state on the path, which is laid beside its price only where it is asked for.
#[test]
fn the_state_of_an_option_is_there_where_it_costs() {
    const OPTION: &str = "[policy]\ninstruments = [\"spot\", { type = \"put\", strike = 95 }]";
    let without = plan(OPTION).layout().rows();
    for keys in ["vega = 0.01", "half_spread = 0.1\ntime_spread = 1"] {
        let plan = plan(&format!("{keys}\n{OPTION}"));
        assert_eq!(plan.layout().rows(), without + 4 * 21);
        assert_eq!(plan.layout(), plan.quotes().unwrap().layout());
    }
    let spread = "half_spread = 0.1\nproportional = 0.01";
    assert_eq!(
        plan(&format!("{spread}\n{OPTION}")).layout().rows(),
        without
    );
}

/// Factors hold from their day on, and multiply costs and their slopes alike: with a factor of 3 from the tenth day on, trades
/// from there on cost three times as much, and those before what they did.
#[test]
fn a_table_multiplies_costs_from_its_days_on() {
    let schedule = plan("table = [[5, 2.0], [10, 0.5]]").cost_schedule;
    for (days, factor) in [
        (0.0, 1.0),
        (4.9, 1.0),
        (5.0, 2.0),
        (9.0, 2.0),
        (10.0, 0.5),
        (99.0, 0.5),
    ] {
        assert_eq!(schedule.factor(days), factor, "{days}");
    }
    let costs = "proportional = 0.01\nliquidation = false\n";
    let (flat, rising) = (plan(costs), plan(&format!("{costs}table = [[10, 3.0]]")));
    let paths = flat
        .simulator(1, crate::random::Purpose::Evaluation)
        .paths_with::<f64>(&flat.quotes().unwrap(), 0, crate::simd::BLOCK);
    let block = paths.block(0);
    let held = |t: usize| [(t as f64).sin(); crate::simd::BLOCK];
    let positions: Vec<_> = (0..20).map(held).collect();
    let [flat, rising] = [&flat, &rising].map(|plan| plan.ledger(&plan.market, 0.0));
    let accounts = [&flat, &rising].map(|ledger| ledger.account(&block, &positions));
    let settled = rising.settle(&block, &positions);
    for lane in 0..crate::simd::BLOCK {
        let [flat, rising] = [0, 1].map(|i| [9, 20].map(|t| accounts[i].cost[t][lane]));
        assert_eq!(flat[0], rising[0]);
        let expected = flat[0] + 3.0 * (flat[1] - flat[0]);
        assert!((rising[1] - expected).abs() < 1e-12);
        assert!((settled.cost[lane] - expected).abs() < 1e-12);
    }
    for (table, message) in [
        (
            "[[5, 1.0], [5, 2.0]]",
            "`costs.table` must be pairs of days, at least 0 and rising, and a factor, was [5, 2]",
        ),
        ("[[-1, 1.0]]", "was [-1, 1]"),
        ("[[1, -1.0]]", "a factor that is at least 0, was [1, -1]"),
    ] {
        let error = error(&format!("table = {table}"));
        assert!(error.contains(message), "{error}");
    }
}

/// The width of smoothing goes from its start to its end by equal shares in equal parts of a training.
#[test]
fn smoothing_falls_by_equal_shares() {
    let smoothing = plan("fixed = 1\nsmoothing = 0.4\nsmoothing_end = 0.025").smoothing;
    for (progress, width) in [(0.0, 0.4), (0.25, 0.2), (0.5, 0.1), (1.0, 0.025)] {
        assert!((smoothing.width(progress) - width).abs() < 1e-15);
    }
    assert!(plan("fixed = 1").smooths_costs());
    assert!(!plan("proportional = 0.1").smooths_costs());
}

#[test]
fn impact_without_a_volume_is_refused() {
    let expected = "`costs.daily_volume` must be positive beside `square_root`, was 0";
    assert_eq!(error("square_root = 1.0"), expected);
    assert!(error("quadratic = -1").contains("`costs.quadratic` must be at least 0"));
    assert!(error("contracts = 0").contains("`costs.contracts` must be positive"));
}

/// The account of a contract that is knocked out is closed there: nothing is financed after its end, whatever cash is left.
#[test]
fn nothing_is_financed_after_the_end() {
    let text = "[market]\nmodel = \"gbm\"\nvolatility = 0.3\n[contract]\ntype = \"down_and_out_call\"\nbarrier = 97.0\n\
                expiry_days = 20\n[financing]\nborrow = 0.04\nlend = 0.03\n";
    let plan = Plan::parse(text, |_| {}).unwrap();
    let paths = plan
        .simulator(1, crate::random::Purpose::Evaluation)
        .paths_with::<f64>(&plan.quotes().unwrap(), 0, crate::simd::BLOCK);
    let block = paths.block(0);
    let ledger = plan.ledger(&plan.market, 5.0);
    let positions = vec![[0.6; crate::simd::BLOCK]; 20];
    let account = ledger.account(&block, &positions);
    // The control variate of training is made of martingales: it knows neither costs nor spreads.
    let martingale = plan.ledger_without_costs(&plan.market);
    assert_eq!(
        martingale.financed(&block, &positions),
        [0.0; crate::simd::BLOCK]
    );
    let ends = block.end().unwrap();
    assert!(ends.iter().any(|end| *end < 20.0) && ends.iter().any(|end| *end >= 20.0));
    for (lane, end) in ends.iter().enumerate() {
        for t in 0..20 {
            let earned = account.financing[t + 1][lane] - account.financing[t][lane];
            assert_eq!(earned == 0.0, t as f64 >= *end, "{lane} {t}");
        }
    }
}
