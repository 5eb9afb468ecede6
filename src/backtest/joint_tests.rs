use super::*;
use crate::backtest::{Contracts, Settled};
use crate::market::GbmParameters;
use crate::market::history::fixture::{Scratch, closes, day};
use std::path::{Path, PathBuf};

const DAYS: u32 = 500;

/// Closes of the days for which `on` is true.
fn write(folder: &Path, name: &str, closes: &[f64], on: impl Fn(usize) -> bool) -> PathBuf {
    let path = folder.join(name);
    let rows = closes.iter().enumerate().filter(|(number, _)| on(*number));
    let rows = rows.map(|(number, close)| format!("{},{close}\n", day(number)));
    std::fs::write(&path, format!("Date,Close\n{}", rows.collect::<String>())).unwrap();
    path
}

/// A second asset that moves by half of what the first does, and by something of its own.
fn second(first: &[f64]) -> Vec<f64> {
    let own = |t: f64| 0.006 * (t * t * 0.77).cos();
    let mut spot = 40.0;
    let mut closes = vec![spot];
    for (t, pair) in first.windows(2).enumerate() {
        spot *= (0.5 * (pair[1] / pair[0]).ln() + own(t as f64)).exp();
        closes.push(spot);
    }
    closes
}

fn plan(a: &Path, b: &Path, parameters: &str) -> Plan {
    let text = format!(
        "[market]\ncorrelation = [[1.0, -0.3], [-0.3, 1.0]]\n\
         [market.assets.b]\nmodel = \"gbm\"\nvolatility = 0.2\nspot = 10.0\n\
         [market.assets.a]\nmodel = \"gbm\"\nvolatility = 0.3\nspot = 200.0\ndividend = 0.01\n\
         [contract]\nexpiry_days = 10\ndays_per_year = 365\n\
         [backtest]\ndata = {{ a = '{}', b = '{}' }}\nstart = \"2000-12-01\"\nparameters = \"{parameters}\"\n",
        a.display(),
        b.display()
    );
    Plan::parse(&text, |_| {}).unwrap()
}

/// Days that one file lacks are left out of both, and the warnings count them; every contract begins at the strategy's spots and
/// moves as each asset's own closes did; parameters and correlation are those of the returns before the first sale.
#[test]
fn contracts_are_cut_from_the_days_that_all_assets_have() {
    let scratch = Scratch::new("joint-cut");
    let first = closes(DAYS);
    let other = second(&first);
    // The first asset of the file is the second here: files go by name.
    let b = write(&scratch.0, "b.csv", &first, |day| day % 50 != 7);
    let a = write(&scratch.0, "a.csv", &other, |day| day % 70 != 9);
    let plan = plan(&a, &b, "history");
    let settings = plan.backtest.as_ref().unwrap();
    let histories = load(&plan, settings).unwrap();
    let kept: Vec<usize> = (0..DAYS as usize)
        .filter(|day| day % 50 != 7 && day % 70 != 9)
        .collect();
    let dates: Vec<_> = kept.iter().map(|number| day(*number)).collect();
    for (history, closes) in histories.iter().zip([&first, &other]) {
        assert_eq!(history.dates, dates);
        for (number, close) in kept.iter().zip(&history.close) {
            assert!((closes[*number] / close - 1.0).abs() < 1e-12);
        }
    }
    let contracts = Contracts::cut(&plan, settings).unwrap();
    let text = contracts.warnings.join("\n");
    assert!(text.contains("b: 8 of 490 days are left out"), "{text}");
    assert!(text.contains("a: 10 of 492 days are left out"), "{text}");
    let group = &contracts.groups[0];
    for (i, closes) in group.closes.iter().enumerate() {
        for (asset, history) in histories.iter().enumerate() {
            let (spot, variance) = group.paths.path_of(asset, i);
            let start = plan.assets().market(asset).spot;
            let model = &contracts.assets.market(asset).model;
            for (t, close) in closes.iter().enumerate() {
                let moved = history.close[*close] / history.close[closes[0]];
                assert!((spot[t] / start - moved).abs() < 1e-12);
                assert!((variance[t] - model.initial_volatility().powi(2)).abs() < 1e-15);
            }
        }
    }
    let sale = histories[0].index_from(contracts.sold[0]);
    let returns = |history: &History| history.log_returns()[..sale - 1].to_vec();
    let (x, y) = (returns(&histories[0]), returns(&histories[1]));
    let n = x.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let covariance = |x: &[f64], y: &[f64]| {
        let products = x.iter().zip(y).map(|(a, b)| a * b);
        products.sum::<f64>() / n - mean(x) * mean(y)
    };
    let expected = covariance(&x, &y) / (covariance(&x, &x) * covariance(&y, &y)).sqrt();
    assert!(expected > 0.5, "{expected}");
    let found = contracts.assets.correlation().matrix()[0][1];
    assert!((found - expected).abs() < 1e-9, "{found}, {expected}");
}

/// With the strategy's parameters both models and the correlation are the strategy's.
#[test]
fn given_parameters_are_kept() {
    let scratch = Scratch::new("joint-given");
    let first = closes(DAYS);
    let b = write(&scratch.0, "b.csv", &first, |_| true);
    let a = write(&scratch.0, "a.csv", &second(&first), |_| true);
    let plan = plan(&a, &b, "strategy");
    let contracts = Contracts::cut(&plan, plan.backtest.as_ref().unwrap()).unwrap();
    assert_eq!(contracts.assets, plan.assets());
    let gbm = |volatility| GbmParameters { volatility }.into();
    assert_eq!(contracts.assets.market(1).model, gbm(0.3));
}

/// A share of the second asset, held through every contract, earns its moves with its own dividends, whatever the first does:
/// P&L = premium e^{rT} − payoff + Σ (S_{t+1} e^{qΔ} − S_t) less nothing where trading is free. The parts of the P&L add up.
#[test]
fn the_second_asset_is_settled_on_its_own_closes() {
    let scratch = Scratch::new("joint-settled");
    let first = closes(DAYS);
    let b = write(&scratch.0, "b.csv", &first, |_| true);
    let a = write(&scratch.0, "a.csv", &second(&first), |_| true);
    let plan = plan(&a, &b, "strategy");
    let contracts = Contracts::cut(&plan, plan.backtest.as_ref().unwrap()).unwrap();
    let positions: Vec<Vec<_>> = contracts
        .groups
        .iter()
        .map(|group| {
            let dates = group.paths.blocks() * group.paths.steps();
            let held = [[0.0; crate::simd::BLOCK], [1.0; crate::simd::BLOCK]];
            (0..dates).flat_map(|_| held).collect()
        })
        .collect();
    let Settled { book, parts, .. } = contracts.settle(&positions);
    for group in &contracts.groups {
        let reinvested = (0.01 * group.plan.contract.dt()).exp();
        for (place, &member) in group.members.iter().enumerate() {
            let (spot, _) = group.paths.path_of(1, place);
            let gains = spot.windows(2).map(|pair| pair[1] * reinvested - pair[0]);
            let payoff = group.paths.block(place / 32).payments()[0][place % 32];
            let expected = contracts.premiums[member] - payoff + gains.sum::<f64>();
            assert!((book.pnl[member] - expected).abs() < 1e-10);
            assert!((parts[member].total() - book.pnl[member]).abs() < 1e-10);
        }
    }
}

/// Assets without a common day are refused.
#[test]
fn assets_need_common_days() {
    let scratch = Scratch::new("joint-apart");
    let first = closes(DAYS);
    let b = write(&scratch.0, "b.csv", &first, |day| day < 100);
    let a = write(&scratch.0, "a.csv", &second(&first), |day| day >= 100);
    let plan = plan(&a, &b, "strategy");
    let error = Contracts::cut(&plan, plan.backtest.as_ref().unwrap()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(
        error
            .to_string()
            .contains("needs at least 2 days that all assets have, has 0")
    );
}
