//! European options under Black–Scholes–Merton.

use super::normal::{normal_cdf, normal_pdf, normal_quantile};
use crate::contract::OptionKind;
use crate::error::{Error, Result};

/// A European option and the flat market it is priced in.
///
/// With `w = σ²T`, `F = S e^{(r−q)T}` and `φ = ±1` for a call or a put,
///
/// ```text
/// d₁ = ln(F/K)/√w + √w/2,   d₂ = d₁ − √w
/// V  = φ (S e^{−qT} Φ(φd₁) − K e^{−rT} Φ(φd₂))
/// ```
///
/// At `w = 0` every value is its limit as `w ↓ 0`: the option is worth its discounted intrinsic
/// value on the forward, delta is a step (one half at the money forward), and gamma is infinite
/// at the money and zero elsewhere.
///
/// # Units
///
/// Spot and strike in currency, expiry in years, rate, dividend yield and volatility per year and
/// continuously compounded.
///
/// # References
///
/// F. Black and M. Scholes (1973), eq. 13; R. C. Merton (1973), section 6 (dividends).
///
/// ```
/// use deephedge::{contract::OptionKind, pricing::BlackScholes};
///
/// // J. Hull, "Options, Futures, and Other Derivatives", example 15.6: 4.76.
/// let option = BlackScholes {
///     kind: OptionKind::Call,
///     spot: 42.0,
///     strike: 40.0,
///     expiry: 0.5,
///     rate: 0.1,
///     dividend: 0.0,
///     volatility: 0.2,
/// };
/// assert!((option.price() - 4.76).abs() < 0.005);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlackScholes {
    /// Call or put.
    pub kind: OptionKind,
    /// The spot.
    pub spot: f64,
    /// The strike.
    pub strike: f64,
    /// Years to expiry.
    pub expiry: f64,
    /// The interest rate, continuously compounded.
    pub rate: f64,
    /// The dividend yield, continuously compounded.
    pub dividend: f64,
    /// The volatility, annualised.
    pub volatility: f64,
}

impl BlackScholes {
    /// The price `V`.
    pub fn price(&self) -> f64 {
        let phi = self.kind.sign();
        let (d1, d2) = self.d1_d2();
        let value = self.asset() * normal_cdf(phi * d1) - self.bond() * normal_cdf(phi * d2);
        // Rounding of the difference can leave a few ulps below zero.
        (phi * value).max(0.0)
    }

    /// `∂V/∂S = φ e^{−qT} Φ(φd₁)`.
    pub fn delta(&self) -> f64 {
        let phi = self.kind.sign();
        phi * self.dividend_discount() * normal_cdf(phi * self.d1_d2().0)
    }

    /// The strike at which the option has a delta of φ·`size`,
    /// `K = F exp(w/2 − φ Φ⁻¹(size·e^{qT}) √w)`; the field `strike` is ignored.
    ///
    /// Infinite or zero unless `0 < size < e^{−qT}`.
    pub fn strike_of_delta(&self, size: f64) -> f64 {
        let total = self.total_volatility();
        let distance = self.kind.sign() * normal_quantile(size / self.dividend_discount());
        let forward = self.spot * ((self.rate - self.dividend) * self.expiry).exp();
        forward * (0.5 * total * total - distance * total).exp()
    }

    /// `∂²V/∂S² = e^{−qT} φ(d₁) / (S√w)`.
    pub fn gamma(&self) -> f64 {
        let density = normal_pdf(self.d1_d2().0);
        if density == 0.0 {
            return 0.0;
        }
        self.dividend_discount() * density / (self.spot * self.total_volatility())
    }

    /// `∂V/∂σ = S e^{−qT} φ(d₁) √T`, per unit of volatility.
    pub fn vega(&self) -> f64 {
        self.asset() * normal_pdf(self.d1_d2().0) * self.expiry.sqrt()
    }

    /// `∂V/∂t = −∂V/∂T`, per year:
    /// `−S e^{−qT} φ(d₁) σ/(2√T) + φ (q S e^{−qT} Φ(φd₁) − r K e^{−rT} Φ(φd₂))`.
    pub fn theta(&self) -> f64 {
        let phi = self.kind.sign();
        let (d1, d2) = self.d1_d2();
        let carry = self.dividend * self.asset() * normal_cdf(phi * d1)
            - self.rate * self.bond() * normal_cdf(phi * d2);
        let density = normal_pdf(d1);
        let decay = if density == 0.0 || self.volatility == 0.0 {
            0.0
        } else {
            self.asset() * density * self.volatility / (2.0 * self.expiry.sqrt())
        };
        phi * carry - decay
    }

    /// `∂V/∂r = φ K T e^{−rT} Φ(φd₂)`, per unit of rate.
    pub fn rho(&self) -> f64 {
        let phi = self.kind.sign();
        phi * self.expiry * self.bond() * normal_cdf(phi * self.d1_d2().1)
    }

    /// The volatility at which [`Self::price`] equals `price`; the field `volatility` is ignored.
    ///
    /// Solves `ln b(s) = ln b*` for `s = σ√T`, where `b` is the undiscounted price of whichever of
    /// call and put is out of the money. `ln b` is increasing and concave in `s`, so Newton's
    /// method converges from the left without overshooting; a bracket guards the other side.
    /// A price in the money is reduced to time value first, which costs as many digits as the
    /// intrinsic value has in excess of it.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] unless expiry is positive and the price lies strictly above the intrinsic
    /// value on the forward and strictly below the discounted asset (call) or strike (put).
    pub fn implied_volatility(&self, price: f64) -> Result<f64> {
        let (asset, bond) = (self.asset(), self.bond());
        let intrinsic = (self.kind.sign() * (asset - bond)).max(0.0);
        let ceiling = match self.kind {
            OptionKind::Call => asset,
            OptionKind::Put => bond,
        };
        if !(self.expiry > 0.0 && self.expiry.is_finite()) {
            return Err(Error::input(format!(
                "implied volatility: expiry must be positive, was {}",
                self.expiry
            )));
        }
        if !(price > intrinsic && price < ceiling) {
            return Err(Error::input(format!(
                "implied volatility: {} price must lie strictly between {intrinsic} and {ceiling}, was {price}",
                self.kind
            )));
        }
        // Prices in units of √(asset·bond), as a function of −|ln(F/K)| alone.
        let scale = (asset * bond).sqrt();
        let target = (price - intrinsic) / scale;
        let moneyness = -(asset / bond).ln().abs();
        let total = solve_total_volatility(moneyness, target);
        Ok(total / self.expiry.sqrt())
    }

    fn total_volatility(&self) -> f64 {
        self.volatility * self.expiry.sqrt()
    }

    fn dividend_discount(&self) -> f64 {
        (-self.dividend * self.expiry).exp()
    }

    fn asset(&self) -> f64 {
        self.spot * self.dividend_discount()
    }

    fn bond(&self) -> f64 {
        self.strike * (-self.rate * self.expiry).exp()
    }

    fn d1_d2(&self) -> (f64, f64) {
        let moneyness = (self.spot / self.strike).ln() + (self.rate - self.dividend) * self.expiry;
        let total = self.total_volatility();
        // 0/0 at the money with nothing left to move: the limit from either side is d = 0.
        let ratio = if moneyness == 0.0 {
            0.0
        } else {
            moneyness / total
        };
        (ratio + 0.5 * total, ratio - 0.5 * total)
    }
}

/// Solves `b(s) = target` for the normalised out-of-the-money call
/// `b(s) = e^{x/2} Φ(x/s + s/2) − e^{−x/2} Φ(x/s − s/2)`, `x ≤ 0`, `0 < target < e^{x/2}`.
fn solve_total_volatility(x: f64, target: f64) -> f64 {
    let price = |s: f64| {
        (0.5 * x).exp() * normal_cdf(x / s + 0.5 * s)
            - (-0.5 * x).exp() * normal_cdf(x / s - 0.5 * s)
    };
    // ∂b/∂s = e^{x/2} φ(x/s + s/2).
    let slope = |s: f64| (0.5 * x).exp() * normal_pdf(x / s + 0.5 * s);
    let goal = target.ln();

    let (mut low, mut high) = (0.0, 1.0);
    while price(high) < target && high < 80.0 {
        low = high;
        high *= 2.0;
    }
    // The inflection point of b, from which plain Newton is known to converge.
    let mut s = (-2.0 * x).sqrt();
    if !(s > low && s < high) {
        s = 0.5 * (low + high);
    }
    for _ in 0..200 {
        let value = price(s);
        if value < target {
            low = s;
        } else {
            high = s;
        }
        let newton = s - (value.ln() - goal) * value / slope(s);
        // An underflowed value gives NaN here, which the comparison refuses as well.
        let next = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
        if (next - s).abs() <= 4.0 * f64::EPSILON * s {
            return next;
        }
        s = next;
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn sample(kind: OptionKind, strike: f64, expiry: f64, volatility: f64) -> BlackScholes {
        BlackScholes {
            kind,
            spot: 100.0,
            strike,
            expiry,
            rate: 0.03,
            dividend: 0.01,
            volatility,
        }
    }

    /// QuantLib 1.44, AnalyticEuropeanEngine: `tests/reference/black_scholes.json`.
    #[test]
    fn price_and_greeks_match_quantlib() {
        let text = include_str!("../../tests/reference/black_scholes.json");
        let document: Value = serde_json::from_str(text).unwrap();
        let rows = document["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 480);
        let mut worst = 0f64;
        for row in rows {
            let number = |key: &str| row[key].as_f64().unwrap();
            let option = BlackScholes {
                kind: row["kind"].as_str().unwrap().parse().unwrap(),
                spot: number("spot"),
                strike: number("strike"),
                expiry: number("expiry"),
                rate: number("rate"),
                dividend: number("dividend"),
                volatility: number("vol"),
            };
            for (name, value) in [
                ("price", option.price()),
                ("delta", option.delta()),
                ("gamma", option.gamma()),
                ("vega", option.vega()),
                ("theta", option.theta()),
                ("rho", option.rho()),
            ] {
                let expected = number(name);
                let error = (value - expected).abs();
                if error > 1e-12 * option.spot {
                    worst = worst.max(error / expected.abs());
                }
                let bound = (1e-10 * expected.abs()).max(1e-12 * option.spot);
                assert!(error <= bound, "{name} {value} of {row}");
            }
        }
        println!("largest relative error where not below 1e-10 absolute: {worst:e}");
    }

    /// `C − P = S e^{−qT} − K e^{−rT}` and its derivatives.
    #[test]
    fn put_call_parity() {
        for strike in [50.0, 100.0, 180.0] {
            for volatility in [0.0, 0.05, 0.8] {
                let call = sample(OptionKind::Call, strike, 1.5, volatility);
                let put = sample(OptionKind::Put, strike, 1.5, volatility);
                let (asset, bond) = (call.asset(), call.bond());
                assert!((call.price() - put.price() - (asset - bond)).abs() < 1e-12);
                assert!((call.delta() - put.delta() - asset / 100.0).abs() < 1e-14);
                let theta = call.dividend * asset - call.rate * bond;
                assert!((call.theta() - put.theta() - theta).abs() < 1e-12);
                assert!((call.rho() - put.rho() - 1.5 * bond).abs() < 1e-12);
            }
        }
    }

    /// Values at zero expiry or volatility are the limits of those at a small one.
    #[test]
    fn degenerate_cases_are_limits() {
        for kind in [OptionKind::Call, OptionKind::Put] {
            for strike in [90.0, 110.0] {
                let at = |expiry: f64, volatility: f64| sample(kind, strike, expiry, volatility);
                for (limit, near) in [
                    (at(0.0, 0.2), at(1e-12, 0.2)),
                    (at(1.0, 0.0), at(1.0, 1e-9)),
                    (at(0.0, 0.0), at(1e-12, 1e-9)),
                ] {
                    assert!((limit.price() - near.price()).abs() < 1e-9);
                    assert_eq!(limit.delta() != 0.0, near.delta() != 0.0);
                    assert!((limit.delta() - near.delta()).abs() < 1e-9);
                    assert_eq!((limit.gamma(), limit.vega()), (0.0, 0.0));
                    assert!((limit.theta() - near.theta()).abs() < 1e-9);
                    assert!((limit.rho() - near.rho()).abs() < 1e-9);
                }
            }
        }
        let mut money = sample(OptionKind::Call, 100.0, 0.0, 0.2);
        assert_eq!((money.price(), money.delta()), (0.0, 0.5));
        assert_eq!(
            (money.gamma(), money.theta()),
            (f64::INFINITY, f64::NEG_INFINITY)
        );
        money.volatility = 0.0;
        assert!(money.theta().is_finite());
    }

    /// `σ_imp(V(σ)) = σ`, to the precision that the time value's own rounding allows.
    #[test]
    fn implied_volatility_inverts_the_price() {
        for kind in [OptionKind::Call, OptionKind::Put] {
            for strike in [20.0, 60.0, 99.0, 102.0, 103.0, 150.0, 500.0] {
                for expiry in [1.0 / 365.0, 0.25, 2.0, 30.0] {
                    for volatility in [0.01, 0.1, 0.3, 1.0, 3.0] {
                        let option = sample(kind, strike, expiry, volatility);
                        let price = option.price();
                        let intrinsic = (kind.sign() * (option.asset() - option.bond())).max(0.0);
                        let Ok(found) = option.implied_volatility(price) else {
                            // Only a time value lost in rounding may be refused.
                            let room = match kind {
                                OptionKind::Call => option.asset(),
                                OptionKind::Put => option.bond(),
                            } - price;
                            assert!(price - intrinsic < 1e-12 || room < 1e-12, "{option:?}");
                            continue;
                        };
                        let rounding = 1e-15 * (option.asset() + option.bond());
                        let bound = 4.0 * rounding / option.vega() + 1e-13 * volatility;
                        assert!((found - volatility).abs() <= bound, "{option:?}: {found}");
                    }
                }
            }
        }
    }

    /// The option struck where its delta is φ·0.25 has that delta, and a put's strike lies below a call's.
    #[test]
    fn strikes_of_a_delta_have_it() {
        let strike = |kind: OptionKind, size: f64| {
            let option = sample(kind, f64::NAN, 0.25, 0.3);
            let strike = option.strike_of_delta(size);
            let delta = BlackScholes { strike, ..option }.delta();
            assert!(
                (delta - kind.sign() * size).abs() < 1e-14,
                "{kind} {size}: {delta}"
            );
            strike
        };
        for size in [0.01, 0.25, 0.5, 0.9] {
            strike(OptionKind::Call, size);
            strike(OptionKind::Put, size);
        }
        assert!(strike(OptionKind::Put, 0.25) < strike(OptionKind::Call, 0.25));
    }

    #[test]
    fn implied_volatility_refuses_arbitrage() {
        let option = sample(OptionKind::Call, 90.0, 1.0, 0.2);
        for price in [option.asset() - option.bond(), 120.0, -1.0, f64::NAN] {
            let message = option.implied_volatility(price).unwrap_err().to_string();
            assert!(message.contains("strictly between"), "{message}");
        }
        let expired = sample(OptionKind::Call, 90.0, 0.0, 0.2);
        assert!(expired.implied_volatility(12.0).is_err());
    }
}
