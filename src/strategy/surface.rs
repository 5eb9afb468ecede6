//! What a backtest on implied-volatility surfaces asks of the other settings.

use super::backtest::Rates;
use super::contract::Premium;
use super::{DayCount, Plan};
use crate::contract::{Contract, Instrument};
use crate::error::{Error, Result};
use crate::market::estimation::VarianceEstimator;

/// The trading days of a year in which surfaces count times to expiry.
const DAYS_PER_YEAR: f64 = 252.0;

impl Plan {
    /// Refuses settings that contradict a backtest on surfaces.
    ///
    /// # Errors
    /// [`Error::Setting`]: the key, the value and its bound.
    pub(super) fn check_surfaces(&self) -> Result<()> {
        let Some(backtest) = &self.backtest else {
            return Ok(());
        };
        if backtest.surface.is_none() {
            return match backtest.rates {
                Rates::Zero => Ok(()),
                Rates::File => Err(Error::key(
                    "backtest.rates",
                    "must be \"zero\" without `backtest.surface`, was \"file\"",
                )),
            };
        }
        if backtest.variance != VarianceEstimator::Model {
            return Err(Error::key(
                "backtest.variance",
                "must be \"model\" with `backtest.surface`, whose one-month volatility at the money gives the variance",
            ));
        }
        if self.tenor.count != DayCount::Trading {
            return Err(Error::key(
                "contract.days",
                "must be \"trading\" with `backtest.surface`, whose times are years of 252 trading days",
            ));
        }
        let year = self.tenor.days_per_year;
        if year != DAYS_PER_YEAR {
            return Err(Error::key(
                "contract.days_per_year",
                format!("must be {DAYS_PER_YEAR} with `backtest.surface`, was {year}"),
            ));
        }
        if self.market.rate.constant() != Some(0.0) {
            return Err(Error::key(
                "market.rate",
                "must be 0 with `backtest.surface`: `backtest.rates` says what rates contracts have",
            ));
        }
        if self.premium == Premium::Model && !self.sold().all(|one| one.legs().is_some()) {
            return Err(Error::key(
                "contract.premium",
                "must be an amount with `backtest.surface`, which prices European calls and puts alone",
            ));
        }
        if self.instruments().contains(&Instrument::VarianceSwap(0)) {
            return Err(Error::key(
                "instruments",
                "must be calls and puts with `backtest.surface`, at which variance swaps have no price",
            ));
        }
        match backtest.rates {
            Rates::Zero => Ok(()),
            Rates::File => self.check_forwards(),
        }
    }

    /// With rates of the file spots are forwards for one expiry, that of all contracts and options.
    fn check_forwards(&self) -> Result<()> {
        let expiry = self.contract.expiry;
        let wrong = |what: &str| {
            Err(Error::key(
                "backtest.rates",
                format!("must be \"zero\" {what}"),
            ))
        };
        if !self.sold().all(|one| one.legs().is_some()) {
            return wrong("where more than European calls and puts is sold");
        }
        if self.sold().any(|one| one.expiry != expiry) {
            return wrong("for contracts of several times to expiry");
        }
        let later = |one: &Instrument| match one {
            Instrument::Option(option) => option.asset == 0 && option.expiry != expiry,
            Instrument::Spot(_) | Instrument::VarianceSwap(_) => false,
        };
        match self.instruments().iter().any(later) {
            true => wrong("where an option hedges that expires after the contract"),
            false => Ok(()),
        }
    }

    /// The contracts that may be sold.
    fn sold(&self) -> impl Iterator<Item = &Contract> {
        let family = self.contract.family().map(|family| family.members());
        let members = family.unwrap_or_default().iter();
        let own = family.is_none().then_some(&self.contract);
        members.map(|member| &member.contract).chain(own)
    }
}
