//! Paths that are chosen among others, and the way of each to the rank that has it then.

use super::Paths;
use crate::distributed::{Portable, Ranks, Spread};
use crate::simd::{BLOCK, Lanes, Real};
use std::ops::Range;

impl<R: Real> Paths<R> {
    /// Copies a path of this rank in `from` to the place `target` of this rank.
    fn copy_path(&mut self, target: usize, from: &Self, source: usize) {
        let size = self.layout.rows();
        let into = self.spread.place(target / BLOCK) * size;
        let out_of = from.spread.place(source / BLOCK) * size;
        let rows = self.rows[into..][..size].iter_mut();
        for (to, row) in rows.zip(&from.rows[out_of..][..size]) {
            to[target % BLOCK] = row[source % BLOCK];
        }
    }

    /// Copies a block of this rank in `from` to the place `target` of this rank.
    fn copy_block(&mut self, target: usize, from: &Self, source: usize) {
        let size = self.layout.rows();
        let into = self.spread.place(target) * size;
        let out_of = from.spread.place(source) * size;
        self.rows[into..][..size].copy_from_slice(&from.rows[out_of..][..size]);
    }

    /// The numbers of the paths that count and are on this rank.
    fn own_paths(&self) -> Range<usize> {
        let own = self.own();
        self.count.min(own.start * BLOCK)..self.count.min(own.end * BLOCK)
    }
}

/// The block that `indices` are all paths of, in their order.
fn whole_block(indices: &[usize]) -> Option<usize> {
    let first = *indices.first()?;
    let follows = |(place, index): (usize, &usize)| *index == first + place;
    let whole = indices.len() == BLOCK && first.is_multiple_of(BLOCK);
    (whole && indices.iter().enumerate().all(follows)).then_some(first / BLOCK)
}

impl<R: Real + Portable> Paths<R> {
    /// The paths with the given indices, in that order, spread over the same ranks anew: those alone travel that another rank has
    /// from now on. All ranks call it, with the same indices.
    ///
    /// # Panics
    /// If `indices` is empty or out of range.
    pub fn gather(&self, indices: &[usize]) -> Self {
        assert!(!indices.is_empty(), "a path at least");
        let ranks = self.spread.ranks();
        let spread = Spread::new(ranks, indices.len().div_ceil(BLOCK));
        let mut result = Self::spread_as(spread, indices.len(), self.layout.clone());
        let here = self.own();
        for block in result.own() {
            let targets = block * BLOCK..result.count.min((block + 1) * BLOCK);
            match whole_block(&indices[targets.clone()]) {
                Some(source) if here.contains(&source) => result.copy_block(block, self, source),
                _ => {
                    for target in targets {
                        if here.contains(&(indices[target] / BLOCK)) {
                            result.copy_path(target, self, indices[target]);
                        }
                    }
                }
            }
        }
        if !ranks.is_alone() {
            self.exchange(indices, &mut result);
        }
        result.pad();
        result
    }

    /// Brings those of the paths with the given indices to `result` that change ranks.
    fn exchange(&self, indices: &[usize], result: &mut Self) {
        let ranks = self.spread.ranks();
        let way = |target: usize| {
            let from = self.spread.owner(indices[target] / BLOCK);
            (target, from, result.spread.owner(target / BLOCK))
        };
        let ways = (0..indices.len()).map(way);
        let moving: Vec<_> = ways.filter(|(_, from, to)| from != to).collect();
        if moving.is_empty() {
            return;
        }
        let size = self.layout.rows();
        let mut own = Vec::new();
        for (target, from, _) in &moving {
            if *from == ranks.rank() {
                let (block, lane) = (indices[*target] / BLOCK, indices[*target] % BLOCK);
                let rows = &self.rows[self.spread.place(block) * size..][..size];
                own.extend(rows.iter().map(|row| row[lane]));
            }
        }
        let mut sent = Vec::with_capacity(own.len() * size_of::<R>());
        R::write_all(&own, &mut sent);
        let sent = ranks.gather(&sent);
        let mut rest: Vec<&[u8]> = sent.iter().map(Vec::as_slice).collect();
        let mut path = vec![R::ZERO; size];
        for (target, from, to) in moving {
            R::read_all(&mut rest[from], &mut path);
            if to == ranks.rank() {
                let first = result.spread.place(target / BLOCK) * size;
                for (row, value) in result.rows[first..][..size].iter_mut().zip(&path) {
                    row[target % BLOCK] = *value;
                }
            }
        }
    }

    /// Fills the places after the last path with copies of it, on the rank that has it.
    fn pad(&mut self) {
        let size = self.layout.rows();
        let last = self.count - 1;
        if self.own_paths().contains(&last) {
            let first = self.spread.place(last / BLOCK) * size;
            for row in &mut self.rows[first..][..size] {
                let copied = row[last % BLOCK];
                row[last % BLOCK..].fill(copied);
            }
        }
    }

    /// The same paths, all of which every rank has, as if it was alone.
    pub fn whole(&self) -> Self {
        let all = self.spread.collect(self.rows.to_vec());
        let mut rows = Lanes::zeros(all.len());
        rows.copy_from_slice(&all);
        Self {
            count: self.count,
            layout: self.layout.clone(),
            spread: Spread::new(&Ranks::alone(), self.blocks()),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributed::threads;
    use rayon::prelude::*;

    /// Paths whose number can be read from every row, spread over `ranks`.
    fn numbered(ranks: &Ranks, count: usize) -> Paths<f32> {
        let layout = crate::market::Layout::new(1, 4);
        let mut paths = Paths::over(ranks, count, layout);
        paths.blocks_mut().for_each(|(block, mut out)| {
            let (spot, variance) = out.asset(0);
            for (t, row) in spot.iter_mut().chain(variance).enumerate() {
                *row = std::array::from_fn(|lane| (10 * (block * BLOCK + lane) + t) as f32);
            }
        });
        paths
    }

    /// Chosen paths are those that one process chooses, padding and all, for any number of ranks; paths that stay on their ranks
    /// do not travel.
    #[test]
    fn chosen_paths_are_those_of_one_process() {
        const COUNT: usize = 1_000;
        let few: Vec<usize> = (0..COUNT).filter(|path| path % 7 == 3).collect();
        let first: Vec<usize> = (0..256).collect();
        let back: Vec<usize> = (0..COUNT).rev().collect();
        let all: Vec<usize> = (0..COUNT).collect();
        for (indices, travel) in [(few, true), (first, true), (back, true), (all, false)] {
            let expected = numbered(&Ranks::alone(), COUNT).gather(&indices);
            for (target, index) in indices.iter().enumerate() {
                assert_eq!(expected.path(target).0[0], (10 * index) as f64);
            }
            for size in [1, 2, 3] {
                let found = threads::run(size, |ranks| {
                    let chosen = numbered(&ranks, COUNT).gather(&indices);
                    let bytes = ranks.statistics().bytes;
                    assert_eq!(chosen.whole(), expected, "{size} ranks");
                    bytes
                });
                assert_eq!(found.iter().any(|bytes| *bytes > 0), travel && size > 1);
            }
        }
    }
}
