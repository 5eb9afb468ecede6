//! The regression by which P&L is foreseen.

use crate::error::Result;
use crate::linalg;
use crate::optimizer::{State, Stateful};
use crate::simd::{BLOCK, Kernel, Lane, Packed, add_gram, dispatch};
use faer::Mat;
use std::ops::Range;

/// A ridge regression of P&L on K functionals of paths, in which what was seen k steps ago counts β^k.
///
/// With F the rows seen and z their P&L, the coefficients are c = (FᵀF + ρ diag FᵀF)⁻¹Fᵀz, and a path with functionals f has the distance
/// h = fᵀ(FᵀF/n + ρ diag FᵀF/n)⁻¹f/K from those seen, about 1 on average over them. The variance of the error of cᵀf is θ₀ + θ₁h, where
/// θ ≥ 0 are the coefficients of a regression of squared errors, each made before its path was learnt, on 1 and h with weights (1 + h)⁻²:
/// for a linear model it is σ²(1 + hK/n), and where the model is none, what errors have been found to be away from the usual paths.
#[derive(Debug)]
pub struct Ridge {
    /// (K + 1) × (K + 1): FᵀF, and in the last row zᵀF and zᵀz.
    moments: Mat<f64>,
    /// The discounted number of rows.
    count: f64,
    /// Discounted sums of u, uh, uh², ue² and uhe² over squared errors e², u = (1 + h)⁻².
    errors: [f64; 5],
    /// Of the moments, once there are enough.
    fitted: Option<Fitted>,
}

/// β
const KEPT: f64 = 0.95;
/// ρ
const RIDGE: f64 = 1e-4;
/// Rows for every functional before anything is foreseen.
const ROWS: f64 = 4.0;
/// The largest distance from the paths seen that counts.
const FARTHEST: f64 = 1e3;

/// What a regression makes of functionals.
#[derive(Debug, Clone)]
struct Fitted {
    /// R with |Rf|² = h, and the coefficients as the last row.
    map: Packed<f32>,
    /// θ
    error: [f64; 2],
    /// The share of the variance of what was learnt that is explained.
    explained: f64,
}

/// P&L that is foreseen: its mean, the distance of the path, and the variance of the error.
#[derive(Debug, Clone, Copy)]
pub struct Forecast {
    /// cᵀf, in units of money.
    pub mean: Lane<f64>,
    /// h
    pub distance: Lane<f64>,
    /// θ₀ + θ₁h, in squared units of money.
    pub variance: Lane<f64>,
}

impl Ridge {
    /// The regression on `functionals` numbers of a path before anything is seen.
    pub fn new(functionals: usize) -> Self {
        Self {
            moments: Mat::zeros(functionals + 1, functionals + 1),
            count: 0.0,
            errors: [0.0; 5],
            fitted: None,
        }
    }

    fn functionals(&self) -> usize {
        self.moments.nrows() - 1
    }

    /// The sizes of what [`Self::add`] adds to.
    pub fn sizes(&self) -> Vec<usize> {
        vec![
            self.moments.nrows() * self.moments.ncols(),
            self.errors.len(),
        ]
    }

    /// Adds what is learnt of blocks to `totals`; of each there are `active` paths, their functionals and, as the last row, their P&L, all 0
    /// in lanes that do not count.
    pub fn add(
        &self,
        rows: &[&[Lane<f32>]],
        active: impl Fn(usize) -> usize,
        totals: &mut [Vec<f64>],
    ) {
        for (block, rows) in rows.iter().enumerate() {
            let (pnl, functionals) = rows.split_last().expect("the row of P&L");
            let Some(forecast) = self.forecast(functionals) else {
                continue;
            };
            for lane in 0..active(block) {
                let h = forecast.distance[lane];
                let square = (f64::from(pnl[lane]) - forecast.mean[lane]).powi(2);
                let u = (1.0 + h).powi(-2);
                let terms = [u, u * h, u * h * h, u * square, u * h * square];
                for (sum, term) in totals[1].iter_mut().zip(terms) {
                    *sum += term;
                }
            }
        }
        dispatch(Gram {
            rows,
            total: &mut totals[0],
        });
    }

    /// Learns what [`Self::add`] has summed over `count` paths.
    ///
    /// # Errors
    /// If it is not finite.
    pub fn learn(&mut self, totals: &[Vec<f64>], count: usize) -> Result<()> {
        let size = self.moments.nrows();
        self.moments = Mat::from_fn(size, size, |row, column| {
            let (row, column) = (row.max(column), row.min(column));
            KEPT * self.moments[(row, column)] + totals[0][row * size + column]
        });
        self.count = KEPT * self.count + count as f64;
        for (sum, new) in self.errors.iter_mut().zip(&totals[1]) {
            *sum = KEPT * *sum + new;
        }
        self.fit()
    }

    /// The share of the variance of P&L that forecasts explain, of what was learnt; nothing before there are any.
    pub fn explained(&self) -> Option<f64> {
        self.fitted.as_ref().map(|fitted| fitted.explained)
    }

    /// Makes what forecasts need of the moments.
    fn fit(&mut self) -> Result<()> {
        let k = self.functionals();
        self.fitted = None;
        if self.count < ROWS * k as f64 {
            return Ok(());
        }
        let right = Mat::from_fn(k, 1, |column, _| self.moments[(k, column)]);
        let matrix = self.moments.as_ref().submatrix(0, 0, k, k).to_owned();
        let root = linalg::inverse_factor(&matrix, RIDGE)?;
        let coefficients = root.transpose() * (&root * &right);
        let share = (self.count / k as f64).sqrt();
        let map = Packed::new(k + 1, k, |row, column| match row < k {
            true => share * root[(row, column)],
            false => coefficients[(column, 0)],
        });
        let fit: f64 = (0..k).map(|i| coefficients[(i, 0)] * right[(i, 0)]).sum();
        let inside = (self.moments[(k, k)] - fit).max(0.0) / self.count;
        // The first functional is 1.
        let mean = self.moments[(k, 0)] / self.count;
        let variance = self.moments[(k, k)] / self.count - mean * mean;
        self.fitted = Some(Fitted {
            map,
            error: self.error_variance().unwrap_or([inside, 0.0]),
            explained: 1.0 - inside / variance.max(f64::MIN_POSITIVE),
        });
        Ok(())
    }

    /// θ, where errors are known.
    fn error_variance(&self) -> Option<[f64; 2]> {
        let [one, h, hh, e, he] = self.errors;
        if one <= 0.0 {
            return None;
        }
        let determinant = one * hh - h * h;
        let (flat, steep) = match determinant > 1e-12 * one * hh {
            true => (
                (hh * e - h * he) / determinant,
                (one * he - h * e) / determinant,
            ),
            false => (e / one, 0.0),
        };
        // Where one of both would be below 0, the other alone.
        Some(match (flat >= 0.0, steep >= 0.0) {
            (true, true) => [flat, steep],
            (true, false) => [e / one, 0.0],
            (false, _) => [0.0, he / hh],
        })
    }

    /// What a block with these functionals is expected to come to; nothing before enough was seen.
    pub fn forecast(&self, functionals: &[Lane<f32>]) -> Option<Forecast> {
        let fitted = self.fitted.as_ref()?;
        Some(dispatch(Foresee {
            fitted,
            functionals,
            rows: vec![[0.0; BLOCK]; functionals.len() + 1],
        }))
    }
}

impl Stateful for Ridge {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("moments", &mut self.moments)?;
        state.field("count", &mut self.count)?;
        for (place, sum) in self.errors.iter_mut().enumerate() {
            state.field(&format!("errors.{place}"), sum)?;
        }
        self.fit()
    }
}

/// [`Ridge::add`]
struct Gram<'a> {
    rows: &'a [&'a [Lane<f32>]],
    total: &'a mut [f64],
}

impl Kernel for Gram<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let rows = self.rows;
        let steps: Range<usize> = 0..rows.len();
        add_gram::<f32, FMA, ROWS>(steps, |block| rows[block], self.total);
    }
}

/// [`Ridge::forecast`]
struct Foresee<'a> {
    fitted: &'a Fitted,
    functionals: &'a [Lane<f32>],
    rows: Vec<Lane<f32>>,
}

impl Kernel for Foresee<'_> {
    type Output = Forecast;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(mut self) -> Forecast {
        let map = &self.fitted.map;
        map.multiply::<FMA, ROWS>(0, self.functionals, &mut self.rows);
        let (mean, roots) = self.rows.split_last().expect("the coefficients' row");
        let mut squares = [0.0_f32; BLOCK];
        for row in roots {
            for lane in 0..BLOCK {
                squares[lane] += row[lane] * row[lane];
            }
        }
        let [flat, steep] = self.fitted.error;
        let distance = squares.map(|square| f64::from(square).min(FARTHEST));
        Forecast {
            mean: mean.map(f64::from),
            variance: distance.map(|h| flat + steep * h),
            distance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};
    use crate::simd::Normal;

    const K: usize = 5;

    /// A block of functionals, of which the first is 1 and the others are standard normal, and their P&L: linear but for an error whose deviation
    /// is `error` times a normal number.
    fn rows(number: u64, error: impl Fn(&[f64]) -> f64) -> Vec<Lane<f32>> {
        let stream = Stream::new(9, Purpose::Evaluation);
        let words: Vec<Lane<u32>> = (0..2).flat_map(|draw| stream.draw(number, draw)).collect();
        let normal = |word: &Lane<u32>| word.map(|b| Normal::<f64>::from_bits::<false>(b).quantile);
        let normals: Vec<Lane<f64>> = words.iter().map(normal).collect();
        let mut rows = vec![[1.0_f32; BLOCK]; K + 1];
        for lane in 0..BLOCK {
            let own: Vec<f64> = (0..K - 1).map(|i| normals[i][lane]).collect();
            let mut pnl = -0.4;
            for (i, x) in own.iter().enumerate() {
                rows[i + 1][lane] = *x as f32;
                pnl += COEFFICIENTS[i] * x;
            }
            rows[K][lane] = (pnl + error(&own) * normals[K][lane]) as f32;
        }
        rows
    }

    const COEFFICIENTS: [f64; K - 1] = [0.5, -1.25, 0.0, 2.0];

    fn learnt(steps: u64, error: impl Fn(&[f64]) -> f64) -> Ridge {
        let mut ridge = Ridge::new(K);
        for step in 0..steps {
            let blocks: Vec<_> = (0..8).map(|block| rows(8 * step + block, &error)).collect();
            let blocks: Vec<&[Lane<f32>]> = blocks.iter().map(Vec::as_slice).collect();
            let mut totals: Vec<Vec<f64>> = ridge.sizes().iter().map(|n| vec![0.0; *n]).collect();
            ridge.add(&blocks, |_| BLOCK, &mut totals);
            ridge.learn(&totals, 8 * BLOCK).unwrap();
        }
        ridge
    }

    /// What is linear is foreseen up to the ridge, the variance of errors is that of the noise, and the mean distance of paths is 1. Nothing is
    /// foreseen before anything was learnt.
    #[test]
    fn linear_pnl_is_foreseen() {
        assert!(Ridge::new(K).forecast(&rows(0, |_| 0.0)[..K]).is_none());
        let ridge = learnt(60, |_| 0.3);
        let mut distances = Vec::new();
        for block in 10_000..10_050 {
            let rows = rows(block, |_| 0.0);
            let found = ridge.forecast(&rows[..K]).unwrap();
            for lane in 0..BLOCK {
                let error = found.mean[lane] - f64::from(rows[K][lane]);
                // Five standard errors of a regression on 20 × 256 paths at the distance of the path.
                let bound = 5.0 * 0.3 * (found.distance[lane] * K as f64 / 5_120.0).sqrt() + 1e-3;
                assert!(error.abs() < bound, "{error} {bound}");
                assert!((found.variance[lane] / 0.09 - 1.0).abs() < 0.4);
            }
            distances.extend_from_slice(&found.distance);
        }
        let mean = distances.iter().sum::<f64>() / distances.len() as f64;
        assert!((mean - 1.0).abs() < 0.1, "{mean}");
        let explained = ridge.explained().unwrap();
        let variance: f64 = COEFFICIENTS.iter().map(|c| c * c).sum();
        assert!(
            (explained - variance / (variance + 0.09)).abs() < 0.005,
            "{explained}"
        );
    }

    /// Where errors grow away from the usual paths, their variance does so too.
    #[test]
    fn errors_away_from_usual_paths_are_known() {
        let error = |own: &[f64]| 0.1 + 0.2 * own.iter().map(|x| x * x).sum::<f64>();
        let ridge = learnt(80, error);
        let at = |x: f32| {
            let mut rows = vec![[x; BLOCK]; K];
            rows[0] = [1.0; BLOCK];
            ridge.forecast(&rows).unwrap()
        };
        let (near, far) = (at(0.1), at(2.0));
        assert!(far.distance[0] > 5.0 * near.distance[0]);
        assert!(far.variance[0] > 3.0 * near.variance[0], "{near:?} {far:?}");
    }
}
