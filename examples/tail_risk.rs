//! CVaR with its standard error: how many paths a tail needs.
//!
//! The CVaR of a level α rests on a share 1 − α of the paths, so its error is a few times that of the mean. It falls with the square
//! root of the number of paths. Hedging takes most of the tail away, and costs move all of the P&L.
//!
//!     cargo run --release --example tail_risk

use deephedge::hedging::{Book, ClassicalName, ClassicalPolicy};
use deephedge::random::Purpose;
use deephedge::risk::paired::{cvar_influence, mean_influence};
use deephedge::strategy::Plan;

const STRATEGY: &str = r#"
    [market]
    model = "merton"
    volatility = 0.16
    jump_intensity = 1.0
    log_jump_mean = -0.1
    log_jump_std = 0.05

    [contract]
    type = "put"
    strike = { moneyness = 0.95 }
    expiry_days = 21
    days_per_year = 252

    [costs]
    proportional = 0.001
"#;

fn main() -> deephedge::Result<()> {
    let plan = Plan::parse(STRATEGY, |_| {})?;
    let simulator = plan.simulator(plan.seed, Purpose::Evaluation);
    let ledger = plan.ledger(&plan.market, plan.model_premium());
    println!(
        "{:<14} {:>7}  {:<18} {:<18} CVaR 99 %",
        "hedge", "paths", "mean P&L", "CVaR 95 %"
    );
    for (name, hedge) in [
        ("none", ClassicalName::Naked),
        ("Black–Scholes", ClassicalName::BlackScholes),
    ] {
        for count in [1_000, 10_000, 100_000] {
            let policy = ClassicalPolicy::new(hedge, plan.assets(), plan.charges());
            let book = Book::hedge(
                &policy,
                &ledger,
                &simulator.paths(0, count).under(&plan.contract),
            )?;
            let cells = [
                mean_influence(&book.pnl),
                cvar_influence(&book.pnl, 0.95),
                cvar_influence(&book.pnl, 0.99),
            ]
            .map(|statistic| statistic.estimate())
            .map(|found| format!("{:.3} ± {:.3}", found.value, found.standard_error));
            let [mean, tail, far_tail] = cells;
            println!("{name:<14} {count:>7}  {mean:<18} {tail:<18} {far_tail}");
        }
    }
    Ok(())
}
