use super::app::App;
use super::problem::MOST_BYTES;
use super::routes::router;
use super::tests::{Answer, answer_of, app};
use crate::runs::export;
use crate::runs::fixture::{self, Scratch};
use crate::runs::store;
use axum::body::Body;
use axum::http::Request;

pub(super) struct Sent {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Sent {
    pub(super) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: vec![
                ("host", "localhost:8080".into()),
                ("content-type", "application/json".into()),
            ],
            body: String::new(),
        }
    }

    pub(super) fn with(mut self, body: serde_json::Value) -> Self {
        self.body = body.to_string();
        self
    }

    /// As a browser sends a form.
    pub(super) fn with_form(self, body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..self.header("content-type", "application/x-www-form-urlencoded")
        }
    }

    /// As a file is uploaded.
    pub(super) fn with_file(self, body: impl Into<String>) -> Self {
        Self {
            body: body.into(),
            ..self.header("content-type", "application/octet-stream")
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn to(self, app: App) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        answer_of(app, request.body(Body::from(self.body)).unwrap())
    }
}

pub(super) fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_str(&answer.body).unwrap()
}

/// Tags and note are changed where they are given, found again, and refused by field where they are out of bounds.
#[test]
fn runs_are_labelled_listed_by_page_and_deleted() {
    let root = Scratch::new("server-labels");
    let run = fixture::write(root.path());
    for _ in 0..4 {
        store::create(root.path(), "other").unwrap();
    }
    let app = app(root.path());
    let address = format!("/api/v1/runs/{}", run.id());
    let patch = |body: serde_json::Value| Sent::new("PATCH", &address).with(body).to(app.clone());
    let labelled = patch(serde_json::json!({ "tags": ["good"], "note": "n" }));
    assert_eq!(labelled.status, 200, "{}", labelled.body);
    let kept = json(&patch(serde_json::json!({ "tags": ["better"] })));
    assert_eq!(
        (kept["tags"][0].as_str(), kept["note"].as_str()),
        (Some("better"), Some("n"))
    );
    let tagged = json(&Sent::new("GET", "/api/v1/runs?tag=better").to(app.clone()));
    assert_eq!(
        (tagged["total"].as_u64(), tagged["runs"][0]["run"].as_str()),
        (Some(1), Some(run.id()))
    );
    let page = json(&Sent::new("GET", "/api/v1/runs?page=2&per_page=2").to(app.clone()));
    assert_eq!(
        (
            page["total"].as_u64(),
            page["runs"].as_array().unwrap().len()
        ),
        (Some(5), 2)
    );
    for (body, field) in [
        (serde_json::json!({ "tags": [" padded"] }), "tags"),
        (serde_json::json!({ "note": "x".repeat(4001) }), "note"),
    ] {
        let refused = patch(body);
        assert_eq!(
            (refused.status, json(&refused)["error"]["field"].as_str()),
            (422, Some(field))
        );
    }
    assert_eq!(Sent::new("DELETE", &address).to(app.clone()).status, 204);
    assert_eq!(Sent::new("DELETE", &address).to(app).status, 404);
}

/// A strategy that breaks a bound is refused with the key, before anything waits; a valid one waits, leaves the queue,
/// and comes back; a full queue says so.
#[test]
fn jobs_are_validated_queued_and_bounded() {
    let root = Scratch::new("server-jobs");
    let app = app(root.path());
    let post =
        |body: serde_json::Value| Sent::new("POST", "/api/v1/jobs").with(body).to(app.clone());
    let form = json(&Sent::new("GET", "/api/v1/strategy/form").to(app.clone()));
    let mut fields: serde_json::Map<String, serde_json::Value> = form["sections"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|section| section["fields"].as_array().unwrap())
        .filter(|field| !field["key"].as_str().unwrap().starts_with("backtest."))
        .map(|field| {
            (
                field["key"].as_str().unwrap().to_owned(),
                field["value"].clone(),
            )
        })
        .collect();
    fields.insert("market.rho".into(), (-2.0).into());
    let refused = post(serde_json::json!({ "command": "compare", "fields": fields }));
    assert_eq!(refused.status, 422);
    assert_eq!(json(&refused)["error"]["field"], "market.rho");
    assert_eq!(
        json(&refused)["error"]["message"],
        "`market.rho` must be in (-1, 1), was -2"
    );
    assert!(store::list(root.path()).unwrap().is_empty());

    fields.insert("market.rho".into(), (-0.5).into());
    let body = serde_json::json!({ "command": "compare", "fields": fields, "seeds": 2 });
    let queued = post(body.clone());
    assert_eq!(queued.status, 202, "{}", queued.body);
    let run = json(&queued)["run"].as_str().unwrap().to_owned();
    let request = store::open_exact(root.path(), &run)
        .unwrap()
        .request()
        .unwrap()
        .unwrap();
    assert_eq!(
        (request.command.as_str(), request.seeds),
        ("compare", vec![1, 2])
    );
    let change =
        |what: &str| Sent::new("POST", format!("/api/v1/jobs/{run}/{what}")).to(app.clone());
    assert_eq!(change("resume").error_code(), "wrong_state");
    assert_eq!(json(&change("pause"))["state"], "paused");
    assert_eq!(json(&change("cancel"))["state"], "cancelled");
    assert_eq!(json(&change("resume"))["state"], "queued");
    let queued = Sent::new("DELETE", format!("/api/v1/runs/{run}")).to(app.clone());
    assert_eq!(queued.error_code(), "wrong_state");
    for _ in 1..16 {
        assert_eq!(post(body.clone()).status, 202);
    }
    let full = post(body);
    assert_eq!(
        (full.status, full.error_code()),
        (429, "queue_full".to_owned())
    );
    assert_eq!(store::list(root.path()).unwrap().len(), 16);
}

/// What the framework refuses has the form of all other refusals.
#[test]
fn every_refusal_has_a_code() {
    let root = Scratch::new("server-refusals");
    let app = app(root.path());
    let big = "x".repeat(MOST_BYTES + 1);
    for (sent, status, code) in [
        (Sent::new("PUT", "/api/v1/runs"), 405, "method_not_allowed"),
        (Sent::new("GET", "/api/v1/runs?page=x"), 400, "bad_request"),
        (Sent::new("GET", "/api/v1/runs?page=0"), 422, "invalid"),
        (Sent::new("POST", "/api/v1/jobs"), 400, "bad_request"),
        (
            Sent::new("POST", "/api/v1/jobs").with(serde_json::json!({ "command": "rm" })),
            422,
            "invalid",
        ),
        (
            Sent::new("PATCH", "/api/v1/runs/x").with(serde_json::json!([null, null])),
            422,
            "invalid",
        ),
        (
            Sent::new("POST", "/api/v1/jobs").with(serde_json::json!({ "strategy": big })),
            413,
            "body_too_large",
        ),
        (Sent::new("POST", "/api/v1/jobs/x/cancel"), 404, "not_found"),
        (Sent::new("GET", "/api/v1/runs/x/events"), 404, "not_found"),
        (
            Sent::new("POST", "/api/v1/jobs").header("origin", "http://evil.example"),
            403,
            "origin_refused",
        ),
        (
            Sent::new("DELETE", "/api/v1/runs/x").header("sec-fetch-site", "cross-site"),
            403,
            "origin_refused",
        ),
    ] {
        let path = sent.path.clone();
        let answer = sent.to(app.clone());
        assert_eq!(
            (answer.status, answer.error_code().as_str()),
            (status, code),
            "{path}: {}",
            answer.body
        );
    }
    let wrong = serde_json::json!({ "command": "train", "seeds": "two" });
    let refused = Sent::new("POST", "/api/v1/jobs")
        .with(wrong)
        .to(app.clone());
    assert_eq!(json(&refused)["error"]["field"], "seeds");
    let long = "x".repeat(50_000);
    for strategy in [
        format!("[market]\nmodel = \"{long}\"\n"),
        format!("{long} = 1\n"),
        format!("[optimizers.{long}]\n"),
    ] {
        let body = serde_json::json!({ "strategy": strategy });
        let refused = Sent::new("POST", "/api/v1/strategy/form").with(body);
        let refused = refused.to(app.clone());
        assert_eq!(refused.status, 422);
        assert!(refused.body.len() < 1500, "{}", refused.body);
    }
    let same = Sent::new("DELETE", "/api/v1/runs/x").header("origin", "http://localhost:8080");
    assert_eq!(same.to(app).status, 404);
}

/// A run's answer has its verdict, and with another baseline the changes against that; a name that is no strategy is refused with
/// its field.
#[test]
fn a_run_is_answered_with_its_verdict() {
    let root = Scratch::new("server-verdict");
    let run = fixture::write(root.path());
    let strategy = "[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\nrho = -0.7\n\
                    [contract]\nstrike = 100\nexpiry_days = 30\n";
    run.write_strategy(strategy).unwrap();
    let app = app(root.path());
    let ask = |query: &str| {
        let path = format!("/api/v1/runs/{}{query}", run.id());
        Sent::new("GET", &path).to(app.clone())
    };
    let own = json(&ask(""));
    assert_eq!(own["verdict"]["baseline"], "adam");
    assert_eq!(own["verdict"]["parts"][0]["paths"], "simulated");
    assert_eq!(
        own["verdict"]["hedged"],
        "Short 1 at-the-money call, 30 calendar days, Heston, no costs, hedged daily with spot"
    );
    assert_eq!(own["comparisons"][0]["cvar_change"], -0.142);
    let other = json(&ask("?baseline=naked&strategy=adam"));
    let verdict = &other["verdict"];
    assert_eq!(
        (&verdict["strategy"], &verdict["baseline"]),
        (&"adam".into(), &"naked".into())
    );
    assert_eq!(verdict["parts"][0]["lines"][2]["measure"], "cvar");
    let compared = other["comparisons"].as_array().unwrap();
    assert_eq!(compared.len(), 2);
    assert!(compared.iter().all(|c| c["baseline"] == "naked"));
    for (query, field) in [
        ("?baseline=soap", "baseline"),
        ("?strategy=soap", "strategy"),
        ("?strategy=adam&baseline=adam", "baseline"),
    ] {
        let refused = ask(query);
        assert_eq!(refused.status, 422, "{query}: {}", refused.body);
        assert_eq!(json(&refused)["error"]["field"], field);
    }
    let page = Sent::new("GET", format!("/runs/{}?baseline=naked", run.id())).to(app.clone());
    assert!(page.body.contains("kfac against naked"));
    let refused = Sent::new("GET", format!("/runs/{}?baseline=soap", run.id())).to(app);
    assert_eq!(refused.status, 422);
}

/// The routes that the router has under the API's address are those of its description, with the same methods, and what
/// the description refers to is in it.
#[test]
fn the_description_is_of_this_api() {
    let root = Scratch::new("server-openapi");
    let app = app(root.path());
    let document = json(&Sent::new("GET", "/api/v1/openapi.json").to(app.clone()));
    let paths = document["paths"].as_object().unwrap();
    // The router's routes are in its debug form alone.
    let shown = format!("{:?}", router(app.clone()));
    let routes: std::collections::BTreeSet<&str> = shown
        .split('"')
        .filter(|text| text.starts_with("/api/"))
        .collect();
    let described = paths.keys().map(String::as_str).collect();
    assert_eq!(routes, described);
    for (path, item) in paths {
        let asked = path.replace(['{', '}'], "");
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE"] {
            let answer = Sent::new(method, &asked).to(app.clone());
            let operation = item.get(method.to_lowercase());
            assert_eq!(
                answer.status != 405,
                operation.is_some(),
                "{method} {path}: {}",
                answer.status
            );
            if let Some(operation) = operation {
                assert!(operation["summary"].is_string(), "{method} {path}");
                let refusal = &operation["responses"]["default"]["content"]["application/json"];
                assert_eq!(refusal["schema"]["$ref"], "#/components/schemas/Refusal");
            }
        }
    }
    let table = &paths["/api/v1/runs/{id}/tables/{file}"]["get"];
    let words = format!("{} {}", table["summary"], table["description"]);
    for table in &export::TABLES {
        assert!(words.contains(&format!("`{}`", table.name)), "{words}");
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    assert!(document["components"]["schemas"]["Metrics"]["properties"]["evaluation"].is_object());
}

/// A stream begins with the history, goes on after the line that the browser knew, tells how the run stands, and ends
/// when it is complete.
#[test]
fn event_streams_replay_and_end() {
    let root = Scratch::new("server-events");
    let run = fixture::write(root.path());
    let lines = [
        r#"{"event":"measuring"}"#,
        r#"{"event":"stopped"}"#,
        r#"{"event":"finished"}"#,
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    run.write_bytes(crate::runs::progress::PROGRESS, text.as_bytes())
        .unwrap();
    // The reader of a file lives no longer than the runtime of its first request.
    let app = || app(root.path());
    let address = format!("/api/v1/runs/{}/events", run.id());
    let end = "event: state\ndata: {\"state\":\"complete\"}\n\n";
    let whole = Sent::new("GET", &address).to(app());
    assert_eq!(whole.header("content-type"), "text/event-stream");
    let events = lines.join(",");
    assert_eq!(
        whole.body,
        format!("id: 3\nevent: snapshot\ndata: {{\"events\":[{events}]}}\n\n{end}")
    );
    let rest = Sent::new("GET", &address)
        .header("last-event-id", "2")
        .to(app());
    assert_eq!(rest.body, format!("id: 3\ndata: {}\n\n{end}", lines[2]));
    let none = Sent::new("GET", &address)
        .header("last-event-id", "3")
        .to(app());
    assert_eq!(none.body, end);
}
