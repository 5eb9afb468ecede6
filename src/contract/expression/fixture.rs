//! Paths and sheets for the tests of the room.

use super::{Expression, Grid, Parameter, Payment, Program, Sheet, Value};
use crate::contract::{Observed as Room, Spots};
use crate::error::Result;
use crate::random::{Purpose, sequential};
use crate::simd::{BLOCK, Lane};
use rand::RngExt;

pub(super) fn names(assets: &[&str]) -> Vec<String> {
    assets.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn payment(on: &str, when: Option<&str>, amount: &str, ends: bool) -> Payment {
    let read = |key: &str, text: &str| Expression::parse(key, text).unwrap();
    Payment {
        on: read("on", on),
        when: when.map(|text| read("when", text)),
        amount: read("amount", amount),
        ends,
    }
}

/// A sheet of one payment at expiry, in which K is 100.
pub(super) fn payoff(text: &str) -> Result<Sheet> {
    Sheet::payoff("contract.payoff", text, [("K".to_owned(), 100.0)])
}

/// A sheet of some payments without parameters.
pub(super) fn sheet(payments: impl IntoIterator<Item = Payment>) -> Sheet {
    Sheet {
        payments: payments.into_iter().collect(),
        parameters: Vec::new(),
    }
}

pub(super) fn drawn(name: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        value: Value::Drawn,
    }
}

/// Spots around 100 that move by up to 6 % a date: `[assets][steps + 1][BLOCK]`.
pub(super) fn spots(assets: usize, steps: usize, seed: u64) -> Vec<Vec<Lane<f64>>> {
    let mut random = sequential(seed, Purpose::Evaluation);
    let mut path = || {
        let mut spot = [0.0; BLOCK].map(|_: f64| random.random_range(90.0..110.0));
        let mut dates = vec![spot];
        for _ in 0..steps {
            spot = spot.map(|spot| spot * random.random_range(0.94..1.065));
            dates.push(spot);
        }
        dates
    };
    (0..assets).map(|_| path()).collect()
}

/// What a program makes of a block.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observed {
    pub payments: Vec<Lane<f64>>,
    pub end: [usize; BLOCK],
    /// `[accumulators][steps + 1]`.
    pub state: Vec<Vec<Lane<f64>>>,
}

pub(super) fn observe(
    program: &Program,
    spots: &[Vec<Lane<f64>>],
    terms: &[Lane<f64>],
    life: Option<&[usize; BLOCK]>,
) -> Observed {
    let dates = program.grid().steps + 1;
    let mut payments = vec![[0.0; BLOCK]; program.due().len()];
    let mut end = vec![[0.0; BLOCK]];
    let mut state = vec![[0.0; BLOCK]; program.accumulators().len() * dates];
    let out = Room {
        payments: &mut payments,
        end: &mut end,
        state: &mut state,
    };
    let rows = spots.concat();
    let spots = Spots::new(&rows, dates, dates);
    // Payments that are not finite are looked at by the tests that make them.
    let _ = program.observe(spots, terms, life, out);
    Observed {
        payments,
        end: end[0].map(|date| date as usize),
        state: state.chunks(dates).map(<[_]>::to_vec).collect(),
    }
}

/// A grid of trading days.
pub(super) fn days(steps: usize) -> Grid {
    Grid::new(steps, 1.0 / 252.0, 252.0)
}

/// What is paid at expiry on the paths of one asset that `seed` gives.
pub(super) fn paid(text: &str, steps: usize, seed: u64) -> Lane<f64> {
    let program = Program::new(&payoff(text).unwrap(), &names(&["x"]), days(steps)).unwrap();
    assert_eq!(program.due(), [steps]);
    observe(&program, &spots(1, steps, seed), &[], None).payments[0]
}
