use super::raw::{Raw, RawBacktest, RawOptimizer, RawPremium, RawSpacing};
use crate::backtest::{BacktestPlan, date};
use crate::contract::{Contract, Costs, OptionKind};
use crate::error::{Error, Result};
use crate::hedging::Classical;
use crate::market::{Market, Model};
use crate::network::{Feature, Features, Shape};
use crate::optimizer::{Adam, AdamSettings, Approximation, Kfac, KfacSettings, Optimizer};
use crate::pricing::HestonParameters;
use crate::risk::Risk;
use crate::simd::BLOCK;
use std::path::Path;

/// A validated strategy.
#[derive(Debug, Clone)]
pub struct Plan {
    pub name: String,
    pub seed: u64,
    pub market: Market,
    pub contract: Contract,
    pub contracts_per_year: f64,
    pub costs: Costs,
    pub premium: f64,
    pub risk: Risk,
    pub shape: Shape,
    pub features: Features,
    pub steps: usize,
    pub batch_paths: usize,
    pub evaluation_paths: usize,
    pub hedges: Vec<(String, Classical)>,
    pub optimizers: Vec<(String, OptimizerPlan)>,
    pub backtest: Option<BacktestPlan>,
}

/// A validated optimizer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptimizerPlan {
    Adam(AdamSettings),
    Kfac(KfacSettings),
}

impl OptimizerPlan {
    /// The optimizer in its initial state.
    pub fn build(&self) -> Box<dyn Optimizer> {
        match self {
            Self::Adam(settings) => Box::new(Adam::new(*settings)),
            Self::Kfac(settings) => Box::new(Kfac::new(*settings)),
        }
    }
}

fn required<T>(value: Option<T>, key: &str) -> Result<T> {
    value.ok_or_else(|| Error::input(format!("`{key}` is missing")))
}

fn check(key: &str, value: f64, holds: bool, bound: &str) -> Result<f64> {
    // A NaN satisfies no bound, so `holds` is false for it.
    if holds && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::input(format!(
            "`{key}` must be {bound}, was {value}"
        )))
    }
}

fn positive(key: &str, value: f64) -> Result<f64> {
    check(key, value, value > 0.0, "positive")
}

fn non_negative(key: &str, value: f64) -> Result<f64> {
    check(key, value, value >= 0.0, "at least 0")
}

fn fraction(key: &str, value: f64) -> Result<f64> {
    check(key, value, (0.0..1.0).contains(&value), "in [0, 1)")
}

fn count(key: &str, value: usize) -> Result<usize> {
    check(key, value as f64, value >= 1, "at least 1").map(|_| value)
}

fn one_of<T: Copy>(key: &str, value: &str, choices: &[(&str, T)]) -> Result<T> {
    choices
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, choice)| *choice)
        .ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            Error::input(format!(
                "`{key}` must be one of {}, was \"{value}\"",
                names.join(", ")
            ))
        })
}

impl Plan {
    /// Reads and validates a strategy file.
    ///
    /// # Errors
    /// In one line: the file, the key, the value and its bound.
    pub fn load(path: &Path) -> Result<Self> {
        let in_file = |message: String| Error::input(format!("{}: {message}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| in_file(error.to_string()))?;
        Self::parse(&text).map_err(|error| in_file(error.to_string()))
    }

    /// Validates the text of a strategy file.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn parse(text: &str) -> Result<Self> {
        let reader = toml::Deserializer::parse(text)
            .map_err(|error| Error::input(one_line(error.message())))?;
        let raw: Raw = serde_path_to_error::deserialize(reader).map_err(|error| {
            Error::input(format!(
                "`{}`: {}",
                error.path(),
                one_line(error.inner().message())
            ))
        })?;
        Self::from_raw(raw)
    }

    fn from_raw(raw: Raw) -> Result<Self> {
        let market = market(&raw)?;
        let terms = required(raw.contract, "contract")?;
        let days = positive(
            "contract.expiry_days",
            required(terms.expiry_days, "contract.expiry_days")?,
        )?;
        let year = positive(
            "contract.days_per_year",
            terms.days_per_year.unwrap_or(365.0),
        )?;
        let contract = Contract {
            kind: one_of(
                "contract.type",
                terms.kind.as_deref().unwrap_or("call"),
                &[("call", OptionKind::Call), ("put", OptionKind::Put)],
            )?,
            strike: positive("contract.strike", terms.strike.unwrap_or(market.spot))?,
            expiry: days / year,
            steps: count(
                "contract.steps",
                terms.steps.unwrap_or(days.ceil() as usize),
            )?,
        };
        let premium = match terms.premium.unwrap_or(RawPremium::Rule("model".into())) {
            RawPremium::Amount(amount) => {
                check("contract.premium", amount, amount.is_finite(), "a number")?
            }
            RawPremium::Rule(rule) => {
                one_of("contract.premium", &rule, &[("model", ())])?;
                market.price(&contract)
            }
        };
        let costs = raw.costs.unwrap_or_default();
        let costs = Costs {
            proportional: fraction("costs.proportional", costs.proportional.unwrap_or(0.0))?,
            liquidation: costs.liquidation.unwrap_or(true),
        };
        let measure = raw.risk.unwrap_or_default();
        let aversion = || positive("risk.aversion", measure.aversion.unwrap_or(1.0));
        let risk = match one_of(
            "risk.measure",
            measure.measure.as_deref().unwrap_or("cvar"),
            &[("cvar", 0), ("entropic", 1), ("mean_variance", 2)],
        )? {
            0 => Risk::Cvar {
                level: fraction("risk.level", measure.level.unwrap_or(0.95))?,
            },
            1 => Risk::Entropic {
                aversion: aversion()?,
            },
            _ => Risk::MeanVariance {
                aversion: aversion()?,
            },
        };
        let policy = raw.policy.unwrap_or_default();
        let list = match policy.features {
            None => Feature::ALL.map(|(_, feature)| feature).to_vec(),
            Some(names) => names
                .iter()
                .map(|name| one_of("policy.features", name, &Feature::ALL))
                .collect::<Result<_>>()?,
        };
        let shape = Shape {
            features: count("policy.features", list.len())?,
            hidden: count("policy.hidden", policy.hidden.unwrap_or(32))?,
            layers: count("policy.layers", policy.layers.unwrap_or(1))?,
        };
        let features = Features {
            list,
            strike: contract.strike,
            volatility: market.model.long_run_volatility(),
            expiry: contract.expiry,
        };
        let training = raw.training.unwrap_or_default();
        let evaluation = raw.evaluation.unwrap_or_default();
        let aversion = positive(
            "evaluation.risk_aversion",
            evaluation.risk_aversion.unwrap_or(1.0),
        )?;
        let known = [
            ("naked", Classical::Naked),
            ("black_scholes", Classical::BlackScholes),
            ("whalley_wilmott", Classical::WhalleyWilmott { aversion }),
        ];
        let names = evaluation
            .hedges
            .unwrap_or_else(|| known.iter().map(|(name, _)| name.to_string()).collect());
        let hedges = names
            .into_iter()
            .map(|name| one_of("evaluation.hedges", &name, &known).map(|hedge| (name, hedge)))
            .collect::<Result<_>>()?;
        let optimizers = raw
            .optimizers
            .into_iter()
            .map(|(name, raw)| optimizer(&name, &raw).map(|plan| (name, plan)))
            .collect::<Result<_>>()?;
        let backtest = raw
            .backtest
            .as_ref()
            .map(|raw| backtest(raw, contract.steps))
            .transpose()?;
        Ok(Self {
            backtest,
            name: raw.name.unwrap_or_else(|| "strategy".into()),
            seed: raw.seed.unwrap_or(1),
            market,
            contract,
            contracts_per_year: year / days,
            costs,
            premium,
            risk,
            shape,
            features,
            steps: count("training.steps", training.steps.unwrap_or(200))?,
            batch_paths: count("training.paths", training.paths.unwrap_or(4096))?,
            evaluation_paths: check(
                "evaluation.paths",
                evaluation.paths.unwrap_or(100_000) as f64,
                evaluation.paths.unwrap_or(100_000) >= 2,
                "at least 2",
            )? as usize,
            hedges,
            optimizers,
        })
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn market(raw: &Raw) -> Result<Market> {
    let market = required(raw.market.as_ref(), "market")?;
    let model = required(market.model.as_deref(), "market.model")?;
    let heston = [
        ("v0", market.v0),
        ("kappa", market.kappa),
        ("theta", market.theta),
        ("sigma", market.sigma),
        ("rho", market.rho),
    ];
    let is_heston = one_of("market.model", model, &[("gbm", false), ("heston", true)])?;
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
            heston.map(|(name, value)| required(value, &format!("market.{name}")));
        let rho = rho?;
        Model::Heston(HestonParameters {
            v0: positive("market.v0", v0?)?,
            kappa: positive("market.kappa", kappa?)?,
            theta: positive("market.theta", theta?)?,
            sigma: positive("market.sigma", sigma?)?,
            rho: check("market.rho", rho, rho.abs() < 1.0, "in (-1, 1)")?,
        })
    } else {
        let volatility = required(market.volatility, "market.volatility")?;
        Model::Gbm {
            volatility: positive("market.volatility", volatility)?,
        }
    };
    let finite = |key: &str, value: f64| check(key, value, value.is_finite(), "finite");
    Ok(Market {
        model,
        spot: positive("market.spot", market.spot.unwrap_or(100.0))?,
        rate: finite("market.rate", market.rate.unwrap_or(0.0))?,
        dividend: finite("market.dividend", market.dividend.unwrap_or(0.0))?,
    })
}

fn backtest(raw: &RawBacktest, steps: usize) -> Result<BacktestPlan> {
    let spacing = match &raw.spacing {
        None => steps,
        Some(RawSpacing::Days(days)) => count("backtest.spacing", *days)?,
        Some(RawSpacing::Rule(rule)) => one_of(
            "backtest.spacing",
            rule,
            &[("non_overlapping", steps), ("daily", 1)],
        )?,
    };
    Ok(BacktestPlan {
        data: required(raw.data.as_ref(), "backtest.data")?.into(),
        start: raw
            .start
            .as_deref()
            .map(|text| date("backtest.start", text))
            .transpose()?,
        end: raw
            .end
            .as_deref()
            .map(|text| date("backtest.end", text))
            .transpose()?,
        spacing,
    })
}

fn optimizer(name: &str, raw: &RawOptimizer) -> Result<OptimizerPlan> {
    let key = |key: &str| format!("optimizers.{name}.{key}");
    let method = raw.method.as_deref().unwrap_or(name);
    let adam = AdamSettings {
        learning_rate: positive(&key("learning_rate"), raw.learning_rate.unwrap_or(0.1))?,
        beta1: fraction(&key("beta1"), raw.beta1.unwrap_or(0.8))?,
        beta2: fraction(&key("beta2"), raw.beta2.unwrap_or(0.99))?,
        clip_norm: positive(&key("clip_norm"), raw.clip_norm.unwrap_or(1.0))?,
        warm_up_steps: raw.warm_up_steps.unwrap_or(10),
    };
    if one_of(&key("method"), method, &[("adam", true), ("kfac", false)])? {
        return Ok(OptimizerPlan::Adam(adam));
    }
    let rounded = |name: &str, paths: usize| {
        count(&key(name), paths).map(|paths| paths.next_multiple_of(BLOCK))
    };
    Ok(OptimizerPlan::Kfac(KfacSettings {
        approximation: one_of(
            &key("approximation"),
            raw.approximation.as_deref().unwrap_or("chain"),
            &[
                ("chain", Approximation::Chain),
                ("expand", Approximation::Expand),
            ],
        )?,
        damping: positive(&key("damping"), raw.damping.unwrap_or(3e-4))?,
        trust_radius: positive(&key("trust_radius"), raw.trust_radius.unwrap_or(0.1))?,
        momentum: fraction(&key("momentum"), raw.momentum.unwrap_or(0.9))?,
        factor_decay: non_negative(&key("factor_decay"), raw.factor_decay.unwrap_or(0.6))?,
        factor_period: count(&key("factor_period"), raw.factor_period.unwrap_or(10))?,
        curvature_paths: rounded("curvature_paths", raw.curvature_paths.unwrap_or(512))?,
        radius_paths: rounded("radius_paths", raw.radius_paths.unwrap_or(256))?,
        warm_up_steps: adam.warm_up_steps,
        start_steps: raw.start_steps.unwrap_or(10),
        start: AdamSettings {
            learning_rate: positive(
                &key("start_learning_rate"),
                raw.start_learning_rate.unwrap_or(0.05),
            )?,
            ..adam
        },
    }))
}
