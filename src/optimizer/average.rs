use super::{State, Stateful};
use crate::error::Result;
use faer::Mat;

/// Which average of the weights along a training is the trained policy.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Averaging {
    /// The last weights.
    #[default]
    None,
    /// Exponentially decaying: W̄_n = Σ_k β^{n−k} W_k / Σ_k β^{n−k}.
    Exponential {
        /// The decay β in [0, 1).
        decay: f64,
    },
    /// The mean of the weights after a share of the training, stochastic weight averaging. It is meant for a constant
    /// learning rate: one that decays to 0 leaves little to average.
    Swa {
        /// The share of the training, in [0, 1), before which weights do not count.
        start: f64,
    },
}

/// A running average of weights.
///
/// # References
/// Polyak and Juditsky (1992), "Acceleration of stochastic approximation by averaging"; Izmailov et al. (2018), "Averaging weights leads to wider optima and better
/// generalization".
#[derive(Debug, Clone, Default)]
pub struct WeightAverage {
    averaging: Averaging,
    count: i32,
    weights: Vec<Mat<f64>>,
}

impl Stateful for WeightAverage {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("count", &mut self.count)?;
        state.field("weights", &mut self.weights)
    }
}

impl WeightAverage {
    /// Nothing averaged yet.
    pub fn new(averaging: Averaging) -> Self {
        Self {
            averaging,
            ..Self::default()
        }
    }

    /// Whether weights count once the share `done` of the training is over.
    pub fn takes(&self, done: f64) -> bool {
        match self.averaging {
            Averaging::None => false,
            Averaging::Swa { start } => done > start,
            Averaging::Exponential { .. } => true,
        }
    }

    /// Takes in the weights after a step, if [`Self::takes`] says so; `done` is the share of the training that is over
    /// then.
    pub fn update(&mut self, weights: &[Mat<f64>], done: f64) {
        if !self.takes(done) {
            return;
        }
        let count = self.count + 1;
        let new = match self.averaging {
            Averaging::None => return,
            Averaging::Swa { .. } => 1.0 / f64::from(count),
            Averaging::Exponential { decay } => (1.0 - decay) / (1.0 - decay.powi(count)),
        };
        self.count = count;
        if self.weights.is_empty() {
            self.weights = weights.to_vec();
        }
        for (average, weights) in self.weights.iter_mut().zip(weights) {
            *average = faer::Scale(1.0 - new) * &*average + faer::Scale(new) * weights;
        }
    }

    /// The average, if anything has been averaged yet.
    pub fn weights(&self) -> Option<&[Mat<f64>]> {
        (self.count > 0).then_some(&self.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights 1, 2, 4, 8 after a quarter of the training each.
    fn average(averaging: Averaging) -> Option<f64> {
        let mut average = WeightAverage::new(averaging);
        for (step, weight) in [1.0, 2.0, 4.0, 8.0].into_iter().enumerate() {
            average.update(&[Mat::full(1, 1, weight)], (step + 1) as f64 / 4.0);
        }
        average.weights().map(|weights| weights[0][(0, 0)])
    }

    /// (β³·1 + β²·2 + β·4 + 8)/(β³ + β² + β + 1) with β = ½ is 17/3; the mean of the second half is 6; no average
    /// without averaging.
    #[test]
    fn averages_by_hand() {
        let exponential = average(Averaging::Exponential { decay: 0.5 }).unwrap();
        assert!((exponential - 17.0 / 3.0).abs() < 1e-12);
        let swa = average(Averaging::Swa { start: 0.5 }).unwrap();
        assert!((swa - 6.0).abs() < 1e-12);
        assert_eq!(average(Averaging::None), None);
    }
}
