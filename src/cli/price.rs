use super::Output;
use crate::error::Result;
use crate::market::Simulator;
use crate::random::Purpose;
use crate::simd::BLOCK;
use crate::strategy::Plan;
use serde_json::json;
use std::path::Path;

/// Paths of the simulated price.
const PATHS: usize = 1 << 18;

pub fn run(strategy: &Path) -> Result<Output> {
    let plan = Plan::load(strategy, |_| {})?;
    let (market, contract) = (plan.market, plan.contract);
    let simulator = Simulator {
        market,
        steps: contract.steps,
        dt: contract.dt(),
        seed: plan.seed,
        purpose: Purpose::Pricing,
    };
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
    let document = json!({
        "model_price": model,
        "greeks": greeks,
        "simulated": { "value": mean, "standard_error": error, "paths": PATHS },
    });
    let text = format!(
        "model price      {model:.6}\nsimulated price  {mean:.6} ± {error:.6}   ({PATHS} paths)\n\
         delta {:.6}   gamma {:.6}   vega {:.6}   theta {:.6} per year",
        greeks.delta, greeks.gamma, greeks.vega, greeks.theta
    );
    Ok(Output { text, document })
}
