//! Books of contracts that are almost right, hedged by the policies of one small run.

use super::mutation::{Random, damage};
use super::prices::{change, csv};
use super::write;
use std::path::Path;
use std::process::Command;

const STRATEGY: &str = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 5\ndays_per_year = 252\n\
                        [policy]\nhidden = 4\n[training]\nsteps = 2\npaths = 64\nvalidation_paths = 0\n\
                        [evaluation]\npaths = 256\nhedges = [\"black_scholes\"]\n[optimizers.adam]\n";

/// Days of the shipped index on which contracts were sold.
const SOLD: [&str; 5] = [
    "2001-07-02",
    "2001-07-03",
    "2001-07-05",
    "2001-07-06",
    "2001-07-09",
];

const HEADS: [&str; 8] = [
    "id",
    "sold",
    "quantity",
    "type",
    "strike",
    "expiry",
    "held",
    "held_spot",
];

const CELLS: [&str; 14] = [
    "2001-07-04",
    "2001-07-31",
    "1999-01-04",
    "2031-01-01",
    "-262144-01-01",
    "put",
    "call",
    "0",
    "-1e300",
    "1e308",
    "inf",
    "1,5",
    "=1+1",
    "\u{1b}[2J",
];

/// Trains the policies that all cases ask.
pub fn train(binary: &Path, folder: &Path) {
    let strategy = folder.join("book.toml");
    std::fs::create_dir_all(folder).expect("the folder of cases can be written to");
    write(&strategy, STRATEGY.as_bytes());
    let trained = Command::new(binary)
        .arg("train")
        .arg(&strategy)
        .arg("--runs")
        .arg(runs(folder))
        .output()
        .expect("the program runs");
    assert!(trained.status.success(), "{trained:?}");
}

fn runs(folder: &Path) -> std::path::PathBuf {
    folder.join("book-runs")
}

fn rows(random: &mut Random) -> Vec<Vec<String>> {
    let mut rows = vec![HEADS[..7].iter().map(|head| (*head).to_owned()).collect()];
    for number in 0..1 + random.below(40) {
        let quantity = 1 + random.below(20);
        let held = match random.chance(50) {
            true => random.below(20).to_string(),
            false => String::new(),
        };
        rows.push(vec![
            number.to_string(),
            (*random.one(&SOLD)).to_owned(),
            quantity.to_string(),
            "call".to_owned(),
            String::new(),
            String::new(),
            held,
        ]);
    }
    rows
}

/// Writes the book of a case; the arguments that hedge it.
pub fn case(checkout: &Path, cases: &Path, folder: &Path, random: &mut Random) -> Vec<String> {
    let mut rows = rows(random);
    for _ in 0..random.below(3) {
        if random.chance(50) {
            change(&mut rows, random);
            continue;
        }
        let at = random.below(rows.len().max(1));
        if let Some(row) = rows.get_mut(at)
            && !row.is_empty()
        {
            let column = random.below(row.len());
            row[column] = match at {
                0 => (*random.one(&HEADS)).to_owned(),
                _ => (*random.one(&CELLS)).to_owned(),
            };
        }
    }
    let mut bytes = csv(&rows, random);
    if random.chance(15) {
        damage(&mut bytes, random);
    }
    write(&folder.join("book.csv"), &bytes);
    let prices = checkout.join("market_data/sp500_daily.csv");
    let mut arguments: Vec<String> = [
        "hedge",
        "latest",
        "book.csv",
        "--json",
        "--date",
        "2001-07-11",
    ]
    .map(str::to_owned)
    .into();
    for (option, path) in [("--data", prices), ("--runs", runs(cases))] {
        arguments.push(option.to_owned());
        arguments.push(path.display().to_string());
    }
    if random.chance(70) {
        arguments.push("--force".to_owned());
    }
    if random.chance(20) {
        arguments.push("--what-if=-5%..5%:3".to_owned());
    }
    arguments
}
