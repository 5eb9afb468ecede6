use super::instruments::instruments;
use super::optimizer::{OptimizerPlan, at_least_one};
use super::raw::{Raw, RawAversion, RawBacktest, RawPremium};
use super::walk_forward::{Schedule, WalkForwardPlan, variance_estimator};
use crate::bounds::{at_least, check, date, filled, finite, fraction, one_of, positive, required};
use crate::contract::{Contract, Costs, Instrument, OptionKind};
use crate::error::{Error, Result};
use crate::hedging::Ledger;
use crate::market::estimation::VarianceEstimator;
use crate::market::history::Repairs;
use crate::market::{Market, Model, Simulator};
use crate::network::{Engine, Feature, Features, Shape};
use crate::pricing::HestonParameters;
use crate::random::{Purpose, Sampling};
use crate::risk::Risk;
use chrono::NaiveDate;
use std::path::{Path, PathBuf};

/// A validated strategy.
#[derive(Debug, Clone)]
pub struct Plan {
    pub name: String,
    pub seed: u64,
    pub market: Market,
    pub contract: Contract,
    pub contracts_per_year: f64,
    pub costs: Costs,
    /// What is traded, the spot first, and the proportional cost of each.
    pub instruments: Vec<(Instrument, f64)>,
    pub premium: Premium,
    pub risk: Risk,
    pub shape: Shape,
    pub features: Features,
    pub engine: Engine,
    pub length: Length,
    /// How training paths are drawn.
    pub sampling: Sampling,
    /// Whether gradients have the martingale control variate.
    pub control_variate: bool,
    pub validation: Validation,
    pub evaluation_paths: usize,
    pub hedges: Vec<String>,
    pub aversion: Aversion,
    pub optimizers: Vec<OptimizerPlan>,
    pub backtest: Option<BacktestPlan>,
    pub walk_forward: Option<WalkForwardPlan>,
    resolved: Raw,
}

/// What the seller of the option receives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Premium {
    /// The model's arbitrage-free price.
    Model,
    /// An amount of money.
    Amount(f64),
}

impl Premium {
    /// The premium of `contract` in `market`.
    pub fn of(&self, market: &Market, contract: &Contract) -> f64 {
        match self {
            Self::Model => market.price(contract),
            Self::Amount(amount) => *amount,
        }
    }
}

/// How long a policy is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    Steps(usize),
    /// Seconds of training, validation excluded. Results then depend on the machine.
    Seconds(f64),
}

/// How training is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validation {
    /// Paths on which the risk is measured; 0 for none.
    pub paths: usize,
    /// Steps between measurements.
    pub period: usize,
}

/// Risk aversion λ of the Whalley–Wilmott band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aversion {
    Given(f64),
    /// The one with the least risk on the validation paths.
    Tuned,
}

/// What to backtest.
#[derive(Debug, Clone)]
pub struct BacktestPlan {
    pub data: PathBuf,
    /// First and last date of sale; all of the history if absent.
    pub start: Option<NaiveDate>,
    pub end: Option<NaiveDate>,
    pub schedule: Schedule,
    pub parameters: Parameterisation,
    /// Defects of the data that are repaired rather than refused.
    pub repair: Repairs,
    /// How the variance at a close is estimated.
    pub variance: VarianceEstimator,
}

/// Where a backtest's market parameters come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameterisation {
    /// Estimated from the returns before the first sale.
    History,
    /// The strategy's.
    Strategy,
}

impl Plan {
    /// Reads and validates a strategy file after `change` has been applied to what it says.
    ///
    /// # Errors
    /// In one line: the file, the key, the value and its bound.
    pub fn load(path: &Path, change: impl FnOnce(&mut Raw)) -> Result<Self> {
        let in_file = |message: String| Error::input(format!("{}: {message}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| in_file(error.to_string()))?;
        Self::parse(&text, change).map_err(|error| in_file(error.to_string()))
    }

    /// Validates the text of a strategy file after `change` has been applied to what it says.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn parse(text: &str, change: impl FnOnce(&mut Raw)) -> Result<Self> {
        let reader = toml::Deserializer::parse(text)
            .map_err(|error| Error::input(one_line(error.message())))?;
        let mut raw: Raw = serde_path_to_error::deserialize(reader).map_err(|error| {
            Error::input(format!(
                "`{}`: {}",
                error.path(),
                one_line(error.inner().message())
            ))
        })?;
        change(&mut raw);
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

    /// The strategy with a walk-forward over `settings`, which the resolved file then states; its own walk-forward
    /// settings, or the defaults if it has none.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn with_walk_forward(mut self, settings: &BacktestPlan) -> Result<(Self, WalkForwardPlan)> {
        let backtest = self.resolved.backtest.get_or_insert_default();
        backtest.data = Some(settings.data.display().to_string());
        backtest.start = settings.start.map(|date| date.to_string());
        backtest.end = settings.end.map(|date| date.to_string());
        backtest.repair = Some(settings.repair.names());
        let raw = self.resolved.walk_forward.get_or_insert_default();
        let plan = WalkForwardPlan::new(raw)?;
        self.walk_forward = Some(plan);
        Ok((self, plan))
    }

    /// The premium in the strategy's own market.
    pub fn model_premium(&self) -> f64 {
        self.premium.of(&self.market, &self.contract)
    }

    /// The ledger of the contract in `market`, sold for `premium`.
    pub fn ledger(&self, market: &Market, premium: f64) -> Ledger {
        let ledger = Ledger::new(self.contract, self.costs, market, premium);
        self.instruments[1..]
            .iter()
            .fold(ledger, |ledger, &(instrument, proportional)| {
                ledger.with_instrument(instrument, proportional)
            })
    }

    /// The ledger of [`Self::ledger`] where trading is free.
    pub fn ledger_without_costs(&self, market: &Market) -> Ledger {
        let costs = Costs {
            proportional: 0.0,
            ..self.costs
        };
        self.instruments[1..].iter().fold(
            Ledger::new(self.contract, costs, market, 0.0),
            |ledger, &(instrument, _)| ledger.with_instrument(instrument, 0.0),
        )
    }

    /// What is traded, the spot first.
    pub fn instruments(&self) -> Vec<Instrument> {
        self.instruments
            .iter()
            .map(|&(instrument, _)| instrument)
            .collect()
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
        let (contract, days, year) = contract(&mut raw, market.spot)?;
        let premium = match filled(&mut raw.contract.premium, RawPremium::Rule("model".into())) {
            RawPremium::Amount(amount) => Premium::Amount(finite("contract.premium", amount)?),
            RawPremium::Rule(rule) => {
                one_of("contract.premium", &rule, &[("model", Premium::Model)])?
            }
        };
        let costs = Costs {
            proportional: fraction(
                "costs.proportional",
                filled(&mut raw.costs.proportional, 0.0),
            )?,
            liquidation: filled(&mut raw.costs.liquidation, true),
        };
        let instruments = instruments(&mut raw, &market, costs)?;
        let (shape, list, engine) = policy(&mut raw, instruments.len())?;
        let features = Features {
            list,
            strike: contract.strike,
            volatility: market.model.long_run_volatility(),
            expiry: contract.expiry,
        };
        let training = &mut raw.training;
        let length = match training.seconds {
            Some(seconds) => Length::Seconds(positive("training.seconds", seconds)?),
            None => Length::Steps(at_least(
                "training.steps",
                filled(&mut training.steps, 200),
                1,
            )?),
        };
        let lengths = at_least_one(
            "training.lengths",
            filled(&mut training.lengths, Vec::new()),
        )?;
        let paths = at_least("training.paths", filled(&mut training.paths, 4096), 1)?;
        let control_variate = filled(&mut training.control_variate, false);
        let sampling = one_of(
            "training.sampling",
            &filled(&mut training.sampling, "pseudorandom".into()),
            &[
                ("pseudorandom", Sampling::Pseudorandom),
                ("antithetic", Sampling::Antithetic),
                ("sobol", Sampling::Sobol),
            ],
        )?;
        let validation = Validation {
            paths: filled(&mut training.validation_paths, 16_384),
            period: at_least(
                "training.validation_period",
                filled(&mut training.validation_period, 10),
                1,
            )?,
        };
        let (hedges, aversion) = evaluation(&mut raw)?;
        let optimizers = raw
            .optimizers
            .iter_mut()
            .map(|(name, raw)| OptimizerPlan::new(name, raw, paths, &lengths))
            .collect::<Result<_>>()?;
        let backtest = raw
            .backtest
            .as_mut()
            .map(|raw| backtest(raw, contract.steps))
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
            contracts_per_year: year / days,
            costs,
            instruments,
            premium,
            risk: risk(&mut raw)?,
            shape,
            features,
            engine,
            length,
            sampling,
            control_variate,
            validation,
            evaluation_paths: at_least(
                "evaluation.paths",
                filled(&mut raw.evaluation.paths, 100_000),
                2,
            )?,
            hedges,
            aversion,
            optimizers,
            backtest,
            walk_forward,
            resolved: raw,
        })
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn market(raw: &mut Raw) -> Result<Market> {
    let market = &mut raw.market;
    let model = required(&market.model, "market.model")?;
    let heston = [
        ("v0", market.v0),
        ("kappa", market.kappa),
        ("theta", market.theta),
        ("sigma", market.sigma),
        ("rho", market.rho),
    ];
    let is_heston = one_of("market.model", &model, &[("gbm", false), ("heston", true)])?;
    let superfluous = if is_heston {
        market.volatility.map(|_| "volatility")
    } else {
        heston
            .iter()
            .find(|(_, value)| value.is_some())
            .map(|(name, _)| *name)
    };
    if let Some(key) = superfluous {
        return Err(Error::input(format!(
            "`market.{key}` has no meaning for the model \"{model}\""
        )));
    }
    let model = if is_heston {
        let [v0, kappa, theta, sigma, rho] =
            heston.map(|(name, value)| required(&value, &format!("market.{name}")));
        let rho = rho?;
        Model::Heston(HestonParameters {
            v0: positive("market.v0", v0?)?,
            kappa: positive("market.kappa", kappa?)?,
            theta: positive("market.theta", theta?)?,
            sigma: positive("market.sigma", sigma?)?,
            rho: check("market.rho", rho, rho.abs() < 1.0, "in (-1, 1)")?,
        })
    } else {
        let volatility = required(&market.volatility, "market.volatility")?;
        Model::Gbm {
            volatility: positive("market.volatility", volatility)?,
        }
    };
    Ok(Market {
        model,
        spot: positive("market.spot", filled(&mut market.spot, 100.0))?,
        rate: finite("market.rate", filled(&mut market.rate, 0.0))?,
        dividend: finite("market.dividend", filled(&mut market.dividend, 0.0))?,
    })
}

/// The contract, its days to expiry and the days of its year.
fn contract(raw: &mut Raw, spot: f64) -> Result<(Contract, f64, f64)> {
    let terms = &mut raw.contract;
    let days = positive(
        "contract.expiry_days",
        required(&terms.expiry_days, "contract.expiry_days")?,
    )?;
    let year = positive(
        "contract.days_per_year",
        filled(&mut terms.days_per_year, 365.0),
    )?;
    let contract = Contract {
        kind: one_of(
            "contract.type",
            &filled(&mut terms.kind, "call".into()),
            &[("call", OptionKind::Call), ("put", OptionKind::Put)],
        )?,
        strike: positive("contract.strike", filled(&mut terms.strike, spot))?,
        expiry: days / year,
        steps: at_least(
            "contract.steps",
            filled(&mut terms.steps, days.ceil() as usize),
            1,
        )?,
    };
    Ok((contract, days, year))
}

fn risk(raw: &mut Raw) -> Result<Risk> {
    #[derive(Clone, Copy)]
    enum Measure {
        Cvar,
        Entropic,
        MeanVariance,
    }
    let measure = one_of(
        "risk.measure",
        &filled(&mut raw.risk.measure, "cvar".into()),
        &[
            ("cvar", Measure::Cvar),
            ("entropic", Measure::Entropic),
            ("mean_variance", Measure::MeanVariance),
        ],
    )?;
    if let Measure::Cvar = measure {
        let level = fraction("risk.level", filled(&mut raw.risk.level, 0.95))?;
        return Ok(Risk::Cvar { level });
    }
    let aversion = positive("risk.aversion", filled(&mut raw.risk.aversion, 1.0))?;
    Ok(match measure {
        Measure::MeanVariance => Risk::MeanVariance { aversion },
        _ => Risk::Entropic { aversion },
    })
}

fn policy(raw: &mut Raw, instruments: usize) -> Result<(Shape, Vec<Feature>, Engine)> {
    let policy = &mut raw.policy;
    let all = Feature::ALL.map(|(name, _)| name.to_string()).to_vec();
    let list = filled(&mut policy.features, all)
        .iter()
        .map(|name| one_of("policy.features", name, &Feature::ALL))
        .collect::<Result<Vec<_>>>()?;
    let shape = Shape {
        features: at_least("policy.features", list.len(), 1)?,
        hidden: at_least("policy.hidden", filled(&mut policy.hidden, 32), 1)?,
        layers: at_least("policy.layers", filled(&mut policy.layers, 1), 1)?,
        instruments,
    };
    let engine = one_of(
        "policy.sweep",
        &filled(&mut policy.sweep, "block".into()),
        &[("block", Engine::Block), ("tensor", Engine::Tensor)],
    )?;
    Ok((shape, list, engine))
}

/// The names of the classical hedges.
const HEDGES: [&str; 4] = [
    "naked",
    "black_scholes",
    "whalley_wilmott",
    "minimum_variance",
];

fn evaluation(raw: &mut Raw) -> Result<(Vec<String>, Aversion)> {
    let evaluation = &mut raw.evaluation;
    let hedges = filled(
        &mut evaluation.hedges,
        // The last one integrates a characteristic function at every date of every path.
        HEDGES[..3].iter().map(ToString::to_string).collect(),
    );
    for name in &hedges {
        one_of("evaluation.hedges", name, &HEDGES.map(|name| (name, ())))?;
    }
    let key = "evaluation.risk_aversion";
    let aversion = match filled(
        &mut evaluation.risk_aversion,
        RawAversion::Rule("tuned".into()),
    ) {
        RawAversion::Number(number) => Aversion::Given(positive(key, number)?),
        RawAversion::Rule(rule) => one_of(key, &rule, &[("tuned", Aversion::Tuned)])?,
    };
    Ok((hedges, aversion))
}

fn backtest(raw: &mut RawBacktest, steps: usize) -> Result<BacktestPlan> {
    let optional =
        |key: &str, text: &Option<String>| text.as_deref().map(|text| date(key, text)).transpose();
    Ok(BacktestPlan {
        data: required(&raw.data, "backtest.data")?.into(),
        start: optional("backtest.start", &raw.start)?,
        end: optional("backtest.end", &raw.end)?,
        schedule: Schedule::new(&mut raw.spacing, steps)?,
        parameters: one_of(
            "backtest.parameters",
            &filled(&mut raw.parameters, "history".into()),
            &[
                ("history", Parameterisation::History),
                ("strategy", Parameterisation::Strategy),
            ],
        )?,
        variance: variance_estimator(
            &mut raw.variance,
            &mut raw.variance_days,
            &mut raw.variance_decay,
        )?,
        repair: Repairs::parse("backtest.repair", &filled(&mut raw.repair, Vec::new()))?,
    })
}
