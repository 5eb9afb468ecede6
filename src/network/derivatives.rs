use super::record::{MapRecord, Record};
use crate::distributed::{Portable, Spread};
use crate::simd::{BLOCK, Kernel, Real, dispatch, multiply_add};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// The derivatives J_b = Σ_t g_{t,b} a_{t,b}ᵀ of one map for the paths of one block.
///
/// Where products of J_b itself are needed (its second moments, inner products between paths), keeping it is cheaper
/// than going through the dates every time.
#[derive(Debug, Clone)]
pub struct PathDerivatives {
    rows: usize,
    columns: usize,
    /// `[BLOCK][columns][rows]`
    values: Vec<f64>,
}

/// The derivatives of one map for all paths of a record, block by block, spread over ranks like the record.
#[derive(Debug, Clone)]
pub struct Derivatives {
    spread: Spread,
    /// Those of the own blocks.
    own: Vec<PathDerivatives>,
}

impl<R: Real> Record<R> {
    /// The derivatives of map `map`, block by block.
    pub fn derivatives(&self, map: usize) -> Derivatives {
        let record = &self.maps[map];
        let own = self.spread.map(|block| {
            let mut values = vec![0.0; BLOCK * record.columns * record.rows];
            dispatch(Accumulate {
                map: record,
                dates: self.dates(block),
                values: &mut values,
            });
            PathDerivatives {
                rows: record.rows,
                columns: record.columns,
                values,
            }
        });
        Derivatives {
            spread: self.spread.clone(),
            own,
        }
    }
}

impl Portable for PathDerivatives {
    fn write(&self, bytes: &mut Vec<u8>) {
        (self.rows, self.columns).write(bytes);
        f64::write_all(&self.values, bytes);
    }

    fn read(bytes: &mut &[u8]) -> Self {
        let (rows, columns) = Portable::read(bytes);
        let mut values = vec![0.0; BLOCK * columns * rows];
        f64::read_all(bytes, &mut values);
        Self {
            rows,
            columns,
            values,
        }
    }
}

impl Derivatives {
    /// Number of paths of all ranks together, whole blocks.
    pub fn paths(&self) -> usize {
        self.spread.blocks() * BLOCK
    }

    /// The sum of `moment` over all blocks, added in block order; the same on all ranks.
    ///
    /// # Panics
    /// If there is no block.
    pub fn sum(&self, moment: impl Fn(&PathDerivatives) -> Mat<f64> + Sync) -> Mat<f64> {
        let own = self.spread.map(|block| moment(self.own_block(block)));
        let all = self.spread.collect(own).into_iter();
        all.reduce(|sum, moment| sum + moment)
            .expect("a record has a block at least")
    }

    /// Those of all blocks, on every rank.
    pub fn gathered(self) -> Vec<PathDerivatives> {
        self.spread.collect(self.own)
    }

    fn own_block(&self, block: usize) -> &PathDerivatives {
        &self.own[self.spread.place(block)]
    }
}

impl PathDerivatives {
    /// From [`Self::stacked`] of a map of `rows` rows.
    ///
    /// # Panics
    /// If there is not a column for every path of a block, or no whole number of columns of the map.
    pub fn from_stacked(rows: usize, stacked: &Mat<f64>) -> Self {
        assert_eq!(stacked.ncols(), BLOCK);
        assert_eq!(stacked.nrows() % rows, 0);
        let columns = stacked.col_iter();
        Self {
            rows,
            columns: stacked.nrows() / rows,
            values: columns
                .flat_map(|column| column.iter().copied().collect::<Vec<_>>())
                .collect(),
        }
    }

    /// Rows of the map.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// vec J_b (columns stacked) of every path, one a column: `[rows · columns, BLOCK]`.
    pub fn stacked(&self) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.values, self.rows * self.columns, BLOCK)
    }

    /// Σ_b J_b M J_bᵀ over the paths of the block; without M, Σ_b J_b J_bᵀ.
    pub fn left_moment(&self, middle: Option<&Mat<f64>>) -> Mat<f64> {
        let mut product = Mat::zeros(self.rows, self.rows);
        let Some(middle) = middle else {
            let all = self.side_by_side();
            add_product(product.as_mut(), all, all.transpose());
            return product;
        };
        let moved = self.times(middle);
        add_product(
            product.as_mut(),
            moved.side_by_side(),
            self.side_by_side().transpose(),
        );
        product
    }

    /// Σ_b J_bᵀ M J_b over the paths of the block; without M, Σ_b J_bᵀ J_b.
    pub fn right_moment(&self, middle: Option<&Mat<f64>>) -> Mat<f64> {
        let moved = middle.map(|middle| middle * self.side_by_side());
        let mut product = Mat::zeros(self.columns, self.columns);
        for path in 0..BLOCK {
            let j = self.path(path);
            let moved = moved
                .as_ref()
                .map_or(j, |moved| moved.subcols(path * self.columns, self.columns));
            add_product(product.as_mut(), j.transpose(), moved);
        }
        product
    }

    /// Σ_b (Uᵀ J_b V)^∘2, the second moments in the bases U of rows and V of columns.
    pub fn squares(&self, left: &Mat<f64>, right: &Mat<f64>) -> Mat<f64> {
        let moved = left.transpose() * self.times(right).side_by_side();
        let mut sum = Mat::zeros(self.rows, self.columns);
        for path in 0..BLOCK {
            for column in 0..self.columns {
                let moved = moved.col(path * self.columns + column);
                for row in 0..self.rows {
                    sum[(row, column)] += moved[row] * moved[row];
                }
            }
        }
        sum
    }

    /// All J_b beside each other: `[rows, columns · BLOCK]`.
    fn side_by_side(&self) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.values, self.rows, self.columns * BLOCK)
    }

    fn path(&self, path: usize) -> MatRef<'_, f64> {
        self.side_by_side()
            .subcols(path * self.columns, self.columns)
    }

    /// J_b M for every path.
    fn times(&self, right: &Mat<f64>) -> Self {
        let mut values = vec![0.0; self.values.len()];
        let mut moved =
            MatMut::from_column_major_slice_mut(&mut values, self.rows, self.columns * BLOCK);
        for path in 0..BLOCK {
            let moved = moved
                .as_mut()
                .subcols_mut(path * self.columns, self.columns);
            add_product(moved, self.path(path), right.as_ref());
        }
        Self { values, ..*self }
    }
}

fn add_product(sum: MatMut<'_, f64>, left: MatRef<'_, f64>, right: MatRef<'_, f64>) {
    matmul(sum, Accum::Add, left, right, 1.0, Par::Seq);
}

/// Rows whose sums are kept at once.
const TILE: usize = 4;

struct Accumulate<'a, R> {
    map: &'a MapRecord<R>,
    dates: std::ops::Range<usize>,
    values: &'a mut [f64],
}

impl<R: Real> Kernel for Accumulate<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let (rows, columns) = (self.map.rows, self.map.columns);
        for first in (0..rows).step_by(TILE) {
            let count = TILE.min(rows - first);
            // Rows past the last repeat it and are not kept.
            let row: [usize; TILE] = std::array::from_fn(|r| first + r.min(count - 1));
            for column in 0..columns {
                let mut sums = [[R::ZERO; BLOCK]; TILE];
                for t in self.dates.clone() {
                    let a = self.map.inputs.at(t)[column];
                    let g = self.map.gradients.at(t);
                    for r in 0..TILE {
                        let g = g[row[r]];
                        for lane in 0..BLOCK {
                            sums[r][lane] = multiply_add::<R, FMA>(g[lane], a[lane], sums[r][lane]);
                        }
                    }
                }
                for lane in 0..BLOCK {
                    let values = &mut self.values[(lane * columns + column) * rows + first..];
                    for r in 0..count {
                        values[r] = sums[r][lane].into_f64();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record<f64> {
        let number = |seed: usize| ((seed * 7919 + 13) % 17) as f64 - 8.0;
        Record::from_fn(64, 3, |path, t| {
            let a = (0..5).map(|i| number(path + 31 * t + 101 * i)).collect();
            let g = (0..6).map(|i| number(2 * path + 17 * t + 7 * i)).collect();
            (a, g)
        })
    }

    /// Integers, so that the sums are exact in every order.
    #[test]
    fn derivatives_and_their_moments_equal_their_definitions() {
        let record = record();
        let derivatives = record.derivatives(0);
        let blocks = derivatives.clone().gathered();
        let (u, v) = (
            Mat::from_fn(6, 6, |i, j| (i + 2 * j) as f64),
            Mat::from_fn(5, 5, |i, j| (3 * i) as f64 - j as f64),
        );
        let mut expected = vec![Mat::<f64>::zeros(6, 6); 2];
        let mut columns = vec![Mat::<f64>::zeros(5, 5); 2];
        let mut squares = Mat::<f64>::zeros(6, 5);
        for path in 0..record.paths() {
            let j = record.path_derivative(0, path);
            let stacked = blocks[path / BLOCK].stacked();
            for i in 0..30 {
                assert_eq!(stacked[(i, path % BLOCK)], j[(i % 6, i / 6)]);
            }
            expected[0] += &j * j.transpose();
            expected[1] += &j * &v * j.transpose();
            columns[0] += j.transpose() * &j;
            columns[1] += j.transpose() * &u * &j;
            let moved = u.transpose() * &j * &v;
            squares += Mat::from_fn(6, 5, |r, c| moved[(r, c)].powi(2));
        }
        for (expected, middle) in expected.iter().zip([None, Some(&v)]) {
            assert_eq!(derivatives.sum(|b| b.left_moment(middle)), *expected);
        }
        for (expected, middle) in columns.iter().zip([None, Some(&u)]) {
            assert_eq!(derivatives.sum(|b| b.right_moment(middle)), *expected);
        }
        assert_eq!(derivatives.sum(|b| b.squares(&u, &v)), squares);
    }
}
