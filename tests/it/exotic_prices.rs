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

/// The rows of `tests/reference/exotics_discrete.json` that `written` makes strategies of, with their numbers.
fn rows(written: fn(&Value) -> Option<String>) -> Vec<(usize, Value, String)> {
    let text = include_str!("../reference/exotics_discrete.json");
    let reference: Value = serde_json::from_str(text).unwrap();
    let rows = reference["rows"].as_array().unwrap().iter().enumerate();
    rows.filter_map(|(index, row)| written(row).map(|text| (index, row.clone(), text)))
        .collect()
}

/// `price` of every row of `tests/reference/exotics_discrete.json` on one asset: within the row's tolerance and three
/// standard errors, each at most 5·10⁻⁴ of the spot; American options within 1 %.
#[test]
fn exotic_contracts_have_the_published_prices() {
    let rows = rows(contract);
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

/// The market and contract of a row on two assets.
fn of_two_assets(row: &Value) -> Option<String> {
    let contract = match row["product"].as_str().unwrap() {
        "exchange" => "type = \"exchange\"\n".to_string(),
        rainbow => format!(
            "type = \"{}_{}\"\nstrike = {}\n",
            rainbow.strip_prefix("two_asset_")?,
            row["kind"].as_str()?,
            row["strike"]
        ),
    };
    let second = &row["second"];
    let days = (365.0 * row["expiry"].as_f64()?).round();
    Some(format!(
        "name = \"row\"\n[market]\nrate = {}\ncorrelation = [[1.0, {rho}], [{rho}, 1.0]]\n\
         [market.assets.a]\nmodel = \"gbm\"\nspot = {}\nvolatility = {}\ndividend = {}\n\
         [market.assets.b]\nmodel = \"gbm\"\nspot = {}\nvolatility = {}\ndividend = {}\n\
         [contract]\n{contract}expiry_days = {days}\ndays_per_year = 365\nsteps = 30\n\
         [evaluation]\npaths = 1000\nhedges = [\"naked\", \"black_scholes\"]\n",
        row["rate"],
        row["spot"],
        row["vol"],
        row["dividend"],
        second["spot"],
        second["vol"],
        second["dividend"],
        rho = row["correlation"],
    ))
}

/// `price` of every row of `tests/reference/exotics_discrete.json` on two assets is a formula within the row's tolerance, and the
/// delta hedge of both assets leaves less risk than none.
#[test]
fn contracts_on_two_assets_have_the_published_prices() {
    let rows = rows(of_two_assets);
    assert_eq!(rows.len(), 18);
    rows.par_iter().for_each(|(index, row, text)| {
        let number = |value: &Value| value.as_f64().unwrap();
        let path = strategy(&format!("two-assets-{index}"), text);
        let runs = path.with_extension("runs");
        let found = document(&["price", path.to_str().unwrap()], &runs, "1");
        assert_eq!(found["model_price_method"], "formula", "{found}");
        let price = number(&found["model_price"]);
        assert!(
            (price - number(&row["price"])).abs() < number(&row["tolerance"]),
            "{row}: {found}"
        );
        let indifference = |hedge: &str| {
            let all = found["indifference"].as_array().unwrap();
            number(&all.iter().find(|one| one["strategy"] == hedge).unwrap()["value"])
        };
        assert!(
            indifference("black_scholes") - price < 0.7 * (indifference("naked") - price),
            "{row}: {found}"
        );
    });
}

/// `price` of the rows of `tests/reference/exotics.json` that are contracts of a strategy, which are those without a barrier, an
/// average or an extreme watched all the time: digital options and forward starts, by formula and to 10⁻⁸.
#[test]
fn european_exotics_have_the_published_prices() {
    let text = include_str!("../reference/exotics.json");
    let reference: Value = serde_json::from_str(text).unwrap();
    let contract = |row: &Value| {
        let kind = row["kind"].as_str()?;
        Some(match row["product"].as_str()? {
            "cash_or_nothing" => format!(
                "type = \"digital_{kind}\"\nstrike = {}\ncash = {}\nsteps = 5\n",
                row["strike"], row["cash"]
            ),
            "forward_start" => format!(
                "type = \"forward_start_{kind}\"\nmoneyness = {}\nstart_days = {}\nsteps = 365\n",
                row["moneyness"],
                (365.0 * row["reset"].as_f64()?).round()
            ),
            _ => return None,
        })
    };
    let rows = reference["rows"].as_array().unwrap().iter();
    let rows: Vec<(&Value, String)> = rows
        .filter_map(|row| contract(row).map(|contract| (row, contract)))
        .collect();
    assert_eq!(rows.len(), 12);
    rows.par_iter().enumerate().for_each(|(index, (row, contract))| {
        let text = format!(
            "name = \"row\"\n[market]\nmodel = \"gbm\"\nspot = {}\nvolatility = {}\nrate = {}\ndividend = {}\n\
             [contract]\n{contract}expiry_days = 365\ndays_per_year = 365\n\
             [evaluation]\npaths = 1000\nhedges = [\"naked\"]\n",
            row["spot"], row["vol"], row["rate"], row["dividend"]
        );
        let path = strategy(&format!("european-exotic-{index}"), &text);
        let runs = path.with_extension("runs");
        let found = document(&["price", path.to_str().unwrap()], &runs, "1");
        assert_eq!(found["model_price_method"], "formula", "{found}");
        let error = found["model_price"].as_f64().unwrap() - row["price"].as_f64().unwrap();
        assert!(error.abs() < 1e-8, "{row}: {found}");
    });
}
