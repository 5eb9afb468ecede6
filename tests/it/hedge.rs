//! `hedge`: a book of contracts today, through the binary.

use super::*;
use chrono::{Datelike, NaiveDate};
use deephedge::experiment;
use deephedge::hedging::Ensemble;
use deephedge::live::{self, Asked, Desk};
use deephedge::runs::contract_paths::ContractPath;
use deephedge::runs::store;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

const TRADING: &str = "expiry_days = 10\ndays_per_year = 252\n";

/// A small run on simulated paths, and the folder of its runs.
pub fn trained(name: &str) -> (PathBuf, String) {
    trained_for(name, TRADING)
}

/// The same of a contract with these terms.
fn trained_for(name: &str, contract: &str) -> (PathBuf, String) {
    let text = SMALL.replace("expiry_days = 10\n", contract);
    let path = strategy(name, &text);
    let runs = path.with_extension("runs");
    let compared = document(
        &["compare", path.to_str().unwrap(), "--seeds=2"],
        &runs,
        "2",
    );
    (runs, compared["run"].as_str().unwrap().to_owned())
}

pub fn book(name: &str, text: &str) -> String {
    let path = scratch().join(format!("{name}.csv"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

pub const BOOK: &str = "id,sold,quantity,held\nfirst,2010-03-01,10,5\nsecond,2010-03-03,-4,\nthird,2010-03-08,2.5,\nover,2010-02-01,1,0.5\n";

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
            "line 2 of the book was sold on 2010-03-06: that day has no close",
        ),
        (
            &far,
            vec!["--out", out],
            "outside of what the policies were trained on: line 2",
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

/// One policy hedges contracts of several strikes and lives, which a book gives in the money of the prices; what is missing or was not
/// trained is refused by its line.
#[test]
fn a_book_names_its_own_terms() {
    let ranges =
        "strike = { moneyness = [0.9, 1.1] }\nexpiry_days = [5, 10]\ndays_per_year = 252\n";
    let (runs, run) = trained_for("hedge-ranges", ranges);
    let right = book(
        "hedge-terms",
        "sold,quantity,strike,expiry_days\n2010-03-01,10,1100,10\n2010-03-03,-4,1150,7\n",
    );
    let csv = scratch().join("hedge-terms.csv.out.csv");
    let data = ["--data", HISTORY, "--date", "2010-03-05"];
    let out = ["--force", "--out", csv.to_str().unwrap()];
    let mut arguments = vec!["hedge", &run, &right];
    arguments.extend(data.iter().chain(&out));
    let found = document(&arguments, &runs, "2");
    let contracts = found["contracts"].as_array().unwrap();
    let terms: Vec<&Value> = contracts.iter().map(|one| &one["terms"]).collect();
    assert_eq!(
        terms[1],
        &serde_json::json!({ "strike": 1150.0, "expiry_days": 7.0 })
    );
    let strike = contracts[0]["strike"].as_f64().unwrap();
    assert!((strike - 1100.0).abs() < 1e-6);
    assert_eq!(contracts[1]["hedging_date"], serde_json::json!([2, 7]));
    assert!(contracts[0]["value"]["vega"].as_f64().unwrap() > 0.0);
    let table = fs::read_to_string(&csv).unwrap();
    assert!(table.starts_with("id,sold,expiry,quantity,strike,expiry_days,standing,"));
    for (rows, words) in [
        (
            "sold,quantity,strike,expiry_days\n2010-03-01,1,1100,10\n2010-03-03,1,1600,7\n",
            "line 3 (\"2\"): its strike is 1600, and training has 10",
        ),
        (
            "sold,quantity,strike,expiry_days\n2010-03-01,1,1100,11\n",
            "line 2 of the book: `contract.expiry_days` must be whole hedging periods of 1 days, up to 10 days, was 11",
        ),
        (
            "sold,quantity,expiry_days\n2010-03-01,1,5\n",
            "a book has a column \"strike\"",
        ),
    ] {
        let wrong = book("hedge-terms-wrong", rows);
        let root = runs.to_str().unwrap();
        let mut arguments = vec!["hedge", &run, &wrong, "--runs", root];
        arguments.extend(data);
        let ended = deephedge(&arguments, "1");
        let error = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{words}: {error}");
        assert!(error.contains(words), "{words}: {error}");
    }
}

/// So many numbers below `below`, the same ones every time.
fn drawn(count: usize, below: usize) -> impl Iterator<Item = usize> {
    // Knuth's generator of 64 bits, of which the upper ones are used.
    let mut state = 1_u64;
    (0..count).map(move |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    })
}

/// Every position that a walk-forward saved is what the hedge of that day gives with what was known by then, to the last bit: of every
/// seed and of their mean within limits, by the policies of the contract's own window; beside it stands the window's own classical hedge.
fn windows_agree(name: &str, text: &str, days: usize) {
    let path = strategy(name, text);
    let runs = path.with_extension("runs");
    let walked = ["backtest", path.to_str().unwrap(), "--walk-forward"];
    let walked = document(&walked, &runs, "2");
    let folder = store::open(&runs, walked["run"].as_str().unwrap()).unwrap();
    let mut saved = Vec::new();
    for number in 0..walked["walk_forward"]["windows"].as_array().unwrap().len() {
        let file = format!("windows/{number:02}/positions.parquet");
        let paths = ContractPath::read(&folder.path().join(file), |_| true).unwrap();
        saved.extend(paths.into_iter().map(|path| (number, path)));
    }
    let desk = |data: Option<&Path>| {
        let plan = experiment::plan_of(&folder, |strategy| {
            if let Some(data) = data {
                strategy.backtest.as_mut().unwrap().data = Some(vec![data.to_path_buf()].into());
            }
        });
        let plan = plan.unwrap();
        let settings = plan.backtest.clone().unwrap();
        Desk::open(&folder, plan, settings).unwrap()
    };
    let whole = desk(None);
    let kfac = || saved.iter().filter(|(_, path)| path.strategy == "kfac");
    let known: BTreeSet<NaiveDate> = kfac().flat_map(|(_, path)| path.dates.clone()).collect();
    let known: Vec<NaiveDate> = known.into_iter().collect();
    let mut compared = 0;
    for (turn, place) in drawn(days, known.len()).enumerate() {
        let day = known[place];
        let alive = |path: &ContractPath| {
            let last = path.dates.last().unwrap();
            path.sold() <= day && day < *last
        };
        let mut sold: Vec<(usize, NaiveDate)> = kfac()
            .filter(|(_, path)| alive(path))
            .map(|(window, path)| (*window, path.sold()))
            .collect();
        sold.sort_unstable();
        sold.dedup();
        if sold.is_empty() {
            continue;
        }
        let text: String = sold.iter().map(|(_, day)| format!("{day},1\n")).collect();
        let text = format!("sold,quantity\n{text}");
        let asked = Asked {
            optimizer: Some("kfac".into()),
            date: Some(day),
            disagreement: 1e9,
            force: true,
            ..Asked::default()
        };
        // What follows is not there at all, now and then.
        let cut = (turn % 20 == 0).then(|| {
            let prices = fs::read_to_string(HISTORY).unwrap();
            let (month, number, year) = (day.month(), day.day(), day.year());
            let line = prices.find(&format!("\n{month}/{number}/{year},")).unwrap() + 1;
            let end = line + prices[line..].find('\n').unwrap();
            let cut = scratch().join(format!("{name}-{turn}.csv"));
            fs::write(&cut, &prices[..=end]).unwrap();
            desk(Some(&cut))
        });
        let desk = cut.as_ref().unwrap_or(&whole);
        let book = live::read(live::BookSource::Text(&text), desk.plan()).unwrap();
        let answer = desk.hedge(&book, &asked).unwrap();
        for (hedged, (window, sold)) in answer.contracts.iter().zip(&sold) {
            assert_eq!(hedged.window, Some(*window));
            let held = |strategy: &str, seed: Option<u64>| {
                let mut own = saved.iter().filter(|(number, path)| {
                    (number, path.sold()) == (window, *sold)
                        && path.strategy == strategy
                        && path.seed == seed
                });
                let (_, path) = own.next()?;
                let age = path.dates.iter().position(|one| *one == day)?;
                Some(path.column("position_spot")?[age].to_bits())
            };
            let found = &hedged.positions[0];
            for (seed, position) in answer.seeds.iter().zip(&found.by_seed) {
                assert_eq!(held("kfac", Some(*seed)), Some(position.to_bits()), "{day}");
                compared += 1;
            }
            let of_window = answer.windows.iter().find(|one| one.number == *window);
            let benchmark = of_window.unwrap().benchmark.as_deref().unwrap();
            // A quadrature has its nodes laid out for all contracts of a window at once.
            let beside = found.benchmark.unwrap();
            let saved = f64::from_bits(held(benchmark, None).unwrap());
            assert!(
                (saved - beside).abs() < 1e-9,
                "{day}: {benchmark}: {saved} {beside}"
            );
            if let Some(mean) = held(&Ensemble::name("kfac"), Some(answer.seeds[0])) {
                assert_eq!(mean, found.position.to_bits(), "{day}");
                compared += 1;
            }
        }
    }
    println!("{name}: {compared} positions on {days} days are the saved ones");
    assert!(compared >= 2 * days, "{compared}");
}

#[test]
fn a_walk_forward_is_the_hedges_of_its_days() {
    let text = SMALL
        .replace("expiry_days = 10\n", TRADING)
        .replace("steps = 14", "steps = 3")
        .replace(
            "[evaluation]",
            "[evaluation]\nhedges = [\"black_scholes\", \"zakamouline\"]",
        );
    let text = format!(
        "{text}[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\nspacing = \"weekly\"\n\
         [walk_forward]\nyears = 3.0\nmonths = 30\nseeds = 2\nensemble = true\n"
    );
    windows_agree("hedge-walk", &text, 200);
}

/// That of the shipped strategy, trained for a few steps: what policies hold does not have to be good to be the same.
#[test]
#[ignore = "15 windows of six trainings"]
fn the_shipped_walk_forward_is_the_hedges_of_its_days() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("strategies/sp500_walk_forward.toml");
    let text = fs::read_to_string(shipped).unwrap();
    let text = text
        .replace("steps = 200\npaths = 4096", "steps = 4\npaths = 256")
        .replace(
            "\"../market_data/sp500_daily.csv\"",
            &format!("'{HISTORY}'"),
        );
    windows_agree("hedge-sp500", &text, 200);
}

/// A contract that was sold before any window had begun to sell is refused; one sold when none sells any more is hedged by the last
/// policies, which the answer says; a window's policies go out as a model.
#[test]
fn the_windows_of_a_walk_forward_answer_for_their_days() {
    let text = SMALL
        .replace("expiry_days = 10\n", TRADING)
        .replace("steps = 14", "steps = 2");
    let text = format!(
        "{text}[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\nend = \"2013-12-31\"\nspacing = \"monthly\"\n\
         [walk_forward]\nyears = 3.0\nmonths = 24\n"
    );
    let path = strategy("hedge-windows", &text);
    let runs = path.with_extension("runs");
    let arguments = ["backtest", path.to_str().unwrap(), "--walk-forward"];
    let run = document(&arguments, &runs, "2")["run"].clone();
    let run = run.as_str().unwrap();
    let hedged = |name: &str, text: &str, date: &str| {
        let book = book(name, text);
        let root = runs.to_str().unwrap();
        let arguments = [
            "hedge", run, &book, "--date", date, "--force", "--json", "--runs", root,
        ];
        deephedge(&arguments, "1")
    };
    let early = hedged(
        "hedge-early",
        "sold,quantity\n2010-02-01,1\n2009-12-31,1\n",
        "2010-02-03",
    );
    let error = String::from_utf8(early.stderr).unwrap();
    assert_eq!(early.status.code(), Some(2), "{error}");
    let words =
        "line 3 of the book was sold on 2009-12-31, and the first window sells from 2010-01-04 on";
    assert!(error.contains(words), "{error}");
    let late = hedged(
        "hedge-late",
        "sold,quantity\n2013-12-31,1\n2014-01-02,1\n2011-12-30,1\n",
        "2014-01-03",
    );
    assert!(late.status.success());
    let found: Value = serde_json::from_slice(&late.stdout).unwrap();
    let contracts = found["contracts"].as_array().unwrap();
    let windows: Vec<&Value> = contracts.iter().map(|one| &one["window"]).collect();
    assert_eq!(windows, [1, 1, 0]);
    assert_eq!(found["windows"][1]["contracts"], 2);
    assert_eq!(found["windows"][1]["trained"][1], "2011-12-30");
    let warned = found["warnings"].as_array().unwrap();
    let words = "1 of 3 contracts: sold on 2014-01-01 or later";
    assert!(
        warned
            .iter()
            .any(|one| one.as_str().unwrap().contains(words)),
        "{warned:?}"
    );
    let model = scratch().join("hedge-window.onnx");
    let export = |more: &[&str]| {
        let export = [
            "runs",
            "onnx",
            run,
            "--runs",
            runs.to_str().unwrap(),
            "--json",
        ];
        let out = ["--out", model.to_str().unwrap()];
        deephedge(&[&export[..], &out, more].concat(), "1")
    };
    let none = export(&[]);
    let error = String::from_utf8(none.stderr).unwrap();
    assert_eq!(none.status.code(), Some(2));
    assert!(
        error.contains("--window") && error.contains("from 0 to 1"),
        "{error}"
    );
    assert!(!model.exists());
    let bytes = ["0", "1"].map(|window| {
        assert!(export(&["--window", window]).status.success());
        fs::read(&model).unwrap()
    });
    assert!(bytes[0] != bytes[1]);
}
