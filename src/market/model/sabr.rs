use super::dynamics::{Draw, Dynamics, Estimate, Limit, not_estimated, spread_limit};
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::variance::VarianceProcess;
use crate::contract::OptionKind;
use crate::error::Result;
use crate::market::estimation::{LognormalFilter, VarianceFilter};
use crate::pricing::{BlackScholes, ElasticVariance, Greeks, HaganVolatility, MarkovVariance};
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Kernel, Real, dispatch, multiply_add};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The SABR model of the forward F of any date beyond the contract's expiry,
///
/// ```text
/// dF/F = σ (F/F₀)^{β−1} dW,   dσ = ν σ dZ,   d⟨W, Z⟩ = ρ dt,   σ₀ = α
/// ```
///
/// so that α is a lognormal volatility at the sale, whatever β is; what is called α elsewhere is α F₀^{1−β} here. The variance of
/// paths is v = σ² (F/F₀)^{2β−2}, which with the spot is all that prices depend on.
///
/// # References
/// P. Hagan, D. Kumar, A. Lesniewski and D. Woodward (2002), "Managing smile risk", Wilmott Magazine September, equation 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SabrParameters {
    /// The volatility α of the spot at the sale, annualised: 0.2 is 20 %, whatever `beta` is.
    #[schemars(title = "Initial volatility", range(min = 1e-3, max = 5.0), extend("x-unit" = "annualised"))]
    pub alpha: f64,
    /// The elasticity β: 1 is a lognormal forward, 0 a normal one.
    #[schemars(title = "Elasticity", range(min = 0.0, max = 1.0))]
    pub beta: f64,
    /// The volatility ν of the volatility.
    #[schemars(title = "Volatility of volatility", range(min = 0.0, max = 10.0), extend("x-unit" = "per √year"))]
    pub nu: f64,
    /// The correlation ρ of the shocks of spot and volatility.
    #[schemars(title = "Correlation of spot and volatility", extend("exclusiveMinimum" = -1.0, "exclusiveMaximum" = 1.0))]
    pub rho: f64,
}

/// ν²T up to which Hagan's expansion is used. At this bound and ρ = −0.6 it is off by up to 0.004 of volatility within one and a half
/// standard deviations of the forward.
const MOST_WANDERING: f64 = 0.25;

/// (1 − β) α √T up to which paths practically never reach 0, where the expansion knows nothing of absorption.
const MOST_ELASTIC: f64 = 0.3;

impl Dynamics for SabrParameters {
    /// ν²T ≤ 0.25 and (1 − β) α √T ≤ 0.3, within which Hagan's expansion prices.
    fn limits(&self, life: f64, _: usize) -> Vec<Limit> {
        let nu = (MOST_WANDERING / life).sqrt();
        let alpha = MOST_ELASTIC / ((1.0 - self.beta) * life.sqrt());
        let mut limits = vec![
            Limit {
                parameter: "nu",
                value: self.nu,
                bound: format!(
                    "at most {nu:.4} over {life:.4} years, where ν²T is {MOST_WANDERING}"
                ),
                holds: self.nu <= nu,
            },
            Limit {
                parameter: "alpha",
                value: self.alpha,
                bound: format!("at most {alpha:.4} over {life:.4} years with this beta"),
                holds: self.alpha <= alpha,
            },
        ];
        let parameter = ("alpha", self.alpha);
        limits.extend(spread_limit(&self.variance_process(), life, parameter));
        limits
    }

    /// The Brownian motion of the volatility, and that of the spot orthogonal to it.
    fn factors(&self) -> Vec<Factor> {
        let rho = self.rho;
        vec![
            Factor::Normal(rho),
            Factor::Normal((1.0 - rho * rho).sqrt()),
        ]
    }

    /// h ≤ min(0.005/ν², 0.002/((1 − β) α)²), at which prices differ from those of finer steps by less than a standard error of
    /// 10⁶ paths.
    fn longest_step(&self, _: f64) -> f64 {
        let elastic = (1.0 - self.beta) * self.alpha;
        f64::min(0.005 / (self.nu * self.nu), 0.002 / (elastic * elastic))
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        dispatch(SabrBlock {
            parameters: *self,
            block,
        });
    }

    /// With β = 1, E[v_T] = v e^{ν²T}. Otherwise the variance moves with the spot as well ([`ElasticVariance`]).
    fn variance_process(&self) -> VarianceProcess {
        let now = self.alpha * self.alpha;
        if self.beta < 1.0 {
            return VarianceProcess::Elastic(ElasticVariance {
                now,
                beta: self.beta,
                nu: self.nu,
                rho: self.rho,
            });
        }
        VarianceProcess::Markov(MarkovVariance {
            now,
            level: 0.0,
            speed: -self.nu * self.nu,
            stays_positive: true,
        })
    }

    fn seen_at(&self, variance: f64) -> Option<Self> {
        Some(Self {
            alpha: variance.sqrt(),
            ..*self
        })
    }

    fn prices_are_exact(&self) -> bool {
        false
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Expansion
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(HaganPricer {
            parameters: self,
            left: horizon.left,
            rate: horizon.rate,
            dividend: horizon.dividend,
        })
    }

    /// The volatility √v moves by √(ν² + 2(β − 1)ρνα + (β − 1)²α²) per √year where it is α: with the spot and by itself.
    fn filter(&self, drift: f64, dt: f64) -> Box<dyn VarianceFilter> {
        let start = self.variance_process().now();
        let with_spot = (self.beta - 1.0) * self.alpha;
        let (nu, rho) = (self.nu, self.rho);
        let square = nu * nu + with_spot * (2.0 * rho * nu + with_spot);
        Box::new(LognormalFilter::new(start, square.sqrt(), drift, dt))
    }

    fn estimate(_: &[f64], _: f64) -> Result<Estimate<Self>> {
        not_estimated("sabr", "it describes the smile of one expiry")
    }
}

/// Black and Scholes' formula at Hagan's volatility.
struct HaganPricer<'a> {
    parameters: &'a SabrParameters,
    left: f64,
    rate: f64,
    dividend: f64,
}

impl HaganPricer<'_> {
    fn at(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64, left: f64) -> f64 {
        let SabrParameters { beta, nu, rho, .. } = *self.parameters;
        let smile = HaganVolatility {
            volatility: variance.sqrt(),
            beta,
            nu,
            rho,
            expiry: left,
        };
        let x = (spot / strike).ln() + (self.rate - self.dividend) * left;
        let option = BlackScholes {
            kind,
            spot,
            strike,
            expiry: left,
            rate: self.rate,
            dividend: self.dividend,
            volatility: smile.at(x),
        };
        option.price()
    }
}

impl Pricer for HaganPricer<'_> {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> f64 {
        self.at(kind, strike, spot, variance, self.left)
    }

    /// The variance moves with the spot by d⟨v, S⟩/d⟨S⟩ = (2νρ√v + 2(β − 1)v)/S.
    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks {
        let SabrParameters { beta, nu, rho, .. } = *self.parameters;
        let leverage = 2.0 * (nu * rho * variance.sqrt() + (beta - 1.0) * variance) / spot;
        Greeks::by_differences(
            |spot, variance, left| self.at(kind, strike, spot, variance, left),
            (spot, variance, self.left),
            leverage,
        )
    }
}

/// One block of SABR paths. The volatility is exact; the logarithm of the spot moves over a step of length h, with
/// W = √h (ρ Z₁ + √(1 − ρ²) Z₂), by
///
/// ```text
/// (r − q) h + √v̄ W + c W² + ½ ln(1 − 2ch) − ½ v̄h/(1 − 2ch)
/// v̄ = v (1 + ½ g h),   g = ν² + (β − 1)(2β − 3) v + 4 (β − 1) ρν √v,   c = ½ (ρν √v̄ + (β − 1) v̄)
/// ```
///
/// v̄ is the expected average variance of the step to first order, c W² what the volatility does within the step along W, the term
/// of Milstein's scheme, and the rest makes the discounted spot an exact martingale. A path that has fallen to 10⁻⁴ of the forward
/// is absorbed.
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", section 6.1.1, equation 6.10, for Milstein's scheme.
struct SabrBlock<'a, R, S> {
    parameters: SabrParameters,
    block: Draw<'a, R, S>,
}

/// ln(10⁻⁴)
const ABSORBED: f64 = -9.210_340_371_976_182;

impl<R: Real, S: Shocks> Kernel for SabrBlock<'_, R, S> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let SabrParameters {
            alpha,
            beta,
            nu,
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
        let elastic = beta - 1.0;
        let (volatility_drift, volatility_scale) = (of(-0.5 * nu * nu * h), of(nu * h.sqrt()));
        let (along, across) = (of(rho * h.sqrt()), of((1.0 - rho * rho).sqrt() * h.sqrt()));
        // ½ g h in its powers of √v.
        let growth = [
            of(0.5 * h * nu * nu),
            of(2.0 * h * elastic * rho * nu),
            of(0.5 * h * elastic * (2.0 * beta - 3.0)),
        ];
        let curvature = [of(0.5 * rho * nu), of(0.5 * elastic)];
        // Where 1 − 2ch would come near 0.
        let most_curvature = of(0.25 / h);
        let (step, half_step) = (of(h), of(0.5 * h));
        let (one, two) = (R::ONE, R::ONE + R::ONE);

        let (mut log_volatility, mut log_forward) = ([R::ZERO; BLOCK], [R::ZERO; BLOCK]);
        let now = of(alpha * alpha);
        spot[0] = [of(start); BLOCK];
        variance[0] = [now; BLOCK];
        let mut current = variance[0];
        let mut words = [[0; BLOCK]; 4];
        for taken in 0..(spot.len() - 1) * substeps {
            if taken % 2 == 0 {
                words = shocks.draw(taken / 2);
            }
            let (first, second) = (words[2 * (taken % 2)], words[2 * (taken % 2) + 1]);
            for lane in 0..BLOCK {
                let v = current[lane];
                let for_volatility = S::normal::<R, FMA>(first[lane]);
                let for_spot = S::normal::<R, FMA>(second[lane]);
                let w = multiply_add::<R, FMA>(along, for_volatility, across * for_spot);
                let grown = growth[0] + growth[1] * v.sqrt() + growth[2] * v;
                let mean = v * (one + grown.greater(-R::HALF));
                let root = mean.sqrt();
                let c = (curvature[0] * root + curvature[1] * mean).lesser(most_curvature);
                let room = one - two * c * step;
                let compensator = R::HALF * room.ln::<FMA>() - half_step * mean / room;
                log_forward[lane] += w * (root + c * w) + compensator;
                log_volatility[lane] +=
                    multiply_add::<R, FMA>(volatility_scale, for_volatility, volatility_drift);
                let exponent = two * (log_volatility[lane] + of(elastic) * log_forward[lane]);
                let alive = if log_forward[lane] > of(ABSORBED) {
                    now
                } else {
                    R::ZERO
                };
                current[lane] = alive * exponent.exp::<FMA>();
            }
            if (taken + 1) % substeps == 0 {
                let date = (taken + 1) / substeps;
                let forward = of(start * (carry * dt * date as f64).exp());
                for lane in 0..BLOCK {
                    spot[date][lane] = forward * log_forward[lane].exp::<FMA>();
                }
                variance[date] = current;
            }
        }
    }
}
