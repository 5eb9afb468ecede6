use super::*;
use crate::atomic::write_atomically;
use crate::runs::fixture::{self, Scratch};
use chrono::TimeZone;
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
    let broken = create(root.path(), "broken").unwrap();
    broken.write_bytes(METRICS, b"{\"run\":").unwrap();
    // Not before the broken one, whose folder would be the latest.
    let complete = fixture::write(root.path());
    let stopped = create(root.path(), "stopped").unwrap();
    stopped.write_strategy("name = \"x\"\n").unwrap();
    fs::write(root.path().join("notes.txt"), "not a run").unwrap();

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
    assert!(message.contains("unfinished"), "{message}");
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

fn local(hour: u32, minute: u32, second: u32) -> DateTime<Local> {
    let now = Local.with_ymd_and_hms(2026, 3, 1, hour, minute, second);
    now.earliest().unwrap()
}

/// The newest run is the one that was made last, whatever the names say: also where the clock was set back an hour, and
/// where two runs are made in one second.
#[test]
fn runs_go_by_the_order_in_which_they_were_made() {
    let root = Scratch::new("order");
    let make = |now, name: &str| {
        let made = begin_at(now, root.path(), name, Request::default(), |_| Ok(()));
        let run = made.unwrap().0;
        run.write_metrics(&fixture::metrics()).unwrap();
        run.id().to_owned()
    };
    let ids = [
        make(local(9, 30, 5), "z"),
        make(local(9, 30, 5), "a"),
        make(local(8, 30, 5), "b"),
        make(local(8, 30, 6), "a"),
    ];
    let listed: Vec<String> = list(root.path())
        .unwrap()
        .into_iter()
        .map(|listed| listed.folder.id)
        .collect();
    assert!(listed.iter().eq(ids.iter().rev()), "{listed:?}");
    assert_eq!(open(root.path(), "latest").unwrap().id(), ids[3]);
    // An older version of the program did not write the time of creation: its name has it.
    let path = root.path().join("20260301-093006-old");
    fs::create_dir(&path).unwrap();
    fs::copy(root.path().join(&ids[0]).join(METRICS), path.join(METRICS)).unwrap();
    assert_eq!(open(root.path(), "latest").unwrap().path(), path);
}

/// A folder appears with its strategy and its request or not at all, and what killed processes left of folders that they
/// made or deleted is gone when the next one is.
#[test]
fn folders_appear_and_disappear_whole() {
    let root = Scratch::new("whole");
    for left in [".new-20260301-093005-x", ".deleted-20260301-093005-y"] {
        fs::create_dir_all(root.path().join(left).join("policies")).unwrap();
    }
    let request = || Request {
        strategy: "name = \"x\"\n".into(),
        ..Request::default()
    };
    let failed = begin(root.path(), "x", request(), |_| Err(Error::input("no")));
    assert_eq!(failed.unwrap_err().to_string(), "no");
    assert!(list(root.path()).unwrap().is_empty());
    let (run, kept) = begin(root.path(), "x", request(), |run| {
        assert!(list(root.path()).unwrap().is_empty());
        run.write_bytes("further", b"")
    })
    .unwrap();
    assert_eq!(run.name().as_deref(), Some("x"));
    assert_eq!(run.request().unwrap().unwrap().created, kept.created);
    assert!(run.path().join("further").is_file());
    delete(root.path(), run.id()).unwrap();
    assert_eq!(names(root.path()), [".lock"]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// A result that could not be read again is not written; the error names the number that is none. What may be undefined
/// is.
#[test]
fn what_cannot_be_read_is_not_written() {
    let root = Scratch::new("unreadable");
    let run = create(root.path(), "x").unwrap();
    let mut metrics = fixture::metrics();
    metrics.frontier.push(crate::runs::metrics::FrontierRow {
        parameter: f64::NAN,
        row: metrics.evaluation[0].clone(),
    });
    let error = run.write_metrics(&metrics).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let message = error.to_string();
    assert!(message.contains("metrics.json: `frontier[0]"), "{message}");
    assert!(message.contains(": not a finite number"), "{message}");
    assert!(!run.is_complete());
}

/// A damaged file is refused with its name and the part that is at fault, in one short line.
#[test]
fn damaged_files_are_named() {
    let root = Scratch::new("damaged");
    let run = fixture::write(root.path());
    let long = "x".repeat(10_000);
    let text = fs::read_to_string(run.path().join(METRICS)).unwrap();
    for (from, to, part) in [
        (
            "\"seeds\": [",
            format!("\"seeds\": [\n\"{long}\",").as_str(),
            "`seeds[0]`",
        ),
        (
            "\"pnl_mean\": ",
            "\"pnl_mean\": \"\u{1b}[2J\", \"x\": ",
            "`evaluation[0].pnl_mean`",
        ),
        ("{", "", "expected struct Metrics"),
    ] {
        assert!(text.contains(from));
        run.write_bytes(METRICS, text.replacen(from, to, 1).as_bytes())
            .unwrap();
        let message = run.metrics().unwrap_err().to_string();
        let named = format!("run `{}`: metrics.json: ", run.id());
        assert!(
            message.starts_with(&named) && message.contains(part),
            "{message}"
        );
        assert!(
            message.len() < 300 && !message.contains(char::is_control),
            "{message}"
        );
    }
    for (file, read) in [
        ("evaluation.parquet", run.evaluation().map(|_| ())),
        ("backtest.parquet", run.backtest().map(|_| ())),
    ] {
        read.unwrap();
        let whole = run.read_bytes(file).unwrap().unwrap();
        for part in [
            &b"PAR1"[..],
            b"",
            &whole[..whole.len() / 2],
            &whole[whole.len() / 2..],
        ] {
            run.write_bytes(file, part).unwrap();
            let read = match file {
                "evaluation.parquet" => run.evaluation().map(|_| ()),
                _ => run.backtest().map(|_| ()),
            };
            let error = read.unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let message = error.to_string();
            assert!(message.contains(&format!("{file}: damaged")), "{message}");
        }
    }
}

/// Runs of one second get different folders, in an order that sorts by time.
#[test]
fn ids_say_when_and_what_and_never_collide() {
    let root = Scratch::new("ids");
    let now = local(9, 30, 5);
    let id = |name: &str| {
        let made = begin_at(now, root.path(), name, Request::default(), |_| Ok(()));
        made.unwrap().0.id().to_owned()
    };
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
    assert_eq!(names(&runs), [".lock"]);
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
