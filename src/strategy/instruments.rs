use super::raw::Raw;
use crate::bounds::{filled, fraction, one_of};
use crate::contract::{Costs, Instrument};
use crate::error::{Error, Result};
use crate::market::{Market, Model};

/// What is traded, with the proportional cost of each.
pub(super) fn instruments(
    raw: &mut Raw,
    market: &Market,
    costs: Costs,
) -> Result<Vec<(Instrument, f64)>> {
    const KEY: &str = "policy.instruments";
    let names = filled(&mut raw.policy.instruments, vec!["spot".into()]);
    let list: Vec<Instrument> = names
        .iter()
        .map(|name| one_of(KEY, name, &Instrument::ALL))
        .collect::<Result<_>>()?;
    let distinct = (1..list.len()).all(|i| !list[..i].contains(&list[i]));
    let valid = distinct && list.first() == Some(&Instrument::Spot);
    if !valid {
        return Err(Error::input(format!(
            "`{KEY}` must be distinct instruments, \"spot\" first, was {names:?}"
        )));
    }
    let swapped = list.contains(&Instrument::VarianceSwap);
    if swapped && !matches!(market.model, Model::Heston(_)) {
        return Err(Error::input(format!(
            "`{KEY}`: \"variance_swap\" needs the model \"heston\", since variance is constant under the others"
        )));
    }
    if swapped && raw.backtest.is_some() {
        return Err(Error::input(format!(
            "`backtest`: a history of closes has no prices of the \"variance_swap\" in `{KEY}`"
        )));
    }
    let key = "costs.variance_swap";
    if !swapped && raw.costs.variance_swap.is_some() {
        return Err(Error::input(format!(
            "`{key}` has no meaning unless `{KEY}` has \"variance_swap\""
        )));
    }
    let swap = if swapped {
        fraction(
            key,
            filled(&mut raw.costs.variance_swap, costs.proportional),
        )?
    } else {
        0.0
    };
    Ok(list
        .into_iter()
        .map(|instrument| match instrument {
            Instrument::Spot => (instrument, costs.proportional),
            Instrument::VarianceSwap => (instrument, swap),
        })
        .collect())
}
