use crate::error::Error;
use crate::market::history::fixture::Scratch;
use crate::market::past_surfaces::tests::synthetic;
use crate::market::{Model, Paths};
use crate::network::Feature;
use crate::random::Purpose;
use crate::strategy::Plan;
use std::fmt::Write;
use std::path::PathBuf;

/// A file of so many synthetic days, in a folder of this name, from 2001-01-01 on, on weekdays.
fn file(name: &str, days: usize) -> (Scratch, PathBuf) {
    let folder = Scratch::new(&format!("past-{name}"));
    let path = folder.0.join("surfaces.csv");
    let (closes, surfaces) = synthetic(days, 3);
    let mut text = String::from("date,close,level,slope,moneyness,smile,smirk\n");
    let first = chrono::NaiveDate::from_ymd_opt(2001, 1, 1).unwrap();
    let dates = first.iter_days().filter(|day| {
        use chrono::Datelike;
        day.weekday().num_days_from_monday() < 5
    });
    for ((date, close), surface) in dates.zip(closes).zip(surfaces) {
        let factors = surface.to_array().map(|factor| factor.to_string());
        writeln!(text, "{date},{close},{}", factors.join(",")).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn plan(file: &std::path::Path, model: &str, more: &str) -> Result<Plan, Error> {
    let text = format!(
        "market = {{ model = \"{model}\", surface = \"{}\" }}\n\
         evaluation.paths = 4096\n{more}",
        file.display()
    );
    Plan::parse(&text, |_| {})
}

const MONTH: &str =
    "contract = { type = \"call\", expiry_days = 21, days_per_year = 252, steps = 21 }\n";

/// Each path is sold at its own surface: without costs the P&L of no hedge is premium less payoff, with the premium of the surface of its first
/// date; and the mean premium is the mean of these, within four standard errors.
#[test]
fn every_path_is_sold_at_its_surface() {
    let (_folder, file) = file("sold", 600);
    for model in ["surface_bootstrap", "surface"] {
        let plan = plan(&file, model, MONTH).unwrap();
        let simulator = plan.simulator(1, Purpose::Evaluation);
        let paths: Paths<f64> = simulator.paths_with(&plan.quotes().unwrap(), 0, 4096);
        let ledger = plan.ledger_of_sale();
        let mut premiums = Vec::new();
        for block in (0..paths.blocks()).map(|block| paths.block(block)) {
            let still = vec![[0.0; crate::simd::BLOCK]; block.steps()];
            let pnl = ledger.settle(&block, &still).pnl;
            for lane in 0..crate::simd::BLOCK {
                let state = block.state_of(0, 0, lane);
                let surface = state.surface.unwrap();
                let moneyness = (state.spot / plan.contract.strike).ln();
                let sigma = surface.volatility(moneyness, plan.contract.expiry);
                let leg = plan.contract.legs().unwrap()[0];
                let option = plan.market.black_scholes(leg, plan.contract.expiry, sigma);
                let payoff = (block.spot[21][lane] - plan.contract.strike).max(0.0);
                assert!((pnl[lane] - (option.price() - payoff)).abs() < 1e-10);
                premiums.push(option.price());
            }
        }
        let n = premiums.len() as f64;
        let mean = premiums.iter().sum::<f64>() / n;
        let square: f64 = premiums.iter().map(|p| (p - mean).powi(2)).sum();
        let error = square.sqrt() / n;
        assert!(
            (plan.model_premium() - mean).abs() < 6.0 * error,
            "{model}: {mean} ± {error}"
        );
    }
}

/// A family of strikes and maturities is sold member by member at the surface of its path.
#[test]
fn strikes_and_maturities_are_drawn() {
    let (_folder, file) = file("terms", 400);
    let terms = "contract = { type = \"call\", strike = { moneyness = [0.95, 1.05] }, expiry_days = [10, 63], \
                 days_per_year = 252, steps = 63 }\n";
    let plan = plan(&file, "surface_bootstrap", terms).unwrap();
    let simulator = plan.simulator(1, Purpose::Evaluation);
    let paths: Paths<f64> = simulator.paths_with(&plan.quotes().unwrap(), 0, 64);
    let (block, ledger) = (paths.block(0), plan.ledger_of_sale());
    let member = block.drawn().unwrap().member;
    for lane in 0..crate::simd::BLOCK {
        let sold = plan.contract.of_path(Some(member[lane]));
        let surface = block.surface().unwrap().at(0, lane);
        let sigma = surface.volatility((100.0 / sold.strike).ln(), sold.expiry);
        let option = plan
            .market
            .black_scholes(sold.legs().unwrap()[0], sold.expiry, sigma);
        assert!(
            (ledger.premium(&block, lane) - option.price()).abs() < 1e-10,
            "{lane}"
        );
    }
}

/// The days that a strategy names are taken and no others; the resolved strategy is the same market.
#[test]
fn the_named_days_are_taken() {
    let (_folder, file) = file("days", 900);
    let until = |last: &str| {
        let text = format!(
            "market = {{ model = \"surface_bootstrap\", surface = \"{}\", surface_from = \"2001-01-02\", surface_to = \"{last}\" }}\n{MONTH}",
            file.display()
        );
        Plan::parse(&text, |_| {})
    };
    let paths = |plan: &Plan| plan.simulator(1, Purpose::Export).paths::<f64>(0, 64);
    let plan = until("2002-12-31").unwrap();
    assert_ne!(paths(&plan), paths(&until("2003-12-31").unwrap()));
    let resolved = Plan::parse(&plan.to_toml().unwrap(), |_| {}).unwrap();
    assert_eq!(paths(&plan), paths(&resolved));
    let said = until("2001-06-30").unwrap_err().to_string();
    assert!(said.contains("at least 252 days"), "{said}");
    let said = until("2002").unwrap_err().to_string();
    assert!(said.contains("market.surface_to"), "{said}");
}

/// What a market with surfaces has no meaning for is refused with its key.
#[test]
fn what_has_no_meaning_is_refused() {
    let (_folder, file) = file("refused", 400);
    for (more, key) in [
        ("training.sampling = \"antithetic\"\n", "training.sampling"),
        ("contract.type = \"asian_call\"\n", "contract.premium"),
        ("backtest.data = \"closes.csv\"\n", "backtest.surface"),
    ] {
        let said = plan(&file, "surface_bootstrap", more)
            .unwrap_err()
            .to_string();
        assert!(said.contains(key), "{more}: {said}");
    }
    let text = "market.model = \"surface\"\n";
    let said = Plan::parse(text, |_| {}).unwrap_err().to_string();
    assert!(said.contains("market.surface"), "{said}");
    assert!(plan(&file, "surface", "training.sampling = \"antithetic\"\n").is_ok());
}

/// Heston's variance as the implied one needs no past, and has a surface too.
#[test]
fn a_surface_of_heston_needs_no_past() {
    let plan = Plan::parse(
        "market = { model = \"surface_heston\", v0 = 0.04, kappa = 4.0, theta = 0.04, sigma = 0.6, rho = -0.7, \
         realised = 0.9, skew_years = 0.04 }\n",
        |_| {},
    )
    .unwrap();
    assert!(matches!(plan.market.model, Model::SurfaceHeston(_)));
    assert!(plan.sells_at_surfaces());
    assert!(!plan.features.list.contains(&Feature::Value));
    let paths = plan.simulator(1, Purpose::Export).paths::<f64>(0, 32);
    let surface = paths.block(0).surface().unwrap();
    // −ρσ √τ₀/(4 √v)
    assert!((surface.at(0, 3).moneyness - 0.7 * 0.6 * 0.2 / (4.0 * 0.2)).abs() < 1e-6);
}
