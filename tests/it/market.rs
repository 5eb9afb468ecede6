use super::*;

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
    // Without a hedge the CVaR of the payoff, which no hedged price may exceed.
    let indifference = document["indifference"].as_array().unwrap();
    let of = |index: usize| number(&indifference[index]["value"]);
    assert_eq!(indifference[0]["strategy"], "naked");
    assert!(model < of(1) && of(1) < of(0));
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
