use crate::contract::{Seen, SeenAsset};
use crate::error::Result;
use crate::hedging::{Book, ClassicalName, ClassicalPolicy};
use crate::market::Simulator;
use crate::market::valuation::sensitivities;
use crate::random::{Purpose, Sampling};
use crate::simd::BLOCK;
use crate::strategy::Plan;
use serde_json::Value;

fn plan(contract: &str) -> Result<Plan> {
    plan_under("model = \"gbm\", volatility = 0.25", contract)
}

fn plan_under(model: &str, contract: &str) -> Result<Plan> {
    let market = format!("market = {{ {model}, rate = 0.03, dividend = 0.01 }}");
    Plan::parse(&format!("{market}\n[contract]\n{contract}"), |_| {})
}

const CONTRACTS: [&str; 20] = [
    "type = \"call\"\nstrike = { delta = 0.3 }",
    "type = \"strangle\"\nstrike = 95\nupper_strike = { moneyness = 1.05 }",
    "type = \"digital_put\"\ncash = { moneyness = 0.1 }",
    "type = \"one_touch\"\nbarrier = 108",
    "type = \"down_and_out_call\"\nbarrier = { moneyness = 0.9 }",
    "type = \"up_and_in_put\"\nbarrier = 104\nstrike = 101",
    "type = \"asian_call\"\naverage = \"geometric\"\nfixings = 10",
    "type = \"lookback_call\"",
    "type = \"lookback_put\"\nfloating = true",
    "type = \"forward_start_call\"\nstart_days = 21\nmoneyness = 0.95",
    "type = \"cliquet\"\nresets = 6\nfloor = -0.02\ncap = 0.03",
    "type = \"variance_swap\"\nstrike_volatility = 0.2",
    "type = \"autocallable\"\non = \"every(10)\"",
    "payoff = \"max(average(S) - K, 0)\"\nparameters = { K = { moneyness = 1.01 } }",
    "payoff = \"max(S - 100, 0)\"",
    "payments = [{ on = \"weekly\", when = \"S > 104\", amount = \"5 * observation\", ends = true }, { amount = \"S\" }]",
    "legs = [{ type = \"call\", strike = 103 }, { quantity = -2, type = \"put\" }]",
    "legs = [{ type = \"call\", expiry_days = 30 }, { type = \"up_and_out_call\", barrier = 120 }]",
    "legs = [{ payoff = \"highest(S)\" }, { quantity = 0.5, type = \"straddle\", strike = { moneyness = 0.98 } }]",
    "",
];

/// A file with every default filled in says the same contract.
#[test]
fn a_resolved_contract_is_the_same() {
    for contract in CONTRACTS {
        let plan = plan(&format!("expiry_days = 60\n{contract}"))
            .unwrap_or_else(|e| panic!("{contract}: {e}"));
        let resolved = plan.to_toml().unwrap();
        let again = Plan::parse(&resolved, |_| {}).unwrap_or_else(|e| panic!("{resolved}: {e}"));
        assert_eq!(again.contract, plan.contract, "{contract}");
        assert_eq!(again.to_toml().unwrap(), resolved);
    }
}

/// A payoff that is written out is priced as the type that it spells, on the same paths; calls and puts keep their formula.
#[test]
fn a_payoff_is_priced_as_its_type() {
    let price = |contract: &str| {
        plan(&format!("expiry_days = 60\n{contract}"))
            .unwrap()
            .model_price(&mut || Ok(()))
            .unwrap()
            .value
    };
    let asian = price("type = \"asian_put\"\nfixings = 12\nstrike = 102");
    let written =
        price("payoff = \"max(K - average(S, fixings(12)), 0)\"\nparameters = { K = 102 }");
    // The two have other control variates.
    assert!((asian - written).abs() < 0.03, "{asian} {written}");
    let sum = price(
        "legs = [{ type = \"call\", strike = 103 }, { quantity = -2, type = \"put\", strike = 95 }]",
    );
    let parts = price("strike = 103") - 2.0 * price("type = \"put\"\nstrike = 95");
    assert!((sum - parts).abs() < 1e-12);
}

/// Prices of discretely watched barriers and geometric means on simulated paths and by formula, against `tests/reference/exotics_discrete.json`.
#[test]
fn prices_are_those_of_the_reference() {
    const SPOTS: usize = 12 << 15;
    let file: Value =
        serde_json::from_str(include_str!("../../tests/reference/exotics_discrete.json")).unwrap();
    let mut found = 0;
    for row in file["rows"].as_array().unwrap() {
        let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        // The market of the plan is that of the rows over a year.
        if number("expiry") != 1.0 {
            continue;
        }
        let (product, kind) = (
            row["product"].as_str().unwrap(),
            row["kind"].as_str().unwrap_or_default(),
        );
        let (steps, terms) = match product.strip_prefix("barrier_discrete_") {
            Some(knock) => {
                let barrier = number("barrier");
                (
                    number("monitoring"),
                    format!("type = \"{knock}_{kind}\"\nbarrier = {barrier}"),
                )
            }
            // Its fixings are on whole days.
            None if product == "geometric_asian_discrete" => (
                365.0,
                format!(
                    "type = \"asian_{kind}\"\naverage = \"geometric\"\nfixings = {}",
                    number("fixings")
                ),
            ),
            None => continue,
        };
        let (strike, price) = (number("strike"), number("price"));
        let contract = format!("expiry_days = 365\nsteps = {steps}\nstrike = {strike}\n{terms}");
        let plan = plan(&contract).unwrap();
        let (market, contract) = (plan.market.clone(), &plan.contract);
        assert_eq!(market.spot, number("spot"));
        assert_eq!(market.rate, number("rate").into());
        let discount = market.rate.discount(0.0, contract.expiry);
        let simulator = Simulator {
            assets: market.into(),
            steps: contract.steps,
            dt: contract.dt(),
            seed: 5,
            purpose: Purpose::Pricing,
            sampling: Sampling::Pseudorandom,
            family: None,
        };
        let count = SPOTS / contract.steps;
        let payoffs = simulator.payoffs(contract, 0, count);
        let mean = payoffs.iter().sum::<f64>() / count as f64;
        let variance = payoffs
            .iter()
            .map(|paid| (paid - mean).powi(2))
            .sum::<f64>()
            / count as f64;
        let error = (variance / count as f64).sqrt();
        let distance = (discount * mean - price).abs();
        assert!(
            distance < number("tolerance") + 4.0 * error,
            "{product} {kind} {strike}: {distance} of {error}"
        );
        let closed = (plan.model_price(&mut || Ok(())).unwrap().value - price).abs();
        assert!(
            closed < number("tolerance"),
            "{product} {kind} {strike}: {closed}"
        );
        found += 1;
    }
    assert!(found > 20, "{found}");
}

/// What is wrong with an expression is said at its key, with the place; so is an amount that is no number on some path.
#[test]
fn expressions_are_refused_at_their_keys() {
    let refusal = |contract: &str| {
        plan(&format!("expiry_days = 60\n{contract}"))
            .unwrap_err()
            .to_string()
    };
    for (contract, words) in [
        (
            "payoff = \"max(S - K, 0)\"",
            "`contract.payoff`, line 1, column 9: no parameter is called `K`: the contract has none, give `K` a value in `parameters`",
        ),
        (
            "payoff = \"ln(S - 100)\"",
            "`contract.payoff` is not a finite number on date 60 of a path",
        ),
        (
            "payments = [{ on = \"hourly\", amount = \"1\" }]",
            "`contract.payments.1.on`, line 1, column 1: a payment falls due on expiry or daily, weekly, monthly, quarterly, yearly, every(n) or fixings(n)",
        ),
        (
            "payoff = \"S\"\nstrike = 90",
            "`contract.strike` has no meaning for the type \"term_sheet\"",
        ),
        (
            "payoff = \"S\"\nparameters = { years = 1 }",
            "`contract.parameters.years` has a meaning of its own in expressions: choose another name",
        ),
        (
            "type = \"asian_call\"\nbarrier = 90",
            "`contract.barrier` has no meaning for the type \"asian_call\"",
        ),
        (
            "legs = [{ type = \"call\", barier = 90 }]",
            "`contract.legs.1.barier`: unknown key, did you mean `barrier`?",
        ),
        ("type = \"portfolio\"", "`contract.legs` is missing"),
        ("type = \"term_sheet\"", "`contract.payoff` is missing"),
        (
            "legs = [{ strike = { delta = 0.3 } }]",
            "`contract.legs.1.strike.delta` has no meaning in a portfolio",
        ),
    ] {
        let refusal = refusal(contract);
        assert_eq!(refusal.lines().next().unwrap(), words);
    }
}

/// A contract with a closed form of its own is worth, on each date of a path, what that form says of its running values: the
/// mean of what it pays is the price, and its delta hedges most of it.
#[test]
fn closed_forms_follow_the_path() {
    for contract in [
        "type = \"digital_call\"\ncash = 10",
        "type = \"one_touch\"\nbarrier = 108\ncash = 10",
        "type = \"no_touch\"\nbarrier = 90\ncash = 10",
        "type = \"down_and_in_put\"\nbarrier = 95",
        "type = \"down_and_out_call\"\nbarrier = 95",
        "type = \"asian_put\"\naverage = \"geometric\"\nfixings = 20",
        "type = \"forward_start_call\"\nstart_days = 20",
        "type = \"lookback_call\"\nstrike = 102",
        "type = \"lookback_put\"",
        "type = \"lookback_call\"\nfloating = true",
        "type = \"lookback_put\"\nfloating = true",
    ] {
        let plan = plan(&format!("expiry_days = 60\n{contract}")).unwrap();
        let price = plan.model_price(&mut || Ok(())).unwrap().value;
        let paths = plan
            .simulator(3, Purpose::Evaluation)
            .paths::<f64>(0, 4_096);
        let paths = paths.under(&plan.contract);
        let ledger = plan.ledger(&plan.market, price);
        let spread = |hedge| {
            let policy = ClassicalPolicy::new(hedge, plan.assets(), plan.charges());
            let pnl = Book::hedge(&policy, &ledger, &paths).unwrap().pnl;
            let mean = pnl.iter().sum::<f64>() / pnl.len() as f64;
            let square = pnl.iter().map(|pnl| (pnl - mean).powi(2)).sum::<f64>();
            (mean, (square / pnl.len() as f64).sqrt())
        };
        let (_, naked) = spread(ClassicalName::Naked);
        let (mean, hedged) = spread(ClassicalName::BlackScholes);
        assert!(
            mean.abs() < 4.0 * hedged / 64.0 + 2e-3 * price,
            "{contract}: {mean} beside {price}"
        );
        assert!(hedged < 0.6 * naked, "{contract}: {hedged} of {naked}");
    }
}

/// The mean over paths of the discounted closed form on a date, and its standard error.
fn mean_worth(plan: &Plan, date: usize) -> (f64, f64) {
    let (contract, market) = (&plan.contract, &plan.market);
    let (formula, dt) = (contract.formula().unwrap(), contract.dt());
    let volatility = market.model.lognormal().unwrap();
    let carried = plan.assets().carried(contract.steps, dt);
    let count = 1 << 14;
    let paths = plan
        .simulator(3, Purpose::Evaluation)
        .paths::<f64>(0, count);
    let paths = paths.under(contract);
    let worth = |path: usize| {
        let (block, lane) = (paths.block(path / BLOCK), path % BLOCK);
        let asset = SeenAsset {
            spot: block.spot[date][lane],
            dividend: market.dividend.average(dt * date as f64, contract.expiry),
            volatility,
        };
        let seen = Seen {
            assets: &[asset],
            correlation: &[vec![1.0]],
            rate: market.rate.average(dt * date as f64, contract.expiry),
            carried: &carried,
            date,
            steps: contract.steps,
            dt,
            state: &[block.state(0)[date][lane]],
        };
        market.rate.discount(0.0, dt * date as f64) * formula.worth(&seen).price
    };
    let values: Vec<f64> = (0..count).map(worth).collect();
    let mean = values.iter().sum::<f64>() / count as f64;
    let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, square.sqrt() / count as f64)
}

/// The discounted closed form of a variance swap is a martingale in its running sum: on several dates its mean over paths is the
/// price, which is that of dates rather than of continuous time, z-bound 4; under rates that change, too.
#[test]
fn a_variance_swap_follows_its_running_sum() {
    let contract =
        "expiry_days = 60\ntype = \"variance_swap\"\nstrike_volatility = 0.18\nnotional = 1000";
    follows_its_running_sum(&plan(contract).unwrap());
    let market = "market = { model = \"gbm\", volatility = 0.25, rate = [[20, -0.9], [60, 0.9]], dividend = 0.01 }";
    let curves = Plan::parse(&format!("{market}\n[contract]\n{contract}"), |_| {}).unwrap();
    let flat = Plan::parse(
        &format!(
            "{}\n[contract]\n{contract}",
            market.replace("[[20, -0.9], [60, 0.9]]", "0.9")
        ),
        |_| {},
    );
    follows_its_running_sum(&curves);
    // Σ(c_i − c̄)² of the carries of single days, over the life: 2.7 a year for 20 days and 1.8 a year away from the average.
    let squares = (20.0 * 1.8f64.powi(2) + 40.0 * 0.9f64.powi(2)) / 365.0 / 60.0;
    let more = curves.model_premium() - flat.unwrap().model_premium();
    let expected = 1000.0 * (-0.9f64 * 60.0 / 365.0).exp() * squares;
    assert!((more - expected).abs() < 1e-9, "{more} {expected}");
}

fn follows_its_running_sum(plan: &Plan) {
    let found = plan.model_price(&mut || Ok(())).unwrap();
    assert_eq!(found.standard_error, 0.0);
    assert!(!plan.contract.has_delta());
    for date in [1, 20, plan.contract.steps] {
        let (mean, error) = mean_worth(plan, date);
        assert!(
            (mean - found.value).abs() < 4.0 * error,
            "{date}: {mean} ± {error}, {found:?}"
        );
    }
}

/// The closed form of a lookback option on dates is one to leading order: its price at the sale is simulated, and on later dates its
/// discounted mean over paths is that price within 0.3 % and four standard errors.
#[test]
fn lookbacks_follow_their_extreme() {
    for terms in [
        "type = \"lookback_call\"\nstrike = 102",
        "type = \"lookback_put\"",
        "type = \"lookback_call\"\nfloating = true",
        "type = \"lookback_put\"\nfloating = true",
    ] {
        let plan = plan(&format!("expiry_days = 60\n{terms}")).unwrap();
        let found = plan.model_price(&mut || Ok(())).unwrap();
        assert!(found.standard_error > 0.0 && plan.contract.has_delta());
        for date in [1, 20, 45, plan.contract.steps] {
            let (mean, error) = mean_worth(&plan, date);
            println!("{terms} {date}: {mean} ± {error}, {found:?}");
            assert!(
                (mean - found.value).abs() < 4.0 * error + 3e-3 * found.value,
                "{terms} {date}: {mean} ± {error}, {found:?}"
            );
        }
    }
}

/// A variance swap on dates has a price in closed form under every model that knows the moments of its log returns: that of simulated
/// paths, z-bound 4. Under geometric Brownian motion it is that of the lognormal form, with its gamma; elsewhere vega is the change of the price
/// with today's volatility, by simulation on the same paths.
#[test]
fn a_variance_swap_has_a_price_under_every_model_with_moments() {
    let swap = "expiry_days = 91\nsteps = 13\ntype = \"variance_swap\"\nstrike_volatility = 0.2\nnotional = 1000";
    let heston = |v0: f64| {
        format!("model = \"heston\", v0 = {v0}, kappa = 2.0, theta = 0.05, sigma = 0.9, rho = -0.8")
    };
    let jumps = "jump_intensity = 8.0, log_jump_mean = -0.04, log_jump_std = 0.05";
    let simulated = |plan: &Plan| {
        let simulator = plan.simulator(3, Purpose::Pricing);
        let discount = (-0.03 * plan.contract.expiry).exp();
        let paid = simulator.payoffs(&plan.contract, 0, 1 << 16);
        let count = paid.len() as f64;
        let mean = paid.iter().sum::<f64>() / count;
        let square = paid.iter().map(|one| (one - mean).powi(2)).sum::<f64>();
        (discount * mean, discount * square.sqrt() / count)
    };
    for model in [
        heston(0.09),
        format!("{}, {jumps}", heston(0.09).replace("heston", "bates")),
        format!("model = \"merton\", volatility = 0.15, {jumps}"),
        "model = \"kou\", volatility = 0.15, jump_intensity = 8.0, up_probability = 0.3, log_jump_up = 0.03, log_jump_down = 0.06".into(),
        "model = \"variance_gamma\", volatility = 0.2, gamma_drift = -0.3, gamma_variance = 0.1".into(),
        "model = \"gbm\", volatility = 0.25".into(),
    ] {
        let plan = plan_under(&model, swap).unwrap();
        let found = plan.model_price(&mut || Ok(())).unwrap();
        assert_eq!(found.standard_error, 0.0, "{model}");
        let (mean, error) = simulated(&plan);
        println!("{model}: {found:?}, {mean} ± {error}");
        assert!((mean - found.value).abs() < 4.0 * error, "{model}: {mean} ± {error}, {found:?}");
    }
    let greeks =
        |plan: &Plan| sensitivities(&plan.assets(), &plan.contract, &mut || Ok(())).unwrap()[0];
    let flat = greeks(&plan_under("model = \"gbm\", volatility = 0.25", swap).unwrap());
    let same = greeks(
        &plan_under(
            "model = \"merton\", volatility = 0.25, jump_intensity = 1e-6, log_jump_mean = 0.0, log_jump_std = 1e-6",
            swap,
        )
        .unwrap(),
    );
    assert!(same.vega.is_none());
    for (found, expected) in [(same.delta, flat.delta), (same.gamma, flat.gamma)] {
        assert!((found.value / expected.value - 1.0).abs() < 1e-5);
    }
    let vega = greeks(&plan_under(&heston(0.09), swap).unwrap())
        .vega
        .unwrap();
    let at = |volatility: f64| {
        let plan = plan_under(&heston(volatility * volatility), swap).unwrap();
        simulated(&plan)
    };
    let ((up, error), (down, _)) = (at(0.31), at(0.29));
    assert_eq!(vega.standard_error, 0.0);
    assert!((vega.value - (up - down) / 0.02).abs() < 4.0 * error / 0.02 * 0.2);
}
