use super::outcome::{self, Outcome};
use super::{Backtest, Finished, compared};
use crate::backtest::{Calibration, Contracts};
use crate::error::Result;
use crate::hedging::{Parameter, TunedHedge};
use crate::runs::asset::{AssetMarket, parameters};
use crate::runs::breakdown::Breakdown;
use crate::runs::classical::{self, BestClassical, HedgeRow};
use crate::runs::comparison::{Comparison, Measured};
use crate::runs::crossed::Crossed;
use crate::runs::metrics::{
    BacktestMarket, ExamplePath, FrontierRow, LengthRow, Metrics, TrainingCurve, Trial,
};
use crate::runs::precision::Precision;
use crate::runs::store::RunFolder;
use crate::runs::tables::{BacktestBook, BacktestTable, EvaluationBook, EvaluationTable};
use crate::runs::trained_on::{self, TrainedOn};
use crate::runs::warnings::Disagreement;
use crate::strategy::{BacktestPlan, Plan};

/// What a run has found.
#[derive(Default)]
pub struct Results {
    pub seeds: Vec<u64>,
    pub training: Vec<TrainingCurve>,
    pub tuning: Vec<Trial>,
    pub lengths: Vec<LengthRow>,
    pub frontier: Vec<FrontierRow>,
    pub crossed: Vec<Crossed>,
    pub disagreements: Vec<Disagreement>,
    pub outcomes: Vec<Outcome>,
    pub hedges: Vec<TunedHedge>,
    /// Where they are not those of the outcomes, as in a comparison across markets.
    pub best_classical: Vec<BestClassical>,
}

impl Results {
    /// Nothing yet, of trainings with `seeds`.
    pub fn of(seeds: Vec<u64>) -> Self {
        Self {
            seeds,
            ..Self::default()
        }
    }
}

/// Writes the tables, `metrics.json` and the report of a run.
pub fn finish(
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
        lengths,
        frontier,
        crossed,
        disagreements,
        outcomes,
        hedges,
        best_classical,
    } = results;
    let (simulated, historical) = (
        outcome::simulated(&outcomes),
        outcome::historical(&outcomes),
    );
    let overlap = backtest.map_or(1.0, |(_, contracts)| contracts.overlap);
    let mut banded = hedges.iter().filter(|tuned| {
        let parameters = tuned.hedge.parameters();
        parameters.contains(&Parameter::Aversion)
    });
    let band = banded.next();
    let rows_of_hedges: Vec<HedgeRow> = hedges.iter().map(HedgeRow::from).collect();
    let of_outcomes = classical::best(&rows_of_hedges).filter(|_| !outcomes.is_empty());
    let of_outcomes = of_outcomes.map(|best| BestClassical {
        strategy: best.strategy.clone(),
        title: best.title.clone(),
        market: None,
        validation_risk: best.validation_risk,
        simulated: compared::beside_best(plan, 1.0, &simulated, &best.strategy),
        backtest: compared::beside_best(plan, overlap, &historical, &best.strategy),
    });
    let metrics = Metrics {
        run: folder.id().into(),
        command: command.into(),
        name: plan.name.clone(),
        created: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        version: env!("CARGO_PKG_VERSION").into(),
        risk: plan.risk.to_string(),
        trained_level: plan.risk.cvar_level().map(|level| level.to_string()),
        seeds,
        training,
        comparisons: Comparison::all(&simulated, &plan.learned(), plan.risk, 1.0),
        backtest_comparisons: Comparison::all(&historical, &plan.learned(), plan.risk, overlap),
        backtest_breakdown: backtest.map_or_else(Vec::new, |(_, contracts)| {
            outcome::breakdowns(&outcomes, contracts)
        }),
        model_premium: match simulated.is_empty() {
            true => None,
            false => plan.priced_premium(),
        },
        evaluation: rows(&simulated),
        backtest: rows(&historical),
        tuning,
        lengths,
        frontier,
        money_unit: Some(plan.money_unit()),
        band_aversion: band.map(|band| band.values.of(Parameter::Aversion)),
        band_at_bound: band.is_some_and(|band| band.tuned.iter().any(|tuned| tuned.at_bound)),
        best_classical: of_outcomes.into_iter().chain(best_classical).collect(),
        hedges: rows_of_hedges,
        untraded: plan.untraded(),
        crossed,
        disagreements,
        backtest_market: backtest.map(|(settings, contracts)| market(plan, settings, contracts)),
    };
    write_tables(
        plan,
        &folder,
        &outcomes,
        (backtest, &metrics.backtest_breakdown),
    )?;
    // Across markets every policy was trained in one of its own.
    if metrics.crossed.is_empty() {
        folder.write_json(trained_on::FILE, &TrainedOn::of(plan))?;
    }
    folder.write_metrics(&metrics)?;
    crate::report::write(&folder)?;
    Ok(Finished { folder, metrics })
}

fn rows(measured: &[Measured<'_>]) -> Vec<crate::risk::Row> {
    measured.iter().map(|(row, _)| (*row).clone()).collect()
}

fn market(plan: &Plan, settings: &BacktestPlan, contracts: &Contracts) -> BacktestMarket {
    let text = |date: Option<&chrono::NaiveDate>| date.map_or(String::new(), ToString::to_string);
    let known = &contracts.calibration;
    let estimated = known.first().estimated;
    let precisions = known.assets.iter().map(precision);
    BacktestMarket {
        data: settings.file_names(),
        source: match (&settings.surface, estimated) {
            (Some(_), _) => "surfaces",
            (None, Some(_)) => "history",
            (None, None) => "strategy",
        }
        .into(),
        estimated_from: estimated.map(|(from, _)| from.to_string()),
        estimated_to: estimated.map(|(_, to)| to.to_string()),
        first: text(contracts.sold.first()),
        last: text(contracts.sold.last()),
        contracts: contracts.sold.len(),
        precision: precision(known.first()),
        assets: AssetMarket::of_several(&contracts.assets, precisions),
        tenor: Some(plan.lifetime()),
        closes: Some(contracts.frequency.to_string()),
        warnings: contracts.warnings.clone(),
        repaired: contracts.repaired.clone(),
        parameters: parameters(&contracts.market.model),
    }
}

/// How precisely the parameters of an asset were estimated.
fn precision(known: &Calibration) -> Precision {
    let errors = &known.standard_errors;
    Precision::new(&known.at_bound, errors.known(), errors.unknown())
}

fn write_tables(
    plan: &Plan,
    folder: &RunFolder,
    outcomes: &[Outcome],
    (backtest, breakdowns): (Backtest<'_>, &[Breakdown]),
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
        folder.write_contract_days(&outcome::contract_days(outcomes, contracts))?;
        let worst = outcome::worst_contracts(outcomes, contracts, breakdowns);
        folder.write_worst_contracts(&worst)?;
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
    let path = outcome::test_paths(plan).paths::<f64>(0, 1);
    let (spot, variance) = path.path(0);
    // Of several contracts the one that the path has.
    let drawn = path.block(0).drawn();
    let sold = plan.contract.of_path(drawn.map(|drawn| drawn.member[0]));
    let assets = plan.assets();
    let assets = assets.list().iter().enumerate();
    let assets = assets.map(|(asset, named)| (named.name.clone(), path.path_of(asset, 0).0));
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
        strike: plan.strike_line().map(|_| sold.strike),
        assets: match assets.len() {
            1 => Vec::new(),
            _ => assets.collect(),
        },
        positions: shown
            .iter()
            .flat_map(|outcome| held(plan, outcome))
            .collect(),
        pnl: shown
            .iter()
            .map(|outcome| (outcome.strategy.clone(), outcome.example_pnl()))
            .collect(),
        days_per_year: Some(plan.tenor.days_per_year),
    })
}

/// The positions of a strategy by what the figure calls them: its own name for the spot of one asset, with the instrument for
/// others.
fn held<'a>(plan: &'a Plan, outcome: &'a Outcome) -> impl Iterator<Item = (String, Vec<f64>)> + 'a {
    let alone = plan.assets().count() == 1;
    let instruments = plan.instrument_names().into_iter().zip(&outcome.example);
    instruments
        .enumerate()
        .filter(move |(index, (_, held))| *index == 0 || held.iter().any(|&held| held != 0.0))
        .map(move |(index, (instrument, held))| {
            let strategy = &outcome.strategy;
            let name = match index {
                0 if alone => strategy.clone(),
                _ => format!("{strategy}, {instrument}"),
            };
            (name, held.clone())
        })
}
