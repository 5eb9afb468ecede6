//! Contracts sold on implied-volatility surfaces.

use super::*;
use crate::contract::Instrument;
use crate::hedging::ClassicalName;
use crate::market::MarketState;
use crate::market::history::fixture::Scratch;
use crate::pricing::{BlackScholes, SurfaceFactors};
use crate::simd::BLOCK;
use proptest::prelude::*;
use std::path::Path;

/// The made-up surfaces that the repository has.
const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/market_data/synthetic_surface.csv"
);

/// The day of the first sale, before which 250 days or so lie.
const START: &str = "2010-12-20";

fn text(file: &str, contract: &str, more: &str) -> String {
    format!(
        "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 21\ndays_per_year = 252\n{contract}\n\
         [costs]\nproportional = 0.001\n\
         [policy]\ninstruments = [\"spot\", {{ type = \"call\", strike = 100, expiry_days = 42, proportional = 0.01, \
         moneyness_spread = 0.02 }}]\n\
         [backtest]\nsurface = '{file}'\nstart = \"{START}\"\nspacing = 5\n{more}"
    )
}

fn plan(contract: &str, more: &str) -> Plan {
    Plan::parse(&text(FILE, contract, more), |_| {}).unwrap()
}

fn cut(plan: &Plan) -> Contracts {
    Contracts::cut(plan, plan.backtest.as_ref().unwrap()).unwrap()
}

fn history() -> History {
    History::load_surfaces(Path::new(FILE), &Default::default(), false).unwrap()
}

/// A call or put at the volatility of its own strike.
fn option(
    leg: crate::contract::Leg,
    spot: f64,
    left: f64,
    surface: &SurfaceFactors,
) -> BlackScholes {
    BlackScholes {
        kind: leg.kind,
        spot,
        strike: leg.strike,
        expiry: left,
        rate: 0.0,
        dividend: 0.0,
        volatility: surface.volatility((spot / leg.strike).ln(), left),
    }
}

/// Every leg is sold at the volatility of its own strike, the variance is that of one month at the money, the paths have the surface of
/// every close, and the hedging option costs what the surface of the day says.
#[test]
fn premiums_and_quotes_are_at_the_surface_of_the_day() {
    for terms in [
        "",
        "strike = { moneyness = 0.95 }",
        "type = \"strangle\"\nstrike = 96\nupper_strike = 103",
    ] {
        let plan = plan(terms, "");
        let (contracts, history) = (cut(&plan), history());
        let [group] = &contracts.groups[..] else {
            panic!("contracts of one length")
        };
        assert!(contracts.sold.len() > 60);
        let legs = plan.contract.legs().unwrap();
        for (i, closes) in group.closes.iter().enumerate() {
            let block = group.paths.block(i / BLOCK);
            let premium: f64 = legs
                .iter()
                .map(|leg| {
                    leg.quantity
                        * option(*leg, 100.0, 21.0 / 252.0, &history.surface[closes[0]]).price()
                })
                .sum();
            assert!((contracts.premiums[i] - premium).abs() < 1e-12);
            for (t, &close) in closes.iter().enumerate() {
                let MarketState {
                    spot,
                    variance,
                    surface,
                } = block.state_of(0, t, i % BLOCK);
                let surface = surface.unwrap();
                assert_eq!(surface, history.surface[close]);
                assert!((variance.sqrt() - surface.one_month()).abs() < 1e-15);
                let expected = 100.0 * history.close[close] / history.close[closes[0]];
                assert!((spot - expected).abs() < 1e-11, "{spot} {expected}");
                let Instrument::Option(hedge) = plan.instruments()[1] else {
                    panic!("an option hedges")
                };
                let leg = crate::contract::Leg::one(hedge.kind, hedge.strike);
                let left = (42 - t) as f64 / 252.0;
                let price = option(leg, spot, left, &surface).price();
                assert!((block.price(1)[t][i % BLOCK] - price).abs() < 1e-11);
            }
        }
    }
}

/// A contract that is struck by delta is sold where it has that delta at the volatility of its own strike, which at the volatility at the
/// money it has not.
#[test]
fn deltas_are_those_of_the_strikes_own_volatility() {
    for (terms, size) in [
        ("type = \"put\"\nstrike = { delta = 0.1 }", 0.1),
        ("strike = { delta = 0.25 }", 0.25),
        ("strike = { delta = 0.9 }", 0.9),
    ] {
        let text = text(FILE, terms, "").replace("[policy]\n", "[policy]\n#");
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let (contracts, history) = (cut(&plan), history());
        let group = &contracts.groups[0];
        let leg = plan.contract.legs().unwrap()[0];
        for (i, closes) in group.closes.iter().enumerate() {
            let spot = group.paths.path(i).0[0];
            let surface = &history.surface[closes[0]];
            let sold = option(leg, spot, 21.0 / 252.0, surface);
            assert!((sold.delta().abs() - size).abs() < 1e-12);
            let flat = BlackScholes {
                volatility: surface.volatility(0.0, 21.0 / 252.0),
                ..sold
            };
            assert!((flat.delta().abs() - size).abs() > 1e-4);
            assert!((contracts.premiums[i] - sold.price()).abs() < 1e-12);
        }
    }
}

/// A contract of a range of strikes is sold at the volatility of the strike that it has, and the parts of its P&L add up.
#[test]
fn every_strike_of_a_range_has_its_own_volatility() {
    let plan = plan("strike = [90, 110]", "");
    let (contracts, history) = (cut(&plan), history());
    let family = plan.contract.family().unwrap();
    let group = &contracts.groups[0];
    for (i, closes) in group.closes.iter().enumerate() {
        let own = &family.members()[plan.drawn_at(family, i)].contract;
        let sold = option(
            own.legs().unwrap()[0],
            100.0,
            own.expiry,
            &history.surface[closes[0]],
        );
        assert!((contracts.premiums[i] - sold.price()).abs() < 1e-12);
    }
    assert_adds_up(&plan, &contracts, &NAMES[..2]);
}

/// Hedges with every classical hedge of these names, whose parts and days must add up to the ledger's P&L within 1e-9.
fn assert_adds_up(plan: &Plan, contracts: &Contracts, names: &[ClassicalName]) -> Vec<Settled> {
    let settle = |name: &ClassicalName| {
        let policy = plan.classical(*name, &contracts.assets, 1.0);
        let settled = contracts.hedge(&policy).unwrap();
        let pnl = &settled.book.pnl;
        for (i, pnl) in pnl.iter().enumerate() {
            let parts = settled.parts[i].total();
            assert!((parts - pnl).abs() < 1e-9, "{parts} {pnl}");
            let days: f64 = settled.daily[i].iter().sum();
            assert!((days - pnl).abs() < 1e-9, "{days} {pnl}");
            assert_eq!(settled.daily[i].len(), contracts.days[i].len());
        }
        settled
    };
    names.iter().map(settle).collect()
}

const NAMES: [ClassicalName; 3] = [
    ClassicalName::Naked,
    ClassicalName::BlackScholes,
    ClassicalName::DeltaVega,
];

/// Parts add up with an option among the instruments, at costs that follow its moneyness, with rates of the file and without. Vega is told by
/// factor, and what is left is small beside what is told.
#[test]
fn parts_and_days_add_up() {
    for rates in ["", "rates = \"file\"\n"] {
        let mut text = text(FILE, "strike = { moneyness = 0.97 }", rates);
        if !rates.is_empty() {
            text = text.replace("expiry_days = 42", "expiry_days = 21");
        }
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let contracts = cut(&plan);
        let settled = assert_adds_up(&plan, &contracts, &NAMES);
        let deviation = |of: &dyn Fn(&Attribution) -> f64, settled: &Settled| {
            let squares = settled.parts.iter().map(|parts| of(parts).powi(2));
            (squares.sum::<f64>() / settled.parts.len() as f64).sqrt()
        };
        let [naked, delta, both] = &settled[..] else {
            panic!("three hedges")
        };
        assert!(deviation(&|p| p.level, naked) > 0.05 && deviation(&|p| p.slope, naked) > 0.05);
        assert!(deviation(&|p| p.skew, naked) > 0.02);
        assert!(naked.parts.iter().all(|parts| parts.vega == 0.0));
        assert!(
            deviation(&|p| p.unexplained, naked) < 0.4 * deviation(&|p| p.gamma + p.theta, naked)
        );
        // The delta leaves no part of the spot, and delta and vega leave less of the level.
        assert!(deviation(&|p| p.delta, delta) < 1e-9);
        if rates.is_empty() {
            assert!(deviation(&|p| p.level, both) < 0.5 * deviation(&|p| p.level, delta));
        }
    }
}

/// With next to no time between two dates a part of level, slope or skew is what the price changes by with that factor, to second order,
/// and skew what it changes by where the spot moves, beyond delta and gamma.
#[test]
fn parts_of_the_surface_are_derivatives() {
    let plan = plan("type = \"strangle\"\nstrike = 93\nupper_strike = 102", "");
    let (legs, market) = (plan.contract.legs().unwrap(), &plan.market);
    let base = SurfaceFactors::from_array([0.17, -0.03, 0.2, -0.04, 0.003]);
    let state = |spot: f64, surface: SurfaceFactors| MarketState {
        spot,
        variance: 0.03,
        surface: Some(surface),
    };
    let moved = |spot: f64, surface: SurfaceFactors| {
        let states = [state(100.0, base), state(spot, surface)];
        let grid = (1, 1e-12, 0.2);
        on_surface::periods(legs, market, grid, &states, |_| 0.0).remove(0)
    };
    for (factor, part) in [0, 1, 2, 2, 2].into_iter().enumerate() {
        let gap = |size: f64| {
            let mut factors = base.to_array();
            factors[factor] += size;
            let period = moved(100.0, SurfaceFactors::from_array(factors));
            let others = (0..3).filter(|other| *other != part);
            assert!(others.map(|other| period.surface[other].abs()).sum::<f64>() == 0.0);
            (period.then - period.now - period.surface[part]).abs()
        };
        assert!(
            gap(1e-4) < 1e-4 && gap(1e-4) < 0.02 * gap(1e-3) + 1e-10,
            "factor {factor}"
        );
    }
    let gap = |size: f64| {
        let period = moved(100.0 + size, base);
        let told = period.deltas[0] * size + 0.5 * period.gammas[0] * size * size;
        assert!(period.surface[2] != 0.0);
        (period.then - period.now - told - period.surface[2]).abs()
    };
    assert!(gap(0.01) < 0.02 * gap(0.1) + 1e-10);
}

/// With rates of the file a contract is sold for Black and Scholes' price at the forward and the rate of the day of its sale, in money of its
/// expiry, and the spot's gains are those above that rate.
#[test]
fn rates_are_those_of_the_day_of_sale() {
    let text = text(FILE, "", "rates = \"file\"\n").replace("expiry_days = 42", "expiry_days = 21");
    let plan = Plan::parse(&text, |_| {}).unwrap();
    let (contracts, history) = (cut(&plan), history());
    let group = &contracts.groups[0];
    let (leg, years) = (plan.contract.legs().unwrap()[0], 21.0 / 252.0);
    let positions = contracts
        .positions(&plan.classical(ClassicalName::BlackScholes, &contracts.assets, 1.0))
        .unwrap();
    let settled = contracts.settle(&positions);
    for (i, closes) in group.closes.iter().enumerate() {
        let rate = history.rate[closes[0]];
        let at = |t: usize, left: f64| {
            let spot = 100.0 * history.close[closes[t]] / history.close[closes[0]];
            let moneyness = (spot / leg.strike).ln() + rate * left;
            let volatility = match left > 0.0 {
                true => history.surface[closes[t]].volatility(moneyness, left),
                false => 0.0,
            };
            BlackScholes {
                spot,
                rate,
                volatility,
                ..option(leg, spot, left.max(1e-9), &history.surface[closes[t]])
            }
        };
        let left = |t: usize| (21 - t) as f64 / 252.0;
        let sold = BlackScholes {
            expiry: years,
            ..at(0, years)
        };
        assert!((contracts.premiums[i] - sold.price() * (rate * years).exp()).abs() < 1e-10);
        let mut pnl =
            sold.price() * (rate * years).exp() - (at(21, 0.0).spot - leg.strike).max(0.0);
        let mut before = 0.0;
        for t in 0..=21 {
            let now = BlackScholes {
                expiry: left(t).max(1e-9),
                ..at(t, left(t))
            };
            let delta = if t < 21 { now.delta() } else { 0.0 };
            let growth = (rate * left(t)).exp();
            pnl -= 0.001 * (delta - before).abs() * now.spot * growth;
            if t < 21 {
                pnl += delta
                    * (at(t + 1, left(t + 1)).spot - now.spot * (rate / 252.0).exp())
                    * (rate * left(t + 1)).exp();
            }
            before = delta;
        }
        assert!(
            (settled.book.pnl[i] - pnl).abs() < 1e-9,
            "{} {pnl}",
            settled.book.pnl[i]
        );
    }
}

/// Contracts of the past are sold from the first close on at every step of the schedule, and have expired when others are first sold.
#[test]
fn past_contracts_have_expired_before_the_first_sale() {
    let plan = plan("", "");
    let settings = plan.backtest.as_ref().unwrap();
    let histories = load(&plan, settings).unwrap();
    let calendar = Calendar::new(&histories[0], &plan, settings).unwrap();
    let first = histories[0].index_from(START.parse().unwrap());
    let window = 0..first;
    let calibration =
        JointCalibration::new(&histories, &plan, settings, &calendar, window.clone()).unwrap();
    let contracts = past(&histories, &plan, settings, &calendar, &calibration, window).unwrap();
    let closes: Vec<usize> = contracts.groups[0]
        .closes
        .iter()
        .map(|closes| closes[0])
        .collect();
    let expected: Vec<usize> = (0..=first - 21).step_by(5).collect();
    assert_eq!(closes, expected);
    assert!(
        contracts
            .expiry
            .iter()
            .all(|day| *day <= START.parse().unwrap())
    );
    let none = past(&histories, &plan, settings, &calendar, &calibration, 0..20).unwrap_err();
    assert!(
        none.to_string()
            .contains("has expired before the first sale on 2010-02-01"),
        "{none}"
    );
}

/// Settings that contradict surfaces are refused, by key.
#[test]
fn contradictions_are_refused() {
    for (from, to, expected) in [
        (
            "days_per_year = 252",
            "days_per_year = 260",
            "`contract.days_per_year` must be 252 with `backtest.surface`, was 260",
        ),
        (
            "days_per_year = 252",
            "days_per_year = 365",
            "`contract.days` must be \"trading\" with `backtest.surface`",
        ),
        (
            "model = \"gbm\"",
            "model = \"gbm\"\nrate = 0.01",
            "`market.rate` must be 0 with `backtest.surface`",
        ),
        (
            "spacing = 5",
            "variance = \"realised\"",
            "`backtest.variance` must be \"model\"",
        ),
        (
            "[costs]",
            "type = \"asian_call\"\n[costs]",
            "`contract.premium` must be an amount with `backtest.surface`",
        ),
        (
            "spacing = 5",
            "rates = \"file\"",
            "`backtest.rates` must be \"zero\" where an option hedges that expires after the contract",
        ),
    ] {
        let text = text(FILE, "", "").replace(from, to);
        let error = Plan::parse(&text, |_| {}).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let none = format!("surface = '{FILE}'\n");
    let text = text(FILE, "", "rates = \"file\"").replace(&none, "data = 'closes.csv'\n");
    let error = Plan::parse(&text, |_| {}).unwrap_err().to_string();
    assert!(
        error.starts_with("`backtest.rates` must be \"zero\" without `backtest.surface`"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Days from a date on, closes and surfaces, in another order change nothing before: premiums, positions, costs so far and the P&L of
    /// every day before are the same bits, and so is what is known of contracts that had expired.
    #[test]
    fn nothing_before_depends_on_the_future(from in 320_usize..560, order in any::<u64>()) {
        let text = std::fs::read_to_string(FILE).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        let header = lines.remove(0);
        let mut later: Vec<&str> = lines[from..].iter().map(|line| line.split_once(',').unwrap().1).collect();
        // A shuffle of Fisher and Yates' by a multiplicative generator.
        let mut state = order | 1;
        for i in (1..later.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            later.swap(i, (state >> 33) as usize % (i + 1));
        }
        let dates = lines[from..].iter().map(|line| line.split_once(',').unwrap().0);
        let shuffled: Vec<String> = dates.zip(later).map(|(date, rest)| format!("{date},{rest}")).collect();
        let changed = format!("{header}\n{}\n{}\n", lines[..from].join("\n"), shuffled.join("\n"));
        let scratch = Scratch::new(&format!("surface-shuffled-{from}-{order}"));
        let file = scratch.0.join("surfaces.csv");
        std::fs::write(&file, changed).unwrap();
        let known = |file: &str| {
            let plan = Plan::parse(&self::text(file, "strike = { moneyness = 1.02 }", ""), |_| {}).unwrap();
            let contracts = cut(&plan);
            let group = &contracts.groups[0];
            let mut seen = Vec::new();
            for name in NAMES {
                let policy = plan.classical(name, &contracts.assets, 1.0);
                let positions = contracts.positions(&policy).unwrap();
                let settled = contracts.settle(&positions);
                let ledger = group.plan.ledger(&contracts.market, 0.0);
                for (i, closes) in group.closes.iter().enumerate() {
                    let before = closes.iter().filter(|close| **close < from).count();
                    if before == 0 {
                        continue;
                    }
                    seen.push(contracts.premiums[i]);
                    let size = group.plan.contract.steps * 2;
                    let own = &positions[0][i / BLOCK * size..][..size];
                    seen.extend(own[..2 * before.min(21)].iter().map(|lane| lane[i % BLOCK]));
                    let account = ledger.account(&group.paths.block(i / BLOCK), own);
                    seen.extend(account.cost[..before.min(21)].iter().map(|lane| lane[i % BLOCK]));
                    seen.extend(&settled.daily[i][..before]);
                    if before == closes.len() {
                        seen.extend(settled.parts[i].parts().map(|(_, part)| part));
                    }
                }
            }
            (seen, contracts.calibration.first().drift, contracts.calibration.first().variance[..from].to_vec())
        };
        prop_assert_eq!(known(FILE), known(file.to_str().unwrap()));
    }
}
