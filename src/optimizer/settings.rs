use super::{
    AdamSettings, AdamWSettings, CgFacSettings, EkfacSettings, GaussNewtonSettings, KfacSettings,
    KfocSettings, LambSettings, MlbfgsSettings, MuonSettings, Optimizer, SgdSettings,
    ShampooSettings, SingdSettings, SoapSettings, WhitenedMuonSettings,
};
use crate::bounds::one_of;
use crate::error::{Error, Result, excerpt, parser_message};
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

    /// The keys worth tuning, numbers that are searched on a logarithmic scale.
    fn tunable(&self) -> &'static [&'static str] {
        &["learning_rate"]
    }

    /// The fewest paths of a step that the method can work with.
    fn least_paths(&self) -> usize {
        1
    }
}

type Checked = (Arc<dyn Build>, toml::Table);
type Reader = fn(&str, toml::Table) -> Result<Checked>;

/// Every method by the name that strategy files use.
const METHODS: &[(&str, Reader)] = &[
    ("adam", read::<AdamSettings>),
    ("adamw", read::<AdamWSettings>),
    ("kfac", read::<KfacSettings>),
    ("lamb", read::<LambSettings>),
    ("mlbfgs", read::<MlbfgsSettings>),
    ("muon", read::<MuonSettings>),
    ("sgd", read::<SgdSettings>),
    ("shampoo", read::<ShampooSettings>),
    ("soap", read::<SoapSettings>),
    ("ekfac", read::<EkfacSettings>),
    ("kfoc", read::<KfocSettings>),
    ("cg_fac", read::<CgFacSettings>),
    ("gauss_newton", read::<GaussNewtonSettings>),
    ("singd", read::<SingdSettings>),
    ("whitened_muon", read::<WhitenedMuonSettings>),
];

/// The names of all methods.
pub fn names() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(name, _)| *name)
}

/// The checked settings of the method `name` from the keys of a section, and all keys with their defaults.
///
/// # Errors
/// In one line: the key, the value and its bound.
pub fn method(name: &str, section: &str, keys: toml::Table) -> Result<Checked> {
    let reader = one_of(&format!("{section}.method"), name, METHODS)?;
    reader(section, keys)
}

fn read<S: Settings>(section: &str, keys: toml::Table) -> Result<Checked> {
    let key = |key: &str| format!("{section}.{key}");
    let table = |settings: &S| {
        toml::Table::try_from(settings)
            .map_err(|error| Error::Computation(format!("{section} as TOML: {error}")))
    };
    // Key by key, because a flattened section would not say which of its keys is at fault.
    let mut filled = table(&S::default())?;
    for (name, value) in keys {
        let Some(default) = filled.get(&name) else {
            let known: Vec<&str> = filled.keys().map(String::as_str).collect();
            return Err(Error::input(format!(
                "`{}`: unknown key, must be one of {}",
                excerpt(&key(&name)),
                known.join(", ")
            )));
        };
        let value = match (default, value) {
            // `damping = 1` means the number 1.0.
            (toml::Value::Float(_), toml::Value::Integer(whole)) => {
                toml::Value::Float(whole as f64)
            }
            (_, value) => value,
        };
        if !value.same_type(default) {
            return Err(Error::input(format!(
                "`{}`: must be of type {}, was {}",
                excerpt(&key(&name)),
                default.type_str(),
                excerpt(&value.to_string())
            )));
        }
        filled.insert(name.clone(), value);
        // The keys before this one were found right, so what fails is this one.
        if let Err(error) = S::deserialize(filled.clone()) {
            return Err(Error::input(format!(
                "`{}`: {}",
                excerpt(&key(&name)),
                parser_message(error.message())
            )));
        }
    }
    let settings = S::deserialize(filled).map_err(|error| {
        Error::input(format!("`{section}`: {}", parser_message(error.message())))
    })?;
    settings.check(&key)?;
    let resolved = table(&settings)?;
    Ok((Arc::new(settings), resolved))
}
