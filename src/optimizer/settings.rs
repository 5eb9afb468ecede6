use super::{AdamSettings, KfacSettings, Optimizer};
use crate::bounds::one_of;
use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;

/// The settings of a method as a strategy file gives them; their default is the method's documented one.
pub trait Settings: Build + Default + Serialize + DeserializeOwned + 'static {
    /// Checks bounds; `key` gives the full name of a key for the error.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()>;
}

/// Settings that make an optimizer.
pub trait Build: Debug + Send + Sync {
    /// The optimizer in its initial state.
    fn build(&self) -> Box<dyn Optimizer>;

    /// The fewest paths of a step that the method can work with.
    fn least_paths(&self) -> usize {
        1
    }
}

type Checked = (Arc<dyn Build>, toml::Table);
type Reader = fn(&str, toml::Table) -> Result<Checked>;

/// Every method by the name that strategy files use.
const METHODS: [(&str, Reader); 2] = [
    ("adam", read::<AdamSettings>),
    ("kfac", read::<KfacSettings>),
];

/// The checked settings of the method `name` from the keys of a section, and all keys with their defaults.
///
/// # Errors
/// In one line: the key, the value and its bound.
pub fn method(name: &str, section: &str, keys: toml::Table) -> Result<Checked> {
    let reader = one_of(&format!("{section}.method"), name, &METHODS)?;
    reader(section, keys)
}

fn read<S: Settings>(section: &str, keys: toml::Table) -> Result<Checked> {
    let settings: S = serde_path_to_error::deserialize(keys).map_err(|error| {
        let message = error.inner().message().split_whitespace();
        let message = message.collect::<Vec<_>>().join(" ");
        match error.path().to_string().as_str() {
            "." => Error::input(format!("`{section}`: {message}")),
            path => Error::input(format!("`{section}.{path}`: {message}")),
        }
    })?;
    settings.check(&|key| format!("{section}.{key}"))?;
    let resolved = toml::Table::try_from(&settings)
        .map_err(|error| Error::Computation(format!("{section} as TOML: {error}")))?;
    Ok((Arc::new(settings), resolved))
}
