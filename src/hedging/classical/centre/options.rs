//! Spot and an option that hedges a second sensitivity.

use super::closed_form::BlackScholesDelta;
use super::{Ask, CentreKind, CentreOnPaths, Needs, OptionsMove, Parameter, Quick, Targets, Wants};
use crate::contract::{Instrument, Leg, Vanilla};
use crate::error::Result;
use crate::hedging::closed_form::ClosedForm;
use crate::market::{MarketState, PathBlock};
use crate::pricing::BlackScholes;
use crate::simd::BLOCK;
use std::ops::Range;

/// Spot and the first option among the instruments, so that neither the spot nor a second sensitivity moves the whole at first order:
///
/// n = κ · ratio of that sensitivity of contract and option,  δ = k ∂V/∂S − q ∂P/∂S
///
/// with the Black–Scholes prices V and P at the volatility of each: that of the surface, or what the model expects until its expiry; q is
/// what is really held of the option, κ the ratio and k the scale, both usually 1. The ratio of sensitivities is held within ±10, since
/// it grows without bound where the option has lost the sensitivity; where both have lost it, the options held stay. Without an option
/// among the instruments the spot is all there is to hedge with.
///
/// A band of the spot is as wide as the contract's own Γ = ∂²V/∂S² makes it.
pub struct OptionHedge {
    title: &'static str,
    /// The ratio of the sensitivities.
    ratio: fn(&State<'_>) -> f64,
    /// Whether the options of the sale are held to the end.
    is_static: bool,
    /// Whether the ratio is that of vegas.
    is_of_vegas: bool,
}

/// Delta and vega are hedged, n = κ (∂V/∂v)/(∂P/∂v), v the variance of today; on a surface n = κ (∂V/∂σ)/(∂P/∂σ).
pub const DELTA_VEGA: OptionHedge = OptionHedge {
    title: "delta–vega hedge",
    ratio: |state| state.vegas(),
    is_static: false,
    is_of_vegas: true,
};

/// Delta and gamma are hedged, n = κ (∂²V/∂S²)/(∂²P/∂S²).
pub const DELTA_GAMMA: OptionHedge = OptionHedge {
    title: "delta–gamma hedge",
    ratio: |state| state.contract(BlackScholes::gamma) / state.price.gamma(),
    is_static: false,
    is_of_vegas: false,
};

/// The options that hedge delta and vega at the sale are held to the end, n = κ (∂V/∂σ)/(∂P/∂σ) there, and the spot hedges the delta that
/// they leave. With κ = 1 no vega is left at the sale. A longer option keeps its vega while that of what was sold goes, and volatilities
/// of long expiries move less than those of short ones, so the κ of least risk is above 1.
pub const STATIC_VEGA: OptionHedge = OptionHedge {
    title: "static vega hedge",
    ratio: |state| state.vegas(),
    is_static: true,
    is_of_vegas: true,
};

/// The most options that are held of either sign for a ratio κ of 1.
const MOST: f64 = 10.0;

/// Contract and option on one date of a path.
struct State<'a> {
    form: &'a ClosedForm,
    legs: &'a [Leg],
    option: Vanilla,
    market: MarketState,
    left: f64,
    /// Black–Scholes' option at its own volatility.
    price: BlackScholes,
}

impl<'a> State<'a> {
    fn new(
        (form, legs): (&'a ClosedForm, &'a [Leg]),
        option: Vanilla,
        market: MarketState,
        left: f64,
    ) -> Self {
        let later = left + (option.expiry - form.expiry());
        let log_moneyness = form.log_moneyness(market.spot, option.strike, left, later);
        let theirs = market.volatility(form.process(0), log_moneyness, later);
        let leg = Leg::one(option.kind, option.strike);
        let assumed = form.assets().first();
        Self {
            form,
            legs,
            option,
            market,
            left,
            price: BlackScholes {
                spot: market.spot,
                ..assumed.black_scholes_after(form.expiry() - left, leg, later, theirs)
            },
        }
    }

    fn contract(&self, of: fn(&BlackScholes) -> f64) -> f64 {
        let (market, left) = (&self.market, self.left);
        self.form.black_scholes(self.legs, market, left, of)
    }

    /// On a surface the ratio of the vegas, as its level moves. Without one both derivatives are vega/(2σ) times the share of today's variance
    /// in what is expected.
    fn vegas(&self) -> f64 {
        let vega = self.contract(BlackScholes::vega);
        if self.market.surface.is_some() {
            return vega / self.price.vega();
        }
        let variance = self.market.variance;
        let process = self.form.process(0);
        let share = |left: f64| process.mean_slope(variance, left);
        let later = self.left + (self.option.expiry - self.form.expiry());
        let (ours, theirs) = (
            process.mean_from(variance, self.left),
            process.mean_from(variance, later),
        );
        let expected = if theirs > 0.0 {
            theirs / ours
        } else {
            // As variance falls to zero it is the shares that are left of it.
            share(later) / share(self.left)
        };
        vega / self.price.vega() * (share(self.left) / share(later)) * expected.sqrt()
    }
}

impl CentreKind for OptionHedge {
    fn title(&self) -> &'static str {
        self.title
    }

    fn needs(&self) -> Needs {
        Needs {
            option: true,
            one_contract: false,
            ..Needs::LEGS
        }
    }

    fn gives(&self) -> Wants {
        Wants::GAMMAS
    }

    fn gives_of_options(&self) -> Wants {
        Wants::default()
    }

    fn quick(&self) -> Quick {
        match self.is_of_vegas {
            true => Quick::Vega {
                is_static: self.is_static,
                most: MOST,
            },
            false => Quick::No,
        }
    }

    fn options(&self) -> OptionsMove {
        match self.is_static {
            true => OptionsMove::WithCentre,
            false => OptionsMove::Alone,
        }
    }

    fn parameters(&self) -> &'static [Parameter] {
        match self.is_static {
            true => &[Parameter::Ratio],
            false => &[],
        }
    }

    fn further_parameters(&self) -> &'static [Parameter] {
        match self.is_static {
            true => &[Parameter::Scale],
            false => &[Parameter::Ratio, Parameter::Scale],
        }
    }

    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        let mut numbered = ask.paths.instruments().iter().enumerate();
        let option = numbered.find_map(|(index, instrument)| match instrument {
            // The contract's calls and puts are on the first asset.
            Instrument::Option(option) if option.asset == 0 => Some((index, *option)),
            Instrument::Option(_) | Instrument::Spot(_) | Instrument::VarianceSwap(_) => None,
        });
        let Some((index, option)) = option else {
            return BlackScholesDelta.prepare(ask, dates);
        };
        let forms = ClosedForm::of_paths(ask.assets, ask.contract)?;
        for form in &forms {
            form.legs()?;
        }
        Ok(Box::new(Paired {
            ask: *ask,
            dates,
            forms,
            index,
            option,
            ratio: self.ratio,
            is_static: self.is_static,
        }))
    }
}

struct Paired<'a> {
    ask: Ask<'a>,
    dates: Range<usize>,
    forms: Vec<ClosedForm>,
    index: usize,
    option: Vanilla,
    ratio: fn(&State<'_>) -> f64,
    is_static: bool,
}

impl Paired<'_> {
    /// The contract of a path and the option on date `t`.
    fn state<'b>(
        &self,
        (form, legs): (&'b ClosedForm, &'b [Leg]),
        (data, lane): (&PathBlock<'_, f64>, usize),
        t: usize,
    ) -> State<'b> {
        let market = data.state_of(0, t, lane);
        State::new((form, legs), self.option, market, form.left(t))
    }

    /// How many options a state asks for; nothing if both contract and option have lost the sensitivity.
    fn options(&self, state: &State<'_>) -> Option<f64> {
        let ratio = (self.ratio)(state);
        (!ratio.is_nan()).then(|| ratio.clamp(-MOST, MOST))
    }
}

impl CentreOnPaths for Paired<'_> {
    fn targets(&self, block: usize) -> Targets {
        let data = self.ask.paths.block(block);
        let mut out = self.ask.targets(&self.dates);
        out.option_deltas = vec![[0.0; BLOCK]; out.positions.len()];
        for lane in 0..BLOCK {
            let form = ClosedForm::of_path(&self.forms, &data, lane);
            let legs = form.legs().expect("looked at when it was made");
            form.fill_times((lane, &self.dates), &mut out.left, &mut out.discounts);
            let at = |t: usize| self.state((form, legs), (&data, lane), t);
            // What was asked for last before these dates: at the sale, where that is held to the end.
            let before = match self.is_static {
                true => 0..self.dates.start.min(1),
                false => 0..self.dates.start,
            };
            let mut before = before.rev().map(at);
            let last = before.find_map(|state| self.options(&state));
            let mut options = last.unwrap_or(0.0);
            for t in form.living_on(&self.dates) {
                let state = at(t);
                if t == 0 || !self.is_static {
                    options = self.options(&state).unwrap_or(options);
                }
                let row = out.row(t);
                out.positions[row][lane] = state.contract(BlackScholes::delta);
                out.positions[row + self.index][lane] = options;
                out.option_deltas[row + self.index][lane] = state.price.delta();
                if self.ask.wants.gammas {
                    out.gammas[row][lane] = state.contract(BlackScholes::gamma);
                }
            }
        }
        out
    }
}
