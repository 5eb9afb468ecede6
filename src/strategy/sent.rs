//! Strategies that come from elsewhere, whose files are looked for where whoever takes them says.

use super::file::Strategy;
use super::plan::Plan;
use super::price_files::Files;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Where the file lies that a key of a strategy names, or why the strategy may not name it.
pub type FindFile<'a> = &'a dyn Fn(&str, &Path) -> Result<PathBuf>;

/// No history in the place of a strategy's own.
pub const NO_HISTORY: Option<fn(&mut Strategy)> = None;

impl Plan {
    /// Validates the text of a strategy that comes from elsewhere: every file that it names is one that `find` gives, and none is
    /// opened before. Where there is a `history`, it writes the files of the backtest in the place of those that the text names, which
    /// need not be there.
    ///
    /// # Errors
    /// Those of `find`; those of [`Plan::parse`].
    pub fn parse_sent(
        text: &str,
        find: FindFile<'_>,
        history: Option<impl FnOnce(&mut Strategy)>,
    ) -> Result<Self> {
        let mut strategy = Strategy::parse(text)?;
        if history.is_some()
            && let Some(backtest) = &mut strategy.backtest
        {
            (backtest.data, backtest.surface) = (None, None);
        }
        strategy.find_files(find)?;
        if let Some(history) = history {
            history(&mut strategy);
        }
        Self::new(strategy)
    }
}

impl Strategy {
    /// Replaces every file that the strategy names by the one that `find` gives, which is told the key that names it.
    ///
    /// # Errors
    /// Those of `find`; a path that is not UTF-8, which a strategy cannot hold.
    pub fn find_files(&mut self, find: FindFile<'_>) -> Result<()> {
        let text = |key: &str, file: &str| -> Result<String> {
            let found = find(key, Path::new(file))?.into_os_string();
            let found = found.into_string();
            found.map_err(|_| Error::key(key, ": the path is not UTF-8"))
        };
        if let Some(file) = self.market.model.past_file_mut() {
            *file = find("market.surface", file)?;
        }
        if let Some(file) = self.market.model.given_file_mut() {
            *file = find("market.file", file)?;
        }
        for (name, market) in &mut self.markets {
            for key in ["surface", "file"] {
                if let Some(toml::Value::String(file)) = market.get_mut(key) {
                    *file = text(&format!("markets.{name}.{key}"), file)?;
                }
            }
        }
        let Some(backtest) = &mut self.backtest else {
            return Ok(());
        };
        if let Some(file) = &mut backtest.surface {
            *file = text("backtest.surface", file)?;
        }
        if let Some(files) = &mut backtest.data {
            let key = "backtest.data";
            files.each(&mut |file| {
                *file = text(key, file)?;
                Ok(())
            })?;
        }
        backtest.relative_to = None;
        Ok(())
    }
}

impl Files {
    /// Shows every name to `change`, which may replace it.
    fn each(&mut self, change: &mut dyn FnMut(&mut String) -> Result<()>) -> Result<()> {
        match self {
            Self::One(file) => change(file),
            Self::Several(files) => files.iter_mut().try_for_each(change),
            Self::ByAsset(assets) => assets
                .values_mut()
                .try_for_each(|files| files.names_mut().into_iter().try_for_each(&mut *change)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    const SMALL: &str =
        "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 30\n";

    /// Every key that names a file is asked for, in every form that a list of files has, and what is refused is refused by its key
    /// before anything is read.
    #[test]
    fn every_file_is_asked_for() {
        let asked = RefCell::new(Vec::new());
        let find = |key: &str, file: &Path| {
            asked.borrow_mut().push(format!("{key} {}", file.display()));
            Ok(Path::new("/data").join(file))
        };
        let with = |more: &str| Strategy::parse(&format!("{SMALL}{more}")).unwrap();
        for more in [
            "[backtest]\ndata = \"a.csv\"\n",
            "[backtest]\ndata = [\"a.csv\", \"b.csv\"]\nsurface = \"s.csv\"\n",
            "[backtest]\ndata = { x = \"a.csv\", y = [\"b.csv\", \"c.csv\"] }\n",
            "[markets.other]\nsurface = \"m.csv\"\nfile = \"p.csv\"\n",
        ] {
            let mut strategy = with(more);
            strategy.find_files(&find).unwrap();
            if let Some(backtest) = strategy.backtest {
                let files: Vec<PathBuf> = backtest.data.unwrap().into();
                assert!(
                    files.iter().all(|file| file.starts_with("/data")),
                    "{files:?}"
                );
            }
        }
        assert_eq!(
            asked.into_inner(),
            [
                "backtest.data a.csv",
                "backtest.surface s.csv",
                "backtest.data a.csv",
                "backtest.data b.csv",
                "backtest.data a.csv",
                "backtest.data b.csv",
                "backtest.data c.csv",
                "markets.other.surface m.csv",
                "markets.other.file p.csv",
            ]
        );
        let bootstrap = "[market]\nmodel = \"surface_bootstrap\"\nsurface = \"/etc/passwd\"\n[contract]\nexpiry_days = 30\n";
        let refuse = |key: &str, _: &Path| Err(Error::key(key, "must be elsewhere"));
        let error = Plan::parse_sent(bootstrap, &refuse, NO_HISTORY).unwrap_err();
        assert_eq!(error.to_string(), "`market.surface` must be elsewhere");
        let given = bootstrap
            .replace("surface_bootstrap", "given_paths")
            .replace("surface =", "file =");
        let error = Plan::parse_sent(&given, &refuse, NO_HISTORY).unwrap_err();
        assert_eq!(error.to_string(), "`market.file` must be elsewhere");
    }
}
