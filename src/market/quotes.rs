use super::model::Tabulation;
use super::paths::{PathBlock, Paths};
use super::spot_market::Market;
use super::variance_swap::VarianceSwap;
use crate::contract::{Contract, Instrument, Leg, Vanilla};
use crate::error::Result;
use crate::pricing::{PriceRange, PriceTable};
use crate::simd::{BLOCK, Lane, Real, dispatch};
use rayon::prelude::*;

/// The model's prices of hedging instruments on any paths of a contract's life, functions of spot and variance there.
///
/// An option has the model's price, or one that is interpolated from a table of that price for every date ([`PriceTable`],
/// where the model asks for it: [`Tabulation`]) and outside of the table computed as such. Interpolation moves a price by less
/// than 2·10⁻⁵ of the strike.
#[derive(Debug)]
pub struct Quotes {
    market: Market,
    contract: Contract,
    instruments: Vec<Instrument>,
    /// Of the instruments after the spot.
    pricers: Vec<Priced>,
}

#[derive(Debug)]
enum Priced {
    Swap(VarianceSwap),
    Option(OptionPrices),
}

impl Quotes {
    /// Of `instruments`, the spot first, while `contract` lives in `market`.
    ///
    /// # Panics
    /// If the first instrument is not the spot.
    pub fn new(market: &Market, contract: &Contract, instruments: &[Instrument]) -> Self {
        Self::unless(market, contract, instruments, &mut || Ok(()))
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
        market: &Market,
        contract: &Contract,
        instruments: &[Instrument],
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Self> {
        assert_eq!(instruments.first(), Some(&Instrument::Spot));
        let mut pricers = Vec::with_capacity(instruments.len() - 1);
        for instrument in &instruments[1..] {
            pricers.push(match instrument {
                Instrument::Option(option) => {
                    Priced::Option(OptionPrices::new(market, contract, *option, stop)?)
                }
                Instrument::Spot | Instrument::VarianceSwap => {
                    Priced::Swap(VarianceSwap::new(market, contract.steps, contract.dt()))
                }
            });
        }
        Ok(Self {
            market: *market,
            contract: *contract,
            instruments: instruments.to_vec(),
            pricers,
        })
    }

    /// Whether they were made for these.
    pub fn are_of(&self, market: &Market, contract: &Contract, instruments: &[Instrument]) -> bool {
        self.market == *market && self.contract == *contract && self.instruments == instruments
    }

    /// The spot first.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The paths with the prices of the instruments.
    #[must_use]
    pub fn onto<R: Real>(&self, paths: Paths<R>) -> Paths<R> {
        let mut paths = paths.trading(&self.instruments);
        self.fill(&mut paths);
        paths
    }

    /// Writes the prices that go with spot and variance of `paths`.
    pub fn fill<R: Real>(&self, paths: &mut Paths<R>) {
        debug_assert_eq!(paths.instruments(), self.instruments);
        if self.pricers.is_empty() {
            return;
        }
        paths.prices_mut().for_each(|(block, prices)| {
            let dates = block.spot.len();
            for (pricer, out) in self.pricers.iter().zip(prices.chunks_exact_mut(dates)) {
                match pricer {
                    Priced::Swap(swap) => dispatch(swap.quote(block, out)),
                    Priced::Option(option) => option.quote(block, out),
                }
            }
        });
    }
}

/// Prices of one option at every date of a contract's life.
#[derive(Debug)]
struct OptionPrices {
    market: Market,
    leg: Leg,
    /// Years to expiry at every date.
    left: Vec<f64>,
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
            for &left in left.iter().filter(|&&left| left > 0.0) {
                stop()?;
                tables.push(table(market, contract, option, left, variance));
            }
        }
        Ok(Self {
            market: *market,
            leg: Leg {
                quantity: 1.0,
                kind: option.kind,
                strike: option.strike,
            },
            left,
            tables,
        })
    }

    fn quote<R: Real>(&self, block: PathBlock<'_, R>, out: &mut [Lane<R>]) {
        for (t, out) in out.iter_mut().enumerate() {
            for lane in 0..BLOCK {
                let (spot, variance) = (block.spot[t][lane], block.variance[t][lane]);
                out[lane] = R::of(self.price(t, spot.into_f64(), variance.into_f64()));
            }
        }
    }

    fn price(&self, t: usize, spot: f64, variance: f64) -> f64 {
        let Leg { kind, strike, .. } = self.leg;
        if self.left[t] <= 0.0 {
            return kind.payoff(spot, strike);
        }
        let tabulated = self.tables.get(t).and_then(|t| t.price(spot, variance));
        tabulated.unwrap_or_else(|| {
            let market = Market {
                spot,
                model: self.market.model.seen_at(variance),
                ..self.market
            };
            market.leg_price(self.leg, self.left[t])
        })
    }
}

/// Standard deviations of ln S over the contract's life that a table reaches.
const DEVIATIONS: f64 = 8.0;

/// The least |ln(F/K)| that a table reaches.
const LEAST_REACH: f64 = 0.5;

fn table(
    market: &Market,
    contract: &Contract,
    option: Vanilla,
    left: f64,
    variance: Option<(f64, f64, usize)>,
) -> PriceTable {
    let Market { rate, dividend, .. } = *market;
    let model = market.model;
    let high = model.greatest_usual_variance();
    let start = ((market.spot / option.strike).ln() + (rate - dividend) * left).abs();
    let reach = start + DEVIATIONS * (high * contract.expiry).sqrt();
    let range = PriceRange {
        reach: reach.max(LEAST_REACH),
        scale: 0.2 * (high * left).sqrt(),
        variance,
    };
    let terms = (left, rate, dividend);
    let calls = |variance: f64, x: &[f64]| model.calls(left, variance, x);
    PriceTable::new(option.kind, option.strike, terms, range, calls)
}

#[cfg(test)]
#[path = "quotes_tests.rs"]
mod tests;
