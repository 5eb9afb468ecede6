use crate::contract::{Contract, Costs};
use crate::market::{Market, PathBlock};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch};

/// The one place that does P&L: books trades, costs, liquidation, financing and payoff, and knows its
/// own derivative.
///
/// z = premium·B₀ − payoff(S_T) + Σ_t δ_t (S_{t+1} e^{qΔ} B_{t+1} − S_t B_t) − c Σ_t |δ_t − δ_{t−1}| S_t B_t
///
/// with B_t = e^{r(T−t)}, δ_{−1} = 0, and a last trade −δ_{T−1} at S_T if the position is liquidated.
///
/// # Units
/// P&L and costs in currency at expiry; positions in shares per contract.
#[derive(Debug, Clone)]
pub struct Ledger {
    contract: Contract,
    costs: Costs,
    premium: f64,
    /// B_t for every date.
    growth: Vec<f64>,
    /// e^{qΔ}
    reinvested: f64,
}

/// What a block of hedged contracts came to.
#[derive(Debug, Clone, Copy)]
pub struct Settlement<R> {
    pub pnl: Lane<R>,
    pub cost: Lane<R>,
    /// Traded value over the spot at the start, undiscounted.
    pub turnover: Lane<R>,
}

impl Ledger {
    pub fn new(contract: Contract, costs: Costs, market: &Market, premium: f64) -> Self {
        let dt = contract.dt();
        let growth = (0..=contract.steps)
            .map(|t| (market.rate * dt * (contract.steps - t) as f64).exp())
            .collect();
        Self {
            contract,
            costs,
            premium,
            growth,
            reinvested: (market.dividend * dt).exp(),
        }
    }

    /// What a premium received at the sale is worth at expiry: premium·B₀.
    pub fn at_expiry(&self, premium: f64) -> f64 {
        premium * self.growth[0]
    }

    /// Settles `positions`, `[steps][BLOCK]`, on one block.
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

    /// ∂z/∂δ_t for every period; the subgradient of |x| at 0 is 0.
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

    /// ∂z/∂δ_t without costs: the financed gain of one share over period `t`.
    #[inline(always)]
    pub fn gain<R: Real>(&self, block: &PathBlock<'_, R>, t: usize) -> Lane<R> {
        let (now, then) = (
            R::of(self.growth[t]),
            R::of(self.growth[t + 1] * self.reinvested),
        );
        let mut gain = [R::ZERO; BLOCK];
        for lane in 0..BLOCK {
            gain[lane] = block.spot[t + 1][lane] * then - block.spot[t][lane] * now;
        }
        gain
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
        let Ledger {
            contract, costs, ..
        } = ledger;
        let (steps, spot) = (positions.len(), block.spot);
        let zero = [R::ZERO; BLOCK];
        let (mut pnl, mut cost, mut turnover) = (zero, zero, zero);
        let mut inverse_start = zero;
        let premium = ledger.at_expiry(ledger.premium);
        for lane in 0..BLOCK {
            let payoff = contract.payoff(spot[steps][lane].into_f64());
            pnl[lane] = R::of(premium - payoff);
            inverse_start[lane] = R::ONE / spot[0][lane];
        }
        let dates = if costs.liquidation { steps + 1 } else { steps };
        for t in 0..dates {
            let held = if t == 0 { zero } else { positions[t - 1] };
            let target = if t == steps { zero } else { positions[t] };
            let rate = R::of(costs.proportional * ledger.growth[t]);
            for lane in 0..BLOCK {
                let traded = (target[lane] - held[lane]).abs() * spot[t][lane];
                cost[lane] += rate * traded;
                turnover[lane] += traded * inverse_start[lane];
            }
        }
        for t in 0..steps {
            let gain = ledger.gain(block, t);
            for lane in 0..BLOCK {
                pnl[lane] += positions[t][lane] * gain[lane];
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
        let Ledger { costs, growth, .. } = ledger;
        let steps = positions.len();
        let zero = [R::ZERO; BLOCK];
        for t in 0..steps {
            let gain = ledger.gain(block, t);
            let now = positions[t];
            let before = if t == 0 { zero } else { positions[t - 1] };
            let (after, next_rate) = if t + 1 < steps {
                (positions[t + 1], costs.proportional * growth[t + 1])
            } else if costs.liquidation {
                (zero, costs.proportional * growth[steps])
            } else {
                (now, 0.0)
            };
            let rate = R::of(costs.proportional * growth[t]);
            let next_rate = R::of(next_rate);
            let mut derivative = zero;
            for lane in 0..BLOCK {
                let entry = rate * block.spot[t][lane] * sign(now[lane] - before[lane]);
                let exit = next_rate * block.spot[t + 1][lane] * sign(after[lane] - now[lane]);
                derivative[lane] = gain[lane] - entry + exit;
            }
            out[t] = derivative;
        }
    }
}

#[inline(always)]
fn sign<R: Real>(x: R) -> R {
    if x > R::ZERO {
        R::ONE
    } else if x < R::ZERO {
        -R::ONE
    } else {
        R::ZERO
    }
}
