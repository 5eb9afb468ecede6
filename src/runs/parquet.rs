//! Tables as Parquet files that are written whole or not at all.

use crate::atomic::{Destination, write_atomically};
use crate::error::Result;
use polars::prelude::{DataFrame, ParquetWriter, PolarsError};
use std::fs::File;
use std::io;
use std::path::Path;

/// Writes a table into a folder of the program's own.
///
/// # Errors
/// Those of [`write_atomically`].
pub fn write_parquet(path: &Path, table: DataFrame) -> Result<()> {
    write_atomically(path, filled_with(table))
}

/// Writes a table to a place that a user names.
///
/// # Errors
/// Those of [`Destination::write`].
pub fn write_parquet_to(destination: &Destination, table: DataFrame) -> Result<()> {
    destination.write(filled_with(table))
}

/// The bytes of a table's file.
///
/// # Errors
/// If the table has no such form.
pub fn parquet_bytes(mut table: DataFrame) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut table)?;
    Ok(bytes)
}

fn filled_with(mut table: DataFrame) -> impl FnOnce(&mut File) -> io::Result<()> {
    move |file| {
        let written = ParquetWriter::new(file).finish(&mut table);
        written.map(|_| ()).map_err(|error| match error {
            // A full disk is told from what else can go wrong.
            PolarsError::IO { error, .. } => io::Error::new(error.kind(), error.to_string()),
            error => io::Error::other(error),
        })
    }
}
