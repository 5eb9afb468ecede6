//! The trainings of a comparison, each kept in the run's folder once it is done.

use super::Scope;
use super::outcome::{Bench, Outcome, Training};
use super::policies::{ensemble, policy_file, recurrent};
use super::turns::Turn;
use crate::error::{Error, Result};
use crate::groups::{Keeper, Work, train};
use crate::network::Parameters;
use crate::risk::{Estimate, Row};
use crate::runs::metrics::{FrontierRow, LengthRow, TrainingCurve};
use crate::runs::progress::Planned;
use crate::runs::store::{RunFolder, from_json, to_json};
use crate::runs::warnings::Disagreement;
use crate::strategy::{Length, OptimizerPlan, Plan};
use crate::training::{Simulated, TrainingPoint};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// In what a training differs from the plan.
#[derive(Debug, Clone, PartialEq)]
enum Variant {
    Main,
    /// In its number of steps.
    Length(usize),
    /// In the CVaR level or the risk aversion.
    Risk(f64),
    /// In the market, of this name.
    Market(String),
}

/// One training of a comparison.
#[derive(Debug)]
pub struct Entry {
    optimizer: OptimizerPlan,
    seed: u64,
    variant: Variant,
}

/// What is kept of a training beside its policy.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    steps: usize,
    seconds: f64,
    /// The training curve, of trainings for the main table.
    #[serde(default)]
    points: Vec<TrainingPoint>,
    /// The results on test paths, of other trainings.
    row: Option<Row>,
}

/// The trainings of a comparison, the main table's first.
pub fn entries(plan: &Plan, scope: &Scope) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |optimizer: &OptimizerPlan, variant: Variant| {
        entries.extend(scope.seeds.iter().map(|&seed| Entry {
            optimizer: optimizer.clone(),
            seed,
            variant: variant.clone(),
        }));
    };
    for optimizer in &plan.optimizers {
        add(optimizer, Variant::Main);
    }
    for optimizer in &plan.optimizers {
        for &length in &optimizer.lengths {
            if plan.length != Length::Steps(length) {
                add(optimizer, Variant::Length(length));
            }
        }
    }
    for &parameter in &scope.frontier {
        if plan.risk.parameter() != Some(parameter) {
            for optimizer in &plan.optimizers {
                add(optimizer, Variant::Risk(parameter));
            }
        }
    }
    entries
}

/// The trainings of a comparison in their order: the main table's first, and seed by seed, so that what else the machine
/// does lengthens the seconds of all methods alike.
pub fn turns<'a>(plan: &'a Plan, scope: &Scope) -> Vec<Turn<'a>> {
    let mut entries = entries(plan, scope);
    entries.sort_by_key(|entry| (entry.variant != Variant::Main, entry.seed));
    entries.into_iter().map(|entry| (plan, entry)).collect()
}

/// The trainings of one optimizer in the market called `name`.
pub fn in_market(optimizer: &OptimizerPlan, name: &str, seeds: &[u64]) -> Vec<Entry> {
    let entry = |&seed: &u64| Entry {
        optimizer: optimizer.clone(),
        seed,
        variant: Variant::Market(name.into()),
    };
    seeds.iter().map(entry).collect()
}

impl Entry {
    /// What a run that asks for it says of it.
    pub fn planned(&self, plan: &Plan) -> Planned {
        Planned {
            strategy: self.label(),
            steps: self.plan(plan).steps(&self.optimizer),
            paths: self.optimizer.paths,
            optimizer: self.optimizer.name.clone(),
            seed: self.seed,
        }
    }

    /// The policy of the training, once it is done, from a file that `read` reads.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is missing or damaged; those of `read`.
    pub fn policy(&self, read: &ReadFile<'_>, plan: &Plan) -> Result<Parameters> {
        let file = policy_file(&self.id());
        let bytes = read(&file)?.ok_or_else(|| Error::input(format!("{file} is missing")))?;
        Parameters::from_bytes(&bytes, &file, plan.shape.maps())
    }

    /// What its files are called.
    fn id(&self) -> String {
        let (name, seed) = (&self.optimizer.name, self.seed);
        match &self.variant {
            Variant::Main => format!("{name}-{seed}"),
            Variant::Market(market) => format!("{name}-in_{market}-{seed}"),
            Variant::Length(steps) => format!("{name}-steps_{steps}-{seed}"),
            Variant::Risk(parameter) => format!("{name}-risk_{parameter}-{seed}"),
        }
    }

    fn file(&self) -> String {
        format!("{}/{}.json", RunFolder::TRAININGS, self.id())
    }

    fn checkpoint(&self) -> String {
        format!("checkpoints/{}.safetensors", self.id())
    }

    fn label(&self) -> String {
        let name = &self.optimizer.name;
        match &self.variant {
            Variant::Main => name.clone(),
            Variant::Market(market) => format!("{name} in {market}"),
            Variant::Length(steps) => format!("{name}, {steps} steps"),
            Variant::Risk(parameter) => format!("{name}, risk at {parameter}"),
        }
    }

    /// The optimizer that is trained.
    pub fn optimizer(&self) -> &OptimizerPlan {
        &self.optimizer
    }

    /// The files of the training once it is done, which the run's folder must have whole.
    ///
    /// # Errors
    /// [`Error::Input`] naming what is missing or damaged.
    pub fn files(&self, folder: &RunFolder, plan: &Plan) -> Result<[String; 2]> {
        let read = |name: &str| folder.read_bytes(name);
        let checked = || {
            let kept = self.kept(&read)?;
            if kept.row.is_none() && matches!(self.variant, Variant::Length(_) | Variant::Risk(_)) {
                return Err(self.damaged());
            }
            self.policy(&read, plan).map(|_| ())
        };
        checked().map_err(|error| error.at(&format!("run `{}`", folder.id())))?;
        Ok([policy_file(&self.id()), self.file()])
    }

    fn kept(&self, read: &ReadFile<'_>) -> Result<Kept> {
        let file = self.file();
        let kept = read(&file)?.ok_or_else(|| self.damaged())?;
        from_json(&kept).map_err(|why| Error::input(format!("{file}: {why}")))
    }

    fn damaged(&self) -> Error {
        Error::input(format!("{} is damaged", self.file()))
    }

    /// The plan that is trained.
    pub fn plan(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        match self.variant {
            Variant::Main => return plan,
            Variant::Market(_) => {}
            Variant::Length(steps) => plan.length = Length::Steps(steps),
            Variant::Risk(parameter) => plan.risk = plan.risk.with_parameter(parameter),
        }
        // Curves are shown of the main table alone.
        plan.validation.paths = 0;
        plan
    }
}

/// Reads a file of the run, if it is there.
pub type ReadFile<'a> = dyn Fn(&str) -> Result<Option<Vec<u8>>> + 'a;

/// Trainings that do not depend on each other, each in its plan, in the order in which they are begun.
pub struct Trainings<'a>(pub Vec<Turn<'a>>);

impl Work for Trainings<'_> {
    fn pieces(&self) -> usize {
        self.0.len()
    }

    fn is_done(&self, piece: usize, folder: &RunFolder) -> Result<bool> {
        let (_, entry) = &self.0[piece];
        Ok(folder.path().join(entry.file()).is_file())
    }

    fn needs(&self, piece: usize) -> Vec<String> {
        vec![self.0[piece].1.checkpoint()]
    }

    fn carry_out(&self, piece: usize, keeper: &mut dyn Keeper) -> Result<Vec<u8>> {
        let (plan, entry) = &self.0[piece];
        run(plan, entry, keeper)?;
        Ok(Vec::new())
    }
}

/// Trains `entry`, from its checkpoint if there is one. The policy is written first: the file that follows it says that both are
/// there.
///
/// # Errors
/// The errors of the training and of the keeper.
fn run(plan: &Plan, entry: &Entry, keeper: &mut dyn Keeper) -> Result<()> {
    let plan = &entry.plan(plan).with_ranks(keeper.ranks().clone());
    let (optimizer, seed) = (&entry.optimizer, entry.seed);
    let (what, checkpoint) = (entry.label(), entry.checkpoint());
    let simulated = Simulated::new(plan, seed);
    let trained = train(
        keeper,
        (&what, &checkpoint),
        (plan, optimizer, seed),
        simulated.sources(),
        || Parameters::random(plan.shape.maps(), seed),
    )?;
    let parameters = &trained.parameters;
    let bytes = parameters.to_bytes(&optimizer.name, seed, &*plan.seen()?)?;
    keeper.write(&policy_file(&entry.id()), &bytes)?;
    let mut kept = Kept {
        steps: trained.points.len(),
        seconds: trained.seconds,
        points: Vec::new(),
        row: None,
    };
    match entry.variant {
        Variant::Main => kept.points = trained.points,
        Variant::Market(_) => {}
        Variant::Length(_) | Variant::Risk(_) => {
            let keeper = RefCell::new(&mut *keeper);
            let stop = || keeper.borrow_mut().busy();
            let bench = Bench {
                plan,
                history: None,
                simulated: true,
                stop: &stop,
            };
            let training = kept.training(seed);
            kept.row = recurrent(&bench, &optimizer.name, training, parameters)?
                .row()
                .cloned();
        }
    }
    let file = entry.file();
    let json = to_json(&kept).map_err(|why| Error::Computation(format!("{file}: {why}")))?;
    keeper.write(&file, &json)?;
    keeper.remove(&checkpoint)
}

impl Kept {
    fn training(&self, seed: u64) -> Training {
        Training {
            seed,
            steps: self.steps,
            seconds: self.seconds,
        }
    }
}

/// What the trainings of a comparison gave.
#[derive(Default)]
pub struct Trained {
    /// The policies of the main table, measured.
    pub outcomes: Vec<Outcome>,
    /// The curve of every training.
    pub curves: Vec<TrainingCurve>,
    /// Results of trainings of other lengths.
    pub lengths: Vec<LengthRow>,
    /// Results of trainings for other risks.
    pub frontier: Vec<FrontierRow>,
    /// Trainings whose risk on the test paths is not that on their validation paths.
    pub disagreements: Vec<Disagreement>,
}

/// Reads finished trainings and measures the policies of the main table.
///
/// # Errors
/// [`Error::Input`] if a file is damaged; those of the measurement.
pub fn measure(
    bench: &Bench<'_>,
    scope: &Scope,
    entries: &[Entry],
    read: &ReadFile<'_>,
) -> Result<Trained> {
    let plan = bench.plan;
    let mut trained = Trained::default();
    let mut members: Vec<(&str, Training, Parameters)> = Vec::new();
    let lengths = entries
        .iter()
        .any(|entry| matches!(entry.variant, Variant::Length(_)));
    let frontier = !scope.frontier.is_empty();
    for entry in entries {
        let (name, seed) = (&entry.optimizer.name, entry.seed);
        let damaged = || entry.damaged();
        let kept = entry.kept(read)?;
        match entry.variant {
            Variant::Main => {
                let parameters = entry.policy(read, plan)?;
                let outcome = recurrent(bench, name, kept.training(seed), &parameters)?;
                let row = outcome.row().cloned().ok_or_else(damaged)?;
                if let (true, Length::Steps(length)) = (lengths, plan.length) {
                    trained.lengths.push(LengthRow {
                        length,
                        row: row.clone(),
                    });
                }
                if let (true, Some(parameter)) = (frontier, plan.risk.parameter()) {
                    trained.frontier.push(FrontierRow {
                        parameter,
                        row: row.clone(),
                    });
                }
                trained
                    .disagreements
                    .extend(disagreement(plan, (name, seed), &kept.points, &row));
                trained.outcomes.push(outcome);
                members.push((name, kept.training(seed), parameters));
                trained.curves.push(TrainingCurve {
                    strategy: name.clone(),
                    seed,
                    points: kept.points,
                });
            }
            Variant::Length(length) => trained.lengths.push(LengthRow {
                length,
                row: kept.row.ok_or_else(damaged)?,
            }),
            Variant::Market(_) => {}
            Variant::Risk(parameter) => trained.frontier.push(FrontierRow {
                parameter,
                row: kept.row.ok_or_else(damaged)?,
            }),
        }
    }
    for optimizer in &plan.optimizers {
        let own = members.iter().filter(|(name, ..)| *name == optimizer.name);
        let own: Vec<(Training, &Parameters)> = own.map(|(_, one, of)| (*one, of)).collect();
        trained
            .outcomes
            .extend(ensemble(bench, &optimizer.name, &own)?);
    }
    Ok(trained)
}

/// The risk of a policy as its training measured it at the end, against that on the test paths; nothing if they agree, or
/// nothing was validated. The weights are the same, averaged or not.
fn disagreement(
    plan: &Plan,
    whose: (&str, u64),
    points: &[TrainingPoint],
    row: &Row,
) -> Option<Disagreement> {
    /// As a share of the spot.
    const ROUNDING: f64 = 1e-5;
    let last = points.last()?;
    let validation = Estimate {
        value: last.validation_risk?,
        standard_error: last.validation_standard_error?,
    };
    let test = Estimate {
        value: row.risk,
        standard_error: row.risk_standard_error,
    };
    Disagreement::between(whose, validation, test, ROUNDING * plan.market.spot)
}
