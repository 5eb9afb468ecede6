use super::check::{at_least, blocks, check, filled, fraction, one_of, positive};
use super::raw::RawOptimizer;
use crate::error::{Error, Result};
use crate::optimizer::{Adam, AdamSettings, Approximation, Kfac, KfacSettings, Optimizer};
use crate::simd::BLOCK;

/// A validated optimizer, and how long and on how many paths a step it trains.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimizerPlan {
    pub name: String,
    /// Steps as a multiple of the strategy's.
    pub relative_steps: f64,
    /// Paths of a step.
    pub paths: usize,
    pub method: Method,
}

/// A training method and its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    Adam(AdamSettings),
    Kfac(KfacSettings),
}

impl Method {
    /// The optimizer in its initial state.
    pub fn build(&self) -> Box<dyn Optimizer> {
        match self {
            Self::Adam(settings) => Box::new(Adam::new(*settings)),
            Self::Kfac(settings) => Box::new(Kfac::new(*settings)),
        }
    }

    /// Whether the method is one that others are compared with.
    pub fn is_baseline(&self) -> bool {
        matches!(self, Self::Adam(_))
    }
}

impl OptimizerPlan {
    /// Validates the section `optimizers.name`; `paths` is the strategy's batch.
    pub(super) fn new(name: &str, raw: &mut RawOptimizer, paths: usize) -> Result<Self> {
        let key = |key: &str| format!("optimizers.{name}.{key}");
        let method = filled(&mut raw.method, name.to_string());
        let is_adam = one_of(&key("method"), &method, &[("adam", true), ("kfac", false)])?;
        check_foreign_keys(&key, raw, is_adam)?;
        let relative_steps = filled(&mut raw.relative_steps, 1.0);
        Ok(Self {
            name: name.to_string(),
            relative_steps: positive(&key("relative_steps"), relative_steps)?,
            // Curvature comes from whole blocks of the batch.
            paths: at_least(
                &key("paths"),
                filled(&mut raw.paths, paths),
                if is_adam { 1 } else { BLOCK },
            )?,
            method: if is_adam {
                let rate = filled(&mut raw.learning_rate, 0.1);
                let rate = positive(&key("learning_rate"), rate)?;
                Method::Adam(adam(&key, raw, rate)?)
            } else {
                Method::Kfac(kfac(&key, raw)?)
            },
        })
    }
}

/// Keys that only one method knows, if they are set.
fn check_foreign_keys(
    key: &dyn Fn(&str) -> String,
    raw: &RawOptimizer,
    is_adam: bool,
) -> Result<()> {
    let kfac = [
        ("approximation", raw.approximation.is_some()),
        ("damping", raw.damping.is_some()),
        ("trust_radius", raw.trust_radius.is_some()),
        ("momentum", raw.momentum.is_some()),
        ("factor_decay", raw.factor_decay.is_some()),
        ("factor_period", raw.factor_period.is_some()),
        ("curvature_paths", raw.curvature_paths.is_some()),
        ("radius_paths", raw.radius_paths.is_some()),
        ("start_steps", raw.start_steps.is_some()),
        ("start_learning_rate", raw.start_learning_rate.is_some()),
    ];
    let adam = [("learning_rate", raw.learning_rate.is_some())];
    let (foreign, method) = if is_adam {
        (kfac.as_slice(), "adam")
    } else {
        (adam.as_slice(), "kfac")
    };
    match foreign.iter().find(|(_, set)| *set) {
        Some((name, _)) => Err(Error::input(format!(
            "`{}` has no meaning for the method \"{method}\"",
            key(name)
        ))),
        None => Ok(()),
    }
}

fn adam(
    key: &dyn Fn(&str) -> String,
    raw: &mut RawOptimizer,
    learning_rate: f64,
) -> Result<AdamSettings> {
    Ok(AdamSettings {
        learning_rate,
        beta1: fraction(&key("beta1"), filled(&mut raw.beta1, 0.8))?,
        beta2: fraction(&key("beta2"), filled(&mut raw.beta2, 0.99))?,
        clip_norm: positive(&key("clip_norm"), filled(&mut raw.clip_norm, 1.0))?,
        warm_up_steps: filled(&mut raw.warm_up_steps, 10),
    })
}

fn kfac(key: &dyn Fn(&str) -> String, raw: &mut RawOptimizer) -> Result<KfacSettings> {
    let approximation = filled(&mut raw.approximation, "chain".into());
    let decay = filled(&mut raw.factor_decay, 0.6);
    let start_rate = positive(
        &key("start_learning_rate"),
        filled(&mut raw.start_learning_rate, 0.05),
    )?;
    let start = adam(key, raw, start_rate)?;
    Ok(KfacSettings {
        approximation: one_of(
            &key("approximation"),
            &approximation,
            &[
                ("chain", Approximation::Chain),
                ("symmetric_chain", Approximation::SymmetricChain),
                ("expand", Approximation::Expand),
                ("reduce", Approximation::Reduce),
            ],
        )?,
        damping: positive(&key("damping"), filled(&mut raw.damping, 3e-4))?,
        trust_radius: positive(&key("trust_radius"), filled(&mut raw.trust_radius, 0.1))?,
        momentum: fraction(&key("momentum"), filled(&mut raw.momentum, 0.9))?,
        factor_decay: check(
            &key("factor_decay"),
            decay,
            (0.0..=1.0).contains(&decay),
            "in [0, 1]",
        )?,
        factor_period: at_least(&key("factor_period"), filled(&mut raw.factor_period, 10), 1)?,
        curvature_paths: blocks(
            &key("curvature_paths"),
            filled(&mut raw.curvature_paths, 512),
        )?,
        radius_paths: blocks(&key("radius_paths"), filled(&mut raw.radius_paths, 256))?,
        warm_up_steps: filled(&mut raw.warm_up_steps, 10),
        start_steps: filled(&mut raw.start_steps, 10),
        start,
    })
}
