//! Closed forms of contracts that are no sums of calls and puts.

use std::fmt::Debug;
use std::sync::Arc;

/// An asset as a closed form sees it on a date.
///
/// # Units
/// The spot in currency, the dividend yield continuously compounded, the volatility annualised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenAsset {
    /// The spot.
    pub spot: f64,
    /// The dividend yield, on average until expiry.
    pub dividend: f64,
    /// The volatility that is expected until expiry.
    pub volatility: f64,
}

/// A market and a path as a closed form sees them on a date.
///
/// # Shapes
/// `assets`, `carried` and `correlation` are those of the market, in its order; `correlation` has a row for each.
///
/// # Units
/// Money in currency, times in years, the rate continuously compounded.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The assets, the first one first.
    pub assets: &'a [SeenAsset],
    /// The correlation of their spots.
    pub correlation: &'a [Vec<f64>],
    /// The interest rate, on average until expiry.
    pub rate: f64,
    /// ∫ (r − q) from the sale to every date, for each asset: the logarithm of its forward over the spot at the sale.
    pub carried: &'a [Vec<f64>],
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

    /// ∫ (r − q) of an asset from one date to another.
    pub fn carry(&self, asset: usize, from: usize, to: usize) -> f64 {
        self.carried[asset][to] - self.carried[asset][from]
    }
}

/// The price of a contract and its first two derivatives in the spots.
///
/// # Shapes
/// One delta and one gamma for each of the assets that the contract depends on.
///
/// # Units
/// Currency; deltas in shares, gammas in shares per currency.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Worth {
    /// The price V.
    pub price: f64,
    /// `∂V/∂S_i`.
    pub deltas: Vec<f64>,
    /// `∂²V/∂S_i²`.
    pub gammas: Vec<f64>,
}

/// A closed form in a lognormal market, in every state of a contract that goes on.
pub trait Formula: Debug + Send + Sync {
    /// The number of assets that the contract depends on, which are the first ones of its market.
    fn assets(&self) -> usize {
        1
    }

    /// Whether its deltas are a hedge of it: not where on a date next to nothing of it moves with the spot.
    fn delta_hedges(&self) -> bool {
        true
    }

    /// Whether it is right only where forwards grow evenly, since it watches the path between now and its expiry without knowing how
    /// they grow until then.
    fn needs_constant_carry(&self) -> bool {
        false
    }

    /// Whether [`Self::exactly`] leaves no error: else prices at the sale are simulated, and only hedges ask it.
    fn prices_exactly(&self) -> bool {
        true
    }

    /// The same at the sale in a market that need not be lognormal, from `moments`, the first two of the log return of the first asset
    /// over each period, which is all that a contract linear in squared returns depends on; none for any other. Of `seen` counts
    /// no volatility.
    fn by_log_returns(&self, _seen: &Seen<'_>, _moments: &[(f64, f64)]) -> Option<Worth> {
        None
    }

    /// Price, deltas and gammas, fast enough for every date of many paths.
    fn worth(&self, seen: &Seen<'_>) -> Worth;

    /// The same as exactly as they are known, which may take longer.
    fn exactly(&self, seen: &Seen<'_>) -> Worth {
        self.worth(seen)
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
