use super::{Lane, Lanes, Real};

/// The same number of rows of lanes for every date.
///
/// Dates may be spaced by more than their rows. Caches find a line by its address modulo a power of
/// two: with a multiple of 32 rows from date to date, the same few rows of all dates, which are what
/// [`super::add_outer`] keeps in the first-level cache, would evict each other.
#[derive(Debug, Clone, Default)]
pub struct Dates<R> {
    rows: usize,
    /// Rows from one date to the next.
    stride: usize,
    lanes: Lanes<R>,
}

impl<R: Real> Dates<R> {
    /// Storage for `dates` dates of `rows` rows each, all zero.
    pub fn zeros(dates: usize, rows: usize) -> Self {
        let stride = stride(rows);
        Self {
            rows,
            stride,
            lanes: Lanes::zeros(dates * stride),
        }
    }

    /// Storage of `rows` rows, all zero, that is that of every date at once: what is written on one date takes the place of what was written on
    /// another.
    pub fn shared(rows: usize) -> Self {
        Self {
            rows,
            stride: 0,
            lanes: Lanes::zeros(rows),
        }
    }

    /// Changes the sizes and leaves the values open; memory is had anew only if they are larger than ever.
    pub fn resize(&mut self, dates: usize, rows: usize) {
        self.rows = rows;
        self.stride = stride(rows);
        self.lanes.resize(dates * self.stride);
    }

    /// Number of dates.
    pub fn count(&self) -> usize {
        self.lanes.len() / self.stride
    }

    /// Number of rows of a date.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows of date `t`, for reading.
    #[inline(always)]
    pub fn at(&self, t: usize) -> &[Lane<R>] {
        &self.lanes[t * self.stride..][..self.rows]
    }

    /// The rows of date `t`, for writing.
    #[inline(always)]
    pub fn at_mut(&mut self, t: usize) -> &mut [Lane<R>] {
        &mut self.lanes[t * self.stride..][..self.rows]
    }

    /// Date `t` for reading and the next one for writing.
    #[inline(always)]
    pub fn pair(&mut self, t: usize) -> (&[Lane<R>], &mut [Lane<R>]) {
        let (past, next) = self.lanes.split_at_mut((t + 1) * self.stride);
        (
            &past[t * self.stride..][..self.rows],
            &mut next[..self.rows],
        )
    }

    /// Periods of `dates` dates each, spaced as here, for [`Self::copy_to`].
    pub fn periods_mut(&mut self, dates: usize) -> impl Iterator<Item = &mut [Lane<R>]> {
        self.lanes.chunks_exact_mut(dates * self.stride)
    }

    /// Copies the first dates to a period of the same spacing.
    pub fn copy_to(&self, period: &mut [Lane<R>]) {
        period.copy_from_slice(&self.lanes[..period.len()]);
    }
}

/// Rows from one date to the next.
fn stride(rows: usize) -> usize {
    rows + if rows.is_multiple_of(32) { 4 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::BLOCK;

    #[test]
    fn dates_are_apart_and_periods_are_copied() {
        for rows in [3, 32] {
            let mut source = Dates::<f64>::zeros(3, rows);
            for t in 0..3 {
                source.at_mut(t).fill([t as f64; BLOCK]);
            }
            let mut target = Dates::<f64>::zeros(4, rows);
            target
                .periods_mut(2)
                .for_each(|period| source.copy_to(period));
            assert_eq!((source.count(), target.count()), (3, 4));
            for t in 0..4 {
                assert_eq!(target.at(t), vec![[(t % 2) as f64; BLOCK]; rows]);
            }
        }
    }
}
