//! Days, closes and years of contracts on history.

use super::{Calendar, Contracts, Settled};
use crate::market::History;
use crate::market::history::fixture::{Scratch, closes};
use crate::strategy::Plan;
use chrono::{Datelike, NaiveDate, Weekday};
use std::fmt::Write;

/// Closes on `count` days that are `kept`, from 2001-01-01 on, and a plan of contracts with `terms` on them.
fn on(
    name: &str,
    count: usize,
    kept: fn(NaiveDate) -> bool,
    terms: &str,
    more: &str,
) -> (Scratch, String) {
    let scratch = Scratch::new(name);
    let path = scratch.0.join("closes.csv");
    let first = NaiveDate::from_ymd_opt(2001, 1, 1).unwrap();
    let dates = first.iter_days().filter(|day| kept(*day)).take(count);
    let mut text = "Date,Close\n".to_string();
    for (date, close) in dates.zip(closes(count as u32)) {
        writeln!(text, "{date},{close}").unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let strategy = format!(
        "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\n{terms}\n[backtest]\ndata = '{}'\n\
         start = \"2002-06-01\"\n{more}",
        path.display()
    );
    (scratch, strategy)
}

fn weekday(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn cut(strategy: &str) -> crate::Result<(Plan, Contracts)> {
    let plan = Plan::parse(strategy, |_| {})?;
    let contracts = Contracts::cut(&plan, plan.backtest.as_ref().unwrap())?;
    Ok((plan, contracts))
}

/// Twenty trading days hedged four times are twenty closes, at every fifth of which the hedge may change: the same
/// contracts at the same premiums as hedged daily, and the same estimate of volatility.
#[test]
fn fewer_steps_are_fewer_hedges_of_the_same_contract() {
    let terms = |steps: usize| format!("expiry_days = 20\nsteps = {steps}");
    let (_daily, daily) = on("life-daily", 900, weekday, &terms(20), "");
    let (_weekly, weekly) = on("life-weekly", 900, weekday, &terms(4), "");
    let ((_, daily), (plan, weekly)) = (cut(&daily).unwrap(), cut(&weekly).unwrap());
    assert_eq!(daily.market, weekly.market);
    assert_eq!(daily.premiums, weekly.premiums);
    assert_eq!((&daily.sold, &daily.expiry), (&weekly.sold, &weekly.expiry));
    assert_eq!((plan.contract.steps, plan.tenor.years()), (4, 20.0 / 252.0));
    let (all, fifth) = (&daily.groups[0], &weekly.groups[0]);
    for i in 0..daily.sold.len() {
        let every_fifth: Vec<f64> = all.paths.path(i).0.into_iter().step_by(5).collect();
        assert_eq!(fifth.paths.path(i).0, every_fifth);
    }
    assert_eq!((daily.overlap, weekly.overlap), (1.0, 1.0));
}

/// A contract of 30 calendar days expires on the close at or before the thirtieth, its premium is Black–Scholes' for the
/// days that it lives over 365, and it is hedged at every close.
#[test]
fn calendar_days_follow_the_dates() {
    let terms = "expiry_days = 30\ndays = \"calendar\"";
    let (_scratch, strategy) = on("life-calendar", 900, weekday, terms, "spacing = \"daily\"");
    let (plan, contracts) = cut(&strategy).unwrap();
    // Weekdays without holidays.
    assert_eq!(contracts.frequency.observations_per_year, 261.0);
    let mut lengths = Vec::new();
    for group in &contracts.groups {
        for (closes, &member) in group.closes.iter().zip(&group.members) {
            let (sold, expiry) = (contracts.sold[member], contracts.expiry[member]);
            let days = (expiry - sold).num_days();
            assert!((28..=30).contains(&days) && (days == 30 || expiry.weekday() == Weekday::Fri));
            assert_eq!(closes.len() - 1, group.plan.contract.steps);
            assert_eq!(group.plan.contract.expiry, days as f64 / 365.0);
            let market = contracts.market.clone();
            let premium = contracts.premiums[member];
            assert!((group.plan.premium_in(&market.clone().into()) - premium).abs() < 1e-12);
            lengths.push(days);
        }
    }
    assert!(plan.contract.expiry == 30.0 / 365.0 && lengths.contains(&28));
    let Settled { book, parts, .. } = contracts.hedge(&naked(&contracts)).unwrap();
    for (parts, pnl) in parts.iter().zip(&book.pnl) {
        assert!((parts.total() - pnl).abs() < 1e-9);
    }
}

fn naked(contracts: &Contracts) -> crate::hedging::ClassicalPolicy<'static> {
    let delta = crate::hedging::ClassicalName::BlackScholes;
    crate::hedging::ClassicalPolicy::new(delta, contracts.market.clone().into(), vec![0.0.into()])
}

/// Four weeks of the calendar are four closes of a weekly file, whose volatility is that of 52 weeks; of a daily one they
/// are the closes of the same weekday, or the one before where that is a holiday. A weekly close that is a day early loses
/// no week.
#[test]
fn weeks_are_weeks_on_any_file() {
    let terms = "expiry_days = 28\ndays = \"calendar\"\nsteps = 4";
    let fridays = |day: NaiveDate| day.weekday() == Weekday::Fri;
    let more = "parameters = \"strategy\"";
    let (_scratch, strategy) = on("life-fridays", 500, fridays, terms, more);
    let (_, weekly) = cut(&strategy).unwrap();
    assert_eq!(weekly.frequency.observations_per_year, 52.0);
    assert!(
        weekly.groups.len() == 1
            && weekly.groups[0].closes[0]
                .windows(2)
                .all(|c| c[1] == c[0] + 1)
    );
    let moved = |day: NaiveDate| match day.day() {
        12 => matches!(day.weekday(), Weekday::Thu | Weekday::Fri),
        13 => false,
        _ => day.weekday() == Weekday::Fri,
    };
    let (_scratch, strategy) = on("life-moved", 500, moved, terms, more);
    let (_, weekly) = cut(&strategy).unwrap();
    let lives = weekly.groups.iter().flat_map(|group| &group.closes);
    assert!(
        lives
            .clone()
            .all(|closes| closes.len() == 5 && closes[4] == closes[0] + 4)
    );
    let holidays = |day: NaiveDate| weekday(day) && day.day() != 13;
    let (_scratch, strategy) = on("life-holidays", 900, holidays, terms, more);
    let (plan, daily) = cut(&strategy).unwrap();
    let settings = plan.backtest.as_ref().unwrap();
    let history = History::load_files(
        &settings.data,
        &[crate::market::history::Quantity::Close],
        &settings.reading,
    )
    .unwrap();
    for closes in daily.groups.iter().flat_map(|group| &group.closes) {
        let sale = history.dates[closes[0]];
        for (week, &close) in closes.iter().enumerate() {
            let due = sale + chrono::Days::new(7 * week as u64);
            let late = (due - history.dates[close]).num_days();
            assert!(
                (0..=3).contains(&late) && (late == 0 || !holidays(due)),
                "{due}: {late}"
            );
        }
    }
}

/// What a history cannot give is refused with what would help: daily hedges of weekly closes, trading days of a market
/// that is open every day counted as 252, and steps that are no whole number of closes.
#[test]
fn histories_that_do_not_fit_are_refused() {
    let fridays = |day: NaiveDate| day.weekday() == Weekday::Fri;
    type Case = (
        &'static str,
        fn(NaiveDate) -> bool,
        &'static str,
        &'static str,
        &'static str,
    );
    let cases: [Case; 4] = [
        (
            "fit-weekly",
            fridays,
            "expiry_days = 21",
            "",
            "weekly, 52 a year",
        ),
        (
            "fit-every-day",
            |_| true,
            "expiry_days = 21",
            "",
            "daily, 365 a year",
        ),
        (
            "fit-steps",
            weekday,
            "expiry_days = 20\nsteps = 160",
            "",
            "a divisor of `contract.expiry_days` = 20",
        ),
        (
            "fit-given",
            weekday,
            "expiry_days = 20",
            "days_per_year = 365",
            "daily, 365 a year",
        ),
    ];
    for (name, kept, terms, more, expected) in cases {
        let (_scratch, strategy) = on(name, 600, kept, terms, more);
        let error = cut(&strategy).expect_err(name);
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(expected), "{error}");
    }
    let every = "expiry_days = 21\ndays = \"trading\"\ndays_per_year = 365";
    let (_scratch, strategy) = on("fit-365", 900, |_| true, every, "");
    let (plan, contracts) = cut(&strategy).unwrap();
    let settings = plan.backtest.as_ref().unwrap();
    let history = crate::backtest::load(&plan, settings)
        .unwrap()
        .swap_remove(0);
    let calendar = Calendar::new(&history, &plan, settings).unwrap();
    assert_eq!(
        (calendar.dt(), contracts.groups[0].plan.contract.dt()),
        (1.0 / 365.0, 1.0 / 365.0)
    );
}
