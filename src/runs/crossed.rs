//! What a comparison across markets found.

use crate::error::Result;
use crate::risk::Estimate;
use polars::prelude::{Column, DataFrame};
use serde::{Deserialize, Serialize};

/// One strategy made for one market and tested in one, itself or another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Crossed {
    /// The name of the strategy.
    pub strategy: String,
    /// The market that a policy was trained in, or whose parameters a classical hedge assumes.
    pub made_for: String,
    /// The market of the test paths.
    pub tested_in: String,
    /// Trainings behind it, 1 for hedges that are not trained.
    pub seeds: usize,
    /// The trained risk measure of the P&L on the test paths.
    pub risk: Estimate,
    /// Its change against the same strategy made for the market of the test, as a fraction; paired on paths and seeds.
    pub change: Estimate,
}

/// Columns strategy, made_for, tested_in, seeds, risk, change and their standard errors.
///
/// # Errors
/// Those of the table.
pub fn to_frame(results: &[Crossed]) -> Result<DataFrame> {
    let texts = |of: fn(&Crossed) -> &str| results.iter().map(of).collect::<Vec<_>>();
    let numbers = |of: fn(&Crossed) -> f64| results.iter().map(of).collect::<Vec<_>>();
    let seeds: Vec<u32> = results.iter().map(|r| r.seeds as u32).collect();
    let columns = vec![
        Column::new("strategy".into(), texts(|r| &r.strategy)),
        Column::new("made_for".into(), texts(|r| &r.made_for)),
        Column::new("tested_in".into(), texts(|r| &r.tested_in)),
        Column::new("seeds".into(), seeds),
        Column::new("risk".into(), numbers(|r| r.risk.value)),
        Column::new(
            "risk_standard_error".into(),
            numbers(|r| r.risk.standard_error),
        ),
        Column::new("change".into(), numbers(|r| r.change.value)),
        Column::new(
            "change_standard_error".into(),
            numbers(|r| r.change.standard_error),
        ),
    ];
    Ok(DataFrame::new_infer_height(columns)?)
}
