//! From centres and what is held to positions.

use super::ClassicalPolicy;
use super::centre::Targets;
use super::parameter::{HedgeValues, Parameter};
use super::rule::{TradingRuleKind, Wanted, Wants};
use crate::contract::{Charge, Cost, Instrument, Standing};
use crate::market::{PathBlock, Quoted};
use crate::simd::{BLOCK, Lane};

/// One instrument on all dates of a block, as it is moved.
struct Moved<'a> {
    /// Its place among the instruments.
    place: usize,
    is_spot: bool,
    rule: &'static dyn TradingRuleKind,
    values: HedgeValues,
    /// What the centre is multiplied by.
    share: f64,
    charge: Charge,
    prices: &'a [Lane<f64>],
    quoted: Quoted<'a, f64>,
}

impl ClassicalPolicy<'_> {
    /// What is held of every instrument on every date of the targets of a block, where `held` is held before, `[instruments][BLOCK]`.
    ///
    /// On each date what is no spot is moved first, as its rule asks. Where the centre knows how options move with the spot, the centre
    /// of the spot is then what options that are really held leave of it: k δ − Σ_j q_j Δ_j, with k the scale, δ the position in the spot of
    /// who holds no options, q_j what is held of option j and Δ_j its delta. So a band around the options leaves no delta unhedged.
    ///
    /// What an option's own bounds and lots allow of it is known before the spot is moved; a bound on the value of all positions then
    /// scales options and spot back by one share, so that the spot still hedges the same part of what it hedged.
    pub(super) fn rebalanced(
        &self,
        targets: &Targets,
        data: &PathBlock<'_, f64>,
        mut held: Vec<Lane<f64>>,
    ) -> Vec<Lane<f64>> {
        let count = targets.instruments;
        let mut positions = Vec::with_capacity(targets.positions.len());
        let moved: Vec<Moved<'_>> = (0..count).map(|place| self.moved(place, data)).collect();
        let (spots, others): (Vec<&Moved<'_>>, Vec<&Moved<'_>>) =
            moved.iter().partition(|moved| moved.is_spot);
        let nets = !targets.option_deltas.is_empty();
        for t in targets.dates.clone() {
            let before = held.clone();
            for moved in &others {
                self.step(moved, targets, t, &[0.0; BLOCK], &mut held);
            }
            let mut by_options = [0.0; BLOCK];
            if nets {
                for moved in &others {
                    let place = moved.place;
                    (self.limits).hold_alone(place, &before[place], &mut held[place]);
                    let deltas = &targets.option_deltas[targets.row(t) + moved.place];
                    for lane in 0..BLOCK {
                        by_options[lane] += held[moved.place][lane] * deltas[lane];
                    }
                }
            }
            for moved in &spots {
                let nothing = [0.0; BLOCK];
                let by_options = match moved.place {
                    0 => &by_options,
                    _ => &nothing,
                };
                self.step(moved, targets, t, by_options, &mut held);
            }
            self.keep_limits((t, targets, data), &before, &mut held);
            positions.extend_from_slice(&held);
        }
        positions
    }

    fn moved<'a>(&self, place: usize, data: &PathBlock<'a, f64>) -> Moved<'a> {
        let is_spot = matches!(data.instruments()[place], Instrument::Spot(_));
        let own = self.hedge.option_rule.filter(|_| !is_spot);
        // The scale is that of the delta where options are netted off it; where they are not, of all positions alike.
        let (rule, values) = match own {
            Some(rule) => (rule, self.values.of_options()),
            None => (self.hedge.rule, self.values),
        };
        let share = match own {
            Some(_) => Parameter::Ratio,
            None => Parameter::Scale,
        };
        Moved {
            place,
            is_spot,
            rule: rule.kind(),
            values,
            share: self.values.of(share),
            charge: self.charges.get(place).copied().unwrap_or_default(),
            prices: data.price(place),
            quoted: data.quoted(place),
        }
    }

    /// Moves one instrument on date `t`; `by_options` is the part of its centre that options held already have.
    fn step(
        &self,
        moved: &Moved<'_>,
        targets: &Targets,
        t: usize,
        by_options: &Lane<f64>,
        held: &mut [Lane<f64>],
    ) {
        let place = targets.row(t) + moved.place;
        let date = t - targets.dates.start;
        let Wants {
            gammas,
            volatilities,
        } = moved.rule.wants();
        for (lane, held) in held[moved.place].iter_mut().enumerate() {
            let mut wanted = Wanted {
                date: t,
                centre: moved.share * targets.positions[place][lane] - by_options[lane],
                left: targets.left[date][lane],
                price: moved.prices[t][lane],
                ..Wanted::default()
            };
            if gammas {
                let at = moved.quoted.at::<Charge>(t, lane);
                wanted.gamma = moved.share * targets.gammas[place][lane];
                wanted.discount = targets.discounts[date][lane];
                wanted.unit_cost = moved.charge.of_unit(&at);
            }
            if volatilities {
                wanted.volatility = targets.volatilities[place][lane];
            }
            *held = next_position(moved.rule, &moved.values, &wanted, *held);
        }
    }

    /// What limits allow of positions on date `t` beside those held before.
    fn keep_limits(
        &self,
        (t, targets, data): (usize, &Targets, &PathBlock<'_, f64>),
        before: &[Lane<f64>],
        held: &mut [Lane<f64>],
    ) {
        if self.limits.is_none() {
            return;
        }
        let prices = (0..held.len()).map(|instrument| data.price(instrument)[t]);
        let prices: Vec<Lane<f64>> = prices.collect();
        let standing = Standing {
            held: before,
            prices: &prices,
        };
        self.limits.hold(standing, held);
        let left = &targets.left[t - targets.dates.start];
        for (held, left) in held.iter_mut().flat_map(|held| held.iter_mut().zip(left)) {
            *held = if *left > 0.0 { *held } else { 0.0 };
        }
    }
}

/// The next position of one instrument beside what is `held`: the one place where a centre and a rule become a position. At the end of
/// the contract nothing is held, and where the centre is not a number, what is held stays.
fn next_position(
    rule: &dyn TradingRuleKind,
    values: &HedgeValues,
    wanted: &Wanted,
    held: f64,
) -> f64 {
    if wanted.left <= 0.0 {
        return 0.0;
    }
    match wanted.centre.is_nan() {
        true => held,
        false => rule.next(wanted, held, values),
    }
}
