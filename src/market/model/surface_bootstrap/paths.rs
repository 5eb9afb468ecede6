//! Paths that are made of past days.

use super::{Days, SurfaceBootstrapParameters};
use crate::market::model::dynamics::{Columns, Draw};
use crate::market::past_surfaces::TRADING_DAYS;
use crate::pricing::SurfaceFactors;
use crate::random::Shocks;
use crate::simd::{BLOCK, Kernel, Lane, Normal, Real, multiply_add};

/// What happened from one day to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    /// The return in daily standard deviations of the surface, less its mean over all days.
    pub z: f32,
    /// The change of the logarithm of the level.
    pub log_level: f32,
    /// The changes of slope, moneyness, smile and smirk.
    pub others: [f32; 4],
    /// One over the volatility of the day.
    pub per_volatility: f32,
}

/// One block of paths, as [`SurfaceBootstrapParameters`] says.
pub(super) struct BootstrapBlock<'a, R, S> {
    pub settings: &'a SurfaceBootstrapParameters,
    pub days: &'a Days,
    pub block: Draw<'a, R, S>,
}

/// The factors and the spot of a block on one date.
struct State<R> {
    spot: Lane<R>,
    factors: [Lane<R>; SurfaceFactors::COUNT],
    volatility: Lane<R>,
}

impl<R: Real> State<R> {
    /// Volatility at the money over one month.
    #[inline(always)]
    fn see<const FMA: bool>(&mut self, slope: R, floor: R) {
        for lane in 0..BLOCK {
            let [level, steep] = [self.factors[0][lane], self.factors[1][lane]];
            let volatility = multiply_add::<R, FMA>(slope, steep, level);
            self.volatility[lane] = volatility.greater(floor);
        }
    }

    #[inline(always)]
    fn keep(&self, date: usize, (spots, variances, surface): Columns<'_, R>) {
        let dates = spots.len();
        spots[date] = self.spot;
        for lane in 0..BLOCK {
            variances[date][lane] = self.volatility[lane] * self.volatility[lane];
        }
        for (rows, factor) in surface.chunks_exact_mut(dates).zip(&self.factors) {
            rows[date] = *factor;
        }
    }
}

impl<R: Real, S: Shocks> Kernel for BootstrapBlock<'_, R, S> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            settings,
            days,
            block,
        } = self;
        let Draw {
            shocks,
            start,
            carry,
            dt,
            substeps,
            begun: _,
            spot: spots,
            variance: variances,
            surface,
            ..
        } = block;
        let of = R::of;
        let h = dt / substeps as f64;
        let (root, carry) = (of(h.sqrt()), of(carry * h));
        // √h in trading days, by which a day's changes are rescaled.
        let share = of((h * TRADING_DAYS).sqrt());
        let [_, slope, ..] = SurfaceFactors::basis(0.0, 21.0 / TRADING_DAYS);
        let (slope, floor) = (of(slope), of(SurfaceFactors::FLOOR));
        let bound = of(settings.level_bound);
        let (least, greatest) = (of(settings.least_scale), of(settings.greatest_scale));
        let cumulants = days.cumulants.coefficients().map(R::of);
        let jumps = (settings.jump_chance * 4_294_967_296.0) as u64;
        let count = days.moves.len() as u64;

        let mut words = shocks.draw(0);
        let mut day: Lane<u32> = words[2].map(|word| ((u64::from(word) * count) >> 32) as u32);
        let scatter = of(settings.start_scatter);
        let mut state = State {
            spot: [of(start); BLOCK],
            factors: [[R::ZERO; BLOCK]; SurfaceFactors::COUNT],
            volatility: [R::ZERO; BLOCK],
        };
        for lane in 0..BLOCK {
            let normal = Normal::<R>::from_bits::<FMA>(words[3][lane]).quantile;
            let scale = (scatter * normal).exp::<FMA>();
            let surface = days.surfaces[day[lane] as usize].to_array();
            for (factor, value) in state.factors.iter_mut().zip(surface) {
                factor[lane] = of(value) * scale;
            }
        }
        state.see::<FMA>(slope, floor);
        state.keep(0, (spots, variances, surface));
        let steps = (spots.len() - 1) * substeps;
        for step in 0..steps {
            if step > 0 {
                words = shocks.draw(step);
            }
            let zero = [R::ZERO; BLOCK];
            let (mut z, mut log_level, mut scale, mut others) = (zero, zero, zero, [zero; 4]);
            for lane in 0..BLOCK {
                let taken = &days.moves[day[lane] as usize];
                z[lane] = of(f64::from(taken.z));
                log_level[lane] = of(f64::from(taken.log_level));
                scale[lane] = of(f64::from(taken.per_volatility));
                for (other, change) in others.iter_mut().zip(taken.others) {
                    other[lane] = of(f64::from(change));
                }
            }
            for lane in 0..BLOCK {
                let volatility = state.volatility[lane];
                let s = volatility * root;
                let mut compensator = cumulants[4];
                for cumulant in cumulants[..4].iter().rev() {
                    compensator = multiply_add::<R, FMA>(compensator, s, *cumulant);
                }
                let log_return = carry + s * (z[lane] - s * compensator);
                state.spot[lane] *= log_return.exp::<FMA>();
                let change = (share * log_level[lane]).greater(-bound).lesser(bound);
                state.factors[0][lane] *= change.exp::<FMA>();
                let scale = (volatility * scale[lane]).greater(least).lesser(greatest) * share;
                for (factor, change) in state.factors[1..].iter_mut().zip(&others) {
                    factor[lane] = multiply_add::<R, FMA>(scale, change[lane], factor[lane]);
                }
            }
            state.see::<FMA>(slope, floor);
            for lane in 0..BLOCK {
                let next = day[lane] + 1;
                let stays = u64::from(words[0][lane]) >= jumps && u64::from(next) < count;
                day[lane] = if stays {
                    next
                } else {
                    let volatility = state.volatility[lane].into_f64() as f32;
                    days.like(volatility, settings.rank_width, words[1][lane])
                };
            }
            if (step + 1) % substeps == 0 {
                state.keep((step + 1) / substeps, (spots, variances, surface));
            }
        }
    }
}
