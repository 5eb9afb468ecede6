use super::*;

/// From the command line: the page and its figure are written, a finished run gives the same again, and another run is
/// no walk-forward.
#[test]
fn walk_forward_writes_its_page() {
    let text = SMALL.replace("steps = 14", "steps = 3")
        + &format!(
            "[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\nspacing = \"monthly\"\n\
             [walk_forward]\nyears = 3.0\nmonths = 60\n"
        );
    let path = strategy("walk", &text);
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
    assert!(message.contains("is no walk-forward"), "{message}");
}
