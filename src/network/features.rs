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
    pub const ALL: [(&'static str, Self); 3] = [
        ("log_moneyness", Self::LogMoneyness),
        ("volatility", Self::Volatility),
        ("time_left", Self::TimeLeft),
    ];
}

/// The features of a policy and the scales that make them dimensionless.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Features {
    pub list: Vec<Feature>,
    /// Strike K in the spot's currency.
    pub strike: f64,
    /// Reference volatility σ, annualised.
    pub volatility: f64,
    /// Time to expiry T at the start, in years.
    pub expiry: f64,
}

impl Features {
    /// Writes the features of date `t` of `steps` into `out`, one row per feature.
    #[inline(always)]
    pub(super) fn write<R: Real, const FMA: bool>(
        &self,
        block: &PathBlock<'_, R>,
        t: usize,
        out: &mut [Lane<R>],
    ) {
        let steps = block.spot.len() - 1;
        for (feature, out) in self.list.iter().zip(out) {
            match feature {
                Feature::LogMoneyness => {
                    let inverse_strike = R::of(1.0 / self.strike);
                    let scale = R::of(1.0 / (self.volatility * self.expiry.sqrt()));
                    for lane in 0..BLOCK {
                        out[lane] = (block.spot[t][lane] * inverse_strike).ln::<FMA>() * scale;
                    }
                }
                Feature::Volatility => {
                    let scale = R::of(1.0 / self.volatility);
                    for lane in 0..BLOCK {
                        out[lane] = block.variance[t][lane].sqrt() * scale;
                    }
                }
                Feature::TimeLeft => *out = [R::of((steps - t) as f64 / steps as f64); BLOCK],
            }
        }
    }
}
