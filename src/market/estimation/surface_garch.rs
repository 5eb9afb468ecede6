//! Dynamics of returns and surface factors, estimated from past surfaces.

use super::likelihood::{
    Bound, STEP, Searched, StandardErrors, free, inverse_information, shifted,
};
use super::nig::{NormalInverseGaussian, NormalQuantiles, logistic, logit, normal_scores};
use super::surface_means::{Means, expected, mean_equations};
use crate::error::{Error, Result};
use crate::market::past_surfaces::{Cumulants, PastSurfaces, TRADING_DAYS};
use crate::pricing::SurfaceFactors;
use faer::{Mat, Side};
use rayon::prelude::*;

/// What moves: the return, then the factors of the surface.
pub const SERIES: usize = 1 + SurfaceFactors::COUNT;

/// The daily variance of one series,
///
/// ```text
/// h_{t+1} = Y_t + κ (h_t − Y_t) + a h_t (ε_t² − 1 − 2γε_t),      Y_t = c A_t
/// ```
///
/// with A_t = σ_t²/252, σ the volatility at the money over one month, for the return and the level, and A = 1 for the other factors. It is
/// at least 0 for κ ≥ a(1 + γ²), and stationary for κ < 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GarchVariance {
    /// c
    pub scale: f64,
    /// κ
    pub persistence: f64,
    /// a
    pub reaction: f64,
    /// γ
    pub asymmetry: f64,
}

impl GarchVariance {
    /// h_{t+1} from h_t, ε_t and A_t.
    #[inline(always)]
    pub fn next(&self, variance: f64, innovation: f64, anchor: f64) -> f64 {
        let long_run = self.scale * anchor;
        let news = innovation * innovation - 1.0 - 2.0 * self.asymmetry * innovation;
        long_run + self.persistence * (variance - long_run) + self.reaction * variance * news
    }

    /// Of ln c, logit κ, the logit of a(1 + γ²)/κ, and γ.
    fn at(x: &[f64; 4]) -> Self {
        let persistence = logistic(x[1]);
        Self {
            scale: x[0].exp(),
            persistence,
            reaction: persistence * logistic(x[2]) / (1.0 + x[3] * x[3]),
            asymmetry: x[3],
        }
    }

    fn to_array(self) -> [f64; 4] {
        [self.scale, self.persistence, self.reaction, self.asymmetry]
    }
}

/// A day that paths begin on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GarchStart {
    /// The factors of the day.
    pub factors: [f64; SurfaceFactors::COUNT],
    /// The slope of the day before.
    pub slope_before: f64,
    /// The variance of every series until the next day.
    pub variances: [f64; SERIES],
}

/// The joint dynamics of the returns of an index and the factors of its implied-volatility surface, by days,
///
/// ```text
/// r_{t+1}   = r̄ − K(√h_R) + √h_R ε_R                              r̄ the rate less dividends over the day, K(s) = ln E e^{sε_R}
/// β_{i,t+1} = α_i + Σ_j θ_ij β_{j,t} + ν_i β_{i,t−1} + √h_i ε_i
/// ```
///
/// with variances [`GarchVariance`] and innovations of mean 0 and variance 1 whose laws are normal inverse Gaussian and whose copula is
/// Gaussian. θ has the zeros of the authors: the level depends on level and slope, the slope on all but the smile and on its value a day
/// before (ν), moneyness on slope and itself, the smile on level, moneyness and itself, the smirk on moneyness and itself.
///
/// # References
/// P. François, G. Gauthier, F. Godin and C. Pérez-Mendoza (2023), "Is the difference between deep hedging and delta hedging a statistical
/// arbitrage?" and (2024), "Enhancing deep hedging of options with implied volatility surface feedback information", the joint model of implied
/// volatility and returns and its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceGarch {
    /// α, then θ by factor, then ν, for every factor.
    pub means: Means,
    /// Of every series.
    pub variances: [GarchVariance; SERIES],
    /// Of every series.
    pub laws: [NormalInverseGaussian; SERIES],
    /// The innovations as functions of normal variates.
    pub innovations: Vec<NormalQuantiles>,
    /// The lower triangular root of the correlations of these.
    pub root: [[f64; SERIES]; SERIES],
    /// K of the return.
    pub cumulants: Cumulants,
    /// The greatest variance that a path may have, a hundred times the mean of the past's.
    pub most: [f64; SERIES],
    /// The days that paths begin on.
    pub starts: Vec<GarchStart>,
    /// Whether the mean equations of the factors were found to be stationary; if not, each depends on itself alone.
    pub stationary: bool,
}

/// The dynamics as estimated.
#[derive(Debug, Clone)]
pub struct SurfaceGarchEstimate {
    /// The dynamics.
    pub dynamics: SurfaceGarch,
    /// Parameters that ended on a bound of their search.
    pub at_bound: Vec<&'static str>,
    /// Standard errors.
    pub standard_errors: StandardErrors,
    /// The logarithm of the Gaussian quasi-likelihood, of all series together.
    pub log_likelihood: f64,
}

/// The parameters of a series: scale, persistence, reaction, asymmetry, skew and tail.
const NAMES: [[&str; 6]; SERIES] = [
    [
        "return_scale",
        "return_persistence",
        "return_reaction",
        "return_asymmetry",
        "return_skew",
        "return_tail",
    ],
    [
        "level_scale",
        "level_persistence",
        "level_reaction",
        "level_asymmetry",
        "level_skew",
        "level_tail",
    ],
    [
        "slope_scale",
        "slope_persistence",
        "slope_reaction",
        "slope_asymmetry",
        "slope_skew",
        "slope_tail",
    ],
    [
        "moneyness_scale",
        "moneyness_persistence",
        "moneyness_reaction",
        "moneyness_asymmetry",
        "moneyness_skew",
        "moneyness_tail",
    ],
    [
        "smile_scale",
        "smile_persistence",
        "smile_reaction",
        "smile_asymmetry",
        "smile_skew",
        "smile_tail",
    ],
    [
        "smirk_scale",
        "smirk_persistence",
        "smirk_reaction",
        "smirk_asymmetry",
        "smirk_skew",
        "smirk_tail",
    ],
];

impl SurfaceGarch {
    /// The parameters of every series by the names that standard errors have.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        let series = self.variances.iter().zip(&self.laws).zip(NAMES);
        series.flat_map(|((variance, law), names)| {
            let [scale, persistence, reaction, asymmetry] = variance.to_array();
            let values = [scale, persistence, reaction, asymmetry, law.skew, law.tail];
            names.into_iter().zip(values)
        })
    }

    /// The correlations of the normal scores of all series.
    pub fn correlations(&self) -> [[f64; SERIES]; SERIES] {
        std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                self.root[i]
                    .iter()
                    .zip(&self.root[j])
                    .map(|(a, b)| a * b)
                    .sum()
            })
        })
    }
}

/// Estimates the dynamics in steps: mean equations by least squares, each variance by its Gaussian quasi-likelihood, each law by its
/// likelihood on the standardised innovations, and the copula by the correlations of their normal scores.
///
/// Means that are not stationary (a companion matrix whose powers grow) are replaced by those of each factor on itself alone, with a
/// coefficient of at most 0.999. The mean of returns is taken off, and not simulated: discounted spots are martingales.
///
/// Standard errors are by the inverse of the observed information of each step and the delta method; those of variances are too small where
/// innovations have heavy tails, and none knows of the steps before.
///
/// # Errors
/// [`Error::Input`] if a factor does not move, [`Error::Computation`] if a likelihood is nowhere finite.
pub fn estimate_surface_garch(past: &PastSurfaces) -> Result<SurfaceGarchEstimate> {
    let factors: Vec<[f64; 5]> = past.surfaces().iter().map(|s| s.to_array()).collect();
    let anchors: Vec<f64> = past.volatilities().map(|v| v * v / TRADING_DAYS).collect();
    let (means, stationary) = mean_equations(&factors)?;
    // Innovation t happens between days t + 1 and t + 2: the slope's mean needs the day before.
    let count = factors.len() - 2;
    let returns = &past.log_returns()[1..];
    let mean = returns.iter().sum::<f64>() / count as f64;
    let residuals = |series: usize| -> Vec<f64> {
        if series == 0 {
            return returns.iter().map(|r| r - mean).collect();
        }
        let factor = series - 1;
        let expected = |t: usize| expected(&means[factor], &factors[t + 1], factors[t][factor]);
        (0..count)
            .map(|t| factors[t + 2][factor] - expected(t))
            .collect()
    };
    let fitted = (0..SERIES)
        .into_par_iter()
        .map(|series| {
            let anchor = |t: usize| if series < 2 { anchors[t] } else { 1.0 };
            let anchors: Vec<f64> = (1..factors.len()).map(anchor).collect();
            Fitted::new(series, &residuals(series), &anchors)
        })
        .collect::<Result<Vec<Fitted>>>()?;
    let scores: Vec<Vec<f64>> = fitted
        .iter()
        .map(|one| normal_scores(&one.innovations))
        .collect();
    let correlation = |i: usize, j: usize| {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let own = product(&scores[i], &scores[i]) * product(&scores[j], &scores[j]);
        product(&scores[i], &scores[j]) / own.sqrt()
    };
    let correlations = Mat::from_fn(SERIES, SERIES, correlation);
    let root = correlations.llt(Side::Lower).map_err(|_| {
        Error::input("the innovations of returns and factors must not depend on each other")
    })?;
    let lower = root.L();
    let innovations: Vec<NormalQuantiles> = fitted
        .par_iter()
        .map(|one| NormalQuantiles::new(one.law))
        .collect();
    let starts = (0..=count).map(|t| GarchStart {
        factors: factors[t + 1],
        slope_before: factors[t][1],
        variances: std::array::from_fn(|series| fitted[series].path[t]),
    });
    let dynamics = SurfaceGarch {
        means,
        variances: std::array::from_fn(|series| fitted[series].variance),
        laws: std::array::from_fn(|series| fitted[series].law),
        cumulants: Cumulants::new(innovations[0].weighted()),
        innovations,
        root: std::array::from_fn(|i| {
            std::array::from_fn(|j| if j <= i { lower[(i, j)] } else { 0.0 })
        }),
        most: std::array::from_fn(|series| {
            let path = &fitted[series].path;
            100.0 * path.iter().sum::<f64>() / path.len() as f64
        }),
        starts: starts.collect(),
        stationary,
    };
    let errors = fitted.iter().flat_map(|one| one.errors.iter().copied());
    Ok(SurfaceGarchEstimate {
        dynamics,
        at_bound: fitted.iter().flat_map(|one| one.at_bound.clone()).collect(),
        standard_errors: StandardErrors::new(errors),
        log_likelihood: fitted.iter().map(|one| one.log_likelihood).sum(),
    })
}

/// One series as estimated.
struct Fitted {
    variance: GarchVariance,
    law: NormalInverseGaussian,
    /// ε
    innovations: Vec<f64>,
    /// The variance of every innovation, and that of the next one.
    path: Vec<f64>,
    at_bound: Vec<&'static str>,
    errors: Vec<(&'static str, Option<f64>)>,
    log_likelihood: f64,
}

impl Fitted {
    /// Of `residuals`, and what variances are anchored on at the beginning of each and after the last.
    fn new(series: usize, residuals: &[f64], anchors: &[f64]) -> Result<Self> {
        let names = NAMES[series];
        let n = residuals.len() as f64;
        let square = residuals.iter().map(|u| u * u).sum::<f64>() / n;
        let anchored = anchors[..residuals.len()].iter().sum::<f64>() / n;
        if square.is_nan() || square <= 1e-18 {
            let name = names[0].trim_end_matches("_scale");
            return Err(Error::input(format!(
                "the {name} must move from day to day"
            )));
        }
        let centre = (square / anchored).ln();
        let log_likelihood = |x: &[f64; 4]| {
            let garch = GarchVariance::at(x);
            let mut variance = garch.scale * anchors[0];
            let mut sum = 0.0;
            // The logarithm of a product is taken of many variances at once.
            let mut product = 1.0;
            for (t, u) in residuals.iter().enumerate() {
                let innovation = u / variance.sqrt();
                sum += innovation * innovation;
                product *= variance / square;
                if t % 16 == 15 {
                    sum += product.ln();
                    product = 1.0;
                }
                // The first anchor is that of the first innovation, whose variance is known.
                variance = garch.next(variance, innovation, anchors[t + 1]);
            }
            -0.5 * (sum + product.ln() + n * (square.ln() + std::f64::consts::TAU.ln()))
        };
        let bounds = [
            Bound {
                low: centre - 3.0,
                high: centre + 3.0,
            },
            Bound {
                low: logit(0.3),
                high: logit(0.9995),
            },
            Bound {
                low: -7.0,
                high: 7.0,
            },
            Bound {
                low: -8.0,
                high: 8.0,
            },
        ];
        let start = |asymmetry: f64| [centre, logit(0.95), logit(0.3), asymmetry];
        let starts = [start(-1.0), start(1.0)];
        let searched = Searched::new("the variances of a surface", log_likelihood, bounds, starts)?;
        let variance = GarchVariance::at(&searched.point);
        let mut path = vec![variance.scale * anchors[0]];
        let mut innovations = Vec::with_capacity(residuals.len());
        for (t, u) in residuals.iter().enumerate() {
            let innovation = u / path[t].sqrt();
            innovations.push(innovation);
            path.push(variance.next(path[t], innovation, anchors[t + 1]));
        }
        let mean = innovations.iter().sum::<f64>() / n;
        let spread = innovations.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / n;
        let standard: Vec<f64> = innovations
            .iter()
            .map(|e| (e - mean) / spread.sqrt())
            .collect();
        let law = NormalInverseGaussian::fit(&standard, [names[4], names[5]])?;
        let of_variance = [names[0], names[1], names[2], names[3]];
        let mut at_bound = searched.at_bound(of_variance);
        at_bound.extend(law.at_bound);
        let free = free(&bounds, &searched.point);
        let inverse = inverse_information(log_likelihood, &searched.point, &free);
        let error = |parameter: usize| {
            let inverse = inverse.as_ref()?;
            let slope = |coordinate: usize| {
                let at =
                    |by: f64| GarchVariance::at(&shifted(&searched.point, &[(coordinate, by)]));
                (at(STEP).to_array()[parameter] - at(-STEP).to_array()[parameter]) / (2.0 * STEP)
            };
            let slopes: Vec<f64> = free.iter().map(|coordinate| slope(*coordinate)).collect();
            let mut square = 0.0;
            for (i, a) in slopes.iter().enumerate() {
                for (j, b) in slopes.iter().enumerate() {
                    square += a * b * inverse[(i, j)];
                }
            }
            Some(square.sqrt())
        };
        let errors = (0..4).map(|parameter| (of_variance[parameter], error(parameter)));
        Ok(Self {
            variance,
            law: law.law,
            innovations,
            path,
            at_bound,
            errors: errors.chain(law.errors).collect(),
            log_likelihood: searched.log_likelihood,
        })
    }
}
