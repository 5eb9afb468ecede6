//! Options sold on real history, through the same policies and ledger as simulated ones.

#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::hedging::{Book, Policy};
use crate::market::estimation::{HestonFilter, MIN_RETURNS, estimate_gbm, estimate_heston};
use crate::market::history::Quantity;
use crate::market::{History, Market, Model, Paths};
use crate::strategy::{BacktestPlan, Parameterisation, Plan};
use chrono::NaiveDate;
use std::ops::Range;

/// Contracts sold on history.
#[derive(Debug, Clone)]
pub struct Contracts {
    /// The market that premiums, hedges and the variance filter assume.
    pub market: Market,
    /// First and last day of the returns that it was estimated from; absent if the strategy gives it.
    pub estimated: Option<(NaiveDate, NaiveDate)>,
    /// Closes scaled to the market's spot at the sale, and the variance known at each close.
    pub paths: Paths<f64>,
    pub sold: Vec<NaiveDate>,
    pub expiry: Vec<NaiveDate>,
    pub premiums: Vec<f64>,
    /// How many contracts live at a time: steps over spacing, at least 1.
    pub overlap: f64,
    /// Repairs of the data: the kind of defect and how many there were.
    pub repaired: Vec<(&'static str, usize)>,
}

impl Contracts {
    /// Cuts the history into contracts that live for the plan's number of steps, one close a step.
    ///
    /// Nothing looks ahead: parameters come from the returns before the first sale, and the variance at a close
    /// from those parameters and the returns up to that close ([`HestonFilter`]; constant under GBM). A contract
    /// sold at a filtered variance v has the model's price at v0 = v as its premium, unless the strategy gives an
    /// amount.
    ///
    /// # Errors
    /// If the history cannot be read, if no contract fits into the test period, or if fewer than
    /// [`MIN_RETURNS`] returns lie before it while parameters or variance are to be had from them.
    pub fn cut(plan: &Plan, settings: &BacktestPlan) -> Result<Self> {
        let files = std::slice::from_ref(&settings.data);
        let history = History::load_files(files, &[Quantity::Close], &settings.repair)?;
        let fail =
            |message: String| Error::input(format!("{}: {message}", settings.data.display()));
        let period = period(&history, settings);
        let steps = plan.contract.steps;
        let starts: Vec<usize> = period
            .clone()
            .step_by(settings.spacing)
            .filter(|start| start + steps < history.len())
            .collect();
        let (Some(&first), Some(_)) = (starts.first(), starts.last()) else {
            return Err(fail(format!(
                "no contract of {steps} days fits into the test period"
            )));
        };
        let days_per_year = steps as f64 / plan.contract.expiry;
        let returns = history.log_returns();
        // Return t ends at close t + 1, which must come before the first sale.
        let before = &returns[..first.saturating_sub(1)];
        let constant = matches!(plan.market.model, Model::Gbm { .. });
        let needs_history = settings.parameters == Parameterisation::History || !constant;
        if needs_history && before.len() < MIN_RETURNS {
            return Err(fail(format!(
                "`backtest.start` must leave at least {} closes before the first sale to estimate from, \
                 {first} lie before {}",
                MIN_RETURNS + 1,
                history.dates[first]
            )));
        }
        let model = match settings.parameters {
            Parameterisation::Strategy => plan.market.model,
            Parameterisation::History => estimate(plan.market.model, before, days_per_year)?,
        };
        let market = Market {
            model,
            ..plan.market
        };
        let variance = match model {
            Model::Gbm { volatility } => vec![volatility * volatility; history.len()],
            Model::Heston(parameters) => {
                let drift = estimate_gbm(before, days_per_year)?.drift;
                HestonFilter::new(parameters, drift, 1.0 / days_per_year).filter(&returns)
            }
        };
        let estimated = (settings.parameters == Parameterisation::History)
            .then(|| (history.dates[0], history.dates[first - 1]));
        let scaled: Vec<Vec<f64>> = starts
            .iter()
            .map(|&start| {
                history.close[start..=start + steps]
                    .iter()
                    .map(|close| market.spot * close / history.close[start])
                    .collect()
            })
            .collect();
        let rows = starts
            .iter()
            .zip(&scaled)
            .map(|(&start, spot)| (spot.as_slice(), &variance[start..=start + steps]));
        let premiums = starts
            .iter()
            .map(|&start| {
                let model = market.model.at_variance(variance[start]);
                plan.premium.of(&Market { model, ..market }, &plan.contract)
            })
            .collect();
        let days = |shift: usize| {
            starts
                .iter()
                .map(|start| history.dates[start + shift])
                .collect()
        };
        Ok(Self {
            market,
            estimated,
            paths: Paths::from_rows(steps, rows),
            sold: days(0),
            expiry: days(steps),
            premiums,
            repaired: history
                .repaired
                .iter()
                .map(|(kind, count)| (kind.name(), *count))
                .collect(),
            overlap: (steps as f64 / settings.spacing as f64).max(1.0),
        })
    }

    /// Hedges every contract with `policy` and settles it with its own premium.
    ///
    /// # Errors
    /// Those of the policy.
    pub fn hedge(&self, plan: &Plan, policy: &dyn Policy) -> Result<Book> {
        let ledger = plan.ledger(&self.market, 0.0);
        let mut book = Book::hedge(policy, &ledger, &self.paths)?;
        book.receive(&ledger, &self.premiums);
        Ok(book)
    }
}

/// The days on which contracts may be sold.
fn period(history: &History, settings: &BacktestPlan) -> Range<usize> {
    let first = settings.start.map_or(0, |date| history.index_from(date));
    let last = settings.end.map_or(history.len(), |date| {
        history.index_from(date + chrono::Days::new(1))
    });
    first..last.max(first)
}

/// The same kind of model with its parameters estimated.
fn estimate(model: Model, returns: &[f64], days_per_year: f64) -> Result<Model> {
    Ok(match model {
        Model::Gbm { .. } => Model::Gbm {
            volatility: estimate_gbm(returns, days_per_year)?.volatility,
        },
        Model::Heston(_) => Model::Heston(estimate_heston(returns, days_per_year)?.parameters),
    })
}
