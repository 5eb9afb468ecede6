//! Settings from dicts, and documents as dicts.

use super::failure::input;
use crate::error::excerpt;
use crate::experiment;
use chrono::NaiveDate;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use std::path::PathBuf;

/// A dict of settings as the table that a strategy file with the same keys is read into.
///
/// # Errors
/// [`super::failure::InputError`] naming the key of a value that no file can have.
pub fn table(of: &Bound<'_, PyDict>) -> PyResult<toml::Table> {
    within(of, "")
}

fn within(of: &Bound<'_, PyDict>, place: &str) -> PyResult<toml::Table> {
    let mut table = toml::Table::new();
    for (key, value) in of {
        let Ok(name) = key.cast::<PyString>() else {
            return Err(input(format!(
                "{}: keys must be texts, was {}",
                if place.is_empty() { "strategy" } else { place },
                shown(&key)
            )));
        };
        let name = name.to_string();
        let whole = match place {
            "" => name.clone(),
            place => format!("{place}.{name}"),
        };
        table.insert(name, setting(&value, &whole)?);
    }
    Ok(table)
}

/// A value as a file has it. NumPy's numbers and arrays are those of Python.
fn setting(of: &Bound<'_, PyAny>, key: &str) -> PyResult<toml::Value> {
    // A truth value is a number too.
    if let Ok(flag) = of.cast::<PyBool>() {
        return Ok(flag.is_true().into());
    }
    if let Ok(number) = of.cast::<PyInt>() {
        let number: Result<i64, _> = number.extract();
        return number
            .map(Into::into)
            .map_err(|_| input(format!("`{key}` must be below 2^63, was {}", shown(of))));
    }
    if let Ok(number) = of.cast::<PyFloat>() {
        return Ok(number.extract::<f64>()?.into());
    }
    if let Ok(text) = of.cast::<PyString>() {
        return Ok(text.to_string().into());
    }
    if let Ok(dict) = of.cast::<PyDict>() {
        return Ok(within(dict, key)?.into());
    }
    if of.is_instance_of::<PyList>() || of.is_instance_of::<PyTuple>() {
        let entries = of.try_iter()?.enumerate();
        let entries = entries.map(|(place, one)| setting(&one?, &format!("{key}[{place}]")));
        return Ok(toml::Value::Array(entries.collect::<PyResult<_>>()?));
    }
    if of.hasattr("tolist")? {
        return setting(&of.call_method0("tolist")?, key);
    }
    if of.hasattr("isoformat")? || of.hasattr("__fspath__")? {
        return Ok(of.str()?.to_string().into());
    }
    Err(input(format!(
        "`{key}` must be a text, a number, a truth value, a date, a list or a dict, was {}",
        shown(of)
    )))
}

/// A value as an error shows it.
fn shown(of: &Bound<'_, PyAny>) -> String {
    of.repr()
        .map_or_else(|_| "another".into(), |text| excerpt(&text.to_string()))
}

/// A document as dicts and lists.
///
/// # Errors
/// If Python has no memory.
pub fn document<'py>(py: Python<'py>, of: &serde_json::Value) -> PyResult<Bound<'py, PyAny>> {
    use serde_json::Value;
    Ok(match of {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (None, Some(number)) => number.into_pyobject(py)?.into_any(),
            (None, None) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                PyFloat::new(py, number).into_any()
            }
        },
        Value::Array(entries) => {
            let list = PyList::empty(py);
            for entry in entries {
                list.append(document(py, entry)?)?;
            }
            list.into_any()
        }
        Value::Object(entries) => {
            let dict = PyDict::new(py);
            for (key, value) in entries {
                dict.set_item(key, document(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// A date of Python, or a text such as 2004-01-31.
///
/// # Errors
/// [`super::failure::InputError`] with the name of the argument.
pub fn day(argument: &str, of: Option<Bound<'_, PyAny>>) -> PyResult<Option<NaiveDate>> {
    let Some(of) = of else {
        return Ok(None);
    };
    let text = of.str()?.to_string();
    match experiment::day(&text) {
        Some(day) => Ok(Some(day)),
        None => Err(input(format!(
            "`{argument}` must be {}, was {}",
            experiment::DAY,
            shown(&of)
        ))),
    }
}

/// A whole number of at least `least`.
///
/// # Errors
/// [`super::failure::InputError`] with the name of the argument.
pub fn whole<T: TryFrom<i64>>(argument: &str, value: i64, least: i64) -> PyResult<T> {
    let number = T::try_from(value).ok().filter(|_| value >= least);
    number.ok_or_else(|| {
        input(format!(
            "`{argument}` must be at least {least}, was {value}"
        ))
    })
}

/// One path or several.
#[derive(FromPyObject)]
pub enum Files {
    /// One.
    One(PathBuf),
    /// Several, in their order.
    Several(Vec<PathBuf>),
}

impl From<Files> for Vec<PathBuf> {
    fn from(files: Files) -> Self {
        match files {
            Files::One(file) => vec![file],
            Files::Several(files) => files,
        }
    }
}

/// The name of an argument as errors show it.
pub fn argument(name: &str) -> String {
    format!("`{name}`")
}
