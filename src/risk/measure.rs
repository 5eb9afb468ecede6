use crate::bounds::{fraction, positive};
use crate::error::Result;
use serde::Serialize;
use std::fmt;

/// A convex risk measure ρ of P&L z, both in the spot's currency, over equally likely paths.
///
/// Multiplying P&L by c and dividing an aversion by c multiplies ρ by c; a CVaR has no aversion, and is multiplied as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "measure")]
pub enum Risk {
    /// CVaR_α(z) = min_η η + E(−z − η)⁺/(1 − α), Rockafellar and Uryasev (2000), equation 4.
    Cvar {
        /// The level α in [0, 1), a probability.
        level: f64,
    },
    /// The entropic risk measure ρ(z) = (1/λ) ln E e^{−λz} of Föllmer and Schied (2002), "Convex measures of risk and
    /// trading constraints".
    Entropic {
        /// The aversion λ > 0, in one over the spot's currency.
        aversion: f64,
    },
    /// Mean–variance, ρ(z) = −E z + λ/2 Var z.
    MeanVariance {
        /// The aversion λ > 0, in one over the spot's currency.
        aversion: f64,
    },
    /// min_η η + E ℓ(−z − η) with ℓ(x) = ((1 + λx)₊² − 1)/(2λ): the optimised certainty equivalent (Ben-Tal and Teboulle 2007,
    /// definition 2.1) of a quadratic that does not turn down. It is the least monotone measure that is mean–variance where all P&L
    /// lies less than 1/λ above −η: what is gained beyond counts as nothing, not as risk (Maccheroni, Marinacci, Rustichini
    /// and Taboga 2009, theorem 2.2).
    MonotoneMeanVariance {
        /// The aversion λ > 0, in one over the spot's currency.
        aversion: f64,
    },
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Rounded, because 0.99 × 100 is not 99 in binary.
            Self::Cvar { level } => write!(f, "CVaR {} %", (level * 1e6).round() / 1e4),
            Self::Entropic { aversion } => write!(f, "entropic risk, aversion {aversion}"),
            Self::MeanVariance { aversion } => write!(f, "mean-variance, aversion {aversion}"),
            Self::MonotoneMeanVariance { aversion } => {
                write!(f, "monotone mean-variance, aversion {aversion}")
            }
        }
    }
}

/// A risk measure at a sample.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The risk ρ(z), in the spot's currency.
    pub value: f64,
    /// The derivatives ∂ρ/∂z_b, one for each path, without unit; their sum is −1.
    pub weights: Vec<f64>,
}

/// Level of the CVaR that is watched where another measure is trained.
const DEFAULT_LEVEL: f64 = 0.95;

impl Risk {
    /// The level, if the measure is a CVaR.
    pub fn cvar_level(&self) -> Option<f64> {
        match *self {
            Self::Cvar { level } => Some(level),
            Self::Entropic { .. }
            | Self::MeanVariance { .. }
            | Self::MonotoneMeanVariance { .. } => None,
        }
    }

    /// The level of the CVaR that tells of tails beside the measure: its own, or 95 %.
    pub fn watched_level(&self) -> f64 {
        self.cvar_level().unwrap_or(DEFAULT_LEVEL)
    }

    /// Checks another level or aversion for the measure; `key` is what names it.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn check_parameter(&self, key: &str, parameter: f64) -> Result<f64> {
        match self {
            Self::Cvar { .. } => fraction(key, parameter),
            Self::Entropic { .. }
            | Self::MeanVariance { .. }
            | Self::MonotoneMeanVariance { .. } => positive(key, parameter),
        }
    }

    /// The CVaR level or the risk aversion.
    pub fn parameter(&self) -> f64 {
        match *self {
            Self::Cvar { level } => level,
            Self::Entropic { aversion }
            | Self::MeanVariance { aversion }
            | Self::MonotoneMeanVariance { aversion } => aversion,
        }
    }

    /// The same measure with another level or aversion.
    pub fn with_parameter(self, parameter: f64) -> Self {
        match self {
            Self::Cvar { .. } => Self::Cvar { level: parameter },
            Self::Entropic { .. } => Self::Entropic {
                aversion: parameter,
            },
            Self::MeanVariance { .. } => Self::MeanVariance {
                aversion: parameter,
            },
            Self::MonotoneMeanVariance { .. } => Self::MonotoneMeanVariance {
                aversion: parameter,
            },
        }
    }

    /// ρ and its derivative at `pnl`.
    ///
    /// CVaR uses the exact weights of a finite sample: the worst (1 − α)n losses, the last of them with
    /// the fraction that is left. The η of monotone mean–variance is the exact minimiser of the sample.
    ///
    /// # Panics
    /// If `pnl` is empty.
    pub fn evaluate(&self, pnl: &[f64]) -> Evaluation {
        let n = pnl.len() as f64;
        match *self {
            Self::Cvar { level } => {
                let mut order: Vec<usize> = (0..pnl.len()).collect();
                let tail = (1.0 - level) * n;
                let whole = (tail.ceil() as usize).clamp(1, pnl.len());
                let by_pnl = |a: &usize, b: &usize| pnl[*a].total_cmp(&pnl[*b]).then(a.cmp(b));
                order.select_nth_unstable_by(whole - 1, by_pnl);
                order[..whole].sort_unstable_by(by_pnl);
                let mut weights = vec![0.0; pnl.len()];
                let mut value = 0.0;
                for (rank, &path) in order[..whole].iter().enumerate() {
                    let weight = (tail - rank as f64).clamp(0.0, 1.0) / tail;
                    weights[path] = -weight;
                    value -= weight * pnl[path];
                }
                Evaluation { value, weights }
            }
            Self::Entropic { aversion } => {
                let worst = pnl.iter().copied().fold(f64::INFINITY, f64::min);
                let mut weights: Vec<f64> = pnl
                    .iter()
                    .map(|z| (-aversion * (z - worst)).exp())
                    .collect();
                let total: f64 = weights.iter().sum();
                weights.iter_mut().for_each(|w| *w = -*w / total);
                Evaluation {
                    value: (total / n).ln() / aversion - worst,
                    weights,
                }
            }
            Self::MeanVariance { aversion } => {
                let mean = pnl.iter().sum::<f64>() / n;
                let variance = pnl.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n;
                Evaluation {
                    value: -mean + 0.5 * aversion * variance,
                    weights: pnl
                        .iter()
                        .map(|z| (aversion * (z - mean) - 1.0) / n)
                        .collect(),
                }
            }
            Self::MonotoneMeanVariance { aversion } => {
                let eta = certainty_level(pnl, aversion);
                // ℓ′(−z − η)
                let slope = |z: f64| (1.0 - aversion * (z + eta)).max(0.0);
                let loss = pnl.iter().map(|z| slope(*z).powi(2) - 1.0).sum::<f64>() / n;
                Evaluation {
                    value: eta + loss / (2.0 * aversion),
                    weights: pnl.iter().map(|z| -slope(*z) / n).collect(),
                }
            }
        }
    }
}

/// The η at which E (1 − λ(z + η))₊ = 1, the minimiser of [`Risk::MonotoneMeanVariance`].
///
/// If the k worst P&L are those below 1/λ − η, it is (1 − n/k)/λ − (mean of the k worst); k is the first whose next P&L is not.
fn certainty_level(pnl: &[f64], aversion: f64) -> f64 {
    let n = pnl.len() as f64;
    let mut sorted = pnl.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut sum = 0.0;
    let mut eta = f64::NAN;
    for (index, z) in sorted.iter().enumerate() {
        sum += z;
        let count = (index + 1) as f64;
        eta = (1.0 - n / count) / aversion - sum / count;
        let next = sorted.get(index + 1).copied().unwrap_or(f64::INFINITY);
        if next + eta >= 1.0 / aversion {
            break;
        }
    }
    eta
}

/// CVaR of the loss at `level`.
pub fn cvar(pnl: &[f64], level: f64) -> f64 {
    Risk::Cvar { level }.evaluate(pnl).value
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn measures() -> [Risk; 4] {
        [
            Risk::Cvar { level: 0.9 },
            Risk::Entropic { aversion: 0.7 },
            Risk::MeanVariance { aversion: 0.7 },
            Risk::MonotoneMeanVariance { aversion: 0.7 },
        ]
    }

    /// Twenty losses 1, …, 20 at 87.5 %: the worst 2½ of them, (20 + 19 + 18/2)/2.5 by hand.
    #[test]
    fn cvar_takes_the_last_loss_with_its_fraction() {
        let pnl: Vec<f64> = (1..=20).map(|loss| -f64::from(loss)).collect();
        assert!((cvar(&pnl, 0.875) - 48.0 / 2.5).abs() < 1e-12);
        assert!((cvar(&pnl, 0.0) - 10.5).abs() < 1e-12);
    }

    /// By hand, λ = 1: of 0 and 10 the gain of 10 lies more than 1/λ above −η, so E (1 − z − η)₊ = (1 − η)/2 = 1 at η = −1 and
    /// ρ = −1 + (4/2 − 1)/2 = −½ where mean–variance says −5 + 25/2.
    #[test]
    fn gains_beyond_the_turning_point_are_no_risk() {
        let found = Risk::MonotoneMeanVariance { aversion: 1.0 }.evaluate(&[10.0, 0.0]);
        assert!((found.value + 0.5).abs() < 1e-12, "{}", found.value);
        assert_eq!(found.weights, [0.0, -1.0]);
    }

    proptest! {
        /// Where no P&L lies more than 1/λ above the mean, monotone mean–variance is mean–variance; elsewhere it is below. No η
        /// nearby does better.
        #[test]
        fn monotone_mean_variance_is_a_minimum(z in prop::collection::vec(-5.0..5.0_f64, 12..40), aversion in 0.02..1.0_f64) {
            let monotone = Risk::MonotoneMeanVariance { aversion }.evaluate(&z).value;
            let plain = Risk::MeanVariance { aversion }.evaluate(&z).value;
            let mean = z.iter().sum::<f64>() / z.len() as f64;
            if z.iter().all(|z| z - mean < 1.0 / aversion) {
                prop_assert!((monotone - plain).abs() < 1e-9);
            } else {
                prop_assert!(monotone < plain);
            }
            let eta = certainty_level(&z, aversion);
            for eta in [eta - 1e-3, eta + 1e-3] {
                let loss = |z: &f64| ((1.0 - aversion * (z + eta)).max(0.0).powi(2) - 1.0) / (2.0 * aversion);
                prop_assert!(eta + z.iter().map(loss).sum::<f64>() / z.len() as f64 >= monotone);
            }
        }

        /// ρ(z + c) = ρ(z) − c; ρ is convex and, but for mean–variance, monotone; weights are its gradient.
        #[test]
        fn axioms(z in prop::collection::vec(-5.0..5.0_f64, 12..40), shift in -3.0..3.0_f64, index in 0..12_usize) {
            for measure in measures() {
                let at = measure.evaluate(&z);
                let moved: Vec<f64> = z.iter().map(|z| z + shift).collect();
                prop_assert!((measure.evaluate(&moved).value - (at.value - shift)).abs() < 1e-9);
                prop_assert!((at.weights.iter().sum::<f64>() + 1.0).abs() < 1e-9);

                // Convexity: the gradient is a supporting plane.
                let mut other = z.clone();
                other.rotate_left(3);
                let plane: f64 = at.value + at.weights.iter().zip(&other).zip(&z).map(|((w, y), z)| w * (y - z)).sum::<f64>();
                prop_assert!(measure.evaluate(&other).value >= plane - 1e-9);

                if !matches!(measure, Risk::MeanVariance { .. }) {
                    let mut better = z.clone();
                    better[index] += 1.0;
                    prop_assert!(measure.evaluate(&better).value <= at.value + 1e-12);
                }
            }
        }
    }
}
