use crate::contract::OptionKind;
use std::f64::consts::{PI, SQRT_2};

/// A European option under Black, Scholes and Merton.
///
/// # Units
/// Expiry in years; rate and dividend yield continuously compounded; volatility annualised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlackScholes {
    pub kind: OptionKind,
    pub spot: f64,
    pub strike: f64,
    pub expiry: f64,
    pub rate: f64,
    pub dividend: f64,
    pub volatility: f64,
}

fn cumulative(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

impl BlackScholes {
    fn sign(&self) -> f64 {
        match self.kind {
            OptionKind::Call => 1.0,
            OptionKind::Put => -1.0,
        }
    }

    /// σ√T
    fn deviation(&self) -> f64 {
        self.volatility * self.expiry.sqrt()
    }

    /// d₁ = [ln(S/K) + (r − q + σ²/2) T]/(σ√T), infinite where nothing is uncertain.
    fn d1(&self) -> f64 {
        let forward = (self.spot / self.strike).ln() + (self.rate - self.dividend) * self.expiry;
        if self.deviation() > 0.0 {
            forward / self.deviation() + 0.5 * self.deviation()
        } else if forward == 0.0 {
            0.0
        } else {
            forward.signum() * f64::INFINITY
        }
    }

    /// φ S e^{−qT} Φ(φ d₁) − φ K e^{−rT} Φ(φ d₂) with φ = ±1 and d₂ = d₁ − σ√T.
    pub fn price(&self) -> f64 {
        let (sign, d1) = (self.sign(), self.d1());
        let stock = self.spot * (-self.dividend * self.expiry).exp() * cumulative(sign * d1);
        let cash = self.strike
            * (-self.rate * self.expiry).exp()
            * cumulative(sign * (d1 - self.deviation()));
        sign * (stock - cash)
    }

    /// ∂C/∂S = φ e^{−qT} Φ(φ d₁)
    pub fn delta(&self) -> f64 {
        self.sign() * (-self.dividend * self.expiry).exp() * cumulative(self.sign() * self.d1())
    }

    /// ∂²C/∂S² = e^{−qT} φ(d₁)/(S σ √T); zero where nothing is uncertain.
    pub fn gamma(&self) -> f64 {
        if self.deviation() > 0.0 {
            (-self.dividend * self.expiry).exp() * density(self.d1())
                / (self.spot * self.deviation())
        } else {
            0.0
        }
    }

    /// ∂C/∂σ = S e^{−qT} φ(d₁) √T
    pub fn vega(&self) -> f64 {
        self.spot * (-self.dividend * self.expiry).exp() * density(self.d1()) * self.expiry.sqrt()
    }

    /// ∂C/∂t per year.
    pub fn theta(&self) -> f64 {
        let (sign, d1) = (self.sign(), self.d1());
        let stock = self.spot * (-self.dividend * self.expiry).exp();
        let cash = self.strike * (-self.rate * self.expiry).exp();
        -0.5 * stock * density(d1) * self.volatility / self.expiry.sqrt()
            - sign * self.rate * cash * cumulative(sign * (d1 - self.deviation()))
            + sign * self.dividend * stock * cumulative(sign * d1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_call_parity() {
        for volatility in [0.0, 0.05, 0.4] {
            let call = BlackScholes {
                kind: OptionKind::Call,
                spot: 100.0,
                strike: 93.0,
                expiry: 0.7,
                rate: 0.03,
                dividend: 0.01,
                volatility,
            };
            let put = BlackScholes {
                kind: OptionKind::Put,
                ..call
            };
            let forward = 100.0 * (-0.007_f64).exp() - 93.0 * (-0.021_f64).exp();
            assert!((call.price() - put.price() - forward).abs() < 1e-12);
        }
    }

    /// Haug (2007), "The complete guide to option pricing formulas", section 1.1: 2.1334.
    #[test]
    fn haug_example() {
        let option = BlackScholes {
            kind: OptionKind::Call,
            spot: 60.0,
            strike: 65.0,
            expiry: 0.25,
            rate: 0.08,
            dividend: 0.0,
            volatility: 0.3,
        };
        assert!((option.price() - 2.1334).abs() < 5e-5);
    }

    /// Greeks are the derivatives of the price: central differences.
    #[test]
    fn greeks_are_derivatives() {
        for kind in [OptionKind::Call, OptionKind::Put] {
            let at = BlackScholes {
                kind,
                spot: 100.0,
                strike: 104.0,
                expiry: 0.4,
                rate: 0.03,
                dividend: 0.02,
                volatility: 0.25,
            };
            let h = 1e-4;
            let bump = |f: &dyn Fn(f64) -> BlackScholes| (f(h).price() - f(-h).price()) / (2.0 * h);
            assert!(
                (at.delta()
                    - bump(&|h| BlackScholes {
                        spot: at.spot + h,
                        ..at
                    }))
                .abs()
                    < 1e-7
            );
            assert!(
                (at.vega()
                    - bump(&|h| BlackScholes {
                        volatility: at.volatility + h,
                        ..at
                    }))
                .abs()
                    < 1e-4
            );
            assert!(
                (at.theta()
                    + bump(&|h| BlackScholes {
                        expiry: at.expiry + h,
                        ..at
                    }))
                .abs()
                    < 1e-4
            );
            let delta = |spot: f64| BlackScholes { spot, ..at }.delta();
            assert!((at.gamma() - (delta(100.0 + h) - delta(100.0 - h)) / (2.0 * h)).abs() < 1e-7);
        }
    }
}
