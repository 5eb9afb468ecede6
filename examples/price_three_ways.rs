//! A Heston call priced three ways: by its formula, by simulation, and by simulation with a hedge that takes the noise out.
//!
//! A hedge without costs is a bet of mean zero. It leaves the mean of the seller's loss, which is the price, where it is, and
//! makes its standard error far smaller: the Black–Scholes delta is a control variate, also where Black–Scholes is wrong.
//!
//!     cargo run --release --example price_three_ways

use deephedge::hedging::{Book, ClassicalName, ClassicalPolicy};
use deephedge::random::Purpose;
use deephedge::risk::Estimate;
use deephedge::risk::paired::mean_influence;
use deephedge::strategy::Plan;

const STRATEGY: &str = r#"
    [market]
    model = "heston"
    v0 = 0.04
    kappa = 1.5
    theta = 0.04
    sigma = 0.3
    rho = -0.7

    [contract]
    expiry_days = 30
    days_per_year = 252
"#;
const PATHS: usize = 50_000;

fn main() -> deephedge::Result<()> {
    let plan = Plan::parse(STRATEGY, |_| {})?;
    let paths = plan
        .simulator(plan.seed, Purpose::Pricing)
        .paths(0, PATHS)
        .under(&plan.contract);
    // Sold for nothing, traded for nothing: what the seller loses on average is the price.
    let ledger = plan.ledger_without_costs(&plan.market);
    let price = |hedge| -> deephedge::Result<Estimate> {
        let policy = ClassicalPolicy::new(hedge, plan.assets(), vec![Default::default()]);
        let book = Book::hedge(&policy, &ledger, &paths)?;
        let losses: Vec<f64> = book.pnl.iter().map(|pnl| -pnl).collect();
        Ok(mean_influence(&losses).estimate())
    };
    let (plain, hedged) = (
        price(ClassicalName::Naked)?,
        price(ClassicalName::BlackScholes)?,
    );
    println!("formula     {:.4}", plan.model_price(&mut || Ok(()))?.value);
    println!(
        "simulated   {:.4} ± {:.4}",
        plain.value, plain.standard_error
    );
    println!(
        "hedged      {:.4} ± {:.4}",
        hedged.value, hedged.standard_error
    );
    Ok(())
}
