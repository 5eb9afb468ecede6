use crate::error::Result;
use crate::market::history::{RawReading, Reading};

/// How price files are to be read: the same for every command that reads any.
#[derive(Debug, Default, clap::Args)]
pub struct PriceFiles {
    /// Columns by what they hold: date, close, open, high, low, volume, implied_volatility, variance, such as
    /// `date=observation_date,close=SP500`; of a surface spot, strike, expiry_days and others.
    #[arg(long, value_name = "WHAT=NAME", value_parser = pairs)]
    columns: Option<Vec<Pairs>>,
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
    /// What is said, with the unit of volatilities, which not every command reads.
    pub fn raw(&self, volatility_unit: Option<&str>) -> RawReading {
        let columns = self.columns.as_ref();
        RawReading {
            columns: columns.map(|lists| lists.iter().flat_map(|list| list.0.clone()).collect()),
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

/// Columns by what they hold, as one argument says them.
#[derive(Debug, Clone)]
struct Pairs(Vec<(String, String)>);

/// Reads pairs such as `date=Day,close=SP500`. What follows a comma and does not begin with a word and `=` belongs to the name before
/// it, as names of columns may have commas.
fn pairs(text: &str) -> Result<Pairs, String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let is_word = |what: &str| {
        let mut letters = what.chars();
        !what.is_empty() && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    for part in text.split(',') {
        match (part.split_once('='), pairs.last_mut()) {
            (Some((what, name)), _) if is_word(what.trim()) => {
                pairs.push((what.trim().into(), name.into()));
            }
            (Some(_) | None, Some((_, name))) => {
                name.push(',');
                name.push_str(part);
            }
            (Some(_) | None, None) => return Err("must be a pair such as close=SP500".into()),
        }
    }
    for (what, name) in &mut pairs {
        *name = name.trim().to_owned();
        if name.is_empty() {
            return Err(format!(
                "{what} has no name, must be a pair such as close=SP500"
            ));
        }
    }
    Ok(Pairs(pairs))
}

#[cfg(test)]
mod tests {
    use super::pairs;

    /// Several pairs stand in one argument, a name may have commas and blanks, and half of a pair is none.
    #[test]
    fn names_of_columns_may_have_commas() {
        let read = |text: &str| -> Vec<String> {
            let pairs = pairs(text).unwrap().0.into_iter();
            pairs.map(|(what, name)| format!("{what}|{name}")).collect()
        };
        assert_eq!(
            read("date=Day, close=Price, in $=1,open=O"),
            ["date|Day", "close|Price, in $=1", "open|O"]
        );
        for wrong in ["", "close", "=SP500", "close=", "close= ,open=A"] {
            assert!(pairs(wrong).is_err(), "{wrong}");
        }
    }
}
