/// One linear map s = W a of a network, whose weights are trained.
#[derive(Debug, Clone, PartialEq)]
pub struct MapShape {
    /// The name of its weights in files.
    pub name: String,
    /// The number of outputs s, the rows of W.
    pub rows: usize,
    /// The number of inputs a, the columns of W; the last input is the constant 1, so that the last column holds biases.
    pub columns: usize,
    /// The number of gates whose rows take turns: row r belongs to gate r modulo this number. 1 where there are no gates.
    pub gates: usize,
    /// Initial weights are drawn uniformly from ± this bound, and are 0 where it is; biases begin at 0.
    pub bound: f64,
}

impl MapShape {
    /// A map of `inputs` inputs and the constant, without gates, whose initial weights are within the usual bound.
    pub(super) fn plain(name: impl Into<String>, rows: usize, inputs: usize) -> Self {
        Self {
            name: name.into(),
            rows,
            columns: inputs + 1,
            gates: 1,
            bound: Self::bound(inputs),
        }
    }

    /// The usual bound of initial weights, 1/√inputs.
    pub(super) fn bound(inputs: usize) -> f64 {
        1.0 / (inputs as f64).sqrt()
    }

    /// The numbers that inputs and derivatives of maps are on one date.
    pub(super) fn kept(maps: &[Self]) -> usize {
        maps.iter().map(|map| map.rows + map.columns).sum()
    }
}
