//! Risk of the contracts that expired last, through time.

use super::TearSheet;
use crate::risk::cvar;
use crate::runs::daily::{Curve, thinned};
use crate::runs::tables::BacktestBook;
use chrono::NaiveDate;

/// The fewest contracts of a run whose risk is shown through time.
pub const LEAST_CONTRACTS: usize = 20;

/// The fewest contracts of a year: with monthly sales a window is longer than that.
const LEAST_WINDOW: usize = 20;

/// The most windows of a curve: more are finer than a pixel.
const MOST_WINDOWS: usize = 400;

/// A statistic of the P&L of contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollingRisk {
    /// √(Σ (z_i − z̄)²/(n − 1)).
    Deviation,
    /// The CVaR of the loss at the level of the run.
    Cvar,
}

/// A statistic over the contracts that expired last.
#[derive(Debug, Clone, PartialEq)]
pub struct Rolling<'a> {
    /// How many contracts a window has.
    pub contracts: usize,
    /// Of every strategy the mean over its seeds, at the expiry of the last contract of each window.
    pub curves: Vec<Curve<'a>>,
}

impl<'a> TearSheet<'a> {
    /// The risk of the strategies that `wanted` takes, over as many contracts as expire in a year, at least 20 and at most half of
    /// them all; none of a run with fewer than [`LEAST_CONTRACTS`].
    pub fn rolling(&self, risk: RollingRisk, wanted: impl Fn(&str) -> bool) -> Option<Rolling<'a>> {
        let by_strategy = self.contracts.by_strategy();
        let expiries = &by_strategy.first()?.1.first()?.expiry;
        let count = expiries.len();
        if count < LEAST_CONTRACTS {
            return None;
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|&contract| expiries[contract]);
        let (first, last) = (expiries[order[0]], expiries[order[count - 1]]);
        let years = (last - first).num_days() as f64 / 365.25;
        let yearly = (count as f64 / years.max(1.0)).round() as usize;
        let contracts = yearly.max(LEAST_WINDOW).min(count / 2);
        let ends: Vec<usize> = (contracts..=count).collect();
        let ends = thinned(&ends, MOST_WINDOWS);
        let of = |seed: &BacktestBook| -> Vec<f64> {
            let pnl: Vec<f64> = order.iter().map(|&contract| seed.pnl[contract]).collect();
            let windows = ends.iter().map(|&end| &pnl[end - contracts..end]);
            let risks = windows.map(|window| match risk {
                RollingRisk::Deviation => deviation(window),
                RollingRisk::Cvar => cvar(window, self.level),
            });
            risks.collect()
        };
        let wanted = by_strategy.iter().filter(|(strategy, _)| wanted(strategy));
        let curves = wanted.map(|(strategy, seeds)| {
            let risks: Vec<Vec<f64>> = seeds.iter().map(|seed| of(seed)).collect();
            let point = |(place, &end): (usize, &usize)| -> (NaiveDate, f64) {
                let sum: f64 = risks.iter().map(|risks| risks[place]).sum();
                (expiries[order[end - 1]], sum / risks.len() as f64)
            };
            (*strategy, ends.iter().enumerate().map(point).collect())
        });
        Some(Rolling {
            contracts,
            curves: curves.collect(),
        })
    }
}

/// The sample's standard deviation of at least two numbers.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0)).sqrt()
}
