use super::curvature_pairs::Maps;
use super::first_order::{RateSettings, clipped, statistics};
use super::{Batch, Build, CurvaturePairs, Family, Optimizer, Proposal, Settings, State, Stateful};
use crate::error::Result;
use crate::linalg::{inner, scaled};
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Settings of [`Mlbfgs`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MlbfgsSettings {
    /// The learning rate, its schedule and the clipping of gradients.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Decay of the averages of weights and of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    /// Pairs of differences that are kept.
    #[schemars(range(min = 1))]
    pub history: usize,
    /// Steps between new pairs.
    #[schemars(range(min = 1))]
    pub pair_period: usize,
    /// Greatest share τ₀ of the measured change of gradient in a pair, the rest being that of an isotropic quadratic.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub mixing: f64,
    /// Least curvature of a pair relative to the typical one.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub least_curvature: f64,
    /// Greatest Euclidean length of a full step.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub max_length: f64,
}

impl Default for MlbfgsSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings::of(1.0),
            momentum: 0.8,
            history: 10,
            pair_period: 10,
            mixing: 0.9,
            least_curvature: 0.1,
            max_length: 0.3,
        }
    }
}

impl Settings for MlbfgsSettings {}

impl Build for MlbfgsSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Mlbfgs::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
    }
}

/// mL-BFGS: L-BFGS on momentum averages M_θ of the weights and M_g of the gradients, over all maps together.
///
/// Every `pair_period` steps s = ΔM_θ and y = ΔM_g give a pair (s, ŷ) with ŷ = τy + (1 − τ)κs, where κ averages
/// ‖y‖/‖s‖ and, with μ = sᵀy/κsᵀs, τ = min(τ₀, (1 − σ)/(1 − μ)) if μ is below `least_curvature` σ and τ₀ otherwise:
/// sᵀŷ is never below σκsᵀs. The step is −ηH m̂ (m̂ the bias-corrected M_g), scaled down to a length of `max_length`
/// times the share of the schedule, because noise in the pairs makes single steps far too long.
///
/// The source takes κ = 1, bounds μ from above as well, applies H to the gradient itself and has a block for every layer.
///
/// # References
/// Niu et al. (2023), "mL-BFGS: a momentum-based L-BFGS for distributed large-scale neural network optimization"; Powell (1978),
/// "Algorithms for nonlinear constraints that use Lagrangian functions", for the damped y.
#[derive(Debug, Clone)]
pub struct Mlbfgs {
    settings: MlbfgsSettings,
    count: i32,
    /// M_θ and M_g, bias-corrected by their weight 1 − μⁿ.
    weights: Maps,
    gradients: Maps,
    /// The averages at the last pair.
    last: Option<(Maps, Maps)>,
    /// The typical curvature κ, in units of money.
    curvature: Option<f64>,
    pairs: CurvaturePairs,
}

impl Mlbfgs {
    /// mL-BFGS before its first step.
    pub fn new(settings: MlbfgsSettings) -> Self {
        Self {
            settings,
            count: 0,
            weights: Vec::new(),
            gradients: Vec::new(),
            last: None,
            curvature: None,
            pairs: CurvaturePairs::new(settings.history),
        }
    }

    /// Averages in a batch.
    fn update(&mut self, parameters: &[Mat<f64>], gradient: &[Mat<f64>]) {
        self.count += 1;
        let momentum = self.settings.momentum;
        let new = (1.0 - momentum) / (1.0 - momentum.powi(self.count));
        for (average, value) in [
            (&mut self.weights, parameters),
            (&mut self.gradients, gradient),
        ] {
            if average.is_empty() {
                *average = value.to_vec();
            }
            for (average, value) in average.iter_mut().zip(value) {
                *average = faer::Scale(1.0 - new) * &*average + faer::Scale(new) * value;
            }
        }
    }

    /// Makes a pair of the averages' changes since the last one.
    fn add_pair(&mut self) {
        let now = (self.weights.clone(), self.gradients.clone());
        let Some((weights, gradients)) = self.last.replace(now) else {
            return;
        };
        let change = |now: &[Mat<f64>], before: &[Mat<f64>]| -> Maps {
            now.iter().zip(before).map(|(n, b)| n - b).collect()
        };
        let s = change(&self.weights, &weights);
        let mut y = change(&self.gradients, &gradients);
        let (length, moved) = (inner(&s, &s), inner(&y, &y));
        if length == 0.0 || moved == 0.0 {
            return;
        }
        let new = (moved / length).sqrt();
        let kappa = self.curvature.map_or(new, |old| 0.5 * (old + new));
        self.curvature = Some(kappa);
        let MlbfgsSettings {
            mixing,
            least_curvature,
            ..
        } = self.settings;
        let mu = inner(&s, &y) / (kappa * length);
        let tau = if mu < least_curvature {
            mixing.min((1.0 - least_curvature) / (1.0 - mu))
        } else {
            mixing
        };
        for (y, s) in y.iter_mut().zip(&s) {
            *y = faer::Scale(tau) * &*y + faer::Scale((1.0 - tau) * kappa) * s;
        }
        self.pairs.push(s, y);
    }
}

impl Stateful for Mlbfgs {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("count", &mut self.count)?;
        state.field("weights", &mut self.weights)?;
        state.field("gradients", &mut self.gradients)?;
        state.field("last", &mut self.last)?;
        state.field("curvature", &mut self.curvature)?;
        state.field("pairs", &mut self.pairs)
    }
}

impl Optimizer for Mlbfgs {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let rate = self.settings.rate.at(batch);
        let gradient = clipped(batch.gradient, self.settings.rate.clip_norm);
        self.update(batch.parameters, &gradient);
        if batch.step.is_multiple_of(self.settings.pair_period) {
            self.add_pair();
        }
        let direction = self.pairs.inverse_times(&self.gradients);
        let length = inner(&direction, &direction).sqrt();
        let bound = self.settings.max_length * self.settings.rate.share(batch);
        let step = if rate * length > bound {
            bound / length
        } else {
            rate
        };
        let mut statistics = statistics(batch, rate);
        statistics.insert("step_length".into(), json!(step * length));
        statistics.insert(
            "curvature".into(),
            json!(self.curvature.unwrap_or_default()),
        );
        Ok(Proposal {
            change: scaled(&direction, -step),
            statistics,
        })
    }
}
