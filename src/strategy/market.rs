//! The section `market`.

use super::raw::Raw;
use crate::bounds::{between, check, filled, one_of, required};
use crate::contract::Contract;
use crate::error::{Error, Result};
use crate::market::model::Range;
use crate::market::{Market, Model};

const SPOT: (f64, f64) = (1e-6, 1e9);
/// Rates and dividend yields a year.
const YIELD: (f64, f64) = (-1.0, 1.0);

/// Reads the section; what is simulated rightly depends on the contract too: [`check_simulation`].
pub(super) fn market(raw: &mut Raw) -> Result<Market> {
    let market = &mut raw.market;
    let name = required(&market.model, "market.model")?;
    let parameters = one_of("market.model", &name, &Model::all())?;
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
    let known = |key: &str| parameters.iter().any(|parameter| parameter.name == key);
    let superfluous = |(key, value): &&(&str, Option<f64>)| value.is_some() && !known(key);
    if let Some((key, _)) = written.iter().find(superfluous) {
        return Err(Error::input(format!(
            "`market.{key}` has no meaning for the model \"{name}\""
        )));
    }
    let mut values = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let found = written.iter().find(|(key, _)| *key == parameter.name);
        let key = format!("market.{}", parameter.name);
        let value = required(&found.and_then(|(_, value)| *value), &key)?;
        let checked = match parameter.range {
            Range::Closed(least, most) => between(&key, value, (least, most))?,
            Range::Open(above, below) => {
                let inside = value > above && value < below;
                check(&key, value, inside, &format!("in ({above}, {below})"))?
            }
        };
        values.push((parameter.name, checked));
    }
    let model = Model::named(&name, values)?;
    Ok(Market {
        model,
        spot: between("market.spot", filled(&mut market.spot, 100.0), SPOT)?,
        rate: between("market.rate", filled(&mut market.rate, 0.0), YIELD)?,
        dividend: between("market.dividend", filled(&mut market.dividend, 0.0), YIELD)?,
    })
}

/// Checks that the contract's life lies in the region where the model's simulation is right: the model's own
/// [`Model::limits`], and rates and yields that discount by at most e^{±10}.
pub(super) fn check_simulation(market: &Market, contract: &Contract) -> Result<()> {
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
    for limit in market.model.limits(life, contract.steps) {
        let key = format!("market.{}", limit.parameter);
        check(&key, limit.value, limit.holds, &limit.bound)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "market_tests.rs"]
mod tests;
