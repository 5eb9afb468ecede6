use super::first_order::{RateSettings, clipped, statistics, zeros};
use super::{
    AdaptiveMoments, Batch, Build, Family, GradientMoments, Optimizer, Proposal, RenewedBasis,
    Settings, State, Stateful,
};
use crate::error::Result;
use crate::linalg::symmetric_eigen;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Settings of [`Soap`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SoapSettings {
    /// The learning rate, its schedule and the clipping of gradients.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Decay of the average of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta1: f64,
    /// Decay of the average of their squares in the eigenbases.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta2: f64,
    /// Decay of the averages L and R.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub factor_decay: f64,
    /// Steps between renewals of the eigenbases.
    #[schemars(range(min = 1))]
    pub factor_period: usize,
}

impl Default for SoapSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings::of(0.05),
            beta1: 0.8,
            beta2: 0.95,
            factor_decay: 0.9,
            factor_period: 1,
        }
    }
}

impl Settings for SoapSettings {}

impl Build for SoapSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Soap::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
    }

    fn tunable(&self) -> &'static [&'static str] {
        &["learning_rate", "beta1", "beta2", "clip_norm"]
    }
}

/// SOAP: Adam in the eigenbases Q_L of L and Q_R of R, −η Q_L Adam(Q_Lᵀ g Q_R) Q_Rᵀ.
///
/// The first gradient only starts L and R, and nothing moves. The bases are renewed after every `factor_period`th step
/// by one step of orthogonal iteration, Q ← qr(LQ) with the columns in decreasing order of qᵀLq; the average gradient
/// moves to the new bases with them, the squares keep to their columns.
///
/// # References
/// Vyas et al. (2024), "SOAP: improving and stabilizing Shampoo using Adam", algorithms 3 and 4.
#[derive(Debug, Clone)]
pub struct Soap {
    settings: SoapSettings,
    adam: AdaptiveMoments,
    moments: Vec<GradientMoments>,
    /// The bases (Q_L, Q_R) of every map.
    bases: Vec<(Mat<f64>, Mat<f64>)>,
    off_diagonal: f64,
}

impl Soap {
    /// SOAP before its first step.
    pub fn new(settings: SoapSettings) -> Self {
        Self {
            settings,
            adam: AdaptiveMoments::new(settings.beta1, settings.beta2),
            moments: Vec::new(),
            bases: Vec::new(),
            off_diagonal: 0.0,
        }
    }

    fn start(&mut self, gradient: &[Mat<f64>]) -> Result<()> {
        for gradient in gradient {
            let mut moments = GradientMoments::new(self.settings.factor_decay, gradient);
            moments.update(gradient);
            let (left, right) = moments.sides();
            self.bases
                .push((symmetric_eigen(&left)?.1, symmetric_eigen(&right)?.1));
            self.moments.push(moments);
        }
        Ok(())
    }

    fn renew_bases(&mut self) {
        self.off_diagonal = 0.0;
        for (map, (moments, bases)) in self.moments.iter().zip(&mut self.bases).enumerate() {
            let (left, right) = moments.sides();
            let (rows, columns) = (
                RenewedBasis::of(&left, &bases.0),
                RenewedBasis::of(&right, &bases.1),
            );
            self.off_diagonal = (self.off_diagonal)
                .max(rows.off_diagonal)
                .max(columns.off_diagonal);
            let (mean, square) = self.adam.averages(map);
            *mean = (rows.basis.transpose() * &bases.0)
                * &*mean
                * (bases.1.transpose() * &columns.basis);
            *square = Mat::from_fn(rows.places.len(), columns.places.len(), |r, c| {
                square[(rows.places[r], columns.places[c])]
            });
            *bases = (rows.basis, columns.basis);
        }
    }
}

impl Stateful for Soap {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("adam", &mut self.adam)?;
        state.field("moments", &mut self.moments)?;
        state.field("bases", &mut self.bases)?;
        state.field("off_diagonal", &mut self.off_diagonal)
    }
}

impl Optimizer for Soap {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let rate = self.settings.rate.at(batch);
        let mut statistics = statistics(batch, rate);
        let gradient = clipped(batch.gradient, self.settings.rate.clip_norm);
        if self.bases.is_empty() {
            self.start(&gradient)?;
            statistics.insert("off_diagonal".into(), json!(0.0));
            return Ok(Proposal {
                change: zeros(&gradient),
                statistics,
            });
        }
        let rotated: Vec<Mat<f64>> = (gradient.iter().zip(&self.bases))
            .map(|(gradient, (left, right))| left.transpose() * gradient * right)
            .collect();
        let direction = self.adam.direction(&rotated, -rate);
        let change = (direction.iter().zip(&self.bases))
            .map(|(direction, (left, right))| left * direction * right.transpose())
            .collect();
        for (moments, gradient) in self.moments.iter_mut().zip(&gradient) {
            moments.update(gradient);
        }
        if batch.step.is_multiple_of(self.settings.factor_period) {
            self.renew_bases();
        }
        statistics.insert("off_diagonal".into(), json!(self.off_diagonal));
        Ok(Proposal { change, statistics })
    }
}
