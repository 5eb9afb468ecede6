//! Where the P&L of a hedged contract comes from.

use crate::contract::options::payoff;
use crate::contract::{Contract, Instrument, Leg};
use crate::hedging::Book;
use crate::market::{Market, Paths};
use crate::pricing::Greeks;
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;
use serde::Serialize;

/// The P&L of one sold and hedged contract, in parts that add up to it.
///
/// Over a period from t to t + 1 the option sold loses V_{t+1} − V_t, which Taylor's formula in the model splits into
/// Δ dS + ½Γ dS² + Θ dt + ∂V/∂v dv and a rest; the position δ gains δ dS. Where options hedge, V_t and its derivatives are
/// those of the contract less the options held over the period. In money of the expiry, with B_t = e^{∫ r} from t to T and
/// q_t = ∫ q over period t:
///
/// ```text
/// premium      (premium − V_0) B_0, V_0 of the contract alone
/// delta        Σ (δ_t − Δ_t) dS B_{t+1}
/// gamma        −Σ ½ Γ_t dS² B_{t+1}
/// theta        −Σ Θ_t dt B_{t+1}
/// vega         −Σ ∂V/∂v dv B_{t+1}
/// financing    Σ (δ_t S_t − V_t)(B_{t+1} − B_t) + δ_t S_{t+1} (e^{q_t} − 1) B_{t+1}
/// costs        −costs
/// unexplained  −Σ (rest) B_{t+1}
/// ```
///
/// Near a kink with next to no variance left the formula explains nothing: where a term of gamma or ∂V/∂v is greater than
/// the spot itself, or infinite, the terms of gamma, theta and ∂V/∂v count as zero and the whole of them is unexplained.
///
/// A contract that is no sum of calls and puts has no price on every date: of its P&L the costs alone are a part of their own, and
/// all else is unexplained. So it is where there are several assets.
///
/// The part delta is the P&L of holding something else than the model's delta: a view on the spot, taken knowingly or
/// not. `drift` is that part of it which the drift μ explains, Σ (δ_t − Δ_t) S_t (e^{μ dt} − 1) B_{t+1}; it is
/// contained in delta and adds to nothing.
///
/// # Units
/// Currency at expiry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Attribution {
    /// The premium less the model's price at the sale.
    pub premium: f64,
    /// What positions other than the model's delta earned.
    pub delta: f64,
    /// What the curvature of the price cost.
    pub gamma: f64,
    /// What the passing of time earned.
    pub theta: f64,
    /// What changes of the variance earned.
    pub vega: f64,
    /// Interest and dividends of the hedge.
    pub financing: f64,
    /// The costs of all trades, negative.
    pub costs: f64,
    /// What is left.
    pub unexplained: f64,
    /// The share of delta that the drift of the returns before the sales explains.
    pub drift: f64,
}

impl Attribution {
    /// The names and values of the parts that add up.
    pub fn parts(&self) -> [(&'static str, f64); 8] {
        [
            ("premium", self.premium),
            ("delta", self.delta),
            ("gamma", self.gamma),
            ("theta", self.theta),
            ("vega", self.vega),
            ("financing", self.financing),
            ("costs", self.costs),
            ("unexplained", self.unexplained),
        ]
    }

    /// Adds `share` of the parts `of` another.
    pub fn add(&mut self, share: f64, of: &Self) {
        self.premium += share * of.premium;
        self.delta += share * of.delta;
        self.gamma += share * of.gamma;
        self.theta += share * of.theta;
        self.vega += share * of.vega;
        self.financing += share * of.financing;
        self.costs += share * of.costs;
        self.unexplained += share * of.unexplained;
        self.drift += share * of.drift;
    }

    /// The sum of the parts: the P&L.
    pub fn total(&self) -> f64 {
        self.parts().iter().map(|(_, value)| value).sum()
    }
}

/// What interest and dividends make of money and shares.
#[derive(Debug, Clone)]
struct Growth {
    /// B_t = e^{∫ r} from every date to the expiry.
    growth: Vec<f64>,
    /// e^{∫ q} − 1 over every period.
    yielded: Vec<f64>,
}

impl Growth {
    fn new(contract: &Contract, market: &Market) -> Self {
        let (steps, dt) = (contract.steps, contract.dt());
        let time = |t: usize| dt * t as f64;
        let growth = |t: usize| {
            let average = market.rate.average(time(t), time(steps));
            (average * dt * (steps - t) as f64).exp()
        };
        let yielded = |t: usize| {
            let average = market.dividend.average(time(t), time(t + 1));
            (average * dt).exp_m1()
        };
        Self {
            growth: (0..=steps).map(growth).collect(),
            yielded: (0..steps).map(yielded).collect(),
        }
    }
}

/// Prices and sensitivities of every contract on every date, for the attribution of any number of strategies.
#[derive(Debug, Clone)]
pub struct Valuation {
    contract: Contract,
    growth: Growth,
    /// Spot and variance of every contract, `steps + 1` dates.
    paths: Vec<(Vec<f64>, Vec<f64>)>,
    /// `[contract][date]`, the expiry included, where the price is the payoff; none if the contract is no sum of calls and puts,
    /// there are several assets, or its price is no function of spot and variance.
    states: Option<Vec<Vec<Greeks>>>,
    /// The options among the hedging instruments: number, `[contract][date]`.
    options: Vec<(usize, Vec<Vec<Greeks>>)>,
    /// Number of hedging instruments.
    instruments: usize,
}

impl Valuation {
    /// Values `contract` on every date of `paths` at the variance there.
    pub fn new(contract: &Contract, market: &Market, paths: &Paths<f64>) -> Self {
        let rows: Vec<(Vec<f64>, Vec<f64>)> = (0..paths.count()).map(|i| paths.path(i)).collect();
        let value = |legs: &[Leg], later: f64| -> Vec<Vec<Greeks>> {
            let steps = contract.steps;
            let by_date: Vec<Vec<Greeks>> = (0..=steps)
                .into_par_iter()
                .map(|t| {
                    let left = contract.dt() * (steps - t) as f64 + later;
                    let elapsed = contract.dt() * t as f64;
                    states(
                        legs,
                        market,
                        (elapsed, left),
                        rows.iter().map(|(s, v)| (s[t], v[t])),
                    )
                })
                .collect();
            (0..rows.len())
                .map(|i| by_date.iter().map(|date| date[i]).collect())
                .collect()
        };
        // What hedges in other assets earn is no part of the price's expansion.
        let alone = paths.layout().assets() == 1;
        let legs = contract.legs().filter(|_| alone);
        let mut options = Vec::new();
        for (index, instrument) in paths.instruments().iter().enumerate() {
            let Instrument::Option(option) = instrument else {
                continue;
            };
            if legs.is_none() {
                continue;
            }
            let alone = Leg::one(option.kind, option.strike);
            let mut states = value(&[alone], option.expiry - contract.expiry);
            // The prices at which the ledger trades, so that the parts add up to its P&L.
            for (i, dates) in states.iter_mut().enumerate() {
                let block = paths.block(i / BLOCK);
                for (state, price) in dates.iter_mut().zip(block.price(index)) {
                    state.price = price[i % BLOCK];
                }
            }
            options.push((index, states));
        }
        Self {
            states: legs
                .filter(|_| market.model.prices_every_state())
                .map(|legs| value(legs, 0.0)),
            options,
            instruments: paths.instruments().len(),
            contract: contract.clone(),
            growth: Growth::new(contract, market),
            paths: rows,
        }
    }

    /// The model's price of contract `index` on each date, the payoff at expiry; none if the contract is no sum of calls and
    /// puts.
    pub fn prices(&self, index: usize) -> Option<impl Iterator<Item = f64>> {
        let states = self.states.as_ref()?[index].iter();
        Some(states.map(|state| state.price))
    }

    /// The model's delta of contract `index` over each period; none if the contract is no sum of calls and puts.
    pub fn deltas(&self, index: usize) -> Option<impl Iterator<Item = f64>> {
        let states = self.states.as_ref()?[index][..self.contract.steps].iter();
        Some(states.map(|state| state.delta))
    }

    /// The parts of the P&L in `book` of every contract: sold for `premiums`, hedged by `positions`,
    /// `[blocks][steps][instruments][BLOCK]`, while the spot is supposed to drift by `drift` a year.
    pub fn attribute(
        &self,
        positions: &[Lane<f64>],
        premiums: &[f64],
        book: &Book,
        drift: f64,
    ) -> Vec<Attribution> {
        let steps = self.contract.steps;
        (0..self.paths.len())
            .map(|i| {
                let size = steps * self.instruments;
                let block = &positions[i / BLOCK * size..][..size];
                let held = |t: usize, index: usize| block[t * self.instruments + index][i % BLOCK];
                match &self.states {
                    Some(states) => {
                        self.contract((i, &states[i]), held, premiums[i], book.cost[i], drift)
                    }
                    None => Attribution {
                        costs: -book.cost[i],
                        unexplained: book.pnl[i] + book.cost[i],
                        ..Attribution::default()
                    },
                }
            })
            .collect()
    }

    fn contract(
        &self,
        (index, states): (usize, &[Greeks]),
        held: impl Fn(usize, usize) -> f64,
        premium: f64,
        costs: f64,
        drift: f64,
    ) -> Attribution {
        let (steps, dt) = (self.contract.steps, self.contract.dt());
        let Growth { growth, yielded } = &self.growth;
        let (spot, variance) = &self.paths[index];
        let mut parts = Attribution {
            premium: (premium - states[0].price) * growth[0],
            costs: -costs,
            ..Attribution::default()
        };
        for t in 0..steps {
            let position = held(t, 0);
            let (mut now, mut then) = (states[t], states[t + 1]);
            for (option, of) in &self.options {
                let units = -held(t, *option);
                now.add(units, &of[index][t]);
                then.add(units, &of[index][t + 1]);
            }
            let (b, interest) = (growth[t + 1], growth[t + 1] - growth[t]);
            let move_ = spot[t + 1] - spot[t];
            let mut expansion = [
                0.5 * now.gamma * move_ * move_,
                now.theta * dt,
                now.variance_sensitivity * (variance[t + 1] - variance[t]),
            ];
            // No option is worth more than the spot, so a greater term is no approximation of a change. NaN is an
            // infinite derivative times no move.
            let most = spot[t].max(spot[t + 1]);
            if !expansion.iter().all(|term| term.abs() <= most) {
                expansion = [0.0; 3];
            }
            let [gamma, theta, vega] = expansion;
            let rest = then.price - now.price - now.delta * move_ - gamma - theta - vega;
            let excess = position - now.delta;
            parts.delta += excess * move_ * b;
            parts.drift += excess * spot[t] * (drift * dt).exp_m1() * b;
            parts.gamma -= gamma * b;
            parts.theta -= theta * b;
            parts.vega -= vega * b;
            parts.financing += (position * spot[t] - now.price) * interest
                + position * spot[t + 1] * yielded[t] * b;
            parts.unexplained -= rest * b;
        }
        parts
    }
}

/// One date of every contract, with `left` years to expiry.
fn states(
    legs: &[Leg],
    market: &Market,
    (elapsed, left): (f64, f64),
    at: impl Iterator<Item = (f64, f64)> + Clone,
) -> Vec<Greeks> {
    if left == 0.0 {
        let at_expiry = |(spot, _)| Greeks {
            price: payoff(legs, spot),
            ..Greeks::default()
        };
        return at.map(at_expiry).collect();
    }
    let pricer = market.pricer_after(elapsed, legs, left, at.clone());
    at.map(|(spot, variance)| pricer.greeks_of(legs, spot, variance))
        .collect()
}
