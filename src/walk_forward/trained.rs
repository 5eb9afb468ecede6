//! A finished walk-forward for whoever hedges contracts by its policies that it did not sell.

use super::policies::{damaged, policy_file, trainings};
use super::window::{Known, Shared, Span, WINDOW};
use crate::backtest::{Calendar, JointCalibration};
use crate::error::{Error, Result};
use crate::market::{History, PathSource};
use crate::network::Parameters;
use crate::random::Purpose;
use crate::runs::asset::parameters;
use crate::runs::store::RunFolder;
use crate::runs::trained_on::{self, TrainedOn};
use crate::runs::walk_forward::{Phase, Window};
use crate::strategy::{BacktestPlan, Plan, WalkForwardPlan};
use chrono::{Months, NaiveDate};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// A finished walk-forward.
pub struct Walked {
    run: RunFolder,
    plan: Plan,
    walk: WalkForwardPlan,
    windows: Vec<TrainedWindow>,
}

/// A window of a finished walk-forward.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedWindow {
    /// What it did.
    pub window: Window,
    /// The day of its first sale.
    pub first_sale: NaiveDate,
    /// First and last day of the closes that it was calibrated on.
    pub calibrated: [NaiveDate; 2],
}

/// A policy of a window.
pub struct WindowPolicy {
    /// The name of the optimizer that trained it.
    pub optimizer: String,
    /// The seed of its training.
    pub seed: u64,
    /// Its weights.
    pub parameters: Parameters,
}

/// The closes that windows are calibrated on, which may be others than those of the walk-forward.
#[derive(Clone, Copy)]
pub struct WindowHistory<'a> {
    /// What is said of them.
    pub settings: &'a BacktestPlan,
    /// The closes of every asset, on the same days.
    pub histories: &'a [History],
    /// Which closes belong to a contract.
    pub calendar: &'a Calendar<'a>,
}

/// What is known before a window begins to sell.
pub struct BeforeSales {
    span: Span,
    known: Arc<Known>,
}

impl BeforeSales {
    /// The parameters of every asset.
    pub fn calibration(&self) -> &JointCalibration {
        &self.known.calibration
    }

    /// The strategy in that market.
    pub fn plan(&self) -> &Plan {
        &self.known.plan
    }

    /// The closes whose returns they are estimated from.
    pub fn closes(&self) -> Range<usize> {
        self.span.known.clone()
    }
}

impl Walked {
    /// The windows of a finished walk-forward whose strategy, with the prices that windows are calibrated on, is `plan`.
    ///
    /// # Errors
    /// [`Error::Input`] if the run is unfinished or a file of it is damaged.
    pub fn open(run: &RunFolder, plan: &Plan) -> Result<Self> {
        if !run.is_complete() {
            return Err(Error::input(run.without_results()));
        }
        let (plan, walk) = plan.with_walk_forward()?;
        let mut windows = Vec::new();
        loop {
            let file = span(windows.len(), 0..0).file(WINDOW);
            let Some(window) = run.read_json::<Window>(&file)? else {
                break;
            };
            let day = |text: &str| {
                let day = text.parse::<NaiveDate>();
                day.map_err(|error| damaged(&file, &format!("\"{text}\": {error}")))
            };
            windows.push(TrainedWindow {
                first_sale: day(&window.first_sale)?,
                calibrated: [day(&window.calibrated_from)?, day(&window.calibrated_to)?],
                window,
            });
        }
        if windows.is_empty() {
            let what = format!("run `{}`: it has no windows", run.id());
            return Err(Error::input(what));
        }
        Ok(Self {
            run: run.clone(),
            plan,
            walk,
            windows,
        })
    }

    /// The windows in their order.
    pub fn windows(&self) -> &[TrainedWindow] {
        &self.windows
    }

    /// The number of the window whose policies hedge what is sold on `day`: the last one that had begun to sell by then, so that nothing
    /// was known to it of any later day; none before the first sale of all.
    pub fn selling_on(&self, day: NaiveDate) -> Option<usize> {
        let begun = self.windows.partition_point(|one| one.first_sale <= day);
        begun.checked_sub(1)
    }

    /// The first day after the months in which the last window sells.
    pub fn end(&self) -> NaiveDate {
        let last = &self.windows[self.windows.len() - 1];
        let settings = self.plan.backtest.as_ref();
        let start = settings.and_then(|settings| settings.start);
        let first = match last.window.phase {
            Phase::Validation => start,
            Phase::Test => self.walk.test_from.or(start),
        };
        let first = first.unwrap_or(self.windows[0].first_sale);
        let stretches = (1..).map(|stretch| first + Months::new(stretch * self.walk.months));
        let mut after = stretches.skip_while(|end| *end <= last.first_sale);
        after.next().unwrap_or(last.first_sale)
    }

    /// The policies of a window, of every optimizer and seed.
    ///
    /// # Errors
    /// [`Error::Input`] if a file is missing or damaged.
    pub fn policies(&self, number: usize) -> Result<Vec<WindowPolicy>> {
        let span = span(number, 0..0);
        let policies = trainings(&self.plan, &self.walk).map(|training| {
            let file = policy_file(&span, training);
            let bytes = self.run.read_bytes(&file)?;
            let bytes = bytes.ok_or_else(|| damaged(&file, "is missing"))?;
            Ok(WindowPolicy {
                optimizer: training.0.name.clone(),
                seed: training.1,
                parameters: Parameters::from_bytes(&bytes, &file, self.plan.shape.maps())?,
            })
        });
        policies.collect()
    }

    /// What the policies of a window were trained on; none of a run of an older version.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is damaged.
    pub fn trained_on(&self, number: usize) -> Result<Option<TrainedOn>> {
        self.run
            .read_json(&span(number, 0..0).file(trained_on::FILE))
    }

    /// What is known before a window begins to sell, found on closes as the walk-forward found it on its own: with the same bits, if they
    /// are the same.
    ///
    /// # Errors
    /// [`Error::Input`] if the closes do not have the first and the last day that the window was calibrated on; those of the calibration.
    pub fn before(&self, number: usize, on: WindowHistory<'_>) -> Result<BeforeSales> {
        let TrainedWindow {
            calibrated: [from, to],
            ..
        } = self.windows[number];
        let place = |day: NaiveDate| {
            on.histories[0].dates.binary_search(&day).map_err(|_| {
                Error::input(format!(
                    "{}: window {number} was calibrated on closes of {from} to {to}, and there is none of {day}",
                    on.settings.files()
                ))
            })
        };
        let span = span(number, place(from)?..place(to)? + 1);
        let known = self.shared(on).known(&span)?;
        Ok(BeforeSales { span, known })
    }

    /// How the market that is known before a window begins to sell departs from that which the walk-forward found, in words: by the
    /// parameter that differs most, if one does by more than rounding.
    pub fn differs(&self, before: &BeforeSales) -> Option<String> {
        const ROUNDING: f64 = 1e-6;
        let found = parameters(&before.known.plan.market.model);
        let own = &self.windows[before.span.number].window.model;
        let apart = own.iter().filter_map(|(name, own)| {
            let (own, found) = (own.as_f64()?, found.get(name)?.as_f64()?);
            let size = own.abs().max(found.abs()).max(f64::MIN_POSITIVE);
            Some((name, own, found, (found - own).abs() / size))
        });
        let (name, own, found, apart) = apart.max_by(|a, b| a.3.total_cmp(&b.3))?;
        (apart > ROUNDING).then(|| {
            format!(
                "window {}: the prices give {name} = {found:.6}, and its policies were trained at {own:.6}",
                before.span.number
            )
        })
    }

    /// Paths as the walk-forward fits classical hedges on in the window.
    pub fn fit_paths(
        &self,
        before: &BeforeSales,
        on: WindowHistory<'_>,
        plan: &Plan,
    ) -> Box<dyn PathSource> {
        let shared = self.shared(on);
        shared.source(
            plan,
            before.calibration(),
            &before.span,
            Purpose::Regression,
        )
    }

    fn shared<'a>(&'a self, on: WindowHistory<'a>) -> Shared<'a> {
        Shared {
            plan: &self.plan,
            settings: on.settings,
            walk: self.walk,
            histories: on.histories,
            calendar: on.calendar.clone(),
            spans: &[],
            known: Mutex::new(HashMap::new()),
        }
    }
}

/// A window of which nothing is sold here.
fn span(number: usize, known: Range<usize>) -> Span {
    Span {
        number,
        known,
        sales: Vec::new(),
        phase: Phase::default(),
    }
}
