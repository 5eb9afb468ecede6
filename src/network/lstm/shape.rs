/// The sizes of an LSTM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LstmShape {
    /// Inputs per date: the features, the outputs of the date before among them where they are fed back.
    pub features: usize,
    /// LSTM units per layer.
    pub hidden: usize,
    /// Layers, one above the other.
    pub layers: usize,
    /// Outputs per date: one position for every hedging instrument.
    pub instruments: usize,
    /// Whether h_t goes on as ĥ_t = (h_t − mean h_t)/√(var h_t + ε) over the units of its layer, ε = 10⁻⁵.
    ///
    /// Layer normalisation (Ba, Kiros and Hinton 2016, equation 4) without their gain and bias, which would change nothing:
    /// every map that takes ĥ_t has weights and a bias of its own.
    pub layer_normalisation: bool,
    /// Whether the last inputs of a date are the outputs of the date before, one for every instrument: what is held then, since an
    /// output is a position. They are 0 on the first date and once the contract has ended.
    pub feedback: bool,
}

/// The gates of an LSTM unit, in the order of their rows.
pub const GATES: usize = 4;

impl LstmShape {
    /// The number of inputs that are outputs of the date before.
    pub fn fed(&self) -> usize {
        if self.feedback { self.instruments } else { 0 }
    }

    /// Inputs of LSTM layer `layer`: the features or the units below.
    pub fn inputs(&self, layer: usize) -> usize {
        if layer == 0 {
            self.features
        } else {
            self.hidden
        }
    }
}
