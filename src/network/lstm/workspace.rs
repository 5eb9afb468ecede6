use super::shape::{GATES, LstmShape};
use crate::network::action::Hand;
use crate::network::dated::Reach;
use crate::network::normalise;
use crate::network::record::RecordBlock;
use crate::simd::{BLOCK, Dates, Lane, Lanes, Real};

/// What one block needs from its first date to its last.
#[derive(Debug)]
pub struct Workspace<R> {
    shape: LstmShape,
    pub steps: usize,
    /// Whether all dates are kept, for the way back.
    pub back: bool,
    pub layers: Vec<LayerWorkspace<R>>,
    /// ∂z/∂h of the layer below the one in hand, for every date; empty with one layer.
    pub from_above: Dates<R>,
    /// ∂z/∂δ_t through what the next date is fed of it, one lane for every position that is fed back.
    pub fed_back: Lanes<R>,
}

#[derive(Debug)]
pub struct LayerWorkspace<R> {
    hidden: usize,
    /// [h_{t−1}; input_t; 1]; one date more than there are steps, which holds only h. Of this and all that follows the last two dates or the last
    /// one without a way back.
    pub inputs: Dates<R>,
    /// Gate activations after the forward pass, ∂z/∂pre-activation after the backward pass.
    pub gates: Dates<R>,
    /// Cell states; one date more than there are steps, the first zero.
    pub cells: Dates<R>,
    /// tanh of the cell states after every date.
    pub squashed: Dates<R>,
    /// 1/√(var h + ε) of every date, one row; no dates without layer normalisation.
    pub scales: Dates<R>,
    /// ∂z/∂h_t from the next date, `[hidden]`.
    pub from_next: Lanes<R>,
    /// ∂z/∂c_t from the next date, `[hidden]`.
    pub cell_gradient: Lanes<R>,
}

impl<R: Real> LayerWorkspace<R> {
    /// h_t, or ĥ_t with layer normalisation.
    #[inline(always)]
    pub fn hidden(&self, t: usize) -> &[Lane<R>] {
        &self.inputs.at(t + 1)[..self.hidden]
    }
}

impl<R: Real> Workspace<R> {
    pub fn new(shape: LstmShape, steps: usize, back: bool) -> Self {
        let hidden = shape.hidden;
        let room = |reach: Reach, steps: usize, rows: usize| match back {
            true => Reach::All.room(steps, rows),
            false => reach.room(steps, rows),
        };
        let layers = (0..shape.layers)
            .map(|layer| {
                let columns = hidden + shape.inputs(layer) + 1;
                let mut inputs = room(Reach::Next, steps + 1, columns);
                for t in 0..steps {
                    inputs.at_mut(t)[columns - 1] = [R::ONE; BLOCK];
                }
                LayerWorkspace {
                    hidden,
                    inputs,
                    gates: room(Reach::Own, steps, GATES * hidden),
                    cells: room(Reach::Next, steps + 1, hidden),
                    squashed: room(Reach::Own, steps, hidden),
                    scales: normalise::scales(shape.layer_normalisation, (steps, back), 1),
                    from_next: Lanes::zeros(hidden),
                    cell_gradient: Lanes::zeros(hidden),
                }
            })
            .collect();
        let between = if back && shape.layers > 1 { steps } else { 0 };
        Self {
            shape,
            steps,
            back,
            layers,
            from_above: Dates::zeros(between, hidden),
            fed_back: Lanes::zeros(shape.head.fed),
        }
    }

    pub fn top(&self) -> &LayerWorkspace<R> {
        self.layers.last().expect("a policy has a layer")
    }

    /// Copies the record of a block whose backward pass is done; nothing if no record is wanted.
    pub fn copy_record(&self, hand: &Hand<R>, target: &mut [RecordBlock<'_, R>]) {
        for (layer, target) in self.layers.iter().zip(target.iter_mut()) {
            layer.inputs.copy_to(target.inputs);
            layer.gates.copy_to(target.gradients);
        }
        if let Some(head) = target.last_mut() {
            let hidden = self.shape.hidden;
            let stride = head.inputs.len() / self.steps;
            for (t, inputs) in head.inputs.chunks_exact_mut(stride).enumerate() {
                inputs[..hidden].copy_from_slice(self.top().hidden(t));
                inputs[hidden] = [R::ONE; BLOCK];
            }
            let count = self.shape.head.outputs;
            let stride = head.gradients.len() / self.steps;
            let dates = head.gradients.chunks_exact_mut(stride);
            for (t, gradients) in dates.enumerate() {
                gradients[..count].copy_from_slice(hand.gradient(t));
            }
        }
    }
}
