use super::dynamics::{
    Draw, Dynamics, Estimate, Limit, MOST_DEVIATION, Tabulated, Tabulation, deviation,
    not_estimated, spread_limit,
};
use super::pricer::{Horizon, Pricer};
use super::variance::VarianceProcess;
use crate::contract::OptionKind;
use crate::error::Result;
use crate::market::estimation::{ConstantVariance, VarianceFilter};
use crate::pricing::svi::{SviSlice, SviSurface};
use crate::pricing::{BackwardCalls, ForwardVariance, Greeks};
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch, multiply_add};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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
        let deviation = deviation(&self.variance_process(), life);
        if deviation > MOST_DEVIATION {
            let total = deviation * deviation;
            limits.push(spread_limit("slices", total, deviation));
        }
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

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(BackwardPricer {
            surface: self.surface(),
            horizon: horizon.clone(),
            solved: Mutex::default(),
        })
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

/// Calls struck at `log_strike` that expire `left` years after `elapsed`, with the local variance times `scale`.
fn solve(
    surface: &SviSurface,
    elapsed: f64,
    left: f64,
    log_strike: f64,
    reach: f64,
    scale: f64,
) -> BackwardCalls {
    let expiry = elapsed + left;
    let total = surface.at(0.0, expiry).total;
    let between = total - surface.at(0.0, elapsed).total;
    let deviation = (scale * between.max(0.25 * total * left / expiry)).sqrt();
    BackwardCalls::new(log_strike, (elapsed, expiry), (deviation, reach), |x, t| {
        scale * surface.local_variance(x, t).min(MOST_VARIANCE)
    })
}

/// No local variance is greater, where a density is next to none.
const MOST_VARIANCE: f64 = 100.0;

/// Prices by the backward equation, once for every strike.
struct BackwardPricer<'a> {
    surface: &'a SviSurface,
    horizon: Horizon,
    /// By strike and scale of the variance.
    solved: Mutex<Vec<([u64; 2], Arc<BackwardCalls>)>>,
}

impl BackwardPricer<'_> {
    /// The forward of the sale for a time after it.
    fn forward(&self, time: f64) -> f64 {
        let Horizon {
            start,
            rate,
            dividend,
            ..
        } = self.horizon;
        start * ((rate - dividend) * time).exp()
    }

    fn calls(&self, strike: f64, scale: f64) -> Arc<BackwardCalls> {
        let Horizon {
            left,
            elapsed,
            log_moneyness,
            ..
        } = self.horizon;
        let key = [strike, scale].map(f64::to_bits);
        let mut solved = self.solved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = solved.iter().find(|(of, _)| *of == key) {
            return found.clone();
        }
        let log_strike = (strike / self.forward(elapsed + left)).ln();
        let made = solve(
            self.surface,
            elapsed,
            left,
            log_strike,
            log_moneyness,
            scale,
        );
        let made = Arc::new(made);
        solved.push((key, made.clone()));
        made
    }

    /// The option over the discounted forward, and its derivatives in x = ln(S/F).
    fn at(&self, kind: OptionKind, strike: f64, spot: f64, scale: f64) -> (f64, [f64; 3]) {
        let Horizon { left, elapsed, .. } = self.horizon;
        let whole = self.forward(elapsed + left);
        let x = (spot / self.forward(elapsed)).ln();
        let call = self.calls(strike, scale).at(x);
        let spot = x.exp();
        let option = match kind {
            OptionKind::Call => call,
            OptionKind::Put => [
                call[0] - spot + strike / whole,
                call[1] - spot,
                call[2] - spot,
            ],
        };
        (whole * (-self.horizon.rate * left).exp(), option)
    }
}

impl Pricer for BackwardPricer<'_> {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> f64 {
        let (scale, [value, ..]) = self.at(kind, strike, spot, 1.0);
        scale * value
    }

    /// The vega is that of a volatility by which all local volatilities move in proportion, over the one at the money. Spot and bonds
    /// hedge all there is, so the minimum-variance delta is delta.
    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> Greeks {
        const SHARE: f64 = 1e-3;
        let Horizon {
            rate,
            dividend,
            left,
            elapsed,
            ..
        } = self.horizon;
        let (scale, [value, slope, curvature]) = self.at(kind, strike, spot, 1.0);
        let (_, [greater, ..]) = self.at(kind, strike, spot, (1.0 + SHARE).powi(2));
        let price = scale * value;
        let delta = scale * slope / spot;
        let gamma = scale * (curvature - slope) / (spot * spot);
        let x = (spot / self.forward(elapsed)).ln();
        let variance = self.surface.local_variance(x, elapsed).min(MOST_VARIANCE);
        let expiry = elapsed + left;
        let volatility = (self.surface.at(0.0, expiry).total / expiry).sqrt();
        Greeks {
            price,
            delta,
            gamma,
            vega: scale * (greater - value) / (SHARE * volatility),
            variance_sensitivity: 0.0,
            theta: rate * price
                - (rate - dividend) * spot * delta
                - 0.5 * variance * spot * spot * gamma,
            minimum_variance_delta: delta,
        }
    }
}

/// One block of paths of a local volatility. The logarithm of the spot over its forward, x, moves over a step of length h with
/// W = √h Z by
///
/// ```text
/// √v̄ W + c W² + ½ ln(1 − 2ch) − ½ v̄h/(1 − 2ch)
/// v̄ = v + ¼ h v (∂²v/∂x² − ∂v/∂x),   v = σ²(x, t + ½h),   c = ¼ ∂v/∂x
/// ```
///
/// v̄ is the expected average variance of the step to first order, c W² the term of Milstein's scheme, and the rest makes the discounted spot an exact martingale. The variance of a date is σ² there.
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", section 6.1.1, equation 6.10.
struct LocalBlock<'a, R, S> {
    surface: &'a SviSurface,
    block: Draw<'a, R, S>,
}

/// Two slices and a time between them, in the arithmetic of paths.
struct Local<R> {
    before: [R; 5],
    after: [R; 5],
    share: R,
    /// One over the time between the slices.
    rate: R,
}

impl<R: Real> Local<R> {
    fn new(surface: &SviSurface, time: f64) -> Self {
        let interval = surface.about(time);
        let (start, end) = interval.times();
        let of = |s: &SviSlice| [s.a, s.b, s.rho, s.m, s.sigma * s.sigma].map(R::of);
        Self {
            before: of(&interval.before),
            after: of(&interval.after),
            share: R::of(((time - start) / (end - start)).max(1e-4)),
            rate: R::of(1.0 / (end - start)),
        }
    }

    /// w, w' and w'' of a slice.
    #[inline(always)]
    fn smile<const FMA: bool>([a, b, rho, m, square]: [R; 5], x: R) -> [R; 3] {
        let from = x - m;
        let root = multiply_add::<R, FMA>(from, from, square).sqrt();
        let inverse = R::ONE / root;
        [
            a + b * multiply_add::<R, FMA>(rho, from, root),
            b * multiply_add::<R, FMA>(from, inverse, rho),
            b * square * inverse * inverse * inverse,
        ]
    }

    /// [`SviSurface::local_variance`].
    #[inline(always)]
    fn variance<const FMA: bool>(&self, x: R) -> R {
        let before = Self::smile::<FMA>(self.before, x);
        let after = Self::smile::<FMA>(self.after, x);
        let mix = |k: usize| multiply_add::<R, FMA>(self.share, after[k] - before[k], before[k]);
        let (w, slope, curvature) = (mix(0), mix(1), mix(2));
        let quarter = R::HALF * R::HALF;
        let inverse = R::ONE / w;
        let lever = R::ONE - R::HALF * x * slope * inverse;
        let factor =
            lever * lever - quarter * slope * slope * (inverse + quarter) + R::HALF * curvature;
        let growth = (after[0] - before[0]) * self.rate;
        let most = R::of(MOST_VARIANCE);
        // Rounding may leave next to nothing of a density.
        let variance = (growth / factor.greater(R::of(1e-6))).greater(R::ZERO);
        variance.lesser(most)
    }
}

impl<R: Real, S: Shocks> Kernel for LocalBlock<'_, R, S> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        /// The distance in x over which the slope of the variance is taken.
        const APART: f64 = 0.01;
        let Draw {
            shocks,
            start,
            carry,
            dt,
            substeps,
            spot,
            variance,
        } = self.block;
        let of = R::of;
        let h = dt / substeps as f64;
        let (step, half_step, deviation) = (of(h), of(0.5 * h), of(h.sqrt()));
        let (apart, quarter_slope) = (of(APART), of(0.125 / APART));
        // Over differences of the variance up and down by APART.
        let (convexity, drift) = (of(0.25 * h / (APART * APART)), of(0.125 * h / APART));
        let most_curvature = of(0.25 / h);
        let (one, two) = (R::ONE, R::ONE + R::ONE);
        let at_date = |time: f64, x: &Lane<R>| {
            let local = Local::<R>::new(self.surface, time);
            x.map(|x| local.variance::<FMA>(x))
        };
        let mut x = [R::ZERO; BLOCK];
        spot[0] = [of(start); BLOCK];
        variance[0] = at_date(0.0, &x);
        let mut words = [[0; BLOCK]; 4];
        for taken in 0..(spot.len() - 1) * substeps {
            if taken % 4 == 0 {
                words = shocks.draw(taken / 4);
            }
            let word = words[taken % 4];
            let local = Local::<R>::new(self.surface, h * (taken as f64 + 0.5));
            for lane in 0..BLOCK {
                let now = x[lane];
                let v = local.variance::<FMA>(now);
                let up = local.variance::<FMA>(now + apart) - v;
                let down = local.variance::<FMA>(now - apart) - v;
                let c = (quarter_slope * (up - down)).lesser(most_curvature);
                let grown = v * (convexity * (up + down) - drift * (up - down));
                let v = v + grown.greater(-R::HALF * v).lesser(v);
                let w = deviation * S::normal::<R, FMA>(word[lane]);
                let room = one - two * c * step;
                let compensator = R::HALF * room.ln::<FMA>() - half_step * v / room;
                x[lane] = now + w * (v.sqrt() + c * w) + compensator;
            }
            if (taken + 1) % substeps == 0 {
                let date = (taken + 1) / substeps;
                let time = dt * date as f64;
                let forward = of(start * (carry * time).exp());
                for lane in 0..BLOCK {
                    spot[date][lane] = forward * x[lane].exp::<FMA>();
                }
                variance[date] = at_date(time, &x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Leg;
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
            rate: 0.03,
            dividend: 0.01,
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
