//! What a path is expected to weigh in the gradient of a risk measure before its P&L is known.

use super::measure::{certainty_level, moments};
use super::{Masses, Measure, Risk, Term};
use crate::simd::{BLOCK, Lane, Real, upper_tail};

/// What the weights of a measure depend on beside the P&L of a path itself: for every term of the risk two numbers, in currency.
///
/// They are the value at risk (as P&L) of a CVaR; the entropic risk itself; the mean of P&L; the η of monotone mean–variance; mean and
/// standard deviation of P&L.
pub type Levels = Vec<[f64; 2]>;

/// What a block of paths is expected to weigh.
#[derive(Debug, Clone, Copy)]
pub struct Foreseen<R> {
    /// The root mean square of n|∂ρ/∂z_b| for n equally likely paths.
    pub weight: Lane<R>,
    /// The chance that a path carries weight at all.
    pub carries: Lane<R>,
}

impl Risk {
    /// What its weights depend on at a sample of P&L.
    pub fn levels(&self, pnl: &[f64], masses: &Masses) -> Levels {
        let terms = self.terms().iter();
        terms.map(|term| term.measure.levels(pnl, masses)).collect()
    }

    /// What paths are expected to weigh whose P&L is normal around `mean` with `variance`, where the measure stands at `levels`.
    ///
    /// For a weighted sum the weight is Σ_i k_i times that of its terms, above which the root mean square of the sum's weight never
    /// lies, and the chance to carry weight that of the term that is carried most.
    #[inline(always)]
    pub fn foresee<R: Real, const FMA: bool>(
        &self,
        levels: &[[f64; 2]],
        mean: &Lane<R>,
        variance: &Lane<R>,
    ) -> Foreseen<R> {
        let mut sum = Foreseen {
            weight: [R::ZERO; BLOCK],
            carries: [R::ZERO; BLOCK],
        };
        for (Term { weight, measure }, level) in self.terms().iter().zip(levels) {
            let one = measure.foresee::<R, FMA>(*level, mean, variance);
            let k = R::of(*weight);
            for lane in 0..BLOCK {
                sum.weight[lane] += k * one.weight[lane];
                sum.carries[lane] = sum.carries[lane].greater(one.carries[lane]);
            }
        }
        sum
    }
}

impl Measure {
    fn levels(&self, pnl: &[f64], masses: &Masses) -> [f64; 2] {
        match *self {
            Self::Cvar { .. } => {
                let weights = self.evaluate_weighted(pnl, masses).weights;
                let tail = pnl.iter().zip(weights).filter(|(_, weight)| *weight != 0.0);
                let best = tail.map(|(z, _)| *z).fold(f64::NEG_INFINITY, f64::max);
                [best, 0.0]
            }
            Self::Entropic { .. } => [self.evaluate_weighted(pnl, masses).value, 0.0],
            Self::MeanVariance { .. } => [masses.mean(pnl, |z| z), 0.0],
            Self::MonotoneMeanVariance { aversion } => {
                [certainty_level(pnl, masses, aversion), 0.0]
            }
            Self::StandardDeviation => {
                let (mean, deviation) = moments(pnl, masses);
                [mean, deviation]
            }
            Self::Mean => [0.0, 0.0],
        }
    }

    /// With p the P&L of a path, normal around m with variance s²:
    ///
    /// | measure | E (n w)² | chance to carry weight |
    /// |---|---|---|
    /// | CVaR | Φ((q − m)/s)/(1 − α)² | Φ((q − m)/s) |
    /// | entropic | exp(2γλ(−m − ρ) + 2γ²λ²s²), γ = ¾ | 1 |
    /// | mean–variance | (1 − λ(m − z̄))² + λ²s² | 1 |
    /// | monotone mean–variance | (u² + v²)Φ(u/v) + u v φ(u/v), u = 1 − λ(m + η), v = λs | Φ(u/v) |
    /// | standard deviation σ | ((m − z̄)² + s²)/σ² | 1 |
    /// | mean | 1 | 1 |
    ///
    /// The exponential is tempered by γ: in its tail the error of a forecast is least normal. With γ = 1 a training's gradients are
    /// noisier.
    #[inline(always)]
    fn foresee<R: Real, const FMA: bool>(
        self,
        [level, spread]: [f64; 2],
        mean: &Lane<R>,
        variance: &Lane<R>,
    ) -> Foreseen<R> {
        const TEMPER: f64 = 0.75;
        const LEAST: f64 = 1e-30;
        let one = [R::ONE; BLOCK];
        let (mut weight, mut carries) = (one, one);
        let at = R::of(level);
        match self {
            Self::Cvar { level: alpha } => {
                let share = R::of(1.0 / (1.0 - alpha));
                for lane in 0..BLOCK {
                    let deviation = variance[lane].greater(R::of(LEAST)).sqrt();
                    let score = within((mean[lane] - at) / deviation);
                    carries[lane] = upper_tail::<R, FMA>(score);
                    weight[lane] = share * carries[lane].sqrt();
                }
            }
            Self::Entropic { aversion } => {
                let (slope, square) = (TEMPER * aversion, (TEMPER * aversion).powi(2));
                let (slope, square) = (R::of(slope), R::of(square));
                for lane in 0..BLOCK {
                    let exponent = square * variance[lane] - slope * (mean[lane] + at);
                    weight[lane] = exponent.exp::<FMA>();
                }
            }
            Self::MeanVariance { aversion } => {
                let aversion = R::of(aversion);
                for lane in 0..BLOCK {
                    let own = R::ONE - aversion * (mean[lane] - at);
                    let square = own * own + aversion * aversion * variance[lane];
                    weight[lane] = square.sqrt();
                }
            }
            Self::MonotoneMeanVariance { aversion } => {
                let (aversion, density) = (R::of(aversion), R::of(std::f64::consts::TAU.sqrt()));
                for lane in 0..BLOCK {
                    let own = R::ONE - aversion * (mean[lane] + at);
                    let deviation = aversion * variance[lane].greater(R::of(LEAST)).sqrt();
                    let score = within(own / deviation);
                    let bell = (-R::HALF * score * score).exp::<FMA>() / density;
                    carries[lane] = upper_tail::<R, FMA>(-score);
                    let square = (own * own + deviation * deviation) * carries[lane]
                        + own * deviation * bell;
                    weight[lane] = square.greater(R::ZERO).sqrt();
                }
            }
            Self::StandardDeviation => {
                let share = R::of(1.0 / spread.max(LEAST));
                for lane in 0..BLOCK {
                    let own = mean[lane] - at;
                    weight[lane] = share * (own * own + variance[lane]).sqrt();
                }
            }
            Self::Mean => {}
        }
        Foreseen { weight, carries }
    }
}

/// A standard score, within what tails are known of.
#[inline(always)]
fn within<R: Real>(score: R) -> R {
    const FARTHEST: f64 = 12.0;
    score.greater(R::of(-FARTHEST)).lesser(R::of(FARTHEST))
}

#[cfg(test)]
#[path = "foresight_tests.rs"]
mod tests;
