//! CPU time of what training spends its time on, with one thread.
//!
//! `cargo bench --bench sweep`, on a quiet core `taskset -c 1 cargo bench --bench sweep`.

#[path = "peers/candle_lstm.rs"]
mod candle_lstm;
mod step;

use candle_lstm::CandleStep;
use cpu_time::ThreadTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, SamplingMode, Throughput};
use deephedge::contract::expression::{Grid, Program, Sheet};
use deephedge::contract::{Observed, Spots};
use deephedge::market::model::{
    SurfaceBootstrapParameters, SurfaceGarchParameters, SurfaceHestonParameters,
};
use deephedge::market::{
    Asset, Assets, Correlation, GbmParameters, Layout, Model, PastSurfaces, Paths, Simulator,
};
use deephedge::network::NetworkName;
use deephedge::pricing::SurfaceFactors;
use deephedge::risk::{Measure, Risk};
use deephedge::simd::BLOCK;
use std::time::Duration;
use step::{Step, heston, simulator};

const PATHS: usize = 4096;
const STEPS: usize = 30;

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

fn steps(criterion: &mut Criterion<CpuTime>) {
    for hidden in [32, 64] {
        let step = Step::new(hidden, STEPS, PATHS);
        let mut group = criterion.benchmark_group(format!("H{hidden}"));
        group.sampling_mode(SamplingMode::Flat);
        group.throughput(Throughput::Elements((PATHS * STEPS) as u64));
        group.bench_function("forward", |b| b.iter(|| step.forward()));
        let quantile = step.quantile();
        group.bench_function("dense", |b| b.iter(|| step.dense(quantile)));
        group.bench_function("tail", |b| b.iter(|| step.tail()));
        // Curvature from none of the paths, a quarter and all of them: with a measure whose weights are zero on most
        // paths, with one that weighs all of them, and without the lag-1 moments of the chain.
        let tail = Risk::cvar(step::LEVEL);
        let all = Risk::from(Measure::Entropic { aversion: 0.1 });
        for (name, risk, share, lags) in [
            ("adam-tail", tail, 0, 0),
            ("adam-dense", all, 0, 0),
            ("kfac-tail-quarter", tail, 4, 2),
            ("kfac-dense-quarter", all, 4, 2),
            ("kfac-dense-all", all, 1, 2),
            ("kfac-dense-all-expand", all, 1, 1),
        ] {
            group.bench_function(name, |b| {
                b.iter(|| step.kfac(risk, PATHS.checked_div(share).unwrap_or(0), lags))
            });
        }
        let candle = CandleStep::new(hidden, &step.paths).expect("a candle model");
        group.bench_function("candle", |b| b.iter(|| candle.gradient().expect("a step")));
        group.finish();
    }
}

/// The steps that `steps` measures for the LSTM, for every network; the perceptron has three layers.
fn networks(criterion: &mut Criterion<CpuTime>) {
    for (name, network) in NetworkName::ALL {
        let layers = if *name == "mlp" { 3 } else { 1 };
        let step = Step::of(*network, (32, layers), STEPS, PATHS);
        let mut group = criterion.benchmark_group(format!("network-{name}"));
        group.sampling_mode(SamplingMode::Flat);
        group.throughput(Throughput::Elements((PATHS * STEPS) as u64));
        group.bench_function("forward", |b| b.iter(|| step.forward()));
        let quantile = step.quantile();
        group.bench_function("dense", |b| b.iter(|| step.dense(quantile)));
        group.bench_function("tail", |b| b.iter(|| step.tail()));
        group.finish();
    }
}

/// The product of two square matrices with the `gemm` crate: what one core can do.
fn product(criterion: &mut Criterion<CpuTime>) {
    const SIZE: usize = 1024;
    let mut group = criterion.benchmark_group("gemm");
    // In operations, so that criterion's elements per second are FLOP/s.
    group.throughput(Throughput::Elements(2 * (SIZE as u64).pow(3)));
    let (left, right) = (vec![0.5_f32; SIZE * SIZE], vec![0.25_f32; SIZE * SIZE]);
    let mut out = vec![0.0_f32; SIZE * SIZE];
    let stride = SIZE as isize;
    group.bench_function("1024", |b| {
        b.iter(|| {
            // SAFETY: the three slices hold SIZE rows of SIZE numbers each.
            unsafe {
                gemm::gemm(
                    SIZE,
                    SIZE,
                    SIZE,
                    out.as_mut_ptr(),
                    stride,
                    1,
                    false,
                    left.as_ptr(),
                    stride,
                    1,
                    right.as_ptr(),
                    stride,
                    1,
                    0.0,
                    1.0,
                    false,
                    false,
                    false,
                    gemm::Parallelism::None,
                );
            }
        })
    });
    group.finish();
}

fn paths(criterion: &mut Criterion<CpuTime>) {
    let count = 65_536;
    let mut group = criterion.benchmark_group("paths");
    group.throughput(Throughput::Elements((count * STEPS) as u64));
    for (name, model) in [
        ("GBM", Model::from(GbmParameters { volatility: 0.2 })),
        ("Heston", heston()),
    ] {
        let simulator = simulator(model, STEPS);
        let mut paths = Paths::<f32>::zeros(count, STEPS);
        group.bench_function(name, |b| b.iter(|| simulator.fill(0, &mut paths)));
        // As many rows in all, so that memory is no part of the comparison.
        for assets in [2, 5] {
            let simulator = several(&simulator, assets);
            let layout = Layout::new(assets, STEPS);
            let mut paths = Paths::<f32>::with_layout(count / assets, layout);
            group.throughput(Throughput::Elements(
                (count / assets * assets * STEPS) as u64,
            ));
            group.bench_function(format!("{name}-{assets}-assets"), |b| {
                b.iter(|| simulator.fill(0, &mut paths))
            });
        }
        group.throughput(Throughput::Elements((count * STEPS) as u64));
    }
    group.finish();
}

/// The same simulator for so many assets of its market, correlated by one half.
fn several(simulator: &Simulator, count: usize) -> Simulator {
    let market = simulator.assets.first();
    let asset = |number: usize| Asset {
        name: number.to_string(),
        market: market.clone(),
    };
    let entry = |i: usize, j: usize| if i == j { 1.0 } else { 0.5 };
    let rows = (0..count).map(|i| (0..count).map(|j| entry(i, j)).collect());
    let correlation = Correlation::new(rows.collect()).expect("a correlation matrix");
    let assets = Assets::new((0..count).map(asset).collect(), correlation);
    Simulator {
        assets: assets.expect("a row for every asset"),
        ..simulator.clone()
    }
}

/// What a contract makes of paths that are there: payments and running values.
fn contracts(criterion: &mut Criterion<CpuTime>) {
    let count = 8_192;
    let mut group = criterion.benchmark_group("contracts");
    group.throughput(Throughput::Elements((count * STEPS) as u64));
    let model = Model::from(GbmParameters { volatility: 0.2 });
    let paths = simulator(model, STEPS).paths::<f32>(0, count);
    for (name, text) in [
        ("call", "max(S - 100, 0)"),
        ("down-and-out", "when(lowest(S) <= 90, 0, max(S - 100, 0))"),
        ("average", "max(average(S) - 100, 0)"),
        (
            "cliquet",
            "clamp(sum(clamp(S / previous(S) - 1, -0.02, 0.03), weekly), 0, 0.12)",
        ),
        ("variance", "sum(ln(S / previous(S)) ^ 2)"),
    ] {
        let sheet = Sheet::payoff("payoff", text, []).expect("a payoff");
        let grid = Grid::new(STEPS, 1.0 / 365.0, 365.0);
        let program = Program::new(&sheet, &["x".to_owned()], grid).expect("a program");
        let mut payments = vec![[0.0; BLOCK]; program.due().len()];
        let mut state = vec![[0.0; BLOCK]; program.accumulators().len() * (STEPS + 1)];
        group.bench_function(name, |b| {
            b.iter(|| {
                for block in 0..paths.blocks() {
                    let out = Observed {
                        payments: &mut payments,
                        end: &mut [],
                        state: &mut state,
                    };
                    let spots = Spots::new(paths.block(block).spot, STEPS + 1, STEPS + 1);
                    program
                        .observe(spots, &[], None, out)
                        .expect("finite payments");
                }
            })
        });
    }
    group.finish();
}

/// Drawing months of days of models with an implied-volatility surface, beside Heston's without one. Their past is made of waves.
fn surface_markets(criterion: &mut Criterion<CpuTime>) {
    const DAYS: usize = 2520;
    let wave = |day: usize, period: f64| (day as f64 / period).sin();
    let closes: Vec<f64> = (0..DAYS)
        .map(|day| 100.0 * (0.1 * wave(day, 40.0) + 0.02 * wave(day, 0.7)).exp())
        .collect();
    let surfaces: Vec<SurfaceFactors> = (0..DAYS)
        .map(|day| SurfaceFactors {
            level: 0.2 - 0.05 * wave(day, 40.0) + 0.01 * wave(day, 0.9),
            slope: 0.02 * wave(day, 17.0) + 0.005 * wave(day, 0.8),
            moneyness: 0.2 + 0.05 * wave(day, 90.0) + 0.01 * wave(day, 0.6),
            smile: -0.03 + 0.01 * wave(day, 55.0) + 0.003 * wave(day, 0.5),
            smirk: 0.01 * wave(day, 33.0) + 0.002 * wave(day, 1.1),
        })
        .collect();
    let past = PastSurfaces::new(&closes, &surfaces).expect("a past of waves");
    let of_past = |model: Model| model.of_past(&past).expect("a market of waves").parameters;
    let surface_heston = SurfaceHestonParameters {
        v0: 0.04,
        kappa: 4.0,
        theta: 0.04,
        sigma: 0.6,
        rho: -0.7,
        realised: 0.9,
        skew_years: 0.04,
    };
    let models: [(&str, Model); 4] = [
        ("heston", heston()),
        (
            "surface_bootstrap",
            of_past(SurfaceBootstrapParameters::default().into()),
        ),
        ("surface", of_past(SurfaceGarchParameters::default().into())),
        ("surface_heston", surface_heston.into()),
    ];
    let mut group = criterion.benchmark_group("surface markets");
    let count = 12_000;
    group.throughput(Throughput::Elements(count as u64));
    for (name, model) in models {
        let simulator = Simulator {
            dt: 1.0 / 252.0,
            ..simulator(model, 21)
        };
        let mut paths: Paths<f32> = simulator.paths(0, count);
        group.bench_function(name, |bench| bench.iter(|| simulator.fill(0, &mut paths)));
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
    networks(&mut criterion);
    product(&mut criterion);
    paths(&mut criterion);
    contracts(&mut criterion);
    surface_markets(&mut criterion);
    criterion.final_summary();
}
