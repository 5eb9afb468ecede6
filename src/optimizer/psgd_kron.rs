use super::first_order::{RateSettings, clipped, statistics, zeros};
use super::kl_shampoo::mean_square;
use super::{Batch, Build, Empty, Family, Optimizer, Proposal, Settings, State, Stateful};
use crate::error::Result;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Settings of [`PsgdKron`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PsgdKronSettings {
    /// The learning rate, its schedule and the clipping of gradients.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Decay of the average of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta1: f64,
    /// Rate μ at which the preconditioner moves.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub preconditioner_rate: f64,
    /// Decay of the bound of the preconditioner's curvature.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub bound_decay: f64,
    /// Steps between moves of the preconditioner.
    #[schemars(range(min = 1))]
    pub factor_period: usize,
    /// Variance that is added to every entry of the gradient, as a share of the mean of their squares.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub damping: f64,
    /// Root mean square over the entries of a map that a preconditioned gradient is scaled down to.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub clip_amplitude: f64,
}

impl Default for PsgdKronSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings::of(0.05),
            beta1: 0.9,
            preconditioner_rate: 0.5,
            bound_decay: 0.9,
            factor_period: 1,
            damping: 1e-4,
            clip_amplitude: 2.0,
        }
    }
}

impl Settings for PsgdKronSettings {}

impl Build for PsgdKronSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(PsgdKron::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
    }

    fn tunable(&self) -> &'static [&'static str] {
        &["learning_rate", "beta1", "preconditioner_rate", "clip_norm"]
    }
}

/// The preconditioner P_L ⊗ P_R of a map, with the bound of the curvature of either side.
#[derive(Debug, Clone)]
pub(super) struct KroneckerPreconditioner {
    /// P_L, symmetric and positive definite, `[rows, rows]`.
    pub left: Mat<f64>,
    /// P_R, symmetric and positive definite, `[columns, columns]`.
    pub right: Mat<f64>,
    bounds: (f64, f64),
    /// The average of the mean square of the entries of the gradient.
    square: f64,
}

/// How far a preconditioner moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    /// The rate μ.
    pub rate: f64,
    /// The decay of the bounds.
    pub bound_decay: f64,
    /// The damping.
    pub damping: f64,
}

impl KroneckerPreconditioner {
    /// The multiple of the identity that gives one gradient a mean square of 1; the identity if that is zero.
    pub(super) fn of(gradient: &Mat<f64>) -> Self {
        let square = mean_square(gradient);
        let value = if square > 0.0 {
            square.powf(-0.25)
        } else {
            1.0
        };
        let identity = |size: usize| faer::Scale(value) * Mat::<f64>::identity(size, size);
        Self {
            left: identity(gradient.nrows()),
            right: identity(gradient.ncols()),
            bounds: (0.0, 0.0),
            square,
        }
    }

    /// P_L G P_R
    pub(super) fn apply(&self, gradient: &Mat<f64>) -> Mat<f64> {
        &self.left * gradient * &self.right
    }

    /// What a gradient leaves to do on both sides, for a variance κ of every entry.
    pub(super) fn excess(&self, gradient: &Mat<f64>, variance: f64) -> (Excess, Excess) {
        let white = self.apply(gradient);
        let (rows, columns) = (&white * white.transpose(), white.transpose() * &white);
        let least = if rows.nrows() < columns.nrows() {
            &rows
        } else {
            &columns
        };
        // Both products have the same eigenvalues but for zeros, of which this is a power mean times their number's root.
        let greatest = (least * least).norm_l2().sqrt();
        let (left, right) = (&self.left * &self.left, &self.right * &self.right);
        let (of_left, of_right) = (variance * trace(&right), variance * trace(&left));
        let (height, width) = (gradient.nrows() as f64, gradient.ncols() as f64);
        (
            Excess::new(rows, greatest, faer::Scale(of_left) * left, width),
            Excess::new(columns, greatest, faer::Scale(of_right) * right, height),
        )
    }

    /// Moves both sides by a gradient.
    pub(super) fn update(&mut self, gradient: &Mat<f64>, by: Rates) {
        let square = mean_square(gradient);
        // Behind a head that begins at zero the first gradient of a map is zero, which has no scale.
        if self.square == 0.0 {
            *self = Self::of(gradient);
            if square == 0.0 {
                return;
            }
        }
        self.square = by.bound_decay * self.square + (1.0 - by.bound_decay) * square;
        let (left, right) = self.excess(gradient, by.damping * self.square);
        left.take_from(&mut self.left, &mut self.bounds.0, by);
        right.take_from(&mut self.right, &mut self.bounds.1, by);
    }
}

/// E = WWᵀ + κ tr(P_R²) P_L² − c I of the left side for W = P_L G P_R of c columns, or the same of the right one, and a bound
/// of its spectral norm.
pub(super) struct Excess {
    /// The matrix E.
    pub matrix: Mat<f64>,
    bound: f64,
}

impl Excess {
    fn new(product: Mat<f64>, greatest: f64, damping: Mat<f64>, level: f64) -> Self {
        let size = product.nrows();
        let row = |r: usize| (0..size).map(|c| damping[(r, c)].abs()).sum::<f64>();
        let of_damping = (0..size).map(row).fold(0.0, f64::max);
        Self {
            matrix: product + damping - faer::Scale(level) * Mat::<f64>::identity(size, size),
            bound: greatest + of_damping + level,
        }
    }

    /// P ← (I − aE) P (I − aE) with a = μ/(2ℓ) and ℓ at least the bound of ‖E‖.
    fn take_from(self, p: &mut Mat<f64>, bound: &mut f64, by: Rates) {
        let size = p.nrows();
        let decayed = by.bound_decay * *bound + (1.0 - by.bound_decay) * self.bound;
        *bound = decayed.max(self.bound);
        let excess = faer::Scale(0.5 * by.rate / *bound) * self.matrix;
        let factor = Mat::<f64>::identity(size, size) - excess;
        let product = &factor * &*p * &factor;
        *p = faer::Scale(0.5) * (&product + product.transpose());
    }
}

fn trace(matrix: &Mat<f64>) -> f64 {
    matrix.diagonal().column_vector().iter().sum()
}

impl Stateful for KroneckerPreconditioner {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("left", &mut self.left)?;
        state.field("right", &mut self.right)?;
        state.field("bounds", &mut self.bounds)?;
        state.field("square", &mut self.square)
    }
}

impl Empty for KroneckerPreconditioner {
    fn empty() -> Self {
        Self::of(&Mat::new())
    }
}

/// PSGD with a Kronecker-factored preconditioner: −η P_L m̂ P_R for every map, with m̂ the average of gradients and P = P_L ⊗ P_R
/// such that the preconditioned gradient is white.
///
/// P minimises E[gᵀPg + vᵀP⁻¹v] for v ~ N(0, I), for a dense P where P E[ggᵀ] P = I. No v is drawn: its expectation is known.
/// With W = P_L G P_R of c columns and r rows both sides move by
///
/// E_L = WWᵀ + κ tr(P_R²) P_L² − c I,  E_R = WᵀW + κ tr(P_L²) P_R² − r I,  P ← (I − aE) P (I − aE),  a = μ/(2ℓ)
///
/// with μ the `preconditioner_rate` and ℓ a bound of ‖E‖ that decays: a congruence, which keeps P positive without any
/// decomposition. κ is `damping` times the mean square of the entries of G, the variance of noise that is added to them, in
/// expectation too. At rest P_L⁻² ⊗ P_R⁻² is the covariance of [`super::KlShampoo`]. The start is the multiple of the identity
/// that fits the first gradient, and the root mean square of P_L m̂ P_R is bounded for every map.
///
/// # References
/// Li (2015), "Preconditioned stochastic gradient descent", arXiv 1512.04202; Li (2018), "Preconditioner on matrix Lie group for
/// SGD", arXiv 1809.10232: the criterion for whitening; Li (2024), "Stochastic Hessian fittings with Lie groups", arXiv
/// 2402.11858: its moves without inverses, of which the quadratic one is taken here.
#[derive(Debug, Clone)]
pub struct PsgdKron {
    settings: PsgdKronSettings,
    average: Vec<Mat<f64>>,
    count: i32,
    maps: Vec<KroneckerPreconditioner>,
}

impl PsgdKron {
    /// PSGD before its first step.
    pub fn new(settings: PsgdKronSettings) -> Self {
        Self {
            settings,
            average: Vec::new(),
            count: 0,
            maps: Vec::new(),
        }
    }
}

impl Stateful for PsgdKron {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("average", &mut self.average)?;
        state.field("count", &mut self.count)?;
        state.field("maps", &mut self.maps)
    }
}

impl Optimizer for PsgdKron {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let PsgdKronSettings {
            beta1,
            preconditioner_rate,
            bound_decay,
            factor_period,
            damping,
            clip_amplitude,
            ..
        } = self.settings;
        let rate = self.settings.rate.at(batch);
        let gradient = clipped(batch.gradient, self.settings.rate.clip_norm);
        if self.maps.is_empty() {
            self.maps = gradient.iter().map(KroneckerPreconditioner::of).collect();
            self.average = zeros(&gradient);
        }
        let rates = Rates {
            rate: preconditioner_rate,
            bound_decay,
            damping,
        };
        self.count += 1;
        let correction = 1.0 / (1.0 - beta1.powi(self.count));
        let mut greatest = 0.0_f64;
        let mut change = Vec::with_capacity(gradient.len());
        for ((map, average), gradient) in self.maps.iter_mut().zip(&mut self.average).zip(&gradient)
        {
            if batch.step.is_multiple_of(factor_period) {
                map.update(gradient, rates);
            }
            *average = faer::Scale(beta1) * &*average + faer::Scale(1.0 - beta1) * gradient;
            let direction = faer::Scale(correction) * map.apply(average);
            let amplitude = mean_square(&direction).sqrt();
            greatest = greatest.max(amplitude);
            let clip = (clip_amplitude / amplitude).min(1.0);
            change.push(faer::Scale(-rate * clip) * direction);
        }
        let mut statistics = statistics(batch, rate);
        statistics.insert("amplitude".into(), json!(greatest));
        Ok(Proposal { change, statistics })
    }
}
