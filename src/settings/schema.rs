//! The JSON Schema of a struct of settings.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The JSON Schema (draft 07) of the settings `T`, whose defaults are the values that `defaults` has.
///
/// It refers to nothing: every type stands where it is used, so that an editor shows the help of each key. Choices are an
/// `enum`, and what each one means is in `x-taplo.docs.enumValues`, where TOML language servers look for it.
///
/// # Panics
/// If `defaults` has no form in JSON, which no struct of settings lacks.
pub fn schema<T: JsonSchema + Serialize>(defaults: &T) -> Value {
    let mut schema = declared::<T>();
    let defaults = serde_json::to_value(defaults).expect("settings have a form in JSON");
    with_defaults(&mut schema, &defaults);
    schema
}

/// The JSON Schema of [`schema`] of settings that have no defaults.
pub fn declared<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let generator = settings.into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("title");
    }
    schema
}

/// Brings what `schemars` makes of a type into the form that [`schema`] promises.
fn tidy(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("format");
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::String(text)) = object.get_mut("description") {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // A link leads somewhere in the documentation of the library alone.
        *text = line.replace("[`", "`").replace("`]", "`");
    }
    without_null(object);
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(keyword) {
            tidy(inner);
        }
    }
    for keyword in ["anyOf", "oneOf"] {
        let inner = object.get_mut(keyword).and_then(Value::as_array_mut);
        inner.into_iter().flatten().for_each(tidy);
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(tidy);
    }
    merge_choices(object);
    if let Some(word) = object.remove("const") {
        object.insert("enum".into(), json!([word]));
    }
}

/// Takes the null away that stands for an absent key, which TOML has no word for.
fn without_null(object: &mut Map<String, Value>) {
    let is_null = |schema: &Value| schema["type"] == "null";
    for keyword in ["anyOf", "oneOf"] {
        let Some(alternatives) = object.get_mut(keyword).and_then(Value::as_array_mut) else {
            continue;
        };
        alternatives.retain(|alternative| !is_null(alternative));
        if let [Value::Object(only)] = alternatives.as_slice() {
            let only = only.clone();
            object.remove(keyword);
            for (name, value) in only {
                object.entry(name).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            object["type"] = only.clone();
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
}

/// Words that are described one by one become one `enum`, with the descriptions beside it.
fn merge_choices(object: &mut Map<String, Value>) {
    let Some(alternatives) = object.get("oneOf").and_then(Value::as_array) else {
        return;
    };
    let mut words = Vec::new();
    let mut meanings = Vec::new();
    for alternative in alternatives {
        let meaning = alternative
            .get("description")
            .cloned()
            .unwrap_or(Value::Null);
        let Some(several) = alternative["enum"].as_array() else {
            return;
        };
        words.extend(several.iter().cloned());
        meanings.extend(several.iter().map(|_| meaning.clone()));
    }
    object.remove("oneOf");
    object.insert("type".into(), json!("string"));
    object.insert("enum".into(), words.into());
    object.insert(
        "x-taplo".into(),
        json!({ "docs": { "enumValues": meanings } }),
    );
}

/// Writes the values of `defaults` into the properties of `schema`; what is required has none.
fn with_defaults(schema: &mut Value, defaults: &Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let Some(properties) = schema["properties"].as_object_mut() else {
        return;
    };
    for (name, property) in properties {
        let value = &defaults[name];
        let sections = property["properties"].is_object() && value.is_object();
        if sections {
            with_defaults(property, value);
        }
        let Some(property) = property.as_object_mut() else {
            continue;
        };
        property.remove("default");
        if !(sections || value.is_null() || required.iter().any(|key| key == name)) {
            property.insert("default".into(), value.clone());
        }
    }
}
