//! Closed forms of contracts that are no sums of calls and puts.

use std::fmt::Debug;
use std::sync::Arc;

/// A market and a path as a closed form sees them on a date.
///
/// # Units
/// Money in currency, times in years, rate and dividend continuously compounded, volatility annualised.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The spot of the first asset.
    pub spot: f64,
    /// The interest rate.
    pub rate: f64,
    /// The dividend yield.
    pub dividend: f64,
    /// The volatility that is expected until expiry.
    pub volatility: f64,
    /// The number of the date; 0 is the sale.
    pub date: usize,
    /// The number of the date of expiry.
    pub steps: usize,
    /// The length of a hedging period.
    pub dt: f64,
    /// The running values of the contract on that date, in the order of its accumulators.
    pub state: &'a [f64],
}

impl Seen<'_> {
    /// Years to expiry.
    pub fn left(&self) -> f64 {
        self.dt * (self.steps - self.date) as f64
    }
}

/// The price of a contract and its first two derivatives in the spot.
///
/// # Units
/// Currency; delta in shares, gamma in shares per currency.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Worth {
    /// The price V.
    pub price: f64,
    /// `∂V/∂S`.
    pub delta: f64,
    /// `∂²V/∂S²`.
    pub gamma: f64,
}

/// A closed form in a lognormal market, in every state of a contract that goes on.
pub trait Formula: Debug + Send + Sync {
    /// Price, delta and gamma, fast enough for every date of many paths.
    fn worth(&self, seen: &Seen<'_>) -> Worth;

    /// The price as exactly as it is known, which may take longer.
    fn price(&self, seen: &Seen<'_>) -> f64 {
        self.worth(seen).price
    }
}

/// The formula of a contract. What it is follows from the terms beside it, so that it makes no two contracts unequal.
#[derive(Debug, Clone)]
pub(super) struct Known(pub Arc<dyn Formula>);

impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
