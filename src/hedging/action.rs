//! From a network's outputs to positions.

use crate::simd::{BLOCK, Lane, Real};

/// A rule for one instrument at one date: δ_t = A(y_t, δ_{t−1}), y_t the network's output and δ_{t−1} the position held, 0
/// before the first date.
pub trait Rule: Copy + Sync {
    /// A(y, δ₋).
    fn act<R: Real>(self, output: R, held: R) -> R;

    /// (∂A/∂y, ∂A/∂δ₋).
    fn slopes<R: Real>(self, output: R, held: R) -> (R, R);

    /// Turns the outputs of one block into positions, date after date.
    ///
    /// # Shapes
    /// `[steps][instruments][BLOCK]`.
    fn positions<R: Real>(self, instruments: usize, outputs: &mut [Lane<R>]) {
        let mut held = vec![[R::ZERO; BLOCK]; instruments];
        for date in outputs.chunks_exact_mut(instruments) {
            for (output, held) in date.iter_mut().zip(&mut held) {
                for lane in 0..BLOCK {
                    output[lane] = self.act(output[lane], held[lane]);
                }
                *held = *output;
            }
        }
    }

    /// Turns ∂z/∂δ_t of one block, every position taken for free, into ∂z/∂y_t, from the last date to the first: with
    /// D_t = ∂z/∂δ_t + D_{t+1} ∂A_{t+1}/∂δ_t it is D_t ∂A_t/∂y_t.
    ///
    /// # Shapes
    /// All `[steps][instruments][BLOCK]`.
    fn pull_back<R: Real>(
        self,
        instruments: usize,
        outputs: &[Lane<R>],
        positions: &[Lane<R>],
        derivative: &mut [Lane<R>],
    ) {
        let mut later = vec![[R::ZERO; BLOCK]; instruments];
        for index in (0..derivative.len()).rev() {
            let held = match index.checked_sub(instruments) {
                Some(before) => positions[before],
                None => [R::ZERO; BLOCK],
            };
            let (output, later) = (outputs[index], &mut later[index % instruments]);
            for lane in 0..BLOCK {
                let total = derivative[index][lane] + later[lane];
                let (by_output, by_held) = self.slopes(output[lane], held[lane]);
                derivative[index][lane] = total * by_output;
                later[lane] = total * by_held;
            }
        }
    }
}

/// How positions come of a network's outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Action {
    /// The output is the position, δ_t = y_t.
    #[default]
    Output,
}

impl Rule for Action {
    #[inline(always)]
    fn act<R: Real>(self, output: R, _: R) -> R {
        match self {
            Self::Output => output,
        }
    }

    #[inline(always)]
    fn slopes<R: Real>(self, _: R, _: R) -> (R, R) {
        match self {
            Self::Output => (R::ONE, R::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rule with memory: a share of what is held, and a bent output.
    #[derive(Clone, Copy)]
    struct Sluggish;

    impl Rule for Sluggish {
        fn act<R: Real>(self, output: R, held: R) -> R {
            R::HALF * held + output * output * R::of(0.3) + held * output * R::of(0.1)
        }

        fn slopes<R: Real>(self, output: R, held: R) -> (R, R) {
            (
                output * R::of(0.6) + held * R::of(0.1),
                R::HALF + output * R::of(0.1),
            )
        }
    }

    fn outputs() -> Vec<Lane<f64>> {
        let number = |index: usize, lane: usize| ((index * 5 + lane * 3) as f64).sin();
        (0..10)
            .map(|index| std::array::from_fn(|lane| number(index, lane)))
            .collect()
    }

    /// z = Σ_t,i c_{t,i} δ³_{t,i} has the derivative in every output that central differences have, with two instruments whose
    /// positions depend on all outputs before.
    fn assert_derivative(rule: impl Rule) {
        let value = |outputs: &[Lane<f64>]| -> Lane<f64> {
            let mut positions = outputs.to_vec();
            rule.positions(2, &mut positions);
            std::array::from_fn(|lane| {
                let terms = positions.iter().enumerate();
                terms.map(|(i, p)| (1.0 + i as f64) * p[lane].powi(3)).sum()
            })
        };
        let outputs = outputs();
        let mut positions = outputs.clone();
        rule.positions(2, &mut positions);
        let mut derivative: Vec<Lane<f64>> = positions
            .iter()
            .enumerate()
            .map(|(i, p)| p.map(|p| 3.0 * (1.0 + i as f64) * p * p))
            .collect();
        rule.pull_back(2, &outputs, &positions, &mut derivative);
        for index in 0..outputs.len() {
            let moved = |bump: f64| {
                let mut moved = outputs.clone();
                moved[index].iter_mut().for_each(|y| *y += bump);
                value(&moved)
            };
            let (up, down) = (moved(1e-5), moved(-1e-5));
            for lane in 0..BLOCK {
                let difference = (up[lane] - down[lane]) / 2e-5;
                let found = derivative[index][lane];
                assert!((difference - found).abs() < 1e-7, "{index} {lane}");
            }
        }
    }

    #[test]
    fn derivatives_go_back_through_the_positions_held() {
        assert_derivative(Sluggish);
        assert_derivative(Action::Output);
    }

    /// Where the output is the position, neither positions nor derivatives change a bit.
    #[test]
    fn outputs_are_positions() {
        let outputs = outputs();
        let mut positions = outputs.clone();
        Action::Output.positions(2, &mut positions);
        assert_eq!(positions, outputs);
        let mut derivative = outputs.clone();
        Action::Output.pull_back(2, &outputs, &positions, &mut derivative);
        assert_eq!(derivative, outputs);
    }
}
