//! From quotes to a surface for every day.

use super::calendar::{Calendar, TradingDays};
use super::chain::{OptionQuote, number_of, slices};
use super::cleaning::{Cleaning, Rule, Tally};
use super::fit::{self, Arbitrage, Fitted, Residuals, SurfaceFit};
use super::parity::{self, Forward, Line};
use super::points::{Before, Expiry, points};
use super::reading::{ChainFile, Chains};
use super::spreads::HalfSpreads;
use crate::error::Result;
use crate::market::VolatilityUnit;
use crate::numbers::median;
use chrono::{Datelike, Days, NaiveDate, Weekday};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// What is done with quotes.
#[derive(Debug, Clone, Default)]
pub struct QuoteSettings {
    /// The rules by which quotes are dropped.
    pub cleaning: Cleaning,
    /// Which days are trading days.
    pub calendar: Calendar,
    /// What is fitted.
    pub fit: SurfaceFit,
}

/// A day and its surface.
#[derive(Debug, Clone)]
pub struct DaySurface {
    /// The day.
    pub date: NaiveDate,
    /// The spot, by the files or, where they have none, by the forwards.
    pub close: Option<f64>,
    /// The rate of a month, continuously compounded, by parity or the files.
    pub rate: Option<f64>,
    /// The dividend yield of a month, continuously compounded.
    pub dividend: Option<f64>,
    /// Its expiries that are kept.
    pub expiries: Vec<Expiry>,
    /// Points that are fitted.
    pub points: usize,
    /// What was fitted, or why nothing, in words.
    pub fitted: Result<Fitted, String>,
    /// What the fit leaves.
    pub residuals: Option<Residuals>,
    /// Arbitrage in the fitted surface.
    pub arbitrage: Arbitrage,
    /// Quotes dropped on the day by rule.
    pub dropped: Tally,
}

/// What is understood of files of option chains.
#[derive(Debug, Clone)]
pub struct ChainReport {
    /// The files.
    pub files: Vec<ChainFile>,
    /// The underlying, if the files name it.
    pub underlying: Option<String>,
    /// The roots of symbols.
    pub roots: Vec<String>,
    /// The rules.
    pub settings: QuoteSettings,
    /// Whether the files have prices.
    pub priced: bool,
    /// Days whose spot the forwards say.
    pub spots_by_forwards: usize,
    /// The days in their order.
    pub days: Vec<DaySurface>,
    /// Options that were read.
    pub read: usize,
    /// Different days of expiry.
    pub expiries: usize,
    /// Different strikes, the lowest and the highest.
    pub strikes: (usize, f64, f64),
    /// Options that were dropped by rule.
    pub dropped: Tally,
    /// Options in the money, which are kept for parity and not fitted.
    pub in_the_money: usize,
    /// What all fits leave.
    pub residuals: Residuals,
    /// The unit of the files' own implied volatilities and the middle difference from them, in volatility points of calendar years.
    pub stated: Option<(VolatilityUnit, f64)>,
    /// Half-spreads of the points.
    pub spreads: HalfSpreads,
}

/// A day on the way to its surface.
struct Prepared {
    date: NaiveDate,
    quotes: Vec<OptionQuote>,
    spot: Option<f64>,
    by_forwards: bool,
    expiries: Vec<Expiry>,
    dropped: Tally,
    days_of_expiry: BTreeSet<i32>,
    strikes: Vec<u64>,
}

/// A day and what else it adds to the whole.
struct Done {
    day: DaySurface,
    in_the_money: usize,
    spreads: HalfSpreads,
    differences: Vec<f32>,
}

/// Why a day without forwards has no surface.
const NO_FORWARD: &str = "no expiry has a forward: that takes calls and puts of three strikes, or a column of spots and one of rates (--columns rate=COLUMN)";

/// The part of a day between the opening, at which some options are settled, and the close.
const SESSION: f64 = 6.5 / 24.0;

/// The years after the last quote until which holidays are known.
const HORIZON: u64 = 30;

impl ChainReport {
    /// Cleans the quotes, finds forwards by parity, implied volatilities and the surface of every day.
    ///
    /// # Errors
    /// [`crate::Error::Input`] for bounds of rules that are none.
    pub fn of(chains: Chains, settings: &QuoteSettings) -> Result<Self> {
        settings.cleaning.check()?;
        let Chains {
            files,
            days,
            roots,
            underlying,
            read,
            blank,
            intraday,
            priced,
            volatility_unit,
        } = chains;
        let (first, last) = match (days.keys().next(), days.keys().next_back()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (NaiveDate::MIN, NaiveDate::MIN),
        };
        let horizon = last + Days::new(366 * HORIZON);
        let calendar = TradingDays::new(settings.calendar, first, horizon);
        let mut prepared: Vec<Prepared> = Vec::with_capacity(days.len());
        let days: Vec<(NaiveDate, Vec<OptionQuote>)> = days.into_iter().collect();
        days.into_par_iter()
            .map(|(date, quotes)| Prepared::of(date, quotes, priced, settings, &calendar))
            .collect_into_vec(&mut prepared);
        let done: Vec<Done> = (0..prepared.len())
            .into_par_iter()
            .map(|at| {
                let before = at.checked_sub(1).map(|at| &prepared[at]);
                prepared[at].surface(before, (priced, volatility_unit), settings)
            })
            .collect();
        let mut strikes: BTreeSet<u64> = BTreeSet::new();
        let mut days_of_expiry: BTreeSet<i32> = BTreeSet::new();
        for one in &prepared {
            strikes.extend(&one.strikes);
            days_of_expiry.extend(&one.days_of_expiry);
        }
        let spots_by_forwards = prepared.iter().filter(|day| day.by_forwards).count();
        drop(prepared);
        let mut dropped = Tally::default();
        dropped.add(Rule::Blank, blank);
        dropped.add(Rule::Intraday, intraday);
        let mut residuals = Residuals::default();
        let (mut spreads, mut differences) = (HalfSpreads::default(), Vec::new());
        let (mut in_the_money, mut days) = (0, Vec::new());
        for one in done {
            dropped.and(&one.day.dropped);
            in_the_money += one.in_the_money;
            residuals.and(one.day.residuals);
            spreads.and(one.spreads);
            differences.extend(one.differences.iter().map(|one| f64::from(*one)));
            days.push(one.day);
        }
        let bound = |bits: Option<&u64>| bits.map_or(f64::NAN, |bits| f64::from_bits(*bits));
        Ok(Self {
            files,
            underlying,
            roots,
            settings: settings.clone(),
            priced,
            spots_by_forwards,
            days,
            read,
            expiries: days_of_expiry.len(),
            strikes: (strikes.len(), bound(strikes.first()), bound(strikes.last())),
            dropped,
            in_the_money,
            residuals,
            stated: volatility_unit
                .filter(|_| priced)
                .and_then(|unit| Some((unit, 100.0 * median(differences)?))),
            spreads,
        })
    }

    /// Options that no rule drops.
    pub fn kept(&self) -> usize {
        self.read - self.dropped.total()
    }

    /// Days that have a surface.
    pub fn fitted(&self) -> impl Iterator<Item = (&DaySurface, &Fitted)> {
        let days = self.days.iter();
        days.filter_map(|day| Some((day, day.fitted.as_ref().ok()?)))
    }

    /// Days that have none, and why.
    pub fn unfitted(&self) -> impl Iterator<Item = (NaiveDate, &str)> {
        let days = self.days.iter();
        days.filter_map(|day| Some((day.date, day.fitted.as_ref().err()?.as_str())))
    }

    /// The days whose fits leave most, the worst first.
    pub fn worst(&self, count: usize) -> Vec<(NaiveDate, Residuals)> {
        let days = self.days.iter();
        let mut days: Vec<(NaiveDate, Residuals)> = days
            .filter_map(|day| Some((day.date, day.residuals?)))
            .collect();
        days.sort_by(|a, b| {
            let size = |of: &Residuals| of.root_mean_square();
            size(&b.1).total_cmp(&size(&a.1))
        });
        days.truncate(count);
        days
    }
}

impl Prepared {
    fn of(
        date: NaiveDate,
        mut quotes: Vec<OptionQuote>,
        priced: bool,
        settings: &QuoteSettings,
        calendar: &TradingDays,
    ) -> Self {
        let cleaning = &settings.cleaning;
        let mut dropped = Tally::default();
        let days_of_expiry: BTreeSet<i32> = quotes.iter().map(|quote| quote.expiry).collect();
        let mut strikes: Vec<u64> = quotes.iter().map(|quote| quote.strike.to_bits()).collect();
        strikes.sort_unstable();
        strikes.dedup();
        cleaning.by_row(&mut quotes, number_of(date), priced, &mut dropped);
        let years = |quote: &OptionQuote| calendar.years(date, quote.slice().date(), quote.morning);
        let days = |quote: &OptionQuote| super::calendar::DAYS_PER_YEAR * years(quote);
        cleaning.by_days(&mut quotes, |quote| days(quote).round(), &mut dropped);
        let spots = quotes.iter().map(|quote| quote.spot);
        let stated = median(spots.filter(|spot| spot.is_finite()));
        let mut expiries: Vec<Expiry> = slices(&quotes)
            .map(|slice| {
                let expiry = slice[0].slice().date();
                // Until 2015 monthly options had a Saturday as their day and settled on the Friday before.
                let saturday = f64::from(u8::from(expiry.weekday() == Weekday::Sat));
                let calendar_days = (expiry - date).num_days() as f64 - saturday;
                let session = if slice[0].morning { SESSION } else { 0.0 };
                Expiry {
                    key: slice[0].slice(),
                    years: years(&slice[0]),
                    calendar_years: (calendar_days - session) / 365.0,
                    forward: None,
                }
            })
            .collect();
        let lines: Vec<Option<Line>> = slices(&quotes)
            .zip(&expiries)
            .map(|(slice, expiry)| match priced {
                true => Line::of(slice, expiry.calendar_years),
                false => None,
            })
            .collect();
        for (expiry, forward) in expiries.iter_mut().zip(parity::forwards(&lines)) {
            expiry.forward = forward;
        }
        let known = known(&expiries);
        let spot = stated.or_else(|| parity::spot(&known));
        if let Some(spot) = spot {
            for (slice, expiry) in slices(&quotes).zip(&mut expiries) {
                let (rate, dividend) = (f64::from(slice[0].rate), f64::from(slice[0].dividend));
                // Volatilities without a rate beside them are read on the spot.
                let rate = if rate.is_nan() && !priced { 0.0 } else { rate };
                let years = expiry.calendar_years;
                let borrowed = || parity::borrowed(&known, spot, years, (rate, dividend));
                expiry.forward = expiry.forward.or_else(borrowed);
            }
        }
        Self {
            date,
            quotes,
            spot,
            by_forwards: stated.is_none() && spot.is_some(),
            expiries,
            dropped,
            days_of_expiry,
            strikes,
        }
    }

    fn surface(
        &self,
        before: Option<&Self>,
        (priced, unit): (bool, Option<VolatilityUnit>),
        settings: &QuoteSettings,
    ) -> Done {
        let mut dropped = self.dropped.clone();
        let before = before.and_then(|before| {
            Some(Before {
                quotes: &before.quotes,
                moved: self.spot? - before.spot?,
            })
        });
        let (points, in_the_money) = points(
            &self.quotes,
            &self.expiries,
            before,
            unit,
            (&settings.cleaning, priced),
            &mut dropped,
        );
        let mut residuals = None;
        let fitted = match self.spot {
            _ if self.quotes.is_empty() => Err("no quotes are left".to_owned()),
            None => Err(NO_FORWARD.to_owned()),
            Some(_) if self.expiries.iter().all(|expiry| expiry.forward.is_none()) => {
                Err(NO_FORWARD.to_owned())
            }
            Some(spot) => {
                let fit = match settings.fit {
                    SurfaceFit::Factors => fit::factors(&points)
                        .map(|(factors, left)| (Fitted::Factors(factors), left)),
                    SurfaceFit::Svi => fit::svi(&points, &self.expiries, (self.date, spot))
                        .map(|(slices, left)| (Fitted::Svi(slices), left)),
                };
                fit.map(|(fitted, left)| {
                    residuals = Some(left);
                    fitted
                })
            }
        };
        let arbitrage = fitted.as_ref().map_or(Arbitrage::default(), |fitted| {
            fit::arbitrage(fitted, &points, &self.expiries)
        });
        let mut spreads = HalfSpreads::default();
        if let Some(spot) = self.spot {
            spreads.add(&points, spot);
        }
        let difference = |point: &super::points::Point| {
            let expiry = &self.expiries[point.expiry];
            let own = point.volatility * (point.years / expiry.calendar_years).sqrt();
            (own - point.stated).abs() as f32
        };
        let differences = points.iter().map(difference);
        let month = self.month();
        let carry = |(years, forward): (f64, Forward)| {
            Some(forward.rate - (forward.forward / self.spot?).ln() / years)
        };
        Done {
            day: DaySurface {
                date: self.date,
                close: self.spot,
                rate: month.map(|(_, forward)| forward.rate),
                dividend: month.and_then(carry),
                expiries: self.expiries.clone(),
                points: points.len(),
                fitted,
                residuals,
                arbitrage,
                dropped,
            },
            in_the_money,
            spreads,
            differences: differences.filter(|one| one.is_finite()).collect(),
        }
    }

    /// The forward of a month, or of the expiry that is nearest to it.
    fn month(&self) -> Option<(f64, Forward)> {
        const MONTH: f64 = 30.0 / 365.0;
        let mut known = known(&self.expiries);
        if known.is_empty() {
            let all = self.expiries.iter();
            known = all
                .filter_map(|e| Some((e.calendar_years, e.forward?)))
                .collect();
        }
        let distance = |of: &(f64, Forward)| (of.0 - MONTH).abs();
        let near = known
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)));
        near.copied()
    }
}

/// Forwards that an expiry's own prices say, by time; of two at the same time the one with more pairs.
fn known(expiries: &[Expiry]) -> Vec<(f64, Forward)> {
    let own = expiries.iter().filter_map(|expiry| {
        let forward = expiry.forward.filter(|forward| forward.pairs > 0)?;
        Some((expiry.calendar_years, forward))
    });
    let mut known: Vec<(f64, Forward)> = own.collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    known.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same && later.1.pairs > kept.1.pairs {
            *kept = *later;
        }
        same
    });
    known
}
