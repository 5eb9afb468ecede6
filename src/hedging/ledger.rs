use crate::contract::{Contract, Costs};
use crate::market::{Market, PathBlock};
use crate::simd::{BLOCK, Lane, Real};

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
    #[inline]
    pub fn settle<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        positions: &[Lane<R>],
    ) -> Settlement<R> {
        let steps = positions.len();
        let spot = block.spot;
        let inverse_start = spot[0].map(|s| R::ONE / s);
        let premium = self.at_expiry(self.premium);
        let mut result = Settlement {
            pnl: spot[steps].map(|s| R::of(premium - self.contract.payoff(s.into_f64()))),
            cost: [R::ZERO; BLOCK],
            turnover: [R::ZERO; BLOCK],
        };
        let mut held = [R::ZERO; BLOCK];
        for t in 0..=steps {
            let close = t == steps;
            if close && !self.costs.liquidation {
                break;
            }
            let target = if close {
                [R::ZERO; BLOCK]
            } else {
                positions[t]
            };
            let rate = R::of(self.costs.proportional * self.growth[t]);
            for lane in 0..BLOCK {
                let traded = (target[lane] - held[lane]).abs() * spot[t][lane];
                result.cost[lane] += rate * traded;
                result.turnover[lane] += traded * inverse_start[lane];
            }
            held = target;
        }
        for t in 0..steps {
            let gain = self.gain(block, t);
            for lane in 0..BLOCK {
                result.pnl[lane] += positions[t][lane] * gain[lane];
            }
        }
        for lane in 0..BLOCK {
            result.pnl[lane] -= result.cost[lane];
        }
        result
    }

    /// ∂z/∂δ_t without costs: the financed gain of one share over period `t`.
    #[inline]
    pub fn gain<R: Real>(&self, block: &PathBlock<'_, R>, t: usize) -> Lane<R> {
        let (now, then) = (
            R::of(self.growth[t]),
            R::of(self.growth[t + 1] * self.reinvested),
        );
        std::array::from_fn(|lane| block.spot[t + 1][lane] * then - block.spot[t][lane] * now)
    }

    /// ∂z/∂δ_t for every period; the subgradient of |x| at 0 is 0.
    #[inline]
    pub fn derivative<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        positions: &[Lane<R>],
        out: &mut [Lane<R>],
    ) {
        let steps = positions.len();
        let zero = [R::ZERO; BLOCK];
        for t in 0..steps {
            let gain = self.gain(block, t);
            let before = if t == 0 { &zero } else { &positions[t - 1] };
            let (after, next_rate) = if t + 1 < steps {
                (
                    &positions[t + 1],
                    self.costs.proportional * self.growth[t + 1],
                )
            } else if self.costs.liquidation {
                (&zero, self.costs.proportional * self.growth[steps])
            } else {
                (&positions[t], 0.0)
            };
            let (rate, next_rate) = (
                R::of(self.costs.proportional * self.growth[t]),
                R::of(next_rate),
            );
            for lane in 0..BLOCK {
                let now = positions[t][lane];
                let entry = rate * block.spot[t][lane] * sign(now - before[lane]);
                let exit = next_rate * block.spot[t + 1][lane] * sign(after[lane] - now);
                out[t][lane] = gain[lane] - entry + exit;
            }
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
