//! Where the files lie that a strategy names.

use crate::error::{Error, Result};
use std::path::{Component, Path, PathBuf};

/// The absolute paths of `files`, and the folder that relative ones among them count from, if there are any: `folder`,
/// which may itself be relative to the working directory.
///
/// Links in the way to a file are followed, so that `..` after one leads where the system would go; the file itself may
/// be a link, and stays one. The file need not exist.
///
/// # Errors
/// [`Error::Input`] if the working directory is gone, or a path is not UTF-8, which a strategy file cannot hold.
pub fn located(
    key: &str,
    files: &[PathBuf],
    folder: &Path,
) -> Result<(Vec<PathBuf>, Option<PathBuf>)> {
    let wrong = |file: &Path, what: &dyn std::fmt::Display| {
        Error::key(key, format!(": {}: {what}", file.display()))
    };
    let folder = match std::env::current_dir() {
        Ok(here) => here.join(folder),
        Err(_) if folder.is_absolute() => folder.to_owned(),
        Err(_) if files.iter().all(|file| file.is_absolute()) => PathBuf::from("/"),
        Err(error) => return Err(wrong(folder, &error)),
    };
    let folder = folder.canonicalize().unwrap_or(folder);
    let mut found = Vec::with_capacity(files.len());
    for file in files {
        let whole = whole(&folder.join(file));
        if whole.to_str().is_none() {
            return Err(wrong(&whole, &"the path is not UTF-8"));
        }
        found.push(whole);
    }
    let relative = files.iter().any(|file| file.is_relative());
    Ok((found, relative.then_some(folder)))
}

/// An absolute path without `.` and `..`.
fn whole(path: &Path) -> PathBuf {
    if let (Some(folder), Some(name)) = (path.parent(), path.file_name())
        && let Ok(folder) = folder.canonicalize()
    {
        return folder.join(name);
    }
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(all(test, unix))]
#[path = "files_tests.rs"]
mod tests;
