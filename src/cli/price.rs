use super::Output;
use super::compare::{BacktestChanges, strategy_or_run};
use crate::error::Result;
use crate::experiment::indifference_prices;
use crate::random::Purpose;
use crate::simd::BLOCK;
use serde_json::{Value, json};
use std::path::Path;

/// Paths of the simulated price.
const PATHS: usize = 1 << 18;

pub fn run(what: &str, runs: &Path) -> Result<Output> {
    let (plan, policies) = strategy_or_run(what, &BacktestChanges::default(), runs)?;
    let (market, contract) = (plan.market, plan.contract);
    let simulator = plan.simulator(plan.seed, Purpose::Pricing);
    let paths = simulator.paths::<f64>(0, PATHS);
    let discount = (-market.rate * contract.expiry).exp();
    let payoffs: Vec<f64> = (0..PATHS)
        .map(|path| {
            discount * contract.payoff(paths.block(path / BLOCK).spot[contract.steps][path % BLOCK])
        })
        .collect();
    let n = PATHS as f64;
    let mean = payoffs.iter().sum::<f64>() / n;
    let error = (payoffs.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
    let model = market.price(&contract);
    let greeks = market.greeks(&contract);
    let indifference = indifference_prices(&plan, &policies)?;
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
        "simulated": { "value": mean, "standard_error": error, "paths": PATHS },
        "indifference": rows,
    });
    let mut text = format!(
        "model price      {model:.6}\nsimulated price  {mean:.6} ± {error:.6}   ({PATHS} paths)\n\
         delta {:.6}   gamma {:.6}   vega {:.6}   theta {:.6} per year",
        greeks.delta, greeks.gamma, greeks.vega, greeks.theta
    );
    text.push_str(&format!(
        "\nindifference price by {}, {} paths",
        plan.risk, plan.evaluation_paths
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
