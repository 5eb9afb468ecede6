use super::*;

/// Black–Scholes delta on real history: the three settings of `tests/reference/backtest_sp500.json`, which a
/// separate program in numpy wrote, every figure within 1e-9.
#[test]
fn backtest_equals_the_independent_reference() {
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../reference/backtest_sp500.json")).unwrap();
    for (index, row) in reference["rows"].as_array().unwrap().iter().enumerate() {
        let path = format!(
            "{}/tests/strategies/backtest_{}.toml",
            env!("CARGO_MANIFEST_DIR"),
            index + 1
        );
        let runs = strategy("reference", "").with_extension("runs");
        let document = document(&["backtest", &path, "--data", HISTORY], &runs, "2");
        let found = &document["backtest"][0];
        assert_eq!(found["paths"], row["contracts"]);
        let mut pairs = vec![("cvar 0.5", &found["cvar"]["0.5"], &row["cvar"]["0.5"])];
        pairs.push(("cvar 0.95", &found["cvar"]["0.95"], &row["cvar"]["0.95"]));
        pairs.push(("cvar 0.99", &found["cvar"]["0.99"], &row["cvar"]["0.99"]));
        for key in ["premium", "pnl_mean", "pnl_std", "cost_mean"] {
            pairs.push((key, &found[key], &row[key]));
        }
        for (key, found, expected) in pairs {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!(
                (found - expected).abs() < 1e-9,
                "row {index}, {key}: {found} against {expected}"
            );
        }
    }
}

/// Every form of contract, sold on every kind of schedule, is hedged on history; what the schedule sells between two dates
/// is as many contracts as it says.
#[test]
fn every_contract_is_sold_on_every_schedule() {
    for (spacing, least, most) in [("daily", 240, 260), ("weekly", 51, 54), ("monthly", 12, 12)] {
        for terms in [
            "type = \"call\"\nstrike = { delta = 0.25 }",
            "type = \"put\"\nstrike = { moneyness = 0.97 }",
            "type = \"straddle\"",
            "type = \"strangle\"\nstrike = 97\nupper_strike = { moneyness = 1.03 }",
            "type = \"call_spread\"\nupper_strike = 104",
            "type = \"put_spread\"\nstrike = 96.0\nupper_strike = 100",
        ] {
            let text = SMALL.replace("[contract]", &format!("[contract]\n{terms}"))
                + &format!(
                    "[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\nend = \"2010-12-31\"\n\
                     spacing = \"{spacing}\"\n"
                );
            let path = strategy("schedules", &text);
            let runs = path.with_extension("runs");
            let found = document(&["backtest", path.to_str().unwrap()], &runs, "2");
            let contracts = found["backtest_market"]["contracts"].as_u64().unwrap();
            assert!(
                (least..=most).contains(&contracts),
                "{spacing}: {contracts}"
            );
            let rows = found["backtest"].as_array().unwrap();
            let deviation = |row: usize| rows[row]["pnl_std"].as_f64().unwrap();
            assert!(deviation(1) > 0.0 && deviation(0) > 0.0, "{terms}");
        }
    }
}

/// The policies of a run, loaded again, hedge history to the same bits as in the comparison that trained them.
#[test]
fn saved_policies_backtest_like_the_comparison() {
    let text = format!("{SMALL}[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\n");
    let path = strategy("saved", &text);
    let compared = compare(&path, "2");
    let runs = path.with_extension("runs");
    let again = document(&["backtest", compared["run"].as_str().unwrap()], &runs, "1");
    assert_eq!(again["backtest"].as_array().unwrap().len(), 5);
    assert_eq!(again["backtest"], compared["backtest"]);
    assert_eq!(
        again["backtest_comparisons"],
        compared["backtest_comparisons"]
    );
    let market = &again["backtest_market"];
    assert_eq!(market["source"], "history");
    assert_eq!(market["estimated_to"], "2009-12-31");
    // Another period, from the command line.
    let later = document(&["backtest", "latest", "--start", "2016-01-01"], &runs, "2");
    assert_eq!(later["backtest_market"]["first"], "2016-01-04");
}
