//! `price`: a contract by formula, by simulation and by indifference.

use super::changes::{BacktestChanges, strategy_or_run};
use super::output::{Output, warn};
use super::stop::Stop;
use crate::error::Result;
use crate::experiment::{indifference_prices, saved_policies, simulated_price};
use crate::numbers::{significant, with_error};
use crate::strategy::memory::check_memory;
use serde_json::{Value, json};
use std::path::Path;

/// Standard errors between the two prices that sampling explains.
const STANDARD_ERRORS: f64 = 4.0;

/// The share of the spot that the simulation's normal variates leave open where it has no sampling error.
const ROUNDING: f64 = 1e-6;

/// Prices the contract of a strategy file or of a run.
pub fn run(what: &str, runs: &Path) -> Result<Output> {
    let stop = Stop::on_signals()?;
    let (plan, run) = strategy_or_run(what, &BacktestChanges::default(), runs)?;
    let policies = match &run {
        Some(run) => saved_policies(run, &plan)?,
        None => Vec::new(),
    };
    check_memory(
        plan.measuring_memory(policies.len()),
        "fewer `evaluation.paths` or `contract.steps` need less",
    )?;
    let (market, contract) = (&plan.market, &plan.contract);
    let simulated = simulated_price(&plan, || stop.check())?;
    let (mean, error, paths) = (
        simulated.value,
        simulated.standard_error,
        plan.evaluation_paths,
    );
    let model = plan.model_price();
    let agree = simulated.explains(model, STANDARD_ERRORS, ROUNDING * market.spot);
    if !agree {
        warn(&format!(
            "the price is {} by the model's formula and {} by simulation, more apart than sampling explains",
            significant(model, 7),
            with_error(mean, error)
        ));
    }
    let greeks = contract
        .legs()
        .map(|legs| market.greeks(legs, contract.expiry));
    plan.make_quotes(&mut || stop.check())?;
    let indifference = indifference_prices(&plan, &policies, || stop.check())?;
    let rows: Vec<Value> = indifference
        .iter()
        .map(|(strategy, seed, price)| {
            json!({
                "strategy": strategy,
                "seed": seed,
                "value": price.value,
                "standard_error": price.standard_error,
            })
        })
        .collect();
    let document = json!({
        "model_price": model,
        "greeks": greeks,
        "simulated": { "value": mean, "standard_error": error, "paths": paths },
        "prices_agree": agree,
        "indifference": rows,
    });
    let mut text = format!(
        "model price      {}\nsimulated price  {}   ({paths} paths)",
        significant(model, 7),
        with_error(mean, error),
    );
    if let Some(greeks) = &greeks {
        text.push_str(&format!(
            "\ndelta {}   gamma {}   vega {}   theta {} per year",
            significant(greeks.delta, 6),
            significant(greeks.gamma, 6),
            significant(greeks.vega, 6),
            significant(greeks.theta, 6)
        ));
    }
    text.push_str(&format!(
        "\nindifference price by {}, {paths} paths",
        plan.risk
    ));
    for (strategy, seed, price) in &indifference {
        let seed = seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        text.push_str(&format!(
            "\n  {:<32} {}",
            format!("{strategy}{seed}"),
            with_error(price.value, price.standard_error)
        ));
    }
    Ok(Output { text, document })
}
