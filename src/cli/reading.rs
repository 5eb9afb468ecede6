use crate::error::Result;
use crate::market::history::{RawReading, Reading};

/// How price files are to be read: the same for every command that reads any.
#[derive(Debug, Default, clap::Args)]
pub struct PriceFiles {
    /// Columns by what they hold: date, close, open, high, low, volume, implied_volatility, variance, such as
    /// `date=observation_date,close=SP500`; of a surface spot, strike, expiry_days and others.
    #[arg(long, value_name = "WHAT=NAME", value_delimiter = ',', value_parser = pair)]
    columns: Option<Vec<(String, String)>>,
    /// How dates are written: ymd, dmy, mdy, excel, seconds, milliseconds, microseconds, nanoseconds, or a pattern such
    /// as `%d.%m.%y`.
    #[arg(long, value_name = "FORMAT")]
    date_format: Option<String>,
    /// What separates decimals: point or comma.
    #[arg(long, value_name = "SEPARATOR")]
    decimal: Option<String>,
    /// Kinds of defects to repair rather than refuse, separated by commas, of all places, or of one date or data row:
    /// `blanks,splits@2020-08-31,jumps@17`. `data check` names the kinds.
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    repair: Option<Vec<String>>,
}

impl PriceFiles {
    /// Whether anything is said.
    pub fn any(&self) -> bool {
        let Self {
            columns,
            date_format,
            decimal,
            repair,
        } = self;
        columns.is_some() || date_format.is_some() || decimal.is_some() || repair.is_some()
    }

    /// What is said, with the unit of volatilities, which not every command reads.
    pub fn raw(&self, volatility_unit: Option<&str>) -> RawReading {
        let columns = self.columns.clone();
        RawReading {
            columns: columns.map(|pairs| pairs.into_iter().collect()),
            date_format: self.date_format.clone(),
            decimal: self.decimal.clone(),
            volatility_unit: volatility_unit.map(Into::into),
            repair: self.repair.clone(),
        }
    }

    /// [`Self::raw`], checked.
    ///
    /// # Errors
    /// In one line: the option, the value and the choices.
    pub fn reading(&self, volatility_unit: Option<&str>) -> Result<Reading> {
        Reading::new(&self.raw(volatility_unit), |key| {
            format!("--{}", key.replace('_', "-"))
        })
    }
}

/// Reads a pair such as `close=SP500`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((what, name)) if !what.is_empty() && !name.is_empty() => {
            Ok((what.trim().into(), name.trim().into()))
        }
        _ => Err("must be a pair such as close=SP500".into()),
    }
}
