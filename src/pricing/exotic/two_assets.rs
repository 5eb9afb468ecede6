//! Options on the better or the worse of two assets.

use super::asset::LEAST_DEVIATION;
use super::{Exchange, LognormalAsset};
use crate::contract::OptionKind;
use crate::pricing::bivariate_normal::{bivariate_normal_cdf, conditional_cdf};
use crate::pricing::normal::normal_pdf;

/// Two correlated assets under Black–Scholes–Merton, seen from now to an expiry.
///
/// # Units
///
/// Those of [`LognormalAsset`]; the correlation is that of the logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoAssets {
    /// The two spots.
    pub spots: [f64; 2],
    /// The two dividend yields.
    pub dividends: [f64; 2],
    /// The two volatilities.
    pub volatilities: [f64; 2],
    /// The correlation ρ, −1 ≤ ρ ≤ 1.
    pub correlation: f64,
    /// The interest rate.
    pub rate: f64,
    /// Years to expiry.
    pub expiry: f64,
}

impl TwoAssets {
    /// One of the two, 0 or 1.
    pub fn asset(&self, number: usize) -> LognormalAsset {
        LognormalAsset {
            spot: self.spots[number],
            rate: self.rate,
            dividend: self.dividends[number],
            volatility: self.volatilities[number],
            expiry: self.expiry,
        }
    }

    /// The volatility of the ratio of the two, `√(σ₁² + σ₂² − 2ρσ₁σ₂)`.
    pub fn relative_volatility(&self) -> f64 {
        let [one, two] = self.volatilities;
        let gap = one - two;
        (gap * gap + 2.0 * (1.0 - self.correlation) * one * two)
            .max(0.0)
            .sqrt()
    }

    /// The two the other way round.
    fn swapped(&self) -> Self {
        let swap = |[one, two]: [f64; 2]| [two, one];
        Self {
            spots: swap(self.spots),
            dividends: swap(self.dividends),
            volatilities: swap(self.volatilities),
            ..*self
        }
    }
}

/// The price of a contract on two assets and its first two derivatives in their spots.
///
/// # Units
///
/// Currency; deltas in shares, gammas in shares per currency.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TwoAssetValuation {
    /// The price V.
    pub price: f64,
    /// `∂V/∂S_i`.
    pub deltas: [f64; 2],
    /// `∂²V/∂S_i∂S_j`.
    pub gammas: [[f64; 2]; 2],
}

impl TwoAssetValuation {
    /// This and `quantity` of another.
    fn plus(mut self, quantity: f64, other: &Self) -> Self {
        self.price += quantity * other.price;
        for i in 0..2 {
            self.deltas[i] += quantity * other.deltas[i];
            for j in 0..2 {
                self.gammas[i][j] += quantity * other.gammas[i][j];
            }
        }
        self
    }
}

/// Which of two assets an option is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The better one, max(S₁, S₂).
    Best,
    /// The worse one, min(S₁, S₂).
    Worst,
}

/// A call or put on the better or the worse of two assets, `max(φ(X − K), 0)`.
///
/// # Formula
///
/// With σ the volatility of the ratio, `ρ₁ = (σ₁ − ρσ₂)/σ`, `ρ₂ = (σ₂ − ρσ₁)/σ`, `d_i` the d₁ of the call on asset i,
/// `e₁ = (ln(F₁/F₂) + σ²T/2)/(σ√T)`, `e₂` the same with the assets swapped, and N₂ the bivariate normal distribution, the
/// call on the worse asset is
///
/// ```text
/// V = S₁e^{−q₁T} N₂(d₁, −e₁; −ρ₁) + S₂e^{−q₂T} N₂(d₂, −e₂; −ρ₂) − Ke^{−rT} N₂(d₁ − σ₁√T, d₂ − σ₂√T; ρ)
/// ```
///
/// and the factors of S₁ and S₂ are its deltas. The others follow: best and worst together are the two options on the
/// assets; call less put is the forward of the better or worse asset, which is an exchange option away from one of them.
///
/// # References
///
/// R. Stulz (1982), "Options on the minimum or the maximum of two risky assets", Journal of Financial Economics 10.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RainbowOption {
    /// The two assets until expiry.
    pub assets: TwoAssets,
    /// Call or put.
    pub kind: OptionKind,
    /// The better or the worse one.
    pub choice: Choice,
    /// The strike, in currency.
    pub strike: f64,
}

impl RainbowOption {
    /// Price, deltas and gammas.
    pub fn valuation(&self) -> TwoAssetValuation {
        let worst = match self.kind {
            OptionKind::Call => self.worst_call(),
            OptionKind::Put => self.worst_put(),
        };
        let mut value = match self.choice {
            Choice::Worst => worst,
            Choice::Best => self.both().plus(-1.0, &worst),
        };
        value.price = value.price.max(0.0);
        value
    }

    /// The two options on the single assets.
    fn both(&self) -> TwoAssetValuation {
        let [one, two] = [0, 1].map(|i| self.assets.asset(i).vanilla(self.kind, self.strike));
        TwoAssetValuation {
            price: one.price + two.price,
            deltas: [one.delta, two.delta],
            gammas: [[one.gamma, 0.0], [0.0, two.gamma]],
        }
    }

    /// `K e^{−rT} − e^{−rT} E[min(S₁, S₂)]` and the call on the worse asset.
    fn worst_put(&self) -> TwoAssetValuation {
        let first = self.assets.asset(0);
        let delivered = first.delivered();
        let forward = TwoAssetValuation {
            price: self.strike * first.discount() - delivered.price,
            deltas: [-delivered.delta, 0.0],
            gammas: [[0.0; 2]; 2],
        };
        let exchange = Exchange {
            assets: self.assets,
        };
        forward
            .plus(1.0, &exchange.valuation())
            .plus(1.0, &self.worst_call())
    }

    fn worst_call(&self) -> TwoAssetValuation {
        let (one, two) = (self.leg(&self.assets), self.leg(&self.assets.swapped()));
        let [first, second] = [0, 1].map(|i| self.assets.asset(i));
        let below = |asset: &LognormalAsset| {
            let deviation = asset.deviation();
            ((asset.spot / self.strike).ln() + asset.carry()) / deviation - 0.5 * deviation
        };
        let paid = bivariate_normal_cdf(below(&first), below(&second), self.assets.correlation);
        let price = first.spot * one.delta + second.spot * two.delta
            - self.strike * first.discount() * paid;
        TwoAssetValuation {
            price: price.max(0.0),
            deltas: [one.delta, two.delta],
            gammas: [[one.gamma, one.cross], [one.cross, two.gamma]],
        }
    }

    /// The factor of the first asset's spot in the call on the worse one, and its slopes in the two spots.
    fn leg(&self, assets: &TwoAssets) -> Leg {
        let asset = assets.asset(0);
        let [one, two] = assets.spots;
        let root = assets.expiry.sqrt();
        let own = asset.deviation();
        let other = assets.asset(1).deviation();
        let relative = (assets.relative_volatility() * root).max(LEAST_DEVIATION);
        let d = ((one / self.strike).ln() + asset.carry()) / own + 0.5 * own;
        let gap = (assets.dividends[1] - assets.dividends[0]) * assets.expiry;
        let e = ((one / two).ln() + gap) / relative + 0.5 * relative;
        let rho = assets.correlation;
        let correlation = ((own - rho * other) / relative).clamp(-1.0, 1.0);
        // √(1 − ρ₁²), which keeps its digits where ρ₁ is near one.
        let complement = (other * ((1.0 - rho) * (1.0 + rho)).sqrt() / relative).min(1.0);
        let weight = (-asset.dividend * asset.expiry).exp();
        let strike_slope = normal_pdf(d) * conditional_cdf(-e + correlation * d, complement) / own;
        let choice_slope =
            normal_pdf(e) * conditional_cdf(d - correlation * e, complement) / relative;
        Leg {
            delta: weight * bivariate_normal_cdf(d, -e, -correlation),
            gamma: weight * (strike_slope - choice_slope) / one,
            cross: weight * choice_slope / two,
        }
    }
}

struct Leg {
    delta: f64,
    gamma: f64,
    cross: f64,
}
