//! One window: calibrate, train, hedge what is sold after.

use super::policies::damaged;
use super::source::{BootstrapSource, ModelSource, Past};
use super::trades::{self, Trade};
use crate::backtest::{Calendar, Calibration, Contracts, JointCalibration, Lived, Settled, past};
use crate::error::Result;
use crate::groups::{Keeper, Work};
use crate::hedging::{Ensemble, HedgeValues, Parameter, Policy, TrainedPolicy, TunedHedge};
use crate::market::estimation::VarianceEstimator;
use crate::market::{Assets, History, Market, PathSource};
use crate::random::Purpose;
use crate::runs::asset::{AssetMarket, parameters};
use crate::runs::classical::HedgeRow;
use crate::runs::contract_paths::{ContractPath, POSITIONS};
use crate::runs::daily::ContractDays;
use crate::runs::parquet::parquet_bytes;
use crate::runs::precision::Precision;
use crate::runs::store::{CONTRACT_DAYS, RunFolder, to_json};
use crate::runs::trained_on::{self, TrainedOn};
use crate::runs::walk_forward::{Phase, TrainingEnd, Window};
use crate::strategy::{
    BacktestPlan, FittedOn, HedgeValidation, Plan, TrainingPaths, TuneOn, WalkForwardPlan,
};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The file of a window that is written last.
pub const WINDOW: &str = "window.json";
const TRADES: &str = "trades.parquet";

/// Where a window lies in the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The number of the window, from 0.
    pub number: usize,
    /// Closes whose returns it is calibrated on; they end before the first sale.
    pub known: Range<usize>,
    /// The closes at which its contracts are sold.
    pub sales: Vec<usize>,
    /// The period that its contracts belong to.
    pub phase: Phase,
}

impl Span {
    /// The file `name` of the window, relative to the folder of the run.
    pub fn file(&self, name: &str) -> String {
        format!("windows/{:02}/{name}", self.number)
    }
}

/// Everything that windows share.
pub struct Shared<'a> {
    /// The strategy.
    pub plan: &'a Plan,
    /// What it says of the history.
    pub settings: &'a BacktestPlan,
    /// What it says of the windows.
    pub walk: WalkForwardPlan,
    /// The closes of every asset, on the same days.
    pub histories: &'a [History],
    /// Which closes belong to a contract.
    pub calendar: Calendar<'a>,
    /// The windows.
    pub spans: &'a [Span],
    /// What is known of the windows that this rank has calibrated.
    pub known: Mutex<HashMap<usize, Arc<Known>>>,
}

/// What is known before a window begins to sell.
pub struct Known {
    /// The parameters of every asset.
    pub calibration: JointCalibration,
    /// The assets at the variances of the last close.
    pub assets: Assets,
    /// The strategy in that market.
    pub plan: Plan,
}

impl Shared<'_> {
    /// What is known before a window begins to sell; calibrated once.
    ///
    /// # Errors
    /// The errors of the calibration.
    pub fn known(&self, span: &Span) -> Result<Arc<Known>> {
        if let Some(known) = self.calibrated().get(&span.number) {
            return Ok(Arc::clone(known));
        }
        let calibration = JointCalibration::new(
            self.histories,
            self.plan,
            self.settings,
            &self.calendar,
            span.known.clone(),
        )?;
        let last = span.known.end - 1;
        let assets = calibration.assets(|asset, known| Market {
            spot: self.plan.assets().market(asset).spot,
            ..known.market_at(last)
        });
        let plan = self.plan.in_market(&assets);
        // The same paths for every optimizer and seed.
        let source = self.source(&plan, &calibration, span, Purpose::Unit);
        let plan = plan.standardised_on(source.as_ref())?;
        let known = Arc::new(Known {
            calibration,
            assets,
            plan,
        });
        self.calibrated().insert(span.number, Arc::clone(&known));
        Ok(known)
    }

    fn calibrated(&self) -> MutexGuard<'_, HashMap<usize, Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The window and its trades, if it was finished.
    ///
    /// # Errors
    /// If its files are damaged.
    pub fn finished(
        &self,
        span: &Span,
        folder: &RunFolder,
    ) -> Result<Option<(Window, Vec<Trade>)>> {
        let Some(window) = folder.read_json(&span.file(WINDOW))? else {
            return Ok(None);
        };
        let trades = folder.path().join(span.file(TRADES));
        Ok(Some((window, trades::read(&trades)?)))
    }

    /// The P&L of the window's contracts by day; none of a window that an older version hedged.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn days(&self, span: &Span, folder: &RunFolder) -> Result<Option<Vec<ContractDays>>> {
        let file = folder.path().join(span.file(CONTRACT_DAYS));
        file.is_file()
            .then(|| ContractDays::read(&file))
            .transpose()
    }

    /// The window's contracts that were sold on days that `wanted` takes, as every strategy and seed hedged them; none of a window
    /// that did not keep them.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn paths(
        &self,
        span: &Span,
        folder: &RunFolder,
        wanted: impl Fn(NaiveDate) -> bool,
    ) -> Result<Vec<ContractPath>> {
        let file = folder.path().join(span.file(POSITIONS));
        match file.is_file() {
            true => ContractPath::read(&file, wanted),
            false => Ok(Vec::new()),
        }
    }

    /// Trains what is not trained yet, hedges what is sold in the window, and writes its files.
    ///
    /// # Errors
    /// The errors of the calibration, the training and the keeper.
    pub fn run(&self, span: &Span, keeper: &mut dyn Keeper) -> Result<()> {
        let Self {
            settings,
            histories,
            ref calendar,
            ..
        } = *self;
        let history = &histories[0];
        let last = span.known.end - 1;
        let known = self.known(span)?;
        let Known {
            calibration,
            assets,
            ..
        } = known.as_ref();
        let contracts = Contracts::sell(
            histories,
            &known.plan,
            settings,
            calendar,
            calibration,
            &span.sales,
        )?;
        let before = span.known.clone();
        let contracts = contracts.after(&known.plan, || {
            past(
                histories,
                &known.plan,
                settings,
                calendar,
                calibration,
                before,
            )
        })?;
        let plan = known.plan.with_ranks(keeper.ranks().clone());
        let (mut trades, mut held) = (Vec::new(), Vec::new());
        let mut lived = Vec::new();
        let mut record = |strategy: &str, seed: Option<u64>, policy: &dyn Policy| -> Result<()> {
            let positions = contracts.positions(policy)?;
            let Settled { book, parts, daily } = contracts.settle(&positions);
            if daily.iter().all(|days| !days.is_empty()) {
                lived.push(ContractDays::new(strategy, seed, &contracts.days, &daily));
            }
            held.extend((0..contracts.sold.len()).filter_map(|contract| {
                let Lived { dates, columns } = contracts.lived(contract, &positions)?;
                Some(ContractPath::new(strategy, seed, dates, columns))
            }));
            for (i, attribution) in parts.into_iter().enumerate() {
                trades.push(Trade {
                    strategy: strategy.into(),
                    seed,
                    window: span.number,
                    sold: contracts.sold[i],
                    expiry: contracts.expiry[i],
                    volatility: self
                        .volatility(calibration.first(), history.index_from(contracts.sold[i])),
                    premium: contracts.premiums[i],
                    pnl: book.pnl[i],
                    cost: book.cost[i],
                    turnover: book.turnover[i],
                    attribution,
                });
            }
            Ok(())
        };
        let (mut seconds, mut trainings) = (Vec::new(), Vec::new());
        let (seen, sweep) = (plan.seen()?, plan.sweep());
        for optimizer in &self.plan.optimizers {
            let own = self.trainings().filter(|one| one.0.name == optimizer.name);
            let mut trained = Vec::new();
            for training in own {
                let (parameters, kept) = self.policy(span, training, keeper)?;
                let seed = training.1;
                seconds.push((optimizer.name.clone(), seed, kept.seconds));
                trainings.extend(kept.end.map(|end| TrainingEnd {
                    strategy: optimizer.name.clone(),
                    seed,
                    seconds: kept.seconds,
                    steps: end.steps,
                    risk: end.risk,
                }));
                trained.push((seed, parameters));
            }
            let policies: Vec<TrainedPolicy<'_>> = trained
                .iter()
                .map(|(_, parameters)| TrainedPolicy {
                    parameters,
                    features: &seen,
                    sweep: sweep.as_ref(),
                })
                .collect();
            for ((seed, _), policy) in trained.iter().zip(&policies) {
                record(&optimizer.name, Some(*seed), policy)?;
            }
            if self.walk.ensemble && policies.len() > 1 {
                let ensemble = Ensemble {
                    members: policies.iter().map(|one| one as &dyn Policy).collect(),
                    limits: &plan.limits,
                };
                let name = Ensemble::name(&optimizer.name);
                record(&name, Some(self.plan.seed), &ensemble)?;
            }
        }
        let fit_paths = |plan: &Plan| self.source(plan, calibration, span, Purpose::Regression);
        // The paths that policies are trained on, which hedges are fitted on too.
        let on = FittedOn {
            paths: Some(&fit_paths),
            past: contracts.known_past(),
            ..FittedOn::default()
        };
        let tuned = match plan.tune_on {
            TuneOn::Past => plan.hedges_tuned_on(&contracts.assets, &on, &mut || keeper.busy())?,
            TuneOn::Model => {
                let own = plan.assets();
                let untuned = |hedge| plan.classical_on(hedge, &own, HedgeValues::default(), &on);
                let validation = self.source(&plan, calibration, span, Purpose::Validation);
                let validation = HedgeValidation::of(&plan, validation.as_ref())?;
                validation.tune(&untuned, &mut || keeper.busy())?
            }
        };
        for TunedHedge { hedge, values, .. } in &tuned {
            let policy = plan.classical_on(*hedge, &contracts.assets, *values, &on);
            record(&hedge.name(), None, &policy)?;
        }
        let band = tuned
            .iter()
            .find(|tuned| tuned.hedge.parameters().contains(&Parameter::Aversion));
        let window = Window {
            number: span.number,
            phase: span.phase,
            calibrated_from: history.dates[span.known.start].to_string(),
            calibrated_to: history.dates[last].to_string(),
            first_sale: contracts.sold[0].to_string(),
            last_sale: contracts.sold[contracts.sold.len() - 1].to_string(),
            contracts: contracts.sold.len(),
            model: parameters(&plan.market.model),
            precision: precision(calibration.first()),
            estimates: estimates(calibration.first()),
            assets: AssetMarket::of_several(assets, calibration.assets.iter().map(precision)),
            feller: plan.market.model.variance_process().stays_positive(),
            drift: calibration.first().drift,
            band_aversion: band.map_or(1.0, |band| band.values.of(Parameter::Aversion)),
            band_at_bound: band.is_some_and(|band| band.tuned.iter().any(|one| one.at_bound)),
            hedges: tuned.iter().map(HedgeRow::from).collect(),
            seconds,
            trainings,
        };
        let mut write =
            |name: &str, bytes: Result<Vec<u8>>| keeper.write(&span.file(name), &bytes?);
        write(TRADES, parquet_bytes(trades::to_frame(&trades)?))?;
        write(POSITIONS, parquet_bytes(ContractPath::to_frame(&held)?))?;
        write(
            CONTRACT_DAYS,
            parquet_bytes(ContractDays::to_frame(&lived)?),
        )?;
        let source = self.source(&known.plan, calibration, span, Purpose::Unit);
        let shown = TrainedOn::of_source(&known.plan, source.as_ref());
        let mut write_json = |name: &str, json: Result<Vec<u8>, String>| {
            write(name, json.map_err(|why| damaged(&span.file(name), &why)))
        };
        write_json(trained_on::FILE, to_json(&shown))?;
        write_json(WINDOW, to_json(&window))
    }

    /// The annualised volatility that was known at `sale`: the implied one where the history has it, of a month where it has
    /// surfaces, otherwise that of the returns of the 21 closes before, or of as many as there are; not a number at the first close.
    fn volatility(&self, known: &Calibration, sale: usize) -> f64 {
        const CLOSES: usize = 21;
        let history = &self.histories[0];
        if self.settings.variance == VarianceEstimator::Implied || !history.surface.is_empty() {
            return known.variance[sale].sqrt();
        }
        let close = &history.close;
        let returns = close[sale.saturating_sub(CLOSES)..=sale].windows(2);
        let count = returns.len() as f64;
        let squares = returns.map(|pair| (pair[1] / pair[0]).ln().powi(2));
        (squares.sum::<f64>() / count / self.calendar.dt()).sqrt()
    }

    /// Paths for a purpose, as the window has seen them.
    pub fn source(
        &self,
        plan: &Plan,
        calibration: &JointCalibration,
        span: &Span,
        purpose: Purpose,
    ) -> Box<dyn PathSource> {
        match self.walk.paths {
            // A market of past days begins its paths on these by itself.
            TrainingPaths::Model if plan.market.model.past_file().is_some() => {
                let mut simulator = plan.simulator(plan.seed, purpose);
                if purpose == Purpose::Training {
                    simulator.sampling = plan.sampling;
                }
                Box::new(simulator)
            }
            TrainingPaths::Model => {
                let known = span.known.clone();
                let seen = calibration.assets.iter();
                let seen: Vec<&[f64]> = seen.map(|one| &one.variance[known.clone()]).collect();
                Box::new(ModelSource::new(plan, &seen, purpose))
            }
            TrainingPaths::Bootstrap { block } => {
                // The filter runs in from the beginning of the history, as it does for the contracts.
                let pairs = self.histories.iter().zip(&calibration.assets);
                let past = pairs.map(|(history, known)| Past {
                    returns: history.log_returns()[..span.known.end - 1].to_vec(),
                    drift: known.drift,
                });
                let past: Vec<Past> = past.collect();
                let closes = (self.calendar.dt(), self.calendar.closes_per_step());
                let window = (span.known.start, block);
                Box::new(BootstrapSource::new(plan, closes, &past, window, purpose))
            }
        }
    }
}

/// How precisely the parameters of an asset were estimated.
fn precision(known: &Calibration) -> Precision {
    let errors = &known.standard_errors;
    Precision::new(&known.at_bound, errors.known(), errors.unknown())
}

/// What the estimation found beside the parameters that a strategy can give, by name.
fn estimates(known: &Calibration) -> serde_json::Map<String, serde_json::Value> {
    let found = known.findings.iter();
    found
        .map(|one| (one.key.to_owned(), one.value.clone()))
        .collect()
}

/// All windows, which do not depend on each other once their policies are trained.
pub struct Windows<'a>(pub &'a Shared<'a>);

impl Work for Windows<'_> {
    fn pieces(&self) -> usize {
        self.0.spans.len()
    }

    fn is_done(&self, piece: usize, folder: &RunFolder) -> Result<bool> {
        let file = self.0.spans[piece].file(WINDOW);
        Ok(folder.path().join(file).is_file())
    }

    fn needs(&self, piece: usize) -> Vec<String> {
        let shared = self.0;
        let trainings = shared.trainings();
        trainings
            .flat_map(|training| shared.needs(&shared.spans[piece], training))
            .collect()
    }

    fn carry_out(&self, piece: usize, keeper: &mut dyn Keeper) -> Result<Vec<u8>> {
        self.0.run(&self.0.spans[piece], keeper)?;
        Ok(Vec::new())
    }
}
