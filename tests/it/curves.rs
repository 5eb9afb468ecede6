use super::*;
use serde_json::Value;

/// Rates and yields that change within the ten days of the contract.
fn curved(text: &str) -> String {
    let market = "[market]\nrate = [[4, -0.2], [20, 0.3]]\ndividend = [[5, 0.1], [30, 0.0]]\n";
    text.replace("[market]\n", market)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// A call has the price and the delta of the averages over its life, (−0.2·4 + 0.425·6)/10 and (0.1·5 − 0.02·5)/10; its theta
/// is that of the forward rates of the first day; the simulation agrees.
#[test]
fn a_call_has_the_price_of_the_averages() {
    let priced = |name: &str, text: &str| {
        let path = strategy(name, text);
        let output = deephedge(&["price", path.to_str().unwrap(), "--json"], "2");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["prices_agree"], true, "{document}");
        document
    };
    let flat = SMALL.replace("[market]\n", "[market]\nrate = 0.175\ndividend = 0.04\n");
    let (curved, flat) = (priced("curve", &curved(SMALL)), priced("no_curve", &flat));
    let greek = |of: &Value, name: &str| number(&of["greeks"][name]);
    let price = number(&flat["model_price"]);
    assert!((number(&curved["model_price"]) - price).abs() < 1e-10);
    let delta = greek(&flat, "delta");
    assert!((greek(&curved, "delta") - delta).abs() < 1e-10);
    let more = (-0.2 - 0.175) * (price - 100.0 * delta) + (0.1 - 0.04) * 100.0 * delta;
    let theta = greek(&curved, "theta") - greek(&flat, "theta");
    assert!((theta - more).abs() < 1e-7, "{theta} {more}");
}

/// Policies train, compare and go to history under curves, hedging with an option too. Who sells at the model's price and hedges not
/// at all earns nothing on average, z-bound 4, and the parts of a P&L on history add up.
#[test]
fn policies_are_trained_and_tested_under_curves() {
    let text = curved(SMALL).replace(
        "[policy]",
        "[policy]\ninstruments = [\"spot\", { type = \"put\", strike = 98, expiry_days = 25 }]",
    ) + &format!(
        "[backtest]\ndata = '{HISTORY}'\nstart = \"2016-01-01\"\nend = \"2017-12-31\"\n"
    );
    let path = strategy("trained_on_curves", &text);
    let found = compare(&path, "2");
    let rows = found["evaluation"].as_array().unwrap();
    let naked = rows.iter().find(|row| row["strategy"] == "naked").unwrap();
    let error = number(&naked["pnl_std"]) / number(&naked["paths"]).sqrt();
    let mean = number(&naked["pnl_mean"]);
    assert!(mean.abs() < 4.0 * error, "{mean} ± {error}");
    for row in rows.iter().chain(found["backtest"].as_array().unwrap()) {
        assert!(number(&row["cvar"]["0.95"]).is_finite(), "{row}");
    }
    let run = only_run(&path.with_extension("runs")).unwrap();
    let written = std::fs::read_to_string(run.join("strategy.toml")).unwrap();
    assert!(
        written.contains("rate = [[4.0, -0.2], [20.0, 0.3]]"),
        "{written}"
    );
    // Of a closed form that takes rates to be the same there is none, and another hedge stands in.
    let barrier = curved(SMALL).replace(
        "[contract]\n",
        "[contract]\ntype = \"down_and_out_call\"\nbarrier = 95\n",
    );
    let path = strategy("barrier_on_curves", &barrier);
    let found = document(
        &["price", path.to_str().unwrap()],
        &path.with_extension("runs"),
        "2",
    );
    assert_eq!(found["model_price_method"], "simulation");
    assert_eq!(found["prices_agree"], true, "{found}");
    let hedges = found["indifference"].as_array().unwrap();
    assert_eq!(hedges[1]["strategy"], "hedged_monte_carlo");
}

/// A walk-forward on bootstrapped returns, and its page, which says what the rate is on average.
#[test]
fn a_walk_forward_says_its_rates() {
    let text = curved(SMALL).replace("steps = 14", "steps = 3")
        + &format!(
            "[backtest]\ndata = '{HISTORY}'\nstart = \"2016-01-01\"\nspacing = \"monthly\"\n\
             [walk_forward]\nyears = 3.0\nmonths = 60\npaths = \"bootstrap\"\n"
        );
    let path = strategy("walk_on_curves", &text);
    let page = path.with_extension("md");
    let arguments = [
        "backtest",
        path.to_str().unwrap(),
        "--walk-forward",
        "--page",
    ];
    let arguments = [&arguments[..], &[page.to_str().unwrap()]].concat();
    document(&arguments, &path.with_extension("runs"), "2");
    let text = std::fs::read_to_string(&page).unwrap();
    let line = text.lines().find(|line| line.contains("dividend yield"));
    let line = line.unwrap();
    assert_eq!(line.matches("on average until expiry").count(), 2, "{line}");
}
