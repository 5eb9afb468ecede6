//! Sensitivities of prices that have no formula.

use super::replicates::{Replicates, mean_and_error};
use super::{AtSale, World, simulated};
use crate::contract::{Contract, SeenAsset};
use crate::error::Result;
use crate::market::assets::Assets;
use crate::market::spot_market::Market;
use crate::market::valuation::controls::Controls;
use serde::Serialize;

/// A sensitivity and its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sensitivity {
    /// The sensitivity.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// The sensitivities of a contract's price to one asset.
///
/// # Units
/// Delta in shares, gamma in shares per currency, vega per unit of volatility.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AssetSensitivities {
    /// `∂V/∂S` at constant variance.
    pub delta: Sensitivity,
    /// `∂²V/∂S²` at constant variance.
    pub gamma: Sensitivity,
    /// `∂V/∂√v`, v the instantaneous variance; none under a model that knows of no other variance than its own.
    pub vega: Option<Sensitivity>,
}

/// The change of the spot, in standard deviations of its logarithm until expiry. Wide enough for the gamma of a digital option to
/// be known, and narrow enough to leave an error of less than h²/4 of what an option's delta or gamma changes over one such
/// deviation.
const SPOT_CHANGE: f64 = 0.1;

/// The relative change of the volatility under a closed form.
const SMALL_CHANGE: f64 = 1e-4;

/// The relative change of the volatility.
const VOLATILITY_CHANGE: f64 = 0.05;

/// The sensitivities to every asset of a contract that is no sum of calls and puts.
///
/// Where there is a closed form, they are its own, and vega is its central difference over a ten-thousandth of the volatility;
/// standard errors are 0. Else they are central differences of prices on the same points, with the same coefficients of the same
/// control variates; standard errors are those of the 16 scrambles' differences. The spot moves by a tenth of its standard deviation until expiry, the volatility by a twentieth. Where a payoff is
/// discontinuous, near a barrier above all, delta and gamma are those of the price smoothed over so much.
///
/// # Errors
/// That of `stop`, which is asked again and again.
pub fn sensitivities(
    assets: &Assets,
    contract: &Contract,
    stop: &mut dyn FnMut() -> Result<()>,
) -> Result<Vec<AssetSensitivities>> {
    if let Some(form) = AtSale::new(assets, contract) {
        return Ok(form.sensitivities());
    }
    let world = World::new(assets, contract);
    let controls = Controls::new(&world.assets, contract);
    let base = simulated(&world, contract, stop)?;
    let coefficients = base.coefficients();
    let blocks = base.blocks();
    let base = base.means(&coefficients);
    let mut means = |asset: usize, changed: Market| -> Result<Vec<f64>> {
        let changed = world.assets.with_market(asset, changed);
        let world = World::new(&changed, contract);
        let mut replicates = Replicates::new(&controls);
        replicates.extend(&world, contract, &controls, blocks, stop)?;
        Ok(replicates.means(&coefficients))
    };
    let mut result = Vec::new();
    for (asset, one) in assets.list().iter().enumerate() {
        let market = &one.market;
        let volatility = market.model.initial_volatility();
        let variance = market
            .model
            .mean_variance(volatility.powi(2), contract.expiry);
        let h = SPOT_CHANGE * market.spot * (variance * contract.expiry).sqrt();
        let mut at_spot = |spot: f64| {
            let market = market.clone();
            means(asset, Market { spot, ..market })
        };
        let (above, below) = (at_spot(market.spot + h)?, at_spot(market.spot - h)?);
        let delta = differences(&above, &below, 2.0 * h);
        let bent = base.iter().zip(above.iter().zip(&below));
        let gamma: Vec<f64> = bent
            .map(|(here, (above, below))| (above - 2.0 * here + below) / (h * h))
            .collect();
        let vega = if market.model.follows_variance() {
            let mut at_volatility = |volatility: f64| {
                let model = market.model.seen_at(volatility * volatility);
                let market = market.clone();
                means(asset, Market { model, ..market })
            };
            let change = VOLATILITY_CHANGE * volatility;
            let (above, below) = (
                at_volatility(volatility + change)?,
                at_volatility(volatility - change)?,
            );
            Some(of(&differences(&above, &below, 2.0 * change)))
        } else {
            None
        };
        result.push(AssetSensitivities {
            delta: of(&delta),
            gamma: of(&gamma),
            vega,
        });
    }
    Ok(result)
}

impl AtSale<'_> {
    fn sensitivities(&self) -> Vec<AssetSensitivities> {
        let exact = |value: f64| Sensitivity {
            value,
            standard_error: 0.0,
        };
        let here = self.worth();
        let of = |(asset, seen): (usize, &SeenAsset)| {
            let model = &self.market.model;
            let (volatility, follows) = match self.lognormal {
                true => (seen.volatility, true),
                false => (model.initial_volatility(), model.follows_variance()),
            };
            let change = SMALL_CHANGE * volatility;
            let at = |volatility: f64| {
                if self.lognormal {
                    let mut assets = self.assets.clone();
                    assets[asset].volatility = volatility;
                    return self.lognormal(&assets).price;
                }
                let market = Market {
                    model: model.seen_at(volatility * volatility),
                    ..self.market.clone()
                };
                self.by_log_returns(&market).map_or(f64::NAN, |w| w.price)
            };
            let vega = match asset < self.formula.assets() && change > 0.0 {
                true => (at(volatility + change) - at(volatility - change)) / (2.0 * change),
                false => 0.0,
            };
            let moves = |by: &[f64]| exact(by.get(asset).copied().unwrap_or(0.0));
            AssetSensitivities {
                delta: moves(&here.deltas),
                gamma: moves(&here.gammas),
                vega: follows.then_some(exact(vega)),
            }
        };
        self.assets.iter().enumerate().map(of).collect()
    }
}

fn differences(above: &[f64], below: &[f64], over: f64) -> Vec<f64> {
    let pairs = above.iter().zip(below);
    pairs.map(|(above, below)| (above - below) / over).collect()
}

fn of(scrambles: &[f64]) -> Sensitivity {
    let (value, standard_error) = mean_and_error(scrambles);
    Sensitivity {
        value,
        standard_error,
    }
}
