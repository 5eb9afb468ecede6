//! Shards of a walk-forward, made one run.

use super::prepared::PLAN;
use super::registered::study_plan;
use super::shares::Pieces;
use super::window::Span;
use super::{Prepared, policies};
use crate::error::{Result, at_path};
use crate::runs::merge::{self, Shards};
use crate::runs::store::{self, RunFolder};
use crate::runs::walk_forward::Phase;
use crate::strategy::Plan;
use std::path::Path;

impl Prepared {
    /// The folder of a run that has the trainings of all `shards` of a walk-forward. What is left to it is to hedge the contracts of
    /// the windows, to the bits of a run that trained its policies itself, apart from seconds, which are those of the shards.
    ///
    /// # Errors
    /// [`crate::Error::Input`] naming what a shard lacks or has damaged, or if the folder cannot be written: there is no folder
    /// then.
    pub fn merged(shards: &Shards, root: &Path) -> Result<Self> {
        let request = shards.request();
        let plan = Plan::parse(&request.strategy, |_| {})?;
        let settings = super::prepared::backtest(&plan)?;
        let (plan, walk) = plan.with_walk_forward()?;
        let pieces = Pieces::of_job(&plan, &walk, request);
        let owners = pieces.owners(&plan, shards.folders().len())?;
        let mut files: Vec<(&RunFolder, [String; 2])> = Vec::new();
        for (piece, owner) in owners.into_iter().enumerate() {
            let folder = &shards.folders()[owner - 1];
            for (number, training) in pieces.trainings(&[piece]) {
                let span = Span {
                    number,
                    known: 0..0,
                    sales: Vec::new(),
                    phase: Phase::Test,
                };
                files.push((folder, policies::files(folder, &plan, &span, training)?));
            }
        }
        let study = study_plan(&[&plan])?;
        let name = format!("{}-walk-forward", plan.name);
        let (folder, _) = store::begin(root, &name, request.clone(), |whole| {
            let windows = whole.path().join(RunFolder::WINDOWS);
            at_path(&windows, std::fs::create_dir_all(&windows))?;
            merge::copy(&files, whole)?;
            whole.write_json(PLAN, &study)?;
            shards.copy_progress(whole)
        })?;
        Ok(Self {
            plan,
            settings,
            walk,
            folder,
        })
    }
}
