//! `hedge`: a book of contracts today, through the binary.

use super::*;
use serde_json::Value;
use std::fs;

const TRADING: &str = "expiry_days = 10\ndays_per_year = 252\n";

/// A small run on simulated paths, and the folder of its runs.
fn trained(name: &str) -> (PathBuf, String) {
    let text = SMALL.replace("expiry_days = 10\n", TRADING);
    let path = strategy(name, &text);
    let runs = path.with_extension("runs");
    let compared = document(
        &["compare", path.to_str().unwrap(), "--seeds=2"],
        &runs,
        "2",
    );
    (runs, compared["run"].as_str().unwrap().to_owned())
}

fn book(name: &str, text: &str) -> String {
    let path = scratch().join(format!("{name}.csv"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const BOOK: &str = "id,sold,quantity,held\nfirst,2010-03-01,10,5\nsecond,2010-03-03,-4,\nthird,2010-03-08,2.5,\nover,2010-02-01,1,0.5\n";

/// One document has every contract and the net of all; the table of `--out` is the same in CSV and in Parquet, which is read again; a day
/// later positions are others, and the day itself is answered with the same bits from a file that ends on it.
#[test]
fn a_book_is_hedged_as_of_its_day() {
    let (runs, run) = trained("hedge");
    let book = book("hedge-book", BOOK);
    let csv = scratch().join("hedge-out.csv");
    let parquet = scratch().join("hedge-out.parquet");
    let hedged = |data: &str, more: &[&str]| {
        // Seeds of so few steps differ by more than the usual tenth, and what-ifs show policies alone.
        let agreed = ["--force", "--disagreement=9"];
        let mut arguments = vec!["hedge", &run, &book, "--data", data];
        arguments.extend(agreed.iter().chain(more));
        document(&arguments, &runs, "2")
    };
    let out = [
        "--date",
        "2010-03-10",
        "--out",
        csv.to_str().unwrap(),
        "--what-if=-2%..2%:5",
    ];
    let found = hedged(HISTORY, &out);
    assert_eq!(found["date"], "2010-03-10");
    assert_eq!(found["seeds"].as_array().unwrap().len(), 2);
    let contracts = found["contracts"].as_array().unwrap();
    let standing: Vec<&Value> = contracts.iter().map(|one| &one["standing"]).collect();
    assert_eq!(standing, ["trades", "trades", "trades", "ended"]);
    // Seven closes after the sale on the first of March.
    assert_eq!(contracts[0]["hedging_date"], serde_json::json!([7, 10]));
    let of = |one: &Value, key: &str| one["positions"][0][key].as_f64().unwrap();
    assert!(of(&contracts[0], "position") > 0.0 && of(&contracts[1], "position") < 0.0);
    assert_eq!(of(&contracts[3], "trade"), -0.5);
    let sum: f64 = contracts.iter().map(|one| of(one, "trade")).sum();
    let net = &found["net"][0];
    assert!((net["trade"].as_f64().unwrap() - sum).abs() < 1e-9);
    let (netted, apart) = (&net["cost"], &net["cost_separate"]);
    assert!(netted.as_f64().unwrap() < apart.as_f64().unwrap());
    let moves = found["what_if"].as_array().unwrap();
    let rising: Vec<f64> = moves
        .iter()
        .map(|one| one["spot"].as_f64().unwrap())
        .collect();
    assert!(moves.len() == 5 && rising.is_sorted());
    let here = moves[2]["net"][0].as_f64().unwrap();
    assert!((here - net["position"].as_f64().unwrap()).abs() < 1e-9);
    let table = fs::read_to_string(&csv).unwrap();
    assert_eq!(table.lines().count(), 5);
    assert!(table.starts_with("id,sold,expiry,quantity,strike,standing,held_by,price_spot,"));
    hedged(
        HISTORY,
        &["--date", "2010-03-10", "--out", parquet.to_str().unwrap()],
    );
    let read = deephedge(&["data", "columns", parquet.to_str().unwrap()], "1");
    assert!(read.status.success());

    let whole = fs::read_to_string(HISTORY).unwrap();
    let end = whole.find("3/11/2010").unwrap();
    let cut = scratch().join("hedge-cut.csv");
    fs::write(&cut, &whole[..end]).unwrap();
    let cut = hedged(cut.to_str().unwrap(), &[]);
    for key in ["contracts", "net", "date", "estimated"] {
        assert_eq!(cut[key], found[key], "{key}");
    }
    let later = hedged(HISTORY, &["--date", "2010-03-11"]);
    assert_ne!(later["contracts"], found["contracts"]);
    let text = deephedge(
        &[
            "hedge",
            &run,
            &book,
            "--data",
            HISTORY,
            "--date",
            "2010-03-10",
            "--force",
            "--runs",
            runs.to_str().unwrap(),
        ],
        "1",
    );
    let text = String::from_utf8(text.stdout).unwrap();
    for words in ["first", "held by", "Of everything together"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// Bad input is one line and exit code 2, and leaves no file.
#[test]
fn bad_books_and_arguments_are_refused() {
    let (runs, run) = trained("hedge-bad");
    let right = book("hedge-right", BOOK);
    let wrong = book("hedge-wrong", "sold,quantity\n2010-03-06,1\n");
    let far = book("hedge-far", "sold,quantity,strike\n2010-03-01,1,500\n");
    let out = scratch().join("hedge-none.csv");
    let out = out.to_str().unwrap();
    let data = ["--data", HISTORY, "--date", "2010-03-10"];
    for (book, more, words) in [
        (&right, vec!["--optimizer", "sgd"], "one of adam, kfac"),
        (&right, vec!["--disagreement=-1"], "at least 0"),
        (&right, vec!["--what-if", "5%..-5%"], "-5%..5%"),
        (&right, vec!["--out", "table.txt"], ".csv or .parquet"),
        (
            &wrong,
            vec![],
            "row 1 of the book was sold on 2010-03-06: that day has no close",
        ),
        (
            &far,
            vec!["--out", out],
            "outside of what the policies were trained on: row 1",
        ),
    ] {
        let mut arguments = vec!["hedge", &run, book, "--runs", runs.to_str().unwrap()];
        arguments.extend(data);
        arguments.extend(more);
        let ended = deephedge(&arguments, "1");
        let error = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{words}: {error}");
        assert!(error.contains(words), "{words}: {error}");
        assert!(ended.stdout.is_empty());
    }
    assert!(!Path::new(out).exists());
    let none = deephedge(
        &["hedge", &run, &right, "--runs", runs.to_str().unwrap()],
        "1",
    );
    let error = String::from_utf8(none.stderr).unwrap();
    assert!(
        none.status.code() == Some(2) && error.contains("--data"),
        "{error}"
    );
}
