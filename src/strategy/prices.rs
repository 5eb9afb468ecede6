//! What the contract is worth, and sold for.

use super::Plan;
use super::contract::Premium;
use crate::contract::{Contract, Family, Member};
use crate::error::Result;
use crate::market::valuation::{ContractPrice, model_price};
use crate::market::{Assets, Simulator};
use crate::random::{Purpose, Stream};
use crate::simd::BLOCK;
use std::f64::consts::FRAC_PI_2;
use std::sync::{Arc, Mutex, PoisonError};

/// Prices that a simulation found, by assets and contract.
type Known = Vec<(Assets, Contract, ContractPrice)>;

/// The prices that a plan simulated, each of which takes up to a second or so. Clones of a plan share them.
#[derive(Debug, Clone, Default)]
pub(super) struct PriceCache(Arc<Mutex<Known>>);

/// Prices that are kept.
const KEPT: usize = 1024;

impl PriceCache {
    fn of(
        &self,
        assets: &Assets,
        contract: &Contract,
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<ContractPrice> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known
            .iter()
            .find(|(of, what, _)| of == assets && what == contract);
        if let Some((_, _, price)) = found {
            return Ok(*price);
        }
        let price = model_price(assets, contract, stop)?;
        if price.method.is_simulated() {
            if known.len() == KEPT {
                known.clear();
            }
            known.push((assets.clone(), contract.clone(), price));
        }
        Ok(price)
    }
}

/// The prices of the contracts of families, by their assets. Clones of a plan share them.
#[derive(Debug, Clone, Default)]
pub(super) struct FamilyPrices(Arc<Mutex<Vec<FamilyPrice>>>);

/// Assets, a family in their market, and the prices of its contracts.
type FamilyPrice = (Assets, Arc<Family>, Arc<[ContractPrice]>);

impl FamilyPrices {
    fn of(
        &self,
        prices: &PriceCache,
        assets: &Assets,
        family: &Arc<Family>,
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Arc<[ContractPrice]>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known
            .iter()
            .find(|(of, what, _)| Arc::ptr_eq(what, family) && of == assets);
        if let Some((_, _, prices)) = found {
            return Ok(Arc::clone(prices));
        }
        let mut price = |member: &Member| match member.variance {
            None => prices.of(assets, &member.contract, stop),
            Some(variance) => prices.of(&assets.from_variance(variance), &member.contract, stop),
        };
        let made = family.members().iter().map(&mut price);
        let made: Arc<[ContractPrice]> = made.collect::<Result<Vec<_>>>()?.into();
        known.push((assets.clone(), Arc::clone(family), Arc::clone(&made)));
        Ok(made)
    }
}

impl Plan {
    /// The model's price of the contract in the strategy's own market, and how it came about.
    ///
    /// # Errors
    /// That of `stop`, which is asked again and again where the price is simulated.
    pub fn model_price(&self, stop: &mut dyn FnMut() -> Result<()>) -> Result<ContractPrice> {
        self.price(&self.assets(), stop)
    }

    /// The premium in the strategy's own market; where each contract is sold at the surface of its own path, the mean over 4,096 of these.
    pub fn model_premium(&self) -> f64 {
        if self.sells_at_surfaces() {
            return self.mean_premium();
        }
        self.premium_in(&self.assets())
    }

    /// The mean premium of simulated contracts, the same ones for every seed.
    fn mean_premium(&self) -> f64 {
        const PATHS: usize = 4096;
        const SEED: u64 = 0;
        // How a path begins does not depend on how long it is.
        let simulator = Simulator {
            steps: 1,
            ..self.simulator(SEED, Purpose::Unit)
        };
        let (paths, ledger) = (simulator.paths::<f64>(0, PATHS), self.ledger_of_sale());
        let blocks = (0..paths.blocks()).map(|block| paths.block(block));
        let premiums = blocks.flat_map(|block| {
            let premium = |lane: usize| ledger.premium(&block, lane);
            (0..BLOCK).map(premium).collect::<Vec<f64>>()
        });
        premiums.sum::<f64>() / PATHS as f64
    }

    /// The model's price for which the contract is sold in the strategy's own market; none if its premium is an amount.
    pub fn priced_premium(&self) -> Option<ContractPrice> {
        match self.premium {
            Premium::Model => Some(self.price_in(&self.assets())),
            Premium::Amount(_) => None,
        }
    }

    /// The premium in the market of `assets`.
    pub fn premium_in(&self, assets: &Assets) -> f64 {
        match self.premium {
            Premium::Model => self.price_in(assets).value,
            Premium::Amount(amount) => amount,
        }
    }

    /// The premiums of contracts that are sold at `variances` of an asset, where `market` says what the market is at one.
    ///
    /// Where the model's price is simulated and there are many variances, it is simulated at 12 of them, the Chebyshev points of √v
    /// between the least and the greatest, and the premiums are those of the polynomial through these prices: a price is a smooth
    /// function of the variance, and all are simulated on the same points. Three of the premiums, spread over the variances, are
    /// simulated beside; if one of them is not met within two standard errors, every premium is simulated.
    pub fn premiums(&self, variances: &[f64], market: impl Fn(f64) -> Assets) -> Vec<f64> {
        const NODES: usize = 12;
        const CHECKS: usize = 3;
        let each = || {
            variances
                .iter()
                .map(|v| self.premium_in(&market(*v)))
                .collect()
        };
        let mut sorted = variances.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        let simulated = || self.price_in(&market(sorted[0])).method.is_simulated();
        if self.premium != Premium::Model || sorted.len() <= 2 * (NODES + CHECKS) || !simulated() {
            return each();
        }
        let roots = (sorted[0].sqrt(), sorted[sorted.len() - 1].sqrt());
        let premium = Chebyshev::new(NODES, roots, |root| self.premium_in(&market(root * root)));
        let checked = (0..CHECKS).all(|check| {
            let variance = sorted[(2 * check + 1) * sorted.len() / (2 * CHECKS)];
            let price = self.price_in(&market(variance));
            (premium.at(variance.sqrt()) - price.value).abs() <= 2.0 * price.standard_error
        });
        match checked {
            true => variances.iter().map(|v| premium.at(v.sqrt())).collect(),
            false => each(),
        }
    }

    /// The number of the contract of `family` that is sold at sale number `sale` of a history.
    pub fn drawn_at(&self, family: &Family, sale: usize) -> usize {
        let (block, lane) = ((sale / BLOCK) as u64, sale % BLOCK);
        family.drawn(Stream::new(self.seed, Purpose::Sales).draw(block, 0)[0][lane])
    }

    /// The premium at sale number `sale` of a history, in the market of `assets`.
    pub fn premium_of_sale(&self, assets: &Assets, sale: usize) -> f64 {
        let family = self.contract.family();
        match (self.premium, family) {
            (Premium::Amount(amount), _) => amount,
            (Premium::Model, None) => self.price_in(assets).value,
            (Premium::Model, Some(family)) => {
                let member = &family.members()[self.drawn_at(family, sale)];
                let price = self.prices.of(assets, &member.contract, &mut || Ok(()));
                let price = price.expect("who never asks to stop is never stopped");
                price.value
            }
        }
    }

    fn price_in(&self, assets: &Assets) -> ContractPrice {
        let price = self.price(assets, &mut || Ok(()));
        price.expect("who never asks to stop is never stopped")
    }

    /// The price of the contract, of a family their mean.
    fn price(
        &self,
        assets: &Assets,
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<ContractPrice> {
        let Some(family) = self.contract.family() else {
            return self.prices.of(assets, &self.contract, stop);
        };
        let prices = self.families.of(&self.prices, assets, family, stop)?;
        let n = prices.len() as f64;
        let squares: f64 = prices.iter().map(|one| one.standard_error.powi(2)).sum();
        Ok(ContractPrice {
            value: prices.iter().map(|one| one.value).sum::<f64>() / n,
            standard_error: squares.sqrt() / n,
            method: prices[0].method,
        })
    }

    /// What each contract of a family is sold for in the market of `assets`; none if there is no family.
    pub fn premiums_in(&self, assets: &Assets) -> Option<Arc<[f64]>> {
        let family = self.contract.family()?;
        let count = family.members().len();
        Some(match self.premium {
            Premium::Amount(amount) => vec![amount; count].into(),
            Premium::Model => {
                let prices = self
                    .families
                    .of(&self.prices, assets, family, &mut || Ok(()));
                let prices = prices.expect("who never asks to stop is never stopped");
                prices.iter().map(|price| price.value).collect()
            }
        })
    }
}

/// The polynomial through the values of a function at Chebyshev points of an interval.
///
/// # References
/// Berrut and Trefethen (2004), "Barycentric Lagrange interpolation", SIAM Review 46, equations 4.2 and 5.3.
struct Chebyshev {
    /// Points, barycentric weights and values.
    points: Vec<[f64; 3]>,
}

impl Chebyshev {
    /// Through the values of `of` at `count` points between `low` and `high`.
    fn new(count: usize, (low, high): (f64, f64), of: impl Fn(f64) -> f64) -> Self {
        let point = |k: usize| {
            let (sine, cosine) = (FRAC_PI_2 * (2 * k + 1) as f64 / count as f64).sin_cos();
            let point = 0.5 * (low + high) + 0.5 * (high - low) * cosine;
            let sign = if k.is_multiple_of(2) { 1.0 } else { -1.0 };
            [point, sign * sine, of(point)]
        };
        Self {
            points: (0..count).map(point).collect(),
        }
    }

    fn at(&self, x: f64) -> f64 {
        let (mut above, mut below) = (0.0, 0.0);
        for &[point, weight, value] in &self.points {
            if x == point {
                return value;
            }
            let share = weight / (x - point);
            above += share * value;
            below += share;
        }
        above / below
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Market;

    /// Twelve points give a polynomial of degree 11 back, and ln x on [1, 4] to 1e-6.
    #[test]
    fn polynomials_are_met() {
        let power = |x: f64| (x - 2.0).powi(11) + x;
        let log = Chebyshev::new(12, (1.0, 4.0), f64::ln);
        let exact = Chebyshev::new(12, (1.0, 4.0), power);
        for k in 0..=30 {
            let x = 1.0 + 0.1 * f64::from(k);
            assert!((exact.at(x) - power(x)).abs() < 1e-8, "{x}");
            assert!((log.at(x) - x.ln()).abs() < 1e-6, "{x}");
        }
    }

    /// Premiums at forty variances under Heston are those of a simulation for each within two standard errors, and take the
    /// simulations of twelve variances, three more, and of one that is asked whether it is simulated at all.
    #[test]
    fn premiums_at_many_variances_are_simulated_at_few() {
        let plan = Plan::parse(
            "market = { model = \"heston\", v0 = 0.04, kappa = 2.0, theta = 0.04, sigma = 0.5, rho = -0.7 }\n\
             contract = { type = \"asian_call\", expiry_days = 21, days_per_year = 252, steps = 7 }",
            |_| {},
        )
        .unwrap();
        let market = |variance: f64| -> Assets {
            let model = plan.market.model.seen_at(variance);
            Market {
                model,
                ..plan.market.clone()
            }
            .into()
        };
        let variances: Vec<f64> = (0..40).map(|k| 0.005 * 1.09f64.powi(k)).collect();
        let premiums = plan.premiums(&variances, market);
        assert_eq!(plan.prices.0.lock().unwrap().len(), 12 + 3 + 1);
        for k in [1, 10, 20, 38] {
            let price = plan.price_in(&market(variances[k]));
            let gap = (premiums[k] - price.value).abs();
            assert!(gap <= 2.0 * price.standard_error, "{gap}: {price:?}");
        }
    }
}
