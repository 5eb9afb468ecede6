//! Tables as text for terminals.

use super::classical;
use super::markup::typeset;
use super::table::{Cell, Table};
use super::tables::all;
use super::verdict::RunVerdict;
use crate::runs::metrics::Metrics;

/// What a run comes to as text at most `width` columns wide: the verdict first, with the text of the `strategy` file what was
/// hedged in one line, then the best classical hedge, then every table. Ends in a newline.
pub fn run(metrics: &Metrics, strategy: Option<&str>, width: usize) -> String {
    let tables = all(metrics);
    if tables.is_empty() {
        return format!("{}: no results\n", metrics.name);
    }
    let mut texts: Vec<String> = Vec::new();
    if let Some(verdict) = RunVerdict::usual(metrics, strategy) {
        let said = verdict.hedged.iter().chain([&verdict.sentence]);
        texts.extend(said.map(|said| wrapped(said, width)));
        let grids = verdict.tables().into_iter();
        texts.extend(grids.map(|grid| render(&narrowed(grid, width), width)));
    }
    let best = classical::findings(metrics);
    if !best.is_empty() {
        let lines = best.iter().map(String::as_str).chain([classical::NOTE]);
        texts.push(lines.map(|line| wrapped(line, width)).collect());
    }
    texts.extend(tables.iter().map(|table| render(table, width)));
    texts.join("\n")
}

/// The grid of a verdict, without the standard errors of the two sides where it is too wide with them: those of the differences are
/// what decides.
fn narrowed(mut grid: Table, width: usize) -> Table {
    let columns = (0..grid.heads.len()).map(|index| Column::of(&grid, index).width());
    let needed: usize = columns.map(|width| GAP.len() + width).sum();
    if needed > GAP.len() + width {
        let sides = grid
            .rows
            .iter_mut()
            .flat_map(|row| row.iter_mut().skip(1).take(2));
        sides.for_each(|cell| cell.error = None);
    }
    grid
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
    let mut text = wrapped(&table.caption, width);
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
        text.push_str(&wrapped(note, width));
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

/// Words in lines that are comfortable to read and at most `width` long; only a word that is longer sticks out. No per cent sign
/// begins a line.
fn wrapped(words: &str, width: usize) -> String {
    const COMFORTABLE: usize = 100;
    let width = width.min(COMFORTABLE);
    let mut text = String::new();
    let mut used = 0;
    for word in typeset(words).split(' ') {
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
    text.replace('\u{a0}', " ")
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tables;
    use crate::runs::fixture;

    /// No line is wider than the terminal, and no number is lost on the way, down to widths where every column has its own block and
    /// only what cannot be broken sticks out.
    #[test]
    fn nothing_is_wider_than_the_terminal() {
        let metrics = fixture::metrics();
        let strategy = "name = \"Heston call\"\n";
        for width in [160, 120, 100, 80, 40] {
            let text = super::run(&metrics, Some(strategy), width);
            for line in text.lines().filter(|_| width >= 80) {
                assert!(characters(line) <= width, "{width}: {line}");
            }
            for table in tables::all(&metrics) {
                for cell in table.rows.iter().flatten() {
                    assert!(text.contains(&cell.value), "{width}: {}", cell.value);
                }
            }
        }
    }

    /// The verdict is what is read first: its sentence and its grid stand before every table.
    #[test]
    fn the_verdict_comes_first() {
        let metrics = fixture::metrics();
        let text = super::run(&metrics, None, 500);
        let verdict = RunVerdict::usual(&metrics, None).unwrap();
        let sentence = wrapped(&verdict.sentence, 500);
        assert!(text.starts_with(&sentence), "{text}");
        // Where it is too wide, the two sides lose their errors and the difference does not.
        let narrow = render(&narrowed(verdict.tables()[0].clone(), 80), 80);
        let rules = narrow.lines().filter(|line| line.starts_with("---"));
        assert_eq!(rules.count(), 1, "{narrow}");
        assert!(narrow.contains("±1.3 %"), "{narrow}");
        let grid = text.find(&verdict.tables()[0].caption).unwrap();
        let first = &tables::all(&metrics)[0].caption;
        assert!(grid < text.rfind(first).unwrap());
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
