//! Windows see nothing of the future, and a run that was interrupted ends like one that was not.

use super::*;
use crate::hedging::ClassicalName;
use crate::market::history::fixture::{Scratch, closes, day, write};
use crate::report::tear_sheet::{TearSheet, worst_contracts};
use crate::runs::store;
use crate::runs::tables::read_parquet;
use crate::strategy::{HedgeSection, Parameterisation, VarianceRule};
use std::path::Path;

fn plan(folder: &Path, closes: &[f64], model: &str, terms: &str, more: &str) -> Plan {
    let data = write(folder, closes);
    let text = format!(
        "name = \"walk\"\n[market]\n{model}\n[contract]\n{terms}expiry_days = 10\ndays_per_year = 365\n[costs]\n\
         proportional = 0.001\n[policy]\nhidden = 4\n[training]\nsteps = 6\npaths = 128\nvalidation_paths = 0\n\
         [evaluation]\nhedges = [\"naked\", \"minimum_variance\", \"whalley_wilmott\"]\n[optimizers.adam]\n\
         [backtest]\ndata = '{}'\nspacing = \"weekly\"\n[walk_forward]\nyears = 1.0\nmonths = 4\n{more}",
        data.display()
    );
    Plan::parse(&text, |_| {}).unwrap()
}

const HESTON: &str = "model = \"heston\"\nv0 = 0.04\nkappa = 2.0\ntheta = 0.04\nsigma = 0.3\nrho = -0.5\nrate = 0.02";
const GBM: &str = "model = \"gbm\"\nvolatility = 0.2";
const MERTON: &str = "model = \"merton\"\nvolatility = 0.2\njump_intensity = 20\nlog_jump_mean = 0.0\nlog_jump_std = 0.02";

fn walk(plan: &Plan, folder: &RunFolder) -> Results {
    let (settings, walk) = (plan.backtest.clone().unwrap(), plan.walk_forward.unwrap());
    match run(plan, &settings, walk, folder, &mut |_| Ok(())).unwrap() {
        CarriedOut::Results(finished) => finished.results,
        CarriedOut::Shard(share) => panic!("{share}"),
    }
}

fn all_trades(folder: &RunFolder) -> Vec<Trade> {
    trades::read(&folder.path().join("trades.parquet")).unwrap()
}

/// Each window is calibrated on the year before its first sale and no contract is sold twice; parts of the P&L add up
/// to it in the file that was written, within 1e-9; the pages name every strategy.
#[test]
fn windows_follow_one_another() {
    let scratch = Scratch::new("walk-follow");
    let plan = plan(&scratch.0, &closes(900), HESTON, "", "seeds = 2\n");
    let folder = store::create(&scratch.0, "walk").unwrap();
    let results = walk(&plan, &folder);
    assert!(results.windows.len() >= 4, "{}", results.windows.len());
    for window in &results.windows {
        assert!(window.calibrated_to < window.first_sale && window.first_sale <= window.last_sale);
    }
    for pair in results.windows.windows(2) {
        assert!(pair[0].last_sale < pair[1].first_sale);
    }
    let trades = all_trades(&folder);
    let contracts: usize = results.windows.iter().map(|window| window.contracts).sum();
    // Two seeds of the network and three hedges.
    assert_eq!(trades.len(), 5 * contracts);
    for trade in &trades {
        assert!(
            (trade.attribution.total() - trade.pnl).abs() < 1e-9,
            "{trade:?}"
        );
    }
    for strategy in &results.strategies {
        let sum: f64 = strategy
            .breakdown
            .attribution
            .iter()
            .map(|(_, value)| value)
            .sum();
        assert!((sum - strategy.mean.value).abs() < 1e-9);
        assert!(strategy.cvar.interval.low <= strategy.cvar.value);
    }
    let frame = read_parquet(&folder.path().join("windows/01/positions.parquet")).unwrap();
    let column = |name: &str| frame.column(name).unwrap().f64().unwrap().clone();
    let (spot, held) = (column("spot"), column("position_spot"));
    let steps = plan.contract.steps;
    assert_eq!(
        frame.height(),
        5 * (steps + 1) * results.windows[1].contracts
    );
    // What was traded at every close, at the last of which all is sold, was paid for, in money of the expiry.
    let window = trades.iter().filter(|trade| trade.window == 1);
    for (number, trade) in window.enumerate() {
        let (mut before, mut traded) = (0.0, 0.0);
        for row in number * (steps + 1)..(number + 1) * (steps + 1) {
            let units = held.get(row).unwrap();
            traded += spot.get(row).unwrap() * (units - before).abs();
            before = units;
        }
        assert_eq!(before, 0.0);
        let rest = trade.cost / 0.001 - traded;
        assert!(
            (-1e-6..0.001 * traded + 1e-6).contains(&rest),
            "{trade:?}: {rest}"
        );
    }
    for year in &results.years {
        for (of, (strategy, pnl)) in year.statistics.iter().zip(&year.pnl) {
            assert_eq!(of.strategy, *strategy);
            assert!((of.mean * year.contracts as f64 - pnl).abs() < 1e-9);
        }
        assert_eq!(year.statistics[1].cost, 0.0);
    }
    assert_tear_sheet(&folder, &results);
    let kappa = |window: &crate::runs::walk_forward::Window| {
        window.precision.standard_errors.get("kappa")?.as_f64()
    };
    assert!(
        results
            .windows
            .iter()
            .all(|w| kappa(w).is_none_or(|error| error > 0.0))
    );
    assert!(results.windows.iter().all(|w| w.feller.is_some()));
    // The mean over both seeds, and the deviation between two: |a − b|/√2.
    let means = [1, 2].map(|seed| {
        let own = trades.iter().filter(|trade| trade.seed == Some(seed));
        own.map(|trade| trade.pnl).sum::<f64>() / contracts as f64
    });
    let adam = &results.strategies[0];
    let between = adam.between_seeds.unwrap().mean;
    assert_eq!((adam.breakdown.strategy.as_str(), adam.seeds), ("adam", 2));
    assert!((adam.mean.value - 0.5 * (means[0] + means[1])).abs() < 1e-12);
    assert!((between - (means[0] - means[1]).abs() / 2f64.sqrt()).abs() < 1e-12 && between > 0.0);
    // One strategy under test, three others, three statistics.
    assert_eq!(results.tests.len(), 9);
    assert!(results.tests.iter().all(|test| test.corrected >= test.p));
    let page = folder.read_bytes("walk_forward.md").unwrap().unwrap();
    let page = String::from_utf8(page).unwrap();
    for name in ["adam", "naked", "minimum_variance", "whalley_wilmott"] {
        assert!(page.contains(&format!("| {name} |")), "{name}");
    }
    let report = folder.read_bytes("report.html").unwrap().unwrap();
    let report = String::from_utf8(report).unwrap();
    for caption in [
        "Walk-forward",
        "Where the P&amp;L comes from",
        "Drawdown net of mean cost",
        "Worst contracts",
        "Windows",
    ] {
        assert!(report.contains(caption), "{caption}");
    }
}

/// Whether two trades are the same but for rounding: the nodes of a quadrature are laid out for all contracts of a window
/// at once.
fn close(a: &Trade, b: &Trade) -> bool {
    let numbers = |t: &Trade| {
        let mut numbers = vec![t.premium, t.pnl, t.cost, t.turnover, t.attribution.drift];
        numbers.extend(t.attribution.parts().map(|(_, value)| value));
        numbers
    };
    let key = |t: &Trade| (t.strategy.clone(), t.seed, t.window, t.sold, t.expiry);
    let near = |(x, y): (f64, f64)| (x - y).abs() < 1e-9;
    key(a) == key(b) && numbers(a).into_iter().zip(numbers(b)).all(near)
}

/// Reversing and scaling the closes after the last day of a window's contracts changes neither the window nor any
/// window before it, on paths of the model or bootstrapped ones; and it does change what comes after.
#[test]
fn the_future_does_not_change_the_past() {
    for (name, model, terms, more) in [
        ("model", HESTON, "", ""),
        (
            "bootstrap",
            HESTON,
            "type = \"put\"\nstrike = { delta = 0.25 }\n",
            "paths = \"bootstrap\"\nblock = 5.0\n",
        ),
        ("gbm", GBM, "", "paths = \"bootstrap\"\n"),
        (
            "merton",
            MERTON,
            "type = \"straddle\"\nstrike = { delta = 0.5 }\n",
            "",
        ),
    ] {
        let scratch = Scratch::new(&format!("walk-future-{name}"));
        let known = 600;
        let mut changed = closes(900);
        changed[known..].reverse();
        changed[known..].iter_mut().for_each(|c| *c *= 1.1);
        let trades = [closes(900), changed].map(|closes| {
            let plan = plan(&scratch.0, &closes, model, terms, more);
            let folder = store::create(&scratch.0, "walk").unwrap();
            walk(&plan, &folder);
            all_trades(&folder)
        });
        let last = day(known - 1);
        let past = |trades: &[Trade]| -> Vec<Trade> {
            trades
                .iter()
                .filter(|trade| trade.expiry <= last)
                .cloned()
                .collect()
        };
        assert!(past(&trades[0]).len() > 50);
        for (before, after) in past(&trades[0]).iter().zip(past(&trades[1])) {
            assert!(close(before, &after), "{name}: {before:?} {after:?}");
        }
        assert_eq!(past(&trades[0]).len(), past(&trades[1]).len());
        assert_ne!(trades[0], trades[1]);
    }
}

/// Without the last two windows and everything of the whole, as a run leaves them that was killed, the same run goes on
/// to the same bits, warm start included.
#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    let scratch = Scratch::new("walk-resume");
    let plan = plan(&scratch.0, &closes(900), HESTON, "", "");
    let folder = store::create(&scratch.0, "walk").unwrap();
    let results = walk(&plan, &folder);
    let trades = all_trades(&folder);
    let count = results.windows.len();
    for number in [count - 2, count - 1] {
        let window = folder.path().join(format!("windows/{number:02}"));
        std::fs::remove_dir_all(window).unwrap();
    }
    // A window whose last file is missing was not finished.
    std::fs::remove_file(
        folder
            .path()
            .join(format!("windows/{:02}/window.json", count - 3)),
    )
    .unwrap();
    std::fs::remove_file(folder.path().join("metrics.json")).unwrap();
    let again = walk(&plan, &folder);
    assert_eq!(trades, all_trades(&folder));
    assert_eq!(results.strategies, again.strategies);
    assert_eq!(results.tests, again.tests);
}

/// A straddle sold on history and hedged with spot and the call of its strike: the parts add up, each window's policy has
/// two positions, and delta–vega, which holds two calls and sells a share, leaves nothing but premium and costs.
#[test]
fn options_hedge_what_is_sold_on_history() {
    let scratch = Scratch::new("walk-options");
    let text = plan(
        &scratch.0,
        &closes(520),
        HESTON,
        "type = \"straddle\"\n",
        "",
    )
    .to_toml()
    .unwrap();
    let plan = Plan::parse(&text, |strategy| {
        let call: toml::Table = toml::from_str(
            "type = \"call\"\nstrike = { moneyness = 1.0 }\nproportional = 0.0\nhalf_spread = 0.03",
        )
        .unwrap();
        let call = toml::Value::Table(call).try_into().unwrap();
        strategy.policy.instruments.push(call);
        strategy.evaluation.hedges = Some(
            [ClassicalName::BlackScholes, ClassicalName::DeltaVega]
                .map(HedgeSection::Named)
                .to_vec(),
        );
    })
    .unwrap();
    let folder = store::create(&scratch.0, "walk").unwrap();
    walk(&plan, &folder);
    let mut seen = 0;
    for trade in all_trades(&folder) {
        let parts = trade.attribution;
        assert!((parts.total() - trade.pnl).abs() < 1e-9, "{trade:?}");
        if trade.strategy == "delta_vega" {
            seen += 1;
            // The share is sold and bought back, the calls are bought and settled.
            assert!(trade.cost > 2.0 * 0.03 && trade.cost < 0.5, "{trade:?}");
            // Prices of the call are interpolated, that of the straddle is not.
            assert!((trade.pnl + trade.cost).abs() < 0.02, "{trade:?}");
        }
    }
    assert!(seen > 0);
}

/// The page says what was traded, at what costs and premium, and where the variance came from.
#[test]
fn the_page_says_what_was_done() {
    let scratch = Scratch::new("walk-page");
    for (model, terms, chosen, expected) in [
        (
            HESTON,
            "",
            (Parameterisation::History, VarianceRule::Model),
            [
                "at a rate of 2 % and a dividend yield of 0 %, hedged daily with the spot at costs of 0.1 % of the value",
                "give the model's parameters",
                "at the variance of the day; that variance is filtered by the model",
            ],
        ),
        (
            GBM,
            "premium = 3.0\n",
            (Parameterisation::Strategy, VarianceRule::Realised),
            [
                "without interest and dividends",
                "the model has the strategy's parameters",
                "The premium is 3; that variance is the realised one of 21 days",
            ],
        ),
    ] {
        let text = plan(&scratch.0, &closes(600), model, terms, "")
            .to_toml()
            .unwrap();
        let plan = Plan::parse(&text, |strategy| {
            let backtest = strategy.backtest.as_mut().unwrap();
            (backtest.parameters, backtest.variance) = chosen;
        })
        .unwrap();
        let folder = store::create(&scratch.0, "walk").unwrap();
        walk(&plan, &folder);
        let page = folder.read_bytes("walk_forward.md").unwrap().unwrap();
        let page = String::from_utf8(page).unwrap();
        for words in expected {
            assert!(page.contains(words), "{words}: {page}");
        }
    }
}

/// The years of the tear sheet are those of the results, and the P&L of the worst contracts by day adds up to that of the trades.
fn assert_tear_sheet(folder: &RunFolder, results: &Results) {
    let (table, daily) = (folder.backtest().unwrap(), folder.daily().unwrap());
    let (metrics, table) = (folder.metrics().unwrap(), table.unwrap());
    let sheet = TearSheet::new(&metrics, Some(results), &table, daily.as_ref()).unwrap();
    for (year, period) in sheet.years().iter().zip(&results.years) {
        assert_eq!(
            (year.year.to_string(), year.contracts),
            (period.name.clone(), period.contracts)
        );
        for (ours, theirs) in year.strategies.iter().zip(&period.statistics) {
            assert_eq!(ours.strategy, theirs.strategy);
            for (ours, theirs) in [
                (ours.total, theirs.mean * period.contracts as f64),
                (ours.deviation, theirs.std),
                (ours.cvar, theirs.cvar),
                (ours.cost, theirs.cost),
            ] {
                assert!((ours - theirs).abs() < 1e-9 || ours.is_nan() && theirs.is_nan());
            }
        }
    }
    let worst = worst_contracts(&folder.worst_contracts().unwrap().unwrap());
    for of in results.breakdowns() {
        for (sold, expiry, pnl) in &of.worst {
            let contract = worst
                .iter()
                .find(|one| one.sold.to_string() == *sold)
                .unwrap();
            assert_eq!(contract.dates.last().unwrap().to_string(), *expiry);
            let mut strategies = contract.strategies.iter();
            let own = strategies.find(|one| one.strategy == of.strategy).unwrap();
            assert!(
                (own.pnl.last().unwrap() - pnl).abs() < 1e-9,
                "{sold}: {pnl}"
            );
            let (_, trades) = &own.trades[0];
            assert!(trades.iter().sum::<f64>().abs() < 1e-12);
        }
    }
}
