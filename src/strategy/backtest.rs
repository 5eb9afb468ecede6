//! The section `backtest`: what is sold on history, and when.

use super::costs::{DatedCosts, DatedFactor};
use super::files::located;
use super::market::check_prices;
use super::price_files::Files;
use super::schedule::{Schedule, Spacing, SpacingRule};
use crate::bounds::{at_least, date, required};
use crate::error::{Error, Result};
use crate::market::Assets;
use crate::market::estimation::VarianceEstimator;
use crate::market::history::{RawReading, Reading};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is sold on history, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BacktestSection {
    /// A file of daily closes (CSV or Parquet), or a list of files joined by date, of which further ones add implied volatility
    /// or variance; for several assets a table of these by asset, `{ spx = "spx.csv", dax = "dax.csv" }`, of which the days count
    /// that all assets have. Relative paths count from the strategy file. It may be left out where `surface` has closes.
    #[schemars(title = "Price files")]
    pub data: Option<Files>,
    /// A file of implied-volatility surfaces of the first asset, one a day: columns date, level, slope, moneyness, smile and smirk, and
    /// close and rate where it has them (CSV or Parquet); or a chain of options as vendors sell it, to which a surface is fitted every day.
    /// Premiums, hedging options and hedges are then at the surface of the day.
    #[schemars(title = "Surface file")]
    pub surface: Option<String>,
    /// Which interest rate contracts have that are sold on surfaces: none, or that of the surface file on the day of their sale.
    #[schemars(title = "Rates on surfaces")]
    pub rates: Rates,
    /// The folder that relative paths in `data` and `surface` counted from, if there were any; they are absolute since.
    #[serde(skip)]
    pub relative_to: Option<PathBuf>,
    /// The first date of sale, such as 2004-01-31.
    #[schemars(title = "First sale", extend("x-default" = "as early as the history allows"))]
    pub start: Option<String>,
    /// The last date of sale.
    #[schemars(title = "Last sale", extend("x-default" = "as late as the history allows"))]
    pub end: Option<String>,
    /// On which days contracts are sold: a rule, or the number of closes between sales.
    #[schemars(title = "Sales", extend("x-unit" = "closes"))]
    pub spacing: Spacing,
    /// Where the market's parameters come from.
    pub parameters: Parameterisation,
    /// How dates are written: ymd, dmy, mdy, excel, seconds, milliseconds, microseconds, nanoseconds, or a pattern such as
    /// `%d.%m.%y`.
    #[schemars(extend("x-default" = "found from the files"))]
    pub date_format: Option<String>,
    /// What separates decimals: point or comma.
    #[schemars(title = "Decimal separator", extend("x-default" = "found from the files"))]
    pub decimal: Option<String>,
    /// The unit of implied volatilities: percent or fraction.
    #[schemars(extend("x-default" = "found from the files"))]
    pub volatility_unit: Option<String>,
    /// Kinds of defects of the data to repair, of all places or of one (`"splits@2020-08-31"`, `"blanks@17"`); every other one
    /// is refused.
    #[schemars(title = "Repairs")]
    pub repair: Vec<String>,
    /// Closes of a year, by which returns are annualised.
    #[schemars(title = "Closes a year", extend("exclusiveMinimum" = 0.0, "x-default" = "found from the dates"))]
    pub days_per_year: Option<f64>,
    /// How the variance at a close is estimated.
    #[schemars(title = "Variance at a close")]
    pub variance: VarianceRule,
    /// Closes that the realised or Garman–Klass variance is a mean of.
    #[schemars(range(min = 1), extend("x-unit" = "closes", "x-when" = {"variance": ["realised", "garman_klass"]}))]
    pub variance_days: usize,
    /// Decay of the exponential mean of squared returns.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0, "x-when" = {"variance": ["exponential"]}))]
    pub variance_decay: f64,
    /// What costs are multiplied by from dates on, `[["2020-02-24", 3.0], ["2020-06-01", 1.0]]`; before the first date by 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(title = "Factors of costs by date", extend("x-unit" = "[date, factor]"))]
    pub cost_table: Vec<DatedFactor>,
    /// Names of columns by what they hold: `{ date = "observation_date", close = "SP500" }`.
    #[schemars(extend("x-default" = "found from the files"))]
    pub columns: Option<BTreeMap<String, String>>,
}

impl Default for BacktestSection {
    fn default() -> Self {
        Self {
            data: None,
            surface: None,
            rates: Rates::Zero,
            relative_to: None,
            start: None,
            end: None,
            spacing: Spacing::Rule(SpacingRule::NonOverlapping),
            parameters: Parameterisation::History,
            date_format: None,
            decimal: None,
            volatility_unit: None,
            repair: Vec::new(),
            days_per_year: None,
            variance: VarianceRule::Model,
            variance_days: 21,
            variance_decay: 0.94,
            cost_table: Vec::new(),
            columns: None,
        }
    }
}

/// Which interest rate contracts have that are sold on surfaces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rates {
    /// None: the forward is the spot.
    #[default]
    Zero,
    /// That of the surface file on the day of the sale, until expiry.
    File,
}

/// How the variance at a close is estimated, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VarianceRule {
    /// As the model has it: filtered under Heston, constant under the others.
    Model,
    /// The mean of squared returns.
    Realised,
    /// The exponential mean of squared returns.
    Exponential,
    /// The estimator of Garman and Klass, which needs open, high and low.
    GarmanKlass,
    /// That of a volatility index over 30 days, or of a column of variance.
    Implied,
}

impl BacktestSection {
    /// How the data are to be read.
    pub fn reading(&self) -> RawReading {
        RawReading {
            columns: self.columns.clone(),
            date_format: self.date_format.clone(),
            decimal: self.decimal.clone(),
            volatility_unit: self.volatility_unit.clone(),
            repair: Some(self.repair.clone()),
        }
    }

    /// Writes what `change` says of how the data are to be read.
    pub fn read_as(&mut self, change: RawReading) {
        let RawReading {
            columns,
            date_format,
            decimal,
            volatility_unit,
            repair,
        } = change;
        self.columns = columns.or(self.columns.take());
        self.date_format = date_format.or(self.date_format.take());
        self.decimal = decimal.or(self.decimal.take());
        self.volatility_unit = volatility_unit.or(self.volatility_unit.take());
        if let Some(repair) = repair {
            self.repair = repair;
        }
    }

    /// Makes the paths in `data` and `surface` absolute; relative ones count from `folder`.
    pub(super) fn locate(&mut self, folder: &Path) -> Result<()> {
        if let Some(file) = self.surface.take() {
            let (files, relative_to) = located("backtest.surface", &[file.into()], folder)?;
            self.surface = files.first().map(|file| file.display().to_string());
            self.relative_to = relative_to.or(self.relative_to.take());
        }
        let Some(files) = self.data.take() else {
            return Ok(());
        };
        let mut relative = None;
        let mut locate = |files: Vec<PathBuf>| -> Result<Vec<PathBuf>> {
            let (files, relative_to) = located("backtest.data", &files, folder)?;
            relative = relative_to.or(relative.take());
            Ok(files)
        };
        self.data = Some(match files {
            Files::ByAsset(assets) => {
                let assets = assets.into_iter().map(|(name, files)| {
                    let files: Files = locate(Files::from(files).into())?.into();
                    Ok((name, files.of_one_asset()))
                });
                Files::ByAsset(assets.collect::<Result<_>>()?)
            }
            files @ (Files::One(_) | Files::Several(_)) => locate(files.into())?.into(),
        });
        if relative.is_some() {
            self.relative_to = relative;
        }
        Ok(())
    }

    fn variance(&self) -> VarianceEstimator {
        let days = self.variance_days;
        match self.variance {
            VarianceRule::Model => VarianceEstimator::Model,
            VarianceRule::Realised => VarianceEstimator::Realised { days },
            VarianceRule::Exponential => VarianceEstimator::Exponential {
                decay: self.variance_decay,
            },
            VarianceRule::GarmanKlass => VarianceEstimator::GarmanKlass { days },
            VarianceRule::Implied => VarianceEstimator::Implied,
        }
    }
}

/// What to backtest.
#[derive(Debug, Clone)]
pub struct BacktestPlan {
    /// Price files joined by date: the first has the closes, further ones add implied volatility or variance. With several assets
    /// those of all.
    pub data: Vec<PathBuf>,
    /// The files of every asset; none where the closes are those of the surface file.
    pub by_asset: Vec<Vec<PathBuf>>,
    /// The file of implied-volatility surfaces of the first asset.
    pub surface: Option<PathBuf>,
    /// Which interest rate contracts have that are sold on surfaces.
    pub rates: Rates,
    /// The folder that relative paths in the strategy counted from, if there were any; they are absolute since.
    pub relative_to: Option<PathBuf>,
    /// First date of sale; the beginning of the history if absent.
    pub start: Option<NaiveDate>,
    /// Last date of sale; the end of the history if absent.
    pub end: Option<NaiveDate>,
    /// On which days contracts are sold.
    pub schedule: Schedule,
    /// Where the market's parameters come from.
    pub parameters: Parameterisation,
    /// How the data are read, and which defects are repaired rather than refused.
    pub reading: Reading,
    /// Closes a year, by which returns are annualised; found from the dates if absent.
    pub days_per_year: Option<f64>,
    /// How the variance at a close is estimated.
    pub variance: VarianceEstimator,
    /// What costs are multiplied by from dates on.
    pub costs: DatedCosts,
}

/// Where a backtest's market parameters come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parameterisation {
    /// Estimated from the returns before the first sale.
    History,
    /// The strategy's.
    Strategy,
}

impl BacktestPlan {
    /// The files that the history is read from, that of surfaces last.
    pub fn read_from(&self) -> impl Iterator<Item = &PathBuf> {
        self.data.iter().chain(&self.surface)
    }

    /// The paths of the history's files, for errors.
    pub fn files(&self) -> String {
        let paths: Vec<String> = self.read_from().map(|f| f.display().to_string()).collect();
        paths.join(", ")
    }

    /// The names of the history's files without their folders, for what is read elsewhere.
    pub fn file_names(&self) -> String {
        let names = self.read_from().filter_map(|file| file.file_name());
        let names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.join(", ")
    }

    /// Whether the price files are there that the strategy names by relative paths.
    ///
    /// # Errors
    /// [`Error::Input`] naming the first that is not, and the folder that its path was relative to.
    pub fn check_files(&self) -> Result<()> {
        let Some(folder) = &self.relative_to else {
            return Ok(());
        };
        match self.read_from().find(|file| !file.exists()) {
            None => Ok(()),
            Some(file) => {
                let key = match self.data.contains(file) {
                    true => "data",
                    false => "surface",
                };
                Err(Error::input(format!(
                    "{}: no such file; relative paths in `backtest.{key}` count from {}",
                    file.display(),
                    folder.display()
                )))
            }
        }
    }
}

pub(super) fn backtest(section: &BacktestSection, assets: &Assets) -> Result<BacktestPlan> {
    let optional =
        |key: &str, text: &Option<String>| text.as_deref().map(|text| date(key, text)).transpose();
    let surface = section.surface.as_ref().map(PathBuf::from);
    let by_asset = match (&section.data, &surface) {
        (None, Some(_)) if assets.count() == 1 => Vec::new(),
        (data, _) => required(data, "backtest.data")?.by_asset(assets)?,
    };
    let data = by_asset.concat();
    if surface.is_none() || section.data.is_some() {
        at_least("backtest.data", data.len(), 1)?;
    }
    for asset in assets.list() {
        check_prices(&asset.market, "backtest", "a history")?;
    }
    let variance = section.variance();
    let mut models = assets.list().iter().map(|asset| &asset.market.model);
    if variance != VarianceEstimator::Model
        && let Some(model) = models.find(|model| !model.follows_variance())
    {
        return Err(Error::key(
            "backtest.variance",
            format!(
                "must be \"model\" under the model \"{}\", whose prices do not depend on it",
                model.name()
            ),
        ));
    }
    Ok(BacktestPlan {
        data,
        by_asset,
        surface,
        rates: section.rates,
        relative_to: section.relative_to.clone(),
        start: optional("backtest.start", &section.start)?,
        end: optional("backtest.end", &section.end)?,
        schedule: section.spacing.into(),
        parameters: section.parameters,
        days_per_year: section.days_per_year,
        variance,
        costs: DatedCosts::new(&section.cost_table)?,
        reading: Reading::new(&section.reading(), |key| format!("backtest.{key}"))?,
    })
}
