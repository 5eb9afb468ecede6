//! A backward sweep over a sample of the paths that have weight.

use super::screening::sampling;
use crate::random::Purpose;

/// The factors of what paths add to a gradient: 0 for a path that is not swept back, and otherwise such that the gradient is the same on average.
///
/// A path with the weight w is swept back with probability q = min(1, |w|/`least`), and then counts 1/q times; the sample is systematic. With
/// `least` = 0 all paths are swept back.
pub(super) fn kept(weights: &[f64], least: f64, seed: u64, step: usize) -> Vec<f64> {
    if least <= 0.0 {
        return vec![1.0; weights.len()];
    }
    let chances: Vec<f64> = weights.iter().map(|w| (w.abs() / least).min(1.0)).collect();
    let start = sampling::start(seed, Purpose::Thinning, step);
    let mut kept = vec![0.0; weights.len()];
    for path in sampling::systematic(&chances, start) {
        kept[path] = chances[path].recip();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over 20,000 steps the sum of weights times what paths add, with those that are left out, is on average the whole sum within five standard errors; no
    /// path that is swept back counts less than the threshold, paths above it are always swept back as they are, and half of the paths are left out.
    #[test]
    fn a_thinned_sum_is_the_whole_one_on_average() {
        const STEPS: usize = 20_000;
        let weights: Vec<f64> = (0..80).map(|i| -(-0.1 * f64::from(i)).exp()).collect();
        let adds = |path: usize| (path as f64 * 0.7).cos() - 0.3;
        let least = 0.3;
        let (mut sums, mut swept) = (Vec::with_capacity(STEPS), 0);
        for step in 0..STEPS {
            let kept = kept(&weights, least, 11, step);
            let counted = weights.iter().zip(&kept).map(|(w, kept)| w * kept);
            let counted: Vec<f64> = counted.collect();
            for (w, counted) in weights.iter().zip(&counted) {
                let as_it_is = w.abs() < least || counted == w;
                assert!(as_it_is && (*counted == 0.0 || counted.abs() > least - 1e-12));
            }
            swept += counted.iter().filter(|w| **w != 0.0).count();
            sums.push(
                counted
                    .iter()
                    .enumerate()
                    .map(|(i, w)| w * adds(i))
                    .sum::<f64>(),
            );
        }
        let n = STEPS as f64;
        let whole: f64 = weights.iter().enumerate().map(|(i, w)| w * adds(i)).sum();
        let mean = sums.iter().sum::<f64>() / n;
        let variance = sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / n;
        let error = (variance / n).sqrt();
        assert!(
            (mean - whole).abs() < 5.0 * error && error > 0.0,
            "{mean} {whole} {error}"
        );
        assert!(2 * swept < STEPS * weights.len());
        assert_eq!(kept(&weights, 0.0, 11, 0), vec![1.0; 80]);
    }
}
