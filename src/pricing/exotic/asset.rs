//! A lognormal asset, what its binary options are worth, and their images in a level.

use super::{Term, Valuation};
use crate::contract::OptionKind;
use crate::pricing::BlackScholes;

/// What stands for no standard deviation of the logarithm: every closed form has its limit there, to rounding.
pub(super) const LEAST_DEVIATION: f64 = 1e-15;

/// An asset under Black–Scholes–Merton, seen from now to an expiry.
///
/// With `w = σ²T` the logarithm of its price at expiry is normal,
///
/// ```text
/// ln S_T ~ N(ln S + mT, w),   mT = (r − q)T − w/2
/// ```
///
/// Without expiry or volatility, values are their limits as `w ↓ 0`. What is infinite there is very large instead: `√w`
/// never counts less than 10⁻¹⁵, which moves a price by no more than rounding does.
///
/// # Units
///
/// Spot in currency, expiry in years, rate, dividend yield and volatility per year and continuously compounded.
///
/// # References
///
/// F. Black and M. Scholes (1973); R. C. Merton (1973), section 6.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LognormalAsset {
    /// The spot.
    pub spot: f64,
    /// The interest rate, continuously compounded.
    pub rate: f64,
    /// The dividend yield, continuously compounded.
    pub dividend: f64,
    /// The volatility, annualised.
    pub volatility: f64,
    /// Years to expiry.
    pub expiry: f64,
}

/// What a binary option pays when it pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pays {
    /// One unit of currency.
    Cash,
    /// The asset.
    Asset,
}

impl LognormalAsset {
    /// The price of one unit of currency at expiry, `e^{−rT}`.
    pub fn discount(&self) -> f64 {
        (-self.rate * self.expiry).exp()
    }

    /// The price of the asset delivered at expiry, `S e^{−qT}`.
    pub fn delivered(&self) -> Valuation {
        let delta = (-self.dividend * self.expiry).exp();
        Valuation {
            price: self.spot * delta,
            delta,
            gamma: 0.0,
        }
    }

    /// The standard deviation of the logarithm at expiry, `√w`.
    pub(super) fn deviation(&self) -> f64 {
        (self.volatility * self.expiry.sqrt()).max(LEAST_DEVIATION)
    }

    /// `(r − q)T`, the logarithm of forward over spot.
    pub(super) fn carry(&self) -> f64 {
        (self.rate - self.dividend) * self.expiry
    }

    /// The call or put of that strike, as the formula for it wants it.
    pub(super) fn option(&self, kind: OptionKind, strike: f64) -> BlackScholes {
        BlackScholes {
            kind,
            spot: self.spot,
            strike,
            expiry: self.expiry,
            rate: self.rate,
            dividend: self.dividend,
            volatility: self.volatility,
        }
    }

    /// The call or put of that strike.
    pub fn vanilla(&self, kind: OptionKind, strike: f64) -> Valuation {
        let option = self.option(kind, strike);
        Valuation {
            price: option.price(),
            delta: option.delta(),
            gamma: option.gamma(),
        }
    }

    /// What pays at expiry if `side·S_T > side·threshold`, side = ±1. With n = 0 for cash and 1 for the asset,
    ///
    /// ```text
    /// e^{−rT} E[S_Tⁿ; side·S_T > side·x] = e^{−rT} (S e^{(r−q)T})ⁿ Φ(side·d),   d = (ln(S/x) + mT + nw)/√w
    /// ```
    pub(super) fn binary(&self, pays: Pays, threshold: f64, side: f64) -> Valuation {
        let deviation = self.deviation();
        let half = 0.5 * deviation;
        let distance = ((self.spot / threshold).ln() + self.carry()) / deviation;
        let (power, exponent, argument) = match pays {
            Pays::Cash => (0.0, -self.rate * self.expiry, side * (distance - half)),
            Pays::Asset => {
                let exponent = self.spot.ln() - self.dividend * self.expiry;
                (1.0, exponent, side * (distance + half))
            }
        };
        Term {
            coefficient: 1.0,
            exponent,
            log_density: exponent - 0.5 * argument * argument,
            power,
            argument,
            slope: side / deviation,
        }
        .valuation(self.spot)
    }

    /// The image of a binary option in the level H: what, taken from the binary option itself, leaves the price of the
    /// one that ends when the asset reaches H,
    ///
    /// ```text
    /// (S/H)^{−2mT/w} V(H²/S)
    /// ```
    ///
    /// The threshold must lie on the side of H on which the asset lives, and `side` must be that side: then the exponent
    /// of the density, `−[(b − k − m'T)² + 4bk]/(2w)` with `b = ln(H/S)`, `k = ln(H/x)` and `m'T = mT + nw`, is a sum
    /// of two terms of one sign, and nothing overflows however small the volatility is.
    ///
    /// # References
    ///
    /// M. Rubinstein and E. Reiner (1991), "Breaking down the barriers", Risk 4(8); P. Buchen (2004), "The pricing of
    /// dual-expiry exotics", Quantitative Finance 4 (images of solutions).
    pub(super) fn image(&self, pays: Pays, threshold: f64, side: f64, level: f64) -> Valuation {
        let deviation = self.deviation();
        let variance = deviation * deviation;
        let (n, scale) = match pays {
            Pays::Cash => (0.0, -self.rate * self.expiry),
            Pays::Asset => (1.0, self.spot.ln() - self.dividend * self.expiry),
        };
        let drift = self.carry() - (0.5 - n) * variance;
        let to_level = (level / self.spot).ln();
        let beyond = (level / threshold).ln();
        let argument = side * (to_level + beyond + drift) / deviation;
        let miss = to_level - beyond - drift;
        Term {
            coefficient: 1.0,
            exponent: scale + 2.0 * drift * to_level / variance,
            log_density: scale - (miss * miss + 4.0 * to_level * beyond) / (2.0 * variance),
            power: n - 2.0 * drift / variance,
            argument,
            slope: -side / deviation,
        }
        .valuation(self.spot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSET: LognormalAsset = LognormalAsset {
        spot: 103.0,
        rate: 0.04,
        dividend: 0.015,
        volatility: 0.3,
        expiry: 0.7,
    };

    /// A call is the asset less the strike where it ends in the money; price, delta and gamma.
    #[test]
    fn a_vanilla_option_is_two_binary_ones() {
        for (kind, side) in [(OptionKind::Call, 1.0), (OptionKind::Put, -1.0)] {
            for strike in [40.0, 95.0, 103.0, 260.0] {
                let asset = ASSET.binary(Pays::Asset, strike, side);
                let cash = ASSET.binary(Pays::Cash, strike, side);
                let made = side * (asset - strike * cash);
                made.assert_near(&ASSET.vanilla(kind, strike), 1e-12);
            }
        }
    }

    /// The image is `(S/H)^{−2mT/w} V(H²/S)`, by the price of the option itself at the mirrored spot.
    #[test]
    fn an_image_is_the_value_at_the_mirrored_spot() {
        let (level, variance) = (90.0, 0.3f64.powi(2) * 0.7);
        let power = -2.0 * (0.025 * 0.7 - 0.5 * variance) / variance;
        let mirrored = LognormalAsset {
            spot: level * level / ASSET.spot,
            ..ASSET
        };
        for pays in [Pays::Cash, Pays::Asset] {
            for threshold in [90.0, 100.0, 400.0] {
                let image = ASSET.image(pays, threshold, 1.0, level).price;
                let factor = (ASSET.spot / level).powf(power);
                let expected = factor * mirrored.binary(pays, threshold, 1.0).price;
                assert!(
                    (image - expected).abs() < 1e-13 * (1.0 + expected),
                    "{image} {expected}"
                );
            }
        }
    }

    /// Delta and gamma of an image against central differences.
    #[test]
    fn derivatives_of_an_image() {
        for pays in [Pays::Cash, Pays::Asset] {
            let at = |spot: f64| LognormalAsset { spot, ..ASSET }.image(pays, 80.0, -1.0, 130.0);
            Valuation::check_derivatives(at, ASSET.spot);
        }
    }
}
