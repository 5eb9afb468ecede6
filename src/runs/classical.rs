//! The classical hedges of a run: their parameters, and how the learned policies stand beside the best of them.

use crate::hedging::{HedgeValues, Parameter, TunedHedge};
use crate::risk::null_as_nan;
use serde::{Deserialize, Serialize};

/// A classical hedge of a run with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct HedgeRow {
    /// The name of its row in tables.
    pub strategy: String,
    /// What people call it.
    pub title: String,
    /// Its parameters.
    #[serde(default)]
    pub parameters: Vec<HedgeParameter>,
    /// The coefficients of its centre, where that is fitted: a, b and c of Hull and White's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coefficients: Vec<f64>,
    /// The trained risk measure of its P&L where parameters are tuned: without premium on validation paths, or on contracts of the
    /// past.
    #[serde(deserialize_with = "null_as_nan")]
    pub validation_risk: f64,
}

/// A parameter of a classical hedge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct HedgeParameter {
    /// Its key: `aversion` (in one over the spot's currency), `scale`, `ratio`, `move` and `width` (in units of the instrument) or `every`
    /// (in dates); those of options begin with `option_`.
    pub name: String,
    /// Its value.
    #[serde(deserialize_with = "null_as_nan")]
    pub value: f64,
    /// Whether it was found by a search, and not given.
    pub tuned: bool,
    /// Whether that search ended at a bound, beyond which the risk may still fall.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_bound: bool,
}

impl HedgeParameter {
    /// What people call it.
    fn title(&self) -> &str {
        match Parameter::named(&self.name) {
            Some(parameter) => parameter.words(),
            None => &self.name,
        }
    }

    /// The parameter and its value as people read them.
    pub fn words(&self) -> String {
        format!(
            "{} {}",
            self.title(),
            crate::numbers::significant(self.value, 4)
        )
    }
}

impl From<&TunedHedge> for HedgeRow {
    fn from(tuned: &TunedHedge) -> Self {
        let parameters = tuned.hedge.parameters().into_iter().map(|parameter| {
            let mut found = tuned.tuned.iter();
            let found = found.find(|found| found.parameter == parameter);
            HedgeParameter {
                name: parameter.name().into(),
                value: tuned.values.of(parameter),
                tuned: found.is_some(),
                at_bound: found.is_some_and(|found| found.at_bound),
            }
        });
        Self {
            strategy: tuned.hedge.name(),
            title: tuned.hedge.title(),
            parameters: parameters.collect(),
            coefficients: tuned.coefficients.clone(),
            validation_risk: tuned.risk,
        }
    }
}

impl HedgeRow {
    /// The parameters as a hedge takes them.
    pub fn values(&self) -> HedgeValues {
        let known = self.parameters.iter().filter_map(|parameter| {
            let of = Parameter::named(&parameter.name)?;
            Some((of, parameter.value))
        });
        known.fold(HedgeValues::default(), |values, (of, value)| {
            values.with(of, value)
        })
    }

    /// Its name and its parameters, in words; nothing if the name says all of them.
    pub fn words(&self) -> Option<String> {
        let unsaid = self.parameters.iter().filter(|parameter| {
            let said = format!(", {} ", parameter.title());
            !self.title.contains(&said)
        });
        let words: Vec<String> = unsaid.map(HedgeParameter::words).collect();
        (!words.is_empty()).then(|| format!("{}, {}", self.title, words.join(", ")))
    }

    /// That the search for a parameter ended at a bound, in a sentence for each that did.
    pub fn at_bound(&self) -> impl Iterator<Item = String> {
        let bound = self.parameters.iter().filter(|one| one.at_bound);
        bound.map(|one| {
            format!(
                "the {} with the least risk lies at a bound of the search, at {}",
                self.title,
                one.words()
            )
        })
    }
}

/// The hedge with the least risk on validation paths, the first of several.
pub fn best(hedges: &[HedgeRow]) -> Option<&HedgeRow> {
    let known = hedges.iter().filter(|one| !one.validation_risk.is_nan());
    known.min_by(|a, b| a.validation_risk.total_cmp(&b.validation_risk))
}

/// The best classical hedge of a run, and the learned policies beside it. It is chosen by its risk on validation paths, so that its
/// figures on others are not flattered by the choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct BestClassical {
    /// The name of its row.
    pub strategy: String,
    /// What people call it.
    pub title: String,
    /// The market that it is the best of, in a comparison across markets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// Its risk without premium on the validation paths.
    #[serde(deserialize_with = "null_as_nan")]
    pub validation_risk: f64,
    /// On the simulated test paths, if they were hedged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<BesideBest>,
    /// On history, if that was hedged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backtest: Option<BesideBest>,
}

/// The best classical hedge on some paths, and the learned policies beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct BesideBest {
    /// The trained risk measure of the hedge's P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk: f64,
    /// Every learned policy.
    pub policies: Vec<AgainstClassical>,
}

/// The risk of a learned policy less that of the best classical hedge, paired on common paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct AgainstClassical {
    /// The name of the policy.
    pub strategy: String,
    /// The seeds that the difference is a mean over.
    pub seeds: usize,
    /// The difference of the trained risk measure, in money; below 0 the policy has less risk.
    #[serde(deserialize_with = "null_as_nan")]
    pub difference: f64,
    /// Its standard error, over paths and between seeds.
    #[serde(deserialize_with = "null_as_nan")]
    pub standard_error: f64,
}
