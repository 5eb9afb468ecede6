//! What a contract is worth under a model, however that is found.

mod controls;
mod exercise;
mod replicates;
mod sensitivities;
#[cfg(test)]
mod tests;

pub use exercise::exercise_rule;
pub use sensitivities::{AssetSensitivities, Sensitivity, sensitivities};

use super::assets::{Asset, Assets};
use super::model::PriceMethod;
use super::path_table::PathTable;
use super::simulator::Simulator;
use super::spot_market::Market;
use crate::contract::{Contract, Formula, Seen, SeenAsset, Spots, Worth};
use crate::error::Result;
use crate::random::{Purpose, Sampling};
use crate::simd::{BLOCK, Lane};
use controls::Controls;
use replicates::{Replicates, mean_and_error};
use serde::{Deserialize, Serialize};

/// The price of a contract under a model, and what is known of its error.
///
/// # Units
/// Currency on the day of the sale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct ContractPrice {
    /// The price.
    pub value: f64,
    /// The standard error of the price; 0 unless it was simulated.
    pub standard_error: f64,
    /// How it came about.
    pub method: PriceMethod,
}

/// The standard error, as a share of the spot, at which a simulation ends.
const ACCURACY: f64 = 1e-4;

/// Where next to no path pays anything unusual, a simulation goes on all the same, to one in so many of the paths that it may
/// take.
const RARE: u64 = 4;

/// The arbitrage-free price of a contract at its sale.
///
/// A sum of calls and puts has the model's own price, by the model's own method, and what has a closed form in a lognormal market has it there, and a
/// variance swap under every model that knows the moments of its log returns. Any other contract is simulated: 16 independent scrambles of Sobol
/// points, each of 2⁹ paths or, until the standard error is below 10⁻⁴ of the spot, of more, up to some 2²⁴ steps of paths in
/// all. Variates whose expectation is known are regressed out: the forward of every asset, calls on it where the model's
/// formula is exact, the mean of its spots, and under geometric Brownian motion their geometric mean. The standard error is
/// that of the 16 means; where fewer than 64 paths pay anything else than the first one, it says nothing, and a quarter of
/// those paths is simulated in any case. The price depends on assets and contract alone. Where paths are given, it is the mean over those that are
/// trained on, once each, with the standard error of independent paths.
///
/// # Errors
/// That of `stop`, which is asked again and again.
///
/// # References
/// A. B. Owen (1997), "Monte Carlo variance of scrambled net quadrature", SIAM Journal on Numerical Analysis 34; P. Glasserman
/// (2004), "Monte Carlo Methods in Financial Engineering", sections 4.1.2 and 5.4.
pub fn model_price(
    assets: &Assets,
    contract: &Contract,
    stop: &mut dyn FnMut() -> Result<()>,
) -> Result<ContractPrice> {
    let market = assets.first();
    if let Some(legs) = contract.legs() {
        return Ok(ContractPrice {
            value: market.price(legs, contract.expiry),
            standard_error: market.standard_error(legs, contract.expiry),
            method: market.model.price_method(),
        });
    }
    if let Some(form) = AtSale::new(assets, contract) {
        return Ok(ContractPrice {
            value: form.worth().price,
            standard_error: 0.0,
            method: PriceMethod::Formula,
        });
    }
    if let Some(given) = market.model.given() {
        return Ok(mean_on_given(given, assets, contract));
    }
    let world = World::new(assets, contract);
    let estimate = simulated(&world, contract, stop)?.estimate();
    Ok(ContractPrice {
        value: estimate.0,
        standard_error: estimate.1,
        method: PriceMethod::Simulation,
    })
}

/// The discounted mean of what `contract` pays on the training paths of a market of given ones.
fn mean_on_given(given: &PathTable, assets: &Assets, contract: &Contract) -> ContractPrice {
    let simulator = Simulator {
        assets: assets.clone(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 0,
        purpose: Purpose::Valuation,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    let count = given.share(Purpose::Valuation).len();
    let payoffs = simulator.payoffs(contract, 0, count);
    let (value, standard_error) = mean_and_error(&payoffs);
    let discount = assets.first().rate.discount(0.0, contract.expiry);
    ContractPrice {
        value: discount * value,
        standard_error: discount * standard_error,
        method: PriceMethod::GivenPaths,
    }
}

/// The closed form of a contract at its sale.
struct AtSale<'a> {
    formula: &'a dyn Formula,
    contract: &'a Contract,
    /// The assets of the market, all of them.
    assets: Vec<SeenAsset>,
    correlation: &'a [Vec<f64>],
    /// The market of the first asset.
    market: &'a Market,
    /// Its rate until expiry.
    rate: f64,
    /// ∫ (r − q) until every date, of each asset.
    carried: Vec<Vec<f64>>,
    /// Whether all assets that the contract depends on are lognormal.
    lognormal: bool,
}

impl<'a> AtSale<'a> {
    /// None without a closed form in this market, and where an asset that the contract depends on is not lognormal, unless moments of log returns
    /// are enough.
    fn new(assets: &'a Assets, contract: &'a Contract) -> Option<Self> {
        let formula = assets
            .formula(contract)
            .filter(|one| one.prices_exactly())?;
        let list = assets.list();
        let models = list.iter().map(|asset| &asset.market.model);
        let lognormal = models
            .take(formula.assets())
            .all(|model| model.lognormal().is_some());
        let seen = |asset: &Asset| SeenAsset {
            spot: asset.market.spot,
            dividend: asset.market.dividend.average(0.0, contract.expiry),
            // What the contract does not depend on counts for nothing.
            volatility: asset.market.model.lognormal().unwrap_or(0.0),
        };
        let form = Self {
            formula,
            contract,
            assets: list.iter().map(seen).collect(),
            correlation: assets.correlation().matrix(),
            market: assets.first(),
            rate: assets.first().rate.average(0.0, contract.expiry),
            carried: assets.carried(contract.steps, contract.dt()),
            lognormal,
        };
        (lognormal || form.by_log_returns(form.market).is_some()).then_some(form)
    }

    /// The price at the sale and its derivatives.
    fn worth(&self) -> Worth {
        if self.lognormal {
            return self.lognormal(&self.assets);
        }
        self.by_log_returns(self.market)
            .expect("it was asked when this was made")
    }

    /// From the moments of the first asset's log returns, if it has this market.
    fn by_log_returns(&self, market: &Market) -> Option<Worth> {
        let dt = self.contract.dt();
        let moments: Option<Vec<(f64, f64)>> = (0..self.contract.steps)
            .map(|date| {
                let elapsed = dt * date as f64;
                let carry = market.carry(elapsed, elapsed + dt);
                market.model.log_return_moments(carry, elapsed, dt)
            })
            .collect();
        let moments = moments?;
        self.seen(&self.assets, |seen| {
            self.formula.by_log_returns(seen, &moments)
        })
    }

    fn lognormal(&self, assets: &[SeenAsset]) -> Worth {
        self.seen(assets, |seen| self.formula.exactly(seen))
    }

    /// What `of` makes of the sale, where running values have seen nothing yet.
    fn seen<T>(&self, assets: &[SeenAsset], of: impl Fn(&Seen<'_>) -> T) -> T {
        let contract = self.contract;
        let dates = contract.steps + 1;
        let still = assets
            .iter()
            .flat_map(|asset| vec![[asset.spot; BLOCK]; dates]);
        let still: Vec<Lane<f64>> = still.collect();
        let state = contract.state(Spots::new(&still, dates, dates));
        let state: Vec<f64> = state.chunks(dates).map(|dates| dates[0][0]).collect();
        of(&Seen {
            assets,
            correlation: self.correlation,
            rate: self.rate,
            carried: &self.carried,
            date: 0,
            steps: contract.steps,
            dt: contract.dt(),
            state: &state,
        })
    }
}

/// Simulates until the price is known as well as [`model_price`] says.
fn simulated(
    world: &World,
    contract: &Contract,
    stop: &mut dyn FnMut() -> Result<()>,
) -> Result<Replicates> {
    let controls = Controls::new(&world.assets, contract);
    let mut replicates = Replicates::new(&controls);
    let goal = ACCURACY * world.assets.first().spot;
    let mut blocks = replicates::LEAST_BLOCKS;
    loop {
        replicates.extend(world, contract, &controls, blocks, stop)?;
        let most = match replicates.is_spread() {
            true if replicates.estimate().1 <= goal => blocks,
            true => world.most_blocks(),
            false => world.most_blocks() / RARE,
        };
        if 2 * blocks > most {
            return Ok(replicates);
        }
        blocks *= 2;
    }
}

/// The assets that a contract is simulated on, and their grid.
#[derive(Debug, Clone)]
struct World {
    assets: Assets,
    steps: usize,
    dt: f64,
}

impl World {
    fn new(assets: &Assets, contract: &Contract) -> Self {
        Self {
            assets: assets.clone(),
            steps: contract.steps,
            dt: contract.dt(),
        }
    }

    /// The simulator of one scramble.
    fn simulator(&self, scramble: usize) -> Simulator {
        Simulator {
            assets: self.assets.clone(),
            steps: self.steps,
            dt: self.dt,
            seed: scramble as u64,
            purpose: Purpose::Valuation,
            sampling: Sampling::Sobol,
            family: None,
        }
    }

    /// Blocks of a scramble beyond which a simulation takes longer than it should.
    fn most_blocks(&self) -> u64 {
        let factors = |asset: &Asset| asset.market.model.factors().len();
        let factors: usize = self.assets.list().iter().map(factors).sum();
        let substeps = self.assets.substeps(self.dt, self.steps);
        replicates::most_blocks(factors * substeps * self.steps)
    }
}
