//! How the cost of a path and date changes with the number of dates, paths and threads.
//!
//! `cargo bench --bench scale`, or one section of it: `cargo bench --bench scale -- evaluation`; the sections
//! are `evaluation`, `dates`, `paths` and `threads`. All but the last use one thread and count its CPU time;
//! `threads` counts wall time and wants an idle machine.

mod step;

use cpu_time::ThreadTime;
use deephedge::hedging::{Book, TrainedPolicy};
use deephedge::network::{Actor, Engine};
use deephedge::simd::BLOCK;
use deephedge::strategy::{Length, Plan};
use deephedge::training::train;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use step::{Step, heston, simulator};

const STEPS: usize = 30;
const HIDDEN: usize = 32;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// Median CPU seconds of `repeats` calls after one more.
fn cpu_seconds(repeats: usize, mut work: impl FnMut()) -> f64 {
    work();
    let times = (0..repeats).map(|_| {
        let start = ThreadTime::now();
        work();
        start.elapsed()
    });
    median(times.collect())
}

/// The most memory that the process has held so far, in MB; Linux alone says it.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    kilobytes.and_then(|n| n.parse().ok()).unwrap_or(f64::NAN) / 1024.0
}

/// Simulates, hedges and settles paths in f64 and in the chunks of an evaluation.
fn evaluate(step: &Step, count: usize) -> Book {
    const CHUNK: usize = 512 * BLOCK;
    let sweep = step.shape.sweep(Engine::Block, Actor::direct(1));
    let policy = TrainedPolicy {
        parameters: &step.parameters,
        features: &step.features,
        sweep: sweep.as_ref(),
    };
    let simulator = simulator(heston(), STEPS);
    let mut book = Book::default();
    for first in (0..count).step_by(CHUNK) {
        let paths = simulator
            .paths((first / BLOCK) as u64, CHUNK.min(count - first))
            .under(step.ledger.contract());
        let hedged = Book::hedge(&policy, &step.ledger, &paths);
        book.append(hedged.expect("a forward sweep"));
    }
    book
}

fn evaluation() {
    let step = Step::new(HIDDEN, STEPS, BLOCK);
    println!("| paths evaluated | s | ns per path and date | peak MB |");
    println!("|---|---|---|---|");
    for count in [1_000, 10_000, 100_000, 1_000_000] {
        let repeats = (100_000 / count).max(1);
        let seconds = cpu_seconds(repeats, || {
            black_box(evaluate(&step, count));
        });
        let each = 1e9 * seconds / (count * STEPS) as f64;
        let memory = peak_memory();
        println!("| {count} | {seconds:.3} | {each:.0} | {memory:.0} |");
    }
}

fn dense_row(steps: usize, count: usize) {
    let step = Step::new(HIDDEN, steps, count);
    let quantile = step.quantile();
    let repeats = (20_000_000 / (steps * count)).clamp(2, 20);
    let forward = cpu_seconds(repeats, || {
        black_box(step.forward());
    });
    let dense = cpu_seconds(repeats, || step.dense(quantile));
    let [forward, dense] = [forward, dense].map(|s| 1e9 * s / (steps * count) as f64);
    let memory = peak_memory();
    println!("| {count} | {steps} | {forward:.0} | {dense:.0} | {memory:.0} |");
}

fn dates() {
    println!("| paths | dates | forward, ns per path and date | dense step, ns | peak MB |");
    println!("|---|---|---|---|---|");
    for steps in [10, 30, 100, 300, 1000] {
        dense_row(steps, 4096);
    }
}

fn paths() {
    println!("| paths | dates | forward, ns per path and date | dense step, ns | peak MB |");
    println!("|---|---|---|---|---|");
    for count in [1_000, 10_000, 100_000, 1_000_000] {
        dense_row(STEPS, count);
    }
}

/// The wall seconds that `work` gives in pools of one thread and of two.
fn one_and_two(work: impl Fn() -> f64 + Sync) -> [f64; 2] {
    [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a thread pool");
        pool.install(&work)
    })
}

fn threads() {
    println!("| wall time | one thread, ms | two threads, ms | ratio |");
    println!("|---|---|---|---|");
    let row = |name: &str, [one, two]: [f64; 2]| {
        let ratio = one / two;
        println!(
            "| {name} | {:.1} | {:.1} | {ratio:.2}× |",
            1e3 * one,
            1e3 * two
        );
    };
    for hidden in [32, 64] {
        let step = Step::new(hidden, STEPS, 4096);
        let quantile = step.quantile();
        let seconds = one_and_two(|| {
            step.dense(quantile);
            let times = (0..40).map(|_| {
                let start = Instant::now();
                step.dense(quantile);
                start.elapsed()
            });
            median(times.collect())
        });
        row(&format!("dense step, {hidden} units"), seconds);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut plan =
        Plan::load(&root.join("strategies/heston_call.toml"), |_| ()).expect("a strategy");
    plan.length = Length::Steps(40);
    plan.validation.paths = 0;
    for name in ["adam", "kfac"] {
        let optimizer = plan.optimizers.iter().find(|o| o.name == name);
        let optimizer = optimizer.expect("an optimizer of the strategy");
        let seconds = one_and_two(|| {
            let trained = train(&plan, optimizer, 1, |_| Ok(())).expect("a training run");
            // The mean, because steps differ: K-FAC renews its factors in some of them.
            let [first, .., last] = trained.points.as_slice() else {
                unreachable!("a run has its steps")
            };
            (last.seconds - first.seconds) / (trained.points.len() - 1) as f64
        });
        row(&format!("training step, {name}"), seconds);
    }
}

fn main() {
    // The thread that is measured is the only one that works, except in `threads`, which has its own.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global()
        .expect("the first thread pool");
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let sections: [(&str, fn()); 4] = [
        ("evaluation", evaluation),
        ("dates", dates),
        ("paths", paths),
        ("threads", threads),
    ];
    for (name, section) in sections {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            section();
            println!();
        }
    }
}
