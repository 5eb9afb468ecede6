//! The section `contract`.

use super::raw::{Raw, RawPremium};
use crate::bounds::{at_least, filled, finite, one_of, positive, required};
use crate::contract::{Contract, OptionKind};
use crate::error::Result;
use crate::market::Market;

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

/// The contract, its days to expiry and the days of its year.
pub(super) fn contract(raw: &mut Raw, spot: f64) -> Result<(Contract, f64, f64)> {
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

/// Reads `contract.premium`.
pub(super) fn premium(raw: &mut Raw) -> Result<Premium> {
    Ok(
        match filled(&mut raw.contract.premium, RawPremium::Rule("model".into())) {
            RawPremium::Amount(amount) => Premium::Amount(finite("contract.premium", amount)?),
            RawPremium::Rule(rule) => {
                one_of("contract.premium", &rule, &[("model", Premium::Model)])?
            }
        },
    )
}
