//! Files that are written whole or not at all.

use crate::error::{Error, Result, at_path};
use polars::prelude::{DataFrame, ParquetWriter};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a table as Parquet, whole or not at all.
///
/// # Errors
/// [`Error::File`] if the file cannot be written.
pub fn write_parquet(path: &Path, mut table: DataFrame) -> Result<()> {
    write_atomically(path, |file| {
        ParquetWriter::new(file)
            .finish(&mut table)
            .map(|_| ())
            .map_err(std::io::Error::other)
    })
}

/// Fills a temporary file beside `path`, flushes it to disk and renames it to `path`.
///
/// # Errors
/// [`Error::File`] naming `path`; the temporary file is removed.
pub fn write_atomically(
    path: &Path,
    fill: impl FnOnce(&mut fs::File) -> std::io::Result<()>,
) -> Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::input(format!("`{}` names no file", path.display())));
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    at_path(folder, fs::create_dir_all(folder))?;
    let temporary = folder.join(format!(
        ".{}.{}-{}",
        name.to_string_lossy(),
        std::process::id(),
        COUNTER.fetch_add(1, Ordering::Relaxed)
    ));
    let written = fs::File::create(&temporary)
        .and_then(|mut file| {
            fill(&mut file)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: the error that matters is the one being returned.
        let _ = fs::remove_file(&temporary);
    }
    at_path(path, written)?;
    // The rename itself lives in the folder; without this a power cut could undo it.
    #[cfg(unix)]
    at_path(folder, fs::File::open(folder).and_then(|f| f.sync_all()))?;
    Ok(())
}
