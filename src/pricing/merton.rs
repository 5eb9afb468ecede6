//! European options under Merton's jump diffusion.

use super::{BlackScholes, Greeks};
use crate::contract::OptionKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Merton's model: a geometric Brownian motion whose price jumps by independent lognormal factors,
///
/// ```text
/// dS/S = (r − q − λk) dt + σ dW + (Y − 1) dN,   ln Y ~ N(m, s²),   k = E[Y] − 1 = e^{m+s²/2} − 1
/// ```
///
/// with N a Poisson process of intensity λ, priced as if the risk of jumps earned nothing.
///
/// # Units
///
/// `volatility` per √year and `jump_intensity` per year; `log_jump_mean` and `log_jump_std` of ln Y, one jump.
///
/// # References
///
/// R. C. Merton (1976), "Option pricing when underlying stock returns are discontinuous", Journal of Financial
/// Economics 3, eqs. 2 and 16.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MertonParameters {
    /// The volatility σ of the diffusion alone, annualised: 0.2 is 20 %.
    #[schemars(title = "Volatility", range(min = 1e-3, max = 5.0), extend("x-unit" = "annualised"))]
    pub volatility: f64,
    /// The expected number λ of jumps a year.
    #[schemars(title = "Jumps a year", range(min = 1e-6, max = 1e4), extend("x-unit" = "per year"))]
    pub jump_intensity: f64,
    /// The mean m of the logarithm of a jump's factor: −0.05 is a fall by about 5 %.
    #[schemars(title = "Mean log jump", range(min = -1.0, max = 1.0))]
    pub log_jump_mean: f64,
    /// The standard deviation s of the logarithm of a jump's factor.
    #[schemars(title = "Deviation of the log jump", range(min = 1e-6, max = 1.0))]
    pub log_jump_std: f64,
}

/// An option and the market around the jumps.
#[derive(Debug, Clone, Copy)]
struct Jumping<'a> {
    parameters: &'a MertonParameters,
    kind: OptionKind,
    spot: f64,
    strike: f64,
    expiry: f64,
    rate: f64,
    dividend: f64,
}

/// What stands for an expiry now, in years: the drift of a jump is spread over the time that is left.
const LEAST_EXPIRY: f64 = 1e-30;

impl MertonParameters {
    /// k = E[Y] − 1.
    pub fn mean_jump(&self) -> f64 {
        (self.log_jump_mean + 0.5 * self.log_jump_std * self.log_jump_std).exp_m1()
    }

    /// The variance of log returns per year, σ² + λ(m² + s²).
    pub fn total_variance(&self) -> f64 {
        let jump = self.log_jump_mean.powi(2) + self.log_jump_std.powi(2);
        self.volatility * self.volatility + self.jump_intensity * jump
    }

    /// The price of one European option,
    ///
    /// ```text
    /// V = Σ_n e^{−λT}(λT)ⁿ/n! · BS_n
    /// ```
    ///
    /// where BS_n has the forward S e^{(r−q−λk)T + n(m+s²/2)} and the total variance σ²T + ns².
    ///
    /// # Units
    ///
    /// Those of [`super::HestonParameters::price`].
    pub fn price(
        &self,
        kind: OptionKind,
        spot: f64,
        strike: f64,
        expiry: f64,
        rate: f64,
        dividend: f64,
    ) -> f64 {
        let option = Jumping {
            parameters: self,
            kind,
            spot,
            strike,
            expiry: expiry.max(LEAST_EXPIRY),
            rate,
            dividend,
        };
        option.mean(|n| option.after(n, 0.0).price())
    }

    /// Price and sensitivities of one European option; theta from the equation that prices satisfy,
    ///
    /// ```text
    /// ∂V/∂t = rV − (r − q − λk) S ∂V/∂S − ½σ²S² ∂²V/∂S² − λ E[V(SY) − V(S)]
    /// ```
    pub fn greeks(
        &self,
        kind: OptionKind,
        spot: f64,
        strike: f64,
        expiry: f64,
        rate: f64,
        dividend: f64,
    ) -> Greeks {
        let option = Jumping {
            parameters: self,
            kind,
            spot,
            strike,
            expiry: expiry.max(LEAST_EXPIRY),
            rate,
            dividend,
        };
        let (sigma, intensity) = (self.volatility, self.jump_intensity);
        let (m, square, k) = (
            self.log_jump_mean,
            self.log_jump_std.powi(2),
            self.mean_jump(),
        );
        let price = option.mean(|n| option.after(n, 0.0).price());
        let delta = option.mean(|n| option.after(n, 0.0).delta());
        let gamma = option.mean(|n| option.after(n, 0.0).gamma());
        let vega = option.mean(|n| {
            let option = option.after(n, 0.0);
            // σ over the volatility of diffusion and jumps, which is σ where nothing has jumped.
            let share = if n == 0 {
                1.0
            } else {
                sigma / option.volatility
            };
            option.vega() * share
        });
        // A jump now is one more jump before expiry; weighted by Y, its logarithm has the mean m + s².
        let jumped = option.mean(|n| option.after(n + 1, 0.0).price());
        let weighted = (1.0 + k) * option.mean(|n| option.after(n + 1, square).price());
        let drift = rate - dividend - intensity * k;
        let theta = rate * price
            - drift * spot * delta
            - 0.5 * sigma * sigma * spot * spot * gamma
            - intensity * (jumped - price);
        let jump_square = (2.0 * (m + square)).exp() - 2.0 * (1.0 + k) + 1.0;
        let covariance = sigma * sigma * spot * delta + intensity * (weighted - jumped - k * price);
        let variance = sigma * sigma + intensity * jump_square;
        Greeks {
            price,
            delta,
            gamma,
            vega,
            variance_sensitivity: 0.0,
            theta,
            // Where nothing moves the spot every position has the same variance.
            minimum_variance_delta: if variance > 0.0 {
                covariance / (spot * variance)
            } else {
                delta
            },
        }
    }
}

impl Jumping<'_> {
    /// The Black–Scholes option after `jumps` jumps before expiry, its forward moved by a factor e^`shift`.
    fn after(&self, jumps: u32, shift: f64) -> BlackScholes {
        let p = self.parameters;
        let (n, square) = (f64::from(jumps), p.log_jump_std * p.log_jump_std);
        let drift = (n * (p.log_jump_mean + 0.5 * square) + shift) / self.expiry;
        BlackScholes {
            kind: self.kind,
            spot: self.spot,
            strike: self.strike,
            expiry: self.expiry,
            rate: self.rate,
            dividend: self.dividend + p.jump_intensity * p.mean_jump() - drift,
            volatility: (p.volatility * p.volatility + n * square / self.expiry).sqrt(),
        }
    }

    /// Σ_n e^{−λT}(λT)ⁿ/n! · `of`(n), until what the rest can add is below 10⁻¹⁷ of the forward.
    fn mean(&self, of: impl Fn(u32) -> f64) -> f64 {
        let expected = self.parameters.jump_intensity * self.expiry;
        let growth = 1.0 + self.parameters.mean_jump().max(0.0);
        let (mut weight, mut grown) = ((-expected).exp(), (-expected).exp());
        let mut sum = 0.0;
        for n in 0.. {
            sum += weight * of(n);
            let next = expected / f64::from(n + 1);
            weight *= next;
            grown *= next * growth;
            if next * growth < 0.5 && grown < 1e-17 {
                break;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OptionKind::{Call, Put};

    const JUMPS: MertonParameters = MertonParameters {
        volatility: 0.15,
        jump_intensity: 3.0,
        log_jump_mean: -0.05,
        log_jump_std: 0.1,
    };

    /// QuantLib 1.44, BatesEngine at a volatility of variance of 1e-6: `tests/reference/merton.json`.
    #[test]
    fn prices_equal_quantlib() {
        let text = include_str!("../../tests/reference/merton.json");
        let reference: serde_json::Value = serde_json::from_str(text).unwrap();
        let rows = reference["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 36);
        for row in rows {
            let number = |key: &str| row[key].as_f64().unwrap();
            let parameters = MertonParameters {
                volatility: number("vol"),
                jump_intensity: number("jump_intensity"),
                log_jump_mean: number("log_jump_mean"),
                log_jump_std: number("log_jump_std"),
            };
            let price = |kind| {
                let (rate, dividend) = (number("rate"), number("dividend"));
                parameters.price(
                    kind,
                    number("spot"),
                    number("strike"),
                    number("expiry"),
                    rate,
                    dividend,
                )
            };
            assert!(
                (price(Call) - number("call")).abs() < 1e-8,
                "{row}: {}",
                price(Call)
            );
            let discounted = |amount: f64, rate: f64| amount * (-rate * number("expiry")).exp();
            let parity = discounted(number("spot"), number("dividend"))
                - discounted(number("strike"), number("rate"));
            assert!((price(Call) - price(Put) - parity).abs() < 1e-11, "{row}");
        }
    }

    /// Without jumps the model is that of Black and Scholes.
    #[test]
    fn without_jumps_it_is_black_scholes() {
        let calm = MertonParameters {
            jump_intensity: 0.0,
            ..JUMPS
        };
        let option = BlackScholes {
            kind: Put,
            spot: 97.0,
            strike: 100.0,
            expiry: 0.4,
            rate: 0.03,
            dividend: 0.01,
            volatility: 0.15,
        };
        let greeks = calm.greeks(Put, 97.0, 100.0, 0.4, 0.03, 0.01);
        for (found, expected) in [
            (greeks.price, option.price()),
            (greeks.delta, option.delta()),
            (greeks.gamma, option.gamma()),
            (greeks.vega, option.vega()),
            (greeks.theta, option.theta()),
            (greeks.minimum_variance_delta, option.delta()),
        ] {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    /// Sensitivities against central differences of the price.
    #[test]
    fn sensitivities_are_derivatives() {
        for kind in [Call, Put] {
            let price = |spot: f64, volatility: f64, expiry: f64| {
                let parameters = MertonParameters {
                    volatility,
                    ..JUMPS
                };
                parameters.price(kind, spot, 100.0, expiry, 0.03, 0.01)
            };
            let (s, v, t) = (104.0, 0.15, 0.25);
            let greeks = JUMPS.greeks(kind, s, 100.0, t, 0.03, 0.01);
            let slope = |up: f64, down: f64, step: f64| (up - down) / (2.0 * step);
            let h = 1e-4;
            let delta = slope(price(s + h, v, t), price(s - h, v, t), h);
            let vega = slope(price(s, v + h, t), price(s, v - h, t), h);
            let theta = -slope(price(s, v, t + h), price(s, v, t - h), h);
            let gamma =
                (price(s + 0.01, v, t) - 2.0 * price(s, v, t) + price(s - 0.01, v, t)) / 1e-4;
            for (found, expected) in [
                (greeks.delta, delta),
                (greeks.vega, vega),
                (greeks.theta, theta),
                (greeks.gamma, gamma),
            ] {
                assert!(
                    (found - expected).abs() < 1e-5 * (1.0 + expected.abs()),
                    "{kind}: {greeks:?}"
                );
            }
        }
    }

    /// The minimum-variance delta against the definition, the expectations by the trapezoidal rule over ten standard
    /// deviations of ln Y.
    #[test]
    fn minimum_variance_delta_has_its_definition() {
        let (spot, expiry) = (101.0, 0.2);
        let value = |spot: f64| JUMPS.price(Call, spot, 100.0, expiry, 0.02, 0.0);
        let greeks = JUMPS.greeks(Call, spot, 100.0, expiry, 0.02, 0.0);
        let (mut covariance, mut square) = (0.0, 0.0);
        let step = 0.05;
        for i in -200..=200 {
            let z = step * f64::from(i);
            let weight = step * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
            let jump = (JUMPS.log_jump_mean + JUMPS.log_jump_std * z).exp();
            covariance += weight * (jump - 1.0) * (value(spot * jump) - value(spot));
            square += weight * (jump - 1.0).powi(2);
        }
        let diffusion = JUMPS.volatility.powi(2);
        let expected = (diffusion * spot * greeks.delta + 3.0 * covariance)
            / (spot * (diffusion + 3.0 * square));
        assert!(
            (greeks.minimum_variance_delta - expected).abs() < 1e-9,
            "{greeks:?} {expected}"
        );
        assert!((greeks.minimum_variance_delta - greeks.delta).abs() > 0.01);
    }

    /// Many small jumps are a diffusion: 500 of them have the price of Black and Scholes at the total volatility, up to the
    /// excess kurtosis of 3/500 that they leave.
    #[test]
    fn many_small_jumps_are_a_diffusion() {
        let many = MertonParameters {
            volatility: 0.05,
            jump_intensity: 500.0,
            log_jump_mean: 0.0,
            log_jump_std: 0.01,
        };
        let option = BlackScholes {
            kind: Call,
            spot: 100.0,
            strike: 100.0,
            expiry: 1.0,
            rate: 0.02,
            dividend: 0.0,
            volatility: many.total_variance().sqrt(),
        };
        let price = many.price(Call, 100.0, 100.0, 1.0, 0.02, 0.0);
        assert!((price / option.price() - 1.0).abs() < 1e-3, "{price}");
    }
}
