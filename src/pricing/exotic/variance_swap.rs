//! Realised variance sampled at dates.

use super::{LognormalAsset, Valuation};

/// What is left of a realised variance: the sum of squared log returns over n equidistant dates, the last at expiry, times
/// `per_year` (dates a year over all dates), paid at expiry.
///
/// # Formula
///
/// With c_i = ∫ (r − q) over return i, Δ between dates, and the first of the n returns counted from S₀, of which h years are left,
///
/// ```text
/// E[Σ (ln S_i/S_{i−1})²] = (ln(S/S₀) + c_1 − σ²h/2)² + σ²h + Σ_{i>1} ((c_i − σ²Δ/2)² + σ²Δ)
/// ```
///
/// At a date (S = S₀) there is no delta: `Γ = 2e^{−rT}·per_year/S²` is what the next return adds.
///
/// # References
///
/// M. Broadie and A. Jain (2008), "The effect of jumps and discrete sampling on volatility and variance swaps",
/// International Journal of Theoretical and Applied Finance 11.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledVariance<'a> {
    /// The asset until expiry.
    pub asset: LognormalAsset,
    /// ∫ (r − q) over each of the n returns still to come, c_i.
    pub carries: &'a [f64],
    /// Years between two dates, Δ.
    pub spacing: f64,
    /// The spot at the last date, S₀.
    pub previous: f64,
    /// The factor that makes a variance a year of the sum.
    pub per_year: f64,
}

impl SampledVariance<'_> {
    /// The price of what is still to come, its delta and gamma.
    pub fn valuation(&self) -> Valuation {
        let Some((first, later)) = self.carries.split_first() else {
            return Valuation::default();
        };
        let asset = &self.asset;
        let variance = asset.volatility * asset.volatility;
        let left = asset.expiry - later.len() as f64 * self.spacing;
        let expected = (asset.spot / self.previous).ln() + first - 0.5 * variance * left;
        let a_period = variance * self.spacing;
        let square = |carry: &f64| (carry - 0.5 * a_period).powi(2) + a_period;
        let price = expected * expected + variance * left + later.iter().map(square).sum::<f64>();
        let value = Valuation::of_logarithm(price, 2.0 * expected, 2.0, asset.spot);
        self.per_year * asset.discount() * value
    }
}
