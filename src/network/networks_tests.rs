//! What holds of every network in the registry: the block sweep against the reference, derivatives against differences, and
//! identities of the record.

use super::tests::{assert_close, assert_close_matrices, ending, features, paths, seed};
use super::*;
use crate::distributed::Portable;
use crate::market::Paths;
use crate::simd::{BLOCK, Lane, Real};
use candle_core::WithDType;
use faer::Mat;
use rayon::iter::ParallelIterator;

/// A network, the instruments that it trades, and whether it sees what it holds.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    shape: Shape,
    instruments: usize,
    feedback: bool,
}

impl Case {
    fn features(&self, steps: usize) -> Features {
        let mut features = features(steps);
        if self.feedback {
            features.list.push(Feature::PreviousPosition);
            features.instruments = self.instruments;
        }
        features
    }

    fn sweep<R: Real + Portable + WithDType>(&self, engine: Engine) -> Box<dyn Sweep<R>> {
        self.shape.sweep(engine, Actor::direct(self.instruments))
    }

    fn parameters(&self) -> Parameters {
        let parameters = Parameters::random(self.shape.maps(), 11).unwrap();
        // Biases begin at 0, and would leave their derivatives untested.
        let step = |map: &MapShape| {
            Mat::from_fn(map.rows, map.columns, |row, column| {
                let last = column + 1 == map.columns;
                if last {
                    0.1 * (row as f64 + 1.0).sin()
                } else {
                    0.0
                }
            })
        };
        let steps: Vec<Mat<f64>> = self.shape.maps().iter().map(step).collect();
        parameters.add(&steps).unwrap();
        parameters
    }
}

/// Every network in every variant: layers and heads, instruments, normalised or not, fed its positions or not.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, network) in NetworkName::ALL {
        for (hidden, layers, heads, instruments, layer_normalisation, feedback) in [
            (6, 1, 1, 1, false, false),
            (8, 2, 2, 2, false, false),
            (6, 2, 3, 1, true, false),
            (6, 1, 2, 2, false, true),
            (4, 2, 1, 2, true, true),
        ] {
            let sizes = Sizes {
                inputs: if feedback { 3 + instruments } else { 3 },
                head: Actor::direct(instruments).head(feedback),
                hidden,
                layers,
                heads,
                layer_normalisation,
            };
            cases.push(Case {
                name,
                shape: network.shape(sizes, &str::to_owned).unwrap(),
                instruments,
                feedback,
            });
        }
    }
    cases
}

/// Positions, gradient and record of one engine.
fn swept<R: Real + Portable + WithDType>(
    case: &Case,
    engine: Engine,
    paths: &Paths<R>,
) -> (Vec<Lane<R>>, Vec<Mat<f64>>, Record<R>) {
    let (parameters, features) = (case.parameters(), case.features(paths.steps()));
    let (sweep, seed) = (case.sweep::<R>(engine), seed(paths, case.instruments));
    let positions = sweep.forward(&parameters, &features, paths).unwrap();
    let gradient = sweep.gradient(&parameters, &features, paths, &seed);
    let mut record = Record::default();
    sweep
        .record(&parameters, &features, paths, &seed, &mut record)
        .unwrap();
    (positions, gradient.unwrap(), record)
}

/// Everything that a sweep returns is the same in both engines, lane by lane, on paths that end early too; the reference has its
/// derivatives from candle's automatic differentiation.
fn engines_agree<R: Real + Portable + WithDType>(sizes: &[(usize, usize)], bound: f64) {
    for case in cases() {
        for &(count, steps) in sizes {
            let paths = ending::<R>(count, steps);
            let found = swept(&case, Engine::Block, &paths);
            let weights = vec![1.0; found.2.paths()];
            assert_close_matrices(&found.2.gradient(&weights), &found.1, bound, case.name);
            // The reference differentiates once for every date where positions are fed back.
            if case.feedback && steps > 6 {
                continue;
            }
            let expected = swept(&case, Engine::Tensor, &paths);
            let close = |f: &[Lane<R>], e: &[Lane<R>], what: &str| {
                assert_close(f, e, bound, &format!("{} {what}", case.name));
            };
            close(&found.0, &expected.0, "positions");
            assert_close_matrices(&found.1, &expected.1, bound, case.name);
            for (f, e) in found.2.maps.iter().zip(&expected.2.maps) {
                for t in 0..e.inputs.count() {
                    close(f.inputs.at(t), e.inputs.at(t), "inputs");
                    close(f.gradients.at(t), e.gradients.at(t), "gradients");
                }
            }
        }
    }
}

#[test]
fn engines_agree_in_double_precision() {
    // The second one has several segments of dates.
    engines_agree::<f64>(&[(40, 6), (7, 37)], 1e-11);
}

/// Rounding and the elementary functions of f32 (2e-7 relative) are all that differs; where positions are fed back and units
/// normalised, either grows from date to date.
#[test]
fn engines_agree_in_single_precision() {
    engines_agree::<f32>(&[(40, 6)], 2e-3);
}

/// J_b · d is the derivative of Σ seed δ of path b along d, for a direction in one map after the other: it equals central
/// differences of the forward sweep, and the sum of J_b ∘ d.
#[test]
fn records_equal_differences() {
    const BUMP: f64 = 1e-7;
    for case in cases() {
        let paths = ending::<f64>(32, 5);
        let features = case.features(5);
        let (parameters, sweep) = (case.parameters(), case.sweep::<f64>(Engine::Block));
        let (_, _, record) = swept(&case, Engine::Block, &paths);
        let matrices = parameters.matrices().unwrap();
        let mut seeds = vec![[0.0; BLOCK]; 5 * case.instruments];
        seed(&paths, case.instruments)(0, &[], &mut seeds);
        let values = |bump: f64, direction: &[Mat<f64>]| -> Vec<f64> {
            let moved = matrices.iter().zip(direction);
            let moved = moved.map(|(w, d)| w + faer::Scale(bump) * d).collect();
            let moved = Parameters::new(case.shape.maps(), moved).unwrap();
            let positions = sweep.forward(&moved, &features, &paths).unwrap();
            let pairs = || positions.iter().zip(&seeds);
            let value = |path: usize| pairs().map(|(p, s)| p[path] * s[path]).sum();
            (0..BLOCK).map(value).collect()
        };
        for chosen in 0..matrices.len() {
            let direction: Vec<Mat<f64>> = matrices
                .iter()
                .enumerate()
                .map(|(map, w)| {
                    Mat::from_fn(w.nrows(), w.ncols(), |row, column| {
                        let number = ((7 * row + 3 * column + 1) as f64).sin();
                        if map == chosen { number } else { 0.0 }
                    })
                })
                .collect();
            let found = record.directional(&direction);
            let (up, down) = (values(BUMP, &direction), values(-BUMP, &direction));
            for path in 0..BLOCK {
                let difference = (up[path] - down[path]) / (2.0 * BUMP);
                let j = record.path_derivative(chosen, path);
                let entries = (0..j.nrows()).flat_map(|r| (0..j.ncols()).map(move |c| (r, c)));
                let sum: f64 = entries.map(|at| j[at] * direction[chosen][at]).sum();
                let size = difference.abs().max(1.0);
                let what = format!("{} map {chosen} path {path}", case.name);
                assert!(
                    (found[path] - difference).abs() < 1e-5 * size,
                    "{what}: {} {difference}",
                    found[path]
                );
                assert!((found[path] - sum).abs() < 1e-10 * size, "{what}: {sum}");
            }
        }
    }
}

/// With one date, which all paths see alike, and seeds that are alike, every path is the same datum: with the dense block
/// F = (1/n) Σ_b J_b J_bᵀ of a map, F Z = (1/n) Σ_b ⟨J_b, Z⟩ J_b is G₀ Z A₀ for every Z. With several dates it is not.
#[test]
fn one_datum_has_the_curvature_of_its_kronecker_factors() {
    for case in cases() {
        for steps in [1, 3] {
            let paths = paths::<f64>(32, steps);
            let features = case.features(steps);
            let alike = |_: usize, _: &[Lane<f64>], out: &mut [Lane<f64>]| {
                out.fill([1.5; BLOCK]);
            };
            let mut record = Record::default();
            case.sweep::<f64>(Engine::Block)
                .record(&case.parameters(), &features, &paths, &alike, &mut record)
                .unwrap();
            let share = 1.0 / record.paths() as f64;
            for (map, (rows, columns)) in record.sizes().into_iter().enumerate() {
                let z = Mat::from_fn(rows, columns, |row, column| {
                    ((5 * row + 11 * column + 2) as f64).sin()
                });
                let mut dense = Mat::<f64>::zeros(rows, columns);
                for path in 0..record.paths() {
                    let j = record.path_derivative(map, path);
                    let inner = (j.transpose() * &z).diagonal().column_vector().sum();
                    dense += faer::Scale(share * inner) * j;
                }
                let moments = record.moments(map, 0);
                let scale = faer::Scale(share * share / steps as f64);
                let factored = scale * (&moments.gradients * &z * &moments.inputs);
                let error = (&dense - factored).norm_l2() / dense.norm_l2();
                let what = format!("{} map {map} of {steps} dates: {error:e}", case.name);
                assert_eq!(error < 1e-10, steps == 1, "{what}");
            }
        }
    }
}

/// What a path does after a date changes no position up to it, bit for bit.
#[test]
fn positions_see_nothing_of_the_future() {
    const STEPS: usize = 7;
    for case in cases() {
        let (parameters, features) = (case.parameters(), case.features(STEPS));
        let sweep = case.sweep::<f32>(Engine::Block);
        let here = paths::<f32>(32, STEPS);
        let before = sweep.forward(&parameters, &features, &here).unwrap();
        for now in 0..STEPS - 1 {
            let mut other = here.clone();
            other.blocks_mut().for_each(|(_, mut block)| {
                let (spots, variances) = block.asset(0);
                for row in spots[now + 1..].iter_mut().chain(&mut variances[now + 1..]) {
                    row.iter_mut().for_each(|value| *value *= 1.3);
                }
            });
            let after = sweep.forward(&parameters, &features, &other).unwrap();
            let known = (now + 1) * case.instruments;
            assert_eq!(before[..known], after[..known], "{} date {now}", case.name);
            assert_ne!(before[known..], after[known..], "{} date {now}", case.name);
        }
    }
}

/// Date by date a session gives the bits of the sweep, in either precision, on paths that end early, and begins anew at date 0.
fn sessions_agree<R: Real + Portable + WithDType>() {
    const STEPS: usize = 9;
    for case in cases() {
        let (parameters, features) = (case.parameters(), case.features(STEPS));
        let paths = ending::<R>(70, STEPS);
        let sweep = case.sweep::<R>(Engine::Block);
        let whole = sweep.forward(&parameters, &features, &paths).unwrap();
        let actor = Actor::direct(case.instruments);
        let size = (paths.blocks(), STEPS);
        let mut session = case.shape.session::<R>(&actor, &parameters, size).unwrap();
        for t in (0..5).chain(0..STEPS) {
            let now = session.date(t, &features, &paths);
            let blocks = now.chunks_exact(case.instruments).enumerate();
            for (block, now) in blocks {
                let first = (block * STEPS + t) * case.instruments;
                assert_eq!(
                    now,
                    &whole[first..][..case.instruments],
                    "{} date {t}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn a_session_has_the_bits_of_the_sweep() {
    sessions_agree::<f64>();
    sessions_agree::<f32>();
}

/// A gradient has the same bits for any number of threads, and a record whose memory held a larger one, or was scaled, those of a
/// new one.
#[test]
fn bits_depend_on_neither_threads_nor_memory() {
    for case in cases() {
        let (parameters, features) = (case.parameters(), case.features(5));
        let sweep = case.sweep::<f32>(Engine::Block);
        let paths = paths::<f32>(300, 5);
        let seed_all = seed(&paths, case.instruments);
        let gradient = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let sweep = || sweep.gradient(&parameters, &features, &paths, &seed_all);
            pool.build().unwrap().install(sweep).unwrap()
        };
        assert_eq!(gradient(1), gradient(3), "{}", case.name);

        let write = |count: usize, record: &mut Record<f32>| {
            let paths = super::tests::paths::<f32>(count, 5);
            let seed = seed(&paths, case.instruments);
            let sweep = case.sweep::<f32>(Engine::Block);
            sweep
                .record(&parameters, &features, &paths, &seed, record)
                .unwrap();
        };
        let (mut used, mut new) = (Record::default(), Record::default());
        write(96, &mut used);
        used.scale(&[3.0; 96]);
        write(64, &mut used);
        write(64, &mut new);
        for map in 0..new.maps.len() {
            let (used, new) = (used.moments(map, 1), new.moments(map, 1));
            assert_eq!(used.inputs, new.inputs);
            assert_eq!(used.gradients, new.gradients);
        }
    }
}

/// What a sweep says that it keeps is at least the inputs and derivatives of its maps, and not more than twice as much.
#[test]
fn what_is_kept_is_counted() {
    for case in cases() {
        let maps = MapShape::kept(&case.shape.maps());
        let kept = case.shape.kept(1);
        let head = case.shape.maps().pop().unwrap();
        let least = maps - head.rows - head.columns;
        assert!(
            (least..2 * maps).contains(&kept),
            "{} {kept} {maps}",
            case.name
        );
    }
}
