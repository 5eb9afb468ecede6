//! Lookback options.

use super::barrier::MONITORING_SHIFT;
use super::term::divided_difference;
use super::{LognormalAsset, Valuation};
use crate::contract::OptionKind;

/// A lookback option with a fixed strike: a call on the maximum, a put on the minimum of the spot until expiry,
/// `max(φ(X − K), 0)`.
///
/// # Formula
///
/// With X₀ the extreme so far, `K' = max(K, X₀)` for a call and `min(K, X₀)` for a put, V_BS the call or put of strike K',
/// d its d₁ and `y = 2(r−q)√T/σ`,
///
/// ```text
/// V = e^{−rT} max(φ(X₀ − K), 0) + V_BS + S e^{−qT} √w D(φd, φy)
/// D(d, y) = (Φ(d) − e^{y²/2 − yd} Φ(d − y))/y
/// ```
///
/// For an extreme over dates Δ apart of which the last is the expiry, with `c = e^{±0.5826 σ√Δ}`, V is 1/c of the value
/// with cX₀ and cK in place of X₀ and K.
///
/// # Accuracy
///
/// Exact for `spacing = 0`; for dates the error is o(1/√dates).
///
/// # References
///
/// A. Conze and R. Viswanathan (1991), "Path dependent options: the case of lookback options", Journal of Finance 46.
/// M. Broadie, P. Glasserman and S. Kou (1999), "Connecting discrete and continuous path-dependent options",
/// Finance and Stochastics 3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedLookback {
    /// The asset until expiry.
    pub asset: LognormalAsset,
    /// A call on the maximum or a put on the minimum.
    pub kind: OptionKind,
    /// The strike, in currency.
    pub strike: f64,
    /// The extreme so far; the spot where nothing has been observed yet.
    pub extreme: f64,
    /// Years between the dates that are looked at, the expiry being the last; 0: all the time.
    pub spacing: f64,
}

impl FixedLookback {
    /// Price, delta and gamma.
    pub fn valuation(&self) -> Valuation {
        let phi = self.kind.sign();
        let shift = MONITORING_SHIFT * self.asset.volatility * self.spacing.sqrt();
        let factor = (phi * shift).exp();
        let strike = factor * self.strike;
        let known = farther(self.kind, factor * self.extreme, self.asset.spot);
        let from = farther(self.kind, strike, known);
        let certain = self.asset.discount() * (phi * (known - strike)).max(0.0);
        let vanilla = self.asset.vanilla(self.kind, from);
        let value = Valuation::constant(certain) + vanilla + self.reflected(from);
        1.0 / factor * value
    }

    /// `S e^{−qT} √w D(φd, φy)`, what new extremes add to the option of strike K'.
    fn reflected(&self, strike: f64) -> Valuation {
        let asset = &self.asset;
        let phi = self.kind.sign();
        let deviation = asset.deviation();
        let moneyness = (asset.spot / strike).ln() / deviation;
        let y = 2.0 * asset.carry() / deviation;
        let argument = moneyness + 0.5 * y + 0.5 * deviation;
        // y²/2 − yd, in which the squares of y cancel.
        let exponent = -y * (moneyness + 0.5 * deviation);
        let [value, first, second] = divided_difference(phi * argument, phi * y, exponent);
        let delivered = asset.delivered().price;
        let price = delivered * deviation * value;
        let slope = delivered * phi * first;
        let by_log = price + slope;
        let curvature = by_log + slope + delivered * second / deviation;
        Valuation::of_logarithm(price, by_log, curvature, asset.spot)
    }
}

/// The farther of two extremes: the larger of maxima, the smaller of minima.
fn farther(kind: OptionKind, one: f64, other: f64) -> f64 {
    match kind {
        OptionKind::Call => one.max(other),
        OptionKind::Put => one.min(other),
    }
}

/// A lookback option with a floating strike: a call pays the last spot less the minimum, a put the maximum less the last
/// spot.
///
/// # Formula
///
/// With V_K the fixed lookback whose strike is the extreme so far X₀, on the same extreme,
///
/// ```text
/// V = φ(S e^{−qT} − X₀ e^{−rT}) + V_K
/// ```
///
/// # References
///
/// M. B. Goldman, H. B. Sosin and M. A. Gatto (1979), "Path dependent options: buy at the low, sell at the high", Journal of
/// Finance 34; those of [`FixedLookback`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FloatingLookback {
    /// The asset until expiry.
    pub asset: LognormalAsset,
    /// A call over the minimum or a put under the maximum.
    pub kind: OptionKind,
    /// The extreme so far; the spot where nothing has been observed yet.
    pub extreme: f64,
    /// Years between the dates that are looked at, the expiry being the last; 0: all the time.
    pub spacing: f64,
}

impl FloatingLookback {
    /// Price, delta and gamma.
    pub fn valuation(&self) -> Valuation {
        let phi = self.kind.sign();
        let kind = match self.kind {
            OptionKind::Call => OptionKind::Put,
            OptionKind::Put => OptionKind::Call,
        };
        let fixed = FixedLookback {
            asset: self.asset,
            kind,
            strike: self.extreme,
            extreme: self.extreme,
            spacing: self.spacing,
        };
        let strike = Valuation::constant(self.asset.discount() * self.extreme);
        let value = phi * (self.asset.delivered() - strike) + fixed.valuation();
        value.not_negative()
    }
}
