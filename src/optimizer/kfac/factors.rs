use super::chain::Range;
use super::{Approximation, Inverse, LinearGaussianChain, SymmetricChain};
use crate::error::Result;
use crate::linalg::{spectral_power, symmetric_eigen};
use crate::network::{Moments, Record};
use crate::optimizer::moving_average::{Average, mixed};
use crate::optimizer::{Empty, State, Stateful};
use crate::simd::Real;
use faer::Mat;

/// Averaged Kronecker factors of one linear map.
///
/// A_d = E (1/T) Σ_t a_{t+d} a_tᵀ and G_d = E Σ_t g_{t+d} g_tᵀ for d = 0, 1, over T dates. The sum over time sits in G, so
/// A₀ ⊗ G₀ is the expand approximation of the whole metric. Both divide by T and not by the number of pairs,
/// which keeps the joint covariance of neighbouring dates positive semidefinite.
///
/// The exponential average is `(decay·w·C + C_new)/(decay·w + 1)` with `w ← decay·w + 1`: no bias to zero.
///
/// # References
/// Martens, Ba and Johnson (2018), "Kronecker-factored curvature approximations for recurrent neural
/// networks", section 3.5.
#[derive(Debug, Clone, Default)]
pub struct MapFactors {
    average: Average,
    /// The number T of dates.
    steps: usize,
    /// Gates whose rows take turns in G.
    gates: usize,
    lags: Vec<Moments>,
}

impl Stateful for Moments {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("inputs", &mut self.inputs)?;
        state.field("gradients", &mut self.gradients)
    }
}

impl Empty for Moments {
    fn empty() -> Self {
        Self {
            inputs: Mat::new(),
            gradients: Mat::new(),
        }
    }
}

impl Empty for MapFactors {
    fn empty() -> Self {
        Self::default()
    }
}

impl Stateful for MapFactors {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("average", &mut self.average)?;
        state.field("steps", &mut self.steps)?;
        state.field("gates", &mut self.gates)?;
        state.field("lags", &mut self.lags)
    }
}

impl MapFactors {
    /// Averages in those moments of every map of `record`, whose gradients are scaled by √h, that the approximation needs; gives
    /// the share of the past in the average.
    pub fn update_all<R: Real>(
        maps: &mut Vec<Self>,
        record: &Record<R>,
        decay: f64,
        approximation: Approximation,
    ) -> f64 {
        let lags = match approximation {
            Approximation::Expand | Approximation::Reduce => 1,
            Approximation::SymmetricChain | Approximation::Chain => 2,
        };
        maps.resize_with(record.sizes().len(), Self::default);
        let mut share = 0.0;
        for (map, factors) in maps.iter_mut().enumerate() {
            share = factors.average.next(decay);
            factors.steps = record.steps();
            factors.gates = record.gates(map);
        }
        let paths = record.paths() as f64;
        record.each_moments(lags, |map, lag, new| {
            let inputs = faer::Scale(1.0 / (paths * record.steps() as f64)) * &new.inputs;
            let gradients = faer::Scale(1.0 / paths) * &new.gradients;
            let averages = &mut maps[map].lags;
            match averages.get_mut(lag) {
                Some(average) => {
                    average.inputs = mixed(Some(&average.inputs), inputs, share);
                    average.gradients = mixed(Some(&average.gradients), gradients, share);
                }
                None => averages.push(Moments { inputs, gradients }),
            }
        });
        share
    }

    /// What the inverses of several maps cost, relative to each other: their sizes cubed.
    pub fn costs(maps: &[Self]) -> Vec<f64> {
        let cost = |factors: &Self| {
            let now = factors.now();
            inversion_cost(&now.inputs, &now.gradients)
        };
        maps.iter().map(cost).collect()
    }

    fn now(&self) -> &Moments {
        self.lags.first().expect("factors are updated before use")
    }

    /// The number of gates whose rows take turns in G.
    pub fn gates(&self) -> usize {
        self.gates
    }

    /// The factors of every gate: A of all, and the rows and columns of G that are its own.
    pub fn separate(&self) -> Vec<Self> {
        let gate = |gate: usize| {
            let own = |all: &Mat<f64>| {
                let size = all.nrows() / self.gates;
                Mat::from_fn(size, size, |row, column| {
                    all[(row * self.gates + gate, column * self.gates + gate)]
                })
            };
            let lags = self.lags.iter().map(|moments| Moments {
                inputs: moments.inputs.clone(),
                gradients: own(&moments.gradients),
            });
            Self {
                average: self.average.clone(),
                steps: self.steps,
                gates: 1,
                lags: lags.collect(),
            }
        };
        (0..self.gates).map(gate).collect()
    }

    /// The inverse of the metric with [`factored_damping`]; the lagged factors stay undamped.
    ///
    /// # Errors
    /// If a decomposition fails.
    pub fn inverse(&self, approximation: Approximation, damping: f64) -> Result<Inverse> {
        let (a0, g0) = self.damped(damping);
        let lagged = || {
            let next = self.lags.get(1).expect("a chain averages two lags");
            (&next.inputs, &next.gradients)
        };
        Ok(match approximation {
            Approximation::Expand | Approximation::Reduce => {
                Inverse::Symmetric(SymmetricChain::independent(&a0, &g0)?)
            }
            Approximation::SymmetricChain => {
                let (a1, g1) = lagged();
                Inverse::Symmetric(SymmetricChain::new(&a0, a1, &g0, g1, self.steps)?)
            }
            Approximation::Chain => {
                let (a1, g1) = lagged();
                Inverse::Limit(LinearGaussianChain::new(&a0, a1, &g0, g1)?)
            }
        })
    }

    /// The factors A₀ and G₀ with [`factored_damping`].
    pub fn damped(&self, damping: f64) -> (Damped, Damped) {
        let now = self.now();
        factored_damping(&now.inputs, &now.gradients, damping)
    }
}

/// What inverting two factors costs, relative to other pairs: d_A³ + d_G³.
pub fn inversion_cost(a: &Mat<f64>, g: &Mat<f64>) -> f64 {
    [a, g].map(|m| (m.nrows() as f64).powi(3)).iter().sum()
}

/// A positive semidefinite factor with its damping, C + d I.
#[derive(Debug, Clone)]
pub struct Damped {
    /// The sum C + d I, `[size, size]`.
    pub matrix: Mat<f64>,
    /// The damping d.
    pub damping: f64,
}

impl Damped {
    /// The root (C + d I)^{-½}, and the least and the greatest eigenvalue of C + d I.
    ///
    /// No eigenvalue of C + d I is below d, and none is known better than n ε times the greatest: where rounding leaves one
    /// below both it counts as the larger of them, so that a singular factor has an inverse of a size that can be told.
    ///
    /// # Errors
    /// If the matrix has a value that is not finite.
    pub fn inverse_root(&self) -> Result<(Mat<f64>, Range)> {
        let (values, vectors) = symmetric_eigen(&self.matrix)?;
        let greatest = values[values.len() - 1];
        let rounding = values.len() as f64 * f64::EPSILON * greatest;
        let least = self.damping.max(rounding).max(f64::MIN_POSITIVE);
        let range = (values[0].max(least), greatest.max(least));
        Ok((spectral_power(&values, &vectors, -0.5, least), range))
    }
}

/// The factors A + π√λ I and G + (√λ/π) I of a damped Kronecker product, with π² = (tr A/d_A)/(tr G/d_G).
///
/// π is in one over units of money, as G is in their square and A has none.
///
/// # References
/// Martens and Grosse (2015), section 6.3.
pub fn factored_damping(a: &Mat<f64>, g: &Mat<f64>, damping: f64) -> (Damped, Damped) {
    let pi = balance(a, g);
    let damped = |m: &Mat<f64>, damping: f64| Damped {
        matrix: m + faer::Scale(damping) * Mat::<f64>::identity(m.nrows(), m.ncols()),
        damping,
    };
    (
        damped(a, pi * damping.sqrt()),
        damped(g, damping.sqrt() / pi),
    )
}

/// The ratio π = √((tr A/d_A)/(tr G/d_G)) that divides damping between two factors; 1 where a factor has no trace.
pub fn balance(a: &Mat<f64>, g: &Mat<f64>) -> f64 {
    let mean_diagonal =
        |m: &Mat<f64>| m.diagonal().column_vector().iter().sum::<f64>() / m.nrows() as f64;
    let ratio = mean_diagonal(a) / mean_diagonal(g);
    // A factor without trace (no path carries weight) leaves nothing to balance.
    if ratio.is_finite() && ratio > 0.0 {
        ratio.sqrt()
    } else {
        1.0
    }
}
