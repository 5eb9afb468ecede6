//! What went wrong with a request, and the form that the asker reads it in.

use super::MOST_BYTES;
use super::openapi::{Reason, Refusal};
use super::pages;
use super::place::{Place, is_api};
use crate::error::{Error, escaped, excerpt};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Longest message that is told whole.
const LONGEST: usize = 1000;

/// What went wrong with a request.
///
/// As a response it has a status and no body: the guard, which knows what was asked for, gives it one, a page or JSON.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    /// The field of the request, or the key of a strategy, at fault.
    pub field: Option<String>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            field: None,
        }
    }

    /// The server's own fault, of which it says nothing to the asker.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failed",
            "the server failed at this request; its standard error says why",
        )
    }
}

pub fn missing(message: String) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", message)
}

pub fn invalid(field: &str, message: impl Into<String>) -> Problem {
    Problem {
        field: Some(field.to_owned()),
        ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
    }
}

impl From<Error> for Problem {
    /// A request is examined before its run is read, so input at fault is then a damaged file of the run.
    fn from(error: Error) -> Self {
        let (status, code) = match error {
            Error::Input(_) | Error::Setting(_) | Error::Table(_) => {
                (StatusCode::CONFLICT, "unreadable")
            }
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

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
        let page = pages::problem(place, problem.status, &message);
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

/// A message that quotes its input at any length, in one line: its beginning and its end, where it says what was
/// expected, without the middle.
pub fn shortened(message: &str) -> String {
    const BEGINNING: usize = 120;
    const END: usize = 80;
    let length = message.chars().count();
    if length <= BEGINNING + END {
        return escaped(message);
    }
    let beginning: String = message.chars().take(BEGINNING).collect();
    let end: String = message.chars().skip(length - END).collect();
    format!("{} … {}", escaped(&beginning), escaped(&end))
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_message_keeps_both_ends() {
        assert_eq!(shortened("a\n"), "a\\n");
        let message = format!("invalid type: \"{}\", expected u64", "x".repeat(100_000));
        let short = shortened(&message);
        assert!(short.starts_with("invalid type: \"xxx"), "{short}");
        assert!(short.ends_with("xxx\", expected u64"), "{short}");
        assert_eq!(short.chars().count(), 120 + 3 + 80);
    }
}
