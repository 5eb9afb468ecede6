//! Steps of a training that ranks share: `mpirun -n 2 … ranks STRATEGY OPTIMIZER PATHS STEPS` prints the median time of a step, that
//! of the last steps in which nothing is set up any more, and what it communicates.

use deephedge::distributed::{self, Statistics};
use deephedge::network::Parameters;
use deephedge::strategy::Plan;
use deephedge::training::{Simulated, Training};
use std::path::Path;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [strategy, optimizer, paths, steps] = &arguments[..] else {
        println!("needs STRATEGY OPTIMIZER PATHS STEPS, under mpirun");
        return;
    };
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let (paths, steps) = (number(paths), number(steps));
    let ranks = distributed::world().expect("ranks");
    let plan = Plan::load(Path::new(strategy), |strategy| {
        strategy.optimizers.retain(|name, _| name == optimizer);
        strategy.training.paths = paths;
        strategy.training.steps = steps;
        strategy.training.validation_paths = 0;
    });
    let plan = plan.expect("a strategy").with_ranks(ranks.clone());
    let simulated = Simulated::new(&plan, plan.seed);
    let initial = Parameters::random(plan.shape.maps(), plan.seed).expect("weights");
    let optimizer = &plan.optimizers[0];
    let mut training =
        Training::new(&plan, optimizer, simulated.sources(), initial).expect("a training");
    let mut taken: Vec<(f64, Statistics)> = Vec::new();
    for _ in 0..steps {
        let (begun, before) = (Instant::now(), ranks.statistics());
        training.advance().expect("a step");
        taken.push((begun.elapsed().as_secs_f64(), ranks.statistics() - before));
    }
    if ranks.is_first() {
        let later = &taken[steps / 2..];
        let mean = |of: &dyn Fn(&(f64, Statistics)) -> f64| {
            later.iter().map(of).sum::<f64>() / later.len() as f64
        };
        let mut times: Vec<f64> = later.iter().map(|(time, _)| *time).collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{} ranks: {:.2} ms a step (least {:.2}, median {:.2}), of them {:.2} ms in collectives; {:.1} calls, {:.0} bytes",
            ranks.size(),
            1e3 * mean(&|(time, _)| *time),
            1e3 * times[0],
            1e3 * times[times.len() / 2],
            1e3 * mean(&|(_, said)| said.seconds),
            mean(&|(_, said)| said.calls as f64),
            mean(&|(_, said)| said.bytes as f64),
        );
        let risk = training.points().last().map(|point| point.risk);
        println!("risk of the last batch {risk:?}");
    }
    distributed::finish(0);
}
