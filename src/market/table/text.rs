//! Tables that are text: read in pieces, so that a file that grows, shrinks or never ends a line does no harm.

use super::header::{self, Header};
use super::lines::Lines;
use super::source::{Source, guarded, unreadable};
use super::{Cells, Piece, Table, Texts};
use crate::error::{Error, Result};
use polars::prelude::{CsvReadOptions, DataType, PolarsError, SchemaRef, SerReader, StringChunked};
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

/// Bytes that are parsed at a time.
const PIECE: usize = 32 << 20;

/// The longest line, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// The largest file in UTF-16, which is held whole, in bytes.
const LARGEST_WIDE: u64 = 256 << 20;

/// How the lines of a file are to be cut into cells.
struct Form {
    separator: u8,
    line_end: u8,
    /// The types of all columns.
    schema: SchemaRef,
    /// Places of the chosen columns, in ascending order.
    chosen: Vec<usize>,
}

/// Reads the chosen columns of a text file.
pub fn read(
    source: &mut Source,
    known: &dyn Fn(&[String]) -> bool,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
) -> Result<Table> {
    read_by(PIECE, source, known, choose)
}

/// [`read`] in pieces of at most `size` bytes.
pub fn read_by(
    size: usize,
    source: &mut Source,
    known: &dyn Fn(&[String]) -> bool,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
) -> Result<Table> {
    let input = Input::new(source)?;
    of_input((size, input), source, known, choose)
}

/// [`read`] of text that is held.
pub fn read_held(
    name: &Path,
    text: String,
    known: &dyn Fn(&[String]) -> bool,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
) -> Result<Table> {
    let input = Input::held(text);
    of_input((PIECE, input), &mut Source::held(name), known, choose)
}

fn of_input(
    input: (usize, Input),
    source: &mut Source,
    known: &dyn Fn(&[String]) -> bool,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
) -> Result<Table> {
    let mut columns: Vec<Vec<StringChunked>> = Vec::new();
    let read = pieces_of(input, source, known, choose, &mut |_, _, pieces| {
        columns.resize_with(pieces.len(), Vec::new);
        for (column, piece) in columns.iter_mut().zip(pieces) {
            column.push(piece);
        }
        Ok(())
    })?;
    columns.resize_with(read.names.len(), Vec::new);
    let columns = read.names.into_iter().zip(columns);
    Ok(Table {
        columns: columns
            .map(|(name, pieces)| (name, Cells::Text(Texts(pieces))))
            .collect(),
        rows: read.rows,
        separator: Some(read.separator),
        lines: Some(read.lines),
    })
}

/// Gives the chosen columns to `each` in pieces as they are read, which are then forgotten: the row of the first cell and the columns in
/// the order of the file.
///
/// # Errors
/// The errors of [`read`] and of `each`.
pub fn read_pieces(
    source: &mut Source,
    known: &dyn Fn(&[String]) -> bool,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
    each: &mut dyn FnMut(Piece) -> Result<()>,
) -> Result<usize> {
    let input = (PIECE, Input::new(source)?);
    let read = pieces_of(input, source, known, choose, &mut |row, names, columns| {
        let columns = columns.into_iter();
        let columns = columns.map(|column| Cells::Text(Texts(vec![column])));
        each(Piece {
            row,
            columns: names.iter().cloned().zip(columns).collect(),
        })
    })?;
    Ok(read.rows)
}

/// The names of a file's columns, from its first bytes.
///
/// # Errors
/// The errors of [`read`].
pub fn header(source: &mut Source, known: &dyn Fn(&[String]) -> bool) -> Result<Header> {
    let mut input = Input::new(source)?;
    input.fill(source, LONGEST_LINE)?;
    Ok(input.header(source, known)?.0)
}

/// What was read in pieces.
struct InPieces {
    names: Vec<String>,
    rows: usize,
    separator: u8,
    lines: Lines,
}

/// What is made of a piece: the row of its first cell, the names of its columns and these.
type EachPiece<'a> = &'a mut dyn FnMut(usize, &[String], Vec<StringChunked>) -> Result<()>;

fn pieces_of(
    (size, mut input): (usize, Input),
    source: &mut Source,
    known: &dyn Fn(&[String]) -> bool,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
    each: EachPiece<'_>,
) -> Result<InPieces> {
    input.fill(source, size)?;
    let (header, separator, line_end, start) = input.header(source, known)?;
    let names = choose(&header)?;
    let place = |name: &String| header.names.iter().position(|other| other == name);
    let mut chosen: Vec<usize> = names.iter().filter_map(place).collect();
    chosen.sort_unstable();
    chosen.dedup();
    let names = chosen.iter().map(|&place| header.names[place].clone());
    let names: Vec<String> = names.collect();
    let form = Form {
        separator,
        line_end,
        schema: all_text(header.names.len()),
        chosen,
    };
    let mut line = count(&input.buffer[..start], line_end);
    let (mut rows, mut lines) = (0, Lines::default());
    input.buffer.drain(..start);
    loop {
        let end = input.cut(source, line_end, line)?;
        let held = &input.buffer[..end];
        let piece = held;
        if !piece.iter().all(u8::is_ascii_whitespace) {
            let text;
            // Cells that are not UTF-8 are Windows-1252, the most common of other encodings.
            let piece = match std::str::from_utf8(piece) {
                Ok(_) => piece,
                Err(_) => {
                    text = decoded(piece);
                    text.as_bytes()
                }
            };
            let pieces = guarded(&source.path, || parse(source, &form, piece, line))?;
            let first = rows;
            rows += pieces.first().map_or(0, |piece| piece.len());
            lines.append((held, line_end), (first, rows - first), line);
            each(first, &names, pieces)?;
        }
        source.check(rows)?;
        line += count(&input.buffer[..end], line_end);
        input.buffer.drain(..end);
        if input.ended && input.buffer.is_empty() {
            break;
        }
        input.fill(source, size)?;
    }
    Ok(InPieces {
        names,
        rows,
        separator,
        lines,
    })
}

/// The bytes of a file, of which a stretch is held.
struct Input {
    /// What was decoded at once, or nothing if the file is read as it is.
    decoded: Option<Cursor<Vec<u8>>>,
    buffer: Vec<u8>,
    ended: bool,
}

impl Input {
    fn held(text: String) -> Self {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        Self {
            decoded: Some(Cursor::new(text.into_bytes())),
            buffer: Vec::new(),
            ended: false,
        }
    }

    fn new(source: &mut Source) -> Result<Self> {
        let mut input = Self {
            decoded: None,
            buffer: Vec::new(),
            ended: false,
        };
        input.fill(source, 1024)?;
        let head = &input.buffer;
        let byte = |parity: usize| {
            let mut bytes = head.iter().skip(parity).step_by(2);
            head.len() > 1 && bytes.all(|byte| *byte == 0)
        };
        let little = head.starts_with(&[0xff, 0xfe]) || byte(1);
        let big = head.starts_with(&[0xfe, 0xff]) || byte(0);
        if little || big {
            let whole = source.file()?.metadata();
            let whole = whole.map_err(|error| unreadable(&source.path, &error))?;
            if whole.len() > LARGEST_WIDE {
                return Err(source.refuse("is text in UTF-16 of more than 256 MiB, expected UTF-8"));
            }
            while !input.ended {
                input.fill(source, usize::MAX)?;
            }
            let units = input.buffer.chunks_exact(2).map(|pair| {
                let pair = [pair[0], pair[1]];
                match little {
                    true => u16::from_le_bytes(pair),
                    false => u16::from_be_bytes(pair),
                }
            });
            let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
            let text: String = text.filter(|c| *c != '\u{feff}').collect();
            input = Self::held(text);
        } else if head.starts_with(b"\xef\xbb\xbf") {
            input.buffer.drain(..3);
        }
        Ok(input)
    }

    /// The header, what separates the cells and ends the lines, and where the data begin.
    ///
    /// # Errors
    /// For what is not text.
    fn header(
        &self,
        source: &Source,
        known: &dyn Fn(&[String]) -> bool,
    ) -> Result<(Header, u8, u8, usize)> {
        let head = &self.buffer;
        if head[..head.len().min(LONGEST_LINE)].contains(&0) {
            let what = "is not text: it has bytes of 0, expected text (CSV) or Parquet";
            return Err(source.refuse(what));
        }
        let line_end = if head.contains(&b'\n') { b'\n' } else { b'\r' };
        let (header, separator, start) = header::find(head, line_end, known);
        Ok((header, separator, line_end, start))
    }

    /// Reads on until `length` bytes are held or the file ends.
    fn fill(&mut self, source: &Source, length: usize) -> Result<()> {
        let wanted = length.saturating_sub(self.buffer.len()) as u64;
        let read = match &mut self.decoded {
            Some(decoded) => decoded.take(wanted).read_to_end(&mut self.buffer),
            None => source.file()?.take(wanted).read_to_end(&mut self.buffer),
        };
        let read = read.map_err(|error| unreadable(&source.path, &error))?;
        self.ended = (read as u64) < wanted;
        Ok(())
    }

    /// The end of the last line that is held whole and is not within quotation marks. `line` counts the lines before
    /// the first that is held.
    fn cut(&mut self, source: &Source, line_end: u8, line: usize) -> Result<usize> {
        let marks = count(&self.buffer, b'"');
        if self.ended {
            return match marks % 2 {
                0 => Ok(self.buffer.len()),
                _ => Err(unclosed(source, &self.buffer, line_end, line)),
            };
        }
        let mut end = self.buffer.len();
        let mut marks = marks;
        while self.buffer.len() - end <= LONGEST_LINE {
            let last = self.buffer[..end].iter().rposition(|b| *b == line_end);
            let Some(last) = last else { break };
            marks -= count(&self.buffer[last + 1..end], b'"');
            if marks.is_multiple_of(2) {
                return Ok(last + 1);
            }
            end = last;
        }
        if self.buffer[end..].len() > LONGEST_LINE && marks % 2 == 1 {
            return Err(unclosed(source, &self.buffer, line_end, line));
        }
        let what = format!("has a line longer than {LONGEST_LINE} bytes");
        Err(source.refuse(&what))
    }
}

fn count(bytes: &[u8], wanted: u8) -> usize {
    bytes.iter().filter(|byte| **byte == wanted).count()
}

fn unclosed(source: &Source, bytes: &[u8], line_end: u8, line: usize) -> Error {
    let mut lines = bytes.split(|byte| *byte == line_end);
    let place = lines.position(|line| count(line, b'"') % 2 == 1);
    let line = line + place.unwrap_or(0) + 1;
    source.refuse(&format!(
        "line {line} has an odd number of quotation marks, a cell in them does not end"
    ))
}

/// Text that is UTF-8, or else Windows-1252.
pub fn decoded(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_string();
    }
    // Windows-1252 is Latin-1 but for these, of which the euro and the quotation marks stand in price files.
    let character = |byte: &u8| match byte {
        0x80 => '€',
        0x91 => '‘',
        0x92 => '’',
        0x93 => '“',
        0x94 => '”',
        0x96 => '–',
        0x97 => '—',
        byte => char::from(*byte),
    };
    bytes.iter().map(character).collect()
}

/// The chosen columns of whole lines. Every cell stays text: polars' guesses from the first rows would turn late
/// surprises into blanks, and its number parser need not round as the standard library's does.
fn parse(source: &Source, form: &Form, piece: &[u8], line: usize) -> Result<Vec<StringChunked>> {
    let read = |schema: &SchemaRef, truncate: bool| {
        CsvReadOptions::default()
            .with_has_header(false)
            .map_parse_options(|options| {
                options
                    .with_separator(form.separator)
                    .with_eol_char(form.line_end)
                    .with_truncate_ragged_lines(truncate)
            })
            .with_infer_schema_length(Some(0))
            .with_schema(Some(schema.clone()))
            .with_projection(Some(Arc::new(form.chosen.clone())))
            .with_rechunk(true)
            .with_raise_if_empty(false)
            .into_reader_with_file_handle(Cursor::new(piece))
            .finish()
    };
    // Polars says neither where a line is too long nor whether what is too much is blank.
    let surplus = |error: &PolarsError| {
        let error = error.to_string();
        error.contains("more fields") || error.contains("number of columns")
    };
    let frame = match read(&form.schema, false) {
        Err(error) if surplus(&error) => match ragged(source, form, piece, line) {
            Ok(widest) => read(&all_text(widest), true),
            Err(refusal) => return Err(refusal),
        },
        other => other,
    };
    let frame = frame.map_err(|error| unreadable(&source.path, &error))?;
    let columns = frame.columns().iter();
    columns
        .map(|column| Ok(column.str()?.clone()))
        .collect::<Result<_>>()
}

/// A schema of so many columns of text.
fn all_text(columns: usize) -> SchemaRef {
    let fields = (0..columns).map(|i| (i.to_string().into(), DataType::String));
    Arc::new(fields.collect())
}

/// The number of cells in the longest line.
///
/// # Errors
/// The first line with more cells than there are columns, unless all that is too much is blank.
fn ragged(source: &Source, form: &Form, piece: &[u8], line: usize) -> Result<usize> {
    let columns = form.schema.len();
    let mut widest = columns;
    for (text, number) in piece.split(|byte| *byte == form.line_end).zip(line + 1..) {
        let mut quoted = false;
        let cells: Vec<&[u8]> = text
            .split(|&byte| {
                quoted ^= byte == b'"';
                byte == form.separator && !quoted
            })
            .collect();
        let surplus = cells.get(columns..).unwrap_or_default();
        let found = cells.len();
        if !surplus.iter().all(|cell| cell.trim_ascii().is_empty()) {
            let what = format!("line {number} has {found} cells, the header {columns}");
            return Err(source.refuse(&what));
        }
        widest = widest.max(found);
    }
    Ok(widest)
}
