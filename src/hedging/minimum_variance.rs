use crate::contract::Contract;
use crate::market::{Market, Model, Paths};
use crate::pricing::heston::HestonTransform;
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;

/// The delta that minimises the variance of the hedged option over the next instant, ∂V/∂S + (ρσ/S) ∂V/∂v, on every
/// path and date; none for a market of constant variance, where it is the Black–Scholes delta.
///
/// One characteristic function a date, one integral for each path on it: about 20 µs each.
///
/// # Shapes
/// `[blocks][steps][instruments][BLOCK]`, zero for instruments after the spot.
pub fn positions(
    market: &Market,
    contract: &Contract,
    paths: &Paths<f64>,
) -> Option<Vec<Lane<f64>>> {
    let Model::Heston(parameters) = market.model else {
        return None;
    };
    let (steps, count) = (paths.steps(), paths.instruments().len());
    let by_date: Vec<Vec<Lane<f64>>> = (0..steps)
        .into_par_iter()
        .map(|t| {
            let left = contract.dt() * (steps - t) as f64;
            let carry = (market.rate - market.dividend) * left;
            let (mut low, mut high, mut width) = (f64::INFINITY, 0f64, 0f64);
            for block in 0..paths.blocks() {
                let data = paths.block(block);
                for lane in 0..BLOCK {
                    let (spot, variance) = (data.spot[t][lane], data.variance[t][lane]);
                    (low, high) = (low.min(variance), high.max(variance));
                    width = width.max(((spot / contract.strike).ln() + carry).abs());
                }
            }
            let table = HestonTransform::new(&parameters, left, low..=high, width);
            (0..paths.blocks())
                .map(|block| {
                    let data = paths.block(block);
                    std::array::from_fn(|lane| {
                        let (spot, variance) = (data.spot[t][lane], data.variance[t][lane]);
                        let greeks = table.greeks(
                            contract.kind,
                            spot,
                            variance,
                            contract.strike,
                            market.rate,
                            market.dividend,
                        );
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
    Some(positions)
}
