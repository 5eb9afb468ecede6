//! The first cases of the fuzz test, whose whole length is `cargo bench --bench fuzz`.
#![cfg(target_os = "linux")]

#[path = "../fuzz/mod.rs"]
mod cases;

use super::scratch;
use cases::{Fuzz, Subject};

fn assert_ends_well(subject: Subject, count: u64) {
    let fuzz = Fuzz {
        binary: env!("CARGO_BIN_EXE_deephedge").into(),
        checkout: env!("CARGO_MANIFEST_DIR").into(),
        folder: scratch().join("fuzz"),
        seed: 1,
        processes: 2,
    };
    let tally = fuzz.run(subject, 0..count);
    let failures = tally.failures.iter();
    let failures: Vec<String> = failures
        .map(|of| {
            format!(
                "{}-{}: {}: {}",
                subject.name(),
                of.number,
                of.command,
                of.why
            )
        })
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
    // Cases that are all refused, or all right, would show little.
    let (done, refused) = (tally.done, tally.refused);
    assert!(
        done > count / 20 && refused > count / 4,
        "{done}, {refused}"
    );
}

/// Damaged strategies end with exit code 0 or 2, in one line, with finite numbers, in 2 GB and 20 s.
#[test]
fn damaged_strategies_end_well() {
    assert_ends_well(Subject::Strategies, 200);
}

/// The same of damaged price files.
#[test]
fn damaged_price_files_end_well() {
    assert_ends_well(Subject::Prices, 200);
}

/// The same of damaged books of contracts.
#[test]
fn damaged_books_end_well() {
    assert_ends_well(Subject::Books, 200);
}
