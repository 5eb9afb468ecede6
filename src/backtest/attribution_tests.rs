//! The parts of a P&L add up to what the ledger settles.

use super::valuation::Valuation;
use crate::contract::options::{call_spread, straddle, strangle};
use crate::contract::{Charge, Contract, Costs, Instrument, Leg, OptionKind, Vanilla};
use crate::hedging::{Book, ClassicalName, ClassicalPolicy, Ledger, Policy};
use crate::market::{Curve, GbmParameters, Market, Model, Paths, Quotes, Simulator};
use crate::pricing::{HestonParameters, MertonParameters};
use crate::random::{Purpose, Sampling};

/// No costs.
const FREE: Costs = Costs {
    spot: Charge::linear(0.0, 0.0),
    liquidation: true,
};

fn market(model: Model) -> Market {
    Market {
        model,
        spot: 100.0,
        rate: 0.05.into(),
        dividend: 0.02.into(),
    }
}

/// A rate and a yield that change within half a year.
fn uneven(market: Market) -> Market {
    let curve = |pairs: [[f64; 2]; 3]| {
        let pairs = pairs.map(|pair| pair.to_vec());
        Curve::of_pillars("curve", &pairs).unwrap()
    };
    Market {
        rate: curve([[30.0, -0.3], [80.0, 0.6], [150.0, 0.1]]),
        dividend: curve([[50.0, 0.3], [100.0, -0.1], [182.0, 0.2]]),
        ..market
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
        assets: market.clone().into(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 4,
        purpose: Purpose::Evaluation,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    let option = |strike: f64, expiry: f64| {
        Instrument::Option(Vanilla {
            asset: 0,
            kind: OptionKind::Put,
            strike,
            expiry,
        })
    };
    let instruments = [
        Instrument::SPOT,
        option(98.0, contract.expiry),
        option(103.0, 2.0 * contract.expiry),
    ];
    let quotes = Quotes::new(&market.clone().into(), contract, &instruments[..count]);
    simulator.paths_with(&quotes, 0, 70)
}

/// The sum of the parts is the ledger's P&L within 1e-9, for several payoffs, every model, every classical hedge, with
/// two options among the instruments, rate, dividend, costs, and a premium that is not the model's price.
#[test]
fn parts_add_up_to_the_ledger() {
    let gbm = Model::from(GbmParameters { volatility: 0.25 });
    let call = vec![Leg::one(OptionKind::Call, 103.0)];
    for (market, legs) in [
        (gbm.clone(), call.clone()),
        (gbm, straddle(103.0)),
        (Model::from(MERTON), call.clone()),
        (Model::from(HESTON), call),
        (Model::from(HESTON), vec![Leg::one(OptionKind::Put, 103.0)]),
        (Model::from(HESTON), strangle(103.0, 106.0)),
        (Model::from(HESTON), call_spread(103.0, 106.0)),
    ]
    .into_iter()
    .flat_map(|(model, legs)| {
        let even = market(model);
        [(even.clone(), legs.clone()), (uneven(even), legs)]
    }) {
        let contract = Contract::of_options("sum", legs, 103.0, 0.25, 13);
        let paths = paths(market.clone(), &contract, 3);
        let premiums: Vec<f64> = (0..paths.count()).map(|i| 2.0 + 0.1 * i as f64).collect();
        let valuation = Valuation::new(&contract, &market.clone().into(), &paths);
        for (hedge, liquidation) in [
            (ClassicalName::Naked, true),
            (ClassicalName::BlackScholes, true),
            (ClassicalName::MinimumVariance, false),
            (ClassicalName::WhalleyWilmott, true),
            (ClassicalName::DeltaVega, false),
            (ClassicalName::DeltaVega, true),
        ] {
            let costs = Costs {
                spot: 0.004.into(),
                liquidation,
            };
            let policy = ClassicalPolicy::new(hedge, market.clone().into(), vec![0.004.into()]);
            let ledger = paths.instruments()[1..].iter().fold(
                Ledger::new(contract.clone(), costs, &market, 0.0),
                |ledger, &option| ledger.with_instrument(option, 0.02),
            );
            let mut book = Book::hedge(&policy, &ledger, &paths).unwrap();
            book.receive(&ledger, &premiums);
            let positions = policy.positions(&contract, &paths).unwrap();
            let parts =
                valuation.attribute(&positions, &premiums, &book, (&ledger, &paths), &[0.08]);
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
/// gamma and theta nearly explain the rest: what is unexplained shrinks with the step, under rates that change too.
#[test]
fn the_models_delta_leaves_gamma_and_theta() {
    let free = Market {
        rate: 0.0.into(),
        dividend: 0.0.into(),
        ..market(Model::from(GbmParameters { volatility: 0.25 }))
    };
    delta_leaves_gamma_and_theta(&free);
    delta_leaves_gamma_and_theta(&uneven(free));
}

fn delta_leaves_gamma_and_theta(market: &Market) {
    let financed = !market.has_constant_carry();
    let unexplained = |steps: usize| {
        let contract = Contract::option(OptionKind::Call, 100.0, 0.5, steps);
        let paths = paths(market.clone(), &contract, 1);
        let policy = ClassicalPolicy::new(
            ClassicalName::BlackScholes,
            market.clone().into(),
            vec![0.0.into()],
        );
        let none = vec![0.0; paths.count()];
        let free = Book::zeros(paths.count());
        let positions = policy.positions(&contract, &paths).unwrap();
        let ledger = Ledger::new(contract.clone(), FREE, market, 0.0);
        let parts = Valuation::new(&contract, &market.clone().into(), &paths).attribute(
            &positions,
            &none,
            &free,
            (&ledger, &paths),
            &[0.1],
        );
        for parts in &parts {
            assert!(parts.delta.abs() < 1e-12 && parts.drift.abs() < 1e-12);
            assert_eq!((parts.vega, parts.costs), (0.0, 0.0));
            assert_eq!(parts.financing != 0.0, financed);
            assert!(parts.gamma < 0.0 && (parts.theta > 0.0 || financed));
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
    let market = market(Model::from(HESTON));
    let contract = Contract::option(OptionKind::Call, 100.0, 0.1, 10);
    let paths = paths(market.clone(), &contract, 1);
    let none = vec![0.0; paths.count()];
    let positions = vec![[0.0; crate::simd::BLOCK]; paths.blocks() * 10];
    let valuation = Valuation::new(&contract, &market.clone().into(), &paths);
    let growth = |t: usize| (0.05f64 * 0.01 * (10 - t) as f64).exp();
    for (i, parts) in valuation
        .attribute(
            &positions,
            &none,
            &Book::zeros(paths.count()),
            (&Ledger::new(contract.clone(), FREE, &market, 0.0), &paths),
            &[0.07],
        )
        .iter()
        .enumerate()
    {
        let (spot, _) = paths.path(i);
        let expected: f64 = valuation
            .deltas(i)
            .unwrap()
            .enumerate()
            .map(|(t, delta)| -delta * (spot[t + 1] - spot[t]) * growth(t + 1))
            .sum();
        assert!((parts.delta - expected).abs() < 1e-12);
        assert!(parts.drift < 0.0);
    }
}

/// Spots of a stock that is halted from the sale, or from the middle of the contract's life, and then resumes elsewhere, at
/// variances that are zero, have nearly decayed to it, or come back with the jump.
fn halted(contract: &Contract) -> Vec<(Vec<f64>, Vec<f64>)> {
    let steps = contract.steps;
    let spots = [
        vec![100.0; steps + 1],
        vec![103.0; steps + 1],
        (0..=steps)
            .map(|t| if t < 4 { 100.0 } else { 130.0 })
            .collect(),
        (0..=steps)
            .map(|t| if t < 4 { 103.0 } else { 71.0 })
            .collect(),
        (0..=steps)
            .map(|t| [99.0, 104.0, 103.0][t.min(2)])
            .collect(),
    ];
    let variances = [
        vec![0.0; steps + 1],
        (0..=steps)
            .map(|t| 0.04 * 10f64.powi(-9 * t as i32))
            .collect(),
        (0..=steps).map(|t| if t < 5 { 0.0 } else { 0.3 }).collect(),
        vec![1e-300; steps + 1],
    ];
    let pairs = spots.iter().flat_map(|spot| {
        let variances = variances.iter();
        variances.map(|variance| (spot.clone(), variance.clone()))
    });
    pairs.collect()
}

/// On halted prices every hedge of every payoff under every model holds finite positions and has finite P&L, whose parts
/// add up to it: with and without costs, rates, and options among the instruments.
#[test]
fn halted_prices_are_hedged_and_attributed() {
    let gbm = Model::from(GbmParameters { volatility: 0.25 });
    let call = vec![Leg::one(OptionKind::Call, 100.0)];
    for model in [gbm, Model::from(MERTON), Model::from(HESTON)] {
        for (legs, rate, cost) in [
            (call.clone(), 0.0, 0.0),
            (call.clone(), 0.05, 0.004),
            (straddle(100.0), 0.0, 0.004),
            (call_spread(100.0, 103.0), 0.0, 0.004),
            (strangle(100.0, 103.0), 0.0, 0.0),
        ] {
            let market = Market {
                rate: rate.into(),
                dividend: 0.0.into(),
                ..market(model.clone())
            };
            let contract = Contract::of_options("sum", legs, 100.0, 10.0 / 252.0, 10);
            let option = Instrument::Option(Vanilla {
                asset: 0,
                kind: OptionKind::Put,
                strike: 100.0,
                expiry: 2.0 * contract.expiry,
            });
            let rows = halted(&contract);
            let rows = rows.iter().map(|(s, v)| (s.as_slice(), v.as_slice()));
            let quotes = Quotes::new(
                &market.clone().into(),
                &contract,
                &[Instrument::SPOT, option],
            );
            let paths = quotes.onto(Paths::from_rows(contract.steps, rows));
            let premiums = vec![1.5; paths.count()];
            let valuation = Valuation::new(&contract, &market.clone().into(), &paths);
            for hedge in [
                ClassicalName::Naked,
                ClassicalName::BlackScholes,
                ClassicalName::MinimumVariance,
                ClassicalName::WhalleyWilmott,
                ClassicalName::DeltaVega,
            ] {
                let policy = ClassicalPolicy::new(hedge, market.clone().into(), vec![cost.into()]);
                let costs = Costs {
                    spot: cost.into(),
                    liquidation: true,
                };
                let ledger = Ledger::new(contract.clone(), costs, &market, 0.0)
                    .with_instrument(option, cost);
                let positions = policy.positions(&contract, &paths).unwrap();
                let held = positions.iter().flatten();
                assert!(held.clone().all(|units| units.is_finite()), "{hedge:?}");
                let mut book = Book::settle(&positions, &ledger, &paths);
                book.receive(&ledger, &premiums);
                let parts =
                    valuation.attribute(&positions, &premiums, &book, (&ledger, &paths), &[0.08]);
                for (i, (parts, pnl)) in parts.iter().zip(&book.pnl).enumerate() {
                    assert!(
                        (parts.total() - pnl).abs() < 1e-8,
                        "{model:?} {contract:?} {hedge:?} {i}: {parts:?} {pnl}"
                    );
                }
            }
        }
    }
}

/// At the money without variance the Whalley–Wilmott band has no edges and what is held stays; without costs there is no
/// band and the delta is one half.
#[test]
fn the_band_at_a_kink() {
    let market = Market {
        rate: 0.0.into(),
        dividend: 0.0.into(),
        ..market(Model::from(GbmParameters { volatility: 0.25 }))
    };
    let contract = Contract::option(OptionKind::Call, 100.0, 10.0 / 252.0, 10);
    let (still, none) = (vec![100.0; 11], vec![0.0; 11]);
    let mut moved = still.clone();
    moved[..3].copy_from_slice(&[106.0, 105.0, 103.0]);
    let rows = [&still, &moved].map(|spot| (spot.as_slice(), none.as_slice()));
    let paths = Paths::from_rows(10, rows.into_iter());
    for (cost, expected) in [(0.0, [0.5, 0.5]), (0.01, [0.0, 1.0])] {
        let policy = ClassicalPolicy::new(
            ClassicalName::WhalleyWilmott,
            market.clone().into(),
            vec![cost.into()],
        );
        let positions = policy.positions(&contract, &paths).unwrap();
        assert_eq!(positions[5][..2], expected);
        assert_eq!(positions[2][1], 1.0);
    }
}
