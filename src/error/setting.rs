//! What is wrong with a setting, in fields.

use super::{TextPlace, escaped, excerpt};
use std::fmt;

/// A setting that is at fault.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingError {
    /// The file or the section that the key stands in, if that has been said.
    pub place: Option<String>,
    /// The name of the setting, dotted for a key of a strategy: `market.rho`.
    pub key: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The value is of another type, or outside its bound.
    Bound {
        /// The bound in words that follow "must be".
        bound: String,
        /// The value as it was written, or an excerpt of it.
        value: String,
    },
    /// No setting has this name.
    Unknown {
        /// The known name that is spelled almost so.
        nearest: Option<String>,
        /// All known names.
        known: Vec<String>,
    },
    /// The setting must be given and is not.
    Missing,
    /// The setting has no effect beside what another one says.
    NoMeaning {
        /// What the other one says, in words such as `for the model "gbm"`.
        beside: String,
    },
    /// The setting is a text that is wrong at a place.
    Place(Box<TextPlace>),
    /// Another fault, in words that follow the name of the setting.
    Words(String),
}

impl SettingError {
    /// The same fault in a place that lies within `place`.
    pub(super) fn at(mut self, place: &str) -> Self {
        self.place = Some(match self.place {
            Some(inner) => format!("{place}: {inner}"),
            None => place.to_owned(),
        });
        self
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(formatter, "{}: ", escaped(place))?;
        }
        let key = excerpt(&self.key);
        match &self.fault {
            Fault::Bound { bound, value } => {
                write!(
                    formatter,
                    "`{key}` must be {}, was {}",
                    escaped(bound),
                    escaped(value)
                )
            }
            Fault::Unknown {
                nearest: Some(nearest),
                ..
            } => write!(formatter, "`{key}`: unknown key, did you mean `{nearest}`?"),
            Fault::Unknown { known, .. } if known.is_empty() => {
                write!(formatter, "`{key}`: unknown key")
            }
            Fault::Unknown { known, .. } => write!(
                formatter,
                "`{key}`: unknown key, must be one of {}",
                known.join(", ")
            ),
            Fault::Missing => write!(formatter, "`{key}` is missing"),
            Fault::NoMeaning { beside } => {
                write!(formatter, "`{key}` has no meaning {}", escaped(beside))
            }
            Fault::Place(place) => write!(formatter, "`{key}`, {place}"),
            Fault::Words(words) if words.starts_with(':') => {
                write!(formatter, "`{key}`{}", escaped(words))
            }
            Fault::Words(words) => write!(formatter, "`{key}` {}", escaped(words)),
        }
    }
}
