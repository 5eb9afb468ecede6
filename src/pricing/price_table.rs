//! A model's price of one option over spot and variance, interpolated.

use crate::contract::OptionKind;
use rayon::prelude::*;

/// Nodes in ln(F/K) on either side of 0.
const HALF: usize = 64;
const WIDTH: usize = 2 * HALF + 1;

/// Prices of one option at one time over x = ln(F/K) and the variance v, by cubic interpolation.
///
/// The nodes are x_i = a sinh(i h), which are dense about the strike and everywhere a fraction of their distance from it,
/// and v_j = v_min + (v_max − v_min)(j/n)⁴, dense about v_min, where the law changes fast. What is interpolated is the price of the option out
/// of the money; put–call parity gives the other one.
///
/// # Units
/// The currency of the strike; variance annualised.
#[derive(Debug, Clone)]
pub struct PriceTable {
    kind: OptionKind,
    /// K e^{−rτ}
    bond: f64,
    /// ln F/K = ln S + this.
    shift: f64,
    /// a
    scale: f64,
    /// 1/h
    density: f64,
    reach: f64,
    /// The least and the greatest variance.
    variances: (f64, f64),
    /// Undiscounted calls over the strike, `[variance][x]`.
    calls: Vec<[f64; WIDTH]>,
    /// e^x − 1 at the nodes.
    intrinsic: [f64; WIDTH],
}

/// What a table is made for.
#[derive(Debug, Clone, Copy)]
pub struct PriceRange {
    /// Greatest |ln(F/K)|.
    pub reach: f64,
    /// a, a fraction of the standard deviation of ln S until expiry.
    pub scale: f64,
    /// Least and greatest variance and the number of nodes from one to the other, at least 4; none if the price does not
    /// depend on the variance.
    pub variance: Option<(f64, f64, usize)>,
}

impl PriceTable {
    /// Variances of a table whose price depends on them.
    pub const VARIANCES: usize = 41;

    /// Bytes of a table of so many variances.
    pub fn bytes(variances: usize) -> usize {
        (variances * WIDTH + WIDTH) * size_of::<f64>()
    }

    /// Tabulates `calls`, the undiscounted calls over their strike at a variance and at each ln(F/K) given, for an option
    /// with `left` years to expiry.
    pub fn new(
        kind: OptionKind,
        strike: f64,
        (left, rate, dividend): (f64, f64, f64),
        range: PriceRange,
        calls: impl Fn(f64, &[f64]) -> Vec<f64> + Sync,
    ) -> Self {
        let PriceRange { reach, scale, .. } = range;
        let h = (reach / scale).asinh() / HALF as f64;
        let x: [f64; WIDTH] =
            std::array::from_fn(|i| scale * (h * (i as f64 - HALF as f64)).sinh());
        let (least, most, rows) = range.variance.unwrap_or((0.0, f64::INFINITY, 1));
        let variance = |j: usize| match rows {
            1 => f64::NAN,
            _ => least + (most - least) * (j as f64 / (rows - 1) as f64).powi(4),
        };
        let row = |j: usize| {
            let values = calls(variance(j), &x);
            std::array::from_fn(|i| values[i])
        };
        Self {
            kind,
            bond: strike * (-rate * left).exp(),
            shift: (rate - dividend) * left - strike.ln(),
            scale,
            density: 1.0 / h,
            reach,
            variances: (least, most),
            calls: (0..rows).into_par_iter().map(row).collect(),
            intrinsic: x.map(f64::exp_m1),
        }
    }

    /// The price; none outside the table.
    pub fn price(&self, spot: f64, variance: f64) -> Option<f64> {
        let x = spot.ln() + self.shift;
        let (least, most) = self.variances;
        if !(x.abs() <= self.reach && variance <= most) {
            return None;
        }
        let place = (x / self.scale).asinh() * self.density + HALF as f64;
        let (first, across) = stencil(place, WIDTH);
        let of = |row: &[f64; WIDTH]| -> f64 { (0..4).map(|k| across[k] * row[first + k]).sum() };
        let interpolated = match self.calls.as_slice() {
            [row] => of(row),
            rows => {
                let intervals = (rows.len() - 1) as f64;
                let share = (variance - least).max(0.0) / (most - least);
                let place = share.sqrt().sqrt() * intervals;
                let (first, along) = stencil(place, rows.len());
                (0..4).map(|k| along[k] * of(&rows[first + k])).sum()
            }
        };
        let forward = x.exp_m1();
        let (call, put) = if x >= 0.0 {
            let put = interpolated - of(&self.intrinsic);
            (put + forward, put)
        } else {
            (interpolated, interpolated - forward)
        };
        let value = match self.kind {
            OptionKind::Call => call.max(0.0),
            OptionKind::Put => put.max(0.0),
        };
        Some(self.bond * value)
    }
}

/// The first of four nodes of `count` about `place`, counted in nodes, and Lagrange's weights of the four.
fn stencil(place: f64, count: usize) -> (usize, [f64; 4]) {
    let first = (place as usize).saturating_sub(1).min(count - 4);
    let t = place - (first + 1) as f64;
    let weights = [
        -t * (t - 1.0) * (t - 2.0) / 6.0,
        (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0,
        -(t + 1.0) * t * (t - 2.0) / 2.0,
        (t + 1.0) * t * (t - 1.0) / 6.0,
    ];
    (first, weights)
}
