//! Contracts on history valued on every date, and their P&L split by it.

use super::attribution::Attribution;
use super::by_formula::by_formula;
use crate::contract::options::payoff;
use crate::contract::{Contract, Instrument, Leg};
use crate::hedging::{Book, Ledger};
use crate::market::{Assets, Market, Paths};
use crate::pricing::Greeks;
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;

/// What the value of a contract or an option does over one period: its value before and after, and Taylor's terms of the change.
///
/// # Shapes
/// A delta and a gamma for every asset of the market.
///
/// # Units
/// Currency; deltas in shares.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Period {
    /// The value at its beginning.
    pub now: f64,
    /// The value at its end, with what is paid then.
    pub then: f64,
    /// `∂V/∂S_i` at its beginning.
    pub deltas: Vec<f64>,
    /// `∂²V/∂S_i²` at its beginning.
    pub gammas: Vec<f64>,
    /// The change by the passing of time.
    pub theta: f64,
    /// The change by that of the variances.
    pub vega: f64,
}

impl Period {
    fn add(&mut self, quantity: f64, of: &Self) {
        self.now += quantity * of.now;
        self.then += quantity * of.then;
        self.theta += quantity * of.theta;
        self.vega += quantity * of.vega;
        for (to, from) in self.deltas.iter_mut().zip(&of.deltas) {
            *to += quantity * from;
        }
        for (to, from) in self.gammas.iter_mut().zip(&of.gammas) {
            *to += quantity * from;
        }
    }
}

/// Spot and variance of an asset on one path.
type Asset = (Vec<f64>, Vec<f64>);

/// Prices and sensitivities of every contract on every date, for the attribution of any number of strategies.
#[derive(Debug, Clone)]
pub struct Valuation {
    contract: Contract,
    assets: Assets,
    /// B_t = e^{∫ r} from every date to the expiry.
    growth: Vec<f64>,
    /// e^{∫ q} − 1 over every period, of each asset.
    yielded: Vec<Vec<f64>>,
    /// `[contract][asset]`, each over `steps + 1` dates.
    paths: Vec<Vec<Asset>>,
    /// The date on which every contract ends.
    ends: Vec<f64>,
    /// What every contract pays on the day of its sale.
    paid_at_sale: Vec<f64>,
    /// `[contract][period]`; none if the contract has no price on every date.
    periods: Option<Vec<Vec<Period>>>,
    /// The options among the hedging instruments: number, `[contract][period]`.
    options: Vec<(usize, Vec<Vec<Period>>)>,
    /// What is traded.
    instruments: Vec<Instrument>,
}

impl Valuation {
    /// Values `contract` on every date of `paths`, on which it was observed, at the variances there.
    pub fn new(contract: &Contract, assets: &Assets, paths: &Paths<f64>) -> Self {
        let steps = contract.steps;
        let count = assets.count();
        let rows: Vec<Vec<Asset>> = (0..paths.count())
            .map(|i| (0..count).map(|asset| paths.path_of(asset, i)).collect())
            .collect();
        let values = |legs: &[Leg], asset: usize, later: f64| -> Vec<Vec<Greeks>> {
            let by_date: Vec<Vec<Greeks>> = (0..=steps)
                .into_par_iter()
                .map(|t| {
                    let left = contract.dt() * (steps - t) as f64 + later;
                    let elapsed = contract.dt() * t as f64;
                    let at = rows.iter().map(|path| (path[asset].0[t], path[asset].1[t]));
                    states(legs, assets.market(asset), (elapsed, left), at)
                })
                .collect();
            (0..rows.len())
                .map(|i| by_date.iter().map(|date| date[i]).collect())
                .collect()
        };
        let periods_of = |states: &[Vec<Greeks>], asset: usize| -> Vec<Vec<Period>> {
            let of = |(path, dates): (&Vec<Asset>, &Vec<Greeks>)| {
                let variance = &path[asset].1;
                let period = |t: usize| {
                    let (now, then) = (dates[t], dates[t + 1]);
                    let mut period = Period {
                        now: now.price,
                        then: then.price,
                        deltas: vec![0.0; count],
                        gammas: vec![0.0; count],
                        theta: now.theta * contract.dt(),
                        vega: now.variance_sensitivity * (variance[t + 1] - variance[t]),
                    };
                    period.deltas[asset] = now.delta;
                    period.gammas[asset] = now.gamma;
                    period
                };
                (0..steps).map(period).collect()
            };
            rows.iter().zip(states).map(of).collect()
        };
        let depends = contract.depends_on();
        let priced = depends
            .iter()
            .all(|asset| assets.market(*asset).model.prices_every_state());
        let periods = match (contract.legs(), assets.formula(contract)) {
            (Some(legs), _) if priced => Some(periods_of(&values(legs, 0, 0.0), 0)),
            (None, Some(formula)) if priced => Some(by_formula(contract, formula, assets, paths)),
            (None, None) => of_family(contract, assets, paths),
            (Some(_), _) | (None, _) => None,
        };
        let mut options = Vec::new();
        for (index, instrument) in paths.instruments().iter().enumerate() {
            let Instrument::Option(option) = instrument else {
                continue;
            };
            if periods.is_none() {
                continue;
            }
            let alone = Leg::one(option.kind, option.strike);
            let mut states = values(&[alone], option.asset, option.expiry - contract.expiry);
            // The prices at which the ledger trades, so that the parts add up to its P&L.
            for (i, dates) in states.iter_mut().enumerate() {
                let block = paths.block(i / BLOCK);
                for (state, price) in dates.iter_mut().zip(block.price(index)) {
                    state.price = price[i % BLOCK];
                }
            }
            options.push((index, periods_of(&states, option.asset)));
        }
        let block = |i: usize| paths.block(i / BLOCK);
        let end = |i: usize| block(i).end().map_or(steps as f64, |end| end[i % BLOCK]);
        let due = contract.due();
        let at_sale = |i: usize| -> f64 {
            let payments = due.iter().zip(block(i).payments());
            let first = payments.filter(|(date, _)| **date == 0);
            first.map(|(_, payment)| payment[i % BLOCK]).sum()
        };
        let time = |t: usize| contract.dt() * t as f64;
        let growth = |t: usize| {
            let rate = assets.first().rate.average(time(t), contract.expiry);
            (rate * (contract.dt() * (steps - t) as f64)).exp()
        };
        let yielded = |asset: usize| -> Vec<f64> {
            let dividend = &assets.market(asset).dividend;
            let over = |t: usize| dividend.average(time(t), time(t + 1)) * contract.dt();
            (0..steps).map(|t| over(t).exp_m1()).collect()
        };
        Self {
            growth: (0..=steps).map(growth).collect(),
            yielded: (0..count).map(yielded).collect(),
            ends: (0..paths.count()).map(end).collect(),
            paid_at_sale: (0..paths.count()).map(at_sale).collect(),
            periods,
            options,
            instruments: paths.instruments().to_vec(),
            contract: contract.clone(),
            assets: assets.clone(),
            paths: rows,
        }
    }

    /// The price of contract `index` on each date, at the last one what it pays, 0 after its end; none if it has no price on every
    /// date.
    pub fn prices(&self, index: usize) -> Option<impl Iterator<Item = f64>> {
        let periods = self.periods.as_ref()?[index].iter();
        let last = periods.clone().last().map(|period| period.then);
        Some(periods.map(|period| period.now).chain(last))
    }

    /// The delta of contract `index` in the first asset over each period; none if it has no price on every date.
    pub fn deltas(&self, index: usize) -> Option<impl Iterator<Item = f64>> {
        let periods = self.periods.as_ref()?[index].iter();
        Some(periods.map(|period| period.deltas.first().copied().unwrap_or(0.0)))
    }

    /// The parts of the P&L in `book` of every contract: sold for `premiums`, hedged by `positions`,
    /// `[blocks][steps][instruments][BLOCK]`, on `paths` and settled by a ledger, while each spot is supposed to drift by one of
    /// `drifts` a year.
    pub fn attribute(
        &self,
        positions: &[Lane<f64>],
        premiums: &[f64],
        book: &Book,
        (ledger, paths): (&Ledger, &Paths<f64>),
        drifts: &[f64],
    ) -> Vec<Attribution> {
        let size = self.contract.steps * self.instruments.len();
        let block = |i: usize| &positions[i / BLOCK * size..][..size];
        if let Some(periods) = &self.periods {
            let blocks = (0..paths.blocks()).into_par_iter();
            let financed: Vec<Lane<f64>> = blocks
                .map(|b| ledger.financed(&paths.block(b), block(b * BLOCK)))
                .collect();
            let one = |(i, periods): (usize, &Vec<Period>)| {
                let count = self.instruments.len();
                let held = |t: usize, index: usize| match (t as f64) < self.ends[i] {
                    true => block(i)[t * count + index][i % BLOCK],
                    false => 0.0,
                };
                let mut parts = self.one((i, periods), held, premiums[i], book.cost[i], drifts);
                parts.financing += financed[i / BLOCK][i % BLOCK];
                parts
            };
            return periods.iter().enumerate().map(one).collect();
        }
        let steps = self.contract.steps;
        let accounts: Vec<_> = (0..paths.blocks())
            .into_par_iter()
            .map(|b| ledger.account(&paths.block(b), block(b * BLOCK)))
            .collect();
        let one = |i: usize| {
            let (account, lane) = (&accounts[i / BLOCK], i % BLOCK);
            Attribution {
                payments: ledger.at_expiry(premiums[i]) - account.paid[steps][lane],
                hedge: account.gain[steps][lane],
                financing: account.financing[steps][lane],
                costs: -book.cost[i],
                ..Attribution::default()
            }
        };
        (0..self.paths.len()).map(one).collect()
    }

    fn one(
        &self,
        (index, periods): (usize, &[Period]),
        held: impl Fn(usize, usize) -> f64,
        premium: f64,
        costs: f64,
        drifts: &[f64],
    ) -> Attribution {
        let (dt, growth) = (self.contract.dt(), |t: usize| self.growth[t]);
        let value = periods.first().map_or(0.0, |period| period.now);
        let mut parts = Attribution {
            premium: (premium - self.paid_at_sale[index] - value) * growth(0),
            costs: -costs,
            ..Attribution::default()
        };
        for (t, period) in periods.iter().enumerate() {
            let mut whole = period.clone();
            whole.deltas.resize(self.assets.count(), 0.0);
            whole.gammas.resize(self.assets.count(), 0.0);
            for (option, of) in &self.options {
                whole.add(-held(t, *option), &of[index][t]);
            }
            let (b, interest) = (growth(t + 1), growth(t + 1) - growth(t));
            let (mut gamma, mut explained, mut most, mut invested) = (0.0, 0.0, 0.0_f64, 0.0);
            for (asset, (spot, _)) in self.paths[index].iter().enumerate() {
                let spots = self.instruments.iter().enumerate();
                let spots = spots.filter(|(_, one)| **one == Instrument::Spot(asset));
                let position: f64 = spots.map(|(index, _)| held(t, index)).sum();
                let move_ = spot[t + 1] - spot[t];
                let excess = position - whole.deltas[asset];
                parts.delta += excess * move_ * b;
                parts.drift += excess * spot[t] * (drifts[asset] * dt).exp_m1() * b;
                parts.financing += position * spot[t + 1] * self.yielded[asset][t] * b;
                invested += position * spot[t];
                explained += whole.deltas[asset] * move_;
                gamma += 0.5 * whole.gammas[asset] * move_ * move_;
                most = most.max(spot[t]).max(spot[t + 1]);
            }
            let mut expansion = [gamma, whole.theta, whole.vega];
            // No option is worth more than the spot, so a greater term is no approximation of a change. NaN is an
            // infinite derivative times no move.
            if !expansion.iter().all(|term| term.abs() <= most) {
                expansion = [0.0; 3];
            }
            let [gamma, theta, vega] = expansion;
            let rest = whole.then - whole.now - explained - gamma - theta - vega;
            parts.gamma -= gamma * b;
            parts.theta -= theta * b;
            parts.vega -= vega * b;
            parts.financing += (invested - whole.now) * interest;
            parts.unexplained -= rest * b;
        }
        parts
    }
}

/// What the contract that each path draws does over every period of its own life; none without a family, and where one of its
/// contracts has no price on every date.
fn of_family(contract: &Contract, assets: &Assets, paths: &Paths<f64>) -> Option<Vec<Vec<Period>>> {
    let family = contract.family()?;
    let of_path = |i: usize| {
        let drawn = paths.block(i / BLOCK).drawn()?;
        let member = &family.members()[drawn.member[i % BLOCK] as usize];
        let (own, columns) = (&member.contract, 0..assets.count());
        let columns: Vec<Asset> = columns.map(|asset| paths.path_of(asset, i)).collect();
        let columns = columns.iter();
        let lived = columns.map(|(spot, variance)| (&spot[..=own.steps], &variance[..=own.steps]));
        let row = std::iter::once(lived.collect());
        let alone = Paths::from_assets(assets.count(), own.steps, row).under(own);
        Valuation::new(own, assets, &alone).periods?.pop()
    };
    (0..paths.count()).into_par_iter().map(of_path).collect()
}

/// One date of every contract, with `left` years to expiry.
fn states(
    legs: &[Leg],
    market: &Market,
    (elapsed, left): (f64, f64),
    at: impl Iterator<Item = (f64, f64)> + Clone,
) -> Vec<Greeks> {
    if left == 0.0 {
        let at_expiry = |(spot, _)| Greeks {
            price: payoff(legs, spot),
            ..Greeks::default()
        };
        return at.map(at_expiry).collect();
    }
    let pricer = market.pricer_after(elapsed, legs, left, at.clone());
    at.map(|(spot, variance)| pricer.greeks_of(legs, spot, variance))
        .collect()
}
