use super::{Policy, close_where_ended, minimum_variance};
use crate::contract::{Charge, Contract, Formula, Instrument, Leg, Seen, Vanilla, Worth};
use crate::error::{Error, Result};
use crate::market::{Market, Paths, VarianceProcess};
use crate::named::named;
use crate::pricing::BlackScholes;
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;

named! {
    /// A hedge that needs no training, as a strategy names it; the first three are quick.
    pub enum ClassicalName {
        /// No hedge at all.
        Naked = "naked",
        /// The Black–Scholes delta at the volatility that the model expects until expiry.
        BlackScholes = "black_scholes",
        /// The Black–Scholes delta inside a band within which nothing is traded, as costs ask for.
        WhalleyWilmott = "whalley_wilmott",
        /// The delta that minimises the variance of the hedged contract; it takes 20 µs a path and date.
        MinimumVariance = "minimum_variance",
        /// Spot and the first option of `policy.instruments`, so that delta and vega are hedged.
        DeltaVega = "delta_vega",
        /// Hedged Monte Carlo: positions by regression backward in time on what the policy sees, for any contract and instruments, inside
        /// a Whalley–Wilmott band where trading costs something.
        HedgedMonteCarlo = "hedged_monte_carlo",
    }
}

impl ClassicalName {
    /// The hedge by a formula, `aversion` that of the Whalley–Wilmott band; none if it is found by regression.
    pub fn formula(self, aversion: f64) -> Option<Classical> {
        Some(match self {
            Self::Naked => Classical::Naked,
            Self::BlackScholes => Classical::BlackScholes,
            Self::WhalleyWilmott => Classical::WhalleyWilmott { aversion },
            Self::MinimumVariance => Classical::MinimumVariance,
            Self::DeltaVega => Classical::DeltaVega,
            Self::HedgedMonteCarlo => return None,
        })
    }

    /// Whether it holds still inside a band whose width depends on a risk aversion.
    pub fn has_band(self) -> bool {
        match self {
            Self::WhalleyWilmott | Self::HedgedMonteCarlo => true,
            Self::Naked | Self::BlackScholes | Self::MinimumVariance | Self::DeltaVega => false,
        }
    }

    /// Whether it needs a contract that is a sum of calls and puts: it asks for more than their delta and gamma.
    pub fn needs_options(self) -> bool {
        match self {
            Self::MinimumVariance | Self::DeltaVega => true,
            Self::Naked | Self::BlackScholes | Self::WhalleyWilmott | Self::HedgedMonteCarlo => {
                false
            }
        }
    }

    /// Whether it needs a delta of the contract in closed form.
    pub fn needs_delta(self) -> bool {
        match self {
            Self::Naked | Self::HedgedMonteCarlo => false,
            Self::BlackScholes | Self::WhalleyWilmott | Self::MinimumVariance | Self::DeltaVega => {
                true
            }
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

/// The risk aversion of a Whalley–Wilmott band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandAversion {
    /// The aversion λ, in one over the spot's currency.
    pub aversion: f64,
    /// Whether a search for it ended at a bound, beyond which the risk may still fall.
    pub at_bound: bool,
}

impl BandAversion {
    /// An aversion λ, in one over the spot's currency, that needed no search.
    pub fn given(aversion: f64) -> Self {
        Self {
            aversion,
            at_bound: false,
        }
    }

    /// The aversion λ whose `risk` is least among 2^{k/2}/u with k = −16 … 16, u being the strategy's unit of money in the
    /// spot's currency. Where the least is at an end, the search goes on beyond it for as long as the risk falls, to k = ±64.
    ///
    /// # Errors
    /// Those of `risk`.
    pub fn tuned(unit: f64, mut risk: impl FnMut(f64) -> Result<f64>) -> Result<Self> {
        const FIRST: i32 = 16;
        const LAST: i32 = 64;
        let aversion = |k: i32| 2f64.powf(0.5 * f64::from(k)) / unit;
        let mut best = (f64::INFINITY, 0);
        let mut measure = |k: i32, best: &mut (f64, i32)| -> Result<()> {
            let risk = risk(aversion(k))?;
            if risk < best.0 {
                *best = (risk, k);
            }
            Ok(())
        };
        for k in -FIRST..=FIRST {
            measure(k, &mut best)?;
        }
        for away in [-1, 1] {
            let mut k = FIRST * away;
            while best.1 == k && k.abs() < LAST {
                k += away;
                measure(k, &mut best)?;
            }
        }
        Ok(Self {
            aversion: aversion(best.1),
            at_bound: best.1.abs() == LAST,
        })
    }
}

/// A classical hedge in one market; all but delta–vega trade the spot alone.
#[derive(Debug, Clone)]
pub struct ClassicalPolicy {
    /// The hedge.
    pub hedge: Classical,
    /// The market that the hedge assumes.
    pub market: Market,
    /// What trading the spot costs, which the Whalley–Wilmott band depends on.
    pub charge: Charge,
}

/// The error of a hedge by a delta of which there is no formula.
fn no_delta(contract: &Contract) -> Error {
    Error::input(format!(
        "a {} has no delta in closed form to hedge by",
        contract.name
    ))
}

/// A classical hedge of one contract.
struct HedgeOf<'a> {
    market: &'a Market,
    /// The variance of the market's model, made once for all paths and dates.
    process: VarianceProcess,
    charge: Charge,
    contract: &'a Contract,
}

/// Where the delta of a contract comes from.
#[derive(Clone, Copy)]
enum Form<'a> {
    /// Its calls and puts.
    Legs(&'a [Leg]),
    /// A closed form of its own.
    Formula(&'a dyn Formula),
}

/// What a hedge sees of a path on a date.
#[derive(Clone, Copy)]
struct Now<'a> {
    spot: f64,
    variance: f64,
    date: usize,
    /// The running values of the contract.
    state: &'a [f64],
}

impl HedgeOf<'_> {
    /// A sensitivity of calls and puts at the volatility that the model expects until expiry.
    fn black_scholes(
        &self,
        legs: &[Leg],
        spot: f64,
        variance: f64,
        left: f64,
        of: impl Fn(&BlackScholes) -> f64,
    ) -> f64 {
        let volatility = self.process.mean_from(variance, left).sqrt();
        let value = |leg: &Leg| {
            let option = self.market.black_scholes(*leg, left, volatility);
            leg.quantity * of(&BlackScholes { spot, ..option })
        };
        legs.iter().map(value).sum()
    }

    /// Years from a date to expiry.
    fn left(&self, date: usize) -> f64 {
        self.contract.dt() * (self.contract.steps - date) as f64
    }

    /// Delta and gamma of the contract at the volatility that the model expects until expiry.
    fn worth(&self, form: Form<'_>, now: Now<'_>) -> Worth {
        let (spot, variance) = (now.spot, now.variance);
        let left = self.left(now.date);
        match form {
            Form::Legs(legs) => Worth {
                price: 0.0,
                delta: self.black_scholes(legs, spot, variance, left, BlackScholes::delta),
                gamma: self.black_scholes(legs, spot, variance, left, BlackScholes::gamma),
            },
            Form::Formula(formula) => formula.worth(&Seen {
                spot,
                rate: self.market.rate,
                dividend: self.market.dividend,
                volatility: self.process.mean_from(variance, left).sqrt(),
                date: now.date,
                steps: self.contract.steps,
                dt: self.contract.dt(),
                state: now.state,
            }),
        }
    }

    /// Shares and options of delta–vega, beside `held` options.
    fn delta_vega(
        &self,
        legs: &[Leg],
        option: Vanilla,
        held: f64,
        spot: f64,
        variance: f64,
        left: f64,
    ) -> (f64, f64) {
        const MOST: f64 = 10.0;
        let process = &self.process;
        let later = left + (option.expiry - self.contract.expiry);
        // Both derivatives are vega/(2σ) times the share of today's variance in what is expected.
        let share = |left: f64| process.mean_from(1.0, left) - process.mean_from(0.0, left);
        let (ours, theirs) = (
            process.mean_from(variance, left),
            process.mean_from(variance, later),
        );
        let expected = if theirs > 0.0 {
            theirs / ours
        } else {
            // As variance falls to zero it is the shares that are left of it.
            share(later) / share(left)
        };
        let leg = Leg::one(option.kind, option.strike);
        let price = BlackScholes {
            spot,
            ..self.market.black_scholes(leg, later, theirs.sqrt())
        };
        let vega = self.black_scholes(legs, spot, variance, left, BlackScholes::vega);
        let ratio = vega / price.vega() * (share(left) / share(later)) * expected.sqrt();
        let options = if ratio.is_nan() {
            held
        } else {
            ratio.clamp(-MOST, MOST)
        };
        let delta = self.black_scholes(legs, spot, variance, left, BlackScholes::delta);
        (delta - options * price.delta(), options)
    }

    /// Shares beside `held` shares: the Black–Scholes delta or, with an `aversion`, the nearest edge of the band around it.
    fn position(&self, form: Form<'_>, held: f64, now: Now<'_>, aversion: Option<f64>) -> f64 {
        let Worth { delta, gamma, .. } = self.worth(form, now);
        let Some(aversion) = aversion else {
            return delta;
        };
        let (spot, left) = (now.spot, self.left(now.date));
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
            ref market,
            charge,
        } = *self;
        let (steps, instruments) = (paths.steps(), paths.instruments());
        let count = instruments.len();
        let mut positions = vec![[0.0; BLOCK]; paths.blocks() * steps * count];
        let first_option = || {
            let mut numbered = instruments.iter().enumerate();
            numbered.find_map(|(index, instrument)| match instrument {
                // The contract's calls and puts are on the first asset.
                Instrument::Option(option) if option.asset == 0 => Some((index, *option)),
                Instrument::Option(_) | Instrument::Spot(_) | Instrument::VarianceSwap(_) => None,
            })
        };
        let legs = || contract.legs().ok_or_else(|| no_delta(contract));
        let (option, aversion) = match hedge {
            Classical::Naked => return Ok(positions),
            Classical::MinimumVariance => {
                return Ok(minimum_variance::positions(
                    market,
                    contract,
                    legs()?,
                    paths,
                ));
            }
            Classical::BlackScholes => (None, None),
            Classical::WhalleyWilmott { aversion } => (None, Some(aversion)),
            // Without an option the spot is all there is to hedge with.
            Classical::DeltaVega => (
                match first_option() {
                    Some(option) => Some((option, legs()?)),
                    None => None,
                },
                None,
            ),
        };
        let of = HedgeOf {
            market,
            process: market.model.variance_process(),
            charge,
            contract,
        };
        let form = match (contract.legs(), contract.formula()) {
            (Some(legs), _) => Form::Legs(legs),
            (None, Some(formula)) => Form::Formula(formula),
            (None, None) => return Err(no_delta(contract)),
        };
        positions
            .par_chunks_exact_mut(steps * count)
            .enumerate()
            .for_each(|(block, out)| {
                let data = paths.block(block);
                let mut state = vec![0.0; contract.accumulators().len()];
                for lane in 0..BLOCK {
                    let (mut held, mut options) = (0.0, 0.0);
                    for t in 0..steps {
                        let (spot, variance) = (data.spot[t][lane], data.variance[t][lane]);
                        match option {
                            Some(((index, option), legs)) => {
                                let left = of.left(t);
                                (held, options) =
                                    of.delta_vega(legs, option, options, spot, variance, left);
                                out[t * count + index][lane] = options;
                            }
                            None => {
                                for (index, value) in state.iter_mut().enumerate() {
                                    *value = data.state(index)[t][lane];
                                }
                                let now = Now {
                                    spot,
                                    variance,
                                    date: t,
                                    state: &state,
                                };
                                held = of.position(form, held, now, aversion);
                            }
                        }
                        out[t * count][lane] = held;
                    }
                }
            });
        close_where_ended(paths, &mut positions);
        Ok(positions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A risk with its least at λ·u = 2^centre, and how often it is asked for.
    fn tuned(unit: f64, centre: f64) -> (BandAversion, usize) {
        let mut asked = 0;
        let risk = |aversion: f64| {
            asked += 1;
            Ok(((aversion * unit).log2() - centre).powi(2))
        };
        (BandAversion::tuned(unit, risk).unwrap(), asked)
    }

    /// The grid is relative to the unit of money; it takes its 33 places where the least lies inside, and goes on beyond an end
    /// until the risk rises again or its bound.
    #[test]
    fn the_search_goes_on_where_the_risk_falls() {
        for unit in [1.0, 64.0, 2f64.powi(-12)] {
            let at = |k: i32| 2f64.powf(0.5 * f64::from(k)) / unit;
            for (centre, aversion, at_bound, asked) in [
                (1.0, at(2), false, 33),
                (-9.5, at(-19), false, 33 + 4),
                (10.0, at(20), false, 33 + 5),
                (-50.0, at(-64), true, 33 + 48),
                (32.0, at(64), true, 33 + 48),
            ] {
                let expected = BandAversion { aversion, at_bound };
                assert_eq!(tuned(unit, centre), (expected, asked), "{centre}");
            }
        }
    }

    /// Where nothing is ever traded the risk is the same for every aversion, and the search ends with its first place.
    #[test]
    fn a_flat_risk_ends_the_search() {
        let found = BandAversion::tuned(1.0, |_| Ok(2.0)).unwrap();
        assert_eq!(found.aversion, 2f64.powi(-8));
        assert!(!found.at_bound);
    }
}
