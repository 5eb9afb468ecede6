//! Screened paths: of a pool of candidates those are swept that are expected to weigh in the gradient, without bias.

mod defence;
mod regression;
pub(super) mod sampling;
#[cfg(test)]
mod tests;

use crate::error::Result;
use crate::hedging::Functionals;
use crate::market::Paths;
use crate::optimizer::{State, Stateful};
use crate::random::Purpose;
use crate::risk::{Evaluation, Levels, Masses, Risk};
use crate::simd::{BLOCK, Kernel, Lane, Lanes, dispatch};
use defence::{BACKWARD, Defence};
use rayon::prelude::*;
use regression::{Forecast, Ridge};
use serde_json::{Map, Value, json};

/// Chooses B paths of a pool of P for every step.
///
/// The P&L of every candidate is foreseen by a regression on [`Functionals`] of its path, which learns from the paths swept at earlier steps.
/// A candidate whose weight n|∂ρ/∂z| is expected to be w (root mean square, [`Risk::foresee`]) and not to be 0 with probability p has the score
/// w (1 + h)^¼/√(1 + κp). But for the factor of h that is the best for a given time where a backward sweep takes κ times that of a forward
/// one. With h, the distance of a candidate from the paths seen so far, the factor is what an error that grows with √(1 + h) adds to a weight
/// that is linear in it, tempered by half: where few paths were seen it is least known what they weigh. Without it trainings of entropic
/// risk lost seeds. Probabilities of inclusion are π = ε B/P + (1 − ε)π⁰, π⁰ in proportion to the scores and at most 1, ε that of
/// [`Defence`]; the sample is systematic in the order of the pool, so that any run of its paths stands for all. A path that was drawn stands
/// for 1/π paths of the pool.
///
/// # References
/// Probabilities by size and the estimator: Horvitz and Thompson (1952). Best probabilities for a given cost: Neyman (1934), "On the
/// two different aspects of the representative method", Journal of the Royal Statistical Society 97(4).
pub(super) struct Screening {
    functionals: Functionals,
    risk: Risk,
    /// B
    size: usize,
    seed: u64,
    unit: f64,
    /// The functionals of the pool, `[own blocks][count][BLOCK]`.
    pool: Lanes<f32>,
    regression: Ridge,
    /// What the measure stands at, in currency, averaged over the steps of late; empty before the first.
    levels: Levels,
    defence: Defence,
    /// π⁰ and π of the paths that were drawn last.
    probabilities: Vec<(f64, f64)>,
    /// B/P
    uniform: f64,
}

/// The paths of a step.
pub(super) struct Drawn {
    /// Their numbers in the pool, ascending.
    pub chosen: Vec<usize>,
    /// For how many paths of the pool each stands.
    pub masses: Masses,
}

/// What levels keep of the past over a step.
const KEPT: f64 = 0.5;
/// The largest score but for the factor of distance, whose sums are finite.
const MOST: f64 = 1e30;

impl Screening {
    /// Before the first step: `size` paths are drawn for each, P&L counted in `unit`.
    pub fn new(functionals: Functionals, risk: Risk, size: usize, seed: u64, unit: f64) -> Self {
        Self {
            regression: Ridge::new(functionals.count()),
            functionals,
            risk,
            size,
            seed,
            unit,
            pool: Lanes::default(),
            levels: Levels::new(),
            defence: Defence::default(),
            probabilities: Vec::new(),
            uniform: 1.0,
        }
    }

    /// Looks at the candidates of the step to come. No rank waits for another.
    pub fn observe(&mut self, pool: &Paths<f32>) {
        self.pool
            .resize(pool.own().len() * self.functionals.count());
        let functionals = &self.functionals;
        let parts = pool.spread().parts_mut(&mut self.pool);
        parts.for_each(|(block, rows)| functionals.write(&pool.block(block), rows));
    }

    /// Draws the paths of a step among candidates that were looked at, which were sold for `premiums` beyond a common one. All ranks draw
    /// the same.
    ///
    /// # Errors
    /// If a probability is none.
    pub fn draw(
        &mut self,
        step: usize,
        pool: &Paths<f32>,
        premiums: Option<&[f64]>,
    ) -> Result<Drawn> {
        let own = pool.map(|block| {
            let mut sold = [0.0; BLOCK];
            if let Some(premiums) = premiums {
                let active = pool.active(block);
                sold[..active].copy_from_slice(&premiums[block * BLOCK..][..active]);
            }
            self.scores(pool.spread().part(&self.pool, block), &sold)
        });
        let scores = pool.of_all(own);
        self.uniform = self.size as f64 / scores.len() as f64;
        let scored = sampling::inclusion(&scores, self.size);
        let share = self.defence.share();
        let mixed = scored
            .iter()
            .map(|p| Defence::mixed(share, *p, self.uniform));
        let probabilities: Vec<f64> = mixed.collect();
        let start = sampling::start(self.seed, Purpose::Screening, step);
        let chosen = sampling::systematic(&probabilities, start);
        let of = |path: &usize| (scored[*path], probabilities[*path]);
        self.probabilities = chosen.iter().map(of).collect();
        let masses = self.probabilities.iter().map(|(_, p)| p.recip()).collect();
        Ok(Drawn {
            masses: Masses::of_pool(masses, scores.len())?,
            chosen,
        })
    }

    /// The scores of a block of candidates, the same for all before anything is foreseen.
    fn scores(&self, functionals: &[Lane<f32>], premiums: &Lane<f64>) -> Lane<f64> {
        let forecast = self.regression.forecast(functionals);
        forecast.map_or([1.0; BLOCK], |forecast| {
            dispatch(Score {
                screening: self,
                forecast,
                premiums,
            })
        })
    }

    /// Learns what the paths of the step have come to, which stand for `masses` and were sold for `premiums` beyond a common one.
    ///
    /// # Errors
    /// If the regression fails.
    pub fn learn(
        &mut self,
        (paths, masses): (&Paths<f32>, &Masses),
        (pnl, risk): (&[f64], &Evaluation),
        premiums: Option<&[f64]>,
    ) -> Result<()> {
        let count = self.functionals.count();
        let (regression, functionals) = (&self.regression, &self.functionals);
        let per_unit = 1.0 / self.unit;
        let totals = paths.spread().sums(&regression.sizes(), |run, totals| {
            let mut rows = Lanes::zeros(run.len() * (count + 1));
            let blocks = rows.chunks_exact_mut(count + 1);
            for (block, rows) in run.clone().zip(blocks) {
                let (last, rest) = rows.split_last_mut().expect("a row of P&L");
                functionals.write(&paths.block(block), rest);
                let active = paths.active(block);
                for lane in 0..active {
                    let path = block * BLOCK + lane;
                    let sold = premiums.map_or(0.0, |premiums| premiums[path]);
                    last[lane] = ((pnl[path] - sold) * per_unit) as f32;
                }
                for row in rest {
                    row[active..].fill(0.0);
                }
            }
            let blocks: Vec<&[Lane<f32>]> = rows.chunks_exact(count + 1).collect();
            let first = run.start;
            regression.add(&blocks, |block| paths.active(first + block), totals);
        });
        self.regression.learn(&totals, paths.count())?;
        let new = self.risk.levels(pnl, masses);
        if self.levels.is_empty() {
            self.levels = new;
        } else {
            for (level, new) in self.levels.iter_mut().zip(new) {
                for (level, new) in level.iter_mut().zip(new) {
                    *level = KEPT * *level + (1.0 - KEPT) * new;
                }
            }
        }
        let paths = self.probabilities.iter().zip(&risk.weights);
        let drawn: Vec<_> = paths.map(|((scored, p), w)| (*scored, *p, *w)).collect();
        self.defence.learn(&drawn, self.uniform);
        Ok(())
    }

    /// What it has to say of a step.
    pub fn statistics(&self, statistics: &mut Map<String, Value>) {
        statistics.insert("screening_defence".into(), json!(self.defence.share()));
        if let Some(gain) = self.defence.gain() {
            statistics.insert("screening_gain".into(), json!(gain));
        }
        if let Some(explained) = self.regression.explained() {
            statistics.insert("screening_explained".into(), json!(explained));
        }
    }
}

impl Stateful for Screening {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("regression", &mut self.regression)?;
        state.field("defence", &mut self.defence)?;
        let mut levels: Vec<f64> = self.levels.as_flattened().to_vec();
        state.field("levels", &mut levels)?;
        self.levels = levels.as_chunks().0.to_vec();
        Ok(())
    }
}

/// [`Screening::scores`]
struct Score<'a> {
    screening: &'a Screening,
    forecast: Forecast,
    premiums: &'a Lane<f64>,
}

impl Kernel for Score<'_> {
    type Output = Lane<f64>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) -> Lane<f64> {
        let Screening {
            risk, levels, unit, ..
        } = self.screening;
        let (mut mean, mut variance) = (self.forecast.mean, self.forecast.variance);
        for lane in 0..BLOCK {
            mean[lane] = mean[lane] * unit + self.premiums[lane];
            variance[lane] *= unit * unit;
        }
        let foreseen = risk.foresee::<f64, FMA>(levels, &mean, &variance);
        let mut scores = [0.0; BLOCK];
        for lane in 0..BLOCK {
            let cost = 1.0 + BACKWARD * foreseen.carries[lane];
            let score = (foreseen.weight[lane] / cost.sqrt()).min(MOST);
            let away = (1.0 + self.forecast.distance[lane]).sqrt().sqrt();
            scores[lane] = score * away;
        }
        scores
    }
}
