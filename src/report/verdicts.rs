//! What a comparison of learned policies with classical hedges says, in words that are true to its intervals.

use super::protocol::statistic;
use super::significance::LEVEL;
use crate::numbers::Rounding;
use crate::runs::precision::listed;
use crate::runs::protocol::{Compared, ComparedRow, STATISTICS};
use crate::runs::walk_forward::{Bounded, Test};

/// What an interval says of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval lies below zero.
    Lower,
    /// The whole interval lies above zero.
    Higher,
    /// The interval contains zero, or is not known.
    Alike,
}

impl Verdict {
    /// What the interval of a difference says.
    pub fn of(difference: &Bounded) -> Self {
        if difference.interval.high < 0.0 {
            Self::Lower
        } else if difference.interval.low > 0.0 {
            Self::Higher
        } else {
            Self::Alike
        }
    }
}

/// The rows that a test is read by, and where they were chosen.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// The contracts on which rows were chosen, if there is a validation period.
    pub validation: Option<&'a Compared>,
    /// The contracts on which they are compared.
    pub test: &'a Compared,
}

impl<'a> Choice<'a> {
    /// The learned policy that is compared, and whether it was chosen among several on the validation period: the one of least risk
    /// there, or else the first.
    pub fn recipe(&self) -> Option<(&'a ComparedRow, bool)> {
        let mut learned = self.test.rows.iter().filter(|row| !row.classical);
        let several = learned.clone().count() > 1;
        let chosen = self
            .validation
            .and_then(|validation| validation.best(false));
        match chosen.and_then(|row| self.test.row(&row.name)) {
            Some(row) => Some((row, several)),
            None => learned.next().map(|row| (row, false)),
        }
    }

    /// The classical hedge of least risk on the validation period, if there is one.
    pub fn on_validation(&self) -> Option<&'a ComparedRow> {
        let best = self.validation?.best(true)?;
        self.test.row(&best.name)
    }

    /// The classical hedge that is compared with first: that of the validation period or, without one, that of the test.
    pub fn classical(&self) -> Option<&'a ComparedRow> {
        self.on_validation().or_else(|| self.test.best(true))
    }

    /// The names of the learned policy, the classical hedge that is compared with first, and that of least risk on the test.
    pub fn names(&self) -> Vec<&'a str> {
        let recipe = self.recipe().map(|(row, _)| row);
        let mut names: Vec<&str> = Vec::new();
        for row in [recipe, self.classical(), self.test.best(true)]
            .into_iter()
            .flatten()
        {
            if !names.contains(&row.name.as_str()) {
                names.push(&row.name);
            }
        }
        names
    }

    /// Which learned policy was chosen on the validation period, and which classical hedge, in a sentence that knows nothing of
    /// the test; nothing without such a period.
    pub fn chosen(&self) -> Option<String> {
        let validation = self.validation?;
        let learned = validation.best(false);
        let classical = validation.best(true);
        let words = |row: &ComparedRow| format!("{} ({})", row.title, plain(&[row.risk], row.risk));
        let measure = &validation.measure;
        Some(match (learned, classical) {
            (Some(learned), Some(classical)) => format!(
                "Chosen on the validation period, by the least {measure}: of the learned policies {}, of the classical hedges {}.",
                words(learned),
                words(classical)
            ),
            (Some(one), None) | (None, Some(one)) => format!(
                "Chosen on the validation period, by the least {measure}: {}.",
                words(one)
            ),
            (None, None) => return None,
        })
    }

    /// The first paragraph, for a head of desk, in words that claim no more than the intervals: the learned policy beside the classical
    /// hedge that is compared with first, and beside that of the test where it is another; what is left after correction. Nothing
    /// without a learned policy or without classical hedges.
    pub fn paragraph(&self, problem: &str) -> Option<String> {
        let ((recipe, chosen), hedge) = (self.recipe()?, self.classical()?);
        let test = self.test;
        let best = test.best(true)?;
        let measure = &test.measure;
        let hindsight = "which is a choice in hindsight and favours it";
        let of = match (self.on_validation(), best.name == hedge.name) {
            (Some(_), true) => format!("of the validation period and of the test by {measure}"),
            (Some(_), false) => format!("of the validation period by {measure}"),
            (None, _) => format!("of these contracts by {measure}, {hindsight}"),
        };
        let mut text = format!(
            "{} contracts were sold from {} to {} ({problem}). Beside {}, the best classical hedge {of}, {} {}",
            test.contracts,
            test.first_sale,
            test.last_sale,
            hedge.title,
            match chosen {
                true => format!(
                    "{}, the learned policy chosen on the validation period,",
                    recipe.title
                ),
                false => format!("the learned policy {}", recipe.title),
            },
            self.conclusion(recipe, hedge)
        );
        let statistics = STATISTICS.iter().filter(|name| **name != "mean");
        let values = statistics.map(|name| {
            let [own, other] = [recipe, hedge].map(|row| row.statistic(name).value);
            let title = statistic(name, test.level);
            let shown = [own, other];
            format!(
                "{title} {} against {}",
                plain(&shown, own),
                plain(&shown, other)
            )
        });
        text += &format!(": {}.", listed(&values.collect::<Vec<String>>()));
        if best.name != hedge.name {
            text += &format!(
                " Beside {}, the best classical hedge of the test, {hindsight}, it {}.",
                best.title,
                self.conclusion(recipe, best)
            );
            let lower = test.rows.iter().filter(|row| !row.classical).any(|row| {
                let mut tests = test.against(&row.name, &best.name);
                tests.any(|of| {
                    of.statistic == "cvar" && Verdict::of(&of.difference) == Verdict::Lower
                })
            });
            if !lower {
                text += &format!(
                    " No learned policy has a lower {} than {}.",
                    statistic("cvar", test.level),
                    best.title
                );
            }
        }
        text += &self.after_correction(recipe, &[hedge, best]);
        Some(text)
    }

    /// How many of the differences in CVaR and standard deviation from these hedges that their intervals tell are told after
    /// correction too, as a sentence; nothing where all are.
    fn after_correction(&self, own: &ComparedRow, hedges: &[&ComparedRow]) -> String {
        let all = self.test.differences.iter();
        let all = all.filter(|test| test.strategy == own.name).count();
        let told: Vec<&Test> = (self.test.differences.iter())
            .filter(|test| test.strategy == own.name && STATISTICS[..2].contains(&&*test.statistic))
            .filter(|test| hedges.iter().any(|hedge| hedge.name == test.against))
            .filter(|test| Verdict::of(&test.difference) != Verdict::Alike)
            .collect();
        let left = told.iter().filter(|test| test.corrected < LEVEL).count();
        match (left, told.len()) {
            (left, count) if left == count => String::new(),
            (0, _) => format!(
                " That is what each interval says for itself: after correction for all {all} comparisons none of these differences stays significant."
            ),
            (left, count) => format!(
                " That is what each interval says for itself: after correction for all {all} comparisons {left} of these {count} differences stay significant."
            ),
        }
    }

    /// The figures behind [`Self::paragraph`]: differences from the classical hedges that it names, and from how many of all
    /// classical hedges the policy is told apart.
    pub fn figures(&self) -> Option<String> {
        let ((recipe, _), hedge) = (self.recipe()?, self.classical()?);
        let best = self.test.best(true)?;
        let mut hedges = vec![hedge];
        hedges.extend((best.name != hedge.name).then_some(best));
        let mut text = String::new();
        for hedge in hedges {
            text += &format!(
                "Beside {}, {} {} ",
                hedge.title,
                recipe.title,
                self.beside(recipe, hedge, &STATISTICS)
            );
        }
        let all = STATISTICS[..2].iter();
        let all: Vec<String> = all.map(|of| self.against_all(recipe, of)).collect();
        Some(text + &all.join(" "))
    }

    /// A further problem in one sentence.
    pub fn brief(&self, problem: &str) -> Option<String> {
        let ((recipe, _), hedge) = (self.recipe()?, self.classical()?);
        Some(format!(
            "{problem}: beside {}, {} {}",
            hedge.title,
            recipe.title,
            self.beside(recipe, hedge, &STATISTICS[..2])
        ))
    }

    /// Which statistics of `own` are lower, higher or not distinguishable beside those of `other`, as the end of a sentence of
    /// which `own` is the subject.
    fn beside(&self, own: &ComparedRow, other: &ComparedRow, statistics: &[&str]) -> String {
        let tests: Vec<&Test> = self.test.against(&own.name, &other.name).collect();
        let mut told: Vec<String> = Vec::new();
        let mut alike: Vec<String> = Vec::new();
        for name in statistics {
            let Some(test) = tests.iter().find(|test| test.statistic == *name) else {
                continue;
            };
            let title = statistic(name, self.test.level);
            let (a, b) = (own.statistic(name), other.statistic(name));
            let numbers = numbers(a, b, test);
            match Verdict::of(&test.difference) {
                Verdict::Lower => told.push(format!("a lower {title} ({numbers})")),
                Verdict::Higher => told.push(format!("a higher {title} ({numbers})")),
                Verdict::Alike => alike.push(format!("{title} ({numbers})")),
            }
        }
        match (told.is_empty(), alike.as_slice()) {
            (false, []) => format!("has {}.", listed(&told)),
            (false, [one]) => format!("has {}; its {one} is not distinguishable.", listed(&told)),
            (false, _) => format!(
                "has {}; its {} are not distinguishable.",
                listed(&told),
                listed(&alike)
            ),
            (true, [one]) => format!("has a {one} that is not distinguishable."),
            (true, _) => format!("is not distinguishable in {}.", listed(&alike)),
        }
    }

    /// What follows from CVaR and standard deviation, as the end of a sentence of which `own` is the subject.
    fn conclusion(&self, own: &ComparedRow, other: &ComparedRow) -> &'static str {
        let of = |name: &str| {
            let mut tests = self.test.against(&own.name, &other.name);
            let test = tests.find(|test| test.statistic == name);
            test.map_or(Verdict::Alike, |test| Verdict::of(&test.difference))
        };
        match (of("cvar"), of("std")) {
            (Verdict::Lower, Verdict::Lower) => {
                "loses less in the tail, and its outcomes vary less"
            }
            (Verdict::Lower, Verdict::Alike) => {
                "loses less in the tail; that its outcomes vary less these contracts do not show"
            }
            (Verdict::Lower, Verdict::Higher) => {
                "loses less in the tail, but its outcomes vary more"
            }
            (Verdict::Alike, Verdict::Lower) => {
                "has outcomes that vary less; that it loses less in the tail these contracts do not show"
            }
            (Verdict::Alike, Verdict::Alike) => "is not told apart in risk by these contracts",
            (Verdict::Alike, Verdict::Higher) => {
                "has outcomes that vary more; that it loses less in the tail these contracts do not show"
            }
            (Verdict::Higher, Verdict::Lower) => {
                "loses more in the tail, though its outcomes vary less"
            }
            (Verdict::Higher, Verdict::Alike | Verdict::Higher) => "is the worse hedge",
        }
    }

    /// Than which classical hedges a statistic of the policy is lower or higher, and from which it is not told.
    fn against_all(&self, own: &ComparedRow, name: &str) -> String {
        let (mut lower, mut higher, mut alike) = (Vec::new(), Vec::new(), Vec::new());
        let classical = self.test.rows.iter().filter(|row| row.classical);
        for row in classical {
            let mut tests = self.test.against(&own.name, &row.name);
            let verdict = tests.find(|test| test.statistic == name);
            let title = row.title.clone();
            match verdict.map_or(Verdict::Alike, |test| Verdict::of(&test.difference)) {
                Verdict::Lower => lower.push(title),
                Verdict::Higher => higher.push(title),
                Verdict::Alike => alike.push(title),
            }
        }
        let all = lower.len() + higher.len() + alike.len();
        let title = statistic(name, self.test.level);
        if lower.len() == all {
            return format!(
                "The {title} of {} is lower than that of every classical hedge here ({all}).",
                own.title
            );
        }
        let mut parts = Vec::new();
        match lower.len() {
            0 => {}
            count => parts.push(format!(
                "lower than that of {count} of {all} classical hedges"
            )),
        }
        if !higher.is_empty() {
            parts.push(format!("higher than that of {}", listed(&higher)));
        }
        if !alike.is_empty() {
            parts.push(format!(
                "not distinguishable from that of {}",
                listed(&alike)
            ));
        }
        format!("The {title} of {} is {}.", own.title, listed(&parts))
    }
}

/// Two values, their difference and its interval, and whether that is significant after correction where the interval says
/// otherwise.
fn numbers(own: &Bounded, other: &Bounded, test: &Test) -> String {
    let Bounded { value, interval } = test.difference;
    let shown = [own.value, other.value, value, interval.low, interval.high];
    let [own, other, value, low, high] = shown.map(|of| plain(&shown, of));
    let corrected = match Verdict::of(&test.difference) {
        Verdict::Lower | Verdict::Higher if test.corrected >= LEVEL => "; not after correction",
        Verdict::Lower | Verdict::Higher | Verdict::Alike => "",
    };
    format!("{own} against {other}, difference {value} [{low}, {high}]{corrected}")
}

/// A number with the digits that `shown` have together.
fn plain(shown: &[f64], value: f64) -> String {
    Rounding::of_values(shown.iter().copied(), 3).write(value)
}

#[cfg(test)]
#[path = "verdicts_tests.rs"]
mod tests;
