//! What runs leave, compared byte for byte: by the tests of ranks that are threads, and of ranks under `mpirun`.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

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
