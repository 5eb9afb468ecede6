//! Forwards and discount factors of expiries, by put–call parity.

use super::chain::OptionQuote;
use crate::contract::OptionKind;
use crate::numbers::median;

/// The forward of an expiry and what its payment is worth on the day.
///
/// # Units
/// The forward in the currency of the underlying, the rate per year of 365 days, continuously compounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forward {
    /// The forward.
    pub forward: f64,
    /// The worth of one unit of currency that is paid at expiry.
    pub discount: f64,
    /// The rate −ln(discount)/T.
    pub rate: f64,
    /// Strikes with call and put that say so; 0 where it is another expiry's or the file's own.
    pub pairs: usize,
}

/// A strike with call and put: what the call costs more, and how far that may be off.
#[derive(Debug, Clone, Copy)]
struct Pair {
    strike: f64,
    difference: f64,
    width: f64,
}

/// What the prices of one expiry say by themselves: `C − P = D (F − K)` as a line in the strike.
#[derive(Debug, Clone)]
pub struct Line {
    pairs: Vec<Pair>,
    /// What each pair counts, 0 for outliers.
    weights: Vec<f64>,
    rate: f64,
    /// The standard error of the rate.
    error: f64,
    years: f64,
}

/// Pairs that a line takes.
const LEAST_PAIRS: usize = 3;

/// The rates that are believed.
const MOST_RATE: f64 = 0.25;

/// The standard error at which a rate is as good as the mean of its day, and which rates of one day differ by anyway.
const RATE_SPREAD: f64 = 0.005;

impl Line {
    /// The line of an expiry `years` of 365 days away, whose quotes are sorted by strike: the median slope of all pairs of strikes
    /// (Theil and Sen), then least squares with Tukey's weights, which leave outliers out, each pair beside its own spread.
    ///
    /// Nothing with fewer than three strikes that have both options, or where the prices do not fall with the strike.
    pub fn of(quotes: &[OptionQuote], years: f64) -> Option<Self> {
        let pairs: Vec<Pair> = quotes
            .windows(2)
            .filter(|two| {
                // Calls sort before puts.
                two[0].strike == two[1].strike
                    && (two[0].kind, two[1].kind) == (OptionKind::Call, OptionKind::Put)
            })
            .map(|two| Pair {
                strike: two[0].strike,
                difference: two[0].mid() - two[1].mid(),
                width: two[0].half_spread() + two[1].half_spread(),
            })
            .filter(|pair| pair.difference.is_finite())
            .collect();
        if pairs.len() < LEAST_PAIRS {
            return None;
        }
        // Without a spread in the file, a price is good to its digits.
        let least = 1e-6 * pairs[pairs.len() / 2].strike;
        let pairs: Vec<Pair> = pairs
            .into_iter()
            .map(|pair| Pair {
                width: pair.width.max(least),
                ..pair
            })
            .collect();
        let (mut level, mut slope) = median_line(&pairs)?;
        let mut weights = vec![1.0; pairs.len()];
        let mut scale = 0.0;
        for _ in 0..ROUNDS {
            let off = |pair: &Pair| (pair.difference - level - slope * pair.strike) / pair.width;
            let size = median(pairs.iter().map(|pair| off(pair).abs()))?;
            scale = (TO_DEVIATION * size).max(1e-9);
            for (weight, pair) in weights.iter_mut().zip(&pairs) {
                let share = off(pair) / (TUKEY * scale);
                *weight = (1.0 - share * share).max(0.0).powi(2) / (pair.width * pair.width);
            }
            (level, slope) = least_squares(&pairs, &weights)?;
        }
        let discount = -slope;
        if !(discount > 0.0 && level > 0.0) {
            return None;
        }
        let total: f64 = weights.iter().sum();
        let weighted = pairs.iter().zip(&weights);
        let mean = weighted.clone().map(|(p, w)| w * p.strike).sum::<f64>() / total;
        let spread: f64 = weighted.map(|(p, w)| w * (p.strike - mean).powi(2)).sum();
        let rate = -discount.ln() / years;
        Some(Self {
            pairs,
            weights,
            rate,
            error: scale / spread.sqrt() / (discount * years),
            years,
        })
        .filter(|line| line.error.is_finite() && line.rate.is_finite())
    }

    /// The forward at a given rate: the mean of K + (C − P)/D over the pairs that are no outliers.
    fn at(&self, rate: f64) -> Forward {
        let discount = (-rate * self.years).exp();
        let weighted = self.pairs.iter().zip(&self.weights);
        let total: f64 = self.weights.iter().sum();
        let sum: f64 = weighted
            .map(|(pair, weight)| weight * (pair.strike + pair.difference / discount))
            .sum();
        Forward {
            forward: sum / total,
            discount,
            rate,
            pairs: self.weights.iter().filter(|weight| **weight > 0.0).count(),
        }
    }
}

/// Rounds of reweighting.
const ROUNDS: usize = 12;

/// Tukey's constant, at which least squares without outliers lose a twentieth of their precision.
const TUKEY: f64 = 4.685;

/// The standard deviation of a normal distribution over its median absolute value.
const TO_DEVIATION: f64 = 1.4826;

/// The median of the slopes between strikes, and the median level beside it.
fn median_line(pairs: &[Pair]) -> Option<(f64, f64)> {
    const MOST: usize = 60;
    let some: Vec<&Pair> = pairs.iter().step_by(pairs.len() / MOST + 1).collect();
    let mut slopes = Vec::new();
    for (place, a) in some.iter().enumerate() {
        for b in &some[place + 1..] {
            slopes.push((b.difference - a.difference) / (b.strike - a.strike));
        }
    }
    let slope = median(slopes)?;
    let level = median(pairs.iter().map(|p| p.difference - slope * p.strike))?;
    Some((level, slope))
}

fn least_squares(pairs: &[Pair], weights: &[f64]) -> Option<(f64, f64)> {
    let total: f64 = weights.iter().sum();
    let weighted = pairs.iter().zip(weights);
    let (x, y) = weighted.clone().fold((0.0, 0.0), |(x, y), (p, w)| {
        (x + w * p.strike / total, y + w * p.difference / total)
    });
    let (mut across, mut along) = (0.0, 0.0);
    for (pair, weight) in weighted {
        across += weight * (pair.strike - x).powi(2);
        along += weight * (pair.strike - x) * (pair.difference - y);
    }
    let slope = along / across;
    slope.is_finite().then_some((y - slope * x, slope))
}

/// The forwards of a day's expiries, by their lines.
///
/// The rate of a short expiry is hardly determined by prices alone: an error of its slope counts 1/T times. Each rate r with its standard
/// error s is drawn to the precision-weighted mean r̄ of the day, (r/s² + r̄/s₀²)/(1/s² + 1/s₀²) with s₀ of half a percentage point, and the
/// forward is that at the drawn rate. An expiry without a line has none here, and neither has one whose rate would be beyond ±25 %.
pub fn forwards(lines: &[Option<Line>]) -> Vec<Option<Forward>> {
    let precision = |line: &Line| line.error.max(1e-9).powi(-2);
    let believed = lines
        .iter()
        .flatten()
        .filter(|line| line.rate.abs() <= MOST_RATE);
    let total: f64 = believed.clone().map(precision).sum();
    let mean = believed
        .map(|line| precision(line) * line.rate)
        .sum::<f64>()
        / total;
    let prior = RATE_SPREAD.powi(-2);
    let of = |line: &Line| {
        let own = precision(line);
        let rate = (own * line.rate + prior * mean) / (own + prior);
        (rate.abs() <= MOST_RATE).then(|| line.at(rate))
    };
    lines
        .iter()
        .map(|line| line.as_ref().and_then(of))
        .collect()
}

/// The forward of an expiry `years` away that has no line: by the carry ln(F/S)/T and the rate of those that have, linear in time between two
/// and flat beyond; without any, by the file's own `rate` and `dividend` where it has them.
pub fn borrowed(
    known: &[(f64, Forward)],
    spot: f64,
    years: f64,
    (rate, dividend): (f64, f64),
) -> Option<Forward> {
    if spot.is_nan() || spot <= 0.0 {
        return None;
    }
    let own = |carry: f64, rate: f64| Forward {
        forward: spot * (carry * years).exp(),
        discount: (-rate * years).exp(),
        rate,
        pairs: 0,
    };
    let carry = |(years, of): &(f64, Forward)| (of.forward / spot).ln() / years;
    let after = known.partition_point(|(of, _)| *of < years);
    match (after.checked_sub(1).map(|at| &known[at]), known.get(after)) {
        (Some(a), Some(b)) => {
            let share = (years - a.0) / (b.0 - a.0);
            let mix = |x: f64, y: f64| x + share * (y - x);
            Some(own(mix(carry(a), carry(b)), mix(a.1.rate, b.1.rate)))
        }
        (Some(a), None) | (None, Some(a)) => Some(own(carry(a), a.1.rate)),
        (None, None) if rate.is_finite() => {
            let dividend = if dividend.is_finite() { dividend } else { 0.0 };
            Some(own(rate - dividend, rate))
        }
        (None, None) => None,
    }
}

/// The spot that the forwards of a day say where no file does: ln F over T, extrapolated to the day itself through the two nearest expiries.
pub fn spot(known: &[(f64, Forward)]) -> Option<f64> {
    match known {
        [] => None,
        [(years, one)] => Some(one.forward * (-one.rate * years).exp()),
        [(t0, a), (t1, b), ..] => {
            let slope = (b.forward / a.forward).ln() / (t1 - t0);
            Some(a.forward * (-slope * t0).exp())
        }
    }
}
