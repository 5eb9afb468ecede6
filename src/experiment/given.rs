//! A trained policy of a run on paths that are given to it.

use super::policies::{RunPolicies, SavedPolicy, chosen};
use crate::error::{Error, Result};
use crate::hedging::{Policy, Seen, Session, TrainedPolicy};
use crate::market::Paths;
use crate::network::Parameters;
use crate::pricing::SurfaceFactors;
use crate::runs::store::RunFolder;
use crate::runs::trained_on::{Outside, TrainedOn};
use crate::simd::BLOCK;
use crate::strategy::Plan;
use rayon::prelude::*;

/// A trained policy of a run, for whoever has paths or dates of its own.
pub struct LoadedPolicy {
    plan: Plan,
    run: RunFolder,
    window: Option<usize>,
    policy: SavedPolicy,
    trained_on: Option<TrainedOn>,
}

/// What is shown of one asset: spots and, unless its variance never changes in the model, annualised variances, each
/// `[paths][dates]`.
#[derive(Debug, Clone, Copy)]
pub struct GivenAsset<'a> {
    /// Spots in the strategy's currency, on its scale.
    pub spot: &'a [f64],
    /// Annualised variances.
    pub variance: Option<&'a [f64]>,
}

/// Paths as they are given: those of every asset of the plan in its order, all of `paths` paths and `dates` dates.
#[derive(Debug, Clone)]
pub struct GivenPaths<'a> {
    /// The number of paths.
    pub paths: usize,
    /// The number of dates.
    pub dates: usize,
    /// What is shown of every asset.
    pub assets: Vec<GivenAsset<'a>>,
    /// The factors of the implied-volatility surface of the first asset, `[paths][dates][factors]`, where paths of the plan have one.
    pub surface: Option<&'a [f64]>,
}

impl LoadedPolicy {
    /// The one of a run's policies that `optimizer` trained with `seed`: unless given that of the strategy's main optimizer, and the first
    /// of its seeds. `named` makes the name of the argument that is at fault of `optimizer` and `seed`.
    ///
    /// # Errors
    /// [`Error::Input`] if there is no such policy: which ones there are.
    pub fn new(
        of: RunPolicies,
        which: (Option<&str>, Option<u64>),
        named: impl Fn(&str) -> String,
    ) -> Result<Self> {
        let RunPolicies {
            run,
            plan,
            policies,
            trained_on,
            window,
        } = of;
        Ok(Self {
            policy: chosen(policies, &plan, which, named)?,
            plan,
            run,
            window,
            trained_on,
        })
    }

    /// Refuses a policy that cannot hedge paths that are given.
    ///
    /// # Errors
    /// [`Error::Input`] for contracts with terms in ranges.
    pub fn takes_given_paths(&self) -> Result<()> {
        match self.plan.contract.family() {
            None => Ok(()),
            Some(_) => Err(Error::input(format!(
                "run `{}`: its contract has terms in ranges, and given paths do not say which they have",
                self.run.id()
            ))),
        }
    }

    /// The plan that it was trained for.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The run that has it.
    pub fn run(&self) -> &RunFolder {
        &self.run
    }

    /// The number of the window of a walk-forward that trained it; none of a run that has no windows.
    pub fn window(&self) -> Option<usize> {
        self.window
    }

    /// Its weights.
    pub fn parameters(&self) -> &Parameters {
        &self.policy.parameters
    }

    /// What it was trained on; runs of older versions do not say it.
    pub fn trained_on(&self) -> Option<&TrainedOn> {
        self.trained_on.as_ref()
    }

    /// What `work` makes of the policy as paths are hedged by it.
    ///
    /// # Errors
    /// That of the plan's features; those of `work`.
    pub fn hedging<T>(&self, work: impl FnOnce(&TrainedPolicy<'_>) -> Result<T>) -> Result<T> {
        let (sweep, seen) = (self.plan.sweep(), self.plan.seen()?);
        work(&TrainedPolicy {
            parameters: &self.policy.parameters,
            features: &seen,
            sweep: sweep.as_ref(),
        })
    }

    /// The name of the optimizer that trained it, and the seed.
    pub fn trained(&self) -> (&str, u64) {
        (self.policy.strategy(), self.policy.seed())
    }

    /// So many contracts before their sale, taken through time date by date.
    ///
    /// # Errors
    /// Those of [`Self::takes_given_paths`] and of [`Plan::session`].
    pub fn session(&self, contracts: usize) -> Result<Session> {
        self.takes_given_paths()?;
        let weights = [&self.policy.parameters];
        self.plan
            .session(&self.plan.assets(), &weights, contracts, |_| 0)
    }

    /// What is held over every period of the contract's life on each path, written into `out`, `[paths][periods][instruments]`, and how
    /// far the paths lie outside of what the policy was trained on. What is given of the date of expiry, which is no hedging date, may
    /// be left out.
    ///
    /// # Errors
    /// [`Error::Input`] for another number of dates; those of [`Self::takes_given_paths`] and [`GivenPaths::check`]; those of the policy; that of `stop`, which is asked again and again.
    ///
    /// # Panics
    /// If `out` has another length.
    pub fn positions(
        &self,
        given: &GivenPaths<'_>,
        out: &mut [f64],
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<Outside>> {
        self.takes_given_paths()?;
        let plan = &self.plan;
        let steps = plan.contract.steps;
        if ![steps, steps + 1].contains(&given.dates) {
            return Err(Error::input(format!(
                "`spot` must have {} dates, the sale and the expiry among them, or {steps} without the expiry, has {}",
                steps + 1,
                given.dates
            )));
        }
        given.check(plan)?;
        let quotes = plan.quotes()?;
        let count = quotes.instruments().len();
        assert_eq!(out.len(), given.paths * steps * count);
        let mut outside = self.trained_on.as_ref().map(TrainedOn::counted);
        let chunk = plan.chunk();
        let chunks = (0..given.paths)
            .step_by(chunk)
            .zip(out.chunks_mut(chunk * steps * count));
        self.hedging(|policy| {
            for (first, out) in chunks {
                stop()?;
                let some = chunk.min(given.paths - first);
                let mut paths = Paths::<f64>::with_layout(some, quotes.layout());
                given.fill(plan, first, &mut paths);
                quotes.fill(&mut paths);
                let positions = policy.positions(&plan.contract, &paths)?;
                out.par_chunks_mut(steps * count)
                    .enumerate()
                    .for_each(|(path, out)| {
                        let block = &positions[path / BLOCK * steps * count..];
                        for (value, lanes) in out.iter_mut().zip(block) {
                            *value = lanes[path % BLOCK];
                        }
                    });
                if let Some(outside) = &mut outside {
                    outside.count(&paths, plan.contract.strike);
                }
            }
            Ok(())
        })?;
        Ok(outside.map_or_else(Vec::new, |counted| counted.outside()))
    }
}

impl GivenPaths<'_> {
    /// Refuses what does not show the plan's market.
    ///
    /// # Errors
    /// [`Error::Input`] for no paths; an asset whose variance moves and is not given; a surface that is missing, or that paths of the plan have not; by asset, path and date for a spot that is not finite and above 0, a variance that is not finite and at least 0, and a factor
    /// that is not finite.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        if self.paths == 0 {
            return Err(Error::input("`spot` must have a path or more"));
        }
        let assets = plan.assets();
        let cells = self.paths * self.dates;
        let sized = |what: &str, values: &[f64], size: usize| match values.len() == size {
            true => Ok(()),
            false => Err(Error::input(format!(
                "{what} must have {size} numbers, has {}",
                values.len()
            ))),
        };
        for (asset, given) in assets.list().iter().zip(&self.assets) {
            let of = match assets.count() {
                1 => String::new(),
                _ => format!(" of `{}`", asset.name),
            };
            let what = |key: &str| format!("`{key}`{of}");
            sized(&what("spot"), given.spot, cells)?;
            self.each(&what("spot"), given.spot, "finite and above 0", |spot| {
                spot.is_finite() && spot > 0.0
            })?;
            match given.variance {
                Some(variance) => {
                    sized(&what("variance"), variance, cells)?;
                    let bound = "finite and at least 0";
                    self.each(&what("variance"), variance, bound, |variance| {
                        variance.is_finite() && variance >= 0.0
                    })?;
                }
                None if asset.market.model.variance_process().is_constant() => {}
                None => {
                    return Err(Error::input(format!(
                        "{} is missing: the variance of the model \"{}\" moves, and the policy sees it",
                        what("variance"),
                        asset.market.model.name()
                    )));
                }
            }
        }
        match (self.surface, plan.market.model.has_surface()) {
            (Some(surface), true) => {
                sized("`surface`", surface, cells * SurfaceFactors::COUNT)?;
                let finite = surface.iter().all(|factor| factor.is_finite());
                finite
                    .then_some(())
                    .ok_or_else(|| Error::input("`surface` must have finite factors"))
            }
            (None, true) => Err(Error::input(format!(
                "`surface` is missing: paths of the model \"{}\" have one, by the factors {} of every date",
                plan.market.model.name(),
                SurfaceFactors::NAMES.join(", ")
            ))),
            (Some(_), false) => Err(Error::input(
                "`surface` has no meaning for a policy that was trained without surfaces",
            )),
            (None, false) => Ok(()),
        }
    }

    /// Refuses a value that is not `right`.
    fn each(
        &self,
        what: &str,
        values: &[f64],
        bound: &str,
        right: impl Fn(f64) -> bool,
    ) -> Result<()> {
        match values.iter().position(|value| !right(*value)) {
            None => Ok(()),
            Some(place) => Err(Error::input(format!(
                "{what} must be {bound}, was {} on path {}, date {}",
                values[place],
                place / self.dates,
                place % self.dates
            ))),
        }
    }

    /// What the market shows on date `date` of each path, as a session sees it.
    pub fn seen(&self, plan: &Plan, date: usize) -> Vec<Seen> {
        let constant = variances_now(plan);
        let shown = |path: usize| {
            let place = path * self.dates + date;
            let assets = self.assets.iter().zip(&constant);
            let assets = assets.map(|(of, constant)| {
                let variance = of.variance.map_or(*constant, |variance| variance[place]);
                (of.spot[place], variance)
            });
            Seen {
                assets: assets.collect(),
                surface: self.surface.map(|surface| factors(surface, place)),
            }
        };
        (0..self.paths).map(shown).collect()
    }

    /// Writes the paths from number `first` on into `paths`. What is not given of the expiry is what was there on the date before.
    fn fill(&self, plan: &Plan, first: usize, paths: &mut Paths<f64>) {
        let (last, known) = (paths.count() - 1, self.dates - 1);
        let constant = variances_now(plan);
        paths.blocks_mut().for_each(|(block, mut out)| {
            let place = |lane: usize, t: usize| {
                (first + (block * BLOCK + lane).min(last)) * self.dates + t.min(known)
            };
            let (assets, surface, payoff) = out.markets();
            // What is paid is not said, and no position depends on it.
            payoff.fill([f64::NAN; BLOCK]);
            for (asset, (spots, variances)) in assets.enumerate() {
                let of = self.assets[asset];
                for (t, spots) in spots.iter_mut().enumerate() {
                    *spots = std::array::from_fn(|lane| of.spot[place(lane, t)]);
                }
                for (t, variances) in variances.iter_mut().enumerate() {
                    *variances = match of.variance {
                        Some(variance) => std::array::from_fn(|lane| variance[place(lane, t)]),
                        None => [constant[asset]; BLOCK],
                    };
                }
            }
            if let Some(given) = self.surface {
                let dates = plan.contract.steps + 1;
                for (factor, rows) in surface.chunks_exact_mut(dates).enumerate() {
                    for (t, row) in rows.iter_mut().enumerate() {
                        let at = |lane: usize| factors(given, place(lane, t)).to_array()[factor];
                        *row = std::array::from_fn(at);
                    }
                }
            }
        });
    }
}

/// The variance of every asset at the sale, which is that of all dates where it never changes.
fn variances_now(plan: &Plan) -> Vec<f64> {
    let assets = plan.assets();
    let now = assets.list().iter();
    now.map(|asset| asset.market.model.variance_process().now())
        .collect()
}

/// The factors of the surface at a place.
fn factors(surface: &[f64], place: usize) -> SurfaceFactors {
    let factors = &surface[place * SurfaceFactors::COUNT..][..SurfaceFactors::COUNT];
    SurfaceFactors::from_array(std::array::from_fn(|factor| factors[factor]))
}
