//! The tear sheet of a run on its page, in its report, in print and over the API.

use super::browser::{self, Browser};
use super::dashboard::DRAWN;
use super::serve::Server;
use super::{HISTORY, SMALL, compare, strategy};
use serde_json::{Value, json};

/// A run with a backtest, and the server of its folder.
fn served(name: &str) -> (String, Value, Server) {
    let text = format!("{SMALL}[backtest]\ndata = \"{HISTORY}\"\nstart = \"2004-01-01\"\n");
    let path = strategy(name, &text);
    let run = compare(&path, "2")["run"].as_str().unwrap().to_owned();
    let runs = path.with_extension("runs");
    let metrics = std::fs::read_to_string(runs.join(&run).join("metrics.json")).unwrap();
    let metrics = serde_json::from_str(&metrics).unwrap();
    (run, metrics, Server::start(&runs))
}

/// The worst contract of every strategy is there as it was hedged: its P&L by day ends at the P&L of the table, what was bought was sold
/// again, and the model's delta lies beside it. Other days are refused by name.
#[test]
fn worst_contracts_end_at_their_loss() {
    let (run, metrics, server) = served("tear-sheet-api");
    let breakdowns = metrics["backtest_breakdown"].as_array().unwrap();
    assert!(breakdowns.len() > 2);
    for of in breakdowns {
        for worst in of["worst"].as_array().unwrap() {
            let sold = worst[0].as_str().unwrap();
            let answer = server.ask(
                "GET",
                &format!("/api/v1/runs/{run}/contracts?sold={sold}"),
                &Value::Null,
            );
            assert_eq!(answer["sold"], worst[0]);
            let dates = answer["dates"].as_array().unwrap();
            assert_eq!(dates.last(), Some(&worst[1]));
            assert_eq!(answer["delta"].as_array().unwrap().len(), dates.len() - 1);
            let mut hedged = answer["strategies"].as_array().unwrap().iter();
            let own = hedged
                .find(|one| one["strategy"] == of["strategy"])
                .unwrap();
            let last = own["pnl"].as_array().unwrap().last().unwrap();
            let (last, loss) = (last.as_f64().unwrap(), worst[2].as_f64().unwrap());
            assert!((last - loss).abs() < 1e-9, "{sold}: {last} {loss}");
            let trades = own["trades"][0][1].as_array().unwrap();
            let traded: f64 = trades.iter().map(|units| units.as_f64().unwrap()).sum();
            assert!(traded.abs() < 1e-12 && trades.len() == dates.len());
            assert_eq!(answer["figures"].as_array().unwrap().len(), 4);
        }
    }
    for sold in ["yesterday", "1999-01-01", ""] {
        let path = format!("/api/v1/runs/{run}/contracts?sold={sold}");
        let answer = server.ask("GET", &path, &Value::Null);
        let (code, field) = (&answer["error"]["code"], &answer["error"]["field"]);
        assert_eq!(
            (code.as_str(), field.as_str()),
            (Some("bad_request"), Some("sold"))
        );
    }
}

/// A link in the table of worst contracts shows that contract, in the address too, from which it is shown again; months and baselines
/// can be chosen.
#[test]
fn a_worst_contract_is_looked_at() {
    if !browser::is_here("the worst contracts of a run") {
        return;
    }
    let (run, metrics, server) = served("tear-sheet-page");
    let mut browser = Browser::open();
    browser.show((1280, 16_000), "light");
    browser.go(&format!("http://{}/runs/{run}", server.address));
    browser.until(DRAWN);
    let sold = metrics["backtest_breakdown"][2]["worst"][1][0].clone();
    let link = format!(
        "#tear-sheet a.value[href*='contract={}']",
        sold.as_str().unwrap()
    );
    browser.click(&link);
    let chosen = json!(sold);
    browser.until(&format!(
        "document.querySelector('form.contracts select').value === {chosen}"
    ));
    browser.until("!document.querySelector('form.contracts[aria-busy]')");
    assert_eq!(
        browser.value("new URLSearchParams(location.search).get('contract')"),
        sold
    );
    let first =
        "[...document.querySelectorAll('#contracts .plot')].map((plot) => plot.data[0].x[0])";
    assert_eq!(browser.value(first), json!([sold, sold, sold, sold]));
    browser.go(&format!(
        "http://{}/runs/{run}?contract={}",
        server.address,
        sold.as_str().unwrap()
    ));
    browser.until(DRAWN);
    assert_eq!(browser.value(first), json!([sold, sold, sold, sold]));

    let choose = |browser: &mut Browser, chart: &str, key: &str| {
        browser.value(&format!(
            "(() => {{ const form = document.querySelector('#{chart} form'); form.elements.key.value = '{key}'; \
             form.dispatchEvent(new Event('change')); }})()"
        ));
        browser.until(&format!(
            "document.querySelector('#{chart} h3').textContent.includes('{key}')"
        ));
    };
    choose(&mut browser, "relative_pnl", "naked");
    choose(&mut browser, "monthly_pnl", "kfac less adam");
    let months = browser.value("document.querySelector('#monthly_pnl .plot').data[0].z.flat().filter((z) => z !== null).length");
    assert!(months.as_u64().unwrap() > 12);
    assert_eq!(browser.problems, [""; 0]);
}

/// On paper the page has the figures of the report, no empty boxes, no controls and no table that is wider than the paper; without
/// script its worst contracts are there as figures.
#[test]
fn paper_holds_the_tear_sheet() {
    if !browser::is_here("the tear sheet in print") {
        return;
    }
    let (run, _, server) = served("tear-sheet-paper");
    let mut browser = Browser::open();
    for page in [format!("/runs/{run}"), format!("/runs/{run}/report.html")] {
        browser.show((1280, 16_000), "light");
        browser.go(&format!("http://{}{page}", server.address));
        browser.until(DRAWN);
        // The width of A4 between its margins.
        browser.paper((703, 1032));
        let wide = "[...document.querySelectorAll('table')].filter((table) => table.scrollWidth > 703).length";
        assert_eq!(browser.value(wide), 0, "{page}");
        let seen = "((element) => element.checkVisibility() && element.getBoundingClientRect().height > 0)";
        let controls =
            format!("[...document.querySelectorAll('form, nav, .exports')].filter({seen}).length");
        assert_eq!(browser.value(&controls), 0, "{page}");
        let empty = format!(
            "[...document.querySelectorAll('figure')].filter({seen}).filter((figure) => \
             ![...figure.querySelectorAll('svg, img')].some({seen})).map((figure) => figure.id)"
        );
        assert_eq!(browser.value(&empty), json!([]), "{page}");
        let shown = browser.value(&format!(
            "[...document.querySelectorAll('#tear-sheet figure')].filter({seen}).map((figure) => figure.id)"
        ));
        assert!(shown.as_array().unwrap().len() >= 11, "{page}: {shown}");
        assert!(browser.prints_at_most(8), "{page}");
    }
    let page = server.text(&format!("/runs/{run}"));
    for picture in [
        "relative_pnl.svg",
        "monthly_pnl.svg",
        "drawdown.svg",
        "worst_contract_1.svg",
    ] {
        assert!(page.contains(picture), "{picture}");
    }
    assert_eq!(browser.problems, [""; 0]);
}

/// The report can be sent: every figure of the tear sheet is inside, links of worst contracts lead to their figures, and nothing outside
/// is asked for.
#[test]
fn the_report_has_the_tear_sheet() {
    let (run, _, server) = served("tear-sheet-report");
    let report = server.text(&format!("/runs/{run}/report.html"));
    let figures = [
        "relative_pnl",
        "monthly_pnl",
        "monthly_difference",
        "rolling_deviation",
        "rolling_cvar",
        "drawdown",
        "years",
        "attribution",
        "worst_contract_1",
    ];
    for figure in figures {
        assert!(
            report.contains(&format!("<figure id=\"{figure}\">")),
            "{figure}"
        );
    }
    for words in [
        "Years",
        "Drawdown net of mean cost",
        "Worst contracts",
        "href=\"#worst_contract_1\"",
    ] {
        assert!(report.contains(words), "{words}");
    }
    for outside in ["<script", "<link", "src=", "href=\"http"] {
        assert!(!report.contains(outside), "{outside}");
    }
}
