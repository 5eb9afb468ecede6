//! A comparison that is carried out, for tests.

use super::{Prepared, Scope};
use crate::runs::store::RunFolder;
use crate::strategy::Plan;
use std::path::Path;

/// Carries out the comparison of a strategy with these seeds under `root`; its plan and its folder.
pub fn compared(root: &Path, strategy: &str, seeds: &[u64]) -> (Plan, RunFolder) {
    let plan = Plan::parse(strategy, |_| {}).unwrap();
    let scope = Scope {
        seeds: seeds.to_vec(),
        ..Scope::default()
    };
    let prepared = Prepared::comparison(&plan, &scope, root).unwrap();
    prepared.carry_out(&mut |_| Ok(())).unwrap();
    (plan, prepared.folder().clone())
}
