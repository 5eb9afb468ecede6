use super::{At, Cost, sign};
use crate::simd::Real;
use serde::Serialize;

/// What the half-spread h of an option widens by away from the money and with the time to expiry,
///
/// C(x) = |x| h (a |ln(K/F)|/(σ √τ) + b √τ)
///
/// Beside the half-spread h itself it makes h (1 + a |ln(K/F)|/(σ √τ) + b √τ).
///
/// # Units
/// a per standard deviation of ln S until expiry, b per root of a year; τ in years.
///
/// # References
/// T. George and F. Longstaff (1993), "Bid-ask spreads and trading activity in the S&P 100 index options market", Journal of
/// Financial and Quantitative Analysis 28, find spreads that depend on moneyness and time to expiry beside price and activity; the
/// form here is the simplest that has both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct OptionSpread {
    /// h a, in currency per unit.
    away_from_the_money: f64,
    /// h b, in currency per unit and root of a year.
    with_time: f64,
}

impl OptionSpread {
    /// The half-spread `half_spread` widens by the share `moneyness` for every standard deviation from the money, and by `time` times the
    /// root of the years to expiry.
    pub const fn new(half_spread: f64, moneyness: f64, time: f64) -> Self {
        Self {
            away_from_the_money: half_spread * moneyness,
            with_time: half_spread * time,
        }
    }
}

impl Cost for OptionSpread {
    const FREE: Self = Self::new(0.0, 0.0, 0.0);

    #[inline(always)]
    fn cost<R: Real>(self, trade: R, at: &At<R>) -> R {
        trade.abs() * self.of_unit(at)
    }

    #[inline(always)]
    fn slope<R: Real>(self, trade: R, at: &At<R>) -> R {
        sign(trade) * self.of_unit(at)
    }

    #[inline(always)]
    fn of_unit<R: Real>(self, at: &At<R>) -> R {
        R::of(self.away_from_the_money) * at.moneyness + R::of(self.with_time) * at.root_time
    }

    fn asks_of_options(self) -> bool {
        self != Self::FREE
    }
}
