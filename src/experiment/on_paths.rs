//! Strategies on paths that a program holds in its memory.

use crate::bounds::check;
use crate::error::{Error, Fault, Result, at_path};
use crate::market::path_table::{PathCell, PathColumns, PathShares};
use crate::runs::parquet::write_parquet;
use crate::strategy::TrainingSection;
use polars::prelude::{Column, DataFrame};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The folder below the root of runs that has the paths of runs on arrays.
const FOLDER: &str = "paths";

/// Hexadecimal digits of the hash that names a file of paths.
const DIGITS: usize = 16;

/// The name of the model.
const MODEL: &str = "given_paths";

/// What is paid on paths that a program holds, and how they are shared out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnPaths<'a> {
    /// The paths, with payoffs or without.
    pub columns: PathColumns<'a>,
    /// Days of a period, where the strategy gives no days to expiry; 1 unless given.
    pub days: Option<f64>,
    /// Days of a year, where the strategy gives none; 252 unless given.
    pub days_per_year: Option<f64>,
    /// The shares of the paths that are held out for validation and for tests.
    pub held_out: (f64, f64),
}

impl OnPaths<'_> {
    /// The strategy whose market are the paths: `strategy` has all else that is said, and what it leaves out follows from the paths. They are
    /// written to a file below `root`, named by the hash of their numbers, which the strategy's runs need for as long as they are resumed,
    /// measured again or hedge with.
    ///
    /// The strategy gets the market's model, file and spot, the contract's type where payoffs are given, its days and periods, the numbers of
    /// validation and test paths, and the optimizer `kfac` where it names none.
    ///
    /// # Errors
    /// [`Error::Input`] by argument and place for a number that [`PathColumns::check`] refuses, and for too few paths; [`Error::Setting`] for what the
    /// strategy says beside the arguments, and where nothing says what is paid; if the file cannot be written.
    pub fn strategy(&self, mut strategy: Table, root: &Path) -> Result<Table> {
        let columns = &self.columns;
        columns.check(named)?;
        let (validation, test) = self.held_out;
        for (argument, share) in [("validation_share", validation), ("test_share", test)] {
            check(
                argument,
                share,
                0.0 < share && share < 1.0,
                "above 0 and below 1",
            )?;
        }
        let shares = PathShares::new(columns.paths(), self.held_out)?;
        self.contract(section(&mut strategy, "contract")?)?;
        let (count, usual) = (
            shares.validation,
            TrainingSection::default().validation_paths,
        );
        let training = section(&mut strategy, "training")?;
        fill(training, "validation_paths", count.min(usual) as i64);
        let evaluation = section(&mut strategy, "evaluation")?;
        fill(evaluation, "paths", shares.test as i64);
        let optimizers = section(&mut strategy, "optimizers")?;
        if optimizers.is_empty() {
            optimizers.insert("kfac".into(), Value::Table(Table::new()));
        }
        let market = section(&mut strategy, "market")?;
        for key in ["model", "file", "digest", "validation_share", "test_share"] {
            if market.contains_key(key) {
                let beside = "beside paths that are given as arrays".into();
                let key = format!("market.{key}");
                return Err(Error::setting(key, Fault::NoMeaning { beside }));
            }
        }
        fill(market, "spot", columns.spot[0]);
        let (file, digest) = self.write(root)?;
        let file = file.into_os_string().into_string();
        let file = file.map_err(|_| Error::input("`runs`: the path is not UTF-8"))?;
        for (key, value) in [
            ("model", Value::from(MODEL)),
            ("file", file.into()),
            ("digest", digest.into()),
            ("validation_share", validation.into()),
            ("test_share", test.into()),
        ] {
            market.insert(key.into(), value);
        }
        Ok(strategy)
    }

    /// Fills in what is sold and for how long.
    fn contract(&self, contract: &mut Table) -> Result<()> {
        const GIVEN: &str = "given_payoff";
        let kind = contract.get("type").and_then(Value::as_str);
        match (self.columns.payoff, kind) {
            (Some(_), None | Some(GIVEN)) => {
                contract.insert("type".into(), GIVEN.into());
            }
            (Some(_), Some(_)) => {
                let beside = "beside `payoff`, which says what is paid".into();
                return Err(Error::setting("contract.type", Fault::NoMeaning { beside }));
            }
            (None, _) if contract.is_empty() => {
                return Err(Error::input(
                    "`payoff` is missing: it says what is paid on each path, unless the strategy has a `contract`",
                ));
            }
            (None, _) => {}
        }
        let periods = self.columns.dates - 1;
        fill(contract, "steps", periods as i64);
        for (argument, given, key) in [
            ("days", self.days, "expiry_days"),
            ("days_per_year", self.days_per_year, "days_per_year"),
        ] {
            if given.is_some() && contract.contains_key(key) {
                return Err(Error::input(format!(
                    "`{argument}` has no meaning beside `contract.{key}`"
                )));
            }
            if let Some(days) = given {
                check(argument, days, days > 0.0, "positive")?;
            }
        }
        if !contract.contains_key("expiry_days") {
            let days = self.days.unwrap_or(1.0);
            fill(contract, "expiry_days", days * periods as f64);
            fill(
                contract,
                "days_per_year",
                self.days_per_year.unwrap_or(252.0),
            );
        } else if let Some(days) = self.days_per_year {
            fill(contract, "days_per_year", days);
        }
        Ok(())
    }

    /// Writes the paths, unless a file of the same numbers is there, and gives its absolute path and the hash of its numbers.
    fn write(&self, root: &Path) -> Result<(PathBuf, String)> {
        let columns = &self.columns;
        let digest = columns.digest();
        let folder = root.join(FOLDER);
        at_path(&folder, std::fs::create_dir_all(&folder))?;
        let file = folder.join(format!("{}.parquet", &digest[..DIGITS]));
        let file = at_path(&file, std::path::absolute(&file))?;
        if !file.is_file() {
            let column = |name: String, values: &[f64], first: usize, width: usize| {
                let values: Vec<f64> = values[first..].iter().step_by(width).copied().collect();
                Column::new(name.into(), values)
            };
            let dates = columns.dates;
            let mut all = Vec::new();
            for (what, values) in [("spot", Some(columns.spot)), ("variance", columns.variance)] {
                let dated = values.into_iter().flat_map(|values| {
                    (0..dates)
                        .map(move |date| column(format!("{what}_{date}"), values, date, dates))
                });
                all.extend(dated);
            }
            let payoff = columns.payoff.into_iter();
            all.extend(payoff.map(|values| column("payoff".into(), values, 0, 1)));
            let table = DataFrame::new(columns.paths(), all)?;
            write_parquet(&file, table)?;
        }
        Ok((file, digest))
    }
}

/// A number by its argument and its place in the array.
fn named(cell: PathCell) -> String {
    match cell {
        PathCell::Spot(path, date) => format!("`spot`[{path}, {date}]"),
        PathCell::Variance(path, date) => format!("`variance`[{path}, {date}]"),
        PathCell::Payoff(path) => format!("`payoff`[{path}]"),
    }
}

/// A section of a strategy, which is made if it is not there.
fn section<'a>(strategy: &'a mut Table, key: &str) -> Result<&'a mut Table> {
    let section = strategy
        .entry(key)
        .or_insert_with(|| Value::Table(Table::new()));
    section
        .as_table_mut()
        .ok_or_else(|| Error::key(key, "must be a table of keys"))
}

/// Writes what a section does not say.
fn fill(section: &mut Table, key: &str, value: impl Into<Value>) {
    section
        .entry(key.to_owned())
        .or_insert_with(|| value.into());
}

#[cfg(test)]
#[path = "on_paths_tests.rs"]
mod tests;
