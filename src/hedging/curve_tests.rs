//! Rates and dividend yields that change over time, in the ledger and in hedges.

use super::tests::{gbm, simulator};
use super::*;
use crate::contract::{Costs, Instrument, OptionKind};
use crate::market::{Asset, Assets, Correlation, Curve, Market, Simulator};
use crate::random::{Purpose, Sampling};

fn curve(pairs: &[[f64; 2]]) -> Curve {
    let pairs: Vec<Vec<f64>> = pairs.iter().map(|pair| pair.to_vec()).collect();
    Curve::of_pillars("curve", &pairs).unwrap()
}

fn uneven() -> Market {
    Market {
        rate: curve(&[[20.0, -0.3], [45.0, 0.5], [91.0, 0.2]]),
        dividend: curve(&[[30.0, 0.4], [60.0, -0.1]]),
        ..gbm(0.0)
    }
}

const FREE: Costs = Costs {
    spot: crate::contract::Charge::linear(0.0, 0.0),
    liquidation: true,
};

/// Who holds cash alone has the premium times e^{∫ r}, and at each date what it is worth at expiry is e^{∫ r} from there.
#[test]
fn cash_grows_as_the_curve_says() {
    let market = uneven();
    let contract = Contract::option(OptionKind::Call, 1e9, 0.25, 17);
    let ledger = Ledger::new(contract.clone(), FREE, &market, 3.0);
    let paths = simulator(market.clone(), contract.clone()).paths::<f64>(0, BLOCK);
    let book = Book::settle(&vec![[0.0; BLOCK]; 17], &ledger, &paths.under(&contract));
    // z(T) at the last pillar is 20 %, and then the forward rate (0.2·91 − 0.5·45)/46 for the rest of the 91.25 days.
    let grown: f64 = (0.2 * 91.0 + 0.25 * (0.2 * 91.0 - 0.5 * 45.0) / 46.0) / 365.0;
    for pnl in book.pnl {
        assert!((pnl - 3.0 * grown.exp()).abs() < 1e-14, "{pnl}");
    }
    for t in 0..=17 {
        let left = market.rate.integral(0.25 * t as f64 / 17.0, 0.25);
        assert!((ledger.growth(t) - left.exp()).abs() < 1e-14);
    }
}

/// A share of each asset whose dividends are reinvested, e^{∫₀ᵗ q} shares at t, comes to S_T e^{∫q} − S_0 e^{∫r} on every path.
#[test]
fn shares_with_their_dividends_are_bought_and_held() {
    let (first, mut second) = (uneven(), uneven());
    second.dividend = curve(&[[10.0, -0.5], [80.0, 0.3]]);
    let named = |(name, market): (&str, &Market)| Asset {
        name: name.into(),
        market: market.clone(),
    };
    let list = [("one", &first), ("two", &second)].map(named).to_vec();
    let assets = Assets::new(list, Correlation::independent(2)).unwrap();
    let contract = Contract::option(OptionKind::Call, 1e9, 0.25, 12);
    let simulator = Simulator {
        assets: assets.clone(),
        steps: 12,
        dt: contract.dt(),
        seed: 9,
        purpose: Purpose::Evaluation,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    let instruments = [Instrument::Spot(0), Instrument::Spot(1)];
    let quotes = crate::market::Quotes::new(&assets, &contract, &instruments);
    let paths = simulator.paths_with::<f64>(&quotes, 0, BLOCK);
    for (asset, market) in [&first, &second].into_iter().enumerate() {
        let ledger = Ledger::new(contract.clone(), FREE, &first, 0.0)
            .with_assets([&second.dividend])
            .with_instrument(Instrument::Spot(1), 0.0);
        let shares = |time: f64| market.dividend.integral(0.0, time).exp();
        let mut positions = vec![[0.0; BLOCK]; 24];
        for t in 0..12 {
            positions[2 * t + asset] = [shares(contract.dt() * t as f64); BLOCK];
        }
        let book = Book::settle(&positions, &ledger, &paths);
        let spots = paths.block(0).spot_of(asset);
        for (lane, pnl) in book.pnl.into_iter().enumerate() {
            let paid = spots[0][lane] * market.rate.integral(0.0, 0.25).exp();
            let expected = spots[12][lane] * shares(0.25) - paid;
            assert!((pnl - expected).abs() < 1e-11, "{asset}: {pnl} {expected}");
        }
    }
}

/// The Black–Scholes delta at the rates to come replicates a call that was sold at its price: no P&L on average, z-bound 4, and
/// to leading order the variance ½ (σ²Δ)² Σ_t E[(Γ_t S_t² B_{t+1})²] of what gamma misses between dates. A hedge at the rates' average
/// over all the life is worse.
#[test]
fn a_delta_at_the_rates_to_come_replicates() {
    let contract = Contract::option(OptionKind::Call, 100.0, 0.25, 84);
    let market = uneven();
    let leg = contract.legs().unwrap()[0];
    let premium = market.price(&[leg], contract.expiry);
    let ledger = Ledger::new(contract.clone(), FREE, &market, premium);
    let paths = simulator(market.clone(), contract.clone()).paths(0, 20_000);
    let paths = paths.under(&contract);
    let hedged = |assumed: &Market| {
        let policy = ClassicalPolicy::new(
            ClassicalName::BlackScholes,
            assumed.clone().into(),
            vec![0.0.into()],
        );
        let pnl = Book::hedge(&policy, &ledger, &paths).unwrap().pnl;
        let n = pnl.len() as f64;
        let mean = pnl.iter().sum::<f64>() / n;
        let square = pnl.iter().map(|z| (z - mean).powi(2)).sum::<f64>();
        (mean, (square / n).sqrt())
    };
    let (mean, deviation) = hedged(&market);
    assert!(
        mean.abs() < 4.0 * deviation / 20_000f64.sqrt(),
        "{mean} {deviation}"
    );
    let mut squares = 0.0;
    for t in 0..84 {
        let elapsed = contract.dt() * t as f64;
        let option = market.black_scholes_after(elapsed, leg, contract.expiry - elapsed, 0.2);
        let spots = (0..paths.blocks()).flat_map(|block| paths.block(block).spot[t]);
        for spot in spots {
            let gamma = crate::pricing::BlackScholes { spot, ..option }.gamma();
            squares += (gamma * spot * spot * ledger.growth(t + 1)).powi(2);
        }
    }
    let expected = (0.5 * squares / 20_000.0).sqrt() * 0.04 * contract.dt();
    assert!(
        (deviation / expected - 1.0).abs() < 0.06,
        "{deviation} {expected}"
    );
    let average = Market {
        rate: market.rate.average(0.0, 0.25).into(),
        dividend: market.dividend.average(0.0, 0.25).into(),
        ..market.clone()
    };
    let (_, blind) = hedged(&average);
    assert!(blind > 1.2 * deviation, "{blind} {deviation}");
}
