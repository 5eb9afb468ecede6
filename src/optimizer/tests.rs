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
    metric.solve(&gradient, &record).unwrap()
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
            let solution = metric.solve(&gradient, &record).unwrap();
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
