//! What the benchmarks measure: the parts of a training step on fixed paths.

// Every benchmark uses some of it.
#![allow(dead_code)]

use deephedge::contract::{Contract, Costs, OptionKind};
use deephedge::hedging::Ledger;
use deephedge::market::{Market, Model, Paths, Simulator};
use deephedge::network::{
    Actor, Engine, Feature, Features, Head, NetworkName, Parameters, Record, Seed, Shape, Sizes,
    Sweep,
};
use deephedge::pricing::HestonParameters;
use deephedge::random::{Purpose, Sampling};
use deephedge::risk::Risk;
use deephedge::simd::{BLOCK, Lane};
use deephedge::training::Hedge;
use std::hint::black_box;
use std::sync::Mutex;

/// Of CVaR.
pub const LEVEL: f64 = 0.95;

pub fn heston() -> Model {
    Model::from(HestonParameters {
        v0: 0.04,
        kappa: 1.5,
        theta: 0.04,
        sigma: 0.3,
        rho: -0.7,
    })
}

pub fn simulator(model: Model, steps: usize) -> Simulator {
    Simulator {
        assets: Market {
            model,
            spot: 100.0,
            rate: 0.0.into(),
            dividend: 0.0.into(),
        }
        .into(),
        steps,
        dt: 1.0 / 365.0,
        seed: 1,
        purpose: Purpose::Training,
        sampling: Sampling::Pseudorandom,
        family: None,
    }
}

/// A training step's ingredients, for fixed paths.
pub struct Step {
    pub parameters: Parameters,
    pub features: Features,
    pub ledger: Ledger,
    pub paths: Paths<f32>,
    /// The network.
    pub shape: Shape,
    sweep: Box<dyn Sweep<f32>>,
    record: Mutex<Record<f32>>,
}

impl Step {
    /// Of an LSTM.
    pub fn new(hidden: usize, steps: usize, count: usize) -> Self {
        Self::of(NetworkName::Lstm, (hidden, 1), steps, count)
    }

    pub fn of(
        network: NetworkName,
        (hidden, layers): (usize, usize),
        steps: usize,
        count: usize,
    ) -> Self {
        let sizes = Sizes {
            inputs: 3,
            head: Head::positions(1),
            hidden,
            layers,
            heads: 2,
            layer_normalisation: false,
        };
        let shape = network.shape(sizes, &str::to_owned);
        let shape = shape.expect("sizes of every network");
        let contract = Contract::option(OptionKind::Call, 100.0, steps as f64 / 365.0, steps);
        let costs = Costs {
            spot: 1e-3.into(),
            liquidation: true,
        };
        let simulator = simulator(heston(), steps);
        Self {
            parameters: Parameters::random(shape.maps(), 1).expect("a valid shape"),
            features: Features {
                list: Feature::USUAL.to_vec(),
                strike: contract.strike,
                volatility: 0.2,
                expiry: contract.expiry,
                further: Vec::new(),
                terms: Vec::new(),
                state: Vec::new(),
                unit: None,
                period: contract.dt(),
                carry: 0.0,
                standards: Vec::new(),
                bound: None,
                instruments: 1,
            },
            ledger: Ledger::new(contract.clone(), costs, simulator.assets.first(), 2.3),
            shape,
            sweep: shape.sweep(Engine::Block, Actor::direct(1)),
            record: Mutex::default(),
            paths: simulator.paths(0, count).under(&contract),
        }
    }

    /// P&L of every path under the policy.
    pub fn forward(&self) -> Vec<f64> {
        let positions = self
            .sweep
            .forward(&self.parameters, &self.features, &self.paths)
            .expect("a forward sweep");
        positions
            .chunks_exact(self.paths.steps())
            .enumerate()
            .flat_map(|(block, positions)| {
                self.ledger
                    .settle(&self.paths.block(block), positions)
                    .pnl
                    .map(f64::from)
            })
            .collect()
    }

    /// Empirical quantile of the P&L at one minus the level.
    pub fn quantile(&self) -> f64 {
        let mut pnl = self.forward();
        pnl.truncate(self.paths.count());
        pnl.sort_by(f64::total_cmp);
        pnl[((1.0 - LEVEL) * pnl.len() as f64) as usize]
    }

    /// Gradient by one sweep in which every path goes forward and backward, with the weights that
    /// Rockafellar and Uryasev's form of CVaR gives at the value at risk `-quantile`.
    pub fn dense(&self, quantile: f64) {
        let weight = -1.0 / ((1.0 - LEVEL) * self.paths.count() as f64);
        let seed = |block: usize, positions: &[Lane<f32>], out: &mut [Lane<f32>]| {
            let paths = self.paths.block(block);
            self.ledger.derivative(&paths, positions, out);
            let pnl = self.ledger.settle(&paths, positions).pnl;
            let weights = pnl.map(|z| {
                if f64::from(z) < quantile {
                    weight as f32
                } else {
                    0.0
                }
            });
            scale(out, &weights);
        };
        self.backward(&self.paths, &seed);
    }

    /// The same gradient with the exact quantile: a forward sweep, then both on the tail alone.
    pub fn tail(&self) {
        let weights = Risk::cvar(LEVEL).evaluate(&self.forward()).weights;
        let tail: Vec<usize> = (0..weights.len())
            .filter(|&path| weights[path] != 0.0)
            .collect();
        let paths = self.paths.gather(&tail);
        let seed = |block: usize, positions: &[Lane<f32>], out: &mut [Lane<f32>]| {
            self.ledger.derivative(&paths.block(block), positions, out);
            let weights = std::array::from_fn(|lane| {
                let path = tail.get(block * BLOCK + lane);
                path.map_or(0.0, |&path| weights[path] as f32)
            });
            scale(out, &weights);
        };
        self.backward(&paths, &seed);
    }

    /// A K-FAC step but for its small matrices, an Adam step with a `count` of 0: a forward sweep, the record of the first
    /// `count` paths, which gives their part of the gradient, a sweep over the other paths with weight, the moments of every map at `lags` lags, and the
    /// change of P&L along a direction.
    pub fn kfac(&self, risk: Risk, count: usize, lags: usize) {
        let weights = risk.evaluate(&self.forward()).weights;
        let (parameters, features) = (&self.parameters, &self.features);
        let mut rest = weights.clone();
        rest[..count].fill(0.0);
        let hedge = Hedge {
            sweep: self.sweep.as_ref(),
            parameters,
            features,
            ledger: &self.ledger,
            unit: 1.0,
        };
        let rest = hedge.risk_gradient(&self.paths, &rest, None);
        black_box(rest.expect("a backward sweep"));
        if count == 0 {
            return;
        }
        let sample = self.paths.gather(&(0..count).collect::<Vec<_>>());
        let mut record = self.record.lock().expect("one step at a time");
        hedge
            .record(&sample, &mut record)
            .expect("a backward sweep");
        black_box(record.gradient(&weights));
        for map in 0..record.sizes().len() {
            for lag in 0..lags {
                black_box(record.moments(map, lag));
            }
        }
        let direction = parameters.matrices().expect("weights");
        black_box(record.directional(&direction));
    }

    fn backward(&self, paths: &Paths<f32>, seed: &Seed<'_, f32>) {
        let gradient = self
            .sweep
            .gradient(&self.parameters, &self.features, paths, seed);
        black_box(gradient.expect("a backward sweep"));
    }
}

fn scale(seeds: &mut [Lane<f32>], weights: &Lane<f32>) {
    for seed in seeds {
        for lane in 0..BLOCK {
            seed[lane] *= weights[lane];
        }
    }
}
