//! A validated strategy.

use super::backtest::{BacktestPlan, backtest as backtest_plan};
use super::classical::Regressions;
use super::contract::{Premium, Strike, check_payments, contract};
use super::costs::CostSchedule;
use super::file::Strategy;
use super::instruments::{QuoteCache, instruments};
use super::limits::limits;
use super::market::check_simulation;
use super::optimizer::OptimizerPlan;
use super::policy::{Aversion, TuneOn};
use super::prices::{FamilyPrices, PriceCache};
use super::ranges::family;
use super::scales::{scale, standards, terms_scales};
use super::seen::SeenCache;
use super::smoothing::{Relaxing, Smoothing};
use super::tenor::Tenor;
use super::training::{Clock, Length, Validation};
use super::walk_forward::WalkForwardPlan;
use crate::contract::{Charge, Contract, Family, Instrument, Limits};
use crate::distributed::{Portable, Ranks};
use crate::error::{Error, Result};
use crate::hedging::{ClassicalHedge, Financing};
use crate::market::{Assets, Market, Simulator};
use crate::network::{Action, Actor, Engine, Feature, Features, Shape, Sweep};
use crate::optimizer::Method;
use crate::random::{Purpose, Sampling};
use crate::risk::Risk;
use crate::simd::Real;
use candle_core::WithDType;
use std::path::Path;
use std::sync::Arc;

/// A validated strategy.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name of the strategy.
    pub name: String,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The market that paths are simulated in; with several assets that of the first, whose price the strike of calls and puts
    /// is set beside.
    pub market: Market,
    /// All assets, where the strategy names several.
    pub(super) several: Option<Assets>,
    /// What is sold.
    pub contract: Contract,
    /// What the strike follows where contracts are sold on several days.
    pub strike: Strike,
    /// How long the contract lives, in days of its kind.
    pub tenor: Tenor,
    /// Whether closing the position at expiry pays costs too.
    pub liquidation: bool,
    /// What costs are multiplied by over a contract's life.
    pub cost_schedule: CostSchedule,
    /// What financing costs beyond the rate.
    pub financing: Financing,
    /// How training smooths the jumps of costs.
    pub smoothing: Smoothing,
    /// What is traded, the spot first, and what trading it costs.
    pub instruments: Vec<(Instrument, Charge)>,
    /// What the contract is sold for.
    pub premium: Premium,
    /// The measure of risk that training minimises.
    pub risk: Risk,
    /// The size of the network.
    pub shape: Shape,
    /// How positions come of the network's outputs, for every instrument.
    pub actions: Vec<Action>,
    /// The limits of what is traded, for whatever hedges.
    pub limits: Limits,
    /// How training relaxes action and limits.
    pub relaxing: Relaxing,
    /// The hedge whose positions the action departs from, if it does.
    pub reference: Option<ClassicalHedge>,
    /// What the network sees of a date.
    pub features: Features,
    /// The market that the benchmark in the features assumes, where it is not that of the paths.
    pub(super) assumed: Option<Assets>,
    /// How the network is swept along paths.
    pub engine: Engine,
    /// How long policies are trained.
    pub length: Length,
    /// What the seconds of a training count.
    pub clock: Clock,
    /// How training paths are drawn.
    pub sampling: Sampling,
    /// Whether gradients have the martingale control variate.
    pub control_variate: bool,
    /// The penalty of squared weights, in the strategy's unit of money.
    pub weight_penalty: f64,
    /// How training is watched.
    pub validation: Validation,
    /// The number of test paths.
    pub evaluation_paths: usize,
    /// Whether the mean positions of an optimizer's policies are a strategy beside them.
    pub ensemble: bool,
    /// The classical hedges that policies are compared with.
    pub hedges: Vec<ClassicalHedge>,
    /// The risk aversion of the Whalley–Wilmott band.
    pub aversion: Aversion,
    /// What their parameters are found on where there is a history.
    pub tune_on: TuneOn,
    /// The optimizers that are compared.
    pub optimizers: Vec<OptimizerPlan>,
    /// What is sold on history, if anything is.
    pub backtest: Option<BacktestPlan>,
    /// How history is walked through, if that is asked for.
    pub walk_forward: Option<WalkForwardPlan>,
    /// The share of the ranks that keep the inverse curvature of each map.
    pub gradient_worker_fraction: f64,
    /// The least number of ranks of a training, where a job on several ranks should not choose it.
    pub ranks_per_training: Option<usize>,
    /// The ranks that carry the plan out together: their trainings, and what is measured on simulated paths.
    pub ranks: Ranks,
    pub(super) quotes: QuoteCache,
    pub(super) seen: SeenCache,
    pub(super) prices: PriceCache,
    pub(super) families: FamilyPrices,
    pub(super) regressions: Regressions,
    /// The plan of the whole family, where further contracts of it are sold: what is fitted is fitted for that.
    pub(super) whole: Option<Arc<Self>>,
    /// What all other fields come from, with what depends on several settings filled in.
    pub(super) strategy: Strategy,
}

impl Plan {
    /// The plan of a strategy.
    ///
    /// ```
    /// use deephedge::strategy::{MarketSection, OptimizerSection, Plan, Strategy};
    /// use deephedge::optimizer::Method;
    /// use deephedge::pricing::HestonParameters;
    ///
    /// let heston = HestonParameters { v0: 0.04, kappa: 1.5, theta: 0.04, sigma: 0.3, rho: -0.7 };
    /// let mut strategy = Strategy {
    ///     market: MarketSection::of(heston),
    ///     ..Strategy::default()
    /// };
    /// strategy.costs.proportional = 0.01;
    /// strategy.optimizers.insert("kfac".into(), OptimizerSection::of(Method::Kfac));
    /// let plan = Plan::new(strategy)?;
    /// assert_eq!(plan.contract.steps, 30);
    /// # Ok::<(), deephedge::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`]: the key, the value and its bound.
    pub fn new(mut strategy: Strategy) -> Result<Self> {
        strategy.check()?;
        strategy.read_past()?;
        strategy.read_given()?;
        let on_history = strategy.backtest.is_some();
        let market = strategy.market.market();
        let several = strategy.market.assets()?;
        let assets = several.clone().unwrap_or_else(|| market.clone().into());
        let names: Vec<String> = assets.list().iter().map(|a| a.name.clone()).collect();
        let terms = contract(&mut strategy.contract, &market, &names, on_history)?;
        let contract = terms.contract.clone();
        for (asset, section) in assets.list().iter().zip(strategy.market.sections()) {
            check_simulation(&section, &asset.market, &contract)?;
        }
        check_payments(&assets, &contract)?;
        let contract = family(&strategy, &assets, contract)?;
        strategy.check_surfaces(&assets, &contract, strategy.contract.premium.into())?;
        let instruments = instruments(&mut strategy, &assets, &terms)?;
        strategy.check_given(&assets, &contract, &instruments)?;
        let cost_schedule = strategy.costs.schedule()?;
        strategy.policy.check_features(&contract, &instruments)?;
        let features = Features {
            list: strategy.policy.features.clone(),
            strike: contract.strike,
            volatility: market.model.long_run_volatility(),
            expiry: contract.expiry,
            further: assets.list()[1..].iter().map(scale).collect(),
            terms: terms_scales(&contract),
            state: standards(&assets, &contract),
            unit: None,
            period: contract.dt(),
            carry: market.carry(0.0, contract.expiry),
            standards: Vec::new(),
            bound: strategy.policy.feature_bound,
            instruments: instruments.len(),
        };
        // Where hedges may see a surface: on history or on simulated paths.
        let history = strategy.backtest.as_ref();
        let surfaces = history.is_some_and(|backtest| backtest.surface.is_some());
        let on_surface = surfaces || market.model.has_surface();
        let reference =
            strategy
                .policy
                .reference(&contract, &instruments, (&market, on_surface))?;
        let actions = strategy.policy.actions(&contract, &instruments)?;
        let actor = actor(&actions, &instruments, &contract);
        let shape = strategy.policy.shape(features.inputs(), &actor)?;
        let hedges = strategy
            .evaluation
            .hedges(&contract, &instruments, (&market, on_surface))?;
        let tune_on = strategy.evaluation.tuned_on(on_history, surfaces)?;
        let training = &strategy.training;
        let optimizers = strategy.optimizers.iter_mut();
        let optimizers = optimizers
            .map(|(name, section)| OptimizerPlan::new(name, section, training, &shape))
            .collect::<Result<_>>()?;
        let backtest = strategy.backtest.as_ref();
        let backtest = backtest
            .map(|section| backtest_plan(section, &assets))
            .transpose()?;
        let risk = strategy.risk.risk(market.spot)?;
        let limits = limits(&strategy.limits, &instruments)?;
        let mut plan = Self {
            name: strategy.name.clone(),
            seed: strategy.seed,
            market,
            several,
            contract,
            strike: terms.strike,
            tenor: terms.tenor,
            liquidation: strategy.costs.liquidation,
            cost_schedule,
            financing: strategy.financing.financing(),
            smoothing: strategy.costs.smoothing(),
            instruments,
            premium: strategy.contract.premium.into(),
            risk,
            shape,
            actions,
            limits,
            relaxing: Relaxing {
                leak: strategy.policy.leak(),
                limits: strategy.limits.smoothing(),
                lots: strategy.limits.lot_smoothing(),
            },
            reference,
            features,
            assumed: None,
            engine: strategy.policy.sweep,
            length: training.length(),
            clock: training.clock,
            sampling: training.sampling,
            control_variate: training.control_variate,
            weight_penalty: training.weight_penalty,
            validation: training.validation(),
            evaluation_paths: strategy.evaluation.paths,
            ensemble: strategy.evaluation.ensemble,
            hedges,
            aversion: strategy.evaluation.aversion(),
            tune_on,
            optimizers,
            backtest,
            walk_forward: strategy
                .walk_forward
                .as_ref()
                .map(WalkForwardPlan::new)
                .transpose()?,
            gradient_worker_fraction: strategy.distributed.gradient_worker_fraction,
            ranks_per_training: strategy.distributed.ranks_per_training,
            ranks: Ranks::alone(),
            quotes: QuoteCache::default(),
            seen: SeenCache::default(),
            prices: PriceCache::default(),
            families: FamilyPrices::default(),
            regressions: Regressions::default(),
            whole: None,
            strategy,
        };
        if plan.features.list.contains(&Feature::Value) {
            plan.features.unit = Some(plan.money_unit());
        }
        plan.check_surfaces()?;
        Ok(plan)
    }

    /// Reads and validates a strategy file after `change` has been applied to what it says. Relative paths in it count
    /// from its folder.
    ///
    /// # Errors
    /// In one line: the file, the key, the value and its bound.
    pub fn load(path: &Path, change: impl FnOnce(&mut Strategy)) -> Result<Self> {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::input(format!("{place}: {error}")))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse_in(folder, &text, change).map_err(|error| error.at(&place))
    }

    /// Validates the text of a strategy file after `change` has been applied to what it says. Relative paths in the text
    /// count from the working directory.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn parse(text: &str, change: impl FnOnce(&mut Strategy)) -> Result<Self> {
        Self::parse_in(Path::new(""), text, change)
    }

    /// Validates a strategy that is given as a table of keys, after `change` has been applied to what it says. Relative paths in it count
    /// from the working directory.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn read(table: toml::Table, change: impl FnOnce(&mut Strategy)) -> Result<Self> {
        Self::located(Path::new(""), Strategy::read(table)?, change)
    }

    /// [`Self::parse`], with relative paths that count from `folder`.
    fn parse_in(folder: &Path, text: &str, change: impl FnOnce(&mut Strategy)) -> Result<Self> {
        Self::located(folder, Strategy::parse(text)?, change)
    }

    /// The plan of a strategy whose relative paths count from `folder`, after `change` has been applied to it.
    fn located(
        folder: &Path,
        mut strategy: Strategy,
        change: impl FnOnce(&mut Strategy),
    ) -> Result<Self> {
        strategy.market.locate(folder)?;
        if let Some(backtest) = &mut strategy.backtest {
            backtest.locate(folder)?;
        }
        change(&mut strategy);
        if let Some(backtest) = &mut strategy.backtest {
            // What the command line names counts from the working directory.
            backtest.locate(Path::new(""))?;
        }
        strategy.market.locate(Path::new(""))?;
        Self::new(strategy)
    }

    /// The strategy with every default filled in, as TOML; it validates to the same plan.
    ///
    /// # Errors
    /// If a value has no form in TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(&self.strategy.to_table()?)
            .map_err(|error| Error::Computation(format!("strategy as TOML: {error}")))
    }

    /// The optimizer that is trained alone unless another one is named: the one that the program is about, if the
    /// strategy has it, or else the first.
    pub fn default_optimizer(&self) -> Option<&str> {
        let kfac = self.optimizers.iter().find(|plan| plan.name == "kfac");
        let chosen = kfac.or(self.optimizers.first());
        chosen.map(|plan| plan.name.as_str())
    }

    /// The names of what is trained, each with whether the others are compared with it, as they are with Adam.
    pub fn learned(&self) -> Vec<(&str, bool)> {
        let all = self.optimizers.iter();
        all.map(|one| (one.name.as_str(), one.method == Method::Adam))
            .collect()
    }

    /// The plan for whose contract benchmarks are fitted.
    pub(super) fn fitted_for(&self) -> &Self {
        self.whole.as_deref().unwrap_or(self)
    }

    /// The assets of the market, one or more.
    pub fn assets(&self) -> Assets {
        let several = self.several.clone();
        several.unwrap_or_else(|| self.market.clone().into())
    }

    /// How long contracts live, in words.
    pub fn lifetime(&self) -> String {
        let family = self.contract.family().filter(|one| !one.lives_are_equal());
        family.map_or(self.tenor.to_string(), |family| {
            let lives = family.members().iter().map(|one| one.contract.steps);
            let least = lives.min().unwrap_or(self.contract.steps);
            let period = self.tenor.days / self.contract.steps as f64;
            self.tenor.from_days(least as f64 * period)
        })
    }

    /// Contracts in a year, sold one after another; of several their mean time to expiry counts.
    pub fn contracts_per_year(&self) -> f64 {
        let own = |family: &Arc<Family>| {
            let lives = family.members().iter().map(|one| one.contract.expiry);
            lives.sum::<f64>() / family.members().len() as f64
        };
        let family = self.contract.family();
        family.map_or(self.tenor.days_per_year / self.tenor.days, |family| {
            1.0 / own(family)
        })
    }

    /// Whether the contract has one strike by which it is sold.
    pub fn has_strike(&self) -> bool {
        self.strategy.contract.product.has_strike()
    }

    /// The strike as a line beside spots of the first asset; none where the contract has none, several, or one that is no price of
    /// that asset alone.
    pub fn strike_line(&self) -> Option<f64> {
        (self.has_strike() && self.several.is_none()).then_some(self.contract.strike)
    }

    /// A simulator of independent paths of the strategy's market on the contract's grid.
    pub fn simulator(&self, seed: u64, purpose: Purpose) -> Simulator {
        Simulator {
            assets: self.assets(),
            steps: self.contract.steps,
            dt: self.contract.dt(),
            seed,
            purpose,
            sampling: Sampling::Pseudorandom,
            family: self.contract.family().cloned(),
        }
    }

    /// What makes positions of the network's outputs, within the limits as they are.
    pub fn actor(&self) -> Actor {
        actor(&self.actions, &self.instruments, &self.contract).within(self.limits.clone())
    }

    /// A sweep of the network and its action, within the limits as they are.
    pub fn sweep<R: Real + Portable + WithDType>(&self) -> Box<dyn Sweep<R>> {
        self.shape.sweep(self.engine, self.actor())
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

    /// What a training takes: the paths of all its steps or, if its length is in seconds, these.
    pub fn work(&self, optimizer: &OptimizerPlan) -> f64 {
        match (self.steps(optimizer), self.length) {
            (Some(steps), _) => steps as f64 * optimizer.paths as f64,
            (None, Length::Seconds(seconds)) => seconds,
            (None, Length::Steps(_)) => unreachable!("a length in steps gives a number of steps"),
        }
    }
}

/// What makes positions in `instruments` of a network's outputs while `contract` lives, without limits.
fn actor(actions: &[Action], instruments: &[(Instrument, Charge)], contract: &Contract) -> Actor {
    let (traded, charges): (Vec<Instrument>, Vec<Charge>) = instruments.iter().copied().unzip();
    Actor::trading(actions.to_vec(), &traded, charges, contract.dt())
}
