use super::map::MapShape;
use crate::distributed::{Ranks, Spread};
use crate::simd::{BLOCK, Dates, Kernel, Lane, Lanes, Packed, Real, add_outer, dispatch};
use faer::Mat;
use std::ops::Range;

/// The sweep record: what every optimizer needs, and all that it needs.
///
/// For every linear map `s = W a` of the network it holds the inputs `a_{t,b}` (the last of them
/// the constant 1) and the derivatives `g_{t,b} = ∂z_b/∂s_{t,b}` of path b's P&L. With
/// `J_b = Σ_t g_{t,b} a_{t,b}ᵀ` the derivative of z_b in W, it gives gradients, Kronecker factors,
/// and products with J and its transpose, without another sweep.
///
/// A record of paths that are spread over ranks is spread like them: every rank holds its own blocks. What is asked of it is
/// of the paths of all ranks and the same on all of them, which therefore ask for the same in the same order.
#[derive(Debug, Clone, Default)]
pub struct Record<R> {
    pub(super) spread: Spread,
    pub(super) steps: usize,
    pub(super) maps: Vec<MapRecord<R>>,
    /// By what the gradients of every path are scaled; empty for 1.
    pub(super) factors: Vec<f64>,
}

/// The record of one linear map.
///
/// # Shapes
/// The dates of one own block after another: `inputs` is `[own blocks · steps][columns][BLOCK]`, `gradients`
/// is `[own blocks · steps][rows][BLOCK]`.
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

impl<R: Real> Record<R> {
    /// Makes room for a record of the given maps on blocks that are spread like this.
    pub(super) fn resize(&mut self, shapes: &[MapShape], spread: &Spread, steps: usize) {
        let blocks = spread.own().len();
        self.spread = spread.clone();
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

    /// The record own block by own block, for writing: one [`RecordBlock`] for every map.
    pub(super) fn split(&mut self) -> Vec<Vec<RecordBlock<'_, R>>> {
        let (blocks, steps) = (self.spread.own().len(), self.steps);
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
        self.spread = Spread::new(&Ranks::alone(), examples / BLOCK);
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

    /// How the blocks of paths are spread over ranks.
    pub fn spread(&self) -> &Spread {
        &self.spread
    }

    /// Number of blocks of paths, of all ranks together.
    pub fn blocks(&self) -> usize {
        self.spread.blocks()
    }

    /// Number of paths of all ranks together, whole blocks.
    pub fn paths(&self) -> usize {
        self.blocks() * BLOCK
    }

    /// The dates of an own block in the record of a map.
    pub(super) fn dates(&self, block: usize) -> Range<usize> {
        let place = self.spread.place(block);
        place * self.steps..(place + 1) * self.steps
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
        let factors: Vec<Lane<R>> = self
            .spread
            .own()
            .map(|block| std::array::from_fn(|lane| R::of(factors[block * BLOCK + lane])))
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
        let sizes: Vec<usize> = self.maps.iter().map(|map| map.rows * map.columns).collect();
        let sums = self.spread.sums(&sizes, |run, totals| {
            for (map, total) in self.maps.iter().zip(totals) {
                for block in run.clone() {
                    dispatch(WeightedOuter {
                        map,
                        dates: self.dates(block),
                        weights: &weights[block * BLOCK..][..BLOCK],
                        total,
                    });
                }
            }
        });
        let matrix = |(map, sum): (&MapRecord<R>, Vec<f64>)| {
            Mat::from_fn(map.rows, map.columns, |row, column| {
                sum[row * map.columns + column]
            })
        };
        self.maps.iter().zip(sums).map(matrix).collect()
    }

    /// (1/n) Σ_b h_b J_b for every map, of a record that is scaled by √h.
    pub fn mean(&self) -> Vec<Mat<f64>> {
        let paths = self.paths();
        let share = |path: usize| self.factors.get(path).unwrap_or(&1.0) / paths as f64;
        self.gradient(&(0..paths).map(share).collect::<Vec<_>>())
    }

    /// `J_b · d` for every path b: the change of its P&L along the direction `d`.
    pub fn directional(&self, direction: &[Mat<f64>]) -> Vec<f64> {
        let packed: Vec<Packed<R>> = direction
            .iter()
            .map(|d| Packed::new(d.nrows(), d.ncols(), |row, column| d[(row, column)]))
            .collect();
        let moved = self.spread.map(|block| {
            let moved = dispatch(Directional {
                record: self,
                packed: &packed,
                dates: self.dates(block),
            });
            moved.map(Real::into_f64)
        });
        self.spread.collect(moved).into_flattened()
    }

    /// `J_b` of map `map` for one path of an own block, summed over time.
    pub fn path_derivative(&self, map: usize, path: usize) -> Mat<f64> {
        let map = &self.maps[map];
        let lane = path % BLOCK;
        Mat::from_fn(map.rows, map.columns, |row, column| {
            self.dates(path / BLOCK)
                .map(|t| {
                    map.gradients.at(t)[row][lane].into_f64()
                        * map.inputs.at(t)[column][lane].into_f64()
                })
                .sum()
        })
    }
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

struct Directional<'a, R> {
    record: &'a Record<R>,
    packed: &'a [Packed<R>],
    dates: Range<usize>,
}

impl<R: Real> Kernel for Directional<'_, R> {
    type Output = Lane<R>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) -> Lane<R> {
        let mut sum = [R::ZERO; BLOCK];
        for (map, packed) in self.record.maps.iter().zip(self.packed) {
            let mut moved = Lanes::zeros(map.rows);
            for t in self.dates.clone() {
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
