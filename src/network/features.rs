use crate::market::PathBlock;
use crate::simd::{BLOCK, Lane, Real};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the policy sees at a date, scaled to order one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// ln(S_t/K) / (σ√T)
    LogMoneyness,
    /// √v_t / σ
    Volatility,
    /// (T − t)/T
    TimeLeft,
}

impl Feature {
    /// All features by the names that strategy files use.
    pub const ALL: [(&'static str, Self); 3] = [
        ("log_moneyness", Self::LogMoneyness),
        ("volatility", Self::Volatility),
        ("time_left", Self::TimeLeft),
    ];

    /// Whether every asset has one of its own.
    fn is_of_an_asset(self) -> bool {
        match self {
            Self::LogMoneyness | Self::Volatility => true,
            Self::TimeLeft => false,
        }
    }
}

/// The features of a policy and the scales that make them dimensionless.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// What the network sees, in the order of its inputs.
    pub list: Vec<Feature>,
    /// Strike K in the spot's currency.
    pub strike: f64,
    /// Reference volatility σ, annualised.
    pub volatility: f64,
    /// Time to expiry T at the start, in years.
    pub expiry: f64,
    /// The assets after the first, whose moneyness and volatility follow the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<AssetScale>,
}

/// What makes the features of an asset after the first dimensionless: ln(S_t/S₀)/(σ√T) and √v_t/σ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AssetScale {
    /// The spot S₀ at the start, in currency.
    pub spot: f64,
    /// Reference volatility σ, annualised.
    pub volatility: f64,
}

impl Features {
    /// The number of inputs of the network: those of the list, and for every further asset those of them that an asset has for
    /// itself.
    pub fn count(&self) -> usize {
        let own = self.list.iter().filter(|feature| feature.is_of_an_asset());
        self.list.len() + self.further.len() * own.count()
    }

    /// Writes the features of date `t` of `steps` into `out`, one row per feature: the list, of which moneyness and variance are
    /// those of the first asset, then what an asset has for itself, asset by asset.
    #[inline(always)]
    pub(super) fn write<R: Real, const FMA: bool>(
        &self,
        block: &PathBlock<'_, R>,
        t: usize,
        out: &mut [Lane<R>],
    ) {
        let steps = block.spot.len() - 1;
        let first = AssetScale {
            spot: self.strike,
            volatility: self.volatility,
        };
        let mut rows = out.iter_mut();
        for (asset, scale) in std::iter::once(&first).chain(&self.further).enumerate() {
            let listed = self.list.iter();
            let listed = listed.filter(|feature| asset == 0 || feature.is_of_an_asset());
            for (feature, out) in listed.zip(&mut rows) {
                match feature {
                    Feature::LogMoneyness => {
                        let spot = &block.spot_of(asset)[t];
                        let inverse = R::of(1.0 / scale.spot);
                        let scale = R::of(1.0 / (scale.volatility * self.expiry.sqrt()));
                        for lane in 0..BLOCK {
                            out[lane] = (spot[lane] * inverse).ln::<FMA>() * scale;
                        }
                    }
                    Feature::Volatility => {
                        let variance = &block.variance_of(asset)[t];
                        let scale = R::of(1.0 / scale.volatility);
                        for lane in 0..BLOCK {
                            out[lane] = variance[lane].sqrt() * scale;
                        }
                    }
                    Feature::TimeLeft => *out = [R::of((steps - t) as f64 / steps as f64); BLOCK],
                }
            }
        }
    }
}
