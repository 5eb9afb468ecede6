//! Small records and dense matrices that tests compare methods with.

use crate::contract::{Contract, Instrument, OptionKind};
use crate::linalg::symmetric_power;
use crate::market::{BenchmarkHedge, GbmParameters, Market, Model, Paths, Quotes, Simulator};
use crate::network::{
    Actor, Architecture, BlockSweep, Feature, Features, LstmShape, Parameters, Record, Sweep,
};
use crate::random::{Purpose, Sampling, sequential};
use crate::simd::{BLOCK, Lane, Real};
use faer::Mat;
use rand::RngExt;
use std::ops::Range;
use std::sync::Arc;

pub fn random(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    let mut generator = sequential(seed, Purpose::InitialWeights);
    Mat::from_fn(rows, columns, |_, _| generator.random_range(-1.0..1.0))
}

/// A ⊗ G on column-stacked vec(Z): (A ⊗ G) vec(Z) = vec(G Z Aᵀ).
pub fn kronecker(a: &Mat<f64>, g: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(a.nrows() * g.nrows(), a.ncols() * g.ncols(), |r, c| {
        a[(r / g.nrows(), c / g.ncols())] * g[(r % g.nrows(), c % g.ncols())]
    })
}

pub fn vec(z: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(z.nrows() * z.ncols(), 1, |i, _| {
        z[(i % z.nrows(), i / z.nrows())]
    })
}

pub fn relative(found: &Mat<f64>, expected: &Mat<f64>) -> f64 {
    (found - expected).norm_l2() / expected.norm_l2()
}

pub fn inverse(m: &Mat<f64>) -> Mat<f64> {
    symmetric_power(m, -1.0, 0.0).unwrap()
}

/// A hedge that always holds one share.
#[derive(Debug)]
struct OneShare;

impl BenchmarkHedge for OneShare {
    fn positions(&self, paths: &Paths<f64>, dates: Range<usize>) -> Vec<Lane<f64>> {
        vec![[1.0; BLOCK]; paths.blocks() * dates.len()]
    }
}

/// The record of a small LSTM whose P&L is its gains from trading, on random paths.
pub fn record<R: Real>(steps: usize) -> Record<R> {
    record_of(steps, Actor::direct(1), false)
}

/// The same of an LSTM under an action, whose benchmark holds one share, that may be fed its positions.
pub fn record_of<R: Real>(steps: usize, actor: Actor, feedback: bool) -> Record<R> {
    let market = Market {
        model: Model::from(GbmParameters { volatility: 0.4 }),
        spot: 100.0,
        rate: 0.0.into(),
        dividend: 0.0.into(),
    };
    let simulator = Simulator {
        assets: market.into(),
        steps,
        dt: 0.02,
        seed: 4,
        purpose: Purpose::Training,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    let contract = Contract::option(OptionKind::Call, 100.0, 0.02 * steps as f64, steps);
    let quotes = Quotes::new(&simulator.assets, &contract, &[Instrument::SPOT]);
    let paths = quotes
        .hedged_by(Arc::new(OneShare))
        .onto(simulator.paths::<R>(0, 64));
    let features = Features {
        list: match feedback {
            true => [&Feature::USUAL[..], &[Feature::PreviousPosition]].concat(),
            false => Feature::USUAL.to_vec(),
        },
        strike: 100.0,
        volatility: 0.4,
        expiry: 0.02 * steps as f64,
        instruments: 1,
        ..Features::default()
    };
    let shape = LstmShape {
        features: features.inputs(),
        hidden: 2,
        layers: 1,
        head: actor.head(feedback),
        layer_normalisation: false,
    };
    let mut drawn = shape.maps();
    // Where a head begins at zero, nothing would reach the LSTM.
    drawn.iter_mut().for_each(|map| map.bound = 0.5_f64.sqrt());
    let weights = Parameters::random(drawn, 8).unwrap().matrices().unwrap();
    let parameters = Parameters::new(shape.maps(), weights).unwrap();
    let seed = |block: usize, _: &[Lane<R>], out: &mut [Lane<R>]| {
        let spot = paths.block(block).spot;
        for (t, out) in out.iter_mut().enumerate() {
            *out = std::array::from_fn(|lane| spot[t + 1][lane] - spot[t][lane]);
        }
    };
    let mut record = Record::default();
    BlockSweep::new(shape, actor)
        .record(&parameters, &features, &paths, &seed, &mut record)
        .unwrap();
    record
}

/// The dense metric (1/n) Σ_b J_b J_bᵀ of the LSTM's map, on column-stacked vec.
pub fn dense_metric(record: &Record<f64>) -> Mat<f64> {
    let (rows, columns) = record.sizes()[0];
    let mut metric = Mat::zeros(rows * columns, rows * columns);
    for path in 0..record.paths() {
        let j = vec(&record.path_derivative(0, path));
        metric += &j * j.transpose();
    }
    faer::Scale(1.0 / record.paths() as f64) * metric
}

/// A₀ ⊗ G₀, the expand approximation.
pub fn kfac_metric(record: &Record<f64>) -> Mat<f64> {
    let scale = 1.0 / (record.paths() * record.paths() * record.steps()) as f64;
    let moments = record.moments(0, 0);
    faer::Scale(scale) * kronecker(&moments.inputs, &moments.gradients)
}
