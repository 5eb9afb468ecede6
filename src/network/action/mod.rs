//! From a network's outputs to positions: δ_t = A(y_t, δ_{t−1}, b_t). An action is a file here and a line in `actions`; the sweep does
//! the rest, forward and backward in time.

mod actor;
mod anchors;
mod band;
mod bounded;
mod centred_band;
mod direct;
#[cfg(test)]
mod fixture;
mod hand;
mod relaxation;
mod residual;
mod rule;
mod tensor;
#[cfg(test)]
mod tests;

pub use actor::Actor;
pub use band::Band;
pub use bounded::Bounded;
pub use centred_band::CentredBand;
pub use direct::Direct;
pub use hand::Hand;
pub use relaxation::Relaxation;
pub use residual::Residual;
pub use rule::{Asks, At, Rule, Through};
pub(super) use tensor::TensorHands;

use crate::named::named;
use crate::network::step::Situation;
use crate::onnx::Value;
use crate::simd::{Lane, Real};

/// What a strategy says of the action of one instrument; each kind has those settings that it asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActionSettings {
    /// How far from its centre each edge of an untrained band lies, above 0, in units of the position.
    pub band_width: f64,
    /// The greatest half-width of a learned band, in units of the position.
    pub widest_band: f64,
    /// Whether the widths of a learned band are counted in units of Whalley and Wilmott's.
    pub cost_widths: bool,
    /// How far a learned centre moves, as a share of the benchmark's position.
    pub centre_scale: f64,
    /// How far a learned centre moves where the contract's delta does.
    pub curvature_scale: f64,
    /// The bound below every bounded position.
    pub lowest_position: f64,
    /// The bound above every bounded position, larger than the lowest.
    pub highest_position: f64,
}

/// The actions: one line for each, which everything else that is asked of it follows from.
macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident $name:literal $rule:ty,)*) => {
        named! {
            /// How positions come of a network's outputs, as a strategy names it.
            pub enum ActionName {
                $($(#[$doc])* $action = $name,)*
            }
        }

        impl ActionName {
            /// Whether positions depend on those of a benchmark.
            pub fn is_on_benchmark(self) -> bool {
                match self {
                    $(Self::$action => <$rule>::ON_BENCHMARK,)*
                }
            }

            /// The action with those of the settings that it has.
            pub fn of(self, settings: &ActionSettings) -> Action {
                match self {
                    $(Self::$action => <$rule>::of(settings).into(),)*
                }
            }
        }

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
            /// The number of outputs that the network gives for the instrument.
            pub fn outputs(self) -> usize {
                match self {
                    $(Self::$action(rule) => rule.outputs(),)*
                }
            }

            /// Whether positions depend on those of a benchmark, which paths then have to hold.
            pub fn is_on_benchmark(self) -> bool {
                match self {
                    $(Self::$action(_) => <$rule>::ON_BENCHMARK,)*
                }
            }

            /// Whether the size of the benchmark's position matters, and that of a spot is net of options.
            pub fn is_anchored(self) -> bool {
                match self {
                    $(Self::$action(_) => <$rule>::ANCHORED,)*
                }
            }

            /// What it goes by beside outputs, positions held and the benchmark's positions.
            pub fn asks(self) -> Asks {
                match self {
                    $(Self::$action(rule) => rule.asks(),)*
                }
            }

            /// Whether all weights of the map that gives the outputs begin at 0.
            pub fn is_from_zero(self) -> bool {
                match self {
                    $(Self::$action(_) => <$rule>::FROM_ZERO,)*
                }
            }

            /// The action as training sees it.
            #[must_use]
            pub fn relaxed(self, relaxation: &Relaxation) -> Self {
                match self {
                    $(Self::$action(rule) => rule.relaxed(relaxation).into(),)*
                }
            }

            /// The position A(y, δ₋, b) as nodes of a graph.
            pub(super) fn describe(self, at: &mut Situation<'_>) -> Value {
                match self {
                    $(Self::$action(rule) => rule.describe(at),)*
                }
            }

            /// The position A(y, δ₋, b).
            #[inline(always)]
            fn act<R: Real, const FMA: bool>(self, at: At<'_, R>) -> Lane<R> {
                match self {
                    $(Self::$action(rule) => rule.act::<R, FMA>(at),)*
                }
            }

            /// Writes D ∂A/∂y for every output and returns the other derivatives.
            #[inline(always)]
            fn pull_back<R: Real, const FMA: bool>(
                self,
                at: At<'_, R>,
                total: Lane<R>,
                by_outputs: &mut [Lane<R>],
            ) -> Through<R> {
                match self {
                    $(Self::$action(rule) => rule.pull_back::<R, FMA>(at, total, by_outputs),)*
                }
            }
        }
    };
}

actions! {
    /// The output is the position.
    Direct "direct" Direct,
    /// The output is what is held beyond `benchmark`, which an untrained policy is.
    Residual "residual" Residual,
    /// Two outputs are the edges of a band around `benchmark`, within which nothing is traded.
    Band "band" Band,
    /// Three outputs are the centre and the edges of a band near `benchmark`: the spot acts last, beside the options that are held.
    CentredBand "centred_band" CentredBand,
    /// The output is squashed between `lowest_position` and `highest_position`.
    Bounded "bounded" Bounded,
}

impl Default for Action {
    fn default() -> Self {
        Direct.into()
    }
}
