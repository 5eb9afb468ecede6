//! The lock of a root of runs, held while a run folder appears or disappears.

use super::id::time_stamp;
use chrono::{DateTime, TimeDelta, Utc};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The file that is locked; it holds the time of creation of the newest run.
const LOCK: &str = ".lock";
/// How names of folders begin that are being filled.
const NEW: &str = ".new-";
/// How names of folders begin that are being deleted.
const DELETED: &str = ".deleted-";

/// The lock. Who holds it knows that folders which are being filled or deleted were left over by processes that were
/// killed.
#[derive(Debug)]
pub struct RootLock {
    root: PathBuf,
    file: File,
}

impl RootLock {
    /// Waits for the lock, and removes what killed processes left of folders that they filled or deleted.
    ///
    /// # Errors
    /// If the root cannot be written to.
    pub fn take(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let path = root.join(LOCK);
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = match options.open(&path) {
            // Another user's can be locked still.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(&path)?,
            opened => opened?,
        };
        let lock = Self {
            root: root.to_owned(),
            file,
        };
        // Where there are no locks, no one knows what is left over.
        if lock.file.lock().is_ok() {
            // Best effort: it may be another user's.
            let _ = lock.sweep();
        }
        Ok(lock)
    }

    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name();
            let begins = |with: &str| name.as_encoded_bytes().starts_with(with.as_bytes());
            if (begins(NEW) || begins(DELETED)) && entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// A folder to be filled before [`RootLock::appear`] gives it its name.
    ///
    /// # Errors
    /// If the root cannot be written to.
    pub fn new_folder(&self, id: &str) -> io::Result<PathBuf> {
        let path = self.root.join(format!("{NEW}{id}"));
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// Gives a filled folder its name, under which nothing lies yet.
    ///
    /// # Errors
    /// If the root cannot be written to.
    pub fn appear(&self, filled: &Path, path: &Path) -> io::Result<()> {
        fs::rename(filled, path)?;
        #[cfg(unix)]
        File::open(&self.root)?.sync_all()?;
        Ok(())
    }

    /// Deletes a folder: it disappears at once, or not at all.
    ///
    /// # Errors
    /// If the root or the folder cannot be written to.
    pub fn disappear(&self, path: &Path) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let doomed = self.root.join(format!("{DELETED}{name}"));
        fs::rename(path, &doomed)?;
        fs::remove_dir_all(doomed)
    }

    /// The time of creation of a run that appears now: `now`, or just after that of the run before it if the clock was
    /// set back since.
    pub fn time(&mut self, now: DateTime<Utc>) -> String {
        let mut before = String::new();
        // What is no time, such as half of one, says nothing.
        let _ = self.file.read_to_string(&mut before);
        let before = DateTime::parse_from_rfc3339(before.trim()).ok();
        let after = TimeDelta::nanoseconds(1);
        let next = before.and_then(|time| time.to_utc().checked_add_signed(after));
        let time = time_stamp(next.map_or(now, |next| next.max(now)));
        // Best effort: without it, runs go by the clock.
        let _ = self.keep(&time);
        time
    }

    fn keep(&mut self, time: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{time}")
    }
}
