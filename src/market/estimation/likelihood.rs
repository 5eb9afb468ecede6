//! What searches for a greatest likelihood share.

use super::simplex::minimise;
use crate::error::{Error, Result};
use faer::Mat;
use faer::Side;
use faer::linalg::solvers::DenseSolveCore;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Standard errors of the parameters that the returns identify, by name: a parameter on a bound of its search has none,
/// nor has one in whose direction the likelihood has no strict maximum.
///
/// Those of the others suppose that the parameters on a bound are known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StandardErrors(Vec<(&'static str, Option<f64>)>);

impl StandardErrors {
    /// Of parameters in their order; what is not finite and above 0 is none.
    pub(super) fn new(errors: impl IntoIterator<Item = (&'static str, Option<f64>)>) -> Self {
        let known = |error: &f64| error.is_finite() && *error > 0.0;
        let errors = errors.into_iter();
        Self(
            errors
                .map(|(name, error)| (name, error.filter(known)))
                .collect(),
        )
    }

    /// That of the parameter `name`, if it has one.
    pub fn of(&self, name: &str) -> Option<f64> {
        self.known()
            .find_map(|(known, error)| (known == name).then_some(error))
    }

    /// Those there are.
    pub fn known(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let pairs = self.0.iter();
        pairs.filter_map(|(name, error)| error.map(|error| (*name, error)))
    }

    /// Names of the parameters that have none.
    pub fn unknown(&self) -> impl Iterator<Item = &'static str> {
        let pairs = self.0.iter();
        pairs.filter_map(|(name, error)| error.is_none().then_some(*name))
    }
}

impl Serialize for StandardErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, error) in self.known() {
            map.serialize_entry(name, &error)?;
        }
        map.end()
    }
}

/// Where a coordinate is searched.
#[derive(Clone, Copy)]
pub struct Bound {
    pub low: f64,
    pub high: f64,
}

impl Bound {
    pub fn contains(self, x: f64) -> bool {
        x >= self.low && x <= self.high
    }

    /// Into the bound and off its edge, where a simplex has room.
    pub fn clamp(self, x: f64) -> f64 {
        x.clamp(self.low + 0.1, self.high - 0.1)
    }

    pub fn touches(self, x: f64) -> bool {
        (x - self.low).min(self.high - x) < 0.01
    }
}

/// Steps of finite differences.
pub const STEP: f64 = 1e-3;

/// `x` with some coordinates moved.
pub fn shifted<const N: usize>(x: &[f64; N], moves: &[(usize, f64)]) -> [f64; N] {
    let mut point = *x;
    for (i, step) in moves {
        point[*i] += step;
    }
    point
}

/// The coordinates of `x` that are not on their bound.
pub fn free<const N: usize>(bounds: &[Bound; N], x: &[f64; N]) -> Vec<usize> {
    (0..N).filter(|&i| !bounds[i].touches(x[i])).collect()
}

/// The inverse of the observed information of the coordinates `free` at `x`, the others held; none where the likelihood
/// has no strict maximum in them.
pub fn inverse_information<const N: usize>(
    log_likelihood: impl Fn(&[f64; N]) -> f64,
    x: &[f64; N],
    free: &[usize],
) -> Option<Mat<f64>> {
    let whole = information(log_likelihood, x, free);
    Some(whole.llt(Side::Lower).ok()?.inverse())
}

/// Minus the Hessian of `log_likelihood` in the coordinates `free`, by central differences.
fn information<const N: usize>(
    log_likelihood: impl Fn(&[f64; N]) -> f64,
    x: &[f64; N],
    free: &[usize],
) -> Mat<f64> {
    let centre = log_likelihood(x);
    let curvature = |i: usize, j: usize| {
        let at = |a: f64, b: f64| log_likelihood(&shifted(x, &[(i, a), (j, b)]));
        if i == j {
            (at(STEP, 0.0) - 2.0 * centre + at(-STEP, 0.0)) / (STEP * STEP)
        } else {
            (at(STEP, STEP) - at(STEP, -STEP) - at(-STEP, STEP) + at(-STEP, -STEP))
                / (4.0 * STEP * STEP)
        }
    };
    Mat::from_fn(free.len(), free.len(), |i, j| {
        -curvature(free[i.max(j)], free[i.min(j)])
    })
}

/// Parameters under which independent returns are likeliest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LikelihoodEstimate<P> {
    /// The parameters that make the returns likeliest.
    pub parameters: P,
    /// The standard errors of the parameters.
    pub standard_errors: StandardErrors,
    /// The drift μ of the spot, E[dS/S]/dt, per year.
    pub drift: f64,
    /// The logarithm of the likelihood at its greatest.
    pub log_likelihood: f64,
    /// The same of geometric Brownian motion on the same returns.
    pub log_likelihood_without_jumps: f64,
    /// Parameters that ended on a bound of the search: the returns do not pin them down.
    pub at_bound: Vec<&'static str>,
}

/// The place of the greatest likelihood that a search has found.
pub struct Searched<const N: usize> {
    /// The coordinates there.
    pub point: [f64; N],
    /// The logarithm of the likelihood there.
    pub log_likelihood: f64,
    bounds: [Bound; N],
}

impl<const N: usize> Searched<N> {
    /// Searches within `bounds` by the method of Nelder and Mead from every start, coarsely and then finely.
    ///
    /// # Errors
    /// [`Error::Computation`] with the name of the model if the likelihood is nowhere finite.
    pub fn new(
        model: &str,
        log_likelihood: impl Fn(&[f64; N]) -> f64,
        bounds: [Bound; N],
        starts: impl IntoIterator<Item = [f64; N]>,
    ) -> Result<Self> {
        let objective = |x: &[f64; N]| {
            let inside = bounds.iter().zip(x).all(|(b, x)| b.contains(*x));
            if inside {
                -log_likelihood(x)
            } else {
                f64::INFINITY
            }
        };
        let search = |start: [f64; N]| {
            let coarse = minimise(objective, start, 0.4, 1e-3, 120 * N);
            minimise(objective, coarse.0, 0.1, 1e-6, 300 * N)
        };
        let found = starts.into_iter().map(search);
        let (point, value) = found
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .filter(|(_, value)| value.is_finite())
            .ok_or_else(|| {
                Error::Computation(format!("the likelihood of {model} is nowhere finite"))
            })?;
        Ok(Self {
            point,
            log_likelihood: -value,
            bounds,
        })
    }

    /// The coordinates that ended on a bound.
    pub fn at_bound(&self, names: [&'static str; N]) -> Vec<&'static str> {
        let pairs = names.into_iter().zip(self.bounds).zip(self.point);
        pairs
            .filter_map(|((name, bound), x)| bound.touches(x).then_some(name))
            .collect()
    }

    /// Standard errors by the inverse of the observed information and the derivative of every parameter in its coordinate, of all but the first
    /// one: the drift, which is stated for the whole process.
    pub fn standard_errors(
        &self,
        log_likelihood: impl Fn(&[f64; N]) -> f64,
        names: [&'static str; N],
        slopes: [f64; N],
    ) -> StandardErrors {
        let free = free(&self.bounds, &self.point);
        let inverse = inverse_information(log_likelihood, &self.point, &free);
        let error = |i: usize| {
            let place = free.iter().position(|&j| j == i)?;
            let inverse = inverse.as_ref()?;
            Some(slopes[i] * inverse[(place, place)].sqrt())
        };
        StandardErrors::new((1..N).map(|i| (names[i], error(i))))
    }
}
