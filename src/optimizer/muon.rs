use super::first_order::{RateSettings, clipped, statistics, zeros};
use super::{
    AdaptiveMoments, Batch, Build, Family, Optimizer, Proposal, Settings, State, Stateful,
};
use crate::error::Result;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Settings of [`Muon`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MuonSettings {
    /// The learning rate, its schedule and the clipping of gradients.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Decay of the average of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    /// Whether the average looks one step ahead.
    pub nesterov: bool,
    /// Adam's learning rate for maps of one row.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub vector_learning_rate: f64,
    /// Adam's decay of the average of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta1: f64,
    /// Adam's decay of the average of their squares.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta2: f64,
}

impl Default for MuonSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings::of(0.2),
            momentum: 0.9,
            nesterov: true,
            vector_learning_rate: 0.05,
            beta1: 0.8,
            beta2: 0.95,
        }
    }
}

impl Settings for MuonSettings {}

impl Build for MuonSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Muon::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
    }

    fn tunable(&self) -> &'static [&'static str] {
        &["learning_rate", "momentum", "vector_learning_rate"]
    }
}

/// About the polar factor UVᵀ of a matrix UΣVᵀ, by five Newton–Schulz iterations.
///
/// X ← aX + (bXXᵀ + c(XXᵀ)²)X from X/‖X‖_F with (a, b, c) = (3.4445, −4.7750, 2.0315), which moves singular values
/// above 0.003 or so into about [0.68, 1.13] instead of converging to 1. A matrix of zeros stays one.
///
/// # References
/// Jordan et al. (2024), "Muon: an optimizer for hidden layers in neural networks".
pub fn newton_schulz(matrix: &Mat<f64>) -> Mat<f64> {
    const ITERATIONS: usize = 5;
    const A: f64 = 3.4445;
    const B: f64 = -4.7750;
    const C: f64 = 2.0315;
    let norm = matrix.norm_l2();
    if norm == 0.0 {
        return matrix.clone();
    }
    // The smaller Gram matrix.
    let tall = matrix.nrows() > matrix.ncols();
    let start = if tall {
        matrix.transpose().to_owned()
    } else {
        matrix.clone()
    };
    let mut x = faer::Scale(1.0 / norm) * start;
    for _ in 0..ITERATIONS {
        let gram = &x * x.transpose();
        let polynomial = faer::Scale(B) * &gram + faer::Scale(C) * (&gram * &gram);
        x = faer::Scale(A) * &x + polynomial * &x;
    }
    if tall { x.transpose().to_owned() } else { x }
}

/// Muon: momentum, orthogonalised, for matrices, and Adam for maps of one row.
///
/// M ← μM + (1 − μ)g; the change of an m × n map is −η √max(1, m/n) NS(M), or NS((1 − μ)g + μM) with Nesterov's
/// look ahead, where NS is [`newton_schulz`].
///
/// # References
/// Jordan et al. (2024), "Muon: an optimizer for hidden layers in neural networks".
#[derive(Debug, Clone)]
pub struct Muon {
    settings: MuonSettings,
    average: Vec<Mat<f64>>,
    vectors: AdaptiveMoments,
}

impl Muon {
    /// Muon before its first step.
    pub fn new(settings: MuonSettings) -> Self {
        Self {
            settings,
            average: Vec::new(),
            vectors: AdaptiveMoments::new(settings.beta1, settings.beta2),
        }
    }
}

impl Stateful for Muon {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("average", &mut self.average)?;
        state.field("vectors", &mut self.vectors)
    }
}

impl Optimizer for Muon {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let MuonSettings {
            momentum,
            vector_learning_rate,
            ..
        } = self.settings;
        let rate = self.settings.rate.at(batch);
        let vector_rate = vector_learning_rate * self.settings.rate.share(batch);
        if self.average.is_empty() {
            self.average = zeros(batch.gradient);
        }
        let gradient = clipped(batch.gradient, self.settings.rate.clip_norm);
        let mut change = self.vectors.direction(&gradient, -vector_rate);
        for ((change, average), gradient) in change.iter_mut().zip(&mut self.average).zip(&gradient)
        {
            let mix = |average: &Mat<f64>| {
                faer::Scale(momentum) * average + faer::Scale(1.0 - momentum) * gradient
            };
            *average = mix(average);
            let (rows, columns) = (gradient.nrows(), gradient.ncols());
            if rows > 1 {
                let orthogonal = if self.settings.nesterov {
                    newton_schulz(&mix(average))
                } else {
                    newton_schulz(average)
                };
                let scale = (rows as f64 / columns as f64).max(1.0).sqrt();
                *change = faer::Scale(-rate * scale) * orthogonal;
            }
        }
        let mut statistics = statistics(batch, rate);
        statistics.insert("vector_learning_rate".into(), json!(vector_rate));
        Ok(Proposal { change, statistics })
    }
}
