use super::*;
use crate::risk::Estimate;
use crate::runs::fixture;

/// The made-up run with a strategy of its own risk measure.
fn one() -> OneOfSeveral {
    OneOfSeveral {
        metrics: fixture::metrics(),
        strategy: Some(
            "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\n[risk]\nlevel = 0.95\n".into(),
        ),
        evaluation: Some(fixture::evaluation()),
        backtest: Some(fixture::backtest()),
    }
}

/// The same run with the P&L of the learned hedges pulled towards 0 by the factor `scale`, on every path and contract.
fn scaled(scale: f64) -> OneOfSeveral {
    let mut run = one();
    let table = run.evaluation.as_mut().unwrap();
    for book in table.books.iter_mut().filter(|book| book.seed.is_some()) {
        book.pnl.iter_mut().for_each(|pnl| *pnl *= scale);
    }
    for row in run
        .metrics
        .evaluation
        .iter_mut()
        .filter(|row| row.seed.is_some())
    {
        row.pnl_mean *= scale;
        row.pnl_variance *= scale * scale;
        row.pnl_variance_standard_error *= scale * scale;
        let cvar = row.cvar["0.95"].as_f64().unwrap();
        row.cvar.insert("0.95".into(), (scale * cvar).into());
    }
    run
}

/// On the same paths P&L that is everywhere 0.9 times another has 0.81 times its variance and 0.9 times its CVaR, with no standard
/// error over paths: differences are paired. Costs are the same.
#[test]
fn differences_on_the_same_paths_are_paired() {
    let several = Several::new(vec![one(), scaled(0.9)], 0);
    assert_eq!(several.same_paths, [None, Some(true)]);
    assert_eq!(several.same_contracts, [None, Some(true)]);
    let found = several
        .joined
        .comparisons
        .iter()
        .find(|c| c.strategy == "kfac (B)")
        .unwrap();
    assert_eq!((found.baseline.as_str(), found.seeds), ("kfac (A)", 2));
    assert!((found.pnl_variance_change + 0.19).abs() < 1e-9);
    assert!((found.cvar_change + 0.1).abs() < 1e-9);
    assert!(found.pnl_variance_change_standard_error < 1e-9);
    assert_eq!(
        (found.cost_change, found.cost_change_standard_error),
        (0.0, 0.0)
    );
    let notes = several.notes();
    assert_eq!(
        notes[0],
        "B and A have the same test paths: differences are paired on them."
    );

    // The other way round it is the inverse: the chosen run is what changes are a fraction of.
    let several = Several::new(vec![one(), scaled(0.9)], 1);
    let found = several
        .joined
        .comparisons
        .iter()
        .find(|c| c.strategy == "kfac (A)")
        .unwrap();
    assert!((found.cvar_change - (1.0 / 0.9 - 1.0)).abs() < 1e-9);
    let findings = several.findings();
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].starts_with("kfac (A) against kfac (B)"),
        "{}",
        findings[0]
    );
}

/// Where no untrained hedge has the same P&L on every path, the two samples count as independent, and the standard error of a
/// quotient x/y is that of the delta method: for equal relative errors e of both sides √2 e x/y.
#[test]
fn differences_on_other_paths_are_of_independent_samples() {
    let mut other = scaled(0.9);
    for book in other
        .evaluation
        .as_mut()
        .unwrap()
        .books
        .iter_mut()
        .filter(|book| book.seed.is_none())
    {
        book.pnl[0] += 1e-9;
    }
    let several = Several::new(vec![one(), other], 0);
    assert_eq!(several.same_paths, [None, Some(false)]);
    let found = several
        .joined
        .comparisons
        .iter()
        .find(|c| c.strategy == "kfac (B)")
        .unwrap();
    assert!((found.pnl_variance_change + 0.19).abs() < 1e-9);
    let lines = lines(&several.joined.evaluation);
    let of = |name: &str| {
        let line = lines.iter().find(|line| line.strategy == name).unwrap();
        line.estimate(&Statistic::PnlVariance).unwrap()
    };
    let (theirs, ours) = (of("kfac (A)"), of("kfac (B)"));
    let relative = |estimate: Estimate| estimate.standard_error / estimate.value;
    assert!((relative(theirs) - relative(ours)).abs() < 1e-12);
    let expected = 2f64.sqrt() * relative(theirs) * 0.81;
    assert!((found.pnl_variance_change_standard_error - expected).abs() < 1e-9);
    assert!(several.notes()[0].contains("different test paths"));
}

/// The tables have a row for every learned strategy of every run, a difference in those of the others alone, and none of a
/// strategy that the chosen run lacks.
#[test]
fn tables_have_the_differences_from_the_chosen_run() {
    let mut without = scaled(0.9);
    without
        .metrics
        .evaluation
        .retain(|row| row.strategy != "adam");
    let several = Several::new(vec![without, one()], 0);
    let table = &several.tables()[0];
    assert_eq!(table.caption, "Simulated test paths: differences from A");
    let heads = [
        "strategy",
        "P&L variance",
        "change",
        "cost",
        "change",
        "CVaR 95 %",
        "change",
        "Sharpe",
        "difference",
    ];
    assert_eq!(table.heads, heads);
    let rows: Vec<(&str, &str)> = table
        .rows
        .iter()
        .map(|row| (row[0].value.as_str(), row[2].value.as_str()))
        .collect();
    assert_eq!(
        rows,
        [("kfac (A)", ""), ("kfac (B)", "+23.5 %"), ("adam (B)", "")]
    );
}
