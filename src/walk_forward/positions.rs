//! What every strategy held on every day of a contract's life.

use crate::backtest::{Contracts, Group};
use crate::contract::Instrument;
use crate::error::Result;
use crate::market::History;
use crate::runs::tables::dates;
use crate::simd::{BLOCK, Lane};
use chrono::NaiveDate;
use polars::prelude::{Column, DataFrame};

/// The table `positions.parquet` of a window: one row for a strategy, seed, contract and close at which it was traded, the
/// expiry excluded.
///
/// Columns strategy, seed, sold, date, spot (scaled as in [`Group::paths`]), variance, contract_price and model_delta
/// of the contract sold (NaN if it has no price on every date), position_spot and, for options that hedge, price_option_1, position_option_1
/// and so on; positions are held until the next close. With several assets there are spot_NAME and variance_NAME of each, and the
/// columns of instruments are price_ and position_ before what [`crate::market::Assets::column`] calls them.
#[derive(Debug, Default)]
pub struct Positions {
    strategy: Vec<String>,
    seed: Vec<Option<u64>>,
    sold: Vec<NaiveDate>,
    date: Vec<NaiveDate>,
    /// The other columns in their order.
    numbers: Vec<(String, Vec<f64>)>,
}

impl Positions {
    /// Adds the [`Contracts::positions`] of one strategy.
    pub fn add(
        &mut self,
        (strategy, seed): (&str, Option<u64>),
        history: &History,
        contracts: &Contracts,
        positions: &[Vec<Lane<f64>>],
    ) {
        let place = |contract: usize| {
            let groups = contracts.groups.iter().zip(positions);
            groups.into_iter().find_map(|(group, positions)| {
                let place = group.members.binary_search(&contract).ok()?;
                Some((group, positions, place))
            })
        };
        for (group, positions, i) in (0..contracts.sold.len()).filter_map(place) {
            let Group { plan, paths, .. } = group;
            let assets = &contracts.assets;
            let (steps, instruments) = (plan.contract.steps, plan.instruments.len());
            let valuation = group.valuation(&contracts.assets);
            let ending = |name: &str| match assets.count() {
                1 => String::new(),
                _ => format!("_{name}"),
            };
            let markets: Vec<_> = assets
                .list()
                .iter()
                .enumerate()
                .map(|(asset, named)| (ending(&named.name), paths.path_of(asset, i)))
                .collect();
            let names: Vec<(String, bool)> = plan
                .instruments()
                .into_iter()
                .enumerate()
                .map(|(number, instrument)| {
                    let is_spot = matches!(instrument, Instrument::Spot(_));
                    let name = match assets.count() {
                        1 if number == 0 => "spot".to_owned(),
                        1 => format!("option_{number}"),
                        _ => assets.column(instrument),
                    };
                    (name, is_spot)
                })
                .collect();
            let values = valuation.prices(i).zip(valuation.deltas(i));
            let values: Vec<(f64, f64)> = match values {
                Some((prices, deltas)) => prices.zip(deltas).collect(),
                None => vec![(f64::NAN, f64::NAN); steps],
            };
            let block = paths.block(i / BLOCK);
            let held = &positions[i / BLOCK * steps * instruments..];
            let closes = &group.closes[i];
            for (t, (price, delta)) in values.into_iter().enumerate() {
                self.strategy.push(strategy.into());
                self.seed.push(seed);
                self.sold.push(history.dates[closes[0]]);
                self.date.push(history.dates[closes[t]]);
                let mut row = Vec::new();
                for (name, (spot, variance)) in &markets {
                    row.push((format!("spot{name}"), spot[t]));
                    row.push((format!("variance{name}"), variance[t]));
                }
                row.push(("contract_price".into(), price));
                row.push(("model_delta".into(), delta));
                for (instrument, (name, is_spot)) in names.iter().enumerate() {
                    if !is_spot {
                        let price = block.price(instrument)[t][i % BLOCK];
                        row.push((format!("price_{name}"), price));
                    }
                    let units = held[t * instruments + instrument][i % BLOCK];
                    row.push((format!("position_{name}"), units));
                }
                if self.numbers.is_empty() {
                    let names = row.iter().map(|(name, _)| (name.clone(), Vec::new()));
                    self.numbers = names.collect();
                }
                for ((_, column), (_, value)) in self.numbers.iter_mut().zip(row) {
                    column.push(value);
                }
            }
        }
    }

    /// The positions as a table, a row for every strategy, contract and day.
    ///
    /// # Errors
    /// If the columns do not make a table.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let mut columns = vec![
            Column::new("strategy".into(), &self.strategy),
            Column::new("seed".into(), &self.seed),
            dates("sold", std::iter::once(&self.sold))?,
            dates("date", std::iter::once(&self.date))?,
        ];
        let numbers = self.numbers.iter();
        columns.extend(numbers.map(|(name, values)| Column::new(name.as_str().into(), values)));
        Ok(DataFrame::new_infer_height(columns)?)
    }
}
