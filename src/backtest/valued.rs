//! What contracts are worth on one date.

use super::by_formula::vegas;
use super::on_surface;
use super::valuation::{Valuation, drawn_alone, states};
use crate::contract::Contract;
use crate::market::{Assets, Paths};
use crate::simd::BLOCK;
use rayon::prelude::*;

/// What a contract is worth on a date, and how that changes.
///
/// # Shapes
/// A delta, a gamma and a vega for every asset of the market.
///
/// # Units
/// Currency; deltas in shares, gammas in shares per currency, vegas per unit of volatility, theta over one hedging period.
#[derive(Debug, Clone, PartialEq)]
pub struct Valued {
    /// Its price.
    pub price: f64,
    /// ∂V/∂S_i.
    pub deltas: Vec<f64>,
    /// ∂²V/∂S_i².
    pub gammas: Vec<f64>,
    /// ∂V/∂√v_i, v_i the instantaneous variance; on an implied-volatility surface as all of its volatilities move alike.
    pub vegas: Vec<f64>,
    /// What it changes by as a period passes.
    pub theta: f64,
}

impl Valuation {
    /// What contract `index` is worth on date `t` before its expiry, with these vegas; none if it has no price on every date.
    pub(super) fn at(&self, index: usize, t: usize, vegas: Vec<f64>) -> Option<Valued> {
        let period = &self.periods.as_ref()?[index].get(t)?;
        let of_assets = |known: &[f64]| {
            let mut all = known.to_vec();
            all.resize(self.assets.count(), 0.0);
            all
        };
        Some(Valued {
            price: period.now,
            deltas: of_assets(&period.deltas),
            gammas: of_assets(&period.gammas),
            vegas,
            theta: period.theta,
        })
    }
}

/// What `contract` is worth on one date of each of `paths`, before its expiry; none where it has no price on every date. Calls and puts
/// are valued on those dates alone.
///
/// # Panics
/// If there are not as many dates as paths.
pub fn on_dates(
    contract: &Contract,
    assets: &Assets,
    paths: &Paths<f64>,
    dates: &[usize],
) -> Vec<Option<Valued>> {
    assert_eq!(dates.len(), paths.count());
    if let Some(family) = contract.family() {
        let of_path = |path: usize| {
            let (own, alone) = drawn_alone(family, paths, path)?;
            on_dates(own, assets, &alone, &dates[path..=path]).pop()?
        };
        return (0..paths.count()).into_par_iter().map(of_path).collect();
    }
    let (market, count) = (assets.first(), assets.count());
    let first_alone = |of: f64| {
        let mut all = vec![0.0; count];
        all[0] = of;
        all
    };
    let time = |t: usize| {
        let left = contract.dt() * (contract.steps - t) as f64;
        (contract.dt() * t as f64, left)
    };
    let state = |path: usize, t: usize| paths.block(path / BLOCK).state_of(0, t, path % BLOCK);
    let on_surface = paths.layout().has_surface();
    let plain = !on_surface && market.model.prices_every_state();
    let Some(legs) = contract.legs().filter(|_| plain) else {
        let all = Valuation::new(contract, assets, paths);
        let vegas = match (contract.legs(), assets.formula(contract)) {
            (Some(legs), _) if on_surface => {
                let vega = |(path, &t): (usize, &usize)| match t < contract.steps {
                    true => on_surface::vega(legs, market, time(t), &state(path, t)),
                    false => 0.0,
                };
                let vegas = dates.iter().enumerate().map(vega);
                vegas.map(first_alone).collect()
            }
            (None, Some(formula)) if all.periods.is_some() => {
                vegas(contract, formula, assets, (paths, dates))
            }
            // There is no price either.
            (Some(_), _) | (None, _) => vec![Vec::new(); dates.len()],
        };
        let each = dates.iter().zip(vegas).enumerate();
        return each
            .map(|(path, (&t, vegas))| all.at(path, t, vegas))
            .collect();
    };
    let mut valued = vec![None; dates.len()];
    for t in 0..contract.steps {
        let own: Vec<usize> = (0..dates.len()).filter(|&path| dates[path] == t).collect();
        if own.is_empty() {
            continue;
        }
        let at = own.iter().map(|&path| {
            let state = state(path, t);
            (state.spot, state.variance)
        });
        let found = states(legs, market, time(t), at);
        for (path, found) in own.iter().zip(found) {
            valued[*path] = Some(Valued {
                price: found.price,
                deltas: first_alone(found.delta),
                gammas: first_alone(found.gamma),
                vegas: first_alone(found.vega),
                theta: found.theta * contract.dt(),
            });
        }
    }
    valued
}
