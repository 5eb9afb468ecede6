//! Jobs whose ranks are threads of a test, and what their runs leave.

#[path = "../../tests/common/run_files.rs"]
mod run_files;

pub use run_files::{assert_same, contents};

use super::message::{Assignment, Order, read_message, send_message};
use crate::distributed::{Ranks, threads};
use crate::error::Result;

/// What rank 0 of `size` ranks makes of `first`, and every other of `part`.
pub fn job<T: Send>(
    size: usize,
    first: impl Fn(&Ranks) -> T + Sync,
    part: impl Fn(&Ranks, &Assignment) -> Result<()> + Sync,
) -> (T, Vec<Result<()>>) {
    enum Done<T> {
        First(T),
        Other(Result<()>),
    }
    let all = threads::run(size, |world| {
        if world.is_first() {
            let done = first(&world);
            for rank in 1..size {
                send_message(&world, rank, &Order::End { code: 0 });
            }
            return Done::First(done);
        }
        let mut done = Ok(());
        loop {
            match read_message(&world.wait().1) {
                Order::TakePart(assignment) => done = part(&world, &assignment),
                Order::End { .. } => return Done::Other(done),
                Order::Stop => {}
                order => panic!("{order:?} outside of a run"),
            }
        }
    });
    let (mut result, mut others) = (None, Vec::new());
    for done in all {
        match done {
            Done::First(first) => result = Some(first),
            Done::Other(other) => others.push(other),
        }
    }
    (result.unwrap(), others)
}
