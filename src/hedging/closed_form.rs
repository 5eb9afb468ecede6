//! What a contract is worth by a closed form in a market that a hedge assumes.

use crate::contract::{Contract, Formula, Leg, Seen, SeenAsset, Worth};
use crate::error::{Error, Result};
use crate::market::{AnswersMut, Assets, Benchmark, MarketState, PathBlock, VarianceProcess};
use crate::pricing::{BlackScholes, OptionLanes, SurfaceLanes};
use crate::simd::{BLOCK, Lane, dispatch};
use std::ops::Range;

/// The closed form of a contract: Black–Scholes' of calls and puts, or one of its own. Where paths have an implied-volatility surface, each
/// call and put is at the volatility of its strike and expiry on the day, and a formula of its own at that of the money; else both are
/// at the volatilities that the models of the assets expect until expiry.
#[derive(Debug, Clone)]
pub struct ClosedForm {
    assets: Assets,
    /// The variance of every asset's model, made once for all paths and dates.
    processes: Vec<VarianceProcess>,
    /// ∫ (r − q) until every date, of each asset.
    carried: Vec<Vec<f64>>,
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

impl ClosedForm {
    /// The closed form of `contract` in the market of `assets`.
    ///
    /// # Errors
    /// [`Error::Input`] if the contract has no delta in closed form.
    pub fn new(assets: &Assets, contract: &Contract) -> Result<Self> {
        let form = Self {
            assets: assets.clone(),
            processes: assets
                .list()
                .iter()
                .map(|asset| asset.market.model.variance_process())
                .collect(),
            carried: assets.carried(contract.steps, contract.dt()),
            contract: contract.clone(),
        };
        form.form()?;
        Ok(form)
    }

    /// The closed form of `contract`, or of every contract of its family, in the market of `assets`.
    ///
    /// # Errors
    /// [`Error::Input`] if one has no delta in closed form.
    pub(super) fn of_paths(assets: &Assets, contract: &Contract) -> Result<Vec<Self>> {
        match contract.family() {
            None => Ok(vec![Self::new(assets, contract)?]),
            Some(family) => {
                let members = family.members().iter();
                members
                    .map(|member| Self::new(assets, &member.contract))
                    .collect()
            }
        }
    }

    /// That of [`Self::of_paths`] which the contract of a path has.
    pub(super) fn of_path<'a>(
        forms: &'a [Self],
        block: &PathBlock<'_, f64>,
        lane: usize,
    ) -> &'a Self {
        let member = block.drawn().map_or(0, |drawn| drawn.member[lane] as usize);
        &forms[member]
    }

    /// # Errors
    /// [`Error::Input`] if there is none.
    pub(super) fn form(&self) -> Result<Form<'_>> {
        match (self.contract.legs(), self.assets.formula(&self.contract)) {
            (Some(legs), _) => Ok(Form::Legs(legs)),
            (None, Some(formula)) if formula.assets() <= self.assets.count() => {
                Ok(Form::Formula(formula))
            }
            (None, _) => Err(Error::input(format!(
                "a delta in closed form is asked for, and the contract ({}) has none",
                self.contract.name
            ))),
        }
    }

    /// The calls and puts that the contract is a sum of.
    ///
    /// # Errors
    /// [`Error::Input`] if it is none.
    pub(super) fn legs(&self) -> Result<&[Leg]> {
        self.contract.needed_legs()
    }

    /// The assets that the hedge assumes.
    pub(super) fn assets(&self) -> &Assets {
        &self.assets
    }

    /// The variance process of an asset.
    pub(super) fn process(&self, asset: usize) -> &VarianceProcess {
        &self.processes[asset]
    }

    /// Years from the sale to expiry.
    pub(super) fn expiry(&self) -> f64 {
        self.contract.expiry
    }

    /// The number of hedging periods.
    pub(super) fn steps(&self) -> usize {
        self.contract.steps
    }

    /// Years from a date to expiry.
    pub(super) fn left(&self, date: usize) -> f64 {
        self.contract.dt() * (self.contract.steps - date) as f64
    }

    /// What one unit of currency at expiry is worth so many years before.
    pub(super) fn discount(&self, left: f64) -> f64 {
        let expiry = self.expiry();
        let average = self.assets.first().rate.average(expiry - left, expiry);
        (-average * left).exp()
    }

    /// A call or put of the contract so many years before it expires with it.
    fn option(&self, leg: Leg, left: f64, volatility: f64) -> BlackScholes {
        let elapsed = self.expiry() - left;
        let market = self.assets.first();
        market.black_scholes_after(elapsed, leg, left, volatility)
    }

    /// The volatility of a call or put of the contract so many years before it expires with it.
    pub(super) fn leg_volatility(&self, leg: &Leg, state: &MarketState, left: f64) -> f64 {
        let log_moneyness = self.log_moneyness(state.spot, leg.strike, left, left);
        state.volatility(&self.processes[0], log_moneyness, left)
    }

    /// ln(F/K) of an option on the first asset, `left` years before the contract expires and `own` years before the option does.
    pub(super) fn log_moneyness(&self, spot: f64, strike: f64, left: f64, own: f64) -> f64 {
        let elapsed = self.expiry() - left;
        let carry = self.assets.first().carry(elapsed, elapsed + own);
        (spot / strike).ln() + carry * own
    }

    /// The volatility of the contract's first call or put.
    pub(super) fn volatility(&self, legs: &[Leg], state: &MarketState, left: f64) -> f64 {
        self.leg_volatility(&legs[0], state, left)
    }

    /// A sensitivity of calls and puts, each at its own volatility.
    pub(super) fn black_scholes(
        &self,
        legs: &[Leg],
        state: &MarketState,
        left: f64,
        of: impl Fn(&BlackScholes) -> f64,
    ) -> f64 {
        self.sum(legs, state.spot, left, of, |leg| {
            self.leg_volatility(leg, state, left)
        })
    }

    /// A sensitivity of calls and puts where the volatility `from` of the first of them is adjusted to `to`, and every other one by the same
    /// share.
    pub(super) fn adjusted(
        &self,
        legs: &[Leg],
        state: &MarketState,
        (from, to): (f64, f64),
        left: f64,
        of: impl Fn(&BlackScholes) -> f64,
    ) -> f64 {
        self.sum(legs, state.spot, left, of, |leg| match state.surface {
            None => to,
            Some(_) => self.leg_volatility(leg, state, left) * (to / from),
        })
    }

    fn sum(
        &self,
        legs: &[Leg],
        spot: f64,
        left: f64,
        of: impl Fn(&BlackScholes) -> f64,
        volatility: impl Fn(&Leg) -> f64,
    ) -> f64 {
        let value = |leg: &Leg| {
            let option = self.option(*leg, left, volatility(leg));
            leg.quantity * of(&BlackScholes { spot, ..option })
        };
        legs.iter().map(value).sum()
    }

    /// Those of some dates on which the contract lives.
    pub(super) fn living_on(&self, dates: &Range<usize>) -> Range<usize> {
        dates.start..dates.end.min(self.steps())
    }

    /// Writes the time to expiry on some dates, and the discount factor where there are rows for it, on one path.
    pub(super) fn fill_times(
        &self,
        (lane, dates): (usize, &Range<usize>),
        left: &mut [Lane<f64>],
        discounts: &mut [Lane<f64>],
    ) {
        for (t, row) in self.living_on(dates).zip(left) {
            row[lane] = self.left(t);
        }
        for (t, row) in self.living_on(dates).zip(discounts) {
            row[lane] = self.discount(self.left(t));
        }
    }

    /// What the contract is worth by a formula of its own on one path at date `t`; `seen` is memory for the assets there.
    pub(super) fn worth(
        &self,
        formula: &dyn Formula,
        (data, lane): (&PathBlock<'_, f64>, usize),
        t: usize,
        (seen, state): (&mut Vec<SeenAsset>, &mut Vec<f64>),
    ) -> Worth {
        let (left, expiry) = (self.left(t), self.expiry());
        state.clear();
        let accumulators = 0..self.contract.accumulators().len();
        state.extend(accumulators.map(|index| data.state(index)[t][lane]));
        seen.clear();
        let assets = self.assets.list().iter().zip(&self.processes).enumerate();
        seen.extend(assets.map(|(index, (asset, process))| {
            let state = data.state_of(index, t, lane);
            SeenAsset {
                spot: state.spot,
                dividend: asset.market.dividend.average(expiry - left, expiry),
                volatility: state.volatility(process, 0.0, left),
            }
        }));
        self.worth_of_seen(formula, t, seen, state)
    }

    /// What the contract is worth by a formula of its own at date `t`, where the assets are as they are `seen` and running values in `state`.
    pub(super) fn worth_of_seen(
        &self,
        formula: &dyn Formula,
        t: usize,
        seen: &[SeenAsset],
        state: &[f64],
    ) -> Worth {
        let (left, expiry) = (self.left(t), self.expiry());
        formula.worth(&Seen {
            assets: seen,
            correlation: self.assets.correlation().matrix(),
            rate: self.assets.first().rate.average(expiry - left, expiry),
            carried: &self.carried,
            date: t,
            steps: self.contract.steps,
            dt: self.contract.dt(),
            state,
        })
    }

    /// The answers of one date before expiry by calls and puts.
    fn by_legs(
        &self,
        legs: &[Leg],
        block: &PathBlock<'_, f64>,
        t: usize,
        out: &mut AnswersMut<'_>,
    ) {
        let left = self.left(t);
        let (spot, process) = (&block.spot[t], &self.processes[0]);
        let expected = block.variance[t].map(|v| process.mean_from(v, left).sqrt());
        let [mut price, mut delta, mut gamma] = [[0.0; BLOCK]; 3];
        let [mut first, mut vega] = [[0.0; BLOCK]; 2];
        for (number, leg) in legs.iter().enumerate() {
            let mut volatility = expected;
            if let Some(surface) = block.surface() {
                dispatch(SurfaceLanes {
                    factors: surface.factors(t),
                    spot,
                    forward_per_strike: self.log_moneyness(1.0, leg.strike, left, left).exp(),
                    years: left,
                    out: &mut volatility,
                });
            }
            let before = gamma;
            dispatch(OptionLanes {
                quantity: leg.quantity,
                option: self.option(*leg, left, f64::NAN),
                spot,
                volatility: &volatility,
                sums: [&mut price, &mut delta, &mut gamma],
            });
            for lane in 0..BLOCK {
                // ∂V/∂σ = Γ S² σ τ
                let curve = (gamma[lane] - before[lane]) * spot[lane] * spot[lane];
                vega[lane] += curve * volatility[lane] * left;
            }
            if number == 0 {
                first = volatility;
            }
        }
        *out.value(t) = price;
        let (volatilities, vegas) = out.smile(t);
        (*volatilities, *vegas) = (first, vega);
        let (deltas, gammas) = out.moves(0, t);
        (*deltas, *gammas) = (delta, gamma);
    }

    /// The answers of one date before expiry by a formula of its own.
    fn by_formula(
        &self,
        formula: &dyn Formula,
        block: &PathBlock<'_, f64>,
        t: usize,
        out: &mut AnswersMut<'_>,
    ) {
        let (mut seen, mut state) = (Vec::new(), Vec::new());
        let alive = alive(block, t);
        for lane in (0..BLOCK).filter(|&lane| alive[lane]) {
            let worth = self.worth(formula, (block, lane), t, (&mut seen, &mut state));
            write_worth(&worth, seen[0].volatility, formula.assets(), (t, lane), out);
        }
    }
}

/// Writes what a formula of its own says on one date of a path.
fn write_worth(
    worth: &Worth,
    volatility: f64,
    assets: usize,
    (t, lane): (usize, usize),
    out: &mut AnswersMut<'_>,
) {
    out.value(t)[lane] = worth.price;
    out.smile(t).0[lane] = volatility;
    for asset in 0..assets {
        let (delta, gamma) = out.moves(asset, t);
        (delta[lane], gamma[lane]) = (worth.deltas[asset], worth.gammas[asset]);
    }
}

impl Benchmark for ClosedForm {
    fn answer(&self, block: &PathBlock<'_, f64>, dates: Range<usize>, out: &mut AnswersMut<'_>) {
        for t in self.living_on(&dates) {
            match self.form().expect("looked at when it was made") {
                Form::Legs(legs) => self.by_legs(legs, block, t, out),
                Form::Formula(formula) => self.by_formula(formula, block, t, out),
            }
        }
        finish(&self.contract, block, (self.assets.count(), dates), out);
    }
}

/// The closed forms of the contracts of a family, of which every path has one.
#[derive(Debug, Clone)]
pub struct FamilyForms {
    contract: Contract,
    forms: Vec<ClosedForm>,
}

impl FamilyForms {
    /// The closed forms of `contract`, which is a family, in the market of `assets`.
    ///
    /// # Errors
    /// [`Error::Input`] if one of its contracts has no delta in closed form.
    pub fn new(assets: &Assets, contract: &Contract) -> Result<Self> {
        Ok(Self {
            contract: contract.clone(),
            forms: ClosedForm::of_paths(assets, contract)?,
        })
    }
}

impl Benchmark for FamilyForms {
    fn answer(&self, block: &PathBlock<'_, f64>, dates: Range<usize>, out: &mut AnswersMut<'_>) {
        let (mut seen, mut state) = (Vec::new(), Vec::new());
        for lane in 0..BLOCK {
            let form = ClosedForm::of_path(&self.forms, block, lane);
            for t in form.living_on(&dates) {
                match form.form().expect("looked at when it was made") {
                    Form::Legs(legs) => {
                        let (market, left) = (block.state_of(0, t, lane), form.left(t));
                        let of = |of: fn(&BlackScholes) -> f64| {
                            form.black_scholes(legs, &market, left, of)
                        };
                        out.value(t)[lane] = of(BlackScholes::price);
                        let (volatility, vega) = out.smile(t);
                        volatility[lane] = form.volatility(legs, &market, left);
                        vega[lane] = of(BlackScholes::vega);
                        let (delta, gamma) = out.moves(0, t);
                        delta[lane] = of(BlackScholes::delta);
                        gamma[lane] = of(BlackScholes::gamma);
                    }
                    Form::Formula(formula) => {
                        let memory = (&mut seen, &mut state);
                        let worth = form.worth(formula, (block, lane), t, memory);
                        let volatility = seen[0].volatility;
                        write_worth(&worth, volatility, formula.assets(), (t, lane), out);
                    }
                }
            }
        }
        let assets = self.forms[0].assets.count();
        finish(&self.contract, block, (assets, dates), out);
    }
}

/// On which paths of a block the contract lives after date `t`.
pub(super) fn alive<R: crate::simd::Real>(block: &PathBlock<'_, R>, t: usize) -> [bool; BLOCK] {
    let t = t as f64;
    block
        .end()
        .map_or([true; BLOCK], |end| end.map(|end| t < end.into_f64()))
}

/// What all benchmarks say on some dates from expiry and the end of the contract on, and where an answer has no finite value, as gamma has none at
/// a barrier or without anything left to move: nothing.
pub(super) fn finish(
    contract: &Contract,
    block: &PathBlock<'_, f64>,
    (assets, dates): (usize, Range<usize>),
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
    for t in dates.start..dates.end.min(steps) {
        let alive = alive(block, t);
        clean(out.value(t), alive);
        let (volatility, vega) = out.smile(t);
        clean(volatility, alive);
        clean(vega, alive);
        for asset in 0..assets {
            let (delta, gamma) = out.moves(asset, t);
            clean(delta, alive);
            clean(gamma, alive);
        }
    }
    let alive = alive(block, steps - 1);
    if dates.contains(&steps) && contract.due().last() == Some(&steps) {
        *out.value(steps) = *block.payments().last().expect("it is due");
        clean(out.value(steps), alive);
    }
}
