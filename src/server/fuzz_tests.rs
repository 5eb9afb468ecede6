//! No request fails the server.

use super::app::App;
use super::fuzz_requests::{Asked, Known, SMALL, asked, operations};
use super::openapi;
use super::routes::router;
use super::tests::app;

use crate::experiment::{Prepared, Scope};
use crate::market::history::fixture::{closes, day};
use crate::runs::fixture::{self, Scratch};
use crate::runs::store;
use crate::strategy::Plan;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use tower::ServiceExt;

/// The answer's status, and what is wrong with it.
async fn judged(app: &App, asked: Asked) -> Result<u16, String> {
    let mut request = Request::builder()
        .method(asked.method.as_str())
        .uri(&asked.address);
    for (name, value) in asked.headers {
        let Ok(value) = HeaderValue::from_bytes(&value) else {
            continue;
        };
        request = request.header(HeaderName::from_static(name), value);
    }
    // What is no address never comes as far as the router.
    let Ok(request) = request.body(Body::from(asked.body)) else {
        return Ok(0);
    };
    let is_api = request.uri().path().starts_with("/api/");
    let response = router(app.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    let kind = parts.headers.get("content-type");
    let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
    if kind == "text/event-stream" {
        // The stream of a run that may go on has no end.
        return Ok(status);
    }
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
    if status >= 500 {
        return Err(format!("{status}: {}", shown()));
    }
    if !parts.headers.contains_key("content-security-policy") {
        return Err(format!("{status} without a policy"));
    }
    if is_api && status >= 400 && asked.method != "HEAD" {
        let refusal: Value = serde_json::from_slice(&bytes).map_err(|_| shown())?;
        let has = |key: &str| {
            let text = refusal["error"][key].as_str();
            text.is_some_and(|text| !text.is_empty())
        };
        if kind != "application/json" || !has("code") || !has("message") {
            return Err(format!("{status}: {}", shown()));
        }
    }
    if !is_api && status >= 400 && asked.method != "HEAD" && !kind.starts_with("text/html") {
        return Err(format!("{status}, {kind}: {}", shown()));
    }
    // What was queued leaves the queue, so that it never is full.
    if let Ok(job) = serde_json::from_slice::<Value>(&bytes)
        && job["state"] == "queued"
        && let Some(run) = job["run"].as_str()
    {
        let _ = app.queue.cancel(run);
    }
    Ok(status)
}

/// The router is asked within the test, so that a panic of a handler is one of the test; the store has a run with
/// policies, a made-up one, one that stopped and one that cannot be read.
#[test]
fn no_request_fails_the_server() {
    let root = Scratch::new("server-fuzz");
    let plan = Plan::parse(SMALL, |_| {}).unwrap();
    let scope = Scope {
        seeds: vec![3],
        ..Scope::default()
    };
    let prepared = Prepared::comparison(&plan, &scope, root.path()).unwrap();
    prepared.carry_out(&mut |_| Ok(())).unwrap();
    let real = prepared.folder();
    let stopped = Prepared::comparison(&plan, &scope, root.path()).unwrap();
    let damaged = store::create(root.path(), "damaged").unwrap();
    damaged.write_bytes("metrics.json", b"{\"run\":").unwrap();
    let made_up = fixture::write(root.path());
    crate::report::write(&made_up).unwrap();
    let victims = (0..3).map(|_| fixture::write(root.path()).id().to_owned());
    let app = app(root.path());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let document = serde_json::to_value(openapi::described()).unwrap();
    let sections = crate::strategy::form::sections(SMALL).unwrap().into_iter();
    let keys = sections.flat_map(|section| section.fields);
    let closes = closes(330);
    let closes = closes.iter().enumerate();
    let closes = closes.map(|(number, close)| format!("{},{close}\n", day(number)));
    let prices = format!("date,close\n{}", closes.collect::<String>());
    let known = Known {
        runs: [real.id(), stopped.folder().id(), damaged.id(), made_up.id()]
            .map(str::to_owned)
            .into(),
        victims: victims.collect(),
        keys: keys.map(|field| field.key.key).collect(),
        files: ["date,close\n2020-01-01,1\n", "\0", &prices]
            .map(|text| app.data.keep("fuzzed.csv", text.as_bytes()).unwrap().0.file)
            .into(),
        schemas: document["components"]["schemas"].clone(),
    };
    let operations = operations(&document);
    let requests = select(operations).prop_flat_map(move |operation| asked(&operation, &known));
    let config = Config {
        cases: 1500,
        failure_persistence: None,
        ..Config::default()
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    let counted = std::cell::RefCell::new(&mut statuses);
    let result = TestRunner::new_with_rng(config, random).run(&requests, |asked| {
        let status = runtime.block_on(judged(&app, asked));
        let status = status.map_err(TestCaseError::fail)?;
        *counted.borrow_mut().entry(status).or_default() += 1;
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    // The requests reach the handlers, and what they refuse.
    for status in [200, 202, 204, 400, 404, 405, 409, 422] {
        assert!(statuses.contains_key(&status), "{statuses:?}");
    }
}
