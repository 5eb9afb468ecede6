use super::*;
use crate::runs::fixture;

fn column<'a>(table: &'a Table, head: &str) -> Vec<&'a Cell> {
    let at = table.heads.iter().position(|h| h == head).unwrap();
    table.rows.iter().map(|row| &row[at]).collect()
}

/// Numbers and their errors, against values computed from the fixture by hand.
#[test]
fn the_evaluation_table_shows_means_over_seeds() {
    let metrics = fixture::metrics();
    let table = evaluation(&metrics).unwrap();
    assert_eq!(table.caption, "Simulated test paths, 500 paths");
    assert_eq!(table.rows.len(), 5);
    let shown: f64 = column(&table, "CVaR 95 %")[1].value.parse().unwrap();
    let of = |index: usize| metrics.evaluation[index].cvar["0.95"].as_f64().unwrap();
    // adam is in rows 2 and 3 of the metrics.
    assert!((shown - (of(2) + of(3)) / 2.0).abs() < 1e-3);
    let seeds: Vec<_> = column(&table, "seeds")
        .iter()
        .map(|c| &c.value[..])
        .collect();
    assert_eq!(seeds, ["2", "2", "", "", ""]);
    // The trained level is 95 %, which is shown once.
    let cvar = table.heads.iter().filter(|head| head.starts_with("CVaR"));
    assert_eq!(cvar.count(), 2);
}

/// Changes are per cent with their sign, and Sharpe is judged the other way round.
#[test]
fn changes_carry_their_verdicts() {
    let mut metrics = fixture::metrics();
    let table = comparison(&metrics).unwrap();
    let cell = column(&table, "variance")[0];
    assert_eq!(cell.value, "-27.1 %");
    assert_eq!(cell.error.as_deref(), Some("±1.8 %"));
    assert_eq!(cell.verdict, Some(Verdict::Better));
    let sharpe = column(&table, "Sharpe difference")[0];
    assert_eq!(sharpe.value, "+0.0120");
    // Both lose on average, where a ratio ranks nothing.
    assert_eq!(sharpe.verdict, Some(Verdict::Withheld));
    assert_eq!(column(&table, "steps")[0].value, "300 vs 900");
    let rows = metrics.evaluation.iter_mut();
    rows.for_each(|row| row.pnl_mean = 0.1);
    let table = comparison(&metrics).unwrap();
    let sharpe = column(&table, "Sharpe difference")[0];
    assert_eq!(sharpe.verdict, Some(Verdict::Undecided));
    metrics.comparisons[0].seeds = 1;
    let table = comparison(&metrics).unwrap();
    let cell = column(&table, "variance")[0];
    assert_eq!(cell.verdict, Some(Verdict::OneSeed));
}

/// A measure that is not CVaR gets a column of its own, and CVaR is shown at 95 %.
#[test]
fn other_measures_have_their_own_column() {
    let mut metrics = fixture::metrics();
    metrics.risk = "entropic, aversion 1".into();
    metrics.trained_level = None;
    let table = evaluation(&metrics).unwrap();
    assert!(table.heads.contains(&"entropic, aversion 1".to_owned()));
    assert!(table.heads.contains(&"CVaR 95 %".to_owned()));
}

/// Decimals follow the standard errors, except those that are roundings; values that are
/// not numbers say so.
#[test]
fn decimals_follow_the_errors() {
    let shown = |column: &[(f64, f64)]| -> Vec<String> {
        estimates(column.iter().map(|&(v, e)| Some((v, Some(e)))))
            .into_iter()
            .map(|cell| cell.value + cell.error.as_deref().unwrap_or(""))
            .collect()
    };
    assert_eq!(shown(&[(1.23456, 0.0123)]), ["1.235±0.012"]);
    assert_eq!(shown(&[(1234.56, 12.3)]), ["1235±12"]);
    assert_eq!(shown(&[(1.25, 0.02), (1.25, 1e-17)])[0], "1.250±0.020");
    assert_eq!(shown(&[(f64::NAN, 0.1)]), ["n/a"]);
    assert_eq!(
        shown(&[(-0.0001, 0.01), (0.0, 0.0)]),
        ["0.000±0.010", "0.000±0.000"]
    );
}

/// One contract is one contract.
#[test]
fn captions_count_in_words() {
    let mut metrics = fixture::metrics();
    metrics.backtest[0].paths = 1;
    assert_eq!(backtest(&metrics).unwrap().caption, "Backtest, 1 contract");
}

/// Money in another unit: the same digits in every cell, and no column of zeros.
#[test]
fn tables_do_not_depend_on_the_unit_of_money() {
    let scaled = |unit: f64| {
        let mut metrics = fixture::metrics();
        for row in &mut metrics.evaluation {
            for money in [
                &mut row.premium,
                &mut row.pnl_mean,
                &mut row.pnl_mean_standard_error,
                &mut row.pnl_std,
                &mut row.pnl_std_standard_error,
                &mut row.cost_mean,
                &mut row.cost_mean_standard_error,
            ] {
                *money *= unit;
            }
            row.pnl_variance *= unit * unit;
            row.pnl_variance_standard_error *= unit * unit;
        }
        metrics
    };
    let digits = |cell: &Cell| -> String {
        let mantissa = cell.value.split('e').next().unwrap();
        let all: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        all.trim_matches('0').to_owned()
    };
    let usual = evaluation(&scaled(1.0)).unwrap();
    for unit in [1e-4, 1e-7, 1e3] {
        let other = evaluation(&scaled(unit)).unwrap();
        for head in ["mean P&L", "std P&L", "variance", "mean cost"] {
            let pairs = column(&usual, head).into_iter().zip(column(&other, head));
            for (here, there) in pairs {
                assert_eq!(digits(here), digits(there), "{unit}, {head}: {there:?}");
                assert!(there.value.len() < 12, "{there:?}");
            }
        }
    }
}

#[test]
fn a_run_without_results_has_no_tables() {
    let mut metrics = fixture::metrics();
    metrics.evaluation.clear();
    metrics.backtest.clear();
    metrics.backtest_breakdown.clear();
    metrics.comparisons.clear();
    metrics.backtest_comparisons.clear();
    assert!(all(&metrics).is_empty());
}
