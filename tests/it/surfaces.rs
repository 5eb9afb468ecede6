//! Backtests on implied-volatility surfaces.

use super::*;
use deephedge::runs::store;
use serde_json::Value;

/// The made-up surfaces that the repository has.
const SYNTHETIC: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/market_data/synthetic_surface.csv"
);

/// What the reference calls a hedge, and what the strategies call it. Hull and White's delta is added here once it is fitted on contracts
/// that expired before the first sale, which the reference does.
const HEDGES: [(&str, &str, f64); 2] = [
    ("delta", "black_scholes", 1e-9),
    ("scaled", "scaled_delta_0.9", 1e-9),
];

/// The S&P 500's surfaces, which the repository may not have: in the folder that DEEPHEDGE_SURFACE_DATA names, or else in
/// `../shared/data`; none, and a line on standard error, where there is no such file.
fn real_surfaces() -> Option<PathBuf> {
    let folder = std::env::var_os("DEEPHEDGE_SURFACE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let file = folder.join("sp500_surface_factors.csv");
    if !file.is_file() {
        eprintln!(
            "skipped: {} is not there (DEEPHEDGE_SURFACE_DATA names its folder)",
            file.display()
        );
        return None;
    }
    Some(file)
}

/// Calls hedged on the S&P 500's surfaces as `tests/reference/backtest_surface.json` has it, which a separate program in numpy wrote.
#[test]
fn backtest_on_surfaces_equals_the_independent_reference() {
    let Some(surfaces) = real_surfaces() else {
        return;
    };
    let surfaces = surfaces.to_str().unwrap();
    let reference: Value =
        serde_json::from_str(include_str!("../reference/backtest_surface.json")).unwrap();
    let rows = reference["rows"].as_array().unwrap();
    for (index, rows) in rows.chunks(3).enumerate() {
        let name = format!("surface_{}", index + 1);
        let path = format!(
            "{}/tests/strategies/{name}.toml",
            env!("CARGO_MANIFEST_DIR")
        );
        let runs = strategy(&name, "").with_extension("runs");
        let document = document(&["backtest", &path, "--surface", surfaces], &runs, "2");
        let run = store::open(&runs, document["run"].as_str().unwrap());
        let books = run.unwrap().backtest().unwrap().unwrap().books;
        let mut met = 0;
        for row in rows {
            let hedge = row["hedge"].as_str().unwrap();
            let Some(&(_, name, within)) = HEDGES.iter().find(|(known, ..)| *known == hedge) else {
                continue;
            };
            let found = document["backtest"].as_array().unwrap().iter();
            let found = found.clone().find(|row| row["strategy"] == name).unwrap();
            let book = books.iter().find(|book| book.strategy == name).unwrap();
            assert_eq!(found["paths"], row["contracts"]);
            let cvar = |level: &str| (found["cvar"][level].as_f64(), row["cvar"][level].as_f64());
            let number = |key: &str| (found[key].as_f64(), row[key].as_f64());
            let pairs = [
                ("cvar 0.5", cvar("0.5")),
                ("cvar 0.95", cvar("0.95")),
                ("cvar 0.99", cvar("0.99")),
                (
                    "premium",
                    (found["premium"].as_f64(), row["premium_mean"].as_f64()),
                ),
                ("pnl_mean", number("pnl_mean")),
                ("pnl_std", number("pnl_std")),
                ("cost_mean", number("cost_mean")),
                (
                    "first_pnl",
                    (book.pnl.first().copied(), row["first_pnl"].as_f64()),
                ),
                (
                    "last_pnl",
                    (book.pnl.last().copied(), row["last_pnl"].as_f64()),
                ),
            ];
            for (key, (found, expected)) in pairs {
                let (found, expected) = (found.unwrap(), expected.unwrap());
                assert!(
                    (found - expected).abs() < within,
                    "{path}, {hedge}, {key}: {found} against {expected}"
                );
            }
            met += 1;
        }
        assert_eq!(met, HEDGES.len());
    }
}

/// A strategy on the made-up surfaces that sells a call a week and hedges it with the spot and a call of 42 days, whose half-spread depends on
/// its distance from the money.
fn synthetic() -> String {
    format!(
        "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 21\ndays_per_year = 252\n\
         [policy]\ninstruments = [\"spot\", {{ type = \"call\", strike = 100, expiry_days = 42, moneyness_spread = 0.02 }}]\n\
         [evaluation]\nhedges = [\"naked\", \"black_scholes\", \"delta_vega\"]\n\
         [backtest]\nsurface = '{SYNTHETIC}'\nstart = \"2011-01-03\"\nspacing = 5\n"
    )
}

/// A backtest on made-up surfaces has every part of the P&L, which add up to it, tables by day and the figure of the book, and says that nothing was
/// estimated; with the closes in a file of their own it is the same to the last bit.
#[test]
fn made_up_surfaces_are_backtested() {
    let path = strategy("surfaces", &synthetic());
    let runs = path.with_extension("runs");
    let found = document(&["backtest", path.to_str().unwrap()], &runs, "2");
    assert_eq!(found["backtest_market"]["source"], "surfaces");
    for (row, of) in found["backtest"]
        .as_array()
        .unwrap()
        .iter()
        .zip(found["backtest_breakdown"].as_array().unwrap())
    {
        let parts = of["attribution"].as_array().unwrap();
        let part = |name: &str| {
            let found = parts.iter().find(|part| part[0] == name);
            found.unwrap()[1].as_f64().unwrap()
        };
        let sum: f64 = parts.iter().map(|part| part[1].as_f64().unwrap()).sum();
        assert!(
            (sum - row["pnl_mean"].as_f64().unwrap()).abs() < 1e-9,
            "{of}"
        );
        assert!(part("gamma") < 0.0 && part("theta") > 0.0 && part("vega") == 0.0);
        assert!(part("level") != 0.0 && part("slope") != 0.0 && part("skew") != 0.0);
    }
    let run = store::open(&runs, found["run"].as_str().unwrap()).unwrap();
    let daily = run.daily().unwrap().unwrap();
    let backtest = run.backtest().unwrap().unwrap();
    for (book, contracts) in daily.books.iter().zip(&backtest.books) {
        let sums = [&book.pnl, &contracts.pnl].map(|pnl| pnl.iter().sum::<f64>());
        assert!(
            (sums[0] - sums[1]).abs() < 1e-9,
            "{}: {sums:?}",
            book.strategy
        );
        // 21 days between a sale and an expiry, one sale in five days.
        assert!(book.contracts.iter().all(|count| (1..=5).contains(count)));
    }
    assert!(run.path().join("figures/daily_pnl.svg").is_file());

    let closes: Vec<String> = std::fs::read_to_string(SYNTHETIC)
        .unwrap()
        .lines()
        .map(|line| line.split(',').take(2).collect::<Vec<_>>().join(","))
        .collect();
    let data = strategy("surfaces-closes", "").with_extension("csv");
    std::fs::write(&data, closes.join("\n")).unwrap();
    let arguments = [
        "backtest",
        path.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ];
    let again = document(&arguments, &runs, "1");
    assert_eq!(again["backtest"], found["backtest"]);
}

/// `data check` says what was understood of a file of surfaces, and refuses one in percent with the row, the value and the bound.
#[test]
fn files_of_surfaces_are_checked() {
    let output = deephedge(&["data", "check", SYNTHETIC], "1");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for words in [
        "600 days, 2010-01-04 to 2012-04-20; 0 weekdays without one",
        "surfaces of five factors; one-month volatility at the money: 0.1281 to 0.2562",
        "closing price from \"close\": 887.9 to 1133",
        "smirk from \"smirk\": ",
        "no defects",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let percent = strategy("surfaces-percent", "").with_extension("csv");
    let rows =
        "date,level,slope,moneyness,smile,smirk\n2020-01-02,20,0,0,0,0\n2020-01-03,0.2,0,0,0,0\n";
    std::fs::write(&percent, rows).unwrap();
    let output = deephedge(&["data", "check", percent.to_str().unwrap()], "1");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("row 1, column \"level\": one-month volatility at the money must be above 0 and at most 3, was 20.0000"),
        "{text}"
    );
}
