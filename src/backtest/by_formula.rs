//! Contracts valued by their closed form on every date of their lives.

use super::valuation::Period;
use crate::contract::{Contract, Formula, Observed, Seen, SeenAsset, Spots, Worth};
use crate::market::{Assets, PathBlock, Paths, VarianceProcess};
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;

/// What the value of `contract` does over every period, `[path][period]`, by its closed form at the volatilities that the models
/// expect until expiry. After its end all is 0.
///
/// Theta is the change of the value if every spot and variance stays for the period, and vega that if the variances alone move.
pub(super) fn by_formula(
    contract: &Contract,
    formula: &dyn Formula,
    assets: &Assets,
    paths: &Paths<f64>,
) -> Vec<Vec<Period>> {
    let form = Form::new(contract, formula, assets);
    let blocks = (0..paths.blocks()).into_par_iter();
    let mut periods: Vec<Vec<Period>> = blocks
        .flat_map_iter(|block| form.block(&paths.block(block)))
        .collect();
    periods.truncate(paths.count());
    periods
}

/// The vegas of `contract` in every asset on one date of each of `paths`: central differences of its closed form over a ten-thousandth of the
/// root of the asset's variance, per unit of that root. After its end they are 0.
pub(super) fn vegas(
    contract: &Contract,
    formula: &dyn Formula,
    assets: &Assets,
    (paths, dates): (&Paths<f64>, &[usize]),
) -> Vec<Vec<f64>> {
    const CHANGE: f64 = 1e-4;
    let form = Form::new(contract, formula, assets);
    let of_block = |index: usize| {
        let block = &paths.block(index);
        let spots = (0..assets.count()).flat_map(|asset| block.spot_of(asset).to_vec());
        let made = form.observed(&spots.collect::<Vec<_>>());
        let of_path = |lane: usize| {
            let t = dates[index * BLOCK + lane];
            let of_asset = |asset: usize| {
                if !form.goes_on(&made, t, lane) {
                    return 0.0;
                }
                let root = block.variance_of(asset)[t][lane].sqrt();
                let change = CHANGE * root;
                if change == 0.0 {
                    return 0.0;
                }
                let at = |moved: f64| {
                    let variance = |one: usize| match one == asset {
                        true => moved * moved,
                        false => block.variance_of(one)[t][lane],
                    };
                    form.worth_at(block, &made, (t, t), variance, lane).price
                };
                (at(root + change) - at(root - change)) / (2.0 * change)
            };
            (0..assets.count()).map(of_asset).collect()
        };
        (0..paths.active(index))
            .map(of_path)
            .collect::<Vec<Vec<f64>>>()
    };
    let blocks = (0..paths.blocks()).into_par_iter();
    blocks.flat_map_iter(of_block).collect()
}

struct Form<'a> {
    contract: &'a Contract,
    formula: &'a dyn Formula,
    assets: &'a Assets,
    processes: Vec<VarianceProcess>,
    /// ∫ (r − q) until every date, of each asset.
    carried: Vec<Vec<f64>>,
}

/// What a contract makes of one block of paths.
struct Made {
    payments: Vec<Lane<f64>>,
    end: Vec<Lane<f64>>,
    /// `[accumulators][steps + 1]`.
    state: Vec<Lane<f64>>,
}

impl<'a> Form<'a> {
    fn new(contract: &'a Contract, formula: &'a dyn Formula, assets: &'a Assets) -> Self {
        let list = assets.list().iter();
        let processes = list.map(|asset| asset.market.model.variance_process());
        Self {
            contract,
            formula,
            assets,
            processes: processes.collect(),
            carried: assets.carried(contract.steps, contract.dt()),
        }
    }

    fn observed(&self, spots: &[Lane<f64>]) -> Made {
        let contract = self.contract;
        let dates = contract.steps + 1;
        let rows = |count: usize| vec![[0.0; BLOCK]; count];
        let mut made = Made {
            payments: rows(contract.due().len()),
            end: rows(usize::from(contract.can_end())),
            state: rows(contract.accumulators().len() * dates),
        };
        let out = Observed {
            payments: &mut made.payments,
            end: &mut made.end,
            state: &mut made.state,
        };
        contract.observe(Spots::new(spots, dates, dates), out);
        made
    }

    /// What is paid on date `t`.
    fn paid(&self, due: &[usize], made: &Made, t: usize, lane: usize) -> f64 {
        let payments = due.iter().zip(&made.payments);
        let on_date = payments.filter(|(date, _)| **date == t);
        on_date.map(|(_, payment)| payment[lane]).sum()
    }

    /// Whether the contract goes on after date `t`.
    fn goes_on(&self, made: &Made, t: usize, lane: usize) -> bool {
        t < self.contract.steps && made.end.first().is_none_or(|end| (t as f64) < end[lane])
    }

    /// Its worth on date `t` at the spots of date `spots` of `block` and its variances of date `variances`, if the contract has made
    /// `made` of the path so far.
    fn worth(
        &self,
        block: &PathBlock<'_, f64>,
        made: &Made,
        (t, spots, variances): (usize, usize, usize),
        lane: usize,
    ) -> Worth {
        let variance = |asset: usize| block.variance_of(asset)[variances][lane];
        self.worth_at(block, made, (t, spots), variance, lane)
    }

    /// The same at given variances.
    fn worth_at(
        &self,
        block: &PathBlock<'_, f64>,
        made: &Made,
        (t, spots): (usize, usize),
        variance: impl Fn(usize) -> f64,
        lane: usize,
    ) -> Worth {
        let contract = self.contract;
        let (dates, dt) = (contract.steps + 1, contract.dt());
        let left = dt * (contract.steps - t) as f64;
        let elapsed = contract.expiry - left;
        let processes = self.processes.iter().enumerate();
        let seen: Vec<SeenAsset> = processes
            .map(|(asset, process)| SeenAsset {
                spot: block.spot_of(asset)[spots][lane],
                dividend: (self.assets.market(asset).dividend).average(elapsed, contract.expiry),
                volatility: process.mean_from(variance(asset), left).sqrt(),
            })
            .collect();
        let state: Vec<f64> = made.state.chunks(dates).map(|of| of[t][lane]).collect();
        self.formula.worth(&Seen {
            assets: &seen,
            correlation: self.assets.correlation().matrix(),
            rate: self.assets.first().rate.average(elapsed, contract.expiry),
            carried: &self.carried,
            date: t,
            steps: contract.steps,
            dt,
            state: &state,
        })
    }

    /// `[path][period]`.
    fn block(&self, block: &PathBlock<'_, f64>) -> Vec<Vec<Period>> {
        let (steps, count) = (self.contract.steps, self.assets.count());
        let (dates, due) = (steps + 1, self.contract.due());
        let spots = |until: usize| -> Vec<Lane<f64>> {
            let asset = |asset: usize| {
                let spots = block.spot_of(asset);
                (0..dates).map(move |t| spots[t.min(until)])
            };
            (0..count).flat_map(asset).collect()
        };
        let made = self.observed(&spots(steps));
        let mut periods = vec![vec![Period::default(); steps]; BLOCK];
        // Backward, so that what a period ends with is known.
        for t in (0..steps).rev() {
            // The spots stay where they are from t on.
            let still = self.observed(&spots(t));
            for (lane, periods) in periods.iter_mut().enumerate() {
                if !self.goes_on(&made, t, lane) {
                    continue;
                }
                let Worth {
                    price,
                    mut deltas,
                    mut gammas,
                } = self.worth(block, &made, (t, t, t), lane);
                deltas.resize(count, 0.0);
                gammas.resize(count, 0.0);
                let next = periods.get(t + 1).map_or(0.0, |period| period.now);
                let mut stayed = self.paid(&due, &still, t + 1, lane);
                if self.goes_on(&still, t + 1, lane) {
                    stayed += self.worth(block, &still, (t + 1, t, t), lane).price;
                }
                let variances = (0..count).map(|asset| block.variance_of(asset));
                let moved = variances.into_iter().any(|v| v[t][lane] != v[t + 1][lane]);
                let at_variance = match moved {
                    true => self.worth(block, &made, (t, t, t + 1), lane).price,
                    false => price,
                };
                periods[t] = Period {
                    now: price,
                    then: self.paid(&due, &made, t + 1, lane) + next,
                    deltas,
                    gammas,
                    theta: stayed - price,
                    vega: at_variance - price,
                    surface: [0.0; 3],
                };
            }
        }
        periods
    }
}
