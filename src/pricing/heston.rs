use crate::contract::{Contract, OptionKind};
use num_complex::Complex64;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// dv = κ(θ − v) dt + σ √v dB, d⟨W, B⟩ = ρ dt, v(0) = v0.
///
/// # Units
/// Variances v0 and θ annualised; κ and σ per year.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HestonParameters {
    pub v0: f64,
    pub kappa: f64,
    pub theta: f64,
    pub sigma: f64,
    pub rho: f64,
}

impl HestonParameters {
    /// E (1/τ) ∫₀^τ v dt given v(0) = `variance`: θ + (v − θ)(1 − e^{−κτ})/(κτ).
    pub fn mean_variance(&self, variance: f64, time: f64) -> f64 {
        let x = self.kappa * time;
        let weight = if x > 1e-12 { -(-x).exp_m1() / x } else { 1.0 };
        self.theta + (variance - self.theta) * weight
    }

    /// E exp(iu ln(S_T/F)), in the form that stays on the principal branch.
    ///
    /// # References
    /// Albrecher, Mayer, Schoutens and Tistaert (2007), "The little Heston trap", equation 2.
    fn characteristic(&self, u: Complex64, time: f64) -> Complex64 {
        let i = Complex64::i();
        let Self {
            v0,
            kappa,
            theta,
            sigma,
            rho,
        } = *self;
        let b = kappa - i * rho * sigma * u;
        let d = (b * b + sigma * sigma * (i * u + u * u)).sqrt();
        let g = (b - d) / (b + d);
        let decay = (-d * time).exp();
        let slope = (b - d) / (sigma * sigma) * (1.0 - decay) / (1.0 - g * decay);
        let level = (kappa * theta / (sigma * sigma))
            * ((b - d) * time - 2.0 * ((1.0 - g * decay) / (1.0 - g)).ln());
        (level + slope * v0).exp()
    }
}

/// The price of a European option under Heston.
///
/// C = S e^{−qT} − √(FK) e^{−rT}/π ∫₀^∞ Re[e^{iuk} φ(u − i/2)]/(u² + ¼) du with k = ln(F/K), by Simpson's
/// rule up to where the integrand has died out; puts by parity.
///
/// # References
/// Lewis (2000), "Option valuation under stochastic volatility", equation 2.2.10 on the contour Im u = ½.
pub fn heston_price(
    parameters: &HestonParameters,
    contract: &Contract,
    spot: f64,
    rate: f64,
    dividend: f64,
) -> f64 {
    const PANELS: usize = 20_000;
    let time = contract.expiry;
    let forward = spot * ((rate - dividend) * time).exp();
    let k = (forward / contract.strike).ln();
    let integrand = |u: f64| {
        let value = parameters.characteristic(Complex64::new(u, -0.5), time);
        (Complex64::new(0.0, u * k).exp() * value).re / (u * u + 0.25)
    };
    let dead = |u: f64| {
        parameters
            .characteristic(Complex64::new(u, -0.5), time)
            .norm()
            / (u * u)
            < 1e-15
    };
    let mut end = 16.0;
    while !dead(end) && end < 1e6 {
        end *= 1.5;
    }
    let h = end / PANELS as f64;
    let inner: f64 = (1..PANELS)
        .map(|i| integrand(i as f64 * h) * if i % 2 == 1 { 4.0 } else { 2.0 })
        .sum();
    let integral = h / 3.0 * (integrand(0.0) + inner + integrand(end));
    let discount = (-rate * time).exp();
    let call = discount * (forward - (forward * contract.strike).sqrt() / PI * integral);
    match contract.kind {
        OptionKind::Call => call,
        OptionKind::Put => call - discount * (forward - contract.strike),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(strike: f64, expiry: f64) -> Contract {
        Contract {
            kind: OptionKind::Call,
            strike,
            expiry,
            steps: 1,
        }
    }

    /// Prices of QuantLib 1.44, AnalyticHestonEngine: Buehler et al. (2019) and others, spot 100.
    #[test]
    fn quantlib_prices() {
        let buehler = HestonParameters {
            v0: 0.04,
            kappa: 1.0,
            theta: 0.04,
            sigma: 2.0,
            rho: -0.7,
        };
        for (strike, expiry, rate, dividend, expected) in [
            (70.0, 30.0 / 365.0, 0.0, 0.0, 30.014509561890634),
            (70.0, 30.0 / 365.0, 0.03, 0.01, 30.10442157737009),
            (70.0, 1.0, 0.0, 0.0, 30.928807557276063),
            (70.0, 1.0, 0.03, 0.01, 31.944668569291796),
            (70.0, 5.0, 0.03, 0.01, 37.29132259055569),
            (70.0, 10.0, 0.03, 0.01, 42.09078169208552),
            (90.0, 30.0 / 365.0, 0.0, 0.0, 10.382980719643648),
            (90.0, 1.0, 0.03, 0.01, 13.572786568427361),
        ] {
            let found = heston_price(&buehler, &call(strike, expiry), 100.0, rate, dividend);
            assert!(
                (found - expected).abs() < 1e-6 * expected,
                "{strike} {expiry}: {found} against {expected}"
            );
        }
    }

    /// Without volatility of variance the price is Black–Scholes at the mean variance.
    #[test]
    fn small_volatility_of_variance_is_black_scholes() {
        let parameters = HestonParameters {
            v0: 0.09,
            kappa: 2.0,
            theta: 0.04,
            sigma: 1e-4,
            rho: 0.0,
        };
        let expected = crate::pricing::BlackScholes {
            kind: OptionKind::Call,
            spot: 100.0,
            strike: 105.0,
            expiry: 0.5,
            rate: 0.02,
            dividend: 0.0,
            volatility: parameters.mean_variance(0.09, 0.5).sqrt(),
        };
        let found = heston_price(&parameters, &call(105.0, 0.5), 100.0, 0.02, 0.0);
        assert!(
            (found - expected.price()).abs() < 1e-5,
            "{found} against {}",
            expected.price()
        );
    }
}
