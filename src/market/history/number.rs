//! Numbers as people and programs write them.
//!
//! A cell may have a currency's sign or a percent sign, separators of thousands, and a decimal comma. Which of comma and
//! point separates the decimals is decided once for a column, from all its cells: `1,234.5`, `1,234,567` and `1.5` have
//! a decimal point, `1.234,5`, `1.234.567` and `1,5` a decimal comma. `1.234` and `1,234` may be either.

use super::decimal::Decimal;
use crate::market::table::Texts;

/// What the separators in the cells of a column say, in numbers of cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Only a decimal point explains them.
    pub point: usize,
    /// Only a decimal comma explains them.
    pub comma: usize,
    /// One point, three digits after it: `1.234`.
    pub open_point: usize,
    /// One comma, three digits after it: `1,234`.
    pub open_comma: usize,
}

impl Evidence {
    /// The decimal separator that most cells ask for; none if no cell asks for any.
    pub fn decided(self) -> Option<Decimal> {
        match (self.point, self.comma) {
            (0, 0) => None,
            (point, comma) if point >= comma => Some(Decimal::Point),
            _ => Some(Decimal::Comma),
        }
    }

    /// Of two columns.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            point: self.point + other.point,
            comma: self.comma + other.comma,
            open_point: self.open_point + other.open_point,
            open_comma: self.open_comma + other.open_comma,
        }
    }

    fn see(&mut self, number: &str) {
        let (number, _) = scaled(number);
        if number.contains(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '-' | ' ')) {
            return;
        }
        let (points, commas) = (count(number, b'.'), count(number, b','));
        let after = |separator: char| number.rfind(separator).map(|at| number.len() - at - 1);
        let before = |separator: char| number.find(separator).unwrap_or(0);
        let open = |separator: char| {
            let digits = before(separator);
            after(separator) == Some(3)
                && (1..=3).contains(&digits)
                && !number.starts_with('0')
                && number
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b == separator as u8)
        };
        match (points, commas) {
            (0, 0) => {}
            (1, 0) if open('.') => self.open_point += 1,
            (0, 1) if open(',') => self.open_comma += 1,
            (1, 0) => self.point += 1,
            (0, 1) => self.comma += 1,
            (0, _) => self.point += 1,
            (_, 0) => self.comma += 1,
            _ if number.rfind('.') > number.rfind(',') => self.point += 1,
            _ => self.comma += 1,
        }
    }
}

fn count(text: &str, wanted: u8) -> usize {
    text.bytes().filter(|byte| *byte == wanted).count()
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Read {
    /// A number.
    Number(f64),
    /// Nothing, or a word for nothing.
    Blank,
    /// Something that is no number.
    Other,
}

/// Words that stand for a value that is missing.
const BLANKS: [&str; 12] = [
    "", ".", "-", "--", "n/a", "#n/a", "#n/a n/a", "na", "null", "none", "nd", "—",
];

/// Whether the cell stands for a value that is missing.
pub fn is_blank(cell: &str) -> bool {
    BLANKS.iter().any(|blank| cell.eq_ignore_ascii_case(blank))
}

/// The evidence of a column.
pub fn evidence(cells: &Texts) -> Evidence {
    let stretches = cells.stretches(|_, cells| {
        let mut evidence = Evidence::default();
        for cell in cells.flatten() {
            // The common case first: no separator but one point before other than three digits.
            let cell = cell.trim();
            match cell.find(['.', ',']) {
                None => {}
                Some(_) => evidence.see(bare(cell)),
            }
        }
        evidence
    });
    stretches
        .into_iter()
        .fold(Evidence::default(), Evidence::and)
}

/// The number in a cell, whose decimals `decimal` separates.
pub fn read(cell: &str, decimal: Decimal) -> Read {
    let cell = cell.trim();
    if decimal == Decimal::Point
        && let Ok(value) = cell.parse()
    {
        return Read::Number(value);
    }
    if is_blank(cell) {
        return Read::Blank;
    }
    let number = bare(cell);
    let (number, scale) = scaled(number);
    let (decimals, thousands) = match decimal {
        Decimal::Point => ('.', ','),
        Decimal::Comma => (',', '.'),
    };
    match plain(number, decimals, thousands).and_then(|plain| plain.parse::<f64>().ok()) {
        Some(value) if scale == 1.0 => Read::Number(value),
        Some(value) => Read::Number(value * scale),
        None => Read::Other,
    }
}

/// Signs of money and of percent, which say nothing about the value of a price.
fn bare(cell: &str) -> &str {
    let sign = |c: char| matches!(c, '$' | '€' | '£' | '¥' | '₹' | '%') || c.is_whitespace();
    cell.trim_matches(sign)
}

/// A number in thousands, millions or billions, as volumes are written.
fn scaled(number: &str) -> (&str, f64) {
    let scale = match number.as_bytes().last() {
        Some(b'K' | b'k') => 1e3,
        Some(b'M' | b'm') => 1e6,
        Some(b'B' | b'b') => 1e9,
        Some(b'T' | b't') => 1e12,
        _ => return (number, 1.0),
    };
    (number[..number.len() - 1].trim_end(), scale)
}

/// The number as the standard library reads it: without `thousands`, which must stand before groups of three digits, and
/// with a decimal point.
fn plain(number: &str, decimals: char, thousands: char) -> Option<String> {
    let (sign, digits) = match number.strip_prefix(['-', '+', '−']) {
        Some(rest) if !number.starts_with('+') => ("-", rest.trim_start().trim_start_matches('$')),
        Some(rest) => ("", rest),
        None => ("", number),
    };
    let (whole, fraction) = match digits.split_once(decimals) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let is_separator = |c: char| c == thousands || matches!(c, '\'' | '’') || c.is_whitespace();
    let mut groups = whole.split(is_separator);
    let first = groups.next()?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut text = format!("{sign}{first}");
    for group in groups {
        let after = (1..=3).contains(&first.len());
        if group.len() != 3 || !digits(group) || !after {
            return None;
        }
        text += group;
    }
    // An exponent may follow the decimals of numbers that have no thousands.
    if let Some(fraction) = fraction {
        text.push('.');
        text += fraction;
    }
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'e' | b'E' | b'+');
    text.bytes().all(plain).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_thousands_and_decimals() {
        for (cell, decimal, value) in [
            ("$123.45", Decimal::Point, 123.45),
            ("1,234.5", Decimal::Point, 1234.5),
            ("1,234,567", Decimal::Point, 1_234_567.0),
            ("-$1.25", Decimal::Point, -1.25),
            ("13.000,25", Decimal::Comma, 13_000.25),
            ("7705,85", Decimal::Comma, 7705.85),
            ("30.000", Decimal::Comma, 30_000.0),
            ("30.000", Decimal::Point, 30.0),
            ("1 234,5 €", Decimal::Comma, 1234.5),
            ("1'234.5", Decimal::Point, 1234.5),
            ("18.5%", Decimal::Point, 18.5),
            ("1.5M", Decimal::Point, 1.5e6),
            ("820,3K", Decimal::Comma, 820_300.0),
            ("1e3", Decimal::Point, 1000.0),
        ] {
            assert_eq!(read(cell, decimal), Read::Number(value), "{cell}");
        }
        for cell in ["", " ", ".", "-", "#N/A", "null"] {
            assert_eq!(read(cell, Decimal::Point), Read::Blank, "{cell}");
        }
        for cell in ["halt", "1,6", "1,23,456", "12,34.5", "1.2.3", "M"] {
            assert_eq!(read(cell, Decimal::Point), Read::Other, "{cell}");
        }
    }

    #[test]
    fn what_cells_say_of_a_column() {
        let of = |cells: &[&str]| {
            let mut evidence = Evidence::default();
            cells.iter().for_each(|cell| evidence.see(bare(cell)));
            evidence
        };
        for (cells, decimal) in [
            (&["13.000,00", "13.000"][..], Some(Decimal::Comma)),
            (&["1,234.50", "1,234"], Some(Decimal::Point)),
            (&["7705,85"], Some(Decimal::Comma)),
            (&["100.25", "1.234"], Some(Decimal::Point)),
            (&["0.123"], Some(Decimal::Point)),
            (&["1.234.567"], Some(Decimal::Comma)),
            (&["1,234,567"], Some(Decimal::Point)),
            (&["30.000", "30.114"], None),
            (&["38,915"], None),
            (&["100"], None),
        ] {
            assert_eq!(of(cells).decided(), decimal, "{cells:?}");
        }
        assert_eq!(of(&["30.000", "30.114"]).open_point, 2);
        assert_eq!(of(&["$38,915"]).open_comma, 1);
    }
}
