use super::{At, Cost, sign};
use crate::simd::Real;
use serde::Serialize;

/// Square-root impact: x units move the price by Y daily volatilities times the root of the share of the daily volume that they are,
///
/// C(x) = Y σ_d p |x| √(|x|/V)
///
/// with σ_d = σ/√D at the date of the trade, D days a year.
///
/// # Units
/// Y is a number of order one; V in units of the instrument a day.
///
/// # References
/// B. Tóth, Y. Lempérière, C. Deremble, J. de Lataillade, J. Kockelkoren and J.-P. Bouchaud (2011), "Anomalous price impact and
/// the critical nature of liquidity in financial markets", Physical Review X 1, equation 1; R. Almgren, C. Thum, E. Hauptmann
/// and H. Li (2005), "Direct estimation of equity market impact", Risk 18, who find an exponent of 3/5 in the place of 1/2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct SquareRoot {
    /// Y/√(V D).
    coefficient: f64,
}

impl SquareRoot {
    /// The impact of strength `y` in a market that trades `daily_volume` units a day, on `days_per_year` days a year; none where `y` is
    /// 0.
    pub fn new(y: f64, daily_volume: f64, days_per_year: f64) -> Self {
        let coefficient = match y == 0.0 {
            true => 0.0,
            false => y / (daily_volume * days_per_year).sqrt(),
        };
        Self { coefficient }
    }
}

impl Cost for SquareRoot {
    const FREE: Self = Self { coefficient: 0.0 };

    #[inline(always)]
    fn cost<R: Real>(self, trade: R, at: &At<R>) -> R {
        let size = trade.abs();
        R::of(self.coefficient) * at.volatility * at.price * (size * size.sqrt())
    }

    #[inline(always)]
    fn slope<R: Real>(self, trade: R, at: &At<R>) -> R {
        let root = trade.abs().sqrt();
        sign(trade) * (R::of(1.5 * self.coefficient) * at.volatility * at.price * root)
    }

    fn of_book(self, contracts: f64) -> Self {
        Self {
            coefficient: self.coefficient * contracts.sqrt(),
        }
    }
}
