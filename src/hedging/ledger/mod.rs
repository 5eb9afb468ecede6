mod account;
mod derivative;
mod financing;
mod settle;
#[cfg(test)]
mod tests;

pub use account::Account;
pub use financing::Financing;
pub use settle::Settlement;

use crate::contract::{Charge, Contract, Cost, Costs, Instrument, Linear};
use crate::market::{Curve, Market, PathBlock};
use crate::simd::{BLOCK, Lane, Real};
use financing::Period;
use std::sync::Arc;

/// The one place that does P&L: books payments, trades, costs, liquidation and financing, and knows its own derivative.
///
/// z = premium·B₀ − Σ_k payment_k B_{t_k} + Σ_t δ_t (S_{t+1} e^{q_t} B_{t+1} − S_t B_t) − Σ_t C(δ_t − δ_{t−1}, S_t) B_t
///
/// with B_t = e^{∫ r} from t to T, q_t = ∫ q over period t, δ_{−1} = 0, the costs C of [`Charge`], and a last trade −δ_{T−1} at S_T if the position is
/// liquidated. Where a contract has ended, δ_t = 0 for all dates from its end on: its hedge is closed there, and that trade costs
/// what any other does. One of a family that expires on its own date before T is closed there as others are at T: at costs if
/// the position is liquidated, else free. Further instruments add to it, each with its own costs:
///
/// - further assets, like the first;
/// - swaps, which cost nothing to enter, with their quotes F_t, Σ_t δ_t (F_{t+1} − F_t) B_{t+1} − Σ_t C(δ_t − δ_{t−1}, F_t) B_t;
/// - options, which are paid for, with their prices P_t, Σ_t δ_t (P_{t+1} B_{t+1} − P_t B_t) − Σ_t C(δ_t − δ_{t−1}, P_t) B_t.
///   One that expires with the contract is settled in cash, P_T its payoff, without a last trade.
///
/// With a [`Financing`] the cash of the hedge grows at rates that depend on its sign, and positions pay fees: what that earns beyond
/// the rate r, below 0 where it costs, adds to z.
///
/// # Shapes
/// Positions are `[steps][instruments][BLOCK]`.
///
/// # Units
/// P&L and costs in currency at expiry; positions in shares or units of a swap per contract.
#[derive(Debug, Clone)]
pub struct Ledger {
    contract: Contract,
    /// The dates on which the contract may pay.
    due: Vec<usize>,
    /// Whether the last date has a trade that closes the position.
    liquidation: bool,
    premium: f64,
    /// The premium of every contract of a family, beside that.
    premiums: Option<Arc<[f64]>>,
    /// The market in which each contract is sold at the surface of its own path, beside that.
    at_surfaces: Option<Market>,
    /// B_t for every date.
    growth: Vec<f64>,
    /// What one of currency of cost at every date comes to at expiry: B_t times the factor of the date, 1 unless costs follow a table.
    cost_growth: Vec<f64>,
    /// What financing costs over a period beyond the rate, if it costs anything.
    financing: Option<Period>,
    /// e^{∫ q} over every period, for every asset.
    reinvested: Vec<Vec<f64>>,
    /// What is traded, the first asset first.
    instruments: Vec<Traded>,
}

/// An instrument of a ledger.
#[derive(Debug, Clone, Copy)]
struct Traded {
    instrument: Instrument,
    charge: Charge,
    /// Whether the last date has a trade that closes the position.
    closed: bool,
}

impl Ledger {
    /// A ledger on which the first asset alone is traded, of a contract sold in `market` for `premium`.
    pub fn new(contract: Contract, costs: Costs, market: &Market, premium: f64) -> Self {
        let dt = contract.dt();
        let expiry = dt * contract.steps as f64;
        let growth = |t: usize| {
            let average = market.rate.average(dt * t as f64, expiry);
            (average * dt * (contract.steps - t) as f64).exp()
        };
        let growth: Vec<f64> = (0..=contract.steps).map(growth).collect();
        Self {
            cost_growth: growth.clone(),
            growth,
            financing: None,
            reinvested: vec![reinvested(&market.dividend, contract.steps, dt)],
            due: contract.due(),
            contract,
            liquidation: costs.liquidation,
            premium,
            premiums: None,
            at_surfaces: None,
            instruments: Vec::new(),
        }
        .with_instrument(Instrument::SPOT, costs.spot)
    }

    /// The same ledger where each contract of a family is sold for a premium of its own, in currency, beside the common one.
    #[must_use]
    pub fn with_premiums(self, premiums: Arc<[f64]>) -> Self {
        Self {
            premiums: Some(premiums),
            ..self
        }
    }

    /// The same ledger where each contract is sold for what its calls and puts are worth at the implied-volatility surface of its own path on the day
    /// of the sale, at the rates of `market`, beside the common premium.
    #[must_use]
    pub fn sold_at_surfaces(self, market: &Market) -> Self {
        Self {
            at_surfaces: Some(market.clone()),
            ..self
        }
    }

    /// The same ledger where assets after the first pay the dividend yields `dividends`.
    #[must_use]
    pub fn with_assets<'a>(mut self, dividends: impl IntoIterator<Item = &'a Curve>) -> Self {
        let (steps, dt) = (self.contract.steps, self.contract.dt());
        let further = dividends.into_iter().map(|one| reinvested(one, steps, dt));
        self.reinvested.extend(further);
        self
    }

    /// The same ledger with another instrument after those it has; a number is its proportional cost.
    ///
    /// # Panics
    /// If it is an asset that the ledger does not know.
    #[must_use]
    pub fn with_instrument(mut self, instrument: Instrument, charge: impl Into<Charge>) -> Self {
        assert!(
            instrument.asset() < self.reinvested.len(),
            "{instrument:?} has an asset"
        );
        let settled = match instrument {
            Instrument::Option(option) => option.expiry <= self.contract.expiry,
            Instrument::Spot(_) | Instrument::VarianceSwap(_) => false,
        };
        self.instruments.push(Traded {
            instrument,
            charge: charge.into(),
            closed: self.liquidation && !settled,
        });
        self
    }

    /// The same ledger where the costs of a trade at date t are multiplied by `factors[t]`.
    ///
    /// # Panics
    /// If there is not one factor for every date.
    #[must_use]
    pub fn with_cost_factors(mut self, factors: &[f64]) -> Self {
        assert_eq!(factors.len(), self.growth.len(), "a factor for every date");
        let dates = self.growth.iter().zip(factors);
        self.cost_growth = dates.map(|(growth, factor)| growth * factor).collect();
        self
    }

    /// The same ledger where financing costs more than the rate.
    #[must_use]
    pub fn with_financing(self, financing: Financing) -> Self {
        let over = financing.over(self.contract.dt());
        Self {
            financing: (!financing.is_free()).then_some(over),
            ..self
        }
    }

    /// The same ledger of contracts that are sold for nothing.
    #[must_use]
    pub fn without_premium(self) -> Self {
        Self {
            premium: 0.0,
            premiums: None,
            at_surfaces: None,
            ..self
        }
    }

    /// Whether contracts on different paths may be sold for different premiums.
    pub fn premiums_differ(&self) -> bool {
        self.premiums.is_some() || self.at_surfaces.is_some()
    }

    /// Lets jumps of costs be smoothed over `width` units, as training needs them; with width 0 all costs are exact.
    pub fn smooth_costs(&mut self, width: f64) {
        for traded in &mut self.instruments {
            traded.charge = traded.charge.smoothed(width);
        }
    }

    /// The contract that is settled.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The dates on which the contract may pay.
    pub fn due(&self) -> &[usize] {
        &self.due
    }

    /// The gain of one unit of an instrument over period `t`, financed, without costs and in money of the expiry: ∂z/∂δ_t where trading
    /// is free.
    #[inline(always)]
    pub fn unit_gain<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        instrument: usize,
        t: usize,
    ) -> Lane<R> {
        let of = self.instruments[instrument].instrument;
        self.gain(of, block.price(instrument), t)
    }

    /// What trading an instrument costs.
    pub fn charge(&self, instrument: usize) -> Charge {
        self.instruments[instrument].charge
    }

    /// Number of instruments.
    pub fn instruments(&self) -> usize {
        self.instruments.len()
    }

    /// What a premium received at the sale is worth at expiry: premium·B₀.
    pub fn at_expiry(&self, premium: f64) -> f64 {
        premium * self.growth[0]
    }

    /// What a path of a block was sold for, in currency on the day of the sale.
    #[inline(always)]
    pub fn premium<R: Real>(&self, block: &PathBlock<'_, R>, lane: usize) -> f64 {
        let own = self.premiums.as_deref().zip(block.drawn());
        let own = own.map_or(0.0, |(premiums, drawn)| {
            premiums[drawn.member[lane].into_f64() as usize]
        });
        let at_surface = self.at_surfaces.as_ref();
        let at_surface = at_surface.map_or(0.0, |market| self.at_surface(market, block, lane));
        self.premium + own + at_surface
    }

    /// What the calls and puts of a path are worth at the surface of its sale; 0 where they have none.
    fn at_surface<R: Real>(&self, market: &Market, block: &PathBlock<'_, R>, lane: usize) -> f64 {
        let member = block.drawn().map(|drawn| drawn.member[lane].into_f64());
        let sold = self.contract.of_path(member);
        let legs = sold.legs().unwrap_or_default();
        market.price_in(&block.state_of(0, 0, lane), legs, sold.expiry)
    }

    /// The dates on which closing a position is free, one for each path; none if it costs what any trade does.
    #[inline(always)]
    fn free_exit<'a, R>(&self, block: &PathBlock<'a, R>) -> Option<&'a Lane<R>> {
        let drawn = block.drawn().filter(|_| !self.liquidation);
        drawn.map(|drawn| drawn.life)
    }

    /// What money at date `t` is worth at expiry: B_t.
    pub fn growth(&self, t: usize) -> f64 {
        self.growth[t]
    }

    /// What the prices at the beginning and at the end of period `t` count in the gain of one unit over it.
    #[inline(always)]
    fn gain_factors(&self, instrument: Instrument, t: usize) -> (f64, f64) {
        match instrument {
            Instrument::Spot(asset) => (
                self.growth[t],
                self.growth[t + 1] * self.reinvested[asset][t],
            ),
            Instrument::VarianceSwap(_) => (self.growth[t + 1], self.growth[t + 1]),
            Instrument::Option(_) => (self.growth[t], self.growth[t + 1]),
        }
    }

    /// ∂z/∂δ_t without costs and spreads: the financed gain of one unit of an instrument with the given prices over period `t`.
    #[inline(always)]
    fn gain<R: Real>(&self, instrument: Instrument, price: &[Lane<R>], t: usize) -> Lane<R> {
        let (now, then) = self.gain_factors(instrument, t);
        let (now, then) = (R::of(now), R::of(then));
        let mut gain = [R::ZERO; BLOCK];
        for lane in 0..BLOCK {
            gain[lane] = price[t + 1][lane] * then - price[t][lane] * now;
        }
        gain
    }
}

impl Traded {
    /// The quick way to the costs on a block, where there is one.
    #[inline(always)]
    fn plain<R>(&self, block: &PathBlock<'_, R>) -> Option<Linear> {
        let steady = block.cost_factors().is_none();
        self.charge.plain().filter(|_| steady)
    }
}

/// e^{∫ q} over each of `steps` periods of `dt` years.
fn reinvested(dividend: &Curve, steps: usize, dt: f64) -> Vec<f64> {
    let over = |t: usize| (dividend.average(dt * t as f64, dt * (t + 1) as f64) * dt).exp();
    (0..steps).map(over).collect()
}

#[inline(always)]
fn difference<R: Real>(after: &Lane<R>, before: &Lane<R>) -> Lane<R> {
    let mut difference = [R::ZERO; BLOCK];
    for lane in 0..BLOCK {
        difference[lane] = after[lane] - before[lane];
    }
    difference
}

/// Takes from the trades of date `t` those that close a position where that is free.
#[inline(always)]
fn without_exit<R: Real>(free: Option<&Lane<R>>, t: usize, trade: &mut Lane<R>) {
    let Some(free) = free else {
        return;
    };
    let t = R::of(t as f64);
    for lane in 0..BLOCK {
        trade[lane] = if t < free[lane] { trade[lane] } else { R::ZERO };
    }
}
