//! What makes the features of a policy dimensionless, as far as the market and the contract decide it.

use crate::contract::Contract;
use crate::market::{Asset, Assets, Simulator};
use crate::network::{AssetScale, Standard};
use crate::random::{Purpose, Sampling};

/// What makes the features of a further asset dimensionless.
pub(super) fn scale(asset: &Asset) -> AssetScale {
    AssetScale {
        spot: asset.market.spot,
        volatility: asset.market.model.long_run_volatility(),
    }
}

/// The scales of the terms that paths draw: their means and standard deviations over the contracts of the family.
pub(super) fn terms_scales(contract: &Contract) -> Vec<Standard> {
    let Some(family) = contract.family() else {
        return Vec::new();
    };
    let of = |range: usize| {
        let members = family.members().iter();
        let values: Vec<f64> = members.map(|member| member.values[range]).collect();
        Standard::of(&values)
    };
    (0..family.ranges().len()).map(of).collect()
}

/// The scales of a contract's running quantities: their means and standard deviations over all dates after the sale of 4,096 simulated
/// paths of `assets`, the same for every seed.
pub(super) fn standards(assets: &Assets, contract: &Contract) -> Vec<Standard> {
    const PATHS: usize = 4096;
    let count = contract.accumulators().len();
    if count == 0 {
        return Vec::new();
    }
    let simulator = Simulator {
        assets: assets.clone(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 0,
        purpose: Purpose::Unit,
        sampling: Sampling::Pseudorandom,
        family: contract.family().cloned(),
    };
    let paths = simulator.paths::<f64>(0, PATHS).under(contract);
    let of = |accumulator: usize| {
        let blocks = (0..paths.blocks()).map(|block| paths.block(block).state(accumulator));
        let values: Vec<f64> = blocks
            .flat_map(|rows| rows[1..].as_flattened())
            .copied()
            .collect();
        Standard::of(&values)
    };
    (0..count).map(of).collect()
}
