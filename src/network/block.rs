//! The fused sweep: a block of paths goes through all dates, forward and backward, while it stays in
//! a core's cache.

use super::features::Features;
use super::parameters::{GATES, Parameters, Shape};
use super::record::Record;
use super::{Backward, Forward, Seed, Sweep};
use crate::error::Result;
use crate::market::{PathBlock, Paths};
use crate::simd::{
    BLOCK, Kernel, Lane, Packed, Real, add_outer, dispatch, multiply_add, sigmoid, tanh,
};
use faer::Mat;
use rayon::prelude::*;
use std::sync::Mutex;

/// Blocks whose gradients are summed by one thread before they are added to the others.
const CHUNK: usize = 4;

/// The sweep on the processor's vector units, in blocks of paths on all threads.
#[derive(Debug, Default)]
pub struct BlockSweep<R> {
    /// Buffers of finished chunks, to be used again.
    spare: Mutex<Vec<Workspace<R>>>,
}

impl<R: Real> BlockSweep<R> {
    pub fn new() -> Self {
        Self {
            spare: Mutex::new(Vec::new()),
        }
    }

    fn with_workspace<T>(
        &self,
        shape: Shape,
        steps: usize,
        work: impl FnOnce(&mut Workspace<R>) -> T,
    ) -> T {
        let spare = self
            .spare
            .lock()
            .expect("no thread panics with the lock")
            .pop();
        let mut workspace = match spare {
            Some(workspace) if workspace.fits(shape, steps) => workspace,
            _ => Workspace::new(shape, steps),
        };
        let result = work(&mut workspace);
        self.spare
            .lock()
            .expect("no thread panics with the lock")
            .push(workspace);
        result
    }
}

impl<R: Real> Sweep<R> for BlockSweep<R> {
    fn forward(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        keep_head_inputs: bool,
    ) -> Result<Forward<R>> {
        let (shape, steps) = (parameters.shape(), paths.steps());
        let weights = Weights::new(shape, &parameters.matrices()?);
        let mut positions = vec![[R::ZERO; BLOCK]; paths.blocks() * steps];
        let rows = if keep_head_inputs {
            steps * shape.hidden
        } else {
            0
        };
        let mut head_inputs = vec![[R::ZERO; BLOCK]; paths.blocks() * rows];
        let kept: Vec<&mut [Lane<R>]> = if keep_head_inputs {
            head_inputs.chunks_exact_mut(rows).collect()
        } else {
            (0..paths.blocks())
                .map(|_| <&mut [Lane<R>]>::default())
                .collect()
        };
        positions
            .par_chunks_exact_mut(steps)
            .zip(kept)
            .enumerate()
            .for_each(|(block, (positions, kept))| {
                self.with_workspace(shape, steps, |workspace| {
                    let paths = paths.block(block);
                    dispatch(ForwardBlock {
                        weights: &weights,
                        features,
                        paths,
                        workspace,
                    });
                    positions.copy_from_slice(&workspace.positions);
                    for (t, kept) in kept.chunks_exact_mut(shape.hidden).enumerate() {
                        kept.copy_from_slice(workspace.top().hidden(t));
                    }
                });
            });
        Ok(Forward {
            positions,
            head_inputs,
        })
    }

    fn backward(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
        record: bool,
    ) -> Result<Backward<R>> {
        let (shape, steps, blocks) = (parameters.shape(), paths.steps(), paths.blocks());
        let weights = Weights::new(shape, &parameters.matrices()?);
        let mut recorded = record.then(|| Record::zeros(shape, blocks, steps));
        let mut targets: Vec<Vec<RecordBlock<'_, R>>> = match &mut recorded {
            Some(record) => split(record),
            None => (0..blocks).map(|_| Vec::new()).collect(),
        };
        let totals: Vec<Vec<Vec<f64>>> = targets
            .par_chunks_mut(CHUNK)
            .enumerate()
            .map(|(chunk, targets)| {
                let mut totals: Vec<Vec<f64>> = shape
                    .maps()
                    .iter()
                    .map(|(_, rows, columns)| vec![0.0; rows * columns])
                    .collect();
                self.with_workspace(shape, steps, |workspace| {
                    for (offset, target) in targets.iter_mut().enumerate() {
                        let block = chunk * CHUNK + offset;
                        let paths = paths.block(block);
                        dispatch(ForwardBlock {
                            weights: &weights,
                            features,
                            paths,
                            workspace,
                        });
                        seed(block, &workspace.positions, &mut workspace.seeds);
                        dispatch(BackwardBlock {
                            weights: &weights,
                            workspace,
                            totals: &mut totals,
                        });
                        workspace.copy_record(target);
                    }
                });
                totals
            })
            .collect();
        let gradient = shape
            .maps()
            .iter()
            .enumerate()
            .map(|(map, &(_, rows, columns))| {
                let mut sum = Mat::zeros(rows, columns);
                for total in &totals {
                    for row in 0..rows {
                        for column in 0..columns {
                            sum[(row, column)] += total[map][row * columns + column];
                        }
                    }
                }
                sum
            })
            .collect();
        Ok(Backward {
            gradient,
            record: recorded,
        })
    }
}

/// One block of one map's record, for writing.
struct RecordBlock<'a, R> {
    inputs: &'a mut [Lane<R>],
    gradients: &'a mut [Lane<R>],
}

fn split<R: Real>(record: &mut Record<R>) -> Vec<Vec<RecordBlock<'_, R>>> {
    let (blocks, steps) = (record.blocks(), record.steps());
    let mut result: Vec<Vec<RecordBlock<'_, R>>> = (0..blocks).map(|_| Vec::new()).collect();
    for map in &mut record.maps {
        let inputs = map.inputs.chunks_exact_mut(steps * map.columns);
        let gradients = map.gradients.chunks_exact_mut(steps * map.rows);
        for ((target, inputs), gradients) in result.iter_mut().zip(inputs).zip(gradients) {
            target.push(RecordBlock { inputs, gradients });
        }
    }
    result
}

/// Weights as the kernels read them.
struct Weights<R> {
    shape: Shape,
    layers: Vec<LayerWeights<R>>,
    /// Head weights, the bias last.
    head: Vec<R>,
}

struct LayerWeights<R> {
    forward: Packed<R>,
    /// Rows of Wᵀ for h_{t−1}: gate derivatives to ∂z/∂h_{t−1}.
    to_hidden: Packed<R>,
    /// Rows of Wᵀ for the inputs, where they are another layer's units.
    to_inputs: Packed<R>,
}

impl<R: Real> Weights<R> {
    fn new(shape: Shape, matrices: &[Mat<f64>]) -> Self {
        let hidden = shape.hidden;
        let layers = (0..shape.layers)
            .map(|layer| {
                let w = &matrices[layer];
                let (rows, columns) = (w.nrows(), w.ncols());
                let inputs = if layer > 0 { hidden } else { 0 };
                LayerWeights {
                    forward: Packed::new(rows, columns, |row, column| w[(row, column)]),
                    to_hidden: Packed::new(hidden, rows, |row, column| w[(column, row)]),
                    to_inputs: Packed::new(inputs, rows, |row, column| w[(column, hidden + row)]),
                }
            })
            .collect();
        let head = &matrices[shape.layers];
        Self {
            shape,
            layers,
            head: (0..=hidden).map(|u| R::of(head[(0, u)])).collect(),
        }
    }
}

/// What one block needs from its first date to its last.
#[derive(Debug)]
struct Workspace<R> {
    shape: Shape,
    steps: usize,
    layers: Vec<LayerWorkspace<R>>,
    /// `[steps]`
    positions: Vec<Lane<R>>,
    /// ∂(what is differentiated)/∂position, `[steps]`.
    seeds: Vec<Lane<R>>,
    /// ∂z/∂h of a layer from above, `[steps][hidden]`.
    from_above: Vec<Lane<R>>,
}

#[derive(Debug)]
struct LayerWorkspace<R> {
    columns: usize,
    hidden: usize,
    /// [h_{t−1}; input_t; 1], `[steps + 1][columns]`; the last date holds only h.
    inputs: Vec<Lane<R>>,
    /// Gate activations after the forward pass, ∂z/∂pre-activation after the backward pass: `[steps][4·hidden]`.
    gates: Vec<Lane<R>>,
    /// Cell states, `[steps + 1][hidden]`, the first one zero.
    cells: Vec<Lane<R>>,
}

impl<R: Real> LayerWorkspace<R> {
    /// h_t
    #[inline(always)]
    fn hidden(&self, t: usize) -> &[Lane<R>] {
        &self.inputs[(t + 1) * self.columns..][..self.hidden]
    }
}

impl<R: Real> Workspace<R> {
    fn new(shape: Shape, steps: usize) -> Self {
        let zeros = |count: usize| vec![[R::ZERO; BLOCK]; count];
        let hidden = shape.hidden;
        let layers = (0..shape.layers)
            .map(|layer| {
                let columns = hidden + shape.inputs(layer) + 1;
                let mut inputs = zeros((steps + 1) * columns);
                for t in 0..steps {
                    inputs[t * columns + columns - 1] = [R::ONE; BLOCK];
                }
                LayerWorkspace {
                    columns,
                    hidden,
                    inputs,
                    gates: zeros(steps * GATES * hidden),
                    cells: zeros((steps + 1) * hidden),
                }
            })
            .collect();
        Self {
            shape,
            steps,
            layers,
            positions: zeros(steps),
            seeds: zeros(steps),
            from_above: zeros(steps * hidden),
        }
    }

    fn fits(&self, shape: Shape, steps: usize) -> bool {
        self.shape == shape && self.steps == steps
    }

    fn top(&self) -> &LayerWorkspace<R> {
        self.layers.last().expect("a policy has a layer")
    }

    /// Copies the record of a block whose backward pass is done; nothing if no record is wanted.
    fn copy_record(&self, target: &mut [RecordBlock<'_, R>]) {
        for (layer, target) in self.layers.iter().zip(target.iter_mut()) {
            target
                .inputs
                .copy_from_slice(&layer.inputs[..self.steps * layer.columns]);
            target.gradients.copy_from_slice(&layer.gates);
        }
        if let Some(head) = target.last_mut() {
            let hidden = self.shape.hidden;
            for (t, inputs) in head.inputs.chunks_exact_mut(hidden + 1).enumerate() {
                inputs[..hidden].copy_from_slice(self.top().hidden(t));
                inputs[hidden] = [R::ONE; BLOCK];
            }
            head.gradients.copy_from_slice(&self.seeds);
        }
    }
}

struct ForwardBlock<'a, R> {
    weights: &'a Weights<R>,
    features: &'a Features,
    paths: PathBlock<'a, R>,
    workspace: &'a mut Workspace<R>,
}

impl<R: Real> Kernel for ForwardBlock<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            weights,
            features,
            paths,
            workspace,
        } = self;
        let (hidden, steps) = (weights.shape.hidden, workspace.steps);
        for index in 0..workspace.layers.len() {
            let (below, layer) = workspace.layers.split_at_mut(index);
            let layer = &mut layer[0];
            let columns = layer.columns;
            for t in 0..steps {
                let inputs = &mut layer.inputs[t * columns + hidden..][..columns - hidden - 1];
                match below.last() {
                    None => features.write(&paths, t, inputs),
                    Some(below) => inputs.copy_from_slice(below.hidden(t)),
                }
            }
            for t in 0..steps {
                let gates = &mut layer.gates[t * GATES * hidden..][..GATES * hidden];
                // h is zero before the first date.
                let from = if t == 0 { hidden } else { 0 };
                let (past, next) = layer.inputs.split_at_mut((t + 1) * columns);
                weights.layers[index].forward.multiply::<FMA, ROWS>(
                    from,
                    &past[t * columns + from..],
                    gates,
                );
                let (cells, next_cells) = layer.cells.split_at_mut((t + 1) * hidden);
                for unit in 0..hidden {
                    let gate: &mut [Lane<R>; GATES] = (&mut gates[unit * GATES..][..GATES])
                        .try_into()
                        .expect("four gates");
                    // Values, not references: the compiler must see that nothing overlaps.
                    let (before, cell) = (*gate, cells[t * hidden + unit]);
                    let mut after = [[R::ZERO; BLOCK]; GATES];
                    let (mut next_cell, mut h) = ([R::ZERO; BLOCK], [R::ZERO; BLOCK]);
                    for lane in 0..BLOCK {
                        let input = sigmoid(before[0][lane]);
                        let forget = sigmoid(before[1][lane]);
                        let candidate = tanh(before[2][lane]);
                        let output = sigmoid(before[3][lane]);
                        let c = multiply_add::<R, FMA>(forget, cell[lane], input * candidate);
                        after[0][lane] = input;
                        after[1][lane] = forget;
                        after[2][lane] = candidate;
                        after[3][lane] = output;
                        next_cell[lane] = c;
                        h[lane] = output * tanh(c);
                    }
                    *gate = after;
                    next_cells[unit] = next_cell;
                    next[unit] = h;
                }
            }
        }
        let top = workspace.layers.last().expect("a policy has a layer");
        for t in 0..steps {
            let mut position = [weights.head[hidden]; BLOCK];
            for (w, h) in weights.head.iter().zip(top.hidden(t)) {
                for lane in 0..BLOCK {
                    position[lane] = multiply_add::<R, FMA>(*w, h[lane], position[lane]);
                }
            }
            workspace.positions[t] = position;
        }
    }
}

struct BackwardBlock<'a, R> {
    weights: &'a Weights<R>,
    workspace: &'a mut Workspace<R>,
    /// Gradients of every map, row by row.
    totals: &'a mut [Vec<f64>],
}

impl<R: Real> Kernel for BackwardBlock<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            weights,
            workspace,
            totals,
        } = self;
        let (hidden, steps, layers) = (
            weights.shape.hidden,
            workspace.steps,
            workspace.layers.len(),
        );
        let Workspace {
            layers: workspaces,
            seeds,
            from_above,
            ..
        } = workspace;
        let (lstm_totals, head_total) = totals.split_at_mut(layers);

        let top = workspaces.last().expect("a policy has a layer");
        add_outer::<R, FMA>(
            0..steps,
            |t| &seeds[t..=t],
            |t| top.hidden(t),
            &mut head_total[0][..hidden],
        );
        head_total[0][hidden] += seeds
            .iter()
            .flatten()
            .map(|seed| seed.into_f64())
            .sum::<f64>();
        for t in 0..steps {
            for (w, out) in weights
                .head
                .iter()
                .zip(&mut from_above[t * hidden..][..hidden])
            {
                for lane in 0..BLOCK {
                    out[lane] = *w * seeds[t][lane];
                }
            }
        }

        // ∂z/∂h_t and ∂z/∂c_t from the next date.
        let mut from_next = vec![[R::ZERO; BLOCK]; hidden];
        let mut cell_gradient = vec![[R::ZERO; BLOCK]; hidden];
        for index in (0..layers).rev() {
            let layer = &mut workspaces[index];
            let map = &weights.layers[index];
            from_next.fill([R::ZERO; BLOCK]);
            cell_gradient.fill([R::ZERO; BLOCK]);
            for t in (0..steps).rev() {
                let gates = &mut layer.gates[t * GATES * hidden..][..GATES * hidden];
                for unit in 0..hidden {
                    let gate: &mut [Lane<R>; GATES] = (&mut gates[unit * GATES..][..GATES])
                        .try_into()
                        .expect("four gates");
                    let activated = *gate;
                    let (before, after) = (
                        layer.cells[t * hidden + unit],
                        layer.cells[(t + 1) * hidden + unit],
                    );
                    let (above, next) = (from_above[t * hidden + unit], from_next[unit]);
                    let mut carried = cell_gradient[unit];
                    let mut gradient = [[R::ZERO; BLOCK]; GATES];
                    for lane in 0..BLOCK {
                        let (input, forget) = (activated[0][lane], activated[1][lane]);
                        let (candidate, output) = (activated[2][lane], activated[3][lane]);
                        let squashed = tanh(after[lane]);
                        let dh = above[lane] + next[lane];
                        let dc = multiply_add::<R, FMA>(
                            dh * output,
                            R::ONE - squashed * squashed,
                            carried[lane],
                        );
                        gradient[0][lane] = dc * candidate * input * (R::ONE - input);
                        gradient[1][lane] = dc * before[lane] * forget * (R::ONE - forget);
                        gradient[2][lane] = dc * input * (R::ONE - candidate * candidate);
                        gradient[3][lane] = dh * squashed * output * (R::ONE - output);
                        carried[lane] = dc * forget;
                    }
                    *gate = gradient;
                    cell_gradient[unit] = carried;
                }
                if t > 0 {
                    map.to_hidden
                        .multiply::<FMA, ROWS>(0, gates, &mut from_next);
                }
            }
            if index > 0 {
                for t in 0..steps {
                    let gates = &layer.gates[t * GATES * hidden..][..GATES * hidden];
                    map.to_inputs.multiply::<FMA, ROWS>(
                        0,
                        gates,
                        &mut from_above[t * hidden..][..hidden],
                    );
                }
            }
            let (columns, rows) = (layer.columns, GATES * hidden);
            add_outer::<R, FMA>(
                0..steps,
                |t| &layer.gates[t * rows..][..rows],
                |t| &layer.inputs[t * columns..][..columns],
                &mut lstm_totals[index],
            );
        }
    }
}
