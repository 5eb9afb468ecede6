//! The delta by a closed form.

use super::{Ask, CentreKind, CentreOnPaths, Needs, Targets, Wants};
use crate::contract::{Formula, Leg};
use crate::error::Result;
use crate::hedging::closed_form::{ClosedForm, Form};
use crate::market::PathBlock;
use crate::pricing::BlackScholes;
use crate::simd::BLOCK;

/// No hedge at all.
pub struct Nothing;

impl CentreKind for Nothing {
    fn title(&self) -> &'static str {
        "no hedge"
    }

    fn gives(&self) -> Wants {
        Wants::ALL
    }

    fn prepare<'a>(&self, ask: &Ask<'a>) -> Result<Box<dyn CentreOnPaths + 'a>> {
        Ok(Box::new(Zeros(*ask)))
    }
}

struct Zeros<'a>(Ask<'a>);

impl CentreOnPaths for Zeros<'_> {
    fn targets(&self, _: usize) -> Targets {
        self.0.targets()
    }
}

/// The Black–Scholes delta at the volatility that the model expects until expiry: Δ = Σ_legs ∂V/∂S, or the delta of the contract's
/// own closed form in each of its assets.
pub struct BlackScholesDelta;

impl CentreKind for BlackScholesDelta {
    fn title(&self) -> &'static str {
        "Black–Scholes delta"
    }

    fn needs(&self) -> Needs {
        Needs::DELTA
    }

    fn gives(&self) -> Wants {
        Wants::ALL
    }

    fn prepare<'a>(&self, ask: &Ask<'a>) -> Result<Box<dyn CentreOnPaths + 'a>> {
        Ok(Box::new(Deltas::new(ask)?))
    }
}

/// The deltas of a contract by its closed form.
pub(super) struct Deltas<'a> {
    ask: Ask<'a>,
    forms: Vec<ClosedForm>,
    places: Vec<Option<usize>>,
}

/// A date of a path in [`Deltas`].
#[derive(Clone, Copy)]
struct Place {
    t: usize,
    lane: usize,
}

impl<'a> Deltas<'a> {
    /// The deltas that are asked for.
    ///
    /// # Errors
    /// [`crate::error::Error::Input`] if the contract has no delta in closed form.
    pub fn new(ask: &Ask<'a>) -> Result<Self> {
        Ok(Self {
            ask: *ask,
            forms: ClosedForm::of_paths(ask.assets, ask.contract)?,
            places: ask.places(),
        })
    }

    fn put(&self, out: &mut Targets, asset: usize, at: Place, of: (f64, f64, f64)) {
        let Some(instrument) = self.places[asset] else {
            return;
        };
        let row = at.t * out.instruments + instrument;
        let (delta, gamma, volatility) = of;
        out.positions[row][at.lane] = delta;
        if self.ask.wants.gammas {
            out.gammas[row][at.lane] = gamma;
        }
        if self.ask.wants.volatilities {
            out.volatilities[row][at.lane] = volatility;
        }
    }

    fn by_legs(
        &self,
        form: &ClosedForm,
        legs: &[Leg],
        data: &PathBlock<'_, f64>,
        lane: usize,
        out: &mut Targets,
    ) {
        for t in 0..form.steps() {
            let (spot, variance, left) = (data.spot[t][lane], data.variance[t][lane], form.left(t));
            let volatility = form.volatility(0, variance, left);
            let of =
                |of: fn(&BlackScholes) -> f64| form.at_volatility(legs, spot, volatility, left, of);
            let gamma = match self.ask.wants.gammas {
                true => of(BlackScholes::gamma),
                false => 0.0,
            };
            self.put(
                out,
                0,
                Place { t, lane },
                (of(BlackScholes::delta), gamma, volatility),
            );
        }
    }

    fn by_formula(
        &self,
        form: &ClosedForm,
        formula: &dyn Formula,
        data: &PathBlock<'_, f64>,
        lane: usize,
        out: &mut Targets,
    ) {
        let (mut seen, mut state) = (Vec::new(), Vec::new());
        for t in 0..form.steps() {
            let worth = form.worth(formula, (data, lane), t, (&mut seen, &mut state));
            for (asset, seen) in seen.iter().enumerate().take(formula.assets()) {
                let of = (worth.deltas[asset], worth.gammas[asset], seen.volatility);
                self.put(out, asset, Place { t, lane }, of);
            }
        }
    }
}

impl CentreOnPaths for Deltas<'_> {
    fn targets(&self, block: usize) -> Targets {
        let data = self.ask.paths.block(block);
        let mut out = self.ask.targets();
        for lane in 0..BLOCK {
            let form = ClosedForm::of_path(&self.forms, &data, lane);
            form.fill_times(lane, &mut out.left, &mut out.discounts);
            match form.form().expect("looked at when it was made") {
                Form::Legs(legs) => self.by_legs(form, legs, &data, lane, &mut out),
                Form::Formula(formula) => self.by_formula(form, formula, &data, lane, &mut out),
            }
        }
        out
    }
}
