use super::*;
use crate::runs::fixture::{self, Scratch};
use crate::runs::queue::JobState;
use serde_json::json;

fn summary(metrics: &Metrics) -> Value {
    json!({ "seeds": metrics.seeds })
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
