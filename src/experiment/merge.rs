//! Shards of a comparison, made one run.

use super::command::Command;
use super::{Prepared, contracts, scope, turns};
use crate::error::Result;
use crate::runs::merge::{self, Shards};
use crate::runs::store::{self, RunFolder};
use crate::strategy::Plan;
use std::path::Path;

impl Prepared {
    /// The folder of a run that has the trainings of all `shards` of a comparison. What is left to it is to measure them, to
    /// the bits of a run that trained them itself, apart from seconds, which are those of the shards.
    ///
    /// # Errors
    /// [`crate::Error::Input`] naming what a shard lacks or has damaged, or if the history is at fault or the folder cannot be
    /// written: there is no folder then.
    pub fn merged(shards: &Shards, root: &Path) -> Result<Self> {
        let request = shards.request();
        let command = Command::of(request)?;
        let plan = command.part_of(Plan::parse(&request.strategy, |_| {})?);
        let contracts = contracts(&plan)?;
        let markets = turns::markets(command, &plan)?;
        let turns = turns::turns(command, &markets, &scope(request));
        let owners = turns::owners(&turns, shards.folders().len())?;
        let mut files: Vec<(&RunFolder, [String; 2])> = Vec::with_capacity(turns.len());
        for ((plan, entry), owner) in turns.iter().zip(owners) {
            let folder = &shards.folders()[owner - 1];
            files.push((folder, entry.files(folder, plan)?));
        }
        let (folder, request) = store::begin(root, &plan.name, request.clone(), |whole| {
            merge::copy(&files, whole)?;
            shards.copy_progress(whole)
        })?;
        Ok(Self {
            folder,
            plan,
            request,
            contracts,
            policies: Vec::new(),
        })
    }
}
