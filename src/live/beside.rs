//! The classical hedge beside the policies.

use super::cut::Cut;
use super::desk::{Desk, Team};
use crate::error::Result;
use crate::experiment;
use crate::hedging::{ClassicalName, HedgeValues};
use crate::market::PathSource;
use crate::simd::Lane;
use crate::strategy::{FittedOn, PastContracts, Plan};

/// What a classical hedge holds against contracts.
pub struct Beside {
    /// Its name in the run.
    pub name: String,
    /// As [`crate::backtest::Contracts::positions`] has them.
    pub positions: Vec<Vec<Lane<f64>>>,
}

/// The best classical hedge of a team or, where it has none, the delta, on its contracts; none of contracts that have no delta.
///
/// # Errors
/// Those of the hedge.
pub fn beside(desk: &Desk, team: &Team, cut: &Cut) -> Result<Option<Beside>> {
    let (known, plan) = (&cut.known, &cut.plan);
    let (hedge, values) = match &team.benchmark {
        Some((hedge, values)) => (*hedge, *values),
        None if plan.contract.has_delta() => {
            (ClassicalName::BlackScholes.into(), HedgeValues::default())
        }
        None => return Ok(None),
    };
    let past = known.past.as_ref().map(|past| past as &dyn PastContracts);
    let calendar = cut.today.calendar(desk.plan())?;
    let closes = cut.today.on(&calendar);
    let window = desk.walked().zip(known.window.as_ref());
    let fit_paths = window.map(|(walked, (before, _))| {
        move |plan: &Plan| -> Box<dyn PathSource> { walked.fit_paths(before, closes, plan) }
    });
    let on = match (&fit_paths, window) {
        (Some(fit_paths), Some((_, (_, kept)))) => FittedOn {
            paths: Some(fit_paths),
            past,
            kept: kept.clone(),
        },
        (None, _) | (_, None) => experiment::fitted_on(plan, past),
    };
    let policy = plan.classical_on(hedge, &cut.contracts.assets, values, &on);
    let positions = cut.contracts.positions(&policy)?;
    Ok(Some(Beside {
        name: policy.hedge().name(),
        positions,
    }))
}
