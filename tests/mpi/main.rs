//! Tests of several processes under `mpirun`, over shared memory and over TCP.
//!
//! MPI starts once in a process, so each test starts this binary, or the program, anew under `mpirun`. Arguments choose tests
//! whose names contain one of them. Where there is no `mpirun` the tests are skipped, loudly; with `DEEPHEDGE_REQUIRE_MPI=1`
//! that is a failure.

mod collectives;
mod ends;
mod jobs;
mod launch;
#[path = "../common/run_files.rs"]
mod run_files;

use std::panic::catch_unwind;
use std::process::ExitCode;

/// A test, and its name.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    if let Ok(part) = std::env::var(launch::PART) {
        return play(&part);
    }
    if !launch::is_installed() {
        eprintln!("SKIPPED: there is no `mpirun` here, so nothing is tested under MPI");
        return ExitCode::from(u8::from(
            std::env::var_os("DEEPHEDGE_REQUIRE_MPI").is_some(),
        ));
    }
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word));
    let tests = [collectives::TESTS, ends::TESTS, jobs::TESTS].concat();
    let chosen = tests.iter().filter(|(name, _)| is_wanted(name));
    let failed = chosen.filter(|(name, test)| {
        let passed = catch_unwind(test).is_ok();
        eprintln!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        !passed
    });
    ExitCode::from(u8::from(failed.count() > 0))
}

/// Plays the part of one rank.
fn play(part: &str) -> ExitCode {
    let parts = [collectives::PARTS, ends::PARTS].concat();
    let (_, part) = parts
        .iter()
        .find(|(name, _)| *name == part)
        .expect("a part of a test");
    let code = part(&deephedge::distributed::world().expect("built with MPI"));
    deephedge::distributed::finish(code);
    ExitCode::from(code)
}
