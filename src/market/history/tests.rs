use super::*;
use crate::error::Error;
use polars::prelude::{
    DataFrame, DataType, IntoColumn, NamedFrom, ParquetWriter, Series, TimeUnit, df,
};
use std::fs;

/// A file in the temporary folder that is removed at the end of the test.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(test: &str, extension: &str) -> Self {
        let name = format!("deephedge-{}-{test}.{extension}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub fn csv(test: &str, text: &str) -> Self {
        let scratch = Self::new(test, "csv");
        fs::write(&scratch.0, text).unwrap();
        scratch
    }

    pub fn parquet(test: &str, mut frame: DataFrame) -> Self {
        let scratch = Self::new(test, "parquet");
        let file = fs::File::create(&scratch.0).unwrap();
        ParquetWriter::new(file).finish(&mut frame).unwrap();
        scratch
    }

    /// The refusal, without the path in front of it, which must be there.
    pub fn refusal(&self) -> String {
        let error = History::load(&self.0).unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{error:?}");
        let message = error.to_string();
        assert!(!message.contains('\n'), "{message}");
        let path = format!("{}: ", self.0.display());
        message.strip_prefix(&path).expect(&message).to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Options that repair what is named, and say nothing else.
pub fn reading(repair: &[&str]) -> Reading {
    let repair = Some(repair.iter().map(ToString::to_string).collect());
    let raw = RawReading {
        repair,
        ..RawReading::default()
    };
    Reading::new(&raw, str::to_string).unwrap()
}

pub fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// First and last row as they stand in the file.
#[test]
fn the_sample_loads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("market_data/sp500_daily.csv");
    let history = History::load(path).unwrap();
    assert_eq!(history.len(), 5031);
    assert_eq!(history.close_column, "Close");
    assert_eq!(history.date_column, "Date");
    assert_eq!(
        (history.dates[0], history.close[0]),
        (day(1999, 1, 4), 1228.099976)
    );
    assert_eq!(
        (history.dates[5030], history.close[5030]),
        (day(2018, 12, 31), 2506.850098)
    );
    let returns = history.log_returns();
    assert_eq!(returns.len(), 5030);
    assert_eq!(returns[0], (1244.780029f64 / 1228.099976).ln());
}

#[test]
fn the_day_at_or_after_a_date() {
    let file = Scratch::csv("index", "date,close\n2020-01-03,10\n2020-01-06,11\n");
    let history = History::load(&file.0).unwrap();
    assert_eq!(history.index_from(day(2019, 1, 1)), 0);
    assert_eq!(history.index_from(day(2020, 1, 3)), 0);
    assert_eq!(history.index_from(day(2020, 1, 4)), 1);
    assert_eq!(history.index_from(day(2020, 1, 7)), history.len());
}

#[test]
fn columns_in_any_order_case_and_company() {
    let file = Scratch::csv(
        "order",
        "Adj Close,note,CLOSE,TimeStamp\n9,\"a, b\",1.5,2020-01-03 16:00:00\n9,,1.6,2020-01-06\n",
    );
    let history = History::load(&file.0).unwrap();
    assert_eq!(history.close, [1.5, 1.6]);
    assert_eq!(history.close_column, "CLOSE");
    assert_eq!(history.date_column, "TimeStamp");
    assert_eq!(history.dates, [day(2020, 1, 3), day(2020, 1, 6)]);
    let adjusted = Scratch::csv(
        "adjusted",
        "Price,adj_close,time\r\n1,2.5,2020-01-03\r\n1,3,2020-01-06\r\n",
    );
    let history = History::load(&adjusted.0).unwrap();
    assert_eq!(history.close, [2.5, 3.0]);
    assert_eq!(history.close_column, "adj_close");
}

/// Commas, or semicolons or tabs where the first line has no comma; a byte-order mark.
#[test]
fn separators() {
    for (name, text) in [
        (
            "semicolon",
            "note;date;close\n\"a;b\";2020-01-03;1.5\n;2020-01-06;1.75\n",
        ),
        (
            "tab",
            "date\tclose\tnote\n2020-01-03\t1.5\ta, b\n2020-01-06\t1.75\t\n",
        ),
        (
            "mark",
            "\u{feff}date,close\r\n2020-01-03,1.5\r\n2020-01-06,1.75\r\n",
        ),
    ] {
        let file = Scratch::csv(name, text);
        let history = History::load(&file.0).unwrap();
        assert_eq!(history.dates, [day(2020, 1, 3), day(2020, 1, 6)], "{name}");
        assert_eq!(history.close, [1.5, 1.75], "{name}");
    }
}

/// Decimal texts whose nearest double is missed by parsers that do not round correctly: halfway
/// cases and long digit strings.
#[test]
fn prices_are_the_nearest_doubles() {
    let texts = [
        "0.1",
        "1228.099976",
        "9007199254740993",
        "1.00000000000000011102230246251565404",
        "2.2250738585072011e-308",
        "123456789.123456789123456789",
    ];
    let mut text = "date,close\n".to_string();
    for (i, price) in texts.iter().enumerate() {
        text += &format!("2020-01-{:02},{price}\n", i + 1);
    }
    let file = Scratch::csv("exact", &text);
    let files = [file.0.clone()];
    let jumps = reading(&["jumps"]);
    let history = History::load_files(&files, &[Quantity::Close], &jumps).unwrap();
    // struct.pack("<d", float(text)) of Python 3.
    let expected = [
        0x3fb999999999999a_u64,
        0x40933066601bc98a,
        0x4340000000000000,
        0x3ff0000000000000,
        0x000fffffffffffff,
        0x419d6f34547e6b75,
    ];
    for (price, bits) in history.close.iter().zip(expected) {
        assert_eq!(price.to_bits(), bits, "{price}");
    }
}

#[test]
fn wrong_files_are_refused_in_one_line() {
    for (test, text, message) in [
        ("empty", "", "the file is empty"),
        (
            "header",
            "date,close\n",
            "needs at least 2 rows of data, has 0",
        ),
        (
            "single",
            "date,close\n2020-01-03,1\n",
            "needs at least 2 rows of data, has 1",
        ),
        (
            "no-close",
            "date,open,high\n2020-01-03,1,2\n",
            "no closing price column, found date, open, high; --columns close=NAME names it",
        ),
        (
            "no-date",
            "day,close\n2020-01-03,1\n",
            "no date column, found day, close; --columns date=NAME names it",
        ),
        (
            "decimal-comma",
            "date;close\n2020-01-03;1.5\n2020-01-06;1,6\n",
            "row 2, column \"close\": price must be a number above 0, was \"1,6\" (--repair blanks)",
        ),
        (
            "ragged",
            "date,close\n2020-01-03,\"1\"\n2020-01-06,1,2,\"3,4\"\n",
            "line 3 has 4 cells, the header 2",
        ),
        (
            "ragged-at-once",
            "date;close\n2020-01-03;1;2\n",
            "line 2 has 3 cells, the header 2",
        ),
        (
            "twice-named",
            "date,Close,CLOSE\n2020-01-03,1,1\n",
            "columns \"Close\" and \"CLOSE\" both name the closing price; --columns close=NAME names it",
        ),
        (
            "nan",
            "date,close\n2020-01-03,1\n2020-01-06,NaN\n",
            "row 2, column \"close\": price must be finite and above 0, was NaN (--repair blanks)",
        ),
        (
            "infinite",
            "date,close\n2020-01-03,1\n2020-01-06,inf\n",
            "row 2, column \"close\": price must be finite and above 0, was inf (--repair prices)",
        ),
        (
            "blank",
            "date,close\n2020-01-03,\n2020-01-06,1\n",
            "row 1, column \"close\": price is blank (--repair blanks)",
        ),
        (
            "negative",
            "date,close\n2020-01-03,1\n2020-01-06,-37.63\n",
            "row 2, column \"close\": price must be finite and above 0, was -37.63 (--repair prices)",
        ),
        (
            "zero",
            "date,close\n2020-01-03,0.0\n2020-01-06,1\n",
            "row 1, column \"close\": price must be finite and above 0, was 0.0 (--repair prices)",
        ),
        (
            "holiday",
            "date,close\n2020-01-03,1\n2020-01-06,.\n",
            "row 2, column \"close\": price is blank (--repair blanks)",
        ),
        (
            "bad-date",
            "Date,close\n2020-01-03,1\n2020-02-30,1\n",
            "row 2, column \"Date\": date must be such as 2020-01-31 or as --date-format says, was \"2020-02-30\" (--repair dates)",
        ),
        (
            "no-day",
            "date,close\n,1\n2020-01-06,1\n",
            "row 1, column \"date\": date is blank (--repair dates)",
        ),
        (
            "unsorted",
            "date,close\n2020-01-06,1\n2020-01-03,1\n",
            "row 2, column \"date\": dates must ascend, 2020-01-03 follows 2020-01-06 (--repair order)",
        ),
        (
            "repeated",
            "date,close\n2020-01-03 10:00,1\n2020-01-03 16:00,1\n",
            "row 2, column \"date\": date 2020-01-03 repeats that of row 1 (--repair duplicates)",
        ),
    ] {
        assert_eq!(Scratch::csv(test, text).refusal(), message, "{test}");
    }
}

#[test]
fn unreadable_files_are_refused_in_one_line() {
    let missing = Scratch::new("missing", "csv");
    assert_eq!(
        missing.refusal(),
        "cannot be read: No such file or directory (os error 2)"
    );
    for (test, bytes, message) in [
        (
            "workbook",
            &b"PK\x03\x04\x14\0"[..],
            "is a ZIP archive, such as a workbook of Excel, expected text (CSV) or Parquet",
        ),
        (
            "page",
            b"<!DOCTYPE html><title>404</title>",
            "is a web page or XML, expected text (CSV) or Parquet",
        ),
        (
            "object",
            b"{\"close\": 1}",
            "is JSON, expected text (CSV) or Parquet",
        ),
        (
            "zeros",
            &[0; 4096],
            "is not text: it has bytes of 0, expected text (CSV) or Parquet",
        ),
        (
            "unclosed",
            b"date,close\n2020-01-03,\"1\n2020-01-06,1\n",
            "line 2 has an odd number of quotation marks, a cell in them does not end",
        ),
    ] {
        let file = Scratch::new(test, "csv");
        fs::write(&file.0, bytes).unwrap();
        assert_eq!(file.refusal(), message, "{test}");
    }
    let broken = Scratch::new("broken", "parquet");
    fs::write(&broken.0, "PAR1 and no more").unwrap();
    assert!(broken.refusal().starts_with("cannot be read: "));
}

/// Dates, instants and text are the same days; floats and integers the same prices.
#[test]
fn parquet_in_every_type() {
    let days = [18_264, 18_267]; // 2020-01-03 and 2020-01-06, counted from 1970.
    let expected = [day(2020, 1, 3), day(2020, 1, 6)];
    let integers = Series::new("Date".into(), days);
    let as_dates = integers.cast(&DataType::Date).unwrap();
    let mut columns = vec![as_dates.clone()];
    for unit in [
        TimeUnit::Nanoseconds,
        TimeUnit::Microseconds,
        TimeUnit::Milliseconds,
    ] {
        columns.push(as_dates.cast(&DataType::Datetime(unit, None)).unwrap());
    }
    columns.push(Series::new(
        "Date".into(),
        ["2020-01-03", "2020-01-06 09:30"],
    ));
    for (i, dates) in columns.into_iter().enumerate() {
        let mut frame = df!("Close" => [10i64, 11]).unwrap();
        if i > 0 {
            frame = df!("Close" => [10.0, 11.0]).unwrap();
        }
        frame.with_column(dates.into_column()).unwrap();
        let file = Scratch::parquet(&format!("types-{i}"), frame);
        let history = History::load(&file.0).unwrap();
        assert_eq!(history.dates, expected, "column {i}");
        assert_eq!(history.close, [10.0, 11.0]);
    }
}

#[test]
fn parquet_refusals() {
    let file = Scratch::parquet(
        "parquet-nan",
        df!("date" => ["2020-01-03", "2020-01-06"], "close" => [1.0, f64::NAN]).unwrap(),
    );
    assert_eq!(
        file.refusal(),
        "row 2, column \"close\": price must be finite and above 0, was NaN (--repair blanks)"
    );
    let file = Scratch::parquet(
        "parquet-null",
        df!("date" => ["2020-01-03", "2020-01-06"], "close" => [None, Some(1.0)]).unwrap(),
    );
    assert_eq!(
        file.refusal(),
        "row 1, column \"close\": price is blank (--repair blanks)"
    );
    let file = Scratch::parquet(
        "parquet-number",
        df!("date" => [1, 2], "close" => [1.0, 2.0]).unwrap(),
    );
    assert_eq!(
        file.refusal(),
        "row 1, column \"date\": date must be such as 2020-01-31 or as --date-format says, was \"1\" (--repair dates) \
         (1 more: deephedge data check)"
    );
    let file = Scratch::parquet(
        "parquet-bool",
        df!("date" => ["2020-01-03", "2020-01-06"], "close" => [true, false]).unwrap(),
    );
    assert!(file.refusal().contains("column \"close\" holds Boolean"));
    let file = Scratch::parquet(
        "parquet-binary",
        df!("date" => ["2020-01-03"], "close" => [&b"1.0"[..]]).unwrap(),
    );
    assert_eq!(
        file.refusal(),
        "column \"close\" holds BinaryView, expected text, numbers, dates or instants"
    );
}
