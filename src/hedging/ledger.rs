use crate::contract::{Charge, Contract, Costs, Instrument};
use crate::market::{Curve, Market, PathBlock, until};
use crate::simd::{BLOCK, Kernel, Lane, Real, dispatch};
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
    /// B_t for every date.
    growth: Vec<f64>,
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

/// What a block of hedged contracts came to.
#[derive(Debug, Clone, Copy)]
pub struct Settlement<R> {
    /// The P&L, in currency at expiry.
    pub pnl: Lane<R>,
    /// The costs, in currency at expiry.
    pub cost: Lane<R>,
    /// Traded value over the spot of the first asset at the start, undiscounted.
    pub turnover: Lane<R>,
}

/// Gains, costs and payments of a block of hedged contracts from the sale up to each of the `steps + 1` dates.
///
/// At the last date the P&L of [`Ledger::settle`] is premium·B₀ − paid + gain − cost, with its cost.
///
/// # Units
/// Money at expiry.
#[derive(Debug, Clone)]
pub struct Account {
    /// The gains up to each date, `[steps + 1][BLOCK]`.
    pub gain: Vec<Lane<f64>>,
    /// The costs up to each date, that of the trade on it among them, `[steps + 1][BLOCK]`.
    pub cost: Vec<Lane<f64>>,
    /// What the contract has paid up to each date, on it too, `[steps + 1][BLOCK]`.
    pub paid: Vec<Lane<f64>>,
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
        Self {
            growth: (0..=contract.steps).map(growth).collect(),
            reinvested: vec![reinvested(&market.dividend, contract.steps, dt)],
            due: contract.due(),
            contract,
            liquidation: costs.liquidation,
            premium,
            premiums: None,
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
    pub fn unit_gain<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        instrument: usize,
        t: usize,
    ) -> Lane<R> {
        let of = self.instruments[instrument].instrument;
        self.gain(of, block.price(instrument), t)
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
        self.premium + own
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

    /// The gains, costs and payments of `positions` on one block, date by date.
    pub fn account(&self, block: &PathBlock<'_, f64>, positions: &[Lane<f64>]) -> Account {
        let (count, steps) = (self.instruments.len(), block.steps());
        let zero = [0.0; BLOCK];
        let mut account = Account {
            gain: vec![zero; steps + 1],
            cost: vec![zero; steps + 1],
            paid: vec![zero; steps + 1],
        };
        for (due, payment) in self.due.iter().zip(block.payments()) {
            for paid in &mut account.paid[*due..] {
                for lane in 0..BLOCK {
                    paid[lane] += payment[lane] * self.growth[*due];
                }
            }
        }
        for (index, traded) in self.instruments.iter().enumerate() {
            let price = block.price(index);
            let (mut gain, mut cost, mut held) = (zero, zero, zero);
            for t in 0..=steps {
                let target = match t < steps {
                    true => until(block.end(), t, positions[t * count + index]),
                    false if traded.closed => zero,
                    false => held,
                };
                let mut trade = difference(&target, &held);
                without_exit(self.free_exit(block), t, &mut trade);
                for lane in 0..BLOCK {
                    cost[lane] += traded.charge.cost(trade[lane], price[t][lane]) * self.growth[t];
                    account.gain[t][lane] += gain[lane];
                    account.cost[t][lane] += cost[lane];
                }
                if t < steps {
                    let period = self.gain(traded.instrument, price, t);
                    for lane in 0..BLOCK {
                        gain[lane] += target[lane] * period[lane];
                    }
                }
                held = target;
            }
        }
        account
    }

    /// Settles `positions` on one block, on which the contract was observed.
    pub fn settle<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        positions: &[Lane<R>],
    ) -> Settlement<R> {
        dispatch(Settle {
            ledger: self,
            block,
            positions,
        })
    }

    /// ∂z/∂δ_t for every period and instrument; the subgradient of |x| at 0 is 0.
    pub fn derivative<R: Real>(
        &self,
        block: &PathBlock<'_, R>,
        positions: &[Lane<R>],
        out: &mut [Lane<R>],
    ) {
        dispatch(Differentiate {
            ledger: self,
            block,
            positions,
            out,
        });
    }

    /// ∂z/∂δ_t without costs: the financed gain of one unit of an instrument with the given prices over period `t`.
    #[inline(always)]
    fn gain<R: Real>(&self, instrument: Instrument, price: &[Lane<R>], t: usize) -> Lane<R> {
        let (now, then) = match instrument {
            Instrument::Spot(asset) => (
                self.growth[t],
                self.growth[t + 1] * self.reinvested[asset][t],
            ),
            Instrument::VarianceSwap(_) => (self.growth[t + 1], self.growth[t + 1]),
            Instrument::Option(_) => (self.growth[t], self.growth[t + 1]),
        };
        let (now, then) = (R::of(now), R::of(then));
        let mut gain = [R::ZERO; BLOCK];
        for lane in 0..BLOCK {
            gain[lane] = price[t + 1][lane] * then - price[t][lane] * now;
        }
        gain
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

/// [`Ledger::settle`]
struct Settle<'a, R> {
    ledger: &'a Ledger,
    block: &'a PathBlock<'a, R>,
    positions: &'a [Lane<R>],
}

impl<R: Real> Kernel for Settle<'_, R> {
    type Output = Settlement<R>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) -> Settlement<R> {
        let Self {
            ledger,
            block,
            positions,
        } = self;
        let instruments = &ledger.instruments;
        let (count, steps, end) = (instruments.len(), block.steps(), block.end());
        debug_assert_eq!(positions.len(), steps * count);
        assert_eq!(
            block.payments().len(),
            ledger.due.len(),
            "the contract was observed"
        );
        let zero = [R::ZERO; BLOCK];
        let (mut pnl, mut cost, mut turnover) = (zero, zero, zero);
        let mut inverse_start = zero;
        let free = ledger.free_exit(block);
        for lane in 0..BLOCK {
            pnl[lane] = R::of(ledger.at_expiry(ledger.premium(block, lane)));
            inverse_start[lane] = R::ONE / block.spot[0][lane];
        }
        for (due, payment) in ledger.due.iter().zip(block.payments()) {
            let growth = R::of(ledger.growth[*due]);
            for lane in 0..BLOCK {
                pnl[lane] -= payment[lane] * growth;
            }
        }
        for (index, traded) in instruments.iter().enumerate() {
            let Traded {
                instrument,
                charge,
                closed,
            } = *traded;
            let dates = if closed { steps + 1 } else { steps };
            let price = block.price(index);
            let held_over = |t: usize| until(end, t, positions[t * count + index]);
            for t in 0..dates {
                let held = if t == 0 { zero } else { held_over(t - 1) };
                let target = if t == steps { zero } else { held_over(t) };
                let (growth, price) = (R::of(ledger.growth[t]), price[t]);
                let mut trade = difference(&target, &held);
                without_exit(free, t, &mut trade);
                for lane in 0..BLOCK {
                    cost[lane] += charge.cost(trade[lane], price[lane]) * growth;
                    turnover[lane] += trade[lane].abs() * price[lane] * inverse_start[lane];
                }
            }
            for t in 0..steps {
                let (held, gain) = (held_over(t), ledger.gain(instrument, price, t));
                for lane in 0..BLOCK {
                    pnl[lane] += held[lane] * gain[lane];
                }
            }
        }
        for lane in 0..BLOCK {
            pnl[lane] -= cost[lane];
        }
        Settlement {
            pnl,
            cost,
            turnover,
        }
    }
}

/// [`Ledger::derivative`]
struct Differentiate<'a, R> {
    ledger: &'a Ledger,
    block: &'a PathBlock<'a, R>,
    positions: &'a [Lane<R>],
    out: &'a mut [Lane<R>],
}

impl<R: Real> Kernel for Differentiate<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            ledger,
            block,
            positions,
            out,
        } = self;
        let Ledger {
            growth,
            instruments,
            ..
        } = ledger;
        let (count, steps, end) = (instruments.len(), block.steps(), block.end());
        let free = ledger.free_exit(block);
        let zero = [R::ZERO; BLOCK];
        for (index, traded) in instruments.iter().enumerate() {
            let Traded {
                instrument,
                charge,
                closed,
            } = *traded;
            let price = block.price(index);
            let held_over = |t: usize| until(end, t, positions[t * count + index]);
            for t in 0..steps {
                let gain = ledger.gain(instrument, price, t);
                let now = held_over(t);
                let before = if t == 0 { zero } else { held_over(t - 1) };
                let (after, next_growth) = if t + 1 < steps {
                    (held_over(t + 1), growth[t + 1])
                } else if closed {
                    (zero, growth[steps])
                } else {
                    (now, 0.0)
                };
                let (growth, next_growth) = (R::of(growth[t]), R::of(next_growth));
                let (price, next_price) = (price[t], price[t + 1]);
                let mut derivative = zero;
                let mut next_trade = difference(&after, &now);
                without_exit(free, t + 1, &mut next_trade);
                for lane in 0..BLOCK {
                    let entry = charge.slope(now[lane] - before[lane], price[lane]) * growth;
                    let exit = charge.slope(next_trade[lane], next_price[lane]) * next_growth;
                    derivative[lane] = gain[lane] - entry + exit;
                }
                out[t * count + index] = until(end, t, derivative);
            }
        }
    }
}
