use super::tuning::{Trials, field_of, survivors_of};
use crate::runs::metrics::Trial;
use crate::strategy::{OptimizerPlan, Plan};

const STRATEGY: &str = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\n[optimizers.adam]\n";

fn plan() -> Plan {
    Plan::parse(STRATEGY, |_| {}).unwrap()
}

/// The candidates with these risks, the file's own settings first, that go on: their places in the field.
fn places(risks: &[f64], count: usize) -> Vec<usize> {
    let plan = plan();
    let field = field_of(&plan, &plan.optimizers[0], risks.len()).unwrap();
    let keys: Vec<_> = field.iter().map(|one| one.keys.clone()).collect();
    let mut scored: Vec<_> = risks.iter().copied().zip(field).collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let left = survivors_of(scored, count, &keys[0]);
    let place = |one: &OptimizerPlan| keys.iter().position(|keys| *keys == one.keys).unwrap();
    left.iter().map(place).collect()
}

#[test]
fn own_settings_go_on_whatever_their_rank() {
    assert_eq!(places(&[4.0, 3.0, 2.0, 1.0, 5.0], 3), [3, 2, 0]);
    assert_eq!(places(&[1.0, 3.0, 2.0, 4.0], 3), [0, 2, 1]);
    assert_eq!(places(&[f64::INFINITY, 3.0, 2.0], 2), [2, 0]);
    assert_eq!(places(&[2.0, 3.0, 1.0], 1), [2]);
}

/// A trial with a seed that a rung asks for.
fn asked(seed: u64) -> Trial {
    Trial {
        strategy: "adam".into(),
        rung: 0,
        share: 0.25,
        seed,
        risk: f64::NAN,
        paths: 32,
        settings: plan().optimizers[0].keys.clone(),
    }
}

/// A search that goes on takes the trials that it asks for from the folder, and no trial from the first on that is
/// another one's.
#[test]
fn kept_trials_are_taken_in_their_order() {
    let mut kept = Vec::new();
    let mut search = |seeds: [u64; 3], first: f64| {
        let mut left = kept.clone();
        let mut trials = Trials::new(Vec::new(), &mut left, seeds.map(asked).to_vec());
        let mut risk = first;
        for place in 0..3 {
            if !trials.is_kept(place) {
                risk += 1.0;
                assert!(trials.add(place, risk));
            }
        }
        kept = trials.kept();
        kept.iter().map(|trial| trial.risk).collect::<Vec<_>>()
    };
    assert_eq!(search([7, 8, 9], 0.0), [1.0, 2.0, 3.0]);
    assert_eq!(search([7, 8, 9], 10.0), [1.0, 2.0, 3.0]);
    assert_eq!(search([7, 5, 9], 20.0), [1.0, 21.0, 22.0]);
    assert_eq!(search([7, 5, 9], 30.0), [1.0, 21.0, 22.0]);
}

/// Trials that several groups do end in any order. What is kept are those before the first that goes on, in their order.
#[test]
fn trials_are_kept_in_their_order() {
    let mut trials = Trials::new(Vec::new(), &mut Vec::new(), [1, 2, 3].map(asked).to_vec());
    assert!(!trials.add(1, 20.0));
    assert!(trials.kept().is_empty());
    assert!(trials.add(0, 10.0));
    let risks = |trials: &Trials| trials.kept().iter().map(|t| t.risk).collect::<Vec<_>>();
    assert_eq!(risks(&trials), [10.0, 20.0]);
    assert!(trials.add(2, 30.0));
    assert_eq!(risks(&trials), [10.0, 20.0, 30.0]);
}
