use super::{
    AdamSettings, AdamWSettings, CgFacSettings, EkfacSettings, GaussNewtonSettings, KfacSettings,
    KfocSettings, KlShampooSettings, LambSettings, MlbfgsSettings, MuonSettings, Optimizer,
    PsgdKronSettings, SgdSettings, ShampooSettings, SingdSettings, SoapSettings,
    WhitenedMuonSettings,
};
use crate::bounds::one_of;
use crate::error::{Error, Result, parser_message};
use crate::settings::{check, prune, schema};
use crate::simd::BLOCK;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

/// The settings of a method as a strategy file gives them; their default is the method's documented one, and their bounds
/// stand at their fields (see [`crate::settings`]).
pub trait Settings: Build + Default + Serialize + DeserializeOwned + JsonSchema + 'static {
    /// Checks what depends on several settings; `key` gives the full name of a key for the error.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    fn check(&self, _key: &dyn Fn(&str) -> String) -> Result<()> {
        Ok(())
    }
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
    ($($(#[doc = $doc:literal])* $method:ident $name:literal $settings:ty,)*) => {
        /// A method of training.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum Method {
            $($(#[doc = $doc])* #[serde(rename = $name)] $method,)*
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

            /// The schema of the method's own settings, with its defaults.
            pub fn schema(self) -> &'static Value {
                match self {
                    $(Self::$method => {
                        static SCHEMA: LazyLock<Value> = LazyLock::new(|| schema(&<$settings>::default()));
                        &SCHEMA
                    })*
                }
            }

            /// The checked settings from the keys of the section `section`, and all keys with their defaults.
            ///
            /// # Errors
            /// In one line: the key, the value and its bound.
            pub fn read(self, section: &str, keys: toml::Table) -> Result<Checked> {
                match self {
                    $(Self::$method => read::<$settings>(self.schema(), section, keys),)*
                }
            }
        }
    };
}

methods! {
    /// Adam (Kingma and Ba 2015).
    Adam "adam" AdamSettings,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    AdamW "adamw" AdamWSettings,
    /// K-FAC for recurrent networks (Martens, Ba and Johnson 2018).
    Kfac "kfac" KfacSettings,
    /// KL-Shampoo: Shampoo's factors by the least Kullback–Leibler divergence (Lin et al. 2025).
    KlShampoo "kl_shampoo" KlShampooSettings,
    /// LAMB: Adam with a step relative to the length of the weights (You et al. 2020).
    Lamb "lamb" LambSettings,
    /// L-BFGS on averages, block by block (Niu et al. 2023).
    Mlbfgs "mlbfgs" MlbfgsSettings,
    /// Muon: orthogonalised momentum (Jordan et al. 2024).
    Muon "muon" MuonSettings,
    /// PSGD with a Kronecker-factored preconditioner that whitens gradients (Li 2018, 2024).
    PsgdKron "psgd_kron" PsgdKronSettings,
    /// Gradient descent with momentum.
    Sgd "sgd" SgdSettings,
    /// Shampoo (Gupta, Koren and Singer 2018).
    Shampoo "shampoo" ShampooSettings,
    /// SOAP: Adam in the eigenbases of Shampoo (Vyas et al. 2024).
    Soap "soap" SoapSettings,
    /// EKFAC: K-FAC with rescaled eigenvalues (George et al. 2018).
    Ekfac "ekfac" EkfacSettings,
    /// Kronecker-factored optimal curvature (Schnaus, Lee and Triebel 2021).
    Kfoc "kfoc" KfocSettings,
    /// Conjugate gradients on the exact metric, preconditioned by K-FAC.
    CgFac "cg_fac" CgFacSettings,
    /// Exact Gauss–Newton, a reference on small networks and few paths.
    GaussNewton "gauss_newton" GaussNewtonSettings,
    /// Inverse-free natural gradient with Kronecker factors (Lin et al. 2024).
    Singd "singd" SingdSettings,
    /// Muon in the coordinates that K-FAC's factors whiten.
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

fn read<S: Settings>(schema: &Value, section: &str, keys: toml::Table) -> Result<Checked> {
    let keys = toml::Value::Table(keys);
    check(schema, &keys, section)?;
    let failed =
        |what: &str| Error::Computation(format!("{section} as TOML: {}", parser_message(what)));
    let table =
        |settings: &S| toml::Table::try_from(settings).map_err(|error| failed(&error.to_string()));
    // A method's defaults differ from those of the settings that it shares with others, which are flattened into it.
    let mut filled = table(&S::default())?;
    if let toml::Value::Table(keys) = keys {
        filled.extend(keys);
    }
    let settings = S::deserialize(filled).map_err(|error| failed(error.message()))?;
    settings.check(&|key| format!("{section}.{key}"))?;
    let mut resolved = table(&settings)?;
    prune(schema, &mut resolved);
    Ok((Arc::new(settings), resolved))
}
