use super::map::MapShape;
use crate::distributed;
use crate::simd::{BLOCK, Dates, Kernel, Lane, Lanes, Packed, Real, add_gram, add_outer, dispatch};
use faer::Mat;
use rayon::prelude::*;
use std::ops::Range;

/// The sweep record: what every optimizer needs, and all that it needs.
///
/// For every linear map `s = W a` of the network it holds the inputs `a_{t,b}` (the last of them
/// the constant 1) and the derivatives `g_{t,b} = ∂z_b/∂s_{t,b}` of path b's P&L. With
/// `J_b = Σ_t g_{t,b} a_{t,b}ᵀ` the derivative of z_b in W, it gives gradients, Kronecker factors,
/// and products with J and its transpose, without another sweep.
#[derive(Debug, Clone, Default)]
pub struct Record<R> {
    pub(super) steps: usize,
    pub(super) maps: Vec<MapRecord<R>>,
    /// By what the gradients of every path are scaled; empty for 1.
    pub(super) factors: Vec<f64>,
}

/// The record of one linear map.
///
/// # Shapes
/// The dates of one block after another: `inputs` is `[blocks · steps][columns][BLOCK]`, `gradients`
/// is `[blocks · steps][rows][BLOCK]`.
#[derive(Debug, Clone, Default)]
pub(super) struct MapRecord<R> {
    pub rows: usize,
    pub columns: usize,
    /// Row r belongs to gate r modulo this number; at most 1 where there are no gates.
    pub gates: usize,
    pub inputs: Dates<R>,
    pub gradients: Dates<R>,
}

/// One block of one map's record, for writing: a period of its [`Dates`].
///
/// # Shapes
/// `[steps][rows of the period][BLOCK]`.
pub struct RecordBlock<'a, R> {
    /// The inputs a_{t,b}.
    pub inputs: &'a mut [Lane<R>],
    /// The derivatives g_{t,b}.
    pub gradients: &'a mut [Lane<R>],
}

/// Second moments of inputs and gradients of one map, summed over paths and pairs of dates.
///
/// `inputs = Σ_b Σ_t a_{t+lag} a_tᵀ` and `gradients = Σ_b Σ_t g_{t+lag} g_tᵀ`.
#[derive(Debug, Clone)]
pub struct Moments {
    /// The moments of inputs, `[columns, columns]`.
    pub inputs: Mat<f64>,
    /// The moments of gradients, `[rows, rows]`.
    pub gradients: Mat<f64>,
}

impl<R: Real> Record<R> {
    /// Makes room for a record of the given maps.
    pub(super) fn resize(&mut self, shapes: &[MapShape], blocks: usize, steps: usize) {
        self.steps = steps;
        self.factors.clear();
        self.maps.resize_with(shapes.len(), MapRecord::default);
        for (map, shape) in self.maps.iter_mut().zip(shapes) {
            map.rows = shape.rows;
            map.columns = shape.columns;
            map.gates = shape.gates;
            map.inputs.resize(blocks * steps, shape.columns);
            map.gradients.resize(blocks * steps, shape.rows);
        }
    }

    /// The record block by block, for writing: one [`RecordBlock`] for every map.
    pub(super) fn split(&mut self) -> Vec<Vec<RecordBlock<'_, R>>> {
        let (blocks, steps) = (self.blocks(), self.steps);
        let mut result: Vec<Vec<RecordBlock<'_, R>>> = (0..blocks).map(|_| Vec::new()).collect();
        for map in &mut self.maps {
            let inputs = map.inputs.periods_mut(steps);
            let gradients = map.gradients.periods_mut(steps);
            for ((target, inputs), gradients) in result.iter_mut().zip(inputs).zip(gradients) {
                target.push(RecordBlock { inputs, gradients });
            }
        }
        result
    }

    /// Writes the record of a network without recurrence: for every map the inputs and the gradients of its examples,
    /// which stand for paths of one date.
    ///
    /// # Shapes
    /// `[examples, columns]` and `[examples, rows]` for every map.
    ///
    /// # Panics
    /// If the examples are not whole blocks, or not as many for every matrix.
    pub fn set_rows(&mut self, maps: &[(Mat<R>, Mat<R>)]) {
        self.steps = 1;
        self.factors.clear();
        self.maps.resize_with(maps.len(), MapRecord::default);
        let examples = maps.first().map_or(0, |(inputs, _)| inputs.nrows());
        assert!(examples.is_multiple_of(BLOCK), "whole blocks of examples");
        for (map, (inputs, gradients)) in self.maps.iter_mut().zip(maps) {
            map.columns = inputs.ncols();
            map.rows = gradients.ncols();
            map.gates = 1;
            for (dates, values) in [(&mut map.inputs, inputs), (&mut map.gradients, gradients)] {
                assert_eq!(values.nrows(), examples, "as many examples everywhere");
                dates.resize(examples / BLOCK, values.ncols());
                for block in 0..examples / BLOCK {
                    for (row, lane) in dates.at_mut(block).iter_mut().enumerate() {
                        *lane = std::array::from_fn(|path| values[(block * BLOCK + path, row)]);
                    }
                }
            }
        }
    }

    /// Number of blocks of paths.
    pub fn blocks(&self) -> usize {
        self.maps
            .first()
            .map_or(0, |map| map.inputs.count() / self.steps)
    }

    /// Number of paths, whole blocks.
    pub fn paths(&self) -> usize {
        self.blocks() * BLOCK
    }

    /// Number of dates.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// (rows, columns) of every map.
    pub fn sizes(&self) -> Vec<(usize, usize)> {
        self.maps
            .iter()
            .map(|map| (map.rows, map.columns))
            .collect()
    }

    /// Gates whose rows take turns in map `map`: row r belongs to gate r modulo their number.
    pub fn gates(&self, map: usize) -> usize {
        self.maps[map].gates.max(1)
    }

    /// Multiplies the gradients of path b by `factors[b]`.
    ///
    /// With √h_b the moments and products become those of the curvature Σ_b h_b J_b J_bᵀ.
    ///
    /// # Panics
    /// If there are fewer factors than paths.
    pub fn scale(&mut self, factors: &[f64]) {
        assert!(factors.len() >= self.paths(), "one factor for each path");
        let scaled = |path: usize| self.factors.get(path).unwrap_or(&1.0) * factors[path];
        self.factors = (0..self.paths()).map(scaled).collect();
        let factors: Vec<Lane<R>> = factors
            .as_chunks()
            .0
            .iter()
            .map(|factors: &[f64; BLOCK]| factors.map(R::of))
            .collect();
        for map in &mut self.maps {
            for t in 0..map.gradients.count() {
                let factors = factors[t / self.steps];
                for row in map.gradients.at_mut(t) {
                    for lane in 0..BLOCK {
                        row[lane] *= factors[lane];
                    }
                }
            }
        }
    }

    /// `Σ_b weights[b] J_b` for every map.
    ///
    /// # Panics
    /// If there are fewer weights than paths.
    pub fn gradient(&self, weights: &[f64]) -> Vec<Mat<f64>> {
        assert!(weights.len() >= self.paths(), "one weight for each path");
        self.maps
            .iter()
            .map(|map| {
                let size = map.rows * map.columns;
                let sum = sum_blocks(self.blocks(), size, |block, total| {
                    dispatch(WeightedOuter {
                        map,
                        dates: block * self.steps..(block + 1) * self.steps,
                        weights: &weights[block * BLOCK..][..BLOCK],
                        total,
                    });
                });
                Mat::from_fn(map.rows, map.columns, |row, column| {
                    sum[row * map.columns + column]
                })
            })
            .collect()
    }

    /// (1/n) Σ_b h_b J_b for every map, of a record that is scaled by √h.
    pub fn mean(&self) -> Vec<Mat<f64>> {
        let paths = self.paths();
        let share = |path: usize| self.factors.get(path).unwrap_or(&1.0) / paths as f64;
        self.gradient(&(0..paths).map(share).collect::<Vec<_>>())
    }

    /// The moments of map `map` at the given lag in time.
    pub fn moments(&self, map: usize, lag: usize) -> Moments {
        let map = &self.maps[map];
        Moments {
            inputs: sum_outer(&map.inputs, &map.inputs, self.steps, lag),
            gradients: sum_outer(&map.gradients, &map.gradients, self.steps, lag),
        }
    }

    /// `J_b · d` for every path b: the change of its P&L along the direction `d`.
    pub fn directional(&self, direction: &[Mat<f64>]) -> Vec<f64> {
        let packed: Vec<Packed<R>> = direction
            .iter()
            .map(|d| Packed::new(d.nrows(), d.ncols(), |row, column| d[(row, column)]))
            .collect();
        let lanes: Vec<Lane<R>> = (0..self.blocks())
            .into_par_iter()
            .map(|block| {
                dispatch(Directional {
                    record: self,
                    packed: &packed,
                    block,
                })
            })
            .collect();
        lanes
            .iter()
            .flatten()
            .map(|value| value.into_f64())
            .collect()
    }

    /// `J_b` of map `map` for one path, summed over time.
    pub fn path_derivative(&self, map: usize, path: usize) -> Mat<f64> {
        let map = &self.maps[map];
        let (block, lane) = (path / BLOCK, path % BLOCK);
        Mat::from_fn(map.rows, map.columns, |row, column| {
            (block * self.steps..(block + 1) * self.steps)
                .map(|t| {
                    map.gradients.at(t)[row][lane].into_f64()
                        * map.inputs.at(t)[column][lane].into_f64()
                })
                .sum()
        })
    }
}

/// Blocks whose sums are kept in one matrix before they are added to the others.
const CHUNK: usize = 4;

/// `Σ_b Σ_t left_{t+lag} right_tᵀ`, where `left` and `right` hold `steps` dates of every block.
fn sum_outer<R: Real>(left: &Dates<R>, right: &Dates<R>, steps: usize, lag: usize) -> Mat<f64> {
    let (rows, columns) = (left.rows(), right.rows());
    let symmetric = lag == 0 && std::ptr::eq(left, right);
    let blocks = left.count() / steps;
    let sum = sum_blocks(blocks, rows * columns, |block, total| {
        dispatch(Outer {
            left,
            right,
            dates: block * steps..((block + 1) * steps).saturating_sub(lag),
            lag,
            symmetric,
            total,
        });
    });
    Mat::from_fn(rows, columns, |row, column| {
        if symmetric && column > row {
            sum[column * columns + row]
        } else {
            sum[row * columns + column]
        }
    })
}

/// Σ over blocks of what `add` adds to `size` numbers, in an order that does not depend on the number of threads.
fn sum_blocks(blocks: usize, size: usize, add: impl Fn(usize, &mut [f64]) + Sync) -> Vec<f64> {
    let mut sums = distributed::sums(blocks, CHUNK, &[size], |run, totals| {
        run.for_each(|block| add(block, &mut totals[0]));
    });
    sums.swap_remove(0)
}

/// Dates whose weighted inputs are kept at a time.
const SEGMENT: usize = 32;

/// Adds Σ_b weights[b] J_b of one block to `total`.
struct WeightedOuter<'a, R> {
    map: &'a MapRecord<R>,
    dates: Range<usize>,
    weights: &'a [f64],
    total: &'a mut [f64],
}

impl<R: Real> Kernel for WeightedOuter<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let weights: Lane<R> = std::array::from_fn(|lane| R::of(self.weights[lane]));
        let mut weighted = Dates::<R>::zeros(SEGMENT.min(self.dates.len()), self.map.columns);
        for first in self.dates.clone().step_by(SEGMENT) {
            let segment = first..self.dates.end.min(first + SEGMENT);
            for t in segment.clone() {
                let from = self.map.inputs.at(t);
                for (weighted, a) in weighted.at_mut(t - first).iter_mut().zip(from) {
                    for lane in 0..BLOCK {
                        weighted[lane] = weights[lane] * a[lane];
                    }
                }
            }
            add_outer::<R, FMA, ROWS>(
                segment,
                |t| self.map.gradients.at(t),
                |t| weighted.at(t - first),
                self.total,
            );
        }
    }
}

struct Outer<'a, R> {
    left: &'a Dates<R>,
    right: &'a Dates<R>,
    /// Of `right`.
    dates: Range<usize>,
    lag: usize,
    /// Whether only the lower triangle is needed.
    symmetric: bool,
    total: &'a mut [f64],
}

impl<R: Real> Kernel for Outer<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let right = |t: usize| self.right.at(t);
        if self.symmetric {
            add_gram::<R, FMA, ROWS>(self.dates, right, self.total);
        } else {
            let left = |t: usize| self.left.at(t + self.lag);
            add_outer::<R, FMA, ROWS>(self.dates, left, right, self.total);
        }
    }
}

struct Directional<'a, R> {
    record: &'a Record<R>,
    packed: &'a [Packed<R>],
    block: usize,
}

impl<R: Real> Kernel for Directional<'_, R> {
    type Output = Lane<R>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) -> Lane<R> {
        let mut sum = [R::ZERO; BLOCK];
        for (map, packed) in self.record.maps.iter().zip(self.packed) {
            let mut moved = Lanes::zeros(map.rows);
            for t in self.block * self.record.steps..(self.block + 1) * self.record.steps {
                packed.multiply::<FMA, ROWS>(0, map.inputs.at(t), &mut moved);
                for (g, moved) in map.gradients.at(t).iter().zip(moved.iter()) {
                    for lane in 0..BLOCK {
                        sum[lane] += g[lane] * moved[lane];
                    }
                }
            }
        }
        sum
    }
}
