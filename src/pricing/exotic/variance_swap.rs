//! Realised variance sampled at dates.

use super::{LognormalAsset, Valuation};

/// What is left of a realised variance: the sum of squared log returns over n equidistant dates, the last at expiry, times
/// `per_year` (dates a year over all dates), paid at expiry.
///
/// # Formula
///
/// With `m = r − q − σ²/2`, Δ between dates, and the first of the n returns counted from S₀, of which h years are left,
///
/// ```text
/// E[Σ (ln S_i/S_{i−1})²] = (ln(S/S₀) + mh)² + σ²h + (n − 1)((mΔ)² + σ²Δ)
/// ```
///
/// At a date (S = S₀) there is no delta: `Γ = 2e^{−rT}·per_year/S²` is what the next return adds.
///
/// # References
///
/// M. Broadie and A. Jain (2008), "The effect of jumps and discrete sampling on volatility and variance swaps",
/// International Journal of Theoretical and Applied Finance 11.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledVariance {
    /// The asset until expiry.
    pub asset: LognormalAsset,
    /// Returns still to come, n.
    pub returns: usize,
    /// Years between two dates, Δ.
    pub spacing: f64,
    /// The spot at the last date, S₀.
    pub previous: f64,
    /// The factor that makes a variance a year of the sum.
    pub per_year: f64,
}

impl SampledVariance {
    /// The price of what is still to come, its delta and gamma.
    pub fn valuation(&self) -> Valuation {
        if self.returns == 0 {
            return Valuation::default();
        }
        let asset = &self.asset;
        let variance = asset.volatility * asset.volatility;
        let m = asset.rate - asset.dividend - 0.5 * variance;
        let later = (self.returns - 1) as f64;
        let left = asset.expiry - later * self.spacing;
        let expected = (asset.spot / self.previous).ln() + m * left;
        let drift = m * self.spacing;
        let price = expected * expected
            + variance * left
            + later * (drift * drift + variance * self.spacing);
        let value = Valuation::of_logarithm(price, 2.0 * expected, 2.0, asset.spot);
        self.per_year * asset.discount() * value
    }
}
