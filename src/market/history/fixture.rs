//! Made-up histories for tests.

use chrono::{Days, NaiveDate};
use std::path::{Path, PathBuf};

/// A folder in the temporary one that is removed at the end of the test.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let name = format!("deephedge-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// So many daily closes, whose volatility comes and goes.
pub fn closes(days: u32) -> Vec<f64> {
    let mut spot = 100.0_f64;
    (0..days)
        .map(|day| {
            let t = f64::from(day);
            let volatility = 0.01 * (1.5 + (t / 40.0).sin());
            spot *= (volatility * (t * t * 0.37).sin() * 1.4).exp();
            spot
        })
        .collect()
}

/// Day number `number` of a made-up history, the first of which is 2000-01-03.
pub fn day(number: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 3).unwrap() + Days::new(number as u64)
}

/// Writes one close a day as CSV into `folder`.
pub fn write(folder: &Path, closes: &[f64]) -> PathBuf {
    let path = folder.join("closes.csv");
    let rows = closes.iter().enumerate();
    let rows = rows.map(|(number, close)| format!("{},{close}\n", day(number)));
    std::fs::write(&path, format!("Date,Close\n{}", rows.collect::<String>())).unwrap();
    path
}
