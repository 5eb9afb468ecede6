//! Heston's parameters from a volatility surface, by Levenberg and Marquardt's method.

use super::Fit;
use super::surface::{Quote, Surface};
use crate::error::{Error, Result};
use crate::linalg::right_singular;
use crate::pricing::{BlackScholes, HestonParameters};
use faer::Mat;
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::{DVector, Dyn, OMatrix, OVector, U5, storage::Owned};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What is made small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Errors {
    /// Differences of implied volatility.
    ImpliedVolatility,
    /// Differences of price over the quote's Black–Scholes vega: the former to first order.
    Vega,
}

/// Heston's model fitted to a surface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HestonFit {
    /// The parameters with the least error.
    pub parameters: HestonParameters,
    /// Σ of squared differences of implied volatility, in volatility points (percent) squared.
    pub sum_squared_error: f64,
    /// Root-mean-square difference of implied volatility, in volatility points.
    pub root_mean_square_error: f64,
    /// Whether `2κθ ≥ σ²`.
    pub feller: bool,
    /// Parameters that ended on a bound of the search: the surface does not pin them down.
    pub at_bound: Vec<&'static str>,
    /// Others that it hardly determines: errors of the quotes of the size of the fit's, and of at least 0.1 volatility
    /// points, move v0, κ, θ or σ by their own size, ρ by ½, in the linearised model.
    pub not_identified: Vec<&'static str>,
    /// Implied volatilities of the model, one for each quote.
    #[serde(skip)]
    pub implied_volatilities: Vec<f64>,
}

impl Fit for HestonFit {
    fn to(surface: &Surface, errors: Errors) -> Result<Self> {
        fit_heston(surface, errors)
    }

    fn document(&self) -> Map<String, Value> {
        Map::from_iter([
            ("parameters".into(), json!(self.parameters)),
            ("sum_squared_error".into(), json!(self.sum_squared_error)),
            (
                "root_mean_square_error".into(),
                json!(self.root_mean_square_error),
            ),
            ("feller".into(), json!(self.feller)),
            ("at_bound".into(), json!(self.at_bound)),
            ("not_identified".into(), json!(self.not_identified)),
        ])
    }

    fn quotes(&self, surface: &Surface) -> Vec<(Quote, f64)> {
        let volatilities = self.implied_volatilities.iter().copied();
        surface.quotes.iter().copied().zip(volatilities).collect()
    }

    fn at_bound(&self) -> &[&'static str] {
        &self.at_bound
    }

    fn not_identified(&self) -> &[&'static str] {
        &self.not_identified
    }

    fn text(&self, described: &str) -> String {
        let p = self.parameters;
        format!(
            "v0 {:.4}\nkappa {:.3}\ntheta {:.4}\nsigma {:.3}\nrho {:.3}\n{described}\n\
             root-mean-square error {:.2} volatility points, sum of squares {:.1}\nFeller's condition {}",
            p.v0,
            p.kappa,
            p.theta,
            p.sigma,
            p.rho,
            self.root_mean_square_error,
            self.sum_squared_error,
            match self.feller {
                true => "holds",
                false => "does not hold",
            },
        )
    }
}

/// Minimises the sum of squared `errors` over κ ∈ [0.01, 50], θ and v0 ∈ [10⁻⁴, 4], σ ∈ [0.01, 10] and
/// ρ ∈ [−0.999, 0.999].
///
/// Each parameter is a logistic function of an unbounded one, between the logarithms of its bounds (ρ: the bounds
/// themselves). Eight searches with price errors over vega, from v0 and θ at the quotes nearest to the money of the
/// shortest and longest expiry and κ, σ, ρ on a grid, are followed by one with the `errors` asked for, from the best.
///
/// # Errors
/// [`Error::Computation`] if no search ends at a finite error.
///
/// # References
/// J. Moré (1978), "The Levenberg–Marquardt algorithm: implementation and theory"; S. Mikhailov and U. Nögel (2003),
/// "Heston's stochastic volatility model: implementation, calibration and some extensions", Wilmott Magazine July.
pub fn fit_heston(surface: &Surface, errors: Errors) -> Result<HestonFit> {
    let near = |expiry: fn(&Quote) -> f64| {
        let distance = |q: &Quote| (q.strike / q.spot).ln().abs();
        let key = |q: &Quote| (expiry(q), distance(q));
        surface
            .quotes
            .iter()
            .min_by(|a, b| {
                let (a, b) = (key(a), key(b));
                a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
            })
            .map_or(0.04, |quote| quote.implied_volatility.powi(2))
    };
    let (v0, theta) = (near(|q| q.expiry), near(|q| -q.expiry));
    let mut starts = Vec::new();
    for kappa in [1.0, 4.0] {
        for sigma in [0.3, 1.0] {
            for rho in [-0.7, 0.0] {
                starts.push(HestonParameters {
                    v0,
                    kappa,
                    theta,
                    sigma,
                    rho,
                });
            }
        }
    }
    let expiries = by_expiry(&surface.quotes);
    let problem = |start: &HestonParameters, errors: Errors| Problem {
        expiries: &expiries,
        count: surface.quotes.len(),
        errors,
        at: unbounded(start),
    };
    let best = starts
        .par_iter()
        .map(|start| {
            let solver = LevenbergMarquardt::new()
                .with_tol(1e-4)
                .with_patience(COARSE_PATIENCE);
            let (found, report) = solver.minimize(problem(start, Errors::Vega));
            (parameters(&found.at), report.objective_function)
        })
        .collect::<Vec<_>>()
        .into_iter()
        .filter(|(_, objective)| objective.is_finite())
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .ok_or_else(|| {
            Error::Computation("no search for Heston's parameters has a finite error".into())
        })?;
    let solver = LevenbergMarquardt::new().with_tol(1e-10).with_patience(100);
    let (found, report) = solver.minimize(problem(&best.0, errors));
    if !report.objective_function.is_finite() {
        return Err(Error::Computation(
            "the search for Heston's parameters ended at an error that is not finite".into(),
        ));
    }
    let parameters = parameters(&found.at);
    let implied_volatilities = implied_volatilities(&surface.quotes, &expiries, &parameters);
    let pairs = surface.quotes.iter().zip(&implied_volatilities);
    let sum_squared_error: f64 = pairs
        .map(|(quote, model)| (100.0 * (model - quote.implied_volatility)).powi(2))
        .sum();
    let root_mean_square_error = (sum_squared_error / surface.quotes.len() as f64).sqrt();
    let free: Vec<usize> = (0..NAMES.len())
        .filter(|&i| found.at[i].abs() <= AT_BOUND)
        .collect();
    let at_bound = (0..NAMES.len()).filter(|i| !free.contains(i));
    let noise = (root_mean_square_error / 100.0).max(LEAST_NOISE);
    Ok(HestonFit {
        parameters,
        sum_squared_error,
        root_mean_square_error,
        feller: parameters.feller(),
        at_bound: at_bound.map(|i| NAMES[i]).collect(),
        not_identified: not_identified(&found, &free, noise),
        implied_volatilities,
    })
}

/// Evaluations of a coarse search, in multiples of the number of parameters plus one.
const COARSE_PATIENCE: usize = 2;

/// The logistic function is within 0.7 % of a bound beyond this.
const AT_BOUND: f64 = 5.0;

/// Errors of quotes, as a fraction per year, are at least this.
const LEAST_NOISE: f64 = 1e-3;

const NAMES: [&str; 5] = ["v0", "kappa", "theta", "sigma", "rho"];

/// The parameters among the coordinates `free` that errors of the quotes of standard deviation `noise` move too far: the
/// diagonal of (JᵀJ)⁻¹, from the singular values of J.
fn not_identified(problem: &Problem<'_>, free: &[usize], noise: f64) -> Vec<&'static str> {
    /// Singular values below this share of the greatest are none.
    const NONE: f64 = 1e-9;
    let bounds = bounds();
    let whole = problem.derivatives();
    // In units of the logarithms of v0, κ, θ and σ, and of ρ.
    let slope = |i: usize| {
        let share = 1.0 / (1.0 + (-problem.at[i]).exp());
        (bounds[i].1 - bounds[i].0) * share * (1.0 - share)
    };
    let jacobian = Mat::from_fn(whole.nrows(), free.len(), |row, j| {
        whole[(row, free[j])] / slope(free[j])
    });
    let Ok((values, directions)) = right_singular(&jacobian) else {
        return free.iter().map(|&i| NAMES[i]).collect();
    };
    let greatest = values.iter().copied().fold(0.0, f64::max);
    let moved = |j: usize| {
        // There are fewer singular values than directions where quotes are fewer than parameters.
        let terms = (0..free.len()).map(|k| {
            let value = values.get(k).unwrap_or(&0.0);
            let along = directions[(j, k)];
            // A direction that moves no quote moves the parameters that have a part in it without bound.
            if *value <= NONE * greatest {
                if along.abs() < NONE {
                    0.0
                } else {
                    f64::INFINITY
                }
            } else {
                (along * noise / value).powi(2)
            }
        });
        terms.sum::<f64>().sqrt()
    };
    let limit = |name: &str| if name == "rho" { 0.5 } else { 1.0 };
    let places = free.iter().enumerate();
    places
        .filter(|(j, i)| moved(*j) > limit(NAMES[**i]))
        .map(|(_, i)| NAMES[*i])
        .collect()
}

/// Logarithms of the bounds of v0, κ, θ and σ; bounds of ρ.
fn bounds() -> [(f64, f64); 5] {
    let log = |low: f64, high: f64| (low.ln(), high.ln());
    [
        log(1e-4, 4.0),
        log(0.01, 50.0),
        log(1e-4, 4.0),
        log(0.01, 10.0),
        (-0.999, 0.999),
    ]
}

fn parameters(x: &OVector<f64, U5>) -> HestonParameters {
    let bounds = bounds();
    let [v0, kappa, theta, sigma, rho] = std::array::from_fn(|i| {
        let (low, high) = bounds[i];
        low + (high - low) / (1.0 + (-x[i]).exp())
    });
    HestonParameters {
        v0: v0.exp(),
        kappa: kappa.exp(),
        theta: theta.exp(),
        sigma: sigma.exp(),
        rho,
    }
}

fn unbounded(p: &HestonParameters) -> OVector<f64, U5> {
    let y = [p.v0.ln(), p.kappa.ln(), p.theta.ln(), p.sigma.ln(), p.rho];
    let bounds = bounds();
    OVector::from_fn_generic(U5, nalgebra::U1, |i, _| {
        let (low, high) = bounds[i];
        let share = ((y[i] - low) / (high - low)).clamp(1e-6, 1.0 - 1e-6);
        (share / (1.0 - share)).ln()
    })
}

/// Quotes that share spot, expiry, rate and dividend: one table of the characteristic function.
struct Expiry {
    /// Places of the quotes in the surface.
    places: Vec<usize>,
    quotes: Vec<Quote>,
    options: Vec<BlackScholes>,
    prices: Vec<f64>,
    vegas: Vec<f64>,
}

fn by_expiry(quotes: &[Quote]) -> Vec<Expiry> {
    let mut expiries: Vec<Expiry> = Vec::new();
    for (place, quote) in quotes.iter().enumerate() {
        let same = |e: &&mut Expiry| {
            let q = &e.quotes[0];
            (q.spot, q.expiry, q.rate, q.dividend)
                == (quote.spot, quote.expiry, quote.rate, quote.dividend)
        };
        let option = quote.option();
        let expiry = match expiries.iter_mut().find(same) {
            Some(expiry) => expiry,
            None => {
                expiries.push(Expiry {
                    places: Vec::new(),
                    quotes: Vec::new(),
                    options: Vec::new(),
                    prices: Vec::new(),
                    vegas: Vec::new(),
                });
                expiries.last_mut().expect("one was pushed")
            }
        };
        expiry.places.push(place);
        expiry.quotes.push(*quote);
        expiry.options.push(option);
        expiry.prices.push(option.price());
        // A quote far out of the money has no vega to speak of; it then counts less rather than infinitely much.
        expiry.vegas.push(option.vega().max(1e-4 * quote.spot));
    }
    expiries
}

impl Expiry {
    /// Model prices of the options that are out of the money.
    fn model_prices(&self, parameters: &HestonParameters) -> Vec<f64> {
        let first = &self.options[0];
        let strikes: Vec<f64> = self.options.iter().map(|option| option.strike).collect();
        let calls = parameters.prices(
            crate::contract::OptionKind::Call,
            first.spot,
            &strikes,
            first.expiry,
            first.rate,
            first.dividend,
        );
        let asset = first.spot * (-first.dividend * first.expiry).exp();
        let discount = (-first.rate * first.expiry).exp();
        let options = self.options.iter().zip(calls);
        options
            .map(|(option, call)| match option.kind {
                crate::contract::OptionKind::Call => call,
                crate::contract::OptionKind::Put => call - asset + discount * option.strike,
            })
            .collect()
    }

    fn errors(&self, parameters: &HestonParameters, errors: Errors) -> Vec<f64> {
        let prices = self.model_prices(parameters);
        (0..prices.len())
            .map(|i| match errors {
                Errors::Vega => (prices[i] - self.prices[i]) / self.vegas[i],
                Errors::ImpliedVolatility => {
                    implied(&self.options[i], prices[i]) - self.quotes[i].implied_volatility
                }
            })
            .collect()
    }
}

/// The implied volatility, 0 for a price that rounding has left at or below the intrinsic value.
fn implied(option: &BlackScholes, price: f64) -> f64 {
    option.implied_volatility(price).unwrap_or(0.0)
}

fn implied_volatilities(
    quotes: &[Quote],
    expiries: &[Expiry],
    parameters: &HestonParameters,
) -> Vec<f64> {
    let mut found = vec![0.0; quotes.len()];
    for expiry in expiries {
        let prices = expiry.model_prices(parameters);
        for (i, place) in expiry.places.iter().enumerate() {
            found[*place] = implied(&expiry.options[i], prices[i]);
        }
    }
    found
}

struct Problem<'a> {
    expiries: &'a [Expiry],
    count: usize,
    errors: Errors,
    at: OVector<f64, U5>,
}

impl Problem<'_> {
    fn errors_at(&self, x: &OVector<f64, U5>) -> DVector<f64> {
        let parameters = parameters(x);
        let parts: Vec<Vec<f64>> = self
            .expiries
            .par_iter()
            .map(|expiry| expiry.errors(&parameters, self.errors))
            .collect();
        let mut errors = DVector::zeros(self.count);
        for (expiry, part) in self.expiries.iter().zip(parts) {
            for (place, error) in expiry.places.iter().zip(part) {
                errors[*place] = error;
            }
        }
        errors
    }
}

impl LeastSquaresProblem<f64, Dyn, U5> for Problem<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, U5>;
    type ParameterStorage = Owned<f64, U5>;

    fn set_params(&mut self, x: &OVector<f64, U5>) {
        self.at.copy_from(x);
    }

    fn params(&self) -> OVector<f64, U5> {
        self.at
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        Some(self.errors_at(&self.at))
    }

    fn jacobian(&self) -> Option<OMatrix<f64, Dyn, U5>> {
        Some(self.derivatives())
    }
}

impl Problem<'_> {
    /// The derivatives of the errors in the unbounded parameters, by central differences: prices are smooth in them to 10⁻¹³.
    fn derivatives(&self) -> OMatrix<f64, Dyn, U5> {
        const STEP: f64 = 1e-4;
        let columns: Vec<DVector<f64>> = (0..5)
            .into_par_iter()
            .map(|i| {
                let shifted = |step: f64| {
                    let mut x = self.at;
                    x[i] += step;
                    self.errors_at(&x)
                };
                (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP)
            })
            .collect();
        let mut jacobian = OMatrix::<f64, Dyn, U5>::zeros(self.count);
        for (i, column) in columns.iter().enumerate() {
            jacobian.set_column(i, column);
        }
        jacobian
    }
}
