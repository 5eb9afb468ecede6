//! One window: calibrate, train, hedge what is sold after.

use super::positions::Positions;
use super::source::{BootstrapSource, ModelSource, Past};
use super::trades::{self, Trade};
use crate::backtest::{Calendar, Calibration, Contracts, JointCalibration};
use crate::error::Result;
use crate::hedging::{HedgeValues, Parameter, Policy, TrainedPolicy, TunedHedge};
use crate::market::{History, Market, PathSource};
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

    /// Calibrates, trains and hedges one window, and writes its folder.
    ///
    /// # Errors
    /// The errors of the calibration, the training and the folder.
    pub fn run(
        &self,
        span: &Span,
        doing: &mut dyn FnMut(Doing<'_>) -> Result<()>,
    ) -> Result<(Window, Vec<Trade>)> {
        let Self {
            settings,
            histories,
            ref calendar,
            ..
        } = *self;
        let (history, known) = (&histories[0], span.known.clone());
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
        for (optimizer, seed) in self.trainings(&plan) {
            let name = &optimizer.name;
            let warm = self.warm_weights(&plan, span, name, seed)?;
            let mut timed = plan.clone();
            timed.seed = seed;
            let source = |purpose: Purpose| self.source(&timed, &calibration, span, purpose);
            let (training, validation) = (source(Purpose::Training), source(Purpose::Validation));
            if warm.is_some() {
                timed.length = match plan.length {
                    Length::Steps(steps) => Length::Steps(
                        ((steps as f64 * self.walk.warm_share).ceil() as usize).max(1),
                    ),
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
            seconds.push((name.clone(), seed, trained.seconds));
            let bytes = trained.parameters.to_bytes(name, seed, &plan.features)?;
            self.folder
                .write_bytes(&policy_file(span, name, seed), &bytes)?;
            let sweep = plan.sweep();
            let policy = TrainedPolicy {
                parameters: &trained.parameters,
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
    fn trainings<'a>(
        &self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (&'a OptimizerPlan, u64)> + use<'a> {
        let seeds = plan.seed..plan.seed + self.walk.seeds as u64;
        let optimizers = plan.optimizers.iter();
        optimizers.flat_map(move |optimizer| seeds.clone().map(move |seed| (optimizer, seed)))
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
        let file = policy_file(&before, optimizer, seed);
        Parameters::load(&self.folder.path().join(file), plan.shape.maps()).map(Some)
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

/// The file of a policy, relative to the folder of the run.
fn policy_file(span: &Span, optimizer: &str, seed: u64) -> String {
    span.file(&format!("policies/{optimizer}-{seed}.safetensors"))
}
