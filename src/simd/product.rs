//! The two matrix products of a sweep, with the paths of a block as vector lanes.

use super::{BLOCK, Lane, Real, multiply_add};

/// Rows of a packed tile, a multiple of every register tile's.
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
        for (tile, out) in self
            .data
            .chunks_exact(self.columns)
            .zip(out.chunks_mut(TILE))
        {
            let tile = &tile[from..];
            let mut first = 0;
            while first < out.len() {
                let mut sums = [[R::ZERO; BLOCK]; ROWS];
                for (weights, x) in tile.iter().zip(x) {
                    let weights: &[R; ROWS] = weights[first..first + ROWS]
                        .try_into()
                        .expect("TILE is a multiple of ROWS");
                    for r in 0..ROWS {
                        for lane in 0..BLOCK {
                            sums[r][lane] =
                                multiply_add::<R, FMA>(weights[r], x[lane], sums[r][lane]);
                        }
                    }
                }
                for (sum, out) in sums.iter().zip(&mut out[first..]) {
                    *out = *sum;
                }
                first += ROWS;
            }
        }
    }
}

/// Lanes of an accumulator in [`add_outer`].
const HALF_BLOCK: usize = 16;

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
    if steps.is_empty() {
        return;
    }
    let (j, k) = (left(steps.start).len(), right(steps.start).len());
    debug_assert_eq!(total.len(), j * k);
    if ROWS >= 8 {
        outer_tiles::<R, FMA, 4, 4>(steps, left, right, j, k, total);
    } else {
        outer_tiles::<R, FMA, 2, 2>(steps, left, right, j, k, total);
    }
}

#[inline(always)]
fn outer_tiles<'a, R: Real, const FMA: bool, const J: usize, const K: usize>(
    steps: std::ops::Range<usize>,
    left: impl Fn(usize) -> &'a [Lane<R>],
    right: impl Fn(usize) -> &'a [Lane<R>],
    j: usize,
    k: usize,
    total: &mut [f64],
) {
    for k0 in (0..k).step_by(K) {
        for j0 in (0..j).step_by(J) {
            let mut sums = [[[R::ZERO; HALF_BLOCK]; K]; J];
            if j0 + J <= j && k0 + K <= k {
                for t in steps.clone() {
                    let l: &[Lane<R>; J] = left(t)[j0..j0 + J].try_into().expect("J rows");
                    let r: &[Lane<R>; K] = right(t)[k0..k0 + K].try_into().expect("K rows");
                    for half in 0..BLOCK / HALF_BLOCK {
                        let at = half * HALF_BLOCK;
                        for a in 0..J {
                            for b in 0..K {
                                for lane in 0..HALF_BLOCK {
                                    sums[a][b][lane] = multiply_add::<R, FMA>(
                                        l[a][at + lane],
                                        r[b][at + lane],
                                        sums[a][b][lane],
                                    );
                                }
                            }
                        }
                    }
                }
            } else {
                for t in steps.clone() {
                    for (a, l) in left(t)[j0..j.min(j0 + J)].iter().enumerate() {
                        for (b, r) in right(t)[k0..k.min(k0 + K)].iter().enumerate() {
                            for lane in 0..BLOCK {
                                let sum = &mut sums[a][b][lane % HALF_BLOCK];
                                *sum = multiply_add::<R, FMA>(l[lane], r[lane], *sum);
                            }
                        }
                    }
                }
            }
            for a in 0..J.min(j - j0) {
                for b in 0..K.min(k - k0) {
                    total[(j0 + a) * k + k0 + b] += sum_lanes(&mut sums[a][b]).into_f64();
                }
            }
        }
    }
}

/// The sum of an accumulator's lanes by halving, the same tree for every instruction set.
#[inline(always)]
fn sum_lanes<R: Real>(lanes: &mut [R; HALF_BLOCK]) -> R {
    for lane in 0..8 {
        lanes[lane] += lanes[lane + 8];
    }
    for lane in 0..4 {
        lanes[lane] += lanes[lane + 4];
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}
