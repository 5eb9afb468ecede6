//! What a desk writes itself, and several contracts sold together.

use super::Product;
use super::setting::{Made, Money, Part, Setting, Sold};
use crate::bounds::{positive, required};
use crate::contract::expression::{Expression, Parameter, Payment, Sheet, Value};
use crate::error::{Error, Fault, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The terms of a contract that is written as expressions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TermSheet {
    /// What a contract pays at expiry, as an expression over the path: `"max(average(S) - K, 0)"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payoff: Option<String>,
    /// The payments of a contract that pays on several dates, in the place of `payoff`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<PaymentTerms>,
    /// The names that expressions use, with their values: numbers or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Money>,
}

/// A payment as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentTerms {
    /// The dates: `expiry`, `daily`, `weekly`, `monthly`, `quarterly`, `yearly`, `every(n)` or `fixings(n)`.
    #[serde(default = "expiry")]
    pub on: String,
    /// The condition under which it is made; without one it always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What is paid.
    pub amount: String,
    /// Whether the contract ends when it is made.
    #[serde(default)]
    pub ends: bool,
}

fn expiry() -> String {
    "expiry".into()
}

/// The terms of several contracts that are sold together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Portfolio {
    /// Contracts that are sold together: each a `type` with its own keys, a `quantity`, below 0 where they are bought, and
    /// `expiry_days`, at most the contract's.
    #[serde(default)]
    #[schemars(with = "Vec<BTreeMap<String, serde_json::Value>>")]
    pub legs: Vec<PortfolioLeg>,
}

/// A number of contracts of a portfolio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PortfolioLeg {
    /// The number of contracts; below 0 where they are bought.
    #[serde(default = "one")]
    pub quantity: f64,
    /// Days from the sale to the expiry of these contracts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "days", "x-default" = "`contract.expiry_days`"))]
    pub expiry_days: Option<f64>,
    /// What each of them is.
    #[serde(flatten)]
    #[schemars(skip)]
    pub product: Product,
}

fn one() -> f64 {
    1.0
}

/// The payments as they are written.
pub(super) fn term_sheet(terms: &mut TermSheet, setting: &Setting<'_>) -> Result<Sold> {
    let written = |(name, rule): (&String, &Money)| {
        let key = format!("parameters.{name}");
        let value = match rule {
            Money::Amount(amount) => *amount,
            other => setting.money(&key, *other)?,
        };
        Ok(Parameter {
            name: name.clone(),
            value: Value::Constant(value),
        })
    };
    let payments = match (&terms.payoff, &terms.payments[..]) {
        (Some(payoff), []) => vec![Payment {
            on: Expression::parse(setting.name("payoff"), "expiry")?,
            when: None,
            amount: Expression::parse(setting.name("payoff"), payoff.as_str())?,
            ends: false,
        }],
        (None, payments @ [_, ..]) => {
            let payments = payments.iter().enumerate();
            let read = payments.map(|(index, payment)| read(payment, index, setting));
            read.collect::<Result<_>>()?
        }
        (Some(_), _) => {
            let words = "has no meaning beside `payoff`, which is one payment at expiry";
            return Err(Error::key(setting.name("payments"), words));
        }
        (None, []) => {
            required(&None::<String>, &setting.name("payoff"))?;
            Vec::new()
        }
    };
    let sheet = Sheet {
        payments,
        parameters: terms
            .parameters
            .iter()
            .map(written)
            .collect::<Result<_>>()?,
    };
    sheet.check_names(&setting.name("parameters"))?;
    Ok(Sold::sheet(setting.spot, sheet))
}

fn read(payment: &PaymentTerms, index: usize, setting: &Setting<'_>) -> Result<Payment> {
    let read = |key: &str, text: &str| {
        let key = format!("payments.{}.{key}", index + 1);
        Expression::parse(setting.name(&key), text)
    };
    Ok(Payment {
        on: read("on", &payment.on)?,
        when: payment
            .when
            .as_ref()
            .map(|text| read("when", text))
            .transpose()?,
        amount: read("amount", &payment.amount)?,
        ends: payment.ends,
    })
}

/// The parts of all legs, in their quantities.
pub(super) fn portfolio(terms: &mut Portfolio, setting: &Setting<'_>) -> Result<Sold> {
    if terms.legs.is_empty() {
        required(&None::<String>, &setting.name("legs"))?;
    }
    let mut parts = Vec::new();
    let mut strike = None;
    for (index, leg) in terms.legs.iter_mut().enumerate() {
        let key = setting.name(&format!("legs.{}", index + 1));
        let expiry = match leg.expiry_days {
            Some(days) => {
                let years = positive(&format!("{key}.expiry_days"), days)? / setting.days_per_year;
                let dt = setting.expiry / setting.steps as f64;
                let own = (years / dt).round();
                if !(1.0..=setting.steps as f64).contains(&own) {
                    let most = setting.expiry * setting.days_per_year;
                    let bound =
                        format!("from one hedging period to the {most} days of the contract");
                    let name = format!("legs.{}.expiry_days", index + 1);
                    return Err(setting.outside(&name, bound, days));
                }
                Some((years, own as usize)).filter(|(_, own)| *own < setting.steps)
            }
            None => None,
        };
        if matches!(leg.product, Product::Portfolio(_)) {
            let words = "is a portfolio, and a leg must be one contract";
            return Err(Error::key(format!("{key}.type"), words));
        }
        let own = Setting {
            key: &key,
            kind: leg.product.name(),
            expiry: expiry.map_or(setting.expiry, |(years, _)| years),
            steps: expiry.map_or(setting.steps, |(_, steps)| steps),
            strike_of_delta: &|key, _, _| {
                let beside = "in a portfolio".into();
                Err(Error::setting(key, Fault::NoMeaning { beside }))
            },
            ..*setting
        };
        let sold = leg.product.sold(&own)?;
        let exercised = |part: &Part| matches!(part.made, Made::American(_));
        if sold.parts.iter().any(exercised) {
            let words = "may be exercised, and the legs of a portfolio must not";
            return Err(Error::key(format!("{key}.type"), words));
        }
        let given = |part: &Part| matches!(part.made, Made::GivenPayoff);
        if sold.parts.iter().any(given) {
            let words = ": payoffs that are given are those of a contract alone";
            return Err(Error::key(format!("{key}.type"), words));
        }
        strike.get_or_insert(sold.strike);
        parts.extend(sold.parts.into_iter().map(|part| Part {
            quantity: leg.quantity * part.quantity,
            expiry: expiry.map(|(years, _)| years),
            made: part.made,
        }));
    }
    // Calls and puts that expire with the contract are one sum of options, which has a closed form.
    let together: Option<Vec<_>> = parts
        .iter()
        .map(|part| match (&part.made, part.expiry) {
            (Made::Options(legs), None) => Some(legs.iter().map(|leg| crate::contract::Leg {
                quantity: part.quantity * leg.quantity,
                ..*leg
            })),
            _ => None,
        })
        .collect();
    let strike = strike.unwrap_or(setting.spot);
    Ok(match together {
        Some(legs) => Sold::options(strike, legs.into_iter().flatten().collect()),
        None => Sold {
            strike,
            delta: None,
            parts,
            formula: None,
        },
    })
}
