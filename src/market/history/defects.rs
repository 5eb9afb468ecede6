//! What can be wrong with a price file, and what may be done about it when asked.

use crate::bounds::one_of;
use crate::error::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A kind of defect; it is repaired under its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Dates,
    Blanks,
    Prices,
    Order,
    Duplicates,
    Ranges,
    Splits,
    Jumps,
    Gaps,
    Unmatched,
}

impl Kind {
    /// Every kind with the name it is repaired under.
    pub const ALL: [(&'static str, Self); 10] = [
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
    ];

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
            Self::Jumps => "moves of more than 40 % are taken as real",
            Self::Gaps => "more than ten days without a row are taken as one trading day",
            Self::Unmatched => "dates that another file lacks are dropped",
        }
    }
}

/// The kinds that are repaired; every other one is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repairs(Vec<Kind>);

impl Repairs {
    /// Reads the names of kinds, such as `order` and `duplicates`.
    ///
    /// # Errors
    /// [`Error::Input`] naming `key`, the word and the choices.
    pub fn parse(key: &str, names: &[String]) -> Result<Self> {
        let kinds = names.iter().map(|name| one_of(key, name, &Kind::ALL));
        Ok(Self(kinds.collect::<Result<_>>()?))
    }

    /// Their names, as [`Self::parse`] reads them.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|kind| kind.name().to_string()).collect()
    }

    pub fn contains(&self, kind: Kind) -> bool {
        self.0.contains(&kind)
    }
}

/// One place where a file is defective.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Defect {
    pub file: PathBuf,
    /// Data row, from 1.
    pub row: usize,
    /// The column as the file spells it.
    pub column: String,
    pub what: String,
}

/// How many defects there are of a kind, and the first ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Findings {
    pub count: usize,
    pub examples: Vec<Defect>,
}

/// Every defect found in a set of files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defects(BTreeMap<Kind, Findings>);

/// Files may have millions of rows; this many defects of a kind are kept to be shown.
const EXAMPLES: usize = 20;

impl Defects {
    /// Counts a defect in data row `row` (from 0); `what` is asked only where the defect is kept.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        file: &Path,
        row: usize,
        column: &str,
        what: impl FnOnce() -> String,
    ) {
        let findings = self.0.entry(kind).or_default();
        findings.count += 1;
        if findings.examples.len() < EXAMPLES {
            findings.examples.push(Defect {
                file: file.to_path_buf(),
                row: row + 1,
                column: column.to_string(),
                what: what(),
            });
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (Kind, &Findings)> {
        self.0.iter().map(|(kind, findings)| (*kind, findings))
    }

    /// The number of defects of kinds that are not repaired.
    pub fn refused(&self, repairs: &Repairs) -> usize {
        let refused = self.iter().filter(|(kind, _)| !repairs.contains(*kind));
        refused.map(|(_, findings)| findings.count).sum()
    }

    /// The repairs that changed something: the kind and how often.
    pub fn repaired(&self, repairs: &Repairs) -> Vec<(Kind, usize)> {
        let repaired = self.iter().filter(|(kind, _)| repairs.contains(*kind));
        repaired
            .map(|(kind, findings)| (kind, findings.count))
            .collect()
    }

    /// Nothing, if every defect is repaired.
    ///
    /// # Errors
    /// [`Error::Input`] with the first defect of `files` that is not.
    pub(super) fn refuse(&self, repairs: &Repairs, files: &[PathBuf]) -> Result<()> {
        let place = |defect: &Defect| files.iter().position(|file| *file == defect.file);
        let first = self
            .iter()
            .filter(|(kind, _)| !repairs.contains(*kind))
            .flat_map(|(_, findings)| &findings.examples)
            .min_by_key(|defect| (place(defect), defect.row));
        let Some(Defect {
            file,
            row,
            column,
            what,
        }) = first
        else {
            return Ok(());
        };
        let others = match self.refused(repairs) - 1 {
            0 => String::new(),
            more => format!(" ({more} more: deephedge data check)"),
        };
        Err(Error::input(format!(
            "{}: row {row}, column \"{column}\": {what}{others}",
            file.display()
        )))
    }
}
