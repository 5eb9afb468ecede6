//! What a list of runs shows of a run.

use super::part::{Line, Measure, Paths};
use super::{Pair, RunVerdict};
use crate::report::summary::{Verdict, cvar_label, main_level};
use crate::risk::Estimate;
use crate::runs::metrics::Metrics;
use crate::strategy::Strategy;
use serde::Serialize;

/// The columns of a run in a list.
///
/// # Units
/// Those of [`crate::risk::Row`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Columns {
    /// What was hedged, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedged: Option<String>,
    /// The strategy that the columns are about.
    pub strategy: String,
    /// The strategy that it is compared with.
    pub baseline: String,
    /// The paths that the columns are about: the simulated ones where there are any.
    pub paths: Paths,
    /// The trainings behind the change.
    pub seeds: usize,
    /// The variance of P&L.
    pub pnl_variance: Option<Estimate>,
    /// The mean transaction cost.
    pub cost: Option<Estimate>,
    /// The Sharpe ratio per contract.
    pub sharpe: Option<Estimate>,
    /// The CVaR of the loss.
    pub cvar: Option<Estimate>,
    /// The level of the CVaR, in words.
    pub cvar_label: String,
    /// The change of the CVaR against the baseline, as a fraction.
    pub cvar_change: Option<Estimate>,
    /// What that change comes to.
    pub verdict: Verdict,
}

/// The columns of a run, made of `metrics.json` and of its strategy file; nothing where it has results of fewer than two
/// strategies.
pub fn columns(metrics: &Metrics, file: Option<&str>) -> Option<Columns> {
    let file = file.and_then(|text| Strategy::parse(text).ok());
    let pair = Pair::usual(metrics, file.as_ref())?;
    let verdict = RunVerdict::of(metrics, file.as_ref(), &pair)?;
    let part = verdict.parts.first()?;
    let line = |measure| part.line(measure);
    let ours = |measure| line(measure).map(|line: &Line| line.strategy);
    let cvar = line(Measure::Cvar);
    Some(Columns {
        hedged: verdict.hedged.clone(),
        paths: part.paths,
        seeds: part.seeds,
        pnl_variance: ours(Measure::PnlVariance),
        cost: ours(Measure::Cost),
        sharpe: ours(Measure::Sharpe),
        cvar: ours(Measure::Cvar),
        cvar_label: cvar_label(main_level(metrics)),
        cvar_change: cvar.map(|line| line.difference),
        verdict: cvar.map_or(Verdict::Unknown, |line| line.verdict),
        strategy: pair.strategy,
        baseline: pair.baseline,
    })
}
