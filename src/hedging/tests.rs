//! Published hedging errors, through the program's own simulator, hedges and ledger.

use super::*;
use crate::contract::{Contract, Costs, OptionKind};
use crate::market::{Market, Model, Simulator};
use crate::random::{Purpose, Sampling};
use crate::risk::cvar;
use crate::simd::BLOCK;

fn delta_hedged(
    market: Market,
    contract: Contract,
    costs: Costs,
    premium: f64,
    count: usize,
) -> Vec<f64> {
    let policy = ClassicalPolicy {
        hedge: Classical::BlackScholes,
        market,
        contract,
        proportional_cost: costs.proportional,
    };
    let ledger = Ledger::new(contract, costs, &market, premium);
    let simulator = Simulator {
        market,
        steps: contract.steps,
        dt: contract.dt(),
        seed: 5,
        purpose: Purpose::Evaluation,
        sampling: Sampling::Pseudorandom,
    };
    Book::hedge(&policy, &ledger, &simulator.paths(0, count))
        .unwrap()
        .pnl
}

fn gbm(rate: f64) -> Market {
    Market {
        model: Model::Gbm { volatility: 0.2 },
        spot: 100.0,
        rate,
        dividend: 0.0,
    }
}

/// CVaR at 95 % of the Black–Scholes delta, S = K = 100, σ = .2, 30/252 years, 30 steps, no premium, no
/// liquidation: independent simulation of 4·10⁵ paths; the published single runs are 3.752 … 17.203.
#[test]
fn black_scholes_delta_with_costs() {
    let contract = Contract {
        kind: OptionKind::Call,
        strike: 100.0,
        expiry: 30.0 / 252.0,
        steps: 30,
    };
    for (proportional, expected) in [
        (0.0, 3.757),
        (0.005, 5.329),
        (0.01, 6.973),
        (0.02, 10.332),
        (0.04, 17.139),
    ] {
        let costs = Costs {
            proportional,
            liquidation: false,
        };
        let found = cvar(&delta_hedged(gbm(0.0), contract, costs, 0.0, 200_000), 0.95);
        assert!(
            (found / expected - 1.0).abs() < 0.01,
            "cost {proportional}: {found} against {expected}"
        );
    }
}

/// Derman and Kamal (1999): standard deviation of the replication error √(π/4n) · vega · σ, .443 at 21 and .222 at
/// 84 rehedges for r = 5 %, σ = 20 %, one month, S = K = 100.
#[test]
fn replication_error_of_derman_and_kamal() {
    for (steps, expected) in [(21, 0.443), (84, 0.222)] {
        let contract = Contract {
            kind: OptionKind::Call,
            strike: 100.0,
            expiry: 1.0 / 12.0,
            steps,
        };
        let costs = Costs {
            proportional: 0.0,
            liquidation: true,
        };
        let pnl = delta_hedged(gbm(0.05), contract, costs, 2.512, 400_000);
        let mean = pnl.iter().sum::<f64>() / pnl.len() as f64;
        let deviation =
            (pnl.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / pnl.len() as f64).sqrt();
        assert!(
            (deviation / expected - 1.0).abs() < 0.04,
            "{steps} rehedges: {deviation}"
        );
    }
}

/// The ledger's derivative against central differences, with and without liquidation, rates and dividends.
#[test]
fn derivative_is_that_of_the_settlement() {
    let market = Market {
        rate: 0.04,
        dividend: 0.02,
        ..gbm(0.0)
    };
    let contract = Contract {
        kind: OptionKind::Put,
        strike: 101.0,
        expiry: 0.5,
        steps: 5,
    };
    let simulator = Simulator {
        market,
        steps: 5,
        dt: 0.1,
        seed: 2,
        purpose: Purpose::Training,
        sampling: Sampling::Pseudorandom,
    };
    let paths = simulator.paths::<f64>(0, BLOCK);
    let block = paths.block(0);
    for liquidation in [true, false] {
        let ledger = Ledger::new(
            contract,
            Costs {
                proportional: 0.02,
                liquidation,
            },
            &market,
            3.0,
        );
        let positions: Vec<[f64; BLOCK]> = (0..5)
            .map(|t| std::array::from_fn(|lane| ((t * 7 + lane * 3) as f64).sin()))
            .collect();
        let mut derivative = vec![[0.0; BLOCK]; 5];
        ledger.derivative(&block, &positions, &mut derivative);
        for t in 0..5 {
            let settle = |bump: f64| {
                let mut moved = positions.clone();
                moved[t].iter_mut().for_each(|p| *p += bump);
                ledger.settle(&block, &moved).pnl
            };
            let (up, down) = (settle(1e-5), settle(-1e-5));
            for lane in 0..BLOCK {
                let difference = (up[lane] - down[lane]) / 2e-5;
                assert!(
                    (difference - derivative[t][lane]).abs() < 1e-6,
                    "{t} {lane}"
                );
            }
        }
    }
}
