//! What every request must satisfy and every answer carries.

use super::access::Access;
use super::data::api::ADDRESS;
use super::hedge::ENDING;
use super::place::Place;
use super::problem::Problem;
use super::shaped::shaped;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// Scripts and styles come from files of this server alone. Attributes of style are allowed, because plotly sets them
/// on heat maps and their scales; they can neither load nor run anything, and no page writes any. Images may be data
/// and blobs, of which plotly makes heat maps and exported pictures.
const POLICY: &str = "default-src 'self'; style-src-attr 'unsafe-inline'; \
                      img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// For files that carry their own style and need nothing else.
pub const FILE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                               form-action 'none'; frame-ancestors 'none'";

/// How long an answer may take to begin, its request's body included.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the answer may take that a process gives which reads an uploaded file, and that to a book.
const PROCESS_PATIENCE: Duration = Duration::from_secs(55);
/// How long an upload may take, over lines that are not quick; one that stands still ends with its connection.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(600);

fn patience(request: &Request) -> Duration {
    let path = request.uri().path();
    if path.ends_with(ENDING) {
        return PROCESS_PATIENCE;
    }
    match path.strip_prefix(ADDRESS) {
        Some("") if *request.method() == Method::POST => UPLOAD_PATIENCE,
        Some("/check" | "/calibrate") => PROCESS_PATIENCE,
        _ => PATIENCE,
    }
}

/// Refuses requests that were addressed to another host, that a page of another origin sent, or that do not say who
/// they are where that is asked, and adds the headers that keep a browser from doing more with an answer than show it.
///
/// The host is checked because a page on the internet can make its own name point to
/// 127.0.0.1 and then read the answers as if they were its own.
pub async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let place = Place::of(
        &path,
        access.asks() && access.has_session(request.headers()),
    );
    let response = match refusal(&access, &request, &place) {
        Some(refusal) => refusal,
        None => answered(request, next).await,
    };
    let mut response = shaped(response, &path, &place).await;
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    add(header::CONTENT_SECURITY_POLICY, POLICY);
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Other sites are told nothing; with no referrer at all, forms of our own would come from an origin of `null`.
    add(header::REFERRER_POLICY, "same-origin");
    add(header::CACHE_CONTROL, "no-store");
    add(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    response
}

/// The answer, or why there is none in time.
async fn answered(request: Request, next: Next) -> Response {
    // What a panic says stands on standard error, where the asker cannot read it.
    let patience = patience(&request);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(patience, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::internal().into_response(),
        Err(_) => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "timed_out",
            "the request took too long",
        )
        .into_response(),
    }
}

fn refusal(access: &Access, request: &Request, place: &Place) -> Option<Response> {
    let headers = request.headers();
    // The page that says so has its style from there, and nobody a secret.
    let is_asset = request.uri().path().starts_with("/assets/");
    if !access.asks() && !is_asset && !is_local(headers) {
        let problem = Problem::new(
            StatusCode::FORBIDDEN,
            "host_refused",
            "the Host header must name localhost, 127.0.0.1 or [::1], unless the server asks for a token",
        );
        return Some(problem.into_response());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) && !access.is_own(headers) {
        let problem = Problem::new(
            StatusCode::FORBIDDEN,
            "origin_refused",
            "the request comes from a page of another origin; behind a proxy the server must be told its own with \
             --public-url",
        );
        return Some(problem.into_response());
    }
    access.refuse(request, place)
}

fn is_local(headers: &HeaderMap) -> bool {
    let Some(host) = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
    else {
        return false;
    };
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some(("::1", port)) => ("[::1]", port),
            _ => return false,
        },
        None => match host.find(':') {
            Some(colon) => host.split_at(colon),
            None => (host, ""),
        },
    };
    let known = name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]");
    let port_is_number = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.parse::<u16>().is_ok());
    known && port_is_number
}
