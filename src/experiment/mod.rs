//! Experiments: policies trained, measured beside classical hedges on the same paths, and written to a run folder.

mod asked;
mod calibrated;
mod command;
mod compared;
mod cross;
mod exported;
#[cfg(test)]
pub mod fixture;
mod given;
mod market_paths;
mod merge;
mod on_paths;
mod outcome;
mod policies;
mod priced;
pub mod replay;
mod results;
#[cfg(test)]
mod shared_tests;
mod simulated_price;
mod trainings;
mod tuning;
#[cfg(test)]
mod tuning_tests;
mod turns;

pub use crate::groups::{Progress, Report};
pub use asked::{
    CANDIDATES, DAY, HistoryChanges, TrainingChanges, are_candidates, day, is_strategy,
    known_optimizer, strategy_or_run, trained_alone, with_named,
};
pub use calibrated::{FitToCloses, FitToSurface, known_model, quote_document};
pub use exported::ExportedPolicy;
pub use given::{GivenAsset, GivenPaths, LoadedPolicy};
pub use market_paths::MarketPaths;
pub use on_paths::OnPaths;
pub use policies::{RunPolicies, SavedPolicy, fitted_on, indifference_prices, saved_policies};
pub use priced::{ContractSensitivities, Priced};
pub use replay::hedge_values;
pub use simulated_price::SimulatedPrice;

use crate::backtest::Contracts;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::groups::{Assignment, Crew};
use crate::hedging::{HedgeValues, TunedHedge};
use crate::runs::metrics::{Metrics, Request};
use crate::runs::progress::{Event, Planned};
use crate::runs::shard::{CarriedOut, Shard};
use crate::runs::store::{self, REQUEST, RunFolder, STRATEGY};
use crate::strategy::{BacktestPlan, Plan, Strategy, TuneOn};
use command::Command;
use outcome::Bench;
use policies::{classical, ensemble, policy_file, recurrent, tuned_on_past};
use results::{Results, finish};
use std::cell::RefCell;
use std::path::Path;
use trainings::Trainings;

/// A finished run: its folder and what `metrics.json` says.
pub struct Finished {
    /// The folder of the run.
    pub folder: RunFolder,
    /// The contents of its `metrics.json`.
    pub metrics: Metrics,
}

/// What a comparison has beside its strategy.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The seeds that every optimizer is trained with.
    pub seeds: Vec<u64>,
    /// Candidates of the search for each optimizer's settings, if they are searched.
    pub candidates: Option<usize>,
    /// CVaR levels or risk aversions that policies are trained for too.
    pub frontier: Vec<f64>,
    /// The share of the trainings that is done here, without any measurement, if the job is cut into shards.
    pub shard: Option<Shard>,
}

/// A run folder with all that is needed to carry out what it asks for, now or after the process was stopped.
pub struct Prepared {
    folder: RunFolder,
    plan: Plan,
    request: Request,
    contracts: Option<Contracts>,
    policies: Vec<SavedPolicy>,
}

impl Prepared {
    /// The folder of a new comparison.
    ///
    /// # Errors
    /// [`Error::Input`] if the folder cannot be written or the history is at fault.
    pub fn comparison(plan: &Plan, scope: &Scope, root: &Path) -> Result<Self> {
        Self::new(Command::Compare, plan.clone(), scope, root)
    }

    /// The folder of a new training of one optimizer of the plan with its seed.
    ///
    /// # Errors
    /// [`Error::Input`] if the folder cannot be written.
    pub fn training(plan: &Plan, optimizer: &str, root: &Path) -> Result<Self> {
        let plan = plan.with_optimizers(|name| name == optimizer)?;
        let scope = Scope {
            seeds: vec![plan.seed],
            ..Scope::default()
        };
        Self::new(Command::Train, plan, &scope, root)
    }

    /// The folder of a new comparison across the plan's markets.
    ///
    /// # Errors
    /// [`Error::Input`] if the plan has no further markets, or the folder cannot be written.
    pub fn crossing(plan: &Plan, scope: &Scope, root: &Path) -> Result<Self> {
        Self::new(Command::Cross, plan.clone(), scope, root)
    }

    fn new(command: Command, plan: Plan, scope: &Scope, root: &Path) -> Result<Self> {
        let strategy = plan.to_toml()?;
        let plan = command.part_of(plan);
        plan.check_memory(scope.seeds.len())?;
        // Before the folder, so that what cannot be read leaves none.
        let contracts = contracts(&plan)?;
        let markets = turns::markets(command, &plan)?;
        let turns = turns::turns(command, &markets, scope);
        let all = turns.len();
        let own = turns::own(turns, scope.shard)?;
        let request = Request {
            command: command.name().into(),
            strategy,
            seeds: scope.seeds.clone(),
            candidates: scope.candidates,
            frontier: scope.frontier.clone(),
            trainings: own.len(),
            shard: scope.shard,
            job_trainings: scope.shard.map(|_| all),
            ..Request::default()
        };
        let name = match scope.shard {
            Some(shard) => shard.name_of(&plan.name),
            None => plan.name.clone(),
        };
        let (folder, request) = store::begin(root, &name, request, |_| Ok(()))?;
        Ok(Self {
            folder,
            plan,
            request,
            contracts,
            policies: Vec::new(),
        })
    }

    /// The folder of a new backtest of the policies of the run `of`, if one is given, and the plan's classical hedges.
    ///
    /// # Errors
    /// [`Error::Input`] if the plan has no backtest, the run no policies that fit the plan, or the history is at fault.
    pub fn backtest_over(plan: Plan, of: Option<&RunFolder>, root: &Path) -> Result<Self> {
        if plan.backtest.is_none() {
            let run = of.map_or(String::new(), |of| format!("run `{}`: ", of.id()));
            return Err(Error::input(format!(
                "{run}`backtest` is missing in the strategy"
            )));
        }
        let policies = match of {
            Some(of) => saved_policies(of, &plan)?,
            None => Vec::new(),
        };
        let contracts = contracts(&plan)?;
        let here = |of: &RunFolder| store::open_exact(root, of.id()).is_ok();
        let request = Request {
            command: Command::Backtest.name().into(),
            strategy: plan.to_toml()?,
            policies: of.map(|of| match here(of) {
                true => of.id().to_owned(),
                false => of.path().display().to_string(),
            }),
            ..Request::default()
        };
        let name = format!("{}-backtest", plan.name);
        let (folder, request) = store::begin(root, &name, request, |_| Ok(()))?;
        Ok(Self {
            folder,
            plan,
            request,
            contracts,
            policies,
        })
    }

    /// What a folder asks for that was stopped, or not begun yet; `command` if it must be of one kind.
    ///
    /// # Errors
    /// [`Error::Input`] if the run is none of these or is complete, or its history is at fault.
    pub fn again(folder: RunFolder, command: Option<&str>) -> Result<Self> {
        let not = |what: &str| Error::input(format!("run `{}`: {what}", folder.id()));
        let request = folder
            .request()?
            .ok_or_else(|| not("nothing says how to go on with it; `runs delete` removes it"))?;
        let made = &request.command;
        if command.is_some_and(|command| command != made) {
            return Err(not(&format!(
                "made by `{made}`, go on with `{}`",
                request.resumption(folder.id())
            )));
        }
        if folder.is_complete() {
            return Err(not("complete, there is nothing to resume"));
        }
        request.check_version(&folder)?;
        let plan = Command::of(&request)?.part_of(asked_for(&folder, &request)?);
        if request.trainings > 0 {
            plan.check_memory(request.seeds.len())?;
        }
        let policies = match &request.policies {
            Some(of) => {
                let root = folder.path().parent().unwrap_or(Path::new("."));
                saved_policies(&store::open(root, of)?, &plan)?
            }
            None => Vec::new(),
        };
        Ok(Self {
            contracts: contracts(&plan)?,
            folder,
            plan,
            request,
            policies,
        })
    }

    /// The folder of the run.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Does what is not done yet. For a comparison: trains every optimizer of the plan with every seed, for every length
    /// and risk, after its settings have been searched where that is asked for, hedges the test paths with the policies
    /// and the classical hedges, and backtests all of them if the plan says so.
    ///
    /// Trainings and trials in the folder are not repeated, and a training that was stopped goes on from its checkpoint:
    /// the result has the bits of a run that was never stopped, apart from seconds. A shard does its own trainings, and
    /// measures nothing.
    ///
    /// # Errors
    /// [`Error::Input`] if another process is carrying the run out; errors of the training; the error of `report`.
    pub fn carry_out(&self, report: &mut Report<'_>) -> Result<CarriedOut<Finished>> {
        self.carry_out_on(&Ranks::alone(), report)
    }

    /// [`Self::carry_out`] on all ranks of a job, of which this is rank 0; the others do [`take_part`]. What comes out has the same
    /// bits, apart from seconds. A backtest is carried out by rank 0 alone.
    ///
    /// # Errors
    /// Those of [`Self::carry_out`].
    pub fn carry_out_on(
        &self,
        world: &Ranks,
        report: &mut Report<'_>,
    ) -> Result<CarriedOut<Finished>> {
        let command = Command::of(&self.request)?;
        let alone = Ranks::alone();
        let ranks = if command.is_shared() { world } else { &alone };
        let mut crew = Crew::first(ranks, &self.folder, report)?;
        crew.call(|| Assignment {
            request: self.request.clone(),
        });
        let result = self.finished(command, &mut crew);
        let id = self.folder.id();
        let result = result.map_err(|error| match error {
            Error::Stopped(_) => Error::Stopped(format!(
                "run `{id}`: stopped; go on with `{}`",
                self.request.resumption(id)
            )),
            error => error,
        });
        crew.end(&result)?;
        result
    }

    fn finished(&self, command: Command, crew: &mut Crew<'_>) -> Result<CarriedOut<Finished>> {
        let (plan, request, folder) = (&self.plan, &self.request, &self.folder);
        if let Some(shard) = request.shard {
            train(command, plan, &scope(request), crew)?;
            return Ok(CarriedOut::Shard(folder.share_of(shard)?));
        }
        let finished = match command {
            Command::Backtest => match (&plan.backtest, &self.contracts) {
                (Some(settings), Some(contracts)) => {
                    backtest_in(folder.clone(), plan, settings, contracts, &self.policies)
                }
                (None, _) | (_, None) => Err(Error::input(
                    "a backtest needs `backtest.data` or `backtest.surface`",
                )),
            },
            Command::Cross => {
                let results = crossed(plan, request, crew)?;
                finish("cross", plan, folder.clone(), results, None)
            }
            Command::Compare | Command::Train => {
                let contracts = self.contracts.as_ref();
                let (plan, results) = compare(plan, contracts, request, crew)?;
                let backtest = plan.backtest.as_ref().zip(contracts);
                finish(&request.command, &plan, folder.clone(), results, backtest)
            }
        };
        finished.map(CarriedOut::Results)
    }
}

/// Takes part in a run that rank 0 of the job carries out, as any other rank; `stop` is asked between steps whether to go on.
///
/// # Errors
/// Those of [`Prepared::carry_out`], of which rank 0 tells the user.
pub fn take_part(
    world: &Ranks,
    assignment: &Assignment,
    stop: &dyn Fn() -> Result<()>,
) -> Result<()> {
    let request = &assignment.request;
    let command = Command::of(request)?;
    let plan = command.part_of(Plan::parse(&request.strategy, |_| {})?);
    let mut crew = Crew::other(world, stop);
    if request.shard.is_some() {
        return train(command, &plan, &scope(request), &mut crew).map(|_| ());
    }
    match command {
        Command::Compare | Command::Train => compare(&plan, None, request, &mut crew).map(|_| ()),
        Command::Cross => crossed(&plan, request, &mut crew).map(|_| ()),
        Command::Backtest => Err(Error::Computation(
            "a backtest is carried out by rank 0 alone".into(),
        )),
    }
}

/// Does what the run does not have yet of its own trainings, in the markets of the command, which come back.
fn train(
    command: Command,
    plan: &Plan,
    scope: &Scope,
    crew: &mut Crew<'_>,
) -> Result<Vec<(String, Plan)>> {
    let markets = turns::markets(command, plan)?;
    let plans = || markets.iter().map(|(_, plan)| plan);
    crew.on_every_rank(|stop| plans().try_for_each(|plan| plan.make_quotes(stop)))?;
    let own = turns::own(turns::turns(command, &markets, scope), scope.shard)?;
    crew.each(&Trainings(own), plan.ranks_per_training)?;
    Ok(markets)
}

/// What a comparison across markets finds.
fn crossed(plan: &Plan, request: &Request, crew: &mut Crew<'_>) -> Result<Results> {
    let markets = train(Command::Cross, plan, &scope(request), crew)?;
    cross::measure(&markets, plan, &request.seeds, crew)
}

/// What a comparison finds, and the plan with the settings that it has found; on history, which rank 0 alone needs, only there.
fn compare(
    plan: &Plan,
    contracts: Option<&Contracts>,
    request: &Request,
    crew: &mut Crew<'_>,
) -> Result<(Plan, Results)> {
    let command = Command::of(request)?;
    crew.on_every_rank(|stop| plan.make_quotes(stop))?;
    let scope = scope(request);
    let mut plan = plan.clone();
    let mut tuning = Vec::new();
    if let Some(candidates) = scope.candidates {
        for optimizer in plan.optimizers.clone() {
            let (best, mut trials) = tuning::tune(&plan, &optimizer, candidates, crew)?;
            tuning.append(&mut trials);
            plan = plan.with_optimizer(&best)?;
        }
        crew.on_first(|folder| folder.write_strategy(&plan.to_toml()?))?;
    }
    train(command, &plan, &scope, crew)?;
    crew.event(&Event::Measuring)?;
    let shared = plan.with_ranks(crew.world().clone());
    let crew = RefCell::new(crew);
    let stop = || crew.borrow_mut().busy();
    let bench = Bench {
        plan: &shared,
        history: contracts.map(|contracts| (contracts, &plan)),
        simulated: true,
        stop: &stop,
    };
    let read = |name: &str| crew.borrow().read(name);
    let entries = trainings::entries(&plan, &scope);
    // Policies, then hedges searched for, then these: each may take minutes.
    let measured = |done| crew.borrow_mut().event(&Event::Measured { done, of: 3 });
    let mut trained = trainings::measure(&bench, &scope, &entries, &read)?;
    measured(1)?;
    let hedges = match (plan.tune_on, &plan.backtest) {
        (TuneOn::Past, Some(_)) => {
            let find = || match contracts {
                // Rank 0 alone is at it, and nobody is asked meanwhile whether to go on.
                Some(contracts) => tuned_on_past(&plan, contracts, &mut || Ok(())),
                None => Err(Error::input(
                    "hedges that are tuned on the past need a history",
                )),
            };
            tuned_by_first(&plan, &crew.borrow(), find)?
        }
        (TuneOn::Past, None) | (TuneOn::Model, _) => shared.tuned_hedges(&mut || stop())?,
    };
    measured(2)?;
    trained.outcomes.extend(classical(&bench, &hedges)?);
    let results = Results {
        seeds: scope.seeds,
        training: trained.curves,
        tuning,
        lengths: trained.lengths,
        frontier: trained.frontier,
        outcomes: trained.outcomes,
        hedges,
        best_classical: Vec::new(),
        crossed: Vec::new(),
        disagreements: trained.disagreements,
    };
    Ok((plan, results))
}

/// The plan's hedges as rank 0 finds them. Other ranks, which have no history, hear their parameters.
fn tuned_by_first(
    plan: &Plan,
    crew: &Crew<'_>,
    find: impl FnOnce() -> Result<Vec<TunedHedge>>,
) -> Result<Vec<TunedHedge>> {
    let mut found = Vec::new();
    let values: Vec<Vec<f64>> = crew.from_first(|| {
        found = find()?;
        Ok(found.iter().map(|one| one.values.to_list()).collect())
    })?;
    if crew.world().is_first() {
        return Ok(found);
    }
    let hedges = plan.hedges.iter().zip(&values);
    Ok(hedges
        .map(|(hedge, values)| TunedHedge {
            hedge: *hedge,
            values: HedgeValues::of_list(values),
            tuned: Vec::new(),
            coefficients: Vec::new(),
            risk: f64::NAN,
        })
        .collect())
}

fn scope(request: &Request) -> Scope {
    Scope {
        seeds: request.seeds.clone(),
        candidates: request.candidates,
        frontier: request.frontier.clone(),
        shard: request.shard,
    }
}

/// The plan of what a run asks for, and its own trainings in their order, from the strategy as it was before any search for
/// settings.
///
/// # Errors
/// The errors of [`Plan::parse`].
pub fn planned(request: &Request) -> Result<(Plan, Vec<Planned>)> {
    let command = Command::of(request)?;
    let plan = command.part_of(Plan::parse(&request.strategy, |_| {})?);
    let markets = turns::markets(command, &plan)?;
    let turns = turns::turns(command, &markets, &scope(request));
    let own = turns::own(turns, request.shard)?.into_iter();
    let trainings = own.map(|(plan, entry)| entry.planned(plan)).collect();
    Ok((plan, trainings))
}

/// The plan of a run's strategy after `change` has been applied to what it says.
///
/// # Errors
/// [`Error::Input`] if it has none, or a damaged one.
pub fn plan_of(run: &RunFolder, change: impl FnOnce(&mut Strategy)) -> Result<Plan> {
    let text = run
        .strategy()?
        .ok_or_else(|| Error::input(format!("run `{}` has no {STRATEGY}", run.id())))?;
    Plan::parse(&text, change)
        .map_err(|error| Error::input(format!("run `{}`: {STRATEGY}: {error}", run.id())))
}

/// The plan of what a run asks for.
fn asked_for(run: &RunFolder, request: &Request) -> Result<Plan> {
    Plan::parse(&request.strategy, |_| {}).map_err(|error| {
        Error::input(format!(
            "run `{}`: {REQUEST}: `strategy`: {error}",
            run.id()
        ))
    })
}

type Backtest<'a> = Option<(&'a BacktestPlan, &'a Contracts)>;

fn contracts(plan: &Plan) -> Result<Option<Contracts>> {
    let settings = plan.backtest.as_ref();
    settings
        .map(|settings| Contracts::cut(plan, settings))
        .transpose()
}

/// Hedges contracts sold on history with the policies of a run and the plan's classical hedges.
fn backtest_in(
    folder: RunFolder,
    plan: &Plan,
    settings: &BacktestPlan,
    contracts: &Contracts,
    policies: &[SavedPolicy],
) -> Result<Finished> {
    let bench = Bench {
        plan,
        history: Some((contracts, plan)),
        simulated: false,
        stop: &|| Ok(()),
    };
    let mut outcomes = policies
        .iter()
        .map(|policy| {
            let SavedPolicy {
                strategy,
                training,
                parameters,
            } = policy;
            // Kept with the run, so that the folder stands alone.
            let id = format!("{strategy}-{}", training.seed);
            let bytes = parameters.to_bytes(strategy, training.seed, &*plan.seen()?)?;
            folder.write_bytes(&policy_file(&id), &bytes)?;
            recurrent(&bench, strategy, *training, parameters)
        })
        .collect::<Result<Vec<_>>>()?;
    for optimizer in &plan.optimizers {
        let own = policies.iter().filter(|one| one.strategy == optimizer.name);
        let own: Vec<_> = own.map(|one| (one.training, &one.parameters)).collect();
        outcomes.extend(ensemble(&bench, &optimizer.name, &own)?);
    }
    let hedges = match plan.tune_on {
        TuneOn::Past => tuned_on_past(plan, contracts, &mut || Ok(()))?,
        TuneOn::Model => plan.tuned_hedges(&mut || Ok(()))?,
    };
    outcomes.extend(classical(&bench, &hedges)?);
    let mut seeds: Vec<u64> = policies.iter().map(|policy| policy.training.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let results = Results {
        outcomes,
        hedges,
        ..Results::of(seeds)
    };
    finish(
        "backtest",
        plan,
        folder,
        results,
        Some((settings, contracts)),
    )
}
