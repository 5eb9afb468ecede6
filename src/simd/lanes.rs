use super::{BLOCK, Lane, Real};
use std::ops::{Deref, DerefMut};

/// A row of lanes of fixed length that begins on a cache line.
///
/// A vector instruction whose operand lies on two cache lines takes twice as long to load it, and an
/// allocation of numbers is aligned to 16 bytes only.
#[derive(Debug, Default)]
pub struct Lanes<R> {
    values: Vec<R>,
    start: usize,
    count: usize,
}

const CACHE_LINE: usize = 64;

impl<R: Real> Lanes<R> {
    /// `count` lanes, all zero.
    pub fn zeros(count: usize) -> Self {
        let spare = CACHE_LINE / size_of::<R>();
        let values = vec![R::ZERO; count * BLOCK + spare];
        let start = first_aligned(&values, spare);
        Self {
            values,
            start,
            count,
        }
    }

    /// Changes the number of lanes and leaves their values open; memory is had anew only if there are more than ever.
    pub fn resize(&mut self, count: usize) {
        let spare = CACHE_LINE / size_of::<R>();
        if self.values.len() < count * BLOCK + spare {
            *self = Self::zeros(count);
        }
        self.count = count;
    }
}

/// Index of the first number on a cache line, among the first `spare`.
fn first_aligned<R>(values: &[R], spare: usize) -> usize {
    // `align_offset` may decline to answer.
    values.as_ptr().align_offset(CACHE_LINE).min(spare)
}

/// Part of a lane: numbers `L·index..L·(index + 1)`, by value.
#[inline(always)]
pub fn part<R: Real, const N: usize, const L: usize>(lane: &[R; N], index: usize) -> [R; L] {
    let (parts, _) = lane.as_chunks();
    parts[index]
}

/// Writes part of a lane: numbers `L·index..L·(index + 1)`.
#[inline(always)]
pub fn set_part<R: Real, const N: usize, const L: usize>(
    lane: &mut [R; N],
    index: usize,
    part: [R; L],
) {
    let (parts, _) = lane.as_chunks_mut();
    parts[index] = part;
}

impl<R: Clone> Clone for Lanes<R> {
    fn clone(&self) -> Self {
        let spare = self.values.len() - self.count * BLOCK;
        let mut values = Vec::with_capacity(self.values.len());
        let start = first_aligned(&values, spare);
        values.extend_from_slice(&self.values[..start]);
        values.extend_from_slice(self.as_flattened());
        values.extend_from_slice(&self.values[..spare - start]);
        Self {
            values,
            start,
            count: self.count,
        }
    }
}

impl<R: PartialEq> PartialEq for Lanes<R> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<R> Deref for Lanes<R> {
    type Target = [Lane<R>];

    #[inline(always)]
    fn deref(&self) -> &[Lane<R>] {
        &self.values[self.start..].as_chunks().0[..self.count]
    }
}

impl<R> DerefMut for Lanes<R> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [Lane<R>] {
        &mut self.values[self.start..].as_chunks_mut().0[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_begin_on_a_cache_line() {
        for count in [0, 1, 7, 5_000] {
            let lanes = Lanes::<f32>::zeros(count);
            assert_eq!(lanes.len(), count);
            assert!(lanes.as_ptr().addr().is_multiple_of(CACHE_LINE));
            assert!(lanes.clone().as_ptr().addr().is_multiple_of(CACHE_LINE));
        }
    }
}
