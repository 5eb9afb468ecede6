use super::outcome::Measured;
use crate::risk::Risk;
use crate::risk::paired::{
    Pair, cvar_influence, mean_influence, risk_influence, sharpe_influence, variance_influence,
};
use crate::runs::metrics::Comparison;
use crate::strategy::Plan;

/// The method that others are compared with.
const BASELINE: &str = "adam";

/// Every trained strategy that is not a baseline against every baseline; if all are of one kind, the others against
/// the first. Seeds are paired with seeds, paths with paths; `overlap` contracts live at a time.
pub fn comparisons(plan: &Plan, overlap: f64, results: &[Measured<'_>]) -> Vec<Comparison> {
    let present = |name: &str| results.iter().any(|(row, _)| row.strategy == name);
    let (mut baselines, mut others): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for optimizer in plan.optimizers.iter().filter(|o| present(&o.name)) {
        let side = if optimizer.method == BASELINE {
            &mut baselines
        } else {
            &mut others
        };
        side.push(&optimizer.name);
    }
    if baselines.is_empty() || others.is_empty() {
        let mut all = baselines;
        all.append(&mut others);
        if all.is_empty() {
            return Vec::new();
        }
        others = all.split_off(1);
        baselines = all;
    }
    others
        .iter()
        .flat_map(|strategy| baselines.iter().map(move |baseline| (strategy, baseline)))
        .map(|(strategy, baseline)| compare(plan, overlap, results, strategy, baseline))
        .collect()
}

fn compare(
    plan: &Plan,
    overlap: f64,
    results: &[Measured<'_>],
    strategy: &str,
    baseline: &str,
) -> Comparison {
    let level = match plan.risk {
        Risk::Cvar { level } => level,
        _ => 0.95,
    };
    let of = |name: &str| -> Vec<&Measured<'_>> {
        results
            .iter()
            .filter(|(row, _)| row.strategy == name)
            .collect()
    };
    let (ours, theirs) = (of(strategy), of(baseline));
    let pairs: Vec<Pair<'_>> = ours
        .iter()
        .zip(&theirs)
        .map(|(ours, theirs)| Pair {
            ours: ours.1,
            theirs: theirs.1,
        })
        .collect();
    let mean = |side: &[&Measured<'_>], of: &dyn Fn(&Measured<'_>) -> Option<f64>| {
        side.iter().filter_map(|row| of(row)).sum::<f64>() / side.len() as f64
    };
    let steps =
        |side: &[&Measured<'_>]| mean(side, &|row| row.0.steps.map(|s| s as f64)).round() as usize;
    let seconds = |side: &[&Measured<'_>]| mean(side, &|row| row.0.seconds);
    let variance = Pair::estimate(&pairs, overlap, true, variance_influence);
    let cost = Pair::estimate(&pairs, overlap, true, |book| mean_influence(&book.cost));
    let cvar = Pair::estimate(&pairs, overlap, true, |book| {
        cvar_influence(&book.pnl, level)
    });
    let risk = Pair::estimate(&pairs, overlap, false, |book| {
        risk_influence(&book.pnl, plan.risk)
    });
    let sharpe = Pair::estimate(&pairs, overlap, false, |book| sharpe_influence(&book.pnl));
    Comparison {
        strategy: strategy.into(),
        baseline: baseline.into(),
        seeds: pairs.len(),
        pnl_variance_change: variance.value,
        pnl_variance_change_standard_error: variance.standard_error,
        cost_change: cost.value,
        cost_change_standard_error: cost.standard_error,
        cvar_change: cvar.value,
        cvar_change_standard_error: cvar.standard_error,
        risk_difference: risk.value,
        risk_difference_standard_error: risk.standard_error,
        sharpe_difference: sharpe.value,
        sharpe_difference_standard_error: sharpe.standard_error,
        steps: steps(&ours),
        baseline_steps: steps(&theirs),
        seconds: seconds(&ours),
        baseline_seconds: seconds(&theirs),
    }
}
