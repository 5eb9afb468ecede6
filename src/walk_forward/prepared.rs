//! What a walk-forward is asked for, kept in its folder.

use super::registered::study_plan;
use super::shares::Pieces;
use super::{Finished, Report, label, run_on};
use crate::distributed::Ranks;
use crate::error::{Error, Result, at_path};
use crate::runs::metrics::Request;
use crate::runs::progress::Planned;
use crate::runs::registration::{self, Registration, StudyPlan};
use crate::runs::shard::{CarriedOut, Shard};
use crate::runs::store::{self, RunFolder, STRATEGY};
use crate::strategy::{BacktestPlan, OptimizerPlan, Plan, WalkForwardPlan};
use std::cmp::Reverse;
use std::path::Path;

/// What a walk-forward does and how it is judged, in its folder.
pub(super) const PLAN: &str = "plan.json";

/// A run folder with all that is needed to carry a walk-forward out, now or after the process was stopped.
pub struct Prepared {
    /// The strategy.
    pub plan: Plan,
    /// What it says of the history.
    pub settings: BacktestPlan,
    /// What it says of the windows.
    pub walk: WalkForwardPlan,
    /// The folder of the run.
    pub folder: RunFolder,
}

impl Prepared {
    /// The folder of a new walk-forward, or of a shard of it, under a registered plan if there is one.
    ///
    /// # Errors
    /// [`Error::Input`] if the strategy cannot walk forward, the folder cannot be written, the history is at fault, or the
    /// registered plan is another one.
    pub fn new(
        plan: Plan,
        shard: Option<Shard>,
        root: &Path,
        registration: Option<&Registration>,
    ) -> Result<Self> {
        let settings = backtest(&plan)?;
        let (plan, walk) = plan.with_walk_forward()?;
        // Before the folder, so that what cannot be read leaves none.
        let study = study_plan(&[&plan])?;
        plan.check_memory(walk.seeds)?;
        if let Some(registration) = registration {
            registration.covers_one(&study)?;
        }
        let periods = study.periods.iter();
        let periods = periods.flat_map(|of| [&of.validation, &of.test].into_iter().flatten());
        let windows = periods.map(|sales| sales.windows).sum();
        let pieces = Pieces::new(&plan, &walk, windows);
        let own = pieces.trainings(&pieces.own(&plan, shard)?);
        let request = Request {
            command: Request::WALK_FORWARD.into(),
            strategy: plan.to_toml()?,
            seeds: (plan.seed..plan.seed + walk.seeds as u64).collect(),
            trainings: own.len(),
            shard,
            job_trainings: shard.map(|_| windows * plan.optimizers.len() * walk.seeds),
            ..Request::default()
        };
        let name = match shard {
            Some(shard) => shard.name_of(&plan.name),
            None => format!("{}-walk-forward", plan.name),
        };
        let (folder, _) = store::begin(root, &name, request, |folder| {
            let windows = folder.path().join(RunFolder::WINDOWS);
            at_path(&windows, std::fs::create_dir_all(&windows))?;
            folder.write_json(PLAN, &study)?;
            match registration {
                Some(registration) => folder.write_json(registration::FILE, registration),
                None => Ok(()),
            }
        })?;
        Ok(Self {
            plan,
            settings,
            walk,
            folder,
        })
    }

    /// What a folder asks for that was stopped, or not begun yet, or is complete.
    ///
    /// # Errors
    /// [`Error::Input`] if the run is no walk-forward.
    pub fn again(folder: RunFolder) -> Result<Self> {
        let not = |what: &str| Error::input(format!("run `{}`: {what}", folder.id()));
        if !folder.path().join(RunFolder::WINDOWS).is_dir() {
            return Err(not("no walk-forward"));
        }
        if let Some(request) = folder.request()? {
            request.check_version(&folder)?;
        }
        let text = folder.strategy()?.ok_or_else(|| not("no strategy.toml"))?;
        let plan =
            Plan::parse(&text, |_| {}).map_err(|error| not(&format!("{STRATEGY}: {error}")))?;
        let settings = backtest(&plan)?;
        let (plan, walk) = plan.with_walk_forward()?;
        if let Some(registration) = Registration::of_run(&folder)?
            && !folder.is_complete()
        {
            let covered = registration.covers_one(&study_plan(&[&plan])?);
            covered.map_err(|error| error.at(&format!("run `{}`", folder.id())))?;
        }
        Ok(Self {
            plan,
            settings,
            walk,
            folder,
        })
    }

    /// The newest run under `root` that does what `study` says, whether it has ended or was stopped, and that was begun under
    /// `registration` if there is one.
    ///
    /// # Errors
    /// [`Error::File`] if the root cannot be read; those of [`Self::again`].
    pub fn known(
        study: &StudyPlan,
        root: &Path,
        registration: Option<&Registration>,
    ) -> Result<Option<Self>> {
        // Runs of other kinds and of older versions have no plan.
        let same = |folder: &RunFolder| matches!(folder.read_json::<StudyPlan>(PLAN), Ok(Some(own)) if own == *study);
        let mut folders = store::folders(root)?;
        folders.retain(same);
        folders.sort_by_cached_key(|folder| Reverse((folder.created(), folder.id().to_owned())));
        for folder in folders {
            let own = Registration::of_run(&folder)?;
            let is_shard = folder.request()?.is_some_and(|of| of.shard.is_some());
            let covered = registration.is_none_or(|asked| own.is_some_and(|own| own == *asked));
            if covered && !is_shard {
                return Self::again(folder).map(Some);
            }
        }
        Ok(None)
    }

    /// Carries the run out on all ranks of a job, of which this is rank 0; see [`run_on`].
    ///
    /// # Errors
    /// Those of [`run_on`].
    pub fn carry_out_on(
        &self,
        world: &Ranks,
        report: &mut Report<'_>,
    ) -> Result<CarriedOut<Finished>> {
        let what = (&self.plan, &self.settings, self.walk);
        run_on(world, what, &self.folder, report)
    }
}

pub(super) fn backtest(plan: &Plan) -> Result<BacktestPlan> {
    let settings = plan.backtest.clone();
    settings.ok_or_else(|| Error::input("`backtest` is missing in the strategy"))
}

/// The plan of what a run asks for, and its own trainings in their order.
///
/// # Errors
/// The errors of [`Plan::parse`].
pub fn planned(request: &Request) -> Result<(Plan, Vec<Planned>)> {
    let plan = Plan::parse(&request.strategy, |_| {})?;
    let (plan, walk) = plan.with_walk_forward()?;
    let pieces = Pieces::of_job(&plan, &walk, request);
    let own = pieces.own(&plan, request.shard)?;
    let planned = |(window, (optimizer, seed))| {
        let optimizer: &OptimizerPlan = optimizer;
        Planned {
            strategy: label(&optimizer.name, window),
            optimizer: optimizer.name.clone(),
            seed,
            // Those that begin with the weights of the window before may be shorter.
            steps: (window == 0).then(|| plan.steps(optimizer)).flatten(),
            paths: optimizer.paths,
        }
    };
    let planned = pieces.trainings(&own).into_iter().map(planned).collect();
    Ok((plan, planned))
}
