//! The quadratic step against its dense model, and the rule of the damping.

use super::quadratic::Step;
use super::*;
use crate::distributed::Workers;
use crate::linalg::inner;
use crate::optimizer::dense::{random, record};

/// A direction of the shape of the record's maps.
fn direction(record: &Record<f32>, seed: u64) -> Vec<Mat<f64>> {
    let sizes = record.sizes().into_iter().enumerate();
    sizes
        .map(|(map, (rows, columns))| random(rows, columns, seed + 10 * map as u64))
        .collect()
}

/// M(s) of [`Step`], path by path; with λ = 0 the undamped model.
fn model(step: &Step<'_>, record: &Record<f32>, damping: f64, change: &[Mat<f64>]) -> f64 {
    let mut square = 0.0;
    for path in 0..record.paths() {
        let moved: f64 = change
            .iter()
            .enumerate()
            .map(|(map, change)| {
                inner(
                    &[record.path_derivative(map, path)],
                    std::slice::from_ref(change),
                )
            })
            .sum();
        square += moved * moved;
    }
    let square = square / record.paths() as f64 + damping * inner(change, change);
    inner(step.gradient, change) + 0.5 * step.scale * square
}

/// α d + μ v
fn combination(alpha: f64, d: &[Mat<f64>], mu: f64, v: &[Mat<f64>]) -> Vec<Mat<f64>> {
    d.iter()
        .zip(v)
        .map(|(d, v)| faer::Scale(alpha) * d + faer::Scale(mu) * v)
        .collect()
}

/// The quadratic step is the minimiser of its damped model over α d + μ v: from M at six points follow the 2 × 2
/// system and its solution by elimination.
#[test]
fn quadratic_step_is_the_dense_minimiser() {
    let record = record::<f32>(5);
    let gradient = direction(&record, 1);
    let step = Step {
        gradient: &gradient,
        scale: 1.7,
        steepest: f64::INFINITY,
        damping: 0.3,
        radius: f64::INFINITY,
    };
    let (d, v) = (direction(&record, 2), direction(&record, 3));
    let at = |alpha: f64, mu: f64| {
        model(
            &step,
            &record,
            step.damping,
            &combination(alpha, &d, mu, &v),
        )
    };
    let (plus, minus) = (at(1.0, 0.0), at(-1.0, 0.0));
    let (up, down) = (at(0.0, 1.0), at(0.0, -1.0));
    let (b0, b1) = ((plus - minus) / 2.0, (up - down) / 2.0);
    let (c00, c11) = (plus + minus, up + down);
    let c01 = at(1.0, 1.0) - plus - up;
    let mu = (c01 * b0 - c00 * b1) / (c00 * c11 - c01 * c01);
    let alpha = (-b0 - c01 * mu) / c00;

    let taken = step.minimise(&record, d.clone(), &v);
    assert!((taken.length / alpha - 1.0).abs() < 1e-4);
    let difference = combination(1.0, &taken.change, -1.0, &combination(alpha, &d, mu, &v));
    let size = inner(&taken.change, &taken.change).sqrt();
    assert!(inner(&difference, &difference).sqrt() < 1e-4 * size);

    let alone = step.minimise(&record, d.clone(), &[]);
    assert!((alone.length / (-b0 / c00) - 1.0).abs() < 1e-4);
    assert!(
        model(&step, &record, 0.3, &taken.change)
            <= model(&step, &record, 0.3, &alone.change) + 1e-9
    );
}

/// A last step along the direction itself makes the model singular; the step is that of the direction alone.
#[test]
fn parallel_last_step_is_left_out() {
    let record = record::<f32>(5);
    let gradient = direction(&record, 1);
    let step = Step {
        gradient: &gradient,
        scale: 1.0,
        steepest: f64::INFINITY,
        damping: 0.1,
        radius: f64::INFINITY,
    };
    let d = direction(&record, 2);
    let (found, expected) = (
        step.minimise(&record, d.clone(), &scaled(&d, 3.0)),
        step.minimise(&record, d.clone(), &[]),
    );
    let sum = found.change.iter().zip(&expected.change);
    for (found, expected) in sum {
        assert!((found - expected).norm_l2() < 1e-4 * expected.norm_l2());
    }
}

/// Neither rule moves P&L by more than the radius (the radius rule by just as much), and the predicted change is the
/// undamped model's value at the step.
#[test]
fn steps_keep_the_radius_and_predict_the_model() {
    let record = record::<f32>(5);
    let gradient = direction(&record, 1);
    for radius in [1e-3, 0.1, 1e3] {
        let step = Step {
            gradient: &gradient,
            scale: 0.6,
            steepest: f64::INFINITY,
            damping: 1e-2,
            radius,
        };
        let d = scaled(&gradient, -1.0);
        let by_radius = step.of_size(d.clone(), root_mean_square(&record.directional(&d)));
        let quadratic = step.minimise(&record, d, &direction(&record, 4));
        assert!((by_radius.pnl_change / radius - 1.0).abs() < 1e-9);
        for taken in [&by_radius, &quadratic] {
            let moved = root_mean_square(&record.directional(&taken.change));
            assert!(moved <= radius * (1.0 + 1e-5), "{moved} {radius}");
            assert!((moved / taken.pnl_change - 1.0).abs() < 1e-5);
            let expected = model(&step, &record, 0.0, &taken.change);
            let size = inner(&gradient, &taken.change).abs() + expected.abs();
            assert!((taken.predicted - expected).abs() < 1e-5 * size);
        }
    }
}

/// The metric is the identity.
#[derive(Debug, Clone)]
struct Identity;

impl Stateful for Identity {
    fn state(&mut self, _: &mut State) -> Result<()> {
        Ok(())
    }
}

impl Metric for Identity {
    type Inverse = Self;

    fn update(&mut self, _: &Record<f32>, _: f64) -> Result<f64> {
        Ok(0.0)
    }

    fn invert(&self, _: f64, _: &Workers) -> Result<Self> {
        Ok(Self)
    }
}

impl MetricInverse for Identity {
    fn solve(&self, gradient: &[Mat<f64>], _: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>> {
        Ok(gradient.to_vec())
    }
}

/// Levenberg and Marquardt: λ falls by ω = decay^period where ρ > ¾, rises by 1/ω where ρ < ¼, stays between, and
/// stays where the model predicts no fall; a risk that is no longer finite raises it; it keeps its limits for any number
/// of trials.
#[test]
fn damping_follows_the_reduction_ratio() {
    let control = ControlSettings {
        damping: 0.5,
        damping_decay: 0.9,
        damping_period: 3,
        ..ControlSettings::default()
    };
    let omega = 0.9_f64.powi(3);
    let after = |predicted: f64, change: f64| {
        let mut optimizer = Curvature::new(control, Identity);
        optimizer.predicted = predicted;
        optimizer.trial(2.0, 2.0 + change);
        (optimizer.damping / 0.5, optimizer.ratio)
    };
    let near = |found: (f64, Option<f64>), factor: f64, ratio: f64| {
        assert!((found.0 / factor - 1.0).abs() < 1e-12, "{found:?}");
        assert!((found.1.unwrap() - ratio).abs() < 1e-12, "{found:?}");
    };
    near(after(-0.1, -0.1), omega, 1.0);
    near(after(-0.1, -0.05), 1.0, 0.5);
    near(after(-0.1, -0.02), 1.0 / omega, 0.2);
    near(after(-0.1, 0.3), 1.0 / omega, -3.0);
    assert_eq!(after(0.1, -0.1), (1.0, None));
    assert!((after(-0.1, f64::NAN).0 * omega - 1.0).abs() < 1e-12);
    assert!((after(-0.1, f64::INFINITY).0 * omega - 1.0).abs() < 1e-12);

    let mut optimizer = Curvature::new(control, Identity);
    optimizer.predicted = -1.0;
    (0..1000).for_each(|_| optimizer.trial(0.0, -1.0));
    assert_eq!(optimizer.damping, 1e-8);
    (0..1000).for_each(|_| optimizer.trial(0.0, 1.0));
    assert_eq!(optimizer.damping, 1e4);
}

/// A gradient beyond `clip_norm` counts as one of that norm: a hundred times the gradient moves as the gradient does.
#[test]
fn gradients_are_clipped_before_they_are_averaged() {
    let record = record::<f32>(5);
    let gradient = direction(&record, 1);
    let settings = ControlSettings {
        start_steps: 0,
        clip_norm: inner(&gradient, &gradient).sqrt(),
        weight_decay: 0.0,
        ..ControlSettings::default()
    };
    let moved = |factor: f64| {
        let mut optimizer = Curvature::new(settings, Identity);
        let mut propose = |gradient: &[Mat<f64>], step: usize| {
            let batch = Batch {
                gradient,
                parameters: gradient,
                record: Some(&record),
                curvature: 1.0,
                steepest: f64::INFINITY,
                workers: &Workers::alone(),
                step,
                progress: 0.0,
            };
            optimizer.propose(&batch).unwrap().change
        };
        propose(&direction(&record, 2), 0);
        propose(&scaled(&gradient, factor), 1)
    };
    let (once, hundredfold) = (moved(1.0), moved(100.0));
    for (once, hundredfold) in once.iter().zip(&hundredfold) {
        assert!((once - hundredfold).norm_l2() < 1e-9 * once.norm_l2());
    }
    let beneath = moved(0.01);
    assert!((&once[0] - &beneath[0]).norm_l2() > 1e-2 * once[0].norm_l2());
}

/// The metric is the identity; solutions remember with what damping they were had and after how many renewals.
#[derive(Debug, Clone, Default)]
struct Damped {
    damping: f64,
    renewals: usize,
    solved_with: std::sync::Arc<std::sync::Mutex<Vec<(f64, usize)>>>,
}

impl Stateful for Damped {
    fn state(&mut self, _: &mut State) -> Result<()> {
        Ok(())
    }
}

impl Metric for Damped {
    type Inverse = Self;

    fn update(&mut self, _: &Record<f32>, _: f64) -> Result<f64> {
        self.renewals += 1;
        Ok(0.0)
    }

    fn invert(&self, damping: f64, _: &Workers) -> Result<Self> {
        Ok(Self {
            damping,
            ..self.clone()
        })
    }
}

impl MetricInverse for Damped {
    fn solve(&self, gradient: &[Mat<f64>], _: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>> {
        let solved_with = (self.damping, self.renewals);
        self.solved_with.lock().unwrap().push(solved_with);
        Ok(gradient.to_vec())
    }
}

/// Twelve steps, the risk falling as predicted at each trial: with the damping and the renewals of every solution, and the
/// damping of every reported step.
fn dampings(control: ControlSettings) -> (Vec<(f64, usize)>, Vec<f64>) {
    let record = record::<f32>(5);
    let gradient = direction(&record, 1);
    let metric = Damped::default();
    let solved_with = metric.solved_with.clone();
    let mut optimizer = Curvature::new(control, metric);
    let mut reported = Vec::new();
    for step in 0..12 {
        let batch = Batch {
            gradient: &gradient,
            parameters: &gradient,
            record: Some(&record),
            curvature: 1.0,
            steepest: f64::INFINITY,
            workers: &Workers::alone(),
            step,
            progress: 0.0,
        };
        let statistics = optimizer.propose(&batch).unwrap().statistics;
        reported.push(statistics["damping"].as_f64().unwrap());
        if optimizer.wants_trial(step) {
            optimizer.trial(0.0, optimizer.predicted);
        }
    }
    let solved_with = solved_with.lock().unwrap().clone();
    (solved_with, reported)
}

/// A direction is solved with the damping of its own step, also where the damping moves between two renewals of the
/// curvature.
#[test]
fn solutions_have_the_damping_of_their_step() {
    let (solved_with, reported) = dampings(ControlSettings {
        damping_rule: DampingRule::LevenbergMarquardt,
        step_rule: StepRule::Quadratic,
        damping: 0.5,
        damping_period: 3,
        factor_period: 100,
        start_steps: 0,
        ..ControlSettings::default()
    });
    let solved_with: Vec<f64> = solved_with.iter().map(|(damping, _)| *damping).collect();
    assert_eq!(solved_with, reported);
    assert!(
        reported[11] < reported[7] && reported[7] < reported[0],
        "{reported:?}"
    );
}

/// With an inverse period of three, solutions take every renewal of the first five steps and then every third.
#[test]
fn solutions_take_every_third_renewal() {
    let (solved_with, _) = dampings(ControlSettings {
        factor_period: 1,
        inverse_period: 3,
        start_steps: 0,
        ..ControlSettings::default()
    });
    let renewals: Vec<usize> = solved_with.iter().map(|(_, renewals)| *renewals).collect();
    assert_eq!(renewals, [1, 2, 3, 4, 5, 5, 5, 8, 8, 8, 11, 11]);
}

/// Without a record the step has the length that the metric's norm gives: where the same direction was measured on a
/// record before, the step is the same.
#[test]
fn calibrated_steps_equal_measured_ones() {
    let record = record::<f32>(5);
    let gradient = direction(&record, 1);
    let change = |measured: bool| {
        let control = ControlSettings {
            start_steps: 0,
            warm_up_steps: 1,
            ..ControlSettings::default()
        };
        let mut optimizer = Curvature::new(control, Identity);
        let mut last = Vec::new();
        for step in 0..2 {
            let batch = Batch {
                gradient: &gradient,
                parameters: &gradient,
                record: (measured || step == 0).then_some(&record),
                curvature: 1.0,
                steepest: f64::INFINITY,
                workers: &Workers::alone(),
                step,
                progress: 0.0,
            };
            last = optimizer.propose(&batch).unwrap().change;
        }
        last
    };
    for (calibrated, measured) in change(false).iter().zip(&change(true)) {
        assert!((calibrated - measured).norm_l2() < 1e-12 * measured.norm_l2());
    }
}

/// With decoupled weight decay κ a full step is the step without it less κ W.
#[test]
fn weight_decay_is_decoupled() {
    let record = record::<f32>(5);
    let (gradient, weights) = (direction(&record, 1), direction(&record, 2));
    let change = |weight_decay: f64| {
        let control = ControlSettings {
            start_steps: 0,
            warm_up_steps: 1,
            weight_decay,
            ..ControlSettings::default()
        };
        let batch = Batch {
            gradient: &gradient,
            parameters: &weights,
            record: Some(&record),
            curvature: 1.0,
            steepest: f64::INFINITY,
            workers: &Workers::alone(),
            step: 0,
            progress: 0.0,
        };
        let mut optimizer = Curvature::new(control, Identity);
        optimizer.propose(&batch).unwrap().change
    };
    for ((decayed, plain), weights) in change(0.01).iter().zip(&change(0.0)).zip(&weights) {
        let expected = plain - faer::Scale(0.01) * weights;
        assert!((decayed - &expected).norm_l2() < 1e-15);
    }
}

/// A record without the paths that a step changes most understates the step: one that is known from the gradient to change P&L by a
/// thousand radii of the record changes it by a radius under both rules, and one that is known to change it by less is as it was.
#[test]
fn steps_are_cut_to_what_the_gradient_knows_of_them() {
    let record = record::<f32>(5);
    let gradient = direction(&record, 1);
    let d = scaled(&gradient, -1.0);
    let recorded = root_mean_square(&record.directional(&d));
    let slope = inner(&gradient, &d).abs();
    let radius = 0.1;
    let taken = |times: f64| {
        let step = Step {
            gradient: &gradient,
            scale: 1e-6,
            steepest: slope / (times * recorded),
            damping: 1e-9,
            radius,
        };
        let by_radius = step.of_size(d.clone(), recorded);
        (by_radius, step.minimise(&record, d.clone(), &[]))
    };
    let (free, free_model) = taken(0.0);
    for (times, known) in [(0.5, 1.0), (1.5, 1.5), (1e3, 1e3)] {
        let (by_radius, by_model) = taken(times);
        assert!((by_radius.pnl_change / radius - 1.0).abs() < 1e-9);
        assert!((by_radius.length * known / free.length - 1.0).abs() < 1e-9);
        assert!((by_model.pnl_change / radius - 1.0).abs() < 1e-9);
        assert!((by_model.length * known / free_model.length - 1.0).abs() < 1e-9);
    }
}
