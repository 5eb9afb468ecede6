//! The list of runs, runs beside each other, and their differences, in a browser.

use super::browser::{self, Browser};
use super::dashboard::{DRAWN, WIDE};
use super::serve::Server;
use super::*;
use serde_json::json;

/// Four runs that differ in their costs and in their training, and the folder that they lie in.
fn swept(name: &str) -> (PathBuf, Vec<String>) {
    let runs = scratch().join(format!("{name}.runs"));
    let ids = [("0.002", 14), ("0.01", 14), ("0.02", 14), ("0.01", 8)].map(|(cost, steps)| {
        let text = SMALL
            .replace("proportional = 0.002", &format!("proportional = {cost}"))
            .replace("steps = 14", &format!("steps = {steps}"))
            .replace(
                "name = \"small\"",
                &format!("name = \"cost {cost} steps {steps}\""),
            );
        let path = strategy(&format!("{name}-{cost}-{steps}"), &text);
        let compared = document(&["compare", path.to_str().unwrap()], &runs, "2");
        compared["run"].as_str().unwrap().to_owned()
    });
    (runs, ids.into())
}

/// The texts of the elements that `selector` finds.
fn texts(browser: &mut Browser, selector: &str) -> Vec<String> {
    let found = browser.value(&format!(
        "[...document.querySelectorAll({})].map((element) => element.textContent)",
        json!(selector)
    ));
    serde_json::from_value(found).unwrap()
}

fn number(text: &str) -> f64 {
    let plain: String = text
        .replace('\u{2212}', "-")
        .chars()
        .filter(|c| c.is_ascii_digit() || "-.e".contains(*c))
        .collect();
    plain.parse().unwrap_or_else(|_| panic!("{text}"))
}

/// The list is sorted by a link of its head, as it says to those who do not see it, the other way by the same link again, and by
/// the form; a condition finds runs by a key and shows it; a key that no run has is refused with what may have been meant; the
/// numbers of a column have their points below each other.
#[test]
fn the_list_is_sorted_and_searched_by_key() {
    if !browser::is_here("sorting and searching the list of runs") {
        return;
    }
    let (runs, ids) = swept("listed");
    let server = Server::start(&runs);
    let home = format!("http://{}/", server.address);
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    browser.go(&home);
    let shown = |browser: &mut Browser| texts(browser, ".runs tbody th > a:first-child");
    assert_eq!(shown(&mut browser)[0], "cost 0.01 steps 8");
    assert_eq!(
        browser.value("document.querySelector('.runs [aria-sort]').textContent"),
        "made"
    );
    let costs = |browser: &mut Browser| -> Vec<f64> {
        let found = texts(browser, ".runs tbody td[data-head=cost] > div:first-child");
        found.iter().map(|text| number(text)).collect()
    };
    for (pressed, direction) in [(1, "ascending"), (2, "descending")] {
        browser.click(".runs thead a[href*='sort=cost']");
        browser.until(&format!(
            "document.querySelector('.runs thead [aria-sort={direction}]')?.textContent === 'cost'"
        ));
        let found = costs(&mut browser);
        let mut sorted = found.clone();
        sorted.sort_by(f64::total_cmp);
        if pressed == 2 {
            sorted.reverse();
        }
        assert_eq!((found.len(), found), (4, sorted), "{direction}");
    }
    // The point of every number of a column is at the same place.
    let places = browser.value(
        "[...document.querySelectorAll('.runs td[data-head=cost] > div:not(.change)')].map((line) => {
            const [text] = line.childNodes;
            const range = document.createRange();
            const point = text.data.search(/[.\u{2008}]/);
            range.setStart(text, point);
            range.setEnd(text, point + 1);
            return Math.round(range.getBoundingClientRect().left);
        })",
    );
    let places: Vec<i64> = serde_json::from_value(places).unwrap();
    assert_eq!(places.len(), 8);
    assert!(
        places.iter().all(|place| (place - places[0]).abs() <= 1),
        "{places:?}"
    );

    let search = |browser: &mut Browser, words: &str| {
        browser.value(&format!(
            "document.querySelector('[name=search]').value = {}; 0",
            json!(words)
        ));
        browser.click("[role=search] button");
        browser.until(&format!(
            "new URLSearchParams(location.search).get('search') === {} && document.readyState === 'complete'",
            json!(words)
        ));
    };
    search(
        &mut browser,
        "costs.proportional >= 0.01, training.steps = 14",
    );
    let mut found = shown(&mut browser);
    found.sort();
    assert_eq!(found, ["cost 0.01 steps 14", "cost 0.02 steps 14"]);
    assert_eq!(
        texts(&mut browser, ".runs thead th")[3..5],
        ["costs.proportional", "training.steps"]
    );
    search(&mut browser, "market.modell = heston");
    let refused = texts(&mut browser, "[role=alert]").concat();
    assert!(
        refused.contains("did you mean `market.model`?"),
        "{refused}"
    );
    assert_eq!(browser.problems, [""; 0]);

    // The same lists as documents.
    let list = server.ask(
        "GET",
        "/api/v1/runs?sort=cost&order=ascending",
        &json!(null),
    );
    assert_eq!(list["runs"][0]["run"], ids[0].as_str());
    let refused = server.ask("GET", "/api/v1/runs?search=nothing%3D1", &json!(null));
    assert_eq!(refused["error"]["field"], "search");
}

/// Two runs beside each other: only the keys that differ, differences from the run that is chosen in the address, of runs on the
/// same paths paired ones, and charts that hold both.
#[test]
fn two_runs_are_compared() {
    if !browser::is_here("the comparison of runs") {
        return;
    }
    let (runs, ids) = swept("differing");
    let server = Server::start(&runs);
    let mut browser = Browser::open();
    browser.show((WIDE.0, 6000), "dark");
    browser.go(&format!(
        "http://{}/compare?runs={},{}",
        server.address, ids[0], ids[1]
    ));
    assert_eq!(
        texts(&mut browser, ".settings tbody tr")
            .iter()
            .map(|row| row.trim())
            .collect::<Vec<_>>(),
        [
            "namecost 0.002 steps 14cost 0.01 steps 14",
            "costs.proportional0.0020.01"
        ]
    );
    let change = |browser: &mut Browser, strategy: &str| {
        browser.value(&format!(
            "[...document.querySelectorAll('#differences tbody tr')].find((row) => row.cells[0].textContent === '{strategy}')
                .cells[4].querySelector('.value').textContent"
        ))
    };
    // Five times the costs: costs rise, on the same paths.
    let more = change(&mut browser, "kfac (B)");
    assert!(more.as_str().unwrap().starts_with('+'), "{more}");
    let notes = texts(&mut browser, "#differences .note").concat();
    assert!(
        notes.contains("B and A have the same test paths"),
        "{notes}"
    );
    browser.until(DRAWN);
    // Every point lies within its axes.
    let inside = browser.value(
        "(() => {
            const plot = [...document.querySelectorAll('.plot')].find((plot) => plot.ariaLabel === 'Cost against tail risk');
            const { xaxis, yaxis } = plot._fullLayout;
            const within = (axis, value) => {
                const place = axis.type === 'log' ? Math.log10(value) : value;
                return axis.range[0] <= place && place <= axis.range[1];
            };
            return plot.data.every(({ x, y }) => within(xaxis, x[0]) && within(yaxis, y[0]));
        })()",
    );
    assert_eq!(inside, true);

    browser.value(&format!(
        "document.querySelector('[name=against]').value = '{}'; 0",
        ids[1]
    ));
    browser.click("main form button");
    browser.until("location.search.includes('against=') && document.querySelector('#differences h2')?.textContent === 'Differences from B'");
    let less = change(&mut browser, "kfac (A)");
    assert!(less.as_str().unwrap().starts_with('\u{2212}'), "{less}");
    assert_eq!(browser.problems, [""; 0]);
}

/// All runs beside each other: an axis for every key that differs and for every result, a line for every run, and a table of them;
/// a condition narrows both; nothing sticks out on a telephone.
#[test]
fn a_sweep_is_seen_at_once() {
    if !browser::is_here("parallel coordinates of runs") {
        return;
    }
    let (runs, _) = swept("beside");
    let server = Server::start(&runs);
    let mut browser = Browser::open();
    let address = format!("http://{}/sweep", server.address);
    for (width, colors) in [(1280, "light"), (390, "dark")] {
        browser.show((width, 6000), colors);
        browser.go(&address);
        browser.until(DRAWN);
        let axes = browser.value("document.querySelector('.plot').layout.xaxis.ticktext");
        assert_eq!(
            axes,
            json!([
                "costs.<br>proportional",
                "training.<br>steps",
                "P&L<br>variance",
                "cost",
                "Sharpe",
                "CVaR"
            ])
        );
        let crossed = browser.value(
            "document.querySelector('.plot').data.flatMap(({ x }) => x.filter((place) => place === 0)).length",
        );
        assert_eq!(crossed, 4);
        assert_eq!(texts(&mut browser, ".sweep tbody tr").len(), 4);
        let widest = browser.value("document.documentElement.scrollWidth");
        assert!(widest.as_u64().unwrap() <= width.into(), "{widest}");
    }
    // As a file it has a row for every crossing, with the value and not the place.
    let file = browser.value(
        "(async () => {
            const address = [...document.scripts].find(({ src }) => src.endsWith('run.js')).src.replace('run.js', 'charts.js');
            const { csv } = await import(address);
            const answer = await fetch(document.querySelector('[data-chart]').dataset.chart);
            return csv(await answer.json());
        })()",
    );
    let lines: Vec<&str> = file.as_str().unwrap().trim_end().lines().collect();
    assert_eq!(
        (lines[0], lines.len()),
        ("series,line,axis,value", 1 + 4 * 6)
    );
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with(",costs.proportional,0.002")),
        "{lines:?}"
    );
    browser.value("document.querySelector('[name=search]').value = 'training.steps = 14'; 0");
    browser.click("[role=search] button");
    browser.until("document.querySelectorAll('.sweep tbody tr').length === 3");
    browser.until(DRAWN);
    assert_eq!(browser.problems, [""; 0]);
}

/// In a terminal a run begins with what was hedged and the verdict, and no line is wider than the terminal.
#[test]
fn a_terminal_reads_the_verdict_first() {
    let path = strategy("terminal", SMALL);
    let compared = compare(&path, "2");
    let run = compared["run"].as_str().unwrap();
    let runs = path.with_extension("runs");
    for width in [80, 120] {
        let output = Command::new(env!("CARGO_BIN_EXE_deephedge"))
            .args(["runs", "show", run, "--runs", runs.to_str().unwrap()])
            .env("COLUMNS", width.to_string())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.starts_with("Short 1 at-the-money call, 10 calendar days, Heston"),
            "{text}"
        );
        let verdict = text
            .find("kfac against adam, trained with one seed")
            .unwrap();
        assert!(
            verdict < text.find("Simulated test paths").unwrap(),
            "{text}"
        );
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width), "{widest:?}: {text}");
    }
}
