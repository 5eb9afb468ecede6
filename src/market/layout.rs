//! What a block of paths holds, and where.

use super::assets::Assets;
use super::benchmark::answer_columns;
use crate::contract::{Contract, Family, Instrument};
use crate::pricing::SurfaceFactors;
use std::ops::Range;

/// Columns of an option's state: vega, moneyness, root of the time to expiry and delta.
pub(super) const OPTION_STATE: usize = 4;

/// The columns of a block of paths, one row for every date.
///
/// # Shapes
/// In rows of one lane: for each asset spot and variance, `[assets][2][steps + 1]`; where paths have an implied-volatility surface of the
/// first asset, its factors, `[factors][steps + 1]`; where paths are given with them, payoffs, one row; the prices of the instruments that are
/// no asset, `[…][steps + 1]`, that of an option followed where that is asked for by what costs and actions may depend on beside it, `[4][steps + 1]`; what each path holds of its own contract of a family
/// ([`crate::contract::Family::rows`]); the running quantities of the contract, `[accumulators][steps + 1]`; its payments,
/// `[due dates]`; where it may end early, the date of its end, one row; and, where they are asked for, the answers of a
/// benchmark, `[3 + 2 · assets][steps + 1]`, what a benchmark holds, `[steps][instruments]`, what the contract brought beside the
/// premium that its ledger knows, one row, and what costs are multiplied by, `[steps + 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    dates: usize,
    assets: usize,
    /// Whether paths have a surface.
    surface: bool,
    /// Whether paths have payoffs.
    payoffs: bool,
    instruments: Vec<Instrument>,
    /// The row at which the prices of every instrument begin.
    prices: Vec<usize>,
    /// Whether the state of an option is beside its price.
    option_states: bool,
    /// The rows before those of the contract.
    traded: usize,
    drawn: usize,
    accumulators: usize,
    payments: usize,
    ends: bool,
    answers: bool,
    receipts: bool,
    cost_factors: bool,
    hedged: bool,
}

impl Layout {
    /// Spot and variance of `assets` assets over `steps` periods, on which the first asset alone is traded.
    pub fn new(assets: usize, steps: usize) -> Self {
        let dates = steps + 1;
        Self {
            dates,
            assets,
            surface: false,
            payoffs: false,
            instruments: vec![Instrument::SPOT],
            prices: vec![0],
            option_states: false,
            traded: 2 * assets * dates,
            drawn: 0,
            accumulators: 0,
            payments: 0,
            ends: false,
            answers: false,
            receipts: false,
            cost_factors: false,
            hedged: false,
        }
    }

    /// The same with all that the models of `assets` give of paths.
    pub fn of_market(assets: &Assets, steps: usize) -> Self {
        let model = &assets.first().model;
        Self::new(assets.count(), steps)
            .with_surface(model.has_surface())
            .with_payoffs(model.has_payoffs())
    }

    /// The same where `instruments` are traded.
    ///
    /// # Panics
    /// If the first instrument is not the first asset, or one depends on an asset that there is not.
    #[must_use]
    pub fn trading(mut self, instruments: &[Instrument]) -> Self {
        assert_eq!(instruments.first(), Some(&Instrument::SPOT));
        self.traded = self.markets().end;
        self.prices.clear();
        for instrument in instruments {
            assert!(
                instrument.asset() < self.assets,
                "{instrument:?} has an asset"
            );
            match instrument {
                Instrument::Spot(asset) => self.prices.push(2 * asset * self.dates),
                Instrument::VarianceSwap(_) => {
                    self.prices.push(self.traded);
                    self.traded += self.dates;
                }
                Instrument::Option(_) => {
                    self.prices.push(self.traded);
                    self.traded += self.dates * self.option_columns();
                }
            }
        }
        self.instruments = instruments.to_vec();
        self
    }

    /// The same with or without room for an implied-volatility surface of the first asset at every date.
    #[must_use]
    pub fn with_surface(mut self, surface: bool) -> Self {
        self.surface = surface;
        let instruments = std::mem::take(&mut self.instruments);
        self.trading(&instruments)
    }

    /// The same with or without room for what is paid at expiry, where paths are given with it.
    #[must_use]
    pub fn with_payoffs(mut self, payoffs: bool) -> Self {
        self.payoffs = payoffs;
        let instruments = std::mem::take(&mut self.instruments);
        self.trading(&instruments)
    }

    /// Whether there is room for payoffs.
    pub fn has_payoffs(&self) -> bool {
        self.payoffs
    }

    /// Whether there is room for an implied-volatility surface.
    pub fn has_surface(&self) -> bool {
        self.surface
    }

    /// The same with or without room for what costs may depend on beside an option's price.
    #[must_use]
    pub fn with_option_states(mut self, option_states: bool) -> Self {
        self.option_states = option_states;
        let instruments = std::mem::take(&mut self.instruments);
        self.trading(&instruments)
    }

    /// Columns of an option: its price, and its state where that is asked for.
    #[inline(always)]
    pub(super) fn option_columns(&self) -> usize {
        1 + if self.option_states { OPTION_STATE } else { 0 }
    }

    /// The state of an option beside its price, `[vega, moneyness, root of the time, delta][steps + 1]`; none where it is not asked for, and
    /// for another instrument.
    #[inline(always)]
    pub(super) fn option_state(&self, instrument: usize) -> Option<Range<usize>> {
        match self.instruments[instrument] {
            Instrument::Option(_) if self.option_states => {
                let start = self.price(instrument).end;
                Some(start..start + OPTION_STATE * self.dates)
            }
            Instrument::Option(_) | Instrument::Spot(_) | Instrument::VarianceSwap(_) => None,
        }
    }

    /// The same with room for what `contract` makes of the paths.
    #[must_use]
    pub fn under(mut self, contract: &Contract) -> Self {
        self.drawn = contract.family().map_or(0, |family| family.row_count());
        self.accumulators = contract.accumulators().len();
        self.payments = contract.due().len();
        self.ends = contract.can_end();
        self
    }

    /// The same with room for the contract of `family`, if there is one, that each path has.
    #[must_use]
    pub fn drawing(mut self, family: Option<&Family>) -> Self {
        self.drawn = family.map_or(0, Family::row_count);
        self
    }

    /// The same with or without room for the answers of a benchmark.
    #[must_use]
    pub fn answered(mut self, answers: bool) -> Self {
        self.answers = answers;
        self
    }

    /// The same with or without room for what each contract brought beside the premium that its ledger knows.
    #[must_use]
    pub fn with_receipts(mut self, receipts: bool) -> Self {
        self.receipts = receipts;
        self
    }

    /// The same with room for what costs are multiplied by at every date.
    #[must_use]
    pub(super) fn with_cost_factors(mut self) -> Self {
        self.cost_factors = true;
        self
    }

    /// The same with or without room for the positions of a benchmark.
    #[must_use]
    pub fn hedged(mut self, hedged: bool) -> Self {
        self.hedged = hedged;
        self
    }

    /// Rows of a block.
    pub fn rows(&self) -> usize {
        self.cost_factors().end
    }

    /// Number of dates, one more than periods.
    pub fn dates(&self) -> usize {
        self.dates
    }

    /// Number of assets.
    pub fn assets(&self) -> usize {
        self.assets
    }

    /// What is traded, the first asset first.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// What the market gives: spots and variances of all assets, the surface, and payoffs.
    pub(super) fn markets(&self) -> Range<usize> {
        0..self.payoff().end
    }

    /// Spots and variances of all assets.
    #[inline(always)]
    pub(super) fn assets_rows(&self) -> Range<usize> {
        0..2 * self.assets * self.dates
    }

    /// The factors of the surface; empty where there is none.
    #[inline(always)]
    pub(super) fn surface(&self) -> Range<usize> {
        let start = self.assets_rows().end;
        let count = if self.surface {
            SurfaceFactors::COUNT
        } else {
            0
        };
        start..start + count * self.dates
    }

    /// The payoffs; empty where there are none.
    #[inline(always)]
    pub(super) fn payoff(&self) -> Range<usize> {
        let start = self.surface().end;
        start..start + usize::from(self.payoffs)
    }

    /// The spot of an asset.
    #[inline(always)]
    pub(super) fn spot(&self, asset: usize) -> Range<usize> {
        let start = 2 * asset * self.dates;
        start..start + self.dates
    }

    /// The variance of an asset.
    #[inline(always)]
    pub(super) fn variance(&self, asset: usize) -> Range<usize> {
        let start = (2 * asset + 1) * self.dates;
        start..start + self.dates
    }

    /// The price of an instrument.
    #[inline(always)]
    pub(super) fn price(&self, instrument: usize) -> Range<usize> {
        let start = self.prices[instrument];
        start..start + self.dates
    }

    /// What each path holds of its own contract.
    #[inline(always)]
    pub(super) fn drawn(&self) -> Range<usize> {
        self.traded..self.traded + self.drawn
    }

    /// The running quantities.
    #[inline(always)]
    pub(super) fn state(&self) -> Range<usize> {
        let start = self.drawn().end;
        start..start + self.accumulators * self.dates
    }

    /// The payments.
    #[inline(always)]
    pub(super) fn payments(&self) -> Range<usize> {
        let start = self.state().end;
        start..start + self.payments
    }

    /// The date of the end.
    #[inline(always)]
    pub(super) fn end(&self) -> Range<usize> {
        let start = self.payments().end;
        start..start + usize::from(self.ends)
    }

    /// The answers of a benchmark ([`answer_columns`]).
    #[inline(always)]
    pub(super) fn answers(&self) -> Range<usize> {
        let start = self.end().end;
        let count = if self.answers {
            answer_columns(self.assets)
        } else {
            0
        };
        start..start + count * self.dates
    }

    /// The positions of a benchmark.
    #[inline(always)]
    pub(super) fn benchmark_positions(&self) -> Range<usize> {
        let start = self.answers().end;
        let count = if self.hedged {
            self.instruments.len()
        } else {
            0
        };
        start..start + count * (self.dates - 1)
    }

    /// What each contract brought beside the ledger's premium, one row.
    #[inline(always)]
    pub(super) fn receipt(&self) -> Range<usize> {
        let start = self.benchmark_positions().end;
        start..start + usize::from(self.receipts)
    }

    /// What costs are multiplied by.
    #[inline(always)]
    pub(super) fn cost_factors(&self) -> Range<usize> {
        let start = self.receipt().end;
        let count = if self.cost_factors { self.dates } else { 0 };
        start..start + count
    }
}
