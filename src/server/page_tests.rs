use super::app::off_thread;
use super::assets;
use super::guard;
use super::problem::Problem;
use super::tests::{app, asked, sent_to};

use crate::report;
use crate::report::html::tests::assert_well_formed;
use crate::runs::fixture::{self, Scratch};
use crate::runs::store;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

/// Every link of every page, of pages of what is not there too, is relative: behind a proxy that keeps the server below
/// another path it leads to the same place.
#[test]
fn pages_have_no_links_from_the_root() {
    let root = Scratch::new("server-links");
    let run = fixture::write(root.path());
    let other = fixture::write(root.path());
    let stopped = store::create(root.path(), "stopped").unwrap();
    report::write(&run).unwrap();
    let id = run.id();
    for path in [
        "/".to_owned(),
        "/?search=nothing".to_owned(),
        format!("/runs/{id}"),
        format!("/runs/{}", stopped.id()),
        format!("/runs/{id}/book"),
        "/jobs".to_owned(),
        "/data".to_owned(),
        "/compare".to_owned(),
        format!("/compare?runs={id},{}", other.id()),
        "/?search=name+%3D+heston&sort=cvar".to_owned(),
        "/?search=nothing+%3D+1".to_owned(),
        "/sweep".to_owned(),
        "/login".to_owned(),
        "/runs/nothing/live".to_owned(),
        "/a/b/c".to_owned(),
    ] {
        let page = asked(root.path(), &path).body;
        assert!(page.contains("assets/"), "{path}");
        for attribute in [
            "href",
            "src",
            "srcset",
            "action",
            "data-follow",
            "data-chart",
            "data-address",
        ] {
            for value in page.split(&format!(" {attribute}=\"")).skip(1) {
                assert!(
                    !value.starts_with('/'),
                    "{path}: {attribute} {}",
                    &value[..40]
                );
            }
        }
    }
    for script in [
        "api", "app", "book", "charts", "data", "examined", "form", "jobs", "labels", "lines",
        "live", "notify", "run",
    ] {
        let address = format!("/{}", assets::address(&format!("{script}.js")));
        let text = asked(root.path(), &address).body;
        for part in ["api/", "runs", "jobs", "data", "login", "compare"] {
            for quote in ['"', '`'] {
                assert!(
                    !text.contains(&format!("{quote}/{part}")),
                    "{script}: {part}"
                );
            }
        }
    }
}

async fn panicked() -> &'static str {
    panic!("the secret")
}

/// A handler that panics is answered for, without what the panic said; so is one whose file work does.
#[test]
fn a_panic_is_not_told() {
    let root = Scratch::new("server-panics");
    let app = app(root.path());
    let failing = |path: &str| {
        let panicking = get(panicked);
        let work = get(|| off_thread(|| -> Result<String, Problem> { panic!("the secret") }));
        let routes = Router::new()
            .route("/page", panicking.clone())
            .route("/api/panic", panicking)
            .route("/api/work", work)
            .layer(from_fn_with_state(app.access.clone(), guard::guard));
        let request = Request::get(path).header("host", "localhost");
        sent_to(routes, request.body(Body::empty()).unwrap())
    };
    for path in ["/api/panic", "/api/work"] {
        let answer = failing(path);
        assert_eq!(
            (answer.status, answer.error_code().as_str()),
            (500, "failed")
        );
        assert!(!answer.body.contains("secret"), "{}", answer.body);
    }
    let page = failing("/page");
    assert_eq!(page.status, 500);
    assert!(
        page.body.contains("<h1>Something went wrong</h1>"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("secret"), "{}", page.body);
}

/// What was asked for is told in 80 characters, without those that move text.
#[test]
fn what_is_echoed_is_short() {
    let root = Scratch::new("server-echo");
    let run = fixture::write(root.path());
    let id = run.id();
    let long = "%1b%5b31m".to_owned() + &"x".repeat(5000);
    for path in [
        format!("/{long}"),
        format!("/api/{long}"),
        format!("/runs/{long}"),
        format!("/api/v1/jobs/{long}"),
        format!("/api/v1/runs/{id}/charts/{long}"),
        format!("/api/v1/runs/{id}/tables/{long}.csv"),
        format!("/api/v1/runs/{id}/paths?path={long}"),
        format!("/api/v1/runs?page={long}"),
        format!("/api/v1/strategy/form?strategy={long}"),
        format!("/runs/{id}/figures/{long}"),
        format!("/assets/1/{long}"),
        format!("/compare?runs={long},{long}x"),
    ] {
        let answer = asked(root.path(), &path);
        assert!(
            (400..500).contains(&answer.status),
            "{path}: {}",
            answer.status
        );
        assert!(
            !answer.body.contains(&"x".repeat(210)),
            "{path}: {}",
            answer.body
        );
        assert!(!answer.body.contains('\u{1b}'), "{path}");
    }
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
        let answer = asked(root.path(), &path);
        assert!(!answer.body.contains("<script>"), "{path}");
        assert!(answer.body.contains("&lt;script&gt;"), "{path}");
        assert_well_formed(&answer.body);
    }
}
