use crate::error::{Error, Fault, TextPlace};
use std::borrow::Cow;
use std::ops::Range;
use winnow::error::ParserError;
use winnow::stream::{Location, Stream};

/// Bytes of a text, from and up to.
pub(super) type Span = Range<usize>;

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Misread {
    pub span: Span,
    pub words: Cow<'static, str>,
}

impl Misread {
    /// `words` are a plain sentence without its stop.
    pub fn new(span: Span, words: impl Into<Cow<'static, str>>) -> Self {
        Self {
            span,
            words: words.into(),
        }
    }

    /// The error of the text that stands at `key`.
    pub fn of(self, key: &str, text: &str) -> Error {
        let place = TextPlace::new(text, self.span, self.words);
        Error::setting(key, Fault::Place(Box::new(place)))
    }
}

impl<I: Stream + Location> ParserError<I> for Misread {
    type Inner = Self;

    /// Where a token of another kind stands; the parser tries the next kind, or says what it had expected.
    fn from_input(input: &I) -> Self {
        let start = input.current_token_start();
        Self::new(start..start, "this has no meaning here")
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}
