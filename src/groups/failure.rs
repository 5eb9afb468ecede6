use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// An error as it travels between ranks: its text, and what becomes of the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The text of the error.
    pub message: String,
    kind: Kind,
}

/// What other ranks need to know of an error's kind: the exit code follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Kind {
    Input,
    Computation,
    Stopped,
}

impl Failure {
    /// The error once more.
    pub fn error(self) -> Error {
        match self.kind {
            Kind::Input => Error::Input(self.message),
            Kind::Computation => Error::Computation(self.message),
            Kind::Stopped => Error::Stopped(self.message),
        }
    }

    /// The error with the rank that it comes from.
    #[must_use]
    pub fn on_rank(self, rank: usize) -> Self {
        Self {
            message: format!("rank {rank}: {}", self.message),
            ..self
        }
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let kind = match error {
            Error::Input(_) | Error::Setting(_) => Kind::Input,
            Error::Stopped(_) => Kind::Stopped,
            Error::Computation(_) | Error::Tensor(_) | Error::Table(_) | Error::File { .. } => {
                Kind::Computation
            }
        };
        Self {
            message: error.to_string(),
            kind,
        }
    }
}

/// That the run was asked to stop.
pub fn stopped() -> Error {
    Error::Stopped("stopped".into())
}

/// Whether an error means no more than that the run was asked to stop.
pub fn is_stop<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Stopped(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On the other side an error has the same text and the same exit code.
    #[test]
    fn errors_travel_with_their_exit_codes() {
        let errors = [
            Error::input("a.csv: the file is empty"),
            Error::key("strike", "has no meaning here"),
            Error::Computation("the risk is NaN".into()),
            Error::Table("no column".into()),
            stopped(),
        ];
        for error in errors {
            let sent = serde_json::to_vec(&Failure::from(&error)).unwrap();
            let found: Failure = serde_json::from_slice(&sent).unwrap();
            let found = found.error();
            assert_eq!(found.to_string(), error.to_string());
            assert_eq!(found.exit_code(), error.exit_code());
        }
    }
}
