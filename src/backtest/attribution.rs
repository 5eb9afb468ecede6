//! Where the P&L of a hedged contract comes from.

use crate::contract::{Contract, Leg};
use crate::market::{Market, Model, Paths};
use crate::pricing::heston::HestonTransform;
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;
use serde::Serialize;

/// The P&L of one sold and hedged contract, in parts that add up to it.
///
/// Over a period from t to t + 1 the option sold loses V_{t+1} − V_t, which Taylor's formula in the model splits into
/// Δ dS + ½Γ dS² + Θ dt + ∂V/∂v dv and a rest; the position δ gains δ dS. In money of the expiry, with B_t = e^{r(T−t)}:
///
/// ```text
/// premium      (premium − V_0) B_0
/// delta        Σ (δ_t − Δ_t) dS B_{t+1}
/// gamma        −Σ ½ Γ_t dS² B_{t+1}
/// theta        −Σ Θ_t dt B_{t+1}
/// vega         −Σ ∂V/∂v dv B_{t+1}
/// financing    Σ (δ_t S_t − V_t)(B_{t+1} − B_t) + δ_t S_{t+1} (e^{q dt} − 1) B_{t+1}
/// costs        −costs
/// unexplained  −Σ (rest) B_{t+1}
/// ```
///
/// The part delta is the P&L of holding something else than the model's delta: a view on the spot, taken knowingly or
/// not. `drift` is that part of it which the drift μ explains, Σ (δ_t − Δ_t) S_t (e^{μ dt} − 1) B_{t+1}; it is
/// contained in delta and adds to nothing.
///
/// # Units
/// Currency at expiry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Attribution {
    pub premium: f64,
    pub delta: f64,
    pub gamma: f64,
    pub theta: f64,
    pub vega: f64,
    pub financing: f64,
    pub costs: f64,
    pub unexplained: f64,
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

    /// The sum of the parts: the P&L.
    pub fn total(&self) -> f64 {
        self.parts().iter().map(|(_, value)| value).sum()
    }
}

/// The model's price and sensitivities at one date of one contract.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    price: f64,
    delta: f64,
    gamma: f64,
    theta: f64,
    /// ∂V/∂v, v the instantaneous variance.
    by_variance: f64,
}

impl State {
    /// The state of a contract from those of one option of each of its legs.
    fn sum(contract: &Contract, of: impl Fn(Leg) -> Self) -> Self {
        let mut sum = Self::default();
        for leg in contract.legs() {
            let one = of(leg);
            sum.price += leg.quantity * one.price;
            sum.delta += leg.quantity * one.delta;
            sum.gamma += leg.quantity * one.gamma;
            sum.theta += leg.quantity * one.theta;
            sum.by_variance += leg.quantity * one.by_variance;
        }
        sum
    }
}

/// Prices and sensitivities of every contract on every date, for the attribution of any number of strategies.
pub struct Valuation {
    contract: Contract,
    market: Market,
    /// Spot and variance of every contract, `steps + 1` dates.
    paths: Vec<(Vec<f64>, Vec<f64>)>,
    /// `[contract][date]`, the expiry included, where the price is the payoff.
    states: Vec<Vec<State>>,
}

impl Valuation {
    /// Values `contract` on every date of `paths` at the variance there.
    pub fn new(contract: Contract, market: Market, paths: &Paths<f64>) -> Self {
        let rows: Vec<(Vec<f64>, Vec<f64>)> = (0..paths.count()).map(|i| paths.path(i)).collect();
        let steps = contract.steps;
        let by_date: Vec<Vec<State>> = (0..=steps)
            .into_par_iter()
            .map(|t| {
                let left = contract.dt() * (steps - t) as f64;
                states(
                    &contract,
                    &market,
                    left,
                    rows.iter().map(|(s, v)| (s[t], v[t])),
                )
            })
            .collect();
        let states = (0..rows.len())
            .map(|i| by_date.iter().map(|date| date[i]).collect())
            .collect();
        Self {
            contract,
            market,
            paths: rows,
            states,
        }
    }

    /// The model's price of contract `index` on each date, the payoff at expiry.
    pub fn prices(&self, index: usize) -> impl Iterator<Item = f64> {
        self.states[index].iter().map(|state| state.price)
    }

    /// The model's delta of contract `index` over each period.
    pub fn deltas(&self, index: usize) -> impl Iterator<Item = f64> {
        let states = &self.states[index];
        states[..self.contract.steps]
            .iter()
            .map(|state| state.delta)
    }

    /// The parts of the P&L of every contract: sold for `premiums`, hedged by `positions`, `[blocks][steps][BLOCK]`,
    /// at `costs`, one for each contract, while the spot is supposed to drift by `drift` a year.
    pub fn attribute(
        &self,
        positions: &[Lane<f64>],
        premiums: &[f64],
        costs: &[f64],
        drift: f64,
    ) -> Vec<Attribution> {
        let steps = self.contract.steps;
        (0..self.paths.len())
            .map(|i| {
                let block = &positions[i / BLOCK * steps..][..steps];
                let held = block.iter().map(|lane| lane[i % BLOCK]);
                self.contract(i, held, premiums[i], costs[i], drift)
            })
            .collect()
    }

    fn contract(
        &self,
        index: usize,
        positions: impl Iterator<Item = f64>,
        premium: f64,
        costs: f64,
        drift: f64,
    ) -> Attribution {
        let Market { rate, dividend, .. } = self.market;
        let (steps, dt) = (self.contract.steps, self.contract.dt());
        let growth = |t: usize| (rate * dt * (steps - t) as f64).exp();
        let ((spot, variance), states) = (&self.paths[index], &self.states[index]);
        let mut parts = Attribution {
            premium: (premium - states[0].price) * growth(0),
            costs: -costs,
            ..Attribution::default()
        };
        for (t, position) in positions.enumerate() {
            let (now, then) = (states[t], states[t + 1]);
            let (b, interest) = (growth(t + 1), growth(t + 1) - growth(t));
            let move_ = spot[t + 1] - spot[t];
            let gamma = 0.5 * now.gamma * move_ * move_;
            let theta = now.theta * dt;
            let vega = now.by_variance * (variance[t + 1] - variance[t]);
            let rest = then.price - now.price - now.delta * move_ - gamma - theta - vega;
            let excess = position - now.delta;
            parts.delta += excess * move_ * b;
            parts.drift += excess * spot[t] * (drift * dt).exp_m1() * b;
            parts.gamma -= gamma * b;
            parts.theta -= theta * b;
            parts.vega -= vega * b;
            parts.financing += (position * spot[t] - now.price) * interest
                + position * spot[t + 1] * (dividend * dt).exp_m1() * b;
            parts.unexplained -= rest * b;
        }
        parts
    }
}

/// One date of every contract, with `left` years to expiry.
fn states(
    contract: &Contract,
    market: &Market,
    left: f64,
    at: impl ExactSizeIterator<Item = (f64, f64)> + Clone,
) -> Vec<State> {
    if left == 0.0 {
        let payoff = |(spot, _)| State {
            price: contract.payoff(spot),
            ..State::default()
        };
        return at.map(payoff).collect();
    }
    let Market { rate, dividend, .. } = *market;
    match market.model {
        Model::Gbm { .. } => at
            .map(|(spot, variance)| {
                let market = Market { spot, ..*market };
                State::sum(contract, |leg| {
                    let option = market.black_scholes(leg, left, variance.sqrt());
                    State {
                        price: option.price(),
                        delta: option.delta(),
                        gamma: option.gamma(),
                        theta: option.theta(),
                        by_variance: option.vega() / (2.0 * option.volatility),
                    }
                })
            })
            .collect(),
        Model::Merton(parameters) => at
            .map(|(spot, _)| {
                State::sum(contract, |leg| {
                    let greeks =
                        parameters.greeks(leg.kind, spot, leg.strike, left, rate, dividend);
                    State {
                        price: greeks.price,
                        delta: greeks.delta,
                        gamma: greeks.gamma,
                        theta: greeks.theta,
                        by_variance: 0.0,
                    }
                })
            })
            .collect(),
        Model::Heston(parameters) => {
            let fold = |pick: fn(f64, f64) -> f64, start: f64, of: &dyn Fn((f64, f64)) -> f64| {
                at.clone().map(of).fold(start, pick)
            };
            let low = fold(f64::min, f64::INFINITY, &|(_, variance)| variance);
            let high = fold(f64::max, 0.0, &|(_, variance)| variance);
            let carry = (rate - dividend) * left;
            let width = fold(f64::max, 0.0, &|(spot, _)| {
                contract.log_moneyness(spot, carry)
            });
            let table = HestonTransform::new(&parameters, left, low..=high, width);
            at.map(|(spot, variance)| {
                State::sum(contract, |leg| {
                    let (kind, strike) = (leg.kind, leg.strike);
                    let greeks = table.greeks(kind, spot, variance, strike, rate, dividend);
                    State {
                        price: greeks.price,
                        delta: greeks.delta,
                        gamma: greeks.gamma,
                        theta: greeks.theta,
                        by_variance: greeks.variance_sensitivity,
                    }
                })
            })
            .collect()
        }
    }
}
