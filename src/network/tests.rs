//! The sweeps against candle's automatic differentiation, and against each other.

use super::*;
use crate::contract::{Contract, ExerciseRule, OptionKind};
use crate::market::{Market, Model, Paths, Simulator};
use crate::pricing::HestonParameters;
use crate::random::{Purpose, Sampling};
use crate::simd::BLOCK;
use crate::simd::{Lane, Real};
use candle_core::{D, Device, Tensor, WithDType};
use faer::Mat;

pub(super) fn paths<R: Real>(count: usize, steps: usize) -> Paths<R> {
    let model = Model::from(HestonParameters {
        v0: 0.04,
        kappa: 1.5,
        theta: 0.04,
        sigma: 0.3,
        rho: -0.7,
    });
    let market = Market {
        model,
        spot: 100.0,
        rate: 0.0.into(),
        dividend: 0.0.into(),
    };
    Simulator {
        assets: market.into(),
        steps,
        dt: 1.0 / 252.0,
        seed: 3,
        purpose: Purpose::Training,
        sampling: Sampling::Pseudorandom,
        family: None,
    }
    .paths(0, count)
}

pub(super) fn features(steps: usize) -> Features {
    let list = Feature::USUAL.to_vec();
    Features {
        list,
        strike: 100.0,
        volatility: 0.2,
        expiry: steps as f64 / 252.0,
        further: Vec::new(),
        terms: Vec::new(),
        state: Vec::new(),
        unit: None,
        instruments: 1,
    }
}

/// Those of a network that may be fed its own outputs.
fn features_of(shape: LstmShape, steps: usize) -> Features {
    let mut features = features(steps);
    if shape.head.fed > 0 {
        features.list.push(Feature::PreviousPosition);
        features.instruments = shape.head.outputs;
    }
    features
}

/// The same paths, on which a contract ends where the spot is above 101 on the third date or the fourth.
pub(super) fn ending<R: Real>(count: usize, steps: usize) -> Paths<R> {
    let deviation = 0.2 * (steps as f64 / 252.0).sqrt();
    let mut rule = ExerciseRule::at_expiry(OptionKind::Call, 101.0, (deviation, None), steps);
    for date in [3, 4] {
        // Going on is worth nothing.
        rule.set(date, Some([0.0; ExerciseRule::TERMS + 1]));
    }
    paths(count, steps).under(&Contract::american(rule, steps as f64 / 252.0, steps))
}

/// Positions [B, T · instruments] by candle tensors, and the features they were made from.
fn candle_positions(
    shape: LstmShape,
    parameters: &Parameters,
    features: &Features,
    paths: &Paths<f64>,
) -> Tensor {
    let (count, steps) = (paths.count(), paths.steps());
    let variables: Vec<_> = parameters.variables().map(|(_, v)| v.clone()).collect();
    let scale = features.volatility * features.expiry.sqrt();
    let column = |values: Vec<f64>, columns: usize| {
        Tensor::from_vec(values, (count, columns), &Device::Cpu).unwrap()
    };
    let zeros = |columns: usize| column(vec![0.0; count * columns], columns);
    let ones = column(vec![1.0; count], 1);
    let mut states = vec![(zeros(shape.hidden), zeros(shape.hidden)); shape.layers];
    let mut held = zeros(shape.head.outputs);
    let mut columns: Vec<Tensor> = Vec::new();
    for t in 0..steps {
        let rows = (0..count).flat_map(|b| {
            let (spot, variance) = paths.path(b);
            [
                (spot[t] / features.strike).ln() / scale,
                variance[t].sqrt() / features.volatility,
                (steps - t) as f64 / steps as f64,
            ]
        });
        let mut x = column(rows.collect(), 3);
        if shape.head.fed > 0 {
            x = Tensor::cat(&[&x, &held], 1).unwrap();
        }
        for (w, (h, c)) in variables.iter().zip(&mut states) {
            let a = Tensor::cat(&[&*h, &x, &ones], 1).unwrap();
            let s = a
                .matmul(&w.t().unwrap())
                .unwrap()
                .reshape((count, shape.hidden, GATES))
                .unwrap();
            let gate = |g: usize| s.narrow(D::Minus1, g, 1).unwrap().squeeze(2).unwrap();
            let sigmoid = |x: Tensor| candle_nn::ops::sigmoid(&x).unwrap();
            let (i, f, o) = (sigmoid(gate(0)), sigmoid(gate(1)), sigmoid(gate(3)));
            *c = ((f * &*c).unwrap() + (i * gate(2).tanh().unwrap()).unwrap()).unwrap();
            *h = (o * c.tanh().unwrap()).unwrap();
            if shape.layer_normalisation {
                let mean = h.mean_keepdim(1).unwrap();
                let centred = h.broadcast_sub(&mean).unwrap();
                let variance = centred.sqr().unwrap().mean_keepdim(1).unwrap();
                let deviation = (variance + 1e-5).unwrap().sqrt().unwrap();
                *h = centred.broadcast_div(&deviation).unwrap();
            }
            x = h.clone();
        }
        let head = &variables[shape.layers];
        let inputs = Tensor::cat(&[&x, &ones], 1).unwrap();
        held = inputs.matmul(&head.t().unwrap()).unwrap();
        columns.push(held.clone());
        if paths.block(0).end().is_some() {
            let goes_on = |b: usize| {
                let end = paths.block(b / BLOCK).end().unwrap()[b % BLOCK];
                f64::from(u8::from((t as f64) < end))
            };
            let goes_on = column((0..count).map(goes_on).collect(), 1);
            held = held.broadcast_mul(&goes_on).unwrap();
        }
    }
    Tensor::cat(&columns, 1).unwrap()
}

/// Seeds that depend on path, date and instrument: a fixed smooth function of the spot.
pub(super) fn seed<R: Real>(
    paths: &Paths<R>,
    instruments: usize,
) -> impl Fn(usize, &[Lane<R>], &mut [Lane<R>]) + Sync + '_ {
    move |block, _, out| {
        let spot = paths.block(block).spot;
        for (t, out) in out.iter_mut().enumerate() {
            let (date, instrument) = (t / instruments, t % instruments);
            for lane in 0..paths.active(block) {
                let moved = spot[date + 1][lane] - spot[date][lane];
                out[lane] = moved * R::of(1.0 + instrument as f64);
            }
            out[paths.active(block)..].fill(R::ZERO);
        }
    }
}

fn seeds_tensor(paths: &Paths<f64>, instruments: usize) -> Tensor {
    let rows: Vec<f64> = (0..paths.count())
        .flat_map(|b| {
            paths
                .path(b)
                .0
                .windows(2)
                .flat_map(|s| (1..=instruments).map(move |i| (s[1] - s[0]) * i as f64))
                .collect::<Vec<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        })
        .collect();
    let columns = paths.steps() * instruments;
    Tensor::from_vec(rows, (paths.count(), columns), &Device::Cpu).unwrap()
}

/// Both engines.
fn sweeps<R: Real + WithDType>(shape: LstmShape) -> [(&'static str, Box<dyn Sweep<R>>); 2] {
    let actor = || Actor::direct(shape.head.outputs);
    let shape = Shape::from(shape);
    [
        ("block", shape.sweep(Engine::Block, actor())),
        ("tensor", shape.sweep(Engine::Tensor, actor())),
    ]
}

#[test]
fn sweeps_equal_candle_autograd_in_double_precision() {
    for (hidden, layers, instruments, count, layer_normalisation, feedback) in [
        (5, 1, 1, 40, false, false),
        (8, 2, 1, 64, false, false),
        (3, 3, 3, 7, false, false),
        (4, 1, 2, 33, false, false),
        (5, 1, 1, 40, true, false),
        (4, 3, 2, 33, true, false),
        (5, 1, 1, 40, false, true),
        (8, 2, 2, 33, false, true),
        (4, 3, 2, 33, true, true),
    ] {
        let shape = LstmShape {
            features: if feedback { 3 + instruments } else { 3 },
            hidden,
            layers,
            head: Actor::direct(instruments).head(feedback),
            layer_normalisation,
        };
        let parameters = Parameters::random(shape.maps(), 11).unwrap();
        for (engine, sweep) in sweeps::<f64>(shape) {
            for paths in [paths::<f64>(count, 6), ending(count, 6)] {
                equals_candle_autograd(engine, &*sweep, shape, &parameters, &paths);
            }
        }
    }
}

fn equals_candle_autograd(
    engine: &str,
    sweep: &dyn Sweep<f64>,
    shape: LstmShape,
    parameters: &Parameters,
    paths: &Paths<f64>,
) {
    let (steps, instruments) = (paths.steps(), shape.head.outputs);
    let features = features_of(shape, steps);

    let expected = candle_positions(shape, parameters, &features, paths);
    let positions = sweep.forward(parameters, &features, paths).unwrap();
    for (b, row) in expected.to_vec2::<f64>().unwrap().iter().enumerate() {
        for (t, expected) in row.iter().enumerate() {
            let found = positions[(b / BLOCK) * steps * instruments + t][b % BLOCK];
            assert!(
                (found - expected).abs() < 1e-12,
                "{engine}: {found} against {expected}"
            );
        }
    }

    let loss = (expected * seeds_tensor(paths, instruments))
        .unwrap()
        .sum_all()
        .unwrap();
    let gradients = loss.backward().unwrap();
    let seed = seed(paths, instruments);
    let gradient = sweep.gradient(parameters, &features, paths, &seed).unwrap();
    let mut record = Record::default();
    sweep
        .record(parameters, &features, paths, &seed, &mut record)
        .unwrap();
    let from_record = record.gradient(&vec![1.0; record.paths()]);
    for (index, (name, variable)) in parameters.variables().enumerate() {
        let expected = matrix(gradients.get(variable).unwrap()).unwrap();
        for found in [&gradient[index], &from_record[index]] {
            let error = (found - &expected).norm_l2() / expected.norm_l2();
            assert!(error < 1e-12, "{engine} {name}: {error:e}");
        }
    }
}

#[test]
fn single_precision_sweep_agrees_with_double() {
    let (steps, shape) = (
        30,
        LstmShape {
            features: 3,
            hidden: 32,
            layers: 1,
            head: Head::positions(1),
            layer_normalisation: false,
        },
    );
    let parameters = Parameters::random(shape.maps(), 5).unwrap();
    let features = features(steps);
    let (single, double) = (paths::<f32>(256, steps), paths::<f64>(256, steps));
    let (seed32, seed64) = (seed(&single, 1), seed(&double, 1));
    let found = BlockSweep::<f32, _>::new(shape, Actor::direct(shape.head.outputs))
        .gradient(&parameters, &features, &single, &seed32)
        .unwrap();
    let exact = BlockSweep::<f64, _>::new(shape, Actor::direct(shape.head.outputs))
        .gradient(&parameters, &features, &double, &seed64)
        .unwrap();
    for (found, exact) in found.iter().zip(&exact) {
        let error = (found - exact).norm_l2() / exact.norm_l2();
        assert!(error < 1e-4, "{error:e}");
    }
}

/// J_b · d from the record equals the derivative of Σ seed δ on that path: the sum of J_b ∘ d.
#[test]
fn directional_derivative_contracts_the_path_derivative() {
    let (steps, shape) = (
        5,
        LstmShape {
            features: 3,
            hidden: 4,
            layers: 2,
            head: Head::positions(1),
            layer_normalisation: false,
        },
    );
    let parameters = Parameters::random(shape.maps(), 2).unwrap();
    let paths = paths::<f64>(32, steps);
    let seed = seed(&paths, 1);
    let sweep = BlockSweep::<f64, _>::new(shape, Actor::direct(shape.head.outputs));
    let mut record = Record::default();
    sweep
        .record(&parameters, &features(steps), &paths, &seed, &mut record)
        .unwrap();
    let direction = parameters.matrices().unwrap();
    let found = record.directional(&direction);
    for path in [0, 13, 31] {
        let expected: f64 = direction
            .iter()
            .enumerate()
            .map(|(map, d)| {
                let j = record.path_derivative(map, path);
                (0..d.nrows())
                    .flat_map(|r| (0..d.ncols()).map(move |c| (r, c)))
                    .map(|at| j[at] * d[at])
                    .sum::<f64>()
            })
            .sum();
        assert!((found[path] - expected).abs() < 1e-12 * expected.abs().max(1.0));
    }
}

/// Σ|found − expected| ≤ bound Σ|expected|, over all lanes.
pub(super) fn assert_close<R: Real>(
    found: &[Lane<R>],
    expected: &[Lane<R>],
    bound: f64,
    what: &str,
) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let (mut error, mut size) = (0.0, 0.0);
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        error += (found.into_f64() - expected.into_f64()).abs();
        size += expected.into_f64().abs();
    }
    assert!(error <= bound * size, "{what}: {error:e} of {size:e}");
}

pub(super) fn assert_close_matrices(
    found: &[Mat<f64>],
    expected: &[Mat<f64>],
    bound: f64,
    what: &str,
) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).norm_l2() / expected.norm_l2();
        assert!(error < bound, "{what}: {error:e}");
    }
}

/// Everything that a sweep returns is the same in both engines, padded lanes included: positions,
/// gradient, and the record lane by lane and through what optimizers read from it.
fn engines_agree<R: Real + WithDType>(bound: f64) {
    // The last one has several segments of dates.
    for (hidden, layers, instruments, count, steps, layer_normalisation, feedback) in [
        (5, 1, 1, 40, 6, false, false),
        (8, 2, 1, 64, 6, false, false),
        (3, 3, 3, 7, 6, false, false),
        (4, 2, 2, 33, 70, false, false),
        (8, 2, 1, 33, 70, true, false),
        (5, 1, 1, 40, 6, false, true),
        (4, 2, 2, 33, 70, false, true),
        (8, 2, 1, 33, 70, true, true),
    ] {
        let shape = LstmShape {
            features: if feedback { 3 + instruments } else { 3 },
            hidden,
            layers,
            head: Actor::direct(instruments).head(feedback),
            layer_normalisation,
        };
        let parameters = Parameters::random(shape.maps(), 11).unwrap();
        // What is fed back grows with the dates, and its rounding with it.
        let bound = if feedback { 6.0 * bound } else { bound };
        let (paths, features) = (ending::<R>(count, steps), features_of(shape, steps));
        let seed = seed(&paths, instruments);
        let [found, expected] = sweeps::<R>(shape).map(|(_, sweep)| {
            let positions = sweep.forward(&parameters, &features, &paths).unwrap();
            let gradient = sweep
                .gradient(&parameters, &features, &paths, &seed)
                .unwrap();
            let mut record = Record::default();
            sweep
                .record(&parameters, &features, &paths, &seed, &mut record)
                .unwrap();
            (positions, gradient, record)
        });
        let close = |f: &[Lane<R>], e: &[Lane<R>], what| assert_close(f, e, bound, what);
        close(&found.0, &expected.0, "positions");
        assert_close_matrices(&found.1, &expected.1, bound, "gradient");

        let (found, expected) = (found.2, expected.2);
        let direction = parameters.matrices().unwrap();
        let changes = |record: &Record<R>| {
            let changes = record.directional(&direction);
            vec![Mat::from_fn(changes.len(), 1, |path, _| changes[path])]
        };
        assert_close_matrices(&changes(&found), &changes(&expected), bound, "directional");
        for (map, (f, e)) in found.maps.iter().zip(&expected.maps).enumerate() {
            for t in 0..e.inputs.count() {
                close(f.inputs.at(t), e.inputs.at(t), "record inputs");
                close(f.gradients.at(t), e.gradients.at(t), "record gradients");
            }
            for lag in 0..2 {
                let [f, e] = [&found, &expected].map(|record| {
                    let moments = record.moments(map, lag);
                    [moments.inputs, moments.gradients]
                });
                assert_close_matrices(&f, &e, bound, "moments");
            }
        }
    }
}

#[test]
fn engines_agree_in_double_precision() {
    engines_agree::<f64>(1e-12);
}

/// Rounding and the elementary functions of f32 (2e-7 relative) are all that differs.
#[test]
fn engines_agree_in_single_precision() {
    engines_agree::<f32>(2e-5);
}

/// A record whose memory held a larger one, or was scaled, is that of a new one, bit by bit.
#[test]
fn records_are_written_over() {
    let (steps, shape) = (
        5,
        LstmShape {
            features: 3,
            hidden: 8,
            layers: 2,
            head: Head::positions(1),
            layer_normalisation: false,
        },
    );
    let parameters = Parameters::random(shape.maps(), 2).unwrap();
    let write = |count: usize, record: &mut Record<f32>| {
        let paths = paths::<f32>(count, steps);
        BlockSweep::new(shape, Actor::direct(shape.head.outputs))
            .record(
                &parameters,
                &features(steps),
                &paths,
                &seed(&paths, 1),
                record,
            )
            .unwrap();
    };
    let (mut used, mut new) = (Record::default(), Record::default());
    write(96, &mut used);
    used.scale(&[3.0; 96]);
    write(64, &mut used);
    write(64, &mut new);
    assert_eq!(used.paths(), 64);
    for map in 0..new.maps.len() {
        for lag in 0..2 {
            let (used, new) = (used.moments(map, lag), new.moments(map, lag));
            assert_eq!(used.inputs, new.inputs);
            assert_eq!(used.gradients, new.gradients);
        }
    }
}

/// A step that has not a matrix for every map is refused, and moves nothing.
#[test]
fn steps_have_a_matrix_for_every_map() {
    let shape = LstmShape {
        features: 3,
        hidden: 2,
        layers: 1,
        head: Head::positions(1),
        layer_normalisation: false,
    };
    let parameters = Parameters::random(shape.maps(), 8).unwrap();
    let before = parameters.matrices().unwrap();
    let error = parameters.add(&before[..1]).unwrap_err().to_string();
    assert_eq!(error, "a step of 1 matrices for 2 linear maps");
    assert_eq!(parameters.matrices().unwrap(), before);
}

/// A sweep refuses weights of another network.
#[test]
fn sweeps_take_the_weights_of_their_network() {
    let shape = LstmShape {
        features: 3,
        hidden: 4,
        layers: 1,
        head: Head::positions(1),
        layer_normalisation: false,
    };
    let other = LstmShape { hidden: 5, ..shape };
    let parameters = Parameters::random(other.maps(), 8).unwrap();
    for (engine, sweep) in sweeps::<f32>(shape) {
        let error = sweep.forward(&parameters, &features(6), &paths(32, 6));
        let message = error.map(|_| ()).unwrap_err().to_string();
        assert!(
            message.contains("was given weights of"),
            "{engine}: {message}"
        );
    }
}

/// A date is fed the position of the date before, 0 on the first date and where the contract has ended.
#[test]
fn the_record_shows_what_is_fed_back() {
    let (steps, shape) = (
        6,
        LstmShape {
            features: 5,
            hidden: 4,
            layers: 1,
            head: Actor::direct(2).head(true),
            layer_normalisation: false,
        },
    );
    let parameters = Parameters::random(shape.maps(), 2).unwrap();
    let paths = ending::<f64>(64, steps);
    let features = features_of(shape, steps);
    let sweep = BlockSweep::<f64, _>::new(shape, Actor::direct(shape.head.outputs));
    let positions = sweep.forward(&parameters, &features, &paths).unwrap();
    let mut record = Record::default();
    let seed = seed(&paths, 2);
    sweep
        .record(&parameters, &features, &paths, &seed, &mut record)
        .unwrap();
    let mut ended = 0;
    for block in 0..paths.blocks() {
        let end = paths.block(block).end().unwrap();
        for t in 0..steps {
            let inputs = record.maps[0].inputs.at(block * steps + t);
            for instrument in 0..2 {
                for lane in 0..BLOCK {
                    let held = match t {
                        0 => 0.0,
                        t if t as f64 > end[lane] => 0.0,
                        t => positions[(block * steps + t - 1) * 2 + instrument][lane],
                    };
                    assert_eq!(inputs[4 + 3 + instrument][lane], held);
                    ended += usize::from(t as f64 > end[lane]);
                }
            }
        }
    }
    assert!(ended > 0);
}
