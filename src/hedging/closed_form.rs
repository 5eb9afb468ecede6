//! What a contract is worth by a closed form in a market that a hedge assumes.

use crate::contract::{Contract, Formula, Leg, Seen, SeenAsset, Worth};
use crate::error::{Error, Result};
use crate::market::{AnswersMut, Assets, Benchmark, PathBlock, VarianceProcess};
use crate::pricing::{BlackScholes, OptionLanes};
use crate::simd::{BLOCK, Lane, dispatch};

/// The closed form of a contract at the volatilities that the models of its assets expect until expiry: Black–Scholes' of calls
/// and puts, or one of its own.
#[derive(Debug, Clone)]
pub struct ClosedForm {
    assets: Assets,
    /// The variance of every asset's model, made once for all paths and dates.
    processes: Vec<VarianceProcess>,
    contract: Contract,
}

/// Where the delta of a contract comes from.
#[derive(Clone, Copy)]
pub(super) enum Form<'a> {
    /// Its calls and puts.
    Legs(&'a [Leg]),
    /// A closed form of its own.
    Formula(&'a dyn Formula),
}

impl<'a> Form<'a> {
    /// None without a delta in closed form.
    pub(super) fn of(contract: &'a Contract) -> Option<Self> {
        let legs = contract.legs().map(Self::Legs);
        legs.or_else(|| contract.formula().map(Self::Formula))
    }
}

/// Years from a date to the expiry of a contract.
pub(super) fn left(contract: &Contract, date: usize) -> f64 {
    contract.dt() * (contract.steps - date) as f64
}

impl ClosedForm {
    /// The closed form of `contract`, or of every one of its family, in the market of `assets`.
    ///
    /// # Errors
    /// [`Error::Input`] if the contract has no delta in closed form.
    pub fn new(assets: &Assets, contract: &Contract) -> Result<Self> {
        let known = |contract: &Contract| match Form::of(contract) {
            Some(Form::Legs(_)) => true,
            Some(Form::Formula(formula)) => formula.assets() <= assets.count(),
            None => false,
        };
        let all_known = match contract.family() {
            None => known(contract),
            Some(family) => family.members().iter().all(|one| known(&one.contract)),
        };
        if !all_known {
            return Err(Error::input(format!(
                "a delta in closed form is asked for, and the contract ({}) has none",
                contract.name
            )));
        }
        let list = assets.list().iter();
        Ok(Self {
            assets: assets.clone(),
            processes: list
                .map(|asset| asset.market.model.variance_process())
                .collect(),
            contract: contract.clone(),
        })
    }

    /// The contract of a path of a block.
    pub(super) fn contract_of(&self, block: &PathBlock<'_, f64>, lane: usize) -> &Contract {
        let member = block.drawn().map(|drawn| drawn.member[lane]);
        self.contract.of_path(member)
    }

    /// The assets that the hedge assumes.
    pub(super) fn assets(&self) -> &Assets {
        &self.assets
    }

    /// The variance process of an asset.
    pub(super) fn process(&self, asset: usize) -> &VarianceProcess {
        &self.processes[asset]
    }

    /// A sensitivity of calls and puts at the volatility that the model expects until expiry.
    pub(super) fn black_scholes(
        &self,
        legs: &[Leg],
        spot: f64,
        variance: f64,
        left: f64,
        of: impl Fn(&BlackScholes) -> f64,
    ) -> f64 {
        let volatility = self.processes[0].mean_from(variance, left).sqrt();
        let value = |leg: &Leg| {
            let option = self.assets.first().black_scholes(*leg, left, volatility);
            leg.quantity * of(&BlackScholes { spot, ..option })
        };
        legs.iter().map(value).sum()
    }

    /// What the contract is worth by a formula of its own on one path at date `t`; `seen` is memory for the assets there.
    pub(super) fn worth(
        &self,
        (contract, formula): (&Contract, &dyn Formula),
        (data, lane): (&PathBlock<'_, f64>, usize),
        t: usize,
        (seen, state): (&mut Vec<SeenAsset>, &mut Vec<f64>),
    ) -> Worth {
        let left = left(contract, t);
        state.clear();
        let accumulators = 0..contract.accumulators().len();
        state.extend(accumulators.map(|index| data.state(index)[t][lane]));
        seen.clear();
        let assets = self.assets.list().iter().zip(&self.processes).enumerate();
        seen.extend(assets.map(|(index, (asset, process))| {
            let variance = data.variance_of(index)[t][lane];
            SeenAsset {
                spot: data.spot_of(index)[t][lane],
                dividend: asset.market.dividend,
                volatility: process.mean_from(variance, left).sqrt(),
            }
        }));
        formula.worth(&Seen {
            assets: seen,
            correlation: self.assets.correlation().matrix(),
            rate: self.assets.first().rate,
            date: t,
            steps: contract.steps,
            dt: contract.dt(),
            state,
        })
    }

    /// The answers of one date before expiry by calls and puts that all paths have.
    fn by_legs(
        &self,
        legs: &[Leg],
        block: &PathBlock<'_, f64>,
        t: usize,
        out: &mut AnswersMut<'_>,
    ) {
        let left = left(&self.contract, t);
        let process = &self.processes[0];
        let volatility = block.variance[t].map(|v| process.mean_from(v, left).sqrt());
        let [mut price, mut delta, mut gamma] = [[0.0; BLOCK]; 3];
        for leg in legs {
            dispatch(OptionLanes {
                quantity: leg.quantity,
                option: self.assets.first().black_scholes(*leg, left, f64::NAN),
                spot: &block.spot[t],
                volatility: &volatility,
                sums: [&mut price, &mut delta, &mut gamma],
            });
        }
        *out.value(t) = price;
        let (deltas, gammas) = out.moves(0, t);
        (*deltas, *gammas) = (delta, gamma);
    }

    /// The answers on one path, by its own contract.
    fn by_path(&self, (block, lane): (&PathBlock<'_, f64>, usize), out: &mut AnswersMut<'_>) {
        let contract = self.contract_of(block, lane);
        let (mut seen, mut state) = (Vec::new(), Vec::new());
        let end = block.end().map_or(contract.steps, |end| end[lane] as usize);
        for t in 0..contract.steps.min(end) {
            match Form::of(contract).expect("looked at when it was made") {
                Form::Legs(legs) => {
                    let (spot, variance) = (block.spot[t][lane], block.variance[t][lane]);
                    let of = |of: fn(&BlackScholes) -> f64| {
                        self.black_scholes(legs, spot, variance, left(contract, t), of)
                    };
                    out.value(t)[lane] = of(BlackScholes::price);
                    let (delta, gamma) = out.moves(0, t);
                    (delta[lane], gamma[lane]) = (of(BlackScholes::delta), of(BlackScholes::gamma));
                }
                Form::Formula(formula) => {
                    let memory = (&mut seen, &mut state);
                    let worth = self.worth((contract, formula), (block, lane), t, memory);
                    out.value(t)[lane] = worth.price;
                    for asset in 0..formula.assets() {
                        let (delta, gamma) = out.moves(asset, t);
                        (delta[lane], gamma[lane]) = (worth.deltas[asset], worth.gammas[asset]);
                    }
                }
            }
        }
    }
}

impl Benchmark for ClosedForm {
    fn answer(&self, block: &PathBlock<'_, f64>, out: &mut AnswersMut<'_>) {
        match self.contract.legs() {
            Some(legs) => (0..self.contract.steps).for_each(|t| self.by_legs(legs, block, t, out)),
            None => (0..BLOCK).for_each(|lane| self.by_path((block, lane), out)),
        }
        finish(&self.contract, block, self.assets.count(), out);
    }
}

/// On which paths of a block the contract lives after date `t`.
pub(super) fn alive<R: crate::simd::Real>(block: &PathBlock<'_, R>, t: usize) -> [bool; BLOCK] {
    let t = t as f64;
    block
        .end()
        .map_or([true; BLOCK], |end| end.map(|end| t < end.into_f64()))
}

/// What all benchmarks say from expiry and the end of the contract on, and where an answer has no finite value, as gamma has none at
/// a barrier or without anything left to move: nothing.
pub(super) fn finish(
    contract: &Contract,
    block: &PathBlock<'_, f64>,
    assets: usize,
    out: &mut AnswersMut<'_>,
) {
    let steps = contract.steps;
    let clean = |lane: &mut Lane<f64>, alive: [bool; BLOCK]| {
        for (value, alive) in lane.iter_mut().zip(alive) {
            if !(alive && value.is_finite()) {
                *value = 0.0;
            }
        }
    };
    for t in 0..steps {
        let alive = alive(block, t);
        clean(out.value(t), alive);
        for asset in 0..assets {
            let (delta, gamma) = out.moves(asset, t);
            clean(delta, alive);
            clean(gamma, alive);
        }
    }
    let alive = alive(block, steps - 1);
    if contract.due().last() == Some(&steps) {
        *out.value(steps) = *block.payments().last().expect("it is due");
        clean(out.value(steps), alive);
    }
}
