//! Limits and identities of classical hedges.

use super::centre::{Fit, Fits, HullWhite};
use super::parameter::{HedgeValues, Parameter};
use super::{Centre, ClassicalHedge, ClassicalName, ClassicalPolicy, TradingRule};
use crate::contract::{Contract, Costs, Instrument, OptionKind, Vanilla};
use crate::error::Result;
use crate::hedging::{Book, Ledger, Policy, Regression};
use crate::market::{GbmParameters, Market, Model, Paths, Quotes, Simulator};
use crate::pricing::HestonParameters;
use crate::random::{Purpose, Sampling};
use crate::simd::Lane;
use std::sync::Arc;

/// Today's names are those of the rows; a parameter that is given is part of the name.
#[test]
fn rows_have_stable_names() {
    for name in ClassicalName::all() {
        assert_eq!(ClassicalHedge::from(name).name(), name.name());
    }
    let mut hedge = ClassicalHedge::new(
        super::Centre::MinimumVariance,
        super::TradingRule::WhalleyWilmott,
    );
    assert_eq!(hedge.name(), "minimum_variance_whalley_wilmott");
    assert_eq!(
        hedge.title(),
        "minimum-variance delta, Whalley–Wilmott band"
    );
    hedge.given[Parameter::Aversion as usize] = Some(0.5);
    assert_eq!(
        hedge.name(),
        "minimum_variance_whalley_wilmott_aversion_0.5"
    );
}

fn market(model: impl Into<Model>) -> Market {
    Market {
        model: model.into(),
        spot: 100.0,
        rate: 0.03.into(),
        dividend: 0.01.into(),
    }
}

fn gbm() -> Market {
    market(GbmParameters { volatility: 0.2 })
}

fn heston() -> Market {
    market(HestonParameters {
        v0: 0.04,
        kappa: 2.0,
        theta: 0.04,
        sigma: 0.5,
        rho: -0.7,
    })
}

fn call() -> Contract {
    Contract::option(OptionKind::Call, 100.0, 0.25, 21)
}

fn simulator(market: &Market, contract: &Contract, purpose: Purpose) -> Simulator {
    Simulator {
        assets: market.clone().into(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 5,
        purpose,
        sampling: Sampling::Pseudorandom,
        family: None,
    }
}

fn paths(market: &Market, count: usize) -> Paths<f64> {
    let contract = call();
    let simulator = simulator(market, &contract, Purpose::Evaluation);
    simulator.paths(0, count).under(&contract)
}

/// Coefficients that are given, or that are found on simulated paths of the market.
struct Found(Option<Vec<f64>>);

impl Fits for Found {
    fn regression(&self, _: &Contract) -> Result<Arc<Regression>> {
        unreachable!("no hedge here is found by regression backward in time")
    }

    fn coefficients(&self, contract: &Contract, fit: &dyn Fit) -> Result<Arc<Vec<f64>>> {
        let found = match &self.0 {
            Some(given) => given.clone(),
            None => {
                let market = heston();
                let simulator = simulator(&market, contract, Purpose::Regression);
                let paths = simulator.paths::<f32>(0, 1 << 13).under(contract);
                fit.on_simulated(&market.into(), contract, &paths)?
            }
        };
        Ok(Arc::new(found))
    }
}

/// The positions of a hedge of a call with parameters, where trading costs a share of the value.
fn held(
    hedge: impl Into<ClassicalHedge>,
    (market, paths): (&Market, &Paths<f64>),
    cost: f64,
    values: HedgeValues,
) -> Vec<Lane<f64>> {
    ClassicalPolicy::new(hedge, market.clone().into(), vec![cost.into()])
        .with_values(values)
        .with_fits(Arc::new(Found(Some(vec![0.0; 3]))))
        .positions(&call(), paths)
        .unwrap()
}

/// Each of these is the Black–Scholes delta, to the last bit: Leland's and Zakamouline's at no cost, Hull and White's with coefficients
/// of 0, the delta times 1, a move of 0 and every date; and for any centre a band at no cost is the centre.
#[test]
fn limits_are_the_delta() {
    use ClassicalName::{
        BlackScholes, HullWhite, Leland, MoveBased, ScaledDelta, TimeBased, WhalleyWilmott,
        Zakamouline,
    };
    let default = HedgeValues::default();
    for market in [gbm(), heston()] {
        let paths = paths(&market, 32);
        let on = (&market, &paths);
        let delta = held(BlackScholes, on, 0.0, default);
        for hedge in [Leland, Zakamouline, WhalleyWilmott] {
            assert_eq!(held(hedge, on, 0.0, default), delta, "{hedge:?}");
        }
        for hedge in [HullWhite, ScaledDelta, MoveBased, TimeBased] {
            assert_eq!(held(hedge, on, 0.01, default), delta, "{hedge:?}");
        }
        for centre in [
            Centre::MinimumVariance,
            Centre::HullWhite,
            Centre::ScaledDelta,
        ] {
            let free = held(
                ClassicalHedge::new(centre, TradingRule::EveryDate),
                on,
                0.0,
                default,
            );
            for rule in [
                TradingRule::WhalleyWilmott,
                TradingRule::MoveBased,
                TradingRule::TimeBased,
            ] {
                let banded = held(ClassicalHedge::new(centre, rule), on, 0.0, default);
                assert_eq!(banded, free, "{centre:?} {rule:?}");
            }
        }
    }
}

/// A band of the greatest aversion closes to a little on the centre of every kind; one of the least holds nothing at the sale.
#[test]
fn bands_close_and_open() {
    let market = heston();
    let paths = paths(&market, 32);
    for centre in [
        Centre::BlackScholes,
        Centre::Leland,
        Centre::HullWhite,
        Centre::MinimumVariance,
    ] {
        let of = |rule, aversion: f64| {
            let hedge = ClassicalHedge::new(centre, rule);
            held(hedge, (&market, &paths), 0.005, aversion.into())
        };
        let free = of(TradingRule::EveryDate, 1.0);
        let closed = of(TradingRule::WhalleyWilmott, 1e18);
        for (free, closed) in free.iter().flatten().zip(closed.iter().flatten()) {
            assert!((free - closed).abs() < 1e-4, "{centre:?}");
        }
        assert_eq!(of(TradingRule::WhalleyWilmott, 1e-15)[0], [0.0; 32]);
    }
}

/// A threshold of delta holds still until the centre is further away than it from the last trade, then trades the whole way; on every
/// fifth date the centre is held, and in between what was.
#[test]
fn rules_trade_when_they_say() {
    let market = gbm();
    let paths = paths(&market, 32);
    let on = (&market, &paths);
    let default = HedgeValues::default();
    let centre = held(ClassicalName::BlackScholes, on, 0.0, default);
    let moved = held(
        ClassicalName::MoveBased,
        on,
        0.0,
        default.with(Parameter::Move, 0.1),
    );
    let timed = held(
        ClassicalName::TimeBased,
        on,
        0.0,
        default.with(Parameter::Every, 5.0),
    );
    let scaled = held(
        ClassicalName::ScaledDelta,
        on,
        0.0,
        default.with(Parameter::Scale, 0.9),
    );
    let mut still = 0;
    for lane in 0..32 {
        let mut last = centre[0][lane];
        for t in 0..21 {
            if (centre[t][lane] - last).abs() > 0.1 {
                last = centre[t][lane];
            } else {
                still += 1;
            }
            assert_eq!(moved[t][lane], last);
            assert_eq!(timed[t][lane], centre[t - t % 5][lane]);
            assert_eq!(scaled[t][lane], 0.9 * centre[t][lane]);
        }
    }
    assert!(still > 300, "{still}");
}

/// Zakamouline's half-width at δ = .5, Γ = .02, S = 5,000, σ = .2, τ = .25, r = 0, λ = 1 and a cost of 5 basis points is .0209537.
#[test]
fn zakamoulines_band_has_its_width() {
    use super::rule::{TradingRuleKind, Wanted};
    let wanted = Wanted {
        date: 3,
        centre: 0.5,
        gamma: 0.02,
        volatility: 0.2,
        left: 0.25,
        discount: 1.0,
        unit_cost: 0.0005 * 5000.0,
        price: 5000.0,
    };
    let rule: &dyn TradingRuleKind = TradingRule::Zakamouline.kind();
    let next = |held| rule.next(&wanted, held, &1.0.into());
    assert!(
        (next(0.0) - (0.5 - 0.020953691)).abs() < 1e-8,
        "{}",
        next(0.0)
    );
    assert!((next(1.0) - (0.5 + 0.020953691)).abs() < 1e-8);
    assert_eq!(next(0.51), 0.51);
}

/// The positions of hedges scale with nothing: a hundred times the money, at an aversion of a hundredth, are the same shares.
#[test]
fn money_has_no_unit() {
    let small = gbm();
    let large = Market {
        spot: 10_000.0,
        ..gbm()
    };
    let shares = |market: &Market, strike: f64, aversion: f64, hedge: ClassicalName| {
        let contract = Contract::option(OptionKind::Call, strike, 0.25, 21);
        let paths = simulator(market, &contract, Purpose::Evaluation).paths(0, 32);
        ClassicalPolicy::new(hedge, market.clone().into(), vec![0.005.into()])
            .with_values(aversion.into())
            .positions(&contract, &paths.under(&contract))
            .unwrap()
    };
    for hedge in [
        ClassicalName::Zakamouline,
        ClassicalName::WhalleyWilmott,
        ClassicalName::Leland,
    ] {
        let (ours, theirs) = (
            shares(&small, 100.0, 1.0, hedge),
            shares(&large, 10_000.0, 0.01, hedge),
        );
        for (ours, theirs) in ours.iter().flatten().zip(theirs.iter().flatten()) {
            assert!((ours - theirs).abs() < 1e-9, "{hedge:?}: {ours} {theirs}");
        }
    }
}

fn deviation(pnl: &[f64]) -> f64 {
    let n = pnl.len() as f64;
    let mean = pnl.iter().sum::<f64>() / n;
    (pnl.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// Under Heston with ρ = −.7 Hull and White's regression gives a hedge whose P&L spreads less than that of the delta by at least 3 % on
/// paths that it has not seen, which is two fifths or more of what the minimum-variance delta of the model takes off, which knows ρ and
/// the variance.
#[test]
fn hull_and_white_take_in_the_skew() {
    let (market, contract) = (heston(), call());
    let paths = paths(&market, 1 << 12);
    let costs = Costs {
        spot: 0.0.into(),
        liquidation: true,
    };
    let ledger = Ledger::new(contract, costs, &market, 0.0);
    let spread = |hedge: ClassicalName| {
        let policy = ClassicalPolicy::new(hedge, market.clone().into(), vec![0.0.into()])
            .with_fits(Arc::new(Found(None)));
        deviation(&Book::hedge(&policy, &ledger, &paths).unwrap().pnl)
    };
    let delta = spread(ClassicalName::BlackScholes);
    let regressed = spread(ClassicalName::HullWhite);
    let model = spread(ClassicalName::MinimumVariance);
    assert!(regressed < 0.97 * delta, "{regressed} {delta}");
    assert!(
        delta - regressed > 0.4 * (delta - model),
        "{delta} {regressed} {model}"
    );
}

/// Where the volatility of the second date is such that the contract has changed by Δ dS + ν/√τ (dS/S) (a + b Δ + c Δ²), the regression
/// finds a, b and c.
#[test]
fn the_regression_finds_what_moved_volatility() {
    const TRUE: [f64; 3] = [-0.3, 0.5, -0.2];
    // What is expected of a variance that hardly moves is what it is.
    let still = market(HestonParameters {
        v0: 0.04,
        kappa: 1e-9,
        theta: 0.04,
        sigma: 1e-9,
        rho: 0.0,
    });
    let contract = Contract::option(OptionKind::Call, 100.0, 1.0, 2);
    let leg = contract.legs().unwrap()[0];
    let at = |elapsed: f64, spot: f64| crate::pricing::BlackScholes {
        spot,
        ..still.black_scholes_after(elapsed, leg, 1.0 - elapsed, 0.2)
    };
    let path = |i: u32| {
        let start = 85.0 + 0.03 * f64::from(i);
        let change = if i.is_multiple_of(2) { 0.01 } else { -0.01 };
        let option = at(0.0, start);
        let delta = option.delta();
        let shape = TRUE[0] + TRUE[1] * delta + TRUE[2] * delta * delta;
        let price = option.price() + delta * start * change + option.vega() * change * shape;
        let end = start * (1.0 + change);
        let volatility = at(0.5, end).implied_volatility(price).unwrap();
        let variance = volatility * volatility;
        (vec![start, end, end], vec![0.04, variance, variance])
    };
    let rows: Vec<(Vec<f64>, Vec<f64>)> = (0..960).map(path).collect();
    let columns = rows.iter().map(|(s, v)| (s.as_slice(), v.as_slice()));
    let exact = Paths::<f64>::from_rows(2, columns.clone()).under(&contract);
    let drawn = Paths::<f32>::from_rows(2, columns).under(&contract);
    let found = HullWhite
        .on_simulated(&still.clone().into(), &contract, &drawn)
        .unwrap();
    for (found, expected) in found.iter().zip(TRUE) {
        assert!((found - expected).abs() < 0.01, "{found} {expected}");
    }
    // On contracts of the past all is in double precision.
    let found = HullWhite
        .on_past(&still.into(), &[(&contract, &exact)])
        .unwrap();
    for (found, expected) in found.iter().zip(TRUE) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}

/// Delta–gamma holds the very option sold and no shares; with an option of another strike and a later expiry the P&L spreads
/// far less than that of the delta alone.
#[test]
fn delta_gamma_hedges_large_moves() {
    let (market, contract) = (gbm(), call());
    let own = Vanilla {
        asset: 0,
        kind: OptionKind::Call,
        strike: 100.0,
        expiry: 0.25,
    };
    let other = Vanilla {
        strike: 104.0,
        expiry: 0.5,
        ..own
    };
    let costs = Costs {
        spot: 0.0.into(),
        liquidation: true,
    };
    let hedge = |hedge: ClassicalName, option: Vanilla| {
        let instruments = [Instrument::SPOT, Instrument::Option(option)];
        let quotes = Quotes::new(&market.clone().into(), &contract, &instruments);
        let simulator = simulator(&market, &contract, Purpose::Evaluation);
        let paths: Paths<f64> = simulator.paths_with(&quotes, 0, 1024);
        let policy = ClassicalPolicy::new(hedge, market.clone().into(), vec![costs.spot]);
        let ledger =
            Ledger::new(contract.clone(), costs, &market, 0.0).with_instrument(instruments[1], 0.0);
        let spread = deviation(&Book::hedge(&policy, &ledger, &paths).unwrap().pnl);
        (policy.positions(&contract, &paths).unwrap(), spread)
    };
    let (positions, _) = hedge(ClassicalName::DeltaGamma, own);
    for pair in positions.chunks_exact(2) {
        for lane in 0..32 {
            assert!(pair[0][lane].abs() < 1e-12 && (pair[1][lane] - 1.0).abs() < 1e-12);
        }
    }
    let (_, both) = hedge(ClassicalName::DeltaGamma, other);
    let (_, delta) = hedge(ClassicalName::BlackScholes, other);
    assert!(both < 0.5 * delta, "{both} {delta}");
}
