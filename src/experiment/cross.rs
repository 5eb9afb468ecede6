//! Policies trained in one market and tested in others.

use super::outcome::{aversion, hedge_test_paths};
use super::{Progress, Report};
use crate::error::{Error, Result};
use crate::hedging::{Book, Classical, ClassicalPolicy, Policy, RecurrentPolicy};
use crate::network::{Features, Parameters};
use crate::risk::paired::{Pair, risk_influence};
use crate::risk::{Estimate, Row, RowInput};
use crate::strategy::Plan;
use crate::training::train;
use serde::Serialize;

/// One strategy made for one market and tested in one, itself or another.
#[derive(Debug, Clone, Serialize)]
pub struct Crossed {
    pub strategy: String,
    /// The market that a policy was trained in, or whose parameters a classical hedge assumes.
    pub made_for: String,
    pub tested_in: String,
    pub seeds: usize,
    /// The trained risk measure of the P&L on the test paths.
    pub risk: Estimate,
    /// Its change against the same strategy made for the market of the test, as a fraction; paired on paths and seeds.
    pub change: Estimate,
}

/// A strategy made for one of the markets: a classical hedge, or a policy of every seed.
enum Made {
    Hedge(Classical),
    Trained(Vec<Parameters>),
}

/// Trains every optimizer of the plan with `seeds` seeds in its own market and in each of the plan's further `markets`, and
/// hedges the test paths of all of them with every policy and with the classical hedges of every market's parameters.
///
/// A policy sees the contract that it hedges, and scales volatility by the market that it was trained in.
///
/// # Errors
/// [`Error::Input`] if the plan has no further markets; errors of the training.
pub fn cross(plan: &Plan, seeds: u64, progress: &mut Report<'_>) -> Result<Vec<Crossed>> {
    let plans = plan.markets()?;
    if plans.len() < 2 {
        return Err(Error::input(
            "`markets` is missing: name at least one market beside the strategy's",
        ));
    }
    let mut strategies: Vec<(String, Vec<Made>)> = Vec::new();
    for optimizer in &plan.optimizers {
        let mut made = Vec::new();
        for (market, plan) in &plans {
            let mut policies = Vec::new();
            for seed in plan.seed..plan.seed + seeds {
                let what = format!("{} in {market}", optimizer.name);
                let trained = train(plan, optimizer, seed, |training| {
                    progress(Progress::Training {
                        what: &what,
                        seed,
                        training,
                    })
                })?;
                policies.push(trained.parameters);
            }
            made.push(Made::Trained(policies));
        }
        strategies.push((optimizer.name.clone(), made));
    }
    for name in &plan.hedges {
        let made = plans.iter().map(|(_, plan)| -> Result<Made> {
            let hedge = Classical::named(name, aversion(plan)?);
            Ok(Made::Hedge(hedge.unwrap_or(Classical::Naked)))
        });
        strategies.push((name.clone(), made.collect::<Result<_>>()?));
    }
    let mut results = Vec::new();
    for (tested_in, test) in &plans {
        for (strategy, made) in &strategies {
            let pairs = plans.iter().zip(made);
            let books: Vec<Vec<Book>> = pairs
                .map(|((_, origin), made)| hedge(made, origin, test))
                .collect::<Result<_>>()?;
            let own = plans.iter().position(|(name, _)| name == tested_in);
            let own = &books[own.unwrap_or(0)];
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
    }
    Ok(results)
}

/// The test paths of `test` under what was made for the market of `origin`, one book for every seed.
fn hedge(made: &Made, origin: &Plan, test: &Plan) -> Result<Vec<Book>> {
    match made {
        Made::Hedge(hedge) => {
            let policy = ClassicalPolicy {
                hedge: *hedge,
                market: origin.market,
                contract: test.contract,
                charge: test.costs.spot,
            };
            Ok(vec![hedge_test_paths(test, &policy)?])
        }
        Made::Trained(policies) => {
            let features = Features {
                strike: test.features.strike,
                ..origin.features.clone()
            };
            let sweep = test.engine.sweep();
            let books = policies.iter().map(|parameters| {
                let policy = RecurrentPolicy {
                    parameters,
                    features: &features,
                    sweep: sweep.as_ref(),
                };
                hedge_test_paths(test, &policy as &dyn Policy)
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
                contracts_per_year: plan.contracts_per_year,
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
