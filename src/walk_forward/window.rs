//! One window: calibrate, train, hedge what is sold after.

use super::positions::Positions;
use super::source::{BootstrapSource, ModelSource, Past};
use super::trades::{self, Trade};
use crate::backtest::{Calendar, Calibration, Contracts, JointCalibration};
use crate::error::{Error, Result};
use crate::hedging::{HedgeValues, Parameter, Policy, TrainedPolicy, TunedHedge};
use crate::market::{Assets, History, Market, PathSource};
use crate::network::Parameters;
use crate::random::Purpose;
use crate::runs::asset::{AssetMarket, parameters};
use crate::runs::classical::HedgeRow;
use crate::runs::parquet::write_parquet;
use crate::runs::precision::Precision;
use crate::runs::store::RunFolder;
use crate::runs::walk_forward::Window;
use crate::strategy::{
    BacktestPlan, FitPaths, HedgeValidation, Length, OptimizerPlan, Plan, Regressions,
    TrainingPaths, WalkForwardPlan,
};
use crate::training::{Sources, Training, train_on};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::PathBuf;

/// Where a window lies in the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The number of the window, from 0.
    pub number: usize,
    /// Closes whose returns it is calibrated on; they end before the first sale.
    pub known: Range<usize>,
    /// The closes at which its contracts are sold.
    pub sales: Vec<usize>,
}

impl Span {
    /// The file `name` of the window, relative to the folder of the run.
    pub fn file(&self, name: &str) -> String {
        format!("{}/{:02}/{name}", RunFolder::WINDOWS, self.number)
    }
}

/// What is kept of a training beside its policy.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    seconds: f64,
}

/// The files of trainings, relative to the folder of the run, and what is in them.
impl Span {
    /// The file of a policy.
    pub fn policy_file(&self, optimizer: &str, seed: u64) -> String {
        self.file(&format!("policies/{optimizer}-{seed}.safetensors"))
    }

    /// The file that says that a policy is trained.
    pub fn training_file(&self, optimizer: &str, seed: u64) -> String {
        self.file(&format!("{}/{optimizer}-{seed}.json", RunFolder::TRAININGS))
    }

    /// The policy of a training that is done.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is missing or damaged.
    pub fn policy(
        &self,
        folder: &RunFolder,
        plan: &Plan,
        optimizer: &str,
        seed: u64,
    ) -> Result<Parameters> {
        let file = self.policy_file(optimizer, seed);
        Parameters::load(&folder.path().join(file), plan.shape.maps())
    }

    /// What is kept of a training that is done.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is missing or damaged.
    pub fn kept(&self, folder: &RunFolder, optimizer: &str, seed: u64) -> Result<Kept> {
        let file = self.training_file(optimizer, seed);
        let kept = folder.read_json(&file)?;
        kept.ok_or_else(|| Error::input(format!("run `{}`: {file} is missing", folder.id())))
    }
}

/// A window whose market is known.
pub struct Calibrated {
    calibration: JointCalibration,
    assets: Assets,
    plan: Plan,
    contracts: Contracts,
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
    /// The folder of the run.
    pub folder: &'a RunFolder,
}

/// What a window is doing.
pub enum Doing<'a> {
    /// A policy is being trained; a step was just taken.
    Training {
        /// The optimizer.
        strategy: &'a str,
        /// The seed of the training.
        seed: u64,
        /// The training after that step.
        training: &'a Training<'a>,
    },
}

impl Shared<'_> {
    fn path(&self, span: &Span, name: &str) -> PathBuf {
        self.folder.path().join(span.file(name))
    }

    /// The window and its trades, if it was finished before.
    ///
    /// # Errors
    /// If its files are damaged.
    pub fn finished(&self, span: &Span) -> Result<Option<(Window, Vec<Trade>)>> {
        let Some(window) = self.folder.read_json(&span.file("window.json"))? else {
            return Ok(None);
        };
        Ok(Some((
            window,
            trades::read(&self.path(span, "trades.parquet"))?,
        )))
    }

    /// Whether `optimizer` with `seed` is trained in a window.
    pub fn is_trained(&self, span: &Span, (optimizer, seed): (&OptimizerPlan, u64)) -> bool {
        let file = span.training_file(&optimizer.name, seed);
        self.folder.path().join(file).is_file()
    }

    /// Calibrates a window and cuts its contracts from history.
    ///
    /// # Errors
    /// The errors of the calibration.
    pub fn calibrated(&self, span: &Span) -> Result<Calibrated> {
        let Self {
            settings,
            histories,
            ref calendar,
            ..
        } = *self;
        let known = span.known.clone();
        let calibration = JointCalibration::new(histories, self.plan, settings, calendar, known)?;
        let last = span.known.end - 1;
        let assets = calibration.assets(|asset, known| Market {
            spot: self.plan.assets().market(asset).spot,
            ..known.market_at(last)
        });
        let plan = self.plan.in_market(&assets);
        let contracts = Contracts::sell(
            histories,
            &plan,
            settings,
            calendar,
            &calibration,
            &span.sales,
        )?;
        Ok(Calibrated {
            calibration,
            assets,
            plan,
            contracts,
        })
    }

    /// Trains `optimizer` with `seed` in a window unless that was done before. The policy is written first: the file that
    /// follows it says that both are there.
    ///
    /// # Errors
    /// The errors of the training and of the folder.
    pub fn train(
        &self,
        span: &Span,
        window: &Calibrated,
        (optimizer, seed): (&OptimizerPlan, u64),
        doing: &mut dyn FnMut(Doing<'_>) -> Result<()>,
    ) -> Result<()> {
        let name = &optimizer.name;
        if self.is_trained(span, (optimizer, seed)) {
            return Ok(());
        }
        let Calibrated {
            plan, calibration, ..
        } = window;
        let warm = self.warm_weights(plan, span, name, seed)?;
        let mut timed = plan.clone();
        timed.seed = seed;
        let source = |purpose: Purpose| self.source(&timed, calibration, span, purpose);
        let (training, validation) = (source(Purpose::Training), source(Purpose::Validation));
        if warm.is_some() {
            timed.length = match plan.length {
                Length::Steps(steps) => {
                    Length::Steps(((steps as f64 * self.walk.warm_share).ceil() as usize).max(1))
                }
                Length::Seconds(seconds) => Length::Seconds(seconds * self.walk.warm_share),
            };
        }
        let initial = match warm {
            Some(weights) => weights,
            None => Parameters::random(plan.shape.maps(), seed)?,
        };
        let sources = Sources {
            training: training.as_ref(),
            validation: validation.as_ref(),
        };
        let trained = train_on(&timed, optimizer, sources, initial, |training| {
            doing(Doing::Training {
                strategy: name,
                seed,
                training,
            })
        })?;
        let bytes = trained.parameters.to_bytes(name, seed, &plan.features)?;
        self.folder
            .write_bytes(&span.policy_file(name, seed), &bytes)?;
        let kept = Kept {
            seconds: trained.seconds,
        };
        self.folder
            .write_json(&span.training_file(name, seed), &kept)
    }

    /// Hedges the contracts of a window, in which all policies are trained, and writes its folder.
    ///
    /// # Errors
    /// The errors of the policies and of the folder.
    pub fn hedge(&self, span: &Span, window: Calibrated) -> Result<(Window, Vec<Trade>)> {
        let history = &self.histories[0];
        let last = span.known.end - 1;
        let Calibrated {
            calibration,
            assets,
            plan,
            contracts,
        } = window;
        let (mut trades, mut held) = (Vec::new(), Positions::default());
        let mut record = |strategy: &str, seed: Option<u64>, policy: &dyn Policy| -> Result<()> {
            let positions = contracts.positions(policy)?;
            let (book, parts) = contracts.settle(&positions);
            held.add((strategy, seed), history, &contracts, &positions);
            for (i, attribution) in parts.into_iter().enumerate() {
                trades.push(Trade {
                    strategy: strategy.into(),
                    seed,
                    window: span.number,
                    sold: contracts.sold[i],
                    expiry: contracts.expiry[i],
                    premium: contracts.premiums[i],
                    pnl: book.pnl[i],
                    cost: book.cost[i],
                    turnover: book.turnover[i],
                    attribution,
                });
            }
            Ok(())
        };
        let mut seconds = Vec::new();
        for (optimizer, seed) in self.trainings() {
            let name = &optimizer.name;
            let kept = span.kept(self.folder, name, seed)?;
            seconds.push((name.clone(), seed, kept.seconds));
            let parameters = span.policy(self.folder, &plan, name, seed)?;
            let sweep = plan.sweep();
            let policy = TrainedPolicy {
                parameters: &parameters,
                features: &plan.features,
                sweep: sweep.as_ref(),
            };
            record(name, Some(seed), &policy)?;
        }
        let validation = self.source(&plan, &calibration, span, Purpose::Validation);
        let fit_paths = |plan: &Plan| self.source(plan, &calibration, span, Purpose::Regression);
        // The paths that policies are trained on, which hedges are fitted on too.
        let fits: (&FitPaths<'_>, &Regressions) = (&fit_paths, &Regressions::default());
        let own = plan.assets();
        let untuned = |hedge| plan.classical_on(hedge, &own, HedgeValues::default(), fits);
        let tuned =
            HedgeValidation::of(&plan, validation.as_ref())?.tune(&untuned, &mut || Ok(()))?;
        for TunedHedge { hedge, values, .. } in &tuned {
            let policy = plan.classical_on(*hedge, &contracts.assets, *values, fits);
            record(&hedge.name(), None, &policy)?;
        }
        let band = tuned
            .iter()
            .find(|tuned| tuned.hedge.parameters().contains(&Parameter::Aversion));
        let window = Window {
            number: span.number,
            calibrated_from: history.dates[span.known.start].to_string(),
            calibrated_to: history.dates[last].to_string(),
            first_sale: contracts.sold[0].to_string(),
            last_sale: contracts.sold[contracts.sold.len() - 1].to_string(),
            contracts: contracts.sold.len(),
            model: parameters(&plan.market.model),
            precision: precision(calibration.first()),
            assets: AssetMarket::of_several(&assets, calibration.assets.iter().map(precision)),
            feller: plan.market.model.variance_process().stays_positive(),
            drift: calibration.first().drift,
            band_aversion: band.map_or(1.0, |band| band.values.of(Parameter::Aversion)),
            band_at_bound: band.is_some_and(|band| band.tuned.iter().any(|one| one.at_bound)),
            hedges: tuned.iter().map(HedgeRow::from).collect(),
            seconds,
        };
        write_parquet(
            &self.path(span, "trades.parquet"),
            trades::to_frame(&trades)?,
        )?;
        write_parquet(&self.path(span, "positions.parquet"), held.to_frame()?)?;
        self.folder.write_json(&span.file("window.json"), &window)?;
        Ok((window, trades))
    }

    /// Every optimizer with every seed.
    pub fn trainings(&self) -> Vec<(&OptimizerPlan, u64)> {
        trainings(self.plan, &self.walk)
    }

    /// The weights that the window before ended with, if training begins there.
    fn warm_weights(
        &self,
        plan: &Plan,
        span: &Span,
        optimizer: &str,
        seed: u64,
    ) -> Result<Option<Parameters>> {
        if !self.walk.warm_start || span.number == 0 {
            return Ok(None);
        }
        let before = Span {
            number: span.number - 1,
            ..span.clone()
        };
        before.policy(self.folder, plan, optimizer, seed).map(Some)
    }

    fn source(
        &self,
        plan: &Plan,
        calibration: &JointCalibration,
        span: &Span,
        purpose: Purpose,
    ) -> Box<dyn PathSource> {
        match self.walk.paths {
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

/// Every optimizer of a plan with every seed of its walk-forward, which each window trains in this order.
pub fn trainings<'a>(plan: &'a Plan, walk: &WalkForwardPlan) -> Vec<(&'a OptimizerPlan, u64)> {
    let seeds = plan.seed..plan.seed + walk.seeds as u64;
    let optimizers = plan.optimizers.iter();
    let trainings =
        optimizers.flat_map(|optimizer| seeds.clone().map(move |seed| (optimizer, seed)));
    trainings.collect()
}
