use super::{Ledger, Traded, difference, without_exit};
use crate::contract::Cost;
use crate::market::{PathBlock, until};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch};

impl Ledger {
    /// ∂z/∂δ_t for every period and instrument; the subgradient of |x| at 0 is 0.
    pub fn derivative<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        positions: &[Lane<R>],
        out: &mut [Lane<R>],
    ) {
        dispatch(Differentiate {
            ledger: self,
            block,
            positions,
            out,
        });
    }
}

/// [`Ledger::derivative`]
struct Differentiate<'a, R> {
    ledger: &'a Ledger,
    block: &'a PathBlock<'a, R>,
    positions: &'a [Lane<R>],
    out: &'a mut [Lane<R>],
}

impl<R: Real> Kernel for Differentiate<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(mut self) {
        for index in 0..self.ledger.instruments.len() {
            let charge = self.ledger.instruments[index].charge;
            match charge.plain() {
                Some(linear) => self.of_instrument(index, linear),
                None => self.of_instrument(index, charge),
            }
        }
    }
}

impl<R: Real> Differentiate<'_, R> {
    /// Writes the derivative in the positions of instrument number `index`, whose trades cost `charge`.
    #[inline(always)]
    fn of_instrument<C: Cost>(&mut self, index: usize, charge: C) {
        let Self {
            ledger,
            block,
            positions,
            ..
        } = *self;
        let Ledger {
            cost_growth,
            instruments,
            ..
        } = ledger;
        let Traded {
            instrument, closed, ..
        } = instruments[index];
        let (count, steps, end) = (instruments.len(), block.steps(), block.end());
        let free = ledger.free_exit(block);
        let zero = [R::ZERO; BLOCK];
        let quoted = block.quoted(index);
        let held_over = |t: usize| until(end, t, positions[t * count + index]);
        for t in 0..steps {
            let gain = ledger.gain(instrument, quoted.price, t);
            let now = held_over(t);
            let before = if t == 0 { zero } else { held_over(t - 1) };
            let (after, next_growth) = if t + 1 < steps {
                (held_over(t + 1), cost_growth[t + 1])
            } else if closed {
                (zero, cost_growth[steps])
            } else {
                (now, 0.0)
            };
            let (growth, next_growth) = (R::of(cost_growth[t]), R::of(next_growth));
            let mut derivative = zero;
            let mut next_trade = difference(&after, &now);
            without_exit(free, t + 1, &mut next_trade);
            for lane in 0..BLOCK {
                let (at, next) = (quoted.at::<C>(t, lane), quoted.at::<C>(t + 1, lane));
                let entry = charge.slope(now[lane] - before[lane], &at) * growth;
                let exit = charge.slope(next_trade[lane], &next) * next_growth;
                derivative[lane] = gain[lane] - entry + exit;
            }
            self.out[t * count + index] = until(end, t, derivative);
        }
    }
}
