use super::{Policy, minimum_variance};
use crate::contract::{Charge, Contract, Instrument, Leg, Vanilla};
use crate::error::Result;
use crate::market::{Market, Paths};
use crate::named::named;
use crate::pricing::BlackScholes;
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;

named! {
    /// A hedge that needs no training, as a strategy names it; the first three are quick.
    pub enum ClassicalName {
        Naked = "naked",
        BlackScholes = "black_scholes",
        WhalleyWilmott = "whalley_wilmott",
        MinimumVariance = "minimum_variance",
        DeltaVega = "delta_vega",
    }
}

impl ClassicalName {
    /// The hedge; `aversion` is that of the Whalley–Wilmott band.
    pub fn hedge(self, aversion: f64) -> Classical {
        match self {
            Self::Naked => Classical::Naked,
            Self::BlackScholes => Classical::BlackScholes,
            Self::WhalleyWilmott => Classical::WhalleyWilmott { aversion },
            Self::MinimumVariance => Classical::MinimumVariance,
            Self::DeltaVega => Classical::DeltaVega,
        }
    }
}

/// Hedges that need no training.
#[derive(Debug, Clone, Copy)]
pub enum Classical {
    /// No hedge at all.
    Naked,
    /// The Black–Scholes delta at the volatility that the model expects until expiry.
    BlackScholes,
    /// The delta that minimises the variance of the hedged option over the next instant; see
    /// [`crate::pricing::Greeks::minimum_variance_delta`].
    MinimumVariance,
    /// Trade to the nearest edge of the band δ ± (3/2 e^{−rτ} C Γ²/λ)^{1/3} around the Black–Scholes delta, where C is what
    /// trading a unit of the spot costs. Without costs there is no band; at the money without variance,
    /// where Γ is infinite, it has no edges and nothing is traded.
    ///
    /// # References
    /// Whalley and Wilmott (1997), "An asymptotic analysis of an optimal hedging model for option pricing
    /// with transaction costs", equation 3.10.
    WhalleyWilmott {
        /// The risk aversion λ, in one over the spot's currency.
        aversion: f64,
    },
    /// Spot and the first option among the instruments, so that neither spot nor variance moves the whole at first order:
    ///
    /// n = (∂V/∂v)/(∂P/∂v),  δ = ∂V/∂S − n ∂P/∂S
    ///
    /// with the Black–Scholes prices V and P at the variance that the model expects until the expiry of each. The ratio n
    /// is held within ±10, since it grows without bound where the option has lost its vega; where both have lost it, the
    /// options held stay.
    DeltaVega,
}

impl Classical {
    /// The aversion of the Whalley–Wilmott band whose `risk` is least among λ = 2^{k/2}, k = −16 … 16.
    ///
    /// # Errors
    /// Those of `risk`.
    pub fn tuned_aversion(mut risk: impl FnMut(f64) -> Result<f64>) -> Result<f64> {
        let mut best = (f64::INFINITY, 1.0);
        for k in -16..=16 {
            let aversion = 2f64.powf(0.5 * f64::from(k));
            let risk = risk(aversion)?;
            if risk < best.0 {
                best = (risk, aversion);
            }
        }
        Ok(best.1)
    }
}

/// A classical hedge in one market; all but delta–vega trade the spot alone.
#[derive(Debug, Clone, Copy)]
pub struct ClassicalPolicy {
    /// The hedge.
    pub hedge: Classical,
    /// The market that the hedge assumes.
    pub market: Market,
    /// What trading the spot costs, which the Whalley–Wilmott band depends on.
    pub charge: Charge,
}

/// A classical hedge of one contract.
struct HedgeOf<'a> {
    market: Market,
    charge: Charge,
    contract: &'a Contract,
}

impl HedgeOf<'_> {
    /// A sensitivity of the contract at the volatility that the model expects until expiry.
    fn black_scholes(
        &self,
        spot: f64,
        variance: f64,
        left: f64,
        of: impl Fn(&BlackScholes) -> f64,
    ) -> f64 {
        let volatility = self.market.model.mean_variance(variance, left).sqrt();
        let market = Market {
            spot,
            ..self.market
        };
        let legs = self.contract.legs();
        legs.map(|leg| leg.quantity * of(&market.black_scholes(leg, left, volatility)))
            .sum()
    }

    /// Shares and options of delta–vega, beside `held` options.
    fn delta_vega(
        &self,
        option: Vanilla,
        held: f64,
        spot: f64,
        variance: f64,
        left: f64,
    ) -> (f64, f64) {
        const MOST: f64 = 10.0;
        let model = &self.market.model;
        let later = left + (option.expiry - self.contract.expiry);
        // Both derivatives are vega/(2σ) times the share of today's variance in what is expected.
        let share = |left: f64| model.mean_variance(1.0, left) - model.mean_variance(0.0, left);
        let (ours, theirs) = (
            model.mean_variance(variance, left),
            model.mean_variance(variance, later),
        );
        let expected = if theirs > 0.0 {
            theirs / ours
        } else {
            // As variance falls to zero it is the shares that are left of it.
            share(later) / share(left)
        };
        let market = Market {
            spot,
            ..self.market
        };
        let leg = Leg {
            quantity: 1.0,
            kind: option.kind,
            strike: option.strike,
        };
        let price = market.black_scholes(leg, later, theirs.sqrt());
        let vega = self.black_scholes(spot, variance, left, BlackScholes::vega);
        let ratio = vega / price.vega() * (share(left) / share(later)) * expected.sqrt();
        let options = if ratio.is_nan() {
            held
        } else {
            ratio.clamp(-MOST, MOST)
        };
        let delta = self.black_scholes(spot, variance, left, BlackScholes::delta);
        (delta - options * price.delta(), options)
    }

    /// Shares beside `held` shares: the Black–Scholes delta or, with an `aversion`, the nearest edge of the band around it.
    fn position(
        &self,
        held: f64,
        spot: f64,
        variance: f64,
        left: f64,
        aversion: Option<f64>,
    ) -> f64 {
        let delta = self.black_scholes(spot, variance, left, BlackScholes::delta);
        let Some(aversion) = aversion else {
            return delta;
        };
        let gamma = self.black_scholes(spot, variance, left, BlackScholes::gamma);
        let discount = (-self.market.rate * left).exp();
        let cost = self.charge.cost(1.0, spot);
        let width = if cost == 0.0 {
            0.0
        } else {
            (1.5 * discount * cost * gamma * gamma / aversion).cbrt()
        };
        held.clamp(delta - width, delta + width)
    }
}

impl Policy for ClassicalPolicy {
    fn positions(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let Self {
            hedge,
            market,
            charge,
        } = *self;
        let of = HedgeOf {
            market,
            charge,
            contract,
        };
        let (steps, instruments) = (paths.steps(), paths.instruments());
        let count = instruments.len();
        let mut positions = vec![[0.0; BLOCK]; paths.blocks() * steps * count];
        let first_option = || {
            let mut numbered = instruments.iter().enumerate();
            numbered.find_map(|(index, instrument)| match instrument {
                Instrument::Option(option) => Some((index, *option)),
                Instrument::Spot | Instrument::VarianceSwap => None,
            })
        };
        let (option, aversion) = match hedge {
            Classical::Naked => return Ok(positions),
            Classical::MinimumVariance => {
                return Ok(minimum_variance::positions(&market, contract, paths));
            }
            Classical::BlackScholes => (None, None),
            Classical::WhalleyWilmott { aversion } => (None, Some(aversion)),
            // Without an option the spot is all there is to hedge with.
            Classical::DeltaVega => (first_option(), None),
        };
        positions
            .par_chunks_exact_mut(steps * count)
            .enumerate()
            .for_each(|(block, out)| {
                let data = paths.block(block);
                for lane in 0..BLOCK {
                    let (mut held, mut options) = (0.0, 0.0);
                    for t in 0..steps {
                        let left = contract.dt() * (steps - t) as f64;
                        let (spot, variance) = (data.spot[t][lane], data.variance[t][lane]);
                        match option {
                            Some((index, option)) => {
                                (held, options) =
                                    of.delta_vega(option, options, spot, variance, left);
                                out[t * count + index][lane] = options;
                            }
                            None => held = of.position(held, spot, variance, left, aversion),
                        }
                        out[t * count][lane] = held;
                    }
                }
            });
        Ok(positions)
    }
}
