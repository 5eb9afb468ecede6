//! Contracts on history valued on every date, and their P&L split by it.

use super::attribution::Attribution;
use super::by_formula::by_formula;
use super::on_surface;
use crate::contract::options::payoff;
use crate::contract::{Contract, Family, Instrument, Leg};
use crate::hedging::{Book, Ledger};
use crate::market::{Assets, Market, MarketState, Paths};
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
    /// The changes by that of an implied-volatility surface: of its level, its slope and its skew.
    pub surface: [f64; 3],
}

impl Period {
    fn add(&mut self, quantity: f64, of: &Self) {
        for (to, from) in self.surface.iter_mut().zip(of.surface) {
            *to += quantity * from;
        }
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

/// What the market says of an asset on every date of one path.
type Asset = Vec<MarketState>;

/// Prices and sensitivities of every contract on every date, for the attribution of any number of strategies.
#[derive(Debug, Clone)]
pub struct Valuation {
    pub(super) contract: Contract,
    pub(super) assets: Assets,
    /// B_t = e^{∫ r} from every date to the expiry.
    pub(super) growth: Vec<f64>,
    /// e^{∫ q} − 1 over every period, of each asset.
    yielded: Vec<Vec<f64>>,
    /// `[contract][asset]`, each over `steps + 1` dates.
    paths: Vec<Vec<Asset>>,
    /// The date on which every contract ends.
    ends: Vec<f64>,
    /// What every contract pays on the day of its sale.
    paid_at_sale: Vec<f64>,
    /// `[contract][period]`; none if the contract has no price on every date.
    pub(super) periods: Option<Vec<Vec<Period>>>,
    /// The options among the hedging instruments: number, `[contract][period]`.
    options: Vec<(usize, Vec<Vec<Period>>)>,
    /// What is traded.
    pub(super) instruments: Vec<Instrument>,
}

impl Valuation {
    /// Values `contract` on every date of `paths`, on which it was observed, at the surfaces there or, where there are none, at the
    /// variances.
    pub fn new(contract: &Contract, assets: &Assets, paths: &Paths<f64>) -> Self {
        let steps = contract.steps;
        let count = assets.count();
        let rows: Vec<Vec<Asset>> = (0..paths.count())
            .map(|i| states_of(paths, i, steps))
            .collect();
        let values = |legs: &[Leg], asset: usize, later: f64| -> Vec<Vec<Greeks>> {
            let by_date: Vec<Vec<Greeks>> = (0..=steps)
                .into_par_iter()
                .map(|t| {
                    let left = contract.dt() * (steps - t) as f64 + later;
                    let elapsed = contract.dt() * t as f64;
                    let at = rows
                        .iter()
                        .map(|path| (path[asset][t].spot, path[asset][t].variance));
                    states(legs, assets.market(asset), (elapsed, left), at)
                })
                .collect();
            (0..rows.len())
                .map(|i| by_date.iter().map(|date| date[i]).collect())
                .collect()
        };
        let periods_of = |states: &[Vec<Greeks>], asset: usize| -> Vec<Vec<Period>> {
            let of = |(path, dates): (&Vec<Asset>, &Vec<Greeks>)| {
                let variance = |t: usize| path[asset][t].variance;
                let period = |t: usize| {
                    let (now, then) = (dates[t], dates[t + 1]);
                    let mut period = Period {
                        now: now.price,
                        then: then.price,
                        deltas: vec![0.0; count],
                        gammas: vec![0.0; count],
                        theta: now.theta * contract.dt(),
                        vega: now.variance_sensitivity * (variance(t + 1) - variance(t)),
                        surface: [0.0; 3],
                    };
                    period.deltas[asset] = now.delta;
                    period.gammas[asset] = now.gamma;
                    period
                };
                (0..steps).map(period).collect()
            };
            rows.iter().zip(states).map(of).collect()
        };
        // An asset with a surface has its calls and puts valued at that.
        let valued = |legs: &[Leg], asset: usize, later: f64| -> Vec<Vec<Period>> {
            if asset > 0 || !paths.layout().has_surface() {
                return periods_of(&values(legs, asset, later), asset);
            }
            let grid = (steps, contract.dt(), later);
            let market = assets.market(asset);
            let of = |path: &Vec<Asset>| {
                let mut periods = on_surface::periods(legs, market, grid, &path[asset], |spot| {
                    payoff(legs, spot)
                });
                for period in &mut periods {
                    period.deltas.resize(count, 0.0);
                    period.gammas.resize(count, 0.0);
                }
                periods
            };
            rows.par_iter().map(of).collect()
        };
        let depends = contract.depends_on();
        let on_surfaces = paths.layout().has_surface();
        let priced = depends
            .iter()
            .all(|asset| assets.market(*asset).model.prices_every_state());
        let periods = match (contract.legs(), assets.formula(contract)) {
            (Some(legs), _) if priced || on_surfaces => Some(valued(legs, 0, 0.0)),
            (None, Some(formula)) if priced && !on_surfaces => {
                Some(by_formula(contract, formula, assets, paths))
            }
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
            let mut of = valued(&[alone], option.asset, option.expiry - contract.expiry);
            // The prices at which the ledger trades, so that the parts add up to its P&L.
            for (i, periods) in of.iter_mut().enumerate() {
                let block = paths.block(i / BLOCK);
                for (period, prices) in periods.iter_mut().zip(block.price(index).windows(2)) {
                    period.now = prices[0][i % BLOCK];
                    period.then = prices[1][i % BLOCK];
                }
            }
            options.push((index, of));
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

    /// The date on which contract `index` ends, from which on nothing is held.
    pub(super) fn end(&self, index: usize) -> f64 {
        self.ends[index]
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
            for (asset, states) in self.paths[index].iter().enumerate() {
                let (now, then) = (states[t].spot, states[t + 1].spot);
                let spots = self.instruments.iter().enumerate();
                let spots = spots.filter(|(_, one)| **one == Instrument::Spot(asset));
                let position: f64 = spots.map(|(index, _)| held(t, index)).sum();
                let move_ = then - now;
                let excess = position - whole.deltas[asset];
                parts.delta += excess * move_ * b;
                parts.drift += excess * now * (drifts[asset] * dt).exp_m1() * b;
                parts.financing += position * then * self.yielded[asset][t] * b;
                invested += position * now;
                explained += whole.deltas[asset] * move_;
                gamma += 0.5 * whole.gammas[asset] * move_ * move_;
                most = most.max(now).max(then);
            }
            let [level, slope, skew] = whole.surface;
            let mut expansion = [gamma, whole.theta, whole.vega, level, slope, skew];
            // No option is worth more than the spot, so a greater term is no approximation of a change. NaN is an
            // infinite derivative times no move.
            if !expansion.iter().all(|term| term.abs() <= most) {
                expansion = [0.0; 6];
            }
            let [gamma, theta, vega, level, slope, skew] = expansion;
            let rest = whole.then - whole.now - explained - expansion.iter().sum::<f64>();
            parts.gamma -= gamma * b;
            parts.theta -= theta * b;
            parts.vega -= vega * b;
            parts.level -= level * b;
            parts.slope -= slope * b;
            parts.skew -= skew * b;
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
        let (own, alone) = drawn_alone(family, paths, i)?;
        Valuation::new(own, assets, &alone).periods?.pop()
    };
    (0..paths.count()).into_par_iter().map(of_path).collect()
}

/// The contract of `family` that path `i` draws, and the path alone over the life of that; none if paths have none.
pub(super) fn drawn_alone<'a>(
    family: &'a Family,
    paths: &Paths<f64>,
    i: usize,
) -> Option<(&'a Contract, Paths<f64>)> {
    let drawn = paths.block(i / BLOCK).drawn()?;
    let member = &family.members()[drawn.member[i % BLOCK] as usize];
    let own = &member.contract;
    let states = states_of(paths, i, own.steps);
    let column = |of: fn(&MarketState) -> f64, asset: &Asset| asset.iter().map(of).collect();
    let columns: Vec<(Vec<f64>, Vec<f64>)> = states
        .iter()
        .map(|asset| (column(|at| at.spot, asset), column(|at| at.variance, asset)))
        .collect();
    let columns = columns.iter().map(|(s, v)| (s.as_slice(), v.as_slice()));
    let row = std::iter::once(columns.collect());
    let mut alone = Paths::from_assets(states.len(), own.steps, row);
    if paths.layout().has_surface() {
        alone = alone.with_surfaces(|_, t| states[0][t].surface.unwrap_or_default());
    }
    Some((own, alone.under(own)))
}

/// What the market says of every asset on the first dates of path `i`, up to `steps` periods.
fn states_of(paths: &Paths<f64>, i: usize, steps: usize) -> Vec<Asset> {
    let (block, lane) = (paths.block(i / BLOCK), i % BLOCK);
    let asset = |asset: usize| {
        (0..=steps)
            .map(|t| block.state_of(asset, t, lane))
            .collect()
    };
    (0..paths.layout().assets()).map(asset).collect()
}

/// One date of every contract, with `left` years to expiry.
pub(super) fn states(
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
