//! The fuzz test at any length: `cargo bench --bench fuzz -- --strategies 10000 --prices 10000 --books 10000 --seed 1`.
//!
//! `--only strategies-17` repeats one case; the files of cases that fail stay in the folder that is printed.

#[path = "mod.rs"]
mod fuzz;

use clap::Parser;
use fuzz::{Fuzz, Subject};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Damaged strategies, price files and books through the binary: exit codes 0 or 2, one line of error, no number that is not
/// finite, at most 2 GB and 20 s.
#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 1000)]
    strategies: u64,
    #[arg(long, default_value_t = 1000)]
    prices: u64,
    #[arg(long, default_value_t = 1000)]
    books: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One case alone, such as `prices-17`.
    #[arg(long)]
    only: Option<String>,
    /// Cargo says that this is a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let fuzz = Fuzz {
        binary: env!("CARGO_BIN_EXE_deephedge").into(),
        checkout: env!("CARGO_MANIFEST_DIR").into(),
        folder: Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz"),
        seed: arguments.seed,
        processes: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let subjects = [
        (Subject::Strategies, arguments.strategies),
        (Subject::Prices, arguments.prices),
        (Subject::Books, arguments.books),
    ];
    let mut failed = false;
    for (subject, count) in subjects {
        let numbers = match &arguments.only {
            None => 0..count,
            Some(only) => match only.strip_prefix(&format!("{}-", subject.name())) {
                Some(number) => match number.parse() {
                    Ok(number) => number..number + 1,
                    Err(_) => return ExitCode::from(2),
                },
                None => continue,
            },
        };
        let start = Instant::now();
        let cases = numbers.end - numbers.start;
        let tally = fuzz.run(subject, numbers);
        println!(
            "{}: {cases} cases, {} done, {} refused, {} failed, {:.0} s",
            subject.name(),
            tally.done,
            tally.refused,
            tally.failures.len(),
            start.elapsed().as_secs_f64()
        );
        for failure in &tally.failures {
            let (name, number) = (subject.name(), failure.number);
            println!(
                "{name}-{number}: deephedge {}\n  {}",
                failure.command, failure.why
            );
        }
        failed |= !tally.failures.is_empty();
    }
    if failed {
        println!("files of failures: {}", fuzz.folder.display());
        return ExitCode::from(1);
    }
    ExitCode::SUCCESS
}
