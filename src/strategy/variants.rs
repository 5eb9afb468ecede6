//! Plans made of a plan: with other settings, in other markets, for other lives.

use super::Plan;
use super::classical::Regressions;
use super::file::Strategy;
use super::instruments::QuoteCache;
use super::optimizer::OptimizerPlan;
use super::walk_forward::WalkForwardPlan;
use crate::contract::Instrument;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::market::Assets;
use crate::network::{AssetScale, Features};

impl Plan {
    /// The plan of the same strategy after `change`.
    ///
    /// # Errors
    /// [`Error::Setting`]: the key, the value and its bound.
    pub fn changed(&self, change: impl FnOnce(&mut Strategy)) -> Result<Self> {
        let mut strategy = self.strategy.clone();
        change(&mut strategy);
        let mut plan = Self::new(strategy)?;
        // Quotes are those of the same market, contract and instruments, or are made anew.
        plan.quotes = self.quotes.clone();
        plan.prices = self.prices.clone();
        plan.families = self.families.clone();
        plan.regressions = self.regressions.clone();
        plan.ranks = self.ranks.clone();
        Ok(plan)
    }

    /// The same plan, carried out by `ranks` together.
    ///
    /// Regressions are made by all of them, once. So it keeps none that others have made, which some of the ranks may not have.
    #[must_use]
    pub fn with_ranks(&self, ranks: Ranks) -> Self {
        let regressions = match self.ranks == ranks {
            true => self.regressions.clone(),
            false => Regressions::default(),
        };
        Self {
            ranks,
            regressions,
            ..self.clone()
        }
    }

    /// The plan with those optimizers alone that are wanted.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn with_optimizers(&self, wanted: impl Fn(&str) -> bool) -> Result<Self> {
        self.changed(|strategy| strategy.optimizers.retain(|name, _| wanted(name)))
    }

    /// The plan with `optimizer` in the place of the one of its name.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn with_optimizer(&self, optimizer: &OptimizerPlan) -> Result<Self> {
        self.changed(|strategy| {
            if let Some(section) = strategy.optimizers.get_mut(&optimizer.name) {
                *section = optimizer.written_into(section);
            }
        })
    }

    /// The plan with a walk-forward: that of its strategy, or the default one if it has none.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn with_walk_forward(&self) -> Result<(Self, WalkForwardPlan)> {
        let section = self.strategy.walk_forward.clone().unwrap_or_default();
        let walk = WalkForwardPlan::new(&section)?;
        let plan = self.changed(|strategy| strategy.walk_forward = Some(section))?;
        Ok((plan, walk))
    }

    /// The strategy in its own market, called `own`, and in each further one under its name.
    ///
    /// # Errors
    /// In one line: the market, the key, the value and its bound.
    pub fn markets(&self) -> Result<Vec<(String, Self)>> {
        let mut plans = vec![("own".to_string(), self.clone())];
        for (name, change) in &self.strategy.markets {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let section = format!("markets.{name}");
            if name == "own" || name.is_empty() || !name.chars().all(plain) {
                return Err(Error::key(
                    section,
                    ": a name must be of letters, digits, - and _, and not \"own\"",
                ));
            }
            let market = self.strategy.market.changed(change, &section)?;
            let plan = self.changed(|strategy| strategy.market = market);
            plans.push((name.clone(), plan.map_err(|error| error.at(&section))?));
        }
        Ok(plans)
    }

    /// The same plan in another market of the same assets.
    ///
    /// # Panics
    /// If there are more or fewer of them.
    #[must_use]
    pub fn in_market(&self, assets: &Assets) -> Self {
        assert_eq!(assets.count(), self.assets().count());
        Self {
            market: assets.first().clone(),
            several: self.several.as_ref().map(|_| assets.clone()),
            ..self.clone()
        }
    }

    /// The same plan in the market of one asset, for what is asked of that asset alone.
    #[must_use]
    pub fn of_asset(&self, asset: usize) -> Self {
        Self {
            market: self.assets().market(asset).clone(),
            several: None,
            quotes: QuoteCache::default(),
            ..self.clone()
        }
    }

    /// The same plan where policies see what those that `origin` trained were shown: the scales and the benchmark of its market,
    /// and this plan's contract.
    ///
    /// # Errors
    /// Those of [`Self::seen`].
    pub fn seen_as_by(&self, origin: &Self) -> Result<Self> {
        let shown = origin.seen()?;
        let further = self.features.further.iter().zip(&shown.further);
        let further = further.map(|(here, trained)| AssetScale {
            spot: here.spot,
            ..*trained
        });
        Ok(Self {
            features: Features {
                strike: self.features.strike,
                further: further.collect(),
                ..Features::clone(&shown)
            },
            assumed: Some(origin.assets()),
            ..self.clone()
        })
    }

    /// The same strategy for a contract that lives for `years` in `steps` periods; options that hedge keep their
    /// distance from its expiry.
    ///
    /// # Errors
    /// If the contract has a schedule that is finer than the periods.
    pub fn living(&self, years: f64, steps: usize) -> Result<Self> {
        let mut plan = self.clone();
        let later = years - self.contract.expiry;
        plan.contract = self.contract.living(years, steps)?;
        for (instrument, _) in &mut plan.instruments {
            if let Instrument::Option(option) = instrument {
                option.expiry += later;
            }
        }
        plan.quotes = QuoteCache::default();
        Ok(plan)
    }
}
