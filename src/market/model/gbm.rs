use super::dynamics::{
    Draw, Dynamics, Estimate, Limit, MOST_DEVIATION, Tabulation, deviation, independent_moments,
};
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::variance::VarianceProcess;
use crate::contract::OptionKind;
use crate::error::Result;
use crate::market::estimation::estimate_gbm;
use crate::pricing::{BlackScholes, Greeks};
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Kernel, Real, dispatch, multiply_add};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Geometric Brownian motion, dS/S = (r − q) dt + σ dW.
///
/// # References
/// F. Black and M. Scholes (1973), "The pricing of options and corporate liabilities", Journal of Political Economy 81(3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GbmParameters {
    /// The volatility σ, annualised: 0.2 is 20 %.
    #[schemars(title = "Volatility", range(min = 1e-3, max = 5.0), extend("x-unit" = "annualised"))]
    pub volatility: f64,
}

impl Dynamics for GbmParameters {
    /// A volatility of at most 3/√T.
    fn limits(&self, life: f64, _: usize) -> Vec<Limit> {
        let most = MOST_DEVIATION / life.sqrt();
        let wide = deviation(&self.variance_process(), life) > MOST_DEVIATION;
        let limit = Limit {
            parameter: "volatility",
            value: self.volatility,
            bound: format!("at most {most:.4} over {life:.4} years"),
            holds: false,
        };
        wide.then_some(limit).into_iter().collect()
    }

    fn factors(&self) -> Vec<Factor> {
        vec![Factor::Normal(1.0)]
    }

    fn longest_step(&self, _: f64) -> f64 {
        f64::INFINITY
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        if block.substeps == 1 {
            dispatch(GbmBlock::<_, _, false> {
                parameters: *self,
                block,
            });
        } else {
            dispatch(GbmBlock::<_, _, true> {
                parameters: *self,
                block,
            });
        }
    }

    fn lognormal(&self) -> Option<f64> {
        Some(self.volatility)
    }

    fn variance_process(&self) -> VarianceProcess {
        VarianceProcess::Constant(self.volatility * self.volatility)
    }

    fn seen_at(&self, variance: f64) -> Option<Self> {
        Some(Self {
            volatility: variance.sqrt(),
        })
    }

    fn log_return_moments(&self, carry: f64, _: f64, period: f64) -> Option<(f64, f64)> {
        let variance = self.volatility * self.volatility;
        independent_moments(carry - 0.5 * variance, variance, period)
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Formula
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(FlatPricer {
            left: horizon.left,
            rate: horizon.rate,
            dividend: horizon.dividend,
        })
    }

    fn tabulation(&self, _: f64, _: f64) -> Tabulation {
        Tabulation::Formula
    }

    fn estimate(returns: &[f64], days_per_year: f64) -> Result<Estimate<Self>> {
        let estimate = estimate_gbm(returns, days_per_year)?;
        Ok(Estimate {
            parameters: Self {
                volatility: estimate.volatility,
            },
            at_bound: Vec::new(),
            standard_errors: estimate.standard_errors(),
            drift: Some(estimate.drift),
            findings: Vec::new(),
        })
    }
}

/// Black and Scholes' formula at the variance of each state.
struct FlatPricer {
    left: f64,
    rate: f64,
    dividend: f64,
}

impl FlatPricer {
    fn option(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> BlackScholes {
        BlackScholes {
            kind,
            spot,
            strike,
            expiry: self.left,
            rate: self.rate,
            dividend: self.dividend,
            volatility: variance.sqrt(),
        }
    }
}

impl Pricer for FlatPricer {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> f64 {
        self.option(kind, strike, spot, variance).price()
    }

    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks {
        self.option(kind, strike, spot, variance).greeks()
    }
}

/// One block of geometric Brownian motion, exact at the dates of the grid.
///
/// S_{t+1} = S_t exp((r − q − σ²/2) Δ + σ √Δ Z)
///
/// `DIVIDED` says whether periods have sub-steps, which other assets alone can ask for; counting them would take 4 % of the time.
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", equation 3.21.
struct GbmBlock<'a, R, S, const DIVIDED: bool> {
    parameters: GbmParameters,
    block: Draw<'a, R, S>,
}

impl<R: Real, S: Shocks, const DIVIDED: bool> Kernel for GbmBlock<'_, R, S, DIVIDED> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Draw {
            shocks,
            start,
            carry,
            dt,
            substeps,
            begun: _,
            spot: spots,
            variance: variances,
            ..
        } = self.block;
        let dt = dt / substeps as f64;
        let volatility = self.parameters.volatility;
        let variance = volatility * volatility;
        let drift = R::of((carry - 0.5 * variance) * dt);
        let scale = R::of(volatility * dt.sqrt());
        for lane in variances {
            *lane = [R::of(variance); BLOCK];
        }
        spots[0] = [R::of(start); BLOCK];
        let mut words = [[0; BLOCK]; 4];
        let mut step = 0;
        for date in 1..spots.len() {
            for substep in 0..if DIVIDED { substeps } else { 1 } {
                if step % 4 == 0 {
                    words = shocks.draw(step / 4);
                }
                // Values, not references: the compiler must see that nothing overlaps.
                let now = spots[if substep == 0 { date - 1 } else { date }];
                let word = words[step % 4];
                let mut next = [R::ZERO; BLOCK];
                for lane in 0..BLOCK {
                    let normal = S::normal::<R, FMA>(word[lane]);
                    let log_return = multiply_add::<R, FMA>(scale, normal, drift);
                    next[lane] = now[lane] * log_return.exp::<FMA>();
                }
                spots[date] = next;
                step += 1;
            }
        }
    }
}
