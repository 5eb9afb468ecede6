//! The policies of windows, each kept in the run's folder once it is trained.

use super::label;
use super::shares::Pieces;
use super::window::{Shared, Span, WINDOW};
use crate::error::{Error, Result};
use crate::groups::{Keeper, Work, train};
use crate::network::Parameters;
use crate::random::Purpose;
use crate::runs::shard::Shard;
use crate::runs::store::{RunFolder, from_json, to_json};
use crate::strategy::{Length, OptimizerPlan, Plan, WalkForwardPlan};
use crate::training::{Sources, TrainingPoint};
use serde::{Deserialize, Serialize};

/// An optimizer and a seed.
pub type Training<'a> = (&'a OptimizerPlan, u64);

/// What is kept of a training beside its policy, and says that the policy is there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// Seconds of training.
    pub seconds: f64,
    /// Steps of training and the risk at their end; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// Where a training ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct End {
    /// Steps that were taken.
    pub steps: usize,
    /// The risk on training batches, averaged over the last tenth of the steps.
    pub risk: f64,
}

impl End {
    fn of(points: &[TrainingPoint]) -> Option<Self> {
        let last = points.len().div_ceil(10);
        let risks = points.iter().rev().take(last).map(|point| point.risk);
        let risk = risks.sum::<f64>() / last as f64;
        risk.is_finite().then_some(Self {
            steps: points.len(),
            risk,
        })
    }
}

/// The file of a training in the folder of a window: in the folder `of`, with the ending `ending`.
fn file(span: &Span, of: &str, (optimizer, seed): Training<'_>, ending: &str) -> String {
    span.file(&format!("{of}/{}-{seed}.{ending}", optimizer.name))
}

/// The file of a policy, in the folder of the run.
pub fn policy_file(span: &Span, training: Training<'_>) -> String {
    file(span, RunFolder::POLICIES, training, "safetensors")
}

fn kept_file(span: &Span, training: Training<'_>) -> String {
    file(span, RunFolder::TRAININGS, training, "json")
}

fn checkpoint_file(span: &Span, training: Training<'_>) -> String {
    file(span, "checkpoints", training, "safetensors")
}

/// Every optimizer of a plan with every seed of its walk-forward.
pub fn trainings<'a>(
    plan: &'a Plan,
    walk: &WalkForwardPlan,
) -> impl Iterator<Item = Training<'a>> + Clone + use<'a> {
    let seeds = plan.seed..plan.seed + walk.seeds as u64;
    let optimizers = plan.optimizers.iter();
    optimizers.flat_map(move |optimizer| seeds.clone().map(move |seed| (optimizer, seed)))
}

/// The files of a training that is done in a window, which the run's folder must have whole.
///
/// # Errors
/// [`Error::Input`] naming what is missing or damaged.
pub fn files(
    folder: &RunFolder,
    plan: &Plan,
    span: &Span,
    training: Training<'_>,
) -> Result<[String; 2]> {
    let names = [policy_file(span, training), kept_file(span, training)];
    let checked = || {
        let read = |name: &str| {
            let bytes = folder.read_bytes(name)?;
            bytes.ok_or_else(|| damaged(name, "is missing"))
        };
        let [policy, kept] = &names;
        from_json::<Kept>(&read(kept)?).map_err(|why| damaged(kept, &why))?;
        Parameters::from_bytes(&read(policy)?, policy, plan.shape.maps()).map(|_| ())
    };
    checked().map_err(|error| error.at(&format!("run `{}`", folder.id())))?;
    Ok(names)
}

/// A file of the run that does not hold what was written.
pub fn damaged(file: &str, why: &str) -> Error {
    Error::input(format!("{file}: {why}"))
}

impl<'a> Shared<'a> {
    /// Every optimizer with every seed.
    pub fn trainings(&self) -> impl Iterator<Item = Training<'a>> + Clone + use<'a> {
        trainings(self.plan, &self.walk)
    }

    /// The window before, if a training begins with the weights that it ended with there.
    fn before(&self, span: &Span) -> Option<&'a Span> {
        let before = span.number.checked_sub(1)?;
        self.walk.warm_start.then(|| &self.spans[before])
    }

    /// The files that a training of a window may begin with.
    pub fn needs(&self, span: &Span, training: Training<'_>) -> Vec<String> {
        let before = self
            .before(span)
            .map(|before| policy_file(before, training));
        let own = [
            policy_file(span, training),
            kept_file(span, training),
            checkpoint_file(span, training),
        ];
        own.into_iter().chain(before).collect()
    }

    /// The policy of a training in a window and how that ended; trained unless the run has it.
    ///
    /// # Errors
    /// The errors of the calibration, the training and the keeper.
    pub fn policy(
        &self,
        span: &Span,
        training: Training<'_>,
        keeper: &mut dyn Keeper,
    ) -> Result<(Parameters, Kept)> {
        let (optimizer, seed) = training;
        let known = self.known(span)?;
        let maps = || known.plan.shape.maps();
        let weights = |file: &str, keeper: &mut dyn Keeper| {
            let bytes = keeper.read(file)?;
            let bytes = bytes.ok_or_else(|| damaged(file, "is missing"))?;
            Parameters::from_bytes(&bytes, file, maps())
        };
        let (policy, file) = (policy_file(span, training), kept_file(span, training));
        if let Some(kept) = keeper.read(&file)? {
            let kept: Kept = from_json(&kept).map_err(|why| damaged(&file, &why))?;
            return Ok((weights(&policy, keeper)?, kept));
        }
        let warm = match self.before(span) {
            Some(before) => Some(weights(&policy_file(before, training), keeper)?),
            None => None,
        };
        let mut plan = known.plan.with_ranks(keeper.ranks().clone());
        plan.seed = seed;
        if warm.is_some() {
            plan.length = match plan.length {
                Length::Steps(steps) => {
                    let share = steps as f64 * self.walk.warm_share;
                    Length::Steps((share.ceil() as usize).max(1))
                }
                Length::Seconds(seconds) => Length::Seconds(seconds * self.walk.warm_share),
            };
        }
        let rate_share = match warm {
            Some(_) => self.walk.warm_rate_share,
            None => 1.0,
        };
        let optimizer = &optimizer.with_rate_share(rate_share)?;
        let source = |purpose| self.source(&plan, &known.calibration, span, purpose);
        let (paths, validation) = (source(Purpose::Training), source(Purpose::Validation));
        let sources = Sources {
            training: paths.as_ref(),
            validation: validation.as_ref(),
        };
        let what = label(&optimizer.name, span.number);
        let checkpoint = checkpoint_file(span, training);
        let trained = train(
            keeper,
            (&what, &checkpoint),
            (&plan, optimizer, seed),
            sources,
            || match warm {
                Some(weights) => Ok(weights),
                None => Parameters::random(maps(), seed),
            },
        )?;
        let bytes = trained
            .parameters
            .to_bytes(&optimizer.name, seed, &*plan.seen()?)?;
        keeper.write(&policy, &bytes)?;
        let kept = Kept {
            seconds: trained.seconds,
            end: End::of(&trained.points),
        };
        let written = to_json(&kept).map_err(|why| damaged(&file, &why))?;
        keeper.write(&file, &written)?;
        keeper.remove(&checkpoint)?;
        Ok((trained.parameters, kept))
    }
}

/// The trainings of all windows that a run does, piece by piece.
pub struct Policies<'a> {
    shared: &'a Shared<'a>,
    pieces: Pieces<'a>,
    /// Those pieces that the run does.
    own: Vec<usize>,
}

impl<'a> Policies<'a> {
    /// All of them, or those of a shard.
    ///
    /// # Errors
    /// Those of [`Pieces::own`].
    pub fn new(shared: &'a Shared<'a>, shard: Option<Shard>) -> Result<Self> {
        let pieces = Pieces::new(shared.plan, &shared.walk, shared.spans.len());
        Ok(Self {
            shared,
            own: pieces.own(shared.plan, shard)?,
            pieces,
        })
    }

    /// The windows and the training of a piece.
    fn piece(&self, piece: usize) -> (&'a [Span], Training<'a>) {
        let (windows, training) = self.pieces.piece(self.own[piece]);
        (&self.shared.spans[windows], training)
    }
}

impl Work for Policies<'_> {
    fn pieces(&self) -> usize {
        self.own.len()
    }

    fn is_done(&self, piece: usize, folder: &RunFolder) -> Result<bool> {
        let (spans, training) = self.piece(piece);
        let is_there = |file: String| folder.path().join(file).is_file();
        Ok(spans
            .iter()
            .all(|span| is_there(kept_file(span, training)) || is_there(span.file(WINDOW))))
    }

    fn needs(&self, piece: usize) -> Vec<String> {
        let (spans, training) = self.piece(piece);
        let needs = |span: &Span| {
            let window = span.file(WINDOW);
            self.shared
                .needs(span, training)
                .into_iter()
                .chain([window])
        };
        spans.iter().flat_map(needs).collect()
    }

    fn carry_out(&self, piece: usize, keeper: &mut dyn Keeper) -> Result<Vec<u8>> {
        let (spans, training) = self.piece(piece);
        for span in spans {
            // A window of an older version has nothing but its policy.
            if keeper.read(&span.file(WINDOW))?.is_none() {
                self.shared.policy(span, training, keeper)?;
            }
        }
        Ok(Vec::new())
    }
}
