//! A book of contracts that live: what a run's policies hold against each of them today, replayed from its sale with what was known on
//! every date, and what all of it comes to.
//!
//! A [`Desk`] is a run with prices. It answers for any number of books, which [`read`] reads.

mod answer;
mod beside;
mod book;
mod chosen;
mod cut;
mod desk;
mod net;
mod outside;
mod part;
mod replay;
#[cfg(test)]
mod tests;
mod windowed;

pub use answer::{Answer, AnsweringWindow, Hedged, HeldBy, Net, Position, Standing, Value, WhatIf};
pub use book::{BookCell, BookRow, BookSource, Entry, read};
pub use desk::{Desk, refusal};
pub use windowed::{WindowOf, policies_of};

use crate::error::{Error, Result};
use beside::beside;
use chrono::NaiveDate;
use outside::check_training;
use part::Part;
use std::collections::BTreeMap;

/// What is asked of a run beside the book.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The optimizer whose policies hedge; the best of the run unless it is named.
    pub optimizer: Option<String>,
    /// Today; the last day of the prices unless it is given.
    pub date: Option<NaiveDate>,
    /// The greatest distance between the positions of two seeds, in units of an instrument a contract, up to which their mean is held.
    pub disagreement: f64,
    /// Whether contracts that policies were not trained for are answered too.
    pub force: bool,
    /// Moves of today's spot, as fractions, for which positions are asked for.
    pub what_if: Vec<f64>,
}

impl Asked {
    /// The usual bound of [`Self::disagreement`]: a tenth of a share a contract.
    pub const DISAGREEMENT: f64 = 0.1;
    /// The most of [`Self::what_if`].
    pub const MOST_MOVES: usize = 101;
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            optimizer: None,
            date: None,
            disagreement: Self::DISAGREEMENT,
            force: false,
            what_if: Vec::new(),
        }
    }
}

impl Desk {
    /// What the policies of the run hold today against the contracts of a book.
    ///
    /// Of a walk-forward every contract is hedged by the policies of the window that sold on its day, after the last one by those of the
    /// last.
    ///
    /// # Errors
    /// [`Error::Input`] if the run has no such optimizer, or was trained for nothing that was sold so early; those of [`Self::today`] and
    /// [`Cut::new`]; for contracts that the policies were not trained for, unless that is forced.
    pub fn hedge(&self, book: &[Entry], asked: &Asked) -> Result<Answer> {
        if book.is_empty() {
            return Err(Error::input("the book has no contracts"));
        }
        let (optimizer, chosen) = self.optimizer(asked.optimizer.as_deref())?;
        let today = self.today(asked.date)?;
        let mut warnings = today.warnings.clone();
        let mut parts = Vec::new();
        for (window, places) in self.windows_of(book, &mut warnings)? {
            parts.push(Part::new(self, &today, (window, places), book, &optimizer)?);
        }
        for part in &parts {
            for warning in part.warnings(self) {
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        let mut far = vec![Vec::new(); book.len()];
        for part in &parts {
            for (index, found) in part.outside(self).into_iter().enumerate() {
                far[part.places[index]] = found;
            }
        }
        check_training(book, &far, asked.force, &mut warnings)?;
        let mut contracts: Vec<Option<Hedged>> = vec![None; book.len()];
        let mut of_book = vec![(0, 0); book.len()];
        let mut windows = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let beside = beside(self, &part.team, &part.cut)?;
            for (index, one) in part.hedged(beside.as_ref(), asked.disagreement).enumerate() {
                let place = part.places[index];
                of_book[place] = (number, index);
                contracts[place] = Some(Hedged {
                    outside: std::mem::take(&mut far[place]),
                    ..one
                });
            }
            windows.push((part, beside.map(|one| one.name)));
        }
        let contracts: Vec<Hedged> = contracts.into_iter().flatten().collect();
        disagreements(&contracts, asked.disagreement, &mut warnings);
        let moved = |&moved: &f64| WhatIf {
            moved,
            spot: today.close() * (1.0 + moved),
            positions: vec![Vec::new(); book.len()],
            net: vec![0.0; self.plan().instruments.len()],
        };
        let mut what_if: Vec<WhatIf> = asked.what_if.iter().map(moved).collect();
        for part in &parts {
            part.what_if(&mut what_if)?;
        }
        let replayed = of_book.iter().map(|&(number, index)| {
            let part: &Part<'_> = &parts[number];
            (&part.cut, &part.replay, index)
        });
        let same = windows.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let first = &parts[0];
        let estimated = first.cut.known.calibration.first().estimated;
        let estimated = estimated.filter(|_| first.window.is_none());
        Ok(Answer {
            run: self.run().to_owned(),
            date: today.day().to_string(),
            chosen,
            seeds: first.members().map(|one| one.seed).collect(),
            benchmark: windows[0].1.clone().filter(|_| same),
            estimated: estimated.map(|(from, to)| [from.to_string(), to.to_string()]),
            windows: windows
                .iter()
                .filter_map(|(part, benchmark)| part.answering(self, benchmark.clone()))
                .collect(),
            instruments: self.plan().instrument_columns(),
            net: net::net(replayed.zip(&contracts)),
            what_if,
            contracts,
            disagreement: asked.disagreement,
            warnings,
            optimizer,
        })
    }

    /// The windows that hedge the contracts of a book, each with the places of those; one that is none where the run has no windows.
    ///
    /// # Errors
    /// [`Error::Input`] for contracts that were sold before any window had begun to sell.
    fn windows_of(
        &self,
        book: &[Entry],
        warnings: &mut Vec<String>,
    ) -> Result<Vec<(Option<usize>, Vec<usize>)>> {
        let Some(walked) = self.walked() else {
            return Ok(vec![(None, (0..book.len()).collect())]);
        };
        let mut all: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let end = walked.end();
        let mut late = 0;
        for (place, entry) in book.iter().enumerate() {
            let Some(number) = walked.selling_on(entry.sold) else {
                return Err(Error::input(format!(
                    "{} of the book was sold on {}, and the first window sells from {} on",
                    entry.place,
                    entry.sold,
                    walked.windows()[0].first_sale
                )));
            };
            late += usize::from(entry.sold >= end);
            all.entry(number).or_default().push(place);
        }
        if late > 0 {
            let last = &walked.windows()[walked.windows().len() - 1];
            let [from, to] = last.calibrated;
            warnings.push(format!(
                "{late} of {} contracts: sold on {end} or later, when no window sells any more; the policies of the last hedge them, \
                 trained on closes of {from} to {to}",
                book.len()
            ));
        }
        Ok(all
            .into_iter()
            .map(|(number, places)| (Some(number), places))
            .collect())
    }
}

/// Says where seeds differ by more than is allowed.
fn disagreements(contracts: &[Hedged], allowed: f64, warnings: &mut Vec<String>) {
    let fell_back = contracts
        .iter()
        .filter(|one| one.held_by == HeldBy::Benchmark)
        .count();
    if fell_back > 0 {
        warnings.push(format!(
            "{fell_back} of {} contracts: seeds differ by more than {allowed} units a contract, and the benchmark is held",
            contracts.len(),
        ));
    }
    let disagrees = |one: &Hedged| {
        one.held_by == HeldBy::Policy && one.positions.iter().any(|of| of.spread > allowed)
    };
    let unmended = contracts.iter().filter(|one| disagrees(one)).count();
    if unmended > 0 {
        warnings.push(format!(
            "{unmended} contracts: seeds differ by more than {allowed} units a contract, and the run has no benchmark to fall back on",
        ));
    }
}
