//! `simulate`: paths of a strategy's market as a file.

use super::output::Output;
use super::stop::Stop;
use crate::atomic::Destination;
use crate::error::Result;
use crate::experiment::MarketPaths;
use crate::runs::parquet::write_parquet_to;
use crate::strategy::Plan;
use polars::prelude::{Column, DataFrame};
use serde_json::json;
use std::path::Path;

/// Writes simulated paths as Parquet with the columns path, step, time (years) and those of [`MarketPaths::names`].
pub fn run(strategy: &Path, count: usize, out: &Path) -> Result<Output> {
    // As columns, as they are written, and the numbers of path and step and the time.
    const HELD: usize = 3;
    let destination = Destination::new(out)?;
    let stop = Stop::on_signals()?;
    let plan = Plan::load(strategy, |_| {})?;
    let remedy = "fewer --paths need less";
    let paths = MarketPaths::new(&plan, count, (HELD, remedy), &mut || stop.check())?;
    let dates = paths.dates();
    let rows = count * dates;
    let mut values: Vec<Vec<f64>> = paths.names().map(|_| vec![0.0; rows]).collect();
    let slices = values.iter_mut().map(Vec::as_mut_slice).collect();
    paths.write(slices, &mut || stop.check())?;
    let integers =
        |f: &dyn Fn(usize) -> usize| -> Vec<u32> { (0..rows).map(|row| f(row) as u32).collect() };
    let time = paths.time();
    let time: Vec<f64> = (0..rows).map(|row| time[row % dates]).collect();
    let mut columns = vec![
        Column::new("path".into(), integers(&|row| row / dates)),
        Column::new("step".into(), integers(&|row| row % dates)),
        Column::new("time".into(), time),
    ];
    let named = paths.names().zip(values);
    columns.extend(named.map(|(name, values)| Column::new(name.into(), values)));
    let table = DataFrame::new(rows, columns)?;
    write_parquet_to(&destination, table)?;
    Ok(Output {
        text: format!("{}: {count} paths, {rows} rows", out.display()),
        document: json!({ "file": out.display().to_string(), "paths": count, "rows": rows }),
    })
}
