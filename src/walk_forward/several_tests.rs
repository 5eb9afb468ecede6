//! Windows of several assets.

use super::*;
use crate::market::history::fixture::{Scratch, closes, day};
use crate::runs::store;
use crate::runs::tables::read_parquet;
use std::path::{Path, PathBuf};

fn write(folder: &Path, name: &str, closes: &[f64]) -> PathBuf {
    let path = folder.join(name);
    let rows = closes.iter().enumerate();
    let rows: String = rows
        .map(|(number, close)| format!("{},{close}\n", day(number)))
        .collect();
    std::fs::write(&path, format!("Date,Close\n{rows}")).unwrap();
    path
}

fn plan(folder: &Path, days: usize, paths: &str) -> Plan {
    let first = &closes(900)[..days];
    let mut second = vec![40.0];
    for (t, pair) in first.windows(2).enumerate() {
        // The two move together in the first half, and against each other in the second.
        let side = if t < 450 { 0.8 } else { -0.8 };
        let own = 0.004 * (t as f64 * t as f64 * 0.77).cos();
        second.push(second[t] * (side * (pair[1] / pair[0]).ln() + own).exp());
    }
    let (a, b) = (
        write(folder, "a.csv", first),
        write(folder, "b.csv", &second),
    );
    let text = format!(
        "name = \"walk\"\n[market]\ncorrelation = [[1.0, 0.0], [0.0, 1.0]]\n[market.assets.a]\nmodel = \"gbm\"\n\
         volatility = 0.2\n[market.assets.b]\nmodel = \"gbm\"\nvolatility = 0.2\nspot = 80.0\n[contract]\n\
         type = \"exchange\"\nexpiry_days = 10\ndays_per_year = 365\n[policy]\nhidden = 4\n\
         instruments = [\"spot:a\", {{ spot = \"b\", proportional = 0.002 }}]\n[training]\nsteps = 3\npaths = 64\n\
         validation_paths = 0\n[optimizers.adam]\n[backtest]\ndata = {{ a = '{}', b = '{}' }}\nspacing = \"weekly\"\n\
         [walk_forward]\nyears = 0.8\nmonths = 6\npaths = \"{paths}\"\n",
        a.display(),
        b.display()
    );
    Plan::parse(&text, |_| {}).unwrap()
}

fn walk(plan: &Plan, folder: &RunFolder) -> Results {
    let (settings, walk) = (plan.backtest.clone().unwrap(), plan.walk_forward.unwrap());
    match run(plan, &settings, walk, folder, &mut |_| Ok(())).unwrap() {
        CarriedOut::Results(finished) => finished.results,
        CarriedOut::Shard(share) => panic!("{share}"),
    }
}

/// Every window has the correlation of its own returns, which changes its sign; the parts of each contract's P&L add up to it; costs
/// are those of the second asset alone; tables and columns call assets by their names; and what comes after a window changes
/// nothing in it.
#[test]
fn windows_of_two_assets_follow_one_another() {
    for paths in ["model", "bootstrap"] {
        let scratch = Scratch::new(&format!("walk-several-{paths}"));
        let plan = plan(&scratch.0, 900, paths);
        let folder = store::create(&scratch.0, "walk").unwrap();
        let results = walk(&plan, &folder);
        let correlations: Vec<f64> = results
            .windows
            .iter()
            .map(|window| window.assets[1].correlation[0].1)
            .collect();
        assert!(correlations.len() >= 3);
        assert!(
            correlations[0] > 0.5 && correlations[correlations.len() - 1] < -0.3,
            "{correlations:?}"
        );
        let trades = trades::read(&folder.path().join("trades.parquet")).unwrap();
        for trade in &trades {
            let parts = trade.attribution;
            assert!((parts.total() - trade.pnl).abs() < 1e-9, "{trade:?}");
            assert_eq!((parts.payments, parts.hedge), (0.0, 0.0));
        }
        let frame = read_parquet(&folder.path().join("windows/00/positions.parquet")).unwrap();
        let column = |name: &str| frame.column(name).unwrap().f64().unwrap().clone();
        let (spot, held) = (column("spot_b"), column("position_spot_b"));
        assert!((spot.get(0).unwrap() - 80.0).abs() < 1e-9);
        let steps = plan.contract.steps;
        for (number, trade) in trades.iter().filter(|trade| trade.window == 0).enumerate() {
            let (mut before, mut traded) = (0.0, 0.0);
            for row in number * (steps + 1)..(number + 1) * (steps + 1) {
                let units = held.get(row).unwrap();
                traded += spot.get(row).unwrap() * (units - before).abs();
                before = units;
            }
            // All is sold at the last close, and nothing else is charged.
            let rest = trade.cost / 0.002 - traded;
            assert!(
                before == 0.0 && rest.abs() <= 1e-9 * traded + 1e-9,
                "{trade:?}: {rest}"
            );
        }
        let page = folder.read_bytes("walk_forward.md").unwrap().unwrap();
        let page = String::from_utf8(page).unwrap();
        for words in [
            "## Windows: a",
            "## Windows: b",
            "correlation with a",
            "the spot of b at costs of 0.2 %",
        ] {
            assert!(page.contains(words), "{words}");
        }

        let early = Scratch::new(&format!("walk-several-early-{paths}"));
        let shorter = self::plan(&early.0, 560, paths);
        let folder = store::create(&early.0, "walk").unwrap();
        let before = walk(&shorter, &folder);
        let first = |results: &Results| results.windows[0].assets.clone();
        assert_eq!(first(&before), first(&results));
        let early = trades::read(&folder.path().join("trades.parquet")).unwrap();
        let same = early.iter().filter(|trade| trade.window == 0);
        for (a, b) in same.zip(trades.iter().filter(|trade| trade.window == 0)) {
            assert_eq!((a.sold, &a.strategy), (b.sold, &b.strategy));
            assert!((a.pnl - b.pnl).abs() < 1e-9);
        }
    }
}
