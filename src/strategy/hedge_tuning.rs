//! The parameters of classical hedges, found on validation paths.

use super::Plan;
use super::policy::Aversion;
use crate::error::Result;
use crate::hedging::{
    Book, ClassicalHedge, ClassicalPolicy, HedgeValues, Ledger, Prepared, Search, TunedHedge, tune,
};
use crate::market::{Layout, PathSource, Paths, Simulator};
use crate::random::Purpose;
use crate::simd::BLOCK;

/// How many validation paths the parameters of classical hedges are tuned on.
const PATHS: usize = 16_384;

/// How many of them there are for hedges that integrate the model's prices on every date.
const FEW_PATHS: usize = 1_024;

/// Paths on which the parameters of classical hedges are tuned for the risk of a plan, the same ones for every hedge, spread over
/// the plan's ranks.
pub struct HedgeValidation<'a> {
    plan: &'a Plan,
    ledger: Ledger,
    drawn: Drawn,
    /// What every contract is sold for beyond one and the same premium, in money of the expiry; empty if that is all.
    premiums: Vec<f64>,
}

enum Drawn {
    /// All at once.
    Kept(Paths<f64>),
    /// So many, anew whenever they are hedged, as many at a time as the plan says.
    Anew(Simulator, usize),
}

impl Drawn {
    /// The first of them, for a hedge that takes long.
    fn few(&self) -> Self {
        match self {
            Self::Kept(paths) => Self::Kept(paths.gather(&(0..FEW_PATHS).collect::<Vec<_>>())),
            Self::Anew(simulator, _) => Self::Anew(simulator.clone(), FEW_PATHS),
        }
    }
}

impl<'a> HedgeValidation<'a> {
    /// Simulated paths of the plan's own market.
    ///
    /// # Errors
    /// Those of the quotes.
    pub fn simulated(plan: &'a Plan) -> Result<Self> {
        let simulator = plan.simulator(plan.seed, Purpose::Validation);
        let drawn = match PATHS <= plan.chunk() {
            true => Drawn::Kept(simulator.paths_over(&plan.ranks, &*plan.quotes()?, 0, PATHS)),
            false => Drawn::Anew(simulator, PATHS),
        };
        Ok(Self {
            plan,
            // One premium for all moves every P&L alike. What a hedge at two rates earns depends on it, and in a family each contract
            // has its own.
            ledger: match plan.financing.is_free()
                && plan.contract.family().is_none()
                && !plan.sells_at_surfaces()
            {
                true => plan.ledger(&plan.market, 0.0),
                false => plan.ledger_of_sale(),
            },
            drawn,
            premiums: Vec::new(),
        })
    }

    /// Paths of a source.
    ///
    /// # Errors
    /// Those of the quotes.
    pub fn of(plan: &'a Plan, source: &dyn PathSource) -> Result<Self> {
        let layout = Layout::new(plan.assets().count(), plan.contract.steps);
        let layout = layout.with_surface(plan.market.model.has_surface());
        let mut single = Paths::<f32>::over(&plan.ranks, PATHS, layout);
        source.fill(0, &mut single);
        let mut drawn = plan.quotes()?.onto(single.in_double());
        let premiums = source.premiums(0, PATHS).unwrap_or_default();
        let ledger = match plan.sells_at_surfaces() {
            true => plan.ledger_of_sale(),
            false => plan.ledger(&plan.market, 0.0),
        };
        if !plan.financing.is_free() && !plan.sells_at_surfaces() {
            let own = ledger.at_expiry(plan.model_premium());
            let receipts: Vec<f64> = premiums.iter().map(|premium| own + premium).collect();
            drawn.receive(&receipts);
        }
        Ok(Self {
            plan,
            ledger,
            drawn: Drawn::Kept(drawn),
            premiums,
        })
    }

    /// Every hedge of the plan with its parameters, each found where the risk is least if it is not given, and that risk; `policy`
    /// makes hedges.
    ///
    /// # Errors
    /// Those of the hedges; that of `stop`, which is asked again and again.
    pub fn tune(
        &self,
        policy: &dyn Fn(ClassicalHedge) -> ClassicalPolicy<'a>,
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<TunedHedge>> {
        let search = Search {
            money: self.plan.money_unit(),
            dates: self.plan.contract.steps,
            costs: self.plan.trading_costs(),
            aversion: match self.plan.aversion {
                Aversion::Given(aversion) => Some(aversion),
                Aversion::Tuned => None,
            },
        };
        let hedges = self.plan.hedges.iter();
        hedges
            .map(|&hedge| {
                let policy = policy(hedge);
                let few = hedge.needs().prices.then(|| self.drawn.few());
                let drawn = few.as_ref().unwrap_or(&self.drawn);
                let mut prepared = None;
                tune(hedge, search, &mut |values| {
                    self.risk((&policy, drawn), *values, &mut prepared, stop)
                })
            })
            .collect()
    }

    /// The risk of a hedge with other parameters; `prepared` keeps its centre where that is the same for all of them.
    fn risk(
        &self,
        (policy, drawn): (&ClassicalPolicy<'_>, &Drawn),
        values: HedgeValues,
        prepared: &mut Option<Prepared>,
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<f64> {
        stop()?;
        let policy = policy.clone().with_values(values);
        let mut book = match drawn {
            Drawn::Kept(paths) if policy.hedge().moves_with_parameters() => {
                Book::hedge(&policy, &self.ledger, paths)?
            }
            Drawn::Kept(paths) => {
                let centre = match prepared.take() {
                    Some(centre) => centre,
                    None => policy.prepare(self.ledger.contract(), paths)?,
                };
                let positions = policy.around(&centre, paths);
                *prepared = Some(centre);
                Book::settle(&positions, &self.ledger, paths)
            }
            Drawn::Anew(simulator, paths) => {
                let (quotes, chunk) = (self.plan.quotes()?, self.plan.chunk());
                let mut book = Book::default();
                for first in (0..*paths).step_by(chunk) {
                    stop()?;
                    let count = chunk.min(paths - first);
                    let block = (first / BLOCK) as u64;
                    let ranks = &self.plan.ranks;
                    let paths = simulator.paths_over::<f64>(ranks, &quotes, block, count);
                    book.append(Book::hedge(&policy, &self.ledger, &paths)?);
                }
                book
            }
        };
        for (z, premium) in book.pnl.iter_mut().zip(&self.premiums) {
            *z += premium;
        }
        Ok(self.plan.risk.evaluate(&book.pnl).value)
    }
}

impl Plan {
    /// Every hedge of the plan in its own market with its parameters, found on simulated validation paths.
    ///
    /// # Errors
    /// Those of the hedges; that of `stop`, which is asked again and again.
    pub fn tuned_hedges(&self, stop: &mut dyn FnMut() -> Result<()>) -> Result<Vec<TunedHedge>> {
        if self.hedges.is_empty() {
            return Ok(Vec::new());
        }
        let assets = self.assets();
        let policy = |hedge| self.classical(hedge, &assets, HedgeValues::default());
        HedgeValidation::simulated(self)?.tune(&policy, stop)
    }
}

#[cfg(test)]
#[path = "hedge_tuning_tests.rs"]
mod tests;
