//! The training loop: simulate, sweep forward, measure the risk, sweep back, step.

#[cfg(test)]
mod band_tests;
mod checkpoint;
mod clock;
mod curve;
mod hedge;
#[cfg(test)]
mod methods_tests;
#[cfg(test)]
mod ranks_tests;
#[cfg(test)]
mod resume_tests;
#[cfg(test)]
mod scale_tests;
mod screening;
mod step;
#[cfg(test)]
mod tests;
mod thinning;

pub use checkpoint::Checkpoint;
pub use curve::{TrainingPoint, ValidationSummary};
pub use hedge::Hedge;

use crate::error::{Error, Result};
use crate::market::{PathSource, Paths, Simulator};
use crate::network::Parameters;
use crate::optimizer::{State, Tensors, WeightAverage};
use crate::random::Purpose;
use crate::strategy::{Length, OptimizerPlan, Plan};
use clock::Start;
use std::time::Duration;
use step::Step;

/// A trained policy.
pub struct Trained {
    /// The weights of the policy, averaged if the optimizer averages them.
    pub parameters: Parameters,
    /// The training curve, a point for every step.
    pub points: Vec<TrainingPoint>,
    /// Seconds of training, validation excluded.
    pub seconds: f64,
}

/// Trains the plan's policy from the initial weights and on the paths that `seed` gives; optimizers with the
/// same number of paths a step see the same ones. `progress` is called after every step.
///
/// # Errors
/// If the risk is no longer finite, or an operation fails; that of `progress`, which ends the training.
pub fn train(
    plan: &Plan,
    optimizer: &OptimizerPlan,
    seed: u64,
    progress: impl FnMut(&Training<'_>) -> Result<()>,
) -> Result<Trained> {
    let simulated = Simulated::new(plan, seed);
    let initial = Parameters::random(plan.shape.maps(), seed)?;
    train_on(plan, optimizer, simulated.sources(), initial, progress)
}

/// The simulators of a plan's training and validation paths.
pub struct Simulated {
    training: Simulator,
    validation: Simulator,
}

impl Simulated {
    /// The simulators whose paths `seed` gives.
    pub fn new(plan: &Plan, seed: u64) -> Self {
        Self {
            training: Simulator {
                sampling: plan.sampling,
                ..plan.simulator(seed, Purpose::Training)
            },
            validation: plan.simulator(seed, Purpose::Validation),
        }
    }

    /// Both as sources of paths.
    pub fn sources(&self) -> Sources<'_> {
        Sources {
            training: &self.training,
            validation: &self.validation,
        }
    }
}

/// Where paths come from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The source of the batches that steps are taken on.
    pub training: &'a dyn PathSource,
    /// The source of the paths that the risk is watched on.
    pub validation: &'a dyn PathSource,
}

/// Trains the plan's policy like [`train`], from weights and on paths that are given.
///
/// # Errors
/// Those of [`train`].
pub fn train_on(
    plan: &Plan,
    optimizer: &OptimizerPlan,
    sources: Sources<'_>,
    initial: Parameters,
    mut progress: impl FnMut(&Training<'_>) -> Result<()>,
) -> Result<Trained> {
    let mut training = Training::new(plan, optimizer, sources, initial)?;
    while !training.is_over() {
        training.advance()?;
        progress(&training)?;
    }
    training.finish()
}

/// A training under way, step by step. Every rank of the plan has the same weights, optimizer and curve, but for the seconds, and
/// its own part of the paths.
pub struct Training<'a> {
    plan: &'a Plan,
    optimizer: &'a OptimizerPlan,
    parameters: Parameters,
    step: Step<'a>,
    /// Paths, and what their contracts are sold for beyond the plan's premium.
    validation: Option<(Paths<f32>, Option<Vec<f64>>)>,
    average: WeightAverage,
    points: Vec<TrainingPoint>,
    /// Of the last step, if it was validated.
    validated: Option<ValidationSummary>,
    /// Time of training, validation excluded; where the length is in seconds, that of rank 0.
    spent: Duration,
}

impl<'a> Training<'a> {
    /// Before the first step, from the weights `initial`.
    ///
    /// # Errors
    /// Those of [`Plan::quotes`].
    pub fn new(
        plan: &'a Plan,
        optimizer: &'a OptimizerPlan,
        sources: Sources<'a>,
        initial: Parameters,
    ) -> Result<Self> {
        Self::at(plan, optimizer, sources, initial, (0, plan.money_unit()))
    }

    /// Goes on from a checkpoint of the same plan, optimizer and sources, in the unit of money that it was begun in: to the
    /// same bits, if the plan's length is in steps.
    ///
    /// # Errors
    /// If the checkpoint does not fit the plan or the optimizer.
    pub fn resume(
        plan: &'a Plan,
        optimizer: &'a OptimizerPlan,
        sources: Sources<'a>,
        checkpoint: Checkpoint,
    ) -> Result<Self> {
        let parameters = Parameters::new(plan.shape.maps(), checkpoint.parameters)?;
        let steps = checkpoint.points.len();
        let begun = (steps, checkpoint.money_unit);
        let mut training = Self::at(plan, optimizer, sources, parameters, begun)?;
        State::restore(&mut *training.step.optimizer, checkpoint.optimizer)?;
        State::restore(&mut training.average, checkpoint.average)?;
        match &mut training.step.screening {
            Some(screening) => State::restore(screening, checkpoint.screening)?,
            None if checkpoint.screening.is_empty() => {}
            None => {
                return Err(Error::input(
                    "the checkpoint is of a training on screened paths",
                ));
            }
        }
        training.spent = Duration::try_from_secs_f64(checkpoint.seconds)
            .map_err(|error| Error::input(format!("checkpoint `seconds`: {error}")))?;
        training.points = checkpoint.points;
        Ok(training)
    }

    fn at(
        plan: &'a Plan,
        optimizer: &'a OptimizerPlan,
        sources: Sources<'a>,
        parameters: Parameters,
        (step, unit): (usize, f64),
    ) -> Result<Self> {
        let quotes = plan.quotes()?;
        let validation = (plan.validation.paths > 0).then(|| {
            let count = plan.validation.paths;
            let mut paths = Paths::over(&plan.ranks, count, quotes.layout());
            step::fill(sources.validation, &quotes, 0, &mut paths);
            (paths, sources.validation.premiums(0, count))
        });
        Ok(Self {
            plan,
            optimizer,
            parameters,
            step: Step::new(plan, optimizer, sources.training, step, unit)?,
            validation,
            average: WeightAverage::new(optimizer.averaging),
            points: Vec::new(),
            validated: None,
            spent: Duration::ZERO,
        })
    }

    /// What [`Self::resume`] needs to go on from here.
    ///
    /// # Errors
    /// If an operation fails.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        Ok(Checkpoint {
            parameters: self.parameters.matrices()?,
            optimizer: State::of(&mut *self.step.optimizer)?,
            average: State::of(&mut self.average)?,
            screening: match &mut self.step.screening {
                Some(screening) => State::of(screening)?,
                None => Tensors::new(),
            },
            money_unit: self.step.unit,
            seconds: self.spent.as_secs_f64(),
            points: self.points.clone(),
        })
    }

    /// The share of the training that is done, at most 1.
    pub fn done(&self) -> f64 {
        self.share(self.points.len(), self.spent).min(1.0)
    }

    /// The optimizer that takes the steps.
    pub fn optimizer(&self) -> &OptimizerPlan {
        self.optimizer
    }

    /// All steps of the training, unless its length is in seconds.
    pub fn steps(&self) -> Option<usize> {
        self.plan.steps(self.optimizer)
    }

    /// Whether all of the training is done.
    pub fn is_over(&self) -> bool {
        self.done() >= 1.0
    }

    /// The steps so far.
    pub fn points(&self) -> &[TrainingPoint] {
        &self.points
    }

    /// What the policy does on the validation paths, if that was measured at the last step.
    pub fn validation(&self) -> Option<&ValidationSummary> {
        self.validated.as_ref()
    }

    fn share(&self, steps: usize, spent: Duration) -> f64 {
        match (self.plan.steps(self.optimizer), self.plan.length) {
            (Some(all), _) => steps as f64 / all as f64,
            (None, Length::Seconds(seconds)) => spent.as_secs_f64() / seconds,
            (None, Length::Steps(_)) => unreachable!("a length in steps gives a number of steps"),
        }
    }

    /// The time that all ranks count, where the length of the training depends on it.
    fn agreed(&self, own: Duration) -> Duration {
        match self.plan.length {
            Length::Seconds(_) => Duration::from_secs_f64(self.plan.ranks.agree(own.as_secs_f64())),
            Length::Steps(_) => own,
        }
    }

    /// Takes a step and gives its point of the training curve. All ranks of the plan take it together.
    ///
    /// # Errors
    /// If the risk is no longer finite, or an operation fails.
    pub fn advance(&mut self) -> Result<&TrainingPoint> {
        let start = Start::now(self.plan.clock);
        let (number, done) = (self.points.len(), self.done());
        let mut point = self.step.take(&mut self.parameters, number, done)?;
        let over = self.share(number + 1, self.spent + self.agreed(start.elapsed()));
        if self.average.takes(over) {
            self.average.update(&self.parameters.matrices()?, over);
        }
        self.spent += self.agreed(start.elapsed());
        point.seconds = self.spent.as_secs_f64();
        // As many measurements for every optimizer, however many its steps.
        let period = self.plan.validation.period as f64 * self.optimizer.relative_steps;
        let over = self.share(number + 1, self.spent) >= 1.0;
        self.validated = None;
        if let Some((paths, premiums)) = &self.validation
            && ((number + 1).is_multiple_of(period.ceil() as usize) || over)
        {
            let policy = self.averaged()?;
            let (risk, summary) = self.step.validate(&policy, paths, premiums.as_deref())?;
            point.validation_risk = Some(risk.value);
            // JSON has no NaN; too few losses in a tail leave the error unknown.
            let error = risk.standard_error;
            point.validation_standard_error = error.is_finite().then_some(error);
            self.validated = Some(summary);
        }
        self.points.push(point);
        Ok(self.points.last().expect("it was just added"))
    }

    /// The policy of the weights so far.
    ///
    /// # Errors
    /// If an operation fails.
    pub fn finish(self) -> Result<Trained> {
        Ok(Trained {
            parameters: self.averaged()?,
            points: self.points,
            seconds: self.spent.as_secs_f64(),
        })
    }

    /// The average weights, or the present ones where nothing is averaged.
    fn averaged(&self) -> Result<Parameters> {
        match self.average.weights() {
            Some(weights) => Parameters::new(self.parameters.maps().to_vec(), weights.to_vec()),
            None => Ok(self.parameters.clone()),
        }
    }
}
