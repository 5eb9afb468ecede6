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

    /// The first paragraph for a head of desk: the best classical hedge by name, the learned policy beside it, what follows, and how
    /// it stands beside all classical hedges. Nothing without a learned policy or without classical hedges.
    pub fn paragraph(&self, problem: &str) -> Option<String> {
        let ((recipe, chosen), hedge) = (self.recipe()?, self.classical()?);
        let test = self.test;
        let best = test.best(true)?;
        let measure = &test.measure;
        let mut text = format!(
            "On {} contracts sold from {} to {} ({problem}), the best classical hedge is {}, ",
            test.contracts, test.first_sale, test.last_sale, hedge.title
        );
        let hindsight = "a choice in hindsight, which favours it";
        text += &match (self.on_validation(), best.name == hedge.name) {
            (Some(_), true) => {
                format!("which has the least {measure} on the validation period and on the test.")
            }
            (Some(_), false) => format!("which has the least {measure} on the validation period."),
            (None, _) => format!("which has the least {measure} on these contracts: {hindsight}."),
        };
        let name = match chosen {
            true => format!(
                "the learned policy {}, chosen on the validation period,",
                recipe.title
            ),
            false => format!("the learned policy {}", recipe.title),
        };
        text += &format!(
            " Beside it, {name} {}",
            self.beside(recipe, hedge, &STATISTICS)
        );
        text += &format!(" {}", self.conclusion(recipe, hedge));
        if best.name != hedge.name {
            text += &format!(
                " On the test itself {} has less {measure}, {hindsight}; beside it, {} {}",
                best.title,
                recipe.title,
                self.beside(recipe, best, &STATISTICS[..2])
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
        for of in &STATISTICS[..2] {
            text += &format!(" {}", self.against_all(recipe, of));
        }
        Some(text)
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

    /// What follows from CVaR and standard deviation.
    fn conclusion(&self, own: &ComparedRow, other: &ComparedRow) -> &'static str {
        let of = |name: &str| {
            let mut tests = self.test.against(&own.name, &other.name);
            let test = tests.find(|test| test.statistic == name);
            test.map_or(Verdict::Alike, |test| Verdict::of(&test.difference))
        };
        match (of("cvar"), of("std")) {
            (Verdict::Lower, Verdict::Lower) => {
                "So it loses less in the tail, and outcomes vary less."
            }
            (Verdict::Lower, Verdict::Alike) => {
                "So it loses less in the tail; that outcomes vary less these contracts do not show."
            }
            (Verdict::Lower, Verdict::Higher) => {
                "So it loses less in the tail, but outcomes vary more."
            }
            (Verdict::Alike, Verdict::Lower) => {
                "So outcomes vary less; that it loses less in the tail these contracts do not show."
            }
            (Verdict::Alike, Verdict::Alike) => {
                "So these contracts do not tell the risks of the two apart."
            }
            (Verdict::Alike, Verdict::Higher) => {
                "So outcomes vary more, and that it loses less in the tail these contracts do not show."
            }
            (Verdict::Higher, Verdict::Lower) => {
                "So outcomes vary less, but it loses more in the tail."
            }
            (Verdict::Higher, Verdict::Alike | Verdict::Higher) => {
                "So the classical hedge is the better one."
            }
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
        Verdict::Lower | Verdict::Higher if test.corrected >= LEVEL => {
            ", not significant after correction for the number of comparisons"
        }
        Verdict::Lower | Verdict::Higher | Verdict::Alike => "",
    };
    format!("{own} against {other}, difference {value} [{low}, {high}]{corrected}")
}

/// A number with the digits that `shown` have together.
fn plain(shown: &[f64], value: f64) -> String {
    Rounding::of_values(shown.iter().copied(), 4).write(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::bootstrap::Interval;
    use crate::runs::walk_forward::Phase;

    fn bounded(value: f64, low: f64, high: f64) -> Bounded {
        Bounded {
            value,
            interval: Interval { low, high },
        }
    }

    fn row(name: &str, classical: bool, risk: f64) -> ComparedRow {
        let value = bounded(risk, risk - 0.1, risk + 0.1);
        ComparedRow {
            name: name.into(),
            title: name.into(),
            classical,
            seeds: usize::from(!classical),
            risk,
            mean: value,
            std: value,
            cvar: value,
            cost: value,
            between_seeds: None,
        }
    }

    /// A comparison of kfac with delta and naked, in which the differences from delta are those given for CVaR, standard deviation,
    /// mean and cost, and kfac is lower than naked in everything.
    fn compared(phase: Phase, differences: [(f64, f64); 4], corrected: f64) -> Compared {
        let test = |against: &str, statistic: &str, (low, high): (f64, f64), corrected: f64| Test {
            strategy: "kfac".into(),
            against: against.into(),
            statistic: statistic.into(),
            difference: bounded(0.5 * (low + high), low, high),
            p: 0.01,
            corrected,
        };
        let delta = STATISTICS.into_iter().zip(differences);
        let delta = delta.map(|(name, of)| test("delta", name, of, corrected));
        let naked = STATISTICS.map(|name| test("naked", name, (-2.0, -1.0), 0.001));
        Compared {
            phase,
            contracts: 751,
            days: 751,
            first_sale: "2006-01-03".into(),
            last_sale: "2020-11-30".into(),
            last_expiry: "2020-12-30".into(),
            block: 8.3,
            draws: 2000,
            level: 0.95,
            measure: "CVaR 95 %".into(),
            rows: vec![
                row("kfac", false, 0.765),
                row("naked", true, 2.461),
                row("delta", true, 0.793),
            ],
            differences: delta.chain(naked).collect(),
            between_learned: Vec::new(),
            years: Vec::new(),
            problems: Vec::new(),
            regimes: Vec::new(),
            worst: Vec::new(),
        }
    }

    const LOWER: (f64, f64) = (-0.05, -0.01);
    const ALIKE: (f64, f64) = (-0.08, 0.02);
    const HIGHER: (f64, f64) = (0.01, 0.05);

    fn said(differences: [(f64, f64); 4]) -> String {
        let test = compared(Phase::Test, differences, 0.01);
        let validation = compared(Phase::Validation, differences, 0.01);
        let choice = Choice {
            validation: Some(&validation),
            test: &test,
        };
        choice.paragraph("calls").unwrap()
    }

    /// The words of each case follow the intervals: what they exclude from zero is lower or higher, all else is not distinguishable,
    /// and the conclusion claims no more.
    #[test]
    fn words_follow_the_intervals() {
        let text = said([LOWER, LOWER, HIGHER, LOWER]);
        assert!(text.starts_with("On 751 contracts sold from 2006-01-03 to 2020-11-30 (calls), the best classical hedge is delta, which has the least CVaR 95 % on the validation period and on the test."), "{text}");
        assert!(text.contains("Beside it, the learned policy kfac has a lower CVaR 95 % (0.7650 against 0.7930, difference -0.0300 [-0.0500, -0.0100]), a lower standard deviation ("), "{text}");
        assert!(
            text.contains(", a higher mean P&L (") && text.contains(" and a lower cost ("),
            "{text}"
        );
        assert!(
            text.contains("So it loses less in the tail, and outcomes vary less."),
            "{text}"
        );
        assert!(
            text.contains(
                "The CVaR 95 % of kfac is lower than that of every classical hedge here (2)."
            ),
            "{text}"
        );
        assert!(!text.contains("not distinguishable"), "{text}");

        let text = said([ALIKE, LOWER, ALIKE, ALIKE]);
        assert!(text.contains("has a lower standard deviation ("), "{text}");
        assert!(
            text.contains("; its CVaR 95 % (") && text.contains(") are not distinguishable."),
            "{text}"
        );
        assert!(
            text.contains(
                "So outcomes vary less; that it loses less in the tail these contracts do not show."
            ),
            "{text}"
        );
        assert!(text.contains("The CVaR 95 % of kfac is lower than that of 1 of 2 classical hedges and not distinguishable from that of delta."), "{text}");
        assert!(!text.contains("lower CVaR"), "{text}");

        let text = said([ALIKE, ALIKE, ALIKE, ALIKE]);
        assert!(
            text.contains("kfac is not distinguishable in CVaR 95 % ("),
            "{text}"
        );
        assert!(
            text.contains("So these contracts do not tell the risks of the two apart."),
            "{text}"
        );

        let text = said([HIGHER, ALIKE, ALIKE, ALIKE]);
        assert!(
            text.contains("has a higher CVaR 95 % (")
                && text.contains("So the classical hedge is the better one."),
            "{text}"
        );
        assert!(text.contains("higher than that of delta."), "{text}");
    }

    /// What an interval says but the correction does not is said so; without a validation period the choice of the hedge is called
    /// one in hindsight; where another hedge is best on the test, both are named.
    #[test]
    fn words_say_what_was_known() {
        let test = compared(Phase::Test, [LOWER, LOWER, LOWER, LOWER], 0.2);
        let alone = Choice {
            validation: None,
            test: &test,
        };
        let text = alone.paragraph("calls").unwrap();
        assert!(
            text.contains("-0.0100], not significant after correction"),
            "{text}"
        );
        assert!(
            text.contains("on these contracts: a choice in hindsight, which favours it."),
            "{text}"
        );
        assert!(alone.chosen().is_none());
        let mut validation = compared(Phase::Validation, [LOWER; 4], 0.01);
        validation.rows[1].risk = 0.5;
        let both = Choice {
            validation: Some(&validation),
            test: &test,
        };
        let text = both.paragraph("calls").unwrap();
        assert!(text.contains("the best classical hedge is naked, which has the least CVaR 95 % on the validation period."), "{text}");
        assert!(
            text.contains("On the test itself delta has less CVaR 95 %, a choice in hindsight"),
            "{text}"
        );
        assert!(!text.contains("No learned policy"), "{text}");
        assert_eq!(both.names(), ["kfac", "naked", "delta"]);
        let chosen = both.chosen().unwrap();
        assert!(
            chosen.ends_with(
                "of the learned policies kfac (0.7650), of the classical hedges naked (0.5000)."
            ),
            "{chosen}"
        );
        let test = compared(Phase::Test, [ALIKE; 4], 0.2);
        let both = Choice {
            validation: Some(&validation),
            test: &test,
        };
        let text = both.paragraph("calls").unwrap();
        assert!(
            text.contains("No learned policy has a lower CVaR 95 % than delta."),
            "{text}"
        );
        assert_eq!(
            both.brief("Calls")
                .unwrap()
                .matches("Calls: beside naked, kfac has a lower")
                .count(),
            1
        );
    }

    /// An interval that is not known tells nothing.
    #[test]
    fn an_unknown_interval_tells_nothing() {
        assert_eq!(
            Verdict::of(&bounded(-1.0, f64::NAN, f64::NAN)),
            Verdict::Alike
        );
    }
}
