use super::dynamics::{
    Draw, Dynamics, Estimate, Finding, Limit, Tabulated, Tabulation, spread_limit,
};
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::transform::{TABLE_TAIL, TransformPricer, transform_calls};
use super::variance::VarianceProcess;
use crate::error::Result;
use crate::market::estimation::{HestonFilter, VarianceFilter, estimate_heston};
use crate::pricing::HestonParameters;
use crate::pricing::heston::HestonTransform;
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch, multiply_add};
use serde_json::json;
use std::marker::PhantomData;

/// The speeds of mean reversion, per year, that parameters may have.
const KAPPA: (f64, f64) = (1e-4, 1e6);
/// The volatilities of variance that parameters may have.
const SIGMA: (f64, f64) = (0.0, 100.0);

impl Dynamics for HestonParameters {
    /// - σ√(τ/v̄) ≤ 20 with τ = min(T, 1/κ), and 1/30 ≤ v₀/θ ≤ 30, as far as the sub-steps of [`longest_step`] were
    ///   measured;
    /// - at most 100,000 sub-steps until expiry, which bounds κT by 12,500 and σ once more.
    fn limits(&self, life: f64, steps: usize) -> Vec<Limit> {
        /// Sub-steps until expiry.
        const MOST_STEPS: f64 = 100_000.0;
        /// σ√(τ/v̄)
        const MOST_WILDNESS: f64 = 20.0;
        /// v₀/θ and θ/v₀
        const MOST_RATIO: f64 = 30.0;
        let Self {
            v0,
            kappa,
            theta,
            sigma,
            ..
        } = *self;
        let mut limits = Vec::new();
        let parameter = if v0 > theta {
            ("v0", v0)
        } else {
            ("theta", theta)
        };
        limits.extend(spread_limit(&self.variance_process(), life, parameter));
        let (least, most) = (theta / MOST_RATIO, theta * MOST_RATIO);
        limits.push(Limit {
            parameter: "v0",
            value: v0,
            bound: format!(
                "in [{least:.3e}, {most:.3e}], between 1/{MOST_RATIO} of `market.theta` and {MOST_RATIO} times it"
            ),
            holds: (least..=most).contains(&v0),
        });
        let shortest = life / MOST_STEPS.max(steps as f64);
        let reached = |sigma: f64| longest_step(&Self { sigma, ..*self }, life) / shortest;
        // The bound of the step that mean reversion sets goes with 1/κ, about; what is left of it is found for this κ.
        let most = kappa * reached(0.0);
        limits.push(Limit {
            parameter: "kappa",
            value: kappa,
            bound: format!("in [{}, {most:.4}] over {life:.4} years", KAPPA.0),
            holds: reached(0.0) >= 1.0,
        });
        let horizon = life.min(1.0 / kappa);
        let wild = MOST_WILDNESS * (self.mean_variance(life) / horizon).sqrt();
        let most = match reached(wild) {
            enough if enough >= 1.0 => wild,
            // The bound that σ sets goes with σ^{−3/2}.
            short => wild * short.powf(2.0 / 3.0),
        };
        limits.push(Limit {
            parameter: "sigma",
            value: sigma,
            bound: format!(
                "in [{}, {most:.4}] over {life:.4} years with these v0, kappa and theta",
                SIGMA.0
            ),
            holds: sigma <= most,
        });
        limits
    }

    /// The Brownian motion of the variance, and that of the spot orthogonal to it.
    fn factors(&self) -> Vec<Factor> {
        let rho = self.rho;
        vec![
            Factor::Normal(rho),
            Factor::Normal((1.0 - rho * rho).sqrt()),
        ]
    }

    fn longest_step(&self, life: f64) -> f64 {
        longest_step(self, life)
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        draw::<R, S, 2>(self, block);
    }

    fn variance_process(&self) -> VarianceProcess {
        VarianceProcess::Markov(self.variance())
    }

    fn seen_at(&self, variance: f64) -> Option<Self> {
        Some(Self {
            v0: variance,
            ..*self
        })
    }

    fn log_return_moments(&self, carry: f64, after: f64, period: f64) -> Option<(f64, f64)> {
        Some(HestonParameters::log_return_moments(
            self, carry, after, period,
        ))
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Transform
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        let variances = horizon.variances.clone();
        let transform = HestonTransform::new(self, horizon.left, variances, horizon.log_moneyness);
        Box::new(TransformPricer::new(transform, horizon, 0.0))
    }

    /// The greatest variance lies sixteen standard deviations and the exponential tail of the square-root process above
    /// what it starts from.
    fn tabulation(&self, high: f64, life: f64) -> Tabulation {
        let sigma = self.sigma;
        Tabulation::SpotAndVariance {
            least: 0.0,
            most: high + 8.0 * sigma * (high * life).sqrt() + 8.0 * sigma * sigma * life,
        }
    }

    /// By one transform where calls have time value.
    fn calls(&self, of: &Tabulated, x: &[f64]) -> Vec<f64> {
        let Tabulated { left, variance, .. } = *of;
        let deviation = (self.variance().from(variance).mean(left) * left).sqrt();
        let far = 12.0 * deviation + 20.0 * self.sigma * left;
        let width = x.iter().fold(0.0, |w: f64, x| w.max(x.abs())).min(far);
        let transform =
            HestonTransform::with_tail(self, left, variance..=variance, width, TABLE_TAIL);
        transform_calls(&transform, variance, x, far)
    }

    fn filter(&self, drift: f64, dt: f64) -> Box<dyn VarianceFilter> {
        Box::new(HestonFilter::new(*self, drift, dt))
    }

    fn estimate(returns: &[f64], days_per_year: f64) -> Result<Estimate<Self>> {
        let estimate = estimate_heston(returns, days_per_year)?;
        let mut findings = Finding::likelihoods(estimate.log_likelihood, None);
        findings.push(Finding {
            key: "feller",
            value: json!(estimate.feller),
            text: Some(format!(
                "Feller's condition {}",
                if estimate.feller {
                    "holds"
                } else {
                    "does not hold"
                }
            )),
        });
        Ok(Estimate {
            parameters: estimate.parameters,
            at_bound: estimate.at_bound,
            standard_errors: estimate.standard_errors,
            drift: Some(estimate.drift),
            findings,
        })
    }
}

/// One block of Heston paths by the quadratic-exponential scheme with martingale correction.
///
/// dS = (r − q) S dt + √v S dW,  dv = κ(θ − v) dt + σ √v dB,  d⟨W, B⟩ = ρ dt
///
/// The variance is drawn from a distribution with the exact conditional mean m and variance s²:
/// a(b + Z)² where ψ = s²/m² ≤ 3/2, otherwise a mass at zero with an exponential tail. The
/// log-spot then moves by K₀* + K₁v + K₂v′ + √(K₃v + K₄v′) Z with γ₁ = γ₂ = ½, and K₀* makes
/// the discounted spot an exact martingale.
///
/// A period is divided into `substeps` steps of the scheme ([`longest_step`]) and its last one is kept. The arithmetic is
/// that of `W` ([`cancels`]), what is kept is an `R`.
///
/// # References
/// Andersen (2008), "Simple and efficient simulation of the Heston stochastic volatility model",
/// sections 3.2 and 4.3 (equations 23–27, 33 and propositions 5–9).
///
/// A step takes `FACTORS` shocks, 2 or 4, of which the first is the variance's and the second the spot's.
struct HestonBlock<'a, W, R, S, const FACTORS: usize> {
    parameters: HestonParameters,
    block: Draw<'a, R, S>,
    arithmetic: PhantomData<W>,
}

/// Draws one block of paths, whose steps take `FACTORS` shocks each, 2 or 4.
pub(super) fn draw<R: Real, S: Shocks, const FACTORS: usize>(
    parameters: &HestonParameters,
    block: Draw<'_, R, S>,
) {
    let parameters = *parameters;
    if cancels(&parameters) {
        dispatch(HestonBlock::<f64, R, S, FACTORS> {
            parameters,
            block,
            arithmetic: PhantomData,
        });
    } else {
        dispatch(HestonBlock::<R, R, S, FACTORS> {
            parameters,
            block,
            arithmetic: PhantomData,
        });
    }
}

/// The longest step, in years, whose error in the price of an option that expires after T = `life` years is below a
/// standard error of 10⁶ independent paths,
///
/// h ≤ min( 1/(8κ),  0.07/κ √(v̄/|v̄ − θ|),  τ^{1/4} (w/(11σ²))^{3/4} ),
///
/// with v̄ the expected average variance until expiry, w = max(min(v₀, v̄), v̄/10) and τ = min(T, 1/κ). The first two
/// bound the error of the trapezoidal rule on the mean of the variance, the third what a step does not see of a variance
/// that wanders, reaches 0 and comes back.
///
/// They were found from the scheme's own prices, without sampling error: by recursion over steps, on a grid of variances,
/// of the characteristic function that the scheme has. At κ = 1, σ = 2, v₀ = θ = 0.04 and ρ = −0.7 a call at the money
/// over a year is too dear by 99 of those standard errors in one step, by 12.7 in 4, 0.7 in 12 and 0.04 in 191, the bound;
/// one struck at 1.1 times the spot is off by 138, 8.1, 1.8 and 0.03.
fn longest_step(parameters: &HestonParameters, life: f64) -> f64 {
    let HestonParameters {
        v0,
        kappa,
        theta,
        sigma,
        ..
    } = *parameters;
    let mean = parameters.mean_variance(life);
    let reverting = f64::min(1.0 / 8.0, 0.07 * (mean / (mean - theta).abs()).sqrt()) / kappa;
    let least = v0.min(mean).max(0.1 * mean);
    let wandering = life.min(1.0 / kappa).powf(0.25) * (least / (11.0 * sigma * sigma)).powf(0.75);
    reverting.min(wandering)
}

/// Whether the log-spot takes double precision: its part ρ/σ (v′ − v) is of the order of one shock, but the rounding of
/// single precision in it is of the order of 10⁻⁷ v/σ a step.
pub(in crate::market) fn cancels(parameters: &HestonParameters) -> bool {
    const MOST: f64 = 4.0;
    parameters.v0.max(parameters.theta) > MOST * parameters.sigma
}

/// A smaller σ is taken for this one times √(v₀ + θ): paths then differ from those of a deterministic variance, the limit,
/// by 10⁻⁸ of what moves them, and double precision has as many digits of ρ/σ (v′ − v) left.
const LEAST_SIGMA: f64 = 1e-8;

/// ψ above which the exponential branch is used; any value in [1, 2] works.
const PSI_CRITICAL: f64 = 1.5;

/// Where both precisions are the same, nothing but a copy.
#[inline(always)]
fn keep<W: Real, R: Real>(from: &Lane<W>, to: &mut Lane<R>) {
    for lane in 0..BLOCK {
        to[lane] = R::of(from[lane].into_f64());
    }
}

impl<W: Real, R: Real, S: Shocks, const FACTORS: usize> Kernel
    for HestonBlock<'_, W, R, S, FACTORS>
{
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let HestonParameters {
            v0,
            kappa,
            theta,
            rho,
            ..
        } = self.parameters;
        let sigma = self.parameters.sigma.max(LEAST_SIGMA * (v0 + theta).sqrt());
        let Draw {
            shocks,
            start,
            carry,
            dt,
            substeps,
            begun,
            spot: spots,
            variance: variances,
            ..
        } = self.block;
        let dt = dt / substeps as f64;
        let decay = (-kappa * dt).exp();
        let of = W::of;
        let rest = if kappa * dt < 1e-6 {
            -(-kappa * dt).exp_m1()
        } else {
            1.0 - decay
        };
        let (mean_slope, mean_base) = (of(decay), of(theta * rest));
        let variance_slope = of(sigma * sigma * decay * rest / kappa);
        let variance_base = of(theta * sigma * sigma * rest.powi(2) / (2.0 * kappa));
        let half_dt = 0.5 * dt;
        let tilt = half_dt * (kappa * rho / sigma - 0.5);
        let (k1, k2) = (tilt - rho / sigma, tilt + rho / sigma);
        let k3 = half_dt * (1.0 - rho * rho);
        let a_star = of(k2 + 0.5 * k3);
        let correction = of(k1 + 0.5 * k3);
        let uncorrected = of(-rho * kappa * theta * dt / sigma);
        let (k1, k2, k3, carry) = (of(k1), of(k2), of(k3), of(carry * dt));
        let (one, two) = (W::ONE, W::ONE + W::ONE);

        // Values, not references: the compiler must see that nothing overlaps.
        let (mut spot, mut variance) = ([of(start); BLOCK], [of(v0); BLOCK]);
        if begun {
            for lane in 0..BLOCK {
                variance[lane] = of(variances[0][lane].into_f64());
            }
        }
        keep(&spot, &mut spots[0]);
        keep(&variance, &mut variances[0]);
        let mut words = [[0; BLOCK]; 4];
        let (mut step, mut left) = (0, substeps);
        let mut date = 1;
        while date < spots.len() {
            let first = FACTORS * step % 4;
            if first == 0 {
                words = shocks.draw(FACTORS * step / 4);
            }
            let (for_variance, for_spot) = (words[first], words[first + 1]);
            // Where tails take work of their own, it is done only if a path needs its tail.
            let mut tails = [one; BLOCK];
            if !S::GIVES_TAILS {
                let mut exponential = false;
                for lane in 0..BLOCK {
                    let v = variance[lane];
                    let m = multiply_add::<W, FMA>(mean_slope, v, mean_base);
                    let s2 = multiply_add::<W, FMA>(variance_slope, v, variance_base);
                    exponential |= s2 > of(PSI_CRITICAL) * (m * m);
                }
                if exponential {
                    for lane in 0..BLOCK {
                        tails[lane] = S::upper_tail::<W, FMA>(for_variance[lane]);
                    }
                }
            }
            for lane in 0..BLOCK {
                let v = variance[lane];
                let normal = S::normal::<W, FMA>(for_variance[lane]);
                let upper_tail = if S::GIVES_TAILS {
                    S::upper_tail::<W, FMA>(for_variance[lane])
                } else {
                    tails[lane]
                };
                let m = multiply_add::<W, FMA>(mean_slope, v, mean_base);
                let s2 = multiply_add::<W, FMA>(variance_slope, v, variance_base);
                // Where the branches divide or take a logarithm alike, the operands are chosen first:
                // divisions are what bounds this loop.
                let square = m * m;
                let is_quadratic = s2 <= of(PSI_CRITICAL) * square;
                let choose = |quadratic: W, exponential: W| {
                    if is_quadratic { quadratic } else { exponential }
                };

                let ratio = two * square / s2;
                let b2 = ratio - one + (ratio * (ratio - one).greater(W::ZERO)).sqrt();
                let shifted = b2.greater(W::ZERO).sqrt() + normal;

                let inverse = one / (s2 + square);
                let (mass, rest) = ((s2 - square) * inverse, two * square * inverse);
                let beta = two * m * inverse;
                let excess = (rest / upper_tail).greater(one).ln::<FMA>();

                // a, or the exponential variate.
                let scale = choose(m, excess) / choose(one + b2, beta);
                let v_next = choose(scale * shifted * shifted, scale);

                // ln E exp(A v′) = A b² a/(1 − 2Aa) − ½ ln(1 − 2Aa), or ln(p + β(1 − p)/(β − A)).
                let room = one - two * a_star * scale;
                let quotient =
                    choose(a_star * b2 * scale, beta * rest) / choose(room, beta - a_star);
                let logarithm = choose(room, mass + quotient).greater(of(1e-30)).ln::<FMA>();
                let log_moment = choose(quotient - W::HALF * logarithm, logarithm);

                // With ρ > 0 and a long step E[exp(A v′)] can be infinite; then no martingale
                // correction exists and Andersen's uncorrected K₀ is used.
                let exists = choose(room, beta - a_star) > W::ZERO;
                let k0 = if exists {
                    -log_moment - correction * v
                } else {
                    uncorrected
                };

                let diffusion = (k3 * (v + v_next)).sqrt();
                let shock = S::normal::<W, FMA>(for_spot[lane]);
                let drift = carry + k0 + k1 * v + k2 * v_next;
                variance[lane] = v_next;
                spot[lane] *= multiply_add::<W, FMA>(diffusion, shock, drift).exp::<FMA>();
            }
            step += 1;
            left -= 1;
            if left == 0 {
                keep(&spot, &mut spots[date]);
                keep(&variance, &mut variances[date]);
                (date, left) = (date + 1, substeps);
            }
        }
    }
}
