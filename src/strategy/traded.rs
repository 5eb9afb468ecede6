//! What a plan trades: costs, ledgers and prices of the instruments.

use super::Plan;
use super::contract::Premium;
use crate::contract::{Charge, Cost, Costs, Instrument};
use crate::error::Result;
use crate::hedging::{Functionals, Ledger};
use crate::market::{Assets, Layout, Market, Quotes};
use std::sync::Arc;

impl Plan {
    /// What trading every instrument costs, the spot first.
    pub fn charges(&self) -> Vec<Charge> {
        self.instruments.iter().map(|&(_, charge)| charge).collect()
    }

    /// Whether trading anything costs something.
    pub fn trading_costs(&self) -> bool {
        self.instruments.iter().any(|(_, charge)| !charge.is_free())
    }

    /// Whether a cost, a feature, the action or the hedge that it departs from depends on the state of an option beside its price.
    fn asks_of_options(&self) -> bool {
        let mut charges = self.instruments.iter();
        charges.any(|(_, charge)| charge.asks_of_options())
            || self.reference.is_some_and(|hedge| hedge.needs().option)
            || self.features.ask_options()
            || self.actor().nets_options()
    }

    /// Whether a feature or the action depends on the answers of a benchmark.
    pub(super) fn asks_benchmark(&self) -> bool {
        self.features.ask_benchmark() || self.actor().asks().answers()
    }

    /// Whether training has jumps of costs to smooth.
    pub fn smooths_costs(&self) -> bool {
        let mut charges = self.instruments.iter();
        charges.any(|(_, charge)| charge.smoothed(1.0) != *charge)
    }

    /// What trading the spot costs.
    pub fn spot_charge(&self) -> Charge {
        self.instruments[0].1
    }

    /// The ledger of the contract in `market`, sold for `premium`.
    pub fn ledger(&self, market: &Market, premium: f64) -> Ledger {
        self.ledger_at(market, premium, |charge| charge)
            .with_financing(self.financing)
    }

    /// The ledger of [`Self::ledger`] where trading is free and all cash grows at the rate.
    pub fn ledger_without_costs(&self, market: &Market) -> Ledger {
        self.ledger_at(market, 0.0, |_| Charge::default())
    }

    /// The ledger of the contract in the strategy's own market, where each is sold for its premium.
    pub fn ledger_of_sale(&self) -> Ledger {
        if self.sells_at_surfaces() {
            let ledger = self.ledger(&self.market, 0.0);
            return ledger.sold_at_surfaces(&self.market);
        }
        match self.premiums_in(&self.assets()) {
            None => self.ledger(&self.market, self.model_premium()),
            Some(premiums) => self.ledger(&self.market, 0.0).with_premiums(premiums),
        }
    }

    /// Whether simulated contracts are each sold at the implied-volatility surface of their own path.
    pub fn sells_at_surfaces(&self) -> bool {
        self.premium == Premium::Model && self.market.model.has_surface()
    }

    fn ledger_at(&self, market: &Market, premium: f64, at: impl Fn(Charge) -> Charge) -> Ledger {
        let costs = Costs {
            spot: at(self.spot_charge()),
            liquidation: self.liquidation,
        };
        let further = self.instruments[1..].iter();
        let assets = self.several.iter().flat_map(|several| &several.list()[1..]);
        let dividends = assets.map(|asset| &asset.market.dividend);
        let ledger = further.fold(
            Ledger::new(self.contract.clone(), costs, market, premium).with_assets(dividends),
            |ledger, &(instrument, charge)| ledger.with_instrument(instrument, at(charge)),
        );
        if self.cost_schedule.is_flat() {
            return ledger;
        }
        let days = self.contract.dt() * self.tenor.days_per_year;
        let factor = |t: usize| self.cost_schedule.factor(days * t as f64);
        let factors: Vec<f64> = (0..=self.contract.steps).map(factor).collect();
        ledger.with_cost_factors(&factors)
    }

    /// What is known of paths before a policy hedges them; `ledger` settles them, and money is counted in `unit`.
    pub fn functionals(&self, ledger: Ledger, unit: f64) -> Functionals {
        let held = (self.asks_benchmark(), self.reference.is_some());
        Functionals::new(ledger, &self.features, &self.instruments(), unit, held)
    }

    /// What is sold, by its name in strategies.
    pub fn contract_type(&self) -> &'static str {
        self.strategy.contract.product.name()
    }

    /// What is traded, the spot first.
    pub fn instruments(&self) -> Vec<Instrument> {
        self.instruments
            .iter()
            .map(|&(instrument, _)| instrument)
            .collect()
    }

    /// What people call the instruments, in their order; those of several assets by the names of these.
    pub fn instrument_names(&self) -> Vec<String> {
        let assets = self.assets();
        let instruments = self.instruments.iter();
        instruments
            .map(|(instrument, _)| assets.label(*instrument))
            .collect()
    }

    /// What columns of the instruments are called, in their order: `spot`, `option_1` and so on or, of several assets, what
    /// [`Assets::column`] calls them.
    pub fn instrument_columns(&self) -> Vec<String> {
        let assets = self.assets();
        let instruments = self.instruments.iter().enumerate();
        instruments
            .map(|(number, (instrument, _))| match (assets.count(), number) {
                (1, 0) => "spot".to_owned(),
                (1, _) => format!("option_{number}"),
                _ => assets.column(*instrument),
            })
            .collect()
    }

    /// The names of the assets that the contract depends on and nothing that is traded does.
    pub fn untraded(&self) -> Vec<String> {
        let traded = |asset: &usize| self.instruments.iter().any(|one| one.0.asset() == *asset);
        let assets = self.assets();
        let missing = self.contract.depends_on().into_iter();
        missing
            .filter(|asset| !traded(asset))
            .map(|asset| assets.list()[asset].name.clone())
            .collect()
    }

    /// What a block of paths holds.
    pub fn layout(&self) -> Layout {
        let layout = Layout::of_market(&self.assets(), self.contract.steps)
            .with_option_states(self.asks_of_options())
            .with_receipts(!self.financing.is_free());
        let layout = layout.trading(&self.instruments()).under(&self.contract);
        let layout = layout.answered(self.asks_benchmark());
        layout.hedged(self.reference.is_some())
    }

    /// The model's prices of the instruments in the strategy's own market, with all else that a policy needs of paths.
    ///
    /// # Errors
    /// Those of a regression, where the policy sees the answers of one or departs from its positions.
    pub fn quotes(&self) -> Result<Arc<Quotes>> {
        self.quotes_in(&self.assets())
    }

    /// The model's prices of the instruments in the market of `assets`, with all else that a policy needs of paths.
    ///
    /// # Errors
    /// Those of a regression, where the policy sees the answers of one or departs from its positions.
    pub fn quotes_in(&self, assets: &Assets) -> Result<Arc<Quotes>> {
        let quotes = self.market_quotes(assets);
        self.check_surface(&quotes)?;
        let mut quotes = self.answered(assets, Quotes::clone(&quotes))?;
        if let Some(hedge) = self.benchmark_hedge(assets)? {
            quotes = quotes.hedged_by(hedge);
        }
        Ok(Arc::new(quotes))
    }

    /// The same prices with what the benchmark says of the contract on paths whose market is that of `assets`, where it is asked.
    pub(super) fn answered(&self, assets: &Assets, quotes: Quotes) -> Result<Quotes> {
        Ok(match self.benchmark(assets)? {
            Some(answers) => quotes.answered_by(answers),
            None => quotes,
        })
    }

    /// The model's prices of the instruments in the market of `assets`, and what the contract makes of paths.
    pub fn market_quotes(&self, assets: &Assets) -> Arc<Quotes> {
        let quotes = self
            .quotes
            .of(assets, &self.contract, &self.instruments(), &mut || Ok(()))
            .expect("who never asks to stop is never stopped");
        let (states, receipts) = (self.asks_of_options(), !self.financing.is_free());
        if !states && !receipts {
            return quotes;
        }
        let quotes = Quotes::clone(&quotes).with_option_states(states);
        Arc::new(quotes.with_receipts(receipts))
    }

    /// Makes the prices of [`Self::quotes`] beforehand, which can take minutes for options on many dates.
    ///
    /// # Errors
    /// That of `stop`, which is asked again and again.
    pub fn make_quotes(&self, stop: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        self.quotes
            .of(&self.assets(), &self.contract, &self.instruments(), stop)
            .map(|_| ())
    }
}
