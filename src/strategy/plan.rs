use super::backtest::{BacktestPlan, backtest};
use super::contract::{Premium, Strike, contract, premium};
use super::instruments::{QuoteCache, instruments};
use super::market::{check_simulation, market};
use super::optimizer::OptimizerPlan;
use super::policy::{Aversion, evaluation, policy};
use super::raw::Raw;
use super::tenor::Tenor;
use super::training::{Clock, Length, Training, Validation, risk, training};
use super::walk_forward::WalkForwardPlan;
use crate::bounds::{MOST_PATHS, filled, fraction, not_negative, within};
use crate::contract::{Charge, Contract, Costs, Instrument};
use crate::error::{Error, Result, excerpt, parser_message};
use crate::hedging::{Action, ClassicalName, Ledger};
use crate::market::{Market, Quotes, Simulator};
use crate::network::{Engine, Features, Shape};
use crate::random::{Purpose, Sampling};
use crate::risk::Risk;
use std::path::Path;
use std::sync::Arc;

/// A validated strategy.
#[derive(Debug, Clone)]
pub struct Plan {
    pub name: String,
    pub seed: u64,
    pub market: Market,
    pub contract: Contract,
    /// What the strike follows where contracts are sold on several days.
    pub strike: Strike,
    pub tenor: Tenor,
    /// Whether closing the position at expiry pays costs too.
    pub liquidation: bool,
    /// What is traded, the spot first, and what trading it costs.
    pub instruments: Vec<(Instrument, Charge)>,
    pub premium: Premium,
    pub risk: Risk,
    pub shape: Shape,
    /// How positions come of the network's outputs.
    pub action: Action,
    pub features: Features,
    pub engine: Engine,
    pub length: Length,
    pub clock: Clock,
    /// How training paths are drawn.
    pub sampling: Sampling,
    /// Whether gradients have the martingale control variate.
    pub control_variate: bool,
    pub validation: Validation,
    pub evaluation_paths: usize,
    pub hedges: Vec<ClassicalName>,
    pub aversion: Aversion,
    pub optimizers: Vec<OptimizerPlan>,
    pub backtest: Option<BacktestPlan>,
    pub walk_forward: Option<WalkForwardPlan>,
    quotes: QuoteCache,
    resolved: Raw,
}

impl Plan {
    /// Reads and validates a strategy file after `change` has been applied to what it says. Relative paths in it count
    /// from its folder.
    ///
    /// # Errors
    /// In one line: the file, the key, the value and its bound.
    pub fn load(path: &Path, change: impl FnOnce(&mut Raw)) -> Result<Self> {
        let in_file = |message: String| Error::input(format!("{}: {message}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| in_file(error.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse_in(folder, &text, change).map_err(|error| in_file(error.to_string()))
    }

    /// Validates the text of a strategy file after `change` has been applied to what it says. Relative paths in the text
    /// count from the working directory.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn parse(text: &str, change: impl FnOnce(&mut Raw)) -> Result<Self> {
        Self::parse_in(Path::new(""), text, change)
    }

    /// [`Self::parse`], with relative paths that count from `folder`.
    fn parse_in(folder: &Path, text: &str, change: impl FnOnce(&mut Raw)) -> Result<Self> {
        let reader =
            toml::Deserializer::parse(text).map_err(|error| Error::input(syntax(text, &error)))?;
        let mut raw: Raw = serde_path_to_error::deserialize(reader).map_err(|error| {
            Error::input(format!(
                "`{}`: {}",
                excerpt(&error.path().to_string()),
                in_words(&parser_message(error.inner().message()))
            ))
        })?;
        if let Some(backtest) = &mut raw.backtest {
            backtest.locate(folder)?;
        }
        change(&mut raw);
        if let Some(backtest) = &mut raw.backtest {
            // What the command line names counts from the working directory.
            backtest.locate(Path::new(""))?;
        }
        Self::from_raw(raw)
    }

    /// The strategy with every default filled in, as TOML; it validates to the same plan.
    ///
    /// # Errors
    /// If a value has no form in TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(&self.resolved)
            .map_err(|error| Error::Computation(format!("strategy as TOML: {error}")))
    }

    /// The optimizer that is trained alone unless another one is named: the one that the program is about, if the
    /// strategy has it, or else the first.
    pub fn default_optimizer(&self) -> Option<&str> {
        let kfac = self.optimizers.iter().find(|plan| plan.name == "kfac");
        let chosen = kfac.or(self.optimizers.first());
        chosen.map(|plan| plan.name.as_str())
    }

    /// Keeps the optimizers that are wanted, in the resolved file too.
    pub fn retain(&mut self, wanted: impl Fn(&OptimizerPlan) -> bool) {
        self.optimizers.retain(&wanted);
        let optimizers = &self.optimizers;
        self.resolved
            .optimizers
            .retain(|name, _| optimizers.iter().any(|o| o.name == *name));
    }

    /// Puts `optimizer` in the place of the one of its name, in the resolved file too.
    pub fn replace(&mut self, optimizer: OptimizerPlan) {
        if let Some(raw) = self.resolved.optimizers.get_mut(&optimizer.name) {
            raw.settings.clone_from(&optimizer.keys);
            raw.paths = Some(optimizer.paths);
            raw.relative_steps = Some(optimizer.relative_steps);
        }
        if let Some(place) = self
            .optimizers
            .iter_mut()
            .find(|o| o.name == optimizer.name)
        {
            *place = optimizer;
        }
    }

    /// The strategy with a walk-forward, which the resolved file then states: its own settings, or the defaults if it has
    /// none.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn with_walk_forward(mut self) -> Result<(Self, WalkForwardPlan)> {
        let raw = self.resolved.walk_forward.get_or_insert_default();
        let plan = WalkForwardPlan::new(raw)?;
        self.walk_forward = Some(plan);
        Ok((self, plan))
    }

    /// The strategy in its own market, called `own`, and in each further one under its name.
    ///
    /// # Errors
    /// In one line: the market, the key, the value and its bound.
    pub fn markets(&self) -> Result<Vec<(String, Self)>> {
        let mut plans = vec![("own".to_string(), self.clone())];
        for (name, change) in &self.resolved.markets {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name == "own" || name.is_empty() || !name.chars().all(plain) {
                return Err(Error::input(format!(
                    "`markets.{}`: a name must be of letters, digits, - and _, and not \"own\"",
                    excerpt(name)
                )));
            }
            let mut raw = self.resolved.clone();
            raw.market = self.resolved.market.changed(change);
            let plan = Self::from_raw(raw)
                .map_err(|error| Error::input(format!("`markets.{}`: {error}", excerpt(name))))?;
            plans.push((name.clone(), plan));
        }
        Ok(plans)
    }

    /// Contracts in a year, sold one after another.
    pub fn contracts_per_year(&self) -> f64 {
        self.tenor.days_per_year / self.tenor.days
    }

    /// The same strategy for a contract that lives for `years` in `steps` periods; options that hedge keep their
    /// distance from its expiry.
    #[must_use]
    pub fn living(&self, years: f64, steps: usize) -> Self {
        let mut plan = self.clone();
        let later = years - self.contract.expiry;
        plan.contract.expiry = years;
        plan.contract.steps = steps;
        for (instrument, _) in &mut plan.instruments {
            if let Instrument::Option(option) = instrument {
                option.expiry += later;
            }
        }
        plan.quotes = QuoteCache::default();
        plan
    }

    /// The premium in the strategy's own market.
    pub fn model_premium(&self) -> f64 {
        self.premium.of(&self.market, &self.contract)
    }

    /// What trading the spot costs.
    pub fn spot_charge(&self) -> Charge {
        self.instruments[0].1
    }

    /// The ledger of the contract in `market`, sold for `premium`.
    pub fn ledger(&self, market: &Market, premium: f64) -> Ledger {
        self.ledger_at(market, premium, |charge| charge)
    }

    /// The ledger of [`Self::ledger`] where trading is free.
    pub fn ledger_without_costs(&self, market: &Market) -> Ledger {
        self.ledger_at(market, 0.0, |_| Charge::default())
    }

    fn ledger_at(&self, market: &Market, premium: f64, at: impl Fn(Charge) -> Charge) -> Ledger {
        let costs = Costs {
            spot: at(self.spot_charge()),
            liquidation: self.liquidation,
        };
        let further = self.instruments[1..].iter();
        further.fold(
            Ledger::new(self.contract, costs, market, premium),
            |ledger, &(instrument, charge)| ledger.with_instrument(instrument, at(charge)),
        )
    }

    /// What is traded, the spot first.
    pub fn instruments(&self) -> Vec<Instrument> {
        self.instruments
            .iter()
            .map(|&(instrument, _)| instrument)
            .collect()
    }

    /// The model's prices of the instruments in the strategy's own market.
    pub fn quotes(&self) -> Arc<Quotes> {
        self.quotes_in(&self.market)
    }

    /// The model's prices of the instruments in `market`.
    pub fn quotes_in(&self, market: &Market) -> Arc<Quotes> {
        self.quotes
            .of(market, &self.contract, &self.instruments(), &mut || Ok(()))
            .expect("who never asks to stop is never stopped")
    }

    /// Makes the prices of [`Self::quotes`] beforehand, which can take minutes for options on many dates.
    ///
    /// # Errors
    /// That of `stop`, which is asked again and again.
    pub fn make_quotes(&self, stop: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        self.quotes
            .of(&self.market, &self.contract, &self.instruments(), stop)
            .map(|_| ())
    }

    /// A simulator of independent paths of the strategy's market on the contract's grid.
    pub fn simulator(&self, seed: u64, purpose: Purpose) -> Simulator {
        Simulator {
            market: self.market,
            steps: self.contract.steps,
            dt: self.contract.dt(),
            seed,
            purpose,
            sampling: Sampling::Pseudorandom,
        }
    }

    /// Steps that `optimizer` trains for, if it is not trained by time.
    pub fn steps(&self, optimizer: &OptimizerPlan) -> Option<usize> {
        match self.length {
            Length::Steps(steps) => {
                Some(((steps as f64 * optimizer.relative_steps).round() as usize).max(1))
            }
            Length::Seconds(_) => None,
        }
    }

    fn from_raw(mut raw: Raw) -> Result<Self> {
        let market = market(&mut raw)?;
        let terms = contract(&mut raw, &market)?;
        let contract = terms.contract;
        check_simulation(&market, &contract)?;
        let premium = premium(&mut raw)?;
        let costs = Costs {
            spot: Charge {
                proportional: fraction(
                    "costs.proportional",
                    filled(&mut raw.costs.proportional, 0.0),
                )?,
                half_spread: not_negative(
                    "costs.half_spread",
                    filled(&mut raw.costs.half_spread, 0.0),
                )?,
            },
            liquidation: filled(&mut raw.costs.liquidation, true),
        };
        let instruments = instruments(&mut raw, &market, &terms, costs)?;
        let (shape, list, engine) = policy(&mut raw, instruments.len())?;
        let features = Features {
            list,
            strike: contract.strike,
            volatility: market.model.long_run_volatility(),
            expiry: contract.expiry,
        };
        let Training {
            length,
            clock,
            lengths,
            paths,
            sampling,
            control_variate,
            validation,
        } = training(&mut raw)?;
        let (hedges, aversion) = evaluation(&mut raw, &instruments)?;
        let optimizers = raw
            .optimizers
            .iter_mut()
            .map(|(name, raw)| OptimizerPlan::new(name, raw, paths, &lengths))
            .collect::<Result<_>>()?;
        let backtest = raw
            .backtest
            .as_mut()
            .map(|raw| backtest(raw, &market))
            .transpose()?;
        let walk_forward = raw
            .walk_forward
            .as_mut()
            .map(WalkForwardPlan::new)
            .transpose()?;
        Ok(Self {
            name: filled(&mut raw.name, "strategy".into()),
            seed: filled(&mut raw.seed, 1),
            market,
            contract,
            strike: terms.strike,
            tenor: terms.tenor,
            liquidation: costs.liquidation,
            instruments,
            premium,
            risk: risk(&mut raw)?,
            shape,
            action: Action::default(),
            features,
            engine,
            length,
            clock,
            sampling,
            control_variate,
            validation,
            evaluation_paths: within(
                "evaluation.paths",
                filled(&mut raw.evaluation.paths, 100_000),
                2,
                MOST_PATHS,
            )?,
            hedges,
            aversion,
            optimizers,
            backtest,
            walk_forward,
            quotes: QuoteCache::default(),
            resolved: raw,
        })
    }
}

/// What is wrong with text that is no TOML, and in which line.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let message = parser_message(error.message());
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => format!("line {}: {message}", 1 + before.matches('\n').count()),
        None => message,
    }
}

/// A message about types of the program in words for who writes the file.
fn in_words(message: &str) -> String {
    let types = [
        ("expected usize", "expected a whole number, 0 or above"),
        ("expected u64", "expected a whole number, 0 or above"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected a boolean", "expected true or false"),
    ];
    let named = |message: String, (name, words): (&str, &str)| message.replace(name, words);
    types.into_iter().fold(message.to_owned(), named)
}
