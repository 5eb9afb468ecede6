//! The lines of a text file that rows stand in, for messages.

/// In which line every row of a text file begins, as far as that is known.
///
/// It is kept as stretches of rows that stand in one line each, one after the other: most files are one such stretch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// The first row of every stretch, from 0, and the line that it begins in, from 1; none where lines and rows cannot be told apart.
    stretches: Vec<(usize, Option<usize>)>,
}

impl Lines {
    /// The line in which a row begins, from 1, where that is known.
    pub fn of(&self, row: usize) -> Option<usize> {
        let after = self.stretches.partition_point(|(first, _)| *first <= row);
        let (first, line) = self.stretches[after.checked_sub(1)?];
        Some(line? + row - first)
    }

    /// Adds the rows of a piece of the file: `first` is the number of the first of its `rows` rows, and `before` are the lines before it.
    pub fn append(
        &mut self,
        (piece, line_end): (&[u8], u8),
        (first, rows): (usize, usize),
        before: usize,
    ) {
        let ends = piece.iter().filter(|byte| **byte == line_end).count();
        let lines = ends + usize::from(piece.last().is_some_and(|last| *last != line_end));
        if lines == rows {
            return self.push(first, Some(before + 1));
        }
        let starts = starts(piece, line_end);
        if starts.len() != rows {
            return self.push(first, None);
        }
        for (row, start) in starts.into_iter().enumerate() {
            self.push(first + row, Some(before + 1 + start));
        }
    }

    fn push(&mut self, row: usize, line: Option<usize>) {
        if self.stretches.is_empty() || self.of(row) != line {
            self.stretches.push((row, line));
        }
    }
}

/// The lines of a piece, from 0, in which its records begin: a cell in quotation marks may hold ends of lines.
fn starts(piece: &[u8], line_end: u8) -> Vec<usize> {
    let (mut starts, mut line, mut quoted, mut begun) = (Vec::new(), 0, false, false);
    for byte in piece {
        if !begun {
            starts.push(line);
            begun = true;
        }
        quoted ^= *byte == b'"';
        if *byte == line_end {
            line += 1;
            begun = quoted;
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows stand in the lines in which their records begin, over the ends of pieces; where records and rows are not as many, nothing is
    /// known until the next piece.
    #[test]
    fn rows_have_lines() {
        let mut lines = Lines::default();
        assert_eq!(lines.of(0), None);
        lines.append((b"a\nb\n", b'\n'), (0, 2), 1);
        lines.append((b"\"c\nc\"\nd\n\"e \"\"\n\ne\"\nf", b'\n'), (2, 4), 3);
        let found: Vec<Option<usize>> = (0..6).map(|row| lines.of(row)).collect();
        assert_eq!(found, [2, 3, 4, 6, 7, 10].map(Some));
        lines.append((b"g\nh\n", b'\n'), (6, 1), 11);
        lines.append((b"i\n", b'\n'), (7, 1), 13);
        assert_eq!((lines.of(6), lines.of(7)), (None, Some(14)));
        let mut regular = Lines::default();
        for piece in 0..100 {
            regular.append((b"x\ny\n", b'\n'), (2 * piece, 2), 2 * piece + 1);
        }
        assert_eq!((regular.of(199), regular.stretches.len()), (Some(201), 1));
    }
}
