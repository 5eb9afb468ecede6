use crate::backtest::{BacktestPlan, Contracts, contracts};
use crate::error::{Error, Result, at_path};
use crate::hedging::{Book, Classical, ClassicalPolicy, Ledger, Policy, RecurrentPolicy};
use crate::market::Simulator;
use crate::network::BlockSweep;
use crate::random::Purpose;
use crate::risk::paired::{
    Pair, cvar_influence, mean_influence, risk_influence, sharpe_influence, variance_influence,
};
use crate::risk::{Risk, Row, RowInput};
use crate::runs::metrics::{BacktestMarket, Comparison, ExamplePath, Metrics, TrainingCurve};
use crate::runs::store::{self, RunFolder};
use crate::runs::tables::{BacktestBook, BacktestTable, EvaluationBook, EvaluationTable};
use crate::simd::BLOCK;
use crate::strategy::Plan;
use crate::training::train;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Test paths that are simulated and hedged at once; bounds the memory of an evaluation.
const CHUNK: usize = 512 * BLOCK;

/// One strategy's results: on the test paths and, perhaps, on history.
struct Outcome {
    row: Row,
    book: Book,
    backtest: Option<(Row, Book)>,
    example: Vec<f64>,
}

pub fn run(
    strategy: &Path,
    optimizers: Option<&[String]>,
    seeds: u64,
    steps: Option<u64>,
    runs_root: &Path,
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
    // Before the training, so that a folder that cannot be written costs nothing.
    let folder = store::create(runs_root, &plan.name)?;
    folder.write_strategy(
        &std::fs::read_to_string(strategy).map_err(|error| Error::input(error.to_string()))?,
    )?;

    let seeds: Vec<u64> = (plan.seed..plan.seed + seeds).collect();
    let (mut results, mut curves) = (Vec::new(), Vec::new());
    for &seed in &seeds {
        for (name, optimizer) in &plan.optimizers {
            let bar = progress_bar(plan.steps, &format!("{name}, seed {seed}"));
            let trained = train(&plan, optimizer, seed, |_, risk| {
                bar.set_message(format!("risk {risk:.4}"));
                bar.inc(1);
            })?;
            bar.finish_and_clear();
            let policies = folder.path().join("policies");
            at_path(&policies, std::fs::create_dir_all(&policies))?;
            let metadata = [
                ("strategy", name.clone()),
                ("seed", seed.to_string()),
                ("features", json!(plan.features).to_string()),
            ];
            trained.parameters.save(
                &policies.join(format!("{name}-{seed}.safetensors")),
                metadata.map(|(key, value)| (key.to_string(), value)).into(),
            )?;
            let sweep = BlockSweep::new();
            let policy = RecurrentPolicy {
                parameters: &trained.parameters,
                features: &plan.features,
                sweep: &sweep,
            };
            let training = Some((plan.steps, trained.seconds));
            results.push(measure(
                &plan,
                name,
                Some(seed),
                &policy,
                contracts.as_ref(),
                training,
            )?);
            curves.push(TrainingCurve {
                strategy: name.clone(),
                seed,
                points: trained.points,
            });
        }
    }
    for (name, hedge) in &plan.hedges {
        results.push(measure(
            &plan,
            name,
            None,
            &classical(&plan, *hedge),
            contracts.as_ref(),
            None,
        )?);
    }
    let metrics = metrics(
        &plan,
        folder.id(),
        &seeds,
        curves,
        &results,
        contracts.as_ref(),
    );
    write_tables(&plan, &folder, &results, contracts.as_ref())?;
    folder.write_metrics(&metrics)?;
    let report = crate::report::write(&folder)?;
    if json {
        let against = metrics.comparisons.first().map(|c| {
            json!({
                "strategy": c.strategy,
                "pnl_variance_change": c.pnl_variance_change,
                "pnl_variance_change_standard_error": c.pnl_variance_change_standard_error,
                "cost_change": c.cost_change,
                "cost_change_standard_error": c.cost_change_standard_error,
                "cvar_change": c.cvar_change,
                "cvar_change_standard_error": c.cvar_change_standard_error,
            })
        });
        let document = json!({
            "run": folder.id(),
            "evaluation": metrics.evaluation,
            "backtest": metrics.backtest,
            "comparisons": metrics.comparisons,
            "against_adam": against,
        });
        return Ok(document.to_string());
    }
    let tables = crate::report::text::tables(&metrics, crate::report::text::WIDTH);
    Ok(format!("{tables}\nreport: {}", report.display()))
}

fn measure(
    plan: &Plan,
    name: &str,
    seed: Option<u64>,
    policy: &dyn Policy,
    contracts: Option<&Contracts>,
    training: Option<(usize, f64)>,
) -> Result<Outcome> {
    let book = evaluate(plan, policy)?;
    let backtest = contracts
        .map(|contracts| {
            let book = settle(plan, policy, contracts)?;
            Ok::<_, Error>((row(plan, name, seed, &book, training), book))
        })
        .transpose()?;
    let example = simulator(plan).paths::<f64>(0, 1);
    let positions = policy.positions(&example)?;
    Ok(Outcome {
        row: row(plan, name, seed, &book, training),
        book,
        backtest,
        example: positions.iter().map(|lane| lane[0]).collect(),
    })
}

/// Comparisons of every other trained strategy against the optimizer named `adam`.
fn comparisons(plan: &Plan, results: &[(&Row, &Book)]) -> Vec<Comparison> {
    const BASELINE: &str = "adam";
    let level = match plan.risk {
        Risk::Cvar { level } => level,
        _ => 0.95,
    };
    let of = |name: &str| -> Vec<&(&Row, &Book)> {
        results
            .iter()
            .filter(|(row, _)| row.strategy == name)
            .collect()
    };
    let baseline = of(BASELINE);
    if baseline.is_empty() {
        return Vec::new();
    }
    plan.optimizers
        .iter()
        .filter(|(name, _)| name != BASELINE)
        .map(|(name, _)| {
            let pairs: Vec<Pair<'_>> = of(name)
                .into_iter()
                .zip(&baseline)
                .map(|(ours, theirs)| Pair {
                    ours: ours.1,
                    theirs: theirs.1,
                })
                .collect();
            let rows = of(name);
            let seconds = |rows: &[&(&Row, &Book)]| {
                rows.iter().filter_map(|(row, _)| row.seconds).sum::<f64>() / rows.len() as f64
            };
            let variance = Pair::estimate(&pairs, true, variance_influence);
            let cost = Pair::estimate(&pairs, true, |book| mean_influence(&book.cost));
            let cvar = Pair::estimate(&pairs, true, |book| cvar_influence(&book.pnl, level));
            let risk = Pair::estimate(&pairs, false, |book| risk_influence(&book.pnl, plan.risk));
            let sharpe = Pair::estimate(&pairs, false, |book| sharpe_influence(&book.pnl));
            Comparison {
                strategy: name.clone(),
                baseline: BASELINE.into(),
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
                steps: plan.steps,
                baseline_steps: plan.steps,
                seconds: seconds(&rows),
                baseline_seconds: seconds(&baseline),
            }
        })
        .collect()
}

fn metrics(
    plan: &Plan,
    run: &str,
    seeds: &[u64],
    training: Vec<TrainingCurve>,
    results: &[Outcome],
    contracts: Option<&Contracts>,
) -> Metrics {
    let simulated: Vec<(&Row, &Book)> = results
        .iter()
        .map(|result| (&result.row, &result.book))
        .collect();
    let historical: Vec<(&Row, &Book)> = results
        .iter()
        .filter_map(|result| result.backtest.as_ref().map(|(row, book)| (row, book)))
        .collect();
    let backtest_market = plan
        .backtest
        .as_ref()
        .zip(contracts)
        .map(|(settings, contracts)| BacktestMarket {
            data: settings.data.display().to_string(),
            source: "strategy".into(),
            estimated_from: None,
            estimated_to: None,
            first: contracts
                .sold
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
            last: contracts
                .sold
                .last()
                .map(ToString::to_string)
                .unwrap_or_default(),
            contracts: contracts.sold.len(),
            parameters: match json!(plan.market.model) {
                serde_json::Value::Object(parameters) => parameters,
                _ => Default::default(),
            },
        });
    Metrics {
        run: run.into(),
        command: "compare".into(),
        name: plan.name.clone(),
        created: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        version: env!("CARGO_PKG_VERSION").into(),
        risk: measure_name(plan.risk),
        trained_level: match plan.risk {
            Risk::Cvar { level } => Some(level.to_string()),
            _ => None,
        },
        seeds: seeds.to_vec(),
        training,
        comparisons: comparisons(plan, &simulated),
        backtest_comparisons: comparisons(plan, &historical),
        evaluation: results.iter().map(|result| result.row.clone()).collect(),
        backtest: historical.iter().map(|(row, _)| (*row).clone()).collect(),
        backtest_market,
    }
}

fn write_tables(
    plan: &Plan,
    folder: &RunFolder,
    results: &[Outcome],
    contracts: Option<&Contracts>,
) -> Result<()> {
    let books = results.iter().map(|result| EvaluationBook {
        strategy: result.row.strategy.clone(),
        seed: result.row.seed,
        pnl: result.book.pnl.clone(),
        cost: result.book.cost.clone(),
        turnover: result.book.turnover.clone(),
    });
    folder.write_evaluation(&EvaluationTable {
        books: books.collect(),
    })?;
    if let Some(contracts) = contracts {
        let books = results
            .iter()
            .filter_map(|result| result.backtest.as_ref())
            .map(|(row, book)| BacktestBook {
                strategy: row.strategy.clone(),
                seed: row.seed,
                date: contracts.sold.clone(),
                expiry: contracts.expiry.clone(),
                premium: vec![plan.premium; contracts.sold.len()],
                pnl: book.pnl.clone(),
                cost: book.cost.clone(),
                turnover: book.turnover.clone(),
            });
        folder.write_backtest(&BacktestTable {
            books: books.collect(),
        })?;
    }
    let (spot, variance) = simulator(plan).paths::<f64>(0, 1).path(0);
    let dt = plan.contract.dt();
    // One line a strategy: the first seed's.
    let first = |result: &&Outcome| result.row.seed.is_none_or(|seed| seed == plan.seed);
    folder.write_example_path(&ExamplePath {
        time: (0..=plan.contract.steps).map(|t| dt * t as f64).collect(),
        spot,
        volatility: variance.iter().map(|v| v.sqrt()).collect(),
        strike: plan.contract.strike,
        positions: results
            .iter()
            .filter(first)
            .map(|r| (r.row.strategy.clone(), r.example.clone()))
            .collect(),
        pnl: results
            .iter()
            .filter(first)
            .map(|r| (r.row.strategy.clone(), r.book.pnl[0]))
            .collect(),
    })
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

/// The simulator of the test paths.
fn simulator(plan: &Plan) -> Simulator {
    Simulator {
        market: plan.market,
        steps: plan.contract.steps,
        dt: plan.contract.dt(),
        seed: plan.seed,
        purpose: Purpose::Evaluation,
    }
}

fn measure_name(risk: Risk) -> String {
    match risk {
        Risk::Cvar { level } => format!("CVaR {} %", level * 100.0),
        Risk::Entropic { aversion } => format!("entropic risk, aversion {aversion}"),
        Risk::MeanVariance { aversion } => format!("mean-variance, aversion {aversion}"),
    }
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
    let simulator = simulator(plan);
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
    let measure = measure_name(plan.risk);
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
