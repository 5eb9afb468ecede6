//! Policies of runs, and policies measured.

use super::outcome::{self, Bench, Outcome, Training};
use super::plan_of;
use crate::backtest::Contracts;
use crate::error::{Error, Result, excerpt};
use crate::hedging::{Ensemble, Policy, TrainedPolicy, TunedHedge};
use crate::network::Parameters;
use crate::risk::Estimate;
use crate::runs::store::RunFolder;
use crate::runs::trained_on::{self, TrainedOn};
use crate::strategy::{FittedOn, PastContracts, Plan, Premium};

/// The premium at which selling and hedging the contract is worth as much as doing nothing, one for each strategy:
/// e^{−∫ r} ρ(z)/k of the P&L z without a premium, since ρ(z + c) = ρ(z) − k c and ρ(0) = 0. Of several contracts, each sold at its
/// model price, it is the mean of these prices and e^{−∫ r} ρ(z)/k of the P&L at them: one mark-up on all.
///
/// # References
/// Buehler, Gonon, Teichmann and Wood (2019), "Deep hedging", lemma 3.3.
///
/// # Errors
/// [`Error::Input`] if the risk measure does not count cash; the errors of the policies; the error of `stop`, which is asked again and again.
pub fn indifference_prices(
    plan: &Plan,
    policies: &[SavedPolicy],
    stop: impl Fn() -> Result<()>,
) -> Result<Vec<(String, Option<u64>, Estimate)>> {
    if plan.risk.cash() <= 0.0 {
        return Err(Error::input(format!(
            "`risk`: a premium does not change the {}, so no price makes up for it",
            plan.risk
        )));
    }
    let mut free = plan.clone();
    let surfaces = plan.market.model.has_surface();
    let sold_for = match plan.contract.family().is_some() || surfaces {
        false => {
            free.premium = Premium::Amount(0.0);
            0.0
        }
        true => {
            free.premium = Premium::Model;
            free.model_premium()
        }
    };
    let bench = Bench {
        plan: &free,
        history: None,
        simulated: true,
        stop: &stop,
    };
    let mut outcomes = policies
        .iter()
        .map(|policy| {
            recurrent(
                &bench,
                &policy.strategy,
                policy.training,
                &policy.parameters,
            )
        })
        .collect::<Result<Vec<_>>>()?;
    outcomes.extend(classical(&bench, &free.tuned_hedges(&mut || stop())?)?);
    let discount = plan.market.rate.discount(0.0, plan.contract.expiry) / plan.risk.cash();
    let prices = outcome::simulated(&outcomes).into_iter().map(|(row, _)| {
        let price = Estimate {
            value: sold_for + discount * row.risk,
            standard_error: discount * row.risk_standard_error,
        };
        (row.strategy.clone(), row.seed, price)
    });
    Ok(prices.collect())
}

/// A policy of a finished run.
pub struct SavedPolicy {
    pub(super) strategy: String,
    pub(super) training: Training,
    pub(super) parameters: Parameters,
}

impl SavedPolicy {
    /// A policy of a run by the optimizer that trained it, the seed and the weights.
    pub fn new(strategy: String, seed: u64, parameters: Parameters) -> Self {
        let training = Training {
            seed,
            steps: 0,
            seconds: 0.0,
        };
        Self {
            strategy,
            training,
            parameters,
        }
    }

    /// The name of the optimizer that trained it.
    pub fn strategy(&self) -> &str {
        &self.strategy
    }

    /// The seed of its training.
    pub fn seed(&self) -> u64 {
        self.training.seed
    }

    /// Its weights.
    pub fn into_parameters(self) -> Parameters {
        self.parameters
    }
}

/// Policies that were trained in one market: those of a run, or of one window of a walk-forward.
pub struct RunPolicies {
    /// The run.
    pub run: RunFolder,
    /// Its strategy, of a window in the market that was known before it began to sell.
    pub plan: Plan,
    /// The policies.
    pub policies: Vec<SavedPolicy>,
    /// What they were trained on; runs of older versions do not say it.
    pub trained_on: Option<TrainedOn>,
    /// The number of the window; none of a run that has no windows.
    pub window: Option<usize>,
}

impl RunPolicies {
    /// Those of a run that has no windows.
    ///
    /// # Errors
    /// Those of [`saved_policies`]; [`Error::Input`] if the run's strategy or what it was trained on is damaged.
    pub fn of_run(run: &RunFolder) -> Result<Self> {
        let plan = plan_of(run, |_| {})?;
        Ok(Self {
            policies: saved_policies(run, &plan)?,
            trained_on: run.read_json(trained_on::FILE)?,
            run: run.clone(),
            plan,
            window: None,
        })
    }
}

/// The policies of a run, in the order of its table.
///
/// # Errors
/// [`Error::Input`] if the run is incomplete, has no policies, or a file does not fit the plan.
pub fn saved_policies(folder: &RunFolder, plan: &Plan) -> Result<Vec<SavedPolicy>> {
    let metrics = folder.metrics()?;
    let rows = if metrics.evaluation.is_empty() {
        &metrics.backtest
    } else {
        &metrics.evaluation
    };
    let policies = rows
        .iter()
        // An ensemble is made of the others.
        .filter(|row| plan.optimizers.iter().any(|one| one.name == row.strategy))
        .filter_map(|row| row.seed.map(|seed| (row, seed)))
        .map(|(row, seed)| {
            let path = folder
                .path()
                .join(policy_file(&format!("{}-{seed}", row.strategy)));
            Ok(SavedPolicy {
                strategy: row.strategy.clone(),
                training: Training {
                    seed,
                    steps: row.steps.unwrap_or(0),
                    seconds: row.seconds.unwrap_or(0.0),
                },
                parameters: Parameters::load(&path, plan.shape.maps())?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if policies.is_empty() {
        return Err(Error::input(format!(
            "run `{}` has no trained policies",
            folder.id()
        )));
    }
    Ok(policies)
}

/// The one of `policies` that `optimizer` trained with `seed`: unless given that of the strategy's main optimizer, and the first of its
/// seeds. `named` makes the name of the argument that is at fault of `optimizer` and `seed`.
///
/// # Errors
/// [`Error::Input`] if there is no such policy: which ones there are.
pub(super) fn chosen(
    policies: Vec<SavedPolicy>,
    plan: &Plan,
    (optimizer, seed): (Option<&str>, Option<u64>),
    named: impl Fn(&str) -> String,
) -> Result<SavedPolicy> {
    let mut optimizers: Vec<String> = Vec::new();
    for policy in &policies {
        if !optimizers.contains(&policy.strategy) {
            optimizers.push(policy.strategy.clone());
        }
    }
    let optimizer = optimizer.or(plan.default_optimizer()).unwrap_or_default();
    let of_optimizer: Vec<SavedPolicy> = policies
        .into_iter()
        .filter(|policy| policy.strategy == optimizer)
        .collect();
    let refused = |argument: &str, choices: String, was: String| {
        let argument = named(argument);
        Err(Error::input(format!(
            "{argument}: must be one of {choices}, was {was}"
        )))
    };
    if of_optimizer.is_empty() {
        let was = format!("\"{}\"", excerpt(optimizer));
        return refused("optimizer", optimizers.join(", "), was);
    }
    let seeds: Vec<String> = of_optimizer
        .iter()
        .map(|policy| policy.training.seed.to_string())
        .collect();
    let mut those = of_optimizer.into_iter();
    match those.find(|policy| seed.is_none_or(|seed| policy.training.seed == seed)) {
        Some(policy) => Ok(policy),
        None => {
            let was = seed.map_or(String::new(), |seed| seed.to_string());
            refused("seed", seeds.join(", "), was)
        }
    }
}

/// The file of the policy `id`, `<strategy>-<seed>` for those in the main table.
pub fn policy_file(id: &str) -> String {
    format!("{}/{id}.safetensors", RunFolder::POLICIES)
}

/// Measures a trained policy.
///
/// # Errors
/// The errors of [`Bench::measure`].
pub fn recurrent(
    bench: &Bench<'_>,
    name: &str,
    training: Training,
    parameters: &Parameters,
) -> Result<Outcome> {
    let (sweep, seen) = (bench.plan.sweep(), bench.plan.seen()?);
    let policy = TrainedPolicy {
        parameters,
        features: &seen,
        sweep: sweep.as_ref(),
    };
    bench.measure(name, Some(training), &policy, &policy)
}

/// Measures the mean positions of the policies of an optimizer, where the strategy asks for that and there are several; `trained` are
/// their trainings and weights.
///
/// # Errors
/// The errors of [`Bench::measure`].
pub fn ensemble(
    bench: &Bench<'_>,
    optimizer: &str,
    trained: &[(Training, &Parameters)],
) -> Result<Option<Outcome>> {
    let plan = bench.plan;
    let (true, [(first, _), _, ..]) = (plan.ensemble, trained) else {
        return Ok(None);
    };
    let (sweep, seen) = (plan.sweep(), plan.seen()?);
    let policies: Vec<TrainedPolicy<'_>> = trained
        .iter()
        .map(|(_, parameters)| TrainedPolicy {
            parameters,
            features: &seen,
            sweep: sweep.as_ref(),
        })
        .collect();
    let ensemble = Ensemble {
        members: policies.iter().map(|one| one as &dyn Policy).collect(),
        limits: &plan.limits,
    };
    let training = Training {
        seed: first.seed,
        steps: trained.iter().map(|(training, _)| training.steps).sum(),
        seconds: trained.iter().map(|(training, _)| training.seconds).sum(),
    };
    let name = Ensemble::name(optimizer);
    bench
        .measure(&name, Some(training), &ensemble, &ensemble)
        .map(Some)
}

/// The plan's classical hedges, each in the market that the paths are supposed to come from.
pub fn classical(bench: &Bench<'_>, hedges: &[TunedHedge]) -> Result<Vec<Outcome>> {
    let plan = bench.plan;
    let past = bench
        .history
        .and_then(|(contracts, _)| contracts.known_past());
    let on = fitted_on(plan, past);
    hedges
        .iter()
        .map(|tuned| {
            let on_simulation = plan.classical(tuned.hedge, &plan.assets(), tuned.values);
            let on_history = bench.history.map(|(contracts, alone)| {
                alone.classical_on(tuned.hedge, &contracts.assets, tuned.values, &on)
            });
            let on_history = on_history.as_ref().unwrap_or(&on_simulation);
            bench.measure(&tuned.hedge.name(), None, &on_simulation, on_history)
        })
        .collect()
}

/// What hedges of contracts are fitted on, before which those of `past` had expired.
pub fn fitted_on<'a>(plan: &Plan, past: Option<&'a dyn PastContracts>) -> FittedOn<'a> {
    match past {
        // Fits of the past are kept apart from those of the plan's own paths.
        Some(_) => FittedOn {
            past,
            ..FittedOn::default()
        },
        None => FittedOn {
            kept: plan.kept_fits(),
            ..FittedOn::default()
        },
    }
}

/// The plan's hedges tuned on contracts that had expired before those on history were sold.
///
/// # Errors
/// Those of the hedges; that of `stop`.
pub fn tuned_on_past(
    plan: &Plan,
    contracts: &Contracts,
    stop: &mut dyn FnMut() -> Result<()>,
) -> Result<Vec<TunedHedge>> {
    let on = fitted_on(plan, contracts.known_past());
    plan.hedges_tuned_on(&contracts.assets, &on, stop)
}
