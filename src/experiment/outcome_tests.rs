//! What ranks measure together has the bits of one process.

use super::{Bench, Training, hedge_test_paths, simulated};
use crate::distributed::{Portable, Ranks, threads};
use crate::experiment::policies::ensemble;
use crate::hedging::{Book, Parameter, TrainedPolicy};
use crate::network::Parameters;
use crate::random::Purpose;
use crate::strategy::Plan;

/// Paths that are no multiple of ranks × 32.
const EVALUATION: &str = "[costs]\nproportional = 0.005\n[evaluation]\npaths = 1000\n";

const OPTION: &str =
    "[policy]\ninstruments = [\"spot\", { type = \"put\", strike = 98, expiry_days = 9 }]\n";

const HESTON: &str =
    "[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\nrho = -0.7\n";

const GBM: &str = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n";

fn write(book: &Book, bytes: &mut Vec<u8>) {
    let Book {
        pnl,
        cost,
        turnover,
    } = book;
    assert_eq!([pnl.len(), cost.len(), turnover.len()], [1000; 3]);
    f64::write_all(&[&pnl[..], cost, turnover].concat(), bytes);
}

/// The parameters of all classical hedges as `ranks` tune them, the books of these and of an untrained policy on the test paths,
/// and what a regression owes, as bytes.
fn measured(plan: &Plan, ranks: Ranks) -> Vec<u8> {
    let plan = plan.with_ranks(ranks);
    let stop = &mut || Ok(());
    let mut bytes = Vec::new();
    for tuned in plan.tuned_hedges(stop).unwrap() {
        tuned.risk.write(&mut bytes);
        for (_, parameter) in Parameter::ALL {
            tuned.values.of(*parameter).write(&mut bytes);
        }
        let policy = plan.classical(tuned.hedge, &plan.assets(), tuned.values);
        write(&hedge_test_paths(&plan, &policy, stop).unwrap(), &mut bytes);
    }
    let parameters = Parameters::random(plan.shape.maps(), 3).unwrap();
    let policy = TrainedPolicy {
        parameters: &parameters,
        features: &plan.features,
        sweep: &*plan.sweep(),
    };
    write(&hedge_test_paths(&plan, &policy, stop).unwrap(), &mut bytes);
    let paths = plan.simulator(9, Purpose::Evaluation).paths_over(
        &plan.ranks,
        &plan.quotes().unwrap(),
        0,
        210,
    );
    let regression = plan.regression(&plan.assets()).unwrap();
    regression
        .owed(&plan.ledger(&plan.market, 0.0), &paths)
        .write(&mut bytes);
    bytes
}

fn assert_same_bits(text: &str, hedges: &str) {
    let evaluation = EVALUATION.replace("paths", &format!("hedges = [{hedges}]\npaths"));
    let plan = Plan::parse(&format!("{text}{evaluation}"), |_| {}).unwrap();
    let expected = measured(&plan, Ranks::alone());
    for size in [1, 2, 3] {
        for found in threads::run(size, |ranks| measured(&plan, ranks)) {
            assert!(found == expected, "{text}: {size} ranks");
        }
    }
}

/// Hedges by formulas, by integrals of prices whose range all paths decide, and by regressions, tuned and not.
#[test]
fn classical_hedges_and_policies_are_measured_to_the_same_bits() {
    let call = "[contract]\nexpiry_days = 4\n";
    assert_same_bits(
        &format!("{HESTON}{call}"),
        "\"naked\", \"whalley_wilmott\", \"minimum_variance\", \"hull_white\", \"scaled_delta\", \
         \"move_based\", \"time_based\", \"hedged_monte_carlo\"",
    );
}

/// Contracts without a closed form, those of a family, and hedges that trade an option.
#[test]
fn every_contract_is_measured_to_the_same_bits() {
    let asian = "[contract]\ntype = \"asian_call\"\nexpiry_days = 4\n";
    assert_same_bits(&format!("{GBM}{asian}"), "\"hedged_monte_carlo\"");
    let family = "[contract]\nstrike = [95, 105]\nexpiry_days = [2, 4]\nsteps = 4\n";
    assert_same_bits(
        &format!("{GBM}{family}"),
        "\"black_scholes\", \"hull_white\", \"hedged_monte_carlo\"",
    );
    let option = "[contract]\nexpiry_days = 4\n";
    assert_same_bits(
        &format!("{GBM}{option}{OPTION}"),
        "\"delta_vega\", \"delta_gamma\", \"hedged_monte_carlo\"",
    );
}

/// Where trading is free P&L is linear in the positions, so that of an ensemble is the mean of its members', path by path; it is measured
/// where the strategy asks for it and there are several.
#[test]
fn an_ensemble_earns_the_mean_where_trading_is_free() {
    let asked = "[policy]\nhidden = 3\n[evaluation]\npaths = 300\nensemble = true\n";
    let text = |evaluation: &str| format!("{HESTON}[contract]\nexpiry_days = 8\n{evaluation}");
    let plan = Plan::parse(&text(asked), |_| {}).unwrap();
    let parameters: Vec<Parameters> = (0..3)
        .map(|seed| Parameters::random(plan.shape.maps(), seed).unwrap())
        .collect();
    let trained: Vec<(Training, &Parameters)> = parameters
        .iter()
        .enumerate()
        .map(|(seed, parameters)| {
            let training = Training {
                seed: seed as u64,
                steps: 10,
                seconds: 1.0,
            };
            (training, parameters)
        })
        .collect();
    let bench = |plan| Bench {
        plan,
        history: None,
        simulated: true,
        stop: &|| Ok(()),
    };
    let found = ensemble(&bench(&plan), "kfac", &trained).unwrap().unwrap();
    let row = found.row().unwrap();
    assert_eq!(
        (row.strategy.as_str(), row.seed),
        ("kfac ensemble", Some(0))
    );
    assert_eq!((row.steps, row.seconds), (Some(30), Some(3.0)));
    let mut mean = vec![0.0; 300];
    let sweep = plan.sweep();
    for parameters in &parameters {
        let policy = TrainedPolicy {
            parameters,
            features: &plan.features,
            sweep: &*sweep,
        };
        let book = hedge_test_paths(&plan, &policy, &mut || Ok(())).unwrap();
        for (mean, pnl) in mean.iter_mut().zip(book.pnl) {
            *mean += pnl / 3.0;
        }
    }
    let outcomes = [found];
    let [(_, book)] = simulated(&outcomes).try_into().unwrap();
    for (pnl, mean) in book.pnl.iter().zip(&mean) {
        assert!((pnl - mean).abs() < 1e-10, "{pnl} {mean}");
    }
    assert!(
        ensemble(&bench(&plan), "kfac", &trained[..1])
            .unwrap()
            .is_none()
    );
    let plain = Plan::parse(&text("[policy]\nhidden = 3\n"), |_| {}).unwrap();
    assert!(
        ensemble(&bench(&plain), "kfac", &trained)
            .unwrap()
            .is_none()
    );
}
