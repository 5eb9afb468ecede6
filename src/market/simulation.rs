use super::gbm::GbmBlock;
use super::heston::HestonBlock;
use super::merton::MertonBlock;
use super::paths::Paths;
use super::variance_swap::VarianceSwap;
use crate::contract::{Contract, Instrument, Leg};
use crate::pricing::{BlackScholes, HestonParameters, MertonParameters};
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
    /// Merton (1976).
    Merton(MertonParameters),
}

impl Model {
    /// √ of the variance of log returns at the start, that of jumps included.
    pub fn initial_volatility(&self) -> f64 {
        match self {
            Self::Gbm { volatility } => *volatility,
            Self::Heston(parameters) => parameters.v0.sqrt(),
            Self::Merton(parameters) => parameters.total_variance().sqrt(),
        }
    }

    /// The same dynamics from another variance at the start; a constant variance stays what it is.
    pub fn at_variance(&self, variance: f64) -> Self {
        match self {
            Self::Gbm { .. } | Self::Merton(_) => *self,
            Self::Heston(parameters) => Self::Heston(HestonParameters {
                v0: variance,
                ..*parameters
            }),
        }
    }

    /// The expected average variance over `time` years from `variance` now.
    pub fn mean_variance(&self, variance: f64, time: f64) -> f64 {
        match self {
            Self::Gbm { .. } | Self::Merton(_) => variance,
            Self::Heston(parameters) => HestonParameters {
                v0: variance,
                ..*parameters
            }
            .mean_variance(time),
        }
    }

    /// √ of the variance the model returns to.
    pub fn long_run_volatility(&self) -> f64 {
        match self {
            Self::Gbm { volatility } => *volatility,
            Self::Heston(parameters) => parameters.theta.sqrt(),
            Self::Merton(parameters) => parameters.total_variance().sqrt(),
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
    /// An option on this market's spot at a Black–Scholes volatility.
    pub fn black_scholes(&self, leg: Leg, expiry: f64, volatility: f64) -> BlackScholes {
        BlackScholes {
            kind: leg.kind,
            spot: self.spot,
            strike: leg.strike,
            expiry,
            rate: self.rate,
            dividend: self.dividend,
            volatility,
        }
    }

    /// The arbitrage-free price of a contract.
    pub fn price(&self, contract: &Contract) -> f64 {
        let expiry = contract.expiry;
        let price = |leg: Leg| match self.model {
            Model::Gbm { volatility } => self.black_scholes(leg, expiry, volatility).price(),
            Model::Heston(parameters) => parameters.price(
                leg.kind,
                self.spot,
                leg.strike,
                expiry,
                self.rate,
                self.dividend,
            ),
            Model::Merton(parameters) => parameters.price(
                leg.kind,
                self.spot,
                leg.strike,
                expiry,
                self.rate,
                self.dividend,
            ),
        };
        contract.legs().map(|leg| leg.quantity * price(leg)).sum()
    }

    /// Sensitivities of the price; vega is in √v0 under Heston, in the volatility between jumps under Merton.
    pub fn greeks(&self, contract: &Contract) -> Greeks {
        let mut sum = Greeks::default();
        for leg in contract.legs() {
            let greeks = self.leg_greeks(leg, contract.expiry);
            sum.delta += leg.quantity * greeks.delta;
            sum.gamma += leg.quantity * greeks.gamma;
            sum.vega += leg.quantity * greeks.vega;
            sum.theta += leg.quantity * greeks.theta;
        }
        sum
    }

    fn leg_greeks(&self, leg: Leg, expiry: f64) -> Greeks {
        match self.model {
            Model::Gbm { volatility } => {
                let option = self.black_scholes(leg, expiry, volatility);
                Greeks {
                    delta: option.delta(),
                    gamma: option.gamma(),
                    vega: option.vega(),
                    theta: option.theta(),
                }
            }
            Model::Heston(parameters) => {
                let greeks = parameters.greeks(
                    leg.kind,
                    self.spot,
                    leg.strike,
                    expiry,
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
            Model::Merton(parameters) => {
                let greeks = parameters.greeks(
                    leg.kind,
                    self.spot,
                    leg.strike,
                    expiry,
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
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
            Model::Heston(_) | Model::Merton(_) => 2,
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
                    Model::Merton(parameters) => dispatch(MertonBlock {
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
