//! What a contract on history saw and what was held on it, at every close of its life.

use super::Contracts;
use crate::contract::Instrument;
use crate::simd::{BLOCK, Lane};
use chrono::NaiveDate;

/// One contract as it was hedged, at every close from its sale to its expiry.
///
/// # Units
/// Currency, at the scale of [`super::Group::paths`]; positions in units, held from their close to the next one. At the expiry, and from
/// the end of a contract on that ends early, nothing is held.
#[derive(Debug, Clone, PartialEq)]
pub struct Lived {
    /// The days of the closes, that of the sale first and that of the expiry last.
    pub dates: Vec<NaiveDate>,
    /// Columns by their names, a number for every close. In this order: `strike`, of a contract that has one, `spot` and `variance`,
    /// `contract_price` and `model_delta` of the contract sold (not a number if it has no price on every date, the delta never at the
    /// expiry), `position_spot` and, for options that hedge, `price_option_1`, `position_option_1` and so on. With several assets
    /// there are spot_NAME and variance_NAME of each. Instruments are called what [`crate::strategy::Plan::instrument_columns`] calls
    /// them.
    pub columns: Vec<(String, Vec<f64>)>,
}

impl Contracts {
    /// Contract `index` under [`Self::positions`] of one strategy; none if there is no such contract.
    pub fn lived(&self, index: usize, positions: &[Vec<Lane<f64>>]) -> Option<Lived> {
        let mut groups = self.groups.iter().zip(positions);
        let (group, positions, i) = groups.find_map(|(group, positions)| {
            let place = group.members.binary_search(&index).ok()?;
            Some((group, positions, place))
        })?;
        let (plan, paths, assets) = (&group.plan, &group.paths, &self.assets);
        let (steps, count) = (plan.contract.steps, plan.instruments.len());
        let valuation = group.valuation(assets);
        let alone = assets.count() == 1;
        let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
        if plan.strike_line().is_some() {
            let drawn = paths.block(i / BLOCK).drawn();
            let sold = plan
                .contract
                .of_path(drawn.map(|drawn| drawn.member[i % BLOCK]));
            columns.push(("strike".into(), vec![sold.strike; steps + 1]));
        }
        for (asset, named) in assets.list().iter().enumerate() {
            let ending = match alone {
                true => String::new(),
                false => format!("_{}", named.name),
            };
            let (spot, variance) = paths.path_of(asset, i);
            columns.push((format!("spot{ending}"), spot));
            columns.push((format!("variance{ending}"), variance));
        }
        // Of a family of contracts some end before the others, and some have no price on every date.
        let filled = |mut known: Vec<f64>| {
            known.resize(steps + 1, f64::NAN);
            known
        };
        let prices = valuation.prices(i).map(Iterator::collect);
        columns.push(("contract_price".into(), filled(prices.unwrap_or_default())));
        let deltas = valuation.deltas(i).map(Iterator::collect);
        columns.push(("model_delta".into(), filled(deltas.unwrap_or_default())));
        let block = paths.block(i / BLOCK);
        let held = &positions[i / BLOCK * steps * count..];
        let end = valuation.end(i);
        let traded = plan
            .instruments()
            .into_iter()
            .zip(plan.instrument_columns());
        for (number, (instrument, name)) in traded.enumerate() {
            let is_spot = matches!(instrument, Instrument::Spot(_));
            if !is_spot {
                let price = block.price(number);
                let prices = (0..=steps).map(|t| price.get(t).map_or(f64::NAN, |at| at[i % BLOCK]));
                columns.push((format!("price_{name}"), prices.collect()));
            }
            let units = |t: usize| match t < steps && (t as f64) < end {
                true => held[t * count + number][i % BLOCK],
                false => 0.0,
            };
            columns.push((format!("position_{name}"), (0..=steps).map(units).collect()));
        }
        Some(Lived {
            dates: self.days[index].clone(),
            columns,
        })
    }
}
