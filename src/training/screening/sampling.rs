//! Probabilities of inclusion, and samples that have them.

use crate::random::{Purpose, Stream};

/// Probabilities of inclusion in a sample of `size`, proportional to `scores`, which are at least 0, as far as none is above 1: they add up to
/// `size`. Where fewer scores are above 0 than that, or their sum is not finite, all are the same.
///
/// # Panics
/// If there are fewer scores than the sample takes.
pub fn inclusion(scores: &[f64], size: usize) -> Vec<f64> {
    let count = scores.len();
    assert!(size <= count, "a sample of {size} among {count}");
    let positive = scores.iter().filter(|score| **score > 0.0).count();
    if positive < size || !scores.iter().sum::<f64>().is_finite() {
        return vec![size as f64 / count as f64; count];
    }
    let mut certain = vec![false; count];
    loop {
        let taken = certain.iter().filter(|certain| **certain).count();
        let open = scores
            .iter()
            .zip(&certain)
            .filter(|(_, certain)| !**certain);
        let factor = (size - taken) as f64 / open.map(|(score, _)| score).sum::<f64>();
        let mut more = false;
        for (score, certain) in scores.iter().zip(&mut certain) {
            let joins = !*certain && score * factor >= 1.0;
            *certain |= joins;
            more |= joins;
        }
        if !more || taken == size {
            let paths = scores.iter().zip(&certain);
            return paths
                .map(|(score, certain)| if *certain { 1.0 } else { score * factor })
                .collect();
        }
    }
}

/// The places that a systematic sample takes, in their order: those at which the sum of `probabilities` passes `start`, `start` + 1, …, with
/// `start` uniform in (0, 1). Place i is among them with probability i, and there are as many as probabilities add up to if that is a
/// whole number. Exchangeable places stay exchangeable.
///
/// # References
/// W. Madow (1949), "On the theory of systematic sampling, II", Annals of Mathematical Statistics 20(3).
pub fn systematic(probabilities: &[f64], start: f64) -> Vec<usize> {
    let (mut sum, mut next) = (0.0, start);
    let mut taken = Vec::new();
    for (place, probability) in probabilities.iter().enumerate() {
        sum += probability;
        if sum > next {
            taken.push(place);
            next += 1.0;
        }
    }
    taken
}

/// The start of the sample of a step, uniform in (0, 1).
pub fn start(seed: u64, purpose: Purpose, step: usize) -> f64 {
    let word = Stream::new(seed, purpose).draw(step as u64, 0)[0][0];
    (f64::from(word) + 0.5) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(count: usize) -> Vec<f64> {
        // From nearly nothing to some that are certain.
        let score = |i: usize| ((i * 37 % count) as f64 / count as f64 * 6.0 - 4.0).exp();
        (0..count).map(score).collect()
    }

    /// Probabilities add up to the size, are in proportion to scores where they are below 1, and no certain path has a lower score than one that
    /// is not.
    #[test]
    fn probabilities_follow_scores() {
        let scores = scores(200);
        for size in [1, 30, 120, 200] {
            let found = inclusion(&scores, size);
            assert!((found.iter().sum::<f64>() - size as f64).abs() < 1e-9);
            let open: Vec<usize> = (0..200).filter(|i| found[*i] < 1.0).collect();
            let ratios: Vec<f64> = open.iter().map(|i| found[*i] / scores[*i]).collect();
            assert!(ratios.iter().all(|r| (r / ratios[0] - 1.0).abs() < 1e-9));
            let greatest = open.iter().map(|i| scores[*i]).fold(0.0, f64::max);
            let certain = (0..200).filter(|i| found[*i] >= 1.0);
            assert!(
                certain
                    .clone()
                    .all(|i| scores[i] >= greatest && found[i] == 1.0)
            );
            assert!(size < 100 || certain.count() > 0, "{size}");
        }
        for useless in [vec![0.0; 8], vec![f64::INFINITY; 8], vec![f64::NAN; 8]] {
            assert_eq!(inclusion(&useless, 2), vec![0.25; 8]);
        }
    }

    /// Over 40,000 steps every path is drawn as often as its probability says, within five standard deviations, the sample has always its size,
    /// and the mean of Σ f/π over draws is the sum of f, within five standard errors.
    #[test]
    fn draws_have_their_probabilities() {
        const STEPS: usize = 40_000;
        let (count, size) = (97, 24);
        let probabilities = inclusion(&scores(count), size);
        let value = |i: usize| (i as f64 * 1.7).sin() + 0.4;
        let mut drawn = vec![0_u32; count];
        let mut estimates = Vec::with_capacity(STEPS);
        for step in 0..STEPS {
            let sample = systematic(&probabilities, start(3, Purpose::Screening, step));
            assert_eq!(sample.len(), size);
            sample.iter().for_each(|i| drawn[*i] += 1);
            estimates.push(
                sample
                    .iter()
                    .map(|i| value(*i) / probabilities[*i])
                    .sum::<f64>(),
            );
        }
        let n = STEPS as f64;
        for (times, p) in drawn.iter().zip(&probabilities) {
            let deviation = (p * (1.0 - p) / n).sqrt() + 1e-12;
            let z = (f64::from(*times) / n - p) / deviation;
            assert!(z.abs() < 5.0, "{times} of {n} at {p}: {z}");
        }
        let sum: f64 = (0..count).map(value).sum();
        let mean = estimates.iter().sum::<f64>() / n;
        let variance = estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / n;
        let error = (variance / n).sqrt();
        assert!(
            (mean - sum).abs() < 5.0 * error && error > 0.0,
            "{mean} {sum} {error}"
        );
    }
}
