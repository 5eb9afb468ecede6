//! How charts read in a browser: colours, units, scales, what moves, and what is said where nothing is drawn.

use super::browser::{self, Browser};
use super::dashboard::{DRAWN, WIDE, long};
use super::serve::Server;
use super::*;
use serde_json::{Value, json};

/// Counts what has moved without being asked to, from the first paint on.
const WATCH_SHIFTS: &str = "globalThis.shifted = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
        if (!entry.hadRecentInput) shifted += entry.value;
    })).observe({ type: 'layout-shift', buffered: true }); 0";

/// Looks at one chart after the other, as a reader does, until each is drawn.
fn read_through(browser: &mut Browser) {
    browser
        .value("document.querySelectorAll('details.fold').forEach((one) => { one.open = true; })");
    let count = browser.value("document.querySelectorAll('.chart').length");
    for at in 0..count.as_u64().unwrap() {
        let chart = format!("document.querySelectorAll('.chart')[{at}]");
        browser.value(&format!("{chart}.scrollIntoView({{ block: 'center' }})"));
        // What a run never measured has no chart.
        browser.until(&format!(
            "!{chart}.checkVisibility() || {chart}.querySelector('.main-svg')"
        ));
    }
    browser.answered();
    browser.value(
        "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))",
    );
}

/// Two runs of one strategy whose optimizers are in another order, the second one with a variant more.
fn two_runs(name: &str) -> (PathBuf, [String; 2]) {
    let text = format!("{SMALL}[backtest]\ndata = \"{HISTORY}\"\nstart = \"2004-01-01\"\n");
    let first = strategy(name, &text);
    let run = |text: &str| {
        let compared = compare(&strategy(name, text), "2");
        compared["run"].as_str().unwrap().to_owned()
    };
    let variants = "[optimizers.adam_small]\nmethod = \"adam\"\npaths = 64\n[optimizers.mine]\nmethod = \"muon\"\n";
    let optimizers = text.find("[optimizers.adam]").unwrap();
    let other = format!("{}{variants}{}", &text[..optimizers], &text[optimizers..]);
    let ids = [run(&text), run(&other)];
    (first.with_extension("runs"), ids)
}

/// On no page anything moves by itself while it is read from top to bottom, nor do headings skip a level; no axis counts in
/// `count` or `name`, no number has a prefix such as µ, and a trade of ten days is told in days.
#[test]
fn pages_keep_still_and_say_their_units() {
    if !browser::is_here("layout shifts, headings and units of charts") {
        return;
    }
    let (runs, ids) = two_runs("still");
    let server = Server::start(&runs);
    let mut browser = Browser::open();
    let pages = [
        "/".to_owned(),
        format!("/runs/{}", ids[0]),
        format!("/runs/{}/live", ids[0]),
        format!("/compare?runs={}", ids.join(",")),
    ];
    for size in [(1280, 900), (390, 844)] {
        browser.show(size, "light");
        for page in &pages {
            browser.go(&format!("http://{}{page}", server.address));
            browser.value(WATCH_SHIFTS);
            read_through(&mut browser);
            let shifted = browser.value("shifted").as_f64().unwrap();
            assert!(shifted < 0.05, "{page} at {}: {shifted}", size.0);
            let levels = browser.value(
                "[...document.querySelectorAll('h1, h2, h3, h4')].map(({ tagName }) => Number(tagName[1]))",
            );
            let levels: Vec<u64> = serde_json::from_value(levels).unwrap();
            assert_eq!(levels[0], 1, "{page}");
            for pair in levels.windows(2) {
                assert!(pair[1] <= pair[0] + 1, "{page}: {levels:?}");
            }
            let words = browser.value("[...document.querySelectorAll('.chart text')].map(({ textContent }) => textContent)");
            for word in words.as_array().unwrap() {
                let word = word.as_str().unwrap();
                for unwanted in ["µ", "(count)", "(name)", "(years)", "√v"] {
                    assert!(!word.contains(unwanted), "{page}: {word}");
                }
            }
            assert_eq!(browser.problems, [""; 0], "{page}");
        }
    }
    browser.go(&format!("http://{}/runs/{}", server.address, ids[0]));
    browser.show((1280, 30_000), "light");
    browser.until(DRAWN);
    let axes = browser.value(
        "[...document.querySelectorAll('#paths .plot')].map(({ layout }) => [layout.xaxis.title.text, layout.yaxis.title.text])",
    );
    assert_eq!(axes[0][0], "time (trading days)");
    assert_eq!(axes[1][1], "volatility (% a year)");
}

/// K-FAC and Adam have the same colour in the charts and swatches of two runs that list them differently, of both compared, and
/// of how one was trained; a variant of Adam has Adam's colour and other dashes.
#[test]
fn a_method_has_its_colour_on_every_page() {
    if !browser::is_here("the colours of methods") {
        return;
    }
    let (runs, ids) = two_runs("coloured");
    let server = Server::start(&runs);
    let mut browser = Browser::open();
    browser.show((1280, 30_000), "light");
    // Name → colour and dashes of every line that the page's charts have.
    let lines = "Object.fromEntries([...document.querySelectorAll('.chart .plot')].flatMap(({ data }) => data)
        .filter(({ line, name, type }) => type === 'scatter' && line?.dash && name)
        .map(({ name, line }) => [name.replace(/ \\(.*| [A-F]$/, ''), [line.color, line.dash]]))";
    let mut of = |page: &str| {
        browser.go(&format!("http://{}{page}", server.address));
        browser.until(DRAWN);
        let found = browser.value(lines);
        let swatches = browser.value(
            "Object.fromEntries([...document.querySelectorAll('th .swatch')].map((swatch) => [
                swatch.parentElement.textContent.replace(/,? (seed|\\().*/, ''), getComputedStyle(swatch).color]))",
        );
        (found, swatches)
    };
    let (first, swatches) = of(&format!("/runs/{}", ids[0]));
    let (second, others) = of(&format!("/runs/{}", ids[1]));
    let (live, _) = of(&format!("/runs/{}/live", ids[1]));
    let (both, _) = of(&format!("/compare?runs={}", ids.join(",")));
    for method in ["kfac", "adam"] {
        let color = &first[method][0];
        assert!(color.is_string(), "{method}: {first}");
        for (page, lines) in [("run", &second), ("live", &live), ("compared", &both)] {
            assert_eq!(&lines[method][0], color, "{method}, {page}: {lines}");
        }
        assert_eq!(swatches[method], others[method], "{method}");
    }
    assert_eq!(first["naked"], second["naked"]);
    assert_eq!(second["adam_small"][0], second["adam"][0]);
    assert_ne!(second["adam_small"][1], second["adam"][1]);
    assert_ne!(first["kfac"][0], first["adam"][0]);
    assert_eq!(swatches["kfac"], "rgb(0, 95, 168)");
}

/// The number of the path is in the address and read from it; one that there is not is refused, in words, by page and API, and
/// nothing else is shown in its place.
#[test]
fn a_path_is_found_by_its_address_and_refused_out_of_range() {
    if !browser::is_here("the path in the address") {
        return;
    }
    let path = strategy("addressed", SMALL);
    let compared = compare(&path, "2");
    let run = compared["run"].as_str().unwrap();
    let server = Server::start(&path.with_extension("runs"));
    let mut browser = Browser::open();
    browser.show((1280, 30_000), "light");
    let page = format!("http://{}/runs/{run}", server.address);
    browser.go(&format!("{page}?path=7"));
    browser.until(DRAWN);
    let spot = "JSON.stringify(document.querySelector('#paths .plot').data[0].y)";
    let shown = browser.value(spot);
    let replay = server.ask(
        "GET",
        &format!("/api/v1/runs/{run}/paths?path=7"),
        &Value::Null,
    );
    let expected: Vec<f64> = serde_json::from_value(replay["spot"].clone()).unwrap();
    let drawn: Vec<f64> = serde_json::from_str(shown.as_str().unwrap()).unwrap();
    assert_eq!(drawn, expected);

    let ask_for = |browser: &mut Browser, path: &str| {
        browser.value(&format!(
            "{{ const input = document.querySelector('.explorer input');
                input.value = '{path}'; input.dispatchEvent(new Event('change')); 0 }}"
        ));
    };
    ask_for(&mut browser, "2000");
    let said = "document.querySelector('.explorer [role=alert]').textContent";
    assert_eq!(
        browser.value(said),
        "There is no path 2000: paths are 0 to 1999."
    );
    assert_eq!(
        browser.value("document.querySelector('.explorer input').ariaInvalid"),
        "true"
    );
    assert_eq!(browser.value("location.search"), "?path=7");
    assert_eq!(browser.value(spot), shown);
    let refused = server.ask(
        "GET",
        &format!("/api/v1/runs/{run}/paths?path=2000"),
        &Value::Null,
    );
    assert_eq!(refused["error"]["field"], "path", "{refused}");

    ask_for(&mut browser, "1998");
    browser.until("location.search === '?path=1998'");
    browser.click(".explorer [data-to='1']");
    browser.until("location.search === '?path=1999'");
    assert_eq!(browser.value(said), "");
    // At the end there is no further path.
    browser.click(".explorer [data-to='1']");
    assert_eq!(browser.value("location.search"), "?path=1999");
    browser.answered();
    // An address with a path that there is not says so and draws none.
    browser.go(&format!("{page}?path=99999"));
    browser.until("document.querySelector('.explorer [role=alert]')?.textContent.startsWith('There is no path 99999')");
    assert_eq!(browser.problems, [""; 0]);
}

/// Training charts turn to logarithms and back, are smoothed as asked, and the baseline of differences is chosen; the unhedged
/// position is a note beside the trained policies, and all is seen when asked for.
#[test]
fn charts_show_what_is_asked_for() {
    if !browser::is_here("scales, smoothing and baselines of charts") {
        return;
    }
    let path = strategy("asked", &long(60, 256));
    let compared = compare(&path, "2");
    let run = compared["run"].as_str().unwrap();
    let server = Server::start(&path.with_extension("runs"));
    let mut browser = Browser::open();
    browser.show((1280, 30_000), "dark");
    browser.go(&format!("http://{}/runs/{run}", server.address));
    browser.until(DRAWN);
    let plot = |name: &str| format!("document.querySelector('#{name} .plot')");
    for (pressed, kind) in [("true", "log"), ("false", "linear")] {
        browser.click("#validation_steps .log");
        browser.until(&format!(
            "document.querySelector('#validation_steps .log').ariaPressed === '{pressed}'
                && {}.layout.yaxis.type === '{kind}'",
            plot("validation_steps")
        ));
    }
    let choose = |browser: &mut Browser, chart: &str, value: &str| {
        browser.value(&format!(
            "{{ const select = document.querySelector('#{chart} select');
                select.value = '{value}'; select.dispatchEvent(new Event('change', {{ bubbles: true }})); 0 }}"
        ));
    };
    let lines = format!("{}.data.length", plot("loss_steps"));
    assert_eq!(browser.value(&lines), 4);
    choose(&mut browser, "loss_steps", "none");
    browser.until(&format!("{lines} === 2"));
    let title = "document.querySelector('#pnl_difference h3').textContent";
    assert_eq!(browser.value(title), "P&L less that of adam");
    choose(&mut browser, "pnl_difference", "black_scholes");
    browser.until(&format!("{title} === 'P&L less that of black_scholes'"));

    let scatter = plot("cost_cvar");
    let note = browser.value("document.querySelector('#cost_cvar .note').textContent");
    let note = note.as_str().unwrap();
    assert!(
        note.starts_with("Off scale: ") && note.contains("naked (cost 0.00, CVaR 95 %"),
        "{note}"
    );
    let inside = format!(
        "(() => {{
            const {{ data, layout: {{ xaxis, yaxis }} }} = {scatter};
            const within = ([low, high], value) => low <= value && value <= high;
            return data.filter(({{ x, y }}) => within(xaxis.range, x[0]) && within(yaxis.range, y[0])).map(({{ name }}) => name);
        }})()"
    );
    let names = browser.value(&inside);
    let names = names.as_array().unwrap();
    assert!(
        names.contains(&json!("adam")) && names.contains(&json!("kfac")),
        "{names:?}"
    );
    let all = browser
        .value(&format!("{scatter}.data.length"))
        .as_u64()
        .unwrap();
    assert!((names.len() as u64) < all);
    browser.click("#cost_cvar .all");
    browser.until(&format!("{inside}.length === {all}"));
    assert_eq!(browser.problems, [""; 0]);
}

/// A chart that has not been looked at is not loaded; one that has, of a training without steps, has nothing to show.
#[test]
fn not_loaded_is_not_nothing_measured() {
    if !browser::is_here("charts without points") {
        return;
    }
    // The first job goes on for as long as the test; the second one waits for it.
    let endless = long(10_000_000, 32);
    let runs = strategy("unmeasured", &endless).with_extension("runs");
    let server = Server::start(&runs);
    let add = |text: &str| {
        let job = json!({ "command": "compare", "strategy": text, "seeds": 1 });
        server.ask("POST", "/api/v1/jobs", &job)["run"].clone()
    };
    let (_, waiting) = (add(&endless), add(SMALL));
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    let run = waiting.as_str().unwrap();
    browser.go(&format!("http://{}/runs/{run}", server.address));
    // The rows are there before any event, and no script is needed for them.
    let rows = browser.value(
        "[...document.querySelectorAll('#trainings tbody tr')].map((row) => row.cells[0].textContent)",
    );
    assert_eq!(rows, json!(["adam, seed 3", "kfac, seed 3"]));
    let last = "document.getElementById('statistics')";
    assert_eq!(
        browser.value(&format!("{last}.textContent")),
        "Not loaded yet."
    );
    browser.value(&format!("{last}.scrollIntoView()"));
    browser.until(&format!(
        "{last}.textContent === 'Nothing has been measured yet.'"
    ));
    assert_eq!(browser.problems, [""; 0]);
}
