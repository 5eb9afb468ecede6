use super::*;
use rayon::prelude::*;
use serde_json::Value;

/// What the rows of `tests/reference/exotics_discrete.json` call a product, as a contract of a strategy.
fn contract(row: &Value) -> Option<String> {
    let product = row["product"].as_str().unwrap();
    let kind = row["kind"].as_str().unwrap_or_default();
    let days = (365.0 * row["expiry"].as_f64().unwrap()).round();
    let text = match product {
        "american" => format!("type = \"american_{kind}\"\nsteps = 100\n"),
        // The fixings of the rows fall on whole days.
        "geometric_asian_discrete" => format!(
            "type = \"asian_{kind}\"\naverage = \"geometric\"\nfixings = {}\nsteps = {days}\n",
            row["fixings"]
        ),
        barrier if barrier.starts_with("barrier_discrete_") => format!(
            "type = \"{}_{kind}\"\nbarrier = {}\nsteps = {}\n",
            barrier.trim_start_matches("barrier_discrete_"),
            row["barrier"],
            row["monitoring"]
        ),
        _ => return None,
    };
    let strike = &row["strike"];
    Some(format!(
        "[contract]\n{text}strike = {strike}\nexpiry_days = {days}\ndays_per_year = 365\n"
    ))
}

/// `price` of every row of `tests/reference/exotics_discrete.json` on one asset: within the row's tolerance and three
/// standard errors, each at most 5·10⁻⁴ of the spot; American options within 1 %.
#[test]
fn exotic_contracts_have_the_published_prices() {
    let text = include_str!("../reference/exotics_discrete.json");
    let reference: Value = serde_json::from_str(text).unwrap();
    let rows = reference["rows"].as_array().unwrap();
    let rows: Vec<(usize, &Value, String)> = rows
        .iter()
        .enumerate()
        .filter_map(|(index, row)| contract(row).map(|contract| (index, row, contract)))
        .collect();
    assert_eq!(rows.len(), 48);
    rows.par_iter().for_each(|(index, row, contract)| {
        let number = |value: &Value| value.as_f64().unwrap();
        let text = format!(
            "name = \"row\"\n[market]\nmodel = \"gbm\"\nspot = 100\nvolatility = {}\nrate = {}\ndividend = {}\n\
             {contract}[evaluation]\npaths = 1000\nhedges = [\"naked\"]\n",
            row["vol"], row["rate"], row["dividend"]
        );
        let path = strategy(&format!("exotic-{index}"), &text);
        let found = document(
            &["price", path.to_str().unwrap()],
            &path.with_extension("runs"),
            "1",
        );
        let (price, expected) = (number(&found["model_price"]), number(&row["price"]));
        let error = number(&found["model_price_standard_error"]);
        let tolerance = match row["product"].as_str().unwrap() {
            "american" => 0.01 * expected,
            _ => number(&row["tolerance"]),
        };
        assert!(error < 5e-4 * 100.0, "{found}");
        assert!((price - expected).abs() < tolerance + 3.0 * error, "{row}: {found}");
        let simulated = found["model_price_method"] == "simulation";
        assert_eq!(simulated, error > 0.0, "{found}");
    });
}
