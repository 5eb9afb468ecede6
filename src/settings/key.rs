//! Keys as people read them: name, help, unit, default and bound in words.

use serde::Serialize;
use serde_json::Value;

/// A setting of a strategy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    /// The dotted name: `training.steps`; `NAME` stands for a name of the file's own.
    pub key: String,
    /// What a form calls it.
    pub title: String,
    /// What it is, in whole sentences.
    pub help: String,
    /// The kind of its value.
    pub kind: Kind,
    /// The unit of a number that has one.
    pub unit: Option<String>,
    /// The default, absent if there is none or it depends on other settings.
    pub default: Option<Value>,
    /// The default in words where it depends on other settings.
    pub default_rule: Option<String>,
    /// Whether it must be given.
    pub required: bool,
    /// What it must be, in words.
    pub bound: String,
    /// The least number, and whether it is excluded.
    pub least: Option<(f64, bool)>,
    /// The greatest number, and whether it is excluded.
    pub most: Option<(f64, bool)>,
    /// The words to choose from; of a list, those of its entries.
    pub choices: Vec<Choice>,
    /// Whether it takes those words alone; of a list, whether its entries do.
    pub only_choices: bool,
    /// The values of other keys beside which it has a meaning.
    pub when: Vec<When>,
}

/// A word to choose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The word as it is written.
    pub name: String,
    /// What it means, if its name does not say so.
    pub help: Option<String>,
}

/// What kind of value a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// A word out of some, or any text.
    Text,
    /// Several values.
    List,
    /// Values by names.
    Table,
    /// A number or a word or a table.
    Any,
}

/// The values of another key beside which a key has a meaning.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct When {
    /// The other key of the same section.
    pub key: String,
    /// Its values.
    pub values: Vec<Value>,
}

impl When {
    /// The conditions that a property states.
    pub(super) fn of(property: &Value) -> Vec<Self> {
        let conditions = property["x-when"].as_object().into_iter().flatten();
        let condition = |(key, values): (&String, &Value)| Self {
            key: key.clone(),
            values: values.as_array().cloned().unwrap_or_default(),
        };
        conditions.map(condition).collect()
    }

    /// Whether the other key has one of the values in `table`, or by default.
    pub(super) fn holds(&self, schema: &Value, table: &toml::Table) -> bool {
        self.values.contains(&self.value(schema, table))
    }

    fn value(&self, schema: &Value, table: &toml::Table) -> Value {
        let written = table.get(&self.key);
        let written = written.and_then(|value| serde_json::to_value(value).ok());
        written.unwrap_or_else(|| schema["properties"][&self.key]["default"].clone())
    }

    /// Why a key has no meaning, in words that follow "has no meaning".
    pub(super) fn refused(&self, schema: &Value, table: &toml::Table) -> String {
        match self.value(schema, table) {
            Value::Bool(_) => format!("without `{}`", self.key),
            value => format!("for the {} {value}", self.key.replace('_', " ")),
        }
    }

    /// The condition in words: `variance = realised or garman_klass`.
    pub fn words(&self) -> String {
        let values: Vec<String> = self.values.iter().map(plain).collect();
        format!("{} = {}", self.key, values.join(" or "))
    }
}

/// The keys of a schema whose dotted names begin with `section`, those of its sections among them.
pub fn keys(schema: &Value, section: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    collect(schema, section, &mut keys);
    keys
}

fn collect(schema: &Value, section: &str, keys: &mut Vec<Key>) {
    let properties = schema["properties"].as_object().into_iter().flatten();
    for (name, property) in properties {
        let key = match section {
            "" => name.clone(),
            section => format!("{section}.{name}"),
        };
        if property["properties"].is_object() {
            collect(property, &key, keys);
            continue;
        }
        let required = schema["required"].as_array();
        let required = required.is_some_and(|required| required.iter().any(|one| one == name));
        keys.push(Key::new(key, name, property, required));
    }
}

impl Key {
    fn new(key: String, name: &str, property: &Value, required: bool) -> Self {
        let text = |keyword: &str| property[keyword].as_str().map(str::to_owned);
        let end = |inclusive: &str, exclusive: &str| match property[exclusive].as_f64() {
            Some(bound) => Some((bound, true)),
            None => property[inclusive].as_f64().map(|bound| (bound, false)),
        };
        Self {
            title: text("title").unwrap_or_else(|| title(name)),
            help: text("description").unwrap_or_default(),
            kind: Kind::of(property),
            unit: text("x-unit"),
            default: property.get("default").cloned(),
            default_rule: text("x-default"),
            required,
            bound: described(property),
            least: end("minimum", "exclusiveMinimum"),
            most: end("maximum", "exclusiveMaximum"),
            choices: choices(property),
            only_choices: property["enum"].is_array() || property["items"]["enum"].is_array(),
            when: When::of(property),
            key,
        }
    }

    /// The default in words, empty if the key is absent unless it is given.
    pub fn default_words(&self) -> String {
        match (&self.default_rule, &self.default, self.required) {
            (Some(rule), _, _) => rule.clone(),
            (None, Some(value), _) => plain(value),
            (None, None, true) => "required".into(),
            (None, None, false) => String::new(),
        }
    }
}

/// The name of a key as a form shows it.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// A value as a person writes it: a word without quotes, a list with commas.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_u64() && !number.is_i64() => small(float),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// The number in digits, or with an exponent if it is small.
fn small(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-3 {
        format!("{number:e}")
    } else {
        number.to_string()
    }
}

impl Kind {
    fn of(property: &Value) -> Self {
        match property["type"].as_str() {
            Some("boolean") => Self::Boolean,
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            Some("string") => Self::Text,
            Some("array") => Self::List,
            Some("object") => Self::Table,
            _ => Self::Any,
        }
    }
}

fn alternatives(property: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["anyOf", "oneOf"].map(|keyword| property[keyword].as_array());
    lists.into_iter().flatten().flatten()
}

/// The words of a property, of its alternatives or of its entries.
fn choices(property: &Value) -> Vec<Choice> {
    let mut found = Vec::new();
    let help = &property["x-taplo"]["docs"]["enumValues"];
    let words = property["enum"].as_array().into_iter().flatten();
    for (at, word) in words.enumerate() {
        found.push(Choice {
            name: plain(word),
            help: help[at].as_str().map(str::to_owned),
        });
    }
    found.extend(alternatives(property).flat_map(choices));
    if property["items"].is_object() {
        found.extend(choices(&property["items"]));
    }
    found
}

/// The bounds of a number in words that follow "must be": `in [0, 1)`, `at least 2`, `positive`.
pub(super) fn limits(property: &Value) -> Option<String> {
    let bound = |keyword: &str| property[keyword].as_f64();
    let low = match (bound("exclusiveMinimum"), bound("minimum")) {
        (Some(low), _) => Some((low, true)),
        (None, low) => low.map(|low| (low, false)),
    };
    let high = match (bound("exclusiveMaximum"), bound("maximum")) {
        (Some(high), _) => Some((high, true)),
        (None, high) => high.map(|high| (high, false)),
    };
    Some(match (low, high) {
        (Some((low, below)), Some((high, above))) => format!(
            "in {}{low}, {high}{}",
            if below { '(' } else { '[' },
            if above { ')' } else { ']' }
        ),
        (Some((0.0, true)), None) => "positive".into(),
        (Some((low, true)), None) => format!("above {low}"),
        (Some((low, false)), None) => format!("at least {low}"),
        (None, Some((high, true))) => format!("below {high}"),
        (None, Some((high, false))) => format!("at most {high}"),
        (None, None) => return None,
    })
}

/// What a key takes, in words that follow "must be".
pub(super) fn expected(property: &Value) -> String {
    let mut words: Vec<String> = alternatives(property).map(expected).collect();
    words.dedup();
    if let [rest @ .., last] = words.as_slice() {
        return match rest {
            [] => last.clone(),
            rest => format!("{} or {last}", rest.join(", ")),
        };
    }
    if let Some(choices) = property["enum"].as_array() {
        let names: Vec<String> = choices.iter().map(plain).collect();
        return match names.as_slice() {
            [only] => format!("\"{only}\""),
            names => format!("one of {}", names.join(", ")),
        };
    }
    match property["type"].as_str() {
        Some("integer") => "a whole number".into(),
        Some("number") => "a number".into(),
        Some("boolean") => "true or false".into(),
        Some("array") => "a list".into(),
        Some("string") => "text".into(),
        _ => match property["required"].as_array().map(Vec::as_slice) {
            Some([only]) => format!("{{ {} = x }}", plain(only)),
            _ => "a table".into(),
        },
    }
}

/// The bound of a key as a list of keys shows it: the limits of a number, or what it takes.
fn described(property: &Value) -> String {
    let whole = property["type"] == "integer";
    match limits(property) {
        Some(limits) if whole => format!("a whole number, {limits}"),
        Some(limits) => limits,
        None if property["type"] == "array" => {
            format!("a list: {}", expected(&property["items"]))
        }
        None => expected(property),
    }
}
