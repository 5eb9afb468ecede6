//! A plan that is written down before its test is run, with its hash.

use super::protocol::Registered;
use super::store::{RunFolder, from_json, to_json};
use crate::error::{Error, Result, excerpt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::File;
use std::path::Path;

/// The file of the registration in the folder of a run that was begun under one.
pub const FILE: &str = "registration.json";

/// What is going to be done, and by which rules it will be judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyPlan {
    /// The version of the program.
    pub version: String,
    /// The recipes: every strategy with all defaults, and the names of its files in the place of their paths.
    pub strategies: Vec<Value>,
    /// Every file that a strategy names.
    pub data: Vec<DataFile>,
    /// What is sold when, of every strategy.
    pub periods: Vec<Periods>,
    /// How what comes out will be judged.
    pub statistics: Rules,
}

/// A file that a strategy names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its name without its folder.
    pub name: String,
    /// The SHA-256 of its contents.
    pub sha256: String,
}

/// The periods of a strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periods {
    /// The name of the strategy.
    pub strategy: String,
    /// The validation period, if there is one.
    pub validation: Option<Sales>,
    /// The test, unless sales end before it.
    pub test: Option<Sales>,
}

/// The sales of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sales {
    /// The first day of sale.
    pub first: String,
    /// The last day of sale.
    pub last: String,
    /// The number of contracts.
    pub contracts: usize,
    /// The number of windows, each with policies of its own.
    pub windows: usize,
}

/// The rules by which rows are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// The statistics.
    pub statistics: Vec<String>,
    /// The confidence of intervals.
    pub confidence: f64,
    /// The bootstrap, in words.
    pub bootstrap: String,
    /// Resamples of the bootstrap.
    pub draws: usize,
    /// The mean length of its blocks in trading days, unless contracts live longer.
    pub block: f64,
    /// How p-values are corrected for their number.
    pub correction: String,
    /// How the recipe and the best classical hedge are chosen.
    pub choice: String,
}

/// A plan, its hash, and when it was registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The SHA-256 of [`StudyPlan`] as JSON without spaces, with the keys of every object in the order of the alphabet.
    pub sha256: String,
    /// When it was registered, in the universal time (RFC 3339).
    pub registered: String,
    /// The plan.
    pub plan: StudyPlan,
}

impl StudyPlan {
    fn value(&self) -> Value {
        serde_json::to_value(self).expect("a plan of numbers and texts has a form in JSON")
    }

    /// The SHA-256 of the plan.
    pub fn sha256(&self) -> String {
        let mut text = String::new();
        canonical(&self.value(), &mut text);
        hex(&Sha256::digest(text.as_bytes()))
    }
}

impl Registration {
    /// Registers a plan, now.
    pub fn new(plan: StudyPlan) -> Self {
        Self {
            sha256: plan.sha256(),
            registered: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            plan,
        }
    }

    /// Reads a registered plan.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is not what it should be, or does not have the hash of its plan.
    pub fn read(path: &Path) -> Result<Self> {
        let of = |why: String| Error::input(format!("{}: {why}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| of(error.to_string()))?;
        let found: Self = from_json(&bytes).map_err(of)?;
        found.check().map_err(of)?;
        Ok(found)
    }

    /// The registration that a run was begun under, if there is one.
    ///
    /// # Errors
    /// [`Error::Input`] as of [`Registration::read`].
    pub fn of_run(folder: &RunFolder) -> Result<Option<Self>> {
        let Some(found) = folder.read_json::<Self>(FILE)? else {
            return Ok(None);
        };
        let of = |why| Error::input(format!("run `{}`: {FILE}: {why}", folder.id()));
        found.check().map_err(of)?;
        Ok(Some(found))
    }

    fn check(&self) -> std::result::Result<(), String> {
        let own = self.plan.sha256();
        match own == self.sha256 {
            true => Ok(()),
            false => Err(format!(
                "the plan was changed: its SHA-256 is {}…, it was registered as {}",
                &own[..12],
                excerpt(&self.sha256)
            )),
        }
    }

    /// The registration as indented JSON.
    ///
    /// # Errors
    /// [`Error::Computation`] if it has no form in JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        to_json(self).map_err(|why| Error::Computation(format!("registration: {why}")))
    }

    /// The hash and the time.
    pub fn registered(&self) -> Registered {
        Registered {
            sha256: self.sha256.clone(),
            registered: self.registered.clone(),
        }
    }

    /// Whether `plan` is the one that was registered.
    ///
    /// # Errors
    /// [`Error::Input`] naming the first difference.
    pub fn covers(&self, plan: &StudyPlan) -> Result<()> {
        match difference(&plan.value(), &self.plan.value(), "plan") {
            None => Ok(()),
            Some(difference) => Err(refused(&difference)),
        }
    }

    /// Whether the plan of one strategy is part of the one that was registered.
    ///
    /// # Errors
    /// [`Error::Input`] naming the first difference from the strategy of the same name.
    pub fn covers_one(&self, plan: &StudyPlan) -> Result<()> {
        let name = |strategy: &Value| strategy.get("name").cloned();
        for strategy in &plan.strategies {
            let mut registered = self.plan.strategies.iter();
            let Some(own) = registered.find(|one| name(one) == name(strategy)) else {
                return Err(refused("its strategy has another name"));
            };
            if let Some(difference) = difference(strategy, own, "plan.strategies") {
                return Err(refused(&difference));
            }
        }
        let unknown = |file: &&DataFile| !self.plan.data.contains(file);
        if let Some(file) = plan.data.iter().find(unknown) {
            return Err(refused(&format!("`{}` has other contents", file.name)));
        }
        if plan.version != self.plan.version {
            let (own, registered) = (&plan.version, &self.plan.version);
            let why = format!("`plan.version` is \"{own}\", registered was \"{registered}\"");
            return Err(refused(&why));
        }
        Ok(())
    }
}

fn refused(difference: &str) -> Error {
    Error::input(format!("the plan is not the registered one: {difference}"))
}

/// A strategy in which the absolute paths of files are their names, and these files.
///
/// # Errors
/// [`Error::File`] if a file cannot be read.
pub fn portable(strategy: &toml::Table) -> Result<(Value, Vec<DataFile>)> {
    let mut value = serde_json::to_value(strategy)
        .map_err(|error| Error::Computation(format!("strategy as JSON: {error}")))?;
    let mut files = Vec::new();
    named(&mut value, &mut files)?;
    Ok((value, files))
}

fn named(value: &mut Value, files: &mut Vec<DataFile>) -> Result<()> {
    match value {
        Value::String(text) => {
            let path = Path::new(text.as_str());
            if path.is_absolute()
                && path.is_file()
                && let Some(name) = path.file_name()
            {
                let name = name.to_string_lossy().into_owned();
                let sha256 = sha256_of(path)?;
                *text = name.clone();
                files.push(DataFile { name, sha256 });
            }
            Ok(())
        }
        Value::Array(values) => values.iter_mut().try_for_each(|value| named(value, files)),
        Value::Object(map) => map.values_mut().try_for_each(|value| named(value, files)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// The SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
/// If it cannot be read.
pub fn sha256_of(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    let read =
        File::open(path).and_then(|mut file| std::io::copy(&mut file, &mut Sink(&mut hasher)));
    crate::error::at_path(path, read)?;
    Ok(hex(&hasher.finalize()))
}

/// A hash that a file is copied into.
struct Sink<'a>(&'a mut Sha256);

impl std::io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// JSON without spaces, the keys of every object in the order of the alphabet.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            text.push('{');
            for (place, key) in keys.into_iter().enumerate() {
                text.push_str(if place > 0 { "," } else { "" });
                text.push_str(&Value::String(key.clone()).to_string());
                text.push(':');
                canonical(&map[key], text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                text.push_str(if place > 0 { "," } else { "" });
                canonical(value, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}

/// Where two values first differ, in words.
fn difference(is: &Value, was: &Value, place: &str) -> Option<String> {
    let shown = |value: &Value| excerpt(&value.to_string());
    match (is, was) {
        (Value::Object(is), Value::Object(was)) => {
            let within = |key: &str| format!("{place}.{key}");
            for (key, value) in is {
                let Some(other) = was.get(key) else {
                    return Some(format!(
                        "`{}` is {}, registered was none",
                        within(key),
                        shown(value)
                    ));
                };
                if let Some(found) = difference(value, other, &within(key)) {
                    return Some(found);
                }
            }
            let gone = was.iter().find(|(key, _)| !is.contains_key(*key));
            gone.map(|(key, value)| {
                let value = shown(value);
                format!("`{}` is not given, registered was {value}", within(key))
            })
        }
        (Value::Array(is), Value::Array(was)) if is.len() == was.len() => {
            let pairs = is.iter().zip(was).enumerate();
            pairs
                .map(|(number, (is, was))| difference(is, was, &format!("{place}[{number}]")))
                .find_map(|found| found)
        }
        (is, was) if is == was => None,
        (is, was) => Some(format!(
            "`{place}` is {}, registered was {}",
            shown(is),
            shown(was)
        )),
    }
}

#[cfg(test)]
#[path = "registration_tests.rs"]
mod tests;
