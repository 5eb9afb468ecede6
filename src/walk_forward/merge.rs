//! Shards of a walk-forward, made one run.

use super::window::{Span, trainings};
use super::{Prepared, shares};
use crate::error::{Result, at_path};
use crate::runs::merge::{self, Shards};
use crate::runs::store::{self, RunFolder};
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
        let each = trainings(&plan, &walk);
        let windows = request.all_trainings() / each.len().max(1);
        let owners = shares::shared_out(&plan, &walk, windows, shards.folders().len())?;
        let spans = (0..windows).flat_map(|number| {
            let span = Span {
                number,
                known: 0..0,
                sales: Vec::new(),
            };
            each.iter().map(move |training| (span.clone(), training))
        });
        let mut files: Vec<(&RunFolder, [String; 2])> = Vec::with_capacity(owners.len());
        for ((span, (optimizer, seed)), owner) in spans.zip(owners) {
            let (folder, name) = (&shards.folders()[owner - 1], &optimizer.name);
            span.kept(folder, name, *seed)?;
            span.policy(folder, &plan, name, *seed)?;
            let kept = span.training_file(name, *seed);
            files.push((folder, [span.policy_file(name, *seed), kept]));
        }
        let name = format!("{}-walk-forward", plan.name);
        let (folder, _) = store::begin(root, &name, request.clone(), |whole| {
            let windows = whole.path().join(RunFolder::WINDOWS);
            at_path(&windows, std::fs::create_dir_all(&windows))?;
            merge::copy(&files, whole)?;
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
