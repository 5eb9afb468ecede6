//! Names of columns: the line they stand in, and names that are spread over several lines.

/// The names of a file's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The names, from the first column to the last.
    pub names: Vec<String>,
    /// The column of the index that a data frame was written with, if the file says which that is.
    pub index: Option<String>,
    /// Lines before the header.
    pub skipped: usize,
    /// Lines that the names stand in; 0 where they stand in no line.
    pub lines: usize,
}

/// One line of a text file: its cells, and where the next one begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The cells, without the quotation marks around them.
    pub cells: Vec<String>,
    /// Where the next line begins, in bytes.
    pub end: usize,
}

/// Lines of a text that are looked at for the header.
const HEAD: usize = 60;

/// What may separate cells, in order of preference.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The first lines of `bytes`, as cells between `separator`; a cell in quotation marks may hold separators and ends of
/// lines.
pub fn records(bytes: &[u8], separator: u8, line_end: u8) -> Vec<Record> {
    let mut records = Vec::new();
    let (mut cells, mut cell, mut quoted) = (Vec::new(), Vec::new(), false);
    let mut at = 0;
    while at < bytes.len() && records.len() < HEAD {
        let byte = bytes[at];
        at += 1;
        if byte == b'"' {
            // Two marks within marks are one.
            if quoted && bytes.get(at) == Some(&b'"') {
                cell.push(byte);
                at += 1;
            } else {
                quoted = !quoted;
            }
        } else if !quoted && (byte == separator || byte == line_end) {
            cells.push(decoded(&cell));
            cell.clear();
            if byte == line_end {
                records.push(Record {
                    cells: std::mem::take(&mut cells),
                    end: at,
                });
            }
        } else {
            cell.push(byte);
        }
    }
    if records.len() < HEAD && !(cell.is_empty() && cells.is_empty()) {
        cells.push(decoded(&cell));
        records.push(Record { cells, end: at });
    }
    records
}

fn decoded(cell: &[u8]) -> String {
    super::text::decoded(cell).trim().to_string()
}

/// The header of a text file and its separator, and where the data begin.
pub fn find(bytes: &[u8], line_end: u8, known: &dyn Fn(&[String]) -> bool) -> (Header, u8, usize) {
    let first = bytes
        .split(|byte| *byte == line_end)
        .next()
        .unwrap_or(bytes);
    let named = first.strip_prefix(b"sep=").and_then(|rest| rest.first());
    let separators: Vec<u8> = match named {
        Some(separator) => vec![*separator],
        None => SEPARATORS.to_vec(),
    };
    let read: Vec<(u8, Vec<Record>)> = separators
        .iter()
        .map(|&separator| (separator, records(bytes, separator, line_end)))
        .collect();
    // The first line with names that are known; the separator that comes first where two give such a line.
    let lines = read.iter().map(|(_, records)| records.len()).max();
    for line in 0..lines.unwrap_or(0) {
        for (separator, records) in &read {
            if records.get(line).is_some_and(|record| known(&record.cells)) {
                return headed(*separator, records, line);
            }
        }
    }
    // The separator that the first line has; or else the one that cuts most lines into equally many cells.
    let start = usize::from(named.is_some());
    let in_first = read.iter().find(|(_, records)| {
        let first = records.get(start);
        first.is_some_and(|record| record.cells.len() > 1)
    });
    let (separator, records) = in_first
        .or_else(|| read.iter().max_by_key(|(_, records)| usual(records).1))
        .expect("there are separators to try");
    let (cells, _) = usual(records);
    let line = records
        .iter()
        .skip(start)
        .position(|record| cells < 2 || record.cells.len() == cells)
        .map_or(start, |line| start + line);
    headed(*separator, records, line)
}

/// The number of cells, above one, that most lines have, and how many those are.
fn usual(records: &[Record]) -> (usize, usize) {
    let lengths = records.iter().map(|record| record.cells.len());
    let several: Vec<usize> = lengths.filter(|length| *length > 1).collect();
    let count = |length: usize| several.iter().filter(|other| **other == length).count();
    // The first of several that are equally usual, which `max_by_key` would not give.
    let pairs = several.iter().rev().map(|&length| (length, count(length)));
    pairs.max_by_key(|(_, count)| *count).unwrap_or((1, 0))
}

/// What a level of names of a data frame of prices says.
const PRICES: [&str; 6] = ["open", "high", "low", "close", "adj close", "volume"];

fn headed(separator: u8, records: &[Record], line: usize) -> (Header, u8, usize) {
    let rows = records.get(line..).unwrap_or_default();
    let rows: Vec<&[String]> = rows.iter().map(|record| record.cells.as_slice()).collect();
    let lines = 1 + rows
        .iter()
        .skip(1)
        .take(2)
        .take_while(|r| is_level(r))
        .count();
    let lines = lines.min(rows.len());
    let names = merged(&rows[..lines]);
    let index = names.first().cloned();
    let index = index.filter(|name| name.is_empty() || lines > 1);
    let header = Header {
        names,
        index,
        skipped: line,
        lines,
    };
    let last = (line + lines).checked_sub(1);
    let end = last.and_then(|last| records.get(last));
    (header, separator, end.map_or(0, |record| record.end))
}

/// Whether a line below the first names goes on with them, as a data frame's with columns of several levels do: it
/// begins with the name of a level, and has no number.
fn is_level(cells: &[String]) -> bool {
    const LEVELS: [&str; 9] = [
        "",
        "ticker",
        "tickers",
        "symbol",
        "symbols",
        "price",
        "attributes",
        "date",
        "datetime",
    ];
    let Some((first, rest)) = cells.split_first() else {
        return false;
    };
    let level = LEVELS.contains(&first.to_lowercase().as_str());
    let said = !first.is_empty() || rest.iter().any(|cell| !cell.is_empty());
    let number = |cell: &String| {
        let mut characters = cell.chars();
        cell == "." || characters.any(|c| c.is_ascii_digit()) && !cell.contains(char::is_alphabetic)
    };
    level && said && cells.len() > 1 && !rest.iter().any(number)
}

/// Names out of the levels of a data frame's columns, one row of `levels` a level. A level that says the same of all
/// columns, such as the one symbol of a file, is left out; the column of the index has the name of the last level that
/// names it.
fn merged(levels: &[&[String]]) -> Vec<String> {
    let Some(first) = levels.first() else {
        return Vec::new();
    };
    if levels.len() == 1 {
        return first.to_vec();
    }
    let width = levels.iter().map(|level| level.len()).max().unwrap_or(0);
    let cell = |level: usize, column: usize| levels[level].get(column).map_or("", |c| c.as_str());
    let is_symbol = |level: usize| {
        let name = cell(level, 0).to_lowercase();
        name.starts_with("ticker") || name.starts_with("symbol")
    };
    let several = |level: usize| {
        let mut cells = (1..width).map(|column| cell(level, column));
        let first = cells.by_ref().find(|cell| !cell.is_empty());
        cells.any(|other| !other.is_empty() && Some(other) != first)
    };
    // What all columns hold is a name of theirs where several symbols have it.
    let of_all = |level: usize| {
        let name = cell(level, 1).to_lowercase();
        PRICES.contains(&name.as_str())
    };
    let mut kept: Vec<usize> = (0..levels.len())
        .filter(|&level| several(level) || of_all(level))
        .collect();
    if kept.is_empty() {
        // One column beside the index: its symbol is no name of what it holds.
        kept = (0..levels.len())
            .filter(|&l| !is_symbol(l))
            .take(1)
            .collect();
    }
    let name = |column: usize| {
        let parts: Vec<&str> = match column {
            0 => {
                let names = (0..levels.len()).rev().map(|level| cell(level, 0));
                names.filter(|name| !name.is_empty()).take(1).collect()
            }
            _ => {
                let parts = kept.iter().map(|&level| cell(level, column));
                parts.filter(|part| !part.is_empty()).collect()
            }
        };
        parts.join(" ")
    };
    (0..width).map(name).collect()
}

/// Names of columns of several levels as pandas writes them to Parquet, `('Close', 'SPY')`; others stay.
pub fn untupled(names: &[String], index: Option<&str>) -> Vec<String> {
    let is_index = |name: &str| index == Some(name);
    let tuples: Vec<Option<Vec<String>>> = names
        .iter()
        .map(|name| tuple(name).filter(|_| !is_index(name)))
        .collect();
    let depth = tuples.iter().flatten().map(Vec::len).max().unwrap_or(0);
    if depth == 0 {
        return names.to_vec();
    }
    let levels: Vec<Vec<String>> = (0..depth)
        .map(|level| {
            // The first place is that of the index, which the tuples are beside.
            let cells = tuples.iter().flatten();
            let cells = cells.map(|parts| parts.get(level).cloned().unwrap_or_default());
            std::iter::once(String::new()).chain(cells).collect()
        })
        .collect();
    let levels: Vec<&[String]> = levels.iter().map(Vec::as_slice).collect();
    let mut merged = merged(&levels).into_iter().skip(1);
    names
        .iter()
        .zip(&tuples)
        .map(|(name, tuple)| match tuple {
            Some(_) => merged.next().unwrap_or_default(),
            None => name.clone(),
        })
        .collect()
}

fn tuple(name: &str) -> Option<Vec<String>> {
    let inner = name.strip_prefix('(')?.strip_suffix(')')?;
    let parts = inner.trim_end_matches(',').split(',').map(|part| {
        let part = part.trim();
        let quoted = ['\'', '"'].iter().find_map(|&mark| {
            let inner = part.strip_prefix(mark)?;
            inner.strip_suffix(mark)
        });
        quoted.map(str::to_string)
    });
    parts.collect()
}
