//! The contracts of a book on the history up to today.

use super::book::Entry;
use crate::backtest::{self, Calendar, Contracts, JointCalibration, Sale};
use crate::error::{Error, Result};
use crate::market::History;
use crate::market::estimation::MIN_RETURNS;
use crate::market::history::{Frequency, Spacing};
use crate::strategy::{BacktestPlan, DayCount, Plan, TuneOn};
use chrono::{Datelike, NaiveDate, Weekday};

/// A book on history.
pub struct Cut {
    /// The prices up to today.
    pub history: History,
    /// The contracts of the book in its order, on dates of which those after today have what was seen today.
    pub contracts: Contracts,
    /// What must be known of the prices.
    pub warnings: Vec<String>,
}

impl Cut {
    /// The contracts that `book` says on the history of `settings` up to the day `date`, or to its end.
    ///
    /// Parameters are those of the returns before the strategy's first sale or, where the history does not reach back so far or a
    /// contract was sold before, of those before the oldest sale. Nothing that is known of a day after today is used: after it the
    /// usual weekdays follow, on which nothing moves.
    ///
    /// # Errors
    /// Those of reading the history, of the calendar and of the calibration; [`Error::Input`] for a contract that was sold on no day of
    /// the history.
    pub fn new(
        plan: &Plan,
        settings: &BacktestPlan,
        book: &[Entry],
        date: Option<NaiveDate>,
    ) -> Result<Self> {
        let mut histories = backtest::load(plan, settings)?;
        let mut warnings = histories[0].warnings.clone();
        if let Some(date) = date {
            let first = histories[0].dates[0];
            if date < first {
                return Err(Error::input(format!(
                    "--date {date}: the prices begin on {first}"
                )));
            }
            let before = histories.into_iter().map(|one| one.up_to(date));
            histories = before.collect();
            let last = histories[0].dates[histories[0].len() - 1];
            if last != date {
                warnings.push(format!("{date} has no close: today is {last}"));
            }
        }
        histories[0].require_days()?;
        let history = histories[0].clone();
        let today = history.dates[history.len() - 1];
        let places = book.iter().map(|entry| place(&history, settings, entry));
        let places = places.collect::<Result<Vec<usize>>>()?;
        let oldest = places.iter().copied().min().unwrap_or(0);
        let mut settings = settings.clone();
        // How often there is a close is said by the days that were, not by those that follow.
        let found = history.frequency().observations_per_year;
        settings.days_per_year = settings.days_per_year.or(Some(found));
        // What no calendar allows is refused before it is continued.
        Calendar::new(&history, plan, &settings)?;
        let days = plan.tenor.days as usize;
        if days > LONGEST {
            return Err(Error::input(format!(
                "`contract.expiry_days`: prices are continued for at most {LONGEST} days, was {days}"
            )));
        }
        let further = histories.iter().map(|one| one.clone().continued(days + 1));
        let further: Vec<History> = further.collect();
        let calendar = Calendar::new(&further[0], plan, &settings)?;
        let first_sale = first_sale(&further[0], &calendar, &settings);
        let known = match first_sale {
            Some(sale) if sale > MIN_RETURNS && sale <= oldest => sale,
            Some(_) | None => oldest,
        };
        let calibration = JointCalibration::new(&further, plan, &settings, &calendar, 0..known)?;
        let sales: Vec<Sale> = places
            .iter()
            .zip(book)
            .map(|(&close, entry)| Sale {
                close,
                strike: entry.strike,
            })
            .collect();
        let contracts = Contracts::sold_for_nothing(
            &further,
            plan,
            &settings,
            &calendar,
            &calibration,
            &sales,
        )?;
        // The past is asked for where hedges are fitted on it.
        let contracts = match plan.tune_on {
            TuneOn::Model => contracts,
            TuneOn::Past => contracts.after(plan, || {
                let known = 0..known;
                backtest::past(&further, plan, &settings, &calendar, &calibration, known)
            })?,
        };
        if contracts.sold.len() != book.len() {
            return Err(Error::Computation(
                "a contract of the book has no life on its history".into(),
            ));
        }
        warnings.extend(gaps(&history.dates[oldest..]));
        if contracts.expiry.iter().any(|expiry| *expiry > today)
            && plan.tenor.count == DayCount::Calendar
        {
            warnings.push(format!(
                "every usual weekday after {today} is taken for a hedging date: holidays until expiry are not known"
            ));
        }
        Ok(Self {
            history,
            contracts,
            warnings,
        })
    }

    /// Today.
    pub fn today(&self) -> NaiveDate {
        self.history.dates[self.history.len() - 1]
    }
}

/// The longest life of a contract, in days.
const LONGEST: usize = 100_000;

/// How much less than the spot at the sale a strike may be, and by one over it how much more.
const LEAST_STRIKE: f64 = 0.001;

/// The place of the close at which a contract was sold.
fn place(history: &History, settings: &BacktestPlan, entry: &Entry) -> Result<usize> {
    let Entry { row, sold, .. } = entry;
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
        "{}: row {row} of the book was sold on {sold}: {why}",
        settings.files()
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
