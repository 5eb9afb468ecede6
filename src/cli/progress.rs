//! Experiments carried out behind progress bars, and their results.

use super::output::{Output, warn};
use super::stop::Stop;
use crate::error::Result;
use crate::experiment::{Finished, Prepared, Progress};
use crate::numbers::significant;
use crate::report::text::{WIDTH, tables};
use crate::runs::shard::CarriedOut;
use crate::runs::store::RunFolder;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

/// Carries a run out behind progress bars, and says what it came to: its results as `results` says them.
pub fn carried_out(
    prepared: &Prepared,
    stop: &Stop,
    results: impl FnOnce(&Finished) -> Output,
) -> Result<Output> {
    let mut bars = Bars::default();
    let carried_out = prepared.carry_out(&mut |at| {
        bars.show(&at);
        stop.check()
    });
    bars.finish();
    Ok(came_to(prepared.folder(), carried_out?, results))
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
                let message = last.map(|point| {
                    let risk = significant(point.risk, 5);
                    format!("step {}, risk {risk}", point.step + 1)
                });
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
