//! Tables as text for terminals.

use super::classical;
use super::table::{Cell, Table};
use super::tables::all;
use crate::runs::metrics::Metrics;

/// The width that tables are laid out for unless the terminal is narrower.
pub const WIDTH: usize = 140;

/// Every table of a run as text at most `width` columns wide; ends in a newline.
pub fn tables(metrics: &Metrics, width: usize) -> String {
    let tables = all(metrics);
    if tables.is_empty() {
        return format!("{}: no results\n", metrics.name);
    }
    let mut texts: Vec<String> = tables.iter().map(|table| render(table, width)).collect();
    let best = classical::findings(metrics);
    if !best.is_empty() {
        // Last, where whoever has waited for a run looks first.
        let mut text = String::new();
        for line in best.iter().map(String::as_str).chain([classical::NOTE]) {
            wrap(&mut text, line, width.min(100));
        }
        texts.push(text);
    }
    texts.join("\n")
}

/// One table as text at most `width` columns wide. Columns that do not fit go to further
/// blocks below, each beginning with the names of the rows again; notes are wrapped.
pub fn render(table: &Table, width: usize) -> String {
    let columns: Vec<Column> = (0..table.heads.len())
        .map(|index| Column::of(table, index))
        .collect();
    let Some((names, numbers)) = columns.split_first() else {
        return String::new();
    };
    let mut text = format!("{}\n", table.caption);
    let widths: Vec<usize> = numbers
        .iter()
        .map(|column| GAP.len() + column.width())
        .collect();
    let mut rest = numbers;
    for (index, count) in blocks(&widths, width.saturating_sub(names.width()))
        .into_iter()
        .enumerate()
    {
        if index > 0 {
            text.push('\n');
        }
        let (now, later) = rest.split_at(count);
        block(&mut text, names, now);
        rest = later;
    }
    for note in table.findings.iter().chain(&table.notes) {
        wrap(&mut text, note, width.min(100));
    }
    text
}

const GAP: &str = "  ";

struct Column<'a> {
    head: &'a str,
    cells: Vec<&'a Cell>,
    value: usize,
    error: usize,
}

impl<'a> Column<'a> {
    fn of(table: &'a Table, index: usize) -> Self {
        let cells: Vec<&Cell> = table.rows.iter().map(|row| &row[index]).collect();
        let error = |cell: &&Cell| cell.error.as_deref().map_or(0, characters);
        Self {
            head: &table.heads[index],
            value: cells
                .iter()
                .map(|c| characters(&c.value))
                .max()
                .unwrap_or(0),
            error: cells.iter().map(error).max().unwrap_or(0),
            cells,
        }
    }

    fn body(&self) -> usize {
        self.value + if self.error > 0 { 1 + self.error } else { 0 }
    }

    fn width(&self) -> usize {
        self.body().max(characters(self.head))
    }

    fn cell(&self, row: usize) -> String {
        let cell = self.cells[row];
        let value = &cell.value;
        let body = match &cell.error {
            Some(error) => format!("{value:>0$} {error:>1$}", self.value, self.error),
            // A value without an error stands under the other values.
            None if self.error > 0 => format!("{value:>0$} {1:>2$}", self.value, "", self.error),
            None => format!("{value:>0$}", self.value),
        };
        format!("{body:>0$}", self.width())
    }
}

/// How many columns go into each block: as few blocks as `room` allows, of about equal width.
fn blocks(widths: &[usize], room: usize) -> Vec<usize> {
    let mut best = greedy(widths, room);
    for narrower in (1..room).rev() {
        let split = greedy(widths, narrower);
        if split.len() > best.len() {
            break;
        }
        best = split;
    }
    best
}

fn greedy(widths: &[usize], room: usize) -> Vec<usize> {
    let mut counts = vec![0];
    let mut used = 0;
    for width in widths {
        let last = counts.len() - 1;
        // A column that is too wide by itself is still shown.
        if counts[last] > 0 && used + width > room {
            counts.push(1);
            used = *width;
        } else {
            counts[last] += 1;
            used += width;
        }
    }
    counts
}

fn block(text: &mut String, names: &Column<'_>, columns: &[Column<'_>]) {
    let mut line = format!("{:<1$}", names.head, names.width());
    for column in columns {
        line.push_str(GAP);
        line.push_str(&format!("{:>1$}", column.head, column.width()));
    }
    let ruled = characters(&line);
    push_line(text, &line);
    text.push_str(&"-".repeat(ruled));
    text.push('\n');
    for row in 0..names.cells.len() {
        let mut line = format!("{:<1$}", names.cells[row].value, names.width());
        for column in columns {
            line.push_str(GAP);
            line.push_str(&column.cell(row));
        }
        push_line(text, &line);
    }
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

fn wrap(text: &mut String, note: &str, width: usize) {
    let mut used = 0;
    for word in note.split(' ') {
        let length = characters(word);
        if used > 0 && used + 1 + length > width {
            text.push('\n');
            used = 0;
        }
        if used > 0 {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += length;
    }
    text.push('\n');
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tables;
    use crate::runs::fixture;

    /// No line is wider than asked, down to widths where every column has its own block, and
    /// no number is lost on the way.
    #[test]
    fn tables_keep_to_the_width() {
        let metrics = fixture::metrics();
        for width in [140, 100, 80, 40] {
            let text = super::tables(&metrics, width);
            for line in text.lines().filter(|line| line.contains('±')) {
                assert!(characters(line) <= width, "{width}: {line}");
            }
            for table in tables::all(&metrics) {
                for cell in table.rows.iter().flatten() {
                    assert!(text.contains(&cell.value), "{width}: {}", cell.value);
                }
            }
        }
    }

    /// Columns that need two blocks are shared between them, not packed into the first.
    #[test]
    fn blocks_are_of_about_equal_width() {
        assert_eq!(blocks(&[10, 10, 10, 10], 39), [2, 2]);
        assert_eq!(blocks(&[10, 10, 10, 10], 40), [4]);
        assert_eq!(blocks(&[50, 10], 20), [1, 1]);
        assert_eq!(blocks(&[], 20), [0]);
    }

    /// Numbers of a column end in the same place, with and without standard errors.
    #[test]
    fn numbers_line_up() {
        let cell = |value: &str, error: Option<&str>| Cell {
            value: value.into(),
            error: error.map(str::to_owned),
            ..Cell::default()
        };
        let table = Table {
            caption: "Title".into(),
            heads: vec!["strategy".into(), "cost".into(), "steps".into()],
            rows: vec![
                vec![
                    cell("a", None),
                    cell("-1.50", Some("±0.25")),
                    cell("7", None),
                ],
                vec![cell("bb", None), cell("0.00", None), cell("", None)],
            ],
            findings: Vec::new(),
            notes: vec!["A note.".into()],
        };
        let expected = "\
Title
strategy         cost  steps
----------------------------
a         -1.50 ±0.25      7
bb         0.00
A note.
";
        assert_eq!(render(&table, 80), expected);
    }
}
