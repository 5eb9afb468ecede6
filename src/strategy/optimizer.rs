//! The sections `optimizers.NAME`.

use super::training::TrainingSection;
use crate::bounds::{MOST_PATHS, outside, within};
use crate::error::{Error, Result, excerpt};
use crate::network::Shape;
use crate::optimizer::{Averaging, Build, Method};
use crate::settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

/// The learning rate of a method that has one.
const RATE: &str = "learning_rate";

/// The setting that a network may have a default of its own for.
const START_RATE: &str = "start_learning_rate";

/// A validated optimizer, and how long and on how many paths a step it trains.
#[derive(Debug, Clone)]
pub struct OptimizerPlan {
    /// The name of its section, by which tables and files call it.
    pub name: String,
    /// The method of training.
    pub method: Method,
    /// Steps as a multiple of the strategy's.
    pub relative_steps: f64,
    /// Paths of a step.
    pub paths: usize,
    /// Candidates that they are chosen of; 0 where all that are simulated are swept.
    pub pool: usize,
    /// The threshold of a thinned backward sweep, in mean weights; 0 where all paths with weight are swept back.
    pub thinning: f64,
    /// Further lengths of training, in steps of the strategy, that a comparison measures.
    pub lengths: Vec<usize>,
    /// Whether a search for settings tries other numbers of paths, with the steps for as many paths in all.
    pub tune_paths: bool,
    /// The method's settings, checked.
    pub settings: Arc<dyn Build>,
    /// The settings as keys, with every default.
    pub keys: toml::Table,
    /// Which weights along the training are the trained policy.
    pub averaging: Averaging,
}

/// A training that is compared: a method, its settings, and how long and on how many paths a step it trains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OptimizerSection {
    /// The method of training, which decides what other keys the section has.
    #[schemars(extend("x-default" = "the name of the section"))]
    pub method: Option<Method>,
    /// Steps as a multiple of the strategy's.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub relative_steps: f64,
    /// Paths of a step, which are swept; a method that uses curvature needs 32.
    #[schemars(title = "Paths a step", range(min = 1, max = 100_000_000), extend("x-unit" = "paths", "x-default" = "`training.paths`"))]
    pub paths: Option<usize>,
    /// Candidates that are simulated for a step, of which its paths are chosen; 0 for none.
    #[schemars(title = "Pool of a step", range(max = 100_000_000), extend("x-unit" = "paths", "x-default" = "`training.pool`"))]
    pub pool: Option<usize>,
    /// The threshold of thinned backward sweeps, in mean weights; 0 for none.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-default" = "`training.thinning`"))]
    pub thinning: Option<f64>,
    /// Other numbers of steps for which a comparison trains too, each with its own schedule.
    #[schemars(title = "Further lengths", inner(range(min = 1)), extend("x-unit" = "steps", "x-default" = "`training.lengths`"))]
    pub lengths: Option<Vec<usize>>,
    /// Whether a search for settings also tries half and twice the paths a step, for as many paths in all.
    pub tune_paths: bool,
    /// Which weights along the training are the trained policy.
    #[schemars(title = "Average of weights")]
    pub average: AverageRule,
    /// Decay of the exponential average of weights.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0, "x-when" = {"average": ["exponential"]}))]
    pub average_decay: f64,
    /// The share of the training after which weights are averaged.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0, "x-when" = {"average": ["swa"]}))]
    pub average_start: f64,
    /// The settings of the method itself, with the keys that it knows.
    #[serde(flatten)]
    #[schemars(skip)]
    pub settings: toml::Table,
}

/// Which weights along the training are the trained policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AverageRule {
    /// The last weights.
    None,
    /// Their exponential average.
    Exponential,
    /// Their mean after a share of the training (stochastic weight averaging).
    Swa,
}

impl Default for OptimizerSection {
    fn default() -> Self {
        Self {
            method: None,
            relative_steps: 1.0,
            paths: None,
            pool: None,
            thinning: None,
            lengths: None,
            tune_paths: false,
            average: AverageRule::None,
            average_decay: 0.95,
            average_start: 0.75,
            settings: toml::Table::new(),
        }
    }
}

impl OptimizerSection {
    /// The section of a method with its default settings.
    pub fn of(method: Method) -> Self {
        Self {
            method: Some(method),
            ..Self::default()
        }
    }

    fn averaging(&self) -> Averaging {
        match self.average {
            AverageRule::None => Averaging::None,
            AverageRule::Exponential => Averaging::Exponential {
                decay: self.average_decay,
            },
            AverageRule::Swa => Averaging::Swa {
                start: self.average_start,
            },
        }
    }
}

/// The schema of the section under a method: the keys that all methods have, and the method's own.
pub(super) fn schema(method: Method) -> &'static Value {
    static SCHEMAS: LazyLock<Vec<(Method, Value)>> = LazyLock::new(|| {
        let common = settings::schema(&OptimizerSection::default());
        let of_method = |(name, method): &(&str, Method)| {
            let mut schema = common.clone();
            schema["additionalProperties"] = json!(false);
            let own = method.schema()["properties"].as_object().cloned();
            if let Some(properties) = schema["properties"].as_object_mut() {
                properties.extend(own.unwrap_or_default());
                properties["method"]["enum"] = json!([name]);
            }
            (*method, schema)
        };
        Method::ALL.iter().map(of_method).collect()
    });
    let mut schemas = SCHEMAS.iter();
    let found = schemas.find(|(one, _)| *one == method);
    &found.expect("every method has a schema").1
}

/// The schema of the key that names a method.
pub(super) fn any_method() -> Value {
    let common = settings::schema(&OptimizerSection::default());
    common["properties"]["method"].clone()
}

/// The method that a section names, or that its own name is.
fn method_of(name: &str, written: Option<&str>) -> Result<Method> {
    Method::named(
        &format!("optimizers.{name}.method"),
        written.unwrap_or(name),
    )
}

/// Checks the keys of the section `optimizers.name` under its method.
///
/// # Errors
/// [`Error::Setting`] with key, value and bound.
pub(super) fn check(name: &str, section: &toml::Value) -> Result<()> {
    check_name(name)?;
    let written = section.as_table().and_then(|table| table.get("method"));
    let chosen = match written {
        Some(method) if !method.is_str() => {
            let bound = "the name of a method";
            let key = format!("optimizers.{name}.method");
            return Err(outside(&key, bound, excerpt(&method.to_string())));
        }
        written => method_of(name, written.and_then(toml::Value::as_str))?,
    };
    settings::check(schema(chosen), section, &format!("optimizers.{name}"))
}

impl OptimizerPlan {
    /// Validates the section `optimizers.name` and fills in what it has from `training` and from the network.
    pub(super) fn new(
        name: &str,
        section: &mut OptimizerSection,
        training: &TrainingSection,
        shape: &Shape,
    ) -> Result<Self> {
        check_name(name)?;
        let place = format!("optimizers.{name}");
        let method = match section.method {
            Some(method) => method,
            None => *section.method.insert(method_of(name, None)?),
        };
        if let Some(rate) = shape.start_learning_rate()
            && schema(method)["properties"].get(START_RATE).is_some()
        {
            let rate_of = section.settings.entry(START_RATE);
            rate_of.or_insert(rate.into());
        }
        let (settings, keys) = method.read(&place, section.settings.clone())?;
        section.settings.clone_from(&keys);
        let paths = *section.paths.get_or_insert(training.paths);
        let lengths = section
            .lengths
            .get_or_insert_with(|| training.lengths.clone());
        let least = method.family().least_paths();
        let pool = *section.pool.get_or_insert(training.pool);
        if (1..paths).contains(&pool) {
            let bound = format!("0 or at least the {paths} paths of a step");
            return Err(outside(&format!("{place}.pool"), bound, pool.to_string()));
        }
        Ok(Self {
            name: name.to_string(),
            method,
            relative_steps: section.relative_steps,
            paths: within(&format!("{place}.paths"), paths, least, MOST_PATHS)?,
            pool,
            thinning: *section.thinning.get_or_insert(training.thinning),
            lengths: ascending(lengths),
            tune_paths: section.tune_paths,
            settings,
            keys,
            averaging: section.averaging(),
        })
    }

    /// The section with the settings, the paths and the steps of this plan.
    pub(super) fn written_into(&self, section: &OptimizerSection) -> OptimizerSection {
        OptimizerSection {
            settings: self.keys.clone(),
            paths: Some(self.paths),
            pool: Some(self.pool),
            relative_steps: self.relative_steps,
            ..section.clone()
        }
    }

    /// The same optimizer with other settings.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn with_keys(&self, keys: toml::Table) -> Result<Self> {
        let section = format!("optimizers.{}", self.name);
        let (settings, keys) = self.method.read(&section, keys)?;
        Ok(Self {
            settings,
            keys,
            ..self.clone()
        })
    }

    /// The same optimizer whose learning rates are `share` times as large.
    ///
    /// # Errors
    /// Those of [`Self::with_keys`].
    pub fn with_rate_share(&self, share: f64) -> Result<Self> {
        if share == 1.0 {
            return Ok(self.clone());
        }
        let mut keys = self.keys.clone();
        for key in [RATE, START_RATE] {
            if let Some(toml::Value::Float(rate)) = keys.get_mut(key) {
                *rate *= share;
            }
        }
        self.with_keys(keys)
    }

    /// The same optimizer on `factor` times as many paths a step, of a pool that is as many times larger, in as many fewer steps; unchanged if those are fewer
    /// paths than its method can work with.
    pub fn with_paths(&self, factor: f64) -> Self {
        let paths = (self.paths as f64 * factor).round() as usize;
        if paths < self.method.family().least_paths() {
            return self.clone();
        }
        Self {
            paths,
            pool: (self.pool as f64 * factor).round() as usize,
            relative_steps: self.relative_steps / factor,
            ..self.clone()
        }
    }
}

/// Names of optimizers are words: they stand in names of files, in tables and in cells of spreadsheets.
fn check_name(name: &str) -> Result<()> {
    const LONGEST: usize = 64;
    let possible = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if begins_well && name.len() <= LONGEST && name.bytes().all(possible) {
        return Ok(());
    }
    Err(Error::key(
        "optimizers",
        format!(
            ": a name has 1 to {LONGEST} letters, digits, _ and -, of which the first is a letter or a digit, was \"{}\"",
            excerpt(name)
        ),
    ))
}

/// Lengths in ascending order, each once.
fn ascending(lengths: &[usize]) -> Vec<usize> {
    let mut lengths = lengths.to_vec();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

#[cfg(test)]
mod tests {
    use super::check_name;
    use crate::strategy::Plan;

    /// A pool has a step's paths at least; an optimizer's own keys come before those of the training.
    #[test]
    fn pools_are_no_smaller_than_steps() {
        let plan = |pool: usize, keys: &str| {
            let text = format!(
                "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 30\n[training]\npaths = 64\npool = {pool}\nthinning = 0.5\n[optimizers.adam]\n{keys}\n"
            );
            Plan::parse(&text, |_| {})
        };
        let one = plan(256, "").unwrap().optimizers.remove(0);
        assert_eq!((one.pool, one.thinning), (256, 0.5));
        let one = plan(256, "pool = 0\nthinning = 0.0")
            .unwrap()
            .optimizers
            .remove(0);
        assert_eq!((one.pool, one.thinning), (0, 0.0));
        let message = plan(63, "").err().unwrap().to_string();
        assert!(message.contains("`optimizers.adam.pool`"), "{message}");
        assert!(
            message.contains("at least the 64 paths of a step"),
            "{message}"
        );
    }

    #[test]
    fn names_are_words() {
        for name in ["adam", "kfac_2", "K-FAC", "0", &"x".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "-x",
            "_x",
            "a b",
            "=1+1",
            "@x",
            "../x",
            "a/b",
            "é",
            "a\n",
            &"x".repeat(65),
        ] {
            let error = check_name(name).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let message = error.to_string();
            assert!(message.starts_with("`optimizers`: a name has"), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
