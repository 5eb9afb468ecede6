//! Contracts that have expired before others are sold, by which hedges are fitted and tuned.

use super::{Calendar, Contracts, JointCalibration};
use crate::error::{Error, Result};
use crate::market::History;
use crate::strategy::{BacktestPlan, Plan};
use std::ops::Range;

/// The contracts of the plan that were sold from the close `known.start` on, at every step of its schedule, and have expired at the close
/// `known.end` or before, at which others are first sold.
///
/// # Errors
/// [`Error::Input`] if there are none, and those of [`Contracts::sell`].
pub fn past(
    histories: &[History],
    plan: &Plan,
    settings: &BacktestPlan,
    calendar: &Calendar<'_>,
    calibration: &JointCalibration,
    known: Range<usize>,
) -> Result<Contracts> {
    let dates = &histories[0].dates;
    let expired = |sale: usize| calendar.expiry(sale).filter(|expiry| *expiry <= known.end);
    let sales = settings.schedule.sales(dates, known.clone(), expired);
    if sales.is_empty() {
        return Err(Error::input(format!(
            "{}: no contract of {} has expired before the first sale on {}, which `backtest.start` must leave room for",
            settings.files(),
            calendar.tenor(),
            dates[known.end.min(dates.len() - 1)]
        )));
    }
    Contracts::sell(histories, plan, settings, calendar, calibration, &sales)
}
