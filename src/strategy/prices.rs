//! What the contract is worth, and sold for.

use super::Plan;
use super::contract::Premium;
use crate::contract::Contract;
use crate::error::Result;
use crate::market::Assets;
use crate::market::valuation::{ContractPrice, model_price};
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

impl Plan {
    /// The model's price of the contract in the strategy's own market, and how it came about.
    ///
    /// # Errors
    /// That of `stop`, which is asked again and again where the price is simulated.
    pub fn model_price(&self, stop: &mut dyn FnMut() -> Result<()>) -> Result<ContractPrice> {
        self.prices.of(&self.assets(), &self.contract, stop)
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

    fn price_in(&self, assets: &Assets) -> ContractPrice {
        let price = self.prices.of(assets, &self.contract, &mut || Ok(()));
        price.expect("who never asks to stop is never stopped")
    }
}
