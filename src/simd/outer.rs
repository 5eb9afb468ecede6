//! Outer products summed over the paths of a block and its dates; [`super::Packed`] says how sums are kept in registers.

use super::{BLOCK, Lane, Real, is_double, multiply_add, part, set_part};
use std::ops::Range;

/// Lanes of the sums of [`add_outer`] before they are added together.
const WIDTH: usize = BLOCK / 2;

/// `total[j, k] += Σ_t Σ_lane left[t][j][lane] right[t][k][lane]`.
///
/// # Shapes
/// `left(t)` is `[J][BLOCK]`, `right(t)` is `[K][BLOCK]` for t in `steps`; `total` is `[J][K]`, row by row.
/// The sums of one call start at zero in the precision of `R`; only their totals are added in f64, so
/// that rounding does not grow with the number of calls.
#[inline(always)]
pub fn add_outer<'a, R: Real, const FMA: bool, const ROWS: usize>(
    steps: Range<usize>,
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
    steps: Range<usize>,
    rows: impl Fn(usize) -> &'a [Lane<R>] + Copy,
    total: &mut [f64],
) {
    add_tiles::<R, FMA, ROWS, true>(steps, rows, rows, total);
}

#[inline(always)]
fn add_tiles<'a, R: Real, const FMA: bool, const ROWS: usize, const LOWER: bool>(
    steps: Range<usize>,
    left: impl Fn(usize) -> &'a [Lane<R>],
    right: impl Fn(usize) -> &'a [Lane<R>],
    total: &mut [f64],
) {
    match (ROWS, is_double::<R>()) {
        (8, false) => add_shaped::<R, FMA, 4, 16, LOWER>(steps, left, right, total),
        (8, true) => add_shaped::<R, FMA, 4, 8, LOWER>(steps, left, right, total),
        (6, false) => add_shaped::<R, FMA, 3, 8, LOWER>(steps, left, right, total),
        (6, true) => add_shaped::<R, FMA, 3, 4, LOWER>(steps, left, right, total),
        (_, false) => add_shaped::<R, FMA, 2, 4, LOWER>(steps, left, right, total),
        (_, true) => add_shaped::<R, FMA, 2, 2, LOWER>(steps, left, right, total),
    }
}

/// By tiles of four rows and `K` columns, `L` lanes of them at a time.
#[inline(always)]
fn add_shaped<'a, R: Real, const FMA: bool, const K: usize, const L: usize, const LOWER: bool>(
    steps: Range<usize>,
    left: impl Fn(usize) -> &'a [Lane<R>],
    right: impl Fn(usize) -> &'a [Lane<R>],
    total: &mut [f64],
) {
    if steps.is_empty() {
        return;
    }
    let dates = steps.len();
    let left: Vec<&[Lane<R>]> = steps.clone().map(left).collect();
    let right: Vec<&[Lane<R>]> = steps.map(right).collect();
    let (j, k) = (left[0].len(), right[0].len());
    debug_assert_eq!(total.len(), j * k);
    // What is left over goes row by row and column by column.
    let (rows, columns) = (j - j % 4, k - k % K);
    let (four, one) = (tiles::<R, 4>(&left, 0), tiles::<R, 1>(&left, rows));
    let (wide, narrow) = (tiles::<R, K>(&right, 0), tiles::<R, 1>(&right, columns));
    for (tile, left) in four.chunks_exact(dates).enumerate() {
        let end = if LOWER { k.min(4 * tile + 4) } else { k };
        let total = &mut total[4 * tile * k..];
        for (k0, right) in (0..end).step_by(K).zip(wide.chunks_exact(dates)) {
            add_tile::<R, FMA, K, L>(left, right, &mut total[k0..], k);
        }
        for (k0, right) in (columns..end).zip(narrow.chunks_exact(dates)) {
            add_tile::<R, FMA, 1, L>(left, right, &mut total[k0..], k);
        }
    }
    for (row, left) in (rows..j).zip(one.chunks_exact(dates)) {
        let total = &mut total[row * k..];
        for (k0, right) in (0..k).step_by(K).zip(wide.chunks_exact(dates)) {
            add_row::<R, FMA, K, L>(left, right, &mut total[k0..]);
        }
        for (k0, right) in (columns..k).zip(narrow.chunks_exact(dates)) {
            add_row::<R, FMA, 1, L>(left, right, &mut total[k0..]);
        }
    }
}

/// The whole tiles of `N` rows from row `first` on: of all dates, tile after tile.
fn tiles<'a, R, const N: usize>(dates: &[&'a [Lane<R>]], first: usize) -> Vec<&'a [Lane<R>; N]> {
    let count = (dates[0].len() - first) / N;
    let mut tiles = Vec::with_capacity(count * dates.len());
    for tile in 0..count {
        tiles.extend(dates.iter().map(|rows| &rows[first..].as_chunks().0[tile]));
    }
    tiles
}

/// `total[j, k] += Σ left[j] ∘ right[k]` over the dates of a tile of four rows and one of `K`, with `stride` numbers from a row of `total`
/// to the next.
///
/// Lanes that are `WIDTH` apart are added to one sum, in their order, and the sums of lanes then by halving.
#[inline(always)]
fn add_tile<R: Real, const FMA: bool, const K: usize, const L: usize>(
    left: &[&[Lane<R>; 4]],
    right: &[&[Lane<R>; K]],
    total: &mut [f64],
    stride: usize,
) {
    let mut sums = [[[R::ZERO; WIDTH]; K]; 4];
    for lanes in 0..WIDTH / L {
        let [mut s0, mut s1, mut s2, mut s3] = [[[R::ZERO; L]; K]; 4];
        for (left, right) in left.iter().zip(right) {
            for half in 0..2 {
                let index = lanes + half * (WIDTH / L);
                let columns = parts(right, index);
                add_products::<R, FMA, K, L>(&mut s0, part(&left[0], index), columns);
                add_products::<R, FMA, K, L>(&mut s1, part(&left[1], index), columns);
                add_products::<R, FMA, K, L>(&mut s2, part(&left[2], index), columns);
                add_products::<R, FMA, K, L>(&mut s3, part(&left[3], index), columns);
            }
        }
        widen(&mut sums[0], lanes, s0);
        widen(&mut sums[1], lanes, s1);
        widen(&mut sums[2], lanes, s2);
        widen(&mut sums[3], lanes, s3);
    }
    for (row, sums) in sums.iter().enumerate() {
        add_sums(sums, &mut total[row * stride..]);
    }
}

/// [`add_tile`] of one row.
#[inline(always)]
fn add_row<R: Real, const FMA: bool, const K: usize, const L: usize>(
    left: &[&[Lane<R>; 1]],
    right: &[&[Lane<R>; K]],
    total: &mut [f64],
) {
    let mut sums = [[R::ZERO; WIDTH]; K];
    for lanes in 0..WIDTH / L {
        let mut narrow = [[R::ZERO; L]; K];
        for ([left], right) in left.iter().zip(right) {
            for half in 0..2 {
                let index = lanes + half * (WIDTH / L);
                add_products::<R, FMA, K, L>(&mut narrow, part(left, index), parts(right, index));
            }
        }
        widen(&mut sums, lanes, narrow);
    }
    add_sums(&sums, total);
}

/// Part `index` of every lane.
#[inline(always)]
fn parts<R: Real, const K: usize, const L: usize>(
    lanes: &[Lane<R>; K],
    index: usize,
) -> [[R; L]; K] {
    let mut parts = [[R::ZERO; L]; K];
    for k in 0..K {
        parts[k] = part(&lanes[k], index);
    }
    parts
}

/// Writes part `index` of wide sums.
#[inline(always)]
fn widen<R: Real, const K: usize, const L: usize>(
    sums: &mut [[R; WIDTH]; K],
    index: usize,
    narrow: [[R; L]; K],
) {
    for k in 0..K {
        set_part(&mut sums[k], index, narrow[k]);
    }
}

/// Adds the sum of the lanes of every sum to `total`.
#[inline(always)]
fn add_sums<R: Real, const K: usize>(sums: &[[R; WIDTH]; K], total: &mut [f64]) {
    for k in 0..K {
        total[k] += sum_lanes(sums[k]).into_f64();
    }
}

/// `sums[k] += row ∘ columns[k]`
#[inline(always)]
fn add_products<R: Real, const FMA: bool, const K: usize, const L: usize>(
    sums: &mut [[R; L]; K],
    row: [R; L],
    columns: [[R; L]; K],
) {
    for k in 0..K {
        for lane in 0..L {
            sums[k][lane] = multiply_add::<R, FMA>(row[lane], columns[k][lane], sums[k][lane]);
        }
    }
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
