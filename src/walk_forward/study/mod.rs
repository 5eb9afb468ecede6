//! Several strategies walked forward as one study: each sells on history, those that sell the same are recipes for one problem, and
//! problems that differ in the strike alone are judged together too.

mod page;
mod problem;
#[cfg(test)]
mod tests;

pub use page::{Words, conclusion, page};
pub use problem::{Problem, Together};

use super::prepared::Prepared;
use super::registered::study_plan;
use super::results::in_phase;
use super::{Finished, trades};
use crate::error::{Error, Result};
use crate::runs::protocol::Registered;
use crate::runs::registration::{Registration, StudyPlan};
use crate::runs::walk_forward::{Phase, Results};
use crate::strategy::Plan;
use std::path::Path;

/// A strategy of a study that was walked forward.
pub struct Walked {
    /// The run.
    pub prepared: Prepared,
    /// What all of its windows come to.
    pub results: Results,
    /// Its trades.
    pub trades: Vec<trades::Trade>,
}

/// What a study comes to.
pub struct Study {
    /// The strategies in their order.
    pub walked: Vec<Walked>,
    /// Problems in the order of the strategies.
    pub problems: Vec<Problem>,
    /// Problems that differ in the strike alone, pooled.
    pub together: Vec<Together>,
    /// The registered plan, where all runs were begun under one.
    pub registration: Option<Registered>,
}

/// What a study of these strategies will do and how it will be judged.
///
/// # Errors
/// Those of a walk-forward of each, and [`Error::Input`] if two strategies have the same name.
pub fn planned(plans: &[Plan]) -> Result<StudyPlan> {
    for (place, plan) in plans.iter().enumerate() {
        if plans[..place].iter().any(|before| before.name == plan.name) {
            return Err(Error::input(format!(
                "`name`: the strategies of a study must have different names, two have \"{}\"",
                plan.name
            )));
        }
    }
    study_plan(&plans.iter().collect::<Vec<_>>())
}

/// A run for every strategy: one that did the same already, whether it has ended or was stopped, or else a new one.
///
/// # Errors
/// Those of [`Prepared::new`] and [`Prepared::known`].
pub fn prepared(
    plans: Vec<Plan>,
    root: &Path,
    registration: Option<&Registration>,
) -> Result<Vec<Prepared>> {
    let prepare = |plan: Plan| {
        let own = study_plan(&[&plan])?;
        match Prepared::known(&own, root, registration)? {
            Some(known) => Ok(known),
            None => Prepared::new(plan, None, root, registration),
        }
    };
    plans.into_iter().map(prepare).collect()
}

impl Walked {
    /// What a run came to that has ended just now.
    ///
    /// # Errors
    /// If its trades cannot be read.
    pub fn of(prepared: Prepared, finished: Finished) -> Result<Self> {
        Self::new(prepared, finished.results)
    }

    /// What a run came to, if it has ended.
    ///
    /// # Errors
    /// If its files are damaged.
    pub fn complete(prepared: Prepared) -> Result<std::result::Result<Self, Prepared>> {
        if !prepared.folder.is_complete() {
            return Ok(Err(prepared));
        }
        match Results::of_run(&prepared.folder)? {
            Some(results) => Self::new(prepared, results).map(Ok),
            None => Ok(Err(prepared)),
        }
    }

    fn new(prepared: Prepared, results: Results) -> Result<Self> {
        let trades = trades::read(&prepared.folder.path().join("trades.parquet"))?;
        Ok(Self {
            prepared,
            results,
            trades,
        })
    }

    fn in_phase(&self, phase: Phase) -> Vec<trades::Trade> {
        in_phase(&self.results.windows, &self.trades, phase)
    }
}

impl Study {
    /// Puts the runs of a study side by side.
    ///
    /// # Errors
    /// [`Error::Input`] if two strategies of a problem have sold other contracts.
    pub fn new(walked: Vec<Walked>) -> Result<Self> {
        let problems = problem::problems(&walked)?;
        let together = problem::together(&walked, &problems)?;
        let mut registrations = walked.iter().map(|one| one.results.registration.clone());
        let first = registrations.next().flatten();
        let registration =
            first.filter(|first| registrations.all(|own| own.as_ref() == Some(first)));
        Ok(Self {
            walked,
            problems,
            together,
            registration,
        })
    }
}
