//! Confidence intervals and tests by the stationary bootstrap.

use super::null_as_nan;
use crate::random::{Purpose, sequential};
use rand::RngExt;
use rayon::prelude::*;

/// Resamples of the same n observations, in blocks, for every statistic and strategy alike.
///
/// A resample is a sequence of stretches of the observations in order, wrapped around at the end; each stretch begins
/// anywhere with equal chance, and its length is geometric with mean `block`. Observations that depend on one another
/// over less than a block keep their dependence. With [`Bootstrap::of_windows`] there are two stages: what is drawn in
/// stretches are calendar windows, and of each window that is drawn, as many of its observations as it has, with
/// replacement.
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
        Self::of_windows(seed, draws, &vec![1; count], block)
    }

    /// `draws` resamples in two stages: windows in blocks of mean length `block` windows, at least 1, and in each of them its
    /// observations. `sizes` are the numbers of observations of the windows in calendar order; observations are numbered
    /// from window to window. With one observation in every window it is [`Bootstrap::new`].
    ///
    /// # Panics
    /// If there is no window, or one without observations.
    pub fn of_windows(seed: u64, draws: usize, sizes: &[usize], block: f64) -> Self {
        assert!(!sizes.is_empty(), "nothing to resample");
        assert!(sizes.iter().all(|size| *size > 0), "an empty window");
        let first_of: Vec<u32> = sizes
            .iter()
            .scan(0, |next, size| {
                let first = *next;
                *next += *size as u32;
                Some(first)
            })
            .collect();
        let count = sizes.len() as u32;
        let mut random = sequential(seed, Purpose::Bootstrap);
        let end = 1.0 / block.max(1.0);
        let mut draw = || {
            let (mut place, mut drawn) = (0, Vec::new());
            for i in 0..sizes.len() {
                place = if i == 0 || random.random::<f64>() < end {
                    random.random_range(0..count)
                } else {
                    (place + 1) % count
                };
                let (first, size) = (first_of[place as usize], sizes[place as usize]);
                match size {
                    1 => drawn.push(first),
                    _ => {
                        drawn.extend((0..size).map(|_| first + random.random_range(0..size as u32)))
                    }
                }
            }
            drawn
        };
        Self {
            draws: (0..draws).map(|_| draw()).collect(),
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

    /// A statistic averaged over `books` on the same observations, such as those of several seeds: its value, and that on
    /// every resample.
    pub fn sampled(&self, books: &[Vec<f64>], statistic: impl Fn(&[f64]) -> f64 + Sync) -> Sampled {
        let mut draws = vec![0.0; self.draws.len()];
        for book in books {
            for (sum, value) in draws.iter_mut().zip(self.statistics(book, &statistic)) {
                *sum += value / books.len() as f64;
            }
        }
        Sampled {
            value: average(books, statistic),
            draws,
        }
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
        self.sampled(books, statistic).interval(level)
    }

    /// The difference of a statistic, averaged over the books of a side, between two strategies on the same observations:
    /// its interval and p-value as of [`Sampled::less`].
    pub fn difference(
        &self,
        ours: &[Vec<f64>],
        theirs: &[Vec<f64>],
        level: f64,
        statistic: impl Fn(&[f64]) -> f64 + Sync,
    ) -> (Interval, f64) {
        let ours = self.sampled(ours, &statistic);
        ours.less(&self.sampled(theirs, &statistic), level)
    }
}

/// A statistic of one strategy, and the same on the resamples that all strategies share.
#[derive(Debug, Clone)]
pub struct Sampled {
    /// The statistic of the observations.
    pub value: f64,
    /// The statistic on every resample.
    draws: Vec<f64>,
}

impl Sampled {
    /// The percentile interval that covers the statistic with probability `level`.
    pub fn interval(&self, level: f64) -> Interval {
        percentiles(self.draws.clone(), level)
    }

    /// The difference from another strategy's, paired on common resamples: its percentile interval, and the two-sided
    /// p-value of no difference, the share of resamples whose difference lies as far from the observed one as that lies
    /// from zero; 1 where the statistic is undefined.
    pub fn less(&self, theirs: &Self, level: f64) -> (Interval, f64) {
        let observed = self.value - theirs.value;
        let pairs = self.draws.iter().zip(&theirs.draws);
        let differences: Vec<f64> = pairs.map(|(a, b)| a - b).collect();
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

    /// Windows of several contracts that share a part and follow one another as an autoregression: of 120 samples, the
    /// intervals of 95 % cover the mean as often as a binomial law of that chance allows, less what the percentile interval
    /// of some 20 blocks is known to lack; intervals that take contracts for independent cover far less.
    #[test]
    fn two_stages_cover_what_depends_on_the_calendar() {
        const SAMPLES: u64 = 120;
        let (windows, each) = (240, 3);
        let covered = |bootstrap: &Bootstrap| {
            let covers = |sample: u64| {
                let shocks = normals(100 + sample, windows * (1 + each));
                let mut x = 0.0;
                let mut values = Vec::new();
                for of_window in shocks.chunks(1 + each) {
                    x = 0.6 * x + of_window[0];
                    values.extend(of_window[1..].iter().map(|own| x + own));
                }
                let interval = bootstrap.interval(&[values], 0.95, mean);
                interval.low <= 0.0 && 0.0 <= interval.high
            };
            (0..SAMPLES).filter(|sample| covers(*sample)).count() as f64 / SAMPLES as f64
        };
        let two_stages = covered(&Bootstrap::of_windows(8, 400, &vec![each; windows], 12.0));
        assert!((0.86..=0.99).contains(&two_stages), "{two_stages}");
        let independent = covered(&Bootstrap::new(8, 400, windows * each, 1.0));
        assert!(independent < 0.7, "{independent}");
    }

    /// Windows are drawn in stretches in the order of the calendar, and every observation of a resample lies in the window
    /// that was drawn.
    #[test]
    fn observations_stay_in_their_windows() {
        let sizes = [1, 3, 2, 4];
        let window: Vec<usize> = (0..4).flat_map(|w| vec![w; sizes[w]]).collect();
        let bootstrap = Bootstrap::of_windows(9, 200, &sizes, 1e12);
        for draw in &bootstrap.draws {
            // With blocks that do not end, every window is drawn once, in order from where it begins.
            let mut seen: Vec<usize> = draw.iter().map(|i| window[*i as usize]).collect();
            assert_eq!(seen.len(), 10);
            let first = seen[0];
            seen.dedup();
            let expected: Vec<usize> = (0..4).map(|step| (first + step) % 4).collect();
            assert_eq!(seen, expected);
        }
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
