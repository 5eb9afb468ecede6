use super::*;

/// Heston model price against its simulation, four standard errors of as many paths as the strategy says.
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
    // Without a hedge the CVaR of the payoff, which no hedged price may exceed.
    let indifference = document["indifference"].as_array().unwrap();
    let of = |index: usize| number(&indifference[index]["value"]);
    assert_eq!(indifference[0]["strategy"], "naked");
    assert!(model < of(1) && of(1) < of(0));
    let bound = 4.0 * number(&simulated["standard_error"]);
    assert!((number(&simulated["value"]) - model).abs() < bound);
    assert_eq!(simulated["paths"], 2000);
    assert_eq!(document["prices_agree"], true);
    assert!(output.stderr.is_empty());
}

/// A year in one period under a variance that is near 0 most of the time: the price of the formula, without a word.
#[test]
fn coarse_grids_are_priced_rightly() {
    let coarse = SMALL
        .replace("sigma = 0.3", "sigma = 2.0")
        .replace("expiry_days = 10", "expiry_days = 365\nsteps = 1")
        .replace("paths = 2000", "paths = 100000\nhedges = [\"naked\"]");
    let path = strategy("coarse", &coarse);
    let output = deephedge(&["price", path.to_str().unwrap(), "--json"], "2");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["prices_agree"], true, "{document}");
    assert!(output.stderr.is_empty());
}

/// What would hold more memory than half of the machine's is refused with the figure, before any folder or file is made.
#[test]
fn too_much_memory_is_refused() {
    let large = SMALL
        .replace("expiry_days = 10", "expiry_days = 10\nsteps = 100000")
        .replace("paths = 256", "paths = 90000000");
    let path = strategy("memory", &large);
    let runs = path.with_extension("runs");
    let out = path.with_extension("parquet");
    let (path, folder) = (path.to_str().unwrap(), runs.to_str().unwrap());
    let paths = ["--paths", "4000000000", "--out", out.to_str().unwrap()];
    for arguments in [
        vec!["train", path, "--runs", folder],
        vec!["compare", path, "--runs", folder],
        [vec!["simulate", path], paths.to_vec()].concat(),
    ] {
        let output = deephedge(&arguments, "2");
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(
            message.starts_with("deephedge: needs ") && message.contains("GB of memory"),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1);
    }
    assert!(!runs.exists() && !out.exists());
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
