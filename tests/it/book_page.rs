//! A book in a browser: from its text to the trades, the chart and the file.

use super::browser::{self, Browser};
use super::data_upload::upload;
use super::hedge::{BOOK, trained};
use super::serve::Server;
use super::*;
use serde_json::json;

/// What the page shows is what the API answers, which is what the command line answers; what is refused is said, and the same book is
/// asked again; the page fits narrow screens in both themes.
#[test]
fn a_book_is_hedged_on_its_page() {
    if !browser::is_here("the page of a book") {
        return;
    }
    let (runs, run) = trained("book-page");
    let data = scratch().join("book-page-data");
    std::fs::create_dir_all(&data).unwrap();
    let server = Server::start_with_options(&runs, &["--data-dir", data.to_str().unwrap()]);
    let home = format!("http://{}/", server.address);
    let mut browser = Browser::open();
    browser.show((1280, 2400), "light");
    let history = std::fs::read_to_string(HISTORY).unwrap();
    let prices = upload(&mut browser, &home, "sp500.csv", &history);

    browser.go(&format!("{home}runs/{run}"));
    browser.click(&format!("a[href$='{run}/book']"));
    browser.until("location.pathname.endsWith('/book') && document.readyState === 'complete'");
    let fill = |browser: &mut Browser, name: &str, value: &str| {
        browser.value(&format!(
            "document.getElementById('ask').elements['{name}'].value = {}; 0",
            json!(value)
        ));
    };
    fill(&mut browser, "prices", &prices);
    fill(&mut browser, "date", "2010-03-10");
    fill(&mut browser, "disagreement", "9");
    fill(
        &mut browser,
        "text",
        "sold,quantity\n2010-03-01,1\n2010-03-06,1\n",
    );
    browser.click("#ask button");
    let said = "document.querySelector('#ask [role=alert]').textContent";
    browser.until(&format!(
        "{said}.includes('line 3 of the book was sold on 2010-03-06')"
    ));

    fill(&mut browser, "text", BOOK);
    browser.value("document.getElementById('ask').elements.force.checked = true; 0");
    browser.click("#ask button");
    browser.until("document.querySelectorAll('#contracts tbody tr').length === 4");
    browser.until("document.querySelector('#what-if .plot .main-svg') !== null");
    let question = json!({
        "book": { "text": BOOK }, "data": { "files": [prices] }, "date": "2010-03-10", "disagreement": 9, "force": true,
    });
    let answer = server.ask("POST", &format!("/api/v1/runs/{run}/hedge"), &question);
    let book = super::hedge::book("book-page-book", BOOK);
    let arguments = [
        "hedge",
        &run,
        &book,
        "--data",
        HISTORY,
        "--date",
        "2010-03-10",
        "--force",
        "--disagreement=9",
    ];
    let document = document(&arguments, &runs, "2");
    for key in ["contracts", "net", "estimated", "benchmark", "warnings"] {
        assert_eq!(answer[key], document[key], "{key}");
    }
    let shown = browser.value(
        "[...document.querySelectorAll('#contracts tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))",
    );
    let contracts = answer["contracts"].as_array().unwrap();
    for (row, one) in shown.as_array().unwrap().iter().zip(contracts) {
        let hold: f64 = row[7]
            .as_str()
            .unwrap()
            .replace('\u{2212}', "-")
            .parse()
            .unwrap();
        let position = one["positions"][0]["position"].as_f64().unwrap();
        assert_eq!(row[0], one["id"]);
        assert!(
            (hold - position).abs() <= 1e-3 * (1.0 + position.abs()),
            "{hold} {position}"
        );
    }
    for (width, colors) in [(1280, "dark"), (390, "light")] {
        browser.show((width, 3000), colors);
        let widest = browser.value("document.documentElement.scrollWidth");
        let fits = widest.as_u64().unwrap() <= u64::from(width);
        assert!(fits, "{widest} at {width}");
    }
    let refused = |problem: &&String| !problem.contains("422");
    let problems: Vec<&String> = browser.problems.iter().filter(refused).collect();
    assert_eq!(problems, [""; 0]);
}
