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
            out.fill([R::ZERO; BLOCK]);
            let (weights, last_weights) = tile.as_chunks::<DEPTH>();
            let (x, last_x) = x.as_chunks::<DEPTH>();
            for (weights, x) in weights.iter().zip(x) {
                add_weighted::<R, FMA, ROWS, DEPTH>(weights, x, out);
            }
            for (weights, x) in last_weights.iter().zip(last_x) {
                add_weighted::<R, FMA, ROWS, 1>(
                    std::array::from_ref(weights),
                    std::array::from_ref(x),
                    out,
                );
            }
        }
    }
}

/// Columns of W that are summed between loading and storing a row of the result.
const DEPTH: usize = 4;

/// `out[r] += Σ_d weights[d][r] x[d]` for a tile's rows, `ROWS` at a time.
///
/// The lanes are the only loop left inside, and the compiler makes vectors of it: with the sums in
/// arrays across the loop over columns, which would save the loads and stores, it gives up and
/// computes lane by lane.
#[inline(always)]
fn add_weighted<R: Real, const FMA: bool, const ROWS: usize, const D: usize>(
    weights: &[[R; TILE]; D],
    x: &[Lane<R>; D],
    out: &mut [Lane<R>],
) {
    let (groups, rest) = out.as_chunks_mut::<ROWS>();
    let whole = groups.len() * ROWS;
    for (group, out) in groups.iter_mut().enumerate() {
        for lane in 0..BLOCK {
            for r in 0..ROWS {
                let mut sum = out[r][lane];
                for d in 0..D {
                    sum = multiply_add::<R, FMA>(weights[d][group * ROWS + r], x[d][lane], sum);
                }
                out[r][lane] = sum;
            }
        }
    }
    for (r, out) in rest.iter_mut().enumerate() {
        for lane in 0..BLOCK {
            for d in 0..D {
                out[lane] = multiply_add::<R, FMA>(weights[d][whole + r], x[d][lane], out[lane]);
            }
        }
    }
}

/// Lanes of an accumulator in [`add_outer`].
const HALF_BLOCK: usize = 16;

/// Rows of either side in a tile of [`add_outer`].
const SIDE: usize = 4;

/// `total[j, k] += Σ_t Σ_lane left[t][j][lane] right[t][k][lane]`.
///
/// # Shapes
/// `left(t)` is `[J][BLOCK]`, `right(t)` is `[K][BLOCK]` for t in `steps`; `total` is `[J][K]`, row by row.
/// The sums of one call start at zero in the precision of `R`; only their totals are added in f64, so
/// that rounding does not grow with the number of calls.
#[inline(always)]
pub fn add_outer<'a, R: Real, const FMA: bool>(
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
    for k0 in (0..k).step_by(SIDE) {
        for j0 in (0..j).step_by(SIDE) {
            let (rows, columns) = (SIDE.min(j - j0), SIDE.min(k - k0));
            let mut sums = [[[R::ZERO; HALF_BLOCK]; SIDE]; SIDE];
            let mut t = steps.start;
            if rows == SIDE && columns == SIDE {
                let tile = |t: usize| -> (&[Lane<R>; SIDE], &[Lane<R>; SIDE]) {
                    let left = left(t)[j0..].first_chunk().expect("SIDE rows");
                    (left, right(t)[k0..].first_chunk().expect("SIDE columns"))
                };
                while t + 2 <= steps.end {
                    let ((l0, r0), (l1, r1)) = (tile(t), tile(t + 1));
                    for lane in 0..HALF_BLOCK {
                        let other = lane + HALF_BLOCK;
                        for a in 0..SIDE {
                            for b in 0..SIDE {
                                let mut sum = sums[a][b][lane];
                                sum = multiply_add::<R, FMA>(l0[a][lane], r0[b][lane], sum);
                                sum = multiply_add::<R, FMA>(l0[a][other], r0[b][other], sum);
                                sum = multiply_add::<R, FMA>(l1[a][lane], r1[b][lane], sum);
                                sum = multiply_add::<R, FMA>(l1[a][other], r1[b][other], sum);
                                sums[a][b][lane] = sum;
                            }
                        }
                    }
                    t += 2;
                }
            }
            for t in t..steps.end {
                for (a, l) in left(t)[j0..][..rows].iter().enumerate() {
                    for (b, r) in right(t)[k0..][..columns].iter().enumerate() {
                        for lane in 0..HALF_BLOCK {
                            let other = lane + HALF_BLOCK;
                            let sum = multiply_add::<R, FMA>(l[lane], r[lane], sums[a][b][lane]);
                            sums[a][b][lane] = multiply_add::<R, FMA>(l[other], r[other], sum);
                        }
                    }
                }
            }
            for a in 0..rows {
                for b in 0..columns {
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
