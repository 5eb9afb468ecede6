use super::*;
use deephedge::contract::OptionKind;
use deephedge::pricing::BlackScholes;

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

/// The slices that `calibrate` prints for a surface are the section of a strategy, whose prices have the implied volatilities of the surface:
/// of the DAX's call of 345 days at 4400 within half a point. A model that no surface determines is refused.
#[test]
fn a_surface_becomes_a_local_volatility() {
    let surface =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("market_data/dax_2002-07-05_implied_vols.csv");
    let surface = surface.to_str().unwrap();
    let output = deephedge(
        &["calibrate", "local_volatility", "--surface", surface],
        "2",
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let section = String::from_utf8(output.stdout).unwrap();
    let text = format!(
        "{section}\nspot = 4468.17\nrate = 0.0368\n[contract]\nexpiry_days = 345\nsteps = 4\nstrike = 4400\n[evaluation]\npaths = 20000\nhedges = [\"naked\"]\n"
    );
    let path = strategy("dax", &text);
    let output = deephedge(&["price", path.to_str().unwrap(), "--json"], "2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["model_price_method"], "finite_differences");
    assert_eq!(document["prices_agree"], true);
    let option = BlackScholes {
        kind: OptionKind::Call,
        spot: 4468.17,
        strike: 4400.0,
        expiry: 345.0 / 365.0,
        rate: 0.0368,
        dividend: 0.0,
        volatility: 0.2,
    };
    let price = document["model_price"].as_f64().unwrap();
    let found = option.implied_volatility(price).unwrap();
    assert!((found - 0.2722).abs() < 0.005, "{found}");
    let output = deephedge(&["calibrate", "kou", "--surface", surface], "2");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        message.contains("only \"heston\" and \"local_volatility\" are calibrated"),
        "{message}"
    );
    let few = strategy("few", "").with_extension("csv");
    let rows = "spot,strike,expiry_days,implied_vol\n100,90,30,0.2\n100,100,30,0.19\n100,110,30,0.18\n100,90,60,0.2\n100,100,60,0.2\n";
    std::fs::write(&few, rows).unwrap();
    let few = few.to_str().unwrap();
    let output = deephedge(&["calibrate", "local_volatility", "--surface", few], "2");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        message.contains(few) && message.contains("no expiry with 5 quotes"),
        "{message}"
    );
}
