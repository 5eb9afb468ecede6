use super::assets::Assets;
use super::benchmark::{Benchmark, BenchmarkHedge};
use super::layout::{Layout, OPTION_STATE};
use super::model::{Tabulated, Tabulation, VarianceProcess};
use super::paths::{PathBlock, Paths};
use super::spot_market::Market;
use super::state::{MarketState, SurfaceRows};
use super::variance_swap::VarianceSwap;
use crate::contract::{Contract, Instrument, Leg, Vanilla};
use crate::error::Result;
use crate::pricing::{BlackScholes, OptionLanes, PriceRange, PriceTable, SurfaceLanes};
use crate::simd::{BLOCK, Lane, Real, dispatch};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Prices of hedging instruments on any paths of a contract's life, by the model functions of spot and variance there or, where paths have an
/// implied-volatility surface, at that, and what the contract itself makes of the paths; with a benchmark also what that says of the contract or holds against it.
///
/// An option has the model's price, or one that is interpolated from a table of that price for every date ([`PriceTable`],
/// where the model asks for it: [`Tabulation`]) and outside of the table computed as such. Interpolation moves a price by less
/// than 2·10⁻⁵ of the strike.
#[derive(Debug, Clone)]
pub struct Quotes {
    assets: Assets,
    contract: Contract,
    instruments: Vec<Instrument>,
    /// Of the instruments that are no asset.
    pricers: Arc<[Priced]>,
    /// Whether the state of an option is written beside its price.
    option_states: bool,
    /// Whether paths have room for what each contract brought.
    receipts: bool,
    /// Whether paths have an implied-volatility surface.
    surface: bool,
    /// Whether paths say what is paid at expiry.
    payoffs: bool,
    benchmark: Option<Arc<dyn Benchmark>>,
    hedge: Option<Arc<dyn BenchmarkHedge>>,
}

#[derive(Debug)]
enum Priced {
    Swap(VarianceSwap),
    Option(Box<OptionPrices>),
}

impl Quotes {
    /// Of `instruments`, the first asset first, while `contract` lives in the market of `assets`.
    ///
    /// # Panics
    /// If the first instrument is not the spot.
    pub fn new(assets: &Assets, contract: &Contract, instruments: &[Instrument]) -> Self {
        Self::unless(assets, contract, instruments, &mut || Ok(()))
            .expect("who never asks to stop is never stopped")
    }

    /// The same; `stop` is asked before every table, of which a contract of many dates has as many.
    ///
    /// # Errors
    /// That of `stop`.
    ///
    /// # Panics
    /// If the first instrument is not the spot.
    pub fn unless(
        assets: &Assets,
        contract: &Contract,
        instruments: &[Instrument],
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Self> {
        assert_eq!(instruments.first(), Some(&Instrument::SPOT));
        let mut pricers = Vec::new();
        for instrument in instruments {
            let market = assets.market(instrument.asset());
            match instrument {
                Instrument::Spot(_) => {}
                Instrument::Option(option) => pricers.push(Priced::Option(Box::new(
                    OptionPrices::new(market, contract, *option, stop)?,
                ))),
                Instrument::VarianceSwap(asset) => {
                    let swap = VarianceSwap::new(*asset, market, contract.steps, contract.dt());
                    pricers.push(Priced::Swap(swap));
                }
            }
        }
        Ok(Self {
            assets: assets.clone(),
            contract: contract.clone(),
            instruments: instruments.to_vec(),
            pricers: pricers.into(),
            option_states: false,
            receipts: false,
            surface: assets.first().model.has_surface(),
            payoffs: assets.first().model.has_payoffs(),
            benchmark: None,
            hedge: None,
        })
    }

    /// The same with what `benchmark` says of the contract.
    #[must_use]
    pub fn answered_by(self, benchmark: Arc<dyn Benchmark>) -> Self {
        Self {
            benchmark: Some(benchmark),
            ..self
        }
    }

    /// The same with or without what costs and actions may depend on beside an option's price: its vega, its distance from the money, the
    /// root of its time to expiry and its delta, after Black and Scholes at the volatility of the surface or, without one, that which
    /// the model expects until then.
    #[must_use]
    pub fn with_option_states(self, option_states: bool) -> Self {
        Self {
            option_states,
            ..self
        }
    }

    /// The same with what `hedge` holds.
    #[must_use]
    pub fn hedged_by(self, hedge: Arc<dyn BenchmarkHedge>) -> Self {
        Self {
            hedge: Some(hedge),
            ..self
        }
    }

    /// The same with or without room for what each contract brought beside the premium that its ledger knows ([`Paths::receive`]).
    #[must_use]
    pub fn with_receipts(self, receipts: bool) -> Self {
        Self { receipts, ..self }
    }

    /// The same for paths that have an implied-volatility surface of the first asset, or none: an option on that asset is quoted at the volatility
    /// of its strike and expiry on every date. By default they have one if the asset's model has.
    #[must_use]
    pub fn with_surface(self, surface: bool) -> Self {
        Self { surface, ..self }
    }

    /// Whether they were made for these.
    pub fn are_of(&self, assets: &Assets, contract: &Contract, instruments: &[Instrument]) -> bool {
        self.assets == *assets && self.contract == *contract && self.instruments == instruments
    }

    /// The spot first.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// What a block of paths holds with the prices of the instruments and what the contract makes of it.
    pub fn layout(&self) -> Layout {
        let layout = Layout::new(self.assets.count(), self.contract.steps);
        let layout = layout.with_surface(self.surface).with_payoffs(self.payoffs);
        let layout = layout.trading(&self.instruments).under(&self.contract);
        let layout = layout
            .with_option_states(self.option_states)
            .with_receipts(self.receipts);
        let layout = layout.answered(self.benchmark.is_some());
        layout.hedged(self.hedge.is_some())
    }

    /// The paths with the prices of the instruments and what the contract makes of them.
    #[must_use]
    pub fn onto<R: Real>(&self, paths: Paths<R>) -> Paths<R> {
        let mut paths = paths.laid_out(self.layout());
        self.fill(&mut paths);
        paths
    }

    /// Writes what goes with spot and variance of `paths`, whose layout is [`Self::layout`], on the own blocks. No rank waits for
    /// another.
    pub fn fill<R: Real>(&self, paths: &mut Paths<R>) {
        self.fill_on(paths, 0..self.contract.steps + 1);
    }

    /// The same on some dates, where the others are written or open; none of it depends on what follows its date.
    pub fn fill_on<R: Real>(&self, paths: &mut Paths<R>, dates: Range<usize>) {
        debug_assert_eq!(paths.instruments(), self.instruments);
        paths.observe(&self.contract);
        if !self.pricers.is_empty() {
            paths.prices_mut().for_each(|(block, prices)| {
                let all = block.steps() + 1;
                let mut rest = prices;
                for pricer in self.pricers.iter() {
                    let out;
                    (out, rest) = rest.split_at_mut(all);
                    match pricer {
                        Priced::Swap(swap) => dispatch(swap.quote(block, out)),
                        Priced::Option(option) => {
                            let count = if self.option_states { OPTION_STATE } else { 0 };
                            let state;
                            (state, rest) = rest.split_at_mut(count * all);
                            option.quote(block, dates.clone(), out, state);
                        }
                    }
                }
            });
        }
        if let Some(benchmark) = &self.benchmark {
            paths.answer(benchmark.as_ref(), dates.clone());
        }
        if let Some(hedge) = &self.hedge {
            paths.hedge(hedge.as_ref(), dates);
        }
    }
}

/// Prices of one option at every date of a contract's life.
#[derive(Debug)]
struct OptionPrices {
    asset: usize,
    market: Market,
    leg: Leg,
    /// Years to expiry at every date.
    left: Vec<f64>,
    /// The length of a period in years.
    dt: f64,
    /// One for every date before the option's expiry; none where the price is a closed form of spot and variance.
    tables: Vec<PriceTable>,
}

impl OptionPrices {
    fn new(
        market: &Market,
        contract: &Contract,
        option: Vanilla,
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Self> {
        let steps = contract.steps;
        let later = option.expiry - contract.expiry;
        let left: Vec<f64> = (0..=steps)
            .map(|t| contract.dt() * (steps - t) as f64 + later)
            .collect();
        let variance = match market.model.tabulation(contract.expiry) {
            Tabulation::Formula => None,
            Tabulation::Spot => Some(None),
            Tabulation::SpotAndVariance { least, most } => {
                Some(Some((least, most, PriceTable::VARIANCES)))
            }
        };
        let mut tables = Vec::new();
        if let Some(variance) = variance {
            for (t, &left) in left.iter().enumerate().filter(|(_, left)| **left > 0.0) {
                stop()?;
                let elapsed = contract.dt() * t as f64;
                let times = (elapsed, left);
                tables.push(table(market, contract, option, times, variance));
            }
        }
        Ok(Self {
            asset: option.asset,
            market: market.clone(),
            leg: Leg::one(option.kind, option.strike),
            left,
            dt: contract.dt(),
            tables,
        })
    }

    /// Writes prices, `[dates]`, and where there is room for them vega, moneyness, root of the time to expiry and delta, each `[dates]`, on
    /// those dates that are `on`.
    fn quote<R: Real>(
        &self,
        block: PathBlock<'_, R>,
        on: Range<usize>,
        out: &mut [Lane<R>],
        state: &mut [Lane<R>],
    ) {
        let dates = self.left.len();
        let process = self.market.model.variance_process();
        // To single precision many at once are as good as one by one.
        let single = size_of::<R>() < size_of::<f64>();
        let surface = block.surface().filter(|_| self.asset == 0);
        for t in on {
            let out = &mut out[t];
            let mut columns = [[R::ZERO; BLOCK]; OPTION_STATE];
            match surface {
                Some(surface) if single && self.left[t] > 0.0 => {
                    self.lanes((surface, block.spot_of(self.asset)), t, out, &mut columns);
                }
                Some(_) | None => {
                    for lane in 0..BLOCK {
                        let market = block.state_of(self.asset, t, lane);
                        out[lane] = R::of(self.price(t, &market, &process));
                        if !state.is_empty() {
                            let known = self.state(t, &market, &process);
                            for (column, value) in columns.iter_mut().zip(known) {
                                column[lane] = R::of(value);
                            }
                        }
                    }
                }
            }
            for (rows, column) in state.chunks_exact_mut(dates).zip(columns) {
                rows[t] = column;
            }
        }
    }

    /// The same before expiry on a surface, for all paths of a block at once.
    fn lanes<R: Real>(
        &self,
        (surface, spots): (SurfaceRows<'_, R>, &[Lane<R>]),
        t: usize,
        out: &mut Lane<R>,
        [vega, moneyness, root, delta]: &mut [Lane<R>; OPTION_STATE],
    ) {
        let left = self.left[t];
        let option = self.option(t, 1.0, f64::NAN);
        let carry = (option.rate - option.dividend) * left;
        let per_strike = carry.exp() / option.strike;
        let mut volatility = [R::ZERO; BLOCK];
        dispatch(SurfaceLanes {
            factors: surface.factors(t),
            spot: &spots[t],
            forward_per_strike: per_strike,
            years: left,
            out: &mut volatility,
        });
        let spot = spots[t].map(Real::into_f64);
        let volatility = volatility.map(Real::into_f64);
        let [mut prices, mut deltas, mut gammas] = [[0.0; BLOCK]; 3];
        dispatch(OptionLanes {
            quantity: 1.0,
            option,
            spot: &spot,
            volatility: &volatility,
            sums: [&mut prices, &mut deltas, &mut gammas],
        });
        for lane in 0..BLOCK {
            out[lane] = R::of(prices[lane]);
            // ∂V/∂σ = Γ S² σ τ
            vega[lane] = R::of(gammas[lane] * spot[lane] * spot[lane] * volatility[lane] * left);
            let distance = Real::ln::<false>(spot[lane] * per_strike).abs();
            let distance = distance / (volatility[lane] * left.sqrt());
            moneyness[lane] = R::of(distance.min(FARTHEST));
            root[lane] = R::of(left.sqrt());
            delta[lane] = R::of(deltas[lane]);
        }
    }

    /// The option at date `t`.
    fn option(&self, t: usize, spot: f64, volatility: f64) -> BlackScholes {
        let (elapsed, left) = (self.dt * t as f64, self.left[t]);
        let market = &self.market;
        BlackScholes {
            spot,
            ..market.black_scholes_after(elapsed, self.leg, left, volatility)
        }
    }

    /// The volatility before expiry at date `t`.
    fn volatility(&self, t: usize, state: &MarketState, process: &VarianceProcess) -> f64 {
        let left = self.left[t];
        let elapsed = self.dt * t as f64;
        let carry = self.market.carry(elapsed, elapsed + left) * left;
        let log_moneyness = (state.spot / self.leg.strike).ln() + carry;
        state.volatility(process, log_moneyness, left)
    }

    /// Vega, the distance |ln(K/F)|/(σ √τ) from the money at a volatility until expiry, at most [`FARTHEST`], root of the time to expiry
    /// and delta; all are 0 at expiry.
    fn state(
        &self,
        t: usize,
        state: &MarketState,
        process: &VarianceProcess,
    ) -> [f64; OPTION_STATE] {
        let left = self.left[t];
        if left <= 0.0 {
            return [0.0; OPTION_STATE];
        }
        let volatility = self.volatility(t, state, process);
        let option = self.option(t, state.spot, volatility);
        let distance = (option.strike / option.spot).ln() - (option.rate - option.dividend) * left;
        // At the money of a market that stands still 0/0 counts as nothing.
        let moneyness = (distance.abs() / (volatility * left.sqrt())).min(FARTHEST);
        let moneyness = if distance == 0.0 { 0.0 } else { moneyness };
        [option.vega(), moneyness, left.sqrt(), option.delta()]
    }

    fn price(&self, t: usize, state: &MarketState, process: &VarianceProcess) -> f64 {
        let Leg { kind, strike, .. } = self.leg;
        let MarketState { spot, variance, .. } = *state;
        if self.left[t] <= 0.0 {
            return kind.payoff(spot, strike);
        }
        if state.surface.is_some() {
            let volatility = self.volatility(t, state, process);
            return self.option(t, spot, volatility).price();
        }
        let tabulated = self.tables.get(t).and_then(|t| t.price(spot, variance));
        tabulated.unwrap_or_else(|| {
            let elapsed = self.dt * t as f64;
            let state = std::iter::once((spot, variance));
            let legs = [self.leg];
            let pricer = self
                .market
                .pricer_after(elapsed, &legs, self.left[t], state);
            pricer.price(kind, strike, spot, variance)
        })
    }
}

/// The farthest from the money, in standard deviations until expiry, that spreads know: near expiry an option can be any number of them
/// away.
const FARTHEST: f64 = 4.0;

/// Standard deviations of ln S over the contract's life that a table reaches.
const DEVIATIONS: f64 = 8.0;

/// The least |ln(F/K)| that a table reaches.
const LEAST_REACH: f64 = 0.5;

fn table(
    market: &Market,
    contract: &Contract,
    option: Vanilla,
    (elapsed, left): (f64, f64),
    variance: Option<(f64, f64, usize)>,
) -> PriceTable {
    let model = &market.model;
    let expiry = elapsed + left;
    let (rate, dividend) = (
        market.rate.average(elapsed, expiry),
        market.dividend.average(elapsed, expiry),
    );
    let high = model.greatest_usual_variance();
    let start = ((market.spot / option.strike).ln() + (rate - dividend) * left).abs();
    let reach = start + DEVIATIONS * (high * contract.expiry).sqrt();
    let range = PriceRange {
        reach: reach.max(LEAST_REACH),
        scale: 0.2 * (high * left).sqrt(),
        variance,
    };
    let terms = (left, rate, dividend);
    let log_strike = (option.strike / market.spot).ln() - market.carry(0.0, expiry) * expiry;
    let calls = |variance: f64, x: &[f64]| {
        let of = Tabulated {
            left,
            elapsed,
            log_strike,
            variance,
        };
        model.calls(&of, x)
    };
    PriceTable::new(option.kind, option.strike, terms, range, calls)
}

#[cfg(test)]
#[path = "quotes_tests.rs"]
mod tests;
