//! CPU time of what training spends its time on, with one thread.
//!
//! `cargo bench --bench sweep`, on a quiet core `taskset -c 1 cargo bench --bench sweep`.

use cpu_time::ThreadTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, SamplingMode, Throughput};
use deephedge::contract::{Contract, Costs, OptionKind};
use deephedge::hedging::Ledger;
use deephedge::market::{Market, Model, Paths, Simulator};
use deephedge::network::{BlockSweep, Feature, Features, Parameters, Seed, Shape, Sweep};
use deephedge::pricing::HestonParameters;
use deephedge::random::{Purpose, Sampling};
use deephedge::risk::{Risk, cvar};
use deephedge::simd::{BLOCK, Lane};
use std::hint::black_box;
use std::time::Duration;

const PATHS: usize = 4096;
const STEPS: usize = 30;
/// Of CVaR.
const LEVEL: f64 = 0.95;

/// CPU time of the calling thread: other work on the machine does not count.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = ThreadTime;
    type Value = Duration;

    fn start(&self) -> ThreadTime {
        ThreadTime::now()
    }
    fn end(&self, start: ThreadTime) -> Duration {
        start.elapsed()
    }
    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }
    fn zero(&self) -> Duration {
        Duration::ZERO
    }
    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn heston() -> Model {
    Model::Heston(HestonParameters {
        v0: 0.04,
        kappa: 1.5,
        theta: 0.04,
        sigma: 0.3,
        rho: -0.7,
    })
}

fn simulator(model: Model) -> Simulator {
    Simulator {
        market: Market {
            model,
            spot: 100.0,
            rate: 0.0,
            dividend: 0.0,
        },
        steps: STEPS,
        dt: 1.0 / 365.0,
        seed: 1,
        purpose: Purpose::Training,
        sampling: Sampling::Pseudorandom,
    }
}

/// A training step's ingredients, for fixed paths.
struct Step {
    parameters: Parameters,
    features: Features,
    ledger: Ledger,
    sweep: BlockSweep<f32>,
    paths: Paths<f32>,
}

impl Step {
    fn new(hidden: usize) -> Self {
        let shape = Shape {
            features: 3,
            hidden,
            layers: 1,
        };
        let contract = Contract {
            kind: OptionKind::Call,
            strike: 100.0,
            expiry: STEPS as f64 / 365.0,
            steps: STEPS,
        };
        let costs = Costs {
            proportional: 1e-3,
            liquidation: true,
        };
        let simulator = simulator(heston());
        Self {
            parameters: Parameters::random(shape, 1).expect("a valid shape"),
            features: Features {
                list: Feature::ALL.map(|(_, feature)| feature).to_vec(),
                strike: contract.strike,
                volatility: 0.2,
                expiry: contract.expiry,
            },
            ledger: Ledger::new(contract, costs, &simulator.market, 2.3),
            sweep: BlockSweep::new(),
            paths: simulator.paths(0, PATHS),
        }
    }

    /// P&L of every path under the policy.
    fn forward(&self) -> Vec<f64> {
        let forward = self
            .sweep
            .forward(&self.parameters, &self.features, &self.paths, false)
            .expect("a forward sweep");
        forward
            .positions
            .chunks_exact(STEPS)
            .enumerate()
            .flat_map(|(block, positions)| {
                self.ledger
                    .settle(&self.paths.block(block), positions)
                    .pnl
                    .map(f64::from)
            })
            .collect()
    }

    /// Gradient by one sweep in which every path goes forward and backward, with the weights that
    /// Rockafellar and Uryasev's form of CVaR gives at the value at risk `-quantile`.
    fn dense(&self, quantile: f64) {
        let weight = -1.0 / ((1.0 - LEVEL) * PATHS as f64);
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
    fn tail(&self) {
        let weights = Risk::Cvar { level: LEVEL }
            .evaluate(&self.forward())
            .weights;
        let tail: Vec<usize> = (0..PATHS).filter(|&path| weights[path] != 0.0).collect();
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

    /// What K-FAC asks for beyond the gradient: a record of `count` paths, the moments of every map
    /// at two lags, and the change of P&L along a direction.
    fn curvature(&self, count: usize) {
        let paths = self.paths.gather(&(0..count).collect::<Vec<_>>());
        let seed = |block: usize, positions: &[Lane<f32>], out: &mut [Lane<f32>]| {
            self.ledger.derivative(&paths.block(block), positions, out);
        };
        let record = self
            .sweep
            .backward(&self.parameters, &self.features, &paths, &seed, true)
            .expect("a backward sweep")
            .record
            .expect("it was asked for");
        for map in 0..record.sizes().len() {
            for lag in 0..2 {
                black_box(record.moments(map, lag));
            }
        }
        let direction = self.parameters.matrices().expect("weights");
        black_box(record.directional(&direction));
    }

    fn backward(&self, paths: &Paths<f32>, seed: &Seed<'_, f32>) {
        let backward = self
            .sweep
            .backward(&self.parameters, &self.features, paths, seed, false);
        black_box(backward.expect("a backward sweep").gradient);
    }
}

fn scale(seeds: &mut [Lane<f32>], weights: &Lane<f32>) {
    for seed in seeds {
        for lane in 0..BLOCK {
            seed[lane] *= weights[lane];
        }
    }
}

fn steps(criterion: &mut Criterion<CpuTime>) {
    for hidden in [32, 64] {
        let step = Step::new(hidden);
        let mut group = criterion.benchmark_group(format!("H{hidden}"));
        group.sampling_mode(SamplingMode::Flat);
        group.throughput(Throughput::Elements((PATHS * STEPS) as u64));
        group.bench_function("forward", |b| b.iter(|| step.forward()));
        let pnl = step.forward();
        let mut sorted = pnl.clone();
        sorted.sort_by(f64::total_cmp);
        let quantile = sorted[((1.0 - LEVEL) * PATHS as f64) as usize];
        assert!(cvar(&pnl, LEVEL) > -quantile);
        group.bench_function("dense", |b| b.iter(|| step.dense(quantile)));
        group.bench_function("tail", |b| b.iter(|| step.tail()));
        for (name, share) in [("kfac-quarter", 4), ("kfac-all", 1)] {
            group.bench_function(name, |b| {
                b.iter(|| {
                    step.tail();
                    step.curvature(PATHS / share);
                })
            });
        }
        group.finish();
    }
}

fn paths(criterion: &mut Criterion<CpuTime>) {
    let count = 65_536;
    let mut group = criterion.benchmark_group("paths");
    group.throughput(Throughput::Elements((count * STEPS) as u64));
    for (name, model) in [
        ("GBM", Model::Gbm { volatility: 0.2 }),
        ("Heston", heston()),
    ] {
        let simulator = simulator(model);
        let mut paths = Paths::<f32>::zeros(count, STEPS);
        group.bench_function(name, |b| b.iter(|| simulator.fill(0, &mut paths)));
    }
    group.finish();
}

fn main() {
    // The thread that is measured is the only one that works.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global()
        .expect("the first thread pool");
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    steps(&mut criterion);
    paths(&mut criterion);
    criterion.final_summary();
}
