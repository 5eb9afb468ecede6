//! The parts of the P&L of contracts that are no sums of calls and puts, which may end early and depend on several assets.

use super::attribution::Attribution;
use super::valuation::Valuation;
use crate::hedging::{Book, ClassicalName, ClassicalPolicy, Policy};
use crate::market::Paths;
use crate::random::Purpose;
use crate::simd::Lane;
use crate::strategy::Plan;

const ONE: &str = "[market]\nrate = 0.05\ndividend = 0.02\nmodel = \"gbm\"\nvolatility = 0.25\n";
const HESTON: &str = "[market]\nrate = 0.05\nmodel = \"heston\"\nv0 = 0.05\nkappa = 2.0\ntheta = 0.04\nsigma = 0.5\nrho = -0.6\n";
const TWO: &str = "[market]\nrate = 0.03\ncorrelation = [[1.0, 0.4], [0.4, 1.0]]\n\
    [market.assets.a]\nmodel = \"gbm\"\nvolatility = 0.2\ndividend = 0.01\n\
    [market.assets.b]\nmodel = \"heston\"\nv0 = 0.05\nkappa = 2.0\ntheta = 0.04\nsigma = 0.5\nrho = -0.6\nspot = 95.0\n";

fn plan(market: &str, contract: &str) -> Plan {
    let text = format!(
        "{market}[contract]\n{contract}\nexpiry_days = 40\ndays_per_year = 252\nsteps = 20\n\
         [costs]\nproportional = 0.003\nhalf_spread = 0.01\n"
    );
    Plan::parse(&text, |_| {}).unwrap()
}

/// The parts of the P&L of `policy`'s positions, or of some that know nothing of the contract.
fn parts(
    plan: &Plan,
    paths: &Paths<f64>,
    policy: Option<ClassicalName>,
) -> (Vec<Attribution>, Book) {
    let positions: Vec<Lane<f64>> = match policy {
        Some(hedge) => {
            let policy = ClassicalPolicy::new(hedge, plan.assets(), plan.charges());
            policy.positions(&plan.contract, paths).unwrap()
        }
        None => {
            let size = paths.blocks() * plan.contract.steps * plan.instruments.len();
            let held = |i: usize| std::array::from_fn(|lane| (0.3 * (i + lane) as f64).sin());
            (0..size).map(held).collect()
        }
    };
    let premiums: Vec<f64> = (0..paths.count()).map(|i| 2.0 + 0.1 * i as f64).collect();
    let ledger = plan.ledger(&plan.market, 0.0);
    let mut book = Book::settle(&positions, &ledger, paths);
    book.receive(&ledger, &premiums);
    let drifts = vec![0.08; plan.assets().count()];
    let valuation = Valuation::new(&plan.contract, &plan.assets(), paths);
    let parts = valuation.attribute(&positions, &premiums, &book, (&ledger, paths), &drifts);
    (parts, book)
}

fn paths(plan: &Plan, count: usize) -> Paths<f64> {
    let simulator = plan.simulator(7, Purpose::Evaluation);
    simulator.paths_with::<f64>(&plan.quotes().unwrap(), 0, count)
}

/// The parts of contracts whose strike and expiry each path draws add up to the ledger's P&L, and who holds the delta of the contract
/// that the path has gets nothing from delta.
#[test]
fn parts_add_up_for_contracts_of_a_range() {
    for terms in [
        "strike = { moneyness = [0.9, 1.1] }",
        "type = \"down_and_out_call\"\nstrike = [98, 104]\nbarrier = [85, 95]",
    ] {
        let text = format!(
            "{ONE}[contract]\n{terms}\nexpiry_days = [10, 40]\ndays_per_year = 252\nsteps = 20\n\
             [costs]\nproportional = 0.003\n"
        );
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let paths = paths(&plan, 96);
        for policy in [None, Some(ClassicalName::BlackScholes)] {
            let (parts, book) = parts(&plan, &paths, policy);
            for (i, parts) in parts.iter().enumerate() {
                let rest = parts.total() - book.pnl[i];
                assert!(rest.abs() < 1e-9, "{terms}: {rest}");
                assert!(
                    policy.is_none() || parts.delta.abs() < 1e-9,
                    "{terms}: {parts:?}"
                );
            }
        }
    }
}

/// The sum of the parts is the ledger's P&L within 1e-9: of contracts with a closed form that end early or go on, depend on running
/// values, on one asset or two, under constant and moving variances; of calls beside a second asset; and of contracts that have no
/// price on every date, of whose P&L nothing is left.
#[test]
fn parts_add_up_whatever_is_sold() {
    for (market, contract, valued) in [
        (
            ONE,
            "type = \"down_and_out_call\"\nstrike = 100\nbarrier = 97",
            true,
        ),
        (
            ONE,
            "type = \"up_and_in_put\"\nstrike = 102\nbarrier = 103",
            true,
        ),
        (
            ONE,
            "type = \"digital_call\"\nstrike = 100\ncash = 10",
            true,
        ),
        (
            HESTON,
            "type = \"one_touch\"\nbarrier = 96\ncash = 10",
            true,
        ),
        (
            HESTON,
            "type = \"asian_call\"\naverage = \"geometric\"\nfixings = 4",
            true,
        ),
        (
            HESTON,
            "type = \"forward_start_call\"\nstart_days = 20",
            true,
        ),
        (TWO, "type = \"worst_of_call\"\nstrike = 95", true),
        (TWO, "type = \"exchange\"", true),
        (TWO, "type = \"call\"\nstrike = 100", true),
        (HESTON, "payoff = \"max(average(S) - 100, 0)\"", false),
        (TWO, "type = \"autocallable\"\non = \"every(5)\"", false),
    ] {
        let plan = plan(market, contract);
        let paths = paths(&plan, 70);
        let hedges = [
            None,
            Some(ClassicalName::Naked),
            Some(ClassicalName::BlackScholes),
        ];
        let hedges = hedges.into_iter().filter(|hedge| {
            !matches!(hedge, Some(ClassicalName::BlackScholes)) || plan.contract.has_delta()
        });
        for hedge in hedges {
            let (parts, book) = parts(&plan, &paths, hedge);
            for (i, (parts, pnl)) in parts.iter().zip(&book.pnl).enumerate() {
                assert!(
                    (parts.total() - pnl).abs() < 1e-9,
                    "{contract}, {hedge:?}, {i}: {parts:?} {pnl}"
                );
                assert_eq!(parts.costs, -book.cost[i]);
                let unvalued = [parts.payments, parts.hedge];
                assert_eq!(unvalued == [0.0; 2], valued, "{contract}: {parts:?}");
                if !valued {
                    let others = [parts.premium, parts.delta, parts.gamma, parts.unexplained];
                    assert_eq!(others, [0.0; 4]);
                }
            }
        }
    }
}

/// Over short periods a barrier option's delta, gamma and theta nearly explain its P&L until it ends, and nothing comes after: the
/// holder of its delta has no part delta, and paths on which it has ended have parts all the same.
#[test]
fn a_barrier_option_is_explained_until_it_ends() {
    let market = "[market]\nmodel = \"gbm\"\nvolatility = 0.25\n";
    let unexplained = |steps: usize| {
        let text = format!(
            "{market}[contract]\ntype = \"down_and_out_call\"\nstrike = 100\nbarrier = 92\nexpiry_days = 126\n\
             days_per_year = 252\nsteps = {steps}\n"
        );
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let paths = paths(&plan, 256);
        let (parts, _) = parts(&plan, &paths, Some(ClassicalName::BlackScholes));
        let block = |i: usize| paths.block(i / crate::simd::BLOCK);
        let ended = (0..256).filter(|i| {
            block(*i)
                .end()
                .is_some_and(|end| end[i % crate::simd::BLOCK] < steps as f64)
        });
        assert!(ended.count() > 40);
        for parts in &parts {
            assert!(parts.delta.abs() < 1e-9 && parts.vega == 0.0, "{parts:?}");
            assert!(parts.gamma != 0.0 && parts.theta != 0.0);
        }
        let squares: f64 = parts.iter().map(|parts| parts.unexplained.powi(2)).sum();
        (squares / parts.len() as f64).sqrt()
    };
    let (coarse, fine) = (unexplained(21), unexplained(252));
    assert!(fine < 0.6 * coarse, "{coarse} {fine}");
}

/// An exchange of two assets under constant variances: what delta, gamma and theta leave is the product of the two moves, whose sum
/// is that of ∂²V/∂S_a∂S_b dS_a dS_b, Euler's relation of a homogeneous price giving −S_a Γ_a/S_b for the cross derivative.
#[test]
fn what_is_left_of_an_exchange_is_its_cross_gamma() {
    let market = "[market]\ncorrelation = [[1.0, 0.4], [0.4, 1.0]]\n[market.assets.a]\nmodel = \"gbm\"\nvolatility = 0.2\n\
                  [market.assets.b]\nmodel = \"gbm\"\nvolatility = 0.3\n";
    let text = format!(
        "{market}[contract]\ntype = \"exchange\"\nexpiry_days = 126\ndays_per_year = 252\nsteps = 126\n"
    );
    let plan = Plan::parse(&text, |_| {}).unwrap();
    let paths = paths(&plan, 64);
    let (parts, _) = parts(&plan, &paths, Some(ClassicalName::BlackScholes));
    let formula = plan.contract.formula().unwrap();
    let carried = plan.assets().carried(126, plan.contract.dt());
    let (mut left, mut whole) = (0.0, 0.0);
    for (i, parts) in parts.iter().enumerate() {
        let [a, b] = [0, 1].map(|asset| paths.path_of(asset, i).0);
        let mut cross = 0.0;
        for t in 0..126 {
            let seen = |spot: f64, volatility: f64| crate::contract::SeenAsset {
                spot,
                dividend: 0.0,
                volatility,
            };
            let worth = formula.worth(&crate::contract::Seen {
                assets: &[seen(a[t], 0.2), seen(b[t], 0.3)],
                correlation: plan.assets().correlation().matrix(),
                rate: 0.0,
                carried: &carried,
                date: t,
                steps: 126,
                dt: plan.contract.dt(),
                state: &[],
            });
            cross += -a[t] * worth.gammas[0] / b[t] * (a[t + 1] - a[t]) * (b[t + 1] - b[t]);
        }
        left += (parts.unexplained + cross).powi(2);
        whole += parts.unexplained.powi(2);
    }
    assert!(left < 0.1 * whole, "{left} {whole}");
}

/// On one date of each path the value is that of all dates, whether it is asked for alone or not, and none is there at expiry.
#[test]
fn values_on_dates_are_those_of_all_dates() {
    use super::on_dates;
    for (model, contract) in [
        (
            "model = \"heston\"\nv0 = 0.04\nkappa = 2\ntheta = 0.05\nsigma = 0.4\nrho = -0.6",
            "type = \"straddle\"",
        ),
        (
            "model = \"gbm\"\nvolatility = 0.2",
            "type = \"down_and_out_call\"\nbarrier = 90",
        ),
    ] {
        let text = format!("[market]\n{model}\n[contract]\n{contract}\nexpiry_days = 6\n");
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let quotes = plan.quotes().unwrap();
        let paths = plan
            .simulator(5, Purpose::Evaluation)
            .paths_with::<f64>(&quotes, 0, 40);
        let assets = plan.assets();
        let all = Valuation::new(&plan.contract, &assets, &paths);
        let dates: Vec<usize> = (0..40).map(|path| path % 7).collect();
        let found = on_dates(&plan.contract, &assets, &paths, &dates);
        for (path, (&t, found)) in dates.iter().zip(found).enumerate() {
            let (Some(found), Some(expected)) = (found, all.at(path, t, vec![0.0])) else {
                assert_eq!(t, 6, "{contract}");
                continue;
            };
            for (found, expected) in [
                (found.price, expected.price),
                (found.deltas[0], expected.deltas[0]),
                (found.gammas[0], expected.gammas[0]),
                (found.theta, expected.theta),
            ] {
                assert!(
                    (found - expected).abs() < 1e-6 * (1.0 + expected.abs()),
                    "{found} {expected}"
                );
            }
        }
    }
}

/// A vega is what the value moves by as the root of today's variance does, of calls and puts, of a closed form, of a contract of a family
/// and of one on several assets, of each asset its own.
#[test]
fn vegas_are_differences_in_volatility() {
    use super::{Valued, on_dates};
    const CHANGE: f64 = 1e-3;
    for (market, contract) in [
        (HESTON, "type = \"straddle\""),
        (ONE, "type = \"down_and_out_call\"\nbarrier = 90"),
        (ONE, "strike = [95, 105]"),
        (TWO, "type = \"worst_of_call\""),
    ] {
        let text = format!("{market}[contract]\n{contract}\nexpiry_days = 20\nsteps = 4\n");
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let (assets, count) = (plan.assets(), plan.assets().count());
        let quotes = plan.quotes().unwrap();
        let of_plan = plan
            .simulator(5, Purpose::Evaluation)
            .paths_with::<f64>(&quotes, 0, 8);
        // All variances of an asset moved alike.
        let moved = |by: &[f64]| {
            let rows: Vec<Vec<(Vec<f64>, Vec<f64>)>> = (0..8)
                .map(|path| {
                    let block = of_plan.block(0);
                    let asset = |asset: usize| {
                        let root = |v: &Lane<f64>| (v[path].sqrt() + by[asset]).powi(2);
                        let spots = block.spot_of(asset).iter().map(|s| s[path]);
                        let variances = block.variance_of(asset).iter().map(root);
                        (spots.collect(), variances.collect())
                    };
                    (0..count).map(asset).collect()
                })
                .collect();
            let rows = rows.iter().map(|assets| {
                let columns = assets.iter();
                columns.map(|(s, v)| (s.as_slice(), v.as_slice())).collect()
            });
            let mut paths = Paths::from_assets(count, 4, rows);
            if let Some(family) = plan.contract.family() {
                paths = paths.drawing(family, |path| path);
            }
            quotes.onto(paths)
        };
        let values = |by: &[f64]| on_dates(&plan.contract, &assets, &moved(by), &[1; 8]);
        let here = values(&vec![0.0; count]);
        for asset in 0..count {
            let at = |change: f64| {
                let mut by = vec![0.0; count];
                by[asset] = change;
                values(&by)
            };
            let (up, down) = (at(CHANGE), at(-CHANGE));
            for (here, (up, down)) in here.iter().zip(up.iter().zip(&down)) {
                let price = |of: &Option<Valued>| of.as_ref().unwrap().price;
                let expected = (price(up) - price(down)) / (2.0 * CHANGE);
                let found = here.as_ref().unwrap().vegas[asset];
                let gap = (found - expected).abs();
                assert!(
                    gap < 2e-3 * (1.0 + expected.abs()),
                    "{contract}: {found} {expected}"
                );
            }
            let all = here.iter().flatten().map(|one| one.vegas[asset].abs());
            assert!(all.fold(0.0, f64::max) > 1.0, "{contract}");
        }
    }
}
