use super::dynamics::{
    Draw, Dynamics, Estimate, Limit, Tabulated, Tabulation, not_estimated, spread_limit,
};
use super::heston;
use super::jumps;
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::transform::{TABLE_TAIL, TransformPricer, transform_calls};
use super::variance::VarianceProcess;
use crate::error::Result;
use crate::market::estimation::{HestonFilter, VarianceFilter};
use crate::pricing::heston::HestonTransform;
use crate::pricing::jumps::{Jumps, NormalJumps};
use crate::pricing::{HestonParameters, MarkovVariance};
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Kernel, Lane, Normal, Real, dispatch, multiply_add};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bates' model: Heston's stochastic variance, and independent jumps of the spot by lognormal factors,
///
/// ```text
/// dS/S = (r − q − λk) dt + √v dW + (Y − 1) dN,   dv = κ(θ − v) dt + σ√v dZ,   d⟨W, Z⟩ = ρ dt,   ln Y ~ N(m, s²)
/// ```
///
/// What paths and everybody else call its variance is that of log returns, v + λ(m² + s²), as under Merton's model.
///
/// # References
/// D. Bates (1996), "Jumps and stochastic volatility: exchange rate processes implicit in Deutsche Mark options", Review of
/// Financial Studies 9(1), equations 1–4.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatesParameters {
    /// The variance v₀ of the diffusion now, annualised: 0.04 is a volatility of 20 %; `[low, high]` where every path draws its
    /// own.
    #[schemars(title = "Initial variance", range(min = 1e-6, max = 25.0), extend("x-unit" = "annualised"))]
    pub v0: f64,
    /// The speed κ at which variance reverts to its long-run level.
    #[schemars(title = "Speed of mean reversion", range(min = 1e-4, max = 1e6), extend("x-unit" = "per year"))]
    pub kappa: f64,
    /// The long-run variance θ of the diffusion, annualised.
    #[schemars(title = "Long-run variance", range(min = 1e-6, max = 25.0), extend("x-unit" = "annualised"))]
    pub theta: f64,
    /// The volatility of variance σ.
    #[schemars(title = "Volatility of variance", range(min = 0.0, max = 100.0), extend("x-unit" = "per year"))]
    pub sigma: f64,
    /// The correlation ρ of the shocks of spot and variance.
    #[schemars(title = "Correlation of spot and variance", extend("exclusiveMinimum" = -1.0, "exclusiveMaximum" = 1.0))]
    pub rho: f64,
    /// The expected number λ of jumps a year.
    #[schemars(title = "Jumps a year", range(min = 1e-6, max = 1e4), extend("x-unit" = "per year"))]
    pub jump_intensity: f64,
    /// The mean m of the logarithm of a jump's factor: −0.05 is a fall by about 5 %.
    #[schemars(title = "Mean log jump", range(min = -1.0, max = 1.0))]
    pub log_jump_mean: f64,
    /// The standard deviation s of the logarithm of a jump's factor.
    #[schemars(title = "Deviation of the log jump", range(min = 1e-6, max = 1.0))]
    pub log_jump_std: f64,
}

impl BatesParameters {
    /// The diffusion without the jumps.
    fn heston(&self) -> HestonParameters {
        HestonParameters {
            v0: self.v0,
            kappa: self.kappa,
            theta: self.theta,
            sigma: self.sigma,
            rho: self.rho,
        }
    }

    fn jumps(&self) -> NormalJumps {
        NormalJumps {
            intensity: self.jump_intensity,
            mean: self.log_jump_mean,
            deviation: self.log_jump_std,
        }
    }
}

impl Dynamics for BatesParameters {
    /// Those of Heston's model for the diffusion and of Merton's for the jumps.
    fn limits(&self, life: f64, steps: usize) -> Vec<Limit> {
        let mut limits = self.heston().limits(life, steps);
        limits.push(jumps::limit(self.jump_intensity, life, steps));
        if limits.iter().all(|limit| limit.holds) {
            let parameter = ("jump_intensity", self.jump_intensity);
            limits.extend(spread_limit(&self.variance_process(), life, parameter));
        }
        limits
    }

    /// Heston's two, the number of jumps and their size.
    fn factors(&self) -> Vec<Factor> {
        let mut factors = self.heston().factors();
        factors.extend([Factor::Own, Factor::Own]);
        factors
    }

    fn longest_step(&self, life: f64) -> f64 {
        self.heston().longest_step(life)
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        let Draw {
            shocks,
            start,
            carry,
            dt,
            substeps,
            begun,
            spot,
            variance,
            place,
            ..
        } = block;
        if begun {
            let jumps = R::of(self.jumps().variance());
            variance[0] = variance[0].map(|v| (v - jumps).greater(R::ZERO));
        }
        let diffusion = Draw {
            shocks: &shocks,
            start,
            carry: carry - self.jump_intensity * self.jumps().mean_jump(),
            dt,
            substeps,
            begun,
            spot: &mut *spot,
            variance: &mut *variance,
            surface: &mut [],
            place,
            payoff: &mut [],
        };
        heston::draw::<R, &S, 4>(&self.heston(), diffusion);
        dispatch(Jumping {
            jumps: self.jumps(),
            shocks,
            step: dt / substeps as f64,
            substeps,
            spot,
            variance,
        });
    }

    fn variance_process(&self) -> VarianceProcess {
        let jumps = self.jumps().variance();
        VarianceProcess::Markov(MarkovVariance {
            now: self.v0 + jumps,
            level: self.theta + jumps,
            speed: self.kappa,
            // That of log returns has the jumps' share at least.
            stays_positive: true,
        })
    }

    /// A variance below that of the jumps is theirs alone.
    fn seen_at(&self, variance: f64) -> Option<Self> {
        Some(Self {
            v0: (variance - self.jumps().variance()).max(0.0),
            ..*self
        })
    }

    fn log_return_moments(&self, carry: f64, after: f64, period: f64) -> Option<(f64, f64)> {
        let jumps = self.jumps();
        let carry = carry - jumps.intensity * jumps.mean_jump();
        let (first, second) = self.heston().log_return_moments(carry, after, period);
        let jumped = jumps.intensity * jumps.mean * period;
        let square = jumped * jumped + jumps.variance() * period;
        Some((first + jumped, second + 2.0 * first * jumped + square))
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Transform
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        let jumps = self.jumps();
        let diffusive = |variance: f64| (variance - jumps.variance()).max(0.0);
        let (low, high) = (*horizon.variances.start(), *horizon.variances.end());
        let transform = HestonTransform::with_jumps(
            &self.heston(),
            &jumps,
            horizon.left,
            diffusive(low)..=diffusive(high),
            horizon.log_moneyness,
            HestonTransform::TAIL,
        );
        Box::new(TransformPricer::new(transform, horizon, jumps.variance()))
    }

    fn tabulation(&self, high: f64, life: f64) -> Tabulation {
        let jumps = self.jumps().variance();
        match self.heston().tabulation(high, life) {
            Tabulation::SpotAndVariance { least, most } => Tabulation::SpotAndVariance {
                least: least + jumps,
                most: most + jumps,
            },
            other @ (Tabulation::Formula | Tabulation::Spot) => other,
        }
    }

    /// By one transform.
    fn calls(&self, of: &Tabulated, x: &[f64]) -> Vec<f64> {
        let Tabulated { left, variance, .. } = *of;
        let jumps = self.jumps();
        let variance = (variance - jumps.variance()).max(0.0);
        let width = x.iter().fold(0.0, |w: f64, x| w.max(x.abs()));
        let variances = variance..=variance;
        let transform =
            HestonTransform::with_jumps(&self.heston(), &jumps, left, variances, width, TABLE_TAIL);
        transform_calls(&transform, variance, x, f64::INFINITY)
    }

    /// Heston's filter on the variance of log returns, v + J with the jumps' J: it has the level θ + J and, where v is at its
    /// level, the same volatility of variance.
    fn filter(&self, drift: f64, dt: f64) -> Box<dyn VarianceFilter> {
        let level = self.theta + self.jumps().variance();
        let whole = HestonParameters {
            theta: level,
            sigma: self.sigma * (self.theta / level).sqrt(),
            ..self.heston()
        };
        Box::new(HestonFilter::new(whole, drift, dt))
    }

    fn estimate(_: &[f64], _: f64) -> Result<Estimate<Self>> {
        not_estimated(
            "bates",
            "both jumps and a moving variance make large returns",
        )
    }
}

/// The jumps of one block of paths: what Heston's model has drawn is multiplied by the factors of all jumps until each date, and
/// their variance added to that of the diffusion.
///
/// ln S_t = ln S_t^{Heston} + Σ (N m + √N s Z),  N ~ Poisson(λh) in every step of length h
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", section 3.5.1.
struct Jumping<'a, R, S> {
    jumps: NormalJumps,
    shocks: S,
    /// The length h of a step.
    step: f64,
    substeps: usize,
    spot: &'a mut [Lane<R>],
    variance: &'a mut [Lane<R>],
}

impl<R: Real, S: Shocks> Kernel for Jumping<'_, R, S> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            jumps,
            shocks,
            step,
            substeps,
            spot,
            variance,
        } = self;
        let thresholds = jumps::thresholds(jumps.intensity * step);
        let (mean, deviation) = (R::of(jumps.mean), R::of(jumps.deviation));
        let added = R::of(jumps.variance());
        let mut jumped = [R::ZERO; BLOCK];
        for (date, (spot, variance)) in spot.iter_mut().zip(variance.iter_mut()).enumerate() {
            // No step leads to the first date.
            for substep in (date * substeps).saturating_sub(substeps)..date * substeps {
                let [_, _, for_count, for_size] = shocks.draw(substep);
                let count: Lane<R> = jumps::count(&thresholds, &for_count);
                for lane in 0..BLOCK {
                    let size = Normal::<R>::from_bits::<FMA>(for_size[lane]).quantile;
                    let spread = deviation * count[lane].sqrt();
                    jumped[lane] += multiply_add::<R, FMA>(spread, size, count[lane] * mean);
                }
            }
            for lane in 0..BLOCK {
                spot[lane] *= jumped[lane].exp::<FMA>();
                variance[lane] += added;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Leg, OptionKind};
    use crate::market::{Market, Model, Simulator};
    use crate::pricing::MertonParameters;
    use crate::random::{Purpose, Sampling};
    use serde_json::Value;

    /// QuantLib 1.44, BatesEngine: `tests/reference/bates.json`, by formula to 1e-8 and by simulation within 4 standard errors.
    #[test]
    fn prices_equal_quantlib() {
        let text = include_str!("../../../tests/reference/bates.json");
        let reference: Value = serde_json::from_str(text).unwrap();
        let rows = reference["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 6);
        for row in rows {
            let number = |key: &str| row[key].as_f64().unwrap();
            let mut keys = reference["parameters"].clone();
            for key in ["jump_intensity", "log_jump_mean", "log_jump_std"] {
                keys[key] = row[key].clone();
            }
            let parameters: BatesParameters = serde_json::from_value(keys).unwrap();
            let market = Market {
                model: Model::from(parameters),
                spot: number("spot"),
                rate: number("rate").into(),
                dividend: 0.0.into(),
            };
            let (leg, expiry) = (
                Leg::one(OptionKind::Call, number("strike")),
                number("expiry"),
            );
            let price = market.price(&[leg], expiry);
            let expected = number("call");
            assert!((price - expected).abs() < 1e-8, "{row}: {price}");
            let simulator = Simulator {
                assets: market.clone().into(),
                steps: 12,
                dt: expiry / 12.0,
                seed: 3,
                purpose: Purpose::Pricing,
                sampling: Sampling::Pseudorandom,
                family: None,
            };
            let discount = (-number("rate") * expiry).exp();
            let ends = simulator.ends(0, 1 << 17);
            let values = || {
                ends.iter()
                    .map(|s| discount * leg.kind.payoff(*s, leg.strike))
            };
            let count = ends.len() as f64;
            let mean = values().sum::<f64>() / count;
            let square = values().map(|v| (v - mean).powi(2)).sum::<f64>();
            let error = square.sqrt() / count;
            assert!(
                (mean - expected).abs() < 4.0 * error,
                "{row}: {mean} ± {error}"
            );
        }
    }

    /// Where the variance does not move, price, delta, gamma, theta and the minimum-variance delta are those of Merton's series,
    /// for calls and puts.
    #[test]
    fn a_constant_variance_is_merton() {
        let merton = MertonParameters {
            volatility: 0.15,
            jump_intensity: 3.0,
            log_jump_mean: -0.05,
            log_jump_std: 0.1,
        };
        let bates = BatesParameters {
            v0: 0.0225,
            kappa: 1.0,
            theta: 0.0225,
            sigma: 0.0,
            rho: 0.0,
            jump_intensity: 3.0,
            log_jump_mean: -0.05,
            log_jump_std: 0.1,
        };
        let now = bates.variance_process().now();
        let pricer = bates.pricer(&Horizon {
            left: 0.4,
            elapsed: 0.0,
            start: 100.0,
            carried: 0.0,
            rate: 0.03,
            dividend: 0.01,
            variances: now..=now,
            log_moneyness: 0.3,
        });
        for kind in [OptionKind::Call, OptionKind::Put] {
            for spot in [80.0, 99.0, 120.0] {
                let found = pricer.greeks(kind, 100.0, spot, now);
                let expected = merton.greeks(kind, spot, 100.0, 0.4, 0.03, 0.01);
                for (found, expected) in [
                    (found.price, expected.price),
                    (found.delta, expected.delta),
                    (found.gamma, expected.gamma),
                    (found.theta, expected.theta),
                    (
                        found.minimum_variance_delta,
                        expected.minimum_variance_delta,
                    ),
                ] {
                    assert!(
                        (found - expected).abs() < 1e-9,
                        "{kind} {spot}: {found} {expected}"
                    );
                }
            }
        }
    }
}
