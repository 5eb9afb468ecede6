//! What a book holds and trades of everything together.

use super::answer::{Hedged, Net};
use super::cut::Cut;
use super::replay::Replay;
use crate::contract::{At, Charge, Cost, Instrument};
use crate::simd::BLOCK;
use std::collections::HashMap;

/// What trading an instrument against a contract costs today, at the scale of its path.
pub struct Charged {
    charge: Charge,
    at: At<f64>,
}

impl Charged {
    /// Of instrument `instrument` of contract `index` of the book.
    pub fn new(cut: &Cut, replay: &Replay, index: usize, instrument: usize) -> Self {
        let (group, place) = replay.place(cut, index);
        let block = group.paths.block(place / BLOCK);
        let age = replay.held[index].age;
        Self {
            charge: group.plan.instruments[instrument].1,
            at: block.quoted(instrument).at::<Charge>(age, place % BLOCK),
        }
    }

    /// The price of one unit.
    pub fn price(&self) -> f64 {
        self.at.price
    }

    /// The cost of a trade of so many units.
    pub fn cost(&self, trade: f64) -> f64 {
        self.charge.cost(trade, &self.at)
    }
}

/// The name of what is one thing to trade: the spot, or an option by its kind, strike and day of expiry.
pub fn traded(cut: &Cut, replay: &Replay, index: usize, instrument: usize) -> String {
    let (group, _) = replay.place(cut, index);
    match group.plan.instruments[instrument].0 {
        Instrument::Spot(_) => "spot".to_owned(),
        Instrument::VarianceSwap(_) => {
            format!("variance swap sold on {}", cut.contracts.sold[index])
        }
        Instrument::Option(option) => {
            let scale = replay.strike_scale(cut, index);
            let strike = (1e4 * option.strike / scale).round() / 1e4;
            let expiry = cut.option_expiry(index, instrument);
            format!("{} {strike} {expiry}", option.kind)
        }
    }
}

/// What all contracts hold of everything that is traded, each with its replay and its place there; costs are those of the strategy at
/// the scale of the first contract that trades it.
pub fn net<'a>(
    contracts: impl Iterator<Item = ((&'a Cut, &'a Replay, usize), &'a Hedged)>,
) -> Vec<Net> {
    let mut all: Vec<(Net, Charged, f64)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for ((cut, replay, index), contract) in contracts {
        for (instrument, own) in contract.positions.iter().enumerate() {
            let name = &own.instrument;
            let place = *places.entry(name).or_insert_with(|| {
                let charged = Charged::new(cut, replay, index, instrument);
                let scale = replay.scale(cut, index);
                let net = Net {
                    instrument: name.clone(),
                    price: charged.price() / scale,
                    position: 0.0,
                    held: 0.0,
                    trade: 0.0,
                    cost: 0.0,
                    cost_separate: 0.0,
                    benchmark: own.benchmark.map(|_| 0.0),
                };
                all.push((net, charged, scale));
                all.len() - 1
            });
            let (net, charged, scale) = &mut all[place];
            net.position += own.position;
            net.held += own.held;
            net.trade += own.trade;
            net.cost_separate += charged.cost(own.trade) / *scale;
            if let (Some(sum), Some(own)) = (&mut net.benchmark, own.benchmark) {
                *sum += own;
            }
        }
    }
    let netted = all.into_iter().map(|(mut net, charged, scale)| {
        net.cost = charged.cost(net.trade) / scale;
        net
    });
    netted.collect()
}
