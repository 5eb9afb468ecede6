//! The policies of a run, or of one window of a walk-forward, with the market that they were trained in.

use crate::backtest::{self, Calendar};
use crate::error::{Error, Result};
use crate::experiment::{self, RunPolicies, SavedPolicy};
use crate::runs::store::RunFolder;
use crate::walk_forward::{Walked, WindowHistory};
use chrono::NaiveDate;

/// What names a window of a walk-forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowOf {
    /// Its number, from 0.
    Number(usize),
    /// A day: the window is that which sold on it.
    Sale(NaiveDate),
}

/// The policies of a run, or of a window of it in the market that was known before that began to sell, and what must be known of the
/// market. `named` makes the name of the argument that is at fault of `window`.
///
/// # Errors
/// [`Error::Input`] for a walk-forward without a window that it has, and for a window of another run; those of reading the run and the
/// closes that the window was calibrated on.
pub fn policies_of(
    run: &RunFolder,
    window: Option<WindowOf>,
    named: impl Fn(&str) -> String,
) -> Result<(RunPolicies, Option<String>)> {
    if !run.path().join(RunFolder::WINDOWS).is_dir() {
        return match window {
            None => Ok((RunPolicies::of_run(run)?, None)),
            Some(_) => Err(Error::input(format!(
                "{}: run `{}` is no walk-forward",
                named("window"),
                run.id()
            ))),
        };
    }
    let plan = experiment::plan_of(run, |_| {})?;
    let settings = plan
        .backtest
        .as_ref()
        .ok_or_else(|| Error::input(format!("run `{}`: `backtest` is missing", run.id())))?;
    let walked = Walked::open(run, &plan)?;
    let last = walked.windows().len() - 1;
    let refused = |was: String| {
        Error::input(format!(
            "{}: must be from 0 to {last}, a window of the walk-forward, was {was}",
            named("window")
        ))
    };
    let number = match window {
        None => return Err(refused("none".into())),
        Some(WindowOf::Number(number)) if number > last => {
            return Err(refused(number.to_string()));
        }
        Some(WindowOf::Number(number)) => number,
        Some(WindowOf::Sale(day)) => walked.selling_on(day).ok_or_else(|| {
            let first = walked.windows()[0].first_sale;
            Error::input(format!(
                "{} {day}: the first window sells from {first} on",
                named("sold")
            ))
        })?,
    };
    let histories = backtest::load(&plan, settings)?;
    let closes = WindowHistory {
        settings,
        histories: &histories,
        calendar: &Calendar::new(&histories[0], &plan, settings)?,
    };
    let before = walked.before(number, closes)?;
    let policies = walked.policies(number)?.into_iter();
    let policies = policies.map(|one| SavedPolicy::new(one.optimizer, one.seed, one.parameters));
    let of_window = RunPolicies {
        run: run.clone(),
        plan: before.plan().clone(),
        policies: policies.collect(),
        trained_on: walked.trained_on(number)?,
        window: Some(number),
    };
    Ok((of_window, walked.differs(&before)))
}
