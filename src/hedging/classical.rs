use super::closed_form::{ClosedForm, Form};
use super::{Policy, close_where_ended, minimum_variance};
use crate::contract::{At, Charge, Contract, Cost, Formula, Instrument, Leg, Vanilla};
use crate::error::{Error, Result};
use crate::market::{Assets, PathBlock, Paths};
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

    /// Why no action departs from it; none where its positions on many paths are quickly had and do not wait for a trade.
    pub fn why_no_benchmark(self) -> Option<&'static str> {
        match self {
            Self::WhalleyWilmott => Some("does not trade on every date"),
            Self::MinimumVariance => Some("takes 20 µs a path and date, every training step"),
            Self::Naked | Self::BlackScholes | Self::DeltaVega | Self::HedgedMonteCarlo => None,
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
    /// trading a unit of the spot costs, by the costs that are linear in the trade alone. Without costs there is no band; at the money without variance,
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

/// A classical hedge in one market. Delta–vega trades the first asset and an option; the others trade the assets that the
/// contract depends on, as far as they are instruments.
#[derive(Debug, Clone)]
pub struct ClassicalPolicy {
    /// The hedge.
    pub hedge: Classical,
    /// The market that the hedge assumes.
    pub assets: Assets,
    /// What trading each of the assets costs, which the Whalley–Wilmott band depends on.
    pub charges: Vec<Charge>,
}

/// An asset as a hedge trades it.
struct Traded {
    charge: Charge,
    /// The number of its spot among the instruments.
    place: Option<usize>,
}

/// A classical hedge of one contract.
struct HedgeOf<'a> {
    form: &'a ClosedForm,
    assets: &'a [Traded],
    aversion: Option<f64>,
    instruments: usize,
}

impl HedgeOf<'_> {
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
        let (market, process) = (self.form.assets().first(), self.form.process(0));
        let later = left + (option.expiry - self.form.expiry());
        // Both derivatives are vega/(2σ) times the share of today's variance in what is expected.
        let share = |left: f64| process.mean_slope(variance, left);
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
            ..market.black_scholes_after(self.form.expiry() - left, leg, later, theirs.sqrt())
        };
        let vega = self
            .form
            .black_scholes(legs, spot, variance, left, BlackScholes::vega);
        let ratio = vega / price.vega() * (share(left) / share(later)) * expected.sqrt();
        let options = if ratio.is_nan() {
            held
        } else {
            ratio.clamp(-MOST, MOST)
        };
        let delta = self
            .form
            .black_scholes(legs, spot, variance, left, BlackScholes::delta);
        (delta - options * price.delta(), options)
    }

    /// Shares of an asset beside `held` shares: the delta or, with an aversion, the nearest edge of the band around it.
    fn position(
        &self,
        asset: &Traded,
        (delta, gamma): (f64, f64),
        held: f64,
        (spot, left): (f64, f64),
    ) -> f64 {
        let Some(aversion) = self.aversion else {
            return delta;
        };
        let discount = self.form.discount(left);
        let cost = asset.charge.of_unit(&At::priced(spot));
        let width = if cost == 0.0 {
            0.0
        } else {
            (1.5 * discount * cost * gamma * gamma / aversion).cbrt()
        };
        held.clamp(delta - width, delta + width)
    }

    /// Positions of a lane by the contract's calls and puts.
    fn by_legs(
        &self,
        (legs, option): (&[Leg], Option<(usize, Vanilla)>),
        (data, lane): (PathBlock<'_, f64>, usize),
        out: &mut [Lane<f64>],
    ) {
        let first = &self.assets[0];
        let (mut held, mut options) = (0.0, 0.0);
        let dates = out.chunks_exact_mut(self.instruments);
        for (t, out) in dates.take(self.form.steps()).enumerate() {
            let (spot, variance, left) = (
                data.spot[t][lane],
                data.variance[t][lane],
                self.form.left(t),
            );
            if let Some((index, option)) = option {
                (held, options) = self.delta_vega(legs, option, options, spot, variance, left);
                out[index][lane] = options;
            } else {
                let of = |of: fn(&BlackScholes) -> f64| {
                    self.form.black_scholes(legs, spot, variance, left, of)
                };
                let moves = (of(BlackScholes::delta), of(BlackScholes::gamma));
                held = self.position(first, moves, held, (spot, left));
            }
            out[0][lane] = held;
        }
    }

    /// Positions of a lane by the contract's closed form, at the volatilities that the models expect until expiry.
    fn by_formula(
        &self,
        formula: &dyn Formula,
        (data, lane): (PathBlock<'_, f64>, usize),
        out: &mut [Lane<f64>],
    ) {
        let mut held = vec![0.0; formula.assets()];
        let (mut seen, mut state) = (Vec::new(), Vec::new());
        let dates = out.chunks_exact_mut(self.instruments);
        for (t, out) in dates.take(self.form.steps()).enumerate() {
            let left = self.form.left(t);
            let memory = (&mut seen, &mut state);
            let worth = self.form.worth(formula, (&data, lane), t, memory);
            for (index, held) in held.iter_mut().enumerate() {
                let asset = &self.assets[index];
                if let Some(instrument) = asset.place {
                    let moves = (worth.deltas[index], worth.gammas[index]);
                    *held = self.position(asset, moves, *held, (seen[index].spot, left));
                    out[instrument][lane] = *held;
                }
            }
        }
    }
}

impl Policy for ClassicalPolicy {
    fn positions(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let market = self.assets.first();
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
        let legs = || {
            let none = || {
                Error::input(format!(
                    "calls and puts are asked for, and the contract ({}) is no sum of those",
                    contract.name
                ))
            };
            contract.legs().ok_or_else(none)
        };
        let (option, aversion) = match self.hedge {
            Classical::Naked => return Ok(positions),
            Classical::MinimumVariance => {
                let legs = legs()?;
                return Ok(minimum_variance::positions(market, contract, legs, paths));
            }
            Classical::BlackScholes => (None, None),
            Classical::WhalleyWilmott { aversion } => (None, Some(aversion)),
            // Without an option the spot is all there is to hedge with.
            Classical::DeltaVega => match first_option() {
                Some(option) => {
                    legs()?;
                    (Some(option), None)
                }
                None => (None, None),
            },
        };
        let traded = |(index, charge): (usize, &Charge)| {
            let spot = Instrument::Spot(index);
            Traded {
                charge: *charge,
                place: instruments.iter().position(|one| *one == spot),
            }
        };
        let assets: Vec<Traded> = self.charges.iter().enumerate().map(traded).collect();
        let forms = ClosedForm::of_paths(&self.assets, contract)?;
        positions
            .par_chunks_exact_mut(steps * count)
            .enumerate()
            .for_each(|(block, out)| {
                let data = paths.block(block);
                for lane in 0..BLOCK {
                    let form = ClosedForm::of_path(&forms, &data, lane);
                    let of = HedgeOf {
                        form,
                        assets: &assets,
                        aversion,
                        instruments: count,
                    };
                    match form.form().expect("looked at when it was made") {
                        Form::Legs(legs) => of.by_legs((legs, option), (data, lane), out),
                        Form::Formula(formula) => of.by_formula(formula, (data, lane), out),
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
