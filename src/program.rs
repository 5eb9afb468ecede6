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

impl From<PathBuf> for Program {
    fn from(file: PathBuf) -> Self {
        Self {
            file,
            arguments: Vec::new(),
        }
    }
}
