use super::reading::PriceFiles;
use super::stop::Stop;
use super::{Output, overridden};
use crate::error::{Error, Result, excerpt};
use crate::experiment::{self, Finished, Prepared, Progress, Scope};
use crate::report::text::{WIDTH, tables};
use crate::runs::metrics::Request;
use crate::runs::store::{self, RunFolder};
use crate::strategy::{BacktestPlan, Plan, Strategy};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What `compare` and `train` change in a strategy.
#[derive(Debug, Default, clap::Args)]
pub struct Changes {
    /// Optimisation steps instead of the strategy's.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "budget")]
    steps: Option<u64>,
    /// Seconds of training for every optimizer instead of a number of steps: `60s`, `2m`.
    #[arg(long, value_parser = super::seconds)]
    budget: Option<f64>,
}

/// What `compare` has beside its strategy.
#[derive(Debug, clap::Args)]
pub struct Comparison {
    /// Only these optimizers, separated by commas.
    #[arg(long, value_delimiter = ',')]
    optimizers: Option<Vec<String>>,
    /// Train with this many seeds, beginning with the strategy's.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// First search each optimizer's settings by successive halving from this many candidates (16 unless given), on
    /// seeds of its own; the same number of trainings and of steps for all.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "16", value_parser = candidates)]
    tune: Option<usize>,
    /// Train every optimizer for these numbers of steps too, each with its own whole schedule; instead of the
    /// strategy's `lengths`.
    #[arg(long, value_delimiter = ',', conflicts_with = "budget")]
    lengths: Option<Vec<usize>>,
    /// Train for these CVaR levels or risk aversions too: cost against risk.
    #[arg(long, value_delimiter = ',')]
    frontier: Vec<f64>,
    #[command(flatten)]
    changes: Changes,
}

pub fn compare(strategy: &Path, comparison: &Comparison, root: &Path) -> Result<Output> {
    let mut plan = load(strategy, &comparison.changes, |strategy| {
        let Some(lengths) = &comparison.lengths else {
            return;
        };
        strategy.training.lengths.clone_from(lengths);
        for optimizer in strategy.optimizers.values_mut() {
            optimizer.lengths = None;
        }
    })?;
    if let Some(names) = &comparison.optimizers {
        for name in names {
            known_optimizer(&plan, "--optimizers", name)?;
        }
        plan = plan.with_optimizers(|name| names.iter().any(|wanted| wanted == name))?;
    }
    for &parameter in &comparison.frontier {
        plan.risk.check_parameter("--frontier", parameter)?;
    }
    let scope = Scope {
        seeds: (plan.seed..plan.seed + comparison.seeds).collect(),
        candidates: comparison.tune,
        frontier: comparison.frontier.clone(),
    };
    let prepared = Prepared::comparison(&plan, &scope, root)?;
    Ok(compared(&carried_out(&prepared, &Stop::on_signals()?)?))
}

/// Goes on with a comparison that was stopped.
pub fn resume(run: &str, root: &Path) -> Result<Output> {
    let prepared = Prepared::again(store::open(root, run)?, Some("compare"))?;
    Ok(compared(&carried_out(&prepared, &Stop::on_signals()?)?))
}

/// Carries out what a run folder asks for, until standard input ends.
pub fn job(run: &str, root: &Path) -> Result<Output> {
    let stop = Stop::on_signals()?;
    stop.on_end_of_input();
    let folder = store::open_exact(root, run)?;
    let request = folder.request()?;
    if request.is_some_and(|request| request.command == Request::WALK_FORWARD) {
        return super::walk_forward::job(folder, &stop);
    }
    let prepared = Prepared::again(folder, None)?;
    Ok(compared(&carried_out(&prepared, &stop)?))
}

/// Carries a run out behind progress bars.
pub fn carried_out(prepared: &Prepared, stop: &Stop) -> Result<Finished> {
    let mut bars = Bars::default();
    let finished = prepared.carry_out(&mut |at| {
        bars.show(&at);
        stop.check()
    });
    bars.finish();
    finished
}

fn compared(finished: &Finished) -> Output {
    let metrics = &finished.metrics;
    let against_adam = metrics
        .comparisons
        .first()
        .map_or(Value::Null, |c| json!(c));
    let document = json!({
        "run": metrics.run,
        "evaluation": metrics.evaluation,
        "lengths": metrics.lengths,
        "frontier": metrics.frontier,
        "backtest": metrics.backtest,
        "comparisons": metrics.comparisons,
        "backtest_comparisons": metrics.backtest_comparisons,
        "backtest_breakdown": metrics.backtest_breakdown,
        "against_adam": against_adam,
    });
    output(finished, document)
}

/// Reads the number of candidates of a search for settings.
fn candidates(text: &str) -> std::result::Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if count >= 4 && count.is_power_of_two() => Ok(count),
        _ => Err("must be a power of two of at least 4".into()),
    }
}

pub fn train(
    strategy: &Path,
    optimizer: Option<&str>,
    changes: &Changes,
    root: &Path,
) -> Result<Output> {
    let plan = load(strategy, changes, |_| {})?;
    let name = match optimizer {
        Some(name) => {
            known_optimizer(&plan, "--optimizer", name)?;
            name
        }
        None => plan.default_optimizer().ok_or_else(|| {
            Error::input(format!("{}: `optimizers` is missing", strategy.display()))
        })?,
    };
    let prepared = Prepared::training(&plan, name, root)?;
    Ok(trained(&carried_out(&prepared, &Stop::on_signals()?)?))
}

/// Goes on with a training that was stopped.
pub fn resume_training(run: &str, root: &Path) -> Result<Output> {
    let prepared = Prepared::again(store::open(root, run)?, Some("train"))?;
    Ok(trained(&carried_out(&prepared, &Stop::on_signals()?)?))
}

fn trained(finished: &Finished) -> Output {
    let document = json!({
        "run": finished.metrics.run,
        "evaluation": finished.metrics.evaluation,
    });
    output(finished, document)
}

/// What `backtest` changes in a strategy.
#[derive(Debug, Default, clap::Args)]
pub struct BacktestChanges {
    /// Daily closes (CSV or Parquet) instead of the strategy's; given again, a file joined by date that adds implied
    /// volatility or variance.
    #[arg(long)]
    data: Option<Vec<PathBuf>>,
    /// First date of sale, such as 2004-01-31, instead of the strategy's.
    #[arg(long, value_parser = super::day)]
    start: Option<chrono::NaiveDate>,
    /// Last date of sale instead of the strategy's.
    #[arg(long, value_parser = super::day)]
    end: Option<chrono::NaiveDate>,
    #[command(flatten)]
    files: PriceFiles,
    /// Unit of implied volatilities in the data, percent or fraction, where their size does not say it.
    #[arg(long, value_name = "UNIT")]
    volatility_unit: Option<String>,
    /// Closes in a year, by which returns are annualised, instead of the number found from the dates.
    #[arg(long, value_name = "DAYS", value_parser = super::positive)]
    days_per_year: Option<f64>,
}

impl BacktestChanges {
    /// Whether anything is changed.
    pub fn any(&self) -> bool {
        let Self {
            data,
            start,
            end,
            files,
            volatility_unit,
            days_per_year,
        } = self;
        data.is_some()
            || start.is_some()
            || end.is_some()
            || files.any()
            || volatility_unit.is_some()
            || days_per_year.is_some()
    }

    /// Writes the changes into a strategy; files are relative to the working directory.
    pub fn apply(&self, strategy: &mut Strategy) {
        if strategy.backtest.is_none() && self.data.is_none() {
            return;
        }
        let backtest = strategy.backtest.get_or_insert_default();
        if let Some(files) = &self.data {
            let absolute = |file: &PathBuf| std::path::absolute(file).unwrap_or(file.clone());
            let files: Vec<PathBuf> = files.iter().map(absolute).collect();
            backtest.data = Some(files.into());
            backtest.relative_to = None;
        }
        let date = |date: Option<chrono::NaiveDate>| date.map(|date| Some(date.to_string()));
        overridden(&mut backtest.start, date(self.start));
        overridden(&mut backtest.end, date(self.end));
        backtest.read_as(self.files.raw(self.volatility_unit.as_deref()));
        overridden(&mut backtest.days_per_year, self.days_per_year.map(Some));
    }
}

/// Hedges contracts sold on history: with a strategy's classical hedges, or with a run's policies beside them. A backtest
/// that was interrupted goes on.
pub fn backtest(what: &str, changes: &BacktestChanges, root: &Path) -> Result<Output> {
    let prepared = match interrupted_backtest(what, root)? {
        Some(run) if changes.any() => return Err(own_data(run.id())),
        Some(run) => Prepared::again(run, Some(Request::BACKTEST))?,
        None => {
            let (plan, run) = strategy_or_run(what, changes, root)?;
            settings(&plan, what)?;
            Prepared::backtest_over(plan, run.as_ref(), root)?
        }
    };
    let finished = prepared.carry_out(&mut |_| Ok(()))?;
    let document = json!({
        "run": finished.metrics.run,
        "backtest": finished.metrics.backtest,
        "backtest_comparisons": finished.metrics.backtest_comparisons,
        "backtest_breakdown": finished.metrics.backtest_breakdown,
        "backtest_market": finished.metrics.backtest_market,
    });
    Ok(output(&finished, document))
}

/// What `plan` backtests.
pub fn settings<'a>(plan: &'a Plan, what: &str) -> Result<&'a BacktestPlan> {
    plan.backtest.as_ref().ok_or_else(|| {
        Error::input(format!(
            "{}: `backtest` is missing, and no --data is given",
            excerpt(what)
        ))
    })
}

fn interrupted_backtest(what: &str, root: &Path) -> Result<Option<RunFolder>> {
    if is_strategy(what) {
        return Ok(None);
    }
    let run = store::open(root, what)?;
    let request = run.request()?;
    let begun = request.is_some_and(|request| request.command == Request::BACKTEST);
    Ok(Some(run).filter(|run| begun && !run.is_complete()))
}

/// Why nothing can be changed in a run that goes on.
pub fn own_data(run: &str) -> Error {
    Error::input(format!(
        "run `{run}` goes on with its own data and dates: give no --data, --start, --end, --days-per-year, and nothing on how files are read"
    ))
}

/// Whether an argument names a strategy file rather than a run.
pub fn is_strategy(what: &str) -> bool {
    Path::new(what).is_file() || what.ends_with(".toml")
}

/// The plan of a strategy file, or that of a run and the run, with `changes`.
pub fn strategy_or_run(
    what: &str,
    changes: &BacktestChanges,
    root: &Path,
) -> Result<(Plan, Option<RunFolder>)> {
    let change = |strategy: &mut Strategy| changes.apply(strategy);
    if is_strategy(what) {
        return Ok((Plan::load(Path::new(what), change)?, None));
    }
    let run = store::open(root, what)?;
    Ok((experiment::plan_of(&run, change)?, Some(run)))
}

pub fn load(path: &Path, changes: &Changes, further: impl FnOnce(&mut Strategy)) -> Result<Plan> {
    Plan::load(path, |strategy| {
        let training = &mut strategy.training;
        if changes.budget.is_some() {
            training.lengths.clear();
            let optimizers = strategy.optimizers.values_mut();
            optimizers.for_each(|optimizer| optimizer.lengths = None);
        }
        if let Some(steps) = changes.steps {
            training.steps = steps as usize;
            training.seconds = None;
        }
        overridden(&mut training.seconds, changes.budget.map(Some));
        further(strategy);
    })
}

pub fn known_optimizer(plan: &Plan, argument: &str, name: &str) -> Result<()> {
    let names: Vec<&str> = plan
        .optimizers
        .iter()
        .map(|plan| plan.name.as_str())
        .collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(Error::input(format!(
        "{argument}: must be one of {}, was \"{}\"",
        names.join(", "),
        excerpt(name)
    )))
}

/// The result with its `warnings`, which are said on standard error too.
pub fn output(finished: &Finished, mut document: Value) -> Output {
    let warnings = finished.metrics.warnings();
    warnings.iter().for_each(|warning| super::warn(warning));
    document["warnings"] = json!(warnings);
    let tables = tables(&finished.metrics, WIDTH);
    let report = finished.folder.path().join("report.html");
    Output {
        text: format!("{tables}\nreport: {}", report.display()),
        document,
    }
}

/// One progress bar after another on standard error, if that is a terminal.
#[derive(Default)]
struct Bars {
    current: Option<(String, ProgressBar)>,
}

impl Bars {
    fn show(&mut self, at: &Progress<'_>) {
        const UNITS: f64 = 1000.0;
        let (name, done, message) = match at {
            Progress::Training {
                what,
                seed,
                training,
            } => {
                let last = training.points().last();
                let message =
                    last.map(|point| format!("step {}, risk {:.4}", point.step + 1, point.risk));
                let name = format!("{what}, seed {seed}");
                (name, training.done(), message.unwrap_or_default())
            }
            Progress::Busy => return,
            Progress::Tuning {
                strategy,
                trial,
                trials,
                done,
            } => (
                format!("{strategy}, tuning"),
                ((trial - 1) as f64 + done) / *trials as f64,
                format!("training {trial} of {trials}"),
            ),
        };
        if self
            .current
            .as_ref()
            .is_none_or(|(shown, _)| *shown != name)
        {
            self.finish();
            let style =
                ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} % {msg} {eta}")
                    .expect("a valid template");
            let bar = ProgressBar::new(UNITS as u64)
                .with_style(style)
                .with_prefix(name.clone());
            self.current = Some((name, bar));
        }
        if let Some((_, bar)) = &self.current {
            bar.set_message(message);
            bar.set_position((done * UNITS) as u64);
        }
    }

    fn finish(&mut self) {
        if let Some((_, bar)) = self.current.take() {
            bar.finish_and_clear();
        }
    }
}
