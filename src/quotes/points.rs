//! From a day's quotes to points of its surface: implied volatilities of the options out of the money.

use super::chain::{OptionQuote, SliceKey, slices};
use super::cleaning::{Cleaning, Rule, Tally};
use super::parity::Forward;
use crate::contract::OptionKind;
use crate::market::VolatilityUnit;
use crate::market::volatility_unit::GREATEST;
use crate::pricing::{BlackScholes, SurfaceFactors};

/// What the options of one expiry share on a day.
#[derive(Debug, Clone, Copy)]
pub struct Expiry {
    /// The expiry.
    pub key: SliceKey,
    /// Years of trading days, in which volatilities are annualised.
    pub years: f64,
    /// Years of 365 days, by which rates discount.
    pub calendar_years: f64,
    /// Its forward, if there is one.
    pub forward: Option<Forward>,
}

/// One option out of the money.
///
/// # Units
/// Volatilities as fractions per year of trading days, prices in the currency of the underlying.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// The place of its expiry among those of the day.
    pub expiry: usize,
    /// The strike.
    pub strike: f64,
    /// ln(F/K)
    pub log_moneyness: f64,
    /// Years of trading days to its expiry.
    pub years: f64,
    /// The volatility that gives the price half-way between bid and ask.
    pub volatility: f64,
    /// Half of the spread over the option's vega: half of the spread in volatility.
    pub half_spread_volatility: f64,
    /// Half of the spread; NaN where the file has no prices.
    pub half_spread: f64,
    /// The price half-way.
    pub mid: f64,
    /// The volatility that the file itself says, per year of 365 days; NaN if none.
    pub stated: f64,
}

/// The quotes of the day before, and how far the spot has moved since.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// Its quotes, sorted.
    pub quotes: &'a [OptionQuote],
    /// The spot now less the spot then.
    pub moved: f64,
}

/// The points of a day's sorted `quotes`, of which `expiries` are the expiries in their order, and how many options are in the money: of the
/// two of a strike the one out of the money tells the volatility, as its price has no other part.
///
/// # Panics
/// If there are fewer expiries than the quotes have.
pub fn points(
    quotes: &[OptionQuote],
    expiries: &[Expiry],
    before: Option<Before<'_>>,
    unit: Option<VolatilityUnit>,
    (cleaning, priced): (&Cleaning, bool),
    dropped: &mut Tally,
) -> (Vec<Point>, usize) {
    let mut points = Vec::with_capacity(quotes.len() / 2);
    let mut inside = 0;
    let stated = |quote: &OptionQuote| {
        unit.map_or(f64::NAN, |unit| unit.fraction(f64::from(quote.volatility)))
    };
    let mut earlier = before.map_or(&[][..], |before| before.quotes);
    for (place, (slice, expiry)) in slices(quotes).zip(expiries).enumerate() {
        let Some(forward) = expiry.forward else {
            dropped.add(Rule::NoForward, slice.len());
            continue;
        };
        for quote in slice {
            let log_moneyness = (forward.forward / quote.strike).ln();
            // At the money forward the call stands for both.
            let outside = match quote.kind {
                OptionKind::Call => log_moneyness <= 0.0,
                OptionKind::Put => log_moneyness > 0.0,
            };
            let option = at(quote, expiry, &forward);
            if priced && cleaning.keeps(Rule::Bounds) && !within_bounds(quote, &option) {
                dropped.add(Rule::Bounds, 1);
                continue;
            }
            if !outside {
                inside += 1;
                continue;
            }
            let volatility = match priced {
                true => option.implied_volatility(quote.mid()).unwrap_or(f64::NAN),
                false => stated(quote) * (expiry.calendar_years / expiry.years).sqrt(),
            };
            if !(SurfaceFactors::FLOOR..=GREATEST).contains(&volatility) {
                dropped.add(Rule::NoVolatility, 1);
                continue;
            }
            let option = BlackScholes {
                volatility,
                ..option
            };
            if let (Some(before), true) = (before, priced && cleaning.keeps(Rule::Stale)) {
                while earlier.first().is_some_and(|old| old.order(quote).is_lt()) {
                    earlier = &earlier[1..];
                }
                let same = earlier.first().filter(|old| old.order(quote).is_eq());
                let worth = (option.delta() * before.moved).abs();
                if worth > 2.0 * quote.half_spread()
                    && same.is_some_and(|old| old.is_unchanged(quote))
                {
                    dropped.add(Rule::Stale, 1);
                    continue;
                }
            }
            points.push(Point {
                expiry: place,
                strike: quote.strike,
                log_moneyness,
                years: expiry.years,
                volatility,
                half_spread_volatility: quote.half_spread() / option.vega(),
                half_spread: quote.half_spread(),
                mid: quote.mid(),
                stated: stated(quote),
            });
        }
    }
    (points, inside)
}

/// The option on the forward, so that its price needs no dividends.
fn at(quote: &OptionQuote, expiry: &Expiry, forward: &Forward) -> BlackScholes {
    let rate = -forward.discount.ln() / expiry.years;
    BlackScholes {
        kind: quote.kind,
        spot: forward.forward,
        strike: quote.strike,
        expiry: expiry.years,
        rate,
        dividend: rate,
        volatility: f64::NAN,
    }
}

/// Whether some price from bid to ask lies between what the option is worth at no volatility and at an infinite one.
fn within_bounds(quote: &OptionQuote, option: &BlackScholes) -> bool {
    let discount = (-option.rate * option.expiry).exp();
    let least = discount * quote.kind.payoff(option.spot, option.strike);
    let most = discount
        * match quote.kind {
            OptionKind::Call => option.spot,
            OptionKind::Put => option.strike,
        };
    // Parity is fitted: what it leaves is no arbitrage.
    let rounding = 1e-9 * option.spot;
    quote.ask >= least - rounding && quote.bid.max(0.0) <= most + rounding
}
