//! A struct of settings says everything once, and whatever is made of it says the same.

use super::*;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

/// How it is done.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Manner {
    /// Without haste.
    Slow,
    /// At once.
    VeryFast,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the schema names what the test does not make")]
enum Amount {
    Number(f64),
    Moneyness { moneyness: f64 },
    Rule(Manner),
}

/// The keys of a test.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["days"]))]
struct Keys {
    /// How long
    /// it is.
    #[schemars(title = "Tenor", extend("exclusiveMinimum" = 0.0, "x-unit" = "days"))]
    days: f64,
    /// A correlation.
    #[schemars(extend("exclusiveMinimum" = -1.0, "exclusiveMaximum" = 1.0))]
    rho: f64,
    #[schemars(range(min = 1, max = 64))]
    layers: usize,
    manner: Manner,
    #[schemars(extend("x-when" = {"manner": ["slow"]}))]
    patience: f64,
    #[schemars(extend("x-default" = "the spot"))]
    strike: Option<Amount>,
    #[schemars(inner(range(min = 1)))]
    lengths: Vec<usize>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            days: 30.0,
            rho: -0.5,
            layers: 2,
            manner: Manner::VeryFast,
            patience: 3.0,
            strike: None,
            lengths: Vec::new(),
        }
    }
}

fn checked(text: &str) -> Result<(), String> {
    let table: toml::Table = text.parse().unwrap();
    let table = toml::Value::Table(table);
    check(&schema(&Keys::default()), &table, "test").map_err(|error| error.to_string())
}

/// Types, bounds, words, alternatives, lists, missing and unknown keys, and keys without meaning are refused with key, value
/// and bound; ends that are excluded are, and a whole number stands for a number.
#[test]
fn faults_name_key_value_and_bound() {
    for (text, message) in [
        ("rho = 0.1", "`test.days` is missing"),
        ("days = 0", "`test.days` must be positive, was 0"),
        ("days = nan", "`test.days` must be positive, was NaN"),
        (
            "days = \"two\"",
            "`test.days` must be a number, was \"two\"",
        ),
        ("days = 1\nrho = 1", "`test.rho` must be in (-1, 1), was 1"),
        (
            "days = 1\nlayers = 65",
            "`test.layers` must be in [1, 64], was 65",
        ),
        (
            "days = 1\nlayers = 1.5",
            "`test.layers` must be a whole number, was 1.5",
        ),
        (
            "days = 1\nmanner = \"fast\"",
            "`test.manner` must be one of slow, very_fast, was \"fast\"",
        ),
        (
            "days = 1\nstrike = \"atm\"",
            "`test.strike` must be a number, { moneyness = x } or one of slow, very_fast, was \"atm\"",
        ),
        (
            "days = 1\nstrike = { moneynes = 1 }",
            "`test.strike.moneynes`: unknown key, did you mean `moneyness`?",
        ),
        (
            "days = 1\nlengths = [3, 0]",
            "`test.lengths` must be at least 1, was 0",
        ),
        (
            "days = 1\nlayer = 3",
            "`test.layer`: unknown key, did you mean `layers`?",
        ),
        (
            "days = 1\ncolour = 3",
            "`test.colour`: unknown key, must be one of days, rho, layers, manner, patience, strike, lengths",
        ),
        (
            "days = 1\npatience = 1.0",
            "`test.patience` has no meaning for the manner \"very_fast\"",
        ),
    ] {
        assert_eq!(checked(text).unwrap_err(), message, "{text}");
    }
    for text in [
        "days = 1",
        "days = 0.5\nrho = 0\nstrike = { moneyness = 1 }",
        "days = 1\nmanner = \"slow\"\npatience = 1",
        // What a strategy with every default written out says.
        "days = 1\npatience = 3.0",
    ] {
        assert_eq!(checked(text), Ok(()), "{text}");
    }
}

/// What is listed of a key is what is declared of its field.
#[test]
fn keys_are_listed_as_they_are_declared() {
    let listed = keys(&schema(&Keys::default()), "test");
    let named = |name: &str| {
        let key = format!("test.{name}");
        listed.iter().find(|one| one.key == key).unwrap()
    };
    let days = named("days");
    assert_eq!(
        (days.title.as_str(), days.unit.as_deref()),
        ("Tenor", Some("days"))
    );
    assert_eq!(days.help, "How long it is.");
    assert_eq!((days.least, days.most), (Some((0.0, true)), None));
    assert!(days.required && days.default.is_none());
    assert_eq!(days.default_words(), "required");
    assert_eq!(named("rho").bound, "in (-1, 1)");
    assert_eq!(named("layers").default, Some(json!(2)));
    let manner = named("manner");
    assert_eq!(manner.default, Some(json!("very_fast")));
    let choices = manner
        .choices
        .iter()
        .map(|one| (one.name.as_str(), one.help.as_deref()));
    assert!(choices.eq([
        ("slow", Some("Without haste.")),
        ("very_fast", Some("At once."))
    ]));
    assert_eq!(named("strike").default_words(), "the spot");
    assert_eq!(named("patience").when[0].values, [json!("slow")]);
}

/// The schema refers to nothing and has no null, which TOML has no word for.
#[test]
fn the_schema_stands_alone() {
    let text = schema(&Keys::default()).to_string();
    assert!(!text.contains("$ref") && !text.contains("null"), "{text}");
}

/// What has no meaning and is at its default goes; nothing else does.
#[test]
fn keys_without_meaning_are_pruned() {
    let left = |keys: &Keys| {
        let mut table = toml::Table::try_from(keys).unwrap();
        prune(&schema(&Keys::default()), &mut table);
        table.contains_key("patience")
    };
    let slow = Keys {
        manner: Manner::Slow,
        ..Keys::default()
    };
    let wrong = Keys {
        patience: 1.0,
        ..Keys::default()
    };
    assert_eq!(
        [Keys::default(), slow, wrong].map(|keys| left(&keys)),
        [false, true, true]
    );
}
