//! Markets that are made of past surfaces.

use super::contract::Premium;
use super::file::Strategy;
use super::files::located;
use super::market::MarketSection;
use super::walk_forward::PathSource;
use crate::bounds::date;
use crate::contract::Contract;
use crate::error::{Error, Fault, Result};
use crate::market::{Assets, PastSurfaces};
use crate::random::Sampling;
use chrono::NaiveDate;
use std::path::{Path, PathBuf};

impl MarketSection {
    /// Makes the path of the file of past surfaces, or of given paths, absolute; a relative one counts from `folder`.
    pub(super) fn locate(&mut self, folder: &Path) -> Result<()> {
        let absolute = |key: &str, file: &mut PathBuf| -> Result<()> {
            let (files, _) = located(key, std::slice::from_ref(file), folder)?;
            files.into_iter().for_each(|found| *file = found);
            Ok(())
        };
        if let Some(file) = self.model.past_file_mut() {
            absolute("market.surface", file)?;
        }
        if let Some(file) = self.model.given_file_mut() {
            absolute("market.file", file)?;
        }
        Ok(())
    }
}

impl Strategy {
    /// Makes the market of past surfaces, where its model is made of them and does not know them yet: of those of `market.surface`, or of
    /// `backtest.surface` before the first sale.
    ///
    /// # Errors
    /// [`Error::Setting`] if none is named or `backtest.start` does not say where the past ends; those of the file; those of the model.
    pub(super) fn read_past(&mut self) -> Result<()> {
        let model = &self.market.model;
        let Some(past) = model.past_file().filter(|past| !past.is_known) else {
            return Ok(());
        };
        let dated = |key: &str, text: Option<&str>| text.map(|text| date(key, text)).transpose();
        let first = dated("market.surface_from", past.first)?;
        let last = dated("market.surface_to", past.last)?;
        let sold = self.backtest.as_ref();
        let sold = sold.and_then(|section| Some((section.surface.as_ref()?, &section.start)));
        let days = match (past.file, sold) {
            (Some(file), _) => read(file, |day| {
                first.is_none_or(|first| day >= first) && last.is_none_or(|last| day <= last)
            })?,
            (None, Some((file, start))) => {
                let Some(start) = dated("backtest.start", start.as_deref())? else {
                    return Err(Error::setting("backtest.start", Fault::Missing));
                };
                read(Path::new(file), |day| {
                    first.is_none_or(|first| day >= first) && day < start
                })?
            }
            (None, None) => return Err(Error::setting("market.surface", Fault::Missing)),
        };
        self.market.model = model.of_past(&days)?.parameters;
        Ok(())
    }

    /// Checks that what is asked of a market with surfaces can be had.
    ///
    /// # Errors
    /// [`Error::Setting`] with the key that has no meaning there, or that is missing.
    pub(super) fn check_surfaces(
        &self,
        assets: &Assets,
        contract: &Contract,
        premium: Premium,
    ) -> Result<()> {
        let mut models = assets.list().iter().map(|asset| &asset.market.model);
        let Some(model) = models.find(|model| model.has_surface()) else {
            return Ok(());
        };
        let no_meaning = |key: &str, beside: &str| {
            let beside = format!("{beside} under the model \"{}\"", model.name());
            Err(Error::setting(key, Fault::NoMeaning { beside }))
        };
        if assets.count() > 1 {
            return no_meaning("market.assets", "for several assets");
        }
        if self.training.sampling == Sampling::Antithetic && !model.has_antithetic_paths() {
            return no_meaning("training.sampling", "as \"antithetic\"");
        }
        let walk_forward = self.walk_forward.as_ref();
        if walk_forward.is_some_and(|section| section.paths == PathSource::Bootstrap) {
            return no_meaning("walk_forward.paths", "as \"bootstrap\"");
        }
        let history = self.backtest.as_ref();
        if history.is_some_and(|section| section.surface.is_none()) {
            return Err(Error::setting("backtest.surface", Fault::Missing));
        }
        let of_legs = |one: &Contract| one.legs().is_some();
        let has_legs = contract.family().map_or_else(
            || of_legs(contract),
            |family| family.members().iter().all(|one| of_legs(&one.contract)),
        );
        if premium == Premium::Model && !has_legs {
            return Err(Error::key(
                "contract.premium",
                format!(
                    "must be an amount: under the model \"{}\" contracts are sold at the surface of their path, as calls and puts alone can be",
                    model.name(),
                ),
            ));
        }
        Ok(())
    }
}

/// The days of a file that `taken` says.
///
/// # Errors
/// Those of [`crate::quotes::surfaces`]; [`Error::Input`] for a file without closes, or with too few days.
#[cfg(feature = "data")]
fn read(file: &Path, taken: impl Fn(NaiveDate) -> bool) -> Result<PastSurfaces> {
    use crate::market::history::Reading;
    use crate::quotes::surfaces;
    let mut history = surfaces(file, &Reading::default(), false)?;
    let place = file.display().to_string();
    if history.close.is_empty() {
        return Err(Error::input(format!(
            "{place}: no close column: a market is made of closes and surfaces"
        )));
    }
    history.retain(taken);
    PastSurfaces::new(&history.close, &history.surface).map_err(|error| error.at(&place))
}

/// Without what reads files there is none.
#[cfg(not(feature = "data"))]
fn read(file: &Path, _: impl Fn(NaiveDate) -> bool) -> Result<PastSurfaces> {
    Err(Error::input(format!(
        "{}: this program was built without the feature \"data\", which reads files",
        file.display()
    )))
}

#[cfg(all(test, feature = "data"))]
#[path = "past_tests.rs"]
mod tests;
