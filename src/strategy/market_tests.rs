use super::*;
use crate::contract::options::payoff;
use crate::contract::{Leg, OptionKind};
use crate::random::Purpose;
use crate::strategy::Plan;
use proptest::prelude::*;

fn plan(market: &str, contract: &str) -> Result<Plan> {
    Plan::parse(
        &format!("[market]\n{market}\n[contract]\n{contract}\n"),
        |_| {},
    )
}

fn heston(changes: &str) -> String {
    let mut table: toml::Table = toml::from_str(
        "model = \"heston\"\nv0 = 0.04\nkappa = 1.0\ntheta = 0.04\nsigma = 0.5\nrho = -0.7",
    )
    .unwrap();
    table.extend(toml::from_str::<toml::Table>(changes).unwrap());
    toml::to_string(&table).unwrap()
}

/// What no simulation is right for is refused with key, value and bound.
#[test]
fn what_cannot_be_simulated_is_refused() {
    const MONTH: &str = "expiry_days = 20";
    let merton = |changes: &str| {
        let rest = "model = \"merton\"\nvolatility = 0.15\nlog_jump_mean = -0.05";
        format!("{rest}\n{changes}")
    };
    let gbm = |changes: &str| format!("model = \"gbm\"\n{changes}");
    for (market, contract, start) in [
        (
            heston("kappa = 1e6"),
            MONTH,
            "`market.kappa` must be in [0.0001, 228125.0000] over 0.0548 years, was 1000000",
        ),
        (
            heston("kappa = 1e-9"),
            MONTH,
            "`market.kappa` must be in [0.0001, 1000000], was 0.000000001",
        ),
        (
            heston("sigma = 20.0"),
            MONTH,
            "`market.sigma` must be in [0, 17.0880] over 0.0548 years with these v0, kappa and theta, was 20",
        ),
        (
            heston("sigma = -1e-20"),
            MONTH,
            "`market.sigma` must be in [0, 100]",
        ),
        (
            heston("v0 = 2.0"),
            MONTH,
            "`market.v0` must be in [1.333e-3, 1.200e0], between 1/30 of `market.theta`",
        ),
        (
            heston("v0 = 0.001"),
            MONTH,
            "`market.v0` must be in [1.333e-3",
        ),
        (
            heston("theta = 1e-9"),
            MONTH,
            "`market.theta` must be in [0.000001, 25]",
        ),
        (
            heston("theta = 4.0\nv0 = 4.0"),
            "expiry_days = 3650",
            "`market.theta` must be small enough",
        ),
        (
            heston("rate = -9e18"),
            MONTH,
            "`market.rate` must be in [-1, 1], was -9e18",
        ),
        (
            heston("dividend = -1e300"),
            MONTH,
            "`market.dividend` must be in [-1, 1], was -1e300",
        ),
        (
            heston("rate = 0.9"),
            "expiry_days = 7300",
            "`market.rate` must be in [-0.5000, 0.5000] over 20.0000 years",
        ),
        (
            heston("spot = 1e300"),
            MONTH,
            "`market.spot` must be in [0.000001, 1000000000]",
        ),
        (
            gbm("volatility = 1e-9"),
            MONTH,
            "`market.volatility` must be in [0.001, 5]",
        ),
        (
            gbm("volatility = 4.0"),
            "expiry_days = 1460",
            "`market.volatility` must be at most 1.5000 over 4.0000 years",
        ),
        (
            merton("jump_intensity = 3.0\nlog_jump_std = 33.0"),
            MONTH,
            "`market.log_jump_std` must be in [0.000001, 1]",
        ),
        (
            merton("jump_intensity = 9e3\nlog_jump_std = 0.01"),
            "expiry_days = 365",
            "`market.jump_intensity` must be at most 500.0000",
        ),
        (
            merton("jump_intensity = 9e3\nlog_jump_std = 0.01"),
            "expiry_days = 10\nsteps = 2",
            "`market.jump_intensity` must be at most 3650.0000",
        ),
        (
            merton("jump_intensity = 40.0\nlog_jump_std = 1.0"),
            "expiry_days = 365",
            "`market.jump_intensity` must be small enough",
        ),
    ] {
        let error = plan(&market, contract).map(|_| ()).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with(start), "{message}\n{start}");
        assert_eq!(error.exit_code(), 2);
        assert!(!message.contains('\n') && message.len() < 200, "{message}");
    }
    for accepted in [
        "sigma = 0.0",
        "sigma = 1e-50",
        "kappa = 1e3",
        "kappa = 1e5",
        "sigma = 10.0",
    ] {
        assert!(plan(&heston(accepted), MONTH).is_ok(), "{accepted}");
    }
}

/// The shipped strategies take no sub-step; path 63 of each ends where it did before there were sub-steps.
#[test]
fn daily_strategies_keep_their_paths() {
    let ends = |text: &str| {
        let plan = Plan::parse(text, |_| {}).unwrap();
        let simulator = plan.simulator(plan.seed, Purpose::Export);
        assert_eq!(simulator.substeps(), 1);
        let (spot, variance) = simulator.paths::<f64>(0, 64).path(63);
        (spot[plan.contract.steps], variance[plan.contract.steps])
    };
    let near = |found: f64, before: f64| (found - before).abs() <= 1e-12 * before;
    for (text, spot, variance) in [
        (
            include_str!("../../strategies/heston_call.toml"),
            94.954_011_539_082_84,
            0.037_892_627_243_527_9,
        ),
        (
            include_str!("../../strategies/heston_variance_swap.toml"),
            100.129_022_339_330_86,
            0.0,
        ),
        (
            include_str!("../../strategies/gbm_call.toml"),
            102.191_634_631_474_49,
            0.04,
        ),
        (
            include_str!("../../strategies/merton_straddle.toml"),
            100.427_028_103_466_97,
            0.034_185_96,
        ),
    ] {
        // Instruction sets differ in the last digits.
        let (found_spot, found_variance) = ends(text);
        assert!(near(found_spot, spot), "{found_spot} {spot}");
        assert!(
            near(found_variance, variance),
            "{found_variance} {variance}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every Heston market that a strategy may name has finite paths whose spot, capped at twice its forward, and whose puts
    /// have the mean of the formula, z-bound 6. A cap leaves no tail that a sample of this size could miss.
    #[test]
    fn accepted_markets_are_simulated_rightly(
        v0 in -4.0..0.5f64,
        ratio in -1.4..1.4f64,
        kappa in -2.5..4.0f64,
        sigma in -3.0..1.2f64,
        rho in -0.98..0.98f64,
        days in 0.0..3.0f64,
        share in 0.0..1.0f64,
    ) {
        const COUNT: usize = 1 << 13;
        let power = |x: f64| 10f64.powf(x);
        let market = heston(&format!(
            "v0 = {}\nkappa = {}\ntheta = {}\nsigma = {}\nrho = {rho}\nrate = 0.03",
            power(v0), power(kappa), power(v0 + ratio), power(sigma),
        ));
        let steps = (power(days) * share).ceil().max(1.0);
        let Ok(plan) = plan(&market, &format!("expiry_days = {}\nsteps = {steps}", power(days))) else {
            return Ok(());
        };
        let simulator = plan.simulator(1, Purpose::Pricing);
        prop_assume!(simulator.steps * simulator.substeps() < 2_000);
        let paths = simulator.paths::<f32>(0, 64);
        for path in 0..64 {
            let (spot, variance) = paths.path(path);
            prop_assert!(spot.iter().all(|s| s.is_finite() && *s > 0.0));
            prop_assert!(variance.iter().all(|v| v.is_finite() && *v >= 0.0));
        }
        let ends = simulator.ends(0, COUNT);
        let (expiry, market) = (plan.contract.expiry, &plan.market);
        let discount = (-0.03 * expiry).exp();
        let forward = market.spot / discount;
        for strike in [0.9 * forward, forward, 2.0 * forward] {
            let put = [Leg::one(OptionKind::Put, strike)];
            let payoffs: Vec<f64> = ends.iter().map(|s| discount * payoff(&put, *s)).collect();
            let mean = payoffs.iter().sum::<f64>() / COUNT as f64;
            let square = payoffs.iter().map(|p| (p - mean).powi(2)).sum::<f64>();
            let error = square.sqrt() / COUNT as f64;
            let price = market.price(&put, expiry);
            // No path may end where the option pays at all.
            let rare = 20.0 * market.spot / COUNT as f64 * 0.1;
            prop_assert!(
                (mean - price).abs() < 6.0 * error + if error < 1e-3 { rare } else { 1e-4 },
                "{:?}, {} steps of {}: {mean} ± {error}, {price}", market.model, simulator.steps, simulator.substeps()
            );
        }
    }
}

const SLICES: &str = "model = \"local_volatility\"\nslices = [
    { days = 30, a = 0.001, b = 0.01, rho = -0.5, m = 0.0, sigma = 0.2 },
    { days = 365, a = 0.02, b = 0.06, rho = -0.5, m = 0.02, sigma = 0.3 },
]";

const ROUGH: &str = "model = \"rough_bergomi\"\nxi = 0.04\neta = 1.9\nhurst = 0.07\nrho = -0.9";

/// A surface comes back from the file that a plan writes; its arbitrage is refused with slice and strike, its numbers with their bounds; and
/// the region of SABR with both.
#[test]
fn surfaces_are_checked() {
    let made = plan(SLICES, "expiry_days = 60").unwrap();
    let again = Plan::parse(&made.to_toml().unwrap(), |_| {}).unwrap();
    assert_eq!(made.market, again.market);
    assert_eq!(
        plan(
            "model = \"local_volatility\"\nslices = []",
            "expiry_days = 60"
        )
        .unwrap_err()
        .to_string(),
        "`market.slices` must be a list of at least 1, was 0"
    );
    for (market, start) in [
        (
            SLICES.replace("days = 30", "days = 0"),
            "`market.slices.days` must be positive, was 0",
        ),
        (
            SLICES.replace("a = 0.02", "a = -0.02"),
            "`market.slices` must be such that",
        ),
        (
            SLICES.replace("b = 0.06", "b = 2.0"),
            "`market.slices` must be such that slice 2 (365 days) has no butterfly arbitrage at ln(K/F) = ",
        ),
        (
            SLICES.replace("days = 365", "days = 20"),
            "`market.slices` must be such that",
        ),
        (
            "model = \"sabr\"\nalpha = 0.2\nbeta = 1.0\nnu = 2.0\nrho = 0.0".to_owned(),
            "`market.nu` must be at most 1.2332 over 0.1644 years, where ν²T is 0.25, was 2",
        ),
        (
            "model = \"sabr\"\nalpha = 2.0\nbeta = 0.2\nnu = 0.5\nrho = 0.0".to_owned(),
            "`market.alpha` must be at most 0.9249 over 0.1644 years with this beta, was 2",
        ),
    ] {
        let error = plan(&market, "expiry_days = 60").unwrap_err().to_string();
        assert!(error.starts_with(start), "{error}");
    }
}

/// Where spot and variance do not determine prices after the sale, options that hedge, the hedge by the model's delta and histories are
/// refused, with key and model; a swap on a variance whose expectation is not linear in it as well.
#[test]
fn what_needs_later_prices_is_refused() {
    let error = |market: &str, rest: &str| {
        let text = format!("[market]\n{market}\n[contract]\nexpiry_days = 9\n{rest}\n");
        Plan::parse(&text, |_| {}).unwrap_err().to_string()
    };
    assert!(plan(ROUGH, "expiry_days = 9").is_ok());
    let later = "prices after the sale, and under the model \"rough_bergomi\" spot and variance do not determine them";
    let option = "[policy]\ninstruments = [\"spot\", { type = \"put\", strike = 95 }]";
    assert_eq!(
        error(ROUGH, option),
        format!("`policy.instruments`: an option needs {later}")
    );
    assert_eq!(
        error(ROUGH, "[evaluation]\nhedges = [\"minimum_variance\"]"),
        format!("`evaluation.hedges`: \"minimum_variance\" needs {later}")
    );
    assert_eq!(
        error(ROUGH, "[backtest]\ndata = \"prices.csv\""),
        format!("`backtest`: a history needs {later}")
    );
    let swap = "[policy]\ninstruments = [\"spot\", \"variance_swap\"]";
    let elastic = "model = \"sabr\"\nalpha = 0.2\nbeta = 0.5\nnu = 0.5\nrho = -0.3";
    for market in [ROUGH, SLICES, elastic] {
        let error = error(market, swap);
        let start =
            "`policy.instruments`: \"variance_swap\" needs a model whose variance varies by itself";
        assert!(
            error.starts_with(start)
                && error.ends_with("its expectation is not linear in what it is"),
            "{error}"
        );
    }
}
