use super::*;
use crate::runs::fixture;

fn run(differences: &[(&str, f64, f64)]) -> Metrics {
    let policies = differences
        .iter()
        .map(|(name, difference, error)| AgainstClassical {
            strategy: (*name).into(),
            seeds: 2,
            difference: *difference,
            standard_error: *error,
        });
    Metrics {
        best_classical: vec![BestClassical {
            strategy: "whalley_wilmott".into(),
            title: "Whalley–Wilmott band".into(),
            market: None,
            validation_risk: 3.7,
            simulated: Some(BesideBest {
                risk: 3.718,
                policies: policies.collect(),
            }),
            backtest: None,
        }],
        ..fixture::metrics()
    }
}

/// The sentence names the hedge and its risk, and says of each policy whether it beats it, by how much, or that nothing can be said.
#[test]
fn a_person_in_a_hurry_reads_who_wins() {
    let metrics = run(&[
        ("kfac", -0.52, 0.02),
        ("adam", 0.2, 0.03),
        ("muon", -0.01, 0.02),
        ("soap", f64::NAN, 0.1),
    ]);
    assert_eq!(
        findings(&metrics),
        [
            "Best classical hedge: Whalley–Wilmott band (CVaR 95 % 3.718). \
          kfac beats it: its risk is lower by 0.520 ± 0.020 (14 %). \
          adam does not beat it: its risk is higher by 0.200 ± 0.030 (5.4 %). \
          muon does not beat it: its risk is not distinguishable (difference -0.010 ± 0.020). \
          soap could not be compared with it."
        ]
    );
}

/// One training beats nothing, whatever its paths say.
#[test]
fn one_seed_beats_nothing() {
    let mut metrics = run(&[("kfac", -0.52, 0.02)]);
    let best = metrics.best_classical[0].simulated.as_mut().unwrap();
    best.policies[0].seeds = 1;
    let [said] = findings(&metrics).try_into().unwrap();
    assert!(
        said.ends_with(
            "kfac, trained with one seed, has a risk lower by 0.520 ± 0.020 (14 %); another seed may not."
        ),
        "{said}"
    );
}

/// A run of an older version has no such hedge, and says nothing; a folder written and read back says the same.
#[test]
fn old_runs_say_nothing() {
    assert!(findings(&fixture::metrics()).is_empty());
    let metrics = run(&[("kfac", -0.5, 0.02)]);
    let text = serde_json::to_string(&metrics).unwrap();
    let again: Metrics = serde_json::from_str(&text).unwrap();
    assert_eq!(again.best_classical, metrics.best_classical);
}
