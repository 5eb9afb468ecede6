//! Strategies that are almost those of the checkout.

use super::mutation::{EXTREMES, Random, damage};
use super::write;
use std::path::Path;

const SHIPPED: [&str; 6] = [
    "gbm_call",
    "heston_call",
    "heston_straddle_options",
    "heston_variance_swap",
    "merton_straddle",
    "sp500_walk_forward",
];

/// Sections and keys with which a valid strategy takes little time.
static CHEAP: [(&str, &[(&str, &str)]); 4] = [
    ("policy", &[("hidden", "4")]),
    (
        "training",
        &[("steps", "2"), ("paths", "64"), ("validation_paths", "64")],
    ),
    ("evaluation", &[("paths", "256")]),
    ("walk_forward", &[("seeds", "1")]),
];

/// Keys that decide how long a valid strategy takes: they become very small or absurd.
const SIZES: [&str; 14] = [
    "steps",
    "paths",
    "hidden",
    "layers",
    "lengths",
    "validation_paths",
    "expiry_days",
    "seeds",
    "curvature_paths",
    "radius_paths",
    "relative_steps",
    "days_per_year",
    "years",
    "months",
];
const SIZES_OF: [&str; 12] = [
    "0",
    "-1",
    "1",
    "2",
    "3",
    "0.5",
    "1e-300",
    "1e18",
    "1e300",
    "nan",
    "inf",
    "9223372036854775807",
];
/// Values of other types.
const ODD: [&str; 11] = [
    "true",
    "\"\"",
    "\"text\"",
    "[]",
    "{}",
    "[1, 2]",
    "{ moneyness = nan }",
    "{ delta = 0.5 }",
    "1979-05-27",
    "\"2004-01-01\"",
    "\"\\u001b[2J\\u202e\"",
];

/// A shipped strategy made cheap, with absolute paths.
fn shipped(checkout: &Path, name: &str) -> Vec<String> {
    let path = checkout.join("strategies").join(format!("{name}.toml"));
    let text = std::fs::read_to_string(path).expect("a shipped strategy");
    let data = checkout.join("market_data").display().to_string();
    let text = text.replace("../market_data", &data);
    let mut section = String::new();
    let mut lines: Vec<String> = Vec::new();
    let cheap = |section: &str| CHEAP.iter().find(|(name, _)| *name == section);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            lines.push(line.to_owned());
            let keys = cheap(&section).map_or(&[][..], |(_, keys)| *keys);
            lines.extend(keys.iter().map(|(key, value)| format!("{key} = {value}")));
            continue;
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        let again = cheap(&section).is_some_and(|(_, keys)| keys.iter().any(|(k, _)| *k == key));
        let long = section.starts_with("optimizers") && SIZES.contains(&key);
        if !again && !long && !line.starts_with('#') {
            lines.push(line.to_owned());
        }
    }
    for (name, keys) in CHEAP.iter().filter(|(name, _)| *name != "walk_forward") {
        if !lines.iter().any(|line| *line == format!("[{name}]")) {
            lines.push(format!("[{name}]"));
            lines.extend(keys.iter().map(|(key, value)| format!("{key} = {value}")));
        }
    }
    lines
}

/// Writes the strategy of a case; the arguments that run it.
pub fn case(checkout: &Path, folder: &Path, random: &mut Random) -> Vec<String> {
    let mut lines = shipped(checkout, random.one::<&str>(&SHIPPED));
    for _ in 0..1 + random.below(3) {
        change(&mut lines, checkout, random);
    }
    let mut bytes = lines.join("\n").into_bytes();
    if random.chance(15) {
        damage(&mut bytes, random);
    }
    write(&folder.join("case.toml"), &bytes);
    let arguments: &[&str] = match random.below(8) {
        0..=2 => &["price", "case.toml"],
        3 | 4 => &["compare", "case.toml", "--steps", "2"],
        5 => &["train", "case.toml", "--steps", "2"],
        6 => &[
            "simulate",
            "case.toml",
            "--paths",
            "64",
            "--out",
            "paths.parquet",
        ],
        _ => &["backtest", "case.toml"],
    };
    let arguments = arguments.iter().chain(&["--json"]);
    arguments.map(|text| (*text).to_owned()).collect()
}

fn change(lines: &mut Vec<String>, checkout: &Path, random: &mut Random) {
    if lines.is_empty() {
        return;
    }
    let at = random.below(lines.len());
    let (key, value) = match lines[at].split_once('=') {
        Some((key, value)) => (key.trim().to_owned(), value.trim().to_owned()),
        None => (String::new(), String::new()),
    };
    let number = value.parse::<f64>().is_ok();
    match random.below(12) {
        // Most of the time, a number becomes another one.
        0..=4 if number && SIZES.contains(&key.as_str()) => {
            lines[at] = format!("{key} = {}", random.one(&SIZES_OF));
        }
        0..=4 if number => lines[at] = format!("{key} = {}", random.one(&EXTREMES)),
        0..=5 if !key.is_empty() => lines[at] = format!("{key} = {}", random.one(&ODD)),
        6 => drop(lines.remove(at)),
        7 => lines.insert(at, lines[at].clone()),
        8 if !key.is_empty() => {
            let cut = random.below(key.len().max(1));
            let renamed: String = key.chars().take(cut).collect();
            lines[at] = format!("{renamed} = {value}");
        }
        9 => {
            // A line of another strategy, here.
            let other = shipped(checkout, random.one::<&str>(&SHIPPED));
            let line = random.one(&other).clone();
            lines.insert(at, line);
        }
        10 => {
            let to = random.below(lines.len());
            lines.swap(at, to);
        }
        _ => {
            let long = random
                .one(&["x", "1", "[", "\"", "é"])
                .repeat(1 << random.below(14));
            lines[at] = format!("{key} = {long}");
        }
    }
}
