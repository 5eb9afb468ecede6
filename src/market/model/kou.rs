use super::dynamics::{Draw, Dynamics, Estimate, Limit, Tabulated, independent_moments};
use super::jumps;
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::transform::{TABLE_TAIL, TransformPricer, transform_calls};
use super::variance::VarianceProcess;
use crate::contract::OptionKind;
use crate::error::Result;
use crate::market::estimation::estimate_kou;
use crate::pricing::heston::HestonTransform;
use crate::pricing::jumps::{ExponentialJumps, Jumps};
use crate::pricing::{Greeks, HestonParameters};
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch, multiply_add};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kou's model: a geometric Brownian motion whose logarithm jumps by double exponential variates,
///
/// ```text
/// dS/S = (r − q − λk) dt + σ dW + (e^Y − 1) dN,   f(y) = p η₁ e^{−η₁y} 1{y > 0} + (1 − p) η₂ e^{η₂y} 1{y < 0}
/// ```
///
/// priced as if the risk of jumps earned nothing.
///
/// # References
/// S. Kou (2002), "A jump-diffusion model for option pricing", Management Science 48(8), equations 1–3.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KouParameters {
    /// The volatility σ of the diffusion alone, annualised: 0.2 is 20 %.
    #[schemars(title = "Volatility", range(min = 1e-3, max = 5.0), extend("x-unit" = "annualised"))]
    pub volatility: f64,
    /// The expected number λ of jumps a year.
    #[schemars(title = "Jumps a year", range(min = 1e-6, max = 1e4), extend("x-unit" = "per year"))]
    pub jump_intensity: f64,
    /// The probability p that a jump leads upwards.
    #[schemars(title = "Share of jumps upwards", range(min = 0.0, max = 1.0))]
    pub up_probability: f64,
    /// The mean 1/η₁ of a log jump upwards: 0.05 is a rise by about 5 %.
    #[schemars(title = "Mean log jump upwards", range(min = 1e-4, max = 0.4))]
    pub log_jump_up: f64,
    /// The mean 1/η₂ of a log jump downwards, as a size: 0.05 is a fall by about 5 %.
    #[schemars(title = "Mean log jump downwards", range(min = 1e-4, max = 1.0))]
    pub log_jump_down: f64,
}

impl KouParameters {
    fn jumps(&self) -> ExponentialJumps {
        ExponentialJumps {
            intensity: self.jump_intensity,
            upward: self.up_probability,
            mean_up: self.log_jump_up,
            mean_down: self.log_jump_down,
        }
    }

    /// The characteristic function for options that expire after `left` years: that of Heston's model with a variance that
    /// never changes, and of the jumps.
    fn transform(&self, left: f64, log_moneyness: f64, tail: f64) -> HestonTransform {
        let diffusion = self.volatility * self.volatility;
        let constant = HestonParameters {
            v0: diffusion,
            kappa: 0.0,
            theta: diffusion,
            sigma: 0.0,
            rho: 0.0,
        };
        let variances = diffusion..=diffusion;
        HestonTransform::with_jumps(
            &constant,
            &self.jumps(),
            left,
            variances,
            log_moneyness,
            tail,
        )
    }
}

impl Dynamics for KouParameters {
    /// [`jumps::limits`].
    fn limits(&self, life: f64, steps: usize) -> Vec<Limit> {
        jumps::limits(
            self.jump_intensity,
            self.volatility,
            &self.variance_process(),
            life,
            steps,
        )
    }

    /// The Brownian motion, the numbers of jumps upwards and downwards, and their sizes.
    fn factors(&self) -> Vec<Factor> {
        vec![Factor::Normal(1.0), Factor::Own, Factor::Own, Factor::Own]
    }

    fn longest_step(&self, _: f64) -> f64 {
        f64::INFINITY
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        dispatch(KouBlock {
            parameters: *self,
            block,
        });
    }

    fn variance_process(&self) -> VarianceProcess {
        VarianceProcess::Constant(self.volatility.powi(2) + self.jumps().variance())
    }

    fn log_return_moments(&self, carry: f64, _: f64, period: f64) -> Option<(f64, f64)> {
        let mean_log_jump = self.up_probability * self.log_jump_up
            - (1.0 - self.up_probability) * self.log_jump_down;
        let jumps = self.jump_intensity * (mean_log_jump - self.jumps().mean_jump());
        let mean = carry - 0.5 * self.volatility.powi(2) + jumps;
        independent_moments(mean, self.variance_process().now(), period)
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Transform
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        let tail = HestonTransform::TAIL;
        let transform = self.transform(horizon.left, horizon.log_moneyness, tail);
        Box::new(KouPricer {
            transform: TransformPricer::new(transform, horizon, 0.0),
            diffusion: self.volatility.powi(2),
        })
    }

    /// By one transform.
    fn calls(&self, of: &Tabulated, x: &[f64]) -> Vec<f64> {
        let width = x.iter().fold(0.0, |w: f64, x| w.max(x.abs()));
        let transform = self.transform(of.left, width, TABLE_TAIL);
        transform_calls(&transform, self.volatility.powi(2), x, f64::INFINITY)
    }

    fn estimate(returns: &[f64], days_per_year: f64) -> Result<Estimate<Self>> {
        let estimate = Estimate::from(estimate_kou(returns, days_per_year)?);
        Ok(estimate.map(|(volatility, jumps)| Self {
            volatility,
            jump_intensity: jumps.intensity,
            up_probability: jumps.upward,
            log_jump_up: jumps.mean_up,
            log_jump_down: jumps.mean_down,
        }))
    }
}

/// Prices by transform; the variance of a state is that of the parameters.
struct KouPricer {
    transform: TransformPricer,
    /// σ²
    diffusion: f64,
}

impl Pricer for KouPricer {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> f64 {
        self.transform.price(kind, strike, spot, self.diffusion)
    }

    /// The vega is that of σ, and no variance moves.
    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> Greeks {
        Greeks {
            variance_sensitivity: 0.0,
            ..self.transform.greeks(kind, strike, spot, self.diffusion)
        }
    }
}

/// One block of Kou's jump diffusion, exact at the dates of the grid.
///
/// S_{t+1} = S_t exp((r − q − λk − σ²/2) Δ + σ √Δ Z + G₁/η₁ − G₂/η₂)
///
/// with G₁ ~ Gamma(N₁, 1), N₁ ~ Poisson(pλΔ), the sum of as many exponential variates, and likewise G₂ with (1 − p)λΔ. The numbers
/// are drawn by inversion from a shock each; a path that jumps draws the sums from a generator whose seed is the shocks of the
/// jumps.
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", section 3.5.1.
struct KouBlock<'a, R, S> {
    parameters: KouParameters,
    block: Draw<'a, R, S>,
}

/// What the jumps of a step add to the logarithm of the spot.
fn jumped(parameters: &KouParameters, (up, down): (f64, f64), seed: [u32; 3]) -> f64 {
    let mut bytes = [0; 32];
    for (to, word) in bytes.chunks_exact_mut(4).zip(seed) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    let mut random = ChaCha8Rng::from_seed(bytes);
    let mut sum = |count: f64, mean: f64| match Gamma::new(count, mean) {
        Ok(gamma) => gamma.sample(&mut random),
        // Without a jump.
        Err(_) => 0.0,
    };
    sum(up, parameters.log_jump_up) - sum(down, parameters.log_jump_down)
}

impl<R: Real, S: Shocks> Kernel for KouBlock<'_, R, S> {
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
        let sigma2 = p.volatility * p.volatility;
        let compensated = carry - p.jump_intensity * p.jumps().mean_jump() - 0.5 * sigma2;
        let (drift, scale) = (R::of(compensated * dt), R::of(p.volatility * dt.sqrt()));
        let expected = p.jump_intensity * dt;
        let up = jumps::thresholds(p.up_probability * expected);
        let down = jumps::thresholds((1.0 - p.up_probability) * expected);
        for lane in variances {
            *lane = [R::of(p.variance_process().now()); BLOCK];
        }
        // Values, not references: the compiler must see that nothing overlaps.
        let mut spot = [R::of(start); BLOCK];
        spots[0] = spot;
        let mut step = 0;
        for kept in &mut spots[1..] {
            for _ in 0..substeps {
                let [for_spot, for_up, for_down, for_size] = shocks.draw(step);
                let ups: Lane<R> = jumps::count(&up, &for_up);
                let downs: Lane<R> = jumps::count(&down, &for_down);
                let mut sizes = [R::ZERO; BLOCK];
                for lane in 0..BLOCK {
                    if ups[lane] + downs[lane] > R::ZERO {
                        let counts = (ups[lane].into_f64(), downs[lane].into_f64());
                        let seed = [for_up[lane], for_down[lane], for_size[lane]];
                        sizes[lane] = R::of(jumped(&p, counts, seed));
                    }
                }
                for lane in 0..BLOCK {
                    let normal = S::normal::<R, FMA>(for_spot[lane]);
                    let log_return = multiply_add::<R, FMA>(scale, normal, drift + sizes[lane]);
                    spot[lane] *= log_return.exp::<FMA>();
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

    const KOU: KouParameters = KouParameters {
        volatility: 0.16,
        jump_intensity: 1.0,
        up_probability: 0.4,
        log_jump_up: 0.1,
        log_jump_down: 0.2,
    };

    fn market(model: KouParameters, rate: f64, dividend: f64) -> Market {
        Market {
            model: Model::from(model),
            spot: 100.0,
            rate: rate.into(),
            dividend: dividend.into(),
        }
    }

    /// Kou (2002), section 5.2: σ = 0.16, λ = 1, p = 0.4, η₁ = 10, η₂ = 5, r = 5 %, T = 0.5: the call struck at 98 is worth 9.14732.
    #[test]
    fn the_call_of_kou_2002() {
        let call = Leg::one(OptionKind::Call, 98.0);
        let price = market(KOU, 0.05, 0.0).price(&[call], 0.5);
        assert!((price - 9.14732).abs() < 5e-6, "{price}");
    }

    /// Log returns have the mean, variance and third cumulant that belong to the parameters, and puts their price, z-bound 4,
    /// under every sampling.
    #[test]
    fn paths_have_their_moments_and_prices() {
        let busy = KouParameters {
            jump_intensity: 8.0,
            log_jump_up: 0.03,
            log_jump_down: 0.05,
            ..KOU
        };
        let market = market(busy, 0.03, 0.01);
        let jumps = busy.jumps();
        let mean_log = 0.4 * 0.03 - 0.6 * 0.05;
        let drift = 0.02 - 8.0 * jumps.mean_jump() - 0.5 * 0.16f64.powi(2) + 8.0 * mean_log;
        let third = 8.0 * 6.0 * (0.4 * 0.03f64.powi(3) - 0.6 * 0.05f64.powi(3));
        let second = busy.variance_process().now();
        for sampling in [
            Sampling::Pseudorandom,
            Sampling::Antithetic,
            Sampling::Sobol,
        ] {
            let simulator = Simulator {
                assets: market.clone().into(),
                steps: 5,
                dt: 0.05,
                seed: 6,
                purpose: Purpose::Pricing,
                sampling,
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
                    "{sampling:?}: {mean} ± {error}, {expected}"
                );
            };
            let centred = |s: f64| (s / 100.0).ln() - 0.25 * drift;
            check(&centred, 0.0);
            check(&|s| centred(s).powi(2), 0.25 * second);
            check(&|s| centred(s).powi(3), 0.25 * third);
            for strike in [85.0, 100.0, 110.0] {
                let put = Leg::one(OptionKind::Put, strike);
                let discount = (-0.03f64 * 0.25).exp();
                check(
                    &|s| discount * (strike - s).max(0.0),
                    market.price(&[put], 0.25),
                );
            }
        }
    }
}
