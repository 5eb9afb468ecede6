use super::serve::Server;
use super::*;
use serde_json::{Value, json};

fn two_windows() -> String {
    SMALL.replace("steps = 14", "steps = 3")
        + &format!(
            "[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\nspacing = \"monthly\"\n\
             [walk_forward]\nyears = 3.0\nmonths = 60\n"
        )
}

/// From the command line: the page and its figure are written, a finished run gives the same again, and another run is
/// no walk-forward.
#[test]
fn walk_forward_writes_its_page() {
    let path = strategy("walk", &two_windows());
    let runs = path.with_extension("runs");
    let page = path.with_extension("md");
    let arguments = [
        "backtest",
        path.to_str().unwrap(),
        "--walk-forward",
        "--page",
        page.to_str().unwrap(),
    ];
    let first = document(&arguments, &runs, "2");
    let windows = first["walk_forward"]["windows"].as_array().unwrap();
    assert_eq!(windows.len(), 2);
    assert_eq!(windows[0]["first_sale"], "2010-01-04");
    assert_eq!(windows[0]["calibrated_to"], "2009-12-31");
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("--walk-forward --page"), "{text}");
    assert!(text.contains("2011: US downgrade"), "{text}");
    assert!(page.with_extension("svg").is_file());
    let run = first["run"].as_str().unwrap();
    let again = document(&["backtest", run, "--walk-forward"], &runs, "1");
    assert_eq!(first["walk_forward"], again["walk_forward"]);
    let plain = document(
        &["backtest", path.to_str().unwrap(), "--start", "2018-01-01"],
        &runs,
        "2",
    );
    let output = deephedge(
        &[
            "backtest",
            plain["run"].as_str().unwrap(),
            "--walk-forward",
            "--runs",
            runs.to_str().unwrap(),
        ],
        "1",
    );
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("no walk-forward"), "{message}");
}

/// As a job it says what it will train, and comes to what the command line comes to.
#[test]
fn walk_forward_is_a_job() {
    let text = two_windows();
    let path = strategy("walk-job", &text);
    let runs = path.with_extension("runs");
    let arguments = ["backtest", path.to_str().unwrap(), "--walk-forward"];
    let expected = document(&arguments, &runs, "2");
    let server = Server::start(&runs);
    // What is sent may name files below the server's folder alone.
    let sent = text.replace(HISTORY, "market_data/sp500_daily.csv");
    let asked = json!({ "command": "walk_forward", "strategy": sent });
    let job = server.ask("POST", "/api/v1/jobs", &asked);
    let run = job["run"].as_str().unwrap();
    assert_eq!(
        (&job["trainings"], &job["command"]),
        (&json!(4), &json!("walk_forward"))
    );
    let live = server.ask("GET", &format!("/api/v1/runs/{run}/live"), &Value::Null);
    let trainings = live["trainings"].as_array().unwrap().iter();
    let names: Vec<&str> = trainings
        .map(|of| of["strategy"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "adam, window 1",
            "kfac, window 1",
            "adam, window 2",
            "kfac, window 2"
        ]
    );
    assert_eq!(server.wait_for(run, "finished")["trained"], 4);
    let metrics = server.ask("GET", &format!("/api/v1/runs/{run}"), &Value::Null);
    let (mut found, mut expected) = (metrics["backtest"].clone(), expected["backtest"].clone());
    super::compare::remove_times(&mut found);
    super::compare::remove_times(&mut expected);
    assert_eq!(found, expected);
}

/// A study of two strategies that sell the same, one of another strike: the first call writes the plan and runs nothing, the second runs
/// it and writes a page that says so, a third uses the runs that are there, and a strategy that was changed since is refused.
#[test]
fn a_study_runs_what_was_registered() {
    let text = two_windows().replace("months = 60", "months = 60\ntest_from = \"2015-01-01\"");
    let other = text.replace("name = \"small\"", "name = \"higher\"");
    let other = other.replace("[contract]", "[contract]\nstrike = 105.0");
    let (first, second) = (strategy("study-a", &text), strategy("study-b", &other));
    let runs = first.with_extension("runs");
    let (page, plan) = (
        first.with_extension("md"),
        first.with_extension("plan.json"),
    );
    let files = [&first, &second, &page, &plan].map(|path| path.to_str().unwrap());
    let [a, b, to, registered] = files;
    let arguments = [
        "walk-forward",
        a,
        b,
        "--page",
        to,
        "--pre-register",
        registered,
    ];
    let written = document(&arguments, &runs, "2");
    let hash = written["sha256"].as_str().unwrap();
    assert!(plan.is_file() && !page.exists() && !runs.exists());
    let found = document(&arguments, &runs, "2");
    assert_eq!(found["registration"]["sha256"], hash);
    let names: Vec<&str> = found["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["small", "higher"]);
    assert_eq!(found["together"][0]["problems"], json!(["small", "higher"]));
    assert_eq!(found["problems"][0]["test"]["phase"], "test");
    let text_of_page = std::fs::read_to_string(&page).unwrap();
    assert!(text_of_page.contains(hash), "{text_of_page}");
    let conclusion = found["conclusion"].as_str().unwrap();
    assert!(text_of_page.starts_with(&format!("# Walk-forward study\n\n{conclusion}\n")));
    assert!(page.with_extension("").join("1-pnl.svg").is_file());
    let again = document(&arguments, &runs, "1");
    assert_eq!(found, again);
    assert_eq!(
        std::fs::read_dir(&runs)
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().join("metrics.json").is_file())
            .count(),
        2
    );
    // Of one strategy, the run itself and its page say what was registered.
    let own = first.with_extension("own.json");
    let alone = [
        "backtest",
        a,
        "--walk-forward",
        "--pre-register",
        own.to_str().unwrap(),
    ];
    let written = document(&alone, &runs, "2");
    let run = document(&alone, &runs, "2");
    assert_eq!(
        run["walk_forward"]["registration"]["sha256"],
        written["sha256"]
    );
    let folder = runs.join(run["run"].as_str().unwrap());
    let text_of_page = std::fs::read_to_string(folder.join("walk_forward.md")).unwrap();
    assert!(
        text_of_page.contains("are the validation period")
            && text_of_page.contains(written["sha256"].as_str().unwrap())
    );
    std::fs::write(&first, text.replace("steps = 3", "steps = 4")).unwrap();
    for arguments in [&arguments[..], &alone[..]] {
        let runs = ["--runs", runs.to_str().unwrap()];
        let output = deephedge(&[arguments, &runs[..]].concat(), "1");
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(
            message.contains("the plan is not the registered one: `plan.strategies[0].training.steps` is 4, registered was 3"),
            "{message}"
        );
    }
}
