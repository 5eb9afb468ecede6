//! Every rule by name, and what no rule can mend.

use super::fixture::{self, MadeRow};
use super::tests::{report_of, written};
use super::*;
use crate::market::history::fixture::Scratch;
use chrono::Days;
use std::path::PathBuf;

const HEADER: &str = "date,time,spot,expiry,strike,kind,bid,ask\n";

/// The rows of a day as a file by columns, without their header.
fn plain(rows: &[MadeRow]) -> String {
    let mut text = String::new();
    for row in rows {
        for (kind, (bid, ask)) in [("call", row.call), ("put", row.put)] {
            text += &format!(
                "{},16,{},{},{},{kind},{bid},{ask}\n",
                row.date, row.spot, row.expiry, row.strike
            );
        }
    }
    text
}

fn load(folder: &Scratch, text: &str) -> Result<Chains, crate::Error> {
    let path = written(folder, "rules.csv", text);
    Chains::load(&[path], &ChainOptions::default())
}

fn report(folder: &Scratch, text: &str, settings: &QuoteSettings) -> ChainReport {
    ChainReport::of(load(folder, text).unwrap(), settings).unwrap()
}

/// One faulty row beside a clean chain is dropped by the rule that names its fault, and by no other; a rule that is left out drops nothing.
#[test]
fn every_rule_drops_what_it_names() {
    let folder = Scratch::new("quotes-rules");
    let made = fixture::day(3);
    let clean = HEADER.to_owned() + &plain(&made.rows(21));
    let (date, spot) = (made.date, made.spot);
    let expiry = made.date + Days::new(60);
    let near = made.date + Days::new(3);
    let far = made.date + Days::new(2000);
    let first = plain(&made.rows(21)[..1]);
    let first = first.lines().next().unwrap();
    let strike = 2000;
    for (rule, row) in [
        (
            Rule::Blank,
            format!("{date},16,{spot},{expiry},,call,1,1.1"),
        ),
        (
            Rule::Blank,
            format!("{date},16,{spot},,{strike},call,1,1.1"),
        ),
        (
            Rule::Blank,
            format!(",16,{spot},{expiry},{strike},call,1,1.1"),
        ),
        (
            Rule::Intraday,
            format!("{date},10,{spot},{expiry},{strike},put,1,1.1"),
        ),
        (Rule::Duplicate, first.to_owned()),
        (
            Rule::Expired,
            format!("{date},16,{spot},{date},{strike},put,1,1.1"),
        ),
        (
            Rule::Expired,
            format!("{date},16,{spot},2017-06-16,{strike},put,1,1.1"),
        ),
        (
            Rule::NoAsk,
            format!("{date},16,{spot},{expiry},{strike},put,1,"),
        ),
        (
            Rule::NoAsk,
            format!("{date},16,{spot},{expiry},{strike},put,1,0"),
        ),
        (
            Rule::NoBid,
            format!("{date},16,{spot},{expiry},{strike},put,0,.1"),
        ),
        (
            Rule::NoBid,
            format!("{date},16,{spot},{expiry},{strike},put,,.1"),
        ),
        (
            Rule::Crossed,
            format!("{date},16,{spot},{expiry},{strike},put,1.1,1"),
        ),
        (
            Rule::Wide,
            format!("{date},16,{spot},{expiry},{strike},put,1,2"),
        ),
        (
            Rule::Short,
            format!("{date},16,{spot},{near},{strike},put,1,1.1"),
        ),
        (
            Rule::Long,
            format!("{date},16,{spot},{far},{strike},put,1,1.1"),
        ),
        (
            Rule::Bounds,
            format!("{date},16,{spot},{expiry},{strike},call,300,301"),
        ),
        (
            Rule::Bounds,
            format!("{date},16,{spot},{expiry},{strike},put,2500,2501"),
        ),
        (
            Rule::NoVolatility,
            format!("{date},16,{spot},{expiry},{strike},put,1900,1901"),
        ),
    ] {
        let text = format!("{clean}{row}\n");
        let found = report(&folder, &text, &QuoteSettings::default());
        assert_eq!(
            found.dropped.of(rule),
            1,
            "{} of {row}: {:?}",
            rule.name(),
            found.dropped
        );
        assert_eq!(found.dropped.total(), 1, "{row}: {:?}", found.dropped);
        assert_eq!(found.kept() + 1, found.read);
        assert!(found.residuals.root_mean_square() < 1e-3, "{row}");
        if !rule.is_needed() {
            let settings = QuoteSettings {
                cleaning: Cleaning {
                    off: vec![rule],
                    ..Cleaning::default()
                },
                ..QuoteSettings::default()
            };
            let without = report(&folder, &text, &settings);
            assert_eq!(without.dropped.of(rule), 0, "{} is left out", rule.name());
        }
    }
}

/// Quotes of the day before that did not move though the spot did are stale; those of options that it hardly moves are not. Prices that move
/// against the spot stay.
#[test]
fn stale_quotes_are_not_wrong_way_moves() {
    let folder = Scratch::new("quotes-stale");
    let (before, after) = (fixture::day(0), fixture::day(1));
    let (old, new) = (before.rows(21), after.rows(21));
    let expiry = before.date + Days::new(60);
    let strike = 2700.0;
    let fresh = after.expiry(expiry, 21, false);
    let line = |date: chrono::NaiveDate, kind: &str, bid: f64| {
        let spot = if date == after.date {
            after.spot
        } else {
            before.spot
        };
        format!(
            "{date},16,{spot},{expiry},{strike},{kind},{bid},{}\n",
            bid + 0.5
        )
    };
    assert!(after.spot > before.spot + 50.0);
    let days = format!("{HEADER}{}{}{}", plain(&old), plain(&new), plain(&fresh));
    // A put out of the money that stands still, and one that rises with the spot.
    for (now, stale) in [(30.0, 1), (38.0, 0)] {
        let text = days.clone() + &line(before.date, "put", 30.0) + &line(after.date, "put", now);
        let found = report(&folder, &text, &QuoteSettings::default());
        assert_eq!(
            found.dropped.of(Rule::Stale),
            stale,
            "{now}: {:?}",
            found.dropped
        );
        assert_eq!(found.dropped.total(), stale);
    }
    let still = report(&folder, &days, &QuoteSettings::default());
    assert_eq!(still.dropped.total(), 0);
}

/// A sixth of the pairs far off leaves forward and rate where they were.
#[test]
fn parity_leaves_outliers_out() {
    let folder = Scratch::new("quotes-outliers");
    let made = fixture::day(4);
    let mut rows = made.rows(36);
    for (place, row) in rows.iter_mut().enumerate() {
        if place % 6 == 2 && row.strike < 2700.0 {
            row.call.0 += 20.0;
            row.call.1 += 20.0;
        }
    }
    let found = report(
        &folder,
        &(HEADER.to_owned() + &plain(&rows)),
        &QuoteSettings::default(),
    );
    for expiry in &found.days[0].expiries {
        let forward = expiry.forward.unwrap();
        let carry = (made.rate - made.dividend) * expiry.calendar_years;
        assert!(
            (forward.forward / (made.spot * carry.exp()) - 1.0).abs() < 1e-6,
            "{forward:?}"
        );
        assert!((forward.rate - made.rate).abs() < 1e-4, "{forward:?}");
    }
}

/// Days without a surface say why: one expiry, calls alone, prices that say nothing. With a rate beside it a chain of calls has forwards.
#[test]
fn days_without_a_surface_say_why() {
    let folder = Scratch::new("quotes-why");
    let made = fixture::day(0);
    let rows = made.rows(21);
    let one = made.expiry(made.date + Days::new(60), 21, false);
    let calls: String = plain(&rows)
        .lines()
        .filter(|l| l.contains("call"))
        .map(|l| format!("{l}\n"))
        .collect();
    let equal: String = one
        .iter()
        .flat_map(|row| {
            ["call", "put"].map(|kind| {
                format!(
                    "{},16,{},{},{},{kind},2,2.1\n",
                    row.date, row.spot, row.expiry, row.strike
                )
            })
        })
        .collect();
    for (text, why) in [
        (plain(&one), "one expiry, five factors take two"),
        (calls.clone(), "no expiry has a forward"),
        (equal, "no expiry has a forward"),
        (plain(&rows[..2]), "no expiry has a forward"),
    ] {
        let found = report(
            &folder,
            &format!("{HEADER}{text}"),
            &QuoteSettings::default(),
        );
        let (_, found) = found.unfitted().next().unwrap();
        assert!(found.contains(why), "{found}, expected {why}");
    }
    let rated = calls.replace('\n', ",0.003\n");
    let header = HEADER.replace('\n', ",rate\n");
    let found = report(&folder, &(header + &rated), &QuoteSettings::default());
    // The yield is left out and stands in the rate: r − q is what forwards take.
    assert!(
        found.fitted().next().is_some(),
        "{:?}",
        found.days[0].fitted
    );
    assert_eq!(found.days[0].expiries[0].forward.unwrap().pairs, 0);
}

/// What cannot be read is refused in one line with its place.
#[test]
fn bad_chains_are_refused_in_one_line() {
    let folder = Scratch::new("quotes-bad");
    let good = "2018-01-02,16,2700,2018-03-16,2700,call,1,1.1\n";
    let two = "underlying,date,expiry,strike,kind,bid,ask\n^SPX,2018-01-02,2018-03-16,1,C,1,2\nNDX,2018-01-02,2018-03-16,1,C,1,2\n";
    for (text, expected) in [
        (
            format!("{HEADER}{good}2018-01-02,16,2700,2018-03-16,2700,call,x,1\n"),
            "row 2, column \"bid\": must be a number, was \"x\"",
        ),
        (
            format!("{HEADER}{good}2018-01-02,16,2700,2018-03-16,2700,both,1,1\n"),
            "row 2, column \"kind\": must be C or P, was \"both\"",
        ),
        (
            format!("{HEADER}{good}2018-01-02,16,2700,someday,2700,call,1,1\n"),
            "row 2, column \"expiry\": must be a date such as 2020-01-31, was \"someday\"",
        ),
        (
            format!(
                "{HEADER}{}",
                good.replace("2018-01-02", "02/01/2018")
                    .replace("2018-03-16", "03/02/2018")
            ),
            "may be day/month or month/day",
        ),
        (
            two.to_owned(),
            "has options of SPX and of NDX: --underlying SPX takes those of one",
        ),
        (
            "date,expiry,strike,last\n2018-01-02,2018-03-16,1,1\n".to_owned(),
            "has neither bid and ask nor implied volatilities",
        ),
    ] {
        let error = load(&folder, &text).map(|_| ()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let message = error.to_string();
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.contains(expected), "{message}, expected {expected}");
    }
    let path = written(&folder, "two.csv", two);
    let options = |name: &str| ChainOptions {
        underlying: Some(name.to_owned()),
        ..ChainOptions::default()
    };
    assert_eq!(
        Chains::load(std::slice::from_ref(&path), &options("$spx"))
            .unwrap()
            .read,
        1
    );
    let none = Chains::load(&[path], &options("DAX"))
        .map(|_| ())
        .unwrap_err();
    assert!(
        none.to_string()
            .contains("--underlying: has no options of DAX"),
        "{none}"
    );
    for (cleaning, expected) in [
        (
            Cleaning {
                widest: 0.0,
                ..Cleaning::default()
            },
            "--widest-spread",
        ),
        (
            Cleaning {
                least_days: 0.0,
                ..Cleaning::default()
            },
            "--least-days",
        ),
        (
            Cleaning {
                most_days: 2.0,
                ..Cleaning::default()
            },
            "--most-days",
        ),
        (
            Cleaning {
                off: vec![Rule::Expired],
                ..Cleaning::default()
            },
            "--without: the rule expired",
        ),
    ] {
        let message = cleaning.check().unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

/// Cells replaced by odd ones at random: the chain is read or refused in one line, and nothing panics.
#[test]
fn damaged_chains_are_read_or_refused() {
    const ODD: [&str; 16] = [
        "",
        "nan",
        "inf",
        "-1",
        "0",
        "1e308",
        "-99.99",
        "1 x 1",
        "2018-13-45",
        "9999-12-31",
        "0001-01-01",
        "\u{0}",
        "99999999999",
        "%",
        "C",
        "1,5",
    ];
    let folder = Scratch::new("quotes-odd");
    let rows: Vec<MadeRow> = (0..2).flat_map(|n| fixture::day(n).rows(7)).collect();
    let forms = [
        fixture::options_dx(&rows),
        fixture::cboe(&rows),
        fixture::option_metrics(&rows),
        fixture::orats(&rows, 0.02),
        HEADER.to_owned() + &plain(&rows),
    ];
    let mut state = 12_345u64;
    let mut random = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let (mut read, mut refused) = (0, 0);
    for trial in 0..300 {
        let mut lines: Vec<Vec<String>> = forms[trial % forms.len()]
            .lines()
            .map(|line| line.split(',').map(str::to_owned).collect())
            .collect();
        for _ in 0..=random(6) {
            let row = random(lines.len());
            let column = random(lines[row].len());
            lines[row][column] = ODD[random(ODD.len())].to_owned();
        }
        let lines: Vec<String> = lines.iter().map(|cells| cells.join(",")).collect();
        let path: PathBuf = written(&folder, "odd.csv", &(lines.join("\n") + "\n"));
        match Chains::load(&[path], &ChainOptions::default()) {
            Ok(chains) => {
                let report = ChainReport::of(chains, &QuoteSettings::default()).unwrap();
                assert_eq!(report.kept() + report.dropped.total(), report.read);
                let text = report.surface_file();
                assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
                read += 1;
            }
            Err(error) => {
                assert_eq!(error.exit_code(), 2, "{error}");
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
                refused += 1;
            }
        }
    }
    assert!(read > 50 && refused > 20, "{read} read, {refused} refused");
}

/// Files that no one made for this: a chain whose prices say nothing has no surface, and says so.
#[test]
fn two_files_of_different_things_are_refused() {
    let folder = Scratch::new("quotes-mixed");
    let rows = fixture::day(0).rows(7);
    let priced = written(&folder, "prices.csv", &fixture::cboe(&rows));
    let volatilities = "date,spot,expiry,strike,iv\n2018-01-03,2700,2018-03-16,2700,.2\n";
    let volatilities = written(&folder, "volatilities.csv", volatilities);
    let error = Chains::load(&[priced.clone(), volatilities], &ChainOptions::default());
    let message = error.map(|_| ()).unwrap_err().to_string();
    assert!(
        message.contains("the file before the other of the two"),
        "{message}"
    );
    // One row alone has no volatility beside it.
    let once = report_of(&[priced], &ChainOptions::default());
    assert!(once.stated.is_none());
}
