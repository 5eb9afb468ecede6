//! The verdict at the top of a run's page, and the page's order.

use super::browser::{self, Browser};
use super::dashboard::{DRAWN, WIDE};
use super::serve::Server;
use super::*;
use serde_json::{Value, json};

const FOLDED: &str = "document.querySelector('details.fold:not([open])')";

fn top(browser: &mut Browser, element: &str) -> f64 {
    let found = browser.value(&format!("{element}.getBoundingClientRect().top + scrollY"));
    found.as_f64().unwrap()
}

fn text(browser: &mut Browser, selector: &str) -> String {
    let found = browser.value(&format!(
        "document.querySelector({}).innerText.replaceAll('\u{a0}', ' ')",
        json!(selector)
    ));
    found.as_str().unwrap().to_owned()
}

/// A page opens with what was hedged, a sentence and a grid of all kinds of paths; with one seed it says so and judges nothing.
/// The first chart begins on the first screen, and the details come within 4,000 pixels. Another baseline is in the address, and
/// the page has the numbers that the API has.
#[test]
fn a_page_opens_with_its_verdict() {
    if !browser::is_here("the verdict on a run's page") {
        return;
    }
    let words = format!("{SMALL}[backtest]\ndata = \"{HISTORY}\"\nstart = \"2004-01-01\"\n");
    let path = strategy("verdict", &words);
    let run = compare(&path, "2")["run"].as_str().unwrap().to_owned();
    let server = Server::start(&path.with_extension("runs"));
    let page = format!("http://{}/runs/{run}", server.address);
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    browser.go(&page);
    assert_eq!(
        text(&mut browser, ".hedged"),
        "Short 1 at-the-money call, 10 trading days, Heston, costs 0.2 %, hedged daily with spot"
    );
    assert_eq!(text(&mut browser, ".badge"), "one seed");
    let said = text(&mut browser, "#verdict");
    assert!(
        said.contains("kfac against adam, trained with one seed"),
        "{said}"
    );
    assert!(
        !said.contains("better") && !said.contains("worse"),
        "{said}"
    );
    let heads = "[...document.querySelectorAll('.grid caption')].map((one) => one.textContent.split(',')[0])";
    assert_eq!(browser.value(heads), json!(["Simulated", "Historical"]));
    assert!(top(&mut browser, "document.querySelector('.chart')") < f64::from(WIDE.1));
    assert!(top(&mut browser, FOLDED) < 4000.0);
    assert_eq!(browser.problems, [""; 0]);

    // A link of the contents unfolds what it leads to.
    browser.click("nav.contents a[href='#training']");
    browser.until("document.querySelector('details.fold:has(#training)').open");

    browser.value(
        "{ const { elements } = document.querySelector('#verdict form');
           elements.baseline.value = 'black_scholes'; elements.baseline.form.requestSubmit(); 0 }",
    );
    browser.until("location.search.includes('baseline=black_scholes')");
    browser.until(
        "document.querySelector('.sentence')?.textContent.includes('kfac against black_scholes')",
    );
    let address = format!("/api/v1/runs/{run}?baseline=black_scholes");
    let answer = server.ask("GET", &address, &Value::Null);
    let verdict = &answer["verdict"];
    assert_eq!(verdict["baseline"], "black_scholes");
    assert_eq!(
        verdict["sentence"].as_str().unwrap(),
        browser
            .value("document.querySelector('.sentence').lastChild.textContent.replaceAll('\u{a0}', ' ').trim()")
            .as_str()
            .unwrap()
    );
    // The changes of the page's tables are against it too.
    let against = answer["comparisons"].as_array().unwrap();
    assert!(against.iter().all(|c| c["baseline"] == "black_scholes"));
    let variance = |strategy: &str| {
        let mut rows = answer["evaluation"].as_array().unwrap().iter();
        rows.find(|row| row["strategy"] == strategy).unwrap()["pnl_variance"]
            .as_f64()
            .unwrap()
    };
    let expected = variance("kfac") / variance("black_scholes") - 1.0;
    let found = against.iter().find(|c| c["strategy"] == "kfac").unwrap();
    let found = found["pnl_variance_change"].as_f64().unwrap();
    assert!((found - expected).abs() < 1e-9, "{found} {expected}");

    for (width, colors) in [(1280, "dark"), (390, "light")] {
        browser.show((width, 30_000), colors);
        browser.go(&page);
        browser.until(DRAWN);
        let widest = browser.value("document.documentElement.scrollWidth");
        assert!(widest.as_u64().unwrap() <= u64::from(width), "{widest}");
    }
    assert_eq!(browser.problems, [""; 0]);
}

/// A comparison across markets opens with its conclusion and has a heat map for every optimizer, and no grid of zeros.
#[test]
fn a_cross_page_opens_with_its_conclusion() {
    if !browser::is_here("the page of a comparison across markets") {
        return;
    }
    let words = SMALL.to_string() + "[markets.turbulent]\nv0 = 0.16\ntheta = 0.16\n";
    let path = strategy("crossed_page", &words);
    let runs = path.with_extension("runs");
    let found = document(
        &["cross", path.to_str().unwrap(), "--seeds", "2"],
        &runs,
        "2",
    );
    let run = found["run"].as_str().unwrap();
    let server = Server::start(&runs);
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    browser.go(&format!("http://{}/runs/{run}", server.address));
    let said = text(&mut browser, ".sentence");
    assert!(said.contains("kfac has less risk than adam in"), "{said}");
    let maps = "[...document.querySelectorAll('table.heat caption')].map((one) => one.textContent.split(':')[0].trim())";
    let maps = browser.value(maps);
    let maps: Vec<&str> = maps
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(maps.contains(&"adam") && maps.contains(&"kfac"), "{maps:?}");
    assert!(!maps.contains(&"naked"), "{maps:?}");
    assert_eq!(
        browser.value("document.querySelectorAll('table.heat td').length >= 8"),
        json!(true)
    );
    assert_eq!(browser.problems, [""; 0]);
}
