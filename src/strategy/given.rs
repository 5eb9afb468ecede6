//! Markets whose paths are given.

use super::file::Strategy;
use super::tenor::Tenor;
use crate::bounds::outside;
use crate::contract::{Charge, Contract, Instrument};
use crate::error::{Error, Fault, Result};
use crate::market::{Assets, Market};
use crate::random::Sampling;

impl Strategy {
    /// Makes the market of given paths, where its model has such: of the file that it names, unless it knows it, with periods as long as those
    /// of the contract.
    ///
    /// # Errors
    /// Those of the file; [`Error::Setting`] at `market.digest` if the file has become another one, and at `market.assets` where there are several.
    pub(super) fn read_given(&mut self) -> Result<()> {
        let several = self.market.assets()?;
        let mut assets = several.iter().flat_map(|several| several.list());
        if assets.any(|asset| asset.market.model.given_file().is_some()) {
            let beside = "for several assets under the model \"given_paths\"".into();
            return Err(Error::setting("market.assets", Fault::NoMeaning { beside }));
        }
        let model = &self.market.model;
        let Some(given) = model.given_file() else {
            return Ok(());
        };
        let read = match given.is_known {
            true => None,
            false => Some(file::read(given)?),
        };
        let known = read.as_ref().or(model.given());
        let periods = known.map_or(1, |paths| paths.periods());
        let years = Tenor::new(&mut self.contract, self.backtest.is_some()).years();
        self.market.model = self.market.model.of_given(read, years / periods as f64)?;
        Ok(())
    }

    /// Checks that what is asked of given paths can be had.
    ///
    /// # Errors
    /// [`Error::Setting`] with the key that has no meaning there, or asks for more paths than are held out.
    pub(super) fn check_given(
        &self,
        assets: &Assets,
        contract: &Contract,
        instruments: &[(Instrument, Charge)],
    ) -> Result<()> {
        let model = &assets.first().model;
        let Some(given) = model.given() else {
            return Ok(());
        };
        let no_meaning = |key: &str, beside: &str| {
            let beside = format!("{beside} under the model \"{}\"", model.name());
            Err(Error::setting(key, Fault::NoMeaning { beside }))
        };
        let training = &self.training;
        match training.sampling {
            Sampling::Pseudorandom => {}
            Sampling::Antithetic => return no_meaning("training.sampling", "as \"antithetic\""),
            Sampling::Sobol => return no_meaning("training.sampling", "as \"sobol\""),
        }
        if training.control_variate {
            // Nothing says that given spots are a martingale.
            return no_meaning("training.control_variate", "as true");
        }
        if contract.family().is_some() {
            let beside = "with terms in ranges";
            return no_meaning("contract", beside);
        }
        if self.backtest.is_some() {
            return no_meaning("backtest", "for contracts of a history");
        }
        if self.walk_forward.is_some() {
            return no_meaning("walk_forward", "for windows of a history");
        }
        let is_spot = |(instrument, _): &(Instrument, Charge)| *instrument == Instrument::SPOT;
        if !instruments.iter().all(is_spot) {
            return no_meaning("policy.instruments", "beyond \"spot\"");
        }
        let held_out = given.shares();
        for (key, what, asked, most) in [
            (
                "training.validation_paths",
                "validation",
                training.validation_paths,
                held_out.validation,
            ),
            (
                "evaluation.paths",
                "tests",
                self.evaluation.paths,
                held_out.test,
            ),
        ] {
            if asked > most {
                let all = given.paths();
                let bound =
                    format!("at most {most}, the paths of {all} that are held out for {what}");
                return Err(outside(key, bound, asked.to_string()));
            }
        }
        Ok(())
    }
}

/// Checks that a contract of `steps` periods in `market` lives as long as its paths, where these are given, and is sold where they begin.
///
/// # Errors
/// [`Error::Setting`] with key, value and bound.
pub(super) fn check_grid(market: &Market, steps: usize) -> Result<()> {
    let Some(given) = market.model.given() else {
        return Ok(());
    };
    if steps != given.periods() {
        let bound = format!("{}, the periods of the given paths", given.periods());
        return Err(outside("contract.steps", bound, steps.to_string()));
    }
    if market.spot != given.start() {
        let bound = format!("{}, where the given paths begin", given.start());
        return Err(outside("market.spot", bound, market.spot.to_string()));
    }
    Ok(())
}

#[cfg(feature = "data")]
mod file {
    use crate::bounds::outside;
    use crate::error::{Result, excerpt};
    use crate::market::model::GivenFile;
    use crate::market::path_table::{PathCell, PathColumns, PathTable};
    use crate::market::table::{Cells, Table, find_column, read as read_table, refuse, refuse_at};
    use std::path::Path;

    /// The paths of a file.
    ///
    /// # Errors
    /// [`crate::Error::Input`] in one line that names the file for one that cannot be read, a column that is missing, a cell that is no number, and what
    /// [`PathTable::new`] refuses; [`crate::Error::Setting`] at `market.digest` for numbers that have become others.
    pub fn read(given: GivenFile<'_>) -> Result<PathTable> {
        let path = given.file;
        let mut found = Found::default();
        let table = read_table(path, |names| {
            found = Found::among(path, names)?;
            Ok(found.all().cloned().collect())
        })?;
        let spot = numbers(path, &table, &found.spot)?;
        let variance = match found.variance.is_empty() {
            true => None,
            false => Some(numbers(path, &table, &found.variance)?),
        };
        let payoff = found.payoff.as_slice();
        let payoff = match payoff.is_empty() {
            true => None,
            false => Some(numbers(path, &table, payoff)?),
        };
        let columns = PathColumns {
            dates: found.spot.len(),
            spot: &spot,
            variance: variance.as_deref(),
            payoff: payoff.as_deref(),
        };
        let own = columns.digest();
        if let Some(digest) = given.digest.filter(|digest| *digest != own) {
            let bound = format!(
                "{own}, that of {}: it has become another file",
                path.display()
            );
            return Err(outside("market.digest", bound, excerpt(digest)));
        }
        let named = |cell: PathCell| {
            let (row, column) = match cell {
                PathCell::Spot(row, date) => (row, &found.spot[date]),
                PathCell::Variance(row, date) => (row, &found.variance[date]),
                PathCell::Payoff(row) => (row, &found.payoff[0]),
            };
            format!("{}, column \"{}\"", table.place(row), excerpt(column))
        };
        PathTable::new(columns, given.held_out, own, named)
            .map_err(|error| error.at(&path.display().to_string()))
    }

    /// The columns by what they are.
    #[derive(Default)]
    struct Found {
        spot: Vec<String>,
        variance: Vec<String>,
        payoff: Vec<String>,
    }

    impl Found {
        fn among(path: &Path, names: &[String]) -> Result<Self> {
            let one = |what: &str| find_column(path, names, what, &[what]);
            let several = |what: &str| -> Result<Vec<String>> {
                let mut all = Vec::new();
                while let Some(name) = one(&format!("{what}_{}", all.len()))? {
                    all.push(name);
                }
                Ok(all)
            };
            let found = Self {
                spot: several("spot")?,
                variance: several("variance")?,
                payoff: one("payoff")?.into_iter().collect(),
            };
            let dates = found.spot.len();
            if dates < 2 {
                let missing = format!(
                    "no column spot_{dates}: paths have a column for every date, from spot_0 to the expiry"
                );
                return Err(refuse(path, &missing));
            }
            if ![0, dates].contains(&found.variance.len()) {
                let missing = format!(
                    "no column variance_{}: variances are given for every date of the spots, {dates}, or for none",
                    found.variance.len()
                );
                return Err(refuse(path, &missing));
            }
            Ok(found)
        }

        fn all(&self) -> impl Iterator<Item = &String> {
            self.spot.iter().chain(&self.variance).chain(&self.payoff)
        }
    }

    /// The numbers of some columns, `[rows][columns]`.
    fn numbers(path: &Path, table: &Table, names: &[String]) -> Result<Vec<f64>> {
        let width = names.len();
        let mut all = vec![f64::NAN; table.rows() * width];
        for (column, name) in names.iter().enumerate() {
            let refused = |row: usize, what: &str| {
                let what = format!("must be a number, was {what}");
                refuse_at(path, table.place(row), name, &what)
            };
            let mut put = |row: usize, value: f64| all[row * width + column] = value;
            match table.cells(path, name)? {
                Cells::Numbers(cells) => {
                    for (row, cell) in cells.into_iter().enumerate() {
                        put(row, cell.ok_or_else(|| refused(row, "blank"))?);
                    }
                }
                Cells::Text(cells) => {
                    for (row, cell) in cells.iter().enumerate() {
                        let text = cell.unwrap_or_default().trim();
                        let shown = || refused(row, &format!("\"{}\"", excerpt(text)));
                        put(row, text.parse().map_err(|_| shown())?);
                    }
                }
                Cells::Dates(_) => return Err(refused(0, "a date")),
            }
        }
        Ok(all)
    }
}

/// Without what reads files there is none.
#[cfg(not(feature = "data"))]
mod file {
    use crate::error::{Error, Result};
    use crate::market::PathTable;
    use crate::market::model::GivenFile;

    pub fn read(given: GivenFile<'_>) -> Result<PathTable> {
        Err(Error::input(format!(
            "{}: this program was built without the feature \"data\", which reads files",
            given.file.display()
        )))
    }
}

#[cfg(all(test, feature = "data"))]
#[path = "given_tests.rs"]
mod tests;
