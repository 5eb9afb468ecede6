//! The option to exchange one asset for another.

use super::{TwoAssetValuation, TwoAssets};
use crate::contract::OptionKind;
use crate::pricing::BlackScholes;

/// The option to receive the first of two assets for the second, `max(S₁ − S₂, 0)` at expiry.
///
/// # Formula
///
/// It is the call on the first asset with the second as its money: Black–Scholes with strike S₂, rate q₂, dividend yield
/// q₁ and the volatility of the ratio, `σ² = σ₁² + σ₂² − 2ρσ₁σ₂`. It is homogeneous of degree one in the two spots, so
///
/// ```text
/// Δ₂ = (V − S₁Δ₁)/S₂,   Γ₁₂ = −(S₁/S₂)Γ₁₁,   Γ₂₂ = (S₁/S₂)²Γ₁₁
/// ```
///
/// # References
///
/// W. Margrabe (1978), "The value of an option to exchange one asset for another", Journal of Finance 33.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exchange {
    /// The two assets until expiry.
    pub assets: TwoAssets,
}

impl Exchange {
    /// Price, deltas and gammas.
    pub fn valuation(&self) -> TwoAssetValuation {
        let [one, two] = self.assets.spots;
        let [q1, q2] = self.assets.dividends;
        let option = BlackScholes {
            kind: OptionKind::Call,
            spot: one,
            strike: two,
            expiry: self.assets.expiry,
            rate: q2,
            dividend: q1,
            volatility: self.assets.relative_volatility(),
        };
        let (price, delta, gamma) = (option.price(), option.delta(), option.gamma());
        let ratio = one / two;
        TwoAssetValuation {
            price,
            deltas: [delta, (price - one * delta) / two],
            gammas: [
                [gamma, -ratio * gamma],
                [-ratio * gamma, ratio * ratio * gamma],
            ],
        }
    }
}
