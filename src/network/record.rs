use super::parameters::Shape;
use crate::simd::{BLOCK, Kernel, Lane, Packed, Real, add_outer, dispatch};
use faer::Mat;
use rayon::prelude::*;

/// The sweep record: what every optimizer needs, and all that it needs.
///
/// For every linear map `s = W a` of the network it holds the inputs `a_{t,b}` (the last of them
/// the constant 1) and the derivatives `g_{t,b} = ∂z_b/∂s_{t,b}` of path b's P&L. With
/// `J_b = Σ_t g_{t,b} a_{t,b}ᵀ` the derivative of z_b in W, it gives gradients, Kronecker factors,
/// and products with J and its transpose, without another sweep.
#[derive(Debug, Clone)]
pub struct Record<R> {
    pub(super) steps: usize,
    pub(super) maps: Vec<MapRecord<R>>,
}

/// The record of one linear map.
///
/// # Shapes
/// `inputs` is `[blocks][steps][columns][BLOCK]`, `gradients` is `[blocks][steps][rows][BLOCK]`.
#[derive(Debug, Clone)]
pub(super) struct MapRecord<R> {
    pub rows: usize,
    pub columns: usize,
    pub inputs: Vec<Lane<R>>,
    pub gradients: Vec<Lane<R>>,
}

/// Second moments of inputs and gradients of one map, summed over paths and pairs of dates.
///
/// `inputs = Σ_b Σ_t a_{t+lag} a_tᵀ` and `gradients = Σ_b Σ_t g_{t+lag} g_tᵀ`.
#[derive(Debug, Clone)]
pub struct Moments {
    pub inputs: Mat<f64>,
    pub gradients: Mat<f64>,
}

impl<R: Real> Record<R> {
    pub(super) fn zeros(shape: Shape, blocks: usize, steps: usize) -> Self {
        let maps = shape
            .maps()
            .into_iter()
            .map(|(_, rows, columns)| MapRecord {
                rows,
                columns,
                inputs: vec![[R::ZERO; BLOCK]; blocks * steps * columns],
                gradients: vec![[R::ZERO; BLOCK]; blocks * steps * rows],
            })
            .collect();
        Self { steps, maps }
    }

    /// Number of blocks of paths.
    pub fn blocks(&self) -> usize {
        self.maps
            .first()
            .map_or(0, |map| map.inputs.len() / (map.columns * self.steps))
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

    /// Multiplies the gradients of path b by `factors[b]`.
    ///
    /// With √h_b the moments and products become those of the curvature Σ_b h_b J_b J_bᵀ.
    ///
    /// # Panics
    /// If there are fewer factors than paths.
    pub fn scale(&mut self, factors: &[f64]) {
        assert!(factors.len() >= self.paths(), "one factor for each path");
        let steps = self.steps;
        for map in &mut self.maps {
            for (rows, factors) in map
                .gradients
                .chunks_exact_mut(steps * map.rows)
                .zip(factors.chunks_exact(BLOCK))
            {
                for row in rows {
                    for lane in 0..BLOCK {
                        row[lane] *= R::of(factors[lane]);
                    }
                }
            }
        }
    }

    /// `Σ_b weights[b] J_b` for every map.
    pub fn gradient(&self, weights: &[f64]) -> Vec<Mat<f64>> {
        let mut weighted = self.clone();
        weighted.scale(weights);
        (0..self.maps.len())
            .map(|map| {
                let map = &weighted.maps[map];
                map.sum_outer(
                    self.steps,
                    &map.gradients,
                    map.rows,
                    &map.inputs,
                    map.columns,
                    0,
                )
            })
            .collect()
    }

    /// The moments of map `map` at the given lag in time.
    pub fn moments(&self, map: usize, lag: usize) -> Moments {
        let map = &self.maps[map];
        Moments {
            inputs: map.sum_outer(
                self.steps,
                &map.inputs,
                map.columns,
                &map.inputs,
                map.columns,
                lag,
            ),
            gradients: map.sum_outer(
                self.steps,
                &map.gradients,
                map.rows,
                &map.gradients,
                map.rows,
                lag,
            ),
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
                    map.gradients[t * map.rows + row][lane].into_f64()
                        * map.inputs[t * map.columns + column][lane].into_f64()
                })
                .sum()
        })
    }
}

impl<R: Real> MapRecord<R> {
    fn sum_outer(
        &self,
        steps: usize,
        left: &[Lane<R>],
        left_rows: usize,
        right: &[Lane<R>],
        right_rows: usize,
        lag: usize,
    ) -> Mat<f64> {
        let blocks = left.len() / (left_rows * steps);
        let totals: Vec<Vec<f64>> = (0..blocks)
            .into_par_iter()
            .map(|block| {
                let mut total = vec![0.0; left_rows * right_rows];
                dispatch(Outer {
                    left: &left[block * steps * left_rows..],
                    left_rows,
                    right: &right[block * steps * right_rows..],
                    right_rows,
                    steps,
                    lag,
                    total: &mut total,
                });
                total
            })
            .collect();
        let mut sum = Mat::zeros(left_rows, right_rows);
        for total in totals {
            for row in 0..left_rows {
                for column in 0..right_rows {
                    sum[(row, column)] += total[row * right_rows + column];
                }
            }
        }
        sum
    }
}

struct Outer<'a, R> {
    left: &'a [Lane<R>],
    left_rows: usize,
    right: &'a [Lane<R>],
    right_rows: usize,
    steps: usize,
    lag: usize,
    total: &'a mut [f64],
}

impl<R: Real> Kernel for Outer<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let (left, right) = (self.left, self.right);
        add_outer::<R, FMA, ROWS>(
            0..self.steps.saturating_sub(self.lag),
            |t| &left[(t + self.lag) * self.left_rows..][..self.left_rows],
            |t| &right[t * self.right_rows..][..self.right_rows],
            self.total,
        );
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
            let mut moved = vec![[R::ZERO; BLOCK]; map.rows];
            for t in self.block * self.record.steps..(self.block + 1) * self.record.steps {
                packed.multiply::<FMA, ROWS>(
                    0,
                    &map.inputs[t * map.columns..][..map.columns],
                    &mut moved,
                );
                for (g, moved) in map.gradients[t * map.rows..][..map.rows].iter().zip(&moved) {
                    for lane in 0..BLOCK {
                        sum[lane] += g[lane] * moved[lane];
                    }
                }
            }
        }
        sum
    }
}
