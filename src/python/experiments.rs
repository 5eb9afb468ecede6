//! Comparisons, trainings and backtests.

use super::arrays::Trained;
use super::attended::attended;
use super::failure::{input, warn};
use super::run::{Named, Run};
use super::values::{Files, argument, day, table, whole};
use crate::error::Result;
use crate::experiment::{
    CANDIDATES, HistoryChanges, OnPaths, Prepared, Scope, TrainingChanges, are_candidates, plan_of,
    strategy_or_run, trained_alone, with_named,
};
use crate::market::history::RawReading;
use crate::runs::shard::CarriedOut;
use crate::runs::store::{self, RunFolder};
use crate::simd::InstructionSet;
use crate::strategy::{Plan, Strategy};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a strategy is: in a file, or in a dict with the keys of one.
pub enum Written {
    /// A strategy file (TOML).
    File(PathBuf),
    /// The keys of one.
    Table(toml::Table),
}

impl FromPyObject<'_, '_> for Written {
    type Error = PyErr;

    fn extract(of: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(dict) = of.cast::<PyDict>() {
            return Ok(Self::Table(table(&dict)?));
        }
        of.extract().map(Self::File).map_err(|_| {
            input(format!(
                "`strategy` must be the path of a file or a dict, was {}",
                of.get_type()
            ))
        })
    }
}

impl Written {
    /// The plan after `change` has been applied to what the strategy says.
    pub fn plan(self, change: impl FnOnce(&mut Strategy)) -> Result<Plan> {
        InstructionSet::from_environment()?;
        match self {
            Self::File(path) => Plan::load(&path, change),
            Self::Table(table) => Plan::read(table, change),
        }
    }

    /// What errors call it.
    pub fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Table(_) => "strategy".into(),
        }
    }
}

/// A strategy, or a run that has one.
pub enum StrategyOrRun {
    /// The strategy.
    Strategy(Written),
    /// The folder of the run.
    Run(RunFolder),
    /// A path or the name of a run.
    Named(String),
}

impl FromPyObject<'_, '_> for StrategyOrRun {
    type Error = PyErr;

    fn extract(of: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(run) = of.cast::<Run>() {
            // A run needs no root.
            let folder = Named::Run(run.to_owned()).folder(Path::new(""))?;
            return Ok(Self::Run(folder));
        }
        match of.extract::<Written>()? {
            Written::File(path) => Ok(Self::Named(path.display().to_string())),
            table @ Written::Table(_) => Ok(Self::Strategy(table)),
        }
    }
}

impl StrategyOrRun {
    /// The plan after `change` has been applied to what the strategy says, and the run, if it is one below `root`.
    pub fn plan(
        self,
        change: impl FnOnce(&mut Strategy),
        root: &Path,
    ) -> Result<(Plan, Option<RunFolder>)> {
        InstructionSet::from_environment()?;
        match self {
            Self::Strategy(written) => Ok((written.plan(change)?, None)),
            Self::Run(folder) => Ok((plan_of(&folder, change)?, Some(folder))),
            Self::Named(what) => strategy_or_run(&what, change, root),
        }
    }
}

/// Carries a run out, and warns of what its results must not be used without knowing.
fn carried_out(py: Python<'_>, prepared: Prepared, told: Option<Py<PyAny>>) -> PyResult<Run> {
    let folder = prepared.folder().clone();
    let note = format!(
        "what is done of it is kept: deephedge.resume({:?}) goes on",
        folder.path().display().to_string()
    );
    let done = attended(py, (told, Some(note)), move |attendant| {
        prepared.carry_out(&mut |at| attendant.tell(&at))
    })?;
    match done {
        CarriedOut::Results(finished) => warn(py, finished.metrics.warnings())?,
        // A shard's results are those of the merged run.
        CarriedOut::Shard(_) => {}
    }
    Ok(Run::of(folder))
}

/// Trains the strategy's optimizers and compares them with classical hedges on the same test paths and, if it says so, on history.
#[pyfunction]
#[pyo3(signature = (
    strategy, *, seeds = 1, optimizers = None, steps = None, seconds = None, lengths = None, frontier = vec![], tune = None,
    runs = PathBuf::from(store::DEFAULT_ROOT), progress = None
))]
#[expect(
    clippy::too_many_arguments,
    reason = "they are keyword arguments of Python"
)]
pub fn compare(
    py: Python<'_>,
    strategy: Written,
    seeds: i64,
    optimizers: Option<Vec<String>>,
    steps: Option<i64>,
    seconds: Option<f64>,
    lengths: Option<Vec<i64>>,
    frontier: Vec<f64>,
    tune: Option<i64>,
    runs: PathBuf,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Run> {
    let told = super::attended::progress(progress)?;
    let asked = Compared::new(
        (seeds, tune),
        optimizers,
        (steps, seconds, lengths),
        frontier,
    )?;
    let prepared = py.detach(|| asked.prepared(strategy, &runs))?;
    carried_out(py, prepared, told)
}

/// What is asked of a comparison.
struct Compared {
    seeds: u64,
    candidates: Option<usize>,
    optimizers: Option<Vec<String>>,
    changes: TrainingChanges,
    frontier: Vec<f64>,
}

impl Compared {
    /// Reads the arguments.
    ///
    /// # Errors
    /// [`super::failure::InputError`] with the argument, its value and its bound.
    fn new(
        (seeds, tune): (i64, Option<i64>),
        optimizers: Option<Vec<String>>,
        (steps, seconds, lengths): (Option<i64>, Option<f64>, Option<Vec<i64>>),
        frontier: Vec<f64>,
    ) -> PyResult<Self> {
        let candidates = tune.map(|count| {
            let candidates = usize::try_from(count).ok();
            let candidates = candidates.filter(|count| are_candidates(*count));
            candidates.ok_or_else(|| input(format!("`tune` must be {CANDIDATES}, was {count}")))
        });
        Ok(Self {
            seeds: whole("seeds", seeds, 1)?,
            candidates: candidates.transpose()?,
            optimizers,
            changes: changes(steps, seconds, lengths)?,
            frontier,
        })
    }

    /// The folder of the comparison of a strategy.
    fn prepared(self, strategy: Written, runs: &Path) -> Result<Prepared> {
        let plan = strategy.plan(|strategy| self.changes.apply(strategy))?;
        let plan = with_named(plan, &argument("optimizers"), self.optimizers.as_deref())?;
        for &parameter in &self.frontier {
            plan.risk.check_parameter("frontier", parameter)?;
        }
        let scope = Scope {
            seeds: (plan.seed..plan.seed + self.seeds).collect(),
            candidates: self.candidates,
            frontier: self.frontier,
            shard: None,
        };
        Prepared::comparison(&plan, &scope, runs)
    }
}

/// Compares as `compare` does, on paths and payoffs that are given as arrays.
#[pyfunction]
#[pyo3(signature = (
    spot, payoff = None, *, variance = None, strategy = None, days = None, days_per_year = None, validation_share = 0.1, test_share = 0.2,
    seeds = 1, optimizers = None, steps = None, seconds = None, lengths = None, frontier = vec![], tune = None,
    runs = PathBuf::from(store::DEFAULT_ROOT), progress = None
))]
#[expect(
    clippy::too_many_arguments,
    reason = "they are keyword arguments of Python"
)]
pub fn train_on_paths(
    py: Python<'_>,
    spot: &Bound<'_, PyAny>,
    payoff: Option<&Bound<'_, PyAny>>,
    variance: Option<&Bound<'_, PyAny>>,
    strategy: Option<&Bound<'_, PyAny>>,
    days: Option<f64>,
    days_per_year: Option<f64>,
    validation_share: f64,
    test_share: f64,
    seeds: i64,
    optimizers: Option<Vec<String>>,
    steps: Option<i64>,
    seconds: Option<f64>,
    lengths: Option<Vec<i64>>,
    frontier: Vec<f64>,
    tune: Option<i64>,
    runs: PathBuf,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Run> {
    let told = super::attended::progress(progress)?;
    let asked = Compared::new(
        (seeds, tune),
        optimizers,
        (steps, seconds, lengths),
        frontier,
    )?;
    let strategy = match strategy {
        None => toml::Table::new(),
        Some(strategy) => match strategy.cast::<PyDict>() {
            Ok(dict) => table(dict)?,
            Err(_) => {
                let kind = strategy.get_type();
                return Err(input(format!("`strategy` must be a dict, was {kind}")));
            }
        },
    };
    let given = Trained::new(spot, variance, payoff)?;
    let on = OnPaths {
        columns: given.columns()?,
        days,
        days_per_year,
        held_out: (validation_share, test_share),
    };
    let prepared = py.detach(|| -> Result<Prepared> {
        let strategy = on.strategy(strategy, &runs)?;
        asked.prepared(Written::Table(strategy), &runs)
    })?;
    carried_out(py, prepared, told)
}

/// Trains one policy and measures it on the test paths.
#[pyfunction]
#[pyo3(signature = (
    strategy, *, optimizer = None, steps = None, seconds = None, runs = PathBuf::from(store::DEFAULT_ROOT), progress = None
))]
pub fn train(
    py: Python<'_>,
    strategy: Written,
    optimizer: Option<String>,
    steps: Option<i64>,
    seconds: Option<f64>,
    runs: PathBuf,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Run> {
    let told = super::attended::progress(progress)?;
    let changes = changes(steps, seconds, None)?;
    let prepared = py.detach(|| -> Result<Prepared> {
        let place = strategy.place();
        let plan = strategy.plan(|strategy| changes.apply(strategy))?;
        let named = (argument("optimizer"), optimizer.as_deref());
        let name = trained_alone(&plan, (&named.0, named.1), &place)?;
        Prepared::training(&plan, name, &runs)
    })?;
    carried_out(py, prepared, told)
}

/// What is changed in a training.
fn changes(
    steps: Option<i64>,
    seconds: Option<f64>,
    lengths: Option<Vec<i64>>,
) -> PyResult<TrainingChanges> {
    if seconds.is_some() && (steps.is_some() || lengths.is_some()) {
        return Err(input(
            "`seconds` has no meaning beside `steps` or `lengths`",
        ));
    }
    let lengths = lengths.map(|lengths| {
        let lengths = lengths.into_iter();
        lengths.map(|length| whole("lengths", length, 1)).collect()
    });
    Ok(TrainingChanges {
        // What bounds them is the strategy's key.
        steps: steps.map(|steps| whole("steps", steps, 0)).transpose()?,
        seconds,
        lengths: lengths.transpose()?,
    })
}

/// Hedges options sold on history: with a run's policies and the classical hedges, or with a strategy's classical hedges alone.
#[pyfunction]
#[pyo3(signature = (
    what, *, data = None, surface = None, start = None, end = None, columns = None, date_format = None, decimal = None,
    repair = None, volatility_unit = None, days_per_year = None, runs = PathBuf::from(store::DEFAULT_ROOT)
))]
#[expect(
    clippy::too_many_arguments,
    reason = "they are keyword arguments of Python"
)]
pub fn backtest(
    py: Python<'_>,
    what: StrategyOrRun,
    data: Option<Files>,
    surface: Option<PathBuf>,
    start: Option<Bound<'_, PyAny>>,
    end: Option<Bound<'_, PyAny>>,
    columns: Option<BTreeMap<String, String>>,
    date_format: Option<String>,
    decimal: Option<String>,
    repair: Option<Vec<String>>,
    volatility_unit: Option<String>,
    days_per_year: Option<f64>,
    runs: PathBuf,
) -> PyResult<Run> {
    let changes = HistoryChanges {
        data: data.map(Into::into),
        surface,
        start: day("start", start)?,
        end: day("end", end)?,
        reading: RawReading {
            columns,
            date_format,
            decimal,
            volatility_unit,
            repair,
        },
        days_per_year,
    };
    let prepared = py.detach(|| -> Result<Prepared> {
        let (plan, run) = what.plan(|strategy| changes.apply(strategy), &runs)?;
        Prepared::backtest_over(plan, run.as_ref(), &runs)
    })?;
    carried_out(py, prepared, None)
}

/// Goes on with a run that was stopped: what is trained is not trained again, and the results have the same bits.
#[pyfunction]
#[pyo3(signature = (run, *, runs = PathBuf::from(store::DEFAULT_ROOT), progress = None))]
pub fn resume(
    py: Python<'_>,
    run: Named<'_>,
    runs: PathBuf,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Run> {
    let told = super::attended::progress(progress)?;
    let folder = run.folder(&runs)?;
    let prepared = py.detach(|| Prepared::again(folder, None))?;
    carried_out(py, prepared, told)
}
