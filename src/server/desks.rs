//! Runs with prices by which books were hedged, kept for the next ones.

use super::cache::Stamp;
use super::problem::Problem;
use crate::live::Desk;
use crate::runs::store::RunFolder;
use crate::strategy::BacktestPlan;
use axum::http::StatusCode;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Runs that are kept, each with its prices and policies.
const MOST: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// Books that are hedged at a time.
const AT_A_TIME: usize = 2;
/// How long a book waits for others.
const LONGEST: Duration = Duration::from_secs(15);

/// A price file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PriceFile {
    path: PathBuf,
    changed: Option<SystemTime>,
    bytes: u64,
}

impl PriceFile {
    fn of(path: PathBuf) -> Self {
        let found = std::fs::metadata(&path).ok();
        Self {
            changed: found.as_ref().and_then(|file| file.modified().ok()),
            bytes: found.map_or(0, |file| file.len()),
            path,
        }
    }

    fn is_the_same(&self) -> bool {
        *self == Self::of(self.path.clone())
    }
}

struct Kept {
    stamp: Stamp,
    prices: Vec<PriceFile>,
    desk: Arc<Desk>,
}

/// The desks that were asked last, and whose turn it is to hedge.
pub struct Desks {
    kept: Mutex<LruCache<String, Kept>>,
    turns: Arc<Semaphore>,
}

impl Default for Desks {
    fn default() -> Self {
        Self {
            kept: Mutex::new(LruCache::new(MOST)),
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }
}

impl Desks {
    /// The turn of one more book.
    ///
    /// # Errors
    /// That others take too long.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        // The semaphore is never closed.
        match tokio::time::timeout(LONGEST, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => {
                let message = "other books are being hedged: try again in a moment";
                Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", message))
            }
        }
    }

    /// The desk of a run on the prices that `prices` names, as it is kept or as `make` makes it of the run and of the settings that it
    /// also gives.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn of(
        &self,
        folder: &RunFolder,
        prices: &str,
        make: impl FnOnce() -> Result<(Desk, BacktestPlan), Problem>,
    ) -> Result<Arc<Desk>, Problem> {
        let key = format!("{} {prices}", folder.id());
        let stamp = Stamp::of(folder);
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().get(&key)
            && Some(&known.stamp) == stamp.as_ref()
            && known.prices.iter().all(PriceFile::is_the_same)
        {
            return Ok(Arc::clone(&known.desk));
        }
        let (desk, settings) = make()?;
        let desk = Arc::new(desk);
        if let Some(stamp) = stamp {
            let files = settings.by_asset.into_iter().flatten();
            let files = files.chain(settings.surface);
            let known = Kept {
                stamp,
                prices: files.map(PriceFile::of).collect(),
                desk: Arc::clone(&desk),
            };
            kept().put(key, known);
        }
        Ok(desk)
    }
}
