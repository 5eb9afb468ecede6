use super::hedge::Hedge;
use super::screening::Screening;
use super::{TrainingPoint, ValidationSummary, thinning};
use crate::distributed::Workers;
use crate::error::{Error, Result};
use crate::hedging::{Ledger, Settlement};
use crate::linalg::{add_scaled, inner};
use crate::market::{PathSource, Paths, Quotes};
use crate::network::{Features, Parameters, Record, Sweep};
use crate::optimizer::{Batch, Optimizer};
use crate::risk::paired::risk_influence;
use crate::risk::{Curvature, Estimate, Masses, cvar};
use crate::simd::{BLOCK, Lane};
use crate::strategy::{OptimizerPlan, Plan};
use faer::Mat;
use serde_json::json;
use std::sync::Arc;

/// What a step of one training run needs, allocated once.
pub(super) struct Step<'a> {
    plan: &'a Plan,
    pub optimizer: Box<dyn Optimizer>,
    /// What training sees: with action and limits that are relaxed.
    sweep: Box<dyn Sweep<f32>>,
    /// The policy as it will hedge, where that is something else.
    exact: Option<Box<dyn Sweep<f32>>>,
    /// Settles what the hedge comes to.
    ledger: Ledger,
    /// Settles and differentiates what training sees: the same, but for jumps of costs, which are smoothed.
    smoothed: Ledger,
    /// The ledger without costs, where the control variate is asked for.
    martingale: Option<Ledger>,
    source: &'a dyn PathSource,
    /// The unit in which the optimizer counts money, in the spot's currency.
    pub unit: f64,
    /// What the policy sees.
    features: Arc<Features>,
    quotes: Arc<Quotes>,
    /// What chooses paths of a pool, if that is asked for.
    pub screening: Option<Screening>,
    /// The threshold of backward sweeps, in mean weights.
    thinning: f64,
    paths: Paths<f32>,
    /// The paths of the step after, or the pool that they are chosen from.
    next: Paths<f32>,
    record: Record<f32>,
    workers: Workers,
}

impl<'a> Step<'a> {
    /// Before step `first` of a training whose optimizer counts money in `unit`.
    ///
    /// # Errors
    /// Those of [`Plan::quotes`].
    pub fn new(
        plan: &'a Plan,
        optimizer: &OptimizerPlan,
        source: &'a dyn PathSource,
        first: usize,
        unit: f64,
    ) -> Result<Self> {
        let (quotes, ledger) = (plan.quotes()?, plan.ledger_of_sale());
        let room = |count: usize| Paths::over(&plan.ranks, count, quotes.layout());
        let mut screening = (optimizer.pool > 0).then(|| {
            let functionals = plan.functionals(ledger.clone(), unit);
            Screening::new(functionals, plan.risk, optimizer.paths, plan.seed, unit)
        });
        let mut next = room(optimizer.pool.max(optimizer.paths));
        fill(source, &quotes, (first * next.blocks()) as u64, &mut next);
        if let Some(screening) = &mut screening {
            screening.observe(&next);
        }
        Ok(Self {
            plan,
            optimizer: optimizer.settings.build(),
            sweep: plan.training_sweep(0.0),
            exact: plan.relaxes().then(|| plan.sweep()),
            smoothed: ledger.clone(),
            ledger,
            martingale: plan
                .control_variate
                .then(|| plan.ledger_without_costs(&plan.market)),
            source,
            unit,
            features: plan.seen()?,
            quotes: Arc::clone(&quotes),
            screening,
            thinning: optimizer.thinning,
            paths: room(optimizer.paths),
            next,
            record: Record::default(),
            workers: Workers::new(&plan.ranks, plan.gradient_worker_fraction),
        })
    }

    /// The P&L of hedging `paths` as training sees it, whose contracts are sold for `premiums` beyond the ledger's.
    pub fn pnl(
        &self,
        parameters: &Parameters,
        paths: &Paths<f32>,
        premiums: Option<&[f64]>,
    ) -> Result<Vec<f64>> {
        let seen = (self.sweep.as_ref(), &self.smoothed);
        let (pnl, []) = self.settle(seen, (parameters, paths), premiums, |_| [])?;
        Ok(pnl)
    }

    /// Takes the paths of step `step`, of the pool where there is one: what each stands for, and what its contract is sold for beyond the
    /// ledger's premium.
    fn choose(&mut self, step: usize) -> Result<(Masses, Option<Vec<f64>>)> {
        let first_block = (step * self.next.blocks()) as u64;
        let premiums = self.source.premiums(first_block, self.next.count());
        let Some(screening) = &mut self.screening else {
            std::mem::swap(&mut self.paths, &mut self.next);
            return Ok((Masses::equal(self.paths.count()), premiums));
        };
        let drawn = screening.draw(step, &self.next, premiums.as_deref())?;
        self.paths = self.next.gather(&drawn.chosen);
        let chosen = drawn.chosen.iter();
        let premiums = premiums.map(|premiums| chosen.map(|path| premiums[*path]).collect());
        Ok((drawn.masses, premiums))
    }

    /// The risk of hedging `paths`, and what else the hedge comes to.
    pub fn validate(
        &self,
        parameters: &Parameters,
        paths: &Paths<f32>,
        premiums: Option<&[f64]>,
    ) -> Result<(Estimate, ValidationSummary)> {
        let sweep = self.exact.as_ref().unwrap_or(&self.sweep).as_ref();
        let costs = |settled: &Settlement<f32>| [settled.cost];
        let exact = (sweep, &self.ledger);
        let (pnl, [cost]) = self.settle(exact, (parameters, paths), premiums, costs)?;
        let risk = self.plan.risk.evaluate(&pnl).value;
        let cvar = match self.plan.risk.cvar_level() {
            Some(_) => risk,
            None => cvar(&pnl, self.plan.risk.watched_level()),
        };
        let estimate = Estimate {
            value: risk,
            ..risk_influence(&pnl, self.plan.risk).estimate()
        };
        Ok((estimate, ValidationSummary::new(cvar, &pnl, &cost)))
    }

    /// The P&L of every path of all ranks, and what else of its settlement is asked for.
    fn settle<const N: usize>(
        &self,
        (sweep, ledger): (&dyn Sweep<f32>, &Ledger),
        (parameters, paths): (&Parameters, &Paths<f32>),
        premiums: Option<&[f64]>,
        further: impl Fn(&Settlement<f32>) -> [Lane<f32>; N],
    ) -> Result<(Vec<f64>, [Vec<f64>; N])> {
        let positions = sweep.forward(parameters, &self.features, paths)?;
        let settled = paths.map(|block| {
            let positions = paths.spread().part(&positions, block);
            ledger.settle(&paths.block(block), positions)
        });
        let of_all = |of: &dyn Fn(&Settlement<f32>) -> Lane<f32>| -> Vec<f64> {
            let all = paths.of_all(settled.iter().map(of).collect());
            all.into_iter().map(f64::from).collect()
        };
        let mut pnl = of_all(&|settled| settled.pnl);
        let columns = std::array::from_fn(|column| of_all(&|settled| further(settled)[column]));
        if let Some(premiums) = premiums {
            assert_eq!(pnl.len(), premiums.len(), "a premium for every path");
            for (z, premium) in pnl.iter_mut().zip(premiums) {
                *z += premium;
            }
        }
        Ok((pnl, columns))
    }

    /// Moves the parameters by one step; the point that it gives does not know the time yet.
    ///
    /// With a penalty λ of weights it minimises ρ/u + λ ‖W‖² over all of them, biases among them.
    ///
    /// The optimizer sees P&L, risk and their derivatives divided by the unit of money u: ∂ρ/∂W and J_b over u, and so the
    /// curvature c of (c/n) Σ_b h_b J_b J_bᵀ times u. The point's risk is in the spot's currency, its statistics in units.
    pub fn take(
        &mut self,
        parameters: &mut Parameters,
        step: usize,
        progress: f64,
    ) -> Result<TrainingPoint> {
        let unit = self.unit;
        if self.plan.smooths_costs() {
            let width = self.plan.smoothing.width(progress);
            self.smoothed.smooth_costs(width);
        }
        if self.plan.relaxes() {
            self.sweep.relax(self.plan.relaxing.at(progress));
        }
        let (masses, premiums) = self.choose(step)?;
        let pnl = self.pnl(parameters, &self.paths, premiums.as_deref())?;
        let risk = self.plan.risk.evaluate_weighted(&pnl, &masses);
        if !risk.value.is_finite() {
            return Err(Error::Computation(format!(
                "the risk is {} at step {step}",
                risk.value
            )));
        }
        if let Some(screening) = &mut self.screening {
            let paths = (&self.paths, &masses);
            screening.learn(paths, (&pnl, &risk), premiums.as_deref())?;
        }
        // Any run of blocks stands for the whole batch, see `PathSource`.
        let sampled = self
            .optimizer
            .curvature_paths(step)
            .min(self.paths.count() / BLOCK * BLOCK);
        // What the sampled paths add to the gradient is had from their record.
        let mut unrecorded = risk.weights.clone();
        unrecorded[..sampled].fill(0.0);
        let hedge = Hedge {
            sweep: self.sweep.as_ref(),
            parameters,
            features: &self.features,
            ledger: &self.smoothed,
            unit: self.unit,
        };
        let cash = self.plan.risk.cash();
        let mut shares: Vec<f64> = match &self.martingale {
            Some(_) => masses
                .iter()
                .map(|mass| cash * mass / masses.sum())
                .collect(),
            None => vec![0.0; pnl.len()],
        };
        let swept = self.thin((&risk.weights, step), &mut unrecorded, &mut shares);
        let martingale = self.martingale.as_ref().map(|ledger| (ledger, &*shares));
        let mut gradient = hedge.risk_gradient(&self.paths, &unrecorded, martingale)?;
        let mut curvature_scale = 1.0;
        if sampled > 0 {
            let sample = self.paths.gather(&(0..sampled).collect::<Vec<_>>());
            let record = &mut self.record;
            hedge.record(&sample, record)?;
            add_scaled(&mut gradient, 1.0, &record.gradient(&risk.weights));
            let weights = self.optimizer.weights();
            let Curvature { weights, scale } =
                self.plan
                    .risk
                    .curvature_weighted(weights, (&pnl, &masses), &risk.weights, sampled);
            let roots: Vec<f64> = weights.iter().map(|h| h.sqrt()).collect();
            record.scale(&roots);
            curvature_scale = scale * unit;
        }
        let penalty = self.plan.weight_penalty;
        // What else a gradient has is no change of P&L that the record knows of.
        let known = penalty == 0.0 && self.martingale.is_none();
        let steepest = if known && self.optimizer.wants_steepest() {
            let mut counted = unrecorded;
            counted[..sampled].copy_from_slice(&risk.weights[..sampled]);
            let (kind, sample) = (self.optimizer.weights(), (&*pnl, &masses));
            let weights = (&*risk.weights, &*counted);
            self.plan.risk.steepest(kind, sample, weights)
        } else {
            f64::INFINITY
        };
        let weights = parameters.matrices()?;
        if penalty > 0.0 {
            add_scaled(&mut gradient, 2.0 * penalty, &weights);
        }
        let batch = Batch {
            gradient: &gradient,
            record: (sampled > 0).then_some(&self.record),
            curvature: curvature_scale,
            steepest,
            workers: &self.workers,
            parameters: &weights,
            step,
            progress,
        };
        // Decompositions leave threads idle, which the next batch can use. It waits for no other rank, as the proposal may.
        let next_block = ((step + 1) * self.next.blocks()) as u64;
        let (optimizer, source, next) = (&mut self.optimizer, self.source, &mut self.next);
        let (quotes, screening) = (&self.quotes, &mut self.screening);
        let (proposal, ()) = rayon::join(
            || optimizer.propose(&batch),
            || {
                fill(source, quotes, next_block, next);
                if let Some(screening) = screening {
                    screening.observe(next);
                }
            },
        );
        let mut proposal = proposal?;
        if let Some(screening) = &self.screening {
            screening.statistics(&mut proposal.statistics);
        }
        if self.thinning > 0.0 {
            proposal
                .statistics
                .insert("swept_back".into(), json!(swept));
        }
        parameters.add(&proposal.change)?;
        if self.optimizer.wants_trial(step) {
            let after = self.pnl(parameters, &self.paths, premiums.as_deref())?;
            let after = self.plan.risk.evaluate_weighted(&after, &masses);
            let penalised = |risk: f64, weights: &[Mat<f64>]| match penalty > 0.0 {
                true => risk / unit + penalty * inner(weights, weights),
                false => risk / unit,
            };
            let before = penalised(risk.value, &weights);
            let after = penalised(after.value, &parameters.matrices()?);
            self.optimizer.trial(before, after);
        }
        Ok(TrainingPoint {
            step,
            seconds: 0.0,
            risk: risk.value,
            validation_risk: None,
            validation_standard_error: None,
            statistics: proposal.statistics,
        })
    }
}

impl Step<'_> {
    /// Thins a backward sweep: leaves out paths of little weight, and lets the others count for them. `weights` are those of all paths. Gives the
    /// number of paths that are swept back.
    fn thin(
        &self,
        (weights, step): (&[f64], usize),
        unrecorded: &mut [f64],
        shares: &mut [f64],
    ) -> usize {
        let pairs = unrecorded.iter().zip(shares.iter());
        let own: Vec<f64> = pairs.map(|(w, share)| w.abs() + share.abs()).collect();
        let mean = weights.iter().map(|w| w.abs()).sum::<f64>() / weights.len() as f64;
        let kept = thinning::kept(&own, self.thinning * mean, self.plan.seed, step);
        for ((w, share), kept) in unrecorded.iter_mut().zip(shares).zip(&kept) {
            *w *= kept;
            *share *= kept;
        }
        let pairs = own.iter().zip(&kept);
        pairs.filter(|(own, kept)| **own * **kept > 0.0).count()
    }
}

/// Fills `paths` from block `first` of a source on, with prices and what the contracts brought.
pub(super) fn fill(source: &dyn PathSource, quotes: &Quotes, first: u64, paths: &mut Paths<f32>) {
    source.fill(first, paths);
    quotes.fill(paths);
    if let Some(premiums) = source.premiums(first, paths.count()) {
        paths.receive(&premiums);
    }
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;
