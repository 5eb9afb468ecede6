//! What the contract is worth, and sold for.

use super::Plan;
use super::contract::Premium;
use crate::contract::{Contract, Family, Member};
use crate::error::Result;
use crate::market::Assets;
use crate::market::valuation::{ContractPrice, model_price};
use crate::random::{Purpose, Stream};
use crate::simd::BLOCK;
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

    /// The premium in the strategy's own market.
    pub fn model_premium(&self) -> f64 {
        self.premium_in(&self.assets())
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
