//! Rough Bergomi: the parameters, and how a block of paths is drawn.

mod pricer;
mod volterra;

use super::dynamics::{
    Draw, Dynamics, Estimate, Limit, MOST_DEVIATION, not_estimated, spread_limit,
};
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::variance::VarianceProcess;
use crate::error::Result;
use crate::market::estimation::{ConstantVariance, VarianceFilter};
use crate::pricing::ForwardVariance;
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Kernel, Real, dispatch, multiply_add};
use pricer::ConditionalPricer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use volterra::{Drawing, Driven, Volterra, left_out};

/// The rough Bergomi model,
///
/// ```text
/// dS/S = (r − q) dt + √v (ρ dW + √(1 − ρ²) dB),   v_t = ξ exp(η X_t − ½η² t^{2H}),   X_t = √(2H) ∫₀ᵗ (t − s)^{H−½} dW_s
/// ```
///
/// with the forward variance ξ the same for all dates. What is to come of the variance depends on its whole path.
///
/// # References
/// C. Bayer, P. Friz and J. Gatheral (2016), "Pricing under rough volatility", Quantitative Finance 16(6), equations 4.1 and 4.2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoughBergomiParameters {
    /// The forward variance ξ, expected of every date at the sale, annualised: 0.04 is a volatility of 20 %.
    #[schemars(title = "Forward variance", range(min = 1e-6, max = 25.0), extend("x-unit" = "annualised"))]
    pub xi: f64,
    /// The volatility of volatility η: the logarithm of the variance deviates by ηtᴴ after t years.
    #[schemars(title = "Volatility of volatility", range(min = 0.0, max = 10.0))]
    pub eta: f64,
    /// The Hurst index H: 0.5 is a variance driven by a Brownian motion, less is rougher.
    #[schemars(title = "Hurst index", range(min = 0.01, max = 0.5))]
    pub hurst: f64,
    /// The correlation ρ of the shocks of spot and variance.
    #[schemars(title = "Correlation of spot and variance", extend("exclusiveMinimum" = -1.0, "exclusiveMaximum" = 1.0))]
    pub rho: f64,
}

impl RoughBergomiParameters {
    /// How much of what a variance is above its curve it keeps on average, where as much time has passed since the sale as is left:
    /// the exponent p in E[v_u | v_t] ∝ v_t^p is Cov(X_t, X_u)/Var(X_t), and for u = 2t it is
    ///
    /// ```text
    /// ∫₀¹ 2H x^{H−½}(1 + x)^{H−½} dx = 2H/(H + ½) ∫₀¹ (1 + y^{1/(H+½)})^{H−½} dy
    /// ```
    fn persistence(&self) -> f64 {
        const POINTS: usize = 256;
        let power = self.hurst + 0.5;
        let at = |i: usize| {
            let y = (i as f64 + 0.5) / POINTS as f64;
            (1.0 + y.powf(1.0 / power)).powf(power - 1.0)
        };
        2.0 * self.hurst / power * (0..POINTS).map(at).sum::<f64>() / POINTS as f64
    }
}

impl Dynamics for RoughBergomiParameters {
    /// ηTᴴ ≤ 3: beyond, the mean of the variance is carried by paths that a million of them hardly has.
    fn limits(&self, life: f64, _: usize) -> Vec<Limit> {
        let most = MOST_DEVIATION / life.powf(self.hurst);
        let mut limits = vec![Limit {
            parameter: "eta",
            value: self.eta,
            bound: format!("at most {most:.4} over {life:.4} years with this hurst"),
            holds: self.eta <= most,
        }];
        let parameter = ("xi", self.xi);
        limits.extend(spread_limit(&self.variance_process(), life, parameter));
        limits
    }

    /// The increments of the Brownian motion of the variance, what the integral over the last step has beside them, and the
    /// Brownian motion of the spot orthogonal to it.
    fn factors(&self) -> Vec<Factor> {
        let rho = self.rho;
        vec![
            Factor::Normal(rho),
            Factor::Normal(0.0),
            Factor::Normal((1.0 - rho * rho).sqrt()),
        ]
    }

    /// A 256th of the life: implied volatilities are then off by up to 5·10⁻⁴ at the money and below, and 2·10⁻³ far above, with H = 0.07
    /// and η = 1.9.
    fn longest_step(&self, life: f64) -> f64 {
        life / 256.0
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        dispatch(RoughBlock {
            parameters: *self,
            block,
        });
    }

    fn variance_process(&self) -> VarianceProcess {
        VarianceProcess::Forward(ForwardVariance::flat(self.xi, self.persistence()))
    }

    /// A sale at which the whole curve of forward variance is at `variance`.
    fn seen_at(&self, variance: f64) -> Option<Self> {
        Some(Self {
            xi: variance,
            ..*self
        })
    }

    fn prices_every_state(&self) -> bool {
        false
    }

    fn prices_are_exact(&self) -> bool {
        false
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Simulation
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(ConditionalPricer {
            parameters: self,
            horizon: horizon.clone(),
        })
    }

    fn filter(&self, _: f64, _: f64) -> Box<dyn VarianceFilter> {
        Box::new(ConstantVariance(self.xi))
    }

    fn estimate(_: &[f64], _: f64) -> Result<Estimate<Self>> {
        not_estimated("rough_bergomi", "it describes the smile of option prices")
    }
}

/// One block of rough Bergomi paths: the variance by the hybrid scheme ([`Volterra`]); the logarithm of the spot moves over a step of
/// length h, with w = √h (ρ Z + √(1 − ρ²) Z″), by
///
/// ```text
/// (r − q) h + √v w + c w² + ½ ln(1 − 2ch) − ½ vh/(1 − 2ch),   c = ½ ηρ √v · √(2H) T^{H−½}/(2H + 1)
/// ```
///
/// The term c w² is what of the covariance of variance and spot over the life T the left ends of steps leave out, in the form of Milstein's
/// scheme, which it is for H = ½; the rest makes the discounted spot an exact martingale.
///
/// # References
/// M. Bennedsen, A. Lunde and M. Pakkanen (2017), "Hybrid scheme for Brownian semistationary processes", Finance and Stochastics 21(4),
/// section 3.3.
struct RoughBlock<'a, R, S> {
    parameters: RoughBergomiParameters,
    block: Draw<'a, R, S>,
}

impl<R: Real, S: Shocks> Kernel for RoughBlock<'_, R, S> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let RoughBergomiParameters {
            xi,
            eta,
            hurst,
            rho,
        } = self.parameters;
        let Draw {
            shocks,
            start,
            carry,
            dt,
            substeps,
            begun: _,
            spot,
            variance,
            ..
        } = self.block;
        let of = R::of;
        let h = dt / substeps as f64;
        let steps = (spot.len() - 1) * substeps;
        let volterra = Volterra::new(hurst, h, steps);
        let drawing = Drawing {
            volterra: &volterra,
            xi,
            eta,
            shocks,
        };
        let driven: Driven<R> = drawing.of::<R, FMA>();
        let (along, across) = (of(rho * h.sqrt()), of((1.0 - rho * rho).sqrt() * h.sqrt()));
        let curvature = of(0.5 * eta * rho * left_out(hurst, h * steps as f64));
        // Where 1 − 2ch would come near 0.
        let most_curvature = of(0.25 / h);
        let (step, half_step) = (of(h), of(0.5 * h));
        let (one, two) = (R::ONE, R::ONE + R::ONE);
        spot[0] = [of(start); BLOCK];
        variance[0] = driven.variance[0];
        let mut log_forward = [R::ZERO; BLOCK];
        for taken in 0..steps {
            let (v, z, other) = (
                driven.variance[taken],
                driven.along[taken],
                driven.across[taken],
            );
            for lane in 0..BLOCK {
                let w = multiply_add::<R, FMA>(along, z[lane], across * other[lane]);
                let root = v[lane].sqrt();
                let c = (curvature * root).lesser(most_curvature);
                let room = one - two * c * step;
                let compensator = R::HALF * room.ln::<FMA>() - half_step * v[lane] / room;
                log_forward[lane] += w * (root + c * w) + compensator;
            }
            if (taken + 1) % substeps == 0 {
                let date = (taken + 1) / substeps;
                let forward = of(start * (carry * dt * date as f64).exp());
                for lane in 0..BLOCK {
                    spot[date][lane] = forward * log_forward[lane].exp::<FMA>();
                }
                variance[date] = driven.variance[taken + 1];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Leg, OptionKind};
    use crate::market::{Market, Model, Simulator};
    use crate::random::{Purpose, Sampling};
    use serde_json::Value;

    fn market(parameters: RoughBergomiParameters) -> Market {
        Market {
            model: Model::from(parameters),
            spot: 100.0,
            rate: 0.0.into(),
            dividend: 0.0.into(),
        }
    }

    /// `tests/reference/rough_bergomi.json`: H = 0.07, η = 1.9, ρ = −0.9, ξ = 0.235², one week and one year, by an independent
    /// simulation with the exact covariance on 1024 dates. Implied volatilities of 0.15 to 0.34 by conditional simulation are within
    /// 0.003 of it; prices by paths are those, z-bound 4, and above the money within 4 % of them besides, 0.0015 of volatility.
    #[test]
    fn smiles_of_bayer_friz_and_gatheral() {
        let text = include_str!("../../../../tests/reference/rough_bergomi.json");
        let reference: Value = serde_json::from_str(text).unwrap();
        let parameters: RoughBergomiParameters =
            serde_json::from_value(reference["parameters"].clone()).unwrap();
        let market = market(parameters);
        let rows = reference["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 8);
        let ends = |expiry: f64| {
            let simulator = Simulator {
                assets: market.clone().into(),
                steps: 7,
                dt: expiry / 7.0,
                seed: 3,
                purpose: Purpose::Pricing,
                sampling: Sampling::Pseudorandom,
                family: None,
            };
            simulator.ends(0, 1 << 16)
        };
        let lives = [7.0 / 365.0, 1.0].map(|life| (life, ends(life)));
        for row in rows {
            let number = |key: &str| row[key].as_f64().unwrap();
            let (expiry, expected) = (number("expiry"), number("implied_volatility"));
            let strike = 100.0 * number("log_moneyness").exp();
            let kind = if strike > 100.0 {
                OptionKind::Call
            } else {
                OptionKind::Put
            };
            let leg = Leg::one(kind, strike);
            let price = market.price(&[leg], expiry);
            let option = market.black_scholes(leg, expiry, 0.2);
            let implied = option.implied_volatility(price).unwrap();
            println!("{} {strike:.2}: {expected:.5} {implied:.5}", row["expiry"]);
            assert!((implied - expected).abs() < 0.003, "{row}: {implied}");
            let (_, ends) = lives.iter().find(|(life, _)| *life == expiry).unwrap();
            let count = ends.len() as f64;
            let paid = || ends.iter().map(|s| kind.payoff(*s, strike));
            let mean = paid().sum::<f64>() / count;
            let square = paid().map(|v| (v - mean).powi(2)).sum::<f64>();
            let error = square.sqrt() / count;
            let besides = if strike > 100.0 { 0.04 * price } else { 0.0 };
            assert!(
                (mean - price).abs() < 4.0 * error + besides,
                "{row}: {mean} ± {error}, {price}"
            );
        }
    }

    /// A variance that does not move is Black and Scholes', whatever its roughness: the price to 0.1 %.
    #[test]
    fn a_variance_that_stands_still_is_black_scholes() {
        let still = RoughBergomiParameters {
            xi: 0.04,
            eta: 0.0,
            hurst: 0.1,
            rho: -0.7,
        };
        let market = market(still);
        let leg = Leg::one(OptionKind::Call, 103.0);
        let expected = market.black_scholes(leg, 0.4, 0.2).price();
        let found = market.price(&[leg], 0.4);
        assert!((found / expected - 1.0).abs() < 1e-3, "{found} {expected}");
    }

    /// With H = ½ as much of the variance is kept as of a Brownian motion, all; a rough one keeps a quarter.
    #[test]
    fn rough_variance_forgets() {
        let of = |hurst: f64| RoughBergomiParameters {
            xi: 0.04,
            eta: 1.0,
            hurst,
            rho: 0.0,
        };
        assert!((of(0.5).persistence() - 1.0).abs() < 1e-12);
        assert!((0.2..0.3).contains(&of(0.07).persistence()));
    }
}
