//! How the program starts itself again, in processes of its own.

use crate::error::{Error, Result};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// A command that runs deephedge with the arguments that follow its own.
#[derive(Debug, Clone)]
pub struct Program {
    /// The file that is executed.
    pub file: PathBuf,
    /// The arguments that come before those of deephedge, such as `-m deephedge` of a Python interpreter.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// This process's own file.
    ///
    /// # Errors
    /// [`Error::Computation`] if the system does not say where it is.
    pub fn current() -> Result<Self> {
        let file = std::env::current_exe()
            .map_err(|error| Error::Computation(format!("this program: {error}")))?;
        Ok(file.into())
    }

    /// A process of it, still without arguments of deephedge.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command.args(&self.arguments);
        command
    }
}

/// Lowers the priority of this process, so that whoever waits for an answer of another one does not wait for its long work. Threads that
/// are there already keep theirs. Where the system has no priorities, or allows no change, nothing happens.
pub fn give_way() {
    #[cfg(unix)]
    {
        /// A thread of usual priority gets nine times as much of a core.
        const STEPS: i32 = 10;
        let _ = rustix::process::nice(STEPS);
    }
}

impl From<PathBuf> for Program {
    fn from(file: PathBuf) -> Self {
        Self {
            file,
            arguments: Vec::new(),
        }
    }
}
