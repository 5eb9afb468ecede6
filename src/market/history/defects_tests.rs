//! Every defect is found, refused with its place, and repaired under its own name.

use super::tests::{Scratch, day, reading};
use super::*;

/// Ten days of 2020 with closes of 101 to 110, one row replaced.
fn with_row(test: &str, at: usize, row: &str) -> Scratch {
    let mut rows: Vec<String> = (1..=10)
        .map(|day| format!("2020-01-{day:02},{0},{0},{0},{0},5", 100 + day))
        .collect();
    rows[at] = row.to_string();
    let text = format!("date,open,high,low,close,volume\n{}\n", rows.join("\n"));
    Scratch::csv(test, &text)
}

/// Every kind of defect: refused with its row and column, and repaired under its own name alone. The last column is
/// what the repair leaves of (days, sum of closes): ten days sum to 1055.
#[test]
fn every_defect_is_refused_and_repaired_under_its_name() {
    for (kind, at, row, message, left) in [
        (
            "dates",
            4,
            "soon,105,105,105,105,5",
            "row 5, column \"date\": date must be such as 2020-01-31 or as --date-format says, was \"soon\"",
            (9, 950.0),
        ),
        (
            "blanks",
            4,
            "2020-01-05,105,105,105,,5",
            "row 5, column \"close\": price is blank",
            (9, 950.0),
        ),
        (
            "blanks",
            4,
            "2020-01-05,105,105,105,NaN,5",
            "row 5, column \"close\": price must be finite and above 0, was NaN",
            (9, 950.0),
        ),
        (
            "prices",
            4,
            "2020-01-05,105,105,105,0,5",
            "row 5, column \"close\": price must be finite and above 0, was 0",
            (9, 950.0),
        ),
        (
            "prices",
            4,
            "2020-01-05,105,105,-1,105,5",
            "row 5, column \"low\": price must be finite and above 0, was -1",
            (9, 950.0),
        ),
        (
            "prices",
            4,
            "2020-01-05,105,105,105,105,-5",
            "row 5, column \"volume\": volume must be finite and at least 0, was -5",
            (9, 950.0),
        ),
        (
            "order",
            4,
            "2020-01-11,105,105,105,105,5",
            "row 6, column \"date\": dates must ascend, 2020-01-06 follows 2020-01-11",
            (10, 1055.0),
        ),
        (
            "duplicates",
            4,
            "2020-01-04,105,105,105,105,5",
            "row 5, column \"date\": date 2020-01-04 repeats that of row 4",
            (9, 951.0),
        ),
        (
            "ranges",
            4,
            "2020-01-05,105,104,104,105,5",
            "row 5, column \"high\": high 104 lies below the opening price 105",
            (10, 1055.0),
        ),
        (
            "jumps",
            9,
            "2020-01-10,109,190,109,190,5",
            "row 10, column \"close\": price moves from 109 to 190, a ratio of 1.743, beyond 1.4",
            (10, 1135.0),
        ),
        (
            "gaps",
            9,
            "2020-01-20,110,110,110,110,5",
            "row 10, column \"date\": 11 days lie between 2020-01-09 and 2020-01-20, at most 10 may",
            (10, 1055.0),
        ),
    ] {
        let file = with_row(&format!("kind-{kind}"), at, row);
        let files = [file.0.clone()];
        let load = |reading: &Reading| History::load_files(&files, &Quantity::ALL, reading);
        let error = load(&Reading::default()).unwrap_err().to_string();
        assert!(error.contains(message), "{kind}: {error}");
        let history = load(&reading(&[kind])).unwrap();
        assert_eq!(
            (history.len(), history.close.iter().sum::<f64>()),
            left,
            "{kind}"
        );
        assert!(history.dates.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(history.repaired[0].0.name(), kind);
        let others: Vec<&str> = defects::Kind::ALL
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| *name != kind)
            .collect();
        assert!(load(&reading(&others)).is_err(), "{kind}");
    }
}

/// Fifteen days, of which the ninth opens after a split of `new`:`old`, with volumes before and after it.
fn split(test: &str, ratio: f64, volume: f64) -> Scratch {
    let mut text = String::from("date,close,volume\n");
    for day in 1..=15 {
        let (price, shares) = match day {
            ..9 => (100.0 + f64::from(day) / 10.0, 1000.0),
            _ => (100.0 / ratio + f64::from(day) / 10.0 / ratio, volume),
        };
        text += &format!("2020-01-{day:02},{price},{shares}\n");
    }
    Scratch::csv(test, &text)
}

/// A move by a ratio of small integers is a split where volumes agree, whether they were asked for or not.
#[test]
fn a_split_that_volumes_confirm() {
    let file = split("confirmed", 4.0, 4100.0);
    let files = [file.0.clone()];
    for wanted in [&Quantity::ALL[..], &[Quantity::Close]] {
        let load = |names: &[&str]| History::load_files(&files, wanted, &reading(names));
        let error = load(&[]).unwrap_err().to_string();
        assert!(
            error.ends_with("like a split of 4:1 (--repair splits)"),
            "{error}"
        );
        assert!(load(&["jumps"]).is_ok());
        let history = load(&["splits"]).unwrap();
        assert!((history.close[0] - 25.025).abs() < 1e-12);
        assert_eq!(history.repaired, [(Kind::Splits, 1)]);
        if let Some(volumes) = history.values(Quantity::Volume) {
            assert_eq!(volumes[0], 4000.0);
        }
    }
}

/// Without a witness, or off a ratio of small integers, a move is none by itself: not a squeeze by 95 %, nor a crash by
/// 36 %, nor a fall by 75 % on ordinary volumes. Naming its date or row makes it one.
#[test]
fn a_move_that_only_looks_like_a_split() {
    for (test, ratio, volume) in [
        ("fall", 4.0, 1000.0),
        ("squeeze", 1.0 / 1.954, 512.0),
        ("crash", 1.0 / 0.638, 1567.0),
    ] {
        let file = split(test, ratio, volume);
        let files = [file.0.clone()];
        let load = |names: &[&str]| History::load_files(&files, &Quantity::ALL, &reading(names));
        for names in [&[][..], &["splits"]] {
            let error = load(names).unwrap_err().to_string();
            assert!(
                error.contains("row 9, column \"close\": price moves from 100.8 to"),
                "{error}"
            );
            assert!(error.contains("beyond 1"), "{error}");
            assert!(error.contains("--repair splits@2020-01-09"), "{error}");
        }
        assert_eq!(load(&["jumps"]).unwrap().close[0], 100.1);
        let named = load(&["splits@2020-01-09"]).unwrap();
        assert_eq!(named.close, load(&["splits@9"]).unwrap().close);
        assert!(
            (named.close[7] / named.close[8] - 1.0).abs() < 0.06,
            "{test}"
        );
        assert_eq!(load(&["jumps@2020-01-09"]).unwrap().close[0], 100.1);
    }
}

/// The bound is a ratio, the same up and down.
#[test]
fn moves_are_bounded_by_a_ratio_both_ways() {
    for (closes, refused) in [
        ([100.0, 70.0], true),
        ([70.0, 100.0], true),
        ([100.0, 72.0], false),
        ([72.0, 100.0], false),
    ] {
        let [before, after] = closes;
        let text = format!("date,close\n2020-01-02,{before}\n2020-01-03,{after}\n");
        let file = Scratch::csv("bound", &text);
        assert_eq!(History::load(&file.0).is_err(), refused, "{closes:?}");
    }
}

/// A repair of one place leaves the others refused, and must meet a defect.
#[test]
fn repairs_of_one_place() {
    let text = "date,close\n2020-01-02,9\n2020-01-03,\n2020-01-06,9\n2020-01-07,\n2020-01-08,9\n";
    let file = Scratch::csv("one-place", text);
    let files = [file.0.clone()];
    let load = |names: &[&str]| History::load_files(&files, &[Quantity::Close], &reading(names));
    let error = load(&["blanks@2"]).unwrap_err().to_string();
    assert!(
        error.ends_with("row 4, column \"close\": price is blank (--repair blanks)"),
        "{error}"
    );
    let history = load(&["blanks@2", "blanks@2020-01-07"]).unwrap();
    assert_eq!(history.len(), 3);
    for name in ["blanks@3", "jumps@2020-01-06"] {
        let error = load(&["blanks", name]).unwrap_err().to_string();
        assert!(
            error.ends_with(&format!("the repair {name} meets no such defect")),
            "{error}"
        );
    }
    let raw = RawReading {
        repair: Some(vec!["blanks@soon".into()]),
        ..RawReading::default()
    };
    let error = Reading::new(&raw, |key| format!("--{key}")).unwrap_err();
    assert!(error.to_string().contains("splits@2020-08-31"), "{error}");
}

/// Rows of one date make a day: first open, highest high, lowest low, last close, added volumes; so bars of a day
/// become the day.
#[test]
fn rows_of_a_date_become_a_day() {
    let file = Scratch::csv(
        "bars",
        "timestamp,open,high,low,close,volume\n2020-01-03 09:30,10,12,9,11,5\n2020-01-03 16:00,11,11.5,8,10.5,6\n\
         2020-01-06 09:30,10,11,10,11,1\n2020-01-06 16:00,11,13,11,12,2\n",
    );
    let history = History::load_files(
        std::slice::from_ref(&file.0),
        &Quantity::ALL,
        &reading(&["duplicates"]),
    )
    .unwrap();
    let day = |quantity| history.values(quantity).unwrap()[0];
    assert_eq!(history.len(), 2);
    assert_eq!(day(Quantity::Open), 10.0);
    assert_eq!(day(Quantity::High), 12.0);
    assert_eq!(day(Quantity::Low), 8.0);
    assert_eq!(day(Quantity::Close), 10.5);
    assert_eq!(day(Quantity::Volume), 11.0);
}

/// The shipped index and its volatility index: common days from 2014 on, volatility in percent become a fraction.
#[test]
fn an_index_and_its_volatility_join() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("market_data");
    let files = ["sp500_daily.csv", "vix_daily.csv"].map(|name| folder.join(name));
    let error = History::load_files(&files, &Quantity::ALL, &Reading::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("column \"vix\": implied volatility is blank"),
        "{error}"
    );
    let history = History::load_files(&files, &Quantity::ALL, &reading(&["blanks"])).unwrap();
    assert_eq!(history.dates[0], day(2014, 1, 3));
    assert_eq!(history.dates.last(), Some(&day(2018, 12, 31)));
    assert_eq!(
        history.values(Quantity::ImpliedVolatility).unwrap()[0],
        0.1376
    );
    assert_eq!(history.close[0], 1831.369995);
    // A file that adds nothing is no file to join.
    let twice = [files[0].clone(), files[0].clone()];
    let error = History::load_files(&twice, &Quantity::ALL, &Reading::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("adds no implied volatility or variance"),
        "{error}"
    );
}

/// Dates that one of two files lacks, within the span of both, are defects.
#[test]
fn dates_that_a_file_lacks_are_found() {
    let closes = Scratch::csv(
        "lacks-close",
        "date,close\n2020-01-02,9\n2020-01-03,10\n2020-01-06,10\n2020-01-07,11\n",
    );
    let volatility = Scratch::csv(
        "lacks-iv",
        "date,iv\n2020-01-03,.2\n2020-01-07,.3\n2020-01-08,.3\n",
    );
    let files = [closes.0.clone(), volatility.0.clone()];
    let error = History::load_files(&files, &Quantity::ALL, &Reading::default()).unwrap_err();
    assert!(
        error.to_string().contains("row 3, column \"date\""),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .ends_with("has no day 2020-01-06 (--repair unmatched)"),
        "{error}"
    );
    let history = History::load_files(&files, &Quantity::ALL, &reading(&["unmatched"])).unwrap();
    assert_eq!(history.close, [10.0, 11.0]);
    assert_eq!(
        history.values(Quantity::ImpliedVolatility),
        Some([0.2, 0.3].as_slice())
    );
}

/// Several defects: the first one, in the order of rows, and how many more there are.
#[test]
fn the_first_defect_is_named() {
    let file = Scratch::csv(
        "several",
        "date,close\n2020-01-02,9\n2020-01-03,x\n2020-01-02,9\n2020-01-06,-1\n",
    );
    assert_eq!(
        file.refusal(),
        "row 2, column \"close\": price must be a number above 0, was \"x\" (--repair blanks) (2 more: deephedge data check)"
    );
}

/// Monthly closes are no gaps; a missing month is one, with the bound for months.
#[test]
fn months_apart_are_no_gaps() {
    let rows = |skipped: i32| {
        let months = (0..60).filter(|month| *month != skipped);
        let rows = months.map(|month| {
            let (year, month) = (2010 + month / 12, 1 + month % 12);
            format!("{year}-{month:02}-28,{}\n", 100 + month)
        });
        format!("Date,Close\n{}", rows.collect::<String>())
    };
    let whole = Scratch::csv("monthly", &rows(-1));
    let history = History::load(&whole.0).unwrap();
    assert_eq!(history.frequency().observations_per_year, 12.0);
    let missing = Scratch::csv("month-missing", &rows(30));
    let error = History::load(&missing.0).unwrap_err().to_string();
    assert!(
        error.contains("61 days lie between") && error.contains("at most 45 may"),
        "{error}"
    );
}
