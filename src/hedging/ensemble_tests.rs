//! The mean of policies.

use super::*;
use crate::contract::{Contract, Limit, Limits, OptionKind};
use crate::market::{GbmParameters, Market, Model, Paths, Simulator};
use crate::random::{Purpose, Sampling};
use crate::simd::{BLOCK, Lane};

/// Holds so many shares more on every date.
struct Steps(f64);

impl Policy for Steps {
    fn positions(&self, _: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let dates = 0..paths.steps() * paths.own().len();
        let steps = paths.steps();
        Ok(dates
            .map(|t| [self.0 * (1 + t % steps) as f64; BLOCK])
            .collect())
    }
}

/// Every position is the mean of those of all members; lots, which means do not keep, are kept by rounding.
#[test]
fn positions_are_means_within_limits() {
    let market = Market {
        model: Model::from(GbmParameters { volatility: 0.2 }),
        spot: 100.0,
        rate: 0.0.into(),
        dividend: 0.0.into(),
    };
    let contract = Contract::option(OptionKind::Call, 100.0, 0.1, 3);
    let simulator = Simulator {
        assets: market.into(),
        steps: 3,
        dt: 0.1 / 3.0,
        seed: 1,
        purpose: Purpose::Evaluation,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    let paths = simulator.paths::<f64>(0, 2 * BLOCK);
    let members = [Steps(0.1), Steps(0.16), Steps(0.31)];
    let held = |limits: Limits| {
        let ensemble = Ensemble {
            members: members.iter().map(|one| one as &dyn Policy).collect(),
            limits: &limits,
        };
        ensemble.positions(&contract, &paths).unwrap()
    };
    let free = held(Limits::default());
    for (t, held) in free.iter().enumerate() {
        let expected = 0.19 * (1 + t % 3) as f64;
        assert!(held.iter().all(|held| (held - expected).abs() < 1e-12));
    }
    let lots = Limit {
        lot: 0.25,
        ..Limit::default()
    };
    let rounded = held(Limits::new(vec![lots], f64::INFINITY));
    let expected = [0.25, 0.5, 0.5];
    for (t, held) in rounded.iter().enumerate() {
        assert_eq!(*held, [expected[t % 3]; BLOCK]);
    }
}
