//! Jobs whose ranks are threads of a test, and what their runs leave.

use super::message::{Assignment, Order, read_message, send_message};
use crate::distributed::{Ranks, threads};
use crate::error::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

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

/// The files that a run leaves, but for figures and the report, and but for names, times and seconds in JSON.
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    const OWN: [&str; 4] = [
        "progress.jsonl",
        "distributed.json",
        "report.html",
        "comparison.json",
    ];
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "figures" {
            let inner = contents(&path).into_iter();
            found.extend(inner.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else if path.is_file() && !OWN.contains(&name.as_str()) {
            let mut bytes = std::fs::read(&path).unwrap();
            if name.ends_with(".json") {
                let mut value = serde_json::from_slice(&bytes).unwrap();
                without_times(&mut value);
                bytes = serde_json::to_vec(&value).unwrap();
            }
            found.insert(name, bytes);
        }
    }
    found
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| !key.contains("seconds") && key != "run" && key != "created");
            map.values_mut().for_each(without_times);
        }
        Value::Array(values) => values.iter_mut().for_each(without_times),
        _ => {}
    }
}

/// Fails naming the files that differ.
pub fn assert_same(
    found: &BTreeMap<String, Vec<u8>>,
    expected: &BTreeMap<String, Vec<u8>>,
    what: &str,
) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    let differing = found
        .iter()
        .filter(|(name, bytes)| expected[*name] != **bytes);
    let differing: Vec<&String> = differing.map(|(name, _)| name).collect();
    assert!(differing.is_empty(), "{what}: {differing:?} differ");
}
