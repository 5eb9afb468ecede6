//! The page of a study, from compact results alone.

mod grid;
mod headline;
mod policies;
mod problem;
mod sections;
mod statements;

use super::figures::Form;
use super::figures::damping::{Curve, damping_of};
use super::figures::study::{Labels, Series, lines};
use super::levels::lengths;
use super::palette::Palette;
use crate::atomic::write_atomically;
use crate::error::Result;
use crate::runs::study::{Clock, MeanCurve, MeanPoint, Study};
use problem::{Part, StudyProblem, problems};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

const HEAD: &str = include_str!("head.md");
const LIMITS: &str = include_str!("limits.md");

/// Writes the page to `page`, and its figures to a folder of the same name beside it.
///
/// # Errors
/// [`crate::Error::File`] if a file cannot be written, [`crate::Error::Computation`] if plotters fails.
pub fn write(page: &Path, studies: &[Study]) -> Result<()> {
    let problems = problems(studies)?;
    let folder = page.with_extension("");
    let stem = folder
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut text = String::from(HEAD);
    summary(&mut text, &problems);
    for problem in &problems {
        let short = problem.short().to_lowercase();
        let mut shown = String::new();
        for (name, caption, svg) in figures(problem)? {
            let file = format!("{short}-{name}.svg");
            write_atomically(&folder.join(&file), |out| out.write_all(svg.as_bytes()))?;
            writeln!(shown, "![{caption}]({stem}/{file})\n").expect("writing to a string");
        }
        section(&mut text, problem, &shown);
    }
    text.push_str("\n## The published figures\n\n");
    for problem in &problems {
        let found = headline::section(problem);
        if !found.is_empty() {
            writeln!(text, "{}:\n\n{found}", problem.name).expect("writing to a string");
        }
    }
    text.push_str(LIMITS);
    write_atomically(page, |out| out.write_all(text.as_bytes()))
}

/// One line for every method and problem: where it stands after the same seconds.
fn summary(text: &mut String, problems: &[StudyProblem]) {
    text.push_str(
        "\n## Against the best Adam, and the best of all others, after the same seconds\n\n",
    );
    for problem in problems {
        let Some(part) = problem.main() else { continue };
        let lines = sections::standings(part);
        if !lines.is_empty() {
            write!(text, "{}:\n\n{lines}\n", problem.name).expect("writing to a string");
        }
    }
}

fn section(text: &mut String, problem: &StudyProblem, figures: &str) {
    let Some(part) = problem.main() else { return };
    let seeds = |part: &Part| {
        let mut seeds: Vec<_> = part.endings.iter().filter_map(|e| e.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        seeds.len()
    };
    let settings = match part.candidates {
        Some(candidates) => {
            format!("settings searched from {candidates} candidates for every method")
        }
        None => "the settings of the strategy file".into(),
    };
    let clock = match part.clock {
        Clock::Cpu => "Seconds are CPU time, of all cores together.",
        Clock::Wall => "Seconds are those of the clock.",
    };
    writeln!(
        text,
        "\n## {}\n\n{}, {} seeds, {} test paths, {settings}. {clock} Lower risk is better.\n",
        problem.name,
        problem.risk,
        seeds(part),
        problem.test_paths
    )
    .expect("writing to a string");
    let mut titled = |title: &str, body: String| {
        if !body.is_empty() {
            write!(text, "### {title}\n\n{body}").expect("writing to a string");
        }
    };
    titled(
        "After the strategy's own number of steps",
        sections::same_paths(problem, part),
    );
    titled("Steps and seconds to a level", sections::levels(part));
    titled("After the same seconds", sections::same_seconds(part));
    titled("The hedges at the same risk", policies::matched(part));
    titled("Cost against risk", policies::frontier(problem));
    titled("Default and tuned settings", policies::settings(problem));
    titled("Settings found", policies::found(part));
    titled("Figures", figures.to_owned());
}

type Drawn = (&'static str, &'static str, String);

fn figures(problem: &StudyProblem) -> Result<Vec<Drawn>> {
    let Some(part) = problem.main() else {
        return Ok(Vec::new());
    };
    let names = part.drawn();
    let palette = Palette::new(names.iter().map(|name| (*name).to_owned()).collect());
    let mut drawn = Vec::new();
    let mut add = |name, caption, x, y: &str, logarithmic, series: Vec<Series>| -> Result<()> {
        let labels = Labels {
            title: caption,
            x,
            y,
            logarithmic,
        };
        let series: Vec<Series> = series
            .into_iter()
            .filter(|series| names.contains(&series.name.as_str()))
            .collect();
        drawn.extend(lines(&series, &labels, &palette)?.map(|svg| (name, caption, svg)));
        Ok(())
    };
    let curve = |of: &dyn Fn(&MeanPoint) -> f64| curves(&part.curves, of);
    let risk = &problem.risk;
    let by_steps = curve(&|point| point.step as f64);
    let by_seconds = curve(&|point| point.seconds);
    add(
        "steps",
        "Validation risk along training against steps",
        "steps",
        risk,
        true,
        by_steps,
    )?;
    add(
        "seconds",
        "Validation risk along training against seconds",
        "seconds",
        risk,
        true,
        by_seconds,
    )?;
    let ends = lengths(&part.endings)
        .into_iter()
        .filter(|l| l.points.len() > 1)
        .map(|method| Series {
            points: method
                .points
                .iter()
                .map(|point| {
                    let risks: Vec<f64> = point.risks.values().copied().collect();
                    let error = statements::paired(&risks).map_or(0.0, |e| e.standard_error);
                    (
                        point.seconds,
                        point.risk(),
                        if error.is_finite() { error } else { 0.0 },
                    )
                })
                .collect(),
            name: method.strategy,
        });
    add(
        "ends",
        "Risk on test paths at the end of whole schedules against seconds",
        "seconds",
        risk,
        true,
        ends.collect(),
    )?;
    let cvar = format!("CVaR at {}", problem.level);
    add(
        "frontier",
        "Cost against risk, trained for several levels",
        "mean cost",
        &cvar,
        false,
        frontier(problem),
    )?;
    let control = damping_of(&control(&part.curves), &palette, Form::Wide)?;
    drawn.extend(control.map(|svg| ("damping", "Damping and ratio through training", svg)));
    Ok(drawn)
}

/// Risk with a band of one standard deviation between seeds.
fn curves(curves: &[MeanCurve], x: &dyn Fn(&MeanPoint) -> f64) -> Vec<Series> {
    curves
        .iter()
        .map(|curve| Series {
            name: curve.strategy.clone(),
            points: curve
                .points
                .iter()
                .map(|p| (x(p), p.risk, p.deviation))
                .collect(),
        })
        .collect()
}

/// Damping and ratio of the methods that adapt their damping.
fn control(curves: &[MeanCurve]) -> Vec<Curve<'_>> {
    curves
        .iter()
        .map(|curve| Curve {
            strategy: &curve.strategy,
            points: curve
                .points
                .iter()
                .filter_map(|point| {
                    let damping = point.damping?.log10();
                    Some((point.step as f64, damping, point.reduction_ratio?))
                })
                .collect(),
        })
        .filter(|curve| !curve.points.is_empty())
        .collect()
}

fn frontier(problem: &StudyProblem) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    let mut parameters: Vec<f64> = problem
        .frontier
        .iter()
        .filter_map(|e| e.parameter)
        .collect();
    parameters.sort_by(f64::total_cmp);
    parameters.dedup();
    let mut names: Vec<&str> = Vec::new();
    for ending in &problem.frontier {
        if !names.contains(&ending.strategy.as_str()) {
            names.push(&ending.strategy);
        }
    }
    for name in names {
        let points = parameters.iter().filter_map(|&parameter| {
            let here: Vec<_> = problem
                .frontier
                .iter()
                .filter(|e| e.strategy == name && e.parameter == Some(parameter))
                .collect();
            let cvars: Vec<f64> = here.iter().map(|e| e.cvar).collect();
            let estimate = statements::paired(&cvars)?;
            let error = estimate.standard_error;
            let error = if error.is_finite() { error } else { 0.0 };
            Some((problem::mean(&here, |e| e.cost_mean), estimate.value, error))
        });
        series.push(Series {
            name: name.to_owned(),
            points: points.collect(),
        });
    }
    series
}
