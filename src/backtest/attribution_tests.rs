//! The parts of a P&L add up to what the ledger settles.

use super::attribution::Valuation;
use crate::contract::{Contract, Costs, Instrument, OptionKind, Payoff, Vanilla};
use crate::hedging::{Book, Classical, ClassicalPolicy, Ledger, Policy};
use crate::market::{Market, Model, Paths, Quotes, Simulator};
use crate::pricing::{HestonParameters, MertonParameters};
use crate::random::{Purpose, Sampling};

fn market(model: Model) -> Market {
    Market {
        model,
        spot: 100.0,
        rate: 0.05,
        dividend: 0.02,
    }
}

const HESTON: HestonParameters = HestonParameters {
    v0: 0.05,
    kappa: 2.0,
    theta: 0.04,
    sigma: 0.5,
    rho: -0.6,
};

const MERTON: MertonParameters = MertonParameters {
    volatility: 0.15,
    jump_intensity: 4.0,
    log_jump_mean: -0.05,
    log_jump_std: 0.08,
};

fn paths(market: Market, contract: &Contract, count: usize) -> Paths<f64> {
    let simulator = Simulator {
        market,
        steps: contract.steps,
        dt: contract.dt(),
        seed: 4,
        purpose: Purpose::Evaluation,
        sampling: Sampling::Pseudorandom,
    };
    let option = |strike: f64, expiry: f64| {
        Instrument::Option(Vanilla {
            kind: OptionKind::Put,
            strike,
            expiry,
        })
    };
    let instruments = [
        Instrument::Spot,
        option(98.0, contract.expiry),
        option(103.0, 2.0 * contract.expiry),
    ];
    let quotes = Quotes::new(&market, contract, &instruments[..count]);
    simulator.paths_with(&quotes, 0, 70)
}

/// The sum of the parts is the ledger's P&L within 1e-9, for several payoffs, every model, every classical hedge, with
/// two options among the instruments, rate, dividend, costs, and a premium that is not the model's price.
#[test]
fn parts_add_up_to_the_ledger() {
    let gbm = Model::Gbm { volatility: 0.25 };
    for (model, kind) in [
        (gbm, Payoff::Call),
        (gbm, Payoff::Straddle),
        (Model::Merton(MERTON), Payoff::Call),
        (Model::Heston(HESTON), Payoff::Call),
        (Model::Heston(HESTON), Payoff::Put),
        (Model::Heston(HESTON), Payoff::Strangle { upper: 106.0 }),
        (Model::Heston(HESTON), Payoff::CallSpread { upper: 106.0 }),
    ] {
        let market = market(model);
        let contract = Contract {
            kind,
            strike: 103.0,
            expiry: 0.25,
            steps: 13,
        };
        let paths = paths(market, &contract, 3);
        let premiums: Vec<f64> = (0..paths.count()).map(|i| 2.0 + 0.1 * i as f64).collect();
        let valuation = Valuation::new(contract, market, &paths);
        for (hedge, liquidation) in [
            (Classical::Naked, true),
            (Classical::BlackScholes, true),
            (Classical::MinimumVariance, false),
            (Classical::WhalleyWilmott { aversion: 1.0 }, true),
            (Classical::DeltaVega, false),
            (Classical::DeltaVega, true),
        ] {
            let costs = Costs {
                spot: 0.004.into(),
                liquidation,
            };
            let policy = ClassicalPolicy {
                hedge,
                market,
                charge: 0.004.into(),
            };
            let ledger = paths.instruments()[1..].iter().fold(
                Ledger::new(contract, costs, &market, 0.0),
                |ledger, &option| ledger.with_instrument(option, 0.02),
            );
            let mut book = Book::hedge(&policy, &ledger, &paths).unwrap();
            book.receive(&ledger, &premiums);
            let positions = policy.positions(&contract, &paths).unwrap();
            let parts = valuation.attribute(&positions, &premiums, &book.cost, 0.08);
            for (parts, pnl) in parts.iter().zip(&book.pnl) {
                assert!(
                    (parts.total() - pnl).abs() < 1e-9,
                    "{hedge:?} {parts:?} {pnl}"
                );
            }
        }
    }
}

/// Who holds the model's delta has no P&L from delta; under constant variance none from vega; and over short steps
/// gamma and theta nearly explain the rest: what is unexplained shrinks with the step.
#[test]
fn the_models_delta_leaves_gamma_and_theta() {
    let market = Market {
        rate: 0.0,
        dividend: 0.0,
        ..market(Model::Gbm { volatility: 0.25 })
    };
    let unexplained = |steps: usize| {
        let contract = Contract {
            kind: Payoff::Call,
            strike: 100.0,
            expiry: 0.5,
            steps,
        };
        let paths = paths(market, &contract, 1);
        let policy = ClassicalPolicy {
            hedge: Classical::BlackScholes,
            market,
            charge: 0.0.into(),
        };
        let none = vec![0.0; paths.count()];
        let positions = policy.positions(&contract, &paths).unwrap();
        let parts =
            Valuation::new(contract, market, &paths).attribute(&positions, &none, &none, 0.1);
        for parts in &parts {
            assert!(parts.delta.abs() < 1e-12 && parts.drift.abs() < 1e-12);
            assert_eq!((parts.vega, parts.financing, parts.costs), (0.0, 0.0, 0.0));
            assert!(parts.gamma < 0.0 && parts.theta > 0.0);
        }
        let squares: f64 = parts.iter().map(|parts| parts.unexplained.powi(2)).sum();
        (squares / parts.len() as f64).sqrt()
    };
    let (coarse, fine) = (unexplained(25), unexplained(400));
    assert!(fine < 0.5 * coarse, "{coarse} {fine}");
}

/// A naked seller's delta part is the loss of not holding the model's delta, and the drift's share of it has the
/// drift's sign.
#[test]
fn a_naked_seller_speculates_on_the_spot() {
    let market = market(Model::Heston(HESTON));
    let contract = Contract {
        kind: Payoff::Call,
        strike: 100.0,
        expiry: 0.1,
        steps: 10,
    };
    let paths = paths(market, &contract, 1);
    let none = vec![0.0; paths.count()];
    let positions = vec![[0.0; crate::simd::BLOCK]; paths.blocks() * 10];
    let valuation = Valuation::new(contract, market, &paths);
    let growth = |t: usize| (0.05f64 * 0.01 * (10 - t) as f64).exp();
    for (i, parts) in valuation
        .attribute(&positions, &none, &none, 0.07)
        .iter()
        .enumerate()
    {
        let (spot, _) = paths.path(i);
        let expected: f64 = valuation
            .deltas(i)
            .enumerate()
            .map(|(t, delta)| -delta * (spot[t + 1] - spot[t]) * growth(t + 1))
            .sum();
        assert!((parts.delta - expected).abs() < 1e-12);
        assert!(parts.drift < 0.0);
    }
}
