//! A book of contracts that live: what a run's policies hold against each of them today, replayed from its sale with what was known on
//! every date, and what all of it comes to.
//!
//! A file of the book is read by [`read`]; [`hedge`] answers.

mod answer;
mod book;
mod chosen;
mod cut;
mod net;
mod outside;
mod replay;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Hedged, HeldBy, Net, Position, Standing, Value, WhatIf};
pub use book::{Entry, instrument_names, read};

use crate::backtest::{Valued, on_dates};
use crate::error::{Error, Result};
use crate::experiment::{self, SavedPolicy};
use crate::network::Parameters;
use crate::runs::store::RunFolder;
use crate::runs::trained_on::{self, TrainedOn};
use crate::strategy::{BacktestPlan, Plan};
use chosen::{benchmark, optimizer};
use chrono::NaiveDate;
use cut::Cut;
use outside::{check_training, outside};
use replay::{Held, Replay};

/// What is asked of a run beside the book.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The optimizer whose policies hedge; the best of the run unless it is named.
    pub optimizer: Option<String>,
    /// Today; the last day of the prices unless it is given.
    pub date: Option<NaiveDate>,
    /// The greatest distance between the positions of two seeds, in units of an instrument a contract, up to which their mean is held.
    pub disagreement: f64,
    /// Whether contracts that policies were not trained for are answered too.
    pub force: bool,
    /// Moves of today's spot, as fractions, for which positions are asked for.
    pub what_if: Vec<f64>,
}

impl Asked {
    /// The usual bound of [`Self::disagreement`]: a tenth of a share a contract.
    pub const DISAGREEMENT: f64 = 0.1;
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            optimizer: None,
            date: None,
            disagreement: Self::DISAGREEMENT,
            force: false,
            what_if: Vec::new(),
        }
    }
}

/// What the policies of a run hold today against the contracts of a book on the history of `settings`; `plan` is the run's with that
/// history.
///
/// # Errors
/// [`Error::Input`] if the run has no policies or no such optimizer, hedges several assets, contracts whose terms lie in ranges, or
/// window after window; those of [`Cut::new`]; for contracts that the policies were not trained for, unless that is forced.
pub fn hedge(
    folder: &RunFolder,
    (plan, settings): (&Plan, &BacktestPlan),
    book: &[Entry],
    asked: &Asked,
) -> Result<Answer> {
    let refused = |what: &str| Err(Error::input(format!("run `{}`: {what}", folder.id())));
    if folder.path().join(RunFolder::WINDOWS).is_dir() {
        return refused(
            "a walk-forward has other policies in every window; `hedge` takes those of one training",
        );
    }
    if plan.assets().count() > 1 {
        return refused("hedges several assets, and a book has contracts on one");
    }
    if plan.contract.family().is_some() {
        return refused("its contract has terms in ranges, which a book cannot name yet");
    }
    let metrics = folder.metrics()?;
    let saved = experiment::saved_policies(folder, plan)?;
    let (optimizer, chosen) = optimizer(plan, &metrics, &saved, asked.optimizer.as_deref())?;
    let policies: Vec<&SavedPolicy> = saved
        .iter()
        .filter(|one| one.strategy() == optimizer)
        .collect();
    let cut = Cut::new(plan, settings, book, asked.date)?;
    let trained: Option<TrainedOn> = folder.read_json(trained_on::FILE)?;
    let mut warnings = cut.warnings.clone();
    if trained.is_none() {
        warnings.push(format!(
            "run `{}` does not say what its policies were trained on (it is of an older version): whether the book lies outside of that is not known",
            folder.id()
        ));
    }
    let weights: Vec<&Parameters> = policies.iter().map(|one| one.parameters()).collect();
    let replay = Replay::new(plan, &cut, &weights)?;
    let far: Vec<Vec<String>> = (0..book.len())
        .map(|index| {
            let (group, place) = replay.place(&cut, index);
            let held = &replay.held[index];
            if held.standing == Standing::Ended {
                return Vec::new();
            }
            let age = held.age;
            outside(
                plan,
                trained.as_ref(),
                &cut,
                (group, place, age),
                &book[index],
            )
        })
        .collect();
    check_training(book, &far, asked.force, &mut warnings)?;
    let benchmark = benchmark(plan, &metrics, &cut)?;
    let beside = match &benchmark {
        Some((_, policy)) => Some(cut.contracts.positions(policy)?),
        None => None,
    };
    let values = values(&cut, &replay);
    let mut contracts = Vec::with_capacity(book.len());
    for (index, far) in far.into_iter().enumerate() {
        let beside = beside
            .as_ref()
            .map(|all| replay.positions_of(&cut, all, index));
        let one = Contract {
            cut: &cut,
            replay: &replay,
            entry: &book[index],
            index,
            beside,
            value: values[index],
        };
        contracts.push(one.hedged(asked.disagreement, far));
    }
    let fell_back = contracts
        .iter()
        .filter(|one| one.held_by == HeldBy::Benchmark)
        .count();
    if fell_back > 0 {
        warnings.push(format!(
            "{fell_back} of {} contracts: seeds differ by more than {} units a contract, and the benchmark is held",
            contracts.len(),
            asked.disagreement
        ));
    }
    let disagrees = |one: &Hedged| {
        one.held_by == HeldBy::Policy
            && one
                .positions
                .iter()
                .any(|of| of.spread > asked.disagreement)
    };
    let unmended = contracts.iter().filter(|one| disagrees(one)).count();
    if unmended > 0 {
        warnings.push(format!(
            "{unmended} contracts: seeds differ by more than {} units a contract, and the run has no benchmark to fall back on",
            asked.disagreement
        ));
    }
    let estimated = cut.contracts.calibration.first().estimated;
    Ok(Answer {
        run: folder.id().to_owned(),
        date: cut.today().to_string(),
        chosen,
        seeds: policies.iter().map(|one| one.seed()).collect(),
        benchmark: benchmark.map(|(name, _)| name),
        estimated: estimated.map(|(from, to)| [from.to_string(), to.to_string()]),
        instruments: instrument_names(plan),
        net: net::net(&cut, &replay, &contracts),
        what_if: replay.what_if(plan, settings, (&cut, book), &weights, &asked.what_if)?,
        contracts,
        disagreement: asked.disagreement,
        warnings,
        optimizer,
    })
}

/// What every contract is worth today.
fn values(cut: &Cut, replay: &Replay) -> Vec<Option<Valued>> {
    let mut values = vec![None; replay.held.len()];
    for group in &cut.contracts.groups {
        let ages = group.members.iter().map(|&member| replay.held[member].age);
        let ages: Vec<usize> = ages.collect();
        let contract = &group.plan.contract;
        let own = on_dates(contract, &cut.contracts.assets, &group.paths, &ages);
        for (&member, value) in group.members.iter().zip(own) {
            values[member] = value;
        }
    }
    values
}

/// One contract of a book with all that its answer is made of.
struct Contract<'a> {
    cut: &'a Cut,
    replay: &'a Replay,
    entry: &'a Entry,
    /// Its place in the book.
    index: usize,
    /// What the benchmark holds of every instrument against one contract.
    beside: Option<Vec<f64>>,
    /// What one contract is worth, at the scale of its path.
    value: Option<Valued>,
}

impl Contract<'_> {
    fn hedged(&self, disagreement: f64, outside: Vec<String>) -> Hedged {
        let Self {
            cut,
            replay,
            entry,
            index,
            ..
        } = *self;
        let (group, _) = replay.place(cut, index);
        let held = &replay.held[index];
        let scale = replay.scale(cut, index);
        let spreads: Vec<f64> = (0..group.plan.instruments.len())
            .map(|one| held.spread(one))
            .collect();
        let agree = spreads.iter().all(|spread| *spread <= disagreement);
        let held_by = match (&self.beside, agree) {
            (Some(_), false) => HeldBy::Benchmark,
            (Some(_) | None, _) => HeldBy::Policy,
        };
        let contract = &group.plan.contract;
        let positions = spreads
            .into_iter()
            .enumerate()
            .map(|(instrument, spread)| {
                let target = match (&self.beside, held_by) {
                    (Some(beside), HeldBy::Benchmark) => beside[instrument],
                    (_, HeldBy::Policy) | (None, HeldBy::Benchmark) => held.mean[instrument],
                };
                self.position((instrument, target, spread), held, scale)
            })
            .collect();
        let value = self.value.filter(|_| held.standing != Standing::Ended);
        // At a kink gamma and theta may be infinite.
        let value = value.filter(|of| {
            let all = [of.price, of.delta, of.gamma, of.theta];
            all.iter().all(|number| number.is_finite())
        });
        Hedged {
            id: entry.id.clone(),
            sold: entry.sold.to_string(),
            expiry: cut.contracts.expiry[index].to_string(),
            quantity: entry.quantity,
            strike: group
                .plan
                .has_strike()
                .then(|| contract.strike / replay.strike_scale(cut, index)),
            hedging_date: [held.age, contract.steps],
            standing: held.standing,
            held_by,
            positions,
            value: value.map(|value| Value {
                price: value.price / scale,
                delta: value.delta,
                gamma: value.gamma * scale,
                theta: value.theta / scale,
            }),
            outside,
        }
    }

    /// What is held of an instrument against all contracts of the row, where `target` is to be held against one.
    fn position(
        &self,
        (instrument, target, spread): (usize, f64, f64),
        held: &Held,
        scale: f64,
    ) -> Position {
        let quantity = self.entry.quantity;
        let known = self.entry.held[instrument];
        let before = known.unwrap_or(quantity * held.before[instrument]);
        let position = quantity * target;
        let trade = position - before;
        let charged = net::Charged::new(self.cut, self.replay, self.index, instrument);
        Position {
            price: charged.price() / scale,
            position,
            held: before,
            held_known: known.is_some(),
            trade,
            cost: charged.cost(trade) / scale,
            benchmark: self
                .beside
                .as_ref()
                .map(|beside| quantity * beside[instrument]),
            by_seed: held
                .by_seed
                .iter()
                .map(|own| quantity * own[instrument])
                .collect(),
            spread,
        }
    }
}
