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
    let runs = path.with_extension("crossings");
    let found = document(&["cross", file, "--seeds", "2"], &runs, "2");
    let results = found["results"].as_array().unwrap();
    // Two optimizers and four hedges, three markets by three.
    assert_eq!(results.len(), 6 * 9);
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
    measured_in_parts(&runs.join(found["run"].as_str().unwrap()));
    goes_on(&runs, &found);
}

/// After the last step, whoever watches is told of every part of the measuring: hedges searched for in three markets, and two optimizers
/// and four hedges tested in each of these.
fn measured_in_parts(folder: &Path) {
    let progress = std::fs::read_to_string(folder.join("progress.jsonl")).unwrap();
    let events: Vec<serde_json::Value> = progress
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last_step = events.iter().rposition(|event| event["event"] == "step");
    let after = events[last_step.unwrap() + 1..].iter();
    let parts: Vec<(u64, u64)> = after
        .filter(|event| event["event"] == "measured")
        .map(|event| {
            (
                event["done"].as_u64().unwrap(),
                event["of"].as_u64().unwrap(),
            )
        })
        .collect();
    let all = 3 * (1 + 2 + 4);
    let expected: Vec<(u64, u64)> = (1..=all).map(|done| (done, all)).collect();
    assert_eq!(parts, expected);
}

/// The run is listed and shown, its table is a file, and without the marks of its end and of one training it goes on to the
/// same bits.
fn goes_on(runs: &Path, found: &serde_json::Value) {
    let id = found["run"].as_str().unwrap();
    let folder = runs.join(id);
    let listed = document(&["runs", "list"], runs, "1");
    assert_eq!(listed["runs"][0]["state"], "complete");
    let shown = document(&["runs", "show", id], runs, "1");
    assert_eq!(shown["crossed"], found["results"]);
    let report = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("tested in turbulent"));
    let table = std::fs::read(folder.join("crossed.parquet")).unwrap();
    let policy = folder.join("policies/kfac-in_jumps-4.safetensors");
    // The header's metadata come in any order.
    let weights = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        bytes[8 + header as usize..].to_vec()
    };
    let trained = weights(&policy);
    std::fs::remove_file(folder.join("metrics.json")).unwrap();
    std::fs::remove_file(folder.join("trainings/kfac-in_jumps-4.json")).unwrap();
    std::fs::remove_file(&policy).unwrap();
    let again = document(&["cross", "--resume", id], runs, "1");
    assert_eq!(again, *found);
    assert!(weights(&policy) == trained);
    assert_eq!(
        std::fs::read(folder.join("crossed.parquet")).unwrap(),
        table
    );
}

/// Markets that are missing or wrong are named.
#[test]
fn bad_markets_are_refused() {
    for (name, more, expected) in [
        ("none", "", "`markets` is missing"),
        (
            "wrong",
            "[markets.wrong]\nrho = 2.0\n",
            "`markets.wrong.rho` must be in (-1, 1), was 2",
        ),
        (
            "named",
            "[markets.\"a/b\"]\nrho = 0.5\n",
            "`markets.a/b`: a name must be of letters, digits, - and _",
        ),
        (
            "stopped",
            "[markets.other]\nmodel = \"gbm\"\n",
            "`markets.other.volatility` is missing",
        ),
    ] {
        let path = strategy(&format!("cross-{name}"), &(SMALL.to_string() + more));
        let output = deephedge(&["cross", path.to_str().unwrap()], "1");
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{name}: {message}");
    }
}
