use super::*;
use crate::runs::fixture::Scratch;
use crate::runs::store;

fn step(strategy: &str, number: usize, validated: bool) -> Event {
    Event::Step {
        strategy: strategy.into(),
        seed: 1,
        done: 0.5,
        point: TrainingPoint {
            step: number,
            seconds: number as f64,
            risk: f64::NAN,
            validation_risk: validated.then_some(1.0),
            validation_standard_error: None,
            statistics: serde_json::Map::new(),
        },
        paths_per_second: 10.0,
        validation: validated.then(|| ValidationSummary::new(1.0, &[1.0, 2.0], &[0.5, 0.5])),
    }
}

fn begin(strategy: &str, from: usize) -> Event {
    Event::Training {
        strategy: strategy.into(),
        seed: 1,
        from,
        steps: Some(10),
        paths: 4,
    }
}

fn bytes(events: &[Event]) -> Vec<u8> {
    let lines = events
        .iter()
        .map(|event| format!("{}\n", serde_json::json!(event)));
    lines.collect::<String>().into_bytes()
}

/// A line that a killed process left torn is not read, and is gone once the run goes on; whole lines stay.
#[test]
fn torn_lines_are_dropped() {
    let root = Scratch::new("progress-torn");
    let run = store::create(root.path(), "x").unwrap();
    let path = run.path().join(PROGRESS);
    let whole = bytes(&[begin("kfac", 0), step("kfac", 0, false)]);
    let torn = [whole.as_slice(), b"{\"event\":\"st"].concat();
    fs::write(&path, &torn).unwrap();
    assert_eq!(lines_from(&path, 0, 1 << 20).unwrap(), whole);
    let mut log = ProgressLog::open(&run).unwrap();
    log.write(&Event::Finished).unwrap();
    let expected = [whole, bytes(&[Event::Finished])].concat();
    assert_eq!(lines_from(&path, 0, 1 << 20).unwrap(), expected);
    // Pieces end with lines, whatever their greatest size.
    let (mut read, mut at) = (Vec::new(), 0);
    while at < expected.len() {
        let piece = lines_from(&path, at as u64, 7).unwrap();
        assert!(piece.ends_with(b"\n"));
        at += piece.len();
        read.extend(piece);
    }
    assert_eq!(read, expected);
}

/// One process at a time carries a run out; others see that it is going, and that it is over.
#[test]
fn a_run_has_one_process() {
    let root = Scratch::new("progress-lock");
    let run = store::create(root.path(), "x").unwrap();
    assert!(!is_running(&run));
    let log = ProgressLog::open(&run).unwrap();
    assert!(is_running(&run));
    let error = ProgressLog::open(&run).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("another process is carrying it out")
    );
    assert_eq!(error.exit_code(), 2);
    drop(log);
    assert!(!is_running(&run));
}

/// Steps after the checkpoint that a training went on from do not count twice, trainings do not mix, and a long history
/// keeps its last step and its last validation.
#[test]
fn a_thinned_history_has_every_step_once() {
    let mut events = vec![begin("adam", 0), step("adam", 0, false), begin("kfac", 0)];
    events.extend((0..6).map(|number| step("kfac", number, number == 5)));
    events.push(begin("kfac", 3));
    events.extend((3..300).map(|number| step("kfac", number, number % 10 == 9)));
    let steps = |points: usize| -> Vec<(String, u64, bool)> {
        let events = thinned(&bytes(&events), points);
        let steps = events.iter().filter(|event| event["event"] == "step");
        steps
            .map(|event| {
                (
                    event["strategy"].as_str().unwrap().to_owned(),
                    event["step"].as_u64().unwrap(),
                    event["validation"]["histogram"].is_array(),
                )
            })
            .collect()
    };
    let all = steps(1000);
    let kfac: Vec<u64> = all.iter().filter(|s| s.0 == "kfac").map(|s| s.1).collect();
    assert_eq!(kfac, (0..300).collect::<Vec<_>>());
    assert_eq!(all[0], ("adam".into(), 0, false));
    let few = steps(5);
    assert_eq!(few.len(), 1 + 5 + 5);
    assert_eq!(
        few[few.len() - 2..],
        [("kfac".into(), 298, false), ("kfac".into(), 299, true)]
    );
}
