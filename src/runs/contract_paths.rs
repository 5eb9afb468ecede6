//! Contracts on history as they were hedged, close by close: the tables `positions.parquet` of a window of a walk-forward and
//! `worst_contracts.parquet` of a run.

use super::daily::ContractDays;
use super::tables::{dates, numbers, read_dates, read_keys, read_parquet};
use crate::error::Result;
use chrono::NaiveDate;
use polars::prelude::{Column, DataFrame, DataType};
use std::path::Path;

/// The file of all contracts of a window.
pub const POSITIONS: &str = "positions.parquet";

/// The column of what the contract's P&L came to on the day, which worst contracts have beside those of
/// [`crate::backtest::Lived`].
pub const PNL: &str = "pnl";

/// One contract as one strategy hedged it, at every close from its sale to its expiry.
///
/// # Units
/// Those of [`crate::backtest::Lived`].
#[derive(Debug, Clone, PartialEq)]
pub struct ContractPath {
    /// The name of the strategy.
    pub strategy: String,
    /// The seed of the training; absent for hedges that are not trained, and where seeds are averaged.
    pub seed: Option<u64>,
    /// The days of the closes, that of the sale first.
    pub dates: Vec<NaiveDate>,
    /// Columns by their names, a number for every close.
    pub columns: Vec<(String, Vec<f64>)>,
}

impl ContractPath {
    /// A contract that lived over `dates`, with at least the day of its sale.
    pub fn new(
        strategy: &str,
        seed: Option<u64>,
        dates: Vec<NaiveDate>,
        columns: Vec<(String, Vec<f64>)>,
    ) -> Self {
        Self {
            strategy: strategy.into(),
            seed,
            dates,
            columns,
        }
    }

    /// The day of the sale.
    pub fn sold(&self) -> NaiveDate {
        self.dates[0]
    }

    /// The numbers of a column, if the contract has it.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let mut columns = self.columns.iter();
        let (_, values) = columns.find(|(column, _)| column == name)?;
        Some(values)
    }

    /// The columns whose names begin with `prefix`, by what follows it.
    pub fn columns_of<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [f64])> + 'a {
        self.columns
            .iter()
            .filter_map(move |(name, values)| Some((name.strip_prefix(prefix)?, values.as_slice())))
    }

    /// `paths` with their P&L by day, where `days` have it, averaged over the seeds of each strategy.
    pub fn worst(paths: Vec<Self>, days: &[ContractDays]) -> Vec<Self> {
        let mut averaged: Vec<(Self, f64)> = Vec::new();
        for mut path in paths {
            if let Some(pnl) = path.pnl_of(days) {
                path.columns.push((PNL.into(), pnl));
            }
            let is = |(known, _): &&mut (Self, f64)| {
                known.strategy == path.strategy && known.sold() == path.sold()
            };
            match averaged.iter_mut().find(is) {
                None => averaged.push((Self { seed: None, ..path }, 1.0)),
                Some((mean, count)) => {
                    *count += 1.0;
                    for ((_, mean), (_, values)) in mean.columns.iter_mut().zip(&path.columns) {
                        for (mean, value) in mean.iter_mut().zip(values) {
                            *mean += (value - *mean) / *count;
                        }
                    }
                }
            }
        }
        averaged.into_iter().map(|(path, _)| path).collect()
    }

    /// Its P&L on every day of its life in a table of these.
    fn pnl_of(&self, days: &[ContractDays]) -> Option<Vec<f64>> {
        let mut books = days.iter();
        let book = books.find(|book| book.strategy == self.strategy && book.seed == self.seed)?;
        let first = book.sold.iter().position(|sold| *sold == self.sold())?;
        let own = first..first + self.dates.len();
        (book.date.get(own.clone())? == self.dates).then(|| book.pnl[own].to_vec())
    }

    /// Columns strategy, seed, sold, date and those of the contracts, not a number where a contract lacks one.
    ///
    /// # Errors
    /// [`crate::Error::Computation`] if polars fails.
    pub fn to_frame(paths: &[Self]) -> Result<DataFrame> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in paths.iter().flat_map(|path| &path.columns) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let closes = |path: &Self| path.dates.len();
        let rows: usize = paths.iter().map(closes).sum();
        let mut strategy: Vec<&str> = Vec::with_capacity(rows);
        let (mut seed, mut sold) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for path in paths {
            strategy.extend(std::iter::repeat_n(path.strategy.as_str(), closes(path)));
            seed.extend(std::iter::repeat_n(path.seed, closes(path)));
            sold.extend(std::iter::repeat_n(path.sold(), closes(path)));
        }
        let mut columns = vec![
            Column::new("strategy".into(), strategy),
            Column::new("seed".into(), seed),
            dates("sold", std::iter::once(&sold))?,
            dates("date", paths.iter().map(|path| &path.dates))?,
        ];
        for name in names {
            let mut all: Vec<f64> = Vec::with_capacity(rows);
            for path in paths {
                match path.column(name) {
                    Some(values) => all.extend(values),
                    None => all.extend(std::iter::repeat_n(f64::NAN, closes(path))),
                }
            }
            columns.push(Column::new(name.into(), all));
        }
        Ok(DataFrame::new_infer_height(columns)?)
    }

    /// The contracts of a file written from [`Self::to_frame`] that were sold on days that `wanted` takes.
    ///
    /// # Errors
    /// [`crate::Error::Input`] naming the file if it is damaged.
    pub fn read(path: &Path, wanted: impl Fn(NaiveDate) -> bool) -> Result<Vec<Self>> {
        let frame = read_parquet(path)?;
        let keys = read_keys(path, &frame)?;
        let (sold, date) = (
            read_dates(path, &frame, "sold")?,
            read_dates(path, &frame, "date")?,
        );
        let own = frame.columns().iter();
        let own = own.filter(|column| *column.dtype() == DataType::Float64);
        let own = own.map(|column| {
            let name = column.name().as_str();
            Ok((name.to_owned(), numbers(path, &frame, name)?))
        });
        let all = own.collect::<Result<Vec<_>>>()?;
        let mut paths: Vec<Self> = Vec::new();
        let mut of: Option<(usize, NaiveDate)> = None;
        for row in (0..sold.len()).filter(|&row| wanted(sold[row])) {
            // The closes of a contract follow each other.
            let goes_on = of.is_some_and(|(first, sale)| {
                sale == sold[row] && keys[first] == keys[row] && date[row] > date[first]
            });
            if !goes_on {
                of = Some((row, sold[row]));
                let (strategy, seed) = &keys[row];
                let empty = all.iter().map(|(name, _)| (name.clone(), Vec::new()));
                paths.push(Self::new(strategy, *seed, Vec::new(), empty.collect()));
            }
            if let Some(path) = paths.last_mut() {
                path.dates.push(date[row]);
                for ((_, values), (_, column)) in path.columns.iter_mut().zip(&all) {
                    values.push(column[row]);
                }
            }
        }
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture::Scratch;
    use crate::runs::parquet::write_parquet;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 5, day).unwrap()
    }

    fn path(seed: Option<u64>, first: u32, held: [f64; 3]) -> ContractPath {
        let dates = (first..first + 3).map(day).collect();
        let columns = vec![("position_spot".to_owned(), held.to_vec())];
        ContractPath::new("adam", seed, dates, columns)
    }

    /// What is written is read again, of the wanted sales alone, and the mean of two seeds by hand is that of positions and of P&L.
    #[test]
    fn seeds_are_averaged_and_files_read_again() {
        let paths = [
            path(Some(1), 2, [1.0, 2.0, 0.0]),
            path(Some(1), 9, [3.0, 4.0, 0.0]),
            path(Some(2), 2, [2.0, 4.0, 0.0]),
        ];
        let scratch = Scratch::new("contract-paths");
        std::fs::create_dir_all(scratch.path()).unwrap();
        let file = scratch.path().join(POSITIONS);
        write_parquet(&file, ContractPath::to_frame(&paths).unwrap()).unwrap();
        assert_eq!(ContractPath::read(&file, |_| true).unwrap(), paths);
        let wanted = ContractPath::read(&file, |sold| sold == day(2)).unwrap();
        assert_eq!(wanted, [paths[0].clone(), paths[2].clone()]);

        let days = |seed, pnl: [f64; 3]| {
            let lives = [(2..5).map(day).collect::<Vec<_>>()];
            ContractDays::new("adam", Some(seed), &lives, &[pnl.to_vec()])
        };
        let days = [days(1, [1.0, -1.0, 0.5]), days(2, [3.0, -1.0, 1.5])];
        let worst = ContractPath::worst(wanted, &days);
        assert_eq!((worst.len(), worst[0].seed), (1, None));
        assert_eq!(worst[0].column("position_spot").unwrap(), [1.5, 3.0, 0.0]);
        assert_eq!(worst[0].column(PNL).unwrap(), [2.0, -1.0, 1.0]);
    }

    /// Without days there is no P&L, and a column that one contract lacks is not a number.
    #[test]
    fn what_is_lacking_is_no_number() {
        let mut other = path(None, 9, [1.0, 1.0, 0.0]);
        other.columns.push(("strike".into(), vec![100.0; 3]));
        let paths = ContractPath::worst(vec![path(None, 2, [1.0; 3]), other], &[]);
        assert!(paths.iter().all(|path| path.column(PNL).is_none()));
        let frame = ContractPath::to_frame(&paths).unwrap();
        let strikes = frame.column("strike").unwrap().f64().unwrap().clone();
        assert!(strikes.get(2).unwrap().is_nan() && strikes.get(3) == Some(100.0));
    }
}
