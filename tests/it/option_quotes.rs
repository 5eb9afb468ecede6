//! `data check` and `data surface` on option chains.

use super::*;

#[path = "../../src/quotes/fixture.rs"]
#[allow(dead_code)]
mod fixture;

fn written(name: &str, text: &str) -> PathBuf {
    let path = strategy(name, SMALL).with_extension("csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = deephedge(arguments, "2");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A chain is understood, its document is one, and its surface file has the factors that it was made of; without the flag nothing is said on
/// standard error.
#[test]
fn chains_are_checked_and_become_surfaces() {
    let made: Vec<fixture::MadeDay> = (0..2).map(fixture::day).collect();
    let rows: Vec<fixture::MadeRow> = made.iter().flat_map(|day| day.rows(21)).collect();
    let chain = written("quotes_chain", &fixture::options_dx(&rows));
    let chain = chain.to_str().unwrap();
    let (code, text, errors) = run(&["data", "check", chain]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    for part in [
        "OptionsDX",
        "2 days, ",
        "forwards by parity",
        "volatility points",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, document, _) = run(&["data", "check", chain, "--json"]);
    assert_eq!(code, Some(0));
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["files"][0]["format"], "OptionsDX");
    assert_eq!(document["quotes"]["read"], 2 * rows.len());
    assert_eq!(document["dropped"]["crossed"], 0);
    let place = Path::new(chain).with_extension("factors.csv");
    let output = place.to_str().unwrap();
    let (code, _, errors) = run(&["data", "surface", chain, "--output", output]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let file = std::fs::read_to_string(&place).unwrap();
    let mut lines = file.lines();
    assert_eq!(
        lines.next(),
        Some("date,close,rate,level,slope,moneyness,smile,smirk")
    );
    for (line, made) in lines.zip(&made) {
        let (date, numbers) = line.split_once(',').unwrap();
        assert_eq!(date, made.date.to_string());
        let numbers: Vec<f64> = numbers.split(',').map(|n| n.parse().unwrap()).collect();
        let expected = [made.spot, made.rate]
            .into_iter()
            .chain(made.factors.to_array());
        for (found, expected) in numbers.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-4 * expected.abs().max(0.1),
                "{line}"
            );
        }
    }
}

/// What is no chain, and a chain that has no surface, are refused in one line with exit code 2, and no file is written.
#[test]
fn what_has_no_surface_is_refused() {
    let chain = written(
        "quotes_equal",
        "date,spot,expiry,strike,kind,bid,ask\n2021-12-20,100,2022-01-20,90,C,2,2.1\n2021-12-20,100,2022-01-20,90,P,2,2.1\n",
    );
    let chain = chain.to_str().unwrap();
    let yahoo = written(
        "quotes_yahoo",
        "contractSymbol,lastTradeDate,strike,lastPrice,bid,ask,expiration\nX220121C00090000,2021-12-20 15:59:00+00:00,90.0,2.0,1.9,2.1,2022-01-21\n",
    );
    let yahoo = yahoo.to_str().unwrap();
    let prices = concat!(env!("CARGO_MANIFEST_DIR"), "/market_data/sp500_daily.csv");
    let place = Path::new(chain).with_extension("none.csv");
    let output = place.to_str().unwrap();
    for (arguments, expected) in [
        (
            &["data", "surface", chain, "--output", output][..],
            "no day has a surface, 2021-12-20: no expiry has a forward",
        ),
        (
            &["data", "surface", yahoo, "--output", output],
            "no column of quote date; add it, or name it by --columns date=COLUMN",
        ),
        (
            &["data", "surface", prices, "--output", output],
            "is neither a chain of options",
        ),
        (
            &["data", "check", prices, "--fit", "svi"],
            "--fit: is an option for option chains",
        ),
        (
            &["data", "check", chain, "--without", "expired"],
            "must be one of intraday, duplicate",
        ),
        (
            &["data", "check", chain, "--repair", "blanks"],
            "--repair: is an option for price files",
        ),
        (
            &["data", "check", chain, "--least-days", "0"],
            "--least-days",
        ),
    ] {
        let (code, _, errors) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
        assert!(!place.exists(), "{arguments:?}");
    }
    let made = fixture::day(0);
    let cboe = written("quotes_cboe", &fixture::cboe(&made.rows(7)));
    let (code, _, errors) = run(&["calibrate", "--surface", cboe.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(
        errors.contains(
            "a chain of Cboe end of day becomes a surface of every day by `deephedge data surface`"
        ),
        "{errors}"
    );
}
