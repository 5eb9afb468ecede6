//! Windows that several ranks carry out are those of one process, to the last bit.

use super::*;
use crate::groups::fixture::{assert_same, contents, job};
use crate::market::history::fixture::{Scratch, closes, write};
use crate::runs::store;
use std::sync::atomic::{AtomicUsize, Ordering};

fn plan(data: &std::path::Path, more: &str) -> Plan {
    let text = format!(
        "name = \"walk\"\n[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\ndays_per_year = 365\n\
         [costs]\nproportional = 0.001\n[policy]\nhidden = 3\n[training]\nsteps = 4\npaths = 300\nvalidation_paths = 0\n\
         [evaluation]\nhedges = [\"naked\", \"minimum_variance\", \"whalley_wilmott\"]\n[optimizers.adam]\n[optimizers.kfac]\n\
         [backtest]\ndata = '{}'\nspacing = \"weekly\"\n[walk_forward]\nyears = 1.0\nmonths = 6\n{more}",
        data.display()
    );
    Plan::parse(&text, |_| {}).unwrap()
}

fn carried_out(
    plan: &Plan,
    size: usize,
    folder: &RunFolder,
    stop: &(dyn Fn(usize) -> bool + Sync),
) -> Result<CarriedOut<Finished>> {
    let (settings, walk) = (plan.backtest.clone().unwrap(), plan.walk_forward.unwrap());
    let asked = |rank: usize| match stop(rank) {
        true => Err(Error::Stopped("asked".into())),
        false => Ok(()),
    };
    let (finished, others) = job(
        size,
        |world| run_on(world, (plan, &settings, walk), folder, &mut |_| asked(0)),
        |world, assignment| take_part(world, assignment, &|| asked(world.rank())),
    );
    assert!(others.iter().all(|other| other.is_ok() == finished.is_ok()));
    finished
}

/// With training that starts warm and cold, and windows that are interrupted on one number of ranks and go on on another.
#[test]
fn any_number_of_ranks_comes_to_the_same_windows() {
    for more in ["", "warm_start = false\nseeds = 2\n"] {
        let scratch = Scratch::new(&format!("walk-shared-{}", more.len()));
        let plan = plan(&write(&scratch.0, &closes(900)), more);
        let folder = |name: &str| store::create(&scratch.0, name).unwrap();
        let whole = folder("whole");
        carried_out(&plan, 1, &whole, &|_| false).unwrap();
        let expected = contents(whole.path());
        assert!(expected.contains_key("windows/02/window.json"));
        for size in [2, 3] {
            let shared = folder(&format!("shared-{size}"));
            carried_out(&plan, size, &shared, &|_| false).unwrap();
            assert_same(
                &contents(shared.path()),
                &expected,
                &format!("{size} ranks, {more:?}"),
            );
        }
        for (size, stopped, then) in [(2, 1, 1), (1, 0, 3)] {
            let cut = folder(&format!("cut-{size}"));
            let asked = AtomicUsize::new(0);
            let stop = |rank: usize| rank == stopped && asked.fetch_add(1, Ordering::Relaxed) >= 6;
            let error = carried_out(&plan, size, &cut, &stop).err().unwrap();
            assert!(matches!(error, Error::Stopped(_)), "{error}");
            carried_out(&plan, then, &cut, &|_| false).unwrap();
            assert_same(
                &contents(cut.path()),
                &expected,
                &format!("{size}, then {then}, {more:?}"),
            );
        }
    }
}

/// A rank that reads other closes than rank 0, or none, is named, and the run ends on all ranks.
#[test]
fn all_ranks_read_the_same_closes() {
    let scratch = Scratch::new("walk-closes");
    let data = write(&scratch.0, &closes(900));
    let plan = plan(&data, "");
    let folder = store::create(&scratch.0, "closes").unwrap();
    let (settings, walk) = (plan.backtest.clone().unwrap(), plan.walk_forward.unwrap());
    for (closes, words) in [
        (Some(closes(880)), "other closes"),
        (None, "cannot be read"),
    ] {
        let elsewhere = Scratch::new("walk-closes-elsewhere");
        let other = match &closes {
            Some(closes) => write(&elsewhere.0, closes),
            None => elsewhere.0.join("none.csv"),
        };
        let (finished, others) = job(
            2,
            |world| run_on(world, (&plan, &settings, walk), &folder, &mut |_| Ok(())),
            |world, assignment| {
                let mut assignment = assignment.clone();
                let text = assignment.request.strategy;
                let (from, to) = (data.to_str().unwrap(), other.to_str().unwrap());
                assignment.request.strategy = text.replace(from, to);
                take_part(world, &assignment, &|| Ok(()))
            },
        );
        let message = finished.err().unwrap().to_string();
        assert!(message.starts_with("rank 1: "), "{message}");
        assert!(others[0].is_err(), "{words}");
    }
}
