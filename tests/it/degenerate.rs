//! Prices that stand still, are pegged or are few, and what cannot be calibrated to them.

use super::*;
use chrono::{Datelike, NaiveDate, Weekday};
use std::fmt::Write;

/// A daily file whose open, high, low and close are the same.
fn prices(name: &str, closes: impl Iterator<Item = f64>) -> PathBuf {
    let mut text = "Date,Open,High,Low,Close\n".to_owned();
    let first = NaiveDate::from_ymd_opt(2018, 1, 1).unwrap();
    let weekdays = first
        .iter_days()
        .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
    for (day, close) in weekdays.zip(closes) {
        let _ = writeln!(text, "{day},{close},{close},{close},{close}");
    }
    let path = scratch().join(format!("{name}.csv"));
    std::fs::write(&path, text).unwrap();
    path
}

/// 270 days that move, then 130 at the last close. Tests run beside each other and share the file, so it is written once.
static HALTED: LazyLock<PathBuf> = LazyLock::new(|| {
    let close = |n: u32| 100.0 * (1.0 + 0.05 * f64::from(n * n).sin());
    prices("halted", (1..=400).map(move |n| close(n.min(270))))
});

/// A price that leaves its peg by a tick now and then.
static PEGGED: LazyLock<PathBuf> = LazyLock::new(|| {
    let tick = |n: u32| 1e-4 * (f64::from(n * n).sin() * 1.6).round();
    prices("pegged", (1..=400).map(move |n| 7.75 + tick(n)))
});

const GBM: &str = "model = \"gbm\"\nvolatility = 0.2";
const HESTON: &str =
    "model = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\nrho = -0.7";
const MERTON: &str = "model = \"merton\"\nvolatility = 0.15\njump_intensity = 5.0\nlog_jump_mean = -0.05\n\
                      log_jump_std = 0.1";

/// Every classical hedge of a straddle, with spot and an option, at costs.
fn hedged(name: &str, model: &str, data: &Path, keys: &str) -> PathBuf {
    let text = format!(
        "name = \"{name}\"\n[market]\n{model}\n[contract]\ntype = \"straddle\"\nexpiry_days = 10\n\
         [costs]\nproportional = 0.002\n\
         [policy]\nhidden = 3\ninstruments = [\"spot\", {{ type = \"put\", strike = 95, expiry_days = 20 }}]\n\
         [training]\nsteps = 2\npaths = 64\nvalidation_paths = 0\n[evaluation]\npaths = 200\n\
         hedges = [\"naked\", \"black_scholes\", \"minimum_variance\", \"whalley_wilmott\", \"delta_vega\"]\n\
         risk_aversion = 1.0\n[optimizers.adam]\n\
         [backtest]\ndata = '{}'\nstart = \"2019-01-02\"\n{keys}\n\
         [walk_forward]\nyears = 1.0\nmonths = 4\n",
        data.display()
    );
    strategy(name, &text)
}

/// The strategies' figures are numbers, and the run is read again.
fn assert_readable(document: &serde_json::Value, runs: &Path) {
    for row in document["backtest"].as_array().unwrap() {
        for key in [
            "premium",
            "pnl_mean",
            "pnl_std",
            "cost_mean",
            "risk",
            "sharpe",
        ] {
            assert!(row[key].is_number(), "{key}: {row}");
        }
    }
    let run = document["run"].as_str().unwrap();
    let output = deephedge(&["report", run, "--runs", runs.to_str().unwrap()], "2");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let shown = deephedge(
        &["runs", "show", run, "--runs", runs.to_str().unwrap()],
        "2",
    );
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success() && !text.contains("NaN"), "{text}");
}

fn refusal(arguments: &[&str]) -> String {
    let output = deephedge(arguments, "2");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    message
}

/// A halted and a pegged stock under every model and every estimate of the variance: figures, and runs that are read again.
/// While the price stands at the strike, a straddle's realised variance, premium and P&L are zero but for costs.
#[test]
fn halted_and_pegged_prices_are_backtested() {
    let (halted, pegged) = (&*HALTED, &*PEGGED);
    let mut cases = vec![(MERTON, halted, "model"), (HESTON, pegged, "model")];
    for variance in ["model", "realised", "exponential", "garman_klass"] {
        cases.push((GBM, halted, variance));
        cases.push((HESTON, halted, variance));
    }
    cases.push((GBM, pegged, "garman_klass"));
    for (index, (model, data, variance)) in cases.into_iter().enumerate() {
        let keys = format!("variance = \"{variance}\"");
        let path = hedged(&format!("degenerate_{index}"), model, data, &keys);
        let runs = path.with_file_name("degenerate.runs");
        let found = document(&["backtest", path.to_str().unwrap()], &runs, "2");
        assert_readable(&found, &runs);
        if model == GBM && data == halted && variance == "realised" {
            let path = hedged("degenerate_late", model, data, &keys);
            let late = ["backtest", path.to_str().unwrap(), "--start", "2019-03-01"];
            let found = document(&late, &runs, "2");
            let rows = found["backtest"].as_array().unwrap();
            assert_eq!(rows[0]["premium"], 0.0);
            assert!(
                rows.iter()
                    .all(|row| row["pnl_std"] == 0.0 && row["sharpe"] == 0.0)
            );
            assert_eq!(rows[0]["pnl_mean"], 0.0);
        }
    }
}

/// Nothing can be estimated from closes that stand still: one line that names the file, its days and the way out, which is
/// to give the parameters. Two rows are too few.
#[test]
fn constant_prices_are_refused_or_given_parameters() {
    let data = prices("constant", std::iter::repeat_n(7.75, 400));
    let two = prices("two_rows", [100.0, 101.0].into_iter());
    for (name, model) in [("gbm", GBM), ("heston", HESTON), ("merton", MERTON)] {
        let path = hedged(&format!("constant_{name}"), model, &data, "");
        let runs = path.with_file_name("constant.runs");
        let runs = runs.to_str().unwrap();
        let message = refusal(&["backtest", path.to_str().unwrap(), "--runs", runs]);
        let expected = "constant.csv: closes of 2018-01-01 to 2019-01-01: estimation needs returns that vary, all 261 are 0";
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("backtest.parameters"), "{message}");
        assert!(!Path::new(runs).exists());
        let message = refusal(&["calibrate", name, "--history", data.to_str().unwrap()]);
        assert!(
            message.contains("constant.csv: closes of 2018-01-01"),
            "{message}"
        );
        for file in [&two, &data] {
            refusal(&["calibrate", name, "--history", file.to_str().unwrap()]);
        }
    }
    for (name, model) in [("gbm", GBM), ("heston", HESTON)] {
        let keys = "parameters = \"strategy\"\nvariance = \"garman_klass\"";
        let path = hedged(&format!("given_{name}"), model, &data, keys);
        let runs = path.with_file_name("given.runs");
        let found = document(&["backtest", path.to_str().unwrap()], &runs, "2");
        assert_readable(&found, &runs);
    }
}

/// Parameters that the data do not determine are named on standard error, in the document, in the run and on its page.
#[test]
fn undetermined_parameters_are_named() {
    let data = &*PEGGED;
    let history = data.to_str().unwrap();
    let output = deephedge(
        &["calibrate", "heston", "--history", history, "--json"],
        "2",
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("null") && !text.contains("NaN"), "{text}");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let at_bound = document["at_bound"].as_array().unwrap();
    let not_identified = document["not_identified"].as_array().unwrap();
    let names: Vec<&str> = at_bound
        .iter()
        .chain(not_identified)
        .filter_map(|name| name.as_str())
        .collect();
    assert!(!names.is_empty(), "{document}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("deephedge: warning: "), "{said}");
    for name in &names {
        assert!(said.contains(name), "{said}");
        assert!(
            document["standard_errors"].get(name).is_none(),
            "{document}"
        );
    }
    assert_eq!(document["warnings"].as_array().unwrap().len(), 1);

    let path = hedged("undetermined", HESTON, data, "");
    let runs = path.with_extension("runs");
    let arguments = ["backtest", path.to_str().unwrap(), "--json", "--runs"];
    let output = deephedge(&[&arguments[..], &[runs.to_str().unwrap()]].concat(), "2");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("warning") && said.contains("do not determine"),
        "{said}"
    );
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let market = &document["backtest_market"];
    let count = |key: &str| market[key].as_array().map_or(0, Vec::len);
    assert!(count("at_bound") + count("not_identified") > 0, "{market}");
    assert_eq!(document["warnings"].as_array().unwrap().len(), 1);
    let report = runs
        .join(document["run"].as_str().unwrap())
        .join("report.html");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.contains("Not determined by the returns"));
}

/// A walk-forward whose windows end in the halt, and one on a pegged price: figures, and runs that are read again.
#[test]
fn halts_are_walked_over() {
    for (name, model, data, variance) in [
        ("walk_gbm", GBM, &HALTED, "garman_klass"),
        ("walk_heston", HESTON, &HALTED, "model"),
        ("walk_pegged", GBM, &PEGGED, "realised"),
    ] {
        let keys = format!("variance = \"{variance}\"\nspacing = \"monthly\"");
        let path = hedged(name, model, data, &keys);
        let runs = path.with_extension("runs");
        let arguments = ["backtest", path.to_str().unwrap(), "--walk-forward"];
        let found = document(&arguments, &runs, "2");
        assert_readable(&found, &runs);
        let windows = found["walk_forward"]["windows"].as_array().unwrap();
        assert!(windows.len() > 1, "{found}");
        let run = runs.join(found["run"].as_str().unwrap());
        let page = std::fs::read_to_string(run.join("walk_forward.md")).unwrap();
        assert!(!page.contains("NaN"), "{page}");
    }
}

/// Surfaces from the command line: an exchange rate's in percent is that of its fractions, quotes that are none are named,
/// and a chain is read by the day that is asked for.
#[test]
fn surfaces_are_read_in_their_unit() {
    let rows = |unit: f64| {
        let mut text = "spot,strike,expiry_days,implied_vol\n".to_owned();
        for (days, level) in [(30, 6.5), (90, 7.0), (180, 7.5), (365, 8.0)] {
            for strike in [0.95, 1.025, 1.1, 1.175, 1.25] {
                let volatility: f64 = level + 60.0 * (strike - 1.12f64).powi(2);
                let _ = writeln!(text, "1.1,{strike},{days},{}", volatility * unit);
            }
        }
        text
    };
    let calibrated = |name: &str, text: &str, options: &[&str]| {
        let path = scratch().join(format!("surface_{name}.csv"));
        std::fs::write(&path, text).unwrap();
        let arguments = ["calibrate", "--surface", path.to_str().unwrap(), "--json"];
        let output = deephedge(&[&arguments[..], options].concat(), "2");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (document, said)
    };
    let (percent, _) = calibrated("percent", &rows(1.0), &[]);
    let (fractions, _) = calibrated("fraction", &rows(0.01), &[]);
    assert_eq!(percent["volatility_unit"], "percent");
    assert_eq!(fractions["volatility_unit"], "fraction");
    let quoted = |document: &serde_json::Value| -> Vec<f64> {
        let quotes = document["quotes"].as_array().unwrap().iter();
        quotes
            .map(|quote| quote["implied_volatility"].as_f64().unwrap())
            .collect()
    };
    let pairs = quoted(&percent).into_iter().zip(quoted(&fractions));
    assert!(pairs.clone().count() == 20 && pairs.clone().all(|(a, b)| (a - b).abs() < 1e-12));
    let error = |document: &serde_json::Value| document["root_mean_square_error"].as_f64().unwrap();
    assert!((error(&percent) - error(&fractions)).abs() < 1e-3);
    assert!(error(&percent) < 1.0);

    let holed = rows(1.0) + "1.1,1.3,365,\n";
    let (document, said) = calibrated("holed", &holed, &[]);
    assert!(said.contains("row 21 (no implied volatility)"), "{said}");
    assert_eq!(document["dropped"][0]["row"], 21);

    let mut chain = "[QUOTE_DATE], [UNDERLYING_LAST], [DTE], [C_IV], [STRIKE], [P_IV]\n".to_owned();
    for (day, shift) in [("2021-12-20", 0.0), ("2021-12-21", 0.1)] {
        for days in [31, 92] {
            for strike in [90, 95, 100, 105, 110] {
                let smile = 0.2 + shift - 0.002 * f64::from(strike - 100);
                let _ = writeln!(chain, "{day}, 100.0, {days}, {smile}, {strike}, {smile}");
            }
        }
    }
    let (document, _) = calibrated("chain", &chain, &["--date", "2021-12-20"]);
    assert_eq!(document["date"], "2021-12-20");
    let quotes = document["quotes"].as_array().unwrap();
    assert_eq!(
        (quotes.len(), &quotes[2]["implied_volatility"]),
        (10, &0.2.into())
    );
    let path = scratch().join("surface_chain.csv");
    let message = refusal(&["calibrate", "--surface", path.to_str().unwrap()]);
    assert!(
        message.contains("quotes of 2 days") && message.contains("--date"),
        "{message}"
    );
}

/// A single contract has a P&L and no spread: its deviation and Sharpe ratio are undefined, and no NaN is printed.
#[test]
fn a_single_contract_has_no_spread() {
    let text = SMALL.replace("[optimizers.adam]", "")
        + &format!(
            "[backtest]\ndata = '{HISTORY}'\nparameters = \"strategy\"\nstart = \"2010-01-04\"\n\
             end = \"2010-01-04\"\n"
        );
    let path = strategy("single", &text);
    let runs = path.with_extension("runs");
    let file = path.to_str().unwrap();
    let found = document(&["backtest", file], &runs, "2");
    let row = &found["backtest"][0];
    assert_eq!(row["paths"], 1);
    assert!(row["pnl_mean"].is_number() && row["pnl_std"].is_null() && row["sharpe"].is_null());
    let shown = deephedge(&["backtest", file, "--runs", runs.to_str().unwrap()], "2");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("n/a") && !shown.contains("NaN"), "{shown}");
}
