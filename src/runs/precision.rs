//! How well data determine the parameters that were estimated from them.

pub use crate::numbers::listed;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Standard errors of estimated parameters, and the parameters that have none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Precision {
    /// The standard errors of the parameters that the data identify, on the supposition that those on a bound are known.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "dashboard", schema(value_type = Object))]
    pub standard_errors: Map<String, Value>,
    /// Parameters that ended on a bound of their search.
    #[serde(default)]
    pub at_bound: Vec<String>,
    /// Other parameters without a standard error: the likelihood has no strict maximum in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_identified: Vec<String>,
}

impl Precision {
    /// From the names on a bound, and those with and without a standard error.
    pub fn new<'a>(
        at_bound: &[&str],
        known: impl Iterator<Item = (&'a str, f64)>,
        unknown: impl Iterator<Item = &'a str>,
    ) -> Self {
        Self {
            standard_errors: known
                .map(|(name, error)| (name.to_owned(), error.into()))
                .collect(),
            at_bound: at_bound.iter().map(ToString::to_string).collect(),
            not_identified: unknown
                .filter(|name| !at_bound.contains(name))
                .map(str::to_owned)
                .collect(),
        }
    }

    /// The parameters that the data do not determine, in words: "kappa and rho (on a bound of the search), theta (not
    /// identified)"; nothing if they determine all.
    pub fn undetermined(&self) -> Option<String> {
        let words = |names: &[String], what: &str| {
            (!names.is_empty()).then(|| format!("{} ({what})", listed(names)))
        };
        let parts = [
            words(&self.at_bound, "on a bound of the search"),
            words(&self.not_identified, "not identified"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_undetermined_is_named() {
        let known = [("theta", 0.01)].into_iter();
        let unknown = ["kappa", "sigma", "rho"].into_iter();
        let precision = Precision::new(&["kappa", "rho"], known, unknown);
        assert_eq!(
            precision.undetermined().unwrap(),
            "kappa and rho (on a bound of the search), sigma (not identified)"
        );
        assert_eq!(precision.standard_errors["theta"], 0.01);
        assert_eq!(Precision::default().undetermined(), None);
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        let text = serde_json::to_string(&precision).unwrap();
        assert!(!text.contains("null"), "{text}");
        assert_eq!(serde_json::from_str::<Precision>(&text).unwrap(), precision);
    }
}
