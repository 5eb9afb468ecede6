use super::{Ledger, difference, without_exit};
use crate::contract::Cost;
use crate::market::{PathBlock, until};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch};

/// What a block of hedged contracts came to.
#[derive(Debug, Clone, Copy)]
pub struct Settlement<R> {
    /// The P&L, in currency at expiry.
    pub pnl: Lane<R>,
    /// The costs of trades, in currency at expiry; what financing costs is in the P&L alone.
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
        let mut settled = dispatch(Settle {
            ledger: self,
            block,
            positions,
        });
        if self.financing.is_some() {
            let financed = self.financed(block, positions);
            for lane in 0..BLOCK {
                settled.pnl[lane] += financed[lane];
            }
        }
        settled
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
        let count = ledger.instruments.len();
        debug_assert_eq!(positions.len(), block.steps() * count);
        assert_eq!(
            block.payments().len(),
            ledger.due.len(),
            "the contract was observed"
        );
        let zero = [R::ZERO; BLOCK];
        let (mut pnl, mut cost, mut turnover) = (zero, zero, zero);
        for lane in 0..BLOCK {
            pnl[lane] = R::of(ledger.at_expiry(ledger.premium(block, lane)));
        }
        for (due, payment) in ledger.due.iter().zip(block.payments()) {
            let growth = R::of(ledger.growth[*due]);
            for lane in 0..BLOCK {
                pnl[lane] -= payment[lane] * growth;
            }
        }
        for (index, traded) in ledger.instruments.iter().enumerate() {
            let totals = (&mut cost, &mut turnover);
            match traded.plain(block) {
                Some(linear) => self.trade(index, linear, totals),
                None => self.trade(index, traded.charge, totals),
            }
            let price = block.price(index);
            for t in 0..block.steps() {
                let held = until(block.end(), t, positions[t * count + index]);
                let gain = ledger.gain(traded.instrument, price, t);
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

impl<R: Real> Settle<'_, R> {
    /// Adds costs and turnover of all trades in instrument number `index`, each of which costs `charge`.
    #[inline(always)]
    fn trade<C: Cost>(
        &self,
        index: usize,
        charge: C,
        (cost, turnover): (&mut Lane<R>, &mut Lane<R>),
    ) {
        let Self {
            ledger,
            block,
            positions,
        } = *self;
        let (count, steps, end) = (ledger.instruments.len(), block.steps(), block.end());
        let zero = [R::ZERO; BLOCK];
        let mut inverse_start = zero;
        for lane in 0..BLOCK {
            inverse_start[lane] = R::ONE / block.spot[0][lane];
        }
        let free = ledger.free_exit(block);
        let closed = ledger.instruments[index].closed;
        let dates = if closed { steps + 1 } else { steps };
        let quoted = block.quoted(index);
        let held_over = |t: usize| until(end, t, positions[t * count + index]);
        for t in 0..dates {
            let held = if t == 0 { zero } else { held_over(t - 1) };
            let target = if t == steps { zero } else { held_over(t) };
            let growth = R::of(ledger.cost_growth[t]);
            let mut trade = difference(&target, &held);
            without_exit(free, t, &mut trade);
            for lane in 0..BLOCK {
                let at = quoted.at::<C>(t, lane);
                cost[lane] += charge.cost(trade[lane], &at) * growth;
                turnover[lane] += trade[lane].abs() * at.price * inverse_start[lane];
            }
        }
    }
}
