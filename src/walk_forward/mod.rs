//! Walk-forward backtests: calibrate on a window of history, train on paths that resemble it, hedge what is sold in the
//! months after, and roll on.
//!
//! ```text
//! runs/<id>/
//!   strategy.toml, metrics.json, backtest.parquet, figures/, report.html   as of any backtest
//!   windows/<number>/window.json       [`crate::runs::walk_forward::Window`]: calibration, written last
//!   windows/<number>/policies/<strategy>-<seed>.safetensors
//!   windows/<number>/trainings/<strategy>-<seed>.json, written after the policy
//!   windows/<number>/checkpoints/<strategy>-<seed>.safetensors, of a training under way
//!   windows/<number>/trades.parquet    one row per contract, strategy and seed, with the parts of its P&L
//!   windows/<number>/positions.parquet what each saw and held at every close, [`crate::runs::contract_paths`]
//!   windows/<number>/trained_on.json   [`crate::runs::trained_on::TrainedOn`]
//!   trades.parquet                     those of all windows
//!   plan.json                          [`crate::runs::registration::StudyPlan`]: what is done and how it is judged
//!   registration.json                  [`Registration`], of a run that was begun under a registered plan
//!   walk_forward.json                  [`Results`]
//!   walk_forward.md                    the same as a page
//! ```

mod compared;
mod markdown;
mod merge;
mod page;
mod policies;
mod prepared;
mod registered;
mod results;
#[cfg(test)]
mod several_tests;
#[cfg(test)]
mod shared_tests;
mod shares;
mod sold;
mod source;
pub mod study;
#[cfg(test)]
mod surface_tests;
#[cfg(test)]
mod tests;
mod trades;
mod trained;
mod window;

pub use page::page;
pub use prepared::{Prepared, planned};
pub use trades::Trade;
pub use trained::{BeforeSales, TrainedWindow, Walked, WindowHistory, WindowPolicy};

use crate::backtest::{self, Calendar};
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::groups::{Assignment, Crew, Report};
use crate::hedging::Book;
use crate::market::History;
use crate::market::estimation::VarianceEstimator;
use crate::risk::{Row, RowInput};
use crate::runs::breakdown::worst_sales;
use crate::runs::comparison::{Comparison, Measured};
use crate::runs::contract_paths::ContractPath;
use crate::runs::daily::DailyTable;
use crate::runs::metrics::{BacktestMarket, Metrics, Request};
use crate::runs::parquet::write_parquet;
use crate::runs::precision::Precision;
use crate::runs::registration::Registration;
use crate::runs::shard::{CarriedOut, Shard};
use crate::runs::store::RunFolder;
use crate::runs::tables::{BacktestBook, BacktestTable};
use crate::runs::walk_forward::{FILE, Phase, Results};
use crate::strategy::{BacktestPlan, Plan, TrainingPaths, WalkForwardPlan};
use chrono::{Days, Months, NaiveDate};
use policies::Policies;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use window::{Shared, Span, Windows};

/// A finished walk-forward run.
pub struct Finished {
    /// The contents of its `metrics.json`.
    pub metrics: Metrics,
    /// What all windows come to.
    pub results: Results,
}

fn label(strategy: &str, window: usize) -> String {
    format!("{strategy}, window {}", window + 1)
}

fn check(settings: &BacktestPlan, walk: WalkForwardPlan) -> Result<()> {
    if walk.paths != TrainingPaths::Model && settings.variance != VarianceEstimator::Model {
        return Err(Error::input(
            "`walk_forward.paths` \"bootstrap\" needs `backtest.variance` \"model\"",
        ));
    }
    Ok(())
}

/// Runs every window of the plan that `folder` does not hold yet, and writes what all of them come to.
///
/// A window depends on the history before it, the plan, and, if training starts warm, the policies of the window
/// before: a run that was interrupted ends with the same bits as one that was not. A shard trains its own share alone, and
/// hedges nothing.
///
/// # Errors
/// [`Error::Input`] if the history is at fault or too short, or another process is carrying the run out; errors of the
/// training and of the folder; the error of `report`, which ends the run.
pub fn run(
    plan: &Plan,
    settings: &BacktestPlan,
    walk: WalkForwardPlan,
    folder: &RunFolder,
    report: &mut Report<'_>,
) -> Result<CarriedOut<Finished>> {
    run_on(&Ranks::alone(), (plan, settings, walk), folder, report)
}

/// [`run`] on all ranks of a job, of which this is rank 0; the others do [`take_part`]. Every rank reads the price files.
///
/// First the policies of all windows are trained beside each other or, where training starts warm, those of every optimizer and
/// seed, window after window. Then the windows are hedged beside each other. What comes out has the same bits, apart from seconds.
///
/// # Errors
/// Those of [`run`]; [`Error::Input`] if another rank cannot read the price files, or reads others.
pub fn run_on(
    world: &Ranks,
    (plan, settings, walk): (&Plan, &BacktestPlan, WalkForwardPlan),
    folder: &RunFolder,
    report: &mut Report<'_>,
) -> Result<CarriedOut<Finished>> {
    let strategy = plan.to_toml()?;
    let shard = folder.share()?.map(|share| share.shard);
    let mut crew = Crew::first(world, folder, report)?;
    let id = folder.id();
    crew.call(|| Assignment {
        request: Request {
            command: Request::WALK_FORWARD.into(),
            strategy,
            shard,
            ..Request::default()
        },
    });
    let what = (plan, settings, walk);
    let result = walk_forward(what, shard, &mut crew, |shared| match shard {
        Some(shard) => folder.share_of(shard).map(CarriedOut::Shard),
        None => finish(shared, folder).map(CarriedOut::Results),
    });
    let result = result.map_err(|error| match error {
        Error::Stopped(_) => Error::Stopped(format!(
            "run `{id}`: stopped; go on with `backtest {id} --walk-forward`"
        )),
        error => error,
    });
    crew.end(&result)?;
    result
}

/// Takes part in a walk-forward that rank 0 of the job carries out, as any other rank; `stop` is asked between steps whether to go
/// on.
///
/// # Errors
/// Those of [`run_on`], of which rank 0 tells the user.
pub fn take_part(
    world: &Ranks,
    assignment: &Assignment,
    stop: &dyn Fn() -> Result<()>,
) -> Result<()> {
    let plan = Plan::parse(&assignment.request.strategy, |_| {})?;
    let settings = prepared::backtest(&plan)?;
    let (plan, walk) = plan.with_walk_forward()?;
    let mut crew = Crew::other(world, stop);
    let what = (&plan, &settings, walk);
    walk_forward(what, assignment.request.shard, &mut crew, |_| Ok(()))
}

/// Runs all windows, or trains what a shard has of them, on all ranks; this one then goes on to its `end`.
fn walk_forward<T>(
    (plan, settings, walk): (&Plan, &BacktestPlan, WalkForwardPlan),
    shard: Option<Shard>,
    crew: &mut Crew<'_>,
    end: impl FnOnce(&Shared<'_>) -> Result<T>,
) -> Result<T> {
    check(settings, walk)?;
    let histories = crew.on_every_rank(|_| backtest::load(plan, settings))?;
    let own = digest(&histories);
    let first = crew.world().broadcast(0, own);
    crew.on_every_rank(|_| match own == first {
        true => Ok(()),
        false => Err(Error::input(
            "`backtest.data`: has other closes than rank 0 reads",
        )),
    })?;
    let calendar = Calendar::new(&histories[0], plan, settings)?;
    let spans = spans(&histories[0], &calendar, settings, &walk)?;
    let shared = Shared {
        plan,
        settings,
        walk,
        histories: &histories,
        calendar,
        spans: &spans,
        known: Mutex::new(HashMap::new()),
    };
    if shard.is_some() || !crew.world().is_alone() {
        let policies = Policies::new(&shared, shard)?;
        crew.each(&policies, plan.ranks_per_training)?;
    }
    if shard.is_none() {
        crew.each(&Windows(&shared), plan.ranks_per_training)?;
    }
    end(&shared)
}

/// A number that histories of other days, closes, series, surfaces or rates do not have.
fn digest(histories: &[History]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for history in histories {
        history.dates.hash(&mut hasher);
        format!("{:?} {:?}", history.close, history.series).hash(&mut hasher);
        format!("{:?} {:?}", history.surface, history.rate).hash(&mut hasher);
    }
    hasher.finish()
}

/// Writes what all windows come to.
fn finish(shared: &Shared<'_>, folder: &RunFolder) -> Result<Finished> {
    let Shared {
        plan,
        settings,
        walk,
        histories,
        ref calendar,
        spans,
        ..
    } = *shared;
    let overlap = calendar.overlap(settings.schedule);
    let (mut windows, mut trades) = (Vec::new(), Vec::new());
    for span in spans {
        let finished = shared.finished(span, folder)?;
        let (window, mut sold) = finished.ok_or_else(|| {
            Error::input(format!(
                "run `{}`: {} is missing",
                folder.id(),
                span.file(window::WINDOW)
            ))
        })?;
        windows.push(window);
        trades.append(&mut sold);
    }
    write_parquet(
        &folder.path().join("trades.parquet"),
        trades::to_frame(&trades)?,
    )?;
    let mut results = results::of_periods(plan, &walk, overlap, windows, &trades);
    let registration = Registration::of_run(folder)?;
    results.registration = registration.map(|plan| plan.registered());
    let reported = results::reported(&results, trades);
    let metrics = metrics(shared, folder, &results, &reported);
    folder.write_json(FILE, &results)?;
    folder.write_backtest(&table(&reported))?;
    let days = spans.iter().map(|span| shared.days(span, folder));
    let days = days.collect::<Result<Option<Vec<_>>>>()?;
    if let Some(days) = &days {
        folder.write_daily(&DailyTable::of(days.iter().flatten()))?;
    }
    let worst = worst_sales(results.breakdowns());
    let mut paths = Vec::new();
    for (place, span) in spans.iter().enumerate() {
        let sales = span.sales.iter().map(|&sale| histories[0].dates[sale]);
        if sales.into_iter().any(|sold| worst.contains(&sold)) {
            let days = days.as_ref().map_or(&[][..], |days| &days[place]);
            let held = shared.paths(span, folder, |sold| worst.contains(&sold))?;
            paths.extend(ContractPath::worst(held, days));
        }
    }
    folder.write_worst_contracts(&paths)?;
    folder.write_metrics(&metrics)?;
    let text = page(FIGURE, None, plan, settings, &walk, &results);
    folder.write_bytes("walk_forward.md", text.as_bytes())?;
    crate::report::write(folder)?;
    Ok(Finished { metrics, results })
}

/// The windows: sales in stretches of so many months, each after the years that it is calibrated on. Where there is a test, new
/// stretches begin with it, and what is sold before it and would expire in it is not sold.
fn spans(
    history: &History,
    calendar: &Calendar<'_>,
    settings: &BacktestPlan,
    walk: &WalkForwardPlan,
) -> Result<Vec<Span>> {
    const DAYS_PER_YEAR: f64 = 365.25;
    let years = walk
        .years
        .map(|years| Days::new((years * DAYS_PER_YEAR) as u64));
    let start = settings
        .start
        .or_else(|| years.map(|years| history.dates[0] + years));
    let Some(start) = start else {
        return Err(Error::input(
            "`walk_forward.years` \"all\" needs `backtest.start`, the first date of sale",
        ));
    };
    let mut settings = settings.clone();
    settings.start = Some(start);
    let sales = backtest::sales(
        history,
        calendar,
        &settings,
        backtest::period(history, &settings),
    )?;
    let known_from = |sale: usize| match years {
        Some(years) => history.index_from(history.dates[sale] - years),
        None => 0,
    };
    let mut spans: Vec<Span> = Vec::new();
    let mut stretches = |first: NaiveDate, sales: &[usize], phase: Phase| {
        let mut rest = sales;
        for stretch in 1.. {
            let Some(&sale) = rest.first() else {
                break;
            };
            let end = first + Months::new(stretch * walk.months);
            let count = rest.partition_point(|&day| history.dates[day] < end);
            if count == 0 {
                continue;
            }
            let (sold, later) = rest.split_at(count);
            spans.push(Span {
                number: spans.len(),
                known: known_from(sale)..sale,
                sales: sold.to_vec(),
                phase,
            });
            rest = later;
        }
    };
    let Some(test_from) = walk.test_from else {
        stretches(start, &sales, Phase::Test);
        return Ok(spans);
    };
    let (before, test) =
        sales.split_at(sales.partition_point(|&day| history.dates[day] < test_from));
    let expired = |sale: &usize| {
        let expiry = calendar.expiry(*sale);
        expiry.is_some_and(|close| history.dates[close] < test_from)
    };
    let validation: Vec<usize> = before.iter().copied().filter(expired).collect();
    if validation.is_empty() {
        return Err(Error::input(format!(
            "`walk_forward.test_from` {test_from}: no contract is sold from {start} on and expires before it"
        )));
    }
    // What ends before the test is a look at the validation period alone.
    if test.is_empty() && settings.end.is_none_or(|end| end >= test_from) {
        return Err(Error::input(format!(
            "`walk_forward.test_from` {test_from}: no contract is sold from then on"
        )));
    }
    stretches(start, &validation, Phase::Validation);
    stretches(test_from, test, Phase::Test);
    Ok(spans)
}

/// The trades of each strategy and seed, in the order of the first window.
fn books(trades: &[Trade]) -> Vec<(&str, Option<u64>, Vec<&Trade>)> {
    let mut books: Vec<(&str, Option<u64>, Vec<&Trade>)> = Vec::new();
    for trade in trades {
        let is = |book: &&mut (&str, Option<u64>, Vec<&Trade>)| {
            book.0 == trade.strategy && book.1 == trade.seed
        };
        match books.iter_mut().find(is) {
            Some(book) => book.2.push(trade),
            None => books.push((&trade.strategy, trade.seed, vec![trade])),
        }
    }
    books
}

fn table(trades: &[Trade]) -> BacktestTable {
    let books = books(trades).into_iter().map(|(strategy, seed, trades)| {
        let numbers = |of: fn(&Trade) -> f64| trades.iter().map(|trade| of(trade)).collect();
        BacktestBook {
            strategy: strategy.into(),
            seed,
            date: trades.iter().map(|trade| trade.sold).collect(),
            expiry: trades.iter().map(|trade| trade.expiry).collect(),
            premium: numbers(|t| t.premium),
            pnl: numbers(|t| t.pnl),
            cost: numbers(|t| t.cost),
            turnover: numbers(|t| t.turnover),
        }
    });
    BacktestTable {
        books: books.collect(),
    }
}

fn metrics(
    shared: &Shared<'_>,
    folder: &RunFolder,
    results: &Results,
    trades: &[Trade],
) -> Metrics {
    let Shared {
        plan,
        settings,
        walk,
        histories,
        ref calendar,
        ..
    } = *shared;
    let assets = plan.assets();
    let names: Vec<String> = assets.list().iter().map(|a| a.name.clone()).collect();
    let overlap = calendar.overlap(settings.schedule);
    let measured: Vec<(Row, Book)> = table(trades)
        .books
        .into_iter()
        .map(|book| {
            let count = book.pnl.len() as f64;
            let trained = results.windows.iter().flat_map(|window| &window.seconds);
            let seconds: Vec<f64> = trained
                .filter(|(name, seed, _)| *name == book.strategy && Some(*seed) == book.seed)
                .map(|(_, _, seconds)| *seconds)
                .collect();
            let input = RowInput {
                strategy: &book.strategy,
                seed: book.seed,
                premium: book.premium.iter().sum::<f64>() / count,
                risk: plan.risk,
                contracts_per_year: plan.contracts_per_year(),
                overlap,
                steps: None,
                seconds: (!seconds.is_empty()).then(|| seconds.iter().sum()),
            };
            let row = Row::new(&input, &book.pnl, &book.cost, &book.turnover);
            let BacktestBook {
                pnl,
                cost,
                turnover,
                ..
            } = book;
            let book = Book {
                pnl,
                cost,
                turnover,
            };
            (row, book)
        })
        .collect();
    let pairs: Vec<Measured<'_>> = measured.iter().map(|(row, book)| (row, book)).collect();
    let comparisons = Comparison::all(&pairs, &plan.learned(), plan.risk, overlap);
    let date = |trade: Option<&Trade>| trade.map_or(String::new(), |trade| trade.sold.to_string());
    Metrics {
        run: folder.id().into(),
        command: "backtest".into(),
        name: plan.name.clone(),
        created: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        version: env!("CARGO_PKG_VERSION").into(),
        risk: plan.risk.to_string(),
        trained_level: plan.risk.cvar_level().map(|level| level.to_string()),
        seeds: (plan.seed..plan.seed + walk.seeds as u64).collect(),
        training: Vec::new(),
        evaluation: Vec::new(),
        backtest: measured.into_iter().map(|(row, _)| row).collect(),
        comparisons: Vec::new(),
        backtest_comparisons: comparisons,
        backtest_breakdown: Vec::new(),
        tuning: Vec::new(),
        lengths: Vec::new(),
        frontier: Vec::new(),
        model_premium: None,
        money_unit: None,
        band_aversion: None,
        band_at_bound: false,
        hedges: Vec::new(),
        best_classical: Vec::new(),
        untraded: plan.untraded(),
        crossed: Vec::new(),
        disagreements: Vec::new(),
        backtest_market: Some(BacktestMarket {
            data: settings.file_names(),
            source: WALK_FORWARD.into(),
            estimated_from: None,
            estimated_to: None,
            first: date(trades.first()),
            last: date(trades.last()),
            contracts: results.contracts(),
            tenor: Some(plan.tenor.to_string()),
            closes: Some(calendar.frequency().to_string()),
            warnings: histories[0].warnings.clone(),
            repaired: backtest::repaired(histories, &names),
            parameters: serde_json::Map::new(),
            assets: Vec::new(),
            precision: Precision::default(),
        }),
    }
}

/// The figure of the P&L added up, in the folder of a run.
pub const FIGURE: &str = "figures/backtest_pnl.svg";

/// [`BacktestMarket::source`] of parameters that every window estimates.
const WALK_FORWARD: &str = "walk_forward";
