//! Walk-forwards on implied-volatility surfaces: the shipped recipe on the made-up surfaces.

use super::*;
use crate::market::history::fixture::Scratch;
use crate::runs::store;
use crate::strategy::Strategy;

const SURFACES: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/market_data/synthetic_surface.csv"
));
const RECIPE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/strategies/sp500_surface/1_atm_calls.toml"
));

/// Rows from this one on are the future.
const NOW: usize = 450;

fn field(row: &str, column: usize) -> f64 {
    row.split(',').nth(column).unwrap().parse().unwrap()
}

/// The made-up surfaces, of which returns and surfaces from [`NOW`] on come the other way round.
fn with_another_future() -> String {
    let rows: Vec<&str> = SURFACES.lines().skip(1).collect();
    let mut text = vec!["date,close,rate,level,slope,moneyness,smile,smirk".to_owned()];
    text.extend(rows[..NOW].iter().map(|row| (*row).to_owned()));
    let mut close = field(rows[NOW - 1], 1);
    for (place, row) in rows[NOW..].iter().enumerate() {
        let taken = rows.len() - 1 - place;
        close *= field(rows[taken], 1) / field(rows[taken - 1], 1);
        let surface = rows[taken].splitn(3, ',').nth(2).unwrap();
        let date = row.split(',').next().unwrap();
        text.push(format!("{date},{close:.6},{surface}"));
    }
    text.join("\n") + "\n"
}

/// The classical hedges of the test: of every kind that knows of the past, one.
const HEDGES: &str = r#"
[evaluation]
hedges = [
    "naked",
    "smile_delta",
    "hull_white",
    { centre = "scaled_delta", rule = "constant_band" },
    { centre = "static_vega", rule = "whalley_wilmott" },
]
"#;

/// The recipe's walk through these surfaces, trained on paths of a model.
fn walked(name: &str, model: &str, surfaces: &str) -> (Results, Vec<Trade>, Vec<Vec<u8>>) {
    let scratch = Scratch::new(name);
    let file = scratch.0.join("surfaces.csv");
    std::fs::write(&file, surfaces).unwrap();
    let change = |strategy: &mut Strategy| {
        let backtest = strategy.backtest.as_mut().unwrap();
        backtest.surface = Some(file.display().to_string());
        backtest.start = Some("2011-01-03".into());
        strategy.training.steps = 8;
        strategy.training.paths = 256;
        let walk = strategy.walk_forward.as_mut().unwrap();
        walk.months = 4;
        walk.test_from = Some("2011-06-01".into());
        walk.seeds = 2;
    };
    let recipe = RECIPE.replace("\"surface_bootstrap\"", &format!("{model:?}"));
    let plan = Plan::parse(&format!("{recipe}{HEDGES}"), change).unwrap();
    let (settings, walk) = (plan.backtest.clone().unwrap(), plan.walk_forward.unwrap());
    let folder = store::create(&scratch.0, name).unwrap();
    let finished = run(&plan, &settings, walk, &folder, &mut |_| Ok(())).unwrap();
    let CarriedOut::Results(Finished { results, .. }) = finished else {
        panic!("a run without shards has results");
    };
    let trades = trades::read(&folder.path().join("trades.parquet")).unwrap();
    let policy = |window: usize| {
        let name = format!("windows/{window:02}/policies/kfac-1.safetensors");
        folder.read_bytes(&name).unwrap().unwrap()
    };
    let policies = (0..results.windows.len()).map(policy).collect();
    (results, trades, policies)
}

/// What happens to closes and surfaces from a day on changes no bit of what is tuned, trained and earned before: not the policies of
/// windows that begin to sell by then, and not the books of contracts that have expired.
#[test]
fn the_future_of_closes_and_surfaces_changes_nothing_before() {
    let now = SURFACES
        .lines()
        .nth(NOW + 1)
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    for model in ["surface_bootstrap", "surface"] {
        changes_nothing_before(model, now);
    }
}

fn changes_nothing_before(model: &str, now: &str) {
    let (results, trades, policies) = walked("surfaces-future", model, SURFACES);
    let other = with_another_future();
    let (other, others, changed) = walked("surfaces-other-future", model, &other);
    let past = results
        .windows
        .iter()
        .filter(|one| one.calibrated_to.as_str() < now);
    let past = past.count();
    assert!(past >= 2 && past < results.windows.len());
    assert_eq!(policies[..past], changed[..past]);
    assert_ne!(policies[past..], changed[past..]);
    for (a, b) in results.windows.iter().zip(&other.windows).take(past) {
        assert_eq!((&a.hedges, &a.estimates), (&b.hedges, &b.estimates));
        // The dynamics that returns and factors are simulated by are told.
        assert_eq!(a.estimates.contains_key("parameters"), model == "surface");
    }
    let expired = |trades: &[Trade]| -> Vec<Trade> {
        let of = trades
            .iter()
            .filter(|one| one.expiry.to_string().as_str() < now);
        of.cloned().collect()
    };
    let (before, same) = (expired(&trades), expired(&others));
    assert!(before.len() > 100 && before.len() < trades.len());
    for (a, b) in before.iter().zip(&same) {
        assert_eq!((a.pnl, a.cost, a.premium), (b.pnl, b.cost, b.premium));
    }
    // The ensemble has a row of its own.
    assert!(trades.iter().any(|one| one.strategy == "kfac ensemble"));
}
