//! `backtest --walk-forward`: windows of history.

use super::changes::{BacktestChanges, is_strategy, own_data, settings};
use super::output::{Output, warn};
use super::progress::Bars;
use super::stop::Stop;
use crate::atomic::Destination;
use crate::distributed::Ranks;
use crate::error::Result;
use crate::report::text::{WIDTH, tables};
use crate::runs::store::{self, RunFolder};
use crate::strategy::Plan;
use crate::walk_forward::{self, FIGURE, Finished, Prepared};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// Begins a walk-forward of a strategy file, or goes on with that of a run.
pub fn run(
    what: &str,
    changes: &BacktestChanges,
    page: Option<&Path>,
    root: &Path,
    world: &Ranks,
) -> Result<Output> {
    let page = page.map(Page::new).transpose()?;
    let is_file = is_strategy(what);
    let prepared = if is_file {
        let plan = Plan::load(Path::new(what), |raw| changes.apply(raw))?;
        settings(&plan, what)?;
        Prepared::new(plan, root)?
    } else {
        let prepared = Prepared::again(store::open(root, what)?)?;
        if changes.any() {
            return Err(own_data(prepared.folder.id()));
        }
        prepared
    };
    let finished = carried_out(&prepared, &Stop::on_signals()?, world)?;
    let results = &finished.results;
    if let Some(page) = page {
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
    Ok(output(&prepared, &finished))
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
    let prepared = Prepared::again(folder)?;
    let finished = carried_out(&prepared, stop, world)?;
    Ok(output(&prepared, &finished))
}

fn carried_out(prepared: &Prepared, stop: &Stop, world: &Ranks) -> Result<Finished> {
    let bars = Bars::default();
    prepared.carry_out_on(world, &mut |at| {
        bars.show(&at);
        stop.check()
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
    let text = format!(
        "{}\nreport: {}\npage: {}",
        tables(&finished.metrics, WIDTH),
        folder.path().join("report.html").display(),
        folder.path().join("walk_forward.md").display(),
    );
    Output { text, document }
}
