//! Options sold on history see nothing of the future.

use super::*;
use chrono::Days;
use std::path::PathBuf;

/// Daily closes from 2000-01-03 on, written as CSV; removed at the end of the test.
struct Closes(PathBuf);

impl Closes {
    fn write(name: &str, close: &[f64]) -> Self {
        let path = std::env::temp_dir().join(format!(
            "deephedge-backtest-{}-{name}.csv",
            std::process::id()
        ));
        let first = NaiveDate::from_ymd_opt(2000, 1, 3).unwrap();
        let rows: Vec<String> = close
            .iter()
            .enumerate()
            .map(|(day, close)| format!("{},{close}", first + Days::new(day as u64)))
            .collect();
        std::fs::write(&path, format!("Date,Close\n{}\n", rows.join("\n"))).unwrap();
        Self(path)
    }
}

impl Drop for Closes {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// 600 closes whose volatility comes and goes.
fn closes() -> Vec<f64> {
    let mut spot = 100.0_f64;
    (0..600)
        .map(|day| {
            let t = f64::from(day);
            let volatility = 0.01 * (1.5 + (t / 40.0).sin());
            spot *= (volatility * (t * t * 0.37).sin() * 1.4).exp();
            spot
        })
        .collect()
}

fn contracts(close: &[f64], name: &str, spacing: &str, parameters: &str) -> Result<Contracts> {
    let file = Closes::write(name, close);
    let text = format!(
        "[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 2.0\ntheta = 0.04\nsigma = 0.3\nrho = -0.5\n\
         [contract]\nexpiry_days = 10\ndays_per_year = 252\n\
         [backtest]\ndata = '{}'\nstart = \"2001-02-01\"\nspacing = {spacing}\nparameters = \"{parameters}\"\n",
        file.0.display()
    );
    let plan = Plan::parse(&text, |_| {}).unwrap();
    Contracts::cut(&plan, plan.backtest.as_ref().unwrap())
}

/// Reversing and scaling the closes after day k changes nothing that was known on day k: not the parameters, nor any
/// premium, close or variance up to that day; and it does change what comes after.
#[test]
fn the_future_does_not_change_the_past() {
    let close = closes();
    for changed_from in [397, 450] {
        let mut changed = close.clone();
        changed[changed_from..].reverse();
        changed[changed_from..].iter_mut().for_each(|c| *c *= 1.3);
        for parameters in ["history", "strategy"] {
            let before = contracts(&close, "before", "\"daily\"", parameters).unwrap();
            let after = contracts(&changed, "after", "\"daily\"", parameters).unwrap();
            assert_eq!(before.market, after.market);
            assert_eq!(before.estimated, after.estimated);
            let mut differs = false;
            for contract in 0..before.sold.len() {
                let first = (before.sold[contract] - NaiveDate::from_ymd_opt(2000, 1, 3).unwrap())
                    .num_days() as usize;
                let known = changed_from.saturating_sub(first).min(11);
                let (now, then) = (before.paths.path(contract), after.paths.path(contract));
                assert_eq!(
                    now.0[..known],
                    then.0[..known],
                    "closes of contract {contract}"
                );
                assert_eq!(
                    now.1[..known],
                    then.1[..known],
                    "variance of contract {contract}"
                );
                if known > 0 {
                    assert_eq!(before.premiums[contract], after.premiums[contract]);
                }
                differs |= now.1 != then.1;
            }
            assert!(differs);
        }
    }
}

/// Contracts that follow one another share no day; daily ones are sold on every day that leaves room, and count
/// for as many fewer as live at a time.
#[test]
fn sale_dates_follow_the_spacing() {
    let close = closes();
    let apart = contracts(&close, "apart", "\"non_overlapping\"", "strategy").unwrap();
    assert_eq!(apart.overlap, 1.0);
    assert!(
        apart
            .sold
            .windows(2)
            .all(|pair| pair[1] - pair[0] == chrono::TimeDelta::days(10))
    );
    assert!(
        apart
            .sold
            .iter()
            .skip(1)
            .zip(&apart.expiry)
            .all(|(sold, expiry)| sold == expiry)
    );
    let daily = contracts(&close, "daily", "\"daily\"", "strategy").unwrap();
    assert_eq!(daily.overlap, 10.0);
    // Day 395 is the first of the test period, day 589 the last that leaves ten days.
    assert_eq!(daily.sold.len(), 590 - 395);
}

/// A test period without enough history before it is refused, naming what there is.
#[test]
fn a_period_needs_history_before_it() {
    let late: Vec<f64> = closes()[..380].to_vec();
    let error = contracts(&late, "late", "1", "history").unwrap_err();
    assert!(
        error.to_string().contains("no contract of 10 days fits"),
        "{error}"
    );
    let file = Closes::write("early", &closes());
    let text = format!(
        "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\n\
         [backtest]\ndata = '{}'\nstart = \"2000-03-01\"\n",
        file.0.display()
    );
    let plan = Plan::parse(&text, |_| {}).unwrap();
    let error = Contracts::cut(&plan, plan.backtest.as_ref().unwrap()).unwrap_err();
    let expected = "`backtest.start` must leave at least 251 closes before the first sale to estimate from, 58 lie before";
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(error.exit_code(), 2);
}
