//! The progress of runs as events, read once for all who watch.
//!
//! One task reads the file of a run for all who watch it, and they send the same bytes. A watcher that is too far behind is
//! sent a snapshot: a thinned history in one event.

use crate::error::Result;
use crate::runs::progress::{self, PROGRESS, thinned};
use crate::runs::store::RunFolder;
use axum::body::Bytes;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// Between looks at a file.
const PERIOD: Duration = Duration::from_millis(250);
/// A watcher that is more lines behind is sent a snapshot.
const MOST_LINES: usize = 2000;
/// Steps of a training in a snapshot, and as many with a validation.
const SNAPSHOT_POINTS: usize = 300;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// What has been read of a run's file.
#[derive(Debug, Clone, Default)]
pub struct Latest {
    /// Number of lines before the newest batch.
    pub before: usize,
    /// Number of lines after it.
    pub lines: usize,
    /// The newest batch as events.
    pub batch: Bytes,
    /// How far the run is, see [`state`]; empty before the first look.
    pub state: &'static str,
}

/// One run that is watched.
pub struct Tail {
    folder: RunFolder,
    /// Where every line ends.
    ends: Mutex<Vec<u64>>,
    /// What a new watcher is sent.
    start: Mutex<Start>,
    /// What has been read of the file.
    pub latest: watch::Receiver<Latest>,
}

/// What a new watcher is sent, with the number of lines in it. Watchers that come at once are sent the same bytes.
#[derive(Default)]
struct Start {
    snapshot: (usize, Bytes),
    /// The snapshot and the events since.
    newest: (usize, Bytes),
}

/// The runs that are watched.
#[derive(Default)]
pub struct Tails(Mutex<HashMap<String, Weak<Tail>>>);

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tails {
    /// The tail of a run, begun if nobody watches it yet; nothing if there are `most` streams already.
    pub fn of(&self, folder: RunFolder, most: usize) -> Option<Arc<Tail>> {
        let mut tails = locked(&self.0);
        tails.retain(|_, tail| tail.strong_count() > 0);
        if tails.values().map(Weak::strong_count).sum::<usize>() >= most {
            return None;
        }
        if let Some(tail) = tails.get(folder.id()).and_then(Weak::upgrade) {
            return Some(tail);
        }
        let (sender, latest) = watch::channel(Latest::default());
        let tail = Arc::new(Tail {
            folder,
            ends: Mutex::default(),
            start: Mutex::default(),
            latest,
        });
        tails.insert(tail.folder.id().to_owned(), Arc::downgrade(&tail));
        tokio::spawn(follow(Arc::downgrade(&tail), sender));
        Some(tail)
    }
}

/// Reads what comes until nobody watches, or the run is deleted.
async fn follow(tail: Weak<Tail>, sender: watch::Sender<Latest>) {
    loop {
        let Some(tail) = tail.upgrade() else {
            return;
        };
        // A file that cannot be read now may be readable later; watchers see the keep-alives.
        let look = move || tail.folder.path().is_dir().then(|| tail.read());
        match tokio::task::spawn_blocking(look).await {
            Ok(Some(Ok(Some(latest)))) => drop(sender.send_replace(latest)),
            // Streams end with their sender.
            Ok(None) => return,
            _ => {}
        }
        tokio::time::sleep(PERIOD).await;
    }
}

impl Tail {
    /// What has been written since the last look, or how the state of the run has changed.
    fn read(&self) -> Result<Option<Latest>> {
        let state = state(&self.folder);
        let known = self.latest.borrow().clone();
        let mut ends = locked(&self.ends);
        let before = ends.len();
        let mut batch = Vec::new();
        loop {
            let start = ends.last().copied().unwrap_or(0);
            let lines = progress::lines_from(&self.path(), start, CHUNK)?;
            if lines.is_empty() {
                break;
            }
            if ends.len() - before > MOST_LINES {
                // Nobody is sent as much in one piece.
                batch.clear();
            }
            write_events(&lines, ends.len(), &mut batch);
            ends.extend(line_ends(&lines, start));
        }
        let lines = ends.len();
        if lines == known.lines && state == known.state {
            return Ok(None);
        }
        if lines - before > MOST_LINES {
            batch.clear();
        }
        Ok(Some(Latest {
            before,
            lines,
            batch: batch.into(),
            state,
        }))
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join(PROGRESS)
    }

    /// The events after line `from` up to line `to`, or a snapshot and the events after it; and up to which line.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn history(&self, from: usize, to: usize) -> Result<(Bytes, usize)> {
        if to - from <= MOST_LINES && from > 0 {
            return Ok((self.replay(from, to)?.into(), to));
        }
        let mut start = locked(&self.start);
        let Start { snapshot, newest } = &mut *start;
        if to.saturating_sub(snapshot.0) > MOST_LINES || snapshot.0 == 0 {
            let end = locked(&self.ends)
                .get(to.wrapping_sub(1))
                .copied()
                .unwrap_or(0);
            let lines = match end {
                0 => Vec::new(),
                end => progress::lines_from(&self.path(), 0, end as usize)?,
            };
            let events = thinned(&lines, SNAPSHOT_POINTS);
            let data = json!({ "events": events });
            *snapshot = (
                to,
                format!("id: {to}\nevent: snapshot\ndata: {data}\n\n").into(),
            );
            *newest = snapshot.clone();
        }
        if newest.0 < to {
            let mut bytes = snapshot.1.to_vec();
            bytes.extend(self.replay(snapshot.0, to)?);
            *newest = (to, bytes.into());
        }
        let (lines, bytes) = newest.clone();
        Ok((bytes, lines))
    }

    fn replay(&self, from: usize, to: usize) -> Result<Vec<u8>> {
        let (start, end) = {
            let ends = locked(&self.ends);
            let end = |lines: usize| lines.checked_sub(1).map_or(0, |last| ends[last]);
            (end(from), end(to))
        };
        let mut events = Vec::new();
        if end > start {
            let lines = progress::lines_from(&self.path(), start, (end - start) as usize)?;
            write_events(&lines, from, &mut events);
        }
        Ok(events)
    }
}

fn line_ends(lines: &[u8], start: u64) -> impl Iterator<Item = u64> + '_ {
    let ends = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(move |(index, _)| start + index as u64 + 1)
}

/// Every line is one event; the first of them has the id after `before`.
fn write_events(lines: &[u8], before: usize, events: &mut Vec<u8>) {
    for (index, line) in lines.split_inclusive(|&byte| byte == b'\n').enumerate() {
        events.extend(format!("id: {}\ndata: ", before + index + 1).bytes());
        events.extend(line);
        events.push(b'\n');
    }
}

/// `complete`, `running`, `trained` (a shard that has all its trainings) or `stopped`.
pub fn state(folder: &RunFolder) -> &'static str {
    if folder.is_complete() {
        return "complete";
    }
    if progress::is_running(folder) {
        return "running";
    }
    match folder.share() {
        Ok(Some(share)) if share.is_trained() => "trained",
        Ok(_) | Err(_) => "stopped",
    }
}
