//! What tests of sweeps share, and what holds of the LSTM alone.

use super::*;
use crate::contract::{Contract, ExerciseRule, OptionKind};
use crate::distributed::Portable;
use crate::market::{Market, Model, Paths, Simulator};
use crate::pricing::HestonParameters;
use crate::random::{Purpose, Sampling};
use crate::simd::BLOCK;
use crate::simd::{Lane, Real};
use candle_core::WithDType;
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
        instruments: 1,
        ..Features::default()
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

/// Both engines.
fn sweeps<R: Real + Portable + WithDType>(
    shape: LstmShape,
) -> [(&'static str, Box<dyn Sweep<R>>); 2] {
    let actor = || Actor::direct(shape.head.outputs);
    let shape = Shape::from(shape);
    [
        ("block", shape.sweep(Engine::Block, actor())),
        ("tensor", shape.sweep(Engine::Tensor, actor())),
    ]
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
