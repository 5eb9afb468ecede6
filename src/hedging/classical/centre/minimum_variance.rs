//! The delta that minimises the variance of the hedged contract, by the model.

use super::{Ask, CentreKind, CentreOnPaths, Needs, Targets, Wants};
use crate::contract::Leg;
use crate::error::Result;
use crate::hedging::closed_form::ClosedForm;
use crate::market::Pricer;
use crate::simd::BLOCK;
use rayon::prelude::*;

/// The delta that minimises the variance of the hedged option over the next instant; see
/// [`crate::pricing::Greeks::minimum_variance_delta`]. Its gamma is ∂²V/∂S² at constant variance.
pub struct ModelDelta;

impl CentreKind for ModelDelta {
    fn title(&self) -> &'static str {
        "minimum-variance delta"
    }

    fn needs(&self) -> Needs {
        Needs {
            prices: true,
            ..Needs::LEGS
        }
    }

    fn gives(&self) -> Wants {
        Wants::GAMMAS
    }

    /// A date has one pricer for all paths. Under Heston that is one characteristic function, and an integral of about 20 µs
    /// for each path.
    fn prepare<'a>(&self, ask: &Ask<'a>) -> Result<Box<dyn CentreOnPaths + 'a>> {
        let (paths, contract) = (ask.paths, ask.contract);
        let legs = contract.needed_legs()?;
        let market = ask.assets.first();
        let pricer = |t: usize| {
            let left = contract.dt() * (contract.steps - t) as f64;
            let states = (0..paths.blocks()).flat_map(|block| {
                let data = paths.block(block);
                data.spot[t].into_iter().zip(data.variance[t])
            });
            market.pricer_after(contract.dt() * t as f64, legs, left, states)
        };
        let pricers = (0..contract.steps).into_par_iter().map(pricer).collect();
        Ok(Box::new(ByPricers {
            ask: *ask,
            legs,
            pricers,
            form: ClosedForm::new(ask.assets, contract)?,
        }))
    }
}

struct ByPricers<'a> {
    ask: Ask<'a>,
    legs: &'a [Leg],
    /// One for each date.
    pricers: Vec<Box<dyn Pricer + 'a>>,
    form: ClosedForm,
}

impl CentreOnPaths for ByPricers<'_> {
    fn targets(&self, block: usize) -> Targets {
        let data = self.ask.paths.block(block);
        let mut out = self.ask.targets();
        for lane in 0..BLOCK {
            self.form
                .fill_times(lane, &mut out.left, &mut out.discounts);
        }
        for (t, pricer) in self.pricers.iter().enumerate() {
            let row = t * out.instruments;
            for lane in 0..BLOCK {
                let (spot, variance) = (data.spot[t][lane], data.variance[t][lane]);
                let greeks = pricer.greeks_of(self.legs, spot, variance);
                out.positions[row][lane] = greeks.minimum_variance_delta;
                if self.ask.wants.gammas {
                    out.gammas[row][lane] = greeks.gamma;
                }
            }
        }
        out
    }
}
