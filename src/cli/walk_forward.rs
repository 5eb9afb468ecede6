//! `backtest --walk-forward`: windows of history.

use super::changes::{BacktestChanges, own_data, settings};
use super::output::{Output, warn, width};
use super::progress::{Bars, came_to};
use super::registration::{PreRegistered, pre_registered};
use super::stop::Stop;
use crate::atomic::Destination;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::experiment::is_strategy;
use crate::report::text;
use crate::runs::shard::{CarriedOut, Shard};
use crate::runs::store::{self, RunFolder};
use crate::strategy::Plan;
use crate::walk_forward::{self, FIGURE, Finished, Prepared, study};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// Begins a walk-forward of a strategy file, or goes on with that of a run.
pub fn run(
    what: &str,
    changes: &BacktestChanges,
    (shard, page, pre_register): (Option<Shard>, Option<&Path>, Option<&Path>),
    root: &Path,
    world: &Ranks,
) -> Result<Output> {
    if shard.is_some() && page.is_some() {
        return Err(Error::input(
            "--page: a shard has none; `backtest RUN --walk-forward --page` writes that of the merged run",
        ));
    }
    let page = page.map(Page::new).transpose()?;
    let is_file = is_strategy(what);
    let prepared = if is_file {
        let plan = Plan::load(Path::new(what), |raw| changes.apply(raw))?;
        settings(&plan, what)?;
        let registration = match pre_register {
            None => None,
            Some(file) => {
                let plan = study::planned(std::slice::from_ref(&plan))?;
                match pre_registered(file, plan)? {
                    PreRegistered::Now(output) => return Ok(output),
                    PreRegistered::Before(registration) => Some(registration),
                }
            }
        };
        Prepared::new(plan, shard, root, registration.as_ref())?
    } else {
        if pre_register.is_some() {
            return Err(Error::input(
                "--pre-register: a run goes on under the plan that it was begun with; give the strategy",
            ));
        }
        let prepared = Prepared::again(store::open(root, what)?)?;
        if shard.is_some() {
            return Err(Error::input(format!(
                "run `{}` goes on with its own trainings: give no --shard",
                prepared.folder.id()
            )));
        }
        if changes.any() {
            return Err(own_data(prepared.folder.id()));
        }
        prepared
    };
    let carried_out = carried_out(&prepared, &Stop::on_signals()?, world)?;
    if let (Some(page), CarriedOut::Results(finished)) = (page, &carried_out) {
        let results = &finished.results;
        let command = is_file.then(|| {
            format!(
                "deephedge backtest {what} --walk-forward --page {}",
                page.named
            )
        });
        let Prepared {
            plan,
            settings,
            walk,
            ..
        } = &prepared;
        let name = &page.picture_name;
        let text = walk_forward::page(name, command.as_deref(), plan, settings, walk, results);
        page.text.write(|file| file.write_all(text.as_bytes()))?;
        if let Some(svg) = prepared.folder.read_bytes(FIGURE)? {
            page.picture.write(|file| file.write_all(&svg))?;
        }
    }
    Ok(said(&prepared, carried_out))
}

/// Where the page of a walk-forward goes, and its figure beside it.
struct Page {
    named: String,
    text: Destination,
    picture: Destination,
    picture_name: String,
}

impl Page {
    /// The page at `page`, and its figure beside it.
    ///
    /// # Errors
    /// Those of [`Destination::new`].
    fn new(page: &Path) -> Result<Self> {
        let picture = page.with_extension("svg");
        let name = picture.file_name().unwrap_or_default();
        Ok(Self {
            named: page.display().to_string(),
            text: Destination::new(page)?,
            picture: Destination::new(&picture)?,
            picture_name: name.to_string_lossy().into_owned(),
        })
    }
}

/// Carries the run of a folder out until `stop` says so.
pub fn job(folder: RunFolder, stop: &Stop, world: &Ranks) -> Result<Output> {
    finish(&Prepared::again(folder)?, stop, world)
}

/// Carries a walk-forward out behind progress bars until `stop` says so, and says what it came to.
pub fn finish(prepared: &Prepared, stop: &Stop, world: &Ranks) -> Result<Output> {
    Ok(said(prepared, carried_out(prepared, stop, world)?))
}

/// Carries a walk-forward out behind progress bars until `stop` says so.
pub fn carried_out(
    prepared: &Prepared,
    stop: &Stop,
    world: &Ranks,
) -> Result<CarriedOut<Finished>> {
    let bars = Bars::default();
    prepared.carry_out_on(world, &mut |at| {
        bars.show(&at);
        stop.check()
    })
}

fn said(prepared: &Prepared, carried_out: CarriedOut<Finished>) -> Output {
    came_to(&prepared.folder, carried_out, |finished| {
        output(prepared, finished)
    })
}

fn output(prepared: &Prepared, finished: &Finished) -> Output {
    let folder = &prepared.folder;
    let mut warnings = finished.metrics.warnings();
    warnings.extend(finished.results.undetermined());
    warnings.extend(finished.results.hedges_at_bound());
    warnings.iter().for_each(|warning| warn(warning));
    let document = json!({
        "run": finished.metrics.run,
        "backtest": finished.metrics.backtest,
        "walk_forward": finished.results,
        "warnings": warnings,
    });
    let strategy = folder.strategy().ok().flatten();
    let text = format!(
        "{}\nreport: {}\npage: {}",
        text::run(&finished.metrics, strategy.as_deref(), width()),
        folder.path().join("report.html").display(),
        folder.path().join("walk_forward.md").display(),
    );
    Output { text, document }
}
