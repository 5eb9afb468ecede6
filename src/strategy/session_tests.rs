//! A session date by date against the sweep over whole paths.

use super::super::Plan;
use super::super::fixture::{TWO, plan};
use crate::error::Error;
use crate::hedging::{Policy, Seen, TrainedPolicy};
use crate::market::Paths;
use crate::network::{Engine, MapShape, Parameters};
use crate::random::Purpose;
use crate::simd::BLOCK;
use faer::Mat;
use proptest::prelude::*;

const GBM: &str = "model = \"gbm\"\nvolatility = 0.2\nrate = 0.02";
const HESTON: &str =
    "model = \"heston\"\nv0 = 0.04\nkappa = 2\ntheta = 0.05\nsigma = 0.4\nrho = -0.6";

fn of(market: &str, contract: &str, further: &str) -> String {
    format!("[market]\n{market}\n[contract]\n{contract}\n{further}")
}

/// Plans of every network and action, of contracts that run up values, end early or differ from path to path, of several instruments
/// and assets, and within limits.
fn texts() -> Vec<String> {
    let call = "expiry_days = 9";
    let option =
        "[policy]\ninstruments = [\"spot\", { type = \"put\", strike = { moneyness = 0.95 } }]\n";
    let networks = [
        "network = \"lstm\"\nhidden = 5\nlayers = 2",
        "network = \"gru\"\nhidden = 5\nlayers = 2\nlayer_normalisation = true",
        "network = \"mlp\"\nhidden = 6\nlayers = 2\nlayer_normalisation = true",
        "network = \"attention\"\nhidden = 6\nheads = 2\nlayers = 2",
        "network = \"linear\"",
    ];
    let seen = [
        "",
        "features = [\"log_moneyness\", \"volatility\", \"time_left\", \"previous_position\"]",
        "features = [\"last_return\", \"realised_volatility\", \"delta\", \"gamma\", \"value\", \"time_left\"]",
    ];
    let mut texts = Vec::new();
    for network in networks {
        for seen in seen {
            texts.push(of(GBM, call, &format!("[policy]\n{network}\n{seen}\n")));
        }
    }
    let actions = [
        "action = \"residual\"",
        "action = \"band\"",
        "action = \"band\"\nbenchmark = { centre = \"black_scholes\", rule = \"whalley_wilmott\", aversion = 1.0 }",
        "action = \"centred_band\"\nband_form = \"whalley_wilmott\"\ncurvature_scale = 0.2",
        "action = \"bounded\"",
    ];
    for action in actions {
        let costs = "[costs]\nproportional = 0.01\n";
        texts.push(of(
            HESTON,
            call,
            &format!("{costs}[policy]\nhidden = 4\n{action}\n"),
        ));
        texts.push(of(
            HESTON,
            call,
            &format!("{option}hidden = 4\n{action}\n{costs}"),
        ));
    }
    // Benchmarks that carry something from date to date, and fitted ones.
    let benchmarks = [
        "{ centre = \"black_scholes\", rule = \"move_based\", move = 0.03 }",
        "{ centre = \"leland\", rule = \"constant_band\", width = 0.02 }",
        "\"hull_white\"",
        "{ centre = \"hedged_monte_carlo\" }",
    ];
    let carried = [
        "{ centre = \"static_vega\", ratio = 1.2 }",
        "\"delta_vega\"",
    ];
    let costs = "[costs]\nproportional = 0.01\n";
    for benchmark in benchmarks {
        let residual = format!("action = \"residual\"\nbenchmark = {benchmark}\n");
        let limits = "[limits]\nlargest_trade = 0.2\nlot = 0.05\n";
        let policy = format!("[policy]\nhidden = 4\n{residual}");
        texts.push(of(HESTON, call, &format!("{policy}{costs}")));
        texts.push(of(GBM, call, &format!("{policy}{costs}{limits}")));
    }
    for benchmark in carried {
        let residual = format!("action = \"residual\"\nbenchmark = {benchmark}\n");
        let further = format!("{option}hidden = 4\n{residual}{costs}");
        texts.push(of(HESTON, call, &further));
    }
    let limits = [
        "largest_trade = 0.2\nlot = 0.05\nhighest_position = 0.6",
        "capital = 40\nshort_sales = false",
    ];
    for limits in limits {
        for policy in [
            "",
            "action = \"band\"\nfeatures = [\"log_moneyness\", \"previous_position\"]",
        ] {
            let further = format!("[policy]\nhidden = 4\n{policy}\n[limits]\n{limits}\n");
            texts.push(of(GBM, call, &further));
        }
    }
    let contracts = [
        "type = \"asian_call\"\nexpiry_days = 9",
        "type = \"down_and_out_call\"\nbarrier = 97\nexpiry_days = 9",
        "type = \"american_put\"\nexpiry_days = 9",
        "strike = { moneyness = [0.9, 1.1] }\nexpiry_days = [4, 9]\nsteps = 9",
    ];
    for contract in contracts {
        texts.push(of(GBM, contract, "[policy]\nhidden = 4\n"));
    }
    for contract in [contracts[1], contracts[3]] {
        let residual = "[policy]\nhidden = 4\naction = \"residual\"\n";
        texts.push(of(GBM, contract, residual));
    }
    texts.push(
        TWO.replace("20", "8")
            + "[policy]\nhidden = 4\ninstruments = [\"spot\", \"variance_swap:spx\"]\n",
    );
    texts
}

/// Weights of which none is 0, whatever the action begins with.
fn parameters(plan: &Plan, seed: u64) -> Parameters {
    let maps = plan.shape.maps();
    let parameters = Parameters::random(maps.clone(), seed).unwrap();
    let step = |map: &MapShape| {
        let number =
            |row: usize, column: usize| ((7 * row + 3 * column) as f64 + seed as f64).sin();
        Mat::from_fn(map.rows, map.columns, |row, column| {
            0.2 * number(row, column)
        })
    };
    let steps: Vec<Mat<f64>> = maps.iter().map(step).collect();
    parameters.add(&steps).unwrap();
    parameters
}

fn paths(plan: &Plan, count: usize) -> Paths<f64> {
    let quotes = plan.quotes().unwrap();
    plan.simulator(3, Purpose::Evaluation)
        .paths_with(&quotes, 0, count)
}

/// What a path shows on date `t`.
fn seen(paths: &Paths<f64>, path: usize, t: usize) -> Seen {
    let block = paths.block(path / BLOCK);
    let assets = 0..paths.layout().assets();
    let states = assets.map(|asset| block.state_of(asset, t, path % BLOCK));
    let states: Vec<_> = states.collect();
    Seen {
        assets: states.iter().map(|one| (one.spot, one.variance)).collect(),
        surface: states[0].surface,
    }
}

/// Positions on every date have the bits of the sweep over whole paths, whether a date is seen as it comes or followed on paths; trades
/// add up to them. Two policies beside each other are each as if alone.
#[test]
fn positions_of_a_session_have_the_bits_of_the_sweep() {
    const COUNT: usize = 40;
    for text in texts() {
        let plan = plan(&text);
        assert_eq!(plan.engine, Engine::Block);
        let paths = paths(&plan, COUNT);
        let policies = [1, 2].map(|seed| parameters(&plan, seed));
        let (sweep, features) = (plan.sweep::<f64>(), plan.seen().unwrap());
        let whole = policies.each_ref().map(|parameters| {
            let policy = TrainedPolicy {
                parameters,
                features: &features,
                sweep: sweep.as_ref(),
            };
            policy.positions(&plan.contract, &paths).unwrap()
        });
        let member = |path: usize| {
            let drawn = paths.block(path / BLOCK).drawn();
            drawn.map_or(0, |drawn| drawn.member[path % BLOCK] as usize)
        };
        let weights = policies.each_ref();
        let assets = plan.assets();
        let mut live = plan.session(&assets, &weights, COUNT, member).unwrap();
        let mut followed = plan.session_on(&assets, &weights, paths.clone()).unwrap();
        let (steps, instruments) = (paths.steps(), paths.instruments().len());
        let mut bought = vec![vec![0.0; instruments]; COUNT];
        let mut moved = false;
        for t in 0..steps {
            let shown: Vec<Seen> = (0..COUNT).map(|path| seen(&paths, path, t)).collect();
            live.see(&shown).unwrap();
            followed.follow().unwrap();
            for (policy, whole) in whole.iter().enumerate() {
                for path in 0..COUNT {
                    let first = ((path / BLOCK) * steps + t) * instruments;
                    let expected: Vec<u64> = (0..instruments)
                        .map(|one| whole[first + one][path % BLOCK].to_bits())
                        .collect();
                    let found = |of: Vec<f64>| of.into_iter().map(f64::to_bits).collect::<Vec<_>>();
                    let what = format!("{text}: date {t} of path {path}");
                    assert_eq!(found(live.positions(policy, path)), expected, "{what}");
                    assert_eq!(found(followed.positions(policy, path)), expected, "{what}");
                }
            }
            for (path, bought) in bought.iter_mut().enumerate() {
                let (trades, held) = (live.trades(0, path), live.positions(0, path));
                for instrument in 0..instruments {
                    bought[instrument] += trades[instrument];
                    assert!((bought[instrument] - held[instrument]).abs() < 1e-12);
                    moved |= trades[instrument] != 0.0;
                }
            }
        }
        assert!(moved, "{text}");
        assert_eq!(live.next(), steps);
        assert!(live.see(&[]).unwrap_err().to_string().contains("past"));
    }
}

/// A date that is refused changes nothing: what is seen afterwards gives the same positions.
#[test]
fn what_is_no_market_is_refused_and_changes_nothing() {
    let plan = plan(&of(GBM, "expiry_days = 5", "[policy]\nhidden = 3\n"));
    let weights = parameters(&plan, 1);
    let session = || plan.session(&plan.assets(), &[&weights], 2, |_| 0).unwrap();
    let shown = |spot: f64, variance: f64| Seen {
        assets: vec![(spot, variance)],
        surface: None,
    };
    let right = [shown(100.0, 0.04), shown(101.0, 0.05)];
    let (mut one, mut other) = (session(), session());
    one.see(&right).unwrap();
    for wrong in [
        shown(0.0, 0.04),
        shown(-3.0, 0.04),
        shown(f64::NAN, 0.04),
        shown(f64::INFINITY, 0.04),
        shown(100.0, -0.1),
        shown(100.0, f64::NAN),
        Seen::default(),
    ] {
        let error = other.see(&[right[0].clone(), wrong.clone()]).unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{wrong:?}");
        assert!(error.to_string().contains("contract 1"), "{error}");
        assert_eq!(other.next(), 0);
        assert_eq!(other.positions(0, 1), [0.0]);
    }
    assert!(other.see(&right[..1]).is_err());
    other.see(&right).unwrap();
    assert_eq!(one.positions(0, 1), other.positions(0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever a spot does after a date, positions up to it are the same.
    #[test]
    fn a_session_sees_nothing_of_the_future(
        spots in prop::collection::vec(60.0..160.0f64, 7),
        others in prop::collection::vec(60.0..160.0f64, 7),
        now in 0usize..6,
    ) {
        let text = of(GBM, "type = \"asian_call\"\nexpiry_days = 7", "[policy]\nhidden = 3\nnetwork = \"gru\"\n");
        let plan = plan(&text);
        let weights = parameters(&plan, 4);
        let positions = |spots: &[f64]| {
            let mut session = plan.session(&plan.assets(), &[&weights], 1, |_| 0).unwrap();
            spots.iter().map(|spot| {
                session.see(&[Seen { assets: vec![(*spot, 0.04)], surface: None }]).unwrap();
                session.positions(0, 0)[0]
            }).collect::<Vec<f64>>()
        };
        let mut mixed = spots[..=now].to_vec();
        mixed.extend_from_slice(&others[now + 1..]);
        prop_assert_eq!(&positions(&spots)[..=now], &positions(&mixed)[..=now]);
    }
}
