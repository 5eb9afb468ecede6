use super::shape::GATES;
use super::weights::Weights;
use super::workspace::{LayerWorkspace, Workspace};
use crate::market::PathBlock;
use crate::network::action::Hand;
use crate::network::features::Features;
use crate::network::normalise::normalise;
use crate::simd::{BLOCK, Kernel, Lane, Real, multiply_add, part, set_part, sigmoid};

/// Takes one block of paths through date `t`, all layers of it: fills inputs, gates and cells of the workspace, and the outputs of the
/// hand.
pub(super) struct ForwardDate<'a, R> {
    pub weights: &'a Weights<R>,
    pub t: usize,
    pub features: &'a Features,
    pub paths: PathBlock<'a, R>,
    pub hand: &'a mut Hand<R>,
    pub workspace: &'a mut Workspace<R>,
}

impl<R: Real> Kernel for ForwardDate<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            weights,
            t,
            features,
            paths,
            hand,
            workspace,
        } = self;
        let shape = weights.shape;
        let (hidden, fed) = (shape.hidden, shape.head.fed);
        let own = hidden + shape.features - fed;
        let inputs = workspace.layers[0].inputs.at_mut(t);
        features.write::<R, FMA>(&paths, t, &mut inputs[hidden..own]);
        if fed > 0 {
            hand.feed(t, &mut inputs[own..][..fed]);
        }
        for index in 0..workspace.layers.len() {
            let (below, layer) = workspace.layers.split_at_mut(index);
            if let Some(below) = below.last() {
                let inputs = &mut layer[0].inputs.at_mut(t)[hidden..];
                inputs[..hidden].copy_from_slice(below.hidden(t));
            }
            move_date::<R, FMA, ROWS>(weights, index, &mut layer[0], t);
        }
        let top = workspace.layers.last().expect("a policy has a layer");
        weights
            .head
            .outputs::<FMA>(top.hidden(t), hand.output_mut(t));
    }
}

/// Moves one block of paths through all dates, a layer after the other: fills the inputs, gates and cells of the workspace, and the
/// outputs of the hand, which feeds nothing back.
pub(super) struct ForwardBlock<'a, R> {
    pub weights: &'a Weights<R>,
    pub features: &'a Features,
    pub paths: PathBlock<'a, R>,
    pub hand: &'a mut Hand<R>,
    pub workspace: &'a mut Workspace<R>,
}

impl<R: Real> Kernel for ForwardBlock<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            weights,
            features,
            paths,
            hand,
            workspace,
        } = self;
        let (shape, steps) = (weights.shape, workspace.steps);
        let hidden = shape.hidden;
        for index in 0..workspace.layers.len() {
            let (below, layer) = workspace.layers.split_at_mut(index);
            let layer = &mut layer[0];
            for t in 0..steps {
                let inputs = &mut layer.inputs.at_mut(t)[hidden..];
                let inputs = &mut inputs[..shape.inputs(index)];
                match below.last() {
                    None => features.write::<R, FMA>(&paths, t, inputs),
                    Some(below) => inputs.copy_from_slice(below.hidden(t)),
                }
            }
            for t in 0..steps {
                move_date::<R, FMA, ROWS>(weights, index, layer, t);
            }
        }
        let top = workspace.layers.last().expect("a policy has a layer");
        for t in 0..steps {
            weights
                .head
                .outputs::<FMA>(top.hidden(t), hand.output_mut(t));
        }
    }
}

/// Moves one layer, whose inputs are written, through one date.
#[inline(always)]
fn move_date<R: Real, const FMA: bool, const ROWS: usize>(
    weights: &Weights<R>,
    index: usize,
    layer: &mut LayerWorkspace<R>,
    t: usize,
) {
    let hidden = weights.shape.hidden;
    // h and c are zero before the first date.
    let from = if t == 0 { hidden } else { 0 };
    if t == 0 {
        layer.cells.at_mut(t).fill([R::ZERO; BLOCK]);
    }
    let gates = layer.gates.at_mut(t);
    let (inputs, next_inputs) = layer.inputs.pair(t);
    let map = &weights.layers[index].forward;
    map.multiply::<FMA, ROWS>(from, &inputs[from..], gates);
    let (cells, next_cells) = layer.cells.pair(t);
    let squashed = layer.squashed.at_mut(t);
    let (gates, _) = gates.as_chunks_mut();
    for unit in 0..hidden {
        let of_unit = UnitDate {
            gates: &mut gates[unit],
            cell: &cells[unit],
            next: &mut next_cells[unit],
            squashed: &mut squashed[unit],
            output: &mut next_inputs[unit],
        };
        if ROWS == 8 {
            move_unit::<R, FMA, BLOCK>(of_unit);
        } else {
            move_unit::<R, FMA, 8>(of_unit);
        }
    }
    if weights.shape.layer_normalisation {
        layer.scales.at_mut(t)[0] = normalise::<R, FMA>(&mut next_inputs[..hidden]);
    }
}

/// What a date reads and writes of an LSTM unit.
struct UnitDate<'a, R> {
    /// The pre-activations, then the activations.
    gates: &'a mut [Lane<R>; GATES],
    cell: &'a Lane<R>,
    /// The cell after the date.
    next: &'a mut Lane<R>,
    /// tanh of it.
    squashed: &'a mut Lane<R>,
    output: &'a mut Lane<R>,
}

/// Moves a unit by `L` lanes at a time: where a register has 8 numbers, the compiler copies whole lanes to and fro in memory, which takes as
/// long as the arithmetic.
#[inline(always)]
fn move_unit<R: Real, const FMA: bool, const L: usize>(unit: UnitDate<'_, R>) {
    for index in 0..BLOCK / L {
        let [input, forget, candidate, output] = &unit.gates;
        let s = [
            part(input, index),
            part(forget, index),
            part(candidate, index),
            part(output, index),
        ];
        let moved = move_part::<R, FMA, L>(s, part(unit.cell, index));
        for gate in 0..GATES {
            set_part(&mut unit.gates[gate], index, moved.gates[gate]);
        }
        set_part(unit.next, index, moved.cell);
        set_part(unit.squashed, index, moved.squashed);
        set_part(unit.output, index, moved.output);
    }
}

/// Some lanes of an LSTM unit after a date.
struct Part<R, const L: usize> {
    gates: [[R; L]; GATES],
    cell: [R; L],
    /// tanh of the cell.
    squashed: [R; L],
    output: [R; L],
}

/// c′ = f c + i g and h = o tanh c′, with i, f, o = σ(s) and g = tanh s of the pre-activations s.
///
/// Arguments are values, not references: the compiler must see that nothing overlaps.
///
/// # References
/// Hochreiter and Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and Cummins (2000).
#[inline(always)]
fn move_part<R: Real, const FMA: bool, const L: usize>(
    s: [[R; L]; GATES],
    cell: [R; L],
) -> Part<R, L> {
    let zero = [R::ZERO; L];
    let mut part = Part {
        gates: [zero; GATES],
        cell: zero,
        squashed: zero,
        output: zero,
    };
    for lane in 0..L {
        let input = sigmoid::<R, FMA>(s[0][lane]);
        let forget = sigmoid::<R, FMA>(s[1][lane]);
        let candidate = s[2][lane].tanh::<FMA>();
        let output = sigmoid::<R, FMA>(s[3][lane]);
        let c = multiply_add::<R, FMA>(forget, cell[lane], input * candidate);
        part.gates[0][lane] = input;
        part.gates[1][lane] = forget;
        part.gates[2][lane] = candidate;
        part.gates[3][lane] = output;
        part.cell[lane] = c;
        let squashed = c.tanh::<FMA>();
        part.squashed[lane] = squashed;
        part.output[lane] = output * squashed;
    }
    part
}
