//! The comparisons of one problem, drawn together.

use crate::error::{Error, Result};
use crate::optimizer::{self, Family};
use crate::report::levels::{Lengths, Point, lengths};
use crate::runs::metrics::Comparison;
use crate::runs::study::{Clock, Ending, MeanCurve, Method, Study};

/// The most methods of a figure; with more of them lines are not told apart.
const MOST_DRAWN: usize = 9;

/// Comparisons with the same kind of settings.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The candidates of the search for settings, if there was one.
    pub candidates: Option<usize>,
    /// The steps of the strategy.
    pub length: Option<usize>,
    /// What seconds count.
    pub clock: Clock,
    /// The optimizers with their settings.
    pub methods: Vec<Method>,
    /// The ends of all trainings.
    pub endings: Vec<Ending>,
    /// The changes against the baseline.
    pub comparisons: Vec<Comparison>,
    /// The curves of training, averaged over seeds.
    pub curves: Vec<MeanCurve>,
    /// Trainings of the search for settings of each method.
    pub trials: Vec<crate::runs::metrics::Trial>,
}

/// Everything measured on one problem.
#[derive(Debug, Clone)]
pub struct StudyProblem {
    /// The name of the problem.
    pub name: String,
    /// The trained risk measure, in words.
    pub risk: String,
    /// The level of the CVaR that is shown.
    pub level: String,
    /// The number of test paths.
    pub test_paths: usize,
    /// The classical hedges on the test paths.
    pub hedges: Vec<Ending>,
    /// With tuned settings, and with those of the strategy file.
    pub tuned: Option<Part>,
    /// The comparisons with the settings of the strategy file.
    pub untuned: Option<Part>,
    /// The ends of trainings for several levels or aversions.
    pub frontier: Vec<Ending>,
}

/// Groups comparisons by problem, in order of appearance.
///
/// # Errors
/// [`Error::Input`] if comparisons of one kind on one problem count their seconds differently.
pub fn problems(studies: &[Study]) -> Result<Vec<StudyProblem>> {
    let mut problems: Vec<StudyProblem> = Vec::new();
    for study in studies {
        let place = match problems.iter().position(|p| p.name == study.name) {
            Some(place) => place,
            None => {
                problems.push(StudyProblem {
                    name: study.name.clone(),
                    risk: study.risk.clone(),
                    level: study.level.clone(),
                    test_paths: study.test_paths,
                    hedges: study.hedges.clone(),
                    tuned: None,
                    untuned: None,
                    frontier: Vec::new(),
                });
                problems.len() - 1
            }
        };
        let problem = &mut problems[place];
        if !study.frontier.is_empty() {
            problem.frontier.extend(study.frontier.iter().cloned());
            continue;
        }
        let part = match study.candidates {
            Some(_) => &mut problem.tuned,
            None => &mut problem.untuned,
        };
        let part = part.get_or_insert_with(|| Part {
            candidates: study.candidates,
            length: study.length,
            clock: study.clock,
            ..Part::default()
        });
        if part.clock != study.clock {
            return Err(Error::input(format!(
                "{}: seconds of the clock and of the processor cannot stand in one table",
                study.name
            )));
        }
        part.methods.extend(study.methods.iter().cloned());
        part.endings.extend(study.endings.iter().cloned());
        part.comparisons.extend(study.comparisons.iter().cloned());
        part.curves.extend(study.curves.iter().cloned());
        part.trials.extend(study.trials.iter().cloned());
    }
    Ok(problems)
}

impl StudyProblem {
    /// The short name before the colon.
    pub fn short(&self) -> &str {
        self.name.split(':').next().unwrap_or(&self.name)
    }

    /// With tuned settings, if there are any.
    pub fn main(&self) -> Option<&Part> {
        self.tuned.as_ref().or(self.untuned.as_ref())
    }
}

impl Part {
    /// The optimizer of that name, if there is one.
    pub fn method(&self, name: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.name == name)
    }

    /// Whether the method uses curvature.
    pub fn is_curvature(&self, name: &str) -> bool {
        self.method(name)
            .is_some_and(|method| method.method.family() == Family::Curvature)
    }

    /// Whether the optimizer of that name is a variant of Adam.
    pub fn is_adam(&self, name: &str) -> bool {
        self.method(name)
            .is_some_and(|method| method.method == optimizer::Method::Adam)
    }

    /// The methods that figures show, in their order: Adam, and of the others those with the least risks after
    /// the strategy's own number of steps, [`MOST_DRAWN`] in all.
    pub fn drawn(&self) -> Vec<&str> {
        let risk = |name: &str| {
            let own = |ending: &&Ending| ending.strategy == name && ending.length == self.length;
            let own: Vec<&Ending> = self.endings.iter().filter(own).collect();
            mean(&own, |ending| ending.risk)
        };
        let mut ranked: Vec<&str> = self.methods.iter().map(|m| m.name.as_str()).collect();
        ranked.sort_by(|a, b| risk(a).total_cmp(&risk(b)));
        ranked.sort_by_key(|name| !self.is_adam(name));
        ranked.truncate(MOST_DRAWN);
        let methods = self.methods.iter().map(|method| method.name.as_str());
        methods.filter(|name| ranked.contains(name)).collect()
    }

    /// The trainings of every method by length.
    pub fn lengths(&self) -> Vec<Lengths> {
        lengths(&self.endings)
    }

    /// Ends of the strategy's own length, by method in order of appearance.
    pub fn at_length(&self, length: usize) -> Vec<(&str, Vec<&Ending>)> {
        let mut found: Vec<(&str, Vec<&Ending>)> = Vec::new();
        for ending in self.endings.iter().filter(|e| e.length == Some(length)) {
            match found.iter_mut().find(|(name, _)| *name == ending.strategy) {
                Some((_, endings)) => endings.push(ending),
                None => found.push((&ending.strategy, vec![ending])),
            }
        }
        found
    }

    /// The Adam with the least mean risk at `length`.
    pub fn best_adam(&self, length: usize) -> Option<&str> {
        self.at_length(length)
            .into_iter()
            .filter(|(name, _)| self.is_adam(name))
            .min_by(|a, b| mean(&a.1, |e| e.risk).total_cmp(&mean(&b.1, |e| e.risk)))
            .map(|(name, _)| name)
    }

    /// Levels to be reached: those of the Adam on the largest batch after 400 and 1,000 steps, and of the best Adam on
    /// any batch at its longest.
    pub fn levels(&self) -> Vec<(String, Point)> {
        let lengths = self.lengths();
        let adams = || lengths.iter().filter(|l| self.is_adam(&l.strategy));
        let paths = |l: &&Lengths| self.method(&l.strategy).map_or(0, |method| method.paths);
        let mut levels = Vec::new();
        if let Some(large) = adams().max_by_key(paths) {
            for length in [400, 1000] {
                if let Some(point) = large.at(length) {
                    levels.push((
                        format!("{} at {length} steps", large.strategy),
                        point.clone(),
                    ));
                }
            }
        }
        let longest = adams().filter_map(|l| Some((l, l.points.last()?)));
        let best = longest.min_by(|a, b| a.1.risk().total_cmp(&b.1.risk()));
        if let Some((best, point)) = best {
            let name = format!("{} at {} steps", best.strategy, point.steps);
            if levels.iter().all(|(known, _)| *known != name) {
                levels.push((name, point.clone()));
            }
        }
        levels
    }
}

/// The mean of a figure over ends.
pub fn mean(endings: &[&Ending], of: impl Fn(&Ending) -> f64) -> f64 {
    endings.iter().map(|ending| of(ending)).sum::<f64>() / endings.len() as f64
}

/// Differences ours − theirs of a figure, one for every common seed.
pub fn differences(ours: &[&Ending], theirs: &[&Ending], of: impl Fn(&Ending) -> f64) -> Vec<f64> {
    ours.iter()
        .filter_map(|a| {
            let b = theirs.iter().find(|b| b.seed == a.seed)?;
            Some(of(a) - of(b))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{MOST_DRAWN, problems};
    use crate::runs::study::{Clock, Study};
    use std::path::Path;

    /// Seconds of the clock and seconds of CPU time are refused in one table; those of one kind are joined.
    #[test]
    fn clocks_are_not_mixed() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/study/p4.json");
        let study = Study::read(&file).unwrap();
        let mut other = study.clone();
        let joined = problems(&[study.clone(), other.clone()]).unwrap();
        assert_eq!(joined.len(), 1);
        assert_eq!(study.clock, Clock::Cpu);
        other.clock = Clock::Wall;
        let error = problems(&[study, other]).unwrap_err().to_string();
        let said = "seconds of the clock and of the processor cannot stand in one table";
        assert!(error.ends_with(said), "{error}");
    }

    /// Figures show no more methods than can be told apart: both Adams, and no method that ends behind one that is left out.
    #[test]
    fn figures_show_adam_and_the_best_of_the_others() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/study/p2.json");
        let problems = problems(&[Study::read(&file).unwrap()]).unwrap();
        let part = problems[0].main().unwrap();
        let drawn = part.drawn();
        assert!(part.methods.len() > MOST_DRAWN && drawn.len() == MOST_DRAWN);
        assert_eq!(drawn[..2], ["adam", "adam_small"]);
        let ends = part.at_length(part.length.unwrap());
        let risk = |name: &str| {
            let (_, ends) = ends.iter().find(|(other, _)| *other == name).unwrap();
            super::mean(ends, |end| end.risk)
        };
        let worst = drawn[2..].iter().map(|name| risk(name)).fold(0.0, f64::max);
        let names = part.methods.iter().map(|method| method.name.as_str());
        for name in names.filter(|name| !drawn.contains(name)) {
            assert!(risk(name) >= worst, "{name}");
        }
    }
}
