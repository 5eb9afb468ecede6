//! European options under Heston's stochastic variance.

mod exponents;
mod log_returns;
mod transform;

pub use exponents::Exponents;
pub use transform::HestonTransform;

use crate::contract::OptionKind;
use crate::error::{Error, Result};
use crate::pricing::{Greeks, MarkovVariance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Heston's model of a spot price and its instantaneous variance,
///
/// ```text
/// dS/S = (r − q) dt + √v dW,   dv = κ(θ − v) dt + σ√v dZ,   d⟨W, Z⟩ = ρ dt
/// ```
///
/// # Units
///
/// `v0` and `theta` are annualised variances (0.04 is a volatility of 20 %), `kappa` is per year,
/// `sigma` is the volatility of variance per year, `rho` is a correlation.
///
/// # References
///
/// S. Heston (1993), "A closed-form solution for options with stochastic volatility", Review of
/// Financial Studies 6(2), eqs. 1 and 4.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HestonParameters {
    /// The variance now, v₀, annualised: 0.04 is a volatility of 20 %; `[low, high]` where every path draws its own.
    #[schemars(title = "Initial variance", range(min = 1e-6, max = 25.0), extend("x-unit" = "annualised"))]
    pub v0: f64,
    /// The speed κ at which variance reverts to its long-run level.
    #[schemars(title = "Speed of mean reversion", range(min = 1e-4, max = 1e6), extend("x-unit" = "per year"))]
    pub kappa: f64,
    /// The long-run variance θ, annualised.
    #[schemars(title = "Long-run variance", range(min = 1e-6, max = 25.0), extend("x-unit" = "annualised"))]
    pub theta: f64,
    /// The volatility of variance σ.
    #[schemars(title = "Volatility of variance", range(min = 0.0, max = 100.0), extend("x-unit" = "per year"))]
    pub sigma: f64,
    /// The correlation ρ of the shocks of spot and variance.
    #[schemars(title = "Correlation of spot and variance", extend("exclusiveMinimum" = -1.0, "exclusiveMaximum" = 1.0))]
    pub rho: f64,
}

impl HestonParameters {
    /// Parameters that have passed [`Self::validate`].
    ///
    /// # Errors
    ///
    /// See [`Self::validate`].
    pub fn new(v0: f64, kappa: f64, theta: f64, sigma: f64, rho: f64) -> Result<Self> {
        let parameters = Self {
            v0,
            kappa,
            theta,
            sigma,
            rho,
        };
        parameters.validate()?;
        Ok(parameters)
    }

    /// Checks `v0 ≥ 0`, `κ > 0`, `θ ≥ 0`, `σ ≥ 0` and `−1 < ρ < 1`.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] naming the parameter, its value and its bound.
    pub fn validate(&self) -> Result<()> {
        let refuse = |name: &str, value: f64, bound: &str| {
            Err(Error::input(format!(
                "Heston parameter {name} must be {bound}, was {value}"
            )))
        };
        for (name, value) in [
            ("v0", self.v0),
            ("theta", self.theta),
            ("sigma", self.sigma),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return refuse(name, value, "finite and at least 0");
            }
        }
        if !(self.kappa > 0.0 && self.kappa.is_finite()) {
            return refuse("kappa", self.kappa, "finite and above 0");
        }
        if !(self.rho > -1.0 && self.rho < 1.0) {
            return refuse("rho", self.rho, "above -1 and below 1");
        }
        Ok(())
    }

    /// Whether variance stays positive: `2κθ ≥ σ²`.
    ///
    /// # References
    ///
    /// W. Feller (1951), "Two singular diffusion problems".
    pub fn feller(&self) -> bool {
        2.0 * self.kappa * self.theta >= self.sigma * self.sigma
    }

    /// The variance as a process of its own.
    pub fn variance(&self) -> MarkovVariance {
        MarkovVariance {
            now: self.v0,
            level: self.theta,
            speed: self.kappa,
            stays_positive: self.feller(),
        }
    }

    /// The expected average variance over `[0, T]`, `θ + (v0 − θ)(1 − e^{−κT})/(κT)`: the fair
    /// strike of a variance swap.
    ///
    /// # Units
    ///
    /// `expiry` in years; the result is an annualised variance.
    pub fn mean_variance(&self, expiry: f64) -> f64 {
        self.variance().mean(expiry)
    }

    /// The price of one European option; see [`HestonTransform`] for the method.
    ///
    /// # Units
    ///
    /// Spot and strike in currency, expiry in years, rate and dividend yield per year and
    /// continuously compounded.
    ///
    /// ```
    /// use deephedge::{contract::OptionKind, pricing::HestonParameters};
    ///
    /// // H. Buehler et al. (2019), "Deep hedging": 1.69.
    /// let heston = HestonParameters::new(0.04, 1.0, 0.04, 2.0, -0.7)?;
    /// let price = heston.price(OptionKind::Call, 100.0, 100.0, 30.0 / 365.0, 0.0, 0.0);
    /// assert!((price - 1.69).abs() < 0.005);
    /// # Ok::<(), deephedge::Error>(())
    /// ```
    pub fn price(
        &self,
        kind: OptionKind,
        spot: f64,
        strike: f64,
        expiry: f64,
        rate: f64,
        dividend: f64,
    ) -> f64 {
        self.prices(kind, spot, &[strike], expiry, rate, dividend)[0]
    }

    /// The prices of options that share kind and expiry, one per strike, from one tabulation of
    /// the characteristic function.
    pub fn prices(
        &self,
        kind: OptionKind,
        spot: f64,
        strikes: &[f64],
        expiry: f64,
        rate: f64,
        dividend: f64,
    ) -> Vec<f64> {
        let width = widest(spot, strikes, (rate - dividend) * expiry);
        HestonTransform::new(self, expiry, self.v0..=self.v0, width)
            .prices(kind, spot, self.v0, strikes, rate, dividend)
    }

    /// Price and sensitivities of one European option.
    pub fn greeks(
        &self,
        kind: OptionKind,
        spot: f64,
        strike: f64,
        expiry: f64,
        rate: f64,
        dividend: f64,
    ) -> Greeks {
        let width = widest(spot, &[strike], (rate - dividend) * expiry);
        HestonTransform::new(self, expiry, self.v0..=self.v0, width)
            .greeks(kind, spot, self.v0, strike, rate, dividend)
    }
}

/// The largest `|ln(F/K)|`.
fn widest(spot: f64, strikes: &[f64], carry: f64) -> f64 {
    strikes
        .iter()
        .map(|strike| ((spot / strike).ln() + carry).abs())
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests;
