//! What is known of an asset before contracts are sold.

use super::Calendar;
use crate::error::{Error, Result};
use crate::market::estimation::{
    MIN_RETURNS, StandardErrors, VarianceEstimator, drift_and_variance, exponential, garman_klass,
    implied, realised,
};
use crate::market::model::Estimate;
use crate::market::model::Finding;
use crate::market::{History, Market, PastSurfaces};
use crate::strategy::{BacktestPlan, Parameterisation, Plan};
use chrono::NaiveDate;
use std::ops::Range;

/// What is known of the market when contracts are first sold, and of variance at every close.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// The market that premiums, hedges and the variance filter assume; under Heston v0 is the variance known at the
    /// last day of the returns it was estimated from.
    pub market: Market,
    /// First and last day of the returns that it was estimated from; absent if the strategy gives it.
    pub estimated: Option<(NaiveDate, NaiveDate)>,
    /// Parameters that ended on a bound of their search.
    pub at_bound: Vec<&'static str>,
    /// Standard errors of the parameters that were estimated.
    pub standard_errors: StandardErrors,
    /// What else the estimation found.
    pub findings: Vec<Finding>,
    /// μ in dS/S = μ dt + √v dW, estimated from those returns; 0 if there are too few.
    pub drift: f64,
    /// The variance known at each close of the history.
    pub variance: Vec<f64>,
}

impl Calibration {
    /// Estimates from the returns between the closes of `window`; of a history with surfaces the drift and, where the model
    /// has surfaces too, the model of the window's own days.
    ///
    /// # Errors
    /// [`Error::Input`] if parameters or variance are to be had from fewer than [`MIN_RETURNS`] returns, or from
    /// ranges that the history lacks, or parameters from closes that do not vary.
    pub fn new(
        history: &History,
        plan: &Plan,
        settings: &BacktestPlan,
        calendar: &Calendar<'_>,
        window: Range<usize>,
    ) -> Result<Self> {
        let dt = calendar.dt();
        let days_per_year = 1.0 / dt;
        let returns = history.log_returns();
        // Return t ends at close t + 1.
        let known = &returns[window.start..window.end.saturating_sub(1).max(window.start)];
        if !history.surface.is_empty() {
            return Self::of_surfaces(history, plan, settings, window, days_per_year);
        }
        let constant = plan.market.model.variance_process().is_constant();
        let from_history = settings.parameters == Parameterisation::History;
        let needed = from_history || !constant || settings.variance != VarianceEstimator::Model;
        if needed && known.len() < MIN_RETURNS {
            let sale = history.dates[window.end.min(history.len() - 1)];
            return Err(Error::input(format!(
                "{}: `backtest.start` must leave at least {} closes before the first sale to estimate from, {} lie \
                 before {sale}",
                settings.files(),
                MIN_RETURNS + 1,
                window.len(),
            )));
        }
        let (drift, sample) = if known.len() < 2 {
            (0.0, 0.0)
        } else {
            drift_and_variance(known, days_per_year)?
        };
        let estimated_on = || {
            let last = window.end.max(window.start + 1) - 1;
            (history.dates[window.start], history.dates[last])
        };
        let fitted = if from_history {
            let model = &plan.market.model;
            model.estimate(known, days_per_year).map_err(|error| match error {
                Error::Input(what) => {
                    let (from, to) = estimated_on();
                    Error::input(format!(
                        "{}: closes of {from} to {to}: {what}; `backtest.parameters = \"strategy\"` gives them",
                        settings.files(),
                    ))
                }
                error => error,
            })?
        } else {
            Estimate::given(plan.market.model.clone())
        };
        let model = fitted.parameters;
        let variance = match settings.variance {
            VarianceEstimator::Model => model.filter(drift, dt).filter(&returns),
            VarianceEstimator::Implied => {
                let process = model.variance_process();
                implied(history, |mean, time| process.now_given_mean(mean, time)).ok_or_else(
                    || {
                        Error::input(format!(
                            "{}: `backtest.variance` \"implied\" needs a column of implied volatility or variance",
                            settings.files()
                        ))
                    },
                )?
            }
            VarianceEstimator::Realised { days } => realised(&returns, days, dt, sample),
            VarianceEstimator::Exponential { decay } => exponential(&returns, decay, dt, sample),
            VarianceEstimator::GarmanKlass { days } => garman_klass(history, days, dt, sample)
                .ok_or_else(|| {
                    Error::input(format!(
                        "{}: `backtest.variance` \"garman_klass\" needs open, high and low",
                        settings.files()
                    ))
                })?,
        };
        let estimated = from_history.then(estimated_on);
        Ok(Self {
            market: Market {
                model,
                ..plan.market.clone()
            },
            estimated,
            at_bound: fitted.at_bound,
            standard_errors: fitted.standard_errors,
            findings: fitted.findings,
            drift,
            variance,
        })
    }

    /// What the surfaces of a history say: the variance is that at the money over one month, and the market is the strategy's. A model
    /// that has surfaces too is made of the days of `window`, unless the strategy gives its parameters. The drift is that of the returns
    /// between them.
    fn of_surfaces(
        history: &History,
        plan: &Plan,
        settings: &BacktestPlan,
        window: Range<usize>,
        days_per_year: f64,
    ) -> Result<Self> {
        let returns = history.log_returns();
        let known = &returns[window.start..window.end.saturating_sub(1).max(window.start)];
        let model = &plan.market.model;
        let estimated = model.has_surface() && settings.parameters == Parameterisation::History;
        let fitted = match estimated {
            false => Estimate::given(model.clone()),
            true => {
                let days = window.clone();
                let closes = &history.close[days.clone()];
                PastSurfaces::new(closes, &history.surface[days])
                    .and_then(|past| model.of_past(&past))
                    .map_err(|error| error.at(&settings.files()))?
            }
        };
        let between = || {
            let last = window.end.max(window.start + 1) - 1;
            (history.dates[window.start], history.dates[last])
        };
        let drift = match known.len() {
            ..2 => 0.0,
            _ => drift_and_variance(known, days_per_year)?.0,
        };
        let variance = history.surface.iter().map(|of| of.one_month().powi(2));
        Ok(Self {
            market: Market {
                model: fitted.parameters,
                ..plan.market.clone()
            },
            estimated: estimated.then(between),
            at_bound: fitted.at_bound,
            standard_errors: fitted.standard_errors,
            findings: fitted.findings,
            drift,
            variance: variance.collect(),
        })
    }

    /// The market seen at close `day`.
    pub fn market_at(&self, day: usize) -> Market {
        self.seen_at(self.variance[day])
    }

    /// The market seen at a variance.
    pub fn seen_at(&self, variance: f64) -> Market {
        Market {
            model: self.market.model.seen_at(variance),
            ..self.market.clone()
        }
    }
}
