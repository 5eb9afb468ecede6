//! What can be wrong with a price file, and what may be done about it when asked.

use crate::bounds::one_of;
use crate::error::{Error, Result, excerpt};
use crate::market::refusal::{refuse_row, shown};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A kind of defect; it is repaired under its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A row without a date.
    Dates,
    /// A cell that is blank or no number.
    Blanks,
    /// A value that is zero, negative or infinite where it must not be.
    Prices,
    /// A row whose date is before that of the row above.
    Order,
    /// A row with the date of another one.
    Duplicates,
    /// A high below, or a low above, the open or the close.
    Ranges,
    /// A move of the close that is a split.
    Splits,
    /// A move of the close beyond the bound that is no split.
    Jumps,
    /// A stretch without a row that is longer than the bound.
    Gaps,
    /// A date that another file lacks.
    Unmatched,
    /// A surface without a plausible volatility at the money.
    Surfaces,
}

impl Kind {
    /// Every kind with the name it is repaired under.
    pub const ALL: [(&'static str, Self); 11] = [
        ("dates", Self::Dates),
        ("blanks", Self::Blanks),
        ("prices", Self::Prices),
        ("order", Self::Order),
        ("duplicates", Self::Duplicates),
        ("ranges", Self::Ranges),
        ("splits", Self::Splits),
        ("jumps", Self::Jumps),
        ("gaps", Self::Gaps),
        ("unmatched", Self::Unmatched),
        ("surfaces", Self::Surfaces),
    ];

    /// The name under which a defect of this kind is repaired.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// What its repair does.
    pub fn repair(self) -> &'static str {
        match self {
            Self::Dates => "rows without a date are dropped",
            Self::Blanks => "rows with a cell that is blank or no number are dropped",
            Self::Prices => {
                "rows with a value that is zero, negative or infinite where it must not be are dropped"
            }
            Self::Order => "rows are put in ascending order of date",
            Self::Duplicates => {
                "rows of one date become one day: first open, highest high, lowest low, last close, volumes added"
            }
            Self::Ranges => "high and low are widened to hold open and close",
            Self::Splits => "prices before a split are divided by its ratio",
            Self::Jumps => "moves by a ratio above 1.4 or below 1/1.4 are taken as real",
            Self::Gaps => "stretches without a row are taken as one period between closes",
            Self::Unmatched => "dates that another file lacks are dropped",
            Self::Surfaces => {
                "rows whose surface has no plausible volatility at the money are dropped"
            }
        }
    }
}

/// Where a repair applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Everywhere,
    /// A data row of any file, from 1.
    Row(usize),
    Date(NaiveDate),
}

/// The defects that are repaired; every other one is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repairs(Vec<(Kind, Place)>);

impl Repairs {
    /// Reads the names of kinds, such as `order` and `duplicates`, each of all places or, as in `splits@2020-08-31` and
    /// `blanks@17`, of one date or one data row, counted from 1.
    ///
    /// # Errors
    /// [`Error::Input`] naming `key`, the word and the choices.
    pub fn parse(key: &str, words: &[String]) -> Result<Self> {
        let repair = |word: &String| {
            let (name, place) = match word.split_once('@') {
                None => (word.as_str(), Place::Everywhere),
                Some((name, place)) => (name, Place::parse(key, place)?),
            };
            Ok((one_of(key, name, &Kind::ALL)?, place))
        };
        Ok(Self(words.iter().map(repair).collect::<Result<_>>()?))
    }

    /// The words that [`Self::parse`] reads.
    pub fn words(&self) -> Vec<String> {
        self.0.iter().map(|repair| word(*repair)).collect()
    }

    /// Whether every defect of the kind is repaired.
    pub fn all(&self, kind: Kind) -> bool {
        self.0.contains(&(kind, Place::Everywhere))
    }

    /// Whether any defect of the kind is.
    pub fn any(&self, kind: Kind) -> bool {
        self.0.iter().any(|(other, _)| *other == kind)
    }

    /// Whether the user points at a defect of the kind in data row `row` (from 0) or on `date`.
    pub fn names(&self, kind: Kind, row: usize, date: Option<NaiveDate>) -> bool {
        let mut repairs = self.0.iter();
        repairs.any(|(other, place)| *other == kind && place.is(row, date))
    }

    fn covers(&self, kind: Kind, row: usize, date: Option<NaiveDate>) -> bool {
        self.all(kind) || self.names(kind, row, date)
    }
}

fn word((kind, place): (Kind, Place)) -> String {
    match place {
        Place::Everywhere => kind.name().to_string(),
        Place::Row(row) => format!("{}@{row}", kind.name()),
        Place::Date(date) => format!("{}@{date}", kind.name()),
    }
}

impl Place {
    /// Whether it is this one place.
    fn is(self, row: usize, date: Option<NaiveDate>) -> bool {
        match self {
            Self::Everywhere => false,
            Self::Row(number) => number == row + 1,
            Self::Date(day) => Some(day) == date,
        }
    }

    fn parse(key: &str, text: &str) -> Result<Self> {
        let row = text.parse().ok().filter(|row| *row > 0).map(Self::Row);
        let date = || text.parse().ok().map(Self::Date);
        row.or_else(date).ok_or_else(|| {
            let text = excerpt(text);
            Error::input(format!(
                "`{key}` must name a place by its row from 1 or its date, such as splits@2020-08-31, was \"{text}\""
            ))
        })
    }
}

/// One place where a file is defective.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Defect {
    /// The file.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// Data row, from 1.
    pub row: usize,
    /// The column as the file spells it.
    pub column: String,
    /// What is wrong, in words.
    pub what: String,
}

/// Names of files need not be Unicode.
fn as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.display().to_string())
}

/// How many defects there are of a kind, and the first ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Findings {
    /// How many there are.
    pub count: usize,
    /// How many of them are repaired.
    pub repaired: usize,
    /// The first of them, at most twenty.
    pub examples: Vec<Defect>,
    /// The first that is not repaired.
    #[serde(skip)]
    refused: Option<Defect>,
}

/// Every defect found in a set of files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defects {
    repairs: Repairs,
    found: BTreeMap<Kind, Findings>,
    /// The repairs of one place that met a defect there.
    met: Vec<(Kind, Place)>,
}

/// Files may have millions of rows; this many defects of a kind are kept to be shown.
const EXAMPLES: usize = 20;

/// The place at which a defect is found.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    /// The file.
    pub file: &'a Path,
    /// The data row, from 0.
    pub row: usize,
    /// The column as the file spells it.
    pub column: &'a str,
    /// The date of the row, if it has one.
    pub date: Option<NaiveDate>,
}

impl Defects {
    pub(super) fn new(repairs: &Repairs) -> Self {
        Self {
            repairs: repairs.clone(),
            ..Self::default()
        }
    }

    pub(super) fn repairs(&self) -> &Repairs {
        &self.repairs
    }

    /// Counts a defect, and says whether it is repaired; `what` is asked only where the defect is kept.
    pub(super) fn add(&mut self, kind: Kind, at: At<'_>, what: impl FnOnce() -> String) -> bool {
        let repaired = self.repairs.covers(kind, at.row, at.date);
        if repaired {
            self.meet(kind, at);
        }
        let findings = self.found.entry(kind).or_default();
        findings.count += 1;
        findings.repaired += usize::from(repaired);
        let refused = !repaired && findings.refused.is_none();
        let example = findings.examples.len() < EXAMPLES;
        if refused || example {
            let defect = Defect {
                file: at.file.to_path_buf(),
                row: at.row + 1,
                column: at.column.to_string(),
                what: what(),
            };
            if refused {
                findings.refused = Some(defect.clone());
            }
            if example {
                findings.examples.push(defect);
            }
        }
        repaired
    }

    /// Notes the repairs of one place that this defect is at.
    fn meet(&mut self, kind: Kind, at: At<'_>) {
        for &(other, place) in &self.repairs.0 {
            let here = other == kind && place.is(at.row, at.date);
            if here && !self.met.contains(&(other, place)) {
                self.met.push((other, place));
            }
        }
    }

    /// The findings of every kind of which there are any.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &Findings)> {
        self.found.iter().map(|(kind, findings)| (*kind, findings))
    }

    /// The number of defects that are not repaired.
    pub fn refused(&self) -> usize {
        self.iter()
            .map(|(_, findings)| findings.count - findings.repaired)
            .sum()
    }

    /// The repairs that changed something: the kind and how often.
    pub fn repaired(&self) -> Vec<(Kind, usize)> {
        let repaired = self
            .iter()
            .map(|(kind, findings)| (kind, findings.repaired));
        repaired.filter(|(_, count)| *count > 0).collect()
    }

    /// Nothing, if every repair of one place met a defect there.
    ///
    /// # Errors
    /// [`Error::Input`] with the first that did not.
    pub(super) fn all_met(&self, files: &[PathBuf]) -> Result<()> {
        let mut repairs = self.repairs.0.iter();
        let idle =
            repairs.find(|repair| repair.1 != Place::Everywhere && !self.met.contains(repair));
        let Some(idle) = idle else { return Ok(()) };
        let names: Vec<String> = files.iter().map(|file| shown(file)).collect();
        Err(Error::input(format!(
            "{}: the repair {} meets no such defect",
            names.join(", "),
            word(*idle)
        )))
    }

    /// Nothing, if every defect is repaired.
    ///
    /// # Errors
    /// [`Error::Input`] with the first defect of `files` that is not.
    pub(super) fn refuse(&self, files: &[PathBuf]) -> Result<()> {
        let place = |defect: &Defect| files.iter().position(|file| *file == defect.file);
        let first = self
            .iter()
            .filter_map(|(kind, findings)| Some((kind, findings.refused.as_ref()?)))
            .min_by_key(|(_, defect)| (place(defect), defect.row));
        let Some((kind, defect)) = first else {
            return Ok(());
        };
        let others = match self.refused() - 1 {
            0 => String::new(),
            more => format!(" ({more} more: deephedge data check)"),
        };
        let what = format!("{} (--repair {}){others}", defect.what, kind.name());
        Err(refuse_row(
            &defect.file,
            defect.row - 1,
            &defect.column,
            &what,
        ))
    }
}
