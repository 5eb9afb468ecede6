//! The minimum-variance delta by regression.

use super::{Ask, CentreKind, CentreOnPaths, Needs, Targets, Wants};
use crate::contract::{Contract, Leg};
use crate::error::{Error, Result};
use crate::hedging::closed_form::{ClosedForm, Form};
use crate::linalg::solve_positive;
use crate::market::{Assets, MarketState, Paths};
use crate::pricing::BlackScholes;
use crate::simd::BLOCK;
use faer::Mat;
use std::sync::Arc;

/// The minimum-variance delta of Hull and White,
///
/// δ = Δ + ν/(S√τ) · (a + b Δ + c Δ²)
///
/// with Black and Scholes' delta Δ and vega ν at the volatility that the model expects until expiry. The numbers a, b and c come from
/// least squares of V_{t+1} − V_t − Δ (S_{t+1} − S_t) on ν/√τ · (S_{t+1} − S_t)/S · (1, Δ, Δ²) over all dates but the last of the paths
/// that the hedge is fitted on. Its gamma is Black and Scholes'.
///
/// # References
/// Hull and White (2017), "Optimal delta hedging for options", Journal of Banking and Finance 82, equations 5 and 6.
pub struct HullWhite;

/// The functions of Δ in the regression.
const TERMS: usize = 3;

/// 1, Δ and Δ².
fn terms(delta: f64) -> [f64; TERMS] {
    [1.0, delta, delta * delta]
}

/// A contract on one date of a path.
struct State {
    price: f64,
    delta: f64,
    gamma: f64,
    /// ν/√τ.
    vega: f64,
}

impl State {
    fn new(form: &ClosedForm, legs: &[Leg], t: usize, state: &MarketState) -> Self {
        let left = form.left(t);
        let of = |of: fn(&BlackScholes) -> f64| form.black_scholes(legs, state, left, of);
        Self {
            price: of(BlackScholes::price),
            delta: of(BlackScholes::delta),
            gamma: of(BlackScholes::gamma),
            vega: of(BlackScholes::vega) / left.sqrt(),
        }
    }
}

/// The calls and puts of a closed form.
fn legs(form: &ClosedForm) -> Result<&[Leg]> {
    match form.form()? {
        Form::Legs(legs) => Ok(legs),
        Form::Formula(_) => Err(Error::input(
            "\"hull_white\" needs calls and puts, and the contract is no sum of those",
        )),
    }
}

/// The numbers a, b and c on `paths`, those of all ranks.
///
/// # Errors
/// If the contract is no sum of calls and puts, or the equations have no solution.
pub fn fit(assets: &Assets, contract: &Contract, paths: &Paths<f32>) -> Result<Vec<f64>> {
    const RIDGE: f64 = 1e-12;
    let forms = ClosedForm::of_paths(assets, contract)?;
    for form in &forms {
        legs(form)?;
    }
    let sizes = [TERMS * TERMS, TERMS];
    let sums = paths.spread().sums(&sizes, |run, sums| {
        for block in run {
            let data = paths.block(block);
            for lane in 0..paths.active(block) {
                let member = data.drawn().map_or(0, |drawn| drawn.member[lane] as usize);
                let form = &forms[member];
                let legs = legs(form).expect("looked at before");
                let at = |t: usize| data.state_of(0, t, lane);
                let mut now = State::new(form, legs, 0, &at(0));
                for t in 1..form.steps() {
                    let next = State::new(form, legs, t, &at(t));
                    let (before, after) = (at(t - 1).spot, at(t).spot);
                    let error = next.price - now.price - now.delta * (after - before);
                    let size = now.vega * (after - before) / before;
                    let row = terms(now.delta).map(|term| term * size);
                    for i in 0..TERMS {
                        for j in 0..TERMS {
                            sums[0][i * TERMS + j] += row[i] * row[j];
                        }
                        sums[1][i] += row[i] * error;
                    }
                    now = next;
                }
            }
        }
    });
    let square = Mat::from_fn(TERMS, TERMS, |i, j| sums[0][i * TERMS + j]);
    solve_positive(&square, &sums[1], RIDGE)
        .map_err(|error| Error::Computation(format!("hull_white: {error}")))
}

impl CentreKind for HullWhite {
    fn title(&self) -> &'static str {
        "Hull and White's minimum-variance delta"
    }

    fn needs(&self) -> Needs {
        Needs {
            one_contract: false,
            ..Needs::LEGS
        }
    }

    fn gives(&self) -> Wants {
        Wants::GAMMAS
    }

    fn prepare<'a>(&self, ask: &Ask<'a>) -> Result<Box<dyn CentreOnPaths + 'a>> {
        let forms = ClosedForm::of_paths(ask.assets, ask.contract)?;
        for form in &forms {
            legs(form)?;
        }
        let coefficients = ask.fits()?.coefficients(ask.contract, "hull_white", &fit)?;
        Ok(Box::new(OnPaths {
            ask: *ask,
            forms,
            coefficients,
        }))
    }
}

struct OnPaths<'a> {
    ask: Ask<'a>,
    forms: Vec<ClosedForm>,
    coefficients: Arc<Vec<f64>>,
}

impl CentreOnPaths for OnPaths<'_> {
    fn targets(&self, block: usize) -> Targets {
        let data = self.ask.paths.block(block);
        let mut out = self.ask.targets();
        for lane in 0..BLOCK {
            let form = ClosedForm::of_path(&self.forms, &data, lane);
            let legs = legs(form).expect("looked at before");
            form.fill_times(lane, &mut out.left, &mut out.discounts);
            for t in 0..form.steps() {
                let market = data.state_of(0, t, lane);
                let state = State::new(form, legs, t, &market);
                let terms = terms(state.delta).into_iter();
                let sum: f64 = terms
                    .zip(self.coefficients.iter())
                    .map(|(x, c)| x * c)
                    .sum();
                let row = t * out.instruments;
                out.positions[row][lane] = state.delta + state.vega / market.spot * sum;
                if self.ask.wants.gammas {
                    out.gammas[row][lane] = state.gamma;
                }
            }
        }
        out
    }
}
