//! The sections `training` and `risk`.

use super::optimizer::at_least_one;
use super::raw::Raw;
use crate::bounds::{MOST_PATHS, at_least, filled, fraction, one_of, positive, within};
use crate::error::Result;
use crate::random::Sampling;
use crate::risk::Risk;

/// How long a policy is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    Steps(usize),
    /// Seconds of training, validation excluded. Results then depend on the machine.
    Seconds(f64),
}

/// What the seconds of a training count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Wall,
    /// Time that the process had of all cores together, which other work on the machine lengthens little.
    Cpu,
}

/// How training is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validation {
    /// Paths on which the risk is measured; 0 for none.
    pub paths: usize,
    /// Steps between measurements.
    pub period: usize,
}

/// What the section `training` says.
pub(super) struct Training {
    pub length: Length,
    pub clock: Clock,
    pub lengths: Vec<usize>,
    pub paths: usize,
    pub sampling: Sampling,
    pub control_variate: bool,
    pub validation: Validation,
}

pub(super) fn training(raw: &mut Raw) -> Result<Training> {
    let training = &mut raw.training;
    let length = match training.seconds {
        Some(seconds) => Length::Seconds(positive("training.seconds", seconds)?),
        None => Length::Steps(at_least(
            "training.steps",
            filled(&mut training.steps, 200),
            1,
        )?),
    };
    let lengths = at_least_one(
        "training.lengths",
        filled(&mut training.lengths, Vec::new()),
    )?;
    let paths = within(
        "training.paths",
        filled(&mut training.paths, 4096),
        1,
        MOST_PATHS,
    )?;
    let control_variate = filled(&mut training.control_variate, false);
    let sampling = one_of(
        "training.sampling",
        &filled(&mut training.sampling, "pseudorandom".into()),
        &[
            ("pseudorandom", Sampling::Pseudorandom),
            ("antithetic", Sampling::Antithetic),
            ("sobol", Sampling::Sobol),
        ],
    )?;
    let clock = one_of(
        "training.clock",
        &filled(&mut training.clock, "wall".into()),
        &[("wall", Clock::Wall), ("cpu", Clock::Cpu)],
    )?;
    let validation = Validation {
        paths: within(
            "training.validation_paths",
            filled(&mut training.validation_paths, 16_384),
            0,
            MOST_PATHS,
        )?,
        period: at_least(
            "training.validation_period",
            filled(&mut training.validation_period, 10),
            1,
        )?,
    };
    Ok(Training {
        length,
        clock,
        lengths,
        paths,
        sampling,
        control_variate,
        validation,
    })
}

/// The risk measure; an aversion is one over money, and by default one over a hundredth of the `spot`.
pub(super) fn risk(raw: &mut Raw, spot: f64) -> Result<Risk> {
    #[derive(Clone, Copy)]
    enum Measure {
        Cvar,
        Entropic,
        MeanVariance,
        MonotoneMeanVariance,
    }
    let measure = one_of(
        "risk.measure",
        &filled(&mut raw.risk.measure, "cvar".into()),
        &[
            ("cvar", Measure::Cvar),
            ("entropic", Measure::Entropic),
            ("mean_variance", Measure::MeanVariance),
            ("monotone_mean_variance", Measure::MonotoneMeanVariance),
        ],
    )?;
    if let Measure::Cvar = measure {
        let level = fraction("risk.level", filled(&mut raw.risk.level, 0.95))?;
        return Ok(Risk::Cvar { level });
    }
    let aversion = positive(
        "risk.aversion",
        filled(&mut raw.risk.aversion, 100.0 / spot),
    )?;
    Ok(match measure {
        Measure::MeanVariance => Risk::MeanVariance { aversion },
        Measure::MonotoneMeanVariance => Risk::MonotoneMeanVariance { aversion },
        Measure::Cvar | Measure::Entropic => Risk::Entropic { aversion },
    })
}
