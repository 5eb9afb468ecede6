//! What lies outside of what policies were trained on.

use super::book::Entry;
use super::cut::Cut;
use crate::backtest::Group;
use crate::error::{Error, Result, excerpt};
use crate::numbers::significant;
use crate::runs::trained_on::{Quantiles, TrainedOn};
use crate::simd::BLOCK;
use crate::strategy::Plan;

/// How far, as a share, the length of a hedging period or of a life may be from that of training.
const LENGTH: f64 = 0.05;

/// Weekdays before an expiry in the future of which one may be a holiday.
const WEEKDAYS_A_HOLIDAY: i64 = 10;

/// Bytes of an error up to which contracts are named.
const LONGEST: usize = 400;

/// Why the policies of `plan` were not trained for contract `place` of a group, whose last hedging date up to today is `age`; nothing if
/// they were.
pub fn outside(
    plan: &Plan,
    trained: Option<&TrainedOn>,
    cut: &Cut,
    (group, place, age): (&Group, usize, usize),
    entry: &Entry,
) -> Vec<String> {
    let mut found = Vec::new();
    let (own, there) = (&plan.contract, &group.plan.contract);
    let differs = |here: f64, there: f64| (here / there - 1.0).abs() > LENGTH;
    if differs(there.expiry, own.expiry) || differs(there.dt(), own.dt()) {
        found.push(format!(
            "it lives for {:.4} years in {} periods, and training for {:.4} years in {}",
            there.expiry, there.steps, own.expiry, own.steps
        ));
    }
    let member = group.members[place];
    let expiry = cut.contracts.expiry[member];
    if let Some(said) = entry.expiry {
        // Of the weekdays after today some may be holidays.
        let left = (expiry - cut.today.day()).num_days().max(0);
        let days = (said - expiry).num_days();
        let slack = match left {
            0 => 0,
            left => 3 + left / WEEKDAYS_A_HOLIDAY,
        };
        if !(0..=slack).contains(&days) {
            found.push(format!(
                "it expires on {said}, and the run's contract of that sale on {expiry}"
            ));
        }
    }
    let of_terms = cut.terms.iter().zip(&entry.terms);
    for ((term, said), counted) in of_terms.zip(&cut.counted[member]) {
        let [low, high] = term.ends;
        let slack = 1e-9 * (low.abs() + high.abs());
        if !(low - slack..=high + slack).contains(counted) {
            // In what the row is written in.
            let unit = if *counted == 0.0 { 1.0 } else { said / counted };
            let (least, most) = (significant(low * unit, 6), significant(high * unit, 6));
            found.push(format!(
                "its {} is {said}, and training has {least} to {most}",
                term.column
            ));
        }
    }
    let Some(trained) = trained else {
        return found;
    };
    let block = group.paths.block(place / BLOCK);
    let lane = place % BLOCK;
    let strike = block
        .drawn()
        .map_or(there.strike, |drawn| drawn.strike[lane]);
    let spot = |t: usize| block.spot[t][lane];
    let date = |t: usize| cut.contracts.days[member][t];
    let moneyness = |t: usize| spot(t) / strike;
    // What a path sees one date after its sale, a policy may see at the sale.
    let [least, most] = trained.moneyness_at_sale;
    let moves = &trained.log_return;
    let near = least * moves[0].exp()..=most * moves[moves.len() - 1].exp();
    if entry.strike.is_some() && !near.contains(&moneyness(0)) {
        found.push(format!(
            "it was sold at a spot of {:.4} strikes, and training at {least:.4} to {most:.4}",
            moneyness(0)
        ));
    }
    let known = 0..=age;
    let mut check = |what: &str, range: &Quantiles, of: &dyn Fn(usize) -> Option<f64>| {
        let (low, high) = (range[0], range[range.len() - 1]);
        // Where nothing varies in training, rounding is no difference.
        let slack = 1e-9 * (low.abs() + high.abs());
        let seen = known.clone().filter_map(|t| Some((t, of(t)?)));
        let mut far = seen.filter(|(_, x)| *x < low - slack || *x > high + slack);
        if let Some((t, x)) = far.next_back() {
            found.push(format!(
                "{what} of {x:.4} on {}, and training from {low:.4} to {high:.4}",
                date(t)
            ));
        }
    };
    check("a spot over the strike", &trained.moneyness, &|t| {
        Some(moneyness(t))
    });
    check("a volatility", &trained.volatility, &|t| {
        Some(block.variance[t][lane].sqrt())
    });
    check(
        "a move of the spot's logarithm",
        &trained.log_return,
        &|t| Some((spot(t) / spot(t.checked_sub(1)?)).ln()),
    );
    found
}

/// Refuses contracts that policies were not trained for or, if that is forced, warns of them.
pub fn check_training(
    book: &[Entry],
    far: &[Vec<String>],
    force: bool,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let named: Vec<String> = book
        .iter()
        .zip(far)
        .filter(|(_, far)| !far.is_empty())
        .map(|(entry, far)| {
            let id = excerpt(&entry.id);
            format!("{} (\"{id}\"): {}", entry.place, far.join(", and "))
        })
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    let mut words = named[0].clone();
    for (shown, row) in named.iter().enumerate().skip(1) {
        if words.len() + row.len() > LONGEST {
            words = format!("{words}; and {} rows more", named.len() - shown);
            break;
        }
        words = format!("{words}; {row}");
    }
    if force {
        warnings.push(format!(
            "outside of what the policies were trained on: {words}"
        ));
        return Ok(());
    }
    Err(Error::input(format!(
        "outside of what the policies were trained on: {words}; --force answers all the same"
    )))
}
