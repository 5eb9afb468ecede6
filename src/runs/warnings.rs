//! What a reader of a run must know before its figures are used.

use super::classical::HedgeRow;
use super::metrics::Metrics;
use super::precision::listed;
use crate::hedging::ClassicalName;
use crate::numbers::{counted, with_error};
use crate::risk::Estimate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The share of a risk within which another is the same.
const SAME: f64 = 1e-6;

/// A trained policy whose risk on the test paths differs by more than sampling from what was last measured on the
/// validation paths of its training: paths of one law, hedged with the same weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Disagreement {
    /// The name of the strategy.
    pub strategy: String,
    /// The seed of the training.
    pub seed: u64,
    /// The risk on the validation paths at the end of training.
    pub validation: Estimate,
    /// The risk on the test paths.
    pub test: Estimate,
}

impl Disagreement {
    /// Combined standard errors that sampling explains.
    pub const STANDARD_ERRORS: f64 = 5.0;

    /// Whether the two risks of `strategy` disagree. A standard error that is unknown shows nothing; `rounding` is the
    /// difference that single precision, in which policies are trained, explains.
    pub fn between(
        (strategy, seed): (&str, u64),
        validation: Estimate,
        test: Estimate,
        rounding: f64,
    ) -> Option<Self> {
        let both = Estimate {
            value: test.value,
            standard_error: validation.standard_error.hypot(test.standard_error),
        };
        let agree = both.explains(validation.value, Self::STANDARD_ERRORS, rounding);
        (!agree).then(|| Self {
            strategy: strategy.into(),
            seed,
            validation,
            test,
        })
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            strategy,
            seed,
            validation,
            test,
        } = self;
        write!(
            f,
            "{strategy}, seed {seed}: the risk is {} on validation paths and {} on test paths, more apart than sampling \
             explains",
            with_error(validation.value, validation.standard_error),
            with_error(test.value, test.standard_error)
        )
    }
}

impl Metrics {
    /// What a reader must know before the figures are used: assets that are not traded, policies that do not hedge, risks of one policy
    /// that disagree, what is odd in the data, and parameters that they do not determine.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.unhedged().into_iter().collect();
        warnings.extend(self.idle());
        warnings.extend(self.unscreened());
        warnings.extend(self.disagreements.iter().map(ToString::to_string));
        warnings.extend(self.hedges.iter().flat_map(HedgeRow::at_bound));
        let old = self.band_at_bound && self.hedges.is_empty();
        if let Some(aversion) = self.band_aversion.filter(|_| old) {
            warnings.push(format!(
                "the Whalley–Wilmott band with the least risk lies at a bound of the search, at risk aversion {aversion:.3e}"
            ));
        }
        if let Some(market) = &self.backtest_market {
            warnings.extend(market.warnings.iter().cloned());
            warnings.extend(market.undetermined());
        }
        warnings
    }

    /// Trainings on screened paths whose score did not foresee what weighs, so that most of their steps drew all candidates alike, a sentence for
    /// each strategy.
    pub fn unscreened(&self) -> Vec<String> {
        let mut found: Vec<(&str, Vec<u64>)> = Vec::new();
        for curve in &self.training {
            let shares = curve.points.iter().filter_map(|point| {
                let share = point.statistics.get("screening_defence")?;
                share.as_f64()
            });
            let (all, alike) = shares.fold((0, 0), |(all, alike), share| {
                (all + 1, alike + usize::from(share == 1.0))
            });
            if 2 * alike <= all {
                continue;
            }
            match found.iter_mut().find(|(name, _)| *name == curve.strategy) {
                Some((_, seeds)) => seeds.push(curve.seed),
                None => found.push((&curve.strategy, vec![curve.seed])),
            }
        }
        let sentence = |(name, seeds): (&str, Vec<u64>)| {
            let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
            let seed = if seeds.len() == 1 { "seed" } else { "seeds" };
            format!(
                "{name}, {seed} {}: what paths weigh was not foreseen, and most steps drew all candidates of the `pool` alike",
                listed(&seeds)
            )
        };
        found.into_iter().map(sentence).collect()
    }

    /// Trained policies that hedge nothing on the test paths, a sentence for each strategy: those that never trade, and those whose
    /// risk is that of no hedge, to 10⁻⁶ of it.
    pub fn idle(&self) -> Vec<String> {
        let naked = self
            .evaluation
            .iter()
            .find(|row| row.strategy == ClassicalName::Naked.name());
        let mut found: Vec<(String, &str, Vec<String>)> = Vec::new();
        let lengths = self.lengths.iter().map(|one| {
            let length = counted(one.length, "step");
            (format!("{} after {length}", one.row.strategy), &one.row)
        });
        let rows = self
            .evaluation
            .iter()
            .map(|row| (row.strategy.clone(), row));
        for (name, row) in rows.chain(lengths) {
            let Some(seed) = row.seed else { continue };
            let words = if row.turnover == 0.0 {
                "never trades on the test paths"
            } else if naked
                .is_some_and(|naked| (row.risk - naked.risk).abs() <= SAME * naked.risk.abs())
            {
                "has the risk of no hedge on the test paths"
            } else {
                continue;
            };
            let seed = seed.to_string();
            match found.iter_mut().find(|one| one.0 == name && one.1 == words) {
                Some((_, _, seeds)) => seeds.push(seed),
                None => found.push((name, words, vec![seed])),
            }
        }
        let sentence = |(name, words, seeds): (String, &str, Vec<String>)| {
            let seed = if seeds.len() == 1 { "seed" } else { "seeds" };
            format!("{name}, {seed} {}, {words}", listed(&seeds))
        };
        found.into_iter().map(sentence).collect()
    }

    /// That the contract depends on assets which nothing hedges, in a sentence; nothing if it does not.
    pub fn unhedged(&self) -> Option<String> {
        let names = listed(&self.untraded);
        (!self.untraded.is_empty()).then(|| {
            format!("the contract depends on {names}, which nothing that is traded is on: it goes unhedged")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::Row;

    /// A trained policy without turnover and one that has the risk of no hedge are named by their seeds, one that hedges is not.
    #[test]
    fn policies_that_do_not_hedge_are_named() {
        let mut metrics = crate::runs::fixture::metrics();
        metrics.lengths.clear();
        let row = metrics.evaluation[0].clone();
        let of = |strategy: &str, seed: Option<u64>, risk: f64, turnover: f64| Row {
            strategy: strategy.into(),
            seed,
            risk,
            turnover,
            ..row.clone()
        };
        metrics.evaluation = vec![
            of("naked", None, 3.1535, 0.0),
            of("kfac", Some(1), 2.6, 1.1),
            of("kfac", Some(2), 3.1535, 0.0),
            of("kfac", Some(3), 3.1535, 0.0),
            of("adam", Some(1), 3.1535, 1e-9),
        ];
        assert_eq!(
            metrics.idle(),
            [
                "kfac, seeds 2 and 3, never trades on the test paths",
                "adam, seed 1, has the risk of no hedge on the test paths",
            ]
        );
        assert!(metrics.warnings().starts_with(&metrics.idle()));
        metrics.evaluation.truncate(2);
        assert!(metrics.idle().is_empty());
    }

    /// Two estimates 5 combined standard errors apart agree, further apart they do not, and an unknown error shows nothing.
    #[test]
    fn risks_disagree_beyond_five_combined_standard_errors() {
        let estimate = |value, standard_error| Estimate {
            value,
            standard_error,
        };
        let between = |validation, test| Disagreement::between(("adam", 2), validation, test, 0.0);
        let validation = estimate(-40.0, 0.3);
        assert_eq!(between(validation, estimate(-37.51, 0.4)), None);
        assert_eq!(between(validation, estimate(-42.49, 0.4)), None);
        assert_eq!(between(validation, estimate(197.0, f64::NAN)), None);
        let found = between(validation, estimate(197.0, 0.4)).unwrap();
        assert_eq!(
            found.to_string(),
            "adam, seed 2: the risk is -40.00 ± 0.30 on validation paths and 197.00 ± 0.40 on test paths, more \
             apart than sampling explains"
        );
        let rounded = Disagreement::between(
            ("adam", 2),
            estimate(1.0, 0.0),
            estimate(1.0001, 0.0),
            0.001,
        );
        assert_eq!(rounded, None);
    }
}
