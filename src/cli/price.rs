//! `price`: a contract by formula, by simulation and by indifference.

use super::output::{Output, warn};
use super::stop::Stop;
use crate::error::Result;
use crate::experiment::{ContractSensitivities, Priced, saved_policies, strategy_or_run};
use crate::market::valuation::{AssetSensitivities, Sensitivity};
use crate::numbers::{estimate, significant, with_error};
use crate::report::facts::price_text;
use std::path::Path;

/// Prices the contract of a strategy file or of a run.
pub fn run(what: &str, runs: &Path) -> Result<Output> {
    let stop = Stop::on_signals()?;
    let (plan, run) = strategy_or_run(what, |_| {}, runs)?;
    let policies = match &run {
        Some(run) => saved_policies(run, &plan)?,
        None => Vec::new(),
    };
    let priced = Priced::new(&plan, &policies, || stop.check())?;
    priced.warnings.iter().for_each(|warning| warn(warning));
    let simulated = &priced.simulated;
    let paths = simulated.paths;
    let mut text = format!(
        "model price      {}\nsimulated price  {}   ({paths} paths)\n{}",
        price_text(&priced.model),
        with_error(simulated.estimate.value, simulated.estimate.standard_error),
        sensitivities(&priced.sensitivities),
    );
    text.push_str(&format!(
        "\nindifference price by {}, {paths} paths",
        plan.risk
    ));
    for (strategy, seed, price) in &priced.indifference {
        let seed = seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        text.push_str(&format!(
            "\n  {:<32} {}",
            format!("{strategy}{seed}"),
            with_error(price.value, price.standard_error)
        ));
    }
    Ok(Output {
        text,
        document: priced.document(),
    })
}

/// The sensitivities of a contract in words.
fn sensitivities(of: &ContractSensitivities) -> String {
    let all = match of {
        ContractSensitivities::Family(contracts) => {
            return format!(
                "prices are means over {contracts} contracts, whose terms lie in the ranges of the strategy"
            );
        }
        ContractSensitivities::GivenPaths => {
            return "no sensitivities: paths that are given do not say what prices would be at another spot"
                .into();
        }
        ContractSensitivities::Formula(greeks) => {
            return format!(
                "delta {}   gamma {}   vega {}   theta {} per year",
                significant(greeks.delta, 6),
                significant(greeks.gamma, 6),
                significant(greeks.vega, 6),
                significant(greeks.theta, 6)
            );
        }
        ContractSensitivities::Estimated(all) => all,
    };
    let shown = |name: &str, one: &Sensitivity| {
        format!("{name} {}", estimate(one.value, one.standard_error, 6))
    };
    let line = |asset: &AssetSensitivities| {
        let mut parts = vec![shown("delta", &asset.delta), shown("gamma", &asset.gamma)];
        parts.extend(asset.vega.as_ref().map(|vega| shown("vega", vega)));
        parts.join("   ")
    };
    if let [(_, alone)] = all.as_slice() {
        return line(alone);
    }
    let lines = all
        .iter()
        .map(|(name, one)| format!("{name}: {}", line(one)));
    lines.collect::<Vec<String>>().join("\n")
}
