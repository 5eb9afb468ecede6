use super::*;
use crate::runs::fixture::{self, Scratch};
use crate::runs::queue::JobState;
use crate::runs::store::RunFolder;
use serde_json::json;

fn summary(metrics: &Metrics, _: Option<&str>) -> Summary {
    let of = |name: &str| {
        let mut rows = metrics.evaluation.iter();
        rows.find(|row| row.strategy == name)
    };
    Summary {
        said: json!({ "seeds": metrics.seeds }),
        results: [
            of("kfac").map(|row| row.pnl_variance),
            of("kfac").map(|row| row.cost_mean),
            of("kfac").map(|row| row.sharpe),
            None,
        ],
    }
}

fn open(root: &Path) -> Index {
    Index::open(root, summary).unwrap()
}

fn ids(index: &Index, filter: &Filter) -> Vec<String> {
    index
        .list(filter)
        .unwrap()
        .into_iter()
        .map(|entry| entry.id)
        .collect()
}

/// The index says what the folders say, also after they have changed behind its back; tags and notes stay.
#[test]
fn the_folders_are_the_truth() {
    let root = Scratch::new("index-folders");
    let run = fixture::write(root.path());
    let stopped = store::create(root.path(), "stopped").unwrap();
    let index = open(root.path());
    index
        .label(
            run.id(),
            Some(&["good".into(), "base".into()]),
            Some("a note"),
        )
        .unwrap();
    let listed = index.list(&Filter::default()).unwrap();
    let entry = listed.iter().find(|entry| entry.id == run.id()).unwrap();
    assert_eq!(
        (entry.state, entry.name.as_str()),
        ("complete", "Heston call")
    );
    assert_eq!(
        entry.summary,
        json!({ "seeds": run.metrics().unwrap().seeds })
    );
    assert_eq!(
        (entry.tags.join(" "), entry.note.as_str()),
        ("base good".into(), "a note")
    );

    let mut metrics = run.metrics().unwrap();
    metrics.name = "renamed".into();
    run.write_metrics(&metrics).unwrap();
    store::delete(root.path(), stopped.id()).unwrap();
    let again = open(root.path()).list(&Filter::default()).unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(
        (again[0].name.as_str(), again[0].note.as_str()),
        ("renamed", "a note")
    );

    // A lost index is made anew from the folders.
    drop(index);
    for file in [
        INDEX.to_owned(),
        format!("{INDEX}-wal"),
        format!("{INDEX}-shm"),
    ] {
        let _ = std::fs::remove_file(root.path().join(file));
    }
    let anew = open(root.path()).list(&Filter::default()).unwrap();
    assert_eq!((anew[0].name.as_str(), anew[0].tags.len()), ("renamed", 0));
}

/// Filters by tag, state and text, which is text and no pattern.
#[test]
fn runs_are_found_by_tag_state_and_text() {
    let root = Scratch::new("index-filter");
    let run = fixture::write(root.path());
    let going = store::create(root.path(), "going").unwrap();
    let log = progress::ProgressLog::open(&going).unwrap();
    let index = open(root.path());
    index.label(run.id(), Some(&["good".into()]), None).unwrap();
    let by = |tag: Option<&str>, state: Option<&str>, search: Option<&str>| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        ids(
            &index,
            &Filter {
                tag: owned(tag),
                state: owned(state),
                search: owned(search),
            },
        )
    };
    assert_eq!(by(Some("good"), None, None), [run.id()]);
    assert_eq!(by(Some("goo"), None, None), [""; 0]);
    assert_eq!(by(None, Some("running"), None), [going.id()]);
    assert_eq!(by(None, Some("complete"), Some("HESTON")), [run.id()]);
    assert_eq!(by(None, None, Some("%")), [""; 0]);
    assert!(
        index
            .delete(going.id())
            .unwrap_err()
            .to_string()
            .ends_with("another process is carrying it out")
    );
    drop(log);
    assert_eq!(by(None, Some("stopped"), None), [going.id()]);
    index.delete(going.id()).unwrap();
    assert_eq!(by(None, None, None), [run.id()]);
}

/// An index of the first schema is brought to the present one with all that it holds; a newer one and a file that is
/// no database are refused by name.
#[test]
fn older_indices_are_migrated_and_newer_ones_refused() {
    let root = Scratch::new("index-schema");
    let run = fixture::write(root.path());
    let path = root.path().join(INDEX);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(SCHEMAS[0]).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute("INSERT INTO tags VALUES (?1, 'kept')", [run.id()])
        .unwrap();
    drop(old);
    let index = open(root.path());
    assert_eq!(index.labels(run.id()).unwrap().0, ["kept"]);
    index.enqueue(run.id(), 1).unwrap();
    let newer = SCHEMAS.len() as i64 + 1;
    index
        .database()
        .pragma_update(None, "user_version", newer)
        .unwrap();
    drop(index);
    let error = Index::open(root.path(), summary).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let said = format!("has schema {newer} of a newer deephedge");
    assert!(error.to_string().contains(&said), "{error}");

    for file in [
        INDEX.to_owned(),
        format!("{INDEX}-wal"),
        format!("{INDEX}-shm"),
    ] {
        let _ = std::fs::remove_file(root.path().join(file));
    }
    std::fs::write(
        &path,
        "not a database, but long enough to be looked at as one".repeat(99),
    )
    .unwrap();
    let error = Index::open(root.path(), summary).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("move the file away"), "{error}");
}

/// Jobs leave the queue in the order in which they came, each once; a full queue takes no more.
#[test]
fn the_queue_is_first_in_first_out_and_bounded() {
    let root = Scratch::new("index-queue");
    let index = open(root.path());
    let runs: Vec<String> = (0..3)
        .map(|_| store::create(root.path(), "job").unwrap().id().to_owned())
        .collect();
    index.enqueue(&runs[1], 2).unwrap();
    index.enqueue(&runs[0], 2).unwrap();
    let error = index.enqueue(&runs[2], 2).unwrap_err();
    assert_eq!(error.to_string(), "the queue is full: 2 jobs are waiting");
    assert_eq!(
        index
            .list(&Filter {
                state: Some("queued".into()),
                ..Filter::default()
            })
            .unwrap()
            .len(),
        2
    );
    let taken = || index.next_job().unwrap().map(|job| job.run);
    assert_eq!(taken(), Some(runs[1].clone()));
    let changed = index
        .change_job(&runs[1], JobState::Running, JobState::Paused, None)
        .unwrap();
    assert!(changed);
    index.enqueue(&runs[1], 2).unwrap();
    assert_eq!(taken(), Some(runs[0].clone()));
    // It is said to run, but no process does: its server was killed.
    assert_eq!(
        index.job(&runs[0]).unwrap().unwrap().state,
        JobState::Interrupted
    );
    assert_eq!(taken(), Some(runs[1].clone()));
    assert_eq!(taken(), None);
}

/// Runs whose costs, steps and results differ: number i costs 0.001 (7 i mod 20), trains for 100 or 300 steps, and has the variance
/// 3 i mod 20; every fifth has no results.
fn many(root: &Path) -> Vec<RunFolder> {
    (0..20)
        .map(|index| {
            let folder = store::create(root, &format!("run {index:02}")).unwrap();
            let (cost, steps) = (0.001 * f64::from(7 * index % 20), [100, 300][index as usize % 2]);
            let hedges = if index < 10 { "[\"naked\", \"delta\"]" } else { "[\"delta\"]" };
            folder
                .write_strategy(&format!(
                    "name = \"Run {index}\"\n[market]\nmodel = \"Heston\"\n[costs]\nproportional = {cost}\n\
                     [training]\nsteps = {steps}\n[evaluation]\nhedges = {hedges}\n[optimizers.kfac]\ndamping = 1e-3\n"
                ))
                .unwrap();
            if index % 5 != 4 {
                let mut metrics = fixture::metrics();
                metrics.run = folder.id().to_owned();
                metrics.name = format!("Run {index}");
                metrics.evaluation[0].pnl_variance = f64::from(3 * index % 20);
                folder.write_metrics(&metrics).unwrap();
            }
            folder
        })
        .collect()
}

/// Sorting goes over the whole list and not over one page of it, either way; runs without the result come last both ways.
#[test]
fn lists_are_sorted_over_all_pages() {
    let root = Scratch::new("index-sorted");
    let runs = many(root.path());
    let index = open(root.path());
    let sorted = |by: &str, descending: bool| -> Vec<usize> {
        let order = Order {
            by: by.into(),
            descending,
        };
        let mut places = Vec::new();
        for first in (0..20).step_by(6) {
            let page = index
                .page(&Filter::default(), &order, first..first + 6)
                .unwrap();
            assert_eq!(page.total, 20);
            for entry in page.entries {
                places.push(runs.iter().position(|run| run.id() == entry.id).unwrap());
            }
        }
        places
    };
    let variance = |run: &usize| {
        if run % 5 == 4 {
            None
        } else {
            Some(3 * run % 20)
        }
    };
    for descending in [false, true] {
        let found = sorted("variance", descending);
        let mut expected: Vec<Option<usize>> =
            (0..20).filter_map(|run| variance(&run).map(Some)).collect();
        expected.sort();
        if descending {
            expected.reverse();
        }
        expected.extend([None; 4]);
        let variances: Vec<Option<usize>> = found.iter().map(variance).collect();
        assert_eq!(variances, expected, "{descending}");
    }
    let by_cost: Vec<usize> = sorted("proportional", false)
        .iter()
        .map(|run| 7 * run % 20)
        .collect();
    assert_eq!(by_cost, (0..20).collect::<Vec<_>>());
    assert_eq!(sorted("name", false)[..3], [0, 1, 10]);
    assert_eq!(sorted("made", true)[0], 19);
    let error = |by: &str| {
        let order = Order {
            by: by.into(),
            descending: false,
        };
        index
            .page(&Filter::default(), &order, 0..1)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("stepz"),
        "`sort` names the key `stepz`, which no run has; did you mean `steps`?"
    );
}

/// A condition finds a key by its whole name or its end, numbers as numbers and texts without regard to case; a list has its
/// entries; all conditions and words hold at once; what no run has is refused with what it may have meant.
#[test]
fn runs_are_found_by_their_settings_and_results() {
    let root = Scratch::new("index-found");
    let runs = many(root.path());
    let index = open(root.path());
    let page = |search: &str| {
        let filter = Filter {
            search: Some(search.into()),
            ..Filter::default()
        };
        index.page(&filter, &Order::default(), 0..100)
    };
    let count = |search: &str| page(search).unwrap().total;
    assert_eq!(count("market.model = heston"), 20);
    assert_eq!(count("model = gbm"), 0);
    assert_eq!(count("model != gbm"), 20);
    assert_eq!(count("training.steps = 3e2"), 10);
    assert_eq!(count("steps >= 300, costs.proportional < 0.0105"), 5);
    assert_eq!(count("hedges = naked"), 10);
    assert_eq!(count("hedges != naked"), 10);
    assert_eq!(count("evaluation.hedges = [naked, delta]"), 10);
    assert_eq!(count("optimizers.*.damping = 0.001"), 20);
    assert_eq!(count("results.variance < 3"), 2);
    assert_eq!(count("run 1, steps = 100"), 5);
    let found = page("steps = 300, proportional = 0.007").unwrap();
    assert_eq!(found.keys, ["training.steps", "costs.proportional"]);
    assert_eq!(found.entries[0].id, runs[1].id());
    let values: Vec<&str> = found.entries[0]
        .values
        .iter()
        .flatten()
        .map(String::as_str)
        .collect();
    assert_eq!(values, ["300", "0.007"]);
    for (search, error) in [
        (
            "market.modell = heston",
            "`search` names the key `market.modell`, which no run has; did you mean `market.model`?",
        ),
        (
            "qqqqqqq = 1",
            "`search` names the key `qqqqqqq`, which no run has",
        ),
        (
            "steps > many",
            "`search` has the part `steps > many`, which needs a number after its sign",
        ),
    ] {
        let refused = page(search).unwrap_err();
        assert_eq!(
            (refused.exit_code(), refused.to_string().as_str()),
            (2, error)
        );
    }

    // What a run sets is forgotten with it, and read again when it has changed.
    runs[0]
        .write_strategy("name = \"Run 0\"\n[market]\nmodel = \"gbm\"\n")
        .unwrap();
    let mut metrics = runs[0].metrics().unwrap();
    metrics.name = "changed".into();
    runs[0].write_metrics(&metrics).unwrap();
    assert_eq!((count("model = gbm"), count("model = heston")), (1, 19));
    index.delete(runs[0].id()).unwrap();
    assert_eq!(count("model = gbm"), 0);
}

/// Runs beside each other have the keys in which they differ, and no other; runs without results are not among them.
#[test]
fn a_sweep_has_the_keys_that_differ() {
    let root = Scratch::new("index-sweep");
    let runs = many(root.path());
    let index = open(root.path());
    let sweep = index.sweep(&Filter::default(), 100).unwrap();
    assert_eq!(
        sweep.keys,
        [
            "costs.proportional",
            "evaluation.hedges",
            "name",
            "training.steps"
        ]
    );
    assert_eq!(sweep.runs.len(), 16);
    let (entry, values) = &sweep.runs[0];
    assert_eq!(entry.id, runs[18].id());
    assert_eq!(
        values[3].as_ref().and_then(|value| value.number),
        Some(100.0)
    );
    let filter = Filter {
        search: Some("steps = 100, hedges = naked".into()),
        ..Filter::default()
    };
    let narrow = index.sweep(&filter, 100).unwrap();
    assert_eq!(narrow.keys, ["costs.proportional", "name"]);
    assert_eq!(index.sweep(&Filter::default(), 3).unwrap().runs.len(), 3);
}
