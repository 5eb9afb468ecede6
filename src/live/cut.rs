//! The contracts of a book on the history up to today.

use super::book::Entry;
use super::desk::{Desk, KnownMarket, Today};
use crate::backtest::{self, Calendar, Contracts, Sale};
use crate::contract::Instrument;
use crate::error::{Error, Result};
use crate::market::History;
use crate::market::estimation::MIN_RETURNS;
use crate::market::history::{Frequency, Spacing};
use crate::strategy::{BacktestPlan, DayCount, Plan, Strike, Term, TermUnit};
use chrono::{Datelike, NaiveDate, Weekday};
use std::collections::HashMap;
use std::sync::Arc;

/// Contracts of a book on history.
pub struct Cut {
    /// The prices up to today.
    pub today: Arc<Today>,
    /// What was known before they were sold.
    pub known: Arc<KnownMarket>,
    /// The strategy, in the market that is known; where terms of its contract lie in ranges, its family has the contracts too.
    pub plan: Plan,
    /// The terms of the contract that lie in ranges.
    pub terms: Vec<Term>,
    /// Their values of every contract, as the strategy counts.
    pub counted: Vec<Vec<f64>>,
    /// The contracts in the order in which they were given, on dates of which those after today have what was seen today.
    pub contracts: Contracts,
    /// The days on which the options expire that hedge each contract, `[contracts][instruments]`; none of what is no option.
    expiries: Vec<Vec<Option<NaiveDate>>>,
}

impl Cut {
    /// The contracts that `entries` say and that the policies of `window` hedge, or those of the run.
    ///
    /// Parameters are those that were known before the window began to sell. Where there are no windows, they are those of the returns
    /// before the strategy's first sale or, where the history does not reach back so far or a contract was sold before, of those before
    /// the oldest sale. Nothing that is known of a day after today is used: after it the usual weekdays follow, on which nothing moves.
    ///
    /// # Errors
    /// Those of the calendar and of the calibration; [`Error::Input`] for a contract that was sold on no day of the history.
    pub fn new(
        desk: &Desk,
        today: &Arc<Today>,
        window: Option<usize>,
        entries: &[&Entry],
    ) -> Result<Self> {
        let plan = desk.plan();
        let calendar = today.calendar(plan)?;
        let settings = &today.settings;
        let places = entries.iter().map(|entry| sale(today, entry));
        let places = places.collect::<Result<Vec<usize>>>()?;
        let oldest = places.iter().copied().min().unwrap_or(0);
        let until = match window {
            // A window has closes of its own.
            Some(_) => 0,
            None => match first_sale(&today.further[0], &calendar, settings) {
                Some(sale) if sale > MIN_RETURNS && sale <= oldest => sale,
                Some(_) | None => oldest,
            },
        };
        let known = desk.known(today, &calendar, (window, 0..until))?;
        let terms = known.plan.terms();
        let sold = entries.iter().zip(&places);
        let counted =
            sold.map(|(entry, &close)| counted(&known.plan, today, &terms, (entry, close)));
        let counted = counted.collect::<Result<Vec<_>>>()?;
        let (plan, members) = of_family(&known.plan, today, entries, &counted)?;
        let sale = |(place, &close): (usize, &usize)| Sale {
            close,
            strike: entries[place].strike,
            member: members.get(place).copied(),
        };
        let sales: Vec<Sale> = places.iter().enumerate().map(sale).collect();
        let contracts = Contracts::sold_for_nothing(
            &today.further,
            &plan,
            settings,
            &calendar,
            &known.calibration,
            &sales,
        )?;
        if contracts.sold.len() != entries.len() {
            return Err(Error::Computation(
                "a contract of the book has no life on its history".into(),
            ));
        }
        let mut expiries = vec![Vec::new(); entries.len()];
        for group in &contracts.groups {
            for (&member, closes) in group.members.iter().zip(&group.closes) {
                let instruments = group.plan.instruments.iter();
                let expiry = instruments.map(|(instrument, _)| match instrument {
                    Instrument::Option(option) => calendar.day_after(closes[0], option.expiry),
                    Instrument::Spot(_) | Instrument::VarianceSwap(_) => None,
                });
                expiries[member] = expiry.collect();
            }
        }
        Ok(Self {
            today: Arc::clone(today),
            known,
            plan,
            terms,
            counted,
            contracts,
            expiries,
        })
    }

    /// The day on which the option expires that is instrument `instrument` of contract `index`.
    ///
    /// # Panics
    /// If that is no option.
    pub fn option_expiry(&self, index: usize, instrument: usize) -> NaiveDate {
        self.expiries[index][instrument].expect("closes go on to the expiry of every option")
    }

    /// The closes up to today.
    pub fn history(&self) -> &History {
        &self.today.history
    }

    /// What must be known of the prices since the oldest sale, and of the days that are still to come.
    pub fn warnings(&self, plan: &Plan) -> Vec<String> {
        let (history, today) = (self.history(), self.today.day());
        let oldest = self.contracts.sold.iter().min();
        let oldest = oldest.map_or(0, |day| history.index_from(*day));
        let mut warnings = gaps(&history.dates[oldest..]);
        if self.contracts.expiry.iter().any(|expiry| *expiry > today)
            && plan.tenor.count == DayCount::Calendar
        {
            warnings.push(format!(
                "every usual weekday after {today} is taken for a hedging date: holidays until expiry are not known"
            ));
        }
        warnings.extend(self.known.warning.clone());
        warnings
    }
}

/// How much less than the spot at the sale a strike may be, and by one over it how much more.
const LEAST_STRIKE: f64 = 0.001;

/// The values of `terms` of a contract that was sold at a close, as the strategy counts: history is scaled so that the strike is the
/// strategy's or, where that lies in a range, the spot at the sale.
///
/// # Errors
/// [`Error::Input`] for money beside a strike that is not known.
fn counted(
    plan: &Plan,
    today: &Today,
    terms: &[Term],
    (entry, close): (&Entry, usize),
) -> Result<Vec<f64>> {
    let (contract, history) = (&plan.contract, &today.further[0]);
    let scale = match (entry.strike, plan.strike) {
        (Some(own), _) => Some(contract.strike / own),
        (None, Strike::Moneyness) => Some(plan.market.spot / history.close[close]),
        (None, Strike::Delta { .. }) => None,
    };
    let mut life = contract.steps as f64;
    for (term, value) in terms.iter().zip(&entry.terms) {
        if term.unit == TermUnit::Days {
            life = (value / plan.tenor.days * life).round();
        }
    }
    // Where spots are forwards for the longest expiry, money of an earlier one is worth more by then.
    let later = contract.steps.saturating_sub(life as usize);
    let growth = history.growth(close, (contract.dt(), later));
    let count = |(term, value): (&Term, &f64)| {
        let money = scale.map(|scale| value * scale * growth);
        match term.unit {
            TermUnit::Days | TermUnit::Number => Some(*value),
            TermUnit::Money => money,
            TermUnit::Spots => money.map(|money| money / plan.market.spot),
        }
    };
    let all = terms.iter().zip(&entry.terms).map(count);
    all.collect::<Option<Vec<f64>>>().ok_or_else(|| {
        Error::input(format!(
            "{}: {} of the book must have its strike: that of the strategy follows a delta, and other terms are money beside it",
            today.settings.files(),
            entry.place
        ))
    })
}

/// The plan with the contracts of `entries` as its family, and the number of each there; none where it has no family.
///
/// # Errors
/// [`Error::Input`] for terms that no contract may have.
fn of_family(
    plan: &Plan,
    today: &Today,
    entries: &[&Entry],
    counted: &[Vec<f64>],
) -> Result<(Plan, Vec<usize>)> {
    if plan.contract.family().is_none() {
        return Ok((plan.clone(), Vec::new()));
    }
    // Contracts with the same terms are one.
    let mut places: HashMap<Vec<u64>, usize> = HashMap::new();
    let mut different: Vec<Vec<f64>> = Vec::new();
    let mut firsts = Vec::new();
    let number = |(entry, values): (usize, &Vec<f64>)| {
        let bits = values.iter().map(|value| value.to_bits()).collect();
        *places.entry(bits).or_insert_with(|| {
            different.push(values.clone());
            firsts.push(entry);
            different.len() - 1
        })
    };
    let numbers: Vec<usize> = counted.iter().enumerate().map(number).collect();
    let with = plan.with_contracts(&different, |place, error| {
        let row = &entries[firsts[place]].place;
        Error::input(format!(
            "{}: {row} of the book: {error}",
            today.settings.files()
        ))
    });
    Ok((with?, numbers))
}

/// The place of the close at which a contract was sold.
fn sale(today: &Today, entry: &Entry) -> Result<usize> {
    let history = &today.history;
    let Entry {
        place: row, sold, ..
    } = entry;
    let (first, last) = (history.dates[0], history.dates[history.len() - 1]);
    let far = |place: usize, strike: f64| {
        let share = strike / history.close[place];
        !(LEAST_STRIKE..=1.0 / LEAST_STRIKE).contains(&share)
    };
    let why = match history.dates.binary_search(sold) {
        Ok(place) => match entry.strike.filter(|strike| far(place, *strike)) {
            None => return Ok(place),
            Some(strike) => format!(
                "its strike of {strike:e} must be within {LEAST_STRIKE} and {} times the close of {}",
                1.0 / LEAST_STRIKE,
                history.close[place]
            ),
        },
        Err(_) if *sold < first => format!("the prices begin on {first}"),
        Err(_) if *sold > last => format!("the prices end on {last}"),
        Err(_) => "that day has no close".to_owned(),
    };
    Err(Error::input(format!(
        "{}: {row} of the book was sold on {sold}: {why}",
        today.settings.files()
    )))
}

/// The first sale of the strategy's schedule, from its first date of sale on; none if the strategy says no date.
fn first_sale(
    history: &History,
    calendar: &Calendar<'_>,
    settings: &BacktestPlan,
) -> Option<usize> {
    settings.start?;
    let period = backtest::period(history, settings);
    let sales = backtest::sales(history, calendar, settings, period).ok()?;
    sales.first().copied()
}

/// Usual weekdays without a close that a warning says something of: fewer are holidays, as a rule.
const MISSING: usize = 3;

/// Stretches without closes among days, in words.
fn gaps(days: &[NaiveDate]) -> Vec<String> {
    let weekend = |day: &NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let daily = Frequency::of(days).spacing == Spacing::Daily;
    let pairs = days.windows(2).filter_map(|pair| {
        let between = pair[0].iter_days().skip(1).take_while(|day| *day < pair[1]);
        let missing = between.filter(|day| !weekend(day)).count();
        let (from, to) = (pair[0], pair[1]);
        (daily && missing >= MISSING).then(|| {
            format!(
                "no close on {missing} weekdays between {from} and {to}: what was held is held on, and no hedging date is counted"
            )
        })
    });
    pairs.collect()
}
