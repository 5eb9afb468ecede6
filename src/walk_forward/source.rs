//! Training paths that begin as contracts on history do: at any variance that the window has seen.

use crate::market::estimation::VarianceFilter;
use crate::market::{Market, PathSource, Paths, Simulator};
use crate::random::{Purpose, Stream};
use crate::simd::BLOCK;
use crate::strategy::{Plan, Premium};
use rayon::prelude::*;

/// Where a contract's life begins.
#[derive(Debug, Clone, Copy)]
struct Start {
    spot: f64,
    variance: f64,
    /// What the contract brings at expiry beyond the premium in the plan's own market.
    premium: f64,
}

/// Contracts sold at each of `variances` in the market of `plan`.
fn starts(plan: &Plan, variances: &[f64]) -> Vec<Start> {
    let (market, contract) = (&plan.market, &plan.contract);
    let seen_at = |variance: f64| Market {
        model: market.model.seen_at(variance),
        ..market.clone()
    };
    let spots = variances
        .iter()
        .map(|&variance| plan.strike.spot(&seen_at(variance), contract));
    let spots: Vec<f64> = spots.collect();
    let prices: Vec<f64> = match (plan.premium, contract.legs()) {
        (Premium::Model, Some(legs)) => {
            let states = spots.iter().copied().zip(variances.iter().copied());
            let pricer = market.pricer(legs, contract.expiry, states);
            let price = |(&spot, &variance)| pricer.price_of(legs, spot, variance);
            spots.par_iter().zip(variances).map(price).collect()
        }
        (Premium::Model | Premium::Amount(_), _) => {
            let states = spots.iter().zip(variances);
            let at = |(&spot, &variance)| Market {
                spot,
                ..seen_at(variance)
            };
            states
                .map(|state| plan.premium_in(&at(state).into()))
                .collect()
        }
    };
    let growth = market.rate.integral(0.0, contract.expiry).exp();
    let own = plan.model_premium();
    let states = spots.into_iter().zip(variances).zip(prices);
    states
        .map(|((spot, &variance), price)| Start {
            spot,
            variance,
            premium: (price - own) * growth,
        })
        .collect()
}

/// Paths of the calibrated model; each block of them begins at one of the variances that the window has seen.
///
/// Block b takes the variance of rank ⌊n·frac(b·(√5 − 1)/2)⌋ among n quantiles: any stretch of blocks covers the
/// distribution evenly.
pub struct ModelSource {
    simulator: Simulator,
    starts: Vec<Start>,
}

/// Quantiles of the window's variances.
const QUANTILES: usize = 256;

impl ModelSource {
    /// Paths under `purpose` for the seed of `plan`, whose market is the calibrated one.
    pub fn new(plan: &Plan, seen: &[f64], purpose: Purpose) -> Self {
        let mut sorted = seen.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let variances: Vec<f64> = (0..QUANTILES)
            .map(|i| sorted[(2 * i + 1) * sorted.len() / (2 * QUANTILES)])
            .collect();
        let mut simulator = plan.simulator(plan.seed, purpose);
        if purpose == Purpose::Training {
            simulator.sampling = plan.sampling;
        }
        Self {
            starts: starts(plan, &variances),
            simulator,
        }
    }

    fn start(&self, block: u64) -> Start {
        const GOLDEN: f64 = 0.618_033_988_749_894_8;
        let share = (block as f64 * GOLDEN).fract();
        self.starts[(share * self.starts.len() as f64) as usize]
    }
}

impl PathSource for ModelSource {
    fn fill(&self, first_block: u64, paths: &mut Paths<f32>) {
        let steps = self.simulator.steps;
        paths
            .blocks_mut()
            .enumerate()
            .for_each(|(offset, mut filled)| {
                let (spot, variance) = filled.asset(0);
                let block = first_block + offset as u64;
                let start = self.start(block);
                let market = self.simulator.assets.first();
                let simulator = Simulator {
                    assets: Market {
                        model: market.model.seen_at(start.variance),
                        spot: start.spot,
                        ..market.clone()
                    }
                    .into(),
                    ..self.simulator.clone()
                };
                let one = simulator.paths::<f32>(block, BLOCK);
                debug_assert_eq!(one.steps(), steps);
                let from = one.block(0);
                spot.copy_from_slice(from.spot);
                variance.copy_from_slice(from.variance);
            });
    }

    fn premiums(&self, first_block: u64, count: usize) -> Option<Vec<f64>> {
        let of = |i: usize| self.start(first_block + (i / BLOCK) as u64).premium;
        Some((0..count).map(of).collect())
    }
}

/// Paths made of the window's own returns, by the stationary bootstrap: each begins on a day of the window with the
/// variance known then, and goes on with stretches of returns whose lengths are geometric; the variance follows them
/// as it does on history.
///
/// Returns are shifted so that the discounted spot is a martingale over a day: a drift of the past is no reason to
/// hold more or less of the spot.
///
/// # References
/// D. Politis and J. Romano (1994), "The stationary bootstrap", Journal of the American Statistical Association 89(428).
pub struct BootstrapSource {
    stream: Stream,
    /// Chance that a stretch ends after a day, in units of 2⁻³².
    end: u32,
    returns: Vec<f64>,
    /// What is added to a return so that the discounted spot is a martingale, for every close after the sale.
    shifts: Vec<f64>,
    /// What was known of the variance before each return.
    states: Vec<Box<dyn VarianceFilter>>,
    /// Of contracts sold before each return.
    starts: Vec<Start>,
    closes_per_step: usize,
}

impl BootstrapSource {
    /// Paths under `purpose` for the seed of `plan`, whose market is the calibrated one, from log `returns` over periods
    /// of `dt` years, `closes_per_step` in a hedging period, of which the first `before` only lead the filter in; `drift`
    /// is what the filter supposes.
    pub fn new(
        plan: &Plan,
        (dt, closes_per_step): (f64, usize),
        returns: &[f64],
        before: usize,
        drift: f64,
        block: f64,
        purpose: Purpose,
    ) -> Self {
        let mut state = plan.market.model.filter(drift, dt);
        let mut states = Vec::with_capacity(returns.len());
        for r in returns {
            states.push(state.clone());
            state.update(*r);
        }
        let (window, states) = (&returns[before..], states.split_off(before));
        let gross = window.iter().map(|r| r.exp()).sum::<f64>() / window.len() as f64;
        let shift = |close: usize| {
            let (from, to) = (dt * close as f64, dt * (close + 1) as f64);
            plan.market.carry(from, to) * dt - gross.ln()
        };
        let closes = plan.contract.steps * closes_per_step;
        let variances: Vec<f64> = states.iter().map(|state| state.mean()).collect();
        Self {
            stream: Stream::new(plan.seed, purpose),
            end: (f64::from(u32::MAX) / block.max(1.0)) as u32,
            returns: window.to_vec(),
            shifts: (0..closes).map(shift).collect(),
            starts: starts(plan, &variances),
            states,
            closes_per_step,
        }
    }

    /// A day of the window for every path of a block, from one word of a draw.
    fn day(&self, word: u32) -> usize {
        ((u64::from(word) * self.returns.len() as u64) >> 32) as usize
    }
}

impl PathSource for BootstrapSource {
    fn fill(&self, first_block: u64, paths: &mut Paths<f32>) {
        paths
            .blocks_mut()
            .enumerate()
            .for_each(|(offset, mut filled)| {
                let (spot, variance) = filled.asset(0);
                let block = first_block + offset as u64;
                let starts = self.stream.draw(block, 0)[0];
                let mut days = starts.map(|word| self.day(word));
                let mut states = days.map(|day| self.states[day].clone());
                let mut price = days.map(|day| self.starts[day].spot);
                for t in 0..spot.len() {
                    for lane in 0..BLOCK {
                        spot[t][lane] = price[lane] as f32;
                        variance[t][lane] = states[lane].mean() as f32;
                    }
                    if t + 1 == spot.len() {
                        break;
                    }
                    for close in 0..self.closes_per_step {
                        let passed = t * self.closes_per_step + close;
                        let [jump, to, ..] = self.stream.draw(block, passed as u32 + 1);
                        for lane in 0..BLOCK {
                            let log_return = self.returns[days[lane]] + self.shifts[passed];
                            price[lane] *= log_return.exp();
                            states[lane].update(log_return);
                            days[lane] = if jump[lane] < self.end {
                                self.day(to[lane])
                            } else {
                                (days[lane] + 1) % self.returns.len()
                            };
                        }
                    }
                }
            });
    }

    fn premiums(&self, first_block: u64, count: usize) -> Option<Vec<f64>> {
        let of = |i: usize| {
            let starts = self.stream.draw(first_block + (i / BLOCK) as u64, 0)[0];
            self.starts[self.day(starts[i % BLOCK])].premium
        };
        Some((0..count).map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(model: &str, terms: &str) -> Plan {
        plan_at("0.02", model, terms)
    }

    fn plan_at(rate: &str, model: &str, terms: &str) -> Plan {
        let text = format!(
            "[market]\nrate = {rate}\n{model}\n[contract]\n{terms}expiry_days = 20\ndays_per_year = 252\n"
        );
        Plan::parse(&text, |_| {}).unwrap()
    }

    const HESTON: &str =
        "model = \"heston\"\nv0 = 0.04\nkappa = 3\ntheta = 0.04\nsigma = 0.4\nrho = -0.6";

    /// Each block begins at one variance, 1,024 blocks begin at each of 256 quantiles about as often (three to six
    /// times), and a contract's premium is the model's price at that variance and at the spot that the strike asks for.
    #[test]
    fn model_paths_begin_at_the_variances_seen() {
        let plan = plan(HESTON, "type = \"put\"\nstrike = { delta = 0.25 }\n");
        let seen: Vec<f64> = (0..1000).map(|i| 0.01 + 1e-4 * f64::from(i)).collect();
        let source = ModelSource::new(&plan, &seen, Purpose::Training);
        let mut paths = Paths::<f32>::zeros(1024 * BLOCK, plan.contract.steps);
        source.fill(0, &mut paths);
        let premiums = source.premiums(0, paths.count()).unwrap();
        let mut counts = std::collections::BTreeMap::new();
        for block in 0..1024 {
            let start = paths.block(block).variance[0];
            assert!(start.iter().all(|v| *v == start[0]));
            *counts.entry(start[0].to_bits()).or_insert(0) += 1;
            if block % 100 == 0 {
                let variance = f64::from(start[0]);
                let market = Market {
                    model: plan.market.model.at_variance(variance),
                    ..plan.market.clone()
                };
                let spot = plan.strike.spot(&market, &plan.contract);
                let first = paths.block(block).spot[0];
                assert!(
                    first
                        .iter()
                        .all(|s| (f64::from(*s) / spot - 1.0).abs() < 1e-6)
                );
                let market = Market { spot, ..market };
                let growth = (0.02 * plan.contract.expiry).exp();
                let expected = (market.price(plan.contract.legs().unwrap(), plan.contract.expiry)
                    - plan.model_premium())
                    * growth;
                assert!((premiums[block * BLOCK + 5] - expected).abs() < 1e-6);
            }
        }
        assert_eq!(counts.len(), QUANTILES);
        assert!(
            counts.values().all(|count| (3..=6).contains(count)),
            "{counts:?}"
        );
        // Later blocks are the same wherever the filling begins.
        let mut later = Paths::<f32>::zeros(BLOCK, plan.contract.steps);
        source.fill(7, &mut later);
        assert_eq!(later.block(0).spot, paths.block(7).spot);
    }

    /// Any run of n blocks covers the variances evenly: the share of them that lies below a quantile differs from the
    /// quantile by 2/n at most, for two blocks by 0.63. Blocks at equal distances do not: four of 136, 34 apart, miss by 0.9.
    #[test]
    fn runs_of_blocks_cover_the_variances_evenly() {
        let plan = plan(HESTON, "");
        let seen: Vec<f64> = (0..4096).map(|i| 0.01 + 1e-5 * f64::from(i)).collect();
        let source = ModelSource::new(&plan, &seen, Purpose::Training);
        let quantile = |block: u64| {
            let variance = source.start(block).variance;
            let below = seen.partition_point(|seen| *seen <= variance);
            below as f64 / seen.len() as f64
        };
        let miss = |blocks: &mut dyn Iterator<Item = u64>| {
            let mut at: Vec<f64> = blocks.map(quantile).collect();
            at.sort_unstable_by(f64::total_cmp);
            let n = at.len() as f64;
            let ends = at.iter().enumerate();
            ends.fold(0.0_f64, |worst, (i, at)| {
                let (i, at) = (i as f64, *at);
                worst
                    .max((at - i / n).abs())
                    .max((at - (i + 1.0) / n).abs())
            })
        };
        for (batch, sample) in [(128, 16), (128, 8), (128, 2), (32, 8), (16, 2), (55, 5)] {
            for step in 0..100 {
                let first = step * batch;
                let found = miss(&mut (first..first + sample));
                let bound = 2.0_f64.min(1.26 + 0.05 * sample as f64) / sample as f64 + 0.005;
                assert!(found < bound, "{sample} of {batch}, step {step}: {found}");
            }
        }
        let apart = (0..100).map(|step| miss(&mut (0..4).map(|i| 136 * step + 34 * i)));
        assert!(apart.fold(0.0, f64::max) > 0.9);
    }

    /// Under geometric Brownian motion too, a block begins at a variance that was seen, keeps it, and its contracts are
    /// sold at the price there.
    #[test]
    fn constant_variances_are_those_seen() {
        let plan = plan("model = \"gbm\"\nvolatility = 0.2", "");
        let seen = [0.01, 0.09];
        let source = ModelSource::new(&plan, &seen, Purpose::Training);
        let mut paths = Paths::<f32>::zeros(16 * BLOCK, plan.contract.steps);
        source.fill(0, &mut paths);
        let premiums = source.premiums(0, paths.count()).unwrap();
        let mut counts = [0, 0];
        for block in 0..16 {
            let (_, variance) = paths.path(block * BLOCK);
            let which = usize::from(variance[0] > 0.05);
            counts[which] += 1;
            assert!(
                variance
                    .iter()
                    .all(|v| (v / seen[which] - 1.0).abs() < 1e-6)
            );
            let market = Market {
                model: plan.market.model.seen_at(seen[which]),
                ..plan.market.clone()
            };
            let growth = (0.02 * plan.contract.expiry).exp();
            let expected = (market.price(plan.contract.legs().unwrap(), plan.contract.expiry)
                - plan.model_premium())
                * growth;
            assert!((premiums[block * BLOCK] - expected).abs() < 1e-6);
        }
        assert!(counts[0] > 4 && counts[1] > 4, "{counts:?}");
    }

    /// Bootstrapped paths are made of the window's shifted returns; blocks of mean length 8 go on to the next day with
    /// chance 7/8 (or hit it by chance); the discounted spot is a martingale within four standard errors, under rates that change
    /// over the life too.
    #[test]
    fn bootstrapped_paths_are_stretches_of_history() {
        are_stretches_of_history(&plan(HESTON, ""));
        are_stretches_of_history(&plan_at("[[10, -0.6], [30, 0.7]]", HESTON, ""));
    }

    fn are_stretches_of_history(plan: &Plan) {
        let returns: Vec<f64> = (0..400)
            .map(|i| 0.002 + 0.01 * (f64::from(i * i) * 0.37).sin())
            .collect();
        let source = BootstrapSource::new(
            plan,
            (1.0 / 252.0, 1),
            &returns,
            100,
            0.05,
            8.0,
            Purpose::Training,
        );
        assert_eq!(source.returns.len(), 300);
        let mut paths = Paths::<f32>::zeros(4096, plan.contract.steps);
        source.fill(3, &mut paths);
        let find = |close: usize, r: f64| {
            let shift = source.shifts[close];
            let distance = |day: &usize| (source.returns[*day] + shift - r).abs();
            let nearest = (0..300).min_by(|a, b| distance(a).total_cmp(&distance(b)));
            nearest.filter(|day| distance(day) < 1e-6)
        };
        let (mut together, mut pairs) = (0, 0);
        for path in 0..300 {
            let (spot, _) = paths.path(path);
            let moves: Vec<f64> = spot.windows(2).map(|p| (p[1] / p[0]).ln()).collect();
            let days: Vec<usize> = moves
                .iter()
                .enumerate()
                .map(|(close, r)| find(close, *r).expect("a return of the window"))
                .collect();
            for pair in days.windows(2) {
                pairs += 1;
                together +=
                    usize::from(source.returns[(pair[0] + 1) % 300] == source.returns[pair[1]]);
            }
        }
        let share = f64::from(together as u32) / f64::from(pairs as u32);
        let error = (0.875f64 * 0.125 / f64::from(pairs as u32)).sqrt();
        assert!((share - 0.875).abs() < 4.0 * error + 0.01, "{share}");
        let last: Vec<f64> = (0..4096).map(|i| paths.path(i).0[20]).collect();
        let mean = last.iter().sum::<f64>() / 4096.0;
        let spread =
            (last.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 4096.0 / 4096.0).sqrt();
        let forward = plan.market.forward(plan.contract.expiry);
        // Stretches of returns that follow one another are dependent: the product's mean is that of the days but for
        // their covariance, below a tenth of the forward's standard deviation here.
        assert!(
            (mean - forward).abs() < 4.0 * spread + 0.2,
            "{mean} {forward} {spread}"
        );
    }
}
