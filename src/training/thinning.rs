//! A backward sweep over a sample of the paths that have weight.

use super::screening::sampling;
use crate::random::Purpose;

/// By what what a path adds to a gradient is multiplied if it is swept back, 0 where it is not, so that the gradient is the same on average.
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
