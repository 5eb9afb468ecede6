//! The delta that minimises the variance of the hedged contract, by the model.

use super::{Ask, CentreKind, CentreOnPaths, Needs, Parameter, Targets, Wants};
use crate::contract::Leg;
use crate::error::Result;
use crate::hedging::closed_form::ClosedForm;
use crate::market::{Paths, Pricer};
use crate::simd::BLOCK;
use rayon::prelude::*;
use std::ops::Range;

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

    fn further_parameters(&self) -> &'static [Parameter] {
        &[Parameter::Scale]
    }

    /// A date has one pricer for all paths. Under Heston that is one characteristic function, and an integral of about 20 µs
    /// for each path.
    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        let (paths, contract) = (ask.paths, ask.contract);
        let legs = contract.needed_legs()?;
        let market = ask.assets.first();
        // A pricer depends on how far spots and variances go, those of all ranks.
        let own: Vec<[Widest; 2]> = dates.clone().map(|t| widest(paths, t)).collect();
        let own = Some(own).filter(|_| !paths.own().is_empty());
        let of_ranks = paths.spread().collect(Vec::from_iter(own));
        let pricer = |place: usize| {
            let t = dates.start + place;
            let left = contract.dt() * (contract.steps - t) as f64;
            let states = of_ranks.iter().flat_map(|dates| {
                let [spots, variances] = dates[place];
                spots.into_iter().zip(variances)
            });
            market.pricer_after(contract.dt() * t as f64, legs, left, states)
        };
        let pricers = (0..dates.len()).into_par_iter().map(pricer).collect();
        Ok(Box::new(ByPricers {
            ask: *ask,
            dates,
            legs,
            pricers,
            form: ClosedForm::new(ask.assets, contract)?,
        }))
    }
}

/// The least and the greatest of some numbers.
type Widest = [f64; 2];

/// How far spots and variances of the own blocks go on date `t`.
fn widest(paths: &Paths<f64>, t: usize) -> [Widest; 2] {
    let mut widest = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
    for block in paths.own() {
        let data = paths.block(block);
        for ([least, greatest], lane) in widest.iter_mut().zip([data.spot[t], data.variance[t]]) {
            for value in lane {
                (*least, *greatest) = (least.min(value), greatest.max(value));
            }
        }
    }
    widest
}

struct ByPricers<'a> {
    ask: Ask<'a>,
    dates: Range<usize>,
    legs: &'a [Leg],
    /// One for each date.
    pricers: Vec<Box<dyn Pricer + 'a>>,
    form: ClosedForm,
}

impl CentreOnPaths for ByPricers<'_> {
    fn targets(&self, block: usize) -> Targets {
        let data = self.ask.paths.block(block);
        let mut out = self.ask.targets(&self.dates);
        for lane in 0..BLOCK {
            self.form
                .fill_times((lane, &self.dates), &mut out.left, &mut out.discounts);
        }
        for (t, pricer) in self.dates.clone().zip(&self.pricers) {
            let row = out.row(t);
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
