use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// An error as it travels between ranks: its text, and whose mistake it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// The text of the error.
    pub message: String,
    /// The exit code that belongs to it.
    pub code: u8,
}

impl Fault {
    /// The error once more.
    pub fn error(self) -> Error {
        match self.code {
            2 => Error::Input(self.message),
            3 => Error::Stopped(self.message),
            _ => Error::Computation(self.message),
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

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self {
            message: error.to_string(),
            code: error.exit_code(),
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
