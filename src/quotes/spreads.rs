//! Half-spreads of options by moneyness and maturity, as costs of a strategy have them.

use super::points::Point;
use crate::linalg::solve_positive;
use crate::numbers::median;
use faer::Mat;
use serde::Serialize;

/// Bounds between cells of moneyness, in standard deviations ln(K/F)/(σ √τ) of the option's own volatility.
pub const MONEYNESS: [f64; 6] = [-2.0, -1.0, -0.25, 0.25, 1.0, 2.0];

/// Bounds between cells of maturity, in trading days.
pub const MATURITY: [f64; 5] = [10.0, 21.0, 42.0, 84.0, 168.0];

/// The number of cells of a row and of rows.
const ACROSS: usize = MONEYNESS.len() + 1;
const DOWN: usize = MATURITY.len() + 1;

/// What spreads say so far.
#[derive(Debug, Clone)]
pub struct HalfSpreads {
    /// Half-spreads over prices, by maturity and moneyness.
    cells: Vec<Vec<f32>>,
    /// Σ x xᵀ and Σ x h/S, x = (1, d, √τ).
    normal: [[f64; 3]; 3],
    right: [f64; 3],
    count: usize,
}

/// One cell of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpreadCell {
    /// Trading days, from above.
    pub days_above: Option<f64>,
    /// Trading days, up to and with.
    pub days_to: Option<f64>,
    /// Standard deviations from the forward, negative for puts, from above.
    pub deviations_above: Option<f64>,
    /// Standard deviations from the forward, up to and with.
    pub deviations_to: Option<f64>,
    /// The quotes of the cell.
    pub quotes: usize,
    /// The middle half-spread, as a share of the price half-way.
    pub share_of_price: f64,
}

/// Half-spreads as a strategy's costs have them: h (1 + a d + b √τ), with d standard deviations from the money and τ years.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SpreadLaw {
    /// The half-spread h at the money with no time left, as a share of the spot.
    pub half_spread: f64,
    /// The share a that it widens by for every deviation.
    pub moneyness_spread: f64,
    /// The share b that it widens by with the root of the years.
    pub time_spread: f64,
}

impl Default for HalfSpreads {
    fn default() -> Self {
        Self {
            cells: vec![Vec::new(); ACROSS * DOWN],
            normal: [[0.0; 3]; 3],
            right: [0.0; 3],
            count: 0,
        }
    }
}

impl HalfSpreads {
    /// Adds the points of a day at whose end the spot was `spot`.
    pub fn add(&mut self, points: &[Point], spot: f64) {
        for point in points.iter().filter(|point| point.half_spread.is_finite()) {
            let deviations = -point.log_moneyness / (point.volatility * point.years.sqrt());
            let days = point.years * super::calendar::DAYS_PER_YEAR;
            let across = MONEYNESS.partition_point(|bound| *bound < deviations);
            // A day is the number that it is but for rounding.
            let down = MATURITY.partition_point(|bound| *bound < days - 1e-6);
            self.cells[down * ACROSS + across].push((point.half_spread / point.mid) as f32);
            let x = [1.0, deviations.abs(), point.years.sqrt()];
            for i in 0..3 {
                self.right[i] += x[i] * point.half_spread / spot;
                for j in 0..3 {
                    self.normal[i][j] += x[i] * x[j];
                }
            }
            self.count += 1;
        }
    }

    /// Adds what others say.
    pub fn and(&mut self, other: Self) {
        for (cell, mut more) in self.cells.iter_mut().zip(other.cells) {
            cell.append(&mut more);
        }
        for i in 0..3 {
            self.right[i] += other.right[i];
            for j in 0..3 {
                self.normal[i][j] += other.normal[i][j];
            }
        }
        self.count += other.count;
    }

    /// The cells that have quotes, by maturity and within it by moneyness.
    pub fn table(&self) -> Vec<SpreadCell> {
        let bound = |bounds: &[f64], at: Option<usize>| at.and_then(|at| bounds.get(at)).copied();
        let cells = self.cells.iter().enumerate();
        cells
            .filter_map(|(place, cell)| {
                let share_of_price = median(cell.iter().map(|share| f64::from(*share)))?;
                let (down, across) = (place / ACROSS, place % ACROSS);
                Some(SpreadCell {
                    days_above: bound(&MATURITY, down.checked_sub(1)),
                    days_to: bound(&MATURITY, Some(down)),
                    deviations_above: bound(&MONEYNESS, across.checked_sub(1)),
                    deviations_to: bound(&MONEYNESS, Some(across)),
                    quotes: cell.len(),
                    share_of_price,
                })
            })
            .collect()
    }

    /// The law of costs that is nearest by least squares, none of whose parts is below 0; nothing without spreads.
    pub fn law(&self) -> Option<SpreadLaw> {
        // A part that would be negative is left out, and the others are fitted again.
        let mut kept = vec![0, 1, 2];
        let solution = loop {
            let normal = Mat::from_fn(kept.len(), kept.len(), |i, j| self.normal[kept[i]][kept[j]]);
            let right: Vec<f64> = kept.iter().map(|i| self.right[*i]).collect();
            let solution = solve_positive(&normal, &right, 0.0).ok()?;
            let worst = (1..kept.len()).filter(|i| solution[*i] < 0.0);
            let worst = worst.min_by(|a, b| solution[*a].total_cmp(&solution[*b]));
            match worst {
                Some(place) => kept.remove(place),
                None => break solution,
            };
        };
        let part = |of: usize| {
            let place = kept.iter().position(|kept| *kept == of);
            place.map_or(0.0, |place| solution[place])
        };
        let base = part(0);
        (self.count > 0 && base > 0.0).then(|| SpreadLaw {
            half_spread: base,
            moneyness_spread: part(1) / base,
            time_spread: part(2) / base,
        })
    }
}
