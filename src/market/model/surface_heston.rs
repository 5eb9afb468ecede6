use super::dynamics::{Draw, Dynamics, Estimate, Limit, not_estimated};
use super::heston;
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::surface_pricer::SurfacePricer;
use super::variance::VarianceProcess;
use crate::error::Result;
use crate::market::estimation::{ConstantVariance, VarianceFilter, estimate_surface_heston};
use crate::market::past_surfaces::PastSurfaces;
use crate::pricing::{HestonParameters, SurfaceFactors};
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Lane, Real};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Heston's variance v as the implied one of an option at the money over one month, of which returns realise a share, with a surface that
/// follows from it,
///
/// ```text
/// dS/S = (r − q) dt + c √v dW,   dv = κ(θ − v) dt + σ √v dB,   d⟨W, B⟩ = ρ dt
/// level β₁ = √v,   moneyness β₃ = −ρσ √τ₀/(4√v)
/// ```
///
/// β₃ is the slope at the money of Heston's smile as the time to expiry falls to 0, ρσ/(4√v) in ln(K/F), for moneyness ln(F/K)/√τ at a
/// time τ₀.
///
/// # References
/// J. Gatheral (2006), "The Volatility Surface", chapter 3, for the slope of the smile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurfaceHestonParameters {
    /// The implied variance at the sale, annualised: 0.04 is a volatility of 20 %.
    #[schemars(title = "Implied variance at the sale", range(min = 1e-4, max = 4.0), extend("x-unit" = "annualised"))]
    pub v0: f64,
    /// The speed of mean reversion.
    #[schemars(title = "Mean reversion", range(min = 1e-2, max = 100.0), extend("x-unit" = "per year"))]
    pub kappa: f64,
    /// The level to which the implied variance reverts, annualised.
    #[schemars(title = "Long-run implied variance", range(min = 1e-4, max = 4.0), extend("x-unit" = "annualised"))]
    pub theta: f64,
    /// The volatility of the implied variance.
    #[schemars(title = "Volatility of variance", range(min = 1e-3, max = 5.0))]
    pub sigma: f64,
    /// The correlation of returns with changes of the variance.
    #[schemars(title = "Correlation", range(min = -0.999, max = 0.999))]
    pub rho: f64,
    /// The share c of the implied volatility that returns realise.
    #[schemars(
        title = "Realised over implied volatility",
        range(min = 0.3, max = 2.0)
    )]
    pub realised: f64,
    /// The time to expiry τ₀ at which the skew is Heston's.
    #[schemars(title = "Time of the skew", range(min = 1e-3, max = 5.0), extend("x-unit" = "years", "examples" = [0.04]))]
    pub skew_years: f64,
}

impl SurfaceHestonParameters {
    /// Heston's parameters of what is realised.
    fn realised(&self) -> HestonParameters {
        let share = self.realised * self.realised;
        HestonParameters {
            v0: share * self.v0,
            kappa: self.kappa,
            theta: share * self.theta,
            sigma: self.realised * self.sigma,
            rho: self.rho,
        }
    }

    /// Heston's parameters of the implied variance.
    fn implied(&self) -> HestonParameters {
        Self {
            realised: 1.0,
            ..*self
        }
        .realised()
    }

    /// −ρσ √τ₀/4
    fn skew(&self) -> f64 {
        -0.25 * self.rho * self.sigma * self.skew_years.sqrt()
    }

    fn surface_at(&self, variance: f64) -> SurfaceFactors {
        let level = variance.sqrt().max(LEAST_LEVEL);
        SurfaceFactors {
            level,
            moneyness: self.skew() / level,
            ..SurfaceFactors::default()
        }
    }
}

/// The least level of a surface, where the variance is next to 0 and its skew would have no bound.
const LEAST_LEVEL: f64 = 0.03;

impl Dynamics for SurfaceHestonParameters {
    fn limits(&self, life: f64, steps: usize) -> Vec<Limit> {
        self.implied().limits(life, steps)
    }

    fn factors(&self) -> Vec<Factor> {
        self.realised().factors()
    }

    fn longest_step(&self, life: f64) -> f64 {
        self.realised().longest_step(life)
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
            surface,
            place,
            ..
        } = block;
        let share = R::of(self.realised * self.realised);
        if begun {
            variance[0] = variance[0].map(|v| share * v);
        }
        let realised = Draw {
            shocks,
            start,
            carry,
            dt,
            substeps,
            begun,
            spot,
            variance: &mut *variance,
            surface: &mut [],
            place,
            payoff: &mut [],
        };
        heston::draw::<R, S, 2>(&self.realised(), realised);
        let per_share = R::of(1.0 / (self.realised * self.realised));
        let (least, skew) = (R::of(LEAST_LEVEL), R::of(self.skew()));
        let dates = variance.len();
        for (t, variance) in variance.iter_mut().enumerate() {
            let level = variance.map(|v| (v * per_share).sqrt().greater(least));
            *variance = level.map(|level| level * level);
            let (zero, steep) = ([R::ZERO; BLOCK], level.map(|level| skew / level));
            // As `surface_at` has them, in the order of the names.
            let factors: [Lane<R>; SurfaceFactors::COUNT] = [level, zero, steep, zero, zero];
            for (rows, factor) in surface.chunks_exact_mut(dates).zip(factors) {
                rows[t] = factor;
            }
        }
    }

    fn variance_process(&self) -> VarianceProcess {
        self.implied().variance_process()
    }

    fn seen_at(&self, variance: f64) -> Option<Self> {
        Some(Self {
            v0: variance,
            ..*self
        })
    }

    fn prices_are_exact(&self) -> bool {
        false
    }

    fn has_surface(&self) -> bool {
        true
    }

    fn of_past(&self, past: &PastSurfaces) -> Result<Estimate<Self>> {
        let found = estimate_surface_heston(past)?;
        Ok(Estimate {
            at_bound: found.at_bound,
            standard_errors: found.standard_errors,
            ..Estimate::given(Self {
                v0: found.v0,
                kappa: found.kappa,
                theta: found.theta,
                sigma: found.sigma,
                rho: found.rho,
                realised: found.realised,
                skew_years: self.skew_years,
            })
        })
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Formula
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(SurfacePricer::new(|v| self.surface_at(v), horizon))
    }

    fn filter(&self, _: f64, _: f64) -> Box<dyn VarianceFilter> {
        Box::new(ConstantVariance(self.theta))
    }

    fn estimate(_: &[f64], _: f64) -> Result<Estimate<Self>> {
        not_estimated("surface_heston", "it is the law of an implied volatility")
    }
}
