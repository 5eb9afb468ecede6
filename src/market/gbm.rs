use crate::random::Shocks;
use crate::simd::{BLOCK, Kernel, Lane, Normal, Real, multiply_add};

/// One block of geometric Brownian motion, exact at the dates of the grid.
///
/// S_{t+1} = S_t exp((r − q − σ²/2) Δ + σ √Δ Z)
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", equation 3.21.
pub(super) struct GbmBlock<'a, R> {
    pub shocks: Shocks,
    pub spot0: f64,
    pub carry: f64,
    pub volatility: f64,
    pub dt: f64,
    pub spot: &'a mut [Lane<R>],
    pub variance: &'a mut [Lane<R>],
}

impl<R: Real> Kernel for GbmBlock<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let variance = self.volatility * self.volatility;
        let drift = R::of((self.carry - 0.5 * variance) * self.dt);
        let scale = R::of(self.volatility * self.dt.sqrt());
        for lane in self.variance.iter_mut() {
            *lane = [R::of(variance); BLOCK];
        }
        self.spot[0] = [R::of(self.spot0); BLOCK];
        let steps = self.spot.len() - 1;
        let mut words = [[0; BLOCK]; 4];
        for t in 0..steps {
            if t % 4 == 0 {
                words = self.shocks.draw(t / 4);
            }
            // Values, not references: the compiler must see that nothing overlaps.
            let (word, now) = (words[t % 4], self.spot[t]);
            let mut next = [R::ZERO; BLOCK];
            for lane in 0..BLOCK {
                let normal = Normal::<R>::from_bits::<FMA>(word[lane]);
                let log_return = multiply_add::<R, FMA>(scale, normal.quantile, drift);
                next[lane] = now[lane] * log_return.exp::<FMA>();
            }
            self.spot[t + 1] = next;
        }
    }
}
