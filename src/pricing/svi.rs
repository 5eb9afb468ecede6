//! A volatility surface of SVI slices, and the local volatility that it implies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The total implied variance of one expiry over k = ln(K/F),
///
/// ```text
/// w(k) = a + b (ρ(k − m) + √((k − m)² + σ²))
/// ```
///
/// # References
/// J. Gatheral and A. Jacquier (2014), "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14(1), definition 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SviSlice {
    /// Days to the expiry, of which a year has 365.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub days: f64,
    /// The level a of the total variance.
    pub a: f64,
    /// The slope b of both wings.
    #[schemars(range(min = 0.0))]
    pub b: f64,
    /// The slant ρ of the wings.
    #[schemars(extend("exclusiveMinimum" = -1.0, "exclusiveMaximum" = 1.0))]
    pub rho: f64,
    /// The place m of the vertex.
    pub m: f64,
    /// The width σ of the vertex.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub sigma: f64,
}

/// Total variance and its derivatives in k.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smile {
    /// w
    pub total: f64,
    /// ∂w/∂k
    pub slope: f64,
    /// ∂²w/∂k²
    pub curvature: f64,
}

impl SviSlice {
    /// The time to expiry in years.
    pub fn expiry(&self) -> f64 {
        self.days / 365.0
    }

    /// w and its derivatives at k.
    pub fn at(&self, k: f64) -> Smile {
        let from = k - self.m;
        let root = (from * from + self.sigma * self.sigma).sqrt();
        Smile {
            total: self.a + self.b * (self.rho * from + root),
            slope: self.b * (self.rho + from / root),
            curvature: self.b * self.sigma * self.sigma / (root * root * root),
        }
    }
}

impl Smile {
    /// `share` of the way from this smile to another one.
    fn towards(&self, other: &Self, share: f64) -> Self {
        let mix = |from: f64, to: f64| from + share * (to - from);
        Self {
            total: mix(self.total, other.total),
            slope: mix(self.slope, other.slope),
            curvature: mix(self.curvature, other.curvature),
        }
    }

    /// What must not be negative at any k for the density of ln(S/F) to be one,
    ///
    /// ```text
    /// g(k) = (1 − k w'/(2w))² − ¼ w'² (1/w + ¼) + ½ w''
    /// ```
    ///
    /// # References
    /// J. Gatheral and A. Jacquier (2014), equation 2.1.
    pub fn density_factor(&self, k: f64) -> f64 {
        let Self {
            total: w,
            slope,
            curvature,
        } = *self;
        let lever = 1.0 - 0.5 * k * slope / w;
        lever * lever - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * curvature
    }
}

/// A fault of a surface: prices that it gives admit arbitrage.
#[derive(Debug, Clone, PartialEq)]
pub struct Arbitrage {
    /// What must be at least 0.
    pub value: f64,
    /// What it is, with its slice and its strike, in words that follow "such that".
    pub place: String,
}

/// Slices of increasing expiry. Between them, and from the sale to the first, the total variance is linear in time at every k; after the
/// last one it goes on as before it.
#[derive(Debug, Clone, PartialEq)]
pub struct SviSurface {
    slices: Vec<SviSlice>,
}

/// One slice at the beginning of an interval of time, none at the sale, and the one at its end.
#[derive(Debug, Clone, Copy)]
pub struct Interval {
    /// The slice at the beginning, with its time; at the sale all of it is 0.
    pub before: SviSlice,
    /// The slice at the end.
    pub after: SviSlice,
}

impl SviSurface {
    /// The surface of `slices`, in any order.
    ///
    /// # Panics
    /// Without a slice.
    pub fn new(mut slices: Vec<SviSlice>) -> Self {
        assert!(!slices.is_empty(), "a surface has a slice");
        slices.sort_by(|a, b| a.days.total_cmp(&b.days));
        Self { slices }
    }

    /// The slices by expiry.
    pub fn slices(&self) -> &[SviSlice] {
        &self.slices
    }

    /// The slices about `time` years after the sale.
    pub fn about(&self, time: f64) -> Interval {
        let after = self.slices.partition_point(|slice| slice.expiry() <= time);
        let after = after.min(self.slices.len() - 1);
        let zero = SviSlice {
            days: 0.0,
            a: 0.0,
            b: 0.0,
            rho: 0.0,
            m: 0.0,
            sigma: 1.0,
        };
        Interval {
            before: after.checked_sub(1).map_or(zero, |i| self.slices[i]),
            after: self.slices[after],
        }
    }

    /// The total variance and its derivatives at k, `time` years after the sale.
    pub fn at(&self, k: f64, time: f64) -> Smile {
        self.about(time).at(k, time)
    }

    /// The local variance at x = ln(S_t/F_t), F_t the forward of the sale for t = `time`, by Dupire's formula in total variance,
    ///
    /// ```text
    /// σ²(x, t) = ∂w/∂t / g(x)
    /// ```
    ///
    /// # References
    /// B. Dupire (1994), "Pricing with a smile", Risk 7(1); J. Gatheral (2006), "The Volatility Surface", equation 1.10.
    pub fn local_variance(&self, x: f64, time: f64) -> f64 {
        let interval = self.about(time);
        let smile = interval.at(x, time);
        (interval.growth(x) / smile.density_factor(x)).max(0.0)
    }

    /// The expected total variance −2 E[ln(S_T/F_T)] of the price, from the prices of the expiry,
    ///
    /// ```text
    /// ∫ w(k(z)) φ(z) dz,   z = −k/√w − √w/2
    /// ```
    ///
    /// # References
    /// J. Gatheral (2006), "The Volatility Surface", equation 11.5.
    pub fn expected_variance(&self, time: f64) -> f64 {
        const STEP: f64 = 0.02;
        let z = |k: f64| {
            let root = self.at(k, time).total.sqrt();
            -k / root - 0.5 * root
        };
        let reach = 1.0 + 10.0 * self.at(0.0, time).total.sqrt();
        let mut sum = 0.0;
        for i in -400..400 {
            let centre = STEP * (f64::from(i) + 0.5);
            // z falls with k: bisection.
            let (mut low, mut high) = (-20.0 * reach, 20.0 * reach);
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                if z(middle) > centre {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            let density = (-0.5 * centre * centre).exp() / std::f64::consts::TAU.sqrt();
            sum += STEP * density * self.at(low, time).total;
        }
        sum
    }

    /// The worst arbitrage within eight standard deviations of the forward, if there is one: a negative total variance, a total
    /// variance that falls in time (calendar), or a density that is negative (butterfly), at a slice or half-way between two.
    pub fn arbitrage(&self) -> Option<Arbitrage> {
        const POINTS: i32 = 400;
        const DEVIATIONS: f64 = 8.0;
        const ROUNDING: f64 = 1e-12;
        let mut worst: Option<Arbitrage> = None;
        let mut found = |value: f64, place: &dyn Fn() -> String| {
            let least = worst.as_ref().map_or(-ROUNDING, |one| one.value);
            if value < least || value.is_nan() {
                worst = Some(Arbitrage {
                    value,
                    place: place(),
                });
            }
        };
        for (i, slice) in self.slices.iter().enumerate() {
            let name = format!("slice {} ({} days)", i + 1, slice.days);
            let interval = self.about(slice.expiry() * (1.0 - 1e-12));
            let width = DEVIATIONS * slice.at(0.0).total.max(1e-8).sqrt();
            for j in -POINTS..=POINTS {
                let k = width * f64::from(j) / f64::from(POINTS);
                let at = format!("at ln(K/F) = {k:.3}");
                let smile = slice.at(k);
                found(smile.total, &|| {
                    format!("the total variance of {name} {at} is")
                });
                if smile.total <= 0.0 {
                    continue;
                }
                found(interval.growth(k), &|| {
                    format!(
                        "the total variance grows up to {name} {at}, a calendar spread: its growth is"
                    )
                });
                for time in [interval.middle(), slice.expiry()] {
                    found(interval.at(k, time).density_factor(k), &|| {
                        format!("{name} has no butterfly arbitrage {at}: its density there is")
                    });
                }
            }
        }
        worst
    }
}

impl Interval {
    /// Its beginning and its end in years.
    pub fn times(&self) -> (f64, f64) {
        (self.before.expiry(), self.after.expiry())
    }

    fn middle(&self) -> f64 {
        let (start, end) = self.times();
        0.5 * (start + end)
    }

    /// ∂w/∂t at k.
    pub fn growth(&self, k: f64) -> f64 {
        let (start, end) = self.times();
        (self.after.at(k).total - self.before.at(k).total) / (end - start)
    }

    /// The smile at `time`.
    fn at(&self, k: f64, time: f64) -> Smile {
        let (start, end) = self.times();
        // At the sale itself only ratios of w and its derivatives count.
        let share = ((time - start) / (end - start)).max(1e-9);
        self.before.at(k).towards(&self.after.at(k), share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(days: f64, level: f64) -> SviSlice {
        SviSlice {
            days,
            a: 0.3 * level,
            b: 1.2 * level,
            rho: -0.5,
            m: 0.05,
            sigma: 0.5,
        }
    }

    /// Derivatives are differences; a flat surface has its own variance as local variance and as expected variance, before, between and
    /// after its slices.
    #[test]
    fn smiles_and_flat_surfaces() {
        let one = slice(30.0, 0.01);
        let h = 1e-4;
        for k in [-0.4, 0.0, 0.3] {
            let (down, now, up) = (one.at(k - h), one.at(k), one.at(k + h));
            assert!((now.slope - (up.total - down.total) / (2.0 * h)).abs() < 1e-9);
            let curvature = (up.total - 2.0 * now.total + down.total) / (h * h);
            assert!((now.curvature - curvature).abs() < 1e-7);
        }
        let flat = |days: f64| SviSlice {
            a: 0.04 * days / 365.0,
            b: 0.0,
            ..slice(days, 0.0)
        };
        let surface = SviSurface::new(vec![flat(365.0), flat(73.0)]);
        assert_eq!(surface.arbitrage(), None);
        for time in [0.0, 0.1, 0.2, 0.5, 2.0] {
            assert!((surface.local_variance(0.3, time) - 0.04).abs() < 1e-12);
        }
        assert!((surface.expected_variance(0.5) - 0.02).abs() < 1e-9);
    }

    /// A slice below the one before it, and the slice of Vogt (Gatheral and Jacquier 2014, example 3.1), whose density is negative at
    /// k ≈ 0.8, are found and named.
    #[test]
    fn arbitrage_is_found_where_it_is() {
        let good = SviSurface::new(vec![slice(30.0, 0.01), slice(90.0, 0.03)]);
        assert_eq!(good.arbitrage(), None);
        let falling = SviSurface::new(vec![slice(30.0, 0.01), slice(90.0, 0.005)]);
        let found = falling.arbitrage().unwrap();
        assert!(
            found.value < 0.0 && found.place.contains("slice 2 (90 days)"),
            "{found:?}"
        );
        assert!(found.place.contains("calendar"), "{found:?}");
        let vogt = SviSlice {
            days: 365.0,
            a: -0.0410,
            b: 0.1331,
            rho: 0.3060,
            m: 0.3586,
            sigma: 0.4153,
        };
        let found = SviSurface::new(vec![vogt]).arbitrage().unwrap();
        assert!(found.place.contains("butterfly"), "{found:?}");
        assert!(vogt.at(0.8).density_factor(0.8) < 0.0);
    }
}
