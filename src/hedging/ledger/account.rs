use super::{Ledger, difference, without_exit};
use crate::contract::{Charge, Cost};
use crate::market::{PathBlock, until};
use crate::simd::{BLOCK, Lane};

/// Gains, costs and payments of a block of hedged contracts from the sale up to each of the `steps + 1` dates.
///
/// At the last date the P&L of [`Ledger::settle`] is premium·B₀ − paid + gain − cost + financing, with its cost.
///
/// # Units
/// Money at expiry.
#[derive(Debug, Clone)]
pub struct Account {
    /// The gains up to each date, `[steps + 1][BLOCK]`.
    pub gain: Vec<Lane<f64>>,
    /// The costs up to each date, that of the trade on it among them, `[steps + 1][BLOCK]`.
    pub cost: Vec<Lane<f64>>,
    /// What the contract has paid up to each date, on it too, `[steps + 1][BLOCK]`.
    pub paid: Vec<Lane<f64>>,
    /// What financing has earned up to each date beyond the rate, below 0 where it costs, `[steps + 1][BLOCK]`.
    pub financing: Vec<Lane<f64>>,
}

impl Ledger {
    /// The gains, costs and payments of `positions` on one block, date by date.
    pub fn account(&self, block: &PathBlock<'_, f64>, positions: &[Lane<f64>]) -> Account {
        let (count, steps) = (self.instruments.len(), block.steps());
        let zero = [0.0; BLOCK];
        let mut account = Account {
            gain: vec![zero; steps + 1],
            cost: vec![zero; steps + 1],
            paid: vec![zero; steps + 1],
            financing: vec![zero; steps + 1],
        };
        if let Some(cash) = self.cash(block, positions) {
            for (t, earned) in cash.earned.iter().enumerate() {
                for lane in 0..BLOCK {
                    account.financing[t + 1][lane] = account.financing[t][lane] + earned[lane];
                }
            }
        }
        for (due, payment) in self.due.iter().zip(block.payments()) {
            for paid in &mut account.paid[*due..] {
                for lane in 0..BLOCK {
                    paid[lane] += payment[lane] * self.growth[*due];
                }
            }
        }
        for (index, traded) in self.instruments.iter().enumerate() {
            let quoted = block.quoted(index);
            let (mut gain, mut cost, mut held) = (zero, zero, zero);
            for t in 0..=steps {
                let target = match t < steps {
                    true => until(block.end(), t, positions[t * count + index]),
                    false if traded.closed => zero,
                    false => held,
                };
                let mut trade = difference(&target, &held);
                without_exit(self.free_exit(block), t, &mut trade);
                for lane in 0..BLOCK {
                    let at = quoted.at::<Charge>(t, lane);
                    cost[lane] += traded.charge.cost(trade[lane], &at) * self.cost_growth[t];
                    account.gain[t][lane] += gain[lane];
                    account.cost[t][lane] += cost[lane];
                }
                if t < steps {
                    let period = self.gain(traded.instrument, quoted.price, t);
                    for lane in 0..BLOCK {
                        gain[lane] += target[lane] * period[lane];
                    }
                }
                held = target;
            }
        }
        account
    }
}
