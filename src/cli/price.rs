//! `price`: a contract by formula, by simulation and by indifference.

use super::changes::{BacktestChanges, strategy_or_run};
use super::output::{Output, warn};
use super::stop::Stop;
use crate::contract::Contract;
use crate::error::Result;
use crate::experiment::{SimulatedPrice, indifference_prices, saved_policies};
use crate::market::Assets;
use crate::market::valuation::{AssetSensitivities, Sensitivity, sensitivities};
use crate::numbers::{estimate, significant, with_error};
use crate::report::facts::price_text;
use crate::risk::Estimate;
use crate::strategy::memory::check_memory;
use serde_json::{Value, json};
use std::path::Path;

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
    let simulated = SimulatedPrice::new(&plan, || stop.check())?;
    let Estimate {
        value: mean,
        standard_error: error,
    } = simulated.estimate;
    let paths = simulated.paths;
    let model = plan.model_price(&mut || stop.check())?;
    let model_text = price_text(&model);
    let agree = simulated.agrees(&model, market.spot);
    // A surface has a premium over what its paths realise.
    if !agree && !market.model.has_surface() {
        warn(&format!(
            "the model's price is {model_text} and on {paths} paths {}, more apart than sampling explains",
            with_error(mean, error)
        ));
    }
    let (greeks, greeks_text) = greeks(&plan.assets(), contract, &stop)?;
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
        "model_price": model.value,
        "model_price_standard_error": model.standard_error,
        "model_price_method": model.method,
        "greeks": greeks,
        "simulated": { "value": mean, "standard_error": error, "paths": paths },
        "prices_agree": agree,
        "indifference": rows,
    });
    let mut text = format!(
        "model price      {model_text}\nsimulated price  {}   ({paths} paths)\n{greeks_text}",
        with_error(mean, error),
    );
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

/// The greeks of a contract, as a document and as text.
fn greeks(assets: &Assets, contract: &Contract, stop: &Stop) -> Result<(Value, String)> {
    if let Some(family) = contract.family() {
        let text = format!(
            "prices are means over {} contracts, whose terms lie in the ranges of the strategy",
            family.members().len()
        );
        return Ok((Value::Null, text));
    }
    if let Some(legs) = contract.legs() {
        let greeks = assets.first().greeks(legs, contract.expiry);
        let text = format!(
            "delta {}   gamma {}   vega {}   theta {} per year",
            significant(greeks.delta, 6),
            significant(greeks.gamma, 6),
            significant(greeks.vega, 6),
            significant(greeks.theta, 6)
        );
        return Ok((json!(greeks), text));
    }
    let of = sensitivities(assets, contract, &mut || stop.check())?;
    let shown = |name: &str, one: &Sensitivity| {
        format!("{name} {}", estimate(one.value, one.standard_error, 6))
    };
    let line = |asset: &AssetSensitivities| {
        let mut parts = vec![shown("delta", &asset.delta), shown("gamma", &asset.gamma)];
        parts.extend(asset.vega.as_ref().map(|vega| shown("vega", vega)));
        parts.join("   ")
    };
    let value = |one: &AssetSensitivities| {
        json!({
            "delta": one.delta.value,
            "gamma": one.gamma.value,
            "vega": one.vega.map(|vega| vega.value),
            "standard_errors": {
                "delta": one.delta.standard_error,
                "gamma": one.gamma.standard_error,
                "vega": one.vega.map(|vega| vega.standard_error),
            },
        })
    };
    let mut document = value(&of[0]);
    if let [_] = &of[..] {
        return Ok((document, line(&of[0])));
    }
    let names = assets.list().iter().map(|asset| asset.name.as_str());
    let text = names
        .clone()
        .zip(&of)
        .map(|(name, one)| format!("{name}: {}", line(one)));
    let text: Vec<String> = text.collect();
    let further = names.clone().zip(&of).skip(1).map(|(name, one)| {
        let mut value = value(one);
        value["asset"] = name.into();
        value
    });
    document["further_assets"] = further.collect();
    document["asset"] = assets.list()[0].name.as_str().into();
    Ok((document, text.join("\n")))
}
