//! The minimum-variance delta by regression.

use super::{Ask, CentreKind, CentreOnPaths, Fit, Needs, Parameter, Targets, Wants};
use crate::contract::{Contract, Leg};
use crate::error::{Error, Result};
use crate::hedging::closed_form::ClosedForm;
use crate::linalg::solve_positive;
use crate::market::{Assets, MarketState, Paths};
use crate::pricing::BlackScholes;
use crate::simd::{BLOCK, Real};
use faer::Mat;
use faer::linalg::solvers::SolveLstsq;
use std::ops::Range;
use std::sync::Arc;

/// The minimum-variance delta of Hull and White,
///
/// δ = Δ + ν/(S√τ) · (a + b Δ + c Δ²)
///
/// with Black and Scholes' delta Δ and vega ν at the volatility that the model expects until expiry. The numbers a, b and c come from
/// least squares of V_{t+1} − V_t − Δ (S_{t+1} − S_t) on ν/√τ · (S_{t+1} − S_t)/S · (1, Δ, Δ²) over all dates but the last of the paths
/// that the hedge is fitted on, or of the contracts of the past. Its gamma is Black and Scholes'.
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

/// The closed forms of the contracts of paths, each of which is a sum of calls and puts.
fn forms(assets: &Assets, contract: &Contract) -> Result<Vec<ClosedForm>> {
    let forms = ClosedForm::of_paths(assets, contract)?;
    for form in &forms {
        form.legs()?;
    }
    Ok(forms)
}

/// The equation of every period but the last of the paths of a block: what stands before a, b and c, and what it is to be.
fn equations<R: Real>(
    forms: &[ClosedForm],
    paths: &Paths<R>,
    block: usize,
    mut visit: impl FnMut([f64; TERMS], f64),
) {
    let data = paths.block(block);
    for lane in 0..paths.active(block) {
        let member = data
            .drawn()
            .map_or(0, |drawn| drawn.member[lane].into_f64() as usize);
        let form = &forms[member];
        let legs = form.legs().expect("looked at before");
        let at = |t: usize| data.state_of(0, t, lane);
        let mut now = State::new(form, legs, 0, &at(0));
        for t in 1..form.steps() {
            let next = State::new(form, legs, t, &at(t));
            let (before, after) = (at(t - 1).spot, at(t).spot);
            let error = next.price - now.price - now.delta * (after - before);
            let size = now.vega * (after - before) / before;
            visit(terms(now.delta).map(|term| term * size), error);
            now = next;
        }
    }
}

impl Fit for HullWhite {
    fn name(&self) -> &'static str {
        "hull_white"
    }

    fn on_simulated(
        &self,
        assets: &Assets,
        contract: &Contract,
        paths: &Paths<f32>,
    ) -> Result<Vec<f64>> {
        const RIDGE: f64 = 1e-12;
        let forms = forms(assets, contract)?;
        let sizes = [TERMS * TERMS, TERMS];
        let sums = paths.spread().sums(&sizes, |run, sums| {
            for block in run {
                equations(&forms, paths, block, |row, error| {
                    for i in 0..TERMS {
                        for j in 0..TERMS {
                            sums[0][i * TERMS + j] += row[i] * row[j];
                        }
                        sums[1][i] += row[i] * error;
                    }
                });
            }
        });
        let square = Mat::from_fn(TERMS, TERMS, |i, j| sums[0][i * TERMS + j]);
        solve_positive(&square, &sums[1], RIDGE)
            .map_err(|error| Error::Computation(format!("{}: {error}", self.name())))
    }

    fn on_past(&self, assets: &Assets, past: &[(&Contract, &Paths<f64>)]) -> Result<Vec<f64>> {
        let (mut rows, mut errors) = (Vec::new(), Vec::new());
        for (contract, paths) in past {
            let forms = forms(assets, contract)?;
            for block in paths.own() {
                equations(&forms, paths, block, |row, error| {
                    rows.push(row);
                    errors.push(error);
                });
            }
        }
        if rows.len() < TERMS {
            return Err(Error::input(format!(
                "\"{}\" is fitted on contracts of the past, which have {} periods, and needs at least {TERMS}",
                self.name(),
                rows.len()
            )));
        }
        let matrix = Mat::from_fn(rows.len(), TERMS, |i, j| rows[i][j]);
        let right = Mat::from_fn(rows.len(), 1, |i, _| errors[i]);
        let found = matrix.col_piv_qr().solve_lstsq(&right);
        Ok((0..TERMS).map(|term| found[(term, 0)]).collect())
    }
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

    fn fit(&self) -> Option<&'static dyn Fit> {
        Some(&Self)
    }

    fn further_parameters(&self) -> &'static [Parameter] {
        &[Parameter::Scale]
    }

    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        let forms = forms(ask.assets, ask.contract)?;
        let coefficients = ask.fits()?.coefficients(ask.contract, self)?;
        Ok(Box::new(OnPaths {
            ask: *ask,
            dates,
            forms,
            coefficients,
        }))
    }
}

struct OnPaths<'a> {
    ask: Ask<'a>,
    dates: Range<usize>,
    forms: Vec<ClosedForm>,
    coefficients: Arc<Vec<f64>>,
}

impl CentreOnPaths for OnPaths<'_> {
    fn targets(&self, block: usize) -> Targets {
        let data = self.ask.paths.block(block);
        let mut out = self.ask.targets(&self.dates);
        for lane in 0..BLOCK {
            let form = ClosedForm::of_path(&self.forms, &data, lane);
            let legs = form.legs().expect("looked at before");
            form.fill_times((lane, &self.dates), &mut out.left, &mut out.discounts);
            for t in form.living_on(&self.dates) {
                let market = data.state_of(0, t, lane);
                let state = State::new(form, legs, t, &market);
                let terms = terms(state.delta).into_iter();
                let sum: f64 = terms
                    .zip(self.coefficients.iter())
                    .map(|(x, c)| x * c)
                    .sum();
                let row = out.row(t);
                out.positions[row][lane] = state.delta + state.vega / market.spot * sum;
                if self.ask.wants.gammas {
                    out.gammas[row][lane] = state.gamma;
                }
            }
        }
        out
    }
}
