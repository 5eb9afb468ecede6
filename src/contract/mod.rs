//! What is sold, and what hedging it costs.

mod cost;
mod instrument;
mod observation;
mod option_kind;
pub mod options;

pub use cost::{Charge, Costs};
pub use instrument::{Instrument, Vanilla};
pub use observation::{Observed, Spots};
pub use option_kind::OptionKind;
pub use options::Leg;

use crate::simd::Real;
use options::payoff;
use serde::Serialize;

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
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Terms {
    /// Calls and puts on the first asset that expire with the contract.
    Options(Vec<Leg>),
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
    #[must_use]
    pub fn living(&self, expiry: f64, steps: usize) -> Self {
        Self {
            expiry,
            steps,
            ..self.clone()
        }
    }

    /// The calls and puts that it consists of, all on the first asset and expiring with it; none if it is no sum of those.
    pub fn legs(&self) -> Option<&[Leg]> {
        match &self.terms {
            Terms::Options(legs) => Some(legs),
        }
    }

    /// The dates on which it may pay, counted from the sale, which is 0.
    pub fn due(&self) -> Vec<usize> {
        match &self.terms {
            Terms::Options(_) => vec![self.steps],
        }
    }

    /// Whether it may end before its expiry.
    pub fn can_end(&self) -> bool {
        match &self.terms {
            Terms::Options(_) => false,
        }
    }

    /// What a reader calls the running quantities of the path that its payments depend on.
    pub fn accumulators(&self) -> &[String] {
        match &self.terms {
            Terms::Options(_) => &[],
        }
    }

    /// Writes what the contract makes of one block of paths.
    pub fn observe<R: Real>(&self, spots: Spots<'_, R>, out: Observed<'_, R>) {
        match &self.terms {
            Terms::Options(legs) => {
                let last = spots.of(0)[self.steps];
                out.payments[0] = last.map(|spot| R::of(payoff(legs, spot.into_f64())));
            }
        }
    }
}
