//! The sentence of a verdict, and how its numbers are read.

use super::part::{Line, Measure, Part};
use super::{RunVerdict, difference};
use crate::report::summary::Verdict;
use crate::runs::metrics::Metrics;
use crate::runs::precision::listed;

/// The measures that the sentence speaks of, the most telling first.
const SAID: [Measure; 4] = [
    Measure::Cvar,
    Measure::PnlVariance,
    Measure::Cost,
    Measure::SharpeAtIndifference,
];

/// What was found on each kind of paths, in one sentence, and whether history says the opposite or one seed says nothing, in a
/// second one.
pub(super) fn sentence(verdict: &RunVerdict) -> String {
    let RunVerdict {
        strategy,
        baseline,
        parts,
        ..
    } = verdict;
    let found: Vec<String> = parts
        .iter()
        .map(|part| format!("{} {}", part.paths.place(), found(part)))
        .collect();
    let trained = match (verdict.one_seed, verdict.seeds) {
        (true, _) => ", trained with one seed".to_owned(),
        (false, 0) => String::new(),
        (false, seeds) => format!(", {seeds} seeds"),
    };
    let mut text = format!(
        "{strategy} against {baseline}{trained}: {}.",
        found.join("; ")
    );
    if let Some(measure) = contradicted(parts) {
        text += &format!(" History says the opposite of the simulation in {measure}.");
    }
    if verdict.one_seed {
        text += " One seed does not tell a method from the luck of its training.";
    }
    text
}

fn found(part: &Part) -> String {
    let lines: Vec<&Line> = SAID.iter().filter_map(|of| part.line(*of)).collect();
    let with = |verdict: Verdict, words: &dyn Fn(&Line) -> String| -> Vec<String> {
        let lines = lines.iter().filter(|line| line.verdict == verdict);
        lines.map(|line| words(line)).collect()
    };
    let changed = |line: &Line| format!("{} ({})", name(line), change(line));
    let plain = |line: &Line| name(line);
    let seen = with(Verdict::OneSeed, &|line| {
        let direction = if line.difference.value < 0.0 {
            "lower"
        } else {
            "higher"
        };
        let size = change(line);
        format!(
            "{} {} {direction}",
            name(line),
            size.trim_start_matches(['+', '−', '-'])
        )
    });
    if !seen.is_empty() {
        return listed(&seen);
    }
    let better = with(Verdict::Better, &changed);
    let worse = with(Verdict::Worse, &changed);
    let open = with(Verdict::Undecided, &plain);
    let mut said: Vec<String> = Vec::new();
    if !better.is_empty() {
        said.push(format!("better in {}", listed(&better)));
    }
    if !worse.is_empty() {
        said.push(format!("worse in {}", listed(&worse)));
    }
    match (said.is_empty(), open.is_empty()) {
        (true, true) => "not comparable".into(),
        (true, false) => "not distinguishable".into(),
        (false, true) => said.join(", "),
        (false, false) => format!(
            "{}, not distinguishable in {}",
            said.join(", "),
            listed(&open)
        ),
    }
}

/// The name of a measure inside a sentence.
fn name(line: &Line) -> String {
    match line.measure {
        Measure::PnlVariance => "P&L variance".into(),
        Measure::Cost => "cost".into(),
        Measure::Cvar => line.title.clone(),
        Measure::Sharpe => "Sharpe ratio".into(),
        Measure::SharpeAtIndifference => "Sharpe ratio at the indifference premium".into(),
    }
}

/// The difference of a line without its error.
fn change(line: &Line) -> String {
    difference(line).value
}

/// The measure that is better on simulated paths and worse on history, or the other way round.
fn contradicted(parts: &[Part]) -> Option<String> {
    let (first, rest) = parts.split_first()?;
    let opposite = |a: Verdict, b: Verdict| {
        matches!(
            (a, b),
            (Verdict::Better, Verdict::Worse) | (Verdict::Worse, Verdict::Better)
        )
    };
    SAID.iter().find_map(|measure| {
        let ours = first.line(*measure)?;
        let mut others = rest.iter().filter_map(|part| part.line(*measure));
        let found = others.find(|line| opposite(ours.verdict, line.verdict));
        found.map(|_| name(ours))
    })
}

/// What the errors are, what the Sharpe ratios stand for, and what the run has not been tested on.
pub(super) fn notes(verdict: &RunVerdict, metrics: &Metrics) -> Vec<String> {
    let error = match verdict.seeds {
        0 => "± is one standard error over paths.".to_owned(),
        1 => {
            "± is one standard error over paths alone: another seed may differ by more.".to_owned()
        }
        seeds @ 2..4 => format!(
            "± is one standard error over paths and between {seeds} seeds, so few that it is itself uncertain."
        ),
        seeds => format!("± is one standard error over paths and between {seeds} seeds."),
    };
    let mut notes = vec![format!(
        "Money per contract in the spot's currency; trained on {}; Sharpe ratios are per contract. A difference counts from two \
         standard errors on. {error}",
        metrics.risk
    )];
    let mut whys: Vec<String> = Vec::new();
    for line in verdict.parts.iter().flat_map(|part| &part.lines) {
        let why = match (line.measure, &line.why) {
            (Measure::SharpeAtIndifference, Some(why)) => {
                format!("Sharpe ratio with a premium: {why}.")
            }
            (_, Some(why)) => format!("{}, no verdict: {why}.", line.title),
            (_, None) => continue,
        };
        if !whys.contains(&why) {
            whys.push(why);
        }
    }
    notes.extend(whys);
    if metrics.backtest.is_empty() {
        notes.push("Simulated paths alone: nothing here was tested on history.".into());
    }
    notes
}
