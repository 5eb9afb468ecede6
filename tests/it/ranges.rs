use super::*;

fn ranged(name: &str) -> PathBuf {
    let text = SMALL.replace("v0 = 0.04", "v0 = [0.02, 0.08]").replace(
        "expiry_days = 10",
        "expiry_days = [3, 10]\nstrike = { moneyness = [0.95, 1.05] }",
    ) + &format!("[backtest]\ndata = '{HISTORY}'\nstart = \"2016-01-01\"\n");
    strategy(name, &text)
}

/// One policy is trained for contracts whose strike, expiry and first variance each path draws: the same figures on one thread and on
/// two; on history each sale has the expiry of its own contract; and the run is priced, replayed and stepped again from its folder.
#[test]
fn one_policy_serves_contracts_of_a_range() {
    let path = ranged("ranges");
    let first = compare(&path, "1");
    let runs = path.with_extension("runs");
    std::fs::remove_dir_all(&runs).unwrap();
    let second = compare(&path, "2");
    let figures = |document: &serde_json::Value| {
        let rows = document["evaluation"].as_array().unwrap().iter();
        rows.map(|row| {
            (
                row["strategy"].clone(),
                row["cvar"].clone(),
                row["premium"].clone(),
            )
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(figures(&first), figures(&second));
    let run = only_run(&runs).unwrap();
    let again = document(&["backtest", run.to_str().unwrap()], &runs, "2");
    let rows = |document: &serde_json::Value| {
        let rows = document["backtest"].as_array().unwrap().iter();
        rows.map(|row| row["pnl_mean"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(rows(&again), rows(&second));
    let priced = document(&["price", run.to_str().unwrap()], &runs, "2");
    assert_eq!(priced["prices_agree"], true);
    assert!(priced["greeks"].is_null());
    let model = priced["model_price"].as_f64().unwrap();
    let evaluated = second["evaluation"][0]["premium"].as_f64().unwrap();
    assert!((model - evaluated).abs() < 1e-12);
}

/// A range that falls is bad input: one line, exit code 2.
#[test]
fn a_range_that_falls_is_refused() {
    let text = SMALL.replace("expiry_days = 10", "expiry_days = [10, 3]");
    let path = strategy("falling_range", &text);
    let output = deephedge(&["price", path.to_str().unwrap()], "1");
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        words.contains("contract.expiry_days") && words.contains("[10, 3]"),
        "{words}"
    );
    assert_eq!(words.lines().count(), 1, "{words}");
}
