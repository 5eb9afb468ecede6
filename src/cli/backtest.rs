//! `backtest`: contracts sold on history.

use super::changes::{BacktestChanges, own_data, settings};
use super::output::Output;
use super::progress::{came_to, output};
use crate::error::Result;
use crate::experiment::{Finished, Prepared, is_strategy, strategy_or_run};
use crate::runs::metrics::Request;
use crate::runs::store::{self, RunFolder};
use serde_json::json;
use std::path::Path;

/// Hedges contracts sold on history: with a strategy's classical hedges, or with a run's policies beside them. A backtest
/// that was interrupted goes on.
pub fn run(what: &str, changes: &BacktestChanges, root: &Path) -> Result<Output> {
    let prepared = match interrupted_backtest(what, root)? {
        Some(run) if changes.any() => return Err(own_data(run.id())),
        Some(run) => Prepared::again(run, Some(Request::BACKTEST))?,
        None => {
            let (plan, run) = strategy_or_run(what, |strategy| changes.apply(strategy), root)?;
            settings(&plan, what)?;
            Prepared::backtest_over(plan, run.as_ref(), root)?
        }
    };
    let carried_out = prepared.carry_out(&mut |_| Ok(()))?;
    Ok(came_to(prepared.folder(), carried_out, backtested))
}

fn backtested(finished: &Finished) -> Output {
    let document = json!({
        "run": finished.metrics.run,
        "backtest": finished.metrics.backtest,
        "backtest_comparisons": finished.metrics.backtest_comparisons,
        "backtest_breakdown": finished.metrics.backtest_breakdown,
        "backtest_market": finished.metrics.backtest_market,
        "hedges": finished.metrics.hedges,
        "best_classical": finished.metrics.best_classical,
    });
    output(finished, document)
}

fn interrupted_backtest(what: &str, root: &Path) -> Result<Option<RunFolder>> {
    if is_strategy(what) {
        return Ok(None);
    }
    let run = store::open(root, what)?;
    let request = run.request()?;
    let begun = request.is_some_and(|request| request.command == Request::BACKTEST);
    Ok(Some(run).filter(|run| begun && !run.is_complete()))
}
