use super::first_order::{RateSettings, clipped, statistics, zeros};
use super::{
    Batch, Build, Empty, Family, Optimizer, Proposal, RenewedBasis, Settings, State, Stateful,
};
use crate::error::Result;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Settings of [`KlShampoo`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KlShampooSettings {
    /// The learning rate, its schedule and the clipping of gradients.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Decay of the average of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta1: f64,
    /// Decay of the averages of both factors and of their eigenvalues.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub factor_decay: f64,
    /// Steps between renewals of the eigenbases.
    #[schemars(range(min = 1))]
    pub factor_period: usize,
    /// Variance that is added to every entry of the gradient, as a share of the mean of their squares.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub damping: f64,
}

impl Default for KlShampooSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings::of(0.05),
            beta1: 0.8,
            factor_decay: 0.95,
            factor_period: 1,
            damping: 1e-4,
        }
    }
}

impl Settings for KlShampooSettings {}

impl Build for KlShampooSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(KlShampoo::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
    }

    fn tunable(&self) -> &'static [&'static str] {
        &["learning_rate", "beta1", "factor_decay", "clip_norm"]
    }
}

/// One side of a map: its factor S, the basis Q of its eigenvectors and the eigenvalues λ in it.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    /// The factor S, `[size, size]`.
    pub moment: Mat<f64>,
    /// The basis Q, `[size, size]`.
    pub basis: Mat<f64>,
    /// The eigenvalues λ, `[size, 1]`.
    pub values: Mat<f64>,
}

impl Factor {
    /// The multiple of the identity.
    fn of_size(size: usize, value: f64) -> Self {
        let identity = Mat::<f64>::identity(size, size);
        Self {
            moment: faer::Scale(value) * &identity,
            basis: identity,
            values: Mat::full(size, 1, value),
        }
    }

    /// λ^power for every eigenvector.
    fn powers(&self, power: f64) -> Vec<f64> {
        let values = 0..self.values.nrows();
        values.map(|i| self.values[(i, 0)].powf(power)).collect()
    }

    /// Averages in the new moment `half · halfᵀ + ridge` for `half` `[size, other]`; λ takes in its diagonal in the basis.
    fn update(&mut self, half: &Mat<f64>, ridge: f64, decay: f64) {
        let size = self.moment.nrows();
        let new = half * half.transpose() + faer::Scale(ridge) * Mat::<f64>::identity(size, size);
        self.moment = faer::Scale(decay) * &self.moment + faer::Scale(1.0 - decay) * new;
        let seen = self.basis.transpose() * half;
        for i in 0..size {
            let square: f64 = (0..seen.ncols()).map(|c| seen[(i, c)] * seen[(i, c)]).sum();
            self.values[(i, 0)] = decay * self.values[(i, 0)] + (1.0 - decay) * (square + ridge);
        }
    }

    /// One step of orthogonal iteration; eigenvalues keep to their columns.
    fn renew(&mut self) -> f64 {
        let renewed = RenewedBasis::of(&self.moment, &self.basis);
        let places = &renewed.places;
        self.values = Mat::from_fn(places.len(), 1, |i, _| self.values[(places[i], 0)]);
        self.basis = renewed.basis;
        renewed.off_diagonal
    }
}

impl Stateful for Factor {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("moment", &mut self.moment)?;
        state.field("basis", &mut self.basis)?;
        state.field("values", &mut self.values)
    }
}

impl Empty for Factor {
    fn empty() -> Self {
        Self::of_size(0, 0.0)
    }
}

/// Both factors of a map.
#[derive(Debug, Clone)]
pub(super) struct Covariance {
    /// The factor S_a of rows.
    pub rows: Factor,
    /// The factor S_b of columns.
    pub columns: Factor,
    /// The average of the mean square of the entries of the gradient.
    pub square: f64,
}

impl Covariance {
    /// The multiple of the identity that has the least divergence from one gradient; the identity if that is zero.
    pub(super) fn of(gradient: &Mat<f64>) -> Self {
        let square = mean_square(gradient);
        let value = if square > 0.0 { square.sqrt() } else { 1.0 };
        Self {
            rows: Factor::of_size(gradient.nrows(), value),
            columns: Factor::of_size(gradient.ncols(), value),
            square,
        }
    }

    /// Averages in a gradient, each factor by the inverse of the other one before.
    pub(super) fn update(&mut self, gradient: &Mat<f64>, decay: f64, damping: f64) {
        // Behind a head that begins at zero the first gradient of a map is zero, which has no scale.
        if self.square == 0.0 {
            *self = Self::of(gradient);
            if self.square == 0.0 {
                return;
            }
        }
        self.square = decay * self.square + (1.0 - decay) * mean_square(gradient);
        let ridge = damping * self.square;
        let (rows, columns) = (gradient.nrows() as f64, gradient.ncols() as f64);
        // G S_b^{-½} and Gᵀ S_a^{-½}, up to rotations from the right, which no product with its transpose sees.
        let left = whitened(gradient, &self.columns, columns.sqrt());
        let right = whitened(&gradient.transpose().to_owned(), &self.rows, rows.sqrt());
        let trace = |factor: &Factor| factor.powers(-1.0).iter().sum::<f64>();
        let (of_rows, of_columns) = (trace(&self.rows), trace(&self.columns));
        self.rows.update(&left, ridge * of_columns / columns, decay);
        self.columns.update(&right, ridge * of_rows / rows, decay);
    }

    /// Renews both bases; gives the greater share of a moment beside its diagonal in the old one.
    pub(super) fn renew(&mut self) -> f64 {
        self.rows.renew().max(self.columns.renew())
    }

    /// S_a^{-½} G S_b^{-½}
    pub(super) fn whiten(&self, gradient: &Mat<f64>) -> Mat<f64> {
        let (a, b) = (&self.rows, &self.columns);
        let seen = a.basis.transpose() * gradient * &b.basis;
        let (left, right) = (a.powers(-0.5), b.powers(-0.5));
        let scaled = Mat::from_fn(seen.nrows(), seen.ncols(), |r, c| {
            seen[(r, c)] * left[r] * right[c]
        });
        &a.basis * scaled * b.basis.transpose()
    }
}

/// G Q λ^{-½}/`scale` of the factor of the columns of G.
fn whitened(gradient: &Mat<f64>, factor: &Factor, scale: f64) -> Mat<f64> {
    let seen = gradient * &factor.basis;
    let roots = factor.powers(-0.5);
    Mat::from_fn(seen.nrows(), seen.ncols(), |r, c| {
        seen[(r, c)] * roots[c] / scale
    })
}

/// The mean of the squares of the entries.
pub(super) fn mean_square(matrix: &Mat<f64>) -> f64 {
    matrix.squared_norm_l2() / (matrix.nrows() * matrix.ncols()) as f64
}

impl Stateful for Covariance {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("rows", &mut self.rows)?;
        state.field("columns", &mut self.columns)?;
        state.field("square", &mut self.square)
    }
}

impl Empty for Covariance {
    fn empty() -> Self {
        Self {
            rows: Factor::empty(),
            columns: Factor::empty(),
            square: 0.0,
        }
    }
}

/// KL-Shampoo: −η S_a^{-½} m̂ S_b^{-½} for every map, with m̂ the average of gradients and S_a ⊗ S_b the covariance of a
/// Gaussian that has the least Kullback–Leibler divergence from one with the gradients' second moment.
///
/// D(N(0, E ggᵀ + κI) ‖ N(0, S_a ⊗ S_b)) is least where
///
/// S_a = (1/d_b) E[G S_b⁻¹ Gᵀ + κ tr(S_b⁻¹) I],  S_b = (1/d_a) E[Gᵀ S_a⁻¹ G + κ tr(S_a⁻¹) I]
///
/// for G of d_a rows and d_b columns; κ is `damping` times the mean square of the entries of G. Both sides are averaged with
/// `factor_decay` along the training, from the multiple of the identity that fits the first gradient. Each inverse is
/// Q diag(λ)⁻¹ Qᵀ: Q is renewed every `factor_period` steps by one step of orthogonal iteration, and λ is the average of the
/// diagonals of what S takes in, in the basis of its step.
///
/// # References
/// Lin, Lowe, Dangel, Eschenhagen, Xu and Grosse (2025), "Understanding and improving Shampoo and SOAP via Kullback–Leibler
/// minimization", arXiv 2509.03378: the divergence, its conditions and the scheme with QR. The paper names no ridge but κ, and
/// leaves the start to the program.
#[derive(Debug, Clone)]
pub struct KlShampoo {
    settings: KlShampooSettings,
    average: Vec<Mat<f64>>,
    count: i32,
    maps: Vec<Covariance>,
    off_diagonal: f64,
}

impl KlShampoo {
    /// KL-Shampoo before its first step.
    pub fn new(settings: KlShampooSettings) -> Self {
        Self {
            settings,
            average: Vec::new(),
            count: 0,
            maps: Vec::new(),
            off_diagonal: 0.0,
        }
    }
}

impl Stateful for KlShampoo {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("average", &mut self.average)?;
        state.field("count", &mut self.count)?;
        state.field("maps", &mut self.maps)?;
        state.field("off_diagonal", &mut self.off_diagonal)
    }
}

impl Optimizer for KlShampoo {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let KlShampooSettings {
            beta1,
            factor_decay,
            factor_period,
            damping,
            ..
        } = self.settings;
        let rate = self.settings.rate.at(batch);
        let gradient = clipped(batch.gradient, self.settings.rate.clip_norm);
        if self.maps.is_empty() {
            self.maps = gradient.iter().map(Covariance::of).collect();
            self.average = zeros(&gradient);
        }
        let renews = batch.step.is_multiple_of(factor_period);
        if renews {
            self.off_diagonal = 0.0;
        }
        self.count += 1;
        let correction = 1.0 / (1.0 - beta1.powi(self.count));
        let mut change = Vec::with_capacity(gradient.len());
        for ((map, average), gradient) in self.maps.iter_mut().zip(&mut self.average).zip(&gradient)
        {
            map.update(gradient, factor_decay, damping);
            if renews {
                self.off_diagonal = self.off_diagonal.max(map.renew());
            }
            *average = faer::Scale(beta1) * &*average + faer::Scale(1.0 - beta1) * gradient;
            change.push(faer::Scale(-rate * correction) * map.whiten(average));
        }
        let mut statistics = statistics(batch, rate);
        statistics.insert("off_diagonal".into(), json!(self.off_diagonal));
        Ok(Proposal { change, statistics })
    }
}
