//! Published hedging errors, through the program's own simulator, hedges and ledger.

use super::*;
use crate::contract::options::{payoff, straddle};
use crate::contract::{Charge, Contract, Costs, Instrument, OptionKind};
use crate::market::{GbmParameters, Market, Model, Paths, Quotes, Simulator};
use crate::pricing::HestonParameters;
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
    let policy = ClassicalPolicy::new(
        ClassicalName::BlackScholes,
        market.clone().into(),
        vec![costs.spot],
    );
    let ledger = Ledger::new(contract.clone(), costs, &market, premium);
    Book::hedge(
        &policy,
        &ledger,
        &simulator(market, contract)
            .paths(0, count)
            .under(ledger.contract()),
    )
    .unwrap()
    .pnl
}

fn both(market: Market, contract: Contract) -> Quotes {
    let both = [Instrument::SPOT, Instrument::VarianceSwap(0)];
    Quotes::new(&market.clone().into(), &contract, &both)
}

pub(super) const PARAMETERS: HestonParameters = HestonParameters {
    v0: 0.05,
    kappa: 2.0,
    theta: 0.04,
    sigma: 0.4,
    rho: -0.6,
};

pub(super) fn simulator(market: Market, contract: Contract) -> Simulator {
    Simulator {
        assets: market.into(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 5,
        purpose: Purpose::Evaluation,
        sampling: Sampling::Pseudorandom,
        family: None,
    }
}

pub(super) fn gbm(rate: f64) -> Market {
    Market {
        model: Model::from(GbmParameters { volatility: 0.2 }),
        spot: 100.0,
        rate: rate.into(),
        dividend: 0.0.into(),
    }
}

/// CVaR at 95 % of the Black–Scholes delta, S = K = 100, σ = .2, 30/252 years, 30 steps, no premium, no
/// liquidation: independent simulation of 4·10⁵ paths; the published single runs are 3.752 … 17.203.
#[test]
fn black_scholes_delta_with_costs() {
    let contract = Contract::option(OptionKind::Call, 100.0, 30.0 / 252.0, 30);
    for (proportional, expected) in [
        (0.0, 3.757),
        (0.005, 5.329),
        (0.01, 6.973),
        (0.02, 10.332),
        (0.04, 17.139),
    ] {
        let costs = Costs {
            spot: proportional.into(),
            liquidation: false,
        };
        let found = cvar(
            &delta_hedged(gbm(0.0), contract.clone(), costs, 0.0, 200_000),
            0.95,
        );
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
        let contract = Contract::option(OptionKind::Call, 100.0, 1.0 / 12.0, steps);
        let costs = Costs {
            spot: 0.0.into(),
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

/// The ledger's derivative against central differences, with and without liquidation, with rates, dividends, proportional
/// costs and spreads, in one instrument and in two.
#[test]
fn derivative_is_that_of_the_settlement() {
    let market = Market {
        model: Model::from(PARAMETERS),
        rate: 0.04.into(),
        dividend: 0.02.into(),
        ..gbm(0.0)
    };
    let contract = Contract::option(OptionKind::Put, 101.0, 0.5, 5);
    let paths: Paths<f64> = simulator(market.clone(), contract.clone()).paths_with(
        &both(market.clone(), contract.clone()),
        0,
        BLOCK,
    );
    let block = paths.block(0);
    for (liquidation, count) in [(true, 1), (false, 1), (true, 2), (false, 2)] {
        let costs = Costs {
            spot: Charge::linear(0.02, 0.15),
            liquidation,
        };
        let mut ledger = Ledger::new(contract.clone(), costs, &market, 3.0);
        if count == 2 {
            let swap = Charge::linear(0.03, 0.2);
            ledger = ledger.with_instrument(Instrument::VarianceSwap(0), swap);
        }
        let positions: Vec<[f64; BLOCK]> = (0..5 * count)
            .map(|t| std::array::from_fn(|lane| ((t * 7 + lane * 3) as f64).sin()))
            .collect();
        let mut derivative = vec![[0.0; BLOCK]; 5 * count];
        ledger.derivative(&block, &positions, &mut derivative);
        for t in 0..5 * count {
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

/// A half-spread h of an instrument lowers the P&L by h Σ_t |δ_t − δ_{t−1}| B_t, what the cost rises by, and changes neither
/// turnover nor what the other instrument costs.
#[test]
fn a_half_spread_is_paid_for_every_unit_traded() {
    let market = Market {
        model: Model::from(PARAMETERS),
        rate: 0.04.into(),
        ..gbm(0.0)
    };
    let contract = Contract::of_options("straddle", straddle(100.0), 100.0, 0.5, 4);
    let paths: Paths<f64> = simulator(market.clone(), contract.clone()).paths_with(
        &both(market.clone(), contract.clone()),
        0,
        BLOCK,
    );
    let block = paths.block(0);
    let positions: Vec<[f64; BLOCK]> = (0..8)
        .map(|t| std::array::from_fn(|lane| ((t * 5 + lane) as f64).cos()))
        .collect();
    let settle = |spreads: [f64; 2]| {
        let [spot, swap] = spreads.map(|half_spread| Charge::linear(0.01, half_spread));
        let costs = Costs {
            spot,
            liquidation: true,
        };
        Ledger::new(contract.clone(), costs, &market, 3.0)
            .with_instrument(Instrument::VarianceSwap(0), swap)
            .settle(&block, &positions)
    };
    let free = settle([0.0, 0.0]);
    for (index, spreads) in [(0, [0.3, 0.0]), (1, [0.0, 0.3])] {
        let charged = settle(spreads);
        for lane in 0..BLOCK {
            let at = |t: usize| positions[2 * t + index][lane];
            let expected: f64 = (0..=4)
                .map(|t| {
                    let before = if t == 0 { 0.0 } else { at(t - 1) };
                    let after = if t == 4 { 0.0 } else { at(t) };
                    0.3 * (after - before).abs() * (0.04 * 0.125 * (4 - t) as f64).exp()
                })
                .sum();
            assert!((free.pnl[lane] - charged.pnl[lane] - expected).abs() < 1e-12);
            assert!((charged.cost[lane] - free.cost[lane] - expected).abs() < 1e-12);
            assert_eq!(charged.turnover[lane], free.turnover[lane]);
        }
    }
}

/// Heston's market is complete in spot and variance swap: held in ∂u/∂S shares and (∂u/∂v)/(∂F/∂v) swaps, where
/// ∂F/∂v = F₀ (1 − e^{−κτ})/κ over E∫v dt, a portfolio replicates the option u up to the discreteness of its dates.
/// The error's standard deviation falls as n^{−1/2}, its mean is zero (z-bound 4), and it ends far below that of the
/// shares alone, which leave the risk of the variance.
///
/// # References
/// Buehler, Gonon, Teichmann and Wood (2019), "Deep hedging", section 5.1.
#[test]
fn spot_and_variance_swap_replicate_an_option() {
    let errors = [8, 32].map(|steps| {
        let market = Market {
            model: Model::from(PARAMETERS),
            ..gbm(0.0)
        };
        let contract = Contract::option(OptionKind::Call, 100.0, 0.25, steps);
        let costs = Costs {
            spot: 0.0.into(),
            liquidation: true,
        };
        let paths: Paths<f64> = simulator(market.clone(), contract.clone()).paths_with(
            &both(market.clone(), contract.clone()),
            0,
            1024,
        );
        let premium = market.price(contract.legs().unwrap(), contract.expiry);
        let ledger = Ledger::new(contract.clone(), costs, &market, premium)
            .with_instrument(Instrument::VarianceSwap(0), 0.0);
        [true, false].map(|swaps| {
            let mut pnl = Vec::new();
            for block in 0..paths.blocks() {
                let data = paths.block(block);
                let mut positions = vec![[0.0; BLOCK]; 2 * steps];
                for t in 0..steps {
                    for lane in 0..BLOCK {
                        let (spot, variance) = (data.spot[t][lane], data.variance[t][lane]);
                        let left = contract.dt() * (steps - t) as f64;
                        let (delta, swap) = replicating(spot, variance, left);
                        positions[2 * t][lane] = delta;
                        positions[2 * t + 1][lane] = if swaps { swap } else { 0.0 };
                    }
                }
                pnl.extend(ledger.settle(&data, &positions).pnl);
            }
            let n = pnl.len() as f64;
            let mean = pnl.iter().sum::<f64>() / n;
            let deviation = (pnl.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n).sqrt();
            assert!(
                mean.abs() < 4.0 * deviation / n.sqrt(),
                "{mean} ± {deviation}"
            );
            deviation
        })
    });
    let [[coarse, _], [fine, shares]] = errors;
    assert!((coarse / fine / 2.0 - 1.0).abs() < 0.15, "{errors:?}");
    assert!(fine < 0.6 * shares, "{errors:?}");
}

/// Shares and swaps that replicate a call struck at 100 and expiring in `left` years; the swap began at .25.
fn replicating(spot: f64, variance: f64, left: f64) -> (f64, f64) {
    let HestonParameters {
        v0, kappa, theta, ..
    } = PARAMETERS;
    let duration = |time: f64| (1.0 - (-kappa * time).exp()) / kappa;
    let total = theta * 0.25 + (v0 - theta) * duration(0.25);
    let now = HestonParameters {
        v0: variance,
        ..PARAMETERS
    };
    let greeks = now.greeks(OptionKind::Call, spot, 100.0, left, 0.0, 0.0);
    // Vega is the derivative in √v.
    let in_variance = greeks.vega / (2.0 * variance.sqrt());
    (greeks.delta, in_variance * total / (100.0 * duration(left)))
}

/// The account of a block ends at the settlement: premium·B₀ − payoff + gain − cost is its P&L, with rates, dividends
/// and a second instrument, whether or not the position is closed.
#[test]
fn the_account_ends_at_the_settlement() {
    let contract = Contract::option(OptionKind::Call, 100.0, 0.25, 5);
    let market = Market {
        model: Model::from(PARAMETERS),
        spot: 100.0,
        rate: 0.04.into(),
        dividend: 0.02.into(),
    };
    let paths = simulator(market.clone(), contract.clone()).paths_with::<f64>(
        &both(market.clone(), contract.clone()),
        0,
        BLOCK,
    );
    let block = paths.block(0);
    let positions: Vec<[f64; BLOCK]> = (0..10)
        .map(|i| std::array::from_fn(|lane| ((7 * i + 3 * lane) % 11) as f64 / 10.0 - 0.4))
        .collect();
    for liquidation in [true, false] {
        let costs = Costs {
            spot: Charge::linear(0.01, 0.02),
            liquidation,
        };
        let ledger = Ledger::new(contract.clone(), costs, &market, 2.5)
            .with_instrument(Instrument::VarianceSwap(0), 0.02);
        let settled = ledger.settle(&block, &positions);
        let account = ledger.account(&block, &positions);
        for lane in 0..BLOCK {
            let payoff = payoff(contract.legs().unwrap(), block.spot[5][lane]);
            let (gain, cost) = (account.gain[5][lane], account.cost[5][lane]);
            assert!((cost - settled.cost[lane]).abs() < 1e-12);
            let pnl = ledger.at_expiry(2.5) - payoff + gain - cost;
            assert!(
                (pnl - settled.pnl[lane]).abs() < 1e-12,
                "{pnl} {}",
                settled.pnl[lane]
            );
            assert_eq!(account.gain[0][lane], 0.0);
            assert!(account.cost[0][lane] > 0.0);
        }
    }
}
