//! Limits that positions and trades must keep.

use crate::simd::{BLOCK, Lane, Real, sigmoid};

/// The limits of one instrument, in force at every date on which it is traded.
///
/// A target x beside δ₋ that is held becomes the position
///
/// L(x, δ₋) = min(max(min(max(x, δ₋ − m), δ₋ + m), l), h),
///
/// where m is the largest trade and [l, h] the positions that are allowed; a margin allows |δ| P ≤ c at the price P. With lots it is the
/// nearest multiple of one that lies in both intervals. Bounds on the position come before that on the trade: where the price moves
/// against a margin, the position is reduced by as much as that takes.
///
/// What closes a hedge, at expiry or where the contract ends, is no target, and may be a larger trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// The least position l, in units of the instrument; −∞ for none.
    pub low: f64,
    /// The greatest position h, in units of the instrument; ∞ for none.
    pub high: f64,
    /// The largest trade m of a date, in units of the instrument; ∞ for none.
    pub trade: f64,
    /// The lot of which positions are multiples, in units of the instrument; 0 for none.
    pub lot: f64,
    /// The greatest value c of a position, long or short, in currency; ∞ for none.
    pub value: f64,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            trade: f64::INFINITY,
            lot: 0.0,
            value: f64::INFINITY,
        }
    }
}

/// How far beyond a bound, in lots, a multiple still counts as within it: the rounding of a quotient.
const ROUNDING: f64 = 1e-6;

impl Limit {
    /// Whether it allows anything.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The least and the greatest position at a price.
    #[inline(always)]
    fn bounds<R: Real>(&self, price: R) -> (R, R) {
        let (low, high) = (R::of(self.low), R::of(self.high));
        if self.value == f64::INFINITY {
            return (low, high);
        }
        let most = R::of(self.value) / price.abs();
        (low.greater(-most), high.lesser(most))
    }

    /// The position L(x, δ₋) for the targets `target` of a date, beside what is held.
    #[inline(always)]
    pub fn hold<R: Real>(&self, target: &Lane<R>, held: &Lane<R>, price: &Lane<R>) -> Lane<R> {
        let (trade, lot) = (R::of(self.trade), R::of(self.lot));
        let mut position = *target;
        for lane in 0..BLOCK {
            let (low, high) = self.bounds(price[lane]);
            let (least, most) = (held[lane] - trade, held[lane] + trade);
            let clipped = position[lane].greater(least).lesser(most);
            position[lane] = clipped.greater(low).lesser(high);
            if self.lot > 0.0 {
                let (low, high) = (
                    low.greater(least.lesser(high)),
                    high.lesser(most.greater(low)),
                );
                let slack = R::of(ROUNDING);
                let first = -((slack - low / lot).floor());
                let last = (high / lot + slack).floor();
                let nearest = (position[lane] / lot + R::HALF).floor();
                position[lane] = nearest.greater(first).lesser(last) * lot;
            }
        }
        position
    }

    /// What training takes for [`Self::hold`]: both clips smooth over a width s, and positions of any size.
    ///
    /// clip(x; l, h) = x + s ln(1 + e^{(l − x)/s}) − s ln(1 + e^{(x − h)/s})
    ///
    /// lies between the bounds, is x to the last bit where they are far away, and tends to the hard clip as s → 0.
    #[inline(always)]
    pub fn hold_smoothly<R: Real, const FMA: bool>(
        &self,
        (target, held, price): (&Lane<R>, &Lane<R>, &Lane<R>),
        width: f64,
    ) -> Lane<R> {
        let mut position = *target;
        for lane in 0..BLOCK {
            let [traded, bounded] =
                self.stages::<R, FMA>((target[lane], held[lane], price[lane]), width);
            position[lane] = bounded.clip::<FMA>(traded.clip::<FMA>(target[lane]));
        }
        position
    }

    /// The slopes (∂/∂x, ∂/∂δ₋) of [`Self::hold_smoothly`].
    #[inline(always)]
    pub fn smooth_slopes<R: Real, const FMA: bool>(
        &self,
        (target, held, price): (&Lane<R>, &Lane<R>, &Lane<R>),
        width: f64,
    ) -> (Lane<R>, Lane<R>) {
        let (mut by_target, mut by_held) = (*target, *held);
        for lane in 0..BLOCK {
            let [traded, bounded] =
                self.stages::<R, FMA>((target[lane], held[lane], price[lane]), width);
            let of_trade = traded.slope::<FMA>(target[lane]);
            let of_bounds = bounded.slope::<FMA>(traded.clip::<FMA>(target[lane]));
            by_target[lane] = of_bounds * of_trade;
            // The bounds of a trade move with what is held.
            by_held[lane] = of_bounds * (R::ONE - of_trade);
        }
        (by_target, by_held)
    }

    /// The clip to the largest trade, then that to the bounds of the position.
    #[inline(always)]
    fn stages<R: Real, const FMA: bool>(
        &self,
        (_, held, price): (R, R, R),
        width: f64,
    ) -> [SmoothClip<R>; 2] {
        let (low, high) = self.bounds(price);
        let trade = R::of(self.trade);
        let (width, inverse) = (R::of(width), R::of(1.0 / width));
        [(held - trade, held + trade), (low, high)].map(|(low, high)| SmoothClip {
            low,
            high,
            width,
            inverse,
        })
    }
}

/// A clip that is smooth over a width.
#[derive(Clone, Copy)]
struct SmoothClip<R> {
    low: R,
    high: R,
    width: R,
    inverse: R,
}

impl<R: Real> SmoothClip<R> {
    #[inline(always)]
    fn clip<const FMA: bool>(&self, x: R) -> R {
        let below = softplus::<R, FMA>((self.low - x) * self.inverse);
        let above = softplus::<R, FMA>((x - self.high) * self.inverse);
        x + self.width * below - self.width * above
    }

    #[inline(always)]
    fn slope<const FMA: bool>(&self, x: R) -> R {
        let below = sigmoid::<R, FMA>((self.low - x) * self.inverse);
        let above = sigmoid::<R, FMA>((x - self.high) * self.inverse);
        R::ONE - below - above
    }
}

/// ln(1 + eˣ), 0 for all x below −`FAR`, −∞ among them.
#[inline(always)]
fn softplus<R: Real, const FMA: bool>(x: R) -> R {
    const FAR: f64 = 40.0;
    let near = x.greater(R::of(-FAR));
    let value = near.greater(R::ZERO) + (R::ONE + (-near.abs()).exp::<FMA>()).ln::<FMA>();
    if x > R::of(-FAR) { value } else { R::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> Lane<f64> {
        std::array::from_fn(|lane| 2.0 * (lane as f64 * 1.7).sin())
    }

    fn held() -> Lane<f64> {
        std::array::from_fn(|lane| 0.9 * (lane as f64 * 0.6).cos())
    }

    const PRICE: Lane<f64> = [100.0; BLOCK];

    fn limit() -> Limit {
        Limit {
            low: -1.0,
            high: 1.25,
            trade: 0.5,
            value: 110.0,
            ..Limit::default()
        }
    }

    /// Neither a position nor a trade is beyond its bounds, and a target that keeps them all is held as it is.
    #[test]
    fn positions_and_trades_keep_their_bounds() {
        let (targets, held, limit) = (targets(), held(), limit());
        let position = limit.hold(&targets, &held, &PRICE);
        let mut kept = 0;
        for lane in 0..BLOCK {
            let (position, held, target) = (position[lane], held[lane], targets[lane]);
            assert!((-1.0..=1.1).contains(&position));
            assert!((position - held).abs() <= 0.5 + 1e-15);
            if (target - held).abs() <= 0.5 && (-1.0..=1.1).contains(&target) {
                assert_eq!(position, target);
                kept += 1;
            }
        }
        assert!(kept > 0);
    }

    /// With lots positions are multiples of one within the bounds, and what they keep is kept to the last bit.
    #[test]
    fn positions_are_lots() {
        let lots = Limit {
            lot: 0.2,
            ..limit()
        };
        let held = lots.hold(&held(), &[0.0; BLOCK], &PRICE);
        let position = lots.hold(&targets(), &held, &PRICE);
        for lane in 0..BLOCK {
            assert_eq!(position[lane], (position[lane] / 0.2).round() * 0.2);
            assert!((-1.0 - 1e-6..=1.1).contains(&position[lane]));
            assert!((position[lane] - held[lane]).abs() <= 0.5);
        }
        assert_eq!(lots.hold(&position, &held, &PRICE), position);
        // Without other bounds it is the nearest multiple.
        let free = Limit {
            lot: 0.2,
            ..Limit::default()
        };
        for (lots, target) in free.hold(&targets(), &held, &PRICE).iter().zip(targets()) {
            assert!((lots - target).abs() <= 0.1 + 1e-12);
        }
    }

    /// As its width falls the smooth clip tends to the hard one; where bounds are far away it changes no bit, and neither does the
    /// hard one.
    #[test]
    fn smooth_clips_tend_to_hard_ones() {
        let (targets, held, limit) = (targets(), held(), limit());
        let hard = limit.hold(&targets, &held, &PRICE);
        for width in [1e-1, 1e-2, 1e-3] {
            let of = (&targets, &held, &PRICE);
            let smooth = limit.hold_smoothly::<f64, false>(of, width);
            for lane in 0..BLOCK {
                // Two clips, each off by at most s ln 2.
                assert!((smooth[lane] - hard[lane]).abs() <= 2.0 * 2f64.ln() * width);
            }
        }
        let far = Limit {
            low: -50.0,
            high: 50.0,
            trade: 80.0,
            value: 1e5,
            ..Limit::default()
        };
        for limit in [far, Limit::default()] {
            let of = (&targets, &held, &PRICE);
            assert_eq!(limit.hold_smoothly::<f64, false>(of, 0.01), targets);
            assert_eq!(limit.hold(&targets, &held, &PRICE), targets);
            let (by_target, by_held) = limit.smooth_slopes::<f64, false>(of, 0.01);
            assert_eq!((by_target, by_held), ([1.0; BLOCK], [0.0; BLOCK]));
        }
    }

    /// Both slopes of the smooth clip equal central differences.
    #[test]
    fn slopes_are_differences() {
        const BUMP: f64 = 1e-6;
        let (targets, held, limit) = (targets(), held(), limit());
        let moved = |target: f64, before: f64| {
            let (targets, held) = (targets.map(|x| x + target), held.map(|x| x + before));
            limit.hold_smoothly::<f64, false>((&targets, &held, &PRICE), 0.1)
        };
        let (by_target, by_held) =
            limit.smooth_slopes::<f64, false>((&targets, &held, &PRICE), 0.1);
        let (up, down) = (moved(BUMP, 0.0), moved(-BUMP, 0.0));
        let (more, less) = (moved(0.0, BUMP), moved(0.0, -BUMP));
        for lane in 0..BLOCK {
            let of = |up: Lane<f64>, down: Lane<f64>| (up[lane] - down[lane]) / (2.0 * BUMP);
            assert!((by_target[lane] - of(up, down)).abs() < 1e-8);
            assert!((by_held[lane] - of(more, less)).abs() < 1e-8);
        }
    }
}
