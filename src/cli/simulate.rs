//! `simulate`: paths of a strategy's market as a file.

use super::output::Output;
use super::stop::Stop;
use crate::atomic::Destination;
use crate::contract::Instrument;
use crate::error::Result;
use crate::market::Paths;
use crate::random::Purpose;
use crate::runs::parquet::write_parquet_to;
use crate::simd::BLOCK;
use crate::strategy::Plan;
use crate::strategy::memory::check_memory;
use polars::prelude::{Column, DataFrame};
use serde_json::json;
use std::path::Path;

/// Writes simulated paths as Parquet with the columns path, step, time (years), spot and variance of the first asset, spot_NAME and
/// variance_NAME of every further one, and the quotes of the hedging instruments that are no asset.
pub fn run(strategy: &Path, count: usize, out: &Path) -> Result<Output> {
    let destination = Destination::new(out)?;
    let stop = Stop::on_signals()?;
    let plan = Plan::load(strategy, |_| {})?;
    let (steps, dt) = (plan.contract.steps, plan.contract.dt());
    // As paths and as columns, beside the numbers of path and step and the time.
    let held = 2 * Paths::<f64>::bytes(count, &plan.layout());
    let named = count * (steps + 1) * (2 * size_of::<u32>() + size_of::<f64>());
    check_memory((held + named) as f64, "fewer --paths need less")?;
    plan.make_quotes(&mut || stop.check())?;
    let simulator = plan.simulator(plan.seed, Purpose::Export);
    let paths = simulator.paths_with::<f64>(&plan.market_quotes(&plan.assets()), 0, count);
    let rows = count * (steps + 1);
    let (mut spot, mut variance) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    for path in 0..count {
        let (s, v) = paths.path(path);
        spot.extend(s);
        variance.extend(v);
    }
    let dates = |f: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..rows).map(|row| f(row % (steps + 1))).collect()
    };
    let integers =
        |f: &dyn Fn(usize) -> usize| -> Vec<u32> { (0..rows).map(|row| f(row) as u32).collect() };
    let mut columns = vec![
        Column::new("path".into(), integers(&|row| row / (steps + 1))),
        Column::new("step".into(), integers(&|row| row % (steps + 1))),
        Column::new("time".into(), dates(&|t| t as f64 * dt)),
        Column::new("spot".into(), spot),
        Column::new("variance".into(), variance),
    ];
    for (asset, named) in plan.assets().list().iter().enumerate().skip(1) {
        let (spots, variances): (Vec<_>, Vec<_>) =
            (0..count).map(|path| paths.path_of(asset, path)).unzip();
        for (what, values) in [("spot", spots), ("variance", variances)] {
            let name = format!("{what}_{}", named.name);
            columns.push(Column::new(name.into(), values.concat()));
        }
    }
    let quoted = plan.instruments().into_iter().enumerate();
    let quoted = quoted.filter(|(_, instrument)| !matches!(instrument, Instrument::Spot(_)));
    for (index, name) in quoted.map(|(index, one)| (index, one.column())) {
        let quote = |row: usize| {
            let (path, t) = (row / (steps + 1), row % (steps + 1));
            paths.block(path / BLOCK).price(index)[t][path % BLOCK]
        };
        let quotes: Vec<f64> = (0..rows).map(quote).collect();
        columns.push(Column::new(name.into(), quotes));
    }
    let table = DataFrame::new(rows, columns)?;
    write_parquet_to(&destination, table)?;
    Ok(Output {
        text: format!("{}: {count} paths, {rows} rows", out.display()),
        document: json!({ "file": out.display().to_string(), "paths": count, "rows": rows }),
    })
}
