use super::{Ledger, Traded, difference, without_exit};
use crate::market::{PathBlock, until};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch};

/// What a block of hedged contracts came to.
#[derive(Debug, Clone, Copy)]
pub struct Settlement<R> {
    /// The P&L, in currency at expiry.
    pub pnl: Lane<R>,
    /// The costs, in currency at expiry.
    pub cost: Lane<R>,
    /// Traded value over the spot of the first asset at the start, undiscounted.
    pub turnover: Lane<R>,
}

impl Ledger {
    /// Settles `positions` on one block, on which the contract was observed.
    pub fn settle<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        positions: &[Lane<R>],
    ) -> Settlement<R> {
        dispatch(Settle {
            ledger: self,
            block,
            positions,
        })
    }
}

/// [`Ledger::settle`]
struct Settle<'a, R> {
    ledger: &'a Ledger,
    block: &'a PathBlock<'a, R>,
    positions: &'a [Lane<R>],
}

impl<R: Real> Kernel for Settle<'_, R> {
    type Output = Settlement<R>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) -> Settlement<R> {
        let Self {
            ledger,
            block,
            positions,
        } = self;
        let instruments = &ledger.instruments;
        let (count, steps, end) = (instruments.len(), block.steps(), block.end());
        debug_assert_eq!(positions.len(), steps * count);
        assert_eq!(
            block.payments().len(),
            ledger.due.len(),
            "the contract was observed"
        );
        let zero = [R::ZERO; BLOCK];
        let (mut pnl, mut cost, mut turnover) = (zero, zero, zero);
        let mut inverse_start = zero;
        let free = ledger.free_exit(block);
        for lane in 0..BLOCK {
            pnl[lane] = R::of(ledger.at_expiry(ledger.premium(block, lane)));
            inverse_start[lane] = R::ONE / block.spot[0][lane];
        }
        for (due, payment) in ledger.due.iter().zip(block.payments()) {
            let growth = R::of(ledger.growth[*due]);
            for lane in 0..BLOCK {
                pnl[lane] -= payment[lane] * growth;
            }
        }
        for (index, traded) in instruments.iter().enumerate() {
            let Traded {
                instrument,
                charge,
                closed,
            } = *traded;
            let dates = if closed { steps + 1 } else { steps };
            let price = block.price(index);
            let held_over = |t: usize| until(end, t, positions[t * count + index]);
            for t in 0..dates {
                let held = if t == 0 { zero } else { held_over(t - 1) };
                let target = if t == steps { zero } else { held_over(t) };
                let (growth, price) = (R::of(ledger.growth[t]), price[t]);
                let mut trade = difference(&target, &held);
                without_exit(free, t, &mut trade);
                for lane in 0..BLOCK {
                    cost[lane] += charge.cost(trade[lane], price[lane]) * growth;
                    turnover[lane] += trade[lane].abs() * price[lane] * inverse_start[lane];
                }
            }
            for t in 0..steps {
                let (held, gain) = (held_over(t), ledger.gain(instrument, price, t));
                for lane in 0..BLOCK {
                    pnl[lane] += held[lane] * gain[lane];
                }
            }
        }
        for lane in 0..BLOCK {
            pnl[lane] -= cost[lane];
        }
        Settlement {
            pnl,
            cost,
            turnover,
        }
    }
}
