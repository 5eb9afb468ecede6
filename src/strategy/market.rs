//! The section `market`.

use super::raw::Raw;
use crate::bounds::{check, filled, finite, one_of, positive, required};
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
    let above_zero = |name: &str| value(name).and_then(|(key, value)| positive(&key, value));
    let model = match name.as_str() {
        "heston" => {
            let (key, rho) = value("rho")?;
            Model::Heston(HestonParameters {
                v0: above_zero("v0")?,
                kappa: above_zero("kappa")?,
                theta: above_zero("theta")?,
                sigma: above_zero("sigma")?,
                rho: check(&key, rho, rho.abs() < 1.0, "in (-1, 1)")?,
            })
        }
        "merton" => {
            let (key, mean) = value("log_jump_mean")?;
            Model::Merton(MertonParameters {
                volatility: above_zero("volatility")?,
                jump_intensity: above_zero("jump_intensity")?,
                log_jump_mean: check(&key, mean, mean.abs() <= 1.0, "in [-1, 1]")?,
                log_jump_std: above_zero("log_jump_std")?,
            })
        }
        _ => Model::Gbm {
            volatility: above_zero("volatility")?,
        },
    };
    Ok(Market {
        model,
        spot: positive("market.spot", filled(&mut market.spot, 100.0))?,
        rate: finite("market.rate", filled(&mut market.rate, 0.0))?,
        dividend: finite("market.dividend", filled(&mut market.dividend, 0.0))?,
    })
}

/// Jumps of a hedging period are drawn by inversion of their number's distribution.
pub(super) fn check_jumps(market: &Market, dt: f64) -> Result<()> {
    const MOST: f64 = 50.0;
    let Model::Merton(parameters) = market.model else {
        return Ok(());
    };
    let intensity = parameters.jump_intensity;
    let bound = format!("at most {:.4}, {MOST} in a hedging period", MOST / dt);
    check(
        "market.jump_intensity",
        intensity,
        intensity * dt <= MOST,
        &bound,
    )
    .map(|_| ())
}
