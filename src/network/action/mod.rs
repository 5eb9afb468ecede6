//! From a network's outputs to positions: δ_t = A(y_t, δ_{t−1}, b_t). An action is a file here and a line in `actions`; the sweep does
//! the rest, forward and backward in time.

mod band;
mod bounded;
mod direct;
mod hand;
mod residual;
mod rule;
mod tensor;
#[cfg(test)]
mod tests;

pub use band::Band;
pub use bounded::Bounded;
pub use direct::Direct;
pub use hand::{Actor, Hand};
pub use residual::Residual;
pub use rule::{At, Rule};
pub(super) use tensor::TensorHands;

use crate::simd::{Lane, Real};

/// The actions: one line for each, which everything else that is asked of it follows from.
macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident $rule:ty,)*) => {
        /// How positions come of a network's outputs.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Action {
            $($(#[$doc])* $action($rule),)*
        }

        $(impl From<$rule> for Action {
            fn from(rule: $rule) -> Self {
                Self::$action(rule)
            }
        })*

        impl Action {
            /// The number of outputs that the network gives for one instrument.
            pub fn outputs(self) -> usize {
                match self {
                    $(Self::$action(_) => <$rule>::OUTPUTS,)*
                }
            }

            /// Whether positions depend on those of a benchmark, which paths then have to hold.
            pub fn is_on_benchmark(self) -> bool {
                match self {
                    $(Self::$action(_) => <$rule>::ON_BENCHMARK,)*
                }
            }

            /// Whether all weights of the map that gives the outputs begin at 0.
            pub fn is_from_zero(self) -> bool {
                match self {
                    $(Self::$action(_) => <$rule>::FROM_ZERO,)*
                }
            }

            /// The position A(y, δ₋, b).
            #[inline(always)]
            fn act<R: Real, const FMA: bool>(self, at: At<'_, R>) -> Lane<R> {
                match self {
                    $(Self::$action(rule) => rule.act::<R, FMA>(at),)*
                }
            }

            /// Writes D ∂A/∂y for every output and returns D ∂A/∂δ₋.
            #[inline(always)]
            fn pull_back<R: Real, const FMA: bool>(
                self,
                at: At<'_, R>,
                total: Lane<R>,
                by_outputs: &mut [Lane<R>],
            ) -> Lane<R> {
                match self {
                    $(Self::$action(rule) => rule.pull_back::<R, FMA>(at, total, by_outputs),)*
                }
            }
        }
    };
}

actions! {
    /// The output is the position.
    Direct Direct,
    /// The output is what is held beyond a benchmark.
    Residual Residual,
    /// The outputs are the edges of a band around a benchmark within which nothing is traded.
    Band Band,
    /// The output is squashed between two bounds.
    Bounded Bounded,
}

impl Default for Action {
    fn default() -> Self {
        Direct.into()
    }
}
