//! Files that are no tables or damaged ones: refused in one line, without a panic and without waiting for ever.

use super::*;
use crate::market::history::fixture::Scratch;
use polars::prelude::{ParquetWriter, df};
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

fn both(names: &[String]) -> Result<Vec<String>> {
    Ok(names.to_vec())
}

/// The refusal, without the path in front of it, which must be there.
fn refusal(path: &Path) -> String {
    let error = read(path, both).map(|_| ()).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error:?}");
    let message = error.to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    let path = format!("{}: ", path.display());
    message.strip_prefix(&path).expect(&message).to_string()
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let folder = Scratch::new("irregular");
    let pipe = folder.0.join("pipe.csv");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_eq!(refusal(&pipe), "is a pipe or a device, expected a file");
    assert_eq!(
        refusal(Path::new("/dev/zero")),
        "is a pipe or a device, expected a file"
    );
    assert_eq!(refusal(&folder.0), "is a folder, expected a file");
}

#[test]
fn files_have_a_largest_size() {
    let folder = Scratch::new("sparse");
    let path = folder.0.join("sparse.csv");
    let file = File::create(&path).unwrap();
    file.set_len(3 << 30).unwrap();
    assert_eq!(
        refusal(&path),
        "is too large: 3.0 GiB, at most 1 GiB is read"
    );
    // A table that ends in a hole.
    std::fs::write(&path, "date,close\n2020-01-02,1\n").unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(64 << 20).unwrap();
    assert!(!refusal(&path).is_empty());
}

fn parquet(folder: &Path) -> PathBuf {
    let path = folder.join("sound.parquet");
    let dates: Vec<String> = (0..40)
        .map(|day| format!("2020-01-{:02}", day % 28 + 1))
        .collect();
    let closes: Vec<f64> = (0..40).map(|day| 100.0 + f64::from(day).sin()).collect();
    let mut frame = df!("date" => dates, "close" => closes).unwrap();
    ParquetWriter::new(File::create(&path).unwrap())
        .with_row_group_size(Some(10))
        .finish(&mut frame)
        .unwrap();
    path
}

/// Every byte of a Parquet file changed, and every file cut short: a table with columns of one length, or one line.
#[test]
fn damaged_parquet_is_refused_in_one_line() {
    let folder = Scratch::new("damaged");
    let sound = std::fs::read(parquet(&folder.0)).unwrap();
    let path = folder.0.join("damaged.parquet");
    let mut refused = 0;
    let mut attempt = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match read(&path, both) {
            Ok(table) => {
                for (name, cells) in &table.columns {
                    let length = match cells {
                        Cells::Text(cells) => cells.iter().count(),
                        Cells::Numbers(cells) => cells.len(),
                        Cells::Dates(cells) => cells.local.len(),
                    };
                    assert_eq!(length, table.rows, "{name}");
                }
            }
            Err(error) => {
                refused += 1;
                let message = error.to_string();
                assert_eq!(
                    (error.exit_code(), message.lines().count()),
                    (2, 1),
                    "{message}"
                );
                assert!(
                    message.len() < path.display().to_string().len() + 160,
                    "{message}"
                );
            }
        }
    };
    for at in 4..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << (at % 8);
        attempt(&bytes);
    }
    for length in (5..sound.len()).step_by(7) {
        attempt(&sound[..length]);
    }
    assert!(refused > sound.len() / 7);
}

/// A file read in small pieces is the file read at once, with cells over several lines and of several encodings.
#[test]
fn pieces_make_the_whole() {
    let folder = Scratch::new("pieces");
    let path = folder.0.join("long.csv");
    let mut bytes = b"a preamble\ndate,note,close\n".to_vec();
    for row in 0..2000 {
        let note: &[u8] = match row % 4 {
            0 => b"\"two\nlines, one cell\"",
            1 => b"caf\xe9",
            2 => "größer".as_bytes(),
            _ => b"",
        };
        bytes.extend(format!("{row},").bytes());
        bytes.extend(note);
        bytes.extend(format!(",{}\r\n", 2 * row).bytes());
    }
    std::fs::write(&path, &bytes).unwrap();
    let choose = |header: &Header| Ok(header.names.clone());
    let read = |size: usize| {
        let mut source = source::Source::open(&path).unwrap();
        let table = text::read_by(size, &mut source, &|_| false, choose).unwrap();
        let columns = table.columns.iter().map(|(_, cells)| match cells {
            Cells::Text(cells) => cells.iter().map(|c| c.map(str::to_string)).collect(),
            _ => Vec::new(),
        });
        (table.rows, columns.collect::<Vec<Vec<Option<String>>>>())
    };
    let whole = read(1 << 20);
    assert_eq!(whole.0, 2000);
    assert_eq!(whole.1[0][1999].as_deref(), Some("1999"));
    assert_eq!(whole.1[1][0].as_deref(), Some("two\nlines, one cell"));
    assert_eq!(whole.1[2][1999].as_deref(), Some("3998"));
    assert_eq!(read(4096).1[0], whole.1[0]);
    assert_eq!(read(4096).1[2], whole.1[2]);
}

#[test]
fn names_over_several_lines() {
    let cells = |row: &str| row.split(',').map(str::to_string).collect::<Vec<_>>();
    let names = ["('Date', '')", "('Close', 'SPY')", "('High', 'SPY')"].map(String::from);
    assert_eq!(header::untupled(&names, None), cells("Date,Close,High"));
    let names = ["Date", "('Close', 'SPY')", "('Close', 'QQQ')"].map(String::from);
    assert_eq!(
        header::untupled(&names, None),
        cells("Date,Close SPY,Close QQQ")
    );
    assert_eq!(plain(" <CLOSE> "), "close");
    assert_eq!(plain("Adj. Close**"), "adj close");
}
