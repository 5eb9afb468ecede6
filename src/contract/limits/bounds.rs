use super::smooth::SmoothClip;
use crate::simd::{BLOCK, Lane, Real};

/// The bounds of one instrument, whose targets x beside δ₋ that is held are clipped to
///
/// B(x, δ₋) = min(max(min(max(x, δ₋ − m), δ₋ + m), l), h),
///
/// where m is the largest trade and [l, h] the positions that are allowed. With lots it is the nearest multiple of one that lies in
/// both intervals.
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
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            trade: f64::INFINITY,
            lot: 0.0,
        }
    }
}

/// How far beyond a bound, in lots or as a share of it, a position still counts as within: the rounding of a quotient.
pub(super) const ROUNDING: f64 = 1e-6;

impl Limit {
    /// Whether it allows anything.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Clips the targets `position` to the largest trade, then to the bounds of the position.
    #[inline(always)]
    pub(super) fn clip<R: Real>(&self, held: &Lane<R>, position: &mut Lane<R>) {
        let (trade, low, high) = (R::of(self.trade), R::of(self.low), R::of(self.high));
        for lane in 0..BLOCK {
            let (least, most) = (held[lane] - trade, held[lane] + trade);
            let traded = position[lane].greater(least).lesser(most);
            position[lane] = traded.greater(low).lesser(high);
        }
    }

    /// Takes positions to the nearest multiple of the lot, if there is one, that lies within the bounds of position and trade.
    #[inline(always)]
    pub(super) fn round_to_lots<R: Real>(&self, held: &Lane<R>, position: &mut Lane<R>) {
        if self.lot == 0.0 {
            return;
        }
        let (trade, lot, slack) = (R::of(self.trade), R::of(self.lot), R::of(ROUNDING));
        let (low, high) = (R::of(self.low), R::of(self.high));
        for lane in 0..BLOCK {
            let (least, most) = (held[lane] - trade, held[lane] + trade);
            let (low, high) = (
                low.greater(least.lesser(high)),
                high.lesser(most.greater(low)),
            );
            let first = -((slack - low / lot).floor());
            let last = (high / lot + slack).floor();
            let nearest = (position[lane] / lot + R::HALF).floor();
            position[lane] = nearest.greater(first).lesser(last) * lot;
        }
    }

    /// The next multiple of the lot towards 0, the position itself without lots.
    #[inline(always)]
    pub(super) fn towards_zero<R: Real>(&self, position: R) -> R {
        if self.lot == 0.0 {
            return position;
        }
        let lot = R::of(self.lot);
        let size = (position.abs() / lot + R::of(ROUNDING)).floor() * lot;
        if position < R::ZERO { -size } else { size }
    }

    /// [`Self::clip`] with both clips smooth over a width.
    #[inline(always)]
    pub(super) fn clip_smoothly<R: Real, const FMA: bool>(
        &self,
        held: &Lane<R>,
        width: f64,
        position: &mut Lane<R>,
    ) {
        for lane in 0..BLOCK {
            let [traded, bounded] = self.stages(held[lane], width);
            position[lane] = bounded.clip::<FMA>(traded.clip::<FMA>(position[lane]));
        }
    }

    /// Turns the derivatives `total` in what [`Self::clip_smoothly`] makes of targets into those in the targets, and gives those in what is
    /// held, with which the bounds of a trade move.
    #[inline(always)]
    pub(super) fn through<R: Real, const FMA: bool>(
        &self,
        (held, target): (&Lane<R>, &Lane<R>),
        width: f64,
        total: &mut Lane<R>,
    ) -> Lane<R> {
        let mut by_held = [R::ZERO; BLOCK];
        for lane in 0..BLOCK {
            let [traded, bounded] = self.stages(held[lane], width);
            let of_trade = traded.slope::<FMA>(target[lane]);
            let of_bounds = bounded.slope::<FMA>(traded.clip::<FMA>(target[lane]));
            by_held[lane] = total[lane] * of_bounds * (R::ONE - of_trade);
            total[lane] *= of_bounds * of_trade;
        }
        by_held
    }

    /// The clip to the largest trade, then that to the bounds of the position. With lots these are the outermost multiples within them.
    #[inline(always)]
    fn stages<R: Real>(&self, held: R, width: f64) -> [SmoothClip<R>; 2] {
        let (low, high) = match self.lot > 0.0 {
            true => (
                (self.low / self.lot - ROUNDING).ceil() * self.lot,
                (self.high / self.lot + ROUNDING).floor() * self.lot,
            ),
            false => (self.low, self.high),
        };
        let trade = R::of(self.trade);
        [
            SmoothClip::new(held - trade, held + trade, width),
            SmoothClip::new(R::of(low), R::of(high), width),
        ]
    }
}
