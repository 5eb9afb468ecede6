//! Surfaces as users have them.

use super::*;
use crate::error::Result;
use std::path::PathBuf;

fn write(name: &str, text: &str) -> PathBuf {
    let file = format!("deephedge-surface-{}-{name}.csv", std::process::id());
    let path = std::env::temp_dir().join(file);
    std::fs::write(&path, text).unwrap();
    path
}

fn read(name: &str, text: &str, options: &SurfaceOptions) -> Result<Surface> {
    let path = write(name, text);
    let surface = Surface::load(&path, options);
    let _ = std::fs::remove_file(&path);
    surface
}

fn plain(name: &str, text: &str) -> Result<Surface> {
    read(name, text, &SurfaceOptions::default())
}

/// The option of a quote is the one out of the money.
#[test]
fn quotes_are_of_options_out_of_the_money() {
    for (strike, kind) in [(90.0, OptionKind::Put), (120.0, OptionKind::Call)] {
        let quote = Quote {
            spot: 100.0,
            strike,
            expiry: 1.0,
            rate: 0.05,
            dividend: 0.0,
            implied_volatility: 0.2,
        };
        assert_eq!(quote.option().kind, kind);
    }
}

/// The same surface of an exchange rate in percent, in percent with its sign, and as fractions.
#[test]
fn an_exchange_rate_in_percent_is_read_as_percent() {
    let strikes = [1.0, 1.05, 1.1, 1.15, 1.2];
    let volatilities = ["7.25", "6.75", "6.5", "6.875", "7.5"];
    let file = |cell: &dyn Fn(&str) -> String| {
        let mut text = "spot,strike,expiry_days,implied_vol\n".to_owned();
        for (strike, volatility) in strikes.iter().zip(volatilities) {
            text += &format!("1.1,{strike},30,{}\n", cell(volatility));
        }
        text
    };
    let percent = plain("fx", &file(&str::to_owned)).unwrap();
    assert_eq!(percent.unit, VolatilityUnit::Percent);
    assert_eq!(percent.quotes[0].implied_volatility, 0.0725);
    let fraction = |text: &str| (text.parse::<f64>().unwrap() / 100.0).to_string();
    let fractions = plain("fx", &file(&fraction)).unwrap();
    assert_eq!(fractions.unit, VolatilityUnit::Fraction);
    assert_eq!(fractions.quotes, percent.quotes);
    // A surface of about 1 % is one of percent if its cells say so.
    let signed = plain(
        "fx",
        &file(&|text| format!("{}%", text.replace(['6', '7'], "1"))),
    );
    let signed = signed.unwrap();
    assert_eq!(signed.unit, VolatilityUnit::Percent);
    assert_eq!(signed.quotes[1].implied_volatility, 0.0115);
    // Without the sign it may be either.
    let open = plain("fx", &file(&|text| text.replace(['6', '7'], "1")));
    let message = open.unwrap_err().to_string();
    assert!(message.contains("--volatility-unit"), "{message}");
    let named = SurfaceOptions {
        unit: Some(VolatilityUnit::Percent),
        ..SurfaceOptions::default()
    };
    let named = read("fx", &file(&|text| text.replace(['6', '7'], "1")), &named).unwrap();
    assert_eq!(named.quotes, signed.quotes);
}

/// Volatilities that are none, crossed markets, options without a bid and expired ones are dropped, each by its row.
#[test]
fn what_is_no_quote_is_dropped_by_name() {
    let surface = plain(
        "drops",
        "spot,strike,dte,iv,bid,ask\n\
         100,80,30,.3,1,1.1\n100,85,30,.28,1,1.1\n100,90,30,.25,1.2,1.1\n100,95,30,.22,,1.1\n\
         100,100,30,0,1,1.1\n100,105,30,,1,1.1\n100,110,30,N/A,1,1.1\n100,115,0,.2,1,1.1\n\
         100,120,30,.2,1,0\n100,100,60,.21,2,2\n100,110,60,.2,1,1.1\n100,120,60,.2,1,1.1\n",
    )
    .unwrap();
    assert_eq!(surface.quotes.len(), 5);
    let dropped: Vec<(usize, &str)> = surface
        .dropped
        .iter()
        .map(|of| (of.row, of.reason.as_str()))
        .collect();
    assert_eq!(
        dropped,
        [
            (3, "bid 1.2 above ask 1.1"),
            (4, "no bid"),
            (5, "implied volatility 0"),
            (6, "no implied volatility"),
            (7, "no implied volatility"),
            (8, "no time to expiry"),
            (9, "no ask"),
        ]
    );
    let words = surface.drops().unwrap();
    assert!(
        words.starts_with("7 rows dropped: row 3 (bid 1.2 above ask 1.1), row 4"),
        "{words}"
    );
}

/// A chain with calls and puts of a strike in one row, names in brackets and blanks after commas: the volatility is that
/// of the option out of the money.
#[test]
fn chains_with_brackets() {
    let head = "[QUOTE_DATE], [UNDERLYING_LAST], [EXPIRE_DATE], [DTE], [C_IV], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], [P_IV]\n";
    let mut text = head.to_owned();
    for day in ["2021-12-20", "2021-12-21"] {
        for (strike, call, put) in [
            (90, ".31", ".22"),
            (95, ".21", ".215"),
            (100, ".2", ".2"),
            (105, ".19", ".4"),
            (110, ".18", ".4"),
        ] {
            text += &format!(
                "{day}, 100.0, 2022-01-20, 31.0, {call}, 1.0, 1.1, {strike}, 1.0, 1.1, {put}\n"
            );
        }
    }
    let several = plain("chain", &text).unwrap_err().to_string();
    assert!(
        several.contains("quotes of 2 days, 2021-12-20 to 2021-12-21: --date 2021-12-21"),
        "{several}"
    );
    let on = |day: u32| SurfaceOptions {
        date: NaiveDate::from_ymd_opt(2021, 12, day),
        ..SurfaceOptions::default()
    };
    let surface = read("chain", &text, &on(20)).unwrap();
    let volatilities: Vec<f64> = surface
        .quotes
        .iter()
        .map(|q| q.implied_volatility)
        .collect();
    assert_eq!(volatilities, [0.22, 0.215, 0.2, 0.19, 0.18]);
    assert_eq!(surface.quotes[0].expiry, 31.0 / 365.0);
    assert_eq!(surface.date, on(20).date);
    let missing = read("chain", &text, &on(25)).unwrap_err().to_string();
    assert!(missing.contains("no quotes of 2021-12-25"), "{missing}");
    // Without days to expiry its date counts, from the day of the quote.
    let dated = text.replace("[DTE]", "[left]");
    assert_eq!(
        read("dated", &dated, &on(20)).unwrap().quotes,
        surface.quotes
    );
    // A put without a bid takes its row with it where the put is the quote.
    let no_bid = text.replace("90, 1.0", "90, 0.0");
    let surface = plain("bid", &no_bid.replace("2021-12-21", "2021-12-20")).unwrap();
    assert_eq!(surface.dropped.len(), 2);
    assert_eq!(surface.dropped[1].row, 6);
}

/// Decimal commas, a rate in percent, and dates with points.
#[test]
fn numbers_and_dates_as_people_write_them() {
    let mut text = "date;spot;strike;expiry_date;rate;iv\n".to_owned();
    for strike in ["90,5", "95,5", "100,5", "105,5", "110,5"] {
        text += &format!("20.12.2021;1.000,25;{strike};20.01.2022;2,5%;20,5\n");
    }
    let surface = plain("commas", &text).unwrap();
    let first = surface.quotes[0];
    assert_eq!(
        (first.spot, first.strike, first.rate),
        (1000.25, 90.5, 0.025)
    );
    assert_eq!(
        (first.implied_volatility, first.expiry),
        (0.205, 31.0 / 365.0)
    );
    assert_eq!(surface.date, NaiveDate::from_ymd_opt(2021, 12, 20));
}

/// Columns go by the names that the user gives them.
#[test]
fn columns_can_be_named() {
    let rows = "100,90,.5,.2\n".repeat(5);
    let text = format!("Basiswert,K,left,sigma\n{rows}");
    let message = plain("named", &text).unwrap_err().to_string();
    let expected = "no column of spot, of strike, of expiry, of implied volatility; add it, or name it by --columns \
                    spot=COLUMN,strike=COLUMN,expiry_days=COLUMN,implied_vol=COLUMN; found Basiswert, K, left, sigma";
    assert!(message.contains(expected), "{message}");
    let options = |pairs: &[(&str, &str)]| SurfaceOptions {
        columns: pairs
            .iter()
            .map(|(what, column)| ((*what).to_owned(), (*column).to_owned()))
            .collect(),
        ..SurfaceOptions::default()
    };
    let named = [
        ("spot", "Basiswert"),
        ("strike", "k"),
        ("expiry_years", "left"),
        ("implied_vol", "sigma"),
    ];
    let surface = read("named", &text, &options(&named)).unwrap();
    assert_eq!(
        (surface.quotes[0].spot, surface.quotes[0].expiry),
        (100.0, 0.5)
    );
    for (pairs, expected) in [
        ([("spot", "S")], "--columns: has no column \"S\""),
        ([("vol", "sigma")], "--columns: must be one of date, spot"),
    ] {
        let message = read("named", &text, &options(&pairs))
            .unwrap_err()
            .to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn bad_surfaces_are_refused_in_one_line() {
    let rows = "100,90,0.5,0.2\n".repeat(5);
    for (name, text, expected) in [
        (
            "strike",
            format!("spot,expiry_years,iv,day\n{rows}"),
            "no column of strike; add it, or name it by --columns strike=COLUMN; found spot, expiry_years, iv, day",
        ),
        (
            "expiry",
            format!("spot,strike,rate,iv\n{rows}"),
            "no column of expiry; add it, or name it by --columns expiry_days=COLUMN; found",
        ),
        (
            "few",
            "spot,strike,expiry,iv\n100,90,0.5,0.2\n100,90,0.5,0\n".into(),
            "five parameters need at least 5 quotes, found 1, 1 row dropped: row 2 (implied volatility 0)",
        ),
        (
            "blank",
            format!("spot,strike,expiry,iv\n{rows}100,,1,.2\n"),
            "row 6, column \"strike\": must be a finite number above 0, was \"\"",
        ),
        (
            "word",
            format!("spot,strike,expiry,iv\n{rows}100,90,1,high\n"),
            "row 6, column \"iv\": must be a number, was \"high\"",
        ),
        (
            "percent",
            format!("spot,strike,expiry,iv\n{rows}100,90,1,20\n"),
            "row 6, column \"iv\": volatility 20, read as a fraction, is 2000 % a year, at most 300 % may be",
        ),
        (
            "days",
            format!("spot,strike,expiry,iv\n{rows}100,90,30,.2\n"),
            "row 6, column \"expiry\": expiry must be at most 10 years, was 30: --columns expiry_days=COLUMN",
        ),
        (
            "undated",
            format!(
                "spot,strike,expiry,iv\n{}",
                rows.replace("0.5", "2022-01-21")
            ),
            "dates of expiry need the day of the quotes: --date 2004-01-31 or --columns date=COLUMN",
        ),
        (
            "twice",
            format!("spot,strike,expiry,Expiry\n{rows}"),
            "columns \"expiry\" and \"Expiry\" both name the expiry: --columns expiry=COLUMN says which",
        ),
    ] {
        let error = plain(name, &text).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let message = error.to_string();
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.contains(expected), "{name}: {message}");
    }
}
