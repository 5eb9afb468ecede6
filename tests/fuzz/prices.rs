//! Price files that are almost right.

use super::mutation::{EXTREMES, Random, damage};
use super::write;
use std::fmt::Write as _;
use std::path::Path;

/// 400 closes of the shipped index with open, high and low.
const PARQUET: &[u8] = include_bytes!("prices.parquet");

const STRATEGY: &str = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 5\n\
                        [evaluation]\npaths = 256\n[backtest]\ndata = \"none.csv\"\nparameters = \"strategy\"\n";

const CELLS: [&str; 24] = [
    "",
    " ",
    "NaN",
    "-",
    "null",
    "#N/A",
    "1,234.5",
    "1.234,5",
    "$100",
    "100%",
    "(5)",
    "١٢٣",
    "2020-13-45",
    "02/30/2001",
    "1/2/3",
    "20180102",
    "1514764800",
    "43101",
    "2018-01-02T00:00:00+09:00",
    "\"",
    "\"\"\"",
    "a;b",
    "a\tb",
    "=1+1",
];
const HEADS: [&str; 14] = [
    "Date",
    "Close",
    "date",
    "close",
    "Adj Close",
    "Price",
    "Open",
    "High",
    "Low",
    "Volume",
    "VIX",
    "variance",
    "",
    "Ticker",
];

/// Rows of a table of prices, the names first.
fn table(checkout: &Path, random: &mut Random) -> Vec<Vec<String>> {
    let file = random.one(&["sp500_daily.csv", "sp500_daily.csv", "vix_daily.csv"]);
    let path = checkout.join("market_data").join(file);
    let text = std::fs::read_to_string(path).expect("a shipped price file");
    let rows = 2 + random.below(400);
    let cells = |line: &str| line.split(',').map(str::to_owned).collect();
    text.lines().take(rows).map(cells).collect()
}

/// Damages a table in one of the ways in which tables are damaged.
pub fn change(rows: &mut Vec<Vec<String>>, random: &mut Random) {
    if rows.is_empty() {
        return;
    }
    let at = random.below(rows.len());
    let columns = rows[at].len().max(1);
    let column = random.below(columns);
    match random.below(10) {
        0..=2 => {
            let cell = match random.below(3) {
                0 => random.one(&EXTREMES).to_string(),
                1 => random.one(&CELLS).to_string(),
                _ => random
                    .one(&["9", "x", "\u{1b}[2J", "é"])
                    .repeat(1 << random.below(14)),
            };
            match rows[at].get_mut(column) {
                Some(place) => *place = cell,
                None => rows[at].push(cell),
            }
        }
        3 => drop(rows.remove(at)),
        4 => rows.insert(at, rows[at].clone()),
        5 => {
            let to = random.below(rows.len());
            rows.swap(at, to);
        }
        6 => {
            for row in rows.iter_mut().filter(|row| column < row.len()) {
                row.remove(column);
            }
        }
        7 => {
            if let Some(head) = rows[0].get_mut(column) {
                *head = random.one(&HEADS).to_string();
            }
        }
        8 => {
            // A whole column scaled: prices of another size, or volatilities in another unit.
            let factor: f64 = random.one(&EXTREMES).parse().unwrap_or(1.0);
            for row in rows.iter_mut().skip(1) {
                if let Some(cell) = row.get_mut(column)
                    && let Ok(number) = cell.parse::<f64>()
                {
                    *cell = (number * factor).to_string();
                }
            }
        }
        _ => {
            // The same price for a while.
            let end = (at + 1 + random.below(60)).min(rows.len());
            let halted = rows[at].get(column).cloned().unwrap_or_default();
            for row in &mut rows[at..end] {
                if let Some(cell) = row.get_mut(column) {
                    cell.clone_from(&halted);
                }
            }
        }
    }
}

/// A table as text, in one of the ways in which tables are written.
pub fn csv(rows: &[Vec<String>], random: &mut Random) -> Vec<u8> {
    let separator = *random.one(&[",", ",", ",", ",", ";", "\t", "|"]);
    let end = *random.one(&["\n", "\n", "\n", "\r\n", "\r"]);
    let mut text =
        String::from(*random.one(&["", "", "", "", "\u{feff}", "sep=;\n", "# a file\n\n"]));
    for row in rows {
        let _ = write!(text, "{}{end}", row.join(separator));
    }
    text.into_bytes()
}

/// Writes the price file of a case; the arguments that read it.
pub fn case(checkout: &Path, folder: &Path, random: &mut Random) -> Vec<String> {
    let parquet = random.chance(35);
    let (name, bytes) = if parquet {
        let mut bytes = PARQUET.to_vec();
        if random.chance(50) {
            // The description of the file stands at its end.
            let mut end = bytes.split_off(bytes.len() - bytes.len().min(1500));
            damage(&mut end, random);
            bytes.append(&mut end);
        } else {
            damage(&mut bytes, random);
        }
        ("prices.parquet", bytes)
    } else {
        let mut rows = table(checkout, random);
        for _ in 0..random.below(4) {
            change(&mut rows, random);
        }
        let mut bytes = csv(&rows, random);
        if random.chance(25) {
            damage(&mut bytes, random);
        }
        ("prices.csv", bytes)
    };
    write(&folder.join(name), &bytes);
    write(&folder.join("case.toml"), STRATEGY.as_bytes());
    let arguments: Vec<&str> = match random.below(10) {
        0..=3 => vec!["data", "check", name],
        4 => vec![
            "data",
            "check",
            name,
            "--repair",
            "blanks,prices,dates,duplicates",
        ],
        5 | 6 => vec!["calibrate", "gbm", "--history", name],
        7 => vec!["calibrate", "merton", "--history", name],
        _ => vec!["backtest", "case.toml", "--data", name],
    };
    let arguments = arguments.iter().chain(&["--json"]);
    arguments.map(|text| (*text).to_owned()).collect()
}
