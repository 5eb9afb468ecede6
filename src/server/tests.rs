use super::access::Access;
use super::app::{App, Options};
use super::assets;
use super::connections::limits;
use super::routes::router;
use super::serving::serve;
use crate::report;
use crate::report::html::tests::assert_well_formed;
use crate::runs::fixture::{self, Scratch};
use crate::runs::store;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tower::ServiceExt;

pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn error_code(&self) -> String {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        value["error"]["code"].as_str().unwrap().to_owned()
    }
}

pub(super) fn app(root: &Path) -> App {
    with(root, Access::default())
}

pub(super) fn with(root: &Path, access: Access) -> App {
    let options = options(&root.join(".data"));
    App::new(root.to_owned(), access, options).unwrap()
}

/// Uploads in a folder, of at most 64 KiB.
fn options(data: &Path) -> Options {
    Options {
        limits: limits(None),
        data: data.to_owned(),
        most_upload: 1 << 16,
        on_done: None,
        program: PathBuf::from("absent").into(),
    }
}

fn ask(root: &Path, path: &str, host: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    answer_of(app(root), request.body(Body::empty()).unwrap())
}

pub(super) fn answer_of(app: App, request: Request<Body>) -> Answer {
    sent_to(router(app), request)
}

pub(super) fn sent_to(routes: Router, request: Request<Body>) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let response = routes.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    })
}

pub(super) fn asked(root: &Path, path: &str) -> Answer {
    ask(root, path, Some("localhost:8080"))
}

/// Every address of a finished run answers with the right kind of content.
#[test]
fn every_address_answers() {
    let root = Scratch::new("routes");
    let run = fixture::write(root.path());
    let other = fixture::write(root.path());
    report::write(&run).unwrap();
    let id = run.id();
    for (path, kind, contains) in [
        ("/".to_owned(), "text/html", "Heston call"),
        (format!("/runs/{id}"), "text/html", "kfac against adam"),
        (
            format!("/runs/{id}"),
            "text/html",
            "Drawdown net of mean cost",
        ),
        (
            format!("/api/v1/runs/{id}/contracts"),
            "application/json",
            "\"Positions\"",
        ),
        (
            format!("/api/v1/runs/{id}/charts/attribution"),
            "application/json",
            "delta",
        ),
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
            format!("/compare?runs={id},{}", other.id()),
            "text/html",
            "kfac (B)",
        ),
        (
            format!("/api/v1/charts/cost_cvar?runs={id}&runs={}", other.id()),
            "application/json",
            "kfac (B)",
        ),
        (
            format!("/api/v1/runs/{id}/charts/pnl_histogram"),
            "application/json",
            "\"layout\"",
        ),
        (
            format!("/{}", assets::address("app.css")),
            "text/css",
            "prefers-color-scheme",
        ),
        (
            format!("/{}", assets::address("app.js")),
            "text/javascript",
            "sortBy",
        ),
        (
            format!("/{}", assets::address("charts.js")),
            "text/javascript",
            "Plotly.react",
        ),
        (
            format!("/{}", assets::address("plotly.js")),
            "text/javascript",
            "window.Plotly",
        ),
    ] {
        let answer = asked(root.path(), &path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.header("content-type").starts_with(kind), "{path}");
        assert!(answer.body.contains(contains), "{path}: {contains}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src")
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
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
    let page = asked(root.path(), &format!("/runs/{}", run.id()));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'self'"), "{policy}");
    let loosened = policy.replace("style-src-attr 'unsafe-inline'", "");
    assert!(!loosened.contains("unsafe"), "{policy}");
    assert!(!page.body.contains("style=") && !page.body.contains("<style"));
    // Every script is a file, and no attribute runs one.
    let scripts = page.body.split("<script").skip(1);
    assert!(scripts.clone().count() >= 3);
    for script in scripts {
        let (tag, after) = script.split_once('>').unwrap();
        assert!(
            tag.contains("src=\"../assets/") && after.starts_with("</script>"),
            "{tag}"
        );
    }
    assert!(!page.body.contains(" onclick=") && !page.body.contains("javascript:"));
    let report = asked(root.path(), &format!("/runs/{}/report.html", run.id()));
    let policy = report.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
}

/// What the list says about a run is in its JSON, and an unfinished run hides nothing.
#[test]
fn unfinished_runs_are_listed_beside_finished_ones() {
    let root = Scratch::new("server-list");
    let run = fixture::write(root.path());
    let stopped = store::create(root.path(), "stopped").unwrap();
    let answer = asked(root.path(), "/api/v1/runs");
    let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let runs = value["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    let of = |id: &str| runs.iter().find(|r| r["run"] == id).unwrap();
    assert_eq!(of(stopped.id())["state"], "stopped");
    let complete = of(run.id());
    assert_eq!(complete["strategies"].as_array().unwrap().len(), 5);
    assert_eq!(complete["comparisons"][0]["cvar_change"], -0.142);

    let page = asked(root.path(), "/");
    assert!(page.body.contains("<td colspan=\"5\">stopped</td>"));
    let change = "−14.2\u{a0}% ±1.3\u{a0}%<span class=\"spoken\">, better</span>";
    assert!(page.body.contains(change), "{}", page.body);
    assert_eq!(
        asked(root.path(), &format!("/runs/{}", stopped.id())).status,
        200
    );
    let api = asked(root.path(), &format!("/api/v1/runs/{}", stopped.id()));
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
        let answer = asked(&root, "/");
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
        let answer = asked(&runs, path);
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
        "/assets/1/..%2fCargo.toml".to_owned(),
        "/assets/1/live".to_owned(),
        "/<script>".replace('<', "%3Cb%3E").replace('>', ""),
    ] {
        let answer = asked(&runs, &path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(answer.body.contains("<h1>Not found</h1>"), "{path}");
        assert_well_formed(&answer.body);
    }
}

/// What a chart, a path or a comparison cannot be made from is named.
#[test]
fn bad_questions_are_answered_with_their_reason() {
    let root = Scratch::new("server-charts");
    let run = fixture::write(root.path());
    let stopped = store::create(root.path(), "stopped").unwrap();
    let id = run.id();
    let of = |path: &str| {
        let answer = asked(root.path(), path);
        (answer.status, answer.error_code(), answer.body)
    };
    let (status, code, body) = of(&format!("/api/v1/runs/{id}/charts/smile"));
    assert_eq!((status, code.as_str()), (404, "not_found"));
    assert!(body.contains("no chart `smile`"), "{body}");
    let (status, code, _) = of(&format!("/api/v1/runs/{}/charts/loss_steps", stopped.id()));
    assert_eq!((status, code.as_str()), (409, "incomplete"));
    let (status, code, body) = of(&format!("/api/v1/runs/{id}/paths?path=-1"));
    assert_eq!((status, code.as_str()), (400, "bad_request"));
    assert!(body.contains("path"), "{body}");
    let (status, code, _) = of(&format!("/api/v1/runs/{id}/hedge_map"));
    assert_eq!((status, code.as_str()), (400, "bad_request"));
    let (status, _, body) = of(&format!("/api/v1/charts/cost_cvar?runs={id}"));
    assert_eq!(status, 400);
    assert!(
        body.contains("`runs` names 1 runs: must be 2 to 6"),
        "{body}"
    );
    // The run, not the question, is at fault: its strategy cannot be hedged with.
    let (status, code, _) = of(&format!("/api/v1/runs/{id}/paths?path=0"));
    assert_eq!((status, code.as_str()), (409, "unreadable"));
    for (path, field) in [
        (format!("runs/{id}/paths?path=-1"), "path"),
        (format!("runs/{id}/hedge_map"), "strategy"),
        (format!("charts/cost_cvar?runs={id}"), "runs"),
    ] {
        let (_, _, body) = of(&format!("/api/v1/{path}"));
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["error"]["field"], field, "{body}");
    }
    assert_eq!(asked(root.path(), "/compare?runs=a,..%2f").status, 404);
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
    let page = ask(root.path(), "/", None);
    assert_eq!(page.status, 403);
    assert!(page.body.contains("<h1>Refused</h1>"), "{}", page.body);
    assert_well_formed(&page.body);
    let style = format!("/{}", assets::address("app.css"));
    assert_eq!(ask(root.path(), &style, Some("evil.example")).status, 200);
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
            options(&PathBuf::from("data")),
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
