//! How far a score is trusted, by what the paths that it chose have turned out to weigh.

use crate::error::Result;
use crate::optimizer::{State, Stateful};

/// The share ε of a sample that is drawn without regard to the score: π = ε B/P + (1 − ε) π⁰ for B paths of a pool of P, with π⁰ the probabilities
/// by the score alone.
///
/// A path that the score holds for worthless is then drawn with ε B/P at least, and weighs P/(εB) if it was not. Of the shares that it may
/// be, ε is the one with the least V·C over the steps of late: V(ε) = Σ_b w_b² π_b/π_b(ε) over the paths drawn, whose weights
/// w_b = ∂ρ/∂z_b have 1/π_b in them, is what Σ_b w_b² would be on average at ε, to which the variance of the gradient is in proportion;
/// C(ε) = 1 + κ Σ_b 1{w_b ≠ 0} π_b(ε)/(π_b B) is what a path costs, forward and, where it has weight, backward. One path of weight that the score
/// did not foresee makes V large at small ε and not at large ones. With ε = 1 the score is not used at all.
#[derive(Debug, Default)]
pub struct Defence {
    /// Discounted sums of V and C at every share.
    sums: [[f64; 2]; SHARES.len()],
}

/// What ε may be. The least lets no path stand for more than ten times as many as one of a plain sample.
const SHARES: [f64; 5] = [0.1, 0.2, 0.4, 0.7, 1.0];
/// What sums keep of the past over a step.
const KEPT: f64 = 0.98;
/// κ: what a path costs backward over what it costs forward.
pub const BACKWARD: f64 = 2.5;

/// A path of a sample: its probability by the score alone, that which it was drawn with, and its weight.
pub type Drawn = (f64, f64, f64);

impl Defence {
    /// ε
    pub fn share(&self) -> f64 {
        SHARES[self.place()]
    }

    /// How many times as much a gradient of the same variance costs without the score.
    pub fn gain(&self) -> Option<f64> {
        let cost = |place: usize| self.sums[place][0] * self.sums[place][1];
        (cost(0) > 0.0).then(|| cost(SHARES.len() - 1) / cost(self.place()))
    }

    fn place(&self) -> usize {
        let cost = |place: &usize| self.sums[*place][0] * self.sums[*place][1];
        let places = 0..SHARES.len();
        places
            .min_by(|a, b| cost(a).total_cmp(&cost(b)))
            .unwrap_or(0)
    }

    /// π at a share.
    pub fn mixed(share: f64, scored: f64, uniform: f64) -> f64 {
        share * uniform + (1.0 - share) * scored
    }

    /// Learns what a sample of a pool weighs, of whose paths each would be drawn with probability `uniform` without a score.
    pub fn learn(&mut self, drawn: &[Drawn], uniform: f64) {
        let per_path = 1.0 / drawn.len() as f64;
        for (share, [variance, cost]) in SHARES.iter().zip(&mut self.sums) {
            let (mut squares, mut carried) = (0.0, 0.0);
            for (scored, probability, weight) in drawn {
                let other = Self::mixed(*share, *scored, uniform);
                squares += weight * weight * probability / other;
                carried += f64::from(u8::from(*weight != 0.0)) * other / probability;
            }
            *variance = KEPT * *variance + squares;
            *cost = KEPT * *cost + 1.0 + BACKWARD * per_path * carried;
        }
    }
}

impl Stateful for Defence {
    fn state(&mut self, state: &mut State) -> Result<()> {
        for (place, [variance, cost]) in self.sums.iter_mut().enumerate() {
            state.field(&format!("{place}.variance"), variance)?;
            state.field(&format!("{place}.cost"), cost)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sample of 64 paths of a pool of 512, of which `missed` weigh and had no score.
    fn sample(share: f64, missed: usize) -> Vec<Drawn> {
        let uniform = 64.0 / 512.0;
        let path = |place: usize| {
            // Half of the paths have nearly all scores, and the weight that goes with them.
            let foreseen = place < 32;
            let scored = if foreseen { 0.8 } else { 0.01 };
            let probability = Defence::mixed(share, scored, uniform);
            let weighs = foreseen || place >= 64 - missed;
            (
                scored,
                probability,
                f64::from(u8::from(weighs)) / probability,
            )
        };
        (0..64).map(path).collect()
    }

    /// A score that foresees what weighs is trusted as far as it may be, and costs less than none; once paths weigh that it holds for worthless it
    /// is not used at all, and it is trusted again when that is past.
    #[test]
    fn a_score_is_trusted_as_far_as_it_foresees() {
        let uniform = 64.0 / 512.0;
        let mut defence = Defence::default();
        assert_eq!(defence.share(), SHARES[0]);
        for _ in 0..20 {
            defence.learn(&sample(defence.share(), 0), uniform);
        }
        assert_eq!(defence.share(), SHARES[0]);
        assert!(defence.gain().unwrap() > 1.5, "{:?}", defence.gain());
        for _ in 0..5 {
            defence.learn(&sample(defence.share(), 12), uniform);
        }
        assert_eq!(defence.share(), 1.0);
        assert_eq!(defence.gain(), Some(1.0));
        for _ in 0..400 {
            defence.learn(&sample(defence.share(), 0), uniform);
        }
        assert_eq!(defence.share(), SHARES[0]);
    }
}
