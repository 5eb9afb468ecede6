//! Run folders under one root.

pub use super::folder::{
    CONTRACT_DAYS, METRICS, REQUEST, RunFolder, STRATEGY, State, from_json, strategy_name, to_json,
};

use super::id::{is_plain_id, plain_id, stem};
use super::metrics::Request;
use super::root::RootLock;
use crate::error::{Error, Result, at_path, excerpt};
use chrono::{DateTime, Local};
use std::cmp::Reverse;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The root that the program uses unless told otherwise.
pub const DEFAULT_ROOT: &str = "runs";

/// One entry of [`list`].
#[derive(Debug, Clone)]
pub struct Listed {
    /// The folder of the run.
    pub folder: RunFolder,
    /// How far the run is.
    pub state: State,
}

/// Makes the folder of a new run, named after the local time and `name`, with its strategy, its request and what `fill`
/// adds: it appears with all of them or not at all. The request comes back with the time of creation and the program's
/// version in it.
///
/// # Errors
/// [`Error::Input`] if the root cannot be written to; those of `fill`.
pub fn begin(
    root: &Path,
    name: &str,
    request: Request,
    fill: impl FnOnce(&RunFolder) -> Result<()>,
) -> Result<(RunFolder, Request)> {
    begin_at(Local::now(), root, name, request, fill)
}

fn begin_at(
    now: DateTime<Local>,
    root: &Path,
    name: &str,
    mut request: Request,
    fill: impl FnOnce(&RunFolder) -> Result<()>,
) -> Result<(RunFolder, Request)> {
    let unwritable = |source: std::io::Error| {
        Error::input(format!(
            "run folder: cannot write to `{}`: {source}",
            root.display()
        ))
    };
    let mut lock = RootLock::take(root).map_err(unwritable)?;
    let stem = stem(now.naive_local(), name);
    let mut id = stem.clone();
    for attempt in 2.. {
        if fs::symlink_metadata(root.join(&id)).is_err() {
            break;
        }
        id = format!("{stem}-{attempt}");
    }
    let path = root.join(&id);
    request.created = Some(lock.time(now.to_utc()));
    request.version = Some(env!("CARGO_PKG_VERSION").into());
    let filled = RunFolder {
        path: lock.new_folder(&id).map_err(unwritable)?,
        id,
    };
    let written = filled
        .write_strategy(&request.strategy)
        .and_then(|()| filled.write_request(&request))
        .and_then(|()| fill(&filled))
        .and_then(|()| lock.appear(&filled.path, &path).map_err(unwritable));
    if let Err(error) = written {
        // Best effort: whoever takes the lock next does it too.
        let _ = fs::remove_dir_all(&filled.path);
        return Err(error);
    }
    Ok((
        RunFolder {
            id: filled.id,
            path,
        },
        request,
    ))
}

/// An empty folder under `root`, such as nothing but a test makes.
#[cfg(test)]
pub fn create(root: &Path, name: &str) -> Result<RunFolder> {
    let made = begin(root, name, Request::default(), |_| Ok(()));
    let folder = made?.0;
    for file in [STRATEGY, REQUEST] {
        at_path(&folder.path, fs::remove_file(folder.path.join(file)))?;
    }
    Ok(folder)
}

/// The runs under `root`, newest first; a root that does not exist holds none.
///
/// # Errors
/// [`Error::File`] if the root exists but cannot be read.
pub fn list(root: &Path) -> Result<Vec<Listed>> {
    Ok(newest_first(root)?
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
fn newest_first(root: &Path) -> Result<Vec<RunFolder>> {
    let mut folders = folders(root)?;
    folders.sort_by_cached_key(|folder| Reverse((folder.created(), folder.id.clone())));
    Ok(folders)
}

/// The folders of the runs under `root`, in no order.
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
    Ok(found)
}

/// Finds a run by id, by the unique beginning of an id, by path, or as `latest` (the newest
/// complete run).
///
/// # Errors
/// [`Error::Input`] if nothing or more than one run matches.
pub fn open(root: &Path, which: &str) -> Result<RunFolder> {
    let shown = excerpt(which);
    if which.is_empty() {
        return Err(Error::input("run: the id is empty"));
    }
    if which == "latest" {
        return newest_first(root)?
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
                "run `{shown}`: the folder holds neither {METRICS} nor {STRATEGY}"
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
            "run `{shown}`: no such run in `{}`",
            root.display()
        ))),
        several => Err(Error::input(format!(
            "run `{shown}`: {several} runs begin so, among them {} and {}",
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
        "run `{}`: no such run in `{}`",
        excerpt(id),
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
    let deleted = RootLock::take(root).and_then(|lock| lock.disappear(&folder.path));
    at_path(&folder.path, deleted)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
