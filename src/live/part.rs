//! The contracts of a book that the same policies hedge.

use super::answer::{AnsweringWindow, Hedged, HeldBy, Position, Standing, Value, WhatIf};
use super::beside::Beside;
use super::book::Entry;
use super::cut::Cut;
use super::desk::{Desk, Member, Team, Today};
use super::net;
use super::outside::outside;
use super::replay::{Held, Replay};
use crate::backtest::{Valued, on_dates};
use crate::error::Result;
use crate::network::Parameters;
use std::sync::Arc;

/// Contracts of a book that the policies of a run hedge, or those of one window of it.
pub struct Part<'a> {
    /// The number of the window; none of a run that has none.
    pub window: Option<usize>,
    /// The places of the contracts in the book.
    pub places: Vec<usize>,
    entries: Vec<&'a Entry>,
    optimizer: String,
    /// The policies.
    pub team: Arc<Team>,
    /// The contracts on history.
    pub cut: Cut,
    /// The contracts as the policies hedged them.
    pub replay: Replay,
}

impl<'a> Part<'a> {
    /// The contracts at `places` of a book.
    ///
    /// # Errors
    /// Those of [`Cut::new`] and of [`Replay::new`].
    pub fn new(
        desk: &Desk,
        today: &Arc<Today>,
        (window, places): (Option<usize>, Vec<usize>),
        book: &'a [Entry],
        optimizer: &str,
    ) -> Result<Self> {
        let entries: Vec<&Entry> = places.iter().map(|&place| &book[place]).collect();
        let team = desk.team(window)?;
        let cut = Cut::new(desk, today, window, &entries)?;
        let replay = Replay::new(&cut, &weights(&team, optimizer))?;
        Ok(Self {
            window,
            places,
            entries,
            optimizer: optimizer.to_owned(),
            team,
            cut,
            replay,
        })
    }

    /// The policies that hedge.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let all = self.team.policies.iter();
        all.filter(|one| one.optimizer == self.optimizer)
    }

    /// What must be known beside the positions.
    pub fn warnings(&self, desk: &Desk) -> Vec<String> {
        let mut warnings = self.cut.warnings(desk.plan());
        if self.team.trained_on.is_none() {
            warnings.push(format!(
                "run `{}` does not say what its policies were trained on (it is of an older version): whether the book lies outside of that is not known",
                desk.run()
            ));
        }
        warnings
    }

    /// What of every contract lies outside of what the policies were trained on.
    pub fn outside(&self, desk: &Desk) -> Vec<Vec<String>> {
        let trained = self.team.trained_on.as_ref();
        let entries = self.entries.iter().enumerate();
        entries
            .map(|(index, entry)| {
                let (group, place) = self.replay.place(&self.cut, index);
                let held = &self.replay.held[index];
                match held.standing {
                    Standing::Ended => Vec::new(),
                    Standing::Trades | Standing::Holds => {
                        let life = (group, place, held.age);
                        outside(desk.plan(), trained, &self.cut, life, entry)
                    }
                }
            })
            .collect()
    }

    /// Every contract with its positions.
    pub fn hedged<'b>(
        &'b self,
        beside: Option<&'b Beside>,
        disagreement: f64,
    ) -> impl Iterator<Item = Hedged> + 'b {
        let values = self.values();
        let entries = self.entries.iter().enumerate();
        entries.map(move |(index, entry)| {
            let beside = beside.map(|all| {
                let (cut, replay) = (&self.cut, &self.replay);
                replay.positions_of(cut, &all.positions, index)
            });
            let one = Contract {
                part: self,
                entry,
                index,
                beside,
                value: values[index].as_ref(),
            };
            one.hedged(disagreement)
        })
    }

    /// Adds what the policies would hold at other spots of today.
    ///
    /// # Errors
    /// Those of [`Replay::what_if`].
    pub fn what_if(&self, all: &mut [WhatIf]) -> Result<()> {
        let weights = weights(&self.team, &self.optimizer);
        let book = (&self.cut, self.entries.as_slice(), self.places.as_slice());
        self.replay.what_if(book, &weights, all)
    }

    /// What is said of the window.
    pub fn answering(&self, desk: &Desk, benchmark: Option<String>) -> Option<AnsweringWindow> {
        let number = self.window?;
        let window = &desk.walked()?.windows()[number].window;
        Some(AnsweringWindow {
            number,
            trained: [window.calibrated_from.clone(), window.calibrated_to.clone()],
            sold: [window.first_sale.clone(), window.last_sale.clone()],
            benchmark,
            contracts: self.entries.len(),
        })
    }

    /// What every contract is worth today.
    fn values(&self) -> Vec<Option<Valued>> {
        let Self { cut, replay, .. } = self;
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
}

/// The weights of the policies of an optimizer.
fn weights<'a>(team: &'a Team, optimizer: &str) -> Vec<&'a Parameters> {
    let own = team.policies.iter();
    let own = own.filter(|one| one.optimizer == optimizer);
    own.map(|one| &one.parameters).collect()
}

/// One contract of a book with all that its answer is made of.
struct Contract<'a> {
    part: &'a Part<'a>,
    entry: &'a Entry,
    /// Its place among those of the part.
    index: usize,
    /// What the benchmark holds of every instrument against one contract.
    beside: Option<Vec<f64>>,
    /// What one contract is worth, at the scale of its path.
    value: Option<&'a Valued>,
}

impl Contract<'_> {
    fn hedged(&self, disagreement: f64) -> Hedged {
        let Self {
            part, entry, index, ..
        } = *self;
        let (cut, replay) = (&part.cut, &part.replay);
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
        let life = replay.life(cut, index);
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
            let mut all = [of.price, of.theta].into_iter();
            let mut each = of.deltas.iter().chain(&of.gammas).chain(&of.vegas);
            all.all(f64::is_finite) && each.all(|number| number.is_finite())
        });
        Hedged {
            id: entry.id.clone(),
            sold: entry.sold.to_string(),
            expiry: cut.contracts.expiry[index].to_string(),
            quantity: entry.quantity,
            strike: group.plan.has_strike().then(|| replay.strike(cut, index)),
            terms: cut
                .terms
                .iter()
                .zip(&entry.terms)
                .map(|(term, value)| (term.column.clone(), *value))
                .collect(),
            hedging_date: [held.age.min(life), life],
            standing: held.standing,
            held_by,
            window: part.window,
            positions,
            value: value.map(|value| Value {
                price: value.price / scale,
                delta: value.deltas[0],
                gamma: value.gammas[0] * scale,
                vega: value.vegas[0] / scale,
                theta: value.theta / scale,
            }),
            outside: Vec::new(),
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
        let charged = net::Charged::new(&self.part.cut, &self.part.replay, self.index, instrument);
        Position {
            instrument: net::traded(&self.part.cut, &self.part.replay, self.index, instrument),
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
