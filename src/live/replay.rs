//! What policies held on every date since the sales of contracts, up to today.

use super::answer::{Standing, WhatIf};
use super::book::Entry;
use super::cut::Cut;
use crate::backtest::Group;
use crate::error::Result;
use crate::market::{Paths, Quotes};
use crate::network::Parameters;
use crate::simd::{BLOCK, Lane};

/// What is held against one contract today, in units of an instrument a contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The last hedging date of its life up to today, 0 for the sale.
    pub age: usize,
    /// Where it is in its life.
    pub standing: Standing,
    /// What every policy holds of every instrument.
    pub by_seed: Vec<Vec<f64>>,
    /// The mean of the policies, within limits.
    pub mean: Vec<f64>,
    /// The same before today's trade.
    pub before: Vec<f64>,
}

impl Held {
    /// The distance between the greatest and the least position of the policies in an instrument.
    pub fn spread(&self, instrument: usize) -> f64 {
        let own = || self.by_seed.iter().map(|of| of[instrument]);
        let most = own().fold(f64::NEG_INFINITY, f64::max);
        most - own().fold(f64::INFINITY, f64::min)
    }
}

/// A book replayed.
pub struct Replay {
    /// What is held today against every contract of the book.
    pub held: Vec<Held>,
    /// The group of every contract and its place there.
    places: Vec<(usize, usize)>,
}

impl Replay {
    /// Takes policies with these weights through the life of every contract up to today.
    ///
    /// # Errors
    /// Those of [`Plan::session_on`].
    pub fn new(cut: &Cut, policies: &[&Parameters]) -> Result<Self> {
        let count = cut.contracts.sold.len();
        let mut places = vec![(0, 0); count];
        let mut held: Vec<Option<Held>> = vec![None; count];
        let assets = &cut.contracts.assets;
        for (number, group) in cut.contracts.groups.iter().enumerate() {
            let session = group
                .plan
                .session_on(assets, policies, group.paths.clone())?;
            let mut session = session.with_mean(group.plan.limits.clone());
            let today = cut.history().len() - 1;
            let steps = group.plan.contract.steps;
            let ages: Vec<usize> = group
                .closes
                .iter()
                .map(|closes| closes.partition_point(|close| *close <= today) - 1)
                .collect();
            let last = ages.iter().copied().max().unwrap_or(0).min(steps - 1);
            for t in 0..=last {
                session.follow()?;
                for (place, &age) in ages.iter().enumerate() {
                    if age.min(steps - 1) != t {
                        continue;
                    }
                    let member = group.members[place];
                    places[member] = (number, place);
                    let block = group.paths.block(place / BLOCK);
                    let end = block.end().map_or(steps, |end| end[place % BLOCK] as usize);
                    let over = end <= age;
                    let trades = group.closes[place][age] == today;
                    let standing = match (over, trades) {
                        (true, _) => Standing::Ended,
                        (false, true) => Standing::Trades,
                        (false, false) => Standing::Holds,
                    };
                    let mean = session.positions(policies.len(), place);
                    let nothing = vec![0.0; mean.len()];
                    let by_seed = (0..policies.len()).map(|one| session.positions(one, place));
                    let bought = session.trades(policies.len(), place);
                    let earlier: Vec<f64> =
                        mean.iter().zip(bought).map(|(now, by)| now - by).collect();
                    let before: Vec<f64> = match standing {
                        Standing::Trades => earlier,
                        Standing::Holds => mean.clone(),
                        // What ends today was held until now; at expiry that is the position of the last period.
                        Standing::Ended if trades && end == steps => mean.clone(),
                        Standing::Ended if trades && end == age => earlier,
                        Standing::Ended => nothing.clone(),
                    };
                    held[member] = Some(Held {
                        age,
                        standing,
                        by_seed: match over {
                            true => vec![nothing.clone(); policies.len()],
                            false => by_seed.collect(),
                        },
                        mean: if over { nothing } else { mean },
                        before,
                    });
                }
            }
        }
        Ok(Self {
            held: held.into_iter().flatten().collect(),
            places,
        })
    }

    /// The group of contract `index` of the book, and its place there.
    pub fn place<'a>(&self, cut: &'a Cut, index: usize) -> (&'a Group, usize) {
        let (group, place) = self.places[index];
        (&cut.contracts.groups[group], place)
    }

    /// What today's money and spot of contract `index` on its path are times as much as those of the prices.
    pub fn scale(&self, cut: &Cut, index: usize) -> f64 {
        self.scale_on(cut, index, self.held[index].age)
    }

    /// The periods of the life of contract `index`.
    pub fn life(&self, cut: &Cut, index: usize) -> usize {
        let (group, place) = self.place(cut, index);
        let drawn = group.paths.block(place / BLOCK).drawn();
        drawn.map_or(group.plan.contract.steps, |drawn| {
            drawn.life[place % BLOCK] as usize
        })
    }

    /// The strike of contract `index` in the money of the prices.
    pub fn strike(&self, cut: &Cut, index: usize) -> f64 {
        let (group, place) = self.place(cut, index);
        let drawn = group.paths.block(place / BLOCK).drawn();
        let strike = drawn.map_or(group.plan.contract.strike, |drawn| {
            drawn.strike[place % BLOCK]
        });
        strike / self.scale_on(cut, index, self.life(cut, index))
    }

    /// What the strike of an option that hedges is times as much as that in the money of the prices: the scale at the expiry of the
    /// contract, in whose money strikes are where spots are forwards.
    pub fn strike_scale(&self, cut: &Cut, index: usize) -> f64 {
        let (group, _) = self.place(cut, index);
        self.scale_on(cut, index, group.plan.contract.steps)
    }

    fn scale_on(&self, cut: &Cut, index: usize, t: usize) -> f64 {
        let (group, place) = self.place(cut, index);
        let spot = group.paths.block(place / BLOCK).spot[t][place % BLOCK];
        // After today the close stays.
        let close = group.closes[place][t].min(cut.history().len() - 1);
        spot / cut.history().close[close]
    }

    /// What `positions` of all groups, as [`crate::backtest::Contracts::positions`] has them, hold against contract `index` today.
    pub fn positions_of(&self, cut: &Cut, positions: &[Vec<Lane<f64>>], index: usize) -> Vec<f64> {
        let (group, place) = self.places[index];
        let plan = &cut.contracts.groups[group].plan;
        let (steps, count) = (plan.contract.steps, plan.instruments.len());
        let held = &self.held[index];
        if held.standing == Standing::Ended {
            return vec![0.0; count];
        }
        let first = (place / BLOCK * steps + held.age) * count;
        let rows = &positions[group][first..][..count];
        rows.iter().map(|row| row[place % BLOCK]).collect()
    }

    /// Adds to `all` what the mean of the policies would hold if today's spot were another one, at the same variance and surface; of
    /// contracts that do not trade today what it holds. `places` are those of the contracts in the book.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn what_if(
        &self,
        (cut, entries, places): (&Cut, &[&Entry], &[usize]),
        policies: &[&Parameters],
        all: &mut [WhatIf],
    ) -> Result<()> {
        if all.is_empty() {
            return Ok(());
        }
        let moves: Vec<f64> = all.iter().map(|one| one.moved).collect();
        let moves = moves.as_slice();
        for (number, group) in cut.contracts.groups.iter().enumerate() {
            let paths = self.moved(cut, number, moves)?;
            let assets = &cut.contracts.assets;
            let session = group.plan.session_on(assets, policies, paths)?;
            let mut session = session.with_mean(group.plan.limits.clone());
            for t in 0..group.plan.contract.steps {
                session.follow()?;
                for (place, &member) in group.members.iter().enumerate() {
                    let held = &self.held[member];
                    for (which, answer) in all.iter_mut().enumerate() {
                        if held.age.min(group.plan.contract.steps - 1) != t {
                            continue;
                        }
                        let path = place * moves.len() + which;
                        let own = match held.standing {
                            Standing::Trades => session.positions(policies.len(), path),
                            Standing::Holds | Standing::Ended => held.mean.clone(),
                        };
                        let quantity = entries[member].quantity;
                        let own: Vec<f64> = own.iter().map(|one| quantity * one).collect();
                        for (net, own) in answer.net.iter_mut().zip(&own) {
                            *net += own;
                        }
                        answer.positions[places[member]] = own;
                    }
                }
            }
        }
        Ok(())
    }

    /// The paths of a group once for every move, by which the spot is another one from today on.
    fn moved(&self, cut: &Cut, number: usize, moves: &[f64]) -> Result<Paths<f64>> {
        let group = &cut.contracts.groups[number];
        let steps = group.plan.contract.steps;
        let count = moves.len();
        let rows: Vec<(Vec<f64>, Vec<f64>)> = (0..group.members.len() * count)
            .map(|path| {
                let (place, which) = (path / count, path % count);
                let (mut spots, variances) = group.paths.path(place);
                let age = self.held[group.members[place]].age;
                for spot in &mut spots[age..] {
                    *spot *= 1.0 + moves[which];
                }
                (spots, variances)
            })
            .collect();
        let rows = rows.iter();
        let rows = rows.map(|(spots, variances)| (spots.as_slice(), variances.as_slice()));
        let mut paths = Paths::from_rows(steps, rows);
        if let Some(family) = group.plan.contract.family() {
            paths = paths.drawing(family, |path| {
                let place = path / count;
                let drawn = group.paths.block(place / BLOCK).drawn();
                drawn.map_or(0, |drawn| drawn.member[place % BLOCK] as usize)
            });
        }
        let surfaces = group.paths.layout().has_surface();
        if surfaces {
            paths = paths.with_surfaces(|path, t| {
                let place = path / count;
                let state = group.paths.block(place / BLOCK);
                let state = state.state_of(0, t, place % BLOCK);
                state.surface.unwrap_or_default()
            });
        }
        let quotes = group.plan.quotes_in(&cut.contracts.assets)?;
        let quotes = Quotes::clone(&quotes).with_surface(surfaces);
        let mut paths = quotes.onto(paths);
        let costs = &cut.today.settings.costs;
        if !costs.is_flat() {
            let days = &cut.contracts.days;
            paths = paths.charged(|path, t| {
                let day = days[group.members[path / count]][t];
                costs.factor(day)
            });
        }
        Ok(paths)
    }
}
