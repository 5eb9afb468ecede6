//! Run folders under one root.

pub use super::folder::{METRICS, RunFolder, STRATEGY, State, strategy_name};

use super::id::{is_plain_id, plain_id, slug};
use crate::error::{Error, Result, at_path};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The root that the program uses unless told otherwise.
pub const DEFAULT_ROOT: &str = "runs";

/// One entry of [`list`].
#[derive(Debug, Clone)]
pub struct Listed {
    pub folder: RunFolder,
    pub state: State,
}

/// Makes the folder of a new run, named after the local time and `name`.
///
/// # Errors
/// [`Error::Input`] if the root cannot be written to.
pub fn create(root: &Path, name: &str) -> Result<RunFolder> {
    create_at(root, name, chrono::Local::now().naive_local())
}

fn create_at(root: &Path, name: &str, now: chrono::NaiveDateTime) -> Result<RunFolder> {
    let unwritable = |source: std::io::Error| {
        Error::input(format!(
            "run folder: cannot write to `{}`: {source}",
            root.display()
        ))
    };
    fs::create_dir_all(root).map_err(unwritable)?;
    let stem = format!("{}-{}", now.format("%Y%m%d-%H%M%S"), slug(name));
    let mut id = stem.clone();
    for attempt in 2.. {
        let path = root.join(&id);
        // `create_dir` fails if the folder exists, so two runs started in the same second
        // cannot both believe that they own it.
        match fs::create_dir(&path) {
            Ok(()) => return Ok(RunFolder { id, path }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                id = format!("{stem}-{attempt}");
            }
            Err(error) => return Err(unwritable(error)),
        }
    }
    unreachable!("the loop ends by returning")
}

/// The runs under `root`, newest first; a root that does not exist holds none.
///
/// # Errors
/// [`Error::File`] if the root exists but cannot be read.
pub fn list(root: &Path) -> Result<Vec<Listed>> {
    let folders = folders(root)?;
    Ok(folders
        .into_iter()
        .map(|folder| {
            let state = folder.state();
            Listed { folder, state }
        })
        .collect())
}

/// The folders of the runs under `root`, newest first.
///
/// # Errors
/// See [`list`].
pub fn folders(root: &Path) -> Result<Vec<RunFolder>> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return at_path(root, Err(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = at_path(root, entry)?;
        let Ok(id) = entry.file_name().into_string() else {
            continue;
        };
        if is_plain_id(&id) && entry.path().is_dir() {
            found.push(RunFolder {
                id,
                path: entry.path(),
            });
        }
    }
    // Ids begin with the time of creation.
    found.sort_by(|a, b| b.id.cmp(&a.id));
    Ok(found)
}

/// Finds a run by id, by the unique beginning of an id, by path, or as `latest` (the newest
/// complete run).
///
/// # Errors
/// [`Error::Input`] if nothing or more than one run matches.
pub fn open(root: &Path, which: &str) -> Result<RunFolder> {
    if which.is_empty() {
        return Err(Error::input("run: the id is empty"));
    }
    if which == "latest" {
        return folders(root)?
            .into_iter()
            .find(|folder| folder.path.join(METRICS).is_file())
            .ok_or_else(|| {
                Error::input(format!(
                    "run `latest`: no complete run in `{}`",
                    root.display()
                ))
            });
    }
    let folders = folders(root)?;
    if let Some(exact) = folders.iter().find(|folder| folder.id == which) {
        return Ok(exact.clone());
    }
    let path = Path::new(which);
    if path.is_dir() {
        if !path.join(METRICS).is_file() && !path.join(STRATEGY).is_file() {
            return Err(Error::input(format!(
                "run `{which}`: the folder holds neither {METRICS} nor {STRATEGY}"
            )));
        }
        let whole = at_path(path, path.canonicalize())?;
        let id = whole.file_name().map_or_else(
            || which.to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        return Ok(RunFolder { id, path: whole });
    }
    let matching: Vec<_> = folders
        .into_iter()
        .filter(|folder| folder.id.starts_with(which))
        .collect();
    match matching.len() {
        1 => Ok(matching.into_iter().next().expect("one run matches")),
        0 => Err(Error::input(format!(
            "run `{which}`: no such run in `{}`",
            root.display()
        ))),
        several => Err(Error::input(format!(
            "run `{which}`: {several} runs begin so, among them {} and {}",
            matching[0].id, matching[1].id
        ))),
    }
}

/// Finds a run by its whole id and by nothing else, for callers that must not be led out of
/// the root.
///
/// # Errors
/// [`Error::Input`] if the id is not a plain name or no such run exists.
pub fn open_exact(root: &Path, id: &str) -> Result<RunFolder> {
    let path = root.join(plain_id(id)?);
    if path.is_dir() {
        return Ok(RunFolder {
            id: id.to_owned(),
            path,
        });
    }
    Err(Error::input(format!(
        "run `{id}`: no such run in `{}`",
        root.display()
    )))
}

/// Deletes the run with exactly this id.
///
/// # Errors
/// [`Error::Input`] if the id is not a plain name or no such run exists; [`Error::File`] if
/// the folder cannot be removed.
pub fn delete(root: &Path, id: &str) -> Result<()> {
    let folder = open_exact(root, id)?;
    // Renamed first: a deletion that is interrupted must not leave half a run in the list.
    let doomed = root.join(format!(".deleted-{}-{id}", std::process::id()));
    at_path(&folder.path, fs::rename(&folder.path, &doomed))?;
    at_path(&doomed, fs::remove_dir_all(&doomed))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
