use crate::pricing::{ElasticVariance, ForwardVariance, MarkovVariance};

/// What the variance of a model is; who hedges, quotes or filters asks this rather than which model it is.
///
/// # Units
/// Annualised variances, times in years.
#[derive(Debug, Clone, PartialEq)]
pub enum VarianceProcess {
    /// The variance of log returns never changes; that of jumps is part of it.
    Constant(f64),
    /// The variance moves, and its future depends on its present alone, in expectation linearly.
    Markov(MarkovVariance),
    /// The variance moves with the spot and by itself, and its future depends on its present alone.
    Elastic(ElasticVariance),
    /// The variance moves, and its future depends on more than its present: on the spot, or on all of its past. What is known
    /// is what was expected of it at the sale.
    Forward(ForwardVariance),
}

impl VarianceProcess {
    /// The variance at the start.
    pub fn now(&self) -> f64 {
        match self {
            Self::Constant(variance) => *variance,
            Self::Markov(process) => process.now,
            Self::Elastic(process) => process.now,
            Self::Forward(process) => process.now(),
        }
    }

    /// The variance of one that never changes.
    ///
    /// # Panics
    /// If it changes.
    pub fn constant(&self) -> f64 {
        match self {
            Self::Constant(variance) => *variance,
            Self::Markov(_) | Self::Elastic(_) | Self::Forward(_) => {
                panic!(
                    "a model whose variance changes says how it prices at and filters another one"
                )
            }
        }
    }

    /// The variance to which it returns; of one that returns to none, what is expected of it on average.
    pub fn long_run(&self) -> f64 {
        match self {
            Self::Constant(variance) => *variance,
            Self::Markov(process) if process.speed > 0.0 => process.level,
            Self::Markov(process) => process.now,
            Self::Elastic(process) => process.now,
            Self::Forward(process) => process.level(),
        }
    }

    /// The process of which a swap on the variance is quoted: one whose expectation is linear in its present.
    pub fn markov(&self) -> Option<&MarkovVariance> {
        match self {
            Self::Markov(process) => Some(process),
            Self::Constant(_) | Self::Elastic(_) | Self::Forward(_) => None,
        }
    }

    /// The expected variance after `time` years.
    pub fn expected(&self, time: f64) -> f64 {
        match self {
            Self::Constant(variance) => *variance,
            Self::Markov(process) => process.expected(time),
            Self::Elastic(process) => process.expected(time),
            Self::Forward(process) => process.expected(time),
        }
    }

    /// The expected average variance over `time` years from the variance `now`, whatever it is at the start.
    pub fn mean_from(&self, now: f64, time: f64) -> f64 {
        match self {
            Self::Constant(_) => now,
            Self::Markov(process) => process.from(now).mean(time),
            Self::Elastic(process) => process.mean_from(now, time),
            Self::Forward(process) => process.mean_from(now, time),
        }
    }

    /// How much the expected average variance over `time` years moves with a variance that is `now`.
    pub fn mean_slope(&self, now: f64, time: f64) -> f64 {
        match self {
            Self::Constant(_) => 1.0,
            Self::Markov(_) | Self::Forward(_) => {
                self.mean_from(1.0, time) - self.mean_from(0.0, time)
            }
            Self::Elastic(process) => process.mean_slope(now, time),
        }
    }

    /// The variance now under which the expected average variance over `time` years is `mean`.
    pub fn now_given_mean(&self, mean: f64, time: f64) -> f64 {
        match self {
            Self::Constant(_) => mean,
            Self::Markov(process) => process.now_given_mean(mean, time),
            Self::Elastic(process) => process.now_given_mean(mean, time),
            Self::Forward(process) => process.now_given_mean(mean, time),
        }
    }

    /// Whether it never changes.
    pub fn is_constant(&self) -> bool {
        match self {
            Self::Constant(_) => true,
            Self::Markov(_) | Self::Elastic(_) | Self::Forward(_) => false,
        }
    }

    /// Whether a variance that changes never reaches 0; none for one that does not change.
    pub fn stays_positive(&self) -> Option<bool> {
        match self {
            Self::Constant(_) => None,
            Self::Markov(process) => Some(process.stays_positive),
            Self::Elastic(_) | Self::Forward(_) => Some(true),
        }
    }
}
