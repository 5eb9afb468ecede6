use super::gbm::GbmBlock;
use super::heston::HestonBlock;
use super::paths::Paths;
use super::variance_swap::VarianceSwap;
use crate::contract::{Contract, Instrument};
use crate::pricing::{BlackScholes, HestonParameters};
use crate::random::{Purpose, Sampling, Source};
use crate::simd::{Real, dispatch};
use rayon::prelude::*;
use serde::Serialize;

/// The dynamics of the spot under the pricing measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "model")]
pub enum Model {
    /// Geometric Brownian motion.
    Gbm { volatility: f64 },
    /// Heston (1993).
    Heston(HestonParameters),
}

impl Model {
    /// √ of the variance at the start.
    pub fn initial_volatility(&self) -> f64 {
        match self {
            Self::Gbm { volatility } => *volatility,
            Self::Heston(parameters) => parameters.v0.sqrt(),
        }
    }

    /// The same dynamics from another variance at the start; a constant variance stays what it is.
    pub fn at_variance(&self, variance: f64) -> Self {
        match self {
            Self::Gbm { .. } => *self,
            Self::Heston(parameters) => Self::Heston(HestonParameters {
                v0: variance,
                ..*parameters
            }),
        }
    }

    /// √ of the variance the model returns to.
    pub fn long_run_volatility(&self) -> f64 {
        match self {
            Self::Gbm { volatility } => *volatility,
            Self::Heston(parameters) => parameters.theta.sqrt(),
        }
    }
}

/// A market: dynamics, spot, and continuously compounded rate and dividend yield.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Market {
    pub model: Model,
    pub spot: f64,
    pub rate: f64,
    pub dividend: f64,
}

impl Market {
    fn black_scholes(&self, contract: &Contract, volatility: f64) -> BlackScholes {
        BlackScholes {
            kind: contract.kind,
            spot: self.spot,
            strike: contract.strike,
            expiry: contract.expiry,
            rate: self.rate,
            dividend: self.dividend,
            volatility,
        }
    }

    /// The arbitrage-free price of a contract.
    pub fn price(&self, contract: &Contract) -> f64 {
        match self.model {
            Model::Gbm { volatility } => self.black_scholes(contract, volatility).price(),
            Model::Heston(parameters) => parameters.price(
                contract.kind,
                self.spot,
                contract.strike,
                contract.expiry,
                self.rate,
                self.dividend,
            ),
        }
    }

    /// Sensitivities of the price; vega is in √v0 under Heston.
    pub fn greeks(&self, contract: &Contract) -> Greeks {
        match self.model {
            Model::Gbm { volatility } => {
                let option = self.black_scholes(contract, volatility);
                Greeks {
                    delta: option.delta(),
                    gamma: option.gamma(),
                    vega: option.vega(),
                    theta: option.theta(),
                }
            }
            Model::Heston(parameters) => {
                let greeks = parameters.greeks(
                    contract.kind,
                    self.spot,
                    contract.strike,
                    contract.expiry,
                    self.rate,
                    self.dividend,
                );
                Greeks {
                    delta: greeks.delta,
                    gamma: greeks.gamma,
                    vega: greeks.vega,
                    theta: greeks.theta,
                }
            }
        }
    }
}

/// Sensitivities of a price.
///
/// # Units
/// Delta in shares, gamma in shares per currency, vega in currency per unit of volatility, theta in currency per year.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Greeks {
    pub delta: f64,
    pub gamma: f64,
    pub vega: f64,
    pub theta: f64,
}

/// Draws [`Paths`] of a market on an equidistant grid.
///
/// Path number `i` depends on (seed, purpose, sampling, i) alone; under Sobol sampling on the number of steps too.
#[derive(Debug, Clone, Copy)]
pub struct Simulator {
    pub market: Market,
    /// Number of periods.
    pub steps: usize,
    /// Length of a period in years.
    pub dt: f64,
    pub seed: u64,
    pub purpose: Purpose,
    pub sampling: Sampling,
}

impl Simulator {
    /// Simulates `count` paths on which the spot alone is traded, beginning with the first path of block number
    /// `first_block`.
    ///
    /// Training batch k of B paths starts at block k·⌈B/BLOCK⌉, so batches never overlap.
    pub fn paths<R: Real>(&self, first_block: u64, count: usize) -> Paths<R> {
        self.paths_with(&[Instrument::Spot], first_block, count)
    }

    /// Simulates `count` paths with the prices of `instruments`, beginning with the first path of block number
    /// `first_block`.
    pub fn paths_with<R: Real>(
        &self,
        instruments: &[Instrument],
        first_block: u64,
        count: usize,
    ) -> Paths<R> {
        let mut paths = Paths::with_instruments(count, self.steps, instruments);
        self.fill(first_block, &mut paths);
        paths
    }

    /// Fills `paths` in place, with the prices of their instruments.
    pub fn fill<R: Real>(&self, first_block: u64, paths: &mut Paths<R>) {
        let factors = match self.market.model {
            Model::Gbm { .. } => 1,
            Model::Heston(_) => 2,
        };
        let source = Source::new(self.seed, self.purpose, self.sampling, self.steps, factors);
        let (spot0, carry, dt) = (
            self.market.spot,
            self.market.rate - self.market.dividend,
            self.dt,
        );
        let (spot, variance) = paths.blocks_mut();
        spot.zip(variance)
            .enumerate()
            .for_each(|(offset, (spot, variance))| {
                let shocks = source.block(first_block + offset as u64);
                match self.market.model {
                    Model::Gbm { volatility } => dispatch(GbmBlock {
                        shocks,
                        spot0,
                        carry,
                        volatility,
                        dt,
                        spot,
                        variance,
                    }),
                    Model::Heston(parameters) => dispatch(HestonBlock {
                        shocks,
                        spot0,
                        carry,
                        parameters,
                        dt,
                        spot,
                        variance,
                    }),
                }
            });
        if paths.instruments().len() > 1 {
            let swap = VarianceSwap::new(&self.market, self.steps, dt);
            paths
                .prices_mut()
                .for_each(|(block, prices)| dispatch(swap.quote(block, prices)));
        }
    }
}
