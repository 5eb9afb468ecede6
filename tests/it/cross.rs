use super::*;

/// Policies trained in the strategy's own market and tested there have the risk that `compare` gives them, to the bit; on
/// the diagonal nothing changes; a hedge that assumes nothing of the market is the same whatever it was made for.
#[test]
fn what_is_tested_at_home_is_the_comparison() {
    let text = SMALL.to_string()
        + "[markets.turbulent]\nv0 = 0.16\ntheta = 0.16\n\
           [markets.jumps]\nmodel = \"merton\"\nvolatility = 0.1\njump_intensity = 20\nlog_jump_mean = -0.01\n\
           log_jump_std = 0.03\n";
    let path = strategy("cross", &text);
    let file = path.to_str().unwrap();
    let output = deephedge(&["cross", file, "--json", "--seeds", "2"], "2");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = found["results"].as_array().unwrap();
    // Two optimizers and three hedges, three markets by three.
    assert_eq!(results.len(), 5 * 9);
    let of = |strategy: &str, made_for: &str, tested_in: &str| {
        let mut results = results.iter();
        results
            .find(|r| {
                r["strategy"] == strategy
                    && r["made_for"] == made_for
                    && r["tested_in"] == tested_in
            })
            .unwrap()
    };
    let compared = document(
        &["compare", file, "--seeds", "2"],
        &path.with_extension("runs"),
        "1",
    );
    let rows = compared["evaluation"].as_array().unwrap();
    for strategy in ["adam", "kfac"] {
        let risks = rows.iter().filter(|row| row["strategy"] == strategy);
        let risks: Vec<f64> = risks.map(|row| row["risk"].as_f64().unwrap()).collect();
        assert_eq!(risks.len(), 2);
        let home = of(strategy, "own", "own")["risk"]["value"]
            .as_f64()
            .unwrap();
        assert_eq!(home, (risks[0] + risks[1]) / 2.0);
        for market in ["own", "turbulent", "jumps"] {
            assert_eq!(of(strategy, market, market)["change"]["value"], 0.0);
        }
        assert_ne!(of(strategy, "own", "turbulent")["change"]["value"], 0.0);
    }
    let naked = |made_for| of("naked", made_for, "turbulent")["risk"].clone();
    assert_eq!(naked("own"), naked("jumps"));
    let delta = |made_for| of("black_scholes", made_for, "turbulent")["risk"].clone();
    assert_ne!(delta("own"), delta("turbulent"));
}

/// Markets that are missing or wrong are named.
#[test]
fn bad_markets_are_refused() {
    for (name, more, expected) in [
        ("none", "", "`markets` is missing"),
        (
            "wrong",
            "[markets.wrong]\nrho = 2.0\n",
            "`markets.wrong`: `market.rho` must be in (-1, 1), was 2",
        ),
        (
            "incomplete",
            "[markets.other]\nmodel = \"gbm\"\n",
            "`markets.other`: `market.volatility` is missing",
        ),
    ] {
        let path = strategy(&format!("cross-{name}"), &(SMALL.to_string() + more));
        let output = deephedge(&["cross", path.to_str().unwrap()], "1");
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{name}: {message}");
    }
}
