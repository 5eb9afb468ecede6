//! Steps of a training that ranks share. `mpirun -n 2 … ranks STRATEGY OPTIMIZER PATHS STEPS` prints the time of a step, over the
//! second half of the steps, and what it communicates. With a number of RANKS behind, these are threads of this process, and the
//! processor time of all of them together is printed too: what it is above that of one rank they do twice. `ranks network`
//! measures what messages and collectives of several sizes take.

use cpu_time::ProcessTime;
use deephedge::distributed::{self, Ranks, Statistics, threads};
use deephedge::network::Parameters;
use deephedge::strategy::Plan;
use deephedge::training::{Simulated, Training};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

/// What a step took: seconds, processor seconds of the process, and communication.
type Taken = (f64, f64, Statistics);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "network") {
        network(&distributed::world().expect("ranks"));
        return distributed::finish(0);
    }
    let [strategy, optimizer, paths, steps, ranks @ ..] = &arguments[..] else {
        println!("needs STRATEGY OPTIMIZER PATHS STEPS, under mpirun or with a number of RANKS");
        return;
    };
    let number = |text: &String| text.parse::<usize>().expect("a number");
    let (paths, steps) = (number(paths), number(steps));
    let plan = Plan::load(Path::new(strategy), |strategy| {
        strategy.optimizers.retain(|name, _| name == optimizer);
        strategy.training.paths = paths;
        strategy.training.steps = steps;
        strategy.training.validation_paths = 0;
    });
    let plan = plan.expect("a strategy");
    match ranks.first() {
        Some(count) => {
            threads::run(number(count), |ranks| train(&plan, &ranks));
        }
        None => {
            let ranks = distributed::world().expect("ranks");
            train(&plan, &ranks);
            distributed::finish(0);
        }
    }
}

fn train(plan: &Plan, ranks: &Ranks) {
    let plan = plan.with_ranks(ranks.clone());
    let simulated = Simulated::new(&plan, plan.seed);
    let initial = Parameters::random(plan.shape.maps(), plan.seed).expect("weights");
    let (optimizer, sources) = (&plan.optimizers[0], simulated.sources());
    let mut training = Training::new(&plan, optimizer, sources, initial).expect("a training");
    let mut taken: Vec<Taken> = Vec::new();
    while !training.is_over() {
        let (begun, cpu) = (Instant::now(), ProcessTime::now());
        let before = ranks.statistics();
        training.advance().expect("a step");
        taken.push((
            begun.elapsed().as_secs_f64(),
            cpu.elapsed().as_secs_f64(),
            ranks.statistics() - before,
        ));
    }
    let memory = ranks.in_order(vec![peak_memory()]);
    if ranks.is_first() {
        report(&taken[taken.len() / 2..], ranks.size());
        println!("MB of each rank at most: {memory:.0?}");
        let risk = training.points().last().map(|point| point.risk);
        println!("risk of the last batch {risk:?}");
    }
}

fn report(taken: &[Taken], ranks: usize) {
    let mean = |of: &dyn Fn(&Taken) -> f64| taken.iter().map(of).sum::<f64>() / taken.len() as f64;
    let mut times: Vec<f64> = taken.iter().map(|(time, ..)| *time).collect();
    times.sort_by(f64::total_cmp);
    println!(
        "{ranks} ranks: {:.2} ms a step (least {:.2}, median {:.2}), {:.2} ms in collectives, {:.2} ms of processors; {:.1} calls, {:.0} bytes",
        1e3 * mean(&|(time, ..)| *time),
        1e3 * times[0],
        1e3 * times[times.len() / 2],
        1e3 * mean(&|(.., said)| said.seconds),
        1e3 * mean(&|(_, cpu, _)| *cpu),
        mean(&|(.., said)| said.calls as f64),
        mean(&|(.., said)| said.bytes as f64),
    );
}

/// The most memory that the process has held so far, in MB; Linux alone says it.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    kilobytes.and_then(|n| n.parse().ok()).unwrap_or(f64::NAN) / 1024.0
}

/// Microseconds of a message, half of the way there and back between the first two ranks, of a broadcast, of a gathering in
/// which every rank has so many bytes, and of a sum of so many bytes over two runs a rank; medians.
fn network(ranks: &Ranks) {
    const REPEATS: usize = 51;
    let median = |work: &dyn Fn()| {
        let mut times: Vec<f64> = (0..REPEATS)
            .map(|_| {
                ranks.any(false);
                let begun = Instant::now();
                work();
                begun.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        1e6 * times[REPEATS / 2]
    };
    if ranks.is_first() {
        println!(
            "{} ranks\nbytes message broadcast gather sum (µs)",
            ranks.size()
        );
    }
    for power in [3, 10, 13, 16, 18, 20, 22, 24] {
        let bytes = vec![1u8; 1 << power];
        let receive = || while ranks.receive().is_none() {};
        let message = median(&|| match ranks.rank() {
            0 if ranks.size() > 1 => {
                ranks.send(1, &bytes);
                receive();
            }
            1 => {
                receive();
                ranks.send(0, &bytes);
            }
            _ => (),
        });
        let broadcast = median(&|| {
            black_box(ranks.broadcast(0, bytes.clone()));
        });
        let gather = median(&|| {
            black_box(ranks.gather(&bytes));
        });
        let sum = median(&|| {
            black_box(ranks.sums(2 * ranks.size(), 1, &[bytes.len() / 8], |_, _| ()));
        });
        if ranks.is_first() {
            let message = message / 2.0;
            println!(
                "{} {message:.1} {broadcast:.1} {gather:.1} {sum:.1}",
                bytes.len()
            );
        }
    }
}
