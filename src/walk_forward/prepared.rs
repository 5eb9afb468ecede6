//! What a walk-forward is asked for, kept in its folder.

use super::shares::Pieces;
use super::{Finished, Report, check, label, run_on, spans};
use crate::backtest::Calendar;
use crate::distributed::Ranks;
use crate::error::{Error, Result, at_path};
use crate::runs::metrics::Request;
use crate::runs::progress::Planned;
use crate::runs::shard::{CarriedOut, Shard};
use crate::runs::store::{self, RunFolder, STRATEGY};
use crate::strategy::{BacktestPlan, OptimizerPlan, Plan, WalkForwardPlan};
use std::path::Path;

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
    /// The folder of a new walk-forward, or of a shard of it.
    ///
    /// # Errors
    /// [`Error::Input`] if the strategy cannot walk forward, the folder cannot be written, or the history is at fault.
    pub fn new(plan: Plan, shard: Option<Shard>, root: &Path) -> Result<Self> {
        let settings = backtest(&plan)?;
        let (plan, walk) = plan.with_walk_forward()?;
        check(&settings, walk)?;
        plan.check_memory(walk.seeds)?;
        // Before the folder, so that what cannot be read leaves none.
        let histories = crate::backtest::load(&plan, &settings)?;
        let calendar = Calendar::new(&histories[0], &plan, &settings)?;
        let windows = spans(&histories[0], &calendar, &settings, &walk)?.len();
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
            at_path(&windows, std::fs::create_dir_all(&windows))
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
        Ok(Self {
            plan,
            settings,
            walk,
            folder,
        })
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
