//! The three figures that a paper reports of K-FAC against Adam, computed in the same form.

use super::problem::{Part, StudyProblem, mean};
use super::statements::percent;
use crate::runs::study::Ending;
use std::fmt::Write;

/// Changes of mean cost and P&L variance, and the two Sharpe ratios, as published.
const COST: f64 = -0.783;
const VARIANCE: f64 = -0.344;
const SHARPE: f64 = 0.0401;
const ADAM_SHARPE: f64 = -0.0025;

/// The figures of one pair of methods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Headline {
    /// The change of the mean cost, as a fraction.
    pub cost_change: f64,
    /// The change of the variance of P&L, as a fraction.
    pub variance_change: f64,
    /// At the premium at which ours has the published Sharpe ratio.
    pub baseline_sharpe: f64,
}

impl Headline {
    /// Ours against theirs. The Sharpe ratio of a seller depends on the premium p, (p + m)/σ: p is chosen so that
    /// ours is the published one.
    pub fn new(ours: &[&Ending], theirs: &[&Ending]) -> Self {
        let deviation = |side: &[&Ending]| mean(side, |e| e.pnl_variance.sqrt());
        let profit = |side: &[&Ending]| mean(side, |e| e.pnl_mean);
        let premium = SHARPE * deviation(ours) - profit(ours);
        let change = |of: &dyn Fn(&Ending) -> f64| mean(ours, of) / mean(theirs, of) - 1.0;
        Self {
            cost_change: change(&|e| e.cost_mean),
            variance_change: change(&|e| e.pnl_variance),
            baseline_sharpe: (premium + profit(theirs)) / deviation(theirs),
        }
    }

    /// Which of the published changes are at least reached.
    pub fn reproduces(&self) -> [bool; 3] {
        [
            self.cost_change <= COST,
            self.variance_change <= VARIANCE,
            self.baseline_sharpe <= ADAM_SHARPE,
        ]
    }
}

/// The table of all pairs of a problem, and what they reproduce.
pub fn section(problem: &StudyProblem) -> String {
    let mut text = String::new();
    let mut pairs: Vec<(String, Headline)> = Vec::new();
    for (settings, part) in [("tuned", &problem.tuned), ("default", &problem.untuned)] {
        let Some(part) = part else { continue };
        pairs.extend(of_part(settings, part));
    }
    if pairs.is_empty() {
        return text;
    }
    text.push_str(
        "| K-FAC against | cost | variance | Sharpe of K-FAC | Sharpe of the other |\n|---|---|---|---|---|\n",
    );
    writeln!(
        text,
        "| *as published* | {} | {} | {SHARPE:.4} | {} |",
        percent(COST),
        percent(VARIANCE),
        format!("{ADAM_SHARPE:.4}").replace('-', "−")
    )
    .expect("writing to a string");
    for (name, headline) in &pairs {
        writeln!(
            text,
            "| {name} | {} | {} | {SHARPE:.4} | {} |",
            percent(headline.cost_change),
            percent(headline.variance_change),
            format!("{:.4}", headline.baseline_sharpe).replace('-', "−")
        )
        .expect("writing to a string");
    }
    text.push('\n');
    text.push_str(&verdict(&pairs));
    text.push('\n');
    text
}

fn of_part(settings: &str, part: &Part) -> Vec<(String, Headline)> {
    let Some(length) = part.length else {
        return Vec::new();
    };
    let main = part.at_length(length);
    let Some((_, ours)) = main.iter().find(|(name, _)| *name == "kfac") else {
        return Vec::new();
    };
    let mut lengths: Vec<usize> = part.endings.iter().filter_map(|e| e.length).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let mut pairs = Vec::new();
    for length in lengths {
        for (name, theirs) in part.at_length(length) {
            if part.is_adam(name) {
                let steps = theirs[0].steps.unwrap_or(length);
                let label = format!("{name}, {settings}, {steps} steps");
                pairs.push((label, Headline::new(ours, &theirs)));
            }
        }
    }
    pairs
}

/// Which published figures some pair reaches, and whether one pair reaches all three.
pub fn verdict(pairs: &[(String, Headline)]) -> String {
    let reach = |which: usize| -> Vec<&str> {
        let reaching = pairs
            .iter()
            .filter(|(_, headline)| headline.reproduces()[which]);
        reaching.map(|(name, _)| name.as_str()).collect()
    };
    let all: Vec<&str> = pairs
        .iter()
        .filter(|(_, headline)| headline.reproduces() == [true; 3])
        .map(|(name, _)| name.as_str())
        .collect();
    if !all.is_empty() {
        return format!(
            "All three published figures are reached against: {}.\n",
            all.join("; ")
        );
    }
    let mut text =
        String::from("No setting measured here gives all three published figures together.");
    for (which, name) in ["cost", "variance", "Sharpe ratio of Adam"]
        .iter()
        .enumerate()
    {
        let reaching = reach(which);
        if reaching.is_empty() {
            write!(text, " The {name}: against none.").expect("writing to a string");
        } else {
            write!(text, " The {name}: against {}.", reaching.join("; "))
                .expect("writing to a string");
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(cost: f64, mean: f64, variance: f64) -> Ending {
        Ending {
            strategy: String::new(),
            seed: Some(1),
            length: None,
            parameter: None,
            steps: None,
            seconds: None,
            risk: 0.0,
            cvar: 0.0,
            pnl_mean: mean,
            pnl_variance: variance,
            cost_mean: cost,
            sharpe: mean / variance.sqrt(),
        }
    }

    /// Half the cost, a quarter of the variance: at the premium 1 + .0401 ours has the Sharpe ratio .0401, and theirs
    /// (1.0401 − 2)/2 by hand.
    #[test]
    fn the_published_form_is_computed() {
        let (ours, theirs) = (ending(1.0, -1.0, 1.0), ending(2.0, -2.0, 4.0));
        let headline = Headline::new(&[&ours], &[&theirs]);
        assert_eq!(
            (headline.cost_change, headline.variance_change),
            (-0.5, -0.75)
        );
        assert!((headline.baseline_sharpe - (1.0401 - 2.0) / 2.0).abs() < 1e-12);
        assert_eq!(headline.reproduces(), [false, true, true]);
    }

    /// The verdict names what reaches which figure.
    #[test]
    fn the_verdict_follows_the_figures() {
        let at = |cost_change, variance_change, baseline_sharpe| Headline {
            cost_change,
            variance_change,
            baseline_sharpe,
        };
        let none = verdict(&[("adam".into(), at(-0.1, -0.4, 0.02))]);
        assert!(none.starts_with("No setting"), "{none}");
        assert!(
            none.contains("The variance: against adam.")
                && none.contains("The cost: against none.")
        );
        let all = verdict(&[("untuned adam".into(), at(-0.8, -0.4, -0.1))]);
        assert!(all.contains("reached against: untuned adam."), "{all}");
    }
}
