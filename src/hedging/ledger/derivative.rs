use super::{Ledger, Traded, difference, without_exit};
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
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            ledger,
            block,
            positions,
            out,
        } = self;
        let Ledger {
            growth,
            instruments,
            ..
        } = ledger;
        let (count, steps, end) = (instruments.len(), block.steps(), block.end());
        let free = ledger.free_exit(block);
        let zero = [R::ZERO; BLOCK];
        for (index, traded) in instruments.iter().enumerate() {
            let Traded {
                instrument,
                charge,
                closed,
            } = *traded;
            let price = block.price(index);
            let held_over = |t: usize| until(end, t, positions[t * count + index]);
            for t in 0..steps {
                let gain = ledger.gain(instrument, price, t);
                let now = held_over(t);
                let before = if t == 0 { zero } else { held_over(t - 1) };
                let (after, next_growth) = if t + 1 < steps {
                    (held_over(t + 1), growth[t + 1])
                } else if closed {
                    (zero, growth[steps])
                } else {
                    (now, 0.0)
                };
                let (growth, next_growth) = (R::of(growth[t]), R::of(next_growth));
                let (price, next_price) = (price[t], price[t + 1]);
                let mut derivative = zero;
                let mut next_trade = difference(&after, &now);
                without_exit(free, t + 1, &mut next_trade);
                for lane in 0..BLOCK {
                    let entry = charge.slope(now[lane] - before[lane], price[lane]) * growth;
                    let exit = charge.slope(next_trade[lane], next_price[lane]) * next_growth;
                    derivative[lane] = gain[lane] - entry + exit;
                }
                out[t * count + index] = until(end, t, derivative);
            }
        }
    }
}
