//! Books over HTTP: the answer of the command line, what is refused, who may ask.

use super::access::Access;
use super::api_tests::{Sent, json};
use super::app::App;
use super::tests::{Answer, app, with};
use crate::experiment::fixture::compared;
use crate::live::{self, Asked, BookSource, Desk};
use crate::market::history::fixture::{closes, day, write};
use crate::runs::fixture::Scratch;
use crate::runs::store::{self, RunFolder};
use crate::strategy::Plan;
use serde_json::{Value, json as value};

/// A run that hedges calls over eight days on 400 made-up closes.
fn run(root: &Scratch) -> (Plan, RunFolder) {
    let data = write(root.path(), &closes(400));
    let text = format!(
        "name = \"book\"\nseed = 3\n[market]\nmodel = \"gbm\"\nvolatility = 0.2\n\
         [contract]\nexpiry_days = 8\ndays_per_year = 365\ndays = \"trading\"\n[policy]\nhidden = 4\n\
         [training]\nsteps = 3\npaths = 64\nvalidation_paths = 0\n[evaluation]\npaths = 64\nhedges = [\"black_scholes\"]\n\
         [optimizers.adam]\n[optimizers.kfac]\n[backtest]\ndata = '{}'\nstart = \"2001-01-01\"\nspacing = 3\n",
        data.display()
    );
    compared(root.path(), &text, &[3, 4])
}

fn ask(app: &App, run: &str, question: Value) -> Answer {
    let address = format!("/api/v1/runs/{run}/hedge");
    Sent::new("POST", address).with(question).to(app.clone())
}

/// A book as rows, as text and as an uploaded file, on the run's prices and on uploaded ones, is answered with the document of the command
/// line; charts are added to it where they are asked for, and as CSV it is the table of `--out`.
#[test]
fn a_book_is_answered_as_on_the_command_line() {
    let root = Scratch::new("server-hedge");
    let (plan, folder) = run(&root);
    let app = app(root.path());
    let [first, second] = [390, 393].map(day);
    let text = format!("id,sold,quantity,held\na,{first},10,4.5\nb,{second},-4,\n");
    let upload = |name: &str, bytes: &[u8]| app.data.keep(name, bytes).unwrap().0.file;
    let file = upload("book.csv", text.as_bytes());
    let prices = std::fs::read(root.path().join("closes.csv")).unwrap();
    let prices = upload("prices.csv", &prices);
    let rows = value!([
        { "id": "a", "sold": first.to_string(), "quantity": 10, "held": 4.5 },
        { "id": "b", "sold": second.to_string(), "quantity": -4, "held": null },
    ]);
    let asked = Asked {
        date: Some(day(395)),
        disagreement: 1e9,
        force: true,
        what_if: vec![-0.1, 0.0, 0.1],
        ..Asked::default()
    };
    let settings = plan.backtest.clone().unwrap();
    let desk = Desk::open(&folder, plan.clone(), settings).unwrap();
    let book = live::read(BookSource::Text(&text), &plan).unwrap();
    let expected = desk.hedge(&book, &asked).unwrap();
    let document = serde_json::to_value(&expected).unwrap();
    let question = |book: Value| value!({ "book": book, "date": day(395).to_string(), "disagreement": 1e9, "force": true, "what_if": [-0.1, 0.0, 0.1] });
    let books = [
        value!({ "rows": rows }),
        value!({ "text": text }),
        value!({ "file": file }),
    ];
    for book in books {
        for data in [Value::Null, value!({ "files": [prices] })] {
            let mut question = question(book.clone());
            question["data"] = data;
            let answer = ask(&app, folder.id(), question);
            assert_eq!(answer.status, 200, "{}", answer.body);
            let mut found = json(&answer);
            if book["rows"].is_array() {
                // Rows have numbers where files have lines.
                let warned = found["warnings"].to_string();
                for (row, line) in [("row 1", "line 2"), ("row 2", "line 3")] {
                    assert!(warned.contains(row) && !warned.contains(line), "{warned}");
                }
                found["warnings"] = document["warnings"].clone();
            }
            assert_eq!(found, document);
        }
    }
    let mut drawn = question(value!({ "text": text }));
    drawn["figures"] = true.into();
    let answer = json(&ask(&app, folder.id(), drawn));
    let [figure] = &answer["figures"].as_array().unwrap()[..] else {
        panic!("the spot is all that hedges")
    };
    let held = figure["data"][0]["y"].as_array().unwrap();
    let net = expected.what_if.iter().map(|one| value!(one.net[0]));
    assert_eq!(held, &net.collect::<Vec<Value>>());
    assert_eq!(figure["data"][1]["y"][0], expected.net[0].held);
    let table = Sent::new("POST", format!("/api/v1/runs/{}/hedge", folder.id()))
        .header("accept", "text/csv")
        .with(question(value!({ "text": text })))
        .to(app.clone());
    assert!(table.header("content-type").starts_with("text/csv"));
    assert_eq!(table.body.lines().count(), 3);
    assert!(
        table.body.starts_with("id,sold,expiry,quantity,"),
        "{}",
        table.body
    );
    let page = Sent::new("GET", format!("/runs/{}/book", folder.id())).to(app.clone());
    assert!(page.body.contains(&prices) && page.body.contains("those of the run's strategy"));
    let run = Sent::new("GET", format!("/runs/{}", folder.id())).to(app);
    assert!(
        run.body.contains(&format!("{}/book\"", folder.id())),
        "{}",
        run.body
    );
}

/// What is wrong is refused by its field, with the line or the row and the bound, and names no folder of the server.
#[test]
fn wrong_questions_are_refused() {
    let root = Scratch::new("server-hedge-wrong");
    let (_, folder) = run(&root);
    let app = app(root.path());
    let sold = day(390);
    let text = format!("sold,quantity\n{sold},1\n");
    let right = value!({ "text": text });
    let odd = app
        .data
        .keep("odd.csv", b"date,close\n2000-01-03,1\n")
        .unwrap();
    let odd = odd.0.file;
    for (question, status, field, words) in [
        (
            value!({ "book": {} }),
            422,
            "book",
            "one of `rows`, `text` and `file`",
        ),
        (
            value!({ "book": { "text": text, "rows": [] } }),
            422,
            "book",
            "one of",
        ),
        (
            value!({ "book": { "rows": [{ "sold": true }] } }),
            422,
            "book",
            "a number, a text or null",
        ),
        (
            value!({ "book": { "text": format!("sold,quantity\n{sold},1\n{sold},0\n") } }),
            422,
            "book",
            "line 3, column \"quantity\": must not be 0",
        ),
        (
            value!({ "book": { "rows": [{ "sold": "2001-13-01", "quantity": 1 }] } }),
            422,
            "book",
            "row 1, column \"sold\": must be a date",
        ),
        (
            value!({ "book": { "text": "sold,quantity\n1999-01-01,1\n" } }),
            422,
            "book",
            "line 2 of the book was sold on 1999-01-01: the prices begin on 2000-01-03",
        ),
        (
            value!({ "book": { "text": format!("sold,quantity,strike\n{sold},1,9\n") }, "date": day(395).to_string() }),
            422,
            "book",
            "`force` answers all the same",
        ),
        (
            value!({ "book": right, "date": "1999-01-01" }),
            422,
            "date",
            "the prices begin on 2000-01-03",
        ),
        (
            value!({ "book": right, "date": "soon" }),
            422,
            "date",
            "a date such as",
        ),
        (
            value!({ "book": right, "optimizer": "sgd" }),
            422,
            "optimizer",
            "one of adam, kfac, was \"sgd\"",
        ),
        (
            value!({ "book": right, "disagreement": -1 }),
            422,
            "disagreement",
            "at least 0, was -1",
        ),
        (
            value!({ "book": right, "what_if": [-1] }),
            422,
            "what_if",
            "above -1, was -1",
        ),
        (
            value!({ "book": right, "what_if": vec![0.0; 102] }),
            422,
            "what_if",
            "at most 101 moves, had 102",
        ),
        (
            value!({ "book": right, "colour": 1 }),
            422,
            "",
            "unknown field",
        ),
        (
            value!({ "book": right, "data": { "files": [odd] } }),
            422,
            "data",
            "odd.csv",
        ),
        (
            value!({ "book": right, "data": {} }),
            422,
            "data",
            "must name an uploaded file",
        ),
        (
            value!({ "book": { "file": "../closes.csv" } }),
            404,
            "",
            "no uploaded file",
        ),
    ] {
        let answer = ask(&app, folder.id(), question.clone());
        assert_eq!(answer.status, status, "{question}: {}", answer.body);
        let error = &json(&answer)["error"];
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{question}: {message}");
        let named = error["field"].as_str().unwrap_or_default();
        assert!(named.starts_with(field), "{question}: {named}");
        let place = app.data.folder().display().to_string();
        assert!(!message.contains(&place), "{message}");
    }
    assert_eq!(ask(&app, "nothing", value!({ "book": right })).status, 404);
    let stopped = store::create(root.path(), "stopped").unwrap();
    let unfinished = ask(&app, stopped.id(), value!({ "book": right }));
    assert_eq!(
        (unfinished.status, unfinished.error_code().as_str()),
        (409, "incomplete")
    );
    let large = value!({ "book": { "text": "x".repeat(1 << 20) } });
    let large = ask(&app, folder.id(), large);
    assert_eq!(
        (large.status, large.error_code().as_str()),
        (413, "body_too_large")
    );
}

/// A book is hedged for whoever has the token, and for pages of the site itself.
#[test]
fn books_obey_the_rules_of_access() {
    let root = Scratch::new("server-hedge-access");
    let address = "/api/v1/runs/nothing/hedge";
    let token = "0123456789abcdef";
    let asking = with(root.path(), Access::with_token(token, "here").unwrap());
    let question = value!({ "book": { "text": "sold,quantity\n" } });
    let refused = Sent::new("POST", address).with(question.clone()).to(asking);
    assert_eq!(
        (refused.status, refused.error_code().as_str()),
        (401, "unauthorized")
    );
    let foreign = Sent::new("POST", address).header("sec-fetch-site", "cross-site");
    let foreign = foreign.with(question).to(app(root.path()));
    assert_eq!(
        (foreign.status, foreign.error_code().as_str()),
        (403, "origin_refused")
    );
}

/// The same book is answered anew once the price file or the run has changed.
#[test]
fn what_is_kept_is_as_old_as_its_files() {
    let root = Scratch::new("server-hedge-kept");
    let (_, folder) = run(&root);
    let app = app(root.path());
    let question =
        value!({ "book": { "text": format!("sold,quantity\n{},1\n", day(390)) }, "force": true });
    let date = |answer: Answer| json(&answer)["date"].as_str().unwrap().to_owned();
    let before = date(ask(&app, folder.id(), question.clone()));
    assert_eq!(before, day(399).to_string());
    write(root.path(), &closes(400)[..396]);
    assert_eq!(date(ask(&app, folder.id(), question)), day(395).to_string());
}
