use super::action::Actor;
use super::affine::AffineShape;
use super::architecture::Architecture;
use super::attention::AttentionShape;
use super::block::BlockSweep;
use super::gru::GruShape;
use super::head::Head;
use super::lstm::LstmShape;
use super::map::MapShape;
use super::mlp::MlpShape;
use super::parameters::Parameters;
use super::session::{BlockSession, Session};
use super::sizes::Sizes;
use super::step::{GraphNetwork, PolicyStep};
use super::sweep::Sweep;
use crate::distributed::Portable;
use crate::error::Result;
use crate::named::named;
use crate::onnx::Value;
use crate::simd::Real;
use candle_core::WithDType;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which implementation of [`Sweep`] moves a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// The fused sweep on the processor's vector units, in blocks of 32 paths: [`BlockSweep`].
    Block,
    /// The reference in tensor operations, which is slow: [`Architecture::reference`].
    Tensor,
}

/// The networks: one line for each, which everything else that is asked of it follows from.
macro_rules! networks {
    ($($(#[$doc:meta])* $network:ident $name:literal $shape:ty,)*) => {
        named! {
            /// The networks by their names in strategies.
            pub enum NetworkName {
                $($(#[$doc])* $network = $name,)*
            }
        }

        impl NetworkName {
            /// The network of these sizes; `key` names a setting of the network in errors.
            ///
            /// # Errors
            /// The setting, its value and its bound.
            pub fn shape(self, sizes: Sizes, key: &dyn Fn(&str) -> String) -> Result<Shape> {
                match self {
                    $(Self::$network => <$shape>::new(sizes, key).map(Shape::$network),)*
                }
            }
        }

        /// The sizes of a policy's network.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Shape {
            $($(#[$doc])* $network($shape),)*
        }

        $(impl From<$shape> for Shape {
            fn from(shape: $shape) -> Self {
                Self::$network(shape)
            }
        })*

        impl Shape {
            /// The linear maps, in the order of weights, gradients and optimizer state.
            pub fn maps(&self) -> Vec<MapShape> {
                match self {
                    $(Self::$network(shape) => shape.maps(),)*
                }
            }

            /// What the network gives at a date, and what it is fed of the date before.
            pub fn head(&self) -> Head {
                match self {
                    $(Self::$network(shape) => shape.head(),)*
                }
            }

            /// How many numbers a sweep over `steps` dates keeps of one path on one date.
            pub fn kept(&self, steps: usize) -> usize {
                match self {
                    $(Self::$network(shape) => shape.kept(steps),)*
                }
            }

            /// The learning rate of Adam's first steps in a training by curvature, where the methods' own is not for this network.
            pub fn start_learning_rate(&self) -> Option<f64> {
                match self {
                    $(Self::$network(shape) => shape.start_learning_rate(),)*
                }
            }

            /// The network's outputs on a date as nodes of a graph ([`GraphNetwork::describe`]).
            pub(super) fn describe(
                self,
                weights: &[Mat<f64>],
                seen: Value,
                step: &mut PolicyStep,
            ) -> Value {
                match self {
                    $(Self::$network(shape) => shape.describe(weights, seen, step),)*
                }
            }

            /// Blocks of contracts that the network with `parameters` is taken through one date at a time, on the processor's vector units;
            /// `actor` makes positions of its outputs.
            ///
            /// # Errors
            /// If they are parameters of another network.
            pub fn session<R: Real>(
                self,
                actor: &Actor,
                parameters: &Parameters,
                (blocks, steps): (usize, usize),
            ) -> Result<Box<dyn Session<R>>> {
                match self {
                    $(Self::$network(shape) => {
                        let session = BlockSession::new(shape, actor, parameters, (blocks, steps))?;
                        Ok(Box::new(session))
                    })*
                }
            }

            /// A sweep of the network, whose outputs `actor` makes positions of.
            pub fn sweep<R: Real + Portable + WithDType>(
                self,
                engine: Engine,
                actor: Actor,
            ) -> Box<dyn Sweep<R>> {
                match (self, engine) {
                    $((Self::$network(shape), Engine::Block) => {
                        Box::new(BlockSweep::<R, $shape>::new(shape, actor))
                    })*
                    $((Self::$network(shape), Engine::Tensor) => shape.reference(actor),)*
                }
            }
        }
    };
}

networks! {
    /// Layers of long short-term memory (Hochreiter and Schmidhuber 1997).
    Lstm "lstm" LstmShape,
    /// Layers of gated recurrent units (Cho et al. 2014).
    Gru "gru" GruShape,
    /// Layers of rectified linear units, with the same weights on every date: all that such a network knows of the past are the
    /// features.
    Mlp "mlp" MlpShape,
    /// No layer: every output is an affine function of the features.
    Linear "linear" AffineShape,
    /// Layers of causal attention (Vaswani et al. 2017).
    Attention "attention" AttentionShape,
}
