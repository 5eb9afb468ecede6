//! Experiments carried out behind progress bars, and their results.

use super::output::{Output, warn, width};
use super::stop::Stop;
use crate::distributed::Ranks;
use crate::error::Result;
use crate::experiment::{Finished, Prepared};
use crate::groups::Progress;
use crate::numbers::significant;
use crate::report::text;
use crate::runs::shard::CarriedOut;
use crate::runs::store::RunFolder;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::cell::RefCell;

/// Carries a run out behind progress bars, and says what it came to: its results as `results` says them.
pub fn carried_out(
    prepared: &Prepared,
    stop: &Stop,
    world: &Ranks,
    results: impl FnOnce(&Finished) -> Output,
) -> Result<Output> {
    let bars = Bars::default();
    let carried_out = prepared.carry_out_on(world, &mut |at| {
        bars.show(&at);
        stop.check()
    })?;
    Ok(came_to(prepared.folder(), carried_out, results))
}

/// What a run came to: its results as `results` says them, or the trainings of a shard.
pub fn came_to<T>(
    folder: &RunFolder,
    carried_out: CarriedOut<T>,
    results: impl FnOnce(&T) -> Output,
) -> Output {
    match carried_out {
        CarriedOut::Results(finished) => results(&finished),
        CarriedOut::Shard(share) => Output {
            text: format!(
                "{share}: {}\nonce all shards are trained, `deephedge runs merge` makes one run of their folders",
                folder.path().display()
            ),
            document: json!({
                "run": folder.id(),
                "shard": share.shard,
                "trained": share.trained,
                "trainings": share.trainings,
            }),
        },
    }
}

/// The result with its `warnings`, which are said on standard error too.
pub fn output(finished: &Finished, mut document: Value) -> Output {
    let warnings = finished.metrics.warnings();
    warnings.iter().for_each(|warning| warn(warning));
    document["warnings"] = json!(warnings);
    // The file was written by this process; without it the text lacks what was hedged.
    let strategy = finished.folder.strategy().ok().flatten();
    let text = text::run(&finished.metrics, strategy.as_deref(), width());
    let report = finished.folder.path().join("report.html");
    Output {
        text: format!("{text}\nreport: {}", report.display()),
        document,
    }
}

/// A progress bar for everything that goes on, on standard error, if that is a terminal. They are gone when it ends.
#[derive(Default)]
pub struct Bars {
    all: MultiProgress,
    shown: RefCell<Vec<(String, ProgressBar)>>,
}

/// Bars beside each other; what several hundred ranks do has no place on a terminal.
const MOST_BARS: usize = 12;

impl Bars {
    /// Shows how far something is.
    pub fn show(&self, at: &Progress<'_>) {
        const UNITS: f64 = 1000.0;
        let (name, done, message) = match at {
            Progress::Training {
                what,
                seed,
                done,
                point,
            } => {
                let risk = significant(point.risk, 5);
                let message = format!("step {}, risk {risk}", point.step + 1);
                (format!("{what}, seed {seed}"), *done, message)
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
        let mut shown = self.shown.borrow_mut();
        let place = shown.iter().position(|(known, _)| *known == name);
        let place = match place {
            Some(place) => place,
            None if shown.len() == MOST_BARS => return,
            None => {
                let style =
                    ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} % {msg} {eta}")
                        .expect("a valid template");
                let bar = ProgressBar::new(UNITS as u64).with_prefix(name.clone());
                shown.push((name, self.all.add(bar.with_style(style))));
                shown.len() - 1
            }
        };
        let (_, bar) = &shown[place];
        bar.set_message(message);
        bar.set_position((done * UNITS) as u64);
        if done >= 1.0 {
            let (_, bar) = shown.remove(place);
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        for (_, bar) in self.shown.take() {
            bar.finish_and_clear();
        }
    }
}
