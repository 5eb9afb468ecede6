//! Variates whose expectation is known, which take their share of a payoff's variance away.

use crate::contract::{Contract, Leg, OptionKind};
use crate::market::assets::Assets;
use crate::market::paths::PathBlock;
use crate::market::spot_market::Market;
use crate::pricing::BlackScholes;
use crate::pricing::exotic::{AverageSoFar, GeometricAsian, LognormalAsset};
use crate::simd::{BLOCK, Lane};

/// One variate, paid at expiry.
#[derive(Debug, Clone, PartialEq)]
enum Variate {
    /// The last spot of an asset.
    Forward(usize),
    /// A call on the last spot of an asset.
    Call(usize, f64),
    /// The mean of an asset's spots over all dates after the sale.
    Mean(usize),
    /// A call on the geometric mean of an asset's spots over all dates after the sale.
    GeometricCall(usize, f64),
    /// An asset that was bought at the sale and is sold when the contract ends: a martingale stopped.
    Stopped(usize),
    /// A call that was bought at the sale and is sold when the contract ends.
    StoppedCall(usize, f64),
}

/// The variates of a contract.
#[derive(Debug, Clone)]
pub struct Controls {
    variates: Vec<Variate>,
    steps: usize,
    expiry: f64,
}

impl Controls {
    /// Those that can be expected to move with what `contract` pays.
    pub fn new(assets: &Assets, contract: &Contract) -> Self {
        let mut variates = Vec::new();
        let averages = !contract.accumulators().is_empty();
        for (asset, one) in assets.list().iter().enumerate() {
            let market = &one.market;
            variates.push(Variate::Forward(asset));
            let variance = market.model.initial_volatility().powi(2);
            let variance = market.model.mean_variance(variance, contract.expiry);
            let deviation = (variance * contract.expiry).sqrt();
            let forward = market.forward(contract.expiry);
            // The contract's strike, or the forward where that says nothing of this asset.
            let near = (contract.strike / forward).ln().abs() < 2.0 * deviation;
            let middle = if near { contract.strike } else { forward };
            if market.model.prices_are_exact() {
                let strikes = [-1.0, 0.0, 1.0].map(|d| middle * f64::exp(d * deviation));
                variates.extend(strikes.map(|strike| Variate::Call(asset, strike)));
            }
            if contract.can_end() {
                variates.push(Variate::Stopped(asset));
                if market.model.lognormal().is_some() {
                    variates.push(Variate::StoppedCall(asset, middle));
                }
            }
            if averages {
                variates.push(Variate::Mean(asset));
                if market.model.lognormal().is_some() {
                    variates.push(Variate::GeometricCall(asset, middle));
                }
            }
        }
        Self {
            variates,
            steps: contract.steps,
            expiry: contract.expiry,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.variates.len()
    }

    /// What one unit of currency so many years before the expiry is worth there.
    fn growth(&self, market: &Market, left: f64) -> f64 {
        (market.rate.average(self.expiry - left, self.expiry) * left).exp()
    }

    /// Their expectations at expiry of these assets.
    pub fn expectations(&self, assets: &Assets) -> Vec<f64> {
        let expectation = |variate: &Variate| match *variate {
            Variate::Forward(asset) => assets.market(asset).forward(self.expiry),
            Variate::Stopped(asset) => {
                let market = assets.market(asset);
                market.spot * self.growth(market, self.expiry)
            }
            Variate::Call(asset, strike) | Variate::StoppedCall(asset, strike) => {
                let market = assets.market(asset);
                let legs = [Leg::one(OptionKind::Call, strike)];
                market.price(&legs, self.expiry) * self.growth(market, self.expiry)
            }
            Variate::Mean(asset) => {
                let date = |t: usize| self.expiry * t as f64 / self.steps as f64;
                let sum: f64 = (1..=self.steps)
                    .map(|t| assets.market(asset).forward(date(t)))
                    .sum();
                sum / self.steps as f64
            }
            Variate::GeometricCall(asset, strike) => {
                let market = assets.market(asset);
                let date = |t: usize| self.expiry * t as f64 / self.steps as f64;
                let times: Vec<f64> = (1..=self.steps).map(date).collect();
                let carries = times.iter().map(|t| market.carry(0.0, *t) * t);
                let rate = market.rate.average(0.0, self.expiry);
                let option = GeometricAsian {
                    asset: LognormalAsset {
                        spot: market.spot,
                        rate,
                        // The forwards of all dates together grow as at this yield.
                        dividend: rate - carries.sum::<f64>() / times.iter().sum::<f64>(),
                        volatility: market.model.initial_volatility(),
                        expiry: self.expiry,
                    },
                    kind: OptionKind::Call,
                    strike,
                    average: AverageSoFar::Fixings {
                        known: 0,
                        log_sum: 0.0,
                        times: &times,
                    },
                };
                option.valuation().price * self.growth(market, self.expiry)
            }
        };
        self.variates.iter().map(expectation).collect()
    }

    /// Their values at expiry on a block of paths of these assets.
    pub fn values(&self, assets: &Assets, block: PathBlock<'_, f64>) -> Vec<Lane<f64>> {
        // What is worth `value` with so many years left when the contract ends, and earns interest after.
        let stopped = |asset: usize, value: &dyn Fn(&Market, f64, f64) -> f64| -> Lane<f64> {
            let (market, spots) = (assets.market(asset), block.spot_of(asset));
            let whole = [self.steps as f64; BLOCK];
            let end = block.end().unwrap_or(&whole);
            std::array::from_fn(|lane| {
                let date = end[lane] as usize;
                let left = self.expiry * (self.steps - date) as f64 / self.steps as f64;
                value(market, left, spots[date][lane]) * self.growth(market, left)
            })
        };
        let value = |variate: &Variate| match *variate {
            Variate::Forward(asset) => block.spot_of(asset)[self.steps],
            Variate::Call(asset, strike) => {
                block.spot_of(asset)[self.steps].map(|spot| (spot - strike).max(0.0))
            }
            Variate::Mean(asset) => mean(&block.spot_of(asset)[1..], |spot| spot),
            Variate::GeometricCall(asset, strike) => {
                mean(&block.spot_of(asset)[1..], f64::ln).map(|log| (log.exp() - strike).max(0.0))
            }
            Variate::Stopped(asset) => stopped(asset, &|market, left, spot| {
                let elapsed = self.expiry - left;
                spot * market.dividend.integral(0.0, elapsed).exp()
            }),
            Variate::StoppedCall(asset, strike) => stopped(asset, &|market, left, spot| {
                let call = Leg::one(OptionKind::Call, strike);
                let (elapsed, volatility) = (self.expiry - left, market.model.initial_volatility());
                let option = market.black_scholes_after(elapsed, call, left, volatility);
                BlackScholes { spot, ..option }.price()
            }),
        };
        self.variates.iter().map(value).collect()
    }
}

fn mean(rows: &[Lane<f64>], of: impl Fn(f64) -> f64) -> Lane<f64> {
    let mut sum = [0.0; BLOCK];
    for row in rows {
        for lane in 0..BLOCK {
            sum[lane] += of(row[lane]);
        }
    }
    sum.map(|sum| sum / rows.len() as f64)
}
