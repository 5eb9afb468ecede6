//! How often to hedge: an at-the-money call hedged by its Black–Scholes delta at more and more dates, at costs of 0.1 %.
//!
//! The spread of the P&L falls like one over the square root of the number of hedges, and the costs rise like the root. The last
//! column is the spread by the rule of Kamal and Derman (1999), "When you cannot hedge continuously": √(π/4) · vega · σ/√n.
//! With many hedges the costs themselves differ from path to path, which the rule does not count.
//!
//!     cargo run --release --example hedge_frequency

use deephedge::hedging::{Book, ClassicalName, ClassicalPolicy};
use deephedge::random::Purpose;
use deephedge::risk::paired::mean_influence;
use deephedge::strategy::Plan;
use std::f64::consts::PI;

const VOLATILITY: f64 = 0.2;

fn strategy(hedges: usize) -> String {
    format!(
        r#"
        [market]
        model = "gbm"
        volatility = {VOLATILITY}

        [contract]
        expiry_days = 63
        days_per_year = 252
        steps = {hedges}

        [costs]
        proportional = 0.001
        "#
    )
}

fn main() -> deephedge::Result<()> {
    println!("hedges   mean P&L     std    cost   std by the rule");
    for hedges in [1, 3, 9, 21, 63, 252] {
        let plan = Plan::parse(&strategy(hedges), |_| {})?;
        let paths = plan
            .simulator(plan.seed, Purpose::Evaluation)
            .paths(0, 20_000)
            .under(&plan.contract);
        let policy =
            ClassicalPolicy::new(ClassicalName::BlackScholes, plan.assets(), plan.charges());
        let ledger = plan.ledger(&plan.market, plan.model_premium());
        let book = Book::hedge(&policy, &ledger, &paths)?;
        let (pnl, cost) = (mean_influence(&book.pnl), mean_influence(&book.cost));
        let std = pnl.estimate().standard_error * (book.pnl.len() as f64).sqrt();
        let vega = plan
            .market
            .greeks(
                plan.contract.legs().unwrap_or_default(),
                plan.contract.expiry,
            )
            .vega;
        let rule = (PI / 4.0).sqrt() * vega * VOLATILITY / (hedges as f64).sqrt();
        println!(
            "{hedges:>6} {:>10.3} {std:>7.3} {:>7.3} {rule:>17.3}",
            pnl.value, cost.value
        );
    }
    Ok(())
}
