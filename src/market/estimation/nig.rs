//! The normal inverse Gaussian law.

use super::likelihood::{Bound, Searched, free, inverse_information};
use crate::error::Result;
use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

/// The normal inverse Gaussian law of mean 0 and variance 1 with skew ζ and tail φ, whose logarithm of E e^{zX} is
///
/// ```text
/// ψ(z) = φ²/(φ² + ζ²) (−ζz + φ² − φ √(φ² + ζ² − (ζ + z)²))
/// ```
///
/// and whose density is that of Barndorff-Nielsen's law with β = ζ, √(α² − β²) = φ, δ = φ³/(φ² + ζ²) and μ = −δζ/φ,
///
/// ```text
/// f(x) = αδ/π e^{δφ + ζ(x − μ)} K₁(α q)/q,      q = √(δ² + (x − μ)²),   α² = φ² + ζ²
/// ```
///
/// Both tails fall like e^{−(α ∓ ζ)|x|}; as φ grows it becomes the normal law.
///
/// # References
/// O. Barndorff-Nielsen (1997), "Normal inverse Gaussian distributions and stochastic volatility modelling", Scandinavian Journal of
/// Statistics 24; the two parameters of mean 0 and variance 1 are those of François, Gauthier, Godin and Pérez-Mendoza (2023).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalInverseGaussian {
    /// ζ, of the sign of the skewness.
    pub skew: f64,
    /// φ, above 0: the smaller, the heavier the tails.
    pub tail: f64,
}

/// ln K₁(x) of the modified Bessel function of the second kind, to a relative error of K₁ below 10⁻⁷.
///
/// # References
/// M. Abramowitz and I. Stegun (1964), "Handbook of Mathematical Functions", 9.8.3, 9.8.7 and 9.8.8.
fn ln_bessel(x: f64) -> f64 {
    let series = |coefficients: &[f64], at: f64| {
        let terms = coefficients.iter().rev();
        terms.fold(0.0, |sum, coefficient| sum * at + coefficient)
    };
    if x <= 2.0 {
        const FIRST: [f64; 7] = [
            0.5,
            0.878_905_94,
            0.514_988_69,
            0.150_849_34,
            0.026_587_33,
            0.003_015_32,
            0.000_324_11,
        ];
        const SECOND: [f64; 7] = [
            1.0,
            0.154_431_44,
            -0.672_785_79,
            -0.181_568_97,
            -0.019_194_02,
            -0.001_104_04,
            -0.000_046_86,
        ];
        let first = x * series(&FIRST, (x / 3.75).powi(2));
        let half = 0.5 * x;
        return (x * half.ln() * first + series(&SECOND, half * half)).ln() - x.ln();
    }
    const FAR: [f64; 7] = [
        1.253_314_14,
        0.234_986_19,
        -0.036_556_20,
        0.015_042_68,
        -0.007_803_53,
        0.003_256_14,
        -0.000_682_45,
    ];
    series(&FAR, 2.0 / x).ln() - 0.5 * x.ln() - x
}

impl NormalInverseGaussian {
    /// ψ, for z with |ζ + z| < α.
    pub fn log_moment(&self, z: f64) -> f64 {
        let Self { skew, tail } = *self;
        let square = tail * tail + skew * skew;
        let root = (square - (skew + z).powi(2)).sqrt();
        tail * tail / square * (-skew * z + tail * tail - tail * root)
    }

    /// ln f(x)
    pub fn log_density(&self, x: f64) -> f64 {
        let Self { skew, tail } = *self;
        let square = tail * tail + skew * skew;
        let alpha = square.sqrt();
        let delta = tail.powi(3) / square;
        let from = x + delta * skew / tail;
        let q = (delta * delta + from * from).sqrt();
        (alpha * delta / PI).ln() + delta * tail + skew * from + ln_bessel(alpha * q) - q.ln()
    }

    /// Its quantiles at Φ(n) for the normal variates n of [`NormalQuantiles::nodes`].
    fn quantiles(&self) -> Vec<f64> {
        const STEP: f64 = 0.005;
        const REACH: f64 = 80.0;
        let count = (2.0 * REACH / STEP) as usize;
        let place = |i: usize| -REACH + STEP * (i as f64 + 0.5);
        let masses: Vec<f64> = (0..count)
            .map(|i| self.log_density(place(i)).exp() * STEP)
            .collect();
        let total: f64 = masses.iter().sum();
        // Each tail is summed from its far end, where its masses are small.
        let mut below = Vec::with_capacity(count);
        let mut sum = 0.0;
        for mass in &masses {
            sum += mass / total;
            below.push(sum);
        }
        let mut above = vec![0.0; count];
        sum = 0.0;
        for (mass, above) in masses.iter().zip(&mut above).rev() {
            sum += mass / total;
            *above = sum;
        }
        let edge = |i: usize| -REACH + STEP * (i as f64);
        let quantile = |normal: f64| {
            let tail = 0.5 * libm::erfc(normal.abs() * FRAC_1_SQRT_2);
            if normal < 0.0 {
                let i = below.partition_point(|p| *p < tail).min(count - 1);
                let before = if i == 0 { 0.0 } else { below[i - 1] };
                edge(i) + STEP * (tail - before) / (below[i] - before)
            } else {
                let i = above.partition_point(|p| *p > tail).min(count - 1);
                let (here, before) = (above[i], above[i.saturating_sub(1)]);
                match i {
                    0 => edge(0),
                    i => edge(i) - STEP * (tail - here) / (before - here),
                }
            }
        };
        NormalQuantiles::nodes().map(quantile).collect()
    }

    /// The law under which `values`, independent of each other, of mean 0 and variance 1, are likeliest within |ζ| ≤ 4 and φ from 0.3 to 20,
    /// with what ended on a bound, named by `names`, and standard errors by the inverse of the observed information.
    ///
    /// Values are counted in classes of a width of 1/32.
    ///
    /// # Errors
    /// [`crate::Error::Computation`] if the likelihood is nowhere finite.
    pub fn fit(values: &[f64], names: [&'static str; 2]) -> Result<NigEstimate> {
        const WIDTH: f64 = 1.0 / 32.0;
        let mut counts = std::collections::BTreeMap::new();
        for value in values {
            *counts.entry((value / WIDTH).round() as i64).or_insert(0.0) += 1.0;
        }
        let classes: Vec<(f64, f64)> = counts
            .into_iter()
            .map(|(class, count)| (class as f64 * WIDTH, count))
            .collect();
        let at = |x: &[f64; 2]| Self {
            skew: x[0],
            tail: x[1].exp(),
        };
        let log_likelihood = |x: &[f64; 2]| {
            let law = at(x);
            let terms = classes.iter();
            terms
                .map(|(value, count)| count * law.log_density(*value))
                .sum()
        };
        let bounds = [
            Bound {
                low: -4.0,
                high: 4.0,
            },
            Bound {
                low: 0.3f64.ln(),
                high: 20f64.ln(),
            },
        ];
        let found = Searched::new(
            "the normal inverse Gaussian law",
            log_likelihood,
            bounds,
            [[0.0, 1.4f64.ln()]],
        )?;
        let law = at(&found.point);
        let free = free(&bounds, &found.point);
        let inverse = inverse_information(log_likelihood, &found.point, &free);
        let slopes = [1.0, law.tail];
        let error = |i: usize| {
            let place = free.iter().position(|j| *j == i)?;
            Some(slopes[i] * inverse.as_ref()?[(place, place)].sqrt())
        };
        Ok(NigEstimate {
            law,
            at_bound: found.at_bound(names),
            errors: [(names[0], error(0)), (names[1], error(1))],
        })
    }
}

/// A law as estimated.
#[derive(Debug, Clone)]
pub struct NigEstimate {
    /// The law.
    pub law: NormalInverseGaussian,
    /// What ended on a bound of its search.
    pub at_bound: Vec<&'static str>,
    /// Standard errors by name.
    pub errors: [(&'static str, Option<f64>); 2],
}

/// A variate of mean 0 and variance 1 as a function of a normal one, linear between nodes: by it variates of any law have a Gaussian copula.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalQuantiles {
    values: Vec<f64>,
}

impl NormalQuantiles {
    /// The farthest node.
    pub const REACH: f64 = 6.0;
    /// Cells between nodes.
    pub const CELLS: usize = 512;
    /// Points of a cell, with which expectations are taken.
    const FINE: usize = 8;

    fn nodes() -> impl Iterator<Item = f64> {
        let step = 2.0 * Self::REACH / Self::CELLS as f64;
        (0..=Self::CELLS).map(move |k| -Self::REACH + step * k as f64)
    }

    /// Of a law, shifted and scaled so that interpolation leaves it the mean 0 and the variance 1.
    pub fn new(law: NormalInverseGaussian) -> Self {
        let mut found = Self {
            values: law.quantiles(),
        };
        let [mean, square] = found.weighted().fold([0.0; 2], |sums, (value, weight)| {
            [sums[0] + weight * value, sums[1] + weight * value * value]
        });
        let deviation = (square - mean * mean).sqrt();
        for value in &mut found.values {
            *value = (*value - mean) / deviation;
        }
        found
    }

    /// The values at the nodes.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Values with the chances that a normal variate gives them.
    pub fn weighted(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let step = 2.0 * Self::REACH / (Self::CELLS * Self::FINE) as f64;
        let total: f64 = (0..Self::CELLS * Self::FINE)
            .map(|i| Self::density(-Self::REACH + step * (i as f64 + 0.5)))
            .sum();
        let pairs = self.values.windows(2).enumerate();
        pairs.flat_map(move |(cell, pair)| {
            (0..Self::FINE).map(move |i| {
                let share = (i as f64 + 0.5) / Self::FINE as f64;
                let normal = -Self::REACH + step * ((cell * Self::FINE + i) as f64 + 0.5);
                let value = pair[0] + share * (pair[1] - pair[0]);
                (value, Self::density(normal) / total)
            })
        })
    }

    fn density(x: f64) -> f64 {
        (-0.5 * x * x).exp() / TAU.sqrt()
    }
}

/// The normal variate of the rank of every value, Φ⁻¹((rank + ½)/n).
pub(super) fn normal_scores(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut scores = vec![0.0; values.len()];
    for (rank, place) in order.into_iter().enumerate() {
        scores[place] = normal_quantile((rank as f64 + 0.5) / values.len() as f64);
    }
    scores
}

/// Φ⁻¹(p), by halving.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-9.0f64, 9.0f64);
    // To 18 · 2⁻⁴⁵.
    for _ in 0..45 {
        let middle = 0.5 * (low + high);
        if 0.5 * libm::erfc(-middle * FRAC_1_SQRT_2) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// ln(x/(1 − x))
pub(super) fn logit(x: f64) -> f64 {
    (x / (1.0 - x)).ln()
}

/// 1/(1 + e^{−x})
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// K₁ at 0.1, 1, 2, 5 and 10, of table 9.8 of Abramowitz and Stegun and beyond its digits of any library, within 2·10⁻⁷.
    #[test]
    fn bessel_has_its_known_values() {
        for (x, known) in [
            (0.1, 9.853_844_780_870_606),
            (1.0, 0.601_907_230_197_234_6),
            (2.0, 0.139_865_881_816_522_43),
            (5.0, 0.004_044_613_445_452_164),
            (10.0, 1.864_877_345_382_558e-5),
        ] {
            let found = ln_bessel(x).exp();
            assert!((found / known - 1.0).abs() < 2e-7, "{x}: {found}");
        }
    }

    /// The density adds up to 1, has mean 0 and variance 1, and E e^{zX} is e^{ψ(z)}, all to 10⁻⁵; the quantiles have mean 0 and
    /// variance 1 to 10⁻¹², and the law's third moment to 2 %.
    #[test]
    fn the_law_has_its_moments() {
        for (skew, tail) in [(0.0, 1.5), (-0.64, 2.0), (0.85, 1.5)] {
            let law = NormalInverseGaussian { skew, tail };
            let step = 0.01;
            let points = (-8000..8000).map(|i| step * (f64::from(i) + 0.5));
            let mut sums = [0.0; 5];
            for x in points {
                let mass = law.log_density(x).exp() * step;
                let terms = [1.0, x, x * x, x.powi(3), (0.1 * x).exp()];
                for (sum, term) in sums.iter_mut().zip(terms) {
                    *sum += mass * term;
                }
            }
            assert!((sums[0] - 1.0).abs() < 1e-5, "{law:?}: {sums:?}");
            assert!(
                sums[1].abs() < 1e-5 && (sums[2] - 1.0).abs() < 1e-5,
                "{law:?}: {sums:?}"
            );
            assert!((sums[4].ln() - law.log_moment(0.1)).abs() < 1e-5, "{law:?}");
            let quantiles = NormalQuantiles::new(law);
            let moment = |k: i32| -> f64 {
                quantiles
                    .weighted()
                    .map(|(value, weight)| weight * value.powi(k))
                    .sum()
            };
            assert!(moment(1).abs() < 1e-12 && (moment(2) - 1.0).abs() < 1e-12);
            assert!(
                (moment(3) - sums[3]).abs() < 0.02 * (1.0 + sums[3].abs()),
                "{law:?}"
            );
        }
    }

    /// 20,000 variates of a law give its two parameters back within four standard errors, which are below 0.1.
    #[test]
    fn its_parameters_are_found() {
        let law = NormalInverseGaussian {
            skew: -0.5,
            tail: 1.6,
        };
        let quantiles = NormalQuantiles::new(law);
        let mut random = ChaCha8Rng::seed_from_u64(6);
        let values: Vec<f64> = (0..20_000)
            .map(|_| {
                let normal: f64 = StandardNormal.sample(&mut random);
                let place = (normal + NormalQuantiles::REACH) / (2.0 * NormalQuantiles::REACH)
                    * NormalQuantiles::CELLS as f64;
                let cell = (place as usize).min(NormalQuantiles::CELLS - 1);
                let pair = &quantiles.values()[cell..][..2];
                pair[0] + (place - cell as f64) * (pair[1] - pair[0])
            })
            .collect();
        let found = NormalInverseGaussian::fit(&values, ["skew", "tail"]).unwrap();
        assert!(found.at_bound.is_empty());
        let pairs = [(found.law.skew, law.skew), (found.law.tail, law.tail)];
        for ((value, known), (name, error)) in pairs.into_iter().zip(found.errors) {
            let error = error.unwrap();
            assert!(error < 0.1, "{name} {error}");
            assert!(
                (value - known).abs() < 4.0 * error,
                "{name} {value} {error}"
            );
        }
    }

    /// Normal scores are those of the ranks: of three values Φ⁻¹(1/6), 0 and Φ⁻¹(5/6).
    #[test]
    fn scores_are_of_ranks() {
        let scores = normal_scores(&[3.0, -100.0, 0.5]);
        let sixth = 0.967_421_566_101_701;
        for (found, expected) in scores.into_iter().zip([sixth, -sixth, 0.0]) {
            assert!((found - expected).abs() < 1e-10, "{found}");
        }
    }
}
