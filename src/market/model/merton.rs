use super::dynamics::{Draw, Dynamics, Estimate, Limit, independent_moments};
use super::jumps;
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::variance::VarianceProcess;
use crate::contract::OptionKind;
use crate::error::Result;
use crate::market::estimation::estimate_merton;
use crate::pricing::{Greeks, MertonParameters};
use crate::random::{Factor, Shocks};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch, multiply_add};

impl Dynamics for MertonParameters {
    /// [`jumps::limits`]; prices sum over the number of jumps.
    fn limits(&self, life: f64, steps: usize) -> Vec<Limit> {
        jumps::limits(
            self.jump_intensity,
            self.volatility,
            &self.variance_process(),
            life,
            steps,
        )
    }

    fn factors(&self) -> Vec<Factor> {
        vec![Factor::Normal(1.0), Factor::Own]
    }

    fn longest_step(&self, _: f64) -> f64 {
        f64::INFINITY
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        dispatch(MertonBlock {
            parameters: *self,
            block,
        });
    }

    fn variance_process(&self) -> VarianceProcess {
        VarianceProcess::Constant(self.total_variance())
    }

    fn log_return_moments(&self, carry: f64, _: f64, period: f64) -> Option<(f64, f64)> {
        let diffusion = self.volatility.powi(2);
        let jumps = self.jump_intensity * (self.log_jump_mean - self.mean_jump());
        let mean = carry - 0.5 * diffusion + jumps;
        independent_moments(mean, self.total_variance(), period)
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Series
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(SeriesPricer {
            parameters: self,
            left: horizon.left,
            rate: horizon.rate,
            dividend: horizon.dividend,
        })
    }

    fn estimate(returns: &[f64], days_per_year: f64) -> Result<Estimate<Self>> {
        Ok(estimate_merton(returns, days_per_year)?.into())
    }
}

/// Merton's series; the variance of a state is that of the parameters.
struct SeriesPricer<'a> {
    parameters: &'a MertonParameters,
    left: f64,
    rate: f64,
    dividend: f64,
}

impl Pricer for SeriesPricer<'_> {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> f64 {
        let (rate, dividend) = (self.rate, self.dividend);
        self.parameters
            .price(kind, spot, strike, self.left, rate, dividend)
    }

    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> Greeks {
        let (rate, dividend) = (self.rate, self.dividend);
        self.parameters
            .greeks(kind, spot, strike, self.left, rate, dividend)
    }
}

/// One block of Merton's jump diffusion, exact at the dates of the grid.
///
/// S_{t+1} = S_t exp((r − q − λk − σ²/2) Δ + N m + √(σ²Δ + N s²) Z),  N ~ Poisson(λΔ)
///
/// The number of jumps is drawn by inversion from its own shock. The variance is that of log returns, σ² + λ(m² + s²).
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", section 3.5.1.
struct MertonBlock<'a, R, S> {
    parameters: MertonParameters,
    block: Draw<'a, R, S>,
}

impl<R: Real, S: Shocks> Kernel for MertonBlock<'_, R, S> {
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
        let compensated = carry - p.jump_intensity * p.mean_jump() - 0.5 * sigma2;
        let (drift, jump) = (R::of(compensated * dt), R::of(p.log_jump_mean));
        let (diffusion, square) = (R::of(sigma2 * dt), R::of(p.log_jump_std.powi(2)));
        let thresholds = jumps::thresholds(p.jump_intensity * dt);
        for lane in variances {
            *lane = [R::of(p.total_variance()); BLOCK];
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
                let (for_spot, for_jumps) = (words[2 * (step % 2)], words[2 * (step % 2) + 1]);
                let count: Lane<R> = jumps::count(&thresholds, &for_jumps);
                for lane in 0..BLOCK {
                    let normal = S::normal::<R, FMA>(for_spot[lane]);
                    let spread = multiply_add::<R, FMA>(count[lane], square, diffusion).sqrt();
                    let mean = multiply_add::<R, FMA>(count[lane], jump, drift);
                    let log_return = multiply_add::<R, FMA>(spread, normal, mean);
                    spot[lane] *= log_return.exp::<FMA>();
                }
                step += 1;
            }
            *kept = spot;
        }
    }
}
