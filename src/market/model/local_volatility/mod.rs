//! Local volatility: the parameters and what the rest of the program asks of them.

mod paths;
mod pricer;

use super::dynamics::{
    Draw, Dynamics, Estimate, Limit, Tabulated, Tabulation, deviation, not_estimated, spread_limit,
};
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::variance::VarianceProcess;
use crate::error::Result;
use crate::market::estimation::{ConstantVariance, VarianceFilter};
use crate::pricing::ForwardVariance;
use crate::pricing::svi::{SviSlice, SviSurface};
use crate::random::{Factor, Shocks};
use crate::simd::{Real, dispatch};
use paths::LocalBlock;
use pricer::{BackwardPricer, solve};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};

/// A volatility that is the function of spot and time under which European options have the prices of a surface,
///
/// ```text
/// dS/S = (r − q) dt + σ(ln(S/F_t), t) dW
/// ```
///
/// with F_t the forward of the sale for t, and σ² from the surface by Dupire's formula ([`SviSurface::local_variance`]). The surface is
/// that of the sale, over the moneyness of the spot then.
///
/// # References
/// B. Dupire (1994), "Pricing with a smile", Risk 7(1); J. Gatheral (2006), "The Volatility Surface", equation 1.10.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalVolatilityParameters {
    /// The slices of the surface, total variances w(k) = a + b (ρ(k − m) + √((k − m)² + σ²)) of ln(K/F), each with `days`, `a`, `b`,
    /// `rho`, `m` and `sigma`.
    #[schemars(title = "Slices of the surface", length(min = 1), extend("examples" = [[
        { "days": 30.0, "a": 0.001, "b": 0.01, "rho": -0.5, "m": 0.0, "sigma": 0.2 },
        { "days": 365.0, "a": 0.02, "b": 0.06, "rho": -0.5, "m": 0.02, "sigma": 0.3 },
    ]]))]
    pub slices: Vec<SviSlice>,
    #[serde(skip)]
    prepared: Prepared,
}

/// What is made of the slices once, and again of a copy that has none yet; two of the same slices are the same.
#[derive(Debug, Clone, Default)]
struct Prepared(Arc<OnceLock<(SviSurface, ForwardVariance)>>);

impl PartialEq for Prepared {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl From<Vec<SviSlice>> for LocalVolatilityParameters {
    fn from(slices: Vec<SviSlice>) -> Self {
        Self {
            slices,
            prepared: Prepared::default(),
        }
    }
}

impl LocalVolatilityParameters {
    fn prepared(&self) -> &(SviSurface, ForwardVariance) {
        self.prepared.0.get_or_init(|| {
            let surface = SviSurface::new(self.slices.clone());
            let expiries = surface.slices().iter().map(SviSlice::expiry);
            // The curve begins with the variance that paths begin with.
            let start = 1e-3 * surface.slices()[0].expiry();
            let first = (start, start * surface.local_variance(0.0, 0.0));
            let totals = expiries.map(|expiry| (expiry, surface.expected_variance(expiry)));
            let forward = ForwardVariance::new(std::iter::once(first).chain(totals), 1.0);
            (surface, forward)
        })
    }

    /// The surface of the slices.
    fn surface(&self) -> &SviSurface {
        &self.prepared().0
    }
}

impl Dynamics for LocalVolatilityParameters {
    /// A surface without arbitrage.
    fn limits(&self, life: f64, _: usize) -> Vec<Limit> {
        let mut limits = Vec::new();
        if let Some(fault) = self.surface().arbitrage() {
            limits.push(Limit {
                parameter: "slices",
                value: fault.value,
                bound: format!("such that {} at least 0", fault.place),
                holds: false,
            });
            return limits;
        }
        let process = self.variance_process();
        let total = deviation(&process, life).powi(2);
        limits.extend(spread_limit(&process, life, ("slices", total)));
        limits
    }

    fn factors(&self) -> Vec<Factor> {
        vec![Factor::Normal(1.0)]
    }

    /// A hundredth of the life.
    fn longest_step(&self, life: f64) -> f64 {
        life / 100.0
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        dispatch(LocalBlock {
            surface: self.surface(),
            block,
        });
    }

    /// The curve of forward variance is that of the surface's variance swaps.
    fn variance_process(&self) -> VarianceProcess {
        VarianceProcess::Forward(self.prepared().1.clone())
    }

    /// The surface is known, and the variance follows from it.
    fn seen_at(&self, _: f64) -> Option<Self> {
        None
    }

    fn prices_are_exact(&self) -> bool {
        false
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::FiniteDifferences
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(BackwardPricer::new(self.surface(), horizon.clone()))
    }

    fn tabulation(&self, _: f64, _: f64) -> Tabulation {
        Tabulation::Spot
    }

    /// By one solution of the backward equation.
    fn calls(&self, of: &Tabulated, x: &[f64]) -> Vec<f64> {
        let reach = x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let calls = solve(
            self.surface(),
            of.elapsed,
            of.left,
            of.log_strike,
            reach,
            1.0,
        );
        let strike = of.log_strike.exp();
        let call = |x: &f64| calls.at(of.log_strike + x)[0] / strike;
        x.iter().map(call).collect()
    }

    fn filter(&self, _: f64, _: f64) -> Box<dyn VarianceFilter> {
        Box::new(ConstantVariance(self.variance_process().long_run()))
    }

    fn estimate(_: &[f64], _: f64) -> Result<Estimate<Self>> {
        not_estimated("local_volatility", "it is the surface of option prices")
    }
}

/// No local variance is greater, where a density is next to none.
const MOST_VARIANCE: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Leg, OptionKind};
    use crate::market::{Market, Model, Simulator};
    use crate::random::{Purpose, Sampling};

    /// A surface with the skew of an equity index: 20 % at the money, steeper in the short run.
    fn skewed() -> LocalVolatilityParameters {
        let slice = |days: f64, b: f64, sigma: f64| {
            let total = 0.04 * days / 365.0;
            SviSlice {
                days,
                // w(0) is the total at the money.
                a: total - b * (0.6 * 0.02 + (0.02f64 * 0.02 + sigma * sigma).sqrt()),
                b,
                rho: -0.6,
                m: 0.02,
                sigma,
            }
        };
        vec![
            slice(30.0, 0.02, 0.08),
            slice(91.0, 0.04, 0.14),
            slice(365.0, 0.09, 0.3),
        ]
        .into()
    }

    /// The surface that it came from: implied volatilities of 91 and 365 days, between 75 and 130 % of the forward, by the backward
    /// equation to 2·10⁻⁴ and by 2¹⁷ Sobol paths to 5·10⁻⁴; half a year, between slices, as well.
    #[test]
    fn it_reprices_its_surface() {
        let model = skewed();
        assert_eq!(model.surface().arbitrage(), None);
        let market = Market {
            model: Model::from(model.clone()),
            spot: 100.0,
            rate: 0.03.into(),
            dividend: 0.01.into(),
        };
        for days in [91.0, 182.0, 365.0] {
            let (expiry, steps) = (days / 365.0, 4);
            let simulator = Simulator {
                assets: market.clone().into(),
                steps,
                dt: expiry / steps as f64,
                seed: 3,
                purpose: Purpose::Pricing,
                sampling: Sampling::Sobol,
                family: None,
            };
            let ends = simulator.ends(0, 1 << 17);
            let forward = 100.0 * (0.02f64 * expiry).exp();
            let discount = (-0.03f64 * expiry).exp();
            for deviations in [-1.5, -0.7, 0.0, 0.7, 1.3] {
                let k = deviations * 0.2 * expiry.sqrt();
                let strike = forward * f64::exp(k);
                // Out of the money, where prices have the least error.
                let kind = if k < 0.0 {
                    OptionKind::Put
                } else {
                    OptionKind::Call
                };
                let leg = Leg::one(kind, strike);
                let implied = |price: f64| {
                    let option = market.black_scholes(leg, expiry, 0.2);
                    option.implied_volatility(price).unwrap()
                };
                let expected = (model.surface().at(k, expiry).total / expiry).sqrt();
                let solved = implied(market.price(&[leg], expiry));
                let sum: f64 = ends.iter().map(|s| kind.payoff(*s, strike)).sum();
                let simulated = implied(discount * sum / ends.len() as f64);
                println!("{days} {k:.3}: {expected:.5} {solved:.5} {simulated:.5}");
                assert!(
                    (solved - expected).abs() < 2e-4,
                    "{days} {k}: {solved} {expected}"
                );
                assert!(
                    (simulated - expected).abs() < 5e-4,
                    "{days} {k}: {simulated} {expected}"
                );
            }
        }
    }
}
