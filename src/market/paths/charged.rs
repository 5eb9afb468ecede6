//! What paths hold of the costs and the financing of their contracts.

use super::{PathBlock, Paths};
use crate::simd::{BLOCK, Lane, Real};

impl<'a, R> PathBlock<'a, R> {
    /// What each contract brought beside the premium that its ledger knows, in money of its expiry; none where the paths do not hold it.
    #[inline(always)]
    pub fn receipt(&self) -> Option<&'a Lane<R>> {
        self.rows[self.layout.receipt()].first()
    }

    /// What costs are multiplied by at every date; none where that is 1 throughout.
    #[inline(always)]
    pub fn cost_factors(&self) -> Option<&'a [Lane<R>]> {
        let rows = &self.rows[self.layout.cost_factors()];
        (!rows.is_empty()).then_some(rows)
    }
}

impl<R: Real> Paths<R> {
    /// Notes what each contract brought beside the premium that its ledger knows, in money of its expiry, where the layout has room for
    /// it: whoever finances the hedge needs to know. The receipts are those of the paths of all ranks.
    pub fn receive(&mut self, receipts: &[f64]) {
        let (size, row) = (self.layout.rows(), self.layout.receipt());
        for block in self.own() {
            let first = self.spread.place(block) * size;
            for out in &mut self.rows[first..][row.clone()] {
                let of = |lane: usize| receipts.get(block * BLOCK + lane).or(receipts.last());
                *out = std::array::from_fn(|lane| of(lane).map_or(R::ZERO, |one| R::of(*one)));
            }
        }
    }

    /// The same paths, where costs at date `t` of path `i` are multiplied by `factor(i, t)`.
    #[must_use]
    pub fn charged(self, factor: impl Fn(usize, usize) -> f64) -> Self {
        let mut paths = self.copied(self.layout.clone().with_cost_factors(), |layout| {
            0..layout.receipt().end
        });
        let (size, rows, last) = (
            paths.layout.rows(),
            paths.layout.cost_factors(),
            paths.count.saturating_sub(1),
        );
        for block in paths.own() {
            let first = paths.spread.place(block) * size;
            let out = &mut paths.rows[first..][rows.clone()];
            for (t, out) in out.iter_mut().enumerate() {
                let path = |lane: usize| (block * BLOCK + lane).min(last);
                *out = std::array::from_fn(|lane| R::of(factor(path(lane), t)));
            }
        }
        paths
    }
}
