//! Sections on who is faster on one problem.

use super::grid::{Grid, over_seeds};
use super::problem::{Part, StudyProblem, differences, mean};
use super::statements::{paired, percent, signed, standing, standing_to, with_interval};
use crate::report::levels::{Lengths, Point, Reached, interval, reached};
use crate::risk::Estimate;
use std::fmt::Write;

/// Every method after the strategy's own number of steps.
pub fn same_paths(problem: &StudyProblem, part: &Part) -> String {
    let Some((length, best)) = part.length.and_then(|l| Some((l, part.best_adam(l)?))) else {
        return String::new();
    };
    let main = part.at_length(length);
    let baseline = main.iter().find(|(name, _)| *name == best);
    let mut grid = Grid::new(&[
        "method",
        "paths a step",
        "steps",
        "seconds",
        &problem.risk,
        "mean cost",
        "P&L variance",
        "Sharpe ratio",
        &format!("against {best} [95 %]"),
        "",
    ]);
    for (name, endings) in &main {
        let compared = part
            .comparisons
            .iter()
            .find(|c| c.strategy == *name && c.baseline == best);
        let difference = match (compared, baseline) {
            _ if *name == best => None,
            (Some(c), _) => Some(Estimate {
                value: c.risk_difference,
                standard_error: c.risk_difference_standard_error,
            }),
            (None, Some((_, theirs))) => paired(&differences(endings, theirs, |e| e.risk)),
            (None, None) => None,
        };
        grid.row(vec![
            (*name).to_owned(),
            part.method(name)
                .map_or(String::new(), |m| m.paths.to_string()),
            endings[0].steps.map_or(String::new(), |s| s.to_string()),
            format!("{:.2}", mean(endings, |e| e.seconds.unwrap_or(f64::NAN))),
            over_seeds(endings, |e| e.risk, 4),
            over_seeds(endings, |e| e.cost_mean, 4),
            over_seeds(endings, |e| e.pnl_variance, 4),
            over_seeds(endings, |e| e.sharpe, 3),
            difference.as_ref().map_or(String::new(), with_interval),
            difference.as_ref().map_or("", standing).to_owned(),
        ]);
    }
    for hedge in &problem.hedges {
        let one = [hedge];
        let mut row = vec![hedge.strategy.clone()];
        row.extend(vec![String::new(); 3]);
        row.push(over_seeds(&one, |e| e.risk, 4));
        row.push(over_seeds(&one, |e| e.cost_mean, 4));
        row.push(over_seeds(&one, |e| e.pnl_variance, 4));
        row.push(over_seeds(&one, |e| e.sharpe, 3));
        row.extend(vec![String::new(); 2]);
        grid.row(row);
    }
    grid.text()
}

/// Steps and seconds of every method to the levels of Adam.
pub fn levels(part: &Part) -> String {
    let lengths = part.lengths();
    let mut text = String::new();
    for (name, target) in part.levels() {
        let mut grid = Grid::new(&[
            "method",
            "steps [95 %]",
            "seconds",
            "share of Adam's seconds",
        ]);
        let mut best: Option<(&str, f64)> = None;
        for method in lengths.iter().filter(|method| method.points.len() > 1) {
            let Some(reach) = reached(method, &target) else {
                continue;
            };
            let share = |seconds: f64| seconds / target.seconds;
            let (steps, seconds, ratio) = match reach {
                Reached::At {
                    steps,
                    seconds,
                    low,
                    high,
                } => {
                    if part.is_curvature(&method.strategy)
                        && best.is_none_or(|(_, least)| share(seconds) < least)
                    {
                        best = Some((&method.strategy, share(seconds)));
                    }
                    (
                        format!("{steps:.0} {}", interval(low, high)),
                        format!("{seconds:.2}"),
                        format!("{:.2}", share(seconds)),
                    )
                }
                Reached::Within { steps, seconds } => (
                    format!("< {steps:.0}"),
                    format!("< {seconds:.2}"),
                    format!("< {:.2}", share(seconds)),
                ),
                Reached::NotWithin { steps, seconds } => (
                    format!("not reached in {steps:.0}"),
                    format!("> {seconds:.2}"),
                    format!("> {:.2}", share(seconds)),
                ),
            };
            grid.row(vec![method.strategy.clone(), steps, seconds, ratio]);
        }
        writeln!(
            text,
            "**{name}**: risk {:.4} in {:.2} s.\n",
            target.risk(),
            target.seconds
        )
        .expect("writing to a string");
        text.push_str(&grid.text());
        if let Some((method, share)) = best {
            let goal = if share <= 0.5 {
                "at most half"
            } else {
                "more than half"
            };
            writeln!(
                text,
                "The fastest curvature method with a measured crossing, {method}, takes {share:.2} of the seconds, {goal}.\n"
            )
            .expect("writing to a string");
        }
    }
    text.push_str(&least(part, &lengths));
    text
}

/// The least risk that any training ended with, and that of curvature methods.
fn least(part: &Part, lengths: &[Lengths]) -> String {
    let ends = || {
        lengths
            .iter()
            .flat_map(|l| l.points.iter().map(move |p| (l, p)))
    };
    let by_risk =
        |a: &(&Lengths, &Point), b: &(&Lengths, &Point)| a.1.risk().total_cmp(&b.1.risk());
    let curvature = ends().filter(|(l, _)| part.is_curvature(&l.strategy));
    let (Some((method, point)), Some((ours, end))) =
        (ends().min_by(by_risk), curvature.min_by(by_risk))
    else {
        return String::new();
    };
    if ours.strategy == method.strategy {
        return format!(
            "The least risk of all trainings is {:.4}, by {} after {:.0} steps.\n\n",
            point.risk(),
            method.strategy,
            point.steps
        );
    }
    format!(
        "The least risk of all trainings is {:.4}, by {} after {:.0} steps; of curvature methods {:.4}, by {} after {:.0} \
         steps, {} of it.\n\n",
        point.risk(),
        method.strategy,
        point.steps,
        end.risk(),
        ours.strategy,
        end.steps,
        percent(end.risk() / point.risk() - 1.0)
    )
}

/// Curvature methods against all others after the same seconds.
pub fn same_seconds(part: &Part) -> String {
    let lengths = part.lengths();
    let mut text = String::new();
    for ours in lengths.iter().filter(|l| part.is_curvature(&l.strategy)) {
        let mut heads = vec!["less the risk of".to_owned()];
        heads.extend(
            ours.points
                .iter()
                .map(|p| format!("{:.2} s ({:.0} steps)", p.seconds, p.steps)),
        );
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let mut grid = Grid::new(&heads);
        for rival in lengths.iter().filter(|l| l.strategy != ours.strategy) {
            let cells: Vec<String> = ours
                .points
                .iter()
                .map(|point| {
                    difference_after(ours, rival, point.seconds).map_or(String::new(), |d| {
                        format!("{}, {}", with_interval(&d), standing(&d))
                    })
                })
                .collect();
            if cells.iter().all(String::is_empty) {
                continue;
            }
            let mut row = vec![rival.strategy.clone()];
            row.extend(cells);
            grid.row(row);
        }
        writeln!(text, "Risk of **{}** after its seconds:\n", ours.strategy)
            .expect("writing to a string");
        text.push_str(&grid.text());
    }
    text
}

/// The risk of one method less that of another after the same seconds.
pub fn difference_after(ours: &Lengths, theirs: &Lengths, seconds: f64) -> Option<Estimate> {
    let (a, b) = (ours.after(seconds)?, theirs.after(seconds)?);
    let pairs: Vec<f64> = a
        .iter()
        .filter_map(|(seed, a)| Some(a - b.get(seed)?))
        .collect();
    paired(&pairs)
}

/// Where every method stands to the best Adam, and every curvature method to the best of all others, after the seconds
/// of its main training.
pub fn standings(part: &Part) -> String {
    let lengths = part.lengths();
    let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<&Lengths> {
        lengths.iter().filter(|l| wanted(&l.strategy)).collect()
    };
    let adams = of(&|name| part.is_adam(name));
    let others = of(&|name| !part.is_curvature(name));
    let mut text = String::new();
    for ours in &lengths {
        let Some(main) = part.length.and_then(|length| ours.at(length)) else {
            continue;
        };
        let rivals = [
            best_after(ours, &adams, main.seconds),
            best_after(ours, &others, main.seconds).filter(|_| part.is_curvature(&ours.strategy)),
        ];
        let [Some(first), second] = rivals else {
            continue;
        };
        write!(
            text,
            "- {} after {:.2} s: {}",
            ours.strategy, main.seconds, first.1
        )
        .expect("writing to a string");
        if let Some((_, words)) = second.filter(|(rival, _)| *rival != first.0) {
            write!(text, "; {words}").expect("writing to a string");
        }
        text.push_str(".\n");
    }
    text
}

/// The rival with the least mean risk after `seconds`, and where `ours` stands to it, in words.
fn best_after<'a>(
    ours: &Lengths,
    rivals: &[&'a Lengths],
    seconds: f64,
) -> Option<(&'a str, String)> {
    let mean = |rival: &Lengths| {
        let risks = rival.after(seconds)?;
        Some(risks.values().sum::<f64>() / risks.len() as f64)
    };
    let rival = rivals
        .iter()
        .filter(|rival| rival.strategy != ours.strategy)
        .filter_map(|rival| Some((mean(rival)?, *rival)))
        .min_by(|a, b| a.0.total_cmp(&b.0))?
        .1;
    let difference = difference_after(ours, rival, seconds)?;
    let (words, join) = standing_to(&difference);
    let (value, error) = (signed(difference.value), difference.standard_error);
    Some((
        &rival.strategy,
        format!("{words} {join}{} ({value} ± {error:.4})", rival.strategy),
    ))
}
