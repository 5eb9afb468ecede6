//! A book of contracts as a table file: a row for each contract, a column for each of its keys.

use super::file::Strategy;
use crate::error::{Error, Result, excerpt};
use crate::market::history::Head;
use std::path::Path;

/// The most contracts of a book.
const MOST: usize = 1000;
/// The columns by which a file is known to be a book.
const MARKS: [&str; 2] = ["type", "quantity"];
/// The column of the days from the sale to the expiry of each contract.
const EXPIRY: &str = "expiry_days";

/// Contracts that are sold together, as `contract.legs` has them.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    /// The contracts: `type`, `quantity` and what else the type has.
    pub legs: Vec<toml::Table>,
    /// Days from the sale to the last expiry.
    pub expiry_days: f64,
}

impl Book {
    /// The book in a file; nothing if the file has no columns `type` and `quantity`. Names of columns are keys of `contract.legs`, in
    /// whatever case and with blanks for underscores; a cell is a number, a word, or a table or list of TOML such as
    /// `{ moneyness = 1.05 }`; a blank one leaves its key out.
    ///
    /// # Errors
    /// [`Error::Input`] naming the file: what is no table, a Parquet file, no column of expiries or none in it, too many rows; what is
    /// wrong with a contract, by its key and its place in the list from 0.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let head = Head::read(path, MOST + 1)?;
        let keys: Vec<String> = head.names.iter().map(|name| key(name)).collect();
        if !MARKS.iter().all(|mark| keys.iter().any(|key| key == mark)) {
            return Ok(None);
        }
        let place = path.display().to_string();
        Self::of(&keys, &head.rows)
            .map(Some)
            .map_err(|error| error.at(&place))
    }

    fn of(keys: &[String], rows: &[Vec<String>]) -> Result<Self> {
        if rows.is_empty() || rows.len() > MOST {
            return Err(Error::input(format!(
                "a book has 1 to {MOST} rows of text, was {}",
                match rows.len() {
                    0 => "none".to_owned(),
                    _ => "more".to_owned(),
                }
            )));
        }
        let legs = rows.iter().map(|row| leg(keys, row));
        let legs = legs.collect::<Result<Vec<toml::Table>>>()?;
        let days = |leg: &toml::Table| match leg.get(EXPIRY) {
            Some(toml::Value::Integer(days)) => Some(*days as f64),
            Some(toml::Value::Float(days)) => Some(*days),
            _ => None,
        };
        let last = legs.iter().filter_map(days).reduce(f64::max);
        let expiry_days = last.ok_or_else(|| {
            Error::input(format!(
                "a book has a column \"{EXPIRY}\" of the days from the sale to each expiry"
            ))
        })?;
        let book = Self { legs, expiry_days };
        book.check()?;
        Ok(book)
    }

    /// The section `contract` of a strategy that sells the book.
    pub fn contract(&self) -> toml::Table {
        let legs = self.legs.iter().cloned().map(toml::Value::Table);
        let mut contract = toml::Table::new();
        contract.insert("type".into(), "portfolio".into());
        contract.insert(EXPIRY.into(), self.expiry_days.into());
        contract.insert("legs".into(), toml::Value::Array(legs.collect()));
        contract
    }

    /// Checks every key on its own, as in a strategy.
    fn check(&self) -> Result<()> {
        let market = [("model", "gbm".into()), ("volatility", 0.2.into())];
        let market = market.map(|(key, value): (&str, toml::Value)| (key.to_owned(), value));
        let mut strategy = toml::Table::new();
        strategy.insert("market".into(), toml::Table::from_iter(market).into());
        strategy.insert("contract".into(), self.contract().into());
        Strategy::read(strategy).map(|_| ())
    }
}

fn key(name: &str) -> String {
    let words = name.trim().to_lowercase();
    words.replace([' ', '-'], "_")
}

fn leg(keys: &[String], row: &[String]) -> Result<toml::Table> {
    let cells = keys.iter().zip(row);
    let filled = cells.filter(|(key, cell)| !key.is_empty() && !cell.trim().is_empty());
    filled
        .map(|(key, cell)| Ok((key.clone(), value(key, cell.trim())?)))
        .collect()
}

fn value(key: &str, cell: &str) -> Result<toml::Value> {
    if cell.starts_with(['{', '[']) {
        let table: toml::Table = format!("value = {cell}").parse().map_err(|_| {
            let shown = excerpt(cell);
            Error::key(
                format!("contract.legs.{key}"),
                format!("must be a table or list of TOML, was {shown}"),
            )
        })?;
        return Ok(table["value"].clone());
    }
    let whole = cell.parse().map(toml::Value::Integer);
    let number = whole.or_else(|_| cell.parse().map(toml::Value::Float));
    Ok(number.unwrap_or_else(|_| cell.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::history::fixture::Scratch;
    use crate::strategy::Plan;

    fn read(name: &str, text: &str) -> Result<Option<Book>> {
        let scratch = Scratch::new(name);
        let path = scratch.0.join("book.csv");
        std::fs::write(&path, text).unwrap();
        Book::read(&path)
    }

    /// A book of a file is the portfolio that the same legs make in a strategy.
    #[test]
    fn a_book_is_its_legs() {
        let text = "Type,Quantity,Strike,Expiry days\ncall,2,100,30\nput,-1.5,{ moneyness = 0.9 },15\nstraddle,1,,\n";
        let book = read("book-legs", text).unwrap().unwrap();
        assert_eq!(book.expiry_days, 30.0);
        let market = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n";
        let own = "[contract]\nexpiry_days = 30\n\
                   legs = [{ type = \"call\", quantity = 2, strike = 100, expiry_days = 30 },\n\
                           { type = \"put\", quantity = -1.5, strike = { moneyness = 0.9 }, expiry_days = 15 },\n\
                           { type = \"straddle\", quantity = 1 }]\n";
        let expected = Plan::parse(&format!("{market}{own}"), |_| {}).unwrap();
        let section = toml::Table::from_iter([("contract".to_owned(), book.contract().into())]);
        let text = format!("{market}{}", toml::to_string(&section).unwrap());
        let made = Plan::parse(&text, |_| {}).unwrap();
        assert_eq!(made.contract, expected.contract);
        assert_eq!(made.model_premium(), expected.model_premium());
    }

    /// What is no book is none, and what is wrong with one is said by its key.
    #[test]
    fn wrong_books_are_refused() {
        assert_eq!(
            read("book-none", "date,close\n2020-01-01,1\n").unwrap(),
            None
        );
        for (name, text, words) in [
            (
                "book-type",
                "type,quantity,expiry_days\nswap,1,30\n",
                "contract.legs",
            ),
            (
                "book-key",
                "type,quantity,expiry_days,colour\ncall,1,30,red\n",
                "colour",
            ),
            (
                "book-strike",
                "type,quantity,expiry_days,strike\ncall,1,30,high\n",
                "strike",
            ),
            ("book-expiry", "type,quantity\ncall,1\n", "expiry_days"),
            (
                "book-toml",
                "type,quantity,expiry_days,strike\ncall,1,30,{ moneyness\n",
                "TOML",
            ),
            ("book-empty", "type,quantity,expiry_days\n", "rows"),
        ] {
            let error = read(name, text).unwrap_err().to_string();
            assert!(error.contains(words), "{name}: {error}");
        }
    }
}
