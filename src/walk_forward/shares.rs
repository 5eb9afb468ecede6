//! Which trainings of a walk-forward a shard has.

use super::policies::{Training, trainings};
use crate::error::Result;
use crate::runs::metrics::Request;
use crate::runs::shard::{Piece, Shard, owners};
use crate::strategy::{Plan, WalkForwardPlan};
use std::ops::Range;

/// The trainings of a walk-forward, as far as they do not depend on each other: each by itself or, where training starts warm,
/// those of an optimizer and a seed in all windows, one after another.
pub struct Pieces<'a> {
    each: Vec<Training<'a>>,
    windows: usize,
    warm: bool,
}

impl<'a> Pieces<'a> {
    /// Those of a walk-forward with so many windows.
    pub fn new(plan: &'a Plan, walk: &WalkForwardPlan, windows: usize) -> Self {
        Self {
            each: trainings(plan, walk).collect(),
            windows,
            warm: walk.warm_start,
        }
    }

    /// Those of the job that a run or a shard is asked for.
    pub fn of_job(plan: &'a Plan, walk: &WalkForwardPlan, request: &Request) -> Self {
        let each = trainings(plan, walk).count().max(1);
        Self::new(plan, walk, request.all_trainings() / each)
    }

    /// The number of pieces.
    pub fn count(&self) -> usize {
        match self.warm {
            true => self.each.len(),
            false => self.each.len() * self.windows,
        }
    }

    /// The windows and the training of a piece. Pieces go on from window to window, so that few windows are calibrated at a time.
    pub fn piece(&self, piece: usize) -> (Range<usize>, Training<'a>) {
        let window = piece / self.each.len();
        let windows = match self.warm {
            true => 0..self.windows,
            false => window..window + 1,
        };
        (windows, self.each[piece % self.each.len()])
    }

    /// The number of the shard, from 1, that does each piece of a walk-forward that is cut into `of` shards.
    ///
    /// # Errors
    /// Those of [`owners`].
    pub fn owners(&self, plan: &Plan, of: usize) -> Result<Vec<usize>> {
        let pieces = (0..self.count()).map(|piece| {
            let (_, (optimizer, _)) = self.piece(piece);
            Piece {
                work: plan.work(optimizer),
                kind: optimizer.name.as_str(),
            }
        });
        owners(&pieces.collect::<Vec<_>>(), of)
    }

    /// The pieces that a run does: all of them, or those of its shard.
    ///
    /// # Errors
    /// Those of [`owners`].
    pub fn own(&self, plan: &Plan, shard: Option<Shard>) -> Result<Vec<usize>> {
        let all = 0..self.count();
        let Some(shard) = shard else {
            return Ok(all.collect());
        };
        let owned = all.zip(self.owners(plan, shard.of)?);
        let own = owned.filter(|(_, owner)| *owner == shard.number);
        Ok(own.map(|(piece, _)| piece).collect())
    }

    /// The window and the training of everything that `pieces` have, window by window.
    pub fn trainings(&self, pieces: &[usize]) -> Vec<(usize, Training<'a>)> {
        let pieces = pieces.iter().map(|&piece| self.piece(piece));
        let mut all: Vec<(usize, Training<'a>)> = pieces
            .flat_map(|(windows, training)| windows.map(move |window| (window, training)))
            .collect();
        all.sort_by_key(|(window, _)| *window);
        all
    }
}
