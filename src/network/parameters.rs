use super::features::Features;
use super::map::MapShape;
use crate::error::{Error, Result};
use crate::random::{Purpose, sequential};
use candle_core::{DType, Device, Tensor, Var};
use faer::Mat;
use rand::RngExt;
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;

/// The weights of a policy: candle variables in a fixed order, one matrix for every linear map.
///
/// They are kept in double precision; a sweep rounds them to its own. The order is that of the network's maps, which optimizer state and checkpoints rely on (candle's `VarMap` iterates in
/// random order).
#[derive(Debug, Clone)]
pub struct Parameters {
    maps: Vec<MapShape>,
    variables: Vec<Var>,
}

impl Parameters {
    /// Draws the initial weights of every map uniformly within its bounds, biases zero.
    ///
    /// # Errors
    /// If a tensor operation fails.
    pub fn random(maps: Vec<MapShape>, seed: u64) -> Result<Self> {
        let mut generator = sequential(seed, Purpose::InitialWeights);
        let draw = |map: &MapShape| {
            let mut matrix = Mat::zeros(map.rows, map.columns);
            // No number lies between bounds of 0.
            let drawn = if map.bound > 0.0 { map.rows } else { 0 };
            for row in 0..drawn {
                for column in 0..map.columns - 1 {
                    matrix[(row, column)] = generator.random_range(-map.bound..map.bound);
                }
            }
            matrix
        };
        let matrices = maps.iter().map(draw).collect();
        Self::new(maps, matrices)
    }

    /// Wraps given matrices.
    ///
    /// # Errors
    /// If they are not those of the maps.
    pub fn new(maps: Vec<MapShape>, matrices: Vec<Mat<f64>>) -> Result<Self> {
        if maps.len() != matrices.len() {
            return Err(Error::input(format!(
                "a policy of {} linear maps has as many weight matrices, found {}",
                maps.len(),
                matrices.len()
            )));
        }
        let variables = maps
            .iter()
            .zip(&matrices)
            .map(|(map, matrix)| {
                if (matrix.nrows(), matrix.ncols()) != (map.rows, map.columns) {
                    return Err(Error::input(format!(
                        "weight `{}` must be {} × {}, was {} × {}",
                        map.name,
                        map.rows,
                        map.columns,
                        matrix.nrows(),
                        matrix.ncols()
                    )));
                }
                Ok(Var::from_tensor(&tensor(matrix)?)?)
            })
            .collect::<Result<_>>()?;
        Ok(Self { maps, variables })
    }

    /// The linear maps, in order.
    pub fn maps(&self) -> &[MapShape] {
        &self.maps
    }

    /// The variables with their names, in order.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Var)> {
        let names = self.maps.iter().map(|map| map.name.as_str());
        names.zip(&self.variables)
    }

    /// The current values.
    ///
    /// # Errors
    /// If a tensor operation fails.
    pub fn matrices(&self) -> Result<Vec<Mat<f64>>> {
        let variables = self.variables.iter();
        variables.map(|variable| matrix(variable)).collect()
    }

    /// Checks that a sweep of a network with these maps can take the weights.
    ///
    /// # Errors
    /// If they are weights of another network.
    pub(super) fn check(&self, maps: &[MapShape]) -> Result<()> {
        if self.maps == maps {
            return Ok(());
        }
        Err(Error::Computation(format!(
            "a sweep over {maps:?} was given weights of {:?}",
            self.maps
        )))
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
        for (variable, step) in self.variables.iter().zip(step) {
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
            .variables()
            .map(|(name, variable)| (name, variable.as_tensor()));
        safetensors::serialize(tensors, Some(metadata))
            .map_err(|error| Error::Computation(format!("weights as safetensors: {error}")))
    }

    /// Reads the weights of the given maps.
    ///
    /// # Errors
    /// If the file cannot be read or its tensors do not fit the maps.
    pub fn load(path: &Path, maps: Vec<MapShape>) -> Result<Self> {
        let place = path.display().to_string();
        let bytes =
            std::fs::read(path).map_err(|error| Error::input(format!("{place}: {error}")))?;
        Self::from_bytes(&bytes, &place, maps)
    }

    /// Reads the weights of the given maps from the bytes of a file, which errors call `name`.
    ///
    /// # Errors
    /// If the tensors do not fit the maps.
    pub fn from_bytes(bytes: &[u8], name: &str, maps: Vec<MapShape>) -> Result<Self> {
        Self::read(bytes, maps).map_err(|error| Error::input(format!("{name}: {error}")))
    }

    fn read(bytes: &[u8], maps: Vec<MapShape>) -> Result<Self> {
        let mut tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
        let matrices = maps
            .iter()
            .map(|map| {
                let tensor = tensors
                    .remove(&map.name)
                    .ok_or_else(|| Error::input(format!("no tensor `{}`", map.name)))?;
                matrix(&tensor)
            })
            .collect::<Result<_>>()?;
        Self::new(maps, matrices)
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
