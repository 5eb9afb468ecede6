//! Options as hedging instruments.

use super::tests::{PARAMETERS, gbm, simulator};
use super::*;
use crate::contract::options::payoff;
use crate::contract::{At, Charge, Contract, Cost, Costs, Instrument, OptionKind, Vanilla};
use crate::market::{Market, Model, Paths, Quotes};
use crate::simd::BLOCK;

/// Holding the very option that was sold leaves premium − price − costs, in money of the expiry, whatever the path: the
/// option is settled at its payoff and pays to be bought alone. One of a later expiry is sold at its price, at a cost.
#[test]
fn the_option_sold_replicates_itself() {
    let market = gbm(0.04);
    let contract = Contract::option(OptionKind::Put, 101.0, 0.5, 5);
    let own = Vanilla {
        asset: 0,
        kind: OptionKind::Put,
        strike: 101.0,
        expiry: 0.5,
    };
    let later = Vanilla {
        expiry: 0.75,
        ..own
    };
    let instruments = [
        Instrument::SPOT,
        Instrument::Option(own),
        Instrument::Option(later),
    ];
    let quotes = Quotes::new(&market.clone().into(), &contract, &instruments);
    let paths: Paths<f64> =
        simulator(market.clone(), contract.clone()).paths_with(&quotes, 0, BLOCK);
    let block = paths.block(0);
    let charge = Charge::linear(0.01, 0.05);
    let (premium, growth) = (3.0, |t: i32| (0.04 * 0.1 * f64::from(5 - t)).exp());
    for liquidation in [true, false] {
        let costs = Costs {
            spot: 0.02.into(),
            liquidation,
        };
        let mut ledger = Ledger::new(contract.clone(), costs, &market, premium);
        for instrument in &instruments[1..] {
            ledger = ledger.with_instrument(*instrument, charge);
        }
        let held = |index: usize| -> Vec<[f64; BLOCK]> {
            let unit = |i: usize| if i % 3 == index { 1.0 } else { 0.0 };
            (0..15).map(|i| [unit(i); BLOCK]).collect()
        };
        let (first, second) = (
            ledger.settle(&block, &held(1)),
            ledger.settle(&block, &held(2)),
        );
        let price = market.price(contract.legs().unwrap(), contract.expiry);
        for lane in 0..BLOCK {
            let cost = charge.cost(1.0, &At::priced(price)) * growth(0);
            assert!((first.cost[lane] - cost).abs() < 1e-12);
            let expected = (premium - price) * growth(0) - cost;
            assert!(
                (first.pnl[lane] - expected).abs() < 1e-10,
                "{}",
                first.pnl[lane]
            );
            let [start, end] = [0, 5].map(|t| block.price(2)[t][lane]);
            let sold = if liquidation {
                charge.cost(1.0, &At::priced(end))
            } else {
                0.0
            };
            let cost = charge.cost(1.0, &At::priced(start)) * growth(0) + sold;
            let payoff = payoff(contract.legs().unwrap(), block.spot[5][lane]);
            let expected = (premium - start) * growth(0) - payoff + end - cost;
            assert!((second.cost[lane] - cost).abs() < 1e-12);
            assert!((second.pnl[lane] - expected).abs() < 1e-10);
        }
    }
}

/// Delta–vega holds the very option sold and no shares; with an option of another strike and a later expiry its P&L
/// spreads far less than that of the delta alone, under Heston without costs.
#[test]
fn delta_vega_hedges_the_variance() {
    let market = Market {
        model: Model::from(PARAMETERS),
        ..gbm(0.0)
    };
    let contract = Contract::option(OptionKind::Call, 100.0, 0.25, 60);
    let costs = Costs {
        spot: 0.0.into(),
        liquidation: true,
    };
    let own = Vanilla {
        asset: 0,
        kind: OptionKind::Call,
        strike: 100.0,
        expiry: 0.25,
    };
    let other = Vanilla {
        strike: 103.0,
        expiry: 0.5,
        ..own
    };
    let hedge = |hedge: ClassicalName, option: Vanilla| {
        let instruments = [Instrument::SPOT, Instrument::Option(option)];
        let quotes = Quotes::new(&market.clone().into(), &contract, &instruments);
        let paths: Paths<f64> =
            simulator(market.clone(), contract.clone()).paths_with(&quotes, 0, 1024);
        let policy = ClassicalPolicy::new(hedge, market.clone().into(), vec![costs.spot]);
        let positions = policy.positions(&contract, &paths).unwrap();
        let ledger = Ledger::new(
            contract.clone(),
            costs,
            &market,
            market.price(contract.legs().unwrap(), contract.expiry),
        )
        .with_instrument(instruments[1], 0.0);
        let pnl = Book::hedge(&policy, &ledger, &paths).unwrap().pnl;
        let mean = pnl.iter().sum::<f64>() / 1024.0;
        let square = pnl.iter().map(|z| (z - mean).powi(2)).sum::<f64>();
        (positions, (square / 1024.0).sqrt())
    };
    let (positions, deviation) = hedge(ClassicalName::DeltaVega, own);
    for pair in positions.chunks_exact(2) {
        for lane in 0..BLOCK {
            assert!(pair[0][lane].abs() < 1e-12 && (pair[1][lane] - 1.0).abs() < 1e-12);
        }
    }
    // What is left are errors of interpolation, over all dates.
    assert!(deviation < 1e-3, "{deviation}");
    let (_, both) = hedge(ClassicalName::DeltaVega, other);
    let (_, delta) = hedge(ClassicalName::BlackScholes, other);
    assert!(both < 0.5 * delta, "{both} {delta}");
}
