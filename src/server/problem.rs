//! What went wrong with a request.

use crate::error::{Error, escaped};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Greatest body of a request, an uploaded strategy file among them.
pub const MOST_BYTES: usize = 1 << 20;

/// What went wrong with a request.
///
/// As a response it has a status and no body: the guard, which knows what was asked for, gives it one, a page or JSON.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// What kind of refusal it is, for programs.
    pub code: &'static str,
    /// What went wrong, in one line for people.
    pub message: String,
    /// The field of the request, or the key of a strategy, at fault.
    pub field: Option<String>,
}

impl Problem {
    /// A refusal that is no field's fault.
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

/// The refusal of what is not there.
pub fn missing(message: String) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", message)
}

/// The refusal of what a field of the request holds.
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
