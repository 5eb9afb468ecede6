//! Optimizers: all of them see the gradient of the risk and the sweep record, and propose a step.

mod adam;
mod adamw;
mod average;
mod cg_fac;
mod curvature;
mod curvature_pairs;
#[cfg(test)]
mod dense;
mod eigenbasis;
mod ekfac;
mod first_order;
#[cfg(test)]
mod first_order_tests;
mod gauss_newton;
mod gradient_moments;
#[cfg(test)]
mod hessian_tests;
mod inverse_root;
mod kfac;
mod kfoc;
mod kl_shampoo;
mod lamb;
#[cfg(test)]
mod matrix_tests;
mod mlbfgs;
#[cfg(test)]
mod mlbfgs_tests;
mod moments;
mod moving_average;
mod muon;
mod psgd_kron;
mod schedule;
mod settings;
mod sgd;
mod shampoo;
mod singd;
mod soap;
mod state;
#[cfg(test)]
mod tests;
mod whitened_muon;
#[cfg(test)]
mod whitening_tests;

pub use adam::{Adam, AdamSettings};
pub use adamw::{AdamW, AdamWSettings};
pub use average::{Averaging, WeightAverage};
pub use cg_fac::{CgFacInverse, CgFacMetric, CgFacSettings};
pub use curvature::{
    ControlSettings, Curvature, DampingRule, Metric, MetricInverse, Solution, StepRule,
};
pub use curvature_pairs::CurvaturePairs;
pub use eigenbasis::RenewedBasis;
pub use ekfac::{Basis, Eigenbasis, EkfacInverse, EkfacMetric, EkfacSettings};
pub use first_order::RateSettings;
pub use gauss_newton::{
    GaussNewtonMetric, GaussNewtonSettings, MOST_PATHS, Woodbury, WoodburyInverse,
};
pub use gradient_moments::GradientMoments;
pub use inverse_root::{InverseRoot, Move};
pub use kfac::{
    Approximation, Damped, Gates, Inverse, KfacInverse, KfacMetric, KfacSettings,
    LinearGaussianChain, MapFactors, SymmetricChain,
};
pub use kfoc::{KfocInverse, KfocMetric, KfocSettings, KroneckerPair};
pub use kl_shampoo::{KlShampoo, KlShampooSettings};
pub use lamb::{Lamb, LambSettings};
pub use mlbfgs::{Mlbfgs, MlbfgsSettings};
pub use moments::AdaptiveMoments;
pub use muon::{Muon, MuonSettings, newton_schulz};
pub use psgd_kron::{PsgdKron, PsgdKronSettings};
pub use schedule::{Schedule, cosine_with_warm_up};
pub use settings::{Build, Family, Method, Settings};
pub use sgd::{Sgd, SgdSettings};
pub use shampoo::{Grafting, Shampoo, ShampooSettings};
pub use singd::{SingdInverse, SingdMetric, SingdSettings, Variant};
pub use soap::{Soap, SoapSettings};
pub use state::{Empty, State, Stateful, Tensors};
pub use whitened_muon::{WhitenedMuonInverse, WhitenedMuonMetric, WhitenedMuonSettings};

use crate::distributed::Workers;
use crate::error::Result;
use crate::network::Record;
use crate::risk::CurvatureWeights;
use faer::Mat;
use serde_json::{Map, Value};

/// What an optimizer sees of a batch. No optimizer knows a currency: P&L z, risk ρ and their derivatives are in the unit of
/// money that the training chose (see [`crate::strategy::Plan::money_unit`]).
pub struct Batch<'a> {
    /// The gradient ∂ρ/∂W of every linear map, `[rows, columns]`.
    pub gradient: &'a [Mat<f64>],
    /// The weights W at which the gradient was taken.
    pub parameters: &'a [Mat<f64>],
    /// The record of the curvature paths, gradients scaled by √h; as many paths as were asked for.
    pub record: Option<&'a Record<f32>>,
    /// The scale c, with which the Hessian of ρ in the weights is about (c/n) Σ_b h_b J_b J_bᵀ; in one over units of money.
    pub curvature: f64,
    /// The greatest |gᵀs| that a step s can have whose root mean square √((1/n) Σ_b h_b (J_b·s)²) over all paths of the batch is 1
    /// ([`crate::risk::Risk::steepest`]); infinite where none is known, or none was asked for.
    pub steepest: f64,
    /// Who makes, keeps and applies what is made of every map.
    pub workers: &'a Workers,
    /// This step's number, from 0.
    pub step: usize,
    /// The share of the training that is over, in [0, 1).
    pub progress: f64,
}

/// A proposed change of the parameters, with the optimizer's own statistics.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// What is added to the weights of every map, `[rows, columns]` each.
    pub change: Vec<Mat<f64>>,
    /// Numbers of the step by their names; see [`crate::training::TrainingPoint::statistics`] for their units.
    pub statistics: Map<String, Value>,
}

/// A method of training.
pub trait Optimizer: Stateful + Send {
    /// The number of paths whose record the step needs; 0 for first-order methods.
    fn curvature_paths(&self, step: usize) -> usize;

    /// The weights of the paths in the curvature.
    fn weights(&self) -> CurvatureWeights {
        CurvatureWeights::ByMeasure
    }

    /// Whether a step is bounded by [`Batch::steepest`], which takes a pass over all paths to find.
    fn wants_steepest(&self) -> bool {
        false
    }

    /// The change of the parameters.
    ///
    /// # Errors
    /// If a decomposition fails.
    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal>;

    /// Whether the risk on the same paths after step `step` is wanted.
    fn wants_trial(&self, _step: usize) -> bool {
        false
    }

    /// Tells the risk on the step's paths before and after it, in units of money.
    fn trial(&mut self, _before: f64, _after: f64) {}
}
