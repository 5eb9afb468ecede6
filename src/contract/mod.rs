//! What is sold, and what hedging it costs.

mod cost;
mod exercise;
pub mod expression;
mod family;
mod formula;
mod instrument;
mod limits;
mod observation;
mod option_kind;
pub mod options;
mod sheets;

pub use cost::{
    At, Charge, Cost, Costs, Fixed, Linear, OptionSpread, Quadratic, SquareRoot, VegaShare,
};
pub use exercise::{Continuation, ExerciseRule};
pub use family::{Family, Member, Range};
pub use formula::{Formula, Seen, SeenAsset, Worth};
pub use instrument::{Instrument, Vanilla};
pub use limits::{Beside, Limit, Limits, Standing, Widths};
pub use observation::{Observed, Spots};
pub use option_kind::OptionKind;
pub use options::Leg;
pub use sheets::Position;

use crate::error::{Error, Result};
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
    form: Form,
}

/// What a contract pays.
#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// Calls and puts on the first asset that expire with the contract.
    Options(Vec<Leg>),
    /// A call or put on the first asset that its holder may exercise on any date after the sale.
    American(ExerciseRule),
    /// Payments that are written as expressions, and their closed form where there is one.
    Sheets(Arc<Sheets>, Option<Known>),
    /// One of several contracts on every path.
    Family(Arc<Family>),
    /// At expiry what paths that are given say of it.
    GivenPayoff,
}

impl Serialize for Form {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Options(legs) => serializer.serialize_newtype_variant("Form", 0, "options", legs),
            Self::American(rule) => {
                serializer.serialize_newtype_variant("Form", 1, "american", rule)
            }
            Self::Sheets(sheets, _) => {
                serializer.serialize_newtype_variant("Form", 2, "sheets", &**sheets)
            }
            Self::Family(family) => {
                serializer.serialize_newtype_variant("Form", 3, "family", &**family)
            }
            Self::GivenPayoff => serializer.serialize_unit_variant("Form", 4, "given_payoff"),
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
            form: Form::Options(legs),
        }
    }

    /// A call or put that its holder exercises by `rule` on one of the dates after the sale.
    pub fn american(rule: ExerciseRule, expiry: f64, steps: usize) -> Self {
        Self {
            name: format!("American {}", rule.kind()),
            strike: rule.strike(),
            expiry,
            steps,
            form: Form::American(rule),
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
            form: Form::Sheets(Arc::new(sheets), None),
        })
    }

    /// A contract that pays at expiry what each path says, where paths are given with payoffs; `strike` is the money that moneyness is
    /// measured by.
    pub fn given_payoff(name: impl Into<String>, strike: f64, expiry: f64, steps: usize) -> Self {
        Self {
            name: name.into(),
            strike,
            expiry,
            steps,
            form: Form::GivenPayoff,
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
    ///
    /// # Errors
    /// If a payment has a schedule that is finer than the periods.
    pub fn living(&self, expiry: f64, steps: usize) -> Result<Self> {
        let form = match &self.form {
            Form::Options(legs) => Form::Options(legs.clone()),
            Form::American(rule) => Form::American(rule.clone()),
            Form::Sheets(sheets, formula) => {
                let sheets = sheets.living((self.expiry, expiry), steps)?;
                Form::Sheets(Arc::new(sheets), formula.clone())
            }
            Form::Family(_) => {
                return Err(Error::input(
                    "contracts whose terms lie in ranges live for the strategy's own days",
                ));
            }
            Form::GivenPayoff => {
                return Err(Error::input(
                    "a contract whose payoffs are given lives as long as the paths that are given",
                ));
            }
        };
        Ok(Self {
            name: self.name.clone(),
            strike: self.strike,
            expiry,
            steps,
            form,
        })
    }

    /// The calls and puts that it consists of, all on the first asset and expiring with it; none if it is no sum of those.
    pub fn legs(&self) -> Option<&[Leg]> {
        match &self.form {
            Form::Options(legs) => Some(legs),
            Form::American(_) | Form::Sheets(..) | Form::Family(_) | Form::GivenPayoff => None,
        }
    }

    /// The calls and puts that it consists of.
    ///
    /// # Errors
    /// [`Error::Input`] if it is no sum of those.
    pub fn needed_legs(&self) -> Result<&[Leg]> {
        self.legs().ok_or_else(|| {
            Error::input(format!(
                "calls and puts are asked for, and the contract ({}) is no sum of those",
                self.name
            ))
        })
    }

    /// The same contract with the closed form of its price in a lognormal market.
    #[must_use]
    pub fn with_formula(mut self, known: Arc<dyn Formula>) -> Self {
        if let Form::Sheets(_, formula) = &mut self.form {
            *formula = Some(Known(known));
        }
        self
    }

    /// The closed form of its price in a lognormal market, if it has one and is no sum of calls and puts.
    pub fn formula(&self) -> Option<&dyn Formula> {
        match &self.form {
            Form::Options(_) | Form::American(_) | Form::Family(_) | Form::GivenPayoff => None,
            Form::Sheets(_, formula) => formula.as_ref().map(|known| &*known.0),
        }
    }

    /// The contracts, one of which every path has, where its terms lie in ranges.
    pub fn family(&self) -> Option<&Arc<Family>> {
        match &self.form {
            Form::Options(_) | Form::American(_) | Form::Sheets(..) | Form::GivenPayoff => None,
            Form::Family(family) => Some(family),
        }
    }

    /// The contract of a path that has contract number `member` of the family; the contract itself if it is none.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn of_path(&self, member: Option<f64>) -> &Self {
        match (self.family(), member) {
            (Some(family), Some(member)) => &family.members()[member as usize].contract,
            (None, _) | (_, None) => self,
        }
    }

    /// The contract, as long as the longest of `members`, of which every path has one.
    ///
    /// # Errors
    /// If they differ by more than numbers: schedules that depend on a term, positions of several expiries, or the right to
    /// exercise.
    pub fn of_family(self, ranges: Vec<Range>, members: Vec<Member>) -> Result<Self> {
        let family = Family::new(&self, ranges, members)?;
        Ok(Self {
            form: Form::Family(Arc::new(family)),
            ..self
        })
    }

    /// Whether it has a delta in closed form that hedges it.
    pub fn has_delta(&self) -> bool {
        self.family().is_some_and(|family| family.has_delta())
            || self.legs().is_some()
            || self.formula().is_some_and(Formula::delta_hedges)
    }

    /// The dates on which it may pay, counted from the sale, which is 0.
    pub fn due(&self) -> Vec<usize> {
        match &self.form {
            Form::Options(_) | Form::GivenPayoff => vec![self.steps],
            Form::American(_) => (1..=self.steps).collect(),
            Form::Sheets(sheets, _) => sheets.due().to_vec(),
            Form::Family(family) => family.due(),
        }
    }

    /// The assets that its payments depend on, by their numbers and in their order.
    pub fn depends_on(&self) -> Vec<usize> {
        match &self.form {
            Form::Options(_) | Form::American(_) | Form::GivenPayoff => vec![0],
            Form::Sheets(sheets, _) => sheets.depends_on(),
            Form::Family(family) => family.depends_on(),
        }
    }

    /// Whether it may end before its expiry.
    pub fn can_end(&self) -> bool {
        match &self.form {
            Form::Options(_) | Form::GivenPayoff => false,
            Form::American(_) => true,
            Form::Sheets(sheets, _) => sheets.can_end(),
            Form::Family(family) => family.can_end(),
        }
    }

    /// What a reader calls the running quantities of the path that its payments depend on.
    pub fn accumulators(&self) -> &[String] {
        match &self.form {
            Form::Options(_) | Form::American(_) | Form::GivenPayoff => &[],
            Form::Sheets(sheets, _) => sheets.accumulators(),
            Form::Family(family) => family.accumulators(),
        }
    }

    /// Writes what the contract makes of one block of paths. A payment that is not a finite number is written as it is.
    pub fn observe<R: Real>(&self, spots: Spots<'_, R>, out: Observed<'_, R>) {
        // Who checks that what it pays are numbers asks `check`.
        let _ = self.write(spots, out);
    }

    /// [`Self::observe`], and the setting of an amount that is not a finite number.
    fn write<R: Real>(&self, spots: Spots<'_, R>, out: Observed<'_, R>) -> Result<()> {
        match &self.form {
            Form::Options(legs) => {
                let last = spots.of(0)[self.steps];
                out.payments[0] = last.map(|spot| R::of(payoff(legs, spot.into_f64())));
                Ok(())
            }
            Form::American(rule) => {
                rule.observe(spots, out);
                Ok(())
            }
            Form::Sheets(sheets, _) => sheets.observe(spots, out),
            Form::Family(family) => family.observe(spots, out),
            Form::GivenPayoff => match spots.payoffs() {
                Some(payoffs) => {
                    out.payments[0] = *payoffs;
                    Ok(())
                }
                None => {
                    out.payments[0] = [R::of(f64::NAN); BLOCK];
                    Err(Error::key(
                        "contract.type",
                        ": \"given_payoff\" needs paths that say what is paid: `market.model = \"given_paths\"` with a column of payoffs",
                    ))
                }
            },
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
        self.write(
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
