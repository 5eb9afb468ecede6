//! Uploaded files over HTTP: what is taken, what is refused, and what jobs may name.

use super::access::Access;
use super::api_tests::{Sent, json};
use super::app::App;
use super::tests::{Answer, app, with};
use crate::market::history::fixture::{closes, write};
use crate::runs::fixture::Scratch;
use crate::runs::store::REQUEST;
use serde_json::json;

fn upload(app: &App, name: &str, text: &str) -> Answer {
    let address = format!("/api/v1/data?name={name}");
    Sent::new("POST", address).with_file(text).to(app.clone())
}

/// A file is taken once, listed, and deleted; what is too large is refused before it comes and as it comes, in one line.
#[test]
fn files_are_uploaded_and_deleted() {
    let root = Scratch::new("server-upload");
    let app = app(root.path());
    let first = upload(&app, "..%2Fprices.csv", "abc");
    assert_eq!(first.status, 201, "{}", first.body);
    let file = json(&first)["file"].as_str().unwrap().to_owned();
    assert_eq!(file, "ba7816bf8f01cfea-prices.csv");
    assert_eq!(upload(&app, "prices.csv", "abc").status, 200);
    let listed = json(&Sent::new("GET", "/api/v1/data").to(app.clone()));
    assert_eq!(listed["files"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed["files"][0]["bytes"], &listed["most_bytes"]),
        (&json!(3), &json!(1 << 16))
    );
    let page = Sent::new("GET", "/data").to(app.clone());
    assert!(
        page.body.contains(&file) && page.body.contains("at most 64 KiB"),
        "{}",
        page.body
    );

    let too_large = "x".repeat((1 << 16) + 1);
    let refused = upload(&app, "large.csv", &too_large);
    let said = Sent::new("POST", "/api/v1/data").header("content-length", "70000");
    for refused in [refused, said.with_file("x").to(app.clone())] {
        assert_eq!(refused.status, 413);
        let error = &json(&refused)["error"];
        assert_eq!(error["message"], "the file must be at most 64 KiB");
        assert_eq!(error["code"], "body_too_large");
    }
    // The largest one is taken.
    assert_eq!(upload(&app, "large.csv", &too_large[1..]).status, 201);
    assert_eq!(upload(&app, "empty.csv", "").status, 400);

    let delete = |file: &str| Sent::new("DELETE", format!("/api/v1/data/{file}")).to(app.clone());
    assert_eq!(delete(&file).status, 204);
    assert_eq!(delete(&file).status, 404);
    assert_eq!(delete("..%2Findex.sqlite").status, 404);
}

/// Uploads, and all that is done with them, ask for the token and for a page of the dashboard, as everything else does.
#[test]
fn uploads_obey_the_rules_of_access() {
    let root = Scratch::new("server-upload-access");
    let token = "0123456789abcdef";
    let asking = with(root.path(), Access::with_token(token, "here").unwrap());
    for (method, path) in [
        ("POST", "/api/v1/data"),
        ("GET", "/api/v1/data"),
        ("POST", "/api/v1/data/check"),
        ("POST", "/api/v1/data/calibrate"),
        ("DELETE", "/api/v1/data/0123456789abcdef-a.csv"),
    ] {
        let refused = Sent::new(method, path).with_file("abc").to(asking.clone());
        assert_eq!(
            (refused.status, refused.error_code().as_str()),
            (401, "unauthorized"),
            "{path}"
        );
        let foreign = Sent::new(method, path).header("sec-fetch-site", "cross-site");
        let foreign = foreign.with_file("abc").to(app(root.path()));
        if method != "GET" {
            assert_eq!(
                (foreign.status, foreign.error_code().as_str()),
                (403, "origin_refused"),
                "{path}"
            );
        }
    }
    assert_eq!(asking.data.list().unwrap().len(), 0);
    let known =
        Sent::new("POST", "/api/v1/data").header("authorization", format!("Bearer {token}"));
    assert_eq!(known.with_file("abc").to(asking).status, 201);
}

const STRATEGY: &str = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 21\ndays_per_year = 365\n\
                        [evaluation]\nhedges = [\"naked\", \"black_scholes\"]\n";

/// A job names an uploaded file, whose name then stands in the strategy of its run, and which cannot be deleted while the job waits;
/// no key of a strategy leads to a file elsewhere, before any is opened.
#[test]
fn jobs_name_uploaded_files_alone() {
    let root = Scratch::new("server-upload-jobs");
    let app = app(root.path());
    let text = std::fs::read_to_string(write(root.path(), &closes(600))).unwrap();
    let file = json(&upload(&app, "closes.csv", &text))["file"]
        .as_str()
        .unwrap()
        .to_owned();
    let ask = |job: serde_json::Value| Sent::new("POST", "/api/v1/jobs").with(job).to(app.clone());
    let data = json!({ "files": [file], "reading": { "decimal": "point" }, "start": "2001-01-02" });
    let made = ask(json!({ "command": "backtest", "strategy": STRATEGY, "data": data }));
    assert_eq!(made.status, 202, "{}", made.body);
    let run = json(&made)["run"].as_str().unwrap().to_owned();
    let request = std::fs::read_to_string(root.path().join(&run).join(REQUEST)).unwrap();
    assert!(
        request.contains(&file) && request.contains("2001-01-02"),
        "{request}"
    );
    let delete = || Sent::new("DELETE", format!("/api/v1/data/{file}")).to(app.clone());
    assert_eq!(
        (delete().status, delete().error_code().as_str()),
        (409, "wrong_state")
    );

    // By its name in the strategy itself.
    let named = format!("{STRATEGY}[backtest]\ndata = \"{file}\"\nstart = \"2001-01-02\"\n");
    let made = ask(json!({ "command": "backtest", "strategy": named }));
    assert_eq!(made.status, 202, "{}", made.body);

    // In the place of the strategy's own file, which is not on this server.
    let own = format!("{STRATEGY}[backtest]\ndata = \"market_data/mine.csv\"\n");
    let made = ask(json!({ "command": "backtest", "strategy": own, "data": data }));
    assert_eq!(made.status, 202, "{}", made.body);

    let refused = |job: serde_json::Value, status: u16, words: &str| {
        let answer = ask(job);
        assert_eq!(answer.status, status, "{}", answer.body);
        let message = json(&answer)["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(message.contains(words), "{message}");
    };
    refused(
        json!({ "command": "backtest", "strategy": own }),
        422,
        "no such file",
    );
    for elsewhere in ["../secret.csv", "/etc/passwd", "0123456789abcdef-gone.csv"] {
        let data = json!({ "files": [elsewhere] });
        refused(
            json!({ "command": "backtest", "strategy": STRATEGY, "data": data }),
            404,
            "no uploaded file",
        );
    }
    refused(
        json!({ "command": "backtest", "strategy": STRATEGY, "data": {} }),
        422,
        "must name an uploaded file",
    );
    let surface = STRATEGY.replace(
        "model = \"gbm\"\nvolatility = 0.2",
        "model = \"surface_bootstrap\"\nsurface = \"/etc/passwd\"",
    );
    refused(
        json!({ "command": "compare", "strategy": surface }),
        422,
        "`market.surface` must be below the server's data folder",
    );
    let form = Sent::new("POST", "/api/v1/strategy/form").with(json!({ "strategy": surface }));
    let form = form.to(app.clone());
    assert_eq!((form.status, form.error_code().as_str()), (422, "invalid"));
    assert!(form.body.contains("must be below"), "{}", form.body);
}
