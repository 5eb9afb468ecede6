//! Minimisation without derivatives.

/// Minimises `f` from `start` by the method of Nelder and Mead with the standard coefficients
/// (reflection 1, expansion 2, contraction and shrinkage ½), until the simplex is smaller than
/// `tolerance` in every coordinate or `budget` evaluations are spent.
///
/// `f` may return infinity to bar a region; the start must not be barred.
///
/// # References
///
/// J. Nelder and R. Mead (1965), "A simplex method for function minimization"; J. Lagarias et al.
/// (1998), SIAM J. Optimization 9(1), section 2, for the order of the tests.
pub fn minimise<const N: usize>(
    f: impl Fn(&[f64; N]) -> f64,
    start: [f64; N],
    step: f64,
    tolerance: f64,
    budget: usize,
) -> ([f64; N], f64) {
    let mut simplex = vec![(start, f(&start))];
    for i in 0..N {
        let mut corner = start;
        corner[i] += step;
        simplex.push((corner, f(&corner)));
    }
    let mut spent = N + 1;
    while spent < budget {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        let best = simplex[0].0;
        let extent = simplex
            .iter()
            .flat_map(|(corner, _)| corner.iter().zip(&best).map(|(a, b)| (a - b).abs()))
            .fold(0.0, f64::max);
        if extent < tolerance {
            break;
        }
        let (worst, worst_value) = simplex[N];
        let mut centre = [0.0; N];
        for (corner, _) in &simplex[..N] {
            for i in 0..N {
                centre[i] += corner[i] / N as f64;
            }
        }
        let along = |t: f64| {
            let mut point = centre;
            for i in 0..N {
                point[i] += t * (worst[i] - centre[i]);
            }
            (point, f(&point))
        };
        let reflected = along(-1.0);
        spent += 1;
        let accepted = if reflected.1 < simplex[0].1 {
            spent += 1;
            let expanded = along(-2.0);
            Some(if expanded.1 < reflected.1 {
                expanded
            } else {
                reflected
            })
        } else if reflected.1 < simplex[N - 1].1 {
            Some(reflected)
        } else {
            spent += 1;
            let (t, bound) = if reflected.1 < worst_value {
                (-0.5, reflected.1)
            } else {
                (0.5, worst_value)
            };
            Some(along(t)).filter(|contracted| contracted.1 <= bound && contracted.1.is_finite())
        };
        match accepted {
            Some(corner) => simplex[N] = corner,
            None => {
                for (corner, value) in &mut simplex[1..] {
                    for i in 0..N {
                        corner[i] = 0.5 * (corner[i] + best[i]);
                    }
                    *value = f(corner);
                }
                spent += N;
            }
        }
    }
    simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
    simplex[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley in two dimensions and Powell's singular function in four, the examples
    /// of Nelder and Mead's paper; minima at (1, 1) and 0.
    #[test]
    fn classic_valleys() {
        let rosenbrock = |x: &[f64; 2]| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2);
        let (x, value) = minimise(rosenbrock, [-1.2, 1.0], 0.5, 1e-9, 2000);
        assert!((x[0] - 1.0).abs() < 1e-7 && (x[1] - 1.0).abs() < 1e-7);
        assert!(value < 1e-14);
        let powell = |x: &[f64; 4]| {
            (x[0] + 10.0 * x[1]).powi(2)
                + 5.0 * (x[2] - x[3]).powi(2)
                + (x[1] - 2.0 * x[2]).powi(4)
                + 10.0 * (x[0] - x[3]).powi(4)
        };
        let (_, value) = minimise(powell, [3.0, -1.0, 0.0, 1.0], 1.0, 1e-9, 4000);
        assert!(value < 1e-12, "{value:e}");
    }

    /// A barred region is never entered, and a minimum on its edge is found.
    #[test]
    fn infinity_is_a_wall() {
        let walled = |x: &[f64; 2]| {
            if x[0] < 0.25 {
                f64::INFINITY
            } else {
                x[0] * x[0] + x[1] * x[1]
            }
        };
        let (x, _) = minimise(walled, [1.0, 1.0], 0.5, 1e-10, 4000);
        assert!((x[0] - 0.25).abs() < 1e-4 && x[1].abs() < 1e-2, "{x:?}");
    }
}
