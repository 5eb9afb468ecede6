//! Policies trained in one market and tested in others.

use super::compared::against;
use super::outcome::hedge_test_paths;
use super::results::Results;
use super::trainings;
use super::turns::Turn;
use crate::error::{Error, Result};
use crate::groups::Crew;
use crate::hedging::{Book, Policy, TrainedPolicy, TunedHedge};
use crate::network::Parameters;
use crate::risk::paired::{Pair, risk_influence};
use crate::risk::{Estimate, Row, RowInput};
use crate::runs::classical::{self, BesideBest, BestClassical, HedgeRow};
use crate::runs::crossed::{Crossed, to_frame};
use crate::runs::parquet::write_parquet;
use crate::runs::progress::Event;
use crate::strategy::Plan;

/// A strategy made for one of the markets: a classical hedge, or a policy of every seed.
enum Made {
    Hedge(Box<TunedHedge>),
    Trained(Vec<Parameters>),
}

/// The plan in its own market and in each further one.
///
/// # Errors
/// [`Error::Input`] if it has no further markets, or one of them is at fault.
pub fn markets(plan: &Plan) -> Result<Vec<(String, Plan)>> {
    let plans = plan.markets()?;
    if plans.len() < 2 {
        return Err(Error::input(
            "`markets` is missing: name at least one market beside the strategy's",
        ));
    }
    Ok(plans)
}

/// The trainings in `markets`, of which the first is the strategy's own, in their order.
pub fn turns<'a>(markets: &'a [(String, Plan)], seeds: &[u64]) -> Vec<Turn<'a>> {
    let optimizers = markets.first().map(|(_, own)| own.optimizers.iter());
    let mut turns = Vec::new();
    for optimizer in optimizers.into_iter().flatten() {
        for (market, plan) in markets {
            let entries = trainings::in_market(optimizer, market, seeds);
            turns.extend(entries.into_iter().map(|entry| (plan, entry)));
        }
    }
    turns
}

/// Hedges the test paths of all of `markets`, of which the first is that of `plan`, with every policy that the run has of
/// trainings with `seeds`, and with the classical hedges of every market's parameters.
///
/// A policy sees the contract that it hedges, and scales volatility by the market that it was trained in. The hedges of the results
/// are those of the strategy's own market.
///
/// # Errors
/// The errors of the policies and the crew.
pub fn measure(
    markets: &[(String, Plan)],
    plan: &Plan,
    seeds: &[u64],
    crew: &mut Crew<'_>,
) -> Result<Results> {
    let ranks = crew.world().clone();
    let shared = |(market, plan): &(String, Plan)| (market.clone(), plan.with_ranks(ranks.clone()));
    let plans: Vec<(String, Plan)> = markets.iter().map(shared).collect();
    let mut strategies: Vec<(String, Vec<Made>)> = Vec::new();
    for optimizer in &plan.optimizers {
        let mut made = Vec::new();
        for (market, plan) in &plans {
            let read = |name: &str| crew.read(name);
            let entries = trainings::in_market(optimizer, market, seeds);
            let policies = entries.iter().map(|entry| entry.policy(&read, plan));
            made.push(Made::Trained(policies.collect::<Result<_>>()?));
        }
        strategies.push((optimizer.name.clone(), made));
    }
    crew.event(&Event::Measuring)?;
    // Hedges are searched for in every market, and what is made for a market is then tested in all of them.
    let of = plans.len() * (1 + plan.optimizers.len() + plan.hedges.len());
    let mut done = 0;
    let mut measured = |crew: &mut Crew<'_>| {
        done += 1;
        crew.event(&Event::Measured { done, of })
    };
    let mut tuned: Vec<Vec<TunedHedge>> = Vec::with_capacity(plans.len());
    for (_, plan) in &plans {
        tuned.push(plan.tuned_hedges(&mut || crew.busy())?);
        measured(crew)?;
    }
    for (index, hedge) in plan.hedges.iter().enumerate() {
        let made = tuned
            .iter()
            .map(|of| Made::Hedge(Box::new(of[index].clone())));
        strategies.push((hedge.name(), made.collect()));
    }
    let (mut results, mut best_classical) = (Vec::new(), Vec::new());
    for (market, (tested_in, test)) in plans.iter().enumerate() {
        let hedges: Vec<HedgeRow> = tuned[market].iter().map(HedgeRow::from).collect();
        let best = classical::best(&hedges);
        let mut own_books: Vec<(&str, bool, Vec<Book>)> = Vec::new();
        for (strategy, made) in &strategies {
            let pairs = plans.iter().zip(made);
            let books: Vec<Vec<Book>> = pairs
                .map(|((_, origin), made)| hedge(made, origin, test, &mut || crew.busy()))
                .collect::<Result<_>>()?;
            measured(crew)?;
            let own = &books[market];
            let trained = matches!(made[market], Made::Trained(_));
            if trained || best.is_some_and(|best| best.strategy == *strategy) {
                own_books.push((strategy, trained, own.clone()));
            }
            for ((made_for, _), books) in plans.iter().zip(&books) {
                let pairs: Vec<Pair<'_>> = books
                    .iter()
                    .zip(own)
                    .map(|(ours, theirs)| Pair { ours, theirs })
                    .collect();
                results.push(Crossed {
                    strategy: strategy.clone(),
                    made_for: made_for.clone(),
                    tested_in: tested_in.clone(),
                    seeds: books.len(),
                    risk: risk(test, strategy, books),
                    change: Pair::estimate(&pairs, 1.0, true, |book| {
                        risk_influence(&book.pnl, test.risk)
                    }),
                });
            }
        }
        let hedge = own_books.iter().find(|(_, trained, _)| !trained);
        if let (Some(best), Some((_, _, hedge))) = (best, hedge) {
            let trained = own_books.iter().filter(|(_, trained, _)| *trained);
            let policies = trained.map(|(name, _, books)| {
                let books: Vec<&Book> = books.iter().collect();
                against(test, 1.0, (*name, &books), &hedge[0])
            });
            best_classical.push(BestClassical {
                strategy: best.strategy.clone(),
                title: best.title.clone(),
                market: Some(tested_in.clone()),
                validation_risk: best.validation_risk,
                simulated: Some(BesideBest {
                    risk: risk(test, &best.strategy, hedge).value,
                    policies: policies.collect(),
                }),
                backtest: None,
            });
        }
    }
    crew.on_first(|folder| {
        write_parquet(&folder.path().join("crossed.parquet"), to_frame(&results)?)
    })?;
    Ok(Results {
        crossed: results,
        // Those of the strategy's own market, which is the first.
        hedges: tuned.swap_remove(0),
        best_classical,
        ..Results::of(seeds.to_vec())
    })
}

/// The test paths of `test` under what was made for the market of `origin`, one book for every seed.
fn hedge(
    made: &Made,
    origin: &Plan,
    test: &Plan,
    stop: &mut dyn FnMut() -> Result<()>,
) -> Result<Vec<Book>> {
    match made {
        Made::Hedge(tuned) => {
            let policy = origin.classical(tuned.hedge, &origin.assets(), tuned.values);
            Ok(vec![hedge_test_paths(test, &policy, stop)?])
        }
        Made::Trained(policies) => {
            let test = &test.seen_as_by(origin)?;
            let seen = test.seen()?;
            let sweep = test.sweep();
            let books = policies.iter().map(|parameters| {
                let policy = TrainedPolicy {
                    parameters,
                    features: &seen,
                    sweep: sweep.as_ref(),
                };
                hedge_test_paths(test, &policy as &dyn Policy, stop)
            });
            books.collect()
        }
    }
}

fn risk(plan: &Plan, strategy: &str, books: &[Book]) -> Estimate {
    let estimates: Vec<Estimate> = books
        .iter()
        .map(|book| {
            let input = RowInput {
                strategy,
                seed: None,
                premium: plan.model_premium(),
                risk: plan.risk,
                contracts_per_year: plan.contracts_per_year(),
                overlap: 1.0,
                steps: None,
                seconds: None,
            };
            let row = Row::new(&input, &book.pnl, &book.cost, &book.turnover);
            Estimate {
                value: row.risk,
                standard_error: row.risk_standard_error,
            }
        })
        .collect();
    Estimate::over_seeds(&estimates)
}
