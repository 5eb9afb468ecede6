//! The worst contracts, as they were hedged.

use super::Leading;
use crate::runs::breakdown::Breakdown;
use crate::runs::contract_paths::{ContractPath, PNL};
use chrono::NaiveDate;
use serde::{Serialize, Serializer};

/// One of the worst contracts of a run, as every strategy hedged it.
///
/// # Units
/// Money at the scale on which the contract was hedged, at which its strike is the strategy's; positions and trades in units.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct WorstContract {
    /// The day of the sale.
    #[serde(serialize_with = "day")]
    #[cfg_attr(feature = "dashboard", schema(value_type = String))]
    pub sold: NaiveDate,
    /// The closes of its life, that of the sale first and that of the expiry last; all series have a number for each.
    #[serde(serialize_with = "days")]
    #[cfg_attr(feature = "dashboard", schema(value_type = Vec<String>))]
    pub dates: Vec<NaiveDate>,
    /// The strike, if the contract has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strike: Option<f64>,
    /// The spot of every asset by its name, which is empty where there is one asset alone.
    pub spots: Vec<(String, Vec<f64>)>,
    /// The price of the contract; empty if it has none on every date.
    pub price: Vec<f64>,
    /// The model's delta of the contract, from each close but the last to the next one; empty if it has no price on every date.
    pub delta: Vec<f64>,
    /// Every strategy, in the order of the run.
    pub strategies: Vec<HedgedContract>,
}

/// One strategy on a contract, averaged over its seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct HedgedContract {
    /// The name of the strategy.
    pub strategy: String,
    /// Instrument → what is held from each close to the next one.
    pub positions: Vec<(String, Vec<f64>)>,
    /// Instrument → what is bought (or sold, if negative) at each close.
    pub trades: Vec<(String, Vec<f64>)>,
    /// The P&L up to each close, with the contract at its price; empty if it has none on every date.
    pub pnl: Vec<f64>,
}

fn day<S: Serializer>(day: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

fn days<S: Serializer>(days: &[NaiveDate], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(days.iter().map(ToString::to_string))
}

/// The contracts in `paths` in the order of their sale.
pub fn worst_contracts(paths: &[ContractPath]) -> Vec<WorstContract> {
    let mut contracts: Vec<WorstContract> = Vec::new();
    for path in paths {
        let at = contracts.iter().position(|known| known.sold == path.sold());
        let at = at.unwrap_or_else(|| {
            contracts.push(seen(path));
            contracts.len() - 1
        });
        contracts[at].strategies.push(hedged(path));
    }
    contracts.sort_by_key(|contract| contract.sold);
    contracts
}

/// What every strategy saw of a contract.
fn seen(path: &ContractPath) -> WorstContract {
    let known = |name: &str| {
        let values = path.column(name).unwrap_or_default();
        let values = values.iter().copied().take_while(|value| value.is_finite());
        values.collect::<Vec<f64>>()
    };
    let spots = path.columns_of("spot");
    let spots =
        spots.map(|(asset, spots)| (asset.trim_start_matches('_').to_owned(), spots.to_vec()));
    WorstContract {
        sold: path.sold(),
        dates: path.dates.clone(),
        strike: known("strike").first().copied(),
        spots: spots.collect(),
        price: known("contract_price"),
        delta: known("model_delta"),
        strategies: Vec::new(),
    }
}

fn hedged(path: &ContractPath) -> HedgedContract {
    let positions: Vec<(String, Vec<f64>)> = path
        .columns_of("position_")
        .map(|(instrument, held)| (instrument.to_owned(), held.to_vec()))
        .collect();
    let trades = positions.iter().map(|(instrument, held)| {
        let before = std::iter::once(0.0).chain(held.iter().copied());
        let trades = held.iter().zip(before).map(|(held, before)| held - before);
        (instrument.clone(), trades.collect())
    });
    let daily = path
        .column(PNL)
        .filter(|pnl| pnl.iter().all(|pnl| pnl.is_finite()));
    let mut sum = 0.0;
    let pnl = daily.unwrap_or_default().iter().map(|pnl| {
        sum += pnl;
        sum
    });
    HedgedContract {
        strategy: path.strategy.clone(),
        trades: trades.collect(),
        pnl: pnl.collect(),
        positions,
    }
}

/// The sales of the worst contracts of the strategy under test and of its baseline, each once, in this order.
pub fn pictured<'a>(
    leading: &Leading,
    breakdowns: impl Iterator<Item = &'a Breakdown> + Clone,
) -> Vec<NaiveDate> {
    let names = std::iter::once(leading.strategy.as_str()).chain(leading.baseline.as_deref());
    let mut sales: Vec<NaiveDate> = Vec::new();
    for name in names {
        let own = breakdowns.clone().filter(|of| of.strategy == name);
        for (sold, ..) in own.flat_map(|of| &of.worst) {
            match sold.parse() {
                Ok(sold) if !sales.contains(&sold) => sales.push(sold),
                Ok(_) | Err(_) => {}
            }
        }
    }
    sales
}
