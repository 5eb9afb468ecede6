//! The likelihood of independent returns whose law is known by its characteristic function.

use num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Returns counted at the nodes kΔ of a lattice: a return x counts at node k by B(x/Δ − k), where B is the B-spline of degree 5, whose
/// translates add up to 1. Under a law with the characteristic function φ a node has the probability
///
/// ```text
/// p_k = E[B(X/Δ − k)] = (Δ/2π) ∫ φ(u) (sin(½uΔ)/(½uΔ))⁶ e^{−iukΔ} du
/// ```
///
/// and Σ_k n_k ln(p_k/Δ), with the counts n_k, is the expected log likelihood of returns that are rounded to a node at random by these
/// weights. Like the likelihood of the returns themselves it is greatest, on average, at the law that they have; unlike it, it is finite
/// where a density has a pole, as that of variance gamma has. The integral is a sum by the fast Fourier transform, exact but for what lies
/// outside of the lattice and for frequencies above 7π/Δ, whose factor is below 10⁻⁶.
///
/// # References
/// P. Carr and D. Madan (1999), "Option valuation using the fast Fourier transform", Journal of Computational Finance 2(4), section 3, for the
/// transform; C. de Boor (1978), "A Practical Guide to Splines", chapter IX, for B.
pub(super) struct Lattice {
    /// Nodes at which returns count, and how often.
    counts: Vec<(usize, f64)>,
    transform: Arc<dyn Fft<f64>>,
    nodes: usize,
    /// Δ
    spacing: f64,
}

impl Lattice {
    /// Counts `returns` that have a standard deviation of about 1, at nodes that lie Δ = `spacing` apart.
    pub fn new(returns: &[f64], spacing: f64) -> Self {
        let most = returns.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let half = f64::max(40.0, 1.25 * most + 8.0) / spacing;
        let nodes = (2.0 * half).ceil() as usize;
        let nodes = nodes.next_power_of_two();
        let mut dense = vec![0.0; nodes];
        for x in returns {
            let place = x / spacing;
            let below = place.floor();
            for offset in -2..=3 {
                let node = below as i64 + offset;
                let node = node.rem_euclid(nodes as i64) as usize;
                dense[node] += spline(place - below - offset as f64);
            }
        }
        let counts = dense.into_iter().enumerate();
        Self {
            counts: counts.filter(|(_, count)| *count > 0.0).collect(),
            transform: FftPlanner::new().plan_fft_forward(nodes),
            nodes,
            spacing,
        }
    }

    /// Σ_k n_k ln(p_k/Δ)
    pub fn log_likelihood(&self, characteristic: impl Fn(f64) -> Complex64) -> f64 {
        /// What rounding leaves of a probability; no node has less.
        const LEAST: f64 = 1e-17;
        let probabilities = self.probabilities(characteristic);
        let terms = self.counts.iter();
        terms
            .map(|(node, count)| count * (probabilities[*node].max(LEAST) / self.spacing).ln())
            .sum()
    }

    /// p_k from k = 0; those of nodes below 0 are at the end.
    fn probabilities(&self, characteristic: impl Fn(f64) -> Complex64) -> Vec<f64> {
        let (nodes, spacing) = (self.nodes, self.spacing);
        let mut values = vec![Complex64::ZERO; nodes];
        for j in 0..=nodes / 2 {
            let base = TAU * j as f64 / (nodes as f64 * spacing);
            let mut sum = Complex64::ZERO;
            // Frequencies that the nodes cannot tell from each other.
            for fold in -3..=3 {
                let u = base + TAU / spacing * f64::from(fold);
                sum += characteristic(u) * sinc(0.5 * u * spacing).powi(6);
            }
            values[j] = sum;
            values[(nodes - j) % nodes] = sum.conj();
        }
        self.transform.process(&mut values);
        values.iter().map(|p| p.re / nodes as f64).collect()
    }
}

/// sin(x)/x
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

/// B(x), which is 0 from |x| = 3 on.
fn spline(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        let square = x * x;
        0.55 + square * (-0.5 + square * (0.25 - x / 12.0))
    } else if x < 2.0 {
        0.425 + x * (0.625 + x * (-1.75 + x * (1.25 + x * (-0.375 + x / 24.0))))
    } else {
        (3.0 - x).max(0.0).powi(5) / 120.0
    }
}

/// The logarithm of a factor that counts for nothing.
const NOTHING: f64 = -45.0;

/// e^z, or 0 where it counts for nothing.
pub(super) fn exponential(z: Complex64) -> Complex64 {
    if z.re < NOTHING {
        Complex64::ZERO
    } else {
        z.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: f64 = 1.0 / 16.0;

    /// The weights of a return add up to 1, its mean place is its own, and its variance about it Δ²/2.
    #[test]
    fn weights_are_a_partition_of_one() {
        for place in [0.0, 0.3, 0.5, 0.99] {
            let moment = |power: i32| -> f64 {
                let nodes = (-3..=4).map(f64::from);
                nodes
                    .map(|node| (node - place).powi(power) * spline(place - node))
                    .sum()
            };
            assert!((moment(0) - 1.0).abs() < 1e-14);
            assert!(moment(1).abs() < 1e-14);
            assert!((moment(2) - 0.5).abs() < 1e-14);
        }
    }

    /// Under the characteristic function of Merton's model, p_k is the integral of the density of the mixture of normals against B, by
    /// the trapezoidal rule, to 10⁻¹³; all p_k together are 1.
    #[test]
    fn probabilities_are_those_of_mertons_density() {
        let (drift, variance, expected, mean, spread) = (0.1, 0.5f64, 0.2f64, -0.6, 0.8f64);
        let lattice = Lattice::new(&[0.0], SPACING);
        let found = lattice.probabilities(|u| {
            let jump = Complex64::new(-0.5 * spread * spread * u * u, u * mean).exp();
            let diffusion = Complex64::new(-0.5 * variance * u * u, u * drift);
            (diffusion + expected * (jump - 1.0)).exp()
        });
        let density = |x: f64| {
            let mut weight = (-expected).exp();
            let mut sum = 0.0;
            for n in 0..30 {
                let jumps = f64::from(n);
                let square = variance + jumps * spread * spread;
                let far = x - drift - jumps * mean;
                sum += weight * (-0.5 * far * far / square).exp() / (TAU * square).sqrt();
                weight *= expected / (jumps + 1.0);
            }
            sum
        };
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for node in [-60, -20, -3, 0, 1, 17, 40i64] {
            let centre = node as f64;
            let expected: f64 = (-600..=600)
                .map(|i| 0.005 * f64::from(i))
                .map(|y| 0.005 * SPACING * spline(y) * density(SPACING * (centre + y)))
                .sum();
            let place = node.rem_euclid(lattice.nodes as i64) as usize;
            assert!(
                (found[place] - expected).abs() < 1e-13,
                "{node}: {} {expected}",
                found[place]
            );
        }
    }

    /// A law whose density has a pole at 0, e^{−|x|}|x|^{−½} smoothed over the sign: of the difference of two gamma variates of shape ¼,
    /// φ(u) = (1 + u²)^{−¼}, no probability is below −10⁻⁹, they add up to 1 and have the variance ½ + ½Δ².
    #[test]
    fn a_pole_has_probabilities() {
        let lattice = Lattice::new(&[0.0], SPACING);
        let found = lattice.probabilities(|u| Complex64::from((1.0 + u * u).powf(-0.25)));
        let half = lattice.nodes / 2;
        let place = |node: usize| match node < half {
            true => SPACING * node as f64,
            false => SPACING * (node as f64 - lattice.nodes as f64),
        };
        let total: f64 = found.iter().sum();
        let square: f64 = (0..lattice.nodes)
            .map(|node| found[node] * place(node).powi(2))
            .sum();
        assert!(found.iter().all(|p| *p > -1e-9), "{found:?}");
        assert!((total - 1.0).abs() < 1e-12);
        let expected = 0.5 + 0.5 * SPACING * SPACING;
        assert!((square - expected).abs() < 1e-6, "{square} {expected}");
        assert!(found[0] > 5.0 * found[16]);
    }
}
