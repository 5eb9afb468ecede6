//! Paths of returns and surface factors with GARCH variances.

use crate::market::estimation::{NormalQuantiles, SERIES, SurfaceGarch};
use crate::market::model::dynamics::Draw;
use crate::market::past_surfaces::TRADING_DAYS;
use crate::pricing::SurfaceFactors;
use crate::random::Shocks;
use crate::simd::{BLOCK, Kernel, Lane, Real, multiply_add};

/// One block of paths of [`SurfaceGarch`].
pub(super) struct GarchBlock<'a, R, S> {
    pub dynamics: &'a SurfaceGarch,
    pub block: Draw<'a, R, S>,
}

impl<R: Real, S: Shocks> Kernel for GarchBlock<'_, R, S> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        const COUNT: usize = SurfaceFactors::COUNT;
        let Self { dynamics, block } = self;
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
        let carry = of(carry * h);
        let days = h * TRADING_DAYS;
        let share = of(days.sqrt());
        // β + 252h (α + Σθβ + νβ₋₁ − β)
        let means = dynamics.means;
        let intercepts: [R; COUNT] = std::array::from_fn(|i| of(days * means[i][0]));
        let slopes: [[R; COUNT]; COUNT] = std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                let own = if i == j { 1.0 } else { 0.0 };
                of(own + days * (means[i][j + 1] - own))
            })
        });
        let lag = of(days * means[1][COUNT + 1]);
        let root = dynamics.root.map(|row| row.map(R::of));
        let cumulants = dynamics.cumulants.coefficients().map(R::of);
        let [_, steep, ..] = SurfaceFactors::basis(0.0, 21.0 / TRADING_DAYS);
        let (steep, floor) = (of(steep), of(SurfaceFactors::FLOOR));
        let per_day = of(1.0 / TRADING_DAYS);
        let most = dynamics.most.map(R::of);
        let garch = dynamics.variances.map(|one| {
            [
                one.scale,
                one.persistence,
                one.reaction,
                2.0 * one.asymmetry,
            ]
            .map(R::of)
        });
        let tables: [&[f64]; SERIES] = std::array::from_fn(|i| dynamics.innovations[i].values());
        let (reach, cells) = (NormalQuantiles::REACH, NormalQuantiles::CELLS);
        let (low, per_cell) = (of(reach), of(cells as f64 / (2.0 * reach)));
        // The last point within the table.
        let end = of(cells as f64 - 1e-3);

        let count = dynamics.starts.len() as u64;
        let zero = [R::ZERO; BLOCK];
        let mut first = shocks.draw(0);
        let mut second = shocks.draw(1);
        let (mut factors, mut before) = ([zero; COUNT], zero);
        let mut h_next = [zero; SERIES];
        for lane in 0..BLOCK {
            let day = (u64::from(second[2][lane]) * count) >> 32;
            let begun = &dynamics.starts[day as usize];
            for (factor, value) in factors.iter_mut().zip(begun.factors) {
                factor[lane] = of(value);
            }
            before[lane] = of(begun.slope_before);
            for (variance, value) in h_next.iter_mut().zip(begun.variances) {
                variance[lane] = of(value);
            }
        }
        let mut spot = [of(start); BLOCK];
        let dates = spots.len();
        let seen = |factors: &[Lane<R>; COUNT]| -> Lane<R> {
            std::array::from_fn(|lane| {
                multiply_add::<R, FMA>(steep, factors[1][lane], factors[0][lane]).greater(floor)
            })
        };
        let mut volatility = seen(&factors);
        let mut date = 0;
        loop {
            spots[date] = spot;
            variances[date] = volatility.map(|v| v * v);
            for (rows, factor) in surface.chunks_exact_mut(dates).zip(&factors) {
                rows[date] = *factor;
            }
            date += 1;
            if date == dates {
                break;
            }
            for substep in 0..substeps {
                let step = (date - 1) * substeps + substep;
                if step > 0 {
                    first = shocks.draw(2 * step);
                    second = shocks.draw(2 * step + 1);
                }
                let mut normals = [zero; SERIES];
                for (i, normal) in normals.iter_mut().enumerate() {
                    let word = if i < 4 { &first[i] } else { &second[i - 4] };
                    for lane in 0..BLOCK {
                        normal[lane] = S::normal::<R, FMA>(word[lane]);
                    }
                }
                let mut innovations = [zero; SERIES];
                for i in 0..SERIES {
                    let mut mixed = zero;
                    for j in 0..=i {
                        for lane in 0..BLOCK {
                            mixed[lane] =
                                multiply_add::<R, FMA>(root[i][j], normals[j][lane], mixed[lane]);
                        }
                    }
                    let place = mixed.map(|n| ((n + low) * per_cell).greater(R::ZERO).lesser(end));
                    for lane in 0..BLOCK {
                        let at = place[lane].into_f64();
                        let cell = at as usize;
                        let pair = &tables[i][cell..cell + 2];
                        let value = pair[0] + (at - cell as f64) * (pair[1] - pair[0]);
                        innovations[i][lane] = of(value);
                    }
                }
                for lane in 0..BLOCK {
                    let s = h_next[0][lane].sqrt() * share;
                    let mut compensator = cumulants[4];
                    for cumulant in cumulants[..4].iter().rev() {
                        compensator = multiply_add::<R, FMA>(compensator, s, *cumulant);
                    }
                    let log_return = carry + s * (innovations[0][lane] - s * compensator);
                    spot[lane] *= log_return.exp::<FMA>();
                }
                let mut moved = [zero; COUNT];
                for i in 0..COUNT {
                    for lane in 0..BLOCK {
                        let mut sum = intercepts[i];
                        for j in 0..COUNT {
                            sum = multiply_add::<R, FMA>(slopes[i][j], factors[j][lane], sum);
                        }
                        if i == 1 {
                            sum = multiply_add::<R, FMA>(lag, before[lane], sum);
                        }
                        let s = h_next[i + 1][lane].sqrt() * share;
                        moved[i][lane] = multiply_add::<R, FMA>(s, innovations[i + 1][lane], sum);
                    }
                }
                before = factors[1];
                factors = moved;
                volatility = seen(&factors);
                for i in 0..SERIES {
                    let [scale, persistence, reaction, twice_asymmetry] = garch[i];
                    for lane in 0..BLOCK {
                        let v = volatility[lane];
                        let anchor = if i < 2 { v * v * per_day } else { R::ONE };
                        let long_run = scale * anchor;
                        let (now, e) = (h_next[i][lane], innovations[i][lane]);
                        let news = e * e - R::ONE - twice_asymmetry * e;
                        let next =
                            long_run + persistence * (now - long_run) + reaction * now * news;
                        h_next[i][lane] = next.greater(R::ZERO).lesser(most[i]);
                    }
                }
            }
        }
    }
}
