//! Experiments: policies trained, measured beside classical hedges on the same paths, and written to a run folder.

mod compared;
mod outcome;
mod tuning;

use crate::backtest::Contracts;
use crate::error::{Error, Result, at_path};
use crate::hedging::{Classical, ClassicalPolicy, RecurrentPolicy};
use crate::market::Market;
use crate::network::Parameters;
use crate::risk::{Estimate, Risk};
use crate::runs::metrics::{
    BacktestMarket, ExamplePath, Metrics, TrainingCurve, TrainingPoint, Trial,
};
use crate::runs::store::{self, RunFolder};
use crate::runs::tables::{BacktestBook, BacktestTable, EvaluationBook, EvaluationTable};
use crate::strategy::{BacktestPlan, Plan, Premium};
use crate::training::train;
use outcome::{Bench, Outcome, Training};
use serde_json::json;
use std::path::Path;

/// How far an experiment has come.
pub enum Progress<'a> {
    /// A policy is being trained: the share that is done, in (0, 1], and the step just taken.
    Training {
        strategy: &'a str,
        seed: u64,
        done: f64,
        point: &'a TrainingPoint,
    },
    /// Settings are being searched: the number of trainings done, and of all.
    Tuning {
        strategy: &'a str,
        trial: usize,
        trials: usize,
    },
}

/// A finished run: its folder and what `metrics.json` says.
pub struct Finished {
    pub folder: RunFolder,
    pub metrics: Metrics,
}

/// Trains every optimizer of the plan with every seed, after its settings have been searched if `tuned`, hedges the test paths with the policies and the classical
/// hedges, backtests all of them if the plan says so, and writes the run under `root`.
///
/// # Errors
/// [`Error::Input`] if the folder cannot be written or the history is at fault; errors of the training.
pub fn compare(
    plan: &Plan,
    seeds: &[u64],
    tuned: bool,
    root: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Finished> {
    let contracts = plan
        .backtest
        .as_ref()
        .map(|settings| Contracts::cut(plan, settings))
        .transpose()?;
    let backtest = plan.backtest.as_ref().zip(contracts.as_ref());
    trained_run("compare", plan, seeds, tuned, backtest, root, progress)
}

/// Trains one optimizer of the plan and hedges the test paths with the policy and the classical hedges.
///
/// # Errors
/// Those of [`compare`], and [`Error::Input`] if the plan has no optimizer of that name.
pub fn train_one(
    plan: &Plan,
    optimizer: &str,
    root: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Finished> {
    let mut plan = plan.clone();
    plan.optimizers.retain(|plan| plan.name == optimizer);
    trained_run("train", &plan, &[plan.seed], false, None, root, progress)
}

type Backtest<'a> = Option<(&'a BacktestPlan, &'a Contracts)>;

fn trained_run(
    command: &str,
    plan: &Plan,
    seeds: &[u64],
    tuned: bool,
    backtest: Backtest<'_>,
    root: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Finished> {
    // Before the training, so that a folder that cannot be written costs nothing.
    let folder = store::create(root, &plan.name)?;
    let mut plan = plan.clone();
    let mut tuning = Vec::new();
    if tuned {
        for optimizer in plan.optimizers.clone() {
            let mut show = |trial, trials| {
                progress(Progress::Tuning {
                    strategy: &optimizer.name,
                    trial,
                    trials,
                });
            };
            let (best, mut trials) = tuning::tune(&plan, &optimizer, &mut show)?;
            tuning.append(&mut trials);
            plan.replace(best);
        }
    }
    let plan = &plan;
    folder.write_strategy(&plan.to_toml()?)?;
    let bench = Bench {
        plan,
        contracts: backtest.map(|(_, contracts)| contracts),
        simulated: true,
    };
    let (mut outcomes, mut curves) = (Vec::new(), Vec::new());
    for &seed in seeds {
        for optimizer in &plan.optimizers {
            let trained = train(plan, optimizer, seed, |done, point| {
                progress(Progress::Training {
                    strategy: &optimizer.name,
                    seed,
                    done,
                    point,
                });
            })?;
            save_policy(&folder, plan, &optimizer.name, seed, &trained.parameters)?;
            let training = Training {
                seed,
                steps: trained.points.len(),
                seconds: trained.seconds,
            };
            outcomes.push(recurrent(
                &bench,
                &optimizer.name,
                training,
                &trained.parameters,
            )?);
            curves.push(TrainingCurve {
                strategy: optimizer.name.clone(),
                seed,
                points: trained.points,
            });
        }
    }
    let aversion = outcome::aversion(plan)?;
    outcomes.extend(classical(&bench, aversion)?);
    let results = Results {
        seeds: seeds.to_vec(),
        training: curves,
        tuning,
        outcomes,
        aversion,
    };
    finish(command, plan, folder, results, backtest)
}

/// Hedges contracts sold on history with the policies of a run, if one is given, and the plan's classical hedges.
///
/// # Errors
/// [`Error::Input`] if the history, a policy or the run folder is at fault.
pub fn backtest(
    plan: &Plan,
    settings: &BacktestPlan,
    policies: &[SavedPolicy],
    root: &Path,
) -> Result<Finished> {
    let contracts = Contracts::cut(plan, settings)?;
    let folder = store::create(root, &format!("{}-backtest", plan.name))?;
    folder.write_strategy(&plan.to_toml()?)?;
    let bench = Bench {
        plan,
        contracts: Some(&contracts),
        simulated: false,
    };
    let mut outcomes = policies
        .iter()
        .map(|policy| {
            let SavedPolicy {
                strategy,
                training,
                parameters,
            } = policy;
            // Kept with the run, so that the folder stands alone.
            save_policy(&folder, plan, strategy, training.seed, parameters)?;
            recurrent(&bench, strategy, *training, parameters)
        })
        .collect::<Result<Vec<_>>>()?;
    let aversion = outcome::aversion(plan)?;
    outcomes.extend(classical(&bench, aversion)?);
    let mut seeds: Vec<u64> = policies.iter().map(|policy| policy.training.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let results = Results {
        seeds,
        training: Vec::new(),
        tuning: Vec::new(),
        outcomes,
        aversion,
    };
    finish(
        "backtest",
        plan,
        folder,
        results,
        Some((settings, &contracts)),
    )
}

/// The premium at which selling and hedging the contract is worth as much as doing nothing, one for each strategy:
/// e^{−rT} ρ(z) of the P&L z without a premium, since ρ is cash-invariant and ρ(0) = 0.
///
/// # References
/// Buehler, Gonon, Teichmann and Wood (2019), "Deep hedging", lemma 3.3.
///
/// # Errors
/// Those of the policies.
pub fn indifference_prices(
    plan: &Plan,
    policies: &[SavedPolicy],
) -> Result<Vec<(String, Option<u64>, Estimate)>> {
    let mut free = plan.clone();
    free.premium = Premium::Amount(0.0);
    let bench = Bench {
        plan: &free,
        contracts: None,
        simulated: true,
    };
    let mut outcomes = policies
        .iter()
        .map(|policy| {
            recurrent(
                &bench,
                &policy.strategy,
                policy.training,
                &policy.parameters,
            )
        })
        .collect::<Result<Vec<_>>>()?;
    outcomes.extend(classical(&bench, outcome::aversion(&free)?)?);
    let discount = (-plan.market.rate * plan.contract.expiry).exp();
    let prices = outcome::simulated(&outcomes).into_iter().map(|(row, _)| {
        let price = Estimate {
            value: discount * row.risk,
            standard_error: discount * row.risk_standard_error,
        };
        (row.strategy.clone(), row.seed, price)
    });
    Ok(prices.collect())
}

/// A policy of a finished run.
pub struct SavedPolicy {
    strategy: String,
    training: Training,
    parameters: Parameters,
}

/// The policies of a run, in the order of its table.
///
/// # Errors
/// [`Error::Input`] if the run is incomplete, has no policies, or a file does not fit the plan.
pub fn saved_policies(folder: &RunFolder, plan: &Plan) -> Result<Vec<SavedPolicy>> {
    let metrics = folder.metrics()?;
    let rows = if metrics.evaluation.is_empty() {
        &metrics.backtest
    } else {
        &metrics.evaluation
    };
    let policies = rows
        .iter()
        .filter_map(|row| row.seed.map(|seed| (row, seed)))
        .map(|(row, seed)| {
            let path = folder.path().join(policy_file(&row.strategy, seed));
            Ok(SavedPolicy {
                strategy: row.strategy.clone(),
                training: Training {
                    seed,
                    steps: row.steps.unwrap_or(0),
                    seconds: row.seconds.unwrap_or(0.0),
                },
                parameters: Parameters::load(&path, plan.shape)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if policies.is_empty() {
        return Err(Error::input(format!(
            "run `{}` has no trained policies",
            folder.id()
        )));
    }
    Ok(policies)
}

fn policy_file(strategy: &str, seed: u64) -> String {
    format!("policies/{strategy}-{seed}.safetensors")
}

fn save_policy(
    folder: &RunFolder,
    plan: &Plan,
    strategy: &str,
    seed: u64,
    parameters: &Parameters,
) -> Result<()> {
    let path = folder.path().join(policy_file(strategy, seed));
    let policies = folder.path().join("policies");
    at_path(&policies, std::fs::create_dir_all(&policies))?;
    let metadata = [
        ("strategy", strategy.to_string()),
        ("seed", seed.to_string()),
        ("features", json!(plan.features).to_string()),
    ];
    let metadata = metadata.map(|(key, value)| (key.to_string(), value));
    parameters.save(&path, metadata.into())
}

fn recurrent(
    bench: &Bench<'_>,
    name: &str,
    training: Training,
    parameters: &Parameters,
) -> Result<Outcome> {
    let sweep = bench.plan.engine.sweep();
    let policy = RecurrentPolicy {
        parameters,
        features: &bench.plan.features,
        sweep: sweep.as_ref(),
    };
    bench.measure(name, Some(training), &policy, &policy)
}

/// The plan's classical hedges, each in the market that the paths are supposed to come from.
fn classical(bench: &Bench<'_>, aversion: f64) -> Result<Vec<Outcome>> {
    let plan = bench.plan;
    plan.hedges
        .iter()
        .map(|name| {
            let hedge = match name.as_str() {
                "naked" => Classical::Naked,
                "black_scholes" => Classical::BlackScholes,
                _ => Classical::WhalleyWilmott { aversion },
            };
            let policy = |market: &Market| ClassicalPolicy {
                hedge,
                market: *market,
                contract: plan.contract,
                proportional_cost: plan.costs.proportional,
            };
            let history = bench
                .contracts
                .map_or(plan.market, |contracts| contracts.market);
            bench.measure(name, None, &policy(&plan.market), &policy(&history))
        })
        .collect()
}

/// What a run has found.
struct Results {
    seeds: Vec<u64>,
    training: Vec<TrainingCurve>,
    tuning: Vec<Trial>,
    outcomes: Vec<Outcome>,
    aversion: f64,
}

fn finish(
    command: &str,
    plan: &Plan,
    folder: RunFolder,
    results: Results,
    backtest: Backtest<'_>,
) -> Result<Finished> {
    let Results {
        seeds,
        training,
        tuning,
        outcomes,
        aversion,
    } = results;
    let (simulated, historical) = (
        outcome::simulated(&outcomes),
        outcome::historical(&outcomes),
    );
    let overlap = backtest.map_or(1.0, |(_, contracts)| contracts.overlap);
    let metrics = Metrics {
        run: folder.id().into(),
        command: command.into(),
        name: plan.name.clone(),
        created: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        version: env!("CARGO_PKG_VERSION").into(),
        risk: plan.risk.to_string(),
        trained_level: match plan.risk {
            Risk::Cvar { level } => Some(level.to_string()),
            _ => None,
        },
        seeds,
        training,
        comparisons: compared::comparisons(plan, 1.0, &simulated),
        backtest_comparisons: compared::comparisons(plan, overlap, &historical),
        evaluation: rows(&simulated),
        backtest: rows(&historical),
        tuning,
        band_aversion: plan
            .hedges
            .iter()
            .any(|name| name == "whalley_wilmott")
            .then_some(aversion),
        backtest_market: backtest.map(|(settings, contracts)| market(settings, contracts)),
    };
    write_tables(plan, &folder, &outcomes, backtest)?;
    folder.write_metrics(&metrics)?;
    crate::report::write(&folder)?;
    Ok(Finished { folder, metrics })
}

fn rows(measured: &[outcome::Measured<'_>]) -> Vec<crate::risk::Row> {
    measured.iter().map(|(row, _)| (*row).clone()).collect()
}

fn market(settings: &BacktestPlan, contracts: &Contracts) -> BacktestMarket {
    let text = |date: Option<&chrono::NaiveDate>| date.map_or(String::new(), ToString::to_string);
    BacktestMarket {
        data: settings.data.display().to_string(),
        source: contracts.estimated.map_or("strategy", |_| "history").into(),
        estimated_from: contracts.estimated.map(|(from, _)| from.to_string()),
        estimated_to: contracts.estimated.map(|(_, to)| to.to_string()),
        first: text(contracts.sold.first()),
        last: text(contracts.sold.last()),
        contracts: contracts.sold.len(),
        parameters: match json!(contracts.market.model) {
            serde_json::Value::Object(parameters) => parameters,
            _ => Default::default(),
        },
    }
}

fn write_tables(
    plan: &Plan,
    folder: &RunFolder,
    outcomes: &[Outcome],
    backtest: Backtest<'_>,
) -> Result<()> {
    let simulated = outcome::simulated(outcomes);
    if let Some((_, contracts)) = backtest {
        let books = outcome::historical(outcomes)
            .into_iter()
            .map(|(row, book)| BacktestBook {
                strategy: row.strategy.clone(),
                seed: row.seed,
                date: contracts.sold.clone(),
                expiry: contracts.expiry.clone(),
                premium: contracts.premiums.clone(),
                pnl: book.pnl.clone(),
                cost: book.cost.clone(),
                turnover: book.turnover.clone(),
            });
        folder.write_backtest(&BacktestTable {
            books: books.collect(),
        })?;
    }
    if simulated.is_empty() {
        return Ok(());
    }
    let books = simulated.iter().map(|(row, book)| EvaluationBook {
        strategy: row.strategy.clone(),
        seed: row.seed,
        pnl: book.pnl.clone(),
        cost: book.cost.clone(),
        turnover: book.turnover.clone(),
    });
    folder.write_evaluation(&EvaluationTable {
        books: books.collect(),
    })?;
    let (spot, variance) = outcome::test_paths(plan).paths::<f64>(0, 1).path(0);
    let dt = plan.contract.dt();
    // One line a strategy: the first seed's.
    let shown: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| outcome.seed.is_none_or(|seed| seed == plan.seed))
        .collect();
    folder.write_example_path(&ExamplePath {
        time: (0..=plan.contract.steps).map(|t| dt * t as f64).collect(),
        spot,
        volatility: variance.iter().map(|v| v.sqrt()).collect(),
        strike: plan.contract.strike,
        positions: shown
            .iter()
            .flat_map(|outcome| held(plan, outcome))
            .collect(),
        pnl: shown
            .iter()
            .map(|outcome| (outcome.strategy.clone(), outcome.example_pnl()))
            .collect(),
    })
}

/// The positions of a strategy by what the figure calls them: its own name for the spot, with the instrument for others.
fn held<'a>(plan: &'a Plan, outcome: &'a Outcome) -> impl Iterator<Item = (String, Vec<f64>)> + 'a {
    let instruments = plan.instruments.iter().zip(&outcome.example);
    instruments
        .enumerate()
        .filter(|(index, (_, held))| *index == 0 || held.iter().any(|&held| held != 0.0))
        .map(|(index, ((instrument, _), held))| {
            let strategy = &outcome.strategy;
            let name = match index {
                0 => strategy.clone(),
                _ => format!("{strategy}, {instrument}"),
            };
            (name, held.clone())
        })
}
