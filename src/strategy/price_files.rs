//! The price files that a strategy names.

use crate::error::{Error, Fault, Result};
use crate::market::Assets;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One file or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Files {
    /// One file.
    One(String),
    /// Files that are joined by date.
    Several(Vec<String>),
    /// The files of each of several assets.
    ByAsset(BTreeMap<String, AssetFiles>),
}

/// The files of one asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AssetFiles {
    /// One file.
    One(String),
    /// Files that are joined by date.
    Several(Vec<String>),
}

impl From<Files> for Vec<PathBuf> {
    fn from(files: Files) -> Self {
        match files {
            Files::One(file) => vec![file.into()],
            Files::Several(files) => files.into_iter().map(PathBuf::from).collect(),
            Files::ByAsset(assets) => {
                let files = assets.into_values().map(Files::from);
                files.flat_map(Self::from).collect()
            }
        }
    }
}

impl AssetFiles {
    /// The names of the files.
    pub(super) fn names_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::One(file) => vec![file],
            Self::Several(files) => files.iter_mut().collect(),
        }
    }
}

impl From<AssetFiles> for Files {
    fn from(files: AssetFiles) -> Self {
        match files {
            AssetFiles::One(file) => Self::One(file),
            AssetFiles::Several(files) => Self::Several(files),
        }
    }
}

impl Files {
    pub(super) fn of_one_asset(self) -> AssetFiles {
        match self {
            Self::One(file) => AssetFiles::One(file),
            Self::Several(files) => AssetFiles::Several(files),
            Self::ByAsset(assets) => {
                let files = assets.into_values().map(Self::from);
                let files = files.flat_map(Vec::<PathBuf>::from);
                AssetFiles::Several(files.map(|file| file.display().to_string()).collect())
            }
        }
    }

    /// The files of every asset, in the order of `assets`.
    pub(super) fn by_asset(self, assets: &Assets) -> Result<Vec<Vec<PathBuf>>> {
        const KEY: &str = "backtest.data";
        let names: Vec<&str> = assets.list().iter().map(|a| a.name.as_str()).collect();
        match self {
            Self::ByAsset(mut files) => {
                let foreign = files.keys().find(|name| !names.contains(&name.as_str()));
                if let Some(foreign) = foreign {
                    return Err(Error::key(
                        format!("{KEY}.{foreign}"),
                        "is of no asset of `market.assets`",
                    ));
                }
                let of = |name: &&str| {
                    let found = files.remove(*name);
                    let found = found
                        .ok_or_else(|| Error::setting(format!("{KEY}.{name}"), Fault::Missing))?;
                    Ok(Self::from(found).into())
                };
                names.iter().map(of).collect()
            }
            files @ (Self::One(_) | Self::Several(_)) if names.len() == 1 => Ok(vec![files.into()]),
            Self::One(_) | Self::Several(_) => Err(Error::key(
                KEY,
                format!(
                    "must be a table of the files of each asset, {{ {} = \"…\", … }}",
                    names[0]
                ),
            )),
        }
    }
}

impl From<Vec<PathBuf>> for Files {
    fn from(files: Vec<PathBuf>) -> Self {
        let mut names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
        match names.len() {
            1 => Self::One(names.remove(0)),
            _ => Self::Several(names),
        }
    }
}
