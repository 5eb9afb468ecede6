use super::curvature::{ControlSettings, Curvature, Metric, MetricInverse};
use super::{Build, Empty, Family, Optimizer, Settings, State, Stateful};
use crate::bounds::check;
use crate::distributed::{Spread, Workers};
use crate::error::{Error, Result};
use crate::linalg::paired;
use crate::network::{PathDerivatives, Record};
use crate::simd::{BLOCK, Real};
use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, MatRef, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of exact Gauss–Newton.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GaussNewtonSettings {
    /// What all curvature methods share: damping, length of steps, renewals.
    #[serde(flatten)]
    pub control: ControlSettings,
}

impl Default for GaussNewtonSettings {
    fn default() -> Self {
        Self {
            control: ControlSettings {
                damping: 0.3,
                ..ControlSettings::default()
            },
        }
    }
}

/// Most paths of curvature: their inner products take paths² numbers, and paths³/3 operations to factor.
pub const MOST_PATHS: usize = 1024;

impl Settings for GaussNewtonSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        let paths = self.control.curvature_paths;
        check(
            &key("curvature_paths"),
            paths as f64,
            paths <= MOST_PATHS,
            &format!("at most {MOST_PATHS}"),
        )?;
        self.control.check(key)
    }
}

impl Build for GaussNewtonSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Curvature::new(self.control, GaussNewtonMetric::default()))
    }

    fn family(&self) -> Family {
        Family::Curvature
    }
}

/// The exact damped metric of a record, λ I + (1/n) Σ_b J_b J_bᵀ over all maps together, inverted by Woodbury's
/// identity.
///
/// With J the `[n, P]` matrix of rows J_b,
///
/// (λ I + JᵀJ/n)⁻¹ z = (z − Jᵀ (n λ I + J Jᵀ)⁻¹ J z)/λ,
///
/// which needs one Cholesky factor of size n however many parameters P there are.
///
/// # References
/// Woodbury (1950), "Inverting modified matrices"; Golub and Van Loan (2013), "Matrix computations", section 2.1.4, for the
/// identity; Schraudolph (2002), "Fast curvature matrix-vector products for second-order gradient descent", for the
/// metric, here with the risk's curvature c (1/n) diag(h) in the place of the loss's, of which c is left to the step's length.
///
/// # Shapes
/// Maps of shapes `[d_G, d_A]` have P = Σ d_G d_A parameters together; J is `[n, P]`, J Jᵀ `[n, n]`.
#[derive(Debug, Clone)]
pub struct Woodbury {
    /// The derivatives J_b by map and block.
    derivatives: Vec<Vec<PathDerivatives>>,
    /// The lower triangle of J Jᵀ.
    products: Mat<f64>,
}

/// [`Woodbury`] with its damping.
#[derive(Debug, Clone)]
pub struct WoodburyInverse {
    metric: Woodbury,
    damping: f64,
    /// The Cholesky factor of n λ I + J Jᵀ.
    factor: Llt<f64>,
}

impl Woodbury {
    /// From a record whose gradients are scaled by √h.
    pub fn new<R: Real>(record: &Record<R>) -> Self {
        let derivatives: Vec<_> = (0..record.sizes().len())
            .map(|map| record.derivatives(map).gathered())
            .collect();
        let pairs: Vec<(usize, usize)> = (0..record.blocks())
            .flat_map(|row| (0..=row).map(move |column| (row, column)))
            .collect();
        // Every rank has all derivatives, and makes a part of the products.
        let tiles = Spread::in_runs(record.spread().ranks(), pairs.len(), 1);
        let tiles = tiles.collect(tiles.map(|pair| {
            let (row, column) = pairs[pair];
            derivatives
                .iter()
                .map(|blocks| blocks[row].stacked().transpose() * blocks[column].stacked())
                .reduce(|sum, product| sum + product)
                .expect("a network has a map at least")
        }));
        let mut products = Mat::zeros(record.paths(), record.paths());
        for ((row, column), tile) in pairs.into_iter().zip(tiles) {
            products
                .submatrix_mut(row * BLOCK, column * BLOCK, BLOCK, BLOCK)
                .copy_from(tile);
        }
        Self {
            derivatives,
            products,
        }
    }

    /// The inverse (λ I + JᵀJ/n)⁻¹ at damping λ, in squared units of money.
    ///
    /// # Errors
    /// If the Cholesky factor of n λ I + J Jᵀ fails.
    pub fn inverse(&self, damping: f64) -> Result<WoodburyInverse> {
        let mut system = self.products.clone();
        for path in 0..system.nrows() {
            system[(path, path)] += damping * system.nrows() as f64;
        }
        let factor = system.llt(Side::Lower).map_err(|error| {
            Error::Computation(format!(
                "Gauss–Newton metric at damping {damping}: {error:?}"
            ))
        })?;
        Ok(WoodburyInverse {
            metric: self.clone(),
            damping,
            factor,
        })
    }
}

impl WoodburyInverse {
    /// The solution (λ I + JᵀJ/n)⁻¹ z for a gradient z.
    ///
    /// # Panics
    /// If the gradient has not the maps of the record.
    pub fn times(&self, gradient: &[Mat<f64>]) -> Vec<Mat<f64>> {
        let Woodbury {
            derivatives,
            products,
        } = &self.metric;
        let mut moved = Mat::<f64>::zeros(products.nrows(), 1);
        for (blocks, gradient) in derivatives.iter().zip(gradient) {
            let stacked = stacked(gradient);
            for (block, derivatives) in blocks.iter().enumerate() {
                let change = derivatives.stacked().transpose() * &stacked;
                let mut moved = moved.subrows_mut(block * BLOCK, BLOCK);
                moved += change;
            }
        }
        let weights = self.factor.solve(&moved);
        paired(derivatives, gradient, |blocks, gradient| {
            let mut rest = stacked(gradient);
            for (block, derivatives) in blocks.iter().enumerate() {
                rest -= derivatives.stacked() * weights.subrows(block * BLOCK, BLOCK);
            }
            let (rows, columns) = gradient.shape();
            Mat::from_fn(rows, columns, |row, column| {
                rest[(column * rows + row, 0)] / self.damping
            })
        })
    }
}

/// vec Z, columns stacked.
fn stacked(gradient: &Mat<f64>) -> Mat<f64> {
    let rows = gradient.nrows();
    let gradient: MatRef<'_, f64> = gradient.as_ref();
    Mat::from_fn(rows * gradient.ncols(), 1, |i, _| {
        gradient[(i % rows, i / rows)]
    })
}

/// Exact Gauss–Newton on the paths of the last renewal.
///
/// A step of it can be no better than those paths: with fewer paths than parameters most directions are seen by none
/// of them and get the gradient over λ. So its damping is far larger than K-FAC's, whose factors average over many
/// batches. With `factor_period = 1` training diverged on the Heston call; there the paths that give the metric also
/// measure the step, which may make it too long on all others (not tested apart). Use it as a reference; K-FAC is better
/// at the same cost.
#[derive(Debug, Clone, Default)]
pub struct GaussNewtonMetric {
    metric: Option<Woodbury>,
}

impl Empty for Woodbury {
    fn empty() -> Self {
        Self {
            derivatives: Vec::new(),
            products: Mat::new(),
        }
    }
}

impl Stateful for Woodbury {
    fn state(&mut self, state: &mut State) -> Result<()> {
        let blocks = self.derivatives.iter();
        let mut rows: Vec<usize> = blocks.clone().map(|blocks| blocks[0].rows()).collect();
        let mut stacked: Vec<Vec<Mat<f64>>> = blocks
            .map(|blocks| blocks.iter().map(|j| j.stacked().to_owned()).collect())
            .collect();
        state.field("products", &mut self.products)?;
        state.field("rows", &mut rows)?;
        state.field("derivatives", &mut stacked)?;
        self.derivatives = rows
            .into_iter()
            .zip(&stacked)
            .map(|(rows, blocks)| {
                let block = |stacked| PathDerivatives::from_stacked(rows, stacked);
                blocks.iter().map(block).collect()
            })
            .collect();
        Ok(())
    }
}

impl Stateful for GaussNewtonMetric {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("metric", &mut self.metric)
    }
}

impl Metric for GaussNewtonMetric {
    type Inverse = WoodburyInverse;

    fn update(&mut self, record: &Record<f32>, _damping: f64) -> Result<f64> {
        self.metric = Some(Woodbury::new(record));
        Ok(0.0)
    }

    fn invert(&self, damping: f64, _workers: &Workers) -> Result<WoodburyInverse> {
        let metric = self.metric.as_ref();
        metric.expect("a record comes first").inverse(damping)
    }
}

impl MetricInverse for WoodburyInverse {
    fn solve(&self, gradient: &[Mat<f64>], _record: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>> {
        Ok(self.times(gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{inner, scaled};
    use crate::optimizer::dense::{dense_metric, inverse, random, record, relative, vec};
    use crate::optimizer::{Batch, Optimizer};
    use crate::risk::{CurvatureWeights, Measure, Risk};

    /// (λ I + JᵀJ/n)⁻¹ z
    fn solve<R: Real>(record: &Record<R>, damping: f64, gradient: &[Mat<f64>]) -> Vec<Mat<f64>> {
        Woodbury::new(record)
            .inverse(damping)
            .unwrap()
            .times(gradient)
    }

    /// vec of all maps, one under the other.
    fn joined(maps: &[Mat<f64>]) -> Mat<f64> {
        let entries: Vec<f64> = maps
            .iter()
            .flat_map(|m| vec(m).col(0).iter().copied().collect::<Vec<_>>())
            .collect();
        Mat::from_fn(entries.len(), 1, |i, _| entries[i])
    }

    /// vec J_b of all maps together, for every path.
    fn path_derivatives<R: Real>(record: &Record<R>) -> Vec<Mat<f64>> {
        let maps = record.sizes().len();
        let all = |path| (0..maps).map(move |map| record.path_derivative(map, path));
        (0..record.paths())
            .map(|path| joined(&all(path).collect::<Vec<_>>()))
            .collect()
    }

    fn mean_square(columns: &[Mat<f64>]) -> Mat<f64> {
        let size = columns[0].nrows();
        let share = 1.0 / columns.len() as f64;
        columns.iter().fold(Mat::zeros(size, size), |sum, j| {
            sum + faer::Scale(share) * (j * j.transpose())
        })
    }

    /// A step in the centred metric has the direction (F − J̄J̄ᵀ + λ)⁻¹g of the dense one, for weights h of any size; in the
    /// plain metric it has not.
    #[test]
    fn centred_steps_have_the_direction_of_the_dense_metric() {
        // Derivatives whose mean is not small beside their spread.
        let mut record = Record::<f32>::from_fn(64, 1, |path, _| {
            let noise = random(4, 1, 50 + path as u64);
            let a = vec![noise[(0, 0)], noise[(1, 0)], 1.0];
            (
                a,
                vec![1.0 + 0.8 * noise[(2, 0)], 0.5 + 0.8 * noise[(3, 0)]],
            )
        });
        let paths = record.paths();
        let h = |path: usize| 2.0 * (path + 1) as f64 / (paths + 1) as f64;
        record.scale(&(0..paths).map(|b| h(b).sqrt()).collect::<Vec<_>>());
        let columns = path_derivatives(&record);
        let size = columns[0].nrows();
        let mean = columns
            .iter()
            .enumerate()
            .fold(Mat::<f64>::zeros(size, 1), |sum, (path, j)| {
                sum + faer::Scale(h(path).sqrt() / paths as f64) * j
            });
        let damping = 0.1;
        let dense = mean_square(&columns) - &mean * mean.transpose()
            + faer::Scale(damping) * Mat::<f64>::identity(size, size);
        let sizes = record.sizes().into_iter();
        let gradient: Vec<Mat<f64>> = sizes
            .map(|(rows, columns)| random(rows, columns, 3))
            .collect();
        let expected = faer::Scale(-1.0) * inverse(&dense) * joined(&gradient);
        let direction = |centred: bool| {
            let control = ControlSettings {
                centred,
                damping,
                start_steps: 0,
                weight_decay: 0.0,
                ..ControlSettings::default()
            };
            let mut optimizer = Curvature::new(control, GaussNewtonMetric::default());
            let batch = Batch {
                gradient: &gradient,
                parameters: &gradient,
                record: Some(&record),
                curvature: 1.0,
                steepest: f64::INFINITY,
                workers: &Workers::alone(),
                step: 0,
                progress: 0.0,
            };
            let change = joined(&optimizer.propose(&batch).unwrap().change);
            let length = expected.norm_l2() / change.norm_l2();
            relative(&(faer::Scale(length) * change), &expected)
        };
        assert!(direction(true) < 1e-4, "{}", direction(true));
        assert!(direction(false) > 5e-2, "{}", direction(false));
    }

    /// Identity 16: Woodbury's identity is the dense inverse, over all maps together, with more paths than parameters
    /// (64 and 51) and for any damping.
    #[test]
    fn woodbury_is_the_dense_inverse() {
        let record = record::<f64>(5);
        let dense = mean_square(&path_derivatives(&record));
        let size = dense.nrows();
        let gradient: Vec<Mat<f64>> = record
            .sizes()
            .into_iter()
            .map(|(rows, columns)| random(rows, columns, 3))
            .collect();
        for damping in [1e-4, 1e-1, 10.0] {
            let damped = &dense + faer::Scale(damping) * Mat::<f64>::identity(size, size);
            let expected = inverse(&damped) * joined(&gradient);
            let found = joined(&solve(&record, damping, &gradient));
            let error = relative(&found, &expected);
            assert!(error < 1e-8, "{error:e} at {damping}");
        }
    }

    /// A policy linear in its parameters, δ_t = W a_t, on antithetic gains: path b + 32 has path b's inputs and
    /// opposite gains, so that Σ_b J_b = 0.
    fn linear_policy(inputs: impl Fn(usize, usize) -> Mat<f64>) -> Record<f64> {
        Record::from_fn(64, 3, |path, t| {
            let a = inputs(path % 32, t);
            let gain = random(1, 1, 900 + 3 * (path % 32) as u64 + t as u64)[(0, 0)];
            let sign = if path < 32 { 1.0 } else { -1.0 };
            let a = (0..a.nrows()).map(|i| a[(i, 0)]).collect();
            (a, vec![sign * gain])
        })
    }

    /// [random; 1]
    fn plain_inputs(path: usize, t: usize) -> Mat<f64> {
        let x = random(4, 1, 40 * path as u64 + t as u64);
        Mat::from_fn(5, 1, |i, _| if i < 4 { x[(i, 0)] } else { 1.0 })
    }

    /// P&L at W: linear, hence exact.
    fn pnl(record: &Record<f64>, weights: &[Mat<f64>]) -> Vec<f64> {
        let moved = record.directional(weights);
        let payoff = |path: usize| 5.0 * random(1, 1, 7000 + path as u64)[(0, 0)];
        moved
            .iter()
            .enumerate()
            .map(|(path, z)| z - payoff(path))
            .collect()
    }

    /// Identity 10: where P&L is piecewise linear in the parameters the Gauss–Newton block is the Hessian block. Here
    /// it is linear and the risk is mean–variance, whose Hessian is λ Cov J; with Σ_b J_b = 0 that is c times the
    /// metric. Against second differences of the risk, which are exact for a quadratic function.
    #[test]
    fn gauss_newton_is_the_hessian_of_a_linear_policy() {
        let record = linear_policy(plain_inputs);
        let risk = Risk::from(Measure::MeanVariance { aversion: 1.3 });
        let at = |weights: &Mat<f64>| {
            risk.evaluate(&pnl(&record, std::slice::from_ref(weights)))
                .value
        };
        let start = random(1, 5, 77);
        let unit = |i: usize| Mat::from_fn(1, 5, |_, j| f64::from(u8::from(i == j)));
        let hessian = Mat::from_fn(5, 5, |i, j| {
            let (i, j) = (unit(i), unit(j));
            at(&(&start + &i + &j)) - at(&(&start + &i)) - at(&(&start + &j)) + at(&start)
        });
        let evaluation = risk.evaluate(&pnl(&record, std::slice::from_ref(&start)));
        let curvature = risk.curvature(
            CurvatureWeights::Measure,
            &pnl(&record, std::slice::from_ref(&start)),
            &evaluation.weights,
            record.paths(),
        );
        let metric = faer::Scale(curvature.scale) * dense_metric(&record);
        assert!(relative(&metric, &hessian) < 1e-10);

        // One undamped step is Newton's: it ends where the gradient is zero.
        let gradient = record.gradient(&evaluation.weights);
        let step = scaled(&solve(&record, 1e-7, &gradient), -1.0 / curvature.scale);
        let end = risk.evaluate(&pnl(&record, &[&start + &step[0]]));
        let left = record.gradient(&end.weights);
        assert!(inner(&left, &left).sqrt() < 1e-5 * inner(&gradient, &gradient).sqrt());
    }

    /// Identity 20: without damping the step moves every path's P&L by the same amount after an affine change of the
    /// inputs, a' = B a with a constant last row; a step along the gradient does not.
    #[test]
    fn undamped_steps_do_not_depend_on_the_units_of_inputs() {
        let b = random(5, 5, 11);
        let b = Mat::from_fn(5, 5, |i, j| match (i, j) {
            (4, 4) => 1.0,
            (4, _) => 0.0,
            _ => b[(i, j)] + if i == j { 2.0 } else { 0.0 },
        });
        let plain = linear_policy(plain_inputs);
        let changed = linear_policy(|path, t| &b * plain_inputs(path, t));
        let weights: Vec<f64> = (0..64).map(|path| (path as f64).cos() / 64.0).collect();
        let moves = |record: &Record<f64>, damping: Option<f64>| {
            let gradient = record.gradient(&weights);
            let step = match damping {
                Some(damping) => solve(record, damping, &gradient),
                None => gradient,
            };
            let moved = record.directional(&step);
            Mat::from_fn(moved.len(), 1, |i, _| moved[i])
        };
        let error = |damping| relative(&moves(&changed, damping), &moves(&plain, damping));
        assert!(error(Some(1e-9)) < 1e-6);
        assert!(error(Some(1.0)) > 1e-2);
        assert!(error(None) > 1e-2);
    }
}
