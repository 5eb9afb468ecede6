use super::functions::is_reserved;
use super::parser::parse;
use super::tree::Tree;
use crate::error::{Error, Result};
use serde::{Serialize, Serializer};
use std::fmt;

/// A text of the language that is an expression, though its names may have no meaning.
#[derive(Debug, Clone)]
pub struct Expression {
    /// The setting that it stands at.
    pub(super) key: String,
    pub(super) text: String,
    pub(super) tree: Tree,
}

impl Expression {
    /// Reads the text that stands at the setting `key`, which errors name.
    ///
    /// # Errors
    /// [`crate::error::Fault::Place`] where the text is none of the language, is longer than 4,096 bytes or nested more than
    /// 100 levels deep.
    pub fn parse(key: impl Into<String>, text: impl Into<String>) -> Result<Self> {
        let (key, text) = (key.into(), text.into());
        match parse(&text) {
            Ok(tree) => Ok(Self { key, text, tree }),
            Err(misread) => Err(misread.of(&key, &text)),
        }
    }
}

impl PartialEq for Expression {
    /// Two expressions are equal if they say the same, whatever their blanks and parentheses.
    fn eq(&self, other: &Self) -> bool {
        self.tree == other.tree
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree.fmt(formatter)
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An amount that is due on the dates of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payment {
    /// The schedule: `expiry`, `daily`, `weekly`, `monthly`, `quarterly`, `yearly`, `every(n)` or `fixings(n)`.
    pub on: Expression,
    /// The condition under which it is made; always without one.
    pub when: Option<Expression>,
    /// What the seller pays, in currency.
    pub amount: Expression,
    /// Whether the contract ends when it is made.
    pub ends: bool,
}

/// A named number of a sheet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// The name, as expressions write it.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// The value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// The same on all paths.
    Constant(f64),
    /// One for every path; these parameters are numbered from 0 in the order of their sheet.
    Drawn,
}

/// What a contract pays: payments and the parameters that they name.
///
/// The payments of one date are made in the order of the list. After one that ends the contract none is made, neither on its
/// date nor later.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sheet {
    /// The payments.
    pub payments: Vec<Payment>,
    /// The parameters.
    pub parameters: Vec<Parameter>,
}

impl Sheet {
    /// One payment at expiry of the amount that stands at the setting `key`.
    ///
    /// # Errors
    /// As [`Expression::parse`].
    pub fn payoff(
        key: &str,
        amount: &str,
        parameters: impl IntoIterator<Item = (String, f64)>,
    ) -> Result<Self> {
        let payment = Payment {
            on: Expression::parse(key, super::schedule::EXPIRY)?,
            when: None,
            amount: Expression::parse(key, amount)?,
            ends: false,
        };
        let parameters = parameters.into_iter().map(|(name, value)| Parameter {
            name,
            value: Value::Constant(value),
        });
        Ok(Self {
            payments: vec![payment],
            parameters: parameters.collect(),
        })
    }

    /// Checks that the names of all parameters are words without another meaning, and that each stands once; `key` is the
    /// setting of the parameters.
    ///
    /// # Errors
    /// The first name that is not.
    pub fn check_names(&self, key: &str) -> Result<()> {
        for (index, parameter) in self.parameters.iter().enumerate() {
            let name = &parameter.name;
            let wrong = |words: &str| Err(Error::key(format!("{key}.{name}"), words));
            let is_name =
                parse(name).is_ok_and(|tree| matches!(tree.form, super::tree::Form::Name(_)));
            if !is_name || name.trim() != name {
                return wrong("is no name: a letter and then letters, digits or `_`");
            }
            if is_reserved(name) {
                return wrong("has a meaning of its own in expressions: choose another name");
            }
            if self.parameters[..index]
                .iter()
                .any(|other| other.name == *name)
            {
                return wrong("stands twice");
            }
        }
        Ok(())
    }
}
