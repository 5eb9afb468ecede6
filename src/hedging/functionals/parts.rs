//! The parts of the functionals of a block, each of which writes rows of its own.

use super::write::{Room, add};
use super::{BANDS, Functionals, HELD};
use crate::contract::OptionKind;
use crate::market::{PathBlock, until};
use crate::simd::{BLOCK, Lane, Real, sigmoid};

/// The slope at which a logistic function is nearest to the normal distribution.
const LOGISTIC: f64 = 1.702;
/// The least variance that deltas know.
const LEAST_VARIANCE: f64 = 1e-6;
/// How many deviations running quantities are seen from their means.
const FARTHEST: f64 = 4.0;
/// What the averages of N′ keep of the past over a period.
const KEPT: [f64; 2] = [0.6, 0.9];

impl Functionals {
    /// What the contract pays, in money of its expiry.
    #[inline(always)]
    pub(super) fn payments<R: Real>(&self, block: &PathBlock<'_, R>) -> Lane<R> {
        let mut sum = [R::ZERO; BLOCK];
        for (due, payment) in self.ledger.due().iter().zip(block.payments()) {
            let growth = R::of(self.ledger.growth(*due));
            for lane in 0..BLOCK {
                sum[lane] += payment[lane] * growth;
            }
        }
        sum
    }

    #[inline(always)]
    pub(super) fn in_units<R: Real>(&self, money: &Lane<R>) -> Lane<R> {
        let share = R::of(1.0 / self.unit);
        let mut units = *money;
        for lane in 0..BLOCK {
            units[lane] *= share;
        }
        units
    }

    /// The financed gain of one unit of an instrument over period `t`, nothing once the contract has ended.
    #[inline(always)]
    pub(super) fn gain<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        instrument: usize,
        t: usize,
    ) -> Lane<R> {
        let gain = self.ledger.unit_gain(block, instrument, t);
        until(block.end(), t, gain)
    }

    /// ln(S_t/K) of an asset; K is that of the path where it drew one.
    #[inline(always)]
    pub(super) fn log_moneyness<R: Real, const FMA: bool>(
        &self,
        block: &PathBlock<'_, R>,
        asset: usize,
        t: usize,
        strike: Option<f64>,
    ) -> Lane<R> {
        let spot = &block.spot_of(asset)[t];
        let mut moneyness = [R::ZERO; BLOCK];
        match block.drawn().filter(|_| asset == 0 && strike.is_none()) {
            Some(drawn) => {
                for lane in 0..BLOCK {
                    moneyness[lane] = (spot[lane] / drawn.strike[lane]).ln::<FMA>();
                }
            }
            None => {
                let inverse = R::of(1.0 / strike.unwrap_or(self.scales[asset].spot));
                for lane in 0..BLOCK {
                    moneyness[lane] = (spot[lane] * inverse).ln::<FMA>();
                }
            }
        }
        moneyness
    }

    /// N′ of an asset at date `t`, at another strike than its own if that is given.
    #[inline(always)]
    pub(super) fn delta<R: Real, const FMA: bool>(
        &self,
        block: &PathBlock<'_, R>,
        asset: usize,
        t: usize,
        strike: Option<f64>,
    ) -> Lane<R> {
        let moneyness = self.log_moneyness::<R, FMA>(block, asset, t, strike);
        let left = block.years_left(t, self.period);
        let variance = &block.variance_of(asset)[t];
        let mut delta = [R::ZERO; BLOCK];
        let usual = R::of(self.scales[asset].volatility.powi(2));
        for lane in 0..BLOCK {
            let variance = R::HALF * (variance[lane] + usual);
            delta[lane] = normal::<R, FMA>(moneyness[lane], deviation(variance * left[lane]));
        }
        delta
    }

    /// What the path of an asset is like, whatever is sold.
    #[inline(always)]
    pub(super) fn of_path<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        asset: usize,
        room: &Room<R>,
        out: &mut [Lane<R>],
    ) {
        let (steps, zero) = (block.steps(), [R::ZERO; BLOCK]);
        let (x, variances) = (&room.moneyness, block.variance_of(asset));
        let deltas = &room.deltas[asset * steps..][..steps];
        let (mut highest, mut lowest) = (x[0], x[0]);
        let [mut squares, mut near, mut moves] = [zero; 3];
        let mut sum = variances[0];
        for t in 0..steps {
            for lane in 0..BLOCK {
                let change = x[t + 1][lane] - x[t][lane];
                let (square, delta) = (change * change, deltas[t][lane]);
                squares[lane] += square;
                near[lane] += square * delta * (R::ONE - delta);
                moves[lane] += change.abs();
                highest[lane] = highest[lane].greater(x[t + 1][lane]);
                lowest[lane] = lowest[lane].lesser(x[t + 1][lane]);
                sum[lane] += variances[t + 1][lane];
            }
        }
        let volatility = self.scales[asset].volatility;
        let deviation = volatility * (self.period * steps as f64).sqrt();
        let share = R::of(1.0 / deviation);
        let square = share * share;
        let per_move = R::of(1.0 / (deviation * (steps as f64).sqrt()));
        let per_variance = R::of(volatility.powi(-2));
        let per_date = R::of(volatility.powi(-2) / (steps + 1) as f64);
        for lane in 0..BLOCK {
            let end = x[steps][lane] * share;
            let realised = squares[lane] * square;
            let row = [
                end,
                end * end,
                end.abs(),
                highest[lane] * share,
                lowest[lane] * share,
                realised,
                realised.sqrt(),
                moves[lane] * per_move,
                near[lane] * square * R::of(4.0),
                sum[lane] * per_date,
                variances[0][lane] * per_variance,
                variances[steps][lane] * per_variance,
            ];
            for (out, value) in out.iter_mut().zip(row) {
                out[lane] = value;
            }
        }
    }

    /// Gains of what is held in the instruments on an asset, `[instruments][HELD]`, and the positions of hedges with bands.
    #[inline(always)]
    pub(super) fn of_hedges<R: Real, const FMA: bool>(
        &self,
        block: &PathBlock<'_, R>,
        asset: usize,
        room: &mut Room<R>,
        gains: &mut [Lane<R>],
    ) {
        let (steps, traded) = (block.steps(), self.instruments.len());
        let usual = R::of(self.scales[asset].volatility.powi(2));
        let mut averages = [[R::ZERO; BLOCK]; 2];
        let mut held = [[R::ZERO; BLOCK]; HELD];
        let mut banded = [[R::ZERO; BLOCK]; BANDS];
        for t in 0..steps {
            let moneyness = &room.moneyness[t];
            let left = block.years_left(t, self.period);
            let variance = &block.variance_of(asset)[t];
            let share = R::of((steps - t) as f64 / steps as f64);
            let root = R::of(std::f64::consts::SQRT_2);
            for lane in 0..BLOCK {
                let (l, now) = (moneyness[lane], variance[lane]);
                let mixed = deviation(R::HALF * (now + usual) * left[lane]);
                let delta = normal::<R, FMA>(l, deviation(now * left[lane]));
                let usual = normal::<R, FMA>(l, mixed);
                let wide = normal::<R, FMA>(l, mixed * root);
                held[0][lane] = R::ONE;
                held[1][lane] = delta;
                held[2][lane] = usual;
                held[3][lane] = wide;
                held[4][lane] = delta * delta;
                held[5][lane] = delta * share;
                held[6][lane] = usual * (R::ONE - usual);
            }
            room.deltas[asset * steps + t] = held[2];
            for (place, (average, kept)) in averages.iter_mut().zip(KEPT).enumerate() {
                let kept = if t == 0 { 0.0 } else { kept };
                let (kept, new) = (R::of(kept), R::of(1.0 - kept));
                for lane in 0..BLOCK {
                    average[lane] = kept * average[lane] + new * held[2][lane];
                }
                held[HELD - 2 + place] = *average;
            }
            for (place, instrument) in self.instruments.iter().enumerate() {
                if instrument.asset() != asset {
                    continue;
                }
                let gain = self.in_units(&self.gain(block, place, t));
                let rows = &mut gains[place * HELD..][..HELD];
                for (row, held) in rows.iter_mut().zip(&held) {
                    add(row, held, &gain);
                }
            }
            let spot = self.spots().find(|(_, of)| *of == asset);
            let Some((place, _)) = spot else { continue };
            let centre = self.centre::<R, FMA>(block, asset, t, &held[2]);
            for (band, (position, half)) in banded.iter_mut().zip(self.bands[asset]).enumerate() {
                let half = R::of(half);
                for lane in 0..BLOCK {
                    let (low, high) = (centre[lane] - half, centre[lane] + half);
                    position[lane] = position[lane].greater(low).lesser(high);
                }
                room.positions[(band * steps + t) * traded + place] = *position;
            }
        }
    }

    /// What the bands of an asset are around: the deltas of calls and puts, or N′.
    #[inline(always)]
    pub(super) fn centre<R: Real, const FMA: bool>(
        &self,
        block: &PathBlock<'_, R>,
        asset: usize,
        t: usize,
        delta: &Lane<R>,
    ) -> Lane<R> {
        if asset != 0 || self.legs.is_empty() {
            return *delta;
        }
        let mut sum = [R::ZERO; BLOCK];
        for leg in &self.legs {
            let one = if leg.strike == self.scales[0].spot {
                *delta
            } else {
                self.delta::<R, FMA>(block, 0, t, Some(leg.strike))
            };
            let off = match leg.kind {
                OptionKind::Call => R::ZERO,
                OptionKind::Put => R::ONE,
            };
            let quantity = R::of(leg.quantity);
            for lane in 0..BLOCK {
                sum[lane] += quantity * (one[lane] - off);
            }
        }
        sum
    }

    /// A running quantity at the end, and the gains of holding it and it times N′ in every asset that is traded.
    #[inline(always)]
    pub(super) fn of_state<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        accumulator: usize,
        deltas: &[Lane<R>],
        rows: &mut [Lane<R>],
    ) {
        let (steps, values) = (block.steps(), block.state(accumulator));
        let standard = &self.state[accumulator];
        let (mean, share) = (R::of(standard.mean), R::of(1.0 / standard.deviation));
        let (low, high) = (R::of(-FARTHEST), R::of(FARTHEST));
        let (end, gains) = rows.split_at_mut(1);
        for t in 0..=steps {
            let mut scaled = values[t];
            for lane in 0..BLOCK {
                scaled[lane] = ((scaled[lane] - mean) * share).greater(low).lesser(high);
            }
            if t == steps {
                end[0] = scaled;
                break;
            }
            for ((place, asset), rows) in self.spots().zip(gains.chunks_exact_mut(2)) {
                let gain = self.in_units(&self.gain(block, place, t));
                let mut product = scaled;
                add_product(&mut product, &deltas[asset * steps + t]);
                add(&mut rows[0], &scaled, &gain);
                add(&mut rows[1], &product, &gain);
            }
        }
    }

    /// Costs and gains of positions, as the ledger settles them.
    #[inline(always)]
    pub(super) fn settled<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        (positions, payments): (&[Lane<R>], &Lane<R>),
        rows: &mut [Lane<R>],
    ) {
        let settled = self.ledger.settle(block, positions);
        let mut gain = [R::ZERO; BLOCK];
        for lane in 0..BLOCK {
            gain[lane] = settled.pnl[lane] + settled.cost[lane] + payments[lane];
        }
        rows[0] = self.in_units(&settled.cost);
        rows[1] = self.in_units(&gain);
    }
}

/// `a *= b`
#[inline(always)]
fn add_product<R: Real>(a: &mut Lane<R>, b: &Lane<R>) {
    for lane in 0..BLOCK {
        a[lane] *= b[lane];
    }
}

/// The root of a variance until expiry.
#[inline(always)]
fn deviation<R: Real>(variance: R) -> R {
    variance.greater(R::of(LEAST_VARIANCE)).sqrt()
}

/// Φ(l/w + w/2) with w the deviation until expiry, by the logistic function.
#[inline(always)]
fn normal<R: Real, const FMA: bool>(moneyness: R, deviation: R) -> R {
    let score = moneyness / deviation + R::HALF * deviation;
    sigmoid::<R, FMA>(R::of(LOGISTIC) * score)
}
