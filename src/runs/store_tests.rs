use super::*;
use crate::runs::atomic::write_atomically;
use crate::runs::fixture::{self, Scratch};
use std::io::Write;

/// What is written comes back unchanged: metrics, both tables and the example path.
#[test]
fn a_run_reads_back_as_it_was_written() {
    let root = Scratch::new("round-trip");
    let written = fixture::write(root.path());
    let run = open(root.path(), written.id()).unwrap();
    assert_eq!(run.evaluation().unwrap().unwrap(), fixture::evaluation());
    assert_eq!(run.backtest().unwrap().unwrap(), fixture::backtest());
    let path = run.example_path().unwrap().unwrap();
    assert!(same(&path.spot, &fixture::example_path().spot));
    let metrics = run.metrics().unwrap();
    assert_eq!(metrics.run, run.id());
    assert_eq!(metrics.evaluation.len(), 7);
    let expected = fixture::metrics().evaluation[0].pnl_variance;
    assert!(same(&[metrics.evaluation[0].pnl_variance], &[expected]));
}

/// serde_json reads a float to within one unit in the last place unless built otherwise.
fn same(read: &[f64], written: &[f64]) -> bool {
    read.len() == written.len()
        && std::iter::zip(read, written).all(|(r, w)| (r - w).abs() <= f64::EPSILON * w.abs())
}

/// A training that diverged is still a run that can be read.
#[test]
fn numbers_that_are_not_finite_read_back_as_nan() {
    let root = Scratch::new("not-finite");
    let run = create(root.path(), "x").unwrap();
    let mut metrics = fixture::metrics();
    metrics.training[0].points[3].risk = f64::INFINITY;
    metrics.evaluation[0].sharpe = f64::NAN;
    metrics.comparisons[0].cvar_change = f64::NAN;
    run.write_metrics(&metrics).unwrap();
    let read = run.metrics().unwrap();
    assert!(read.training[0].points[3].risk.is_nan());
    assert!(read.evaluation[0].sharpe.is_nan());
    assert!(read.comparisons[0].cvar_change.is_nan());
}

/// Other programs see calendar dates and empty seeds in the Parquet file, not codes for them.
#[test]
fn the_backtest_table_has_dates_and_empty_seeds() {
    let frame = fixture::backtest().to_frame().unwrap();
    let date = frame.column("date").unwrap();
    assert_eq!(date.dtype(), &polars::prelude::DataType::Date);
    assert_eq!(date.get(0).unwrap().to_string(), "2022-01-03");
    // Three classical hedges of 24 contracts.
    assert_eq!(frame.column("seed").unwrap().null_count(), 72);
}

/// A table whose columns differ in length is refused by name.
#[test]
fn books_of_unequal_columns_are_refused() {
    let mut table = fixture::evaluation();
    table.books[2].cost.pop();
    let message = table.to_frame().unwrap_err().to_string();
    assert_eq!(
        message,
        "results of `adam`: column `cost` has 499 rows, `pnl` has 500"
    );
}

/// Killed runs, broken metrics and stray files are listed for what they are; none is fatal.
#[test]
fn stopped_and_broken_runs_do_not_hide_the_others() {
    let root = Scratch::new("stopped");
    let complete = fixture::write(root.path());
    let stopped = create(root.path(), "stopped").unwrap();
    stopped.write_strategy("name = \"x\"\n").unwrap();
    let broken = create(root.path(), "broken").unwrap();
    broken.write_bytes(METRICS, b"{\"run\":").unwrap();
    fs::write(root.path().join("notes.txt"), "not a run").unwrap();
    fs::create_dir(root.path().join(".deleted-1-x")).unwrap();

    let listed = list(root.path()).unwrap();
    assert_eq!(listed.len(), 3);
    for entry in &listed {
        let id = entry.folder.id();
        match &entry.state {
            State::Complete(metrics) => assert_eq!(metrics.run, complete.id()),
            State::Incomplete => assert_eq!(id, stopped.id()),
            State::Unreadable(why) => {
                assert_eq!(id, broken.id());
                assert!(why.contains("metrics.json"), "{why}");
            }
        }
    }
    assert_eq!(open(root.path(), "latest").unwrap().id(), complete.id());
    let message = stopped.metrics().unwrap_err().to_string();
    assert!(message.contains("incomplete"), "{message}");
}

/// An interrupted write leaves the old file as it was and nothing beside it.
#[test]
fn a_failed_write_leaves_the_old_file() {
    let root = Scratch::new("failed-write");
    let run = create(root.path(), "x").unwrap();
    run.write_bytes("a.txt", b"old").unwrap();
    let path = run.path().join("a.txt");
    let failed = write_atomically(&path, |file| {
        file.write_all(b"half of the n")?;
        Err(std::io::Error::other("disk full"))
    });
    assert!(failed.unwrap_err().to_string().contains("disk full"));
    assert_eq!(run.read_bytes("a.txt").unwrap().unwrap(), b"old");
    assert_eq!(fs::read_dir(run.path()).unwrap().count(), 1);
}

/// Runs of one second get different folders, in an order that sorts by time.
#[test]
fn ids_say_when_and_what_and_never_collide() {
    let root = Scratch::new("ids");
    let now = chrono::NaiveDate::from_ymd_opt(2026, 3, 1)
        .unwrap()
        .and_hms_opt(9, 30, 5)
        .unwrap();
    let id = |name: &str| create_at(root.path(), name, now).unwrap().id().to_owned();
    assert_eq!(id("Heston call, 5 bp!"), "20260301-093005-heston-call-5-bp");
    assert_eq!(
        id("Heston call, 5 bp!"),
        "20260301-093005-heston-call-5-bp-2"
    );
    assert_eq!(id("../../etc"), "20260301-093005-etc");
    assert_eq!(id("日本"), "20260301-093005-run");
}

/// A run is found by whole id, by a beginning that only it has, and by path.
#[test]
fn runs_open_by_id_beginning_and_path() {
    let root = Scratch::new("open");
    let first = create(root.path(), "alpha").unwrap();
    let second = create(root.path(), "beta").unwrap();
    first.write_strategy("").unwrap();
    let by = |which: &str| open(root.path(), which);
    assert_eq!(by(second.id()).unwrap().id(), second.id());
    let beginning = &first.id()[..first.id().len() - 2];
    assert_eq!(by(beginning).unwrap().id(), first.id());
    assert_eq!(by(first.path().to_str().unwrap()).unwrap().id(), first.id());
    assert!(
        by("20")
            .unwrap_err()
            .to_string()
            .contains("2 runs begin so")
    );
    assert!(by("").unwrap_err().to_string().contains("empty"));
    assert!(
        by("latest")
            .unwrap_err()
            .to_string()
            .contains("no complete")
    );
    assert_eq!(by("nothing").unwrap_err().exit_code(), 2);
}

/// Deleting and serving take plain ids only, and delete exactly the run that was named.
#[test]
fn ids_that_lead_out_of_the_root_are_refused() {
    let root = Scratch::new("traversal");
    let runs = root.path().join("runs");
    let run = create(&runs, "x").unwrap();
    fs::create_dir(root.path().join("precious")).unwrap();
    for id in [
        "../precious",
        "..",
        ".",
        "",
        "/etc",
        "a/b",
        "a\\b",
        "%2e%2e",
    ] {
        assert_eq!(delete(&runs, id).unwrap_err().exit_code(), 2, "{id}");
        assert!(open_exact(&runs, id).is_err(), "{id}");
    }
    assert!(root.path().join("precious").is_dir());
    assert!(delete(&runs, &run.id()[..10]).is_err());
    delete(&runs, run.id()).unwrap();
    assert_eq!(fs::read_dir(&runs).unwrap().count(), 0);
}

/// A root that cannot be made is the user's mistake, told in one line.
#[test]
fn an_unwritable_root_is_bad_input() {
    let root = Scratch::new("unwritable");
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let error = create(&file.join("runs"), "x").unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let message = error.to_string();
    assert!(
        message.starts_with("run folder: cannot write to `"),
        "{message}"
    );
    assert!(!message.contains('\n'));
    assert!(list(&root.path().join("absent")).unwrap().is_empty());
}
