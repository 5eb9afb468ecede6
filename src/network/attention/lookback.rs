//! What a date takes from itself and the dates before it, in every head: forward and backward, lane by lane.

use super::GATES;
use crate::simd::{BLOCK, Dates, Lane, Lanes, Real, multiply_add};

/// The weights p_{t,s} of all pairs of dates s ≤ t and all heads, and what the way back keeps of later dates for earlier ones.
pub struct Lookback<R> {
    heads: usize,
    /// `[t][head][s]`, t + 1 dates s for date t; without the way back those of one date t at a time.
    weights: Lanes<R>,
    /// The derivatives in the scores q_t · k_s, with the same places.
    by_score: Lanes<R>,
    /// What date t asks and is told to change: q and ∂z/∂o of unit j in rows 2j and 2j + 1.
    asked: Dates<R>,
}

impl<R: Real> Lookback<R> {
    /// For `heads` heads of `hidden` units in all, and `steps` dates; without the way `back` nothing is kept for it.
    pub fn new(heads: usize, hidden: usize, steps: usize, back: bool) -> Self {
        let dates = if back { steps } else { 0 };
        Self {
            heads,
            weights: Lanes::zeros(heads * if back { first(steps) } else { steps }),
            by_score: Lanes::zeros(heads * first(dates)),
            asked: Dates::zeros(dates, 2 * hidden),
        }
    }

    /// Σ_{s ≤ t} p_{t,s} v_s for every unit of `attended`. `triples` holds (q, k, v) of unit j in rows 3j, 3j + 1 and 3j + 2.
    #[inline(always)]
    pub fn attend<const FMA: bool>(
        &mut self,
        t: usize,
        triples: &Dates<R>,
        attended: &mut [Lane<R>],
    ) {
        let size = attended.len() / self.heads;
        let share = R::of(1.0 / (size as f64).sqrt());
        let back = !self.by_score.is_empty();
        let place = if back { self.heads * first(t) } else { 0 };
        let weights = &mut self.weights[place..][..self.heads * (t + 1)];
        let heads = weights
            .chunks_exact_mut(t + 1)
            .zip(attended.chunks_exact_mut(size));
        for (head, (weights, attended)) in heads.enumerate() {
            let row = |unit: usize| GATES * (head * size + unit);
            let now = triples.at(t);
            inner_products::<R, FMA>(
                size,
                |unit| &now[row(unit)],
                |unit, s| &triples.at(s)[row(unit) + 1],
                weights,
            );
            for weight in weights.iter_mut() {
                *weight = weight.map(|sum| sum * share);
            }
            normalise_weights::<R, FMA>(weights);
            inner_products::<R, FMA>(
                t + 1,
                |s| &weights[s],
                |s, unit| &triples.at(s)[row(unit) + 2],
                attended,
            );
        }
    }

    /// Turns (q, k, v) of date `t` into their derivatives, once all later dates have been turned; `above` is ∂z/∂o_t and `attended` o_t.
    ///
    /// With e_s = ∂z/∂o_t · v_s = ∂z/∂p_{t,s} and ε = Σ_s p_{t,s} e_s = ∂z/∂o_t · o_t, the score of s has the derivative
    /// d_{t,s} = p_{t,s}(e_s − ε), and
    ///
    /// ∂z/∂q_t = Σ_{s ≤ t} d_{t,s} k_s,  ∂z/∂k_t = Σ_{r ≥ t} d_{r,t} q_r,  ∂z/∂v_t = Σ_{r ≥ t} p_{r,t} ∂z/∂o_r.
    #[inline(always)]
    pub fn differentiate<const FMA: bool>(
        &mut self,
        t: usize,
        triples: &mut Dates<R>,
        attended: &[Lane<R>],
        above: &[Lane<R>],
    ) {
        let Self {
            heads,
            weights,
            by_score,
            asked,
        } = self;
        let size = attended.len() / *heads;
        let share = R::of(1.0 / (size as f64).sqrt());
        let (now, ask) = (triples.at(t), asked.at_mut(t));
        for (unit, above) in above.iter().enumerate() {
            ask[2 * unit] = now[GATES * unit];
            ask[2 * unit + 1] = *above;
        }
        let later = asked.count() - t;
        for head in 0..*heads {
            // The place of the pair of a date r ≥ s and s.
            let pair = |r: usize, s: usize| *heads * first(r) + head * (r + 1) + s;
            let units = head * size..(head + 1) * size;
            let mut mean = [R::ZERO; BLOCK];
            for unit in units.clone() {
                for lane in 0..BLOCK {
                    let (above, attended) = (above[unit][lane], attended[unit][lane]);
                    mean[lane] = multiply_add::<R, FMA>(above, attended, mean[lane]);
                }
            }
            let first_unit = units.start;
            let scores = &mut by_score[pair(t, 0)..][..t + 1];
            inner_products::<R, FMA>(
                size,
                |unit| &above[first_unit + unit],
                |unit, s| &triples.at(s)[GATES * (first_unit + unit) + 2],
                scores,
            );
            for (score, weight) in scores.iter_mut().zip(&weights[pair(t, 0)..]) {
                for lane in 0..BLOCK {
                    score[lane] = weight[lane] * (score[lane] - mean[lane]) * share;
                }
            }
            for group in units.step_by(TILE) {
                let count = TILE.min((head + 1) * size - group);
                let [mut queries, mut keys, mut values] = [[[R::ZERO; BLOCK]; TILE]; 3];
                inner_products::<R, FMA>(
                    t + 1,
                    |s| &by_score[pair(t, s)],
                    |s, unit| &triples.at(s)[GATES * (group + unit) + 1],
                    &mut queries[..count],
                );
                // From the last date to this one.
                let last = t + later - 1;
                inner_products::<R, FMA>(
                    later,
                    |back| &by_score[pair(last - back, t)],
                    |back, unit| &asked.at(last - back)[2 * (group + unit)],
                    &mut keys[..count],
                );
                inner_products::<R, FMA>(
                    later,
                    |back| &weights[pair(last - back, t)],
                    |back, unit| &asked.at(last - back)[2 * (group + unit) + 1],
                    &mut values[..count],
                );
                let now = &mut triples.at_mut(t)[GATES * group..];
                for unit in 0..count {
                    now[GATES * unit] = queries[unit];
                    now[GATES * unit + 1] = keys[unit];
                    now[GATES * unit + 2] = values[unit];
                }
            }
        }
    }
}

/// Sums that are kept in registers at once.
const TILE: usize = 4;

/// Half of a lane, which four sums of fit in the registers of every instruction set.
const HALF: usize = BLOCK / 2;

/// `sums[i] = Σ_k shared(k) ∘ own(k, i)` over `count` numbers k, lane by lane and in their order.
#[inline(always)]
fn inner_products<'a, R: Real, const FMA: bool>(
    count: usize,
    shared: impl Fn(usize) -> &'a Lane<R>,
    own: impl Fn(usize, usize) -> &'a Lane<R>,
    sums: &mut [Lane<R>],
) {
    for (tile, out) in sums.chunks_mut(TILE).enumerate() {
        // Sums past the last repeat it and are not kept.
        let index: [usize; TILE] = std::array::from_fn(|i| TILE * tile + i.min(out.len() - 1));
        for half in 0..2 {
            let part = |lane: &Lane<R>| -> [R; HALF] { lane.as_chunks().0[half] };
            let mut sums = [[R::ZERO; HALF]; TILE];
            for k in 0..count {
                let shared = part(shared(k));
                for i in 0..TILE {
                    let own = part(own(k, index[i]));
                    for lane in 0..HALF {
                        sums[i][lane] =
                            multiply_add::<R, FMA>(shared[lane], own[lane], sums[i][lane]);
                    }
                }
            }
            for (out, sum) in out.iter_mut().zip(&sums) {
                out[HALF * half..][..HALF].copy_from_slice(sum);
            }
        }
    }
}

/// The number of pairs of dates before date `t`.
fn first(t: usize) -> usize {
    t * (t + 1) / 2
}

/// Turns scores into weights that sum to 1, in proportion to their exponentials.
#[inline(always)]
fn normalise_weights<R: Real, const FMA: bool>(weights: &mut [Lane<R>]) {
    let mut most = weights[0];
    for weight in weights.iter() {
        for lane in 0..BLOCK {
            most[lane] = most[lane].greater(weight[lane]);
        }
    }
    let mut sum = [R::ZERO; BLOCK];
    for weight in weights.iter_mut() {
        for lane in 0..BLOCK {
            weight[lane] = (weight[lane] - most[lane]).exp::<FMA>();
            sum[lane] += weight[lane];
        }
    }
    let share = sum.map(|sum| R::ONE / sum);
    for weight in weights.iter_mut() {
        for lane in 0..BLOCK {
            weight[lane] *= share[lane];
        }
    }
}
