//! Past days of returns and surfaces, in another order: the settings and what the rest of the program asks of them.

mod paths;

use super::dynamics::{Draw, Dynamics, Estimate, Limit, PastFile, not_estimated, spread_limit};
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::surface_pricer::{Known, SurfacePricer, staying};
use super::variance::VarianceProcess;
use crate::error::Result;
use crate::market::estimation::{ConstantVariance, VarianceFilter};
use crate::market::past_surfaces::{Cumulants, PastSurfaces, TRADING_DAYS};
use crate::pricing::SurfaceFactors;
use crate::random::{Factor, Shocks};
use crate::simd::{Real, dispatch};
use paths::{BootstrapBlock, Move};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Paths of spot and implied-volatility surface that are made of past days.
///
/// A path begins with the surface of a random past day J, its factors multiplied by e^{ηN}. Every step takes what happened from day J to the
/// next, rescaled to the volatility σ of the path now (at the money, over one month) from that of the day, σ_J:
///
/// ```text
/// ln S     += z_J σ/√252 − K(σ/√252) + (r − q)/252,      z_J = r_J √252/σ_J less its mean over days of like volatility
/// ln β₁    += Δ ln β₁(J)  within ±b
/// β_2…5    += Δβ_2…5(J) · c,      c = σ/σ_J within [c₋, c₊]
/// ```
///
/// Then J is the next day or, with probability p and at the last day of the past, one whose volatility is near that of the path now: of a rank
/// within a share w of all days of its rank. K is the logarithm of the mean of e^{zs} over all days ([`Cumulants`]), so that the discounted
/// spot is a martingale over a step that takes any day with the same chance. Means are those of days within [`CENTRED`] of all days in rank of
/// their volatility, so that no level of volatility has a drift of its own. What returns have of serial dependence is left in.
///
/// Steps of another length h than a trading day move returns by √(252 h) times as much, and factors too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SurfaceBootstrapParameters {
    /// A file of closes and implied-volatility surfaces with the columns date, close, level, slope, moneyness, smile and smirk, of which
    /// paths are made; relative paths count from the strategy file. On history every window takes the days that it knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Surfaces", extend("x-default" = "`backtest.surface` before the first sale"))]
    pub surface: Option<PathBuf>,
    /// The first day that is taken from the file, such as 1996-01-05.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "First day of surfaces", extend("x-default" = "the first of the file"))]
    pub surface_from: Option<String>,
    /// The last day that is taken from the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Last day of surfaces", extend("x-default" = "the last of the file"))]
    pub surface_to: Option<String>,
    /// The standard deviation η of the logarithm of what the first surface of a path is multiplied by.
    #[schemars(title = "Scatter of the first surface", range(min = 0.0, max = 1.0))]
    pub start_scatter: f64,
    /// The chance p that a day is followed by one like it rather than by the next.
    #[schemars(title = "Chance of a jump to another day", range(min = 0.0, max = 1.0), extend("x-unit" = "per day"))]
    pub jump_chance: f64,
    /// How far the rank of that day's volatility may be from the present one's, w, as a share of all days.
    #[schemars(title = "Width in rank of a jump", range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub rank_width: f64,
    /// The greatest change b of the logarithm of the level in a day.
    #[schemars(title = "Greatest change of the level", range(max = 5.0), extend("exclusiveMinimum" = 0.0))]
    pub level_bound: f64,
    /// The least factor c₋ by which changes of the other factors are rescaled.
    #[schemars(title = "Least rescaling", range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub least_scale: f64,
    /// The greatest factor c₊ by which changes of the other factors are rescaled.
    #[schemars(title = "Greatest rescaling", range(min = 1.0, max = 100.0))]
    pub greatest_scale: f64,
    /// The variance now, for prices; none for the mean of the past.
    #[serde(skip)]
    now: Option<f64>,
    #[serde(skip)]
    days: Known<Days>,
}

impl Default for SurfaceBootstrapParameters {
    fn default() -> Self {
        Self {
            surface: None,
            surface_from: None,
            surface_to: None,
            start_scatter: 0.3,
            jump_chance: 0.1,
            rank_width: 0.05,
            level_bound: 0.7,
            least_scale: 0.3,
            greatest_scale: 3.0,
            now: None,
            days: Known::default(),
        }
    }
}

/// Past days as paths are made of them: of every day that another one follows.
#[derive(Debug)]
struct Days {
    /// What happens until the next day.
    moves: Vec<Move>,
    /// The surface of the day.
    surfaces: Vec<SurfaceFactors>,
    /// The volatilities of the days in increasing order.
    sorted: Vec<f32>,
    /// The days in the order of their volatilities.
    order: Vec<u32>,
    /// K.
    cumulants: Cumulants,
    /// The mean of the surfaces, at which options are priced.
    reference: SurfaceFactors,
    /// The mean of the variances.
    variance: f64,
}

/// How far days may be in rank of volatility, as a share of all days, to have a mean return together.
const CENTRED: f64 = 0.1;

/// The values less their means over those whose place in `order` is within [`CENTRED`] of all, and then less the mean that is left.
fn centred(values: &[f64], order: &[u32]) -> Vec<f64> {
    let n = values.len();
    let reach = ((CENTRED * n as f64) as usize).max(1);
    let mut sums = vec![0.0];
    for day in order {
        sums.push(sums[sums.len() - 1] + values[*day as usize]);
    }
    let mut centred = vec![0.0; n];
    for (rank, day) in order.iter().enumerate() {
        let (first, end) = (rank.saturating_sub(reach), (rank + reach + 1).min(n));
        let mean = (sums[end] - sums[first]) / (end - first) as f64;
        centred[*day as usize] = values[*day as usize] - mean;
    }
    let left = centred.iter().sum::<f64>() / n as f64;
    for value in &mut centred {
        *value -= left;
    }
    centred
}

impl Days {
    fn new(past: &PastSurfaces) -> Self {
        let z: Vec<f64> = past.standardised().collect();
        let volatilities: Vec<f64> = past.volatilities().take(z.len()).collect();
        let mut order: Vec<u32> = (0..z.len() as u32).collect();
        order.sort_by(|a, b| volatilities[*a as usize].total_cmp(&volatilities[*b as usize]));
        let z = centred(&z, &order);
        let weight = 1.0 / z.len() as f64;
        let pairs = past.surfaces().windows(2);
        let moves = z.iter().zip(pairs).zip(&volatilities);
        let moves = moves.map(|((z, pair), volatility)| {
            let [before, after] = [pair[0].to_array(), pair[1].to_array()];
            Move {
                z: *z as f32,
                log_level: (after[0] / before[0]).ln() as f32,
                others: std::array::from_fn(|i| (after[i + 1] - before[i + 1]) as f32),
                per_volatility: (1.0 / volatility) as f32,
            }
        });
        Self {
            moves: moves.collect(),
            surfaces: past.surfaces()[..z.len()].to_vec(),
            sorted: order
                .iter()
                .map(|day| volatilities[*day as usize] as f32)
                .collect(),
            order,
            cumulants: Cumulants::new(z.iter().map(|z| (*z, weight))),
            reference: past.mean_surface(),
            variance: past.mean_variance(),
        }
    }

    /// The day of a rank within `width` of all days of the rank that `volatility` has, by one word of a draw.
    #[inline(always)]
    fn like(&self, volatility: f32, width: f64, word: u32) -> u32 {
        let n = self.sorted.len();
        let rank = self.sorted.partition_point(|other| *other < volatility);
        let reach = (width * n as f64) as usize;
        let first = rank.saturating_sub(reach).min(n - 1);
        let last = (rank + reach).min(n - 1);
        let place = first + ((u64::from(word) * (last - first + 1) as u64) >> 32) as usize;
        self.order[place]
    }
}

impl SurfaceBootstrapParameters {
    /// The same where any day follows any other with the same chance, so that nothing of the past's order is left.
    #[cfg(test)]
    pub(super) fn of_independent_days(self) -> Self {
        Self {
            jump_chance: 1.0,
            rank_width: 1.0,
            ..self
        }
    }

    fn surface_at(&self, variance: f64) -> SurfaceFactors {
        self.days.expect().reference.with_one_month(variance.sqrt())
    }
}

impl Dynamics for SurfaceBootstrapParameters {
    fn limits(&self, life: f64, _: usize) -> Vec<Limit> {
        if self.days.get().is_none() {
            return vec![Limit::missing("surface")];
        }
        let process = self.variance_process();
        let parameter = ("start_scatter", self.start_scatter);
        spread_limit(&process, life, parameter)
            .into_iter()
            .collect()
    }

    /// Whether the day is followed by one like it, which one, the first day and the first surface's factor: of the last two the first step
    /// alone reads.
    fn factors(&self) -> Vec<Factor> {
        vec![Factor::Own; 4]
    }

    fn longest_step(&self, _: f64) -> f64 {
        1.0 / TRADING_DAYS
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        dispatch(BootstrapBlock {
            settings: self,
            days: self.days.expect(),
            block,
        });
    }

    fn variance_process(&self) -> VarianceProcess {
        let variance = self.now.unwrap_or_else(|| self.days.expect().variance);
        VarianceProcess::Markov(staying(variance))
    }

    fn seen_at(&self, variance: f64) -> Option<Self> {
        Some(Self {
            now: Some(variance),
            ..self.clone()
        })
    }

    fn prices_are_exact(&self) -> bool {
        false
    }

    fn has_surface(&self) -> bool {
        true
    }

    /// A day has no other of the opposite kind.
    fn has_antithetic_paths(&self) -> bool {
        false
    }

    fn past_file(&self) -> Option<PastFile<'_>> {
        Some(PastFile {
            file: self.surface.as_deref(),
            first: self.surface_from.as_deref(),
            last: self.surface_to.as_deref(),
            is_known: self.days.get().is_some(),
        })
    }

    fn past_file_mut(&mut self) -> Option<&mut PathBuf> {
        self.surface.as_mut()
    }

    fn of_past(&self, past: &PastSurfaces) -> Result<Estimate<Self>> {
        Ok(Estimate::given(Self {
            days: Known::new(Days::new(past)),
            ..self.clone()
        }))
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Formula
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(SurfacePricer::new(|v| self.surface_at(v), horizon))
    }

    fn filter(&self, _: f64, _: f64) -> Box<dyn VarianceFilter> {
        Box::new(ConstantVariance(self.variance_process().long_run()))
    }

    fn estimate(_: &[f64], _: f64) -> Result<Estimate<Self>> {
        not_estimated("surface_bootstrap", "it is made of past surfaces")
    }
}

#[cfg(test)]
mod tests;
