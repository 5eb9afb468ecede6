//! Layouts of files that users have, each read rightly without an option, or with the option that a refusal names.

use super::tests::{Scratch, day, reading};
use super::*;
use polars::io::parquet::write::KeyValueMetadata;
use polars::prelude::{
    CategoricalPhysical, Categories, DataFrame, DataType, IntoColumn, IntoSeries, LogicalType as _,
    NamedFrom, ParquetWriter, Series as Column, TimeUnit, df,
};
use std::collections::BTreeMap;

/// Tuesday, Wednesday and the Monday after a week.
fn dates() -> [NaiveDate; 3] {
    [day(2018, 1, 2), day(2018, 1, 3), day(2018, 1, 15)]
}

fn check(test: &str, path: &Path, closes: &[f64]) {
    let options = reading(&["gaps"]);
    let files = [path.to_path_buf()];
    let history = History::load_files(&files, &[Quantity::Close], &options)
        .unwrap_or_else(|error| panic!("{test}: {error}"));
    assert_eq!(history.dates, dates(), "{test}");
    assert_eq!(history.close, closes, "{test}");
}

#[test]
fn layouts_of_text() {
    let plain = [1300.25, 1301.5, 1310.0];
    for (test, text, closes) in [
        (
            "yfinance",
            "Price,Close,High,Volume\nTicker,SPY,SPY,SPY\nDate,,,\n2018-01-02,1300.25,1302,9\n\
             2018-01-03,1301.5,1302,9\n2018-01-15,1310,1311,9\n",
            plain,
        ),
        (
            "yfinance-one-column",
            "Price,Close\nTicker,^GSPC\nDate,\n2018-01-02,1300.25\n2018-01-03,1301.5\n2018-01-15,1310\n",
            plain,
        ),
        (
            "yfinance-old",
            ",Adj Close,Close\n,SPY,SPY\nDate,,\n2018-01-02,9,1300.25\n2018-01-03,9,1301.5\n2018-01-15,9,1310\n",
            plain,
        ),
        (
            "fred",
            "observation_date,SP500\n2018-01-02,1300.25\n2018-01-03,1301.5\n2018-01-15,1310\n",
            plain,
        ),
        (
            "stooq",
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<CLOSE>,<VOL>\nSPX,D,20180102,000000,1,1300.25,0\n\
             SPX,D,20180103,000000,1,1301.5,0\nSPX,D,20180115,000000,1,1310.0,0\n",
            plain,
        ),
        (
            "metatrader",
            "<DATE>\t<CLOSE>\n2018.01.02\t1300.25\n2018.01.03\t1301.5\n2018.01.15\t1310\n",
            plain,
        ),
        (
            "nasdaq",
            "Date,Close/Last,Volume\n01/15/2018,$1310.00,\"1,234,567\"\n01/03/2018,\"$1,301.50\",9\n\
             01/02/2018,\"$1,300.25\",9\n",
            plain,
        ),
        (
            "german",
            "Datum;Erster;Schlusskurs\n15.01.2018;1;1.310,00\n03.01.2018;1;1.301,50\n02.01.2018;1;1.300,25\n",
            plain,
        ),
        (
            "comma-without-thousands",
            "Date;Close\n2018-01-02;1300,25\n2018-01-03;1301,5\n2018-01-15;1310\n",
            plain,
        ),
        (
            "investing",
            "\u{feff}\"Date\",\"Price\",\"Open\",\"Vol.\",\"Change %\"\n\"Jan 15, 2018\",\"1,310.00\",\"1\",\"1.2B\",\"0%\"\n\
             \"Jan 03, 2018\",\"1,301.50\",\"1\",\"-\",\"0%\"\n\"Jan 02, 2018\",\"1,300.25\",\"1\",\"3K\",\"0%\"\n",
            plain,
        ),
        (
            "words",
            "Date,Close\n02-Jan-2018,1300.25\n03-Jan-2018,1301.5\n15-Jan-2018,1310\n",
            plain,
        ),
        (
            "digits",
            "Date,Close\n20180102,1300.25\n20180103,1301.5\n20180115,1310\n",
            plain,
        ),
        (
            "seconds",
            "unix,close\n1514851200,1300.25\n1514937600,1301.5\n1515974400,1310\n",
            plain,
        ),
        (
            "milliseconds",
            "timestamp,close\n1514851200000,1300.25\n1514937600000,1301.5\n1515974400000,1310\n",
            plain,
        ),
        (
            "excel",
            "Date,Close\n43102,1300.25\n43103,1301.5\n43115,1310\n",
            plain,
        ),
        (
            "preamble",
            "S&P 500, daily closes\nSource: a vendor\n\nDate,Close\n2018-01-02,1300.25\n2018-01-03,1301.5\n2018-01-15,1310\n",
            plain,
        ),
        (
            "separator-line",
            "sep=;\nDate;Close\n2018-01-02;1300.25\n2018-01-03;1301.5\n2018-01-15;1310\n",
            plain,
        ),
        (
            "carriage-returns",
            "Date,Close\r2018-01-02,1300.25\r2018-01-03,1301.5\r2018-01-15,1310\r",
            plain,
        ),
        (
            "index-without-name",
            ",Close\n2018-01-02,1300.25\n2018-01-03,1301.5\n2018-01-15,1310\n",
            plain,
        ),
        (
            "trailing-separators",
            "Date,Close\n2018-01-02,1300.25,\n2018-01-03,1301.5,\n2018-01-15,1310,\n",
            plain,
        ),
        (
            "three-decimals",
            "Date,Close\n2018-01-02,130.025\n2018-01-03,130.150\n2018-01-15,131.000\n",
            [130.025, 130.15, 131.0],
        ),
    ] {
        check(test, &Scratch::csv(test, text).0, &closes);
    }
    let narrow = b"Date,Close,Soci\xe9t\xe9\n2018-01-02,1300.25,\xe9\n2018-01-03,1301.5,\n2018-01-15,1310,\n";
    let wide: Vec<u8> =
        "\u{feff}Date,Close\r\n2018-01-02,1300.25\r\n2018-01-03,1301.5\r\n2018-01-15,1310\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
    for (test, bytes) in [("latin-1", narrow.to_vec()), ("utf-16", wide)] {
        let file = Scratch::new(test, "txt");
        std::fs::write(&file.0, bytes).unwrap();
        check(test, &file.0, &plain);
    }
}

/// Reads with one option more than that gaps are taken as real.
fn with(path: &Path, option: &str, value: &str) -> Result<History> {
    let mut raw = RawReading {
        repair: Some(vec!["gaps".into()]),
        ..RawReading::default()
    };
    match option {
        "date_format" => raw.date_format = Some(value.into()),
        "decimal" => raw.decimal = Some(value.into()),
        "volatility_unit" => raw.volatility_unit = Some(value.into()),
        _ => {
            let pairs = value.split(',').filter_map(|pair| pair.split_once('='));
            let pairs = pairs.map(|(what, name)| (what.to_string(), name.to_string()));
            raw.columns = Some(pairs.collect::<BTreeMap<_, _>>());
        }
    }
    let reading = Reading::new(&raw, str::to_string)?;
    History::load_files(&[path.to_path_buf()], &Quantity::ALL, &reading)
}

/// What may be read in two ways is refused in one short line that names the option, and read with it.
#[test]
fn what_is_open_is_refused_with_its_option() {
    for (test, text, message, option, value, closes) in [
        (
            "order-of-dates",
            "Date,Close\n01/02/2018,1\n01/03/2018,1.1\n",
            "row 1, column \"Date\": date \"01/02/2018\" may be day/month or month/day, and no other one settles it: --date-format dmy or mdy",
            "date_format",
            "mdy",
            [1.0, 1.1],
        ),
        (
            "thousands",
            "Date;Close\n2018-01-02;30.000\n2018-01-03;30.114\n",
            "row 1, column \"Close\": \"30.000\" may have decimals or thousands, and no other cell settles it: --decimal point or comma",
            "decimal",
            "comma",
            [30_000.0, 30_114.0],
        ),
        (
            "century",
            "Date,Close\n02.01.18,1\n03.01.18,1.1\n",
            "row 1, column \"Date\": date must be such as 2020-01-31 or as --date-format says, was \"02.01.18\" (--repair dates) (1 more: deephedge data check)",
            "date_format",
            "%d.%m.%y",
            [1.0, 1.1],
        ),
        (
            "names",
            "Day,Level,Note\n2018-01-02,1,a\n2018-01-03,1.1,b\n",
            "no date column",
            "columns",
            "date=Day,close=Level",
            [1.0, 1.1],
        ),
        (
            "two-symbols",
            "Price,Close,Close\nTicker,SPY,QQQ\nDate,,\n2018-01-02,1,7\n2018-01-03,1.1,7\n",
            "no closing price column",
            "columns",
            "close=Close SPY",
            [1.0, 1.1],
        ),
    ] {
        let file = Scratch::csv(test, text);
        let refusal = file.refusal();
        assert!(refusal.starts_with(message), "{test}: {refusal}");
        assert!(refusal.len() < 400, "{refusal}");
        let history = with(&file.0, option, value).unwrap();
        assert_eq!(history.close, closes, "{test}");
        assert_eq!(history.dates, dates()[..2], "{test}");
    }
    // A column that is named and not there.
    let file = Scratch::csv("absent", "Date,Close\n2018-01-02,1\n2018-01-03,1.1\n");
    let error = with(&file.0, "columns", "close=Last")
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("no column \"Last\", which --columns names as close; found Date, Close"),
        "{error}"
    );
}

/// Messages show at most 80 characters of a cell, on one line.
#[test]
fn long_cells_are_cut_in_messages() {
    let cell = "x".repeat(7000);
    let file = Scratch::csv(
        "long",
        &format!("date,close\n2018-01-02,1\n2018-01-03,{cell}\u{7}\n"),
    );
    let refusal = file.refusal();
    assert!(refusal.len() < 200, "{refusal}");
    let header: Vec<String> = (0..2000).map(|i| format!("column {i}")).collect();
    let file = Scratch::csv("wide", &format!("{}\n", header.join(",")));
    assert!(file.refusal().len() < 400);
}

/// The closes of an index of volatility in a second file, told by its name or its values; the unit of a column of
/// volatilities.
#[test]
fn a_second_file_with_the_closes_of_a_volatility_index() {
    let price = |day: usize| 100.0 * (0.01 * (day as f64 * 1.7).sin()).exp();
    let rows = |value: &dyn Fn(usize) -> f64| {
        let first = day(2018, 1, 1);
        let day = |n: usize| first + chrono::Days::new(n as u64);
        let rows = (0..100).map(|n| format!("{},{}\n", day(n), value(n)));
        rows.collect::<String>()
    };
    let prices = Scratch::csv("index", &format!("Date,Close\n{}", rows(&price)));
    let index = format!("DATE,CLOSE\n{}", rows(&|n| 2000.0 / price(n)));
    let named = Scratch::csv("VIX_History", &index);
    let unnamed = Scratch::csv("second", &index);
    let load = |second: &Scratch| {
        let files = [prices.0.clone(), second.0.clone()];
        History::load_files(&files, &Quantity::ALL, &Reading::default())
    };
    for second in [&named, &unnamed] {
        let history = load(second).unwrap();
        let volatility = history.values(Quantity::ImpliedVolatility).unwrap();
        assert!((volatility[0] - 0.2).abs() < 1e-12);
    }
    // Another index of prices is none.
    let other = Scratch::csv(
        "other",
        &format!("Date,Close\n{}", rows(&|n| price(n) / 2.0)),
    );
    let error = load(&other).unwrap_err().to_string();
    assert!(
        error.contains("adds no implied volatility or variance"),
        "{error}"
    );
    assert!(
        error.contains("--columns implied_volatility=NAME"),
        "{error}"
    );
    let fred = Scratch::csv(
        "fred-vix",
        &format!("observation_date,VIXCLS\n{}", rows(&|_| 20.0)),
    );
    assert!(load(&fred).is_ok());
    let open = Scratch::csv("open-unit", &format!("date,iv\n{}", rows(&|_| 2.0)));
    let error = load(&open).unwrap_err().to_string();
    assert!(error.contains("--volatility-unit"), "{error}");
}

fn parquet(test: &str, dates: Column, closes: Column) -> Scratch {
    let frame = DataFrame::new_infer_height(vec![dates.into_column(), closes.into_column()]);
    Scratch::parquet(test, frame.unwrap())
}

/// Days counted from 1970 of [`dates`].
const DAYS: [i64; 3] = [17_533, 17_534, 17_546];

#[test]
fn types_of_parquet() {
    let words = || Column::new("Date".into(), ["2018-01-02", "2018-01-03", "2018-01-15"]);
    let floats = || Column::new("Close".into(), [10.25, 10.5, 11.0]);
    let closes = [10.25, 10.5, 11.0];
    let kinds = [
        DataType::Decimal(10, 2),
        DataType::Float16,
        DataType::Float32,
        DataType::String,
    ];
    for (i, kind) in kinds.iter().enumerate() {
        let cast = floats().cast(kind).unwrap();
        let test = format!("close-{i}");
        check(&test, &parquet(&test, words(), cast).0, &closes);
    }
    for kind in [
        DataType::Int8,
        DataType::UInt8,
        DataType::Int16,
        DataType::UInt16,
    ] {
        let whole = Column::new("Close".into(), [10i64, 11, 12])
            .cast(&kind)
            .unwrap();
        let file = parquet("whole", words(), whole);
        check("whole", &file.0, &[10.0, 11.0, 12.0]);
    }
    let categories = Categories::new("t".into(), "t".into(), CategoricalPhysical::U32);
    let categorical = words()
        .cast(&DataType::from_categories(categories))
        .unwrap();
    check(
        "categorical",
        &parquet("categorical", categorical, floats()).0,
        &closes,
    );
    let counted = |scale: i64| Column::new("Date".into(), DAYS.map(|day| scale * day));
    for scale in [86_400, 86_400_000, 86_400_000_000] {
        check(
            "epoch",
            &parquet("epoch", counted(scale), floats()).0,
            &closes,
        );
    }
    let digits = Column::new("Date".into(), [20_180_102, 20_180_103, 20_180_115]);
    check("digits", &parquet("digits", digits, floats()).0, &closes);
    // Midnights of New York and of Tokyo, stored in universal time.
    for (zone, hours) in [
        ("America/New_York", 5),
        ("Asia/Tokyo", -9),
        ("-05:00", 5),
        ("UTC", 0),
    ] {
        let instants = Column::new(
            "Date".into(),
            DAYS.map(|day| 1000 * 3600 * (24 * day + hours)),
        );
        let zone = polars::prelude::TimeZone::opt_try_new(Some(zone)).unwrap();
        let instants = instants.i64().unwrap().clone();
        let instants = instants
            .into_datetime(TimeUnit::Milliseconds, zone)
            .into_series();
        check("zone", &parquet("zone", instants, floats()).0, &closes);
    }
}

/// pandas: an index with and without a name, columns of several levels; a column of a type that is not read is none of
/// the reader's business where it is not used.
#[test]
fn parquet_of_pandas() {
    let closes = [10.25, 10.5, 11.0];
    let words = ["2018-01-02", "2018-01-03", "2018-01-15"];
    let unnamed = df!("Close" => closes, "__index_level_0__" => words).unwrap();
    check("unnamed", &Scratch::parquet("unnamed", unnamed).0, &closes);
    let levels =
        df!("Date" => words, "('Close', 'SPY')" => closes, "('High', 'SPY')" => closes).unwrap();
    check("levels", &Scratch::parquet("levels", levels).0, &closes);
    let unused =
        df!("Date" => words, "Close" => closes, "Open" => [&b"x"[..], b"y", b"z"]).unwrap();
    check("unused", &Scratch::parquet("unused", unused).0, &closes);
    let mut named = df!("session" => words, "Close" => closes, "High" => closes).unwrap();
    let file = Scratch::new("named-index", "parquet");
    let note = "{\"index_columns\": [\"session\"], \"columns\": []}".to_string();
    ParquetWriter::new(std::fs::File::create(&file.0).unwrap())
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(vec![(
            "pandas".into(),
            note,
        )])))
        .finish(&mut named)
        .unwrap();
    check("named-index", &file.0, &closes);
}

/// Days of rest and midnights of another zone are said, and do not stop anything.
#[test]
fn oddities_are_warnings() {
    let rows: String = (1..=28)
        .filter(|day| day % 7 != 6)
        .map(|day| format!("2018-01-{day:02} 05:00:00,10\n"))
        .collect();
    let file = Scratch::csv("odd", &format!("Date,Close\n{rows}"));
    let history = History::load(&file.0).unwrap();
    assert_eq!(history.len(), 24);
    let [rest, midnight] = history.warnings.as_slice() else {
        panic!("{:?}", history.warnings);
    };
    assert!(
        rest.contains("4 days of 24 are Saturdays or Sundays"),
        "{rest}"
    );
    assert!(midnight.contains("stamped 05:00"), "{midnight}");
}
