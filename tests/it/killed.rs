use super::serve::Server;
use super::*;
use serde_json::{Value, json};

/// A comparison is killed again and again, at its beginning, as its trainings go on and while it measures. The store can
/// always be read, what its progress said stays said, and the run goes on to its end.
#[test]
fn a_store_survives_kills_at_any_moment() {
    let text = SMALL
        .replace("steps = 14", "steps = 800")
        .replace("paths = 256", "paths = 32");
    let path = strategy("killed-often", &text);
    let runs = path.with_extension("runs");
    let folder = || {
        let folder = only_run(&runs)?;
        folder.join("comparison.json").is_file().then_some(folder)
    };
    let said = || {
        let progress = folder().and_then(|run| std::fs::read(run.join("progress.jsonl")).ok());
        progress.unwrap_or_default()
    };
    let lines = || said().iter().filter(|&&byte| byte == b'\n').count();
    let mut arguments = vec!["compare".to_owned(), path.display().to_string()];
    // Lines that the run has written when it is killed; the folder alone comes first.
    for enough in [0, 1, 40, 200, 500, 650] {
        let mut process = Command::new(env!("CARGO_BIN_EXE_deephedge"))
            .args(&arguments)
            .args(["--runs", runs.to_str().unwrap()])
            .spawn()
            .unwrap();
        while (folder().is_none() || lines() < enough) && process.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let seen = said();
        process.kill().unwrap();
        process.wait().unwrap();
        let listed = document(&["runs", "list"], &runs, "1");
        assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
        assert_eq!(listed["runs"][0]["state"], "stopped", "after {enough}");
        let left = said();
        assert!(left.starts_with(&seen), "after {enough}");
        let whole = left.iter().rposition(|&byte| byte == b'\n');
        for line in left[..whole.map_or(0, |end| end + 1)].split(|&byte| byte == b'\n') {
            let whole = line.is_empty() || serde_json::from_slice::<Value>(line).is_ok();
            assert!(whole, "after {enough}: {}", String::from_utf8_lossy(line));
        }
        let id = listed["runs"][0]["run"].as_str().unwrap().to_owned();
        arguments = vec!["compare".into(), "--resume".into(), id];
    }
    // As a process leaves it that is killed while it writes.
    let run = folder().unwrap();
    for left in ["trainings/.deephedge-1-0", ".deephedge-1-1"] {
        std::fs::create_dir_all(run.join("trainings")).unwrap();
        std::fs::write(run.join(left), "half").unwrap();
    }
    std::fs::create_dir(runs.join(".new-20260301-093005-x")).unwrap();
    let end: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let metrics = document(&end, &runs, "1");
    assert!(
        metrics["evaluation"]
            .as_array()
            .is_some_and(|rows| !rows.is_empty())
    );
    assert_eq!(left_over(&run), [""; 0]);
    let id = run.file_name().unwrap().to_str().unwrap();
    document(&["runs", "delete", id], &runs, "1");
    assert_eq!(left_over(&runs), [".lock"]);
}

/// Names of files and folders below `folder` that begin with a dot.
fn left_over(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with('.') {
            found.push(name);
        } else if entry.path().is_dir() {
            found.extend(left_over(&entry.path()));
        }
    }
    found
}

/// A backtest that was killed is listed with what goes on with it, which comes to the same figures on the same data; a
/// folder that does not say what it was can be deleted.
#[test]
fn an_interrupted_backtest_goes_on() {
    let text = format!("{SMALL}[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\n");
    let path = strategy("killed-backtest", &text);
    let runs = path.with_extension("runs");
    let arguments = ["backtest", path.to_str().unwrap(), "--end", "2012-12-31"];
    let whole = document(&arguments, &runs, "2");
    let id = whole["run"].as_str().unwrap();
    std::fs::remove_file(runs.join(id).join("metrics.json")).unwrap();
    let listed = document(&["runs", "list"], &runs, "1");
    let said = listed["runs"][0]["name"].as_str().unwrap();
    assert_eq!(said, format!("stopped: go on with `backtest {id}`"));
    let again = document(&["backtest", id], &runs, "1");
    assert_eq!(again["run"], whole["run"]);
    assert_eq!(again["backtest"], whole["backtest"]);

    std::fs::create_dir(runs.join("20260301-093005-x")).unwrap();
    let listed = document(&["runs", "list"], &runs, "1");
    let state = |at: usize| listed["runs"][at]["state"].as_str().unwrap();
    assert_eq!([state(0), state(1)], ["complete", "stopped"]);
    document(&["runs", "delete", "20260301-093005-x"], &runs, "1");
    let listed = document(&["runs", "list"], &runs, "1");
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
}

/// What the server has answered is kept, however it ends; `runs delete` leaves nothing of a run.
#[test]
fn labels_survive_a_killed_server_but_not_their_run() {
    let path = strategy("labelled", SMALL);
    let run = compare(&path, "2")["run"].as_str().unwrap().to_owned();
    let runs = path.with_extension("runs");
    let address = format!("/api/v1/runs/{run}");
    for tag in ["first", "second"] {
        let server = Server::start(&runs);
        let labels = json!({ "tags": [tag], "note": tag });
        assert_eq!(server.ask("PATCH", &address, &labels)["tags"], json!([tag]));
        // Without a farewell.
        drop(server);
        let server = Server::start(&runs);
        let listed = server.ask("GET", &format!("/api/v1/runs?tag={tag}"), &Value::Null);
        assert_eq!(listed["total"], 1);
        assert_eq!(listed["runs"][0]["note"], tag);
    }
    document(&["runs", "delete", &run], &runs, "1");
    let server = Server::start(&runs);
    let again = runs.join(&run);
    std::fs::create_dir(&again).unwrap();
    let listed = server.ask("GET", "/api/v1/runs", &Value::Null);
    assert_eq!(
        (&listed["runs"][0]["run"], &listed["runs"][0]["tags"]),
        (&json!(run), &json!([]))
    );
    assert_eq!(listed["runs"][0]["note"], "");
}
