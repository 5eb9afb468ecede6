//! Confidence intervals and tests by the stationary bootstrap.

use super::null_as_nan;
use crate::random::{Purpose, sequential};
use rand::RngExt;
use rayon::prelude::*;

/// Resamples of the same n observations, in blocks, for every statistic and strategy alike.
///
/// A resample is a sequence of stretches of the observations in order, wrapped around at the end; each stretch begins
/// anywhere with equal chance, and its length is geometric with mean `block`. Observations that depend on one another
/// over less than a block keep their dependence.
///
/// # References
/// D. Politis and J. Romano (1994), "The stationary bootstrap", Journal of the American Statistical Association 89(428),
/// section 2.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    draws: Vec<Vec<u32>>,
}

/// A confidence interval, in the unit of its statistic.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// The lower end.
    #[serde(deserialize_with = "null_as_nan")]
    pub low: f64,
    /// The upper end.
    #[serde(deserialize_with = "null_as_nan")]
    pub high: f64,
}

impl Bootstrap {
    /// `draws` resamples of `count` observations in blocks of mean length `block`, at least 1.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn new(seed: u64, draws: usize, count: usize, block: f64) -> Self {
        assert!(count > 0, "nothing to resample");
        let mut random = sequential(seed, Purpose::Bootstrap);
        let end = 1.0 / block.max(1.0);
        let draw = |_| {
            let mut place = 0;
            (0..count)
                .map(|i| {
                    place = if i == 0 || random.random::<f64>() < end {
                        random.random_range(0..count as u32)
                    } else {
                        (place + 1) % count as u32
                    };
                    place
                })
                .collect()
        };
        Self {
            draws: (0..draws).map(draw).collect(),
        }
    }

    /// The statistic of `values` on every resample.
    pub fn statistics(&self, values: &[f64], statistic: impl Fn(&[f64]) -> f64 + Sync) -> Vec<f64> {
        let resampled = |draw: &Vec<u32>| {
            let sample: Vec<f64> = draw.iter().map(|&i| values[i as usize]).collect();
            statistic(&sample)
        };
        self.draws.par_iter().map(resampled).collect()
    }

    /// The statistic on every resample, averaged over `books` on the same observations, such as those of several seeds.
    fn averaged(
        &self,
        books: &[Vec<f64>],
        statistic: &(impl Fn(&[f64]) -> f64 + Sync),
    ) -> Vec<f64> {
        let mut sums = vec![0.0; self.draws.len()];
        for book in books {
            for (sum, value) in sums.iter_mut().zip(self.statistics(book, statistic)) {
                *sum += value / books.len() as f64;
            }
        }
        sums
    }

    /// The percentile interval that covers a statistic, averaged over `books`, with probability `level`.
    ///
    /// # References
    /// B. Efron and R. Tibshirani (1993), "An Introduction to the Bootstrap", section 13.3.
    pub fn interval(
        &self,
        books: &[Vec<f64>],
        level: f64,
        statistic: impl Fn(&[f64]) -> f64 + Sync,
    ) -> Interval {
        percentiles(self.averaged(books, &statistic), level)
    }

    /// The difference of a statistic, averaged over the books of a side, between two strategies on the same observations:
    /// its percentile interval, and the two-sided p-value of no difference, the share of resamples whose difference lies
    /// as far from the observed one as that lies from zero; 1 where the statistic is undefined.
    pub fn difference(
        &self,
        ours: &[Vec<f64>],
        theirs: &[Vec<f64>],
        level: f64,
        statistic: impl Fn(&[f64]) -> f64 + Sync,
    ) -> (Interval, f64) {
        let observed = average(ours, &statistic) - average(theirs, &statistic);
        let pairs = self.averaged(ours, &statistic);
        let others = self.averaged(theirs, &statistic);
        let differences: Vec<f64> = pairs.iter().zip(others).map(|(a, b)| a - b).collect();
        // What is undefined tells nothing apart.
        let nearer = |difference: &&f64| (*difference - observed).abs() < observed.abs();
        let far = differences.iter().filter(|difference| !nearer(difference));
        let p = (1 + far.count()) as f64 / (1 + differences.len()) as f64;
        (percentiles(differences, level), p)
    }
}

/// A statistic averaged over books.
pub fn average(books: &[Vec<f64>], statistic: impl Fn(&[f64]) -> f64) -> f64 {
    books.iter().map(|book| statistic(book)).sum::<f64>() / books.len() as f64
}

fn percentiles(mut values: Vec<f64>, level: f64) -> Interval {
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
    Interval {
        low: at(0.5 * (1.0 - level)),
        high: at(0.5 * (1.0 + level)),
    }
}

/// p-values of several tests, corrected so that the chance of any false rejection is bounded: the k-th smallest of m
/// times m − k + 1, in ascending order and at most 1.
///
/// # References
/// S. Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut least: f64 = 0.0;
    for (rank, &test) in order.iter().enumerate() {
        least = least
            .max(p_values[test] * (p_values.len() - rank) as f64)
            .min(1.0);
        corrected[test] = least;
    }
    corrected
}

/// The greatest fall of cumulative P&L from an earlier high, which is at least 0, and the places of the high (none if
/// the fall begins at the start) and of the low.
pub fn maximum_drawdown(pnl: &[f64]) -> (f64, Option<usize>, usize) {
    let (mut total, mut high, mut at_high) = (0.0, 0.0, None);
    let mut worst = (0.0, None, 0);
    for (i, z) in pnl.iter().enumerate() {
        total += z;
        if total > high {
            (high, at_high) = (total, Some(i));
        }
        if high - total > worst.0 {
            worst = (high - total, at_high, i);
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_distr::{Distribution, StandardNormal};

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn normals(seed: u64, count: usize) -> Vec<f64> {
        let mut random = sequential(seed, Purpose::Training);
        (0..count)
            .map(|_| StandardNormal.sample(&mut random))
            .collect()
    }

    /// On independent observations and blocks of one, the standard deviation of the resampled mean is s√((n−1)/n)/√n
    /// within its own error of 1/√(2·draws).
    #[test]
    fn the_resampled_mean_has_the_known_error() {
        let values = normals(1, 400);
        let means = Bootstrap::new(3, 4000, 400, 1.0).statistics(&values, mean);
        let centre = mean(&values);
        let variance = mean(
            &values
                .iter()
                .map(|v| (v - centre).powi(2))
                .collect::<Vec<_>>(),
        );
        let spread = mean(
            &means
                .iter()
                .map(|m| (m - centre).powi(2))
                .collect::<Vec<_>>(),
        );
        assert!((spread / (variance / 400.0) - 1.0).abs() < 4.0 / 2000f64.sqrt());
    }

    /// Politis and Romano, lemma 1: the variance of the resampled mean with block end probability q is
    /// (1/n) [C₀ + 2 Σ b_i C_i], b_i = (1 − i/n)(1 − q)^i + (i/n)(1 − q)^{n−i}, with circular autocovariances C_i of
    /// b_i's first kind; checked for an autoregression.
    #[test]
    fn dependent_observations_widen_the_interval() {
        let shocks = normals(2, 500);
        let mut x = 0.0;
        let values: Vec<f64> = shocks
            .iter()
            .map(|e| {
                x = 0.8 * x + e;
                x
            })
            .collect();
        let n = values.len();
        let centre = mean(&values);
        let circular = |lag: usize| {
            mean(
                &(0..n)
                    .map(|i| (values[i] - centre) * (values[(i + lag) % n] - centre))
                    .collect::<Vec<_>>(),
            )
        };
        let q: f64 = 1.0 / 20.0;
        let expected = (circular(0)
            + 2.0
                * (1..n)
                    .map(|i| (1.0 - i as f64 / n as f64) * (1.0 - q).powi(i as i32) * circular(i))
                    .sum::<f64>())
            / n as f64;
        let means = Bootstrap::new(4, 4000, n, 20.0).statistics(&values, mean);
        let spread = mean(
            &means
                .iter()
                .map(|m| (m - centre).powi(2))
                .collect::<Vec<_>>(),
        );
        assert!(
            (spread / expected - 1.0).abs() < 4.0 / 2000f64.sqrt(),
            "{spread} {expected}"
        );
    }

    /// Equal strategies differ by nothing, with certainty; a shift of five standard errors is found.
    #[test]
    fn differences_are_paired() {
        let values = normals(5, 200);
        let bootstrap = Bootstrap::new(6, 999, 200, 5.0);
        let same = std::slice::from_ref(&values);
        let (interval, p) = bootstrap.difference(same, same, 0.95, mean);
        assert_eq!(
            (interval, p),
            (
                Interval {
                    low: 0.0,
                    high: 0.0
                },
                1.0
            )
        );
        let noise = normals(7, 200);
        let shifted: Vec<f64> = values
            .iter()
            .zip(&noise)
            .map(|(v, e)| v + 0.1 + 0.28 * e)
            .collect();
        let (ours, theirs) = ([shifted, values.clone()], [values]);
        let (interval, p) = bootstrap.difference(&ours[..1], &theirs, 0.95, mean);
        assert!(interval.low > 0.0 && p < 0.01, "{interval:?} {p}");
        // With a second seed that does not differ, the difference is half as large on every resample.
        let (halved, _) = bootstrap.difference(&ours, &theirs, 0.95, mean);
        assert!((halved.low - 0.5 * interval.low).abs() < 1e-12);
        assert!((halved.high - 0.5 * interval.high).abs() < 1e-12);
    }

    /// Holm's procedure on four p-values: .01·4, .03·3 = .09, .04·2 = .08 raised to .09, .5.
    #[test]
    fn holm_corrects_in_order() {
        let found = holm(&[0.03, 0.01, 0.5, 0.04]);
        let expected = [0.09, 0.04, 0.5, 0.09];
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-15),
            "{found:?}"
        );
    }

    #[test]
    fn drawdown_by_hand() {
        assert_eq!(
            maximum_drawdown(&[1.0, -2.0, 1.5, -2.0, 5.0, -1.0]),
            (2.5, Some(0), 3)
        );
        assert_eq!(maximum_drawdown(&[-1.0, -1.0]), (2.0, None, 1));
        assert_eq!(maximum_drawdown(&[1.0]), (0.0, None, 0));
    }
}
