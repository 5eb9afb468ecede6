//! Compact results of comparisons, small enough to be kept beside the source and all that the study's page is made of.

use super::folder::{RunFolder, from_json, readable};
use super::metrics::{Comparison, Metrics, TrainingCurve, Trial};
use crate::error::{Error, Result};
use crate::optimizer;
use crate::risk::{Row, null_as_nan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// One comparison: every training's end, the trials of its search for settings, and mean training curves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Study {
    /// The problem; comparisons of the same name belong together.
    pub name: String,
    /// The version of the program that made the run.
    pub version: String,
    /// The trained risk measure in words.
    pub risk: String,
    /// The CVaR level that is reported, as a key of [`Row::cvar`].
    pub level: String,
    /// The number of test paths.
    pub test_paths: usize,
    /// Steps of the strategy; absent if it is trained by time.
    pub length: Option<usize>,
    /// Candidates of the search for settings; absent if the settings are those of the strategy file.
    pub candidates: Option<usize>,
    /// What seconds count, `training.clock` of the strategy.
    #[serde(default)]
    pub clock: Clock,
    /// The optimizers with their settings.
    pub methods: Vec<Method>,
    /// Hedges that are not trained.
    pub hedges: Vec<Ending>,
    /// Ends of trainings for the strategy's own risk.
    pub endings: Vec<Ending>,
    /// Ends of trainings for several levels or aversions, the strategy's own among them.
    pub frontier: Vec<Ending>,
    /// The changes against the baseline.
    pub comparisons: Vec<Comparison>,
    /// The trainings of the search for settings.
    pub trials: Vec<Trial>,
    /// The curves of training, averaged over seeds.
    pub curves: Vec<MeanCurve>,
}

/// What the seconds of trainings count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The time that went by.
    #[default]
    Wall,
    /// The time of all cores together.
    Cpu,
}

/// An optimizer and the settings that it was trained with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Method {
    /// The name of the optimizer in the strategy file.
    pub name: String,
    /// The method of the optimizer.
    pub method: optimizer::Method,
    /// The paths of a step.
    pub paths: usize,
    /// The steps of the optimizer for one of the strategy.
    pub relative_steps: f64,
    /// The settings of the optimizer.
    pub settings: toml::Table,
}

/// Where a training ended, on the test paths.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ending {
    /// The name of the strategy.
    pub strategy: String,
    /// The seed of the training; absent for hedges that are not trained.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seed: Option<u64>,
    /// Steps of the strategy; `steps` is the optimizer's own number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub length: Option<usize>,
    /// CVaR level or risk aversion, in a frontier.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameter: Option<f64>,
    /// The optimizer's own steps; absent for hedges that are not trained.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub steps: Option<usize>,
    /// The seconds of training; absent for hedges that are not trained.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seconds: Option<f64>,
    /// The trained risk measure on the test paths.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk: f64,
    /// At [`Study::level`].
    #[serde(deserialize_with = "null_as_nan")]
    pub cvar: f64,
    /// The mean P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_mean: f64,
    /// The variance of P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_variance: f64,
    /// The mean transaction cost.
    #[serde(deserialize_with = "null_as_nan")]
    pub cost_mean: f64,
    /// The Sharpe ratio.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe: f64,
}

/// Validation risk and the optimizer's control along training, over seeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MeanCurve {
    /// The name of the strategy.
    pub strategy: String,
    /// The points at which all seeds were validated.
    pub points: Vec<MeanPoint>,
}

/// Means over seeds at one step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MeanPoint {
    /// The number of steps taken.
    pub step: usize,
    /// The mean seconds of training.
    pub seconds: f64,
    /// The mean validation risk.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk: f64,
    /// Standard deviation of the risk between seeds.
    #[serde(deserialize_with = "null_as_nan")]
    pub deviation: f64,
    /// The damping λ, averaged over seeds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub damping: Option<f64>,
    /// ρ, actual over predicted decrease.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reduction_ratio: Option<f64>,
}

/// Six significant digits, which is more than the results are worth.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

impl Ending {
    /// The end that a row tells of; `level` is the key of the CVaR that is kept.
    pub fn new(row: &Row, level: &str, length: Option<usize>, parameter: Option<f64>) -> Self {
        let cvar = row.cvar.get(level).and_then(|value| value.as_f64());
        Self {
            strategy: row.strategy.clone(),
            seed: row.seed,
            length,
            parameter,
            steps: row.steps,
            seconds: row.seconds.map(rounded),
            risk: rounded(row.risk),
            cvar: rounded(cvar.unwrap_or(f64::NAN)),
            pnl_mean: rounded(row.pnl_mean),
            pnl_variance: rounded(row.pnl_variance),
            cost_mean: rounded(row.cost_mean),
            sharpe: rounded(row.sharpe),
        }
    }
}

impl Study {
    /// The compact results of a comparison.
    ///
    /// # Errors
    /// [`Error::Input`] if the run is incomplete, is no comparison, or a file of it is damaged.
    pub fn of_run(folder: &RunFolder) -> Result<Self> {
        let metrics = folder.metrics()?;
        let not = || Error::input(format!("run `{}`: not a comparison", folder.id()));
        let request = folder.request()?.ok_or_else(not)?;
        let strategy = folder.strategy()?.ok_or_else(not)?;
        let strategy: toml::Table =
            toml::from_str(&strategy).map_err(|error| Error::input(error.message()))?;
        let training = strategy.get("training").and_then(|table| table.as_table());
        let length = training
            .and_then(|table| table.get("steps")?.as_integer())
            .map(|steps| steps as usize);
        let clock = match training.and_then(|table| table.get("clock")) {
            Some(clock) => clock
                .clone()
                .try_into()
                .map_err(|error: toml::de::Error| Error::input(error.message()))?,
            None => Clock::default(),
        };
        let level = metrics.trained_level.as_deref().unwrap_or("0.95");
        let (trained, hedges): (Vec<&Row>, Vec<&Row>) = metrics
            .evaluation
            .iter()
            .partition(|row| row.seed.is_some());
        let endings = if metrics.lengths.is_empty() {
            trained
                .into_iter()
                .map(|row| Ending::new(row, level, length, None))
                .collect()
        } else {
            lengths(&metrics)
        };
        Ok(Self {
            name: metrics.name.clone(),
            version: metrics.version.clone(),
            risk: metrics.risk.clone(),
            level: level.into(),
            test_paths: metrics.evaluation.first().map_or(0, |row| row.paths),
            length,
            candidates: request.candidates,
            clock,
            methods: methods(folder, &strategy)?,
            hedges: hedges
                .into_iter()
                .map(|row| Ending::new(row, level, None, None))
                .collect(),
            endings,
            frontier: metrics
                .frontier
                .iter()
                .map(|at| Ending::new(&at.row, level, None, Some(at.parameter)))
                .collect(),
            comparisons: metrics.comparisons.clone(),
            trials: metrics.tuning.iter().map(trial).collect(),
            curves: curves(&metrics.training),
        })
    }

    /// Reads compact results.
    ///
    /// # Errors
    /// [`Error::Input`] if the file cannot be read or is not what it should be.
    pub fn read(path: &Path) -> Result<Self> {
        let of = |error: String| Error::input(format!("{}: {error}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| of(error.to_string()))?;
        from_json(&bytes).map_err(of)
    }

    /// The results as JSON, a line for every entry, so that changes of the file can be read.
    ///
    /// # Errors
    /// [`Error::Computation`] if a value has no form in JSON from which it can be read back, naming it.
    pub fn to_json(&self) -> Result<String> {
        let of = |error: serde_json::Error| Error::Computation(format!("results: {error}"));
        let value = serde_json::to_value(self).map_err(of)?;
        let mut parts = Vec::new();
        for (key, value) in value.as_object().into_iter().flatten() {
            let text = match value.as_array() {
                Some(items) if !items.is_empty() => {
                    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                    format!("[\n  {}\n ]", items.join(",\n  "))
                }
                _ => value.to_string(),
            };
            parts.push(format!(" \"{key}\": {text}"));
        }
        let text = format!("{{\n{}\n}}\n", parts.join(",\n"));
        readable::<Self>(text.as_bytes())
            .map_err(|why| Error::Computation(format!("results: {why}")))?;
        Ok(text)
    }
}

/// The ends of a comparison's trainings of several lengths.
pub fn lengths(metrics: &Metrics) -> Vec<Ending> {
    let level = metrics.trained_level.as_deref().unwrap_or("0.95");
    metrics
        .lengths
        .iter()
        .map(|at| Ending::new(&at.row, level, Some(at.length), None))
        .collect()
}

/// The optimizers of a run's strategy file, which states every default.
fn methods(folder: &RunFolder, strategy: &toml::Table) -> Result<Vec<Method>> {
    let Some(optimizers) = strategy.get("optimizers") else {
        return Ok(Vec::new());
    };
    let method = |name: &String, section: &toml::Value| {
        let section = section.as_table();
        let stated = |key: &str| section.and_then(|section| section.get(key));
        let mut settings = section?.clone();
        for key in ["lengths", "tune_paths", "average", "method", "paths"] {
            settings.remove(key);
        }
        settings.remove("relative_steps");
        Some(Method {
            name: name.clone(),
            method: stated("method")?.clone().try_into().ok()?,
            paths: stated("paths")?.as_integer()? as usize,
            relative_steps: stated("relative_steps")?.as_float()?,
            settings: settings.iter().map(significant).collect(),
        })
    };
    let all = optimizers.as_table().into_iter().flatten();
    all.map(|(name, section)| {
        method(name, section).ok_or_else(|| {
            Error::input(format!(
                "run `{}`: its strategy does not say method, paths and relative steps of `{name}`",
                folder.id()
            ))
        })
    })
    .collect()
}

fn significant((key, value): (&String, &toml::Value)) -> (String, toml::Value) {
    let value = match value {
        toml::Value::Float(value) => toml::Value::Float(rounded(*value)),
        other => other.clone(),
    };
    (key.clone(), value)
}

fn trial(trial: &Trial) -> Trial {
    Trial {
        risk: rounded(trial.risk),
        settings: trial.settings.iter().map(significant).collect(),
        ..trial.clone()
    }
}

/// Means over seeds at the steps where all of them were validated.
fn curves(training: &[TrainingCurve]) -> Vec<MeanCurve> {
    let mut strategies: Vec<&str> = Vec::new();
    for curve in training {
        if !strategies.contains(&curve.strategy.as_str()) {
            strategies.push(&curve.strategy);
        }
    }
    strategies
        .into_iter()
        .map(|strategy| {
            let seeds: Vec<_> = training.iter().filter(|c| c.strategy == strategy).collect();
            let mut steps: BTreeMap<usize, Vec<_>> = BTreeMap::new();
            for point in seeds.iter().flat_map(|seed| &seed.points) {
                if point.validation_risk.is_some() {
                    steps.entry(point.step).or_default().push(point);
                }
            }
            let points = steps.into_iter().filter(|(_, at)| at.len() == seeds.len());
            MeanCurve {
                strategy: strategy.into(),
                points: points
                    .map(|(step, at)| {
                        let risks: Vec<f64> = at.iter().filter_map(|p| p.validation_risk).collect();
                        let said = |key: &str| -> Option<f64> {
                            let values: Option<Vec<f64>> =
                                at.iter().map(|p| p.statistics.get(key)?.as_f64()).collect();
                            values.map(|values| rounded(mean(&values)))
                        };
                        MeanPoint {
                            step: step + 1,
                            seconds: rounded(mean(
                                &at.iter().map(|p| p.seconds).collect::<Vec<_>>(),
                            )),
                            risk: rounded(mean(&risks)),
                            deviation: rounded(deviation(&risks)),
                            damping: said("damping"),
                            reduction_ratio: said("reduction_ratio"),
                        }
                    })
                    .collect(),
            }
        })
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = mean(values);
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture;

    /// Two seeds' curves: their mean, and half of their distance times √2 as standard deviation.
    #[test]
    fn curves_are_means_over_seeds() {
        let metrics = fixture::metrics();
        let found = &curves(&metrics.training)[0];
        let at = |seed: usize| metrics.training[seed].points[50].validation_risk.unwrap();
        let point = &found.points[2];
        assert_eq!(point.step, 51);
        assert!((point.risk - (at(0) + at(1)) / 2.0).abs() < 1e-5);
        let expected = (at(0) - at(1)).abs() / 2f64.sqrt();
        assert!((point.deviation - expected).abs() < 1e-5);
    }

    /// Six significant digits, also of small and large numbers.
    #[test]
    fn numbers_are_rounded_to_six_digits() {
        assert_eq!(rounded(123_456_789.0), 123_457_000.0);
        assert_eq!(rounded(-1.234_567_89e-7), -1.234_57e-7);
        assert_eq!(rounded(0.0), 0.0);
    }
}
