use super::*;
use chrono::Datelike;

/// Black–Scholes delta on real history: the three settings of `tests/reference/backtest_sp500.json`, which a
/// separate program in numpy wrote, every figure within 1e-9.
#[test]
fn backtest_equals_the_independent_reference() {
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../reference/backtest_sp500.json")).unwrap();
    for (index, row) in reference["rows"].as_array().unwrap().iter().enumerate() {
        let path = format!(
            "{}/tests/strategies/backtest_{}.toml",
            env!("CARGO_MANIFEST_DIR"),
            index + 1
        );
        let runs = strategy("reference", "").with_extension("runs");
        let document = document(&["backtest", &path, "--data", HISTORY], &runs, "2");
        let found = &document["backtest"][0];
        assert_eq!(found["paths"], row["contracts"]);
        let mut pairs = vec![("cvar 0.5", &found["cvar"]["0.5"], &row["cvar"]["0.5"])];
        pairs.push(("cvar 0.95", &found["cvar"]["0.95"], &row["cvar"]["0.95"]));
        pairs.push(("cvar 0.99", &found["cvar"]["0.99"], &row["cvar"]["0.99"]));
        for key in ["premium", "pnl_mean", "pnl_std", "cost_mean"] {
            pairs.push((key, &found[key], &row[key]));
        }
        for (key, found, expected) in pairs {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!(
                (found - expected).abs() < 1e-9,
                "row {index}, {key}: {found} against {expected}"
            );
        }
    }
}

/// Every form of contract, sold on every kind of schedule, is hedged on history; what the schedule sells between two dates
/// is as many contracts as it says.
#[test]
fn every_contract_is_sold_on_every_schedule() {
    for (spacing, least, most) in [("daily", 240, 260), ("weekly", 51, 54), ("monthly", 12, 12)] {
        for terms in [
            "type = \"call\"\nstrike = { delta = 0.25 }",
            "type = \"put\"\nstrike = { moneyness = 0.97 }",
            "type = \"straddle\"",
            "type = \"strangle\"\nstrike = 97\nupper_strike = { moneyness = 1.03 }",
            "type = \"call_spread\"\nupper_strike = 104",
            "type = \"put_spread\"\nstrike = 96.0\nupper_strike = 100",
        ] {
            let text = SMALL.replace("[contract]", &format!("[contract]\n{terms}"))
                + &format!(
                    "[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\nend = \"2010-12-31\"\n\
                     spacing = \"{spacing}\"\n"
                );
            let path = strategy("schedules", &text);
            let runs = path.with_extension("runs");
            let found = document(&["backtest", path.to_str().unwrap()], &runs, "2");
            let contracts = found["backtest_market"]["contracts"].as_u64().unwrap();
            assert!(
                (least..=most).contains(&contracts),
                "{spacing}: {contracts}"
            );
            let rows = found["backtest"].as_array().unwrap();
            let deviation = |row: usize| rows[row]["pnl_std"].as_f64().unwrap();
            assert!(deviation(1) > 0.0 && deviation(0) > 0.0, "{terms}");
        }
    }
}

/// The parts of each strategy add up to its P&L, its part of costs is what it paid, means over seeds, and its worst
/// contracts lie in the period.
fn assert_broken_down(document: &serde_json::Value) {
    let rows = document["backtest"].as_array().unwrap();
    let breakdowns = document["backtest_breakdown"].as_array().unwrap();
    let names: Vec<_> = breakdowns
        .iter()
        .map(|of| of["strategy"].as_str())
        .collect();
    let hedges = ["naked", "black_scholes", "whalley_wilmott", "zakamouline"];
    assert_eq!(
        names,
        ["adam", "kfac"]
            .into_iter()
            .chain(hedges)
            .map(Some)
            .collect::<Vec<_>>()
    );
    for breakdown in breakdowns {
        let own: Vec<_> = rows
            .iter()
            .filter(|row| row["strategy"] == breakdown["strategy"])
            .collect();
        let mean = |key: &str| {
            own.iter()
                .map(|row| row[key].as_f64().unwrap())
                .sum::<f64>()
                / own.len() as f64
        };
        let parts = breakdown["attribution"].as_array().unwrap();
        let part = |name: &str| {
            let found = parts.iter().find(|part| part[0] == name);
            found.unwrap()[1].as_f64().unwrap()
        };
        let sum: f64 = parts.iter().map(|part| part[1].as_f64().unwrap()).sum();
        assert!((sum - mean("pnl_mean")).abs() < 1e-9, "{breakdown}");
        assert!(
            (part("costs") + mean("cost_mean")).abs() < 1e-9,
            "{breakdown}"
        );
        assert!(part("gamma") < 0.0 && part("theta") > 0.0, "{breakdown}");
        let worst = breakdown["worst"].as_array().unwrap();
        let losses: Vec<f64> = worst.iter().map(|of| of[2].as_f64().unwrap()).collect();
        assert!(losses.len() == 3 && losses.is_sorted(), "{breakdown}");
        // A fall holds every loss.
        assert!(breakdown["maximum_drawdown"].as_f64().unwrap() >= -losses[0]);
        for of in worst {
            assert!(
                of[0].as_str() >= Some("2010") && of[0].as_str() < of[1].as_str(),
                "{of}"
            );
        }
    }
}

/// The policies of a run, loaded again, hedge history to the same bits as in the comparison that trained them.
#[test]
fn saved_policies_backtest_like_the_comparison() {
    let text = format!("{SMALL}[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\n");
    let path = strategy("saved", &text);
    let runs = path.with_extension("runs");
    let arguments = ["compare", path.to_str().unwrap(), "--seeds=2"];
    let compared = document(&arguments, &runs, "2");
    let again = document(&["backtest", compared["run"].as_str().unwrap()], &runs, "1");
    assert_eq!(again["backtest"].as_array().unwrap().len(), 8);
    assert_eq!(again["backtest"], compared["backtest"]);
    assert_eq!(
        again["backtest_comparisons"],
        compared["backtest_comparisons"]
    );
    assert_eq!(again["backtest_breakdown"], compared["backtest_breakdown"]);
    for document in [&compared, &again] {
        assert_broken_down(document);
        let report = runs
            .join(document["run"].as_str().unwrap())
            .join("report.html");
        let report = std::fs::read_to_string(report).unwrap();
        for caption in [
            "Where the P&amp;L comes from",
            "Drawdown net of mean cost",
            "Worst contracts",
        ] {
            assert!(report.contains(caption), "{caption}");
        }
    }
    let market = &again["backtest_market"];
    assert_eq!(market["source"], "history");
    assert_eq!(market["estimated_to"], "2009-12-31");
    // Another period, from the command line.
    let later = document(&["backtest", "latest", "--start", "2016-01-01"], &runs, "2");
    assert_eq!(later["backtest_market"]["first"], "2016-01-04");
}

/// An index joined with its volatility index, from the strategy and from the command line to the same rows: the premium is
/// the Black–Scholes price at the volatility index.
#[test]
fn a_volatility_index_gives_the_variance() {
    let vix = concat!(env!("CARGO_MANIFEST_DIR"), "/market_data/vix_daily.csv");
    let settings = "variance = \"implied\"\nrepair = [\"blanks\", \"unmatched\"]\n\
                    start = \"2017-01-01\"\nend = \"2018-11-15\"\nspacing = \"monthly\"\n";
    let heston = "v0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\nrho = -0.7";
    assert!(SMALL.contains(heston));
    let model = SMALL
        .replace("\"heston\"", "\"gbm\"")
        .replace(heston, "volatility = 0.2");
    let of = |name: &str, data: &str| {
        strategy(
            name,
            &format!("{model}[backtest]\ndata = {data}\n{settings}"),
        )
    };
    let path = of("joined", &format!("['{HISTORY}', '{vix}']"));
    let runs = path.with_extension("runs");
    let found = document(&["backtest", path.to_str().unwrap()], &runs, "2");
    let alone = of("alone", &format!("'{HISTORY}'"));
    let arguments = [
        "backtest",
        alone.to_str().unwrap(),
        "--data",
        HISTORY,
        "--data",
        vix,
    ];
    let again = document(&arguments, &runs, "1");
    assert_eq!(found["backtest"], again["backtest"]);
    let market = &found["backtest_market"];
    assert_eq!(market["data"], "sp500_daily.csv, vix_daily.csv");
    assert_eq!(market["repaired"][0][0], "blanks");
    // The first sale of each month and the index on it.
    let date = |text: &str| chrono::NaiveDate::parse_from_str(text, "%m/%d/%Y").unwrap();
    let index: Vec<(chrono::NaiveDate, f64)> = std::fs::read_to_string(vix)
        .unwrap()
        .lines()
        .skip(1)
        .filter_map(|line| {
            let (day, level) = line.split_once(',')?;
            Some((date(day), level.parse().ok()?))
        })
        .collect();
    let period = date("1/1/2017")..=date("11/15/2018");
    let mut sum = 0.0;
    let mut count = 0.0;
    for pair in index.windows(2) {
        let (before, (day, level)) = (pair[0].0, pair[1]);
        if period.contains(&day) && day.month() != before.month() {
            // At the money without rates: S (2Φ(σ√T/2) − 1).
            let half = 0.5 * level / 100.0 * (10.0f64 / 252.0).sqrt();
            sum += 100.0 * libm::erf(half / std::f64::consts::SQRT_2);
            count += 1.0;
        }
    }
    assert_eq!(market["contracts"].as_f64().unwrap(), count);
    let premium = found["backtest"][0]["premium"].as_f64().unwrap();
    assert!(
        (premium - sum / count).abs() < 1e-9,
        "{premium} {}",
        sum / count
    );
}

/// A year of closes is found from their dates: the same walk, once a week and once a day of the week, has the volatility
/// of 52 and of 365 a year, which `data check` and `calibrate` name, and `--days-per-year` overrides it by its square root.
#[test]
fn closes_a_year_follow_from_the_dates() {
    let start = chrono::NaiveDate::from_ymd_opt(2012, 1, 6).unwrap();
    let (mut spot, mut rows) = (100.0_f64, Vec::new());
    for i in 0..800_u32 {
        rows.push(spot);
        spot *= (0.03 * (f64::from(i * i) * 0.37).sin()).exp();
    }
    let volatility = |days: u64, more: &[&str]| {
        let path = scratch().join(format!("every-{days}.csv"));
        let lines = rows.iter().zip(0..).map(|(close, i)| {
            let date = start + chrono::Days::new(days * i);
            format!("{date},{close}\n")
        });
        std::fs::write(&path, format!("Date,Close\n{}", lines.collect::<String>())).unwrap();
        let file = path.to_str().unwrap();
        let check = deephedge(&["data", "check", file, "--json"], "1");
        let check: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
        let mut arguments = vec!["calibrate", "gbm", "--history", file, "--json"];
        arguments.extend(more);
        let found = deephedge(&arguments, "1");
        let found: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
        let number = |value: &serde_json::Value| value.as_f64().unwrap();
        (
            number(&check["closes"]["observations_per_year"]),
            number(&found["parameters"]["volatility"]),
        )
    };
    let ((daily, every_day), (weekly, every_week)) = (volatility(1, &[]), volatility(7, &[]));
    assert_eq!((daily, weekly), (365.0, 52.0));
    let ratio = every_day / every_week;
    assert!((ratio - (365.0_f64 / 52.0).sqrt()).abs() < 1e-12, "{ratio}");
    let (_, given) = volatility(1, &["--days-per-year", "52"]);
    assert!((given / every_week - 1.0).abs() < 1e-12);
}
