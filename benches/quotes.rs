//! Option chains read, cleaned and fitted, beside polars that only reads the same file.
//!
//! ```text
//! cargo bench --bench quotes -- make QUOTES FILE     writes a file as OptionsDX has them
//! cargo bench --bench quotes -- fit FILE             reads, cleans and fits it
//! cargo bench --bench quotes -- polars FILE          reads all its columns with polars' guesses of their types
//! ```

use chrono::Days;
use deephedge::quotes::{ChainOptions, ChainReport, Chains, QuoteSettings};
use deephedge::{contract, pricing, quotes};
use polars::prelude::{CsvReadOptions, SerReader};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

#[path = "../src/quotes/fixture.rs"]
#[allow(dead_code)]
mod fixture;

/// Strikes of an expiry, and expiries of a day.
const STRIKES: u32 = 130;
const EXPIRIES: u64 = 20;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", quotes, file] => make(quotes.parse().expect("a number of quotes"), file),
        ["fit", files @ ..] => fit(files),
        ["polars", file] => polars(file),
        _ => println!("quotes: make QUOTES FILE, fit FILE…, or polars FILE"),
    }
}

fn make(quotes: usize, file: &str) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).expect("a file to write"));
    let (mut made, mut number) = (0, 0);
    while made < quotes {
        let mut day = fixture::day(number);
        day.half_spread = 0.01;
        let expiries = (1..=EXPIRIES).map(|j| day.date + Days::new(7 * j + j * j));
        let rows: Vec<_> = expiries
            .flat_map(|e| day.expiry(e, STRIKES, false))
            .collect();
        let text = fixture::options_dx(&rows);
        let (header, rest) = text.split_once('\n').expect("a header");
        if number == 0 {
            writeln!(out, "{header}").expect("room on the disk");
        }
        out.write_all(rest.as_bytes()).expect("room on the disk");
        made += 2 * rows.len();
        number += 1;
    }
    println!("{made} quotes of {number} days");
}

fn fit(files: &[&str]) {
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let start = Instant::now();
    let chains = Chains::load(&files, &ChainOptions::default()).expect("a chain");
    let read = start.elapsed().as_secs_f64();
    let report = ChainReport::of(chains, &QuoteSettings::default()).expect("settings");
    let all = start.elapsed().as_secs_f64();
    println!(
        "{} quotes, {} fitted on {} days, rmse {:.2e} points; read {read:.1} s, cleaned and fitted {:.1} s, in all {all:.1} s; peak {} MB",
        report.read,
        report.residuals.points,
        report.fitted().count(),
        report.residuals.root_mean_square(),
        all - read,
        peak()
    );
}

fn polars(file: &str) {
    let start = Instant::now();
    let reader = CsvReadOptions::default().try_into_reader_with_file_path(Some(file.into()));
    let frame = reader.and_then(SerReader::finish).expect("a table");
    println!(
        "{} rows, {} columns in {:.1} s; peak {} MB",
        frame.height(),
        frame.width(),
        start.elapsed().as_secs_f64(),
        peak()
    );
}

/// The most memory that the process has held, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1000
}
