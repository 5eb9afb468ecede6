//! How what training sees comes to what is measured as the training passes.

use super::Plan;
use crate::network::{Relaxation, Sweep};

/// A width w, or another measure of how far training sees something smooth that is not: w = w₀ (w₁/w₀)^s at the share s of the
/// training that has passed; w₀ (1 − s) where w₁ is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    /// The width w₀ at the beginning, at least 0.
    pub start: f64,
    /// The width w₁ at the end, at least 0.
    pub end: f64,
}

impl Smoothing {
    /// The width where the share `progress` of the training has passed.
    pub fn width(&self, progress: f64) -> f64 {
        match self.start > 0.0 && self.end > 0.0 {
            true => self.start * (self.end / self.start).powf(progress),
            false => self.start * (1.0 - progress) + self.end * progress,
        }
    }
}

/// How actions and limits are relaxed in training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relaxing {
    /// The leak of bands, as a share.
    pub leak: Smoothing,
    /// The width over which limits are smooth, in units of the position.
    pub limits: Smoothing,
    /// The width over which the step from one lot to the next is smooth, in lots.
    pub lots: Smoothing,
}

impl Relaxing {
    /// What is relaxed where the share `progress` of the training has passed.
    pub fn at(&self, progress: f64) -> Relaxation {
        Relaxation {
            leak: self.leak.width(progress),
            limits: self.limits.width(progress),
            lots: self.lots.width(progress),
        }
    }
}

impl Plan {
    /// Whether training sees other positions than those that are measured.
    pub fn relaxes(&self) -> bool {
        let actor = self.actor();
        !self.limits.is_none()
            || actor.clone().relaxed(self.relaxing.at(0.0)).actions() != actor.actions()
    }

    /// The sweep that training takes where the share `progress` of it has passed.
    pub fn training_sweep(&self, progress: f64) -> Box<dyn Sweep<f32>> {
        let mut sweep = self.sweep();
        sweep.relax(self.relaxing.at(progress));
        sweep
    }
}
