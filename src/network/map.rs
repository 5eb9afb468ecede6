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
