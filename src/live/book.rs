//! A book of contracts that live, as a table: a row for each contract.

use crate::bounds;
use crate::error::{Error, Result, excerpt};
use crate::market::table::{self, Cells, Header, Place, Table, Texts, plain, refuse, refuse_at};
use crate::strategy::Plan;
use chrono::NaiveDate;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// The most contracts of a book.
const MOST: usize = 100_000;

/// The largest quantity and position.
const LARGEST: f64 = 1e12;

/// One contract of a book.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it stands in the book.
    pub place: Place,
    /// What it is called; the number of its row, from 1, unless the book says so.
    pub id: String,
    /// The day of its sale.
    pub sold: NaiveDate,
    /// How many were sold; below 0 where they were bought.
    pub quantity: f64,
    /// Its strike in the money of the prices; none for that of the strategy's rule on the day of the sale.
    pub strike: Option<f64>,
    /// Its own value of every term of the run's contract that lies in a range, in the order of [`Plan::terms`]: money is that of the prices.
    pub terms: Vec<f64>,
    /// The day of its expiry, where the book says it.
    pub expiry: Option<NaiveDate>,
    /// The units of every instrument that are held against all of it; none where the book does not say it.
    pub held: Vec<Option<f64>>,
}

/// A book as it comes, before its contracts are those of a plan.
#[derive(Debug, Clone, Copy)]
pub enum BookSource<'a> {
    /// A CSV or Parquet file.
    File(&'a Path),
    /// The text of a CSV file.
    Text(&'a str),
    /// Rows that say what columns they have, each for itself.
    Rows(&'a [BookRow]),
}

/// A contract as the cells of its row by the names of their columns.
pub type BookRow = BTreeMap<String, Option<BookCell>>;

/// What a cell of a row holds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(untagged, expecting = "must be a number, a text or null")]
pub enum BookCell {
    /// A number.
    Number(f64),
    /// A date, a name, or a number in words of a file.
    Text(String),
}

/// What the columns of a book are.
struct Columns<'a> {
    /// What messages call the book.
    path: &'a Path,
    /// Where its rows stand.
    places: &'a dyn Fn(usize) -> Place,
    /// The names of columns that are there, without marks and in lower case, with their spelling and cells.
    known: Vec<(String, String, Cells)>,
}

impl Columns<'_> {
    fn get(&self, name: &str) -> Option<&(String, String, Cells)> {
        self.known.iter().find(|(known, _, _)| known == name)
    }

    fn text(&self, name: &str, row: usize) -> Option<String> {
        let (_, _, cells) = self.get(name)?;
        let text = match cells {
            Cells::Text(cells) => cells.get(row).unwrap_or_default().trim().to_owned(),
            Cells::Numbers(cells) => cells[row].map_or(String::new(), |number| number.to_string()),
            Cells::Dates(instants) => {
                instants.local[row].map_or(String::new(), |instant| instant.date().to_string())
            }
        };
        Some(text).filter(|text| !text.is_empty())
    }

    fn refuse(&self, name: &str, row: usize, what: &str) -> Error {
        let spelled = self.get(name).map_or(name, |(_, spelled, _)| spelled);
        refuse_at(self.path, (self.places)(row), spelled, what)
    }

    fn number(&self, name: &str, row: usize) -> Result<Option<f64>> {
        let Some(text) = self.text(name, row) else {
            return Ok(None);
        };
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        match number {
            Some(number) => Ok(Some(number)),
            None => {
                let what = format!("must be a finite number, was \"{}\"", excerpt(&text));
                Err(self.refuse(name, row, &what))
            }
        }
    }

    fn day(&self, name: &str, row: usize) -> Result<Option<NaiveDate>> {
        let Some(text) = self.text(name, row) else {
            return Ok(None);
        };
        match bounds::date(name, &text) {
            Ok(day) => Ok(Some(day)),
            Err(_) => {
                let what = format!(
                    "must be a date such as 2004-01-31, was \"{}\"",
                    excerpt(&text)
                );
                Err(self.refuse(name, row, &what))
            }
        }
    }
}

/// The columns of the books of one run that others do not have, without marks and in lower case.
struct OwnColumns {
    /// What is held of every instrument.
    held: Vec<String>,
    /// The terms that lie in ranges.
    terms: Vec<String>,
}

/// What messages call a book that is no file.
const UNNAMED: &str = "book";

/// Reads a book whose contracts are those that `plan` sells.
///
/// Its columns are `sold` and `quantity` and, where they are there, `id`, `type`, `strike`, `expiry`, `held`, which is that of the spot,
/// and `held_NAME` of every instrument, in any order, in whatever case and with blanks for underscores. A run whose contract has terms in
/// ranges also has a column for each of them.
///
/// # Errors
/// [`Error::Input`] naming the file and the column, and the line or the row where one is at fault: what is no table, a column that is
/// missing, there twice or not known, what is no date or no finite number, a quantity of 0, a strike that is not above 0, an expiry that
/// is not after the sale, a type that is not the plan's, an id that is there twice, no rows or too many.
pub fn read(source: BookSource<'_>, plan: &Plan) -> Result<Vec<Entry>> {
    let names = plan.instrument_columns();
    let names = names.iter().map(|name| plain(&format!("held_{name}")));
    let own = OwnColumns {
        held: names.collect(),
        terms: plan
            .terms()
            .iter()
            .map(|term| plain(&term.column))
            .collect(),
    };
    let mut known = vec!["id", "sold", "quantity", "type", "strike", "expiry", "held"];
    known.extend(own.held.iter().chain(&own.terms).map(String::as_str));
    let is_header = |cells: &[String]| {
        let plain: Vec<String> = cells.iter().map(|cell| table::plain(cell)).collect();
        let has = |name: &str| plain.iter().any(|cell| cell == name);
        has("sold") && has("quantity")
    };
    let unnamed = Path::new(UNNAMED);
    let choose = |path| {
        let (known, own) = (&known, &own);
        move |header: &Header| {
            check(path, &header.names, known, &own.terms)?;
            Ok(header.names.clone())
        }
    };
    match source {
        BookSource::File(path) => {
            let table = table::read_headed(path, &is_header, choose(path))?;
            of_table(path, &table, plan, &own)
        }
        BookSource::Text(text) => {
            let choose = choose(unnamed);
            let table = table::read_text(unnamed, text.to_owned(), &is_header, choose)?;
            of_table(unnamed, &table, plan, &own)
        }
        BookSource::Rows(rows) => {
            let mut names: Vec<String> = Vec::new();
            for name in rows.iter().flat_map(BTreeMap::keys) {
                if !names.contains(name) {
                    names.push(name.clone());
                    // Before there are more names than any book has.
                    check_known(unnamed, &names, &known)?;
                }
            }
            check(unnamed, &names, &known, &own.terms)?;
            let text = |name: &String| {
                let cells = rows.iter().map(|row| match row.get(name) {
                    Some(Some(BookCell::Number(number))) => number.to_string(),
                    Some(Some(BookCell::Text(text))) => text.clone(),
                    Some(None) | None => String::new(),
                });
                Cells::Text(Texts::of(&cells.collect::<Vec<String>>()))
            };
            let columns = Columns {
                path: unnamed,
                places: &|row| Place::Row(row + 1),
                known: names
                    .iter()
                    .map(|name| (plain(name), name.clone(), text(name)))
                    .collect(),
            };
            entries(&columns, rows.len(), plan, &own)
        }
    }
}

/// Refuses columns that no book has, and those that are there twice.
fn check_known(path: &Path, spelled: &[String], known: &[&str]) -> Result<()> {
    let names: Vec<String> = spelled.iter().map(|name| plain(name)).collect();
    for (place, name) in names.iter().enumerate() {
        let spelled = excerpt(&spelled[place]);
        if !known.contains(&name.as_str()) {
            let known: Vec<String> = known.iter().map(|name| name.replace(' ', "_")).collect();
            let what = format!(
                "column \"{spelled}\" is none of a book's: {}",
                known.join(", ")
            );
            return Err(refuse(path, &what));
        }
        if names[..place].contains(name) {
            return Err(refuse(
                path,
                &format!("column \"{spelled}\" is there twice"),
            ));
        }
    }
    Ok(())
}

/// [`check_known`], and refuses a book without a column that every one has, or one of `terms`.
fn check(path: &Path, spelled: &[String], known: &[&str], terms: &[String]) -> Result<()> {
    check_known(path, spelled, known)?;
    let terms = terms.iter().map(String::as_str);
    for needed in ["sold", "quantity"].into_iter().chain(terms) {
        if !spelled.iter().any(|name| plain(name) == needed) {
            let needed = needed.replace(' ', "_");
            return Err(refuse(path, &format!("a book has a column \"{needed}\"")));
        }
    }
    Ok(())
}

fn of_table(path: &Path, table: &Table, plan: &Plan, own: &OwnColumns) -> Result<Vec<Entry>> {
    let names: Vec<String> = table.names().map(str::to_owned).collect();
    let columns = names.into_iter().map(|name| {
        let cells = table.cells(path, &name)?;
        Ok((plain(&name), name, cells))
    });
    let columns = Columns {
        path,
        places: &|row| table.place(row),
        known: columns.collect::<Result<_>>()?,
    };
    entries(&columns, table.rows(), plan, own)
}

fn entries(
    columns: &Columns<'_>,
    rows: usize,
    plan: &Plan,
    own: &OwnColumns,
) -> Result<Vec<Entry>> {
    let path = columns.path;
    if columns.get("held").is_some() && columns.get("held spot").is_some() {
        let what = "columns \"held\" and \"held_spot\" are the same, and one of them is enough";
        return Err(refuse(path, what));
    }
    if rows == 0 || rows > MOST {
        let what = format!("a book has 1 to {MOST} contracts, has {rows}");
        return Err(refuse(path, &what));
    }
    let mut ids = HashSet::new();
    let entries = (0..rows).map(|row| {
        let entry = entry(columns, plan, own, row)?;
        match ids.insert(entry.id.clone()) {
            true => Ok(entry),
            false => {
                let what = format!("\"{}\" is there twice", excerpt(&entry.id));
                Err(columns.refuse("id", row, &what))
            }
        }
    });
    entries.collect()
}

fn entry(columns: &Columns<'_>, plan: &Plan, own: &OwnColumns, row: usize) -> Result<Entry> {
    let blank = |name: &str| columns.refuse(name, row, "is blank");
    let sold = columns.day("sold", row)?.ok_or_else(|| blank("sold"))?;
    let quantity = columns.number("quantity", row)?;
    let quantity = quantity.ok_or_else(|| blank("quantity"))?;
    if quantity == 0.0 {
        return Err(columns.refuse("quantity", row, "must not be 0"));
    }
    if quantity.abs() > LARGEST {
        let what = format!("must be within ±{LARGEST:e}, was {quantity:e}");
        return Err(columns.refuse("quantity", row, &what));
    }
    if let Some(kind) = columns.text("type", row) {
        let own = plan.contract_type();
        if plain(&kind) != plain(own) {
            let what = format!(
                "must be \"{own}\", which the policies of the run hedge, was \"{}\"",
                excerpt(&kind)
            );
            return Err(columns.refuse("type", row, &what));
        }
    }
    let term = |name: &String| columns.number(name, row)?.ok_or_else(|| blank(name));
    let terms = own.terms.iter().map(term).collect::<Result<Vec<f64>>>()?;
    let strike = columns.number("strike", row)?;
    if let Some(strike) = strike.filter(|strike| *strike <= 0.0) {
        let what = format!("must be above 0, was {strike}");
        return Err(columns.refuse("strike", row, &what));
    }
    // Where it is a term, it is no other one.
    let strike = strike.filter(|_| own.terms.iter().all(|name| name != "strike"));
    if strike.is_some() && !plan.has_strike() {
        let what = format!("the run's contract, {}, has none", plan.contract_type());
        return Err(columns.refuse("strike", row, &what));
    }
    let expiry = columns.day("expiry", row)?;
    if let Some(expiry) = expiry.filter(|expiry| *expiry <= sold) {
        let what = format!("must be after the sale on {sold}, was {expiry}");
        return Err(columns.refuse("expiry", row, &what));
    }
    let held = own.held.iter().enumerate().map(|(number, name)| {
        let own = match (columns.number(name, row)?, number) {
            (None, 0) => columns.number("held", row)?,
            (own, _) => own,
        };
        match own.filter(|own| own.abs() > LARGEST) {
            None => Ok(own),
            Some(own) => {
                let what = format!("must be within ±{LARGEST:e}, was {own:e}");
                Err(columns.refuse(name, row, &what))
            }
        }
    });
    Ok(Entry {
        place: (columns.places)(row),
        id: columns
            .text("id", row)
            .unwrap_or_else(|| (row + 1).to_string()),
        sold,
        quantity,
        strike,
        terms,
        expiry,
        held: held.collect::<Result<_>>()?,
    })
}
