//! The section `market`.

use super::raw::Raw;
use crate::bounds::{between, check, filled, one_of, required};
use crate::contract::Contract;
use crate::error::{Error, Result};
use crate::market::{Market, Model};
use crate::pricing::{HestonParameters, MertonParameters};

/// The keys of each model's parameters.
const MODELS: [(&str, &[&str]); 3] = [
    ("gbm", &["volatility"]),
    ("heston", &["v0", "kappa", "theta", "sigma", "rho"]),
    (
        "merton",
        &[
            "volatility",
            "jump_intensity",
            "log_jump_mean",
            "log_jump_std",
        ],
    ),
];

/// Volatilities, from 0.1 % to 500 %.
const VOLATILITY: (f64, f64) = (1e-3, 5.0);
/// Their squares.
const VARIANCE: (f64, f64) = (1e-6, 25.0);
/// Speeds of mean reversion a year.
const KAPPA: (f64, f64) = (1e-4, 1e6);
/// Volatilities of variance.
const SIGMA: (f64, f64) = (0.0, 100.0);
const SPOT: (f64, f64) = (1e-6, 1e9);
/// Rates and dividend yields a year.
const YIELD: (f64, f64) = (-1.0, 1.0);

/// Reads the section; what is simulated rightly depends on the contract too: [`check_simulation`].
pub(super) fn market(raw: &mut Raw) -> Result<Market> {
    let market = &mut raw.market;
    let name = required(&market.model, "market.model")?;
    let keys = one_of("market.model", &name, &MODELS)?;
    let written = [
        ("volatility", market.volatility),
        ("v0", market.v0),
        ("kappa", market.kappa),
        ("theta", market.theta),
        ("sigma", market.sigma),
        ("rho", market.rho),
        ("jump_intensity", market.jump_intensity),
        ("log_jump_mean", market.log_jump_mean),
        ("log_jump_std", market.log_jump_std),
    ];
    let superfluous = |(key, value): &&(&str, Option<f64>)| value.is_some() && !keys.contains(key);
    if let Some((key, _)) = written.iter().find(superfluous) {
        return Err(Error::input(format!(
            "`market.{key}` has no meaning for the model \"{name}\""
        )));
    }
    let value = |name: &str| {
        let found = written.iter().find(|(key, _)| *key == name);
        let key = format!("market.{name}");
        required(&found.and_then(|(_, value)| *value), &key).map(|value| (key, value))
    };
    let within = |name: &str, range: (f64, f64)| {
        value(name).and_then(|(key, value)| between(&key, value, range))
    };
    let model = match name.as_str() {
        "heston" => {
            let (key, rho) = value("rho")?;
            Model::Heston(HestonParameters {
                v0: within("v0", VARIANCE)?,
                kappa: within("kappa", KAPPA)?,
                theta: within("theta", VARIANCE)?,
                sigma: within("sigma", SIGMA)?,
                rho: check(&key, rho, rho.abs() < 1.0, "in (-1, 1)")?,
            })
        }
        "merton" => Model::Merton(MertonParameters {
            volatility: within("volatility", VOLATILITY)?,
            jump_intensity: within("jump_intensity", (1e-6, 1e4))?,
            log_jump_mean: within("log_jump_mean", (-1.0, 1.0))?,
            log_jump_std: within("log_jump_std", (1e-6, 1.0))?,
        }),
        "gbm" => Model::Gbm {
            volatility: within("volatility", VOLATILITY)?,
        },
        other => {
            return Err(Error::Computation(format!(
                "`market.model` \"{other}\" has keys and no parameters"
            )));
        }
    };
    Ok(Market {
        model,
        spot: between("market.spot", filled(&mut market.spot, 100.0), SPOT)?,
        rate: between("market.rate", filled(&mut market.rate, 0.0), YIELD)?,
        dividend: between("market.dividend", filled(&mut market.dividend, 0.0), YIELD)?,
    })
}

/// Checks that the contract's life lies in the region where the model's simulation is right.
///
/// Of every model:
/// - log returns until expiry have a standard deviation √(v̄T) of at most 3, v̄ the expected average variance. The mean of
///   the spot is carried by paths that end about v̄T above the median; beyond, a million of them have hardly one there.
/// - rates and yields discount by at most e^{±10}.
///
/// Heston:
/// - σ√(τ/v̄) ≤ 20 with τ = min(T, 1/κ), and 1/30 ≤ v₀/θ ≤ 30, as far as the sub-steps of [`Model::longest_step`] were
///   measured;
/// - at most 100,000 sub-steps until expiry, which bounds κT by 12,500 and σ once more.
///
/// Merton: at most 500 jumps are expected until expiry and 50 in a hedging period: prices sum over the number of jumps,
/// and the jumps of a period are drawn by inversion of their number's distribution.
pub(super) fn check_simulation(market: &Market, contract: &Contract) -> Result<()> {
    const MOST_DEVIATION: f64 = 3.0;
    const MOST_GROWTH: f64 = 10.0;
    let life = contract.expiry;
    for (key, rate) in [
        ("market.rate", market.rate),
        ("market.dividend", market.dividend),
    ] {
        let most = MOST_GROWTH / life;
        if most < YIELD.1 {
            let bound = format!("in [{:.4}, {most:.4}] over {life:.4} years", -most);
            check(key, rate, rate.abs() <= most, &bound)?;
        }
    }
    let now = market.model.initial_volatility().powi(2);
    let mean = market.model.mean_variance(now, life);
    let deviation = (mean * life).sqrt();
    let spread = format!(
        "small enough for log returns until expiry to deviate by at most {MOST_DEVIATION} (here {deviation:.2})"
    );
    let narrow = deviation <= MOST_DEVIATION;
    match market.model {
        Model::Gbm { volatility } => {
            if !narrow {
                let bound = format!(
                    "at most {:.4} over {life:.4} years",
                    MOST_DEVIATION / life.sqrt()
                );
                check("market.volatility", volatility, narrow, &bound)?;
            }
        }
        Model::Heston(parameters) => {
            check_heston(&parameters, life, contract.steps, (narrow, &spread))?
        }
        Model::Merton(parameters) => {
            const MOST_JUMPS: f64 = 500.0;
            const MOST_IN_PERIOD: f64 = 50.0;
            let most = (MOST_JUMPS / life).min(MOST_IN_PERIOD / contract.dt());
            let intensity = parameters.jump_intensity;
            let bound = format!(
                "at most {most:.4}, {MOST_JUMPS} until expiry and {MOST_IN_PERIOD} in a hedging period"
            );
            check(
                "market.jump_intensity",
                intensity,
                intensity <= most,
                &bound,
            )?;
            if !narrow {
                let jumps = parameters.total_variance() - parameters.volatility.powi(2);
                let (key, value) = if jumps > parameters.volatility.powi(2) {
                    ("market.jump_intensity", intensity)
                } else {
                    ("market.volatility", parameters.volatility)
                };
                check(key, value, narrow, &spread)?;
            }
        }
    }
    Ok(())
}

fn check_heston(
    parameters: &HestonParameters,
    life: f64,
    steps: usize,
    (narrow, spread): (bool, &str),
) -> Result<()> {
    /// Sub-steps until expiry.
    const MOST_STEPS: f64 = 100_000.0;
    /// σ√(τ/v̄)
    const MOST_WILDNESS: f64 = 20.0;
    /// v₀/θ and θ/v₀
    const MOST_RATIO: f64 = 30.0;
    let HestonParameters {
        v0,
        kappa,
        theta,
        sigma,
        ..
    } = *parameters;
    let (key, value) = match v0 > theta {
        true => ("market.v0", v0),
        false => ("market.theta", theta),
    };
    if !narrow {
        check(key, value, narrow, spread)?;
    }
    let (least, most) = (theta / MOST_RATIO, theta * MOST_RATIO);
    let bound = format!(
        "in [{least:.3e}, {most:.3e}], between 1/{MOST_RATIO} of `market.theta` and {MOST_RATIO} times it"
    );
    check("market.v0", v0, (least..=most).contains(&v0), &bound)?;
    let shortest = life / MOST_STEPS.max(steps as f64);
    let reached = |kappa: f64, sigma: f64| {
        let parameters = HestonParameters {
            kappa,
            sigma,
            ..*parameters
        };
        Model::Heston(parameters).longest_step(life) / shortest
    };
    // The bound of the step that mean reversion sets goes with 1/κ, about; what is left of it is found for this κ.
    let most = kappa * reached(kappa, 0.0);
    let bound = format!("in [{}, {most:.4}] over {life:.4} years", KAPPA.0);
    check("market.kappa", kappa, reached(kappa, 0.0) >= 1.0, &bound)?;
    let horizon = life.min(1.0 / kappa);
    let wild = MOST_WILDNESS * (parameters.mean_variance(life) / horizon).sqrt();
    let most = match reached(kappa, wild) {
        enough if enough >= 1.0 => wild,
        // The bound that σ sets goes with σ^{−3/2}.
        short => wild * short.powf(2.0 / 3.0),
    };
    let bound = format!(
        "in [{}, {most:.4}] over {life:.4} years with these v0, kappa and theta",
        SIGMA.0
    );
    check("market.sigma", sigma, sigma <= most, &bound)?;
    Ok(())
}

#[cfg(test)]
#[path = "market_tests.rs"]
mod tests;
