//! Steps and seconds that a method needs to reach a level, from trainings of several lengths.

use super::table::{Cell, Table};
use crate::numbers::significant;
use crate::random::{Purpose, sequential};
use crate::runs::metrics::Metrics;
use crate::runs::study::{self, Ending};
use rand::RngExt;
use std::collections::BTreeMap;

/// The ends of one strategy's trainings of several lengths.
#[derive(Debug, Clone)]
pub struct Lengths {
    /// The name of the strategy.
    pub strategy: String,
    /// The trainings of every length, from the shortest to the longest.
    pub points: Vec<Point>,
}

/// The trainings of one length.
#[derive(Debug, Clone)]
pub struct Point {
    /// The steps of the strategy; an optimizer takes its own multiple of them.
    pub length: usize,
    /// The optimizer's own steps.
    pub steps: f64,
    /// Mean seconds over seeds.
    pub seconds: f64,
    /// Risk by seed.
    pub risks: BTreeMap<u64, f64>,
}

/// What it takes to reach a level.
#[derive(Debug, Clone, PartialEq)]
pub enum Reached {
    /// The level lies between two lengths.
    At {
        /// The steps that it takes, interpolated.
        steps: f64,
        /// The seconds that they take.
        seconds: f64,
        /// The lower bound of the 95 % interval of the steps; not finite where the level is not reached.
        low: f64,
        /// Its upper bound.
        high: f64,
    },
    /// The shortest training is already at the level.
    Within {
        /// The steps of that training.
        steps: f64,
        /// Its seconds.
        seconds: f64,
    },
    /// The longest training is not.
    NotWithin {
        /// The steps of that training.
        steps: f64,
        /// Its seconds.
        seconds: f64,
    },
}

/// Groups ends by strategy and length, in order of appearance and of length.
pub fn lengths(endings: &[Ending]) -> Vec<Lengths> {
    let mut found: Vec<Lengths> = Vec::new();
    for ending in endings {
        let (Some(length), Some(seed), Some(steps), Some(seconds)) =
            (ending.length, ending.seed, ending.steps, ending.seconds)
        else {
            continue;
        };
        let place = match found.iter().position(|l| l.strategy == ending.strategy) {
            Some(place) => place,
            None => {
                found.push(Lengths {
                    strategy: ending.strategy.clone(),
                    points: Vec::new(),
                });
                found.len() - 1
            }
        };
        let points = &mut found[place].points;
        let at = points.partition_point(|point| point.length < length);
        if points.get(at).is_none_or(|point| point.length != length) {
            points.insert(
                at,
                Point {
                    length,
                    steps: steps as f64,
                    seconds: 0.0,
                    risks: BTreeMap::new(),
                },
            );
        }
        let point = &mut points[at];
        let seeds = point.risks.len() as f64;
        point.seconds = (point.seconds * seeds + seconds) / (seeds + 1.0);
        point.risks.insert(seed, ending.risk);
    }
    found
}

/// Along a training's length, in which interpolation is linear in the logarithm.
#[derive(Debug, Clone, Copy)]
struct Crossing {
    /// The point before it, and the share of the way to the next one.
    after: usize,
    share: f64,
}

impl Lengths {
    /// The trainings of that length, if there are any.
    pub fn at(&self, length: usize) -> Option<&Point> {
        self.points.iter().find(|point| point.length == length)
    }

    fn between(&self, crossing: Crossing, of: impl Fn(&Point) -> f64) -> f64 {
        let (a, b) = (
            &self.points[crossing.after],
            &self.points[crossing.after + 1],
        );
        (of(a).ln() + crossing.share * (of(b).ln() - of(a).ln())).exp()
    }

    /// The seeds that every length was trained with.
    fn seeds(&self) -> Vec<u64> {
        let Some((first, rest)) = self.points.split_first() else {
            return Vec::new();
        };
        let all = |seed: &&u64| rest.iter().all(|point| point.risks.contains_key(*seed));
        first.risks.keys().filter(all).copied().collect()
    }

    /// The first place where the mean over `seeds` comes down to `level`; an error says that the first length is
    /// there already (`true`) or that none is.
    fn crossing(&self, seeds: &[u64], level: f64) -> Result<Crossing, bool> {
        let means: Vec<f64> = self.points.iter().map(|point| point.mean(seeds)).collect();
        if means.first().is_some_and(|&first| first <= level) {
            return Err(true);
        }
        let after = (1..means.len())
            .find(|&at| means[at] <= level)
            .ok_or(false)?
            - 1;
        Ok(Crossing {
            after,
            share: (means[after] - level) / (means[after] - means[after + 1]),
        })
    }

    /// The risk by seed after `seconds`, interpolated in their logarithm between lengths; the longest training's up to
    /// 5 % beyond its seconds, absent outside of that.
    pub fn after(&self, seconds: f64) -> Option<BTreeMap<u64, f64>> {
        const BEYOND: f64 = 1.05;
        let last = self.points.last()?;
        if seconds > last.seconds && seconds <= BEYOND * last.seconds {
            return Some(last.risks.clone());
        }
        let next = self.points.iter().position(|p| p.seconds >= seconds)?;
        let Some(after) = next.checked_sub(1) else {
            let first = &self.points[0];
            return (first.seconds <= seconds).then(|| first.risks.clone());
        };
        let (a, b) = (&self.points[after], &self.points[next]);
        let share = (seconds / a.seconds).ln() / (b.seconds / a.seconds).ln();
        let risks = a.risks.iter().filter_map(|(seed, from)| {
            let to = b.risks.get(seed)?;
            Some((*seed, from + share * (to - from)))
        });
        Some(risks.collect())
    }

    /// The optimizer's own steps in `seconds`, interpolated as in [`Self::after`]; absent outside of the lengths.
    pub fn steps_in(&self, seconds: f64) -> Option<f64> {
        let next = self.points.iter().position(|p| p.seconds >= seconds)?;
        let after = next.checked_sub(1)?;
        let (a, b) = (&self.points[after], &self.points[next]);
        let share = (seconds / a.seconds).ln() / (b.seconds / a.seconds).ln();
        Some(self.between(Crossing { after, share }, |point| point.steps))
    }
}

impl Point {
    /// The mean over `seeds`, which may repeat.
    fn mean(&self, seeds: &[u64]) -> f64 {
        seeds.iter().map(|seed| self.risks[seed]).sum::<f64>() / seeds.len() as f64
    }

    /// The mean over all seeds.
    pub fn risk(&self) -> f64 {
        self.risks.values().sum::<f64>() / self.risks.len() as f64
    }
}

/// Steps and seconds in which `method` reaches the mean risk of `target`, linear in the logarithm of the steps between
/// the means over seeds at successive lengths. The interval of the steps is the bootstrap's over seeds, in which
/// method and target share the seeds drawn.
///
/// # References
/// Efron and Tibshirani (1993), "An introduction to the bootstrap", chapter 13 (percentile interval).
pub fn reached(method: &Lengths, target: &Point) -> Option<Reached> {
    const RESAMPLES: usize = 2000;
    let seeds: Vec<u64> = method
        .seeds()
        .into_iter()
        .filter(|seed| target.risks.contains_key(seed))
        .collect();
    let (first, last) = (method.points.first()?, method.points.last()?);
    if seeds.is_empty() {
        return None;
    }
    let crossing = match method.crossing(&seeds, target.mean(&seeds)) {
        Ok(crossing) => crossing,
        Err(true) => {
            return Some(Reached::Within {
                steps: first.steps,
                seconds: first.seconds,
            });
        }
        Err(false) => {
            return Some(Reached::NotWithin {
                steps: last.steps,
                seconds: last.seconds,
            });
        }
    };
    let mut generator = sequential(0, Purpose::Tuning);
    let mut drawn = vec![0; seeds.len()];
    let mut steps: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            for seed in &mut drawn {
                *seed = seeds[generator.random_range(0..seeds.len())];
            }
            match method.crossing(&drawn, target.mean(&drawn)) {
                Ok(crossing) => method.between(crossing, |point| point.steps),
                Err(true) => first.steps,
                Err(false) => f64::INFINITY,
            }
        })
        .collect();
    steps.sort_by(f64::total_cmp);
    Some(Reached::At {
        steps: method.between(crossing, |point| point.steps),
        seconds: method.between(crossing, |point| point.seconds),
        low: steps[RESAMPLES / 40],
        high: steps[RESAMPLES - 1 - RESAMPLES / 40],
    })
}

/// Steps and seconds of every strategy to the baseline's level at each of its lengths; absent without several lengths.
pub fn table(metrics: &Metrics) -> Option<Table> {
    let lengths = lengths(&study::lengths(metrics));
    let baseline = &metrics.comparisons.first()?.baseline;
    let baseline = lengths.iter().find(|l| l.strategy == *baseline)?;
    if baseline.points.len() < 2 {
        return None;
    }
    let mut heads = vec!["strategy".to_owned()];
    for point in &baseline.points {
        heads.push(format!("steps to {}'s {}", baseline.strategy, point.steps));
        heads.push("seconds".into());
    }
    let row = |method: &Lengths| {
        let mut row = vec![Cell::plain(&method.strategy)];
        for target in &baseline.points {
            row.extend(reached(method, target).map_or([Cell::default(), Cell::default()], cells));
        }
        row
    };
    Some(Table {
        caption: format!("Steps and seconds to the risk of {}", baseline.strategy),
        rows: lengths.iter().map(row).collect(),
        heads,
        findings: lengths
            .iter()
            .filter(|method| method.strategy != baseline.strategy)
            .filter_map(|method| same_seconds(method, baseline, metrics))
            .collect(),
        notes: vec![
            "Between the lengths that were trained, linear in the logarithm of the steps; in brackets the 95 % interval \
             over seeds. < and > stand where the shortest training is at the level and where the longest is not."
                .into(),
        ],
    })
}

/// Steps and seconds in words.
fn cells(reached: Reached) -> [Cell; 2] {
    match reached {
        Reached::At {
            steps,
            seconds,
            low,
            high,
        } => [
            Cell {
                error: Some(interval(low, high)),
                ..Cell::plain(format!("{steps:.0}"))
            },
            Cell::seconds(seconds),
        ],
        Reached::Within { steps, seconds } => [
            Cell::plain(format!("< {steps:.0}")),
            Cell::plain(format!("< {}", significant(seconds, 3))),
        ],
        Reached::NotWithin { steps, seconds } => [
            Cell::plain(format!("> {steps:.0}")),
            Cell::plain(format!("> {}", significant(seconds, 3))),
        ],
    }
}

/// An interval of steps.
pub fn interval(low: f64, high: f64) -> String {
    if high.is_finite() {
        format!("[{low:.0}, {high:.0}]")
    } else {
        format!("[{low:.0}, ∞)")
    }
}

/// What `baseline` does in the seconds of `method`'s main training.
fn same_seconds(method: &Lengths, baseline: &Lengths, metrics: &Metrics) -> Option<String> {
    let main = metrics
        .evaluation
        .iter()
        .find(|row| row.strategy == method.strategy)?;
    let point = method
        .points
        .iter()
        .find(|point| Some(point.steps) == main.steps.map(|s| s as f64))?;
    let steps = baseline.steps_in(point.seconds)?;
    let (ours, theirs) = (&method.strategy, &baseline.strategy);
    let needed = match reached(baseline, point)? {
        Reached::At { steps: needed, .. } => {
            format!(
                "for the same risk it needs {needed:.0}, {:.1} times as many",
                needed / steps
            )
        }
        Reached::Within { steps, .. } => format!("less than {steps:.0} give the same risk"),
        Reached::NotWithin { steps, .. } => format!("{steps:.0} do not give the same risk"),
    };
    Some(format!(
        "In the {} s of {ours}'s {} steps {theirs} takes {steps:.0}; {needed}.",
        significant(point.seconds, 3),
        point.steps
    ))
}

#[cfg(test)]
#[path = "levels_tests.rs"]
mod tests;
