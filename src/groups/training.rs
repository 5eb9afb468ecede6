use super::Keeper;
use super::statistics::TrainingStatistics;
use crate::error::Result;
use crate::network::Parameters;
use crate::strategy::{OptimizerPlan, Plan};
use crate::training::{Checkpoint, Sources, Trained, Training};

/// Trains the plan's policy on the ranks of the plan, from the file `checkpoint` of the run if it is there, otherwise from the
/// weights `initial`. Checkpoints are written as the keeper asks for them, and when it stops the training.
///
/// The checkpoint stays until whoever keeps the trained policy removes it.
///
/// # Errors
/// The errors of the training and of the keeper; [`crate::Error::Stopped`] after a checkpoint if the run was asked to stop.
pub fn train(
    keeper: &mut dyn Keeper,
    (what, checkpoint): (&str, &str),
    (plan, optimizer, seed): (&Plan, &OptimizerPlan, u64),
    sources: Sources<'_>,
    initial: impl FnOnce() -> Result<Parameters>,
) -> Result<Trained> {
    let before = keeper.ranks().statistics();
    let mut training = match keeper.read(checkpoint)? {
        Some(bytes) => {
            let checkpoint = Checkpoint::from_bytes(&bytes, checkpoint)?;
            Training::resume(plan, optimizer, sources, checkpoint)?
        }
        None => Training::new(plan, optimizer, sources, initial()?)?,
    };
    let begun = training.points().len();
    while !training.is_over() {
        training.advance()?;
        let told = keeper.step(what, seed, &training);
        if !matches!(told, Ok(false)) {
            let left = training.checkpoint()?;
            if keeper.ranks().is_first() {
                keeper.write(checkpoint, &left.to_bytes(checkpoint)?)?;
            }
        }
        told?;
    }
    let trained = training.finish()?;
    let ranks = keeper.ranks();
    let statistics = TrainingStatistics::new(
        (what, seed),
        (0, ranks.size()),
        trained.points.len() - begun,
        ranks.statistics() - before,
    );
    keeper.communicated(statistics);
    Ok(trained)
}
