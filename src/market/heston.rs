use crate::pricing::HestonParameters;
use crate::random::Shocks;
use crate::simd::{BLOCK, Kernel, Lane, Normal, Real, multiply_add};

/// One block of Heston paths by the quadratic-exponential scheme with martingale correction.
///
/// dS = (r − q) S dt + √v S dW,  dv = κ(θ − v) dt + σ √v dB,  d⟨W, B⟩ = ρ dt
///
/// The variance is drawn from a distribution with the exact conditional mean m and variance s²:
/// a(b + Z)² where ψ = s²/m² ≤ 3/2, otherwise a mass at zero with an exponential tail. The
/// log-spot then moves by K₀* + K₁v + K₂v′ + √(K₃v + K₄v′) Z with γ₁ = γ₂ = ½, and K₀* makes
/// the discounted spot an exact martingale.
///
/// # References
/// Andersen (2008), "Simple and efficient simulation of the Heston stochastic volatility model",
/// sections 3.2 and 4.3 (equations 23–27, 33 and propositions 5–9).
pub(super) struct HestonBlock<'a, R> {
    pub shocks: Shocks,
    pub spot0: f64,
    pub carry: f64,
    pub parameters: HestonParameters,
    pub dt: f64,
    pub spot: &'a mut [Lane<R>],
    pub variance: &'a mut [Lane<R>],
}

/// ψ above which the exponential branch is used; any value in [1, 2] works.
const PSI_CRITICAL: f64 = 1.5;

impl<R: Real> Kernel for HestonBlock<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let HestonParameters {
            v0,
            kappa,
            theta,
            sigma,
            rho,
        } = self.parameters;
        let dt = self.dt;
        let decay = (-kappa * dt).exp();
        let of = R::of;
        let (mean_slope, mean_base) = (of(decay), of(theta * (1.0 - decay)));
        let variance_slope = of(sigma * sigma * decay * (1.0 - decay) / kappa);
        let variance_base = of(theta * sigma * sigma * (1.0 - decay).powi(2) / (2.0 * kappa));
        let half_dt = 0.5 * dt;
        let tilt = half_dt * (kappa * rho / sigma - 0.5);
        let (k1, k2) = (tilt - rho / sigma, tilt + rho / sigma);
        let k3 = half_dt * (1.0 - rho * rho);
        let a_star = of(k2 + 0.5 * k3);
        let correction = of(k1 + 0.5 * k3);
        let uncorrected = of(-rho * kappa * theta * dt / sigma);
        let (k1, k2, k3, carry) = (of(k1), of(k2), of(k3), of(self.carry * dt));
        let (one, two) = (R::ONE, R::ONE + R::ONE);

        self.spot[0] = [of(self.spot0); BLOCK];
        self.variance[0] = [of(v0); BLOCK];
        let steps = self.spot.len() - 1;
        let mut words = [[0; BLOCK]; 4];
        for t in 0..steps {
            if t % 2 == 0 {
                words = self.shocks.draw(t / 2);
            }
            let (for_variance, for_spot) = (words[2 * (t % 2)], words[2 * (t % 2) + 1]);
            // Values, not references: the compiler must see that nothing overlaps.
            let (spot, variance) = (self.spot[t], self.variance[t]);
            let (mut next_spot, mut next_variance) = ([R::ZERO; BLOCK], [R::ZERO; BLOCK]);
            for lane in 0..BLOCK {
                let v = variance[lane];
                let normal = Normal::<R>::from_bits::<FMA>(for_variance[lane]);
                let m = multiply_add::<R, FMA>(mean_slope, v, mean_base);
                let s2 = multiply_add::<R, FMA>(variance_slope, v, variance_base);
                // Where the branches divide or take a logarithm alike, the operands are chosen first:
                // divisions are what bounds this loop.
                let square = m * m;
                let is_quadratic = s2 <= of(PSI_CRITICAL) * square;
                let choose = |quadratic: R, exponential: R| {
                    if is_quadratic { quadratic } else { exponential }
                };

                let ratio = two * square / s2;
                let b2 = ratio - one + (ratio * (ratio - one).greater(R::ZERO)).sqrt();
                let shifted = b2.greater(R::ZERO).sqrt() + normal.quantile;

                let inverse = one / (s2 + square);
                let (mass, rest) = ((s2 - square) * inverse, two * square * inverse);
                let beta = two * m * inverse;
                let excess = (rest / normal.upper_tail).greater(one).ln::<FMA>();

                // a, or the exponential variate.
                let scale = choose(m, excess) / choose(one + b2, beta);
                let v_next = choose(scale * shifted * shifted, scale);

                // ln E exp(A v′) = A b² a/(1 − 2Aa) − ½ ln(1 − 2Aa), or ln(p + β(1 − p)/(β − A)).
                let room = one - two * a_star * scale;
                let quotient =
                    choose(a_star * b2 * scale, beta * rest) / choose(room, beta - a_star);
                let logarithm = choose(room, mass + quotient).greater(of(1e-30)).ln::<FMA>();
                let log_moment = choose(quotient - R::HALF * logarithm, logarithm);

                // With ρ > 0 and a long step E[exp(A v′)] can be infinite; then no martingale
                // correction exists and Andersen's uncorrected K₀ is used.
                let exists = choose(room, beta - a_star) > R::ZERO;
                let k0 = if exists {
                    -log_moment - correction * v
                } else {
                    uncorrected
                };

                let diffusion = (k3 * (v + v_next)).sqrt();
                let shock = Normal::<R>::from_bits::<FMA>(for_spot[lane]).quantile;
                let drift = carry + k0 + k1 * v + k2 * v_next;
                next_variance[lane] = v_next;
                next_spot[lane] =
                    spot[lane] * multiply_add::<R, FMA>(diffusion, shock, drift).exp::<FMA>();
            }
            self.spot[t + 1] = next_spot;
            self.variance[t + 1] = next_variance;
        }
    }
}
