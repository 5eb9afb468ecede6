//! Which columns of a file are read, and as what.

use super::columns::{DATE_NAMES, Factor, INDEX_NAMES, Quantity, is_volatility_index};
use super::options::Columns;
use crate::error::{Result, excerpt};
use crate::market::table::{Header, find_column, plain, refuse};
use std::path::Path;

/// The columns of a file that are read.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The column of dates.
    pub date: String,
    /// The columns of quantities.
    pub columns: Vec<(Quantity, String)>,
    /// Whether the implied volatilities are the closes of a file that nothing names as such: their values must tell.
    pub presumed: bool,
    /// What was concluded from more than a name, for people.
    pub notes: Vec<String>,
}

/// Which of several files a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file with the prices.
    First {
        /// Whether no further file could have the volatilities.
        alone: bool,
    },
    /// One that adds to the files before it.
    Further,
    /// The file with the surfaces.
    Surfaces,
}

/// Whether the cells of a line are names of columns: one is that of dates, or one that the user gives.
pub fn is_header(cells: &[String], named: &Columns) -> bool {
    let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
    let date = |cell: &String| {
        let name = plain(cell);
        DATE_NAMES.iter().any(|date| plain(date) == name)
    };
    let given = |name: &String| cells.contains(name);
    let mut names = named.quantities.iter().map(|(_, name)| name);
    filled > 1 && (cells.iter().any(date) || named.date.iter().any(given) || names.any(given))
}

/// Chooses the columns of those `wanted` quantities that the file has.
pub fn choose(
    path: &Path,
    header: &Header,
    place: Place,
    wanted: &[Quantity],
    named: &Columns,
) -> Result<Layout> {
    let names = &header.names;
    let date = date(path, header, named)?;
    let mut layout = Layout {
        date,
        columns: Vec::new(),
        presumed: false,
        notes: Vec::new(),
    };
    let elsewhere = |quantity| match place {
        Place::First { alone } => !alone && is_volatility(quantity),
        Place::Further | Place::Surfaces => false,
    };
    for &quantity in wanted {
        let column = match named.column(quantity) {
            Some(_) if elsewhere(quantity) => None,
            Some(name) => match exact(names, name) {
                Some(column) => Some(column),
                // It may be a column of another file.
                None if place == Place::Further => None,
                None if place == Place::Surfaces && !quantity.is_of_surfaces() => {
                    by_name(path, names, quantity)?
                }
                None => return Err(absent(path, names, quantity.key(), name)),
            },
            None => by_name(path, names, quantity)?,
        };
        layout.columns.extend(column.map(|name| (quantity, name)));
    }
    // A column that the user names as one quantity is no other one.
    layout.columns.retain(|(quantity, column)| {
        let mut taken = named.quantities.iter();
        !taken.any(|(other, name)| {
            let here = wanted.contains(other) && !elsewhere(*other);
            here && other != quantity && exact(names, name).as_ref() == Some(column)
        })
    });
    layout.surfaces(path, names, place)?;
    match place {
        Place::First { .. } if wanted.contains(&Quantity::Close) && !layout.has_surfaces() => {
            layout.close(path, names)?;
        }
        Place::First { .. } | Place::Surfaces => {}
        Place::Further => layout.volatility(path, names, wanted),
    }
    Ok(layout)
}

/// The column that goes by a name of the quantity, if there is one.
fn by_name(path: &Path, names: &[String], quantity: Quantity) -> Result<Option<String>> {
    find_column(path, names, quantity.label(), quantity.names())
        .map_err(|error| remedied(error, quantity.key()))
}

/// Fewer columns that are named like factors make no file of surfaces: a price file may have a column `level`.
const FEWEST_FACTORS: usize = 3;

impl Layout {
    /// Whether it is a file of surfaces, which need no closes.
    fn has_surfaces(&self) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|(quantity, _)| quantity.is_of_surfaces())
    }

    /// Leaves the columns of a surface out where the file is none of surfaces, and refuses one that lacks a factor.
    fn surfaces(&mut self, path: &Path, names: &[String], place: Place) -> Result<()> {
        let has = |factor: Factor| {
            let mut columns = self.columns.iter();
            columns.any(|(other, _)| *other == Quantity::Factor(factor))
        };
        let found = Factor::ALL.iter().filter(|factor| has(**factor)).count();
        if place != Place::Surfaces && found < FEWEST_FACTORS {
            self.columns
                .retain(|(quantity, _)| !quantity.is_of_surfaces());
            return Ok(());
        }
        match Factor::ALL.into_iter().find(|factor| !has(*factor)) {
            None => Ok(()),
            Some(factor) => Err(missing(path, names, factor.name(), factor.name())),
        }
    }

    /// Finds the closes, if prices are wanted: the one column beside the dates stands for them where none has a name of
    /// theirs.
    fn close(&mut self, path: &Path, names: &[String]) -> Result<()> {
        let has = |quantity| self.columns.iter().any(|(other, _)| *other == quantity);
        if has(Quantity::Close) {
            return Ok(());
        }
        match self.only(names) {
            Some(column) => {
                let shown = excerpt(&column);
                self.notes.push(format!(
                    "column \"{shown}\" is the only one beside the dates: read as closing prices"
                ));
                // Whatever else it may be called, prices come first.
                self.columns.retain(|(_, other)| *other != column);
                self.columns.push((Quantity::Close, column));
                Ok(())
            }
            None => Err(missing(path, names, "closing price", "close")),
        }
    }

    /// Finds the closes of an index of implied volatility in a file that has no column of that name.
    fn volatility(&mut self, path: &Path, names: &[String], wanted: &[Quantity]) {
        if !self.columns.is_empty() || !wanted.contains(&Quantity::ImpliedVolatility) {
            return;
        }
        let close = find_column(path, names, "", Quantity::Close.names());
        let Some(column) = close.ok().flatten().or_else(|| self.only(names)) else {
            return;
        };
        let file = path.file_stem().map(|name| name.to_string_lossy());
        let file = file.unwrap_or_default().into_owned();
        let index = [&column, &file]
            .into_iter()
            .find(|name| is_volatility_index(name));
        let why = match index {
            Some(name) => format!("\"{}\" names an index of it", excerpt(name)),
            None => "its values are those of an index of it".into(),
        };
        self.presumed = index.is_none();
        self.notes.push(format!(
            "column \"{}\" is read as implied volatility, since {why}",
            excerpt(&column)
        ));
        self.columns.push((Quantity::ImpliedVolatility, column));
    }

    /// The one column beside the dates, if there is just one that has no other meaning.
    fn only(&self, names: &[String]) -> Option<String> {
        let mut others = names.iter().filter(|name| **name != self.date);
        let other = others.next()?;
        let name = plain(other);
        let known = Quantity::ALL.iter().any(|quantity| {
            let volatility = *quantity == Quantity::ImpliedVolatility;
            !volatility && quantity.names().iter().any(|known| plain(known) == name)
        });
        (others.next().is_none() && !known && !name.is_empty()).then(|| other.clone())
    }
}

fn is_volatility(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::ImpliedVolatility | Quantity::Variance)
}

fn date(path: &Path, header: &Header, named: &Columns) -> Result<String> {
    let names = &header.names;
    if let Some(date) = named.date.as_ref().and_then(|name| exact(names, name)) {
        return Ok(date);
    }
    let found = find_column(path, names, "date", &DATE_NAMES);
    if let Some(date) = found.map_err(|error| remedied(error, "date"))? {
        return Ok(date);
    }
    if let Some(index) = &header.index {
        return Ok(index.clone());
    }
    let index = find_column(path, names, "date", &INDEX_NAMES[1..])?;
    index.ok_or_else(|| match &named.date {
        Some(name) => absent(path, names, "date", name),
        None => missing(path, names, "date", "date"),
    })
}

/// The column of that very name, or else the one that differs from it in case, blanks and marks alone.
fn exact(names: &[String], wanted: &str) -> Option<String> {
    let same = names.iter().find(|name| *name == wanted);
    let same = same.or_else(|| names.iter().find(|name| plain(name) == plain(wanted)));
    same.cloned()
}

fn absent(path: &Path, names: &[String], key: &str, name: &str) -> crate::Error {
    let (name, found) = (excerpt(name), excerpt(&names.join(", ")));
    let what = format!("no column \"{name}\", which --columns names as {key}; found {found}");
    refuse(path, &what)
}

fn missing(path: &Path, names: &[String], what: &str, key: &str) -> crate::Error {
    let found = excerpt(&names.join(", "));
    let what = format!("no {what} column, found {found}");
    remedied(refuse(path, &what), key)
}

fn remedied(error: crate::Error, key: &str) -> crate::Error {
    crate::Error::input(format!("{error}; --columns {key}=NAME names it"))
}
