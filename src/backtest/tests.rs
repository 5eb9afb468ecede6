//! Options sold on history see nothing of the future.

use super::*;
use crate::contract::OptionKind;

use crate::market::history::fixture::{Scratch, closes, day, write};
use std::path::Path;

fn contracts(close: &[f64], name: &str, spacing: &str, parameters: &str) -> Result<Contracts> {
    let scratch = Scratch::new(&format!("backtest-{name}"));
    let plan = plan(
        &write(&scratch.0, close),
        spacing,
        parameters,
        "strike = { delta = 0.25 }",
    );
    Contracts::cut(&plan, plan.backtest.as_ref().unwrap())
}

fn plan(data: &Path, spacing: &str, parameters: &str, terms: &str) -> Plan {
    Plan::parse(&text(data, spacing, parameters, terms), |_| {}).unwrap()
}

fn text(data: &Path, spacing: &str, parameters: &str, terms: &str) -> String {
    format!(
        "[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 2.0\ntheta = 0.04\nsigma = 0.3\nrho = -0.5\n\
         [contract]\n{terms}\nexpiry_days = 10\ndays_per_year = 365\n\
         [backtest]\ndata = '{}'\nstart = \"2001-02-01\"\nspacing = {spacing}\nparameters = \"{parameters}\"\n",
        data.display()
    )
}

/// Whatever the variance of the day, a contract struck by delta is sold at the spot where the option has that delta at
/// the volatility that the model expects until expiry, at the model's price; one struck by moneyness at the strategy's
/// spot.
#[test]
fn strikes_follow_the_day_of_sale() {
    let scratch = Scratch::new("backtest-strikes");
    let data = write(&scratch.0, &closes(600));
    for (terms, kind, size) in [
        (
            "type = \"put\"\nstrike = { delta = 0.1 }",
            OptionKind::Put,
            0.1,
        ),
        ("strike = { delta = 0.25 }", OptionKind::Call, 0.25),
        (
            "type = \"straddle\"\nstrike = { delta = 0.5 }",
            OptionKind::Call,
            0.5,
        ),
    ] {
        let plan = plan(&data, "\"weekly\"", "strategy", terms);
        // The resolved file says the same.
        let again = Plan::parse(&plan.to_toml().unwrap(), |_| {}).unwrap();
        assert_eq!(again.contract, plan.contract);
        assert_eq!(again.strike, plan.strike);
        let contracts = Contracts::cut(&plan, plan.backtest.as_ref().unwrap()).unwrap();
        let mut spots = Vec::new();
        for (i, premium) in contracts.premiums.iter().enumerate() {
            let (spot, variance) = contracts.groups[0].paths.path(i);
            let market = Market {
                spot: spot[0],
                model: contracts.market.model.at_variance(variance[0]),
                ..contracts.market.clone()
            };
            let expiry = plan.contract.expiry;
            let volatility = market.model.mean_variance(variance[0], expiry).sqrt();
            let leg = *plan
                .contract
                .legs()
                .unwrap()
                .iter()
                .find(|leg| leg.kind == kind)
                .unwrap();
            let delta = market.black_scholes(leg, expiry, volatility).delta();
            assert!(
                (delta - kind.sign() * size).abs() < 1e-12,
                "{terms}: {delta}"
            );
            assert!(
                (market.price(plan.contract.legs().unwrap(), plan.contract.expiry) - premium).abs()
                    < 1e-12
            );
            spots.push(spot[0]);
        }
        spots.sort_by(f64::total_cmp);
        assert!(spots[spots.len() - 1] > spots[0]);
    }
    let plan = plan(
        &data,
        "\"weekly\"",
        "strategy",
        "strike = { moneyness = 1.02 }",
    );
    assert_eq!(plan.contract.strike, 102.0);
    let contracts = Contracts::cut(&plan, plan.backtest.as_ref().unwrap()).unwrap();
    let first = |i: usize| contracts.groups[0].paths.path(i).0[0];
    assert!((0..contracts.sold.len()).all(|i| (first(i) - 100.0).abs() < 1e-12));
}

/// Reversing and scaling the closes after day k changes nothing that was known on day k: not the parameters, nor any
/// premium, close or variance up to that day; and it does change what comes after.
#[test]
fn the_future_does_not_change_the_past() {
    let close = closes(600);
    for changed_from in [397, 450] {
        let mut changed = close.clone();
        changed[changed_from..].reverse();
        changed[changed_from..].iter_mut().for_each(|c| *c *= 1.3);
        for parameters in ["history", "strategy"] {
            let before = contracts(&close, "before", "\"daily\"", parameters).unwrap();
            let after = contracts(&changed, "after", "\"daily\"", parameters).unwrap();
            assert_eq!(before.market, after.market);
            assert_eq!(
                before.calibration.first().estimated,
                after.calibration.first().estimated
            );
            let mut differs = false;
            for contract in 0..before.sold.len() {
                let first = (before.sold[contract] - day(0)).num_days() as usize;
                let known = changed_from.saturating_sub(first).min(11);
                let (now, then) = (
                    before.groups[0].paths.path(contract),
                    after.groups[0].paths.path(contract),
                );
                assert_eq!(
                    now.0[..known],
                    then.0[..known],
                    "closes of contract {contract}"
                );
                assert_eq!(
                    now.1[..known],
                    then.1[..known],
                    "variance of contract {contract}"
                );
                if known > 0 {
                    assert_eq!(before.premiums[contract], after.premiums[contract]);
                }
                differs |= now.1 != then.1;
            }
            assert!(differs);
        }
    }
}

/// Contracts that follow one another share no day; daily ones are sold on every day that leaves room, and count
/// for as many fewer as live at a time.
#[test]
fn sale_dates_follow_the_spacing() {
    let close = closes(600);
    let apart = contracts(&close, "apart", "\"non_overlapping\"", "strategy").unwrap();
    assert_eq!(apart.overlap, 1.0);
    assert!(
        apart
            .sold
            .windows(2)
            .all(|pair| pair[1] - pair[0] == chrono::TimeDelta::days(10))
    );
    assert!(
        apart
            .sold
            .iter()
            .skip(1)
            .zip(&apart.expiry)
            .all(|(sold, expiry)| sold == expiry)
    );
    let daily = contracts(&close, "daily", "\"daily\"", "strategy").unwrap();
    assert_eq!(daily.overlap, 10.0);
    // Day 395 is the first of the test period, day 589 the last that leaves ten days.
    assert_eq!(daily.sold.len(), 590 - 395);
}

/// A test period without enough history before it is refused, naming what there is.
#[test]
fn a_period_needs_history_before_it() {
    let late: Vec<f64> = closes(600)[..380].to_vec();
    let error = contracts(&late, "late", "1", "history").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no contract of 10 calendar days, 365 a year fits"),
        "{error}"
    );
    let scratch = Scratch::new("backtest-early");
    let data = write(&scratch.0, &closes(600));
    let text = format!(
        "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\ndays_per_year = 365\n\
         [backtest]\ndata = '{}'\nstart = \"2000-03-01\"\n",
        data.display()
    );
    let plan = Plan::parse(&text, |_| {}).unwrap();
    let error = Contracts::cut(&plan, plan.backtest.as_ref().unwrap()).unwrap_err();
    let expected = "`backtest.start` must leave at least 251 closes before the first sale to estimate from, 58 lie before";
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(error.exit_code(), 2);
}

/// Costs follow a table of dates: with a factor of 3 from a day on, contracts that expire before it cost what they did, those that are
/// sold on it or later three times as much, and those between something between; the parts of the P&L say so too, and with spreads of
/// financing they still add up.
#[test]
fn costs_follow_a_table_of_dates() {
    let scratch = Scratch::new("backtest-dated-costs");
    let data = write(&scratch.0, &closes(600));
    let (from, plain) = (day(480), plan(&data, "10", "strategy", ""));
    let settled = |table: &str, more: &str| {
        let text = format!(
            "{}\ncost_table = {table}\n[costs]\nproportional = 0.01\n{more}",
            text(&data, "10", "strategy", "")
        );
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let contracts = Contracts::cut(&plan, plan.backtest.as_ref().unwrap()).unwrap();
        let size = 10 * contracts.groups[0].paths.blocks();
        let held = |i: usize| [0.5 + (i as f64).sin() / 3.0; crate::simd::BLOCK];
        let positions: Vec<Vec<Lane<f64>>> = vec![(0..size).map(held).collect()];
        let Settled { book, parts, daily } = contracts.settle(&positions);
        for (pnl, days) in book.pnl.iter().zip(&daily) {
            assert!((days.iter().sum::<f64>() - pnl).abs() < 1e-9);
        }
        for (pnl, parts) in book.pnl.iter().zip(&parts) {
            assert!((parts.total() - pnl).abs() < 1e-9);
        }
        (contracts, book)
    };
    assert!(plain.backtest.as_ref().unwrap().costs.is_flat());
    let (_, flat) = settled("[]", "");
    let table = format!("[[\"{from}\", 3.0]]");
    let (contracts, dated) = settled(&table, "");
    let (_, financed) = settled(
        &table,
        "[financing]\nborrow = 0.1\nlend = 0.05\nstock_borrow = 0.1\n",
    );
    let (mut before, mut after) = (0, 0);
    for (i, (sold, expiry)) in contracts.sold.iter().zip(&contracts.expiry).enumerate() {
        let ratio = dated.cost[i] / flat.cost[i];
        if *expiry < from {
            before += 1;
            assert_eq!(ratio, 1.0);
        } else if *sold >= from {
            after += 1;
            assert!((ratio - 3.0).abs() < 1e-12, "{ratio}");
        } else {
            assert!((1.0..=3.0).contains(&ratio), "{ratio}");
        }
        assert!((flat.pnl[i] - dated.pnl[i] - dated.cost[i] + flat.cost[i]).abs() < 1e-12);
        assert_eq!(financed.cost[i], dated.cost[i]);
        assert!(financed.pnl[i] < dated.pnl[i]);
    }
    assert!(before > 0 && after > 0);
    for (table, message) in [
        (
            "[[\"2001-02-30\", 2.0]]",
            "`backtest.cost_table` must be a date such as 2004-01-31",
        ),
        (
            "[[\"2001-03-01\", -1.0]]",
            "`backtest.cost_table` must be dates with factors of at least 0, was -1",
        ),
        (
            "[[\"2001-03-01\", 2.0], [\"2001-03-01\", 1.0]]",
            "must be pairs of rising dates and a factor, was 2001-03-01",
        ),
    ] {
        let text = format!(
            "{}cost_table = {table}\n",
            text(&data, "10", "strategy", "")
        );
        let error = Plan::parse(&text, |_| {}).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
