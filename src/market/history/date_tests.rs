use super::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// Every form of the fourth of January 1999 that says by itself which day it is.
#[test]
fn forms_that_leave_nothing_open() {
    for text in [
        "1999-01-04",
        " 1999-01-04 ",
        "1999-1-4",
        "1999/01/04",
        "1999.01.04",
        "1999-01-04T00:00:00",
        "1999-01-04 16:00",
        "1999-01-04 16:00:00.000",
        "1999-01-04T16:00:00Z",
        "1999-01-04 00:00:00-05:00",
        "1999-01-04 00:00:00+0000",
        "19990104 170000",
        "1999.01.04 00:00:00",
        "04-Jan-1999",
        "4 January 1999",
        "Jan 4, 1999",
        "January 04, 1999",
        "Mon, 4 Jan 1999",
        "Mon Jan 4 1999 00:00:00 GMT+0000",
        "4. Januar 1999",
        "04.Jan.1999 16:00",
    ] {
        let Cell::Day(date, _) = cell(text) else {
            panic!("{text}: {:?}", cell(text));
        };
        assert_eq!(date, day(1999, 1, 4), "{text}");
    }
    assert_eq!(cell("2. März 2018"), Cell::Day(day(2018, 3, 2), None));
    let afternoon = Cell::Day(day(2018, 3, 2), Some(16 * 3600 + 30 * 60));
    assert_eq!(cell("2018-03-02T16:30:00+01:00"), afternoon);
    assert_eq!(cell("2 Mar 2018 4:30 PM"), afternoon);
}

#[test]
fn forms_that_leave_the_order_open() {
    for (text, dotted, clock) in [
        ("3/4/2018", false, None),
        ("03-04-2018", false, None),
        ("03.04.2018", true, None),
        ("3/4/2018 4:00 PM", false, Some(16 * 3600)),
    ] {
        let expected = Cell::Open {
            first: 3,
            second: 4,
            year: 2018,
            dotted,
            clock,
        };
        assert_eq!(cell(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_date() {
    for text in [
        "1999-02-30",
        "1/4/99",
        "04-Jan-99",
        "1999-01-04 noon",
        "1999-01-04 25:00",
        "1999-01-04-05",
        "é/1/1999",
        "yesterday",
        "1999",
        "Jan 1999",
        "1/1/1/1999",
    ] {
        let read = cell(text);
        assert!(
            matches!(read, Cell::Other | Cell::Number(_)),
            "{text}: {read:?}"
        );
    }
    assert_eq!(cell("  "), Cell::Blank);
    assert_eq!(cell("NaT"), Cell::Blank);
    assert_eq!(cell("20180102"), Cell::Number(20_180_102.0));
}

/// The same midnight counted in every way: `date -u -d 2018-01-02 +%s` prints 1514851200; LibreOffice shows 43102 for it.
#[test]
fn numbers_count_what_their_size_says() {
    let expected = day(2018, 1, 2);
    for (number, count) in [
        (20_180_102.0, Count::Digits),
        (43_102.0, Count::Excel),
        (1_514_851_200.0, Count::Epoch(1)),
        (1.5148512e12, Count::Epoch(1_000)),
        (1.5148512e15, Count::Epoch(1_000_000)),
        (1.5148512e18, Count::Epoch(1_000_000_000)),
    ] {
        assert_eq!(Count::of(number, number + 1.0), Some(count), "{number}");
        assert_eq!(count.instant(number).unwrap().0, expected, "{number}");
    }
    // A history that begins before 1970.
    assert_eq!(Count::of(-1.3e9, 1.5e9), Some(Count::Epoch(1)));
    assert_eq!(
        Count::Epoch(1).instant(-86_400.0).unwrap().0,
        day(1969, 12, 31)
    );
    assert_eq!(Count::of(1.0, 2.0), None);
    assert_eq!(Count::Excel.instant(f64::NAN), None);
}

#[test]
fn formats_are_read_and_written() {
    for name in [
        "ymd",
        "dmy",
        "mdy",
        "excel",
        "seconds",
        "milliseconds",
        "%d.%m.%y",
    ] {
        assert_eq!(
            DateFormat::parse("--date-format", name).unwrap().name(),
            name
        );
    }
    assert_eq!(
        by_pattern("04.01.99", "%d.%m.%y"),
        Some((day(1999, 1, 4), None))
    );
    assert_eq!(
        by_pattern("04.01.99 16:00", "%d.%m.%y %H:%M"),
        Some((day(1999, 1, 4), Some(57_600)))
    );
    assert_eq!(by_pattern("x", "%d.%m.%y"), None);
    for text in ["day first", "%Q"] {
        let error = DateFormat::parse("--date-format", text).unwrap_err();
        assert!(error.to_string().contains("--date-format"), "{error}");
    }
}
