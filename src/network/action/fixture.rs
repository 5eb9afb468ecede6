//! Actions, markets and benchmarks that the tests of actions share.

use super::*;
use crate::contract::{Charge, Contract, Instrument, Limit, Limits, Linear, OptionKind, Vanilla};
use crate::market::{
    AnswersMut, Benchmark, BenchmarkHedge, Market, Model, PathBlock, Paths, Quotes, Simulator,
};
use crate::pricing::HestonParameters;
use crate::random::{Purpose, Sampling};
use std::ops::Range;
use std::sync::Arc;

/// A learned band whose centre and widths are all within reach of the positions here.
pub(super) const CENTRED: CentredBand = CentredBand {
    centre_scale: 0.4,
    curvature_scale: 0.0,
    width: 0.03,
    widest: 0.06,
    cost_widths: false,
    leak: 0.0,
};

/// Every action.
pub(super) fn actions() -> [Action; 5] {
    [
        Direct.into(),
        Residual.into(),
        Band::beginning_at(0.03).into(),
        Bounded {
            low: -0.2,
            high: 1.5,
        }
        .into(),
        CENTRED.into(),
    ]
}

/// What training may see, at widths at which slopes show.
pub(super) const RELAXED: Relaxation = Relaxation {
    leak: 0.3,
    limits: 0.1,
    lots: 0.7,
};

/// Every action as it is and relaxed, and some within relaxed limits.
pub(super) fn actors() -> Vec<Actor> {
    let limit = Limit {
        low: -0.4,
        high: 0.9,
        trade: 0.3,
        ..Limit::default()
    };
    let lots = Limit { lot: 0.15, ..limit };
    let limits = Limits::new(vec![limit, lots], 60.0);
    let free = actions().map(|action| Actor::new(action, 2));
    let relaxed = free.clone().map(|actor| actor.relaxed(RELAXED));
    let mut actors: Vec<Actor> = free.clone().to_vec();
    actors.extend(relaxed.into_iter().filter(|actor| !is_in(&free, actor)));
    let [direct, residual, band, _, centred] = free;
    let limited = |actor: Actor| actor.within(limits.clone()).relaxed(RELAXED);
    actors.extend([direct, residual, band, centred].map(limited));
    actors
}

/// Whether an action that is the same without limits is in the list.
pub(super) fn is_in(list: &[Actor], actor: &Actor) -> bool {
    list.iter().any(|one| one.actions() == actor.actions())
}

/// A hedge that moves with the spot, more so in later instruments.
#[derive(Debug)]
pub(super) struct Slope;

impl BenchmarkHedge for Slope {
    fn positions(&self, paths: &Paths<f64>, dates: Range<usize>) -> Vec<Lane<f64>> {
        let count = paths.instruments().len();
        let blocks = (0..paths.blocks()).flat_map(|block| {
            let data = paths.block(block);
            let dates = dates.start * count..dates.end * count;
            let at = move |index: usize| {
                let slope = 0.02 * (1 + index % count) as f64;
                data.spot[index / count].map(|spot| 0.5 + slope * (spot - 100.0))
            };
            dates.map(at)
        });
        blocks.collect()
    }
}

pub(super) fn market() -> Market {
    Market {
        model: Model::from(HestonParameters {
            v0: 0.09,
            kappa: 1.5,
            theta: 0.09,
            sigma: 0.4,
            rho: -0.6,
        }),
        spot: 100.0,
        rate: 0.0.into(),
        dividend: 0.0.into(),
    }
}

/// A benchmark of the contract that knows how its delta moves.
#[derive(Debug)]
pub(super) struct Moves;

impl Benchmark for Moves {
    fn answer(&self, block: &PathBlock<'_, f64>, dates: Range<usize>, out: &mut AnswersMut<'_>) {
        for t in dates.start..dates.end.min(block.steps()) {
            let (volatility, _) = out.smile(t);
            *volatility = block.variance[t].map(f64::sqrt);
            let (_, gamma) = out.moves(0, t);
            *gamma = block.spot[t].map(|spot| 0.03 + 0.001 * (spot - 100.0));
        }
    }
}

/// The length of a period in years.
pub(super) const DT: f64 = 1.0 / 52.0;

/// Learned bands in the spot and an option, of which the first has every further output and width and the second has neither, alone and
/// within limits.
pub(super) fn anchored() -> Vec<Actor> {
    let spot = CentredBand {
        curvature_scale: 0.3,
        width: 0.2,
        widest: 0.5,
        cost_widths: true,
        ..CENTRED
    };
    let charge = Charge {
        linear: Linear {
            proportional: 0.01,
            half_spread: 0.1,
        },
        ..Charge::default()
    };
    let of = |actions: [Action; 2]| Actor::trading(actions.into(), &traded(), vec![charge; 2], DT);
    let limit = Limit {
        low: -0.4,
        high: 0.9,
        trade: 0.3,
        ..Limit::default()
    };
    let limits = Limits::new(vec![limit; 2], 90.0);
    let pair = of([spot.into(), CENTRED.into()]);
    let relaxed = pair.clone().relaxed(RELAXED);
    let limited = pair.clone().within(limits).relaxed(RELAXED);
    let beside = of([CENTRED.into(), Residual.into()]);
    vec![pair, relaxed, limited, beside]
}

/// The spot and an option that outlives the contract.
pub(super) fn traded() -> [Instrument; 2] {
    let option = Vanilla {
        asset: 0,
        kind: OptionKind::Call,
        strike: 102.0,
        expiry: 0.4,
    };
    [Instrument::SPOT, Instrument::Option(option)]
}

/// Paths of the spot and its variance swap, with what [`Slope`] holds.
pub(super) fn paths(count: usize, steps: usize) -> Paths<f64> {
    paths_of(
        &[Instrument::SPOT, Instrument::VarianceSwap(0)],
        count,
        steps,
    )
}

/// Paths of instruments, with what [`Slope`] holds and what [`Moves`] says.
pub(super) fn paths_of(instruments: &[Instrument], count: usize, steps: usize) -> Paths<f64> {
    let (market, dt) = (market(), DT);
    let contract = Contract::option(OptionKind::Call, 100.0, dt * steps as f64, steps);
    let simulator = Simulator {
        assets: market.clone().into(),
        steps,
        dt,
        seed: 6,
        purpose: Purpose::Training,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    let quotes = Quotes::new(&market.into(), &contract, instruments).with_option_states(true);
    let quotes = quotes.answered_by(Arc::new(Moves));
    quotes
        .hedged_by(Arc::new(Slope))
        .onto(simulator.paths(0, count))
}
