use super::*;
use deephedge::simd::{InstructionSet, VARIABLE};

pub fn remove_times(value: &mut serde_json::Value) {
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

/// What a comparison with a variable set gives: its document without times, policies, and the P&L of every path.
fn compared_with(path: &Path, set: (&str, &str)) -> (serde_json::Value, [Vec<u8>; 3]) {
    let runs = path.with_extension("runs");
    let document = document_with(&["compare", path.to_str().unwrap()], &runs, set);
    let run = runs.join(document["run"].as_str().unwrap());
    let metrics = std::fs::read(run.join("metrics.json")).unwrap();
    let mut metrics = serde_json::from_slice(&metrics).unwrap();
    remove_times(&mut metrics);
    let files = [
        "policies/adam-3.safetensors",
        "policies/kfac-3.safetensors",
        "evaluation.parquet",
    ];
    (
        metrics,
        files.map(|file| std::fs::read(run.join(file)).unwrap()),
    )
}

/// The same seed gives the same bits on one thread and on two, apart from times: numbers, policies, and the P&L of every
/// path.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let path = strategy("threads", SMALL);
    let on = |threads: &str| compared_with(&path, ("RAYON_NUM_THREADS", threads));
    assert_eq!(on("1"), on("2"));
}

/// Instruction sets with fused multiply-add give the same bits. One without it rounds otherwise, and the figures of the same training
/// are the same to three digits.
#[test]
fn results_do_not_depend_on_the_instruction_set() {
    let path = strategy("instruction_sets", SMALL);
    let on = |set: InstructionSet| compared_with(&path, (VARIABLE, set.name()));
    let best = on(InstructionSet::best());
    let risk = |metrics: &serde_json::Value, row: usize| {
        let risk = &metrics["evaluation"][row]["cvar"]["0.95"];
        risk.as_f64().unwrap()
    };
    for set in InstructionSet::available().skip(1) {
        let other = on(set);
        match set {
            InstructionSet::Avx512 | InstructionSet::Avx2 | InstructionSet::Neon => {
                assert!(other == best, "{}", set.name());
            }
            InstructionSet::Sse2 | InstructionSet::Portable => {
                assert_ne!(other.1, best.1, "{} was asked for", set.name());
                for row in 0..best.0["evaluation"].as_array().unwrap().len() {
                    let (best, other) = (risk(&best.0, row), risk(&other.0, row));
                    assert!((other / best - 1.0).abs() < 1e-3, "{row}: {best}, {other}");
                }
            }
        }
    }
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
        [
            "adam",
            "kfac",
            "naked",
            "black_scholes",
            "whalley_wilmott",
            "zakamouline"
        ]
    );
    let risk = |index: usize| rows[index]["cvar"]["0.95"].as_f64().unwrap();
    // The best classical hedge is one of the rows, with its own risk, and each policy is measured against it.
    let best = document["best_classical"].as_array().unwrap();
    assert!(!best.is_empty());
    let row = rows
        .iter()
        .find(|row| row["strategy"] == best[0]["strategy"]);
    let row = row.unwrap();
    assert!(row["seed"].is_null());
    let simulated = &best[0]["simulated"];
    assert_eq!(simulated["risk"], row["risk"]);
    for (policy, index) in simulated["policies"].as_array().unwrap().iter().zip(0..) {
        assert_eq!(policy["strategy"], names[index]);
        let difference = rows[index]["risk"].as_f64().unwrap() - row["risk"].as_f64().unwrap();
        assert!((policy["difference"].as_f64().unwrap() - difference).abs() < 1e-9);
    }
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

/// The resolved strategy states every default, and running it gives the same numbers.
#[test]
fn the_resolved_strategy_repeats_the_run() {
    let path = strategy("resolved", SMALL);
    let first = compare(&path, "2");
    let runs = path.with_extension("runs");
    let resolved = runs
        .join(first["run"].as_str().unwrap())
        .join("strategy.toml");
    let text = std::fs::read_to_string(&resolved).unwrap();
    for key in [
        "damping",
        "strike",
        "beta2",
        "validation_paths",
        "liquidation",
    ] {
        assert!(text.contains(key), "{key} is not in\n{text}");
    }
    let mut first = first;
    let mut second = document(&["compare", resolved.to_str().unwrap()], &runs, "2");
    remove_times(&mut first);
    remove_times(&mut second);
    assert_eq!(first, second);
}

/// `train` trains the one optimizer that it is asked for, like `compare` does, and keeps its policy.
#[test]
fn train_makes_one_policy() {
    let path = strategy("train", SMALL);
    let runs = path.with_extension("runs");
    let arguments = ["train", path.to_str().unwrap(), "--optimizer", "adam"];
    let mut trained = document(&arguments, &runs, "2");
    let run = trained["run"].as_str().unwrap().to_string();
    let policies: Vec<_> = std::fs::read_dir(runs.join(&run).join("policies"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(policies, ["adam-3.safetensors"]);
    let mut compared = compare(&path, "2");
    remove_times(&mut trained);
    remove_times(&mut compared);
    assert_eq!(trained["evaluation"][0], compared["evaluation"][0]);
}

/// A budget of seconds trains for some steps under the same rules; the curve has validation points.
#[test]
fn a_budget_of_seconds_trains() {
    let path = strategy("budget", SMALL);
    let runs = path.with_extension("runs");
    let arguments = ["compare", path.to_str().unwrap(), "--budget", "0.05s"];
    let compared = document(&arguments, &runs, "2");
    assert!(compared["evaluation"][0]["steps"].as_u64().unwrap() >= 1);
    let run = compared["run"].as_str().unwrap();
    let shown = document(&["runs", "show", run], &runs, "1");
    let points = shown["training"][0]["points"].as_array().unwrap();
    assert!(points.last().unwrap()["validation_risk"].is_number());
}

/// Runs are listed, shown, reported again and deleted.
#[test]
fn runs_are_kept_until_deleted() {
    let path = strategy("kept", SMALL);
    let runs = path.with_extension("runs");
    let run = compare(&path, "2")["run"].as_str().unwrap().to_string();
    let listed = document(&["runs", "list"], &runs, "1");
    assert_eq!(listed["runs"][0]["run"], run.as_str());
    let page = path.with_extension("html");
    let arguments = ["report", &run, "--html", page.to_str().unwrap()];
    document(&arguments, &runs, "1");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("</html>") && html.contains("<svg"));
    document(&["runs", "delete", &run], &runs, "1");
    assert_eq!(
        document(&["runs", "list"], &runs, "1")["runs"],
        serde_json::json!([])
    );
}

/// The sweep in candle tensors, the reference, trains to the same figures as the block sweep up to rounding in single
/// precision.
#[test]
fn the_tensor_sweep_trains_alike() {
    let block = compare(&strategy("block", SMALL), "2");
    let text = SMALL.replace("[policy]", "[policy]\nsweep = \"tensor\"");
    let tensor = compare(&strategy("tensor", &text), "2");
    for (index, name) in ["adam", "kfac"].iter().enumerate() {
        let risk =
            |document: &serde_json::Value| document["evaluation"][index]["risk"].as_f64().unwrap();
        let (block, tensor) = (risk(&block), risk(&tensor));
        assert!(
            (tensor / block - 1.0).abs() < 1e-3,
            "{name}: {tensor} against {block}"
        );
    }
}

/// Of the settings that a search of a run trained to the end with four seeds, those were taken whose mean risk is the
/// least, and the strategy's own were among them.
fn assert_best_means_won(run: &Path) {
    let read = |file: &str| std::fs::read_to_string(run.join(file)).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&read("metrics.json")).unwrap();
    let resolved: toml::Table = read("strategy.toml").parse().unwrap();
    for optimizer in ["adam", "kfac"] {
        let trials = metrics["tuning"].as_array().unwrap().iter();
        let trials: Vec<_> = trials
            .filter(|trial| trial["strategy"] == optimizer)
            .collect();
        // Four candidates for a quarter of the length, three for a half, and three with four seeds.
        assert_eq!(trials.len(), 4 + 3 + 3 * 4, "{optimizer}");
        let last = trials.iter().filter(|trial| trial["rung"] == 2);
        let mut finalists: Vec<(f64, &serde_json::Value)> = last
            .collect::<Vec<_>>()
            .chunks_exact(4)
            .map(|trials| {
                let settings = &trials[0]["settings"];
                assert!(trials.iter().all(|trial| &trial["settings"] == settings));
                let risks = trials.iter().map(|trial| trial["risk"].as_f64().unwrap());
                (risks.sum::<f64>() / 4.0, settings)
            })
            .collect();
        let own = &trials[0]["settings"];
        assert!(
            finalists.iter().any(|(_, settings)| *settings == own),
            "{optimizer}"
        );
        finalists.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (key, value) in finalists[0].1.as_object().unwrap() {
            let taken = serde_json::to_value(&resolved["optimizers"][optimizer][key]).unwrap();
            assert_eq!(&taken, value, "{optimizer}: {key}");
        }
    }
}

/// A comparison that was killed while it trained goes on to the bits of one that was not, apart from times: tuning,
/// lengths and further risk levels included.
#[test]
fn a_killed_comparison_resumes_to_the_same_bits() {
    let path = strategy("killed", SMALL);
    let arguments = [
        "compare",
        path.to_str().unwrap(),
        "--tune=4",
        "--lengths=5,9",
        "--frontier=0.5",
        "--seeds=2",
    ];
    let metrics = |runs: &Path, run: &str| {
        let text = std::fs::read(runs.join(run).join("metrics.json")).unwrap();
        let mut document: serde_json::Value = serde_json::from_slice(&text).unwrap();
        remove_times(&mut document);
        document.to_string()
    };
    let whole = path.with_extension("whole");
    let finished = document(&arguments, &whole, "2");
    let run = finished["run"].as_str().unwrap();
    let expected = metrics(&whole, run);
    assert_best_means_won(&whole.join(run));

    // Killed once in the search for settings, and once in the trainings.
    let runs = path.with_extension("runs");
    let folder = || only_run(&runs);
    let files = |kind: &str| {
        let entries = folder().and_then(|run| std::fs::read_dir(run.join(kind)).ok());
        entries.map_or(0, |entries| entries.count())
    };
    let id = || {
        folder()
            .unwrap()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    };
    let mut started = arguments.map(str::to_owned).to_vec();
    for (kind, enough) in [("tuning", 1), ("trainings", 4)] {
        let mut process = Command::new(env!("CARGO_BIN_EXE_deephedge"))
            .args(&started)
            .args(["--runs", runs.to_str().unwrap()])
            .spawn()
            .unwrap();
        while files(kind) < enough && process.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        process.kill().unwrap();
        process.wait().unwrap();
        let listed = document(&["runs", "list"], &runs, "1");
        assert_eq!(listed["runs"][0]["state"], "stopped");
        started = vec!["compare".into(), "--resume".into(), id()];
    }
    let resumed = document(&["compare", "--resume", &id()], &runs, "1");
    assert_eq!(metrics(&runs, resumed["run"].as_str().unwrap()), expected);
    let rows = resumed["lengths"].as_array().unwrap();
    // Two optimizers, three lengths and two seeds.
    assert_eq!(rows.len(), 12);
    assert_eq!(resumed["frontier"].as_array().unwrap().len(), 8);
    let again = deephedge(
        &[
            "compare",
            "--resume",
            &id(),
            "--runs",
            runs.to_str().unwrap(),
        ],
        "1",
    );
    assert_eq!(again.status.code(), Some(2));
}

/// The page of a study comes from compact results alone: the same results give the same page, with a table for every
/// question and figures beside it; damaged results are bad input.
#[test]
fn compact_results_make_the_page() {
    let path = strategy("study", SMALL);
    let runs = path.with_extension("runs");
    let page = path.with_extension("md");
    let mut results = Vec::new();
    for (name, further) in [
        ("tuned", &["--tune=4", "--lengths=5,9"][..]),
        ("default", &["--lengths=5"]),
        ("frontier", &["--frontier=0.5,0.9"]),
    ] {
        let mut arguments = vec!["compare", path.to_str().unwrap(), "--seeds=2"];
        arguments.extend(further);
        let compared = document(&arguments, &runs, "2");
        let out = path.with_extension(format!("{name}.json"));
        let run = compared["run"].as_str().unwrap();
        let out_text = out.to_str().unwrap();
        document(&["runs", "export", run, "--out", out_text], &runs, "1");
        results.push(out_text.to_owned());
    }
    let mut arguments = vec!["report", "--markdown", page.to_str().unwrap()];
    arguments.extend(results.iter().map(String::as_str));
    document(&arguments, &runs, "1");
    let text = std::fs::read_to_string(&page).unwrap();
    for expected in [
        "| kfac | 256 | 14 |",
        "### Steps and seconds to a level",
        "### After the same seconds",
        "### The hedges at the same risk",
        "| 0.5 | kfac |",
        "### Default and tuned settings",
        "| *as published* | −78.3 % | −34.4 % |",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    for figure in ["steps", "seconds", "ends", "frontier"] {
        let file = page.with_extension("").join(format!("small-{figure}.svg"));
        assert!(file.is_file(), "{}", file.display());
    }
    document(&arguments, &runs, "2");
    assert_eq!(std::fs::read_to_string(&page).unwrap(), text);

    std::fs::write(&results[0], "{}").unwrap();
    let refused = deephedge(&arguments, "1");
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&refused.stderr).lines().count(), 1);
}

/// A training that is asked to stop ends with exit code 3 in a checkpoint, its curve so far beside it, and goes on from
/// there to the bits of one that was not stopped; what is complete is not trained again.
#[test]
fn a_stopped_training_goes_on_from_its_checkpoint() {
    let text = SMALL
        .replace("steps = 14", "steps = 3000")
        .replace("paths = 256", "paths = 32");
    let path = strategy("stopped", &text);
    let whole = path.with_extension("whole");
    let arguments = ["train", path.to_str().unwrap(), "--optimizer", "kfac"];
    let mut expected = document(&arguments, &whole, "2");

    let runs = path.with_extension("runs");
    let mut process = Command::new(env!("CARGO_BIN_EXE_deephedge"))
        .args(arguments)
        .args(["--runs", runs.to_str().unwrap()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let run = || only_run(&runs);
    let lines = || run().and_then(|run| std::fs::read_to_string(run.join("progress.jsonl")).ok());
    while lines().is_none_or(|lines| lines.lines().count() < 40) {
        assert!(process.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    let id = run()
        .unwrap()
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    assert_eq!(
        document(&["runs", "list"], &runs, "1")["runs"][0]["state"],
        "running"
    );
    let pid = process.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains(&format!("go on with `train --resume {id}`")),
        "{said}"
    );
    assert!(
        run()
            .unwrap()
            .join("checkpoints/kfac-3.safetensors")
            .is_file()
    );

    let refused = deephedge(
        &["compare", "--resume", &id, "--runs", runs.to_str().unwrap()],
        "1",
    );
    assert_eq!(refused.status.code(), Some(2));
    let mut resumed = document(&["train", "--resume", &id], &runs, "1");
    for document in [&mut expected, &mut resumed] {
        remove_times(document);
    }
    assert_eq!(resumed, expected);
    assert!(
        !run()
            .unwrap()
            .join("checkpoints/kfac-3.safetensors")
            .is_file()
    );
    let lines: Vec<serde_json::Value> = lines()
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let began: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["from"].as_u64())
        .collect();
    assert_eq!((began.len(), began[0]), (2, 0));
    // The checkpoint is of the step that was written last.
    let steps: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["step"].as_u64())
        .collect();
    assert!(began[1] > 0);
    assert_eq!(steps, (0..3000).collect::<Vec<_>>());
    assert_eq!(lines.last().unwrap()["event"], "finished");
}
