//! Chains in every form give back what they were made of.

use super::fixture::{self, MadeDay, MadeRow};
use super::raw;
use super::*;
use crate::market::VolatilityUnit;
use crate::market::history::DateFormat;
use crate::market::history::fixture::Scratch;
use crate::pricing::SurfaceFactors;
use chrono::{Days, NaiveDate};
use std::path::{Path, PathBuf};

pub(super) fn written(folder: &Scratch, name: &str, text: &str) -> PathBuf {
    let path = folder.0.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

pub(super) fn report_of(paths: &[PathBuf], options: &ChainOptions) -> ChainReport {
    let chains = Chains::load(paths, options).unwrap();
    ChainReport::of(chains, &QuoteSettings::default()).unwrap()
}

fn factors(day: &DaySurface) -> SurfaceFactors {
    match day.fitted.as_ref().unwrap() {
        Fitted::Factors(factors) => *factors,
        Fitted::Svi(_) => panic!("factors were asked for"),
    }
}

/// The greatest difference of two surfaces' factors.
fn distance(a: SurfaceFactors, b: SurfaceFactors) -> f64 {
    let pairs = a.to_array().into_iter().zip(b.to_array());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The days of a report have the surfaces, rates, yields and spots that they were made of.
fn assert_recovered(report: &ChainReport, made: &[MadeDay], precision: f64) {
    assert_eq!(report.days.len(), made.len());
    for (day, made) in report.days.iter().zip(made) {
        assert_eq!(day.date, made.date);
        let found = factors(day);
        assert!(
            distance(found, made.factors) < precision,
            "{found:?}, made of {made:?}"
        );
        let close = day.close.unwrap();
        assert!(
            (close / made.spot - 1.0).abs() < 1e-6,
            "{close} of {}",
            made.spot
        );
        let (rate, dividend) = (day.rate.unwrap(), day.dividend.unwrap());
        assert!((rate - made.rate).abs() < 1e-5, "rate {rate}");
        assert!((dividend - made.dividend).abs() < 1e-4, "yield {dividend}");
        for expiry in &day.expiries {
            let forward = expiry.forward.unwrap();
            let carry = (made.rate - made.dividend) * expiry.calendar_years;
            let error = forward.forward / (made.spot * carry.exp()) - 1.0;
            assert!(error.abs() < 1e-7, "forward {error:e}");
        }
    }
    assert!(report.residuals.root_mean_square() < 100.0 * precision);
}

/// All layouts give back the five factors, forwards, rates, yields and spots of the days that they were written from; OptionMetrics, which has
/// no spot, by its forwards.
#[test]
fn every_form_gives_back_the_surface() {
    let folder = Scratch::new("quotes-forms");
    let made: Vec<MadeDay> = (0..3).map(fixture::day).collect();
    let rows: Vec<MadeRow> = made.iter().flat_map(|day| day.rows(41)).collect();
    for (name, text) in [
        ("OptionsDX", fixture::options_dx(&rows)),
        ("Cboe end of day", fixture::cboe(&rows)),
        ("OptionMetrics", fixture::option_metrics(&rows)),
        ("ORATS", fixture::orats(&rows, 0.5)),
    ] {
        let path = written(&folder, "chain.csv", &text);
        assert!(Chains::recognise(&path, &ChainOptions::default()).unwrap());
        let report = report_of(&[path], &ChainOptions::default());
        assert_eq!(report.files[0].format, name);
        assert_eq!(report.read, 2 * rows.len());
        assert_eq!(report.dropped.total(), 0, "{name}: {:?}", report.dropped);
        assert_recovered(&report, &made, 2e-6);
        let by_forwards = if name == "OptionMetrics" { 3 } else { 0 };
        assert_eq!(report.spots_by_forwards, by_forwards);
        if let Some((unit, difference)) = report.stated {
            assert_eq!(unit, VolatilityUnit::Fraction);
            assert!(difference < 0.01, "{name}: {difference}");
        }
    }
}

/// Months in files of their own are one chain, whatever their order.
#[test]
fn files_of_several_months_are_one_chain() {
    let folder = Scratch::new("quotes-months");
    let made: Vec<MadeDay> = (0..4).map(|n| fixture::day(12 * n)).collect();
    let files = [2, 0, 3, 1].map(|at: usize| {
        let text = fixture::options_dx(&made[at].rows(31));
        written(&folder, &format!("{at}.csv"), &text)
    });
    let report = report_of(&files, &ChainOptions::default());
    assert_eq!(report.files.len(), 4);
    assert_recovered(&report, &made, 2e-6);
}

/// Monthly options settled at the opening and weekly ones at the close of the same day are two expiries, each with its own time.
#[test]
fn weekly_and_monthly_roots_on_one_expiry() {
    let folder = Scratch::new("quotes-roots");
    let made = fixture::day(2);
    let mut rows = Vec::new();
    for days in fixture::EXPIRIES {
        for morning in [true, false] {
            rows.extend(made.expiry(made.date + Days::new(days), 31, morning));
        }
    }
    for text in [fixture::cboe(&rows), fixture::option_metrics(&rows)] {
        let path = written(&folder, "roots.csv", &text);
        let report = report_of(&[path], &ChainOptions::default());
        assert_eq!(report.days[0].expiries.len(), 2 * fixture::EXPIRIES.len());
        assert_eq!(report.dropped.total(), 0);
        assert_recovered(&report, &[made], 2e-6);
    }
}

/// The same chain with its days written in seven ways.
#[test]
fn dates_in_several_forms() {
    let folder = Scratch::new("quotes-dates");
    let made = [fixture::day(1)];
    let text = fixture::options_dx(&made[0].rows(31));
    let (header, rows) = text.split_once('\n').unwrap();
    let pattern = DateFormat::parse("--date-format", "%d.%m.%y").unwrap();
    for (form, given) in [
        ("%Y-%m-%d", None),
        ("%Y%m%d", None),
        ("%d-%b-%Y", None),
        ("%m/%d/%Y", None),
        ("%d.%m.%Y", None),
        ("%Y-%m-%dT%H:%M:%S", None),
        ("%d.%m.%y", Some(pattern)),
    ] {
        let mut again = format!("{header}\n");
        for row in rows.lines() {
            let mut cells: Vec<String> = row.split(", ").map(str::to_owned).collect();
            for place in [2, 5] {
                let date: NaiveDate = cells[place].parse().unwrap();
                cells[place] = date.and_hms_opt(0, 0, 0).unwrap().format(form).to_string();
            }
            again += &(cells.join(", ") + "\n");
        }
        let path = written(&folder, "dates.csv", &again);
        let options = ChainOptions {
            date_format: given,
            ..ChainOptions::default()
        };
        assert_recovered(&report_of(&[path], &options), &made, 2e-6);
    }
}

/// A file by the names of its columns, of volatilities in percent without prices; rates and yields stand beside them.
#[test]
fn volatilities_in_percent_by_columns() {
    let folder = Scratch::new("quotes-percent");
    let made = fixture::day(5);
    let mut text = "Day;Index;Ends;K;Sigma;r;q\n".to_owned();
    for row in made.rows(31) {
        let volatility = 100.0 * row.volatility;
        text += &format!(
            "{};{};{};{};{volatility};{};{}\n",
            row.date, row.spot, row.expiry, row.strike, made.rate, made.dividend
        );
    }
    let path = written(&folder, "percent.csv", &text);
    let columns = [
        ("date", "Day"),
        ("spot", "Index"),
        ("expiry_date", "Ends"),
        ("strike", "K"),
        ("implied_vol", "Sigma"),
        ("rate", "r"),
        ("dividend", "q"),
    ];
    let options = ChainOptions {
        columns: columns.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec(),
        ..ChainOptions::default()
    };
    assert!(Chains::recognise(&path, &options).unwrap());
    let report = report_of(&[path], &options);
    assert!(!report.priced);
    let found = factors(&report.days[0]);
    assert!(distance(found, made.factors) < 1e-5, "{found:?}");
    assert!(report.spreads.law().is_none());
}

/// Slices of SVI leave little of a surface that is none of theirs, at the forwards of parity and without arbitrage.
#[test]
fn slices_of_a_day() {
    let folder = Scratch::new("quotes-svi");
    let made = fixture::day(0);
    let rows: Vec<MadeRow> = [30, 91]
        .iter()
        .flat_map(|days| made.expiry(made.date + Days::new(*days), 15, false))
        .collect();
    let path = written(&folder, "svi.csv", &fixture::options_dx(&rows));
    let settings = QuoteSettings {
        fit: SurfaceFit::Svi,
        ..QuoteSettings::default()
    };
    let chains = Chains::load(&[path], &ChainOptions::default()).unwrap();
    let report = ChainReport::of(chains, &settings).unwrap();
    let Ok(Fitted::Svi(slices)) = &report.days[0].fitted else {
        panic!("{:?}", report.days[0].fitted);
    };
    assert_eq!(slices.len(), 2);
    assert!((slices[0].0.days - 30.0).abs() < 1e-6);
    assert!(report.residuals.root_mean_square() < 0.5);
    assert_eq!(report.days[0].arbitrage.butterflies, 0);
    assert_eq!(report.days[0].arbitrage.calendars, 0);
    let text = report.surface_file();
    assert!(text.starts_with("date,close,rate,days,forward,a,b,rho,m,sigma\n2018-01-02,"));
    assert_eq!(text.lines().count(), 3);
}

/// Half-spreads of a hundredth of the price are that in every cell, and the law of costs has them at the money: there, Black and Scholes' price is
/// S σ √(τ/2π), so that h is a hundredth of it.
#[test]
fn half_spreads_are_measured() {
    let folder = Scratch::new("quotes-spreads");
    let made = MadeDay {
        half_spread: 0.01,
        ..fixture::day(0)
    };
    let path = written(&folder, "spreads.csv", &fixture::options_dx(&made.rows(41)));
    let report = report_of(&[path], &ChainOptions::default());
    let table = report.spreads.table();
    assert!(table.len() > 20, "{}", table.len());
    for cell in &table {
        assert!((cell.share_of_price - 0.01).abs() < 1e-5, "{cell:?}");
    }
    let law = report.spreads.law().unwrap();
    let least = [law.half_spread, law.moneyness_spread, law.time_spread];
    assert!(least.iter().all(|part| *part >= 0.0), "{law:?}");
}

/// The surface file is the same to the bit on one thread and on three.
#[test]
fn threads_change_nothing() {
    let folder = Scratch::new("quotes-threads");
    let rows: Vec<MadeRow> = (0..5)
        .flat_map(|number| {
            let day = MadeDay {
                half_spread: 0.02,
                ..fixture::day(number)
            };
            day.rows(41)
        })
        .collect();
    let path = written(&folder, "threads.csv", &fixture::cboe(&rows));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let path = path.clone();
        pool.unwrap().install(|| {
            let report = report_of(&[path], &ChainOptions::default());
            (
                report.surface_file(),
                format!("{:?}", report.spreads.table()),
            )
        })
    };
    assert_eq!(on(1), on(3));
}

/// The raw files of the published study, made small: days as they write them, the daily rate in percent, and a file that is not needed.
#[test]
fn raw_files_are_joined_by_date() {
    let folder = Scratch::new("quotes-raw");
    let prices = written(
        &folder,
        "prices.csv",
        "Date,Open,High,Low,Close,AdjClose,Volume,Rf,Ret_m_Rf_dvdy\n05/01/96,1,1,1,616.71,616.71,5,0.019,0\n08/01/96,1,1,1,618.46,618.46,5,0,0\n",
    );
    let betas = written(
        &folder,
        "betas.csv",
        "Dates,beta_1,beta_2,beta_3,beta_4,beta_5\n05-Jan-1996,0.13,-0.02,0.18,-0.04,0.0003\n09-Jan-1996,0.1,0,0,0,0\n",
    );
    let variances = written(
        &folder,
        "h.csv",
        "Date,beta_1,beta_2,beta_3,beta_4,beta_5,SP500\n05-Jan-1996,1,1,1,1,1,0.01\n",
    );
    assert!(raw::is_raw(&betas).unwrap());
    let files = [variances.clone(), betas.clone(), prices.clone()];
    let surface = raw::load(&files).unwrap();
    assert_eq!((surface.days.len(), surface.unmatched), (1, 2));
    assert_eq!(surface.passed_over, [variances]);
    let text = factor_file(&surface.days);
    let expected = "date,close,rate,level,slope,moneyness,smile,smirk\n1996-01-05,616.71,0.047875,0.13,-0.02,0.18,-0.04,0.0003\n";
    assert_eq!(text, expected);
    for (files, message) in [
        (
            vec![betas.clone()],
            "takes the file of closes and rates and the file of factors",
        ),
        (
            vec![betas.clone(), betas.clone()],
            "is a second file of factors",
        ),
    ] {
        let error = raw::load(&files).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(message), "{error}");
    }
    let bad = "Date,Close,Rf\n05/01/96,x,0\n";
    let bad = raw::load(&[betas, written(&folder, "bad.csv", bad)]).unwrap_err();
    let message = bad.to_string();
    assert!(
        message.contains("row 1, column \"Close\": must be a number, was \"x\""),
        "{message}"
    );
}

/// A file that has no chain in it is not taken for one.
#[test]
fn other_files_are_not_chains() {
    for path in ["market_data/sp500_daily.csv", "market_data/vix_daily.csv"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(!Chains::recognise(&path, &ChainOptions::default()).unwrap());
        assert!(!raw::is_raw(&path).unwrap());
    }
}
