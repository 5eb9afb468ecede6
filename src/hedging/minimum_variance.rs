use crate::contract::{Contract, Leg};
use crate::market::{Market, Model, Paths};
use crate::pricing::MertonParameters;
use crate::pricing::heston::HestonTransform;
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;

/// The delta that minimises the variance of the hedged option over the next instant on every path and date: under Heston
/// ∂V/∂S + (ρσ/S) ∂V/∂v, under Merton that of [`crate::pricing::Greeks`]; none under geometric Brownian motion, where
/// it is the Black–Scholes delta.
///
/// Under Heston one characteristic function a date, one integral for each path on it: about 20 µs each.
///
/// # Shapes
/// `[blocks][steps][instruments][BLOCK]`, zero for instruments after the spot.
pub fn positions(
    market: &Market,
    contract: &Contract,
    paths: &Paths<f64>,
) -> Option<Vec<Lane<f64>>> {
    let parameters = match market.model {
        Model::Gbm { .. } => return None,
        Model::Merton(parameters) => return Some(with_jumps(&parameters, market, contract, paths)),
        Model::Heston(parameters) => parameters,
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
                    width = width.max(contract.log_moneyness(spot, carry));
                }
            }
            let table = HestonTransform::new(&parameters, left, low..=high, width);
            (0..paths.blocks())
                .map(|block| {
                    let data = paths.block(block);
                    std::array::from_fn(|lane| {
                        let (spot, variance) = (data.spot[t][lane], data.variance[t][lane]);
                        let delta = |leg: Leg| {
                            let Market { rate, dividend, .. } = *market;
                            let (kind, strike) = (leg.kind, leg.strike);
                            let greeks = table.greeks(kind, spot, variance, strike, rate, dividend);
                            leg.quantity * greeks.minimum_variance_delta
                        };
                        contract.legs().map(delta).sum()
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

fn with_jumps(
    parameters: &MertonParameters,
    market: &Market,
    contract: &Contract,
    paths: &Paths<f64>,
) -> Vec<Lane<f64>> {
    let Market { rate, dividend, .. } = *market;
    let (steps, count) = (paths.steps(), paths.instruments().len());
    let mut positions = vec![[0.0; BLOCK]; paths.blocks() * steps * count];
    positions
        .par_chunks_exact_mut(steps * count)
        .enumerate()
        .for_each(|(block, out)| {
            let spot = paths.block(block).spot;
            for t in 0..steps {
                let left = contract.dt() * (steps - t) as f64;
                out[t * count] = spot[t].map(|spot| {
                    let delta = |leg: Leg| {
                        let greeks =
                            parameters.greeks(leg.kind, spot, leg.strike, left, rate, dividend);
                        leg.quantity * greeks.minimum_variance_delta
                    };
                    contract.legs().map(delta).sum()
                });
            }
        });
    positions
}
