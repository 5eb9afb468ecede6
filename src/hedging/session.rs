//! Hedges of contracts that live, carried from one date to the next.

use super::close_ended;
use crate::contract::{Limits, Standing};
use crate::error::{Error, Result};
use crate::market::{Paths, Quotes};
use crate::network::{self, Features};
use crate::pricing::SurfaceFactors;
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;
use std::sync::Arc;

/// What the market shows of the assets on one date of one contract.
///
/// # Units
/// Spots in the currency of the strategy, on its scale: a contract with a strike has the strategy's. Variances annualised.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// Spot and variance of every asset.
    pub assets: Vec<(f64, f64)>,
    /// The implied-volatility surface of the first asset, where policies are to see it.
    pub surface: Option<SurfaceFactors>,
}

impl Seen {
    /// # Errors
    /// [`Error::Input`] for a spot that is not above 0, a variance below 0, and a number that is not finite.
    fn check(&self, contract: usize, (assets, surface): (usize, bool)) -> Result<()> {
        let wrong = |what: String| Err(Error::input(format!("contract {contract}: {what}")));
        if self.assets.len() != assets {
            let found = self.assets.len();
            return wrong(format!("must show {assets} assets, shows {found}"));
        }
        for (asset, (spot, variance)) in self.assets.iter().enumerate() {
            if !(spot.is_finite() && *spot > 0.0) {
                return wrong(format!(
                    "the spot of asset {asset} must be finite and above 0, was {spot}"
                ));
            }
            if !(variance.is_finite() && *variance >= 0.0) {
                return wrong(format!(
                    "the variance of asset {asset} must be finite and at least 0, was {variance}"
                ));
            }
        }
        match (self.surface, surface) {
            (None, true) => wrong("needs an implied-volatility surface".into()),
            (Some(of), true) if !of.to_array().iter().all(|one| one.is_finite()) => {
                wrong("the factors of its surface must be finite".into())
            }
            (Some(_), true) | (_, false) => Ok(()),
        }
    }
}

/// Contracts of one kind and age, hedged by policies that are taken through time one date after the other.
///
/// It holds everything that a position depends on: what networks remember of the dates before, positions held, what the contract
/// has run up, and what was seen. A date takes in what the market shows on it and gives positions and trades; positions have the bits
/// of a sweep over the whole path by [`network::Sweep::forward`] of the block engine.
pub struct Session {
    quotes: Arc<Quotes>,
    features: Arc<Features>,
    policies: Vec<Box<dyn network::Session<f64>>>,
    /// What was seen up to the date before the next one, and what contract, instruments and benchmark made of it; what follows is open.
    paths: Paths<f64>,
    next: usize,
    instruments: usize,
    /// What each policy held after the date before the last one, and after the last one, `[blocks][instruments][BLOCK]`.
    held: Vec<[Vec<Lane<f64>>; 2]>,
    /// The limits of the mean of all policies, where that is held too.
    mean: Option<Limits>,
}

impl Session {
    /// The contracts of `paths` before their sale, hedged by `policies` that see `features`. What the paths hold, whose layout has what
    /// that of `quotes` has, is used where dates are followed ([`Self::follow`]), and written anew where they are seen ([`Self::see`]).
    ///
    /// # Panics
    /// If there is no contract, or the paths are spread over ranks.
    pub fn new(
        quotes: Arc<Quotes>,
        features: Arc<Features>,
        policies: Vec<Box<dyn network::Session<f64>>>,
        paths: Paths<f64>,
    ) -> Self {
        assert!(paths.count() > 0, "a contract");
        assert_eq!(paths.own(), 0..paths.blocks(), "a session has all blocks");
        let instruments = paths.instruments().len();
        let nothing = vec![[0.0; BLOCK]; paths.blocks() * instruments];
        let held = policies.iter().map(|_| [nothing.clone(), nothing.clone()]);
        Self {
            held: held.collect(),
            quotes,
            features,
            policies,
            paths,
            next: 0,
            instruments,
            mean: None,
        }
    }

    /// The same with one policy more, the last one, that holds the mean of all others within `limits`: see [`super::Ensemble`].
    #[must_use]
    pub fn with_mean(mut self, limits: Limits) -> Self {
        let nothing = vec![[0.0; BLOCK]; self.paths.blocks() * self.instruments];
        self.held.push([nothing.clone(), nothing]);
        self.mean = Some(limits);
        self
    }

    /// What a policy holds after the last date, `[blocks][instruments][BLOCK]`.
    ///
    /// # Panics
    /// If there is no such policy.
    pub fn held(&self, policy: usize) -> &[Lane<f64>] {
        &self.held[policy][1]
    }

    /// The number of contracts.
    pub fn contracts(&self) -> usize {
        self.paths.count()
    }

    /// The date that comes next, 0 before the sale.
    pub fn next(&self) -> usize {
        self.next
    }

    /// Takes all contracts through the next date, on which the market shows `seen`, one for each contract.
    ///
    /// # Errors
    /// [`Error::Input`] for what is no market, by the number of the contract, and after the last hedging date; nothing has changed then.
    pub fn see(&mut self, seen: &[Seen]) -> Result<()> {
        self.check_date()?;
        let layout = self.paths.layout();
        let shown = (layout.assets(), layout.has_surface());
        if seen.len() != self.contracts() {
            return Err(Error::input(format!(
                "the market must be shown to {} contracts, was to {}",
                self.contracts(),
                seen.len()
            )));
        }
        let mut all = seen.iter().enumerate();
        all.try_for_each(|(contract, one)| one.check(contract, shown))?;
        // The pool of threads is entered once, not for every step of it.
        rayon::scope(|_| {
            self.write(seen);
            let date = self.next..self.next + 1;
            self.quotes.fill_on(&mut self.paths, date);
            self.advance();
        });
        Ok(())
    }

    /// Takes all contracts through the next date, which the paths hold already.
    ///
    /// # Errors
    /// [`Error::Input`] after the last hedging date.
    pub fn follow(&mut self) -> Result<()> {
        self.check_date()?;
        rayon::scope(|_| self.advance());
        Ok(())
    }

    fn check_date(&self) -> Result<()> {
        let steps = self.paths.steps();
        if self.next < steps {
            return Ok(());
        }
        Err(Error::input(format!(
            "the contracts are hedged on {steps} dates, and all of them are past"
        )))
    }

    /// Writes what is seen on the next date; at the sale also on all later dates, which then hold numbers that can be computed with.
    fn write(&mut self, seen: &[Seen]) {
        let (now, all) = (self.next, self.paths.steps() + 1);
        let dates = if now == 0 { 0..all } else { now..now + 1 };
        let last = seen.len() - 1;
        self.paths.blocks_mut().for_each(|(block, mut out)| {
            let of = |lane: usize| &seen[(block * BLOCK + lane).min(last)];
            let (assets, surface, payoff) = out.markets();
            // What is paid is not known, and no position depends on it.
            payoff.fill([f64::NAN; BLOCK]);
            for (asset, (spots, variances)) in assets.enumerate() {
                spots[dates.clone()].fill(std::array::from_fn(|lane| of(lane).assets[asset].0));
                let variance = std::array::from_fn(|lane| of(lane).assets[asset].1);
                variances[dates.clone()].fill(variance);
            }
            for (factor, rows) in surface.chunks_exact_mut(all).enumerate() {
                let value = |lane: usize| {
                    let surface = of(lane).surface.expect("it was looked for");
                    surface.to_array()[factor]
                };
                rows[dates.clone()].fill(std::array::from_fn(value));
            }
        });
    }

    fn advance(&mut self) {
        let t = self.next;
        for (policy, [before, now]) in self.policies.iter_mut().zip(&mut self.held) {
            std::mem::swap(before, now);
            *now = policy.date(t, &self.features, &self.paths);
            let blocks = now.chunks_exact_mut(self.instruments).enumerate();
            for (block, held) in blocks {
                close_ended(&self.paths.block(block), t, held);
            }
        }
        if let Some(limits) = self.mean.take() {
            self.hold_mean(&limits, t);
            self.mean = Some(limits);
        }
        self.next += 1;
    }

    /// The mean of what the policies hold on date `t`, within limits.
    fn hold_mean(&mut self, limits: &Limits, t: usize) {
        let Some(([before, now], others)) = self.held.split_last_mut() else {
            return;
        };
        std::mem::swap(before, now);
        let mut sum: Vec<Lane<f64>> = Vec::new();
        for [_, own] in others.iter() {
            if sum.is_empty() {
                sum.clone_from(own);
                continue;
            }
            let pairs = sum.as_flattened_mut().iter_mut().zip(own.as_flattened());
            pairs.for_each(|(sum, own)| *sum += own);
        }
        let share = 1.0 / others.len() as f64;
        sum.as_flattened_mut().iter_mut().for_each(|x| *x *= share);
        if !limits.is_none() {
            let blocks = sum.chunks_exact_mut(self.instruments).enumerate();
            for (block, now) in blocks {
                let data = self.paths.block(block);
                let prices: Vec<Lane<f64>> = (0..self.instruments)
                    .map(|one| data.price(one)[t])
                    .collect();
                let standing = Standing {
                    held: &before[block * self.instruments..][..self.instruments],
                    prices: &prices,
                };
                limits.hold(standing, now);
                close_ended(&data, t, now);
            }
        }
        *now = sum;
    }

    fn of(&self, held: &[Lane<f64>], contract: usize) -> Vec<f64> {
        assert!(contract < self.contracts());
        let first = contract / BLOCK * self.instruments;
        let rows = &held[first..][..self.instruments];
        rows.iter().map(|row| row[contract % BLOCK]).collect()
    }

    /// What a policy holds of every instrument against a contract after the last date; nothing before the sale, and where the contract
    /// has ended.
    ///
    /// # Panics
    /// If there is no such policy or contract.
    pub fn positions(&self, policy: usize, contract: usize) -> Vec<f64> {
        self.of(&self.held[policy][1], contract)
    }

    /// What a policy bought of every instrument on the last date; sold, where it is below 0.
    ///
    /// # Panics
    /// If there is no such policy or contract.
    pub fn trades(&self, policy: usize, contract: usize) -> Vec<f64> {
        let [before, now] = &self.held[policy];
        let now = self.of(now, contract).into_iter();
        let pairs = now.zip(self.of(before, contract));
        pairs.map(|(now, before)| now - before).collect()
    }
}
