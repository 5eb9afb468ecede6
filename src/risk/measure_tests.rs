use super::*;
use crate::risk::{CurvatureWeights, Risk, Term};
use proptest::prelude::*;

/// Every measure, and a weighted sum.
fn risks() -> Vec<Risk> {
    let measures = [
        Measure::Cvar { level: 0.9 },
        Measure::Entropic { aversion: 0.7 },
        Measure::MeanVariance { aversion: 0.7 },
        Measure::MonotoneMeanVariance { aversion: 0.7 },
        Measure::StandardDeviation,
        Measure::Mean,
    ];
    let term = |weight, place: usize| Term {
        weight,
        measure: measures[place],
    };
    let mut risks: Vec<Risk> = measures.into_iter().map(Risk::from).collect();
    risks.push(Risk::sum(&[term(0.5, 0), term(1.0, 4), term(0.25, 1)]));
    risks
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
    let found = Measure::MonotoneMeanVariance { aversion: 1.0 }.evaluate(&[10.0, 0.0]);
    assert!((found.value + 0.5).abs() < 1e-12, "{}", found.value);
    assert_eq!(found.weights, [0.0, -1.0]);
}

/// Whether more is never worse.
fn is_monotone(measure: Measure) -> bool {
    match measure {
        Measure::Cvar { .. }
        | Measure::Entropic { .. }
        | Measure::MonotoneMeanVariance { .. }
        | Measure::Mean => true,
        Measure::MeanVariance { .. } | Measure::StandardDeviation => false,
    }
}

/// By hand: of −10 and 10, ½ CVaR at 50 % is 5 and the standard deviation 10; the weights are ½ (−1, 0) + (−½, ½).
#[test]
fn sums_add_values_and_weights() {
    let term = |weight, measure| Term { weight, measure };
    let risk = Risk::sum(&[
        term(0.5, Measure::Cvar { level: 0.5 }),
        term(1.0, Measure::StandardDeviation),
    ]);
    let found = risk.evaluate(&[-10.0, 10.0]);
    assert_eq!((found.value, found.weights), (15.0, vec![-1.0, 0.5]));
    assert_eq!(risk.to_string(), "0.5 CVaR 50 % + standard deviation");
    assert_eq!((risk.cash(), risk.watched_level()), (0.5, 0.5));
}

proptest! {
    /// Multiplying P&L by c and dividing aversions by c multiplies ρ by c.
    #[test]
    fn homogeneity(z in prop::collection::vec(-5.0..5.0_f64, 12..40), c in 0.1..10.0_f64) {
        for risk in risks() {
            let scaled: Vec<f64> = z.iter().map(|z| c * z).collect();
            let terms: Vec<Term> = risk.terms().iter().map(|term| Term {
                measure: match term.measure.parameter().filter(|_| term.measure.cvar_level().is_none()) {
                    Some(aversion) => term.measure.with_parameter(aversion / c),
                    None => term.measure,
                },
                ..*term
            }).collect();
            let (expected, found) = (c * risk.evaluate(&z).value, Risk::sum(&terms).evaluate(&scaled).value);
            prop_assert!((expected - found).abs() < 1e-9 * (1.0 + expected.abs()), "{risk}: {expected} {found}");
        }
    }

    /// Where no P&L lies more than 1/λ above the mean, monotone mean–variance is mean–variance; elsewhere it is below. No η
    /// nearby does better.
    #[test]
    fn monotone_mean_variance_is_a_minimum(z in prop::collection::vec(-5.0..5.0_f64, 12..40), aversion in 0.02..1.0_f64) {
        let monotone = Measure::MonotoneMeanVariance { aversion }.evaluate(&z).value;
        let plain = Measure::MeanVariance { aversion }.evaluate(&z).value;
        let mean = z.iter().sum::<f64>() / z.len() as f64;
        if z.iter().all(|z| z - mean < 1.0 / aversion) {
            prop_assert!((monotone - plain).abs() < 1e-9);
        } else {
            prop_assert!(monotone < plain);
        }
        let eta = certainty_level(&z, &Masses::equal(z.len()), aversion);
        for eta in [eta - 1e-3, eta + 1e-3] {
            let loss = |z: &f64| ((1.0 - aversion * (z + eta)).max(0.0).powi(2) - 1.0) / (2.0 * aversion);
            prop_assert!(eta + z.iter().map(loss).sum::<f64>() / z.len() as f64 >= monotone);
        }
    }

    /// ρ(z + c) = ρ(z) − kc, k the cash that it counts; ρ is convex and, but for mean–variance and what has a standard deviation in it,
    /// monotone; weights are its gradient.
    #[test]
    fn axioms(z in prop::collection::vec(-5.0..5.0_f64, 12..40), shift in -3.0..3.0_f64, index in 0..12_usize) {
        for measure in risks() {
            let at = measure.evaluate(&z);
            let moved: Vec<f64> = z.iter().map(|z| z + shift).collect();
            prop_assert!((measure.evaluate(&moved).value - (at.value - measure.cash() * shift)).abs() < 1e-9);
            prop_assert!((at.weights.iter().sum::<f64>() + measure.cash()).abs() < 1e-9);

            // Convexity: the gradient is a supporting plane.
            let mut other = z.clone();
            other.rotate_left(3);
            let plane: f64 = at.value + at.weights.iter().zip(&other).zip(&z).map(|((w, y), z)| w * (y - z)).sum::<f64>();
            prop_assert!(measure.evaluate(&other).value >= plane - 1e-9);

            if measure.terms().iter().all(|term| is_monotone(term.measure)) {
                let mut better = z.clone();
                better[index] += 1.0;
                prop_assert!(measure.evaluate(&better).value <= at.value + 1e-12);
            }
        }
    }
}

/// A sample of P&L, with how many paths each stands for.
fn repeated() -> (Vec<f64>, Vec<usize>) {
    let pnl = [1.3, -2.0, 0.4, -0.7, 2.2, -3.1, 0.1, -1.9, 0.9, -0.2];
    (pnl.to_vec(), vec![3, 1, 4, 2, 5, 2, 1, 3, 2, 6])
}

/// With whole masses every measure, its weights and its curvature are those of the sample with every path repeated so often.
#[test]
fn whole_masses_are_repetitions() {
    let (pnl, counts) = repeated();
    let pairs = || pnl.iter().zip(&counts);
    let all: Vec<f64> = pairs().flat_map(|(z, count)| vec![*z; *count]).collect();
    let places = counts.iter().enumerate();
    let place: Vec<usize> = places
        .flat_map(|(path, count)| vec![path; *count])
        .collect();
    let over_repetitions = |values: &[f64]| {
        let mut sums = vec![0.0; pnl.len()];
        for (path, value) in place.iter().zip(values) {
            sums[*path] += value;
        }
        sums
    };
    let own = counts.iter().map(|count| *count as f64).collect();
    let masses = Masses::of_pool(own, all.len()).unwrap();
    let near = |a: f64, b: f64| (a - b).abs() < 1e-12 * (1.0 + a.abs());
    for risk in risks() {
        let (expected, found) = (risk.evaluate(&all), risk.evaluate_weighted(&pnl, &masses));
        assert!(near(expected.value, found.value), "{risk}");
        for (expected, found) in over_repetitions(&expected.weights)
            .iter()
            .zip(&found.weights)
        {
            assert!(near(*expected, *found), "{risk}: {expected} {found}");
        }
        for kind in [
            CurvatureWeights::Uniform,
            CurvatureWeights::Tail,
            CurvatureWeights::Mixed,
            CurvatureWeights::ByMeasure,
        ] {
            // Repetitions of the path that the tail of CVaR ends in do not weigh the same, and the width of its kernel goes with the number of
            // paths that there are.
            let mut terms = risk.terms().iter();
            let has_tail = terms.any(|term| term.measure.cvar_level().is_some());
            if has_tail && kind != CurvatureWeights::Uniform {
                continue;
            }
            let whole = risk.curvature(kind, &all, &expected.weights, all.len());
            let sample = (&*pnl, &masses);
            let one = risk.curvature_weighted(kind, sample, &found.weights, pnl.len());
            let share = |sums: &[f64]| -> Vec<f64> {
                let total: f64 = sums.iter().sum();
                sums.iter().map(|h| h / total).collect()
            };
            let expected = share(&over_repetitions(&whole.weights));
            for (expected, found) in expected.iter().zip(share(&one.weights)) {
                assert!(
                    near(*expected, found),
                    "{risk}, {kind:?}: {expected} {found}"
                );
            }
            assert!(has_tail || near(whole.scale, one.scale), "{risk}");
        }
    }
}

/// The weights are the derivatives of the value by central differences, with masses that are no whole numbers and do not add up to the number of
/// paths of the pool; they add up to what the measure counts of cash, and equal masses give the same bits as none.
#[test]
fn weights_of_unequal_masses_are_derivatives() {
    let (pnl, counts) = repeated();
    let own: Vec<f64> = counts
        .iter()
        .map(|count| 0.3 + 0.71 * *count as f64)
        .collect();
    let masses = Masses::of_pool(own, 23).unwrap();
    const BUMP: f64 = 1e-6;
    for risk in risks() {
        let found = risk.evaluate_weighted(&pnl, &masses);
        for path in 0..pnl.len() {
            let at = |bump: f64| {
                let mut moved = pnl.clone();
                moved[path] += bump;
                risk.evaluate_weighted(&moved, &masses).value
            };
            let difference = (at(BUMP) - at(-BUMP)) / (2.0 * BUMP);
            let error = (difference - found.weights[path]).abs();
            assert!(error < 1e-8, "{risk}, path {path}: {error:e}");
        }
        let sum: f64 = found.weights.iter().sum();
        assert!((sum + risk.cash()).abs() < 1e-12, "{risk}: {sum}");
        let ones = Masses::of_pool(vec![1.0; pnl.len()], pnl.len()).unwrap();
        let (equal, plain) = (risk.evaluate_weighted(&pnl, &ones), risk.evaluate(&pnl));
        assert_eq!((equal.value, equal.weights), (plain.value, plain.weights));
    }
}

/// A sample that stands for fewer paths than the tail has is the tail.
#[test]
fn a_tail_is_no_more_than_the_sample() {
    let masses = Masses::of_pool(vec![1.0, 2.0], 10).unwrap();
    let found = Measure::Cvar { level: 0.5 }.evaluate_weighted(&[-3.0, 3.0], &masses);
    assert!((found.value + 1.0).abs() < 1e-12, "{}", found.value);
    assert!(Masses::of_pool(vec![1.0, 0.0], 2).is_err());
}
