//! Variance as past returns show it.

use crate::pricing::HestonParameters;
use std::fmt::Debug;

/// What is known of a variance from the returns so far, one return at a time.
///
/// # Units
/// Variances per year.
pub trait VarianceFilter: Debug + Send + Sync {
    /// The expected variance now, given every return so far.
    fn mean(&self) -> f64;

    /// Takes one more log return and gives the expected variance at the end of its day.
    fn update(&mut self, log_return: f64) -> f64;

    /// The same state once more.
    fn boxed(&self) -> Box<dyn VarianceFilter>;

    /// The variance before each return and after the last: entry `t` of `n + 1` uses `returns[..t]` only. Continues from the
    /// present state and leaves it as it is.
    fn filter(&self, returns: &[f64]) -> Vec<f64> {
        let mut state = self.boxed();
        std::iter::once(self.mean())
            .chain(returns.iter().map(|r| state.update(*r)))
            .collect()
    }
}

impl Clone for Box<dyn VarianceFilter> {
    fn clone(&self) -> Self {
        self.boxed()
    }
}

/// A variance that no return changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConstantVariance(pub f64);

impl VarianceFilter for ConstantVariance {
    fn mean(&self) -> f64 {
        self.0
    }

    fn update(&mut self, _: f64) -> f64 {
        self.0
    }

    fn boxed(&self) -> Box<dyn VarianceFilter> {
        Box::new(*self)
    }
}

/// A Gaussian filter of instantaneous variance from daily log returns.
///
/// Over a day of length `dt` from variance `v`, Heston's model moves, to first order in `dt`, by
///
/// ```text
/// r  = (μ − v/2) dt + e,   e = √(v dt) ξ
/// v' = v + κ(θ − v) dt + ρσ e + σ√((1 − ρ²) v dt) ζ,   ξ, ζ independent N(0, 1)
/// ```
///
/// The day's return shows `v` twice: through its size, `y = e²/dt`, which has mean `v` and
/// variance `2v²`, and through its sign, which moves `v'` by `ρσe`. With mean `m` and variance `P`
/// of `v` given the returns before, the filter updates and then predicts:
///
/// ```text
/// update    K = P/(P + 2(m² + P)),   m⁺ = m + K(e²/dt − m),   P⁺ = (1 − K) P
/// predict   m' = θ + (m⁺ − θ)e^{−κdt} + ρσ e⁺,   P' = e^{−2κdt} P⁺ + σ²(1 − ρ²) m⁺ dt
/// ```
///
/// where `2(m² + P) = E[2v²]` is the noise of `y` and `e`, `e⁺` are the innovations at `m`, `m⁺`.
/// It starts from the stationary law: mean `θ`, variance `σ²θ/(2κ)`. Means are kept at or above
/// `θ/100` (a tenth of the long-run volatility), which Gaussian steps would otherwise cross.
///
/// `parameters` must be valid with `θ > 0`; their `v0` is not used.
///
/// # Units
///
/// Variance and drift per year, `dt` in years.
///
/// # References
///
/// A. Harvey (1989), "Forecasting, Structural Time Series Models and the Kalman Filter",
/// section 3.7 (linear filters under non-Gaussian noise); A. Javaheri, D. Lautier, A. Galli (2003),
/// "Filtering in finance", Wilmott Magazine (Heston with correlated noise).
#[derive(Debug, Clone, Copy)]
pub struct HestonFilter {
    parameters: HestonParameters,
    drift: f64,
    dt: f64,
    decay: f64,
    floor: f64,
    mean: f64,
    variance: f64,
}

impl HestonFilter {
    /// A filter that has seen no return yet.
    pub fn new(parameters: HestonParameters, drift: f64, dt: f64) -> Self {
        let HestonParameters {
            kappa,
            theta,
            sigma,
            ..
        } = parameters;
        Self {
            parameters,
            drift,
            dt,
            decay: (-kappa * dt).exp(),
            floor: 0.01 * theta,
            mean: theta,
            variance: sigma * sigma * theta / (2.0 * kappa),
        }
    }

    /// How uncertain [`Self::mean`] is: the standard deviation of the variance around it.
    pub fn standard_deviation(&self) -> f64 {
        self.variance.sqrt()
    }

    /// The Gaussian quasi-log-likelihood of the next return, `ln N(r; (μ − m/2) dt, m dt)`, and
    /// the state after it.
    pub(super) fn log_likelihood_step(&mut self, log_return: f64) -> f64 {
        let spread = self.mean * self.dt;
        let innovation = log_return - self.expected_return();
        self.update(log_return);
        -0.5 * ((std::f64::consts::TAU * spread).ln() + innovation * innovation / spread)
    }

    fn expected_return(&self) -> f64 {
        (self.drift - 0.5 * self.mean) * self.dt
    }
}

impl VarianceFilter for HestonFilter {
    fn mean(&self) -> f64 {
        self.mean
    }

    fn update(&mut self, log_return: f64) -> f64 {
        let HestonParameters {
            theta, sigma, rho, ..
        } = self.parameters;
        let innovation = log_return - self.expected_return();
        let shown = innovation * innovation / self.dt;
        let noise = 2.0 * (self.mean * self.mean + self.variance);
        let gain = self.variance / (self.variance + noise);
        self.mean = (self.mean + gain * (shown - self.mean)).max(self.floor);
        let left = (1.0 - gain) * self.variance;

        let innovation = log_return - self.expected_return();
        let spread = sigma * sigma * (1.0 - rho * rho) * self.mean * self.dt;
        self.variance = self.decay * self.decay * left + spread;
        let reverted = theta + (self.mean - theta) * self.decay;
        self.mean = (reverted + rho * sigma * innovation).max(self.floor);
        self.mean
    }

    fn boxed(&self) -> Box<dyn VarianceFilter> {
        Box::new(*self)
    }
}
