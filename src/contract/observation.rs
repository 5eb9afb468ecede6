//! What a contract sees of a block of paths, and what it makes of it.

use crate::simd::Lane;

/// The spots of all assets on one block of paths.
#[derive(Debug, Clone, Copy)]
pub struct Spots<'a, R> {
    rows: &'a [Lane<R>],
    dates: usize,
    stride: usize,
    members: Option<&'a Lane<R>>,
    payoffs: Option<&'a Lane<R>>,
}

impl<'a, R> Spots<'a, R> {
    /// The spots in `rows`, `dates` of them for each asset, one asset `stride` rows after the other.
    pub fn new(rows: &'a [Lane<R>], dates: usize, stride: usize) -> Self {
        Self {
            rows,
            dates,
            stride,
            members: None,
            payoffs: None,
        }
    }

    /// The same spots with the number of the contract of a family that each path has.
    #[must_use]
    pub fn with_members(self, members: Option<&'a Lane<R>>) -> Self {
        Self { members, ..self }
    }

    /// The same spots with what is paid at expiry, where paths are given with it.
    #[must_use]
    pub fn with_payoffs(self, payoffs: Option<&'a Lane<R>>) -> Self {
        Self { payoffs, ..self }
    }

    /// What is paid at expiry, if paths are given with it.
    pub fn payoffs(&self) -> Option<&'a Lane<R>> {
        self.payoffs
    }

    /// The number of the contract of a family that each path has, if it has one.
    pub fn members(&self) -> Option<&'a Lane<R>> {
        self.members
    }

    /// The spot of an asset at every date.
    #[inline(always)]
    pub fn of(&self, asset: usize) -> &'a [Lane<R>] {
        &self.rows[asset * self.stride..][..self.dates]
    }

    /// The annualised variance of an asset at every date, which stands after its spot.
    ///
    /// # Panics
    /// If the rows have spots alone.
    #[inline(always)]
    pub fn variance_of(&self, asset: usize) -> &'a [Lane<R>] {
        assert!(self.stride >= 2 * self.dates);
        &self.rows[asset * self.stride + self.dates..][..self.dates]
    }
}

/// What a contract makes of one block of paths, for writing.
///
/// # Shapes
/// `payments` is `[due dates][BLOCK]`; `end` one lane where the contract may end early, else nothing; `state`
/// `[accumulators][steps + 1][BLOCK]`.
///
/// # Units
/// Payments in currency on their dates.
#[derive(Debug)]
pub struct Observed<'a, R> {
    /// What the seller pays on every date on which something may be due.
    pub payments: &'a mut [Lane<R>],
    /// The date on which the contract ends, counted from the sale.
    pub end: &'a mut [Lane<R>],
    /// The running quantities of the path at every date.
    pub state: &'a mut [Lane<R>],
}
