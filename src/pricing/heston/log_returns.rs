//! Moments of a log return that is still to come, as variance swaps on dates need them.

use super::HestonParameters;
use crate::pricing::quadrature::GAUSS_LEGENDRE;

impl HestonParameters {
    /// The first two moments of the log return X over a period of Δ = `period` years that begins `after` years from now, with the carry
    /// b = r − q.
    ///
    /// # Formula
    ///
    /// With the integral I of the variance over the period and M = ∫√v dW, X = bΔ − ½I + M; given the variance v at its beginning
    ///
    /// ```text
    /// E[X] = bΔ − ½E[I],   E[X²] = (bΔ)² − bΔ E[I] + ¼(E[I]² + Var[I]) − E[IM] + E[I]
    /// E[I] = ∫ m_u du,   Var[I] = 2∫ Var[v_u] c_u du,   E[IM] = ρσ ∫ m_u c_u du
    /// m_u = θ + (v − θ)e^{−κu},   Var[v_u] = σ²/κ (1 − e^{−κu})(v e^{−κu} + ½θ(1 − e^{−κu})),   c_u = (1 − e^{−κ(Δ−u)})/κ
    /// ```
    ///
    /// of which E[I]² alone is not linear in v: it adds ¼ times the variance of E[I] to the value at the mean of v. The integrals are by
    /// Gauss and Legendre's rule, exact to rounding.
    ///
    /// # References
    ///
    /// M. Broadie and A. Jain (2008), "The effect of jumps and discrete sampling on volatility and variance swaps", International Journal of
    /// Theoretical and Applied Finance 11(8), proposition 4.2; C. Bernard and Z. Cui (2014), "Prices and asymptotics for discrete variance
    /// swaps", Applied Mathematical Finance 21(2), proposition 2.2.
    pub fn log_return_moments(&self, carry: f64, after: f64, period: f64) -> (f64, f64) {
        let Self {
            kappa,
            theta,
            sigma,
            rho,
            ..
        } = *self;
        // What of one is gone after u years, and that over κ.
        let gone = |u: f64| -(-kappa * u).exp_m1();
        let variance_from = |start: f64, u: f64| {
            let gone = gone(u);
            sigma * sigma / kappa * gone * (start * (1.0 - gone) + 0.5 * theta * gone)
        };
        let v = self.variance().expected(after);
        let spread = variance_from(self.v0, after);
        let mean = |u: f64| theta + (v - theta) * (-kappa * u).exp();
        let total = self.variance().from(v).mean(period) * period;
        let (mut variance, mut leverage) = (0.0, 0.0);
        // No panel is longer than the reversion.
        let panels = (kappa * period).ceil().clamp(1.0, 1e4) as usize;
        let half = 0.5 * period / panels as f64;
        for panel in 0..panels {
            let centre = half * (2 * panel + 1) as f64;
            for (node, weight) in GAUSS_LEGENDRE.iter() {
                let u = centre + half * node;
                let kept = half * weight * gone(period - u) / kappa;
                variance += 2.0 * kept * variance_from(v, u);
                leverage += rho * sigma * kept * mean(u);
            }
        }
        // Of E[I], which moves with v by (1 − e^{−κΔ})/κ.
        let moved = (gone(period) / kappa).powi(2) * spread;
        let drift = carry * period;
        let square = total * total + variance + moved;
        (
            drift - 0.5 * total,
            drift * drift - drift * total + 0.25 * square - leverage + total,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Market, Model, Simulator};
    use crate::random::{Purpose, Sampling};

    /// On 2¹⁸ paths the first and the second moment of the log returns of each of four quarters are those of the formula, z-bound 4, with a
    /// carry and a strong leverage, where the square is above E[I] by a tenth and more.
    #[test]
    fn moments_are_those_of_paths() {
        let parameters = HestonParameters::new(0.09, 1.5, 0.05, 0.8, -0.7).unwrap();
        let market = Market {
            model: Model::from(parameters),
            spot: 100.0,
            rate: 0.06.into(),
            dividend: 0.01.into(),
        };
        let simulator = Simulator {
            assets: market.into(),
            steps: 4,
            dt: 0.25,
            seed: 9,
            purpose: Purpose::Pricing,
            sampling: Sampling::Pseudorandom,
            family: None,
        };
        let paths = simulator.paths::<f64>(0, 1 << 18);
        let count = f64::from(1 << 18);
        for t in 0..4 {
            let (mut sums, mut squares) = ([0.0; 2], [0.0; 2]);
            for block in 0..paths.blocks() {
                let spot = paths.block(block).spot;
                for (before, after) in spot[t].iter().zip(&spot[t + 1]) {
                    let x = (after / before).ln();
                    for (k, value) in [x, x * x].into_iter().enumerate() {
                        sums[k] += value;
                        squares[k] += value * value;
                    }
                }
            }
            let (first, second) = parameters.log_return_moments(0.05, 0.25 * t as f64, 0.25);
            for (k, expected) in [first, second].into_iter().enumerate() {
                let mean: f64 = sums[k] / count;
                let error = ((squares[k] / count - mean * mean) / count).sqrt();
                assert!(
                    (mean - expected).abs() < 4.0 * error,
                    "{t} {k}: {mean} ± {error}, {expected}"
                );
            }
        }
    }

    /// As the period shrinks, the squares of a year add up to the expected variance (Broadie and Jain 2008, proposition 4.3: the difference is
    /// of the order of the period); without volatility of variance and at its level, the return is normal.
    #[test]
    fn limits_of_the_period_and_of_the_parameters() {
        let parameters = HestonParameters::new(0.09, 1.5, 0.05, 0.8, -0.7).unwrap();
        let excess = |periods: usize| {
            let dt = 1.0 / periods as f64;
            let squares =
                (0..periods).map(|i| parameters.log_return_moments(0.05, dt * i as f64, dt).1);
            squares.sum::<f64>() - parameters.mean_variance(1.0)
        };
        let (coarse, fine) = (excess(1000), excess(2000));
        assert!((coarse / fine - 2.0).abs() < 0.01, "{coarse} {fine}");
        assert!(coarse.abs() < 1e-4 && coarse > 0.0);
        let still = HestonParameters::new(0.04, 1e-4, 0.04, 0.0, 0.0).unwrap();
        let (first, second) = still.log_return_moments(0.05, 0.3, 0.1);
        assert!((first - 0.003).abs() < 1e-15);
        assert!((second - (0.003f64.powi(2) + 0.004)).abs() < 1e-15);
    }
}
