use super::*;
use crate::contract::OptionKind;
use OptionKind::{Call, Put};

mod derivatives;
mod limits;
mod parities;
mod reference;

const ASSET: LognormalAsset = LognormalAsset {
    spot: 103.0,
    rate: 0.04,
    dividend: 0.015,
    volatility: 0.3,
    expiry: 0.7,
};

const BOTH: [OptionKind; 2] = [Call, Put];

fn at(spot: f64) -> LognormalAsset {
    LognormalAsset { spot, ..ASSET }
}

fn barrier(asset: LognormalAsset, kind: OptionKind, knock: Knock, level: f64) -> BarrierOption {
    let direction = if level < 100.0 {
        Direction::Down
    } else {
        Direction::Up
    };
    BarrierOption {
        asset,
        kind,
        strike: 100.0,
        barrier: level,
        direction,
        knock,
        spacing: 0.0,
        touched: false,
    }
}

/// Equidistant fixings, the last of them at expiry.
fn equidistant(count: usize, expiry: f64) -> Vec<f64> {
    let time = |i: usize| expiry * i as f64 / count as f64;
    (1..=count).map(time).collect()
}

fn two_assets(spots: [f64; 2], correlation: f64) -> TwoAssets {
    TwoAssets {
        spots,
        dividends: [0.01, 0.03],
        volatilities: [0.2, 0.35],
        correlation,
        rate: 0.04,
        expiry: 0.8,
    }
}
