//! What searches for a greatest likelihood share.

use faer::Mat;
use faer::Side;
use faer::linalg::solvers::DenseSolveCore;
use serde::ser::{Serialize, SerializeMap, Serializer};

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
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
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
