use super::compare::{BacktestChanges, strategy_or_run};
use super::stop::Stop;
use super::{Output, warn};
use crate::error::Result;
use crate::experiment::{indifference_prices, saved_policies, simulated_price};
use crate::strategy::memory::check_memory;
use serde_json::{Value, json};
use std::path::Path;

/// Standard errors between the two prices that sampling explains.
const STANDARD_ERRORS: f64 = 4.0;

/// Of the spot: what the simulation's normal variates leave open where it has no sampling error.
const ROUNDING: f64 = 1e-6;

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
    let (market, contract) = (plan.market, plan.contract);
    let simulated = simulated_price(&plan, || stop.check())?;
    let (mean, error, paths) = (
        simulated.value,
        simulated.standard_error,
        plan.evaluation_paths,
    );
    let model = market.price(&contract);
    let agree = simulated.explains(model, STANDARD_ERRORS, ROUNDING * market.spot);
    if !agree {
        warn(&format!(
            "the price is {model:.6} by the model's formula and {mean:.6} ± {error:.6} by simulation, more apart than \
             sampling explains"
        ));
    }
    let greeks = market.greeks(&contract);
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
        "model price      {model:.6}\nsimulated price  {mean:.6} ± {error:.6}   ({paths} paths)\n\
         delta {:.6}   gamma {:.6}   vega {:.6}   theta {:.6} per year",
        greeks.delta, greeks.gamma, greeks.vega, greeks.theta
    );
    text.push_str(&format!(
        "\nindifference price by {}, {paths} paths",
        plan.risk
    ));
    for (strategy, seed, price) in &indifference {
        let seed = seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        text.push_str(&format!(
            "\n  {:<32} {:.4} ± {:.4}",
            format!("{strategy}{seed}"),
            price.value,
            price.standard_error
        ));
    }
    Ok(Output { text, document })
}
