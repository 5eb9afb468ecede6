//! The uploaded files: one folder, names made here, nothing else in it touched.

use crate::atomic::write_atomically;
use crate::error::{Error, Result, at_path, excerpt};
use crate::numbers::size;
use crate::server::files::inside;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// Hexadecimal digits of the hash with which a name begins.
const DIGITS: usize = 16;
/// Longest rest of a name.
const LONGEST: usize = 64;
/// Uploads that are taken at a time; each is held in memory until it is whole.
const AT_A_TIME: usize = 2;
/// The folder may hold so many times the largest upload.
const FULL: u64 = 16;

/// An uploaded file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DataFile {
    /// By which requests and strategies name it: the first 16 hexadecimal digits of its SHA-256, `-`, and its title.
    pub file: String,
    /// What it was called where it came from, of letters, digits and `.`, `-`, `_`.
    pub title: String,
    /// Its size.
    pub bytes: u64,
    /// When it was uploaded, in RFC 3339.
    pub uploaded: String,
}

/// The folder of uploaded files, and how much it takes.
pub struct Store {
    folder: PathBuf,
    /// Largest upload in bytes.
    pub most_bytes: u64,
    /// One permit for each upload that may come at a time.
    pub uploads: Semaphore,
}

impl Store {
    /// The files in `folder`, which is made with the first of them.
    pub fn new(folder: PathBuf, most_bytes: u64) -> Self {
        Self {
            folder,
            most_bytes,
            uploads: Semaphore::new(AT_A_TIME),
        }
    }

    /// Where the files lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the uploaded file of that name lies, if there is one. No other name leads anywhere.
    pub fn path(&self, file: &str) -> Option<PathBuf> {
        let path = self.folder.join(file);
        (is_name(file) && is_regular(&path)).then_some(path)
    }

    /// All files, those that were uploaded last first.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> Result<Vec<DataFile>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => at_path(&self.folder, entries)?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        // A file may have been deleted since the folder was read.
        let mut files: Vec<DataFile> = names.filter_map(|name| self.file(&name)).collect();
        files.sort_by(|a, b| (&b.uploaded, &a.file).cmp(&(&a.uploaded, &b.file)));
        Ok(files)
    }

    /// The file of that name, if there is one.
    pub fn file(&self, file: &str) -> Option<DataFile> {
        let found = fs::metadata(self.path(file)?).ok()?;
        let uploaded: DateTime<Utc> = found.modified().ok()?.into();
        Some(DataFile {
            title: file[DIGITS + 1..].to_owned(),
            file: file.to_owned(),
            bytes: found.len(),
            uploaded: uploaded.to_rfc3339_opts(SecondsFormat::Secs, true),
        })
    }

    /// Keeps `bytes`, whole or not at all, under a name that is made of their hash and of `called`; what is there already is not
    /// written again. The second answer is whether it is new.
    ///
    /// # Errors
    /// [`Error::Input`] if there is no room; if the folder cannot be written.
    pub fn keep(&self, called: &str, bytes: &[u8]) -> Result<(DataFile, bool)> {
        let hash = Sha256::digest(bytes);
        let mut file: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        file.truncate(DIGITS);
        file.push('-');
        file.push_str(&sanitised(called));
        if let Some(there) = self.file(&file) {
            return Ok((there, false));
        }
        let held: u64 = self.list()?.iter().map(|file| file.bytes).sum();
        let most = FULL * self.most_bytes;
        if held + bytes.len() as u64 > most {
            return Err(Error::input(format!(
                "the uploaded files would have more than {} together: delete some first",
                size(most)
            )));
        }
        at_path(&self.folder, fs::create_dir_all(&self.folder))?;
        write_atomically(&self.folder.join(&file), |to| to.write_all(bytes))?;
        let kept = self.file(&file);
        let kept = kept.ok_or_else(|| Error::Computation(format!("{file}: it is gone again")))?;
        Ok((kept, true))
    }

    /// Deletes the file of that name; whether there was one.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn delete(&self, file: &str) -> Result<bool> {
        match self.path(file) {
            None => Ok(false),
            Some(path) => at_path(&path, fs::remove_file(&path)).map(|()| true),
        }
    }

    /// Where a file lies that a strategy names by `key`: an uploaded one by its name, any other one, relative to the working
    /// directory, in a folder of the server's data alone.
    ///
    /// # Errors
    /// [`Error::Setting`] for a place elsewhere, for what is no regular file, and for a file that is not there.
    pub fn find(&self, key: &str, file: &Path) -> Result<PathBuf> {
        if let Some(path) = file.to_str().and_then(|name| self.path(name)) {
            return Ok(std::path::absolute(&path).unwrap_or(path));
        }
        let (found, _) = crate::strategy::located(key, &[file.to_owned()], Path::new(""))?;
        let found = found.into_iter().next().unwrap_or_default();
        inside(key, &found, &[Path::new("."), &self.folder])?;
        if !found.exists() {
            let shown = excerpt(&file.display().to_string());
            return Err(Error::key(
                key,
                format!(
                    ": {shown}: no such file; paths count from the server's data folder, uploaded files go by their names"
                ),
            ));
        }
        Ok(found)
    }
}

fn is_regular(path: &Path) -> bool {
    // A link would lead elsewhere, and a pipe be waited for.
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

/// Whether a name is one that [`Store::keep`] gives.
fn is_name(name: &str) -> bool {
    let (digits, rest) = (name.get(..DIGITS), name.get(DIGITS..));
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.is_some_and(|digits| digits.bytes().all(hexadecimal))
        && rest
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|title| !title.is_empty() && title == sanitised(title))
}

/// The last part of a path in letters, digits, `.`, `-` and `_` of ASCII, without a dot at its beginning, at most 64 characters.
fn sanitised(called: &str) -> String {
    let last = called.rsplit(['/', '\\']).next().unwrap_or(called);
    let plain = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => character,
        _ => '_',
    };
    let name: String = last.chars().map(plain).collect();
    let name = name.trim_start_matches('.');
    // The end says of what kind the file is.
    let name = &name[name.len().saturating_sub(LONGEST)..];
    match name.trim_start_matches('.') {
        "" => "file".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
