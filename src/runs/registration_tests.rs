use super::*;
use crate::market::history::fixture::Scratch;
use serde_json::json;

fn plan(steps: usize) -> StudyPlan {
    StudyPlan {
        version: "1".into(),
        strategies: vec![json!({ "name": "a", "training": { "steps": steps, "paths": 64 } })],
        data: vec![DataFile {
            name: "closes.csv".into(),
            sha256: "00".into(),
        }],
        periods: Vec::new(),
        statistics: Rules {
            statistics: vec!["cvar".into()],
            confidence: 0.95,
            bootstrap: "in two stages".into(),
            draws: 2000,
            block: 40.0,
            correction: "Holm".into(),
            choice: "least risk".into(),
        },
    }
}

/// FIPS 180-4: the SHA-256 of "abc". The hash of a plan does not depend on the order of keys, and a file is read and
/// written to the same registration.
#[test]
fn a_hash_is_that_of_the_plan_alone() {
    let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hex(&Sha256::digest(b"abc")), known);
    let mut other = plan(10);
    other.strategies = vec![json!({ "training": { "paths": 64, "steps": 10 }, "name": "a" })];
    assert_eq!(plan(10).sha256(), other.sha256());
    assert_ne!(plan(10).sha256(), plan(11).sha256());
    let scratch = Scratch::new("registration");
    let path = scratch.0.join("plan.json");
    let registration = Registration::new(plan(10));
    std::fs::write(&path, registration.to_bytes().unwrap()).unwrap();
    assert_eq!(Registration::read(&path).unwrap(), registration);
    registration.covers(&other).unwrap();
}

/// Another plan is refused in one line that names the key, and so is a file whose plan was edited.
#[test]
fn another_plan_is_refused() {
    let registration = Registration::new(plan(10));
    let why = registration.covers(&plan(20)).unwrap_err().to_string();
    let expected = "the plan is not the registered one: `plan.strategies[0].training.steps` is 20, registered was 10";
    assert_eq!(why, expected);
    let why = registration.covers_one(&plan(20)).unwrap_err().to_string();
    assert!(why.ends_with("steps` is 20, registered was 10"), "{why}");
    let mut elsewhere = plan(10);
    elsewhere.data[0].sha256 = "01".into();
    let why = registration.covers_one(&elsewhere).unwrap_err().to_string();
    assert!(why.ends_with("`closes.csv` has other contents"), "{why}");
    let scratch = Scratch::new("registration-edited");
    let path = scratch.0.join("plan.json");
    let text = String::from_utf8(registration.to_bytes().unwrap()).unwrap();
    std::fs::write(&path, text.replace("\"steps\": 10", "\"steps\": 20")).unwrap();
    let why = Registration::read(&path).unwrap_err().to_string();
    assert!(why.contains("the plan was changed"), "{why}");
}

/// The paths of files give way to their names and hashes, whatever key has them.
#[test]
fn a_plan_names_files_without_their_folders() {
    let scratch = Scratch::new("registration-files");
    let path = scratch.0.join("closes.csv");
    std::fs::write(&path, "abc").unwrap();
    let text = format!(
        "name = \"a\"\n[backtest]\ndata = ['{0}']\nsurface = '{0}'\nstart = \"2004-01-01\"",
        path.display()
    );
    let (value, files) = portable(&text.parse().unwrap()).unwrap();
    assert_eq!(value["backtest"]["data"], json!(["closes.csv"]));
    assert_eq!(value["backtest"]["surface"], "closes.csv");
    assert_eq!(files.len(), 2);
    assert!(files[0].sha256.starts_with("ba7816bf"));
}
