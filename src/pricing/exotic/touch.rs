//! One-touch and no-touch options, paid at expiry.

use super::barrier::Alive;
use super::{Direction, LognormalAsset, Pays, Valuation};

/// When a touch option pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TouchKind {
    /// If the barrier has been touched.
    OneTouch,
    /// If the barrier has not been touched.
    NoTouch,
}

/// An option that pays `cash` at expiry if the spot has, or has not, touched a barrier.
///
/// # Formula
///
/// ```text
/// V_no = cash (C(S) − (S/H)^{1 − 2(r−q)/σ²} C(H²/S)),   V_one = cash e^{−rT} − V_no
/// ```
///
/// with C the option that pays one unit of currency if the spot ends on the living side of the barrier, and H the barrier
/// or, for dates, the barrier shifted as for [`super::BarrierOption`].
///
/// # References
///
/// M. Rubinstein and E. Reiner (1991), "Unscrambling the binary code", Risk 4(9); those of [`super::BarrierOption`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Touch {
    /// The asset until expiry.
    pub asset: LognormalAsset,
    /// When it pays.
    pub kind: TouchKind,
    /// The barrier, in currency.
    pub barrier: f64,
    /// Below or above.
    pub direction: Direction,
    /// What it pays, in currency.
    pub cash: f64,
    /// Years between the dates at which the barrier is watched, the expiry being the last; 0: it is watched all the time.
    pub spacing: f64,
    /// Whether it has been touched.
    pub touched: bool,
}

impl Touch {
    /// Price, delta and gamma.
    pub fn valuation(&self) -> Valuation {
        let alive = Alive {
            asset: &self.asset,
            barrier: self.barrier,
            direction: self.direction,
            spacing: self.spacing,
        };
        let unit = match (self.kind, self.touched) {
            (TouchKind::OneTouch, true) => Valuation::constant(self.asset.discount()),
            (TouchKind::NoTouch, true) => Valuation::default(),
            (TouchKind::OneTouch, false) => alive.touched().not_negative(),
            (TouchKind::NoTouch, false) => alive.beyond(Pays::Cash, self.barrier).not_negative(),
        };
        self.cash * unit
    }
}
