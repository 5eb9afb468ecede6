//! The data of a job: what takes the place of a strategy's own history.

use super::examine::DataReading;
use crate::error::excerpt;
use crate::server::app::App;
use crate::server::problem::{Problem, invalid, missing};
use crate::strategy::Strategy;
use serde::Deserialize;
use std::path::PathBuf;
use utoipa::ToSchema;

/// Uploaded files that take the place of those of the strategy, with all that the strategy says of how its own are read and from when to
/// when. What is left out is found from the files.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobData {
    /// Uploaded price files of one asset, joined by date: the first has the closes. It may be empty where `surface` has closes.
    #[serde(default)]
    pub files: Vec<String>,
    /// The uploaded file of implied-volatility surfaces, or chain of options.
    pub surface: Option<String>,
    /// How the files are read.
    pub reading: Option<DataReading>,
    /// The first date of sale, such as 2004-01-31.
    pub start: Option<String>,
    /// The last date of sale.
    pub end: Option<String>,
    /// Closes of a year, by which returns are annualised.
    pub days_per_year: Option<f64>,
}

/// [`JobData`] whose files are there.
pub struct Located {
    data: Vec<PathBuf>,
    surface: Option<PathBuf>,
    asked: JobData,
}

impl JobData {
    /// Finds the files.
    ///
    /// # Errors
    /// [`Problem`] for no file at all, and for one that is not there.
    pub fn located(self, app: &App) -> Result<Located, Problem> {
        if self.files.is_empty() && self.surface.is_none() {
            let message = "`data` must name an uploaded file, in `files` or as `surface`";
            return Err(invalid("data", message));
        }
        let find = |file: &String| {
            let path = app.data.path(file);
            let path = path.map(|path| std::path::absolute(&path).unwrap_or(path));
            path.ok_or_else(|| missing(format!("no uploaded file `{}`", excerpt(file))))
        };
        Ok(Located {
            data: self.files.iter().map(find).collect::<Result<_, _>>()?,
            surface: self.surface.as_ref().map(find).transpose()?,
            asked: self,
        })
    }
}

impl Located {
    /// Writes the data into a strategy, in the place of its own.
    pub fn apply(self, strategy: &mut Strategy) {
        if let Some(backtest) = &mut strategy.backtest {
            (backtest.start, backtest.end) = (None, None);
            backtest.days_per_year = None;
        }
        self.apply_prices(strategy);
    }

    /// Writes the files into a strategy, in the place of its own, with how they are read; where nothing is said of days, what the
    /// strategy says stays.
    pub fn apply_prices(self, strategy: &mut Strategy) {
        let text = |path: PathBuf| path.display().to_string();
        let backtest = strategy.backtest.get_or_insert_default();
        backtest.data = (!self.data.is_empty()).then(|| self.data.into());
        backtest.surface = self.surface.map(text);
        backtest.relative_to = None;
        let (start, end) = (self.asked.start, self.asked.end);
        backtest.start = start.or(backtest.start.take());
        backtest.end = end.or(backtest.end.take());
        backtest.days_per_year = self.asked.days_per_year.or(backtest.days_per_year);
        (backtest.columns, backtest.date_format) = (None, None);
        (backtest.decimal, backtest.volatility_unit) = (None, None);
        backtest.read_as(self.asked.reading.unwrap_or_default().raw());
    }
}
