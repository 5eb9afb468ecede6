use super::*;
use crate::simd::{Kernel, dispatch};

struct Foresee<'a>(&'a Risk, &'a [[f64; 2]], Lane<f64>, Lane<f64>);

impl Kernel for Foresee<'_> {
    type Output = Foreseen<f64>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) -> Foreseen<f64> {
        self.0.foresee::<f64, FMA>(self.1, &self.2, &self.3)
    }
}

/// E f(z) for z normal around `mean` with deviation `deviation`, by the trapezoidal rule over ten deviations to either side.
fn expected(mean: f64, deviation: f64, f: impl Fn(f64) -> f64) -> f64 {
    const POINTS: i32 = 200_000;
    let step = 20.0 / f64::from(POINTS);
    let at = |i: i32| {
        let x = -10.0 + step * f64::from(i);
        (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt() * f(mean + deviation * x)
    };
    (0..=POINTS).map(at).sum::<f64>() * step
}

/// n|w| of a path with P&L z beside a large sample, from the measure's own weights: z takes the place of one path of the sample.
#[test]
fn what_paths_weigh_is_foreseen() {
    let sample: Vec<f64> = (0..4_000)
        .map(|i| 1.5 * ((f64::from(i) + 0.5) / 4_000.0 * std::f64::consts::PI).cos() - 0.3)
        .collect();
    let masses = Masses::equal(sample.len());
    let lambda = 0.8;
    for (measure, power) in [
        (Measure::Cvar { level: 0.9 }, 1.0),
        (Measure::Entropic { aversion: lambda }, 0.75),
        (Measure::MeanVariance { aversion: lambda }, 1.0),
        (Measure::MonotoneMeanVariance { aversion: lambda }, 1.0),
        (Measure::StandardDeviation, 1.0),
        (Measure::Mean, 1.0),
    ] {
        let risk = Risk::from(measure);
        let levels = risk.levels(&sample, &masses);
        let weigh = |z: f64| match measure {
            Measure::Cvar { level } => f64::from(u8::from(z <= levels[0][0])) / (1.0 - level),
            Measure::Entropic { aversion } => (-aversion * (z + levels[0][0])).exp(),
            Measure::MeanVariance { aversion } => (aversion * (z - levels[0][0]) - 1.0).abs(),
            Measure::MonotoneMeanVariance { aversion } => {
                (1.0 - aversion * (z + levels[0][0])).max(0.0)
            }
            Measure::StandardDeviation => ((z - levels[0][0]) / levels[0][1]).abs(),
            Measure::Mean => 1.0,
        };
        // The formula of the weights is that of the measure, on the sample itself.
        let n = sample.len() as f64;
        let own = risk.evaluate(&sample).weights;
        for (z, w) in sample.iter().zip(&own) {
            assert!((n * w.abs() - weigh(*z)).abs() < 1e-9, "{risk}: {z}");
        }
        for (mean, deviation) in [(-1.4, 0.3), (0.2, 0.5), (-0.6, 1.1)] {
            let variance: f64 = deviation * deviation;
            let means = [mean; BLOCK];
            let found = dispatch(Foresee(&risk, &levels, means, [variance; BLOCK]));
            let square = expected(mean, deviation, |z| weigh(z).powf(2.0 * power));
            let carries = expected(mean, deviation, |z| f64::from(u8::from(weigh(z) > 0.0)));
            let weight = found.weight[3];
            assert!(
                (weight / square.sqrt() - 1.0).abs() < 1e-4,
                "{risk} at {mean}: {weight} {}",
                square.sqrt()
            );
            assert!(
                (found.carries[3] - carries).abs() < 1e-4,
                "{risk} at {mean}"
            );
        }
    }
}

/// Of a weighted sum no path weighs more, root mean square, than is foreseen.
#[test]
fn sums_are_bounded() {
    let term = |weight, measure| Term { weight, measure };
    let terms = [
        term(0.5, Measure::Cvar { level: 0.5 }),
        term(2.0, Measure::Mean),
    ];
    let (risk, levels) = (Risk::sum(&terms), vec![[0.1, 0.0], [0.0, 0.0]]);
    let found = dispatch(Foresee(&risk, &levels, [0.3; BLOCK], [0.49; BLOCK]));
    let weigh = |z: f64| 2.0 + if z <= 0.1 { 0.5 / 0.5 } else { 0.0 };
    let square = expected(0.3, 0.7, |z| weigh(z) * weigh(z));
    assert!(found.weight[0] >= square.sqrt() - 1e-6 && found.weight[0] <= 3.0);
    assert_eq!(found.carries[0], 1.0);
}
