//! What a named type is written in, and what comes of it.

use crate::bounds::{check, outside, positive, required};
use crate::contract::expression::{Expression, Parameter, Payment, Sheet, Value};
use crate::contract::{Formula, Leg, OptionKind};
use crate::error::{Error, Fault, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A strike as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StrikeRule {
    /// An amount of money.
    Amount(f64),
    /// A multiple of the spot.
    Moneyness {
        /// The multiple.
        #[schemars(extend("x-unit" = "spots"))]
        moneyness: f64,
    },
    /// The strike at which the Black–Scholes delta has a size.
    Delta {
        /// The size, without its sign.
        delta: f64,
    },
}

/// An amount of money that follows no delta, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Money {
    /// An amount of money.
    Amount(f64),
    /// A multiple of the spot.
    Moneyness {
        /// The multiple.
        #[schemars(extend("x-unit" = "spots"))]
        moneyness: f64,
    },
}

impl From<Money> for StrikeRule {
    fn from(money: Money) -> Self {
        match money {
            Money::Amount(amount) => Self::Amount(amount),
            Money::Moneyness { moneyness } => Self::Moneyness { moneyness },
        }
    }
}

/// The market that a contract is written for, as far as its terms ask for it.
pub struct Setting<'a> {
    /// The section that the terms stand in.
    pub key: &'a str,
    /// The name of the type.
    pub kind: &'static str,
    /// The names of the assets, in their order.
    pub assets: &'a [String],
    /// The spot of the first asset when the contract is sold.
    pub spot: f64,
    /// Years from the sale to expiry.
    pub expiry: f64,
    /// The number of hedging periods.
    pub steps: usize,
    /// Days of a year.
    pub days_per_year: f64,
    /// The strike at which a call or a put has a Black–Scholes delta of this size, by the setting that asks for it.
    pub strike_of_delta: &'a dyn Fn(&str, OptionKind, f64) -> Result<f64>,
}

/// What a number of contracts is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// Calls and puts on the first asset.
    Options(Vec<Leg>),
    /// A call or put on the first asset that its holder may exercise on every hedging date.
    American(OptionKind),
    /// Payments that are written as expressions.
    Sheet(Sheet),
    /// At expiry what paths that are given say of it.
    GivenPayoff,
}

/// A part of what is sold.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The number of contracts; below 0 where they are bought.
    pub quantity: f64,
    /// Years from the sale to its expiry, where that is not the contract's.
    pub expiry: Option<f64>,
    /// What each contract pays.
    pub made: Made,
}

/// What a type is with its terms.
#[derive(Debug, Clone)]
pub struct Sold {
    /// The strike, or the money that takes its place.
    pub strike: f64,
    /// The option and the size of its delta that the strike follows, if it follows one.
    pub delta: Option<(OptionKind, f64)>,
    /// Its parts.
    pub parts: Vec<Part>,
    /// The closed form of one contract in a lognormal market, if there is one beside that of calls and puts.
    pub formula: Option<Arc<dyn Formula>>,
}

impl Sold {
    /// One contract of calls and puts.
    pub fn options(strike: f64, legs: Vec<Leg>) -> Self {
        Self::one(strike, Made::Options(legs))
    }

    /// One option that its holder may exercise on every hedging date.
    pub fn american(strike: f64, kind: OptionKind) -> Self {
        Self::one(strike, Made::American(kind))
    }

    /// One contract that pays what paths that are given say.
    pub fn given_payoff(strike: f64) -> Self {
        Self::one(strike, Made::GivenPayoff)
    }

    /// One contract of a sheet.
    pub fn sheet(strike: f64, sheet: Sheet) -> Self {
        Self::one(strike, Made::Sheet(sheet))
    }

    fn one(strike: f64, made: Made) -> Self {
        let part = Part {
            quantity: 1.0,
            expiry: None,
            made,
        };
        Self {
            strike,
            delta: None,
            parts: vec![part],
            formula: None,
        }
    }

    /// The same with a closed form.
    #[must_use]
    pub fn with_formula(self, formula: impl Formula + 'static) -> Self {
        Self {
            formula: Some(Arc::new(formula)),
            ..self
        }
    }
}

impl Setting<'_> {
    /// The dotted name of a key of the section.
    pub fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.key)
    }

    /// The money that stands at `key`, above 0.
    ///
    /// # Errors
    /// [`Fault::Bound`]; [`Fault::NoMeaning`] for a delta.
    pub fn money(&self, key: &str, written: impl Into<StrikeRule>) -> Result<f64> {
        let name = self.name(key);
        match written.into() {
            StrikeRule::Amount(amount) => positive(&name, amount),
            StrikeRule::Moneyness { moneyness } => {
                Ok(self.spot * positive(&format!("{name}.moneyness"), moneyness)?)
            }
            StrikeRule::Delta { .. } => {
                let beside = format!(
                    "for the type \"{}\": give a number or {{ moneyness = x }}",
                    self.kind
                );
                Err(Error::setting(
                    format!("{name}.delta"),
                    Fault::NoMeaning { beside },
                ))
            }
        }
    }

    /// The money that stands at `key`, or the spot, which is then filled in.
    ///
    /// # Errors
    /// Those of [`Self::money`].
    pub fn money_or_spot(&self, key: &str, written: &mut Option<Money>) -> Result<f64> {
        let written = *written.get_or_insert(Money::Amount(self.spot));
        self.money(key, written)
    }

    /// The strike, which follows no delta, or the spot, which is then filled in.
    ///
    /// # Errors
    /// Those of [`Self::money`].
    pub fn fixed_strike(&self, written: &mut Option<StrikeRule>) -> Result<f64> {
        let written = *written.get_or_insert(StrikeRule::Amount(self.spot));
        self.money("strike", written)
    }

    /// The money that must stand at `key`.
    ///
    /// # Errors
    /// [`Fault::Missing`], and those of [`Self::money`].
    pub fn money_given(&self, key: &str, written: &Option<Money>) -> Result<f64> {
        let written = required(written, &self.name(key))?;
        self.money(key, written)
    }

    /// The strike of one option, which may follow a delta; the spot, filled in, if none is given.
    ///
    /// # Errors
    /// Those of [`Self::money`], and a delta that no option has.
    pub fn strike(
        &self,
        written: &mut Option<StrikeRule>,
        kind: OptionKind,
    ) -> Result<(f64, Option<(OptionKind, f64)>)> {
        let rule = *written.get_or_insert(StrikeRule::Amount(self.spot));
        if let StrikeRule::Delta { delta } = rule {
            let key = self.name("strike.delta");
            let strike = (self.strike_of_delta)(&key, kind, delta)?;
            return Ok((strike, Some((kind, delta))));
        }
        Ok((self.money("strike", rule)?, None))
    }

    /// How the first asset is written.
    pub fn first(&self) -> String {
        self.spots().swap_remove(0)
    }

    /// How the assets are written, in their order.
    pub fn spots(&self) -> Vec<String> {
        match self.assets {
            [] | [_] => vec!["S".into()],
            several => several.iter().map(|asset| format!("S.{asset}")).collect(),
        }
    }

    /// How the assets are written, where there are several.
    ///
    /// # Errors
    /// If there is one.
    pub fn several(&self) -> Result<Vec<String>> {
        if self.assets.len() > 1 {
            return Ok(self.spots());
        }
        let words = format!("\"{}\" needs a market of several assets", self.kind);
        Err(Error::key(self.name("type"), words))
    }

    /// A sheet of one payment at expiry.
    ///
    /// # Errors
    /// Those of [`Sheet::payoff`].
    pub fn payoff(&self, amount: &str, parameters: &[(&str, f64)]) -> Result<Sheet> {
        let named = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value));
        Sheet::payoff(&self.name("type"), amount, named)
    }

    /// A sheet that pays what calls and puts on the first asset do.
    ///
    /// # Errors
    /// Those of [`Sheet::payoff`].
    pub fn sheet_of_options(&self, legs: &[Leg]) -> Result<Sheet> {
        let spot = self.first();
        let option = |leg: &Leg| match leg.kind {
            OptionKind::Call => format!("{} * max({spot} - {}, 0)", leg.quantity, leg.strike),
            OptionKind::Put => format!("{} * max({} - {spot}, 0)", leg.quantity, leg.strike),
        };
        let options: Vec<String> = legs.iter().map(option).collect();
        self.payoff(&options.join(" + "), &[])
    }

    /// A sheet of several payments: their schedules, conditions, amounts, and whether they end the contract.
    ///
    /// # Errors
    /// Those of [`Expression::parse`].
    pub fn payments(
        &self,
        payments: &[(&str, Option<&str>, &str, bool)],
        parameters: &[(&str, f64)],
    ) -> Result<Sheet> {
        let read = |text: &str| Expression::parse(self.name("type"), text);
        let payment = |&(on, when, amount, ends): &(&str, Option<&str>, &str, bool)| {
            Ok(Payment {
                on: read(on)?,
                when: when.map(read).transpose()?,
                amount: read(amount)?,
                ends,
            })
        };
        let constant = |&(name, value): &(&str, f64)| Parameter {
            name: name.to_owned(),
            value: Value::Constant(value),
        };
        Ok(Sheet {
            payments: payments.iter().map(payment).collect::<Result<_>>()?,
            parameters: parameters.iter().map(constant).collect(),
        })
    }

    /// The value of `key`, if it is above `least`.
    ///
    /// # Errors
    /// [`Fault::Bound`].
    pub fn above(&self, key: &str, value: f64, least: f64) -> Result<f64> {
        check(
            &self.name(key),
            value,
            value > least,
            &format!("above {least}"),
        )
    }

    /// The error of a value of `key` outside its bound.
    pub fn outside(&self, key: &str, bound: String, value: f64) -> Error {
        outside(&self.name(key), bound, crate::bounds::shown(value))
    }
}
