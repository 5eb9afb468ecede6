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

/// At most 80 characters of a user's `text`, on one line: what cannot be seen is escaped, and `…` stands for what is left
/// out.
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::new();
    let mut characters = text.chars();
    for character in characters.by_ref().take(LONGEST) {
        // Marks of direction and of width would let a message look like another one.
        let unseen = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if character.is_control() || unseen {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(excerpt("1,234.5 €"), "1,234.5 €");
        assert_eq!(excerpt("a\nb\t\u{1b}[2J"), "a\\nb\\t\\u{1b}[2J");
        assert_eq!(excerpt("\u{202e}abc"), "\\u{202e}abc");
        assert_eq!(excerpt(&"ß".repeat(80)), "ß".repeat(80));
        assert_eq!(excerpt(&"ß".repeat(81)), "ß".repeat(80) + "…");
    }
}
