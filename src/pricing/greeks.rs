use super::BlackScholes;
use serde::Serialize;

/// A price and its sensitivities, under any of the models.
///
/// # Units
///
/// Currency of the spot; delta in shares, gamma in shares per currency, theta per year, vega per unit of volatility.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Greeks {
    /// The price V.
    pub price: f64,
    /// `∂V/∂S` at constant variance.
    pub delta: f64,
    /// `∂²V/∂S²` at constant variance.
    pub gamma: f64,
    /// In the root of the instantaneous variance: Black and Scholes' σ, Heston's `√v0`, or the volatility between jumps.
    pub vega: f64,
    /// `∂V/∂v`, v the instantaneous variance; 0 under Merton, where it is constant. Without volatility it is its limit,
    /// infinite at the money and 0 elsewhere.
    pub variance_sensitivity: f64,
    /// `∂V/∂t` at constant spot and variance.
    pub theta: f64,
    /// The spot position that minimises the variance of the hedged option over the next instant: delta under Black and
    /// Scholes; under Heston, with ρσ/S the change of variance with the spot,
    ///
    /// ```text
    /// δ = ∂V/∂S + (ρσ/S) ∂V/∂v
    /// ```
    ///
    /// and under Merton, with the factor Y of a jump,
    ///
    /// ```text
    /// δ = (σ² S ∂V/∂S + λ E[(Y − 1)(V(SY) − V(S))]) / (S (σ² + λ E[(Y − 1)²]))
    /// ```
    ///
    /// # References
    ///
    /// B. Bartlett (2006), "Hedging under SABR model", Wilmott Magazine July; for stochastic variance in general
    /// H. Föllmer and M. Schweizer (1991). R. Cont, P. Tankov and E. Voltchkova (2007), "Hedging with options in models
    /// with jumps", proposition 2.
    pub minimum_variance_delta: f64,
}

impl Greeks {
    /// Price and sensitivities of a smooth `price` of spot, variance and time to expiry, by central differences over 10⁻⁴ of
    /// each. The variance moves by `leverage` with the spot, so that
    ///
    /// ```text
    /// δ = ∂V/∂S + leverage · ∂V/∂v
    /// ```
    ///
    /// is the minimum-variance delta. Sensitivities to a variance of 0 are 0.
    ///
    /// # Units
    /// `left` in years, `leverage` in annualised variance per currency.
    pub fn by_differences(
        price: impl Fn(f64, f64, f64) -> f64,
        (spot, variance, left): (f64, f64, f64),
        leverage: f64,
    ) -> Self {
        const STEP: f64 = 1e-4;
        let slope = |of: &dyn Fn(f64) -> f64, at: f64| match STEP * at {
            0.0 => 0.0,
            h => (of(at + h) - of(at - h)) / (2.0 * h),
        };
        let now = price(spot, variance, left);
        let h = STEP * spot;
        let (up, down) = (
            price(spot + h, variance, left),
            price(spot - h, variance, left),
        );
        let delta = (up - down) / (2.0 * h);
        let variance_sensitivity = slope(&|variance| price(spot, variance, left), variance);
        Self {
            price: now,
            delta,
            gamma: (up - 2.0 * now + down) / (h * h),
            vega: 2.0 * variance.sqrt() * variance_sensitivity,
            variance_sensitivity,
            theta: -slope(&|left| price(spot, variance, left), left),
            minimum_variance_delta: delta + leverage * variance_sensitivity,
        }
    }

    /// Adds `quantity` of another option.
    pub fn add(&mut self, quantity: f64, one: &Self) {
        self.price += quantity * one.price;
        self.delta += quantity * one.delta;
        self.gamma += quantity * one.gamma;
        self.vega += quantity * one.vega;
        self.variance_sensitivity += quantity * one.variance_sensitivity;
        self.theta += quantity * one.theta;
        self.minimum_variance_delta += quantity * one.minimum_variance_delta;
    }
}

impl BlackScholes {
    /// Price and sensitivities.
    pub fn greeks(&self) -> Greeks {
        let (delta, vega) = (self.delta(), self.vega());
        Greeks {
            price: self.price(),
            delta,
            gamma: self.gamma(),
            vega,
            // Vega falls to zero faster than the volatility, except at the money.
            variance_sensitivity: if vega == 0.0 {
                0.0
            } else {
                vega / (2.0 * self.volatility)
            },
            theta: self.theta(),
            minimum_variance_delta: delta,
        }
    }
}
