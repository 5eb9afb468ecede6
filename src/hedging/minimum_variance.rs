use crate::contract::{Contract, Leg};
use crate::market::{Market, Paths};
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;

/// The delta that minimises the variance of the hedged option over the next instant, on every path and date; see
/// [`crate::pricing::Greeks::minimum_variance_delta`].
///
/// A date has one pricer for all paths. Under Heston that is one characteristic function, and an integral of about 20 µs
/// for each path.
///
/// # Shapes
/// `[blocks][steps][instruments][BLOCK]`, zero for instruments after the spot.
pub fn positions(
    market: &Market,
    contract: &Contract,
    legs: &[Leg],
    paths: &Paths<f64>,
) -> Vec<Lane<f64>> {
    let (steps, count) = (paths.steps(), paths.instruments().len());
    let by_date: Vec<Vec<Lane<f64>>> = (0..steps)
        .into_par_iter()
        .map(|t| {
            let left = contract.dt() * (steps - t) as f64;
            let elapsed = contract.dt() * t as f64;
            let states = (0..paths.blocks()).flat_map(|block| {
                let data = paths.block(block);
                data.spot[t].into_iter().zip(data.variance[t])
            });
            let pricer = market.pricer_after(elapsed, legs, left, states);
            (0..paths.blocks())
                .map(|block| {
                    let data = paths.block(block);
                    std::array::from_fn(|lane| {
                        let (spot, variance) = (data.spot[t][lane], data.variance[t][lane]);
                        let greeks = pricer.greeks_of(legs, spot, variance);
                        greeks.minimum_variance_delta
                    })
                })
                .collect()
        })
        .collect();
    let mut positions = vec![[0.0; BLOCK]; paths.blocks() * steps * count];
    for block in 0..paths.blocks() {
        for t in 0..steps {
            positions[(block * steps + t) * count] = by_date[t][block];
        }
    }
    positions
}
