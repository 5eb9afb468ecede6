//! What a date takes from itself and the dates before it, in every head: forward and backward, lane by lane.

use super::GATES;
use crate::simd::{BLOCK, Dates, Lane, Lanes, Real, multiply_add};

/// The weights p_{t,s} of all pairs of dates s ≤ t and all heads, and what comes to keys and values of a date from later ones.
pub struct Lookback<R> {
    heads: usize,
    /// `[t][head][s]`, t + 1 dates s for date t.
    weights: Lanes<R>,
    /// ∂z/∂(k, v) of unit j in rows 2j and 2j + 1.
    from_later: Dates<R>,
    /// ∂z/∂p_{t,s} of one date and head.
    by_weight: Lanes<R>,
}

impl<R: Real> Lookback<R> {
    /// For `heads` heads of `hidden` units in all, and `steps` dates.
    pub fn new(heads: usize, hidden: usize, steps: usize) -> Self {
        Self {
            heads,
            weights: Lanes::zeros(heads * first(steps)),
            from_later: Dates::zeros(steps, 2 * hidden),
            by_weight: Lanes::zeros(steps),
        }
    }

    /// Forgets what came from later dates.
    pub fn turn(&mut self) {
        for t in 0..self.from_later.count() {
            self.from_later.at_mut(t).fill([R::ZERO; BLOCK]);
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
        let weights = &mut self.weights[self.heads * first(t)..][..self.heads * (t + 1)];
        let heads = weights
            .chunks_exact_mut(t + 1)
            .zip(attended.chunks_exact_mut(size));
        for (head, (weights, attended)) in heads.enumerate() {
            let row = |unit: usize| GATES * (head * size + unit);
            let now = triples.at(t);
            for (s, weight) in weights.iter_mut().enumerate() {
                let then = triples.at(s);
                let mut sum = [R::ZERO; BLOCK];
                for unit in 0..size {
                    let (query, key) = (&now[row(unit)], &then[row(unit) + 1]);
                    for lane in 0..BLOCK {
                        sum[lane] = multiply_add::<R, FMA>(query[lane], key[lane], sum[lane]);
                    }
                }
                *weight = sum.map(|sum| sum * share);
            }
            normalise_weights::<R, FMA>(weights);
            for (unit, out) in attended.iter_mut().enumerate() {
                let mut sum = [R::ZERO; BLOCK];
                for (s, weight) in weights.iter().enumerate() {
                    let value = &triples.at(s)[row(unit) + 2];
                    for lane in 0..BLOCK {
                        sum[lane] = multiply_add::<R, FMA>(weight[lane], value[lane], sum[lane]);
                    }
                }
                *out = sum;
            }
        }
    }

    /// Turns (q, k, v) of date `t` into their derivatives, whose keys and values later dates have said all of, and adds to those of
    /// earlier dates; `above` is ∂z/∂o_t and `attended` o_t.
    ///
    /// With e_s = ∂z/∂o_t · v_s = ∂z/∂p_{t,s} and ε = Σ_s p_{t,s} e_s = ∂z/∂o_t · o_t, the score of s has the derivative
    /// p_{t,s}(e_s − ε).
    #[inline(always)]
    pub fn differentiate<const FMA: bool>(
        &mut self,
        t: usize,
        triples: &mut Dates<R>,
        attended: &[Lane<R>],
        above: &[Lane<R>],
    ) {
        let size = attended.len() / self.heads;
        let share = R::of(1.0 / (size as f64).sqrt());
        let weights = &self.weights[self.heads * first(t)..][..self.heads * (t + 1)];
        for (head, weights) in weights.chunks_exact(t + 1).enumerate() {
            let units = head * size..(head + 1) * size;
            let mut mean = [R::ZERO; BLOCK];
            for unit in units.clone() {
                for lane in 0..BLOCK {
                    let (above, attended) = (above[unit][lane], attended[unit][lane]);
                    mean[lane] = multiply_add::<R, FMA>(above, attended, mean[lane]);
                }
            }
            for (s, weight) in weights.iter().enumerate() {
                let then = triples.at(s);
                let mut sum = [R::ZERO; BLOCK];
                for unit in units.clone() {
                    let (above, value) = (&above[unit], &then[GATES * unit + 2]);
                    for lane in 0..BLOCK {
                        sum[lane] = multiply_add::<R, FMA>(above[lane], value[lane], sum[lane]);
                    }
                }
                let score = &mut self.by_weight[s];
                for lane in 0..BLOCK {
                    score[lane] = weight[lane] * (sum[lane] - mean[lane]) * share;
                }
            }
            for (s, weight) in weights.iter().enumerate() {
                let (score, later) = (self.by_weight[s], self.from_later.at_mut(s));
                let now = triples.at(t);
                for unit in units.clone() {
                    let (query, above) = (&now[GATES * unit], &above[unit]);
                    for lane in 0..BLOCK {
                        let key = later[2 * unit][lane];
                        later[2 * unit][lane] =
                            multiply_add::<R, FMA>(score[lane], query[lane], key);
                    }
                    for lane in 0..BLOCK {
                        let value = later[2 * unit + 1][lane];
                        later[2 * unit + 1][lane] =
                            multiply_add::<R, FMA>(weight[lane], above[lane], value);
                    }
                }
            }
            for unit in units {
                let mut sum = [R::ZERO; BLOCK];
                for s in 0..=t {
                    let (score, key) = (&self.by_weight[s], &triples.at(s)[GATES * unit + 1]);
                    for lane in 0..BLOCK {
                        sum[lane] = multiply_add::<R, FMA>(score[lane], key[lane], sum[lane]);
                    }
                }
                let (now, later) = (triples.at_mut(t), self.from_later.at(t));
                now[GATES * unit] = sum;
                now[GATES * unit + 1] = later[2 * unit];
                now[GATES * unit + 2] = later[2 * unit + 1];
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
