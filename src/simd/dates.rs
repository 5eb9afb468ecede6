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
    /// Which bits of a date say where it is kept: all of them unless a few dates share memory.
    places: usize,
    lanes: Lanes<R>,
}

impl<R: Real> Dates<R> {
    /// Storage for `dates` dates of `rows` rows each, all zero.
    pub fn zeros(dates: usize, rows: usize) -> Self {
        let stride = stride(rows);
        Self {
            rows,
            stride,
            places: usize::MAX,
            lanes: Lanes::zeros(dates * stride),
        }
    }

    /// Storage of `rows` rows for the last `kept` of any number of dates, all zero: what is written on one date takes the place of
    /// what was written `kept` dates before.
    ///
    /// # Panics
    /// If `kept` is no power of two.
    pub fn recent(kept: usize, rows: usize) -> Self {
        assert!(kept.is_power_of_two());
        Self {
            places: kept - 1,
            ..Self::zeros(kept, rows)
        }
    }

    /// Changes the sizes and leaves the values open; memory is had anew only if they are larger than ever.
    pub fn resize(&mut self, dates: usize, rows: usize) {
        self.rows = rows;
        self.stride = stride(rows);
        self.places = usize::MAX;
        self.lanes.resize(dates * self.stride);
    }

    /// Number of dates that there is room for at a time.
    pub fn count(&self) -> usize {
        self.lanes.len() / self.stride
    }

    /// Whether there is room for date `t`.
    #[inline(always)]
    pub fn has(&self, t: usize) -> bool {
        (t & self.places) < self.count()
    }

    /// The first row of date `t`.
    #[inline(always)]
    fn first(&self, t: usize) -> usize {
        (t & self.places) * self.stride
    }

    /// Number of rows of a date.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows of date `t`, for reading.
    #[inline(always)]
    pub fn at(&self, t: usize) -> &[Lane<R>] {
        &self.lanes[self.first(t)..][..self.rows]
    }

    /// The rows of date `t`, for writing.
    #[inline(always)]
    pub fn at_mut(&mut self, t: usize) -> &mut [Lane<R>] {
        let first = self.first(t);
        &mut self.lanes[first..][..self.rows]
    }

    /// Date `t` for reading and the next one for writing.
    #[inline(always)]
    pub fn pair(&mut self, t: usize) -> (&[Lane<R>], &mut [Lane<R>]) {
        let (now, next) = (self.first(t), self.first(t + 1));
        let (low, high) = self.lanes.split_at_mut(now.max(next));
        match now < next {
            true => (&low[now..][..self.rows], &mut high[..self.rows]),
            false => (&high[..self.rows], &mut low[next..][..self.rows]),
        }
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

    /// What keeps two dates has the last two at any time, of which each is read while the next one is written.
    #[test]
    fn recent_dates_take_the_place_of_older_ones() {
        for rows in [3, 32] {
            let mut dates = Dates::<f64>::recent(2, rows);
            dates.at_mut(0).fill([0.0; BLOCK]);
            for t in 0..7 {
                assert!(dates.has(t));
                let (now, next) = dates.pair(t);
                assert_eq!(now, vec![[t as f64; BLOCK]; rows]);
                next.fill([(t + 1) as f64; BLOCK]);
                assert_eq!(dates.at(t), vec![[t as f64; BLOCK]; rows]);
            }
            assert!(Dates::<f64>::zeros(2, rows).has(1));
            assert!(!Dates::<f64>::zeros(2, rows).has(2));
        }
    }

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
