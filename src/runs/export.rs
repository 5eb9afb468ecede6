//! Tables of a run as CSV or Parquet.

use super::metrics::Metrics;
use super::parquet::parquet_bytes;
use super::store::RunFolder;
use super::tables::read_parquet;
use crate::error::{Error, Result};
use polars::prelude::{Column, CsvWriter, DataFrame, SerWriter};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A row of a table: columns by their names.
type Row = Map<String, Value>;

/// The rows of a part of `metrics.json`, each made when it is asked for.
type Rows<'a> = Box<dyn Iterator<Item = Result<Row>> + 'a>;

/// Where the rows of a table come from.
#[derive(Debug, Clone, Copy)]
enum Contents {
    /// The Parquet file of the same name.
    File,
    /// A part of `metrics.json`.
    Part(for<'a> fn(&'a Metrics) -> Rows<'a>),
}

/// A table that a run may have.
#[derive(Debug, Clone, Copy)]
pub struct ExportTable {
    /// The name in files and addresses.
    pub name: &'static str,
    contents: Contents,
}

/// Every table that a run may have: those in files of their own, then the parts of `metrics.json`. A new one is a line here.
pub static TABLES: [ExportTable; 16] = [
    ExportTable::file("evaluation"),
    ExportTable::file("backtest"),
    ExportTable::file("daily"),
    ExportTable::file("contract_days"),
    ExportTable::file("worst_contracts"),
    ExportTable::file("trades"),
    ExportTable::file("crossed"),
    ExportTable::part("results", |metrics| flat(&metrics.evaluation)),
    ExportTable::part("backtest_results", |metrics| flat(&metrics.backtest)),
    ExportTable::part("backtest_breakdown", |metrics| {
        flat(&metrics.backtest_breakdown)
    }),
    ExportTable::part("comparisons", |metrics| flat(&metrics.comparisons)),
    ExportTable::part("backtest_comparisons", |metrics| {
        flat(&metrics.backtest_comparisons)
    }),
    ExportTable::part("lengths", |metrics| flat(&metrics.lengths)),
    ExportTable::part("frontier", |metrics| flat(&metrics.frontier)),
    ExportTable::part("tuning", |metrics| flat(&metrics.tuning)),
    ExportTable::part("training", steps),
];

/// The table of that name, if there may be one.
pub fn named(name: &str) -> Option<&'static ExportTable> {
    TABLES.iter().find(|table| table.name == name)
}

/// The names of the tables that the run has.
pub fn available(folder: &RunFolder, metrics: &Metrics) -> Vec<&'static str> {
    let has = |table: &&ExportTable| match table.contents {
        Contents::File => folder.path().join(table.file_name()).is_file(),
        Contents::Part(rows) => rows(metrics).next().is_some(),
    };
    TABLES.iter().filter(has).map(|table| table.name).collect()
}

/// The form that a table is sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text with commas, in which nothing is a formula.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// The form of a file by the end of its name.
    pub fn named(end: &str) -> Option<Self> {
        match end {
            "csv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The bytes of a table in this form.
    ///
    /// # Errors
    /// If the table has no such form.
    pub fn bytes(self, table: DataFrame) -> Result<Vec<u8>> {
        match self {
            Self::Csv => {
                let mut bytes = Vec::new();
                CsvWriter::new(&mut bytes).finish(&mut without_formulas(table)?)?;
                Ok(bytes)
            }
            Self::Parquet => parquet_bytes(table),
        }
    }
}

impl ExportTable {
    const fn file(name: &'static str) -> Self {
        Self {
            name,
            contents: Contents::File,
        }
    }

    const fn part(name: &'static str, rows: for<'a> fn(&'a Metrics) -> Rows<'a>) -> Self {
        Self {
            name,
            contents: Contents::Part(rows),
        }
    }

    fn file_name(&self) -> String {
        format!("{}.parquet", self.name)
    }

    /// The bytes of the table, if the run has it.
    ///
    /// # Errors
    /// [`Error::Input`] if the run's files are not what they should be.
    pub fn read(&self, folder: &RunFolder, format: Format) -> Result<Option<Vec<u8>>> {
        match (self.contents, format) {
            (Contents::File, Format::Parquet) => folder.read_bytes(&self.file_name()),
            (Contents::File, Format::Csv) | (Contents::Part(_), _) => {
                let frame = self.frame(folder)?;
                frame.map(|frame| format.bytes(frame)).transpose()
            }
        }
    }

    /// The table, if the run has it.
    ///
    /// # Errors
    /// [`Error::Input`] if the run's files are not what they should be.
    pub fn frame(&self, folder: &RunFolder) -> Result<Option<DataFrame>> {
        match self.contents {
            Contents::File => {
                let path = folder.path().join(self.file_name());
                path.is_file().then(|| read_parquet(&path)).transpose()
            }
            Contents::Part(rows) => {
                let rows: Vec<Row> = rows(&folder.metrics()?).collect::<Result<_>>()?;
                (!rows.is_empty()).then(|| frame(&rows)).transpose()
            }
        }
    }
}

/// The table with an apostrophe before every text that a spreadsheet would take for a formula. Columns of numbers stay
/// as they are, and so do texts that are numbers.
fn without_formulas(frame: DataFrame) -> Result<DataFrame> {
    let height = frame.height();
    let columns = frame.columns().iter().map(|column| {
        let name = match plain(column.name()) {
            Cow::Borrowed(_) => column.name().clone(),
            Cow::Owned(name) => name.into(),
        };
        let Ok(texts) = column.str() else {
            return column.clone().with_name(name);
        };
        let texts: Vec<Option<Cow<'_, str>>> = texts.iter().map(|text| text.map(plain)).collect();
        Column::new(name, texts)
    });
    Ok(DataFrame::new(height, columns.collect())?)
}

/// A text that no spreadsheet runs: what begins like a formula gets an apostrophe, as spreadsheets have it.
fn plain(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if is_formula && text.parse::<f64>().is_err() {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// The steps of every training, a row each.
fn steps(metrics: &Metrics) -> Rows<'_> {
    let curves = metrics.training.iter();
    Box::new(curves.flat_map(|curve| {
        flat(&curve.points).map(|point| {
            let mut row = Row::new();
            row.insert("strategy".into(), curve.strategy.clone().into());
            row.insert("seed".into(), curve.seed.into());
            row.extend(point?);
            Ok(row)
        })
    }))
}

/// Values as rows.
fn flat<T: Serialize>(values: &[T]) -> Rows<'_> {
    Box::new(values.iter().map(|value| {
        let value = serde_json::to_value(value)
            .map_err(|error| Error::Computation(format!("table: {error}")))?;
        let mut row = Row::new();
        flatten(String::new(), value, &mut row);
        Ok(row)
    }))
}

/// Keys of objects in objects are joined by dots; lists are JSON.
fn flatten(name: String, value: Value, row: &mut Row) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let name = if name.is_empty() {
                    key
                } else {
                    format!("{name}.{key}")
                };
                flatten(name, value, row);
            }
        }
        Value::Array(_) => drop(row.insert(name, value.to_string().into())),
        value => drop(row.insert(name, value)),
    }
}

fn frame(rows: &[Row]) -> Result<DataFrame> {
    let mut names: Vec<&String> = Vec::new();
    for row in rows {
        names.extend(
            row.keys()
                .filter(|key| !names.contains(key))
                .collect::<Vec<_>>(),
        );
    }
    let columns = names.into_iter().map(|name| {
        let cells = || {
            rows.iter()
                .map(|row| row.get(name).filter(|value| !value.is_null()))
        };
        let column = name.as_str().into();
        if cells().flatten().all(Value::is_u64) {
            let numbers: Vec<Option<u64>> = cells().map(|cell| cell?.as_u64()).collect();
            Column::new(column, numbers)
        } else if cells().flatten().all(Value::is_number) {
            let numbers: Vec<Option<f64>> = cells().map(|cell| cell?.as_f64()).collect();
            Column::new(column, numbers)
        } else {
            let text = |value: &Value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let texts: Vec<Option<String>> = cells().map(|cell| cell.map(text)).collect();
            Column::new(column, texts)
        }
    });
    Ok(DataFrame::new(rows.len(), columns.collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture::{self, Scratch};
    use polars::prelude::{ParquetReader, SerReader};
    use std::io::Cursor;

    fn read(run: &RunFolder, name: &str, format: Format) -> Result<Option<Vec<u8>>> {
        named(name).unwrap().read(run, format)
    }

    /// What begins a formula in a spreadsheet is text in a CSV file; numbers stay numbers, and Parquet is exact.
    #[test]
    fn no_cell_is_a_formula() {
        let root = Scratch::new("export-formulas");
        let run = fixture::write(root.path());
        let mut metrics = run.metrics().unwrap();
        let name = "=HYPERLINK(\"http://evil.example\")";
        metrics.evaluation[0].strategy = name.into();
        metrics.evaluation[0].pnl_mean = -1.5;
        metrics.evaluation[1].strategy = "-1.5".into();
        metrics.evaluation[2].strategy = "@SUM(A1)".into();
        run.write_metrics(&metrics).unwrap();
        let csv = read(&run, "results", Format::Csv).unwrap().unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert!(
            csv.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\","),
            "{csv}"
        );
        assert!(csv.contains("\n'@SUM(A1),"), "{csv}");
        assert!(csv.contains("\n-1.5,") && csv.contains(",-1.5,"), "{csv}");
        assert!(!csv.contains("'-"), "{csv}");
        let parquet = read(&run, "results", Format::Parquet).unwrap().unwrap();
        let frame = ParquetReader::new(Cursor::new(parquet)).finish().unwrap();
        let strategies = frame.column("strategy").unwrap();
        assert_eq!(strategies.str().unwrap().get(0), Some(name));
        for (text, shown) in [
            ("+cmd", "'+cmd"),
            ("-a", "'-a"),
            ("\t=1", "'\t=1"),
            ("\r", "'\r"),
            ("+1e-3", "+1e-3"),
            ("-inf", "-inf"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    /// Every figure of the main table is in its CSV file, and the same file as Parquet has the same shape.
    #[test]
    fn the_table_of_results_is_that_of_the_metrics() {
        let root = Scratch::new("export");
        let run = fixture::write(root.path());
        let csv = read(&run, "results", Format::Csv).unwrap().unwrap();
        let csv = String::from_utf8(csv).unwrap();
        let mut lines = csv.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let column = |name: &str| names.iter().position(|n| *n == name).unwrap();
        for (line, row) in lines.zip(run.metrics().unwrap().evaluation) {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells[column("strategy")], row.strategy);
            assert_eq!(
                cells[column("pnl_variance")].parse::<f64>().unwrap(),
                row.pnl_variance
            );
            assert_eq!(cells[column("seed")].parse().ok(), row.seed);
            let level = cells[column("cvar.0.95")].parse::<f64>().unwrap();
            assert_eq!(level, row.cvar["0.95"]);
        }
        let parquet = read(&run, "results", Format::Parquet).unwrap().unwrap();
        let frame = ParquetReader::new(Cursor::new(parquet)).finish().unwrap();
        assert_eq!(frame.shape(), (7, names.len()));
        let evaluation = read(&run, "evaluation", Format::Csv).unwrap().unwrap();
        // Seven strategies with 500 paths, and the names of the columns.
        assert_eq!(
            evaluation.iter().filter(|&&byte| byte == b'\n').count(),
            3501
        );
        assert!(read(&run, "frontier", Format::Csv).unwrap().is_none());
        let available = available(&run, &run.metrics().unwrap());
        for name in TABLES.iter().map(|table| table.name) {
            let made = read(&run, name, Format::Csv).unwrap();
            assert_eq!(available.contains(&name), made.is_some(), "{name}");
        }
    }
}
