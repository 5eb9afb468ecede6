use crate::Test;
use crate::launch::{NETWORKS, Part, assert_done, play};
use deephedge::distributed::Ranks;
use std::process::Command;

pub const TESTS: &[Test] = &[
    ("a_panic_ends_the_job", a_panic),
    ("a_killed_rank_ends_the_job", a_kill),
    ("an_exit_code_is_that_of_the_job", exit_codes),
];

pub const PARTS: &[Part] = &[
    ("panic", play_panic),
    ("killed", play_killed),
    ("refused", |ranks| {
        if ranks.rank() > 0 {
            wait_for_ever(ranks)
        } else {
            2
        }
    }),
    ("stopped", |_| 3),
];

/// The code by which `timeout` says that it has ended the job.
const TIMED_OUT: i32 = 124;

/// Two ranks wait for one that panics in a thread of its pool: the job says so on one line, and ends.
fn a_panic() {
    for network in NETWORKS {
        let output = play("panic", 3, network);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        let said: Vec<&str> = errors
            .lines()
            .filter(|line| line.starts_with("deephedge:"))
            .collect();
        assert!(
            matches!(said[..], [line] if line.contains("rank 1 panicked") && line.ends_with("the second rank fails")),
            "{errors}"
        );
    }
}

/// Two ranks wait for one that is killed as by `kill -9`: the job ends.
fn a_kill() {
    for network in NETWORKS {
        let output = play("killed", 3, network);
        assert!(!output.status.success());
        assert_ne!(output.status.code(), Some(TIMED_OUT));
    }
}

/// Bad input, which the first rank finds while the others wait, is exit code 2 of the job; where all ranks stop it is 3.
fn exit_codes() {
    for network in NETWORKS {
        assert_eq!(play("refused", 3, network).status.code(), Some(2));
        assert_eq!(play("stopped", 2, network).status.code(), Some(3));
        assert_done(&play("messages", 2, network), "a job that is done");
    }
}

fn wait_for_ever(ranks: &Ranks) -> ! {
    ranks.any(false);
    unreachable!("one rank does not come")
}

fn play_panic(ranks: &Ranks) -> u8 {
    if ranks.rank() == 1 {
        rayon::join(|| (), || panic!("the second rank fails"));
    }
    wait_for_ever(ranks)
}

fn play_killed(ranks: &Ranks) -> u8 {
    if ranks.rank() == 1 {
        let id = std::process::id().to_string();
        Command::new("kill")
            .args(["-9", &id])
            .status()
            .expect("kill starts");
    }
    // The killed rank waits for a message that nobody sends until the signal arrives.
    if ranks.rank() == 1 {
        ranks.wait().0 as u8
    } else {
        wait_for_ever(ranks)
    }
}
