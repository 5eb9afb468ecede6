//! SVI slices from a volatility surface, without arbitrage, by Levenberg and Marquardt's method.

use super::surface::{Quote, Surface};
use super::{Errors, Fit};
use crate::error::{Error, Result};
use crate::pricing::svi::{SviSlice, SviSurface};
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::{DVector, Dyn, OMatrix, OVector, U5, storage::Owned};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The slices of a local volatility fitted to a surface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SviFit {
    /// One slice for every expiry, by expiry, of a surface without arbitrage ([`SviSurface::arbitrage`]).
    pub slices: Vec<SviSlice>,
    /// Σ of squared differences of implied volatility, in volatility points (percent) squared.
    pub sum_squared_error: f64,
    /// Root-mean-square difference of implied volatility, in volatility points.
    pub root_mean_square_error: f64,
    /// Expiries in days that have too few quotes for a slice, and how many they have.
    pub without_slice: Vec<(f64, usize)>,
    /// Implied volatilities of the slices, one for each quote that was fitted.
    #[serde(skip)]
    pub implied_volatilities: Vec<(Quote, f64)>,
}

impl Fit for SviFit {
    fn refusal(errors: Errors) -> Option<&'static str> {
        match errors {
            Errors::ImpliedVolatility => None,
            Errors::Vega => {
                Some("the slices of a local volatility are fitted to implied volatilities")
            }
        }
    }

    fn to(surface: &Surface, _errors: Errors) -> Result<Self> {
        fit_svi(surface)
    }

    fn document(&self) -> Map<String, Value> {
        Map::from_iter([
            ("parameters".into(), json!({ "slices": self.slices })),
            ("sum_squared_error".into(), json!(self.sum_squared_error)),
            (
                "root_mean_square_error".into(),
                json!(self.root_mean_square_error),
            ),
        ])
    }

    fn quotes(&self, _surface: &Surface) -> Vec<(Quote, f64)> {
        self.implied_volatilities.clone()
    }

    fn warnings(&self) -> Vec<String> {
        let few = self.without_slice.iter();
        few.map(|(days, quotes)| {
            format!(
                "the expiry of {days:.1} days has {quotes} quotes and no slice, which takes {LEAST_QUOTES}"
            )
        })
        .collect()
    }

    /// The section of a strategy.
    fn text(&self, described: &str) -> String {
        let slice = |s: &SviSlice| {
            let SviSlice {
                days,
                a,
                b,
                rho,
                m,
                sigma,
            } = s;
            format!(
                "  {{ days = {days:?}, a = {a:?}, b = {b:?}, rho = {rho:?}, m = {m:?}, sigma = {sigma:?} }},"
            )
        };
        let slices: Vec<String> = self.slices.iter().map(slice).collect();
        format!(
            "# {described}\n# root-mean-square error {:.2} volatility points, no arbitrage\n\
             [market]\nmodel = \"local_volatility\"\nslices = [\n{}\n]",
            self.root_mean_square_error,
            slices.join("\n"),
        )
    }
}

/// Quotes that an expiry needs for a slice: as many as its parameters.
const LEAST_QUOTES: usize = 5;

/// Fits a slice to every expiry with at least [`LEAST_QUOTES`] quotes, from the shortest to the longest, by the least squares of implied
/// volatility over (ln b, artanh(ρ/0.999), m, ln(σ − σ₀), ln w*), w* the least total variance, so that a = w* − bσ√(1 − ρ²). The least width σ₀ is
/// 0.15 standard deviations: no quotes show a vertex that is sharper.
///
/// Beside the errors of the quotes stand, on a grid within eight standard deviations of the forward, what the density factor g and the growth
/// of total variance since the slice before fall short of 0. They weigh ever more until [`SviSurface::arbitrage`] finds nothing. Of the quotes
/// of one expiry, each is at its own ln(K/F).
///
/// # Errors
/// [`Error::Input`] if no expiry has enough quotes; [`Error::Computation`] with the expiry and the fault if a slice keeps one.
///
/// # References
/// J. Gatheral and A. Jacquier (2014), "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14(1), sections 3 and 5.2.
pub fn fit_svi(surface: &Surface) -> Result<SviFit> {
    let mut by_expiry: Vec<Vec<Quote>> = Vec::new();
    for quote in &surface.quotes {
        match by_expiry
            .iter_mut()
            .find(|one| one[0].expiry == quote.expiry)
        {
            Some(one) => one.push(*quote),
            None => by_expiry.push(vec![*quote]),
        }
    }
    by_expiry.sort_by(|a, b| a[0].expiry.total_cmp(&b[0].expiry));
    let (fitted, few): (Vec<_>, Vec<_>) = by_expiry
        .into_iter()
        .partition(|quotes| quotes.len() >= LEAST_QUOTES);
    if fitted.is_empty() {
        return Err(Error::input(format!(
            "the surface has no expiry with {LEAST_QUOTES} quotes, as many as a slice has parameters"
        )));
    }
    let mut slices: Vec<SviSlice> = Vec::new();
    for quotes in &fitted {
        let slice = slice(&slices, quotes)?;
        slices.push(slice);
    }
    let pairs = fitted.iter().zip(&slices);
    let implied_volatilities: Vec<(Quote, f64)> = pairs
        .flat_map(|(quotes, slice)| {
            quotes
                .iter()
                .map(|quote| (*quote, volatility(slice, quote)))
        })
        .collect();
    let errors = implied_volatilities.iter();
    let sum_squared_error: f64 = errors
        .map(|(quote, found)| (100.0 * (found - quote.implied_volatility)).powi(2))
        .sum();
    let days = |quotes: &Vec<Quote>| (365.0 * quotes[0].expiry, quotes.len());
    Ok(SviFit {
        slices,
        sum_squared_error,
        root_mean_square_error: (sum_squared_error / implied_volatilities.len() as f64).sqrt(),
        without_slice: few.iter().map(days).collect(),
        implied_volatilities,
    })
}

/// ln(K/F)
pub(super) fn log_moneyness(quote: &Quote) -> f64 {
    (quote.strike / quote.spot).ln() - (quote.rate - quote.dividend) * quote.expiry
}

fn volatility(slice: &SviSlice, quote: &Quote) -> f64 {
    let total = slice.at(log_moneyness(quote)).total;
    (total / quote.expiry).sqrt()
}

/// The slice of the next expiry after `before`.
fn slice(before: &[SviSlice], quotes: &[Quote]) -> Result<SviSlice> {
    /// How often penalties grow tenfold.
    const ROUNDS: i32 = 7;
    let expiry = quotes[0].expiry;
    let nearest = quotes.iter().min_by(|a, b| {
        let far = |quote: &Quote| log_moneyness(quote).abs();
        far(a).total_cmp(&far(b))
    });
    let total = nearest.map_or(0.04, |quote| quote.implied_volatility.powi(2)) * expiry;
    let mut starts = Vec::new();
    for (slant, width) in [(-0.5, 1.0), (-0.5, 3.0), (0.0, 1.0), (0.3, 2.0)] {
        starts.push(SviSlice {
            days: 365.0 * expiry,
            a: 0.3 * total,
            b: 0.7 * total / (width * total.sqrt()),
            rho: slant,
            m: 0.0,
            sigma: width * total.sqrt(),
        });
    }
    // The shape of the slice before, in deviations.
    starts.extend(before.last().map(|last| {
        let growth = total / last.at(0.0).total;
        let (wide, root) = (growth, growth.sqrt());
        SviSlice {
            days: 365.0 * expiry,
            a: wide * last.a,
            b: root * last.b,
            rho: last.rho,
            m: root * last.m,
            sigma: root * last.sigma,
        }
    }));
    let problem = |start: &SviSlice, weight: f64| Problem {
        before: before.last().copied(),
        quotes,
        days: 365.0 * expiry,
        deviation: total.sqrt(),
        weight,
        at: coordinates(start, LEAST_WIDTH * total.sqrt()),
    };
    let mut fault = None;
    for round in 0..ROUNDS {
        let weight = 10f64.powi(round);
        let searched = starts.iter().map(|start| {
            let solver = LevenbergMarquardt::new().with_tol(1e-10).with_patience(200);
            let (found, report) = solver.minimize(problem(start, weight));
            (found.slice(), report.objective_function)
        });
        let best = searched
            .filter(|(_, objective)| objective.is_finite())
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((found, _)) = best else {
            continue;
        };
        let found = rounded(&found);
        let with = before.iter().copied().chain([found]).collect();
        fault = SviSurface::new(with).arbitrage();
        if fault.is_none() {
            return Ok(found);
        }
        // Penalties that have been heavy enough elsewhere begin from where they left off.
        starts.push(found);
    }
    let why = fault.map_or_else(
        || "no search ends at a finite error".to_owned(),
        |fault| format!("{} {:.3e}", fault.place, fault.value),
    );
    Err(Error::Computation(format!(
        "no slice without arbitrage fits the quotes of {:.1} days: {why}",
        365.0 * expiry
    )))
}

/// The digits that files have.
fn rounded(slice: &SviSlice) -> SviSlice {
    let round = |x: f64| format!("{x:.9e}").parse().unwrap_or(x);
    SviSlice {
        days: round(slice.days),
        a: round(slice.a),
        b: round(slice.b),
        rho: round(slice.rho),
        m: round(slice.m),
        sigma: round(slice.sigma),
    }
}

/// σ₀ in standard deviations.
const LEAST_WIDTH: f64 = 0.15;

/// ρ/0.999 is a hyperbolic tangent: strategies have |ρ| < 1.
const MOST_SLANT: f64 = 0.999;

/// (ln b, artanh(ρ/0.999), m, ln(σ − σ₀), ln w*)
fn coordinates(slice: &SviSlice, least_width: f64) -> OVector<f64, U5> {
    let least = slice.a + slice.b * slice.sigma * (1.0 - slice.rho * slice.rho).sqrt();
    OVector::<f64, U5>::new(
        slice.b.max(1e-8).ln(),
        (slice.rho / MOST_SLANT).clamp(-0.999, 0.999).atanh(),
        slice.m,
        (slice.sigma - least_width).max(0.1 * least_width).ln(),
        least.max(1e-8).ln(),
    )
}

struct Problem<'a> {
    before: Option<SviSlice>,
    quotes: &'a [Quote],
    days: f64,
    /// √w at the money.
    deviation: f64,
    weight: f64,
    at: OVector<f64, U5>,
}

impl Problem<'_> {
    /// Places at which arbitrage is looked for.
    const POINTS: i32 = 160;

    fn slice(&self) -> SviSlice {
        self.slice_of(&self.at)
    }

    fn slice_of(&self, x: &OVector<f64, U5>) -> SviSlice {
        let (b, rho) = (x[0].exp(), MOST_SLANT * x[1].tanh());
        let sigma = LEAST_WIDTH * self.deviation + x[3].exp();
        SviSlice {
            days: self.days,
            a: x[4].exp() - b * sigma * (1.0 - rho * rho).sqrt(),
            b,
            rho,
            m: x[2],
            sigma,
        }
    }

    /// Differences of implied volatility, and what is missing of a surface without arbitrage with some to spare.
    fn errors_at(&self, x: &OVector<f64, U5>) -> DVector<f64> {
        /// Of the density factor, and of the growth of total variance over its size.
        const TO_SPARE: f64 = 1e-3;
        let slice = self.slice_of(x);
        let mut errors: Vec<f64> = self
            .quotes
            .iter()
            .map(|quote| volatility(&slice, quote) - quote.implied_volatility)
            .collect();
        let surface = SviSurface::new(self.before.into_iter().chain([slice]).collect());
        let end = slice.expiry();
        let start = self.before.map_or(0.0, |before| before.expiry());
        for j in -Self::POINTS..=Self::POINTS {
            let k = 8.0 * self.deviation * f64::from(j) / f64::from(Self::POINTS);
            let total = slice.at(k).total;
            let earlier = self.before.map_or(0.0, |before| before.at(k).total);
            let middle = surface.at(k, 0.5 * (start + end)).density_factor(k);
            for kept in [slice.at(k).density_factor(k), middle, 1.0 - earlier / total] {
                errors.push(self.weight * (TO_SPARE - kept).max(0.0) * 1e-2);
            }
        }
        DVector::from_vec(errors)
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

    /// By central differences.
    fn jacobian(&self) -> Option<OMatrix<f64, Dyn, U5>> {
        const STEP: f64 = 1e-5;
        let count = self.quotes.len() + 3 * (2 * Self::POINTS as usize + 1);
        let mut jacobian = OMatrix::<f64, Dyn, U5>::zeros(count);
        for i in 0..5 {
            let shifted = |step: f64| {
                let mut x = self.at;
                x[i] += step;
                self.errors_at(&x)
            };
            let column = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
            jacobian.set_column(i, &column);
        }
        Some(jacobian)
    }
}
