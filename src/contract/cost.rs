//! What trading costs: one formula for who settles, who keeps the account and who differentiates.

use crate::simd::Real;
use serde::Serialize;

/// What trading an instrument costs: a share of the traded value, and half of the spread between bid and ask for every
/// unit traded,
///
/// C(x, p) = |x| (c p + h)
///
/// for a trade of x units at the price p.
///
/// # Units
/// c is a fraction, h in currency per unit, costs in currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Charge {
    /// The share c of the traded value.
    pub proportional: f64,
    /// Half of the spread between bid and ask, h.
    pub half_spread: f64,
}

impl Charge {
    /// The cost C(x, p) of a trade of x units at the price p, at least 0.
    #[inline(always)]
    pub fn cost<R: Real>(self, trade: R, price: R) -> R {
        trade.abs() * self.of_unit(price)
    }

    /// ∂C/∂x, what a unit more costs; where x = 0 the subgradient 0.
    #[inline(always)]
    pub fn slope<R: Real>(self, trade: R, price: R) -> R {
        sign(trade) * self.of_unit(price)
    }

    /// Whether no trade costs anything.
    pub fn is_free(self) -> bool {
        self == Self::default()
    }

    #[inline(always)]
    fn of_unit<R: Real>(self, price: R) -> R {
        R::of(self.proportional) * price + R::of(self.half_spread)
    }
}

impl From<f64> for Charge {
    /// A proportional cost without a spread.
    fn from(proportional: f64) -> Self {
        Self {
            proportional,
            half_spread: 0.0,
        }
    }
}

/// Transaction costs of the spot, and of closing at expiry.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Costs {
    /// What trading the spot costs.
    pub spot: Charge,
    /// Whether closing the position at expiry pays too.
    pub liquidation: bool,
}

#[inline(always)]
fn sign<R: Real>(x: R) -> R {
    if x > R::ZERO {
        R::ONE
    } else if x < R::ZERO {
        -R::ONE
    } else {
        R::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHARGES: [Charge; 4] = [
        Charge {
            proportional: 0.0,
            half_spread: 0.0,
        },
        Charge {
            proportional: 0.02,
            half_spread: 0.0,
        },
        Charge {
            proportional: 0.0,
            half_spread: 0.15,
        },
        Charge {
            proportional: 0.02,
            half_spread: 0.15,
        },
    ];

    /// ∂C/∂x is the central difference of C wherever x is not 0, in both precisions.
    #[test]
    fn the_slope_is_that_of_the_cost() {
        const STEP: f64 = 0.25;
        for charge in CHARGES {
            for trade in [-3.0, -0.5, 0.5, 7.0] {
                for price in [0.5, 100.0] {
                    let (up, down) = (
                        charge.cost(trade + STEP, price),
                        charge.cost(trade - STEP, price),
                    );
                    let difference = (up - down) / (2.0 * STEP);
                    assert!((charge.slope(trade, price) - difference).abs() < 1e-12);
                    let single = charge.slope(trade as f32, price as f32);
                    assert!((f64::from(single) - difference).abs() < 1e-6 * (1.0 + price));
                }
            }
        }
    }

    /// No trade costs nothing and has the slope 0; buying costs what selling does; costs are never negative, and 0 for
    /// every trade where the charge is free.
    #[test]
    fn costs_are_even_and_never_negative() {
        for charge in CHARGES {
            assert_eq!(
                (charge.cost(0.0, 90.0), charge.slope(0.0, 90.0)),
                (0.0, 0.0)
            );
            for trade in [1e-3, 1.0, 40.0] {
                let cost = charge.cost(trade, 90.0);
                assert_eq!(cost, charge.cost(-trade, 90.0));
                assert_eq!(charge.slope(trade, 90.0), -charge.slope(-trade, 90.0));
                assert_eq!(cost == 0.0, charge.is_free());
                assert!(cost >= 0.0);
            }
        }
    }
}
