//! Files of the user's own in a browser: from a CSV to a calibrated model, a backtest and a walk-forward.

use super::browser::{self, Browser};
use super::dashboard::WIDE;
use super::serve::Server;
use super::*;
use serde_json::{Value, json};

/// Chooses a file of this name and contents on the page of the data and uploads it; the name that it is kept under.
pub fn upload(browser: &mut Browser, home: &str, name: &str, text: &str) -> String {
    browser.go(&format!("{home}data"));
    browser.until("document.getElementById('upload').elements.file");
    browser.value(&format!(
        "{{ const files = new DataTransfer();
            files.items.add(new File([{}], {}));
            document.getElementById('upload').elements.file.files = files.files;
            document.getElementById('upload').requestSubmit(); 0 }}",
        json!(text),
        json!(name)
    ));
    browser.until("location.search.startsWith('?file=') && document.readyState === 'complete'");
    let file = browser.value("new URLSearchParams(location.search).get('file')");
    file.as_str().unwrap().to_owned()
}

/// Waits until the file is examined.
fn examined(browser: &mut Browser, beginning: &str) {
    browser.until(&format!(
        "document.getElementById('verdict').textContent.startsWith({}) && !document.getElementById('examined').hasAttribute('aria-busy')",
        json!(beginning)
    ));
}

/// What is said of a file's reading, its defects with their repairs, columns that go by names of their own, and a file that is too large
/// or none of prices.
#[test]
fn a_file_is_understood_before_it_is_used() {
    if !browser::is_here("the page of the data") {
        return;
    }
    let folder = scratch().join("understood");
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let options = ["--data-dir", data.to_str().unwrap(), "--max-upload", "1"];
    let server = Server::start_with_options(&folder.join("runs"), &options);
    let home = format!("http://{}/", server.address);
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    let history = std::fs::read_to_string(HISTORY).unwrap();
    let file = upload(&mut browser, &home, "my prices.csv", &history);
    assert!(file.ends_with("-my_prices.csv"), "{file}");
    examined(&mut browser, "Ready to use");

    // The page says what the command line says, of the file that was sent.
    let kept = data.join(&file);
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), history);
    let output = deephedge(&["data", "check", kept.to_str().unwrap(), "--json"], "2");
    let mut check: Value = serde_json::from_slice(&output.stdout).unwrap();
    let asked = json!({ "files": [file] });
    let mut answer = server.ask("POST", "/api/v1/data/check", &asked);
    assert_eq!(answer["usable"], true);
    check["files"][0]["file"] = json!(file);
    assert_eq!(answer["check"].take(), check);
    assert_eq!(answer["columns"][0]["columns"][5], "Adj Close");
    assert_eq!(answer["columns"][0]["rows"][0][0], "1/4/1999");
    let shown = browser.value("document.getElementById('examined').textContent");
    let shown = shown.as_str().unwrap();
    for words in [
        "5\u{202f}031 days from 1999-01-04 to 2018-12-31",
        "suggested first sale: 2001-01-02",
        "252 a year",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }

    // Defects have their remedy beside them.
    let dirty = "Day;Last;Other\n3.1.2020;1,5;9\n6.1.2020;;9\n7.1.2020;1,6;9\n7.1.2020;1,65;9\n8.1.2020;1,7;9\n";
    upload(&mut browser, &home, "dirty.csv", dirty);
    browser.until("document.getElementById('verdict').className === 'problem' && document.getElementById('verdict').textContent.includes('column')");
    let choose = |browser: &mut Browser, name: &str, value: &str| {
        browser.value(&format!(
            "document.querySelector('#reading [name={name}]').value = {}",
            json!(value)
        ));
    };
    choose(&mut browser, "date", "Day");
    choose(&mut browser, "close", "Last");
    browser.click("#reading button");
    examined(&mut browser, "Not usable yet");
    for kind in ["blanks", "duplicates"] {
        browser.until(&format!(
            "[...document.querySelectorAll('#remarks > li.worse strong')].some((one) => one.textContent.includes('{kind}'))"
        ));
        browser.value(&format!(
            "[...document.querySelectorAll('#remarks > li')].find((one) => one.textContent.includes('{kind}')).querySelector('input').click()"
        ));
        browser.until(&format!(
            "[...document.querySelectorAll('#remarks > li:not(.worse) strong')].some((one) => one.textContent.includes('{kind}'))"
        ));
    }
    examined(&mut browser, "Ready to use");
    let closes =
        browser.value("document.querySelector('#understood').textContent.includes('1.65')");
    assert_eq!(closes, true);

    // The columns' own names may have what they will.
    let odd = "Day,\"Price, in $ --repair=jumps\"\n2020-01-03,10\n2020-01-06,11\n2020-01-07,10.5\n";
    upload(
        &mut browser,
        &home,
        "odd.csv",
        &odd.replace("Day,", "Day,Other,")
            .replace("03,10", "03,3,10")
            .replace("06,11", "06,3,11")
            .replace("07,10.5", "07,3,10.5"),
    );
    browser.until("document.getElementById('how').open && document.querySelector('#reading [name=close]').options.length === 4");
    choose(&mut browser, "date", "Day");
    choose(&mut browser, "close", "Price, in $ --repair=jumps");
    browser.click("#reading button");
    examined(&mut browser, "Ready to use");

    // What is no table says so, and what is too large is not sent.
    upload(&mut browser, &home, "report.pdf", "%PDF-1.4");
    browser.until("document.getElementById('verdict').textContent.includes('is a PDF')");
    assert_eq!(browser.value("document.getElementById('use').hidden"), true);
    browser.go(&format!("{home}data"));
    browser.value(
        "{ const files = new DataTransfer();
           files.items.add(new File(['x'.repeat(2 ** 20 + 1)], 'large.csv'));
           document.getElementById('upload').elements.file.files = files.files;
           document.getElementById('upload').requestSubmit(); 0 }",
    );
    browser.until("document.getElementById('upload-problem').textContent === 'The file must be at most 1 MiB.'");

    // Deletion asks once more.
    let rows = "document.querySelectorAll('#files tbody tr').length";
    assert_eq!(browser.value(rows), 4);
    browser.click("#files [aria-label='Delete report.pdf']");
    browser.click("#files [aria-label='Delete report.pdf']");
    browser.until(&format!("{rows} === 3"));
    for (width, colors) in [(1280, "dark"), (390, "light")] {
        browser.show((width, 3000), colors);
        browser.go(&format!("{home}data?file={file}"));
        examined(&mut browser, "Ready to use");
        let widest = browser.value("document.documentElement.scrollWidth");
        assert!(
            widest.as_u64().unwrap() <= u64::from(width),
            "{widest} at {width}"
        );
    }
    assert_eq!(browser.problems, [""; 0]);
}

/// A model is calibrated to an uploaded file and taken into the form of the jobs; what stands on a bound of the search is said; a run is
/// tested on the file and a strategy walks it forward, to the figures of the same backtest on the command line.
#[test]
fn a_history_of_ones_own_is_hedged() {
    if !browser::is_here("jobs on uploaded files") {
        return;
    }
    let path = strategy("own_data", SMALL);
    let compared = compare(&path, "2");
    let run = compared["run"].as_str().unwrap();
    let runs = path.with_extension("runs");
    let data = scratch().join("own-data");
    std::fs::create_dir_all(&data).unwrap();
    let server = Server::start_with_options(&runs, &["--data-dir", data.to_str().unwrap()]);
    let home = format!("http://{}/", server.address);
    let mut browser = Browser::open();
    browser.show(WIDE, "dark");
    let history = std::fs::read_to_string(HISTORY).unwrap();
    let file = upload(&mut browser, &home, "sp500.csv", &history);
    examined(&mut browser, "Ready to use");

    browser.click("#calibration button");
    browser.until("document.querySelectorAll('#calibration .result tbody tr').length === 5");
    let calibrated = deephedge(
        &["calibrate", "heston", "--history", HISTORY, "--json"],
        "2",
    );
    let calibrated: Value = serde_json::from_slice(&calibrated.stdout).unwrap();
    let asked = json!({ "model": "heston", "file": file, "source": "history" });
    let answer = server.ask("POST", "/api/v1/data/calibrate", &asked);
    assert_eq!(
        answer["calibration"]["parameters"],
        calibrated["parameters"]
    );
    assert_eq!(
        answer["fields"]["market.kappa"],
        calibrated["parameters"]["kappa"]
    );

    browser.until("document.getElementById('data-job').elements.run.options.length === 1");
    assert_eq!(
        browser.value("document.getElementById('data-job').elements.start.value"),
        "2001-01-02"
    );
    browser.value("document.getElementById('data-job').elements.start.value = '2015-01-02'");
    browser.click("#data-job button:not([type])");
    browser.until("document.querySelector('#data-job [role=status] a')");
    let link =
        browser.value("document.querySelector('#data-job [role=status] a').getAttribute('href')");
    let (_, backtest) = link.as_str().unwrap().rsplit_once("/runs/").unwrap();
    server.wait_for(backtest, "finished");
    let found = server.ask("GET", &format!("/api/v1/runs/{backtest}"), &Value::Null);
    let arguments = ["backtest", run, "--data", HISTORY, "--start", "2015-01-02"];
    let expected = document(&arguments, &runs, "2");
    assert!(!found["backtest"].as_array().unwrap().is_empty());
    assert_eq!(found["backtest"], expected["backtest"]);

    // The parameters go into the form of the jobs, and the history beside them.
    browser.click("#calibration .result button");
    browser.until("document.getElementById('added')?.textContent.startsWith('The form has')");
    let kappa = browser.value("document.getElementById('new-job').elements['market.kappa'].value");
    assert_eq!(
        kappa.as_str().unwrap().parse::<f64>().unwrap(),
        calibrated["parameters"]["kappa"].as_f64().unwrap()
    );
    browser.go(&format!("{home}data?file={file}"));
    examined(&mut browser, "Ready to use");
    browser.click("#data-job [name=form]");
    browser.until("document.getElementById('added')?.textContent.startsWith('The form has')");
    let named = browser.value("document.getElementById('new-job').elements['backtest.data'].value");
    assert_eq!(named, file.as_str());

    // A walk-forward of a run's strategy on the file.
    let walked = format!(
        "{SMALL}[backtest]\nspacing = \"monthly\"\n[walk_forward]\nyears = 17\nmonths = 12\n"
    )
    .replace("steps = 14", "steps = 2\nvalidation_paths = 0");
    let job = json!({ "command": "walk_forward", "strategy": walked, "data": { "files": [file], "start": "2018-01-02" } });
    let job = server.ask("POST", "/api/v1/jobs", &job);
    server.wait_for(
        job["run"].as_str().unwrap_or_else(|| panic!("{job}")),
        "finished",
    );
    assert_eq!(browser.problems, [""; 0]);

    // Returns of one size determine no jumps: what stands on a bound is said on the page.
    let quiet: String = (0..600)
        .map(|day| {
            let spot = 100.0 * (0.001 * (f64::from(day) * 0.7).sin()).exp();
            format!("{},{spot}\n", 40_000 + day)
        })
        .collect();
    upload(
        &mut browser,
        &home,
        "quiet.csv",
        &format!("date,close\n{quiet}"),
    );
    browser.until("!document.getElementById('use').hidden || document.getElementById('verdict').className === 'problem'");
    examined(&mut browser, "Ready to use");
    browser.click("#calibration button");
    browser.until("document.querySelector('#calibration .calibration-bound') || document.querySelector('#calibration [role=alert]').textContent");
    let said = browser.value("document.querySelector('#calibration .calibration-bound')?.textContent ?? document.querySelector('#calibration [role=alert]').textContent");
    assert!(
        said.as_str().unwrap().contains("bound of the search"),
        "{said}"
    );
    assert_eq!(
        browser.value("document.querySelectorAll('#calibration td.worse').length > 0"),
        true
    );
}

/// A surface of strikes and expiries is told from a history, and calibrated to.
#[test]
fn a_surface_of_ones_own_is_calibrated_to() {
    let folder = scratch().join("own-surface");
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let dax = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/market_data/dax_2002-07-05_implied_vols.csv"
    );
    let server = Server::start_with_options(
        &folder.join("runs"),
        &["--data-dir", data.to_str().unwrap()],
    );
    let file = server.send(
        "/api/v1/data?name=dax.csv",
        &std::fs::read_to_string(dax).unwrap(),
    );
    let file = &file["file"];
    let checked = server.ask("POST", "/api/v1/data/check", &json!({ "files": [file] }));
    assert_eq!(checked["usable"], true, "{checked}");
    assert_eq!(checked["check"]["implied_volatilities"]["quotes"], 104);
    let asked = json!({ "model": "heston", "file": file, "source": "surface" });
    let found = server.ask("POST", "/api/v1/data/calibrate", &asked);
    let expected = deephedge(&["calibrate", "heston", "--surface", dax, "--json"], "2");
    let expected: Value = serde_json::from_slice(&expected.stdout).unwrap();
    assert_eq!(found["calibration"]["parameters"], expected["parameters"]);
    let wrong = json!({ "model": "gbm", "file": file, "source": "surface" });
    let refused = server.ask("POST", "/api/v1/data/calibrate", &wrong);
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("calibrated to implied volatilities"),
        "{refused}"
    );
}

/// A book of contracts goes from a file into the form of the jobs, where it sells what it says; the key of a contract that is wrong is
/// named.
#[test]
fn a_book_of_ones_own_is_sold() {
    if !browser::is_here("an uploaded book") {
        return;
    }
    let folder = scratch().join("own-book");
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let options = ["--data-dir", data.to_str().unwrap()];
    let server = Server::start_with_options(&folder.join("runs"), &options);
    let home = format!("http://{}/", server.address);
    let mut browser = Browser::open();
    browser.show(WIDE, "light");
    let wrong = "type,quantity,strike,expiry_days\ncall,2,high,60\n";
    upload(&mut browser, &home, "wrong.csv", wrong);
    browser.until("document.getElementById('verdict').textContent.includes('strike')");
    assert_eq!(browser.value("document.getElementById('use').hidden"), true);
    let book = "type,quantity,strike,expiry_days\ncall,2,105,60\nput,-1,{ moneyness = 0.9 },40\n";
    upload(&mut browser, &home, "book.csv", book);
    examined(&mut browser, "Ready to use: a book of 2 contracts");
    browser.click("#book button");
    browser.until("document.getElementById('added')?.textContent.startsWith('The form has')");
    browser.click("#new-job [name=edited][value=text]");
    browser.until("!document.getElementById('text').hidden");
    let text = browser.value("document.getElementById('new-job').elements.strategy.value");
    let written: toml::Table = text.as_str().unwrap().parse().unwrap();
    let expected: toml::Table = "type = \"portfolio\"\nexpiry_days = 60\n\
        legs = [{ type = \"call\", quantity = 2, strike = 105, expiry_days = 60 },\n\
                { type = \"put\", quantity = -1, strike = { moneyness = 0.9 }, expiry_days = 40 }]"
        .parse()
        .unwrap();
    assert_eq!(written["contract"], toml::Value::Table(expected));
    assert_eq!(browser.problems, [""; 0]);
}
