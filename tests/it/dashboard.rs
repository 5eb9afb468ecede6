//! The dashboard in a browser, with trainings that go on.

use super::browser::{self, Browser};
use super::serve::Server;
use super::*;
use serde_json::{Value, json};

pub const WIDE: (u32, u32) = (1280, 900);

/// All charts of a page are drawn, once the sections that are folded away are unfolded.
pub const DRAWN: &str =
    "(document.querySelectorAll('details.fold:not([open])').forEach((one) => { one.open = true; }),
    [...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('.main-svg')))";

pub fn long(steps: usize, paths: usize) -> String {
    SMALL
        .replace("steps = 14", &format!("steps = {steps}"))
        .replace("paths = 256", &format!("paths = {paths}"))
}

/// Asks for a job on the page of the jobs, with a strategy as text; the id of its run.
pub fn ask_for_job(browser: &mut Browser, text: &str, seeds: usize) -> String {
    browser.until("document.querySelector('#fields [name=\"market.rho\"]')");
    browser.click("#new-job [name=edited][value=text]");
    browser.until("!document.getElementById('text').hidden");
    browser.value(&format!(
        "{{ const {{ elements }} = document.getElementById('new-job');
            elements.strategy.value = {}; elements.seeds.value = {seeds}; 0 }}",
        json!(text)
    ));
    browser.value("document.getElementById('added').textContent = ''");
    browser.click("#new-job button:not([type])");
    browser.until("document.querySelector('#added a')");
    let link = browser.value("document.querySelector('#added a').getAttribute('href')");
    let (_, id) = link.as_str().unwrap().rsplit_once("/runs/").unwrap();
    id.to_owned()
}

/// A training is watched from its first steps, through the death of its server, to its end: every step is shown once,
/// and the comparison that follows has the numbers of `metrics.json`.
#[test]
fn a_training_is_watched_through_the_death_of_its_server() {
    if !browser::is_here("the live page of a training") {
        return;
    }
    const STEPS: usize = 280;
    // Long enough that the training goes on while the page, already there, draws its first steps.
    let text = long(STEPS, 8_192);
    let runs = strategy("watched", &text).with_extension("runs");
    let mut server = Server::start(&runs);
    let address = server.address.clone();
    let job = json!({ "command": "compare", "strategy": text, "seeds": 2 });
    let run = server.ask("POST", "/api/v1/jobs", &job)["run"].clone();
    let run = run.as_str().unwrap();
    server.ask("POST", &format!("/api/v1/jobs/{run}/pause"), &Value::Null);
    server.wait_for(run, "paused");
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    browser.go(&format!("http://{address}/runs/{run}"));
    browser.until("globalThis.Plotly");
    browser.click("#live .actions [aria-label^=Resume]");
    browser.value("document.getElementById('loss_steps').scrollIntoView()");
    browser.until("document.querySelector('#loss_steps .plot').data[0].x.length >= 20");
    browser.until("document.querySelector('#state').textContent.startsWith('Training ')");
    assert_eq!(browser.problems, [""; 0]);

    drop(server);
    browser
        .until("document.querySelector('#connection').textContent.startsWith('Connection lost')");
    server = Server::start_at(&address, &runs);
    browser.until("document.querySelector('#connection').textContent === ''");
    browser.click("#live .actions [aria-label^=Resume]");
    browser.until("document.querySelector('#state').textContent.startsWith('Finished.')");
    browser.until(&format!(
        "document.querySelector('#loss_steps .plot').data.filter(({{ x, hoverinfo }}) => hoverinfo !== 'skip' && x.length >= {STEPS}).length === 4"
    ));
    let shown = browser.value("document.querySelector('#loss_steps .plot').data.filter(({ hoverinfo }) => hoverinfo !== 'skip').map(({ x }) => x)");
    let every: Vec<usize> = (0..STEPS).collect();
    assert_eq!(shown, json!([every, every, every, every]));
    let done = browser.value(
        "[...document.querySelectorAll('#trainings tbody tr')].map((row) => row.cells[1].textContent)",
    );
    assert_eq!(done, json!(["done", "done", "done", "done"]));
    // While the server was away the browser said so in its console.
    browser.problems.retain(|problem| !problem.contains("ERR_"));

    browser.click("#state a");
    // The live page, which is still there for a moment, has a table too.
    browser.until(
        "!document.querySelector('#live') && document.querySelector('table.numbers tbody th')",
    );
    let metrics = server.ask("GET", &format!("/api/v1/runs/{run}"), &Value::Null);
    for (head, key) in [
        ("mean P&L", "/pnl_mean"),
        ("std P&L", "/pnl_std"),
        ("variance", "/pnl_variance"),
        ("CVaR 95 %", "/cvar/0.95"),
        ("mean cost", "/cost_mean"),
        ("Sharpe", "/sharpe"),
    ] {
        for strategy in ["adam", "kfac", "naked", "black_scholes"] {
            let rows = metrics["evaluation"].as_array().unwrap().iter();
            let seeds: Vec<f64> = rows
                .filter(|row| row["strategy"] == strategy)
                .map(|row| row.pointer(key).unwrap().as_f64().unwrap())
                .collect();
            assert_eq!(
                seeds.len(),
                if matches!(strategy, "adam" | "kfac") {
                    2
                } else {
                    1
                }
            );
            let expected = seeds.iter().sum::<f64>() / seeds.len() as f64;
            let shown = browser.value(&format!(
                "(() => {{
                    const table = document.querySelector('table.numbers:has(tbody tr:nth-child(4))');
                    const column = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.replace('\u{a0}', ' ') === {});
                    const row = [...table.tBodies[0].rows].find((row) => row.cells[0].textContent === {});
                    return row.cells[column].querySelector('.value').textContent.replace('\u{2212}', '-');
                }})()",
                json!(head),
                json!(strategy)
            ));
            let shown = shown.as_str().unwrap();
            let digits = shown.split_once('.').map_or(0, |(_, digits)| digits.len());
            assert!(digits >= 3, "{strategy}, {head}: {shown}");
            assert_eq!(shown, format!("{expected:.digits$}"), "{strategy}, {head}");
        }
    }
    assert_eq!(browser.problems, [""; 0]);
    assert_all_from(&browser, &address);
}

fn assert_all_from(browser: &Browser, address: &str) {
    let own = format!("http://{address}/");
    let inline = |url: &str| url.starts_with("data:") || url.starts_with(&format!("blob:{own}"));
    for url in &browser.requests {
        assert!(
            url.starts_with(&own) || inline(url) || url == "about:blank",
            "{url}"
        );
    }
    assert!(browser.requests.iter().any(|url| url.starts_with(&own)));
}

/// Another model brings its own parameters and keeps what both have; a key without meaning beside another is hidden; values
/// at their defaults are not written, and a job asked for by the form is queued.
#[test]
fn the_form_follows_the_model() {
    if !browser::is_here("the form of a strategy") {
        return;
    }
    let runs = strategy("form", SMALL).with_extension("runs");
    let server = Server::start(&runs);
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    browser.go(&format!("http://{}/jobs", server.address));
    browser.until("document.querySelector('#fields [name=\"market.rho\"]')");
    let choose = |browser: &mut Browser, key: &str, value: &str| {
        browser.value(&format!(
            "{{ const field = document.getElementById('new-job').elements['{key}'];
                field.value = '{value}';
                field.dispatchEvent(new Event('input'));
                field.dispatchEvent(new Event('change')); 0 }}"
        ));
    };
    choose(&mut browser, "risk.measure", "entropic");
    let hidden = "document.querySelector('[name=\"risk.level\"]').closest('label').hidden";
    assert_eq!(browser.value(hidden), true);
    let shown = "!document.querySelector('[name=\"risk.aversion\"]').closest('label').hidden";
    assert_eq!(browser.value(shown), true);
    choose(&mut browser, "risk.measure", "cvar");
    choose(&mut browser, "market.spot", "90");
    choose(&mut browser, "market.model", "gbm");
    browser.until(
        "!document.querySelector('[name=\"market.rho\"]') && document.querySelector('[name=\"market.volatility\"]')",
    );
    let spot = "document.querySelector('[name=\"market.spot\"]').value";
    assert_eq!(browser.value(spot), "90");
    choose(&mut browser, "market.volatility", "0.25");
    choose(&mut browser, "optimizers.kfac.method", "sgd");
    browser.until("document.querySelector('[name=\"optimizers.kfac.nesterov\"]')");
    browser.click("#new-job [name=edited][value=text]");
    browser.until("!document.getElementById('text').hidden");
    let text = browser.value("document.getElementById('new-job').elements.strategy.value");
    let written: toml::Table = text.as_str().unwrap().parse().unwrap();
    let market: toml::Table = "model = \"gbm\"\nspot = 90\nvolatility = 0.25"
        .parse()
        .unwrap();
    assert_eq!(written["market"], toml::Value::Table(market));
    let kfac: toml::Table = "method = \"sgd\"".parse().unwrap();
    assert_eq!(written["optimizers"]["kfac"], toml::Value::Table(kfac));
}

/// What is wrong with a field is said beside it, by the browser where its bound says enough and by the server otherwise;
/// jobs are cancelled as they run and as they wait, resumed, and finished from the page.
#[test]
fn a_job_is_cancelled_and_resumed() {
    if !browser::is_here("the jobs page") {
        return;
    }
    // The first job goes on for as long as the test; the second one waits for it.
    let (endless, short) = (long(10_000_000, 32), SMALL);
    let runs = strategy("cancelled", &endless).with_extension("runs");
    let server = Server::start(&runs);
    let mut browser = Browser::open();
    browser.show(WIDE, "dark");
    browser.go(&format!("http://{}/jobs", server.address));
    browser.until("document.querySelector('#jobs-state').textContent.startsWith('No jobs yet')");
    browser.until("document.querySelector('#fields [name=\"market.rho\"]')");
    let validity = |browser: &mut Browser, value: &str| {
        browser.value(&format!(
            "(() => {{
                const field = document.getElementById('new-job').elements['market.rho'];
                field.value = '{value}';
                field.dispatchEvent(new Event('input'));
                return field.checkValidity();
            }})()"
        ))
    };
    // −1 < ρ < 1.
    for (value, valid) in [("-1", false), ("1.5", false), ("0.5", true)] {
        assert_eq!(validity(&mut browser, value), valid, "{value}");
    }
    browser.value(
        "document.getElementById('new-job').elements['policy.instruments'].value = 'spot, perfect'",
    );
    browser.click("#new-job button:not([type])");
    browser.until(
        "document.getElementById('problem-policy.instruments').textContent.includes('perfect')",
    );
    assert_eq!(
        browser.value("document.activeElement.name"),
        "policy.instruments"
    );
    let refused = std::mem::take(&mut browser.problems);
    assert!(
        refused.len() == 1 && refused[0].contains("422"),
        "{refused:?}"
    );
    browser.value("document.getElementById('new-job').elements['policy.instruments'].value = ''");

    let [first, second] = [&*endless, short].map(|text| ask_for_job(&mut browser, text, 1));
    let row = |run: &str| format!("#jobs [data-run=\"{run}\"]");
    let reaches = |browser: &mut Browser, run: &str, words: &str| {
        let row = row(run);
        browser.until(&format!(
            "document.querySelector('{row}').cells[2].textContent === '{words}'"
        ));
    };
    let press = |browser: &mut Browser, run: &str, words: &str| {
        browser.click(&format!("{} [aria-label^={words}]", row(run)));
    };
    reaches(&mut browser, &first, "running");
    reaches(&mut browser, &second, "waiting, next");
    press(&mut browser, &second, "Cancel");
    reaches(&mut browser, &second, "cancelled");
    press(&mut browser, &second, "Resume");
    reaches(&mut browser, &second, "waiting, next");
    press(&mut browser, &first, "Cancel");
    reaches(&mut browser, &first, "cancelled");
    reaches(&mut browser, &second, "finished");
    press(&mut browser, &first, "Resume");
    reaches(&mut browser, &first, "running");
    press(&mut browser, &first, "Cancel");
    reaches(&mut browser, &first, "cancelled");
    let metrics = server.ask("GET", &format!("/api/v1/runs/{second}"), &Value::Null);
    assert_eq!(metrics["run"], second.as_str());
    assert_eq!(browser.problems, [""; 0]);

    // A page of a run that is deleted elsewhere says so.
    browser.go(&format!("http://{}/runs/{first}", server.address));
    browser.until(
        "document.querySelector('#state').textContent === 'This job is cancelled.' && document.querySelector('#live button')",
    );
    server.ask("DELETE", &format!("/api/v1/runs/{first}"), &Value::Null);
    browser.until("document.querySelector('#state').textContent === 'This run was deleted.'");
    assert_eq!(
        browser.value("document.querySelectorAll('#live .actions button').length"),
        0
    );
    browser.problems.retain(|problem| !problem.contains("404"));
    assert_eq!(browser.problems, [""; 0]);
    assert_all_from(&browser, &server.address);
}

/// Tags and a note are refused or kept on the page of a run, found in the list by their tag, and go with the run.
#[test]
fn a_run_is_tagged_found_and_deleted() {
    if !browser::is_here("tags, notes and the list of runs") {
        return;
    }
    let path = strategy("tagged", SMALL);
    let [run, other] = [0, 1].map(|_| {
        let compared = compare(&path, "2");
        compared["run"].as_str().unwrap().to_owned()
    });
    let server = Server::start(&path.with_extension("runs"));
    let home = format!("http://{}/", server.address);
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    browser.go(&format!("{home}runs/{run}"));
    browser.click("#labels summary");
    browser.until("!document.querySelector('#labels form').hasAttribute('aria-busy')");
    let label = |browser: &mut Browser, tags: &str| {
        browser.value(&format!(
            "{{ const {{ elements }} = document.querySelector('#labels form');
                elements.tags.value = {}; elements.note.value = 'first\\nsecond'; 0 }}",
            json!(tags)
        ));
        browser.click("#labels form button");
    };
    label(&mut browser, &"x".repeat(41));
    browser.until(
        "document.querySelector('#labels .problem')?.textContent.startsWith('`tags` must have')",
    );
    // The browser says in its console that the request was refused.
    browser.problems.retain(|problem| !problem.contains("422"));
    label(&mut browser, "good & 50 %, again");
    browser.until("document.querySelector('#labels [role=status]').textContent === 'Saved.'");

    browser.go(&home);
    let listed =
        "[...document.querySelectorAll('table.list tbody small.id')].map((id) => id.textContent)";
    browser.until(&format!("{listed}.includes('{other}')"));
    browser.click("a.tag[href*=good]");
    browser.until("document.querySelectorAll('table.list tbody tr').length === 1");
    assert_eq!(
        browser.value("document.querySelector('[name=tag]').value"),
        json!("good & 50 %")
    );
    assert_eq!(
        browser.value("document.querySelector('th .note').textContent"),
        json!("first\nsecond")
    );

    // What has not been answered when the run is deleted would be missing, and all is asked for at this height.
    browser.show((WIDE.0, 16_000), "light");
    browser.click("table.list tbody th a");
    browser.until("document.querySelector('#labels')");
    browser.until(DRAWN);
    browser.answered();
    browser.click("#labels > summary");
    browser.click("#labels details summary");
    browser.click("#labels .delete");
    browser.until("document.querySelectorAll('table.list tbody tr').length === 1");
    assert_eq!(
        browser.value(&format!("{listed}.includes('{run}')")),
        json!(false)
    );
    assert!(!path.with_extension("runs").join(&run).exists());
    assert_eq!(browser.problems, [""; 0]);
}

/// On every page all charts are drawn without an error, nothing is asked of another server, and nothing sticks out at the
/// width of a desk's screen or a telephone's.
#[test]
fn every_page_is_quiet_and_fits() {
    if !browser::is_here("the layout of every page") {
        return;
    }
    let text = format!("{SMALL}[backtest]\ndata = \"{HISTORY}\"\nstart = \"2004-01-01\"\n");
    let path = strategy("quiet", &text);
    let run = |seed: &str| {
        let path = strategy("quiet", &text.replace("seed = 3", seed));
        let compared = compare(&path, "2");
        compared["run"].as_str().unwrap().to_owned()
    };
    let ids = [run("seed = 3"), run("seed = 4")];
    let server = Server::start(&path.with_extension("runs"));
    let mut browser = Browser::open();
    let pages = [
        "/".to_owned(),
        format!("/runs/{}", ids[0]),
        format!("/runs/{}/live", ids[0]),
        "/jobs".to_owned(),
        "/data".to_owned(),
        "/compare".to_owned(),
        format!("/compare?runs={}", ids.join(",")),
        "/sweep".to_owned(),
        "/login".to_owned(),
    ];
    for (width, colors) in [(1280, "light"), (390, "dark")] {
        // So high that every chart is in sight.
        browser.show((width, 30_000), colors);
        for page in &pages {
            browser.go(&format!("http://{}{page}", server.address));
            browser.until(DRAWN);
            let widest = browser.value("document.documentElement.scrollWidth");
            assert!(
                widest.as_u64().unwrap() <= u64::from(width),
                "{page}: {widest}"
            );
            assert_eq!(browser.problems, [""; 0], "{page} at {width}");
        }
    }
    assert_all_from(&browser, &server.address);
}
