//! The hedges that need no training, made ready.

use super::Plan;
use crate::contract::{Charge, Contract, Costs, Instrument};
use crate::distributed::Spread;
use crate::error::Result;
use crate::hedging;
use crate::hedging::{
    Book, ClassicalHedge, ClassicalPolicy, ClosedForm, FamilyForms, Fits, HedgeValues, Ledger,
    Policy, Regressed, Regression,
};
use crate::market::{
    Assets, Benchmark, BenchmarkHedge, PathSource, Paths, QuickHedge, Quotes, Simulator,
};
use crate::network::Features;
use crate::random::Purpose;
use crate::simd::{BLOCK, Lane};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What a regression was fitted for.
#[derive(Debug, Clone, PartialEq)]
struct Fit {
    /// The centre whose coefficients it gives; that of hedged Monte Carlo needs no name.
    centre: &'static str,
    contract: Contract,
    assets: Assets,
    instruments: Vec<Instrument>,
    features: Features,
    seed: u64,
}

/// Regressions that are kept, the last ones.
const KEPT: usize = 64;

/// The regressions that were fitted on the paths of one source, each of which takes a second or so. Clones share them, and so do
/// plans that are changed from each other.
#[derive(Debug, Clone, Default)]
pub struct Regressions(Arc<Kept>);

/// What something was fitted for, and what was found.
type Fitted<T> = (Fit, Arc<T>);

/// What was fitted of one kind.
type Known<T> = Mutex<Vec<Fitted<T>>>;

/// That of `kept` which is for `fit`, made once.
fn once<T>(kept: &Known<T>, fit: Fit, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
    // The lock is not held while a fit is made: its threads may come to ask for another one.
    let known = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    let found = |known: &[Fitted<T>]| {
        let found = known.iter().find(|(of, _)| *of == fit);
        found.map(|(_, fitted)| Arc::clone(fitted))
    };
    if let Some(fitted) = found(&known()) {
        return Ok(fitted);
    }
    let fitted = Arc::new(make()?);
    let mut known = known();
    if let Some(fitted) = found(&known) {
        return Ok(fitted);
    }
    if known.len() == KEPT {
        known.remove(0);
    }
    known.push((fit, Arc::clone(&fitted)));
    Ok(fitted)
}

/// What is kept of the fits of one source.
#[derive(Debug, Default)]
struct Kept {
    regressions: Known<Regression>,
    coefficients: Known<Vec<f64>>,
}

impl Regressions {
    /// The regression for `fit`, made once.
    fn of(&self, fit: Fit, make: impl FnOnce() -> Result<Regression>) -> Result<Arc<Regression>> {
        once(&self.0.regressions, fit, make)
    }

    /// The coefficients for `fit`, made once.
    fn coefficients(
        &self,
        fit: Fit,
        make: impl FnOnce() -> Result<Vec<f64>>,
    ) -> Result<Arc<Vec<f64>>> {
        once(&self.0.coefficients, fit, make)
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let known = self.0.regressions.lock();
        known.unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Gives the paths on which the contract of a plan is to be fitted.
pub type FitPaths<'a> = dyn Fn(&Plan) -> Box<dyn PathSource> + Sync + 'a;

/// Contracts that were sold and have expired in the past, on which hedges are tuned and fitted.
pub trait PastContracts: Sync {
    /// The contracts by the length of their lives, each with its paths.
    fn groups(&self) -> Vec<(&Contract, &Paths<f64>)>;

    /// P&L, costs and turnover of all contracts, each with its own premium, under positions for every group,
    /// `[blocks][steps][instruments][BLOCK]`.
    fn book(&self, positions: &[Vec<Lane<f64>>]) -> Book;
}

/// What the centres of classical hedges are fitted on.
#[derive(Clone, Default)]
pub struct FittedOn<'a> {
    /// Simulated paths; none for those of the plan's model.
    pub paths: Option<&'a FitPaths<'a>>,
    /// Contracts of the past for the coefficients of a formula, in the place of simulated paths.
    pub past: Option<&'a dyn PastContracts>,
    /// What keeps the fits.
    pub kept: Regressions,
}

impl Plan {
    /// A hedge without training that assumes the market of `assets`, with the parameters `values` where it gives none; an aversion
    /// alone stands for all of them. What its centre is fitted on are paths of the plan's model in that market.
    pub fn classical<'a>(
        &self,
        hedge: impl Into<ClassicalHedge>,
        assets: &Assets,
        values: impl Into<HedgeValues>,
    ) -> ClassicalPolicy<'a> {
        let on = FittedOn {
            kept: self.kept_fits(),
            ..FittedOn::default()
        };
        self.fitted(hedge.into(), assets, values.into(), on)
    }

    /// What keeps the fits on the plan's own paths.
    pub fn kept_fits(&self) -> Regressions {
        self.regressions.clone()
    }

    /// The same with a centre that is fitted on what is given, once for each contract that it hedges.
    pub fn classical_on<'a>(
        &self,
        hedge: impl Into<ClassicalHedge>,
        assets: &Assets,
        values: impl Into<HedgeValues>,
        on: &FittedOn<'a>,
    ) -> ClassicalPolicy<'a> {
        self.fitted(hedge.into(), assets, values.into(), on.clone())
    }

    fn fitted<'a>(
        &self,
        hedge: ClassicalHedge,
        assets: &Assets,
        values: HedgeValues,
        on: FittedOn<'a>,
    ) -> ClassicalPolicy<'a> {
        let fits = Arc::new(PlanFits {
            plan: self.fitted_for().clone(),
            // What is fitted on given paths is fitted in the market of the plan.
            assets: match on.paths {
                Some(_) => self.assets(),
                None => assets.clone(),
            },
            on,
        });
        ClassicalPolicy::new(hedge, assets.clone(), self.charges())
            .within(self.limits.clone())
            .with_values(values)
            .with_fits(fits)
    }

    /// Hedged Monte Carlo of the plan's contract on paths of `assets`, fitted once.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    pub fn regression(&self, assets: &Assets) -> Result<Arc<Regression>> {
        let plan = self.fitted_for();
        plan.regressions
            .of(plan.fit(assets, plan.instruments()), || {
                let quotes = plan.market_quotes(assets);
                let ledger = plan.ledger(assets.first(), 0.0);
                plan.regress(&ledger, &quotes, &plan.regression_paths(assets))
            })
    }

    /// Hedged Monte Carlo of the plan's contract on paths of `source`, at the rate and the prices of `assets`.
    fn regression_on(&self, assets: &Assets, source: &dyn PathSource) -> Result<Regression> {
        let quotes = self.market_quotes(assets);
        self.regress(&self.ledger(assets.first(), 0.0), &quotes, source)
    }

    /// The regression on 65,536 paths, or as many as have two million dates.
    fn regress(
        &self,
        ledger: &Ledger,
        quotes: &Quotes,
        source: &dyn PathSource,
    ) -> Result<Regression> {
        const DATES: usize = 1 << 21;
        let paths = DATES / self.contract.steps / BLOCK * BLOCK;
        let paths = paths.clamp(1 << 13, 1 << 16);
        let drawn = self.drawn(quotes, source, (paths, Regression::RUN));
        Regression::new(ledger, &self.features, &drawn)
    }

    /// So many paths of `source`, on which the contract of `quotes` is observed, spread over the plan's ranks in runs of so many
    /// blocks.
    fn drawn(
        &self,
        quotes: &Quotes,
        source: &dyn PathSource,
        (count, run): (usize, usize),
    ) -> Paths<f32> {
        let spread = Spread::in_runs(&self.ranks, count.div_ceil(BLOCK), run);
        let mut drawn = Paths::<f32>::spread_as(spread, count, quotes.layout());
        source.fill(0, &mut drawn);
        quotes.fill(&mut drawn);
        drawn
    }

    fn regression_paths(&self, assets: &Assets) -> Simulator {
        let mut simulator = self.simulator(self.seed, Purpose::Regression);
        simulator.assets = assets.clone();
        simulator
    }

    fn fit(&self, assets: &Assets, instruments: Vec<Instrument>) -> Fit {
        Fit {
            centre: "",
            contract: self.contract.clone(),
            assets: assets.clone(),
            instruments,
            features: self.features.of_path(),
            seed: self.seed,
        }
    }

    /// What answers for the contract where the policy's features ask for it, on paths whose market is that of `assets`: the closed
    /// form that the Black–Scholes hedge uses or, where there is none, hedged Monte Carlo with the spots of all assets, fitted once.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    pub(super) fn benchmark(&self, assets: &Assets) -> Result<Option<Arc<dyn Benchmark>>> {
        if !self.asks_benchmark() {
            return Ok(None);
        }
        let assets = self.assumed.as_ref().unwrap_or(assets);
        if self.contract.has_delta() {
            return self.closed_form(assets).map(Some);
        }
        let spots: Vec<Instrument> = (0..assets.count()).map(Instrument::Spot).collect();
        let costs = Costs {
            spot: Charge::default(),
            liquidation: self.liquidation,
        };
        let dividends = assets.list()[1..]
            .iter()
            .map(|asset| &asset.market.dividend);
        let plan = self.fitted_for();
        let ledger = Ledger::new(plan.contract.clone(), costs, assets.first(), 0.0);
        let ledger = spots[1..]
            .iter()
            .fold(ledger.with_assets(dividends), |ledger, spot| {
                ledger.with_instrument(*spot, Charge::default())
            });
        let regression = plan.regressions.of(plan.fit(assets, spots.clone()), || {
            let quotes = Quotes::new(assets, &plan.contract, &spots);
            plan.regress(&ledger, &quotes, &plan.regression_paths(assets))
        })?;
        Ok(Some(Arc::new(Regressed::new(regression, ledger))))
    }

    /// The closed form of the contract, or of every contract of its family, in the market of `assets`.
    fn closed_form(&self, assets: &Assets) -> Result<Arc<dyn Benchmark>> {
        Ok(match self.contract.family() {
            None => Arc::new(ClosedForm::new(assets, &self.contract)?),
            Some(_) => Arc::new(FamilyForms::new(assets, &self.contract)?),
        })
    }

    /// The hedge whose positions the policy's action departs from, on paths whose market is that of `assets`; none where the action
    /// has no benchmark.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    pub(super) fn benchmark_hedge(
        &self,
        assets: &Assets,
    ) -> Result<Option<Arc<dyn BenchmarkHedge>>> {
        let Some(hedge) = self.reference else {
            return Ok(None);
        };
        let assets = self.assumed.as_ref().unwrap_or(assets);
        let policy = self.classical(hedge, assets, HedgeValues::default());
        // Asked once, so that what it fits is there from now on.
        let quotes = self.market_quotes(assets);
        let paths = self
            .regression_paths(assets)
            .paths_with::<f64>(&quotes, 0, BLOCK);
        policy.positions(&self.contract, &paths)?;
        let form = match self.contract.has_delta() && self.limits.is_none() {
            true => Some(self.closed_form(assets)?),
            false => None,
        };
        Ok(Some(Arc::new(Reference {
            policy,
            contract: self.contract.clone(),
            instruments: self.instruments(),
            form,
        })))
    }
}

/// A hedge without training of one contract, whose positions an action departs from.
struct Reference {
    policy: ClassicalPolicy<'static>,
    contract: Contract,
    instruments: Vec<Instrument>,
    /// The closed form of the contract, if there is one and nothing limits positions.
    form: Option<Arc<dyn Benchmark>>,
}

impl fmt::Debug for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hedge = self.policy.hedge().name();
        write!(formatter, "{hedge} of {}", self.contract.name)
    }
}

impl BenchmarkHedge for Reference {
    fn positions(&self, paths: &Paths<f64>, dates: Range<usize>) -> Vec<Lane<f64>> {
        let positions = self.policy.positions_on(&self.contract, paths, dates);
        positions.expect("it was asked when it was made")
    }

    fn quick(&self) -> Option<QuickHedge<'_>> {
        let hedge = self.policy.hedge();
        hedge.quick(&self.instruments, self.form.as_deref()?)
    }
}

/// Fits for a plan's contract, made when they are first asked for; contracts of another length are fitted on their own.
struct PlanFits<'a> {
    plan: Plan,
    assets: Assets,
    on: FittedOn<'a>,
}

impl PlanFits<'_> {
    /// The plan for `contract`, where that is not its own.
    fn living(&self, contract: &Contract) -> Result<Option<Plan>> {
        let length = |of: &Contract| (of.expiry, of.steps);
        match length(contract) == length(&self.plan.contract) {
            true => Ok(None),
            false => self.plan.living(contract.expiry, contract.steps).map(Some),
        }
    }
}

impl Fits for PlanFits<'_> {
    fn regression(&self, contract: &Contract) -> Result<Arc<Regression>> {
        let living = self.living(contract)?;
        let plan = living.as_ref().unwrap_or(&self.plan);
        match self.on.paths {
            None => plan.regression(&self.assets),
            Some(paths) => {
                let fit = plan.fit(&self.assets, plan.instruments());
                self.on.kept.of(fit, || {
                    plan.regression_on(&self.assets, paths(plan).as_ref())
                })
            }
        }
    }

    fn coefficients(&self, contract: &Contract, fit: &dyn hedging::Fit) -> Result<Arc<Vec<f64>>> {
        /// How many dates, and paths at most, the coefficients are found on.
        const DATES: usize = 1 << 19;
        const MOST: usize = 1 << 14;
        /// Blocks whose products are summed at once.
        const RUN: usize = 32;
        if let Some(past) = self.on.past {
            // Contracts of the past are all that there are, whatever the length of the one that is hedged.
            let of = Fit {
                centre: fit.name(),
                ..self.plan.fit(&self.assets, self.plan.instruments())
            };
            let on_past = || fit.on_past(&self.assets, &past.groups());
            return self.on.kept.coefficients(of, on_past);
        }
        let living = self.living(contract)?;
        let plan = living.as_ref().unwrap_or(&self.plan);
        let count = (DATES / plan.contract.steps / BLOCK * BLOCK).clamp(1 << 11, MOST);
        let on = |source: &dyn PathSource| {
            let quotes = plan.market_quotes(&self.assets);
            let drawn = plan.drawn(&quotes, source, (count, RUN));
            fit.on_simulated(&self.assets, &plan.contract, &drawn)
        };
        let of = Fit {
            centre: fit.name(),
            ..plan.fit(&self.assets, plan.instruments())
        };
        self.on.kept.coefficients(of, || match self.on.paths {
            None => on(&plan.regression_paths(&self.assets)),
            Some(paths) => on(paths(plan).as_ref()),
        })
    }
}

#[cfg(test)]
#[path = "classical_tests.rs"]
mod tests;
