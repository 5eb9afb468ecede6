//! Files that are written whole or not at all.
//!
//! A file is filled under a temporary name in its own folder, flushed to disk and renamed. Whoever fills a temporary file
//! holds a lock on it, which the system releases however the process ends: one that is not locked was left over by a
//! process that was killed.

use crate::error::{Error, Result, at_path};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How names of temporary files begin.
const TEMPORARY: &str = ".deephedge-";

/// A place that a file can be written to: a regular file or none yet, or a symbolic link to one, which stays.
#[derive(Debug, Clone)]
pub struct Destination {
    /// As the user names it.
    named: PathBuf,
    /// Where links lead.
    place: PathBuf,
}

impl Destination {
    /// Accepts the place `path`, and removes what killed processes left half-written beside it.
    ///
    /// # Errors
    /// [`Error::Input`] if `path` is a folder, a device, a FIFO or a socket, or names no file.
    pub fn new(path: &Path) -> Result<Self> {
        let place = followed(path)?;
        sweep(folder_of(&place));
        Ok(Self {
            named: path.to_owned(),
            place,
        })
    }

    /// Writes the file, whole or not at all; one that was there keeps its permissions.
    ///
    /// # Errors
    /// [`Error::Input`] if the place does not allow it, [`Error::File`] if the disk is full or fails; what was there is
    /// there still.
    pub fn write(&self, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
        replace(&self.place, fill).map_err(|source| {
            let path = self.named.display().to_string();
            match source.kind() {
                ErrorKind::NotFound
                | ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::NotADirectory
                | ErrorKind::InvalidFilename
                | ErrorKind::AlreadyExists => {
                    Error::input(format!("{path}: cannot be written: {source}"))
                }
                _ => Error::File { path, source },
            }
        })
    }
}

/// Writes a file of the program's own, whole or not at all; [`Destination`] is for files that users name.
///
/// # Errors
/// [`Error::Input`] if there is something else than a file at `path`, otherwise [`Error::File`]; the temporary file is
/// removed.
pub fn write_atomically(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    at_path(path, replace(&followed(path)?, fill))
}

/// Where a file named `path` lies, once links are followed.
fn followed(path: &Path) -> Result<PathBuf> {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let refused = |what: &str| Error::input(format!("{}: {what}", path.display()));
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(refused("names no file"));
    }
    // This follows links that have no path, such as those of /dev/stdout, too.
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            let what = format!("is {}, not a file that can be replaced", kind(&found));
            return Err(refused(&what));
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(refused(&error.to_string())),
    }
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&place) else {
            return Ok(place);
        };
        place = folder_of(&place).join(target);
    }
    Err(refused("is a link to itself"))
}

fn kind(found: &Metadata) -> &'static str {
    if found.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = found.file_type();
        if kind.is_fifo() {
            return "a FIFO";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    "a device"
}

fn folder_of(place: &Path) -> &Path {
    match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn replace(place: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(place);
    fs::create_dir_all(folder)?;
    let (temporary, mut file) = temporary(folder)?;
    let written = fill(&mut file)
        .and_then(|()| match fs::metadata(place) {
            Ok(before) => file.set_permissions(before.permissions()),
            Err(_) => Ok(()),
        })
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, place));
    if written.is_err() {
        // Best effort: the error that matters is the one being returned.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // The rename itself lives in the folder; without this a power cut could undo it.
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all())?;
    Ok(())
}

/// A new file in `folder` that is locked until it is closed.
fn temporary(folder: &Path) -> io::Result<(PathBuf, File)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
        let file = match File::create_new(&path) {
            Ok(file) => file,
            // Left over by a process that had the same number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        // Where there are no locks, nothing is swept either.
        let _ = file.lock();
        // Before it was locked, it may have been taken for left over.
        if path.exists() {
            return Ok((path, file));
        }
    }
}

/// Removes temporary files in `folder` that no process fills any more.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file
            && entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(TEMPORARY.as_bytes())
        {
            let path = entry.path();
            // Held until the name is gone, so that no one begins to fill it meanwhile.
            if let Ok(file) = File::options().write(true).open(&path)
                && file.try_lock().is_ok()
            {
                // Best effort: it may be another user's.
                let _ = fs::remove_file(&path);
            }
        }
    }
}

/// Removes temporary files in `folder` and the folders in it that no process fills any more.
pub fn sweep_all(folder: &Path) {
    sweep(folder);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            sweep_all(&entry.path());
        }
    }
}

#[cfg(all(test, unix))]
#[path = "atomic_tests.rs"]
mod tests;
