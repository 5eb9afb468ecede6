//! The section `walk_forward`: how policies are trained as history goes on.

use super::raw::RawWalkForward;
use crate::bounds::{at_least, check, filled, one_of, positive};
use crate::error::{Error, Result};

/// Where training paths come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrainingPaths {
    /// The calibrated model, from variances that the window has seen.
    Model,
    /// The window's own returns, in blocks of this mean length in days.
    Bootstrap { block: f64 },
}

/// How a walk-forward backtest rolls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WalkForwardPlan {
    /// Years of returns that a window is calibrated on.
    pub years: f64,
    /// Months of sales with a window's policies.
    pub months: u32,
    /// Whether training begins with the weights of the window before.
    pub warm_start: bool,
    /// Length of a training that begins so, as a share of one from random weights.
    pub warm_share: f64,
    pub paths: TrainingPaths,
    /// Trainings of every optimizer, on seeds from the strategy's on.
    pub seeds: usize,
}

impl WalkForwardPlan {
    pub(super) fn new(raw: &mut RawWalkForward) -> Result<Self> {
        let source = filled(&mut raw.paths, "model".into());
        let bootstrap = one_of(
            "walk_forward.paths",
            &source,
            &[("model", false), ("bootstrap", true)],
        )?;
        if raw.block.is_some() && !bootstrap {
            return Err(Error::input(format!(
                "`walk_forward.block` has no meaning for the paths \"{source}\""
            )));
        }
        let paths = if bootstrap {
            let block = filled(&mut raw.block, 21.0);
            TrainingPaths::Bootstrap {
                block: check("walk_forward.block", block, block >= 1.0, "at least 1")?,
            }
        } else {
            TrainingPaths::Model
        };
        let warm_start = filled(&mut raw.warm_start, true);
        if raw.warm_share.is_some() && !warm_start {
            return Err(Error::input(
                "`walk_forward.warm_share` has no meaning without `walk_forward.warm_start`",
            ));
        }
        let warm_share = if warm_start {
            let share = filled(&mut raw.warm_share, 0.5);
            check(
                "walk_forward.warm_share",
                share,
                share > 0.0 && share <= 1.0,
                "in (0, 1]",
            )?
        } else {
            1.0
        };
        Ok(Self {
            years: positive("walk_forward.years", filled(&mut raw.years, 5.0))?,
            months: at_least(
                "walk_forward.months",
                filled(&mut raw.months, 12) as usize,
                1,
            )? as u32,
            warm_start,
            warm_share,
            paths,
            seeds: at_least("walk_forward.seeds", filled(&mut raw.seeds, 1), 1)?,
        })
    }
}
