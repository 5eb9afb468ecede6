use super::*;
use crate::distributed::{Ranks, threads};
use crate::hedging::HedgeValues;
use crate::strategy::HedgeValidation;

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
    let source = ModelSource::new(&plan, &[&seen], Purpose::Training);
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
    assert_eq!(counts.len(), DAYS);
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
    let source = ModelSource::new(&plan, &[&seen], Purpose::Training);
    let quantile = |block: u64| {
        let variance = source
            .start(block)
            .assets
            .first()
            .model
            .initial_volatility()
            .powi(2);
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
    let source = ModelSource::new(&plan, &[&seen], Purpose::Training);
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
/// chance 7/8 (or hit it by chance); the discounted spot is a martingale within four standard errors, under rates that change over the life too.
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
        &[Past {
            returns,
            drift: 0.05,
        }],
        (100, 8.0),
        Purpose::Training,
    );
    let returns = &source.assets[0].returns;
    assert_eq!(returns.len(), 300);
    let mut paths = Paths::<f32>::zeros(4096, plan.contract.steps);
    source.fill(3, &mut paths);
    let find = |close: usize, r: f64| {
        let shift = source.assets[0].shifts[close];
        let distance = |day: &usize| (returns[*day] + shift - r).abs();
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
            together += usize::from(returns[(pair[0] + 1) % 300] == returns[pair[1]]);
        }
    }
    let share = f64::from(together as u32) / f64::from(pairs as u32);
    let error = (0.875f64 * 0.125 / f64::from(pairs as u32)).sqrt();
    assert!((share - 0.875).abs() < 4.0 * error + 0.01, "{share}");
    let last: Vec<f64> = (0..4096).map(|i| paths.path(i).0[20]).collect();
    let mean = last.iter().sum::<f64>() / 4096.0;
    let spread = (last.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 4096.0 / 4096.0).sqrt();
    let forward = plan.market.forward(plan.contract.expiry);
    // Stretches of returns that follow one another are dependent: the product's mean is that of the days but for
    // their covariance, below a tenth of the forward's standard deviation here.
    assert!(
        (mean - forward).abs() < 4.0 * spread + 0.2,
        "{mean} {forward} {spread}"
    );
}

/// Two assets, of which the second moves by a multiple of the first and something of its own on every day.
fn two(paths: &str) -> (Plan, Vec<Past>) {
    let text = format!(
        "[market]\nrate = 0.02\ncorrelation = [[1.0, 0.5], [0.5, 1.0]]\n[market.assets.a]\n{HESTON}\n\
         [market.assets.b]\nmodel = \"gbm\"\nvolatility = 0.3\nspot = 40.0\ndividend = 0.01\n\
         [contract]\n{paths}expiry_days = 20\ndays_per_year = 252\n"
    );
    let first: Vec<f64> = (0..400)
        .map(|i| 0.002 + 0.01 * (f64::from(i * i) * 0.37).sin())
        .collect();
    let second = first.iter().enumerate();
    let second = second.map(|(i, r)| 0.5 * r + 0.004 * (i as f64 * 1.7).cos());
    let past = [first.clone(), second.collect()];
    let past = past.map(|returns| Past {
        returns,
        drift: 0.05,
    });
    (Plan::parse(&text, |_| {}).unwrap(), past.to_vec())
}

/// Bootstrapped assets have the returns of the same days, each shifted by its own number, and begin at the strategy's spots.
#[test]
fn bootstrapped_assets_move_on_the_same_days() {
    let (plan, past) = two("type = \"worst_of_call\"\n");
    let source = BootstrapSource::new(
        &plan,
        (1.0 / 252.0, 1),
        &past,
        (100, 8.0),
        Purpose::Training,
    );
    let mut paths = Paths::<f32>::with_layout(64, plan.layout());
    source.fill(5, &mut paths);
    for path in 0..64 {
        let moves = [0, 1].map(|asset| {
            let (spot, _) = paths.path_of(asset, path);
            assert_eq!(spot[0], [100.0, 40.0][asset]);
            spot.windows(2)
                .map(|p| (p[1] / p[0]).ln())
                .collect::<Vec<f64>>()
        });
        for (close, (a, b)) in moves[0].iter().zip(&moves[1]).enumerate() {
            let [a, b] = [(0, a), (1, b)].map(|(asset, r)| r - source.assets[asset].shifts[close]);
            let [first, second] = [0, 1].map(|asset| source.assets[asset].returns.iter());
            let mut days = first.zip(second);
            let same = days.any(|(x, y)| (x - a).abs() < 1e-6 && (y - b).abs() < 1e-6);
            assert!(same, "{path}: {a} {b}");
        }
    }
    // A day's martingale, of every asset by itself.
    for (stretch, carry) in source.assets.iter().zip([0.02, 0.01]) {
        let shifted = stretch
            .returns
            .iter()
            .map(|r| (r + stretch.shifts[0]).exp());
        let gross = shifted.sum::<f64>() / 300.0;
        assert!((gross.ln() - carry / 252.0).abs() < 1e-12);
    }
}

/// Every block of model paths begins at the variances of one day of the window, whatever their order, and a contract is sold at the
/// model's price at these.
#[test]
fn model_paths_of_two_assets_begin_at_the_variances_of_one_day() {
    let (plan, _) = two("");
    let first: Vec<f64> = (0..500)
        .map(|i| 0.01 + 1e-4 * f64::from(i * 7919 % 500))
        .collect();
    let second: Vec<f64> = first.iter().map(|v| 0.2 - 2.0 * v).collect();
    let source = ModelSource::new(&plan, &[&first, &second], Purpose::Training);
    let mut paths = Paths::<f32>::with_layout(64 * BLOCK, plan.layout());
    source.fill(0, &mut paths);
    let premiums = source.premiums(0, paths.count()).unwrap();
    for block in 0..64 {
        let [a, b] = [0, 1].map(|asset| f64::from(paths.block(block).variance_of(asset)[0][3]));
        assert!((b - (0.2 - 2.0 * a)).abs() < 1e-6, "{a} {b}");
        let market = Market {
            model: plan.market.model.seen_at(a),
            ..plan.market.clone()
        };
        let price = market.price(plan.contract.legs().unwrap(), plan.contract.expiry);
        let expected = (price - plan.model_premium()) * (0.02 * plan.contract.expiry).exp();
        assert!((premiums[block * BLOCK] - expected).abs() < 1e-5);
    }
}

/// Premiums that are simulated are those of 32 states; every other one has that of the nearest.
#[test]
fn simulated_premiums_are_those_of_the_nearest_state() {
    let plan = plan(HESTON, "payoff = \"max(average(S) - 100, 0)\"\nsteps = 2\n");
    let states: Vec<Vec<f64>> = (0..99).map(|i| vec![0.01 + 1e-3 * f64::from(i)]).collect();
    let premiums: Vec<f64> = starts(&plan, &states)
        .iter()
        .map(|start| start.premium)
        .collect();
    let mut distinct = premiums.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), SIMULATED);
    assert!(
        distinct.windows(2).all(|pair| pair[0] < pair[1]),
        "{distinct:?}"
    );
    let few = starts(&plan, &states[..3]);
    assert!(few[0].premium < few[1].premium && few[1].premium < few[2].premium);
}

/// Ranks fill their own blocks with what one process fills all with, and tune hedges on them to the same risks.
#[test]
fn ranks_share_the_paths_of_a_source() {
    let (plan, past) = two("");
    let seen: Vec<f64> = (0..500).map(|i| 0.01 + 1e-4 * f64::from(i)).collect();
    let model = ModelSource::new(&plan, &[&seen, &seen], Purpose::Training);
    let closes = (1.0 / 252.0, 1);
    let bootstrap = BootstrapSource::new(&plan, closes, &past, (100, 8.0), Purpose::Training);
    for source in [&model as &dyn PathSource, &bootstrap] {
        let filled = |ranks: &Ranks| {
            let mut paths = Paths::<f32>::over(ranks, 330, plan.layout());
            source.fill(3, &mut paths);
            paths.receive(&source.premiums(3, 330).unwrap());
            let assets = plan.assets();
            let plan = plan.with_ranks(ranks.clone());
            let validation = HedgeValidation::of(&plan, source).unwrap();
            let policy = |hedge| plan.classical(hedge, &assets, HedgeValues::default());
            let tuned = validation.tune(&policy, &mut || Ok(())).unwrap();
            assert!(!tuned.is_empty());
            (paths.whole(), tuned)
        };
        let expected = filled(&Ranks::alone());
        for found in threads::run(3, |ranks| filled(&ranks)) {
            assert!(found == expected);
        }
    }
}
