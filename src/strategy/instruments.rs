use super::raw::Raw;
use crate::bounds::{filled, fraction, not_negative, one_of};
use crate::contract::{Charge, Costs, Instrument};
use crate::error::{Error, Result};
use crate::market::{Market, Model};

/// What is traded, and what trading it costs.
pub(super) fn instruments(
    raw: &mut Raw,
    market: &Market,
    costs: Costs,
) -> Result<Vec<(Instrument, Charge)>> {
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
    const COST: &str = "costs.variance_swap";
    const SPREAD: &str = "costs.variance_swap_half_spread";
    let superfluous = [
        (COST, raw.costs.variance_swap),
        (SPREAD, raw.costs.variance_swap_half_spread),
    ];
    if let Some((key, _)) = superfluous.iter().find(|(_, v)| !swapped && v.is_some()) {
        return Err(Error::input(format!(
            "`{key}` has no meaning unless `{KEY}` has \"variance_swap\""
        )));
    }
    let swap = if swapped {
        let Charge {
            proportional,
            half_spread,
        } = costs.spot;
        let swap = &mut raw.costs;
        Charge {
            proportional: fraction(COST, filled(&mut swap.variance_swap, proportional))?,
            half_spread: not_negative(
                SPREAD,
                filled(&mut swap.variance_swap_half_spread, half_spread),
            )?,
        }
    } else {
        Charge::default()
    };
    Ok(list
        .into_iter()
        .map(|instrument| match instrument {
            Instrument::Spot => (instrument, costs.spot),
            Instrument::VarianceSwap => (instrument, swap),
        })
        .collect())
}
