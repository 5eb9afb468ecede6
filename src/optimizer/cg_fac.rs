use super::curvature::{ControlSettings, Curvature, Metric};
use super::kfac::{Approximation, KfacMetric, KfacSettings};
use super::{Build, Optimizer, Settings, State, Stateful};
use crate::bounds::{at_least, check, unit_interval};
use crate::error::Result;
use crate::linalg::{inner, scaled};
use crate::network::Record;
use crate::simd::{BLOCK, Real};
use faer::Mat;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::cell::Cell;

/// Settings of conjugate gradients on the exact metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CgFacSettings {
    /// Most iterations of a step.
    pub iterations: usize,
    /// The residual, relative to the gradient and in the preconditioner's norm, at which a step is solved.
    pub tolerance: f64,
    /// K-FAC's approximation as the preconditioner.
    pub approximation: Approximation,
    /// Decay of the average of past factors at each renewal.
    pub factor_decay: f64,
    #[serde(flatten)]
    pub control: ControlSettings,
}

impl Default for CgFacSettings {
    fn default() -> Self {
        Self {
            iterations: 2,
            tolerance: 0.01,
            approximation: Approximation::Chain,
            factor_decay: 0.6,
            control: ControlSettings {
                radius_paths: 512,
                ..ControlSettings::default()
            },
        }
    }
}

impl Settings for CgFacSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        at_least(&key("iterations"), self.iterations, 1)?;
        check(
            &key("tolerance"),
            self.tolerance,
            self.tolerance >= 0.0,
            "at least 0",
        )?;
        unit_interval(&key("factor_decay"), self.factor_decay)?;
        at_least(&key("radius_paths"), self.control.radius_paths, 1)?;
        self.control.check(key)
    }
}

impl Build for CgFacSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Curvature::new(self.control, CgFacMetric::new(self)))
    }

    fn least_paths(&self) -> usize {
        BLOCK
    }
}

/// The solution of (λ I + (1/n) Σ_b J_b J_bᵀ) x = z by preconditioned conjugate gradients from x = 0.
///
/// The metric is the exact one of the present step's record, over all maps together, and is never formed: an
/// iteration takes one product J d and one Jᵀ r, each as dear as half a sweep of the record's paths. K-FAC preconditions;
/// stopped early, the solution stays near K-FAC's step, which is its first direction.
///
/// More iterations are not better here: on the Heston call three are worse than two, two no better than the first. That
/// they fit the step to the record's few paths is the likely cause, and has not been tested apart.
///
/// # References
/// Chen, Dai and Song (2021), "CG-FAC", arXiv 2101.00218; Hestenes and Stiefel (1952).
#[derive(Debug, Clone)]
pub struct CgFacMetric {
    iterations: usize,
    tolerance: f64,
    damping: f64,
    preconditioner: KfacMetric,
    /// Iterations of the last step.
    used: Cell<usize>,
}

impl CgFacMetric {
    pub fn new(settings: &CgFacSettings) -> Self {
        Self {
            iterations: settings.iterations,
            tolerance: settings.tolerance,
            damping: settings.control.damping,
            preconditioner: KfacMetric::new(&KfacSettings {
                approximation: settings.approximation,
                factor_decay: settings.factor_decay,
                control: settings.control,
                ..KfacSettings::default()
            }),
            used: Cell::new(0),
        }
    }
}

impl Stateful for CgFacMetric {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("preconditioner", &mut self.preconditioner)
    }
}

impl Metric for CgFacMetric {
    fn update(&mut self, record: &Record<f32>) -> Result<()> {
        self.preconditioner.update(record)
    }

    fn damp(&mut self, damping: f64) -> Result<()> {
        self.damping = damping;
        self.preconditioner.damp(damping)
    }

    fn solve(&self, gradient: &[Mat<f64>], record: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>> {
        let bounds = Bounds {
            iterations: self.iterations,
            tolerance: self.tolerance,
        };
        let record = record.expect("settings ask for a record at every step");
        let precondition = |residual: &[Mat<f64>]| self.preconditioner.solve(residual, None);
        let (solution, used) =
            conjugate_gradients(record, self.damping, gradient, precondition, bounds)?;
        self.used.set(used);
        Ok(solution)
    }

    fn statistics(&self, statistics: &mut Map<String, Value>) {
        let used = self.used.get();
        statistics.insert("cg_iterations".into(), json!(used));
    }
}

/// When iterations end.
struct Bounds {
    iterations: usize,
    tolerance: f64,
}

/// The solution, and the iterations that it took.
fn conjugate_gradients<R: Real>(
    record: &Record<R>,
    damping: f64,
    gradient: &[Mat<f64>],
    precondition: impl Fn(&[Mat<f64>]) -> Result<Vec<Mat<f64>>>,
    bounds: Bounds,
) -> Result<(Vec<Mat<f64>>, usize)> {
    let mut solution = scaled(gradient, 0.0);
    let mut residual = gradient.to_vec();
    let mut direction = precondition(&residual)?;
    let mut size = inner(&residual, &direction);
    let enough = bounds.tolerance.powi(2) * size;
    for iteration in 0..bounds.iterations {
        let moved = metric_times(record, damping, &direction);
        let curvature = inner(&direction, &moved);
        // Also false for the NaN of a residual that is zero.
        if !(size > enough && curvature > 0.0) {
            return Ok((solution, iteration));
        }
        let length = size / curvature;
        add(&mut solution, length, &direction);
        add(&mut residual, -length, &moved);
        let preconditioned = precondition(&residual)?;
        let next = inner(&residual, &preconditioned);
        let mut conjugate = preconditioned;
        add(&mut conjugate, next / size, &direction);
        (direction, size) = (conjugate, next);
    }
    Ok((solution, bounds.iterations))
}

/// (λ I + (1/n) Σ_b J_b J_bᵀ) d
fn metric_times<R: Real>(
    record: &Record<R>,
    damping: f64,
    direction: &[Mat<f64>],
) -> Vec<Mat<f64>> {
    let mut weights = record.directional(direction);
    let n = weights.len() as f64;
    weights.iter_mut().for_each(|weight| *weight /= n);
    let mut product = record.gradient(&weights);
    add(&mut product, damping, direction);
    product
}

/// `sum += factor · term`
fn add(sum: &mut [Mat<f64>], factor: f64, term: &[Mat<f64>]) {
    for (sum, term) in sum.iter_mut().zip(term) {
        *sum += faer::Scale(factor) * term;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::dense::{random, record, relative};
    use crate::optimizer::{GaussNewtonMetric, Metric};

    fn gradient<R: Real>(record: &Record<R>) -> Vec<Mat<f64>> {
        let sizes = record.sizes().into_iter();
        sizes
            .map(|(rows, columns)| random(rows, columns, 3))
            .collect()
    }

    fn exact(record: &Record<f32>, damping: f64, gradient: &[Mat<f64>]) -> Vec<Mat<f64>> {
        let mut metric = GaussNewtonMetric::default();
        metric.update(record).unwrap();
        metric.damp(damping).unwrap();
        metric.solve(gradient, Some(record)).unwrap()
    }

    /// Identity 16: converged conjugate gradients are Woodbury's identity (and through it the dense inverse), with every
    /// preconditioner.
    #[test]
    fn conjugate_gradients_are_woodbury() {
        let record = record::<f32>(5);
        let gradient = gradient(&record);
        let expected = exact(&record, 0.5, &gradient);
        for approximation in [
            Approximation::Expand,
            Approximation::SymmetricChain,
            Approximation::Chain,
        ] {
            let mut settings = CgFacSettings {
                iterations: 100,
                tolerance: 1e-6,
                approximation,
                ..CgFacSettings::default()
            };
            settings.control.damping = 0.5;
            let mut metric = CgFacMetric::new(&settings);
            metric.update(&record).unwrap();
            metric.damp(0.5).unwrap();
            let found = metric.solve(&gradient, Some(&record)).unwrap();
            for (found, expected) in found.iter().zip(&expected) {
                let error = relative(found, expected);
                assert!(error < 1e-4, "{approximation:?}: {error:e}");
            }
            let used = metric.used.get();
            assert!((2..100).contains(&used), "{approximation:?}: {used}");
        }
    }

    /// In f64, where rounding does not limit it: every iteration lowers ½ xᵀFx − xᵀz, and after one the solution is
    /// along the preconditioned gradient.
    #[test]
    fn every_iteration_lowers_the_quadratic() {
        let record = record::<f64>(5);
        let gradient = gradient(&record);
        let solve = |iterations| {
            let bounds = Bounds {
                iterations,
                tolerance: 0.0,
            };
            let precondition = |residual: &[Mat<f64>]| Ok(residual.to_vec());
            conjugate_gradients(&record, 0.5, &gradient, precondition, bounds)
                .unwrap()
                .0
        };
        let value =
            |x: &[Mat<f64>]| 0.5 * inner(x, &metric_times(&record, 0.5, x)) - inner(x, &gradient);
        let first = solve(1);
        let along = inner(&first, &gradient).powi(2);
        assert!(
            (along / (inner(&first, &first) * inner(&gradient, &gradient)) - 1.0).abs() < 1e-12
        );
        let values: Vec<f64> = (0..10)
            .map(|iterations| value(&solve(iterations)))
            .collect();
        assert!(
            values.windows(2).all(|pair| pair[1] < pair[0]),
            "{values:?}"
        );
    }

    /// No gradient, no iterations and no step.
    #[test]
    fn zero_gradient_gives_no_step() {
        let record = record::<f32>(5);
        let mut metric = CgFacMetric::new(&CgFacSettings::default());
        metric.update(&record).unwrap();
        metric.damp(1e-2).unwrap();
        let zero = scaled(&gradient(&record), 0.0);
        let found = metric.solve(&zero, Some(&record)).unwrap();
        assert_eq!(inner(&found, &found), 0.0);
        assert_eq!(metric.used.get(), 0);
    }
}
