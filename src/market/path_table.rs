//! Paths that are given rather than drawn: plain data, and how it is shared out between training and tests.

use crate::error::{Error, Result};
use crate::random::Purpose;
use crate::simd::{BLOCK, Lane, Real};
use std::fmt;
use std::ops::Range;

/// The least number of paths in each share.
const LEAST: usize = BLOCK;

/// The bounds of a spot.
const SPOTS: (f64, f64) = (1e-6, 1e9);

/// Numbers of given paths as they were read, none of them checked.
///
/// # Shapes
/// `spot` and `variance` are `[paths][dates]`, `payoff` is `[paths]`.
///
/// # Units
/// Spots and payoffs in currency, variances annualised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathColumns<'a> {
    /// The number of dates, the sale and the expiry among them.
    pub dates: usize,
    /// Spots.
    pub spot: &'a [f64],
    /// Variances, if they are known.
    pub variance: Option<&'a [f64]>,
    /// What is paid at expiry, if that is given.
    pub payoff: Option<&'a [f64]>,
}

/// A number of given paths, by which errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathCell {
    /// The spot of a path on a date, both counted from 0.
    Spot(usize, usize),
    /// The variance of a path on a date.
    Variance(usize, usize),
    /// The payoff of a path.
    Payoff(usize),
}

impl PathColumns<'_> {
    /// The number of paths.
    pub fn paths(&self) -> usize {
        self.spot.len() / self.dates.max(1)
    }

    /// The SHA-256 of all numbers, in hexadecimal digits.
    #[cfg(feature = "data")]
    pub fn digest(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        let sections = [Some(self.spot), self.variance, self.payoff];
        for (place, values) in sections.into_iter().enumerate() {
            let Some(values) = values else {
                continue;
            };
            for number in [place, self.dates, values.len()] {
                hash.update((number as u64).to_le_bytes());
            }
            for value in values {
                hash.update(value.to_le_bytes());
            }
        }
        let bytes = hash.finalize();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Checks every number; `named` says what errors call one.
    ///
    /// # Errors
    /// [`Error::Input`] for fewer than two dates; for a spot that is not from 10⁻⁶ to 10⁹, or that is another one at the sale than on the first
    /// path; for a variance that is not finite and above 0; for a payoff that is not finite.
    pub fn check<N: fmt::Display>(&self, named: impl Fn(PathCell) -> N) -> Result<()> {
        let dates = self.dates;
        if dates < 2 {
            return Err(Error::input(format!(
                "paths must have 2 dates or more, the sale and the expiry, have {dates}"
            )));
        }
        let refused = |cell: PathCell, bound: &str, value: f64| {
            let name = named(cell);
            Err(Error::input(format!("{name} must be {bound}, was {value}")))
        };
        let (least, most) = SPOTS;
        for (i, spot) in self.spot.iter().enumerate() {
            if !(least..=most).contains(spot) {
                let bound = format!("finite and from {least} to {most}");
                return refused(PathCell::Spot(i / dates, i % dates), &bound, *spot);
            }
        }
        let starts = self.spot.iter().step_by(dates);
        if let Some(first) = self.spot.first()
            && let Some((path, start)) = starts.enumerate().find(|(_, start)| *start != first)
        {
            let bound = format!(
                "the spot at which all paths begin, {first} as on the first (divide a path by its first spot, and its payoff too)"
            );
            return refused(PathCell::Spot(path, 0), &bound, *start);
        }
        for (i, variance) in self.variance.iter().copied().flatten().enumerate() {
            if !(variance.is_finite() && *variance > 0.0) {
                let cell = PathCell::Variance(i / dates, i % dates);
                return refused(cell, "finite and above 0", *variance);
            }
        }
        for (path, payoff) in self.payoff.iter().copied().flatten().enumerate() {
            if !payoff.is_finite() {
                return refused(PathCell::Payoff(path), "finite", *payoff);
            }
        }
        Ok(())
    }
}

/// How many of given paths are for what: the first ones are trained on, the next ones are for validation, and the last ones are
/// tested on. No path is in two shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathShares {
    /// The number of paths that are trained on.
    pub training: usize,
    /// The number of paths of validation.
    pub validation: usize,
    /// The number of test paths.
    pub test: usize,
}

impl PathShares {
    /// The shares of `paths` paths of which `validation` and `test`, fractions of 1, are held out, each rounded down.
    ///
    /// # Errors
    /// [`Error::Input`] with the figures where a share has fewer than 32 paths.
    pub fn new(paths: usize, (validation, test): (f64, f64)) -> Result<Self> {
        let part = |share: f64| (share * paths as f64 * (1.0 + 1e-12)) as usize;
        let (validation, test) = (part(validation), part(test));
        let shares = Self {
            training: paths.saturating_sub(validation + test),
            validation,
            test,
        };
        if shares.training.min(validation).min(test) < LEAST {
            return Err(Error::input(format!(
                "{paths} paths leave {} for training, {validation} for validation and {test} for tests, and each must be {LEAST} or more",
                shares.training
            )));
        }
        Ok(shares)
    }
}

/// Given paths of one asset, shared out between training, validation and tests.
///
/// # Shapes
/// As of [`PathColumns`].
#[derive(Debug, Clone, PartialEq)]
pub struct PathTable {
    dates: usize,
    spot: Vec<f64>,
    variance: Option<Vec<f64>>,
    payoff: Option<Vec<f64>>,
    shares: PathShares,
    /// The mean square of log returns over a period, on the training paths.
    return_variance: f64,
    /// The mean variance at the sale, on the training paths.
    mean_variance: Option<f64>,
    digest: String,
}

impl PathTable {
    /// The paths of `columns`, of which the shares `held_out` are for validation and for tests; `digest` is the hash of all numbers, by which
    /// they are known again.
    ///
    /// # Errors
    /// Those of [`PathColumns::check`] and [`PathShares::new`]; [`Error::Input`] where spots never move on the training paths.
    pub fn new<N: fmt::Display>(
        columns: PathColumns<'_>,
        held_out: (f64, f64),
        digest: String,
        named: impl Fn(PathCell) -> N,
    ) -> Result<Self> {
        columns.check(named)?;
        let shares = PathShares::new(columns.paths(), held_out)?;
        let return_variance = return_variance(&columns, shares.training);
        if return_variance == 0.0 {
            return Err(Error::input("spots must move on the training paths"));
        }
        let mean_variance = columns.variance.map(|variance| {
            let starts = variance.iter().step_by(columns.dates);
            starts.take(shares.training).sum::<f64>() / shares.training as f64
        });
        Ok(Self {
            dates: columns.dates,
            spot: columns.spot.to_vec(),
            variance: columns.variance.map(<[f64]>::to_vec),
            payoff: columns.payoff.map(<[f64]>::to_vec),
            shares,
            return_variance,
            mean_variance,
            digest,
        })
    }

    /// The number of paths.
    pub fn paths(&self) -> usize {
        self.spot.len() / self.dates
    }

    /// The number of periods, one fewer than dates.
    pub fn periods(&self) -> usize {
        self.dates - 1
    }

    /// The spot at which all paths begin.
    pub fn start(&self) -> f64 {
        self.spot[0]
    }

    /// Whether paths say what is paid at expiry.
    pub fn has_payoffs(&self) -> bool {
        self.payoff.is_some()
    }

    /// Whether paths say what the variance is.
    pub fn has_variances(&self) -> bool {
        self.variance.is_some()
    }

    /// How many paths are for what.
    pub fn shares(&self) -> PathShares {
        self.shares
    }

    /// The hash of all numbers.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The paths that serve a purpose, by their numbers from 0. Whatever is not validation or a test is done on the paths that are trained on;
    /// what `simulate` writes are all of them.
    pub fn share(&self, purpose: Purpose) -> Range<usize> {
        let PathShares {
            training,
            validation,
            ..
        } = self.shares;
        match purpose {
            Purpose::Validation => training..training + validation,
            Purpose::Evaluation | Purpose::Pricing => training + validation..self.paths(),
            Purpose::Export => 0..self.paths(),
            Purpose::Training
            | Purpose::InitialWeights
            | Purpose::Tuning
            | Purpose::Bootstrap
            | Purpose::Unit
            | Purpose::Valuation
            | Purpose::Exercise
            | Purpose::Sales
            | Purpose::Screening
            | Purpose::Thinning
            | Purpose::Regression => 0..training,
        }
    }

    /// The paths of block number `block` that serve a purpose. Those of training are drawn with replacement, by one word each; all others are
    /// taken in their order, which begins again after the last.
    pub fn chosen(
        &self,
        purpose: Purpose,
        block: u64,
        words: impl FnOnce() -> Lane<u32>,
    ) -> [usize; BLOCK] {
        let share = self.share(purpose);
        let count = share.len() as u64;
        if purpose == Purpose::Training {
            return words().map(|word| share.start + ((u64::from(word) * count) >> 32) as usize);
        }
        let place = |lane: usize| (block * BLOCK as u64 + lane as u64) % count;
        std::array::from_fn(|lane| share.start + place(lane) as usize)
    }

    /// Writes the spots of these paths into `out`, `[dates][BLOCK]`.
    pub fn write_spots<R: Real>(&self, paths: &[usize; BLOCK], out: &mut [Lane<R>]) {
        write(&self.spot, self.dates, paths, out);
    }

    /// Writes their variances into `out`, `[dates][BLOCK]`, or `known` where they say none.
    pub fn write_variances<R: Real>(
        &self,
        paths: &[usize; BLOCK],
        known: f64,
        out: &mut [Lane<R>],
    ) {
        match &self.variance {
            Some(variance) => write(variance, self.dates, paths, out),
            None => out.fill([R::of(known); BLOCK]),
        }
    }

    /// Writes their payoffs into `out`, one row, or nothing where it has none.
    ///
    /// # Panics
    /// If there is a row for them, and the paths have no payoffs.
    pub fn write_payoffs<R: Real>(&self, paths: &[usize; BLOCK], out: &mut [Lane<R>]) {
        if let Some(row) = out.first_mut() {
            let payoff = self.payoff.as_ref().expect("room for what is given alone");
            *row = paths.map(|path| R::of(payoff[path]));
        }
    }

    /// The spots at the expiry of the paths that are trained on.
    pub fn training_ends(&self) -> impl Iterator<Item = f64> + '_ {
        let ends = self.spot[self.dates - 1..].iter().step_by(self.dates);
        ends.take(self.shares.training).copied()
    }

    /// The mean square of log returns over a period, on the paths that are trained on.
    pub fn return_variance(&self) -> f64 {
        self.return_variance
    }

    /// The mean variance at the sale on the paths that are trained on, if they say what it is.
    pub fn mean_variance(&self) -> Option<f64> {
        self.mean_variance
    }
}

/// The mean square of log returns over a period, on the first paths.
fn return_variance(columns: &PathColumns<'_>, paths: usize) -> f64 {
    let returns = columns
        .spot
        .chunks_exact(columns.dates)
        .take(paths)
        .flat_map(|path| path.windows(2));
    let squares: f64 = returns.map(|pair| (pair[1] / pair[0]).ln().powi(2)).sum();
    squares / (paths * (columns.dates - 1)) as f64
}

/// Writes columns of `values`, `[paths][dates]`, into the lanes of `out`.
fn write<R: Real>(values: &[f64], dates: usize, paths: &[usize; BLOCK], out: &mut [Lane<R>]) {
    for (lane, path) in paths.iter().enumerate() {
        let path = &values[path * dates..][..dates];
        for (row, value) in out.iter_mut().zip(path) {
            row[lane] = R::of(*value);
        }
    }
}

#[cfg(test)]
#[path = "path_table_tests.rs"]
pub(crate) mod tests;
