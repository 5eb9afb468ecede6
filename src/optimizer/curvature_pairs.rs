use super::{State, Stateful};
use crate::error::Result;
use crate::linalg::{inner, scaled};
use faer::Mat;
use std::collections::VecDeque;

/// One matrix for every linear map.
pub(super) type Maps = Vec<Mat<f64>>;

/// The pairs (s, y) of L-BFGS, changes of weights and of gradients, and the inverse Hessian that they give.
///
/// # References
/// Nocedal (1980); Nocedal and Wright (2006), "Numerical optimization", algorithm 7.4.
#[derive(Debug, Clone)]
pub struct CurvaturePairs {
    kept: usize,
    pairs: VecDeque<(Maps, Maps)>,
}

impl Stateful for CurvaturePairs {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("pairs", &mut self.pairs)
    }
}

impl CurvaturePairs {
    /// None yet, and the last `kept` later.
    pub fn new(kept: usize) -> Self {
        Self {
            kept,
            pairs: VecDeque::new(),
        }
    }

    /// Adds a pair with sᵀy > 0.
    pub fn push(&mut self, s: Maps, y: Maps) {
        if self.pairs.len() == self.kept {
            self.pairs.pop_front();
        }
        self.pairs.push_back((s, y));
    }

    /// H·gradient by the two-loop recursion, from H₀ = (sᵀy/yᵀy) I of the last pair; H = I without pairs.
    pub fn inverse_times(&self, gradient: &[Mat<f64>]) -> Maps {
        let mut q = gradient.to_vec();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for (s, y) in self.pairs.iter().rev() {
            let share = inner(s, &q) / inner(s, y);
            add(&mut q, -share, y);
            shares.push(share);
        }
        if let Some((s, y)) = self.pairs.back() {
            q = scaled(&q, inner(s, y) / inner(y, y));
        }
        for ((s, y), share) in self.pairs.iter().zip(shares.iter().rev()) {
            let other = inner(y, &q) / inner(s, y);
            add(&mut q, share - other, s);
        }
        q
    }
}

fn add(to: &mut [Mat<f64>], factor: f64, values: &[Mat<f64>]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += faer::Scale(factor) * value;
    }
}
