//! What a policy pays under costs that it was not trained on: one hedger for each kind of cost, each tested under all of them.
//!
//! The three costs are such that the Black–Scholes delta pays about the same under each. Rows are what a hedger was trained on,
//! columns what it is tested under; a cell is CVaR at 95 % of the loss, and the mean cost.
//!
//!     cargo run --release --example other_costs

use deephedge::hedging::{Book, ClassicalName, ClassicalPolicy, Policy, TrainedPolicy};
use deephedge::random::Purpose;
use deephedge::risk::cvar;
use deephedge::strategy::Plan;
use deephedge::training::train;

const STRATEGY: &str = r#"
    [market]
    model = "gbm"
    volatility = 0.2

    [contract]
    expiry_days = 30
    days_per_year = 252
    premium = 0.0

    [training]
    steps = 200
    paths = 4096
    validation_paths = 0

    [optimizers.kfac]

    [costs]
"#;
const COSTS: [(&str, &str); 3] = [
    ("proportional", "proportional = 0.005"),
    (
        "square root",
        "square_root = 1.0\ndaily_volume = 1_000\ncontracts = 586",
    ),
    ("fixed", "fixed = 0.0442"),
];
const PATHS: usize = 100_000;

fn main() -> deephedge::Result<()> {
    let plans = COSTS.map(|(_, costs)| Plan::parse(&format!("{STRATEGY}{costs}"), |_| {}));
    let plans: Vec<Plan> = plans.into_iter().collect::<Result<_, _>>()?;
    let tested = |policy: &dyn Policy| -> deephedge::Result<String> {
        let mut cells = String::new();
        for plan in &plans {
            let paths = plan.simulator(plan.seed, Purpose::Evaluation);
            let paths = paths.paths_with::<f64>(&*plan.quotes()?, 0, PATHS);
            let book = Book::hedge(policy, &plan.ledger(&plan.market, 0.0), &paths)?;
            let cost = book.cost.iter().sum::<f64>() / PATHS as f64;
            cells.push_str(&format!(" {:>8.3} ({cost:.3})", cvar(&book.pnl, 0.95)));
        }
        Ok(cells)
    };
    print!("{:<14}", "trained on");
    for (name, _) in COSTS {
        print!(" {name:>16}");
    }
    println!();
    for (plan, (name, _)) in plans.iter().zip(COSTS) {
        let trained = train(plan, &plan.optimizers[0], plan.seed, |_| Ok(()))?;
        let sweep = plan.sweep();
        let hedger = TrainedPolicy {
            parameters: &trained.parameters,
            features: &plan.features,
            sweep: sweep.as_ref(),
        };
        println!("{name:<14}{}", tested(&hedger)?);
    }
    let delta = ClassicalPolicy::new(
        ClassicalName::BlackScholes,
        plans[0].assets(),
        plans[0].charges(),
    );
    println!("{:<14}{}", "delta", tested(&delta)?);
    Ok(())
}
