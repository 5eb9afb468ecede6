//! What hedges are tuned for.

use super::{HedgeValidation, PATHS};
use crate::hedging::{Book, HedgeValues};
use crate::random::Purpose;
use crate::strategy::Plan;

/// The risk that hedges of a family are tuned for is that of P&L in which every contract is sold for its own premium, as in training and on
/// test paths. A premium of one contract moves no risk from another.
#[test]
fn contracts_of_a_family_are_tuned_at_their_own_premiums() {
    let text = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nstrike = [85, 115]\nexpiry_days = 10\nsteps = 5\n\
        [costs]\nproportional = 0.01\n[evaluation]\nhedges = [\"naked\", \"whalley_wilmott\"]\n";
    let plan = Plan::parse(text, |_| {}).unwrap();
    let policy = |hedge| plan.classical(hedge, &plan.assets(), HedgeValues::default());
    let validation = HedgeValidation::simulated(&plan).unwrap();
    let paths = plan
        .simulator(plan.seed, Purpose::Validation)
        .paths_with::<f64>(&plan.quotes().unwrap(), 0, PATHS);
    let risk = |hedge: &crate::hedging::ClassicalPolicy<'_>, ledger| {
        let book = Book::hedge(hedge, &ledger, &paths).unwrap();
        plan.risk.evaluate(&book.pnl).value
    };
    for tuned in validation.tune(&policy, &mut || Ok(())).unwrap() {
        let hedge = policy(tuned.hedge).with_values(tuned.values);
        assert_eq!(tuned.risk, risk(&hedge, plan.ledger_of_sale()));
        // The mean premium for all of them is another risk by far.
        let alike = plan.ledger(&plan.market, plan.model_premium());
        assert!((tuned.risk - risk(&hedge, alike)).abs() > 0.2);
    }
}
