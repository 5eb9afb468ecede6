//! What every request must satisfy and every answer carries.

use super::access::Access;
use super::{Failure, MOST_BYTES, Problem};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
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
/// Longest message of a refusal that the framework made.
const MOST: usize = 4096;

/// Refuses requests that were addressed to another host, that a page of another origin sent, or that do not say who
/// they are where that is asked, and adds the headers that keep a browser from doing more with an answer than show it.
///
/// The host is checked because a page on the internet can make its own name point to
/// 127.0.0.1 and then read the answers as if they were its own.
pub async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let mut response = match refusal(&access, &request) {
        Some(refusal) => refusal,
        None => match tokio::time::timeout(PATIENCE, next.run(request)).await {
            Ok(response) => response,
            Err(_) => problem(
                StatusCode::REQUEST_TIMEOUT,
                "timed_out",
                "the request took too long",
                None,
            ),
        },
    };
    if api {
        response = as_json(response).await;
    }
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    add(header::CONTENT_SECURITY_POLICY, POLICY);
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::REFERRER_POLICY, "no-referrer");
    add(header::CACHE_CONTROL, "no-store");
    add(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    response
}

fn problem(
    status: StatusCode,
    code: &'static str,
    message: impl Into<String>,
    field: Option<String>,
) -> Response {
    Failure::json(Problem {
        status,
        code,
        message: message.into(),
        field,
    })
    .into_response()
}

fn refusal(access: &Access, request: &Request) -> Option<Response> {
    let headers = request.headers();
    if !access.asks() && !is_local(headers) {
        let message = "the Host header must name localhost, 127.0.0.1 or [::1]";
        return Some(problem(
            StatusCode::FORBIDDEN,
            "host_refused",
            message,
            None,
        ));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) && !is_same_origin(headers) {
        let message = "the request comes from a page of another origin";
        return Some(problem(
            StatusCode::FORBIDDEN,
            "origin_refused",
            message,
            None,
        ));
    }
    access.refuse(request)
}

/// Whether a browser sent the request from a page of this server, or no browser sent it.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let host = text(header::HOST).unwrap_or("");
    let same = |origin: &str| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    };
    let site = text(HeaderName::from_static("sec-fetch-site"));
    text(header::ORIGIN).is_none_or(same)
        && site.is_none_or(|site| matches!(site, "same-origin" | "none"))
}

/// Refusals of the framework in the form of all others.
async fn as_json(response: Response) -> Response {
    let status = response.status();
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !(status.is_client_error() || status.is_server_error()) || is_json {
        return response;
    }
    let code = match status {
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::UNPROCESSABLE_ENTITY => "invalid",
        _ => "bad_request",
    };
    let (mut parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, MOST).await.unwrap_or_default();
    let mut message = String::from_utf8_lossy(&text).into_owned();
    let query = message.strip_prefix("Failed to deserialize query string: ");
    let field = query.and_then(|query| match query.strip_prefix("missing field `") {
        Some(missing) => missing.strip_suffix('`'),
        None => query.split_once(": ").map(|(field, _)| field),
    });
    let field = field.map(str::to_owned);
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        message = format!("the body must be at most {} KiB", MOST_BYTES >> 10);
    } else if message.is_empty() {
        message = status
            .canonical_reason()
            .unwrap_or("refused")
            .to_lowercase();
    }
    let (json, body) = problem(status, code, message, field).into_parts();
    for (name, value) in json.headers {
        if let Some(name) = name {
            parts.headers.insert(name, value);
        }
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::new(body))
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
