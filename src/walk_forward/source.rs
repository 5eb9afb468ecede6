//! Training paths that begin as contracts on history do: at any variances that the window has seen.

use crate::market::estimation::VarianceFilter;
use crate::market::{Assets, Market, PathSource, Paths, Simulator};
use crate::random::{Purpose, Stream};
use crate::simd::BLOCK;
use crate::strategy::{Plan, Premium};
use rayon::prelude::*;

/// Where a contract's life begins.
#[derive(Debug, Clone)]
struct Start {
    /// The assets, each at its spot and its variance.
    assets: Assets,
    /// What the contract brings at expiry beyond the premium in the plan's own market.
    premium: f64,
}

/// States whose premiums are simulated, each of which takes up to a second or so.
const SIMULATED: usize = 32;

/// Contracts sold in the market of `plan` in each of `states`, the variances of its assets.
///
/// Where premiums are simulated and there are more than [`SIMULATED`] states, each has the premium of the nearest among so many, by
/// Σ (ln v_i/v′_i)² over the assets.
fn starts(plan: &Plan, states: &[Vec<f64>]) -> Vec<Start> {
    let (market, contract) = (&plan.market, &plan.contract);
    let known = plan.assets();
    let at = |variances: &Vec<f64>| {
        let seen = variances.iter().enumerate();
        seen.fold(known.clone(), |assets, (asset, &variance)| {
            let market = known.market(asset);
            let mut seen = Market {
                model: market.model.seen_at(variance),
                ..market.clone()
            };
            // The strike's rule moves the first asset.
            if asset == 0 {
                seen.spot = plan.strike.spot(&seen, contract);
            }
            assets.with_market(asset, seen)
        })
    };
    let assets: Vec<Assets> = states.iter().map(at).collect();
    let prices: Vec<f64> = match (plan.premium, contract.legs()) {
        (Premium::Model, Some(legs)) => {
            let first = states.iter().map(|variances| variances[0]);
            let spots = assets.iter().map(|assets| assets.first().spot);
            let pricer = market.pricer(legs, contract.expiry, spots.zip(first));
            let price = |(assets, variances): (&Assets, &Vec<f64>)| {
                pricer.price_of(legs, assets.first().spot, variances[0])
            };
            assets.par_iter().zip(states).map(price).collect()
        }
        (Premium::Model | Premium::Amount(_), _) => {
            let simulated = plan.priced_premium();
            let simulated = simulated.is_some_and(|price| price.method.is_simulated());
            let count = states.len();
            let nodes: Vec<usize> = match simulated && count > SIMULATED {
                true => spread(states, SIMULATED),
                false => (0..count).collect(),
            };
            let premiums = nodes.iter().map(|&node| plan.premium_in(&assets[node]));
            let premiums: Vec<f64> = premiums.collect();
            let nearest = |(state, variances): (usize, &Vec<f64>)| {
                if nodes.len() == count {
                    return premiums[state];
                }
                let apart = |node: &usize| distance(variances, &states[nodes[*node]]);
                let places = 0..nodes.len();
                let nearest = places.min_by(|a, b| apart(a).total_cmp(&apart(b)));
                premiums[nearest.unwrap_or(0)]
            };
            states.iter().enumerate().map(nearest).collect()
        }
    };
    let growth = market.rate.integral(0.0, contract.expiry).exp();
    let own = plan.model_premium();
    let states = assets.into_iter().zip(prices);
    states
        .map(|(assets, price)| Start {
            assets,
            premium: (price - own) * growth,
        })
        .collect()
}

/// The places of `count` of the states at equal ranks of the first asset's variance.
fn spread(states: &[Vec<f64>], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..states.len()).collect();
    order.sort_by(|a, b| states[*a][0].total_cmp(&states[*b][0]));
    let rank = |i: usize| order[(2 * i + 1) * order.len() / (2 * count)];
    (0..count).map(rank).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a / b).ln().powi(2)).sum()
}

/// Paths of the calibrated model; each block of them begins at the variances that the window has seen on one day.
///
/// Block b takes the day of rank ⌊n·frac(b·(√5 − 1)/2)⌋ among n at equal ranks of the first asset's variance: any stretch of
/// blocks covers its distribution evenly. The other assets have the variances of the same day.
pub struct ModelSource {
    simulator: Simulator,
    starts: Vec<Start>,
    /// Whether the ledger knows what each contract is sold for: the price at the surface of its path.
    at_surfaces: bool,
}

/// Days of a window that paths begin on.
const DAYS: usize = 256;

impl ModelSource {
    /// Paths under `purpose` for the seed of `plan`, whose market is the calibrated one; `seen` are the variances of every asset on
    /// the days of the window.
    pub fn new(plan: &Plan, seen: &[&[f64]], purpose: Purpose) -> Self {
        let days = 0..seen[0].len();
        let days: Vec<Vec<f64>> = days
            .map(|day| seen.iter().map(|asset| asset[day]).collect())
            .collect();
        let states: Vec<Vec<f64>> = spread(&days, DAYS)
            .into_iter()
            .map(|day| days[day].clone())
            .collect();
        let mut simulator = plan.simulator(plan.seed, purpose);
        if purpose == Purpose::Training {
            simulator.sampling = plan.sampling;
        }
        Self {
            starts: starts(plan, &states),
            simulator,
            at_surfaces: plan.sells_at_surfaces(),
        }
    }

    fn start(&self, block: u64) -> &Start {
        const GOLDEN: f64 = 0.618_033_988_749_894_8;
        let share = (block as f64 * GOLDEN).fract();
        &self.starts[(share * self.starts.len() as f64) as usize]
    }
}

impl PathSource for ModelSource {
    fn fill(&self, first_block: u64, paths: &mut Paths<f32>) {
        let steps = self.simulator.steps;
        paths.blocks_mut().for_each(|(place, mut filled)| {
            let block = first_block + place as u64;
            let simulator = Simulator {
                assets: self.start(block).assets.clone(),
                ..self.simulator.clone()
            };
            let one = simulator.paths::<f32>(block, BLOCK);
            debug_assert_eq!(one.steps(), steps);
            let from = one.block(0);
            for asset in 0..simulator.assets.count() {
                let (spot, variance) = filled.asset(asset);
                spot.copy_from_slice(from.spot_of(asset));
                variance.copy_from_slice(from.variance_of(asset));
            }
            if let (Some(out), Some(surface)) = (filled.surface(), from.surface()) {
                let dates = steps + 1;
                for (index, rows) in out.chunks_exact_mut(dates).enumerate() {
                    rows.copy_from_slice(surface.factor(index));
                }
            }
        });
    }

    fn premiums(&self, first_block: u64, count: usize) -> Option<Vec<f64>> {
        let of = |i: usize| self.start(first_block + (i / BLOCK) as u64).premium;
        (!self.at_surfaces).then(|| (0..count).map(of).collect())
    }
}

/// What is known of an asset before a window begins to sell.
#[derive(Debug, Clone)]
pub struct Past {
    /// Its log returns from the beginning of the history.
    pub returns: Vec<f64>,
    /// The drift that the filter of its variance supposes.
    pub drift: f64,
}

/// Paths made of the window's own returns, by the stationary bootstrap: each begins on a day of the window with the
/// variance known then, and goes on with stretches of returns whose lengths are geometric; the variance follows them
/// as it does on history. All assets have the returns of the same days, so that they move together as they did.
///
/// Returns are shifted so that every discounted spot is a martingale over a day: a drift of the past is no reason to
/// hold more or less of the spot.
///
/// # References
/// D. Politis and J. Romano (1994), "The stationary bootstrap", Journal of the American Statistical Association 89(428).
pub struct BootstrapSource {
    stream: Stream,
    /// Chance that a stretch ends after a day, in units of 2⁻³².
    end: u32,
    assets: Vec<Stretch>,
    /// Of contracts sold before each return.
    starts: Vec<Start>,
    closes_per_step: usize,
}

/// The days of a window as one asset had them.
struct Stretch {
    returns: Vec<f64>,
    /// What is added to a return so that the discounted spot is a martingale, for every close after the sale.
    shifts: Vec<f64>,
    /// What was known of the variance before each return.
    states: Vec<Box<dyn VarianceFilter>>,
}

impl Stretch {
    /// The returns after the first `before`, which only lead the filter in, for paths of `closes` periods of `dt` years.
    fn new(market: &Market, past: &Past, (dt, closes): (f64, usize), before: usize) -> Self {
        let mut state = market.model.filter(past.drift, dt);
        let mut states = Vec::with_capacity(past.returns.len());
        for r in &past.returns {
            states.push(state.clone());
            state.update(*r);
        }
        let (window, states) = (&past.returns[before..], states.split_off(before));
        let gross = window.iter().map(|r| r.exp()).sum::<f64>() / window.len() as f64;
        let shift = |close: usize| {
            let (from, to) = (dt * close as f64, dt * (close + 1) as f64);
            market.carry(from, to) * dt - gross.ln()
        };
        Self {
            returns: window.to_vec(),
            shifts: (0..closes).map(shift).collect(),
            states,
        }
    }
}

impl BootstrapSource {
    /// Paths under `purpose` for the seed of `plan`, whose market is the calibrated one, from the `past` of every asset, whose
    /// returns are over periods of `dt` years, `closes_per_step` in a hedging period. Of them the first `before` only lead the
    /// filters in; stretches have `block` returns on average.
    pub fn new(
        plan: &Plan,
        (dt, closes_per_step): (f64, usize),
        past: &[Past],
        (before, block): (usize, f64),
        purpose: Purpose,
    ) -> Self {
        let closes = plan.contract.steps * closes_per_step;
        let known = plan.assets();
        let pairs = past.iter().enumerate();
        let assets: Vec<Stretch> = pairs
            .map(|(asset, past)| Stretch::new(known.market(asset), past, (dt, closes), before))
            .collect();
        let state = |day: usize| {
            assets
                .iter()
                .map(|asset| asset.states[day].mean())
                .collect()
        };
        let states: Vec<Vec<f64>> = (0..assets[0].returns.len()).map(state).collect();
        Self {
            stream: Stream::new(plan.seed, purpose),
            end: (f64::from(u32::MAX) / block.max(1.0)) as u32,
            starts: starts(plan, &states),
            assets,
            closes_per_step,
        }
    }

    fn days(&self) -> usize {
        self.starts.len()
    }

    /// A day of the window for every path of a block, from one word of a draw.
    fn day(&self, word: u32) -> usize {
        ((u64::from(word) * self.days() as u64) >> 32) as usize
    }
}

impl PathSource for BootstrapSource {
    fn fill(&self, first_block: u64, paths: &mut Paths<f32>) {
        let steps = paths.steps();
        paths.blocks_mut().for_each(|(place, mut filled)| {
            let block = first_block + place as u64;
            let starts = self.stream.draw(block, 0)[0];
            let mut days = starts.map(|word| self.day(word));
            let known = self.assets.iter().enumerate();
            let mut states: Vec<_> = known
                .map(|(asset, stretch)| {
                    let spot = |day: usize| self.starts[day].assets.market(asset).spot;
                    (days.map(spot), days.map(|day| stretch.states[day].clone()))
                })
                .collect();
            for t in 0..=steps {
                for (asset, (price, state)) in states.iter().enumerate() {
                    let (spot, variance) = filled.asset(asset);
                    for lane in 0..BLOCK {
                        spot[t][lane] = price[lane] as f32;
                        variance[t][lane] = state[lane].mean() as f32;
                    }
                }
                if t == steps {
                    break;
                }
                for close in 0..self.closes_per_step {
                    let passed = t * self.closes_per_step + close;
                    let [jump, to, ..] = self.stream.draw(block, passed as u32 + 1);
                    for lane in 0..BLOCK {
                        for (stretch, (price, state)) in self.assets.iter().zip(&mut states) {
                            let log_return = stretch.returns[days[lane]] + stretch.shifts[passed];
                            price[lane] *= log_return.exp();
                            state[lane].update(log_return);
                        }
                        days[lane] = if jump[lane] < self.end {
                            self.day(to[lane])
                        } else {
                            (days[lane] + 1) % self.days()
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
#[path = "source_tests.rs"]
mod tests;
