use super::TrainingPoint;
use crate::error::{Error, Result};
use crate::optimizer::Tensors;
use faer::Mat;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, HashMap};

/// A training between two steps: what its other steps depend on, and the training curve so far.
///
/// On disk it is one safetensors file. Matrices are f64, named `parameters.N` (in the order of the network's maps),
/// `optimizer.…`, `average.…` and, where paths are screened, `screening.…`; the header's metadata has `money_unit`, the unit in which the optimizer counts money,
/// `seconds` and, as JSON, `points`. A file without `money_unit` is older than it, and its optimizer counts the spot's currency.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub(super) parameters: Vec<Mat<f64>>,
    pub(super) optimizer: Tensors,
    pub(super) average: Tensors,
    pub(super) screening: Tensors,
    pub(super) money_unit: f64,
    pub(super) seconds: f64,
    pub(super) points: Vec<TrainingPoint>,
}

const GROUPS: [&str; 4] = ["parameters", "optimizer", "average", "screening"];

impl Checkpoint {
    /// Number of steps taken.
    pub fn steps(&self) -> usize {
        self.points.len()
    }

    /// The file's bytes; `name` is what it is called in errors.
    ///
    /// # Errors
    /// [`Error::Computation`] if the state has no such form.
    pub fn to_bytes(&self, name: &str) -> Result<Vec<u8>> {
        let failed = |error: &dyn std::fmt::Display| Error::Computation(format!("{name}: {error}"));
        let parameters = self.parameters.iter().enumerate();
        let parameters = parameters.map(|(map, matrix)| (format!("parameters.{map}"), matrix));
        let state = [
            ("optimizer", &self.optimizer),
            ("average", &self.average),
            ("screening", &self.screening),
        ];
        let state = state.into_iter().flat_map(|(group, tensors)| {
            let named = move |(name, matrix)| (format!("{group}.{name}"), matrix);
            tensors.iter().map(named)
        });
        let tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)> = parameters
            .chain(state)
            .map(|(name, matrix)| (name, (vec![matrix.nrows(), matrix.ncols()], bytes(matrix))))
            .collect();
        let views = tensors
            .iter()
            .map(|(name, (shape, bytes))| {
                Ok((name, TensorView::new(Dtype::F64, shape.clone(), bytes)?))
            })
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|error| failed(&error))?;
        let points = serde_json::to_string(&self.points).map_err(|error| failed(&error))?;
        let metadata = HashMap::from([
            ("money_unit".to_string(), self.money_unit.to_string()),
            ("seconds".to_string(), self.seconds.to_string()),
            ("points".to_string(), points),
        ]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| failed(&error))
    }

    /// The checkpoint that [`Self::to_bytes`] has written; `name` is what its file is called in errors.
    ///
    /// # Errors
    /// In one line, naming the file and what is wrong with it.
    pub fn from_bytes(file: &[u8], name: &str) -> Result<Self> {
        let wrong = |what: &dyn std::fmt::Display| {
            Error::input(format!("{name}: not a checkpoint: {what}"))
        };
        let (_, header) = SafeTensors::read_metadata(file).map_err(|error| wrong(&error))?;
        let metadata = header.metadata().as_ref();
        let said = |key: &str| metadata.and_then(|metadata| metadata.get(key));
        let read = |key: &str| said(key).ok_or_else(|| wrong(&format!("no `{key}`")));
        let money_unit: f64 = match said("money_unit") {
            Some(unit) => unit.parse().map_err(|error| wrong(&error))?,
            None => 1.0,
        };
        if !(money_unit > 0.0 && money_unit.is_finite()) {
            return Err(wrong(&format!("`money_unit` is {money_unit}")));
        }
        let seconds = read("seconds")?.parse().map_err(|error| wrong(&error))?;
        let points = serde_json::from_str(read("points")?).map_err(|error| wrong(&error))?;

        let mut groups = GROUPS.map(|_| Tensors::new());
        let tensors = SafeTensors::deserialize(file).map_err(|error| wrong(&error))?;
        for (full, view) in tensors.tensors() {
            let (group, name) = full.split_once('.').unwrap_or((&full, ""));
            let group = GROUPS.iter().position(|known| *known == group);
            let (Some(group), [rows, columns], Dtype::F64) = (group, view.shape(), view.dtype())
            else {
                return Err(wrong(&format!("tensor `{full}`")));
            };
            groups[group].insert(name.to_string(), matrix(*rows, *columns, view.data()));
        }
        let [mut parameters, optimizer, average, screening] = groups;
        let parameters = (0..parameters.len())
            .map_while(|map| parameters.remove(&map.to_string()))
            .collect();
        Ok(Self {
            parameters,
            optimizer,
            average,
            screening,
            money_unit,
            seconds,
            points,
        })
    }
}

/// Row by row.
fn bytes(matrix: &Mat<f64>) -> Vec<u8> {
    matrix
        .row_iter()
        .flat_map(|row| row.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
        .collect()
}

fn matrix(rows: usize, columns: usize, bytes: &[u8]) -> Mat<f64> {
    let (values, _) = bytes.as_chunks();
    Mat::from_fn(rows, columns, |row, column| {
        f64::from_le_bytes(values[row * columns + column])
    })
}
