//! Made-up option chains in the forms of vendors, from known surfaces, rates and yields: for tests and for the benchmark.

use crate::contract::OptionKind;
use crate::pricing::{BlackScholes, SurfaceFactors};
use crate::quotes::{Calendar, TradingDays};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use std::fmt::Write;

/// What is true on a day.
#[derive(Debug, Clone, Copy)]
pub struct MadeDay {
    pub date: NaiveDate,
    pub spot: f64,
    pub rate: f64,
    pub dividend: f64,
    pub factors: SurfaceFactors,
    /// Half of the spread, as a share of the price.
    pub half_spread: f64,
}

/// The options of one strike and expiry.
#[derive(Debug, Clone, Copy)]
pub struct MadeRow {
    pub date: NaiveDate,
    pub spot: f64,
    pub expiry: NaiveDate,
    pub strike: f64,
    /// Bid and ask.
    pub call: (f64, f64),
    pub put: (f64, f64),
    /// The volatility per year of 365 days, as vendors have it.
    pub volatility: f64,
    /// Whether it is settled at the opening of its last day.
    pub morning: bool,
}

/// A surface like that of an index.
pub const FACTORS: SurfaceFactors = SurfaceFactors {
    level: 0.19,
    slope: -0.03,
    moneyness: 0.17,
    smile: -0.02,
    smirk: -0.004,
};

/// Day number `number` of a market whose spot and surface move from day to day.
pub fn day(number: u32) -> MadeDay {
    let wave = f64::from(number) * 0.7;
    let first = NaiveDate::from_ymd_opt(2018, 1, 2).unwrap();
    let weekdays = first
        .iter_days()
        .filter(|day| day.weekday().number_from_monday() < 6);
    MadeDay {
        date: weekdays.skip(number as usize).step_by(1).next().unwrap(),
        spot: 2700.0 * (1.0 + 0.03 * wave.sin()),
        rate: 0.021,
        dividend: 0.018,
        factors: SurfaceFactors {
            level: FACTORS.level + 0.01 * wave.cos(),
            slope: FACTORS.slope + 0.02 * wave.sin(),
            ..FACTORS
        },
        half_spread: 0.0,
    }
}

/// Expiries of a day, in days from it.
pub const EXPIRIES: [u64; 6] = [14, 28, 60, 121, 245, 490];

impl MadeDay {
    /// The rows of an expiry, whose strikes reach three standard deviations to either side.
    pub fn expiry(&self, expiry: NaiveDate, strikes: u32, morning: bool) -> Vec<MadeRow> {
        let days = TradingDays::new(Calendar::NewYork, self.date, expiry);
        let years = days.years(self.date, expiry, morning);
        let session = if morning { 6.5 / 24.0 } else { 0.0 };
        let saturday = f64::from(u8::from(expiry.weekday() == Weekday::Sat));
        let calendar = ((expiry - self.date).num_days() as f64 - saturday - session) / 365.0;
        let forward = self.spot * ((self.rate - self.dividend) * calendar).exp();
        let middle = self.factors.volatility(0.0, years);
        let row = |j: u32| {
            let share = 2.0 * f64::from(j) / f64::from(strikes - 1) - 1.0;
            let strike = (forward * (3.0 * share * middle * years.sqrt()).exp()).round();
            let volatility = self.factors.volatility((forward / strike).ln(), years);
            let side = |kind: OptionKind| {
                let rate = self.rate * calendar / years;
                let price = BlackScholes {
                    kind,
                    spot: forward,
                    strike,
                    expiry: years,
                    rate,
                    dividend: rate,
                    volatility,
                }
                .price();
                let half = self.half_spread * price;
                (price - half, price + half)
            };
            MadeRow {
                date: self.date,
                spot: self.spot,
                expiry,
                strike,
                call: side(OptionKind::Call),
                put: side(OptionKind::Put),
                volatility: volatility * (years / calendar).sqrt(),
                morning,
            }
        };
        let mut rows: Vec<MadeRow> = (0..strikes).map(row).collect();
        rows.dedup_by(|a, b| a.strike == b.strike);
        rows
    }

    /// The rows of all of [`EXPIRIES`].
    pub fn rows(&self, strikes: u32) -> Vec<MadeRow> {
        let expiry = |days: &u64| self.expiry(self.date + Days::new(*days), strikes, false);
        EXPIRIES.iter().flat_map(expiry).collect()
    }
}

/// As OptionsDX writes it: brackets and blanks, sizes as text.
pub fn options_dx(rows: &[MadeRow]) -> String {
    let mut text = "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], [EXPIRE_DATE], [EXPIRE_UNIX], [DTE], [C_DELTA], [C_GAMMA], [C_VEGA], [C_THETA], [C_RHO], [C_IV], [C_VOLUME], [C_LAST], [C_SIZE], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], [P_SIZE], [P_LAST], [P_DELTA], [P_GAMMA], [P_VEGA], [P_THETA], [P_RHO], [P_IV], [P_VOLUME], [STRIKE_DISTANCE], [STRIKE_DISTANCE_PCT]\n".to_owned();
    for row in rows {
        let MadeRow {
            date,
            spot,
            expiry,
            strike,
            call,
            put,
            volatility,
            ..
        } = row;
        let days = (*expiry - *date).num_days();
        let _ = writeln!(
            text,
            "1514926800, {date} 16:00, {date}, 16.0, {spot:.4}, {expiry}, 1516309200, {days}.0, 0.50123, 0.00123, 1.23456, -0.12345, 0.45678, {volatility:.5}, 12.000000, {:.2}, 1 x 1, {:.9}, {:.9}, {strike:.2}, {:.9}, {:.9}, 10 x 4, {:.2}, -0.49877, 0.00123, 1.23456, -0.12345, -0.45678, {volatility:.5}, , {:.1}, 0.012",
            call.0,
            call.0,
            call.1,
            put.0,
            put.1,
            put.0,
            (strike - spot).abs()
        );
    }
    text
}

/// As Cboe writes it: an option a row, zeros where nothing traded.
pub fn cboe(rows: &[MadeRow]) -> String {
    let mut text = "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,trade_volume,bid_size_1545,bid_1545,ask_size_1545,ask_1545,underlying_bid_1545,underlying_ask_1545,bid_eod,ask_eod,open_interest\n".to_owned();
    for row in rows {
        let root = if row.morning { "SPX" } else { "SPXW" };
        for (letter, (bid, ask)) in [("C", row.call), ("P", row.put)] {
            let MadeRow {
                date,
                spot,
                expiry,
                strike,
                ..
            } = row;
            let _ = writeln!(
                text,
                "^SPX,{date},{root},{expiry},{strike:.3},{letter},0,0,0,0,0,11,{bid:.9},9,{ask:.9},{:.4},{:.4},0,0,5",
                spot - 0.05,
                spot + 0.05
            );
        }
    }
    text
}

/// As OptionMetrics writes it: strikes times 1000, no spot, −99.99 for no volatility.
pub fn option_metrics(rows: &[MadeRow]) -> String {
    let mut text = "secid,date,symbol,exdate,cp_flag,strike_price,best_bid,best_offer,volume,open_interest,impl_volatility,am_settlement\n".to_owned();
    for row in rows {
        for (letter, (bid, ask)) in [("C", row.call), ("P", row.put)] {
            let morning = u8::from(row.morning);
            let (day, expiry) = (row.date.format("%Y%m%d"), row.expiry.format("%Y%m%d"));
            let _ = writeln!(
                text,
                "108105,{day},SPX {}{letter}{:08},{expiry},{letter},{:.0},{bid:.9},{ask:.9},0,0,-99.99,{morning}",
                row.expiry.format("%y%m%d"),
                1000.0 * row.strike,
                1000.0 * row.strike
            );
        }
    }
    text
}

/// As ORATS writes it: call and put in a row, days as 1/31/2018.
pub fn orats(rows: &[MadeRow], rate: f64) -> String {
    let mut text = "ticker,stkPx,expirDate,yte,strike,cVolu,cOi,pVolu,pOi,cBidPx,cValue,cAskPx,pBidPx,pValue,pAskPx,cBidIv,cMidIv,cAskIv,smoothSmvVol,pBidIv,pMidIv,pAskIv,iRate,divRate,residualRateData,spot_px,trade_date\n".to_owned();
    let day = |day: NaiveDate| format!("{}/{}/{}", day.month(), day.day(), day.year());
    for row in rows {
        let MadeRow {
            spot,
            strike,
            call,
            put,
            volatility,
            ..
        } = row;
        let _ = writeln!(
            text,
            "SPX,{spot:.4},{},0.1,{strike},0,0,0,0,{:.9},1,{:.9},{:.9},1,{:.9},0,{volatility:.6},0,0,0,{volatility:.6},0,{rate},0,0,{spot:.4},{}",
            day(row.expiry),
            call.0,
            call.1,
            put.0,
            put.1,
            day(row.date)
        );
    }
    text
}
