//! What searches for a greatest likelihood share.

use faer::Mat;

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

/// The observed information at `x`: minus the Hessian of `log_likelihood`, by central differences.
pub fn information<const N: usize>(
    log_likelihood: impl Fn(&[f64; N]) -> f64,
    x: &[f64; N],
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
    Mat::from_fn(N, N, |i, j| -curvature(i.max(j), i.min(j)))
}
