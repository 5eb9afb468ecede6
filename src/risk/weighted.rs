use super::Masses;
use super::measure::{Evaluation, Measure};
use crate::bounds::{fraction, positive};
use crate::error::{Error, Result};
use std::fmt;

/// One measure of a sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// The weight of the measure, above 0.
    pub weight: f64,
    /// The measure.
    pub measure: Measure,
}

/// What a hedge minimises: a measure of its P&L, or a weighted sum ρ(z) = Σ_i k_i ρ_i(z) of several, which is convex as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Risk {
    /// The terms, of which the first `count` are there.
    terms: [Term; Self::MOST],
    count: usize,
}

impl From<Measure> for Risk {
    fn from(measure: Measure) -> Self {
        Self::sum(&[Term {
            weight: 1.0,
            measure,
        }])
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Term { weight, measure }) in self.terms().iter().enumerate() {
            if place > 0 {
                write!(f, " + ")?;
            }
            if *weight != 1.0 {
                write!(f, "{weight} ")?;
            }
            write!(f, "{measure}")?;
        }
        Ok(())
    }
}

/// Level of the CVaR that is watched where no CVaR is trained.
const DEFAULT_LEVEL: f64 = 0.95;

impl Risk {
    /// The most terms of a sum.
    pub const MOST: usize = 6;

    /// The CVaR of the loss at `level` alone.
    pub fn cvar(level: f64) -> Self {
        Measure::Cvar { level }.into()
    }

    /// The sum of some terms.
    ///
    /// # Panics
    /// If there are none, or more than [`Self::MOST`].
    pub fn sum(terms: &[Term]) -> Self {
        assert!((1..=Self::MOST).contains(&terms.len()), "{}", terms.len());
        let mut all = [terms[0]; Self::MOST];
        all[..terms.len()].copy_from_slice(terms);
        Self {
            terms: all,
            count: terms.len(),
        }
    }

    /// The terms of the sum.
    pub fn terms(&self) -> &[Term] {
        &self.terms[..self.count]
    }

    /// The measure, if it is one alone.
    pub fn measure(&self) -> Option<Measure> {
        match self.terms() {
            [Term { weight, measure }] if *weight == 1.0 => Some(*measure),
            _ => None,
        }
    }

    /// The level, if the measure is a CVaR alone.
    pub fn cvar_level(&self) -> Option<f64> {
        self.measure()?.cvar_level()
    }

    /// The level of the CVaR that tells of tails beside the measure: that of its first CVaR, or 95 %.
    pub fn watched_level(&self) -> f64 {
        let mut levels = self
            .terms()
            .iter()
            .filter_map(|term| term.measure.cvar_level());
        levels.next().unwrap_or(DEFAULT_LEVEL)
    }

    /// The greatest share of paths that carry weight in the gradient.
    pub fn carrying_share(&self) -> f64 {
        let shares = self
            .terms()
            .iter()
            .map(|term| match term.measure.cvar_level() {
                Some(level) => 1.0 - level,
                None => 1.0,
            });
        shares.fold(0.0, f64::max)
    }

    /// The cash k that the measure counts: ρ(z + c) = ρ(z) − k c.
    pub fn cash(&self) -> f64 {
        let terms = self.terms().iter();
        terms.map(|term| term.weight * term.measure.cash()).sum()
    }

    /// Checks another level or aversion for the measure; `key` is what names it.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound, or that the measure has neither.
    pub fn check_parameter(&self, key: &str, parameter: f64) -> Result<f64> {
        match self
            .measure()
            .map(|one| (one.parameter(), one.cvar_level()))
        {
            Some((_, Some(_))) => fraction(key, parameter),
            Some((Some(_), None)) => positive(key, parameter),
            Some((None, None)) | None => Err(Error::input(format!(
                "{key}: the risk measure ({self}) has no one level or aversion"
            ))),
        }
    }

    /// The CVaR level or the risk aversion, if the measure has one.
    pub fn parameter(&self) -> Option<f64> {
        self.measure()?.parameter()
    }

    /// The same measure with another level or aversion, where it has one.
    pub fn with_parameter(self, parameter: f64) -> Self {
        match self.measure() {
            Some(measure) => measure.with_parameter(parameter).into(),
            None => self,
        }
    }

    /// ρ and its derivative at `pnl`.
    ///
    /// # Panics
    /// If `pnl` is empty.
    pub fn evaluate(&self, pnl: &[f64]) -> Evaluation {
        self.evaluate_weighted(pnl, &Masses::equal(pnl.len()))
    }

    /// The same where every path stands for as many paths of a pool as `masses` says ([`Measure::evaluate_weighted`]).
    ///
    /// # Panics
    /// If `pnl` is empty, or has not one path for every mass.
    pub fn evaluate_weighted(&self, pnl: &[f64], masses: &Masses) -> Evaluation {
        if let Some(measure) = self.measure() {
            return measure.evaluate_weighted(pnl, masses);
        }
        let mut sum = Evaluation {
            value: 0.0,
            weights: vec![0.0; pnl.len()],
        };
        for Term { weight, measure } in self.terms() {
            let one = measure.evaluate_weighted(pnl, masses);
            sum.value += weight * one.value;
            for (sum, one) in sum.weights.iter_mut().zip(one.weights) {
                *sum += weight * one;
            }
        }
        sum
    }
}
