//! The parameters of classical hedges, found on validation paths or on contracts of the past.

use super::classical::PastContracts;
use super::policy::{Aversion, TuneOn};
use super::{FittedOn, Plan};
use crate::contract::Contract;
use crate::error::Result;
use crate::hedging::{
    Book, ClassicalHedge, ClassicalPolicy, HedgeValues, Ledger, Policy, Prepared, Search,
    TunedHedge, tune,
};
use crate::market::{Assets, Layout, PathSource, Paths, Simulator};
use crate::random::Purpose;
use crate::simd::{BLOCK, Lane};

/// How many validation paths the parameters of classical hedges are tuned on.
const PATHS: usize = 16_384;

/// How many of them there are for hedges that integrate the model's prices on every date.
const FEW_PATHS: usize = 1_024;

/// What the parameters of classical hedges are tuned on for the risk of a plan, the same for every hedge: paths that are spread over the
/// plan's ranks, or contracts of the past, which every rank that asks has for itself.
pub struct HedgeValidation<'a> {
    plan: &'a Plan,
    ledger: Ledger,
    drawn: Drawn<'a>,
    /// What every contract is sold for beyond one and the same premium, in money of the expiry; empty if that is all.
    premiums: Vec<f64>,
}

enum Drawn<'a> {
    /// Paths, all at once.
    Kept(Paths<f64>),
    /// So many paths, anew whenever they are hedged, as many at a time as the plan says.
    Anew(Simulator, usize),
    /// Contracts of the past.
    Past(&'a dyn PastContracts),
}

impl Drawn<'_> {
    /// The first paths, for a hedge that takes long; none where there are few anyway.
    fn few(&self) -> Option<Self> {
        match self {
            Self::Kept(paths) => {
                let first = (0..FEW_PATHS.min(paths.count())).collect::<Vec<_>>();
                Some(Self::Kept(paths.gather(&first)))
            }
            Self::Anew(simulator, count) => {
                Some(Self::Anew(simulator.clone(), FEW_PATHS.min(*count)))
            }
            Self::Past(_) => None,
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
        let count = simulator.most_paths().map_or(PATHS, |most| most.min(PATHS));
        let drawn = match count <= plan.chunk() {
            true => Drawn::Kept(simulator.paths_over(&plan.ranks, &*plan.quotes()?, 0, count)),
            false => Drawn::Anew(simulator, count),
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
        let layout = Layout::of_market(&plan.assets(), plan.contract.steps);
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

    /// Contracts of the past, each sold for its own premium.
    pub fn past(plan: &'a Plan, past: &'a dyn PastContracts) -> Self {
        Self {
            plan,
            ledger: plan.ledger(&plan.market, 0.0),
            drawn: Drawn::Past(past),
            premiums: Vec::new(),
        }
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
        let search = self.plan.search();
        let hedges = self.plan.hedges.iter();
        hedges
            .map(|&hedge| {
                let policy = policy(hedge);
                let few = match hedge.needs().prices {
                    true => self.drawn.few(),
                    false => None,
                };
                let drawn = few.as_ref().unwrap_or(&self.drawn);
                let mut prepared = Vec::new();
                let tuned = tune(hedge, search, &mut |values| {
                    self.risk((&policy, drawn), *values, &mut prepared, stop)
                })?;
                Ok(TunedHedge {
                    coefficients: policy.coefficients(&self.plan.contract)?,
                    ..tuned
                })
            })
            .collect()
    }

    /// The risk of a hedge with other parameters; `prepared` keeps its centres where they are the same for all of them.
    fn risk(
        &self,
        (policy, drawn): (&ClassicalPolicy<'_>, &Drawn<'_>),
        values: HedgeValues,
        prepared: &mut Vec<Prepared>,
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<f64> {
        stop()?;
        let policy = policy.clone().with_values(values);
        let mut book = match drawn {
            Drawn::Kept(paths) => {
                let of = [(self.ledger.contract(), paths)];
                let positions = positions(&policy, &of, prepared)?;
                Book::settle(&positions[0], &self.ledger, paths)
            }
            Drawn::Past(past) => past.book(&positions(&policy, &past.groups(), prepared)?),
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

/// What a hedge holds of each contract on its paths; `prepared` keeps its centres, where they are the same for all parameters.
fn positions(
    policy: &ClassicalPolicy<'_>,
    contracts: &[(&Contract, &Paths<f64>)],
    prepared: &mut Vec<Prepared>,
) -> Result<Vec<Vec<Lane<f64>>>> {
    if policy.hedge().moves_with_parameters() {
        let each = contracts.iter();
        return each
            .map(|(contract, paths)| policy.positions(contract, paths))
            .collect();
    }
    if prepared.is_empty() {
        for (contract, paths) in contracts {
            prepared.push(policy.prepare(contract, paths)?);
        }
    }
    let each = contracts.iter().zip(prepared.iter());
    Ok(each
        .map(|((_, paths), centre)| policy.around(centre, paths))
        .collect())
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

    /// Every hedge of the plan with its parameters and fits as they are best on contracts of the past, in the market of `assets`. Where there
    /// are none, which no hedge needs then, nothing is said of risks.
    ///
    /// # Errors
    /// Those of the hedges; that of `stop`, which is asked again and again.
    pub fn hedges_tuned_on<'a>(
        &'a self,
        assets: &Assets,
        on: &FittedOn<'a>,
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<TunedHedge>> {
        let Some(past) = on.past else {
            let hedges = self.hedges.iter();
            let untuned =
                |hedge: &ClassicalHedge| tune(*hedge, self.search(), &mut |_| Ok(f64::NAN));
            return hedges.map(untuned).collect();
        };
        let policy = |hedge| self.classical_on(hedge, assets, HedgeValues::default(), on);
        HedgeValidation::past(self, past).tune(&policy, stop)
    }

    /// Whether a hedge needs contracts of the past, to be tuned or fitted on.
    pub fn needs_past(&self) -> bool {
        let needs = |hedge: &ClassicalHedge| {
            hedge.is_fitted() || !hedge.searched(&self.search()).is_empty()
        };
        self.tune_on == TuneOn::Past && self.hedges.iter().any(needs)
    }

    /// What the search for parameters of hedges depends on.
    fn search(&self) -> Search {
        Search {
            money: self.money_unit(),
            dates: self.contract.steps,
            costs: self.trading_costs(),
            aversion: match self.aversion {
                Aversion::Given(aversion) => Some(aversion),
                Aversion::Tuned => None,
            },
        }
    }
}

#[cfg(test)]
#[path = "hedge_tuning_tests.rs"]
mod tests;
