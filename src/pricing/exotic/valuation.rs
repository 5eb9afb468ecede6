use std::ops::{Add, AddAssign, Mul, Sub};

/// The price of a contract on one asset and its first two derivatives in the spot.
///
/// # Units
///
/// Currency; delta in shares, gamma in shares per currency.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Valuation {
    /// The price V.
    pub price: f64,
    /// `∂V/∂S`.
    pub delta: f64,
    /// `∂²V/∂S²`.
    pub gamma: f64,
}

impl Valuation {
    /// The price of what is certain: it moves with nothing.
    pub fn constant(price: f64) -> Self {
        Self {
            price,
            delta: 0.0,
            gamma: 0.0,
        }
    }

    /// The valuation whose derivatives in `u = ln S` are given.
    pub fn of_logarithm(price: f64, first: f64, second: f64, spot: f64) -> Self {
        Self {
            price,
            delta: first / spot,
            gamma: (second - first) / (spot * spot),
        }
    }

    /// The same with the price not below zero, as rounding of a difference can leave it.
    pub(super) fn not_negative(self) -> Self {
        Self {
            price: self.price.max(0.0),
            ..self
        }
    }
}

impl Add for Valuation {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            price: self.price + other.price,
            delta: self.delta + other.delta,
            gamma: self.gamma + other.gamma,
        }
    }
}

impl Sub for Valuation {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -1.0 * other
    }
}

impl AddAssign for Valuation {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<Valuation> for f64 {
    type Output = Valuation;
    fn mul(self, one: Valuation) -> Valuation {
        Valuation {
            price: self * one.price,
            delta: self * one.delta,
            gamma: self * one.gamma,
        }
    }
}

#[cfg(test)]
impl Valuation {
    /// Price, delta and gamma within `bound` of another's.
    pub fn assert_near(&self, expected: &Self, bound: f64) {
        for (found, expected) in [
            (self.price, expected.price),
            (self.delta, expected.delta),
            (self.gamma, expected.gamma),
        ] {
            let error = (found - expected).abs();
            assert!(error <= bound, "{self:?}: {found} for {expected}");
        }
    }

    /// Delta and gamma are the derivatives of price and delta, by central differences of fourth order.
    pub fn check_derivatives(at: impl Fn(f64) -> Self, spot: f64) {
        let h = 1e-3 * spot;
        let slope = |of: fn(&Self) -> f64| {
            let value = |steps: f64| of(&at(spot + steps * h));
            (8.0 * (value(1.0) - value(-1.0)) - (value(2.0) - value(-2.0))) / (12.0 * h)
        };
        let one = at(spot);
        let (delta, gamma) = (slope(|one| one.price), slope(|one| one.delta));
        let scale = 1e-7 * (1.0 + one.price.abs() / spot + one.delta.abs());
        assert!((one.delta - delta).abs() < scale, "{one:?}: delta {delta}");
        let scale = 1e-7 * (1.0 + one.delta.abs() / spot + one.gamma.abs());
        assert!((one.gamma - gamma).abs() < scale, "{one:?}: gamma {gamma}");
    }
}
