//! What rank 0 and the other ranks of a job tell each other.
//!
//! A message is a head, as JSON, and bytes that the head says the meaning of.

use super::failure::Failure;
use super::statistics::TrainingStatistics;
use crate::distributed::Ranks;
use crate::runs::metrics::Request;
use crate::runs::progress::Event;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A run that all ranks of a job carry out together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Assignment {
    /// What it is asked for.
    pub request: Request,
}

/// What rank 0 tells another rank.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// Take part in a run, from its beginning.
    TakePart(Box<Assignment>),
    /// Do this piece of work with the other ranks of the group. The bytes are those of these files of the run, one after another,
    /// so many of each.
    Begin {
        /// The number of the piece.
        piece: usize,
        /// Name and length of every file.
        files: Vec<(String, usize)>,
    },
    /// Stop at the next step.
    Stop,
    /// No piece of work is left, or none will be begun any more. The bytes are the results, one after another.
    Over {
        /// Why the run ends here, if it does.
        failure: Option<Failure>,
        /// The length of the result of every piece that was done now.
        results: Vec<Option<usize>>,
    },
    /// End the process: the run has its results, or was stopped.
    End {
        /// With this exit code.
        code: u8,
    },
}

/// What another rank tells rank 0.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Lines for the progress file.
    Events(Vec<Event>),
    /// A trial of a search for settings goes on; see [`super::Keeper::tuning`].
    Tuning {
        /// The optimizer whose settings are searched.
        strategy: String,
        /// The number of the present trial.
        trial: usize,
        /// The number of all trials.
        trials: usize,
        /// The share of the present trial that is done.
        done: f64,
    },
    /// Write a file of the run with these bytes.
    Write {
        /// Its name in the run.
        name: String,
    },
    /// Remove a file of the run.
    Remove {
        /// Its name in the run.
        name: String,
    },
    /// What a training has communicated.
    Communicated(TrainingStatistics),
    /// The rank has ended a piece of work; the bytes are its result.
    Ended {
        /// The number of the piece.
        piece: usize,
        /// Why it has no result, if it has none.
        failure: Option<Failure>,
    },
}

/// Sends a message to a rank.
pub fn send(ranks: &Ranks, to: usize, head: &impl Serialize, bytes: &[u8]) {
    ranks.send(to, &message(head, bytes));
}

fn message(head: &impl Serialize, bytes: &[u8]) -> Vec<u8> {
    let head = serde_json::to_vec(head).expect("messages have a form in JSON");
    let mut message = (head.len() as u64).to_le_bytes().to_vec();
    message.extend(head);
    message.extend_from_slice(bytes);
    message
}

/// The head and the bytes of a message.
///
/// # Panics
/// If it is no message, which means that ranks do not run the same program.
pub fn read<T: DeserializeOwned>(message: &[u8]) -> (T, &[u8]) {
    let (length, rest) = message.split_first_chunk().expect("a message has a head");
    let (head, bytes) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let head = serde_json::from_slice(head).expect("ranks run the same program");
    (head, bytes)
}

/// Sends an order without further bytes to a rank.
pub fn send_message(ranks: &Ranks, to: usize, order: &Order) {
    send(ranks, to, order, &[]);
}

/// The order of a message of rank 0 that has no further bytes.
///
/// # Panics
/// If it is no message, which means that ranks do not run the same program.
pub fn read_message(message: &[u8]) -> Order {
    read(message).0
}

/// The parts of `bytes` that have these lengths, one after another.
pub fn parts(mut bytes: &[u8], lengths: impl Iterator<Item = usize>) -> Vec<Vec<u8>> {
    lengths
        .map(|length| {
            let (part, rest) = bytes.split_at(length);
            bytes = rest;
            part.to_vec()
        })
        .collect()
}
