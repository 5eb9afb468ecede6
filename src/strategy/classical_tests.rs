//! What the benchmark says on paths, and how often it is fitted.

use super::*;
use crate::contract::OptionKind;
use crate::hedging::{ClassicalName, Policy};
use crate::market::PathBlock;
use crate::network::{Feature, Parameters};
use crate::pricing::BlackScholes;

fn plan(market: &str, contract: &str, features: &str) -> Result<Plan> {
    let text = format!("{market}\n[contract]\n{contract}\n[policy]\nfeatures = [{features}]\n");
    Plan::parse(&text, |_| {})
}

const GBM: &str =
    "market = { model = \"gbm\", volatility = 0.25, rate = 0.03, dividend = 0.01, spot = 100 }";

const HESTON: &str = "market = { model = \"heston\", v0 = 0.05, kappa = 2.0, theta = 0.04, sigma = 0.5, rho = -0.7 }";

const TWO: &str = "[market]\nrate = 0.02\ncorrelation = [[1.0, 0.4], [0.4, 1.0]]\n\
    [market.assets.a]\nmodel = \"gbm\"\nvolatility = 0.2\nspot = 100\n\
    [market.assets.b]\nmodel = \"gbm\"\nvolatility = 0.3\nspot = 100";

fn paths(plan: &Plan, count: usize) -> Paths<f64> {
    let simulator = plan.simulator(3, Purpose::Evaluation);
    simulator.paths_with(&plan.quotes().unwrap(), 0, count)
}

fn each(paths: &Paths<f64>, mut visit: impl FnMut(PathBlock<'_, f64>, usize, usize)) {
    for block in 0..paths.blocks() {
        for t in 0..=paths.steps() {
            for lane in 0..BLOCK {
                visit(paths.block(block), t, lane);
            }
        }
    }
}

/// Deltas of a call under Heston, of an exchange of two assets and of calls drawn from ranges are the positions of the Black–Scholes hedge; at expiry delta and
/// gamma are 0 and the value is what is paid.
#[test]
fn deltas_are_those_of_the_hedge() {
    let all = "\"delta\", \"gamma\", \"value\"";
    for (market, contract) in [
        (HESTON, "type = \"call\"\nexpiry_days = 20"),
        (HESTON, "type = \"straddle\"\nexpiry_days = 20"),
        (TWO, "type = \"exchange\"\nexpiry_days = 20"),
        (
            GBM,
            "type = \"call\"\nstrike = { moneyness = [0.9, 1.1] }\nexpiry_days = [5, 20]",
        ),
    ] {
        let plan = plan(market, contract, all).unwrap();
        let (paths, assets) = (paths(&plan, 64), plan.assets());
        let hedge = plan.classical(ClassicalName::BlackScholes, &assets, 1.0);
        let positions = hedge.positions(&plan.contract, &paths).unwrap();
        let count = assets.count();
        for block in 0..paths.blocks() {
            let (data, steps) = (paths.block(block), paths.steps());
            for asset in 0..count {
                let (delta, gamma) = (data.benchmark().delta(asset), data.benchmark().gamma(asset));
                for lane in 0..BLOCK {
                    for t in 0..steps {
                        let held = positions[(block * steps + t) * count + asset][lane];
                        assert!((delta[t][lane] - held).abs() < 1e-6, "{contract}");
                        assert!(gamma[t][lane].is_finite());
                    }
                    assert_eq!((delta[steps][lane], gamma[steps][lane]), (0.0, 0.0));
                }
            }
            if plan.contract.family().is_none() {
                assert_eq!(data.benchmark().value()[steps], data.payments()[0]);
            }
        }
    }
}

/// Value and gamma of a call are Black and Scholes', date by date.
#[test]
fn a_call_has_its_value_and_gamma() {
    let plan = plan(
        GBM,
        "type = \"call\"\nexpiry_days = 20",
        "\"value\", \"gamma\"",
    )
    .unwrap();
    each(&paths(&plan, 64), |data, t, lane| {
        if t == plan.contract.steps {
            return;
        }
        let option = BlackScholes {
            kind: OptionKind::Call,
            spot: data.spot[t][lane],
            strike: 100.0,
            expiry: plan.contract.expiry - plan.contract.dt() * t as f64,
            rate: 0.03,
            dividend: 0.01,
            volatility: 0.25,
        };
        let answers = data.benchmark();
        assert!((answers.value()[t][lane] - option.price()).abs() < 1e-4);
        assert!((answers.gamma(0)[t][lane] - option.gamma()).abs() < 1e-9);
    });
}

/// Knocked out a barrier option is worth nothing and moves with nothing, also beyond the barrier and at expiry; while it lives it is
/// worth what is paid at expiry, and all answers are finite.
#[test]
fn nothing_is_left_of_a_contract_that_has_ended() {
    let contract = "type = \"down_and_out_call\"\nbarrier = 98\nexpiry_days = 30";
    let plan = plan(GBM, contract, "\"delta\", \"gamma\", \"value\"").unwrap();
    let (mut ended, mut paid) = (0, 0);
    each(&paths(&plan, 256), |data, t, lane| {
        let answers = data.benchmark();
        let all = [answers.value(), answers.delta(0), answers.gamma(0)].map(|rows| rows[t][lane]);
        assert!(all.iter().all(|answer| answer.is_finite()), "{all:?}");
        if t as f64 >= data.end().unwrap()[lane] && t < plan.contract.steps {
            assert_eq!(all, [0.0; 3]);
            ended += 1;
        } else if t == plan.contract.steps {
            let payment = data.payments().last().unwrap()[lane];
            assert_eq!(all, [payment, 0.0, 0.0]);
            paid += usize::from(payment > 0.0);
        } else {
            assert!(all[0] > 0.0 && all[1] > 0.0);
        }
    });
    assert!(ended > 100 && paid > 10, "{ended}, {paid}");
}

/// Without a closed form value and delta come from hedged Monte Carlo: those of an American call without dividends, which nobody
/// exercises early, are Black and Scholes' to .3 and .03 (root mean square over paths and dates), and a put that was exercised is
/// worth nothing. Gamma is refused.
#[test]
fn hedged_monte_carlo_answers_where_there_is_no_closed_form() {
    let market = "market = { model = \"gbm\", volatility = 0.25, spot = 100, rate = 0.05 }";
    let american = |kind: &str, features: &str| {
        let contract = format!("type = \"american_{kind}\"\nexpiry_days = 40\nsteps = 8");
        plan(market, &contract, features)
    };
    let call = american("call", "\"delta\", \"value\"").unwrap();
    let (mut squares, mut count) = ([0.0; 2], 0.0);
    each(&paths(&call, 1024), |data, t, lane| {
        if t as f64 >= data.end().unwrap()[lane] {
            return;
        }
        let option = BlackScholes {
            kind: OptionKind::Call,
            spot: data.spot[t][lane],
            strike: 100.0,
            expiry: call.contract.expiry - call.contract.dt() * t as f64,
            rate: 0.05,
            dividend: 0.0,
            volatility: 0.25,
        };
        let answers = data.benchmark();
        squares[0] += (answers.value()[t][lane] - option.price()).powi(2);
        squares[1] += (answers.delta(0)[t][lane] - option.delta()).powi(2);
        count += 1.0;
    });
    let [value, delta] = squares.map(|sum: f64| (sum / count).sqrt());
    assert!(value < 0.3 && delta < 0.03, "{value}, {delta}");

    let put = american("put", "\"delta\", \"value\"").unwrap();
    let mut exercised = 0;
    each(&paths(&put, 256), |data, t, lane| {
        let answers = data.benchmark();
        if t as f64 >= data.end().unwrap()[lane] && t < put.contract.steps {
            assert_eq!(
                (answers.value()[t][lane], answers.delta(0)[t][lane]),
                (0.0, 0.0)
            );
            exercised += 1;
        }
    });
    assert!(exercised > 10, "{exercised}");
    assert_eq!(
        american("put", "\"gamma\"").unwrap_err().to_string(),
        "`policy.features`: \"gamma\" needs a delta in closed form, and the contract (American put) has none"
    );
}

/// With two assets each has its delta and gamma; the position of every instrument is fed back. Both engines hedge the same, and the
/// plan's own features are those that the network was made for.
#[test]
fn policies_see_the_benchmark_and_what_they_hold() {
    let features = "\"log_moneyness\", \"delta\", \"gamma\", \"value\", \"previous_position\"";
    let contract = "type = \"worst_of_call\"\nexpiry_days = 20";
    let plan = plan(TWO, contract, features).unwrap();
    // Moneyness, delta and gamma of each asset, one value, two positions.
    assert_eq!(plan.features.inputs(), 2 * 3 + 1 + 2);
    let paths = paths(&plan, 40);
    let parameters = Parameters::random(plan.shape.maps(), 4).unwrap();
    let [block, tensor] = [
        crate::network::Engine::Block,
        crate::network::Engine::Tensor,
    ]
    .map(|engine| {
        let sweep = plan.shape.sweep::<f64>(engine, plan.actor());
        sweep.forward(&parameters, &plan.features, &paths).unwrap()
    });
    for (block, tensor) in block.iter().flatten().zip(tensor.iter().flatten()) {
        assert!((block - tensor).abs() < 1e-12);
    }
    let mut seen = Vec::new();
    plan.features.at(&paths.block(0), 5, &mut seen);
    let unit = plan.money_unit();
    let value = paths.block(0).benchmark().value()[5];
    assert_eq!(seen.len(), 7);
    assert!(
        seen[3]
            .iter()
            .zip(value)
            .all(|(seen, value)| (seen - value / unit).abs() < 1e-12)
    );
    assert_eq!(seen[1], paths.block(0).benchmark().delta(0)[5]);
    assert_eq!(seen[5], paths.block(0).benchmark().delta(1)[5]);
}

/// What is fitted depends on the path alone, and is fitted once for every contract, in plans that are changed from each other too.
#[test]
fn regressions_are_fitted_once_for_each_contract() {
    let contract = "type = \"asian_call\"\nexpiry_days = 20\nsteps = 5";
    let plan = plan(GBM, contract, "\"delta\", \"previous_position\"").unwrap();
    assert_eq!(plan.features.of_path().list, Feature::USUAL);
    let hedge = plan.classical(ClassicalName::HedgedMonteCarlo, &plan.assets(), 1.0);
    let own = paths(&plan, 32);
    // The benchmark of the features trades the spot, as the hedge does.
    assert_eq!(plan.regressions.count(), 1);
    hedge.positions(&plan.contract, &own).unwrap();
    assert_eq!(plan.regressions.count(), 1);
    let longer = plan.living(21.0 / 365.0, 7).unwrap();
    let other = paths(&longer, 32);
    for _ in 0..2 {
        hedge.positions(&longer.contract, &other).unwrap();
    }
    assert_eq!(plan.regressions.count(), 2);
    let changed = plan
        .changed(|strategy| strategy.costs.proportional = 0.01)
        .unwrap();
    let same = changed.regression(&plan.assets()).unwrap();
    assert!(Arc::ptr_eq(
        &same,
        &plan.regression(&plan.assets()).unwrap()
    ));
}

/// A policy that is tested in another market still sees the benchmark of its own: a delta at its own volatility.
#[test]
fn policies_keep_the_benchmark_of_their_market() {
    let contract = "type = \"call\"\nexpiry_days = 20";
    let origin = plan(GBM, contract, "\"delta\"").unwrap();
    let test = plan(HESTON, contract, "\"delta\"").unwrap();
    let seen = test.seen_as_by(&origin).unwrap();
    let paths = paths(&seen, 32);
    let hedge = ClassicalPolicy::new(
        ClassicalName::BlackScholes,
        origin.assets(),
        origin.charges(),
    );
    let positions = hedge.positions(&test.contract, &paths).unwrap();
    for (t, held) in positions.iter().enumerate() {
        let delta = paths.block(0).benchmark().delta(0)[t];
        assert!((0..BLOCK).all(|lane| (held[lane] - delta[lane]).abs() < 1e-6));
    }
}

/// A hedge that asks for what a contract has not is refused in a line that names it, for one asset and for several.
#[test]
fn hedges_that_need_more_than_the_contract_has_are_refused() {
    let hedges = |market: &str, contract: &str, hedge: &str| {
        let text = format!(
            "{market}\n[contract]\n{contract}\nexpiry_days = 20\n[evaluation]\nhedges = [\"{hedge}\"]\n"
        );
        Plan::parse(&text, |_| {}).map(|_| ())
    };
    let needs = |hedge: &str, what: &str, contract: &str| {
        format!(
            "`evaluation.hedges`: \"{hedge}\" needs {what}, and the contract ({contract}) has none; \"hedged_monte_carlo\" hedges any contract"
        )
    };
    let (delta, options) = (
        "a delta in closed form",
        "calls and puts on one asset that expire with the contract",
    );
    for (contract, hedge, what, name) in [
        (
            "type = \"basket_call\"",
            "black_scholes",
            delta,
            "basket call",
        ),
        (
            "type = \"exchange\"",
            "minimum_variance",
            options,
            "exchange",
        ),
        (
            "type = \"worst_of_call\"",
            "delta_vega",
            options,
            "worst of call",
        ),
    ] {
        let error = hedges(TWO, contract, hedge).unwrap_err().to_string();
        assert_eq!(error, needs(hedge, what, name));
    }
    let error = hedges(GBM, "type = \"asian_call\"", "whalley_wilmott").unwrap_err();
    assert_eq!(
        error.to_string(),
        needs("whalley_wilmott", delta, "asian call")
    );
    hedges(TWO, "type = \"exchange\"", "black_scholes").unwrap();
}

/// A table is a centre under a rule with parameters that it has; one row cannot be two hedges; what is written is read back.
#[test]
fn tables_of_hedges_are_read() {
    let plan = |hedges: &str| {
        let text =
            format!("{GBM}\n[contract]\nexpiry_days = 20\n[evaluation]\nhedges = [{hedges}]\n");
        Plan::parse(&text, |_| {})
    };
    let read = plan(
        "\"leland\", { centre = \"scaled_delta\", scale = 0.9 }, { centre = \"hull_white\", rule = \"whalley_wilmott\" }, \
         { centre = \"black_scholes\", rule = \"time_based\", every = 3 }, { centre = \"leland\", rule = \"move_based\", move = 0.05 }",
    );
    let read = read.unwrap();
    let names: Vec<String> = read.hedges.iter().map(|hedge| hedge.name()).collect();
    assert_eq!(
        names,
        [
            "leland",
            "scaled_delta_0.9",
            "hull_white_whalley_wilmott",
            "time_based_every_3",
            "leland_move_based_move_0.05",
        ]
    );
    let again = Plan::parse(&read.to_toml().unwrap(), |_| {}).unwrap();
    assert_eq!(again.hedges, read.hedges);
    for (hedges, message) in [
        (
            "{ centre = \"leland\", move = 0.1 }",
            "`evaluation.hedges`: \"leland\" has no move",
        ),
        (
            "\"naked\", \"naked\"",
            "`evaluation.hedges`: \"naked\" is there twice",
        ),
        (
            "{ centre = \"hull_white\", rule = \"zakamouline\" }",
            "`evaluation.hedges`: centre \"hull_white\" lacks what rule \"zakamouline\" asks for: gamma or volatility",
        ),
        (
            "\"delta_gamma\"",
            "`evaluation.hedges`: \"delta_gamma\" needs an option on the contract's asset in `policy.instruments`",
        ),
    ] {
        assert_eq!(plan(hedges).unwrap_err().to_string(), message);
    }
    assert!(plan("{ centre = \"leland\", scael = 0.9 }").is_err());
}

/// A table gives rules for spots and for options, shares are numbers or tuned, and rows are named by what is not usual; what is read is
/// what was written.
#[test]
fn tables_of_hedges_with_options_are_read() {
    let plan = |hedges: &str, more: &str| {
        let text = format!(
            "{GBM}\n[contract]\nexpiry_days = 20\n[policy]\ninstruments = [\"spot\", {{ type = \"call\", strike = 100.0, expiry_days = 60 }}]\n\
             [evaluation]\nhedges = [{hedges}]\n{more}"
        );
        Plan::parse(&text, |_| {})
    };
    let read = plan(
        "\"scaled_delta\", { centre = \"static_vega\", rule = \"constant_band\" }, \
         { centre = \"delta_vega\", rule = \"whalley_wilmott\", ratio = \"tuned\" }, \
         { centre = \"delta_vega\", rule = \"whalley_wilmott\", option_rule = \"every_date\" }, \
         { centre = \"static_vega\", ratio = 1.5, scale = \"tuned\" }, { centre = \"scaled_delta\", rule = \"constant_band\" }",
        "scale = 0.9\n",
    )
    .unwrap();
    let names: Vec<String> = read.hedges.iter().map(|hedge| hedge.name()).collect();
    assert_eq!(
        names,
        [
            "scaled_delta",
            "static_vega_constant_band",
            "delta_vega_whalley_wilmott_tuned_ratio",
            "delta_vega_whalley_wilmott_option_every_date",
            "static_vega_tuned_scale_ratio_1.5",
            "scaled_delta_constant_band",
        ]
    );
    // `evaluation.scale` is that of the hedge by its bare name alone.
    let missing: Vec<usize> = read.hedges.iter().map(|one| one.missing().len()).collect();
    assert_eq!(missing, [0, 2, 3, 1, 1, 2]);
    let again = Plan::parse(&read.to_toml().unwrap(), |_| {}).unwrap();
    assert_eq!(again.hedges, read.hedges);
    for (hedges, message) in [
        (
            "{ centre = \"leland\", option_rule = \"every_date\" }",
            "`evaluation.hedges`: \"leland\" holds no options, and has no option_rule",
        ),
        (
            "{ centre = \"leland\", ratio = 1.0 }",
            "`evaluation.hedges`: \"leland\" has no ratio",
        ),
        (
            "{ centre = \"delta_vega\", option_rule = \"whalley_wilmott\" }",
            "`evaluation.hedges`: centre \"delta_vega\" lacks what rule \"whalley_wilmott\" asks for: gamma or volatility",
        ),
        (
            "\"smile_delta\"",
            "`evaluation.hedges`: \"smile_delta\" needs an implied-volatility surface: `backtest.surface`, or a `market.model` that has one; \"black_scholes\" hedges without",
        ),
    ] {
        assert_eq!(plan(hedges, "").unwrap_err().to_string(), message);
    }
    let past = plan("\"naked\"", "tune_on = \"past\"\n").unwrap_err();
    assert_eq!(
        past.to_string(),
        "`evaluation.tune_on` = \"past\": needs `backtest.data` or `backtest.surface`"
    );
}
