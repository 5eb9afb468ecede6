use super::features::Features;
use crate::error::{Error, Result};
use crate::random::{Purpose, sequential};
use candle_core::{DType, Device, Tensor, Var};
use faer::Mat;
use rand::RngExt;
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;

/// The sizes of a recurrent policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Inputs per date.
    pub features: usize,
    /// LSTM units per layer.
    pub hidden: usize,
    pub layers: usize,
    /// Outputs per date: one position for every hedging instrument.
    pub instruments: usize,
    /// Whether h_t goes on as ĥ_t = (h_t − mean h_t)/√(var h_t + ε) over the units of its layer, ε = 10⁻⁵.
    ///
    /// Layer normalisation (Ba, Kiros and Hinton 2016, equation 4) without their gain and bias, which would change nothing:
    /// every map that takes ĥ_t has weights and a bias of its own.
    pub layer_normalisation: bool,
}

/// The gates of an LSTM unit, in the order of their rows.
pub const GATES: usize = 4;

impl Shape {
    /// Inputs of LSTM layer `layer`: the features or the units below.
    pub fn inputs(&self, layer: usize) -> usize {
        if layer == 0 {
            self.features
        } else {
            self.hidden
        }
    }

    /// (rows, columns) of every linear map: the LSTM layers from below, then the head.
    ///
    /// A layer's map takes [h_{t−1}; input_t; 1] to the pre-activations of its gates, row 4u + g
    /// being gate g ∈ (input, forget, cell, output) of unit u. The head takes [h_t; 1] to the positions.
    pub fn maps(&self) -> Vec<(String, usize, usize)> {
        (0..self.layers)
            .map(|layer| {
                let columns = self.hidden + self.inputs(layer) + 1;
                (format!("lstm.{layer}"), GATES * self.hidden, columns)
            })
            .chain([("head".to_string(), self.instruments, self.hidden + 1)])
            .collect()
    }
}

/// The weights of a policy: candle variables in a fixed order, one matrix for every linear map.
///
/// They are kept in double precision; a sweep rounds them to its own. The order is that of
/// [`Shape::maps`], which optimizer state and checkpoints rely on (candle's `VarMap` iterates in
/// random order).
#[derive(Debug, Clone)]
pub struct Parameters {
    shape: Shape,
    variables: Vec<(String, Var)>,
}

impl Parameters {
    /// Draws the initial weights uniformly from ±1/√hidden, biases zero.
    ///
    /// # References
    /// The bound is that of PyTorch's `nn.LSTM`.
    pub fn random(shape: Shape, seed: u64) -> Result<Self> {
        let mut generator = sequential(seed, Purpose::InitialWeights);
        let bound = 1.0 / (shape.hidden as f64).sqrt();
        let matrices = shape.maps().into_iter().map(|(_, rows, columns)| {
            let mut matrix = Mat::zeros(rows, columns);
            for row in 0..rows {
                for column in 0..columns - 1 {
                    matrix[(row, column)] = generator.random_range(-bound..bound);
                }
            }
            matrix
        });
        Self::new(shape, matrices.collect())
    }

    /// Wraps given matrices.
    ///
    /// # Errors
    /// If they are not those of the shape.
    pub fn new(shape: Shape, matrices: Vec<Mat<f64>>) -> Result<Self> {
        let maps = shape.maps();
        if maps.len() != matrices.len() {
            return Err(Error::input(format!(
                "a policy of {shape:?} has {} weight matrices, found {}",
                maps.len(),
                matrices.len()
            )));
        }
        let variables = maps
            .into_iter()
            .zip(&matrices)
            .map(|((name, rows, columns), matrix)| {
                if (matrix.nrows(), matrix.ncols()) != (rows, columns) {
                    return Err(Error::input(format!(
                        "weight `{name}` must be {rows} × {columns}, was {} × {}",
                        matrix.nrows(),
                        matrix.ncols()
                    )));
                }
                Ok((name, Var::from_tensor(&tensor(matrix)?)?))
            })
            .collect::<Result<_>>()?;
        Ok(Self { shape, variables })
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The variables with their names, in order.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.variables
            .iter()
            .map(|(name, variable)| (name.as_str(), variable))
    }

    /// The current values.
    pub fn matrices(&self) -> Result<Vec<Mat<f64>>> {
        self.variables
            .iter()
            .map(|(_, variable)| matrix(variable))
            .collect()
    }

    /// Adds `step` to the values.
    ///
    /// # Errors
    /// If it has not a matrix of the right size for every linear map.
    pub fn add(&self, step: &[Mat<f64>]) -> Result<()> {
        if step.len() != self.variables.len() {
            return Err(Error::Computation(format!(
                "a step of {} matrices for {} linear maps",
                step.len(),
                self.variables.len()
            )));
        }
        for ((_, variable), step) in self.variables.iter().zip(step) {
            variable.set(&(variable.as_tensor() + tensor(step)?)?)?;
        }
        Ok(())
    }

    /// The weights as safetensors `[rows, columns]`, one tensor for every linear map. Whose they are and what they see stands
    /// as JSON in the header's metadata under `policy`: one entry, because several would be written in an order of chance.
    ///
    /// # Errors
    /// [`Error::Computation`] if safetensors fails.
    pub fn to_bytes(&self, strategy: &str, seed: u64, features: &Features) -> Result<Vec<u8>> {
        let policy = json!({ "strategy": strategy, "seed": seed, "features": features });
        let metadata = HashMap::from([("policy".to_owned(), policy.to_string())]);
        let tensors = self
            .variables
            .iter()
            .map(|(name, variable)| (name.as_str(), variable.as_tensor()));
        safetensors::serialize(tensors, Some(metadata))
            .map_err(|error| Error::Computation(format!("weights as safetensors: {error}")))
    }

    /// Reads weights of the given shape.
    ///
    /// # Errors
    /// If the file cannot be read or its tensors do not fit the shape.
    pub fn load(path: &Path, shape: Shape) -> Result<Self> {
        Self::read(path, shape)
            .map_err(|error| Error::input(format!("{}: {error}", path.display())))
    }

    fn read(path: &Path, shape: Shape) -> Result<Self> {
        let mut tensors = candle_core::safetensors::load(path, &Device::Cpu)?;
        let matrices = shape
            .maps()
            .iter()
            .map(|(name, ..)| {
                let tensor = tensors
                    .remove(name)
                    .ok_or_else(|| Error::input(format!("no tensor `{name}`")))?;
                matrix(&tensor)
            })
            .collect::<Result<_>>()?;
        Self::new(shape, matrices)
    }
}

/// A matrix as a candle tensor of doubles.
pub fn tensor(matrix: &Mat<f64>) -> Result<Tensor> {
    let (rows, columns) = (matrix.nrows(), matrix.ncols());
    let values: Vec<f64> = (0..rows)
        .flat_map(|r| (0..columns).map(move |c| matrix[(r, c)]))
        .collect();
    Ok(Tensor::from_vec(values, (rows, columns), &Device::Cpu)?)
}

/// A two-dimensional candle tensor as a matrix of doubles.
pub fn matrix(tensor: &Tensor) -> Result<Mat<f64>> {
    let rows = tensor.to_dtype(DType::F64)?.to_vec2::<f64>()?;
    let columns = rows.first().map_or(0, Vec::len);
    Ok(Mat::from_fn(rows.len(), columns, |r, c| rows[r][c]))
}
