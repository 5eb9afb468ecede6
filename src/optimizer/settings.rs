use super::{
    AdamSettings, AdamWSettings, CgFacSettings, EkfacSettings, GaussNewtonSettings, KfacSettings,
    KfocSettings, LambSettings, MlbfgsSettings, MuonSettings, Optimizer, SgdSettings,
    ShampooSettings, SingdSettings, SoapSettings, WhitenedMuonSettings,
};
use crate::bounds::one_of;
use crate::error::{Error, Result, excerpt, parser_message};
use crate::simd::BLOCK;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
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

    /// What the method sees of a batch.
    fn family(&self) -> Family;

    /// The keys worth tuning, numbers that are searched on a logarithmic scale.
    fn tunable(&self) -> &'static [&'static str] {
        &["learning_rate"]
    }
}

/// What a method sees of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Gradients and weights alone.
    FirstOrder,
    /// The sweep record of some paths, too.
    Curvature,
}

impl Family {
    /// The fewest paths of a step that a method can work with: curvature comes from whole blocks of the batch.
    pub fn least_paths(self) -> usize {
        match self {
            Self::FirstOrder => 1,
            Self::Curvature => BLOCK,
        }
    }
}

/// Checked settings, and all their keys with the defaults.
type Checked = (Arc<dyn Build>, toml::Table);

/// The methods: one line for each, which everything else that is said of it follows from.
macro_rules! methods {
    ($($method:ident $name:literal $settings:ty,)*) => {
        /// A method of training.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Method {
            $(#[serde(rename = $name)] $method,)*
        }

        impl Method {
            /// All methods by the names that strategy files use.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($name, Self::$method),)*];

            /// The name that strategy files use.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$method => $name,)*
                }
            }

            /// What the method sees of a batch.
            pub fn family(self) -> Family {
                match self {
                    $(Self::$method => <$settings>::default().family(),)*
                }
            }

            /// The checked settings from the keys of the section `section`, and all keys with their defaults.
            ///
            /// # Errors
            /// In one line: the key, the value and its bound.
            pub fn read(self, section: &str, keys: toml::Table) -> Result<Checked> {
                match self {
                    $(Self::$method => read::<$settings>(section, keys),)*
                }
            }
        }
    };
}

methods! {
    Adam "adam" AdamSettings,
    AdamW "adamw" AdamWSettings,
    Kfac "kfac" KfacSettings,
    Lamb "lamb" LambSettings,
    Mlbfgs "mlbfgs" MlbfgsSettings,
    Muon "muon" MuonSettings,
    Sgd "sgd" SgdSettings,
    Shampoo "shampoo" ShampooSettings,
    Soap "soap" SoapSettings,
    Ekfac "ekfac" EkfacSettings,
    Kfoc "kfoc" KfocSettings,
    CgFac "cg_fac" CgFacSettings,
    GaussNewton "gauss_newton" GaussNewtonSettings,
    Singd "singd" SingdSettings,
    WhitenedMuon "whitened_muon" WhitenedMuonSettings,
}

impl Method {
    /// The method of that name; `key` is what names it.
    ///
    /// # Errors
    /// In one line: the key, the name and the methods that there are.
    pub fn named(key: &str, name: &str) -> Result<Self> {
        one_of(key, name, Self::ALL)
    }
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
