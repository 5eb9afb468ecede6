//! Options sold on real history, through the same policies and ledger as simulated ones.

pub mod attribution;
#[cfg(test)]
mod attribution_tests;
mod by_formula;
mod calibration;
mod expired;
mod joint;
mod life;
#[cfg(test)]
mod life_tests;
mod past;
#[cfg(test)]
mod tests;
pub mod valuation;
#[cfg(test)]
mod valuation_tests;

use crate::error::{Error, Result};
use crate::hedging::{Book, Policy};
use crate::market::estimation::VarianceEstimator;
use crate::market::history::{Frequency, Quantity};
use crate::market::{Assets, History, Market, Paths};
use crate::simd::Lane;
use crate::strategy::{BacktestPlan, Plan};
use attribution::Attribution;
pub use calibration::Calibration;
use chrono::NaiveDate;
pub use joint::{JointCalibration, load, repaired};
pub use life::{Calendar, Life};
pub use past::past;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;
use valuation::Valuation;

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
    /// and the variance known at each close.
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
    /// v0 = v as its premium, unless the strategy gives an amount.
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
    /// # Errors
    /// If a contract has a schedule that its hedging dates have not.
    pub fn sell(
        histories: &[History],
        plan: &Plan,
        settings: &BacktestPlan,
        calendar: &Calendar<'_>,
        calibration: &JointCalibration,
        starts: &[usize],
    ) -> Result<Self> {
        let history = &histories[0];
        let spots: Vec<f64> = plan.assets().list().iter().map(|a| a.market.spot).collect();
        let lives: Vec<Life> = starts
            .iter()
            .filter_map(|&start| calendar.life(start))
            .collect();
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
            // The strike's rule moves the first asset, every other one begins at the strategy's spot.
            let first = |market: &Market| plan.strike.spot(market, &plan.contract);
            let sold_in = |sale: usize| {
                let spot = first(&calibration.first().market_at(sale));
                calibration.assets(|asset, known| Market {
                    spot: if asset == 0 { spot } else { spots[asset] },
                    ..known.market_at(sale)
                })
            };
            let received = match (plan.contract.family(), &calibration.assets[..]) {
                (None, [known]) => {
                    let sales = closes.iter().map(|closes| known.variance[closes[0]]);
                    plan.premiums(&sales.collect::<Vec<f64>>(), |variance| {
                        let market = known.seen_at(variance);
                        let spot = first(&market);
                        calibration.assets(|_, _| Market {
                            spot,
                            ..market.clone()
                        })
                    })
                }
                (Some(_), _) | (None, _) => {
                    let sold = closes.iter().zip(&members);
                    sold.map(|(closes, &member)| plan.premium_of_sale(&sold_in(closes[0]), member))
                        .collect()
                }
            };
            for (&member, premium) in members.iter().zip(received) {
                premiums[member] = premium;
            }
            let rows: Vec<Vec<(Vec<f64>, Vec<f64>)>> = closes
                .iter()
                .map(|closes| {
                    let sale = closes[0];
                    let mut spots = spots.clone();
                    spots[0] = first(&calibration.first().market_at(sale));
                    let known = histories.iter().zip(&calibration.assets).zip(&spots);
                    known
                        .map(|((history, known), spot)| {
                            let scale = spot / history.close[sale];
                            let scaled = closes.iter().map(|&close| scale * history.close[close]);
                            let variance = closes.iter().map(|&close| known.variance[close]);
                            (scaled.collect(), variance.collect())
                        })
                        .collect()
                })
                .collect();
            let rows = rows.iter().map(|assets| {
                let columns = assets.iter();
                columns.map(|(s, v)| (s.as_slice(), v.as_slice())).collect()
            });
            let mut paths = Paths::from_assets(histories.len(), steps, rows);
            if let Some(family) = plan.contract.family() {
                paths = paths.drawing(family, |place| plan.drawn_at(family, members[place]));
            }
            let assets = calibration.assets(|_, known| known.market.clone());
            let mut paths = plan.quotes_in(&assets)?.onto(paths);
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
            let own = plan.contract.family().map(|family| {
                let member = plan.drawn_at(family, sale);
                family.members()[member].contract.steps
            });
            own.unwrap_or(life.closes.len() - 1)
        };
        let frequency = calendar.frequency();
        Ok(Self {
            market: calibration.first().market.clone(),
            assets: calibration.assets(|_, known| known.market.clone()),
            calibration: calibration.clone(),
            sold: date(&|_, _| 0),
            expiry: date(&last),
            premiums,
            overlap: calendar.overlap(settings.schedule),
            frequency,
            warnings: history.warnings.clone(),
            repaired: repaired(histories, &calibration.names),
            groups,
            past: None,
        })
    }

    /// Hedges every contract with `policy` and settles it with its own premium; with the parts of every contract's P&L.
    ///
    /// # Errors
    /// The errors of the policy.
    pub fn hedge(&self, policy: &dyn Policy) -> Result<(Book, Vec<Attribution>)> {
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
    pub fn settle(&self, positions: &[Vec<Lane<f64>>]) -> (Book, Vec<Attribution>) {
        let mut all = Book::zeros(self.sold.len());
        let drifts = self.calibration.assets.iter().map(|known| known.drift);
        let drifts: Vec<f64> = drifts.collect();
        let mut attributions = vec![Attribution::default(); self.sold.len()];
        for (group, positions) in self.groups.iter().zip(positions) {
            let (book, ledger, premiums) = self.settled(group, positions);
            let valuation = group.valuation(&self.assets);
            let settled = (&ledger, &group.paths);
            let parts = valuation.attribute(positions, &premiums, &book, settled, &drifts);
            all.write(&group.members, &book);
            for (place, &member) in group.members.iter().enumerate() {
                attributions[member] = parts[place];
            }
        }
        (all, attributions)
    }
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
