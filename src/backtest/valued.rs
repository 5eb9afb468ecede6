//! What contracts are worth on one date.

use super::valuation::{Valuation, states};
use crate::contract::Contract;
use crate::market::{Assets, Paths};
use crate::simd::BLOCK;

/// What a contract is worth on a date, and how that changes with the first asset.
///
/// # Units
/// Currency; the delta in shares, the gamma in shares per currency, theta over one hedging period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valued {
    /// Its price.
    pub price: f64,
    /// ∂V/∂S.
    pub delta: f64,
    /// ∂²V/∂S².
    pub gamma: f64,
    /// What it changes by as a period passes.
    pub theta: f64,
}

impl Valuation {
    /// What contract `index` is worth on date `t` before its expiry; none if it has no price on every date.
    pub fn at(&self, index: usize, t: usize) -> Option<Valued> {
        let period = &self.periods.as_ref()?[index].get(t)?;
        Some(Valued {
            price: period.now,
            delta: period.deltas.first().copied().unwrap_or(0.0),
            gamma: period.gammas.first().copied().unwrap_or(0.0),
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
    let market = assets.first();
    let plain = !paths.layout().has_surface() && market.model.prices_every_state();
    let Some(legs) = contract.legs().filter(|_| plain) else {
        let all = Valuation::new(contract, assets, paths);
        let each = dates.iter().enumerate();
        return each.map(|(path, &t)| all.at(path, t)).collect();
    };
    let mut valued = vec![None; dates.len()];
    for t in 0..contract.steps {
        let own: Vec<usize> = (0..dates.len()).filter(|&path| dates[path] == t).collect();
        if own.is_empty() {
            continue;
        }
        let (elapsed, left) = (
            contract.dt() * t as f64,
            contract.dt() * (contract.steps - t) as f64,
        );
        let at = own.iter().map(|&path| {
            let state = paths.block(path / BLOCK).state_of(0, t, path % BLOCK);
            (state.spot, state.variance)
        });
        let found = states(legs, market, (elapsed, left), at);
        for (path, found) in own.iter().zip(found) {
            valued[*path] = Some(Valued {
                price: found.price,
                delta: found.delta,
                gamma: found.gamma,
                theta: found.theta * contract.dt(),
            });
        }
    }
    valued
}
