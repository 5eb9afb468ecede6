use std::sync::Arc;

/// A variance of which the sale knows the expectation at every later time, and nothing more is known than how much of what it is
/// later it keeps,
///
/// ```text
/// E[v_t] = ξ(t),   X(T) = ∫₀ᵀ ξ(t) dt,   v̄(v, T) = X(T)/T · (v/ξ(0))^p
/// ```
///
/// with the forward variance curve ξ constant between knots. The last formula is a convention for a variance v that is seen later:
/// the curve moves with it in proportion (p = 1) or, of a variance that soon forgets where it was, by a power of it. It is exact at
/// the sale.
///
/// # Units
/// Annualised variances, times in years.
///
/// # References
/// L. Bergomi (2016), "Stochastic Volatility Modeling", section 7.1, for curves of forward variance.
#[derive(Debug, Clone, PartialEq)]
pub struct ForwardVariance {
    /// Time and X at every knot, beginning with (0, 0); the last slope goes on for ever.
    knots: Arc<[(f64, f64)]>,
    persistence: f64,
}

impl ForwardVariance {
    /// The curve through the total variances X at increasing times above 0, and the exponent p.
    ///
    /// # Panics
    /// Without a knot.
    pub fn new(totals: impl IntoIterator<Item = (f64, f64)>, persistence: f64) -> Self {
        let knots: Arc<[(f64, f64)]> = std::iter::once((0.0, 0.0)).chain(totals).collect();
        assert!(knots.len() > 1, "a curve has a knot");
        Self { knots, persistence }
    }

    /// The curve that is the same `variance` for all times.
    pub fn flat(variance: f64, persistence: f64) -> Self {
        Self::new([(1.0, variance)], persistence)
    }

    /// The variance at the sale, ξ(0).
    pub fn now(&self) -> f64 {
        self.expected(0.0)
    }

    /// The average over all knots.
    pub fn level(&self) -> f64 {
        let (time, total) = self.knots[self.knots.len() - 1];
        total / time
    }

    /// The expected variance after `time` years, ξ(t).
    pub fn expected(&self, time: f64) -> f64 {
        self.at(time).1
    }

    /// The expected average variance over `time` years from the variance `now`.
    pub fn mean_from(&self, now: f64, time: f64) -> f64 {
        self.mean(time) * (now / self.now()).powf(self.persistence)
    }

    /// The variance now under which the expected average variance over `time` years is `mean`.
    pub fn now_given_mean(&self, mean: f64, time: f64) -> f64 {
        self.now() * (mean / self.mean(time)).powf(1.0 / self.persistence)
    }

    fn mean(&self, time: f64) -> f64 {
        match time {
            0.0 => self.now(),
            time => self.at(time).0 / time,
        }
    }

    /// X and ξ.
    fn at(&self, time: f64) -> (f64, f64) {
        let after = self.knots.partition_point(|(knot, _)| *knot <= time);
        let right = after.clamp(1, self.knots.len() - 1);
        let ((t0, x0), (t1, x1)) = (self.knots[right - 1], self.knots[right]);
        let slope = (x1 - x0) / (t1 - t0);
        (x0 + slope * (time - t0), slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ξ = 0.04 for a quarter and 0.09 after it: X, ξ and averages by hand; a later variance moves the curve by its power.
    #[test]
    fn a_curve_of_two_pieces() {
        let curve = ForwardVariance::new([(0.25, 0.01), (1.0, 0.0775)], 0.5);
        assert!((curve.now() - 0.04).abs() < 1e-15);
        assert!((curve.expected(0.3) - 0.09).abs() < 1e-15);
        assert!((curve.expected(2.0) - 0.09).abs() < 1e-15);
        assert!((curve.level() - 0.0775).abs() < 1e-15);
        let mean = |now: f64, time: f64| curve.mean_from(now, time);
        assert!((mean(0.04, 0.1) - 0.04).abs() < 1e-15);
        assert!((mean(0.04, 0.5) - (0.01 + 0.0225) / 0.5).abs() < 1e-15);
        assert!((mean(0.04, 2.0) - (0.0775 + 0.09) / 2.0).abs() < 1e-15);
        assert!((mean(0.16, 0.5) - 2.0 * mean(0.04, 0.5)).abs() < 1e-15);
    }
}
