//! The file itself: what may be opened, how much of it is read, and how polars is called.

use super::{refuse, shown};
use crate::error::{Error, Result, excerpt};
use std::fs::File;
use std::io::{Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The largest file that is read, in bytes.
pub const LARGEST: u64 = 1 << 30;

/// The largest file that is read in pieces, of which one is held at a time, in bytes.
pub const LARGEST_IN_PIECES: u64 = 16 << 30;

/// The most rows of a table.
pub const MOST_ROWS: usize = 20_000_000;

/// The longest that reading may take; checked between pieces of a file.
const LONGEST: Duration = Duration::from_secs(120);

/// What is to be read: an open file, or text that is held.
pub struct Source {
    /// The name of the file, for messages.
    pub path: PathBuf,
    file: Option<File>,
    end: Instant,
}

/// What the contents of a file are.
pub enum Kind {
    /// Lines of text.
    Text,
    /// A Parquet file.
    Parquet,
}

/// How files of other kinds begin, and what they are.
const OTHERS: [(&[u8], &str); 9] = [
    (
        b"PK\x03\x04",
        "is a ZIP archive, such as a workbook of Excel",
    ),
    (b"\xd0\xcf\x11\xe0", "is a workbook of Excel"),
    (b"\x1f\x8b", "is compressed by gzip"),
    (b"\x28\xb5\x2f\xfd", "is compressed by zstd"),
    (b"BZh", "is compressed by bzip2"),
    (b"ARROW1", "is an Arrow file"),
    (b"PARE", "is encrypted Parquet"),
    (b"%PDF", "is a PDF"),
    (b"SQLite format 3", "is a database of SQLite"),
];

impl Source {
    /// Opens a regular file; anything else (a folder, a pipe, a device) is refused before it is opened, since opening
    /// one can wait for ever.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_up_to(path, LARGEST)
    }

    /// [`Self::open`] of a file of at most `largest` bytes.
    pub fn open_up_to(path: &Path, largest: u64) -> Result<Self> {
        let found = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if found.is_dir() {
            return Err(refuse(path, "is a folder, expected a file"));
        }
        if !found.is_file() {
            return Err(refuse(path, "is a pipe or a device, expected a file"));
        }
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let length = file.metadata().map_err(|error| unreadable(path, &error))?;
        let length = length.len();
        if length == 0 {
            return Err(refuse(path, "the file is empty"));
        }
        if length > largest {
            const GIB: f64 = (1u64 << 30) as f64;
            let (found, most) = (length as f64 / GIB, largest as f64 / GIB);
            let what = format!("is too large: {found:.1} GiB, at most {most} GiB is read");
            return Err(refuse(path, &what));
        }
        Ok(Self {
            path: path.to_path_buf(),
            file: Some(file),
            end: Instant::now() + LONGEST,
        })
    }

    /// What text is read of that is held, and that messages call `name`.
    pub fn held(name: &Path) -> Self {
        Self {
            path: name.to_path_buf(),
            file: None,
            end: Instant::now() + LONGEST,
        }
    }

    /// The open file.
    ///
    /// # Errors
    /// [`Error::Input`] if text is read that is held.
    pub fn file(&self) -> Result<&File> {
        self.file.as_ref().ok_or_else(|| self.refuse("is no file"))
    }

    /// Tells from the first bytes; the file is then read from its start.
    pub fn kind(&mut self) -> Result<Kind> {
        let mut head = Vec::new();
        let mut file = self.file()?;
        let read = file.take(64).read_to_end(&mut head);
        read.and_then(|_| file.rewind())
            .map_err(|error| unreadable(&self.path, &error))?;
        if head.starts_with(b"PAR1") {
            return Ok(Kind::Parquet);
        }
        let mut others = OTHERS.iter();
        if let Some((_, what)) = others.find(|(magic, _)| head.starts_with(magic)) {
            let what = format!("{what}, expected text (CSV) or Parquet");
            return Err(refuse(&self.path, &what));
        }
        let text = String::from_utf8_lossy(&head);
        let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        let what = match text.chars().next() {
            Some('<') if !is_marked_name(text) => "is a web page or XML",
            Some('{') => "is JSON",
            Some('[') if !is_bracketed_name(text) => "is JSON",
            _ => return Ok(Kind::Text),
        };
        let what = format!("{what}, expected text (CSV) or Parquet");
        Err(refuse(&self.path, &what))
    }

    /// Refuses a file that takes too long, or has too many rows so far.
    pub fn check(&self, rows: usize) -> Result<()> {
        if rows > MOST_ROWS {
            let what = format!("has more than {MOST_ROWS} rows, which is the most that is read");
            return Err(refuse(&self.path, &what));
        }
        if Instant::now() > self.end {
            let what = format!("takes longer to read than {} s", LONGEST.as_secs());
            return Err(refuse(&self.path, &what));
        }
        Ok(())
    }

    /// The error of the file as a whole.
    pub fn refuse(&self, what: &str) -> Error {
        refuse(&self.path, what)
    }
}

/// Whether a text that begins with `[` does so as option chains mark their names of columns: `[QUOTE_DATE]` and a
/// separator.
fn is_bracketed_name(text: &str) -> bool {
    let name = text[1..].split_once(']').map(|(name, _)| name.trim());
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ' ');
    name.is_some_and(|name| name.starts_with(char::is_alphabetic) && name.chars().all(word))
}

/// Whether a text that begins with `<` does so as MetaTrader's names of columns do: `<DATE>` and a separator.
fn is_marked_name(text: &str) -> bool {
    let Some(end) = text.find('>') else {
        return false;
    };
    let name = &text[1..end];
    let rest = text[end + 1..].chars().next();
    let letters = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    letters && matches!(rest, Some(',' | ';' | '\t' | '|' | '\r' | '\n') | None)
}

/// Only the first line, and not all of a long one: polars appends advice about its own options.
pub fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let text = error.to_string();
    let first = excerpt(text.lines().next().unwrap_or_default());
    Error::input(format!("{}: cannot be read: {first}", shown(path)))
}

/// Readings that are going on in a library that panics at some damaged files.
static GUARDED: AtomicUsize = AtomicUsize::new(0);

/// What `work` reads through polars, which panics at some damaged files: that is an error of the file, and says nothing
/// on standard error.
pub fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Panics of this program's own code have a relative path and are shown.
            let foreign = panic
                .location()
                .is_some_and(|at| Path::new(at.file()).is_absolute());
            if !foreign || GUARDED.load(Ordering::SeqCst) == 0 {
                before(panic);
            }
        }));
    });
    GUARDED.fetch_add(1, Ordering::SeqCst);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.fetch_sub(1, Ordering::SeqCst);
    result.unwrap_or_else(|_| Err(refuse(path, "cannot be read: the file is damaged")))
}
