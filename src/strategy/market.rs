//! The section `market`.

use super::raw::Raw;
use crate::bounds::{check, filled, finite, one_of, positive, required};
use crate::error::{Error, Result};
use crate::market::{Market, Model};
use crate::pricing::HestonParameters;

pub(super) fn market(raw: &mut Raw) -> Result<Market> {
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
