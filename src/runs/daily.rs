//! The P&L of contracts sold on history by day: of every contract, and of the book of all of them.

use super::tables::{
    Keys, Places, concatenated, dates, integers, numbers, read_dates, read_keys, read_parquet,
};
use crate::error::Result;
use chrono::NaiveDate;
use polars::prelude::{Column, DataFrame, DataType};
use std::collections::BTreeMap;
use std::path::Path;

/// The P&L of every contract of one strategy, trained with one seed, on every day of its life; the days of a contract follow each other.
///
/// # Units
/// Those of [`crate::risk::Row`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContractDays {
    /// The name of the strategy.
    pub strategy: String,
    /// The seed of the training; absent for hedges that are not trained.
    pub seed: Option<u64>,
    /// The day on which the contract was sold.
    pub sold: Vec<NaiveDate>,
    /// The day.
    pub date: Vec<NaiveDate>,
    /// What the P&L of the contract came to on the day.
    pub pnl: Vec<f64>,
}

impl ContractDays {
    /// The contracts that lived over `days`, with their P&L on each.
    pub fn new(
        strategy: &str,
        seed: Option<u64>,
        days: &[Vec<NaiveDate>],
        pnl: &[Vec<f64>],
    ) -> Self {
        let lives = || days.iter().zip(pnl);
        let rows = |(days, pnl): (&Vec<NaiveDate>, &Vec<f64>)| days.len().min(pnl.len());
        let sold = lives().flat_map(|life| std::iter::repeat_n(life.0[0], rows(life)));
        let date = lives().flat_map(|life| life.0[..rows(life)].iter().copied());
        Self {
            strategy: strategy.into(),
            seed,
            sold: sold.collect(),
            date: date.collect(),
            pnl: lives().flat_map(|(_, pnl)| pnl.iter().copied()).collect(),
        }
    }

    /// Columns strategy, seed, sold, date, pnl.
    ///
    /// # Errors
    /// [`crate::Error::Computation`] if polars fails.
    pub fn to_frame(books: &[Self]) -> Result<DataFrame> {
        let mut keys = Keys::default();
        for book in books {
            keys.extend(&book.strategy, book.seed, book.pnl.len());
        }
        let [strategy, seed] = keys.into_columns();
        Ok(DataFrame::new_infer_height(vec![
            strategy,
            seed,
            dates("sold", books.iter().map(|book| &book.sold))?,
            dates("date", books.iter().map(|book| &book.date))?,
            concatenated("pnl", books.iter().map(|book| &book.pnl)),
        ])?)
    }

    /// Reads a file written from [`Self::to_frame`].
    ///
    /// # Errors
    /// [`crate::Error::Input`] naming the file if it is damaged.
    pub fn read(path: &Path) -> Result<Vec<Self>> {
        let frame = read_parquet(path)?;
        let sold = read_dates(path, &frame, "sold")?;
        let date = read_dates(path, &frame, "date")?;
        let pnl = numbers(path, &frame, "pnl")?;
        let mut books: Vec<Self> = Vec::new();
        let mut place = Places::default();
        for (row, (strategy, seed)) in read_keys(path, &frame)?.into_iter().enumerate() {
            let at = place.of(&strategy, seed);
            if at == books.len() {
                books.push(Self {
                    strategy,
                    seed,
                    ..Self::default()
                });
            }
            books[at].sold.push(sold[row]);
            books[at].date.push(date[row]);
            books[at].pnl.push(pnl[row]);
        }
        Ok(books)
    }
}

/// The P&L of the book of all contracts of one strategy, trained with one seed, day by day: what it gains in the market and pays in costs, with
/// every contract at its price of the day, and what contracts bring above their price on the day of their sale.
///
/// # Units
/// Those of [`crate::risk::Row`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DailyBook {
    /// The name of the strategy.
    pub strategy: String,
    /// The seed of the training; absent for hedges that are not trained.
    pub seed: Option<u64>,
    /// The days on which a contract lives, in ascending order.
    pub date: Vec<NaiveDate>,
    /// The P&L of the day.
    pub pnl: Vec<f64>,
    /// How many contracts live on the day, those that are sold and those that expire on it among them.
    pub contracts: Vec<u32>,
}

/// The table `daily`: a book for every strategy and seed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DailyTable {
    /// A book for every strategy and seed.
    pub books: Vec<DailyBook>,
}

impl DailyTable {
    /// The books of contracts by day, of which those of one strategy and seed may stand in several parts.
    pub fn of<'a>(parts: impl Iterator<Item = &'a ContractDays>) -> Self {
        let mut places = Places::default();
        let mut sums: Vec<BTreeMap<NaiveDate, (f64, u32)>> = Vec::new();
        let mut keys: Vec<(String, Option<u64>)> = Vec::new();
        for part in parts {
            let at = places.of(&part.strategy, part.seed);
            if at == sums.len() {
                sums.push(BTreeMap::new());
                keys.push((part.strategy.clone(), part.seed));
            }
            for (date, pnl) in part.date.iter().zip(&part.pnl) {
                let (sum, count) = sums[at].entry(*date).or_default();
                *sum += pnl;
                *count += 1;
            }
        }
        let books = keys.into_iter().zip(sums);
        let books = books.map(|((strategy, seed), days)| DailyBook {
            strategy,
            seed,
            date: days.keys().copied().collect(),
            pnl: days.values().map(|day| day.0).collect(),
            contracts: days.values().map(|day| day.1).collect(),
        });
        Self {
            books: books.collect(),
        }
    }

    /// Columns strategy, seed, date, pnl, contracts.
    ///
    /// # Errors
    /// [`crate::Error::Computation`] if polars fails.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let mut keys = Keys::default();
        for book in &self.books {
            keys.extend(&book.strategy, book.seed, book.pnl.len());
        }
        let [strategy, seed] = keys.into_columns();
        let contracts = self.books.iter().flat_map(|book| &book.contracts);
        let contracts: Vec<u32> = contracts.copied().collect();
        Ok(DataFrame::new_infer_height(vec![
            strategy,
            seed,
            dates("date", self.books.iter().map(|book| &book.date))?,
            concatenated("pnl", self.books.iter().map(|book| &book.pnl)),
            Column::new("contracts".into(), contracts),
        ])?)
    }

    /// Reads a file written from [`Self::to_frame`].
    ///
    /// # Errors
    /// [`crate::Error::Input`] naming the file if it is damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let frame = read_parquet(path)?;
        let date = read_dates(path, &frame, "date")?;
        let pnl = numbers(path, &frame, "pnl")?;
        let contracts = integers(path, &frame, "contracts", &DataType::Int64)?;
        let mut books: Vec<DailyBook> = Vec::new();
        let mut place = Places::default();
        for (row, (strategy, seed)) in read_keys(path, &frame)?.into_iter().enumerate() {
            let at = place.of(&strategy, seed);
            if at == books.len() {
                books.push(DailyBook {
                    strategy,
                    seed,
                    ..DailyBook::default()
                });
            }
            books[at].date.push(date[row]);
            books[at].pnl.push(pnl[row]);
            books[at].contracts.push(contracts[row] as u32);
        }
        Ok(Self { books })
    }
}

/// A strategy with sums of its P&L through calendar time.
pub type Curve<'a> = (&'a str, Vec<(NaiveDate, f64)>);

/// At most `most` of the points, evenly spread, the first and the last among them.
pub fn thinned<T: Copy>(points: &[T], most: usize) -> Vec<T> {
    let every = points.len().div_ceil(most.max(1)).max(1);
    let last = points.len().saturating_sub(1);
    let kept = points.iter().enumerate();
    kept.filter(|(place, _)| place % every == 0 || *place == last)
        .map(|(_, point)| *point)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture::Scratch;
    use crate::runs::parquet::write_parquet;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2020, 1, number).unwrap()
    }

    /// Two contracts overlap on one day: the book has the sum there, and its days add up to the P&L of all. Both tables come back as they were
    /// written, and contracts of a strategy that stand in two parts make one book.
    #[test]
    fn the_book_adds_contracts_up_by_day() {
        let days = [vec![day(1), day(2)], vec![day(2), day(3)]];
        let pnl = [vec![1.0, -2.0], vec![0.5, 4.0]];
        let whole = ContractDays::new("kfac", Some(3), &days, &pnl);
        assert_eq!(whole.sold, [day(1), day(1), day(2), day(2)]);
        let parts = [
            ContractDays::new("kfac", Some(3), &days[..1], &pnl[..1]),
            ContractDays::new("kfac", Some(3), &days[1..], &pnl[1..]),
            // Without a price on every date there are no days.
            ContractDays::new("naked", None, &days, &[vec![], vec![]]),
        ];
        let table = DailyTable::of(parts.iter());
        assert_eq!(table.books[0].pnl, [1.0, -1.5, 4.0]);
        assert_eq!(table.books[0].contracts, [1, 2, 1]);
        assert_eq!(DailyTable::of([&whole].into_iter()).books, table.books[..1]);

        let scratch = Scratch::new("daily");
        std::fs::create_dir_all(scratch.path()).unwrap();
        let file = scratch.path().join("days.parquet");
        write_parquet(&file, ContractDays::to_frame(&parts[..1]).unwrap()).unwrap();
        assert_eq!(ContractDays::read(&file).unwrap(), parts[..1]);
        let table = DailyTable::of(parts[..2].iter());
        write_parquet(&file, table.to_frame().unwrap()).unwrap();
        assert_eq!(DailyTable::read(&file).unwrap(), table);
    }

    /// First and last point stay.
    #[test]
    fn ends_stay_where_points_are_left_out() {
        let points: Vec<usize> = (0..1001).collect();
        let kept = thinned(&points, 100);
        assert!(kept.len() <= 101 && kept[0] == 0 && kept[kept.len() - 1] == 1000);
        assert_eq!(thinned(&points[..7], 100), points[..7]);
        assert!(thinned::<usize>(&[], 100).is_empty());
    }
}
