//! Whose policies hedge a book, and what stands beside them.

use super::cut::Cut;
use crate::error::{Error, Result, excerpt};
use crate::experiment::{self, SavedPolicy};
use crate::hedging::{ClassicalName, ClassicalPolicy, HedgeValues};
use crate::risk::Row;
use crate::runs::classical;
use crate::runs::metrics::Metrics;
use crate::strategy::Plan;

/// The optimizer whose policies hedge, and how it was chosen.
pub fn optimizer(
    plan: &Plan,
    metrics: &Metrics,
    saved: &[SavedPolicy],
    asked: Option<&str>,
) -> Result<(String, &'static str)> {
    let mut names: Vec<&str> = Vec::new();
    for policy in saved {
        if !names.contains(&policy.strategy()) {
            names.push(policy.strategy());
        }
    }
    if let Some(asked) = asked {
        return match names.contains(&asked) {
            true => Ok((asked.to_owned(), "named")),
            false => Err(Error::input(format!(
                "--optimizer: must be one of {}, was \"{}\"",
                names.join(", "),
                excerpt(asked)
            ))),
        };
    }
    let (rows, how) = match metrics.evaluation.is_empty() {
        false => (
            &metrics.evaluation,
            "the least risk on the run's test paths, a mean over seeds",
        ),
        true => (
            &metrics.backtest,
            "the least risk in the run's backtest, a mean over seeds",
        ),
    };
    let risk = |name: &str| {
        let own: Vec<&Row> = rows.iter().filter(|row| row.strategy == name).collect();
        own.iter().map(|row| row.risk).sum::<f64>() / own.len() as f64
    };
    let known = names.iter().filter(|name| !risk(name).is_nan());
    let best = known.min_by(|a, b| risk(a).total_cmp(&risk(b)));
    let best = best.copied().or(plan.default_optimizer());
    let best = best.ok_or_else(|| Error::input("the run has no optimizer"))?;
    Ok((best.to_owned(), how))
}

/// The best classical hedge of the run or, where it has none, the delta.
pub fn benchmark<'a>(
    plan: &Plan,
    metrics: &Metrics,
    cut: &'a Cut,
) -> Result<Option<(String, ClassicalPolicy<'a>)>> {
    let on = experiment::fitted_on(plan, Some(&cut.contracts));
    let assets = &cut.contracts.assets;
    let best = metrics.best_classical.first().map(|best| &best.strategy);
    let best = best.or_else(|| classical::best(&metrics.hedges).map(|best| &best.strategy));
    if let Some(name) = best {
        let known = experiment::hedge_values(plan, metrics)?;
        let found = known.into_iter().find(|(hedge, _)| hedge.name() == *name);
        if let Some((hedge, values)) = found {
            let policy = plan.classical_on(hedge, assets, values, &on);
            return Ok(Some((name.clone(), policy)));
        }
    }
    if !plan.contract.has_delta() {
        return Ok(None);
    }
    let delta = ClassicalName::BlackScholes;
    let policy = plan.classical_on(delta, assets, HedgeValues::default(), &on);
    Ok(Some((policy.hedge().name(), policy)))
}
