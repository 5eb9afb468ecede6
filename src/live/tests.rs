//! The hedge of a book, day by day, against the backtest of the same run.

use super::*;
use crate::backtest::Contracts;
use crate::experiment::{self, SavedPolicy, fixture::compared};
use crate::hedging::{Ensemble, Policy, TrainedPolicy};
use crate::market::history::fixture::{closes, day, write};
use crate::market::table::Place;
use crate::network::Parameters;
use crate::runs::fixture::Scratch;
use crate::runs::store::RunFolder;
use crate::runs::trained_on;
use crate::simd::{BLOCK, Lane};
use crate::strategy::{Plan, TermUnit};
use proptest::prelude::*;
use std::fs;

/// A small run with a backtest on made-up closes, with its folder and the file of closes.
struct Run {
    root: Scratch,
    folder: RunFolder,
    plan: Plan,
}

/// A contract over eight closes.
const CALL: &str = "expiry_days = 8\n";

fn run(test: &str, further: &str) -> Run {
    run_of(test, CALL, further)
}

fn run_of(test: &str, contract: &str, further: &str) -> Run {
    let root = Scratch::new(test);
    let data = write(root.path(), &closes(500));
    let text = format!(
        "name = \"live\"\nseed = 3\n[contract]\n{contract}days_per_year = 365\ndays = \"trading\"\n\
         [costs]\nproportional = 0.01\n[training]\nsteps = 3\npaths = 64\nvalidation_paths = 0\n\
         [evaluation]\npaths = 64\nhedges = [\"black_scholes\", {{ centre = \"black_scholes\", rule = \"whalley_wilmott\", aversion = 1.0 }}]\n\
         [optimizers.adam]\n[optimizers.kfac]\n\
         [backtest]\ndata = '{}'\nstart = \"2001-01-01\"\nspacing = 3\n{further}",
        data.display()
    );
    let (plan, folder) = compared(root.path(), &text, &[3, 4]);
    Run { root, folder, plan }
}

const GBM: &str = "variance = \"realised\"\nvariance_days = 10\n[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 2\ntheta = 0.04\nsigma = 0.4\nrho = -0.6\n";

impl Run {
    fn book(&self, text: &str) -> Result<Vec<Entry>> {
        let path = self.root.path().join("book.csv");
        fs::write(&path, text).unwrap();
        read(BookSource::File(&path), &self.plan)
    }

    fn hedge(&self, book: &[Entry], asked: &Asked) -> Result<Answer> {
        let settings = self.plan.backtest.clone().unwrap();
        Desk::open(&self.folder, self.plan.clone(), settings)?.hedge(book, asked)
    }
}

fn asked(number: usize) -> Asked {
    Asked {
        date: Some(day(number)),
        disagreement: 1e9,
        force: true,
        optimizer: Some("kfac".into()),
        ..Asked::default()
    }
}

/// What every policy of an optimizer, their ensemble and the benchmark hold on the contracts of a backtest.
fn backtested(run: &Run, contracts: &Contracts, optimizer: &str) -> Vec<Vec<Vec<Lane<f64>>>> {
    let saved = experiment::saved_policies(&run.folder, &run.plan).unwrap();
    let (sweep, seen) = (run.plan.sweep::<f64>(), run.plan.seen().unwrap());
    let weights: Vec<Parameters> = saved
        .into_iter()
        .filter(|one| one.strategy() == optimizer)
        .map(SavedPolicy::into_parameters)
        .collect();
    let policies: Vec<TrainedPolicy<'_>> = weights
        .iter()
        .map(|parameters| TrainedPolicy {
            parameters,
            features: &seen,
            sweep: sweep.as_ref(),
        })
        .collect();
    let ensemble = Ensemble {
        members: policies.iter().map(|one| one as &dyn Policy).collect(),
        limits: &run.plan.limits,
    };
    let policies = policies.iter().map(|one| one as &dyn Policy);
    policies
        .chain([&ensemble as &dyn Policy])
        .map(|policy| contracts.positions(policy).unwrap())
        .collect()
}

/// Every position of a backtest is what the hedge of that day gives with what was known by then, to the last bit: of every seed and of
/// their mean within limits; trades lead from one day to the next, and what had expired is held no more.
///
/// Of a contract with terms in ranges every sale's own terms are told, in the money of the prices, which moves positions by rounding.
fn days_agree(test: &str, (contract, further): (&str, &str), cases: u32) {
    let run = run_of(test, contract, further);
    let terms = run.plan.terms();
    let exact = terms.is_empty();
    let settings = run.plan.backtest.as_ref().unwrap();
    let contracts = Contracts::cut(&run.plan, settings).unwrap();
    let held = backtested(&run, &contracts, "kfac");
    let group = &contracts.groups[0];
    let (steps, count) = (group.plan.contract.steps, group.plan.instruments.len());
    let drawn = |one: usize| group.paths.block(one / BLOCK).drawn();
    let life = |one: usize| drawn(one).map_or(steps, |of| of.life[one % BLOCK] as usize);
    // What the book says of the terms of a contract.
    let said = |one: usize| -> String {
        let Some(family) = group.plan.contract.family() else {
            return String::new();
        };
        let member = drawn(one).unwrap().member[one % BLOCK] as usize;
        let close = closes(500)[group.closes[one][0]];
        let values = terms.iter().zip(&family.members()[member].values);
        let said = values.map(|(term, value)| match term.unit {
            TermUnit::Spots => format!(",{}", value * close),
            TermUnit::Money => format!(",{}", value * close / 100.0),
            TermUnit::Days | TermUnit::Number => format!(",{value}"),
        });
        said.collect()
    };
    let names: String = terms
        .iter()
        .map(|term| format!(",{}", term.column))
        .collect();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    });
    let first = group.closes[0][0];
    let result = runner.run(&(first..490usize), |today| {
        let known: Vec<usize> = (0..contracts.sold.len())
            .filter(|&one| {
                let closes = &group.closes[one];
                closes[0] <= today && today < closes[steps] + 3
            })
            .collect();
        let rows = known
            .iter()
            .map(|&one| format!("{one},{},-2{}\n", contracts.sold[one], said(one)));
        let text = format!("id,sold,quantity{names}\n{}", rows.collect::<String>());
        let book = run.book(&text).unwrap();
        let answer = run.hedge(&book, &asked(today)).unwrap();
        prop_assert_eq!(&answer.date, &day(today).to_string());
        for (hedged, &one) in answer.contracts.iter().zip(&known) {
            let same = |expected: f64, found: f64| match exact {
                true => expected.to_bits() == found.to_bits(),
                false => (expected - found).abs() < 1e-9,
            };
            let age = today.min(group.closes[one][steps]) - group.closes[one][0];
            let age = age.min(life(one));
            prop_assert_eq!(hedged.hedging_date, [age, life(one)]);
            prop_assert_eq!(&hedged.expiry, &contracts.expiry[one].to_string());
            let ended = age == life(one);
            prop_assert_eq!(hedged.standing == Standing::Ended, ended);
            for (instrument, found) in hedged.positions.iter().enumerate() {
                let at = |of: &Vec<Vec<Lane<f64>>>, t: usize| match ended {
                    true => 0.0,
                    false => of[0][((one / BLOCK) * steps + t) * count + instrument][one % BLOCK],
                };
                let seeds = held.len() - 1;
                for (seed, by_seed) in held[..seeds].iter().zip(&found.by_seed) {
                    prop_assert!(same(-2.0 * at(seed, age), *by_seed));
                }
                let mean = -2.0 * at(&held[seeds], age);
                prop_assert!(same(mean, found.position));
                let before = match age {
                    0 => 0.0,
                    _ => -2.0 * at(&held[seeds], age - 1),
                };
                if !ended {
                    prop_assert!((mean - before - found.trade).abs() < 1e-9);
                }
            }
        }
        Ok(())
    });
    result.unwrap();
}

#[test]
fn a_backtest_is_the_hedges_of_its_days() {
    days_agree("live-days", (CALL, GBM), 24);
}

#[test]
fn a_backtest_with_options_and_limits_is_the_hedges_of_its_days() {
    let further = format!(
        "{GBM}[policy]\nhidden = 4\nnetwork = \"gru\"\nfeatures = [\"log_moneyness\", \"volatility\", \"time_left\", \"previous_position\"]\n\
         instruments = [\"spot\", {{ type = \"call\", strike = {{ moneyness = 1.0 }}, expiry_days = 12 }}]\n\
         [limits]\nlot = 0.05\nlargest_trade = 0.4\n"
    );
    days_agree("live-options", (CALL, &further), 12);
}

const RANGES: &str = "strike = { moneyness = [0.9, 1.1] }\nexpiry_days = [4, 8]\n";

#[test]
fn a_backtest_of_terms_from_ranges_is_the_hedges_of_its_days() {
    days_agree("live-ranges", (RANGES, GBM), 8);
    let market = "variance = \"realised\"\nvariance_days = 10\n[market]\nmodel = \"gbm\"\nvolatility = 0.2\n";
    let barrier =
        "type = \"down_and_out_put\"\nstrike = 100\nbarrier = [80, 92]\nexpiry_days = 8\n";
    let residual = format!("{market}[policy]\nhidden = 4\naction = \"residual\"\n");
    days_agree("live-barriers", (barrier, &residual), 8);
}

/// Terms that training did not draw are refused by row with what it drew, and answered where that is forced; what no contract can have is
/// refused all the same; every row has all terms.
#[test]
fn terms_are_checked_by_row() {
    let run = run_of("live-terms", RANGES, GBM);
    let (sold, close) = (day(400), closes(500)[400]);
    let head = "sold,quantity,strike,expiry_days\n";
    let strict = Asked {
        force: false,
        what_if: vec![0.0],
        ..asked(402)
    };
    let right = format!("{head}{sold},1,{},6\n{sold},-3,{},4\n", close, 1.05 * close);
    let book = run.book(&right).unwrap();
    let forced = Asked {
        force: true,
        ..strict.clone()
    };
    let answer = run.hedge(&book, &forced).unwrap();
    let [one, other] = &answer.contracts[..] else {
        panic!("two contracts")
    };
    assert!((other.strike.unwrap() - 1.05 * close).abs() < 1e-9 * close);
    assert_eq!(
        (one.terms["expiry_days"], one.terms["strike"]),
        (6.0, close)
    );
    assert_eq!((one.hedging_date, other.hedging_date), ([2, 6], [2, 4]));
    assert_eq!(one.expiry, day(406).to_string());
    assert!(one.value.is_some());
    assert!((answer.what_if[0].net[0] - answer.net[0].position).abs() < 1e-12);
    let table = answer.table().unwrap();
    let column = table.column("expiry_days").unwrap().f64().unwrap();
    assert_eq!(column.get(1), Some(4.0));
    // Alone, though it lives shorter than the longest contract does.
    let alone = run.book(&format!("{head}{sold},1,{close},6\n")).unwrap();
    let alone = &run.hedge(&alone, &forced).unwrap().contracts[0];
    assert_eq!(alone.positions[0].position, one.positions[0].position);
    assert_eq!((alone.value, alone.hedging_date), (one.value, [2, 6]));
    let far = format!("{head}{sold},1,{},6\n{sold},1,{},3\n", close, 1.5 * close);
    let far = run.book(&far).unwrap();
    let error = run.hedge(&far, &strict).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let error = error.to_string();
    for words in [
        "line 3 (\"2\")",
        "its expiry_days is 3, and training has 4.00000 to 8.00000",
        &format!("its strike is {}, and training has", 1.5 * close),
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    let answer = run.hedge(&far, &forced).unwrap();
    assert_eq!(answer.contracts[1].hedging_date, [2, 3]);
    assert!(answer.warnings.iter().any(|one| one.contains("line 3")));
    for (row, words) in [
        (
            format!("{sold},1,{close},9"),
            "line 2 of the book: `contract.expiry_days`",
        ),
        (
            format!("{sold},1,{close},4.5"),
            "line 2 of the book: `contract.expiry_days`",
        ),
        (
            format!("{sold},1,-5,6"),
            "line 2, column \"strike\": must be above 0, was -5",
        ),
        (
            format!("{sold},1,,6"),
            "line 2, column \"strike\": is blank",
        ),
    ] {
        let book = run.book(&format!("{head}{row}\n"));
        let error = book.and_then(|book| run.hedge(&book, &forced)).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    let error = run
        .book(&format!("sold,quantity,strike\n{sold},1,{close}\n"))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a book has a column \"expiry_days\""),
        "{error}"
    );
}

/// What is netted is the sum of the rows, and costs no more than they cost apart; what the book says of what is held is what is traded
/// from; positions at a move of nothing are those of today; all of it is a table.
#[test]
fn a_book_is_netted_and_what_is_held_counts() {
    let run = run("live-net", GBM);
    let text = format!(
        "ID;Sold;Quantity;Held\na;{};10;3.5\nb;{};-4;\nc;{};2.5;0\n",
        day(400),
        day(402),
        day(403)
    );
    let book = run.book(&text).unwrap();
    let asked = Asked {
        what_if: vec![-0.1, 0.0, 0.1],
        ..asked(405)
    };
    let answer = run.hedge(&book, &asked).unwrap();
    let [a, b, c] = &answer.contracts[..] else {
        panic!("three contracts")
    };
    let spot = |of: &Hedged| of.positions[0].clone();
    assert!(spot(a).held_known && spot(c).held_known && !spot(b).held_known);
    assert_eq!(spot(a).trade, spot(a).position - 3.5);
    assert_eq!(spot(c).trade, spot(c).position);
    let [net] = &answer.net[..] else {
        panic!("one thing is traded")
    };
    let sum = |of: fn(&Position) -> f64| {
        [a, b, c]
            .map(|one| of(&one.positions[0]))
            .iter()
            .sum::<f64>()
    };
    assert!((net.position - sum(|of| of.position)).abs() < 1e-12);
    assert!((net.trade - sum(|of| of.trade)).abs() < 1e-12);
    assert!((net.cost_separate - sum(|of| of.cost)).abs() < 1e-9);
    assert!(net.cost <= net.cost_separate + 1e-12);
    // 1 % of the value that is traded.
    assert!((net.cost - 0.01 * net.trade.abs() * net.price).abs() < 1e-9);
    let close = closes(500)[405];
    assert!((net.price - close).abs() < 1e-9 * close);
    let [down, here, up] = &answer.what_if[..] else {
        panic!("three moves")
    };
    assert!((here.net[0] - net.position).abs() < 1e-12);
    assert!(down.net[0] != here.net[0] && up.net[0] != here.net[0]);
    let table = answer.table().unwrap();
    assert_eq!(table.height(), 3);
    let column = table.column("trade_spot").unwrap().f64().unwrap();
    assert_eq!(column.get(0), Some(spot(a).trade));
}

/// A strike of the contract's own is the strategy's where the spot is scaled by their ratio: at the strike of the rule nothing changes.
#[test]
fn a_strike_of_the_rule_is_the_rule() {
    let run = run("live-strike", GBM);
    let strike = closes(500)[400];
    let text = format!("sold,quantity,strike\n{0},1,\n{0},1,{strike}\n", day(400));
    let book = run.book(&text).unwrap();
    let answer = run.hedge(&book, &asked(404)).unwrap();
    let [rule, own] = &answer.contracts[..] else {
        panic!("two contracts")
    };
    assert!((rule.strike.unwrap() - strike).abs() < 1e-9 * strike);
    let difference = rule.positions[0].position - own.positions[0].position;
    assert!(difference.abs() < 1e-9, "{difference}");
}

/// What policies were not trained for is refused by row, and answered with a warning where that is forced; seeds that differ by more
/// than is allowed leave the position to the benchmark.
#[test]
fn what_was_not_trained_is_refused() {
    let run = run("live-refused", GBM);
    let (sold, close) = (day(400), closes(500)[400]);
    let text = format!(
        "id,sold,quantity,strike,expiry\nfar,{sold},1,{},{}\nright,{sold},1,,\n",
        2.0 * close,
        day(460)
    );
    let book = run.book(&text).unwrap();
    let strict = Asked {
        force: false,
        ..asked(403)
    };
    let error = run.hedge(&book, &strict).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let error = error.to_string();
    for words in ["line 2 (\"far\")", "expires on", "spot of 0.5", "--force"] {
        assert!(error.contains(words), "{words}: {error}");
    }
    let forced = run.hedge(&book, &asked(403)).unwrap();
    assert!(!forced.contracts[0].outside.is_empty());
    assert!(forced.warnings.iter().any(|one| one.contains("line 2")));
    let none = Asked {
        disagreement: 0.0,
        ..asked(403)
    };
    let fallen = run.hedge(&book, &none).unwrap();
    for one in &fallen.contracts {
        assert_eq!(one.held_by, HeldBy::Benchmark);
        assert_eq!(Some(one.positions[0].position), one.positions[0].benchmark);
    }
    assert!(
        fallen
            .warnings
            .iter()
            .any(|one| one.contains("seeds differ"))
    );
    // A run of an older version says nothing of its training.
    fs::remove_file(run.folder.path().join(trained_on::FILE)).unwrap();
    let old = run.hedge(&book[1..], &strict).unwrap();
    assert!(old.warnings.iter().any(|one| one.contains("older version")));
}

/// What is wrong with a book is said by its file, row and column, and what is no day of the prices by its row.
#[test]
fn wrong_books_are_refused() {
    let run = run("live-books", GBM);
    let sold = day(400);
    for (text, words) in [
        ("sold,quantity\n".to_owned(), "1 to 100000 contracts, has 0"),
        (format!("sold\n{sold}\n"), "quantity"),
        (format!("sold,quantity,colour\n{sold},1,red\n"), "colour"),
        (format!("sold,quantity,Sold\n{sold},1,{sold}\n"), "twice"),
        (
            "sold,quantity\n2001-13-01,1\n".into(),
            "line 2, column \"sold\"",
        ),
        (format!("sold,quantity\n{sold},nan\n"), "finite"),
        (format!("sold,quantity\n{sold},1e999\n"), "finite"),
        (format!("sold,quantity\n{sold},0\n"), "must not be 0"),
        (
            format!("sold,quantity\n{sold},1\n{sold},\n"),
            "line 3, column \"quantity\": is blank",
        ),
        (
            format!("a book\nid,sold,quantity\n\"a\nb\",{sold},1\nc,{sold},0\n"),
            "line 5, column \"quantity\": must not be 0",
        ),
        (
            format!("sold,quantity,type\n{sold},1,put\n"),
            "must be \"call\"",
        ),
        (format!("sold,quantity,strike\n{sold},1,-5\n"), "above 0"),
        (
            format!("sold,quantity,expiry\n{sold},1,{sold}\n"),
            "after the sale",
        ),
        (
            format!("id,sold,quantity\nx,{sold},1\nx,{sold},1\n"),
            "there twice",
        ),
        (
            format!("sold,quantity,held,held_spot\n{sold},1,1,1\n"),
            "the same",
        ),
    ] {
        let error = run.book(&text).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{text}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
    for (sold, words) in [
        ("1999-01-01", "the prices begin"),
        ("2031-01-01", "the prices end"),
    ] {
        let book = run.book(&format!("sold,quantity\n{sold},1\n")).unwrap();
        let error = run.hedge(&book, &asked(405)).unwrap_err().to_string();
        assert!(
            error.contains(words) && error.contains("line 2 of the book"),
            "{error}"
        );
    }
    let other = Asked {
        optimizer: Some("sgd".into()),
        ..asked(405)
    };
    let book = run.book(&format!("sold,quantity\n{sold},1\n")).unwrap();
    let error = run.hedge(&book, &other).unwrap_err().to_string();
    assert!(error.contains("one of adam, kfac"), "{error}");
}

/// A book as text or as rows is the book of the file; rows are named by their numbers, since they have no lines.
#[test]
fn a_book_is_text_and_rows_too() {
    let run = run("live-sources", GBM);
    let text = format!(
        "ID,Sold,quantity,held\na,{0},10,3.5\n2,{0},-4.25,\n",
        day(400)
    );
    let book = run.book(&text).unwrap();
    assert_eq!(read(BookSource::Text(&text), &run.plan).unwrap(), book);
    let rows = |quantity: &str| -> Vec<BookRow> {
        let sold = day(400);
        serde_json::from_str(&format!(
            "[{{\"ID\":\"a\",\"Sold\":\"{sold}\",\"quantity\":10,\"held\":3.5}},\
              {{\"Sold\":\"{sold}\",\"quantity\":{quantity},\"held\":null}}]"
        ))
        .unwrap()
    };
    let found = read(BookSource::Rows(&rows("-4.25")), &run.plan).unwrap();
    for (row, (found, entry)) in found.iter().zip(&book).enumerate() {
        assert_eq!(found.place, Place::Row(row + 1));
        assert_eq!(entry.place, Place::Line(row + 2));
        assert_eq!(
            found,
            &Entry {
                place: found.place,
                ..entry.clone()
            }
        );
    }
    for (wrong, words) in [
        ("0", "row 2, column \"quantity\": must not be 0"),
        (
            "\"x\"",
            "row 2, column \"quantity\": must be a finite number, was \"x\"",
        ),
        (
            "1,\"colour\":1",
            "book: column \"colour\" is none of a book's",
        ),
        ("1,\"held_spot\":1", "the same"),
    ] {
        let error = read(BookSource::Rows(&rows(wrong)), &run.plan).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = read(BookSource::Rows(&[]), &run.plan)
        .unwrap_err()
        .to_string();
    assert!(error.contains("a book has a column \"sold\""), "{error}");
}

/// An option is named by its kind, strike and day of expiry, the same of a contract, of everything together and in the table; contracts
/// whose options are the same one trade it together.
#[test]
fn an_option_is_named_by_its_day_of_expiry() {
    let further = format!(
        "{GBM}[policy]\nhidden = 4\ninstruments = [\"spot\", {{ type = \"put\", strike = {{ moneyness = 0.9 }}, expiry_days = 12 }}]\n"
    );
    let run = run("live-names", &further);
    let text = format!("sold,quantity\n{0},1\n{0},2\n{1},1\n", day(400), day(402));
    let book = run.book(&text).unwrap();
    let answer = run.hedge(&book, &asked(405)).unwrap();
    let name = |sold: usize| {
        let strike = (1e4 * 0.9 * closes(500)[sold]).round() / 1e4;
        format!("put {strike} {}", day(sold + 12))
    };
    let names = [name(400), name(400), name(402)];
    for (contract, name) in answer.contracts.iter().zip(&names) {
        let own: Vec<&str> = (contract.positions.iter())
            .map(|one| one.instrument.as_str())
            .collect();
        assert_eq!(own, ["spot", name]);
    }
    let net: Vec<&str> = answer
        .net
        .iter()
        .map(|one| one.instrument.as_str())
        .collect();
    assert_eq!(net, ["spot", &names[0], &names[2]]);
    let table = answer.table().unwrap();
    let column = table.column("option_1").unwrap().str().unwrap();
    assert_eq!(column.get(2), Some(names[2].as_str()));
}

/// Under Black and Scholes vega is Γ S² σ τ: contracts of one market and day say the same σ of the money of the prices.
#[test]
fn a_vega_is_of_the_money_of_the_prices() {
    let gbm = "variance = \"realised\"\nvariance_days = 10\n[market]\nmodel = \"gbm\"\nvolatility = 0.2\n";
    let run = run("live-vega", gbm);
    let text = format!("sold,quantity\n{},1\n{},1\n", day(401), day(404));
    let book = run.book(&text).unwrap();
    let answer = run.hedge(&book, &asked(405)).unwrap();
    let spot = closes(500)[405];
    let of = |one: &Hedged| {
        let [age, steps] = one.hedging_date;
        let (value, left) = (one.value.unwrap(), (steps - age) as f64 / 365.0);
        value.vega / (value.gamma * spot * spot * left)
    };
    let [one, other] = &answer.contracts[..] else {
        panic!("two contracts")
    };
    assert!((of(one) / of(other) - 1.0).abs() < 1e-9);
    // Realised over ten days of closes that move by 1 or 2 % a day.
    assert!((0.05..0.6).contains(&of(one)), "{}", of(one));
}
