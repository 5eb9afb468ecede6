//! What holds for every curvature method.

use super::dense::{random, record, relative};
use super::*;
use crate::distributed::Workers;

/// A metric behind its type: averages a record in `renewals` times at a damping, and solves for a gradient.
type Solve = Box<dyn Fn(&Record<f32>, usize, f64, &[Mat<f64>]) -> Vec<Mat<f64>>>;

fn solve<M: Metric + 'static>(metric: M) -> (String, Solve) {
    let name = format!("{:.40}", format!("{metric:?}"));
    let solve =
        move |record: &Record<f32>, renewals: usize, damping: f64, gradient: &[Mat<f64>]| {
            let mut metric = metric.clone();
            for _ in 0..renewals {
                metric.update(record, damping).unwrap();
            }
            let inverse = metric.invert(damping, &Workers::alone()).unwrap();
            inverse.solve(gradient, Some(record)).unwrap()
        };
    (name, Box::new(solve))
}

fn metrics() -> Vec<(String, Solve)> {
    let kfac = |approximation, gates| {
        solve(KfacMetric::new(&KfacSettings {
            approximation,
            gates,
            ..KfacSettings::default()
        }))
    };
    let ekfac = |basis| {
        solve(EkfacMetric::new(&EkfacSettings {
            basis,
            ..EkfacSettings::default()
        }))
    };
    let singd = |variant| {
        solve(SingdMetric::new(&SingdSettings {
            variant,
            ..SingdSettings::default()
        }))
    };
    vec![
        kfac(Approximation::Expand, Gates::Fused),
        kfac(Approximation::Reduce, Gates::Fused),
        kfac(Approximation::SymmetricChain, Gates::Fused),
        kfac(Approximation::Chain, Gates::Fused),
        kfac(Approximation::Chain, Gates::Separate),
        ekfac(Basis::PathGradients),
        ekfac(Basis::Factors),
        solve(KfocMetric::new(&KfocSettings::default())),
        solve(CgFacMetric::new(&CgFacSettings::default())),
        solve(GaussNewtonMetric::default()),
        solve(WhitenedMuonMetric::new(&WhitenedMuonSettings::default())),
        singd(Variant::Ingd),
        singd(Variant::Ikfac),
    ]
}

fn gradient(record: &Record<f32>, seed: u64) -> Vec<Mat<f64>> {
    let sizes = record.sizes().into_iter();
    sizes
        .map(|(rows, columns)| random(rows, columns, seed))
        .collect()
}

/// Identity 20: the loss times c and the damping times c give the same step, by every method; so π, and the place of T,
/// and the start of inverse-free factors are in the right units.
#[test]
fn steps_do_not_depend_on_the_units_of_the_loss() {
    const DAMPING: f64 = 0.05;
    const C: f64 = 16.0;
    let record = record::<f32>(5);
    let mut larger = record.clone();
    larger.scale(&vec![C.sqrt(); record.paths()]);
    let gradient = gradient(&record, 9);
    for (name, solve) in metrics() {
        let plain = solve(&record, 3, DAMPING, &gradient);
        let scaled = solve(
            &larger,
            3,
            C * DAMPING,
            &crate::linalg::scaled(&gradient, C),
        );
        for (plain, scaled) in plain.iter().zip(&scaled) {
            let error = relative(scaled, plain);
            assert!(error < 1e-4, "{name}: {error:e}");
        }
    }
}

/// Every method gives a direction of descent, with a part for every map.
#[test]
fn every_inverse_is_positive() {
    let record = record::<f32>(5);
    for (name, solve) in metrics() {
        for seed in 0..5 {
            let gradient = gradient(&record, seed);
            let solution = solve(&record, 1 + seed as usize, 0.05, &gradient);
            let descent = crate::linalg::inner(&gradient, &solution);
            assert!(descent > 0.0, "{name}: {descent}");
        }
    }
}

/// A gradient without the map of the head is refused, not solved in part.
#[test]
fn a_missing_map_is_not_left_out() {
    let record = record::<f32>(5);
    let all = gradient(&record, 9);
    for (name, solve) in metrics() {
        let partial = || solve(&record, 1, 0.05, &all[..1]);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(partial));
        assert!(found.is_err(), "{name}");
    }
}

/// Bounds are named: exact Gauss–Newton refuses more paths than its Cholesky factor should have.
#[test]
fn gauss_newton_refuses_too_many_paths() {
    let keys: toml::Table = toml::from_str("curvature_paths = 2048").unwrap();
    let error = Method::GaussNewton
        .read("optimizers.exact", keys)
        .unwrap_err();
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
        let error = Method::Kfac.read("optimizers.kfac", keys).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`optimizers.kfac.radius_paths` must be at least 1, was 0"
        );
    }
}

/// A name leads to its method, its settings and its family; another name is refused with all names.
#[test]
fn methods_are_known_by_name() {
    for (name, method) in Method::ALL {
        assert_eq!(Method::named("method", name).unwrap(), *method);
        assert_eq!(method.name(), *name);
        let (settings, _) = method.read("optimizers.one", toml::Table::new()).unwrap();
        assert_eq!(settings.family(), method.family(), "{name}");
        let paths = settings.build().curvature_paths(0);
        assert_eq!(paths > 0, method.family() == Family::Curvature, "{name}");
        let json = serde_json::to_string(method).unwrap();
        assert_eq!(json, format!("\"{name}\""));
    }
    let error = Method::named("optimizers.one.method", "muom").unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("must be one of adam, adamw, kfac"),
        "{error}"
    );
}

/// A metric that is of the present step's paths alone has no mean over renewals.
#[test]
fn cg_fac_refuses_a_centred_metric() {
    let keys = toml::from_str("centred = true").unwrap();
    let error = Method::CgFac.read("optimizers.cg", keys).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`optimizers.cg.centred` must be false for cg_fac, whose metric is that of the present step's paths alone"
    );
}
