use crate::error::{Error, Result};
use chrono::NaiveDate;
use polars::prelude::{CsvReadOptions, SerReader};
use std::path::Path;

/// Daily closes, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub dates: Vec<NaiveDate>,
    pub close: Vec<f64>,
}

const DATE_NAMES: [&str; 4] = ["date", "timestamp", "datetime", "time"];
const CLOSE_NAMES: [&str; 5] = ["close", "adj close", "adj_close", "adjusted_close", "price"];

impl History {
    /// Reads a CSV file with a date and a close column, in any order and among others, by their common
    /// names. Dates are `2018-12-31` or `12/31/2018`, with or without a time of day.
    ///
    /// # Errors
    /// If the file cannot be read or a column is missing; if a date cannot be read, stands twice or is earlier than
    /// the one before; if a close is missing, not a number or not positive. Rows are counted from 1.
    pub fn load(path: &Path) -> Result<Self> {
        let fail = |message: String| Error::input(format!("{}: {message}", path.display()));
        if !path.is_file() {
            return Err(fail("no such file".into()));
        }
        // Text columns: closes are then parsed to the nearest double, and every bad cell can be named.
        let table = CsvReadOptions::default()
            .with_has_header(true)
            .with_infer_schema_length(Some(0))
            .try_into_reader_with_file_path(Some(path.to_path_buf()))
            .and_then(|reader| reader.finish())
            .map_err(|error| {
                fail(
                    error
                        .to_string()
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .to_string(),
                )
            })?;
        let names: Vec<String> = table
            .get_column_names()
            .iter()
            .map(|name| name.to_string())
            .collect();
        let find = |what: &str, wanted: &[&str]| {
            wanted
                .iter()
                .find_map(|wanted| {
                    names
                        .iter()
                        .find(|name| name.trim().eq_ignore_ascii_case(wanted))
                })
                .ok_or_else(|| fail(format!("no {what} column among: {}", names.join(", "))))
        };
        let (date_name, close_name) = (find("date", &DATE_NAMES)?, find("close", &CLOSE_NAMES)?);
        let (date_column, close_column) = (
            table.column(date_name)?.str()?,
            table.column(close_name)?.str()?,
        );
        let (mut dates, mut close) = (Vec::new(), Vec::new());
        for (index, (date, price)) in date_column.iter().zip(close_column.iter()).enumerate() {
            let row = index + 1;
            let (date, price) = (
                date.unwrap_or_default().trim(),
                price.unwrap_or_default().trim(),
            );
            let cell = |name: &str, value: &str, bound: &str| {
                fail(format!(
                    "row {row}, column `{name}`: must be {bound}, was \"{value}\""
                ))
            };
            let day = parse_date(date).ok_or_else(|| cell(date_name, date, "a date"))?;
            let value = price
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite() && *value > 0.0)
                .ok_or_else(|| cell(close_name, price, "a positive number"))?;
            if let Some(&last) = dates.last()
                && day <= last
            {
                return Err(cell(
                    date_name,
                    date,
                    &format!("later than the date before, {last}"),
                ));
            }
            dates.push(day);
            close.push(value);
        }
        if close.len() < 2 {
            return Err(fail(format!(
                "must have at least 2 rows, was {}",
                close.len()
            )));
        }
        Ok(Self { dates, close })
    }

    /// Index of the first date that is not before `date`; the number of dates if there is none.
    pub fn index_from(&self, date: NaiveDate) -> usize {
        self.dates.partition_point(|d| *d < date)
    }

    /// ln(c_{t+1}/c_t), one fewer than closes.
    pub fn log_returns(&self) -> Vec<f64> {
        self.close
            .windows(2)
            .map(|pair| (pair[1] / pair[0]).ln())
            .collect()
    }

    /// Exponentially weighted variance of daily log-returns, annualised: v_t = λ v_{t−1} + (1 − λ) r_t² · `days_per_year`
    /// with λ = 0.94. Entry t uses the closes up to t and no later one; the first entries carry the mean of the first
    /// month.
    ///
    /// # References
    /// J. P. Morgan/Reuters (1996), "RiskMetrics — Technical Document", section 5.3.
    pub fn weighted_variance(&self, days_per_year: f64) -> Vec<f64> {
        const DECAY: f64 = 0.94;
        const START: usize = 21;
        let squares: Vec<f64> = self
            .close
            .windows(2)
            .map(|pair| (pair[1] / pair[0]).ln().powi(2) * days_per_year)
            .collect();
        let start = &squares[..START.min(squares.len())];
        let mut variance = start.iter().sum::<f64>() / start.len() as f64;
        let mut result = vec![variance];
        for (t, square) in squares.iter().enumerate() {
            if t >= start.len() {
                variance = DECAY * variance + (1.0 - DECAY) * square;
            }
            result.push(variance);
        }
        result
    }
}

/// Reads `2018-12-31` or `12/31/2018`, ignoring a time of day.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let day = text.split([' ', 'T']).next()?;
    ["%Y-%m-%d", "%m/%d/%Y"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(day, format).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!(
            "deephedge-history-{}-{name}.csv",
            std::process::id()
        ));
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn shipped_index_history() {
        let history = History::load(Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/market_data/sp500_daily.csv"
        )))
        .unwrap();
        assert_eq!(history.close.len(), 5031);
        assert_eq!(
            (history.dates[0], history.close[0]),
            (parse_date("1999-01-04").unwrap(), 1228.099976)
        );
        assert_eq!(
            (history.dates[5030], history.close[5030]),
            (parse_date("2018-12-31").unwrap(), 2506.850098)
        );
    }

    #[test]
    fn columns_in_any_order_and_both_kinds_of_dates() {
        let path = file(
            "order",
            "Volume,CLOSE,Timestamp\n1,10.5,2020-01-02 16:00\n2,11,1/3/2020\n",
        );
        let history = History::load(&path).unwrap();
        assert_eq!(history.close, [10.5, 11.0]);
        assert_eq!(history.dates[1], parse_date("2020-01-03").unwrap());
    }

    #[test]
    fn bad_tables_are_refused_by_row_and_column() {
        for (name, text, expected) in [
            (
                "column",
                "Date,Open\n2020-01-02,1\n",
                "no close column among: Date, Open",
            ),
            (
                "blank",
                "Date,Close\n2020-01-02,1\n2020-01-03,\n",
                "row 2, column `Close`: must be a positive number",
            ),
            (
                "nan",
                "Date,Close\n2020-01-02,NaN\n",
                "row 1, column `Close`",
            ),
            ("zero", "Date,Close\n2020-01-02,0\n", "was \"0\""),
            (
                "unsorted",
                "Date,Close\n2020-01-03,1\n2020-01-02,1\n",
                "must be later than the date before, 2020-01-03",
            ),
            (
                "twice",
                "Date,Close\n2020-01-03,1\n2020-01-03,1\n",
                "row 2, column `Date`",
            ),
            (
                "date",
                "Date,Close\nyesterday,1\n",
                "must be a date, was \"yesterday\"",
            ),
            (
                "short",
                "Date,Close\n2020-01-03,1\n",
                "at least 2 rows, was 1",
            ),
        ] {
            let error = History::load(&file(name, text)).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(expected), "{name}: {error}");
        }
        assert!(
            History::load(Path::new("no/file.csv"))
                .unwrap_err()
                .to_string()
                .contains("no such file")
        );
    }

    /// No look-ahead: changing the closes after t changes no variance up to t.
    #[test]
    fn variance_does_not_see_the_future() {
        let dates: Vec<NaiveDate> = parse_date("2020-01-01")
            .unwrap()
            .iter_days()
            .take(200)
            .collect();
        let close: Vec<f64> = (0..200)
            .map(|i| 100.0 + (f64::from(i) * 0.7).sin())
            .collect();
        let history = History { dates, close };
        let mut changed = history.clone();
        changed.close[121..].reverse();
        changed.close[150] *= 3.0;
        assert_eq!(
            history.weighted_variance(252.0)[..=120],
            changed.weighted_variance(252.0)[..=120]
        );
        assert_ne!(
            history.weighted_variance(252.0)[151],
            changed.weighted_variance(252.0)[151]
        );
    }
}
