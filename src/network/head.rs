use super::map::MapShape;

/// Where a network and an action meet: what the network gives at a date, and what it is fed of the date before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of outputs at a date: those of the action for every instrument, one instrument after the other.
    pub outputs: usize,
    /// How many of a date's inputs, the last ones, are positions held from the date before, one for every instrument; 0 where no
    /// position is fed back. They are 0 at the sale and once the contract has ended.
    pub fed: usize,
    /// Whether all weights that give the outputs begin at 0.
    pub from_zero: bool,
}

impl Head {
    /// The head of a network whose outputs are positions in so many instruments, and are not fed back.
    pub fn positions(instruments: usize) -> Self {
        Self {
            outputs: instruments,
            fed: 0,
            from_zero: false,
        }
    }

    /// The last linear map of a network, from [h; 1] with `hidden` units h to the outputs; its weights are drawn from ± `bound`, unless
    /// they begin at 0.
    pub fn map(&self, hidden: usize, bound: f64) -> MapShape {
        MapShape {
            name: "head".to_string(),
            rows: self.outputs,
            columns: hidden + 1,
            gates: 1,
            bound: if self.from_zero { 0.0 } else { bound },
        }
    }
}
