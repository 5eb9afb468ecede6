//! Price and hedge of any contract from paths alone.

mod basis;
#[cfg(test)]
mod tests;

use super::Ledger;
use super::closed_form::{alive, finish};
use crate::error::{Error, Result};
use crate::linalg::solve_positive;
use crate::market::{AnswersMut, Benchmark, Curve, PathBlock, Paths};
use crate::network::{Feature, Features};
use crate::simd::{BLOCK, Lane, Real};
use basis::Basis;
use faer::Mat;
use std::ops::Range;
use std::sync::Arc;

/// Hedged Monte Carlo: price and hedge by least squares backward in time, for any contract and instruments, on paths of a model or
/// of history.
///
/// With V_T = 0 and, in money of the expiry, P_{t+1} what the contract pays at t + 1 and G_{t,i} the gain of one unit of instrument i over
/// period t, the price C_t and the positions φ_{t,i} are functions of the policy's features x_t, each a sum over a [`Basis`], that
/// minimise
///
/// E[ (P_{t+1} + V_{t+1} − C_t(x_t) − Σ_i φ_{t,i}(x_t) G_{t,i})² ]
///
/// over the paths on which the contract lives at t; where it has ended V = 0. What goes back to the date before is what is left to hedge
/// on each path, V_t = P_{t+1} + V_{t+1} − Σ_i φ_{t,i} G_{t,i}, rather than the fitted C_t: what C_t misses is then not handed on, and
/// the error of the positions is half as large. The hedge takes most of the noise out of the regression, and with it the drift of
/// the paths: the price is that of who hedges.
///
/// # References
/// Potters, Bouchaud and Sestovic (2001), "Hedged Monte-Carlo: low variance derivative pricing with objective probabilities",
/// Physica A 289, equations 3 and 4, with a price and positions of several instruments.
#[derive(Debug)]
pub struct Regression {
    features: Features,
    instruments: usize,
    dates: Vec<Date>,
}

/// What the regression found for one date.
#[derive(Debug)]
struct Date {
    basis: Basis,
    /// The coefficients of the price, in money of the expiry.
    price: Vec<f64>,
    /// The coefficients of the positions, `[instruments][functions]`.
    positions: Vec<Vec<f64>>,
}

/// Ridge, as a share of the mean square of each column.
const RIDGE: f64 = 1e-9;

/// Paths from which a date's basis is made, at most.
const SAMPLE: usize = 8192;

impl Regression {
    /// Blocks of a run of paths for a regression: fewer would leave more products to be added, each of the size of all equations.
    pub const RUN: usize = 32;

    /// The regression on `paths`, those of all ranks, on which the ledger's contract was observed, with what `features` show of the
    /// path.
    ///
    /// # Errors
    /// [`Error::Computation`] if the equations of a date have no solution.
    pub fn new<R: Real>(ledger: &Ledger, features: &Features, paths: &Paths<R>) -> Result<Self> {
        let features = &features.of_path();
        let (steps, instruments) = (paths.steps(), ledger.instruments());
        let mut payments = vec![None; steps + 1];
        for (place, &due) in ledger.due().iter().enumerate() {
            payments[due] = Some(place);
        }
        let spread = paths.spread();
        let of_block = |values: &[Lane<f64>], block: usize| values[spread.place(block)];
        // V at the date after, for every path of the own blocks.
        let mut values = vec![[0.0; BLOCK]; paths.own().len()];
        let mut dates = Vec::with_capacity(steps);
        for t in (0..steps).rev() {
            // What is to be hedged: the payment of the next date and the value after it.
            let targets = paths.map(|block| {
                let mut target = of_block(&values, block);
                if let Some(place) = payments[t + 1] {
                    let payment = &paths.block(block).payments()[place];
                    for lane in 0..BLOCK {
                        target[lane] += payment[lane].into_f64() * ledger.growth(t + 1);
                    }
                }
                target
            });
            let basis = Basis::new(sample(features, paths, t));
            let size = basis.len() * (1 + instruments);
            let sizes = [size * size, size];
            let sums = spread.sums(&sizes, |run, sums| {
                let rows = run.len() * BLOCK;
                let mut design = Mat::<f64>::zeros(rows, size);
                let mut target = Mat::<f64>::zeros(rows, 1);
                let (mut seen, mut functions) = (Vec::new(), Vec::new());
                for (place, block) in run.enumerate() {
                    let data = paths.block(block);
                    features.at(&data, t, &mut seen);
                    basis.values(&seen, &mut functions);
                    let alive = alive(&data, t);
                    for lane in (0..paths.active(block)).filter(|&lane| alive[lane]) {
                        let row = place * BLOCK + lane;
                        target[(row, 0)] = of_block(&targets, block)[lane];
                        for (column, function) in functions.iter().enumerate() {
                            design[(row, column)] = function[lane];
                        }
                    }
                    for instrument in 0..instruments {
                        let gain = ledger.unit_gain(&data, instrument, t);
                        let first = (1 + instrument) * basis.len();
                        for (column, function) in functions.iter().enumerate() {
                            for lane in (0..paths.active(block)).filter(|&lane| alive[lane]) {
                                let row = place * BLOCK + lane;
                                design[(row, first + column)] =
                                    function[lane] * gain[lane].into_f64();
                            }
                        }
                    }
                }
                let square = design.transpose() * &design;
                let product = design.transpose() * &target;
                for column in 0..size {
                    for row in 0..size {
                        sums[0][column * size + row] += square[(row, column)];
                    }
                    sums[1][column] += product[(column, 0)];
                }
            });
            let square = Mat::from_fn(size, size, |row, column| sums[0][column * size + row]);
            let coefficients = solve_positive(&square, &sums[1], RIDGE).map_err(|error| {
                Error::Computation(format!("hedged Monte Carlo at date {t}: {error}"))
            })?;
            let price = coefficients[..basis.len()].to_vec();
            let positions = coefficients[basis.len()..].chunks(basis.len());
            let positions: Vec<Vec<f64>> = positions.map(<[f64]>::to_vec).collect();
            values = paths.map(|block| {
                let data = paths.block(block);
                let (mut seen, mut functions) = (Vec::new(), Vec::new());
                features.at(&data, t, &mut seen);
                basis.values(&seen, &mut functions);
                let mut left = of_block(&targets, block);
                for (instrument, position) in positions.iter().enumerate() {
                    let held = combine(position, &functions);
                    let gain = ledger.unit_gain(&data, instrument, t);
                    for lane in 0..BLOCK {
                        left[lane] -= held[lane] * gain[lane].into_f64();
                    }
                }
                let alive = alive(&data, t);
                std::array::from_fn(|lane| if alive[lane] { left[lane] } else { 0.0 })
            });
            dates.push(Date {
                basis,
                price,
                positions,
            });
        }
        dates.reverse();
        Ok(Self {
            features: features.clone(),
            instruments,
            dates,
        })
    }

    /// What the contract pays less what this hedge gains, without costs, on each of `paths`, in money of the sale. Its mean is the
    /// price; on paths that the regression has not seen it has no bias where the paths are without arbitrage.
    ///
    /// # Panics
    /// If the paths have other dates than those of the regression.
    pub fn owed(&self, ledger: &Ledger, paths: &Paths<f64>) -> Vec<f64> {
        let positions = self.positions(paths);
        let steps = paths.steps();
        let owed = paths.map(|block| -> Lane<f64> {
            let positions = paths.spread().part(&positions, block);
            let account = ledger.account(&paths.block(block), positions);
            let (paid, gain) = (account.paid[steps], account.gain[steps]);
            std::array::from_fn(|lane| (paid[lane] - gain[lane]) / ledger.growth(0))
        });
        paths.of_all(owed)
    }

    /// The number of periods of the contract.
    pub(super) fn steps(&self) -> usize {
        self.dates.len()
    }

    /// The positions on `paths`, `[own blocks][steps][instruments][BLOCK]`, zero where the contract has ended.
    fn positions(&self, paths: &Paths<f64>) -> Vec<Lane<f64>> {
        let held = paths.map(|block| {
            let data = paths.block(block);
            let mut held = self.targets(&data, &(0..self.steps()));
            for (t, held) in held.chunks_exact_mut(self.instruments).enumerate() {
                let alive = alive(&data, t);
                for held in held {
                    for lane in (0..BLOCK).filter(|&lane| !alive[lane]) {
                        held[lane] = 0.0;
                    }
                }
            }
            held
        });
        held.into_iter().flatten().collect()
    }

    /// The positions that the regression says on some dates of a block, `[dates][instruments][BLOCK]`, whether or not the contract lives.
    pub(super) fn targets(&self, data: &PathBlock<'_, f64>, on: &Range<usize>) -> Vec<Lane<f64>> {
        let (mut seen, mut functions) = (Vec::new(), Vec::new());
        let mut targets = Vec::with_capacity(on.len() * self.instruments);
        for (t, date) in on.clone().zip(&self.dates[on.clone()]) {
            self.features.at(data, t, &mut seen);
            date.basis.values(&seen, &mut functions);
            let positions = date.positions.iter();
            targets.extend(positions.map(|position| combine(position, &functions)));
        }
        targets
    }

    /// ∂position/∂S of every target, S the spot of the first asset, `[dates][instruments][BLOCK]`.
    pub(super) fn gammas(&self, data: &PathBlock<'_, f64>, on: &Range<usize>) -> Vec<Lane<f64>> {
        let (mut seen, mut slopes) = (Vec::new(), Vec::new());
        let scale = self.features.volatility * self.features.expiry.sqrt();
        let mut gammas = Vec::with_capacity(on.len() * self.instruments);
        for (t, date) in on.clone().zip(&self.dates[on.clone()]) {
            self.features.at(data, t, &mut seen);
            date.basis.slopes(&seen, self.moneyness(), &mut slopes);
            let spot = data.spot[t];
            gammas.extend(date.positions.iter().map(|position| -> Lane<f64> {
                let slope = combine(position, &slopes);
                std::array::from_fn(|lane| slope[lane] / (spot[lane] * scale))
            }));
        }
        gammas
    }

    /// Writes the time to expiry on some dates of a block, `[dates][BLOCK]`, 0 after the expiry of the contract that a path has.
    pub(super) fn fill_left(
        &self,
        data: &PathBlock<'_, f64>,
        on: &Range<usize>,
        left: &mut [Lane<f64>],
    ) {
        let steps = data.steps() as f64;
        for (t, left) in on.clone().zip(left) {
            for (lane, left) in left.iter_mut().enumerate() {
                let life = data.drawn().map_or(steps, |drawn| drawn.life[lane]);
                *left = self.life(life, t, steps).1;
            }
        }
    }

    /// Writes e^{−rτ} on some dates of a block, `[dates][BLOCK]`, at the interest rate `rate`.
    pub(super) fn fill_discounts(
        &self,
        (data, on): (&PathBlock<'_, f64>, &Range<usize>),
        rate: &Curve,
        discounts: &mut [Lane<f64>],
    ) {
        let steps = data.steps() as f64;
        for (t, discounts) in on.clone().zip(discounts) {
            let discount = |life: f64| {
                let (expiry, left) = self.life(life, t, steps);
                (-rate.average(expiry - left, expiry) * left).exp()
            };
            *discounts = match data.drawn() {
                None => [discount(steps); BLOCK],
                Some(drawn) => drawn.life.map(discount),
            };
        }
    }

    /// Expiry, and the time left on date `t`, of a contract that lives for `life` of `steps` periods, in years.
    fn life(&self, life: f64, t: usize, steps: f64) -> (f64, f64) {
        let expiry = self.features.expiry * life / steps;
        (expiry, expiry * (1.0 - t as f64 / life).max(0.0))
    }

    /// The place of the log-moneyness of the first asset among the features.
    fn moneyness(&self) -> usize {
        let list = self.features.list.iter();
        let place = list.clone().position(|one| *one == Feature::LogMoneyness);
        // Beyond all features: no function has a slope in it, and there is no band.
        place.unwrap_or(usize::MAX)
    }
}

/// The values of every feature on date `t`, of a part of the paths of all ranks on which the contract lives.
fn sample<R: Real>(features: &Features, paths: &Paths<R>, t: usize) -> Vec<Vec<f64>> {
    let every = paths.count().div_ceil(SAMPLE);
    let mut samples = vec![Vec::new(); features.inputs()];
    let mut seen = Vec::new();
    for block in paths.own().filter(|block| block.is_multiple_of(every)) {
        let data = paths.block(block);
        features.at(&data, t, &mut seen);
        let alive = alive(&data, t);
        for lane in (0..paths.active(block)).filter(|&lane| alive[lane]) {
            for (sample, seen) in samples.iter_mut().zip(&seen) {
                sample.push(seen[lane]);
            }
        }
    }
    let collected = samples.into_iter();
    collected.map(|own| paths.spread().collect(own)).collect()
}

/// Σ_k coefficient_k · function_k
fn combine(coefficients: &[f64], functions: &[Lane<f64>]) -> Lane<f64> {
    let mut sum = [0.0; BLOCK];
    for (coefficient, function) in coefficients.iter().zip(functions) {
        for lane in 0..BLOCK {
            sum[lane] += coefficient * function[lane];
        }
    }
    sum
}

/// A regression in which the spots of all assets are traded, as the benchmark of a contract: what it says of price and deltas; there
/// are no gammas.
#[derive(Debug)]
pub struct Regressed {
    regression: Arc<Regression>,
    ledger: Ledger,
}

impl Regressed {
    /// The benchmark of a regression, and of the ledger that it was made with.
    ///
    /// # Panics
    /// If they trade different instruments.
    pub fn new(regression: Arc<Regression>, ledger: Ledger) -> Self {
        assert_eq!(regression.instruments, ledger.instruments());
        Self { regression, ledger }
    }
}

impl Benchmark for Regressed {
    fn answer(&self, block: &PathBlock<'_, f64>, on: Range<usize>, out: &mut AnswersMut<'_>) {
        let (mut seen, mut functions) = (Vec::new(), Vec::new());
        let Regression {
            features,
            dates,
            instruments,
        } = &*self.regression;
        for t in on.start..on.end.min(dates.len()) {
            let date = &dates[t];
            features.at(block, t, &mut seen);
            date.basis.values(&seen, &mut functions);
            let discount = 1.0 / self.ledger.growth(t);
            *out.value(t) = combine(&date.price, &functions).map(|price| price * discount);
            for (asset, position) in date.positions.iter().enumerate() {
                *out.moves(asset, t).0 = combine(position, &functions);
            }
        }
        finish(self.ledger.contract(), block, (*instruments, on), out);
    }
}
