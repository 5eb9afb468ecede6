use super::*;
use crate::contract::{Contract, Costs, OptionKind};
use crate::hedging::{ClassicalName, ClassicalPolicy, Fits, Policy};
use crate::market::{GbmParameters, Market, Model, Simulator};
use crate::network::Feature;
use crate::pricing::BlackScholes;
use crate::random::{Purpose, Sampling};

const STEPS: usize = 20;

fn market() -> Market {
    Market {
        model: Model::from(GbmParameters { volatility: 0.2 }),
        spot: 100.0,
        rate: 0.03.into(),
        dividend: 0.0.into(),
    }
}

fn paths(contract: &Contract, purpose: Purpose, count: usize) -> Paths<f64> {
    let simulator = Simulator {
        assets: market().into(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 1,
        purpose,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    simulator.paths(0, count).under(contract)
}

fn fitted() -> (Contract, Ledger, Regression) {
    let contract = Contract::option(OptionKind::Call, 100.0, 0.25, STEPS);
    let costs = Costs {
        spot: 0.0.into(),
        liquidation: true,
    };
    let ledger = Ledger::new(contract.clone(), costs, &market(), 0.0);
    let features = Features {
        list: Feature::USUAL.to_vec(),
        strike: 100.0,
        volatility: 0.2,
        expiry: 0.25,
        instruments: 1,
        ..Features::default()
    };
    let drawn = paths(&contract, Purpose::Regression, 1 << 16);
    let regression = Regression::new(&ledger, &features, &drawn).unwrap();
    (contract, ledger, regression)
}

/// A call under geometric Brownian motion, hedged at 20 dates without costs: the price on fresh paths is Black and Scholes' within
/// 2 standard errors, which the hedge makes five times smaller than those of the payoffs, and the positions are deltas to .01 (root
/// mean square over paths and dates).
#[test]
fn a_call_has_the_price_and_the_delta_of_black_and_scholes() {
    let (contract, ledger, regression) = fitted();
    let fresh = paths(&contract, Purpose::Evaluation, 1 << 14);
    let spread = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (mean, (variance / n).sqrt())
    };
    let (price, error) = spread(&regression.owed(&ledger, &fresh));
    let naked: Vec<f64> = (0..fresh.count())
        .map(|i| fresh.block(i / BLOCK).payments()[0][i % BLOCK] / ledger.growth(0))
        .collect();
    let exact = |spot: f64, left: f64| BlackScholes {
        kind: OptionKind::Call,
        spot,
        strike: 100.0,
        expiry: left,
        rate: 0.03,
        dividend: 0.0,
        volatility: 0.2,
    };
    let expected = exact(100.0, 0.25).price();
    assert!(
        (price - expected).abs() < 2.0 * error,
        "{price} ± {error}, {expected}"
    );
    assert!(5.0 * error < spread(&naked).1, "{error}");
    let positions = regression.positions(&fresh);
    let mut square = 0.0;
    for block in 0..fresh.blocks() {
        let data = fresh.block(block);
        for t in 0..STEPS {
            for lane in 0..BLOCK {
                let left = contract.dt() * (STEPS - t) as f64;
                let delta = exact(data.spot[t][lane], left).delta();
                square += (positions[block * STEPS + t][lane] - delta).powi(2);
            }
        }
    }
    let deviation = (square / (fresh.count() * STEPS) as f64).sqrt();
    assert!(deviation < 0.01, "{deviation}");
}

/// A regression that was made.
struct Made(Arc<Regression>);

impl Fits for Made {
    fn regression(&self, _: &Contract) -> Result<Arc<Regression>> {
        Ok(Arc::clone(&self.0))
    }

    fn coefficients(&self, _: &Contract, _: &dyn crate::hedging::Fit) -> Result<Arc<Vec<f64>>> {
        unreachable!("hedged Monte Carlo asks for its regression alone")
    }
}

/// With costs the hedge lies inside the band around its own positions, trades at most to its edge, and trades less; without costs it
/// holds the positions of the regression, to the last bit.
#[test]
fn the_band_holds_still() {
    let (contract, _, regression) = fitted();
    let fresh = paths(&contract, Purpose::Evaluation, 320);
    let free = regression.positions(&fresh);
    let fits = Arc::new(Made(Arc::new(regression)));
    let held = |charge: f64, aversion: f64| {
        let charges = vec![charge.into()];
        ClassicalPolicy::new(ClassicalName::HedgedMonteCarlo, market().into(), charges)
            .with_values(aversion.into())
            .with_fits(fits.clone())
            .positions(&contract, &fresh)
            .unwrap()
    };
    let traded = |positions: &[Lane<f64>]| -> f64 {
        let blocks = positions.chunks(STEPS);
        let moves = blocks.flat_map(|dates| dates.windows(2));
        moves
            .map(|pair| {
                (0..BLOCK)
                    .map(|lane| (pair[1][lane] - pair[0][lane]).abs())
                    .sum::<f64>()
            })
            .sum()
    };
    assert!(traded(&held(0.005, 1.0)) < 0.6 * traded(&free));
    assert_eq!(held(0.0, 1.0), free);
    let wide = held(0.005, 1e12);
    for (wide, free) in wide.iter().flatten().zip(free.iter().flatten()) {
        assert!((wide - free).abs() < 1e-3);
    }
}
