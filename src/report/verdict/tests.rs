use super::*;
use crate::report::summary::Verdict;
use crate::runs::comparison::AtIndifference;
use crate::runs::fixture;

fn pair(strategy: &str, baseline: &str) -> Pair {
    Pair {
        strategy: strategy.into(),
        baseline: baseline.into(),
    }
}

fn usual(metrics: &Metrics) -> RunVerdict {
    RunVerdict::usual(metrics, None).unwrap()
}

/// K-FAC stands against Adam; the sentence says what is better on simulated paths and that history does not tell the two apart.
#[test]
fn the_sentence_covers_every_kind_of_paths() {
    let verdict = usual(&fixture::metrics());
    assert_eq!(
        (verdict.strategy.as_str(), verdict.baseline.as_str()),
        ("kfac", "adam")
    );
    assert_eq!(
        verdict.sentence,
        "kfac against adam, 2 seeds: on simulated paths better in CVaR 95 % (−14 %), P&L variance (−27 %) and cost \
         (−10 %); on history better in cost (−9.2 %), not distinguishable in CVaR 95 % and P&L variance."
    );
    assert_eq!(verdict.badge().as_deref(), Some("2 seeds"));
    let captions: Vec<String> = verdict.parts.iter().map(Part::caption).collect();
    assert_eq!(
        captions,
        [
            "Simulated, 500 paths",
            "Historical, 24 contracts, sold 2022-01-03 to 2023-12-03"
        ]
    );
}

/// With one seed nothing is better or worse, wherever it is said.
#[test]
fn one_seed_is_never_better_or_worse() {
    let mut metrics = fixture::metrics();
    for comparison in metrics
        .comparisons
        .iter_mut()
        .chain(&mut metrics.backtest_comparisons)
    {
        comparison.seeds = 1;
    }
    let verdict = usual(&metrics);
    assert!(verdict.one_seed);
    assert_eq!(verdict.badge().as_deref(), Some("one seed"));
    let judged = verdict.parts.iter().flat_map(|part| &part.lines);
    for line in judged {
        assert!(
            matches!(line.verdict, Verdict::OneSeed | Verdict::Withheld),
            "{line:?}"
        );
    }
    for text in [
        verdict.sentence.clone(),
        shown(&verdict, true).into_string(),
    ] {
        assert!(
            !text.contains("better") && !text.contains("worse"),
            "{text}"
        );
        assert!(text.contains("one seed"), "{text}");
    }
    assert!(
        verdict.sentence.contains("CVaR 95 % 14 % lower"),
        "{}",
        verdict.sentence
    );
}

/// Where history says the opposite of the simulation, the verdict does too.
#[test]
fn history_may_contradict() {
    let mut metrics = fixture::metrics();
    let historical = &mut metrics.backtest_comparisons[0];
    (
        historical.cvar_change,
        historical.cvar_change_standard_error,
    ) = (0.3, 0.1);
    let said = usual(&metrics).sentence;
    assert!(
        said.ends_with("History says the opposite of the simulation in CVaR 95 %."),
        "{said}"
    );
}

/// A Sharpe ratio ranks nothing where a mean lies below zero, and says why; at the indifference premium it does.
#[test]
fn sharpe_ratios_need_gains() {
    let mut metrics = fixture::metrics();
    let rows = metrics.evaluation.iter_mut();
    rows.for_each(|row| row.pnl_mean = -row.pnl_mean.abs() - 0.1);
    metrics.comparisons[0].sharpe_difference = 0.5;
    metrics.comparisons[0].at_indifference = Some(AtIndifference {
        premium_increase: 2.345,
        sharpe: 0.9,
        baseline_sharpe: 1.2,
        sharpe_difference: -0.3,
        sharpe_difference_standard_error: 0.01,
    });
    let verdict = usual(&metrics);
    let part = &verdict.parts[0];
    let sharpe = part.line(Measure::Sharpe).unwrap();
    assert_eq!(sharpe.verdict, Verdict::Withheld);
    assert!(sharpe.why.as_ref().unwrap().contains("below zero"));
    let sold = part.line(Measure::SharpeAtIndifference).unwrap();
    assert_eq!(sold.verdict, Verdict::Worse);
    assert_eq!(sold.title, "Sharpe ratio, premium +2.35");
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note.starts_with("Sharpe ratio, no verdict"))
    );
    // Gains are judged as they are.
    let rows = metrics.evaluation.iter_mut();
    rows.for_each(|row| row.pnl_mean = 0.1);
    let sharpe = usual(&metrics).parts[0]
        .line(Measure::Sharpe)
        .unwrap()
        .verdict;
    assert_eq!(sharpe, Verdict::Better);
}

/// What is asked for is compared, whatever it is; a name that is none, and a strategy against itself, are refused.
#[test]
fn any_two_strategies_may_be_asked_for() {
    let metrics = fixture::metrics();
    let asked = |strategy: Option<&str>, baseline: Option<&str>| Asked {
        strategy: strategy.map(str::to_owned),
        baseline: baseline.map(str::to_owned),
    };
    let of = |asked: Asked| {
        Pair::asked(&metrics, None, &asked)
            .map(Option::unwrap)
            .map_err(|(field, _)| field)
    };
    assert_eq!(of(asked(None, Some("naked"))), Ok(pair("kfac", "naked")));
    assert_eq!(of(asked(None, Some("kfac"))), Ok(pair("adam", "kfac")));
    assert_eq!(of(asked(Some("naked"), None)), Ok(pair("naked", "adam")));
    assert_eq!(of(asked(Some("adam"), None)), Ok(pair("adam", "kfac")));
    assert_eq!(of(asked(None, Some("soap"))), Err("baseline"));
    assert_eq!(of(asked(Some("soap"), None)), Err("strategy"));
    assert_eq!(of(asked(Some("kfac"), Some("kfac"))), Err("baseline"));
}

/// Without a second strategy there is nothing to compare; without a stored change there is one, whose error nobody knows.
#[test]
fn what_is_not_known_is_not_judged() {
    let mut metrics = fixture::metrics();
    metrics.comparisons.clear();
    metrics.backtest_comparisons.clear();
    let verdict = usual(&metrics);
    let line = verdict.parts[0].line(Measure::Cvar).unwrap();
    assert!(line.difference.value.is_finite() && line.difference.standard_error.is_nan());
    assert_eq!(line.verdict, Verdict::Unknown);
    metrics.evaluation.retain(|row| row.strategy == "kfac");
    metrics.backtest.retain(|row| row.strategy == "kfac");
    metrics.training.retain(|curve| curve.strategy == "kfac");
    assert_eq!(RunVerdict::usual(&metrics, None), None);
}
