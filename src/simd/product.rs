//! The two matrix products of a sweep, with the paths of a block as vector lanes.
//!
//! Both keep a tile of sums in registers for the whole length of the sum. The compiler does that
//! only if every set of sums is a small array of its own (a [`Quad`]) that is indexed by constants
//! once the loops are unrolled, and if operands are read by value.

use super::{BLOCK, Lane, Real, multiply_add};
use faer::Mat;

/// Rows of a packed tile, a multiple of every register tile's.
const TILE: usize = 8;

/// Lanes of a [`Quad`].
const WIDTH: usize = BLOCK / 2;

/// Four rows of sums, half a block wide.
type Quad<R, const L: usize> = [[R; L]; 4];

/// Part of a lane: elements `L·part..L·(part + 1)`, by value.
#[inline(always)]
fn part<R: Real, const L: usize>(lane: &Lane<R>, part: usize) -> [R; L] {
    let (parts, _) = lane.as_chunks();
    parts[part]
}

/// A matrix packed for [`Packed::multiply`]: tiles of [`TILE`] rows, each stored column by column.
#[derive(Debug, Clone, Default)]
pub struct Packed<R> {
    rows: usize,
    columns: usize,
    data: Vec<[R; TILE]>,
}

impl<R: Real> Packed<R> {
    /// Packs the `rows` × `columns` matrix whose entries are `entry(row, column)`.
    pub fn new(rows: usize, columns: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let mut data = Vec::with_capacity(rows.div_ceil(TILE) * columns);
        for tile in 0..rows.div_ceil(TILE) {
            for column in 0..columns {
                data.push(std::array::from_fn(|r| {
                    let row = tile * TILE + r;
                    if row < rows {
                        R::of(entry(row, column))
                    } else {
                        R::ZERO
                    }
                }));
            }
        }
        Self {
            rows,
            columns,
            data,
        }
    }

    /// Packs a whole matrix W.
    pub fn of(matrix: &Mat<f64>) -> Self {
        Self::new(matrix.nrows(), matrix.ncols(), |row, column| {
            matrix[(row, column)]
        })
    }

    /// Packs the rows of Wᵀ that stand for some `columns` of W.
    pub fn transposed(matrix: &Mat<f64>, columns: std::ops::Range<usize>) -> Self {
        Self::new(columns.len(), matrix.nrows(), |row, column| {
            matrix[(column, columns.start + row)]
        })
    }

    /// The number of rows of the matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// `out = W[:, from..] x`: every row of `out` is the sum of rows of `x` weighted by a row of W.
    ///
    /// # Shapes
    /// `x` is `[columns − from][BLOCK]`, `out` is `[rows][BLOCK]`.
    #[inline(always)]
    pub fn multiply<const FMA: bool, const ROWS: usize>(
        &self,
        from: usize,
        x: &[Lane<R>],
        out: &mut [Lane<R>],
    ) {
        debug_assert_eq!((x.len(), out.len()), (self.columns - from, self.rows));
        let tiles = self.data.chunks_exact(self.columns);
        for (tile, out) in tiles.zip(out.chunks_mut(TILE)) {
            let tile = &tile[from..];
            match <&mut [Lane<R>; TILE]>::try_from(&mut *out) {
                Ok(out) => multiply_tile::<R, FMA, ROWS>(tile, x, out),
                Err(_) => {
                    let mut whole = [[R::ZERO; BLOCK]; TILE];
                    multiply_tile::<R, FMA, ROWS>(tile, x, &mut whole);
                    out.copy_from_slice(&whole[..out.len()]);
                }
            }
        }
    }
}

/// `out[r] = Σ_k weights[k][r] x[k]`
#[inline(always)]
fn multiply_tile<R: Real, const FMA: bool, const ROWS: usize>(
    weights: &[[R; TILE]],
    x: &[Lane<R>],
    out: &mut [Lane<R>; TILE],
) {
    const { assert!(BLOCK == 2 * WIDTH && TILE == 8) }
    let zero: Quad<R, WIDTH> = [[R::ZERO; WIDTH]; 4];
    if ROWS == TILE {
        let [mut s00, mut s01, mut s10, mut s11] = [zero; 4];
        for (w, x) in weights.iter().zip(x) {
            let (w, _) = w.as_chunks();
            let (w0, w1) = (w[0], w[1]);
            let (x0, x1) = (part(x, 0), part(x, 1));
            add_weighted::<R, FMA>(&mut s00, w0, x0);
            add_weighted::<R, FMA>(&mut s01, w0, x1);
            add_weighted::<R, FMA>(&mut s10, w1, x0);
            add_weighted::<R, FMA>(&mut s11, w1, x1);
        }
        for (r, [left, right]) in [[s00, s01], [s10, s11]].into_iter().enumerate() {
            for q in 0..4 {
                out[4 * r + q][..WIDTH].copy_from_slice(&left[q]);
                out[4 * r + q][WIDTH..].copy_from_slice(&right[q]);
            }
        }
    } else {
        for quad in 0..2 {
            for half in 0..2 {
                let mut sums = zero;
                for (w, x) in weights.iter().zip(x) {
                    let (w, _) = w.as_chunks();
                    add_weighted::<R, FMA>(&mut sums, w[quad], part(x, half));
                }
                for q in 0..4 {
                    out[4 * quad + q][WIDTH * half..][..WIDTH].copy_from_slice(&sums[q]);
                }
            }
        }
    }
}

/// `sums[r] += w[r] x`
#[inline(always)]
fn add_weighted<R: Real, const FMA: bool>(sums: &mut Quad<R, WIDTH>, w: [R; 4], x: [R; WIDTH]) {
    for r in 0..4 {
        for lane in 0..WIDTH {
            sums[r][lane] = multiply_add::<R, FMA>(w[r], x[lane], sums[r][lane]);
        }
    }
}

/// `total[j, k] += Σ_t Σ_lane left[t][j][lane] right[t][k][lane]`.
///
/// # Shapes
/// `left(t)` is `[J][BLOCK]`, `right(t)` is `[K][BLOCK]` for t in `steps`; `total` is `[J][K]`, row by row.
/// The sums of one call start at zero in the precision of `R`; only their totals are added in f64, so
/// that rounding does not grow with the number of calls.
#[inline(always)]
pub fn add_outer<'a, R: Real, const FMA: bool, const ROWS: usize>(
    steps: std::ops::Range<usize>,
    left: impl Fn(usize) -> &'a [Lane<R>],
    right: impl Fn(usize) -> &'a [Lane<R>],
    total: &mut [f64],
) {
    add_tiles::<R, FMA, ROWS, false>(steps, left, right, total);
}

/// The lower triangle of [`add_outer`] with `rows` on both sides, by tiles: entries above the
/// diagonal may or may not be added.
#[inline(always)]
pub fn add_gram<'a, R: Real, const FMA: bool, const ROWS: usize>(
    steps: std::ops::Range<usize>,
    rows: impl Fn(usize) -> &'a [Lane<R>] + Copy,
    total: &mut [f64],
) {
    add_tiles::<R, FMA, ROWS, true>(steps, rows, rows, total);
}

#[inline(always)]
fn add_tiles<'a, R: Real, const FMA: bool, const ROWS: usize, const LOWER: bool>(
    steps: std::ops::Range<usize>,
    left: impl Fn(usize) -> &'a [Lane<R>],
    right: impl Fn(usize) -> &'a [Lane<R>],
    total: &mut [f64],
) {
    if steps.is_empty() {
        return;
    }
    let (j, k) = (left(steps.start).len(), right(steps.start).len());
    debug_assert_eq!(total.len(), j * k);
    let mut sums = [[[R::ZERO; WIDTH]; 4]; 4];
    for j0 in (0..j).step_by(4) {
        let end = if LOWER { k.min(j0 + 4) } else { k };
        for k0 in (0..end).step_by(4) {
            let (rows, columns) = (4.min(j - j0), 4.min(k - k0));
            if rows == 4 && columns == 4 {
                let pairs = steps.clone().map(|t| {
                    let rows = left(t)[j0..].first_chunk();
                    let columns = right(t)[k0..].first_chunk();
                    rows.zip(columns).expect("four rows and columns are left")
                });
                outer_tile::<R, FMA, ROWS>(pairs, &mut sums);
            } else {
                for (row, sums) in sums[..rows].iter_mut().enumerate() {
                    for (column, sums) in sums[..columns].iter_mut().enumerate() {
                        let pairs = steps
                            .clone()
                            .map(|t| (&left(t)[j0 + row], &right(t)[k0 + column]));
                        *sums = inner_products::<R, FMA>(pairs);
                    }
                }
            }
            for (row, sums) in sums[..rows].iter().enumerate() {
                let total = &mut total[(j0 + row) * k + k0..][..columns];
                for (total, sums) in total.iter_mut().zip(sums) {
                    *total += sum_lanes(*sums).into_f64();
                }
            }
        }
    }
}

/// `sums[j][k] = Σ left[j] ∘ right[k]` over the given pairs, with the lanes that are `WIDTH` apart
/// added together.
#[inline(always)]
fn outer_tile<'a, R: Real, const FMA: bool, const ROWS: usize>(
    pairs: impl Iterator<Item = (&'a [Lane<R>; 4], &'a [Lane<R>; 4])> + Clone,
    sums: &mut [Quad<R, WIDTH>; 4],
) {
    if ROWS == TILE {
        let [mut s0, mut s1, mut s2, mut s3] = [[[R::ZERO; WIDTH]; 4]; 4];
        for (left, right) in pairs {
            for half in 0..2 {
                let rows: Quad<R, WIDTH> = quad(left, half);
                let columns = quad(right, half);
                add_products::<R, FMA, WIDTH>(&mut s0, rows[0], columns);
                add_products::<R, FMA, WIDTH>(&mut s1, rows[1], columns);
                add_products::<R, FMA, WIDTH>(&mut s2, rows[2], columns);
                add_products::<R, FMA, WIDTH>(&mut s3, rows[3], columns);
            }
        }
        *sums = [s0, s1, s2, s3];
    } else {
        // Two rows at a time, a quarter of a block wide: what sixteen registers of eight f32 hold.
        const QUARTER: usize = BLOCK / 4;
        for pair in 0..2 {
            let [mut s0, mut s1] = [[[R::ZERO; QUARTER]; 4]; 2];
            for (left, right) in pairs.clone() {
                for quarter in 0..4 {
                    let columns: Quad<R, QUARTER> = quad(right, quarter);
                    let (r0, r1) = (
                        part(&left[2 * pair], quarter),
                        part(&left[2 * pair + 1], quarter),
                    );
                    add_products::<R, FMA, QUARTER>(&mut s0, r0, columns);
                    add_products::<R, FMA, QUARTER>(&mut s1, r1, columns);
                }
            }
            for (sums, narrow) in sums[2 * pair..].iter_mut().zip([s0, s1]) {
                for k in 0..4 {
                    sums[k] = [R::ZERO; WIDTH];
                    sums[k][..QUARTER].copy_from_slice(&narrow[k]);
                }
            }
        }
    }
}

#[inline(always)]
fn quad<R: Real, const L: usize>(lanes: &[Lane<R>; 4], index: usize) -> Quad<R, L> {
    [
        part(&lanes[0], index),
        part(&lanes[1], index),
        part(&lanes[2], index),
        part(&lanes[3], index),
    ]
}

/// `sums[k] += row ∘ columns[k]`
#[inline(always)]
fn add_products<R: Real, const FMA: bool, const L: usize>(
    sums: &mut Quad<R, L>,
    row: [R; L],
    columns: Quad<R, L>,
) {
    for k in 0..4 {
        for lane in 0..L {
            sums[k][lane] = multiply_add::<R, FMA>(row[lane], columns[k][lane], sums[k][lane]);
        }
    }
}

/// `Σ left ∘ right` over the given pairs, with the lanes that are `WIDTH` apart added together.
#[inline(always)]
fn inner_products<'a, R: Real, const FMA: bool>(
    pairs: impl Iterator<Item = (&'a Lane<R>, &'a Lane<R>)>,
) -> [R; WIDTH] {
    let mut sums = [R::ZERO; WIDTH];
    for (left, right) in pairs {
        for half in 0..2 {
            let (left, right): ([R; WIDTH], [R; WIDTH]) = (part(left, half), part(right, half));
            for lane in 0..WIDTH {
                sums[lane] = multiply_add::<R, FMA>(left[lane], right[lane], sums[lane]);
            }
        }
    }
    sums
}

/// The sum of an accumulator's lanes by halving.
#[inline(always)]
fn sum_lanes<R: Real, const L: usize>(mut lanes: [R; L]) -> R {
    let mut half = L / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small integers, so that every order of summation gives the same number.
    fn number(seed: usize) -> f64 {
        ((seed * 7919 + 13) % 17) as f64 - 8.0
    }

    fn lanes(count: usize, seed: usize) -> Vec<Lane<f64>> {
        (0..count)
            .map(|row| std::array::from_fn(|lane| number(seed + row * BLOCK + lane)))
            .collect()
    }

    fn products_equal_their_definitions<const FMA: bool, const ROWS: usize>() {
        for (rows, columns, from) in [(1, 5, 0), (4, 3, 1), (11, 9, 2), (16, 8, 0)] {
            let entry = |row: usize, column: usize| number(100 * row + column);
            let x = lanes(columns - from, 5);
            let mut out = vec![[f64::NAN; BLOCK]; rows];
            Packed::new(rows, columns, entry).multiply::<FMA, ROWS>(from, &x, &mut out);
            for row in 0..rows {
                for lane in 0..BLOCK {
                    let sum: f64 = (from..columns)
                        .map(|column| entry(row, column) * x[column - from][lane])
                        .sum();
                    assert_eq!(out[row][lane], sum);
                }
            }

            let steps = 3;
            let (left, right) = (lanes(steps * rows, 1), lanes(steps * columns, 2));
            let mut total = vec![1.0; rows * columns];
            add_outer::<f64, FMA, ROWS>(
                0..steps,
                |t| &left[t * rows..][..rows],
                |t| &right[t * columns..][..columns],
                &mut total,
            );
            for row in 0..rows {
                for column in 0..columns {
                    let mut sum = 1.0;
                    for t in 0..steps {
                        let (l, r) = (left[t * rows + row], right[t * columns + column]);
                        sum += l.iter().zip(r).map(|(l, r)| l * r).sum::<f64>();
                    }
                    assert_eq!(total[row * columns + column], sum);
                }
            }

            let (mut whole, mut lower) = (vec![0.0; rows * rows], vec![0.0; rows * rows]);
            let rows_of = |t: usize| &left[t * rows..][..rows];
            add_outer::<f64, FMA, ROWS>(0..steps, rows_of, rows_of, &mut whole);
            add_gram::<f64, FMA, ROWS>(0..steps, rows_of, &mut lower);
            for row in 0..rows {
                let entries = row * rows..=row * rows + row;
                assert_eq!(lower[entries.clone()], whole[entries]);
            }
        }
    }

    #[test]
    fn products_equal_their_definitions_on_every_instruction_set() {
        products_equal_their_definitions::<true, 8>();
        products_equal_their_definitions::<true, 4>();
        products_equal_their_definitions::<false, 4>();
    }
}
