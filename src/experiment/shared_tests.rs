//! Comparisons that several ranks carry out are those of one process, to the last bit.

use super::*;
use crate::groups::fixture::{assert_same, contents, job};
use crate::groups::{DISTRIBUTED, Distributed};
use crate::runs::fixture::Scratch;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

const STRATEGY: &str = r#"
name = "study"
seed = 7
[market]
model = "gbm"
volatility = 0.2
[contract]
expiry_days = 5
days_per_year = 252
[costs]
proportional = 0.002
[risk]
level = 0.5
[policy]
hidden = 3
[training]
steps = 6
paths = 300
validation_paths = 300
validation_period = 3
[evaluation]
paths = 1000
hedges = ["naked", "black_scholes", "whalley_wilmott"]
[optimizers.adam]
[optimizers.kfac]
curvature_paths = 160
"#;

fn plan(more: &str) -> Plan {
    Plan::parse(&format!("{STRATEGY}{more}"), |_| {}).unwrap()
}

fn scope() -> Scope {
    Scope {
        seeds: vec![7, 8],
        frontier: vec![0.6],
        ..Scope::default()
    }
}

/// Carries a run out on so many ranks; each rank is stopped by what `stop` makes of its number.
fn carried_out(
    prepared: &Prepared,
    size: usize,
    stop: &(dyn Fn(usize) -> bool + Sync),
) -> (Result<CarriedOut<Finished>>, Vec<Result<()>>) {
    let asked = |rank: usize| match stop(rank) {
        true => Err(Error::Stopped("asked".into())),
        false => Ok(()),
    };
    job(
        size,
        |world| prepared.carry_out_on(world, &mut |_| asked(0)),
        |world, assignment| take_part(world, assignment, &|| asked(world.rank())),
    )
}

/// What a run that `make` begins comes to on so many ranks.
fn files(
    test: &str,
    size: usize,
    make: impl Fn(&Path) -> Prepared,
) -> (BTreeMap<String, Vec<u8>>, Option<Distributed>) {
    let scratch = Scratch::new(&format!("{test}-{size}"));
    let prepared = make(scratch.path());
    let (finished, others) = carried_out(&prepared, size, &|_| false);
    finished.unwrap();
    assert!(others.iter().all(Result::is_ok));
    let path = prepared.folder().path();
    let distributed = Distributed::of_run(prepared.folder()).unwrap();
    assert_eq!(path.join(DISTRIBUTED).is_file(), size > 1);
    (contents(path), distributed)
}

/// Two optimizers with two seeds for two levels of risk: eight trainings, in groups of one rank and of several. All is the same
/// but for the strategy's own text, and for the statistics, which name every training once with the ranks that it had.
#[test]
fn any_number_of_ranks_comes_to_the_same_files() {
    let study = |size: usize, more: &str| {
        let plan = plan(more);
        let test = format!("ranks-{}", more.len());
        let make = |root: &Path| Prepared::comparison(&plan, &scope(), root).unwrap();
        let (mut files, distributed) = files(&test, size, make);
        files.remove(store::STRATEGY).unwrap();
        (files, distributed)
    };
    let (expected, _) = study(1, "");
    assert!(expected.contains_key("policies/kfac-risk_0.6-8.safetensors"));
    assert!(!expected.keys().any(|name| name.contains("checkpoints/")));
    let pairs = "[distributed]\nranks_per_training = 2\n";
    let alone = "[distributed]\nranks_per_training = 1\n";
    for (size, more, groups) in [
        (2, "", 2),
        (3, "", 3),
        (3, alone, 3),
        (2, pairs, 1),
        (5, pairs, 2),
    ] {
        let (found, distributed) = study(size, more);
        assert_same(&found, &expected, &format!("{size} ranks, {more:?}"));
        let distributed = distributed.unwrap();
        assert_eq!(distributed.ranks, size);
        let trainings = &distributed.trainings;
        assert_eq!(trainings.len(), 8);
        let mut first: Vec<usize> = trainings.iter().map(|one| one.first_rank).collect();
        first.sort_unstable();
        first.dedup();
        assert!(first.len() <= groups);
        for one in trainings {
            assert_eq!((one.steps, one.ranks > 1), (6, size > groups), "{one:?}");
            assert!(one.ranks == 1 || one.bytes_per_step > 0.0, "{one:?}");
        }
    }
}

/// A search for settings asks for the same trials in every round, and ends with the same ones.
#[test]
fn settings_are_searched_alike() {
    let make = |root: &Path| {
        let scope = Scope {
            seeds: vec![7],
            candidates: Some(4),
            ..Scope::default()
        };
        Prepared::comparison(&plan(""), &scope, root).unwrap()
    };
    let (expected, _) = files("tuned", 1, make);
    for size in [2, 3] {
        let (found, _) = files("tuned", size, make);
        assert_same(&found, &expected, &format!("{size} ranks"));
    }
}

#[test]
fn markets_are_crossed_alike() {
    let plan = plan("[markets.calm]\nvolatility = 0.1\n");
    let scope = Scope {
        seeds: vec![7],
        ..Scope::default()
    };
    let make = |root: &Path| Prepared::crossing(&plan, &scope, root).unwrap();
    let (expected, _) = files("crossed", 1, make);
    let (found, _) = files("crossed", 3, make);
    assert_same(&found, &expected, "3 ranks");
}

/// A run that is stopped on one number of ranks, at any of them, goes on on another, to the same files. All ranks stop, at
/// checkpoints of the steps that they were at.
#[test]
fn a_run_goes_on_on_another_number_of_ranks() {
    let plan = plan("");
    let make = |root: &Path| Prepared::comparison(&plan, &scope(), root).unwrap();
    let (expected, _) = files("whole", 1, make);
    // Ranks, the rank that is stopped after so many questions, and the ranks that go on.
    for (number, (size, stopped, after, then)) in
        [(1, 0, 9, 2), (2, 1, 4, 1), (3, 0, 12, 2), (3, 2, 7, 3)]
            .into_iter()
            .enumerate()
    {
        let scratch = Scratch::new(&format!("goes-on-{number}"));
        let prepared = make(scratch.path());
        let asked = AtomicUsize::new(0);
        let path = prepared.folder().path();
        // Ranks that wait ask too, so that questions alone do not say that a training has begun.
        let begun = || {
            let progress = std::fs::read_to_string(path.join("progress.jsonl"));
            progress.is_ok_and(|lines| lines.contains("\"event\":\"step\""))
        };
        let stop = |rank: usize| {
            rank == stopped && asked.fetch_add(1, Ordering::Relaxed) >= after && begun()
        };
        let (ended, others) = carried_out(&prepared, size, &stop);
        let error = ended.err().unwrap();
        let again = format!("compare --resume {}", prepared.folder().id());
        assert!(
            matches!(error, Error::Stopped(_)) && error.to_string().contains(&again),
            "{error}"
        );
        assert!(
            others
                .iter()
                .all(|other| matches!(other, Err(Error::Stopped(_))))
        );
        // The training that had begun is there, whole or as a checkpoint.
        let files = |folder: &str| std::fs::read_dir(path.join(folder)).map_or(0, Iterator::count);
        let (checkpoints, policies) = (files("checkpoints"), files("policies"));
        assert!(checkpoints + policies > 0, "{size} ranks");
        assert!(size > 1 || checkpoints > 0);
        let folder = prepared.folder().clone();
        let prepared = Prepared::again(folder, Some("compare")).unwrap();
        let (finished, _) = carried_out(&prepared, then, &|_| false);
        finished.unwrap();
        // An empty folder is left where checkpoints were.
        assert_same(
            &contents(prepared.folder().path()),
            &expected,
            &format!("{size}, {then}"),
        );
    }
}

/// A training that fails in any group ends the run with its message on all ranks, and what the others have trained is kept.
#[test]
fn a_failure_ends_the_run_on_all_ranks() {
    let failing = plan("[optimizers.wild]\nmethod = \"sgd\"\nlearning_rate = 1e300\n");
    for size in [1, 2, 3, 4] {
        let scratch = Scratch::new(&format!("failure-{size}"));
        let prepared = Prepared::comparison(&failing, &scope(), scratch.path()).unwrap();
        let (ended, others) = carried_out(&prepared, size, &|_| false);
        let message = ended.err().unwrap().to_string();
        assert!(message.starts_with("the risk is "), "{message}");
        for other in others {
            assert_eq!(other.unwrap_err().to_string(), message);
        }
        let progress = std::fs::read_to_string(prepared.folder().path().join("progress.jsonl"));
        let progress = progress.unwrap();
        let last: serde_json::Value =
            serde_json::from_str(progress.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&last["event"], &last["message"]),
            (&"failed".into(), &message.into())
        );
    }
}

/// Every step of every training is in the progress file once and in its order, whichever rank took it, and rank 0's caller hears
/// of all trainings.
#[test]
fn progress_has_every_step() {
    let scratch = Scratch::new("progress");
    let prepared = Prepared::comparison(&plan(""), &scope(), scratch.path()).unwrap();
    let heard = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let (finished, _) = job(
        3,
        |world| {
            let busy = Cell::new(0);
            prepared.carry_out_on(world, &mut |at| {
                if let Progress::Training { what, seed, .. } = at {
                    heard.lock().unwrap().insert((what.to_owned(), seed));
                }
                busy.set(busy.get() + 1);
                Ok(())
            })
        },
        |world, assignment| take_part(world, assignment, &|| Ok(())),
    );
    finished.unwrap();
    assert_eq!(heard.into_inner().unwrap().len(), 8);
    let mut steps: BTreeMap<(String, u64), Vec<usize>> = BTreeMap::new();
    let progress = std::fs::read_to_string(prepared.folder().path().join("progress.jsonl"));
    for line in progress.unwrap().lines() {
        match serde_json::from_str(line).unwrap() {
            Event::Training {
                strategy,
                seed,
                from,
                ..
            } => {
                assert!(steps.insert((strategy, seed), vec![from]).is_none());
            }
            Event::Step {
                strategy,
                seed,
                point,
                ..
            } => {
                steps.get_mut(&(strategy, seed)).unwrap().push(point.step);
            }
            Event::Measuring | Event::Finished => {}
            event => panic!("{event:?} in a comparison that is not stopped"),
        }
    }
    assert_eq!(steps.len(), 8);
    for (training, steps) in steps {
        assert_eq!(steps, [0, 0, 1, 2, 3, 4, 5], "{training:?}");
    }
}
