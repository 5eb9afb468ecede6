//! Prices under a volatility that is a function of spot and time, by finite differences.

/// Calls and puts of one strike and one expiry in every state of the spot on one date before, from the backward equation of
/// X = ln(S/F), the spot over its forward of the sale,
///
/// ```text
/// ∂u/∂t + ½σ²(x, t)(∂²u/∂x² − ∂u/∂x) = 0,   u(x, T) = (e^x − e^k)⁺
/// ```
///
/// by Crank and Nicolson's scheme on an equidistant grid with the strike half-way between two nodes, after four implicit half-steps that
/// smooth the kink (Rannacher). Between nodes the values have a cubic spline, so that two derivatives are continuous.
///
/// # References
/// M. Giles and R. Carter (2006), "Convergence analysis of Crank–Nicolson and Rannacher time-marching", Journal of Computational Finance
/// 9(4).
#[derive(Debug, Clone)]
pub struct BackwardCalls {
    /// The first node and the distance between nodes.
    first: f64,
    width: f64,
    /// u at the nodes and its second derivatives in the spline.
    values: Vec<f64>,
    curvatures: Vec<f64>,
    /// e^k
    strike: f64,
}

/// Nodes of the grid.
const NODES: usize = 600;
/// Steps of time.
const STEPS: usize = 160;

impl BackwardCalls {
    /// The calls struck at x = `log_strike` that expire at `expiry`, on the date `start`, where the standard deviation of X between is
    /// about `deviation` and `local_variance` is σ²(x, t).
    ///
    /// # Units
    /// Times in years since the sale.
    pub fn new(
        log_strike: f64,
        (start, expiry): (f64, f64),
        (deviation, reach): (f64, f64),
        local_variance: impl Fn(f64, f64) -> f64,
    ) -> Self {
        const DEVIATIONS: f64 = 7.0;
        let half = (DEVIATIONS * deviation).max(reach + 3.0 * deviation);
        let width = 2.0 * half / NODES as f64;
        let first = log_strike - width * (NODES as f64 / 2.0 - 0.5);
        let x: Vec<f64> = (0..NODES).map(|i| first + width * i as f64).collect();
        let strike = log_strike.exp();
        let mut values: Vec<f64> = x.iter().map(|x| (x.exp() - strike).max(0.0)).collect();
        let step = (expiry - start) / STEPS as f64;
        let mut scratch = Scratch::default();
        let mut time = expiry;
        for taken in 0..STEPS {
            // Rannacher: the first two steps by four implicit ones of half the length.
            let (parts, implicit) = if taken < 2 { (2, 1.0) } else { (1, 0.5) };
            let length = step / f64::from(parts);
            for _ in 0..parts {
                let middle = time - 0.5 * length;
                let variance = |i: usize| local_variance(x[i], middle);
                scratch.step(&mut values, variance, length, width, implicit);
                time -= length;
            }
        }
        Self {
            first,
            width,
            curvatures: scratch.spline(&values, width),
            values,
            strike,
        }
    }

    /// u and its first two derivatives at x; the intrinsic value outside of the grid.
    pub fn at(&self, x: f64) -> [f64; 3] {
        let place = (x - self.first) / self.width;
        if !(place >= 0.0 && place <= (NODES - 1) as f64) {
            return if x > self.first {
                [x.exp() - self.strike, x.exp(), x.exp()]
            } else {
                [0.0; 3]
            };
        }
        let i = (place as usize).min(NODES - 2);
        let (t, h) = (place - i as f64, self.width);
        let s = 1.0 - t;
        let (u0, u1) = (self.values[i], self.values[i + 1]);
        let (c0, c1) = (self.curvatures[i], self.curvatures[i + 1]);
        let value = s * u0 + t * u1 + h * h / 6.0 * ((s * s * s - s) * c0 + (t * t * t - t) * c1);
        let slope = (u1 - u0) / h + h / 6.0 * ((1.0 - 3.0 * s * s) * c0 + (3.0 * t * t - 1.0) * c1);
        [value, slope, s * c0 + t * c1]
    }
}

/// Rows of a tridiagonal system.
#[derive(Default)]
struct Scratch {
    upper: Vec<f64>,
    right: Vec<f64>,
}

impl Scratch {
    /// Solves rows (below, diagonal, above, right side) into `solution` by elimination (Thomas).
    fn solve(&mut self, row: impl Fn(usize) -> [f64; 4], solution: &mut [f64]) {
        let count = solution.len();
        self.upper.clear();
        self.right.clear();
        let (mut upper, mut right) = (0.0, 0.0);
        for i in 0..count {
            let [below, diagonal, above, side] = row(i);
            let pivot = diagonal - below * upper;
            (upper, right) = (above / pivot, (side - below * right) / pivot);
            self.upper.push(upper);
            self.right.push(right);
        }
        let mut after = 0.0;
        for i in (0..count).rev() {
            after = self.right[i] - self.upper[i] * after;
            solution[i] = after;
        }
    }

    /// One step backward in time; the ends keep their values, since the martingale e^x solves the equation and 0 does.
    fn step(
        &mut self,
        values: &mut [f64],
        variance: impl Fn(usize) -> f64,
        length: f64,
        width: f64,
        implicit: f64,
    ) {
        let now = values.to_vec();
        let last = now.len() - 1;
        // e^x solves the discrete equation as well: the first derivative has the weight of the scheme's own second one.
        let (up, down) = (width.exp() - 1.0, (-width).exp() - 1.0);
        let row = |i: usize| {
            if i == 0 || i == last {
                return [0.0, 1.0, 0.0, now[i]];
            }
            let diffusion = 0.5 * variance(i) * length / (width * width);
            // (u₊ − 2u + u₋) − θ (u₊ − u₋) is 0 for u = e^x.
            let tilt = (up + down) / (up - down);
            let (above, below) = (diffusion * (1.0 - tilt), diffusion * (1.0 + tilt));
            let change = above * (now[i + 1] - now[i]) + below * (now[i - 1] - now[i]);
            [
                -implicit * below,
                1.0 + implicit * (above + below),
                -implicit * above,
                now[i] + (1.0 - implicit) * change,
            ]
        };
        self.solve(row, values);
    }

    /// The second derivatives of the cubic spline through values at equal distances that has those of differences at its ends.
    fn spline(&mut self, values: &[f64], width: f64) -> Vec<f64> {
        let last = values.len() - 1;
        let second = |i: usize| (values[i + 1] - 2.0 * values[i] + values[i - 1]) / (width * width);
        let row = |i: usize| match i {
            0 => [0.0, 1.0, 0.0, second(1)],
            i if i == last => [0.0, 1.0, 0.0, second(last - 1)],
            i => [1.0, 4.0, 1.0, 6.0 * second(i)],
        };
        let mut curvatures = vec![0.0; values.len()];
        self.solve(row, &mut curvatures);
        curvatures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::OptionKind;
    use crate::pricing::BlackScholes;

    /// With a constant volatility the solution is Black and Scholes' price, delta and gamma, to 2·10⁻⁵ of the spot and a thousandth of the
    /// greatest gamma, in the middle and seven deviations out.
    #[test]
    fn a_constant_volatility_is_black_scholes() {
        let (volatility, expiry) = (0.2f64, 0.7f64);
        let deviation = volatility * expiry.sqrt();
        for log_strike in [-0.3, 0.0, 0.2] {
            let calls = BackwardCalls::new(log_strike, (0.1, 0.8), (deviation, 0.0), |_, _| 0.04);
            for x in [-0.9f64, -0.3, -0.05, 0.0, 0.1, 0.35, 0.9] {
                let option = BlackScholes {
                    kind: OptionKind::Call,
                    spot: x.exp(),
                    strike: log_strike.exp(),
                    expiry,
                    rate: 0.0,
                    dividend: 0.0,
                    volatility,
                };
                let [value, slope, curvature] = calls.at(x);
                assert!(
                    (value - option.price()).abs() < 2e-5,
                    "{log_strike} {x}: {value}"
                );
                let delta = slope / x.exp();
                assert!(
                    (delta - option.delta()).abs() < 2e-4,
                    "{log_strike} {x}: {delta}"
                );
                let gamma = (curvature - slope) / (2.0 * x).exp();
                assert!(
                    (gamma - option.gamma()).abs() < 3e-3,
                    "{log_strike} {x}: {gamma}"
                );
            }
        }
    }
}
