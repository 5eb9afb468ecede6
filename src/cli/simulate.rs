use super::Output;
use crate::error::Result;
use crate::random::Purpose;
use crate::runs::atomic::write_parquet;
use crate::strategy::Plan;
use polars::prelude::{Column, DataFrame};
use serde_json::json;
use std::path::Path;

/// Writes simulated paths as Parquet with the columns path, step, time (years), spot and variance.
pub fn run(strategy: &Path, count: usize, out: &Path) -> Result<Output> {
    let plan = Plan::load(strategy, |_| {})?;
    let (steps, dt) = (plan.contract.steps, plan.contract.dt());
    let simulator = plan.simulator(plan.seed, Purpose::Export);
    let paths = simulator.paths::<f64>(0, count);
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
    let table = DataFrame::new(
        rows,
        vec![
            Column::new(
                "path".into(),
                (0..rows)
                    .map(|row| (row / (steps + 1)) as u32)
                    .collect::<Vec<_>>(),
            ),
            Column::new(
                "step".into(),
                (0..rows)
                    .map(|row| (row % (steps + 1)) as u32)
                    .collect::<Vec<_>>(),
            ),
            Column::new("time".into(), dates(&|t| t as f64 * dt)),
            Column::new("spot".into(), spot),
            Column::new("variance".into(), variance),
        ],
    )?;
    write_parquet(out, table)?;
    Ok(Output {
        text: format!("{}: {count} paths, {rows} rows", out.display()),
        document: json!({ "file": out, "paths": count, "rows": rows }),
    })
}
