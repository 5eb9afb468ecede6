use super::*;
use crate::runs::fixture;

fn book(scale: f64) -> Book {
    Book {
        pnl: (0..64).map(|i| scale * f64::from(i).sin()).collect(),
        cost: vec![0.1 * scale; 64],
        turnover: vec![1.0; 64],
    }
}

fn row(strategy: &str, seed: Option<u64>) -> Row {
    let metrics = fixture::metrics();
    let any = metrics.evaluation[0].clone();
    Row {
        strategy: strategy.into(),
        seed,
        ..any
    }
}

/// Seeds are paired by their number, not by their place: where a method lacks the first seed, its second stands against the
/// baseline's second.
#[test]
fn seeds_are_paired_by_number() {
    let (first, second) = (book(3.0), book(1.0));
    let rows = [
        row("kfac", Some(2)),
        row("adam", Some(1)),
        row("adam", Some(2)),
    ];
    let results = [(&rows[0], &second), (&rows[1], &first), (&rows[2], &second)];
    let learned = [("adam", true), ("kfac", false), ("soap", false)];
    let [found] = Comparison::all(&results, &learned, Risk::cvar(0.95), 1.0)
        .try_into()
        .unwrap();
    assert_eq!((found.strategy.as_str(), found.seeds), ("kfac", 1));
    assert_eq!(found.pnl_variance_change, 0.0);
    assert_eq!(found.cost_change, 0.0);
}

/// A hedge without training stands beside every seed of the other side, whichever side it is on; where P&L is x times that of
/// the baseline, its variance is x² times as great.
#[test]
fn a_hedge_without_training_is_paired_with_every_seed() {
    let books = [book(1.0), book(2.0), book(3.0)];
    let rows = [
        row("delta", None),
        row("adam", Some(1)),
        row("adam", Some(2)),
    ];
    let results: Vec<Measured<'_>> = rows.iter().zip(&books).collect();
    let of = |pair| Comparison::of(&results, pair, Risk::cvar(0.95), 1.0).unwrap();
    let ours = of(("adam", "delta"));
    assert_eq!(ours.seeds, 2);
    assert!((ours.pnl_variance_change - ((4.0 + 9.0) / 2.0 - 1.0)).abs() < 1e-12);
    let theirs = of(("delta", "adam"));
    assert_eq!(theirs.seeds, 2);
    let expected = (1.0 / 4.0 + 1.0 / 9.0) / 2.0 - 1.0;
    assert!((theirs.pnl_variance_change - expected).abs() < 1e-12);
    assert!(Comparison::of(&results, ("soap", "adam"), Risk::cvar(0.95), 1.0).is_none());
}

/// At the baseline's indifference premium its risk is zero, and both sides are shifted by the same amount: with
/// P&L z − 2 and x(z − 2), x > 1, the present ratios are equal and below zero, and at that premium the quieter one is better.
#[test]
fn at_the_indifference_premium_more_risk_is_no_better() {
    let shifted = |scale: f64| {
        let mut book = book(scale);
        book.pnl.iter_mut().for_each(|pnl| *pnl -= 2.0 * scale);
        book
    };
    let books = [shifted(1.0), shifted(1.5)];
    let rows = [row("adam", Some(1)), row("kfac", Some(1))];
    let results: Vec<Measured<'_>> = rows.iter().zip(&books).collect();
    let risk = Risk::cvar(0.9);
    let found = Comparison::of(&results, ("kfac", "adam"), risk, 1.0).unwrap();
    assert!(found.sharpe_difference.abs() < 1e-12);
    let at = found.at_indifference.unwrap();
    let sold: Vec<f64> = books[0]
        .pnl
        .iter()
        .map(|pnl| pnl + at.premium_increase)
        .collect();
    assert!(risk.evaluate(&sold).value.abs() < 1e-12);
    assert!((at.baseline_sharpe - sharpe_influence(&sold).value).abs() < 1e-12);
    assert!(at.baseline_sharpe > 0.0 && at.sharpe_difference < 0.0);
    assert!((at.sharpe - at.baseline_sharpe - at.sharpe_difference).abs() < 1e-12);
    // The standard deviation counts no cash: no premium makes it zero.
    let risk = crate::risk::Measure::StandardDeviation.into();
    let found = Comparison::of(&results, ("kfac", "adam"), risk, 1.0).unwrap();
    assert_eq!(found.at_indifference, None);
}
