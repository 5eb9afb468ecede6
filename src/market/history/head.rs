//! A file as it stands: the names of its columns and its first rows, before anything is understood of them.

use super::layout;
use super::options::Columns;
use crate::error::{Error, Result};
use crate::market::table::{self, Cells, Piece};
use std::path::Path;

/// The names of a file's columns and its first rows, as the file spells them.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The names, from the first column to the last.
    pub names: Vec<String>,
    /// The cells of the first rows, in the order of the names; none of a Parquet file, whose columns say themselves what they hold.
    pub rows: Vec<Vec<String>>,
}

impl Head {
    /// Reads the names and at most `rows` rows; of a large file no more than it takes.
    ///
    /// # Errors
    /// [`Error::Input`], one line naming the file, if it is no table.
    pub fn read(path: &Path, rows: usize) -> Result<Self> {
        let known = |cells: &[String]| layout::is_header(cells, &Columns::default());
        let names = table::header(path, &known)?.names;
        if table::is_parquet(path)? {
            return Ok(Self {
                names,
                rows: Vec::new(),
            });
        }
        let mut first: Option<Piece> = None;
        let read = table::read_pieces(
            path,
            &known,
            |header| Ok(header.names.clone()),
            &mut |piece| {
                first = Some(piece);
                Err(Error::Stopped("enough is read".into()))
            },
        );
        // Names may be there twice or rows be of another length, which is no fault of the names.
        drop(read);
        let columns = first.map_or_else(Vec::new, |piece| piece.columns);
        let height = columns.first().map_or(0, |(_, cells)| cells.rows());
        let cell = |name: &String, row: usize| {
            let column = columns.iter().find(|(other, _)| other == name);
            match column {
                Some((_, Cells::Text(cells))) => cells.get(row).unwrap_or_default().to_owned(),
                Some((_, Cells::Numbers(_) | Cells::Dates(_))) | None => String::new(),
            }
        };
        let row = |row: usize| names.iter().map(|name| cell(name, row)).collect();
        Ok(Self {
            rows: (0..height.min(rows)).map(row).collect(),
            names,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Scratch;
    use super::*;

    /// Names and cells are those of the file, lines before the header are passed over, a file without rows has its names, and what
    /// is no table has none.
    #[test]
    fn the_head_of_a_file_is_as_it_stands() {
        let read = |name: &str, text: &str| Head::read(&Scratch::csv(name, text).0, 2);
        let text = "made by a vendor\nDate;Last\n01.02.2020;1.234,5\n02.02.2020;\n03.02.2020;1\n";
        let head = read("head-rows", text).unwrap();
        assert_eq!(head.names, ["Date", "Last"]);
        assert_eq!(head.rows, [["01.02.2020", "1.234,5"], ["02.02.2020", ""]]);
        assert_eq!(read("head-alone", "a,b\n").unwrap().names, ["a", "b"]);
        assert!(read("head-none", "%PDF").is_err());
    }
}
