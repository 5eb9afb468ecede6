//! Identity 10 on a hedger that is piecewise linear: one hidden layer of ReLU units that sees the state of the market
//! alone, and proportional costs.

use super::dense::{random, relative, vec};
use crate::linalg::scaled;
use crate::network::Record;
use crate::risk::{CurvatureWeights, Measure, Risk};
use faer::Mat;

const PATHS: usize = 64;
const DATES: usize = 4;
const INPUTS: usize = 2;
const UNITS: usize = 3;
const COST: f64 = 0.1;

/// δ_t = v·[relu(W [x_t; 1]); 1] for the maps (W, v).
struct Hedger {
    maps: [Mat<f64>; 2],
}

/// [x; 1]
fn with_one(x: &[f64]) -> Mat<f64> {
    Mat::from_fn(x.len() + 1, 1, |i, _| x.get(i).copied().unwrap_or(1.0))
}

fn state(path: usize, t: usize) -> Mat<f64> {
    let x = random(INPUTS, 1, (100 + path * DATES + t) as u64);
    with_one(&[x[(0, 0)], x[(1, 0)]])
}

/// Gain of one share over period t.
fn gain(path: usize, t: usize) -> f64 {
    random(1, 1, (9000 + path * DATES + t) as u64)[(0, 0)]
}

impl Hedger {
    /// Pre-activations, inputs of the head, and position.
    fn at(&self, path: usize, t: usize) -> (Mat<f64>, Mat<f64>, f64) {
        let s = &self.maps[0] * state(path, t);
        let hidden: Vec<f64> = (0..UNITS).map(|unit| s[(unit, 0)].max(0.0)).collect();
        let hidden = with_one(&hidden);
        let position = (&self.maps[1] * &hidden)[(0, 0)];
        (s, hidden, position)
    }

    /// z = Σ_t δ_t ΔS_t − c Σ_t |δ_t − δ_{t−1}|
    fn pnl(&self) -> Vec<f64> {
        (0..PATHS)
            .map(|path| {
                let mut held = 0.0;
                (0..DATES)
                    .map(|t| {
                        let position = self.at(path, t).2;
                        let traded: f64 = position - held;
                        held = position;
                        position * gain(path, t) - COST * traded.abs()
                    })
                    .sum()
            })
            .collect()
    }

    /// ∂z/∂δ_t
    fn seed(&self, path: usize, t: usize) -> f64 {
        let position = |t: usize| self.at(path, t).2;
        let before = if t == 0 { 0.0 } else { position(t - 1) };
        let entry = (position(t) - before).signum();
        let exit = if t + 1 < DATES {
            (position(t + 1) - position(t)).signum()
        } else {
            0.0
        };
        gain(path, t) - COST * entry + COST * exit
    }

    /// The record of map `map` alone.
    fn record(&self, map: usize) -> Record<f64> {
        Record::from_fn(PATHS, DATES, |path, t| {
            let (s, hidden, _) = self.at(path, t);
            let seed = self.seed(path, t);
            let entries = |m: &Mat<f64>| m.col(0).iter().copied().collect::<Vec<_>>();
            if map == 1 {
                return (entries(&hidden), vec![seed]);
            }
            let on = |unit: usize| f64::from(u8::from(s[(unit, 0)] > 0.0));
            let g = (0..UNITS).map(|unit| seed * self.maps[1][(0, unit)] * on(unit));
            (entries(&state(path, t)), g.collect())
        })
    }

    /// The hedger after weight `index` of all maps, columns stacked, moves by `step`.
    fn moved(&self, index: usize, step: f64) -> Self {
        let mut maps = self.maps.clone();
        let first = maps[0].nrows() * maps[0].ncols();
        let (map, index) = if index < first {
            (0, index)
        } else {
            (1, index - first)
        };
        let rows = maps[map].nrows();
        maps[map][(index % rows, index / rows)] += step;
        Self { maps }
    }

    /// ∂ρ/∂(W, v), columns stacked.
    fn gradient(&self, risk: Risk) -> Mat<f64> {
        let weights = risk.evaluate(&self.pnl()).weights;
        let of = |map: usize| vec(&self.record(map).gradient(&weights)[0]);
        stacked(&of(0), &of(1))
    }
}

/// One column under the other.
fn stacked(above: &Mat<f64>, below: &Mat<f64>) -> Mat<f64> {
    let first = above.nrows();
    Mat::from_fn(first + below.nrows(), 1, |i, _| {
        if i < first {
            above[(i, 0)]
        } else {
            below[(i - first, 0)]
        }
    })
}

/// Central differences of the gradient of the risk in all weights; between kinks they miss the Hessian by BUMP² only.
fn hessian(hedger: &Hedger, risk: Risk) -> Mat<f64> {
    const BUMP: f64 = 1e-6;
    let size = hedger.maps.iter().map(|m| m.nrows() * m.ncols()).sum();
    let mut hessian = Mat::zeros(size, size);
    for j in 0..size {
        let at = |step: f64| hedger.moved(j, step).gradient(risk);
        let column = faer::Scale(0.5 / BUMP) * (at(BUMP) - at(-BUMP));
        hessian.col_mut(j).copy_from(column.col(0));
    }
    hessian
}

/// Identity 10: the Gauss–Newton block of either map is the block of the Hessian, because P&L is piecewise linear in each
/// map alone; the block between the maps is not, because P&L is bilinear in both. Entropic risk and mean–variance, whose
/// Hessians in z are λ(diag(h) − wwᵀ) and λ(1 − 1/n).
#[test]
fn gauss_newton_blocks_are_hessian_blocks_of_a_piecewise_linear_hedger() {
    let hedger = Hedger {
        maps: [random(UNITS, INPUTS + 1, 1), random(1, UNITS + 1, 2)],
    };
    let aversion = 1.3;
    for measure in [
        Measure::Entropic { aversion },
        Measure::MeanVariance { aversion },
    ] {
        let risk = Risk::from(measure);
        let pnl = hedger.pnl();
        let weights = risk.evaluate(&pnl).weights;
        let curvature = risk.curvature(CurvatureWeights::Measure, &pnl, &weights, PATHS);
        let records = [hedger.record(0), hedger.record(1)];
        let joint: Vec<Mat<f64>> = (0..PATHS)
            .map(|path| {
                let of = |map: usize| vec(&records[map].path_derivative(0, path));
                stacked(&of(0), &of(1))
            })
            .collect();
        let size = joint[0].nrows();
        // Mean–variance centres with equal weights, the entropic measure with its own.
        let centre = match measure {
            Measure::MeanVariance { .. } => vec![1.0 / PATHS as f64; PATHS],
            _ => weights.clone(),
        };
        let mut mean = Mat::<f64>::zeros(size, 1);
        let mut metric = Mat::<f64>::zeros(size, size);
        for (path, j) in joint.iter().enumerate() {
            mean += &scaled(std::slice::from_ref(j), centre[path])[0];
            metric += faer::Scale(curvature.weights[path] / PATHS as f64) * (j * j.transpose());
        }
        let metric = faer::Scale(curvature.scale) * (metric - &mean * mean.transpose());

        let hessian = hessian(&hedger, risk);
        let first = UNITS * (INPUTS + 1);
        let block = |m: &Mat<f64>, row: usize, column: usize| {
            let span = |part: usize| {
                if part == 0 {
                    (0, first)
                } else {
                    (first, size - first)
                }
            };
            let ((r, rows), (c, columns)) = (span(row), span(column));
            m.submatrix(r, c, rows, columns).to_owned()
        };
        for map in 0..2 {
            let error = relative(&block(&metric, map, map), &block(&hessian, map, map));
            assert!(error < 1e-6, "{risk:?}, map {map}: {error:e}");
        }
        let across = relative(&block(&metric, 0, 1), &block(&hessian, 0, 1));
        assert!(across > 1e-2, "{risk:?}: {across:e}");
    }
}
