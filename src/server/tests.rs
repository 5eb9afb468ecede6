use super::*;
use crate::report;
use crate::report::html::tests::assert_well_formed;
use crate::runs::fixture::{self, Scratch};
use crate::runs::store;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use tower::ServiceExt;

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    fn error_code(&self) -> String {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        value["error"]["code"].as_str().unwrap().to_owned()
    }
}

fn app(root: &Path) -> App {
    App::new(root.to_owned(), "absent".into(), Access::default()).unwrap()
}

fn ask(root: &Path, path: &str, host: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    let request = request.body(Body::empty()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let response = router(app(root)).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    })
}

fn get(root: &Path, path: &str) -> Answer {
    ask(root, path, Some("localhost:8080"))
}

/// Every address of a finished run answers with the right kind of content.
#[test]
fn every_address_answers() {
    let root = Scratch::new("routes");
    let run = fixture::write(root.path());
    report::write(&run).unwrap();
    let id = run.id();
    for (path, kind, contains) in [
        ("/".to_owned(), "text/html", "Heston call"),
        (format!("/runs/{id}"), "text/html", "kfac against adam"),
        (format!("/runs/{id}/report.html"), "text/html", "<svg"),
        (
            format!("/runs/{id}/figures/cost_cvar.svg"),
            "image/svg+xml",
            "whalley_wilmott",
        ),
        (
            format!("/runs/{id}/figures/cost_cvar-narrow.svg"),
            "image/svg+xml",
            "<svg",
        ),
        (
            "/api/v1/runs".to_owned(),
            "application/json",
            "\"complete\"",
        ),
        (
            format!("/api/v1/runs/{id}"),
            "application/json",
            "\"comparisons\"",
        ),
        (
            format!("/api/v1/runs/{id}/example_path"),
            "application/json",
            "\"strike\"",
        ),
        (
            "/assets/app.css".to_owned(),
            "text/css",
            "prefers-color-scheme",
        ),
        ("/assets/app.js".to_owned(), "text/javascript", "sortBy"),
    ] {
        let answer = get(root.path(), &path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.header("content-type").starts_with(kind), "{path}");
        assert!(answer.body.contains(contains), "{path}: {contains}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src")
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        if kind != "application/json" && !path.starts_with("/assets") {
            assert_well_formed(&answer.body);
        }
    }
}

/// Pages may load from the server itself only; files with a style of their own from nowhere.
#[test]
fn pages_and_files_have_their_own_policies() {
    let root = Scratch::new("policies");
    let run = fixture::write(root.path());
    report::write(&run).unwrap();
    let page = get(root.path(), &format!("/runs/{}", run.id()));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    // The policy would block them.
    assert!(!page.body.contains("style=") && !page.body.contains("<style"));
    let report = get(root.path(), &format!("/runs/{}/report.html", run.id()));
    let policy = report.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
}

/// What the list says about a run is in its JSON, and an unfinished run hides nothing.
#[test]
fn unfinished_runs_are_listed_beside_finished_ones() {
    let root = Scratch::new("server-list");
    let run = fixture::write(root.path());
    let stopped = store::create(root.path(), "stopped").unwrap();
    let answer = get(root.path(), "/api/v1/runs");
    let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let runs = value["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    let of = |id: &str| runs.iter().find(|r| r["run"] == id).unwrap();
    assert_eq!(of(stopped.id())["state"], "stopped");
    let complete = of(run.id());
    assert_eq!(complete["strategies"].as_array().unwrap().len(), 5);
    assert_eq!(complete["comparisons"][0]["cvar_change"], -0.142);

    let page = get(root.path(), "/");
    assert!(page.body.contains("incomplete: still going, or stopped"));
    assert!(page.body.contains("−14.2 % ±1.3 %, better"));
    assert_eq!(
        get(root.path(), &format!("/runs/{}", stopped.id())).status,
        200
    );
    let api = get(root.path(), &format!("/api/v1/runs/{}", stopped.id()));
    assert_eq!(
        (api.status, api.error_code()),
        (409, "incomplete".to_owned())
    );
}

/// A folder without runs, or no folder, says how to make one.
#[test]
fn an_empty_list_says_how_to_fill_it() {
    let root = Scratch::new("server-empty");
    for root in [root.path().to_owned(), root.path().join("absent")] {
        let answer = get(&root, "/");
        assert_eq!(answer.status, 200);
        assert!(
            answer
                .body
                .contains("deephedge compare strategies/heston_call.toml")
        );
        assert_well_formed(&answer.body);
    }
}

/// What is not there is a 404 in the form that the asker reads, and no name leads out of the
/// root.
#[test]
fn what_is_not_there_is_not_found() {
    let root = Scratch::new("server-missing");
    let runs = root.path().join("runs");
    let run = fixture::write(&runs);
    std::fs::write(root.path().join("metrics.json"), "{}").unwrap();
    std::fs::write(run.path().join("figures"), "").ok();
    for path in [
        "/api/v1/nothing",
        "/api/v1/runs/nothing",
        "/api/v1/runs/..",
        "/api/v1/runs/%2e%2e",
        "/api/v1/runs/..%2f..%2fetc",
        "/api/v1/runs/nothing/example_path",
    ] {
        let answer = get(&runs, path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert_eq!(answer.error_code(), "not_found", "{path}");
    }
    let id = run.id();
    for path in [
        "/nothing".to_owned(),
        "/runs/nothing".to_owned(),
        "/runs/%2e%2e".to_owned(),
        "/runs/..%2fruns".to_owned(),
        format!("/runs/{id}/report.html"),
        format!("/runs/{id}/figures/other.svg"),
        format!("/runs/{id}/figures/..%2fmetrics.json"),
        format!("/runs/{id}/figures/%2e%2e%2f%2e%2e%2fmetrics.json"),
        format!("/runs/{id}/metrics.json"),
        "/assets/..%2fCargo.toml".to_owned(),
        "/<script>".replace('<', "%3Cb%3E").replace('>', ""),
    ] {
        let answer = get(&runs, &path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(answer.body.contains("<h1>Not found</h1>"), "{path}");
        assert_well_formed(&answer.body);
    }
}

/// Only requests addressed to this machine by a local name are answered.
#[test]
fn requests_for_other_hosts_are_refused() {
    let root = Scratch::new("server-host");
    for host in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:8080",
    ] {
        assert_eq!(
            ask(root.path(), "/api/v1/runs", Some(host)).status,
            200,
            "{host}"
        );
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8080",
        "[::2]",
        "[::1]x",
        "localhost:80:80",
        "",
    ] {
        let answer = ask(root.path(), "/api/v1/runs", Some(host));
        assert_eq!(answer.status, 403, "{host}");
        assert_eq!(answer.error_code(), "host_refused");
    }
    assert_eq!(ask(root.path(), "/", None).status, 403);
}

/// A name from a file is text on every page.
#[test]
fn names_are_escaped_on_every_page() {
    let root = Scratch::new("server-escape");
    let run = fixture::write(root.path());
    let mut metrics = run.metrics().unwrap();
    metrics.name = "<script>alert(1)</script>".into();
    metrics.command = metrics.name.clone();
    for row in &mut metrics.evaluation {
        row.strategy = metrics.name.clone();
    }
    metrics.comparisons[0].strategy = metrics.name.clone();
    run.write_metrics(&metrics).unwrap();
    for path in ["/".to_owned(), format!("/runs/{}", run.id())] {
        let answer = get(root.path(), &path);
        assert!(!answer.body.contains("<script>"), "{path}");
        assert!(answer.body.contains("&lt;script&gt;"), "{path}");
        assert_well_formed(&answer.body);
    }
}

/// Listening for other machines is refused before a socket is opened.
#[test]
fn only_loopback_addresses_are_served() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bind: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let error = runtime
        .block_on(serve(
            bind,
            PathBuf::from("runs"),
            Access::default(),
            |_| {},
        ))
        .unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(
        error
            .to_string()
            .starts_with("bind address 0.0.0.0:0: must be a loopback")
    );
}

struct Sent {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl Sent {
    fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: vec![
                ("host", "localhost:8080"),
                ("content-type", "application/json"),
            ],
            body: String::new(),
        }
    }

    fn with(mut self, body: serde_json::Value) -> Self {
        self.body = body.to_string();
        self
    }

    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn to(self, app: App) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let response = router(app).oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: String::from_utf8_lossy(&bytes).into_owned(),
            }
        })
    }
}

fn json(answer: &Answer) -> serde_json::Value {
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
    let mut fields: serde_json::Map<String, serde_json::Value> = form["fields"]
        .as_array()
        .unwrap()
        .iter()
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
    let same = Sent::new("DELETE", "/api/v1/runs/x").header("origin", "http://localhost:8080");
    assert_eq!(same.to(app).status, 404);
}

/// With a token, pages lead to the login and the API refuses, unless the token is sent as a bearer or in the cookie that
/// the login gives.
#[test]
fn a_token_is_asked_for() {
    let root = Scratch::new("server-token");
    let access = Access::with_token("0123456789abcdef", "here").unwrap();
    let app = App::new(root.path().to_owned(), "absent".into(), access).unwrap();
    let get = |path: &str, name: &'static str, value: &'static str| {
        Sent::new("GET", path).header(name, value).to(app.clone())
    };
    assert_eq!(
        get("/api/v1/runs", "x-none", "").error_code(),
        "unauthorized"
    );
    assert_eq!(get("/", "x-none", "").header("location"), "/login");
    assert_eq!(get("/login", "x-none", "").status, 200);
    for wrong in [
        "Bearer 0123456789abcdee",
        "Bearer ",
        "Bearer 0123456789abcdef0",
        "Basic 0123456789abcdef",
    ] {
        assert_eq!(
            get("/api/v1/runs", "authorization", wrong).status,
            401,
            "{wrong}"
        );
    }
    assert_eq!(
        get("/api/v1/runs", "authorization", "Bearer 0123456789abcdef").status,
        200
    );
    assert_eq!(
        get("/", "cookie", "a=b; deephedge_token=0123456789abcdef").status,
        200
    );
    assert_eq!(
        get("/", "cookie", "deephedge_token=0123456789abcdeX").status,
        303
    );
    let log_in = |token: &str| {
        let mut sent = Sent::new("POST", "/login");
        sent.headers[1].1 = "application/x-www-form-urlencoded";
        sent.body = format!("token={token}");
        sent.to(app.clone())
    };
    assert_eq!(log_in("wrong").status, 401);
    let cookie = log_in("0123456789abcdef");
    assert!(
        cookie
            .header("set-cookie")
            .ends_with("; HttpOnly; SameSite=Strict")
    );
    for weak in ["short", "0123456789 abcdef0", "0123456789;abcdef"] {
        assert_eq!(
            Access::with_token(weak, "here").err().unwrap().exit_code(),
            2,
            "{weak}"
        );
    }
}

/// Every route of the API is in its description, and the description's paths are answered.
#[test]
fn the_description_is_of_this_api() {
    let root = Scratch::new("server-openapi");
    let app = app(root.path());
    let document = json(&Sent::new("GET", "/api/v1/openapi.json").to(app.clone()));
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 12, "{}", paths.len());
    for path in paths.keys() {
        let asked = path.replace('{', "").replace('}', "");
        let answer = Sent::new("GET", &asked).to(app.clone());
        let described = paths[path].get("get").is_some();
        assert_eq!(answer.status != 405, described, "{path}: {}", answer.status);
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
    // The reader of a file lives as long as the runtime of its first request.
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
