//! One block of paths, for reading and for writing.

use crate::contract::{Family, Instrument, Spots};
use crate::market::benchmark::Answers;
use crate::market::layout::Layout;
use crate::market::quoted::Quoted;
use crate::market::state::{MarketState, SurfaceRows};
use crate::simd::{BLOCK, Lane, Real};

/// One block of [`super::Paths`]: `steps + 1` dates.
#[derive(Debug, Clone, Copy)]
pub struct PathBlock<'a, R> {
    /// The spot of the first asset at every date.
    pub spot: &'a [Lane<R>],
    /// The annualised variance of the first asset at every date.
    pub variance: &'a [Lane<R>],
    pub(super) layout: &'a Layout,
    pub(super) rows: &'a [Lane<R>],
}

impl<'a, R> PathBlock<'a, R> {
    pub(super) fn new(layout: &'a Layout, rows: &'a [Lane<R>]) -> Self {
        Self {
            spot: &rows[layout.spot(0)],
            variance: &rows[layout.variance(0)],
            layout,
            rows,
        }
    }

    /// Number of periods.
    #[inline(always)]
    pub fn steps(&self) -> usize {
        self.spot.len() - 1
    }

    /// What is traded, the first asset first.
    #[inline(always)]
    pub fn instruments(&self) -> &'a [Instrument] {
        self.layout.instruments()
    }

    /// The spot of an asset at every date.
    #[inline(always)]
    pub fn spot_of(&self, asset: usize) -> &'a [Lane<R>] {
        &self.rows[self.layout.spot(asset)]
    }

    /// The spots of all assets, as a contract reads them.
    pub fn spots(&self) -> Spots<'a, R> {
        let dates = self.layout.dates();
        let members = self.drawn().map(|drawn| drawn.member);
        Spots::new(self.rows, dates, 2 * dates)
            .with_members(members)
            .with_payoffs(self.rows[self.layout.payoff()].first())
    }

    /// The annualised variance of an asset at every date.
    #[inline(always)]
    pub fn variance_of(&self, asset: usize) -> &'a [Lane<R>] {
        &self.rows[self.layout.variance(asset)]
    }

    /// The implied-volatility surface of the first asset at every date; none where the paths have no surface.
    #[inline(always)]
    pub fn surface(&self) -> Option<SurfaceRows<'a, R>> {
        let rows = &self.rows[self.layout.surface()];
        (!rows.is_empty()).then(|| SurfaceRows::new(rows, self.layout.dates()))
    }

    /// The price of an instrument at every date; number 0 is the first asset.
    #[inline(always)]
    pub fn price(&self, instrument: usize) -> &'a [Lane<R>] {
        &self.rows[self.layout.price(instrument)]
    }

    /// What trading an instrument depends on at every date.
    #[inline(always)]
    pub fn quoted(&self, instrument: usize) -> Quoted<'a, R> {
        let asset = self.layout.instruments()[instrument].asset();
        let state = self.layout.option_state(instrument);
        Quoted::new(
            self.price(instrument),
            self.variance_of(asset),
            state.map(|state| &self.rows[state]),
            self.cost_factors(),
        )
    }

    /// The delta of an option among the instruments at every date; none where the paths do not hold it, and for another instrument.
    #[inline(always)]
    pub fn option_deltas(&self, instrument: usize) -> Option<&'a [Lane<R>]> {
        const DELTA: usize = 3;
        self.option_column(instrument, DELTA)
    }

    /// The vega of an option among the instruments at every date, in currency for a volatility of 1; none where the paths do not hold it, and for
    /// another instrument.
    #[inline(always)]
    pub fn option_vegas(&self, instrument: usize) -> Option<&'a [Lane<R>]> {
        const VEGA: usize = 0;
        self.option_column(instrument, VEGA)
    }

    #[inline(always)]
    fn option_column(&self, instrument: usize, column: usize) -> Option<&'a [Lane<R>]> {
        let dates = self.layout.dates();
        let state = &self.rows[self.layout.option_state(instrument)?];
        Some(&state[column * dates..][..dates])
    }

    /// What each path holds of its own contract; none where all have the same one.
    #[inline(always)]
    pub fn drawn(&self) -> Option<DrawnTerms<'a, R>> {
        let [member, life, strike, values @ ..] = &self.rows[self.layout.drawn()] else {
            return None;
        };
        Some(DrawnTerms {
            member,
            life,
            strike,
            values,
        })
    }

    /// What the contract pays on every date on which something may be due.
    #[inline(always)]
    pub fn payments(&self) -> &'a [Lane<R>] {
        &self.rows[self.layout.payments()]
    }

    /// The date on which the contract ends, counted from the sale; none if it lives to its expiry on every path.
    #[inline(always)]
    pub fn end(&self) -> Option<&'a Lane<R>> {
        self.rows[self.layout.end()].first()
    }

    /// What a benchmark says of the contract.
    ///
    /// # Panics
    /// If the paths hold no answers of one.
    #[inline(always)]
    pub fn benchmark(&self) -> Answers<'a, R> {
        let rows = &self.rows[self.layout.answers()];
        assert!(!rows.is_empty(), "the paths hold a benchmark's answers");
        Answers::new(rows, self.layout.dates())
    }

    /// What a benchmark holds over every period, `[steps][instruments]`.
    ///
    /// # Panics
    /// If the paths hold no positions of one.
    #[inline(always)]
    pub fn benchmark_positions(&self) -> &'a [Lane<R>] {
        let rows = &self.rows[self.layout.benchmark_positions()];
        assert!(!rows.is_empty(), "the paths hold a benchmark's positions");
        rows
    }

    /// A running quantity of the contract at every date.
    #[inline(always)]
    pub fn state(&self, accumulator: usize) -> &'a [Lane<R>] {
        let dates = self.layout.dates();
        &self.rows[self.layout.state()][accumulator * dates..][..dates]
    }
}

impl<R: Real> PathBlock<'_, R> {
    /// The years from date `t` to the expiry of each path's contract, where a period is `period` years; at least one period.
    #[inline(always)]
    pub fn years_left(&self, t: usize, period: f64) -> Lane<R> {
        let years = |periods: R| periods.greater(R::ONE) * R::of(period);
        match self.drawn() {
            None => [years(R::of((self.steps() - t.min(self.steps())) as f64)); BLOCK],
            Some(drawn) => drawn.life.map(|life| years(life - R::of(t as f64))),
        }
    }

    /// What the market says of an asset at date `t` of one path.
    #[inline(always)]
    pub fn state_of(&self, asset: usize, t: usize, lane: usize) -> MarketState {
        let surface = self.surface().filter(|_| asset == 0);
        MarketState {
            spot: self.spot_of(asset)[t][lane].into_f64(),
            variance: self.variance_of(asset)[t][lane].into_f64(),
            surface: surface.map(|surface| surface.at(t, lane)),
        }
    }
}

/// What the paths of a block hold of their own contracts.
#[derive(Debug, Clone, Copy)]
pub struct DrawnTerms<'a, R> {
    /// The number of the contract in its family.
    pub member: &'a Lane<R>,
    /// The number of periods that it lives.
    pub life: &'a Lane<R>,
    /// Its strike, in currency.
    pub strike: &'a Lane<R>,
    /// The value of every range, `[ranges][BLOCK]`.
    pub values: &'a [Lane<R>],
}

/// What is held over period `t` of `position`: nothing where the contract ends on date `end` and that is `t` or before it.
#[inline(always)]
pub fn until<R: Real>(end: Option<&Lane<R>>, t: usize, position: Lane<R>) -> Lane<R> {
    let Some(end) = end else {
        return position;
    };
    let t = R::of(t as f64);
    let mut held = position;
    for lane in 0..BLOCK {
        held[lane] = if t < end[lane] {
            position[lane]
        } else {
            R::ZERO
        };
    }
    held
}

/// One block of [`super::Paths`] for writing.
pub struct PathBlockMut<'a, R> {
    layout: &'a Layout,
    rows: &'a mut [Lane<R>],
}

impl<'a, R> PathBlockMut<'a, R> {
    pub(super) fn new(layout: &'a Layout, rows: &'a mut [Lane<R>]) -> Self {
        Self { layout, rows }
    }
}

impl<R: Real> PathBlockMut<'_, R> {
    /// Whether each path has a contract of its own.
    pub fn draws(&self) -> bool {
        !self.layout.drawn().is_empty()
    }

    /// Gives each path the contract of `family` that `members` says.
    ///
    /// # Panics
    /// If the layout has no room for it.
    pub fn draw(&mut self, family: &Family, members: &[usize; BLOCK]) {
        let rows = &mut self.rows[self.layout.drawn()];
        assert_eq!(rows.len(), family.row_count());
        for (lane, member) in members.iter().enumerate() {
            for (row, value) in rows.iter_mut().zip(family.rows(*member)) {
                row[lane] = R::of(value);
            }
        }
    }
}

impl<R> PathBlockMut<'_, R> {
    /// Spot and variance of an asset, each `[steps + 1][BLOCK]`.
    pub fn asset(&mut self, asset: usize) -> (&mut [Lane<R>], &mut [Lane<R>]) {
        let (spot, variance) = (self.layout.spot(asset), self.layout.variance(asset));
        let dates = self.layout.dates();
        self.rows[spot.start..variance.end].split_at_mut(dates)
    }

    /// The factors of the implied-volatility surface, `[factors][steps + 1][BLOCK]`; none where the paths have no surface.
    pub fn surface(&mut self) -> Option<&mut [Lane<R>]> {
        let rows = &mut self.rows[self.layout.surface()];
        (!rows.is_empty()).then_some(rows)
    }

    /// What is paid at expiry; none where the paths have no payoffs.
    pub fn payoff(&mut self) -> Option<&mut Lane<R>> {
        self.rows[self.layout.payoff()].first_mut()
    }

    /// Spot and variance of all assets in their order, each `[steps + 1][BLOCK]`, and the factors of the implied-volatility surface,
    /// `[factors][steps + 1][BLOCK]`, and the payoffs, one row, each empty where the paths have none.
    #[expect(clippy::type_complexity, reason = "columns of assets, and one table")]
    pub fn markets(
        &mut self,
    ) -> (
        impl ExactSizeIterator<Item = (&mut [Lane<R>], &mut [Lane<R>])> + use<'_, R>,
        &mut [Lane<R>],
        &mut [Lane<R>],
    ) {
        let dates = self.layout.dates();
        let rows = &mut self.rows[self.layout.markets()];
        let (rows, payoff) = rows.split_at_mut(self.layout.surface().end);
        let (assets, surface) = rows.split_at_mut(self.layout.assets_rows().end);
        let columns = assets.chunks_exact_mut(2 * dates);
        (
            columns.map(move |columns| columns.split_at_mut(dates)),
            surface,
            payoff,
        )
    }
}
