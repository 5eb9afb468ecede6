//! The command line in a Python process.

use crate::cli;
use crate::program::Program;
use pyo3::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs the command line with these arguments, without the name of the program, and returns its exit code: 0 done, 1 failed, 2 bad
/// input, 3 stopped. `program` is a command that runs it again: the file and the arguments that come before its own.
#[pyfunction]
pub fn run_command(
    py: Python<'_>,
    arguments: Vec<OsString>,
    program: (PathBuf, Vec<OsString>),
) -> u8 {
    let (file, leading) = program;
    let program = Program {
        file,
        arguments: leading,
    };
    let named = std::iter::once(OsString::from("deephedge")).chain(arguments);
    let named: Vec<OsString> = named.collect();
    py.detach(|| cli::run(named, Some(&program)))
}
