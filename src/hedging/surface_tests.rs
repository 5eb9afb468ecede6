//! Quotes, closed forms and hedges on paths that have an implied-volatility surface.

use super::{ClassicalName, ClassicalPolicy, ClosedForm, Policy};
use crate::contract::options::straddle;
use crate::contract::{Contract, Instrument, OptionKind, Vanilla};
use crate::market::{Assets, GbmParameters, Market, Model, Paths, Quotes};
use crate::pricing::{BlackScholes, SurfaceFactors};
use crate::simd::BLOCK;
use std::sync::Arc;

const STEPS: usize = 10;

fn market() -> Market {
    Market {
        model: Model::from(GbmParameters { volatility: 0.9 }),
        spot: 100.0,
        rate: 0.03.into(),
        dividend: 0.01.into(),
    }
}

fn contract() -> Contract {
    let strike = 104.0;
    Contract::of_options("straddle", straddle(strike), strike, 20.0 / 252.0, STEPS)
}

const OPTION: Vanilla = Vanilla {
    asset: 0,
    kind: OptionKind::Put,
    strike: 97.0,
    expiry: 63.0 / 252.0,
};

fn surface(path: usize, t: usize) -> SurfaceFactors {
    SurfaceFactors {
        level: 0.2 + 0.002 * path as f64,
        slope: -0.03 + 0.01 * t as f64,
        moneyness: 0.2,
        smile: -0.03,
        smirk: 0.01 * (path % 3) as f64,
    }
}

fn spot(path: usize, t: usize) -> f64 {
    100.0 + 0.7 * path as f64 * (t as f64).sin()
}

fn paths<R: crate::simd::Real>(count: usize) -> Paths<R> {
    let row = |path: usize| -> (Vec<f64>, Vec<f64>) {
        let dates = 0..=STEPS;
        let variance = |t: usize| surface(path, t).one_month().powi(2);
        (
            dates.clone().map(|t| spot(path, t)).collect(),
            dates.map(variance).collect(),
        )
    };
    let rows: Vec<_> = (0..count).map(row).collect();
    let rows = rows.iter().map(|(s, v)| (s.as_slice(), v.as_slice()));
    let assets: Assets = market().into();
    let contract = contract();
    let instruments = [Instrument::SPOT, Instrument::Option(OPTION)];
    let form = Arc::new(ClosedForm::new(&assets, &contract).unwrap());
    let quotes = Quotes::new(&assets, &contract, &instruments)
        .with_surface(true)
        .with_option_states(true)
        .answered_by(form);
    quotes.onto(Paths::from_rows(STEPS, rows).with_surfaces(surface))
}

/// The option with `strike` at the surface of the day, `later` years after the contract.
fn at_surface(path: usize, t: usize, kind: OptionKind, strike: f64, later: f64) -> BlackScholes {
    let expiry = contract().dt() * (STEPS - t) as f64 + later;
    let log_moneyness = (spot(path, t) / strike).ln() + 0.02 * expiry;
    BlackScholes {
        kind,
        spot: spot(path, t),
        strike,
        expiry,
        rate: 0.03,
        dividend: 0.01,
        volatility: surface(path, t).volatility(log_moneyness, expiry),
    }
}

/// In both precisions options are quoted, and the contract is valued, at the volatility of the strike on the day, whatever the model is.
#[test]
fn quotes_and_answers_are_those_of_the_surface() {
    const COUNT: usize = BLOCK + 7;
    let (exact, single) = (paths::<f64>(COUNT), paths::<f32>(COUNT));
    let close = |value: f64, one: f64, tolerance: f64, what: &str| {
        let gap = (value - one).abs();
        assert!(gap <= tolerance, "{what}: {value} {one}");
    };
    for path in [0, 5, BLOCK + 3] {
        let (block, lane) = (path / BLOCK, path % BLOCK);
        let (data, rounded) = (exact.block(block), single.block(block));
        for t in [0, 3, STEPS - 1] {
            assert_eq!(data.state_of(0, t, lane).surface, Some(surface(path, t)));
            let put = at_surface(path, t, OPTION.kind, OPTION.strike, 43.0 / 252.0);
            close(data.price(1)[t][lane], put.price(), 1e-12, "price");
            close(rounded.price(1)[t][lane].into(), put.price(), 2e-4, "price");
            let (deltas, vegas) = (
                data.option_deltas(1).unwrap(),
                data.option_vegas(1).unwrap(),
            );
            close(deltas[t][lane], put.delta(), 1e-12, "delta");
            close(vegas[t][lane], put.vega(), 1e-12, "vega");
            let (deltas, vegas) = (
                rounded.option_deltas(1).unwrap(),
                rounded.option_vegas(1).unwrap(),
            );
            close(deltas[t][lane].into(), put.delta(), 2e-5, "delta");
            close(vegas[t][lane].into(), put.vega(), 2e-3, "vega");
            let legs = [OptionKind::Call, OptionKind::Put];
            let legs = legs.map(|kind| at_surface(path, t, kind, 104.0, 0.0));
            let sum = |of: fn(&BlackScholes) -> f64| legs.iter().map(of).sum::<f64>();
            let answers = data.benchmark();
            close(
                answers.value()[t][lane],
                sum(BlackScholes::price),
                1e-4,
                "value",
            );
            close(
                answers.delta(0)[t][lane],
                sum(BlackScholes::delta),
                1e-6,
                "Δ",
            );
            close(answers.vega()[t][lane], sum(BlackScholes::vega), 1e-9, "ν");
            close(
                answers.volatility()[t][lane],
                legs[0].volatility,
                1e-12,
                "σ",
            );
        }
    }
}

/// The delta of the smile is held to the last digit; delta and vega of the whole vanish under the delta–vega hedge.
#[test]
fn hedges_are_at_the_volatility_of_the_strike() {
    let (paths, contract) = (paths::<f64>(40), contract());
    let held = |name: ClassicalName| {
        let policy = ClassicalPolicy::new(name, market().into(), vec![]);
        policy.positions(&contract, &paths).unwrap()
    };
    let (delta, both) = (
        held(ClassicalName::BlackScholes),
        held(ClassicalName::DeltaVega),
    );
    for path in [0, 17, 39] {
        for t in [0, 4, STEPS - 1] {
            let of = |positions: &[[f64; BLOCK]], instrument: usize| {
                let row = (path / BLOCK * STEPS + t) * 2 + instrument;
                positions[row][path % BLOCK]
            };
            let legs = [OptionKind::Call, OptionKind::Put];
            let legs = legs.map(|kind| at_surface(path, t, kind, 104.0, 0.0));
            let option = at_surface(path, t, OPTION.kind, OPTION.strike, 43.0 / 252.0);
            let sum = |of: fn(&BlackScholes) -> f64| legs.iter().map(of).sum::<f64>();
            assert!((of(&delta, 0) - sum(BlackScholes::delta)).abs() < 1e-12);
            assert_eq!(of(&delta, 1), 0.0);
            let (shares, options) = (of(&both, 0), of(&both, 1));
            assert!((options * option.vega() - sum(BlackScholes::vega)).abs() < 1e-9);
            let whole = shares + options * option.delta() - sum(BlackScholes::delta);
            assert!(whole.abs() < 1e-12);
        }
    }
}
