//! What a hedge without training says of a contract on every date of a path.

use super::paths::{PathBlock, Paths};
use crate::simd::Lane;
use std::fmt::Debug;
use std::ops::Range;

/// A price of a contract and its sensitivities on any paths of its life, in a market that is assumed.
///
/// # Units
/// Values in currency on their dates; deltas in shares, gammas in shares per currency.
pub trait Benchmark: Debug + Send + Sync {
    /// Writes its answers on one block, on which the contract was observed, for some dates. On the date of expiry the value is what
    /// falls due then; from the date on which the contract has ended all answers are 0. All of them are finite, and none depends on what
    /// follows its date.
    fn answer(&self, block: &PathBlock<'_, f64>, dates: Range<usize>, out: &mut AnswersMut<'_>);
}

/// A hedge without training whose positions an action departs from, on any paths of a contract's life.
pub trait BenchmarkHedge: Debug + Send + Sync {
    /// The positions held over the periods that begin on some dates on the own blocks of `paths`, on which the contract was observed and
    /// the instruments are priced, `[own blocks][dates][instruments][BLOCK]`; none depends on what follows its date. What was held on
    /// the date before the first of them is what the paths have as its positions there. No rank waits for another.
    fn positions(&self, paths: &Paths<f64>, dates: Range<usize>) -> Vec<Lane<f64>>;

    /// What the same positions follow from more quickly, to single precision.
    fn quick(&self) -> Option<QuickHedge<'_>> {
        None
    }
}

/// Positions that follow from what a benchmark says of a contract and from an option's state beside its price.
///
/// They are k Δ − q Δ_P in the first spot, k Δ_i in every other one, and q = κ ν/ν_P in the option, with the contract's deltas Δ and vega ν by the
/// benchmark, the option's delta Δ_P and vega ν_P, and the scale k.
#[derive(Debug, Clone, Copy)]
pub struct QuickHedge<'a> {
    /// What says the contract's deltas and vega.
    pub benchmark: &'a dyn Benchmark,
    /// The scale k.
    pub scale: f64,
    /// The option, if one is held; then paths have a surface and the state of options.
    pub option: Option<VegaRatio>,
}

/// How many options hedge a contract's vega.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VegaRatio {
    /// The option's place among the instruments.
    pub instrument: usize,
    /// What the ratio of the vegas is multiplied by, κ.
    pub ratio: f64,
    /// The greatest ratio of the vegas, of either sign.
    pub most: f64,
    /// Whether it is that at the sale to the end.
    pub is_static: bool,
}

/// The answers that no asset has for itself: value, volatility and vega.
const COMMON: usize = 3;

/// Columns of a benchmark's answers: value, volatility, vega, a delta for every asset, a gamma for every asset.
#[inline(always)]
pub(super) const fn answer_columns(assets: usize) -> usize {
    COMMON + 2 * assets
}

/// The answers of a benchmark on one block.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a, R> {
    rows: &'a [Lane<R>],
    dates: usize,
}

impl<'a, R> Answers<'a, R> {
    /// Of rows `[answer_columns(assets)][dates]`.
    pub(super) fn new(rows: &'a [Lane<R>], dates: usize) -> Self {
        Self { rows, dates }
    }

    /// The value of the contract at every date.
    #[inline(always)]
    pub fn value(&self) -> &'a [Lane<R>] {
        &self.rows[..self.dates]
    }

    /// The annualised volatility of the contract's first call or put at every date, or of the first asset at the money until expiry.
    #[inline(always)]
    pub fn volatility(&self) -> &'a [Lane<R>] {
        &self.rows[self.dates..][..self.dates]
    }

    /// The vega of the contract at every date, in currency for a volatility of 1; 0 where it has no calls and puts.
    #[inline(always)]
    pub fn vega(&self) -> &'a [Lane<R>] {
        &self.rows[2 * self.dates..][..self.dates]
    }

    /// The delta in the spot of an asset at every date.
    #[inline(always)]
    pub fn delta(&self, asset: usize) -> &'a [Lane<R>] {
        &self.rows[(COMMON + asset) * self.dates..][..self.dates]
    }

    /// The gamma in the spot of an asset at every date.
    #[inline(always)]
    pub fn gamma(&self, asset: usize) -> &'a [Lane<R>] {
        let assets = (self.rows.len() / self.dates - COMMON) / 2;
        &self.rows[(COMMON + assets + asset) * self.dates..][..self.dates]
    }
}

/// The answers of a benchmark on one block for writing, all 0 at first.
#[derive(Debug)]
pub struct AnswersMut<'a> {
    rows: &'a mut [Lane<f64>],
    dates: usize,
}

impl<'a> AnswersMut<'a> {
    /// For rows `[answer_columns(assets)][dates]`.
    pub(super) fn new(rows: &'a mut [Lane<f64>], dates: usize) -> Self {
        Self { rows, dates }
    }

    /// The value of the contract at date `t`.
    pub fn value(&mut self, t: usize) -> &mut Lane<f64> {
        &mut self.rows[t]
    }

    /// Volatility and vega of the contract at date `t`.
    pub fn smile(&mut self, t: usize) -> (&mut Lane<f64>, &mut Lane<f64>) {
        let (volatilities, vegas) = self.rows[self.dates..].split_at_mut(self.dates);
        (&mut volatilities[t], &mut vegas[t])
    }

    /// Delta and gamma in the spot of an asset at date `t`.
    pub fn moves(&mut self, asset: usize, t: usize) -> (&mut Lane<f64>, &mut Lane<f64>) {
        let assets = (self.rows.len() / self.dates - COMMON) / 2;
        let (deltas, gammas) = self.rows.split_at_mut((COMMON + assets) * self.dates);
        (
            &mut deltas[(COMMON + asset) * self.dates + t],
            &mut gammas[asset * self.dates + t],
        )
    }
}
