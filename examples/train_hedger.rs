//! Trains a small hedger with K-FAC in a few seconds and prints what it holds, beside the Black–Scholes delta.
//!
//! Every path goes from 100 to its spot in a straight line over the first half of the option's life; shown are the hedge ratios
//! there. With costs the hedger holds more than the delta where the option is out of the money, and less where it is in it.
//!
//!     cargo run --release --example train_hedger

use deephedge::hedging::{ClassicalName, ClassicalPolicy, Policy, TrainedPolicy};
use deephedge::market::Paths;
use deephedge::strategy::Plan;
use deephedge::training::train;

const STRATEGY: &str = r#"
    [market]
    model = "gbm"
    volatility = 0.2

    [contract]
    expiry_days = 20
    days_per_year = 252

    [costs]
    proportional = 0.005

    [policy]
    hidden = 16

    [training]
    steps = 150
    paths = 2048
    validation_paths = 0

    [optimizers.kfac]
"#;
const SPOTS: [f64; 9] = [92.0, 94.0, 96.0, 98.0, 100.0, 102.0, 104.0, 106.0, 108.0];

fn main() -> deephedge::Result<()> {
    let plan = Plan::parse(STRATEGY, |_| {})?;
    let trained = train(&plan, &plan.optimizers[0], plan.seed, |_| Ok(()))?;
    let (first, last) = (
        &trained.points[0],
        &trained.points[trained.points.len() - 1],
    );
    println!(
        "CVaR 95 % on training batches: {:.2} at first, {:.2} in the end",
        first.risk, last.risk
    );

    let (steps, half) = (plan.contract.steps, plan.contract.steps / 2);
    let spots = SPOTS.map(|spot| -> Vec<f64> {
        let share = |t: usize| t.min(half) as f64 / half as f64;
        (0..=steps)
            .map(|t| 100.0 + share(t) * (spot - 100.0))
            .collect()
    });
    let variances = vec![0.04; steps + 1];
    let paths = Paths::from_rows(steps, spots.iter().map(|spot| (&spot[..], &variances[..])));

    let sweep = plan.sweep();
    let hedger = TrainedPolicy {
        parameters: &trained.parameters,
        features: &plan.features,
        sweep: sweep.as_ref(),
    };
    let delta = ClassicalPolicy::new(ClassicalName::BlackScholes, plan.assets(), plan.charges());
    // The paths fill one block, the spot is the only instrument: a lane of positions at every date.
    let ours = hedger.positions(&plan.contract, &paths)?[half];
    let theirs = delta.positions(&plan.contract, &paths)?[half];
    println!(" spot  trained  Black–Scholes");
    for (path, spot) in SPOTS.iter().enumerate() {
        println!("{spot:>5} {:>8.3} {:>14.3}", ours[path], theirs[path]);
    }
    Ok(())
}
