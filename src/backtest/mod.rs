//! Options sold on real history, through the same policies and ledger as simulated ones.

pub mod attribution;
#[cfg(test)]
mod attribution_tests;
mod by_day;
mod by_formula;
mod calibration;
mod expired;
mod joint;
mod life;
#[cfg(test)]
mod life_tests;
mod lived;
#[cfg(test)]
mod lived_tests;
mod on_surface;
mod past;
mod sold;
mod start;
#[cfg(test)]
mod surface_tests;
#[cfg(test)]
mod tests;
pub mod valuation;
#[cfg(test)]
mod valuation_tests;
mod valued;

use crate::contract::Family;
use crate::error::{Error, Result};
use crate::hedging::{Book, Policy};
use crate::market::estimation::VarianceEstimator;
use crate::market::history::{Frequency, Quantity};
use crate::market::{Assets, History, Market, Paths, Quotes};
use crate::simd::Lane;
use crate::strategy::{BacktestPlan, Plan};
use attribution::Attribution;
pub use calibration::Calibration;
use chrono::NaiveDate;
pub use joint::{JointCalibration, load, repaired};
pub use life::{Calendar, Life};
pub use lived::Lived;
pub use past::past;
pub use sold::Sale;
use sold::Sold;
pub use start::suggested_start;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;
use valuation::Valuation;
pub use valued::{Valued, on_dates};

/// Contracts sold on history.
#[derive(Debug, Clone)]
pub struct Contracts {
    /// The market that premiums, hedges and the variance filter assume, of several assets that of the first.
    pub market: Market,
    /// The markets of all assets, of which that is the first.
    pub assets: Assets,
    /// What is known of every asset when contracts are first sold.
    pub calibration: JointCalibration,
    /// The day of every sale.
    pub sold: Vec<NaiveDate>,
    /// The day of every expiry.
    pub expiry: Vec<NaiveDate>,
    /// The days on which every contract was hedged, from its sale on, and that of its settlement.
    pub days: Vec<Vec<NaiveDate>>,
    /// What every contract was sold for.
    pub premiums: Vec<f64>,
    /// How many contracts live at a time, at least 1.
    pub overlap: f64,
    /// How often the history has a close, by which returns were annualised.
    pub frequency: Frequency,
    /// Repairs of the data: the kind of defect, of several assets with the name of the asset, and how many there were.
    pub repaired: Vec<(String, usize)>,
    /// What is odd in the data and no defect.
    pub warnings: Vec<String>,
    /// The contracts by the length of their lives.
    pub groups: Vec<Group>,
    /// The contracts that had expired before, where hedges are tuned on them.
    pub past: Option<Box<Self>>,
}

/// Contracts that live for the same time and are hedged as often.
#[derive(Debug, Clone)]
pub struct Group {
    /// The strategy for contracts of this length.
    pub plan: Plan,
    /// The places of the members among all contracts.
    pub members: Vec<usize>,
    /// The closes of every member's life, by their places in the history.
    pub closes: Vec<Vec<usize>>,
    /// Closes scaled so that the contract has the strategy's strike (without a delta, the market's spot at the sale),
    /// the variance known at each close, and where there are surfaces that of each.
    pub paths: Paths<f64>,
    /// Prices and sensitivities, made when P&L is first attributed.
    valuation: OnceLock<Valuation>,
}

impl Group {
    /// Prices and sensitivities of the contracts in the market of `assets`, made once.
    pub fn valuation(&self, assets: &Assets) -> &Valuation {
        self.valuation
            .get_or_init(|| Valuation::new(&self.plan.contract, assets, &self.paths))
    }
}

impl Contracts {
    /// Cuts the history into contracts that live for the plan's days.
    ///
    /// Nothing looks ahead: parameters come from the returns before the first sale, and the variance at a close
    /// from those parameters and the days up to that close. A contract sold at a variance v has the model's price at
    /// v0 = v as its premium, unless the strategy gives an amount. Where the history has implied-volatility surfaces, premiums and
    /// hedging options are at the surface of the day, and nothing is estimated.
    ///
    /// # Errors
    /// If the history cannot be read, if no contract fits into the test period, or those of [`Calendar::new`] and
    /// [`Calibration::new`].
    pub fn cut(plan: &Plan, settings: &BacktestPlan) -> Result<Self> {
        let histories = joint::load(plan, settings)?;
        let history = &histories[0];
        let calendar = Calendar::new(history, plan, settings)?;
        let starts = sales(history, &calendar, settings, period(history, settings))?;
        let known = 0..starts[0];
        let before = known.clone();
        let calibration = JointCalibration::new(&histories, plan, settings, &calendar, known)?;
        Self::sell(&histories, plan, settings, &calendar, &calibration, &starts)?
            .after(plan, || {
                past(&histories, plan, settings, &calendar, &calibration, before)
            })
    }

    /// The contracts sold at the closes `starts`, each of which leaves room for a life; `histories` are those of all assets, on
    /// the same days.
    ///
    /// On surfaces with rates of the file, spots are forwards for the contract's expiry at the rate of the day of its sale, so that
    /// everything is money of that expiry and no rate is left.
    ///
    /// # Errors
    /// If a contract has a schedule that its hedging dates have not; on surfaces those of a premium that they do not give.
    pub fn sell(
        histories: &[History],
        plan: &Plan,
        settings: &BacktestPlan,
        calendar: &Calendar<'_>,
        calibration: &JointCalibration,
        starts: &[usize],
    ) -> Result<Self> {
        let sales: Vec<Sale> = starts.iter().map(|&close| Sale::of_rule(close)).collect();
        let how = (plan, settings, calendar, calibration);
        Self::of_sales(histories, how, &sales, true)
    }

    /// Contracts that were sold at closes and for strikes of their own, without their premiums: the same as of [`Self::sell`], but that
    /// every contract counts as sold for nothing.
    ///
    /// # Errors
    /// If a contract has a schedule that its hedging dates have not.
    pub fn sold_for_nothing(
        histories: &[History],
        plan: &Plan,
        settings: &BacktestPlan,
        calendar: &Calendar<'_>,
        calibration: &JointCalibration,
        sales: &[Sale],
    ) -> Result<Self> {
        let how = (plan, settings, calendar, calibration);
        Self::of_sales(histories, how, sales, false)
    }

    fn of_sales(
        histories: &[History],
        (plan, settings, calendar, calibration): (
            &Plan,
            &BacktestPlan,
            &Calendar<'_>,
            &JointCalibration,
        ),
        sales: &[Sale],
        priced: bool,
    ) -> Result<Self> {
        let history = &histories[0];
        let spots: Vec<f64> = plan.assets().list().iter().map(|a| a.market.spot).collect();
        let lived = sales
            .iter()
            .filter_map(|sale| Some((calendar.life(sale.close)?, *sale)));
        let (lives, sales): (Vec<Life>, Vec<Sale>) = lived.unzip();
        // The contract of a family that is sold at a sale.
        let drawn = |plan: &Plan, family: &Family, sale: usize| {
            let own = sales[sale].member;
            own.unwrap_or_else(|| plan.drawn_at(family, sale))
        };
        let mut lengths: Vec<(u64, usize)> = Vec::new();
        let length = |life: &Life| (life.years.to_bits(), life.closes.len() - 1);
        for life in &lives {
            if !lengths.contains(&length(life)) {
                lengths.push(length(life));
            }
        }
        let mut premiums = vec![0.0; lives.len()];
        let groups = lengths.into_iter().map(|of| {
            let (years, steps) = (f64::from_bits(of.0), of.1);
            let own = (years, steps) == (plan.contract.expiry, plan.contract.steps);
            let plan = if own {
                plan.clone()
            } else {
                plan.living(years, steps)?
            };
            let members: Vec<usize> = (0..lives.len())
                .filter(|&i| length(&lives[i]) == of)
                .collect();
            let closes: Vec<Vec<usize>> =
                members.iter().map(|&i| lives[i].closes.clone()).collect();
            let sold = Sold {
                histories,
                plan: &plan,
                calibration,
                spots: &spots,
                dt: years / steps as f64,
            };
            if priced {
                let received = sold.premiums(&closes, &members)?;
                for (&member, premium) in members.iter().zip(received) {
                    premiums[member] = premium;
                }
            }
            let own: Vec<Option<f64>> = members.iter().map(|&i| sales[i].strike).collect();
            let mut paths = sold.paths(&closes, &own, steps);
            if let Some(family) = plan.contract.family() {
                paths = paths.drawing(family, |place| drawn(&plan, family, members[place]));
            }
            let assets = calibration.assets(|_, known| known.market.clone());
            let quotes = Quotes::clone(plan.quotes_in(&assets)?.as_ref());
            let mut paths = quotes.with_surface(!history.surface.is_empty()).onto(paths);
            if !settings.costs.is_flat() {
                let dates = &histories[0].dates;
                paths = paths.charged(|i, t| settings.costs.factor(dates[closes[i][t]]));
            }
            let ledger = plan.ledger(&calibration.first().market, 0.0);
            let receipts = members.iter().map(|&i| ledger.at_expiry(premiums[i]));
            paths.receive(&receipts.collect::<Vec<f64>>());
            Ok(Group {
                paths,
                valuation: OnceLock::new(),
                plan,
                members,
                closes,
            })
        });
        let groups = groups.collect::<Result<_>>()?;
        let date = |place: &dyn Fn(usize, &Life) -> usize| {
            let places = lives.iter().enumerate();
            places
                .map(|(sale, life)| history.dates[life.closes[place(sale, life)]])
                .collect()
        };
        let last = |sale: usize, life: &Life| {
            let own = plan
                .contract
                .family()
                .map(|family| family.members()[drawn(plan, family, sale)].contract.steps);
            own.unwrap_or(life.closes.len() - 1)
        };
        let frequency = calendar.frequency();
        Ok(Self {
            market: calibration.first().market.clone(),
            assets: calibration.assets(|_, known| known.market.clone()),
            calibration: calibration.clone(),
            sold: date(&|_, _| 0),
            expiry: date(&last),
            days: lives
                .iter()
                .map(|life| {
                    life.closes
                        .iter()
                        .map(|&close| history.dates[close])
                        .collect()
                })
                .collect(),
            premiums,
            overlap: calendar.overlap(settings.schedule),
            frequency,
            warnings: history.warnings.clone(),
            repaired: repaired(histories, &calibration.names),
            groups,
            past: None,
        })
    }

    /// Hedges every contract with `policy` and settles it with its own premium.
    ///
    /// # Errors
    /// The errors of the policy.
    pub fn hedge(&self, policy: &dyn Policy) -> Result<Settled> {
        Ok(self.settle(&self.positions(policy)?))
    }

    /// What `policy` holds, for every group `[blocks][steps][instruments][BLOCK]`.
    ///
    /// # Errors
    /// The errors of the policy.
    pub fn positions(&self, policy: &dyn Policy) -> Result<Vec<Vec<Lane<f64>>>> {
        let groups = self.groups.iter();
        groups
            .map(|group| policy.positions(&group.plan.contract, &group.paths))
            .collect()
    }

    /// [`Self::hedge`] with given [`Self::positions`].
    pub fn settle(&self, positions: &[Vec<Lane<f64>>]) -> Settled {
        let count = self.sold.len();
        let mut all = Settled {
            book: Book::zeros(count),
            parts: vec![Attribution::default(); count],
            daily: vec![Vec::new(); count],
        };
        let drifts = self.calibration.assets.iter().map(|known| known.drift);
        let drifts: Vec<f64> = drifts.collect();
        for (group, positions) in self.groups.iter().zip(positions) {
            let (book, ledger, premiums) = self.settled(group, positions);
            let valuation = group.valuation(&self.assets);
            let settled = (&ledger, &group.paths);
            let parts = valuation.attribute(positions, &premiums, &book, settled, &drifts);
            let daily = valuation.daily(positions, &premiums, settled);
            all.book.write(&group.members, &book);
            for (place, &member) in group.members.iter().enumerate() {
                all.parts[member] = parts[place];
            }
            for (&member, daily) in group.members.iter().zip(daily.into_iter().flatten()) {
                all.daily[member] = daily;
            }
        }
        all
    }
}

/// What contracts that were hedged and settled come to.
#[derive(Debug, Clone)]
pub struct Settled {
    /// P&L, costs and turnover of every contract.
    pub book: Book,
    /// The parts of the P&L of every contract.
    pub parts: Vec<Attribution>,
    /// The P&L of every contract on each of [`Contracts::days`], which add up to its P&L; empty where a contract has no price on every
    /// date.
    ///
    /// # Units
    /// Currency at expiry.
    pub daily: Vec<Vec<f64>>,
}

/// Reads the history of one asset's `files` with what its variance is estimated from.
fn load_of(files: &[PathBuf], settings: &BacktestPlan) -> Result<History> {
    let wanted: &[Quantity] = match settings.variance {
        VarianceEstimator::Implied => &[
            Quantity::Close,
            Quantity::ImpliedVolatility,
            Quantity::Variance,
        ],
        VarianceEstimator::GarmanKlass { .. } => &[
            Quantity::Close,
            Quantity::Open,
            Quantity::High,
            Quantity::Low,
        ],
        VarianceEstimator::Model
        | VarianceEstimator::Realised { .. }
        | VarianceEstimator::Exponential { .. } => &[Quantity::Close],
    };
    settings.check_files()?;
    History::load_files(files, wanted, &settings.reading)
}

/// The days on which contracts may be sold.
pub fn period(history: &History, settings: &BacktestPlan) -> Range<usize> {
    let first = settings.start.map_or(0, |date| history.index_from(date));
    let last = settings.end.map_or(history.len(), |date| {
        history.index_from(date + chrono::Days::new(1))
    });
    first..last.max(first)
}

/// The closes in `period` at which contracts are sold: those of the schedule that leave room for a contract's life.
///
/// # Errors
/// [`Error::Input`] if there are none.
pub fn sales(
    history: &History,
    calendar: &Calendar<'_>,
    settings: &BacktestPlan,
    period: Range<usize>,
) -> Result<Vec<usize>> {
    let schedule = settings.schedule;
    let sales = schedule.sales(&history.dates, period, |sale| calendar.expiry(sale));
    if sales.is_empty() {
        return Err(Error::input(format!(
            "{}: no contract of {} fits into the test period",
            settings.files(),
            calendar.tenor()
        )));
    }
    Ok(sales)
}
