//! Shards: the trainings of one job shared out to runs that know nothing of each other.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// One of the shares that the trainings of a job are cut into; written `3/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Shard {
    /// The number of the share, from 1.
    pub number: usize,
    /// The number of all shares.
    pub of: usize,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            Some(_) | None => Err("must be K/N with K from 1 to N, such as 3/16".into()),
        }
    }
}

/// A piece of a job that one run does as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// What it is expected to take, above 0, in a unit that all pieces of the job share.
    pub work: f64,
    /// What it has in common with pieces that take as long, such as its optimizer.
    pub kind: &'a str,
}

impl Shard {
    /// What a run folder of the shard is called, of a job that is called `job`.
    pub fn name_of(self, job: &str) -> String {
        /// Names of folders are cut at 40 characters, and all shards begin alike.
        const SHOWN: usize = 20;
        let Self { number, of } = self;
        format!("{job:.SHOWN$}-shard-{number}-of-{of}")
    }
}

/// The number of the shard, from 1, that has each of the pieces of a job that is cut into `of` shards.
///
/// The longest pieces are dealt first, each to the shard with the least work so far (Graham's rule of the longest processing
/// time); where that is equal, to the one with the fewest pieces of its kind, since optimizers differ in what a step takes;
/// then to the first. So every piece has one shard, whoever asks, and pieces of equal work are spread to within one of each
/// other.
///
/// # Errors
/// [`Error::Input`] if there are fewer pieces than shards.
///
/// # References
/// Graham (1969), "Bounds on multiprocessing timing anomalies", section 4.
pub fn owners(pieces: &[Piece<'_>], of: usize) -> Result<Vec<usize>> {
    if pieces.len() < of {
        let most = pieces.len();
        return Err(Error::input(format!(
            "--shard K/N: N must be at most {most}, the number of trainings that are independent, was {of}"
        )));
    }
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by(|&a, &b| pieces[b].work.total_cmp(&pieces[a].work));
    let mut work = vec![0.0; of];
    let mut alike: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut owners = vec![0; pieces.len()];
    for index in order {
        let Piece { work: more, kind } = pieces[index];
        let alike = alike.entry(kind).or_insert_with(|| vec![0; of]);
        let least = work.iter().copied().fold(f64::INFINITY, f64::min);
        let open = (0..of).filter(|&shard| work[shard] == least);
        let shard = open.min_by_key(|&shard| alike[shard]).unwrap_or(0);
        work[shard] += more;
        alike[shard] += 1;
        owners[index] = shard + 1;
    }
    Ok(owners)
}

/// How far a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which share of its job it is.
    pub shard: Shard,
    /// Trainings of the share that are done.
    pub trained: usize,
    /// Trainings of the share.
    pub trainings: usize,
}

impl Share {
    /// Whether nothing of the share is left to do.
    pub fn is_trained(&self) -> bool {
        self.trained >= self.trainings
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            shard,
            trained,
            trainings,
        } = self;
        match self.is_trained() {
            true => write!(f, "{shard}, trained"),
            false => write!(f, "{shard}, {trained} of {trainings} trainings"),
        }
    }
}

/// What a run came to.
pub enum CarriedOut<T> {
    /// The results of a whole job.
    Results(T),
    /// The trainings of a share, which are measured once all shards of the job are merged.
    Shard(Share),
}

#[cfg(test)]
#[path = "shard_tests.rs"]
mod tests;
