//! One error type, split by whose mistake it is.

/// What can go wrong, and what the process should tell its caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user's input is at fault: a strategy file, a data file, an argument. Exit code 2.
    #[error("{0}")]
    Input(String),
    /// The computation failed although its input was valid. Exit code 1.
    #[error("{0}")]
    Computation(String),
    /// The process was asked to stop, and what it did can go on later. Exit code 3.
    #[error("{0}")]
    Stopped(String),
    /// A tensor operation failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A table could not be read or written.
    #[error("table: {0}")]
    Table(#[from] polars::error::PolarsError),
    /// A file could not be read or written after its place had been accepted.
    #[error("{path}: {source}")]
    File {
        path: String,
        source: std::io::Error,
    },
}

impl Error {
    /// Bad input, described by what was found and what was expected.
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }

    /// The process exit code that belongs to this error: 2 for bad input, 3 if it was stopped, 1 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Stopped(_) => 3,
            _ => 1,
        }
    }
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Attaches the path to an input/output error.
pub fn at_path<T>(path: &std::path::Path, result: std::io::Result<T>) -> Result<T> {
    result.map_err(|source| Error::File {
        path: path.display().to_string(),
        source,
    })
}
