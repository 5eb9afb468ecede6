use super::dynamics::{Draw, Dynamics, Estimate, Limit, independent_moments, spread_limit};
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::variance::VarianceProcess;
use crate::contract::OptionKind;
use crate::error::Result;
use crate::market::estimation::estimate_variance_gamma;
use crate::pricing::{BlackScholes, Greeks};
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Kernel, Real, dispatch, multiply_add};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The variance gamma model, a Brownian motion with drift in a time that passes by the increments of a gamma process,
///
/// ```text
/// S_t = S_0 exp((r − q + ω) t + θ G_t + σ W(G_t)),   E[G_t] = t,   Var[G_t] = νt,   ω = ln(1 − θν − ½σ²ν)/ν
/// ```
///
/// # References
/// D. Madan, P. Carr and E. Chang (1998), "The variance gamma process and option pricing", European Finance Review 2, equations 1, 9
/// and 22.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VarianceGammaParameters {
    /// The volatility σ in the time of the gamma process, annualised: 0.2 is 20 %.
    #[schemars(title = "Volatility", range(min = 1e-3, max = 5.0), extend("x-unit" = "annualised"))]
    pub volatility: f64,
    /// The drift θ in the time of the gamma process: below 0, large moves lead downwards.
    #[schemars(title = "Drift of gamma time", range(min = -2.0, max = 2.0), extend("x-unit" = "per year"))]
    pub gamma_drift: f64,
    /// The variance ν of the gamma process over a year: 0.2 gives daily returns a kurtosis of 3 (1 + 0.2 · 252).
    #[schemars(title = "Variance of gamma time", range(min = 1e-4, max = 2.0), extend("x-unit" = "years"))]
    pub gamma_variance: f64,
}

impl VarianceGammaParameters {
    /// 1 − θν − ½σ²ν, whose logarithm must exist for the spot to have a mean.
    fn room(&self) -> f64 {
        let variance = self.volatility * self.volatility;
        1.0 - self.gamma_variance * (self.gamma_drift + 0.5 * variance)
    }

    /// ω
    fn compensator(&self) -> f64 {
        self.room().ln() / self.gamma_variance
    }
}

impl Dynamics for VarianceGammaParameters {
    /// θν + ½σ²ν ≤ ½, so that the spot has a mean and a variance that samples show.
    fn limits(&self, life: f64, _: usize) -> Vec<Limit> {
        let variance = self.volatility * self.volatility;
        let most = 0.5 / (self.gamma_drift + 0.5 * variance).max(1e-12);
        let mut limits = vec![Limit {
            parameter: "gamma_variance",
            value: self.gamma_variance,
            bound: format!("at most {most:.4} with this volatility and gamma_drift"),
            holds: self.gamma_variance <= most,
        }];
        let parameter = ("volatility", self.volatility);
        limits.extend(spread_limit(&self.variance_process(), life, parameter));
        limits
    }

    /// The Brownian motion and the time that passes.
    fn factors(&self) -> Vec<Factor> {
        vec![Factor::Normal(1.0), Factor::Own]
    }

    fn longest_step(&self, _: f64) -> f64 {
        f64::INFINITY
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        dispatch(GammaBlock {
            parameters: *self,
            block,
        });
    }

    fn variance_process(&self) -> VarianceProcess {
        let drift = self.gamma_drift * self.gamma_drift;
        VarianceProcess::Constant(self.volatility.powi(2) + drift * self.gamma_variance)
    }

    fn log_return_moments(&self, carry: f64, _: f64, period: f64) -> Option<(f64, f64)> {
        let mean = carry + self.compensator() + self.gamma_drift;
        independent_moments(mean, self.variance_process().now(), period)
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Quadrature
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(MixturePricer {
            parameters: self,
            left: horizon.left,
            rate: horizon.rate,
            dividend: horizon.dividend,
        })
    }

    fn estimate(returns: &[f64], days_per_year: f64) -> Result<Estimate<Self>> {
        let estimate = Estimate::from(estimate_variance_gamma(returns, days_per_year)?);
        let named = |[volatility, gamma_drift, gamma_variance]: [f64; 3]| Self {
            volatility,
            gamma_drift,
            gamma_variance,
        };
        Ok(estimate.map(named))
    }
}

/// Black and Scholes' price averaged over the gamma time g that passes until expiry,
///
/// ```text
/// V = V₀ + ∫ (BS(g) − V₀) f(g) dg,   f(g) = g^{a−1} e^{−g/ν}/(Γ(a) ν^a),   a = T/ν
/// ```
///
/// where BS(g) has the spot S e^{ωT + (θ + σ²/2)g} and the total variance σ²g, and V₀ = BS(0) is the value if no time passes, near which
/// the density may have a pole. In ln g the integrand is smooth and falls exponentially on both sides, so that the trapezoidal rule is
/// exact to rounding.
///
/// # References
/// D. Madan, P. Carr and E. Chang (1998), equation 24.
struct MixturePricer<'a> {
    parameters: &'a VarianceGammaParameters,
    left: f64,
    rate: f64,
    dividend: f64,
}

impl MixturePricer<'_> {
    fn given(&self, kind: OptionKind, strike: f64, spot: f64, left: f64, passed: f64) -> f64 {
        let p = self.parameters;
        let variance = p.volatility * p.volatility;
        let moved = p.compensator() * left + (p.gamma_drift + 0.5 * variance) * passed;
        let option = BlackScholes {
            kind,
            spot: spot * moved.exp(),
            strike,
            expiry: left,
            rate: self.rate,
            dividend: self.dividend,
            volatility: (variance * passed / left).sqrt(),
        };
        option.price()
    }

    fn at(&self, kind: OptionKind, strike: f64, spot: f64, left: f64) -> f64 {
        const STEP: f64 = 0.05;
        let nu = self.parameters.gamma_variance;
        let shape = left / nu;
        let normaliser = libm::lgamma(shape) + shape * nu.ln();
        let still = self.given(kind, strike, spot, left, 0.0);
        // Below the mean the integrand falls like a normal law of deviation 1/√a and like e^{(a + ½) ln g} further out.
        let centre = left.max(1e-3 * nu).ln();
        let down = (40.0 / (shape + 0.5)).max((10.0 / shape.sqrt()).min(40.0));
        let up = ((shape + 10.0 * shape.sqrt() + 60.0) * nu).ln() - centre;
        let step = STEP.min(0.15 / shape.sqrt());
        let points = ((down + up.max(0.0)) / step).ceil() as usize;
        let mut sum = still;
        for i in 0..=points {
            let log = centre - down + step * i as f64;
            let passed = log.exp();
            let density = (shape * log - passed / nu - normaliser).exp();
            if density < 1e-18 {
                continue;
            }
            sum += step * density * (self.given(kind, strike, spot, left, passed) - still);
        }
        sum
    }
}

impl Pricer for MixturePricer<'_> {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> f64 {
        self.at(kind, strike, spot, self.left)
    }

    /// No variance moves; the minimum-variance delta is the delta, which leaves what jumps add.
    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks {
        let with = |volatility: f64, spot: f64, left: f64| {
            let parameters = VarianceGammaParameters {
                volatility,
                ..*self.parameters
            };
            let pricer = MixturePricer {
                parameters: &parameters,
                ..*self
            };
            pricer.at(kind, strike, spot, left)
        };
        let volatility = self.parameters.volatility;
        let price = |spot, _, left| with(volatility, spot, left);
        let greeks = Greeks::by_differences(price, (spot, variance, self.left), 0.0);
        let h = 1e-4 * volatility;
        let up = with(volatility + h, spot, self.left);
        let down = with(volatility - h, spot, self.left);
        Greeks {
            vega: (up - down) / (2.0 * h),
            ..greeks
        }
    }
}

/// One block of variance gamma paths, exact at the dates of the grid.
///
/// S_{t+1} = S_t exp((r − q + ω) Δ + θ G + σ √G Z),  G ~ Gamma(Δ/ν, ν)
///
/// The gamma variate comes from a generator whose seed is its shock.
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", section 3.5.2.
struct GammaBlock<'a, R, S> {
    parameters: VarianceGammaParameters,
    block: Draw<'a, R, S>,
}

impl<R: Real, S: Shocks> Kernel for GammaBlock<'_, R, S> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let p = self.parameters;
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
        let drift = R::of((carry + p.compensator()) * dt);
        let (along, sigma) = (R::of(p.gamma_drift), R::of(p.volatility));
        let passing = Gamma::new(dt / p.gamma_variance, p.gamma_variance);
        let passing = passing.expect("a period and the variance of gamma time are above 0");
        for lane in variances {
            *lane = [R::of(p.variance_process().now()); BLOCK];
        }
        // Values, not references: the compiler must see that nothing overlaps.
        let mut spot = [R::of(start); BLOCK];
        spots[0] = spot;
        let mut words = [[0; BLOCK]; 4];
        let mut step = 0;
        for kept in &mut spots[1..] {
            for _ in 0..substeps {
                if step % 2 == 0 {
                    words = shocks.draw(step / 2);
                }
                let (for_spot, for_time) = (words[2 * (step % 2)], words[2 * (step % 2) + 1]);
                let passed = for_time.map(|seed| {
                    let mut random = ChaCha8Rng::seed_from_u64(u64::from(seed));
                    R::of(passing.sample(&mut random))
                });
                for lane in 0..BLOCK {
                    let normal = S::normal::<R, FMA>(for_spot[lane]);
                    let mean = multiply_add::<R, FMA>(along, passed[lane], drift);
                    let spread = sigma * passed[lane].sqrt();
                    spot[lane] *= multiply_add::<R, FMA>(spread, normal, mean).exp::<FMA>();
                }
                step += 1;
            }
            *kept = spot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Leg;
    use crate::market::{Market, Model, Simulator};
    use crate::random::{Purpose, Sampling};

    /// Close to the estimate of Madan, Carr and Chang (1998) for options on the S&P 500.
    const INDEX: VarianceGammaParameters = VarianceGammaParameters {
        volatility: 0.12,
        gamma_drift: -0.14,
        gamma_variance: 0.17,
    };

    fn market(model: VarianceGammaParameters) -> Market {
        Market {
            model: Model::from(model),
            spot: 100.0,
            rate: 0.05.into(),
            dividend: 0.01.into(),
        }
    }

    /// Log returns have the mean (r − q + ω + θ)t, the variance (σ² + θ²ν)t and the third cumulant (2θ³ν² + 3σ²θν)t, and puts of a day and
    /// of a quarter their price, z-bound 4.
    #[test]
    fn paths_have_their_moments_and_prices() {
        let VarianceGammaParameters {
            volatility,
            gamma_drift: theta,
            gamma_variance: nu,
        } = INDEX;
        let market = market(INDEX);
        for (life, steps) in [(1.0 / 365.0, 1), (0.25, 3)] {
            let simulator = Simulator {
                assets: market.clone().into(),
                steps,
                dt: life / steps as f64,
                seed: 6,
                purpose: Purpose::Pricing,
                sampling: Sampling::Pseudorandom,
                family: None,
            };
            let ends = simulator.ends(0, 1 << 17);
            let check = |of: &dyn Fn(f64) -> f64, expected: f64| {
                let count = ends.len() as f64;
                let mean = ends.iter().map(|s| of(*s)).sum::<f64>() / count;
                let square = ends.iter().map(|s| (of(*s) - mean).powi(2)).sum::<f64>();
                let error = square.sqrt() / count;
                assert!(
                    (mean - expected).abs() < 4.0 * error,
                    "{life}: {mean} ± {error}, {expected}"
                );
            };
            let drift = 0.04 + INDEX.compensator() + theta;
            let centred = |s: f64| (s / 100.0).ln() - drift * life;
            check(&centred, 0.0);
            let variance = volatility * volatility;
            check(
                &|s| centred(s).powi(2),
                (variance + theta * theta * nu) * life,
            );
            let third = 2.0 * theta.powi(3) * nu * nu + 3.0 * variance * theta * nu;
            check(&|s| centred(s).powi(3), third * life);
            for strike in [95.0, 100.0, 101.0] {
                let discount = (-0.05 * life).exp();
                let expected = market.price(&[Leg::one(OptionKind::Put, strike)], life);
                check(&|s| discount * (strike - s).max(0.0), expected);
            }
        }
    }

    /// As ν falls to 0 time passes evenly, and prices are Black and Scholes'.
    #[test]
    fn even_time_is_black_scholes() {
        let even = VarianceGammaParameters {
            gamma_variance: 1e-4,
            gamma_drift: 0.0,
            volatility: 0.2,
        };
        let market = market(even);
        for strike in [85.0, 100.0, 120.0] {
            let leg = Leg::one(OptionKind::Call, strike);
            let expected = market.black_scholes(leg, 0.5, 0.2).price();
            let found = market.price(&[leg], 0.5);
            assert!((found / expected - 1.0).abs() < 2e-4, "{found} {expected}");
        }
    }
}
