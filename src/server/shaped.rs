//! Refusals in the form that the asker reads them in.

use super::described::{Reason, Refusal};
use super::layout;
use super::place::{Place, is_api};
use super::problem::{MOST_BYTES, Problem, shortened};
use crate::error::excerpt;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// Longest message that is told whole.
const LONGEST: usize = 1000;

/// A response in the form that whoever asked for `path` reads: refusals of the API are JSON, all others pages.
pub async fn shaped(mut response: Response, path: &str, place: &Place) -> Response {
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare_refusal(&response) => of_framework(&mut response).await,
        None => return response,
    };
    // Whatever a message quotes, no answer is as long as its request.
    let message = if problem.message.len() > LONGEST {
        shortened(&problem.message)
    } else {
        problem.message
    };
    let (kind, body) = if is_api(path) {
        let error = Reason {
            code: problem.code,
            message,
            field: problem.field.as_deref().map(excerpt),
        };
        // Three strings have a JSON form.
        let json = serde_json::to_string(&Refusal { error }).unwrap_or_default();
        ("application/json", json)
    } else {
        let page = layout::problem(place, problem.status, &message);
        ("text/html; charset=utf-8", page)
    };
    let (mut parts, _) = response.into_parts();
    parts.status = problem.status;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Response::from_parts(parts, Body::from(body))
}

/// Whether a response is a refusal that the framework made, in words of its own or in none.
fn is_bare_refusal(response: &Response) -> bool {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_ours = kind.is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"application/json") || kind.starts_with(b"text/html")
    });
    (status.is_client_error() || status.is_server_error()) && !is_ours
}

/// The framework's refusal as one of ours.
async fn of_framework(response: &mut Response) -> Problem {
    /// Longest body that is read.
    const MOST: usize = 1 << 16;
    let status = response.status();
    let code = match status {
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::UNPROCESSABLE_ENTITY => "invalid",
        _ => "bad_request",
    };
    let body = std::mem::take(response.body_mut());
    let text = axum::body::to_bytes(body, MOST).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let query = text.strip_prefix("Failed to deserialize query string: ");
    let field = query.and_then(|query| match query.strip_prefix("missing field `") {
        Some(missing) => missing.strip_suffix('`'),
        None => query.split_once(": ").map(|(field, _)| field),
    });
    let message = if status == StatusCode::PAYLOAD_TOO_LARGE {
        format!("the body must be at most {} KiB", MOST_BYTES >> 10)
    } else if text.is_empty() {
        let reason = status.canonical_reason().unwrap_or("refused");
        reason.to_lowercase()
    } else {
        shortened(&text)
    };
    Problem {
        field: field.map(shortened),
        ..Problem::new(status, code, message)
    }
}
