use super::outcome::Measured;
use crate::hedging::Book;
use crate::optimizer::Method;
use crate::risk::paired::{
    Pair, cvar_influence, mean_influence, risk_influence, sharpe_influence, variance_influence,
};
use crate::runs::classical::{AgainstClassical, BesideBest};
use crate::runs::metrics::Comparison;
use crate::strategy::Plan;

/// The method that others are compared with.
const BASELINE: Method = Method::Adam;

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

/// Every trained strategy beside the classical hedge of the name `best`; none if that was not measured.
pub fn beside_best(
    plan: &Plan,
    overlap: f64,
    results: &[Measured<'_>],
    best: &str,
) -> Option<BesideBest> {
    let mut hedges = results.iter().filter(|(row, _)| row.seed.is_none());
    let (row, hedge) = hedges.find(|(row, _)| row.strategy == best)?;
    let mut trained: Vec<(&str, Vec<&Book>)> = Vec::new();
    for (row, book) in results.iter().filter(|(row, _)| row.seed.is_some()) {
        match trained.iter_mut().find(|(name, _)| *name == row.strategy) {
            Some((_, books)) => books.push(book),
            None => trained.push((&row.strategy, vec![book])),
        }
    }
    let policies = trained.into_iter();
    let policies = policies.map(|(name, books)| against(plan, overlap, (name, &books), hedge));
    Some(BesideBest {
        risk: row.risk,
        policies: policies.collect(),
    })
}

/// The books of a policy, one for each seed, beside that of a classical hedge.
pub fn against(
    plan: &Plan,
    overlap: f64,
    (strategy, books): (&str, &[&Book]),
    hedge: &Book,
) -> AgainstClassical {
    let pairs: Vec<Pair<'_>> = books
        .iter()
        .map(|ours| Pair {
            ours,
            theirs: hedge,
        })
        .collect();
    let risk = Pair::estimate(&pairs, overlap, false, |book| {
        risk_influence(&book.pnl, plan.risk)
    });
    AgainstClassical {
        strategy: strategy.into(),
        seeds: books.len(),
        difference: risk.value,
        standard_error: risk.standard_error,
    }
}

fn compare(
    plan: &Plan,
    overlap: f64,
    results: &[Measured<'_>],
    strategy: &str,
    baseline: &str,
) -> Comparison {
    let level = plan.risk.watched_level();
    let of = |name: &str| -> Vec<&Measured<'_>> {
        results
            .iter()
            .filter(|(row, _)| row.strategy == name)
            .collect()
    };
    let (ours, theirs) = (of(strategy), of(baseline));
    let of_seed = |seed: Option<u64>| theirs.iter().find(|(row, _)| row.seed == seed);
    let pairs: Vec<Pair<'_>> = ours
        .iter()
        .filter_map(|(row, ours)| {
            let (_, theirs) = of_seed(row.seed)?;
            Some(Pair { ours, theirs })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hedging::Book;
    use crate::runs::fixture;

    /// Seeds are paired by their number, not by their place: where a method lacks the first seed, its second stands against the
    /// baseline's second.
    #[test]
    fn seeds_are_paired_by_number() {
        let metrics = fixture::metrics();
        let book = |scale: f64| Book {
            pnl: (0..64).map(|i| scale * f64::from(i).sin()).collect(),
            cost: vec![0.1 * scale; 64],
            turnover: vec![1.0; 64],
        };
        let (first, second) = (book(3.0), book(1.0));
        let row = |strategy: &str, seed: u64| {
            let mut rows = metrics.evaluation.iter();
            rows.find(|row| row.strategy == strategy && row.seed == Some(seed))
                .unwrap()
        };
        let results = [
            (row("kfac", 2), &second),
            (row("adam", 1), &first),
            (row("adam", 2), &second),
        ];
        let plan = Plan::parse(
            "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\n\
             [optimizers.adam]\n[optimizers.kfac]\n",
            |_| {},
        )
        .unwrap();
        let [found] = comparisons(&plan, 1.0, &results).try_into().unwrap();
        assert_eq!((found.strategy.as_str(), found.seeds), ("kfac", 1));
        assert_eq!(found.pnl_variance_change, 0.0);
        assert_eq!(found.cost_change, 0.0);
    }
}
