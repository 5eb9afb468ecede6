use super::gbm::GbmBlock;
use super::heston::{HestonBlock, cancels, longest_step};
use super::merton::MertonBlock;
use super::paths::Paths;
use super::quotes::Quotes;
use crate::contract::{Contract, Leg};
use crate::pricing::{BlackScholes, Greeks, HestonParameters, MertonParameters};
use crate::random::{Purpose, Sampling, Source};
use crate::simd::{BLOCK, Real, dispatch};
use rayon::prelude::*;
use serde::Serialize;
use std::marker::PhantomData;

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

    /// The dynamics that price at an instantaneous variance: [`Self::at_variance`], and under geometric Brownian motion
    /// that variance itself.
    pub fn seen_at(&self, variance: f64) -> Self {
        match self {
            Self::Gbm { .. } => Self::Gbm {
                volatility: variance.sqrt(),
            },
            model => model.at_variance(variance),
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

    /// The longest step, in years, that simulates `life` years rightly: any where the law at the end of a step is known,
    /// under geometric Brownian motion and Merton; under Heston one whose error is below a standard error of 10⁶ paths.
    pub fn longest_step(&self, life: f64) -> f64 {
        match self {
            Self::Gbm { .. } | Self::Merton(_) => f64::INFINITY,
            Self::Heston(parameters) => longest_step(parameters, life),
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
        let price = |leg: Leg| leg.quantity * self.leg_price(leg, contract.expiry);
        contract.legs().map(price).sum()
    }

    /// The arbitrage-free price of one option of a leg.
    pub fn leg_price(&self, leg: Leg, expiry: f64) -> f64 {
        let Self {
            spot,
            rate,
            dividend,
            ..
        } = *self;
        let (kind, strike) = (leg.kind, leg.strike);
        match self.model {
            Model::Gbm { volatility } => self.black_scholes(leg, expiry, volatility).price(),
            Model::Heston(parameters) => {
                parameters.price(kind, spot, strike, expiry, rate, dividend)
            }
            Model::Merton(parameters) => {
                parameters.price(kind, spot, strike, expiry, rate, dividend)
            }
        }
    }

    /// Price and sensitivities of a contract.
    pub fn greeks(&self, contract: &Contract) -> Greeks {
        let mut sum = Greeks::default();
        for leg in contract.legs() {
            sum.add(leg.quantity, &self.leg_greeks(leg, contract.expiry));
        }
        sum
    }

    /// Price and sensitivities of one option of a leg.
    pub fn leg_greeks(&self, leg: Leg, expiry: f64) -> Greeks {
        let Self {
            spot,
            rate,
            dividend,
            ..
        } = *self;
        let (kind, strike) = (leg.kind, leg.strike);
        match self.model {
            Model::Gbm { volatility } => self.black_scholes(leg, expiry, volatility).greeks(),
            Model::Heston(parameters) => {
                parameters.greeks(kind, spot, strike, expiry, rate, dividend)
            }
            Model::Merton(parameters) => {
                parameters.greeks(kind, spot, strike, expiry, rate, dividend)
            }
        }
    }
}

/// Draws [`Paths`] of a market on an equidistant grid.
///
/// Path number `i` depends on (seed, purpose, sampling, i) alone; under Sobol sampling on the number of steps too. A period
/// that is longer than [`Model::longest_step`] is simulated in equal sub-steps, of which the last is kept.
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
    /// Steps of the scheme in a period.
    pub fn substeps(&self) -> usize {
        let longest = self.market.model.longest_step(self.dt * self.steps as f64);
        // Rounding of the year fraction makes no further step.
        ((self.dt / longest * (1.0 - 1e-9)).ceil() as usize).max(1)
    }

    /// Simulates `count` paths on which the spot alone is traded, beginning with the first path of block number
    /// `first_block`.
    ///
    /// Training batch k of B paths starts at block k·⌈B/BLOCK⌉, so batches never overlap.
    pub fn paths<R: Real>(&self, first_block: u64, count: usize) -> Paths<R> {
        let mut paths = Paths::zeros(count, self.steps);
        self.fill(first_block, &mut paths);
        paths
    }

    /// The same paths with the prices of further instruments.
    pub fn paths_with<R: Real>(&self, quotes: &Quotes, first_block: u64, count: usize) -> Paths<R> {
        quotes.onto(self.paths(first_block, count))
    }

    /// The spot at the end of each of those paths, of which no more than one block a thread is held at once.
    pub fn ends(&self, first_block: u64, count: usize) -> Vec<f64> {
        let blocks = (0..count.div_ceil(BLOCK)).into_par_iter();
        let mut ends: Vec<f64> = blocks
            .flat_map_iter(|block| {
                let paths = self.paths::<f64>(first_block + block as u64, BLOCK);
                paths.block(0).spot[self.steps]
            })
            .collect();
        ends.truncate(count);
        ends
    }

    /// Fills spot and variance of `paths` in place.
    pub fn fill<R: Real>(&self, first_block: u64, paths: &mut Paths<R>) {
        let factors = match self.market.model {
            Model::Gbm { .. } => 1,
            Model::Heston(_) | Model::Merton(_) => 2,
        };
        let substeps = self.substeps();
        let source = Source::new(
            self.seed,
            self.purpose,
            self.sampling,
            self.steps * substeps,
            factors,
        );
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
                    Model::Heston(parameters) if cancels(&parameters) => {
                        dispatch(HestonBlock {
                            shocks,
                            spot0,
                            carry,
                            parameters,
                            dt,
                            substeps,
                            spot,
                            variance,
                            arithmetic: PhantomData::<f64>,
                        });
                    }
                    Model::Heston(parameters) => dispatch(HestonBlock {
                        shocks,
                        spot0,
                        carry,
                        parameters,
                        dt,
                        substeps,
                        spot,
                        variance,
                        arithmetic: PhantomData::<R>,
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
    }
}
