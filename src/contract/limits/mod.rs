//! Limits that positions and trades must keep.

mod bounds;
mod graph;
mod smooth;
#[cfg(test)]
mod tests;

pub use bounds::Limit;
pub use graph::Beside;

use crate::simd::{BLOCK, Lane, Real};
use smooth::{Stairs, share};

/// The limits of everything that is traded, in force on every date.
///
/// Targets x beside positions δ₋ that are held become the positions
///
/// δ_i = Q_i(f B_i(x_i, δ₋_i)),  f = min(1, c/Σ_j |B_j| P_j),
///
/// where B_i clips to the bounds of instrument i ([`Limit`]), f scales all positions back by the same share where their values at
/// the prices P together are more than c, and Q_i takes the nearest multiple of a lot within the bounds. Where c does not allow for
/// these multiples, the next ones towards 0 are held. So c comes before the bounds, and bounds of positions before those of trades: where
/// prices move against it, positions are reduced by as much as that takes.
///
/// What closes a hedge, at expiry or where the contract ends, is no target, and may be a larger trade.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The limits of every instrument; empty where nothing is limited.
    each: Vec<Limit>,
    /// The greatest value c of all positions together, long or short, in currency; ∞ for none.
    value: f64,
}

/// What positions of a date stand beside, in every instrument.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a, R> {
    /// The positions held from the date before.
    pub held: &'a [Lane<R>],
    /// The prices of the instruments.
    pub prices: &'a [Lane<R>],
}

/// The widths over which training sees limits as smooth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Widths {
    /// That of bounds, in units of the position, which for the value of all positions is a share of it.
    pub bounds: f64,
    /// That of the step from one lot to the next, in lots.
    pub lots: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            each: Vec::new(),
            value: f64::INFINITY,
        }
    }
}

impl Limits {
    /// The limits of every instrument, whose positions together are worth `value` at most; infinity for no such bound.
    pub fn new(each: Vec<Limit>, value: f64) -> Self {
        match value == f64::INFINITY && each.iter().all(Limit::is_none) {
            true => Self::default(),
            false => Self { each, value },
        }
    }

    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        self.each.is_empty()
    }

    /// The number of instruments that are limited: all or none.
    pub fn instruments(&self) -> usize {
        self.each.len()
    }

    /// Whether the value of all positions together has a bound.
    pub fn bounds_value(&self) -> bool {
        self.value < f64::INFINITY
    }

    /// Makes of the targets `positions` of a date, one for every instrument, what the limits allow beside `standing`.
    #[inline(always)]
    pub fn hold<R: Real>(&self, standing: Standing<'_, R>, positions: &mut [Lane<R>]) {
        for (index, limit) in self.each.iter().enumerate() {
            limit.clip(&standing.held[index], &mut positions[index]);
        }
        let bound = R::of(self.value);
        if self.bounds_value() {
            let load = load(positions, standing.prices);
            for position in positions.iter_mut() {
                for lane in 0..BLOCK {
                    if load[lane] > bound {
                        position[lane] *= bound / load[lane];
                    }
                }
            }
        }
        if self.each.iter().all(|limit| limit.lot == 0.0) {
            return;
        }
        let scaled = positions.to_vec();
        for (index, limit) in self.each.iter().enumerate() {
            limit.round_to_lots(&standing.held[index], &mut positions[index]);
        }
        if self.bounds_value() {
            let load = load(positions, standing.prices);
            let bound = bound * R::of(1.0 + bounds::ROUNDING);
            for (index, limit) in self.each.iter().enumerate() {
                for lane in 0..BLOCK {
                    if load[lane] > bound {
                        positions[index][lane] = limit.towards_zero(scaled[index][lane]);
                    }
                }
            }
        }
    }

    /// Makes of the targets `positions` of instrument `index` what its own bounds and lots allow beside the positions `held`, whatever
    /// the value of all positions together.
    ///
    /// [`Self::hold`] changes no position that was made so, but by the share f of all positions.
    pub fn hold_alone<R: Real>(&self, index: usize, held: &Lane<R>, positions: &mut Lane<R>) {
        if let Some(limit) = self.each.get(index) {
            limit.clip(held, positions);
            limit.round_to_lots(held, positions);
        }
    }

    /// What training takes for [`Self::hold`]: bounds and steps from lot to lot are smooth over `widths`.
    ///
    /// It tends to the hard limits as the widths fall, and where no limit is near it changes no bit of a target.
    #[inline(always)]
    pub fn hold_smoothly<R: Real, const FMA: bool>(
        &self,
        standing: Standing<'_, R>,
        widths: Widths,
        positions: &mut [Lane<R>],
    ) {
        for (index, limit) in self.each.iter().enumerate() {
            let held = &standing.held[index];
            limit.clip_smoothly::<R, FMA>(held, widths.bounds, &mut positions[index]);
        }
        if self.bounds_value() {
            let load = load(positions, standing.prices);
            let (share, _) = share::<R, FMA>(&load, self.value, widths.bounds);
            for position in positions.iter_mut() {
                for lane in 0..BLOCK {
                    position[lane] *= share[lane];
                }
            }
        }
        for (limit, position) in self.each.iter().zip(positions) {
            if limit.lot > 0.0 {
                Stairs::new(limit.lot, widths.lots).climb::<R, FMA>(position);
            }
        }
    }

    /// The way back through [`Self::hold_smoothly`]: turns the derivatives `totals` in the positions into those in the `targets`, and
    /// writes those in the positions held to `by_held`. `targets` are overwritten.
    #[inline(always)]
    pub fn pull_back<R: Real, const FMA: bool>(
        &self,
        standing: Standing<'_, R>,
        widths: Widths,
        targets: &[Lane<R>],
        clipped: &mut [Lane<R>],
        (totals, by_held): (&mut [Lane<R>], &mut [Lane<R>]),
    ) {
        clipped.copy_from_slice(targets);
        for (index, limit) in self.each.iter().enumerate() {
            let held = &standing.held[index];
            limit.clip_smoothly::<R, FMA>(held, widths.bounds, &mut clipped[index]);
        }
        let bound = self.bounds_value().then(|| {
            let load = load(clipped, standing.prices);
            share::<R, FMA>(&load, self.value, widths.bounds)
        });
        for (index, limit) in self.each.iter().enumerate() {
            if limit.lot > 0.0 {
                let mut scaled = clipped[index];
                if let Some((share, _)) = &bound {
                    for lane in 0..BLOCK {
                        scaled[lane] *= share[lane];
                    }
                }
                Stairs::new(limit.lot, widths.lots).through::<R, FMA>(&scaled, &mut totals[index]);
            }
        }
        if let Some((share, by_load)) = &bound {
            let mut through_load = [R::ZERO; BLOCK];
            for (total, clipped) in totals.iter().zip(clipped.iter()) {
                for lane in 0..BLOCK {
                    through_load[lane] += total[lane] * clipped[lane];
                }
            }
            for (index, total) in totals.iter_mut().enumerate() {
                let (price, clipped) = (&standing.prices[index], &clipped[index]);
                for lane in 0..BLOCK {
                    let price = price[lane].abs();
                    let load = if clipped[lane] < R::ZERO {
                        -price
                    } else {
                        price
                    };
                    total[lane] =
                        share[lane] * total[lane] + through_load[lane] * by_load[lane] * load;
                }
            }
        }
        for (index, limit) in self.each.iter().enumerate() {
            let (held, target) = (&standing.held[index], &targets[index]);
            by_held[index] =
                limit.through::<R, FMA>((held, target), widths.bounds, &mut totals[index]);
        }
    }
}

/// Σ_i |δ_i| P_i, the value of positions long and short.
#[inline(always)]
fn load<R: Real>(positions: &[Lane<R>], prices: &[Lane<R>]) -> Lane<R> {
    let mut load = [R::ZERO; BLOCK];
    for (position, price) in positions.iter().zip(prices) {
        for lane in 0..BLOCK {
            load[lane] += (position[lane] * price[lane]).abs();
        }
    }
    load
}
