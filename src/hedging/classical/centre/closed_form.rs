//! The delta by a closed form.

use super::{Ask, CentreKind, CentreOnPaths, Needs, Parameter, Quick, Targets, Wants};
use crate::contract::{Charge, Cost, Formula, Leg};
use crate::error::Result;
use crate::hedging::closed_form::{ClosedForm, Form};
use crate::market::PathBlock;
use crate::pricing::BlackScholes;
use crate::simd::BLOCK;
use std::ops::Range;

/// No hedge at all.
pub struct Nothing;

impl CentreKind for Nothing {
    fn title(&self) -> &'static str {
        "no hedge"
    }

    fn gives(&self) -> Wants {
        Wants::ALL
    }

    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        Ok(Box::new(Zeros { ask: *ask, dates }))
    }
}

struct Zeros<'a> {
    ask: Ask<'a>,
    dates: Range<usize>,
}

impl CentreOnPaths for Zeros<'_> {
    fn targets(&self, _: usize) -> Targets {
        self.ask.targets(&self.dates)
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

    fn quick(&self) -> Quick {
        Quick::Delta
    }

    fn further_parameters(&self) -> &'static [Parameter] {
        &[Parameter::Scale]
    }

    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        Ok(Box::new(Deltas::new(ask, dates, None)?))
    }
}

/// The smile delta: the Black–Scholes delta with each call and put at the implied volatility of its strike and expiry on the day. It is
/// what [`BlackScholesDelta`] holds where paths have a surface; this one is for markets that have one.
///
/// # References
/// Hull and White (2017), "Optimal delta hedging for options", Journal of Banking and Finance 82, call it the practitioner Black–Scholes
/// delta.
pub struct SmileDelta;

impl CentreKind for SmileDelta {
    fn title(&self) -> &'static str {
        "smile delta"
    }

    fn needs(&self) -> Needs {
        Needs {
            surface: true,
            ..Needs::DELTA
        }
    }

    fn gives(&self) -> Wants {
        Wants::ALL
    }

    fn quick(&self) -> Quick {
        Quick::Delta
    }

    fn further_parameters(&self) -> &'static [Parameter] {
        &[Parameter::Scale]
    }

    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        BlackScholesDelta.prepare(ask, dates)
    }
}

/// k Δ, a multiple of the Black–Scholes delta; the scale k multiplies it where positions are made. With k below 1 for calls it takes in
/// that volatility falls when the spot rises.
///
/// # References
/// Ruf and Wang (2022), "Hedging with linear regressions and neural networks", Journal of Business and Economic Statistics 40, where
/// k = 0.9 is hard to beat.
pub struct ScaledDelta;

impl CentreKind for ScaledDelta {
    fn title(&self) -> &'static str {
        "scaled delta"
    }

    fn needs(&self) -> Needs {
        Needs::DELTA
    }

    fn gives(&self) -> Wants {
        Wants::ALL
    }

    fn quick(&self) -> Quick {
        Quick::Delta
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter::Scale]
    }

    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        BlackScholesDelta.prepare(ask, dates)
    }
}

/// A moment of a path at which a volatility is adjusted to costs.
///
/// # Units
/// Volatilities annualised, times in years, gamma in shares per currency, the spot in currency.
pub(super) struct Moment {
    /// The volatility σ that the model expects until expiry.
    pub volatility: f64,
    /// The contract's Γ = ∂²V/∂S² at it.
    pub gamma: f64,
    /// The spot S.
    pub spot: f64,
    /// The time τ to expiry.
    pub left: f64,
    /// e^{−rτ}.
    pub discount: f64,
    /// What a small trade costs, as a share c of its value.
    pub cost: f64,
    /// The time Δt between dates.
    pub dt: f64,
    /// The risk aversion λ of the hedge.
    pub aversion: f64,
}

/// σ̂ = σ √(1 ± a): the volatility at which whoever has sold the contract holds its delta, where costs widen or narrow the variance by
/// the share a: widen it where the contract curves upwards, so that the seller buys high and sells low, and narrow it where it
/// curves downwards. Where the share is above 1 there, the equation has no solution, and the variance is its limit, 0.
///
/// # References
/// The sign is that of Hoggard, Whalley and Wilmott (1994), "Hedging option portfolios in the presence of transaction costs",
/// equation 2.7, at the Γ of σ.
pub(super) fn adjusted(moment: &Moment, share: f64) -> f64 {
    if share == 0.0 || moment.gamma == 0.0 {
        return moment.volatility;
    }
    let variance = 1.0 + moment.gamma.signum() * share;
    moment.volatility * variance.max(0.0).sqrt()
}

/// The deltas of a contract by its closed form, at the volatility that the model expects until expiry or one adjusted to costs.
pub(super) struct Deltas<'a> {
    ask: Ask<'a>,
    dates: Range<usize>,
    forms: Vec<ClosedForm>,
    places: Vec<Option<usize>>,
    adjust: Option<fn(&Moment) -> f64>,
}

/// A date of a path in [`Deltas`].
#[derive(Clone, Copy)]
struct Place {
    t: usize,
    lane: usize,
}

impl<'a> Deltas<'a> {
    /// The deltas that are asked for on some dates.
    ///
    /// # Errors
    /// [`crate::error::Error::Input`] if the contract has no delta in closed form.
    pub fn new(
        ask: &Ask<'a>,
        dates: Range<usize>,
        adjust: Option<fn(&Moment) -> f64>,
    ) -> Result<Self> {
        Ok(Self {
            ask: *ask,
            dates,
            forms: ClosedForm::of_paths(ask.assets, ask.contract)?,
            places: ask.places(),
            adjust,
        })
    }

    /// The adjusted volatility of an asset.
    fn adjusted(
        &self,
        form: &ClosedForm,
        adjust: fn(&Moment) -> f64,
        (data, asset, at): (&PathBlock<'_, f64>, usize, Place),
        (spot, volatility, gamma): (f64, f64, f64),
    ) -> f64 {
        let Some(instrument) = self.places[asset] else {
            // What is not traded costs nothing.
            return volatility;
        };
        let left = form.left(at.t);
        let quoted = data.quoted(instrument).at::<Charge>(at.t, at.lane);
        adjust(&Moment {
            volatility,
            gamma,
            spot,
            left,
            discount: form.discount(left),
            cost: self.ask.charge(instrument).of_unit(&quoted) / spot,
            dt: form.left(0) / form.steps() as f64,
            aversion: self.ask.values.of(Parameter::Aversion),
        })
    }

    fn put(&self, out: &mut Targets, asset: usize, at: Place, of: (f64, f64, f64)) {
        let Some(instrument) = self.places[asset] else {
            return;
        };
        let row = out.row(at.t) + instrument;
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
        (form, legs): (&ClosedForm, &[Leg]),
        (data, lane): (&PathBlock<'_, f64>, usize),
        out: &mut Targets,
    ) {
        for t in form.living_on(&self.dates) {
            let (state, left) = (data.state_of(0, t, lane), form.left(t));
            let volatility = form.volatility(legs, &state, left);
            let at = |to: f64, of: fn(&BlackScholes) -> f64| {
                form.adjusted(legs, &state, (volatility, to), left, of)
            };
            let gamma = match self.ask.wants.gammas || self.adjust.is_some() {
                true => at(volatility, BlackScholes::gamma),
                false => 0.0,
            };
            let held_at = self.adjust.map_or(volatility, |adjust| {
                self.adjusted(
                    form,
                    adjust,
                    (data, 0, Place { t, lane }),
                    (state.spot, volatility, gamma),
                )
            });
            let delta = at(held_at, BlackScholes::delta);
            self.put(out, 0, Place { t, lane }, (delta, gamma, volatility));
        }
    }

    fn by_formula(
        &self,
        (form, formula): (&ClosedForm, &dyn Formula),
        (data, lane): (&PathBlock<'_, f64>, usize),
        out: &mut Targets,
    ) {
        let (mut seen, mut state) = (Vec::new(), Vec::new());
        for t in form.living_on(&self.dates) {
            let worth = form.worth(formula, (data, lane), t, (&mut seen, &mut state));
            let expected = seen.clone();
            let adjusted = self.adjust.map(|adjust| {
                for (asset, seen) in seen.iter_mut().enumerate().take(formula.assets()) {
                    let at = (seen.spot, seen.volatility, worth.gammas[asset]);
                    seen.volatility =
                        self.adjusted(form, adjust, (data, asset, Place { t, lane }), at);
                }
                form.worth_of_seen(formula, t, &seen, &state)
            });
            let deltas = &adjusted.as_ref().unwrap_or(&worth).deltas;
            for (asset, seen) in expected.iter().enumerate().take(formula.assets()) {
                let of = (deltas[asset], worth.gammas[asset], seen.volatility);
                self.put(out, asset, Place { t, lane }, of);
            }
        }
    }
}

impl CentreOnPaths for Deltas<'_> {
    fn targets(&self, block: usize) -> Targets {
        let data = self.ask.paths.block(block);
        let mut out = self.ask.targets(&self.dates);
        for lane in 0..BLOCK {
            let form = ClosedForm::of_path(&self.forms, &data, lane);
            form.fill_times((lane, &self.dates), &mut out.left, &mut out.discounts);
            match form.form().expect("looked at when it was made") {
                Form::Legs(legs) => self.by_legs((form, legs), (&data, lane), &mut out),
                Form::Formula(formula) => self.by_formula((form, formula), (&data, lane), &mut out),
            }
        }
        out
    }
}
