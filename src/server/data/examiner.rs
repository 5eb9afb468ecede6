//! The program's own commands about uploaded files, each in a process of its own: what a file does to whoever reads it, it does not do
//! to the server.

use crate::program::Program;
use crate::server::problem::{Problem, invalid};
use axum::http::StatusCode;
use serde_json::Value;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Semaphore;

/// How long a command may take.
const LONGEST: Duration = Duration::from_secs(45);
/// The most that a command may say: surfaces of many days are long.
const MOST_SAID: u64 = 16 << 20;
/// The most that a command may say on standard error.
const MOST_WARNED: u64 = 64 << 10;
/// Commands at a time.
const AT_A_TIME: usize = 2;

/// What runs commands about the files of a folder.
pub struct Examiner {
    program: Program,
    folder: PathBuf,
    turns: Semaphore,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code; none if it was killed.
    pub code: Option<i32>,
    /// Its document, if it wrote one.
    pub document: Option<Value>,
    /// Why it failed, in its own words.
    pub message: Option<String>,
}

impl Examiner {
    /// Runs `program` in `folder`, so that it names files as the server does, and not the folder.
    pub fn new(program: Program, folder: PathBuf) -> Self {
        Self {
            program,
            folder,
            turns: Semaphore::new(AT_A_TIME),
        }
    }

    /// What the command with these arguments says; `field` is at fault if it takes too long.
    ///
    /// # Errors
    /// That the command takes too long, that it says too much, or that it cannot be run.
    pub async fn say(&self, arguments: &[OsString], field: &str) -> Result<Said, Problem> {
        let said = async {
            // The semaphore is never closed.
            let _turn = self.turns.acquire().await;
            self.run(arguments).await
        };
        match tokio::time::timeout(LONGEST, said).await {
            Ok(said) => said,
            Err(_) => Err(invalid(
                field,
                format!(
                    "this takes longer than {} seconds: do it on the command line",
                    LONGEST.as_secs()
                ),
            )),
        }
    }

    async fn run(&self, arguments: &[OsString]) -> Result<Said, Problem> {
        let started = Command::from(self.program.command())
            .args(arguments)
            .arg("--json")
            .current_dir(&self.folder)
            .env_remove("DEEPHEDGE_TOKEN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let unable = |message: String| Problem::new(StatusCode::CONFLICT, "unable", message);
        let mut child = started.map_err(|_| unable("no file can be examined here".to_owned()))?;
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let (said, warned) = (child.stdout.take(), child.stderr.take());
        let read = async {
            if let Some(said) = said {
                let _ = said.take(MOST_SAID).read_to_end(&mut output).await;
            }
        };
        let warned = async {
            if let Some(warned) = warned {
                let _ = warned.take(MOST_WARNED).read_to_end(&mut errors).await;
            }
        };
        tokio::join!(read, warned);
        // A command that has more to say than is read ends by its closed output.
        let status = child.wait().await;
        let errors = String::from_utf8_lossy(&errors);
        let message = errors
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("deephedge: "))
            .map(str::to_owned);
        if output.len() as u64 == MOST_SAID {
            return Err(unable("there is too much to say of this file".to_owned()));
        }
        Ok(Said {
            code: status.ok().and_then(|status| status.code()),
            document: serde_json::from_slice(&output).ok(),
            message,
        })
    }
}

impl Said {
    /// Why the command has no result, of the field at fault.
    pub fn refusal(self, field: &str) -> Problem {
        let message = self.message.unwrap_or_else(|| match self.code {
            Some(code) => format!("the command ended with exit code {code} and said nothing"),
            None => "the command was killed, as where memory is short".to_owned(),
        });
        invalid(field, message)
    }
}

/// Arguments of the options that say how a file is read.
pub fn option(name: &str, value: &str) -> OsString {
    // With the name, so that no value is taken for an option.
    format!("--{name}={value}").into()
}
