use super::*;
use crate::risk::RowInput;
use crate::runs::fixture::{self, Scratch};

const HESTON: &str = "name = \"Heston call\"\n[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\n\
                      rho = -0.7\n[contract]\nexpiry_days = 30\n[optimizers.adam]\n[optimizers.kfac]\n";

fn file() -> Strategy {
    Strategy::parse(HESTON).unwrap()
}

fn pair(strategy: &str, baseline: &str) -> Pair {
    Pair {
        strategy: strategy.into(),
        baseline: baseline.into(),
    }
}

/// Changes made from the tables are those that the run makes of its books, to the last bit; those against another baseline say
/// the opposite where the sides are exchanged.
#[test]
fn tables_give_what_the_books_gave() {
    let root = Scratch::new("verdict-anew");
    let folder = fixture::write(root.path());
    let metrics = folder.metrics().unwrap();
    let risk = file().risk_measure().unwrap();
    let table = fixture::evaluation();
    let books: Vec<Book> = table
        .books
        .iter()
        .map(|of| Book {
            pnl: of.pnl.clone(),
            cost: of.cost.clone(),
            turnover: of.turnover.clone(),
        })
        .collect();
    let measured: Vec<Measured<'_>> = metrics.evaluation.iter().zip(&books).collect();
    let own = Comparison::of(&measured, ("kfac", "adam"), risk, 1.0).unwrap();
    let ours = pair("kfac", "adam");
    let anew = against(&folder, metrics.clone(), Some(&file()), (&ours, true)).unwrap();
    let found = ours.of(&anew.comparisons).unwrap();
    assert_eq!(
        serde_json::to_value(found).unwrap(),
        serde_json::to_value(&own).unwrap()
    );
    assert!(found.at_indifference.is_some());
    let theirs = pair("adam", "kfac");
    let anew = against(&folder, metrics.clone(), Some(&file()), (&theirs, true)).unwrap();
    let exchanged = theirs.of(&anew.comparisons).unwrap();
    assert!((exchanged.sharpe_difference + own.sharpe_difference).abs() < 1e-12);
    assert!((exchanged.risk_difference + own.risk_difference).abs() < 1e-12);
    assert!(theirs.of(&anew.backtest_comparisons).is_some());
}

/// What a run says of itself is left alone unless another baseline is asked for, and where nothing can be read.
#[test]
fn what_is_there_is_kept() {
    let root = Scratch::new("verdict-kept");
    let folder = fixture::write(root.path());
    let metrics = folder.metrics().unwrap();
    let same = |found: &Metrics| {
        serde_json::to_value(&found.comparisons).unwrap()
            == serde_json::to_value(&metrics.comparisons).unwrap()
    };
    let ours = pair("kfac", "adam");
    let kept = against(&folder, metrics.clone(), Some(&file()), (&ours, false)).unwrap();
    assert!(same(&kept));
    let unread = against(&folder, metrics.clone(), None, (&ours, true)).unwrap();
    assert!(same(&unread));
    let naked = pair("kfac", "naked");
    let other = against(&folder, metrics.clone(), Some(&file()), (&naked, false)).unwrap();
    assert_eq!(naked.of(&other.comparisons).unwrap().seeds, 2);
    std::fs::remove_file(folder.path().join("evaluation.parquet")).unwrap();
    let gone = against(&folder, metrics.clone(), Some(&file()), (&naked, true)).unwrap();
    assert!(same(&gone));
}

/// The contracts that live at a time are read from the error that they have grown.
#[test]
fn overlapping_contracts_are_known_by_their_error() {
    let numbers: Vec<f64> = (0..50).map(|i| f64::from(i).sin()).collect();
    let input = RowInput {
        strategy: "kfac",
        seed: Some(1),
        premium: 1.0,
        risk: Risk::cvar(0.95),
        contracts_per_year: 12.0,
        overlap: 4.2,
        steps: None,
        seconds: None,
    };
    let row = Row::new(&input, &numbers, &numbers, &numbers);
    assert!((overlap(&row) - 4.2).abs() < 1e-9);
}
