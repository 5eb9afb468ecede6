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
