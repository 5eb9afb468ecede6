use crate::backtest::{BacktestPlan, Contracts, contracts};
use crate::error::{Error, Result};
use crate::hedging::{Book, Classical, ClassicalPolicy, Ledger, Policy, RecurrentPolicy};
use crate::market::Simulator;
use crate::network::BlockSweep;
use crate::random::Purpose;
use crate::risk::{Risk, Row, RowInput};
use crate::simd::BLOCK;
use crate::strategy::Plan;
use crate::training::train;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Test paths that are simulated and hedged at once; bounds the memory of an evaluation.
const CHUNK: usize = 512 * BLOCK;

pub fn run(
    strategy: &Path,
    optimizers: Option<&[String]>,
    seeds: u64,
    steps: Option<u64>,
    json: bool,
) -> Result<String> {
    let mut plan = Plan::load(strategy)?;
    if let Some(steps) = steps {
        plan.steps = steps as usize;
    }
    if let Some(names) = optimizers {
        for name in names {
            if !plan.optimizers.iter().any(|(known, _)| known == name) {
                return Err(Error::input(format!(
                    "--optimizers: the strategy has no optimizer `{name}`"
                )));
            }
        }
        plan.optimizers.retain(|(name, _)| names.contains(name));
    }

    let contracts = plan
        .backtest
        .as_ref()
        .map(|backtest| contracts(&plan, backtest))
        .transpose()?;
    let (mut rows, mut backtest) = (Vec::new(), Vec::new());
    for seed in plan.seed..plan.seed + seeds {
        for (name, optimizer) in &plan.optimizers {
            let bar = progress_bar(plan.steps, &format!("{name}, seed {seed}"));
            let trained = train(&plan, optimizer, seed, |_, risk| {
                bar.set_message(format!("risk {risk:.4}"));
                bar.inc(1);
            })?;
            bar.finish_and_clear();
            let sweep = BlockSweep::new();
            let policy = RecurrentPolicy {
                parameters: &trained.parameters,
                features: &plan.features,
                sweep: &sweep,
            };
            let training = Some((plan.steps, trained.seconds));
            rows.push(row(
                &plan,
                name,
                Some(seed),
                &evaluate(&plan, &policy)?,
                training,
            ));
            if let Some(contracts) = &contracts {
                backtest.push(row(
                    &plan,
                    name,
                    Some(seed),
                    &settle(&plan, &policy, contracts)?,
                    training,
                ));
            }
        }
    }
    for (name, hedge) in &plan.hedges {
        let policy = classical(&plan, *hedge);
        rows.push(row(&plan, name, None, &evaluate(&plan, &policy)?, None));
        if let Some(contracts) = &contracts {
            backtest.push(row(
                &plan,
                name,
                None,
                &settle(&plan, &policy, contracts)?,
                None,
            ));
        }
    }
    if json {
        return Ok(json!({ "evaluation": rows, "backtest": backtest }).to_string());
    }
    let title = format!(
        "{}: {} test paths, premium {:.4}",
        plan.name, plan.evaluation_paths, plan.premium
    );
    let mut output = table(&plan, &title, &rows);
    if let Some(contracts) = &contracts {
        output.push_str("\n\n");
        output.push_str(&table(&plan, &backtest_title(contracts), &backtest));
    }
    Ok(output)
}

/// Hedges the contracts of a backtest with the strategy's classical hedges.
pub fn backtest(strategy: &Path, data: Option<PathBuf>, json: bool) -> Result<String> {
    let plan = Plan::load(strategy)?;
    let settings = match (data, &plan.backtest) {
        (None, None) => {
            return Err(Error::input(format!(
                "{}: `backtest` is missing",
                strategy.display()
            )));
        }
        (None, Some(settings)) => settings.clone(),
        (Some(data), settings) => BacktestPlan {
            data,
            ..settings.clone().unwrap_or(BacktestPlan {
                data: PathBuf::new(),
                start: None,
                end: None,
                spacing: plan.contract.steps,
            })
        },
    };
    let contracts = contracts(&plan, &settings)?;
    let rows = plan
        .hedges
        .iter()
        .map(|(name, hedge)| {
            let book = settle(&plan, &classical(&plan, *hedge), &contracts)?;
            Ok(row(&plan, name, None, &book, None))
        })
        .collect::<Result<Vec<_>>>()?;
    if json {
        return Ok(json!({ "backtest": rows }).to_string());
    }
    Ok(table(&plan, &backtest_title(&contracts), &rows))
}

fn backtest_title(contracts: &Contracts) -> String {
    let (first, last) = (contracts.sold.first(), contracts.expiry.last());
    let day = |date: Option<&chrono::NaiveDate>| date.map_or(String::new(), ToString::to_string);
    format!(
        "backtest: {} contracts from {} to {}",
        contracts.sold.len(),
        day(first),
        day(last)
    )
}

fn classical(plan: &Plan, hedge: Classical) -> ClassicalPolicy {
    ClassicalPolicy {
        hedge,
        market: plan.market,
        contract: plan.contract,
        proportional_cost: plan.costs.proportional,
    }
}

fn settle(plan: &Plan, policy: &dyn Policy, contracts: &Contracts) -> Result<Book> {
    let ledger = Ledger::new(plan.contract, plan.costs, &plan.market, plan.premium);
    Book::hedge(policy, &ledger, &contracts.paths)
}

fn progress_bar(steps: usize, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg} {eta}")
        .expect("a valid template");
    ProgressBar::new(steps as u64)
        .with_style(style)
        .with_prefix(name.to_string())
}

/// Hedges the plan's test paths, the same ones for every policy and training seed.
fn evaluate(plan: &Plan, policy: &dyn Policy) -> Result<Book> {
    let ledger = Ledger::new(plan.contract, plan.costs, &plan.market, plan.premium);
    let simulator = Simulator {
        market: plan.market,
        steps: plan.contract.steps,
        dt: plan.contract.dt(),
        seed: plan.seed,
        purpose: Purpose::Evaluation,
    };
    let mut book = Book::default();
    for first in (0..plan.evaluation_paths).step_by(CHUNK) {
        let count = CHUNK.min(plan.evaluation_paths - first);
        let paths = simulator.paths::<f64>((first / BLOCK) as u64, count);
        book.append(Book::hedge(policy, &ledger, &paths)?);
    }
    Ok(book)
}

fn row(
    plan: &Plan,
    strategy: &str,
    seed: Option<u64>,
    book: &Book,
    training: Option<(usize, f64)>,
) -> Row {
    let input = RowInput {
        strategy,
        seed,
        premium: plan.premium,
        risk: plan.risk,
        contracts_per_year: plan.contracts_per_year,
        steps: training.map(|(steps, _)| steps),
        seconds: training.map(|(_, seconds)| seconds),
    };
    Row::new(&input, &book.pnl, &book.cost, &book.turnover)
}

fn table(plan: &Plan, title: &str, rows: &[Row]) -> String {
    let measure = match plan.risk {
        Risk::Cvar { level } => format!("CVaR {}", level * 100.0),
        Risk::Entropic { .. } => "entropic".into(),
        Risk::MeanVariance { .. } => "mean-variance".into(),
    };
    let mut lines = vec![
        title.to_string(),
        format!(
            "{:<20}{:>6}{:>18}{:>18}{:>20}{:>18}{:>10}{:>9}{:>7}{:>9}",
            "strategy",
            "seed",
            "mean P&L",
            "std",
            measure,
            "cost",
            "turnover",
            "Sharpe",
            "steps",
            "seconds"
        ),
    ];
    for row in rows {
        let with_error = |value: f64, error: f64| format!("{value:.4} ±{error:.4}");
        lines.push(format!(
            "{:<20}{:>6}{:>18}{:>18}{:>20}{:>18}{:>10.3}{:>9.3}{:>7}{:>9}",
            row.strategy,
            row.seed.map_or(String::new(), |seed| seed.to_string()),
            with_error(row.pnl_mean, row.pnl_mean_standard_error),
            with_error(row.pnl_std, row.pnl_std_standard_error),
            with_error(row.risk, row.risk_standard_error),
            with_error(row.cost_mean, row.cost_mean_standard_error),
            row.turnover,
            row.sharpe,
            row.steps.map_or(String::new(), |steps| steps.to_string()),
            row.seconds
                .map_or(String::new(), |seconds| format!("{seconds:.1}")),
        ));
    }
    lines.join("\n")
}
