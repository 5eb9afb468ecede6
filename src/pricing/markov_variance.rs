use serde::Serialize;

/// A variance whose future depends on nothing but what it is now, and whose expectation reverts to a level,
///
/// ```text
/// E[v_T] = θ + (v − θ) e^{−κT}
/// ```
///
/// as under Heston's model, with any volatility of the variance and any jumps of the spot beside it.
///
/// # Units
///
/// Annualised variances; `speed` per year, times in years.
///
/// # References
///
/// J. Cox, J. Ingersoll and S. Ross (1985), "A theory of the term structure of interest rates", Econometrica 53(2),
/// equation 19, for the expectation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MarkovVariance {
    /// The variance now, v.
    pub now: f64,
    /// The level to which it reverts, θ.
    pub level: f64,
    /// The speed of the reversion, κ.
    pub speed: f64,
    /// Whether the variance never reaches 0.
    pub stays_positive: bool,
}

impl MarkovVariance {
    /// The same process from another variance now.
    #[must_use]
    pub fn from(self, now: f64) -> Self {
        Self { now, ..self }
    }

    /// The expected variance after `time` years.
    pub fn expected(&self, time: f64) -> f64 {
        self.level + (self.now - self.level) * (-self.speed * time).exp()
    }

    /// The expected average variance over `[0, T]`, θ + (v − θ)(1 − e^{−κT})/(κT): the fair strike of a variance swap;
    /// T is `time` in years.
    pub fn mean(&self, time: f64) -> f64 {
        let decay = self.speed * time;
        let share = if decay == 0.0 {
            1.0
        } else {
            -(-decay).exp_m1() / decay
        };
        self.level + (self.now - self.level) * share
    }

    /// The variance now that makes `mean` the expected average variance over `time` years, at least a hundredth of the
    /// level: the inverse of [`Self::mean`].
    pub fn now_given_mean(&self, mean: f64, time: f64) -> f64 {
        // How much of an excess over θ now is left on average.
        let share = self.from(self.level + 1.0).mean(time) - self.level;
        (self.level + (mean - self.level) / share).max(0.01 * self.level)
    }
}
