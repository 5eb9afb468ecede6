//! What lists say of a run.

use crate::report::summary::{Statistic, lines, main_level};
use crate::runs::metrics::Metrics;
use serde_json::{Value, json};

/// What lists say of a complete run.
pub fn summary(metrics: &Metrics) -> Value {
    let rows = if metrics.evaluation.is_empty() {
        &metrics.backtest
    } else {
        &metrics.evaluation
    };
    let cvar = Statistic::Cvar(main_level(metrics).to_owned());
    let strategies: Vec<Value> = lines(rows)
        .iter()
        .map(|line| {
            let estimate = line.estimate(&cvar);
            json!({
                "strategy": line.strategy,
                "cvar": estimate.map(|e| e.value),
                "cvar_standard_error": estimate.map(|e| e.standard_error),
            })
        })
        .collect();
    json!({
        "name": metrics.name,
        "command": metrics.command,
        "created": metrics.created,
        "risk": metrics.risk,
        "cvar_level": main_level(metrics),
        "strategies": strategies,
        "comparisons": metrics.comparisons,
    })
}
