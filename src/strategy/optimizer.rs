use super::raw::RawOptimizer;
use crate::bounds::{MOST_PATHS, at_least, filled, fraction, one_of, positive, within};
use crate::error::{Error, Result, excerpt};
use crate::optimizer::{Averaging, Build, Method};
use std::sync::Arc;

/// A validated optimizer, and how long and on how many paths a step it trains.
#[derive(Debug, Clone)]
pub struct OptimizerPlan {
    pub name: String,
    pub method: Method,
    /// Steps as a multiple of the strategy's.
    pub relative_steps: f64,
    /// Paths of a step.
    pub paths: usize,
    /// Further lengths of training, in steps of the strategy, that a comparison measures.
    pub lengths: Vec<usize>,
    /// Whether a search for settings tries other numbers of paths, with the steps for as many paths in all.
    pub tune_paths: bool,
    pub settings: Arc<dyn Build>,
    /// The settings as keys, with every default.
    pub keys: toml::Table,
    /// Which weights along the training are the trained policy.
    pub averaging: Averaging,
}

impl OptimizerPlan {
    /// Validates the section `optimizers.name`; `paths` and `lengths` are the strategy's.
    pub(super) fn new(
        name: &str,
        raw: &mut RawOptimizer,
        paths: usize,
        lengths: &[usize],
    ) -> Result<Self> {
        check_name(name)?;
        let section = format!("optimizers.{name}");
        let key = |key: &str| format!("{section}.{key}");
        let chosen = Method::named(&key("method"), &filled(&mut raw.method, name.to_string()))?;
        let (settings, resolved) = chosen.read(&section, std::mem::take(&mut raw.settings))?;
        raw.settings.clone_from(&resolved);
        let relative_steps = filled(&mut raw.relative_steps, 1.0);
        let paths = filled(&mut raw.paths, paths);
        let lengths = filled(&mut raw.lengths, lengths.to_vec());
        Ok(Self {
            name: name.to_string(),
            method: chosen,
            relative_steps: positive(&key("relative_steps"), relative_steps)?,
            paths: within(
                &key("paths"),
                paths,
                chosen.family().least_paths(),
                MOST_PATHS,
            )?,
            lengths: at_least_one(&key("lengths"), lengths)?,
            tune_paths: filled(&mut raw.tune_paths, false),
            settings,
            keys: resolved,
            averaging: averaging(&key, raw)?,
        })
    }

    /// The same optimizer with other settings.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn with_keys(&self, keys: toml::Table) -> Result<Self> {
        let section = format!("optimizers.{}", self.name);
        let (settings, keys) = self.method.read(&section, keys)?;
        Ok(Self {
            settings,
            keys,
            ..self.clone()
        })
    }

    /// The same optimizer on `factor` times as many paths a step, in as many fewer steps; unchanged if those are fewer
    /// paths than its method can work with.
    pub fn with_paths(&self, factor: f64) -> Self {
        let paths = (self.paths as f64 * factor).round() as usize;
        if paths < self.method.family().least_paths() {
            return self.clone();
        }
        Self {
            paths,
            relative_steps: self.relative_steps / factor,
            ..self.clone()
        }
    }
}

/// Names of optimizers are words: they stand in names of files, in tables and in cells of spreadsheets.
fn check_name(name: &str) -> Result<()> {
    const LONGEST: usize = 64;
    let possible = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if begins_well && name.len() <= LONGEST && name.bytes().all(possible) {
        return Ok(());
    }
    Err(Error::input(format!(
        "`optimizers`: a name has 1 to {LONGEST} letters, digits, _ and -, of which the first is a letter or a digit, was \"{}\"",
        excerpt(name)
    )))
}

/// Lengths in ascending order, each once.
pub(super) fn at_least_one(key: &str, mut lengths: Vec<usize>) -> Result<Vec<usize>> {
    for &length in &lengths {
        at_least(key, length, 1)?;
    }
    lengths.sort_unstable();
    lengths.dedup();
    Ok(lengths)
}

fn averaging(key: &dyn Fn(&str) -> String, raw: &mut RawOptimizer) -> Result<Averaging> {
    #[derive(Clone, Copy, PartialEq)]
    enum Rule {
        None,
        Exponential,
        Swa,
    }
    let name = filled(&mut raw.average, "none".into());
    let choices = [
        ("none", Rule::None),
        ("exponential", Rule::Exponential),
        ("swa", Rule::Swa),
    ];
    let chosen = one_of(&key("average"), &name, &choices)?;
    for (foreign, rule, given) in [
        (
            "average_decay",
            Rule::Exponential,
            raw.average_decay.is_some(),
        ),
        ("average_start", Rule::Swa, raw.average_start.is_some()),
    ] {
        if given && chosen != rule {
            return Err(Error::input(format!(
                "`{}` has no meaning for the average \"{name}\"",
                excerpt(&key(foreign))
            )));
        }
    }
    Ok(match chosen {
        Rule::None => Averaging::None,
        Rule::Exponential => Averaging::Exponential {
            decay: fraction(&key("average_decay"), filled(&mut raw.average_decay, 0.95))?,
        },
        Rule::Swa => Averaging::Swa {
            start: fraction(&key("average_start"), filled(&mut raw.average_start, 0.75))?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_are_words() {
        for name in ["adam", "kfac_2", "K-FAC", "0", &"x".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "-x",
            "_x",
            "a b",
            "=1+1",
            "@x",
            "../x",
            "a/b",
            "é",
            "a\n",
            &"x".repeat(65),
        ] {
            let error = check_name(name).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let message = error.to_string();
            assert!(message.starts_with("`optimizers`: a name has"), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
