//! Graphs of ONNX operators, and their files.
//!
//! A [`Graph`] is plain data: named inputs, nodes, constant tensors and outputs. Whoever knows a formula writes its nodes; nothing here
//! knows what a graph is of. A [`Model`] is a graph with what is said of it, as the bytes of an `.onnx` file. There is nothing here that
//! evaluates a graph.

mod graph;
mod model;
mod operations;
mod protobuf;
#[cfg(test)]
mod tests;

pub use graph::{Attribute, Dimension, Element, Graph, Value};
pub use model::Model;
