//! What holds for every curvature method.

use super::dense::{random, record, relative};
use super::*;

fn metrics() -> Vec<Box<dyn Metric>> {
    let kfac = |approximation| {
        KfacMetric::new(&KfacSettings {
            approximation,
            ..KfacSettings::default()
        })
    };
    let ekfac = |basis| {
        EkfacMetric::new(&EkfacSettings {
            basis,
            ..EkfacSettings::default()
        })
    };
    vec![
        Box::new(kfac(Approximation::Expand)),
        Box::new(kfac(Approximation::Reduce)),
        Box::new(kfac(Approximation::SymmetricChain)),
        Box::new(kfac(Approximation::Chain)),
        Box::new(ekfac(Basis::PathGradients)),
        Box::new(ekfac(Basis::Factors)),
        Box::new(KfocMetric::new(&KfocSettings::default())),
        Box::new(CgFacMetric::new(&CgFacSettings::default())),
        Box::new(GaussNewtonMetric::default()),
        Box::new(WhitenedMuonMetric::new(&WhitenedMuonSettings::default())),
    ]
}

fn singd(variant: Variant, damping: f64) -> SingdMetric {
    let mut settings = SingdSettings {
        variant,
        ..SingdSettings::default()
    };
    settings.control.damping = damping;
    SingdMetric::new(&settings)
}

/// The step after three renewals, with gradient, metric and damping all times c.
fn step(metric: &mut dyn Metric, record: &Record<f32>, c: f64, damping: f64) -> Vec<Mat<f64>> {
    let mut record = record.clone();
    record.scale(&vec![c.sqrt(); record.paths()]);
    for _ in 0..3 {
        metric.update(&record).unwrap();
        metric.damp(c * damping).unwrap();
    }
    let sizes = record.sizes().into_iter();
    let gradient: Vec<Mat<f64>> = sizes
        .map(|(rows, columns)| faer::Scale(c) * random(rows, columns, 9))
        .collect();
    metric.solve(&gradient, Some(&record)).unwrap()
}

/// Identity 20: the loss times c and the damping times c give the same step, by every method; so π, and the place of T,
/// and the start of inverse-free factors are in the right units.
#[test]
fn steps_do_not_depend_on_the_units_of_the_loss() {
    const DAMPING: f64 = 0.05;
    const C: f64 = 16.0;
    let record = record::<f32>(5);
    let same = |plain: Vec<Mat<f64>>, scaled: Vec<Mat<f64>>, name: &str| {
        for (plain, scaled) in plain.iter().zip(&scaled) {
            let error = relative(scaled, plain);
            assert!(error < 1e-4, "{name}: {error:e}");
        }
    };
    for (mut plain, mut scaled) in metrics().into_iter().zip(metrics()) {
        same(
            step(plain.as_mut(), &record, 1.0, DAMPING),
            step(scaled.as_mut(), &record, C, DAMPING),
            &format!("{:.40}", format!("{plain:?}")),
        );
    }
    for variant in [Variant::Ingd, Variant::Ikfac] {
        same(
            step(&mut singd(variant, DAMPING), &record, 1.0, DAMPING),
            step(&mut singd(variant, C * DAMPING), &record, C, DAMPING),
            &format!("{variant:?}"),
        );
    }
}

/// Every method gives a direction of descent.
#[test]
fn every_inverse_is_positive() {
    let record = record::<f32>(5);
    let singd = [Variant::Ingd, Variant::Ikfac]
        .map(|variant| Box::new(singd(variant, 0.05)) as Box<dyn Metric>);
    for mut metric in metrics().into_iter().chain(singd) {
        for seed in 0..5 {
            metric.update(&record).unwrap();
            metric.damp(0.05).unwrap();
            let sizes = record.sizes().into_iter();
            let gradient: Vec<Mat<f64>> = sizes
                .map(|(rows, columns)| random(rows, columns, seed))
                .collect();
            let solution = metric.solve(&gradient, Some(&record)).unwrap();
            assert!(
                crate::linalg::inner(&gradient, &solution) > 0.0,
                "{metric:?}"
            );
        }
    }
}

/// Bounds are named: exact Gauss–Newton refuses more paths than its Cholesky factor should have.
#[test]
fn gauss_newton_refuses_too_many_paths() {
    let keys: toml::Table = toml::from_str("curvature_paths = 2048").unwrap();
    let error = method("gauss_newton", "optimizers.exact", keys).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`optimizers.exact.curvature_paths` must be at most 1024, was 2048"
    );
}

/// Identity 18: factors, gradients and directional derivatives of a record have the same bits on any number of threads,
/// and those of its parts, as ranks would hold them, add to those of the whole.
#[test]
fn records_do_not_depend_on_threads_or_parts() {
    let at = |path: usize, t: usize| {
        let number = |i: usize| ((path * 31 + t * 17 + i * 7) as f64).sin();
        ((0..5).map(number).collect(), (5..11).map(number).collect())
    };
    let whole = Record::<f64>::from_fn(288, 3, at);
    let weights: Vec<f64> = (0..288).map(|path| (path as f64).cos()).collect();
    let direction = [random(6, 5, 1)];
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let [now, next] = [0, 1].map(|lag| whole.moments(0, lag));
            let matrices = [now.inputs, now.gradients, next.inputs, next.gradients];
            let gradient = whole.gradient(&weights);
            (matrices, gradient, whole.directional(&direction))
        })
    };
    let expected = on(1);
    for threads in [2, 3, 7] {
        assert_eq!(on(threads), expected);
    }

    /// Some paths' record and weights.
    type Part<'a> = (Record<f64>, &'a [f64]);
    let cuts = [0, 32, 160, 288];
    let parts: Vec<Part<'_>> = cuts
        .windows(2)
        .map(|cut| {
            let part = Record::from_fn(cut[1] - cut[0], 3, |path, t| at(cut[0] + path, t));
            (part, &weights[cut[0]..cut[1]])
        })
        .collect();
    fn sum<'a>(parts: &[Part<'a>], of: impl Fn(&Record<f64>, &'a [f64]) -> Mat<f64>) -> Mat<f64> {
        let parts = parts.iter().map(|(part, weights)| of(part, weights));
        parts.reduce(|sum, part| sum + part).unwrap()
    }
    let near = |found: Mat<f64>, expected: &Mat<f64>| assert!(relative(&found, expected) < 1e-13);
    near(
        sum(&parts, |part, _| part.moments(0, 0).inputs),
        &expected.0[0],
    );
    near(
        sum(&parts, |part, _| part.moments(0, 0).gradients),
        &expected.0[1],
    );
    near(
        sum(&parts, |part, _| part.moments(0, 1).inputs),
        &expected.0[2],
    );
    near(
        sum(&parts, |part, _| part.moments(0, 1).gradients),
        &expected.0[3],
    );
    near(
        sum(&parts, |part, w| part.gradient(w).remove(0)),
        &expected.1[0],
    );
}

/// The quadratic model needs paths at every step.
#[test]
fn quadratic_model_refuses_steps_without_paths() {
    for keys in [
        "damping_rule = \"levenberg_marquardt\"",
        "step_rule = \"quadratic\"",
    ] {
        let keys = toml::from_str(&format!("{keys}\nradius_paths = 0")).unwrap();
        let error = method("kfac", "optimizers.kfac", keys).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`optimizers.kfac.radius_paths` must be at least 1, was 0"
        );
    }
}
