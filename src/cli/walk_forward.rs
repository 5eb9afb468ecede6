use super::Output;
use super::compare::{BacktestChanges, settings};
use super::stop::Stop;
use crate::error::{Error, Result};
use crate::report::text::{WIDTH, tables};
use crate::runs::atomic::write_atomically;
use crate::runs::store::{self, RunFolder};
use crate::strategy::Plan;
use crate::walk_forward::{self, Doing, FIGURE, Finished, Prepared, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// Begins a walk-forward of a strategy file, or goes on with that of a run.
pub fn run(
    what: &str,
    changes: &BacktestChanges,
    page: Option<&Path>,
    root: &Path,
) -> Result<Output> {
    let file = Path::new(what);
    let is_file = file.is_file() || what.ends_with(".toml");
    let prepared = if is_file {
        let plan = Plan::load(file, |raw| changes.apply(raw))?;
        settings(&plan, what)?;
        Prepared::new(plan, root)?
    } else {
        let prepared = Prepared::again(store::open(root, what)?)?;
        if changes.any() {
            return Err(Error::input(format!(
                "run `{what}` goes on with its own data and dates: give no --data, --start, --end, --repair or --days-per-year"
            )));
        }
        prepared
    };
    let finished = carried_out(&prepared, &Stop::on_signals()?)?;
    let results = &finished.results;
    if let Some(page) = page {
        let picture = page.with_extension("svg");
        let name = picture.file_name().unwrap_or_default().to_string_lossy();
        let command = is_file.then(|| {
            format!(
                "deephedge backtest {what} --walk-forward --page {}",
                page.display()
            )
        });
        let Prepared {
            plan,
            settings,
            walk,
            ..
        } = &prepared;
        let text = walk_forward::page(&name, command.as_deref(), plan, settings, walk, results);
        write_atomically(page, |file| file.write_all(text.as_bytes()))?;
        if let Some(svg) = prepared.folder.read_bytes(FIGURE)? {
            write_atomically(&picture, |file| file.write_all(&svg))?;
        }
    }
    Ok(output(&prepared, &finished))
}

/// Carries the run of a folder out until `stop` says so.
pub fn job(folder: RunFolder, stop: &Stop) -> Result<Output> {
    let prepared = Prepared::again(folder)?;
    let finished = carried_out(&prepared, stop)?;
    Ok(output(&prepared, &finished))
}

fn carried_out(prepared: &Prepared, stop: &Stop) -> Result<Finished> {
    let bar = ProgressBar::new(1000).with_style(
        ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} % {msg}")
            .expect("a valid template"),
    );
    let finished = prepared.carry_out(&mut |at| {
        let Progress {
            window,
            windows,
            doing:
                Doing::Training {
                    strategy,
                    seed,
                    training,
                },
        } = at;
        bar.set_prefix(format!("window {} of {windows}", window + 1));
        bar.set_message(format!("training {strategy}, seed {seed}"));
        bar.set_position((1000.0 * training.done()) as u64);
        stop.check()
    });
    bar.finish_and_clear();
    finished
}

fn output(prepared: &Prepared, finished: &Finished) -> Output {
    let folder = &prepared.folder;
    let document = json!({
        "run": finished.metrics.run,
        "backtest": finished.metrics.backtest,
        "walk_forward": finished.results,
    });
    let text = format!(
        "{}\nreport: {}\npage: {}",
        tables(&finished.metrics, WIDTH),
        folder.path().join("report.html").display(),
        folder.path().join("walk_forward.md").display(),
    );
    Output { text, document }
}
