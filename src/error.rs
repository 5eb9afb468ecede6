//! One error type, split by whose mistake it is.

mod place;
mod setting;

pub use place::TextPlace;
pub use setting::{Fault, SettingError};

/// What can go wrong, and what the process should tell its caller, in one line: whatever characters it was made of, such
/// as those of a file's name, none moves or hides what stands around it. A fault within a text ([`TextPlace`]) alone has two
/// more lines, which show the place.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user's input is at fault: a strategy file, a data file, an argument. Exit code 2.
    #[error("{}", escaped(.0))]
    Input(String),
    /// A setting is at fault: a key of a strategy file, an option of the command line, a parameter of a request. Exit code 2.
    #[error("{0}")]
    Setting(Box<SettingError>),
    /// The computation failed although its input was valid. Exit code 1.
    #[error("{}", escaped(.0))]
    Computation(String),
    /// The process was asked to stop, and what it did can go on later. Exit code 3.
    #[error("{}", escaped(.0))]
    Stopped(String),
    /// A tensor operation failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A table could not be read or written.
    #[error("table: {}", escaped(.0))]
    Table(String),
    /// A file could not be read or written after its place had been accepted.
    #[error("{}: {source}", escaped(path))]
    File {
        /// The file's path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// Bad input, described by what was found and what was expected.
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }

    /// Bad input at a key: what is wrong with it.
    pub fn setting(key: impl Into<String>, fault: Fault) -> Self {
        Self::Setting(Box::new(SettingError {
            place: None,
            key: key.into(),
            fault,
        }))
    }

    /// Bad input at a key in words that follow its name, such as "has no meaning without `backtest`".
    pub fn key(key: impl Into<String>, words: impl Into<String>) -> Self {
        Self::setting(key, Fault::Words(words.into()))
    }

    /// The same error of what lies at `place`, a file or a section, which the message then names first.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::Setting(error) => Self::Setting(Box::new(error.at(place))),
            Self::Input(message) => Self::Input(format!("{place}: {message}")),
            Self::Computation(message) => Self::Computation(format!("{place}: {message}")),
            // What was asked to stop, tensors, tables and files say themselves what they are about.
            other @ (Self::Stopped(_) | Self::Tensor(_) | Self::Table(_) | Self::File { .. }) => {
                other
            }
        }
    }

    /// The key that is at fault, if the error is about one.
    pub fn at_key(&self) -> Option<&str> {
        match self {
            Self::Setting(error) => Some(&error.key),
            _ => None,
        }
    }

    /// The process exit code that belongs to this error: 2 for bad input, 3 if it was stopped, 1 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Setting(_) => 2,
            Self::Stopped(_) => 3,
            _ => 1,
        }
    }
}

#[cfg(feature = "data")]
impl From<polars::error::PolarsError> for Error {
    fn from(error: polars::error::PolarsError) -> Self {
        Self::Table(error.to_string())
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

/// Whether a character moves, hides or reorders the text around it: control characters, and the format characters of
/// Unicode that are not drawn.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

/// A text in one line: characters that move, hide or reorder text, line ends among them, are escaped. For what stays
/// whole in a message, such as names of files.
pub fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) {
            line.extend(character.escape_debug());
        } else {
            line.push(character);
        }
    }
    line
}

/// What an error shows of the input that it is about: the first 80 characters, [`escaped`], and an ellipsis if there
/// are more.
pub fn excerpt(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => escaped(&text[..end]) + "…",
        None => escaped(text),
    }
}

/// A parser's message about a part of the input: what was found is an [`excerpt`], what was expected instead stays whole.
pub fn parser_message(message: &str) -> String {
    let line: Vec<&str> = message.split_whitespace().collect();
    let line = line.join(" ");
    match line.rfind(", expected ") {
        Some(place) => excerpt(&line[..place]) + &line[place..],
        None => excerpt(&line),
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
