use super::Output;
use super::compare::{BacktestChanges, settings};
use super::stop::Stop;
use crate::error::{Error, Result, at_path};
use crate::report::text::{WIDTH, tables};
use crate::runs::atomic::write_atomically;
use crate::runs::store;
use crate::strategy::Plan;
use crate::walk_forward::{self, Doing, FIGURE, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// Where the windows of a run are.
const WINDOWS: &str = "windows";

/// Begins a walk-forward of a strategy file, or goes on with that of a run.
pub fn run(
    what: &str,
    changes: &BacktestChanges,
    page: Option<&Path>,
    root: &Path,
) -> Result<Output> {
    let file = Path::new(what);
    let is_file = file.is_file() || what.ends_with(".toml");
    let (plan, folder) = if is_file {
        (Plan::load(file, |_| {})?, None)
    } else {
        let run = store::open(root, what)?;
        if !run.path().join(WINDOWS).is_dir() {
            return Err(Error::input(format!("run `{what}` is no walk-forward")));
        }
        if changes.any() {
            return Err(Error::input(format!(
                "run `{what}` goes on with its own data and dates: give no --data, --start, --end or --repair"
            )));
        }
        let text = run
            .strategy()?
            .ok_or_else(|| Error::input(format!("run `{}` has no strategy.toml", run.id())))?;
        (Plan::parse(&text, |_| {})?, Some(run))
    };
    let settings = settings(&plan, changes, what)?;
    let (plan, walk) = plan.with_walk_forward(&settings)?;
    let folder = match folder {
        Some(folder) => folder,
        None => {
            let folder = store::create(root, &format!("{}-walk-forward", plan.name))?;
            folder.write_strategy(&plan.to_toml()?)?;
            let windows = folder.path().join(WINDOWS);
            at_path(&windows, std::fs::create_dir_all(&windows))?;
            folder
        }
    };
    let stop = Stop::on_signals()?;
    let bar = ProgressBar::new(1000).with_style(
        ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} % {msg}")
            .expect("a valid template"),
    );
    let finished = walk_forward::run(&plan, &settings, walk, &folder, &mut |at| {
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
    let finished = finished?;
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
        let text = walk_forward::page(&name, command.as_deref(), &plan, &settings, &walk, results);
        write_atomically(page, |file| file.write_all(text.as_bytes()))?;
        if let Some(svg) = folder.read_bytes(FIGURE)? {
            write_atomically(&picture, |file| file.write_all(&svg))?;
        }
    }
    let document = json!({
        "run": finished.metrics.run,
        "backtest": finished.metrics.backtest,
        "walk_forward": results,
    });
    let text = format!(
        "{}\nreport: {}\npage: {}",
        tables(&finished.metrics, WIDTH),
        folder.path().join("report.html").display(),
        folder.path().join("walk_forward.md").display(),
    );
    Ok(Output { text, document })
}
