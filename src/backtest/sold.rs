//! The premiums and the paths of contracts of one length that are sold on history.

use super::{JointCalibration, on_surface};
use crate::error::Result;
use crate::market::{Assets, History, Market, Paths};
use crate::pricing::SurfaceFactors;
use crate::strategy::Plan;

/// When a contract is sold, and at which strike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sale {
    /// The close at which it is sold, by its place in the history.
    pub close: usize,
    /// Its strike in the money of the history; none for that of the strategy's rule.
    pub strike: Option<f64>,
    /// The number of the contract of the strategy's family; none for the one that the sale draws.
    pub member: Option<usize>,
}

impl Sale {
    /// A sale at the strike of the strategy's rule.
    pub fn of_rule(close: usize) -> Self {
        Self {
            close,
            strike: None,
            member: None,
        }
    }
}

/// Contracts of one length, sold on `histories`.
pub(super) struct Sold<'a> {
    /// Those of all assets, on the same days.
    pub histories: &'a [History],
    /// The strategy for contracts of this length.
    pub plan: &'a Plan,
    /// What is known of every asset.
    pub calibration: &'a JointCalibration,
    /// The strategy's spot of every asset.
    pub spots: &'a [f64],
    /// Years of a hedging period.
    pub dt: f64,
}

impl Sold<'_> {
    /// What the contracts are sold for that live over `closes`, with their places among all.
    pub fn premiums(&self, closes: &[Vec<usize>], members: &[usize]) -> Result<Vec<f64>> {
        let Self {
            plan, calibration, ..
        } = self;
        if !self.histories[0].surface.is_empty() {
            let of = |(closes, &sale): (&Vec<usize>, &usize)| {
                let member = plan.contract.family();
                let member = member.map_or(0, |family| plan.drawn_at(family, sale));
                let (market, surface) = self.on_surface(closes[0], closes.len() - 1);
                let spot = on_surface::spot_at_sale(plan.strike, &market, &plan.contract, surface);
                on_surface::premium(plan, &Market { spot, ..market }, member, surface)
            };
            return closes.iter().zip(members).map(of).collect();
        }
        Ok(match (plan.contract.family(), &calibration.assets[..]) {
            (None, [known]) => {
                let sales = closes.iter().map(|closes| known.variance[closes[0]]);
                plan.premiums(&sales.collect::<Vec<f64>>(), |variance| {
                    let market = known.seen_at(variance);
                    let spot = plan.strike.spot(&market, &plan.contract);
                    calibration.assets(|_, _| Market {
                        spot,
                        ..market.clone()
                    })
                })
            }
            (Some(_), _) | (None, _) => {
                let sold = closes.iter().zip(members);
                sold.map(|(closes, &sale)| plan.premium_of_sale(&self.assets_at(closes[0]), sale))
                    .collect()
            }
        })
    }

    /// The market of the first asset at close `sale` on which `steps` periods follow, without a rate: its spot is the strategy's or,
    /// with rates, the forward for the expiry; and the surface of the day.
    fn on_surface(&self, sale: usize, steps: usize) -> (Market, &SurfaceFactors) {
        let known = self.calibration.first();
        let market = Market {
            spot: self.spots[0] * self.growth(sale, steps),
            ..known.market_at(sale)
        };
        (market, &self.histories[0].surface[sale])
    }

    /// What money at close `sale` is worth `steps` periods later, at the rate of that day.
    fn growth(&self, sale: usize, steps: usize) -> f64 {
        self.histories[0].growth(sale, (self.dt, steps))
    }

    /// All assets at close `sale`.
    fn assets_at(&self, sale: usize) -> Assets {
        self.calibration.assets(|asset, known| {
            let market = known.market_at(sale);
            // The strike's rule moves the first asset, every other one begins at the strategy's spot.
            let spot = match asset {
                0 => self.plan.strike.spot(&market, &self.plan.contract),
                other => self.spots[other],
            };
            Market { spot, ..market }
        })
    }

    /// The spot of the first asset at close `sale`, of which the forward for the expiry `steps` periods later has the strike's rule or,
    /// beside the strategy's strike, what the close has beside one of its own.
    fn first_spot(&self, sale: usize, own: Option<f64>, steps: usize) -> f64 {
        let (strike, contract) = (self.plan.strike, &self.plan.contract);
        if let Some(own) = own {
            return contract.strike * self.histories[0].close[sale] / own;
        }
        if self.histories[0].surface.is_empty() {
            return strike.spot(&self.calibration.first().market_at(sale), contract);
        }
        let (market, surface) = self.on_surface(sale, steps);
        let forward = on_surface::spot_at_sale(strike, &market, contract, surface);
        forward / self.growth(sale, steps)
    }

    /// Spots, variances and surfaces of the contracts that live over `closes`, each with its strike or that of the rule.
    pub fn paths(
        &self,
        closes: &[Vec<usize>],
        strikes: &[Option<f64>],
        steps: usize,
    ) -> Paths<f64> {
        let rows: Vec<Vec<(Vec<f64>, Vec<f64>)>> = closes
            .iter()
            .zip(strikes)
            .map(|(closes, &strike)| {
                let sale = closes[0];
                let mut spots = self.spots.to_vec();
                spots[0] = self.first_spot(sale, strike, steps);
                let known = self.histories.iter().zip(&self.calibration.assets);
                let known = known.zip(&spots).enumerate();
                known
                    .map(|(asset, ((history, known), spot))| {
                        let scale = spot / history.close[sale];
                        let scaled = closes.iter().enumerate().map(|(t, &close)| {
                            let growth = match asset {
                                0 => self.growth(sale, steps - t),
                                _ => 1.0,
                            };
                            scale * history.close[close] * growth
                        });
                        let variance = closes.iter().map(|&close| known.variance[close]);
                        (scaled.collect(), variance.collect())
                    })
                    .collect()
            })
            .collect();
        let rows = rows.iter().map(|assets| {
            let columns = assets.iter();
            columns.map(|(s, v)| (s.as_slice(), v.as_slice())).collect()
        });
        let paths = Paths::from_assets(self.histories.len(), steps, rows);
        match self.histories[0].surface.as_slice() {
            [] => paths,
            surfaces => paths.with_surfaces(|path, t| surfaces[closes[path][t]]),
        }
    }
}
