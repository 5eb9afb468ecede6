//! The product with weights, with the paths of a block as vector lanes.
//!
//! It keeps a tile of sums in registers for the whole length of the sum, as [`super::add_outer`] does. The compiler does that
//! only if every set of sums is a small array of its own that is indexed by constants
//! once the loops are unrolled, and if operands are read by value. The tile is as large as the registers
//! of an instruction set allow, and as the latency of an addition asks for; every sum is added in the same order
//! whatever the tile.

use super::{BLOCK, Lane, Real, is_double, multiply_add, part, set_part};
use faer::Mat;

/// Rows of a packed tile.
const TILE: usize = 8;

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
        // Three tiles are four times six rows.
        let groups = if ROWS == 6 { out.len() / (3 * TILE) } else { 0 };
        let (grouped, rest) = out.split_at_mut(groups * 3 * TILE);
        let (packed, tiles) = self.data.split_at(groups * 3 * self.columns);
        let packed = packed.chunks_exact(3 * self.columns);
        for (group, out) in packed.zip(grouped.chunks_exact_mut(3 * TILE)) {
            let (sixes, _) = out.as_chunks_mut();
            let tiles = [
                &group[from..self.columns],
                &group[self.columns + from..2 * self.columns],
                &group[2 * self.columns + from..],
            ];
            six_rows::<R, FMA, 0>(tiles, x, &mut sixes[0]);
            six_rows::<R, FMA, 6>(tiles, x, &mut sixes[1]);
            six_rows::<R, FMA, 12>(tiles, x, &mut sixes[2]);
            six_rows::<R, FMA, 18>(tiles, x, &mut sixes[3]);
        }
        let tiles = tiles.chunks_exact(self.columns);
        for (tile, out) in tiles.zip(rest.chunks_mut(TILE)) {
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
    match (ROWS, is_double::<R>()) {
        (8, false) => eight_rows::<R, FMA, 16>(weights, x, out),
        (8, true) => eight_rows::<R, FMA, 8>(weights, x, out),
        (6, false) => four_rows::<R, FMA, 16>(weights, x, out),
        (6, true) | (_, false) => four_rows::<R, FMA, 8>(weights, x, out),
        (_, true) => four_rows::<R, FMA, 4>(weights, x, out),
    }
}

/// `out[r] = Σ_k weights[k][r] x[k]`, twice `L` lanes at a time.
#[inline(always)]
fn eight_rows<R: Real, const FMA: bool, const L: usize>(
    weights: &[[R; TILE]],
    x: &[Lane<R>],
    out: &mut [Lane<R>; TILE],
) {
    for pair in 0..BLOCK / (2 * L) {
        let [mut s00, mut s01, mut s10, mut s11] = [[[R::ZERO; L]; 4]; 4];
        for (w, x) in weights.iter().zip(x) {
            let (w, _) = w.as_chunks();
            let (w0, w1) = (w[0], w[1]);
            let (x0, x1) = (part(x, 2 * pair), part(x, 2 * pair + 1));
            add_weighted::<R, FMA, 4, L>(&mut s00, w0, x0);
            add_weighted::<R, FMA, 4, L>(&mut s01, w0, x1);
            add_weighted::<R, FMA, 4, L>(&mut s10, w1, x0);
            add_weighted::<R, FMA, 4, L>(&mut s11, w1, x1);
        }
        let (upper, lower) = out.split_at_mut(4);
        keep(upper, 2 * pair, s00);
        keep(upper, 2 * pair + 1, s01);
        keep(lower, 2 * pair, s10);
        keep(lower, 2 * pair + 1, s11);
    }
}

/// `out[r] = Σ_k w[k][START + r] x[k]` with the rows of three tiles one after the other.
#[inline(always)]
fn six_rows<R: Real, const FMA: bool, const START: usize>(
    tiles: [&[[R; TILE]]; 3],
    x: &[Lane<R>],
    out: &mut [Lane<R>; 6],
) {
    let tiles = (tiles[START / TILE], tiles[(START + 5) / TILE]);
    if is_double::<R>() {
        six_rows_of::<R, FMA, 8, START>(tiles, x, out);
    } else {
        six_rows_of::<R, FMA, 16, START>(tiles, x, out);
    }
}

/// [`six_rows`] in one tile or two, `L` lanes at a time.
#[inline(always)]
fn six_rows_of<R: Real, const FMA: bool, const L: usize, const START: usize>(
    (first, second): (&[[R; TILE]], &[[R; TILE]]),
    x: &[Lane<R>],
    out: &mut [Lane<R>; 6],
) {
    for lanes in 0..BLOCK / L {
        let [mut s0, mut s1] = [[[R::ZERO; L]; 3]; 2];
        for ((first, second), x) in first.iter().zip(second).zip(x) {
            let mut w = [R::ZERO; 6];
            for r in 0..6 {
                let row = START % TILE + r;
                w[r] = if row < TILE {
                    first[row]
                } else {
                    second[row - TILE]
                };
            }
            let x = part(x, lanes);
            add_weighted::<R, FMA, 3, L>(&mut s0, [w[0], w[1], w[2]], x);
            add_weighted::<R, FMA, 3, L>(&mut s1, [w[3], w[4], w[5]], x);
        }
        let (upper, lower) = out.split_at_mut(3);
        keep(upper, lanes, s0);
        keep(lower, lanes, s1);
    }
}

/// `out[r] = Σ_k weights[k][r] x[k]`, four rows and `L` lanes at a time.
#[inline(always)]
fn four_rows<R: Real, const FMA: bool, const L: usize>(
    weights: &[[R; TILE]],
    x: &[Lane<R>],
    out: &mut [Lane<R>; TILE],
) {
    for (four, out) in out.chunks_exact_mut(4).enumerate() {
        for lanes in 0..BLOCK / L {
            let mut sums = [[R::ZERO; L]; 4];
            for (w, x) in weights.iter().zip(x) {
                let (w, _) = w.as_chunks();
                add_weighted::<R, FMA, 4, L>(&mut sums, w[four], part(x, lanes));
            }
            keep(out, lanes, sums);
        }
    }
}

/// `sums[r] += w[r] x`
#[inline(always)]
fn add_weighted<R: Real, const FMA: bool, const M: usize, const L: usize>(
    sums: &mut [[R; L]; M],
    w: [R; M],
    x: [R; L],
) {
    for r in 0..M {
        for lane in 0..L {
            sums[r][lane] = multiply_add::<R, FMA>(w[r], x[lane], sums[r][lane]);
        }
    }
}

/// Writes part `index` of the rows of `out`.
#[inline(always)]
fn keep<R: Real, const M: usize, const L: usize>(
    out: &mut [Lane<R>],
    index: usize,
    sums: [[R; L]; M],
) {
    for r in 0..M {
        set_part(&mut out[r], index, sums[r]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{add_gram, add_outer};

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
        for (rows, columns, from) in [(1, 5, 0), (4, 3, 1), (11, 9, 2), (16, 8, 0), (61, 35, 3)] {
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
        products_equal_their_definitions::<true, 6>();
        products_equal_their_definitions::<false, 4>();
    }
}
