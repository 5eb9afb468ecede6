use super::api_tests::Sent;
use super::app::App;
use super::form;
use super::tests::app;
use crate::charts::LIVE_CHARTS;
use crate::experiment::{Prepared, Scope};
use crate::runs::fixture::Scratch;
use crate::runs::index::Index;
use crate::strategy::Plan;
use serde_json::{Value, json};
use std::path::Path;

const STRATEGY: &str = "name = \"small\"\n[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\n\
                        [training]\nsteps = 20\npaths = 64\nlengths = [20, 40]\n\
                        [optimizers.adam]\nrelative_steps = 2.0\n[optimizers.kfac]\n";

fn get(app: &App, path: &str) -> (u16, Value) {
    let answer = Sent::new("GET", path).to(app.clone());
    let value = serde_json::from_str(&answer.body).unwrap_or(Value::String(answer.body));
    (answer.status, value)
}

fn prepared(root: &Path) -> String {
    let plan = Plan::parse(STRATEGY, |_| {}).unwrap();
    let scope = Scope {
        seeds: vec![1, 2],
        ..Scope::default()
    };
    let prepared = Prepared::comparison(&plan, &scope, root).unwrap();
    prepared.folder().id().to_owned()
}

/// Before anything is trained a run says what it will train, in order, and its page has a place for every chart.
#[test]
fn a_run_says_what_it_will_train() {
    let root = Scratch::new("server-live");
    let run = prepared(root.path());
    let app = app(root.path());
    let (status, live) = get(&app, &format!("/api/v1/runs/{run}/live"));
    assert_eq!(status, 200, "{live}");
    let trainings: Vec<(&str, u64, u64)> = live["trainings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| {
            let (name, seed) = (of["strategy"].as_str().unwrap(), of["seed"].as_u64());
            (name, seed.unwrap(), of["steps"].as_u64().unwrap())
        })
        .collect();
    let expected = [
        ("adam", 1, 40),
        ("kfac", 1, 20),
        ("adam", 2, 40),
        ("kfac", 2, 20),
        ("adam, 40 steps", 1, 80),
        ("kfac, 40 steps", 1, 40),
        ("adam, 40 steps", 2, 80),
        ("kfac, 40 steps", 2, 40),
    ];
    assert_eq!(trainings, expected);
    let (status, page) = get(&app, &format!("/runs/{run}"));
    assert_eq!(status, 200);
    for chart in LIVE_CHARTS {
        let place = format!("id=\"{}\"", chart.name);
        assert!(page.as_str().unwrap().contains(&place), "{place}");
        assert_eq!(live["figures"][chart.name]["data"][1]["name"], "kfac");
    }
    assert_eq!(get(&app, "/api/v1/runs/x/live").0, 404);
    assert_eq!(get(&app, "/runs/x/live").0, 404);
}

/// A strategy that is trained in several markets has a line for each of them.
#[test]
fn trainings_in_several_markets_have_lines_of_their_own() {
    let root = Scratch::new("server-live-markets");
    let text = format!("{STRATEGY}[markets.calm]\nvolatility = 0.1\n");
    let plan = Plan::parse(&text, |_| {}).unwrap();
    let scope = Scope {
        seeds: vec![1],
        ..Scope::default()
    };
    let prepared = Prepared::crossing(&plan, &scope, root.path()).unwrap();
    let address = format!("/api/v1/runs/{}/live", prepared.folder().id());
    let (_, live) = get(&app(root.path()), &address);
    let expected = json!(["adam in own", "adam in calm", "kfac in own", "kfac in calm"]);
    assert_eq!(live["strategies"], expected);
    let named = |list: &Value, key: &str| -> Value {
        let list = list.as_array().unwrap().iter();
        list.map(|of| of[key].clone()).collect()
    };
    assert_eq!(named(&live["trainings"], "strategy"), expected);
    assert_eq!(
        named(&live["figures"]["loss_steps"]["data"], "name"),
        expected
    );
}

/// Those that wait have a place, which is nearer when one before them has left.
#[test]
fn jobs_that_wait_have_a_place() {
    let root = Scratch::new("server-places");
    let runs = [(); 3].map(|()| prepared(root.path()));
    let app = app(root.path());
    let index: &Index = &app.index;
    runs.iter().for_each(|run| index.enqueue(run, 16).unwrap());
    let places = || {
        runs.each_ref()
            .map(|run| get(&app, &format!("/api/v1/jobs/{run}")).1["position"].clone())
    };
    assert_eq!(places(), [json!(1), json!(2), json!(3)]);
    let paused = Sent::new("POST", format!("/api/v1/jobs/{}/pause", runs[1])).to(app.clone());
    assert_eq!(paused.status, 202);
    assert_eq!(places(), [json!(1), Value::Null, json!(2)]);
    let (_, jobs) = get(&app, "/api/v1/jobs");
    assert_eq!(jobs["jobs"][0]["name"], "small");
    assert_eq!(
        (&jobs["jobs"][0]["trainings"], &jobs["jobs"][0]["progress"]),
        (&json!(8), &json!(0.0))
    );
}

/// Every shipped strategy fills the form, and the form's values are a strategy again.
#[test]
fn shipped_strategies_fill_the_form() {
    let root = Scratch::new("server-shipped");
    let app = app(root.path());
    for (name, _) in form::SHIPPED {
        let (status, form) = get(&app, &format!("/api/v1/strategy/form?strategy={name}"));
        assert_eq!(status, 200, "{name}: {form}");
        let values: serde_json::Map<String, Value> = form["sections"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|section| section["fields"].as_array().unwrap())
            .map(|field| {
                (
                    field["key"].as_str().unwrap().to_owned(),
                    field["value"].clone(),
                )
            })
            .collect();
        let again = Sent::new("POST", "/api/v1/strategy/form").with(json!({ "fields": values }));
        let answer = again.to(app.clone());
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        let again: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(again["sections"], form["sections"], "{name}");
    }
    assert_eq!(get(&app, "/api/v1/strategy/form?strategy=none").0, 404);
    let wrong = json!({ "strategy": STRATEGY.replace("0.2", "-0.2") });
    let refused = Sent::new("POST", "/api/v1/strategy/form")
        .with(wrong)
        .to(app);
    let refused: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(refused["error"]["field"], "market.volatility");
}
