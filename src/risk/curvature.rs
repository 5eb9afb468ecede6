use super::measure::moments;
use super::{Masses, Measure, Risk, Term};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Which paths the metric F = (1/n) Σ_b h_b J_b J_bᵀ counts for how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CurvatureWeights {
    /// All the same.
    Uniform,
    /// As the gradient does: n|w_b|.
    Tail,
    /// ½ + ½ min(n|w_b|, 10): the uniform half keeps the metric from resting on the few paths of a tail, the capped
    /// half bends it towards those that the risk weights.
    Mixed,
    /// The second derivative of the risk measure itself. Mean–variance: uniform, monotone mean–variance: uniform over the paths
    /// that carry weight. Entropic: softmax, n|w_b|. CVaR: paths near the value at risk, by a Gaussian kernel on the loss,
    /// blended in equal parts with the tail. Standard deviation: uniform.
    Measure,
    /// Mixed for CVaR and the entropic measure, whose own weights rest on few paths; the measure's own for mean–variance and its
    /// monotone form.
    ByMeasure,
}

/// Curvature weights of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Curvature {
    /// h_b, mean 1.
    pub weights: Vec<f64>,
    /// c, with which (c/n) Σ_b h_b J_b J_bᵀ is the Gauss–Newton part of the Hessian of ρ, or stands for it where the
    /// weights are not the measure's own.
    pub scale: f64,
}

impl Risk {
    /// h and c at a sample with ∂ρ/∂z_b = `weights`, of which the first `count` paths are kept.
    ///
    /// Of a weighted sum they are those of the sum of its terms' curvatures, c = Σ_i k_i c_i and h_b = Σ_i k_i c_i h_{i,b}/c.
    pub fn curvature(
        &self,
        kind: CurvatureWeights,
        pnl: &[f64],
        weights: &[f64],
        count: usize,
    ) -> Curvature {
        let masses = Masses::equal(pnl.len());
        self.curvature_weighted(kind, (pnl, &masses), weights, count)
    }

    /// The same where every path stands for as many paths of a pool as the masses say, so that (1/n) Σ_b h_b J_b J_bᵀ is the pool's metric
    /// up to a factor, and lengths that are measured with h are those of the pool: what h is in the pool times how much likelier the
    /// path is than one of equally likely ones, at most ten times.
    pub fn curvature_weighted(
        &self,
        kind: CurvatureWeights,
        (pnl, masses): (&[f64], &Masses),
        weights: &[f64],
        count: usize,
    ) -> Curvature {
        if let Some(measure) = self.measure() {
            return measure.curvature(kind, (pnl, masses, weights), count);
        }
        let mut sum = Curvature {
            weights: vec![0.0; count],
            scale: 0.0,
        };
        for Term { weight, measure } in self.terms() {
            let own = measure.evaluate_weighted(pnl, masses).weights;
            let one = measure.curvature(kind, (pnl, masses, &own), count);
            let scale = weight * one.scale;
            sum.scale += scale;
            for (sum, one) in sum.weights.iter_mut().zip(one.weights) {
                *sum += scale * one;
            }
        }
        normalise(&mut sum.weights);
        sum
    }
}

impl Risk {
    /// The greatest |Σ_b w_b x_b| that changes x of the P&L can come to for which √((1/n) Σ_b h_b x_b²) is 1: √(n Σ_b w_b²/h_b), by
    /// Cauchy and Schwarz. h are the curvature weights of all n paths of the sample with ∂ρ/∂z_b = `weights`, and w, `counted`, what
    /// the paths count in a gradient. Infinite if a path counts that has no curvature weight.
    pub fn steepest(
        &self,
        kind: CurvatureWeights,
        sample: (&[f64], &Masses),
        (weights, counted): (&[f64], &[f64]),
    ) -> f64 {
        let count = weights.len();
        let of_all = self.curvature_weighted(kind, sample, weights, count);
        let pairs = counted.iter().zip(&of_all.weights);
        let sum: f64 = pairs
            .filter(|(w, _)| **w != 0.0)
            .map(|(w, h)| w * w / h)
            .sum();
        (count as f64 * sum).sqrt()
    }
}

/// Gives the weights the mean 1; where none carries any they count the same.
fn normalise(weights: &mut [f64]) {
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    if mean > 0.0 {
        weights.iter_mut().for_each(|h| *h /= mean);
    } else {
        weights.fill(1.0);
    }
}

impl Measure {
    /// h and c at a sample of P&L with ∂ρ/∂z_b, of which the first `count` paths are kept.
    ///
    /// c is λ for mean–variance and for the entropic measure (which leaves out −λ∇ρ∇ρᵀ: it would turn a step only
    /// where momentum has turned it before), λ times the share of the paths that carry weight for monotone mean–variance,
    /// f(q)/(1 − α) for CVaR, f the density of the loss at its value at risk q, estimated with a Gaussian kernel of Silverman's
    /// bandwidth, 1/σ for the standard deviation σ (which leaves out −∇σ∇σᵀ/σ), and 0 for the mean.
    ///
    /// # References
    /// Entropic: ∂²ρ = λ(diag(w) − wwᵀ). CVaR: Rockafellar and Uryasev (2000) with the second derivative of
    /// E(L − q)⁺ taken under the expectation.
    fn curvature(
        self,
        kind: CurvatureWeights,
        (pnl, masses, weights): (&[f64], &Masses, &[f64]),
        count: usize,
    ) -> Curvature {
        const CAP: f64 = 10.0;
        let n = masses.sum();
        let tail = |path: usize| n / masses.at(path) * weights[path].abs();
        let scale = match self {
            Self::MeanVariance { aversion } | Self::Entropic { aversion } => aversion,
            Self::MonotoneMeanVariance { aversion } => {
                let paths = masses.iter().zip(weights);
                let carry = paths.filter(|(_, weight)| **weight != 0.0);
                aversion * carry.map(|(mass, _)| mass).sum::<f64>() / n
            }
            Self::Cvar { level } => Kernel::new(pnl, masses, weights).density / (1.0 - level),
            Self::StandardDeviation => 1.0 / moments(pnl, masses).1.max(LEAST_WIDTH),
            Self::Mean => 0.0,
        };
        let uniform = || vec![1.0; count];
        let tails = || (0..count).map(tail).collect();
        let mixed = || {
            (0..count)
                .map(|path| 0.5 + 0.5 * tail(path).min(CAP))
                .collect()
        };
        let own = || match self {
            Self::MeanVariance { .. } | Self::StandardDeviation | Self::Mean => uniform(),
            Self::Entropic { .. } => tails(),
            Self::MonotoneMeanVariance { .. } => {
                let carries = weights[..count].iter().map(|weight| *weight != 0.0);
                carries
                    .map(|carries| f64::from(u8::from(carries)))
                    .collect()
            }
            Self::Cvar { .. } => {
                let kernel = Kernel::new(pnl, masses, weights);
                let near = |path: usize| 0.5 * kernel.at(pnl[path]) / kernel.density;
                (0..count)
                    .map(|path| near(path) + 0.5 * tail(path))
                    .collect()
            }
        };
        let mut weights: Vec<f64> = match kind {
            CurvatureWeights::Uniform => uniform(),
            CurvatureWeights::Tail => tails(),
            CurvatureWeights::Mixed => mixed(),
            CurvatureWeights::Measure => own(),
            CurvatureWeights::ByMeasure => match self {
                Self::Cvar { .. } | Self::Entropic { .. } => mixed(),
                Self::MeanVariance { .. }
                | Self::MonotoneMeanVariance { .. }
                | Self::StandardDeviation
                | Self::Mean => own(),
            },
        };
        for (path, h) in weights.iter_mut().enumerate() {
            *h *= masses.relative(path).min(CAP);
        }
        // None of the first paths may carry weight; then they count the same.
        normalise(&mut weights);
        Curvature { weights, scale }
    }
}

/// A Gaussian kernel around the value at risk.
struct Kernel {
    centre: f64,
    width: f64,
    /// The estimated density of the P&L at the centre.
    density: f64,
}

/// The least width of a kernel, whose reciprocal and its square are still finite.
const LEAST_WIDTH: f64 = 1e-150;

impl Kernel {
    /// The best of the P&L that carry weight is the value at risk; the bandwidth is Silverman's 1.06 σ n^{−1/5}.
    fn new(pnl: &[f64], masses: &Masses, weights: &[f64]) -> Self {
        let n = pnl.len() as f64;
        let centre = pnl
            .iter()
            .zip(weights)
            .filter(|(_, weight)| **weight != 0.0)
            .map(|(z, _)| *z)
            .fold(f64::NEG_INFINITY, f64::max);
        let (_, deviation) = moments(pnl, masses);
        let mut kernel = Self {
            centre,
            // A sample without spread still needs a kernel; the bound is far below any amount of money.
            width: (1.06 * deviation * n.powf(-0.2)).max(LEAST_WIDTH),
            density: 0.0,
        };
        kernel.density = masses.mean(pnl, |z| kernel.at(z));
        kernel
    }

    fn at(&self, z: f64) -> f64 {
        let score = (z - self.centre) / self.width;
        (-0.5 * score * score).exp() / (self.width * TAU.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};
    use crate::simd::{BLOCK, Normal};

    fn normals(count: usize) -> Vec<f64> {
        let stream = Stream::new(8, Purpose::Evaluation);
        (0..(count / BLOCK) as u64)
            .flat_map(|block| {
                stream.draw(block, 0)[0].map(|b| Normal::<f64>::from_bits::<false>(b).quantile)
            })
            .collect()
    }

    /// Identity 21: for L = μ + θ with standard normal μ and one parameter θ per scale, CVaR's second derivative in the
    /// direction J is f(q)/(1 − α) · Var(J | L = q); here J = L, so that E[J²|q] = q² and the metric is c q².
    #[test]
    fn cvar_scale_is_the_density_at_the_value_at_risk() {
        let pnl = normals(1 << 18);
        let level = 0.9;
        let risk = Risk::cvar(level);
        let weights = risk.evaluate(&pnl).weights;
        let found = risk.curvature(CurvatureWeights::Measure, &pnl, &weights, pnl.len());
        let q: f64 = 1.281_551_565_5;
        let density = (-0.5 * q * q).exp() / TAU.sqrt();
        assert!(
            (found.scale / (density / (1.0 - level)) - 1.0).abs() < 0.02,
            "{}",
            found.scale
        );
    }

    /// Identity 21: the entropic Hessian along a direction, λ(Σ w J² − (Σ w J)²), against second differences of ρ(z + tJ).
    #[test]
    fn entropic_curvature_is_the_second_derivative() {
        let (pnl, change) = (normals(512), normals(1024)[512..].to_vec());
        let risk = Risk::from(Measure::Entropic { aversion: 0.8 });
        let at = |t: f64| {
            let moved: Vec<f64> = pnl.iter().zip(&change).map(|(z, j)| z + t * j).collect();
            risk.evaluate(&moved).value
        };
        let weights = risk.evaluate(&pnl).weights;
        let found = risk.curvature(CurvatureWeights::Measure, &pnl, &weights, pnl.len());
        let n = pnl.len() as f64;
        let square: f64 = found
            .weights
            .iter()
            .zip(&change)
            .map(|(h, j)| h * j * j)
            .sum();
        let slope: f64 = weights.iter().zip(&change).map(|(w, j)| w * j).sum();
        let metric = found.scale * square / n - 0.8 * slope * slope;
        let step = 1e-3;
        let difference = (at(step) - 2.0 * at(0.0) + at(-step)) / (step * step);
        assert!(
            (metric / difference - 1.0).abs() < 1e-5,
            "{metric} {difference}"
        );
    }

    /// Mean–variance: λ Var J, the metric without its mean. Monotone mean–variance: F = Σ h J Jᵀ − (Σ h J)(Σ h J)ᵀ/Σ h with
    /// h = ℓ″/n, what is left of an optimised certainty equivalent's second derivative once η is eliminated. Both against
    /// second differences, and both what `by_measure` takes.
    #[test]
    fn curvature_of_certainty_equivalents_is_the_second_derivative() {
        let (pnl, change) = (normals(256), normals(512)[256..].to_vec());
        let n = pnl.len() as f64;
        let aversion = 1.7;
        for measure in [
            Measure::MeanVariance { aversion },
            Measure::MonotoneMeanVariance { aversion },
        ] {
            let risk = Risk::from(measure);
            let at = |t: f64| {
                let moved: Vec<f64> = pnl.iter().zip(&change).map(|(z, j)| z + t * j).collect();
                risk.evaluate(&moved).value
            };
            let weights = risk.evaluate(&pnl).weights;
            let found = risk.curvature(CurvatureWeights::Measure, &pnl, &weights, pnl.len());
            let by_measure = risk.curvature(CurvatureWeights::ByMeasure, &pnl, &weights, 256);
            assert_eq!(found, by_measure);
            let moment = |power: i32| {
                let terms = found.weights.iter().zip(&change);
                terms.map(|(h, j)| h * j.powi(power)).sum::<f64>() / n
            };
            let metric = found.scale * (moment(2) - moment(1).powi(2));
            let step = 1e-4;
            let difference = (at(step) - 2.0 * at(0.0) + at(-step)) / (step * step);
            assert!(
                (metric / difference - 1.0).abs() < 1e-5,
                "{risk}: {metric} {difference}"
            );
        }
    }

    /// The standard deviation σ along J has the second derivative (Var J − Cov(z, J)²/σ²)/σ: the metric without its mean and what it
    /// leaves out, against second differences. Half of mean–variance beside it adds ½λ Var J.
    #[test]
    fn curvature_of_a_sum_is_the_sum_of_its_curvatures() {
        let (pnl, change) = (normals(256), normals(512)[256..].to_vec());
        let n = pnl.len() as f64;
        let term = |weight, measure| Term { weight, measure };
        let mean_variance = Measure::MeanVariance { aversion: 1.7 };
        let risk = Risk::sum(&[
            term(1.0, Measure::StandardDeviation),
            term(0.5, mean_variance),
            term(2.0, Measure::Mean),
        ]);
        let at = |t: f64| {
            let moved: Vec<f64> = pnl.iter().zip(&change).map(|(z, j)| z + t * j).collect();
            risk.evaluate(&moved).value
        };
        let weights = risk.evaluate(&pnl).weights;
        let found = risk.curvature(CurvatureWeights::Measure, &pnl, &weights, pnl.len());
        let moment = |power: i32| {
            let terms = found.weights.iter().zip(&change);
            terms.map(|(h, j)| h * j.powi(power)).sum::<f64>() / n
        };
        let (mean, deviation) = moments(&pnl, &Masses::equal(pnl.len()));
        let pairs = pnl.iter().zip(&change);
        let slope = pairs.map(|(z, j)| (z - mean) * j).sum::<f64>() / (n * deviation);
        let metric = found.scale * (moment(2) - moment(1).powi(2)) - slope * slope / deviation;
        let step = 1e-4;
        let difference = (at(step) - 2.0 * at(0.0) + at(-step)) / (step * step);
        assert!(
            (metric / difference - 1.0).abs() < 1e-5,
            "{metric} {difference}"
        );
    }

    /// By Cauchy and Schwarz no change x of the P&L comes to more than the bound times √((1/n) Σ h x²), and x = w/h does, for masses of
    /// a sample too; a path that counts and has no curvature weight leaves no bound.
    #[test]
    fn steepest_is_reached_and_not_surpassed() {
        let pnl = normals(256);
        let draws = normals(2048);
        let n = pnl.len() as f64;
        let masses =
            Masses::of_pool(draws[..256].iter().map(|x| 1.0 + x * x).collect(), 1024).unwrap();
        for (risk, kind) in [
            (Risk::cvar(0.95), CurvatureWeights::ByMeasure),
            (Risk::cvar(0.5), CurvatureWeights::Measure),
            (
                Risk::from(Measure::Entropic { aversion: 1.0 }),
                CurvatureWeights::Tail,
            ),
        ] {
            let weights = risk.evaluate_weighted(&pnl, &masses).weights;
            let h = risk.curvature_weighted(kind, (&pnl, &masses), &weights, 256);
            let bound = risk.steepest(kind, (&pnl, &masses), (&weights, &weights));
            let share = |x: &[f64]| {
                let slope: f64 = weights.iter().zip(x).map(|(w, x)| w * x).sum();
                let paths = h.weights.iter().zip(x);
                let square: f64 = paths.map(|(h, x)| h * x * x).sum();
                slope.abs() / (square / n).sqrt() / bound
            };
            let paths = weights.iter().zip(&h.weights);
            let steepest: Vec<f64> = paths
                .map(|(w, h)| if *w == 0.0 { 0.0 } else { w / h })
                .collect();
            assert!((share(&steepest) - 1.0).abs() < 1e-12, "{risk}");
            for x in draws.chunks_exact(256) {
                assert!(share(x) < 1.0, "{risk}");
            }
        }
        let (risk, mut counted) = (Risk::cvar(0.95), vec![0.0; 256]);
        let weights = risk.evaluate(&pnl).weights;
        let sample = (&*pnl, &Masses::equal(256));
        let free = (weights.iter().position(|w| *w == 0.0)).expect("one outside of the tail");
        counted[free] = 1.0;
        let bound =
            |counted: &[f64]| risk.steepest(CurvatureWeights::Tail, sample, (&weights, counted));
        assert!(bound(&weights).is_finite());
        assert_eq!(bound(&counted), f64::INFINITY);
    }
}
