//! Options that hedge beside the spot: what is held of them, and what the spot makes of it.

use super::{Centre, ClassicalHedge, ClassicalPolicy, HedgeValues, Parameter, TradingRule};
use crate::contract::{Contract, Instrument, OptionKind, Vanilla};
use crate::hedging::{ClosedForm, Policy};
use crate::market::{
    Benchmark, BenchmarkHedge, GbmParameters, Market, Paths, QuickHedge, Quotes, Simulator,
};
use crate::pricing::{BlackScholes, SurfaceFactors};
use crate::random::{Purpose, Sampling};
use crate::simd::{BLOCK, Lane, Real};
use std::ops::Range;
use std::sync::Arc;

const STEPS: usize = 21;
const OPTION: Vanilla = Vanilla {
    asset: 0,
    kind: OptionKind::Call,
    strike: 100.0,
    expiry: 63.0 / 252.0,
};

fn market() -> Market {
    Market {
        model: GbmParameters { volatility: 0.2 }.into(),
        spot: 100.0,
        rate: 0.0.into(),
        dividend: 0.0.into(),
    }
}

fn call() -> Contract {
    Contract::option(OptionKind::Call, 102.0, STEPS as f64 / 252.0, STEPS)
}

/// The surface of a date, another one on every path.
fn surface(path: usize, date: usize) -> SurfaceFactors {
    let (path, date) = (path as f64, date as f64);
    SurfaceFactors {
        level: 0.18 + 0.02 * (0.7 * path + 0.3 * date).sin(),
        slope: 0.03 * (0.2 * date).cos(),
        moneyness: 0.12,
        smile: -0.02,
        smirk: 0.001,
    }
}

fn quotes() -> Quotes {
    let instruments = [Instrument::SPOT, Instrument::Option(OPTION)];
    let quotes = Quotes::new(&market().into(), &call(), &instruments);
    quotes.with_surface(true).with_option_states(true)
}

fn paths<R: Real>(quotes: &Quotes) -> Paths<R> {
    let contract = call();
    let simulator = Simulator {
        assets: market().into(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 3,
        purpose: Purpose::Evaluation,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    quotes.onto(simulator.paths::<R>(0, BLOCK).with_surfaces(surface))
}

fn policy(hedge: ClassicalHedge, values: HedgeValues) -> ClassicalPolicy<'static> {
    let charges = vec![0.001.into(), 0.01.into()];
    ClassicalPolicy::new(hedge, market().into(), charges).with_values(values)
}

fn held(hedge: ClassicalHedge, values: HedgeValues) -> Vec<Lane<f64>> {
    let paths = paths(&quotes());
    policy(hedge, values).positions(&call(), &paths).unwrap()
}

/// Contract and option on one date of a path, at the volatility of each.
fn priced(paths: &Paths<f64>, t: usize, lane: usize) -> [BlackScholes; 2] {
    let data = paths.block(0);
    let (spot, surface) = (data.spot[t][lane], surface(lane, t));
    [(102.0, STEPS), (100.0, 63)].map(|(strike, days)| {
        let expiry = (days - t) as f64 / 252.0;
        BlackScholes {
            kind: OptionKind::Call,
            spot,
            strike,
            expiry,
            rate: 0.0,
            dividend: 0.0,
            volatility: surface.volatility((spot / strike).ln(), expiry),
        }
    })
}

/// Whatever a band leaves of options, the spot hedges the delta that they leave: what is held of both has the contract's delta, to rounding, and
/// with a scale k times that.
#[test]
fn spots_hedge_what_options_leave() {
    let paths = paths(&quotes());
    let wide = HedgeValues::default()
        .with(Parameter::OptionWidth, 0.2)
        .with(Parameter::Scale, 0.9);
    let mut hedge = ClassicalHedge::new(Centre::DeltaVega, TradingRule::EveryDate);
    hedge.option_rule = Some(TradingRule::ConstantBand);
    let banded = held(hedge, wide);
    let free = held(
        ClassicalHedge::new(Centre::DeltaVega, TradingRule::EveryDate),
        wide,
    );
    let mut apart: f64 = 0.0;
    for (date, (banded, free)) in banded.chunks(2).zip(free.chunks(2)).enumerate() {
        for lane in 0..BLOCK {
            let [contract, option] = priced(&paths, date, lane);
            for held in [banded, free] {
                let delta = held[0][lane] + held[1][lane] * option.delta();
                assert!((delta - 0.9 * contract.delta()).abs() < 1e-12);
            }
            apart = apart.max((banded[1][lane] - free[1][lane]).abs());
        }
    }
    // The band holds other options than its centre, at its edge in the beginning.
    assert!((apart - 0.2).abs() < 1e-12, "{apart}");
}

/// With a ratio of 1 no vega is left at the sale, where neither bound of the ratio is near; with another one so many times the options
/// are held; and all of them to the end.
#[test]
fn a_static_hedge_has_no_vega_at_the_sale() {
    let paths = paths(&quotes());
    let hedge = ClassicalHedge::new(Centre::StaticVega, TradingRule::EveryDate);
    let of = |ratio: f64| held(hedge, HedgeValues::default().with(Parameter::Ratio, ratio));
    let (once, more) = (of(1.0), of(1.6));
    for lane in 0..BLOCK {
        let [contract, option] = priced(&paths, 0, lane);
        let left = contract.vega() - once[1][lane] * option.vega();
        assert!(left.abs() < 1e-12 * contract.vega(), "{left}");
        for (once, more) in once.chunks(2).zip(more.chunks(2)) {
            assert!((more[1][lane] - 1.6 * once[1][lane]).abs() < 1e-12);
        }
        assert!(once.chunks(2).all(|held| held[1][lane] == once[1][lane]));
    }
}

/// A band of no width is every date, for spots and for options.
#[test]
fn a_band_of_no_width_is_every_date() {
    for centre in [Centre::StaticVega, Centre::DeltaVega, Centre::DeltaGamma] {
        let every = ClassicalHedge::new(centre, TradingRule::EveryDate);
        let banded = ClassicalHedge::new(centre, TradingRule::ConstantBand);
        let values = HedgeValues::default();
        assert_eq!(held(banded, values), held(every, values), "{centre:?}");
        let wide = values
            .with(Parameter::Width, 0.05)
            .with(Parameter::OptionWidth, 0.1);
        assert_ne!(held(banded, wide), held(every, values), "{centre:?}");
    }
}

/// Beside spots in a Whalley–Wilmott band options move in one of constant width, whose half-width is a parameter of its own; a static
/// hedge has no band of options; and hedged Monte Carlo has the same band for all.
#[test]
fn options_have_parameters_of_their_own() {
    let parameters = |centre| {
        let hedge = ClassicalHedge::new(centre, TradingRule::WhalleyWilmott);
        (hedge.name(), hedge.parameters())
    };
    assert_eq!(
        parameters(Centre::DeltaVega),
        (
            "delta_vega_whalley_wilmott".into(),
            vec![Parameter::Aversion, Parameter::OptionWidth]
        )
    );
    assert_eq!(
        parameters(Centre::StaticVega).1,
        [Parameter::Aversion, Parameter::Ratio]
    );
    assert_eq!(
        parameters(Centre::HedgedMonteCarlo).1,
        [Parameter::Aversion]
    );
}

/// A hedge as an action's benchmark, with its quick way or without.
#[derive(Debug)]
struct Departed {
    hedge: ClassicalHedge,
    form: Arc<ClosedForm>,
    is_quick: bool,
}

impl BenchmarkHedge for Departed {
    fn positions(&self, paths: &Paths<f64>, dates: Range<usize>) -> Vec<Lane<f64>> {
        let policy = policy(self.hedge, HedgeValues::default());
        policy.positions_on(&call(), paths, dates).unwrap()
    }

    fn quick(&self) -> Option<QuickHedge<'_>> {
        let form: &dyn Benchmark = self.form.as_ref();
        let instruments = [Instrument::SPOT, Instrument::Option(OPTION)];
        let quick = self.hedge.quick(&instruments, form);
        quick.filter(|_| self.is_quick)
    }
}

/// In training, positions that follow quickly from rows of the paths are those of the hedge, to single precision.
#[test]
fn quick_positions_are_those_of_the_hedge() {
    let form = Arc::new(ClosedForm::new(&market().into(), &call()).unwrap());
    for (centre, parameter) in [
        (Centre::BlackScholes, Parameter::Scale),
        (Centre::StaticVega, Parameter::Ratio),
        (Centre::DeltaVega, Parameter::Ratio),
        (Centre::StaticVega, Parameter::Scale),
    ] {
        let mut hedge = ClassicalHedge::new(centre, TradingRule::EveryDate);
        hedge.given[parameter as usize] = Some(0.9);
        let of = |is_quick: bool| {
            let departed = Departed {
                hedge,
                form: Arc::clone(&form),
                is_quick,
            };
            let paths: Paths<f32> = paths(&quotes().hedged_by(Arc::new(departed)));
            paths.block(0).benchmark_positions().to_vec()
        };
        let (quick, slow) = (of(true), of(false));
        assert_eq!(quick.len(), 2 * STEPS);
        for (quick, slow) in quick.iter().flatten().zip(slow.iter().flatten()) {
            assert!((quick - slow).abs() < 2e-5, "{centre:?}: {quick} {slow}");
        }
        assert_ne!(quick, slow, "{centre:?}: there is a quick way");
    }
}
