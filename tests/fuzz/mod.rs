//! Damaged strategies, price files and books of contracts through the binary, under limits of memory and time.
//!
//! A case is made from the seed and its number alone, so that one can be repeated without those before it.

mod books;
mod limits;
mod mutation;
mod prices;
mod strategies;

use limits::Limits;
use mutation::Random;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Strategies,
    Prices,
    Books,
}

impl Subject {
    pub fn name(self) -> &'static str {
        match self {
            Self::Strategies => "strategies",
            Self::Prices => "prices",
            Self::Books => "books",
        }
    }
}

/// A case that did not end as it must.
pub struct Failure {
    pub number: u64,
    /// What was run.
    pub command: String,
    pub why: String,
}

/// How many cases ended with exit code 0 and with 2, and those that ended otherwise.
#[derive(Default)]
pub struct Tally {
    pub done: u64,
    pub refused: u64,
    pub failures: Vec<Failure>,
}

/// A run of the fuzz test.
pub struct Fuzz {
    pub binary: PathBuf,
    /// The checkout, whose strategies and data cases begin from.
    pub checkout: PathBuf,
    /// Where files of cases go; those of failures stay.
    pub folder: PathBuf,
    pub seed: u64,
    /// Processes at a time.
    pub processes: usize,
}

impl Fuzz {
    /// Runs the cases of these numbers.
    pub fn run(&self, subject: Subject, numbers: std::ops::Range<u64>) -> Tally {
        if subject == Subject::Books {
            books::train(&self.binary, &self.folder);
        }
        let next = AtomicU64::new(numbers.start);
        let tally = Mutex::new(Tally::default());
        std::thread::scope(|scope| {
            for _ in 0..self.processes {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= numbers.end {
                            return;
                        }
                        let ended = self.case(subject, number);
                        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                        match ended {
                            Ok(0) => tally.done += 1,
                            Ok(_) => tally.refused += 1,
                            Err((command, why)) => tally.failures.push(Failure {
                                number,
                                command,
                                why,
                            }),
                        }
                    }
                });
            }
        });
        let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        tally.failures.sort_by_key(|failure| failure.number);
        tally
    }

    /// The exit code of a case that ended as it must, or its command and what is wrong.
    fn case(&self, subject: Subject, number: u64) -> Result<i32, (String, String)> {
        let folder = self.folder.join(format!("{}-{number}", subject.name()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder of cases can be written to");
        let mut random = Random::new(self.seed, subject as u64, number);
        let arguments = match subject {
            Subject::Strategies => strategies::case(&self.checkout, &folder, &mut random),
            Subject::Prices => prices::case(&self.checkout, &folder, &mut random),
            Subject::Books => books::case(&self.checkout, &self.folder, &folder, &mut random),
        };
        let ended = Limits::default().run(&self.binary, &folder, &arguments);
        let judged = ended.judge();
        if judged.is_ok() {
            let _ = fs::remove_dir_all(&folder);
        }
        judged.map_err(|why| (arguments.join(" "), why))
    }
}

/// Writes a file of a case.
fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("the folder of cases can be written to");
}
