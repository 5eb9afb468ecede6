use super::{Ledger, Traded, difference, without_exit};
use crate::contract::{Cost, Instrument};
use crate::market::{PathBlock, until};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch};

impl Ledger {
    /// ∂z/∂δ_t for every period and instrument; the subgradient of |x| at 0 is 0.
    ///
    /// With a [`super::Financing`] the adjoint λ_t of the cash takes the place of B_t, which is exact wherever cash is not 0.
    pub fn derivative<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        positions: &[Lane<R>],
        out: &mut [Lane<R>],
    ) {
        match self.cash(block, positions).map(|cash| cash.adjoint()) {
            None => dispatch(Differentiate {
                ledger: self,
                block,
                positions,
                out,
                growth: AtTheRate,
            }),
            Some(adjoint) => dispatch(Differentiate {
                ledger: self,
                block,
                positions,
                out,
                growth: ByTheSign(&adjoint),
            }),
        }
    }
}

/// What one of currency at a date grows to by expiry, over B_t.
trait Growth<R>: Copy {
    /// Whether it is more than at the rate.
    const FINANCED: bool;

    fn at(self, t: usize, lane: usize) -> R;
}

/// All cash grows at the rate.
#[derive(Clone, Copy)]
struct AtTheRate;

impl<R: Real> Growth<R> for AtTheRate {
    const FINANCED: bool = false;

    #[inline(always)]
    fn at(self, _: usize, _: usize) -> R {
        R::ONE
    }
}

/// Cash grows as its sign says; the adjoint of the cash over B_t, `[steps + 1][BLOCK]`.
#[derive(Clone, Copy)]
struct ByTheSign<'a, R>(&'a [Lane<R>]);

impl<R: Real> Growth<R> for ByTheSign<'_, R> {
    const FINANCED: bool = true;

    #[inline(always)]
    fn at(self, t: usize, lane: usize) -> R {
        self.0[t][lane]
    }
}

/// [`Ledger::derivative`]
struct Differentiate<'a, R, G> {
    ledger: &'a Ledger,
    block: &'a PathBlock<'a, R>,
    positions: &'a [Lane<R>],
    out: &'a mut [Lane<R>],
    growth: G,
}

impl<R: Real, G: Growth<R>> Kernel for Differentiate<'_, R, G> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(mut self) {
        for index in 0..self.ledger.instruments.len() {
            let traded = self.ledger.instruments[index];
            match traded.plain(self.block) {
                Some(linear) => self.of_instrument(index, linear),
                None => self.of_instrument(index, traded.charge),
            }
        }
    }
}

impl<R: Real, G: Growth<R>> Differentiate<'_, R, G> {
    /// Writes the derivative in the positions of instrument number `index`, whose trades cost `charge`.
    #[inline(always)]
    fn of_instrument<C: Cost>(&mut self, index: usize, charge: C) {
        let Self {
            ledger,
            block,
            positions,
            growth: beyond,
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
        // A swap costs nothing to enter, and brings its gain at the end of the period.
        let pays_at_once = !matches!(instrument, Instrument::VarianceSwap(_));
        let quoted = block.quoted(index);
        let held_over = |t: usize| until(end, t, positions[t * count + index]);
        for t in 0..steps {
            let (first, then) = ledger.gain_factors(instrument, t);
            let (first, then) = (R::of(first), R::of(then));
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
                let (here, there) = (beyond.at(t, lane), beyond.at(t + 1, lane));
                let bought_at = if pays_at_once { here } else { there };
                let gain = next.price * then * there - at.price * first * bought_at;
                let entry = charge.slope(now[lane] - before[lane], &at) * growth * here;
                let exit = charge.slope(next_trade[lane], &next) * next_growth * there;
                derivative[lane] = gain - entry + exit;
                if let (true, Some(period)) = (G::FINANCED, ledger.financing) {
                    let fee = period.fee_slope(instrument, now[lane]) * at.price;
                    derivative[lane] -= fee * R::of(ledger.growth[t + 1]) * there;
                }
            }
            self.out[t * count + index] = until(end, t, derivative);
        }
    }
}
