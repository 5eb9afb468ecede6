//! The search for the parameters of classical hedges that are not given.

use super::ClassicalHedge;
use super::lattice::Lattice;
use super::parameter::{HedgeValues, Parameter};
use crate::error::Result;

/// What the search for parameters depends on.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// The strategy's unit of money, in the spot's currency.
    pub money: f64,
    /// The number of dates on which the contract is hedged.
    pub dates: usize,
    /// Whether trading anything costs something.
    pub costs: bool,
    /// The risk aversion of all hedges that give none, if it is not to be searched for.
    pub aversion: Option<f64>,
}

/// A parameter that was searched for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TunedParameter {
    /// Which one.
    pub parameter: Parameter,
    /// Its value.
    pub value: f64,
    /// Whether the search ended at a bound, beyond which the risk may still fall.
    pub at_bound: bool,
}

/// A hedge with all its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedHedge {
    /// The hedge.
    pub hedge: ClassicalHedge,
    /// Its parameters, given and found.
    pub values: HedgeValues,
    /// Those that were searched for.
    pub tuned: Vec<TunedParameter>,
    /// The coefficients of its centre, where that is fitted.
    pub coefficients: Vec<f64>,
    /// The risk with them on the paths of the search.
    pub risk: f64,
}

impl ClassicalHedge {
    /// The parameters that are searched for.
    pub fn searched(&self, at: &Search) -> Vec<Parameter> {
        let known = at.aversion.is_some() || !at.costs;
        let mut missing = self.missing();
        missing.retain(|parameter| !(known && parameter.is_aversion()));
        missing
    }
}

/// How often all parameters are searched again after the first time, at most.
const ROUNDS: usize = 8;

/// The hedge with those of its parameters that are not given searched for, each where `risk` is least. Several are searched one after the
/// other, then all places once more with what was found for the others, and then around what was found for as long as that changes
/// something, at most eight times in all. Since parameters may stand in for each other, where none alone leads further down two are moved
/// together, and the search is made from the first parameter to the last and from the last to the first, of which the better one counts.
/// Without costs nothing depends on an aversion, and it is 1. One that the search gives is
/// not searched for.
///
/// # Errors
/// Those of `risk`.
pub fn tune(
    hedge: ClassicalHedge,
    at: Search,
    risk: &mut dyn FnMut(&HedgeValues) -> Result<f64>,
) -> Result<TunedHedge> {
    let usual = at
        .aversion
        .map_or_else(HedgeValues::default, HedgeValues::from);
    let mut values = hedge.values(usual);
    let searched = hedge.searched(&at);
    for aversion in searched.iter().filter(|parameter| parameter.is_aversion()) {
        values = values.with(*aversion, 1.0 / at.money);
    }
    let quick = !hedge.moves_with_parameters();
    let lattices = searched
        .iter()
        .map(|one| (*one, Lattice::of(*one, at, quick)));
    let lattices: Vec<(Parameter, Lattice)> = lattices.collect();
    let forward: Vec<usize> = (0..lattices.len()).collect();
    let backward: Vec<usize> = forward.iter().rev().copied().collect();
    let mut best = Found::in_order(&lattices, &forward, values, risk)?;
    if lattices.len() > 1 {
        let other = Found::in_order(&lattices, &backward, values, risk)?;
        if other.risk < best.risk {
            best = other;
        }
    }
    let found = lattices.iter().zip(&best.places);
    let tuned = found.map(|((parameter, lattice), place)| TunedParameter {
        parameter: *parameter,
        value: (lattice.value)(*place),
        at_bound: lattice.is_bound(*place),
    });
    Ok(TunedHedge {
        hedge,
        values: best.values,
        tuned: tuned.collect(),
        coefficients: Vec::new(),
        risk: match lattices.is_empty() {
            true => risk(&values)?,
            false => best.risk,
        },
    })
}

/// What a search over all parameters finds.
#[derive(Clone)]
struct Found {
    risk: f64,
    values: HedgeValues,
    /// The place of every parameter in its lattice.
    places: Vec<i32>,
}

impl Found {
    /// The search in an order of the parameters, from `values`.
    fn in_order(
        lattices: &[(Parameter, Lattice)],
        order: &[usize],
        values: HedgeValues,
        risk: &mut dyn FnMut(&HedgeValues) -> Result<f64>,
    ) -> Result<Self> {
        let mut found = Self {
            risk: f64::INFINITY,
            values,
            places: vec![0; lattices.len()],
        };
        for &index in order {
            let (parameter, lattice) = &lattices[index];
            let of = |value| risk(&found.values.with(*parameter, value));
            let (risk, place) = lattice.least(of)?;
            found.set(index, (*parameter, lattice), (risk, place));
        }
        for round in 0..ROUNDS {
            let before = found.risk;
            for &index in order.iter().filter(|_| order.len() > 1) {
                match round {
                    0 => {
                        let (parameter, lattice) = &lattices[index];
                        let of = |value| risk(&found.values.with(*parameter, value));
                        let next = lattice.least(of)?;
                        if next.0 < found.risk {
                            found.set(index, (*parameter, lattice), next);
                        }
                    }
                    _ => found.walk(lattices, index, risk)?,
                }
            }
            if found.risk == before {
                found.follow(lattices, order, risk)?;
            }
            if found.risk == before {
                break;
            }
        }
        Ok(found)
    }

    /// One parameter moved to where the risk is less, the others as they are.
    fn walk(
        &mut self,
        lattices: &[(Parameter, Lattice)],
        index: usize,
        risk: &mut dyn FnMut(&HedgeValues) -> Result<f64>,
    ) -> Result<()> {
        let (parameter, lattice) = &lattices[index];
        let of = |value| risk(&self.values.with(*parameter, value));
        let next = lattice.around((self.risk, self.places[index]), of)?;
        if next.0 < self.risk {
            self.set(index, (*parameter, lattice), next);
        }
        Ok(())
    }

    /// Follows a valley in which no parameter alone leads further down: one parameter is moved to the next place whatever the risk
    /// there, the others are moved after it, and where that is less than before, it is gone on from there.
    fn follow(
        &mut self,
        lattices: &[(Parameter, Lattice)],
        order: &[usize],
        risk: &mut dyn FnMut(&HedgeValues) -> Result<f64>,
    ) -> Result<()> {
        for &index in order.iter().filter(|_| order.len() > 1) {
            let (parameter, lattice) = &lattices[index];
            for away in [-1, 1] {
                loop {
                    let place = self.places[index] + away;
                    if !(lattice.last.0..=lattice.last.1).contains(&place) {
                        break;
                    }
                    let mut moved = self.clone();
                    let there = risk(&self.values.with(*parameter, (lattice.value)(place)))?;
                    moved.set(index, (*parameter, lattice), (there, place));
                    for &other in order.iter().filter(|other| **other != index) {
                        moved.walk(lattices, other, risk)?;
                    }
                    if moved.risk >= self.risk {
                        break;
                    }
                    *self = moved;
                }
            }
        }
        Ok(())
    }

    fn set(
        &mut self,
        index: usize,
        (parameter, lattice): (Parameter, &Lattice),
        (risk, place): (f64, i32),
    ) {
        self.risk = risk;
        self.places[index] = place;
        self.values = self.values.with(parameter, (lattice.value)(place));
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
