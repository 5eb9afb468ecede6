use crate::hedging::Book;
use crate::risk::paired::{Pair, risk_influence};
use crate::runs::classical::{AgainstClassical, BesideBest};
use crate::runs::comparison::Measured;
use crate::strategy::Plan;

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
