//! Black-box runs of the binary.

use std::path::PathBuf;
use std::process::{Command, Output};

const SMALL: &str = r#"
name = "small"
seed = 3
[market]
model = "heston"
v0 = 0.04
kappa = 1.5
theta = 0.04
sigma = 0.3
rho = -0.7
[contract]
expiry_days = 10
[costs]
proportional = 0.002
[policy]
hidden = 6
[training]
steps = 14
paths = 256
[evaluation]
paths = 2000
[optimizers.adam]
[optimizers.kfac]
curvature_paths = 64
radius_paths = 64
"#;

fn strategy(name: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("deephedge-it-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, text).unwrap();
    path
}

fn deephedge(arguments: &[&str], threads: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_deephedge"))
        .args(arguments)
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .unwrap()
}

fn compare(path: &std::path::Path, threads: &str) -> serde_json::Value {
    let runs = path.with_extension("runs");
    let output = deephedge(
        &[
            "compare",
            path.to_str().unwrap(),
            "--json",
            "--runs",
            runs.to_str().unwrap(),
        ],
        threads,
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn remove_times(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(entries) => {
            for key in ["run", "created", "seconds", "baseline_seconds"] {
                entries.remove(key);
            }
            entries.values_mut().for_each(remove_times);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(remove_times),
        _ => {}
    }
}

/// Black–Scholes delta on real history: the three settings of `tests/reference/backtest_sp500.json`, which a
/// separate program in numpy wrote, every figure within 1e-9.
#[test]
fn backtest_equals_the_independent_reference() {
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../reference/backtest_sp500.json")).unwrap();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/market_data/sp500_daily.csv");
    for (index, row) in reference["rows"].as_array().unwrap().iter().enumerate() {
        let path = format!(
            "{}/tests/strategies/backtest_{}.toml",
            env!("CARGO_MANIFEST_DIR"),
            index + 1
        );
        let runs = std::env::temp_dir().join(format!("deephedge-it-{}", std::process::id()));
        let runs = runs.join("reference-runs");
        let runs = runs.to_str().unwrap();
        let arguments = ["backtest", &path, "--data", data, "--json", "--runs", runs];
        let output = deephedge(&arguments, "2");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
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

/// The same seed gives the same bits on one thread and on two, apart from times.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let path = strategy("threads", SMALL);
    let without_times = |threads: &str| {
        let run = compare(&path, threads)["run"].as_str().unwrap().to_string();
        let metrics = path.with_extension("runs").join(run).join("metrics.json");
        let mut document: serde_json::Value =
            serde_json::from_slice(&std::fs::read(metrics).unwrap()).unwrap();
        remove_times(&mut document);
        document.to_string()
    };
    assert_eq!(without_times("1"), without_times("2"));
}

/// Hedging with the trained policies leaves less risk than not hedging, and rows carry their standard errors.
#[test]
fn compare_reports_every_strategy() {
    let document = compare(&strategy("compare", SMALL), "2");
    let rows = document["evaluation"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["strategy"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["adam", "kfac", "naked", "black_scholes", "whalley_wilmott"]
    );
    let risk = |index: usize| rows[index]["cvar"]["0.95"].as_f64().unwrap();
    assert!(risk(0) < risk(2) && risk(1) < risk(2));
    for row in rows {
        assert_eq!(row["paths"], 2000);
        for statistic in [
            "pnl_mean",
            "pnl_std",
            "pnl_variance",
            "cost_mean",
            "turnover",
            "sharpe",
        ] {
            let error = row[format!("{statistic}_standard_error")].as_f64().unwrap();
            assert!(
                row[statistic].is_number() && error >= 0.0 && error.is_finite(),
                "{statistic}"
            );
        }
    }
}

/// Heston model price against its simulation, three standard errors and .5 %.
#[test]
fn price_agrees_with_simulation() {
    let path = strategy("price", SMALL);
    let output = deephedge(&["price", path.to_str().unwrap(), "--json"], "2");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let (model, simulated) = (number(&document["model_price"]), &document["simulated"]);
    // An at-the-money call without carry: delta a little above one half, positive gamma and vega, time decay.
    let greek = |name: &str| number(&document["greeks"][name]);
    assert!(
        (0.5..0.6).contains(&greek("delta"))
            && greek("gamma") > 0.0
            && greek("vega") > 0.0
            && greek("theta") < 0.0
    );
    let bound = 3.0 * number(&simulated["standard_error"]) + 0.005 * model;
    assert!((number(&simulated["value"]) - model).abs() < bound);
}

/// Paths come out with one row a date, starting at the spot.
#[test]
fn simulate_writes_every_date_of_every_path() {
    use polars::prelude::{ParquetReader, SerReader};
    let path = strategy("simulate", SMALL);
    let out = path.with_extension("parquet");
    let arguments = [
        "simulate",
        path.to_str().unwrap(),
        "--paths",
        "50",
        "--out",
        out.to_str().unwrap(),
    ];
    assert!(deephedge(&arguments, "2").status.success());
    let table = ParquetReader::new(std::fs::File::open(&out).unwrap())
        .finish()
        .unwrap();
    let names: Vec<&str> = table
        .get_column_names()
        .iter()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(names, ["path", "step", "time", "spot", "variance"]);
    assert_eq!(table.height(), 50 * 11);
    let spot = table.column("spot").unwrap().f64().unwrap();
    assert!((0..50).all(|path| spot.get(path * 11) == Some(100.0)));
}

/// Bad input ends with exit code 2 and one line that names the key, the value and the bound.
#[test]
fn bad_input_is_answered_in_one_line() {
    let replaced = |from: &str, to: &str| {
        assert!(SMALL.contains(from));
        SMALL.replace(from, to)
    };
    for (name, text, expected) in [
        (
            "unknown_key",
            replaced("kappa", "kapa"),
            "unknown field `kapa`",
        ),
        (
            "wrong_type",
            replaced("kappa = 1.5", "kappa = \"fast\""),
            "`market.kappa`",
        ),
        (
            "negative_variance",
            replaced("v0 = 0.04", "v0 = -0.04"),
            "`market.v0` must be positive, was -0.04",
        ),
        (
            "correlation",
            replaced("rho = -0.7", "rho = -1.0"),
            "`market.rho` must be in (-1, 1), was -1",
        ),
        (
            "not_a_number",
            replaced("theta = 0.04", "theta = nan"),
            "`market.theta` must be positive, was NaN",
        ),
        (
            "no_paths",
            replaced("paths = 256", "paths = 0"),
            "`training.paths` must be at least 1, was 0",
        ),
        (
            "missing",
            replaced("sigma = 0.3", ""),
            "`market.sigma` is missing",
        ),
        (
            "foreign_key",
            replaced("v0 = 0.04", "v0 = 0.04\nvolatility = 0.2"),
            "`market.volatility` has no meaning",
        ),
        (
            "level",
            replaced("[policy]", "[risk]\nlevel = 1.0\n[policy]"),
            "`risk.level` must be in [0, 1), was 1",
        ),
        (
            "method",
            replaced("[optimizers.adam]", "[optimizers.sgdx]"),
            "`optimizers.sgdx.method` must be one of",
        ),
        (
            "malformed",
            replaced("[policy]", "[policy"),
            "malformed.toml",
        ),
    ] {
        let path = strategy(name, &text);
        let output = deephedge(
            &["compare", path.to_str().unwrap(), "--runs", "/proc/none"],
            "1",
        );
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{name}: {message}");
        assert!(message.contains(expected), "{name}: {message}");
        assert!(output.stdout.is_empty());
    }
    let path = strategy("unwritable", SMALL);
    let output = deephedge(
        &["compare", path.to_str().unwrap(), "--runs", "/proc/none"],
        "1",
    );
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("/proc/none"), "{message}");
    let output = deephedge(&["compare", "no/such/file.toml"], "1");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("no/such/file.toml")
    );
}
