use super::head::Head;
use crate::bounds::within;
use crate::error::Result;

/// Units of a layer, at most.
const MOST_HIDDEN: usize = 4096;

/// What a strategy says of the sizes of a policy's network, whichever network it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Inputs per date: the features, the positions held among them where they are fed back.
    pub inputs: usize,
    /// What it gives at a date, and how many of the inputs, the last ones, are positions held from the date before.
    pub head: Head,
    /// Units of every layer.
    pub hidden: usize,
    /// Layers, one above the other.
    pub layers: usize,
    /// Heads of every layer, where layers attend to past dates.
    pub heads: usize,
    /// Whether the output of every layer goes on normalised over its units.
    pub layer_normalisation: bool,
}

impl Sizes {
    /// Inputs of layer `layer` of a network whose layers all have the same number of units: what the network sees or the units
    /// below.
    pub fn below(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs } else { self.hidden }
    }

    /// Those inputs of layer `layer` that depend on weights: the units below, or positions held from the date before.
    pub fn moving(&self, layer: usize) -> std::ops::Range<usize> {
        let inputs = self.below(layer);
        let moving = if layer == 0 {
            self.head.fed
        } else {
            self.hidden
        };
        inputs - moving..inputs
    }

    /// Refuses layers of too many units, and `normalised` ones of a single unit, whose deviation from its own mean is zero.
    pub(super) fn check_hidden(
        &self,
        normalised: bool,
        key: &dyn Fn(&str) -> String,
    ) -> Result<()> {
        let least = if normalised { 2 } else { 1 };
        within(&key("hidden"), self.hidden, least, MOST_HIDDEN).map(|_| ())
    }
}
