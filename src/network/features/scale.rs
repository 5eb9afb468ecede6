use crate::simd::{BLOCK, Lane, Real};
use serde::{Deserialize, Serialize};

/// What makes the features of an asset after the first dimensionless: its moneyness is ln(S_t/S₀)/(σ√T).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AssetScale {
    /// The spot S₀ at the start, in currency.
    pub spot: f64,
    /// Reference volatility σ, annualised.
    pub volatility: f64,
}

/// The scale of a quantity x that a policy sees as (x − mean)/deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Standard {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, above 0.
    pub deviation: f64,
}

impl Standard {
    /// The scale of equally likely values; a quantity that never changes has the deviation 1.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let deviation = variance.sqrt();
        Self {
            mean,
            deviation: if deviation > 0.0 { deviation } else { 1.0 },
        }
    }
}

impl Standard {
    /// (x − mean)/deviation
    #[inline(always)]
    pub(super) fn write<R: Real>(&self, values: &Lane<R>, out: &mut Lane<R>) {
        let (mean, share) = (R::of(self.mean), R::of(1.0 / self.deviation));
        for lane in 0..BLOCK {
            out[lane] = (values[lane] - mean) * share;
        }
    }
}
