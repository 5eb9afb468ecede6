use crate::network::head::Head;

/// The sizes of an LSTM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LstmShape {
    /// Inputs per date: the features, the positions held among them where they are fed back.
    pub features: usize,
    /// LSTM units per layer.
    pub hidden: usize,
    /// Layers, one above the other.
    pub layers: usize,
    /// Outputs per date, and which of the inputs are positions held from the date before.
    pub head: Head,
    /// Whether h_t goes on as ĥ_t = (h_t − mean h_t)/√(var h_t + ε) over the units of its layer, ε = 10⁻⁵.
    ///
    /// Layer normalisation (Ba, Kiros and Hinton 2016, equation 4) without their gain and bias, which would change nothing:
    /// every map that takes ĥ_t has weights and a bias of its own.
    pub layer_normalisation: bool,
}

/// The gates of an LSTM unit, in the order of their rows.
pub const GATES: usize = 4;

impl LstmShape {
    /// Inputs of LSTM layer `layer`: the features or the units below.
    pub fn inputs(&self, layer: usize) -> usize {
        if layer == 0 {
            self.features
        } else {
            self.hidden
        }
    }
}
