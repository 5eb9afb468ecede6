use super::Masses;
use serde::Serialize;
use std::fmt;

/// A convex measure ρ of P&L z, both in the spot's currency, over equally likely paths.
///
/// Multiplying P&L by c and dividing an aversion by c multiplies ρ by c; what has no aversion is multiplied as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "measure")]
pub enum Measure {
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
    /// The standard deviation of P&L, √(Σ_b (z_b − z̄)²/n).
    StandardDeviation,
    /// The mean loss, −E z.
    Mean,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Rounded, because 0.99 × 100 is not 99 in binary.
            Self::Cvar { level } => write!(f, "CVaR {} %", (level * 1e6).round() / 1e4),
            Self::Entropic { aversion } => write!(f, "entropic risk, aversion {aversion}"),
            Self::MeanVariance { aversion } => write!(f, "mean-variance, aversion {aversion}"),
            Self::MonotoneMeanVariance { aversion } => {
                write!(f, "monotone mean-variance, aversion {aversion}")
            }
            Self::StandardDeviation => write!(f, "standard deviation"),
            Self::Mean => write!(f, "mean loss"),
        }
    }
}

/// A risk measure at a sample.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The risk ρ(z), in the spot's currency.
    pub value: f64,
    /// The derivatives ∂ρ/∂z_b, one for each path, without unit; their sum is −[`super::Risk::cash`].
    pub weights: Vec<f64>,
}

impl Measure {
    /// The level, if the measure is a CVaR.
    pub fn cvar_level(&self) -> Option<f64> {
        match *self {
            Self::Cvar { level } => Some(level),
            Self::Entropic { .. }
            | Self::MeanVariance { .. }
            | Self::MonotoneMeanVariance { .. }
            | Self::StandardDeviation
            | Self::Mean => None,
        }
    }

    /// By how much the measure falls for every unit of cash that is added to all P&L.
    pub fn cash(&self) -> f64 {
        match self {
            Self::Cvar { .. }
            | Self::Entropic { .. }
            | Self::MeanVariance { .. }
            | Self::MonotoneMeanVariance { .. }
            | Self::Mean => 1.0,
            Self::StandardDeviation => 0.0,
        }
    }

    /// The CVaR level or the risk aversion, if it has one.
    pub fn parameter(&self) -> Option<f64> {
        match *self {
            Self::Cvar { level } => Some(level),
            Self::Entropic { aversion }
            | Self::MeanVariance { aversion }
            | Self::MonotoneMeanVariance { aversion } => Some(aversion),
            Self::StandardDeviation | Self::Mean => None,
        }
    }

    /// The same measure with another level or aversion, where it has one.
    pub(super) fn with_parameter(self, parameter: f64) -> Self {
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
            Self::StandardDeviation | Self::Mean => self,
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
        self.evaluate_weighted(pnl, &Masses::equal(pnl.len()))
    }

    /// The same where path b stands for m_b paths of a pool: with whole masses what [`Self::evaluate`] gives for every path repeated
    /// so often, its weight those of its repetitions together.
    ///
    /// The tail of CVaR is filled until it stands for the share 1 − α of the pool's paths, whose number is known; where all paths
    /// together stand for fewer, they are the tail. Means are Σ_b m_b f_b/Σ_b m_b.
    ///
    /// # Panics
    /// If `pnl` is empty, or has not one path for every mass.
    pub fn evaluate_weighted(&self, pnl: &[f64], masses: &Masses) -> Evaluation {
        assert_eq!(pnl.len(), masses.count(), "a mass for every path");
        let sum = masses.sum();
        match *self {
            Self::Cvar { level } => {
                let mut order: Vec<usize> = (0..pnl.len()).collect();
                let tail = ((1.0 - level) * masses.pool()).min(sum);
                let most = (tail / masses.least()).ceil();
                let whole = (most as usize).clamp(1, pnl.len());
                let by_pnl = |a: &usize, b: &usize| pnl[*a].total_cmp(&pnl[*b]).then(a.cmp(b));
                order.select_nth_unstable_by(whole - 1, by_pnl);
                order[..whole].sort_unstable_by(by_pnl);
                let mut weights = vec![0.0; pnl.len()];
                let (mut value, mut filled) = (0.0, 0.0);
                for &path in &order[..whole] {
                    let mass = masses.at(path);
                    let weight = (tail - filled).clamp(0.0, mass) / tail;
                    weights[path] = -weight;
                    value -= weight * pnl[path];
                    filled += mass;
                }
                Evaluation { value, weights }
            }
            Self::Entropic { aversion } => {
                let worst = pnl.iter().copied().fold(f64::INFINITY, f64::min);
                let mut weights: Vec<f64> = pnl
                    .iter()
                    .zip(masses.iter())
                    .map(|(z, mass)| mass * (-aversion * (z - worst)).exp())
                    .collect();
                let total: f64 = weights.iter().sum();
                weights.iter_mut().for_each(|w| *w = -*w / total);
                Evaluation {
                    value: (total / sum).ln() / aversion - worst,
                    weights,
                }
            }
            Self::MeanVariance { aversion } => {
                let mean = masses.mean(pnl, |z| z);
                let variance = masses.mean(pnl, |z| (z - mean).powi(2));
                Evaluation {
                    value: -mean + 0.5 * aversion * variance,
                    weights: weighed(pnl, masses, |z| (aversion * (z - mean) - 1.0) / sum),
                }
            }
            Self::MonotoneMeanVariance { aversion } => {
                let eta = certainty_level(pnl, masses, aversion);
                // ℓ′(−z − η)
                let slope = |z: f64| (1.0 - aversion * (z + eta)).max(0.0);
                let loss = masses.mean(pnl, |z| slope(z).powi(2) - 1.0);
                Evaluation {
                    value: eta + loss / (2.0 * aversion),
                    weights: weighed(pnl, masses, |z| -slope(z) / sum),
                }
            }
            Self::StandardDeviation => {
                let (mean, deviation) = moments(pnl, masses);
                // A book without a spread has no direction in which it spreads first.
                let share = if deviation > 0.0 {
                    1.0 / (sum * deviation)
                } else {
                    0.0
                };
                Evaluation {
                    value: deviation,
                    weights: weighed(pnl, masses, |z| share * (z - mean)),
                }
            }
            Self::Mean => Evaluation {
                value: -masses.mean(pnl, |z| z),
                weights: weighed(pnl, masses, |_| -1.0 / sum),
            },
        }
    }
}

/// The mass of every path times `of` its P&L.
fn weighed(pnl: &[f64], masses: &Masses, of: impl Fn(f64) -> f64) -> Vec<f64> {
    let paths = pnl.iter().zip(masses.iter());
    paths.map(|(z, mass)| mass * of(*z)).collect()
}

/// The mean and the standard deviation of P&L.
pub(super) fn moments(pnl: &[f64], masses: &Masses) -> (f64, f64) {
    let mean = masses.mean(pnl, |z| z);
    let variance = masses.mean(pnl, |z| (z - mean).powi(2));
    (mean, variance.sqrt())
}

/// The η at which E (1 − λ(z + η))₊ = 1, the minimiser of [`Measure::MonotoneMeanVariance`].
///
/// If the worst P&L that stand for k of n paths are those below 1/λ − η, it is (1 − n/k)/λ − (their mean); k is the first whose next
/// P&L is not.
pub(super) fn certainty_level(pnl: &[f64], masses: &Masses, aversion: f64) -> f64 {
    let n = masses.sum();
    let mut order: Vec<usize> = (0..pnl.len()).collect();
    order.sort_unstable_by(|a, b| pnl[*a].total_cmp(&pnl[*b]).then(a.cmp(b)));
    let (mut sum, mut count) = (0.0, 0.0);
    let mut eta = f64::NAN;
    for (index, &path) in order.iter().enumerate() {
        sum += masses.at(path) * pnl[path];
        count += masses.at(path);
        eta = (1.0 - n / count) / aversion - sum / count;
        let next = order
            .get(index + 1)
            .map_or(f64::INFINITY, |&path| pnl[path]);
        if next + eta >= 1.0 / aversion {
            break;
        }
    }
    eta
}

/// CVaR of the loss at `level`.
pub fn cvar(pnl: &[f64], level: f64) -> f64 {
    Measure::Cvar { level }.evaluate(pnl).value
}

#[cfg(test)]
#[path = "measure_tests.rs"]
mod tests;
