//! When the holder of an option exercises it.

use super::{Observed, OptionKind, Spots};
use crate::simd::{BLOCK, Real};
use serde::Serialize;

/// An estimate of what an option is worth to a holder who goes on, on one date: a polynomial
///
/// ```text
/// c₀ + c₁x + c₂x² + c₃x³ + c₄x⁴ + c₅y + c₆y² + c₇xy,   x = ln(S/K)/s,   y = v/v̄ − 1
/// ```
///
/// in the spot S and, where it varies, the instantaneous variance v.
pub type Continuation = [f64; 1 + ExerciseRule::TERMS];

/// A rule by which the holder of a call or put exercises it: on the first date after the sale on which that pays more than
/// the estimate of going on, and at expiry if it pays at all.
///
/// # References
/// F. A. Longstaff and E. S. Schwartz (2001), "Valuing American options by simulation: a simple least-squares approach",
/// Review of Financial Studies 14.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExerciseRule {
    kind: OptionKind,
    strike: f64,
    /// The money s by which ln(S/K) is measured.
    deviation: f64,
    /// The variance v̄; none where the variance says nothing.
    variance: Option<f64>,
    /// One for every date after the sale and before the expiry; none where the option is not exercised.
    dates: Vec<Option<Continuation>>,
}

impl ExerciseRule {
    /// Terms of a [`Continuation`] beside the constant.
    pub const TERMS: usize = 7;

    /// A rule for an option of `steps` dates after the sale that never exercises before the last. ln(S/K) is measured by
    /// `deviation`, the variance, if it counts, by `variance`.
    pub fn at_expiry(
        kind: OptionKind,
        strike: f64,
        (deviation, variance): (f64, Option<f64>),
        steps: usize,
    ) -> Self {
        Self {
            kind,
            strike,
            deviation,
            variance,
            dates: vec![None; steps - 1],
        }
    }

    /// Call or put.
    pub fn kind(&self) -> OptionKind {
        self.kind
    }

    /// The strike.
    pub fn strike(&self) -> f64 {
        self.strike
    }

    /// Sets the estimate of a date, counted from the sale, which is 0.
    pub fn set(&mut self, date: usize, continuation: Option<Continuation>) {
        self.dates[date - 1] = continuation;
    }

    /// The terms of the polynomial beside the constant.
    pub fn terms(&self, spot: f64, variance: f64) -> [f64; Self::TERMS] {
        let x = (spot / self.strike).ln() / self.deviation;
        let y = self.variance.map_or(0.0, |usual| variance / usual - 1.0);
        let square = x * x;
        [x, square, square * x, square * square, y, y * y, x * y]
    }

    /// Whether exercising pays more than going on by that estimate.
    fn prefers(&self, continuation: &Continuation, spot: f64, variance: f64) -> bool {
        let pays = self.kind.payoff(spot, self.strike);
        if pays <= 0.0 {
            return false;
        }
        let terms = self.terms(spot, variance);
        let terms = terms.iter().zip(&continuation[1..]);
        pays > continuation[0] + terms.map(|(x, c)| x * c).sum::<f64>()
    }

    /// Whether an option that is alive is exercised on a date before its expiry.
    pub fn exercises(&self, date: usize, spot: f64, variance: f64) -> bool {
        let estimate = &self.dates[date - 1];
        estimate.is_some_and(|one| self.prefers(&one, spot, variance))
    }

    /// Writes payments and ends of a block of paths. A life in another number of periods takes the estimates of the nearest
    /// dates.
    pub(super) fn observe<R: Real>(&self, spots: Spots<'_, R>, out: Observed<'_, R>) {
        let (spot, variance) = (spots.of(0), spots.variance_of(0));
        let steps = spot.len() - 1;
        let own = self.dates.len() + 1;
        for payment in out.payments.iter_mut() {
            *payment = [R::of(0.0); BLOCK];
        }
        for lane in 0..BLOCK {
            let exercised = (1..steps).find(|&date| {
                let nearest = (date as f64 * own as f64 / steps as f64).round() as usize;
                // Before the first date of the rule, or with no date but the expiry, nothing is exercised.
                (1..own).contains(&nearest)
                    && self.exercises(
                        nearest,
                        spot[date][lane].into_f64(),
                        variance[date][lane].into_f64(),
                    )
            });
            let end = exercised.unwrap_or(steps);
            let pays = self.kind.payoff(spot[end][lane].into_f64(), self.strike);
            out.payments[end - 1][lane] = R::of(pays);
            out.end[0][lane] = R::of(end as f64);
        }
    }
}
