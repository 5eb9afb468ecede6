//! Forward-start options and the cliquets that are sums of them.

use super::{LognormalAsset, Valuation};
use crate::contract::OptionKind;
use crate::pricing::BlackScholes;

/// An option whose strike is set later, at a multiple α of the spot of that day, and which pays `max(φ(S_T − αS_t), 0)`.
///
/// Over the life of the option that begins at t it is worth `S_t` times the option on one unit of spot with strike α, so
/// before that
///
/// ```text
/// V = S e^{−qt} V_BS(1, α, T − t)
/// ```
///
/// with a delta of V/S and no gamma. Once its strike is set it is [`LognormalAsset::vanilla`]. A cliquet is the sum of those
/// of its periods, each paid at the end of its own.
///
/// # References
///
/// M. Rubinstein (1991), "Pay now, choose later", Risk 4(2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForwardStart {
    /// The asset until expiry.
    pub asset: LognormalAsset,
    /// Call or put.
    pub kind: OptionKind,
    /// The strike over the spot of the day on which it is set, α.
    pub moneyness: f64,
    /// Years until that day, 0 ≤ t ≤ T.
    pub start: f64,
}

impl ForwardStart {
    /// Price, delta and gamma.
    pub fn valuation(&self) -> Valuation {
        let delta = (-self.asset.dividend * self.start).exp() * self.unit().price();
        Valuation {
            price: self.asset.spot * delta,
            delta,
            gamma: 0.0,
        }
    }

    /// The same option on the return over its period, `max(φ(S_T/S_t − α), 0)` at T: it is worth `e^{−rt} V_BS(1, α, T − t)`,
    /// whatever the spot does before t.
    pub fn on_return(&self) -> f64 {
        (-self.asset.rate * self.start).exp() * self.unit().price()
    }

    fn unit(&self) -> BlackScholes {
        BlackScholes {
            spot: 1.0,
            expiry: self.asset.expiry - self.start,
            ..self.asset.option(self.kind, self.moneyness)
        }
    }
}

/// The return of a period between a floor and a cap, `max(min(S_e/S_b − 1, c), f)`, paid at expiry: what a cliquet with local
/// floor and cap adds up.
///
/// # Formula
///
/// ```text
/// V = e^{−rT} f + e^{−r(T − e)} (V_{1+f} − V_{1+c})
/// ```
///
/// with V_α the call of strike α on S_e/S_b, paid at e.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReturnClamp {
    /// The asset until the return is paid.
    pub asset: LognormalAsset,
    /// The least return f ≥ −1 that counts.
    pub floor: f64,
    /// The largest return c ≥ f that counts; infinite without one.
    pub cap: f64,
    /// Years until the period ends, 0 ≤ e ≤ T.
    pub end: f64,
    /// How the period begins.
    pub begins: Begins,
}

/// How the period of a return begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Begins {
    /// In so many years.
    In(f64),
    /// It has begun, at that spot.
    At(f64),
}

impl ReturnClamp {
    /// Price, delta and gamma, for a notional of 1.
    pub fn valuation(&self) -> Valuation {
        let certain = Valuation::constant(self.asset.discount() * self.floor);
        let later = (-self.asset.rate * (self.asset.expiry - self.end)).exp();
        let mut above = self.call(1.0 + self.floor);
        if self.cap < f64::INFINITY {
            above = above - self.call(1.0 + self.cap);
        }
        certain + later * above
    }

    /// The call on the return, paid at the end of the period.
    fn call(&self, moneyness: f64) -> Valuation {
        let asset = LognormalAsset {
            expiry: self.end,
            ..self.asset
        };
        match self.begins {
            Begins::In(start) => Valuation::constant(
                ForwardStart {
                    asset,
                    kind: OptionKind::Call,
                    moneyness,
                    start,
                }
                .on_return(),
            ),
            // A return is never below −100 %, so the call struck there is the asset itself.
            Begins::At(spot) if moneyness <= 0.0 => {
                let strike = Valuation::constant(moneyness * asset.discount());
                1.0 / spot * asset.delivered() - strike
            }
            Begins::At(spot) => 1.0 / spot * asset.vanilla(OptionKind::Call, moneyness * spot),
        }
    }
}
