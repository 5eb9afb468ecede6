//! How many times a spot jumps in a step.

use super::dynamics::{Limit, spread_limit};
use super::variance::VarianceProcess;
use crate::simd::{BLOCK, Lane, Real};

/// At most 500 jumps are expected until expiry and 50 in a hedging period: prices sum over the number of jumps or turn with it,
/// and the jumps of a period are drawn by inversion of their number's distribution.
pub(super) fn limit(intensity: f64, life: f64, steps: usize) -> Limit {
    const MOST_JUMPS: f64 = 500.0;
    const MOST_IN_PERIOD: f64 = 50.0;
    let most = (MOST_JUMPS / life).min(MOST_IN_PERIOD / (life / steps as f64));
    Limit {
        parameter: "jump_intensity",
        value: intensity,
        bound: format!(
            "at most {most:.4}, {MOST_JUMPS} until expiry and {MOST_IN_PERIOD} in a hedging period"
        ),
        holds: intensity <= most,
    }
}

/// The limits of a diffusion of constant `volatility` with so many jumps a year: [`limit`], and that of the spread of log
/// returns on whichever of the two has the greater share in the variance.
pub(super) fn limits(
    intensity: f64,
    volatility: f64,
    process: &VarianceProcess,
    life: f64,
    steps: usize,
) -> Vec<Limit> {
    let parameter = if process.constant() > 2.0 * volatility.powi(2) {
        ("jump_intensity", intensity)
    } else {
        ("volatility", volatility)
    };
    let spread = spread_limit(process, life, parameter);
    std::iter::once(limit(intensity, life, steps))
        .chain(spread)
        .collect()
}

/// The thresholds P(N ≤ n), in units of 2⁻³², up to the last that is below 1.
pub(super) fn thresholds(expected: f64) -> Vec<u32> {
    let mut probability = (-expected).exp();
    let mut sum = 0.0;
    let mut thresholds = Vec::new();
    for n in 1.. {
        sum += probability;
        let threshold = (sum * 4_294_967_296.0).round();
        // Beyond the mean the terms only fall.
        if threshold >= 4_294_967_295.0 || (f64::from(n) > expected && probability < 1e-11) {
            break;
        }
        thresholds.push(threshold as u32);
        probability *= expected / f64::from(n);
    }
    thresholds
}

/// The probability, in units of 2⁻³², below the normal variate of these bits.
#[inline(always)]
fn fraction(bits: u32) -> u32 {
    let tail = bits >> 1;
    if bits & 1 == 0 { !tail } else { tail }
}

/// The number of jumps on every path, by inversion of its distribution at the probabilities that these bits stand for.
#[inline(always)]
pub(super) fn count<R: Real>(thresholds: &[u32], bits: &Lane<u32>) -> Lane<R> {
    let uniform = bits.map(fraction);
    let mut count = [R::ZERO; BLOCK];
    for threshold in thresholds {
        for lane in 0..BLOCK {
            count[lane] += if uniform[lane] >= *threshold {
                R::ONE
            } else {
                R::ZERO
            };
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Normal;

    /// P(N ≤ n) of a Poisson variable of mean 0.3: e^{−0.3}(1, 1.3, 1.345, …); the bits of large normal variates stand for
    /// large probabilities.
    #[test]
    fn thresholds_are_the_poisson_distribution() {
        let found = thresholds(0.3);
        for (n, sum) in [1.0, 1.3, 1.345, 1.3495].into_iter().enumerate() {
            let expected = sum * (-0.3f64).exp() * 4_294_967_296.0;
            assert!((f64::from(found[n]) - expected).abs() <= 1.0);
        }
        assert!((8..=12).contains(&found.len()), "{found:?}");
        assert!(thresholds(0.0).is_empty());
        for bits in [
            0u32,
            1,
            2,
            3,
            12_345_678,
            12_345_679,
            u32::MAX - 1,
            u32::MAX,
        ] {
            let normal = Normal::<f64>::from_bits::<false>(bits);
            let below = (f64::from(fraction(bits)) + 0.5) / 4_294_967_296.0;
            assert!((below - (1.0 - normal.upper_tail)).abs() < 1e-15, "{bits}");
        }
    }
}
