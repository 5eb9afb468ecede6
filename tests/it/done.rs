//! What is said of jobs that go on and are done: in the same words everywhere, to the operator's command, by the browser.

use super::browser::{self, Browser};
use super::dashboard::{WIDE, ask_for_job, long};
use super::serve::Server;
use super::*;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A job that is done is told of to the operator's command, with its id, its state and its run's folder; so is one that failed.
#[test]
fn the_operator_is_told_of_jobs_that_are_done() {
    let folder = scratch().join("told");
    std::fs::create_dir_all(&folder).unwrap();
    let (runs, told) = (folder.join("runs"), folder.join("told.txt"));
    let command = format!(
        "printf '%s %s %s\\n' \"$DEEPHEDGE_JOB\" \"$DEEPHEDGE_STATE\" \"$DEEPHEDGE_RUN\" >> '{}'",
        told.display()
    );
    let server = Server::start_with_options(&runs, &["--on-done", &command]);
    let text = SMALL.replace("steps = 14", "steps = 2");
    let job = json!({ "command": "train", "strategy": text });
    let run = server.ask("POST", "/api/v1/jobs", &job)["run"]
        .as_str()
        .unwrap()
        .to_owned();
    server.wait_for(&run, "finished");
    let said = |lines: usize| {
        let start = Instant::now();
        loop {
            let text = std::fs::read_to_string(&told).unwrap_or_default();
            if text.lines().count() == lines {
                return text;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{text}");
            std::thread::yield_now();
        }
    };
    let place = runs.join(&run);
    assert_eq!(said(1), format!("{run} finished {}\n", place.display()));

    // Its request is taken away before it can be read.
    let endless = json!({ "command": "train", "strategy": long(10_000_000, 32) });
    let first = server.ask("POST", "/api/v1/jobs", &endless)["run"]
        .as_str()
        .unwrap()
        .to_owned();
    let second = server.ask("POST", "/api/v1/jobs", &job)["run"]
        .as_str()
        .unwrap()
        .to_owned();
    server.wait_for(&first, "running");
    std::fs::write(runs.join(&second).join("comparison.json"), "{").unwrap();
    // What a person ends is told to nobody.
    server.ask(
        "POST",
        &format!("/api/v1/jobs/{first}/cancel"),
        &Value::Null,
    );
    server.wait_for(&second, "failed");
    assert!(said(2).ends_with(&format!(
        "{second} failed {}\n",
        runs.join(&second).display()
    )));
}

/// A cancelled job is that on every page, and has no time left; a notification is offered and asked for once a job is done.
#[test]
fn states_are_said_in_the_same_words() {
    if !browser::is_here("states of jobs, and notifications") {
        return;
    }
    let folder = scratch().join("states");
    let server = Server::start(&folder.join("runs"));
    let home = format!("http://{}/", server.address);
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    browser.go(&format!("{home}jobs"));
    let endless = ask_for_job(&mut browser, &long(10_000_000, 32), 1);
    server.wait_for(&endless, "running");
    let short = ask_for_job(&mut browser, SMALL, 1);
    // A browser without windows shows no notifications, and allows none.
    browser.value(
        "{ globalThis.told = [];
           const Told = class extends EventTarget {
               static permission = 'granted';
               static requestPermission() { return Promise.resolve('granted'); }
               constructor(title, { body }) { super(); told.push(`${title}: ${body}`); document.body.dataset.told = told.length; }
           };
           Object.defineProperty(globalThis, 'Notification', { value: Told, configurable: true });
           document.querySelector('#notify input').click(); 0 }",
    );
    browser.until(&format!(
        "document.querySelector('#jobs [data-run=\"{short}\"]')?.cells[2].textContent === 'waiting, next'"
    ));
    // The jobs have been looked at as they were asked for.
    browser.answered();
    browser.click(&format!(
        "#jobs [data-run=\"{endless}\"] [aria-label^=Cancel]"
    ));
    browser.until(&format!(
        "document.querySelector('#jobs [data-run=\"{endless}\"]').cells[2].textContent === 'cancelled'"
    ));
    server.wait_for(&short, "finished");
    browser.until("document.body.dataset.told");
    assert_eq!(browser.value("told"), json!(["small: finished"]));

    browser.go(&format!("{home}runs/{endless}"));
    browser.until("document.querySelector('#state').textContent === 'This job is cancelled.' && document.querySelector('[data-value=spent]').textContent !== '–'");
    assert_eq!(
        browser.value("document.querySelector('[data-value=left]').textContent"),
        "–"
    );
    browser.go(&home);
    let row =
        format!("document.querySelector(\"a[href$='runs/{endless}']\").closest('tr').textContent");
    let row = browser.value(&row);
    assert!(row.as_str().unwrap().ends_with("cancelled"), "{row}");
    let choices = browser.value(
        "[...document.querySelector('[name=state]').options].map(({ textContent }) => textContent)",
    );
    assert_eq!(
        choices,
        json!([
            "any",
            "finished",
            "running",
            "waiting",
            "trained",
            "stopped",
            "unreadable"
        ])
    );
    assert_eq!(browser.problems, [""; 0]);
}
