//! Hedged Monte Carlo as a centre.

use super::{Ask, CentreKind, CentreOnPaths, Targets, Wants};
use crate::error::{Error, Result};
use crate::hedging::Regression;
use std::ops::Range;
use std::sync::Arc;

/// The positions of hedged Monte Carlo, for any contract and instruments; their gammas are their slopes in the spot of the first asset.
pub struct ByRegression;

impl CentreKind for ByRegression {
    fn title(&self) -> &'static str {
        "hedged Monte Carlo"
    }

    fn gives(&self) -> Wants {
        Wants::GAMMAS
    }

    fn holds_options(&self) -> bool {
        true
    }

    fn prepare<'a>(
        &self,
        ask: &Ask<'a>,
        dates: Range<usize>,
    ) -> Result<Box<dyn CentreOnPaths + 'a>> {
        let regression = ask.fits()?.regression(ask.contract)?;
        let steps = regression.steps();
        if ask.paths.steps() != steps {
            return Err(Error::Computation(format!(
                "a regression over {steps} periods cannot hedge paths of {}",
                ask.paths.steps()
            )));
        }
        Ok(Box::new(OnPaths {
            ask: *ask,
            dates,
            regression,
        }))
    }
}

struct OnPaths<'a> {
    ask: Ask<'a>,
    dates: Range<usize>,
    regression: Arc<Regression>,
}

impl CentreOnPaths for OnPaths<'_> {
    fn targets(&self, block: usize) -> Targets {
        let data = self.ask.paths.block(block);
        let on = &self.dates;
        let mut out = self.ask.targets(on);
        out.positions = self.regression.targets(&data, on);
        self.regression.fill_left(&data, on, &mut out.left);
        if self.ask.wants.gammas {
            out.gammas = self.regression.gammas(&data, on);
            let rate = &self.ask.assets.first().rate;
            self.regression
                .fill_discounts((&data, on), rate, &mut out.discounts);
        }
        out
    }
}
