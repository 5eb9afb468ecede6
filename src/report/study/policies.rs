//! Sections on settings and on the hedges of one problem.

use super::grid::{Grid, over_seeds};
use super::problem::{Part, StudyProblem, differences, mean};
use super::statements::{paired, percent, same_hedge, standing, with_interval};
use crate::report::summary::Verdict;
use crate::runs::study::Ending;

/// The settings of the strategy file against tuned ones.
pub fn settings(problem: &StudyProblem) -> String {
    let (Some(tuned), Some(untuned)) = (&problem.tuned, &problem.untuned) else {
        return String::new();
    };
    let Some(length) = tuned.length else {
        return String::new();
    };
    let mut grid = Grid::new(&["method", "default", "tuned", "tuned − default [95 %]", ""]);
    let before = untuned.at_length(length);
    for (name, after) in tuned.at_length(length) {
        let Some((_, before)) = before.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        let Some(difference) = paired(&differences(&after, before, |e| e.risk)) else {
            continue;
        };
        grid.row(vec![
            name.to_owned(),
            over_seeds(before, |e| e.risk, 4),
            over_seeds(&after, |e| e.risk, 4),
            with_interval(&difference),
            match Verdict::lower_is_better(difference.value, difference.standard_error) {
                Verdict::Better => "tuning helps",
                Verdict::Worse => "tuning harms",
                Verdict::Undecided | Verdict::OneSeed | Verdict::Withheld | Verdict::Unknown => {
                    standing(&difference)
                }
            }
            .to_owned(),
        ]);
    }
    grid.text()
}

/// The settings that a search arrived at: the keys that its trials differ in.
pub fn found(part: &Part) -> String {
    let mut grid = Grid::new(&["method", "trainings", "paths a step", "settings"]);
    for method in &part.methods {
        let trials = part.trials.iter().filter(|t| t.strategy == method.name);
        let first = trials.clone().next();
        let Some(first) = first else { continue };
        let varied = |key: &str| {
            trials
                .clone()
                .any(|t| t.settings.get(key) != first.settings.get(key))
        };
        let settings: Vec<String> = method
            .settings
            .iter()
            .filter(|(key, _)| varied(key))
            .map(|(key, value)| match value.as_float() {
                Some(value) => format!("{key} {}", digits(value)),
                None => format!("{key} {value}"),
            })
            .collect();
        grid.row(vec![
            method.name.clone(),
            trials.count().to_string(),
            method.paths.to_string(),
            settings.join(", "),
        ]);
    }
    grid.text()
}

/// Three significant digits.
fn digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    rounded.to_string()
}

/// A method, a length and its ends.
type Trained<'a> = (&'a str, usize, Vec<&'a Ending>);

/// The hedges of the curvature method and the Adam training whose risks are nearest to each other.
pub fn matched(part: &Part) -> String {
    let mut lengths: Vec<usize> = part.endings.iter().filter_map(|e| e.length).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let all: Vec<Trained<'_>> = lengths
        .iter()
        .flat_map(|&length| {
            part.at_length(length)
                .into_iter()
                .map(move |(n, e)| (n, length, e))
        })
        .collect();
    let risk = |endings: &[&Ending]| mean(endings, |e| e.risk);
    let pairs = all
        .iter()
        .filter(|(name, ..)| part.is_curvature(name))
        .flat_map(|ours| {
            all.iter()
                .filter(|(name, ..)| part.is_adam(name))
                .map(move |theirs| (ours, theirs))
        });
    let gap = |pair: &(&Trained<'_>, &Trained<'_>)| (risk(&pair.0.2) - risk(&pair.1.2)).abs();
    let Some((ours, theirs)) = pairs.min_by(|a, b| gap(a).total_cmp(&gap(b))) else {
        return String::new();
    };
    let relative = |of: &dyn Fn(&Ending) -> f64| mean(&ours.2, of) / mean(&theirs.2, of) - 1.0;
    let cost = relative(&|e| e.cost_mean);
    let deviation = relative(&|e| e.pnl_variance.sqrt());
    let steps = |side: &[&Ending]| side[0].steps.unwrap_or(0);
    format!(
        "At the nearest risks, {} after {} steps ({:.4}) and {} after {} steps ({:.4}), mean cost differs by {} and the \
         standard deviation of P&L by {}: {}.\n\n",
        ours.0,
        steps(&ours.2),
        risk(&ours.2),
        theirs.0,
        steps(&theirs.2),
        risk(&theirs.2),
        percent(cost),
        percent(deviation),
        same_hedge(cost, deviation)
    )
}

/// Cost and CVaR for every level or aversion.
pub fn frontier(problem: &StudyProblem) -> String {
    if problem.frontier.is_empty() {
        return String::new();
    }
    let mut parameters: Vec<f64> = problem
        .frontier
        .iter()
        .filter_map(|e| e.parameter)
        .collect();
    parameters.sort_by(f64::total_cmp);
    parameters.dedup();
    let head = format!("CVaR at {}", problem.level);
    let mut grid = Grid::new(&["trained for", "method", "mean cost", &head, "P&L variance"]);
    for parameter in parameters {
        let mut names: Vec<&str> = Vec::new();
        let here: Vec<&Ending> = problem
            .frontier
            .iter()
            .filter(|e| e.parameter == Some(parameter))
            .collect();
        for ending in &here {
            if !names.contains(&ending.strategy.as_str()) {
                names.push(&ending.strategy);
            }
        }
        for name in names {
            let endings: Vec<&Ending> = here
                .iter()
                .copied()
                .filter(|e| e.strategy == name)
                .collect();
            grid.row(vec![
                parameter.to_string(),
                name.to_owned(),
                over_seeds(&endings, |e| e.cost_mean, 4),
                over_seeds(&endings, |e| e.cvar, 4),
                over_seeds(&endings, |e| e.pnl_variance, 4),
            ]);
        }
    }
    grid.text()
}
