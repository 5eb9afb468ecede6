use super::record::{MapRecord, Record};
use crate::simd::{Dates, Kernel, Real, add_gram, add_outer, dispatch};
use faer::Mat;
use std::ops::Range;

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

/// Numbers that moments have at most that are summed, and travel between ranks, together.
const BUCKET: usize = 1 << 17;

/// The moments of one map at one lag.
#[derive(Clone, Copy)]
struct Wanted {
    map: usize,
    lag: usize,
}

impl Wanted {
    /// The numbers that the moments of so many rows are summed as: a lower triangle where they are symmetric.
    fn size(self, rows: usize) -> usize {
        if self.lag == 0 {
            rows * (rows + 1) / 2
        } else {
            rows * rows
        }
    }
}

impl<R: Real> Record<R> {
    /// The moments of map `map` at the given lag in time.
    pub fn moments(&self, map: usize, lag: usize) -> Moments {
        self.bucket(&[Wanted { map, lag }]).swap_remove(0)
    }

    /// Hands the moments of every map at each of the first `lags` lags to `take`, with the map and the lag, in the order of maps.
    ///
    /// Those of small maps are summed and travel between ranks together.
    pub fn each_moments(&self, lags: usize, mut take: impl FnMut(usize, usize, Moments)) {
        let of_map = |map| (0..lags).map(move |lag| Wanted { map, lag });
        let all: Vec<Wanted> = (0..self.maps.len()).flat_map(of_map).collect();
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            let mut numbers = 0;
            let fits = |wanted: &&Wanted| {
                let [inputs, gradients] = self.maps[wanted.map].sides().map(Dates::rows);
                numbers += wanted.size(inputs) + wanted.size(gradients);
                numbers <= BUCKET
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (bucket, others) = rest.split_at(count);
            for (wanted, moments) in bucket.iter().zip(self.bucket(bucket)) {
                take(wanted.map, wanted.lag, moments);
            }
            rest = others;
        }
    }

    fn bucket(&self, bucket: &[Wanted]) -> Vec<Moments> {
        let sides: Vec<(Wanted, &Dates<R>)> = bucket
            .iter()
            .flat_map(|&wanted| self.maps[wanted.map].sides().map(|side| (wanted, side)))
            .collect();
        let sizes: Vec<usize> = sides
            .iter()
            .map(|(wanted, side)| wanted.size(side.rows()))
            .collect();
        let sums = self.spread.sums(&sizes, |run, totals| {
            for (&(wanted, side), total) in sides.iter().zip(totals) {
                // The kernel knows squares alone; what is kept of a run, and travels, is its triangle.
                let mut square = vec![0.0; side.rows() * side.rows()];
                for block in run.clone() {
                    let dates = self.dates(block);
                    dispatch(LaggedGram {
                        side,
                        dates: dates.start..dates.end.saturating_sub(wanted.lag).max(dates.start),
                        lag: wanted.lag,
                        total: &mut square,
                    });
                }
                pack(&square, side.rows(), total);
            }
        });
        let matrices = sides.iter().zip(sums);
        let mut matrices = matrices.map(|((_, side), sums)| unpack(side.rows(), &sums));
        let moments = bucket.iter().map(|_| Moments {
            inputs: matrices.next().expect("inputs of every map"),
            gradients: matrices.next().expect("gradients of every map"),
        });
        moments.collect()
    }
}

impl<R> MapRecord<R> {
    /// The inputs and the gradients.
    fn sides(&self) -> [&Dates<R>; 2] {
        [&self.inputs, &self.gradients]
    }
}

/// Copies the rows of a square matrix, or, where there is room for no more, of its lower triangle.
fn pack(square: &[f64], size: usize, packed: &mut [f64]) {
    if packed.len() == square.len() {
        return packed.copy_from_slice(square);
    }
    let mut rest = packed;
    for (row, values) in square.chunks_exact(size).enumerate() {
        let place = rest.split_off_mut(..=row).expect("room for a triangle");
        place.copy_from_slice(&values[..=row]);
    }
}

/// The square matrix that was packed.
fn unpack(size: usize, packed: &[f64]) -> Mat<f64> {
    Mat::from_fn(size, size, |row, column| {
        if packed.len() == size * size {
            return packed[row * size + column];
        }
        let (row, column) = (row.max(column), row.min(column));
        packed[row * (row + 1) / 2 + column]
    })
}

/// Adds Σ_t x_{t+lag} x_tᵀ of the rows x of one block to `total`, without a lag the lower triangle alone.
struct LaggedGram<'a, R> {
    side: &'a Dates<R>,
    /// The dates t.
    dates: Range<usize>,
    lag: usize,
    total: &'a mut [f64],
}

impl<R: Real> Kernel for LaggedGram<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let now = |t: usize| self.side.at(t);
        if self.lag == 0 {
            add_gram::<R, FMA, ROWS>(self.dates, now, self.total);
        } else {
            let later = |t: usize| self.side.at(t + self.lag);
            add_outer::<R, FMA, ROWS>(self.dates, later, now, self.total);
        }
    }
}
