//! What is sold, and what hedging it costs.

mod cost;
mod exercise;
pub mod expression;
mod formula;
mod instrument;
mod observation;
mod option_kind;
pub mod options;
mod sheets;

pub use cost::{Charge, Costs};
pub use exercise::{Continuation, ExerciseRule};
pub use formula::{Formula, Seen, SeenAsset, Worth};
pub use instrument::{Instrument, Vanilla};
pub use observation::{Observed, Spots};
pub use option_kind::OptionKind;
pub use options::Leg;
pub use sheets::Position;

use crate::error::Result;
use crate::simd::{BLOCK, Lane, Real};
use formula::Known;
use options::payoff;
use serde::Serialize;
use sheets::Sheets;
use std::sync::Arc;

/// What is sold: payments that depend on paths, on a grid of dates. It is sold at the first date and hedged at each date
/// but the last, or until it ends.
///
/// # Units
/// Strike in the spot's currency; expiry in years.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contract {
    /// What it is called, as people read it.
    pub name: String,
    /// The strike K, in currency, or where there is none the money that takes its place: what moneyness is measured by.
    pub strike: f64,
    /// The time from the sale to expiry, in years.
    pub expiry: f64,
    /// The number of hedging periods.
    pub steps: usize,
    terms: Terms,
}

/// What a contract pays.
#[derive(Debug, Clone, PartialEq)]
enum Terms {
    /// Calls and puts on the first asset that expire with the contract.
    Options(Vec<Leg>),
    /// A call or put on the first asset that its holder may exercise on any date after the sale.
    American(ExerciseRule),
    /// Payments that are written as expressions, and their closed form where there is one.
    Sheets(Arc<Sheets>, Option<Known>),
}

impl Serialize for Terms {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Options(legs) => {
                serializer.serialize_newtype_variant("Terms", 0, "options", legs)
            }
            Self::American(rule) => {
                serializer.serialize_newtype_variant("Terms", 1, "american", rule)
            }
            Self::Sheets(sheets, _) => {
                serializer.serialize_newtype_variant("Terms", 2, "sheets", &**sheets)
            }
        }
    }
}

impl Contract {
    /// A contract of calls and puts on the first asset that expire with it.
    pub fn of_options(
        name: impl Into<String>,
        legs: Vec<Leg>,
        strike: f64,
        expiry: f64,
        steps: usize,
    ) -> Self {
        Self {
            name: name.into(),
            strike,
            expiry,
            steps,
            terms: Terms::Options(legs),
        }
    }

    /// A call or put that its holder exercises by `rule` on one of the dates after the sale.
    pub fn american(rule: ExerciseRule, expiry: f64, steps: usize) -> Self {
        Self {
            name: format!("American {}", rule.kind()),
            strike: rule.strike(),
            expiry,
            steps,
            terms: Terms::American(rule),
        }
    }

    /// A contract of payments that are written as expressions over the spots of `assets`, by their names.
    ///
    /// # Errors
    /// Those of [`expression::Program::new`]; [`crate::Error::Input`] for a position that expires before the first hedging
    /// date or after the contract.
    pub fn of_sheets(
        name: impl Into<String>,
        positions: Vec<Position>,
        assets: &[String],
        days_per_year: f64,
        strike: f64,
        (expiry, steps): (f64, usize),
    ) -> Result<Self> {
        let grid = (steps, expiry / steps as f64);
        let sheets = Sheets::new(positions, assets.to_vec(), days_per_year, grid)?;
        Ok(Self {
            name: name.into(),
            strike,
            expiry,
            steps,
            terms: Terms::Sheets(Arc::new(sheets), None),
        })
    }

    /// One call or put.
    pub fn option(kind: OptionKind, strike: f64, expiry: f64, steps: usize) -> Self {
        let legs = vec![Leg::one(kind, strike)];
        Self::of_options(kind.to_string(), legs, strike, expiry, steps)
    }

    /// Length of a hedging period in years.
    pub fn dt(&self) -> f64 {
        self.expiry / self.steps as f64
    }

    /// The same contract over another life, in another number of periods.
    ///
    /// # Errors
    /// If a payment has a schedule that is finer than the periods.
    pub fn living(&self, expiry: f64, steps: usize) -> Result<Self> {
        let terms = match &self.terms {
            Terms::Options(legs) => Terms::Options(legs.clone()),
            Terms::American(rule) => Terms::American(rule.clone()),
            Terms::Sheets(sheets, formula) => {
                let sheets = sheets.living((self.expiry, expiry), steps)?;
                Terms::Sheets(Arc::new(sheets), formula.clone())
            }
        };
        Ok(Self {
            name: self.name.clone(),
            strike: self.strike,
            expiry,
            steps,
            terms,
        })
    }

    /// The calls and puts that it consists of, all on the first asset and expiring with it; none if it is no sum of those.
    pub fn legs(&self) -> Option<&[Leg]> {
        match &self.terms {
            Terms::Options(legs) => Some(legs),
            Terms::American(_) | Terms::Sheets(..) => None,
        }
    }

    /// The same contract with the closed form of its price in a lognormal market.
    #[must_use]
    pub fn with_formula(mut self, known: Arc<dyn Formula>) -> Self {
        if let Terms::Sheets(_, formula) = &mut self.terms {
            *formula = Some(Known(known));
        }
        self
    }

    /// The closed form of its price in a lognormal market, if it has one and is no sum of calls and puts.
    pub fn formula(&self) -> Option<&dyn Formula> {
        match &self.terms {
            Terms::Options(_) | Terms::American(_) => None,
            Terms::Sheets(_, formula) => formula.as_ref().map(|known| &*known.0),
        }
    }

    /// Whether it has a delta in closed form that hedges it.
    pub fn has_delta(&self) -> bool {
        self.legs().is_some() || self.formula().is_some_and(Formula::delta_hedges)
    }

    /// The dates on which it may pay, counted from the sale, which is 0.
    pub fn due(&self) -> Vec<usize> {
        match &self.terms {
            Terms::Options(_) => vec![self.steps],
            Terms::American(_) => (1..=self.steps).collect(),
            Terms::Sheets(sheets, _) => sheets.due().to_vec(),
        }
    }

    /// The assets that its payments depend on, by their numbers and in their order.
    pub fn depends_on(&self) -> Vec<usize> {
        match &self.terms {
            Terms::Options(_) | Terms::American(_) => vec![0],
            Terms::Sheets(sheets, _) => sheets.depends_on(),
        }
    }

    /// Whether it may end before its expiry.
    pub fn can_end(&self) -> bool {
        match &self.terms {
            Terms::Options(_) => false,
            Terms::American(_) => true,
            Terms::Sheets(sheets, _) => sheets.can_end(),
        }
    }

    /// What a reader calls the running quantities of the path that its payments depend on.
    pub fn accumulators(&self) -> &[String] {
        match &self.terms {
            Terms::Options(_) | Terms::American(_) => &[],
            Terms::Sheets(sheets, _) => sheets.accumulators(),
        }
    }

    /// Writes what the contract makes of one block of paths. A payment that is not a finite number is written as it is.
    pub fn observe<R: Real>(&self, spots: Spots<'_, R>, out: Observed<'_, R>) {
        match &self.terms {
            Terms::Options(legs) => {
                let last = spots.of(0)[self.steps];
                out.payments[0] = last.map(|spot| R::of(payoff(legs, spot.into_f64())));
            }
            Terms::American(rule) => rule.observe(spots, out),
            Terms::Sheets(sheets, _) => {
                // Who checks that what it pays are numbers asks `check`.
                let _ = sheets.observe(spots, out);
            }
        }
    }

    /// The running values on one block of paths, `[accumulators][steps + 1][BLOCK]`.
    pub fn state(&self, spots: Spots<'_, f64>) -> Vec<Lane<f64>> {
        let mut state = rows(self.accumulators().len() * (self.steps + 1));
        self.observe(
            spots,
            Observed {
                payments: &mut rows(self.due().len()),
                end: &mut rows(usize::from(self.can_end())),
                state: &mut state,
            },
        );
        state
    }

    /// Checks that what the contract pays on one block of paths are finite numbers.
    ///
    /// # Errors
    /// The setting of an amount that is none, and its date.
    pub fn check(&self, spots: Spots<'_, f64>) -> Result<()> {
        let Terms::Sheets(sheets, _) = &self.terms else {
            return Ok(());
        };
        sheets.observe(
            spots,
            Observed {
                payments: &mut rows(self.due().len()),
                end: &mut rows(usize::from(self.can_end())),
                state: &mut rows(self.accumulators().len() * (self.steps + 1)),
            },
        )
    }
}

fn rows(count: usize) -> Vec<Lane<f64>> {
    vec![[0.0; BLOCK]; count]
}
