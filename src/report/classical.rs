//! What the best classical hedge of a run is, and whether the learned policies beat it, in words.

use super::summary::Verdict;
use crate::numbers::{estimate, significant};
use crate::runs::classical::{AgainstClassical, BesideBest, BestClassical, HedgeRow};
use crate::runs::metrics::Metrics;

/// A sentence or two for each market and each kind of paths; nothing if the run has no classical hedge.
pub fn findings(metrics: &Metrics) -> Vec<String> {
    let all = metrics.best_classical.iter();
    all.flat_map(|best| of_best(best, &metrics.risk)).collect()
}

fn of_best(best: &BestClassical, risk: &str) -> Vec<String> {
    let market = best.market.as_ref();
    let market = market.map_or(String::new(), |name| format!(" in market {name}"));
    let parts = [
        (&best.simulated, String::new()),
        (&best.backtest, " in the backtest".to_owned()),
    ];
    let parts = parts.into_iter().filter_map(|(part, place)| {
        let part = part.as_ref()?;
        let value = significant(part.risk, 4);
        let title = &best.title;
        let mut text = format!("Best classical hedge{market}{place}: {title} ({risk} {value}).");
        for policy in &part.policies {
            text.push(' ');
            text.push_str(&beside(part, policy));
        }
        Some(text)
    });
    parts.collect()
}

/// Whether a policy beats the hedge, and by how much.
fn beside(part: &BesideBest, policy: &AgainstClassical) -> String {
    let AgainstClassical {
        strategy,
        difference,
        standard_error,
        seeds,
    } = policy;
    let size = estimate(difference.abs(), *standard_error, 2);
    let share = 100.0 * difference.abs() / part.risk.abs();
    let share = match share.is_finite() {
        true => format!(" ({})", percent(share)),
        false => String::new(),
    };
    match Verdict::lower_is_better(*difference, *standard_error).of_seeds(*seeds) {
        Verdict::Better => format!("{strategy} beats it: its risk is lower by {size}{share}."),
        Verdict::Worse => {
            format!("{strategy} does not beat it: its risk is higher by {size}{share}.")
        }
        Verdict::Undecided => format!(
            "{strategy} does not beat it: its risk is not distinguishable (difference {}).",
            estimate(*difference, *standard_error, 2)
        ),
        Verdict::OneSeed => {
            let direction = if *difference < 0.0 { "lower" } else { "higher" };
            format!(
                "{strategy}, trained with one seed, has a risk {direction} by {size}{share}; another seed may not."
            )
        }
        Verdict::Withheld | Verdict::Unknown => {
            format!("{strategy} could not be compared with it.")
        }
    }
}

/// A share in per cent, whole from 10 % on.
pub(super) fn percent(share: f64) -> String {
    match share < 9.95 {
        true => format!("{share:.1} %"),
        false => format!("{share:.0} %"),
    }
}

/// How the hedge was chosen and what ± is, for whoever reads on.
pub const NOTE: &str = "The best classical hedge is the one with the least risk where parameters of hedges are tuned: on validation paths, or on \
                        contracts that had expired before; the figures here are of others. ± is one standard error.";

/// The parameters of the hedges, in a sentence; nothing if they have none.
pub fn parameters(hedges: &[HedgeRow]) -> Option<String> {
    let words: Vec<String> = hedges.iter().filter_map(HedgeRow::words).collect();
    (!words.is_empty())
        .then(|| format!("Parameters of the classical hedges: {}.", words.join("; ")))
}

#[cfg(test)]
#[path = "classical_tests.rs"]
mod tests;
