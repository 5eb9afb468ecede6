//! The sections `policy` and `evaluation`.

use super::raw::{Raw, RawAversion};
use crate::bounds::{at_least, filled, one_of, positive, within};
use crate::contract::{Charge, Instrument};
use crate::error::{Error, Result};
use crate::hedging::ClassicalName;
use crate::network::{Engine, Feature, LstmShape, Shape};

/// Risk aversion λ of the Whalley–Wilmott band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aversion {
    Given(f64),
    /// The one with the least risk on the validation paths.
    Tuned,
}

/// Units of a layer, and layers, at most.
const MOST_HIDDEN: usize = 4096;
const MOST_LAYERS: usize = 64;

pub(super) fn policy(raw: &mut Raw, instruments: usize) -> Result<(Shape, Vec<Feature>, Engine)> {
    let policy = &mut raw.policy;
    let all = Feature::ALL.map(|(name, _)| name.to_string()).to_vec();
    let list = filled(&mut policy.features, all)
        .iter()
        .map(|name| one_of("policy.features", name, &Feature::ALL))
        .collect::<Result<Vec<_>>>()?;
    let layer_normalisation = filled(&mut policy.layer_normalisation, false);
    // The deviation of one unit from its own mean is zero.
    let least = if layer_normalisation { 2 } else { 1 };
    let shape = LstmShape {
        features: at_least("policy.features", list.len(), 1)?,
        hidden: within(
            "policy.hidden",
            filled(&mut policy.hidden, 32),
            least,
            MOST_HIDDEN,
        )?,
        layers: within(
            "policy.layers",
            filled(&mut policy.layers, 1),
            1,
            MOST_LAYERS,
        )?,
        instruments,
        layer_normalisation,
    };
    let engine = one_of(
        "policy.sweep",
        &filled(&mut policy.sweep, "block".into()),
        &[("block", Engine::Block), ("tensor", Engine::Tensor)],
    )?;
    Ok((shape.into(), list, engine))
}

pub(super) fn evaluation(
    raw: &mut Raw,
    instruments: &[(Instrument, Charge)],
) -> Result<(Vec<ClassicalName>, Aversion)> {
    let evaluation = &mut raw.evaluation;
    // The fourth one integrates a characteristic function at every date of every path.
    let quick = ClassicalName::ALL[..3].iter();
    let names = filled(
        &mut evaluation.hedges,
        quick.map(|(name, _)| (*name).to_owned()).collect(),
    );
    let hedges = names
        .iter()
        .map(|name| one_of("evaluation.hedges", name, ClassicalName::ALL))
        .collect::<Result<Vec<_>>>()?;
    let options = instruments
        .iter()
        .any(|(instrument, _)| matches!(instrument, Instrument::Option(_)));
    if hedges.contains(&ClassicalName::DeltaVega) && !options {
        return Err(Error::input(
            "`evaluation.hedges`: \"delta_vega\" needs an option in `policy.instruments`",
        ));
    }
    let key = "evaluation.risk_aversion";
    let aversion = match filled(
        &mut evaluation.risk_aversion,
        RawAversion::Rule("tuned".into()),
    ) {
        RawAversion::Number(number) => Aversion::Given(positive(key, number)?),
        RawAversion::Rule(rule) => one_of(key, &rule, &[("tuned", Aversion::Tuned)])?,
    };
    Ok((hedges, aversion))
}
