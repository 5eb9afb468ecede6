//! What was made of finished runs, kept until they change.

use crate::runs::store::{METRICS, RunFolder};
use axum::body::Bytes;
use axum::http::HeaderValue;
use lru::LruCache;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Bytes that are kept in all, and of one answer.
const MOST: usize = 64 << 20;
const MOST_OF_ONE: usize = 4 << 20;

/// When the files of a run changed that answers are made of, and how long `metrics.json` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp([Option<SystemTime>; 3], u64);

impl Stamp {
    /// None of a run without results: it changes all the time.
    ///
    /// Three files are looked at, which is sooner done than handed to another thread. Files are renamed into their
    /// folders, so the folders' times are those of all others.
    pub fn of(folder: &RunFolder) -> Option<Self> {
        let metrics = std::fs::metadata(folder.path().join(METRICS)).ok()?;
        let changed = |path: &Path| {
            std::fs::metadata(path)
                .and_then(|file| file.modified())
                .ok()
        };
        let times = [
            metrics.modified().ok(),
            changed(folder.path()),
            changed(&folder.path().join("figures")),
        ];
        Some(Self(times, metrics.len()))
    }
}

/// An answer, and the tag by which a browser knows it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What is sent.
    pub bytes: Bytes,
    /// The hash of the bytes, in quotes.
    pub tag: HeaderValue,
}

impl Answer {
    /// The answer of these bytes.
    pub fn new(bytes: Bytes) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let tag = format!("\"{:016x}\"", hasher.finish());
        // Hexadecimal digits in quotes are a value of a header.
        let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes, tag }
    }
}

#[derive(Debug)]
struct Entry {
    stamps: Vec<Stamp>,
    answer: Answer,
}

/// The entries in the order in which they were asked for, and the bytes of all of them.
#[derive(Debug)]
struct Entries {
    by_question: LruCache<String, Entry>,
    bytes: usize,
}

/// Answers by what was asked for; those that were not asked for longest make room.
#[derive(Debug)]
pub struct Cache(Mutex<Entries>);

impl Default for Cache {
    fn default() -> Self {
        // Bounded by bytes, not by entries.
        Self(Mutex::new(Entries {
            by_question: LruCache::unbounded(),
            bytes: 0,
        }))
    }
}

impl Cache {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a question about runs with these `stamps`, if it is kept.
    pub fn get(&self, question: &str, stamps: &[Stamp]) -> Option<Answer> {
        let mut entries = self.entries();
        let entry = entries.by_question.get(question)?;
        (entry.stamps == stamps).then(|| entry.answer.clone())
    }

    /// Keeps the answer to a question about runs with these `stamps`, unless it is too long.
    pub fn keep(&self, question: String, stamps: Vec<Stamp>, answer: Answer) {
        let size = answer.bytes.len();
        if size > MOST_OF_ONE {
            return;
        }
        let mut entries = self.entries();
        let entry = Entry { stamps, answer };
        entries.bytes += size;
        if let Some((_, before)) = entries.by_question.push(question, entry) {
            entries.bytes -= before.answer.bytes.len();
        }
        while entries.bytes > MOST
            && let Some((_, oldest)) = entries.by_question.pop_lru()
        {
            entries.bytes -= oldest.answer.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture::{self, Scratch};

    fn of_length(length: usize) -> Answer {
        Answer::new(vec![b'x'; length].into())
    }

    /// What is kept is bounded in bytes; what was asked for last stays.
    #[test]
    fn what_is_kept_is_bounded() {
        let root = Scratch::new("server-cache");
        let run = fixture::write(root.path());
        let stamps = || vec![Stamp::of(&run).unwrap()];
        let cache = Cache::default();
        let places = MOST / MOST_OF_ONE;
        for index in 0..places {
            cache.keep(index.to_string(), stamps(), of_length(MOST_OF_ONE));
        }
        assert!(cache.get("0", &stamps()).is_some());
        cache.keep("one more".into(), stamps(), of_length(MOST_OF_ONE));
        assert!(cache.get("0", &stamps()).is_some());
        assert!(cache.get("1", &stamps()).is_none());
        cache.keep("too long".into(), stamps(), of_length(MOST_OF_ONE + 1));
        assert!(cache.get("too long", &stamps()).is_none());
        // The same question again takes the place of its answer.
        cache.keep("one more".into(), stamps(), of_length(MOST_OF_ONE));
        let entries = cache.entries();
        let answers = entries.by_question.iter().map(|(_, entry)| &entry.answer);
        let held: usize = answers.map(|answer| answer.bytes.len()).sum();
        assert_eq!((held, entries.by_question.len()), (entries.bytes, places));
    }
}
