//! Requests made from the API's own description, and to its pages, right and wrong.

use crate::market::history::fixture::day;
use crate::runs::export;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// A small strategy file.
pub const SMALL: &str = "name = \"fuzzed\"\nseed = 3\n[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\n\
                     sigma = 0.3\nrho = -0.7\n[contract]\nexpiry_days = 30\nsteps = 6\n[costs]\nproportional = 0.01\n\
                     [policy]\nhidden = 4\n[training]\nsteps = 3\npaths = 64\nvalidation_paths = 0\n[evaluation]\n\
                     paths = 100\nrisk_aversion = 1.0\n[optimizers.adam]\n[optimizers.kfac]\n";

/// Encoded already, or not fit to be.
const NASTY: [&str; 22] = [
    "",
    ".",
    "..",
    "%2e%2e",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%5c..%5c",
    "%00",
    "a%00b",
    "%ff",
    "%",
    "%zz",
    "%F0%9F%92%A9",
    "x%0d%0aset-cookie:%20a=b",
    "latest",
    "index.sqlite",
    "metrics.json",
    "-1",
    "0",
    "1e309",
    "NaN",
    "18446744073709551616",
    "%27%20OR%201=1--",
];

/// One operation of the description, or a page.
#[derive(Debug, Clone)]
pub struct Operation {
    method: String,
    path: String,
    query: Vec<String>,
    body: Value,
}

/// A request as it is sent.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub address: String,
    pub headers: Vec<(&'static str, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// What a store holds that the requests are about.
#[derive(Debug, Clone)]
pub struct Known {
    pub runs: Vec<String>,
    /// Runs that may be deleted.
    pub victims: Vec<String>,
    pub keys: Vec<String>,
    /// Uploaded files.
    pub files: Vec<String>,
    pub schemas: Value,
}

pub fn operations(document: &Value) -> Vec<Operation> {
    let mut all: Vec<Operation> = [
        "/",
        "/runs/{id}",
        "/runs/{id}/report.html",
        "/runs/{id}/figures/{name}",
        "/runs/{id}/live",
        "/runs/{id}/book",
        "/jobs",
        "/data",
        "/login",
        "/logout",
        "/compare",
        "/sweep",
    ]
    .map(|path| Operation {
        method: "GET".into(),
        path: path.into(),
        query: [
            "runs", "strategy", "baseline", "against", "search", "sort", "order", "page", "tag",
        ]
        .map(str::to_owned)
        .into(),
        body: Value::Null,
    })
    .into();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array();
            let query = parameters
                .into_iter()
                .flatten()
                .filter(|parameter| parameter["in"] == "query")
                .map(|parameter| parameter["name"].as_str().unwrap().to_owned());
            all.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                query: query.collect(),
                body: operation["requestBody"]["content"]["application/json"]["schema"].clone(),
            });
        }
    }
    all
}

fn encoded(text: String) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// One of `known`, or what nobody should send.
fn text(known: Vec<String>) -> BoxedStrategy<String> {
    prop_oneof![
        6 => select(known).prop_map(encoded),
        2 => select(&NASTY[..]).prop_map(str::to_owned),
        1 => any::<String>().prop_map(encoded),
        1 => "[!-~]{0,30}",
        1 => Just("a".repeat(5000)),
    ]
    .boxed()
}

fn segment(
    operation: &Operation,
    name: &str,
    method: &str,
    known: &Known,
) -> BoxedStrategy<String> {
    let names = crate::charts::CHARTS.map(|chart| chart.name.to_owned());
    text(match name {
        "id" if method == "DELETE" => known.victims.clone(),
        "id" => known.runs.clone(),
        "file" if operation.path.starts_with("/api/v1/data") => known.files.clone(),
        "file" => export::TABLES
            .iter()
            .flat_map(|table| ["csv", "parquet"].map(|end| format!("{}.{end}", table.name)))
            .collect(),
        _ => names.to_vec(),
    })
}

fn path(operation: &Operation, known: &Known) -> BoxedStrategy<String> {
    let parts = operation.path.split('/').skip(1).map(|part| {
        match part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        {
            Some(name) => segment(operation, name, &operation.method, known),
            None => Just(part.to_owned()).boxed(),
        }
    });
    parts
        .collect::<Vec<_>>()
        .prop_map(|parts| format!("/{}", parts.join("/")))
        .boxed()
}

fn query(operation: &Operation, known: &Known) -> BoxedStrategy<String> {
    let mut names = operation.query.clone();
    names.push("other".into());
    let mut values = known.runs.clone();
    values.extend(
        [
            "1", "0", "99", "500", "complete", "kfac", "adam", "naked", "radius", "risk",
        ]
        .map(str::to_owned),
    );
    values.push(known.runs.join(","));
    let pair = (select(names), text(values)).prop_map(|(name, value)| format!("{name}={value}"));
    prop_oneof![
        8 => vec(pair, 0..4).prop_map(|pairs| pairs.join("&")),
        1 => "[!-~]{0,40}",
    ]
    .boxed()
}

fn headers() -> BoxedStrategy<Vec<(&'static str, Vec<u8>)>> {
    const NAMES: [&str; 9] = [
        "host",
        "sec-fetch-site",
        "origin",
        "content-type",
        "last-event-id",
        "if-none-match",
        "authorization",
        "cookie",
        "accept-encoding",
    ];
    let value = prop_oneof![
        3 => select(vec!["localhost:8080", "http://localhost:8080", "application/json", "text/plain", "3", "*", "Bearer x", "same-origin"])
            .prop_map(|value| value.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
        1 => Just(vec![b'x'; 20_000]),
    ];
    let usual: Vec<(&'static str, Vec<u8>)> = vec![
        ("host", b"localhost:8080".to_vec()),
        ("content-type", b"application/json".to_vec()),
    ];
    vec((select(&NAMES[..]), value), 0..2)
        .prop_map(move |further| {
            let mut all = usual.clone();
            for (name, value) in further {
                all.retain(|(known, _)| *known != name);
                all.push((name, value));
            }
            all
        })
        .boxed()
}

/// Any JSON value.
fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec![0.0, -1.0, 1e-300, 1e300]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec!["heston", "../../etc/passwd", "/dev/zero", "kfac"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
    .boxed()
}

/// A value of the schema, but for one part in eight.
fn valid(name: &str, schema: &Value, known: &Known) -> BoxedStrategy<Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return valid(name, &known.schemas[name], known);
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let choices: Vec<_> = choices.iter().map(|c| valid(name, c, known)).collect();
        return proptest::strategy::Union::new(choices).boxed();
    }
    let names = schema["enum"].as_array();
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    let right = match (name, kind) {
        _ if names.is_some() => select(names.unwrap().clone()).boxed(),
        _ if !schema["const"].is_null() => Just(schema["const"].clone()).boxed(),
        ("rows", _) => rows().prop_map(Value::from).boxed(),
        ("text", _) => rows().prop_map(|rows| csv(&rows).into()).boxed(),
        ("strategy", _) => strategy_text().prop_map(Value::from).boxed(),
        ("fields", _) => {
            let pair = (select(known.keys.clone()), value());
            vec(pair, 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
                .boxed()
        }
        ("file" | "files" | "surface", Some("string")) => {
            select(known.files.clone()).prop_map(Value::from).boxed()
        }
        ("run", _) => select(known.runs.clone()).prop_map(Value::from).boxed(),
        (_, Some("integer")) => (-2i64..300).prop_map(Value::from).boxed(),
        (_, Some("number")) => (-1.0..2.0).prop_map(Value::from).boxed(),
        (_, Some("boolean")) => any::<bool>().prop_map(Value::from).boxed(),
        (name, Some("array")) => vec(valid(name, &schema["items"], known), 0..4)
            .prop_map(Value::from)
            .boxed(),
        (_, Some("object")) => object(schema, known),
        _ => any::<String>().prop_map(Value::from).boxed(),
    };
    prop_oneof![7 => right, 1 => value()].boxed()
}

fn object(schema: &Value, known: &Known) -> BoxedStrategy<Value> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let parts: Vec<_> = properties
        .iter()
        .map(|(name, schema)| {
            let share = if required.contains(&json!(name)) {
                0.95
            } else {
                0.3
            };
            let name = name.clone();
            let value = valid(&name, schema, known);
            proptest::option::weighted(share, value.prop_map(move |value| (name.clone(), value)))
        })
        .collect();
    parts
        .prop_map(|parts| Value::Object(parts.into_iter().flatten().collect::<Map<_, _>>()))
        .boxed()
}

/// Rows of a book on the made-up closes, cells of which may be others.
fn rows() -> impl Strategy<Value = Vec<Value>> {
    let sold = prop_oneof![
        8 => (300..320usize).prop_map(|number| day(number).to_string().into()),
        1 => value(),
    ];
    let quantity = prop_oneof![8 => (-5i64..6).prop_map(Value::from), 1 => value()];
    let further = select(vec![
        "id",
        "type",
        "strike",
        "expiry",
        "held",
        "held_spot",
        "other",
    ]);
    let row = (
        sold,
        quantity,
        proptest::option::weighted(0.1, (further, value())),
    );
    let row = row.prop_map(|(sold, quantity, further)| {
        let mut row = json!({ "sold": sold, "quantity": quantity });
        if let Some((name, value)) = further {
            row[name] = value;
        }
        row
    });
    vec(row, 0..6)
}

/// The same as text.
fn csv(rows: &[Value]) -> String {
    let rows = rows.iter().map(|row| {
        format!(
            "{},{}\n",
            row["sold"].as_str().unwrap_or_default(),
            row["quantity"]
        )
    });
    format!("sold,quantity\n{}", rows.collect::<String>())
}

/// A small strategy file, one line of which may be another.
fn strategy_text() -> BoxedStrategy<String> {
    let lines = SMALL.lines().count();
    let other = prop_oneof![
        "[a-z_.]{1,12} = [0-9a-z\"\\[\\]{}.-]{0,12}",
        (
            select(vec!["sigma", "steps", "hidden", "paths", "seed", "rho"]),
            any::<f64>()
        )
            .prop_map(|(key, value)| format!("{key} = {value}")),
        Just("[backtest]\ndata = \"/dev/zero\"".to_owned()),
        Just("[market]\nmodel = \"surface_bootstrap\"\nsurface = \"/dev/zero\"".to_owned()),
        any::<String>(),
    ];
    (0..2 * lines, other)
        .prop_map(|(place, other)| {
            let replaced =
                SMALL.lines().enumerate().map(
                    |(index, line)| {
                        if index == place { other.as_str() } else { line }
                    },
                );
            replaced.collect::<Vec<_>>().join("\n")
        })
        .boxed()
}

fn body(operation: &Operation, known: &Known) -> BoxedStrategy<Vec<u8>> {
    if operation.body.is_null() {
        // An upload may be anything.
        let share = if operation.path == "/api/v1/data" {
            9
        } else {
            1
        };
        return prop_oneof![
            9 => Just(Vec::new()),
            share => vec(any::<u8>(), 0..200),
            share => Just(vec![b'x'; 100_000]),
        ]
        .boxed();
    }
    prop_oneof![
        12 => valid("", &operation.body, known).prop_map(|value| value.to_string().into_bytes()),
        2 => value().prop_map(|value| value.to_string().into_bytes()),
        1 => vec(any::<u8>(), 0..200),
        1 => Just("[".repeat(100_000).into_bytes()),
    ]
    .boxed()
}

pub fn asked(operation: &Operation, known: &Known) -> BoxedStrategy<Asked> {
    let usual = operation.method.clone();
    let method = prop_oneof![
        12 => Just(usual),
        1 => select(vec!["GET", "HEAD", "PUT", "POST", "OPTIONS", "TRACE", "X"]).prop_map(str::to_owned),
    ];
    let parts = (
        method,
        path(operation, known),
        query(operation, known),
        headers(),
        body(operation, known),
    );
    parts
        .prop_map(|(method, path, query, headers, body)| Asked {
            method,
            address: if query.is_empty() {
                path
            } else {
                format!("{path}?{query}")
            },
            headers,
            body,
        })
        .boxed()
}
