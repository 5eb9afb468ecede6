use super::{Ledger, difference, without_exit};
use crate::contract::{Charge, Cost, Instrument};
use crate::market::{PathBlock, until};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch};

/// What financing a hedge costs beyond the riskless rate r: spreads on cash, a fee for borrowed shares and the funding of margin.
///
/// The account of a hedge begins with the premium, pays for trades, costs and payments, and over a period of dt years its cash M
/// grows to
///
/// M e^{∫ r + b dt} where it is negative,   M e^{∫ r − l dt} where it is not,
///
/// with the spreads b of borrowing and l of lending. At the end of the period it pays besides, for a position of δ units at the
/// price p,
///
/// p max(−δ, 0) (e^{f dt} − 1) for shares,   m p |δ| (e^{s dt} − 1) for any instrument,
///
/// with the fee f of shares that are sold short and the spread s at which the margin, a share m of the position's value, is
/// funded; the margin itself earns r. When a contract has ended its account is closed, and what is left grows at r alone.
///
/// # Units
/// All rates per year, continuously compounded; the margin as a share.
///
/// # References
/// Y. Z. Bergman (1995), "Option pricing with differential interest rates", Review of Financial Studies 8, for b and l.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Financing {
    /// The spread b over the rate while cash is negative.
    pub borrow: f64,
    /// The spread l below the rate while cash is positive.
    pub lend: f64,
    /// The fee f of shares that are sold short.
    pub stock_borrow: f64,
    /// The share m of a position's value that is posted as margin.
    pub margin: f64,
    /// The spread s at which the margin is funded.
    pub margin_spread: f64,
}

impl Financing {
    /// Whether it costs nothing beyond the rate.
    pub fn is_free(self) -> bool {
        let margin = self.margin != 0.0 && self.margin_spread != 0.0;
        !(self.borrow != 0.0 || self.lend != 0.0 || self.stock_borrow != 0.0 || margin)
    }

    /// What it comes to over a period of `dt` years.
    pub(super) fn over(self, dt: f64) -> Period {
        Period {
            borrowed: (self.borrow * dt).exp_m1(),
            lent: (-self.lend * dt).exp_m1(),
            short: (self.stock_borrow * dt).exp_m1(),
            margin: self.margin * (self.margin_spread * dt).exp_m1(),
        }
    }
}

/// What financing costs over one period, as shares of the cash and of the value of a position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    /// What negative cash grows by beyond the rate, e^{b dt} − 1.
    borrowed: f64,
    /// What other cash grows by beyond the rate, e^{−l dt} − 1.
    lent: f64,
    /// The fee of the value of shares that are short, e^{f dt} − 1.
    short: f64,
    /// The cost of the margin of a position's value, m (e^{s dt} − 1).
    margin: f64,
}

impl Period {
    /// The fee of one unit that is short.
    #[inline(always)]
    fn short(self, instrument: Instrument) -> f64 {
        match instrument {
            Instrument::Spot(_) => self.short,
            Instrument::VarianceSwap(_) | Instrument::Option(_) => 0.0,
        }
    }

    /// The fees of a position, as a multiple of the price.
    #[inline(always)]
    fn fees<R: Real>(self, instrument: Instrument, position: R) -> R {
        let short = (-position).greater(R::ZERO);
        R::of(self.short(instrument)) * short + R::of(self.margin) * position.abs()
    }

    /// The derivative of [`Self::fees`] in the position; 0 where that is 0.
    #[inline(always)]
    pub(super) fn fee_slope<R: Real>(self, instrument: Instrument, position: R) -> R {
        let margin = R::of(self.margin);
        if position > R::ZERO {
            margin
        } else if position < R::ZERO {
            -(margin + R::of(self.short(instrument)))
        } else {
            R::ZERO
        }
    }
}

/// The cash of a block of hedged contracts along their paths.
#[derive(Debug, Clone)]
pub(super) struct Cash<R> {
    /// What it grows by over each period beyond the rate, as a factor, `[steps][BLOCK]`.
    factor: Vec<Lane<R>>,
    /// What it earns over each period beyond the rate, fees taken off, in money of the expiry, `[steps][BLOCK]`.
    pub earned: Vec<Lane<R>>,
}

impl<R: Real> Cash<R> {
    /// What one of currency at each date grows to by expiry over what it does at the rate alone, `[steps + 1][BLOCK]`: the adjoint λ_t
    /// of the cash over B_t, λ_T = 1 and λ_t = λ_{t+1} times the growth that the sign of the cash says.
    pub fn adjoint(&self) -> Vec<Lane<R>> {
        let steps = self.factor.len();
        let mut adjoint = vec![[R::ONE; BLOCK]; steps + 1];
        for t in (0..steps).rev() {
            for lane in 0..BLOCK {
                adjoint[t][lane] = adjoint[t + 1][lane] * self.factor[t][lane];
            }
        }
        adjoint
    }
}

impl Ledger {
    /// What financing `positions` earns over all periods beyond the rate, below 0 where it costs, in currency at expiry.
    pub fn financed<R: Real>(&self, block: &PathBlock<'_, R>, positions: &[Lane<R>]) -> Lane<R> {
        let mut sum = [R::ZERO; BLOCK];
        let cash = self.cash(block, positions);
        for earned in cash.iter().flat_map(|cash| &cash.earned) {
            for lane in 0..BLOCK {
                sum[lane] += earned[lane];
            }
        }
        sum
    }

    /// The cash of `positions` on one block; none where all of it grows at the rate and nothing else is paid for financing.
    pub(super) fn cash<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        positions: &[Lane<R>],
    ) -> Option<Cash<R>> {
        let period = self.financing?;
        Some(dispatch(Walk {
            ledger: self,
            period,
            block,
            positions,
        }))
    }
}

/// [`Ledger::cash`]
struct Walk<'a, R> {
    ledger: &'a Ledger,
    period: Period,
    block: &'a PathBlock<'a, R>,
    positions: &'a [Lane<R>],
}

impl<R: Real> Kernel for Walk<'_, R> {
    type Output = Cash<R>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) -> Cash<R> {
        let Self {
            ledger,
            period,
            block,
            positions,
        } = self;
        let (count, steps, end) = (ledger.instruments.len(), block.steps(), block.end());
        let (growth, free) = (&ledger.growth, ledger.free_exit(block));
        let zero = [R::ZERO; BLOCK];
        let mut cash: Lane<R> = std::array::from_fn(|lane| {
            let received = R::of(ledger.at_expiry(ledger.premium(block, lane)));
            received + block.receipt().map_or(R::ZERO, |receipt| receipt[lane])
        });
        let mut held = vec![zero; count];
        let mut result = Cash {
            factor: vec![[R::ONE; BLOCK]; steps],
            earned: vec![zero; steps],
        };
        for t in 0..steps {
            for (_, payment) in ledger
                .due
                .iter()
                .zip(block.payments())
                .filter(|of| *of.0 == t)
            {
                for lane in 0..BLOCK {
                    cash[lane] -= payment[lane] * R::of(growth[t]);
                }
            }
            let mut fees = zero;
            for (index, traded) in ledger.instruments.iter().enumerate() {
                let quoted = block.quoted(index);
                let target = until(end, t, positions[t * count + index]);
                let mut trade = difference(&target, &held[index]);
                let flow = ledger.flow(traded.instrument, quoted.price, t, (&held[index], &target));
                without_exit(free, t, &mut trade);
                for lane in 0..BLOCK {
                    let at = quoted.at::<Charge>(t, lane);
                    let cost = traded.charge.cost(trade[lane], &at) * R::of(ledger.cost_growth[t]);
                    cash[lane] += flow[lane] - cost;
                    let fee = period.fees(traded.instrument, target[lane]);
                    fees[lane] += fee * at.price * R::of(growth[t + 1]);
                }
                held[index] = target;
            }
            // Of a contract that has ended nothing is financed.
            let open = until(end, t, [R::ONE; BLOCK]);
            for lane in 0..BLOCK {
                let rate = if cash[lane] < R::ZERO {
                    R::of(period.borrowed)
                } else {
                    R::of(period.lent)
                };
                let rate = rate * open[lane];
                let earned = cash[lane] * rate - fees[lane];
                result.factor[t][lane] = R::ONE + rate;
                result.earned[t][lane] = earned;
                cash[lane] += earned;
            }
        }
        result
    }
}

impl Ledger {
    /// What trading from `held` to `target` units at date `t` brings without costs, with what the units held have earned in dividends
    /// or as gains of a swap since the date before, in money of the expiry.
    #[inline(always)]
    fn flow<R: Real>(
        &self,
        instrument: Instrument,
        price: &[Lane<R>],
        t: usize,
        (held, target): (&Lane<R>, &Lane<R>),
    ) -> Lane<R> {
        let before = t.saturating_sub(1);
        let (growth, mut flow) = (R::of(self.growth[t]), [R::ZERO; BLOCK]);
        let kept = match instrument {
            Instrument::VarianceSwap(_) => {
                for lane in 0..BLOCK {
                    flow[lane] = held[lane] * (price[t][lane] - price[before][lane]) * growth;
                }
                return flow;
            }
            Instrument::Spot(asset) => R::of(self.reinvested[asset][before]),
            Instrument::Option(_) => R::ONE,
        };
        for lane in 0..BLOCK {
            flow[lane] = (held[lane] * kept - target[lane]) * price[t][lane] * growth;
        }
        flow
    }
}
