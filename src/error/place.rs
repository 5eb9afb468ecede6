//! A fault at a place of a text that stands at a key.

use super::escaped;
use std::fmt;
use std::ops::Range;

/// Where in a text something is wrong, and what: one line that says all, then the line of the text with carets below the
/// place.
#[derive(Debug, Clone, PartialEq)]
pub struct TextPlace {
    /// The number of the line, from 1.
    pub line: usize,
    /// The number of the first character that is at fault, from 1.
    pub column: usize,
    /// What is wrong, in words.
    pub words: String,
    /// What is shown of the line.
    shown: String,
    /// Characters before the carets.
    before: usize,
    /// The number of carets.
    carets: usize,
}

/// Characters that are shown of a line, at most.
const WIDTH: usize = 96;

impl TextPlace {
    /// The place of the bytes `span` of `text`; a span over several lines is shown up to the end of its first.
    pub fn new(text: &str, span: Range<usize>, words: impl Into<String>) -> Self {
        let start = boundary(text, span.start);
        let begin = text[..start].rfind('\n').map_or(0, |end| end + 1);
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let stop = boundary(text, span.end.min(end)).max(start);
        let count = |range: Range<usize>| text[range].chars().count();
        let before = count(begin..start);
        // Of a long line, the part around the place.
        let cut = if count(begin..end) > WIDTH {
            before.saturating_sub(WIDTH / 2)
        } else {
            0
        };
        let visible = |character: char| {
            if escaped(character.encode_utf8(&mut [0; 4]))
                .chars()
                .eq([character])
            {
                character
            } else {
                ' '
            }
        };
        let line = text[begin..end].chars().skip(cut).take(WIDTH);
        Self {
            line: 1 + text[..begin].matches('\n').count(),
            column: 1 + before,
            words: words.into(),
            shown: line.map(visible).collect(),
            before: before - cut,
            carets: count(start..stop).clamp(1, (WIDTH + cut + 1).saturating_sub(before).max(1)),
        }
    }
}

/// The last place up to `at` at which a character begins, or the end.
fn boundary(text: &str, at: usize) -> usize {
    let mut places = (0..=at.min(text.len())).rev();
    places
        .find(|place| text.is_char_boundary(*place))
        .unwrap_or(0)
}

impl fmt::Display for TextPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = escaped(&self.words);
        writeln!(
            formatter,
            "line {}, column {}: {words}",
            self.line, self.column
        )?;
        writeln!(formatter, "    {}", self.shown)?;
        let (indent, carets) = (" ".repeat(self.before), "^".repeat(self.carets));
        write!(formatter, "    {indent}{carets}")
    }
}
